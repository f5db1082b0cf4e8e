/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of debug keys and those that belong to no other file. */
#include "internal.h"
#include "mm.h"
#include "vmm/cpu/cpu.h"

extern const struct debug_key _debug_keys_start[], _debug_keys_end[];

bool debug_key_run(char key, struct key_walk *w)
{
	for (const struct debug_key *k = _debug_keys_start; k < _debug_keys_end; k++) {
		if (k->key != key)
			continue;
		if (!w->begun)
			printk("'%c' pressed: %s\n", key, k->help);
		w->begun = true;
		if (k->piece)
			return k->piece(w);
		k->fn(key);
		return false;
	}
	printk("'%c': no such debug key; 'h' lists them\n", key >= ' ' && key <= '~' ? key : '?');
	return false;
}

static bool key_help(struct key_walk *w)
{
	unsigned int from = ' ' + w->at, lines = 0;

	for (unsigned int c = from; c <= '~' && lines < KEY_LINES; c++, w->at++)
		for (const struct debug_key *k = _debug_keys_start; k < _debug_keys_end; k++)
			if (k->key == (char)c) {
				printk("  %c  %s\n", k->key, k->help);
				lines++;
			}
	return ' ' + w->at <= '~';
}
DEBUG_KEY_PIECES('h', key_help, "this list");

static bool key_timers(struct key_walk *w)
{
	const struct cpu *c = cpus[w->id];

	if (!w->at)
		printk("CPU %u: APIC ID %u, idle %lu ms\n", c->id, c->apic_id,
		       (uint64_t)(c->idle_ns / NS_PER_MS));
	if (timers_dump_cpu(c->id, w->at, KEY_LINES)) {
		w->at += KEY_LINES;
		return true;
	}
	w->at = 0;
	return ++w->id < nr_cpus;
}
DEBUG_KEY_PIECES('a', key_timers, "CPUs and their timers");

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
