// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Entering a guest and handling the exit. The arms turn what hardware says into the neutral structures
 * of hvm_ops.h; common code in vmm/hvm decides. APM volume 2, 15.6 to 15.14.
 */
#include "svm.h"
#include "guest_access.h"
#include "stretch.h"
#include "vlapic.h"

static void sync_from_guest(struct vcpu *v, struct vmcb *vmcb)
{
	v->regs.gpr[X86_RAX] = vmcb->rax;
	v->regs.gpr[X86_RSP] = vmcb->rsp;
	v->regs.rip = vmcb->rip;
	v->regs.rflags = vmcb->rflags;
	v->cr0 = vmcb->cr0;
	v->cr2 = vmcb->cr2;
	v->cr3 = vmcb->cr3;
	v->efer = vmcb->efer & ~X86_EFER_SVME;
	v->dr6 = vmcb->dr6;
	v->dr7 = vmcb->dr7;
	v->hvm.shadow = vmcb->int_shadow & 1 ? HVM_SHADOW_STI : 0;
	v->hvm.valid = 0;
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
	if (!svm_caps.lost_shadow || !v->hvm.shadow || v->hvm.event.type != HVM_EVENT_NONE)
		return false;
	if (!hvm_intr_pending(v) && !v->hvm.nmi_pending && !v->hvm.extint_waits)
		return false;
	v->hvm.shadow = 0;
	/* An interrupt that is an instruction early is better than no guest. */
	if (!hvm_emulate_try(v))
		return false;
	vcpu_attention(v, VCPU_ATT_IRQ);
	return true;
}

static void dispatch(struct vcpu *v, struct vmcb *vmcb, struct svm_cpu *sc)
{
	uint64_t code = vmcb->exit_code;

	if (likely(code < SVM_EXIT_COMMON && svm_exit_arms[code].handle)) {
		sc->exits[code]++;
		svm_exit_arms[code].handle(v, vmcb);
	} else if (likely(code == SVM_EXIT_NPF)) {
		sc->exits[SVM_EXIT_COMMON]++;
		svm_exit_npf(v, vmcb);
	} else {
		svm_exit_unknown(v, vmcb);
	}
}

static const char *exit_name(const struct vmcb *vmcb)
{
	const struct svm_exit_arm *arm = svm_exit_arm(vmcb->exit_code);

	return arm ? arm->name : "unknown exit";
}

void svm_run(struct vcpu *v)
{
	struct svm_vcpu *sv = svm_vcpu(v);
	struct vmcb *vmcb = sv->vmcb;
	struct cpu *cpu = this_cpu();
	struct svm_cpu *sc = cpu->vendor;
	bool irq_noted;

	if (unlikely(v->hvm.shadow) && svm_step_over_shadow(v))
		return;
	if (v->hvm.event.type != HVM_EVENT_NONE) {
		svm_inject(v, &v->hvm.event);
		v->hvm.event.type = HVM_EVENT_NONE;
	}
	vmcb->tlb_control = SVM_TLB_NOTHING;
	if (unlikely(sv->asid_generation != sc->asid_generation || sv->asid_cpu != cpu->id))
		svm_asid_renew(v);
	vmcb->rax = v->regs.gpr[X86_RAX];
	vmcb->rsp = v->regs.gpr[X86_RSP];
	vmcb->rip = v->regs.rip;
	vmcb->rflags = v->regs.rflags;
	vmcb->int_shadow = v->hvm.shadow != 0;
	irq_noted = !svm_caps.lost_irq || !(vmcb->vintr & SVM_VINTR_IRQ);
	stretch_end();
	svm_enter(&v->regs, sv->vmcb_pa.v, sc->host_vmcb.v);
	stretch_begin(PLINTH_STRETCH ? exit_name(vmcb) : NULL);

	if (unlikely(!irq_noted))
		write_cr8(0);
	cpu->exits++;
	sync_from_guest(v, vmcb);
	sync_tpr(v, vmcb);
	vmcb->event_inj = 0;
	if (v->hvm.extint_waits)
		svm_check_virq(v);
	if (unlikely(vmcb->exit_int_info & SVM_EVENT_VALID))
		svm_requeue_interrupted_event(v, vmcb);
	if (unlikely(sv->nmi_iret) && vmcb->rip != sv->nmi_iret_rip) {
		sv->nmi_iret = false;
		v->hvm.nmi_masked = false;
		vcpu_attention(v, VCPU_ATT_NMI);
	}
	dispatch(v, vmcb, sc);
}

/* Exit with a hardware-named reason that no arm serves: this domain ends, the host goes on. */
void svm_exit_unknown(struct vcpu *v, struct vmcb *vmcb)
{
	const struct svm_exit_arm *arm = svm_exit_arm(vmcb->exit_code);

	domain_crash(v->domain, "AMD-V exit %lx (%s) cannot be handled, info %lx %lx",
		     vmcb->exit_code, arm ? arm->name : "unknown", vmcb->exit_info1,
		     vmcb->exit_info2);
}

/*
 * Nested page fault: exit_info1 has the page fault bits and, at 32 and 33, whether the final address or
 * the guest's page walk faulted; exit_info2 is the guest-physical address (15.25.6).
 */
void svm_exit_npf(struct vcpu *v, struct vmcb *vmcb)
{
	uint64_t err = vmcb->exit_info1;
	struct npt_fault f = {
		.gpa = _gpa(vmcb->exit_info2),
		.write = err & PFEC_W,
		.fetch = err & PFEC_I,
		.read = !(err & (PFEC_W | PFEC_I)),
		.table_walk = (err & BIT(33)) || (vmcb->exit_int_info & SVM_EVENT_VALID),
	};

	if (p2m_fault(v, &f))
		return;
	hvm_exit_mmio(v, &f);
}

void svm_exit_ud(struct vcpu *v, struct vmcb *vmcb)
{
	(void)vmcb;
	hvm_exit_ud(v);
}
