/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the benchmark payload share. All times are TSC ticks; under icount they are
 * guest instructions.
 */
#ifndef BENCH_H
#define BENCH_H

#include "../payload/payload.h"

#define BENCH_MAX_SAMPLES 64

struct bench_samples {
	u64 tick[BENCH_MAX_SAMPLES];
	unsigned int count;
};

u64 bench_overhead(void); /* of two RDTSCs in a row */
void bench_report(const char *name, struct bench_samples *s);

/* Repeats one statement n times (after one that does not count) and reports its median and least time. */
#define BENCH(name, n, ...)                                 \
	do {                                                \
		struct bench_samples s_ = { .count = 0 };   \
		u64 t_;                                     \
		__VA_ARGS__;                                \
		while (s_.count < (n)) {                    \
			t_ = rdtsc();                       \
			__VA_ARGS__;                        \
			s_.tick[s_.count++] = rdtsc() - t_; \
		}                                           \
		bench_report(name, &s_);                    \
	} while (0)

void bench_cpu(void);  /* bench_cpu.c */
void bench_disk(void); /* bench_disk.c */
void bench_net(void);  /* bench_net.c */
/* What tests/bench/run-sched asks for instead: late, share or spin. bench_sched.c */
void bench_sched(const char *kind);

/* PCI configuration by mechanism 1; bdf = bus << 8 | device << 3 | function. bench_pci.c */
u32 pci_read(u32 bdf, u8 reg);
void pci_write(u32 bdf, u8 reg, u32 value);
/* First function of bus 0 whose (register & mask) == value; ~0 when there is none. */
u32 pci_find(u8 reg, u32 mask, u32 value);

#endif
