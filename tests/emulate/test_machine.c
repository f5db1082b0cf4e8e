// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The contract with the callbacks, on the fake machine: MMIO restart, REP slices and bulk
 * hand-over, locked operations, partial faults, real-mode forms. Expectations come from the SDM's
 * text.
 */
#include "harness.h"

#define CODE   0x100
#define DEVICE 0x4000

static uint8_t memory[0x4000];
static struct machine m;

static void begin(enum x86_mode mode, unsigned int code_bits, const char *bytes, unsigned int len)
{
	machine_init(&m, mode, code_bits);
	memset(memory, 0, sizeof(memory));
	memcpy(memory + CODE, bytes, len);
	m.mem = memory;
	m.mem_size = sizeof(memory);
	m.device_base = DEVICE;
	m.device_size = 0x1000;
	m.device_ready = true;
	m.regs.rip = CODE;
	m.regs.gpr[X86_RSP] = 0x3000;
}

#define BEGIN(mode, bits, bytes) begin(mode, bits, bytes, sizeof(bytes) - 1)

static int go(void)
{
	m.ctxt.insn_avail = 0;
	return x86_emulate(&m.ctxt, &machine_ops);
}

static int go_bulk(void)
{
	m.ctxt.insn_avail = 0;
	return x86_emulate(&m.ctxt, &machine_ops_bulk);
}

static void expect(const char *name, const char *what, uint64_t got, uint64_t want)
{
	test_result(got == want, "machine: %s: %s is %llx, want %llx", name, what,
		    (unsigned long long)got, (unsigned long long)want);
}

static uint64_t load(uint64_t at, unsigned int bytes)
{
	uint64_t v = 0;

	memcpy(&v, memory + at, bytes);
	return v;
}

static void store(uint64_t at, uint64_t v, unsigned int bytes)
{
	memcpy(memory + at, &v, bytes);
}

/* A read from a device that is not ready changes nothing; the second call completes. */
static void mmio_restart(void)
{
	BEGIN(X86_MODE_LONG, 64, "\x8b\x82\x00\x40\x00\x00"); /* mov eax,[rdx+0x4000] */
	m.device_ready = false;
	m.device_value = 0x12345678;
	m.regs.gpr[X86_RAX] = ~0ULL;
	expect("mmio read", "result", go(), X86EMUL_RETRY);
	expect("mmio read", "rax before", m.regs.gpr[X86_RAX], ~0ULL);
	expect("mmio read", "rip before", m.regs.rip, CODE);
	m.device_ready = true;
	expect("mmio read", "result", x86_emulate(&m.ctxt, &machine_ops), X86EMUL_OKAY);
	expect("mmio read", "rax", m.regs.gpr[X86_RAX], 0x12345678);
	expect("mmio read", "rip", m.regs.rip, CODE + 6);
	expect("mmio read", "length", m.ctxt.insn_len, 6);

	BEGIN(X86_MODE_LONG, 64, "\xff\x34\x25\x00\x40\x00\x00"); /* push [0x4000] */
	m.device_ready = false;
	expect("mmio push", "result", go(), X86EMUL_RETRY);
	expect("mmio push", "rsp before", m.regs.gpr[X86_RSP], 0x3000);
	m.device_ready = true;
	m.device_value = 77;
	expect("mmio push", "result", go(), X86EMUL_OKAY);
	expect("mmio push", "pushed", load(0x2ff8, 8), 77);
	expect("mmio push", "rsp", m.regs.gpr[X86_RSP], 0x2ff8);
}

/* A string move out of a device stops in the middle with its registers advanced. */
static void mmio_string(void)
{
	BEGIN(X86_MODE_PROT, 32, "\xf3\xa5"); /* rep movsd */
	m.regs.gpr[X86_RSI] = DEVICE - 8;
	m.regs.gpr[X86_RDI] = 0x1000;
	m.regs.gpr[X86_RCX] = 4;
	store(DEVICE - 8, 0x1122334455667788, 8);
	m.device_ready = false;
	expect("mmio movs", "result", go(), X86EMUL_RETRY);
	expect("mmio movs", "ecx", m.regs.gpr[X86_RCX], 2);
	expect("mmio movs", "esi", m.regs.gpr[X86_RSI], DEVICE);
	expect("mmio movs", "commits", m.commits, 2);
	expect("mmio movs", "copied", load(0x1000, 8), 0x1122334455667788);
	m.device_ready = true;
	m.device_value = 0xabcd;
	expect("mmio movs", "result", go(), X86EMUL_OKAY);
	expect("mmio movs", "ecx", m.regs.gpr[X86_RCX], 0);
	expect("mmio movs", "device data", load(0x100c, 4), 0xabcd);
	expect("mmio movs", "rip", m.regs.rip, CODE + 2);
}

static void string_slices(void)
{
	struct x86_emulate_ops ops = machine_ops;

	BEGIN(X86_MODE_PROT, 32, "\xf3\xaa"); /* rep stosb */
	m.regs.gpr[X86_RAX] = 0x5a;
	m.regs.gpr[X86_RDI] = 0x1000;
	m.regs.gpr[X86_RCX] = X86_EMULATE_MAX_ITERATIONS + 10;
	expect("slice", "result", go(), X86EMUL_DONE);
	expect("slice", "ecx", m.regs.gpr[X86_RCX], 10);
	expect("slice", "rip", m.regs.rip, CODE);
	expect("slice", "result", go(), X86EMUL_OKAY);
	expect("slice", "last", load(0x1000 + X86_EMULATE_MAX_ITERATIONS + 9, 2), 0x5a);

	/* Without commit: one iteration a call. */
	BEGIN(X86_MODE_PROT, 32, "\xf3\xaa");
	ops.commit = NULL;
	m.regs.gpr[X86_RDI] = 0x1000;
	m.regs.gpr[X86_RCX] = 3;
	expect("no commit", "result", x86_emulate(&m.ctxt, &ops), X86EMUL_DONE);
	expect("no commit", "ecx", m.regs.gpr[X86_RCX], 2);

	/* TF: one iteration, then single step. */
	BEGIN(X86_MODE_PROT, 32, "\xf3\xaa");
	m.regs.gpr[X86_RDI] = 0x1000;
	m.regs.gpr[X86_RCX] = 3;
	m.regs.rflags |= 0x100;
	expect("trace", "result", go(), X86EMUL_DONE);
	expect("trace", "ecx", m.regs.gpr[X86_RCX], 2);
	expect("trace", "singlestep", m.ctxt.retire.singlestep, 1);

	/* A fault in the middle: what is done stays done. */
	BEGIN(X86_MODE_PROT, 32, "\xf3\xab");
	m.device_size = 0;
	m.regs.gpr[X86_RDI] = sizeof(memory) - 8;
	m.regs.gpr[X86_RCX] = 5;
	expect("fault", "result", go(), X86EMUL_EXCEPTION);
	expect("fault", "vector", m.ctxt.event.vector, 14);
	expect("fault", "cr2", m.ctxt.event.cr2, sizeof(memory));
	expect("fault", "ecx", m.regs.gpr[X86_RCX], 3);
	expect("fault", "edi", m.regs.gpr[X86_RDI], sizeof(memory));

	/* REPNE SCASB finds, and stops behind the find with ZF. */
	BEGIN(X86_MODE_PROT, 32, "\xf2\xae");
	memcpy(memory + 0x1000, "hello", 6);
	m.regs.gpr[X86_RAX] = 'l';
	m.regs.gpr[X86_RDI] = 0x1000;
	m.regs.gpr[X86_RCX] = 100;
	expect("scas", "result", go(), X86EMUL_OKAY);
	expect("scas", "edi", m.regs.gpr[X86_RDI], 0x1003);
	expect("scas", "ecx", m.regs.gpr[X86_RCX], 97);
	expect("scas", "zf", m.regs.rflags & 0x40, 0x40);
}

static void bulk_ports(void)
{
	unsigned int i;

	BEGIN(X86_MODE_PROT, 32, "\xf3\x66\x6d"); /* rep insw */
	m.bulk_limit = 200;
	m.regs.gpr[X86_RDX] = 0x1f0;
	m.regs.gpr[X86_RDI] = 0x1000;
	m.regs.gpr[X86_RCX] = 256;
	expect("insw", "result", go_bulk(), X86EMUL_DONE);
	expect("insw", "ecx", m.regs.gpr[X86_RCX], 56);
	expect("insw", "result", go_bulk(), X86EMUL_OKAY);
	expect("insw", "calls", m.bulk_calls, 2);
	expect("insw", "port", m.io_port, 0x1f0);
	for (i = 0; i < 256; i++)
		expect("insw", "word", load(0x1000 + 2 * i, 2), i);

	/* The callback declines one element, which crosses a page for it: only that one goes alone. */
	BEGIN(X86_MODE_PROT, 32, "\xf3\x66\x6d"); /* rep insw */
	m.regs.gpr[X86_RDX] = 0x1f0;
	m.regs.gpr[X86_RDI] = 0x1000;
	m.regs.gpr[X86_RCX] = 256;
	expect("insw alone", "result", go_bulk(), X86EMUL_DONE);
	expect("insw alone", "ecx", m.regs.gpr[X86_RCX], 255);
	expect("insw alone", "edi", m.regs.gpr[X86_RDI], 0x1002);
	m.bulk_limit = 1000;
	expect("insw alone", "result", go_bulk(), X86EMUL_OKAY);
	for (i = 0; i < 256; i++)
		expect("insw alone", "word", load(0x1000 + 2 * i, 2), i);

	BEGIN(X86_MODE_LONG, 64, "\xf3\x6f"); /* rep outsd, downwards */
	m.bulk_limit = 1000;
	m.regs.rflags |= 0x400;
	m.regs.gpr[X86_RDX] = 0x1f0;
	m.regs.gpr[X86_RSI] = 0x1010;
	m.regs.gpr[X86_RCX] = 5;
	store(0x1000, 0x77, 4);
	expect("outsd", "result", go_bulk(), X86EMUL_OKAY);
	expect("outsd", "rsi", m.regs.gpr[X86_RSI], 0xffc);
	expect("outsd", "last", m.io_last, 0x77);

	/* A run that would wrap a 16-bit index register is cut at the wrap. */
	BEGIN(X86_MODE_PROT, 16, "\xf3\xaa");
	m.any_memory = true;
	m.bulk_limit = 1000;
	m.regs.gpr[X86_RDI] = 0xfffe;
	m.regs.gpr[X86_RCX] = 4;
	expect("wrap", "result", go_bulk(), X86EMUL_DONE);
	while (go_bulk() == X86EMUL_DONE)
		;
	expect("wrap", "di", m.regs.gpr[X86_RDI], 2);
	expect("wrap", "cx", m.regs.gpr[X86_RCX], 0);
}

static void locked(void)
{
	BEGIN(X86_MODE_LONG, 64, "\xf0\x83\x02\x01"); /* lock add dword [rdx],1 */
	m.regs.gpr[X86_RDX] = 0x1000;
	store(0x1000, 0x41, 4);
	m.cmpxchg_race = true; /* another CPU makes it 0x41 ^ 0x5a = 0x1b first */
	expect("lock add", "result", go(), X86EMUL_OKAY);
	expect("lock add", "memory", load(0x1000, 4), 0x1c);
	expect("lock add", "attempts", m.locked, 2);

	BEGIN(X86_MODE_LONG, 64, "\x87\x02"); /* xchg [rdx],eax: locked without a prefix */
	m.regs.gpr[X86_RDX] = 0x1000;
	m.regs.gpr[X86_RAX] = 5;
	store(0x1000, 9, 4);
	m.cmpxchg_race = true;
	expect("xchg", "result", go(), X86EMUL_OKAY);
	expect("xchg", "memory", load(0x1000, 4), 5);
	expect("xchg", "eax", m.regs.gpr[X86_RAX], 9 ^ 0x5a);

	BEGIN(X86_MODE_LONG, 64, "\xf0\x48\x0f\xc7\x0a"); /* lock cmpxchg16b [rdx] */
	m.regs.gpr[X86_RSI] = 0;
	m.regs.gpr[X86_RAX] = 1;
	m.regs.gpr[X86_RDX] = 0x1000;
	store(0x1000, 1, 8);
	store(0x1008, 0x1000, 8);
	m.regs.gpr[X86_RBX] = 3;
	m.regs.gpr[X86_RCX] = 4;
	expect("cmpxchg16b", "result", go(), X86EMUL_OKAY);
	expect("cmpxchg16b", "low", load(0x1000, 8), 3);
	expect("cmpxchg16b", "high", load(0x1008, 8), 4);
	expect("cmpxchg16b", "zf", m.regs.rflags & 0x40, 0x40);
	m.regs.rip = CODE;
	m.regs.gpr[X86_RDX] = 0x1001;
	expect("cmpxchg16b", "misaligned", go(), X86EMUL_EXCEPTION);
	expect("cmpxchg16b", "vector", m.ctxt.event.vector, 13);

	BEGIN(X86_MODE_LONG, 64, "\xf0\x89\x02"); /* lock mov */
	expect("lock mov", "result", go(), X86EMUL_EXCEPTION);
	expect("lock mov", "vector", m.ctxt.event.vector, 6);
}

static void fetch_limits(void)
{
	/* The instruction ends at the last mapped byte: no fetch beyond it. */
	BEGIN(X86_MODE_LONG, 64, "");
	m.device_size = 0;
	memory[sizeof(memory) - 1] = 0x90;
	m.regs.rip = sizeof(memory) - 1;
	expect("fetch", "last byte", go(), X86EMUL_OKAY);
	memory[sizeof(memory) - 1] = 0x8b;
	m.regs.rip = sizeof(memory) - 1;
	expect("fetch", "crossing", go(), X86EMUL_EXCEPTION);
	expect("fetch", "cr2", m.ctxt.event.cr2, sizeof(memory));
	/* 16 bytes. */
	BEGIN(X86_MODE_LONG, 64,
	      "\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x90");
	expect("long", "result", go(), X86EMUL_EXCEPTION);
	expect("long", "vector", m.ctxt.event.vector, 13);
	/* CS limit. */
	BEGIN(X86_MODE_PROT, 32, "\xb8\x01\x02\x03\x04");
	m.seg[X86_SEG_CS].limit = CODE + 4;
	expect("limit", "inside", go(), X86EMUL_OKAY);
	m.regs.rip = CODE;
	m.seg[X86_SEG_CS].limit = CODE + 3;
	expect("limit", "outside", go(), X86EMUL_EXCEPTION);
	expect("limit", "vector", m.ctxt.event.vector, 13);
	/* Non-canonical operand: #GP, through the stack segment #SS. */
	BEGIN(X86_MODE_LONG, 64, "\x8b\x02\x90\x8b\x45\x00");
	m.regs.gpr[X86_RDX] = m.regs.gpr[X86_RBP] = 0x800000000000;
	expect("canonical", "ds", go(), X86EMUL_EXCEPTION);
	expect("canonical", "vector", m.ctxt.event.vector, 13);
	m.regs.rip = CODE + 3;
	expect("canonical", "ss", go(), X86EMUL_EXCEPTION);
	expect("canonical", "vector", m.ctxt.event.vector, 12);
}

static void segment_checks(void)
{
	BEGIN(X86_MODE_PROT, 32, "\xa3\x00\x10\x00\x00"); /* mov [0x1000],eax */
	m.seg[X86_SEG_DS].limit = 0x1002;
	expect("ds limit", "result", go(), X86EMUL_EXCEPTION);
	expect("ds limit", "vector", m.ctxt.event.vector, 13);
	expect("ds limit", "error code", m.ctxt.event.has_error_code, 1);
	m.seg[X86_SEG_DS].limit = 0x1003;
	expect("ds limit", "result", go(), X86EMUL_OKAY);
	m.regs.rip = CODE;
	m.seg[X86_SEG_DS].attr = 0xc91; /* read-only */
	expect("ds read-only", "result", go(), X86EMUL_EXCEPTION);
	m.seg[X86_SEG_DS].attr = 0; /* null */
	expect("ds null", "result", go(), X86EMUL_EXCEPTION);
	m.seg[X86_SEG_DS].attr = 0xc97; /* expand-down: valid above the limit */
	m.seg[X86_SEG_DS].limit = 0x0fff;
	expect("expand-down", "above", go(), X86EMUL_OKAY);
	m.regs.rip = CODE;
	m.seg[X86_SEG_DS].limit = 0x1000;
	expect("expand-down", "below", go(), X86EMUL_EXCEPTION);
	m.seg[X86_SEG_DS].attr = 0xc93;
	m.seg[X86_SEG_DS].limit = ~0U;
	m.seg[X86_SEG_DS].base = 0x500;
	m.regs.gpr[X86_RAX] = 0xfeed;
	expect("ds base", "result", go(), X86EMUL_OKAY);
	expect("ds base", "memory", load(0x1500, 4), 0xfeed);

	BEGIN(X86_MODE_LONG, 64, "\x65\x8b\x04\x25\x10\x00\x00\x00"); /* mov eax,gs:[0x10] */
	m.seg[X86_SEG_GS].base = 0x2000;
	store(0x2010, 0x99, 4);
	expect("gs base", "result", go(), X86EMUL_OKAY);
	expect("gs base", "eax", m.regs.gpr[X86_RAX], 0x99);
}

static void vectors(void)
{
	static const uint8_t data[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };

	BEGIN(X86_MODE_LONG, 64, "\xc5\xfe\x6f\x02"); /* vmovdqu ymm0,[rdx] */
	m.regs.gpr[X86_RDX] = 0x1001;
	memset(memory + 0x1001, 0x77, 32);
	expect("vmovdqu", "result", go(), X86EMUL_OKAY);
	expect("vmovdqu", "upper", m.vec[0][31], 0x77);
	BEGIN(X86_MODE_LONG, 64, "\xc5\xf9\x6f\x02"); /* vmovdqa xmm0,[rdx] clears the upper half */
	m.regs.gpr[X86_RDX] = 0x1000;
	memset(m.vec[0], 0xff, 32);
	memcpy(memory + 0x1000, data, 16);
	expect("vmovdqa", "result", go(), X86EMUL_OKAY);
	expect("vmovdqa", "upper", m.vec[0][16], 0);
	expect("vmovdqa", "lower", memcmp(m.vec[0], data, 16), 0);
	BEGIN(X86_MODE_LONG, 64, "\x0f\x7f\x12"); /* movq [rdx],mm2 */
	m.regs.gpr[X86_RDX] = 0x1000;
	m.mmx[2] = 0x123456789abcdef;
	expect("movq", "result", go(), X86EMUL_OKAY);
	expect("movq", "memory", load(0x1000, 8), 0x123456789abcdef);
	m.regs.rip = CODE;
	m.cr[0] |= 8; /* TS */
	expect("movq", "ts", go(), X86EMUL_EXCEPTION);
	expect("movq", "vector", m.ctxt.event.vector, 7);
	m.cr[0] |= 4; /* EM */
	expect("movq", "em", go(), X86EMUL_EXCEPTION);
	expect("movq", "vector", m.ctxt.event.vector, 6);
	BEGIN(X86_MODE_PROT, 32,
	      "\xc4\xc1\x7a\x6f\x02"); /* VEX in 32-bit code: B and X are ignored */
	m.regs.gpr[X86_RDX] = 0x1000;
	expect("vex32", "result", go(), X86EMUL_OKAY);
	BEGIN(X86_MODE_REAL, 16, "\xc5\xfe\x6f\x02");
	expect("vex real", "result", go(), X86EMUL_EXCEPTION);
}

/* 256-bit forms of packed integers are AVX2's; what came with AVX, and 128 bits, are not. */
static void avx_without_avx2(void)
{
	static const struct {
		const char *name, *bytes;
		unsigned int len;
		int want;
	} of[] = {
		{ "vpaddb ymm", "\xc5\xfd\xfc\x02", 4, X86EMUL_EXCEPTION },
		{ "vpunpcklqdq ymm", "\xc5\xfd\x6c\x02", 4, X86EMUL_EXCEPTION },
		{ "vmovntdqa ymm", "\xc4\xe2\x7d\x2a\x02", 5, X86EMUL_EXCEPTION },
		{ "vpaddb xmm", "\xc5\xf9\xfc\x02", 4, X86EMUL_OKAY },
		{ "vxorps ymm", "\xc5\xfc\x57\x02", 4, X86EMUL_OKAY },
		{ "vmovdqu ymm", "\xc5\xfe\x6f\x02", 4, X86EMUL_OKAY },
	};

	for (unsigned int i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		begin(X86_MODE_LONG, 64, of[i].bytes, of[i].len);
		m.regs.gpr[X86_RDX] = 0x1000;
		expect(of[i].name, "with AVX2", go(), X86EMUL_OKAY);
		m.regs.rip = CODE;
		m.ctxt.features &= ~X86_FEAT_AVX2;
		expect(of[i].name, "without", go(), of[i].want);
		if (of[i].want == X86EMUL_EXCEPTION)
			expect(of[i].name, "vector", m.ctxt.event.vector, 6);
	}
}

void test_machine(void)
{
	mmio_restart();
	mmio_string();
	string_slices();
	bulk_ports();
	locked();
	fetch_limits();
	segment_checks();
	vectors();
	avx_without_avx2();
}
