// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * x87, SSE and AVX state: it survives exits, FXSAVE and XSAVE see it, XSETBV checks its argument,
 * #MF and #XM arrive.
 */
#include "payload.h"

static u8 area[4096] __attribute__((aligned(64)));
static const u64 pattern[4] = { 0x0123456789abcdef, 0xfedcba9876543210, 0x1122334455667788,
				0x99aabbccddeeff00 };

static void fpu_on(void)
{
	write_cr0((read_cr0() & ~(ulong)(X86_CR0_EM | X86_CR0_TS)) | X86_CR0_MP | X86_CR0_NE);
	write_cr4(read_cr4() | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT);
	asm volatile("fninit");
}

/* Leaves the guest in many ways, so that somebody else may use the registers. */
static void disturb(void)
{
	unsigned int i;

	for (i = 0; i < 20; i++) {
		cpuid(0);
		inb(0x61);
		rdmsr(MSR_APIC_BASE);
	}
	delay_us(2000);
}

TEST(fpu_x87, "fpu: x87 results and state across exits")
{
	u64 out = 0;
	u16 cw;

	fpu_on();
	asm volatile("fnstcw %0" : "=m"(cw));
	CHECK(cw == 0x37f, "control word %x after FNINIT", cw);
	asm volatile("fldpi; fld1");
	disturb();
	asm volatile("faddp; fstpl %0" : "=m"(out)); /* pi + 1 */
	CHECK(out == 0x401090fdaa22168cull, "pi + 1 is %llx", out);
	return NULL;
}

TEST(fpu_sse, "fpu: SSE registers across exits")
{
	u64 out[2];

	fpu_on();
	asm volatile("movups %0, %%xmm3; movups %0, %%xmm7" : : "m"(pattern[0]));
	disturb();
	asm volatile("movups %%xmm7, %0" : "=m"(*(u64(*)[2])out));
	CHECK(out[0] == pattern[0] && out[1] == pattern[1], "%llx %llx", out[0], out[1]);
	return NULL;
}

TEST(fpu_fxsave, "fpu: FXSAVE and FXRSTOR")
{
	fpu_on();
	memset(area, 0, 512);
	asm volatile("movups %1, %%xmm1; fxsave %0" : "=m"(area) : "m"(pattern[0]));
	CHECK(!memcmp(area + 176, pattern, 16), "XMM1 not in the image");
	memset(area + 176, 0x5a, 16);
	asm volatile("fxrstor %0; movups %%xmm1, %0" : "+m"(area));
	CHECK(area[0] == 0x5a && area[15] == 0x5a, "XMM1 not restored");
	return NULL;
}

TEST(fpu_errors, "fpu: #MF and #XM")
{
	u16 cw = 0x360;
	u32 mxcsr = 0x1d00; /* divide by zero unmasked */
	int v;

	fpu_on();
	v = TRAP(asm volatile("fldcw %0; fldz; fld1; fdivp; fwait" : : "m"(cw)));
	asm volatile("fninit");
	CHECK(v == X86_EXC_MF, "x87 division by zero: vector %d", v);
	v = TRAP(asm volatile(
		"ldmxcsr %0; xorps %%xmm0, %%xmm0; mov $1, %%eax; cvtsi2ss %%eax, %%xmm1;"
		"divss %%xmm0, %%xmm1"
		:
		: "m"(mxcsr)
		: "eax"));
	mxcsr = 0x1f80;
	asm volatile("ldmxcsr %0" : : "m"(mxcsr));
	NEED(v != -1 || cpuid(0).a == 0, "QEMU 7.2's TCG raises no SSE exceptions");
	CHECK(v == X86_EXC_XM, "SSE division by zero: vector %d", v);
	v = TRAP(asm volatile("ldmxcsr %0" : : "m"((u32){ 0xffff0000 })));
	CHECK(v == X86_EXC_GP || plat.is_tcg, "reserved MXCSR bits: vector %d", v);
	return NULL;
}

static int xsetbv(u32 index, u64 v)
{
	return TRAP(asm volatile("xsetbv" : : "a"((u32)v), "d"((u32)(v >> 32)), "c"(index)));
}

TEST(fpu_xsetbv, "fpu: XSETBV checks its arguments")
{
	u32 lo, hi, mask;
	int v;

	NEED(cpuid(1).c >> 26 & 1, "no XSAVE");
	fpu_on();
	write_cr4(read_cr4() & ~(ulong)X86_CR4_OSXSAVE);
	v = xsetbv(0, 1);
	CHECK(v == X86_EXC_UD, "without OSXSAVE: vector %d", v);
	write_cr4(read_cr4() | X86_CR4_OSXSAVE);
	mask = cpuid2(0xd, 0).a;
	v = xsetbv(0, 3);
	CHECK(v == -1, "value 3: vector %d", v);
	asm volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	CHECK(lo == 3 && !hi, "XCR0 reads %x %x", hi, lo);
	v = xsetbv(0, 2);
	CHECK(v == X86_EXC_GP, "without x87: vector %d", v);
	v = xsetbv(0, 1ull << 62);
	CHECK(v == X86_EXC_GP, "unknown bit: vector %d", v);
	v = xsetbv(0, 5);
	CHECK(v == X86_EXC_GP, "AVX without SSE: vector %d", v);
	v = xsetbv(5, 3);
	CHECK(v == X86_EXC_GP, "XCR5: vector %d", v);
	if (mask & 4) {
		v = xsetbv(0, 7);
		CHECK(v == -1, "AVX: vector %d", v);
		xsetbv(0, 3);
	}
	write_cr4(read_cr4() & ~(ulong)X86_CR4_OSXSAVE);
	return NULL;
}

static const char *check_avx(void)
{
	u64 out[4];

	fpu_on();
	write_cr4(read_cr4() | X86_CR4_OSXSAVE);
	xsetbv(0, 7);
	asm volatile("vmovups %0, %%ymm5" : : "m"(*(const u64(*)[4])pattern));
	disturb();
	asm volatile("vmovups %%ymm5, %0" : "=m"(*(u64(*)[4])out));
	CHECK(!memcmp(out, pattern, 32), "YMM5 %llx %llx %llx %llx", out[3], out[2], out[1],
	      out[0]);
	memset(area, 0, sizeof(area));
	asm volatile("xsave %0" : "+m"(area) : "a"(7), "d"(0));
	CHECK((area[512] & 6) == 6, "XSTATE_BV %x", area[512]);
	CHECK(!memcmp(area + cpuid2(0xd, 2).b + 5 * 16, pattern + 2, 16), "upper half not saved");
	asm volatile("vpxor %%xmm5, %%xmm5, %%xmm5; xrstor %0" : "+m"(area) : "a"(7), "d"(0));
	asm volatile("vmovups %%ymm5, %0" : "=m"(*(u64(*)[4])out));
	CHECK(!memcmp(out, pattern, 32), "YMM5 not restored");
	asm volatile("vzeroupper");
	xsetbv(0, 3);
	write_cr4(read_cr4() & ~(ulong)X86_CR4_OSXSAVE);
	return NULL;
}

TEST(fpu_avx, "fpu: AVX state across exits, XSAVE and XRSTOR")
{
	const char *volatile why = NULL;
	int v;

	NEED((cpuid(1).c >> 26 & 1) && (cpuid(1).c >> 28 & 1), "no AVX");
	v = TRAP(why = check_avx());
	write_cr4(read_cr4() & ~(ulong)X86_CR4_OSXSAVE);
	NEED(v != X86_EXC_UD, "AVX raises #UD with XCR0 = 7, as in a guest of QEMU's SVM");
	CHECK(v == -1, "vector %d", v);
	return why;
}
