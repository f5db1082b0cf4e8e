/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of vmx/ share; nothing outside includes it. SDM volume 3, chapters 23 to 30. */
#ifndef PLINTH_VMX_H
#define PLINTH_VMX_H

#include "controls.h"
#include "hazards.h"
#include "hvm_ops.h"

#define FEATURE_CONTROL_LOCKED BIT(0)
#define FEATURE_CONTROL_VMXON  BIT(2) /* outside SMX operation */

#define VMX_NO_CPU	       ~0U

/* The same on every CPU: vmx_cpu_up checks that. */
extern struct vmx_cap_msrs vmx_caps;
extern struct vmx_controls vmx_controls;

struct vmx_vcpu;

/* Per CPU; cpu->vendor. */
struct vmx_cpu {
	void *vmxon_region;
	struct vmx_vcpu *loaded; /* whose VMCS is current, NULL = none */
	uint64_t exits[VMX_EXIT_COUNT];
	bool sce; /* EFER.SCE is set, where entries do not load EFER */
};

/* MSRs that hardware does not switch and the VMM does not use: the guest's stay loaded with its
 * vCPU. */
enum { LAZY_STAR, LAZY_LSTAR, LAZY_CSTAR, LAZY_SFMASK, LAZY_KERNEL_GS_BASE, LAZY_COUNT };

/* What virtual-8086 mode covers while it is on: realmode.c. */
struct vmx_vm86 {
	bool on; /* during the entry, and while its exit is handled */
	uint64_t cr0, cr4, iopl;
	struct x86_segment seg[X86_SEG_COUNT];
};

struct vmx_vcpu {
	struct vcpu *vcpu;
	void *vmcs;
	maddr_t vmcs_pa;
	unsigned int cpu;	      /* where the VMCS is active, VMX_NO_CPU = nowhere */
	bool launched;		      /* on that CPU */
	unsigned int tlb_cpu;	      /* where its translations were last used */
	bool flush_linear, flush_ept; /* before the next entry */
	uint16_t vpid;		      /* 0 = none */

	/* Copies of fields, written back before an entry when they differ from what is in the VMCS.
	 */
	uint32_t proc, proc2, entry, exceptions;
	uint64_t cr0_owned;		/* bits of CR0 that the guest changes without an exit */
	uint32_t vmcs_interruptibility; /* of shadow and v->hvm.nmi_masked */
	uint64_t shadow;		/* v->hvm.shadow */
	uint32_t tpr_threshold;

	/* apicv.c: the mode that the controls are for, and what hardware's copies are compared
	 * with. */
	uint64_t apic_mode, eoi_exits[4];
	uint32_t apic_id, apic_spiv, apic_lvtt;
	void *posted; /* posted-interrupt descriptor, NULL = not used (posted.c) */
	bool posting; /* vectors may go there now; written by the vCPU, read by all */

	struct x86_segment seg[X86_SEG_COUNT]; /* v->hvm.seg */
	struct vmx_vm86 vm86;

	uint32_t exit_reason;
	bool flush_l1d;	    /* before the next entry, on CPUs with L1TF */
	bool state_written; /* segments or CR0 were set by us: realmode.c looks at them */
	bool dr_loaded; /* DR0-3 and DR6 of the guest are in the registers, accesses not intercepted
			 */
	uint64_t lazy[LAZY_COUNT]; /* true while the vCPU is not loaded */
	bool lazy_loaded;
};

static inline struct vmx_vcpu *vmx_vcpu(const struct vcpu *v)
{
	return v->vendor;
}

/* v's processor walks EPT; or shadow tables. */
static inline bool vmx_on_ept(const struct vmx_vcpu *vv)
{
	return vv->proc2 & PROC2_EPT;
}
/* Real mode and paging switched off are the processor's; or realmode.c's. */
static inline bool vmx_unrestricted(const struct vmx_vcpu *vv)
{
	return vv->proc2 & PROC2_UNRESTRICTED;
}

struct vmx_domain {
	uint8_t *io_bitmap;	/* NULL = everything is intercepted */
	struct page *apic_page; /* APIC-access page, NULL = not used */
	uint32_t *ident_pd;	/* identity page directory, NULL = not needed */
	gpa_t ident_root;	/* where the guest has it */
	uint8_t *vm86_tss;	/* NULL = no virtual-8086 mode */
};

/* --- instructions --- */

static inline uint64_t vmread(enum vmcs_field field)
{
	uint64_t value;

	__asm__ volatile("vmread %1, %0" : "=rm"(value) : "r"((uint64_t)field) : "cc");
	return value;
}

/* False when this CPU's VMCS has no such field. */
static inline bool vmread_safe(enum vmcs_field field, uint64_t *value)
{
	bool ok;

	__asm__ volatile("vmread %2, %1; seta %0"
			 : "=q"(ok), "=r"(*value)
			 : "r"((uint64_t)field)
			 : "cc");
	return ok;
}

void vmwrite_failed(enum vmcs_field field, uint64_t value);

static inline void vmwrite(enum vmcs_field field, uint64_t value)
{
	bool failed;

	__asm__ volatile("vmwrite %1, %2; setbe %0"
			 : "=q"(failed)
			 : "rm"(value), "r"((uint64_t)field)
			 : "cc");
	if (unlikely(failed))
		vmwrite_failed(field, value);
}

/* entry.S. 0 = a VM exit; 1 = refused without (CF), 2 = with (ZF) an error number. */
#define VMX_ENTER_LAUNCHED 1U
#define VMX_ENTER_VERW	   2U
unsigned int vmx_enter(struct x86_regs *regs, unsigned int flags);
extern const char vmx_exit_point[];

/* vmcs.c */
struct vmcs_field_name {
	uint32_t encoding;
	const char *name;
};
/* All fields, for dumps. */
extern const struct vmcs_field_name vmcs_field_names[];
extern const unsigned int vmcs_nr_fields;
/* vv's VMCS with what never changes, loaded on this CPU. 0 or -ENOMEM. */
int vmcs_init(struct vmx_vcpu *vv);
/* Takes it off the CPU that has it. The vCPU does not run again. */
void vmcs_fini(struct vmx_vcpu *vv);
/* Make v's VMCS current on this CPU. v is the current vCPU or does not run. */
void vmx_load_slow(struct vmx_vcpu *vv);
static inline struct vmx_vcpu *vmx_load(const struct vcpu *v)
{
	struct vmx_vcpu *vv = v->vendor;
	const struct vmx_cpu *c = this_cpu()->vendor;

	if (unlikely(c->loaded != vv))
		vmx_load_slow(vv);
	return vv;
}

/* vpid.c */
void vpid_alloc(struct vmx_vcpu *vv);
void vpid_free(struct vmx_vcpu *vv);
/* Before an entry: do what was asked for. */
void vmx_flush_pending(struct vmx_vcpu *vv);
void vmx_flush_vcpu(struct vcpu *v);
void vmx_invept_all(void);
uint64_t vmx_eptp(const struct domain *d);

/* The arms that are not in exit.c; insn_len is 0. */
void vmx_exit_dr(struct vcpu *v, unsigned int insn_len);
void vmx_exit_intr_window(struct vcpu *v, unsigned int insn_len);
void vmx_exit_nmi_window(struct vcpu *v, unsigned int insn_len);
void vmx_exit_tpr(struct vcpu *v, unsigned int insn_len);
void vmx_exit_apic_write(struct vcpu *v, unsigned int insn_len);
void vmx_exit_eoi(struct vcpu *v, unsigned int insn_len);

/* exit.c: what an exit reason is called, "unknown" where nothing serves it. */
const char *vmx_exit_name(uint32_t reason);
bool vmx_exit_count(unsigned int reason, const char **name, uint64_t *count);
void vmx_run(struct vcpu *v);

/* intr.c */
void vmx_inject(struct vcpu *v, const struct hvm_event *e);
void vmx_want_interrupt_window(struct vcpu *v);
void vmx_want_nmi_window(struct vcpu *v);
void vmx_requeue_interrupted_event(struct vcpu *v);
void vmx_write_interruptibility(struct vcpu *v, struct vmx_vcpu *vv);
void vmx_update_tpr_threshold(struct vcpu *v, struct vmx_vcpu *vv);

/* setup.c */
enum vmcs_field vmx_seg_ar_field(enum x86_seg s);
void vmx_load_debug(struct vcpu *v);

/* apicv.c */
int vmx_apicv_init(void);
int vmx_apic_page_init(struct domain *d);
void vmx_apic_page_fini(struct domain *d);
void vmx_apic_before_entry(struct vcpu *v, struct vmx_vcpu *vv);
void vmx_apic_after_exit(struct vcpu *v, const struct vmx_vcpu *vv);
bool vmx_delivers_vlapic(struct vcpu *v);

/* posted.c */
int vmx_posted_init(struct vmx_vcpu *vv);
void vmx_posted_fini(struct vmx_vcpu *vv);
int vmx_post_vector(struct vcpu *v, uint8_t vector);
void vmx_posted_notify(unsigned int cpu);
void vmx_take_posted(struct vcpu *v);

/* preempt.c */
void vmx_preempt_init(void);
void vmx_preempt_vcpu_init(void);

/* flush.c */
extern struct vmx_hazards vmx_hazards;
int vmx_flush_init(void);
void vmx_flush_l1d(struct vmx_vcpu *vv);

/* msr.c */
extern uint8_t *vmx_msr_bitmap;
int vmx_msr_bitmap_init(void);
void vmx_msr_allow_write(uint8_t *bitmap, uint32_t msr);

/* realmode.c: guests in modes that the CPU does not enter without "unrestricted guest", which needs EPT. */
int vmx_restricted_init(struct domain *d);
void vmx_restricted_fini(struct domain *d);
/* True: v is in such a mode now, and one step was done in software. */
bool vmx_interpret(struct vcpu *v);

/* Its virtual-8086 mode. */
void vmx_vm86_leave(struct vcpu *v, struct vmx_vcpu *vv);
void vmx_vm86_exception(struct vcpu *v, uint32_t info);

/* ept.c */
extern struct p2m_format vmx_ept_format;
void vmx_ept_init(const struct vmx_controls *c);

#endif
