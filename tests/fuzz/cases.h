/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cases for hypercalls on the machine of machine.h: what a caller gets, where the limits are, what comes back. Each
 * case has a machine of its own, which is looked over after each call and taken down at the end.
 */
#ifndef PLINTH_FUZZ_CASES_H
#define PLINTH_FUZZ_CASES_H

#include "machine.h"

struct hc_case {
	const char *name;
	void (*run)(void);
	struct hc_case *next;
};

void hc_register(struct hc_case *c);

#define CASE(n)                                                     \
	static void n(void);                                        \
	static struct hc_case n##_case = { .name = #n, .run = n };  \
	__attribute__((constructor)) static void n##_register(void) \
	{                                                           \
		hc_register(&n##_case);                             \
	}                                                           \
	static void n(void)

/* The domain, for as long as the case runs; it must be there. */
struct domain *dom(domid_t id);
/* The host's address of a page that a domain has at gfn. */
void *guest_page(domid_t id, uint64_t gfn);
/* What the caller passes its structures in; its linear and physical address is ARG. */
#define ARG ((uint64_t)ARG_GFN << PAGE_SHIFT)
/* An address of a second page for lists. */
#define LIST ((uint64_t)SCRATCH_GFN << PAGE_SHIFT)
/* Calls as vCPU `vcpu` of the domain, in 64-bit code; RAX. The clock goes on by a microsecond. */
long call_as(domid_t id, unsigned int vcpu, unsigned int nr, uint64_t a0, uint64_t a1, uint64_t a2,
	     uint64_t a3);
/* A call (command, structure), which is copied in and, as the call leaves it, out again. */
long call_op(domid_t id, unsigned int nr, uint64_t cmd, void *arg, size_t size);
/* dom0's, about a domain, likewise. */
struct xen_domctl;
long domctl(uint32_t cmd, domid_t about, struct xen_domctl *op);
/* populate_physmap or decrease_reservation of `nr` pages from `gfn` on; how many were done. */
long reserve(domid_t caller, domid_t about, unsigned int cmd, uint64_t gfn, unsigned int nr);
/* dom0 gives a guest frames without pages; how many were done. */
long populate_on_demand(domid_t about, uint64_t gfn, unsigned int nr);
/* The log of writes, which goes in pieces: begun; frames 0..nr-1 of it, and how many bits are set. */
int log_begin(domid_t id);
uint64_t log_ask(domid_t id, unsigned int nr, uint8_t *map, bool clean);
/* Another machine with other vendor's operations. A case leaves one with fake_hvm_ops. */
void change_machine(const struct hvm_ops *to);

#endif
