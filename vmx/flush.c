// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Clearing the L1 data cache and the CPU's buffers at entries (hazards.c says on which CPUs). The buffers are
 * cleared at every entry of a guest; that costs one VERW, in entry.S, behind which nothing but the
 * guest's own registers is read. The cache is flushed when something of others can be in it: after another
 * vCPU ran here, and after exits that look at more than the vCPU's own state. dom0 is trusted with the
 * machine and needs neither. A sibling hyper-thread shares both all the time; only firmware can
 * switch it off, so that is said.
 *
 * Where a guest can stop the CPU by changing the page size of code while it runs, large pages of nested tables are not
 * executable: the first fetch from one splits it (paging/fault.c).
 */
#include "vmx.h"
#include "boot.h"
#include "debug.h"

/* Twice the largest L1 data cache that has to be flushed by reading. */
#define READ_ORDER 4U
#define LINE_BYTES 64U

struct vmx_hazards vmx_hazards;
static bool enabled = true, forced, large_code;
static const uint8_t *read_buffer;

COUNTER(l1d_by_command);
COUNTER(l1d_by_reading);

static int parse_flush(const char *value)
{
	forced = !strcmp(value, "force");
	return forced ? 0 : parse_bool(value, &enabled);
}
BOOT_OPTION(vmx_flush, "vmx-flush", parse_flush,
	    "clear caches and buffers at entries of guests: on (where needed), off, force");

static int parse_large_code(const char *value)
{
	return parse_bool(value, &large_code);
}
BOOT_OPTION(vmx_large_code, "vmx-large-code", parse_large_code,
	    "code of guests in large pages, also where that is a risk (default: off)");

static bool has_siblings(void)
{
	uint32_t a, threads = 0, c, d;

	if (host_cpu.max_leaf >= 0xb)
		cpuid_count(0xb, 0, &a, &threads, &c, &d);
	return (threads & 0xffff) > 1;
}

static void report(void)
{
	static const char *const l1d[] = { "", " L1 data cache (by command)",
					   " L1 data cache (by reading)" };
	const struct vmx_hazards *h = &vmx_hazards;

	if (h->l1d || h->verw)
		printk(LOG_INFO "VT-x: cleared at entries of guests:%s%s%s\n", l1d[h->l1d],
		       h->l1d && h->verw ? "," : "", h->verw ? " buffers (VERW)" : "");
	if (vmx_ept_format.small_code)
		printk(LOG_INFO "VT-x: guests' code runs in small pages on this CPU\n");
	if (h->unprotected)
		printk(LOG_WARN "VT-x: this CPU leaks data between guests by its buffers (MDS), "
				"and its microcode cannot clear them: update the firmware\n");
	if ((h->l1d || h->verw || h->unprotected) && has_siblings())
		printk(LOG_WARN "VT-x: hyper-threads share cache and buffers: switch them off in "
				"the firmware if guests do not trust each other\n");
}

/* Once, on the first CPU. 0 or -ENOMEM. */
int vmx_flush_init(void)
{
	struct vmx_hazard_facts f = { host_cpu.family, host_cpu.model, host_cpu.f7_ebx,
				      host_cpu.f7_edx, host_cpu.arch_caps };
	struct page *buffer;

	vmx_hazards_compute(&f, &vmx_hazards);
	if (forced) {
		vmx_hazards.l1d = vmx_l1d_way(&f);
		vmx_hazards.verw = true; /* harmless where it clears nothing */
	} else if (!enabled) {
		vmx_hazards.l1d = L1D_KEEP;
		vmx_hazards.verw = false;
	}
	vmx_ept_format.small_code = vmx_hazards.large_code && !large_code;
	report();
	if (vmx_hazards.l1d != L1D_BY_READING)
		return 0;
	buffer = alloc_pages(READ_ORDER);
	if (!buffer)
		return -ENOMEM;
	read_buffer = page_to_virt(buffer);
	return 0;
}

/* The first round fills the TLB, so that the second one reads nothing but the buffer. */
static void flush_by_reading(void)
{
	const volatile uint8_t *p = read_buffer;

	for (size_t i = 0; i < PAGE_SIZE << READ_ORDER; i += PAGE_SIZE)
		(void)p[i];
	__asm__ volatile("lfence" ::: "memory");
	for (size_t i = 0; i < PAGE_SIZE << READ_ORDER; i += LINE_BYTES)
		(void)p[i];
	__asm__ volatile("lfence" ::: "memory");
}

/* Right before an entry. */
void vmx_flush_l1d(struct vmx_vcpu *vv)
{
	vv->flush_l1d = false;
	if (vv->vcpu->domain->is_dom0)
		return;
	if (vmx_hazards.l1d == L1D_BY_COMMAND) {
		wrmsr(MSR_FLUSH_CMD, FLUSH_CMD_L1D);
		counter_inc(l1d_by_command);
	} else if (vmx_hazards.l1d == L1D_BY_READING) {
		flush_by_reading();
		counter_inc(l1d_by_reading);
	}
}
