/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The longest stretches with interrupts off: see stretch.h. One table for all CPUs; a CPU that finds another one writing to it drops
 * what it measured.
 */
#include "debug.h"
#include "domain.h"
#include "stretch.h"
#include "timer.h"

#define ROWS	  48U
#define SHOWN	  24U
#define LEAST	  5000ULL /* ticks: what is shorter is not worth a row */
#define NAME_SIZE 64

struct stretch {
	uint64_t from, to;	/* where it began and ended */
	const char *what;	/* its longest part */
	uint64_t cmd, part;	/* ticks of that */
	uint64_t longest, over; /* ticks; how often longer than the bound */
	domid_t domid;		/* of the longest */
};

/* What a CPU does. */
static struct {
	struct stretch s; /* with the longest part so far; longest is not used */
	uint64_t began, part_began;
	const char *what;
	uint64_t cmd;
} now[MAX_CPUS];

static struct stretch rows[ROWS];
static bool busy; /* atomic */

static bool same(const struct stretch *a, const struct stretch *b)
{
	return a->from == b->from && a->to == b->to && a->what == b->what && a->cmd == b->cmd;
}

/* The row of s; a new one, in place of the least, when there is none; NULL when s is less than all. */
static struct stretch *row_of(const struct stretch *s)
{
	struct stretch *least = &rows[0];

	for (unsigned int i = 0; i < ROWS; i++) {
		if (rows[i].longest && same(&rows[i], s))
			return &rows[i];
		if (rows[i].longest < least->longest)
			least = &rows[i];
	}
	if (least->longest >= s->longest)
		return NULL;
	*least = *s;
	least->over = 0;
	return least;
}

static void keep(const struct stretch *s)
{
	struct stretch *r;

	if (__atomic_exchange_n(&busy, true, __ATOMIC_ACQUIRE))
		return;
	r = row_of(s);
	if (r) {
		r->over += s->longest > STRETCH_BOUND;
		if (s->longest > r->longest) {
			r->longest = s->longest;
			r->part = s->part;
			r->domid = s->domid;
		}
	}
	__atomic_store_n(&busy, false, __ATOMIC_RELEASE);
}

static void end_part(unsigned int cpu)
{
	uint64_t ticks = rdtsc() - now[cpu].part_began;

	if (ticks < now[cpu].s.part)
		return;
	now[cpu].s.part = ticks;
	now[cpu].s.what = now[cpu].what;
	now[cpu].s.cmd = now[cpu].cmd;
}

void stretch_ended(void)
{
	const struct vcpu *v = this_cpu()->current;
	unsigned int cpu = cpu_id();
	uint64_t ticks = rdtsc() - now[cpu].began;

	if (!now[cpu].began || ticks < LEAST)
		return;
	end_part(cpu);
	now[cpu].s.to = (uint64_t)__builtin_return_address(0);
	now[cpu].s.longest = ticks;
	now[cpu].s.domid = v && v->domain ? v->domain->domid : 0;
	keep(&now[cpu].s);
}

void stretch_began(const char *why)
{
	unsigned int cpu = cpu_id();

	now[cpu].s.from = (uint64_t)__builtin_return_address(0);
	now[cpu].s.part = 0;
	now[cpu].what = why;
	now[cpu].cmd = 0;
	now[cpu].began = now[cpu].part_began = rdtsc();
}

void stretch_does(const char *what, uint64_t cmd)
{
	unsigned int cpu = cpu_id();

	end_part(cpu);
	now[cpu].what = what;
	now[cpu].cmd = cmd;
	now[cpu].part_began = rdtsc();
}

static void print_row(const struct stretch *s)
{
	char from[NAME_SIZE], to[NAME_SIZE], cmd[NAME_SIZE];
	uint64_t offset;

	if (symbol_lookup(s->cmd, &offset))
		symbol_format(cmd, sizeof(cmd), s->cmd);
	else
		snprintf(cmd, sizeof(cmd), "%lu", s->cmd);
	printk("  stretch %lu over %lu times: d%u, %s %s (%lu), %s -> %s\n", s->longest, s->over,
	       s->domid, s->what ? s->what : "?", cmd, s->part,
	       symbol_format(from, sizeof(from), s->from), symbol_format(to, sizeof(to), s->to));
}

/* Longest first; what was printed is forgotten. */
static void print_rows(void)
{
	struct stretch *most;

	for (unsigned int n = 0; n < SHOWN; n++) {
		most = &rows[0];
		for (unsigned int i = 1; i < ROWS; i++)
			if (rows[i].longest > most->longest)
				most = &rows[i];
		if (!most->longest)
			break;
		print_row(most);
		most->longest = 0;
	}
	memset(rows, 0, sizeof(rows));
}

static void key_stretches(char key)
{
	(void)key;
	if (!PLINTH_STRETCH) {
		printk("  not measured by this image (make STRETCH=1)\n");
		return;
	}
	while (__atomic_exchange_n(&busy, true, __ATOMIC_ACQUIRE))
		cpu_relax();
	printk("  may have %lu instructions; the longest since the last time:\n",
	       (uint64_t)STRETCH_BOUND);
	print_rows();
	__atomic_store_n(&busy, false, __ATOMIC_RELEASE);
	stretch_begin("debug key");
}
DEBUG_KEY('s', key_stretches, "longest stretches with interrupts off");
