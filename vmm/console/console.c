/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Console: printk into a ring and, through output.c, to the serial line and the screen; dom0's hvc0
 * output; typed input for dom0 or, after Ctrl-A three times, for the debug keys. The serial line is
 * polled, because its interrupt belongs to dom0's IO-APIC.
 */
#include "boot.h"
#include "console.h"
#include "debug.h"
#include "publish.h"
#include "timer.h"

#define INPUT_SIZE   256U
#define INPUT_PIECE  64U /* characters of one look at the line */
#define KEYS_SIZE    16U
#define SWITCH_CHAR  0x01 /* Ctrl-A */
#define SWITCH_COUNT 3U
#define POLL_IDLE_NS (200 * NS_PER_MS)
#define POLL_BUSY_NS (1 * NS_PER_MS)
#define BUSY_FOR_NS  (2 * NS_PER_SEC)

void (*console_output_hook)(void);
void (*console_input_hook)(void);

static spinlock_t lock = SPINLOCK_INIT(LOCK_CONSOLE, "console");
static bool locks_busted;
static unsigned int dying_cpu; /* the only one that writes when locks are busted */

static char ring[CONSOLE_RING_SIZE];
static uint32_t ring_start, ring_end; /* running counts; lock */

static char input[INPUT_SIZE];
static uint32_t input_start, input_end; /* lock */
static char keys[KEYS_SIZE];
static uint32_t keys_start, keys_end; /* lock */

static bool use_serial = true, use_screen = true, serial_up, screen_up, keep_screen;
static bool sync_console;
static bool pieces;   /* text goes out in pieces: timers run */
static bool log_grew; /* atomic: the output hook is to be called */
static struct timer piece_timer;
static bool input_to_vmm = true; /* until dom0 runs */
static unsigned int switch_seen;
static uint64_t last_input_ns;
static struct timer poll_timer;
static int log_level = 2, guest_log_level = 1;

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

/*
 * none, error, warning, info, debug, all; "all" or "x/y" as Xen has it: only the first part
 * counts.
 */
static int parse_level(const char *value, int *level)
{
	static const struct {
		const char *name;
		int level;
	} names[] = { { "none", -1 }, { "error", 0 }, { "warning", 1 },
		      { "info", 2 },  { "debug", 3 }, { "all", 3 } };
	size_t n = 0;

	while (value[n] && value[n] != '/')
		n++;
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		if (strlen(names[i].name) == n && !strncmp(names[i].name, value, n)) {
			*level = names[i].level;
			return 0;
		}
	}
	return -EINVAL;
}

static int parse_loglvl(const char *value)
{
	return parse_level(value, &log_level);
}
BOOT_OPTION(loglvl, "loglvl", parse_loglvl, "none, error, warning, info, debug or all");

static int parse_guest_loglvl(const char *value)
{
	return parse_level(value, &guest_log_level);
}
BOOT_OPTION(guest_loglvl, "guest_loglvl", parse_guest_loglvl, "the same for messages about guests");

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

static bool console_lock(void)
{
	/* an NMI or a fault inside printk: go on without, the text may be torn */
	if (locks_busted || spin_is_mine(&lock))
		return false;
	spin_lock(&lock);
	return true;
}

static void console_unlock(bool locked)
{
	if (locked)
		spin_unlock(&lock);
}

/* Another CPU is printing the end of the host; what this one has to say is in the ring. */
static bool is_mute(void)
{
	return published(locks_busted) && dying_cpu != cpu_id();
}

/* What goes out at once. True: the rest is for the run loop (console_run_keys). The lock is held. */
static bool send_some(void)
{
	if (is_mute())
		return false;
	if (pieces && !sync_console && !locks_busted)
		return output_piece();
	output_all();
	return false;
}

static void to_ring(const char *buf, size_t len)
{
	for (size_t i = 0; i < len; i++)
		ring[ring_end++ % CONSOLE_RING_SIZE] = buf[i];
	if (ring_end - ring_start > CONSOLE_RING_SIZE)
		ring_start = ring_end - CONSOLE_RING_SIZE;
}

static void emit(enum output_from from, const char *buf, size_t len)
{
	bool locked = console_lock(), more;

	to_ring(buf, len);
	if (!is_mute())
		output_text(from, buf, len);
	more = send_some();
	console_unlock(locked);
	if (console_output_hook)
		WRITE_ONCE(log_grew, true);
	if (locked && (console_output_hook || more))
		this_cpu_raise(SOFTIRQ_KEY);
}

static void vprintk_level(enum output_from from, int limit, const char *fmt, va_list ap)
{
	char buf[512];
	int level = 0, n;

	if (fmt[0] == '<' && fmt[1] >= '0' && fmt[1] <= '3' && fmt[2] == '>') {
		level = fmt[1] - '0';
		fmt += 3;
	}
	if (level > limit)
		return;
	n = vsnprintf(buf, sizeof(buf), fmt, ap);
	emit(from, buf, n < (int)sizeof(buf) ? (size_t)n : sizeof(buf) - 1);
}

void vprintk(const char *fmt, va_list ap)
{
	vprintk_level(OUTPUT_LOG, log_level, fmt, ap);
}

void printk(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintk(fmt, ap);
	va_end(ap);
}

void guest_printk(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintk_level(OUTPUT_GUEST, guest_log_level, fmt, ap);
	va_end(ap);
}

void console_bust_locks(void)
{
	dying_cpu = cpu_id();
	publish(locks_busted, true);
	output_all();
}

void console_flush(void)
{
	bool locked = console_lock();

	if (!is_mute())
		output_all();
	console_unlock(locked);
}

uint32_t console_ring_read(uint32_t *index, bool incremental, bool clear, char *buf, uint32_t max)
{
	bool locked = console_lock();
	uint32_t pos = ring_start, n = 0, part;

	if (incremental && *index - ring_start <= ring_end - ring_start)
		pos = *index;
	for (; pos != ring_end && n < max; pos += part, n += part) {
		part = min(min(ring_end - pos, max - n),
			   CONSOLE_RING_SIZE - pos % CONSOLE_RING_SIZE);
		memcpy(buf + n, &ring[pos % CONSOLE_RING_SIZE], part);
	}
	if (clear)
		ring_start = pos;
	console_unlock(locked);
	*index = pos;
	return n;
}

size_t console_dom0_write(const char *buf, size_t len)
{
	bool locked = console_lock(), more;
	size_t n = is_mute() ? len : output_some(OUTPUT_DOM0, buf, len);

	more = send_some();
	if (n < len && !more) { /* the line takes text as fast as it comes */
		n += output_some(OUTPUT_DOM0, buf + n, len - n);
		more = send_some();
	}
	console_unlock(locked);
	if (more)
		this_cpu_raise(SOFTIRQ_KEY);
	return n;
}

/* The next piece of what waits for the line: a timer of the first CPU. */
static void next_piece(void *unused)
{
	bool locked = console_lock(), more = send_some();

	(void)unused;
	console_unlock(locked);
	if (more)
		timer_set(&piece_timer, now_ns() + serial_piece_ns());
}

size_t console_dom0_read(char *buf, size_t max)
{
	bool locked = console_lock();
	size_t n = 0;

	while (n < max && input_start != input_end)
		buf[n++] = input[input_start++ % INPUT_SIZE];
	console_unlock(locked);
	return n;
}

void console_debug_key(char key)
{
	bool locked = console_lock();

	if (keys_end - keys_start < KEYS_SIZE)
		keys[keys_end++ % KEYS_SIZE] = key;
	console_unlock(locked);
	cpu_raise(0, SOFTIRQ_KEY);
}

/* Also the place where the output hook runs, and where the rest of the text gets its timer: no locks are held here. */
void console_run_keys(void)
{
	bool locked, any;
	char key = 0;

	if (console_output_hook && __atomic_exchange_n(&log_grew, false, __ATOMIC_RELAXED))
		console_output_hook();
	if (pieces && !timer_armed(&piece_timer))
		timer_set(&piece_timer, now_ns() + serial_piece_ns());
	if (cpu_id() != 0)
		return;
	do {
		locked = console_lock();
		any = keys_start != keys_end;
		if (any)
			key = keys[keys_start++ % KEYS_SIZE];
		console_unlock(locked);
		if (any)
			debug_key_run(key);
	} while (any);
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
	locked = console_lock();
	if (input_end - input_start < INPUT_SIZE)
		input[input_end++ % INPUT_SIZE] = c;
	console_unlock(locked);
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
	pieces = true;
	if (!serial_up)
		return;
	timer_init(&poll_timer, poll_input, NULL, 0);
	timer_set(&poll_timer, now_ns() + POLL_IDLE_NS);
}

static void replay_ring(void)
{
	for (uint32_t pos = ring_start; pos != ring_end; pos++)
		output_text(OUTPUT_LOG, &ring[pos % CONSOLE_RING_SIZE], 1);
	output_all();
}

void console_init(void)
{
	serial_up = use_serial && serial_init();
	if (use_screen) {
		screen_init();
		screen_up = true;
	}
	output_devices(serial_up, screen_up);
	replay_ring();
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
	locked = console_lock();
	output_all();
	screen_up = false;
	output_devices(serial_up, false);
	screen_release();
	console_unlock(locked);
}
