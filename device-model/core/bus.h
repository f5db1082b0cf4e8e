/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The port and memory buses of the guest's PC. A device registers ranges; requests of the VMM (or
 * of the qtest socket) are dispatched to it. Everything runs in the main loop's thread.
 *
 * The ioreq client takes REP prefixes apart: a device sees single accesses of 1, 2, 4 (memory: also
 * 8) bytes, unless it offers the block hooks.
 */
#ifndef DM_CORE_BUS_H
#define DM_CORE_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct machine;
struct io_region;

struct io_ops {
	/* offset is relative to the range's start. What lies above size bytes is ignored. */
	uint64_t (*read)(void *opaque, uint64_t offset, unsigned int size);
	void (*write)(void *opaque, uint64_t offset, uint64_t value, unsigned int size);
	/*
	 * Optional, for whole REP INS/OUTS runs (ports: every item goes to the same offset) and for
	 * REP MOVS to or from memory ranges (item i is at offset + i * size). Returns the number of
	 * items done, at most count; the rest is then done one at a time by read/write, so 0 is a
	 * valid answer.
	 */
	size_t (*read_block)(void *opaque, uint64_t offset, void *buf, unsigned int size,
			     size_t count);
	size_t (*write_block)(void *opaque, uint64_t offset, const void *buf, unsigned int size,
			      size_t count);
	/*
	 * Largest access that read/write take; wider ones arrive as several, lowest offset first, as
	 * an 8-bit ISA device sees them. 0 means no splitting.
	 */
	unsigned int max_size;
};

/*
 * Claim ports [port, port + count). Returns the region or NULL when it overlaps another range of
 * ours (logged) or the VMM refuses it. name is kept, not copied.
 */
struct io_region *pio_register(struct machine *m, uint32_t port, uint32_t count,
			       const struct io_ops *ops, void *opaque, const char *name);
/* Claim guest-physical [gpa, gpa + len); the same rules. */
struct io_region *mmio_register(struct machine *m, uint64_t gpa, uint64_t len,
				const struct io_ops *ops, void *opaque, const char *name);
/*
 * The guest need not wait until writes to ports [port, port + count) of a range that is registered have reached
 * the device: they have no effect that anything but a later access to the device could show, no interrupt among
 * them. Ends with the range.
 */
void pio_post_writes(struct machine *m, uint32_t port, uint32_t count);
/* Give a range back. NULL is allowed. Never from inside the range's own callback. */
void io_unregister(struct machine *m, struct io_region *r);

/* Dispatch, for the ioreq client and qtest. Unclaimed reads give all-ones, writes are dropped. */
uint64_t pio_read(struct machine *m, uint32_t port, unsigned int size);
void pio_write(struct machine *m, uint32_t port, uint64_t value, unsigned int size);
uint64_t mmio_read(struct machine *m, uint64_t gpa, unsigned int size);
void mmio_write(struct machine *m, uint64_t gpa, uint64_t value, unsigned int size);
/* Runs of count items in buf, to one port / to ascending addresses. Always complete. */
void pio_read_block(struct machine *m, uint32_t port, void *buf, unsigned int size, size_t count);
void pio_write_block(struct machine *m, uint32_t port, const void *buf, unsigned int size,
		     size_t count);
void mmio_read_block(struct machine *m, uint64_t gpa, void *buf, unsigned int size, size_t count);
void mmio_write_block(struct machine *m, uint64_t gpa, const void *buf, unsigned int size,
		      size_t count);
/* True when a device of ours claims this guest-physical address. */
bool mmio_claimed(struct machine *m, uint64_t gpa);

#endif
