/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hypercalls. vmm/abi/table.c maps numbers to handlers; one file per family. A handler gets its
 * arguments as the caller passed them (zero-extended for 32-bit callers) and returns what goes into
 * RAX. -ERESTART from a handler re-executes the hypercall instruction later with the arguments as they
 * then are (hypercall_continue). Privilege: handlers check with abi_privileged().
 */
#ifndef PLINTH_ABI_H
#define PLINTH_ABI_H

#include "domain.h"
#include "guest_access.h"

struct hypercall_args {
	uint64_t a[6];
};
typedef long (*hypercall_fn)(struct vcpu *v, const struct hypercall_args *args);

struct hypercall {
	hypercall_fn native; /* 64-bit callers */
	hypercall_fn compat; /* 32-bit callers; NULL = -ENOSYS */
	const char *name;
};
extern const struct hypercall hypercall_table[];
extern const unsigned int hypercall_count;
/* Calls by number since boot, for the debug key and bench. */
extern uint64_t hypercall_calls[];

/* Executes the hypercall that current's registers ask for; used by hvm_exit_hypercall. */
void hypercall_dispatch(struct vcpu *v);
/* One call with explicit arguments (multicall). */
long hypercall_one(struct vcpu *v, unsigned int nr, const struct hypercall_args *args, bool compat);
/* Should a long operation stop here and be continued? (softirq pending, or a tenth of a millisecond is over) */
bool hypercall_preempt(void);
/* Change argument i that the continued call will see. */
void hypercall_set_arg(struct vcpu *v, unsigned int i, uint64_t value);
/* Is the current caller 32-bit? */
bool hypercall_is_compat(void);

static inline bool abi_privileged(void)
{
	return current_domain()->is_dom0;
}
/* caller may act on d: itself, or dom0 */
static inline bool abi_may_control(const struct domain *d)
{
	return d == current_domain() || abi_privileged();
}

/* Writes the hypercall page contents at `page` (4 KiB). */
void hypercall_page_fill(struct domain *d, void *page);

/* Version the tools see: exactly 4.17. */
#define PLINTH_XEN_MAJOR 4
#define PLINTH_XEN_MINOR 17

#endif
