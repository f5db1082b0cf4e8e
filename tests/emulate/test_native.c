// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Execution oracle: the processor that runs the test. Random instructions over the whole tables are
 * emulated and executed; registers, memory, defined flags and faults must agree. Instructions that
 * an ordinary process cannot execute harmlessly are left to test_system.c.
 */
#include <signal.h>

#include "harness.h"
#include "native.h"
#include "open.h"

#define FL_ARITH                                                                         \
	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF | X86_EFLAGS_SF | \
	 X86_EFLAGS_OF)

static struct machine m;
static uint8_t window[NATIVE_DATA_LEN], before[NATIVE_DATA_LEN];
static unsigned long ran, faulted, not_comparable;
static struct native_cpu cpu;
static uint64_t origin; /* offset of the data window in its segment: 0 in 16-bit code */

static uint64_t interesting(void)
{
	static const uint64_t values[] = { 0,
					   1,
					   2,
					   7,
					   8,
					   0x7f,
					   0x80,
					   0xff,
					   0x7fff,
					   0x8000,
					   0xffff,
					   0x7fffffff,
					   0x80000000,
					   0xffffffff,
					   0x7fffffffffffffff,
					   0x8000000000000000,
					   0xffffffffffffffff,
					   31,
					   32,
					   63,
					   64 };

	switch (test_below(4)) {
	case 0:
		return values[test_below(sizeof(values) / sizeof(values[0]))];
	case 1:
		return origin + test_below(NATIVE_DATA_LEN);
	case 2:
		return origin + 0x800 + test_below(0x100) * 8;
	default:
		return test_random();
	}
}

/* As native_setup16() makes them. */
static void set_segments16(void)
{
	unsigned int i;

	for (i = X86_SEG_ES; i <= X86_SEG_DS; i++)
		m.seg[i] = (struct x86_segment){
			.sel = 0xf, .attr = 0xf3, .base = NATIVE_DATA, .limit = NATIVE_DATA_LEN - 1
		};
	m.seg[X86_SEG_CS] = (struct x86_segment){
		.sel = 7, .attr = 0xfb, .base = NATIVE_CODE, .limit = 0xffff
	};
}

/* Numbers of all kinds, near the ends of the formats too. The top is 0: MM0 to MM7 are ST0 to ST7. */
static void random_x87(void)
{
	static const uint16_t exponents[] = { 0,
					      1,
					      16382,
					      16383,
					      16383 + 31,
					      16383 + 62,
					      16383 + 63,
					      16383 - 127,
					      16383 - 150,
					      16383 + 127,
					      16383 - 1023,
					      16383 - 1075,
					      16383 + 1023,
					      32767 };
	unsigned int i;

	memset(&m.x87, 0, sizeof(m.x87));
	m.x87.cw = 0x340 | (test_below(4) << 10) | (test_below(4) ? 0x3f : test_below(64));
	m.x87.tags = test_below(4) ? 0x7f : test_below(256);
	for (i = 0; i < 8; i++) {
		uint64_t mantissa = test_below(8) ? test_random() | 1ULL << 63 : interesting();
		uint16_t exponent =
			exponents[test_below(sizeof(exponents) / 2)] + test_below(4) - 2;

		if (test_below(2))
			mantissa &= ~0ULL << test_below(64);
		exponent = (exponent & 0x7fff) | (test_below(2) ? 0x8000 : 0);
		memcpy(m.x87.st[i], &mantissa, 8);
		memcpy(m.x87.st[i] + 8, &exponent, 2);
		m.mmx[i] = mantissa;
	}
}

static void random_state(unsigned int code_bits)
{
	unsigned int i;
	uint64_t fill = 0;

	machine_init(&m, X86_MODE_LONG, code_bits);
	origin = code_bits == 16 ? 0 : NATIVE_DATA;
	if (code_bits == 16)
		set_segments16();
	m.ctxt.cpl = 3;
	m.ctxt.vendor = cpu.amd ? X86_VENDOR_AMD : X86_VENDOR_INTEL;
	m.ctxt.features = cpu.features;
	m.ctxt.va_bits = cpu.va_bits;
	m.ctxt.sp_bits = code_bits;
	m.mem = window;
	m.mem_base = NATIVE_DATA;
	m.mem_size = NATIVE_DATA_LEN;
	m.code = (const uint8_t *)NATIVE_CODE;
	m.code_base = NATIVE_CODE;
	m.code_size = 0x1000;
	for (i = 0; i < 16; i++) {
		m.regs.gpr[i] = interesting();
		if (code_bits != 64)
			m.regs.gpr[i] = i < 8 ? (uint32_t)m.regs.gpr[i] : 0;
	}
	for (i = 0; i < NATIVE_DATA_LEN; i += 8) {
		fill = i & 0x38 ? fill * 0x9e3779b97f4a7c15ULL + 1 : interesting();
		memcpy(window + i, &fill, 8);
	}
	for (i = 0; i < 16; i++) {
		uint64_t v[2] = { test_random(), test_random() };

		memcpy(m.vec[i], v, 16);
	}
	random_x87();
	m.regs.gpr[X86_RSP] = origin + 0x1000 + test_below(0x40) * 8;
	m.regs.rflags = (test_random() & (FL_ARITH | (test_below(8) ? 0 : X86_EFLAGS_DF))) |
			X86_EFLAGS_IF | X86_EFLAGS_MBS | X86_EFLAGS_TF;
}

/* A vector move with a VEX prefix; returns its length so far. */
static unsigned int random_vex(unsigned int code_bits, uint8_t *bytes)
{
	static const uint8_t moves[] = { 0x10, 0x11, 0x13, 0x17, 0x28, 0x29, 0x2b,
					 0x6e, 0x6f, 0x7e, 0x7f, 0xd6, 0xe7, 0xf0 };
	uint8_t opcode = moves[test_below(sizeof(moves))];
	bool far38 = test_below(8) == 0;
	uint8_t rx = code_bits == 64 ? test_below(8) << 5 : 0xe0;
	uint8_t last = 0x78 | test_below(8);

	if (test_below(2)) { /* packed integers and logic, with a register more */
		opcode = test_below(4) ? 0xd0 + test_below(0x30) : 0x54 + test_below(0x24);
		last = (code_bits == 64 ? test_below(16) : 8 | test_below(8)) << 3 |
		       test_below(2) << 2 | 1;
	}

	if (test_below(2)) {
		bytes[0] = 0xc5;
		bytes[1] = (rx & 0x80) | (code_bits == 64 ? 0 : 0x80) | last;
		bytes[2] = opcode;
		return 3;
	}
	bytes[0] = 0xc4;
	bytes[1] = rx | (far38 ? 2 : 1);
	bytes[2] = last | (code_bits == 64 && test_below(4) == 0 ? 0x80 : 0);
	bytes[3] = far38 ? 0x2a : opcode;
	return 4;
}

/* An opcode of loads and stores of the x87 unit. */
static unsigned int x87_move(uint8_t *bytes)
{
	bytes[0] = 0xd9 + 2 * test_below(4);
	return 1;
}

/* One of the opcodes that the tables know, with random prefixes, operands and position. */
static void random_instruction(unsigned int code_bits, uint8_t *bytes)
{
	static const uint8_t pfx[] = { 0x66, 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x2e, 0x3e };
	static const uint8_t map38[] = { 0xf0, 0xf1, 0xf9, 0x2a };
	unsigned int n = 0, i;
	uint64_t tail[2] = { test_random(), test_random() };

	for (i = test_below(4); i > 1; i--)
		bytes[n++] = pfx[test_below(sizeof(pfx))];
	if (code_bits == 64 && test_below(2))
		bytes[n++] = 0x40 | test_below(16);
	switch (test_below(5)) {
	case 0:
	case 1:
		bytes[n++] = test_below(256);
		break;
	case 2:
	case 3:
		bytes[n++] = 0x0f;
		bytes[n++] = test_below(256);
		break;
	default:
		bytes[n++] = 0x0f;
		bytes[n++] = 0x38;
		bytes[n++] = map38[test_below(sizeof(map38))];
		break;
	}
	if (test_below(16) == 0)
		n = random_vex(code_bits, bytes);
	else if (test_below(16) == 0)
		n = x87_move(bytes);
	memcpy(bytes + n, tail, 15 - n);
	if (test_below(2)) /* small displacements and immediates */
		memset(bytes + n + 2, test_below(3) ? 0 : 0xff, 13 - n);
}

/*
 * Not to be executed here: system calls, things that change the process (segment bases, time stamps
 * that differ), and what the kernel handles instead of the CPU (IRET through the signal frame is
 * fine, but stepping over a segment load suppresses the trap).
 */
/* clang-format off */
static bool must_not_run(const struct x86_insn *insn)
{
	unsigned int op = insn->opcode;

	if (insn->seg == X86_SEG_FS || insn->seg == X86_SEG_GS) /* thread-local data */
		return true;
	switch (op) {
	case 0xcd: case 0xcc: case 0xce: case 0xf1: case 0xcf:		/* software interrupts */
	case 0x8e: case 0x07: case 0x17: case 0x1f:			/* segment loads */
	case 0x0fa1: case 0x0fa9: case 0x0fb2: case 0x0fb4: case 0x0fb5:
	case 0xc4: case 0xc5: case 0x8c: case 0x06: case 0x0e: case 0x16: case 0x1e:
	case 0x0fa0: case 0x0fa8:
	case 0x9a: case 0xea: case 0xca: case 0xcb:			/* far transfers */
	case 0x0f00: case 0x0f01: case 0x0f02: case 0x0f03:		/* selectors of the host */
	case 0x0f05: case 0x0f07: case 0x0f34: case 0x0f35:		/* into the kernel */
	case 0x0f31: case 0x0fa2: case 0x0fc7:				/* time, CPUID; C7: below */
	case 0x9d:							/* POPF clears TF */
	case 0x0fae:							/* FS and GS bases */
	case 0x9b:							/* pending x87 exceptions */
		return op != 0x0fc7 || !insn->is_mem;
	case 0xff:
		return (insn->reg & 7) == 3 || (insn->reg & 7) == 5;
	case 0xe4: case 0xe5: case 0xe6: case 0xe7: case 0xec: case 0xed: case 0xee: case 0xef:
	case 0x6c: case 0x6d: case 0x6e: case 0x6f:			/* #GP by the host's TSS */
		return true;
	default:
		return false;
	}
}

/* clang-format on */

static int signal_of(const struct x86_emulate_ctxt *ctxt)
{
	switch (ctxt->event.vector) {
	case 0:
		return SIGFPE;
	case 6:
		return SIGILL;
	case 12:
		return SIGBUS;
	default:
		return SIGSEGV;
	}
}

static void report(const char *what, const struct x86_insn *insn, const uint8_t *bytes,
		   unsigned int code_bits, uint64_t ours, uint64_t native)
{
	static unsigned int seen[0x4000];
	char hex[64];

	if (seen[insn->opcode & 0x3fff]++ > 1) { /* two of each opcode are enough to read */
		tests.failed++;
		return;
	}
	test_hex(hex, bytes, insn->len ? insn->len : 15);
	test_result(false, "native %u: %s: %s is %llx, CPU %llx", code_bits, hex, what,
		    (unsigned long long)ours, (unsigned long long)native);
}

static bool is_x87(const struct x86_insn *insn)
{
	return insn->opcode >= 0xd8 && insn->opcode <= 0xdf;
}

/* C0, C2 and C3 are undefined. */
static bool compare_x87(const struct x86_insn *insn, const uint8_t *bytes, unsigned int code_bits,
			const struct native_result *nat)
{
	const struct x86_x87 *a = &m.x87, *b = &nat->x87;
	char name[24];
	unsigned int i;

	if ((a->sw ^ b->sw) & ~0x4500) {
		report("x87 status", insn, bytes, code_bits, a->sw, b->sw);
		return false;
	}
	if (a->tags != b->tags) {
		report("x87 tags", insn, bytes, code_bits, a->tags, b->tags);
		return false;
	}
	for (i = 0; i < 8; i++) {
		if (memcmp(a->st[i], b->st[i], 10)) {
			sprintf(name, "st%u", i);
			report(name, insn, bytes, code_bits, a->st[i][0], b->st[i][0]);
			return false;
		}
	}
	return true;
}

static bool compare(const struct x86_insn *insn, const uint8_t *bytes, unsigned int code_bits,
		    const struct native_result *nat, const struct open_case *c)
{
	uint64_t mask = (FL_ARITH | X86_EFLAGS_DF) & ~open_flags(c);
	unsigned int i, count = code_bits == 64 ? 16 : 8;
	unsigned int left_out = open_register(c) ? insn->reg : 16;
	char name[24];

	for (i = 0; i < count;
	     i++) { /* with a 16-bit SS the kernel leaves its own upper half in RSP */
		uint64_t visible = code_bits == 64 ? ~0ULL : 0xffffffff;

		if (i != left_out && (m.regs.gpr[i] ^ nat->regs.gpr[i]) & visible) {
			sprintf(name, "register %u", i);
			report(name, insn, bytes, code_bits, m.regs.gpr[i], nat->regs.gpr[i]);
			return false;
		}
	}
	if (m.regs.rip != nat->regs.rip) {
		report("rip", insn, bytes, code_bits, m.regs.rip, nat->regs.rip);
		return false;
	}
	if ((m.regs.rflags ^ nat->regs.rflags) & mask) {
		report("flags", insn, bytes, code_bits, m.regs.rflags, nat->regs.rflags);
		return false;
	}
	if (memcmp(window, (void *)NATIVE_DATA, NATIVE_DATA_LEN)) {
		for (i = 0; window[i] == ((uint8_t *)NATIVE_DATA)[i]; i++)
			;
		sprintf(name, "memory at %x", i);
		report(name, insn, bytes, code_bits, window[i], ((uint8_t *)NATIVE_DATA)[i]);
		return false;
	}
	if (is_x87(insn))
		return compare_x87(insn, bytes, code_bits, nat);
	for (i = 0; i < 8; i++) {
		uint64_t mmx;

		memcpy(&mmx, nat->x87.st[i], 8);
		if (m.mmx[i] != mmx) {
			sprintf(name, "mm%u", i);
			report(name, insn, bytes, code_bits, m.mmx[i], mmx);
			return false;
		}
	}
	for (i = 0; i < count; i++) {
		if (memcmp(m.vec[i], nat->xmm[i], 16)) {
			sprintf(name, "xmm%u", i);
			report(name, insn, bytes, code_bits, m.vec[i][0], nat->xmm[i][0]);
			return false;
		}
	}
	return true;
}

/* Addresses that are certain to fault natively as they do in the fake machine. */
static bool fault_is_comparable(const struct x86_emulate_ctxt *ctxt)
{
	uint64_t cr2 = ctxt->event.cr2;

	if (ctxt->event.vector != 14)
		return true;
	return (cr2 >= NATIVE_DATA - 0x1000 && cr2 < NATIVE_DATA) ||
	       (cr2 >= NATIVE_DATA_END - 32 && cr2 < NATIVE_DATA_END + 0x1000 - 32) || cr2 < 0x1000;
}

/* Moves the base register so that most memory operands are in the window. */
static void aim(const struct x86_insn *insn, unsigned int code_bits)
{
	uint64_t target = origin + test_below(NATIVE_DATA_LEN), delta;
	unsigned int i;

	if (!insn->is_mem || test_below(32) == 0)
		return;
	if (test_below(4))
		target &= ~15ULL;
	delta = target - insn->ea;
	for (i = 0; i < 16; i++) { /* whichever register makes the difference one to one */
		struct machine probe = m;
		struct x86_insn again;

		probe.ctxt.regs = &probe.regs;
		probe.regs.gpr[i] += delta;
		if (code_bits != 64)
			probe.regs.gpr[i] = (uint32_t)probe.regs.gpr[i];
		if (x86_decode(&probe.ctxt, &machine_ops, &again) == X86EMUL_OKAY &&
		    again.ea == target) {
			m.regs.gpr[i] = probe.regs.gpr[i];
			return;
		}
	}
}

/* The emulator raised an exception: the processor has to, too. */
static void compare_fault(const struct open_case *c, const uint8_t *bytes, int signal)
{
	faulted++;
	if (signal == signal_of(&m.ctxt) ||
	    ((signal == SIGBUS || signal == SIGSEGV) && open_fault(c)))
		tests.passed++;
	else
		report("fault", c->insn, bytes, c->code_bits, signal_of(&m.ctxt), signal);
}

/* Emulated and executed from `in`, `before` and `vec`. */
static void judge(struct open_case *c, const uint8_t *bytes, const uint8_t vec[16][16],
		  const struct x86_x87 *x87)
{
	struct native_result nat;

	c->rc = x86_emulate(&m.ctxt, &machine_ops);
	c->vector = c->rc == X86EMUL_EXCEPTION ? m.ctxt.event.vector : 0;
	c->flags_after = m.regs.rflags;
	if (c->rc == X86EMUL_UNHANDLEABLE || c->rc == X86EMUL_RETRY ||
	    (c->rc == X86EMUL_EXCEPTION && !fault_is_comparable(&m.ctxt))) {
		not_comparable++;
		return;
	}
	memcpy((void *)NATIVE_DATA, before, sizeof(before));
	native_run(c->code_bits, c->before, vec, x87, &nat);
	if (c->rc == X86EMUL_EXCEPTION) {
		compare_fault(c, bytes, nat.signal);
		return;
	}
	/* A store that an exception of the unit keeps back: no callback sees its address. */
	if (is_x87(c->insn) && m.x87.sw & 0x80 && nat.signal == SIGSEGV) {
		not_comparable++;
		return;
	}
	ran++;
	if (nat.signal)
		report("no fault", c->insn, bytes, c->code_bits, 0, nat.signal);
	else if (compare(c->insn, bytes, c->code_bits, &nat, c))
		tests.passed++;
}

static void one(unsigned int code_bits)
{
	uint8_t *code = (uint8_t *)NATIVE_CODE + test_below(0x800);
	struct x86_regs in;
	struct x86_insn insn;
	struct open_case c = { .cpu = &cpu, .insn = &insn, .before = &in, .code_bits = code_bits };
	uint8_t vec[16][16], bytes[16];
	struct x86_x87 x87;
	unsigned int i;
	int rc;

	random_state(code_bits);
	random_instruction(code_bits, bytes);
	memcpy(code, bytes, 15);
	m.regs.rip = code_bits == 16 ? (uint64_t)code - NATIVE_CODE : (uint64_t)code;
	rc = x86_decode(&m.ctxt, &machine_ops, &insn);
	if (rc == X86EMUL_UNHANDLEABLE || must_not_run(&insn))
		return;
	if (rc == X86EMUL_OKAY)
		aim(&insn, code_bits);
	if ((insn.opcode & 0xfc) == 0xa4 || (insn.opcode & 0xf8) == 0xa8)
		m.regs.gpr[X86_RDI] = origin + 0x1000 + test_below(0x200);
	/* The effective address is another one by now. */
	if (rc == X86EMUL_OKAY)
		x86_decode(&m.ctxt, &machine_ops, &insn);
	in = m.regs;
	if (open_not_compared(&c)) {
		not_comparable++;
		return;
	}
	memcpy(before, window, sizeof(before));
	for (i = 0; i < 16; i++)
		memcpy(vec[i], m.vec[i], 16);
	x87 = m.x87;
	judge(&c, bytes, (const uint8_t(*)[16])vec, &x87);
}

static void many(unsigned int code_bits, unsigned int count)
{
	struct test_count before = tests;

	while (count--)
		one(code_bits);
	test_batch(&before);
}

/* One NOP: a kernel may have no segments of this size. */
static bool runs_code_of(unsigned int code_bits)
{
	struct x86_regs regs = { .rflags = 0x202 };
	struct native_result nat;

	*(uint8_t *)NATIVE_CODE = 0x90;
	regs.rip = code_bits == 16 ? 0 : NATIVE_CODE;
	regs.gpr[X86_RSP] = code_bits == 16 ? 0x1000 : NATIVE_DATA + 0x1000;
	native_run(code_bits, &regs, NULL, NULL, &nat);
	return !nat.signal && nat.regs.rip == regs.rip + 1;
}

static void skip(const char *why)
{
	tests.skipped++;
	printf("  native: skipped: %s\n", why);
}

void test_native(bool on_any_cpu)
{
	native_cpu_detect(&cpu);
	if (cpu.emulated && !on_any_cpu)
		return skip(
			"the processor is QEMU's TCG, which is no judge (name the test to run it)");
	if (!native_setup())
		return skip("no memory that may be written and executed at a fixed address");
	many(64, 100000);
	if (runs_code_of(32))
		many(32, 50000);
	else
		skip("this kernel runs no 32-bit code");
	if (native_setup16() && runs_code_of(16))
		many(16, 50000);
	else
		skip("this kernel gives no 16-bit segments (modify_ldt)");
	printf("  native: %lu executed, %lu faulted alike, %lu not comparable\n", ran, faulted,
	       not_comparable);
}
