/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * domctl, the part about memory and saved state: limits, frame types, log-dirty (shadow_op), page-table pool; the records
 * of hvm/save.c in and out.
 */
#include "domctl.h"
#include "hvm_context.h"
#include "paging.h"
#include "physmap.h"
#include "save.h"

#define CONTEXT_MAX	(1U << 20)
#define FRAMES_PER_CALL 1024U
#define FRAMES_BATCH	64U

long op_max_mem(struct call *c)
{
	const struct xen_domctl_max_mem *m = c->arg;
	uint64_t pages = m->max_memkb >> (PAGE_SHIFT - 10);
	long rc = refuse_less_for_dom0(c->d, pages);

	if (rc)
		return rc;
	spin_lock(&c->d->page_lock);
	WRITE_ONCE(c->d->max_pages, pages);
	spin_unlock(&c->d->page_lock);
	p2m_allow_pages(&c->d->p2m, pages);
	return 0;
}

/*
 * What is not the domain's own memory is not there, for tools that save it: holes, others' pages, and the VMM's, which a
 * restored domain gets anew. *hole: what was found last, as most of an address space is one.
 */
static xen_pfn_t frame_info(struct domain *d, xen_pfn_t gfn, struct frames *hole)
{
	struct p2m_entry e;

	if (gfn - hole->first < hole->nr)
		return XEN_DOMCTL_PFINFO_XTAB;
	e = p2m_get(d, _gfn(gfn));
	if (e.type == P2M_INVALID)
		*hole = (struct frames){ gfn & ~(BIT(e.order) - 1), BIT(e.order) };
	if (e.type == P2M_RAM_BROKEN)
		return XEN_DOMCTL_PFINFO_BROKEN;
	return physmap_is_own_ram(d, &e) ? XEN_DOMCTL_PFINFO_NOTAB : XEN_DOMCTL_PFINFO_XTAB;
}

/* The type of each frame, as saving tools want it; no page tables to be pinned here. */
long op_getpageframeinfo3(struct call *c)
{
	struct xen_domctl_getpageframeinfo3 *f = c->arg;
	xen_pfn_t gfn[FRAMES_BATCH];
	struct frames all;

	if (!frames_make(0, f->num, FRAMES_PER_CALL, &all))
		return -E2BIG;
	for (uint64_t done = 0; done < all.nr; done += FRAMES_BATCH) {
		struct frames part = frames_part(&all, done, FRAMES_BATCH), hole = { 0, 0 };

		if (copy_from_guest_offset(gfn, f->array, part.first, part.nr))
			return -EFAULT;
		for (uint64_t i = 0; i < part.nr; i++)
			gfn[i] = frame_info(c->d, gfn[i], &hole);
		if (copy_to_guest_offset(f->array, part.first, gfn, part.nr))
			return -EFAULT;
	}
	return 0;
}

/* A bit for each frame, up to a page of them. */
#define BITS_PER_PAGE (PAGE_SIZE * 8)
static const uint8_t no_bits[PAGE_SIZE];

static long give_bits(const struct xen_domctl_shadow_op *s, const struct frames *f,
		      const uint8_t *bits)
{
	if (guest_handle_is_null(s->dirty_bitmap))
		return 0;
	return copy_to_guest_la(guest_handle_la(s->dirty_bitmap) + f->first / 8, bits,
				DIV_ROUND_UP(f->nr, 8))
		       ? -EFAULT
		       : 0;
}

/* The log of some frames goes to the caller's bitmap. */
static long dirty_piece(struct domain *d, const struct xen_domctl_shadow_op *s,
			const struct frames *f, bool clean)
{
	uint8_t bits[P2M_PIECE / 8];
	uint64_t count;
	long rc = logdirty_read(d, f, bits, clean, &count);

	d->p2m.look.dirty += count;
	return rc ? rc : give_bits(s, f, bits);
}

/* Of most frames there is nothing to tell: *f begins with those, if it returns true. */
static bool nothing_there(struct domain *d, struct frames *f)
{
	uint64_t n = logdirty_nothing(d, f);

	f->nr = n ? n : min(f->nr, (uint64_t)paging_change_piece(d));
	return n;
}

/* In pieces, from where the last call of this kind has stopped; the domain is paused while its bits are taken. */
static long dirty_pieces(struct domain *d, const struct xen_domctl_shadow_op *s,
			 const struct frames *all, bool clean)
{
	uint64_t *next = &d->p2m.look.next;
	long rc = 0;

	domain_pause(d);
	while (*next < all->nr && !rc) {
		struct frames f = frames_part(all, *next, BITS_PER_PAGE);

		rc = nothing_there(d, &f) ? give_bits(s, &f, no_bits)
					  : dirty_piece(d, s, &f, clean);
		*next += f.nr;
		if (!rc && *next < all->nr && hypercall_preempt())
			rc = -ERESTART;
	}
	domain_unpause(d);
	return rc;
}

/* The look is not gone on with. What it took out of the log if it cleaned, the next one must find. */
static void look_drop(struct p2m *p)
{
	struct frames lost = p->look.lost;

	if (p->look.cleans && p->look.next)
		lost = (struct frames){ 0, p->look.next };
	memset(&p->look, 0, sizeof(p->look));
	p->look.lost = lost;
}

/*
 * Goes on with the look at the log that `who` has begun, at the frames that there were then, or begins one. False: another
 * one's goes on.
 */
static bool look_begin(struct p2m *p, const struct asker *who, uint64_t asked, bool clean)
{
	bool same = asker_is(&p->look.of, who);

	if (!same && asker_may_come(&p->look.of, who->seen_ns))
		return false;
	if (!same || p->look.asked != asked) {
		look_drop(p);
		p->look.asked = asked;
		p->look.cleans = clean;
		p->look.frames = min(p->max_gfn + 1, asked);
	}
	p->look.of = *who;
	return true;
}

/* Who knows which of them were written? All count as written. */
static long give_back(struct domain *d)
{
	struct frames *lost = &d->p2m.look.lost;

	while (lost->nr) {
		struct frames f = frames_part(lost, 0, BITS_PER_PAGE);

		if (!nothing_there(d, &f))
			logdirty_wrote_range(d, &f);
		*lost = (struct frames){ frames_end(&f), lost->nr - f.nr };
		if (lost->nr && hypercall_preempt())
			return -ERESTART;
	}
	return 0;
}

static long dirty_bitmap(struct call *c, struct xen_domctl_shadow_op *s)
{
	struct asker who = call_asker(c, guest_handle_la(s->dirty_bitmap) * 16 + s->op);
	bool clean = s->op == XEN_DOMCTL_SHADOW_OP_CLEAN;
	struct domain *d = c->d;
	struct p2m *p = &d->p2m;
	struct frames all;
	long rc;

	if (!logdirty_is_on(d))
		return -EINVAL;
	if (!look_begin(p, &who, s->pages, clean))
		return -ERESTART;
	rc = give_back(d);
	if (!rc && !frames_make(0, p->look.frames, p2m_gfn_limit(), &all))
		rc = -EINVAL;
	if (!rc)
		rc = dirty_pieces(d, s, &all, clean);
	if (rc && rc != -ERESTART)
		look_drop(p);
	if (rc)
		return rc;
	s->pages = all.nr;
	s->stats.dirty_count = (uint32_t)p->look.dirty;
	s->stats.fault_count = 0;
	p->found.looks += clean;
	p->found.frames += clean ? p->look.dirty : 0;
	memset(&p->look, 0, sizeof(p->look));
	return 0;
}

static long start_log(struct domain *d)
{
	long rc;

	if (d->p2m.recombined != ~0ULL)
		return -EBUSY; /* stop_log() of another call is not through: it would stop this log */
	do
		rc = logdirty_enable(d);
	while (rc == -ERESTART && !hypercall_preempt());
	return rc;
}

/* What was split to be logged is put together again, or a guest that was saved once would be slower for ever. */
static long stop_log(struct domain *d)
{
	uint64_t *next = &d->p2m.recombined;
	long rc;

	if (d->p2m.logdirty) {
		domain_pause(d);
		logdirty_disable(d);
		domain_unpause(d);
		*next = 0;
		printk(LOG_INFO "d%u: its writes were logged: %u looks found %lu frames\n",
		       d->domid, d->p2m.found.looks, d->p2m.found.frames);
		memset(&d->p2m.found, 0, sizeof(d->p2m.found));
		memset(&d->p2m.look, 0, sizeof(d->p2m.look));
	}
	if (*next == ~0ULL)
		return 0;
	do
		rc = p2m_recombine(d, next);
	while (rc == -ERESTART && !hypercall_preempt());
	if (!rc)
		*next = ~0ULL;
	return rc;
}

static long set_pool(struct domain *d, uint64_t pages)
{
	int rc;

	do
		rc = paging_pool_set(d, pages);
	while (rc == -ERESTART && !hypercall_preempt());
	return rc;
}

long op_shadow_op(struct call *c)
{
	struct xen_domctl_shadow_op *s = c->arg;
	struct domain *d = c->d;

	switch (s->op) {
	case XEN_DOMCTL_SHADOW_OP_OFF:
		return stop_log(d);
	case XEN_DOMCTL_SHADOW_OP_ENABLE:
		if (s->mode & ~XEN_DOMCTL_SHADOW_ENABLE_LOG_DIRTY)
			return -EINVAL;
		if (!s->mode)
			return 0;
		return start_log(d);
	case XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY:
		return logdirty_is_on(d) ? -EINVAL : start_log(d);
	case XEN_DOMCTL_SHADOW_OP_CLEAN:
	case XEN_DOMCTL_SHADOW_OP_PEEK:
		return dirty_bitmap(c, s);
	case XEN_DOMCTL_SHADOW_OP_GET_ALLOCATION:
		s->mb = (uint32_t)(paging_pool(d) >> (20 - PAGE_SHIFT));
		return 0;
	case XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION:
		return set_pool(d, (uint64_t)s->mb << (20 - PAGE_SHIFT));
	default:
		return -EINVAL;
	}
}

long op_get_paging_mempool_size(struct call *c)
{
	((struct xen_domctl_paging_mempool *)c->arg)->size = paging_pool(c->d) << PAGE_SHIFT;
	return 0;
}

long op_set_paging_mempool_size(struct call *c)
{
	const struct xen_domctl_paging_mempool *m = c->arg;

	if (m->size & ~PAGE_MASK)
		return -EINVAL;
	return set_pool(c->d, m->size >> PAGE_SHIFT);
}

long op_hypercall_init(struct call *c)
{
	const struct xen_domctl_hypercall_init *h = c->arg;
	struct page *p = p2m_get_page(c->d, _gfn(h->gmfn), true, NULL);

	if (!p)
		return -EACCES;
	hypercall_page_fill(c->d, page_to_virt(p));
	paging_give_up(c->d, _gfn(h->gmfn));
	page_put(p);
	return 0;
}

long op_cacheflush(struct call *c)
{
	const struct xen_domctl_cacheflush *f = c->arg;
	struct frames range;

	return frames_make(f->start_pfn, f->nr_pfns, p2m_gfn_limit(), &range) ? 0 : -EINVAL;
}

/* --- saved state; partial contexts are normal -------------------------------------------------- */

static int save_pieces(struct domain *d, struct hvm_stream *s, uint64_t to, void *rec)
{
	/* An image is being written: the tools let the domain go on where that fails, and destroy it where not. */
	bool check = d->shut_down && d->shutdown_code == SHUTDOWN_suspend;
	int rc = rec ? 0 : -ENOMEM, n = 1;

	while (!rc && n) {
		uint64_t at = s->at;

		n = hvm_save_next(d, s, rec);
		if (n > 0 && check)
			rc = hvm_save_check(d, rec, (size_t)n);
		if (n < 0 && n != -ENOENT)
			rc = n;
		else if (!rc && n > 0 && copy_to_guest_la(to + at, rec, (size_t)n))
			rc = -EFAULT;
		if (!rc && n && hypercall_preempt())
			rc = -ERESTART;
	}
	return rc;
}

long op_gethvmcontext(struct call *c)
{
	struct xen_domctl_hvmcontext *h = c->arg;
	struct asker who = call_asker(c, guest_handle_la(h->buffer));
	struct hvm_stream *s = &c->d->hvm.stream;
	size_t len = (size_t)hvm_save_size(c->d);
	void *rec;
	int rc;

	if (guest_handle_is_null(h->buffer)) {
		h->size = (uint32_t)len;
		return 0;
	}
	if (h->size < len)
		return -ENOSPC;
	rc = hvm_stream_begin(c->d, &who);
	if (rc)
		return rc;
	rec = xzalloc_bytes(HVM_STREAM_ROOM);
	rc = save_pieces(c->d, s, guest_handle_la(h->buffer), rec);
	if (rc != -ERESTART)
		h->size = (uint32_t)s->at;
	xfree(rec);
	return hvm_stream_end(c->d, rc);
}

static int load_pieces(struct domain *d, struct hvm_stream *s,
		       const struct xen_domctl_hvmcontext *h, uint8_t *body, uint8_t *padded)
{
	const uint64_t from = guest_handle_la(h->buffer);
	struct hvm_save_descriptor desc;
	int rc;

	do {
		if (h->size < s->at || h->size - s->at < sizeof(desc))
			return -ENODATA; /* no END */
		if (copy_from_guest_la(&desc, from + s->at, sizeof(desc)))
			return -EFAULT;
		if (desc.length > h->size - s->at - sizeof(desc))
			return -ENODATA;
		if (copy_from_guest_la(body, from + s->at + sizeof(desc),
				       min((size_t)desc.length, hvm_save_record_max())))
			return -EFAULT;
		rc = hvm_load_next(d, s, &desc, body, padded);
		if (!rc && hypercall_preempt())
			rc = -ERESTART;
	} while (!rc);
	return min(rc, 0);
}

long op_sethvmcontext(struct call *c)
{
	const struct xen_domctl_hvmcontext *h = c->arg;
	struct asker who = call_asker(c, guest_handle_la(h->buffer));
	uint8_t *body;
	int rc;

	/* Of a dying domain all timers have been stopped, and none may be set anew. */
	if (!h->size || h->size > CONTEXT_MAX || READ_ONCE(c->d->dying))
		return -EINVAL;
	rc = hvm_stream_begin(c->d, &who);
	if (rc)
		return rc;
	body = xzalloc_bytes(2 * hvm_save_record_max());
	rc = body ? load_pieces(c->d, &c->d->hvm.stream, h, body, body + hvm_save_record_max())
		  : -ENOMEM;
	xfree(body);
	return hvm_stream_end(c->d, rc);
}

long op_gethvmcontext_partial(struct call *c)
{
	struct xen_domctl_hvmcontext_partial *h = c->arg;
	size_t len = min(h->bufsz, (uint64_t)CONTEXT_MAX);
	void *buf = xzalloc_bytes(hvm_save_record_max());
	long rc;

	if (!buf)
		return -ENOMEM;
	rc = hvm_save_one(c->d, h->type, h->instance, buf, &len);
	if (!rc && guest_handle_is_null(h->buffer))
		h->bufsz = len;
	else if (!rc && h->bufsz < len)
		rc = -ENOSPC;
	else if (!rc && copy_to_guest_la(guest_handle_la(h->buffer), buf, len))
		rc = -EFAULT;
	else if (!rc)
		h->bufsz = len;
	xfree(buf);
	return rc;
}
