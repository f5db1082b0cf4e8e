/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of paging/shadow share; nothing outside includes it. docs/shadow.md.
 *
 * A shadow page is a table that the processor walks. It mirrors a table of the guest (one, a half or a quarter of it)
 * or, `direct`, guest-physical memory itself. All vCPUs use the same ones. What holds while nobody has the lock: an
 * entry that is present agrees with the guest's entry and with the p2m, and no entry lets a guest write to a frame of
 * which a shadow page mirrors the contents.
 */
#ifndef PLINTH_SHADOW_H
#define PLINTH_SHADOW_H

#include "domain.h"
#include "hvm_ops.h"
#include "paging.h"

#define SH_ENTRIES     512U
#define SH_ROOTS       4U
#define SH_PATS	       8U
#define SH_CHUNK       32U /* pages that the pool grows by */
#define SH_BUCKET_BITS 12U
/* What one fault may use: the pages of a walk with one for frame numbers, and a record of references for each. */
#define SH_FAULT_PAGES 8U
#define SH_FAULT_REFS  8U
#define SH_FILL_REFS   64U
/* Entries of zapped pages that are cleared under one hold of the lock. */
#define SH_CLEAR SH_ENTRIES
/*
 * So many writes to one of the guest's tables, and no other fault between them, are emulated: more are a run. To make the
 * table anew costs as much as about 20 of them, and kernels map four pages at once for each thread's stack.
 */
#define SH_WRITES 16U
/*
 * A table that ends by a run each time soon after it was made, with so few walks that needed it, is written far more than
 * it is used, as that of Linux's early_memremap(): half as many are emulated the next time, and these at least.
 */
#define SH_WRITES_MIN 2U
#define SH_FEW_WALKS  4U
#define SH_RUNS	      8U
/* So many without a walk that needed the table: it is none any more. */
#define SH_WRITES_UNUSED 64U

#define SH_P		 BIT(0)
#define SH_W		 BIT(1)
#define SH_U		 BIT(2)
#define SH_PWT		 BIT(3)
#define SH_PCD		 BIT(4)
#define SH_A		 BIT(5)
#define SH_D		 BIT(6)
#define SH_PAT		 BIT(7)
#define SH_CACHE	 (SH_PWT | SH_PCD | SH_PAT)
#define SH_NX		 BIT(63)
#define SH_ADDR		 0x000ffffffffff000ULL

/*
 * A set of entries of shadow pages: empty, an entry's address, or the address of a record of more, with bit 0 set.
 * Of a frame it also has the number of shadow pages that mirror it as a table.
 */
struct sh_set {
	int64_t at : 56;
	uint64_t tables : 8;
};

/* How a frame is mirrored: two shadow pages of one frame differ by this. */
union sh_role {
	struct {
		uint16_t level : 3;    /* 1 = of 4 KiB pages */
		uint16_t quadrant : 2; /* which part of a table with 1024 entries */
		uint16_t direct : 1;   /* no table behind it: the frames from gfn on themselves */
		uint16_t wide : 1;     /* the guest's entries have 8 bytes, not 4 */
		uint16_t pae : 1;      /* wide, in a hierarchy of three levels */
		uint16_t nxe : 1;      /* wide: EFER.NXE */
		uint16_t pse : 1;      /* not wide: CR4.PSE */
		uint16_t cache : 3; /* dom0: sh_cache_number() of direct, else of the guest's PAT */
	};
	uint16_t raw;
};

struct sh_page {
	struct list_head list;	   /* of one of the domain's lists */
	struct sh_page *hash_next; /* of one bucket */
	uint64_t *table;	   /* constant */
	struct sh_page
		*names; /* its table has the frames' numbers, where a guest's entry tells them */
	gfn_t gfn;
	struct sh_set parents; /* entries that lead here */
	union sh_role role;
	uint16_t present;  /* entries */
	uint16_t users;	   /* vCPUs that have it as a root */
	uint16_t dying_at; /* zapped: the entries from this one on are cleared */
	uint32_t writes;   /* to the guest's table, since an entry was made for a walk */
	uint32_t walks;	   /* for which an entry was made */
};

struct sh_chunk {
	struct sh_chunk *next;
	struct sh_page page[SH_CHUNK];
};

struct sh_refs;

struct sh_domain {
	spinlock_t lock; /* LOCK_SHADOW: all of it, and the tables */
	struct domain *d;
	struct list_head used; /* the last used first */
	/* Nothing leads there: TLBs may still know of it; no more, but it has entries that lead on; it has none. */
	struct list_head pending, dying, free;
	unsigned int nr_pages, nr_free; /* of the pool, pages */
	struct sh_chunk *chunks;
	struct sh_refs *free_refs;
	unsigned int nr_free_refs;
	unsigned int nr_ref_pages; /* that became records */
	unsigned int turn;	   /* of those that sh_set_victim() chose */
	uint64_t pat[SH_PATS];	   /* dom0: those that its vCPUs have or had */
	unsigned int nr_pats;
	uint64_t *frames;    /* sh_frame(): a tree like the p2m's, with sets at its leaves */
	uint64_t nr_nodes;   /* of it */
	void *blank;	     /* a root that leads nowhere */
	uint64_t multiplier; /* constant, odd: no guest can choose frames of one bucket */
	struct sh_page *bucket[BIT(SH_BUCKET_BITS)];
};

struct sh_vcpu {
	struct control_regs hw;
	struct sh_page *root[SH_ROOTS]; /* shadow lock; the first one only, in long mode */
	uint64_t *pdpt;			/* constant; four entries below 4 GiB */
	gfn_t written;			/* own vCPU: the table of the last write to one */
	unsigned int writes;		/* to it, one after the other */
	struct {
		gfn_t gfn;
		unsigned int limit; /* SH_WRITES for this one; 0 = nothing is known */
	} runs[SH_RUNS];	    /* own vCPU: tables that ended by a run */
	uint64_t stuck_rip;	    /* own vCPU: an instruction for which tables were given up */
	gfn_t stuck_gfn;	    /* the table */
	uint64_t stuck_exit;	    /* v->exits when it last was */
	unsigned int stuck;	    /* so often */
};

static inline struct sh_page *sh_page_of(const uint64_t *entry)
{
	return (struct sh_page *)mfn_to_page(virt_to_mfn(entry))->owner;
}
static inline unsigned int sh_index_of(const uint64_t *entry)
{
	return (unsigned int)(((uintptr_t)entry & ~PAGE_MASK) / sizeof(*entry));
}
static inline unsigned int sh_index(uint64_t la, unsigned int level)
{
	return (unsigned int)(la >> (PAGE_SHIFT + 9 * (level - 1))) & (SH_ENTRIES - 1);
}
static inline unsigned int sh_bucket(const struct sh_domain *s, gfn_t gfn)
{
	return (unsigned int)(gfn.v * s->multiplier >> (64 - SH_BUCKET_BITS));
}
static inline maddr_t sh_maddr(const struct sh_page *p)
{
	return virt_to_maddr(p->table);
}
static inline struct sh_page *sh_child(uint64_t entry)
{
	return sh_page_of(maddr_to_virt(_maddr(entry & SH_ADDR)));
}

/* With the lock held: all below, but where it is said. */

/* pool.c */
struct sh_page *sh_page_take(struct sh_domain *s); /* NULL: none is free */
void sh_page_free(struct sh_domain *s, struct sh_page *p);
/*
 * As much is free as one fault may need; gives up what was not used for long. 0; -ERESTART: some was given up, call again,
 * the lock is free between; -ENOMEM: the pool is too small.
 */
int sh_pool_reserve(struct sh_domain *s);
/* What was zapped is used by no processor any more, and some of it free. Before the lock is given up. */
void sh_settle(struct sh_domain *s);
/* Without the lock: makes one chunk more; gives some back, -ERESTART = there are more. */
int sh_pool_grow(struct sh_domain *s);
int sh_pool_drop(struct sh_domain *s);

/* refs.c */
/* False: there is no memory for it. */
bool sh_set_add(struct sh_domain *s, struct sh_set *set, uint64_t *entry);
/* One has to go before another comes: entries are made anew by the next fault. */
bool sh_set_is_full(const struct sh_set *set);
void sh_set_del(struct sh_domain *s, struct sh_set *set, uint64_t *entry);
uint64_t *sh_set_any(const struct sh_set *set); /* NULL: it is empty */
/* Which entry of a full set goes: not one of those that came last, which one instruction may need at once. */
uint64_t *sh_set_victim(struct sh_domain *s, const struct sh_set *set);
void sh_set_each(const struct sh_set *set, void (*fn)(uint64_t *entry));
/* A page becomes records, for good. False: none is free, or the others are left for tables. */
bool sh_refs_refill(struct sh_domain *s);
/* The frame's set; NULL: there is none yet, or, with make, no memory. */
struct sh_set *sh_frame(struct sh_domain *s, gfn_t gfn, bool make);
/* Without the lock: some of the tree, -ERESTART = there is more. */
int sh_frames_drop(struct sh_domain *s);

/* entry.c */
/* What the frame's type and rights let a guest's entry have; 0 = it leads to no memory. */
uint64_t sh_rights(const struct p2m_entry *e);
/* Of an entry in a guest's table of level 1: its frame and rights. False: nothing is to be made of it now. */
bool sh_guest_leaf(const struct sh_domain *s, union sh_role role, uint64_t pte, gfn_t *gfn,
		   uint64_t *rights);
/* The same of one of any level, of which the walk has approved. */
uint64_t sh_guest_rights(uint64_t pte, bool wide, bool leaf);
/*
 * Memory types of dom0's device memory and RAM: the processor runs with the VMM's PAT, so the type that dom0's gives an
 * entry is looked for there. Guests' RAM is write-back. The number of the guest's PAT among those it had.
 */
unsigned int sh_pat_number(struct sh_domain *s, uint64_t pat);
/* The index in the VMM's PAT for the index that an entry of the level has in that of the guest. */
unsigned int sh_cache_number(const struct sh_domain *s, unsigned int pat, uint64_t pte,
			     unsigned int level);
/* The bits of level 1 that stand for it. */
uint64_t sh_cache_bits(unsigned int number);
void sh_entry_clear(struct sh_domain *s, struct sh_page *p, unsigned int i);
/* Entry i of a page of level 1 leads to *e, the p2m's entry of gfn. False: no memory for the reference. */
bool sh_entry_set_leaf(struct sh_domain *s, struct sh_page *p, unsigned int i, gfn_t gfn,
		       const struct p2m_entry *e, uint64_t rights);
/* Entry i of another page leads to child. */
bool sh_entry_set_table(struct sh_domain *s, struct sh_page *p, unsigned int i,
			struct sh_page *child, uint64_t rights);

/* page.c */
struct sh_page *sh_page_find(struct sh_domain *s, gfn_t gfn, union sh_role role);
/*
 * The same, made if there is none: then *made is set, other vCPUs may have run since, and what was read of the guest's
 * tables has to be compared. The pages are reserved. NULL: no memory.
 */
struct sh_page *sh_page_get(struct sh_domain *s, gfn_t gfn, union sh_role role, bool *made);
/* Nothing leads to p any more. Its own entries go later, some by each sh_settle(): one frame may have many pages. */
void sh_page_zap(struct sh_domain *s, struct sh_page *p);
/* Guest tables in this frame are not mirrored any more. */
void sh_give_up(struct sh_domain *s, gfn_t gfn);

/* mode.c */
/* Which shadow page root number k of v is, if its entry in a PAE guest's PDPT is pdpte. False: there is none. */
bool sh_root_key(struct vcpu *v, unsigned int k, uint64_t pdpte, gfn_t *gfn, union sh_role *role);
/* NULL: it leads nowhere. The vendor is told by the caller. */
void sh_root_set(struct vcpu *v, unsigned int k, struct sh_page *p);
/* No vCPU has p as a root any more, when it has exited. */
void sh_root_forget(struct sh_domain *s, struct sh_page *p);
void sh_hw_state(struct vcpu *v);
int sh_domain_init(struct domain *d);
void sh_domain_fini(struct domain *d);
int sh_vcpu_init(struct vcpu *v);
void sh_vcpu_fini(struct vcpu *v);
/* The role of the tables that v's root tables lead to; the caller sets level and quadrant. */
union sh_role sh_role_of(const struct vcpu *v);

/* write.c */
/* Behind a write to the frame. */
void sh_written(struct sh_domain *s, gfn_t gfn, unsigned int offset, unsigned int len);
/* Nobody seems to use the mirrored frame as a table any more. */
bool sh_is_unused(struct sh_domain *s, gfn_t gfn);
/* Walks that needed what mirrors the frame, since it was made. */
uint32_t sh_walks(struct sh_domain *s, gfn_t gfn);
void sh_guest_wrote(struct domain *d, gfn_t gfn, unsigned int offset, unsigned int len);

/* p2m.c, fault.c: of struct paging_mode */
extern const struct p2m_format sh_p2m_format;
void sh_p2m_changed(struct domain *d, gfn_t gfn, unsigned int order, bool same);
enum paging_answer sh_fault(struct vcpu *v, struct paging_fault *f);

#endif
