// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * In a small Linux guest: looks at its clocks on each of its CPUs until a file is there, and tells whether one went back:
 * the TSC, CLOCK_MONOTONIC and CLOCK_REALTIME, each compared with the latest that any CPU has seen. And how
 * long nobody looked at most, by the guest's own clocks.
 *
 * usage: clockwatch STOP-FILE
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#define NR_CLOCKS 4
#define LOOKS	  64	  /* in a row, so that CPUs meet */
#define PAUSE_NS  1000000 /* between them */

static const char *const name[NR_CLOCKS] = { "tsc", "monotonic", "realtime", "boottime" };

static struct {
	struct {
		uint64_t latest, back, steps, gap;
	} clock[NR_CLOCKS];
	uint64_t looks;
} * shared;

static uint64_t now(int clock)
{
	static const clockid_t id[NR_CLOCKS] = { -1, CLOCK_MONOTONIC, CLOCK_REALTIME,
						 CLOCK_BOOTTIME };
	struct timespec t;

	if (!clock) {
		_mm_lfence();
		return __rdtsc();
	}
	clock_gettime(id[clock], &t);
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

static void at_least(uint64_t *value, uint64_t found)
{
	uint64_t old = __atomic_load_n(value, __ATOMIC_RELAXED);

	while (found > old && !__atomic_compare_exchange_n(value, &old, found, 0, __ATOMIC_SEQ_CST,
							   __ATOMIC_SEQ_CST))
		;
}

static void look(int clock)
{
	uint64_t seen = __atomic_load_n(&shared->clock[clock].latest, __ATOMIC_SEQ_CST);
	uint64_t t = now(clock);

	if (t < seen) {
		__atomic_fetch_add(&shared->clock[clock].steps, 1, __ATOMIC_RELAXED);
		at_least(&shared->clock[clock].back, seen - t);
	} else if (seen) {
		at_least(&shared->clock[clock].gap, t - seen);
	}
	at_least(&shared->clock[clock].latest, t);
}

static void watch(int cpu, const char *stop)
{
	const struct timespec pause = { 0, PAUSE_NS };
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set)) {
		perror("clockwatch: affinity");
		exit(1);
	}
	while (access(stop, F_OK)) {
		for (int i = 0; i < LOOKS; i++)
			for (int clock = 0; clock < NR_CLOCKS; clock++)
				look(clock);
		__atomic_fetch_add(&shared->looks, LOOKS, __ATOMIC_RELAXED);
		nanosleep(&pause, NULL);
	}
	exit(0);
}

int main(int argc, char **argv)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	/* cppcheck-suppress invalidFunctionArg ; an anonymous mapping has no file */
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (argc != 2 || shared == MAP_FAILED)
		return 2;
	for (int cpu = 0; cpu < cpus; cpu++)
		if (!fork())
			watch(cpu, argv[1]);
	while (wait(NULL) > 0)
		;
	printf("@@ CLOCKS cpus=%ld looks=%lu", cpus, shared->looks);
	for (int clock = 0; clock < NR_CLOCKS; clock++)
		printf(" %s_steps=%lu %s_back=%lu %s_gap=%lu", name[clock],
		       shared->clock[clock].steps, name[clock], shared->clock[clock].back,
		       name[clock], shared->clock[clock].gap);
	printf("\n");
	return 0;
}
