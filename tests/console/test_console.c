// SPDX-License-Identifier: GPL-2.0-or-later
/* The console: who waits for the line (nobody), what comes out of it, in which order, and that nothing is lost at the end. */
#include "world.h"

#define LINE_MS(chars) ((chars)*86805ULL / 1000000 + 1) /* what the line needs for so many */
#define FEW	       8				/* looks at the UART of one message */

static unsigned int hooks;

static void count_hook(void)
{
	hooks++;
}

static void print_lines(unsigned int from, unsigned int to)
{
	for (unsigned int i = from; i < to; i++)
		printk("line %u of the log\n", i);
}

/* The lines are there, each once, one after the other. */
static void expect_lines(const char *sent, unsigned int from, unsigned int to)
{
	char line[32];

	for (unsigned int i = from; i < to; i++) {
		const char *at;

		snprintf(line, sizeof(line), "line %u of the log\n", i);
		at = strstr(sent, line);
		EXPECT(at);
		if (!at)
			return;
		EXPECT(!strstr(at + 1, line));
		sent = at;
	}
}

static void slow_line(void)
{
	uint64_t start;

	world_start("console=com1");
	start = now_ns();
	print_lines(0, 200);
	EXPECT(uart.looks <= 200 * FEW + 32);
	EXPECT(now_ns() - start < NS_PER_MS);
	EXPECT(uart.len < 64);
	world_pass(NS_PER_MS * 2 * LINE_MS(200 * 24));
	expect_lines(world_sent(), 0, 200);
	EXPECT(!uart.overruns);
	/* When all is out, no timer runs but that of the input, slow as nobody types. */
	world_pass(NS_PER_SEC * 2);
	uart.looks = 0;
	world_pass(NS_PER_SEC);
	EXPECT(uart.looks <= 60);
}

TEST(nobody_waits_for_a_slow_line)
{
	unit_isolated(slow_line);
}

static void no_fifo(void)
{
	uart.fifo = 1;
	world_early("console=com1");
	EXPECT(uart.fifo == 16);
	uart.fifo = 1;
	serial_init();
	uart.len = 0;
	console_start_timers();
	print_lines(0, 20);
	world_pass(NS_PER_MS * 20 * 24 * 2);
	expect_lines(world_sent(), 0, 20);
	EXPECT(!uart.overruns);
	EXPECT(world_count(uart.sent, "\r\n") == 20);
}

TEST(uart_without_fifo)
{
	unit_isolated(no_fifo);
}

static void emulator(void)
{
	uart.instant = true;
	world_start("console=com1");
	print_lines(0, 100);
	expect_lines(world_sent(), 0, 100); /* no need to wait */
}

TEST(fast_line_is_used)
{
	unit_isolated(emulator);
}

static void boot(void)
{
	world_early("console=com1");
	print_lines(0, 100);
	expect_lines(world_sent(), 0, 100);
	EXPECT(!uart.overruns);
}

TEST(before_timers_text_waits)
{
	unit_isolated(boot);
}

static void sync(void)
{
	world_start("console=com1 sync_console");
	print_lines(0, 100);
	expect_lines(world_sent(), 0, 100);
	EXPECT(!uart.overruns);
}

TEST(option_sync_console)
{
	unit_isolated(sync);
}

static void flood(unsigned int lines)
{
	for (unsigned int i = 0; i < lines; i++)
		guest_printk("<2>d7: I am a guest and I fill the line %u\n", i);
}

/* Guests never stop, and yet the log's lines and domain 0's text come through, soon. */
static void guests_flood(void)
{
	static char much[3000];
	const char *sent;
	size_t n = 0;

	world_start("console=com1 guest_loglvl=all");
	memset(much, '@', sizeof(much));
	for (unsigned int i = 0; i < 200; i++) {
		flood(100);
		if (i == 50)
			print_lines(0, 3);
		if (i >= 50 && n < sizeof(much))
			n += console_dom0_write(much + n, sizeof(much) - n);
		world_pass(10 * NS_PER_MS);
	}
	EXPECT(n == sizeof(much));
	sent = world_sent();
	expect_lines(sent, 0, 3);
	EXPECT(world_count(sent, "@") == sizeof(much));
	EXPECT(world_count(sent, "I am a guest") > 100);
	EXPECT(strstr(sent, "characters are only in the log"));
	/* The line is busy all the time, but the queue before the log's lines was short: 8 KiB are 0.7 s. */
	EXPECT(strstr(sent, "line 0 of") - sent < 1200 * 12);
}

TEST(guests_do_not_fill_the_line)
{
	unit_isolated(guests_flood);
}

static void dom0_text(void)
{
	static char text[60000];
	size_t done = 0, n;
	unsigned int rounds = 0;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 64 == 63 ? '\n' : (char)('a' + i * 7 % 26);
	world_start("console=com1");
	while (done < sizeof(text)) {
		uart.looks = 0;
		n = console_dom0_write(text + done, min(sizeof(text) - done, (size_t)256));
		EXPECT(uart.looks <= 64);
		done += n;
		if (n < 256)
			world_pass(NS_PER_MS);
		EXPECT(++rounds < 20000);
	}
	printk("after it\n");
	world_pass(NS_PER_SEC * 6);
	EXPECT(!strncmp(world_sent(), text, sizeof(text)));
	EXPECT(!strcmp(world_sent() + sizeof(text), "after it\n"));
}

TEST(dom0_loses_nothing)
{
	unit_isolated(dom0_text);
}

static void level_none(void)
{
	world_start("console=com1 guest_loglvl=none");
	guest_printk("<0>a guest's error\n");
	flood(10);
	printk("a line\n");
	world_pass(NS_PER_SEC);
	EXPECT(!strcmp(world_sent(), "a line\n"));
}

static void level_default(void)
{
	world_start("console=com1");
	guest_printk("<1>a guest's warning\n");
	flood(10);
	world_pass(NS_PER_SEC);
	EXPECT(!strcmp(world_sent(), "a guest's warning\n"));
}

TEST(levels_of_guests)
{
	unit_isolated(level_none);
	unit_isolated(level_default);
}

static void log_overflows(void)
{
	char tail[512];
	uint32_t at = 0, n;

	world_start("console=com1");
	for (unsigned int i = 0; i < 5000; i++) {
		print_lines(i, i + 1);
		EXPECT(uart.looks < (i + 1) * FEW + 32);
	}
	while ((n = log_read(&at, true, false, tail, sizeof(tail) - 1)) == sizeof(tail) - 1)
		;
	tail[n] = '\0';
	EXPECT(strstr(tail, "line 4999 of the log\n"));
	world_pass(NS_PER_SEC * 20);
	print_lines(5000, 5001);
	world_pass(NS_PER_SEC);
	EXPECT(world_count(world_sent(), "characters are only in the log") == 1);
	expect_lines(world_sent(), 0, 2000);
	expect_lines(world_sent(), 5000, 5001);
}

/* `xl dmesg -c` reads in pieces, and each one is forgotten: no less, and nothing that came meanwhile. */
static void log_is_cleared(void)
{
	char piece[1000], text[20000];
	uint32_t at = 0, n, len = 0;

	world_start("console=com1");
	print_lines(0, 300);
	while ((n = log_read(&at, true, true, piece, sizeof(piece))) && len + n < sizeof(text)) {
		memcpy(text + len, piece, n);
		len += n;
	}
	text[len] = '\0';
	expect_lines(text, 0, 300);
	print_lines(300, 301);
	n = log_read(&at, false, false, piece, sizeof(piece) - 1);
	piece[n] = '\0';
	EXPECT(!strcmp(piece, "line 300 of the log\n"));
}

TEST(log_that_is_read_and_cleared)
{
	unit_isolated(log_is_cleared);
}

TEST(log_that_outruns_the_line)
{
	unit_isolated(log_overflows);
}

static void dies(void)
{
	world_start("console=com1");
	print_lines(0, 1000);
	EXPECT(!strstr(world_sent(), "line 999 "));
	log_bust_locks();
	printk("PANIC: the end\n");
	expect_lines(world_sent(), 0, 1000);
	EXPECT(strstr(world_sent(), "line 999 of the log\nPANIC: the end\n"));
	EXPECT(!uart.overruns);
}

TEST(panic_prints_what_waits)
{
	unit_isolated(dies);
}

static void resets(void)
{
	world_start("console=com1");
	print_lines(0, 1000);
	log_flush();
	expect_lines(world_sent(), 0, 1000);
	EXPECT(!world_locks && !uart.overruns);
}

TEST(reset_waits_for_the_line)
{
	unit_isolated(resets);
}

/* While one CPU panics, the others' timers and messages leave the line and its queue alone. */
static void others_meanwhile(void)
{
	size_t len;

	world_start("console=com1");
	print_lines(0, 1000);
	log_bust_locks();
	len = uart.len;
	world_cpu(1);
	printk("another CPU has something to say\n");
	EXPECT(console_dom0_write("dom0\n", 5) == 5);
	log_flush();
	world_pass(NS_PER_SEC);
	EXPECT(uart.len == len);
	world_cpu(0);
	printk("PANIC: the end\n");
	EXPECT(strstr(world_sent(), "line 999 of the log\nPANIC: the end\n"));
}

TEST(one_cpu_prints_the_panic)
{
	unit_isolated(others_meanwhile);
}

/* Whoever reads the line goes away: domain 0 is held up for a second, once, and text comes again with the reader. */
static void reader_goes(void)
{
	static char text[200000];
	size_t done = 0;
	uint64_t start;

	memset(text, '@', sizeof(text));
	world_start("console=com1");
	print_lines(0, 10);
	world_pass(NS_PER_SEC);
	uart.stuck = true;
	start = now_ns();
	while (done < sizeof(text) && now_ns() - start < 10 * NS_PER_SEC) {
		done += console_dom0_write(text + done, min(sizeof(text) - done, (size_t)256));
		world_pass(NS_PER_MS);
	}
	EXPECT(done == sizeof(text));
	EXPECT(now_ns() - start < 3 * NS_PER_SEC);
	uart.stuck = false;
	world_pass(NS_PER_SEC);
	print_lines(10, 20);
	world_pass(NS_PER_SEC);
	print_lines(20, 30);
	world_pass(NS_PER_SEC);
	expect_lines(world_sent(), 20, 30);
	EXPECT(strstr(world_sent(), "characters are only in the log"));
}

TEST(dead_line_does_not_stop_domain_0)
{
	unit_isolated(reader_goes);
}

/* Somebody pulled the cable of a line with flow control: the panic gets to its end. */
static void dead_line(void)
{
	world_start("console=com1");
	print_lines(0, 1000);
	uart.stuck = true;
	uart.looks = 0;
	log_bust_locks();
	printk("PANIC: the end\n");
	EXPECT(uart.looks < 1000000);
	uart.stuck = false;
}

TEST(dead_line_does_not_stop_a_panic)
{
	unit_isolated(dead_line);
}

static void stuck_key(void)
{
	world_start("console=com1");
	uart.types = true;
	uart.looks = 0;
	world_pass(21 * NS_PER_MS);
	EXPECT(uart.looks < 500);
}

TEST(stuck_key_does_not_stop_the_host)
{
	unit_isolated(stuck_key);
}

static void hook(void)
{
	world_start("console=com1");
	world_pass(NS_PER_SEC);
	console_output_hook = count_hook;
	print_lines(0, 3);
	world_pass(NS_PER_SEC);
	EXPECT(hooks == 1);
	console_dom0_write("dom0's own\n", 11); /* not in the log */
	world_pass(NS_PER_SEC);
	EXPECT(hooks == 1);
}

TEST(dom0_is_told_of_the_log)
{
	unit_isolated(hook);
}

/* What a debug key prints goes in pieces; guests and timers have the CPU in between. */
static void keys(void)
{
	world_start("console=com1");
	world_pass(NS_PER_SEC);
	world_key_pieces = 50;
	console_debug_key('v');
	console_debug_key('q');
	for (unsigned int i = 0; i < 10; i++)
		world_loop();
	EXPECT(world_keys == 1);
	world_pass(2 * NS_PER_MS);
	EXPECT(world_keys == 1);
	world_pass(NS_PER_SEC);
	EXPECT(world_keys == 2);
}

TEST(debug_keys_print_in_pieces)
{
	unit_isolated(keys);
}
