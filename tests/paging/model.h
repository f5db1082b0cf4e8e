/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A model of processors on shadow tables: vCPUs whose page walks go over the shadow tables that the VMM makes, each
 * with a TLB that keeps what it has seen until somebody flushes it; beside them a plain walker over the guest's own
 * tables, which says what a processor must do.
 */
#ifndef PLINTH_TESTS_PAGING_H
#define PLINTH_TESTS_PAGING_H

#include "vmm/paging/shadow/shadow.h"
#include "tests/fuzz/machine.h"

#define NR_VCPUS  3U
#define NR_TABLES 24U /* frames that are filled with entries */
#define NR_RAM	  40U /* frames with memory, the tables first */
#define NR_FRAMES 64U /* that entries name; from NR_RAM on there is nothing */
#define PDPT_GFN  80U /* one for each vCPU; no guest can reach them */
#define TLB_SIZE  48U

enum model_mode { MODE_LONG, MODE_PAE, MODE_TWO, MODE_OFF, NR_MODES };

struct model_tlb {
	bool valid, stale, user, write, nx;
	uint64_t la;
	gfn_t gfn;
	mfn_t mfn;
};

struct model_vcpu {
	struct vcpu *v;
	enum model_mode mode;
	struct model_tlb tlb[TLB_SIZE];
};

struct model {
	struct domain *d;
	struct model_vcpu cpu[NR_VCPUS];
	unsigned int acting; /* the vCPU that is in the VMM */
	bool raced;	     /* others have changed tables since this was cleared */
	uint64_t recent[8];
	uint64_t ops, translated, injected, emulated, memory, again, races;
};
extern struct model model;

/* Random numbers below n, from a seed or from a fuzzer's input. */
uint32_t model_random(uint32_t n);
extern bool (*model_more)(void); /* NULL: no input that could end */

/* oracle.c: what a processor does that walks the guest's tables itself. */
struct oracle {
	bool ok;
	uint32_t pfec;
	gfn_t gfn;
	bool user, write, nx; /* what it allows, CR0.WP aside */
};
void oracle_walk(const struct model_vcpu *c, uint64_t la, uint32_t access, bool set_bits,
		 struct oracle *o);
uint64_t *oracle_memory(gfn_t gfn); /* NULL: there is none */

/* audit.c: panics unless all of the shadow tables is as it must be. */
void model_audit(void);
void audit_victims(void); /* uses a page of the pool */
void audit_pieces(gfn_t table);

/* model.c */
void model_start(unsigned int pool_pages);
void model_stop(void);
void model_step(void);

#endif
