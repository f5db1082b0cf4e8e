/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The calls that fuzzers make: per family, how the registers and the argument in memory are made up; and the making. */
#ifndef PLINTH_FUZZ_CALLS_H
#define PLINTH_FUZZ_CALLS_H

#include "types.h"

enum family {
	F_MEMORY,
	F_EVENT,
	F_GRANT,
	F_SCHED,
	F_VCPU,
	F_HVM,
	F_DM,
	F_PHYSDEV,
	F_PLATFORM,
	F_DOMCTL,
	F_SYSCTL,
	F_CONSOLE,
	F_VERSION,
	F_MULTICALL,
	F_CONTEXT, /* no calls: context.c */
	F_COUNT
};
extern const char *const family_names[F_COUNT];

/* Where the argument's address goes. */
enum shape {
	S_CMD_PTR,	 /* cmd, pointer */
	S_CMD_PTR_COUNT, /* cmd, pointer to a list, its length */
	S_CMD_VCPU_PTR,	 /* cmd, vCPU, pointer */
	S_CMD_COUNT_PTR, /* cmd, count, pointer to scratch */
	S_PTR,		 /* pointer; the command and an interface version are in the structure */
	S_DM,		 /* domain, number of buffers, buffers; the structure is in the first one */
	S_VALUES,	 /* values only */
};

#define GUESTS_ONLY BIT(0) /* would end the machine if dom0 did it */
#define ALONE_ONLY  BIT(1) /* the same, if another CPU changed its argument meanwhile */

/*
 * `layout` lists the structure's fields, each a letter for what it is and its size in bytes, aligned as C does:
 *   d domain  D guest (never dom0)  g frame number  a frame's address  h pointer to scratch  n count  o order
 *   p port  r grant reference  k grant handle  v vCPU  f flags  i small number  t time  x anything  z zero
 *   C the command  V the interface version
 */
struct call_shape {
	uint8_t family, hypercall, shape, flags;
	uint32_t cmd;
	const char *layout;
};
extern const struct call_shape calls[];
extern const unsigned int nr_calls;

/* made.c: calls, and what guests write, made up from bytes. */
struct vcpu;
struct domain;
struct made_call {
	uint64_t nr, a[6];
};
/* Where the calling thread's bytes come from. */
void made_from(uint8_t (*next)(void));
/* For all threads: most calls are of this family; of any, for F_MULTICALL. */
void made_of(enum family f);
/*
 * For all threads: frames and counts come out of a few numbers at the edge of what there is, which 2 * EDGES_NR bytes
 * choose, so that calls meet the same ones again. NULL: they come out of all there are.
 */
#define EDGES_NR 3U
void made_at_edges(const uint8_t *choice);
/* A call by v, with what it points to in v's memory. False: v must not make it. */
bool made_call(struct vcpu *v, bool multi, struct made_call *r);
void made_set_regs(struct vcpu *v, const struct made_call *r, bool wide);
/* A list of values of one kind into a scratch page of v's; an entry of its grant table; words anywhere in its memory. */
void made_list(struct vcpu *v);
void made_grant(struct vcpu *v);
void made_scribble(struct vcpu *v);
/* A number of a kind that has no more than 64 bits: see `layout`. */
uint64_t made_small(char kind, uint8_t sel);
/* The guest's memory, as the guest itself would reach it. */
void guest_store(struct domain *d, uint64_t at, const void *from, size_t len);

#endif
