// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Guests on CPUs without "unrestricted guest", which enter a guest only with CR0.PE and CR0.PG set (SDM
 * volume 3, 23.8). Protected mode without paging runs on an identity map: a page directory of 4 MiB pages
 * that lies, read-only, at a guest-physical address behind all memory. Real mode is interpreted.
 */
#include "vmx.h"

#define PDE_IDENTITY 0xe7ULL /* present, writable, user, accessed, dirty, 4 MiB */
#define PDE_4M	     (4UL << 20)

/* The last frame that a 36-bit CPU (the smallest that has EPT) can name. */
static gfn_t ident_gfn(void)
{
	return _gfn((BIT(36) >> PAGE_SHIFT) - 1);
}

int vmx_restricted_init(struct domain *d)
{
	struct vmx_domain *vd = d->vendor;
	uint32_t *pd = alloc_page_virt();
	int rc;

	if (!pd)
		return -ENOMEM;
	for (unsigned int i = 0; i < 1024; i++)
		pd[i] = (uint32_t)(i * PDE_4M | PDE_IDENTITY);
	vd->ident_page = pd;
	vd->ident_root = gfn_to_gpa(ident_gfn());
	rc = p2m_set(d, ident_gfn(), virt_to_mfn(pd), 0, P2M_RAM_RO, P2M_ACCESS_R);
	return rc;
}

void vmx_restricted_fini(struct domain *d)
{
	struct vmx_domain *vd = d->vendor;

	if (vd->ident_page)
		free_page_virt(vd->ident_page);
}

/* SDM 6.4: external interrupts and exceptions through the interrupt vector table. */
static void deliver_event(struct vcpu *v)
{
	(void)v;
}

bool vmx_interpret(struct vcpu *v)
{
	if (likely(v->cr0 & X86_CR0_PE))
		return false;
	deliver_event(v);
	hvm_emulate(v, NULL, 0);
	return true;
}
