// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The two 8259A interrupt controllers, with the PIIX3's edge/level registers. 8259A datasheet; state and save
 * record have the layout of xen/arch-x86/hvm/save.h. d->hvm.irq_lock guards everything.
 */
#include "internal.h"
#include "irq_private.h"
#include "units.h"

#define ICW1_INIT BIT(4)
#define OCW3	  BIT(3)
#define SLAVE_IR  2U

struct vpic {
	struct hvm_hw_vpic chip[2]; /* master, slave */
};

/* Bits of mask in the present order of priority; 8 = none. */
static unsigned int highest(const struct hvm_hw_vpic *p, uint8_t mask)
{
	for (unsigned int i = 0; i < 8; i++)
		if (mask & (1U << ((i + p->priority_add) & 7)))
			return i;
	return 8;
}

/* The input that would be served now, as an IR number; -1 = none. */
static int pending(const struct hvm_hw_vpic *p)
{
	uint8_t in_service = p->isr;
	unsigned int want = highest(p, p->irr & (uint8_t)~p->imr), busy;

	if (want == 8)
		return -1;
	if (p->special_mask_mode)
		in_service &= (uint8_t)~p->imr;
	if (p->is_master && p->special_fully_nested_mode)
		in_service &= (uint8_t) ~(1U << SLAVE_IR);
	busy = highest(p, in_service);
	return want < busy ? (int)((want + p->priority_add) & 7) : -1;
}

void vpic_wake(struct domain *d)
{
	struct vcpu *v;

	for_each_vcpu(d, v)
		if (vlapic_accepts_pic(v->hvm.vlapic) || vioapic_extint(d, v->hvm.vlapic))
			vcpu_wake(v, VCPU_ATT_IRQ);
}

static void update(struct domain *d)
{
	struct hvm_hw_vpic *m = &d->hvm.vpic->chip[0], *s = &d->hvm.vpic->chip[1];
	bool was = m->int_output;

	/* The slave's output is the master's input 2, as a level. A chip that is being initialised asks nothing. */
	s->int_output = !s->init_state && pending(s) >= 0;
	m->irr = s->int_output ? m->irr | 1U << SLAVE_IR : m->irr & (uint8_t) ~(1U << SLAVE_IR);
	WRITE_ONCE(m->int_output, !m->init_state && pending(m) >= 0); /* read without the lock */
	if (m->int_output && !was)
		vpic_wake(d);
	hvm_tickers_look(d);
}

void vpic_line(struct domain *d, unsigned int isa_irq, bool level)
{
	struct hvm_hw_vpic *p;
	uint8_t bit = (uint8_t)(1U << (isa_irq & 7));

	if (!d->hvm.vpic)
		return;
	p = &d->hvm.vpic->chip[isa_irq >> 3];
	if (level)
		p->irr |= bit;
	else
		p->irr &= (uint8_t)~bit;
	update(d);
}

bool vpic_requested(const struct domain *d, unsigned int isa_irq)
{
	return !d->hvm.vpic || (d->hvm.vpic->chip[isa_irq >> 3].irr & 1U << (isa_irq & 7));
}

bool vpic_output(const struct domain *d)
{
	return READ_ONCE(d->hvm.vpic->chip[0].int_output);
}

/* One INTA cycle pair on a chip; a vanished request gives the spurious vector 7. */
static uint8_t acknowledge(struct hvm_hw_vpic *p, int irq)
{
	if (irq < 0)
		return (uint8_t)(p->irq_base + 7);
	if (!(p->elcr & (1U << irq)))
		p->irr &= (uint8_t) ~(1U << irq);
	if (!p->auto_eoi)
		p->isr |= (uint8_t)(1U << irq);
	else if (p->rotate_on_auto_eoi)
		p->priority_add = (irq + 1) & 7;
	return (uint8_t)(p->irq_base + irq);
}

int vpic_ack(struct domain *d)
{
	struct vpic *pic = d->hvm.vpic;
	int irq, vector = -1;

	spin_lock(&d->hvm.irq_lock);
	irq = pending(&pic->chip[0]);
	if (pic->chip[0].int_output) {
		vector = acknowledge(&pic->chip[0], irq);
		if (irq == (int)SLAVE_IR)
			vector = acknowledge(&pic->chip[1], pending(&pic->chip[1]));
		update(d);
	}
	spin_unlock(&d->hvm.irq_lock);
	return vector;
}

static void start_init(struct hvm_hw_vpic *p, uint8_t icw1)
{
	p->irr &= p->elcr;
	p->imr = 0;
	p->isr = 0;
	p->priority_add = 0;
	p->rotate_on_auto_eoi = 0;
	p->special_mask_mode = 0;
	p->readsel_isr = 0;
	p->poll = 0;
	if (!(icw1 & 1)) {
		p->auto_eoi = 0;
		p->special_fully_nested_mode = 0;
	}
	p->init_state = (uint8_t)(((icw1 & 3) << 2) | 1);
}

/* OCW2: end of interrupt and rotation. */
static void write_ocw2(struct hvm_hw_vpic *p, uint8_t v)
{
	unsigned int cmd = v >> 5, level = v & 7, pri;

	switch (cmd) {
	case 0:
	case 4: /* rotate in automatic EOI mode */
		p->rotate_on_auto_eoi = cmd >> 2;
		break;
	case 1:
	case 5: /* non-specific EOI; in special mask mode it passes over masked inputs */
		pri = highest(p, p->special_mask_mode ? p->isr & (uint8_t)~p->imr : p->isr);
		if (pri == 8)
			break;
		level = (pri + p->priority_add) & 7;
		/* fall through */
	case 3:
	case 7: /* specific EOI */
		p->isr &= (uint8_t) ~(1U << level);
		if (cmd & 4)
			p->priority_add = (level + 1) & 7;
		break;
	case 6:
		p->priority_add = (level + 1) & 7;
		break;
	default:
		break;
	}
}

static void write_ocw3(struct hvm_hw_vpic *p, uint8_t v)
{
	if (v & BIT(6))
		p->special_mask_mode = v >> 5 & 1;
	p->poll = v >> 2 & 1;
	if (v & 2)
		p->readsel_isr = v & 1;
}

static void write_command(struct hvm_hw_vpic *p, uint8_t v)
{
	if (v & ICW1_INIT)
		start_init(p, v);
	else if (v & OCW3)
		write_ocw3(p, v);
	else
		write_ocw2(p, v);
}

static void write_data(struct hvm_hw_vpic *p, uint8_t v)
{
	switch (p->init_state & 3) {
	case 0:
		p->imr = v;
		return;
	case 1: /* ICW2 */
		p->irq_base = v & 0xf8;
		p->init_state++;
		if (!(p->init_state & 8))
			return; /* ICW3 follows */
		break;
	case 2: /* ICW3 is fixed by the wiring */
		break;
	default: /* ICW4 */
		p->special_fully_nested_mode = v >> 4 & 1;
		p->auto_eoi = v >> 1 & 1;
		p->init_state = 0;
		return;
	}
	p->init_state = p->init_state & 4 ? (p->init_state & 0xc) | 3 : 0;
}

static uint8_t read_port(struct hvm_hw_vpic *p, bool data)
{
	if (p->poll) { /* the next read, of whichever port, is the acknowledge */
		int irq = pending(p);

		p->poll = 0;
		if (irq < 0)
			return 0;
		acknowledge(p, irq);
		return (uint8_t)(0x80 | irq);
	}
	if (data)
		return p->imr;
	return p->readsel_isr ? p->isr : p->irr;
}

static enum io_result chip_read(struct vcpu *v, void *opaque, uint64_t offset, unsigned int size,
				uint64_t *val)
{
	struct domain *d = v->domain;

	if (size != 1)
		return IO_PASS;
	spin_lock(&d->hvm.irq_lock);
	*val = read_port(opaque, offset & 1);
	update(d);
	spin_unlock(&d->hvm.irq_lock);
	return IO_DONE;
}

static enum io_result chip_write(struct vcpu *v, void *opaque, uint64_t offset, unsigned int size,
				 uint64_t val)
{
	struct domain *d = v->domain;

	if (size != 1)
		return IO_PASS;
	hvm_callback_update(d); /* before an EOI looks at the wires */
	spin_lock(&d->hvm.irq_lock);
	if (offset & 1)
		write_data(opaque, (uint8_t)val);
	else
		write_command(opaque, (uint8_t)val);
	update(d);
	spin_unlock(&d->hvm.irq_lock);
	return IO_DONE;
}

/* ELCR: lines 0-2, 8 and 13 are always edge-triggered. */
static enum io_result elcr_read(struct vcpu *v, void *opaque, uint64_t offset, unsigned int size,
				uint64_t *val)
{
	const struct vpic *pic = opaque;

	if (size != 1)
		return IO_PASS;
	spin_lock(&v->domain->hvm.irq_lock);
	*val = pic->chip[offset & 1].elcr;
	spin_unlock(&v->domain->hvm.irq_lock);
	return IO_DONE;
}

static enum io_result elcr_write(struct vcpu *v, void *opaque, uint64_t offset, unsigned int size,
				 uint64_t val)
{
	struct hvm_hw_vpic *p = &((struct vpic *)opaque)->chip[offset & 1];

	if (size != 1)
		return IO_PASS;
	spin_lock(&v->domain->hvm.irq_lock);
	p->elcr = (uint8_t)val & (p->is_master ? 0xf8 : 0xde);
	spin_unlock(&v->domain->hvm.irq_lock);
	return IO_DONE;
}

static const struct io_range master_ports = { IO_PORTS, 0x20, 2, chip_read, chip_write };
static const struct io_range slave_ports = { IO_PORTS, 0xa0, 2, chip_read, chip_write };
static const struct io_range elcr_ports = { IO_PORTS, 0x4d0, 2, elcr_read, elcr_write };

static int vpic_init(struct domain *d)
{
	struct vpic *pic = xzalloc(struct vpic);
	int rc;

	if (!pic)
		return -ENOMEM;
	d->hvm.vpic = pic;
	pic->chip[0].is_master = 1;
	rc = io_register(d, &master_ports, &pic->chip[0]);
	if (!rc)
		rc = io_register(d, &slave_ports, &pic->chip[1]);
	if (!rc)
		rc = io_register(d, &elcr_ports, pic);
	return rc;
}

static void vpic_fini(struct domain *d)
{
	xfree(d->hvm.vpic);
	d->hvm.vpic = NULL;
}

/* The line from the slave: edges of it are not told again where Xen goes on with the record. */
#define ELCR_CASCADE BIT(2)

static int pic_save(const struct hvm_instance *at, void *buf)
{
	struct domain *d = at->d;
	struct hvm_hw_vpic *r = buf;

	spin_lock(&d->hvm.irq_lock); /* timers pulse lines, also of a paused domain */
	*r = d->hvm.vpic->chip[at->nr];
	spin_unlock(&d->hvm.irq_lock);
	if (r->is_master)
		r->elcr |= ELCR_CASCADE;
	return sizeof(struct hvm_hw_vpic);
}

static int pic_load(const struct hvm_instance *at, const void *buf)
{
	struct domain *d = at->d;
	struct hvm_hw_vpic p = *(const struct hvm_hw_vpic *)buf;

	if ((p.init_state & 3 ? 0 : p.init_state) || p.priority_add > 7 || (p.irq_base & 7))
		return -EINVAL;
	p.is_master = !at->nr;
	p.elcr &= p.is_master ? 0xf8 : 0xde;
	spin_lock(&d->hvm.irq_lock);
	d->hvm.vpic->chip[at->nr] = p;
	if (at->nr)
		update(d); /* both are there */
	if (at->nr && vpic_output(d))
		vpic_wake(d); /* which the loaded state does not show as a change */
	spin_unlock(&d->hvm.irq_lock);
	return 0;
}

static const struct hvm_record records[] = {
	HVM_RECORD(PIC, SAVE_TWO, sizeof(struct hvm_hw_vpic), pic_save, pic_load),
};

const struct hvm_unit vpic_unit = {
	.name = "PICs",
	.needs = UNIT_PC,
	.init = vpic_init,
	.fini = vpic_fini,
	UNIT_SAVES(records),
};
