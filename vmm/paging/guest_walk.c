// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Walking a guest's own page tables: 2-level, PAE, 4-level, with the rights of the access. SDM volume 3,
 * chapter 4; APM volume 2, chapter 5. The guest's tables are read once per level, accessed and dirty
 * bits are set with a compare-and-exchange as the CPU does.
 *
 * A table has to lie in memory that the guest may write, as on hardware: nested paging takes every access of a
 * walk for a write (APM volume 2, 15.25.6; with EPT's accessed and dirty bits SDM volume 3, 28.2.4, too). A
 * processor without those bits only needs the right for an entry that it changes.
 */
#include "domain.h"
#include "guest_access.h"
#include "hvm_ops.h"

#define PTE_P	  BIT(0)
#define PTE_W	  BIT(1)
#define PTE_U	  BIT(2)
#define PTE_A	  BIT(5)
#define PTE_D	  BIT(6)
#define PTE_PS	  BIT(7)
#define PTE_NX	  BIT(63)
#define ADDR_MASK 0x000ffffffffff000ULL

struct walk {
	struct vcpu *v;
	uint64_t la;
	uint32_t access;
	bool user;	 /* the access counts as a user access */
	int error;	 /* -EACCES once a table has been found where none may be */
	uint64_t rights; /* AND of U and W along the way */
	bool nx;	 /* OR of NX along the way */
	struct guest_paging g;
	struct guest_path *path; /* NULL: nobody wants to know */
	uint32_t *allows;	 /* likewise */
};

struct step {
	uint8_t shift, bits, entry_bytes;
	bool may_be_leaf;
};

static const struct step steps_4level[] = {
	{ 39, 9, 8, false },
	{ 30, 9, 8, true },
	{ 21, 9, 8, true },
	{ 12, 9, 8, false },
};
static const struct step steps_pae[] = {
	{ 30, 2, 8, false },
	{ 21, 9, 8, true },
	{ 12, 9, 8, false },
};
static const struct step steps_2level[] = { { 22, 10, 4, true }, { 12, 10, 4, false } };

static int fail(const struct walk *w, bool present, bool rsvd, uint32_t *pfec)
{
	if (pfec)
		*pfec = (present ? PFEC_P : 0) | (rsvd ? PFEC_RSVD | PFEC_P : 0) |
			(w->access & PFEC_W) | (w->user ? PFEC_U : 0) |
			((w->g.wide && w->g.nxe) || (w->v->cr4 & X86_CR4_SMEP) ? w->access & PFEC_I
									       : 0);
	return w->error ? w->error : -EFAULT;
}

/* An entry of a table, in a page that is held until put_entry(). */
struct entry {
	uint64_t pte;
	void *where; /* in machine memory */
	struct page *pg;
	gfn_t gfn;
	enum p2m_type type;
};

static bool may_lie_there(const struct walk *w, const struct entry *e)
{
	return !w->v->domain->p2m.fmt->dirty || p2m_is_writable(e->type);
}

static bool read_entry(struct walk *w, gpa_t at, const struct step *s, struct entry *e)
{
	e->gfn = gpa_to_gfn(at);
	e->pg = p2m_get_page(w->v->domain, e->gfn, false, &e->type);
	if (!e->pg)
		return false;
	if (!may_lie_there(w, e)) {
		page_put(e->pg);
		w->error = -EACCES;
		return false;
	}
	e->where = (uint8_t *)page_to_virt(e->pg) + (at.v & ~PAGE_MASK);
	e->pte = s->entry_bytes == 8 ? READ_ONCE(*(uint64_t *)e->where)
				     : READ_ONCE(*(uint32_t *)e->where);
	return true;
}

static void put_entry(const struct entry *e)
{
	page_put(e->pg);
}

static void exchange(const struct entry *e, const struct step *s, uint64_t bits)
{
	uint64_t old = e->pte;
	uint32_t old32 = (uint32_t)old;

	if (s->entry_bytes == 8)
		__atomic_compare_exchange_n((uint64_t *)e->where, &old, old | bits, false,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	else
		__atomic_compare_exchange_n((uint32_t *)e->where, &old32, old32 | (uint32_t)bits,
					    false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* Sets A (and D); a racing change of the entry makes no harm: the CPU would set them just so. */
static bool set_bits(struct walk *w, const struct entry *e, const struct step *s, uint64_t bits)
{
	if ((e->pte & bits) == bits)
		return true;
	if (!p2m_is_writable(e->type)) {
		w->error = -EACCES;
		return false;
	}
	exchange(e, s, bits);
	if (w->path)
		w->path->step[w->path->steps - 1].pte |= bits;
	logdirty_wrote(w->v->domain, e->gfn);
	return true;
}

/* Address bits that the processor does not have, and those of a large page that are not its address. */
static uint64_t reserved_wide(const struct guest_paging *g, unsigned int level, uint64_t pte)
{
	uint64_t none = ADDR_MASK & ~(BIT(host_cpu.phys_bits) - 1);

	/* Table 4-8. QEMU's TCG sets the accessed bit of these. */
	if (g->pae && level == 3)
		return none | 0xfffULL << 52 | 0x1c6;
	if (!g->nxe)
		none |= PTE_NX;
	if (g->pae)
		none |= 0x7ffULL << 52;
	if (level == 4 || (level == 3 && !g->giant))
		none |= PTE_PS;
	else if (level > 1 && pte & PTE_PS)
		none |= (BIT(12 + 9 * (level - 1)) - 1) & ~0x1fffULL;
	return none;
}

bool guest_entry_reserved(const struct guest_paging *g, unsigned int level, uint64_t pte)
{
	if (g->wide)
		return pte & reserved_wide(g, level, pte);
	/* PSE-36: bits 13-20 are address bits 32-39. */
	return level == 2 && g->pse && pte & PTE_PS &&
	       (pte & BIT(21) || (pte & 0x1fe000) << 19 >> host_cpu.phys_bits);
}

/* Do the rights gathered along the walk allow the access? SDM volume 3, 4.6.1. */
static bool allowed(const struct walk *w)
{
	const struct vcpu *v = w->v;
	bool page_user = w->rights & PTE_U, page_write = w->rights & PTE_W;

	if ((w->access & PFEC_I) && w->nx)
		return false;
	if (w->user)
		return page_user && (!(w->access & PFEC_W) || page_write);
	if ((w->access & PFEC_I) && page_user && (v->cr4 & X86_CR4_SMEP))
		return false;
	if (!(w->access & PFEC_I) && page_user && (v->cr4 & X86_CR4_SMAP) &&
	    ((w->access & PFEC_IMPLICIT) || !(v->regs.rflags & X86_EFLAGS_AC)))
		return false;
	return !(w->access & PFEC_W) || page_write || !(v->cr0 & X86_CR0_WP);
}

/*
 * Protection keys of user pages: bits 59-62 of the entry name two bits of PKRU, which forbid data accesses, or
 * writes. SDM volume 3, 4.6.2.
 */
static bool key_forbids(const struct walk *w, uint64_t pte)
{
	struct vcpu *v = w->v;
	uint32_t bits;

	if (!(v->cr4 & X86_CR4_PKE) || !(v->efer & X86_EFER_LMA) || !(w->rights & PTE_U) ||
	    w->access & PFEC_I)
		return false;
	bits = fpu_pkru(&v->fpu, v == current_vcpu()) >> (2 * (pte >> 59 & 15));
	if (bits & 1)
		return true;
	return bits & 2 && w->access & PFEC_W && (w->user || v->cr0 & X86_CR0_WP);
}

/* Could a write go the same way, and change nothing in the tables? */
static bool allows_writes(const struct walk *w, uint64_t pte)
{
	struct walk write = *w;

	write.access |= PFEC_W;
	return pte & PTE_D && allowed(&write) && !key_forbids(&write, pte);
}

static int finish(struct walk *w, const struct step *s, const struct entry *e, gpa_t *gpa,
		  uint32_t *pfec)
{
	uint64_t offset_mask = BIT(s->shift) - 1, pte = e->pte;
	uint64_t base = pte & ADDR_MASK;
	bool may = allowed(w);

	if (may && key_forbids(w, pte)) {
		fail(w, true, false, pfec);
		if (pfec)
			*pfec |= PFEC_PK;
		return -EFAULT;
	}
	if (!may || !set_bits(w, e, s, PTE_A | (w->access & PFEC_W ? PTE_D : 0)))
		return fail(w, true, false, pfec);
	if (w->allows && allows_writes(w, pte))
		*w->allows |= PFEC_W;
	/* PSE-36: bits 13-20 of a 4 MiB entry are address bits 32-39. */
	if (s->entry_bytes == 4 && s->shift == 22)
		base = (pte & 0xffc00000) | (pte & 0x1fe000) << 19;
	*gpa = _gpa((base & ~offset_mask) | (w->la & offset_mask));
	return 0;
}

static bool is_leaf(const struct walk *w, const struct step *s, bool last, uint64_t pte)
{
	return last || (s->may_be_leaf && (pte & PTE_PS) &&
			(s->entry_bytes == 8 || (w->v->cr4 & X86_CR4_PSE)));
}

/* With the entry of one level: 0 = done, 1 = go on to the table that it names, or what guest_walk() returns. */
static int use_entry(struct walk *w, const struct step *s, const struct entry *e,
		     unsigned int level, bool has_rights, gpa_t *gpa, uint32_t *pfec)
{
	uint64_t pte = e->pte;

	if (!(pte & PTE_P) || guest_entry_reserved(&w->g, level, pte))
		return fail(w, pte & PTE_P, pte & PTE_P, pfec);
	if (has_rights) {
		w->rights &= pte;
		w->nx |= s->entry_bytes == 8 && (pte & PTE_NX);
	}
	if (is_leaf(w, s, level == 1, pte)) {
		if (w->path)
			w->path->leaf_level = level;
		return finish(w, s, e, gpa, pfec);
	}
	if (has_rights && !set_bits(w, e, s, PTE_A))
		return fail(w, true, false, pfec);
	return 1;
}

static int do_walk(struct walk *w, const struct step *steps, unsigned int levels, gpa_t *gpa,
		   uint32_t *pfec)
{
	uint64_t table = w->v->cr3 & (levels == 3   ? 0xffffffe0
				      : levels == 2 ? 0xfffff000
						    : ADDR_MASK);
	bool pae = levels == 3;

	for (unsigned int i = 0; i < levels; i++) {
		const struct step *s = &steps[i];
		uint64_t index = w->la >> s->shift & (BIT(s->bits) - 1);
		struct entry e;
		int rc;

		if (!read_entry(w, _gpa(table + index * s->entry_bytes), s, &e))
			return fail(w, false, false, pfec);
		/* PAE page directory pointers carry no rights and no A bit. */
		if (w->path)
			w->path->step[w->path->steps++] =
				(struct guest_step){ _gpa(table + index * s->entry_bytes), e.gfn,
						     e.pte };
		rc = use_entry(w, s, &e, levels - i, !(pae && i == 0), gpa, pfec);
		put_entry(&e);
		if (rc <= 0)
			return rc;
		table = e.pte & ADDR_MASK;
	}
	return -EFAULT;
}

static int do_walk_of_mode(struct walk *w, gpa_t *gpa, uint32_t *pfec)
{
	if (w->v->efer & X86_EFER_LMA) {
		if ((uint64_t)((int64_t)(w->la << 16) >> 16) != w->la)
			return fail(w, false, false, pfec);
		return do_walk(w, steps_4level, 4, gpa, pfec);
	}
	w->la &= 0xffffffff;
	if (w->g.wide)
		return do_walk(w, steps_pae, 3, gpa, pfec);
	return do_walk(w, steps_2level, 2, gpa, pfec);
}

/* The identity while paging is off. */
static int walk(struct vcpu *v, uint64_t la, uint32_t access, gpa_t *gpa, uint32_t *pfec,
		struct guest_path *path, uint32_t *allows)
{
	bool wide = v->cr4 & X86_CR4_PAE;
	struct walk w = {
		.v = v,
		.la = la,
		.access = access,
		.rights = PTE_U | PTE_W,
		.user = !(access & PFEC_IMPLICIT) && (access & PFEC_U),
		.g = { .wide = wide,
		       .pae = wide && !(v->efer & X86_EFER_LMA),
		       .nxe = v->efer & X86_EFER_NX,
		       .pse = v->cr4 & X86_CR4_PSE,
		       .giant = host_cpu.e1_edx & BIT(26) },
		.path = path,
		.allows = allows,
	};

	if (!(v->cr0 & X86_CR0_PG)) {
		*gpa = _gpa(la & 0xffffffff);
		return 0;
	}
	return do_walk_of_mode(&w, gpa, pfec);
}

int guest_walk(struct vcpu *v, uint64_t la, uint32_t access, gpa_t *gpa, uint32_t *pfec)
{
	return walk(v, la, access, gpa, pfec, NULL, NULL);
}

int guest_walk_allows(struct vcpu *v, uint64_t la, uint32_t access, gpa_t *gpa, uint32_t *pfec,
		      uint32_t *allows)
{
	*allows = access;
	return walk(v, la, access, gpa, pfec, NULL, allows);
}

int guest_walk_path(struct vcpu *v, uint64_t la, uint32_t access, gpa_t *gpa, uint32_t *pfec,
		    struct guest_path *path)
{
	path->steps = 0;
	path->wide = v->cr4 & X86_CR4_PAE;
	path->top_level = v->efer & X86_EFER_LMA ? 4 : path->wide ? 3 : 2;
	return walk(v, la, access, gpa, pfec, path, NULL);
}

static bool same_entry(struct domain *d, const struct guest_path *path, const struct guest_step *st)
{
	struct page *pg = p2m_get_page(d, st->table, false, NULL);
	const uint8_t *at;
	bool same;

	if (!pg)
		return false;
	at = (const uint8_t *)page_to_virt(pg) + (st->at.v & ~PAGE_MASK);
	same = path->wide ? READ_ONCE(*(const uint64_t *)(const void *)at) == st->pte
			  : READ_ONCE(*(const uint32_t *)(const void *)at) == (uint32_t)st->pte;
	page_put(pg);
	return same;
}

bool guest_path_same(struct domain *d, const struct guest_path *path)
{
	for (unsigned int i = 0; i < path->steps; i++)
		if (!same_entry(d, path, &path->step[i]))
			return false;
	return true;
}
