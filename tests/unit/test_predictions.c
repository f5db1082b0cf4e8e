/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which CPUs can keep branch predictions apart, and how: leaves of CPUs as their vendors describe them. */
#include "cpu.h"
#include "lib.h"
#include "predictions.h"
#include "unit.h"

struct host_cpu host_cpu;

#define F7_IBRS_IBPB	BIT(26)
#define F7_ARCH_CAPS	BIT(29)
#define ARCH_IBRS_ALL	BIT(1)
#define E8_IBPB		BIT(12)
#define E8_IBRS		BIT(14)
#define E21_LFENCE_AUTO (BIT(2) | BIT(8))

TEST(predictions_by_cpu)
{
	static const struct {
		struct prediction_facts f;
		struct prediction_ways w;
	} cpus[] = {
		/* microcode older than 2018 */
		{ { 0 }, { IBRS_NONE, false } },
		/* Skylake: IBRS, but not the kind that is set once; an immunity to something else changes nothing */
		{ { .f7_edx = F7_IBRS_IBPB | F7_ARCH_CAPS, .arch_caps = BIT(3) },
		  { IBRS_NONE, true } },
		/* Cascade Lake and later */
		{ { .f7_edx = F7_IBRS_IBPB | F7_ARCH_CAPS, .arch_caps = BIT(0) | ARCH_IBRS_ALL },
		  { IBRS_ENHANCED, true } },
		/* Zen 1 to 3 */
		{ { .e8_ebx = E8_IBPB }, { IBRS_NONE, true } },
		{ { .e8_ebx = E8_IBPB | E8_IBRS, .e21_eax = BIT(2) }, { IBRS_NONE, true } },
		/* Zen 4 */
		{ { .e8_ebx = E8_IBPB | E8_IBRS, .e21_eax = E21_LFENCE_AUTO },
		  { IBRS_AUTOMATIC, true } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cpus); i++) {
		struct prediction_ways w = prediction_ways_of(&cpus[i].f);

		EXPECT(w.ibrs == cpus[i].w.ibrs);
		EXPECT(w.ibpb == cpus[i].w.ibpb);
	}
}
