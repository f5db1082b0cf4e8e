// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A bound on how long a guest runs without an exit, by the VMX-preemption timer. Processors need none, because a
 * physical interrupt ends a run whatever the guest's IF is. An emulator that forgets interrupts while a guest
 * has IF clear needs it: else such a guest keeps its CPU from the scheduler and from the calls of other CPUs. A guest
 * that exits before, which begins the timer anew, is bounded by the passes that vcpu_resume() counts.
 *
 * The timer counts down from its field at each entry, at the TSC's rate shifted right by as many bits as
 * IA32_VMX_MISC says. Nobody saves it at exits, so the field keeps its value and entries cost nothing more.
 * SDM volume 3, 25.5.1 and A.6.
 */
#include "vmx.h"
#include "boot.h"
#include "timer.h"

#define MISC_RATE(m) ((unsigned int)(m)&0x1f)
#define US_PER_MS    1000U
#define LIMIT_MAX_US 1000000U

static uint64_t limit_us;

static int parse_run_limit(const char *value)
{
	uint64_t us = 0;

	for (; *value; value++) {
		if (*value < '0' || *value > '9')
			return -EINVAL;
		us = us * 10 + (uint64_t)(*value - '0');
		if (us > LIMIT_MAX_US)
			return -EINVAL;
	}
	limit_us = us;
	return 0;
}
BOOT_OPTION(vmx_run_limit_us, "vmx-run-limit-us", parse_run_limit,
	    "end each run of a guest after so many microseconds (default: 0, never)");

/* Once, before the first VMCS is made; asks for nothing where the CPU has no such timer. */
void vmx_preempt_init(void)
{
	if (!limit_us)
		return;
	if (!vmx_controls.preemption_timer) {
		printk(LOG_WARN "VT-x: vmx-run-limit-us: this CPU has no preemption timer\n");
		return;
	}
	vmx_controls.pin |= PIN_PREEMPTION_TIMER;
	printk(LOG_INFO "VT-x: guests run at most %lu us at a time\n", limit_us);
}

/* The VMCS is loaded. */
void vmx_preempt_vcpu_init(void)
{
	uint64_t ticks = limit_us * tsc_khz / US_PER_MS >> MISC_RATE(rdmsr(MSR_VMX_MISC));

	if (vmx_controls.pin & PIN_PREEMPTION_TIMER)
		vmwrite(PREEMPTION_TIMER, min(max(ticks, (uint64_t)1), (uint64_t)~0U));
}
