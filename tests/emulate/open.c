// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which processor this is, and the table of what is not compared with it. A row names opcodes (with the groups
 * of ModRM.reg that it means), what stays open, on which condition, and why: a manual's section, or something
 * on the way to the processor (the kernel, a hypervisor) that this test cannot see.
 */
#include <cpuid.h>
#include <string.h>
#include <sys/mman.h>

#include "harness.h"
#include "open.h"

#define CF    0x001U
#define PF    0x004U
#define AF    0x010U
#define ZF    0x040U
#define SF    0x080U
#define OF    0x800U
#define ARITH (CF | PF | AF | ZF | SF | OF)

enum open_what {
	OPEN_ALL,      /* not executed */
	OPEN_FLAGS,    /* .flags */
	OPEN_REGISTER, /* the register in ModRM.reg */
	OPEN_FAULT,    /* faults by #SS or another exception */
};

#define ANY_GROUP 0xff

struct open_rule {
	uint8_t what; /* enum open_what */
	uint16_t first, last;
	uint8_t groups; /* bit per value of ModRM.reg & 7 */
	uint16_t flags;
	bool (*when)(const struct open_case *c); /* NULL: always */
	const char *why;
};

static bool prefixed(const struct open_case *c, unsigned int prefixes)
{
	return c->insn->prefixes & prefixes;
}

static bool lacks(const struct open_case *c, uint32_t feature)
{
	return !(c->cpu->features & feature);
}

static bool is_intel(const struct open_case *c)
{
	return !c->cpu->amd;
}

static bool has_rep(const struct open_case *c)
{
	return prefixed(c, X86_PFX_REP | X86_PFX_REPNE);
}

static bool rep_and_rex_b(const struct open_case *c)
{
	return has_rep(c) && c->insn->rex & X86_REX_B;
}

static bool no_popcnt(const struct open_case *c)
{
	return prefixed(c, X86_PFX_REP) && lacks(c, X86_FEAT_POPCNT);
}

static bool no_tzcnt(const struct open_case *c)
{
	return prefixed(c, X86_PFX_REP) && lacks(c, X86_FEAT_BMI1);
}

static bool no_lzcnt(const struct open_case *c)
{
	return prefixed(c, X86_PFX_REP) && lacks(c, X86_FEAT_LZCNT);
}

static bool no_movbe_or_crc32(const struct open_case *c)
{
	return lacks(c, prefixed(c, X86_PFX_REPNE) ? X86_FEAT_SSE42 : X86_FEAT_MOVBE);
}

static bool no_movdiri(const struct open_case *c)
{
	return lacks(c, X86_FEAT_MOVDIRI);
}

static bool no_cmpxchg16b(const struct open_case *c)
{
	return c->insn->rex & X86_REX_W && lacks(c, X86_FEAT_CX16);
}

static bool no_avx(const struct open_case *c)
{
	return prefixed(c, X86_PFX_VEX) && (lacks(c, X86_FEAT_AVX) || !c->cpu->ymm);
}

static bool no_avx2(const struct open_case *c)
{
	return prefixed(c, X86_PFX_VEX) && c->insn->vex_l && lacks(c, X86_FEAT_AVX2);
}

static bool no_lddqu(const struct open_case *c)
{
	return prefixed(c, X86_PFX_REPNE) && !prefixed(c, X86_PFX_VEX) && !c->cpu->sse3;
}

static bool no_movntdqa(const struct open_case *c)
{
	return !prefixed(c, X86_PFX_VEX) && !c->cpu->sse41;
}

static bool no_lahf64(const struct open_case *c)
{
	return c->code_bits == 64 && !c->cpu->lahf64;
}

/* Of the size that the instruction could have at most. */
static bool locked_unaligned(const struct open_case *c)
{
	bool xchg = (c->insn->opcode & ~1) == 0x86;
	unsigned int bytes = c->insn->op_bytes;

	if (c->insn->opcode == 0x0fc7)
		bytes = c->insn->rex & X86_REX_W ? 16 : 8;
	return c->insn->is_mem && (prefixed(c, X86_PFX_LOCK) || xchg) && c->insn->ea & (bytes - 1);
}

static bool dr4_or_dr5(const struct open_case *c)
{
	return (c->insn->reg & ~1) == 4;
}

static bool no_such_cr(const struct open_case *c)
{
	return c->insn->reg > 8 || !(0x11d >> c->insn->reg & 1) || prefixed(c, X86_PFX_LOCK);
}

static bool is_bit16(const struct open_case *c)
{
	return c->insn->op_bytes == 2;
}

/* The count of a shift as the processor masks it, and the operand's width. */
static unsigned int shift_count(const struct open_case *c, unsigned int *width)
{
	unsigned int op = c->insn->opcode, count = (unsigned int)c->insn->imm;

	*width = op < 0x100 && !(op & 1) ? 8 : 8 * c->insn->op_bytes;
	if (op == 0xd0 || op == 0xd1)
		count = 1;
	else if (op == 0xd2 || op == 0xd3 || op == 0x0fa5 || op == 0x0fad)
		count = (unsigned int)c->before->gpr[X86_RCX];
	return count & (*width == 64 ? 63 : 31);
}

static bool shifts(const struct open_case *c)
{
	unsigned int width;

	return shift_count(c, &width) > 0;
}

static bool shifts_not_by_one(const struct open_case *c)
{
	unsigned int width;

	return shift_count(c, &width) > 1;
}

static bool shifts_all_out(const struct open_case *c)
{
	unsigned int width;

	return shift_count(c, &width) >= width;
}

static bool shifts_too_far(const struct open_case *c)
{
	unsigned int width;

	return shift_count(c, &width) > width;
}

static bool is_scan(const struct open_case *c)
{
	uint32_t newer = c->insn->opcode == 0x0fbc ? X86_FEAT_BMI1 : X86_FEAT_LZCNT;

	return !prefixed(c, X86_PFX_REP) || lacks(c, newer);
}

static bool is_count(const struct open_case *c)
{
	return !is_scan(c);
}

static bool intel_scans_zero(const struct open_case *c)
{
	return is_intel(c) && is_scan(c) && c->flags_after & ZF;
}

static bool interrupted(const struct open_case *c)
{
	return c->rc == X86EMUL_DONE;
}

static bool ss_in_32_bits(const struct open_case *c)
{
	return c->code_bits == 32 && c->vector == 12;
}

static bool misaligned_in_ss(const struct open_case *c)
{
	return c->insn->is_mem && c->insn->seg == X86_SEG_SS &&
	       (c->vector == 12 || c->vector == 13);
}

static bool has_memory(const struct open_case *c)
{
	return c->insn->is_mem;
}

static bool endbr_or_rdssp(const struct open_case *c)
{
	return prefixed(c, X86_PFX_REP) && !c->insn->is_mem;
}

/* clang-format off */
static const struct open_rule rules[] = {
	/* Not executed. */
	{ OPEN_ALL, 0x90, 0x90, ANY_GROUP, 0, rep_and_rex_b,
	  "SDM 2, 2.1.1: F2 and F3 here are reserved; AMD exchanges, Intel pauses" },
	{ OPEN_ALL, 0xe0, 0xe1, ANY_GROUP, 0, has_rep,
	  "SDM 2, 2.1.1; on AMD F2 and F3 replace the condition of LOOPcc" },
	{ OPEN_ALL, 0xc0, 0xc1, 1 << 6, 0, is_intel, "SDM 2, table A-6 has no group 2 /6" },
	{ OPEN_ALL, 0xd0, 0xd3, 1 << 6, 0, is_intel, "SDM 2, table A-6 has no group 2 /6" },
	{ OPEN_ALL, 0xf6, 0xf7, 1 << 1, 0, is_intel, "SDM 2, table A-6 has no group 3 /1" },
	{ OPEN_ALL, 0xd6, 0xd6, ANY_GROUP, 0, is_intel, "SDM 2, table A-2 has no SALC" },
	{ OPEN_ALL, 0x0f1a, 0x0f1b, ANY_GROUP, 0, NULL, "SDM 2, BND*: NOP unless MPX is on" },
	{ OPEN_ALL, 0x0f1e, 0x0f1e, ANY_GROUP, 0, endbr_or_rdssp, "SDM 2, RDSSP: NOP unless CET is on" },
	{ OPEN_ALL, 0x0f20, 0x0f20, ANY_GROUP, 0, no_such_cr, "SDM 3, 6.9: #UD and #GP both apply" },
	{ OPEN_ALL, 0x0f22, 0x0f22, ANY_GROUP, 0, no_such_cr, "SDM 3, 6.9: #UD and #GP both apply" },
	{ OPEN_ALL, 0x0f21, 0x0f21, ANY_GROUP, 0, dr4_or_dr5, "SDM 3, 6.9: #UD and #GP both apply" },
	{ OPEN_ALL, 0x0f23, 0x0f23, ANY_GROUP, 0, dr4_or_dr5, "SDM 3, 6.9: #UD and #GP both apply" },
	{ OPEN_ALL, 0x0fc8, 0x0fcf, ANY_GROUP, 0, is_bit16, "SDM 2, BSWAP; APM 3, BSWAP: 16 bits" },
	{ OPEN_ALL, 0x0fa4, 0x0fa5, ANY_GROUP, 0, shifts_too_far, "SDM 2, SHLD: count above the width" },
	{ OPEN_ALL, 0x0fac, 0x0fad, ANY_GROUP, 0, shifts_too_far, "SDM 2, SHRD: count above the width" },
	{ OPEN_ALL, 0x0000, 0xffff, ANY_GROUP, 0, locked_unaligned,
	  "SDM 3, 9.1.2.3 (#AC for split locks): what the kernel does then is its policy" },
	/* CPUID says no: a hypervisor may only hide it, and the processor does it all the same. */
	{ OPEN_ALL, 0x9e, 0x9f, ANY_GROUP, 0, no_lahf64, "SDM 2, LAHF; CPUID 80000001 ecx 0" },
	{ OPEN_ALL, 0x0ff0, 0x0ff0, ANY_GROUP, 0, no_lddqu, "SDM 2, LDDQU; CPUID 1 ecx 0" },
	{ OPEN_ALL, 0x382a, 0x382a, ANY_GROUP, 0, no_movntdqa, "SDM 2, MOVNTDQA; CPUID 1 ecx 19" },
	{ OPEN_ALL, 0x0fb8, 0x0fb8, ANY_GROUP, 0, no_popcnt, "SDM 2, POPCNT; CPUID 1 ecx 23" },
	{ OPEN_ALL, 0x0fbc, 0x0fbc, ANY_GROUP, 0, no_tzcnt, "SDM 2, TZCNT; CPUID 7 ebx 3" },
	{ OPEN_ALL, 0x0fbd, 0x0fbd, ANY_GROUP, 0, no_lzcnt, "SDM 2, LZCNT; CPUID 80000001 ecx 5" },
	{ OPEN_ALL, 0x38f0, 0x38f1, ANY_GROUP, 0, no_movbe_or_crc32, "SDM 2; CPUID 1 ecx 20, 22" },
	{ OPEN_ALL, 0x38f9, 0x38f9, ANY_GROUP, 0, no_movdiri, "SDM 2; CPUID 7 ecx 27" },
	{ OPEN_ALL, 0x0fc7, 0x0fc7, ANY_GROUP, 0, no_cmpxchg16b, "SDM 2; CPUID 1 ecx 13" },
	{ OPEN_ALL, 0x0000, 0xffff, ANY_GROUP, 0, no_avx, "SDM 1, 14.3; CPUID 1 ecx 27, 28" },
	{ OPEN_ALL, 0x0f60, 0x0fff, ANY_GROUP, 0, no_avx2, "SDM 1, 14.7; CPUID 7 ebx 5" },
	{ OPEN_ALL, 0x382a, 0x382a, ANY_GROUP, 0, no_avx2, "SDM 1, 14.7; CPUID 7 ebx 5" },

	/* Flags: the union of both manuals' "undefined". */
	{ OPEN_FLAGS, 0xc0, 0xc1, 0x0f, OF, shifts_not_by_one, "SDM 2, RCL" },
	{ OPEN_FLAGS, 0xd0, 0xd3, 0x0f, OF, shifts_not_by_one, "SDM 2, RCL" },
	{ OPEN_FLAGS, 0xc0, 0xc1, 0xf0, AF, shifts, "SDM 2, SAL" },
	{ OPEN_FLAGS, 0xd0, 0xd3, 0xf0, AF, shifts, "SDM 2, SAL" },
	{ OPEN_FLAGS, 0xc0, 0xc1, 0xf0, OF, shifts_not_by_one, "SDM 2, SAL" },
	{ OPEN_FLAGS, 0xd0, 0xd3, 0xf0, OF, shifts_not_by_one, "SDM 2, SAL" },
	{ OPEN_FLAGS, 0xc0, 0xc1, 0xf0, CF, shifts_all_out, "SDM 2, SAL" },
	{ OPEN_FLAGS, 0xd0, 0xd3, 0xf0, CF, shifts_all_out, "SDM 2, SAL" },
	{ OPEN_FLAGS, 0x0fa4, 0x0fa5, ANY_GROUP, AF, shifts, "SDM 2, SHLD" },
	{ OPEN_FLAGS, 0x0fac, 0x0fad, ANY_GROUP, AF, shifts, "SDM 2, SHRD" },
	{ OPEN_FLAGS, 0x0fa4, 0x0fa5, ANY_GROUP, OF, shifts_not_by_one, "SDM 2, SHLD" },
	{ OPEN_FLAGS, 0x0fac, 0x0fad, ANY_GROUP, OF, shifts_not_by_one, "SDM 2, SHRD" },
	{ OPEN_FLAGS, 0x0fa4, 0x0fa5, ANY_GROUP, CF, shifts_all_out, "APM 3, SHLD" },
	{ OPEN_FLAGS, 0x0fac, 0x0fad, ANY_GROUP, CF, shifts_all_out, "APM 3, SHRD" },
	{ OPEN_FLAGS, 0xf6, 0xf7, 0x03, AF, NULL, "SDM 2, TEST" },
	{ OPEN_FLAGS, 0xf6, 0xf7, 0x30, SF | ZF | AF | PF, NULL, "SDM 2, MUL and IMUL" },
	{ OPEN_FLAGS, 0xf6, 0xf7, 0xc0, ARITH, NULL, "SDM 2, DIV and IDIV" },
	{ OPEN_FLAGS, 0x69, 0x69, ANY_GROUP, SF | ZF | AF | PF, NULL, "SDM 2, IMUL" },
	{ OPEN_FLAGS, 0x6b, 0x6b, ANY_GROUP, SF | ZF | AF | PF, NULL, "SDM 2, IMUL" },
	{ OPEN_FLAGS, 0x0faf, 0x0faf, ANY_GROUP, SF | ZF | AF | PF, NULL, "SDM 2, IMUL" },
	{ OPEN_FLAGS, 0x0fa3, 0x0fa3, ANY_GROUP, ARITH & ~CF, NULL, "APM 3, BT; SDM 2 keeps ZF" },
	{ OPEN_FLAGS, 0x0fab, 0x0fab, ANY_GROUP, ARITH & ~CF, NULL, "APM 3, BTS; SDM 2 keeps ZF" },
	{ OPEN_FLAGS, 0x0fb3, 0x0fb3, ANY_GROUP, ARITH & ~CF, NULL, "APM 3, BTR; SDM 2 keeps ZF" },
	{ OPEN_FLAGS, 0x0fba, 0x0fbb, ANY_GROUP, ARITH & ~CF, NULL, "APM 3, BTC; SDM 2 keeps ZF" },
	{ OPEN_FLAGS, 0x0fbc, 0x0fbd, ANY_GROUP, ARITH & ~ZF, is_scan, "SDM 2, BSF and BSR" },
	{ OPEN_FLAGS, 0x0fbc, 0x0fbd, ANY_GROUP, OF | SF | AF | PF, is_count, "SDM 2, TZCNT and LZCNT" },
	{ OPEN_FLAGS, 0x27, 0x27, ANY_GROUP, OF, NULL, "SDM 2, DAA" },
	{ OPEN_FLAGS, 0x2f, 0x2f, ANY_GROUP, OF, NULL, "SDM 2, DAS" },
	{ OPEN_FLAGS, 0x37, 0x37, ANY_GROUP, OF | SF | ZF | PF, NULL, "SDM 2, AAA" },
	{ OPEN_FLAGS, 0x3f, 0x3f, ANY_GROUP, OF | SF | ZF | PF, NULL, "SDM 2, AAS" },
	{ OPEN_FLAGS, 0xd4, 0xd5, ANY_GROUP, OF | AF | CF, NULL, "SDM 2, AAM and AAD" },
	{ OPEN_FLAGS, 0x84, 0x85, ANY_GROUP, AF, NULL, "SDM 2, TEST" },
	{ OPEN_FLAGS, 0xa8, 0xa9, ANY_GROUP, AF, NULL, "SDM 2, TEST" },
	{ OPEN_FLAGS, 0x80, 0x83, 1 << 1 | 1 << 4 | 1 << 6, AF, NULL, "SDM 2, OR, AND, XOR" },
	{ OPEN_FLAGS, 0x08, 0x0d, ANY_GROUP, AF, NULL, "SDM 2, OR" },
	{ OPEN_FLAGS, 0x20, 0x25, ANY_GROUP, AF, NULL, "SDM 2, AND" },
	{ OPEN_FLAGS, 0x30, 0x35, ANY_GROUP, AF, NULL, "SDM 2, XOR" },
	{ OPEN_FLAGS, 0xa6, 0xa7, ANY_GROUP, ARITH, interrupted,
	  "SDM 2, REP: Intel restores EFLAGS of an interrupted CMPS; the rest overwrites them anyway" },
	{ OPEN_FLAGS, 0xae, 0xaf, ANY_GROUP, ARITH, interrupted,
	  "SDM 2, REP: Intel restores EFLAGS of an interrupted SCAS; the rest overwrites them anyway" },

	{ OPEN_REGISTER, 0x0fbc, 0x0fbd, ANY_GROUP, 0, intel_scans_zero,
	  "SDM 2, BSF and BSR: source 0 leaves the destination undefined (APM 3: unchanged)" },

	/* Which exception. */
	{ OPEN_FAULT, 0x0000, 0xffff, ANY_GROUP, 0, ss_in_32_bits,
	  "SDM 3, 5.3: across the end of a 4 GiB segment a limit check may be left out" },
	{ OPEN_FAULT, 0x0f10, 0x0fff, ANY_GROUP, 0, misaligned_in_ss,
	  "SDM 3, 6.9: alignment (#GP) and address (#SS) fault in any order" },
	{ OPEN_FAULT, 0x382a, 0x382a, ANY_GROUP, 0, misaligned_in_ss,
	  "SDM 3, 6.9: alignment (#GP) and address (#SS) fault in any order" },
	{ OPEN_FAULT, 0xc8, 0xc9, ANY_GROUP, 0, NULL, "SDM 3, 6.9: several stack accesses" },
	{ OPEN_FAULT, 0x60, 0x61, ANY_GROUP, 0, NULL, "SDM 3, 6.9: several stack accesses" },
	{ OPEN_FAULT, 0xa4, 0xa7, ANY_GROUP, 0, NULL, "SDM 3, 6.9: two memory operands" },
	{ OPEN_FAULT, 0x8f, 0x8f, ANY_GROUP, 0, has_memory, "SDM 3, 6.9: stack and operand" },
	{ OPEN_FAULT, 0xff, 0xff, 1 << 2 | 1 << 6, 0, has_memory, "SDM 3, 6.9: stack and operand" },
	{ OPEN_FAULT, 0xe8, 0xe8, ANY_GROUP, 0, NULL, "SDM 3, 6.9: stack and target" },
	{ OPEN_FAULT, 0xff, 0xff, 1 << 2, 0, NULL, "SDM 3, 6.9: stack and target" },
};
/* clang-format on */

static bool applies(const struct open_rule *r, const struct open_case *c)
{
	return c->insn->opcode >= r->first && c->insn->opcode <= r->last &&
	       r->groups >> (c->insn->reg & 7) & 1 && (!r->when || r->when(c));
}

static bool any(const struct open_case *c, enum open_what what)
{
	for (unsigned int i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (rules[i].what == what && applies(&rules[i], c))
			return true;
	}
	return false;
}

bool open_not_compared(const struct open_case *c)
{
	return any(c, OPEN_ALL);
}

uint64_t open_flags(const struct open_case *c)
{
	uint64_t flags = 0;

	for (unsigned int i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (rules[i].what == OPEN_FLAGS && applies(&rules[i], c))
			flags |= rules[i].flags;
	}
	return flags;
}

bool open_register(const struct open_case *c)
{
	return any(c, OPEN_REGISTER);
}

bool open_fault(const struct open_case *c)
{
	return any(c, OPEN_FAULT);
}

/* A page above 47 bits can be had where the kernel uses 5-level tables. */
static uint8_t kernel_va_bits(void)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	/* cppcheck-suppress invalidFunctionArg ; an anonymous mapping has no file */
	void *p = mmap((void *)(1UL << 52), 0x1000, PROT_NONE, flags, -1, 0);

	if (p == MAP_FAILED)
		return 48;
	munmap(p, 0x1000);
	return (uintptr_t)p >> 47 ? 57 : 48;
}

static uint32_t xcr0(void)
{
	uint32_t low, high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low;
}

static void hypervisor_detect(struct native_cpu *cpu)
{
	unsigned int a, name[3];

	__cpuid(0x40000000, a, name[0], name[1], name[2]);
	cpu->emulated = !memcmp(name, "TCGTCGTCGTCG", 12);
}

void native_cpu_detect(struct native_cpu *cpu)
{
	unsigned int a, b, c, d, max;
	uint32_t f = X86_FEAT_MMX | X86_FEAT_SSE;

	memset(cpu, 0, sizeof(*cpu));
	__cpuid(0, max, b, c, d);
	cpu->amd = b == signature_AMD_ebx || b == 0x6f677948; /* "Hygo" */
	__cpuid(1, a, b, c, d);
	f |= (c & bit_CMPXCHG16B ? X86_FEAT_CX16 : 0) | (c & bit_MOVBE ? X86_FEAT_MOVBE : 0) |
	     (c & bit_POPCNT ? X86_FEAT_POPCNT : 0) | (c & bit_SSE4_2 ? X86_FEAT_SSE42 : 0) |
	     (c & bit_AVX ? X86_FEAT_AVX : 0);
	cpu->ymm = c & bit_OSXSAVE && (xcr0() & 6) == 6;
	cpu->sse3 = c & bit_SSE3;
	cpu->sse41 = c & bit_SSE4_1;
	if (c & 1U << 31)
		hypervisor_detect(cpu);
	if (max >= 7) {
		__cpuid_count(7, 0, a, b, c, d);
		f |= b & bit_AVX2 ? X86_FEAT_AVX2 : 0;
		f |= (b & bit_BMI ? X86_FEAT_BMI1 : 0) | (c & bit_MOVDIRI ? X86_FEAT_MOVDIRI : 0);
	}
	__cpuid(0x80000001, a, b, c, d);
	f |= (c & bit_LZCNT ? X86_FEAT_LZCNT : 0) | (c & 1U << 4 ? X86_FEAT_CR8_LEGACY : 0);
	cpu->lahf64 = c & bit_LAHF_LM;
	cpu->features = f;
	cpu->va_bits = kernel_va_bits();
}
