// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Guests without "unrestricted guest", because the CPU does not have it or they are on shadow tables: they are entered
 * only with CR0.PE and CR0.PG set and with segments as protected mode loads them (SDM volume 3, 23.8 and 26.3.1.2).
 * Protected mode without paging runs on an identity map. On shadow tables it is theirs; with EPT it is one page
 * directory of 4 MiB pages, read-only for the guest, at a guest-physical address that 32-bit paging can name. (With PAE the
 * processor would load PDPTEs from the guest's memory whenever the guest writes CR0.) Real mode that does not fit into
 * virtual-8086 mode, and the instructions between it and the first loads of segment registers in protected mode, are
 * interpreted.
 *
 * Real mode where the guest's segments are what virtual-8086 mode has (base 16 times the selector, 64 KiB) runs in that
 * mode on the identity map, at full speed, and only what that mode does not let through comes to the emulator. The
 * mode is put on right before an entry and taken off right after the exit, so that nobody else sees it. With
 * IOPL 3 the guest's CLI, STI, PUSHF, POPF and IRET act on its own IF; a PUSHF shows that IOPL. With CR4.VME
 * and a redirection bitmap of zeros INT n goes through the vector table at 0. No I/O is permitted in the TSS
 * and every exception exits. SDM volume 3, 20.2, 20.3, 26.3.1.2.
 */
#include "vmx.h"
#include "boot.h"
#include "timer.h"

#define AR_VM86	       0xf3U
#define AR_BUSY_TSS    0x8bU
#define IVT_LIMIT      0x3ffU
#define SEG_64K	       0xffffU
#define TSS_IOMAP      102U /* offset of the I/O map's offset */
#define TSS_REDIRECT   104U /* the interrupt redirection bitmap lies right before the I/O map */
#define TSS_IOMAP_NONE 136U
#define TSS_LIMIT      (TSS_IOMAP_NONE - 1)
/* Behind the identity map's directory, IDENT_GPA. */
#define TSS_GPA 0xfeee1000UL

static bool vm86_enabled = true;

static int parse_vm86(const char *value)
{
	return parse_bool(value, &vm86_enabled);
}
BOOT_OPTION(vmx_vm86, "vmx-vm86", parse_vm86,
	    "real mode in virtual-8086 mode where VT-x cannot enter it (default: on)");

/* The task state that the mode needs: read-only for the guest, all zeros but for one offset. */
static int vm86_init(struct domain *d)
{
	struct vmx_domain *vd = d->vendor;

	if (!vm86_enabled)
		return 0;
	vd->vm86_tss = alloc_page_virt();
	if (!vd->vm86_tss)
		return -ENOMEM;
	*(uint16_t *)(vd->vm86_tss + TSS_IOMAP) = TSS_IOMAP_NONE;
	return p2m_set(d, _gfn(TSS_GPA >> PAGE_SHIFT), virt_to_mfn(vd->vm86_tss), 0, P2M_RAM_RO,
		       P2M_ACCESS_R);
}

static void vm86_fini(struct domain *d)
{
	struct vmx_domain *vd = d->vendor;

	if (vd->vm86_tss)
		free_page_virt(vd->vm86_tss);
}

static bool segment_fits(struct vcpu *v, enum x86_seg s)
{
	const struct x86_segment *seg = hvm_seg(v, s);

	return seg->base == (uint64_t)seg->sel << 4 && seg->limit == SEG_64K &&
	       (seg->attr & (X86_ATTR_P | X86_ATTR_DB)) == X86_ATTR_P;
}

/* v is in real mode, and it looks like virtual-8086 mode. */
static bool vm86_fits(struct vcpu *v)
{
	const struct vmx_domain *vd = v->domain->vendor;
	const struct x86_segment *idtr;

	if (!vd->vm86_tss || (v->cr0 & X86_CR0_PE) || v->hvm.event.type != HVM_EVENT_NONE)
		return false;
	if ((v->regs.rflags & (X86_EFLAGS_TF | X86_EFLAGS_VM)) || v->regs.rip > SEG_64K)
		return false;
	idtr = hvm_seg(v, X86_SEG_IDTR);
	if (idtr->base || idtr->limit < IVT_LIMIT)
		return false;
	for (enum x86_seg s = X86_SEG_ES; s <= X86_SEG_GS; s++)
		if (!segment_fits(v, s))
			return false;
	return true;
}

/* Keeps what the mode covers, and puts it on. vm86_fits(v) holds. */
static void vm86_enter(struct vcpu *v, struct vmx_vcpu *vv)
{
	struct vmx_vm86 *m = &vv->vm86;

	for (enum x86_seg s = X86_SEG_ES; s < X86_SEG_COUNT; s++)
		m->seg[s] = *hvm_seg(v, s);
	m->cr0 = vmread(GUEST_CR0);
	m->cr4 = vmread(GUEST_CR4);
	m->iopl = v->regs.rflags & X86_EFLAGS_IOPL;
	m->on = true;
	for (enum x86_seg s = X86_SEG_ES; s <= X86_SEG_GS; s++)
		vmwrite(vmx_seg_ar_field(s), AR_VM86);
	vmwrite(GUEST_TR_SELECTOR, 0);
	vmwrite(GUEST_TR_BASE, TSS_GPA);
	vmwrite(GUEST_TR_LIMIT, TSS_LIMIT);
	vmwrite(GUEST_TR_AR, AR_BUSY_TSS);
	vmwrite(GUEST_LDTR_AR, AR_UNUSABLE);
	vmwrite(GUEST_CR0, m->cr0 & ~X86_CR0_AM); /* level 3 would be checked for alignment */
	vmwrite(GUEST_CR4, m->cr4 | X86_CR4_VME);
	vmwrite(EXCEPTION_BITMAP, ~0U);
	vmwrite(GUEST_RFLAGS, v->regs.rflags | X86_EFLAGS_VM | X86_EFLAGS_IOPL);
}

/* Right after the exit: real mode again, with the selectors that the guest has loaded since. */
void vmx_vm86_leave(struct vcpu *v, struct vmx_vcpu *vv)
{
	struct vmx_vm86 *m = &vv->vm86;
	uint64_t rflags = vmread(GUEST_RFLAGS) & ~(X86_EFLAGS_VM | X86_EFLAGS_IOPL);

	v->hvm.valid &= ~(HVM_SEGS | HVM_CPL);
	for (enum x86_seg s = X86_SEG_ES; s <= X86_SEG_GS; s++) {
		struct x86_segment now = *hvm_seg(v, s);

		now.attr = m->seg[s].attr;
		hvm_set_seg(v, s, &now);
	}
	hvm_set_seg(v, X86_SEG_TR, &m->seg[X86_SEG_TR]);
	hvm_set_seg(v, X86_SEG_LDTR, &m->seg[X86_SEG_LDTR]);
	vmwrite(GUEST_CR0, m->cr0);
	vmwrite(GUEST_CR4, m->cr4);
	vmwrite(EXCEPTION_BITMAP, vv->exceptions);
	vmwrite(GUEST_RFLAGS, rflags | m->iopl);
}

/*
 * An exception there. Faults of the mode itself (#GP: HLT, I/O, control registers; #SS, #PF) are instructions to
 * emulate, as INT3 and INTO are, which RIP is still at. The others are real mode's own.
 */
void vmx_vm86_exception(struct vcpu *v, uint32_t info)
{
	uint8_t vector = INTR_VECTOR(info);

	if (INTR_TYPE(info) == INTR_T_SWEXC || vector == X86_EXC_GP || vector == X86_EXC_SS ||
	    vector == X86_EXC_PF)
		hvm_emulate(v, NULL, 0);
	else
		hvm_inject_exception(v, vector, false, 0);
}

#define PDE_IDENTITY 0xe7ULL /* present, writable, user, accessed, dirty, 4 MiB */
#define PDE_4M	     (4UL << 20)
/* In the window of interrupt messages, where no PC has memory or devices for the CPU. */
#define IDENT_GPA 0xfeee0000UL
/* Instructions interpreted before interrupts are looked at, unless they take a tenth of a millisecond, as a search of memory
 * for one may (pod_reserve). */
#define BATCH	    128U
#define BATCH_TICKS (tsc_khz / 10)

/* The identity map that EPT needs. */
static int ident_init(struct domain *d)
{
	struct vmx_domain *vd = d->vendor;
	uint32_t *pd = alloc_page_virt();

	if (!pd)
		return -ENOMEM;
	for (unsigned int i = 0; i < 1024; i++)
		pd[i] = (uint32_t)(i * PDE_4M | PDE_IDENTITY);
	vd->ident_pd = pd;
	vd->ident_root = _gpa(IDENT_GPA);
	return p2m_set(d, gpa_to_gfn(vd->ident_root), virt_to_mfn(pd), 0, P2M_RAM_RO, P2M_ACCESS_R);
}

int vmx_restricted_init(struct domain *d)
{
	int rc = d->sh ? 0 : ident_init(d);

	if (!rc)
		rc = vm86_init(d);
	d->p2m.max_gfn = 0; /* these frames are not the guest's */
	return rc;
}

void vmx_restricted_fini(struct domain *d)
{
	struct vmx_domain *vd = d->vendor;

	vm86_fini(d);
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
	uint64_t until;

	if (likely(!must_interpret(v, vv)))
		return false;
	if (vm86_fits(v)) {
		vm86_enter(v, vv);
		return false;
	}
	until = rdtsc() + BATCH_TICKS;
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
	} while (++done < BATCH && rdtsc() < until && !v->attention && vcpu_runnable(v) &&
		 must_interpret(v, vv) && !vm86_fits(v));
	this_cpu_raise(SOFTIRQ_IRQ_WINDOW);
	return true;
}
