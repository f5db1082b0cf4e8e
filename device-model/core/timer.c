/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Timers in two sorted lists, one per clock. See timer.h. */
#include "core/timer.h"

#include <stddef.h>
#include <time.h>

#include "core/util.h"

static struct dm_timer *timer_list[2];
static struct {
	bool stopped;
	bool is_virtual;
	uint64_t frozen_ns; /* the time while stopped, or of the virtual clock */
	uint64_t offset_ns; /* host time - guest time while running */
} guest_clock = { .stopped = true };

uint64_t clock_host_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_SEC + (uint64_t)ts.tv_nsec;
}

uint64_t clock_ns(void)
{
	if (guest_clock.stopped || guest_clock.is_virtual)
		return guest_clock.frozen_ns;
	return clock_host_ns() - guest_clock.offset_ns;
}

void clock_guest_stop(void)
{
	guest_clock.frozen_ns = clock_ns();
	guest_clock.stopped = true;
}

void clock_guest_start(void)
{
	if (!guest_clock.stopped)
		return;
	guest_clock.offset_ns = clock_host_ns() - guest_clock.frozen_ns;
	guest_clock.stopped = false;
}

void clock_use_virtual(void)
{
	guest_clock.is_virtual = true;
	guest_clock.frozen_ns = 0;
}

void dm_timer_init(struct dm_timer *t, enum dm_clock clock, void (*cb)(void *opaque), void *opaque)
{
	*t = (struct dm_timer){ .clock = clock, .cb = cb, .opaque = opaque };
}

void dm_timer_cancel(struct dm_timer *t)
{
	struct dm_timer **p = &timer_list[t->clock];

	if (!t->armed)
		return;
	while (*p && *p != t)
		p = &(*p)->next;
	if (*p)
		*p = t->next;
	t->armed = false;
}

void dm_timer_set_ns(struct dm_timer *t, uint64_t expires_ns)
{
	struct dm_timer **p = &timer_list[t->clock];

	dm_timer_cancel(t);
	t->expires_ns = expires_ns;
	while (*p && (*p)->expires_ns <= expires_ns)
		p = &(*p)->next;
	t->next = *p;
	*p = t;
	t->armed = true;
}

static void run_list(enum dm_clock clock, uint64_t now)
{
	struct dm_timer *t;

	while ((t = timer_list[clock]) && t->expires_ns <= now) {
		timer_list[clock] = t->next;
		t->armed = false;
		t->cb(t->opaque);
	}
}

void timer_run_expired(void)
{
	run_list(DM_CLOCK_HOST, clock_host_ns());
	if (!guest_clock.stopped)
		run_list(DM_CLOCK_GUEST, clock_ns());
}

static int until_ms(const struct dm_timer *t, uint64_t now)
{
	uint64_t delta;

	if (!t)
		return -1;
	if (t->expires_ns <= now)
		return 0;
	delta = (t->expires_ns - now + NS_PER_MS - 1) / NS_PER_MS;
	return (int)MIN(delta, 60000);
}

int timer_next_timeout_ms(void)
{
	int host = until_ms(timer_list[DM_CLOCK_HOST], clock_host_ns());
	int guest = -1;

	if (!guest_clock.stopped && !guest_clock.is_virtual)
		guest = until_ms(timer_list[DM_CLOCK_GUEST], clock_ns());
	if (host < 0 || guest < 0)
		return MAX(host, guest);
	return MIN(host, guest);
}

uint64_t clock_virtual_step(int64_t delta_ns)
{
	struct dm_timer *t = timer_list[DM_CLOCK_GUEST];
	uint64_t target = guest_clock.frozen_ns + (uint64_t)delta_ns;

	if (delta_ns < 0) {
		if (!t)
			return guest_clock.frozen_ns;
		target = MAX(t->expires_ns, guest_clock.frozen_ns);
	}
	/* One timer at a time, so that each callback sees its own time. */
	while ((t = timer_list[DM_CLOCK_GUEST]) && t->expires_ns <= target) {
		guest_clock.frozen_ns = MAX(guest_clock.frozen_ns, t->expires_ns);
		run_list(DM_CLOCK_GUEST, guest_clock.frozen_ns);
	}
	guest_clock.frozen_ns = target;
	return target;
}
