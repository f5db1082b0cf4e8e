// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Control registers: carrying struct vcpu's into the VMCS, and exits for accesses. The guest
 * changes MP, EM, TS, WP and AM of CR0 by itself; a change of any other bit of CR0 or CR4 exits,
 * reads come from the shadows. SDM volume 3, 23.8 (fixed bits), 25.3 (MOV CR), 26.3.1.1, 26.3.1.6
 * (PDPTEs).
 */
#include "vmx.h"
#include "guest_access.h"

#define PDPTE_P	  BIT(0)
#define CR4_PAGED (X86_CR4_SMEP | X86_CR4_SMAP | X86_CR4_PKE | X86_CR4_PCIDE)

static const enum vmcs_field pdpte_field[4] = { GUEST_PDPTE0, GUEST_PDPTE1, GUEST_PDPTE2,
						GUEST_PDPTE3 };

/* With EPT a MOV to CR0, CR3 or CR4 in the guest loads these; when we do it, we have to. */
static void load_pdptes(struct vcpu *v)
{
	uint64_t pdpte[4];

	if (!hvm_pae_paging(v->cr0, v->cr4, v->efer))
		return;
	/* The move was refused if they are wrong; a record's are made right. */
	hvm_read_pdptes(v, v->cr3, pdpte);
	for (unsigned int i = 0; i < 4; i++)
		vmwrite(pdpte_field[i],
			pdpte[i] & PDPTE_P ? pdpte[i] & ~hvm_pdpte_reserved() : pdpte[i]);
}

/*
 * Without unrestricted guest a guest that has paging off runs on an identity map (realmode.c), and
 * its own CR3 is kept out of the register.
 */
static void write_paging(struct vcpu *v, struct vmx_vcpu *vv, uint64_t *cr4, uint64_t *efer)
{
	const struct vmx_domain *vd = v->domain->vendor;
	bool identity = !vmx_controls.unrestricted && !(v->cr0 & X86_CR0_PG);
	uint32_t cr3_exits = PROC_CR3_LOAD | PROC_CR3_STORE;

	vmwrite(GUEST_CR3, identity ? vd->ident_root.v : v->hw->cr3);
	if (identity) {
		*cr4 = (*cr4 & ~(X86_CR4_PAE | CR4_PAGED)) | X86_CR4_PSE;
		*efer &= ~(X86_EFER_LME | X86_EFER_LMA);
	}
	if (vmx_controls.unrestricted)
		return;
	vv->proc = identity ? vv->proc | cr3_exits : vv->proc & ~(cr3_exits & ~vmx_controls.proc);
	vmwrite(CTL_PROC, vv->proc);
}

void vmx_set_control_registers(struct vcpu *v, struct vmx_vcpu *vv)
{
	const struct vmx_controls *c = &vmx_controls;
	uint64_t cr4 = v->hw->cr4, efer = v->hw->efer;

	write_paging(v, vv, &cr4, &efer);
	vmwrite(GUEST_CR0, (v->hw->cr0 | c->cr0_must) & c->cr0_may);
	vmwrite(CR0_SHADOW, v->cr0);
	vmwrite(GUEST_CR4, (cr4 | c->cr4_must) & c->cr4_may);
	vmwrite(CR4_SHADOW, v->cr4);
	vmwrite(GUEST_EFER, efer);
	load_pdptes(v);
	vv->entry = efer & X86_EFER_LMA ? c->entry | ENTRY_IA32E : c->entry;
	vmwrite(CTL_ENTRY, vv->entry);
	vv->flush_linear = true;
	vv->state_written = true;
}
