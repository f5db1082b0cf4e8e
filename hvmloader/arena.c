/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * First-to-last allocation in a piece of guest memory. Nothing is ever given back.
 */
#include "arena.h"
#include "util.h"

void *arena_alloc(struct arena *a, uint32_t size, uint32_t align, uint32_t *gpa)
{
	uint32_t start = ALIGN_UP(a->gpa + a->used, align) - a->gpa;

	if (start > a->size || size > a->size - start)
		return NULL;
	a->used = start + size;
	if (a->back)
		a->back(a->gpa, a->used);
	if (gpa)
		*gpa = a->gpa + start;
	return memset(a->base + start, 0, size);
}
