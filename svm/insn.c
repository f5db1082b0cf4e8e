// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Length of an intercepted instruction. CPUs with nRIP-save report it; for the others (first
 * generations, emulators) it is decoded from the guest's bytes. Hardware has already said which
 * instruction it is, so only redundant prefixes are in question: the last few answers are kept by
 * address and address space, and a guest that rewrites such an instruction with other prefixes at the
 * same place confuses only itself.
 */
#include "svm.h"
#include "guest_access.h"

static unsigned int code_bits(const struct vcpu *v, const struct vmcb *vmcb)
{
	if ((v->efer & X86_EFER_LMA) && (vmcb->cs.attr & SEG_ATTR_L))
		return 64;
	return vmcb->cs.attr & SEG_ATTR_DB ? 32 : 16;
}

/* Fetch as much as there is, up to 15 bytes; 0 when even the first page is gone. */
static unsigned int fetch(struct vcpu *v, uint64_t la, uint8_t *buf)
{
	unsigned int first = min(15UL, PAGE_SIZE - (la & ~PAGE_MASK));

	if (guest_linear_copy(v, la, buf, first, PFEC_I, NULL))
		return 0;
	if (first < 15 && !guest_linear_copy(v, la + first, buf + first, 15 - first, PFEC_I, NULL))
		return 15;
	return first;
}

unsigned int svm_insn_fetch(struct vcpu *v, enum x86_len_class class, uint8_t buf[15])
{
	struct vmcb *vmcb = svm_vmcb(v);
	uint64_t la = vmcb->cs.base + vmcb->rip;
	unsigned int n = fetch(v, la, buf);
	unsigned int len = n ? x86_insn_length_only(buf, n, code_bits(v, vmcb), class) : 0;

	if (!len) {
		/* Another vCPU changed the code under the exit: let the guest execute it again. */
		printk(LOG_DEBUG
		       "d%uv%u: intercepted instruction at %lx changed before it was read\n",
		       v->domain->domid, v->id, la);
	}
	return len;
}

unsigned int svm_insn_decode(struct vcpu *v, enum x86_len_class class)
{
	const struct vmcb *vmcb = svm_vmcb(v);
	uint64_t la = vmcb->cs.base + vmcb->rip;
	uint8_t buf[15];
	unsigned int len = svm_insn_fetch(v, class, buf);

	if (len)
		*svm_len_slot(svm_vcpu(v), la) =
			(struct svm_len){ .la = la,
					  .cr3 = vmcb->cr3,
					  .kind = svm_len_kind(vmcb, class),
					  .len = (uint8_t)len };
	return len;
}
