/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The physical CPUs: per-CPU data, cross-CPU calls, deferred work, and the thin wrappers around
 * privileged instructions. Each CPU has one stack; struct cpu sits at its base, so this_cpu() costs
 * an AND and works whatever FS, GS and TR hold.
 */
#ifndef PLINTH_CPU_H
#define PLINTH_CPU_H

#include "call.h"
#include "lib.h"
#include "lib/x86_bits.h"
#include "lib/x86_msr.h"
#include "spinlock.h"

#define MAX_CPUS       64U
#define CPU_STACK_SIZE (32UL << 10) /* struct cpu at the bottom, stack grows down from the top */

/* IA32_PAT. WB, WT, UC-, UC, WC, WP, UC, UC: entries 4 and 5 are what the VMM's own WC and WP mappings use. */
#define VMM_PAT 0x0000050100070406ULL

/* Physical vectors that belong to the VMM (everything in 0x20..0xef is dom0's). */
#define VMM_VECTOR_FIRST    0xf0
#define VMM_VECTOR_SPURIOUS 0xff
#define VMM_VECTOR_TIMER    0xf1
#define VMM_VECTOR_KICK	    0xf2 /* look at softirq and the current vCPU's attention word */
#define VMM_VECTOR_ERROR    0xf3
#define VMM_VECTOR_POSTED   0xf4 /* only a running guest does something with it */

/* Deferred work of a CPU, done by the run loop. */
#define SOFTIRQ_IRQ_WINDOW BIT(0) /* open the interrupt window: a physical interrupt is pending */
#define SOFTIRQ_TIMER	   BIT(1)
#define SOFTIRQ_SCHED	   BIT(2) /* choose again which vCPU runs */
#define SOFTIRQ_CALL	   BIT(3) /* a cross-CPU call waits */
#define SOFTIRQ_KEY	   BIT(4) /* a debug key waits (BSP) */
#define SOFTIRQ_GRACE	   BIT(5) /* only pass the run loop (publish.h) */

struct vcpu;
struct timer_heap;
struct sched_cpu;
struct cpu_call;

struct cpu {
	/* Entry assembly uses the first two: keep their place (vmm/cpu/asm-offsets is checked). */
	struct vcpu
		*current; /* vCPU whose state is loaded; the idle vCPU when none; own CPU only */
	volatile uint32_t softirq; /* SOFTIRQ_*, atomic */
	unsigned int id;	   /* dense index, 0 = BSP */
	uint32_t apic_id;
	bool online;
	bool in_window; /* interrupts are open: handlers may run */
	struct vcpu *idle;
	struct timer_heap *timers;	 /* vmm/cpu/timer.c */
	struct sched_cpu *sched;	 /* vmm/sched/sched.c */
	struct cpu_call *volatile calls; /* cross-CPU call mailbox, vmm/base/calls.c */
	void *vendor;			 /* svm/ or vmx/ */
	uint64_t gdt[16];
	struct tss *tss;
	uint64_t idle_ns;     /* time spent in the idle loop */
	uint64_t branches_of; /* serial of the domain that taught the predictors; own CPU only */
	struct call call;     /* own CPU only */
};

extern struct cpu *cpus[MAX_CPUS];
extern unsigned int nr_cpus; /* online CPUs, ids 0..nr_cpus-1; fixed once dom0 is built */

#ifdef PLINTH_HOST_THREADS /* host tests: several CPUs, a thread each, on any stack */
extern __thread struct cpu *PLINTH_HOST_THREADS;
static inline struct cpu *this_cpu(void)
{
	return PLINTH_HOST_THREADS;
}
#elif defined PLINTH_HOST_CPU /* host tests: one CPU, on any stack */
extern struct cpu PLINTH_HOST_CPU;
static inline struct cpu *this_cpu(void)
{
	return &PLINTH_HOST_CPU;
}
#else
static inline struct cpu *this_cpu(void)
{
	uint64_t sp;

	__asm__("mov %%rsp, %0" : "=r"(sp));
	return (struct cpu *)(sp & ~(CPU_STACK_SIZE - 1));
}
#endif

static inline unsigned int cpu_id(void)
{
	return this_cpu()->id;
}

static inline struct call *this_call(void)
{
	return &this_cpu()->call;
}

#define for_each_cpu(i) for ((i) = 0; (i) < nr_cpus; (i)++)

/* Mark work for a CPU and wake it if it is another one. Any context. */
void cpu_raise(unsigned int cpu, uint32_t softirq);
static inline void this_cpu_raise(uint32_t softirq)
{
	__atomic_fetch_or(&this_cpu()->softirq, softirq, __ATOMIC_RELAXED);
}
/* Interrupt a CPU so that it leaves guest mode or HLT. */
void cpu_kick(unsigned int cpu);

/* Run fn(arg) on another CPU and wait. fn takes no locks. Callable with locks held (spinlock.h). */
void cpu_call(unsigned int cpu, void (*fn)(void *arg), void *arg);
/* The same on every CPU, this one included. */
void cpu_call_all(void (*fn)(void *arg), void *arg);
/* One of them: on the caller's stack, in the target's list until it is done. */
struct cpu_call {
	void (*fn)(void *arg);
	void *arg;
	struct cpu_call *next;
	volatile bool done;
};
/* Serve calls made to this CPU; called by the run loop and by spinning lock waiters. */
void smp_poll_calls(void);

/* Drop the current stack contents and call loop, which does not return. */
void reset_stack_and_run(void (*loop)(void)) __noreturn;

/*
 * Nested tables have four levels, which end at 2^48, while CPUs have addresses of up to 52 bits: nothing above that is used,
 * and guests are told of no more (SDM volume 3, 28.2.2; APM volume 2, 15.25.5).
 */
#define GPA_BITS 48U

/* The kind of CPU and what it can do, gathered once on the BSP (vmm/cpu/cpuid.c). */
struct host_cpu {
	char vendor[13];
	char brand[49];
	unsigned int family, model, stepping;
	uint32_t max_leaf, max_ext_leaf;
	unsigned int phys_bits; /* at most GPA_BITS */
	uint32_t f1_ecx, f1_edx, f7_ebx, f7_ecx, f7_edx, e1_ecx, e1_edx, e7_edx, d1_eax;
	uint64_t arch_caps;	  /* IA32_ARCH_CAPABILITIES, 0 where the CPU has no such register */
	uint64_t xcr0_mask;	  /* XCR0 bits the host supports, 0 without XSAVE */
	unsigned int pkru_offset; /* in an XSAVE area, where xcr0_mask has bit 9 */
	unsigned int xsave_size;  /* bytes of the XSAVE area with all of xcr0_mask */
	bool pages_1g, nx, x2apic, tsc_deadline, invariant_tsc, xsave;
	bool x87_pointers_stay; /* over FXRSTOR and XRSTOR while no exception is pending */
};
/* The BSP's, filled by cpuid_init(); constant from then on. */
extern struct host_cpu host_cpu;

#define CPUID_1_ECX_XSAVE BIT(26)
#define F7_EDX_ARCH_CAPS  BIT(29)

static inline void cpuid_count(uint32_t leaf, uint32_t sub, uint32_t *a, uint32_t *b, uint32_t *c,
			       uint32_t *d)
{
	__asm__ volatile("cpuid" : "=a"(*a), "=b"(*b), "=c"(*c), "=d"(*d) : "0"(leaf), "2"(sub));
}

static inline uint64_t rdmsr(uint32_t msr)
{
	uint32_t lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return ((uint64_t)hi << 32) | lo;
}

static inline void wrmsr(uint32_t msr, uint64_t v)
{
	__asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)) : "memory");
}

/* 0, or -EFAULT when the access raises #GP. */
int rdmsr_safe(uint32_t msr, uint64_t *v);

/* Interrupts are open for a moment: all that are pending are taken. */
static inline void cpu_open_window(void)
{
	__asm__ volatile("sti; nop; nop; cli" ::: "memory");
}

/* Until the next interrupt. STI's shadow covers HLT: one that came after the caller's last look wakes it. */
static inline void cpu_sleep(void)
{
	__asm__ volatile("sti; hlt; cli" ::: "memory");
}

/* Nothing but an NMI, INIT or a reset goes on from here. */
static inline void cpu_halt(void)
{
	__asm__ volatile("cli; hlt");
}

static inline void outb(uint16_t port, uint8_t v)
{
	__asm__ volatile("outb %0, %1" ::"a"(v), "Nd"(port));
}
static inline void outw(uint16_t port, uint16_t v)
{
	__asm__ volatile("outw %0, %1" ::"a"(v), "Nd"(port));
}
static inline void outl(uint16_t port, uint32_t v)
{
	__asm__ volatile("outl %0, %1" ::"a"(v), "Nd"(port));
}
static inline uint8_t inb(uint16_t port)
{
	uint8_t v;
	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}
static inline uint16_t inw(uint16_t port)
{
	uint16_t v;
	__asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}
static inline uint32_t inl(uint16_t port)
{
	uint32_t v;
	__asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

#define DEFINE_CR(n)                                                        \
	static inline uint64_t read_cr##n(void)                             \
	{                                                                   \
		uint64_t v;                                                 \
		__asm__ volatile("mov %%cr" #n ", %0" : "=r"(v)::"memory"); \
		return v;                                                   \
	}                                                                   \
	static inline void write_cr##n(uint64_t v)                          \
	{                                                                   \
		__asm__ volatile("mov %0, %%cr" #n ::"r"(v) : "memory");    \
	}
DEFINE_CR(0)
DEFINE_CR(2)
DEFINE_CR(3)
DEFINE_CR(4)
DEFINE_CR(8)

/* DR0-3 of this CPU. */
static inline void read_breakpoints(uint64_t dr[4])
{
	__asm__ volatile("mov %%db0, %0" : "=r"(dr[0]));
	__asm__ volatile("mov %%db1, %0" : "=r"(dr[1]));
	__asm__ volatile("mov %%db2, %0" : "=r"(dr[2]));
	__asm__ volatile("mov %%db3, %0" : "=r"(dr[3]));
}
static inline void write_breakpoints(const uint64_t dr[4])
{
	__asm__ volatile("mov %0, %%db0" ::"r"(dr[0]));
	__asm__ volatile("mov %0, %%db1" ::"r"(dr[1]));
	__asm__ volatile("mov %0, %%db2" ::"r"(dr[2]));
	__asm__ volatile("mov %0, %%db3" ::"r"(dr[3]));
}

static inline uint64_t xgetbv0(void)
{
	uint32_t lo, hi;

	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	return ((uint64_t)hi << 32) | lo;
}

static inline void xsetbv0(uint64_t v)
{
	__asm__ volatile("xsetbv" ::"c"(0), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)));
}

#ifdef PLINTH_HOST_THREADS /* what is waited for needs a turn */
void cpu_relax(void);
#else
static inline void cpu_relax(void)
{
	__asm__ volatile("pause" ::: "memory");
}
#endif

/* Physical local APIC (vmm/cpu/lapic.c); xAPIC or x2APIC as found. */
void lapic_init_cpu(void);
uint32_t lapic_read(unsigned int reg); /* reg: xAPIC byte offset, e.g. 0x20 */
void lapic_write(unsigned int reg, uint32_t v);
void lapic_eoi(void);
/* True when vector v is in service with its TMR bit set (level). */
bool lapic_is_level(uint8_t vector);
/* 256-bit IRR as eight words. */
void lapic_read_irr(uint32_t irr[8]);
void lapic_send_ipi(uint32_t apic_id, uint8_t vector);
/* delivery: ICR bits 8-10 (0 fixed, 4 NMI, 5 INIT, 6 start-up). */
void lapic_send_icr(uint32_t apic_id, uint32_t icr_low);
/* Arm the one-shot timer for system time; ~0 = off. */
void lapic_timer_set(uint64_t expires_ns);
/* The timer's interrupt was taken: what was armed no longer is. */
void lapic_timer_fired(void);

/* Power and reset of the machine (vmm/cpu/power.c); never return. */
void machine_restart(void) __noreturn;
void machine_poweroff(void) __noreturn;
void machine_halt(void) __noreturn;
/* Enter ACPI sleep state: write PM1a/PM1b control. 0x00 = failed, returns -errno. */
int machine_acpi_sleep(uint16_t pm1a_cnt, uint16_t pm1b_cnt);

/* Extended state of the FPU/SSE/AVX (vmm/cpu/fpu.c): switched eagerly and whole. */
struct vcpu_fpu {
	void *area;    /* XSAVE (or FXSAVE) image, 64-byte aligned, host_cpu.xsave_size bytes */
	uint64_t xcr0; /* guest's XCR0; while it is loaded, the register itself: fpu_live_xcr0() */
	uint64_t xcr0_accum; /* all bits ever set, for save records */
};
/* Allocates the image and puts the state after reset into it. 0 or -ENOMEM. */
int fpu_init(struct vcpu_fpu *f);
/* Also after fpu_init() failed. The state is not loaded. */
void fpu_free(struct vcpu_fpu *f);
/* The image alone: not for a state that is loaded. */
void fpu_reset(struct vcpu_fpu *f);
/* f is loaded on this CPU: into the image. From then on the CPU has the host's XCR0. */
void fpu_save(struct vcpu_fpu *f);
/*
 * The image and then XCR0 into this CPU, which has the host's XCR0. -EINVAL: the processor refuses the image, and
 * f has the reset state now; the caller has to say so.
 */
int fpu_restore(struct vcpu_fpu *f);
/* f is loaded on this CPU: its XCR0, read back because not every test bed intercepts XSETBV. */
uint64_t fpu_live_xcr0(struct vcpu_fpu *f);
/* The value has been checked; live: f is loaded on this CPU. */
void fpu_set_xcr0(struct vcpu_fpu *f, uint64_t xcr0, bool live);
/* Protection keys' rights; 0, which denies nothing, where there are none. live: f is loaded on this CPU. */
uint32_t fpu_pkru(struct vcpu_fpu *f, bool live);
/* MXCSR bits of this processor; others make a restore fail. */
uint32_t fpu_mxcsr_mask(void);
/*
 * A vector register of a state that is loaded on this CPU, whatever XCR0 has: bytes is 8 (MMX, which
 * makes the x87 registers MMX registers), 16 (XMM) or 32 (YMM). zero_upper: as VEX forms, the register ends
 * there. -ENODEV: no YMM registers under this XCR0. -EBUSY: an x87 exception is pending, #MF comes
 * first. -EINVAL: as fpu_restore().
 */
int fpu_read_vec(struct vcpu_fpu *f, unsigned int reg, void *buf, unsigned int bytes);
/* The x87 unit of such a state (x86_emulate.h). 0 or -EINVAL. */
struct x86_x87;
int fpu_read_x87(struct vcpu_fpu *f, struct x86_x87 *out);
int fpu_write_x87(struct vcpu_fpu *f, const struct x86_x87 *in);
int fpu_write_vec(struct vcpu_fpu *f, unsigned int reg, const void *buf, unsigned int bytes,
		  bool zero_upper);

#endif
