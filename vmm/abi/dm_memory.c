// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dm_op on guest memory: which frames of video memory were written, what the device model wrote by DMA,
 * frame types, moving video memory. xen/hvm/dm_op.h.
 */
#include "xen_abi.h"
#include <xen/hvm/hvm_op.h>
#include "dm_private.h"

#define BATCH		256U
#define VRAM_MAX_FRAMES 16384U /* 64 MiB */

int dm_track_dirty_vram(struct domain *d, const struct xen_dm_op_track_dirty_vram *t,
			const struct xen_dm_op_buf *extra)
{
	uint8_t *map;
	size_t bytes;
	int rc;

	if (t->pad || t->nr > VRAM_MAX_FRAMES)
		return -EINVAL;
	if (!t->nr) {
		vram_track_stop(d);
		return 0;
	}
	bytes = DIV_ROUND_UP(t->nr, 8U);
	if (!extra || extra->size < bytes)
		return -EINVAL;
	map = xzalloc_bytes(bytes);
	if (!map)
		return -ENOMEM;
	rc = vram_track(d, _gfn(t->first_pfn), t->nr, map);
	if (!rc && copy_to_guest_la(guest_handle_la(extra->h), map, bytes))
		rc = -EFAULT;
	xfree(map);
	return rc;
}

int dm_modified_memory(struct domain *d, struct xen_dm_op_modified_memory *m,
		       const struct xen_dm_op_buf *extra)
{
	struct xen_dm_op_modified_memory_extent e;

	if (!extra || m->opaque > m->nr_extents ||
	    (uint64_t)m->nr_extents * sizeof(e) > extra->size)
		return -EINVAL;
	for (unsigned int done = 0; m->opaque < m->nr_extents; m->opaque++, done++) {
		if (done == BATCH)
			return -ERESTART;
		if (copy_from_guest_la(&e, guest_handle_la(extra->h) + m->opaque * sizeof(e),
				       sizeof(e)))
			return -EFAULT;
		if (e.pad || e.nr > VRAM_MAX_FRAMES)
			return -EINVAL;
		spin_lock(&d->p2m.lock);
		for (uint32_t i = 0; i < e.nr; i++)
			logdirty_mark(d, _gfn(e.first_pfn + i), 0);
		spin_unlock(&d->p2m.lock);
	}
	return 0;
}

static int type_of(uint16_t mem_type, enum p2m_type *t)
{
	switch (mem_type) {
	case HVMMEM_ram_rw:
		*t = P2M_RAM_RW;
		return 0;
	case HVMMEM_ram_ro:
		*t = P2M_RAM_RO;
		return 0;
	case HVMMEM_mmio_dm:
		*t = P2M_MMIO_DM;
		return 0;
	default:
		return -EINVAL;
	}
}

/* Frames of RAM change between writable and read-only; holes may be named device-model ranges. */
static int set_one_type(struct domain *d, gfn_t gfn, enum p2m_type to)
{
	struct p2m_entry e = p2m_get(d, gfn);

	if (to == P2M_MMIO_DM)
		return p2m_has_page(e.type) ? -EINVAL : 0;
	if (!p2m_is_ram(e.type))
		return e.type == P2M_INVALID || e.type == P2M_MMIO_DM ? 0 : -EINVAL;
	return e.type == to ? 0 : p2m_change_type(d, gfn, e.type, to);
}

int dm_set_mem_type(struct domain *d, struct xen_dm_op_set_mem_type *t)
{
	enum p2m_type to;
	int rc = type_of(t->mem_type, &to);

	if (rc || t->pad)
		return -EINVAL;
	for (unsigned int done = 0; t->nr; t->nr--, t->first_pfn++, done++) {
		if (done == BATCH)
			return -ERESTART;
		rc = set_one_type(d, _gfn(t->first_pfn), to);
		if (rc)
			return rc;
	}
	return 0;
}

/* d->lock held. */
static int move_locked(struct domain *d, gfn_t src, gfn_t dst)
{
	struct p2m_entry from = p2m_get(d, src), to = p2m_get(d, dst);

	if (!p2m_is_ram(from.type) || p2m_has_page(to.type) || to.type == P2M_POD)
		return -EINVAL;
	return p2m_move(d, src, dst);
}

/*
 * Takes the frame away from src and puts it at dst, where nothing may be. Under the lock: the guest may give
 * the page back at the same time.
 */
static int move_frame(struct domain *d, gfn_t src, gfn_t dst)
{
	int rc;

	spin_lock(&d->lock);
	rc = move_locked(d, src, dst);
	spin_unlock(&d->lock);
	return rc;
}

int dm_relocate_memory(struct domain *d, struct xen_dm_op_relocate_memory *r)
{
	for (unsigned int done = 0; r->size; r->size--, r->src_gfn++, r->dst_gfn++, done++) {
		int rc;

		if (done == BATCH)
			return -ERESTART;
		rc = move_frame(d, _gfn(r->src_gfn), _gfn(r->dst_gfn));
		if (rc)
			return rc;
	}
	return 0;
}
