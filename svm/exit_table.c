// SPDX-License-Identifier: GPL-2.0-or-later
/* One line per exit code: who handles it and what it is called. APM volume 2, appendix C. */
#include "svm.h"

static void exit_intr(struct vcpu *v, struct vmcb *vmcb)
{
	(void)v;
	(void)vmcb;
	this_cpu_raise(SOFTIRQ_IRQ_WINDOW);
}

/* The NMI itself was taken when the entry code set GIF again. */
static void exit_nmi(struct vcpu *v, struct vmcb *vmcb)
{
	(void)v;
	(void)vmcb;
}

/* Machine check in the guest: the VMM's own handler has to look at the banks. */
static void exit_mc(struct vcpu *v, struct vmcb *vmcb)
{
	(void)v;
	(void)vmcb;
	__asm__ volatile("int $18");
}

static void exit_db(struct vcpu *v, struct vmcb *vmcb)
{
	(void)vmcb;
	hvm_inject_exception(v, X86_EXC_DB, false, 0);
}

static void exit_ac(struct vcpu *v, struct vmcb *vmcb)
{
	(void)vmcb;
	hvm_inject_exception(v, X86_EXC_AC, true, 0);
}

static void exit_cpuid(struct vcpu *v, struct vmcb *vmcb)
{
	unsigned int len = svm_insn_len(v, X86_LEN_CPUID);

	(void)vmcb;
	if (likely(len))
		hvm_exit_cpuid(v, len);
}

static void exit_hlt(struct vcpu *v, struct vmcb *vmcb)
{
	unsigned int len = svm_insn_len(v, X86_LEN_HLT);

	(void)vmcb;
	v->hvm.shadow = 0; /* HLT retires, and STI's shadow with it */
	if (len)
		hvm_exit_hlt(v, len);
}

static void exit_vmmcall(struct vcpu *v, struct vmcb *vmcb)
{
	unsigned int len = svm_insn_len(v, X86_LEN_VMMCALL);

	(void)vmcb;
	if (likely(len))
		hvm_exit_hypercall(v, len);
}

static void exit_xsetbv(struct vcpu *v, struct vmcb *vmcb)
{
	unsigned int len = svm_insn_len(v, X86_LEN_XSETBV);

	(void)vmcb;
	if (len)
		hvm_exit_xsetbv(v, len);
}

/* exit_info2 is the address of the next instruction (15.10.2). */
static void exit_ioio(struct vcpu *v, struct vmcb *vmcb)
{
	uint64_t info = vmcb->exit_info1;
	struct io_access a = {
		.port = (uint16_t)(info >> 16),
		.size = (uint8_t)(info >> 4 & 7),
		.in = info & 1,
		.string = info & BIT(2),
		.rep = info & BIT(3),
		.insn_len = (uint8_t)(vmcb->exit_info2 - vmcb->rip),
	};

	hvm_exit_io(v, &a);
}

/* Caches are coherent with all that a guest can reach: nothing to write back for it. */
static void exit_wbinvd(struct vcpu *v, struct vmcb *vmcb)
{
	bool wb = vmcb->exit_code == SVM_EXIT_WBINVD;
	unsigned int len = svm_insn_len(v, wb ? X86_LEN_WBINVD : X86_LEN_INVD);

	if (!len)
		return;
	if (v->domain->is_dom0)
		__asm__ volatile("wbinvd" ::: "memory");
	hvm_advance_rip(v, len);
}

/* SVM is hidden from guests: its instructions, MONITOR and MWAIT do not exist. */
static void exit_ud_insn(struct vcpu *v, struct vmcb *vmcb)
{
	(void)vmcb;
	hvm_inject_ud(v);
}

static void exit_rdpmc(struct vcpu *v, struct vmcb *vmcb)
{
	(void)vmcb;
	hvm_inject_gp(v);
}

static void exit_ferr(struct vcpu *v, struct vmcb *vmcb)
{
	(void)v;
	(void)vmcb; /* FERR# has no use with CR0.NE; the instruction goes on */
}

static void exit_init(struct vcpu *v, struct vmcb *vmcb)
{
	(void)v;
	(void)vmcb; /* INIT is redirected to no one: the platform resets through the chipset */
}

static void exit_shutdown(struct vcpu *v, struct vmcb *vmcb)
{
	(void)vmcb;
	hvm_exit_triple_fault(v);
}

/* exit_info2: bit 36 IRET, 38 far jump, 44 error code pushed, low half the code (15.14.1). */
static void exit_task_switch(struct vcpu *v, struct vmcb *vmcb)
{
	uint64_t info = vmcb->exit_info2;
	bool has_error = info & BIT(44);
	bool event = v->hvm.event.type != HVM_EVENT_NONE;
	unsigned int reason = 0, len = 0;

	if (info & BIT(36))
		reason = 1; /* IRET */
	else if (info & BIT(38))
		reason = 2; /* JMP */
	else if (event || (vmcb->exit_int_info & SVM_EVENT_VALID))
		reason = 3; /* a gate in the IDT: an event, or INT n, which was not requeued */
	if (!event) {
		len = svm_insn_len(v, X86_LEN_TASK_SWITCH);
		if (!len)
			return;
	}
	v->hvm.event.type = HVM_EVENT_NONE;
	hvm_exit_task_switch(v, (uint16_t)vmcb->exit_info1, reason, has_error, (uint32_t)info, len);
}

const struct svm_exit_arm svm_exit_arms[SVM_EXIT_COMMON] = {
	[SVM_EXIT_CR_READ + 0] = { svm_exit_cr_read, "read CR0" },
	[SVM_EXIT_CR_READ + 3] = { svm_exit_cr_read, "read CR3" },
	[SVM_EXIT_CR_READ + 4] = { svm_exit_cr_read, "read CR4" },
	[SVM_EXIT_CR_READ + 8] = { svm_exit_cr_read, "read CR8" },
	[SVM_EXIT_CR_WRITE + 0] = { svm_exit_cr_write, "write CR0" },
	[SVM_EXIT_CR_WRITE + 3] = { svm_exit_cr_write, "write CR3" },
	[SVM_EXIT_CR_WRITE + 4] = { svm_exit_cr_write, "write CR4" },
	[SVM_EXIT_CR_WRITE + 8] = { svm_exit_cr_write, "write CR8" },
	[SVM_EXIT_DR_READ... SVM_EXIT_DR_READ + 15] = { svm_exit_dr, "read DR" },
	[SVM_EXIT_DR_WRITE... SVM_EXIT_DR_WRITE + 15] = { svm_exit_dr, "write DR" },
	[SVM_EXIT_EXC + X86_EXC_DB] = { exit_db, "#DB" },
	[SVM_EXIT_EXC + X86_EXC_UD] = { svm_exit_ud, "#UD" },
	[SVM_EXIT_EXC + X86_EXC_AC] = { exit_ac, "#AC" },
	[SVM_EXIT_EXC + X86_EXC_MC] = { exit_mc, "#MC" },
	[SVM_EXIT_INTR] = { exit_intr, "physical interrupt" },
	[SVM_EXIT_NMI] = { exit_nmi, "physical NMI" },
	[SVM_EXIT_SMI] = { exit_nmi, "SMI" },
	[SVM_EXIT_INIT] = { exit_init, "INIT" },
	[SVM_EXIT_VINTR] = { svm_exit_vintr, "interrupt window" },
	[SVM_EXIT_RDPMC] = { exit_rdpmc, "RDPMC" },
	[SVM_EXIT_CPUID] = { exit_cpuid, "CPUID" },
	[SVM_EXIT_IRET] = { svm_exit_iret, "IRET" },
	[SVM_EXIT_INVD] = { exit_wbinvd, "INVD" },
	[SVM_EXIT_HLT] = { exit_hlt, "HLT" },
	[SVM_EXIT_INVLPGA] = { exit_ud_insn, "INVLPGA" },
	[SVM_EXIT_IOIO] = { exit_ioio, "I/O" },
	[SVM_EXIT_MSR] = { svm_exit_msr, "MSR" },
	[SVM_EXIT_TASK_SWITCH] = { exit_task_switch, "task switch" },
	[SVM_EXIT_FERR] = { exit_ferr, "FERR freeze" },
	[SVM_EXIT_SHUTDOWN] = { exit_shutdown, "shutdown" },
	[SVM_EXIT_VMRUN] = { exit_ud_insn, "VMRUN" },
	[SVM_EXIT_VMMCALL] = { exit_vmmcall, "VMMCALL" },
	[SVM_EXIT_VMLOAD] = { exit_ud_insn, "VMLOAD" },
	[SVM_EXIT_VMSAVE] = { exit_ud_insn, "VMSAVE" },
	[SVM_EXIT_STGI] = { exit_ud_insn, "STGI" },
	[SVM_EXIT_CLGI] = { exit_ud_insn, "CLGI" },
	[SVM_EXIT_SKINIT] = { exit_ud_insn, "SKINIT" },
	[SVM_EXIT_WBINVD] = { exit_wbinvd, "WBINVD" },
	[SVM_EXIT_MONITOR] = { exit_ud_insn, "MONITOR" },
	[SVM_EXIT_MWAIT] = { exit_ud_insn, "MWAIT" },
	[SVM_EXIT_MWAIT_ARMED] = { exit_ud_insn, "MWAIT armed" },
	[SVM_EXIT_XSETBV] = { exit_xsetbv, "XSETBV" },
	[SVM_EXIT_RDPRU] = { exit_ud_insn, "RDPRU" },
};

static const struct svm_exit_arm arm_npf = { svm_exit_npf, "nested page fault" };
static const struct svm_exit_arm arm_invalid = { svm_exit_unknown, "invalid VMCB" };

const struct svm_exit_arm *svm_exit_arm(uint64_t code)
{
	if (likely(code < ARRAY_SIZE(svm_exit_arms)))
		return svm_exit_arms[code].handle ? &svm_exit_arms[code] : NULL;
	if (code == SVM_EXIT_NPF)
		return &arm_npf;
	return (uint32_t)code == ~0U ? &arm_invalid : NULL;
}
