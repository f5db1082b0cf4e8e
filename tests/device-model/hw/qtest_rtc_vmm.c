/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VMM's RTC (vmm/hvm/vrtc.c) with what it calls in the VMM: one domain, one port range, one timer. It is
 * compiled as the VMM is. See qtest_rtc.c.
 */
#include "vmm/hvm/hvm.h"
#include "mm.h"
#include "pc_private.h"
#include "units.h"
#include "vmm/domain/domain.h"
#include "device-model/hw/qtest_rtc.h"

void *calloc(size_t n, size_t size);
void free(void *p);

static struct domain guest;
static struct vcpu cpu;
static struct vcpu *all_cpus[1] = { &cpu };
static struct vcpu_info info;
static uint64_t boot_s;
static struct timer *rtc_timer;
static struct io_range range;
static void *port_opaque;

uint64_t now_ns(void)
{
	return rtc_host_now();
}

void timer_init(struct timer *t, void (*fn)(void *data), void *data, unsigned int on_cpu)
{
	*t = (struct timer){ .fn = fn, .data = data, .cpu = on_cpu, .heap_index = -1 };
	rtc_timer = t;
}

void timer_set(struct timer *t, uint64_t expires_ns)
{
	t->expires_ns = expires_ns;
	rtc_host_timer(expires_ns);
}

void timer_stop(struct timer *t)
{
	rtc_host_timer(~0ULL);
}

void timer_migrate(struct timer *t, unsigned int on_cpu)
{
	t->cpu = on_cpu;
}

void rtc_vmm_timer(void)
{
	rtc_timer->fn(rtc_timer->data);
}

/* One thread. */
void spin_lock(spinlock_t *l)
{
}

void spin_unlock(spinlock_t *l)
{
}

int io_register(struct domain *d, const struct io_range *r, void *opaque)
{
	range = *r;
	port_opaque = opaque;
	return 0;
}

bool rtc_vmm_port(uint16_t port, unsigned int size, bool write, uint32_t *value)
{
	uint64_t offset = port - range.first, v = *value;
	enum io_result r;

	if (offset >= range.len)
		return false;
	r = write ? range.write(&cpu, port_opaque, offset, size, v)
		  : range.read(&cpu, port_opaque, offset, size, &v);
	*value = (uint32_t)v;
	return r == IO_DONE;
}

void hvm_isa_irq_set(struct domain *d, unsigned int isa_irq, bool level)
{
	rtc_host_irq(level);
}

bool vhpet_legacy(const struct domain *d)
{
	return false;
}

int ioreq_send_buffered(struct domain *d, const ioreq_t *p)
{
	return 0;
}

void time_update_wallclock(struct domain *d)
{
	d->wc_ns = (boot_s + (uint64_t)d->time_offset_s) * NS_PER_SEC;
}

void *xzalloc_bytes(size_t size)
{
	return calloc(1, size);
}

void xfree(void *p)
{
	free(p);
}

void rtc_vmm_start(uint64_t start_s)
{
	boot_s = start_s;
	guest = (struct domain){ .max_vcpus = 1, .vcpu = all_cpus };
	cpu = (struct vcpu){ .domain = &guest, .info = &info };
	time_update_wallclock(&guest);
	vrtc_unit.init(&guest);
}
