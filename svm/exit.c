// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Entering a guest and handling the exit. The arms turn what hardware says into the neutral structures
 * of hvm_ops.h; common code in vmm/hvm decides. APM volume 2, 15.6 to 15.14.
 */
#include "svm.h"
#include "guest_access.h"
#include "stretch.h"
#include "vlapic.h"

/*
 * Address space identifiers. Each CPU hands them out in order; when they run out a new generation begins with a flush of
 * everything. Flushing a vCPU is taking its ASID away (15.15.2).
 */
void svm_flush_vcpu(struct vcpu *v)
{
	svm_vcpu(v)->asid_generation = 0;
}

/* v has no ASID that is valid on this CPU: give it the next one. */
static void asid_renew(struct vcpu *v)
{
	struct svm_cpu *sc = this_cpu()->vendor;
	struct svm_vcpu *sv = svm_vcpu(v);

	if (sc->next_asid >= svm_caps.nr_asids) {
		sc->next_asid = 1;
		sc->asid_generation += MAX_CPUS;
		sv->vmcb->tlb_control = SVM_TLB_FLUSH_ALL;
	}
	sv->vmcb->asid = sc->next_asid++;
	sv->asid_generation = sc->asid_generation;
}

static void sync_from_guest(struct vcpu *v, struct vmcb *vmcb)
{
	v->regs.gpr[X86_RAX] = vmcb->rax;
	v->regs.gpr[X86_RSP] = vmcb->rsp;
	v->regs.rip = vmcb->rip;
	v->regs.rflags = vmcb->rflags;
	v->cr2 = vmcb->cr2;
	/* On shadow tables every change of these is an exit, and the processor has others. */
	if (likely(v->hw == &v->guest_crs)) {
		v->cr0 = vmcb->cr0;
		v->cr3 = vmcb->cr3;
		v->efer = vmcb->efer & ~X86_EFER_SVME;
	} else if (unlikely(vmcb->cr3 != v->hw->cr3)) {
		/* QEMU's TCG makes some task switches itself, whatever is intercepted: CR3 is the guest's then (docs/facts.md). */
		domain_crash(v->domain,
			     "vCPU %u: the processor loaded CR3 from a TSS; hap=1 is needed here",
			     v->id);
	}
	v->dr6 = vmcb->dr6;
	v->dr7 = vmcb->dr7;
	v->hvm.cpl = vmcb->cpl;
	v->hvm.valid = HVM_SEGS | HVM_CPL;
}

static void sync_tpr(struct vcpu *v, const struct vmcb *vmcb)
{
	struct vlapic *a = v->hvm.vlapic;
	uint8_t tpr = (uint8_t)(vmcb->vintr & 0xf);

	if (unlikely(tpr != vlapic_get(a, APIC_TPR) >> 4))
		vlapic_set_tpr(a, (uint8_t)(tpr << 4));
}

/* Steps over an instruction whose interrupt shadow the CPU would lose; see intr.c. */
static bool svm_step_over_shadow(struct vcpu *v)
{
	if (!svm_caps.lost_shadow || v->hvm.event.type != HVM_EVENT_NONE)
		return false;
	if (!hvm_intr_pending(v) && !READ_ONCE(v->hvm.nmi_pending) && !v->hvm.extint_waits)
		return false;
	*v->hvm.shadow = 0;
	/* An interrupt that is an instruction early is better than no guest. */
	if (!hvm_emulate_try(v))
		return false;
	vcpu_attention(v, VCPU_ATT_IRQ);
	return true;
}

/* The lengths of instructions that hardware may not report: the class that svm_insn_len() is asked for. */
#define LEN(class)   (X86_LEN_##class + 1)
#define NO_SUCH_EXIT ~0U

/* Length and general register of the MOV CR at rip, REX.B counted. 0: it is another instruction. */
static unsigned int mov_cr_insn(struct vcpu *v, const struct vmcb *vmcb, uint8_t *gpr)
{
	unsigned int len, rex = 0;
	uint8_t b[15];

	if (svm_caps.decode && svm_caps.nrips && (vmcb->exit_info1 & BIT(63))) {
		*gpr = (uint8_t)(vmcb->exit_info1 & 0xf);
		return (unsigned int)(vmcb->next_rip - vmcb->rip);
	}
	len = svm_insn_fetch(v, X86_LEN_MOV_CR, b);
	if (!len)
		return 0;
	if (len >= 4 && (b[len - 4] & 0xf0) == 0x40 && hvm_code64(v))
		rex = b[len - 4];
	*gpr = (uint8_t)((b[len - 1] & 7) | (rex & 1) << 3);
	return len;
}

/* Without decode assists the operand comes from the instruction's bytes: 0f 20/22 modrm. */
static void exit_cr(struct vcpu *v, unsigned int insn_len)
{
	const struct vmcb *vmcb = svm_vmcb(v);
	struct cr_access a = {
		.kind = vmcb->exit_code < SVM_EXIT_CR_WRITE ? CR_READ : CR_WRITE,
		.cr = (uint8_t)(vmcb->exit_code & 0xf),
	};

	(void)insn_len;
	a.insn_len = (uint8_t)mov_cr_insn(v, vmcb, &a.gpr);
	if (a.insn_len)
		hvm_exit_cr(v, &a);
	else
		hvm_emulate(v, NULL, 0); /* LMSW, CLTS or SMSW under an intercept of CR0 */
}

/* exit_info1 says which (15.11). */
static void exit_msr(struct vcpu *v, unsigned int insn_len)
{
	bool write = svm_vmcb(v)->exit_info1 & 1;

	insn_len = svm_insn_len(v, write ? X86_LEN_WRMSR : X86_LEN_RDMSR);
	if (unlikely(!insn_len))
		return;
	if (write)
		hvm_exit_wrmsr(v, insn_len);
	else
		hvm_exit_rdmsr(v, insn_len);
}

/* exit_info2 is the address of the next instruction (15.10.2). */
static void exit_ioio(struct vcpu *v, unsigned int insn_len)
{
	const struct vmcb *vmcb = svm_vmcb(v);
	uint64_t info = vmcb->exit_info1;
	struct io_access a = {
		.port = (uint16_t)(info >> 16),
		.size = (uint8_t)(info >> 4 & 7),
		.in = info & 1,
		.string = info & BIT(2),
		.rep = info & BIT(3),
		.insn_len = (uint8_t)(vmcb->exit_info2 - vmcb->rip),
	};

	(void)insn_len;
	hvm_exit_io(v, &a);
}

/* exit_info2: bit 36 IRET, 38 far jump, 44 error code pushed, low half the code (15.14.1). */
static void exit_task_switch(struct vcpu *v, unsigned int insn_len)
{
	const struct vmcb *vmcb = svm_vmcb(v);
	uint64_t info = vmcb->exit_info2;
	bool has_error = info & BIT(44);
	bool event = v->hvm.event.type != HVM_EVENT_NONE;
	unsigned int reason = 0, len = 0;

	(void)insn_len;
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

/*
 * Nested page fault: exit_info1 has the page fault bits and, at 32 and 33, whether the final address or
 * the guest's page walk faulted; exit_info2 is the guest-physical address (15.25.6).
 */
static void exit_npf(struct vcpu *v, unsigned int insn_len)
{
	const struct vmcb *vmcb = svm_vmcb(v);
	uint64_t err = vmcb->exit_info1;
	struct npt_fault f = {
		.gpa = _gpa(vmcb->exit_info2),
		.write = err & PFEC_W,
		.fetch = err & PFEC_I,
		.read = !(err & (PFEC_W | PFEC_I)),
		.table_walk = (err & BIT(33)) || (vmcb->exit_int_info & SVM_EVENT_VALID),
	};

	(void)insn_len;
	if (!p2m_fault(v, &f))
		hvm_exit_mmio(v, &f);
}

/* On shadow tables: the address and the error code; CR2 is as it was (15.12.15). */
static void exit_page_fault(struct vcpu *v, unsigned int insn_len)
{
	const struct vmcb *vmcb = svm_vmcb(v);

	(void)insn_len;
	hvm_exit_page_fault(v, vmcb->exit_info2, (uint32_t)vmcb->exit_info1,
			    vmcb->exit_int_info & SVM_EVENT_VALID);
}

/*
 * By exit code, nested page faults last. An NMI was taken when the entry code set GIF again; INIT is redirected to no one, as the
 * platform resets through the chipset; FERR# has no use with CR0.NE. SVM is hidden from guests: its instructions, MONITOR and
 * MWAIT do not exist. APM volume 2, appendix C.
 */
static const struct hvm_exit_arm arms[SVM_EXIT_KINDS] = {
	[SVM_EXIT_CR_READ + 0] = { exit_cr, "read CR0" },
	[SVM_EXIT_CR_READ + 3] = { exit_cr, "read CR3" },
	[SVM_EXIT_CR_READ + 4] = { exit_cr, "read CR4" },
	[SVM_EXIT_CR_READ + 8] = { exit_cr, "read CR8" },
	[SVM_EXIT_CR_WRITE + 0] = { exit_cr, "write CR0" },
	[SVM_EXIT_CR_WRITE + 3] = { exit_cr, "write CR3" },
	[SVM_EXIT_CR_WRITE + 4] = { exit_cr, "write CR4" },
	[SVM_EXIT_CR_WRITE + 8] = { exit_cr, "write CR8" },
	[SVM_EXIT_DR_READ... SVM_EXIT_DR_READ + 15] = { svm_exit_dr, "read DR" },
	[SVM_EXIT_DR_WRITE... SVM_EXIT_DR_WRITE + 15] = { svm_exit_dr, "write DR" },
	[SVM_EXIT_EXC + X86_EXC_DB] = { hvm_exit_inject_db, "#DB" },
	[SVM_EXIT_EXC + X86_EXC_UD] = { hvm_exit_ud, "#UD" },
	[SVM_EXIT_EXC + X86_EXC_PF] = { exit_page_fault, "#PF" },
	[SVM_EXIT_EXC + X86_EXC_AC] = { hvm_exit_inject_ac, "#AC" },
	[SVM_EXIT_EXC + X86_EXC_MC] = { hvm_exit_machine_check, "#MC" },
	[SVM_EXIT_INTR] = { hvm_exit_interrupt, "physical interrupt" },
	[SVM_EXIT_NMI] = { hvm_exit_nothing, "physical NMI" },
	[SVM_EXIT_SMI] = { hvm_exit_nothing, "SMI" },
	[SVM_EXIT_INIT] = { hvm_exit_nothing, "INIT" },
	[SVM_EXIT_VINTR] = { svm_exit_vintr, "interrupt window" },
	[SVM_EXIT_RDPMC] = { hvm_exit_inject_gp, "RDPMC" },
	[SVM_EXIT_CPUID] = { hvm_exit_cpuid, "CPUID", LEN(CPUID) },
	[SVM_EXIT_IRET] = { svm_exit_iret, "IRET" },
	[SVM_EXIT_INVD] = { hvm_exit_wbinvd, "INVD", LEN(INVD) },
	[SVM_EXIT_HLT] = { hvm_exit_hlt, "HLT", LEN(HLT) },
	[SVM_EXIT_INVLPGA] = { hvm_exit_inject_ud, "INVLPGA" },
	[SVM_EXIT_IOIO] = { exit_ioio, "I/O" },
	[SVM_EXIT_MSR] = { exit_msr, "MSR" },
	[SVM_EXIT_TASK_SWITCH] = { exit_task_switch, "task switch" },
	[SVM_EXIT_FERR] = { hvm_exit_nothing, "FERR freeze" },
	[SVM_EXIT_SHUTDOWN] = { hvm_exit_triple_fault, "shutdown" },
	[SVM_EXIT_VMRUN] = { hvm_exit_inject_ud, "VMRUN" },
	[SVM_EXIT_VMMCALL] = { hvm_exit_hypercall, "VMMCALL", LEN(VMMCALL) },
	[SVM_EXIT_VMLOAD] = { hvm_exit_inject_ud, "VMLOAD" },
	[SVM_EXIT_VMSAVE] = { hvm_exit_inject_ud, "VMSAVE" },
	[SVM_EXIT_STGI] = { hvm_exit_inject_ud, "STGI" },
	[SVM_EXIT_CLGI] = { hvm_exit_inject_ud, "CLGI" },
	[SVM_EXIT_SKINIT] = { hvm_exit_inject_ud, "SKINIT" },
	[SVM_EXIT_WBINVD] = { hvm_exit_wbinvd, "WBINVD", LEN(WBINVD) },
	[SVM_EXIT_MONITOR] = { hvm_exit_inject_ud, "MONITOR" },
	[SVM_EXIT_MWAIT] = { hvm_exit_inject_ud, "MWAIT" },
	[SVM_EXIT_MWAIT_ARMED] = { hvm_exit_inject_ud, "MWAIT armed" },
	[SVM_EXIT_XSETBV] = { hvm_exit_xsetbv, "XSETBV", LEN(XSETBV) },
	[SVM_EXIT_RDPRU] = { hvm_exit_inject_ud, "RDPRU" },
	[SVM_EXIT_COMMON] = { exit_npf, "nested page fault" },
};

static unsigned int exit_index(uint64_t code)
{
	if (likely(code < SVM_EXIT_COMMON))
		return (unsigned int)code;
	return code == SVM_EXIT_NPF ? SVM_EXIT_COMMON : NO_SUCH_EXIT;
}

const char *svm_exit_name(uint64_t code)
{
	unsigned int index = exit_index(code);

	if (index != NO_SUCH_EXIT && arms[index].name)
		return arms[index].name;
	return (uint32_t)code == ~0U ? "invalid VMCB" : "unknown";
}

bool svm_exit_count(unsigned int index, const char **name, uint64_t *count)
{
	unsigned int cpu;

	if (index >= SVM_EXIT_KINDS)
		return false;
	*name = arms[index].name;
	*count = 0;
	for_each_cpu(cpu)
		*count += ((const struct svm_cpu *)cpus[cpu]->vendor)->exits[index];
	return true;
}

/* Exit with a hardware-named reason that no arm serves: this domain ends, the host goes on. */
static void exit_unknown(struct vcpu *v, const struct vmcb *vmcb)
{
	domain_crash(v->domain, "AMD-V exit %lx (%s) cannot be handled, info %lx %lx",
		     vmcb->exit_code, svm_exit_name(vmcb->exit_code), vmcb->exit_info1,
		     vmcb->exit_info2);
}

static void dispatch(struct vcpu *v, struct svm_vcpu *sv, struct svm_cpu *sc)
{
	const struct vmcb *vmcb = sv->vmcb;
	unsigned int index = exit_index(vmcb->exit_code), len = 0;
	const struct hvm_exit_arm *arm;

	if (unlikely(index == NO_SUCH_EXIT || !arms[index].meaning)) {
		exit_unknown(v, vmcb);
		return;
	}
	arm = &arms[index];
	sc->exits[index]++;
	if (arm->length) {
		len = svm_insn_len_of(v, sv, (enum x86_len_class)(arm->length - 1));
		if (unlikely(!len))
			return;
	}
	arm->meaning(v, len);
}

/*
 * Debug builds. Seen once, in QEMU's TCG: the host's state in a guest's VMCB, as VMRUN saves it elsewhere and an exit loads
 * it (docs/facts.md). A guest that has such numbers by itself ends, too.
 */
static void look_for_host_state(struct vcpu *v, const struct vmcb *vmcb)
{
	if (vmcb->rip == (uint64_t)svm_behind_vmrun && vmcb->cr3 == read_cr3())
		domain_crash(v->domain,
			     "vCPU %u: exit %lx on CPU %u left the host's state in its VMCB", v->id,
			     vmcb->exit_code, cpu_id());
}

void svm_run(struct vcpu *v)
{
	struct svm_vcpu *sv = svm_vcpu(v);
	struct vmcb *vmcb = sv->vmcb;
	struct svm_cpu *sc = this_cpu()->vendor;

	if (unlikely(vmcb->int_shadow & HVM_SHADOW) && svm_step_over_shadow(v))
		return;
	if (v->hvm.event.type != HVM_EVENT_NONE) {
		svm_inject(v, &v->hvm.event);
		v->hvm.event.type = HVM_EVENT_NONE;
	}
	vmcb->tlb_control = SVM_TLB_NOTHING;
	if (unlikely(sv->asid_generation != sc->asid_generation))
		asid_renew(v);
	vmcb->rax = v->regs.gpr[X86_RAX];
	vmcb->rsp = v->regs.gpr[X86_RSP];
	vmcb->rip = v->regs.rip;
	vmcb->rflags = v->regs.rflags;
	stretch_end();
	svm_enter(&v->regs, sv->vmcb_pa.v, sc->host_vmcb.v);
	stretch_begin(PLINTH_STRETCH ? svm_exit_name(vmcb->exit_code) : NULL);

	if (PLINTH_DEBUG)
		look_for_host_state(v, vmcb);
	sync_from_guest(v, vmcb);
	sync_tpr(v, vmcb);
	vmcb->event_inj = 0;
	if (sv->virq)
		svm_check_virq(v);
	if (unlikely(vmcb->exit_int_info & SVM_EVENT_VALID))
		svm_requeue_interrupted_event(v, vmcb);
	if (unlikely(sv->nmi_iret) && vmcb->rip != sv->nmi_iret_rip) {
		sv->nmi_iret = false;
		v->hvm.nmi_masked = false;
		vcpu_attention(v, VCPU_ATT_NMI);
	}
	dispatch(v, sv, sc);
}
