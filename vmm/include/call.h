/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hypercall that a CPU executes: who asks and what, and what the parts of the VMM that serve it keep about it. It
 * does not move between CPUs, and there is one at a time; the entries of a multicall follow each other.
 */
#ifndef PLINTH_CALL_H
#define PLINTH_CALL_H

#include "types.h"

struct vcpu;
struct domain;
struct abi_family;
struct xen_dm_op_buf;
struct abi_command;

#define CALL_ARGS    6U
#define CALL_REACHED 4U

struct call {
	struct vcpu *v; /* the caller; NULL: no call is executed */
	uint64_t a
		[CALL_ARGS]; /* arguments as passed, of 32-bit callers zero-extended; in a multicall the entry's */
	bool compat;	   /* the caller is in 32-bit code */
	bool in_multicall; /* it is an entry of one */
	uint64_t
		until; /* TSC; from then on it is to stop, 0 = nobody has asked yet (hypercall_preempt) */

	/* The command (vmm/abi/command.h). */
	const struct abi_family *family;   /* NULL: none has begun */
	const struct abi_command *command; /* NULL: it has no name */
	uint32_t cmd;
	uint16_t about; /* the domain that it is about, DOMID_INVALID = none, or not known yet */
	bool said;	/* why it is refused is in the log, or need not be */
	struct domain *payer; /* whose budget the log's lines come out of, NULL = nobody's */
	struct domain *d;     /* the domain that it is about, referenced */
	struct vcpu *target;  /* vcpu_op: the vCPU that it is about */
	uint64_t start;	      /* memory_op, grant_table_op: where it goes on */
	uint32_t count;	      /* grant_table_op: how many there are in the list */
	void *arg;	      /* its structure, copied in */
	const struct xen_dm_op_buf *extra; /* dm_op: the second buffer, NULL when absent */

	/* Pages of the caller that this call has reached before (vmm/paging/guest_copy.c). */
	uint64_t number; /* of this call on this CPU */
	struct {
		uint64_t number; /* of the call that reached it */
		uint64_t page;	 /* linear address */
		uint32_t access;
		gpa_t gpa;
	} reached[CALL_REACHED];
};

/*
 * Should a long operation stop here and be continued? Something waits for this CPU, or the call has gone on for a tenth
 * of a millisecond: interrupts are off, so no interrupt tells that others wait. The first question of a call starts its
 * piece, which costs short calls nothing.
 */
bool hypercall_preempt(void);

#endif
