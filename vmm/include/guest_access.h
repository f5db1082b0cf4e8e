/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copies between the VMM and a guest, by guest-physical or by linear address in a named address
 * space. Everything read from a guest is copied once, then used from the copy.
 */
#ifndef PLINTH_GUEST_ACCESS_H
#define PLINTH_GUEST_ACCESS_H

#include "p2m.h"
#include "vmm/emulate/x86_regs.h"

/* By guest-physical address; may cross pages. 0, -EFAULT (hole, read-only target, MMIO). */
int guest_phys_read(struct domain *d, gpa_t gpa, void *buf, size_t len);
int guest_phys_write(struct domain *d, gpa_t gpa, const void *buf, size_t len);

/* Page-walk access rights, as #PF error code bits. */
#define PFEC_P	  1U
#define PFEC_W	  2U
#define PFEC_U	  4U
#define PFEC_RSVD 8U
#define PFEC_I	  16U
#define PFEC_PK	  32U
/* Or'ed in by callers: implicit supervisor access (descriptor tables): CPL and AC do not count. */
#define PFEC_IMPLICIT 0x10000U

/*
 * Walk v's current page tables for linear address la (identity when paging is off). On success *gpa is
 * set and accessed/dirty bits are; else returns -EFAULT with the #PF error code in *pfec, or -EACCES: a table
 * lies in memory that the guest may not write, which no processor can walk (nobody makes a #PF of that).
 * v must be current or paused. access = PFEC_W/U/I wanted.
 */
int guest_walk(struct vcpu *v, uint64_t la, uint32_t access, gpa_t *gpa, uint32_t *pfec);
/* guest_walk() that tells what else could go that way, with no change of the tables: *allows is access, perhaps with PFEC_W. */
int guest_walk_allows(struct vcpu *v, uint64_t la, uint32_t access, gpa_t *gpa, uint32_t *pfec,
		      uint32_t *allows);

/* How a guest's page tables are read, and which of their entries a walk has used. */
struct guest_paging {
	bool wide;  /* entries of 8 bytes: PAE or long mode */
	bool pae;   /* wide, in a hierarchy of three levels */
	bool nxe;   /* EFER.NXE */
	bool pse;   /* CR4.PSE */
	bool giant; /* there are pages of 1 GiB */
};
struct guest_path {
	unsigned int steps; /* 0: there is no paging */
	unsigned int top_level, leaf_level;
	bool wide;
	struct guest_step {
		gpa_t at;
		gfn_t table;
		uint64_t pte; /* with the bits that the walk has set */
	} step[4];
};
/* Has a present entry a bit that must not be set? SDM volume 3, tables 4-4 to 4-20; level 1 = of 4 KiB pages. */
bool guest_entry_reserved(const struct guest_paging *g, unsigned int level, uint64_t pte);
/* guest_walk() that tells how it came there. */
int guest_walk_path(struct vcpu *v, uint64_t la, uint32_t access, gpa_t *gpa, uint32_t *pfec,
		    struct guest_path *path);
/* Are the entries still what they were? */
bool guest_path_same(struct domain *d, const struct guest_path *path);

/*
 * Copy by linear address with the rights of v's present CPL. On a fault returns -EFAULT and, when
 * fault != NULL, fills it for injection. -ENXIO when it reaches something that is not RAM, -EACCES as
 * guest_walk().
 */
struct guest_fault {
	uint64_t la;
	uint32_t pfec;
	gpa_t gpa;
};
int guest_linear_copy(struct vcpu *v, uint64_t la, void *buf, size_t len, uint32_t access,
		      struct guest_fault *fault);

/*
 * The 16 bytes at linear address la as code that v executes, by a shorter way than guest_linear_copy. False: they
 * lie in two pages, cannot be fetched, or are in no memory.
 */
bool guest_code_window(struct vcpu *v, uint64_t la, uint64_t word[2]);

/*
 * Hypercall arguments: linear addresses in the current vCPU's address space (64- or 32-bit as the
 * caller's mode), honouring SMAP with EFLAGS.AC. A call uses again what it has translated once. Return 0 or -EFAULT.
 */
int copy_from_guest_la(void *dst, uint64_t la, size_t len);
int copy_to_guest_la(uint64_t la, const void *src, size_t len);
/* For XEN_GUEST_HANDLEs of the public headers (they hold a typed pointer p). */
#define guest_handle_la(h)	((uint64_t)(h).p)
#define guest_handle_is_null(h) ((h).p == NULL)
#define copy_from_guest(dst, h, nr) \
	copy_from_guest_la(dst, guest_handle_la(h), sizeof(*(dst)) * (nr))
#define copy_to_guest(h, src, nr) copy_to_guest_la(guest_handle_la(h), src, sizeof(*(src)) * (nr))
#define copy_from_guest_offset(dst, h, i, nr)                                        \
	copy_from_guest_la(dst, guest_handle_la(h) + (uint64_t)(i) * sizeof(*(dst)), \
			   sizeof(*(dst)) * (nr))
#define copy_to_guest_offset(h, i, src, nr)                                        \
	copy_to_guest_la(guest_handle_la(h) + (uint64_t)(i) * sizeof(*(src)), src, \
			 sizeof(*(src)) * (nr))

#endif
