/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The threads of the CPUs, whose turn it is, and the program around it. It includes no header of the hypervisor,
 * and no sanitizer sees what it does: the turn orders nothing that the hypervisor does not order itself.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX 8U
#define HANGS_S	    100U /* a case takes seconds */

extern void (*host_relax)(void);
extern bool host_verbose;
void host_result(const char *check, unsigned int good, unsigned int bad);
unsigned int race_count(void);
const char *race_name(unsigned int i);
void race_one(unsigned int i, unsigned int times, uint64_t seed);
void cpu_thread(unsigned int cpu);
void turns_begin(unsigned int cpus);
void turns_seed(uint64_t seed);
uint32_t turns_random(void);
void turns_rest(void);
void turns_start(void);
void turns_calm(bool on);
unsigned int turns_others(void);
void __sanitizer_cov_trace_pc(void);

/* Only where the thread sanitizer is: resting and starting do order what was before and after. */
extern void __tsan_acquire(void *addr) __attribute__((weak));
extern void __tsan_release(void *addr) __attribute__((weak));

static unsigned int nr;
static bool all_at_once;
static int turn[THREADS_MAX];	  /* it is this CPU's; futexes */
static bool resting[THREADS_MAX]; /* takes no turns */
static int starts;		  /* a futex: how often all were started */
static int ordered;		  /* what the sanitizer is told about */
static uint64_t state = 1;
static bool calm;	    /* the turn goes on only where somebody waits for others */
static uint32_t scale = 64; /* steps of a turn, about */
static __thread unsigned int me;
static __thread long left = LONG_MAX; /* steps until the turn goes on */
static __thread uint64_t own_state;

static void futex_wait(int *at, int value)
{
	syscall(SYS_futex, at, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void futex_wake(int *at)
{
	syscall(SYS_futex, at, FUTEX_WAKE_PRIVATE, 1 << 30, NULL, NULL, 0);
}

static uint32_t next(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return (uint32_t)(*s >> 16);
}

void turns_seed(uint64_t seed)
{
	scale = 2U << 2 * (seed % 5);
	state = (seed + 1) * 0x9e3779b97f4a7c15ULL;
	for (int i = 0; i < 4; i++)
		next(&state);
}

uint32_t turns_random(void)
{
	return next(all_at_once ? &own_state : &state);
}

/* Mostly about as many steps as with this seed, at times far more: what is short must be interrupted, and what is long. */
static long how_long(void)
{
	uint32_t r = turns_random();

	if (calm)
		return LONG_MAX;
	return (long)((r >> 8) % (r & 7 ? scale : scale * 32));
}

void turns_calm(bool on)
{
	__atomic_store_n(&calm, on, __ATOMIC_RELAXED);
	left = how_long();
}

static void wait_turn(void)
{
	while (!__atomic_load_n(&turn[me], __ATOMIC_ACQUIRE))
		futex_wait(&turn[me], 0);
	__atomic_store_n(&turn[me], 0, __ATOMIC_RELAXED);
}

static void give(void)
{
	unsigned int to;

	do
		to = next(&state) % nr;
	while (__atomic_load_n(&resting[to], __ATOMIC_RELAXED));
	if (to != me) {
		__atomic_store_n(&turn[to], 1, __ATOMIC_RELEASE);
		futex_wake(&turn[to]);
		wait_turn();
	}
	left = how_long();
}

static void others_turn(void)
{
	if (all_at_once) {
		left = how_long();
		syscall(SYS_sched_yield); /* the hypervisor has a function of that name */
	} else {
		give();
	}
}

/* The compiler calls this at each basic block of the hypervisor. */
void __sanitizer_cov_trace_pc(void)
{
	if (__builtin_expect(--left < 0, 0))
		others_turn();
}

static void relax(void)
{
	others_turn();
}

void turns_rest(void)
{
	int seen = __atomic_load_n(&starts, __ATOMIC_ACQUIRE);

	if (__tsan_release)
		__tsan_release(&ordered);
	__atomic_store_n(&resting[me], true, __ATOMIC_RELEASE);
	if (all_at_once) {
		while (__atomic_load_n(&starts, __ATOMIC_ACQUIRE) == seen)
			futex_wait(&starts, seen);
	} else {
		give(); /* comes back when it is among those that take turns again */
	}
	if (__tsan_acquire)
		__tsan_acquire(&ordered);
}

void turns_start(void)
{
	if (__tsan_release)
		__tsan_release(&ordered);
	for (unsigned int i = 0; i < nr; i++)
		__atomic_store_n(&resting[i], false, __ATOMIC_RELEASE);
	__atomic_fetch_add(&starts, 1, __ATOMIC_RELEASE);
	futex_wake(&starts);
	left = how_long();
}

unsigned int turns_others(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < nr; i++)
		n += i != me && !__atomic_load_n(&resting[i], __ATOMIC_ACQUIRE);
	if (!n && __tsan_acquire)
		__tsan_acquire(&ordered);
	return n;
}

static void *thread(void *arg)
{
	me = (unsigned int)(uintptr_t)arg;
	own_state = state + me * 77777;
	if (!all_at_once)
		wait_turn();
	left = how_long();
	cpu_thread(me);
	return NULL;
}

/* Threads of which one runs at a time change fastest on one CPU of the host. */
static void stay_here(void)
{
	int cpu = sched_getcpu();
	cpu_set_t one;

	CPU_ZERO(&one);
	if (cpu < 0)
		return;
	CPU_SET((unsigned int)cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

void turns_begin(unsigned int cpus)
{
	pthread_t t;

	nr = cpus;
	own_state = state;
	host_relax = relax;
	if (!all_at_once)
		stay_here();
	for (uintptr_t i = 1; i < cpus; i++)
		if (pthread_create(&t, NULL, thread, (void *)i)) {
			perror("a CPU's thread");
			exit(1);
		}
}

/* --- the program ------------------------------------------------------------------------------- */

struct options {
	const char *name, *only, *times, *seed, *seconds;
	bool free, verbose;
};

/* A case in a process of its own, so that one that panics is one that fails. */
static bool run_case(const struct options *o, unsigned int i)
{
	const char *argv[] = { o->name,	 "--case", race_name(i), "--times",
			       o->times, "--seed", o->seed,	 o->free ? "--free" : NULL,
			       NULL };
	int status = -1;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		execv("/proc/self/exe", (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		fprintf(stderr, "%s: %s failed\n", o->name, race_name(i));
	return !status;
}

static bool parse(struct options *o, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char **value = !strcmp(argv[i], "--case")	     ? &o->only
				     : !strcmp(argv[i], "--times")   ? &o->times
				     : !strcmp(argv[i], "--seed")    ? &o->seed
				     : !strcmp(argv[i], "--seconds") ? &o->seconds
								     : NULL;

		if (!strcmp(argv[i], "--free"))
			o->free = true;
		else if (!strcmp(argv[i], "--verbose"))
			o->verbose = true;
		else if (value && i + 1 < argc)
			*value = argv[++i];
		else
			return false;
	}
	return true;
}

static unsigned int run_all(const struct options *o)
{
	unsigned int bad = 0;

	for (unsigned int i = 0; i < race_count(); i++)
		bad += !run_case(o, i);
	return bad;
}

/* With seed after seed until the time is over. */
static int run_long(struct options *o)
{
	uint64_t seed = strtoull(o->seed, NULL, 0);
	time_t end = time(NULL) + atoi(o->seconds);
	unsigned int bad = 0;
	char text[32];

	for (; !bad && time(NULL) < end; seed += 1000) {
		snprintf(text, sizeof(text), "%llu", (unsigned long long)seed);
		o->seed = text;
		bad = run_all(o);
	}
	o->seed = NULL; /* the text goes */
	return bad > 0;
}

int main(int argc, char **argv)
{
	struct options o = { .name = argv[0], .times = "1", .seed = "0" };
	unsigned int bad;

	if (!parse(&o, argc, argv)) {
		fprintf(stderr,
			"usage: %s [--case NAME] [--times N] [--seed N] [--seconds N] [--free] [--verbose]\n",
			argv[0]);
		return 2;
	}
	all_at_once = o.free;
	host_verbose = o.verbose;
	for (unsigned int i = 0; o.only && i < race_count(); i++) {
		if (strcmp(o.only, race_name(i)))
			continue;
		alarm(HANGS_S);
		race_one(i, (unsigned int)atoi(o.times), strtoull(o.seed, NULL, 0));
		exit(0); /* unless a sanitizer has found something */
	}
	if (o.only)
		return 2;
	if (o.seconds)
		return run_long(&o);
	bad = run_all(&o);
	host_result("check-threads", race_count() - bad, bad);
	return bad != 0;
}
