/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Domains and their virtual CPUs. The letters in brackets say what guards a field:
 *   [c] constant after creation       [d] d->lock            [a] atomic
 *   [p] d->page_lock                  [e] d->event_lock      [v] own vCPU only, or while it is paused
 *   [s] the run queue's lock (sched)  [i] d->hvm.irq_lock    [t] d->hvm.time_lock
 */
#ifndef PLINTH_DOMAIN_H
#define PLINTH_DOMAIN_H

#include <xen/xen.h>
#include <xen/vcpu.h>
#include <xen/sched.h>
#include "cpu.h"
#include "vmm/emulate/x86_regs.h"
#include "list.h"
#include "p2m.h"
#include "publish.h"
#include "timer.h"
#include "hvm_domain.h"

#define MAX_VCPUS   128U /* of one domain (hvm_info_table's limit) */
#define DOMID_FIRST 1U
#define DOMID_MAX   0x7feeU

/* vcpu->attention: what the resume path has to look at before the next entry. Atomic. */
#define VCPU_ATT_IRQ   BIT(0) /* interrupt state may have changed */
#define VCPU_ATT_EVENT BIT(1) /* an event channel upcall may be due */
#define VCPU_ATT_NMI   BIT(2)
#define VCPU_ATT_IO    BIT(3) /* an I/O request is under way or done */
#define VCPU_ATT_FLUSH BIT(4) /* flush this vCPU's TLB entries before the next entry */
#define VCPU_ATT_STATE BIT(5) /* state was set from outside: reload all of it */
#define VCPU_ATT_INIT  BIT(6) /* an INIT or start-up IPI waits (hvm.init_sipi) */
#define VCPU_ATT_ROOT  BIT(7) /* a root of its shadow tables is gone */

/* vcpu->pause_flags: any bit set = not runnable. Atomic. */
#define VPF_DOWN    BIT(0) /* not brought up, or taken down */
#define VPF_BLOCKED BIT(1) /* HLT, block or poll: an event wakes it */
#define VPF_IO	    BIT(2) /* waits for the device model */
#define VPF_POLL    BIT(3) /* with BLOCKED: in SCHEDOP_poll, wakes on any polled port */
#define VPF_DEAF    BIT(5) /* HLT with interrupts off: an NMI or INIT wakes it */
#define VPF_DONATES BIT(4) /* gave its CPU to another vCPU (sched_donate); an event wakes it, too */

struct sched_vcpu {
	struct list_head queue; /* [s] */
	bool queued;		/* [s] */
	bool slept;		/* [s] it waited for something since it last ran */
	bool yields;		/* [v] others of its queue go first, once */
	uint64_t started_ns;	/* [s] when it began to run */
	uint64_t moved_ns;	/* [s] when it was last moved to even the queues out */
	void *policy;		/* [s] the policy's own record */
};

#define SCHED_POLICY_BYTES 64U /* of each of a policy's records, zeroed at first */

/* What the vCPUs of a domain share. */
struct sched_domain {
	uint64_t policy[SCHED_POLICY_BYTES / 8]; /* [a] the policy's own record */
};

struct vcpu {
	/* entry assembly uses these first fields */
	struct x86_regs
		regs; /* [v] GPRs, rip, rflags; true whenever the vCPU is not in the guest */
	volatile uint32_t attention; /* [a] VCPU_ATT_* */
	unsigned int id;	     /* [c] */
	struct domain *domain;	     /* [c]; the idle domain for idle vCPUs */
	void *vendor;		     /* [c] struct svm_vcpu or vmx_vcpu */

	/* life and scheduling */
	volatile uint32_t pause_flags; /* [a] VPF_* */
	volatile int pause_count;      /* [a] vcpu_pause nesting */
	bool initialised; /* published with its state; taken back by itself at INIT, while up */
	unsigned int cpu; /* [s] CPU it runs or last ran on */
	volatile bool running;	/* [s] its state is loaded on `cpu` */
	uint64_t affinity_hard; /* [d] bit per CPU */
	uint64_t affinity_soft; /* [d] */
	struct sched_vcpu sched;
	struct vcpu_runstate_info runstate; /* [s] */
	gpa_t runstate_gpa;		    /* published; where the guest wants it, ~0 = nowhere */
	gpa_t time_info_gpa;   /* [v] VCPUOP_register_vcpu_time_memory_area, ~0 = nowhere */
	bool runstate_compat;  /* [a] 32-bit layout */
	uint64_t time_info_ns; /* [v] age of the pvclock record; 0 = write it at the next switch */

	/* events */
	struct vcpu_info *info; /* [e] published: vcpu_info(v) */
	struct vcpu_info
		unseen_info;	 /* of vCPUs without a slot in shared info, before registration */
	struct page *info_page;	 /* [e] reference held on it, NULL for shared_info's slot */
	uint8_t upcall_vector;	 /* [a] HVMOP_set_evtchn_upcall_vector, 0 = none */
	uint32_t virq_port[24];	 /* [e] NR_VIRQS; 0 = unbound */
	struct timer singleshot; /* VCPUOP_set_singleshot_timer */
	struct timer periodic;
	uint64_t periodic_ns;	       /* [v] */
	uint64_t periodic_untaken_ns;  /* of its timer: tick_wait_ns() */
	struct timer poll_timer;       /* SCHEDOP_poll timeout */
	int poll_port;		       /* [a] -1 = several */
	struct evtchn_fifo_vcpu *fifo; /* [e] */

	/* the processor's guest-visible state; segments and MSRs are the vendor's (hvm_ops) */
	union {
		struct {
			uint64_t cr0, cr2, cr3, cr4,
				efer; /* [v] valid whenever the vCPU is not in the guest */
		};
		struct control_regs guest_crs;
	};
	const struct control_regs
		*hw;	    /* [c] what the processor is told: with nested paging the guest's own */
	struct sh_vcpu *sh; /* [c] on shadow tables: paging/shadow; else NULL */
	uint64_t dr[4], dr6, dr7; /* [v] */
	uint64_t tsc_aux, xss;	  /* [v] */
	uint64_t tsc_offset;	  /* [v] guest TSC = host TSC + offset */
	struct vcpu_fpu fpu;	  /* [v] */
	struct hvm_vcpu hvm;
	uint64_t exits; /* [v] */
	uint64_t
		slept_at_exit; /* debug builds, wake_check.c: exits + 1 when it slept in vain; 0 = it did not */
};

enum domain_dying { DOMDYING_ALIVE, DOMDYING_DYING, DOMDYING_DEAD };

struct domain {
	domid_t domid;			    /* [c] used again when the domain is gone */
	uint64_t serial;		    /* [c] never used again; dom0's is 0 */
	volatile int refs;		    /* [a] domain_get/put */
	void (*last_put)(struct domain *d); /* [c] there are no references any more */
	struct list_head list;		    /* all domains, LOCK_DOMLIST */
	spinlock_t lock;		    /* LOCK_DOMAIN */
	xen_domain_handle_t handle;	    /* [d] */
	bool is_dom0, is_idle;		    /* [c] */
	bool is_pvh;			    /* [c] created with only the LAPIC emulated */
	uint32_t create_flags;		    /* [c] XEN_DOMCTL_CDF_* */
	uint32_t emulation_flags;	    /* [c] XEN_X86_EMU_* */
	enum domain_dying dying;	    /* [d] */
	volatile int pause_count;	    /* [a] domain_pause nesting */
	unsigned int tool_pauses;	    /* [d] domctl pauses not undone yet */
	bool creation_finished;		    /* [d] first unpause done */
	bool shutdown_taken;		    /* [a] who sets it writes the code and the reason */
	bool shutting_down;		    /* published with the code and the reason */
	bool shut_down;			    /* [d] no vCPU runs any more */
	unsigned int shutdown_code;	    /* [a] SHUTDOWN_*, or SHUTDOWN_NO_CODE */
	char crash_reason[128];		    /* whoever took the shutdown: domain_crash_reason() */

	unsigned int max_vcpus; /* [c] size of vcpu[] */
	struct vcpu **vcpu;	/* [c] array; entries are published, each once: domain_vcpu() */

	/* memory */
	spinlock_t page_lock;	    /* LOCK_HEAP level */
	struct list_head page_list; /* [p] */
	uint64_t tot_pages;	    /* [p] */
	uint64_t max_pages;	    /* [p] */
	uint64_t outstanding_pages; /* [p] claimed, not yet allocated */
	struct domain_stock stock;  /* [d] mm/page.c */
	struct p2m p2m;
	struct e820_entry *e820;	  /* [d] XENMEM_set_memory_map */
	unsigned int nr_e820;		  /* [d] */
	const struct paging_mode *paging; /* [c] paging.h */
	struct sh_domain *sh;		  /* [c] on shadow tables: paging/shadow; else NULL */
	uint64_t pool_pages;		  /* LOCK_DOMCTL; paging_pool() */
	int teardown_step;		  /* [d] where domain_teardown goes on */

	/* events and grants */
	spinlock_t event_lock;		 /* LOCK_EVENT */
	struct evtchn_table *evtchn;	 /* [e] vmm/domain/event*.c */
	unsigned int max_evtchn_port;	 /* [c] */
	struct grant_table *grant;	 /* vmm/domain/grant*.c */
	struct page *shared_info_page;	 /* [c] allocated at creation */
	struct shared_info *shared_info; /* [c] */
	bool shared_info_64; /* [d] layout: latched when the hypercall page or shared info is set up */

	struct sched_domain sched;

	/* time */
	uint64_t wc_ns;		  /* [a] wall clock at system time 0, nanoseconds since 1970 */
	int64_t time_offset_s;	  /* [d] settimeoffset */
	uint32_t tsc_mode;	  /* [d] settscinfo */
	uint32_t tsc_khz;	  /* [d] */
	uint32_t tsc_incarnation; /* [d] */
	struct timer watchdog[2]; /* SCHEDOP_watchdog */
	uint32_t watchdog_inuse;  /* [d] */

	struct hvm_domain hvm;
	struct cpu_policy
		*cpu_policy; /* [d] vmm/hvm/policy; CPUID and MSR contents the guest sees */
	void *vendor;	     /* [c] svm/vmx per-domain record */
	uint64_t soft_affinity_nodes; /* [d] setnodeaffinity */
	uint32_t vm_assist;	      /* [d] */
};

/* NULL until domain0_start() has made it, constant from then on. */
extern struct domain *dom0;
/* Owner of the idle vCPUs, one for each CPU; on no list. */
extern struct domain idle_domain;

/* Holds a reference; NULL when there is none or it is dead. DOMID_SELF is not resolved here. */
struct domain *domain_get_by_id(domid_t id);
/* The same with DOMID_SELF meaning the current domain. */
struct domain *domain_get_for_op(domid_t id);
/* Another reference (mm/owner.c). False: there is none any more. */
bool domain_get(struct domain *d);
void domain_put(struct domain *d);
/* The domain with this id or the next one after it, with a reference; NULL past the last. */
struct domain *domain_get_next(uint32_t id);
/* Calls fn for each live domain in order of id until it returns non-zero. LOCK_DOMLIST held. */
int domain_for_each(int (*fn)(struct domain *d, void *arg), void *arg);

struct xen_domctl_createdomain;
/*
 * id: a free one is chosen for 0xffff. dom0 is made by dom0/build.c with is_dom0. Others find the domain when it is
 * complete, but for its vCPUs, and not before; two callers at once do not get one id. NULL with *err: -EINVAL,
 * -ENOMEM, -EEXIST (the id), -ENOSPC (no id is free).
 */
struct domain *domain_create(domid_t id, const struct xen_domctl_createdomain *cfg, bool is_dom0,
			     int *err);
/*
 * Creates vCPU id, down; -ENOMEM, -EINVAL, -EEXIST. One caller at a time for a domain: the domctl lock. Whoever goes
 * over the vCPUs meanwhile finds those that are complete, and the others later, or never, so what applies to the
 * whole domain must be in struct domain, or wait for domain_has_vcpus().
 */
int vcpu_create(struct domain *d, unsigned int id);
/* Bounded work towards freeing a dying domain: 0 = gone, -ERESTART = call again. */
int domain_kill(struct domain *d);
/*
 * XEN_DOMCTL_soft_reset; no vCPU runs, and one domctl is served at a time. -ERESTART = go on with another call; -EINVAL =
 * it did not shut down, or is being destroyed; -ENOMEM = no page for the place of shared info. Then it stays shut down.
 */
long domain_soft_reset(struct domain *d);

static inline struct vcpu *domain_vcpu(const struct domain *d, unsigned int id)
{
	return id < d->max_vcpus ? published(d->vcpu[id]) : NULL;
}

/* Are all of them there? They are created in order. */
static inline bool domain_has_vcpus(const struct domain *d)
{
	return domain_vcpu(d, d->max_vcpus - 1) != NULL;
}

#define for_each_vcpu(d, v)                                  \
	for (unsigned int _i = 0; _i < (d)->max_vcpus; _i++) \
		if (((v) = published((d)->vcpu[_i])) != NULL)

/* v's vcpu_info: good until the event lock is given up, or until this CPU passes its run loop. */
static inline struct vcpu_info *vcpu_info(const struct vcpu *v)
{
	return published(v->info);
}

static inline struct vcpu *current_vcpu(void)
{
	return this_cpu()->current;
}
static inline struct domain *current_domain(void)
{
	return current_vcpu()->domain;
}

/* Stop running; the synchronous forms return when no vCPU is in the guest. Not for current vCPUs. */
void domain_pause(struct domain *d);
void domain_pause_nosync(struct domain *d);
void domain_unpause(struct domain *d);
void vcpu_pause(struct vcpu *v);
void vcpu_pause_nosync(struct vcpu *v);
void vcpu_unpause(struct vcpu *v);

/*
 * The whole domain stops with a SHUTDOWN_* code and dom0 is told (VIRQ_DOM_EXC). Of several requests the first one
 * counts. Any context.
 */
void domain_shutdown(struct domain *d, unsigned int reason);
/* When it shuts down one day, this will be the code, unless there is one already (SCHEDOP_shutdown_code). */
void domain_shutdown_code(struct domain *d, unsigned int code);
#define SHUTDOWN_NO_CODE (~0U)
/* Why it crashed, "" if it did not; good until the domain is resumed. */
const char *domain_crash_reason(const struct domain *d);
/* The guest did, or needs, what cannot be served: log why, dump the vCPU, shut down with CRASH. */
void domain_crash(struct domain *d, const char *fmt, ...) __printf(2, 3);

/* Something in v->attention changed: make it look before its next entry; wakes nobody. */
void vcpu_attention(struct vcpu *v, uint32_t bits);
/* Wake a blocked vCPU and kick the one that runs; used whenever an interrupt or event becomes pending. */
void vcpu_wake(struct vcpu *v, uint32_t attention);
/* The same for a vector that was posted: a vCPU that runs takes it without an exit. */
void vcpu_wake_posted(struct vcpu *v);
/* The current vCPU waits (HLT/block): not runnable until woken, unless something is pending. */
void vcpu_block(struct vcpu *v, uint32_t pause_flag);

/* v goes down until it is brought up again; with the last one its domain powers off. */
void vcpu_down(struct vcpu *v);

/* Scheduler (sched/sched.c). */
void sched_init(void);
int sched_vcpu_init(struct vcpu *v);
void sched_vcpu_fini(struct vcpu *v);
/* pause_flags or counts changed: insert into or remove from a run queue. */
void sched_vcpu_update(struct vcpu *v);
/* Choose and load the vCPU to run; called by the run loop on SOFTIRQ_SCHED. */
void schedule(void);
/* The run loop: deferred work and idling, until there is a guest's vCPU to run (sched/run.c). Then that is current. */
struct vcpu *run_next(void);
void sched_set_affinity(struct vcpu *v, uint64_t hard, uint64_t soft);
/* Whoever finds it runnable sees all that was done to it while it was not. */
static inline bool vcpu_runnable(const struct vcpu *v)
{
	return !published(v->pause_flags) && !published(v->pause_count) &&
	       !published(v->domain->pause_count);
}
/*
 * What lower rooms ask of a guest's processor: one constant table, which vmm/hvm hands down (vcpu_run.c). Other vCPUs'
 * too, but for dump().
 */
struct guest_ops {
	/* v, about to sleep or asleep, has to go on (hvm_must_wake); a deliverable interrupt is pending. */
	bool (*must_wake)(struct vcpu *v);
	bool (*intr_pending)(struct vcpu *v);
	/* Unload and load v's state on this CPU; called by schedule(). */
	void (*switch_from)(struct vcpu *v);
	void (*switch_to)(struct vcpu *v);
	/* An event channel's upcall comes as this vector of v's local APIC. */
	void (*upcall)(struct vcpu *v, uint8_t vector);
	/* Registers and segments in readable form on the console. */
	void (*dump)(struct vcpu *v);
};
extern const struct guest_ops *guest_ops; /* sched/sched.c; NULL before hvm_setup() */

/* Runstate times, brought up to now. */
void vcpu_runstate_get(struct vcpu *v, struct vcpu_runstate_info *out);

/*
 * The current guest vCPU, until there is deferred work or it cannot enter: checks, entry, exit handling, again
 * (hvm/vcpu_run.c).
 */
void vcpu_resume(struct vcpu *v);
/* pvclock page and runstate area of v are brought up to date (domain/time.c). */
void vcpu_update_time(struct vcpu *v);
/* The same when v gets a CPU: the pvclock record only if it is old, the runstate always. */
void vcpu_switched_time(struct vcpu *v);

#endif
