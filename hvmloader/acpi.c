/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ACPI tables (ACPI 6.4 section 5.2): information page, FACS, DSDT and SSDTs (compiled from asl/),
 * FADT, HPET, WAET, RSDT, XSDT, RSDP. MADT is in acpi_madt.c, SRAT and SLIT in acpi_numa.c.
 */
#include "acpi.h"
#include "layout.h"
#include "util.h"

struct list {
	uint32_t nr;
	uint32_t gpa[ACPI_TABLES_MAX];
	const char *error;
};

void acpi_seal(struct acpi_header *h, const char *signature, uint32_t length, uint8_t revision)
{
	memcpy(h->signature, signature, 4);
	h->length = length;
	h->revision = revision;
	memcpy(h->oem_id, "PLINTH", 6);
	memcpy(h->oem_table_id, "HVM     ", 8);
	h->oem_revision = 1;
	memcpy(h->creator_id, "PLTH", 4);
	h->creator_revision = 1;
	h->checksum = 0;
	h->checksum = util_checksum(h, length);
}

static void add(struct list *l, uint32_t gpa)
{
	if (l->nr == ACPI_TABLES_MAX)
		l->error = "too many ACPI tables";
	else
		l->gpa[l->nr++] = gpa;
}

static void *table(struct arena *a, struct list *l, uint32_t size, uint32_t align, uint32_t *gpa)
{
	void *p = arena_alloc(a, size, align, gpa);

	if (!p)
		l->error = "no room for the ACPI tables";
	return p;
}

static uint32_t copy_blob(struct arena *a, struct list *l, const struct acpi_blob *b)
{
	uint32_t gpa = 0;
	void *p = table(a, l, b->size, 16, &gpa);

	if (p)
		memcpy(p, b->data, b->size);
	return p ? gpa : 0;
}

static void add_blob(struct arena *a, struct list *l, const struct acpi_blob *b)
{
	uint32_t gpa = copy_blob(a, l, b);

	if (gpa)
		add(l, gpa);
}

static void build_info(struct arena *a, struct list *l, const struct acpi_input *in,
		       struct acpi_result *out)
{
	struct acpi_info *info = table(a, l, PAGE_BYTES, PAGE_BYTES, NULL);
	uint8_t *gid;

	if (!info)
		return;
	info->present = in->present;
	info->pci_min = in->pci_min;
	info->pci_len = in->pci_len;
	info->pci_hi_min = in->pci_hi_min;
	info->pci_hi_len = in->pci_hi_len;
	info->pci_hi_max = in->pci_hi_len ? in->pci_hi_min + in->pci_hi_len - 1 : 0;
	for (uint32_t i = 0; i < in->nr_vcpus; i++) {
		info->cpu_flags[i] = (in->online[i / 8] >> (i % 8)) & 1;
		info->cpu_apic[i] = (uint8_t)in->apic_ids[i];
	}
	out->vm_gid_gpa = 0;
	if (!in->has_gid)
		return;
	gid = table(a, l, sizeof(in->vm_gid), 8, &out->vm_gid_gpa);
	if (gid)
		memcpy(gid, in->vm_gid, sizeof(in->vm_gid));
	info->vm_gid_addr = out->vm_gid_gpa;
}

static struct acpi_gas port(uint32_t address, uint8_t bits)
{
	return (struct acpi_gas){ .space = 1, .bits = bits, .address = address };
}

static void build_fadt(struct arena *a, struct list *l, const struct acpi_input *in)
{
	uint32_t gpa, facs_gpa = 0, dsdt = copy_blob(a, l, &in->dsdt);
	struct acpi_facs *facs = table(a, l, sizeof(*facs), 64, &facs_gpa);
	struct acpi_fadt *f = table(a, l, sizeof(*f), 16, &gpa);

	if (!facs || !f)
		return;
	memcpy(facs->signature, "FACS", 4);
	facs->length = sizeof(*facs);
	facs->version = 1;

	f->facs = facs_gpa;
	f->x_facs = facs_gpa;
	f->dsdt = dsdt;
	f->x_dsdt = dsdt;
	f->sci_irq = SCI_IRQ;
	/* No SMI command: the loader has switched to ACPI mode already (4.8.2.5). */
	f->pm1a_evt = PM1A_EVT_PORT;
	f->pm1a_cnt = PM1A_CNT_PORT;
	f->pm_tmr = PM_TMR_PORT;
	f->gpe0 = GPE0_PORT;
	f->pm1_evt_len = 4;
	f->pm1_cnt_len = 2;
	f->pm_tmr_len = 4;
	f->gpe0_len = 4;
	/* More than 100 and 1000 microseconds: no C2, no C3. */
	f->c2_latency = 0xfff;
	f->c3_latency = 0xfff;
	f->boot_flags = FADT_BOOT_LEGACY_DEVICES;
	if (in->present & ACPI_INFO_8042)
		f->boot_flags |= FADT_BOOT_8042;
	f->flags = FADT_FLAG_WBINVD | FADT_FLAG_PROC_C1 | FADT_FLAG_FIX_RTC |
		   FADT_FLAG_TMR_VAL_EXT | FADT_FLAG_PLATFORM_CLOCK;
	f->x_pm1a_evt = port(PM1A_EVT_PORT, 32);
	f->x_pm1a_cnt = port(PM1A_CNT_PORT, 16);
	f->x_pm_tmr = port(PM_TMR_PORT, 32);
	f->x_gpe0 = port(GPE0_PORT, 32);
	acpi_seal(&f->h, "FACP", sizeof(*f), 4);
	add(l, gpa);
}

static void build_hpet(struct arena *a, struct list *l, const struct acpi_input *in)
{
	uint32_t gpa;
	struct acpi_hpet *h = table(a, l, sizeof(*h), 16, &gpa);

	if (!h)
		return;
	h->id = in->hpet_id;
	h->base.address = HPET_ADDR;
	acpi_seal(&h->h, "HPET", sizeof(*h), 1);
	add(l, gpa);
}

static void build_waet(struct arena *a, struct list *l)
{
	uint32_t gpa;
	struct acpi_waet *w = table(a, l, sizeof(*w), 16, &gpa);

	if (!w)
		return;
	w->flags = 3;
	acpi_seal(&w->h, "WAET", sizeof(*w), 1);
	add(l, gpa);
}

static void add_numa(struct arena *a, struct list *l, const struct acpi_input *in)
{
	uint32_t srat, slit;

	if (!in->numa.nr_nodes)
		return;
	if (!acpi_build_srat(a, in, &srat) || !acpi_build_slit(a, in, &slit)) {
		l->error = "no room for SRAT and SLIT";
		return;
	}
	add(l, srat);
	add(l, slit);
}

/* Tables that the toolstack passes through: each must be whole and have a right checksum. */
static void add_extra(struct arena *a, struct list *l, const struct acpi_input *in)
{
	uint32_t pos = 0;
	struct acpi_header h;

	while (in->extra && pos < in->extra_len) {
		struct acpi_blob b = { .data = in->extra + pos };

		if (in->extra_len - pos < sizeof(h)) {
			l->error = "passed-through ACPI tables: the last one is cut off";
			return;
		}
		memcpy(&h, in->extra + pos, sizeof(h));
		b.size = h.length;
		if (h.length < sizeof(h) || h.length > in->extra_len - pos ||
		    util_checksum(b.data, b.size)) {
			l->error = "passed-through ACPI tables: bad length or checksum";
			return;
		}
		add_blob(a, l, &b);
		pos += b.size;
	}
}

static void build_roots(struct arena *a, struct arena *scratch, struct list *l,
			struct acpi_result *out)
{
	uint32_t rsdt_gpa, xsdt_gpa;
	uint32_t rsdt_len = (uint32_t)sizeof(struct acpi_header) + l->nr * 4;
	uint32_t xsdt_len = (uint32_t)sizeof(struct acpi_header) + l->nr * 8;
	struct acpi_header *rsdt = table(a, l, rsdt_len, 16, &rsdt_gpa);
	struct acpi_header *xsdt = table(a, l, xsdt_len, 16, &xsdt_gpa);
	struct acpi_rsdp *rsdp = table(scratch, l, sizeof(*rsdp), 16, &out->rsdp_gpa);

	if (!rsdt || !xsdt || !rsdp)
		return;
	for (uint32_t i = 0; i < l->nr; i++) {
		uint64_t wide = l->gpa[i];

		memcpy((uint8_t *)(rsdt + 1) + i * 4, &l->gpa[i], 4);
		memcpy((uint8_t *)(xsdt + 1) + i * 8, &wide, 8);
	}
	acpi_seal(rsdt, "RSDT", rsdt_len, 1);
	acpi_seal(xsdt, "XSDT", xsdt_len, 1);
	memcpy(rsdp->signature, "RSD PTR ", 8);
	memcpy(rsdp->oem_id, "PLINTH", 6);
	rsdp->revision = 2;
	rsdp->rsdt = rsdt_gpa;
	rsdp->length = sizeof(*rsdp);
	rsdp->xsdt = xsdt_gpa;
	rsdp->checksum = util_checksum(rsdp, 20);
	rsdp->ext_checksum = util_checksum(rsdp, sizeof(*rsdp));
	out->nr_tables = l->nr;
}

static void add_ssdts(struct arena *a, struct list *l, const struct acpi_input *in)
{
	add_blob(a, l, in->nr_vcpus <= 16 ? &in->ssdt_cpus16 : &in->ssdt_cpus128);
	if (in->s3)
		add_blob(a, l, &in->ssdt_s3);
	if (in->s4)
		add_blob(a, l, &in->ssdt_s4);
	if (in->slate)
		add_blob(a, l, &in->ssdt_slate);
}

const char *acpi_build(struct arena *tables, struct arena *scratch, const struct acpi_input *in,
		       struct acpi_result *out)
{
	struct list l = { 0 };
	uint32_t madt;

	memset(out, 0, sizeof(*out));
	build_info(tables, &l, in, out);
	build_fadt(tables, &l, in);
	if (in->apic_mode) {
		if (acpi_build_madt(tables, in, &madt))
			add(&l, madt);
		else
			l.error = "no room for the MADT";
	}
	if (in->present & ACPI_INFO_HPET)
		build_hpet(tables, &l, in);
	build_waet(tables, &l);
	add_ssdts(tables, &l, in);
	add_numa(tables, &l, in);
	add_extra(tables, &l, in);
	build_roots(tables, scratch, &l, out);
	return l.error;
}
