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
	if ((v->efer & X86_EFER_LMA) && (vmcb->seg[X86_SEG_CS].attr & X86_ATTR_L))
		return 64;
	return vmcb->seg[X86_SEG_CS].attr & X86_ATTR_DB ? 32 : 16;
}

/* Up to 15 bytes at linear address la, as many as there are. */
static unsigned int fetch(struct vcpu *v, uint64_t la, uint8_t *buf)
{
	unsigned int first = min(15UL, PAGE_SIZE - (la & ~PAGE_MASK));
	uint64_t word[2];

	if (guest_code_window(v, la, word)) {
		memcpy(buf, word, 15);
		return 15;
	}
	if (guest_linear_copy(v, la, buf, first, PFEC_I, NULL))
		return 0;
	if (first < 15 && !guest_linear_copy(v, la + first, buf + first, 15 - first, PFEC_I, NULL))
		return 15;
	return first;
}

/* 0f 20, 0f 22 and a ModRM byte, without prefixes: nearly every MOV CR there is. */
static bool plain_mov_cr(const uint8_t *buf, unsigned int n, enum x86_len_class class)
{
	return class == X86_LEN_MOV_CR && n >= 3 && buf[0] == 0x0f && (buf[1] & 0xfd) == 0x20;
}

unsigned int svm_insn_fetch(struct vcpu *v, enum x86_len_class class, uint8_t buf[15])
{
	struct vmcb *vmcb = svm_vmcb(v);
	uint64_t la = vmcb->seg[X86_SEG_CS].base + vmcb->rip;
	unsigned int n = fetch(v, la, buf), len = 0;

	if (plain_mov_cr(buf, n, class))
		return 3;
	if (n)
		len = x86_insn_length_only(buf, n, code_bits(v, vmcb), class);
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
	uint64_t la = vmcb->seg[X86_SEG_CS].base + vmcb->rip;
	uint8_t buf[15];
	unsigned int len = svm_insn_fetch(v, class, buf);

	if (len)
		*svm_len_slot(svm_vcpu(v), la) =
			(struct svm_len){ .la = la,
					  .cr3 = v->cr3,
					  .kind = svm_len_kind(vmcb, class),
					  .len = (uint8_t)len };
	return len;
}
