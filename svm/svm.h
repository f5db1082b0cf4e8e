/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of svm/ share; nothing outside includes it. APM volume 2, chapter 15. */
#ifndef PLINTH_SVM_H
#define PLINTH_SVM_H

#include "hvm_ops.h"
#include "vmcb.h"

#define VM_CR_SVMDIS BIT(4)

/* CPUID 8000000a EDX */
#define SVM_FEAT_NPT	    BIT(0)
#define SVM_FEAT_NRIPS	    BIT(3)
#define SVM_FEAT_FLUSH_ASID BIT(6)
#define SVM_FEAT_DECODE	    BIT(7)

struct svm_caps {
	uint32_t features; /* CPUID 8000000a EDX */
	uint32_t nr_asids;
	bool nrips, decode, flush_asid;
	bool lost_shadow; /* VMRUN does not load the interrupt shadow (QEMU's TCG) */
	bool intr_twice;  /* an injected INTR may be delivered a second time (QEMU's TCG) */
	bool lost_irq;	  /* VMRUN with V_IRQ may forget a physical interrupt (QEMU's TCG) */
};
/* Filled by svm_probe(), constant from then on. */
extern struct svm_caps svm_caps;

/* Per CPU; cpu->vendor. */
struct svm_cpu {
	maddr_t host_vmcb; /* for VMSAVE/VMLOAD of the host's FS, GS, TR, LDTR */
	void *hsave;
	uint64_t asid_generation; /* never 0, nor another CPU's */
	uint32_t next_asid;
	uint64_t exits[SVM_EXIT_KINDS]; /* by exit code; nested page faults last */
};

#define SVM_LEN_CACHE 16

/* The length of an instruction that was intercepted before, on CPUs without nRIP-save (svm/insn.c). */
struct svm_len {
	uint64_t la, cr3; /* where: linear address and address space */
	uint16_t kind;	  /* enum x86_len_class and the code segment's L and D bits */
	uint8_t len;	  /* 0: entry not in use */
};

struct svm_vcpu {
	struct vmcb *vmcb;
	maddr_t vmcb_pa; /* entry.S reads it: see svm_enter */
	struct vcpu *vcpu;
	uint64_t
		asid_generation; /* the ASID is valid on the CPU whose generation this is; 0 = nowhere */
	bool dr_loaded; /* DR0-3 of the guest are in the registers, accesses not intercepted */
	bool virq;	/* V_IRQ was set at the last entry, or is at the next */
	bool nmi_iret;	/* the guest is at the IRET that ends its NMI handler */
	uint64_t nmi_iret_rip;
	uint64_t
		soft_entry; /* v->exits of the last entry that delivered an INT n, INT3 or INTO of ours */
	struct svm_len len_cache[SVM_LEN_CACHE];
};

static inline struct svm_vcpu *svm_vcpu(const struct vcpu *v)
{
	return v->vendor;
}
static inline struct vmcb *svm_vmcb(const struct vcpu *v)
{
	return svm_vcpu(v)->vmcb;
}

/* entry.S: load the guest's registers, VMRUN, store them; host FS/GS/TR/LDTR come from host_vmcb. */
void svm_enter(struct x86_regs *regs, uint64_t vmcb_pa, uint64_t host_vmcb_pa);
/* What RIP the host save area has. */
extern const char svm_behind_vmrun[];

/* insn.c: read and decode the intercepted instruction; 0 = it is not one of this class (any more). */
unsigned int svm_insn_decode(struct vcpu *v, enum x86_len_class class);
/* The same with its bytes in buf, and never from the cache. */
unsigned int svm_insn_fetch(struct vcpu *v, enum x86_len_class class, uint8_t buf[15]);

static inline uint16_t svm_len_kind(const struct vmcb *vmcb, enum x86_len_class class)
{
	return (uint16_t)(class | (vmcb->seg[X86_SEG_CS].attr & (X86_ATTR_L | X86_ATTR_DB)));
}
static inline struct svm_len *svm_len_slot(struct svm_vcpu *sv, uint64_t la)
{
	return &sv->len_cache[la % SVM_LEN_CACHE];
}

/* Length of the intercepted instruction of this class; 0 = it changed meanwhile: run it again. */
static inline unsigned int svm_insn_len_of(struct vcpu *v, struct svm_vcpu *sv,
					   enum x86_len_class class)
{
	const struct vmcb *vmcb = sv->vmcb;
	uint64_t la = vmcb->seg[X86_SEG_CS].base + vmcb->rip;
	const struct svm_len *e = svm_len_slot(sv, la);

	/* 0 where the CPU does not know it: a task switch is not an instruction's intercept (15.7.1). */
	if (svm_caps.nrips && likely(vmcb->next_rip))
		return (unsigned int)(vmcb->next_rip - vmcb->rip);
	if (likely(e->la == la && e->cr3 == v->cr3 && e->kind == svm_len_kind(vmcb, class) &&
		   e->len))
		return e->len;
	return svm_insn_decode(v, class);
}
static inline unsigned int svm_insn_len(struct vcpu *v, enum x86_len_class class)
{
	return svm_insn_len_of(v, svm_vcpu(v), class);
}

/* The arms that are not in exit.c; insn_len is 0. */
void svm_exit_dr(struct vcpu *v, unsigned int insn_len);
void svm_exit_vintr(struct vcpu *v, unsigned int insn_len);
void svm_exit_iret(struct vcpu *v, unsigned int insn_len);

/* exit.c: v's cached translations go before its next entry. */
void svm_flush_vcpu(struct vcpu *v);
/* What an exit code is called, "unknown" where nothing serves it. */
const char *svm_exit_name(uint64_t code);
bool svm_exit_count(unsigned int code, const char **name, uint64_t *count);
/* One entry and its exit; hvm_ops.run. */
void svm_run(struct vcpu *v);

/* intr.c */
void svm_inject(struct vcpu *v, const struct hvm_event *e);
void svm_check_virq(struct vcpu *v);
void svm_want_interrupt_window(struct vcpu *v);
void svm_want_nmi_window(struct vcpu *v);
void svm_requeue_interrupted_event(struct vcpu *v, struct vmcb *vmcb);

/* npt.c */
extern const struct p2m_format svm_npt_format;

#endif
