// SPDX-License-Identifier: GPL-2.0-or-later
/* Debug and vector registers for the emulator, of the current vCPU. */
#include "emulate_private.h"

int emul_read_dr(unsigned int dr, uint64_t *val, struct x86_emulate_ctxt *c)
{
	struct vcpu *v = c->opaque;

	hvm_get_state(v, HVM_DRS);
	*val = dr < 4 ? v->dr[dr] : dr == 6 ? v->dr6 : v->dr7;
	return X86EMUL_OKAY;
}

/* DR6: bits 4-11 and 16-31 read as one; DR7: bit 10 is one, the upper half zero. */
int emul_write_dr(unsigned int dr, uint64_t val, struct x86_emulate_ctxt *c)
{
	struct vcpu *v = c->opaque;

	if (dr >= 6 && val >> 32)
		return x86_emulate_exception(c, X86_EXC_GP, true, 0);
	hvm_get_state(v, HVM_DRS);
	if (dr < 4)
		v->dr[dr] = val;
	else if (dr == 6)
		v->dr6 = (val & ~BIT(12)) | X86_DR6_RESET;
	else
		v->dr7 = (val & ~0xd800ULL) | X86_DR7_RESET;
	hvm_set_state(v, HVM_DRS);
	return X86EMUL_OKAY;
}

/* The registers are live in the CPU: vmm/cpu/fpu.c knows how to reach them. */
static int vec_result(struct x86_emulate_ctxt *c, int rc)
{
	struct vcpu *v = c->opaque;

	switch (rc) {
	case 0:
		return X86EMUL_OKAY;
	case -ENODEV:
		return x86_emulate_exception(c, X86_EXC_UD, false, 0);
	case -EBUSY:
		return x86_emulate_exception(c, X86_EXC_MF, false, 0);
	default:
		domain_crash(v->domain, "vCPU %u: the processor refuses its x87 and vector state",
			     v->id);
		return X86EMUL_UNHANDLEABLE;
	}
}

int emul_read_vec(unsigned int reg, void *buf, unsigned int bytes, struct x86_emulate_ctxt *c)
{
	struct vcpu *v = c->opaque;

	return vec_result(c, fpu_read_vec(&v->fpu, reg, buf, bytes));
}

int emul_write_vec(unsigned int reg, const void *buf, unsigned int bytes, bool zero_upper,
		   struct x86_emulate_ctxt *c)
{
	struct vcpu *v = c->opaque;

	return vec_result(c, fpu_write_vec(&v->fpu, reg, buf, bytes, zero_upper));
}
