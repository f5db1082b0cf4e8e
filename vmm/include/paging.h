/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a domain's processors are given its memory: a mode per domain. `nested`: the processor walks the guest's
 * tables and the p2m itself (NPT, EPT). `shadow`: it walks tables that the VMM makes of both (docs/shadow.md).
 */
#ifndef PLINTH_PAGING_H
#define PLINTH_PAGING_H

#include "guest_access.h"

/* What becomes of an access that the processor's tables refused. */
enum paging_answer {
	PAGING_AGAIN,  /* the guest executes the instruction again */
	PAGING_INJECT, /* #PF, with paging_fault.pfec */
	PAGING_MEMORY, /* the p2m refuses it: paging_fault.npt */
	PAGING_EMULATE, /* this one instruction is emulated; where that cannot be, paging_give_up() */
	PAGING_STUCK,	/* the domain ends, paging_fault.why says why */
};

struct paging_fault {
	uint64_t la;
	uint32_t pfec;	      /* in: the processor's; out: the guest's */
	struct npt_fault npt; /* of PAGING_MEMORY and PAGING_EMULATE */
	const char *why;
};

struct paging_mode {
	const struct p2m_format *p2m_format; /* NULL: the vendor's */
	/* A page fault that the processor took in the guest; v is the current vCPU. NULL: it takes none. */
	enum paging_answer (*fault)(struct vcpu *v, struct paging_fault *f);
	/* Control registers or EFER of v have changed, CR3 maybe written with the same value: *v->hw follows. */
	void (*hw_state)(struct vcpu *v);
	/*
	 * Behind a change of 2^order entries of the p2m from gfn on, with the p2m lock held: nothing that was made of the
	 * old ones is used any more, but for what TLBs still hold. same: they lead to the same memory, with other rights.
	 * NULL: nothing is made of them.
	 */
	void (*p2m_changed)(struct domain *d, gfn_t gfn, unsigned int order, bool same);
	/*
	 * The VMM has written to the guest's memory: len bytes at offset of the frame, 0 = somewhere in it. Up to 8 bytes
	 * may be an entry of a table. No lock of LOCK_SHADOW or above is held. NULL: nothing is made of what it was.
	 */
	void (*guest_wrote)(struct domain *d, gfn_t gfn, unsigned int offset, unsigned int len);
};

extern const struct paging_mode paging_nested, paging_shadow;

/*
 * Is nested paging there? The vendor's probe clears it where the processor has none, the option hap= for all processors.
 * Constant from then on. Without it every domain, dom0 too, is on shadow tables.
 */
extern bool paging_has_nested;
/* Are shadow tables possible? They need EFER.NX. */
bool paging_has_shadow(void);
/* Is one of the two there? Else the log says that `name`, the vendor's virtualization, cannot be used. BSP, in its probe. */
bool paging_possible(const char *name);

/* The domain's mode by its flags of creation; before its p2m. -ENOMEM. */
int paging_domain_init(struct domain *d);
/* What the tables were made of goes, in pieces: -ERESTART = again. No vCPU of d runs any more. */
int paging_teardown(struct domain *d);
void paging_domain_fini(struct domain *d);
/* Sets v->hw. -ENOMEM. */
int paging_vcpu_init(struct vcpu *v);
void paging_vcpu_fini(struct vcpu *v);

/*
 * The memory for tables, in whole pages. Setting only makes more, in pieces (-ERESTART = again); -ENOMEM; -EBUSY: it
 * cannot become less; -ESRCH: d is dying. In nested mode the number is remembered for the tools. d's domctls come one at a time.
 */
int paging_pool_set(struct domain *d, uint64_t pages);
uint64_t paging_pool(const struct domain *d);
/* Is there as much as the domain needs to run? */
bool paging_pool_suffices(const struct domain *d);

/*
 * While d is built: the memory in which shadow tables note who leads to these frames, 1/512 of theirs, so that it does
 * not have to be found later. False: there is none.
 */
bool paging_prepare(struct domain *d, const struct frames *f);

/*
 * Frames, at most, whose rights change or that are taken from d in one piece: on shadow tables all that leads to each goes,
 * and of a frame that is taken the tables in it, too. A multiple of 8, where bitmaps tell of them.
 */
unsigned int paging_change_piece(const struct domain *d);
unsigned int paging_take_piece(const struct domain *d);

/* The frame is used for something else than page tables from now on, or somebody who lends it may write to it. */
void paging_give_up(struct domain *d, gfn_t gfn);
/* The same for the first ones of these, as many as do not take long. Returns how many. */
uint64_t paging_give_up_some(struct domain *d, const struct frames *f);
/*
 * An instruction of v that cannot be emulated writes to one of its page tables, in frame gfn. True: it can be tried
 * again, the table has been given up. False: it was tried often enough, one time soon after the other.
 */
bool paging_give_up_for(struct vcpu *v, gfn_t gfn);

#define paging_guest_wrote(d, gfn, offset, len)                        \
	do {                                                           \
		if (unlikely((d)->paging->guest_wrote))                \
			(d)->paging->guest_wrote(d, gfn, offset, len); \
	} while (0)

#endif
