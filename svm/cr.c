// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Intercepted control register accesses. Without decode assists the instruction's operand comes from
 * its bytes: 0f 20/22 modrm. LMSW and CLTS do not exit here with nested paging (CR0 is not intercepted).
 */
#include "svm.h"
#include "guest_access.h"
#include "vlapic.h"

/* The general register named by a MOV CR instruction of length len at rip; REX.B counts. */
static int mov_cr_gpr(struct vcpu *v, struct vmcb *vmcb, unsigned int len)
{
	uint8_t b[15];
	unsigned int rex = 0;

	if (svm_caps.decode && (vmcb->exit_info1 & BIT(63)))
		return vmcb->exit_info1 & 0xf;
	if (guest_linear_copy(v, vmcb->cs.base + vmcb->rip, b, len, PFEC_I, NULL))
		return -EFAULT;
	if (len >= 4 && (b[len - 4] & 0xf0) == 0x40 && hvm_code64(v))
		rex = b[len - 4];
	return (b[len - 1] & 7) | (rex & 1) << 3;
}

static uint64_t mask_operand(struct vcpu *v, uint64_t value)
{
	return hvm_code64(v) ? value : (uint32_t)value;
}

void svm_exit_cr_write(struct vcpu *v, struct vmcb *vmcb)
{
	unsigned int cr = (unsigned int)vmcb->exit_code & 0xf;
	unsigned int len = svm_insn_len(v, X86_LEN_MOV_CR);
	int gpr, rc;
	uint64_t value;

	if (!len) {
		/* LMSW or CLTS under an intercept of CR0 writes. */
		hvm_emulate(v, NULL, 0);
		return;
	}
	gpr = mov_cr_gpr(v, vmcb, len);
	if (gpr < 0)
		return;
	value = mask_operand(v, v->regs.gpr[gpr]);
	switch (cr) {
	case 0:
		rc = hvm_set_cr0(v, value);
		break;
	case 3:
		rc = hvm_set_cr3(v, value);
		break;
	case 4:
		rc = hvm_set_cr4(v, value);
		break;
	default:
		vlapic_set_tpr(v->hvm.vlapic, (uint8_t)(value << 4));
		rc = value & ~0xfULL ? -EINVAL : 0;
		break;
	}
	if (rc)
		hvm_inject_gp(v);
	else
		hvm_advance_rip(v, len);
}

void svm_exit_cr_read(struct vcpu *v, struct vmcb *vmcb)
{
	unsigned int cr = (unsigned int)vmcb->exit_code & 0xf;
	unsigned int len = svm_insn_len(v, X86_LEN_MOV_CR);
	int gpr = len ? mov_cr_gpr(v, vmcb, len) : -EFAULT;
	uint64_t value;

	if (gpr < 0)
		return;
	switch (cr) {
	case 0:
		value = v->cr0;
		break;
	case 3:
		value = v->cr3;
		break;
	case 4:
		value = v->cr4;
		break;
	default:
		value = vlapic_tpr(v->hvm.vlapic) >> 4;
		break;
	}
	v->regs.gpr[gpr] = mask_operand(v, value);
	hvm_advance_rip(v, len);
}
