// SPDX-License-Identifier: GPL-2.0-or-later
/* One run of the model on a machine of its own. */
#include "model.h"

#define AUDIT_EVERY 8U

bool model_run(unsigned int pool_pages, uint64_t steps);

bool model_run(unsigned int pool_pages, uint64_t steps)
{
	machine_start();
	model_start(pool_pages);
	for (uint64_t i = 0; i < steps; i++) {
		model_step();
		if (!(i % AUDIT_EVERY))
			model_audit();
	}
	host_printf(
		"%lu steps: translated %lu injected %lu emulated %lu memory %lu again %lu races %lu\n",
		model.ops, model.translated, model.injected, model.emulated, model.memory,
		model.again, model.races);
	model_stop();
	machine_stop();
	return true;
}
