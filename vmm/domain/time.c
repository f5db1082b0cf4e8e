/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time as guests see it: the pvclock record in vcpu_info (and where else the guest wants it), the
 * runstate area, the timers of VCPUOP_set_*_timer and SCHEDOP_poll, the watchdogs. The wall clock is in
 * wallclock.c. pvclock: system time = now_ns(); the guest's TSC is the host's plus v->tsc_offset.
 */
#include "internal.h"
#include "guest_access.h"
#include "paging.h"
#include <xen/sched.h>

/* The scale is rounded: after this long the record may be a nanosecond off. */
#define TIME_INFO_STALE_NS   (500 * NS_PER_MS)
#define RUNSTATE_UPDATE_FLAG (1ULL << 63)
#define NR_WATCHDOGS	     ARRAY_SIZE(((struct domain *)0)->watchdog)

/* mul and shift such that ns = ((ticks << shift) * mul) >> 32, rounding down. */
static void tsc_scale(uint32_t *mul, int8_t *shift)
{
	uint64_t tps = tsc_khz * 1000;
	int8_t s = 0;

	while (tps > 2 * NS_PER_SEC) {
		tps >>= 1;
		s--;
	}
	while (tps <= NS_PER_SEC) {
		tps <<= 1;
		s++;
	}
	*mul = (uint32_t)((NS_PER_SEC << 32) / tps);
	*shift = s;
}

/* Reckoned once; two CPUs that do so at once come to the same. */
static void tsc_scale_cached(uint32_t *mul, int8_t *shift)
{
	static uint64_t known; /* published: mul, and shift above it */
	uint64_t both = published(known);

	if (!both) {
		tsc_scale(mul, shift);
		publish(known, (uint64_t)(uint8_t)*shift << 32 | *mul);
		return;
	}
	*mul = (uint32_t)both;
	*shift = (int8_t)(both >> 32);
}

static void time_info_fill(const struct vcpu *v, struct vcpu_time_info *t)
{
	tsc_scale_cached(&t->tsc_to_system_mul, &t->tsc_shift);
	t->flags = host_cpu.invariant_tsc ? XEN_PVCLOCK_TSC_STABLE_BIT : 0;
	t->tsc_timestamp = rdtsc() + v->tsc_offset;
	t->system_time = now_ns();
}

static void time_info_publish(struct vcpu_time_info *to, const struct vcpu_time_info *from)
{
	uint32_t version = (READ_ONCE(to->version) | 1) + 2;

	/* x86 keeps the order of stores; the compiler has to, too. */
	WRITE_ONCE(to->version, version);
	barrier();
	to->tsc_timestamp = from->tsc_timestamp;
	to->system_time = from->system_time;
	to->tsc_to_system_mul = from->tsc_to_system_mul;
	to->tsc_shift = from->tsc_shift;
	to->flags = from->flags;
	barrier();
	WRITE_ONCE(to->version, version + 1);
}

/* The copy at a guest-physical address: odd version, contents, even version. */
static void time_info_write_gpa(struct vcpu *v, const struct vcpu_time_info *t)
{
	struct vcpu_time_info copy = *t;
	struct domain *d = v->domain;

	if (v->time_info_gpa.v == ~0ULL)
		return;
	copy.version = vcpu_info(v)->time.version | 1;
	if (guest_phys_write(d, v->time_info_gpa, &copy.version, sizeof(copy.version)) ||
	    guest_phys_write(d, v->time_info_gpa, &copy, sizeof(copy)))
		return;
	copy.version++;
	guest_phys_write(d, v->time_info_gpa, &copy.version, sizeof(copy.version));
}

/* 32-bit guests have the record without padding after the state. */
struct runstate_compat {
	int32_t state;
	uint64_t state_entry_time;
	uint64_t time[4];
} __packed;

/* At an address that is not aligned in the 32-bit layout, where compilers have no atomic store. */
static void put_entry_time(void *to, uint64_t ns)
{
	struct anywhere {
		uint64_t ns;
	} __packed;

	((volatile struct anywhere *)to)->ns = ns;
	barrier();
}

/* In either layout: an entry time with the flag, the rest, the entry time without it. */
#define RUNSTATE_FILL(to, from, update_flag)                                             \
	do {                                                                             \
		if (update_flag)                                                         \
			put_entry_time(&(to)->state_entry_time,                          \
				       (from)->state_entry_time | RUNSTATE_UPDATE_FLAG); \
		(to)->state = (from)->state;                                             \
		for (unsigned int i_ = 0; i_ < 4; i_++)                                  \
			(to)->time[i_] = (from)->time[i_];                               \
		barrier();                                                               \
		put_entry_time(&(to)->state_entry_time, (from)->state_entry_time);       \
	} while (0)

static void runstate_fill(void *to, bool compat, const struct vcpu_runstate_info *r, bool flag)
{
	if (compat)
		RUNSTATE_FILL((struct runstate_compat *)to, r, flag);
	else
		RUNSTATE_FILL((struct vcpu_runstate_info *)to, r, flag);
}

/* The area lies in two pages. */
static void runstate_write_across(struct vcpu *v, gpa_t at, bool compat, size_t size)
{
	struct vcpu_runstate_info copy = { 0 };

	runstate_fill(&copy, compat, &v->runstate, false);
	guest_phys_write(v->domain, at, &copy, size);
}

/*
 * Written at each switch, so the page is looked up once; one that crosses a page takes the long way. Another vCPU may
 * register another place meanwhile.
 */
static void runstate_write(struct vcpu *v)
{
	struct domain *d = v->domain;
	gpa_t at = _gpa(published(v->runstate_gpa.v));
	bool compat = READ_ONCE(v->runstate_compat);
	size_t offset = at.v & ~PAGE_MASK;
	size_t size = compat ? sizeof(struct runstate_compat) : sizeof(struct vcpu_runstate_info);
	struct page *pg;

	if (at.v == ~0ULL)
		return;
	if (offset + size > PAGE_SIZE) {
		runstate_write_across(v, at, compat, size);
		return;
	}
	pg = p2m_get_page(d, gpa_to_gfn(at), true, NULL);
	if (!pg)
		return;
	runstate_fill((uint8_t *)page_to_virt(pg) + offset, compat, &v->runstate,
		      d->vm_assist & BIT(VMASST_TYPE_runstate_update_flag));
	paging_give_up(d, gpa_to_gfn(at));
	page_put(pg);
}

void vcpu_switched_time(struct vcpu *v)
{
	uint64_t written = READ_ONCE(v->time_info_ns);

	if (!written || now_ns() - written > TIME_INFO_STALE_NS)
		vcpu_update_time(v);
	else
		runstate_write(v);
}

void vcpu_update_time(struct vcpu *v)
{
	struct vcpu_time_info t;

	memset(&t, 0, sizeof(t));
	time_info_fill(v, &t);
	/* Before the look for the place: one that is registered meanwhile gets this record, or says 0 after it. */
	__atomic_store_n(&v->time_info_ns, t.system_time, __ATOMIC_SEQ_CST);
	time_info_publish(&vcpu_info(v)->time, &t);
	time_info_write_gpa(v, &t);
	runstate_write(v);
}

int time_register_vcpu_time(struct vcpu *v, uint64_t la)
{
	uint32_t pfec;
	gpa_t gpa;

	if ((la & 7) || (la & ~PAGE_MASK) > PAGE_SIZE - sizeof(struct vcpu_time_info))
		return -EINVAL;
	if (guest_walk(v, la, PFEC_W, &gpa, &pfec))
		return -EFAULT;
	v->time_info_gpa = gpa;
	vcpu_update_time(v);
	return 0;
}

/* --- timers ------------------------------------------------------------------------------------ */

static void singleshot_fire(void *data)
{
	evtchn_send_virq(data, VIRQ_TIMER);
}

static void periodic_fire(void *data)
{
	struct vcpu *v = data;
	uint64_t now = now_ns(), period = READ_ONCE(v->periodic_ns), wait;

	if (!period)
		return;
	wait = tick_wait_ns(&v->periodic_untaken_ns, evtchn_send_virq(v, VIRQ_TIMER), now);
	timer_set(&v->periodic, max(v->periodic.expires_ns + period, now + wait));
}

static void poll_fire(void *data)
{
	vcpu_wake(data, 0);
}

void time_set_periodic(struct vcpu *v, uint64_t period_ns)
{
	timer_stop(&v->periodic);
	WRITE_ONCE(v->periodic_ns, period_ns);
	v->periodic_untaken_ns = 0;
	/* Not those of all guests on one CPU. */
	timer_migrate(&v->periodic, READ_ONCE(v->cpu));
	if (period_ns)
		timer_set(&v->periodic, now_ns() + period_ns);
}

void time_vcpu_init(struct vcpu *v)
{
	unsigned int cpu = v->domain->is_dom0 ? v->id % nr_cpus : 0;

	timer_init(&v->singleshot, singleshot_fire, v, cpu);
	timer_init(&v->periodic, periodic_fire, v, cpu);
	timer_init(&v->poll_timer, poll_fire, v, cpu);
}

void time_vcpu_fini(struct vcpu *v)
{
	WRITE_ONCE(v->periodic_ns, 0);
	timer_stop(&v->singleshot);
	timer_stop(&v->periodic);
	timer_stop(&v->poll_timer);
}

static void watchdog_fire(void *data)
{
	struct domain *d = data;

	printk(LOG_WARN "d%u: watchdog expired\n", d->domid);
	domain_shutdown(d, SHUTDOWN_watchdog);
}

static int watchdog_start(struct domain *d, uint32_t timeout_s)
{
	unsigned int i;

	for (i = 0; i < NR_WATCHDOGS; i++)
		if (!(d->watchdog_inuse & BIT(i))) {
			d->watchdog_inuse |= BIT(i);
			timer_set(&d->watchdog[i], now_ns() + timeout_s * NS_PER_SEC);
			return (int)i + 1;
		}
	return -ENOSPC;
}

/* SCHEDOP_watchdog: id 0 starts one and returns its id; timeout 0 stops it. */
int time_watchdog(struct domain *d, uint32_t id, uint32_t timeout_s)
{
	int rc = 0;

	if (id > NR_WATCHDOGS || (!id && !timeout_s))
		return -EINVAL;
	spin_lock(&d->lock);
	if (!id) {
		rc = watchdog_start(d, timeout_s);
	} else if (!(d->watchdog_inuse & BIT(id - 1))) {
		rc = -EINVAL;
	} else if (!timeout_s) {
		timer_stop(&d->watchdog[id - 1]);
		d->watchdog_inuse &= ~(uint32_t)BIT(id - 1);
	} else {
		timer_set(&d->watchdog[id - 1], now_ns() + timeout_s * NS_PER_SEC);
	}
	spin_unlock(&d->lock);
	return rc;
}

void time_domain_init(struct domain *d)
{
	unsigned int i;

	for (i = 0; i < NR_WATCHDOGS; i++)
		timer_init(&d->watchdog[i], watchdog_fire, d, 0);
	time_update_wallclock(d);
}

void time_domain_fini(struct domain *d)
{
	unsigned int i;

	for (i = 0; i < NR_WATCHDOGS; i++)
		if (d->watchdog[i].fn)
			timer_stop(&d->watchdog[i]);
}
