/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A piece of guest memory that tables are put into, first to last. Builders write through a host
 * pointer and refer to guest addresses, so that the tests can build the same tables in a buffer.
 */
#ifndef HVMLOADER_ARENA_H
#define HVMLOADER_ARENA_H

#include <stdint.h>

struct arena {
	uint8_t *base; /* where the caller sees the area */
	uint32_t gpa;  /* where the guest sees it */
	uint32_t size; /* bytes */
	uint32_t used; /* bytes */
	/* Make [gpa, gpa + used) usable memory; may be NULL when all of it already is. */
	void (*back)(uint32_t gpa, uint32_t bytes);
};

/*
 * Take size zeroed bytes at a multiple of align (a power of two). Returns NULL when the area is
 * full; *gpa gets the guest address.
 */
void *arena_alloc(struct arena *a, uint32_t size, uint32_t align, uint32_t *gpa);

#endif
