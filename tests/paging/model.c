// SPDX-License-Identifier: GPL-2.0-or-later
/* Processors, their TLBs, and what guests, tools and the VMM do to a domain on shadow tables. */
#include "model.h"
#include "vmm/hvm/internal.h"
#include <xen/domctl.h>

#define TRIES 24U

struct model model;
bool (*model_more)(void);

static struct hvm_ops ops;
static const enum p2m_type no_type = P2M_INVALID;

static struct model_vcpu *cpu_of(const struct vcpu *v)
{
	return &model.cpu[v->id];
}

static void flush_tlb(struct model_vcpu *c)
{
	for (unsigned int i = 0; i < TLB_SIZE; i++)
		c->tlb[i].valid = false;
}

static void op_flush_vcpu(struct vcpu *v)
{
	if (v->domain == model.d)
		flush_tlb(cpu_of(v));
}

static void op_set_state(struct vcpu *v, uint32_t mask)
{
	if (mask & HVM_CRS)
		op_flush_vcpu(v);
	fake_hvm_ops.set_state(v, mask);
}

/* --- entries and addresses that make things meet --- */

static uint64_t random_entry(bool wide)
{
	uint64_t e = (uint64_t)model_random(model_random(8) ? NR_TABLES : NR_FRAMES) << PAGE_SHIFT;

	e |= model_random(40) ? SH_P : 0;
	e |= model_random(12) ? SH_W : 0;
	e |= model_random(12) ? SH_U : 0;
	e |= model_random(3) ? SH_A : 0;
	e |= model_random(2) ? SH_D : 0;
	if (!model_random(40))
		e = (e & ~SH_ADDR) | BIT(7) |
		    (model_random(4) ? 0 : (uint64_t)model_random(4) << 21);
	if (!model_random(200))
		e |= BIT(21); /* of 4 MiB entries: reserved */
	if (wide && !model_random(30))
		e |= SH_NX;
	if (wide && !model_random(400))
		e |= model_random(2) ? BIT(45) : BIT(55);
	return e;
}

static const uint16_t of_512[] = { 0, 1, 2, 511 };
static const uint16_t of_1024[] = { 0, 2, 254, 256, 510, 512, 1022 };

static unsigned int random_index(bool wide)
{
	return wide ? of_512[model_random(ARRAY_SIZE(of_512))]
		    : of_1024[model_random(ARRAY_SIZE(of_1024))];
}

static uint64_t new_address(enum model_mode m)
{
	uint64_t la = (uint64_t)random_index(true) << 12;

	if (m == MODE_TWO)
		return (uint64_t)random_index(false) << 22 | (uint64_t)random_index(false) << 12;
	if (m == MODE_OFF)
		return (uint64_t)model_random(NR_FRAMES) << 12;
	la |= (uint64_t)random_index(true) << 21;
	if (m == MODE_PAE)
		return la | (uint64_t)model_random(4) << 30;
	return la | (uint64_t)of_512[model_random(3)] << 30 |
	       (uint64_t)of_512[model_random(3)] << 39;
}

static uint64_t random_address(const struct model_vcpu *c)
{
	unsigned int i = model_random(ARRAY_SIZE(model.recent));
	uint64_t la = model.recent[i];
	bool wide = c->mode != MODE_TWO;

	if (!model_random(6) || (c->mode != MODE_LONG && la >> 32))
		la = model.recent[i] = new_address(c->mode);
	la &= PAGE_MASK;
	return la | random_index(wide) * (wide ? 8U : 4U);
}

/* --- memory --- */

static void store(gfn_t gfn, mfn_t mfn, uint64_t la, bool wide, uint64_t value)
{
	uint8_t *at = (uint8_t *)mfn_to_virt(mfn) + (la & ~PAGE_MASK);

	(void)gfn;
	if (wide)
		*(uint64_t *)(void *)at = value;
	else
		*(uint32_t *)(void *)at = (uint32_t)value;
}

static void random_table(uint64_t *at)
{
	for (unsigned int i = 0; i < SH_ENTRIES; i++)
		if (i < 3 || i == 511 || (i >= 127 && i <= 128) || (i >= 255 && i <= 256))
			at[i] = random_entry(true);
}

static void give_memory(uint64_t gfn, bool entries)
{
	struct page *pg = alloc_domain_pages(model.d, 0);
	uint64_t *at;

	BUG_ON(!pg || p2m_set(model.d, _gfn(gfn), page_to_mfn(pg), 0, P2M_RAM_RW, P2M_ACCESS_RWX));
	at = page_to_virt(pg);
	if (entries)
		random_table(at);
}

/* What other vCPUs still can do by their TLBs while this one is in the VMM: between any two steps of it. */
static void race(struct domain *d)
{
	if (d != model.d)
		return;
	for (unsigned int n = model_random(2) ? 0 : 60; n; n--) {
		struct model_vcpu *c = &model.cpu[model_random(NR_VCPUS)];
		struct model_tlb *t = &c->tlb[model_random(TLB_SIZE)];
		bool wide = model_random(2);
		uint64_t *at;

		if (c->v->id == model.acting || !t->valid || !t->write ||
		    c->v->hvm.cpl > 2U * t->user + 1)
			continue;
		at = mfn_to_virt(t->mfn);
		at = (uint64_t *)(void *)((uint8_t *)at + random_index(wide) * (wide ? 8U : 4U));
		*(uint32_t *)(void *)at ^= model_random(3) ? (uint32_t)SH_P : (uint32_t)SH_W;
		model.raced = true;
		model.races++;
	}
	for (unsigned int i = 0; i < NR_VCPUS; i++)
		flush_tlb(&model.cpu[i]);
}

/* --- a processor on the shadow tables --- */

struct way {
	bool present, user, write, nx;
	mfn_t mfn;
};

static bool step(struct way *w, uint64_t entry, bool rights)
{
	if (!(entry & SH_P))
		return false;
	if (rights) {
		w->user &= !!(entry & SH_U);
		w->write &= !!(entry & SH_W);
		w->nx |= !!(entry & SH_NX);
	}
	w->mfn = maddr_to_mfn(_maddr(entry & SH_ADDR));
	return true;
}

static void hardware_walk(const struct model_vcpu *c, uint64_t la, struct way *w)
{
	const struct control_regs *hw = c->v->hw;
	bool is_long = hw->efer & X86_EFER_LMA;
	const uint64_t *table = maddr_to_virt(_maddr(hw->cr3));

	*w = (struct way){ .user = true, .write = true };
	BUG_ON(!(hw->cr0 & X86_CR0_PG) || !(hw->cr4 & X86_CR4_PAE) || !(hw->efer & X86_EFER_NX));
	for (unsigned int level = is_long ? 4 : 3; level; level--) {
		unsigned int i = level == 3 && !is_long ? la >> 30 & 3 : sh_index(la, level);

		if (!step(w, table[i], is_long || level < 3))
			return;
		table = mfn_to_virt(w->mfn);
	}
	w->present = true;
}

static bool hardware_permits(const struct vcpu *v, bool user, bool write, bool nx, uint32_t access)
{
	const struct control_regs *hw = v->hw;

	if ((access & PFEC_I && nx) || (access & PFEC_W && !write))
		return false;
	if (access & PFEC_U)
		return user;
	if (access & PFEC_I)
		return !user || !(hw->cr4 & X86_CR4_SMEP);
	return !user || !(hw->cr4 & X86_CR4_SMAP) || v->regs.rflags & X86_EFLAGS_AC;
}

static struct model_tlb *find_tlb(struct model_vcpu *c, uint64_t la, uint32_t access)
{
	for (unsigned int i = 0; i < TLB_SIZE; i++) {
		struct model_tlb *t = &c->tlb[i];

		if (t->valid && t->la == la >> PAGE_SHIFT &&
		    hardware_permits(c->v, t->user, t->write, t->nx, access))
			return t;
	}
	return NULL;
}

static void use_tlb(struct model_vcpu *c, struct model_tlb *t, uint64_t la, uint32_t access,
		    uint64_t value)
{
	if (t->stale)
		panic("a translation is used that the guest has invalidated");
	if (access & PFEC_W)
		store(t->gfn, t->mfn, la, c->mode != MODE_TWO, value);
}

/* The shadow tables let it through: so must the guest's. */
static void translated(struct model_vcpu *c, const struct way *w, uint64_t la, uint32_t access,
		       uint64_t value)
{
	struct model_tlb *t = &c->tlb[model_random(TLB_SIZE)];
	struct p2m_entry e;
	struct oracle o;

	oracle_walk(c, la, access, true, &o);
	if (!o.ok)
		panic("the shadow tables allow %lx, the guest's answer %x", la, o.pfec);
	e = p2m_get(model.d, o.gfn);
	if (e.mfn.v != w->mfn.v)
		panic("%lx is in another frame than %lx", la, o.gfn.v);
	model.translated++;
	*t = (struct model_tlb){ .valid = true,
				 .user = w->user,
				 .write = w->write,
				 .nx = w->nx,
				 .la = la >> PAGE_SHIFT,
				 .gfn = o.gfn,
				 .mfn = w->mfn };
	if (access & PFEC_W)
		store(o.gfn, w->mfn, la, c->mode != MODE_TWO, value);
}

/* The instruction is emulated: a walk, a store, and the VMM's word for it. False: again. */
static bool emulated(struct model_vcpu *c, uint64_t la, uint32_t access, uint64_t value)
{
	bool wide = c->mode != MODE_TWO;
	struct p2m_entry e;
	struct oracle o;

	oracle_walk(c, la, access, true, &o);
	if (!o.ok)
		return false;
	e = p2m_get(model.d, o.gfn);
	if (!p2m_entry_is_writable(&e))
		return true;
	store(o.gfn, e.mfn, la, wide, value);
	logdirty_wrote(model.d, o.gfn);
	paging_guest_wrote(model.d, o.gfn, la & ~PAGE_MASK, wide ? 8 : 4);
	model.emulated++;
	return true;
}

/* The VMM's answer to a page fault. True: the access is over. */
static bool faulted(struct model_vcpu *c, uint64_t la, uint32_t access, bool present,
		    uint64_t value)
{
	struct paging_fault f = { .la = la, .pfec = access | present };
	enum paging_answer answer;
	struct oracle o;

	model.raced = false;
	answer = model.d->paging->fault(c->v, &f);
	oracle_walk(c, la, access, false, &o);
	switch (answer) {
	case PAGING_AGAIN:
		model.again++;
		return false;
	case PAGING_INJECT:
		if (model.raced)
			return false;
		if (o.ok || o.pfec != f.pfec)
			panic("%lx: a fault %x, the guest's tables say %x", la, f.pfec,
			      o.ok ? ~0U : o.pfec);
		model.injected++;
		return true;
	case PAGING_MEMORY:
		if (o.ok && f.npt.gpa.v >> PAGE_SHIFT != o.gfn.v && !model.raced)
			panic("%lx: frame %lx, not %lx", la, f.npt.gpa.v >> PAGE_SHIFT, o.gfn.v);
		model.memory++;
		return !p2m_fault(c->v, &f.npt);
	case PAGING_EMULATE:
		return emulated(c, la, access, value);
	default:
		/* Entries lead to any frame, so some tables are in read-only memory. */
		if (strcmp(f.why, "its page tables are in memory that it may not write"))
			panic("%lx: %s", la, f.why);
		return true;
	}
}

static void set_cpl(struct vcpu *v, unsigned int cpl)
{
	struct x86_segment ss = { .attr = (uint16_t)(0xc93 | cpl << 5), .limit = ~0U };

	hvm_set_seg(v, X86_SEG_SS, &ss);
	v->hvm.cpl = (uint8_t)cpl;
	v->hvm.valid |= HVM_CPL;
}

static void enter(struct vcpu *v)
{
	uint32_t att = v->attention;

	v->attention = 0;
	/* The guest may have its debug registers in the processor: nobody has fetched them. */
	if (att & VCPU_ATT_STATE)
		panic("more of the state is loaded than was changed");
	if (att & VCPU_ATT_ROOT)
		hvm_set_state(v, HVM_CRS);
}

static void access_memory(struct model_vcpu *c, uint64_t la, uint32_t access, uint64_t value)
{
	model.acting = c->v->id;
	this_cpu()->current = c->v;
	for (unsigned int tries = 0;; tries++) {
		struct model_tlb *t;
		struct way w;

		if (tries == TRIES)
			panic("%lx: no progress", la);
		enter(c->v);
		t = find_tlb(c, la, access);
		if (t && model_random(2)) {
			use_tlb(c, t, la, access, value);
			break;
		}
		hardware_walk(c, la, &w);
		if (w.present && hardware_permits(c->v, w.user, w.write, w.nx, access)) {
			translated(c, &w, la, access, value);
			break;
		}
		if (faulted(c, la, access, w.present, value))
			break;
	}
	model.acting = NR_VCPUS;
	this_cpu()->current = this_cpu()->idle;
}

/* --- what happens --- */

static void invlpg(struct model_vcpu *c, uint64_t la)
{
	for (unsigned int i = 0; i < TLB_SIZE; i++)
		if (c->tlb[i].la == la >> PAGE_SHIFT)
			c->tlb[i].valid = false;
}

static void stale_all(struct model_vcpu *c)
{
	for (unsigned int i = 0; i < TLB_SIZE; i++)
		c->tlb[i].stale = true;
}

static void load_cr3(struct model_vcpu *c)
{
	uint64_t gfn = model_random(5), *pdpt;

	if (c->mode == MODE_PAE) {
		gfn = PDPT_GFN + c->v->id;
		pdpt = oracle_memory(_gfn(gfn));
		for (unsigned int i = 0; i < 4; i++)
			pdpt[i] = model_random(6)
					  ? (uint64_t)model_random(NR_TABLES) << PAGE_SHIFT | SH_P
					  : 0;
	}
	stale_all(c);
	hvm_set_cr3(c->v, gfn << PAGE_SHIFT);
}

static void change_mode(struct model_vcpu *c)
{
	struct vcpu *v = c->v;

	c->mode = model_random(NR_MODES);
	v->cr0 = X86_CR0_PE | X86_CR0_ET | (c->mode == MODE_OFF ? 0 : X86_CR0_PG) |
		 (model_random(6) ? X86_CR0_WP : 0);
	v->cr4 = (c->mode == MODE_LONG || c->mode == MODE_PAE ? X86_CR4_PAE : 0) |
		 (model_random(6) ? X86_CR4_PSE : 0) | (model_random(8) ? 0 : X86_CR4_SMEP) |
		 (model_random(8) ? 0 : X86_CR4_SMAP);
	v->efer = (c->mode == MODE_LONG ? X86_EFER_LME | X86_EFER_LMA : 0) |
		  (model_random(6) ? X86_EFER_NX : 0);
	load_cr3(c);
}

static void take_frame(gfn_t gfn)
{
	struct p2m_entry old;
	unsigned int taken;

	BUG_ON(p2m_take_list(model.d, &gfn, 1, NULL, &old, &taken) || taken != 1);
	if (!p2m_is_ram(old.type))
		return;
	memset(mfn_to_virt(old.mfn), 0xee, PAGE_SIZE);
	page_drop_claim(mfn_to_page(old.mfn));
}

static void change_frame(void)
{
	gfn_t gfn = _gfn(model_random(NR_RAM));
	struct p2m_entry e = p2m_get(model.d, gfn);

	if (e.type == no_type)
		give_memory(gfn.v, gfn.v < NR_TABLES);
	else if (!model_random(6))
		take_frame(gfn);
	else if (gfn.v >= NR_TABLES && e.type == P2M_RAM_RW)
		p2m_change_type(model.d, gfn, P2M_RAM_RW, P2M_RAM_RO);
	else if (e.type == P2M_RAM_RO)
		p2m_change_type(model.d, gfn, P2M_RAM_RO, P2M_RAM_RW);
}

static void vmm_writes(void)
{
	uint64_t value[2] = { random_entry(true), random_entry(true) };
	uint64_t at = (uint64_t)model_random(NR_RAM) << PAGE_SHIFT | random_index(true) * 8U;

	guest_phys_write(model.d, _gpa(at), value, at & 0xff8 && (at & 0xfff) == 0xff8 ? 8 : 16);
}

static void log_writes(void)
{
	const struct frames all = { 0, 64 };
	uint8_t map[8];
	uint64_t n;

	switch (model_random(8)) {
	case 0:
		while (logdirty_enable(model.d) == -ERESTART)
			;
		break;
	case 1:
		logdirty_disable(model.d);
		break;
	default:
		if (logdirty_is_on(model.d))
			logdirty_read(model.d, &all, map, model_random(2), &n);
		break;
	}
}

/* A device model that has the memory mapped, and says so afterwards. */
static void dma_writes(void)
{
	struct frames f = { .first = model_random(NR_TABLES), .nr = 1 + model_random(2) };

	for (uint64_t g = f.first; g < frames_end(&f); g++)
		if (oracle_memory(_gfn(g)))
			random_table(oracle_memory(_gfn(g)));
	while (f.nr) {
		uint64_t done = paging_give_up_some(model.d, &f);

		f = frames_part(&f, done, f.nr);
	}
}

static void evict_one(void)
{
	struct sh_domain *s = model.d->sh;
	unsigned int n = model_random(20);
	struct sh_page *p, *found = NULL;

	spin_lock(&s->lock);
	list_for_each(p, &s->used, list)
		if (!n--)
			found = p;
	if (found)
		sh_page_zap(s, found);
	sh_settle(s);
	spin_unlock(&s->lock);
}

void model_step(void)
{
	struct model_vcpu *c = &model.cpu[model_random(NR_VCPUS)];
	uint64_t la = random_address(c), value = random_entry(c->mode != MODE_TWO);
	unsigned int what = model_random(32), cpl = model_random(3) ? 0 : 3;
	uint32_t user = cpl == 3 ? PFEC_U : 0;

	set_cpl(c->v, cpl);
	c->v->regs.rflags = X86_EFLAGS_MBS | (model_random(3) ? 0 : X86_EFLAGS_AC);
	if (what < 10)
		access_memory(c, la, user | (model_random(4) ? 0 : PFEC_I), 0);
	else if (what < 22)
		access_memory(c, la, user | PFEC_W, value);
	else if (what < 24)
		invlpg(c, la);
	else if (what < 26)
		load_cr3(c);
	else if (what < 27 && !model_random(4))
		change_mode(c);
	else if (what < 28)
		change_frame();
	else if (what < 29)
		vmm_writes();
	else if (what < 30)
		log_writes();
	else if (what < 31)
		evict_one();
	else
		dma_writes();
	model.ops++;
}

/* --- a domain --- */

static enum paging_answer must_emulate(struct vcpu *v, struct paging_fault *f)
{
	(void)v;
	f->npt.gpa = _gpa(f->la);
	f->npt.write = true;
	return PAGING_EMULATE;
}

/* The instruction at RIP is not what writes while an event is delivered. Paging is off. */
static void check_delivery(struct vcpu *v)
{
	const uint64_t at = (uint64_t)NR_TABLES << PAGE_SHIFT;
	struct paging_mode mode = *model.d->paging;

	mode.fault = must_emulate;
	model.d->paging = &mode;
	this_cpu()->current = v;
	v->regs.rip = at;
	*(uint8_t *)oracle_memory(_gfn(NR_TABLES)) = 0x90;
	hvm_exit_page_fault(v, 0, PFEC_W, true);
	if (v->regs.rip != at)
		panic("an instruction was emulated for an event");
	hvm_exit_page_fault(v, 0, PFEC_W, false);
	if (v->regs.rip != at + 1)
		panic("a write was not emulated");
	model.d->paging = &paging_shadow;
	this_cpu()->current = this_cpu()->idle;
}

/* Giving up for one instruction ends when it does so in vain, and not otherwise. */
static void check_stuck(struct vcpu *v)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < 100; i++, v->exits += 100)
		if (!paging_give_up_for(v, _gfn(1)))
			panic("a vCPU is stuck that goes on");
	for (uint64_t i = 0; i < 100; i++, v->exits++)
		if (!paging_give_up_for(v, _gfn(i % NR_TABLES)))
			panic("a vCPU is stuck that writes to many tables");
	for (; paging_give_up_for(v, _gfn(1)); v->exits++)
		if (n++ > 100)
			panic("a vCPU that is stuck goes on");
}

/* The VMM's index for the type that address la has in dom0's tables. */
static unsigned int type_at(struct model_vcpu *c, uint64_t la)
{
	const uint64_t *table;

	access_memory(c, la, 0, 0);
	table = maddr_to_virt(_maddr(c->v->hw->cr3));
	for (unsigned int level = 4; level > 1; level--)
		table = maddr_to_virt(_maddr(table[sh_index(la, level)] & SH_ADDR));
	return (table[sh_index(la, 1)] & SH_PAT ? 4U : 0) |
	       (unsigned int)(table[sh_index(la, 1)] >> 3 & 3);
}

/* Eight pages of each size, one for each index in the guest's PAT. */
static void tables_of_types(void)
{
	const uint64_t all = SH_P | SH_W | SH_U | SH_A | SH_D;
	uint64_t *t[4];

	for (unsigned int i = 0; i < 4; i++) {
		t[i] = oracle_memory(_gfn(i));
		memset(t[i], 0, PAGE_SIZE);
	}
	for (unsigned int i = 0; i < 3; i++)
		t[i][0] = (uint64_t)(i + 1) << PAGE_SHIFT | all;
	for (unsigned int i = 0; i < 8; i++) {
		uint64_t index = (i & 3) << 3, four = i & 4;

		t[2][1 + i] = BIT(7) | all | index | (four ? BIT(12) : 0);
		t[3][i] = (uint64_t)NR_TABLES << PAGE_SHIFT | all | index | (four ? SH_PAT : 0);
	}
}

static void expect_types(struct model_vcpu *c, uint64_t pat, const uint8_t *types)
{
	BUG_ON(hvm_wrmsr(c->v, MSR_PAT, pat));
	for (uint64_t i = 0; i < 8; i++)
		if (type_at(c, i << PAGE_SHIFT) != types[i] ||
		    type_at(c, MIB(2) * (1 + i)) != types[i])
			panic("memory type %lu of PAT %lx: %u, %u", i, pat,
			      type_at(c, i << PAGE_SHIFT), type_at(c, MIB(2) * (1 + i)));
}

/* Entries of table 3 for `nr` pages from la 0 on, one after the other; the table is in frame 3, which is at la 4 MiB + 3 pages. */
static void write_entries(struct model_vcpu *c, unsigned int nr, uint64_t value)
{
	for (uint64_t i = 0; i < nr; i++)
		access_memory(c, MIB(4) + (3 << PAGE_SHIFT) + i * 8, PFEC_W,
			      value ? value | (NR_TABLES + i % 4) << PAGE_SHIFT : 0);
}

/*
 * What writes to a table cost. Linux looks for the MP table by mapping 16 pages, reading a word and unmapping them, 4096
 * times: nearly all of these writes have to be free. Four pages for a thread's
 * stack are emulated.
 */
static void check_costs(struct model_vcpu *c)
{
	const uint64_t all = SH_P | SH_W | SH_U | SH_A | SH_D;
	const unsigned int rounds = 100;
	uint64_t emulated;

	tables_of_types();
	/* The tables' own frames, in large page number 2. */
	oracle_memory(_gfn(2))[2] = BIT(7) | all;
	hvm_set_cr3(c->v, 0);
	emulated = model.emulated;
	for (unsigned int n = 0; n < rounds; n++) {
		write_entries(c, 16, all);
		invlpg(c, 0);
		access_memory(c, 0, 0, 0);
		write_entries(c, 16, 0);
	}
	emulated = model.emulated - emulated;
	if (emulated > 3 * rounds + 100)
		panic("%lu of %u writes in runs are emulated", emulated, 32 * rounds);
	paging_give_up(model.d, _gfn(3));
	memset(c->v->sh->runs, 0, sizeof(c->v->sh->runs));
	access_memory(c, 0, 0, 0);
	emulated = model.emulated;
	for (unsigned int n = 0; n < rounds; n++) {
		write_entries(c, 4, all & ~SH_A);
		invlpg(c, 0);
		access_memory(c, 0, 0, 0);
	}
	emulated = model.emulated - emulated;
	if (emulated < 3 * rounds)
		panic("a table ends by a run of 4: only %lu writes are emulated", emulated);
}

/*
 * As if the domain were dom0: each type of Linux's PAT (WB, WC, UC-, UC, WB, WP, UC-, WT) stands where VMM_PAT has it, and
 * those of a reset (WB, WT, UC-, UC, twice) likewise.
 */
static void check_types(struct model_vcpu *c)
{
	static const uint8_t of_linux[] = { 0, 4, 2, 3, 0, 5, 2, 1 },
			     of_reset[] = { 0, 1, 2, 3, 0, 1, 2, 3 };
	struct sh_domain *s = model.d->sh;

	model.d->is_dom0 = true;
	/* Its memory has no bound but the machine's. */
	if (!paging_prepare(model.d, &(struct frames){ BIT(24), 1100 * SH_ENTRIES }))
		panic("dom0's frames count against a guest's limit");
	tables_of_types();
	c->mode = MODE_LONG;
	c->v->cr0 = X86_CR0_PE | X86_CR0_ET | X86_CR0_PG;
	c->v->cr4 = X86_CR4_PAE;
	c->v->efer = X86_EFER_LME | X86_EFER_LMA;
	hvm_set_cr3(c->v, 0);
	expect_types(c, 0x0407050600070106, of_linux);
	expect_types(c, 0x0007040600070406, of_reset);
	expect_types(c, 0x0407050600070106, of_linux);
	model.d->is_dom0 = false;
	check_costs(c);
	audit_pieces(_gfn(3));
	spin_lock(&s->lock);
	while (!list_empty(&s->used))
		sh_page_zap(s, list_first(&s->used, struct sh_page, list));
	sh_settle(s);
	spin_unlock(&s->lock);
	for (unsigned int i = 0; i < 4; i++)
		random_table(oracle_memory(_gfn(i)));
}

void model_start(unsigned int pool_pages)
{
	struct xen_domctl_createdomain cfg = machine_config(NR_VCPUS, XEN_X86_EMU_LAPIC);
	int err;

	cfg.flags &= ~XEN_DOMCTL_CDF_hap;
	ops = fake_hvm_ops;
	ops.flush_vcpu = op_flush_vcpu;
	ops.set_state = op_set_state;
	hvm_ops = &ops;
	memset(&model, 0, sizeof(model));
	model.acting = NR_VCPUS;
	model.d = domain_create(10, &cfg, false, &err);
	BUG_ON(!model.d);
	for (unsigned int i = 0; i < NR_VCPUS; i++) {
		BUG_ON(vcpu_create(model.d, i));
		model.cpu[i].v = model.d->vcpu[i];
		model.cpu[i].mode = MODE_OFF;
		hvm_vcpu_set_flat32(model.cpu[i].v, 0, 0);
	}
	while ((err = paging_pool_set(model.d, pool_pages)) == -ERESTART)
		;
	BUG_ON(err);
	audit_victims();
	machine_on_flush = race;
	model.d->max_pages = NR_RAM + NR_VCPUS;
	for (uint64_t g = 0; g < NR_RAM; g++)
		give_memory(g, g < NR_TABLES);
	for (uint64_t g = 0; g < NR_VCPUS; g++)
		give_memory(PDPT_GFN + g, false);
	check_delivery(model.d->vcpu[0]);
	check_stuck(model.d->vcpu[0]);
	check_types(&model.cpu[0]);
	for (unsigned int i = 0; i < NR_VCPUS; i++)
		change_mode(&model.cpu[i]);
}

void model_stop(void)
{
	machine_on_flush = NULL;
	domain_get(model.d);
	machine_kill(model.d);
	if (paging_pool_set(model.d, 4096) != -ESRCH || model.d->sh->nr_free ||
	    model.d->sh->free_refs)
		panic("a dead domain's pool is not empty, or grows");
	domain_put(model.d);
	model.d = NULL;
	hvm_ops = &fake_hvm_ops;
}
