/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Device memory that the guest reaches without exits: video RAM and option ROMs. Pages are
 * populated at start (before the process restricts itself), parked above the guest's RAM, mapped
 * here for good, and moved in the guest's physical map when their BAR moves.
 */
#ifndef DM_CORE_VRAM_H
#define DM_CORE_VRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct machine;

struct vram {
	struct machine *m;
	const char *name;
	uint8_t *ptr; /* size bytes, mapped read-write here */
	size_t size;  /* bytes, whole pages */
	uint64_t park_gpa;
	uint64_t gpa; /* where it is now */
	bool mapped;  /* at a BAR, not parked */
	bool write_combining;
	bool tracking;
	void *priv;
};

/* Populate and map. write_combining pins the caching type WC while mapped. 0 or -errno. */
int vram_create(struct vram *v, struct machine *m, const char *name, size_t size,
		bool write_combining);
/* Move to a BAR address / park again. 0 or -errno (then it stays where it was). */
int vram_map(struct vram *v, uint64_t gpa);
void vram_unmap(struct vram *v);
/*
 * Fetch and clear which pages of [first_page, first_page + nr_pages) the guest wrote since the last
 * call: bit i of bitmap (nr_pages bits, caller's, overwritten) is page first_page + i. The first call
 * for a range, or a failure, reports all dirty. Pages that this process changes by itself are not in
 * it: the VGA marks those on its own. Call at refresh rate, not per access.
 */
void vram_dirty(struct vram *v, size_t first_page, size_t nr_pages, unsigned long *bitmap);
/* Stop tracking (text or planar mode, nobody watches): the guest then writes at full speed. */
void vram_dirty_stop(struct vram *v);
/* Tell the VMM's dirty log that this process wrote [offset, offset+len) (no-op without the log). */
void vram_written(struct vram *v, size_t offset, size_t len);

#endif
