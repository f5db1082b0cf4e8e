/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The log (vmm/base/log.c): a ring that the tools read, and the sink that shows it. printk() is in lib.h. */
#ifndef PLINTH_LOG_H
#define PLINTH_LOG_H

#include "lib.h"

#define LOG_RING_SIZE (64U << 10)

/* Whose text it is. */
enum log_from { LOG_HOST, LOG_DOM0, LOG_GUEST };

/*
 * Messages about guests and their own text: printed when level <= guest_loglvl. While much waits for the serial line they are
 * in the log only.
 */
void guest_printk(const char *fmt, ...) __printf(1, 2);

/*
 * Read the log from position *index (a running count of characters; positions older than the ring
 * are moved up). Copies at most max bytes, sets *index behind them. clear: forget what was read,
 * and what was before it. Returns the number of bytes. Shape of XEN_SYSCTL_readconsole.
 */
uint32_t log_read(uint32_t *index, bool incremental, bool clear, char *buf, uint32_t max);

/* Who shows the text. */
struct log_sink {
	/* Text was added to the log; its lock is held. True: some of it is to go out later. */
	bool (*text)(enum log_from from, const char *buf, size_t len);
	/* After that, without the lock: `locked` if text() was called with it, more = its answer. */
	void (*grew)(bool locked, bool more);
	/* Everything goes out now, whatever it costs. */
	void (*flush)(void);
};
/* From now on s shows all text; what the ring already holds at first. BSP, once. */
void log_show_on(const struct log_sink *s);
/* Wait until everything is out: before the machine is reset or switched off. */
void log_flush(void);
/* Ignore the lock from now on and print everything at once, also what waits already: the host is dying. */
void log_bust_locks(void);

/* The log's lock, for its sink. False: this CPU has it, or the host is dying; go on without. */
bool log_lock(void);
void log_unlock(bool locked);
/* Another CPU is printing the end of the host; what this one has to say is in the ring. */
bool log_is_mute(void);
/* The host is dying: nothing goes out later. */
bool log_is_last(void);

#endif
