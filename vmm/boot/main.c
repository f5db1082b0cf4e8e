/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The boot sequence of the first CPU, from the loader's hand-over to the run loop. Each step says
 * what it needs from the ones before it.
 */
#include "abi.h"
#include "console.h"
#include "debug.h"
#include "dom0.h"
#include "vmm/base/e820.h"
#include "event.h"
#include "ext_irq.h"
#include "hvm_ops.h"
#include "multiboot.h"
#include "pagetable.h"
#include "vmm/cpu/cpu.h"
#include "predictions.h"
#include "sched.h"
#include "stack.h"
#include "trap.h"

extern char boot_stack[];

/* The boot tables map the first 4 GiB. */
static const void *boot_view(uint64_t addr, uint64_t len)
{
	if (addr > GIB(4) || len > GIB(4) - addr)
		return NULL;
	return maddr_to_virt(_maddr(addr));
}

/* No locks, no console before this: struct cpu of the BSP and the exception vectors. */
static void first_cpu(void)
{
	struct cpu *c = (struct cpu *)boot_stack;

	cpus[0] = c;
	nr_cpus = 1;
	c->online = true;
	idt_init();
	desc_init_cpu(c);
}

static void print_memory_map(void)
{
	for (unsigned int i = 0; i < host_e820.nr; i++) {
		const struct e820_entry *e = &host_e820.e[i];

		printk(LOG_DEBUG "  %012lx-%012lx %s\n", e->addr, e->addr + e->len - 1,
		       e820_type_name(e->type));
	}
}

static void print_banner(void)
{
	printk("Plinth, a hypervisor (Xen 4.17 ABI)\n");
	printk(LOG_INFO "Loader: %s%s; command line: %s\n",
	       boot_info.loader[0] ? boot_info.loader : "unknown", boot_info.efi ? " (UEFI)" : "",
	       boot_info.cmdline);
	printk(LOG_INFO "CPU: %s (%s, family %u, model %u)\n",
	       host_cpu.brand[0] ? host_cpu.brand : host_cpu.vendor, host_cpu.vendor,
	       host_cpu.family, host_cpu.model);
	for (unsigned int i = 0; i < boot_info.nr_modules; i++)
		printk(LOG_INFO "Module %u: %lx-%lx %s\n", i, boot_info.module[i].start.v,
		       boot_info.module[i].start.v + boot_info.module[i].size,
		       boot_info.module[i].cmdline);
}

static void read_loader_info(uint32_t magic, uint32_t info)
{
	int err = multiboot_parse(magic, info, boot_view, &boot_info, &host_e820);

	if (!e820_sanitise(&host_e820))
		printk(LOG_WARN "The memory map has more than %u entries; the rest is lost\n",
		       E820_MAX);
	cmdline_parse();
	console_init();
	if (err)
		panic("Not started by a Multiboot loader with a memory map (magic %#x)", magic);
}

static void start_memory(void)
{
	mm_init_map(host_cpu.nx, host_cpu.pages_1g);
	console_mm_ready(); /* the screen was reached through the boot page tables */
	directmap_unmap_page(boot_stack + STACK_GUARD);
	mm_init_pages();
	dom0_reserve_memory();
	mm_init_allocator();
}

static void start_time(void)
{
	time_init();
	wallclock_init();
	ext_irq_ops = &dom0_irq_ops;
	lapic_init();
	cpus[0]->apic_id = lapic_id();
	lapic_init_cpu();
	timers_init_cpu(cpus[0]);
}

static void tell_dom0_log(void)
{
	evtchn_send_dom0_virq(VIRQ_CON_RING);
}

static void tell_dom0_input(void)
{
	evtchn_send_dom0_virq(VIRQ_CONSOLE);
}

/* dom0 is ready to run: its console is hvc0, and the screen is its own. */
static void hand_console_over(void)
{
	console_output_hook = tell_dom0_log;
	console_input_hook = tell_dom0_input;
	console_input_to_dom0();
	console_screen_release();
}

/* Each CPU's, for ever. */
static void run_loop(void)
{
	for (;;)
		vcpu_resume(run_next());
}

/* start.S goes here, with what the boot loader gave it. */
void boot_main(uint32_t magic, uint32_t info) __noreturn;

void boot_main(uint32_t magic, uint32_t info)
{
	first_cpu();
	panic_init();
	cpuid_init();
	cpu_control_init();
	read_loader_info(magic, info);
	acpi_find_rsdp();
	print_banner();
	predictions_init();
	print_memory_map();
	start_memory();
	acpi_init();
	handover_mask_interrupts();
	start_time();
	smpboot_start_all(run_loop);
	console_start_timers();
	trace_init(nr_cpus, xzalloc_bytes);
	hvm_setup();
	hypercall_entry = hypercall_dispatch;
	sched_init();
	if (PLINTH_DEBUG)
		wake_check_start();
	domain0_start();
	hand_console_over();
	reset_stack_and_run(run_loop);
}
