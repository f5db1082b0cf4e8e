/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A domain's guest-physical address space: gfn -> (mfn, type, access). The radix tree that the
 * hardware walks is also the store; its entry format belongs to the vendor (struct p2m_format).
 * Pages that are mapped do not hold a reference of their own, except types foreign and grant, which
 * hold one on the page and one on its owner from p2m_set until they are replaced.
 */
#ifndef PLINTH_P2M_H
#define PLINTH_P2M_H

#include "asker.h"
#include "frames.h"
#include "mm.h"
#include "publish.h"
#include "spinlock.h"

struct domain;
struct vcpu;

enum p2m_type {
	P2M_INVALID = 0, /* hole: reads all-ones, writes dropped (or the device model claims it) */
	P2M_RAM_RW,
	P2M_RAM_RO,	  /* writes dropped */
	P2M_RAM_LOGDIRTY, /* RAM whose writes are noted: by hardware, or by the fault of the first */
	P2M_RAM_BROKEN,
	P2M_MMIO_DM,	 /* explicitly a device-model range */
	P2M_MMIO_DIRECT, /* machine MMIO (dom0, later pass-through) */
	P2M_FOREIGN,	 /* another domain's page */
	P2M_GRANT_RW,
	P2M_GRANT_RO,
	P2M_IOREQ_SERVER, /* writes go to the claiming ioreq server */
	P2M_POD,	  /* populate on demand */
	P2M_TYPE_COUNT
};

enum p2m_access { P2M_ACCESS_RWX = 0, P2M_ACCESS_RW, P2M_ACCESS_RX, P2M_ACCESS_R, P2M_ACCESS_N };

static inline bool p2m_is_ram(enum p2m_type t)
{
	return t == P2M_RAM_RW || t == P2M_RAM_RO || t == P2M_RAM_LOGDIRTY || t == P2M_IOREQ_SERVER;
}
static inline bool p2m_is_grant(enum p2m_type t)
{
	return t == P2M_GRANT_RW || t == P2M_GRANT_RO;
}
/* A machine page stands behind the type. */
static inline bool p2m_has_page(enum p2m_type t)
{
	return p2m_is_ram(t) || p2m_is_grant(t) || t == P2M_FOREIGN;
}
static inline bool p2m_is_writable(enum p2m_type t)
{
	return t == P2M_RAM_RW || t == P2M_RAM_LOGDIRTY || t == P2M_GRANT_RW || t == P2M_FOREIGN;
}

struct p2m_entry {
	mfn_t mfn;
	enum p2m_type type;
	enum p2m_access access;
	unsigned int
		order; /* the mapping (or hole) that covers the gfn: 0, 9, 18 (or larger for holes) */
};

static inline bool p2m_access_writes(enum p2m_access a)
{
	return a == P2M_ACCESS_RWX || a == P2M_ACCESS_RW;
}
/* May the domain itself write there? */
static inline bool p2m_entry_is_writable(const struct p2m_entry *e)
{
	return p2m_is_writable(e->type) && p2m_access_writes(e->access);
}

/*
 * What entries of nested page tables (APM volume 2, 15.25; SDM volume 3, 28.2.2) have in common. Whatever leads
 * anywhere has bit 0, present there and readable here; a leaf above level 1 has bit 7. The type sits in bits
 * 52-56 and the access in 57-59, which hardware leaves to software in both, also in entries that lead nowhere.
 */
#define P2M_PTE_PRESENT	     BIT(0)
#define P2M_PTE_LARGE	     BIT(7)
#define P2M_PTE_ADDR	     0x000ffffffffff000ULL
#define P2M_PTE_TYPE_SHIFT   52
#define P2M_PTE_ACCESS_SHIFT 57

/* The first frame behind the mapping or hole of 2^order frames that covers gfn. */
static inline uint64_t p2m_behind(uint64_t gfn, unsigned int order)
{
	return (gfn | (BIT(order) - 1)) + 1;
}

/* How one vendor's nested page tables encode entries (svm/npt.c, vmx/ept.c). level 1 = 4 KiB .. 4. */
struct p2m_format {
	uint64_t (*make_leaf)(const struct domain *d, const struct p2m_entry *e, gfn_t gfn,
			      unsigned int level);
	uint64_t (*make_table)(maddr_t table);
	unsigned int max_leaf_level; /* 3 with 1 GiB pages */
	/*
	 * The bit that hardware sets in a leaf when its memory is written, 0 = there is none. P2M_RAM_LOGDIRTY
	 * leaves start without it and are writable then; others that are writable have it from the start.
	 */
	uint64_t dirty;
	/* Guests cannot execute from leaves above level 1; those of dom0, which is trusted, are as they are. */
	bool small_code;
};

static inline bool p2m_pte_is_table(uint64_t entry, unsigned int level)
{
	return level > 1 && (entry & (P2M_PTE_PRESENT | P2M_PTE_LARGE)) == P2M_PTE_PRESENT;
}

/* Of leaves and holes; `order` is not touched. */
static inline void p2m_pte_parse(uint64_t entry, struct p2m_entry *out)
{
	out->type = (enum p2m_type)(entry >> P2M_PTE_TYPE_SHIFT & 0x1f);
	out->access = (enum p2m_access)(entry >> P2M_PTE_ACCESS_SHIFT & 7);
	out->mfn =
		entry & P2M_PTE_PRESENT ? maddr_to_mfn(_maddr(entry & P2M_PTE_ADDR)) : INVALID_MFN;
}

/* No frame of a guest is at this number or above: what the processor can name, and a tree of tables can hold. */
uint64_t p2m_gfn_limit(void);

/* Populate on demand: pages taken back that wait for a frame, and how far the search for more has come. */
#define POD_SPARE 32U
struct pod {
	mfn_t spare
		[POD_SPARE]; /* p2m lock; hold zeros, in no p2m, counted in the domain's tot_pages */
	unsigned int nr_spare;	 /* p2m lock */
	uint64_t cursor;	 /* gfn; p2m lock */
	uint64_t searched;	 /* frames since a page was found or used; p2m lock */
	uint64_t searched_ahead; /* the same by pod_reserve(); p2m lock */
	bool used;		 /* the domain has had such frames; d->lock */
};

/* A map with rules of its own (dom0's) asks whoever made it. */
struct p2m_hooks {
	/* First touch of a hole: map what is there. False when nothing is. */
	bool (*fill_hole)(struct domain *d, gfn_t gfn);
	/* May foreign or grant frames be mapped at gfn (not MMIO, not RAM in use)? 0 or -EBUSY/-EINVAL. */
	int (*may_map)(gfn_t gfn);
	/* Is it memory that the domain keeps, whatever it unmaps? */
	bool (*owns)(mfn_t mfn);
};

/* Frames share a generation by ranges of 2^15, the size of a piece of the hole in which Linux maps others' pages. */
#define P2M_RANGE_ORDER 15U
#define P2M_RANGES	64U

struct p2m {
	struct domain *domain;
	const struct p2m_hooks *hooks; /* constant once the domain runs; NULL = none */
	spinlock_t lock; /* LOCK_P2M: all changes; lookups are lock-free reads of entries */
	const struct p2m_format *fmt;
	struct page *root; /* published; NULL once hidden */
	/* lock; of each range, never twice the same among all p2ms: new with each change in it */
	uint64_t generation[P2M_RANGES];
	struct list_head tables; /* pages of the tree; lock */
	struct list_head
		parked; /* tables that became large pages, of which others may still know; lock */
	grace_t parked_since;	 /* over: nobody knows of them any more; lock */
	uint64_t nr_tables;	 /* lock; those in `parked`, too */
	uint64_t nr_parked;	 /* lock */
	uint64_t max_tables;	 /* lock; not for dom0 */
	uint64_t max_gfn;	 /* highest gfn ever mapped; lock */
	bool logdirty;		 /* lock, a look without it; RAM is entered as P2M_RAM_LOGDIRTY */
	uint8_t *dirty;		 /* log-dirty bitmap, one bit per gfn; lock */
	uint64_t dirty_gfns;	 /* bits that it has room for; lock */
	uint64_t dirty_ready;	 /* so many of them count: memory below is logged; lock */
	struct vram_track *vram; /* lock, a look without it; paging/vram.c */
	/* A look at the log that goes in pieces: what was asked, how far it is, bits set so far; LOCK_DOMCTL */
	struct {
		struct asker of;
		uint64_t asked, frames, next, dirty;
		bool cleans;
		struct frames
			lost; /* a look that cleaned was not ended: these go back into the log first */
	} look;
	/* Since logging began, for who reads the log: looks that cleaned, and frames that they found; LOCK_DOMCTL */
	struct {
		unsigned int looks;
		uint64_t frames;
	} found;
	uint64_t
		recombined; /* p2m_recombine() has come to this frame; ~0 = there is nothing to do; LOCK_DOMCTL */
	struct pod pod;
};

/* While it stays the same, what covers gfn does, too. No lock needed. */
static inline uint64_t p2m_generation(const struct p2m *p, gfn_t gfn)
{
	return __atomic_load_n(&p->generation[(gfn.v >> P2M_RANGE_ORDER) % P2M_RANGES],
			       __ATOMIC_ACQUIRE);
}

/* Tables that a domain may have: some for a start, and twice what its memory in small pages needs. */
#define P2M_TABLES_MIN	    1024ULL
#define P2M_PAGES_PER_TABLE 256U

int p2m_init(struct domain *d);
/* The domain may have so many pages of memory: allow tables for them. Never takes back. */
void p2m_allow_pages(struct p2m *p, uint64_t pages);
/* From here on lookups find holes: a dying domain may be asked about until it is freed. */
void p2m_hide(struct domain *d);
/*
 * Free all tables; drops references of foreign and grant entries. Preemptible: -ERESTART = again. The tree has been
 * hidden for a grace period, or nobody has ever found the domain.
 */
int p2m_teardown(struct domain *d);

/* Code in a large page becomes small pages of the same meaning. 0 or -ENOMEM. */
int p2m_split_code(struct domain *d, gfn_t gfn);

/* Look up; never fails: holes come back as P2M_INVALID with the order of the hole. No lock needed. */
struct p2m_entry p2m_get(struct domain *d, gfn_t gfn);
/* Are all of the frames P2M_INVALID? */
bool p2m_all_holes(struct domain *d, const struct frames *f);

/*
 * Map 2^order frames (order 0, 9 or 18; gfn and mfn aligned), splitting or replacing what was there.
 * For P2M_INVALID/P2M_MMIO_DM mfn is INVALID_MFN. Takes references for foreign and grant types, drops those
 * of replaced ones. Does not touch the replaced pages' own claims: the caller does. The TLBs of the
 * domain are flushed before it returns. 0, -ENOMEM, -EINVAL, -ESRCH when a foreign page is dying.
 */
int p2m_set(struct domain *d, gfn_t gfn, mfn_t mfn, unsigned int order, enum p2m_type t,
	    enum p2m_access a);
/*
 * With d->lock held, which all who enter something where nothing was take: the page of d at `from` (RAM, or
 * P2M_POD) moves to the hole `to`, with its rights. 0, -ENOMEM (nothing has changed).
 */
int p2m_move(struct domain *d, gfn_t from, gfn_t to);
/* Atomically change the type of one frame if it is still `from`; -EBUSY when it is not. */
int p2m_change_type(struct domain *d, gfn_t gfn, enum p2m_type from, enum p2m_type to);

/*
 * With p->lock: has hardware noted a write to the P2M_RAM_LOGDIRTY leaf that covers gfn? Forgets it; the caller
 * flushes. *order: of that leaf, or of what is there in its place.
 */
bool p2m_take_dirty(struct p2m *p, gfn_t gfn, unsigned int *order);
/* The same for the small entries of frames in one table, from gfn on: bits of a word. *nr: frames that it knows of, up to 64. */
uint64_t p2m_take_dirty_small(struct p2m *p, gfn_t gfn, uint64_t *nr);

/* Frames that one call may ask for, where it says so: what is done with interrupts off in one piece. */
#define P2M_PIECE 128U

/*
 * Like p2m_change_type() for frames whose bit in `only` is set (NULL: all), with one flush; others stay as they are.
 * At most P2M_PIECE. 0, -ENOMEM.
 */
int p2m_change_range(struct domain *d, const struct frames *f, enum p2m_type from, enum p2m_type to,
		     const uint8_t *only);
/*
 * Where a table of small pages says no more than a large page would, that takes its place: for memory that was logged
 * frame by frame. From frame *next on. 0; -ERESTART: up to *next it is done, call again.
 */
int p2m_recombine(struct domain *d, uint64_t *next);
/* May this frame, which holds e, be taken? 0 or -errno. With the p2m lock held. */
typedef int (*p2m_may_take)(struct domain *d, gfn_t gfn, const struct p2m_entry *e);
/*
 * p2m_take() for at most P2M_PIECE frames below 2^36, one after the other while they may be taken (may = NULL: all), with one
 * flush, which is over when it returns. *taken: how many; old: one for each. 0, or why the next one was not: what `may`
 * says, or -ENOMEM.
 */
int p2m_take_list(struct domain *d, const gfn_t *gfn, unsigned int nr, p2m_may_take may,
		  struct p2m_entry *old, unsigned int *taken);

/*
 * The page behind a gfn with a reference taken (page_put), or NULL. write = it must be writable.
 * The usual way to reach guest memory from a hypercall or a device. For reading, a P2M_POD frame has no page: it
 * reads as zeros, as *t tells.
 */
struct page *p2m_get_page(struct domain *d, gfn_t gfn, bool write, enum p2m_type *t);
/* The same for those who keep or lend the page: a P2M_POD frame gets one, see pod_may_come(). */
struct page *p2m_hold_page(struct domain *d, gfn_t gfn, bool write, enum p2m_type *t);
/*
 * The same, writable, and only if it is the domain's own: for pages that the VMM writes to for as long as the
 * domain lives, which a mapping of somebody else's page must not become.
 */
struct page *p2m_get_own_page(struct domain *d, gfn_t gfn);

/*
 * Populate on demand (paging/pod.c): memory for a P2M_POD frame, so that it is not one any more: 0. -ERESTART: none
 * found so far, call again, the guest may do something else before. -ENOMEM: there is none, and no page of the domain
 * holds only zeros.
 */
int pod_populate(struct domain *d, gfn_t gfn);
/* One step of that. False: no memory so far. */
bool pod_populate_now(struct domain *d, gfn_t gfn);
/* The frame is P2M_POD because no memory was found so far: whoever needs it may come again. */
bool pod_may_come(struct domain *d, gfn_t gfn);
/*
 * Before a vCPU of d does what may need memory for a few P2M_POD frames and cannot wait then: 0 = it is there, or
 * there is none; -ERESTART = it was looked for, call again.
 */
int pod_reserve(struct domain *d);

/* A guest memory access that the nested tables refused. */
struct npt_fault {
	gpa_t gpa;
	uint64_t gla; /* linear address, valid if gla_valid */
	bool read, write, fetch, gla_valid;
	bool table_walk;    /* not by an operand: the guest's walk, or an event's delivery */
	enum p2m_type type; /* of the frame; p2m_fault fills it in */
};
/* Every vCPU of d loses its translations before this returns; running ones are made to exit. */
void p2m_flush(struct domain *d);

/* True: resolved (log-dirty, spurious, POD), run again. False: emulate as MMIO or report. */
bool p2m_fault(struct vcpu *v, struct npt_fault *f);

/*
 * Log-dirty (paging/logdirty.c). Bitmaps are little-endian, bit per gfn from the first one. 0: all memory is logged;
 * -ERESTART: some more is, call again; -ENOMEM; -EINVAL: the domain is being taken down.
 */
int logdirty_enable(struct domain *d);
bool logdirty_is_on(const struct domain *d);
void logdirty_disable(struct domain *d);
/* 2^order frames from gfn were written; nr of them. With the p2m lock held. */
void logdirty_mark(struct domain *d, gfn_t gfn, unsigned int order);
/*
 * The VMM, or somebody who had the frame mapped, has written to it: called behind the write, as a look at the log may have
 * come between a note made before it and the write. Takes the p2m lock.
 */
void logdirty_wrote(struct domain *d, gfn_t gfn);
void logdirty_wrote_range(struct domain *d, const struct frames *f);
/* Carries over to the bitmaps what hardware has noted. With the p2m lock held. At most P2M_PIECE frames. */
void logdirty_collect(struct domain *d, const struct frames *f);
/* How many frames from f->first on are holes, and nothing is noted of them. */
uint64_t logdirty_nothing(struct domain *d, const struct frames *f);
/*
 * Copies the bitmap of at most P2M_PIECE frames from a multiple of 8 on; clean = also clear and re-protect. *count: how many bits are set.
 * 0, -EINVAL (there is no log), -ENOMEM.
 */
int logdirty_read(struct domain *d, const struct frames *f, uint8_t *bitmap, bool clean,
		  uint64_t *count);

/*
 * Video memory (paging/vram.c): fill `out` with a bit for each of the frames written since the last answer for
 * the same range; the first answer reports all. 0; -ERESTART: a piece was done, call again; -ENOMEM.
 */
int vram_track(struct domain *d, const struct frames *f, uint8_t *out);
void vram_track_stop(struct domain *d);
/* With the p2m lock held. */
void vram_mark(struct domain *d, const struct frames *f);
/* Is the device model asking about one of them? With the p2m lock held. */
bool vram_has_some(const struct domain *d, const struct frames *f);

#endif
