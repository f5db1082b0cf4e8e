// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Decoder oracle: Zydis. For systematic and random byte strings in 16-, 32- and 64-bit code the two
 * must agree on what is an instruction, on its length, on effective addresses and immediates. Known
 * differences are in is_known_difference(), each with its reason.
 */
#include <Zydis/Zydis.h>

#include "harness.h"

struct decode_mode {
	const char *name;
	ZydisMachineMode zmode;
	ZydisStackWidth zwidth;
	uint8_t mode, code_bits, vendor;
};

static const struct decode_mode modes[] = {
	{ "64 AMD", ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64, X86_MODE_LONG, 64,
	  X86_VENDOR_AMD },
	{ "64 Intel", ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64, X86_MODE_LONG, 64,
	  X86_VENDOR_INTEL },
	{ "32", ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32, X86_MODE_PROT, 32,
	  X86_VENDOR_INTEL },
	{ "16", ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16, X86_MODE_PROT, 16,
	  X86_VENDOR_INTEL },
	{ "real", ZYDIS_MACHINE_MODE_REAL_16, ZYDIS_STACK_WIDTH_16, X86_MODE_REAL, 16,
	  X86_VENDOR_INTEL },
};

static struct machine machine;
static ZydisDecoder decoder;
static ZydisRegisterContext zregs;
static unsigned long unsupported, accepted, refused;

static void setup(const struct decode_mode *mode)
{
	static const ZydisRegister r64[16] = {
		ZYDIS_REGISTER_RAX, ZYDIS_REGISTER_RCX, ZYDIS_REGISTER_RDX, ZYDIS_REGISTER_RBX,
		ZYDIS_REGISTER_RSP, ZYDIS_REGISTER_RBP, ZYDIS_REGISTER_RSI, ZYDIS_REGISTER_RDI,
		ZYDIS_REGISTER_R8,  ZYDIS_REGISTER_R9,	ZYDIS_REGISTER_R10, ZYDIS_REGISTER_R11,
		ZYDIS_REGISTER_R12, ZYDIS_REGISTER_R13, ZYDIS_REGISTER_R14, ZYDIS_REGISTER_R15,
	};
	unsigned int i;

	machine_init(&machine, mode->mode, mode->code_bits);
	machine.ctxt.vendor = mode->vendor;
	machine.ctxt.features &= ~X86_FEAT_CR8_LEGACY; /* Zydis does not know it */
	machine.any_memory = true;
	machine.regs.rip = 0x1000;
	ZydisDecoderInit(&decoder, mode->zmode, mode->zwidth);
	ZydisDecoderEnableMode(&decoder, ZYDIS_DECODER_MODE_MPX, ZYAN_FALSE); /* 0F 1A, 1B: NOP */
	if (mode->vendor == X86_VENDOR_AMD)
		ZydisDecoderEnableMode(&decoder, ZYDIS_DECODER_MODE_AMD_BRANCHES, ZYAN_TRUE);
	for (i = 0; i < 16; i++) {
		uint64_t v = test_random();

		machine.regs.gpr[i] = v;
		zregs.values[r64[i]] = v;
		zregs.values[ZYDIS_REGISTER_EAX + i] = (uint32_t)v;
		zregs.values[ZYDIS_REGISTER_AX + i] = (uint16_t)v;
	}
}

/*
 * A reason when Zydis and hardware, or Zydis and our aim, differ; zi is NULL where Zydis refuses.
 */
static const char *is_known_difference(const struct x86_insn *insn,
				       const ZydisDecodedInstruction *zi,
				       const struct decode_mode *mode)
{
	bool amd64 = mode->code_bits == 64 && mode->vendor == X86_VENDOR_AMD;

	if (zi && zi->length == insn->len && amd64 && insn->op_bytes == 2 &&
	    zi->operand_width == 64 &&
	    ((insn->opcode & 0xf0) == 0x70 || (insn->opcode & 0xf8) == 0xe0 ||
	     (insn->opcode & 0xfe) == 0xc2 || insn->opcode == 0xeb || insn->opcode == 0xff))
		return "66 cuts RIP to 16 bits on AMD in every near branch (test_native)";
	if (zi && zi->length == insn->len && insn->op_bytes == 8 && zi->operand_width == 32 &&
	    ((insn->opcode & 0xf4) == 0xe4 || (insn->opcode & 0xfc) == 0x6c))
		return "REX.W does nothing to IN and OUT; io.c caps the size";
	if (zi && zi->length == insn->len && insn->prefixes & X86_PFX_ADSZ &&
	    insn->rex & X86_REX_B && insn->mod == 0)
		return "Zydis 4.0 gives SIB base 101 with REX.B a base in spite of mod 0";
	if (zi && zi->length == insn->len && insn->opcode == 0xff && insn->seg_override)
		return "Zydis takes 3E before an indirect branch for CET's NOTRACK only";
	if (!zi && mode->mode == X86_MODE_REAL && (insn->opcode & ~1) == 0x0f34)
		return "SYSENTER and SYSEXIT exist in real mode and raise #GP (SDM vol. 2)";
	return NULL;
}

static const ZydisDecodedOperand *memory_operand(const ZydisDecodedInstruction *zi,
						 const ZydisDecodedOperand *zo)
{
	unsigned int i;

	for (i = 0; i < zi->operand_count_visible; i++) {
		if (zo[i].type == ZYDIS_OPERAND_TYPE_MEMORY)
			return &zo[i];
	}
	return NULL;
}

static bool same_address(const struct x86_insn *insn, const ZydisDecodedInstruction *zi,
			 const ZydisDecodedOperand *zo)
{
	const ZydisDecodedOperand *mem = memory_operand(zi, zo);
	ZyanU64 ea;

	if (!insn->is_mem || !mem)
		return true;
	if (mem->mem.base == ZYDIS_REGISTER_NONE && mem->mem.index == ZYDIS_REGISTER_NONE)
		ea = (uint64_t)mem->mem.disp.value;
	else if (!ZYAN_SUCCESS(ZydisCalcAbsoluteAddressEx(zi, mem, machine.regs.rip, &zregs, &ea)))
		return true;
	return (ea & (~0ULL >> (64 - 8 * insn->ad_bytes))) == insn->ea;
}

static bool same_segment(const struct x86_insn *insn, const ZydisDecodedInstruction *zi,
			 const ZydisDecodedOperand *zo)
{
	const ZydisDecodedOperand *mem = memory_operand(zi, zo);

	if (!insn->is_mem || !mem || mem->mem.type == ZYDIS_MEMOP_TYPE_AGEN)
		return true;
	return mem->mem.segment == (ZydisRegister)(ZYDIS_REGISTER_ES + insn->seg);
}

static bool same_immediate(const struct x86_insn *insn, const ZydisDecodedInstruction *zi)
{
	uint64_t mask;

	if (!zi->raw.imm[0].size || zi->raw.imm[1].size)
		return true;
	mask = ~0ULL >> (64 - zi->raw.imm[0].size);
	return (insn->imm & mask) == (zi->raw.imm[0].value.u & mask);
}

static bool same_operand_size(const struct x86_insn *insn, const ZydisDecodedInstruction *zi)
{
	/* Where Zydis gives 8 the instruction has byte operands; ours still tells what 66 did. */
	return zi->operand_width == 8 || insn->opcode >= 0x100 ||
	       zi->operand_width == insn->op_bytes * 8U;
}

/* One failure per opcode and kind is enough to read. */
static bool first_of_kind(const struct x86_insn *insn, unsigned int kind)
{
	static uint8_t seen[0x4000];
	uint8_t bit = 1U << kind;
	bool first = !(seen[insn->opcode & 0x3fff] & bit);

	seen[insn->opcode & 0x3fff] |= bit;
	return first;
}

static void compare_valid(const struct decode_mode *mode, const struct x86_insn *insn,
			  const ZydisDecodedInstruction *zi, const ZydisDecodedOperand *zo,
			  const uint8_t *bytes)
{
	char hex[64];
	const char *what = NULL;

	if (zi->length != insn->len)
		what = "length";
	else if (!same_address(insn, zi, zo))
		what = "effective address";
	else if (!same_segment(insn, zi, zo))
		what = "segment";
	else if (!same_immediate(insn, zi))
		what = "immediate";
	else if (!same_operand_size(insn, zi))
		what = "operand size";
	if (what && !is_known_difference(insn, zi, mode) && !first_of_kind(insn, what[0] & 3))
		return;
	test_hex(hex, bytes, insn->len);
	test_result(!what || is_known_difference(insn, zi, mode),
		    "decode %s: %s: %s differs from Zydis (%s, len %u/%u, width %u/%u, ea %llx)",
		    mode->name, hex, what, ZydisMnemonicGetString(zi->mnemonic), insn->len,
		    zi->length, insn->op_bytes * 8, zi->operand_width,
		    (unsigned long long)insn->ea);
}

/* Zydis refuses: executing must not get past #UD either (some handlers check register numbers). */
static void compare_invalid(const struct decode_mode *mode, const struct x86_insn *insn,
			    const uint8_t *bytes)
{
	struct machine m = machine;
	char hex[64];
	int rc;

	m.ctxt.regs = &m.regs;
	m.ctxt.opaque = &m;
	rc = x86_emulate(&m.ctxt, &machine_ops);
	if (!((rc == X86EMUL_EXCEPTION && m.ctxt.event.vector == 6) || rc == X86EMUL_UNHANDLEABLE ||
	      is_known_difference(insn, NULL, mode)) &&
	    !first_of_kind(insn, 4))
		return;
	test_hex(hex, bytes, 15);
	test_result((rc == X86EMUL_EXCEPTION && m.ctxt.event.vector == 6) ||
			    rc == X86EMUL_UNHANDLEABLE || is_known_difference(insn, NULL, mode),
		    "decode %s: %s: accepted with length %u, Zydis refuses", mode->name, hex,
		    insn->len);
}

/*
 * What the decoder leaves out must be outside the integer instruction sets up to the first 64-bit
 * processors, or one of the few that only make sense with hardware that we do not emulate.
 */
static bool may_be_left_out(const ZydisDecodedInstruction *zi)
{
	switch (zi->meta.isa_set) {
	case ZYDIS_ISA_SET_I86:
	case ZYDIS_ISA_SET_I186:
	case ZYDIS_ISA_SET_I286REAL:
	case ZYDIS_ISA_SET_I286PROTECTED:
	case ZYDIS_ISA_SET_I386:
	case ZYDIS_ISA_SET_I486:
	case ZYDIS_ISA_SET_I486REAL:
	case ZYDIS_ISA_SET_PENTIUMREAL:
	case ZYDIS_ISA_SET_PPRO:
	case ZYDIS_ISA_SET_CMOV:
	case ZYDIS_ISA_SET_LONGMODE:
	case ZYDIS_ISA_SET_CMPXCHG16B:
	case ZYDIS_ISA_SET_LAHF:
	case ZYDIS_ISA_SET_MOVBE:
	case ZYDIS_ISA_SET_POPCNT:
	case ZYDIS_ISA_SET_RDTSCP:
	case ZYDIS_ISA_SET_LZCNT:
	case ZYDIS_ISA_SET_SMAP:
	case ZYDIS_ISA_SET_FAT_NOP:
		break;
	default:
		return true;
	}
	switch (zi->mnemonic) {
	case ZYDIS_MNEMONIC_RSM: /* SMM is not virtualised */
	case ZYDIS_MNEMONIC_RDPMC:
	case ZYDIS_MNEMONIC_FCOMI: /* x87 */
	case ZYDIS_MNEMONIC_FCOMIP:
	case ZYDIS_MNEMONIC_FUCOMI:
	case ZYDIS_MNEMONIC_FUCOMIP:
		return true;
	default:
		return false;
	}
}

static void check_left_out(const struct decode_mode *mode, const uint8_t *bytes)
{
	static bool seen[ZYDIS_MNEMONIC_MAX_VALUE + 1];
	ZydisDecodedInstruction zi;
	char hex[64];

	unsupported++;
	if (unsupported & 3 ||
	    !ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder, NULL, bytes, 15, &zi)))
		return;
	if (may_be_left_out(&zi)) {
		tests.passed++;
		return;
	}
	if (seen[zi.mnemonic])
		return;
	seen[zi.mnemonic] = true;
	test_hex(hex, bytes, zi.length);
	test_result(false, "decode %s: %s: %s is not decoded", mode->name, hex,
		    ZydisMnemonicGetString(zi.mnemonic));
}

static void check(const struct decode_mode *mode, const uint8_t *bytes)
{
	ZydisDecodedInstruction zi;
	ZydisDecodedOperand zo[ZYDIS_MAX_OPERAND_COUNT];
	struct x86_insn insn;
	char hex[64];
	bool valid;
	int rc;

	memcpy(machine.ctxt.insn_bytes, bytes, 15);
	machine.ctxt.insn_avail = 15;
	rc = x86_decode(&machine.ctxt, &machine_ops, &insn);
	if (rc == X86EMUL_UNHANDLEABLE) {
		check_left_out(mode, bytes);
		return;
	}
	valid = ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, bytes, 15, &zi, zo));
	if (rc == X86EMUL_OKAY) {
		accepted++;
		if (valid)
			compare_valid(mode, &insn, &zi, zo, bytes);
		else
			compare_invalid(mode, &insn, bytes);
		return;
	}
	refused++;
	if (valid && !first_of_kind(&insn, 5))
		return;
	test_hex(hex, bytes, 15);
	test_result(!valid || is_known_difference(&insn, &zi, mode) ||
			    zi.mnemonic == ZYDIS_MNEMONIC_UD0 ||
			    zi.mnemonic == ZYDIS_MNEMONIC_UD1 || zi.mnemonic == ZYDIS_MNEMONIC_UD2,
		    "decode %s: %s: refused (vector %u), Zydis says %s", mode->name, hex,
		    machine.ctxt.event.vector, ZydisMnemonicGetString(zi.mnemonic));
}

static void random_tail(uint8_t *bytes, unsigned int from)
{
	uint64_t r[2] = { test_random(), test_random() };

	memcpy(bytes + from, r, 15 - from);
}

/*
 * Every opcode of each map with every ModRM byte; behind prefixes with every fourth one, a
 * different quarter for each opcode.
 */
static void enumerate(const struct decode_mode *mode)
{
	static const char *const prefixes[] = {
		"",	"\x66", "\x67",	    "\xf3",	"\xf2",
		"\xf0", "\x48", "\x66\xf2", "\x64\x45", "\xf0\x4c"
	};
	static const char *const maps[] = { "", "\x0f", "\x0f\x38" };
	unsigned int p, map, op, modrm;

	for (p = 0; p < sizeof(prefixes) / sizeof(prefixes[0]); p++)
		for (map = 0; map < 3; map++)
			for (op = 0; op < 256; op++)
				for (modrm = p ? op & 3 : 0; modrm < 256; modrm += p ? 4 : 1) {
					uint8_t bytes[16];
					unsigned int n = strlen(prefixes[p]);

					memcpy(bytes, prefixes[p], n);
					memcpy(bytes + n, maps[map], strlen(maps[map]));
					n += strlen(maps[map]);
					bytes[n++] = op;
					bytes[n++] = modrm;
					random_tail(bytes, n);
					check(mode, bytes);
				}
}

/* Random strings, with many prefixes, so that limits and orders are met. */
static void random_strings(const struct decode_mode *mode, unsigned int count)
{
	static const uint8_t common[] = { 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x2e, 0x36, 0x3e,
					  0x26, 0x64, 0x65, 0x40, 0x48, 0x4f, 0x0f, 0x0f };
	uint8_t bytes[16];

	while (count--) {
		unsigned int n = test_below(8) ? test_below(4) : test_below(16), i;

		if (n > 14)
			n = 14;
		for (i = 0; i < n; i++)
			bytes[i] = common[test_below(sizeof(common))];
		random_tail(bytes, n);
		check(mode, bytes);
	}
}

static void check_length_only(const struct decode_mode *mode)
{
	/* clang-format off */
	static const struct { const char *bytes; uint8_t n; enum x86_len_class class; } forms[] = {
		{ "\x0f\xa2", 2, X86_LEN_CPUID }, { "\x0f\x32", 2, X86_LEN_RDMSR },
		{ "\x0f\x30", 2, X86_LEN_WRMSR }, { "\xf4", 1, X86_LEN_HLT },
		{ "\x0f\x01\xc1", 3, X86_LEN_VMCALL }, { "\x0f\x01\xd9", 3, X86_LEN_VMMCALL },
		{ "\x0f\x31", 2, X86_LEN_RDTSC }, { "\x0f\x01\xf9", 3, X86_LEN_RDTSCP },
		{ "\x0f\x33", 2, X86_LEN_RDPMC }, { "\x0f\x08", 2, X86_LEN_INVD },
		{ "\x0f\x09", 2, X86_LEN_WBINVD }, { "\x0f\x01\xd1", 3, X86_LEN_XSETBV },
		{ "\x0f\x20\xc0", 3, X86_LEN_MOV_CR }, { "\x0f\x22\xd8", 3, X86_LEN_MOV_CR },
		{ "\x0f\x21\xf8", 3, X86_LEN_MOV_DR }, { "\x0f\x23\xf8", 3, X86_LEN_MOV_DR },
		{ "\x0f\x01\xf0", 3, X86_LEN_LMSW }, { "\x0f\x01\x34\x25", 4, X86_LEN_LMSW },
		{ "\x0f\x01\x66", 3, X86_LEN_SMSW }, { "\x0f\x06", 2, X86_LEN_CLTS },
		{ "\x0f\x01\x38", 3, X86_LEN_INVLPG }, { "\x0f\x01\xbc\x24", 4, X86_LEN_INVLPG },
		{ "\x0f\x01\x3d", 3, X86_LEN_INVLPG }, { "\x0f\x01\xdf", 3, X86_LEN_INVLPGA },
		{ "\xf3\x90", 2, X86_LEN_PAUSE }, { "\x0f\x01\xc8", 3, X86_LEN_MONITOR },
		{ "\x0f\x01\xc9", 3, X86_LEN_MWAIT }, { "\xcd\x80", 2, X86_LEN_INT },
		{ "\xcc", 1, X86_LEN_INT3 }, { "\xf1", 1, X86_LEN_ICEBP }, 
		{ "\xcf", 1, X86_LEN_IRET },
		{ "\x9c", 1, X86_LEN_PUSHF }, { "\x9d", 1, X86_LEN_POPF }, 
		{ "\x0f\xaa", 2, X86_LEN_RSM },
		{ "\x0f\x01\xd8", 3, X86_LEN_VMRUN }, { "\x0f\x01\xda", 3, X86_LEN_VMLOAD },
		{ "\x0f\x01\xdb", 3, X86_LEN_VMSAVE }, { "\x0f\x01\xdc", 3, X86_LEN_STGI },
		{ "\x0f\x01\xdd", 3, X86_LEN_CLGI }, { "\x0f\x01\xde", 3, X86_LEN_SKINIT },
		{ "\x0f\x01\x1e", 3, X86_LEN_DESC_TABLE }, 
		{ "\x0f\x00\x98", 3, X86_LEN_DESC_TABLE },
		{ "\x0f\x00\xd0", 3, X86_LEN_DESC_TABLE }, 
		{ "\xff\x2c\x25", 3, X86_LEN_TASK_SWITCH },
		{ "\xff\x5d", 2, X86_LEN_TASK_SWITCH }, { "\xea", 1, X86_LEN_TASK_SWITCH },
		{ "\x9a", 1, X86_LEN_TASK_SWITCH }, { "\xcd\x20", 2, X86_LEN_TASK_SWITCH },
	};
	/* clang-format on */
	static const uint8_t pfx[] = { 0x66, 0x67, 0x2e, 0x64, 0x48, 0x41, 0x4d };
	unsigned int i, k, n;

	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		for (k = 0; k < 60; k++) {
			ZydisDecodedInstruction zi;
			uint8_t bytes[16];
			char hex[64];
			unsigned int len, prefixes = test_below(4);

			for (n = 0; n < prefixes; n++)
				bytes[n] = pfx[test_below(mode->code_bits == 64 ? 7 : 4)];
			memcpy(bytes + n, forms[i].bytes, forms[i].n);
			random_tail(bytes, n + forms[i].n);
			if (!ZYAN_SUCCESS(
				    ZydisDecoderDecodeInstruction(&decoder, NULL, bytes, 15, &zi)))
				continue;
			len = x86_insn_length_only(bytes, 15, mode->code_bits, forms[i].class);
			test_hex(hex, bytes, 15);
			test_result(len == zi.length, "length %s: %s: %u, Zydis %u", mode->name,
				    hex, len, zi.length);
			test_result(!x86_insn_length_only(bytes, zi.length - 1, mode->code_bits,
							  forms[i].class),
				    "length %s: %s: accepted when cut short", mode->name, hex);
		}
}

void test_decode(void)
{
	struct test_count before;
	unsigned int i;

	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		setup(&modes[i]);
		before = tests;
		enumerate(&modes[i]);
		test_batch(&before);
		before = tests;
		random_strings(&modes[i], 100000);
		test_batch(&before);
		before = tests;
		check_length_only(&modes[i]);
		test_batch(&before);
	}
	printf("  decode: %lu accepted, %lu refused as by Zydis, %lu not ours\n", accepted, refused,
	       unsupported);
}
