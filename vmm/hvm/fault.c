// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Nested page faults that memory management resolves by itself: spurious ones, log-dirty,
 * populate on demand, code in large pages, and dom0's device memory, which is mapped one to one the first time it is touched.
 */
#include "debug.h"
#include "domain.h"
#include "internal.h"
#include "paging.h"

COUNTER(code_pages_split);

/*
 * First write since the page was last cleaned, where hardware does not note it. Noted last: whoever cleans it in between
 * would take a note of what has not been written yet, and the writes to come would be seen by nobody.
 */
static bool logdirty_fault(struct domain *d, gfn_t gfn)
{
	bool writable = p2m_change_type(d, gfn, P2M_RAM_LOGDIRTY, P2M_RAM_RW) == 0 ||
			p2m_get(d, gfn).type == P2M_RAM_RW;

	spin_lock(&d->p2m.lock);
	logdirty_mark(d, gfn, 0);
	spin_unlock(&d->p2m.lock);
	return writable;
}

/* The access is allowed by what the tables say now: another CPU was quicker, or a stale TLB entry. */
static bool is_spurious(const struct p2m_entry *e, const struct npt_fault *f)
{
	if (!p2m_has_page(e->type) && e->type != P2M_MMIO_DIRECT)
		return false;
	if (e->access == P2M_ACCESS_N)
		return false;
	if (f->write && !p2m_entry_is_writable(e) &&
	    !(e->type == P2M_MMIO_DIRECT && p2m_access_writes(e->access)))
		return false;
	if (f->fetch &&
	    (!p2m_is_ram(e->type) || e->access == P2M_ACCESS_RW || e->access == P2M_ACCESS_R))
		return false;
	return true;
}

/* A fetch from memory that only small pages let through (struct p2m_format). */
static void split_code(struct domain *d, gfn_t gfn)
{
	counter_inc(code_pages_split);
	if (p2m_split_code(d, gfn))
		domain_crash(d, "no memory for tables of small pages of code");
}

bool p2m_fault(struct vcpu *v, struct npt_fault *f)
{
	struct domain *d = v->domain;
	gfn_t gfn = gpa_to_gfn(f->gpa);
	struct p2m_entry e = p2m_get(d, gfn);

	f->type = e.type;
	if (e.type == P2M_INVALID)
		return d->p2m.hooks && d->p2m.hooks->fill_hole(d, gfn);
	if (e.type == P2M_POD) {
		if (pod_populate(d, gfn) == -ENOMEM)
			domain_crash(
				d,
				"no memory to populate guest-physical %lx on demand: %lu pages "
				"of %lu, none of them zero",
				f->gpa.v, READ_ONCE(d->tot_pages), READ_ONCE(d->max_pages));
		return true;
	}
	if (e.type == P2M_RAM_LOGDIRTY && f->write && !d->p2m.fmt->dirty)
		return logdirty_fault(d, gfn);
	if (!is_spurious(&e, f))
		return false;
	if (f->fetch && e.order && d->p2m.fmt->small_code && !d->is_dom0)
		split_code(d, gfn);
	else
		hvm_ops->flush_vcpu(v);
	return true;
}

/*
 * A write to a page table, or one of the kernel's that CR0.WP allows. One of an event's delivery is not by the instruction at
 * RIP: the event goes in again.
 */
static void emulate_write(struct vcpu *v, const struct npt_fault *f)
{
	gfn_t gfn = gpa_to_gfn(f->gpa);

	if (f->table_walk) {
		if (!paging_give_up_for(v, gfn))
			domain_crash(
				v->domain,
				"vCPU %u at %lx: an event's delivery writes to frame %lx, which its "
				"page tables need",
				v->id, v->regs.rip, gfn.v);
	} else if (!hvm_emulate_try(v) && !paging_give_up_for(v, gfn)) {
		hvm_emulate(v, NULL, 0); /* ends the domain, with the instruction's bytes */
	}
}

void hvm_exit_page_fault(struct vcpu *v, uint64_t la, uint32_t pfec, bool delivering)
{
	struct paging_fault f = { .la = la, .pfec = pfec, .npt.table_walk = delivering };

	switch (v->domain->paging->fault(v, &f)) {
	case PAGING_AGAIN:
		break;
	case PAGING_INJECT:
		hvm_inject_page_fault(v, f.pfec, la);
		break;
	case PAGING_MEMORY:
		if (!p2m_fault(v, &f.npt))
			hvm_exit_mmio(v, &f.npt);
		break;
	case PAGING_EMULATE:
		emulate_write(v, &f.npt);
		break;
	case PAGING_STUCK:
		domain_crash(v->domain, "vCPU %u at %lx: %s", v->id, v->regs.rip, f.why);
		break;
	}
}
