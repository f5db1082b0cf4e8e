// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the processor is told in shadow mode: control registers, and the root of its tables. It always runs with
 * paging, of four levels for guests in long mode and of PAE's three for all others, so that segmentation, gates and
 * frames are those of the guest's mode. APM volume 2, 15.19 (paging in real mode), 5.4; SDM volume 3, 4.4.
 *
 * Roots are looked up here and made by the first fault.
 */
#include "shadow.h"

#define NO_PAGING_CR4 (X86_CR4_SMEP | X86_CR4_SMAP)
#define NO_SHADOW_CR4 (X86_CR4_PCIDE | X86_CR4_PKE | X86_CR4_PGE)

/* CR3 of PAE paging has 32 bits. The image lies below 4 GiB, so these do: one for each vCPU on shadow tables. */
#define NR_PDPTS 1024U
static uint64_t pdpts[NR_PDPTS][SH_ROOTS] __aligned(32);
static bool pdpt_used[NR_PDPTS];

static bool is_long(const struct vcpu *v)
{
	return v->efer & X86_EFER_LMA;
}

union sh_role sh_role_of(const struct vcpu *v)
{
	bool wide = v->cr4 & X86_CR4_PAE;

	if (!(v->cr0 & X86_CR0_PG))
		return (union sh_role){ .direct = 1 };
	return (union sh_role){ .wide = wide,
				.pae = wide && !is_long(v),
				.nxe = wide && (v->efer & X86_EFER_NX),
				.cache = (uint16_t)(sh_pat_number(v->domain->sh, v->hvm.pat) & 7) };
}

bool sh_root_key(struct vcpu *v, unsigned int k, uint64_t pdpte, gfn_t *gfn, union sh_role *role)
{
	const struct guest_paging g = { .wide = true, .pae = true };
	uint64_t at = v->cr3 & SH_ADDR;

	*role = sh_role_of(v);
	role->level = is_long(v) ? 4 : 2;
	if (role->direct) {
		at = (uint64_t)k << 30;
	} else if (role->pae) {
		if (!(pdpte & SH_P) || guest_entry_reserved(&g, 3, pdpte))
			return false;
		at = pdpte & SH_ADDR;
	} else if (!role->wide) {
		at &= 0xfffff000;
		role->quadrant = k & 3;
		role->pse = !!(v->cr4 & X86_CR4_PSE);
	}
	*gfn = _gfn(at >> PAGE_SHIFT);
	return true;
}

void sh_root_set(struct vcpu *v, unsigned int k, struct sh_page *p)
{
	struct sh_vcpu *sv = v->sh;
	struct sh_page *old = sv->root[k];
	uint64_t entry = p ? sh_maddr(p).v : virt_to_maddr(v->domain->sh->blank).v;

	if (p)
		p->users++;
	if (old)
		old->users--;
	sv->root[k] = p;
	if (is_long(v))
		WRITE_ONCE(sv->hw.cr3, entry);
	else
		WRITE_ONCE(sv->pdpt[k], p ? entry | SH_P : 0);
}

void sh_root_forget(struct sh_domain *s, struct sh_page *p)
{
	struct vcpu *v;

	for_each_vcpu(s->d, v) {
		for (unsigned int k = 0; k < SH_ROOTS; k++) {
			if (v->sh->root[k] != p)
				continue;
			v->sh->root[k] = NULL;
			p->users--;
			__atomic_fetch_or(&v->attention, VCPU_ATT_ROOT, __ATOMIC_SEQ_CST);
		}
	}
}

static void find_roots(struct vcpu *v)
{
	struct sh_domain *s = v->domain->sh;
	uint64_t pdpte[SH_ROOTS] = { 0 };
	union sh_role role = sh_role_of(v);
	gfn_t gfn;

	if (role.pae && guest_phys_read(s->d, _gpa(v->cr3 & 0xffffffe0), pdpte, sizeof(pdpte)))
		memset(pdpte, 0, sizeof(pdpte));
	for (unsigned int k = 0; k < (is_long(v) ? 1U : SH_ROOTS); k++)
		sh_root_set(v, k,
			    sh_root_key(v, k, pdpte[k], &gfn, &role) ? sh_page_find(s, gfn, role)
								     : NULL);
}

/* Not the roots that it had: those are given up before the new mode's are set. */
static void set_registers(const struct vcpu *v, struct control_regs *hw, uint64_t pdpt)
{
	hw->cr0 = v->cr0 | X86_CR0_PG | X86_CR0_WP | X86_CR0_ET;
	hw->cr4 = (v->cr4 & ~NO_SHADOW_CR4) | X86_CR4_PAE;
	if (!(v->cr0 & X86_CR0_PG))
		hw->cr4 &= ~NO_PAGING_CR4;
	hw->efer = (v->efer & ~(X86_EFER_LME | X86_EFER_LMA)) | X86_EFER_NX;
	if (is_long(v))
		hw->efer |= X86_EFER_LME | X86_EFER_LMA;
	else
		hw->cr3 = pdpt;
}

void sh_hw_state(struct vcpu *v)
{
	struct sh_domain *s = v->domain->sh;
	struct sh_vcpu *sv = v->sh;

	spin_lock(&s->lock);
	for (unsigned int k = 0; k < SH_ROOTS; k++) {
		if (sv->root[k])
			sv->root[k]->users--;
		sv->root[k] = NULL;
	}
	set_registers(v, &sv->hw, virt_to_maddr(sv->pdpt).v);
	find_roots(v);
	spin_unlock(&s->lock);
}

const struct paging_mode paging_shadow = {
	.p2m_format = &sh_p2m_format,
	.fault = sh_fault,
	.hw_state = sh_hw_state,
	.p2m_changed = sh_p2m_changed,
	.guest_wrote = sh_guest_wrote,
};

/* Of a vCPU on shadow tables; NULL: all are taken. */
static uint64_t *pdpt_get(void)
{
	for (unsigned int i = 0; i < NR_PDPTS; i++)
		if (!__atomic_exchange_n(&pdpt_used[i], true, __ATOMIC_ACQ_REL))
			return pdpts[i];
	return NULL;
}

int sh_vcpu_init(struct vcpu *v)
{
	struct sh_vcpu *sv = xzalloc(struct sh_vcpu);

	if (!sv)
		return -ENOMEM;
	sv->pdpt = pdpt_get();
	if (!sv->pdpt) {
		printk(LOG_WARN "d%uv%u: %u vCPUs have shadow tables already\n", v->domain->domid,
		       v->id, NR_PDPTS);
		xfree(sv);
		return -ENOMEM;
	}
	memset(sv->pdpt, 0, sizeof(pdpts[0]));
	v->sh = sv;
	v->hw = &sv->hw;
	return 0;
}

void sh_vcpu_fini(struct vcpu *v)
{
	if (!v->sh)
		return;
	__atomic_store_n(&pdpt_used[(v->sh->pdpt - pdpts[0]) / SH_ROOTS], false, __ATOMIC_RELEASE);
	xfree(v->sh);
	v->sh = NULL;
}

int sh_domain_init(struct domain *d)
{
	struct sh_domain *s = xzalloc(struct sh_domain);

	if (!s)
		return -ENOMEM;
	s->d = d;
	s->multiplier = __builtin_ia32_rdtsc() * 0x9e3779b97f4a7c15ULL | 1;
	spin_lock_init(&s->lock, LOCK_SHADOW, "shadow");
	list_init(&s->used);
	list_init(&s->free);
	list_init(&s->pending);
	list_init(&s->dying);
	d->sh = s;
	s->blank = alloc_page_virt();
	s->frames = alloc_page_virt();
	return s->blank && s->frames ? 0 : -ENOMEM;
}

void sh_domain_fini(struct domain *d)
{
	struct sh_domain *s = d->sh;

	if (!s)
		return;
	if (s->blank)
		free_page_virt(s->blank);
	if (s->frames)
		free_page_virt(s->frames);
	xfree(s);
	d->sh = NULL;
}
