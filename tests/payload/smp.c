// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Application processors: started by INIT and SIPI (SDM vol. 3 section 8.4, MP 1.4 appendix B) at
 * a trampoline in low memory (smp_entry.S), then each waits for functions to run with interrupts
 * off.
 */
#include "payload.h"

#define AP_PAGE	   0x8000
#define STACK_SIZE 16384

extern const u8 ap_trampoline[], ap_trampoline_end[];
extern volatile u32 ap_count;
u8 ap_stacks[MAX_CPUS][STACK_SIZE] __attribute__((aligned(64)));

static struct ap {
	void (*volatile fn)(void *);
	void *volatile arg;
	volatile u32 apic_id, up;
} aps[MAX_CPUS];
static unsigned int cpus;

unsigned int smp_this_cpu(void)
{
	ulong sp = (ulong)__builtin_frame_address(0);
	ulong off = sp - (ulong)ap_stacks;

	return off < sizeof(ap_stacks) ? off / STACK_SIZE : 0;
}

u32 smp_apic_id(unsigned int cpu)
{
	return aps[cpu].apic_id;
}

/* Called by the trampoline on an AP's own stack. */
void ap_main(void);
void ap_main(void)
{
	struct ap *me = &aps[smp_this_cpu()];

	trap_load();
	lapic_enable();
	me->apic_id = lapic_id();
	me->up = 1;
	for (;;) {
		while (!me->fn)
			cpu_pause();
		me->fn(me->arg);
		barrier();
		me->fn = NULL;
	}
}

bool smp_call_start(unsigned int cpu, void (*fn)(void *), void *arg)
{
	if (cpu >= cpus || !aps[cpu].up || aps[cpu].fn)
		return false;
	aps[cpu].arg = arg;
	barrier();
	aps[cpu].fn = fn;
	return true;
}

bool smp_call_wait(unsigned int cpu, u32 us)
{
	return WAIT_FOR(!aps[cpu].fn, us);
}

bool smp_call(unsigned int cpu, void (*fn)(void *), void *arg)
{
	return smp_call_start(cpu, fn, arg) && smp_call_wait(cpu, 5000000);
}

/* All others at once: the number is not known without tables, and a PVH guest may have none. */
unsigned int smp_start(void)
{
	unsigned int i, wanted = plat.madt_cpus ? plat.madt_cpus : 1;

	if (cpus)
		return cpus;
	if (wanted > MAX_CPUS)
		wanted = MAX_CPUS;
	cpus = 1;
	aps[0].apic_id = lapic_id();
	aps[0].up = 1;
	ap_count = 1;
	memcpy((void *)AP_PAGE, ap_trampoline, ap_trampoline_end - ap_trampoline);
	lapic_ipi(0, 0xc4500);
	delay_us(10000);
	lapic_ipi(0, 0xc4600 | AP_PAGE >> 12);
	if (!WAIT_FOR(ap_count >= wanted, 2000))
		lapic_ipi(0, 0xc4600 | AP_PAGE >> 12);
	WAIT_FOR(ap_count >= wanted, wanted > 1 ? 3000000 : 20000);
	for (i = 1; i < ap_count && i < MAX_CPUS; i++)
		if (WAIT_FOR(aps[i].up, 2000000))
			cpus++;
	return cpus;
}
