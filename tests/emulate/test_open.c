// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where the vendors differ, and where they leave a case open: what the emulator does as the one and as the
 * other, on any processor, and that the comparison with the processor (test_native.c) looks away exactly there.
 */
#include "harness.h"
#include "open.h"

#define CODE  0x100
#define DATA  0x2000
#define DS_AT 0x10
#define I(s)  s, sizeof(s) - 1
#define INTEL X86_VENDOR_INTEL
#define AMD   X86_VENDOR_AMD
#define EXC   0x100 /* + vector */

static struct machine m;
static uint8_t memory[0x4000];

/* Registers before: rax 1111222233334444, rcx 5, rbx 2000, rsi 2000, rdi 2100, rsp 3000, r8 5555666677778888. */
static void set_up(unsigned int vendor, unsigned int code_bits, const char *bytes, unsigned int len)
{
	static const uint64_t descriptor = 0x00cf93000000ffff;

	machine_init(&m, X86_MODE_LONG, code_bits);
	m.ctxt.vendor = vendor;
	memset(memory, 0x11, sizeof(memory));
	memcpy(memory + CODE, bytes, len);
	memcpy(memory + 0x1000 + DS_AT, &descriptor, 8);
	memset(memory + DATA, 0x44, 0x100); /* far pointer 44444444:0010 or 10444444444444:0010 */
	memcpy(memory + DATA + 4, "\x10\x00", 2);
	memcpy(memory + DATA + 8, "\x10\x00", 2);
	m.mem = memory;
	m.mem_size = sizeof(memory);
	m.regs.rip = CODE;
	m.seg[X86_SEG_GDTR] = (struct x86_segment){ .base = 0x1000, .limit = 0xff };
	m.regs.gpr[X86_RAX] = 0x1111222233334444;
	m.regs.gpr[X86_R8] = 0x5555666677778888;
	m.regs.gpr[X86_RCX] = 5;
	m.regs.gpr[X86_RBX] = DATA;
	m.regs.gpr[X86_RSI] = DATA;
	m.regs.gpr[X86_RDI] = DATA + 0x100;
	m.regs.gpr[X86_RSP] = 0x3000;
	m.regs.rflags = 0x3d7;
}

enum {
	RAX = X86_RAX,
	RCX = X86_RCX,
	RDI = X86_RDI,
	RSP = X86_RSP,
	R8 = X86_R8,
	RIP = 16,
	FLAGS,
	DS_BASE
};

static uint64_t state(unsigned int what)
{
	if (what == RIP)
		return m.regs.rip;
	if (what == FLAGS)
		return m.regs.rflags;
	return what == DS_BASE ? m.seg[X86_SEG_DS].base : m.regs.gpr[what];
}

struct vendor_case {
	const char *name;
	uint8_t vendor, bits;
	const char *bytes;
	uint8_t len;
	int rc;
	struct {
		uint8_t what;
		uint64_t want;
	} check[3];
};

/* clang-format off */
static const struct vendor_case cases[] = {
	/* One iteration, stopped by TF: SDM 2 REP, SDM 3 17.3.1.1. 44 against 11: flags 0x306. */
	{ "repne cmps", INTEL, 64, I("\xf2\xa7"), X86EMUL_DONE, { { FLAGS, 0x103d7 }, { RCX, 4 }, { RIP, CODE } } },
	{ "repne cmps", AMD, 64, I("\xf2\xa7"), X86EMUL_DONE, { { FLAGS, 0x306 }, { RCX, 4 }, { RIP, CODE } } },
	{ "repne scas", INTEL, 64, I("\xf2\xae"), X86EMUL_DONE, { { FLAGS, 0x103d7 }, { RCX, 4 }, { RDI, DATA + 0x101 } } },
	{ "repne scas", AMD, 64, I("\xf2\xae"), X86EMUL_DONE, { { FLAGS, 0x306 }, { RCX, 4 }, { RDI, DATA + 0x101 } } },
	{ "repne scas 43", INTEL, 64, I("\xf2\x67\x43\xaf"), X86EMUL_DONE, { { FLAGS, 0x103d7 }, { RCX, 4 }, { RDI, DATA + 0x104 } } },
	{ "rep movs", INTEL, 64, I("\xf3\xa4"), X86EMUL_DONE, { { FLAGS, 0x103d7 }, { RCX, 4 }, { RIP, CODE } } },
	{ "rep movs", AMD, 64, I("\xf3\xa4"), X86EMUL_DONE, { { FLAGS, 0x3d7 }, { RCX, 4 }, { RIP, CODE } } },
	{ "repe scas ends", INTEL, 64, I("\xf3\xae"), X86EMUL_OKAY, { { FLAGS, 0x306 }, { RCX, 4 }, { RIP, CODE + 2 } } },
	/* F3 and REX.B on 90. */
	{ "f3 41 90", INTEL, 64, I("\xf3\x41\x90"), X86EMUL_OKAY, { { RAX, 0x1111222233334444 }, { R8, 0x5555666677778888 }, { RIP, CODE + 3 } } },
	{ "f3 41 90", AMD, 64, I("\xf3\x41\x90"), X86EMUL_OKAY, { { RAX, 0x77778888 }, { R8, 0x33334444 }, { RIP, CODE + 3 } } },
	{ "66 f3 45 90", INTEL, 64, I("\x66\xf3\x45\x90"), X86EMUL_OKAY, { { RAX, 0x1111222233334444 }, { R8, 0x5555666677778888 }, { RIP, CODE + 4 } } },
	{ "66 f3 41 90", AMD, 64, I("\x66\xf3\x41\x90"), X86EMUL_OKAY, { { RAX, 0x1111222233338888 }, { R8, 0x5555666677774444 }, { RIP, CODE + 4 } } },
	{ "41 90", INTEL, 64, I("\x41\x90"), X86EMUL_OKAY, { { RAX, 0x77778888 }, { R8, 0x33334444 }, { RIP, CODE + 2 } } },
	/* 66 on near branches: SDM 2 JMP, APM 3 1.2.2. */
	{ "66 jmp rel", INTEL, 64, I("\x66\xe9\x00\x10\x00\x00"), X86EMUL_OKAY, { { RIP, CODE + 6 + 0x1000 }, { RSP, 0x3000 }, { RSP, 0x3000 } } },
	{ "66 jmp rel", AMD, 64, I("\x66\xe9\x00\x10\x00\x00"), X86EMUL_OKAY, { { RIP, CODE + 4 + 0x1000 }, { RSP, 0x3000 }, { RSP, 0x3000 } } },
	{ "66 call rel", INTEL, 64, I("\x66\xe8\x00\x10\x00\x00"), X86EMUL_OKAY, { { RIP, CODE + 6 + 0x1000 }, { RSP, 0x2ff8 }, { RSP, 0x2ff8 } } },
	{ "66 call rel", AMD, 64, I("\x66\xe8\x00\x10\x00\x00"), X86EMUL_OKAY, { { RIP, CODE + 4 + 0x1000 }, { RSP, 0x2ffe }, { RSP, 0x2ffe } } },
	/* 66 63: 16 bits of memory are read, or 32. */
	{ "66 movsxd", INTEL, 64, I("\x66\x63\x03"), X86EMUL_OKAY, { { RAX, 0x1111222233334444 }, { RIP, CODE + 3 }, { RIP, CODE + 3 } } },
	/* 64-bit far pointers: SDM 2 LSS; APM 3 LSS ignores REX.W. */
	{ "lfs 64", INTEL, 64, I("\x48\x0f\xb4\x03"), X86EMUL_OKAY, { { RAX, 0x4444001044444444 }, { RIP, CODE + 4 }, { RIP, CODE + 4 } } },
	{ "lfs 64", AMD, 64, I("\x48\x0f\xb4\x03"), X86EMUL_OKAY, { { RAX, 0x44444444 }, { RIP, CODE + 4 }, { RIP, CODE + 4 } } },
	/* A null selector: SDM 2 MOV; APM 2 4.5.1 keeps the base. */
	{ "null ds", INTEL, 64, I("\x8e\xdd"), X86EMUL_OKAY, { { DS_BASE, 0 }, { RIP, CODE + 2 }, { RIP, CODE + 2 } } },
	{ "null ds", AMD, 64, I("\x8e\xdd"), X86EMUL_OKAY, { { DS_BASE, 0x7000 }, { RIP, CODE + 2 }, { RIP, CODE + 2 } } },
	{ "prefetch register", INTEL, 64, I("\x0f\x0d\xc0"), X86EMUL_OKAY, { { RIP, CODE + 3 }, { RIP, CODE + 3 }, { RIP, CODE + 3 } } },
	{ "prefetch register", AMD, 64, I("\x0f\x0d\xc0"), EXC + 6, { { RIP, CODE }, { RIP, CODE }, { RIP, CODE } } },
	{ "lock mov cr0", INTEL, 32, I("\xf0\x0f\x20\xc0"), EXC + 6, { { RIP, CODE }, { RIP, CODE }, { RIP, CODE } } },
	{ "lock mov cr0", AMD, 32, I("\xf0\x0f\x20\xc0"), X86EMUL_OKAY, { { RAX, 0 }, { RIP, CODE + 4 }, { RIP, CODE + 4 } } },
	{ "vmcall", INTEL, 64, I("\x0f\x01\xc1"), X86EMUL_OKAY, { { RIP, CODE + 3 }, { RIP, CODE + 3 }, { RIP, CODE + 3 } } },
	{ "vmmcall", INTEL, 64, I("\x0f\x01\xd9"), EXC + 6, { { RIP, CODE }, { RIP, CODE }, { RIP, CODE } } },
};

/* clang-format on */

static void vendor(const struct vendor_case *c)
{
	int rc;

	set_up(c->vendor, c->bits, c->bytes, c->len);
	m.seg[X86_SEG_DS].base = c->bits == 64 ? 0x7000 : 0;
	rc = x86_emulate(&m.ctxt, &machine_ops);
	if (rc == X86EMUL_EXCEPTION)
		rc = EXC + m.ctxt.event.vector;
	test_result(rc == c->rc, "vendor %u: %s: result %x, want %x", c->vendor, c->name, rc,
		    c->rc);
	for (unsigned int i = 0; i < 3; i++)
		test_result(state(c->check[i].what) == c->check[i].want,
			    "vendor %u: %s: item %u is %llx, want %llx", c->vendor, c->name,
			    c->check[i].what, (unsigned long long)state(c->check[i].what),
			    (unsigned long long)c->check[i].want);
}

/* A fault in the third iteration: Intel's flags are those of before (SDM 2, REP). */
static void fault_in_repeat(unsigned int vendor, uint64_t flags)
{
	set_up(vendor, 64, I("\xf2\xaf"));
	m.regs.rflags = 0x2d7;
	m.regs.gpr[X86_RDI] = sizeof(memory) - 8;
	test_result(x86_emulate(&m.ctxt, &machine_ops_bulk) == X86EMUL_EXCEPTION &&
			    m.ctxt.event.vector == 14,
		    "vendor %u: repne scas: no page fault", vendor);
	test_result(m.regs.rflags == flags && m.regs.gpr[X86_RCX] == 3,
		    "vendor %u: fault in repne scas: flags %llx, want %llx", vendor,
		    (unsigned long long)m.regs.rflags, (unsigned long long)flags);
}

/* RF comes from the stack, and guards one instruction. */
static void iret_sets_rf(void)
{
	static const uint64_t frame[] = { CODE, 0x18, 0x10202, 0x3000, 0x10 };
	static const uint64_t gdt[] = { 0, 0, 0x00cf93000000ffff, 0x00af9b000000ffff };

	set_up(AMD, 64, I("\x48\xcf"));
	memcpy(memory + 0x3000, frame, sizeof(frame));
	memcpy(memory + 0x1000, gdt, sizeof(gdt));
	test_result(x86_emulate(&m.ctxt, &machine_ops) == X86EMUL_OKAY && m.regs.rflags == 0x10202,
		    "iret: flags %llx, want 10202", (unsigned long long)m.regs.rflags);
	memory[CODE] = 0x90;
	m.ctxt.insn_avail = 0;
	test_result(x86_emulate(&m.ctxt, &machine_ops) == X86EMUL_OKAY && m.regs.rflags == 0x202,
		    "nop after iret: flags %llx, want 202", (unsigned long long)m.regs.rflags);
}

struct open_test {
	const char *name;
	bool intel_open, amd_open;
	uint8_t bits;
	const char *bytes;
	uint8_t len;
};

/* clang-format off */
static const struct open_test not_compared[] = {
	{ "f3 45 90", true, true, 64, I("\x66\xf3\x45\x90") },
	{ "f2 41 90", true, true, 64, I("\xf2\x41\x90") },
	{ "41 90", false, false, 64, I("\x41\x90") },
	{ "f3 90", false, false, 64, I("\xf3\x90") },
	{ "f3 loope", true, true, 64, I("\xf3\xe1\x00") },
	{ "loope", false, false, 64, I("\xe1\x00") },
	{ "shl /6", true, false, 64, I("\xd0\xf0") },
	{ "shl /4", false, false, 64, I("\xd0\xe0") },
	{ "salc", true, false, 32, I("\xd6") },
	{ "bswap 16", true, true, 64, I("\x66\x0f\xc8") },
	{ "bswap", false, false, 64, I("\x0f\xc8") },
	{ "shld 16, 17", true, true, 64, I("\x66\x0f\xa4\xc8\x11") },
	{ "shld 16, 16", false, false, 64, I("\x66\x0f\xa4\xc8\x10") },
	{ "lock add misaligned", true, true, 64, I("\xf0\x01\x43\x01") },
	{ "lock add", false, false, 64, I("\xf0\x01\x43\x04") },
	{ "xchg misaligned", true, true, 64, I("\x87\x43\x02") },
	{ "add misaligned", false, false, 64, I("\x01\x43\x01") },
	{ "mov cr5", true, true, 64, I("\x0f\x20\xe8") },
	{ "mov cr3", false, false, 64, I("\x0f\x20\xd8") },
};

/* clang-format on */

static void decode_case(struct open_case *c, struct x86_insn *insn, const char *bytes,
			unsigned int len)
{
	set_up(c->cpu->amd ? AMD : INTEL, c->code_bits, bytes, len);
	x86_decode(&m.ctxt, &machine_ops, insn);
	c->insn = insn;
	c->before = &m.regs;
}

static void rule(const struct open_test *t, bool amd)
{
	struct native_cpu cpu = { .amd = amd, .lahf64 = true, .features = X86_FEAT_ALL };
	struct open_case c = { .cpu = &cpu, .code_bits = t->bits };
	struct x86_insn insn;
	bool want = amd ? t->amd_open : t->intel_open;

	decode_case(&c, &insn, t->bytes, t->len);
	test_result(open_not_compared(&c) == want, "open: %s, vendor %u: want %u", t->name, amd,
		    want);
}

/* Of a CPU that lacks everything that CPUID can hide. */
static void hidden_features(void)
{
	static const char *const bytes[] = { "\xf3\x0f\xb8\xc1",     "\xf3\x0f\xbc\xc1",
					     "\xf3\x0f\xbd\xc1",     "\x0f\x38\xf0\x03",
					     "\xf2\x0f\x38\xf1\xc1", "\x48\x0f\xc7\x0b",
					     "\xc5\xf8\x10\x03",     "\x9f",
					     "\xf2\x0f\xf0\x03",     "\x66\x0f\x38\x2a\x03",
					     "\x0f\x38\xf9\x03",     "\xc5\xfd\xfc\xc1",
					     "\xc4\xe2\x7d\x2a\x03" };
	struct native_cpu old = { .amd = true }, cpu = { .amd = true,
							 .lahf64 = true,
							 .ymm = true,
							 .sse3 = true,
							 .sse41 = true,
							 .features = X86_FEAT_ALL };
	struct open_case c = { .code_bits = 64 };
	struct x86_insn insn;

	for (unsigned int i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
		c.cpu = &cpu;
		decode_case(&c, &insn, bytes[i], (unsigned int)strlen(bytes[i]));
		test_result(!open_not_compared(&c), "open: feature %u is there", i);
		c.cpu = &old;
		test_result(open_not_compared(&c), "open: feature %u is hidden", i);
	}
}

static bool fault_open(unsigned int code_bits, unsigned int vector, const char *bytes,
		       unsigned int len)
{
	struct native_cpu cpu = { .features = X86_FEAT_ALL };
	struct open_case c = {
		.cpu = &cpu, .code_bits = code_bits, .rc = X86EMUL_EXCEPTION, .vector = vector
	};
	struct x86_insn insn;

	decode_case(&c, &insn, bytes, len);
	return open_fault(&c);
}

static void faults(void)
{
	test_result(fault_open(32, 12, I("\x66\xc8\xb3\x75\xf6")), "open: ENTER over 4 GiB");
	test_result(fault_open(32, 12, I("\xc9")), "open: LEAVE over 4 GiB");
	test_result(fault_open(32, 12, I("\x50")), "open: PUSH over 4 GiB");
	test_result(!fault_open(64, 12, I("\x50")), "compared: PUSH in 64-bit code");
	test_result(!fault_open(16, 12, I("\x50")), "compared: PUSH in 16-bit code");
	test_result(!fault_open(32, 6, I("\x0f\x0b")), "compared: UD2");
	test_result(!fault_open(32, 13, I("\xfa")), "compared: CLI");
}

/* Emulates and asks which flags and whether the register are open. */
static uint64_t flags_open(bool amd, const char *bytes, unsigned int len, bool *reg)
{
	struct native_cpu cpu = { .amd = amd, .features = X86_FEAT_ALL };
	struct open_case c = { .cpu = &cpu, .code_bits = 64 };
	struct x86_insn insn;
	struct x86_regs in;

	decode_case(&c, &insn, bytes, len);
	in = m.regs;
	c.before = &in;
	c.rc = x86_emulate(&m.ctxt, &machine_ops);
	c.flags_after = m.regs.rflags;
	*reg = open_register(&c);
	return open_flags(&c);
}

static void flags(void)
{
	bool reg;

	test_result(flags_open(false, I("\xf2\xa7"), &reg) == 0x8d5, "open: flags of CMPS");
	test_result(flags_open(false, I("\xa7"), &reg) == 0, "compared: flags of one CMPS");
	test_result(flags_open(false, I("\xd1\xe0"), &reg) == 0x10, "open: flags of SHL 1");
	test_result(flags_open(false, I("\xc1\xe0\x02"), &reg) == 0x810, "open: flags of SHL 2");
	test_result(flags_open(false, I("\xc0\xe0\x09"), &reg) == 0x811, "open: flags of SHL b, 9");
	test_result(flags_open(false, I("\xc1\xe0\x20"), &reg) == 0, "compared: flags of SHL 32");
	test_result(flags_open(false, I("\x01\xc0"), &reg) == 0, "compared: flags of ADD");
	test_result(flags_open(false, I("\x0f\xbc\xc5"), &reg) == 0x895 && reg,
		    "open: BSF of zero on Intel");
	flags_open(true, I("\x0f\xbc\xc5"), &reg);
	test_result(!reg, "compared: BSF of zero on AMD");
	flags_open(false, I("\x0f\xbc\xc1"), &reg);
	test_result(!reg, "compared: BSF of five on Intel");
	test_result(flags_open(false, I("\xf3\x0f\xbc\xc5"), &reg) == 0x894 && !reg,
		    "compared: TZCNT of zero");
}

void test_open(void)
{
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		vendor(&cases[i]);
	fault_in_repeat(INTEL, 0x2d7);
	fault_in_repeat(AMD, 0x206);
	iret_sets_rf();
	for (i = 0; i < sizeof(not_compared) / sizeof(not_compared[0]); i++) {
		rule(&not_compared[i], false);
		rule(&not_compared[i], true);
	}
	hidden_features();
	faults();
	flags();
}
