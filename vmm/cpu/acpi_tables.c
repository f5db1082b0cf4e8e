/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading ACPI's static tables: FADT (5.2.9), MADT (5.2.12), HPET (IA-PC HPET 1.0a, 3.2.4).
 * Fields beyond a table's length count as zero. Pure: the host tests run it.
 */
#include "acpi.h"

#define FADT_PM1A_CNT	   64
#define FADT_PM1B_CNT	   68
#define FADT_PM_TMR	   76
#define FADT_FLAGS	   112
#define FADT_RESET_REG	   116
#define FADT_RESET_VAL	   128
#define FADT_X_PM1A_CNT	   172
#define FADT_X_PM1B_CNT	   184
#define FADT_X_PM_TMR	   208

#define FADT_TMR_VAL_EXT   BIT(8)
#define FADT_RESET_REG_SUP BIT(10)

#define GAS_MEMORY	   0
#define GAS_IO		   1

#define MADT_ENTRIES	   44
#define MADT_LAPIC	   0
#define MADT_IOAPIC	   1
#define MADT_LAPIC_ADDR	   5
#define MADT_X2APIC	   9
#define MADT_ENABLED	   BIT(0)

bool acpi_checksum_ok(const void *p, uint64_t len)
{
	const uint8_t *b = p;
	uint8_t sum = 0;

	while (len--)
		sum = (uint8_t)(sum + *b++);
	return sum == 0;
}

bool acpi_rsdp_ok(const struct acpi_rsdp *r)
{
	if (memcmp(r->sig, "RSD PTR ", 8) != 0 || !acpi_checksum_ok(r, 20))
		return false;
	/* firmware gets the extended checksum wrong at times; the first one decides */
	return true;
}

static uint64_t field(const struct acpi_header *t, unsigned int off, unsigned int size)
{
	uint64_t v = 0;

	if (off + size <= t->length)
		memcpy(&v, (const uint8_t *)t + off, size);
	return v;
}

static struct acpi_gas gas(const struct acpi_header *t, unsigned int off)
{
	struct acpi_gas g = { 0 };

	if (off + sizeof(g) <= t->length)
		memcpy(&g, (const uint8_t *)t + off, sizeof(g));
	return g;
}

/* The extended address when it is an I/O port, else the old 32-bit field. */
static uint16_t port_field(const struct acpi_header *t, unsigned int x_off, unsigned int off)
{
	struct acpi_gas g = gas(t, x_off);

	if (g.space == GAS_IO && g.addr && g.addr < 0x10000)
		return (uint16_t)g.addr;
	return (uint16_t)field(t, off, 4);
}

void acpi_read_fadt(const struct acpi_header *t, struct acpi_facts *f)
{
	uint32_t flags = (uint32_t)field(t, FADT_FLAGS, 4);
	struct acpi_gas reset = gas(t, FADT_RESET_REG);

	f->have_fadt = true;
	f->pm1a_cnt = port_field(t, FADT_X_PM1A_CNT, FADT_PM1A_CNT);
	f->pm1b_cnt = port_field(t, FADT_X_PM1B_CNT, FADT_PM1B_CNT);
	f->pm_tmr = port_field(t, FADT_X_PM_TMR, FADT_PM_TMR);
	f->pm_tmr_32bit = flags & FADT_TMR_VAL_EXT;
	f->reset_type = 0xff;
	if (!(flags & FADT_RESET_REG_SUP) || !reset.addr || reset.space > GAS_IO)
		return;
	if (reset.space == GAS_IO && reset.addr > 0xffff)
		return;
	f->reset_type = reset.space;
	f->reset_addr = reset.addr;
	f->reset_value = (uint8_t)field(t, FADT_RESET_VAL, 1);
}

static void add_cpu(struct acpi_facts *f, uint32_t apic_id)
{
	for (unsigned int i = 0; i < f->nr_cpus; i++)
		if (f->cpu_apic_id[i] == apic_id)
			return;
	if (f->nr_cpus < ARRAY_SIZE(f->cpu_apic_id))
		f->cpu_apic_id[f->nr_cpus++] = apic_id;
	else
		printk_once(LOG_WARN "MADT: more than %lu CPUs; the rest is not used\n",
			    ARRAY_SIZE(f->cpu_apic_id));
}

static void add_ioapic(struct acpi_facts *f, const uint8_t *e)
{
	uint32_t addr, base;

	if (f->nr_ioapics == ARRAY_SIZE(f->ioapic))
		return;
	memcpy(&addr, e + 4, 4);
	memcpy(&base, e + 8, 4);
	f->ioapic[f->nr_ioapics].id = e[2];
	f->ioapic[f->nr_ioapics].addr = addr;
	f->ioapic[f->nr_ioapics].gsi_base = base;
	f->nr_ioapics++;
}

static void madt_entry(const uint8_t *e, struct acpi_facts *f)
{
	uint32_t flags, id;

	if (e[0] == MADT_LAPIC && e[1] >= 8) {
		memcpy(&flags, e + 4, 4);
		if ((flags & MADT_ENABLED) && e[3] != 0xff)
			add_cpu(f, e[3]);
	} else if (e[0] == MADT_X2APIC && e[1] >= 16) {
		memcpy(&id, e + 4, 4);
		memcpy(&flags, e + 8, 4);
		if ((flags & MADT_ENABLED) && id != ~0U)
			add_cpu(f, id);
	} else if (e[0] == MADT_IOAPIC && e[1] >= 12) {
		add_ioapic(f, e);
	} else if (e[0] == MADT_LAPIC_ADDR && e[1] >= 12) {
		memcpy(&f->lapic_addr, e + 4, 8);
	}
}

void acpi_read_madt(const struct acpi_header *t, struct acpi_facts *f)
{
	const uint8_t *base = (const uint8_t *)t;
	uint32_t pos = MADT_ENTRIES;

	f->lapic_addr = field(t, 36, 4);
	while (pos + 2 <= t->length) {
		if (base[pos + 1] < 2 || base[pos + 1] > t->length - pos)
			break;
		madt_entry(base + pos, f);
		pos += base[pos + 1];
	}
}

void acpi_read_hpet(const struct acpi_header *t, struct acpi_facts *f)
{
	struct acpi_gas g = gas(t, 40);

	if (g.space == GAS_MEMORY)
		f->hpet_addr = g.addr;
}
