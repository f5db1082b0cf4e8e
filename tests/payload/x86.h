/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Single instructions as inline functions, and the numbers of registers and bits that go with
 * them.
 */
#ifndef PAYLOAD_X86_H
#define PAYLOAD_X86_H

#define X86_CR0_PE	   (1u << 0)
#define X86_CR0_MP	   (1u << 1)
#define X86_CR0_EM	   (1u << 2)
#define X86_CR0_TS	   (1u << 3)
#define X86_CR0_NE	   (1u << 5)
#define X86_CR0_WP	   (1u << 16)
#define X86_CR0_AM	   (1u << 18)
#define X86_CR0_NW	   (1u << 29)
#define X86_CR0_CD	   (1u << 30)
#define X86_CR0_PG	   (1u << 31)
#define X86_CR4_TSD	   (1u << 2)
#define X86_CR4_DE	   (1u << 3)
#define X86_CR4_PSE	   (1u << 4)
#define X86_CR4_PAE	   (1u << 5)
#define X86_CR4_PGE	   (1u << 7)
#define X86_CR4_OSFXSR	   (1u << 9)
#define X86_CR4_OSXMMEXCPT (1u << 10)
#define X86_CR4_OSXSAVE	   (1u << 18)
#define X86_EFLAGS_CF	   (1u << 0)
#define X86_EFLAGS_TF	   (1u << 8)
#define X86_EFLAGS_IF	   (1u << 9)
#define X86_EFLAGS_NT	   (1u << 14)
#define X86_EFLAGS_RF	   (1u << 16)
#define X86_EFLAGS_VM	   (1u << 17)
#define X86_EFLAGS_AC	   (1u << 18)
#define X86_EFLAGS_ID	   (1u << 21)

#define MSR_TSC		   0x10
#define MSR_APIC_BASE	   0x1b
#define MSR_TSC_ADJUST	   0x3b
#define MSR_MTRRCAP	   0xfe
#define MSR_SYSENTER_CS	   0x174
#define MSR_SYSENTER_ESP   0x175
#define MSR_SYSENTER_EIP   0x176
#define MSR_MTRR_PHYSBASE0 0x200
#define MSR_MTRR_FIX64K	   0x250
#define MSR_PAT		   0x277
#define MSR_MTRR_DEF	   0x2ff
#define MSR_TSC_DEADLINE   0x6e0
#define MSR_X2APIC	   0x800
#define MSR_EFER	   0xc0000080
#define MSR_STAR	   0xc0000081
#define MSR_LSTAR	   0xc0000082
#define MSR_FMASK	   0xc0000084
#define MSR_FS_BASE	   0xc0000100
#define MSR_GS_BASE	   0xc0000101
#define MSR_KERNEL_GS	   0xc0000102
#define MSR_TSC_AUX	   0xc0000103
#define EFER_SCE	   1
#define EFER_LME	   0x100
#define EFER_LMA	   0x400
#define EFER_NX		   0x800
#define EFER_SVME	   0x1000

enum {
	X_DE = 0,
	X_DB,
	X_NMI,
	X_BP,
	X_OF,
	X_BR,
	X_UD,
	X_NM,
	X_DF,
	X_TS = 10,
	X_NP,
	X_SS,
	X_GP,
	X_PF,
	X_MF = 16,
	X_AC,
	X_MC,
	X_XM
};

struct cpuid {
	u32 a, b, c, d;
};

static inline struct cpuid cpuid2(u32 leaf, u32 sub)
{
	struct cpuid r;

	asm volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "a"(leaf), "c"(sub));
	return r;
}

static inline struct cpuid cpuid(u32 leaf)
{
	return cpuid2(leaf, 0);
}

#define X86_IO(sfx, type)                                                             \
	static inline type in##sfx(u16 port)                                          \
	{                                                                             \
		type v;                                                               \
		asm volatile("in" #sfx " %1, %0" : "=a"(v) : "Nd"(port) : "memory");  \
		return v;                                                             \
	}                                                                             \
	static inline void out##sfx(u16 port, type v)                                 \
	{                                                                             \
		asm volatile("out" #sfx " %0, %1" : : "a"(v), "Nd"(port) : "memory"); \
	}
X86_IO(b, u8)
X86_IO(w, u16)
X86_IO(l, u32)

static inline u64 rdmsr(u32 msr)
{
	u32 lo, hi;

	asm volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (u64)hi << 32 | lo;
}

static inline void wrmsr(u32 msr, u64 v)
{
	asm volatile("wrmsr" : : "c"(msr), "a"((u32)v), "d"((u32)(v >> 32)) : "memory");
}

static inline u64 rdtsc(void)
{
	u32 lo, hi;

	asm volatile("rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return (u64)hi << 32 | lo;
}

#define X86_REG(name)                                                       \
	static inline ulong read_##name(void)                               \
	{                                                                   \
		ulong v;                                                    \
		asm volatile("mov %%" #name ", %0" : "=r"(v) : : "memory"); \
		return v;                                                   \
	}                                                                   \
	static inline void write_##name(ulong v)                            \
	{                                                                   \
		asm volatile("mov %0, %%" #name : : "r"(v) : "memory");     \
	}
X86_REG(cr0)
X86_REG(cr2)
X86_REG(cr3)
X86_REG(cr4)
X86_REG(dr0)
X86_REG(dr1)
X86_REG(dr2)
X86_REG(dr3)
X86_REG(dr6)
X86_REG(dr7)

static inline u32 mmio_read(ulong a)
{
	u32 v;

	asm volatile("movl (%1), %0" : "=r"(v) : "r"(a) : "memory");
	return v;
}

static inline void mmio_write(ulong a, u32 v)
{
	asm volatile("movl %0, (%1)" : : "r"(v), "r"(a) : "memory");
}

static inline void cpu_pause(void)
{
	asm volatile("pause" : : : "memory");
}

static inline void irq_on(void)
{
	asm volatile("sti" : : : "memory");
}

static inline void irq_off(void)
{
	asm volatile("cli" : : : "memory");
}

/* Sleeps until the next interrupt and returns with interrupts off again. */
static inline void sti_hlt(void)
{
	asm volatile("sti; hlt; cli" : : : "memory");
}

static inline ulong read_flags(void)
{
	ulong f;

	asm volatile("pushf; pop %0" : "=r"(f) : : "memory");
	return f;
}

static inline void write_flags(ulong f)
{
	asm volatile("push %0; popf" : : "r"(f) : "memory", "cc");
}

static inline void invlpg(const volatile void *p)
{
	asm volatile("invlpg (%0)" : : "r"(p) : "memory");
}

static inline void barrier(void)
{
	asm volatile("" : : : "memory");
}

#endif
