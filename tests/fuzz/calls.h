/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The calls that fuzzers make: per family, how the registers and the argument in memory are made up. */
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

/*
 * `layout` lists the structure's fields, each a letter for what it is and its size in bytes, aligned as C does:
 *   d domain  D guest (never dom0)  g frame number  a frame's address  h pointer to scratch  n count  o order
 *   p port  r grant reference  k grant handle  v vCPU  f flags  i small number  t time  x anything  z zero
 *   C the command  V the interface version
 */
struct call {
	uint8_t family, hypercall, shape, flags;
	uint32_t cmd;
	const char *layout;
};
extern const struct call calls[];
extern const unsigned int nr_calls;

#endif
