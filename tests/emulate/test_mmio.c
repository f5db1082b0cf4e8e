// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The short path x86_mmio_decode/begin/end against x86_emulate(): the same random instruction on the same
 * device page must give the same registers and the same device access.
 */
#include "harness.h"

#define DEVICE 0x5000

static unsigned long taken;

static void random_move(uint8_t *bytes)
{
	static const uint8_t plain[] = { 0x88, 0x89, 0x8a, 0x8b, 0xa0, 0xa1, 0xa2, 0xa3,
					 0xc6, 0xc7, 0x89, 0x8b, 0x01, 0x39, 0x86, 0x8d };
	static const uint8_t extended[] = { 0xb6, 0xb7, 0xbe, 0xbf, 0xc3, 0xaf, 0x6f };
	uint64_t tail[2] = { test_random(), test_random() };
	unsigned int n = 0;

	if (!test_below(4))
		bytes[n++] = 0x66;
	if (test_below(2))
		bytes[n++] = 0x40 | test_below(16);
	if (test_below(3)) {
		bytes[n++] = plain[test_below(sizeof(plain))];
	} else {
		bytes[n++] = 0x0f;
		bytes[n++] = extended[test_below(sizeof(extended))];
	}
	memcpy(bytes + n, tail, 15 - n);
	if (test_below(2))
		memset(bytes + n + 1, 0, 14 - n);
}

/* Registers that put the operand into the device page, or false. */
static bool aim(struct machine *m, struct x86_insn *insn)
{
	unsigned int i, k;

	for (k = 0; k < 4; k++) {
		if (x86_decode(&m->ctxt, &machine_ops, insn) != X86EMUL_OKAY)
			return true;
		if (!insn->is_mem || (insn->ea >= DEVICE && insn->ea < DEVICE + 0xff8))
			return insn->is_mem;
		for (i = 0; i < 16; i++)
			m->regs.gpr[i] += i == (insn->rm & 15U) || k
						  ? DEVICE + 8ULL * test_below(64) - insn->ea
						  : 0;
	}
	return false;
}

/* What decode finds is good for other contents of the registers, too. */
static int decode_elsewhere(struct machine *m, struct x86_mmio *access)
{
	struct x86_regs regs = m->regs;
	unsigned int i;
	int rc;

	for (i = 0; i < 16; i++)
		m->regs.gpr[i] = test_random();
	rc = x86_mmio_decode(&m->ctxt, &machine_ops, access);
	m->regs = regs;
	return rc;
}

static void one(unsigned int code_bits)
{
	struct machine a, b;
	struct x86_insn insn = { 0 };
	struct x86_mmio access;
	uint64_t val = 0;
	char hex[64];
	unsigned int i;
	int rc;

	machine_init(&a, code_bits == 64 ? X86_MODE_LONG : X86_MODE_PROT, code_bits);
	for (i = 0; i < 16; i++)
		a.regs.gpr[i] = DEVICE + 8 * test_below(64);
	a.regs.gpr[test_below(16)] = test_random();
	a.device_base = DEVICE;
	a.device_size = 0x1000;
	a.device_value = test_random();
	a.device_ready = true;
	random_move(a.ctxt.insn_bytes);
	a.ctxt.insn_avail = 15;
	if (!aim(&a, &insn))
		return;
	b = a;
	b.ctxt.regs = &b.regs;
	b.ctxt.opaque = &b;
	rc = decode_elsewhere(&b, &access);
	test_hex(hex, a.ctxt.insn_bytes, insn.len);
	if (rc == X86EMUL_OKAY && x86_mmio_begin(&b.regs, &access, insn.ea, &val)) {
		uint64_t data = b.device_value;

		taken++;
		if (access.write)
			b.device_value = val;
		x86_mmio_end(&b.regs, &access, data);
		rc = x86_emulate(&a.ctxt, &machine_ops);
		test_result(rc == X86EMUL_OKAY && !memcmp(&a.regs, &b.regs, sizeof(a.regs)) &&
				    a.device_value == b.device_value &&
				    a.device_writes == access.write,
			    "mmio %u: %s: short path differs", code_bits, hex);
		return;
	}
	test_result(!memcmp(&a.regs, &b.regs, sizeof(a.regs)), "mmio %u: %s: begin changed state",
		    code_bits, hex);
}

void test_mmio(void)
{
	struct test_count before;
	unsigned int i, bits;

	for (bits = 32; bits <= 64; bits += 32) {
		before = tests;
		for (i = 0; i < 30000; i++)
			one(bits);
		test_batch(&before);
	}
	test_result(taken > 5000, "mmio: short path taken %lu times only", taken);
}
