// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A page fault of the processor on shadow tables: the guest's own fault, device memory, a write to a table, or an
 * entry that was not made yet, which is most of them. The guest's tables are walked without the lock; whatever may
 * have let others change them since, the walk is compared with them before an entry is made of it.
 */
#include "debug.h"
#include "shadow.h"

COUNTER(shadow_faults);
COUNTER(shadow_injected);
COUNTER(shadow_again);
COUNTER(shadow_emulated);
COUNTER(shadow_runs);

struct fault {
	struct vcpu *v;
	struct sh_domain *s;
	struct paging_fault *f;
	uint32_t access; /* PFEC_* */
	gfn_t gfn;
	struct guest_path path;
	struct p2m_entry e; /* of gfn */
	bool roots_changed;
};

static bool rights_allow(uint64_t rights, uint32_t access)
{
	return (rights & SH_P) && !(access & PFEC_W && !(rights & SH_W)) &&
	       !(access & PFEC_I && rights & SH_NX) && !(access & PFEC_U && !(rights & SH_U));
}

/* Does the p2m let the access through? */
static bool frame_allows(const struct fault *x)
{
	return rights_allow(sh_rights(&x->e) | SH_U, x->access);
}

static uint32_t access_of(struct vcpu *v, uint32_t pfec)
{
	uint32_t a = pfec & (PFEC_W | PFEC_U | PFEC_I);

	/* Descriptor tables and the like: SDM volume 3, 4.6.1. */
	return !(a & PFEC_U) && hvm_cpl(v) == 3 ? a | PFEC_IMPLICIT : a;
}

static enum paging_answer answer_memory(struct fault *x, enum paging_answer answer)
{
	x->f->npt.gpa = _gpa(gfn_to_gpa(x->gfn).v | (x->f->la & ~PAGE_MASK));
	x->f->npt.gla = x->f->la;
	x->f->npt.gla_valid = true;
	x->f->npt.write = x->access & PFEC_W;
	x->f->npt.fetch = x->access & PFEC_I;
	x->f->npt.read = !(x->access & (PFEC_W | PFEC_I));
	x->f->npt.type = x->e.type;
	return answer;
}

static enum paging_answer stuck(struct fault *x, const char *why)
{
	x->f->why = why;
	return PAGING_STUCK;
}

/* The guest's tables are still as they were walked. */
static bool is_current(const struct fault *x)
{
	return guest_path_same(x->s->d, &x->path);
}

/*
 * A table has to lie in the domain's own memory: what others can write behind the VMM's back is not mirrored. NULL:
 * *answer; its frame may just have gone from the p2m.
 */
static struct sh_page *get_table(struct fault *x, gfn_t gfn, union sh_role role, bool *made,
				 enum paging_answer *answer)
{
	enum p2m_type t = role.direct ? P2M_RAM_RW : p2m_get(x->s->d, gfn).type;
	struct sh_page *p;

	*answer = PAGING_AGAIN;
	if (!p2m_has_page(t))
		return NULL;
	if (!p2m_is_ram(t)) {
		*answer = stuck(x, "its page tables are in memory that is not its own");
		return NULL;
	}
	p = sh_page_get(x->s, gfn, role, made);
	if (!p)
		*answer = stuck(x, "no memory for shadow tables");
	return p;
}

/* Of a large page, whose entry is the last one of the walk. */
static uint16_t leaf_cache(const struct fault *x)
{
	const struct guest_path *path = &x->path;
	unsigned int pat = sh_pat_number(x->s, x->v->hvm.pat);

	return sh_cache_number(x->s, pat, path->step[path->top_level - path->leaf_level].pte,
			       path->leaf_level) &
	       7;
}

/* The page that level's entry in the walk leads to, and the rights that it gives. */
static void child_of(const struct fault *x, unsigned int level, gfn_t *gfn, union sh_role *role,
		     uint64_t *rights)
{
	const struct guest_path *path = &x->path;
	bool direct = !path->steps || level <= path->leaf_level;
	uint64_t pte;

	*role = (union sh_role){ .level = (uint16_t)((level - 1) & 7), .direct = 1 };
	*rights = SH_U | SH_W;
	if (direct)
		*gfn = _gfn(x->gfn.v & ~(BIT(9 * (level - 1)) - 1));
	if (!path->steps)
		return;
	if (direct)
		role->cache = leaf_cache(x);
	/* Below a large page's entry there is none. */
	if (level < path->leaf_level)
		return;
	pte = path->step[path->top_level - level].pte;
	*rights = sh_guest_rights(pte, path->wide, direct);
	if (direct)
		return;
	*role = sh_role_of(x->v);
	role->level = (uint16_t)((level - 1) & 7);
	*gfn = _gfn((path->wide ? pte & SH_ADDR : pte & 0xfffff000) >> PAGE_SHIFT);
	if (!path->wide)
		role->quadrant = x->f->la >> 21 & 1;
}

/* The root for the address. NULL: *answer. */
static struct sh_page *root_for(struct fault *x, enum paging_answer *answer)
{
	bool is_long = x->v->efer & X86_EFER_LMA, made = false;
	unsigned int k = is_long ? 0 : x->f->la >> 30 & 3;
	struct sh_page *p = x->v->sh->root[k];
	union sh_role role;
	gfn_t gfn;

	*answer = PAGING_AGAIN;
	if (!sh_root_key(x->v, k, x->path.step[0].pte, &gfn, &role))
		return NULL;
	if (p && p->gfn.v == gfn.v && p->role.raw == role.raw)
		return p;
	p = get_table(x, gfn, role, &made, answer);
	if (!p)
		return NULL;
	sh_root_set(x->v, k, p);
	x->roots_changed = true;
	return !made || is_current(x) ? p : NULL;
}

/* The last entry. *rights: of all of them. */
static enum paging_answer enter_leaf(struct fault *x, struct sh_page *p, uint64_t rights)
{
	const struct guest_path *path = &x->path;
	unsigned int i = sh_index(x->f->la, 1);
	uint64_t before = p->table[i], own = SH_U | SH_W | sh_cache_bits(p->role.cache), pte;

	if (!p->role.direct) {
		pte = path->step[path->top_level - 1].pte;
		own = sh_guest_rights(pte, path->wide, true) |
		      sh_cache_bits(sh_cache_number(x->s, p->role.cache, pte, 1));
	}
	p->writes = 0;
	p->walks++;
	if (!sh_entry_set_leaf(x->s, p, i, x->gfn, &x->e, own))
		return stuck(x, "no memory for shadow tables");
	rights = (p->table[i] & rights & (SH_U | SH_W)) | ((p->table[i] | rights) & SH_NX) | SH_P;
	/* The walk allowed it: then it is a write of the kernel's with CR0.WP clear, or one to a table. */
	if (!rights_allow(rights, x->access))
		return answer_memory(x, PAGING_EMULATE);
	if (p->table[i] == before)
		hvm_ops->flush_vcpu(x->v);
	return PAGING_AGAIN;
}

static enum paging_answer enter(struct fault *x)
{
	enum paging_answer answer;
	struct sh_page *p = root_for(x, &answer), *child;
	uint64_t all = SH_U | SH_W;

	if (!p)
		return answer;
	for (unsigned int level = p->role.level; level > 1; level--, p = child) {
		bool made = false;
		union sh_role role;
		uint64_t rights;
		gfn_t gfn;

		child_of(x, level, &gfn, &role, &rights);
		child = get_table(x, gfn, role, &made, &answer);
		if (!child)
			return answer;
		if (made && !is_current(x))
			return PAGING_AGAIN;
		p->writes = 0;
		p->walks++;
		if (!sh_entry_set_table(x->s, p, sh_index(x->f->la, level), child, rights))
			return stuck(x, "no memory for shadow tables");
		all = (all & rights & (SH_U | SH_W)) | ((all | rights) & SH_NX);
	}
	return enter_leaf(x, p, all);
}

static bool in_walk(const struct fault *x)
{
	for (unsigned int i = 0; i < x->path.steps; i++)
		if (x->path.step[i].table.v == x->gfn.v)
			return true;
	return false;
}

/* So many writes to the table, one after the other, are emulated. */
static unsigned int run_limit(const struct sh_vcpu *sv, gfn_t gfn)
{
	unsigned int i = gfn.v % SH_RUNS;

	return sv->runs[i].gfn.v == gfn.v && sv->runs[i].limit ? sv->runs[i].limit : SH_WRITES;
}

/* One write of many to the same table, with nothing between them that uses it. */
static bool is_run(struct sh_vcpu *sv, gfn_t gfn)
{
	sv->writes = sv->written.v == gfn.v ? sv->writes + 1 : 1;
	sv->written = gfn;
	return sv->writes > run_limit(sv, gfn);
}

/* A run ends the table: is it worth as much the next time? */
static void learn_run(struct fault *x)
{
	struct sh_vcpu *sv = x->v->sh;
	unsigned int i = x->gfn.v % SH_RUNS, limit = SH_WRITES;

	if (sh_walks(x->s, x->gfn) <= SH_FEW_WALKS)
		limit = max(run_limit(sv, x->gfn) / 2, SH_WRITES_MIN);
	sv->runs[i].gfn = x->gfn;
	sv->runs[i].limit = limit;
}

static enum paging_answer table_write(struct fault *x)
{
	bool end = is_run(x->v->sh, x->gfn) || sh_is_unused(x->s, x->gfn);

	/* To give up a table of this walk would only mean to make it anew. */
	if (!end || in_walk(x))
		return answer_memory(x, PAGING_EMULATE);
	counter_inc(shadow_runs);
	learn_run(x);
	sh_give_up(x->s, x->gfn);
	return PAGING_AGAIN;
}

static enum paging_answer fault_locked(struct fault *x)
{
	struct p2m_entry now = p2m_get(x->s->d, x->gfn);
	const struct sh_set *frame;
	int rc = sh_pool_reserve(x->s);

	if (rc == -ENOMEM)
		return stuck(x, "its memory for shadow tables is too small");
	if (rc || now.type != x->e.type || now.mfn.v != x->e.mfn.v || now.access != x->e.access ||
	    !is_current(x))
		return PAGING_AGAIN;
	frame = sh_frame(x->s, x->gfn, false);
	if (x->access & PFEC_W && frame && frame->tables)
		return table_write(x);
	x->v->sh->writes = 0;
	return enter(x);
}

/* The guest's own view of the access. False: it faults there. */
static bool walk(struct fault *x, enum paging_answer *answer)
{
	gpa_t gpa = _gpa(0);
	int rc = guest_walk_path(x->v, x->f->la, x->access, &gpa, &x->f->pfec, &x->path);

	x->gfn = gpa_to_gfn(gpa);
	if (rc == -EACCES)
		*answer = stuck(x, "its page tables are in memory that it may not write");
	else
		*answer = PAGING_INJECT;
	return !rc;
}

enum paging_answer sh_fault(struct vcpu *v, struct paging_fault *f)
{
	struct fault x = { .v = v, .s = v->domain->sh, .f = f, .access = access_of(v, f->pfec) };
	enum paging_answer answer;

	counter_inc(shadow_faults);
	if (!walk(&x, &answer)) {
		counter_inc(shadow_injected);
		v->sh->writes = 0;
		return answer;
	}
	x.e = p2m_get(v->domain, x.gfn);
	if (!frame_allows(&x))
		return answer_memory(&x, PAGING_MEMORY);
	spin_lock(&x.s->lock);
	answer = fault_locked(&x);
	sh_settle(x.s);
	spin_unlock(&x.s->lock);
	if (x.roots_changed)
		hvm_ops->set_state(v, HVM_CRS);
	if (answer == PAGING_AGAIN)
		counter_inc(shadow_again);
	else if (answer == PAGING_EMULATE)
		counter_inc(shadow_emulated);
	return answer;
}
