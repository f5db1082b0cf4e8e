/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hvmloader: what happens between the domain builder and the BIOS. libxl starts it as it starts
 * Xen's: a 32-bit image at 1 MiB with the SeaBIOS image as the module "firmware". In order:
 * hypercalls, settings, PCI, processors, tables, memory map, BIOS.
 */
#include "acpi.h"
#include "blobs.h"
#include "config.h"
#include "console.h"
#include "e820.h"
#include "firmware.h"
#include "hypercall.h"
#include "io.h"
#include "layout.h"
#include "legacy.h"
#include "machine.h"
#include "memory.h"
#include "mtrr.h"
#include "pci.h"
#include "smbios.h"
#include "smp.h"
#include "util.h"
#include "xenbus.h"

#include <xen/hvm/hvm_xs_strings.h>
#include <xen/hvm/params.h>

#define FOUR_GIB       UINT64_C(0x100000000)
#define VM86_TSS_BYTES (0x68 + 0x20 + 0x2000 + 1) /* TSS, interrupt and I/O bitmaps, end byte */

enum { TABLE_SMBIOS, TABLE_MP, TABLE_PIR, TABLE_RSDP, NR_TABLES };

static struct {
	struct hvm_info_table *hvm;
	struct xs_client *store;
	struct config_source settings;
	struct config config;
	const struct firmware *firmware;
	struct config_block bios; /* its image */
	char version[32];
	struct pci_state pci;
	uint32_t apic_ids[HVM_MAX_VCPUS];
	uint8_t ioapic_id;
	uint8_t devices;
	uint32_t table[NR_TABLES];
	struct e820_range given[E820_RANGES_MAX];
	uint32_t nr_given;
	struct e820_map e820;
} st;

static const struct firmware *const firmwares[] = { &seabios_firmware };

static uint64_t low_ram_end(void)
{
	return (uint64_t)st.hvm->low_mem_pgend << PAGE_BITS;
}

static uint64_t high_ram_end(void)
{
	return (uint64_t)st.hvm->high_mem_pgend << PAGE_BITS;
}

/* What the toolstack put into RAM for us; NULL when there is nothing. */
static const uint8_t *passed_through(const struct config_block *b, const char *what)
{
	if (!b->addr)
		return NULL;
	if (b->addr > low_ram_end() || b->len > low_ram_end() - b->addr)
		fatal("passed-through %s: %u bytes at %x are not in RAM", what, b->len, b->addr);
	return phys_ptr(b->addr);
}

static int read_setting(void *ctx, const char *path, char *buf, size_t size)
{
	int len = xs_read(ctx, path, buf, size);

	if (len == -XS_EIO)
		fatal("xenstore: no sensible answer about %s", path);
	if (len < 0 && len != -XS_ENOENT)
		say("hvmloader: xenstore: %s: error %d, taken as not set\n", path, len);
	return len;
}

static void say_hello(void)
{
	char extra[16];
	uint32_t v = hypercall_xen_version(extra);

	util_snprintf(st.version, sizeof(st.version), "%u.%u%s", v >> 16, v & 0xffff, extra);
	say("hvmloader (Plinth) on Xen ABI %s\n", st.version);
}

static const struct firmware *choose_firmware(const char *name)
{
	for (uint32_t i = 0; i < ARRAY_LEN(firmwares); i++)
		if (!strcmp(firmwares[i]->name, name))
			return firmwares[i];
	fatal("bios=\"%s\" is not supported, only \"%s\" is", name, firmwares[0]->name);
}

static void read_config(const struct hvm_start_info *info)
{
	const char *bad;

	st.store = xenbus_open();
	st.settings = (struct config_source){ .read = read_setting, .ctx = st.store };
	bad = config_read(&st.config, &st.settings);
	if (bad)
		fatal("xenstore: the value of %s makes no sense", bad);
	st.firmware = choose_firmware(st.config.bios);
	if (!machine_find_module(info, "firmware", &st.bios))
		fatal("the toolstack passed no BIOS image (module \"firmware\")");
	bad = st.firmware->check(passed_through(&st.bios, "BIOS image"), st.bios.len);
	if (bad)
		fatal("BIOS image of %u bytes: %s", st.bios.len, bad);
	if (st.config.allow_relocate)
		say("hvmloader: moving RAM for the PCI window is not supported; BARs that do not "
		    "fit go above 4 GiB\n");
	if (!st.config.platform_bar_uc)
		say("hvmloader: xen-platform-pci-bar-uc=0: the BAR stays uncached\n");
}

static uint64_t pci_window_start(void)
{
	uint64_t start = PCI_MEM_START_DEFAULT;

	if (!st.config.mmio_hole)
		return start;
	if (st.config.mmio_hole >= FOUR_GIB - PCI_MEM_START_DEFAULT &&
	    st.config.mmio_hole <= FOUR_GIB - PCI_MEM_START_LOWEST)
		return ALIGN_DOWN(FOUR_GIB - st.config.mmio_hole, (uint64_t)PAGE_BYTES);
	say("hvmloader: platform/mmio_hole_size %llx is out of range, ignored\n",
	    (unsigned long long)st.config.mmio_hole);
	return start;
}

static void say_pci(void)
{
	static const char *const kinds[] = { "io", "mem", "rom" };

	for (uint32_t i = 0; i < st.pci.nr_bars; i++) {
		const struct pci_bar *b = &st.pci.bar[i];

		if (b->placed)
			say("hvmloader: pci %02x.%x bar %02x %s%s size %llx at %llx\n",
			    b->devfn >> 3, b->devfn & 7, b->reg, kinds[b->kind],
			    b->is_64bit ? "64" : "", (unsigned long long)b->size,
			    (unsigned long long)b->addr);
		else
			say("hvmloader: pci %02x.%x bar %02x %s size %llx does not fit anywhere\n",
			    b->devfn >> 3, b->devfn & 7, b->reg, kinds[b->kind],
			    (unsigned long long)b->size);
	}
	for (uint32_t i = 0; i < st.pci.nr_functions; i++)
		if (st.pci.function[i].int_pin)
			say("hvmloader: pci %02x.%x INT%c on IRQ %u\n",
			    st.pci.function[i].devfn >> 3, st.pci.function[i].devfn & 7,
			    'A' + st.pci.function[i].int_pin - 1, st.pci.function[i].int_line);
}

static void setup_pci(void)
{
	uint64_t high = high_ram_end() > FOUR_GIB ? high_ram_end() : FOUR_GIB;
	struct pci_limits lim = {
		.low_ram_end = low_ram_end(),
		.mem_start = pci_window_start(),
		.high_start = high,
		.high_end = UINT64_C(1) << mtrr_phys_bits(),
		.avoid = st.given,
		.nr_avoid = st.nr_given,
	};
	struct pci_chipset found;

	if (pci_scan(&st.pci, &machine_pci))
		fatal("more than %d PCI BARs", PCI_BARS_MAX);
	pci_place(&st.pci, &lim);
	pci_program(&st.pci, &machine_pci);
	found = pci_setup_chipset(&st.pci, &machine_pci);
	if (!found.isa_bridge)
		fatal("no PIIX3 (8086:7000) at 00:01.0");
	if (st.config.acpi && !found.power_management)
		fatal("no PIIX4 power management function (8086:7113)");
	machine_setup_elcr();
	say_pci();
}

/* An IO-APIC identifier that no processor has: 1 as in the Xen ABI, or the next free one. */
static uint8_t choose_ioapic_id(void)
{
	for (uint8_t id = 1; id < 16; id++) {
		bool taken = false;

		for (uint32_t i = 0; i < st.hvm->nr_vcpus; i++)
			taken |= st.apic_ids[i] == id;
		if (!taken)
			return id;
	}
	return 1;
}

static void setup_processors(void)
{
	static struct mtrr_plan plan;
	unsigned int bits = mtrr_phys_bits();

	plan.nr_available = mtrr_variable_count();
	if (mtrr_plan_uncached(&plan, st.pci.mem_start, FOUR_GIB, bits) ||
	    mtrr_plan_uncached(&plan, st.pci.high_start, st.pci.high_end, bits))
		say("hvmloader: too few MTRRs for the PCI windows; a part stays cached\n");
	smp_setup(st.hvm->nr_vcpus, &plan, st.apic_ids);
	for (uint32_t i = 0; i < st.hvm->nr_vcpus; i++)
		if (st.apic_ids[i] > 254)
			fatal("vCPU %u has APIC ID %u, the highest can be 254", i, st.apic_ids[i]);
	st.ioapic_id = choose_ioapic_id();
	if (st.hvm->apic_mode)
		smp_setup_ioapic(st.ioapic_id, st.apic_ids[0]);
}

static void build_smbios(void)
{
	struct smbios_input in = {
		.settings = &st.settings,
		.nr_vcpus = st.hvm->nr_vcpus,
		.low_ram_end = low_ram_end(),
		.high_ram_end = high_ram_end(),
		.bios_bytes = st.bios.len,
		.extra = passed_through(&st.config.extra_smbios, "SMBIOS structures"),
		.extra_len = st.config.extra_smbios.len,
	};
	struct smbios_result out;
	const char *error;
	char flag[8];

	if (hypercall_domain_uuid(in.uuid))
		fatal("the VMM does not tell the domain's UUID");
	util_strlcpy(in.version, st.version, sizeof(in.version));
	machine_describe_cpu(&in);
	in.default_battery =
		read_setting(st.store, HVM_XS_SMBIOS_DEFAULT_BATTERY, flag, sizeof(flag)) > 0 &&
		!strcmp(flag, "1");
	error = smbios_build(&memory_reserved, &memory_scratch, &in, &out);
	if (error)
		fatal("SMBIOS: %s", error);
	st.table[TABLE_SMBIOS] = out.entry_gpa;
	say("hvmloader: SMBIOS: %u structures, %u bytes at %x\n", out.nr_structures,
	    out.table_bytes, out.table_gpa);
}

static void build_legacy(void)
{
	struct legacy_mp_input in = {
		.nr_vcpus = st.hvm->nr_vcpus,
		.online = st.hvm->vcpu_online,
		.apic_ids = st.apic_ids,
		.ioapic_id = st.ioapic_id,
		.cpu_signature = cpuid_count(1, 0).eax,
		.cpu_features = cpuid_count(1, 0).edx,
		.pci = &st.pci,
	};

	if (st.hvm->apic_mode || st.hvm->nr_vcpus > 1) {
		st.table[TABLE_MP] = legacy_build_mp(&memory_reserved, &in);
		if (!st.table[TABLE_MP])
			fatal("no room for the MP table");
	}
	st.table[TABLE_PIR] = legacy_build_pir(&memory_scratch);
	if (!st.table[TABLE_PIR])
		fatal("no room for the PCI interrupt routing table");
}

static void publish_gid(uint32_t gpa)
{
	char text[24];
	int ret;

	util_snprintf(text, sizeof(text), "0x%x", gpa);
	ret = xs_write(st.store, HVM_XS_GENERATION_ID_ADDRESS, text);
	if (ret)
		say("hvmloader: writing %s: error %d\n", HVM_XS_GENERATION_ID_ADDRESS, ret);
	ret = hypercall_set_param(HVM_PARAM_VM_GENERATION_ID_ADDR, gpa);
	if (ret)
		fatal("setting the address of the VM generation ID: error %d", ret);
}

static void build_acpi(void)
{
	struct acpi_input in = {
		.nr_vcpus = st.hvm->nr_vcpus,
		.online = st.hvm->vcpu_online,
		.apic_ids = st.apic_ids,
		.ioapic_id = st.ioapic_id,
		.apic_mode = st.hvm->apic_mode,
		.present = st.devices,
		.hpet_id = machine_hpet_id(),
		.pci_min = (uint32_t)st.pci.mem_start,
		.pci_len = (uint32_t)(st.pci.mem_end - st.pci.mem_start),
		.pci_hi_min = st.pci.high_start,
		.pci_hi_len = st.pci.high_end - st.pci.high_start,
		.s3 = st.config.acpi_s3,
		.s4 = st.config.acpi_s4,
		.slate = st.config.acpi_slate,
		.has_gid = st.config.has_gid,
		.extra = passed_through(&st.config.extra_acpi, "ACPI tables"),
		.extra_len = st.config.extra_acpi.len,
		.dsdt = blob_dsdt,
		.ssdt_s3 = blob_ssdt_s3,
		.ssdt_s4 = blob_ssdt_s4,
		.ssdt_slate = blob_ssdt_slate,
		.ssdt_cpus16 = blob_ssdt_cpus16,
		.ssdt_cpus128 = blob_ssdt_cpus128,
	};
	struct acpi_result out;
	const char *error;

	memcpy(in.vm_gid, st.config.vm_gid, sizeof(in.vm_gid));
	machine_read_numa(&in.numa, st.hvm->nr_vcpus);
	error = acpi_build(&memory_acpi, &memory_scratch, &in, &out);
	if (error)
		fatal("ACPI: %s", error);
	st.table[TABLE_RSDP] = out.rsdp_gpa;
	if (out.vm_gid_gpa)
		publish_gid(out.vm_gid_gpa);
	say("hvmloader: ACPI: %u tables, %u bytes at %x\n", out.nr_tables, memory_acpi.used,
	    memory_acpi.gpa);
}

static void give_vm86_tss(void)
{
	uint32_t gpa;
	int ret;

	memory_alloc(&memory_reserved, VM86_TSS_BYTES, PAGE_BYTES, &gpa);
	ret = hypercall_set_param(HVM_PARAM_VM86_TSS_SIZED, (uint64_t)VM86_TSS_BYTES << 32 | gpa);
	if (ret)
		fatal("setting the address of the VM86 TSS: error %d", ret);
}

static void build_e820(void)
{
	struct e820_input in = {
		.low_ram_end = low_ram_end(),
		.high_ram_end = high_ram_end(),
		.bios_start = st.firmware->place(st.bios.len),
		.acpi_end = ALIGN_UP(memory_acpi.gpa + memory_acpi.used, PAGE_BYTES),
		.given = st.given,
		.nr_given = st.nr_given,
	};

	if (e820_build(&st.e820, &in))
		fatal("the memory map needs more than %d entries", E820_RANGES_MAX);
	for (uint32_t i = 0; i < st.e820.nr; i++)
		say("hvmloader: e820 %09llx-%09llx type %u\n",
		    (unsigned long long)st.e820.range[i].start,
		    (unsigned long long)(st.e820.range[i].start + st.e820.range[i].size),
		    st.e820.range[i].type);
}

static void __attribute__((noreturn)) start_bios(void)
{
	const struct firmware *f = st.firmware;

	f->fill_info(phys_ptr(f->info_gpa), st.table, NR_TABLES, &st.e820);
	memmove(phys_ptr(f->place(st.bios.len)), phys_ptr(st.bios.addr), st.bios.len);
	xenbus_close(st.store);
	say("hvmloader: starting the BIOS\n");
	machine_start_bios();
}

void __attribute__((noreturn)) main(const struct hvm_start_info *info)
{
	int ret;

	hypercall_init();
	say_hello();
	st.hvm = memory_hvm_info();
	read_config(info);
	ret = hypercall_set_param(HVM_PARAM_ACPI_IOPORTS_LOCATION, 1);
	if (ret)
		fatal("moving the ACPI ports to %x: error %d", PM1A_EVT_PORT, ret);
	st.nr_given = machine_memory_map(st.given, E820_RANGES_MAX);
	setup_pci();
	setup_processors();
	st.devices = machine_probe_devices();
	build_smbios();
	build_legacy();
	if (st.config.acpi) {
		build_acpi();
		machine_enable_acpi();
	}
	give_vm86_tss();
	build_e820();
	start_bios();
}
