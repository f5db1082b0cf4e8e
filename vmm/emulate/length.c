// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Length of an intercepted instruction of a known kind, without the whole decoder: SVM without
 * nRIP-save does not report it (APM vol. 2, 15.7.1). Prefixes, a few opcode bytes, and the address
 * bytes behind ModRM are all there is.
 */
#include "internal.h"

enum len_tail {
	T_NONE,
	T_IMM8,
	T_FAR,	 /* offset of the operand size, then a selector */
	T_FIXED, /* ModRM has one value */
	T_REG,	 /* ModRM.reg has one value, any addressing */
	T_CRDR,	 /* ModRM is always a register */
};

struct len_form {
	uint8_t class;
	uint8_t map; /* 0 or 0x0f */
	uint8_t opcode;
	uint8_t tail; /* enum len_tail */
	uint8_t modrm;
};

static const struct len_form len_forms[] = {
	{ X86_LEN_CPUID, 0x0f, 0xa2, T_NONE, 0 },
	{ X86_LEN_RDMSR, 0x0f, 0x32, T_NONE, 0 },
	{ X86_LEN_WRMSR, 0x0f, 0x30, T_NONE, 0 },
	{ X86_LEN_HLT, 0, 0xf4, T_NONE, 0 },
	{ X86_LEN_VMCALL, 0x0f, 0x01, T_FIXED, 0xc1 },
	{ X86_LEN_VMMCALL, 0x0f, 0x01, T_FIXED, 0xd9 },
	{ X86_LEN_RDTSC, 0x0f, 0x31, T_NONE, 0 },
	{ X86_LEN_RDTSCP, 0x0f, 0x01, T_FIXED, 0xf9 },
	{ X86_LEN_RDPMC, 0x0f, 0x33, T_NONE, 0 },
	{ X86_LEN_INVD, 0x0f, 0x08, T_NONE, 0 },
	{ X86_LEN_WBINVD, 0x0f, 0x09, T_NONE, 0 },
	{ X86_LEN_XSETBV, 0x0f, 0x01, T_FIXED, 0xd1 },
	{ X86_LEN_MOV_CR, 0x0f, 0x20, T_CRDR, 0 },
	{ X86_LEN_MOV_CR, 0x0f, 0x22, T_CRDR, 0 },
	{ X86_LEN_MOV_DR, 0x0f, 0x21, T_CRDR, 0 },
	{ X86_LEN_MOV_DR, 0x0f, 0x23, T_CRDR, 0 },
	{ X86_LEN_LMSW, 0x0f, 0x01, T_REG, 6 },
	{ X86_LEN_SMSW, 0x0f, 0x01, T_REG, 4 },
	{ X86_LEN_CLTS, 0x0f, 0x06, T_NONE, 0 },
	{ X86_LEN_INVLPG, 0x0f, 0x01, T_REG, 7 },
	{ X86_LEN_INVLPGA, 0x0f, 0x01, T_FIXED, 0xdf },
	{ X86_LEN_PAUSE, 0, 0x90, T_NONE, 0 },
	{ X86_LEN_MONITOR, 0x0f, 0x01, T_FIXED, 0xc8 },
	{ X86_LEN_MWAIT, 0x0f, 0x01, T_FIXED, 0xc9 },
	{ X86_LEN_INT, 0, 0xcd, T_IMM8, 0 },
	{ X86_LEN_INT3, 0, 0xcc, T_NONE, 0 },
	{ X86_LEN_INTO, 0, 0xce, T_NONE, 0 },
	{ X86_LEN_ICEBP, 0, 0xf1, T_NONE, 0 },
	{ X86_LEN_IRET, 0, 0xcf, T_NONE, 0 },
	{ X86_LEN_PUSHF, 0, 0x9c, T_NONE, 0 },
	{ X86_LEN_POPF, 0, 0x9d, T_NONE, 0 },
	{ X86_LEN_RSM, 0x0f, 0xaa, T_NONE, 0 },
	{ X86_LEN_VMRUN, 0x0f, 0x01, T_FIXED, 0xd8 },
	{ X86_LEN_VMLOAD, 0x0f, 0x01, T_FIXED, 0xda },
	{ X86_LEN_VMSAVE, 0x0f, 0x01, T_FIXED, 0xdb },
	{ X86_LEN_STGI, 0x0f, 0x01, T_FIXED, 0xdc },
	{ X86_LEN_CLGI, 0x0f, 0x01, T_FIXED, 0xdd },
	{ X86_LEN_SKINIT, 0x0f, 0x01, T_FIXED, 0xde },
	{ X86_LEN_DESC_TABLE, 0x0f, 0x00, T_REG, 0 },
	{ X86_LEN_DESC_TABLE, 0x0f, 0x00, T_REG, 1 },
	{ X86_LEN_DESC_TABLE, 0x0f, 0x00, T_REG, 2 },
	{ X86_LEN_DESC_TABLE, 0x0f, 0x00, T_REG, 3 },
	{ X86_LEN_DESC_TABLE, 0x0f, 0x01, T_REG, 0 },
	{ X86_LEN_DESC_TABLE, 0x0f, 0x01, T_REG, 1 },
	{ X86_LEN_DESC_TABLE, 0x0f, 0x01, T_REG, 2 },
	{ X86_LEN_DESC_TABLE, 0x0f, 0x01, T_REG, 3 },
	{ X86_LEN_TASK_SWITCH, 0, 0x9a, T_FAR, 0 },
	{ X86_LEN_TASK_SWITCH, 0, 0xea, T_FAR, 0 },
	{ X86_LEN_TASK_SWITCH, 0, 0xff, T_REG, 3 },
	{ X86_LEN_TASK_SWITCH, 0, 0xff, T_REG, 5 },
	{ X86_LEN_TASK_SWITCH, 0, 0xcf, T_NONE, 0 },
	{ X86_LEN_TASK_SWITCH, 0, 0xcd, T_IMM8, 0 },
	{ X86_LEN_TASK_SWITCH, 0, 0xcc, T_NONE, 0 },
	{ X86_LEN_TASK_SWITCH, 0, 0xce, T_NONE, 0 },
	{ X86_LEN_TASK_SWITCH, 0, 0xf1, T_NONE, 0 },
};

/* Where a class's forms begin, so that the common ones are found at once. */
static unsigned int first_form(enum x86_len_class class)
{
	unsigned int i = class > X86_LEN_MOV_CR ? class : 0;

	if (class <= X86_LEN_MOV_CR)
		return class;
	while (i < sizeof(len_forms) / sizeof(len_forms[0]) && len_forms[i].class != class)
		i++;
	return i;
}

/* Bytes of SIB and displacement behind a ModRM byte; *sib is the byte behind it. */
static unsigned int address_bytes(uint8_t modrm, uint8_t sib, unsigned int ad_bits)
{
	unsigned int mod = modrm >> 6, rm = modrm & 7;

	if (mod == 3)
		return 0;
	if (ad_bits == 16)
		return mod ? mod : (rm == 6 ? 2 : 0);
	if (rm != 4)
		return mod == 1 ? 1 : (mod == 2 || rm == 5 ? 4 : 0);
	return 1 + (mod == 1 ? 1 : (mod == 2 || (sib & 7) == 5 ? 4 : 0));
}

static bool is_prefix(uint8_t b, bool long_mode)
{
	return x86_opcodes_one[b].flags & (long_mode ? F_PREFIX | F_REX : F_PREFIX);
}

/* The length of one form whose opcode ends before `pos`; 0 when it is another instruction. */
static unsigned int form_length(const struct len_form *f, const uint8_t *bytes, unsigned int pos,
				unsigned int avail, unsigned int op_bits, unsigned int ad_bits)
{
	uint8_t modrm = pos < avail ? bytes[pos] : 0;
	uint8_t sib = pos + 1 < avail ? bytes[pos + 1] : 0;

	switch (f->tail) {
	case T_NONE:
		return pos;
	case T_IMM8:
		return pos + 1;
	case T_FAR:
		return pos + (op_bits == 16 ? 4 : 6);
	case T_CRDR:
		return pos + 1;
	case T_FIXED:
		return pos < avail && modrm == f->modrm ? pos + 1 : 0;
	default: /* T_REG */
		if (pos >= avail || ((modrm >> 3) & 7) != f->modrm)
			return 0;
		return pos + 1 + address_bytes(modrm, sib, ad_bits);
	}
}

unsigned int x86_insn_length_only(const uint8_t *bytes, unsigned int avail, unsigned int code_bits,
				  enum x86_len_class class)
{
	unsigned int pos = 0, i, op_bits = code_bits == 16 ? 16 : 32, ad_bits = code_bits;
	bool opsz = false, adsz = false;

	if (avail > X86_INSN_MAX_BYTES)
		avail = X86_INSN_MAX_BYTES;
	while (pos < avail && is_prefix(bytes[pos], code_bits == 64)) {
		opsz |= bytes[pos] == 0x66;
		adsz |= bytes[pos] == 0x67;
		pos++;
	}
	if (opsz)
		op_bits = 48 - op_bits;
	if (adsz)
		ad_bits = code_bits == 32 ? 16 : 32;
	for (i = first_form(class); i < sizeof(len_forms) / sizeof(len_forms[0]); i++) {
		const struct len_form *f = &len_forms[i];
		unsigned int p = pos, len;

		if (f->class != class)
			break;
		if (f->map && (p >= avail || bytes[p++] != f->map))
			continue;
		if (p >= avail || bytes[p++] != f->opcode)
			continue;
		len = form_length(f, bytes, p, avail, op_bits, ad_bits);
		if (len && len <= avail)
			return len;
	}
	return 0;
}
