// SPDX-License-Identifier: GPL-2.0-or-later
/* One line per exit reason: who handles it and what it is called. SDM volume 3, appendix C. */
#include "vmx.h"
#include "trap.h"

static unsigned int insn_len(void)
{
	return (unsigned int)vmread(EXIT_INSN_LEN);
}

static void exit_ext_intr(struct vcpu *v, struct vmx_vcpu *vv)
{
	(void)vv;
	/* Acknowledged at the exit, where posted interrupts are used; else it waits for the window. */
	if (vmx_controls.posted)
		trap_interrupt(INTR_VECTOR((uint32_t)vmread(EXIT_INTR_INFO)), v->regs.rip);
	else
		this_cpu_raise(SOFTIRQ_IRQ_WINDOW);
}

/* The time of one run is up (preempt.c): let in what waits. */
static void exit_preemption_timer(struct vcpu *v, struct vmx_vcpu *vv)
{
	(void)v;
	(void)vv;
	this_cpu_raise(SOFTIRQ_IRQ_WINDOW);
}

static void exit_triple_fault(struct vcpu *v, struct vmx_vcpu *vv)
{
	(void)vv;
	hvm_exit_triple_fault(v);
}

/* INIT is redirected to no one: the platform resets through the chipset. SIPI finds no waiting
 * vCPU. */
static void exit_ignored(struct vcpu *v, struct vmx_vcpu *vv)
{
	(void)v;
	(void)vv;
}

static void exit_cpuid(struct vcpu *v, struct vmx_vcpu *vv)
{
	(void)vv;
	hvm_exit_cpuid(v, insn_len());
}

static void exit_hlt(struct vcpu *v, struct vmx_vcpu *vv)
{
	(void)vv;
	hvm_exit_hlt(v, insn_len());
}

static void exit_vmcall(struct vcpu *v, struct vmx_vcpu *vv)
{
	(void)vv;
	hvm_exit_hypercall(v, insn_len());
}

static void exit_xsetbv(struct vcpu *v, struct vmx_vcpu *vv)
{
	(void)vv;
	hvm_exit_xsetbv(v, insn_len());
}

/* Qualification: size - 1 in 0-2, direction 3, string 4, REP 5, port 16-31 (table 27-5). */
static void exit_io(struct vcpu *v, struct vmx_vcpu *vv)
{
	uint64_t qual = vmread(EXIT_QUALIFICATION);
	struct io_access a = {
		.port = (uint16_t)(qual >> 16),
		.size = (uint8_t)((qual & 7) + 1),
		.in = qual & BIT(3),
		.string = qual & BIT(4),
		.rep = qual & BIT(5),
		.insn_len = (uint8_t)insn_len(),
	};

	(void)vv;
	hvm_exit_io(v, &a);
}

/* Caches are coherent with all that a guest can reach: nothing to write back for it. */
static void exit_wbinvd(struct vcpu *v, struct vmx_vcpu *vv)
{
	(void)vv;
	if (v->domain->is_dom0)
		__asm__ volatile("wbinvd" ::: "memory");
	hvm_advance_rip(v, insn_len());
}

/* VT-x is hidden from guests: its instructions, MONITOR, MWAIT and SMX do not exist. */
static void exit_ud_insn(struct vcpu *v, struct vmx_vcpu *vv)
{
	(void)vv;
	hvm_inject_ud(v);
}

static void exit_rdpmc(struct vcpu *v, struct vmx_vcpu *vv)
{
	(void)vv;
	hvm_inject_gp(v);
}

static void exit_machine_check(struct vcpu *v, struct vmx_vcpu *vv)
{
	(void)v;
	(void)vv;
	__asm__ volatile("int $18");
}

#define BY_IRET 1U

/* Qualification: selector 0-15, source 30-31 (CALL, IRET, JMP, gate in the IDT). */
void vmx_exit_task_switch(struct vcpu *v, struct vmx_vcpu *vv)
{
	uint64_t qual = vmread(EXIT_QUALIFICATION);
	uint32_t info = (uint32_t)vmread(IDT_VECTORING_INFO);
	unsigned int reason = qual >> 30 & 3, len = insn_len();
	bool has_error = (info & INTR_VALID) && (info & INTR_HAS_ERROR);
	uint32_t error = has_error ? (uint32_t)vmread(IDT_VECTORING_ERROR) : 0;

	(void)vv;
	/* Events from outside have no instruction to step over; v->hvm.event holds exactly these.
	 */
	if (v->hvm.event.type != HVM_EVENT_NONE)
		len = 0;
	/* An NMI's task runs with NMIs blocked, and an IRET ends that also when it switches tasks (volume 3, 6.7.1). */
	if (v->hvm.event.type == HVM_EVENT_NMI)
		v->hvm.nmi_masked = true;
	else if (reason == BY_IRET)
		v->hvm.nmi_masked = false;
	v->hvm.event.type = HVM_EVENT_NONE;
	hvm_exit_task_switch(v, (uint16_t)qual, reason, has_error, error, len);
}

#define ARM(handler, text)                          \
	{                                           \
		.handle = (handler), .name = (text) \
	}
#define OWN(handler, text)                                       \
	{                                                        \
		.handle = (handler), .name = (text), .own = true \
	}

static const struct vmx_exit_arm arms[VMX_EXIT_COUNT] = {
	[VMX_EXIT_EXC_NMI] = ARM(vmx_exit_exception, "exception or NMI"),
	[VMX_EXIT_EXT_INTR] = ARM(exit_ext_intr, "physical interrupt"),
	[VMX_EXIT_TRIPLE_FAULT] = ARM(exit_triple_fault, "triple fault"),
	[VMX_EXIT_INIT] = ARM(exit_ignored, "INIT"),
	[VMX_EXIT_SIPI] = ARM(exit_ignored, "start-up IPI"),
	[VMX_EXIT_IO_SMI] = ARM(exit_ignored, "I/O SMI"),
	[VMX_EXIT_OTHER_SMI] = ARM(exit_ignored, "SMI"),
	[VMX_EXIT_INTR_WINDOW] = OWN(vmx_exit_intr_window, "interrupt window"),
	[VMX_EXIT_NMI_WINDOW] = OWN(vmx_exit_nmi_window, "NMI window"),
	[VMX_EXIT_TASK_SWITCH] = ARM(vmx_exit_task_switch, "task switch"),
	[VMX_EXIT_CPUID] = OWN(exit_cpuid, "CPUID"),
	[VMX_EXIT_GETSEC] = ARM(exit_ud_insn, "GETSEC"),
	[VMX_EXIT_HLT] = OWN(exit_hlt, "HLT"),
	[VMX_EXIT_INVD] = ARM(exit_wbinvd, "INVD"),
	[VMX_EXIT_RDPMC] = OWN(exit_rdpmc, "RDPMC"),
	[VMX_EXIT_RSM] = ARM(exit_ud_insn, "RSM"),
	[VMX_EXIT_VMCALL] = ARM(exit_vmcall, "VMCALL"),
	[VMX_EXIT_VMCLEAR... VMX_EXIT_VMXON] = ARM(exit_ud_insn, "VMX instruction"),
	[VMX_EXIT_CR] = OWN(vmx_exit_cr, "control register"),
	[VMX_EXIT_DR] = OWN(vmx_exit_dr, "debug register"),
	[VMX_EXIT_IO] = ARM(exit_io, "I/O"),
	[VMX_EXIT_RDMSR] = OWN(vmx_exit_rdmsr, "RDMSR"),
	[VMX_EXIT_WRMSR] = OWN(vmx_exit_wrmsr, "WRMSR"),
	[VMX_EXIT_BAD_GUEST_STATE] = ARM(vmx_exit_unknown, "invalid guest state"),
	[VMX_EXIT_BAD_MSR_LOAD] = ARM(vmx_exit_unknown, "MSR load"),
	[VMX_EXIT_MWAIT] = ARM(exit_ud_insn, "MWAIT"),
	[VMX_EXIT_MONITOR] = ARM(exit_ud_insn, "MONITOR"),
	[VMX_EXIT_MACHINE_CHECK] = ARM(exit_machine_check, "machine check at entry"),
	[VMX_EXIT_TPR_THRESHOLD] = OWN(vmx_exit_tpr, "TPR below threshold"),
	[VMX_EXIT_APIC_ACCESS] = ARM(vmx_exit_apic_access, "APIC access"),
	[VMX_EXIT_EOI] = OWN(vmx_exit_eoi, "EOI"),
	[VMX_EXIT_EPT_VIOLATION] = ARM(vmx_exit_ept_violation, "EPT violation"),
	[VMX_EXIT_EPT_MISCONFIG] = ARM(vmx_exit_ept_misconfig, "EPT misconfiguration"),
	[VMX_EXIT_INVEPT] = ARM(exit_ud_insn, "INVEPT"),
	[VMX_EXIT_INVVPID] = ARM(exit_ud_insn, "INVVPID"),
	[VMX_EXIT_PREEMPTION_TIMER] = ARM(exit_preemption_timer, "preemption timer"),
	[VMX_EXIT_WBINVD] = OWN(exit_wbinvd, "WBINVD"),
	[VMX_EXIT_XSETBV] = OWN(exit_xsetbv, "XSETBV"),
	[VMX_EXIT_APIC_WRITE] = ARM(vmx_exit_apic_write, "APIC write"),
	[VMX_EXIT_VMFUNC] = ARM(exit_ud_insn, "VMFUNC"),
	[VMX_EXIT_ENCLS] = ARM(exit_ud_insn, "ENCLS"),
};

static const struct vmx_exit_arm arm_bad_state = ARM(vmx_exit_unknown, "invalid guest state");

/* The arm for an exit reason, or NULL. A failed entry has bit 31 set and is nobody's ordinary exit.
 */
const struct vmx_exit_arm *vmx_exit_arm(uint32_t reason)
{
	if (unlikely(reason & VMX_EXIT_ENTRY_FAILED))
		return (reason & 0xffff) == VMX_EXIT_MACHINE_CHECK ? &arms[VMX_EXIT_MACHINE_CHECK]
								   : &arm_bad_state;
	reason &= 0xffff;
	if (likely(reason < ARRAY_SIZE(arms)))
		return arms[reason].handle ? &arms[reason] : NULL;
	return NULL;
}
