// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The VMM's part of the ACPI fixed hardware: PM1a status and enable, the 3.579545 MHz timer (32
 * bits), and the SCI on GSI 9. PM1a control, GPEs and the SMI command port are the device model's.
 * ACPI 6.4, 4.8.3.1 and 4.8.3.3.
 */
#include "vmm/hvm/hvm.h"
#include "irq_private.h"
#include "units.h"
#include "pc_private.h"

#define PMTIMER_HZ   3579545ULL
#define BASE_V0	     0x1f40
#define BASE_V1	     0xb000
#define EVT_LEN	     4 /* status, enable */
#define TMR_OFFSET   8
#define TMR_LEN	     4
#define TMR_MSB	     BIT(31)

#define PM1_TMR	     BIT(0)
#define PM1_GBL	     BIT(5)
#define PM1_PWRBTN   BIT(8)
#define PM1_SLPBTN   BIT(9)
#define PM1_STS_MASK (BIT(0) | BIT(4) | BIT(5) | BIT(8) | BIT(9) | BIT(10) | BIT(15))
#define PM1_SCI_MASK (PM1_TMR | PM1_GBL | PM1_PWRBTN | PM1_SLPBTN)

/* A place where the registers may be; the ports of all are registered (hvm_io.h). */
struct pm_place {
	struct vpmtimer *p;
	uint16_t base;
};

struct vpmtimer {
	struct domain *domain;
	struct pm_place place[2]; /* constant */
	unsigned int version;	  /* the place where they are: published */
	uint16_t sts, en;
	uint64_t offset;     /* added to the ticks of system time */
	uint64_t flips_seen; /* changes of the top bit that the status has */
	struct timer timer;  /* next change of the top bit, while that may interrupt */
};

static uint64_t ticks(const struct vpmtimer *p)
{
	return muldiv64(now_ns(), PMTIMER_HZ, NS_PER_SEC) + p->offset;
}

/* TMR_STS follows each change of the counter's top bit. Lock held. */
static void catch_up(struct vpmtimer *p)
{
	uint64_t flips = ticks(p) >> 31;

	if (flips == p->flips_seen)
		return;
	p->flips_seen = flips;
	p->sts |= PM1_TMR;
}

static void arm(struct vpmtimer *p)
{
	uint64_t left;

	if (!(p->en & PM1_TMR) || (p->sts & PM1_TMR))
		return;
	left = TMR_MSB - (ticks(p) & (TMR_MSB - 1));
	pc_timer_set(p->domain, &p->timer, now_ns() + muldiv64(left, NS_PER_SEC, PMTIMER_HZ) + 1);
}

static bool sci_level(struct domain *d)
{
	struct vpmtimer *p = d->hvm.pmtimer;
	bool level;

	spin_lock(&d->hvm.time_lock);
	catch_up(p);
	level = p->sts & p->en & PM1_SCI_MASK;
	spin_unlock(&d->hvm.time_lock);
	return level;
}

/* Whoever sets the wire last looks once more, so it ends right whatever ran at the same time. */
static void update_sci(struct domain *d)
{
	bool level = sci_level(d), set;

	do {
		set = level;
		hvm_source_set(d, HVM_SOURCE_SCI, 9, set);
		level = sci_level(d);
	} while (level != set);
}

static void timer_fn(void *data)
{
	struct vpmtimer *p = data;

	update_sci(p->domain);
	spin_lock(&p->domain->hvm.time_lock);
	arm(p);
	spin_unlock(&p->domain->hvm.time_lock);
}

static bool is_here(const struct pm_place *place)
{
	return &place->p->place[published(place->p->version)] == place;
}

/* The bytes [off, off + size) of status and enable as one 32-bit register. */
static enum io_result evt_read(struct vcpu *v, void *opaque, uint64_t offset, unsigned int size,
			       uint64_t *val)
{
	const struct pm_place *place = opaque;
	struct vpmtimer *p = place->p;
	struct domain *d = v->domain;

	if (!is_here(place) || offset + size > EVT_LEN)
		return IO_PASS;
	spin_lock(&d->hvm.time_lock);
	catch_up(p);
	*val = (p->sts | (uint32_t)p->en << 16) >> (offset * 8) & (BIT(size * 8) - 1);
	spin_unlock(&d->hvm.time_lock);
	return IO_DONE;
}

static enum io_result evt_write(struct vcpu *v, void *opaque, uint64_t offset, unsigned int size,
				uint64_t val)
{
	const struct pm_place *place = opaque;
	struct vpmtimer *p = place->p;
	struct domain *d = v->domain;
	uint32_t reg, mask;

	if (!is_here(place) || offset + size > EVT_LEN)
		return IO_PASS;
	mask = (uint32_t)((BIT(size * 8) - 1) << (offset * 8));
	spin_lock(&d->hvm.time_lock);
	catch_up(p);
	reg = p->sts | (uint32_t)p->en << 16;
	val = val << (offset * 8) & mask;
	p->sts &= (uint16_t)~val;
	p->en = (uint16_t)(((reg & ~mask) | val) >> 16);
	arm(p);
	spin_unlock(&d->hvm.time_lock);
	update_sci(d);
	return IO_DONE;
}

static enum io_result tmr_read(struct vcpu *v, void *opaque, uint64_t offset, unsigned int size,
			       uint64_t *val)
{
	const struct pm_place *place = opaque;

	(void)v;
	if (!is_here(place))
		return IO_PASS;
	*val = (uint32_t)ticks(place->p) >> (offset * 8) & (BIT(size * 8) - 1);
	return IO_DONE;
}

/* Read-only. */
static enum io_result tmr_write(struct vcpu *v, void *opaque, uint64_t offset, unsigned int size,
				uint64_t val)
{
	(void)v, (void)offset, (void)size, (void)val;
	return is_here(opaque) ? IO_DONE : IO_PASS;
}

static int claim(struct domain *d, struct pm_place *place)
{
	const struct io_range evt = { IO_PORTS, place->base, EVT_LEN, evt_read, evt_write };
	const struct io_range tmr = { IO_PORTS, place->base + TMR_OFFSET, TMR_LEN, tmr_read,
				      tmr_write };
	int rc = io_register(d, &evt, place);

	return rc ? rc : io_register(d, &tmr, place);
}

int pmtimer_change_ioport(struct domain *d, unsigned int version)
{
	struct vpmtimer *p = d->hvm.pmtimer;

	if (!p || version >= ARRAY_SIZE(p->place))
		return -EINVAL;
	publish(p->version, version);
	return 0;
}

static void button(struct domain *d, uint16_t bit)
{
	if (!d->hvm.pmtimer)
		return;
	spin_lock(&d->hvm.time_lock);
	d->hvm.pmtimer->sts |= bit;
	spin_unlock(&d->hvm.time_lock);
	update_sci(d);
}

void pmtimer_power_button(struct domain *d)
{
	button(d, PM1_PWRBTN);
}

void pmtimer_sleep_button(struct domain *d)
{
	button(d, PM1_SLPBTN);
}

static int vpmtimer_init(struct domain *d)
{
	struct vpmtimer *p = xzalloc(struct vpmtimer);
	int rc;

	if (!p)
		return -ENOMEM;
	d->hvm.pmtimer = p;
	p->domain = d;
	p->place[0] = (struct pm_place){ p, BASE_V0 };
	p->place[1] = (struct pm_place){ p, BASE_V1 };
	p->offset = 0 - muldiv64(now_ns(), PMTIMER_HZ, NS_PER_SEC);
	timer_init(&p->timer, timer_fn, p, 0);
	rc = claim(d, &p->place[0]);
	return rc ? rc : claim(d, &p->place[1]);
}

static void vpmtimer_stop(struct domain *d)
{
	if (d->hvm.pmtimer)
		timer_stop(&d->hvm.pmtimer->timer);
}

static void vpmtimer_fini(struct domain *d)
{
	vpmtimer_stop(d);
	xfree(d->hvm.pmtimer);
	d->hvm.pmtimer = NULL;
}

static int pm_save(const struct hvm_instance *at, void *buf)
{
	struct domain *d = at->d;
	struct vpmtimer *p = d->hvm.pmtimer;
	struct hvm_hw_pmtimer *r = buf;

	spin_lock(&d->hvm.time_lock);
	catch_up(p);
	r->tmr_val = (uint32_t)ticks(p);
	r->pm1a_sts = p->sts;
	r->pm1a_en = p->en;
	spin_unlock(&d->hvm.time_lock);
	return sizeof(struct hvm_hw_pmtimer);
}

static int pm_load(const struct hvm_instance *at, const void *buf)
{
	struct domain *d = at->d;
	struct vpmtimer *p = d->hvm.pmtimer;
	const struct hvm_hw_pmtimer *r = buf;

	if (r->pm1a_sts & ~PM1_STS_MASK)
		return -EINVAL;
	spin_lock(&d->hvm.time_lock);
	p->offset += r->tmr_val - (uint32_t)ticks(p);
	p->flips_seen = ticks(p) >> 31;
	p->sts = r->pm1a_sts;
	p->en = r->pm1a_en;
	arm(p);
	spin_unlock(&d->hvm.time_lock);
	/* Xen keeps its SCI in the ISA record: take that over as ours. */
	if (sci_level(d))
		hvm_isa_irq_set(d, 9, false);
	update_sci(d);
	return 0;
}

static const struct hvm_record records[] = {
	HVM_RECORD(PMTIMER, SAVE_PER_DOMAIN, sizeof(struct hvm_hw_pmtimer), pm_save, pm_load),
};

const struct hvm_unit vpmtimer_unit = {
	.name = "PM timer",
	.needs = UNIT_PC,
	.init = vpmtimer_init,
	.stop = vpmtimer_stop,
	.fini = vpmtimer_fini,
	UNIT_SAVES(records),
};
