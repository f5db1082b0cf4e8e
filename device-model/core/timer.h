/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Timers of the main loop. clock_ns() is guest time: monotonic, stopped while the guest is stopped
 * over QMP, and driven by clock_step under qtest. clock_host_ns() is CLOCK_MONOTONIC.
 */
#ifndef DM_CORE_TIMER_H
#define DM_CORE_TIMER_H

#include <stdbool.h>
#include <stdint.h>

enum dm_clock {
	DM_CLOCK_GUEST, /* what the guest can observe: device delays */
	DM_CLOCK_HOST,	/* display refresh, reconnects, timeouts */
};

struct dm_timer {
	enum dm_clock clock;
	void (*cb)(void *opaque);
	void *opaque;
	uint64_t expires_ns;
	bool armed;
	struct dm_timer *next;
};

uint64_t clock_ns(void);
uint64_t clock_host_ns(void);

void dm_timer_init(struct dm_timer *t, enum dm_clock clock, void (*cb)(void *opaque), void *opaque);
/* Arm (or move) for the absolute time expires_ns of the timer's clock. */
void dm_timer_set_ns(struct dm_timer *t, uint64_t expires_ns);
void dm_timer_cancel(struct dm_timer *t);

/* For the loop, QMP stop/cont and qtest. */
int timer_next_timeout_ms(void); /* -1: nothing armed */
void timer_run_expired(void);
void clock_guest_stop(void);
void clock_guest_start(void);
/* Use a virtual guest clock which only clock_virtual_step moves; it starts at 0. */
void clock_use_virtual(void);
/* Step by delta_ns, or to the next guest timer when delta_ns is negative; returns the new time. */
uint64_t clock_virtual_step(int64_t delta_ns);

#endif
