// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Entering a guest and handling the exit. The arms turn what hardware says into the neutral
 * structures of hvm_ops.h; common code in vmm/hvm decides. SDM volume 3, chapters 26 and 27.
 */
#include "vmx.h"
#include "debug.h"
#include "stretch.h"
#include "trap.h"
#include "vlapic.h"

COUNTER(buffers_cleared);

#define DR6_FROM_QUALIFICATION 0x600fULL /* B0-B3, BD, BS */
#define ERROR_CONTROLS	       7U	 /* a VM-instruction error: 30.4 */

static uint64_t read_field(enum vmcs_field field)
{
	return vmread(field);
}

static const char *broken_rule(void)
{
	return vmx_broken_rule_in(read_field, &vmx_controls, host_cpu.phys_bits);
}

static const char *broken_control(void)
{
	return vmx_broken_control_in(read_field, &vmx_caps, host_cpu.phys_bits);
}

static const char *const instruction_errors[] = {
	[5] = "VMRESUME of a VMCS that was not launched",
	[ERROR_CONTROLS] = "invalid control fields",
	[8] = "invalid host state",
	[25] = "event injection with blocking by MOV SS",
	[26] = "blocked by MOV SS",
};

/* Exit with a hardware-named reason that no arm serves: this domain ends, the host goes on. */
static void exit_unknown(struct vcpu *v, unsigned int insn_len)
{
	uint32_t reason = vmx_vcpu(v)->exit_reason;
	uint64_t qual = vmread(EXIT_QUALIFICATION);

	(void)insn_len;
	if (reason & VMX_EXIT_ENTRY_FAILED)
		domain_crash(v->domain, "VM entry fails (%s), qualification %lx: %s",
			     vmx_exit_name(reason & 0xffff), qual, broken_rule());
	else
		domain_crash(v->domain, "VT-x exit %u (%s) cannot be handled, qualification %lx",
			     reason, vmx_exit_name(reason), qual);
}

static void exit_ext_intr(struct vcpu *v, unsigned int insn_len)
{
	(void)insn_len;
	/* Acknowledged at the exit, where posted interrupts are used; else it waits for the window. */
	if (vmx_controls.posted)
		trap_interrupt(INTR_VECTOR((uint32_t)vmread(EXIT_INTR_INFO)), v->regs.rip);
	else
		hvm_exit_interrupt(v, 0);
}

/* What an event's delivery or a walk accesses is not the operand of the instruction at RIP. */
static void exit_mmio(struct vcpu *v, struct npt_fault *f)
{
	if (unlikely(vmread(IDT_VECTORING_INFO) & INTR_VALID))
		f->table_walk = true;
	hvm_exit_mmio(v, f);
}

/*
 * EPT violation: the qualification has the access in bits 0-2, whether there is a linear address in
 * bit 7, and in bit 8 whether it was that address's translation that faulted or the walk to it
 * (table 27-7).
 */
static void exit_ept_violation(struct vcpu *v, unsigned int insn_len)
{
	uint64_t qual = vmread(EXIT_QUALIFICATION);
	struct npt_fault f = {
		.gpa = _gpa(vmread(GUEST_PHYSICAL_ADDRESS)),
		.read = qual & BIT(0),
		.write = qual & BIT(1),
		.fetch = qual & BIT(2),
		.gla_valid = qual & BIT(7),
		.table_walk = (qual & BIT(7)) && !(qual & BIT(8)),
	};

	(void)insn_len;
	/* The fault belongs to an IRET that had ended the blocking of NMIs already. */
	if ((qual & INTR_NMI_UNBLOCKED) && !(vmread(IDT_VECTORING_INFO) & INTR_VALID))
		v->hvm.nmi_masked = true;
	if (f.gla_valid)
		f.gla = vmread(GUEST_LINEAR_ADDRESS);
	if (p2m_fault(v, &f))
		return;
	exit_mmio(v, &f);
}

/* An entry that the CPU cannot read: our own fault, but no reason to stop the host. */
static void exit_ept_misconfig(struct vcpu *v, unsigned int insn_len)
{
	uint64_t gpa = vmread(GUEST_PHYSICAL_ADDRESS);
	struct p2m_entry e = p2m_get(v->domain, _gfn(gpa >> PAGE_SHIFT));

	(void)insn_len;
	domain_crash(v->domain,
		     "EPT entry of guest-physical %lx is invalid: mfn %lx type %u order %u", gpa,
		     e.mfn.v, e.type, e.order);
}

/* #DB: the processor leaves DR6 and DR7 alone, the qualification says what would go into DR6
 * (27.2.1). */
static void exit_debug(struct vcpu *v, struct vmx_vcpu *vv, uint32_t info)
{
	uint64_t qual = vmread(EXIT_QUALIFICATION);

	/* ICEBP is a trap: the handler returns behind it, and DR6 has nothing to say. */
	if (INTR_TYPE(info) == INTR_T_PRIV_SWEXC) {
		v->hvm.event = (struct hvm_event){ .type = HVM_EVENT_ICEBP,
						   .vector = X86_EXC_DB,
						   .insn_len = (uint8_t)vmread(EXIT_INSN_LEN) };
		return;
	}
	v->dr6 = (v->dr6 & ~0xfULL) | (qual & DR6_FROM_QUALIFICATION);
	/* What delivery changes besides (17.2.4, 17.4.3): neither the exit nor the injection does. */
	v->dr7 &= ~X86_DR7_GD;
	vmwrite(GUEST_DR7, v->dr7);
	vmwrite(GUEST_DEBUGCTL, vmread(GUEST_DEBUGCTL) & ~DEBUGCTL_BTF);
	if (vv->dr_loaded)
		__asm__ volatile("mov %0, %%db6" ::"r"(v->dr6));
	hvm_inject_exception(v, X86_EXC_DB, false, 0);
}

/* Not one of those that exit in every mode. */
static bool vm86_only(uint32_t info)
{
	const uint32_t always = BIT(X86_EXC_DB) | BIT(X86_EXC_UD) | BIT(X86_EXC_MC);

	return !(BIT(INTR_VECTOR(info)) & always);
}

/* On shadow tables: the qualification is the address, and CR2 is as it was (27.2.1). */
static void exit_page_fault(struct vcpu *v, bool delivering)
{
	hvm_exit_page_fault(v, vmread(EXIT_QUALIFICATION), (uint32_t)vmread(EXIT_INTR_ERROR),
			    delivering);
	/* The guest's own fault: its IRET has ended the blocking of NMIs before it. */
	if (!delivering && v->hvm.event.type == HVM_EVENT_EXC)
		v->hvm.nmi_masked = !!(vmx_vcpu(v)->vmcs_interruptibility & BLOCKING_NMI);
}

static void exit_exception(struct vcpu *v, unsigned int insn_len)
{
	struct vmx_vcpu *vv = vmx_vcpu(v);
	uint32_t info = (uint32_t)vmread(EXIT_INTR_INFO);
	bool delivering = vmread(IDT_VECTORING_INFO) & INTR_VALID;

	(void)insn_len;
	if (INTR_TYPE(info) == INTR_T_NMI) {
		/* The exit has taken it; the handler's IRET ends the blocking. */
		__asm__ volatile("int $2");
		return;
	}
	if ((info & INTR_NMI_UNBLOCKED) && INTR_VECTOR(info) != X86_EXC_DF && !delivering)
		v->hvm.nmi_masked = true;
	if (INTR_VECTOR(info) == X86_EXC_PF && !vmx_on_ept(vv)) {
		exit_page_fault(v, delivering);
		return;
	}
	if (unlikely(vv->vm86.on) && vm86_only(info)) {
		vmx_vm86_exception(v, info);
		return;
	}
	switch (INTR_VECTOR(info)) {
	case X86_EXC_DB:
		exit_debug(v, vv, info);
		break;
	case X86_EXC_UD:
		hvm_exit_ud(v, 0);
		break;
	case X86_EXC_AC:
		hvm_exit_inject_ac(v, 0);
		break;
	case X86_EXC_MC:
		hvm_exit_machine_check(v, 0);
		break;
	default:
		exit_unknown(v, 0);
		break;
	}
}

/*
 * Qualification: offset in the page 0-11, kind 12-15 (by linear address: 0 read, 1 write, 2 fetch, 3 event delivery;
 * by guest-physical address, as of a walk: 10 event delivery, 15 other).
 */
static void exit_apic_access(struct vcpu *v, unsigned int insn_len)
{
	uint64_t qual = vmread(EXIT_QUALIFICATION);
	unsigned int kind = qual >> 12 & 0xf;
	struct npt_fault f = {
		.gpa = _gpa(APIC_DEFAULT_BASE | (qual & 0xfff)),
		.read = kind != 1,
		.write = kind == 1,
		.fetch = kind == 2,
		.table_walk = kind >= 10,
	};

	(void)insn_len;
	f.type = p2m_get(v->domain, gpa_to_gfn(f.gpa)).type;
	exit_mmio(v, &f);
}

/*
 * Qualification: register 0-3, access 4-5 (enum cr_kind), general register 8-11, LMSW's source 16-31.
 */
static void exit_cr(struct vcpu *v, unsigned int insn_len)
{
	uint64_t qual = vmread(EXIT_QUALIFICATION);
	struct cr_access a = {
		.kind = (enum cr_kind)(qual >> 4 & 3),
		.cr = qual & 0xf,
		.gpr = qual >> 8 & 0xf,
		.lmsw = (uint16_t)(qual >> 16),
		.insn_len = (uint8_t)insn_len,
	};

	hvm_exit_cr(v, &a);
}

/* Qualification: size - 1 in 0-2, direction 3, string 4, REP 5, port 16-31 (table 27-5). */
static void exit_io(struct vcpu *v, unsigned int insn_len)
{
	uint64_t qual = vmread(EXIT_QUALIFICATION);
	struct io_access a = {
		.port = (uint16_t)(qual >> 16),
		.size = (uint8_t)((qual & 7) + 1),
		.in = qual & BIT(3),
		.string = qual & BIT(4),
		.rep = qual & BIT(5),
		.insn_len = (uint8_t)insn_len,
	};

	hvm_exit_io(v, &a);
}

#define BY_IRET 1U

/* Qualification: selector 0-15, source 30-31 (CALL, IRET, JMP, gate in the IDT). */
static void exit_task_switch(struct vcpu *v, unsigned int insn_len)
{
	uint64_t qual = vmread(EXIT_QUALIFICATION);
	uint32_t info = (uint32_t)vmread(IDT_VECTORING_INFO);
	unsigned int reason = qual >> 30 & 3;
	bool has_error = (info & INTR_VALID) && (info & INTR_HAS_ERROR);
	uint32_t error = has_error ? (uint32_t)vmread(IDT_VECTORING_ERROR) : 0;

	/* Events from outside have no instruction to step over; v->hvm.event holds exactly these.
	 */
	if (v->hvm.event.type != HVM_EVENT_NONE)
		insn_len = 0;
	/* An NMI's task runs with NMIs blocked, and an IRET ends that also when it switches tasks (volume 3, 6.7.1). */
	if (v->hvm.event.type == HVM_EVENT_NMI)
		v->hvm.nmi_masked = true;
	else if (reason == BY_IRET)
		v->hvm.nmi_masked = false;
	v->hvm.event.type = HVM_EVENT_NONE;
	hvm_exit_task_switch(v, (uint16_t)qual, reason, has_error, error, insn_len);
}

#define LEN 1U	 /* the VMCS has the instruction's length */
#define OWN true /* see flush.c */

/*
 * By basic exit reason. INIT is redirected to no one, as the platform resets through the chipset, and a start-up IPI finds no
 * waiting vCPU. VT-x is hidden from guests: its instructions, MONITOR, MWAIT and SMX do not exist. SDM volume 3, appendix C.
 */
static const struct hvm_exit_arm arms[VMX_EXIT_COUNT] = {
	[VMX_EXIT_EXC_NMI] = { exit_exception, "exception or NMI" },
	[VMX_EXIT_EXT_INTR] = { exit_ext_intr, "physical interrupt" },
	[VMX_EXIT_TRIPLE_FAULT] = { hvm_exit_triple_fault, "triple fault" },
	[VMX_EXIT_INIT] = { hvm_exit_nothing, "INIT" },
	[VMX_EXIT_SIPI] = { hvm_exit_nothing, "start-up IPI" },
	[VMX_EXIT_IO_SMI] = { hvm_exit_nothing, "I/O SMI" },
	[VMX_EXIT_OTHER_SMI] = { hvm_exit_nothing, "SMI" },
	[VMX_EXIT_INTR_WINDOW] = { vmx_exit_intr_window, "interrupt window", 0, OWN },
	[VMX_EXIT_NMI_WINDOW] = { vmx_exit_nmi_window, "NMI window", 0, OWN },
	[VMX_EXIT_TASK_SWITCH] = { exit_task_switch, "task switch", LEN },
	[VMX_EXIT_CPUID] = { hvm_exit_cpuid, "CPUID", LEN, OWN },
	[VMX_EXIT_GETSEC] = { hvm_exit_inject_ud, "GETSEC" },
	[VMX_EXIT_HLT] = { hvm_exit_hlt, "HLT", LEN, OWN },
	[VMX_EXIT_INVD] = { hvm_exit_wbinvd, "INVD", LEN },
	[VMX_EXIT_RDPMC] = { hvm_exit_inject_gp, "RDPMC", 0, OWN },
	[VMX_EXIT_RSM] = { hvm_exit_inject_ud, "RSM" },
	[VMX_EXIT_VMCALL] = { hvm_exit_hypercall, "VMCALL", LEN },
	[VMX_EXIT_VMCLEAR... VMX_EXIT_VMXON] = { hvm_exit_inject_ud, "VMX instruction" },
	[VMX_EXIT_CR] = { exit_cr, "control register", LEN, OWN },
	[VMX_EXIT_DR] = { vmx_exit_dr, "debug register", 0, OWN },
	[VMX_EXIT_IO] = { exit_io, "I/O", LEN },
	[VMX_EXIT_RDMSR] = { hvm_exit_rdmsr, "RDMSR", LEN, OWN },
	[VMX_EXIT_WRMSR] = { hvm_exit_wrmsr, "WRMSR", LEN, OWN },
	[VMX_EXIT_BAD_GUEST_STATE] = { exit_unknown, "invalid guest state" },
	[VMX_EXIT_BAD_MSR_LOAD] = { exit_unknown, "MSR load" },
	[VMX_EXIT_MWAIT] = { hvm_exit_inject_ud, "MWAIT" },
	[VMX_EXIT_MONITOR] = { hvm_exit_inject_ud, "MONITOR" },
	[VMX_EXIT_MACHINE_CHECK] = { hvm_exit_machine_check, "machine check at entry" },
	[VMX_EXIT_TPR_THRESHOLD] = { vmx_exit_tpr, "TPR below threshold", 0, OWN },
	[VMX_EXIT_APIC_ACCESS] = { exit_apic_access, "APIC access" },
	[VMX_EXIT_EOI] = { vmx_exit_eoi, "EOI", 0, OWN },
	[VMX_EXIT_EPT_VIOLATION] = { exit_ept_violation, "EPT violation" },
	[VMX_EXIT_EPT_MISCONFIG] = { exit_ept_misconfig, "EPT misconfiguration" },
	[VMX_EXIT_INVEPT] = { hvm_exit_inject_ud, "INVEPT" },
	[VMX_EXIT_INVVPID] = { hvm_exit_inject_ud, "INVVPID" },
	[VMX_EXIT_PREEMPTION_TIMER] = { hvm_exit_interrupt, "preemption timer" },
	[VMX_EXIT_WBINVD] = { hvm_exit_wbinvd, "WBINVD", LEN, OWN },
	[VMX_EXIT_XSETBV] = { hvm_exit_xsetbv, "XSETBV", LEN, OWN },
	[VMX_EXIT_APIC_WRITE] = { vmx_exit_apic_write, "APIC write" },
	[VMX_EXIT_VMFUNC] = { hvm_exit_inject_ud, "VMFUNC" },
	[VMX_EXIT_ENCLS] = { hvm_exit_inject_ud, "ENCLS" },
};

/* The arm for an exit reason, or NULL. A failed entry has bit 31 set and is nobody's ordinary exit. */
static const struct hvm_exit_arm *arm_of(uint32_t reason)
{
	static const struct hvm_exit_arm bad_state = { .meaning = exit_unknown,
						       .name = "invalid guest state" };

	if (unlikely(reason & VMX_EXIT_ENTRY_FAILED))
		return (reason & 0xffff) == VMX_EXIT_MACHINE_CHECK ? &arms[VMX_EXIT_MACHINE_CHECK]
								   : &bad_state;
	reason &= 0xffff;
	return likely(reason < ARRAY_SIZE(arms) && arms[reason].meaning) ? &arms[reason] : NULL;
}

const char *vmx_exit_name(uint32_t reason)
{
	const struct hvm_exit_arm *arm = arm_of(reason);

	return arm ? arm->name : "unknown";
}

bool vmx_exit_count(unsigned int reason, const char **name, uint64_t *count)
{
	unsigned int cpu;

	if (reason >= VMX_EXIT_COUNT)
		return false;
	*name = arms[reason].name;
	*count = 0;
	for_each_cpu(cpu)
		*count += ((const struct vmx_cpu *)cpus[cpu]->vendor)->exits[reason];
	return true;
}

static void sync_from_guest(struct vcpu *v, struct vmx_vcpu *vv)
{
	uint32_t blocking = (uint32_t)vmread(GUEST_INTERRUPTIBILITY);

	v->regs.rip = vmread(GUEST_RIP);
	v->regs.gpr[X86_RSP] = vmread(GUEST_RSP);
	v->regs.rflags = vmread(GUEST_RFLAGS);
	v->cr0 = (vmread(GUEST_CR0) & vv->cr0_owned) | (v->cr0 & ~vv->cr0_owned);
	v->cr2 = read_cr2();
	/* Every change of it is an exit, where the processor may have another one. */
	if (likely(!(vv->proc & PROC_CR3_LOAD)))
		v->cr3 = vmread(GUEST_CR3);
	if (unlikely(vv->dr_loaded)) {
		__asm__ volatile("mov %%db6, %0" : "=r"(v->dr6));
		v->dr7 = vmread(GUEST_DR7);
	}
	vv->vmcs_interruptibility = blocking;
	vv->shadow = blocking & BLOCKING_MOV_SS ? HVM_SHADOW | HVM_SHADOW_MOV_SS
						: blocking & BLOCKING_STI;
	v->hvm.nmi_masked = blocking & BLOCKING_NMI;
	v->hvm.valid = 0;
}

/* The entry was refused, which only this domain has to answer for. */
static void entry_refused(struct vcpu *v, unsigned int how)
{
	uint64_t error = how == 2 ? vmread(INSTRUCTION_ERROR) : 0;
	const char *text = how == 1 ? "no current VMCS" : NULL;

	if (error < ARRAY_SIZE(instruction_errors) && instruction_errors[error])
		text = instruction_errors[error];
	domain_crash(v->domain, "VM entry refused with error %lu (%s)%s%s", error,
		     text ? text : "see SDM volume 3, 30.4", error == ERROR_CONTROLS ? ": " : "",
		     error == ERROR_CONTROLS ? broken_control() : "");
}

static unsigned int enter_flags(const struct vcpu *v, const struct vmx_vcpu *vv)
{
	unsigned int flags = vv->launched ? VMX_ENTER_LAUNCHED : 0;

	if (!vmx_hazards.verw || v->domain->is_dom0)
		return flags;
	counter_inc(buffers_cleared);
	return flags | VMX_ENTER_VERW;
}

/* The guest's state goes into the VMCS and the registers that it has besides. */
static void prepare_entry(struct vcpu *v, struct vmx_vcpu *vv)
{
	if (v->hvm.event.type != HVM_EVENT_NONE)
		vmx_inject(v, &v->hvm.event);
	/* Breakpoints that we, not the guest, have set: by an emulated MOV, or from a record. */
	if (unlikely((v->dr7 & DR7_ENABLES) && !vv->dr_loaded))
		vmx_load_debug(v);
	vmx_apic_before_entry(v, vv);
	vmx_flush_pending(vv);
	vmx_write_interruptibility(v, vv);
	vmx_update_tpr_threshold(v, vv);
	vmwrite(GUEST_RIP, v->regs.rip);
	vmwrite(GUEST_RSP, v->regs.gpr[X86_RSP]);
	if (!vv->vm86.on)
		vmwrite(GUEST_RFLAGS, v->regs.rflags);
	write_cr2(v->cr2);
	if (vv->flush_l1d)
		vmx_flush_l1d(vv);
}

/*
 * The entry began and was given up (26.8): the guest is as it was and so is its event, the VMCS is no more launched
 * than before, and of the exit's fields only reason and qualification are new.
 */
static void entry_failed(struct vcpu *v, struct vmx_vcpu *vv)
{
	if (vv->vm86.on && (vv->exit_reason & 0xffff) == VMX_EXIT_MACHINE_CHECK)
		vmx_vm86_leave(v, vv);
	arm_of(vv->exit_reason)->meaning(v, 0);
}

static void handle_exit(struct vcpu *v, struct vmx_vcpu *vv)
{
	const struct hvm_exit_arm *arm = arm_of(vv->exit_reason);

	v->hvm.event.type = HVM_EVENT_NONE;
	if (unlikely(vv->vm86.on))
		vmx_vm86_leave(v, vv);
	sync_from_guest(v, vv);
	vmx_apic_after_exit(v, vv);
	vmx_requeue_interrupted_event(v);
	vv->flush_l1d |= !arm || !arm->own;
	if (likely(arm))
		arm->meaning(v, arm->length ? (unsigned int)vmread(EXIT_INSN_LEN) : 0);
	else
		exit_unknown(v, 0);
}

void vmx_run(struct vcpu *v)
{
	struct vmx_vcpu *vv = vmx_load(v);
	struct vmx_cpu *vc = this_cpu()->vendor;
	unsigned int refused;
	uint32_t reason;

	vv->vm86.on = false;
	if (unlikely(!vmx_unrestricted(vv)) && vmx_interpret(v))
		return;
	prepare_entry(v, vv);

	stretch_end();
	refused = vmx_enter(&v->regs, enter_flags(v, vv));
	stretch_begin("exit");
	if (unlikely(refused)) {
		entry_refused(v, refused);
		return;
	}
	reason = (uint32_t)vmread(EXIT_REASON);
	vv->exit_reason = reason;
	stretch_doing("exit", reason & 0xffff);
	vc->exits[min(reason & 0xffff, (uint32_t)VMX_EXIT_COUNT - 1)]++;
	if (unlikely(reason & VMX_EXIT_ENTRY_FAILED)) {
		entry_failed(v, vv);
		return;
	}
	vv->launched = true;
	handle_exit(v, vv);
}
