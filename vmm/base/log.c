/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log: printk into a ring that the tools read, and on to whoever shows text, the sink (vmm/console). Text that
 * comes before there is a sink waits in the ring.
 */
#include "boot.h"
#include "cpu.h"
#include "log.h"
#include "publish.h"
#include "spinlock.h"

static spinlock_t lock = SPINLOCK_INIT(LOCK_CONSOLE, "console");
static bool locks_busted;
static unsigned int dying_cpu; /* the only one that writes when locks are busted */
static const struct log_sink *sink;

static char ring[LOG_RING_SIZE];
static uint32_t ring_start, ring_end; /* running counts; lock */
static int log_level = 2, guest_log_level = 1;

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

bool log_lock(void)
{
	/* an NMI or a fault inside printk: go on without, the text may be torn */
	if (locks_busted || spin_is_mine(&lock))
		return false;
	spin_lock(&lock);
	return true;
}

void log_unlock(bool locked)
{
	if (locked)
		spin_unlock(&lock);
}

bool log_is_mute(void)
{
	return published(locks_busted) && dying_cpu != cpu_id();
}

bool log_is_last(void)
{
	return locks_busted;
}

static void to_ring(const char *buf, size_t len)
{
	for (size_t i = 0; i < len; i++)
		ring[ring_end++ % LOG_RING_SIZE] = buf[i];
	if (ring_end - ring_start > LOG_RING_SIZE)
		ring_start = ring_end - LOG_RING_SIZE;
}

static void emit(enum log_from from, const char *buf, size_t len)
{
	bool locked = log_lock(), more;

	to_ring(buf, len);
	more = sink && sink->text(from, buf, len);
	log_unlock(locked);
	if (sink)
		sink->grew(locked, more);
}

static void vprintk_level(enum log_from from, int limit, const char *fmt, va_list ap)
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

void printk(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintk_level(LOG_HOST, log_level, fmt, ap);
	va_end(ap);
}

void guest_printk(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintk_level(LOG_GUEST, guest_log_level, fmt, ap);
	va_end(ap);
}

void log_show_on(const struct log_sink *s)
{
	for (uint32_t pos = ring_start; pos != ring_end; pos++)
		s->text(LOG_HOST, &ring[pos % LOG_RING_SIZE], 1);
	sink = s;
	log_flush();
}

void log_bust_locks(void)
{
	dying_cpu = cpu_id();
	publish(locks_busted, true);
	if (sink)
		sink->flush();
}

void log_flush(void)
{
	bool locked = log_lock();

	if (sink && !log_is_mute())
		sink->flush();
	log_unlock(locked);
}

uint32_t log_read(uint32_t *index, bool incremental, bool clear, char *buf, uint32_t max)
{
	bool locked = log_lock();
	uint32_t pos = ring_start, n = 0, part;

	if (incremental && *index - ring_start <= ring_end - ring_start)
		pos = *index;
	for (; pos != ring_end && n < max; pos += part, n += part) {
		part = min(min(ring_end - pos, max - n), LOG_RING_SIZE - pos % LOG_RING_SIZE);
		memcpy(buf + n, &ring[pos % LOG_RING_SIZE], part);
	}
	if (clear)
		ring_start = pos;
	log_unlock(locked);
	*index = pos;
	return n;
}
