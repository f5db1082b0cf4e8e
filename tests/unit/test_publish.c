/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Grace periods: three CPUs, of which the test is one at a time. */
#include "publish.h"
#include "cpu.h"
#include "unit.h"

#define CPUS 3U

struct cpu unit_cpu;
unsigned int nr_cpus = CPUS;
static unsigned int raised[CPUS];

void cpu_raise(unsigned int cpu, uint32_t softirq)
{
	EXPECT(softirq == SOFTIRQ_GRACE);
	if (cpu < CPUS)
		raised[cpu]++;
}

static void pass(unsigned int cpu)
{
	unit_cpu.id = cpu;
	grace_pass();
	unit_cpu.id = 0;
}

TEST(grace_is_over_when_every_cpu_has_passed)
{
	grace_t g;

	memset(raised, 0, sizeof(raised));
	for (unsigned int cpu = 0; cpu < CPUS; cpu++)
		pass(cpu); /* before: does not count */
	g = grace_start();
	for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
		EXPECT(raised[cpu] == 1);
		EXPECT(!grace_over(g));
		pass(cpu);
		pass(cpu);
	}
	EXPECT(grace_over(g));
	EXPECT(grace_over((grace_t){ 0 }));
}

TEST(grace_periods_overlap)
{
	grace_t first = grace_start(), second;

	pass(0);
	pass(1);
	second = grace_start();
	pass(2);
	EXPECT(grace_over(first));
	EXPECT(!grace_over(second));
	pass(1);
	EXPECT(!grace_over(second));
	pass(0);
	EXPECT(grace_over(second));
}

/* Any order of beginnings and passes, beside a list of who has passed since. */
TEST(grace_random)
{
	struct {
		grace_t g;
		uint32_t missing;
	} open[8] = { 0 };

	for (unsigned int round = 0; round < 20000; round++) {
		unsigned int i = unit_random() % 8, cpu = unit_random() % CPUS;

		if (!open[i].missing && unit_random() % 2) {
			open[i].g = grace_start();
			open[i].missing = (1U << CPUS) - 1;
		} else {
			pass(cpu);
			for (unsigned int k = 0; k < 8; k++)
				open[k].missing &= ~(1U << cpu);
		}
		for (unsigned int k = 0; k < 8; k++)
			EXPECT(grace_over(open[k].g) == !open[k].missing);
	}
}
