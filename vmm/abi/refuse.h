/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why a call was refused. A caller gets an errno only, and xl's user a number: the reason goes to the log (xl dmesg), with
 * the caller, the command, what was asked and what is supported. Each family has its commands as a table; what no line
 * of code gives a reason for gets the table's. What dom0's tools ask is always logged; what guests and device models
 * ask comes out of the guest's budget for the log.
 */
#ifndef PLINTH_ABI_REFUSE_H
#define PLINTH_ABI_REFUSE_H

#include "domain.h"

struct abi_command {
	const char *name;
	const char *takes; /* what arguments are good ones, and what to do instead */
};

struct abi_family {
	const char *name;
	const struct abi_command *commands; /* by number; no name: not there */
	unsigned int nr;
	const char *others; /* of a number that is not there */
};

/* A call of this family begins on this CPU. It is about domain `about`, DOMID_INVALID = none or not known yet. */
void refusal_begin(const struct abi_family *f, unsigned int cmd, domid_t about);
/* It has turned out which domain the call is about. */
void refusal_about(domid_t about);
/* From now on d's budget pays for the lines of this call; the caller has a reference until the call ends. */
void refusal_charge(struct domain *d);
/* Logs why this call fails, and returns err. No lock above LOCK_HVM_IRQ is held. */
long refuse(long err, const char *fmt, ...) __printf(2, 3);
/* err is an answer that callers ask for, no refusal: nothing is logged. */
long refusal_expected(long err);
/*
 * The call ends with rc: if that is a refusal which errno does not explain and nobody has logged a reason, the table's is
 * logged, with the first bytes of the argument. Returns rc.
 */
long refusal_end(long rc, const void *argument, size_t size);

extern const struct abi_family domctl_family, sysctl_family, memory_family, hvm_family, dm_family;

#endif
