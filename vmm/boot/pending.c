/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Weak stand-ins so that the platform links and boots by itself while domain/ and dom0/ land. */
#include "dom0.h"

#define __weak __attribute__((weak))

void __weak schedule(void)
{
}
void __weak vcpu_resume(struct vcpu *v)
{
	(void)v;
}
void __weak dom0_irq_arrived(uint8_t vector)
{
	(void)vector;
	lapic_eoi();
}
void __weak dom0_reserve_memory(void)
{
}
void __weak domain0_start(void)
{
	printk("No domain 0 in this build; idle.\n");
}
void __weak evtchn_dump(void)
{
}
