/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one interface between neutral code and svm/ or vmx/. One constant table, chosen at boot.
 * "v" below must be the current vCPU or paused. State setters mark it for reload.
 */
#ifndef PLINTH_HVM_OPS_H
#define PLINTH_HVM_OPS_H

#include "domain.h"
#include "paging.h"
#include "vmm/emulate/x86_emulate.h"

/*
 * Groups of a vCPU's state. The general registers, RIP, RFLAGS, the control registers, EFER and the interrupt shadow in struct
 * vcpu are true whenever the vCPU is not in the guest; what is in FETCHED is brought when somebody asks for it.
 */
#define HVM_SEG(s)  (1U << (s)) /* v->hvm.seg[s] */
#define HVM_SEGS    (HVM_SEG(X86_SEG_COUNT) - 1)
#define HVM_MSRS    (1U << 10) /* v->hvm.msr; setting takes v->hvm.pat with it */
#define HVM_DRS	    (1U << 11) /* v->dr, dr6, dr7 */
#define DR7_ENABLES 0xffU      /* of breakpoints: the CPU looks at DR0-3 */
#define HVM_CR2	    (1U << 12) /* v->cr2 */
#define HVM_CRS	    (1U << 13) /* v->cr0, cr3, cr4, efer, v->hw: v's cached translations go */
#define HVM_TPR	    (1U << 14) /* the vLAPIC's TPR */
#define HVM_TSC	    (1U << 15) /* v->tsc_offset */
#define HVM_CPL	    (1U << 16) /* v->hvm.cpl; set with SS */
#define HVM_FETCHED (HVM_SEGS | HVM_MSRS | HVM_CPL)

struct hvm_ops {
	const char *name;	 /* "AMD-V", "VT-x" */
	uint8_t emulated_vendor; /* X86_VENDOR_*: where instructions differ, the emulator follows it */
	const struct p2m_format *p2m_format; /* of nested paging */

	int (*cpu_up)(void); /* enable on this CPU; 0 or -errno with a message */
	int (*domain_init)(struct domain *d);
	void (*domain_fini)(struct domain *d);
	int (*vcpu_init)(struct vcpu *v); /* also v->hvm.seg and shadow */
	void (*vcpu_fini)(struct vcpu *v);
	void (*switch_from)(struct vcpu *v); /* v leaves this CPU */
	void (*switch_to)(struct vcpu *v);

	/* Enter the guest until one exit, handle it. Interrupts off. */
	void (*run)(struct vcpu *v);

	/*
	 * Brings these groups of struct vcpu up to date (of FETCHED and DRS; the others are). The CPU's own copy of the
	 * debug registers is given up. Callers use hvm_get_state().
	 */
	void (*get_state)(struct vcpu *v, uint32_t mask);
	/* These groups of struct vcpu were written: carries them to where hardware takes them from, and nothing else. */
	void (*set_state)(struct vcpu *v, uint32_t mask);

	/* Exit as soon as an interrupt (or NMI) can be taken. */
	void (*want_interrupt_window)(struct vcpu *v);
	void (*want_nmi_window)(struct vcpu *v);
	/* Hardware takes v's vectors from the vLAPIC's IRR by itself; NULL = never. */
	bool (*delivers_vlapic)(struct vcpu *v);
	/*
	 * Any CPU: let hardware bring an edge-triggered vector to v, which runs on another CPU, without an
	 * exit. -EOPNOTSUPP: not now, 0: it was pending already, 1: it is in place, vcpu_wake_posted has to
	 * follow. NULL = never; then the other two are NULL as well.
	 */
	int (*post_vector)(struct vcpu *v, uint8_t vector);
	void (*post_notify)(unsigned int cpu); /* instead of a kick */
	/* Own vCPU, or one that does not run: what was posted goes into the vLAPIC's IRR. */
	void (*take_posted)(struct vcpu *v);

	/* v's cached translations go, before its next entry. */
	void (*flush_vcpu)(struct vcpu *v);
	/* d's MSR or port intercepts: 64 Ki ports in d->hvm.io_bitmap. */
	void (*io_bitmap_changed)(struct domain *d);
	void (*dump)(struct vcpu *v); /* control block to the console */
	/* Exits of one kind on all CPUs and its name (NULL = none); false past the last index. */
	bool (*exit_count)(unsigned int index, const char **name, uint64_t *count);
};

extern const struct hvm_ops *hvm_ops; /* NULL before cpu bring-up */
extern const struct hvm_ops svm_ops, vmx_ops;
/* svm_probe/vmx_probe: this CPU can do it; on false says why on the console. */
bool svm_probe(void);
bool vmx_probe(void);

/* The groups in mask are true in struct vcpu then. v is the current vCPU, or does not run. */
static inline void hvm_get_state(struct vcpu *v, uint32_t mask)
{
	mask &= ~v->hvm.valid;
	if (!mask)
		return;
	hvm_ops->get_state(v, mask);
	v->hvm.valid |= mask & HVM_FETCHED;
}
/* The groups in mask have been written, whole. v as above. */
static inline void hvm_set_state(struct vcpu *v, uint32_t mask)
{
	v->hvm.valid |= mask & HVM_FETCHED;
	if (mask & HVM_CRS)
		v->domain->paging->hw_state(v);
	hvm_ops->set_state(v, mask);
}
/* Until v enters again, or the segment is set. */
static inline const struct x86_segment *hvm_seg(struct vcpu *v, enum x86_seg s)
{
	hvm_get_state(v, HVM_SEG(s));
	return &v->hvm.seg[s];
}
static inline void hvm_set_seg(struct vcpu *v, enum x86_seg s, const struct x86_segment *in)
{
	v->hvm.seg[s] = *in;
	hvm_set_state(v, HVM_SEG(s));
}
static inline unsigned int hvm_cpl(struct vcpu *v)
{
	hvm_get_state(v, HVM_CPL);
	return v->hvm.cpl;
}
/* Can an external interrupt, or an NMI, not be taken now? */
static inline bool hvm_interrupt_blocked(const struct vcpu *v)
{
	return !(v->regs.rflags & X86_EFLAGS_IF) || (*v->hvm.shadow & HVM_SHADOW) ||
	       v->hvm.extint_waits;
}
static inline bool hvm_nmi_blocked(const struct vcpu *v)
{
	return v->hvm.nmi_masked || (*v->hvm.shadow & HVM_SHADOW);
}

/*
 * What an exit means: the vendors' tables of exits by reason have rows of these. A meaning does the whole effect on v, including
 * advancing rip by insn_len where the instruction completes. Where a vendor's facts are needed, it is the vendor's own function,
 * which makes a neutral structure of them for one of the functions below.
 */
struct hvm_exit_arm {
	void (*meaning)(struct vcpu *v, unsigned int insn_len); /* NULL: there is no such exit */
	const char *name;
	uint8_t length; /* how the vendor finds insn_len; 0: the meaning gets 0 */
	bool own;	/* nothing is looked at but the vCPU's own state: vmx/flush.c */
};

/*
 * Arms. The current vCPU, after its exit; insn_len: of the instruction, which is done or has raised its exception when they
 * return, or 0 where RIP is to stay. The instruction's operands are in the registers.
 */
void hvm_exit_cpuid(struct vcpu *v, unsigned int insn_len);
void hvm_exit_rdmsr(struct vcpu *v, unsigned int insn_len);
void hvm_exit_wrmsr(struct vcpu *v, unsigned int insn_len);
void hvm_exit_hlt(struct vcpu *v, unsigned int insn_len);
void hvm_exit_hypercall(struct vcpu *v, unsigned int insn_len);
void hvm_exit_xsetbv(struct vcpu *v, unsigned int insn_len);
/* INVD and WBINVD. */
void hvm_exit_wbinvd(struct vcpu *v, unsigned int insn_len);
/* #UD. The other vendor's hypercall instruction is a hypercall as well. */
void hvm_exit_ud(struct vcpu *v, unsigned int insn_len);
/* An instruction that does not exist for guests, or that is refused to them. */
void hvm_exit_inject_ud(struct vcpu *v, unsigned int insn_len);
void hvm_exit_inject_gp(struct vcpu *v, unsigned int insn_len);
/* #AC and #DB, which exit only so that their delivery cannot loop. */
void hvm_exit_inject_ac(struct vcpu *v, unsigned int insn_len);
void hvm_exit_inject_db(struct vcpu *v, unsigned int insn_len);
/* Machine check: the VMM's own handler has to look at the banks. */
void hvm_exit_machine_check(struct vcpu *v, unsigned int insn_len);
/* Something physical waits for this CPU's interrupt window; or the exit itself was all. */
void hvm_exit_interrupt(struct vcpu *v, unsigned int insn_len);
void hvm_exit_nothing(struct vcpu *v, unsigned int insn_len);
/* The guest shut its CPU down: HVM_PARAM_TRIPLE_FAULT_REASON says what becomes of the domain. */
void hvm_exit_triple_fault(struct vcpu *v, unsigned int insn_len);

/* The third byte, after 0f 01, of VMCALL or VMMCALL: this machine's own, or the other one. */
static inline uint8_t hvm_hypercall_byte(bool own)
{
	return own == (hvm_ops->emulated_vendor == X86_VENDOR_INTEL) ? 0xc1 : 0xd9;
}

/* An access of a control register; `kind` as in VT-x's exit qualification. */
enum cr_kind { CR_WRITE, CR_READ, CR_CLTS, CR_LMSW };
struct cr_access {
	enum cr_kind kind;
	uint8_t cr, gpr;
	uint16_t lmsw; /* the operand */
	uint8_t insn_len;
};
/* MOV to or from a control register, CLTS, LMSW. */
void hvm_exit_cr(struct vcpu *v, const struct cr_access *a);
/* One IN/OUT (struct io_access is in hvm_domain.h); string forms go to hvm_emulate. */
void hvm_exit_io(struct vcpu *v, const struct io_access *a);
void hvm_exit_mmio(struct vcpu *v, const struct npt_fault *f);
/* A page fault in a guest on shadow tables. delivering: of an event. */
void hvm_exit_page_fault(struct vcpu *v, uint64_t la, uint32_t pfec, bool delivering);
/* Emulate the instruction at rip; bytes/len = what the hardware fetched (len 0 = fetch it). */
void hvm_emulate(struct vcpu *v, const uint8_t *bytes, unsigned int len);
/* The same for an instruction that the guest could also execute itself. False: we cannot, nothing has changed. */
bool hvm_emulate_try(struct vcpu *v);
/* Real mode in software: enter the handler of v->hvm.event through the interrupt vector table. */
void hvm_emulate_real_event(struct vcpu *v);

/* Exceptions for the guest's own fault; merges with a pending one by the double-fault rules. */
void hvm_inject_exception(struct vcpu *v, uint8_t vector, bool has_error, uint32_t error_code);
static inline void hvm_inject_ud(struct vcpu *v)
{
	hvm_inject_exception(v, X86_EXC_UD, false, 0);
}
static inline void hvm_inject_gp(struct vcpu *v)
{
	hvm_inject_exception(v, X86_EXC_GP, true, 0);
}
/*
 * Hardware task switch (hvm/task_switch.c). reason: 0 CALL, 1 IRET, 2 JMP, 3 task gate in the IDT, the
 * last with the event's error code. SDM volume 3, 7.3.
 */
void hvm_exit_task_switch(struct vcpu *v, uint16_t selector, unsigned int reason, bool has_error,
			  uint32_t error_code, unsigned int insn_len);

/* PAE paging with three levels. Bits that a present PDPTE must not have; the four at cr3, -EINVAL when one has. */
bool hvm_pae_paging(uint64_t cr0, uint64_t cr4, uint64_t efer);
uint64_t hvm_pdpte_reserved(void);
int hvm_read_pdptes(struct vcpu *v, uint64_t cr3, uint64_t pdpte[4]);
/* Guest TSC = host TSC + offset from now on; its pvclock record is written anew. */
static inline void hvm_set_tsc_offset(struct vcpu *v, uint64_t offset)
{
	v->tsc_offset = offset;
	WRITE_ONCE(v->time_info_ns, 0);
	hvm_set_state(v, HVM_TSC);
}
static inline bool hvm_long_mode(const struct vcpu *v)
{
	return v->efer & X86_EFER_LMA;
}
static inline bool hvm_paging(const struct vcpu *v)
{
	return v->cr0 & X86_CR0_PG;
}
/* Long mode with CS.L: 64-bit code. */
static inline bool hvm_code64(struct vcpu *v)
{
	return (v->efer & X86_EFER_LMA) && (hvm_seg(v, X86_SEG_CS)->attr & X86_ATTR_L);
}

/* A deliverable interrupt is pending (ignoring EFLAGS.IF): wake condition of HLT. */
bool hvm_intr_pending(struct vcpu *v);
/* v gets an NMI as soon as it can take one, by whoever sends it; one that waits already is the same one. */
void hvm_send_nmi(struct vcpu *v);
/*
 * v, about to sleep or asleep, has to go on: an interrupt is pending, or an upcall whose wire is not raised yet
 * because only v itself raises it. Takes LOCK_HVM_IRQ.
 */
bool hvm_must_wake(struct vcpu *v);

/* What the scheduler calls of this room (vcpu_run.c); start-up hands it down. */
extern const struct guest_ops hvm_guest_ops;
/* Debug builds: start looking for lost wake-ups (hvm/wake_check.c). */
void wake_check_start(void);
/* Probe, choose hvm_ops, switch it on for every CPU; panics with the reason (boot/vendor.c). */
void hvm_setup(void);
/* d's units (hvm/units.c), made before its vCPUs. 0 or -errno; hvm_domain_fini() also then. */
int hvm_domain_init(struct domain *d);
void hvm_domain_fini(struct domain *d);
/* v's state as after power-on, and its vendor's record. Likewise. */
int hvm_vcpu_init(struct vcpu *v);
void hvm_vcpu_fini(struct vcpu *v);
/* 32-bit flat, paging off, EBX = start_info: how PVH kernels and hvmloader start. */
void hvm_vcpu_set_flat32(struct vcpu *v, uint32_t eip, uint32_t ebx);

#endif
