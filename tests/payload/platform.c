// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finds out what the machine has: boot information (Multiboot 0.6.96 section 3.3, Xen's
 * arch-x86/hvm/start_info.h), ACPI tables (ACPI 6.4 section 5.2), devices by probing, TSC rate.
 */
#include "payload.h"
#include <xen/xen.h>
#include <xen/sched.h>
#include <xen/arch-x86/hvm/start_info.h>

#define CALIBRATIONS	4
#define MULTIBOOT_MAGIC 0x2badb002

struct platform plat;

struct acpi_header {
	char sig[4];
	u32 length;
	u8 revision, checksum;
	char oem[28 - 2];
} __attribute__((packed));

static void read_multiboot(const u32 *mbi)
{
	if (mbi[0] & 1)
		plat.ram_end = 0x100000 + mbi[2] * 1024;
	if (mbi[0] & 4)
		snprint(plat.cmdline, sizeof(plat.cmdline), "%s", (const char *)(ulong)mbi[4]);
}

static void read_start_info(const struct hvm_start_info *si)
{
	const struct hvm_memmap_table_entry *e = (const void *)(ulong)si->memmap_paddr;
	unsigned int i;

	if (si->magic != XEN_HVM_START_MAGIC_VALUE)
		return;
	plat.is_dom0 = si->flags & SIF_INITDOMAIN;
	plat.rsdp_paddr = si->rsdp_paddr;
	if (si->cmdline_paddr)
		snprint(plat.cmdline, sizeof(plat.cmdline), "%s",
			(const char *)(ulong)si->cmdline_paddr);
	for (i = 0; si->version > 0 && i < si->memmap_entries; i++)
		if (e[i].type == XEN_HVM_MEMMAP_TYPE_RAM && e[i].addr + e[i].size < 0xf0000000 &&
		    e[i].addr + e[i].size > plat.ram_end)
			plat.ram_end = e[i].addr + e[i].size;
}

static const char *cmdline_find(const char *key)
{
	size_t n = strlen(key);
	const char *p;

	for (p = plat.cmdline; *p; p++)
		if ((p == plat.cmdline || p[-1] == ' ') && !strncmp(p, key, n) && p[n] == '=')
			return p + n + 1;
	return NULL;
}

u64 cmdline_number(const char *key, u64 dflt)
{
	const char *p = cmdline_find(key);
	u64 v = 0;

	if (!p)
		return dflt;
	if (p[0] == '0' && p[1] == 'x') {
		for (p += 2;; p++) {
			if (*p >= '0' && *p <= '9')
				v = v << 4 | (*p - '0');
			else if (*p >= 'a' && *p <= 'f')
				v = v << 4 | (*p - 'a' + 10);
			else
				return v;
		}
	}
	for (; *p >= '0' && *p <= '9'; p++)
		v = v * 10 + *p - '0';
	return v;
}

bool cmdline_word(const char *key, char *buf, size_t len)
{
	const char *p = cmdline_find(key);
	size_t n = 0;

	if (!p)
		return false;
	for (; *p && *p != ' ' && n + 1 < len; p++)
		buf[n++] = *p;
	buf[n] = 0;
	return true;
}

static bool checksum_ok(const void *p, size_t n)
{
	const u8 *b = p;
	u8 sum = 0;

	while (n--)
		sum += *b++;
	return !sum;
}

static void find_rsdp(void)
{
	ulong a;

	for (a = 0xe0000; a < 0x100000 && !plat.rsdp_paddr; a += 16)
		if (!memcmp((void *)a, "RSD PTR ", 8) && checksum_ok((void *)a, 20))
			plat.rsdp_paddr = a;
}

const void *acpi_find(const char *sig)
{
	const u8 *rsdp = (const u8 *)(ulong)plat.rsdp_paddr;
	const struct acpi_header *root, *t;
	unsigned int i, count;
	bool xsdt;

	if (!rsdp)
		return NULL;
	xsdt = rsdp[15] >= 2 && *(const u32 *)(rsdp + 24);
	root = (const void *)(ulong) * (const u32 *)(rsdp + (xsdt ? 24 : 16));
	count = (root->length - 36) / (xsdt ? 8 : 4);
	for (i = 0; i < count; i++) {
		t = (const void *)(ulong) *
		    (const u32 *)((const u8 *)root + 36 + i * (xsdt ? 8 : 4));
		if (!memcmp(t->sig, sig, 4) && checksum_ok(t, t->length))
			return t;
	}
	return NULL;
}

static void read_madt(const u8 *madt)
{
	const u8 *p = madt + 44, *end = madt + *(const u32 *)(madt + 4);

	for (; p + 2 <= end && p[1]; p += p[1]) {
		if (p[0] == 0 && (p[4] & 1))
			plat.madt_cpus++;
		if (p[0] == 9 && (p[8] & 1))
			plat.madt_cpus++;
		if (p[0] == 1 && !plat.ioapic_paddr)
			plat.ioapic_paddr = *(const u32 *)(p + 4);
		if (p[0] == 2 && p[2] == 0 && p[3] == 0)
			plat.pit_gsi = *(const u32 *)(p + 4);
	}
}

static void read_acpi(void)
{
	const u8 *fadt = acpi_find("FACP"), *hpet = acpi_find("HPET"), *madt = acpi_find("APIC");

	if (fadt) {
		plat.pm1a_cnt_port = *(const u16 *)(fadt + 64);
		plat.pm_timer_port = *(const u16 *)(fadt + 76);
	}
	if (hpet)
		plat.hpet_paddr = *(const u32 *)(hpet + 44);
	if (madt)
		read_madt(madt);
}

static void probe_devices(void)
{
	volatile u16 *vga = (volatile u16 *)0xb8000;
	u8 imr = inb(0x21);

	outb(0x21, 0xa5);
	plat.has_pic = inb(0x21) == 0xa5;
	outb(0x21, imr);
	plat.has_pit = plat.has_pic;
	outb(0x70, 0x0e);
	plat.has_rtc = plat.has_pic && inb(0x71) != 0xff;
	if (plat.ioapic_paddr && plat.has_pic)
		plat.has_ioapic = (ioapic_read(1) & 0xff) >= 0x10 && ioapic_read(1) != ~0u;
	if (plat.hpet_paddr && plat.has_pic)
		plat.has_hpet = hpet_read(4) && hpet_read(4) != ~0u;
	if (plat.has_pic) {
		u16 old = *vga;

		*vga = 0x0755;
		plat.has_vga = *vga == 0x0755;
		*vga = old;
	}
}

void platform_init(u32 magic, u32 info)
{
	struct cpuid v = cpuid(0);

	plat.boot_magic = magic;
	plat.pit_gsi = 0;
	plat.is_amd = v.c == 0x444d4163 || v.c == 0x656e6975;
	if (magic == MULTIBOOT_MAGIC)
		read_multiboot((const u32 *)(ulong)info);
	else
		read_start_info((const void *)(ulong)info);
	console_init();
	plat.is_xen = xen_init();
	v = cpuid(0x40000000);
	plat.is_tcg = !plat.is_xen && v.b == 0x54474354; /* "TCGTCGTCGTCG" */
	find_rsdp();
	read_acpi();
	probe_devices();
}

/* TSC ticks over one 50 ms countdown of PIT channel 2, timed by its output bit: never too few. */
static u64 tsc_by_pit(void)
{
	u64 start;

	outb(0x61, (inb(0x61) & ~2) | 1);
	pit_program(2, 0, 59659);
	start = rdtsc();
	while (!(inb(0x61) & 0x20) && rdtsc() - start < 10000000000ull)
		cpu_pause();
	return (rdtsc() - start) * 20;
}

static u64 tsc_by_xen(void)
{
	struct cpuid c = cpuid2(plat.xen_leaf + 3, 0);

	return c.c ? (u64)c.c * 1000 : 1000000000;
}

void platform_calibrate(void)
{
	u64 hz;

	plat.tsc_hz = cmdline_number("tsc_khz", 0) * 1000;
	if (plat.tsc_hz)
		return;
	if (plat.is_xen || !plat.has_pit) {
		plat.tsc_hz = plat.is_xen ? tsc_by_xen() : 1000000000;
		return;
	}
	plat.tsc_hz = ~0ull;
	for (unsigned int i = 0; i < CALIBRATIONS; i++) {
		hz = tsc_by_pit();
		if (hz < plat.tsc_hz)
			plat.tsc_hz = hz;
	}
}

/*
 * SLP_TYPa of the DSDT's \_S5 package (ACPI 6.4 section 7.4.2); 0, as on QEMU and Xen,
 * when not found.
 */
static u8 sleep_type_s5(void)
{
	const u8 *fadt = acpi_find("FACP"), *p, *end;

	if (!fadt)
		return 0;
	p = (const u8 *)(ulong) * (const u32 *)(fadt + 40);
	for (end = p + *(const u32 *)(p + 4) - 8; p < end; p++)
		if (!memcmp(p, "_S5_\x12", 5))
			return p[7] == 0x0a ? p[8] & 7 : p[7] & 1;
	return 0;
}

static void acpi_power_off(void)
{
	if (!plat.pm1a_cnt_port)
		return;
	outw(plat.pm1a_cnt_port, sleep_type_s5() << 10 | 0x2000);
	delay_us(500000);
}

void power_off(void)
{
	irq_off();
	if (plat.has_pic)
		acpi_power_off();
	if (plat.is_xen)
		xen_shutdown(SHUTDOWN_poweroff);
	acpi_power_off();
	for (;;)
		asm volatile("cli; hlt");
}
