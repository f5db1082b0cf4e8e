/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the emulator's tests share: counting of cases, random numbers, and a fake machine behind the
 * emulator's callbacks (flat memory window, registers in arrays, optional refusals).
 */
#ifndef TESTS_EMULATE_HARNESS_H
#define TESTS_EMULATE_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "vmm/emulate/x86_emulate.h"

struct test_count {
	unsigned long passed, failed, skipped;
	unsigned long compared; /* comparisons inside batches */
};

extern struct test_count tests;

/* Counts a case; prints the message of a failed one (the first 40). */
void test_result(bool ok, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A batch is what was counted since 'before': one case. */
void test_batch(const struct test_count *before);

uint64_t test_random(void);
static inline uint32_t test_below(uint32_t n)
{
	return (uint32_t)((test_random() >> 32) * n >> 32);
}

void test_hex(char *out, const uint8_t *bytes, unsigned int n);

#define MACHINE_LOG 64

/*
 * Linear addresses [mem_base, mem_base + mem_size) are mem[]; anything else is #PF with cr2, or,
 * when `any_memory`, reads as zero and swallows writes.
 */
struct machine_msr {
	uint32_t index;
	uint64_t value;
};

struct machine {
	struct x86_emulate_ctxt ctxt;
	struct x86_regs regs;
	struct x86_segment seg[X86_SEG_NONE];
	uint64_t cr[9], dr[8], xcr[2], msr_value;
	uint32_t msr_index;
	const struct machine_msr *msrs; /* registers of their own; the last has index 0 */
	uint8_t vec[16][32];
	uint64_t mmx[8];
	struct x86_x87 x87;
	uint8_t *mem;
	uint64_t mem_base, mem_size;
	bool any_memory;
	/* Where instruction bytes come from when insn_avail is not enough. */
	const uint8_t *code;
	uint64_t code_base, code_size;
	/*
	 * Device window: reads and writes return RETRY the first time, then answer (MMIO restart).
	 */
	uint64_t device_base, device_size, device_value;
	bool device_ready;
	unsigned int device_reads, device_writes;
	/* Port I/O: reads give io_value, incremented each time; writes are counted and kept. */
	uint32_t io_value, io_last;
	unsigned int io_count;
	uint16_t io_port;
	/* Bulk limits: elements done per call; 0 = UNHANDLEABLE. */
	uint64_t bulk_limit;
	unsigned int bulk_calls;
	unsigned int commits, invlpgs, wbinvds, hypercalls, locked;
	bool cmpxchg_race; /* the next cmpxchg finds memory changed */
	uint64_t invlpg_lin;
};

extern const struct x86_emulate_ops machine_ops;
extern const struct x86_emulate_ops machine_ops_bulk;

void machine_init(struct machine *m, enum x86_mode mode, unsigned int code_bits);

/* test_*.c */
void test_decode(void);
void test_native(bool on_any_cpu);
void test_open(void);
void test_syscall(void);
void test_machine(void);
void test_mmio(void);
void test_system(void);
void test_regress(const char *dir);
int emulate_bench(void);
void emulate_one_input(const uint8_t *data, size_t size);

#endif
