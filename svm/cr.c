// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Intercepted control register accesses. Without decode assists the instruction's operand comes from
 * its bytes: 0f 20/22 modrm. LMSW and CLTS do not exit here with nested paging (CR0 is not intercepted).
 */
#include "svm.h"
#include "guest_access.h"
#include "vlapic.h"

/* Length and general register of the MOV CR at rip, REX.B counted. 0: it is another instruction. */
static unsigned int mov_cr_insn(struct vcpu *v, struct vmcb *vmcb, unsigned int *gpr)
{
	unsigned int len, rex = 0;
	uint8_t b[15];

	if (svm_caps.decode && svm_caps.nrips && (vmcb->exit_info1 & BIT(63))) {
		*gpr = vmcb->exit_info1 & 0xf;
		return (unsigned int)(vmcb->next_rip - vmcb->rip);
	}
	len = svm_insn_fetch(v, X86_LEN_MOV_CR, b);
	if (!len)
		return 0;
	if (len >= 4 && (b[len - 4] & 0xf0) == 0x40 && hvm_code64(v))
		rex = b[len - 4];
	*gpr = (b[len - 1] & 7) | (rex & 1) << 3;
	return len;
}

static uint64_t mask_operand(struct vcpu *v, uint64_t value)
{
	return hvm_code64(v) ? value : (uint32_t)value;
}

void svm_exit_cr_write(struct vcpu *v, struct vmcb *vmcb)
{
	unsigned int cr = (unsigned int)vmcb->exit_code & 0xf;
	unsigned int gpr, len = mov_cr_insn(v, vmcb, &gpr);
	uint64_t value;
	int rc;

	if (!len) {
		/* LMSW or CLTS under an intercept of CR0 writes. */
		hvm_emulate(v, NULL, 0);
		return;
	}
	value = mask_operand(v, v->regs.gpr[gpr]);
	rc = hvm_cr_write(v, cr, value);
	if (rc)
		hvm_inject_gp(v);
	else
		hvm_advance_rip(v, len);
}

void svm_exit_cr_read(struct vcpu *v, struct vmcb *vmcb)
{
	unsigned int cr = (unsigned int)vmcb->exit_code & 0xf;
	unsigned int gpr, len = mov_cr_insn(v, vmcb, &gpr);

	if (!len)
		return;
	v->regs.gpr[gpr] = mask_operand(v, hvm_cr_read(v, cr));
	hvm_advance_rip(v, len);
}
