// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Control registers and EFER: the checks that a CPU makes, then the state. SDM volume 3, 2.5 and 4.1;
 * APM volume 2, 3.1.
 */
#include "guest_access.h"
#include "internal.h"
#include "policy_private.h"

#define PDPTE_P BIT(0)
#define PDPTE_A BIT(5)

#define CR0_KNOWN                                                                      \
	(X86_CR0_PE | X86_CR0_MP | X86_CR0_EM | X86_CR0_TS | X86_CR0_ET | X86_CR0_NE | \
	 X86_CR0_WP | X86_CR0_AM | X86_CR0_NW | X86_CR0_CD | X86_CR0_PG)

static int set_cr0(struct vcpu *v, uint64_t value)
{
	bool paging_on = (value & X86_CR0_PG) && !(v->cr0 & X86_CR0_PG);

	if (value >> 32 || ((value & X86_CR0_PG) && !(value & X86_CR0_PE)) ||
	    ((value & X86_CR0_NW) && !(value & X86_CR0_CD)))
		return -EINVAL;
	value = (value & CR0_KNOWN) | X86_CR0_ET;
	if (value == v->cr0)
		return 0;
	if (paging_on && (v->efer & X86_EFER_LME)) {
		if (!(v->cr4 & X86_CR4_PAE))
			return -EINVAL;
		v->efer |= X86_EFER_LMA;
	} else if (!(value & X86_CR0_PG)) {
		if (((v->efer & X86_EFER_LMA) && hvm_code64(v)) || (v->cr4 & X86_CR4_PCIDE))
			return -EINVAL;
		v->efer &= ~X86_EFER_LMA;
	}
	v->cr0 = value;
	hvm_set_state(v, HVM_CRS);
	return 0;
}

int hvm_set_cr3(struct vcpu *v, uint64_t value)
{
	if (v->efer & X86_EFER_LMA)
		value &= ~BIT(63);
	if (value >> host_cpu.phys_bits)
		return -EINVAL;
	v->cr3 = value;
	hvm_set_state(v, HVM_CRS);
	return 0;
}

/* Bits that the guest's CPUID does not offer are reserved for it. */
static int set_cr4(struct vcpu *v, uint64_t value)
{
	if (value & ~policy_cr4_mask(v->domain))
		return -EINVAL;
	if ((v->efer & X86_EFER_LMA) && !(value & X86_CR4_PAE))
		return -EINVAL;
	if ((value & X86_CR4_PCIDE) && !(v->cr4 & X86_CR4_PCIDE) &&
	    (!(v->efer & X86_EFER_LMA) || (v->cr3 & 0xfff)))
		return -EINVAL;
	if (value == v->cr4)
		return 0; /* invalidates nothing: SDM volume 3, 4.10.4.1; APM volume 2, 5.5.2 */
	v->cr4 = value;
	hvm_set_state(v, HVM_CRS);
	return 0;
}

int hvm_set_efer(struct vcpu *v, uint64_t value)
{
	if (value & ~policy_efer_mask(v->domain))
		return -EINVAL;
	if (hvm_paging(v) && ((value ^ v->efer) & X86_EFER_LME))
		return -EINVAL;
	v->efer = (value & ~X86_EFER_LMA) | (v->efer & X86_EFER_LMA);
	hvm_set_state(v, HVM_CRS);
	return 0;
}

bool hvm_pae_paging(uint64_t cr0, uint64_t cr4, uint64_t efer)
{
	return (cr0 & X86_CR0_PG) && (cr4 & X86_CR4_PAE) && !(efer & X86_EFER_LMA);
}

/* Table 4-8. QEMU's TCG sets the accessed bit of these, too, in guests of its AMD-V. */
uint64_t hvm_pdpte_reserved(void)
{
	uint64_t accessed = hvm_ops->emulated_vendor == X86_VENDOR_AMD ? PDPTE_A : 0;

	return (0x1e6 | ~(BIT(host_cpu.phys_bits) - 1)) & ~accessed;
}

int hvm_read_pdptes(struct vcpu *v, uint64_t cr3, uint64_t pdpte[4])
{
	if (guest_phys_read(v->domain, _gpa(cr3 & 0xffffffe0), pdpte, 4 * sizeof(*pdpte)))
		memset(pdpte, 0, 4 * sizeof(*pdpte));
	for (unsigned int i = 0; i < 4; i++)
		if ((pdpte[i] & PDPTE_P) && (pdpte[i] & hvm_pdpte_reserved()))
			return -EINVAL;
	return 0;
}

/* Those of PAE paging are looked at when it begins, and when these bits change meanwhile (SDM 4.4.1). */
static bool pdptes_ok(struct vcpu *v, uint64_t cr0, uint64_t cr3, uint64_t cr4)
{
	uint64_t pdpte[4], efer = v->efer & X86_EFER_LME ? X86_EFER_LMA : 0;

	return !hvm_pae_paging(cr0, cr4, efer) || !hvm_read_pdptes(v, cr3, pdpte);
}

#define CR0_LOADS_PDPTES (X86_CR0_CD | X86_CR0_NW | X86_CR0_PG)
#define CR4_LOADS_PDPTES (X86_CR4_PAE | X86_CR4_PGE | X86_CR4_PSE | X86_CR4_SMEP)

uint64_t hvm_cr_read(struct vcpu *v, unsigned int cr)
{
	switch (cr) {
	case 0:
		return v->cr0;
	case 2:
		return v->cr2;
	case 3:
		return v->cr3;
	case 4:
		return v->cr4;
	default:
		return vlapic_tpr(v->hvm.vlapic) >> 4;
	}
}

int hvm_cr_write(struct vcpu *v, unsigned int cr, uint64_t value)
{
	switch (cr) {
	case 0:
		if ((v->cr0 ^ value) & CR0_LOADS_PDPTES && !pdptes_ok(v, value, v->cr3, v->cr4))
			return -EINVAL;
		return set_cr0(v, value);
	case 2:
		v->cr2 = value;
		hvm_set_state(v, HVM_CR2);
		return 0;
	case 3:
		return pdptes_ok(v, v->cr0, value, v->cr4) ? hvm_set_cr3(v, value) : -EINVAL;
	case 4:
		if ((v->cr4 ^ value) & CR4_LOADS_PDPTES && !pdptes_ok(v, v->cr0, v->cr3, value))
			return -EINVAL;
		return set_cr4(v, value);
	default:
		if (value & ~0xfULL)
			return -EINVAL;
		vlapic_set_tpr(v->hvm.vlapic, (uint8_t)(value << 4));
		return 0;
	}
}

static uint64_t operand_mask(struct vcpu *v)
{
	return hvm_code64(v) ? ~0ULL : 0xffffffff;
}

/* LMSW sets PE but does not clear it. */
static uint64_t lmsw(uint64_t cr0, uint16_t source)
{
	return (cr0 & ~0xeULL) | (source & 0xf);
}

void hvm_exit_cr(struct vcpu *v, const struct cr_access *a)
{
	uint64_t *gpr = &v->regs.gpr[a->gpr];
	int rc = 0;

	switch (a->kind) {
	case CR_WRITE:
		rc = hvm_cr_write(v, a->cr, *gpr & operand_mask(v));
		break;
	case CR_READ:
		*gpr = hvm_cr_read(v, a->cr) & operand_mask(v);
		break;
	case CR_CLTS:
		rc = hvm_cr_write(v, 0, v->cr0 & ~X86_CR0_TS);
		break;
	case CR_LMSW:
		rc = hvm_cr_write(v, 0, lmsw(v->cr0, a->lmsw));
		break;
	}
	if (rc)
		hvm_inject_gp(v);
	else
		hvm_advance_rip(v, a->insn_len);
}
