// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One fuzzer input: machine state and instruction bytes from the data, then a few emulations with
 * callbacks that also fail at the input's choice. What must hold: no memory error, no undefined
 * behaviour, a known result, registers unchanged unless the instruction made progress, lengths in
 * range.
 */
#include <stdlib.h>

#include "harness.h"

struct input {
	const uint8_t *data;
	size_t left;
};

static struct machine m;
static uint8_t memory[0x4000];

static uint64_t take(struct input *in, unsigned int bytes)
{
	uint64_t v = 0;

	if (bytes > in->left)
		bytes = (unsigned int)in->left;
	memcpy(&v, in->data, bytes);
	in->data += bytes;
	in->left -= bytes;
	return v;
}

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void random_machine(struct input *in)
{
	static const uint8_t code_bits[4] = { 16, 32, 64, 64 };
	unsigned int shape = (unsigned int)take(in, 1), bits = code_bits[shape & 3], i;
	enum x86_mode mode = bits == 64 ? X86_MODE_LONG : (shape >> 2) & 3;

	machine_init(&m, mode, bits);
	if (mode >= X86_MODE_PROT)
		m.ctxt.cpl = shape & 0x10 ? 3 : 0;
	m.ctxt.vendor = shape & 0x20 ? X86_VENDOR_INTEL : X86_VENDOR_AMD;
	m.ctxt.sp_bits = bits == 64 ? 64 : (shape & 0x40 ? 16 : 32);
	m.any_memory = shape & 0x80;
	m.ctxt.features = (uint32_t)take(in, 2);
	m.mem = memory;
	m.mem_size = sizeof(memory);
	m.device_base = sizeof(memory);
	m.device_size = 0x1000;
	m.bulk_limit = take(in, 1);
	m.cmpxchg_race = m.bulk_limit & 1;
	for (i = 0; i < 8; i++)
		m.regs.gpr[i] = take(in, 2);
	m.regs.gpr[8] = take(in, 8);
	m.regs.rflags = (take(in, 3) & 0x3f7fd5) | 2;
	m.cr[0] ^= take(in, 1) & 0x0e;
	m.cr[4] ^= take(in, 4);
	m.seg[X86_SEG_GDTR] = (struct x86_segment){ .base = 0x1000, .limit = 0xff };
	m.seg[X86_SEG_LDTR] = (struct x86_segment){ .base = 0x1800, .limit = 0x7f, .attr = 0x82 };
	i = take(in, 1) & 7;
	if (i <= X86_SEG_GS) {
		m.seg[i].attr = (uint16_t)(take(in, 2) & 0xfff);
		m.seg[i].limit = (uint32_t)take(in, 4);
		m.seg[i].base = take(in, 8);
	}
	m.ctxt.insn_avail = take(in, 1) & 15;
	m.regs.rip = 0x100;
}

static bool same_registers(const struct x86_regs *a, const struct x86_regs *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static bool is_string(const struct x86_insn *insn)
{
	return insn->opcode < 0x100 && ((insn->opcode >= 0xa4 && insn->opcode <= 0xaf) ||
					(insn->opcode >= 0x6c && insn->opcode <= 0x6f));
}

static void emulate_once(const struct x86_emulate_ops *ops)
{
	struct x86_regs old = m.regs;
	struct x86_insn insn;
	int decoded = x86_decode(&m.ctxt, ops, &insn), rc;

	require(m.ctxt.insn_len <= X86_INSN_MAX_BYTES);
	require((decoded == X86EMUL_OKAY) == (m.ctxt.insn_len != 0));
	rc = x86_emulate(&m.ctxt, ops);
	switch (rc) {
	case X86EMUL_OKAY:
		require(decoded == X86EMUL_OKAY);
		break;
	case X86EMUL_DONE:
		require(is_string(&insn) && m.regs.rip == old.rip &&
			!same_registers(&m.regs, &old));
		break;
	case X86EMUL_EXCEPTION:
		require(m.ctxt.event.type >= 3 && m.ctxt.event.type <= 6);
		require(m.regs.rip == old.rip);
		require(same_registers(&m.regs, &old) || is_string(&insn));
		break;
	case X86EMUL_RETRY:
	case X86EMUL_UNHANDLEABLE:
		require(m.regs.rip == old.rip);
		require(same_registers(&m.regs, &old) || is_string(&insn));
		break;
	default:
		abort();
	}
	if (rc != X86EMUL_RETRY)
		m.ctxt.insn_avail = 0;
}

void emulate_one_input(const uint8_t *data, size_t size)
{
	static const enum x86_len_class classes[] = { X86_LEN_CPUID, X86_LEN_INVLPG, X86_LEN_LMSW,
						      X86_LEN_TASK_SWITCH, X86_LEN_DESC_TABLE };
	struct input in = { data, size };
	unsigned int i, code_bytes, len;

	random_machine(&in);
	code_bytes = in.left < 64 ? (unsigned int)in.left : 64;
	memset(memory, 0, sizeof(memory));
	memcpy(memory + 0x100, in.data, code_bytes);
	memcpy(m.ctxt.insn_bytes, in.data, code_bytes < 15 ? code_bytes : 15);
	for (i = 0; i < in.left && i < 0x400; i++)
		memory[0x1000 + i * 3] = in.data[i];
	for (i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		len = x86_insn_length_only(in.data, code_bytes, m.ctxt.code_bits, classes[i]);
		require(len <= 15 && len <= code_bytes);
	}
	for (i = 0; i < 8; i++) {
		emulate_once(m.bulk_limit & 2 ? &machine_ops_bulk : &machine_ops);
		m.device_ready = i & 1;
	}
}
