/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hypercalls. vmm/abi/table.c maps numbers to handlers; one file per family. A handler gets the call (call.h) and
 * returns what goes into RAX. -ERESTART from a handler re-executes the hypercall instruction later with the arguments
 * as they then are (call_set_arg). Privilege: handlers check with abi_privileged().
 */
#ifndef PLINTH_ABI_H
#define PLINTH_ABI_H

#include "domain.h"
#include "guest_access.h"

/*
 * Executes the hypercall that current's registers ask for. True: the instruction is to be executed again, or faults. Exits find
 * it as hypercall_entry (hvm/exit.c), which start-up sets.
 */
bool hypercall_dispatch(struct vcpu *v);
extern bool (*hypercall_entry)(struct vcpu *v);

static inline bool abi_privileged(void)
{
	return current_domain()->is_dom0;
}
/* caller may act on d: itself, or dom0 */
static inline bool abi_may_control(const struct domain *d)
{
	return d == current_domain() || abi_privileged();
}

/* Version the tools see: exactly 4.17. */
#define PLINTH_XEN_MAJOR 4
#define PLINTH_XEN_MINOR 17

#endif
