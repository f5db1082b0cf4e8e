// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Model-specific registers a guest relies on: values, writable bits, #GP for what is not there
 * (SDM vol. 4, APM vol. 2 app. A).
 */
#include "payload.h"

static bool msr_holds(u32 msr, u64 value)
{
	u64 old = rdmsr(msr), got;

	wrmsr(msr, value);
	got = rdmsr(msr);
	wrmsr(msr, old);
	return got == value;
}

TEST(msr_apic_base, "msr: APIC base")
{
	u64 v = rdmsr(MSR_APIC_BASE);
	int x;

	CHECK((v & 0xfffff000) == APIC_DEFAULT_BASE, "base %llx", v);
	CHECK(v & 0x100, "boot CPU bit clear");
	CHECK(v & 0x800, "not enabled");
	NEED(!plat.is_tcg, "QEMU's TCG accepts reserved bits");
	x = TRAP(wrmsr(MSR_APIC_BASE, v | 1));
	CHECK(x == X86_EXC_GP, "reserved bit: vector %d", x);
	return NULL;
}

TEST(msr_pat, "msr: PAT holds legal types and refuses others")
{
	u64 old = rdmsr(MSR_PAT);
	int v;

	CHECK(msr_holds(MSR_PAT, 0x0001040500070406ull), "does not hold a value");
	NEED(!plat.is_tcg, "QEMU's TCG accepts any PAT");
	v = TRAP(wrmsr(MSR_PAT, 2));
	wrmsr(MSR_PAT, old);
	NEED(v != -1, "the CPU does not check (QEMU's SVM with the register not intercepted)");
	CHECK(v == X86_EXC_GP, "type 2: vector %d", v);
	v = TRAP(wrmsr(MSR_PAT, 0x0800000000000000ull));
	CHECK(v == X86_EXC_GP, "type 8: vector %d", v);
	CHECK(rdmsr(MSR_PAT) == old, "changed by a refused write");
	return NULL;
}

TEST(msr_efer, "msr: EFER bits")
{
	u64 v = rdmsr(MSR_EFER);
	int x;

	CHECK(!(v & X86_EFER_SVME), "SVME shows: %llx", v);
	CHECK(!!(v & X86_EFER_LMA) == IS_64BIT, "LMA wrong: %llx", v);
	wrmsr(MSR_EFER, v | X86_EFER_SCE | X86_EFER_NX);
	CHECK((rdmsr(MSR_EFER) & (X86_EFER_SCE | X86_EFER_NX)) == (X86_EFER_SCE | X86_EFER_NX),
	      "does not hold");
	wrmsr(MSR_EFER, v);
	NEED(!plat.is_tcg, "QEMU's TCG ignores reserved bits and has SVM itself");
	x = TRAP(wrmsr(MSR_EFER, v | 1ull << 40));
	CHECK(x == X86_EXC_GP, "reserved bit: vector %d", x);
	x = TRAP(wrmsr(MSR_EFER, v | X86_EFER_SVME));
	CHECK(x == X86_EXC_GP || !(rdmsr(MSR_EFER) & X86_EFER_SVME), "SVME can be set");
	if (IS_64BIT) {
		x = TRAP(wrmsr(MSR_EFER, v & ~(u64)X86_EFER_LME));
		CHECK(x == X86_EXC_GP, "clearing LME with paging on: vector %d", x);
	}
	return NULL;
}

TEST(msr_mtrr, "msr: MTRRs")
{
	u64 cap, def;

	NEED(cpuid(1).d >> 12 & 1, "no MTRRs");
	cap = rdmsr(MSR_MTRRCAP);
	CHECK((cap & 0xff) >= 2 && (cap & 0xff) <= 16, "%u variable ranges", (u32)cap & 0xff);
	def = rdmsr(MSR_MTRR_DEF_TYPE);
	CHECK((def & 0xff) < 7, "default type %u", (u32)def & 0xff);
	CHECK(msr_holds(MSR_MTRR_DEF_TYPE, def ^ 0x800), "enable bit does not hold");
	CHECK(msr_holds(MSR_MTRR_PHYSBASE0, 0x80000000), "base 0 does not hold");
	CHECK(msr_holds(MSR_MTRR_PHYSBASE0 + 1, 0xf0000800), "mask 0 does not hold");
	if (cap & 0x100)
		CHECK(msr_holds(MSR_MTRR_FIX64K, 0x0606060606060606ull), "fixed 64K does not hold");
	if (!plat.is_tcg) {
		int v = TRAP(wrmsr(MSR_MTRR_DEF_TYPE, def | 2));

		CHECK((def & 0xff) == 1 || v == X86_EXC_GP || rdmsr(MSR_MTRR_DEF_TYPE) == def,
		      "reserved type accepted: %llx", rdmsr(MSR_MTRR_DEF_TYPE));
		wrmsr(MSR_MTRR_DEF_TYPE, def);
		v = TRAP(wrmsr(MSR_MTRRCAP, cap));
		CHECK(v == X86_EXC_GP, "write to MTRRCAP: vector %d", v);
	}
	return NULL;
}

TEST(msr_tsc, "msr: TSC reads as RDTSC and can be written")
{
	u64 a = rdtsc(), b = rdmsr(MSR_TSC), c = rdtsc();

	NEED(!plat.is_tcg, "QEMU's TCG has no such MSR");
	CHECK(a <= b && b <= c, "RDTSC %llx MSR %llx RDTSC %llx", a, b, c);
	wrmsr(MSR_TSC, b + (1ull << 40));
	c = rdtsc();
	CHECK(c >= b + (1ull << 40), "write has no effect: %llx", c);
	wrmsr(MSR_TSC, rdtsc() - (1ull << 40));
	CHECK(rdtsc() < b + (1ull << 39), "cannot be written back");
	return NULL;
}

TEST(msr_tsc_aux, "msr: TSC_AUX and RDTSCP")
{
	u32 lo, hi, aux;

	NEED(cpuid(0x80000001).d >> 27 & 1, "no RDTSCP");
	wrmsr(MSR_TSC_AUX, 0x1234567);
	asm volatile("rdtscp" : "=a"(lo), "=d"(hi), "=c"(aux));
	CHECK(aux == 0x1234567, "RDTSCP gives %x", aux);
	wrmsr(MSR_TSC_AUX, 0);
	return NULL;
}

TEST(msr_tsc_aux_absent, "msr: TSC_AUX is not there without RDTSCP and RDPID")
{
	bool there = (cpuid(0x80000001).d >> 27 & 1) || (cpuid(0).a >= 7 && (cpuid(7).c >> 22 & 1));
	int v;

	NEED(!there, "one of them is there");
	NEED(!plat.is_tcg, "QEMU's TCG has the register always");
	v = TRAP(rdmsr(MSR_TSC_AUX));
	CHECK(v == X86_EXC_GP, "RDMSR: vector %d", v);
	v = TRAP(wrmsr(MSR_TSC_AUX, 0));
	CHECK(v == X86_EXC_GP, "WRMSR: vector %d", v);
	return NULL;
}

/* By family alone, as kernels do that are older than the CPUID bits. */
TEST(msr_unasked, "msr: registers that kernels touch without a CPUID bit")
{
	u32 family = cpuid(1).a >> 8 & 0xf, i;
	u64 sum = 0;
	int v;

	if (cpuid(1).d >> 7 & 1) {
		v = TRAP(sum = rdmsr(0) + rdmsr(1));
		CHECK(v == -1, "P5_MC_ADDR or P5_MC_TYPE: vector %d", v);
	}
	if (plat.is_amd && family >= 6) {
		for (i = 0xc0010000; i < 0xc0010008; i++) {
			v = TRAP(wrmsr(i, 0); rdmsr(i));
			CHECK(v == -1, "K7 counter register %x: vector %d", i, v);
		}
		v = TRAP(sum = rdmsr(0xc0010015) + rdmsr(0xc0010010) + rdmsr(0x8b));
		CHECK(v == -1, "HWCR, SYSCFG or PATCH_LEVEL: vector %d", v);
	} else if (family >= 6) {
		v = TRAP(sum = rdmsr(0x17) + rdmsr(0x1a0) + rdmsr(0x8b));
		CHECK(v == -1, "PLATFORM_ID, MISC_ENABLE or BIOS_SIGN_ID: vector %d", v);
	}
	(void)sum;
	return NULL;
}

#ifdef __x86_64__
/* CPUID in user mode, then UD2; the vector says which of them ended it. */
static int cpuid_of_user(void)
{
	static const u8 code[] = { 0x0f, 0xa2, 0x0f, 0x0b };
	static u8 user_stack[512] __attribute__((aligned(16)));

	return TRAP(asm volatile("pushq %0; pushq %1; pushq $2; pushq %2; pushq %3; iretq"
				 :
				 : "r"((ulong)SEL_UDATA | 3), "r"((ulong)user_stack + 512),
				   "r"((ulong)SEL_UCODE | 3), "r"(code), "a"(0), "c"(0)
				 : "memory"));
}

TEST(msr_cpuid_faulting, "msr: CPUID faulting")
{
	u64 info = 0;
	int v = TRAP(info = rdmsr(0xce));

	NEED(v == -1 && (info >> 31 & 1), "not there");
	CHECK(rdmsr(0x140) == 0, "on at the start: %llx", rdmsr(0x140));
	v = cpuid_of_user();
	CHECK(v == X86_EXC_UD, "off, level 3: vector %d", v);
	wrmsr(0x140, 1);
	v = cpuid_of_user();
	CHECK(cpuid(0).a, "level 0 is refused, too");
	wrmsr(0x140, 0);
	CHECK(v == X86_EXC_GP, "on, level 3: vector %d", v);
	v = cpuid_of_user();
	CHECK(v == X86_EXC_UD, "off again: vector %d", v);
	v = TRAP(wrmsr(0x140, 2));
	CHECK(v == X86_EXC_GP, "a bit that is not there: vector %d", v);
	v = TRAP(wrmsr(0xce, info));
	CHECK(v == X86_EXC_GP, "write to PLATFORM_INFO: vector %d", v);
	return NULL;
}
#endif

TEST(msr_sysenter, "msr: SYSENTER, STAR and base registers hold values")
{
	CHECK(msr_holds(MSR_SYSENTER_CS, 0x1234), "SYSENTER_CS");
	CHECK(msr_holds(MSR_SYSENTER_ESP, 0x12345678), "SYSENTER_ESP");
	CHECK(msr_holds(MSR_SYSENTER_EIP, 0x87654321), "SYSENTER_EIP");
	NEED(cpuid(0x80000001).d >> 29 & 1, "no long mode");
	CHECK(msr_holds(MSR_STAR, 0x0010000800112233ull), "STAR");
	CHECK(msr_holds(MSR_LSTAR, 0xffff800012345678ull), "LSTAR");
	CHECK(msr_holds(MSR_SFMASK, 0x47700), "FMASK");
	CHECK(msr_holds(MSR_FS_BASE, 0x7fff12345678ull), "FS_BASE");
	CHECK(msr_holds(MSR_GS_BASE, 0xffff800000001000ull), "GS_BASE");
	CHECK(msr_holds(MSR_KERNEL_GS_BASE, 0x1000), "KERNEL_GS");
	return NULL;
}

TEST(msr_canonical, "msr: non-canonical addresses raise #GP")
{
	static const u32 msrs[] = { MSR_LSTAR, MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE };
	unsigned int i;

	NEED(cpuid(0x80000001).d >> 29 & 1, "no long mode");
	NEED(!plat.is_tcg, "QEMU's TCG does not check");
	for (i = 0; i < ARRAY_SIZE(msrs); i++) {
		int v = TRAP(wrmsr(msrs[i], 0x8000000000000000ull));

		NEED(v != -1 || plat.xen_version == 0, "TCG's SVM lets %x pass unchecked", msrs[i]);
		CHECK(v == X86_EXC_GP, "MSR %x: vector %d", msrs[i], v);
	}
	return NULL;
}

TEST(msr_unknown, "msr: unknown registers raise #GP(0)")
{
	static const u32 msrs[] = { 0x5, 0x1ff0, 0x40001000, 0xbad00bad, 0xc0002fff, 0xffffffff };
	unsigned int i;

	NEED(!plat.is_tcg, "QEMU's TCG reads unknown MSRs as zero");
	NEED(!plat.is_dom0, "dom0 reads what the machine has");
	for (i = 0; i < ARRAY_SIZE(msrs); i++) {
		int v = TRAP(rdmsr(msrs[i]));

		CHECK(v == X86_EXC_GP && !trap.error, "RDMSR %x: vector %d error %lx", msrs[i], v,
		      trap.error);
		v = TRAP(wrmsr(msrs[i], 0));
		CHECK(v == X86_EXC_GP && !trap.error, "WRMSR %x: vector %d error %lx", msrs[i], v,
		      trap.error);
	}
	return NULL;
}

TEST(msr_sweep, "msr: reading a range of registers only ever gives a value or #GP")
{
	u32 msr;
	int v;

	for (msr = 0; msr < 0x400; msr++) {
		v = TRAP(rdmsr(msr));
		CHECK(v == -1 || v == X86_EXC_GP, "MSR %x: vector %d", msr, v);
		v = TRAP(rdmsr(0xc0000000 + msr));
		CHECK(v == -1 || v == X86_EXC_GP, "MSR %x: vector %d", 0xc0000000 + msr, v);
		v = TRAP(rdmsr(0xc0010000 + msr));
		CHECK(v == -1 || v == X86_EXC_GP, "MSR %x: vector %d", 0xc0010000 + msr, v);
	}
	return NULL;
}
