// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The fake surroundings of the devices: clock, timers, port and MMIO tables, vLAPIC, save registry.
 */
#include "devices.h"
#include "ext_irq.h"
#include "hvm_ops.h"
#include "vmm/hvm/internal.h"
#include "vmm/hvm/policy_private.h"
#include "units.h"
#include "viridian.h"
#include "vlapic.h"
#include "vlapic_private.h"

#define MAX_TIMERS 16

struct domain board;
struct vcpu board_cpu;
unsigned int board_vectors[256], board_wakeups;
unsigned int board_timeoffset_calls;
int64_t board_timeoffset;

static struct vcpu *vcpus[1] = { &board_cpu };
static struct vcpu_info info;
static struct cpu_policy policy = { .basic[1].c = BIT(24) | BIT(21) }; /* TSC deadline, x2APIC */
static struct vlapic lapic;
static uint8_t lapic_regs[PAGE_SIZE] __aligned(8);
static uint64_t clock_ns;
static struct timer *timers[MAX_TIMERS];
static unsigned int nr_timers;
static struct {
	struct io_range r;
	void *opaque;
} ranges[16];
static unsigned int nr_ranges;

uint64_t now_ns(void)
{
	return clock_ns;
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

void timer_stop(struct timer *t)
{
	t->heap_index = -1;
}

void timer_migrate(struct timer *t, unsigned int cpu)
{
	t->cpu = cpu;
}

unsigned int board_armed(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < nr_timers; i++)
		n += timers[i]->heap_index >= 0 && timers[i]->expires_ns != ~0ULL;
	return n;
}

void board_step(uint64_t ns)
{
	uint64_t end = clock_ns + ns;

	for (;;) {
		struct timer *first = NULL;

		for (unsigned int i = 0; i < nr_timers; i++)
			if (timers[i]->heap_index >= 0 && timers[i]->expires_ns <= end &&
			    (!first || timers[i]->expires_ns < first->expires_ns))
				first = timers[i];
		if (!first)
			break;
		clock_ns = max(clock_ns, first->expires_ns);
		first->heap_index = -1;
		board_wakeups++;
		first->fn(first->data);
	}
	clock_ns = end;
}

void board_late(uint64_t ns)
{
	clock_ns += ns;
}

void board_back(uint64_t ns)
{
	clock_ns -= ns;
}

void spin_lock(spinlock_t *l)
{
	CHECK(l->holder != 1);
	l->holder = 1;
}

void spin_unlock(spinlock_t *l)
{
	CHECK(l->holder == 1);
	l->holder = -1;
}

bool timer_armed(const struct timer *t)
{
	return t->heap_index >= 0;
}

/* The guest's TSC counts nanoseconds. */
uint64_t rdtsc(void)
{
	return clock_ns;
}

uint64_t tsc_to_ns(uint64_t ticks)
{
	return ticks;
}

int io_register(struct domain *d, const struct io_range *r, void *opaque)
{
	(void)d;
	BUG_ON(nr_ranges == ARRAY_SIZE(ranges));
	ranges[nr_ranges].r = *r;
	ranges[nr_ranges++].opaque = opaque;
	return 0;
}

static enum io_result access(enum io_kind kind, uint64_t at, unsigned int size, bool write,
			     uint64_t *val)
{
	for (unsigned int i = 0; i < nr_ranges; i++) {
		const struct io_range *r = &ranges[i].r;
		uint64_t offset = at - r->first;

		if (r->kind != kind || offset >= r->len)
			continue;
		return write ? r->write(&board_cpu, ranges[i].opaque, offset, size, *val)
			     : r->read(&board_cpu, ranges[i].opaque, offset, size, val);
	}
	return IO_PASS;
}

uint32_t board_in(uint16_t port, unsigned int size)
{
	uint64_t val = 0;

	return access(IO_PORTS, port, size, false, &val) == IO_DONE ? (uint32_t)val : ~0U;
}

enum io_result board_out(uint16_t port, unsigned int size, uint32_t val)
{
	uint64_t v = val;

	return access(IO_PORTS, port, size, true, &v);
}

uint64_t board_read(uint64_t addr, unsigned int size)
{
	uint64_t val = 0;

	return access(IO_MEMORY, addr, size, false, &val) == IO_DONE ? val : ~0ULL;
}

void board_write(uint64_t addr, unsigned int size, uint64_t val)
{
	(void)access(IO_MEMORY, addr, size, true, &val);
}

void vcpu_wake(struct vcpu *v, uint32_t attention)
{
	v->attention |= attention;
}

void vcpu_attention(struct vcpu *v, uint32_t bits)
{
	v->attention |= bits;
}

void vcpu_wake_posted(struct vcpu *v)
{
	(void)v;
}

static void no_state(struct vcpu *v, uint32_t mask)
{
	(void)v, (void)mask;
}

static const struct hvm_ops no_ops = { .set_state = no_state };
const struct hvm_ops *hvm_ops = &no_ops;

/* What the board's local APIC does not need. */
const struct ext_irq_ops *ext_irq_ops; /* nobody here is dom0 */

void vlapic_send_ipi(struct vlapic *a, uint32_t low, uint32_t high)
{
	(void)a, (void)low, (void)high;
}

/* As policy_apic_id(). */
uint32_t vlapic_id(const struct vlapic *a)
{
	return a->vcpu->hvm.numbered ? a->vcpu->id : a->vcpu->id * 2;
}

struct page *page_table;

struct page *alloc_pages(unsigned int order)
{
	(void)order;
	return NULL;
}

void free_pages(struct page *pg, unsigned int order)
{
	(void)pg, (void)order;
}

void spin_lock_init(spinlock_t *l, enum lock_level level, const char *name)
{
	*l = (spinlock_t){ .level = (uint8_t)level, .holder = -1, .name = name };
}

unsigned int board_take(uint8_t vector)
{
	unsigned int n = 0;
	int v;

	while ((v = vlapic_highest(&lapic, APIC_IRR)) >= 0) {
		vlapic_ack(&lapic, (uint8_t)v);
		vlapic_write(&lapic, APIC_EOI, 0);
		n += v == vector;
	}
	return n;
}

void vlapic_deliver(struct domain *d, struct vlapic *source, uint32_t dest, bool logical,
		    bool dest32, uint8_t delivery_mode, uint8_t vector, bool level,
		    uint8_t shorthand)
{
	(void)d, (void)source, (void)dest, (void)logical, (void)dest32, (void)delivery_mode,
		(void)level;
	(void)shorthand;
	board_vectors[vector]++;
}

bool vlapic_match_dest(const struct vlapic *a, uint32_t dest, bool logical, bool dest_is_32bit)
{
	(void)a, (void)logical, (void)dest_is_32bit;
	return dest == 0;
}

/* The board's guest has no page for that. */
void viridian_assist(struct vcpu *v, uint8_t vector)
{
	(void)v;
	(void)vector;
}

void viridian_settle(struct vcpu *v)
{
	(void)v;
}

void time_update_wallclock(struct domain *d)
{
	d->wc_ns = (1700000000ULL + (uint64_t)d->time_offset_s) * NS_PER_SEC;
}

int ioreq_send_buffered(struct domain *d, const ioreq_t *p)
{
	(void)d;
	CHECK(p->type == IOREQ_TYPE_TIMEOFFSET && p->size == 8);
	board_timeoffset_calls++;
	board_timeoffset = (int64_t)p->data;
	return 0;
}

/* In the order in which they begin. */
static const struct hvm_unit *const units[] = {
	&irq_unit, &vpic_unit, &vioapic_unit, &vhpet_unit, &vpit_unit, &vrtc_unit, &vpmtimer_unit,
};

static const struct hvm_record *record(unsigned int type)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(units); i++)
		for (unsigned int k = 0; k < units[i]->nr_save; k++)
			if (units[i]->save[k].type == type)
				return &units[i]->save[k];
	return NULL;
}

int board_save(unsigned int type, unsigned int instance, void *buf, uint32_t *len)
{
	const struct hvm_instance at = { .d = &board, .nr = instance };
	const struct hvm_record *r = record(type);
	int n;

	memset(buf, 0, r->max_len);
	n = r->save(&at, buf);
	*len = n < 0 ? 0 : (uint32_t)n;
	return n < 0 ? n : 0;
}

int board_load(unsigned int type, unsigned int instance, const void *buf, uint32_t len)
{
	const struct hvm_instance at = { .d = &board, .nr = instance, .len = len };

	return record(type)->load(&at, buf);
}

void board_reset(void)
{
	for (unsigned int i = ARRAY_SIZE(units); i-- > 0;)
		units[i]->fini(&board);
	memset(board_vectors, 0, sizeof(board_vectors));
	nr_ranges = 0;
	nr_timers = 0;
	clock_ns = 0;
	board_timeoffset_calls = board_wakeups = 0;
	board = (struct domain){ .max_vcpus = 1, .vcpu = vcpus, .cpu_policy = &policy };
	board_cpu = (struct vcpu){ .domain = &board, .info = &info };
	board_cpu.hvm.vlapic = &lapic;
	lapic = (struct vlapic){ .vcpu = &board_cpu, .regs = lapic_regs };
	memset(lapic_regs, 0, sizeof(lapic_regs));
	spin_lock_init(&lapic.lock, LOCK_VLAPIC, "vlapic");
	vlapic_timer_init(&lapic);
	vlapic_reset(&lapic);
	vlapic_set(&lapic, APIC_LVT0, 0x700); /* the PIC's, as after a PC's firmware */
	board.hvm.params[HVM_PARAM_HPET_ENABLED] = 1;
	time_update_wallclock(&board);
	for (unsigned int i = 0; i < ARRAY_SIZE(units); i++)
		CHECK(!units[i]->init(&board));
}
