// SPDX-License-Identifier: GPL-2.0-or-later
/* Exits that the hypervisor itself answers, and single accesses that go to the device model. */
#include "bench.h"
#include <xen/xen.h>
#include <xen/version.h>

#define V_SELF 0x61
#define N      48

static volatile u64 handler_tick;
static u32 page_directory[1024] __attribute__((aligned(4096)));

static void on_self(struct regs *r)
{
	handler_tick = rdtsc();
	(void)r;
	lapic_eoi();
}

static void bench_instructions(void)
{
	ulong cr0 = read_cr0(), cr4 = read_cr4();

	BENCH("cpuid", N, cpuid(0));
	BENCH("rdmsr_apic_base", N, rdmsr(MSR_APIC_BASE));
	if (plat.is_xen && plat.is_amd)
		BENCH("hypercall", N,
		      hypercall_vmmcall(__HYPERVISOR_xen_version, XENVER_version, 0));
	else if (plat.is_xen)
		BENCH("hypercall", N,
		      hypercall_vmcall(__HYPERVISOR_xen_version, XENVER_version, 0));
	BENCH("mov_cr0", N, write_cr0(cr0));
	BENCH("mov_cr4", N, write_cr4(cr4));
}

static void bench_lapic(const char *name)
{
	BENCH(name, N, mmio_read(APIC_DEFAULT_BASE + APIC_TPR));
}

/* 32-bit PSE paging, identity. */
static void bench_lapic_paged(void)
{
	unsigned int i;

	for (i = 0; i < 1024; i++)
		page_directory[i] = i << 22 | 0x83;
	write_cr4(read_cr4() | X86_CR4_PSE);
	write_cr3((ulong)page_directory);
	write_cr0(read_cr0() | X86_CR0_PG);
	bench_lapic("lapic_read_paged");
	write_cr0(read_cr0() & ~(ulong)X86_CR0_PG);
	write_cr4(read_cr4() & ~(ulong)X86_CR4_PSE);
}

static void bench_self_ipi(void)
{
	struct bench_samples s = { .count = 0 };
	u64 t;

	irq_set(V_SELF, on_self);
	while (s.count < N) {
		handler_tick = 0;
		irq_on();
		t = rdtsc();
		mmio_write(APIC_DEFAULT_BASE + APIC_ICR, 0x44000 | V_SELF);
		while (!handler_tick)
			cpu_pause();
		irq_off();
		s.tick[s.count++] = handler_tick - t;
	}
	bench_report("self_ipi", &s);
	irq_set(V_SELF, NULL);
}

static void bench_ports(void)
{
	if (!plat.has_pit)
		return;
	outb(0x43, 0x34);
	outb(0x40, 0);
	outb(0x40, 0);
	BENCH("pit_read", N, inb(0x40));
	outb(0x70, 0); /* the seconds */
	BENCH("rtc_read", N, inb(0x71));
}

static void bench_device_model(void)
{
	u32 vga = pci_find(8, 0xff000000, 0x03000000), bar;

	BENCH("ide_alt_status", 16, inb(0x3f6));
	if (vga != ~0u) {
		bar = pci_read(vga, 0x18) & ~0xfu;
		if (bar)
			BENCH("pci_bar_read", 16, mmio_read(bar + 0x500));
	}
	if (plat.has_vga)
		BENCH("vga_read", 16, mmio_read(0xb8000));
}

void bench_cpu(void)
{
	bench_instructions();
	bench_ports();
	bench_lapic("lapic_read");
	bench_lapic_paged();
	if (plat.has_ioapic) {
		mmio_write(plat.ioapic_paddr, 1);
		BENCH("ioapic_read", N, mmio_read(plat.ioapic_paddr + 0x10));
	}
	if (plat.has_hpet)
		BENCH("hpet_read", N, hpet_read(0xf0));
	bench_self_ipi();
	if (plat.has_pic)
		bench_device_model();
}
