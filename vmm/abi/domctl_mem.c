/* SPDX-License-Identifier: GPL-2.0-or-later */
/* domctl, the part about memory: limits, frame types, log-dirty (shadow_op), page-table pool. */
#include "handlers.h"
#include <xen/domctl.h>

#define FRAMES_PER_CALL 1024U
#define BITMAP_BYTES	4096U

static long op_max_mem(struct domain *d, uint64_t kib)
{
	spin_lock(&d->page_lock);
	d->max_pages = kib >> (PAGE_SHIFT - 10);
	spin_unlock(&d->page_lock);
	p2m_allow_pages(&d->p2m, kib >> (PAGE_SHIFT - 10));
	return 0;
}

/* The type of each frame, as saving tools want it; no page tables to be pinned here. */
static long op_getpageframeinfo(struct domain *d, struct xen_domctl_getpageframeinfo3 *f)
{
	xen_pfn_t gfn;

	if (f->num > FRAMES_PER_CALL)
		return -E2BIG;
	for (uint64_t i = 0; i < f->num; i++) {
		enum p2m_type t;

		if (copy_from_guest_offset(&gfn, f->array, i, 1))
			return -EFAULT;
		t = p2m_get(d, _gfn(gfn)).type;
		gfn = p2m_is_ram(t)	    ? XEN_DOMCTL_PFINFO_NOTAB
		      : t == P2M_RAM_BROKEN ? XEN_DOMCTL_PFINFO_BROKEN
					    : XEN_DOMCTL_PFINFO_XTAB;
		if (copy_to_guest_offset(f->array, i, &gfn, 1))
			return -EFAULT;
	}
	return 0;
}

/* A piece at a time: 32 Ki frames. The domain is paused while its bits are taken. */
static long dirty_bitmap(struct domain *d, struct xen_domctl_shadow_op *s, bool clean)
{
	uint64_t first, nr, count, dirty = 0, end = d->p2m.max_gfn + 1;
	uint8_t *buf;
	long rc = 0;

	if (!d->p2m.logdirty)
		return -EINVAL;
	buf = xzalloc_bytes(BITMAP_BYTES);
	if (!buf)
		return -ENOMEM;
	domain_pause(d);
	end = min(end, s->pages);
	for (first = 0; first < end && !rc; first += BITMAP_BYTES * 8) {
		nr = min(end - first, (uint64_t)BITMAP_BYTES * 8);
		memset(buf, 0, BITMAP_BYTES);
		count = 0;
		rc = logdirty_read(d, _gfn(first), nr, buf, clean, &count);
		dirty += count;
		if (!rc && !guest_handle_is_null(s->dirty_bitmap) &&
		    copy_to_guest_la(guest_handle_la(s->dirty_bitmap) + first / 8, buf,
				     DIV_ROUND_UP(nr, 8)))
			rc = -EFAULT;
	}
	domain_unpause(d);
	xfree(buf);
	s->pages = end;
	s->stats.dirty_count = (uint32_t)dirty;
	s->stats.fault_count = 0;
	return rc;
}

static long op_shadow(struct domain *d, struct xen_domctl_shadow_op *s)
{
	if (d == current_domain())
		return -EINVAL;
	switch (s->op) {
	case XEN_DOMCTL_SHADOW_OP_OFF:
		if (d->p2m.logdirty) {
			domain_pause(d);
			logdirty_disable(d);
			domain_unpause(d);
		}
		return 0;
	case XEN_DOMCTL_SHADOW_OP_ENABLE:
		if (s->mode & ~XEN_DOMCTL_SHADOW_ENABLE_LOG_DIRTY)
			return -EINVAL;
		if (!s->mode)
			return 0;
		return logdirty_enable(d);
	case XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY:
		return d->p2m.logdirty ? -EINVAL : logdirty_enable(d);
	case XEN_DOMCTL_SHADOW_OP_CLEAN:
	case XEN_DOMCTL_SHADOW_OP_PEEK:
		return dirty_bitmap(d, s, s->op == XEN_DOMCTL_SHADOW_OP_CLEAN);
	case XEN_DOMCTL_SHADOW_OP_GET_ALLOCATION:
		s->mb = d->paging_pool_mib;
		return 0;
	case XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION:
		d->paging_pool_mib = s->mb;
		return 0;
	default:
		return -EINVAL;
	}
}

/* Page tables come from the VMM's memory: the size is remembered for the tools. */
static long op_mempool(struct domain *d, struct xen_domctl_paging_mempool *m, bool set)
{
	if (!set) {
		m->size = domain_priv(d)->mempool_bytes;
		return 0;
	}
	if (m->size & ~PAGE_MASK)
		return -EINVAL;
	domain_priv(d)->mempool_bytes = m->size;
	d->paging_pool_mib = (uint32_t)(m->size >> 20);
	return 0;
}

static long op_hypercall_init(struct domain *d, uint64_t gfn)
{
	struct page *p = p2m_get_page(d, _gfn(gfn), true, NULL);

	if (!p)
		return -EACCES;
	hypercall_page_fill(d, page_to_virt(p));
	page_put(p);
	return 0;
}

long domctl_mem(struct vcpu *v, struct domain *d, struct xen_domctl *op, bool *copyback)
{
	(void)v;
	switch (op->cmd) {
	case XEN_DOMCTL_max_mem:
		return op_max_mem(d, op->u.max_mem.max_memkb);
	case XEN_DOMCTL_getpageframeinfo3:
		return op_getpageframeinfo(d, &op->u.getpageframeinfo3);
	case XEN_DOMCTL_shadow_op:
		*copyback = true;
		return op_shadow(d, &op->u.shadow_op);
	case XEN_DOMCTL_get_paging_mempool_size:
		*copyback = true;
		return op_mempool(d, &op->u.paging_mempool, false);
	case XEN_DOMCTL_set_paging_mempool_size:
		return op_mempool(d, &op->u.paging_mempool, true);
	case XEN_DOMCTL_hypercall_init:
		return op_hypercall_init(d, op->u.hypercall_init.gmfn);
	case XEN_DOMCTL_iomem_permission:
	case XEN_DOMCTL_ioport_permission:
	case XEN_DOMCTL_irq_permission:
		return -EOPNOTSUPP; /* there is no pass-through */
	case XEN_DOMCTL_cacheflush:
		return 0;
	default:
		return -ENOSYS;
	}
}
