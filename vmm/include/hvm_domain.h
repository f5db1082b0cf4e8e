/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The HVM parts of a domain and a vCPU: the in-VMM devices by pointer (each defined in its own header
 * under hvm/), parameters, and the event that is to be injected next. Included by domain.h.
 */
#ifndef PLINTH_HVM_DOMAIN_H
#define PLINTH_HVM_DOMAIN_H

#include <xen/hvm/params.h>
#include "asker.h"
#include "spinlock.h"
#include "timer.h"
#include "types.h"
#include "vmm/emulate/x86_regs.h"

struct vlapic;
struct vioapic;
struct vpic;
struct vpit;
struct vrtc;
struct vpmtimer;
struct vhpet;
struct debug_port;
struct hvm_irq;
struct io_dispatch;
struct ioreq_state;
struct mtrr_state;
struct vcpu_io;

/* Where a stream of records stands (save.h). */
struct hvm_stream {
	struct asker of;
	struct timer gone; /* between two pieces: when it is given up */
	uint64_t tsc, at;
	unsigned int type, nr; /* of the next record */
};

/* What Microsoft's interface has for all vCPUs (viridian.c); its own vCPUs write it, as they please. */
struct viridian {
	uint64_t os_id, hypercall, reference_tsc; /* the MSRs */
	uint64_t time_offset;			  /* of the partition's time from ours */
	uint64_t crash[5];
};

struct hvm_domain {
	uint64_t params[HVM_NR_PARAMS]; /* d->lock; single ones are read without */
	spinlock_t irq_lock;		/* LOCK_HVM_IRQ */
	spinlock_t time_lock;		/* LOCK_HVM_TIME */
	struct hvm_irq *irq;		/* lines, links, callback: hvm/irq.c */
	struct vioapic *vioapic;	/* NULL in a PVH domain and dom0 */
	struct vpic *vpic;		/* [0] master, [1] slave; NULL likewise */
	struct vpit *vpit;
	struct vrtc *vrtc;
	struct vpmtimer *pmtimer;
	struct vhpet *vhpet;
	bool halt_said; /* atomic: the log says that all its CPUs are halted for good */
	struct debug_port *debug_port; /* text to port 0xe9, not yet a whole line */
	struct io_dispatch *io;	       /* internal port and MMIO handlers: hvm/io.c */
	struct ioreq_state *ioreq;     /* ioreq servers: hvm/ioreq.c */
	uint8_t *io_bitmap;   /* vendor-neutral copy: 64 Ki ports, 1 = intercept; NULL = all */
	bool is_s3_suspended; /* atomic; who sets it has paused the domain */
	struct viridian viridian;
	struct hvm_stream stream; /* domctl lock; saved state that goes in pieces */
	uint64_t sync_tsc; /* the host's TSC as of the save or load that goes on; LOCK_DOMCTL */
};

/* What to inject at the next entry, or what an exit interrupted on its way in. */
enum hvm_event_type {
	HVM_EVENT_NONE,
	HVM_EVENT_EXTINT,
	HVM_EVENT_NMI,
	HVM_EVENT_EXC,
	HVM_EVENT_SWINT,
	HVM_EVENT_SWEXC,
	HVM_EVENT_ICEBP
};
struct hvm_event {
	enum hvm_event_type type;
	uint8_t vector;
	bool has_error;
	uint32_t error_code;
	uint64_t cr2;	  /* for #PF */
	uint8_t insn_len; /* for software events */
};

/* An intercepted IN or OUT. */
struct io_access {
	uint16_t port;
	uint8_t size; /* 1, 2, 4 */
	bool in, string, rep;
	uint8_t insn_len;
};

/* As struct vcpu has them. */
struct control_regs {
	uint64_t cr0, cr2, cr3, cr4, efer;
};

/* Registers that a vendor keeps in its control block or in the CPU. */
struct hvm_msr_state {
	uint64_t star, lstar, cstar, sfmask, kernel_gs_base;
	uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
	uint64_t debugctl;
};

/* The interrupt shadow: no interrupt is taken before the next instruction ends. */
#define HVM_SHADOW	  1U
#define HVM_SHADOW_MOV_SS 2U /* besides: of MOV SS or POP SS, which VT-x tells from that of STI */

#define HVM_INIT_PENDING  BIT(9)
#define HVM_INIT_ONE	  BIT(10) /* which INIT it was counts from here on */
#define HVM_SIPI_PENDING  BIT(8)  /* with INIT: start at the vector in bits 0-7 */

struct hvm_vcpu {
	uint32_t init_sipi;    /* atomic: HVM_INIT_PENDING, HVM_SIPI_PENDING, vector, which INIT */
	uint32_t inits;	       /* atomic: number of INITs, times HVM_INIT_ONE */
	struct vlapic *vlapic; /* constant; every vCPU of a guest and of dom0 has one */
	struct mtrr_state *mtrr; /* constant */
	struct vcpu_io *io;	 /* ioreq and emulation in progress: hvm/ioreq.c */
	struct hvm_event event;	 /* own vCPU: to inject first at the next entry */
	bool numbered; /* its APIC ID is the vCPU's number, which the loader wrote there, and not twice that; not of vCPU 0 */
	bool nmi_pending; /* atomic: hvm_send_nmi() */
	bool nmi_masked;  /* vendor keeps it true between NMI and IRET where hardware does not */
	uint64_t misc_features; /* MSR 0x140: MISC_CPUID_FAULTING; own vCPU */
	uint64_t vmce[4];	/* machine checks of an image of Xen's (mcheck.c); own vCPU */
	uint64_t vp_assist;	/* MSR 0x40000073; own vCPU */
	bool no_eoi;  /* the page there says that the interrupt in service needs none; own vCPU */
	uint64_t pat; /* guest's IA32_PAT */
	uint64_t *shadow;  /* HVM_SHADOW*, where the vendor keeps it; constant */
	bool extint_waits; /* hardware has an external interrupt that the guest has not taken yet */
	/* Own vCPU, or one that does not run: what the control block has, as far as `valid` says (hvm_ops.h). */
	uint32_t valid;
	uint8_t cpl;
	struct x86_segment *seg; /* X86_SEG_COUNT of them, where the vendor keeps them; constant */
	struct hvm_msr_state msr;
};

#endif
