/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Video RAM and option ROMs as guest pages. They are born above 4 GiB and above the guest's RAM, and
 * move between there and their BAR. See vram.h.
 */
#include "core/vram.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/dma.h"
#include "core/log.h"
#include "core/machine.h"
#include "core/options.h"
#include "core/save.h"
#include "core/util.h"
#include "core/vmm.h"

#define VRAM_PARK_ALIGN (1ull << 30)
#define VRAM_PARK_STEP	(2u << 20)
#define BITS_PER_LONG	(8 * sizeof(unsigned long))

/* The first guest frame above any RAM, wherever the hole below 4 GiB starts. */
static uint64_t park_base(const struct machine *m)
{
	uint64_t end = (4ull << 30) + m->opt->ram_bytes;

	return (end + VRAM_PARK_ALIGN) & ~(VRAM_PARK_ALIGN - 1);
}

/* vram_create has peeked and mapped it there; the PCI device brings its BAR back. */
static const struct save_field vram_fields[] = {
	SAVE_AS(struct vram, size, 8, .same = true),
	SAVE(struct vram, gpa, .same = true),
	SAVE_END,
};

static const struct save_ops vram_save_ops = { "vram", 1, .fields = vram_fields };

/* What is asked of the file before there is anything to compare it with. */
static const struct save_field place_fields[] = {
	SAVE_AS(struct vram, size, 8),
	SAVE(struct vram, gpa),
	SAVE_END,
};

static const struct save_ops place_ops = { "vram", 1, .fields = place_fields };

/* A restored guest brings its pages along, where they were when it was saved. */
static uint64_t vram_start_gpa(struct machine *m, unsigned int instance, uint64_t size,
			       uint64_t park)
{
	struct vram saved;

	return save_peek(m, &place_ops, instance, &saved) && saved.size == size ? saved.gpa : park;
}

int vram_create(struct vram *v, struct machine *m, const char *name, size_t size,
		bool write_combining)
{
	size = (size + DM_PAGE_SIZE - 1) & ~(size_t)(DM_PAGE_SIZE - 1);
	if (!m->vram_next)
		m->vram_next = park_base(m);
	*v = (struct vram){
		.m = m,
		.name = name,
		.size = size,
		.park_gpa = m->vram_next,
		.gpa = vram_start_gpa(m, m->nr_vrams, size, m->vram_next),
		.write_combining = write_combining,
	};
	v->ptr = m->vmm->populate(m, v->gpa >> 12, size / DM_PAGE_SIZE);
	if (!v->ptr) {
		log_error("cannot get %zu KiB of guest memory for %s: %s (raise videoram or "
			  "maxmem, or free memory in the host)",
			  size / 1024, name, strerror(errno));
		return -ENOMEM;
	}
	if (m->opt->incoming_fd < 0)
		memset(v->ptr, 0, size);
	m->vram_next += (size + VRAM_PARK_STEP - 1) & ~(uint64_t)(VRAM_PARK_STEP - 1);
	save_register(m, &vram_save_ops, m->nr_vrams++, v);
	return 0;
}

static int vram_move(struct vram *v, uint64_t gpa)
{
	struct machine *m = v->m;
	int rc;

	if (gpa == v->gpa)
		return 0;
	vram_dirty_stop(v);
	rc = m->vmm->relocate(m, v->gpa >> 12, gpa >> 12, v->size / DM_PAGE_SIZE);
	if (rc) {
		log_guest("%s: cannot move from 0x%" PRIx64 " to 0x%" PRIx64 ": %s", v->name,
			  v->gpa, gpa, strerror(-rc));
		return rc;
	}
	v->gpa = gpa;
	dma_invalidate(m);
	return 0;
}

int vram_map(struct vram *v, uint64_t gpa)
{
	int rc = vram_move(v, gpa);

	if (rc)
		return rc;
	v->mapped = true;
	if (v->write_combining)
		v->m->vmm->pin_write_combining(v->m, v->gpa >> 12, v->size / DM_PAGE_SIZE, true);
	return 0;
}

void vram_unmap(struct vram *v)
{
	if (!v->mapped)
		return;
	v->mapped = false;
	if (v->write_combining)
		v->m->vmm->pin_write_combining(v->m, v->gpa >> 12, v->size / DM_PAGE_SIZE, false);
	vram_move(v, v->park_gpa);
}

void vram_dirty(struct vram *v, size_t first_page, size_t nr_pages, unsigned long *bitmap)
{
	struct machine *m = v->m;
	bool first = !v->tracking;
	int rc = -ENODEV;

	if (v->mapped && nr_pages && first_page + nr_pages <= v->size / DM_PAGE_SIZE) {
		rc = m->vmm->track_dirty(m, (v->gpa >> 12) + first_page, nr_pages, bitmap);
		v->tracking = !rc;
	}
	if (rc || first)
		memset(bitmap, 0xff,
		       (nr_pages + BITS_PER_LONG - 1) / BITS_PER_LONG * sizeof(*bitmap));
}

void vram_dirty_stop(struct vram *v)
{
	if (!v->tracking)
		return;
	v->tracking = false;
	v->m->vmm->track_dirty(v->m, v->gpa >> 12, 0, NULL);
}

void vram_written(struct vram *v, size_t offset, size_t len)
{
	if (len)
		dma_mark_dirty(v->m, v->gpa + offset, len);
}
