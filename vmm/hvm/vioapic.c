// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The IO-APIC: 48 inputs, version 11h, EOI by the local APICs' EOI messages. 82093AA datasheet; ICH9 13.5.7
 * for the layout. d->hvm.irq_lock guards everything.
 */
#include "internal.h"
#include "irq_private.h"
#include "units.h"

#define IOAPIC_BASE 0xfec00000UL
#define REG_SELECT  0x00
#define REG_WINDOW  0x10
#define REG_EOI	    0x40
#define INDEX_ID    0x00
#define INDEX_VER   0x01
#define INDEX_ARB   0x02
#define INDEX_REDIR 0x10
#define VERSION	    0x11U
#define MODE_EXTINT 7

struct vioapic {
	struct domain *domain;
	uint32_t select, id;
	union vioapic_redir_entry redir[VIOAPIC_NUM_PINS];
};

static bool asserted(const struct domain *d, unsigned int pin)
{
	return d->hvm.irq->gsi_count[pin];
}

static void deliver(struct domain *d, unsigned int pin)
{
	const union vioapic_redir_entry *e = &d->hvm.vioapic->redir[pin];
	uint8_t mode = e->fields.delivery_mode;

	if (mode == MODE_EXTINT || mode == 2 || mode == 3 || mode > 5)
		return; /* ExtINT goes by vpic_output; SMI and the reserved modes go nowhere */
	vlapic_deliver(d, NULL, e->fields.dest_id, e->fields.dest_mode, false, mode,
		       e->fields.vector, e->fields.trig_mode, 0);
}

/* A level input that is high and not in service is delivered. */
static void try_level(struct domain *d, unsigned int pin)
{
	union vioapic_redir_entry *e = &d->hvm.vioapic->redir[pin];

	if (e->fields.mask || !e->fields.trig_mode || e->fields.remote_irr || !asserted(d, pin))
		return;
	e->fields.remote_irr = 1;
	deliver(d, pin);
}

void vioapic_raise(struct domain *d, unsigned int gsi)
{
	struct vioapic *io = d->hvm.vioapic;

	if (!io || io->redir[gsi].fields.mask)
		return;
	if (io->redir[gsi].fields.trig_mode)
		try_level(d, gsi);
	else
		deliver(d, gsi);
}

void vioapic_lower(struct domain *d, unsigned int gsi)
{
	(void)d;
	(void)gsi; /* remote IRR stays until the EOI */
}

bool vioapic_masked(const struct domain *d, unsigned int gsi)
{
	return !d->hvm.vioapic || d->hvm.vioapic->redir[gsi].fields.mask;
}

void vioapic_eoi(struct domain *d, uint8_t vector)
{
	struct vioapic *io = d->hvm.vioapic;

	if (!io)
		return;
	hvm_callback_update(d);
	spin_lock(&d->hvm.irq_lock);
	for (unsigned int pin = 0; pin < VIOAPIC_NUM_PINS; pin++) {
		union vioapic_redir_entry *e = &io->redir[pin];

		if (e->fields.vector != vector || !e->fields.trig_mode)
			continue;
		e->fields.remote_irr = 0;
		try_level(d, pin);
	}
	spin_unlock(&d->hvm.irq_lock);
}

bool vioapic_extint(struct domain *d, struct vlapic *a)
{
	const union vioapic_redir_entry *e;

	if (!d->hvm.vioapic)
		return false;
	e = &d->hvm.vioapic->redir[0];
	return !e->fields.mask && e->fields.delivery_mode == MODE_EXTINT &&
	       vlapic_match_dest(a, e->fields.dest_id, e->fields.dest_mode, false);
}

static uint32_t read_window(const struct vioapic *io)
{
	unsigned int pin = (io->select - INDEX_REDIR) / 2;

	switch (io->select) {
	case INDEX_ID:
	case INDEX_ARB:
		return (io->id & 0xf) << 24;
	case INDEX_VER:
		return (VIOAPIC_NUM_PINS - 1) << 16 | VERSION;
	default:
		if (io->select < INDEX_REDIR || pin >= VIOAPIC_NUM_PINS)
			return 0;
		return (uint32_t)(io->redir[pin].bits >> (io->select & 1 ? 32 : 0));
	}
}

/* Pin 0 changed, by which the PIC's interrupt may have been waiting to get to a vCPU that sleeps. */
static void wire_changed(struct domain *d)
{
	if (d->hvm.vpic && vpic_output(d))
		vpic_wake(d);
}

/* Delivery status and remote IRR are read-only; an entry that becomes edge loses its remote IRR. */
static void write_redir(struct vioapic *io, unsigned int pin, bool high, uint32_t v)
{
	union vioapic_redir_entry *e = &io->redir[pin];

	if (high) {
		e->bits = (e->bits & 0xffffffff) | (uint64_t)(v & 0xff000000) << 32;
	} else {
		bool remote_irr = e->fields.remote_irr;

		e->bits = (e->bits & ~0xffffffffULL) | (v & 0x1afff);
		e->fields.remote_irr = e->fields.trig_mode && remote_irr;
	}
	try_level(io->domain, pin);
	if (pin == 0)
		wire_changed(io->domain);
	hvm_tickers_look(io->domain);
}

static void write_window(struct vioapic *io, uint32_t v)
{
	unsigned int pin = (io->select - INDEX_REDIR) / 2;

	if (io->select == INDEX_ID)
		io->id = v >> 24 & 0xf;
	else if (io->select >= INDEX_REDIR && pin < VIOAPIC_NUM_PINS)
		write_redir(io, pin, io->select & 1, v);
}

static enum io_result mmio_read(struct vcpu *v, void *opaque, uint64_t offset, unsigned int size,
				uint64_t *val)
{
	struct vioapic *io = opaque;

	(void)size;
	spin_lock(&v->domain->hvm.irq_lock);
	*val = offset == REG_SELECT ? io->select : offset == REG_WINDOW ? read_window(io) : 0;
	spin_unlock(&v->domain->hvm.irq_lock);
	return IO_DONE;
}

static enum io_result mmio_write(struct vcpu *v, void *opaque, uint64_t offset, unsigned int size,
				 uint64_t val)
{
	struct vioapic *io = opaque;

	(void)size;
	if (offset == REG_EOI) {
		vioapic_eoi(v->domain, (uint8_t)val);
		return IO_DONE;
	}
	spin_lock(&v->domain->hvm.irq_lock);
	if (offset == REG_SELECT)
		io->select = val & 0xff;
	else if (offset == REG_WINDOW)
		write_window(io, (uint32_t)val);
	spin_unlock(&v->domain->hvm.irq_lock);
	return IO_DONE;
}

static const struct io_range vioapic_registers = { IO_MEMORY, IOAPIC_BASE, 0x100, mmio_read,
						   mmio_write };

static int vioapic_init(struct domain *d)
{
	struct vioapic *io = xzalloc(struct vioapic);

	if (!io)
		return -ENOMEM;
	io->domain = d;
	for (unsigned int i = 0; i < VIOAPIC_NUM_PINS; i++)
		io->redir[i].fields.mask = 1;
	d->hvm.vioapic = io;
	return io_register(d, &vioapic_registers, io);
}

static void vioapic_fini(struct domain *d)
{
	xfree(d->hvm.vioapic);
	d->hvm.vioapic = NULL;
}

static int ioapic_save(const struct hvm_instance *at, void *buf)
{
	struct domain *d = at->d;
	const struct vioapic *io = d->hvm.vioapic;
	struct hvm_hw_vioapic *r = buf;

	r->base_address = IOAPIC_BASE;
	spin_lock(&d->hvm.irq_lock);
	r->ioregsel = io->select;
	r->id = io->id;
	memcpy(r->redirtbl, io->redir, sizeof(io->redir));
	spin_unlock(&d->hvm.irq_lock);
	return sizeof(struct hvm_hw_vioapic);
}

static int ioapic_load(const struct hvm_instance *at, const void *buf)
{
	struct domain *d = at->d;
	const struct hvm_hw_vioapic *r = buf;
	struct vioapic *io = d->hvm.vioapic;

	if (r->base_address != IOAPIC_BASE)
		return -EINVAL;
	spin_lock(&d->hvm.irq_lock);
	io->select = r->ioregsel & 0xff;
	io->id = r->id & 0xf;
	for (unsigned int pin = 0; pin < VIOAPIC_NUM_PINS; pin++)
		io->redir[pin].bits = r->redirtbl[pin].bits & 0xff0000000001efffULL;
	wire_changed(d);
	hvm_tickers_look(d);
	spin_unlock(&d->hvm.irq_lock);
	return 0;
}

static const struct hvm_record records[] = {
	HVM_RECORD(IOAPIC, SAVE_PER_DOMAIN, sizeof(struct hvm_hw_vioapic), ioapic_save,
		   ioapic_load),
};

const struct hvm_unit vioapic_unit = {
	.name = "IO-APIC",
	.needs = UNIT_PC,
	.init = vioapic_init,
	.fini = vioapic_fini,
	UNIT_SAVES(records),
};
