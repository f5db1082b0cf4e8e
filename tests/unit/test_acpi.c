/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading ACPI tables: the fields, short tables, damaged MADTs. */
#include "acpi.h"
#include "unit.h"

static struct acpi_facts f;

/* A table of exactly len bytes, so that ASan sees reads beyond it. */
static uint8_t *table(const char *sig, uint32_t len)
{
	uint8_t *t = unit_alloc(len);

	memcpy(t, sig, 4);
	memcpy(t + 4, &len, 4);
	memset(&f, 0, sizeof(f));
	return t;
}

static void put_gas(uint8_t *t, unsigned int off, uint8_t space, uint64_t addr)
{
	t[off] = space;
	memcpy(t + off + 4, &addr, 8);
}

TEST(acpi_checksum)
{
	struct acpi_rsdp r = { .sig = "RSD PTR " };
	uint8_t sum = 0;

	memcpy(r.sig, "RSD PTR ", 8);
	for (unsigned int i = 0; i < 20; i++)
		sum = (uint8_t)(sum + ((uint8_t *)&r)[i]);
	r.checksum = (uint8_t)-sum;
	EXPECT(acpi_rsdp_ok(&r) && acpi_checksum_ok(&r, 20));
	r.rsdt ^= 1;
	EXPECT(!acpi_rsdp_ok(&r));
	r.rsdt ^= 1;
	r.sig[0] = 'r';
	EXPECT(!acpi_rsdp_ok(&r));
}

TEST(acpi_fadt)
{
	uint8_t *t = table("FACP", 276);
	uint32_t port = 0x604, flags = 1 << 10 | 1 << 8;

	memcpy(t + 64, &port, 4);
	memcpy(t + 112, &flags, 4);
	put_gas(t, 116, 1, 0xcf9);
	t[128] = 6;
	put_gas(t, 208, 1, 0x608);
	acpi_read_fadt((struct acpi_header *)t, &f);
	EXPECT(f.have_fadt && f.pm1a_cnt == 0x604 && f.pm1b_cnt == 0 && f.pm_tmr == 0x608 &&
	       f.pm_tmr_32bit);
	EXPECT(f.reset_type == 1 && f.reset_addr == 0xcf9 && f.reset_value == 6);
	put_gas(t, 116, 1, 0x12345);
	acpi_read_fadt((struct acpi_header *)t, &f);
	EXPECT(f.reset_type == 0xff);
	unit_free(t);

	t = table("FACP", 116); /* ACPI 1.0: nothing behind the flags */
	memcpy(t + 64, &port, 4);
	memcpy(t + 112, &flags, 4);
	acpi_read_fadt((struct acpi_header *)t, &f);
	EXPECT(f.pm1a_cnt == 0x604 && f.reset_type == 0xff);
	unit_free(t);
	t = table("FACP", 36);
	acpi_read_fadt((struct acpi_header *)t, &f);
	EXPECT(!f.pm1a_cnt && !f.pm_tmr);
	unit_free(t);
}

TEST(acpi_madt)
{
	static const uint8_t entries[] = {
		0, 8,  0, 4, 1,	   0, 0,    0,				  /* LAPIC 4 */
		0, 8,  1, 5, 0,	   0, 0,    0,				  /* disabled */
		0, 8,  2, 4, 1,	   0, 0,    0,				  /* again 4 */
		1, 12, 7, 0, 0,	   0, 0xc0, 0xfe, 0, 0, 0, 0,		  /* IO-APIC */
		2, 10, 0, 0, 2,	   0, 0,    0,	  0, 0,			  /* override */
		9, 16, 0, 0, 0x2c, 1, 0,    0,	  1, 0, 0, 0, 0, 0, 0, 0, /* x2APIC 300 */
		5, 12, 0, 0, 0,	   0, 0xe0, 0xfe, 1, 0, 0, 0,		  /* address override */
	};
	uint8_t *t = table("APIC", 44 + sizeof(entries));

	memcpy(t + 44, entries, sizeof(entries));
	acpi_read_madt((struct acpi_header *)t, &f);
	EXPECT(f.nr_cpus == 2 && f.cpu_apic_id[0] == 4 && f.cpu_apic_id[1] == 300);
	EXPECT(f.nr_ioapics == 1 && f.ioapic[0].addr == 0xfec00000 && f.ioapic[0].id == 7);
	EXPECT(f.lapic_addr == 0x1fee00000ULL);
	unit_free(t);
}

TEST(acpi_madt_random_damage)
{
	for (unsigned int round = 0; round < 20000; round++) {
		uint32_t len = 36 + (uint32_t)(unit_random() % 600);
		uint8_t *t = table("APIC", len);

		for (unsigned int i = 44; i < len; i++)
			t[i] = (uint8_t)(unit_random() % 20);
		acpi_read_madt((struct acpi_header *)t, &f);
		EXPECT(f.nr_cpus <= ARRAY_SIZE(f.cpu_apic_id) &&
		       f.nr_ioapics <= ARRAY_SIZE(f.ioapic));
		acpi_read_fadt((struct acpi_header *)t, &f);
		acpi_read_hpet((struct acpi_header *)t, &f);
		unit_free(t);
	}
}

TEST(acpi_madt_many_cpus)
{
	uint8_t *t = table("APIC", 44 + 8 * 200);

	for (unsigned int i = 0; i < 200; i++) {
		uint8_t e[8] = { 0, 8, (uint8_t)i, (uint8_t)i, 1 };

		memcpy(t + 44 + 8 * i, e, 8);
	}
	acpi_read_madt((struct acpi_header *)t, &f);
	EXPECT(f.nr_cpus == ARRAY_SIZE(f.cpu_apic_id) && strstr(unit_log(), "more than"));
	unit_free(t);
}
