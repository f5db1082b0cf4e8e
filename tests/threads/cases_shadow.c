/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two vCPUs on shadow page tables change their page tables and run on them, while dom0's changes the physical map. A
 * vCPU's access is one step, which no call of another CPU interrupts: what it finds in the shadow tables it may still use.
 */
#include "threads.h"
#include "hvm_ops.h"
#include "vmm/hvm/internal.h"
#include "tests/paging/model.h"
#include <xen/domctl.h>

#define S	4U /* its id */
#define TABLES	12U
#define FRAMES	24U
#define STEPS	400U
#define CHANGES 60U
#define POOL	128U

struct model model; /* for tests/paging/audit.c */

static uint64_t some_entry(void)
{
	uint64_t e = (uint64_t)any(any(4) ? TABLES : FRAMES) << PAGE_SHIFT | SH_U | SH_A;

	return e | (any(16) ? SH_P : 0) | (any(8) ? SH_W : 0) | (any(2) ? SH_D : 0);
}

static uint64_t some_address(void)
{
	uint64_t la = 0;

	for (unsigned int level = 1; level <= 4; level++)
		la |= (uint64_t)any(2) << (PAGE_SHIFT + 9 * (level - 1));
	return la | any(2) * sizeof(uint64_t);
}

static void give_frame(struct domain *d, gfn_t gfn)
{
	struct page *pg = alloc_domain_pages(d, 0);
	uint64_t *at;

	if (!pg)
		return;
	at = page_to_virt(pg);
	at[0] = some_entry();
	at[1] = some_entry();
	if (p2m_set(d, gfn, page_to_mfn(pg), 0, P2M_RAM_RW, P2M_ACCESS_RWX))
		page_drop_claim(pg);
}

static void take_frame(struct domain *d, gfn_t gfn)
{
	struct p2m_entry old;
	unsigned int taken;

	if (!p2m_take_list(d, &gfn, 1, NULL, &old, &taken) && p2m_is_ram(old.type))
		page_drop_claim(mfn_to_page(old.mfn));
}

static bool changes_map(struct vcpu *v, unsigned int n)
{
	struct domain *d = dom(S);
	gfn_t gfn = _gfn(any(FRAMES));

	(void)v;
	switch (any(4)) {
	case 0:
		take_frame(d, gfn);
		break;
	case 1:
		p2m_change_type(d, gfn, P2M_RAM_RW, P2M_RAM_LOGDIRTY);
		break;
	case 2:
		p2m_change_type(d, gfn, P2M_RAM_LOGDIRTY, P2M_RAM_RW);
		break;
	default:
		if (p2m_get(d, gfn).type == P2M_INVALID)
			give_frame(d, gfn);
		break;
	}
	return n < CHANGES;
}

/* Where the shadow tables lead to; NULL: not there, or not with these rights. */
static uint64_t *hardware(const struct vcpu *v, uint64_t la, bool write)
{
	uint64_t *table = maddr_to_virt(_maddr(READ_ONCE(v->hw->cr3)));

	for (unsigned int level = 4; level; level--) {
		uint64_t entry = READ_ONCE(table[sh_index(la, level)]);

		if (!(entry & SH_P) || (write && !(entry & SH_W)))
			return NULL;
		table = maddr_to_virt(_maddr(entry & SH_ADDR));
	}
	return &table[(la & ~PAGE_MASK) / sizeof(*table)];
}

static void emulate(struct vcpu *v, const struct npt_fault *f, uint64_t value)
{
	struct page *pg = p2m_get_page(v->domain, gpa_to_gfn(f->gpa), true, NULL);
	uint64_t *at;

	if (!pg)
		return;
	at = (uint64_t *)(void *)((uint8_t *)page_to_virt(pg) + (f->gpa.v & ~PAGE_MASK));
	WRITE_ONCE(*at, value);
	paging_guest_wrote(v->domain, gpa_to_gfn(f->gpa), f->gpa.v & ~PAGE_MASK, 8);
	page_put(pg);
}

static void access_at(struct vcpu *v, uint64_t la, bool write)
{
	struct paging_fault f = { .la = la, .pfec = write ? PFEC_W : 0 };
	uint64_t *at = hardware(v, la, write);

	if (at && write)
		WRITE_ONCE(*at, some_entry());
	else if (at)
		(void)READ_ONCE(*at);
	if (at)
		return;
	switch (v->domain->paging->fault(v, &f)) {
	case PAGING_MEMORY:
		p2m_fault(v, &f.npt);
		break;
	case PAGING_EMULATE:
		emulate(v, &f.npt, some_entry());
		break;
	case PAGING_STUCK:
		panic("a vCPU is stuck: %s", f.why);
	default:
		break;
	}
}

static bool runs(struct vcpu *v, unsigned int n)
{
	if (!n || !any(40)) {
		v->cr0 = X86_CR0_PE | X86_CR0_PG | X86_CR0_WP | X86_CR0_ET;
		v->cr4 = X86_CR4_PAE;
		v->efer = X86_EFER_LME | X86_EFER_LMA;
		hvm_set_cr3(v, (uint64_t)any(3) << PAGE_SHIFT);
		return true; /* what the state is carried to is served before the next entry */
	}
	access_at(v, some_address(), any(2));
	return n < STEPS;
}

static void start(void)
{
	struct xen_domctl_createdomain cfg = machine_config(2, XEN_X86_EMU_LAPIC);
	struct domain *d;
	int err;

	cfg.flags &= ~XEN_DOMCTL_CDF_hap;
	d = domain_create(S, &cfg, false, &err);
	BUG_ON(!d);
	d->max_pages = FRAMES;
	for (unsigned int i = 0; i < 2; i++) {
		BUG_ON(vcpu_create(d, i));
		hvm_vcpu_set_flat32(d->vcpu[i], 0, 0);
		d->vcpu[i]->pause_flags = 0;
	}
	while (paging_pool_set(d, POOL) == -ERESTART)
		;
	for (uint64_t g = 0; g < FRAMES; g++)
		give_frame(d, _gfn(g));
	d->tool_pauses = 0;
	d->creation_finished = true;
	domain_unpause(d);
	model.d = d;
}

RACE(shadow_tables, 30)
{
	start();
	RACE_ACTS({ 0, 0, 0, changes_map, false }, { S, 0, 1, runs, false },
		  { S, 1, 2, runs, false });
	model_audit();
}
