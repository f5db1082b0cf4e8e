// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * MMX, SSE and AVX moves on device memory: each runs on RAM and on VGA memory, under every XCR0 that a guest may
 * have, from none at all (CR4.OSFXSR only) to everything, and has to do the same. Control words are watched: a
 * hypervisor that loses a guest's state takes them to their reset values.
 */
#include "payload.h"

#define VGA_TEST 0xb8e00ul
#define BYTES	 64

struct vec_state {
	u8 xmm[2][32]; /* xmm3, xmm4; ymm where the guest has them */
	u8 mm[8];
	u8 memory[BYTES];
	int vector;
	u16 fcw;
	u32 mxcsr;
} __attribute__((packed)); /* compared as bytes */

static u8 fill[2][32], out[2][32], mm_fill[8], mm_out[8];
static bool wide; /* YMM registers are on */

static void load_registers(u8 seed)
{
	static const u16 fcw = 0x27f;
	static const u32 mxcsr = 0x1fa0;
	unsigned int i;

	for (i = 0; i < 32; i++) {
		fill[0][i] = (u8)(seed + i * 3);
		fill[1][i] = (u8)(seed + i * 5 + 1);
		mm_fill[i & 7] = (u8)(seed + i * 7 + 2);
	}
	asm volatile("fninit; fldcw %0; ldmxcsr %1; movq %2, %%mm2"
		     :
		     : "m"(fcw), "m"(mxcsr), "m"(mm_fill));
	if (wide)
		asm volatile("vmovups %0, %%ymm3; vmovups %1, %%ymm4"
			     :
			     : "m"(fill[0]), "m"(fill[1]));
	else
		asm volatile("movups %0, %%xmm3; movups %1, %%xmm4" : : "m"(fill[0]), "m"(fill[1]));
}

static void store_registers(struct vec_state *s)
{
	memset(out, 0, sizeof(out));
	if (wide)
		asm volatile("vmovups %%ymm3, %0; vmovups %%ymm4, %1" : "=m"(out[0]), "=m"(out[1]));
	else
		asm volatile("movups %%xmm3, %0; movups %%xmm4, %1" : "=m"(out[0]), "=m"(out[1]));
	asm volatile("movq %%mm2, %0; emms; fnstcw %1; stmxcsr %2"
		     : "=m"(mm_out), "=m"(s->fcw), "=m"(s->mxcsr));
	memcpy(s->xmm, out, sizeof(out));
	memcpy(s->mm, mm_out, sizeof(mm_out));
}

typedef void (*vec_fn)(volatile void *p);
#define FORM(id, insn)                                                     \
	static void form_##id(volatile void *p)                            \
	{                                                                  \
		asm volatile(insn : : "r"(p), "a"(0x12345678) : "memory"); \
	}

FORM(movups_load, "movups 3(%0), %%xmm3")
FORM(movups_store, "movups %%xmm3, 5(%0)")
FORM(movaps_load, "movaps 16(%0), %%xmm4")
FORM(movaps_store, "movaps %%xmm4, 16(%0)")
FORM(movapd, "movapd %%xmm4, (%0); movapd 16(%0), %%xmm3")
FORM(movdqa_load, "movdqa (%0), %%xmm3")
FORM(movdqa_store, "movdqa %%xmm3, 32(%0)")
FORM(movdqu, "movdqu %%xmm3, 1(%0); movdqu 2(%0), %%xmm4")
FORM(movntps, "movntps %%xmm3, (%0)")
FORM(movntdq, "movntdq %%xmm4, 16(%0)")
FORM(movss, "movss %%xmm3, 4(%0); movss 8(%0), %%xmm4")
FORM(movsd, "movsd %%xmm3, 4(%0); movsd 12(%0), %%xmm4")
FORM(movq_load, "movq 8(%0), %%xmm3")
FORM(movq_store, "movq %%xmm3, 8(%0)")
FORM(movd_load, "movd 4(%0), %%xmm3")
FORM(movd_store, "movd %%xmm4, 4(%0)")
FORM(movlps, "movlps %%xmm3, (%0); movlps 16(%0), %%xmm4")
FORM(movhps, "movhps %%xmm3, (%0); movhps 16(%0), %%xmm4")
FORM(mmx_load, "movq 8(%0), %%mm2")
FORM(mmx_store, "movq %%mm2, 8(%0)")
FORM(mmx_odd, "movq %%mm2, 13(%0); movq 3(%0), %%mm2")
FORM(mmx_movd, "movd %%mm2, 4(%0); movd 12(%0), %%mm2")
FORM(mmx_movntq, "movntq %%mm2, 16(%0)")
FORM(movnti, "movnti %1, 4(%0)")
FORM(ymm_load, "vmovups 1(%0), %%ymm3")
FORM(ymm_store, "vmovups %%ymm3, 7(%0)")
FORM(ymm_aligned, "vmovdqa %%ymm4, 32(%0); vmovaps (%0), %%ymm3")
FORM(vex_xmm_load, "vmovdqu 8(%0), %%xmm3") /* clears the upper half */
FORM(vex_xmm_store, "vmovntdq %%xmm4, 16(%0)")
FORM(vex_movss, "vmovss 4(%0), %%xmm3; vmovsd %%xmm4, 8(%0)")
FORM(vex_movd, "vmovd 4(%0), %%xmm3; vmovq %%xmm4, 8(%0)")

static const struct {
	const char *name;
	vec_fn fn;
	bool avx;
} forms[] = {
#define F(id)                         \
	{                             \
#id, form_##id, false \
	}
#define F_AVX(id)                    \
	{                            \
#id, form_##id, true \
	}
	F(movups_load),
	F(movups_store),
	F(movaps_load),
	F(movaps_store),
	F(movapd),
	F(movdqa_load),
	F(movdqa_store),
	F(movdqu),
	F(movntps),
	F(movntdq),
	F(movss),
	F(movsd),
	F(movq_load),
	F(movq_store),
	F(movd_load),
	F(movd_store),
	F(movlps),
	F(movhps),
	F(mmx_load),
	F(mmx_store),
	F(mmx_odd),
	F(mmx_movd),
	F(mmx_movntq),
	F(movnti),
	F_AVX(ymm_load),
	F_AVX(ymm_store),
	F_AVX(ymm_aligned),
	F_AVX(vex_xmm_load),
	F_AVX(vex_xmm_store),
	F_AVX(vex_movss),
	F_AVX(vex_movd),
};

static void run_form(vec_fn fn, volatile u8 *p, u8 seed, struct vec_state *s)
{
	unsigned int i;

	memset(s, 0, sizeof(*s));
	for (i = 0; i < BYTES; i++)
		p[i] = (u8)(i * 29 + seed);
	load_registers(seed);
	s->vector = TRAP(fn(p));
	store_registers(s);
	for (i = 0; i < BYTES; i++)
		s->memory[i] = p[i];
}

/* All forms with the registers that are on now; how many differ. */
static unsigned int run_forms(const char *name, u8 *seed)
{
	static u8 ram[BYTES] __attribute__((aligned(64)));
	static struct vec_state a, b;
	unsigned int bad = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(forms); i++) {
		if (forms[i].avx && !wide)
			continue;
		*seed += 17;
		run_form(forms[i].fn, ram, *seed, &a);
		run_form(forms[i].fn, (volatile u8 *)VGA_TEST, *seed, &b);
		if (!memcmp(&a, &b, sizeof(a)) && a.fcw == 0x27f && a.mxcsr == 0x1fa0)
			continue;
		print("# %s, %s: vectors %d %d, control words %x %x, MXCSR %x %x, %s%s%s\n", name,
		      forms[i].name, a.vector, b.vector, a.fcw, b.fcw, a.mxcsr, b.mxcsr,
		      memcmp(a.xmm, b.xmm, sizeof(a.xmm)) ? "XMM " : "",
		      memcmp(a.mm, b.mm, sizeof(a.mm)) ? "MM " : "",
		      memcmp(a.memory, b.memory, BYTES) ? "memory" : "");
		bad++;
	}
	return bad;
}

static int set_xcr0(u64 v)
{
	return TRAP(asm volatile("xsetbv" : : "a"((u32)v), "d"((u32)(v >> 32)), "c"(0)));
}

static void probe_avx(void)
{
	asm volatile("vmovups %%ymm3, %0" : "=m"(out[0]));
}

static unsigned int run_under(u64 xcr0, u8 *seed)
{
	char name[24];
	unsigned int bad;

	if (set_xcr0(xcr0) != -1)
		return 1;
	/* A guest of QEMU's SVM has #UD there. */
	wide = (xcr0 & 6) == 6 && TRAP(probe_avx()) == -1;
	snprint(name, sizeof(name), "XCR0 %x", (u32)xcr0);
	bad = run_forms(name, seed);
	wide = false;
	return bad;
}

TEST(mmio_vectors, "mmio: MMX, SSE and AVX moves on VGA memory, under every XCR0")
{
	unsigned int bad;
	u64 all = 0;
	u8 seed = 1;

	NEED(plat.has_vga, "no VGA memory");
	write_cr0((read_cr0() & ~(ulong)(X86_CR0_EM | X86_CR0_TS)) | X86_CR0_MP | X86_CR0_NE);
	write_cr4((read_cr4() | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT) & ~(ulong)X86_CR4_OSXSAVE);
	bad = run_forms("no XSAVE", &seed);
	if (cpuid(1).c >> 26 & 1) {
		write_cr4(read_cr4() | X86_CR4_OSXSAVE);
		all = cpuid2(0xd, 0).a;
		bad += run_under(1, &seed);
		bad += run_under(3, &seed);
		if (all & 4)
			bad += run_under(7, &seed);
		bad += run_under(all, &seed);
		set_xcr0(all & 3 ? 3 : 1);
		/* Moves without CR4.OSXSAVE again, under what XCR0 holds now. */
		write_cr4(read_cr4() & ~(ulong)X86_CR4_OSXSAVE);
		bad += run_forms("XCR0 3, OSXSAVE off", &seed);
	}
	asm volatile("fninit; ldmxcsr %0" : : "m"((u32){ 0x1f80 }));
	CHECK(!bad, "%u forms differ", bad);
	return NULL;
}

#ifdef __x86_64__
TEST(cr8_reserved, "exc: MOV to CR8 with reserved bits changes nothing")
{
	ulong tpr;
	int v;

	NEED(cmdline_number("strict", 0),
	     "QEMU 7.2 takes reserved bits of CR8 where the hypervisor does not look; strict=1 elsewhere");
	asm volatile("mov %0, %%cr8" : : "r"(5ul));
	v = TRAP(asm volatile("mov %0, %%cr8" : : "r"(0x1ful)));
	asm volatile("mov %%cr8, %0" : "=r"(tpr));
	asm volatile("mov %0, %%cr8" : : "r"(0ul));
	NEED(v == X86_EXC_GP || !plat.is_tcg, "QEMU's TCG does not look at them");
	CHECK(v == X86_EXC_GP, "vector %d", v);
	CHECK(tpr == 5, "CR8 is %lx", tpr);
	return NULL;
}
#endif
