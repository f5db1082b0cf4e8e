/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The payload framework: a test program that is its own kernel. It boots by Multiboot 1 (GRUB,
 * QEMU -kernel) or as a PVH guest, is built for 32 and for 64 bits from the same files, prints
 * one line per test and powers the machine off. This header declares what tests may use; x86.h
 * has the instructions. References: Intel SDM vol. 3, AMD APM vol. 2, Multiboot 0.6.96, Xen's
 * public headers.
 */
#ifndef PAYLOAD_H
#define PAYLOAD_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef unsigned long long u64;
typedef unsigned long ulong; /* one general register */

#include "x86.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#ifdef __x86_64__
#define IS_64BIT 1
#else
#define IS_64BIT 0
#endif

/* ---- what the machine is (platform.c) ---- */
struct platform {
	u32 boot_magic;	   /* Multiboot's or PVH's */
	char cmdline[256]; /* options, copied before low memory is reused */
	u64 rsdp_paddr;	   /* 0 when not found */
	u32 ram_end;	   /* end of RAM below 4 GiB, bytes; 0 when not told */
	bool has_pic;	   /* 8259 pair answers */
	bool has_pit;	   /* 8254 counts */
	bool has_rtc;	   /* MC146818 answers */
	bool has_com1;	   /* 16550 at 0x3f8 */
	bool has_ioapic;   /* at 0xfec00000 */
	bool has_hpet;	   /* by the ACPI table */
	bool has_vga;	   /* text memory at 0xb8000 holds data */
	bool is_dom0;	   /* privileged: devices and MSRs are the machine's */
	bool is_xen;	   /* XenVMMXenVMM leaf found at xen_leaf */
	bool is_tcg;	   /* plain QEMU TCG: known emulator differences apply */
	bool is_amd;	   /* vendor AMD or Hygon: VMMCALL */
	u32 xen_leaf;
	u32 xen_version;   /* major << 16 | minor */
	u16 pm_timer_port; /* FADT; 0 when absent */
	u16 pm1a_cnt_port;
	u32 hpet_paddr;
	u32 ioapic_paddr;
	u32 pit_gsi;   /* where ISA IRQ 0 arrives at the IO-APIC */
	u32 madt_cpus; /* enabled local APICs in the MADT, 0 when there is none */
	u64 tsc_hz;    /* against the best reference there is */
};

extern struct platform plat;

void platform_init(u32 magic, u32 info);
void platform_calibrate(void);
/* Value of "key=value" on the command line as a number; dflt when absent. */
u64 cmdline_number(const char *key, u64 dflt);
/* Copies the word after "key=" to buf; false when absent. */
bool cmdline_word(const char *key, char *buf, size_t len);
/* ACPI table by its signature; NULL when absent. */
const void *acpi_find(const char *sig);
void __attribute__((noreturn)) power_off(void);

/* ---- console (console.c, print.c) ---- */
void console_init(void);
void console_write(const char *s, size_t len);
int vsnprint(char *buf, size_t size, const char *fmt, va_list ap);
int snprint(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* ---- strings and memory (lib.c) ---- */
void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strncmp(const char *a, const char *b, size_t n);
u64 div_u64(u64 n, u32 d);
/* Zeroed pages below 4 GiB, never freed except all at once by page_reset() after each test. */
void *page_alloc(unsigned int count);
void page_reset(void);
void page_keep(void); /* what was allocated so far outlives page_reset() */
u32 prng(u32 *state); /* xorshift32, never 0 */

/* ---- tests (main.c) ---- */
struct test {
	const char *name;
	const char *(*run)(void); /* NULL: passed; test_skip() text: skipped; else why it failed */
};

#define TEST(id, title)                                                                     \
	static const char *test_##id(void);                                                 \
	static const struct test test_entry_##id                                            \
		__attribute__((used, section("tests"), aligned(8))) = { title, test_##id }; \
	static const char *test_##id(void)

const char *test_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
const char *test_skip(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
#define CHECK(cond, ...)                               \
	do {                                           \
		if (!(cond))                           \
			return test_fail(__VA_ARGS__); \
	} while (0)
#define NEED(cond, ...)                                \
	do {                                           \
		if (!(cond))                           \
			return test_skip(__VA_ARGS__); \
	} while (0)

void bench_main(void); /* tests/bench: only in bench.elf */
void hostile_main(const char *kind);
void hostile_soak(void);
void hostile_smp(void);	 /* hostile_smp.c */
void hostile_hang(void); /* hostile_xen.c */
void hostile_crash(void);
void hostile_entry(void);
void hostile_guess(void);     /* hostile_guess.c */
void hostile_tick(u64 count); /* hostile_tick.c */

/* ---- traps and interrupts (trap.c, entry.S) ---- */
struct regs {
#ifdef __x86_64__
	u64 r15, r14, r13, r12, r11, r10, r9, r8;
#endif
	ulong di, si, bp, bx, dx, cx, ax;
	ulong vector, error, ip, cs, flags;
	ulong sp, ss; /* 32-bit: only when the privilege level changed */
};

struct trap_jmp {
	ulong r[8];
};

int trap_setjmp(struct trap_jmp *j) __attribute__((returns_twice));
void trap_longjmp(struct trap_jmp *j) __attribute__((noreturn));

struct trap_state {
	volatile int armed;
	volatile int vector; /* -1: none */
	volatile ulong error, ip, cr2, flags;
	struct trap_jmp jmp;
};
extern struct trap_state trap;	   /* the boot CPU only */
extern struct trap_jmp trap_outer; /* where an unexpected exception of a test goes */

/* Runs a statement; value: vector of the exception it raised, or -1. */
#define TRAP(...)                              \
	({                                     \
		trap.vector = -1;              \
		trap.armed = 1;                \
		if (!trap_setjmp(&trap.jmp)) { \
			__VA_ARGS__;           \
		}                              \
		trap.armed = 0;                \
		trap.vector;                   \
	})

typedef void (*irq_fn)(struct regs *r);
void trap_init(void);
void trap_load(void); /* GDT, IDT of this CPU (APs) */
void irq_set(unsigned int vector, irq_fn fn);
/* Replaces the gate of a vector (task gates, own handlers); trap_gate_default() restores it. */
void trap_gate_task(unsigned int vector, u16 selector);
void trap_gate_default(unsigned int vector);
void trap_gate_user(unsigned int vector); /* DPL 3 */
extern u64 gdt[];
#ifdef __x86_64__
extern struct tss64 {
	u32 res0;
	u64 rsp[3], res1, ist[7], res2;
	u16 res3, iomap;
} __attribute__((packed)) tss;
#else
extern struct tss32 {
	u32 link, esp0, ss0, esp1, ss1, esp2, ss2, cr3, eip, eflags, eax, ecx, edx, ebx, esp, ebp,
		esi, edi, es, cs, ss, ds, fs, gs, ldt;
	u16 trap, iomap;
} __attribute__((packed)) tss;
#endif
void gdt_set(unsigned int index, u32 base, u32 limit,
	     u16 attr); /* attr: type..G as in bits 40-55 */
void tss_descriptor(unsigned int index, ulong base, u32 limit);

#define SEL_CODE32  0x08
#define SEL_DATA    0x10
#define SEL_CODE64  0x18
#define SEL_UCODE   0x20 /* user code of this build's width */
#define SEL_UDATA   0x28
#define SEL_TSS	    0x30 /* two slots */
#define SEL_CODE16  0x40
#define SEL_DATA16  0x48
#define SEL_TSS2    0x50
#define SEL_SPARE   0x60
#define SEL_CODE    (IS_64BIT ? SEL_CODE64 : SEL_CODE32)
#define GDT_ENTRIES 16

/* ---- interrupt controllers (apic.c) ---- */

u32 lapic_read(u32 reg);
void lapic_write(u32 reg, u32 value);
void lapic_enable(void);
u32 lapic_id(void);
void lapic_eoi(void);
void lapic_ipi(u32 apic_id, u32 icr_low);
void lapic_self(u8 vector);
bool lapic_irr(u8 vector);
bool lapic_isr(u8 vector);
bool lapic_x2(void);
void pic_init(u8 master_base, u8 slave_base);
void pic_mask(u16 mask);
void pic_eoi(u8 irq);
u32 ioapic_read(u8 reg);
void ioapic_write(u8 reg, u32 value);
void ioapic_set(u8 pin, u64 rte);
u64 ioapic_get(u8 pin);
#define IOAPIC_MASKED	  (1u << 16)
#define IOAPIC_LEVEL	  (1u << 15)
#define IOAPIC_REMOTE_IRR (1u << 14)

/* ---- time (time.c) ---- */
void pit_program(u8 channel, u8 mode, u16 count);
u16 pit_read(u8 channel);
u32 pm_timer_read(void);
u32 hpet_read(u32 reg);
void hpet_write(u32 reg, u32 value);
u8 cmos_read(u8 index);
void cmos_write(u8 index, u8 value);
u64 us_to_tsc(u32 us);
void delay_us(u32 us);
/* Spins with interrupts as they are until cond holds or us have passed; value: cond. */
#define WAIT_FOR(cond, us)                                  \
	({                                                  \
		u64 end_ = rdtsc() + us_to_tsc(us);         \
		bool ok_;                                   \
		while (!(ok_ = !!(cond)) && rdtsc() < end_) \
			cpu_pause();                        \
		ok_;                                        \
	})

/* ---- Xen (xen.c) ---- */
bool xen_init(void);
long hypercall(unsigned int nr, ulong a1, ulong a2, ulong a3, ulong a4, ulong a5);
long hypercall_vmcall(unsigned int nr, ulong a1, ulong a2);
long hypercall_vmmcall(unsigned int nr, ulong a1, ulong a2);
void xen_console_init(void);
bool xen_console_write(const char *s, size_t len);
long xen_shutdown(u32 reason);
u64 xen_hvm_param(u32 index);

/* ---- other CPUs (smp.c) ---- */
#define MAX_CPUS 16
unsigned int smp_start(void);	 /* number of CPUs that run, with this one */
unsigned int smp_this_cpu(void); /* 0 is the boot CPU */
u32 smp_apic_id(unsigned int cpu);
bool smp_call(unsigned int cpu, void (*fn)(void *), void *arg); /* waits; false: no answer */
bool smp_call_start(unsigned int cpu, void (*fn)(void *), void *arg);
bool smp_call_wait(unsigned int cpu, u32 us);

/* ---- real mode (real.c, real.S) ---- */
struct real_regs {
	u32 eax, ebx, ecx, edx, esi, edi, ebp;
	u16 ds, es;
	u32 eflags;
};
#define REAL_BASE   0x6000u		       /* trampoline and its data, below 64 KiB */
#define REAL_BUFFER 0x9000u		       /* 4 KiB for BIOS calls */
void real_int(u8 vector, struct real_regs *r); /* 32-bit build only */

#endif
