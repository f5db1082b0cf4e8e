// SPDX-License-Identifier: GPL-2.0-or-later
/* The UART (National PC16550D data sheet), time, timers, locks. */
#include "world.h"
#include "debug.h"

#define PORT	  0x3f8
#define LSR_DATA  BIT(0)
#define LSR_THRE  BIT(5)
#define LCR_DLAB  BIT(7)
#define MAX_TIMES 4
#define CHAR_NS	  86805U /* 10 bits at 115,200 baud */
#define LOOK_NS	  NS_PER_US

struct uart uart;
struct cpu test_cpu;
unsigned int world_locks;

static uint64_t clock_ns, busy_until;
static uint8_t regs[8];
static unsigned int in_fifo;
static struct timer *timers[MAX_TIMES];
static unsigned int nr_timers;
static char text[sizeof(uart.sent)];

extern const struct boot_option __start_test_options[], __stop_test_options[];

uint64_t now_ns(void)
{
	return clock_ns;
}

static void line_goes_on(void)
{
	while (in_fifo && !uart.stuck && busy_until <= clock_ns) {
		busy_until += CHAR_NS;
		in_fifo--;
	}
	if (!in_fifo)
		busy_until = max(busy_until, clock_ns);
}

uint8_t uart_in(uint16_t port)
{
	clock_ns += LOOK_NS;
	uart.looks++;
	line_goes_on();
	switch (port - PORT) {
	case 0:
		return 'k';
	case 2:
		return uart.fifo > 1 ? 0xc1 : 1;
	case 5:
		return (uart.types ? LSR_DATA : 0) | (in_fifo || uart.stuck ? 0 : LSR_THRE);
	default:
		return regs[port & 7];
	}
}

static void transmit(char c)
{
	line_goes_on();
	if (in_fifo == uart.fifo || uart.len == sizeof(uart.sent) - 1) {
		uart.overruns++;
		return;
	}
	uart.sent[uart.len++] = c;
	if (uart.instant)
		return;
	if (!in_fifo++)
		busy_until = clock_ns + CHAR_NS;
}

void uart_out(uint16_t port, uint8_t value)
{
	uart.looks++;
	if (port == PORT && !(regs[3] & LCR_DLAB))
		transmit((char)value);
	else
		regs[port & 7] = value;
}

void timer_init(struct timer *t, void (*fn)(void *data), void *data, unsigned int cpu)
{
	*t = (struct timer){ .fn = fn, .data = data, .cpu = cpu, .heap_index = -1 };
	timers[nr_timers++] = t;
}

void timer_set(struct timer *t, uint64_t expires_ns)
{
	t->expires_ns = expires_ns;
	t->heap_index = 0;
}

bool timer_armed(const struct timer *t)
{
	return t->heap_index >= 0;
}

void spin_lock(spinlock_t *l)
{
	EXPECT(l->holder != 1);
	EXPECT(l->level > LOCK_HVM_TIME ? !world_locks : true); /* the console's is taken alone */
	l->holder = 1;
	world_locks++;
}

void spin_unlock(spinlock_t *l)
{
	EXPECT(l->holder == 1);
	l->holder = -1;
	world_locks--;
}

bool spin_is_mine(const spinlock_t *l)
{
	return l->holder == 1;
}

void cpu_raise(unsigned int cpu, uint32_t softirq)
{
	(void)cpu;
	test_cpu.softirq |= softirq;
}

unsigned int world_key_pieces, world_keys;

bool debug_key_run(char key, struct key_walk *w)
{
	world_keys += !w->begun;
	w->begun = true;
	return key == 'v' && ++w->at < world_key_pieces;
}

int parse_bool(const char *value, bool *v)
{
	*v = !*value;
	return 0;
}

void world_cpu(unsigned int id)
{
	test_cpu.id = id;
}

void world_loop(void)
{
	uint32_t work = test_cpu.softirq;

	test_cpu.softirq = 0;
	if (work & SOFTIRQ_KEY)
		console_run_keys();
}

void world_pass(uint64_t ns)
{
	uint64_t end = clock_ns + ns;

	for (;;) {
		struct timer *first = NULL;

		world_loop();
		for (unsigned int i = 0; i < nr_timers; i++)
			if (timer_armed(timers[i]) && timers[i]->expires_ns <= end &&
			    (!first || timers[i]->expires_ns < first->expires_ns))
				first = timers[i];
		if (!first)
			break;
		clock_ns = max(clock_ns, first->expires_ns);
		first->heap_index = -1;
		first->fn(first->data);
	}
	clock_ns = max(clock_ns, end);
}

static void option(const char *name, size_t len, const char *value)
{
	for (const struct boot_option *o = __start_test_options; o < __stop_test_options; o++)
		if (strlen(o->name) == len && !strncmp(o->name, name, len)) {
			EXPECT(!o->parse(value));
			return;
		}
	EXPECT(!"an option of that name");
}

void world_early(const char *options)
{
	char value[40];
	size_t name, n;

	uart.fifo = 16;
	for (; *options; options += n + (options[n] == ' ')) {
		for (n = 0; options[n] && options[n] != ' ';)
			n++;
		for (name = 0; name < n && options[name] != '=';)
			name++;
		memset(value, 0, sizeof(value));
		if (name < n)
			memcpy(value, options + name + 1, n - name - 1);
		option(options, name, value);
	}
	console_init();
	uart.len = uart.looks = 0;
}

void world_start(const char *options)
{
	world_early(options);
	console_start_timers();
	uart.looks = 0;
}

const char *world_sent(void)
{
	size_t n = 0;

	for (size_t i = 0; i < uart.len; i++)
		if (uart.sent[i] != '\r')
			text[n++] = uart.sent[i];
	text[n] = '\0';
	return text;
}

unsigned int world_count(const char *in, const char *what)
{
	unsigned int n = 0;

	for (const char *p = strstr(in, what); p; p = strstr(p + 1, what))
		n++;
	return n;
}
