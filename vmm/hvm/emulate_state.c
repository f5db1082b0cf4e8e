// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Debug and vector registers for the emulator. The guest's vector registers are live in the CPU while its
 * vCPU is current: they go through the XSAVE image. SDM volume 1, 13.4 (layout).
 */
#include "emulate_private.h"

#define FX_MM_OFFSET  32U /* ST0/MM0, 16 bytes apart */
#define FX_XMM_OFFSET 160U
#define YMM_HI_OFFSET 576U /* standard format: CPUID 0d.2 says so on every CPU */
#define XSTATE_BV     512U

int emul_read_dr(unsigned int dr, uint64_t *val, struct x86_emulate_ctxt *c)
{
	struct vcpu *v = c->opaque;

	hvm_ops->sync_debug(v);
	*val = dr < 4 ? v->dr[dr] : dr == 6 ? v->dr6 : v->dr7;
	return X86EMUL_OKAY;
}

/* DR6: bits 4-11 and 16-31 read as one; DR7: bit 10 is one, the upper half zero. */
int emul_write_dr(unsigned int dr, uint64_t val, struct x86_emulate_ctxt *c)
{
	struct vcpu *v = c->opaque;

	if (dr >= 6 && val >> 32)
		return x86_emulate_exception(c, X86_EXC_GP, true, 0);
	hvm_ops->sync_debug(v);
	if (dr < 4)
		v->dr[dr] = val;
	else if (dr == 6)
		v->dr6 = (val & ~BIT(12)) | 0xffff0ff0;
	else
		v->dr7 = (val & ~0xd800ULL) | 0x400;
	hvm_ops->cr_changed(v);
	return X86EMUL_OKAY;
}

static bool vec_ok(const struct vcpu *v, unsigned int bytes)
{
	return bytes <= 16 || (host_cpu.xsave && (v->fpu.xcr0 & 6) == 6);
}

int emul_read_vec(unsigned int reg, void *buf, unsigned int bytes, struct x86_emulate_ctxt *c)
{
	struct vcpu *v = c->opaque;
	const uint8_t *area = v->fpu.area;

	if (!vec_ok(v, bytes))
		return x86_emulate_exception(c, X86_EXC_UD, false, 0);
	fpu_save(&v->fpu);
	if (bytes == 8) {
		memcpy(buf, area + FX_MM_OFFSET + reg * 16, 8);
		return X86EMUL_OKAY;
	}
	memcpy(buf, area + FX_XMM_OFFSET + reg * 16, 16);
	if (bytes == 32)
		memcpy((uint8_t *)buf + 16, area + YMM_HI_OFFSET + reg * 16, 16);
	return X86EMUL_OKAY;
}

int emul_write_vec(unsigned int reg, const void *buf, unsigned int bytes, bool zero_upper,
		   struct x86_emulate_ctxt *c)
{
	struct vcpu *v = c->opaque;
	uint8_t *area = v->fpu.area;

	if (!vec_ok(v, bytes))
		return x86_emulate_exception(c, X86_EXC_UD, false, 0);
	fpu_save(&v->fpu);
	if (bytes == 8) {
		memcpy(area + FX_MM_OFFSET + reg * 16, buf, 8);
	} else {
		memcpy(area + FX_XMM_OFFSET + reg * 16, buf, 16);
		if (bytes == 32)
			memcpy(area + YMM_HI_OFFSET + reg * 16, (const uint8_t *)buf + 16, 16);
		else if (zero_upper && vec_ok(v, 32))
			memset(area + YMM_HI_OFFSET + reg * 16, 0, 16);
	}
	if (host_cpu.xsave)
		*(uint64_t *)(area + XSTATE_BV) |= bytes == 8		       ? 1
						   : bytes == 32 || zero_upper ? v->fpu.xcr0 & 6
									       : 2;
	fpu_restore(&v->fpu);
	return X86EMUL_OKAY;
}
