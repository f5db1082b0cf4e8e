// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SYSCALL, SYSRET, SYSENTER and SYSEXIT in each mode of both vendors against what their manuals say (SDM volume 2,
 * APM volume 3): where to, with which segments and flags, and where they do not exist.
 */
#include "harness.h"

#define CODE	0x100
#define I(s)	s, sizeof(s) - 1
#define INTEL	X86_VENDOR_INTEL
#define AMD	X86_VENDOR_AMD
#define GP	(0x100 + 13)
#define UD	(0x100 + 6)
#define OK	X86EMUL_OKAY
#define KERNEL	0xffffffff80001000ULL
#define STACK	0xffffffff80002000ULL
#define COMPAT	0xffffffff80003000ULL
#define USER	0x00007f1122334455ULL
#define CODE64	0xa9b
#define CODE32	0xc9b
#define DATA32	0xc93
#define AS_USER 0x060

static const struct machine_msr msrs[] = {
	{ 0x174, 0x60 },
	{ 0x175, STACK },
	{ 0x176, KERNEL },
	{ 0xc0000080, 0x501 },
	{ 0xc0000081, 0x0023001080004000ULL },
	{ 0xc0000082, KERNEL },
	{ 0xc0000083, COMPAT },
	{ 0xc0000084, 0x00040700 },
	{ 0 },
};

static const struct machine_msr no_msrs[] = {
	{ 0x174, 3 }, { 0xc0000080, 0x500 }, { 0xc0000081, 0x0023001080004000ULL }, { 0 }
};

static struct machine m;
static uint8_t memory[0x1000];

struct syscall_case {
	const char *name;
	uint8_t vendor, mode, bits, cpl;
	const char *bytes;
	uint8_t len;
	int rc;
	uint16_t cs, ss, cs_attr, ss_attr;
	uint64_t rip, rsp, rcx, r11, flags;
};

/* Before: rcx USER, rdx USER + 1, rsp 800, r11 75ad7, flags 10247 (RF, IF, ZF, PF, CF). */
#define RCX USER
#define R11 0x75ad7
#define FL  0x10247
#define L64 X86_MODE_LONG, 64
#define L32 X86_MODE_LONG, 32
#define P32 X86_MODE_PROT, 32

/* clang-format off */
#define NOTHING	 0, 0, 0, 0, CODE, 0x800, RCX, R11, FL
#define SYSCALL	 I("\x0f\x05")
#define SYSRET	 I("\x0f\x07")
#define SYSRETQ	 I("\x48\x0f\x07")
#define SYSENTER I("\x0f\x34")
#define SYSEXIT	 I("\x0f\x35")
#define SYSEXITQ I("\x48\x0f\x35")
static const struct syscall_case cases[] = {
	{ "syscall 64", INTEL, L64, 3, SYSCALL, OK, 0x10, 0x18, CODE64, DATA32, KERNEL, 0x800, CODE + 2, 0x247, 0x47 },
	{ "syscall 64", AMD, L64, 3, SYSCALL, OK, 0x10, 0x18, CODE64, DATA32, KERNEL, 0x800, CODE + 2, 0x247, 0x47 },
	{ "syscall compat", INTEL, L32, 3, SYSCALL, UD, NOTHING },
	{ "syscall compat", AMD, L32, 3, SYSCALL, OK, 0x10, 0x18, CODE64, DATA32, COMPAT, 0x800, CODE + 2, 0x247, 0x47 },
	{ "syscall legacy", INTEL, P32, 3, SYSCALL, UD, NOTHING },
	{ "syscall legacy", AMD, P32, 3, SYSCALL, OK, 0x10, 0x18, CODE32, DATA32, 0x80004000, 0x800, CODE + 2, R11, 0x47 },
	{ "syscall real", AMD, X86_MODE_REAL, 16, 0, SYSCALL, UD, NOTHING },
	{ "sysretq", INTEL, L64, 0, SYSRETQ, OK, 0x33, 0x2b, CODE64 | AS_USER, DATA32 | AS_USER, USER, 0x800, RCX, R11, 0x45ad7 & 0x3c7fd7 },
	{ "sysretq", AMD, L64, 0, SYSRETQ, OK, 0x33, 0x2b, CODE64 | AS_USER, 0xc92 | AS_USER, USER, 0x800, RCX, R11, 0x45ad7 },
	{ "sysretl", INTEL, L64, 0, SYSRET, OK, 0x23, 0x2b, CODE32 | AS_USER, DATA32 | AS_USER, (uint32_t)USER, 0x800, RCX, R11, 0x45ad7 & 0x3c7fd7 },
	{ "sysretl", AMD, L64, 0, SYSRET, OK, 0x23, 0x2b, CODE32 | AS_USER, 0xc92 | AS_USER, (uint32_t)USER, 0x800, RCX, R11, 0x45ad7 },
	{ "sysret legacy", AMD, P32, 0, SYSRET, OK, 0x23, 0x2b, CODE32 | AS_USER, 0xc92 | AS_USER, (uint32_t)USER, 0x800, RCX, R11, 0x247 },
	{ "sysret legacy", INTEL, P32, 0, SYSRET, UD, NOTHING },
	{ "sysret compat", INTEL, L32, 0, SYSRET, UD, NOTHING },
	{ "sysret cpl 3", INTEL, L64, 3, SYSRETQ, GP, NOTHING },
	{ "sysret cpl 3", AMD, L64, 3, SYSRETQ, GP, NOTHING },
	{ "sysenter 64", INTEL, L64, 3, SYSENTER, OK, 0x60, 0x68, CODE64, DATA32, KERNEL, STACK, RCX, R11, 0x47 },
	{ "sysenter 64", AMD, L64, 3, SYSENTER, UD, NOTHING },
	{ "sysenter compat", INTEL, L32, 3, SYSENTER, OK, 0x60, 0x68, CODE64, DATA32, KERNEL, STACK, RCX, R11, 0x47 },
	{ "sysenter compat", AMD, L32, 3, SYSENTER, UD, NOTHING },
	{ "sysenter legacy", INTEL, P32, 3, SYSENTER, OK, 0x60, 0x68, CODE32, DATA32, (uint32_t)KERNEL, (uint32_t)STACK, RCX, R11, 0x47 },
	{ "sysenter legacy", AMD, P32, 3, SYSENTER, OK, 0x60, 0x68, CODE32, DATA32, (uint32_t)KERNEL, (uint32_t)STACK, RCX, R11, 0x47 },
	{ "sysenter real", INTEL, X86_MODE_REAL, 16, 0, SYSENTER, GP, NOTHING },
	{ "sysexitq", INTEL, L64, 0, SYSEXITQ, OK, 0x83, 0x8b, CODE64 | AS_USER, DATA32 | AS_USER, USER + 1, USER, RCX, R11, 0x247 },
	{ "sysexitl", INTEL, L64, 0, SYSEXIT, OK, 0x73, 0x7b, CODE32 | AS_USER, DATA32 | AS_USER, (uint32_t)USER + 1, (uint32_t)USER, RCX, R11, 0x247 },
	{ "sysexitq", AMD, L64, 0, SYSEXITQ, UD, NOTHING },
	{ "sysexit legacy", INTEL, P32, 0, SYSEXIT, OK, 0x73, 0x7b, CODE32 | AS_USER, DATA32 | AS_USER, (uint32_t)USER + 1, (uint32_t)USER, RCX, R11, 0x247 },
	{ "sysexit legacy", AMD, P32, 0, SYSEXIT, OK, 0x73, 0x7b, CODE32 | AS_USER, DATA32 | AS_USER, (uint32_t)USER + 1, (uint32_t)USER, RCX, R11, 0x247 },
	{ "sysexit cpl 3", INTEL, P32, 3, SYSEXIT, GP, NOTHING },
	{ "sysexit cpl 3", AMD, P32, 3, SYSEXIT, GP, NOTHING },
};

/* clang-format on */

static int run(const struct syscall_case *c)
{
	int rc;

	machine_init(&m, c->mode, c->bits);
	m.ctxt.vendor = c->vendor;
	m.ctxt.cpl = c->cpl;
	m.msrs = msrs;
	memset(memory, 0, sizeof(memory));
	memcpy(memory + CODE, c->bytes, c->len);
	m.mem = memory;
	m.mem_size = sizeof(memory);
	m.seg[X86_SEG_SS].attr = 0xc92; /* one that no instruction here would load */
	m.regs.rip = CODE;
	m.regs.rflags = FL;
	m.regs.gpr[X86_RSP] = 0x800;
	m.regs.gpr[X86_RCX] = RCX;
	m.regs.gpr[X86_RDX] = RCX + 1;
	m.regs.gpr[X86_R11] = R11;
	rc = x86_emulate(&m.ctxt, &machine_ops);
	return rc == X86EMUL_EXCEPTION ? 0x100 + m.ctxt.event.vector : rc;
}

static void same(const struct syscall_case *c, const char *what, uint64_t got, uint64_t want)
{
	test_result(got == want, "%s, vendor %u: %s is %llx, want %llx", c->name, c->vendor, what,
		    (unsigned long long)got, (unsigned long long)want);
}

static void check(const struct syscall_case *c)
{
	const struct x86_segment *cs = &m.seg[X86_SEG_CS], *ss = &m.seg[X86_SEG_SS];

	same(c, "result", (uint64_t)run(c), (uint64_t)c->rc);
	same(c, "rip", m.regs.rip, c->rip);
	same(c, "rsp", m.regs.gpr[X86_RSP], c->rsp);
	same(c, "rcx", m.regs.gpr[X86_RCX], c->rcx);
	same(c, "r11", m.regs.gpr[X86_R11], c->r11);
	same(c, "flags", m.regs.rflags, c->flags);
	if (c->rc != OK)
		return;
	same(c, "cs", cs->sel, c->cs);
	same(c, "ss", ss->sel, c->ss);
	same(c, "cs attributes", cs->attr, c->cs_attr);
	same(c, "ss attributes", ss->attr, c->ss_attr);
	same(c, "cs limit", cs->limit, ~0U);
	same(c, "cs base", cs->base, 0);
}

/* Not switched on: EFER.SCE clear, no segment in MSR 174. */
static void switched_off(void)
{
	static const struct {
		const char *bytes;
		uint8_t cpl, mode, bits;
		unsigned int vector;
	} off[] = { { "\x0f\x05", 3, X86_MODE_LONG, 64, 6 },
		    { "\x0f\x07", 0, X86_MODE_LONG, 64, 6 },
		    { "\x0f\x34", 3, X86_MODE_PROT, 32, 13 },
		    { "\x0f\x35", 0, X86_MODE_PROT, 32, 13 } };

	for (unsigned int i = 0; i < 4; i++) {
		machine_init(&m, off[i].mode, off[i].bits);
		m.ctxt.cpl = off[i].cpl;
		m.msrs = no_msrs;
		memcpy(memory + CODE, off[i].bytes, 2);
		m.mem = memory;
		m.mem_size = sizeof(memory);
		m.regs.rip = CODE;
		test_result(x86_emulate(&m.ctxt, &machine_ops) == X86EMUL_EXCEPTION &&
				    m.ctxt.event.vector == off[i].vector,
			    "0f %02x switched off: vector %u, want %u", (uint8_t)off[i].bytes[1],
			    m.ctxt.event.vector, off[i].vector);
	}
}

/* Addresses that are none, and TF: SFMASK takes it before SYSCALL would trap. */
static void odd(void)
{
	struct syscall_case c = { "sysretq", INTEL, L64, 0, SYSRETQ, OK, NOTHING };

	run(&c);
	m.ctxt.insn_avail = 0;
	m.ctxt.cpl = 0;
	m.regs.rip = CODE;
	m.regs.gpr[X86_RCX] = 1ULL << 47;
	test_result(x86_emulate(&m.ctxt, &machine_ops) == X86EMUL_EXCEPTION &&
			    m.ctxt.event.vector == 13,
		    "sysret to no address on Intel");
	m.ctxt.vendor = AMD;
	test_result(x86_emulate(&m.ctxt, &machine_ops) == X86EMUL_OKAY && m.regs.rip == 1ULL << 47,
		    "sysret to no address on AMD");
	c.bytes = "\x0f\x05";
	c.len = 2;
	c.cpl = 3;
	run(&c);
	m.ctxt.insn_avail = 0;
	m.regs.rip = CODE;
	m.regs.rflags = 0x302;
	test_result(x86_emulate(&m.ctxt, &machine_ops) == X86EMUL_OKAY &&
			    !m.ctxt.retire.singlestep && m.regs.rflags == 2,
		    "syscall with TF: flags %llx", (unsigned long long)m.regs.rflags);
}

void test_syscall(void)
{
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check(&cases[i]);
	switched_off();
	odd();
}
