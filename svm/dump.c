// SPDX-License-Identifier: GPL-2.0-or-later
/* The control block in readable form, for crashes and debug keys. */
#include "svm.h"

static const char *const seg_names[X86_SEG_COUNT] = { "es", "cs",   "ss",   "ds",   "fs",
						      "gs", "gdtr", "ldtr", "idtr", "tr" };

static void dump_seg(const char *name, const struct x86_segment *s)
{
	printk("  %-4s sel %04x attr %03x limit %08x base %016lx\n", name, s->sel, s->attr,
	       s->limit, s->base);
}

void svm_dump(struct vcpu *v)
{
	const struct vmcb *b = svm_vmcb(v);

	printk("VMCB of d%uv%u: last exit %lx (%s) info %016lx %016lx int-info %lx\n",
	       v->domain->domid, v->id, b->exit_code, svm_exit_name(b->exit_code), b->exit_info1,
	       b->exit_info2, b->exit_int_info);
	printk("  cr0 %lx cr2 %lx cr3 %lx cr4 %lx efer %lx dr6 %lx dr7 %lx cpl %u\n", b->cr0,
	       b->cr2, b->cr3, b->cr4, b->efer, b->dr6, b->dr7, b->cpl);
	printk("  intercepts cr %04x/%04x dr %04x/%04x exc %08x %08x %08x\n", b->cr_read,
	       b->cr_write, b->dr_read, b->dr_write, b->exceptions, b->intercept1, b->intercept2);
	printk("  asid %u tlb %u vintr %lx shadow %lx inject %lx ncr3 %lx np %lx\n", b->asid,
	       b->tlb_control, b->vintr, b->int_shadow, b->event_inj, b->n_cr3, b->np_enable);
	for (unsigned int i = 0; i < X86_SEG_COUNT; i++)
		dump_seg(seg_names[i], &b->seg[i]);
}
