// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Guests on CPUs without "unrestricted guest", which enter a guest only with CR0.PE and CR0.PG set
 * and with segments as protected mode loads them (SDM volume 3, 23.8 and 26.3.1.2). Protected mode
 * without paging runs on an identity map: one page directory of 4 MiB pages, read-only for the
 * guest, at a guest-physical address that 32-bit paging can name. (With PAE the processor would
 * load PDPTEs from the guest's memory whenever the guest writes CR0.) Real mode that does not fit into
 * virtual-8086 mode (vm86.c), and the instructions between it and the first loads of segment registers
 * in protected mode, are interpreted.
 */
#include "vmx.h"

#define PDE_IDENTITY 0xe7ULL /* present, writable, user, accessed, dirty, 4 MiB */
#define PDE_4M	     (4UL << 20)
/* In the window of interrupt messages, where no PC has memory or devices for the CPU. */
#define IDENT_GPA 0xfeee0000UL
/* Instructions interpreted before interrupts are looked at. */
#define BATCH 128U

int vmx_restricted_init(struct domain *d)
{
	struct vmx_domain *vd = d->vendor;
	uint32_t *pd = alloc_page_virt();
	int rc;

	if (!pd)
		return -ENOMEM;
	for (unsigned int i = 0; i < 1024; i++)
		pd[i] = (uint32_t)(i * PDE_4M | PDE_IDENTITY);
	vd->ident_pd = pd;
	vd->ident_root = _gpa(IDENT_GPA);
	rc = p2m_set(d, gpa_to_gfn(vd->ident_root), virt_to_mfn(pd), 0, P2M_RAM_RO, P2M_ACCESS_R);
	if (!rc)
		rc = vmx_vm86_init(d);
	d->p2m.max_gfn = 0; /* these frames are not the guest's */
	return rc;
}

void vmx_restricted_fini(struct domain *d)
{
	struct vmx_domain *vd = d->vendor;

	vmx_vm86_fini(d);
	if (vd->ident_pd)
		free_page_virt(vd->ident_pd);
}

static bool data_segment_ok(struct vcpu *v, enum x86_seg s)
{
	struct x86_segment seg = *hvm_seg(v, s);

	if (!(seg.attr & X86_ATTR_P))
		return true;
	/* Code has to be readable; a conforming segment's DPL does not count. */
	if ((seg.attr & 8) && !(seg.attr & 2))
		return false;
	return (seg.attr & 0xc) == 0xc || (seg.attr >> 5 & 3) >= (seg.sel & 3);
}

/* Would the CPU enter with these segments? Only what differs from "unrestricted guest" is asked. */
static bool segments_ok(struct vcpu *v)
{
	struct x86_segment cs, ss;
	unsigned int rpl, dpl;

	if (v->regs.rflags & X86_EFLAGS_VM)
		return true;
	cs = *hvm_seg(v, X86_SEG_CS);
	ss = *hvm_seg(v, X86_SEG_SS);
	rpl = cs.sel & 3;
	dpl = cs.attr >> 5 & 3;
	if (!(cs.attr & 8) || ((cs.attr & 4) ? dpl > rpl : dpl != rpl))
		return false;
	if ((ss.attr & X86_ATTR_P) && ((ss.attr & 0xb) != 3 || (ss.sel & 3) != rpl))
		return false;
	if ((ss.attr >> 5 & 3) != (ss.sel & 3))
		return false;
	return data_segment_ok(v, X86_SEG_DS) && data_segment_ok(v, X86_SEG_ES) &&
	       data_segment_ok(v, X86_SEG_FS) && data_segment_ok(v, X86_SEG_GS);
}

static bool must_interpret(struct vcpu *v, struct vmx_vcpu *vv)
{
	if (!(v->cr0 & X86_CR0_PE))
		return true;
	if (!vv->state_written)
		return false;
	if (!segments_ok(v))
		return true;
	vv->state_written = false;
	return false;
}

/* What hardware's windows do while it runs the guest. */
static void open_windows(struct vcpu *v, struct vmx_vcpu *vv)
{
	if ((vv->proc & PROC_INTR_WINDOW) && !hvm_interrupt_blocked(v))
		vmx_exit_intr_window(v, 0);
	if ((vv->proc & PROC_NMI_WINDOW) && !hvm_nmi_blocked(v))
		vmx_exit_nmi_window(v, 0);
}

bool vmx_interpret(struct vcpu *v)
{
	struct vmx_vcpu *vv = vmx_vcpu(v);
	unsigned int done = 0;

	if (likely(!must_interpret(v, vv)))
		return false;
	if (vmx_vm86_fits(v)) {
		vmx_vm86_enter(v, vv);
		return false;
	}
	do {
		if (v->hvm.event.type == HVM_EVENT_NONE) {
			hvm_emulate(v, NULL, 0);
		} else if (!(v->cr0 & X86_CR0_PE)) {
			hvm_emulate_real_event(v);
		} else {
			domain_crash(v->domain, "vCPU %u: event %u between real and protected mode",
				     v->id, v->hvm.event.vector);
		}
		open_windows(v, vv);
	} while (++done < BATCH && !v->attention && vcpu_runnable(v) && must_interpret(v, vv) &&
		 !vmx_vm86_fits(v));
	this_cpu_raise(SOFTIRQ_IRQ_WINDOW);
	return true;
}
