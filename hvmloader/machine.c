/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine under the loader: ports, legacy devices, CPUID, start_info modules, and what the VMM
 * tells by memory operations. No decisions here.
 */
#include "machine.h"
#include "console.h"
#include "hypercall.h"
#include "io.h"
#include "layout.h"
#include "util.h"

#define PCI_ADDRESS 0xcf8
#define PCI_DATA    0xcfc
#define ELCR_PORT   0x4d0
#define SCI_EN	    1u
#define NUMA_NODES  32
#define NUMA_RANGES 64
#define MODULES_MAX 16

static void select_config(unsigned int devfn, unsigned int reg)
{
	outl(PCI_ADDRESS, 0x80000000u | devfn << 8 | (reg & 0xfc));
}

static uint32_t pci_read(void *ctx, unsigned int devfn, unsigned int reg, unsigned int bytes)
{
	uint16_t port = (uint16_t)(PCI_DATA + (reg & 3));

	(void)ctx;
	select_config(devfn, reg);
	return bytes == 1 ? inb(port) : bytes == 2 ? inw(port) : inl(port);
}

static void pci_write(void *ctx, unsigned int devfn, unsigned int reg, unsigned int bytes,
		      uint32_t val)
{
	uint16_t port = (uint16_t)(PCI_DATA + (reg & 3));

	(void)ctx;
	select_config(devfn, reg);
	if (bytes == 1)
		outb(port, (uint8_t)val);
	else if (bytes == 2)
		outw(port, (uint16_t)val);
	else
		outl(port, val);
}

const struct pci_ops machine_pci = { .read = pci_read, .write = pci_write };

/* A UART keeps what is written to the low bits of its interrupt enable register. */
static bool probe_uart(uint16_t base)
{
	uint8_t old = inb(base + 1), low, high;

	outb(base + 1, 0);
	low = inb(base + 1);
	outb(base + 1, 0x0f);
	high = inb(base + 1);
	outb(base + 1, old);
	return low == 0 && high == 0x0f;
}

static bool probe_lpt(uint16_t base)
{
	uint8_t value;

	outb(base, 0xaa);
	value = inb(base);
	return value == 0xaa;
}

uint32_t machine_hpet_id(void)
{
	return mmio_read32(HPET_ADDR);
}

uint8_t machine_probe_devices(void)
{
	uint32_t hpet = machine_hpet_id();
	uint8_t present = 0;

	if (probe_uart(0x3f8))
		present |= ACPI_INFO_COM1;
	if (probe_uart(0x2f8))
		present |= ACPI_INFO_COM2;
	if (probe_lpt(0x378))
		present |= ACPI_INFO_LPT1;
	if (hpet && hpet != 0xffffffff)
		present |= ACPI_INFO_HPET;
	if (inb(0x3f4) != 0xff)
		present |= ACPI_INFO_FDC;
	if (inb(0x64) != 0xff)
		present |= ACPI_INFO_8042;
	return present;
}

void machine_setup_elcr(void)
{
	outb(ELCR_PORT, PCI_ISA_IRQ_MASK & 0xff);
	outb(ELCR_PORT + 1, PCI_ISA_IRQ_MASK >> 8);
}

void machine_enable_acpi(void)
{
	if (!(inw(PM1A_CNT_PORT) & SCI_EN))
		outb(SMI_CMD_PORT, ACPI_ENABLE_VALUE);
	if (!(inw(PM1A_CNT_PORT) & SCI_EN))
		say("hvmloader: the device model did not set SCI_EN; expect no ACPI events\n");
}

static uint16_t cpu_mhz(void)
{
	const struct shared_info *shared = phys_ptr(SHARED_INFO_ADDR);
	const struct vcpu_time_info *t = &shared->vcpu_info[0].time;
	uint32_t mul = t->tsc_to_system_mul;
	uint64_t hz;

	if (!mul)
		return 0;
	hz = util_div_u64_u32(UINT64_C(1000000000) << 32, mul);
	if (t->tsc_shift < 0)
		hz <<= -t->tsc_shift & 31;
	else
		hz >>= t->tsc_shift & 31;
	hz = util_div_u64_u32(hz, 1000000);
	return hz < 0xffff ? (uint16_t)hz : 0;
}

void machine_describe_cpu(struct smbios_input *in)
{
	struct cpuid_regs r = cpuid_count(0, 0);

	memcpy(in->cpu_vendor, &r.ebx, 4);
	memcpy(in->cpu_vendor + 4, &r.edx, 4);
	memcpy(in->cpu_vendor + 8, &r.ecx, 4);
	in->cpu_vendor[12] = '\0';
	r = cpuid_count(1, 0);
	in->cpu_signature = r.eax;
	in->cpu_features = r.edx;
	in->cpu_mhz = cpu_mhz();
}

static bool below_4g(uint64_t addr, uint64_t size)
{
	return addr && addr <= UINT32_MAX && size <= UINT32_MAX - addr;
}

bool machine_find_module(const struct hvm_start_info *info, const char *name,
			 struct config_block *out)
{
	const struct hvm_modlist_entry *m;

	if (info->magic != XEN_HVM_START_MAGIC_VALUE)
		fatal("no start information at %p", (const void *)info);
	if (!info->nr_modules)
		return false;
	if (info->nr_modules > MODULES_MAX ||
	    !below_4g(info->modlist_paddr, info->nr_modules * sizeof(*m)))
		fatal("start information: %u modules at %llx", info->nr_modules,
		      (unsigned long long)info->modlist_paddr);
	m = phys_ptr((uint32_t)info->modlist_paddr);
	for (uint32_t i = 0; i < info->nr_modules; i++) {
		if (!below_4g(m[i].cmdline_paddr, strlen(name)) ||
		    strcmp(phys_ptr((uint32_t)m[i].cmdline_paddr), name))
			continue;
		if (!below_4g(m[i].paddr, m[i].size))
			fatal("module %s: %llx bytes at %llx", name, (unsigned long long)m[i].size,
			      (unsigned long long)m[i].paddr);
		out->addr = (uint32_t)m[i].paddr;
		out->len = (uint32_t)m[i].size;
		return true;
	}
	return false;
}

void machine_read_numa(struct acpi_numa *numa, uint32_t nr_vcpus)
{
	static uint32_t distance[NUMA_NODES * NUMA_NODES], vcpu_node[128];
	static xen_vmemrange_t range[NUMA_RANGES];
	static struct acpi_numa_memory memory[NUMA_RANGES];
	struct xen_vnuma_topology_info info = {
		.domid = DOMID_SELF,
		.nr_vnodes = NUMA_NODES,
		.nr_vcpus = nr_vcpus,
		.nr_vmemranges = NUMA_RANGES,
	};

	memset(numa, 0, sizeof(*numa));
	set_xen_guest_handle(info.vdistance.h, distance);
	set_xen_guest_handle(info.vcpu_to_vnode.h, vcpu_node);
	set_xen_guest_handle(info.vmemrange.h, range);
	if (hypercall_memory_op(XENMEM_get_vnumainfo, &info))
		return;
	if (!info.nr_vnodes || info.nr_vnodes > NUMA_NODES || info.nr_vmemranges > NUMA_RANGES)
		fatal("virtual NUMA: %u nodes, %u memory ranges", info.nr_vnodes,
		      info.nr_vmemranges);
	for (uint32_t i = 0; i < info.nr_vmemranges; i++)
		memory[i] = (struct acpi_numa_memory){ range[i].start, range[i].end, range[i].nid };
	numa->nr_nodes = info.nr_vnodes;
	numa->nr_memory = info.nr_vmemranges;
	numa->vcpu_node = vcpu_node;
	numa->distance = distance;
	numa->memory = memory;
}

uint32_t machine_memory_map(struct e820_range *ranges, uint32_t max)
{
	struct xen_memory_map map = { .nr_entries = max };

	set_xen_guest_handle(map.buffer, ranges);
	if (hypercall_memory_op(XENMEM_memory_map, &map))
		return 0;
	return map.nr_entries <= max ? map.nr_entries : 0;
}
