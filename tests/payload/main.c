// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Order of events: find the platform, run what the command line asks for (tests=GROUP[,GROUP..],
 * skip=GROUP.., hostile=KIND, bench=1), print the result lines, power off. A test's name starts
 * with its group: "msr: PAT".
 */
#include "payload.h"

extern const struct test tests_start[], tests_end[];
static char reason[200];
static bool reason_is_skip;
static unsigned int passed, failed, skipped;
static const struct test *current;
static unsigned int number;

void payload_main(u32 magic, u32 info);
/* bench.elf brings its own; the test images do not measure. */
void __attribute__((weak)) bench_main(void)
{
	print("this image has no benchmarks\n");
}

const char *test_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprint(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	reason_is_skip = false;
	return reason;
}

const char *test_skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprint(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	reason_is_skip = true;
	return reason;
}

/* True when the group of the name is in the comma-separated list. */
static bool in_list(const char *list, const char *name)
{
	size_t n;

	while (*list) {
		for (n = 0; list[n] && list[n] != ','; n++)
			;
		if (!strncmp(name, list, n) && name[n] == ':')
			return true;
		list += n + (list[n] == ',');
	}
	return false;
}

/* What every test may count on: no interrupts, masked PICs, enabled local APIC, lowest priority. */
static void settle(void)
{
	irq_off();
	if (!IS_64BIT) {
		write_cr0(read_cr0() & ~(ulong)X86_CR0_PG);
		write_cr4(read_cr4() & ~(ulong)(X86_CR4_PAE | X86_CR4_PSE | X86_CR4_PGE));
	}
	pic_init(0x20, 0x28);
	lapic_enable();
	trap.armed = 0;
	page_reset();
}

static void run_one(void)
{
	const char *why;

	number++;
	settle();
	reason_is_skip = false;
	if (!trap_setjmp(&trap_outer))
		why = current->run();
	else
		why = test_fail("exception %d error %lx at %lx", trap.vector, trap.error, trap.ip);
	irq_off();
	if (!why) {
		passed++;
		print("ok %u - %s\n", number, current->name);
	} else if (reason_is_skip) {
		skipped++;
		print("skip %u - %s: %s\n", number, current->name, why);
	} else {
		failed++;
		print("not ok %u - %s: %s\n", number, current->name, why);
	}
}

static void run_tests(void)
{
	char only[64] = "", skip[64] = "";
	bool some = cmdline_word("tests", only, sizeof(only));

	cmdline_word("skip", skip, sizeof(skip));
	for (current = tests_start; current < tests_end; current++) {
		if ((some && !in_list(only, current->name)) || in_list(skip, current->name))
			continue;
		run_one();
	}
	print("PAYLOAD: %u passed, %u failed, %u skipped\n", passed, failed, skipped);
}

void payload_main(u32 magic, u32 info)
{
	char kind[16];

	trap_init();
	platform_init(magic, info);
	print("\nPAYLOAD: started, %u bits, by %s, options \"%s\"\n", IS_64BIT ? 64 : 32,
	      magic == 0x2badb002 ? "multiboot" : "PVH", plat.cmdline);
	pic_init(0x20, 0x28);
	lapic_enable();
	platform_calibrate();
	print("# %s%s%s, TSC %lu kHz%s%s%s%s%s\n", plat.is_xen ? "Xen" : "no Xen",
	      plat.is_tcg ? ", QEMU TCG" : "", plat.is_amd ? ", AMD" : "",
	      (ulong)div_u64(plat.tsc_hz, 1000), plat.has_pic ? ", PIC" : "",
	      plat.has_ioapic ? ", IO-APIC" : "", plat.has_hpet ? ", HPET" : "",
	      plat.has_rtc ? ", RTC" : "", plat.has_vga ? ", VGA" : "");
	if (cmdline_word("hostile", kind, sizeof(kind)))
		hostile_main(kind);
	else if (cmdline_number("bench", 0))
		bench_main();
	else
		run_tests();
	power_off();
}
