/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VMM's RTC behind the qtest protocol, for test programs: this half knows the device model's clock and
 * interrupt lines, qtest_rtc_vmm.c the VMM's interfaces.
 */
#include <time.h>

#include "core/machine.h"
#include "core/options.h"
#include "core/qtest_priv.h"
#include "core/timer.h"
#include "core/vmm.h"
#include "device-model/hw/qtest_rtc.h"

#define RTC_IRQ 8

static struct machine *machine;
static struct dm_timer timer;

static void timer_due(void *opaque)
{
	rtc_vmm_timer();
}

void qtest_vmm_start(struct machine *m)
{
	/* A restored RTC would come from the VMM's records, which are not here: it does without. */
	if (m->opt->incoming_fd >= 0)
		return;
	machine = m;
	dm_timer_init(&timer, DM_CLOCK_GUEST, timer_due, NULL);
	rtc_vmm_start((uint64_t)time(NULL));
}

bool qtest_vmm_port(uint16_t port, unsigned int size, bool write, uint32_t *value)
{
	return machine && rtc_vmm_port(port, size, write, value);
}

uint64_t rtc_host_now(void)
{
	return clock_ns();
}

void rtc_host_timer(uint64_t expires_ns)
{
	if (expires_ns == ~0ull)
		dm_timer_cancel(&timer);
	else
		dm_timer_set_ns(&timer, expires_ns);
}

void rtc_host_irq(int level)
{
	machine->vmm->set_isa_irq(machine, RTC_IRQ, level);
}
