// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Accesses to guest-physical addresses that have no memory. Nearly all are plain loads and stores: they are
 * done here from the registers, by an instruction that was decoded once. All others go to the emulator.
 *
 * A decoded instruction is used again only for the same bytes, read anew through the guest's page tables at
 * each access, at the same rip and in code of the same width: nothing else goes into its meaning. So code
 * may change at any time.
 */
#include "emulate_private.h"
#include "internal.h"

/* The 16 bytes at rip; an instruction has 15 at most. */
struct window {
	uint64_t word[2];
	uint8_t code_bits;
};

static bool read_window(struct vcpu *v, struct window *w)
{
	uint64_t la = v->regs.rip;
	const struct x86_segment *cs = &v->hvm.seg[X86_SEG_CS];

	hvm_get_state(v, HVM_SEG(X86_SEG_CS) | HVM_SEG(X86_SEG_SS));
	if ((v->efer & X86_EFER_LMA) && (cs->attr & X86_ATTR_L)) {
		w->code_bits = 64;
	} else {
		w->code_bits = cs->attr & X86_ATTR_DB ? 32 : 16;
		la = (uint32_t)(la + cs->base);
	}
	return guest_code_window(v, la, w->word);
}

static bool same_bytes(const struct mmio_insn *k, const struct window *w)
{
	return !((k->word[0] ^ w->word[0]) & k->mask[0]) &&
	       !((k->word[1] ^ w->word[1]) & k->mask[1]);
}

static bool decode(struct vcpu *v, const struct window *w, struct mmio_insn *k)
{
	struct x86_emulate_ctxt c;
	unsigned int bits;

	k->m.len = 0;
	emul_context(v, &c);
	memcpy(c.insn_bytes, w->word, X86_INSN_MAX_BYTES);
	c.insn_avail = X86_INSN_MAX_BYTES;
	if (c.code_bits != w->code_bits ||
	    x86_mmio_decode(&c, &hvm_emulate_ops, &k->m) != X86EMUL_OKAY) {
		k->m.len = 0;
		return false;
	}
	bits = k->m.len * 8U;
	*k = (struct mmio_insn){
		.rip = v->regs.rip,
		.word = { w->word[0], w->word[1] },
		.mask = { bits < 64 ? BIT(bits) - 1 : ~0ULL, bits > 64 ? BIT(bits - 64) - 1 : 0 },
		.code_bits = w->code_bits,
		.m = k->m,
	};
	return true;
}

/* The load or store at rip, or NULL: it is neither. */
static const struct x86_mmio *find_insn(struct vcpu *v)
{
	struct mmio_insn *k = &v->hvm.io->mmio_insn[v->regs.rip % IO_MMIO_INSNS];
	struct window w;

	if (!read_window(v, &w))
		return NULL;
	if (likely(k->rip == v->regs.rip && k->m.len && k->code_bits == w.code_bits &&
		   same_bytes(k, &w)))
		return &k->m;
	return decode(v, &w, k) ? &k->m : NULL;
}

static void finish(struct vcpu *v, const struct x86_mmio *m, uint64_t val)
{
	x86_mmio_end(&v->regs, m, val);
	*v->hvm.shadow = 0;
}

static bool load_or_store(struct vcpu *v, gpa_t gpa)
{
	const struct x86_mmio *m = find_insn(v);
	struct vcpu_io *io = v->hvm.io;
	uint64_t val;

	if (!m || !x86_mmio_begin(&v->regs, m, gpa.v, &val))
		return false;
	if (io_access_one(v, IOREQ_TYPE_COPY, gpa.v, m->bytes, m->write, &val) == IO_PENDING) {
		io->completion = IO_COMPLETE_MMIO;
		io->mmio = *m;
	} else {
		finish(v, m, val);
	}
	return true;
}

void hvm_mmio_complete(struct vcpu *v)
{
	finish(v, &v->hvm.io->mmio, v->hvm.io->answer);
}

/*
 * An access to a frame that has no memory, or to read-only memory. An instruction fetch from there is
 * served by all-ones on a PC; no system does it on purpose.
 */
void hvm_exit_mmio(struct vcpu *v, const struct npt_fault *f)
{
	if (f->fetch) {
		domain_crash(v->domain,
			     "vCPU %u executes at guest-physical %lx, where there is no memory",
			     v->id, f->gpa.v);
		return;
	}
	if (!f->table_walk && !p2m_has_page(f->type) && load_or_store(v, f->gpa))
		return;
	hvm_emulate(v, NULL, 0);
}
