/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processors: each runs the same short function once (MTRRs, local APIC, APIC ID). Others than the
 * first are started by VCPUOP_initialise with a flat 32-bit state, run alone while the first one
 * waits, and are taken down again; the guest starts them later by INIT and SIPI.
 */
#include "smp.h"
#include "console.h"
#include "hypercall.h"
#include "io.h"
#include "layout.h"
#include "util.h"

#include <xen/vcpu.h>

#define LAPIC_ID       (LAPIC_ADDR + 0x20)
#define LAPIC_SPIV     (LAPIC_ADDR + 0xf0)
#define LAPIC_LVT0     (LAPIC_ADDR + 0x350)
#define LAPIC_LVT1     (LAPIC_ADDR + 0x360)
#define LAPIC_ENABLE   0x100u
#define LVT_NMI	       0x400u
#define LVT_EXTINT     0x700u
#define LVT_MASKED     0x10000u
#define IOAPIC_SELECT  IOAPIC_ADDR
#define IOAPIC_WINDOW  (IOAPIC_ADDR + 0x10)

#define AP_STACK_BYTES 2048

static uint8_t ap_stack[AP_STACK_BYTES] __attribute__((aligned(16)));
static const struct mtrr_plan *ap_plan;
static uint32_t ap_number;
static volatile uint32_t ap_apic_id;
static volatile bool ap_done;

static uint32_t read_apic_id(void)
{
	struct cpuid_regs r;

	if (cpuid_count(0, 0).eax >= 0xb) {
		r = cpuid_count(0xb, 0);
		if (r.ebx)
			return r.edx;
	}
	return cpuid_count(1, 0).ebx >> 24;
}

/*
 * A processor's number is its APIC ID on most PCs, and some systems count on that. Plinth takes it from the ID register;
 * on Xen the write does nothing, and the ID stays twice the number.
 */
static uint32_t setup_this_cpu(uint32_t number, const struct mtrr_plan *plan)
{
	mtrr_load(plan);
	mmio_write32(LAPIC_ID, number << 24);
	mmio_write32(LAPIC_SPIV, LAPIC_ENABLE | 0xff);
	mmio_write32(LAPIC_LVT0, LVT_EXTINT | LVT_MASKED);
	mmio_write32(LAPIC_LVT1, LVT_NMI);
	return read_apic_id();
}

static void __attribute__((noreturn, used)) ap_main(void)
{
	ap_apic_id = setup_this_cpu(ap_number, ap_plan);
	ap_done = true;
	for (;;)
		asm volatile("cli; hlt" : : : "memory");
}

static void ap_state(struct vcpu_hvm_context *c)
{
	struct vcpu_hvm_x86_32 *r = &c->cpu_regs.x86_32;

	memset(c, 0, sizeof(*c));
	c->mode = VCPU_HVM_MODE_32B;
	r->eip = (uint32_t)(uintptr_t)ap_main;
	/* As after a call: the ABI wants ESP + 4 to be a multiple of 16. */
	r->esp = (uint32_t)(uintptr_t)ap_stack + AP_STACK_BYTES - 20;
	r->eflags = 2;
	r->cr0 = 1;
	r->cs_limit = r->ds_limit = r->ss_limit = r->es_limit = 0xffffffff;
	r->tr_limit = 0x67;
	r->cs_ar = 0xc9b;
	r->ds_ar = r->ss_ar = r->es_ar = 0xc93;
	r->tr_ar = 0x8b;
}

static uint32_t run_on_ap(uint32_t vcpu)
{
	struct vcpu_hvm_context context;
	int ret;

	ap_state(&context);
	ap_number = vcpu;
	ap_done = false;
	ret = hypercall_vcpu_op(VCPUOP_initialise, vcpu, &context);
	if (!ret)
		ret = hypercall_vcpu_op(VCPUOP_up, vcpu, NULL);
	if (ret)
		fatal("starting vCPU %u: error %d", vcpu, ret);
	while (!ap_done)
		hypercall_yield();
	ret = hypercall_vcpu_op(VCPUOP_down, vcpu, NULL);
	if (ret)
		fatal("stopping vCPU %u: error %d", vcpu, ret);
	while (hypercall_vcpu_op(VCPUOP_is_up, vcpu, NULL) > 0)
		hypercall_yield();
	return ap_apic_id;
}

void smp_setup(uint32_t nr_vcpus, const struct mtrr_plan *plan, uint32_t *apic_ids)
{
	ap_plan = plan;
	apic_ids[0] = setup_this_cpu(0, plan);
	for (uint32_t i = 1; i < nr_vcpus; i++)
		apic_ids[i] = run_on_ap(i);
	for (uint32_t i = 0; i < nr_vcpus; i++)
		say("hvmloader: vCPU %u has APIC ID %u, %u of %u variable MTRRs used\n", i,
		    apic_ids[i], plan->nr, plan->nr_available);
}

static void ioapic_write(uint32_t reg, uint32_t val)
{
	mmio_write32(IOAPIC_SELECT, reg);
	mmio_write32(IOAPIC_WINDOW, val);
}

void smp_setup_ioapic(uint32_t ioapic_id, uint32_t bsp_apic_id)
{
	ioapic_write(0x00, ioapic_id << 24);
	ioapic_write(0x11, bsp_apic_id << 24);
	ioapic_write(0x10, LVT_EXTINT);
}
