// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs the tests and counts; libc's side of the harness, and QEMU at the end of a pair of pipes
 * (qtest).
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void test_pit(void), test_rtc(void), test_pm(void), test_hpet(void), test_pic(void),
	test_ioapic(void);
void test_save(void), test_lapic_id(void), test_pit_details(void), test_rtc_divider(void);
void test_unseen(void);
void test_lapic_timer(void);
bool test_qemu(void);
void check_that(bool ok, const char *file, int line, const char *what);
void check_equal(uint64_t a, uint64_t b, const char *file, int line, const char *what);
void say(const char *fmt, ...);
void printk(const char *fmt, ...);
void panic(const char *fmt, ...);
void *xzalloc_bytes(size_t size);
void xfree(void *p);
bool qtest_start(void);
void qtest_stop(void);
uint8_t qtest_inb(uint16_t port);
void qtest_outb(uint16_t port, uint8_t v);

static bool failed;
static pid_t qemu;
static FILE *to_qemu, *from_qemu;

void check_that(bool ok, const char *file, int line, const char *what)
{
	if (!ok)
		fprintf(stderr, "%s:%d: %s\n", file, line, what);
	failed |= !ok;
}

void check_equal(uint64_t a, uint64_t b, const char *file, int line, const char *what)
{
	if (a != b)
		fprintf(stderr, "%s:%d: %s: %#lx, %#lx\n", file, line, what, a, b);
	failed |= a != b;
}

void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
}

void printk(const char *fmt, ...)
{
	(void)fmt;
}

void panic(const char *fmt, ...)
{
	fprintf(stderr, "panic: %s\n", fmt);
	abort();
}

void *xzalloc_bytes(size_t size)
{
	return calloc(1, size);
}

void xfree(void *p)
{
	free(p);
}

bool qtest_start(void)
{
	int in[2], out[2];

	if (access("/usr/bin/qemu-system-x86_64", X_OK) || pipe(in) || pipe(out))
		return false;
	qemu = fork();
	if (!qemu) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		if (!freopen("/dev/null", "w", stderr))
			_exit(1);
		close(in[1]);
		execl("/usr/bin/qemu-system-x86_64", "qemu-system-x86_64", "-machine", "pc",
		      "-accel", "tcg", "-S", "-m", "32", "-display", "none", "-nodefaults",
		      "-qtest", "stdio", "-qtest-log", "/dev/null", "-rtc",
		      "base=2023-11-14T22:13:20,clock=vm", (char *)NULL);
		_exit(1);
	}
	close(in[0]);
	close(out[1]);
	to_qemu = fdopen(in[1], "w");
	from_qemu = fdopen(out[0], "r");
	return qemu > 0;
}

void qtest_stop(void)
{
	fclose(to_qemu);
	fclose(from_qemu);
	kill(qemu, SIGKILL);
	waitpid(qemu, NULL, 0);
}

static uint64_t command(const char *fmt, unsigned int a, uint64_t b)
{
	char line[256];

	fprintf(to_qemu, fmt, a, b);
	fflush(to_qemu);
	do {
		if (!fgets(line, sizeof(line), from_qemu)) {
			fprintf(stderr, "QEMU went away\n");
			exit(1);
		}
	} while (strncmp(line, "OK", 2));
	return line[2] == ' ' ? strtoull(line + 3, NULL, 0) : 0;
}

uint8_t qtest_inb(uint16_t port)
{
	return (uint8_t)command("inb %#x\n", port, 0);
}

void qtest_outb(uint16_t port, uint8_t v)
{
	command("outb %#x %#lx\n", port, v);
}

int main(void)
{
	static const struct {
		const char *name;
		void (*fn)(void);
	} tests[] = {
		{ "pit", test_pit },
		{ "pit_details", test_pit_details },
		{ "rtc", test_rtc },
		{ "rtc_divider", test_rtc_divider },
		{ "pm", test_pm },
		{ "hpet", test_hpet },
		{ "pic", test_pic },
		{ "ioapic", test_ioapic },
		{ "lapic_id", test_lapic_id },
		{ "save", test_save },
		{ "unseen", test_unseen },
		{ "lapic_timer", test_lapic_timer },
	};
	unsigned int passed = 0, bad = 0, skipped = 0;

	signal(SIGPIPE, SIG_IGN);
	for (unsigned int i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		failed = false;
		tests[i].fn();
		if (failed)
			fprintf(stderr, "FAILED: %s\n", tests[i].name);
		passed += !failed;
		bad += failed;
	}
	failed = false;
	if (!test_qemu()) {
		skipped++;
	} else {
		passed += !failed;
		bad += failed;
	}
	printf("check-devices: %u passed, %u failed, %u skipped\n", passed, bad, skipped);
	return bad ? 1 : 0;
}
