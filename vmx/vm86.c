// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Real mode on CPUs without "unrestricted guest": where the guest's segments are what virtual-8086 mode has
 * (base 16 times the selector, 64 KiB), it runs in that mode on the identity map, at full speed, and only what
 * that mode does not let through comes to the emulator. All else is interpreted (realmode.c).
 *
 * The mode is put on right before an entry and taken off right after the exit, so that nobody else sees it. With
 * IOPL 3 the guest's CLI, STI, PUSHF, POPF and IRET act on its own IF; a PUSHF shows that IOPL. With CR4.VME
 * and a redirection bitmap of zeros INT n goes through the vector table at 0. No I/O is permitted in the TSS
 * and every exception exits. SDM volume 3, 20.2, 20.3, 26.3.1.2.
 */
#include "vmx.h"
#include "boot.h"

#define AR_VM86	       0xf3U
#define AR_BUSY_TSS    0x8bU
#define IVT_LIMIT      0x3ffU
#define SEG_64K	       0xffffU
#define TSS_IOMAP      102U /* offset of the I/O map's offset */
#define TSS_REDIRECT   104U /* the interrupt redirection bitmap lies right before the I/O map */
#define TSS_IOMAP_NONE 136U
#define TSS_LIMIT      (TSS_IOMAP_NONE - 1)
/* Behind the identity map's directory: realmode.c. */
#define TSS_GPA 0xfeee1000UL

static bool enabled = true;

static int parse_vm86(const char *value)
{
	return parse_bool(value, &enabled);
}
BOOT_OPTION(vmx_vm86, "vmx-vm86", parse_vm86,
	    "real mode in virtual-8086 mode where VT-x cannot enter it (default: on)");

/* The task state that the mode needs: read-only for the guest, all zeros but for one offset. */
int vmx_vm86_init(struct domain *d)
{
	struct vmx_domain *vd = d->vendor;

	if (!enabled)
		return 0;
	vd->vm86_tss = alloc_page_virt();
	if (!vd->vm86_tss)
		return -ENOMEM;
	*(uint16_t *)(vd->vm86_tss + TSS_IOMAP) = TSS_IOMAP_NONE;
	return p2m_set(d, _gfn(TSS_GPA >> PAGE_SHIFT), virt_to_mfn(vd->vm86_tss), 0, P2M_RAM_RO,
		       P2M_ACCESS_R);
}

void vmx_vm86_fini(struct domain *d)
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

bool vmx_vm86_fits(struct vcpu *v)
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

/* Keeps what the mode covers, and puts it on. vmx_vm86_fits(v) holds. */
void vmx_vm86_enter(struct vcpu *v, struct vmx_vcpu *vv)
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
