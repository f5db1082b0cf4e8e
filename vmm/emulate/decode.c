// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Instruction decoding: prefixes, opcode maps, ModRM, SIB, displacement, immediates, and the rules
 * about which combinations are #UD. Intel SDM vol. 2, chapter 2 and appendix A; APM vol. 3, chapter
 * 1. What an instruction does is elsewhere: the tables are in tables_one.c and tables_0f.c.
 */
#include "internal.h"

struct decoder {
	struct x86_emulate_ctxt *ctxt;
	const struct x86_emulate_ops *ops;
	unsigned int pos;
};

/* Makes ctxt->insn_bytes hold at least `need` bytes. */
static __attribute__((noinline)) int fetch_more(struct decoder *d, unsigned int need)
{
	struct x86_emulate_ctxt *ctxt = d->ctxt;
	struct x86_segment cs = { .limit = ~0U };
	bool long_mode = em_mode64(ctxt);
	int rc;

	if (need > X86_INSN_MAX_BYTES)
		return x86_emulate_exception(ctxt, X86_EXC_GP, ctxt->mode != X86_MODE_REAL, 0);
	if (!d->ops->insn_fetch || (!long_mode && !d->ops->read_segment))
		return X86EMUL_UNHANDLEABLE;
	if (!long_mode) {
		rc = d->ops->read_segment(X86_SEG_CS, &cs, ctxt);
		if (rc != X86EMUL_OKAY)
			return rc;
	}
	while (ctxt->insn_avail < need) {
		uint64_t off = ctxt->regs->rip + ctxt->insn_avail;
		uint64_t lin = long_mode ? off : (uint32_t)(cs.base + off);
		unsigned int n = X86_INSN_MAX_BYTES - ctxt->insn_avail;
		unsigned int page_left = 0x1000 - (lin & 0xfff);

		if (long_mode ? !em_canonical(ctxt, off) : off > cs.limit)
			return x86_emulate_exception(ctxt, X86_EXC_GP, ctxt->mode != X86_MODE_REAL,
						     0);
		if (n > page_left)
			n = page_left;
		if (!long_mode && n - 1 > cs.limit - off)
			n = cs.limit - off + 1;
		rc = d->ops->insn_fetch(lin, ctxt->insn_bytes + ctxt->insn_avail, n, ctxt);
		if (rc != X86EMUL_OKAY)
			return rc;
		ctxt->insn_avail += n;
	}
	return X86EMUL_OKAY;
}

static inline int fetch_byte(struct decoder *d, uint8_t *b)
{
	if (EM_UNLIKELY(d->pos >= d->ctxt->insn_avail)) {
		int rc = fetch_more(d, d->pos + 1);

		if (rc != X86EMUL_OKAY)
			return rc;
	}
	*b = d->ctxt->insn_bytes[d->pos++];
	return X86EMUL_OKAY;
}

/* A little-endian number of 1, 2, 4 or 8 bytes, sign-extended. */
static inline int fetch_signed(struct decoder *d, unsigned int bytes, uint64_t *val)
{
	const uint8_t *p;
	int16_t w;
	int32_t l;

	if (EM_UNLIKELY(d->pos + bytes > d->ctxt->insn_avail)) {
		int rc = fetch_more(d, d->pos + bytes);

		if (rc != X86EMUL_OKAY)
			return rc;
	}
	p = d->ctxt->insn_bytes + d->pos;
	d->pos += bytes;
	switch (bytes) {
	case 1:
		*val = (int8_t)*p; /* NOLINT(bugprone-signed-char-misuse): extends the sign */
		break;
	case 2:
		em_copy(&w, p, 2);
		*val = w;
		break;
	case 4:
		em_copy(&l, p, 4);
		*val = l;
		break;
	default:
		em_copy(val, p, 8);
		break;
	}
	return X86EMUL_OKAY;
}

/* 16-bit addressing: SDM vol. 2 table 2-1. */
static int decode_ea16(struct decoder *d, struct x86_insn *insn, unsigned int rm)
{
	static const uint8_t base[8] = { X86_RBX, X86_RBX, X86_RBP, X86_RBP,
					 X86_RSI, X86_RDI, X86_RBP, X86_RBX };
	const uint64_t *gpr = d->ctxt->regs->gpr;
	uint64_t disp = 0, ea = 0;
	int rc = X86EMUL_OKAY;

	if (rm == 6 && insn->mod == 0) {
		rc = fetch_signed(d, 2, &disp);
	} else {
		insn->ea_base = base[rm];
		ea = gpr[base[rm]];
		if (rm < 4) {
			insn->ea_index = rm & 1 ? X86_RDI : X86_RSI;
			ea += gpr[insn->ea_index];
		}
		if (base[rm] == X86_RBP && !insn->seg_override)
			insn->seg = X86_SEG_SS;
		if (insn->mod)
			rc = fetch_signed(d, insn->mod, &disp);
	}
	insn->ea = (uint16_t)(ea + disp);
	return rc;
}

/* Scale, index and base: returns the sum; *disp32 is set when a displacement replaces the base. */
static inline int decode_sib(struct decoder *d, struct x86_insn *insn, uint64_t *ea, bool *disp32)
{
	const uint64_t *gpr = d->ctxt->regs->gpr;
	unsigned int base, index;
	uint8_t sib;
	int rc = fetch_byte(d, &sib);

	if (rc != X86EMUL_OKAY)
		return rc;
	index = ((sib >> 3) & 7) | (insn->rex & X86_REX_X) << 2;
	base = sib & 7;
	if (index != X86_RSP) {
		insn->ea_index = (uint8_t)index;
		insn->ea_scale = sib >> 6;
		*ea = gpr[index] << (sib >> 6);
	}
	if (base == X86_RBP && insn->mod == 0) {
		*disp32 = true;
		return X86EMUL_OKAY;
	}
	if ((base & 6) == 4 && !(insn->rex & X86_REX_B)) {
		if (!insn->seg_override)
			insn->seg = X86_SEG_SS;
		insn->base_is_rsp = base == X86_RSP;
	}
	insn->ea_base = (uint8_t)(base | (insn->rex & X86_REX_B) << 3);
	*ea += gpr[insn->ea_base];
	return X86EMUL_OKAY;
}

/* 32- and 64-bit addressing: SDM vol. 2 tables 2-2 and 2-3. */
static inline int decode_ea(struct decoder *d, struct x86_insn *insn, unsigned int rm,
			    bool *rip_relative)
{
	const uint64_t *gpr = d->ctxt->regs->gpr;
	uint64_t ea = 0, disp = 0;
	bool disp32 = false;
	int rc = X86EMUL_OKAY;

	if (rm == 4) {
		rc = decode_sib(d, insn, &ea, &disp32);
		if (rc != X86EMUL_OKAY)
			return rc;
	} else if (rm == 5 && insn->mod == 0) {
		disp32 = true;
		*rip_relative = em_mode64(d->ctxt);
	} else {
		insn->ea_base = (uint8_t)(rm | (insn->rex & X86_REX_B) << 3);
		ea = gpr[insn->ea_base];
		if (rm == X86_RBP && !(insn->rex & X86_REX_B) && !insn->seg_override)
			insn->seg = X86_SEG_SS;
	}
	if (insn->mod == 1)
		rc = fetch_signed(d, 1, &disp);
	else if (insn->mod == 2 || disp32)
		rc = fetch_signed(d, 4, &disp);
	ea += disp;
	insn->ea = insn->ad_bytes == 8 ? ea : (uint32_t)ea;
	return rc;
}

static int decode_modrm(struct decoder *d, struct x86_insn *insn, uint32_t flags,
			bool *rip_relative)
{
	uint8_t modrm;
	int rc = fetch_byte(d, &modrm);

	if (rc != X86EMUL_OKAY)
		return rc;
	insn->has_modrm = true;
	insn->mod = flags & F_MODREG ? 3 : modrm >> 6;
	insn->reg = ((modrm >> 3) & 7) | (insn->rex & X86_REX_R) << 1;
	insn->rm = (modrm & 7) | (insn->rex & X86_REX_B) << 3;
	if (insn->mod == 3)
		return X86EMUL_OKAY;
	insn->is_mem = true;
	if (insn->ad_bytes == 2)
		return decode_ea16(d, insn, modrm & 7);
	return decode_ea(d, insn, modrm & 7, rip_relative);
}

/* Legacy prefixes and REX; `b` is the byte that is one, and becomes the first that is none. */
static int decode_prefixes(struct decoder *d, struct x86_insn *insn, uint8_t *b)
{
	bool long_mode = em_mode64(d->ctxt);

	for (;;) {
		uint32_t flags = x86_opcodes_one[*b].flags;
		int rc;

		if (flags & F_REX && long_mode) {
			insn->rex = *b;
		} else if (flags & F_PREFIX) {
			insn->rex = 0;
			switch (*b) {
			case 0x66:
				insn->prefixes |= X86_PFX_OPSZ;
				break;
			case 0x67:
				insn->prefixes |= X86_PFX_ADSZ;
				break;
			case 0xf0:
				insn->prefixes |= X86_PFX_LOCK;
				break;
			case 0xf2:
			case 0xf3:
				insn->prefixes &= ~(X86_PFX_REP | X86_PFX_REPNE);
				insn->prefixes |= *b == 0xf3 ? X86_PFX_REP : X86_PFX_REPNE;
				break;
			case 0x64:
			case 0x65:
				insn->seg = *b == 0x64 ? X86_SEG_FS : X86_SEG_GS;
				insn->seg_override = true;
				break;
			default: /* 26 2E 36 3E: ignored in 64-bit code */
				if (long_mode)
					break;
				insn->seg = (*b >> 3) & 3;
				insn->seg_override = true;
				break;
			}
		} else {
			return X86EMUL_OKAY;
		}
		rc = fetch_byte(d, b);
		if (rc != X86EMUL_OKAY)
			return rc;
	}
}

/* VEX (SDM vol. 2, 2.3.5); maps 0F and 0F 38 are known here. `b` is C4 or C5, becomes the opcode. */
static int decode_vex(struct decoder *d, struct x86_insn *insn, uint8_t *b, bool *map38)
{
	static const uint8_t pfx[4] = { 0, X86_PFX_OPSZ, X86_PFX_REP, X86_PFX_REPNE };
	uint8_t p0, p1;
	int rc = fetch_byte(d, &p0);

	if (rc != X86EMUL_OKAY)
		return rc;
	if (insn->rex || insn->prefixes & ~X86_PFX_ADSZ)
		return x86_emulate_exception(d->ctxt, X86_EXC_UD, false, 0);
	p1 = p0;
	insn->rex = 0x40;
	if (*b == 0xc4) {
		rc = fetch_byte(d, &p1);
		if (rc != X86EMUL_OKAY)
			return rc;
		if ((p0 & 0x1f) != 1 && (p0 & 0x1f) != 2)
			return X86EMUL_UNHANDLEABLE;
		*map38 = (p0 & 0x1f) == 2;
		if (!(p0 & 0x40))
			insn->rex |= X86_REX_X;
		if (!(p0 & 0x20))
			insn->rex |= X86_REX_B;
		if (p1 & 0x80)
			insn->rex |= X86_REX_W;
	}
	if (!(p0 & 0x80))
		insn->rex |= X86_REX_R;
	if (!em_mode64(d->ctxt))
		insn->rex = 0;
	insn->vex_vvvv = (~p1 >> 3) & 15;
	insn->vex_l = (p1 >> 2) & 1;
	insn->prefixes |= pfx[p1 & 3] | X86_PFX_VEX;
	return fetch_byte(d, b);
}

/* C4, C5 and 62 are VEX and EVEX in 64-bit code, and where they cannot be LES, LDS and BOUND. */
static int escape_is_vex(struct decoder *d, bool *vex)
{
	uint8_t next;
	int rc;

	*vex = em_mode64(d->ctxt);
	if (*vex || !em_protected(d->ctxt))
		return X86EMUL_OKAY;
	rc = fetch_byte(d, &next);
	d->pos--;
	*vex = rc == X86EMUL_OKAY && next >= 0xc0;
	return rc;
}

/* The byte is 0F, C4, C5 or 62: picks the map and reads on to the real opcode. */
static int decode_escape(struct decoder *d, struct x86_insn *insn, uint8_t b,
			 const struct x86_opcode **op)
{
	bool vex = false, map38 = false;
	int rc;

	if (b != 0x0f) {
		rc = escape_is_vex(d, &vex);
		if (rc != X86EMUL_OKAY || !vex) {
			insn->opcode = b;
			return rc;
		}
		if (b == 0x62)
			return X86EMUL_UNHANDLEABLE;
		rc = decode_vex(d, insn, &b, &map38);
	} else {
		rc = fetch_byte(d, &b);
	}
	if (rc != X86EMUL_OKAY)
		return rc;
	if (!vex && b == 0x38) {
		map38 = true;
		rc = fetch_byte(d, &b);
		if (rc != X86EMUL_OKAY)
			return rc;
	}
	if (map38) {
		insn->opcode = 0x3800 | b;
		*op = &x86_opcodes_0f38[b];
		return X86EMUL_OKAY;
	}
	insn->opcode = 0x0f00 | b;
	*op = &x86_opcodes_0f[b];
	return X86EMUL_OKAY;
}

static inline void decode_sizes(const struct x86_emulate_ctxt *ctxt, struct x86_insn *insn)
{
	unsigned int code = ctxt->code_bits / 8;

	insn->ad_bytes = code;
	insn->op_bytes = code == 8 ? 4 : code;
	if (EM_LIKELY(!(insn->prefixes | insn->rex)))
		return;
	if (insn->prefixes & X86_PFX_ADSZ)
		insn->ad_bytes = code == 4 ? 2 : 4;
	if (insn->rex & X86_REX_W)
		insn->op_bytes = 8;
	else if (insn->prefixes & X86_PFX_OPSZ)
		insn->op_bytes = insn->op_bytes == 4 ? 2 : 4;
}

/* Operand size of instructions that default to 64 bits in 64-bit code. */
static inline void decode_default64(const struct x86_emulate_ctxt *ctxt, struct x86_insn *insn,
				    uint32_t flags)
{
	if (!em_mode64(ctxt))
		return;
	if (insn->op_bytes == 4 || (flags & F_BRANCH && ctxt->vendor == X86_VENDOR_INTEL))
		insn->op_bytes = 8;
}

static inline const struct x86_opcode *decode_group(const struct x86_opcode *op,
						    const struct x86_insn *insn)
{
	while (op->flags & F_INDIRECT) {
		unsigned int i;

		if (op->flags & F_GROUP)
			i = insn->reg & 7;
		else if (op->flags & F_GROUPMOD)
			i = (insn->reg & 7) + (insn->mod == 3 ? 8 : 0);
		else if (op->flags & F_GROUPRM)
			i = insn->rm & 7;
		else if (insn->prefixes & X86_PFX_REPNE)
			i = 3;
		else if (insn->prefixes & X86_PFX_REP)
			i = 2;
		else
			i = insn->prefixes & X86_PFX_OPSZ ? 1 : 0;
		op = &op->sub[i];
	}
	return op;
}

static int decode_immediate(struct decoder *d, struct x86_insn *insn, unsigned int kind)
{
	unsigned int z = insn->op_bytes == 8 ? 4 : insn->op_bytes;
	uint64_t v;
	int rc;

	switch (kind) {
	case IM_B:
		return fetch_signed(d, 1, &insn->imm);
	case IM_UB:
		rc = fetch_signed(d, 1, &insn->imm);
		insn->imm &= 0xff;
		return rc;
	case IM_W:
		rc = fetch_signed(d, 2, &insn->imm);
		insn->imm &= 0xffff;
		return rc;
	case IM_Z:
		return fetch_signed(d, z, &insn->imm);
	case IM_V:
		return fetch_signed(d, insn->op_bytes, &insn->imm);
	case IM_FAR:
	case IM_ENTER:
		rc = fetch_signed(d, kind == IM_FAR ? z : 2, &insn->imm);
		if (rc == X86EMUL_OKAY)
			rc = fetch_signed(d, kind == IM_FAR ? 2 : 1, &v);
		insn->imm &= em_mask(kind == IM_FAR ? z : 2);
		if (rc == X86EMUL_OKAY)
			insn->sel = kind == IM_FAR ? (uint16_t)v : (uint8_t)v;
		return rc;
	default: /* IM_MOFFS */
		rc = fetch_signed(d, insn->ad_bytes, &insn->ea);
		insn->ea &= em_mask(insn->ad_bytes);
		insn->is_mem = true;
		return rc;
	}
}

/* What makes a well-formed instruction #UD, or not ours. */
static inline int decode_legal(struct x86_emulate_ctxt *ctxt, const struct x86_insn *insn)
{
	uint32_t flags = insn->op->flags;

	if (EM_UNLIKELY(flags & (F_UNDEF | F_NO64 | F_ONLY64 | F_PROT | F_MEM | F_REG))) {
		if (flags & F_UNDEF || (flags & (em_mode64(ctxt) ? F_NO64 : F_ONLY64)) ||
		    (flags & F_PROT && !em_protected(ctxt)) || (flags & F_MEM && !insn->is_mem) ||
		    (flags & F_REG && insn->is_mem))
			goto ud;
	}
	if (EM_UNLIKELY(insn->prefixes & (X86_PFX_LOCK | X86_PFX_VEX))) {
		if (insn->prefixes & X86_PFX_VEX) {
			if (!(flags & F_VEX) || !insn->op->fn ||
			    (flags & F_VEXMEM && !insn->is_mem))
				return X86EMUL_UNHANDLEABLE;
			if ((insn->vex_vvvv && !(flags & F_VEX3)) ||
			    (insn->vex_l && !(flags & F_VEXL)) ||
			    !(ctxt->features & X86_FEAT_AVX) ||
			    (insn->vex_l && flags & F_VEXL2 && !(ctxt->features & X86_FEAT_AVX2)))
				goto ud;
		} else if (!(flags & F_NOLOCKUD) && (!(flags & F_LOCK) || !insn->is_mem)) {
			goto ud;
		}
	}
	return insn->op->fn ? X86EMUL_OKAY : X86EMUL_UNHANDLEABLE;
ud:
	return x86_emulate_exception(ctxt, X86_EXC_UD, false, 0);
}

int x86_decode(struct x86_emulate_ctxt *ctxt, const struct x86_emulate_ops *ops,
	       struct x86_insn *insn)
{
	struct decoder d = { ctxt, ops, 0 };
	const struct x86_opcode *op;
	bool rip_relative = false;
	uint8_t b;
	int rc;

	em_zero(insn, sizeof(*insn));
	insn->seg = X86_SEG_DS;
	insn->ea_base = X86_NO_GPR;
	insn->ea_index = X86_NO_GPR;
	ctxt->insn_len = 0;
	rc = fetch_byte(&d, &b);
	if (rc != X86EMUL_OKAY)
		return rc;
	if (x86_opcodes_one[b].flags & (F_PREFIX | F_REX)) {
		rc = decode_prefixes(&d, insn, &b);
		if (rc != X86EMUL_OKAY)
			return rc;
	}
	op = &x86_opcodes_one[b];
	insn->opcode = b;
	if (op->flags & F_ESCAPE) {
		rc = decode_escape(&d, insn, b, &op);
		if (rc != X86EMUL_OKAY)
			return rc;
	}
	decode_sizes(ctxt, insn);
	if (op->flags & F_MODRM) {
		rc = decode_modrm(&d, insn, op->flags, &rip_relative);
		if (rc != X86EMUL_OKAY)
			return rc;
	}
	op = decode_group(op, insn);
	insn->op = op;
	if (op->flags & (F_DEF64 | F_BRANCH))
		decode_default64(ctxt, insn, op->flags);
	if (op->imm != IM_NONE) {
		rc = decode_immediate(&d, insn, op->imm);
		if (rc != X86EMUL_OKAY)
			return rc;
	}
	insn->len = d.pos;
	if (rip_relative)
		insn->ea = (insn->ea + ctxt->regs->rip + d.pos) & em_mask(insn->ad_bytes);
	rc = decode_legal(ctxt, insn);
	if (EM_LIKELY(rc == X86EMUL_OKAY))
		ctxt->insn_len = d.pos;
	return rc;
}
