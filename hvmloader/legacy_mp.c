/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MP configuration table (MultiProcessor Specification 1.4, chapter 4): processors that are online,
 * a PCI and an ISA bus, one IO-APIC, the ISA interrupts and those pins of PCI functions that exist.
 */
#include "legacy.h"
#include "layout.h"
#include "util.h"

#define PACKED		__attribute__((packed))
#define PCI_BUS		0
#define ISA_BUS		1
#define APIC_VERSION	0x14
#define IOAPIC_VERSION	0x11
#define INT_INT		0
#define INT_NMI		1
#define INT_EXTINT	3
#define FLAGS_CONFORMS	0x0
#define FLAGS_LEVEL_LOW 0xf
#define ALL_CPUS	0xff

struct mp_floating {
	char signature[4];
	uint32_t addr;
	uint8_t length, revision, checksum, features[5];
} PACKED;

struct mp_config {
	char signature[4];
	uint16_t length;
	uint8_t revision, checksum;
	char oem_id[8], product_id[12];
	uint32_t oem_table;
	uint16_t oem_size, nr_entries;
	uint32_t lapic_addr;
	uint16_t ext_length;
	uint8_t ext_checksum, reserved;
} PACKED;

struct mp_cpu {
	uint8_t type, apic_id, apic_version, flags;
	uint32_t signature, features, reserved[2];
} PACKED;

struct mp_bus {
	uint8_t type, id;
	char name[6];
} PACKED;

struct mp_ioapic {
	uint8_t type, id, version, flags;
	uint32_t addr;
} PACKED;

struct mp_int {
	uint8_t type, int_type;
	uint16_t flags;
	uint8_t bus, irq, apic, pin;
} PACKED;

struct build {
	struct arena *a;
	struct mp_config *config;
	bool full;
};

static void *entry(struct build *b, uint32_t size, uint8_t type)
{
	uint8_t *p = arena_alloc(b->a, size, 1, NULL);

	if (!p) {
		b->full = true;
		return NULL;
	}
	p[0] = type;
	b->config->nr_entries++;
	return p;
}

static void add_cpus(struct build *b, const struct legacy_mp_input *in)
{
	for (uint32_t i = 0; i < in->nr_vcpus; i++) {
		struct mp_cpu *c;

		if (!((in->online[i / 8] >> (i % 8)) & 1))
			continue;
		c = entry(b, sizeof(*c), 0);
		if (!c)
			return;
		c->apic_id = (uint8_t)in->apic_ids[i];
		c->apic_version = APIC_VERSION;
		c->flags = i ? 1 : 3; /* enabled; the first one boots */
		c->signature = in->cpu_signature;
		c->features = in->cpu_features;
	}
}

static void add_bus(struct build *b, uint8_t id, const char *name)
{
	struct mp_bus *bus = entry(b, sizeof(*bus), 1);

	if (!bus)
		return;
	bus->id = id;
	memcpy(bus->name, name, sizeof(bus->name));
}

static void add_ioapic(struct build *b, uint8_t id)
{
	struct mp_ioapic *io = entry(b, sizeof(*io), 2);

	if (!io)
		return;
	io->id = id;
	io->version = IOAPIC_VERSION;
	io->flags = 1;
	io->addr = IOAPIC_ADDR;
}

static void add_int(struct build *b, uint8_t type, struct mp_int what)
{
	struct mp_int *i = entry(b, sizeof(*i), type);

	if (!i)
		return;
	*i = what;
	i->type = type;
}

static void add_isa(struct build *b, uint8_t ioapic)
{
	/* The PIC behind pin 0. */
	add_int(b, 3, (struct mp_int){ .int_type = INT_EXTINT, .bus = ISA_BUS, .apic = ioapic });
	for (uint8_t irq = 0; irq < 16; irq++) {
		struct mp_int i = { .bus = ISA_BUS, .irq = irq, .apic = ioapic };

		if (irq == 2)
			continue;
		i.pin = irq ? irq : 2;
		i.flags = (PCI_ISA_IRQ_MASK & (1u << irq)) || irq == SCI_IRQ ? FLAGS_LEVEL_LOW
									     : FLAGS_CONFORMS;
		add_int(b, 3, i);
	}
}

static void add_pci(struct build *b, const struct pci_state *pci, uint8_t ioapic)
{
	uint8_t seen[32] = { 0 };

	for (uint32_t n = 0; n < pci->nr_functions; n++) {
		const struct pci_function *f = &pci->function[n];
		unsigned int dev = f->devfn >> 3, pin = f->int_pin - 1u;

		if (!f->int_pin || (seen[dev] & (1u << pin)))
			continue;
		seen[dev] |= (uint8_t)(1u << pin);
		add_int(b, 3,
			(struct mp_int){
				.flags = FLAGS_LEVEL_LOW,
				.bus = PCI_BUS,
				.irq = (uint8_t)(dev << 2 | pin),
				.apic = ioapic,
				.pin = (uint8_t)PCI_INTX_GSI(dev, pin),
			});
	}
}

static void add_local(struct build *b)
{
	add_int(b, 4, (struct mp_int){ .int_type = INT_EXTINT, .bus = ISA_BUS, .apic = ALL_CPUS });
	add_int(b, 4,
		(struct mp_int){
			.int_type = INT_NMI,
			.bus = ISA_BUS,
			.apic = ALL_CPUS,
			.pin = 1,
		});
}

uint32_t legacy_build_mp(struct arena *tables, const struct legacy_mp_input *in)
{
	uint32_t floating_gpa, config_gpa, start;
	struct mp_floating *f = arena_alloc(tables, sizeof(*f), 16, &floating_gpa);
	struct build b = { .a = tables };

	b.config = arena_alloc(tables, sizeof(*b.config), 16, &config_gpa);
	if (!f || !b.config)
		return 0;
	start = config_gpa - tables->gpa;
	add_cpus(&b, in);
	add_bus(&b, PCI_BUS, "PCI   ");
	add_bus(&b, ISA_BUS, "ISA   ");
	add_ioapic(&b, in->ioapic_id);
	add_isa(&b, in->ioapic_id);
	add_pci(&b, in->pci, in->ioapic_id);
	add_local(&b);
	if (b.full)
		return 0;

	memcpy(b.config->signature, "PCMP", 4);
	memcpy(b.config->oem_id, "PLINTH  ", 8);
	memcpy(b.config->product_id, "HVM         ", 12);
	b.config->length = (uint16_t)(tables->used - start);
	b.config->revision = 4;
	b.config->lapic_addr = LAPIC_ADDR;
	b.config->checksum = util_checksum(b.config, b.config->length);
	memcpy(f->signature, "_MP_", 4);
	f->addr = config_gpa;
	f->length = 1;
	f->revision = 4;
	f->checksum = util_checksum(f, sizeof(*f));
	return floating_gpa;
}
