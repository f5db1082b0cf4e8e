// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs the benchmarks in the order of the table in tests/bench/run and prints "BENCH name median
 * min" lines.
 */
#include "bench.h"

u64 bench_overhead(void)
{
	u64 best = ~0ull, t;
	unsigned int i;

	for (i = 0; i < 16; i++) {
		t = rdtsc();
		t = rdtsc() - t;
		if (t < best)
			best = t;
	}
	return best;
}

void bench_report(const char *name, struct bench_samples *s)
{
	u64 over = bench_overhead(), t;
	unsigned int i, j;

	for (i = 1; i < s->count; i++) {
		t = s->tick[i];
		for (j = i; j && s->tick[j - 1] > t; j--)
			s->tick[j] = s->tick[j - 1];
		s->tick[j] = t;
	}
	print("BENCH %s %llu %llu\n", name, s->tick[s->count / 2] - over, s->tick[0] - over);
}

void bench_main(void)
{
	char sched[8];

	pic_mask(0xffff);
	if (cmdline_word("sched", sched, sizeof(sched))) {
		bench_sched(sched);
		return;
	}
	print("BENCH-START overhead %llu\n", bench_overhead());
	bench_cpu();
	bench_disk();
	bench_net();
	print("BENCH-END\n");
}
