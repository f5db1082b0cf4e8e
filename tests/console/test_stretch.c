// SPDX-License-Identifier: GPL-2.0-or-later
/* The instrument for stretches with interrupts off: a long one is seen, named by what it did, and the longest are kept. */
#include "world.h"
#include "debug.h"
#include "stretch.h"

extern const struct debug_key __start_test_keys[], __stop_test_keys[];

static uint64_t ticks = 1000;
uint64_t world_tsc_step;

uint64_t rdtsc(void)
{
	ticks += world_tsc_step;
	return ticks;
}

const char *symbol_lookup(uint64_t addr, uint64_t *offset)
{
	*offset = 0;
	return addr == 0xf00 ? "some_timer" : NULL;
}

const char *symbol_format(char *buf, size_t size, uint64_t addr)
{
	snprintf(buf, size, "%s", addr == 0xf00 ? "some_timer" : "place");
	return buf;
}

/* What key s prints, since the last time. */
static const char *shown(void)
{
	uart.len = 0;
	for (const struct debug_key *k = __start_test_keys; k < __stop_test_keys; k++)
		if (k->key == 's')
			k->fn('s');
	world_pass(NS_PER_SEC * 2);
	return world_sent();
}

static void one(const char *exit, const char *what, uint64_t cmd, uint64_t length)
{
	stretch_begin(exit);
	ticks += 100;
	stretch_doing(what, cmd);
	ticks += length;
	stretch_doing("deferred work", 2);
	ticks += 50;
	stretch_end();
	ticks += 1000000; /* the guest's */
}

static void seen(void)
{
	const char *text;

	world_start("console=com1");
	stretch_end(); /* the first entry: nothing began before */
	one("hypercall", "memory_op", 6, 300000);
	one("hypercall", "memory_op", 6, 250000);
	one("hypercall", "memory_op", 6, 1000);
	one("hypercall", "domctl", 3, 199000);
	one("interrupt", "timer", 0xf00, 10000);
	one("interrupt", "timer", 0xf00, 400);
	text = shown();
	EXPECT(strstr(text,
		      "stretch 300150 over 2 times: d0, memory_op 6 (300000), place -> place\n"));
	EXPECT(strstr(text,
		      "stretch 199150 over 0 times: d0, domctl 3 (199000), place -> place\n"));
	EXPECT(strstr(
		text,
		"stretch 10150 over 0 times: d0, timer some_timer (10000), place -> place\n"));
	EXPECT(strstr(text, "memory_op") < strstr(text, "domctl"));
	EXPECT(world_count(text, "stretch ") == 3);
	/* Printed is forgotten, and the guest's own time counts for nothing. */
	EXPECT(!strstr(shown(), "stretch "));
}

TEST(long_stretch_is_seen)
{
	unit_isolated(seen);
}

static void many(void)
{
	const char *text;

	world_start("console=com1");
	for (unsigned int i = 0; i < 500; i++)
		one("exit", "command", i, 10000 + i * 7 % 500 * 100);
	text = shown();
	EXPECT(world_count(text, "stretch ") == 24);
	EXPECT(strstr(text, "stretch 60050 ") && strstr(text, "stretch 57750 ") &&
	       !strstr(text, "stretch 57650 "));
}

TEST(longest_stretches_are_kept)
{
	unit_isolated(many);
}
