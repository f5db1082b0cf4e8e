/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Extended state, switched eagerly and whole. XSAVE images are in the standard (not compacted)
 * format, because that is what save records hold (SDM 1, 13.4).
 *
 * XSAVE and XRSTOR reach only what XCR0 has, and XRSTOR faults on an image that has more (SDM 1, 13.8.1). So
 * they run under the host's XCR0, which has every bit, and here alone is it changed: fpu_save() loads the
 * host's, fpu_restore() the guest's. In between the registers are nobody's.
 */
#include "mm.h"
#include "fpu_hw.h"
#include "vmm/emulate/x86_emulate.h"

#define FCW_RESET	   0x37f
#define MXCSR_RESET	   0x1f80
#define MXCSR_MASK_DEFAULT 0xffbf /* where the processor stores none: SDM 1, 11.6.6 */
#define FCW_OFFSET	   0U
#define FSW_OFFSET	   2U
#define FTW_OFFSET	   4U
#define MXCSR_OFFSET	   24U
#define MXCSR_MASK_OFFSET  28U
#define ST_OFFSET	   32U /* ST0-ST7, 16 bytes apart */
#define XMM_OFFSET	   160U
#define XSTATE_BV_OFFSET   512U
#define FSW_ES		   0x80U
#define FSW_TOP(sw)	   ((sw) >> 11 & 7U)
#define FSW_TOP_MASK	   0x3800U

#define XSTATE_X87	   BIT(0)
#define XSTATE_SSE	   BIT(1)
#define XSTATE_AVX	   BIT(2)
#define XSTATE_ZMM_HI	   BIT(6)
#define XSTATE_PKRU	   BIT(9)

static void set_reset_values(void *area)
{
	*(uint16_t *)((char *)area + FCW_OFFSET) = FCW_RESET;
	*(uint32_t *)((char *)area + MXCSR_OFFSET) = MXCSR_RESET;
}

int fpu_init(struct vcpu_fpu *f)
{
	BUG_ON(host_cpu.xsave_size < 512);
	/*
	 * blocks of the small heap are aligned to their size's power of two, larger ones to a
	 * page
	 */
	f->area = xzalloc_bytes(host_cpu.xsave_size);
	if (!f->area)
		return -ENOMEM;
	fpu_reset(f);
	return 0;
}

void fpu_free(struct vcpu_fpu *f)
{
	xfree(f->area);
	f->area = NULL;
}

void fpu_reset(struct vcpu_fpu *f)
{
	memset(f->area, 0, host_cpu.xsave_size);
	set_reset_values(f->area);
	f->xcr0 = 1;
	f->xcr0_accum = 1;
}

uint64_t fpu_live_xcr0(struct vcpu_fpu *f)
{
	if (host_cpu.xsave) {
		f->xcr0 = hw_get_xcr0();
		f->xcr0_accum |= f->xcr0;
	}
	return f->xcr0;
}

void fpu_set_xcr0(struct vcpu_fpu *f, uint64_t xcr0, bool live)
{
	f->xcr0 = xcr0;
	f->xcr0_accum |= xcr0;
	if (live)
		hw_set_xcr0(xcr0);
}

void fpu_save(struct vcpu_fpu *f)
{
	fpu_live_xcr0(f);
	if (host_cpu.xsave)
		hw_set_xcr0(host_cpu.xcr0_mask);
	hw_fpu_save(f->area);
}

int fpu_restore(struct vcpu_fpu *f)
{
	int rc = 0;

	if (host_cpu.x87_pointers_stay)
		hw_clear_x87_pointers();
	if (unlikely(!hw_fpu_restore(f->area))) {
		memset(f->area, 0, host_cpu.xsave_size);
		set_reset_values(f->area);
		BUG_ON(!hw_fpu_restore(f->area));
		rc = -EINVAL;
	}
	if (host_cpu.xsave)
		hw_set_xcr0(f->xcr0);
	return rc;
}

uint32_t fpu_mxcsr_mask(void)
{
	uint8_t image[512] __aligned(16) = { 0 };
	uint32_t mask;

	__asm__ volatile("fxsave64 %0" : "+m"(image));
	memcpy(&mask, image + MXCSR_MASK_OFFSET, sizeof(mask));
	return mask ? mask : MXCSR_MASK_DEFAULT;
}

/* CR4.PKE is the guest's alone, so that RDPKRU is none of ours; XSAVE reaches the register without. */
uint32_t fpu_pkru(struct vcpu_fpu *f, bool live)
{
	uint8_t *area = f->area;
	uint32_t pkru = 0;
	uint64_t bv;

	if (!(host_cpu.xcr0_mask & XSTATE_PKRU))
		return 0;
	if (live) {
		uint64_t guest = fpu_live_xcr0(f);

		hw_set_xcr0(host_cpu.xcr0_mask);
		hw_fpu_save_pkru(area);
		hw_set_xcr0(guest);
	}
	memcpy(&bv, area + XSTATE_BV_OFFSET, sizeof(bv));
	if (bv & XSTATE_PKRU)
		memcpy(&pkru, area + host_cpu.pkru_offset, sizeof(pkru));
	return pkru;
}

/*
 * An MMX instruction makes all eight registers valid and ST0 the first (SDM 1, 9.5.1). An image has ST0 to ST7
 * in the order of the stack, MMX registers are the physical ones: their places change when the top does.
 */
static void enter_mmx(uint8_t *area)
{
	uint8_t st[8 * 16];
	uint16_t fsw;

	memcpy(&fsw, area + FSW_OFFSET, sizeof(fsw));
	memcpy(st, area + ST_OFFSET, sizeof(st));
	for (unsigned int i = 0; i < 8; i++)
		memcpy(area + ST_OFFSET + i * 16, st + ((i - FSW_TOP(fsw)) & 7) * 16, 16);
	fsw &= (uint16_t)~FSW_TOP_MASK;
	memcpy(area + FSW_OFFSET, &fsw, sizeof(fsw));
	area[FTW_OFFSET] = 0xff;
}

static void have_states(uint8_t *area, uint64_t states)
{
	uint64_t bv;

	if (!host_cpu.xsave)
		return;
	memcpy(&bv, area + XSTATE_BV_OFFSET, sizeof(bv));
	bv |= states;
	memcpy(area + XSTATE_BV_OFFSET, &bv, sizeof(bv));
}

/* 0, or why the instruction faults: see fpu_read_vec(). */
static int vec_check(const struct vcpu_fpu *f, unsigned int bytes)
{
	const uint8_t *area = f->area;

	if (bytes == 32 && (!host_cpu.xsave || (f->xcr0 & 6) != 6))
		return -ENODEV;
	return bytes == 8 && area[FSW_OFFSET] & FSW_ES ? -EBUSY : 0;
}

static void write_xmm(struct vcpu_fpu *f, unsigned int reg, const uint8_t *buf, unsigned int bytes,
		      bool zero_upper)
{
	uint8_t *area = f->area;
	bool avx = host_cpu.xsave && (f->xcr0 & 6) == 6;

	memcpy(area + XMM_OFFSET + reg * 16, buf, 16);
	have_states(area, XSTATE_SSE);
	if (bytes == 32 || (zero_upper && avx)) {
		uint8_t *high = area + hw_xstate_offset(2) + reg * 16;

		memset(high, 0, 16);
		memcpy(high, buf + 16, bytes - 16);
		have_states(area, XSTATE_AVX);
	}
	/* VEX forms clear the register up to its end. */
	if (zero_upper && avx && f->xcr0 & XSTATE_ZMM_HI)
		memset(area + hw_xstate_offset(6) + reg * 32, 0, 32);
}

int fpu_read_vec(struct vcpu_fpu *f, unsigned int reg, void *buf, unsigned int bytes)
{
	uint8_t *area = f->area;
	int rc;

	fpu_save(f);
	rc = vec_check(f, bytes);
	if (rc)
		return fpu_restore(f) ? -EINVAL : rc;
	if (bytes == 8) {
		enter_mmx(area);
		have_states(area, XSTATE_X87);
		memcpy(buf, area + ST_OFFSET + reg * 16, 8);
	} else {
		memcpy(buf, area + XMM_OFFSET + reg * 16, 16);
	}
	if (bytes == 32)
		memcpy((uint8_t *)buf + 16, area + hw_xstate_offset(2) + reg * 16, 16);
	return fpu_restore(f);
}

int fpu_read_x87(struct vcpu_fpu *f, struct x86_x87 *out)
{
	const uint8_t *area = f->area;

	fpu_save(f);
	memcpy(&out->cw, area + FCW_OFFSET, 2);
	memcpy(&out->sw, area + FSW_OFFSET, 2);
	out->tags = area[FTW_OFFSET];
	memcpy(out->st, area + ST_OFFSET, sizeof(out->st));
	return fpu_restore(f);
}

int fpu_write_x87(struct vcpu_fpu *f, const struct x86_x87 *in)
{
	uint8_t *area = f->area;

	fpu_save(f);
	memcpy(area + FCW_OFFSET, &in->cw, 2);
	memcpy(area + FSW_OFFSET, &in->sw, 2);
	area[FTW_OFFSET] = in->tags;
	memcpy(area + ST_OFFSET, in->st, sizeof(in->st));
	have_states(area, XSTATE_X87);
	return fpu_restore(f);
}

int fpu_write_vec(struct vcpu_fpu *f, unsigned int reg, const void *buf, unsigned int bytes,
		  bool zero_upper)
{
	uint8_t *area = f->area;
	int rc;

	fpu_save(f);
	rc = vec_check(f, bytes);
	if (rc)
		return fpu_restore(f) ? -EINVAL : rc;
	if (bytes == 8) {
		enter_mmx(area);
		have_states(area, XSTATE_X87);
		memcpy(area + ST_OFFSET + reg * 16, buf, 8);
		/* The exponent's place reads as a NaN's. */
		memset(area + ST_OFFSET + reg * 16 + 8, 0xff, 2);
	} else {
		write_xmm(f, reg, buf, bytes, zero_upper);
	}
	return fpu_restore(f);
}
