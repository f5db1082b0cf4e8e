/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of debug keys and those that belong to no other file. */
#include "debug.h"
#include "mm.h"
#include "vmm/cpu/cpu.h"

extern const struct debug_key _debug_keys_start[], _debug_keys_end[];

void debug_key_run(char key)
{
	for (const struct debug_key *k = _debug_keys_start; k < _debug_keys_end; k++) {
		if (k->key == key) {
			printk("'%c' pressed: %s\n", key, k->help);
			k->fn(key);
			return;
		}
	}
	printk("'%c': no such debug key; 'h' lists them\n", key >= ' ' && key <= '~' ? key : '?');
}

static void key_help(char key)
{
	(void)key;
	for (unsigned int c = ' '; c <= '~'; c++)
		for (const struct debug_key *k = _debug_keys_start; k < _debug_keys_end; k++)
			if (k->key == (char)c)
				printk("  %c  %s\n", k->key, k->help);
}
DEBUG_KEY('h', key_help, "this list");

static void key_timers(char key)
{
	unsigned int cpu;

	(void)key;
	for_each_cpu(cpu) {
		printk("CPU %u: APIC ID %u, %lu exits, idle %lu ms\n", cpu, cpus[cpu]->apic_id,
		       cpus[cpu]->exits, (uint64_t)(cpus[cpu]->idle_ns / NS_PER_MS));
		timers_dump_cpu(cpu);
	}
}
DEBUG_KEY('a', key_timers, "CPUs and their timers");

static void key_memory(char key)
{
	(void)key;
	printk("  %lu pages of RAM, %lu free, %lu claimed\n", total_page_count(), free_page_count(),
	       outstanding_claims());
}
DEBUG_KEY('m', key_memory, "memory of the machine");

static void key_time(char key)
{
	uint64_t ms = now_ns() / NS_PER_MS, sec = ms / 1000;

	(void)key;
	printk("  up %lu.%03lu s, TSC %lx at %lu kHz, wall clock %lu\n", sec, ms % 1000, rdtsc(),
	       tsc_khz, wallclock_sec_at_boot + sec);
}
DEBUG_KEY('t', key_time, "time");

static void key_reboot(char key)
{
	(void)key;
	printk("Resetting the machine\n");
	machine_restart();
}
DEBUG_KEY('R', key_reboot, "reset the machine at once");
