/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exceptions and interrupts that arrive while the VMM runs. Interrupts come only in the two
 * windows of the run loop (spinlock.h). An exception is either expected by the instruction that
 * raised it (.extable) or the end of the host.
 */
#include "cpu.h"
#include "debug.h"
#include "ext_irq.h"
#include "trap.h"

struct extable_entry {
	uint64_t from, to;
};
const struct ext_irq_ops *ext_irq_ops;
bool (*nmi_hook)(const struct trap_frame *f);

extern const struct extable_entry _extable_start[], _extable_end[];

COUNTER(irq_timer);
COUNTER(irq_kick);
COUNTER(irq_spurious);
COUNTER(irq_dom0);
COUNTER(nmi);

static const char *const exception_name[32] = {
	"divide error",
	"debug",
	"NMI",
	"breakpoint",
	"overflow",
	"bound range",
	"invalid opcode",
	"device not available",
	"double fault",
	"coprocessor overrun",
	"invalid TSS",
	"segment not present",
	"stack fault",
	"general protection",
	"page fault",
	"15",
	"x87 error",
	"alignment check",
	"machine check",
	"SIMD error",
	"virtualization",
	"control protection",
	"22",
	"23",
	"24",
	"25",
	"26",
	"27",
	"hypervisor injection",
	"VMM communication",
	"security",
	"31",
};

static bool extable_fixup(struct trap_frame *f)
{
	for (const struct extable_entry *e = _extable_start; e < _extable_end; e++) {
		if (e->from == f->rip) {
			f->rip = e->to;
			return true;
		}
	}
	return false;
}

static void handle_exception(struct trap_frame *f)
{
	if (f->vector == 2) {
		counter_inc(nmi);
		if (!nmi_hook || !nmi_hook(f))
			printk_once(LOG_WARN "NMI without a known reason on CPU %u\n", cpu_id());
		return;
	}
	if (f->vector != 8 && f->vector != 18 && extable_fixup(f))
		return;
	panic_trap(f, exception_name[f->vector]);
}

static void handle_vmm_vector(uint8_t vector)
{
	switch (vector) {
	case VMM_VECTOR_TIMER:
		counter_inc(irq_timer);
		this_cpu_raise(SOFTIRQ_TIMER);
		lapic_eoi();
		break;
	case VMM_VECTOR_KICK:
		counter_inc(irq_kick);
		lapic_eoi();
		break;
	case VMM_VECTOR_POSTED:
		lapic_eoi(); /* the vCPU takes it over before it enters */
		break;
	case VMM_VECTOR_ERROR:
		lapic_write(0x280, 0);
		printk_once(LOG_WARN "CPU %u: local APIC error %#x\n", cpu_id(), lapic_read(0x280));
		lapic_eoi();
		break;
	case VMM_VECTOR_SPURIOUS:
		counter_inc(irq_spurious); /* no EOI: SDM 3, 11.9 */
		break;
	default:
		printk_once(LOG_WARN "CPU %u: unexpected vector %#x\n", cpu_id(), vector);
		lapic_eoi();
		break;
	}
}

void trap_interrupt(uint8_t vector, uint64_t rip)
{
	if (vector >= VMM_VECTOR_FIRST) {
		handle_vmm_vector(vector);
	} else {
		counter_inc(irq_dom0);
		trace(TRACE_IRQ, vector, rip);
		ext_irq_ops->arrived(vector);
	}
}

void trap_entry(struct trap_frame *f)
{
	if (f->vector < 0x20)
		handle_exception(f);
	else
		trap_interrupt((uint8_t)f->vector, f->rip);
}

int rdmsr_safe(uint32_t msr, uint64_t *v)
{
	uint32_t lo = 0, hi = 0;
	int err = -EFAULT;

	__asm__ volatile("1: rdmsr\n\txor %0, %0\n2:\n\t" EXTABLE(1b, 2b)
			 : "+r"(err), "+a"(lo), "+d"(hi)
			 : "c"(msr));
	*v = ((uint64_t)hi << 32) | lo;
	return err;
}
