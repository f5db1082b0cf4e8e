/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bringing up the other CPUs, one at a time, in MADT order: INIT, two start-up IPIs (SDM 3,
 * 9.4.4), trampoline.S in a page below 1 MiB whose contents are put back
 * afterwards.
 */
#include "hvm_ops.h"
#include "internal.h"
#include "predictions.h"
#include "pagetable.h"
#include "stack.h"
#include "trap.h"

#define ICR_INIT      (5U << 8)
#define ICR_STARTUP   (6U << 8)
#define AP_TIMEOUT_NS (2 * NS_PER_SEC)

extern const char trampoline_start[], trampoline_end[];
extern uint64_t ap_boot_cr3, ap_boot_rsp;

enum ap_step { AP_NONE, AP_STARTED, AP_GO, AP_ONLINE, AP_REFUSED };
static volatile enum ap_step ap_step;
static void (*run_on_ap)(void);

static uint64_t max_cpus = MAX_CPUS;

static int parse_maxcpus(const char *value)
{
	const char *end;

	max_cpus = strtoull(value, &end, 0);
	return *value && !*end && max_cpus ? 0 : -EINVAL;
}
BOOT_OPTION(maxcpus, "maxcpus", parse_maxcpus, "use at most this many CPUs");

/* Make the block for CPU id and enter it into cpus[]. */
static struct cpu *smpboot_new_cpu(unsigned int id, uint32_t apic_id)
{
	struct page *p = alloc_pages(3); /* naturally aligned */
	struct cpu *c;

	BUILD_BUG_ON(CPU_STACK_SIZE != PAGE_SIZE << 3);
	if (!p)
		return NULL;
	c = page_to_virt(p);
	c->id = id;
	c->apic_id = apic_id;
	directmap_unmap_page((char *)c + STACK_GUARD);
	cpu_call_all(pt_flush_local, NULL);
	return c;
}

static void delay_ns(uint64_t ns)
{
	uint64_t start = now_ns();

	while (now_ns() - start < ns)
		cpu_relax();
}

static void go_to(enum ap_step s)
{
	__atomic_store_n(&ap_step, s, __ATOMIC_SEQ_CST);
}

static bool wait_for(enum ap_step s)
{
	uint64_t start = now_ns();

	while (__atomic_load_n(&ap_step, __ATOMIC_SEQ_CST) < s) {
		if (now_ns() - start > AP_TIMEOUT_NS)
			return false;
		cpu_relax();
	}
	return true;
}

/* A page below 1 MiB that is RAM; not page 0. */
static maddr_t trampoline_page(void)
{
	for (uint64_t a = 0x9f000; a >= 0x1000; a -= PAGE_SIZE)
		for (unsigned int i = 0; i < host_e820.nr; i++)
			if (host_e820.e[i].type == E820_RAM && host_e820.e[i].addr <= a &&
			    host_e820.e[i].addr + host_e820.e[i].len >= a + PAGE_SIZE)
				return _maddr(a);
	panic("No RAM below 1 MiB to start the other CPUs from");
}

static bool start_one(struct cpu *c, maddr_t page)
{
	uint32_t vector = (uint32_t)(page.v >> PAGE_SHIFT);

	ap_boot_cr3 = vmm_root.v;
	ap_boot_rsp = (uint64_t)c + CPU_STACK_SIZE;
	go_to(AP_NONE);
	lapic_send_icr(c->apic_id, ICR_INIT);
	delay_ns(10 * NS_PER_MS);
	lapic_send_icr(c->apic_id, ICR_STARTUP | vector);
	delay_ns(200 * NS_PER_US);
	if (ap_step == AP_NONE)
		lapic_send_icr(c->apic_id, ICR_STARTUP | vector);
	if (!wait_for(AP_STARTED)) {
		printk(LOG_ERR "CPU with APIC ID %u does not start\n", c->apic_id);
		lapic_send_icr(c->apic_id, ICR_INIT);
		return false;
	}
	if (!tsc_sync_check_bsp()) {
		printk(LOG_ERR
		       "CPU with APIC ID %u: its TSC differs from the first CPU's; not used\n",
		       c->apic_id);
		go_to(AP_REFUSED);
		return false;
	}
	nr_cpus++;
	go_to(AP_GO);
	if (!wait_for(AP_ONLINE))
		panic("CPU %u stopped while it came up", c->id);
	return true;
}

static void start_apic_id(uint32_t apic_id, maddr_t page)
{
	struct cpu *c;

	if (apic_id == cpus[0]->apic_id)
		return;
	if (apic_id > 254) {
		printk(LOG_WARN "CPU with APIC ID %u not used: IDs above 254 are not supported\n",
		       apic_id);
		return;
	}
	c = smpboot_new_cpu(nr_cpus, apic_id);
	if (!c)
		panic("No memory for CPU %u", nr_cpus);
	cpus[c->id] = c;
	timers_init_cpu(c);
	if (!start_one(c, page))
		cpus[c->id] = NULL; /* its block stays: the CPU may still wake up on it */
}

void smpboot_start_all(void (*loop)(void))
{
	maddr_t page = trampoline_page();
	size_t len = (size_t)(trampoline_end - trampoline_start);
	unsigned int i, limit = (unsigned int)min(max_cpus, (uint64_t)MAX_CPUS);
	static char saved[256];

	BUG_ON(len > sizeof(saved));
	run_on_ap = loop;
	memcpy(saved, maddr_to_virt(page), len);
	memcpy(maddr_to_virt(page), trampoline_start, len);
	for (i = 0; i < acpi_facts.nr_cpus && nr_cpus < limit; i++)
		start_apic_id(acpi_facts.cpu_apic_id[i], page);
	memcpy(maddr_to_virt(page), saved, len);
	printk(LOG_INFO "%u CPU%s online\n", nr_cpus, nr_cpus == 1 ? "" : "s");
}

/* A CPU that was refused: nothing wakes it but a reset. */
static void park(void) __noreturn;
static void park(void)
{
	for (;;)
		cpu_halt();
}

void smpboot_ap_main(void) __noreturn;
void smpboot_ap_main(void)
{
	struct cpu *c = this_cpu();

	desc_init_cpu(c);
	cpu_control_init();
	predictions_init_cpu();
	lapic_init_cpu();
	go_to(AP_STARTED);
	tsc_sync_check_ap();
	while (__atomic_load_n(&ap_step, __ATOMIC_SEQ_CST) == AP_STARTED)
		cpu_relax();
	if (ap_step == AP_REFUSED)
		park();
	c->online = true;
	go_to(AP_ONLINE);
	reset_stack_and_run(run_on_ap);
}
