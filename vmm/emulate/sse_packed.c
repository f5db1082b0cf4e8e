// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packed integers and logic of MMX, SSE2, AVX and AVX2 (SDM vol. 2): what compilers make of loops over bytes and words,
 * which then reads device memory. Each opcode is a row: what it does to a pair of elements, of which size, and what
 * becomes of a result that is too large. Saturating, widening and shuffling opcodes that are no rows follow.
 */
#include "internal.h"
#include "handlers.h"
#include "sse.h"

#define BLOCK	  16 /* 256-bit forms do the same to both halves */
#define BLOCK_MAX 32

enum range { WRAPS, SIGNED, UNSIGNED };

struct lane_op {
	int64_t (*fn)(int64_t a, int64_t b);
	uint8_t bytes;	/* of an element */
	bool is_signed; /* the elements are */
	uint8_t range;	/* of results */
};

static int64_t add(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

static int64_t sub(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a - (uint64_t)b);
}

static int64_t bits_and(int64_t a, int64_t b)
{
	return a & b;
}

static int64_t bits_andn(int64_t a, int64_t b)
{
	return ~a & b;
}

static int64_t bits_or(int64_t a, int64_t b)
{
	return a | b;
}

static int64_t bits_xor(int64_t a, int64_t b)
{
	return a ^ b;
}

static int64_t equal(int64_t a, int64_t b)
{
	return a == b ? -1 : 0;
}

static int64_t greater(int64_t a, int64_t b)
{
	return a > b ? -1 : 0;
}

static int64_t smaller_one(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t larger_one(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t average(int64_t a, int64_t b)
{
	return (a + b + 1) >> 1;
}

static int64_t product(int64_t a, int64_t b)
{
	return a * b;
}

static int64_t product_high(int64_t a, int64_t b)
{
	return (a * b) >> 16;
}

static int64_t product_wide(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)(uint32_t)a * (uint32_t)b);
}

/* By the second byte of the opcode. */
static const struct lane_op lane_ops[256] = {
	[0x54] = { bits_and, 8, false, WRAPS },	    [0x55] = { bits_andn, 8, false, WRAPS },
	[0x56] = { bits_or, 8, false, WRAPS },	    [0x57] = { bits_xor, 8, false, WRAPS },
	[0x64] = { greater, 1, true, WRAPS },	    [0x65] = { greater, 2, true, WRAPS },
	[0x66] = { greater, 4, true, WRAPS },	    [0x74] = { equal, 1, false, WRAPS },
	[0x75] = { equal, 2, false, WRAPS },	    [0x76] = { equal, 4, false, WRAPS },
	[0xd4] = { add, 8, false, WRAPS },	    [0xd5] = { product, 2, true, WRAPS },
	[0xd8] = { sub, 1, false, UNSIGNED },	    [0xd9] = { sub, 2, false, UNSIGNED },
	[0xda] = { smaller_one, 1, false, WRAPS },  [0xdb] = { bits_and, 8, false, WRAPS },
	[0xdc] = { add, 1, false, UNSIGNED },	    [0xdd] = { add, 2, false, UNSIGNED },
	[0xde] = { larger_one, 1, false, WRAPS },   [0xdf] = { bits_andn, 8, false, WRAPS },
	[0xe0] = { average, 1, false, WRAPS },	    [0xe3] = { average, 2, false, WRAPS },
	[0xe4] = { product_high, 2, false, WRAPS }, [0xe5] = { product_high, 2, true, WRAPS },
	[0xe8] = { sub, 1, true, SIGNED },	    [0xe9] = { sub, 2, true, SIGNED },
	[0xea] = { smaller_one, 2, true, WRAPS },   [0xeb] = { bits_or, 8, false, WRAPS },
	[0xec] = { add, 1, true, SIGNED },	    [0xed] = { add, 2, true, SIGNED },
	[0xee] = { larger_one, 2, true, WRAPS },    [0xef] = { bits_xor, 8, false, WRAPS },
	[0xf4] = { product_wide, 8, false, WRAPS }, [0xf8] = { sub, 1, false, WRAPS },
	[0xf9] = { sub, 2, false, WRAPS },	    [0xfa] = { sub, 4, false, WRAPS },
	[0xfb] = { sub, 8, false, WRAPS },	    [0xfc] = { add, 1, false, WRAPS },
	[0xfd] = { add, 2, false, WRAPS },	    [0xfe] = { add, 4, false, WRAPS },
};

static int64_t lane_get(const uint8_t *p, unsigned int bytes, bool is_signed)
{
	uint64_t v = 0;

	em_copy(&v, p, bytes);
	return is_signed ? em_sext(v, bytes) : (int64_t)v;
}

static void lane_put(uint8_t *p, unsigned int bytes, int64_t v, unsigned int range)
{
	int64_t bottom = 0, top;

	if (range != WRAPS) {
		top = 1LL << (8 * bytes - (range == SIGNED));
		if (range == SIGNED)
			bottom = -top;
		v = v >= top ? top - 1 : v < bottom ? bottom : v;
	}
	em_copy(p, &v, bytes);
}

static void lanes(const struct lane_op *op, uint8_t *to, const uint8_t *a, const uint8_t *b,
		  unsigned int bytes)
{
	unsigned int i;

	for (i = 0; i < bytes; i += op->bytes)
		lane_put(to + i, op->bytes,
			 op->fn(lane_get(a + i, op->bytes, op->is_signed),
				lane_get(b + i, op->bytes, op->is_signed)),
			 op->range);
}

/* Elements of half the size: those of a, then those of b. */
static void pack(uint8_t opcode, uint8_t *to, const uint8_t *a, const uint8_t *b,
		 unsigned int bytes)
{
	unsigned int from = opcode == 0x6b ? 4 : 2, i;
	unsigned int range = opcode == 0x67 ? UNSIGNED : SIGNED;

	for (i = 0; i < bytes; i += from) {
		lane_put(to + i / 2, from / 2, lane_get(a + i, from, true), range);
		lane_put(to + (bytes + i) / 2, from / 2, lane_get(b + i, from, true), range);
	}
}

/* Elements of the lower or upper halves by turns. */
static void unpack(uint8_t opcode, uint8_t *to, const uint8_t *a, const uint8_t *b,
		   unsigned int bytes)
{
	bool quads = opcode >= 0x6c, high = quads ? opcode & 1 : opcode & 8;
	unsigned int size = quads ? 8 : 1U << (opcode & 3), i;

	if (high) {
		a += bytes / 2;
		b += bytes / 2;
	}
	for (i = 0; i < bytes / 2; i += size) {
		em_copy(to + 2 * i, a + i, size);
		em_copy(to + 2 * i + size, b + i, size);
	}
}

/* By the lower 64 bits of b. */
static void shift(uint8_t opcode, uint8_t *to, const uint8_t *a, const uint8_t *b,
		  unsigned int bytes)
{
	unsigned int size = 1U << (opcode & 3), bits = 8 * size, i;
	bool left = opcode >= 0xf0, arithmetic = opcode >= 0xe0 && !left;
	uint64_t count = (uint64_t)lane_get(b, 8, false);

	for (i = 0; i < bytes; i += size) {
		uint64_t v = (uint64_t)lane_get(a + i, size, arithmetic);

		if (arithmetic)
			v = (uint64_t)((int64_t)v >> (count < bits ? count : bits - 1));
		else if (count >= bits)
			v = 0;
		else
			v = left ? v << count : v >> count;
		em_copy(to + i, &v, size);
	}
}

/* PMADDWD. */
static void multiply_add(uint8_t *to, const uint8_t *a, const uint8_t *b, unsigned int bytes)
{
	unsigned int i;

	for (i = 0; i < bytes; i += 4)
		lane_put(to + i, 4,
			 lane_get(a + i, 2, true) * lane_get(b + i, 2, true) +
				 lane_get(a + i + 2, 2, true) * lane_get(b + i + 2, 2, true),
			 WRAPS);
}

/* PSADBW. */
static void sum_of_differences(uint8_t *to, const uint8_t *a, const uint8_t *b, unsigned int bytes)
{
	unsigned int i, k;

	for (i = 0; i < bytes; i += 8) {
		int64_t sum = 0;

		for (k = i; k < i + 8; k++)
			sum += a[k] > b[k] ? a[k] - b[k] : b[k] - a[k];
		lane_put(to + i, 8, sum, WRAPS);
	}
}

static bool is_shift(uint8_t opcode)
{
	return (opcode & 0xcc) == 0xc0 && !lane_ops[opcode].fn;
}

/* At most 16 bytes. */
static void block(uint8_t opcode, uint8_t *to, const uint8_t *a, const uint8_t *b,
		  unsigned int bytes)
{
	if (lane_ops[opcode].fn)
		lanes(&lane_ops[opcode], to, a, b, bytes);
	else if (opcode == 0x63 || opcode == 0x67 || opcode == 0x6b)
		pack(opcode, to, a, b, bytes);
	else if (opcode < 0x70)
		unpack(opcode, to, a, b, bytes);
	else if (is_shift(opcode))
		shift(opcode, to, a, b, bytes);
	else if (opcode == 0xf5)
		multiply_add(to, a, b, bytes);
	else
		sum_of_differences(to, a, b, bytes);
}

/* The second operand; of the first, VEX.vvvv, or the destination. */
static int packed(struct x86_emul *s, bool mmx)
{
	uint8_t a[BLOCK_MAX], b[BLOCK_MAX] = { 0 }, to[BLOCK_MAX], opcode = (uint8_t)s->insn.opcode;
	bool vex = s->insn.prefixes & X86_PFX_VEX;
	unsigned int bytes = mmx ? 8 : s->insn.vex_l ? 32 : BLOCK, from = bytes, at;
	unsigned int first = vex ? s->insn.vex_vvvv : s->insn.reg;
	int rc = sse_enabled(s, mmx);

	if (is_shift(opcode) && !mmx)
		from = BLOCK;
	if (mmx && s->insn.is_mem && opcode >= 0x60 && opcode <= 0x62)
		from = 4; /* MMX's unpacking of lower halves reads no more */
	if (rc == X86EMUL_OKAY)
		rc = sse_read_vec(s, mmx ? first & 7 : first, a, bytes);
	if (rc == X86EMUL_OKAY)
		rc = sse_read_rm(s, b, from, mmx, !mmx && !vex);
	if (rc != X86EMUL_OKAY)
		return rc;
	for (at = 0; at < bytes; at += BLOCK)
		block(opcode, to + at, a + at, is_shift(opcode) ? b : b + at, mmx ? 8 : BLOCK);
	return sse_write_vec(s, mmx ? s->insn.reg & 7 : s->insn.reg, to, bytes);
}

int sse_packed(struct x86_emul *s)
{
	return packed(s, !(s->insn.prefixes & X86_PFX_OPSZ) && !(s->insn.prefixes & X86_PFX_VEX));
}

int sse_logic(struct x86_emul *s)
{
	return packed(s, false);
}
