/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Single instructions as inline functions. */
#ifndef PAYLOAD_X86_H
#define PAYLOAD_X86_H

#include "lib/x86_apic.h"
#include "lib/x86_bits.h"
#include "lib/x86_msr.h"

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
