/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Console: the log's sink, which brings its text through output.c to the serial line and the screen; dom0's
 * hvc0 output; typed input for dom0 or, after Ctrl-A three times, for the debug keys. The serial line is
 * polled, because its interrupt belongs to dom0's IO-APIC. The log's lock guards all of it.
 */
#include "boot.h"
#include "internal.h"
#include "debug.h"
#include "log.h"
#include "timer.h"

#define INPUT_SIZE   256U
#define INPUT_PIECE  64U /* characters of one look at the line */
#define KEYS_SIZE    16U
#define SWITCH_CHAR  0x01 /* Ctrl-A */
#define SWITCH_COUNT 3U
#define POLL_IDLE_NS (200 * NS_PER_MS)
#define POLL_BUSY_NS (1 * NS_PER_MS)
#define BUSY_FOR_NS  (2 * NS_PER_SEC)
#define KEY_PIECE_NS (100 * NS_PER_US) /* from one piece of a key's printing to the next */

void (*console_output_hook)(void);
void (*console_input_hook)(void);

static char input[INPUT_SIZE];
static uint32_t input_start, input_end; /* lock */
static char keys[KEYS_SIZE];
static uint32_t keys_start, keys_end; /* lock */
static char key_now;		      /* its printing goes on; CPU 0's */
static struct key_walk key_walk;
static struct timer key_timer = TIMER_INIT(NULL, NULL);

static bool use_serial = true, use_screen = true, serial_up, screen_up, keep_screen;
static bool sync_console;
static bool pieces;   /* text goes out in pieces: timers run */
static bool log_grew; /* atomic: the output hook is to be called */
static struct timer piece_timer;
static bool input_to_vmm = true; /* until dom0 runs */
static unsigned int switch_seen;
static uint64_t last_input_ns;
static struct timer poll_timer;

static int parse_console(const char *value)
{
	use_serial = use_screen = false;
	while (*value) {
		size_t n = 0;

		while (value[n] && value[n] != ',')
			n++;
		if (n == 4 && !strncmp(value, "com1", n))
			use_serial = true;
		else if (n == 3 && !strncmp(value, "vga", n))
			use_screen = true;
		else if (n != 4 || strncmp(value, "none", n) != 0)
			return -EINVAL;
		value += n + (value[n] == ',');
	}
	return 0;
}
BOOT_OPTION(console, "console", parse_console, "com1, vga, none: where messages go (com1,vga)");

static int parse_vga(const char *value)
{
	keep_screen = !strcmp(value, "keep");
	return keep_screen ? 0 : -EINVAL;
}
BOOT_OPTION(vga, "vga", parse_vga, "keep: go on writing to the screen when dom0 runs");

static int parse_sync_console(const char *value)
{
	return parse_bool(value, &sync_console);
}
BOOT_OPTION(sync_console, "sync_console", parse_sync_console,
	    "text waits for the serial line: slow, but complete when the host hangs");

/* What goes out at once. True: the rest is for the run loop (console_run_keys). The lock is held. */
static bool send_some(void)
{
	if (log_is_mute())
		return false;
	if (pieces && !sync_console && !log_is_last())
		return output_piece();
	output_all();
	return false;
}

static bool show_text(enum log_from from, const char *buf, size_t len)
{
	if (!log_is_mute())
		output_text(from, buf, len);
	return send_some();
}

static void log_has_grown(bool locked, bool more)
{
	if (console_output_hook)
		WRITE_ONCE(log_grew, true);
	if (locked && (console_output_hook || more))
		this_cpu_raise(SOFTIRQ_KEY);
}

static const struct log_sink sink = { show_text, log_has_grown, output_all };

size_t console_dom0_write(const char *buf, size_t len)
{
	bool locked = log_lock(), more;
	size_t n = log_is_mute() ? len : output_some(LOG_DOM0, buf, len);

	more = send_some();
	if (n < len && !more) { /* the line takes text as fast as it comes */
		n += output_some(LOG_DOM0, buf + n, len - n);
		more = send_some();
	}
	log_unlock(locked);
	if (more)
		this_cpu_raise(SOFTIRQ_KEY);
	return n;
}

/* The next piece of what waits for the line: a timer of the first CPU. */
static void next_piece(void *unused)
{
	bool locked = log_lock(), more = send_some();

	(void)unused;
	log_unlock(locked);
	if (more)
		timer_set(&piece_timer, now_ns() + serial_piece_ns());
}

size_t console_dom0_read(char *buf, size_t max)
{
	bool locked = log_lock();
	size_t n = 0;

	while (n < max && input_start != input_end)
		buf[n++] = input[input_start++ % INPUT_SIZE];
	log_unlock(locked);
	return n;
}

void console_debug_key(char key)
{
	bool locked = log_lock();

	if (keys_end - keys_start < KEYS_SIZE)
		keys[keys_end++ % KEYS_SIZE] = key;
	log_unlock(locked);
	cpu_raise(0, SOFTIRQ_KEY);
}

/* The next key that was typed, if the one before is through; 0: none. */
static char next_key(void)
{
	bool locked = log_lock();

	if (!key_now && keys_start != keys_end) {
		key_now = keys[keys_start++ % KEYS_SIZE];
		memset(&key_walk, 0, sizeof(key_walk));
	}
	log_unlock(locked);
	return key_now;
}

static void key_goes_on(void *unused)
{
	(void)unused;
	this_cpu_raise(SOFTIRQ_KEY);
}

/* Also the place where the output hook runs, and where the rest of the text gets its timer: no locks are held here. */
void console_run_keys(void)
{

	if (console_output_hook && __atomic_exchange_n(&log_grew, false, __ATOMIC_RELAXED))
		console_output_hook();
	if (pieces && !timer_armed(&piece_timer))
		timer_set(&piece_timer, now_ns() + serial_piece_ns());
	if (cpu_id() != 0 || timer_armed(&key_timer))
		return;
	while (next_key()) {
		if (!debug_key_run(key_now, &key_walk))
			key_now = 0;
		if (pieces) { /* guests and interrupts have the CPU until then */
			timer_set(&key_timer, now_ns() + KEY_PIECE_NS);
			return;
		}
	}
}

static void input_char(char c)
{
	bool locked;

	switch_seen = c == SWITCH_CHAR ? switch_seen + 1 : 0;
	if (switch_seen == SWITCH_COUNT) {
		switch_seen = 0;
		input_to_vmm = !input_to_vmm;
		printk("Serial input goes to %s (type Ctrl-A three times to switch)\n",
		       input_to_vmm ? "Plinth" : "domain 0");
		return;
	}
	if (input_to_vmm) {
		if (c != SWITCH_CHAR && c != '\r' && c != '\n')
			console_debug_key(c);
		return;
	}
	locked = log_lock();
	if (input_end - input_start < INPUT_SIZE)
		input[input_end++ % INPUT_SIZE] = c;
	log_unlock(locked);
	if (console_input_hook)
		console_input_hook();
}

/* Slow while nobody types: an idle host should sleep. */
static void poll_input(void *unused)
{
	uint64_t now = now_ns();
	unsigned int left = INPUT_PIECE;
	int c;

	(void)unused;
	while (left-- && (c = serial_read()) >= 0) {
		last_input_ns = now;
		input_char((char)c);
	}
	timer_set(&poll_timer,
		  now + (now - last_input_ns < BUSY_FOR_NS ? POLL_BUSY_NS : POLL_IDLE_NS));
}

void console_input_to_dom0(void)
{
	input_to_vmm = false;
	printk(LOG_INFO "Serial input goes to domain 0 (type Ctrl-A three times to switch)\n");
}

void console_start_timers(void)
{
	timer_init(&piece_timer, next_piece, NULL, 0);
	timer_init(&key_timer, key_goes_on, NULL, 0);
	pieces = true;
	if (!serial_up)
		return;
	timer_init(&poll_timer, poll_input, NULL, 0);
	timer_set(&poll_timer, now_ns() + POLL_IDLE_NS);
}

void console_init(void)
{
	serial_up = use_serial && serial_init();
	if (use_screen) {
		screen_init();
		screen_up = true;
	}
	output_devices(serial_up, screen_up);
	log_show_on(&sink);
}

void console_mm_ready(void)
{
	if (screen_up)
		screen_mm_ready();
}

void console_screen_release(void)
{
	bool locked;

	if (!screen_up || keep_screen)
		return;
	printk(LOG_INFO "The screen is domain 0's from now on (keep it with vga=keep)\n");
	locked = log_lock();
	output_all();
	screen_up = false;
	output_devices(serial_up, false);
	screen_release();
	log_unlock(locked);
}
