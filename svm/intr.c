// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Injection, windows and shadows. APM volume 2, 15.20 (event injection), 15.21 (interrupt support).
 *
 * QEMU's TCG saves the interrupt shadow at #VMEXIT and forgets it at VMRUN. There (svm_caps.lost_shadow)
 * an entry with a shadow and an interrupt waiting would deliver it inside the shadow, so the
 * instruction under the shadow is emulated first (svm_step_over_shadow).
 *
 * TCG also leaves its exception_index set after injecting an INTR event, and delivers the vector again
 * when something makes it leave its inner loop before the next interrupt. There (svm_caps.intr_twice)
 * interrupts go in as virtual interrupts, V_IRQ with a vector, which every SVM CPU delivers once the guest
 * can take them. V_IRQ then stays set in the VMCB until that has happened.
 *
 * And VMRUN with V_IRQ set marks that in a word which other threads of TCG mark, too, without their lock: the
 * note that the physical APIC has an interrupt may get lost, the VMM's own timer interrupt among them, until the
 * next one arrives. There (svm_caps.lost_irq) a write of the host's CR8 after such an entry makes the
 * APIC look again.
 */
#include "svm.h"
#include "guest_access.h"

static void inject_virq(struct vcpu *v, uint8_t vector)
{
	struct vmcb *vmcb = svm_vmcb(v);

	/* A window that was wanted gives way; svm_check_virq has it looked at again. */
	vmcb->intercept1 &= ~(uint32_t)BIT(SVM_I_VINTR);
	vmcb->vintr &= ~SVM_VINTR_VECTOR(0xff);
	vmcb->vintr |= SVM_VINTR_IRQ | SVM_VINTR_IGNORE_TPR | SVM_VINTR_PRIO_MAX |
		       SVM_VINTR_VECTOR(vector);
	vmcb->cr_write |= BIT(8); /* as in svm_want_interrupt_window */
	v->hvm.extint_waits = true;
	svm_vcpu(v)->virq = true;
}

/* After an exit, when V_IRQ was set: has the virtual interrupt been delivered, if there was one? */
void svm_check_virq(struct vcpu *v)
{
	struct vmcb *vmcb = svm_vmcb(v);

	if (svm_caps.lost_irq)
		write_cr8(0);
	if (vmcb->vintr & SVM_VINTR_IRQ)
		return;
	svm_vcpu(v)->virq = false;
	if (!v->hvm.extint_waits)
		return;
	v->hvm.extint_waits = false;
	vmcb->vintr &= ~(SVM_VINTR_IGNORE_TPR | SVM_VINTR_PRIO_MAX | SVM_VINTR_VECTOR(0xff));
	vmcb->cr_write &= (uint16_t)~BIT(8);
	vcpu_attention(v, VCPU_ATT_IRQ);
}

void svm_inject(struct vcpu *v, const struct hvm_event *e)
{
	static const uint8_t type[] = {
		[HVM_EVENT_EXTINT] = SVM_EVENT_INTR, [HVM_EVENT_NMI] = SVM_EVENT_NMI,
		[HVM_EVENT_EXC] = SVM_EVENT_EXC,     [HVM_EVENT_SWINT] = SVM_EVENT_SWINT,
		[HVM_EVENT_SWEXC] = SVM_EVENT_EXC,   [HVM_EVENT_ICEBP] = SVM_EVENT_EXC,
	};
	struct vmcb *vmcb = svm_vmcb(v);
	uint64_t inj = e->vector | (uint64_t)type[e->type] << 8 | SVM_EVENT_VALID;

	if (e->type == HVM_EVENT_EXTINT && svm_caps.intr_twice) {
		inject_virq(v, e->vector);
		return;
	}

	if (e->has_error)
		inj |= SVM_EVENT_HAS_ERR | (uint64_t)e->error_code << 32;
	if (e->type == HVM_EVENT_EXC && e->vector == X86_EXC_PF) {
		v->cr2 = e->cr2;
		vmcb->cr2 = e->cr2;
	}
	/*
	 * Injected software events return behind the instruction: RIP is what CPUs push, next RIP those
	 * with nRIP-save.
	 */
	if (e->type == HVM_EVENT_SWINT || e->type == HVM_EVENT_SWEXC ||
	    e->type == HVM_EVENT_ICEBP) {
		v->regs.rip += e->insn_len;
		vmcb->rip = v->regs.rip;
		vmcb->next_rip = v->regs.rip;
		svm_vcpu(v)->soft_entry = v->exits;
	}
	vmcb->event_inj = inj;
	if (e->type == HVM_EVENT_NMI) {
		v->hvm.nmi_masked = true;
		vmcb->intercept1 |= BIT(SVM_I_IRET);
	}
}

/*
 * A dummy virtual interrupt: its intercept fires when the guest could take an interrupt. CR8 writes are
 * intercepted meanwhile: QEMU's TCG stops with an assertion when one meets a pending virtual interrupt.
 */
void svm_want_interrupt_window(struct vcpu *v)
{
	struct vmcb *vmcb = svm_vmcb(v);

	if (v->hvm.extint_waits)
		return; /* looked at again once that one is delivered */
	vmcb->cr_write |= BIT(8);
	vmcb->vintr |= SVM_VINTR_IRQ | SVM_VINTR_IGNORE_TPR | SVM_VINTR_PRIO_MAX;
	vmcb->intercept1 |= BIT(SVM_I_VINTR);
	svm_vcpu(v)->virq = true;
}

void svm_exit_vintr(struct vcpu *v, unsigned int insn_len)
{
	struct vmcb *vmcb = svm_vmcb(v);

	(void)insn_len;
	vmcb->vintr &= ~(SVM_VINTR_IRQ | SVM_VINTR_IGNORE_TPR | SVM_VINTR_PRIO_MAX);
	vmcb->intercept1 &= ~(uint32_t)BIT(SVM_I_VINTR);
	vmcb->cr_write &= (uint16_t)~BIT(8);
	svm_vcpu(v)->virq = false;
	vcpu_attention(v, VCPU_ATT_IRQ);
}

/*
 * NMIs are masked until the guest's IRET. With only a shadow in the way the interrupt window will
 * do; while one is in service the IRET intercept is armed, or, when the guest is at that IRET
 * already, the interrupt window opens behind it.
 */
void svm_want_nmi_window(struct vcpu *v)
{
	if (!v->hvm.nmi_masked)
		vcpu_attention(v, VCPU_ATT_NMI);
	else if (svm_vcpu(v)->nmi_iret)
		svm_want_interrupt_window(v);
}

/* The frame of an IRET with 64-bit or 32-bit operands in code of that size, which NMI handlers use. */
static bool read_iret_frame(struct vcpu *v, const struct vmcb *vmcb, uint64_t *cs, uint64_t *flags)
{
	static const uint8_t iretq[] = { 0x48, 0xcf };
	bool long_code = (v->efer & X86_EFER_LMA) && (vmcb->seg[X86_SEG_CS].attr & X86_ATTR_L);
	uint64_t at = vmcb->rsp;
	uint32_t frame32[3];
	uint64_t frame[3];
	uint8_t insn[15];
	unsigned int n = svm_insn_fetch(v, X86_LEN_IRET, insn);

	if (long_code && n >= 2 && !memcmp(insn, iretq, sizeof(iretq))) {
		if (guest_linear_copy(v, at, frame, sizeof(frame), 0, NULL))
			return false;
		*cs = frame[1];
		*flags = frame[2];
		return true;
	}
	if (long_code || n < 1 || insn[0] != 0xcf || !(vmcb->seg[X86_SEG_CS].attr & X86_ATTR_DB) ||
	    !(vmcb->seg[X86_SEG_SS].attr & X86_ATTR_DB))
		return false;
	if (guest_linear_copy(v, (uint32_t)(vmcb->seg[X86_SEG_SS].base + at), frame32,
			      sizeof(frame32), 0, NULL))
		return false;
	*cs = frame32[1];
	*flags = frame32[2];
	return true;
}

/* Whether this IRET leads to a place where no interrupt window opens, at the same privilege. */
static bool iret_keeps_if_clear(struct vcpu *v, const struct vmcb *vmcb)
{
	uint64_t cs, flags;

	if (!(v->cr0 & X86_CR0_PE) || (v->regs.rflags & (X86_EFLAGS_VM | X86_EFLAGS_NT)))
		return false;
	return read_iret_frame(v, vmcb, &cs, &flags) && (cs & 3) == vmcb->cpl &&
	       !(flags & (X86_EFLAGS_IF | X86_EFLAGS_VM));
}

/*
 * The IRET that ends an NMI handler: unmask once it has been executed (see svm_run). An NMI that
 * waits has to come right behind it. No exit says that an IRET is done, so the interrupt window
 * brings one; where IF stays clear, which is in the kernel that was interrupted, the IRET is
 * emulated.
 */
void svm_exit_iret(struct vcpu *v, unsigned int insn_len)
{
	struct svm_vcpu *sv = svm_vcpu(v);
	struct vmcb *vmcb = sv->vmcb;

	(void)insn_len;
	if (READ_ONCE(v->hvm.nmi_pending) && iret_keeps_if_clear(v, vmcb)) {
		hvm_emulate(v, NULL, 0);
		if (!v->hvm.nmi_masked)
			vmcb->intercept1 &= ~(uint32_t)BIT(SVM_I_IRET);
		vcpu_attention(v, VCPU_ATT_NMI);
		return;
	}
	vmcb->intercept1 &= ~(uint32_t)BIT(SVM_I_IRET);
	sv->nmi_iret = true;
	sv->nmi_iret_rip = vmcb->rip;
	if (READ_ONCE(v->hvm.nmi_pending))
		svm_want_interrupt_window(v);
}

/*
 * An exit hit during delivery of an event (a nested page fault on the stack, say): deliver it again. The
 * guest's own INT n, INT3 and INTO are executed again instead, as RIP is still at them; it is behind
 * those that svm_inject delivered.
 */
void svm_requeue_interrupted_event(struct vcpu *v, struct vmcb *vmcb)
{
	uint64_t info = vmcb->exit_int_info;
	bool ours = svm_vcpu(v)->soft_entry == v->exits;
	struct hvm_event *e = &v->hvm.event;

	e->vector = SVM_EVENT_VECTOR(info);
	e->insn_len = 0;
	e->has_error = info & SVM_EVENT_HAS_ERR;
	e->error_code = (uint32_t)(info >> 32);
	e->cr2 = vmcb->cr2;
	switch (SVM_EVENT_TYPE(info)) {
	case SVM_EVENT_INTR:
		e->type = HVM_EVENT_EXTINT;
		break;
	case SVM_EVENT_NMI:
		e->type = HVM_EVENT_NMI;
		break;
	case SVM_EVENT_EXC:
		/* TCG says so of a virtual interrupt, too; V_IRQ is still set and brings it again. */
		if (e->vector >= 32)
			break;
		if (e->vector != X86_EXC_BP && e->vector != X86_EXC_OF)
			e->type = HVM_EVENT_EXC;
		else if (ours)
			e->type = HVM_EVENT_SWEXC;
		break;
	case SVM_EVENT_SWINT:
		if (ours)
			e->type = HVM_EVENT_SWINT;
		break;
	default:
		break;
	}
}
