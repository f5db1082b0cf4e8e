// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The plain walker, written from the manuals and from nothing else: SDM volume 3, 4.3 to 4.7; APM volume 2, 5.3 and
 * 5.6. Tables in frames without memory are like entries that are not present.
 */
#include "model.h"

#define P   BIT(0)
#define W   BIT(1)
#define U   BIT(2)
#define A   BIT(5)
#define D   BIT(6)
#define PS  BIT(7)
#define NX  BIT(63)
#define MAX BIT(40) /* stubs.c: host_cpu.phys_bits */

uint64_t *oracle_memory(gfn_t gfn)
{
	struct p2m_entry e = p2m_get(model.d, gfn);

	return p2m_has_page(e.type) ? mfn_to_virt(e.mfn) : NULL;
}

static bool reserved(const struct model_vcpu *c, unsigned int level, uint64_t pte)
{
	uint64_t address = pte & 0x000ffffffffff000ULL;

	if (c->mode == MODE_TWO)
		return level == 2 && c->v->cr4 & X86_CR4_PSE && pte & PS && pte & BIT(21);
	if (address >= MAX || (pte & NX && !(c->v->efer & X86_EFER_NX)))
		return true;
	if (c->mode == MODE_PAE && pte & 0x7ff0000000000000ULL)
		return true;
	if (level == 4)
		return pte & PS;
	if (level == 3)
		return pte & PS && pte & 0x3fffe000;
	return level == 2 && pte & PS && pte & 0x1fe000;
}

static bool permitted(const struct model_vcpu *c, const struct oracle *o, uint32_t access)
{
	const struct vcpu *v = c->v;

	if (access & PFEC_I && o->nx)
		return false;
	if (access & PFEC_U)
		return o->user && (!(access & PFEC_W) || o->write);
	if (access & PFEC_I && o->user && v->cr4 & X86_CR4_SMEP)
		return false;
	if (!(access & PFEC_I) && o->user && v->cr4 & X86_CR4_SMAP &&
	    !(v->regs.rflags & X86_EFLAGS_AC))
		return false;
	return !(access & PFEC_W) || o->write || !(v->cr0 & X86_CR0_WP);
}

static void fault(const struct model_vcpu *c, struct oracle *o, uint32_t access, uint32_t why)
{
	bool fetches =
		(c->mode != MODE_TWO && c->v->efer & X86_EFER_NX) || c->v->cr4 & X86_CR4_SMEP;

	o->ok = false;
	o->pfec = why | (access & (PFEC_W | PFEC_U)) | (fetches ? access & PFEC_I : 0);
}

static void put_entry(const struct model_vcpu *c, uint64_t *table, unsigned int i, uint64_t pte)
{
	if (c->mode == MODE_TWO)
		((uint32_t *)table)[i] = (uint32_t)pte;
	else
		table[i] = pte;
}

static uint64_t leaf_address(const struct model_vcpu *c, unsigned int level, uint64_t pte,
			     uint64_t la)
{
	if (level == 1)
		return pte & 0x000ffffffffff000ULL;
	if (c->mode == MODE_TWO)
		return (pte & 0xffc00000) | (pte & 0x1fe000) << 19 | (la & 0x3ff000);
	if (level == 3)
		return (pte & 0x000fffffc0000000ULL) | (la & 0x3ffff000);
	return (pte & 0x000fffffffe00000ULL) | (la & 0x1ff000);
}

void oracle_walk(const struct model_vcpu *c, uint64_t la, uint32_t access, bool set_bits,
		 struct oracle *o)
{
	unsigned int bits = c->mode == MODE_TWO ? 10 : 9;
	unsigned int level = c->mode == MODE_LONG ? 4 : c->mode == MODE_PAE ? 3 : 2;
	uint64_t at = c->v->cr3 & 0x000ffffffffff000ULL;

	*o = (struct oracle){ .ok = true, .user = true, .write = true };
	if (c->mode == MODE_OFF) {
		o->gfn = _gfn((uint32_t)la >> PAGE_SHIFT);
		return;
	}
	for (;; level--) {
		unsigned int i = (unsigned int)(la >> (12 + bits * (level - 1))) & (BIT(bits) - 1);
		bool pdpte = c->mode == MODE_PAE && level == 3, leaf;
		uint64_t *table = oracle_memory(_gfn(at >> PAGE_SHIFT)), pte;

		if (pdpte)
			i = la >> 30 & 3;
		pte = !table ? 0 : c->mode == MODE_TWO ? ((uint32_t *)table)[i] : table[i];
		if (!(pte & P)) {
			fault(c, o, access, 0);
			return;
		}
		if (!pdpte && reserved(c, level, pte)) {
			fault(c, o, access, PFEC_P | PFEC_RSVD);
			return;
		}
		leaf = level == 1 || (level == 3 && c->mode == MODE_LONG && pte & PS) ||
		       (level == 2 && pte & PS && (c->mode != MODE_TWO || c->v->cr4 & X86_CR4_PSE));
		if (!pdpte) {
			o->user &= !!(pte & U);
			o->write &= !!(pte & W);
			o->nx |= c->mode != MODE_TWO && pte & NX;
		}
		if (leaf && !permitted(c, o, access)) {
			fault(c, o, access, PFEC_P);
			return;
		}
		if (set_bits && !pdpte)
			put_entry(c, table, i, pte | A | (leaf && access & PFEC_W ? D : 0));
		if (leaf) {
			at = leaf_address(c, level, pte, la);
			o->gfn = _gfn(at >> PAGE_SHIFT);
			return;
		}
		at = c->mode == MODE_TWO ? pte & 0xfffff000 : pte & 0x000ffffffffff000ULL;
	}
}
