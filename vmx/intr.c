// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Injection, windows and shadows. SDM volume 3, 26.6 (event injection), 24.4.2
 * (interruptibility), 25.2 (windows), 29.1 (TPR shadow). NMIs are virtual: hardware keeps their
 * blocking until the guest's IRET.
 *
 * The vLAPIC's register page is the virtual-APIC page, so the guest's CR8 is the vLAPIC's TPR
 * without any copying; the TPR threshold brings an exit when the guest lowers it below what waits.
 */
#include "vmx.h"
#include "vlapic.h"

#define PENDING_DEBUG_BS BIT(14)

static void set_proc(struct vmx_vcpu *vv, uint32_t set, uint32_t clear)
{
	uint32_t proc = (vv->proc | set) & ~clear;

	if (proc == vv->proc)
		return;
	vv->proc = proc;
	vmwrite(CTL_PROC, proc);
}

void vmx_inject(struct vcpu *v, const struct hvm_event *e)
{
	static const uint8_t types[] = {
		[HVM_EVENT_EXTINT] = INTR_T_EXTINT, [HVM_EVENT_NMI] = INTR_T_NMI,
		[HVM_EVENT_EXC] = INTR_T_EXC,	    [HVM_EVENT_SWINT] = INTR_T_SWINT,
		[HVM_EVENT_SWEXC] = INTR_T_SWEXC,   [HVM_EVENT_ICEBP] = INTR_T_PRIV_SWEXC,
	};
	uint32_t type = types[e->type];

	if (e->has_error)
		vmwrite(ENTRY_ERROR_CODE, e->error_code);
	if (e->type == HVM_EVENT_EXC && e->vector == X86_EXC_PF)
		v->cr2 = e->cr2;
	if (type >= INTR_T_SWINT)
		vmwrite(ENTRY_INSN_LEN, max(e->insn_len, (uint8_t)1));
	/* An event ends the shadow of the instruction before it. */
	*v->hvm.shadow = 0;
	if (e->type == HVM_EVENT_NMI)
		v->hvm.nmi_masked = false; /* the entry itself sets it */
	vmwrite(ENTRY_INTR_INFO,
		INTR_VALID | e->vector | type << 8 | (e->has_error ? INTR_HAS_ERROR : 0));
}

void vmx_want_interrupt_window(struct vcpu *v)
{
	set_proc(vmx_load(v), PROC_INTR_WINDOW, 0);
}

/*
 * A processor may open this window in the shadow of an STI (25.2), where NMIs are held back here: one exit would follow
 * another without an instruction in between. Interrupts are on then, and their window opens behind the shadow.
 */
void vmx_want_nmi_window(struct vcpu *v)
{
	struct vmx_vcpu *vv = vmx_load(v);

	set_proc(vv, vv->shadow == HVM_SHADOW ? PROC_INTR_WINDOW : PROC_NMI_WINDOW, 0);
}

void vmx_exit_intr_window(struct vcpu *v, unsigned int insn_len)
{
	(void)insn_len;
	set_proc(vmx_vcpu(v), 0, PROC_INTR_WINDOW);
	vcpu_attention(v, VCPU_ATT_IRQ);
}

void vmx_exit_nmi_window(struct vcpu *v, unsigned int insn_len)
{
	(void)insn_len;
	set_proc(vmx_vcpu(v), 0, PROC_NMI_WINDOW);
	vcpu_attention(v, VCPU_ATT_NMI);
}

void vmx_exit_tpr(struct vcpu *v, unsigned int insn_len)
{
	(void)insn_len;
	vcpu_attention(v, VCPU_ATT_IRQ);
}

/* Before an entry; the checks are those of 26.3.1.5. */
void vmx_write_interruptibility(struct vcpu *v, struct vmx_vcpu *vv)
{
	uint32_t want = vv->shadow & HVM_SHADOW_MOV_SS ? BLOCKING_MOV_SS
			: vv->shadow & HVM_SHADOW      ? BLOCKING_STI
						       : 0;

	if (!(v->regs.rflags & X86_EFLAGS_IF))
		want &= ~(uint32_t)BLOCKING_STI;
	if (unlikely(want && (v->regs.rflags & X86_EFLAGS_TF)) &&
	    !(vmread(GUEST_DEBUGCTL) & DEBUGCTL_BTF))
		vmwrite(GUEST_PENDING_DEBUG, vmread(GUEST_PENDING_DEBUG) | PENDING_DEBUG_BS);
	if (v->hvm.nmi_masked)
		want |= BLOCKING_NMI;
	if (want == vv->vmcs_interruptibility)
		return;
	vv->vmcs_interruptibility = want;
	vmwrite(GUEST_INTERRUPTIBILITY, want);
}

/* Exit when the guest's TPR falls below the class of what waits behind it (29.1.2). */
void vmx_update_tpr_threshold(struct vcpu *v, struct vmx_vcpu *vv)
{
	const struct vlapic *a = v->hvm.vlapic;
	uint32_t threshold = 0;
	int waiting;

	if (!vmx_controls.tpr_shadow)
		return;
	if (vv->proc2 & PROC2_VINTR_DELIVERY)
		return; /* hardware itself looks at the IRR when the TPR changes */
	if (READ_ONCE(a->irr_maybe)) {
		waiting = vlapic_highest(a, APIC_IRR);
		if (waiting >= 0 && waiting >> 4 <= vlapic_tpr(a) >> 4)
			threshold = (uint32_t)waiting >> 4;
	}
	if (threshold == vv->tpr_threshold)
		return;
	vv->tpr_threshold = threshold;
	vmwrite(TPR_THRESHOLD, threshold);
}

/*
 * An exit hit during delivery of an event (an EPT violation on the stack, say): deliver it again.
 * Software interrupts and INT3/INTO are executed again instead, as RIP is still at them.
 */
void vmx_requeue_interrupted_event(struct vcpu *v)
{
	uint32_t info = (uint32_t)vmread(IDT_VECTORING_INFO);
	struct hvm_event *e = &v->hvm.event;

	if (likely(!(info & INTR_VALID)))
		return;
	switch (INTR_TYPE(info)) {
	case INTR_T_EXTINT:
		e->type = HVM_EVENT_EXTINT;
		break;
	case INTR_T_NMI:
		e->type = HVM_EVENT_NMI;
		v->hvm.nmi_masked = false;
		break;
	case INTR_T_EXC:
		e->type = HVM_EVENT_EXC;
		break;
	default:
		return;
	}
	e->vector = INTR_VECTOR(info);
	e->has_error = info & INTR_HAS_ERROR;
	e->error_code = e->has_error ? (uint32_t)vmread(IDT_VECTORING_ERROR) : 0;
	e->cr2 = v->cr2;
}
