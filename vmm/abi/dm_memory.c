// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dm_op on guest memory: which frames of video memory were written, what the device model wrote by DMA,
 * frame types, moving video memory. xen/hvm/dm_op.h.
 */
#include "dm.h"
#include <xen/hvm/hvm_op.h>

/* What is done between two looks for other work. */
#define EXTENT_BATCH	16U
#define TYPE_BATCH	64U
#define MOVE_BATCH	16U
#define VRAM_MAX_FRAMES 16384U /* 64 MiB */

long op_track_dirty_vram(struct call *c)
{
	const struct xen_dm_op_track_dirty_vram *t = c->arg;
	const struct xen_dm_op_buf *extra = c->extra;
	struct frames range;
	uint8_t *map;
	size_t bytes;
	int rc;

	if (t->pad || t->nr > VRAM_MAX_FRAMES)
		return -EINVAL;
	if (!t->nr) {
		vram_track_stop(c->d);
		return 0;
	}
	bytes = DIV_ROUND_UP(t->nr, 8U);
	if (!extra || extra->size < bytes ||
	    !frames_make(t->first_pfn, t->nr, p2m_gfn_limit(), &range))
		return -EINVAL;
	map = xzalloc_bytes(bytes);
	if (!map)
		return -ENOMEM;
	do
		rc = vram_track(c->d, &range, map);
	while (rc == -ERESTART && !hypercall_preempt());
	if (!rc && copy_to_guest_la(guest_handle_la(extra->h), map, bytes))
		rc = -EFAULT;
	xfree(map);
	return rc;
}

static int modified_extent(struct domain *d, uint64_t la)
{
	struct xen_dm_op_modified_memory_extent e;
	struct frames range;

	if (copy_from_guest_la(&e, la, sizeof(e)))
		return -EFAULT;
	if (e.pad || e.nr > VRAM_MAX_FRAMES ||
	    !frames_make(e.first_pfn, e.nr, p2m_gfn_limit(), &range))
		return -EINVAL;
	spin_lock(&d->p2m.lock);
	logdirty_mark_range(d, &range);
	spin_unlock(&d->p2m.lock);
	return 0;
}

long op_modified_memory(struct call *c)
{
	struct xen_dm_op_modified_memory *m = c->arg;
	const struct xen_dm_op_buf *extra = c->extra;
	const size_t size = sizeof(struct xen_dm_op_modified_memory_extent);
	int rc = 0;

	if (!extra || m->opaque > m->nr_extents || (uint64_t)m->nr_extents * size > extra->size)
		return -EINVAL;
	for (unsigned int done = 1; m->opaque < m->nr_extents && !rc; done++) {
		rc = modified_extent(c->d, guest_handle_la(extra->h) + m->opaque * size);
		m->opaque += !rc;
		if (!rc && !(done % EXTENT_BATCH) && hypercall_preempt())
			rc = -ERESTART;
	}
	return rc;
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

/*
 * Frames of RAM change between writable and read-only; holes may be named device-model ranges. *f begins with the
 * frames that have been looked at: those of one type.
 */
static int set_types(struct domain *d, struct frames *f, enum p2m_type to)
{
	enum p2m_type now = p2m_get(d, _gfn(f->first)).type;
	uint64_t n = 1;

	while (n < f->nr && p2m_get(d, _gfn(f->first + n)).type == now)
		n++;
	*f = frames_part(f, 0, n);
	if (to == P2M_MMIO_DM)
		return p2m_has_page(now) ? -EINVAL : 0;
	if (!p2m_is_ram(now))
		return now == P2M_INVALID || now == P2M_MMIO_DM ? 0 : -EINVAL;
	/* What is logged may be written. */
	if (now == to || (now == P2M_RAM_LOGDIRTY && to == P2M_RAM_RW))
		return 0;
	return p2m_change_range(d, f, now, to, NULL);
}

long op_set_mem_type(struct call *c)
{
	struct xen_dm_op_set_mem_type *t = c->arg;
	enum p2m_type to;
	struct frames all;
	int rc = type_of(t->mem_type, &to);

	if (rc || t->pad || !frames_make(t->first_pfn, t->nr, p2m_gfn_limit(), &all))
		return -EINVAL;
	for (uint64_t done = 0; done < all.nr && !rc;) {
		struct frames f = frames_part(&all, done, TYPE_BATCH);

		rc = set_types(c->d, &f, to);
		done += rc ? 0 : f.nr;
		t->first_pfn = all.first + done;
		t->nr = (uint32_t)(all.nr - done);
		if (!rc && t->nr && hypercall_preempt())
			rc = -ERESTART;
	}
	return rc;
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

long op_relocate_memory(struct call *c)
{
	struct xen_dm_op_relocate_memory *r = c->arg;
	struct frames src, dst;
	int rc = 0;

	if (!frames_make(r->src_gfn, r->size, p2m_gfn_limit(), &src) ||
	    !frames_make(r->dst_gfn, r->size, p2m_gfn_limit(), &dst))
		return -EINVAL;
	for (uint64_t i = 0; i < src.nr && !rc; i++) {
		if (i && !(i % MOVE_BATCH) && hypercall_preempt())
			return -ERESTART;
		rc = move_frame(c->d, _gfn(src.first + i), _gfn(dst.first + i));
		if (rc)
			break;
		r->size--;
		r->src_gfn++;
		r->dst_gfn++;
	}
	return rc;
}

/*
 * All guest memory is write-back; the guest's PAT and MTRRs choose below it. So a wish is looked at, and no more is
 * done about it.
 */
long op_pin_memory_cacheattr(struct call *c)
{
	static const uint32_t known =
		BIT(XEN_DMOP_MEM_CACHEATTR_UC) | BIT(XEN_DMOP_MEM_CACHEATTR_WC) |
		BIT(XEN_DMOP_MEM_CACHEATTR_WT) | BIT(XEN_DMOP_MEM_CACHEATTR_WP) |
		BIT(XEN_DMOP_MEM_CACHEATTR_WB) | BIT(XEN_DMOP_MEM_CACHEATTR_UCM);
	const struct xen_dm_op_pin_memory_cacheattr *p = c->arg;
	struct frames range;

	if (p->pad || !frames_make_to(p->start, p->end, p2m_gfn_limit(), &range))
		return -EINVAL;
	return p->type == XEN_DMOP_DELETE_MEM_CACHEATTR || (p->type < 32 && known >> p->type & 1)
		       ? 0
		       : -EINVAL;
}
