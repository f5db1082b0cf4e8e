/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The wall clock: the CMOS clock's time at boot (cpu/time.c), later corrected by dom0
 * (XENPF_settime64), shown to each domain in its shared info with the domain's own offset.
 */
#include "internal.h"

static uint64_t
	wc_ns_at_zero; /* atomic; nanoseconds since 1970 at system time 0, once dom0 has set it */
static bool wc_set;    /* published with it */

static uint64_t ns_at_zero(void)
{
	return published(wc_set) ? READ_ONCE(wc_ns_at_zero) : wallclock_sec_at_boot * NS_PER_SEC;
}

/* Offsets of wc_version, wc_sec, wc_nsec and of wc_sec_hi in the two layouts of shared info. */
#define WC_OFF_64    0xc00U
#define WC_HI_OFF_64 0xc0cU
#define WC_OFF_32    0x900U
#define WC_HI_OFF_32 0x924U
_Static_assert(offsetof(struct shared_info, wc_version) == WC_OFF_64, "64-bit layout");
_Static_assert(offsetof(struct shared_info, wc_sec_hi) == WC_HI_OFF_64, "64-bit layout");

void time_update_wallclock(struct domain *d)
{
	uint8_t *s = (uint8_t *)d->shared_info;
	uint32_t *wc = (uint32_t *)(s + (d->shared_info_64 ? WC_OFF_64 : WC_OFF_32));
	uint32_t *hi = (uint32_t *)(s + (d->shared_info_64 ? WC_HI_OFF_64 : WC_HI_OFF_32));
	uint64_t ns, sec;

	ns = ns_at_zero() + (uint64_t)d->time_offset_s * NS_PER_SEC;
	sec = ns / NS_PER_SEC;
	WRITE_ONCE(d->wc_ns, ns);
	WRITE_ONCE(wc[0], (wc[0] | 1) + 2);
	barrier();
	wc[1] = (uint32_t)sec;
	wc[2] = (uint32_t)(ns % NS_PER_SEC);
	*hi = (uint32_t)(sec >> 32);
	barrier();
	WRITE_ONCE(wc[0], wc[0] + 1);
}

static int update_one(struct domain *d, void *arg)
{
	(void)arg;
	spin_lock(&d->lock);
	time_update_wallclock(d);
	spin_unlock(&d->lock);
	return 0;
}

void time_set_wallclock(uint64_t secs, uint32_t nsecs, uint64_t system_time_ns)
{
	/* Each domain takes the newest one, whichever of several callers comes to it last. */
	WRITE_ONCE(wc_ns_at_zero, secs * NS_PER_SEC + nsecs - system_time_ns);
	publish(wc_set, true);
	domain_for_each(update_one, NULL);
}
