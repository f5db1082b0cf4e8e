// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dom0's ACPI root: RSDP, XSDT, MADT and FADT are rebuilt, what describes CPUs, NUMA, IOMMUs and error
 * sources that the VMM keeps is left out, everything else stays where the firmware put it. ACPI 6.4,
 * chapter 5.2.
 */
#include "acpi.h"
#include "internal.h"

#define FADT_FLAGS_OFFSET	 112
#define FADT_FORCE_APIC_PHYSICAL BIT(19)
#define MADT_TYPE_LAPIC		 0
#define MADT_TYPE_IOAPIC	 1
#define MADT_TYPE_OVERRIDE	 2
#define MADT_TYPE_NMI		 3
#define MADT_TYPE_X2APIC	 9
#define MADT_ENTRIES		 44
#define MADT_ENABLED		 1U
#define OVERRIDE_BYTES		 10U
#define OVERRIDE_LEVEL_LOW	 0xfU /* trigger mode in bits 2-3, polarity in bits 0-1 */
#define PORT_ELCR		 0x4d0
#define ELCR_NEVER_LEVEL	 0x2107U /* timer, keyboard, cascade, clock, FPU */
#define NR_ISA_IRQS		 16U

struct builder {
	uint64_t base, used, size;
};

static void *place(struct builder *b, uint64_t len, uint64_t *addr)
{
	void *p;

	if (len > b->size - b->used)
		panic("dom0: its ACPI tables need more than %lu bytes", b->size);
	*addr = b->base + b->used;
	p = maddr_to_virt(_maddr(*addr));
	b->used = ROUND_UP(b->used + len, 64);
	return p;
}

static void fix_checksum(void *p, size_t len, size_t at)
{
	uint8_t *b = p, sum = 0;

	b[at] = 0;
	for (size_t i = 0; i < len; i++)
		sum = (uint8_t)(sum + b[i]);
	b[at] = (uint8_t)-sum;
}

static void finish(struct acpi_header *h, uint32_t len)
{
	h->length = len;
	fix_checksum(h, len, offsetof(struct acpi_header, checksum));
}

/* UID = vCPU id, APIC ID = the CPU's: Linux finds its vCPU by the UID. */
static uint32_t add_cpu(uint8_t *at, unsigned int id)
{
	uint32_t apic_id = cpus[id]->apic_id, uid = id, flags = MADT_ENABLED;

	if (apic_id < 255) {
		at[0] = MADT_TYPE_LAPIC;
		at[1] = 8;
		at[2] = (uint8_t)uid;
		at[3] = (uint8_t)apic_id;
		memcpy(at + 4, &flags, 4);
		return 8;
	}
	at[0] = MADT_TYPE_X2APIC;
	at[1] = 16;
	memset(at + 2, 0, 2);
	memcpy(at + 4, &apic_id, 4);
	memcpy(at + 8, &flags, 4);
	memcpy(at + 12, &uid, 4);
	return 16;
}

static bool has_override(const struct acpi_header *madt, uint32_t len, uint8_t irq)
{
	const uint8_t *e = (const uint8_t *)madt + MADT_ENTRIES, *end = (const uint8_t *)madt + len;

	for (; e < end; e += e[1])
		if (e[0] == MADT_TYPE_OVERRIDE && e[3] == irq)
			return true;
	return false;
}

/*
 * ISA lines that the firmware has made level-triggered (ELCR) are PCI's. Without PICs Linux sets every pin up once,
 * as an override or else ISA has it, and then refuses a PCI device that needs it otherwise.
 */
static uint32_t add_pci_lines(struct acpi_header *madt, uint32_t len)
{
	uint32_t level = inb(PORT_ELCR) | (uint32_t)inb(PORT_ELCR + 1) << 8;

	if (level & ELCR_NEVER_LEVEL)
		return len; /* nothing answers there */
	for (uint8_t irq = 0; irq < NR_ISA_IRQS; irq++) {
		const uint8_t entry[OVERRIDE_BYTES] = {
			MADT_TYPE_OVERRIDE, OVERRIDE_BYTES, 0, irq, irq, 0, 0, 0, OVERRIDE_LEVEL_LOW
		};

		if (!(level & BIT(irq)) || has_override(madt, len, irq))
			continue;
		memcpy((uint8_t *)madt + len, entry, sizeof(entry));
		len += OVERRIDE_BYTES;
	}
	return len;
}

/* PCAT_COMPAT stays clear: dom0 has no PICs. */
static uint64_t build_madt(struct builder *b, const struct acpi_header *host, unsigned int nr_vcpus)
{
	const uint8_t *e = (const uint8_t *)host + MADT_ENTRIES,
		      *end = (const uint8_t *)host + host->length;
	uint64_t addr;
	struct acpi_header *h =
		place(b, host->length + nr_vcpus * 16 + NR_ISA_IRQS * OVERRIDE_BYTES, &addr);
	uint32_t len = MADT_ENTRIES;

	memcpy(h, host, MADT_ENTRIES);
	memset((uint8_t *)h + 40, 0, 4);
	for (unsigned int i = 0; i < nr_vcpus; i++)
		len += add_cpu((uint8_t *)h + len, i);
	for (; e + 2 <= end && e[1] >= 2 && e + e[1] <= end; e += e[1]) {
		if (e[0] != MADT_TYPE_IOAPIC && e[0] != MADT_TYPE_OVERRIDE && e[0] != MADT_TYPE_NMI)
			continue;
		memcpy((uint8_t *)h + len, e, e[1]);
		len += e[1];
	}
	len = add_pci_lines(h, len);
	finish(h, len);
	return addr;
}

static uint64_t build_fadt(struct builder *b, const struct acpi_header *host)
{
	uint64_t addr;
	struct acpi_header *h = place(b, host->length, &addr);
	uint32_t flags;

	memcpy(h, host, host->length);
	if (host->length >= FADT_FLAGS_OFFSET + 4) {
		memcpy(&flags, (uint8_t *)h + FADT_FLAGS_OFFSET, 4);
		flags |= FADT_FORCE_APIC_PHYSICAL;
		memcpy((uint8_t *)h + FADT_FLAGS_OFFSET, &flags, 4);
	}
	finish(h, host->length);
	return addr;
}

static bool is_hidden(const struct acpi_header *t)
{
	static const char hidden[][5] = { "SRAT", "SLIT", "HMAT", "DMAR", "IVRS",
					  "HEST", "BERT", "EINJ", "ERST" };

	for (unsigned int i = 0; i < ARRAY_SIZE(hidden); i++)
		if (!memcmp(t->sig, hidden[i], 4))
			return true;
	return false;
}

static uint64_t build_xsdt(struct builder *b, unsigned int nr_vcpus)
{
	static const struct acpi_header empty = {
		.sig = { 'X', 'S', 'D', 'T' },
		.revision = 1,
		.oem_id = "PLINTH",
		.oem_table_id = { 'D', 'O', 'M', '0' },
		.oem_revision = 1,
		.creator_id = { 'P', 'L', 'N', 'T' },
		.creator_revision = 1,
	};
	const struct acpi_header *t;
	uint64_t addr, entry, entries[128];
	unsigned int n = 0;
	struct acpi_header *h;

	for (unsigned int i = 0; (t = acpi_table(i)) && n < ARRAY_SIZE(entries); i++) {
		if (!memcmp(t->sig, "XSDT", 4) || !memcmp(t->sig, "RSDT", 4) || is_hidden(t))
			continue;
		entry = acpi_table_maddr(t).v;
		if (!memcmp(t->sig, "APIC", 4))
			entry = build_madt(b, t, nr_vcpus);
		else if (!memcmp(t->sig, "FACP", 4))
			entry = build_fadt(b, t);
		entries[n++] = entry;
	}
	h = place(b, sizeof(*h) + n * 8, &addr);
	*h = empty;
	memcpy(h + 1, entries, n * 8);
	finish(h, (uint32_t)(sizeof(*h) + n * 8));
	return addr;
}

uint64_t dom0_build_acpi(uint64_t at, uint64_t size, unsigned int nr_vcpus)
{
	struct builder b = { .base = at, .size = size };
	uint64_t addr;
	struct acpi_rsdp *r = place(&b, sizeof(*r), &addr);

	memcpy(r->sig, "RSD PTR ", 8);
	memcpy(r->oem_id, "PLINTH", 6);
	r->revision = 2;
	r->length = sizeof(*r);
	r->xsdt = build_xsdt(&b, nr_vcpus);
	fix_checksum(r, 20, offsetof(struct acpi_rsdp, checksum));
	fix_checksum(r, sizeof(*r), offsetof(struct acpi_rsdp, ext_checksum));
	return addr;
}
