// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Instruction forms on MMIO. VGA text memory behaves as RAM when it is accessed through a device
 * model, so each form runs once on RAM and once on it: memory, result and flags must be the same.
 * The register files of the local APIC, IO-APIC and HPET take the 32-bit forms that systems use
 * on them.
 */
#include "payload.h"

#define VGA_TEST 0xb8e00ul
#define BYTES	 64

struct outcome {
	ulong value, flags;
	int vector;
	u8 memory[BYTES];
};

typedef ulong (*form_fn)(volatile void *p, ulong *flags);

#define FLAGS_OUT "pushf; pop %[f];"
/*
 * One form: the instruction sees the address in %[p] and the value in %[v] (a register, by
 * size).
 */
#define FORM(id, insn)                                                                 \
	static ulong form_##id(volatile void *p, ulong *flags)                         \
	{                                                                              \
		ulong v = 0x81828384, f, base = (ulong)p, t;                           \
		asm volatile("xor %k[t], %k[t];" insn FLAGS_OUT                        \
			     : [v] "+q"(v), [f] "=&r"(f), [p] "+r"(base), [t] "=&r"(t) \
			     :                                                         \
			     : "memory", "cc");                                        \
		*flags = f & 0xcd5; /* CF PF AF ZF SF DF OF */                         \
		return v;                                                              \
	}

FORM(mov_r8, "movb (%[p]), %b[v];")
FORM(mov_r16, "movw 2(%[p]), %w[v];")
FORM(mov_r32, "movl 4(%[p]), %k[v];")
FORM(mov_w8, "movb %b[v], 1(%[p]);")
FORM(mov_w16, "movw %w[v], 6(%[p]);")
FORM(mov_w32, "movl %k[v], 8(%[p]);")
FORM(mov_imm8, "movb $0x5a, 3(%[p]);")
FORM(mov_imm16, "movw $0x5aa5, 4(%[p]);")
FORM(mov_imm32, "movl $0x5aa51234, 8(%[p]);")
FORM(mov_odd, "movl %k[v], 5(%[p]); movw 7(%[p]), %w[v];")
FORM(movzx8, "movzbl 1(%[p]), %k[v];")
FORM(movzx8w, "movzbw 1(%[p]), %w[v];")
FORM(movzx16, "movzwl 2(%[p]), %k[v];")
FORM(movsx8, "movsbl 1(%[p]), %k[v];")
FORM(movsx16, "movswl 2(%[p]), %k[v];")
FORM(xchg8, "xchgb %b[v], (%[p]);")
FORM(xchg16, "xchgw %w[v], (%[p]);")
FORM(xchg32, "xchgl %k[v], 4(%[p]);")
FORM(or_r, "orl (%[p]), %k[v];")
FORM(or_m8, "orb %b[v], (%[p]);")
FORM(or_m32, "lock orl %k[v], (%[p]);")
FORM(and_m16, "andw $0x0ff0, 2(%[p]);")
FORM(and_m32, "andl $0x10, 8(%[p]);")
FORM(add_m32, "addl %k[v], (%[p]);")
FORM(adc_m8, "stc; adcb %b[v], 1(%[p]);")
FORM(sub_r, "subl 4(%[p]), %k[v];")
FORM(sbb_m16, "stc; sbbw %w[v], (%[p]);")
FORM(xor_m32, "xorl $-1, 12(%[p]);")
FORM(test_r, "testl %k[v], (%[p]);")
FORM(test_imm8, "testb $0x80, 3(%[p]);")
FORM(test_imm32, "testl $0x81000000, 4(%[p]);")
FORM(cmp_r, "cmpl %k[v], (%[p]);")
FORM(cmp_m8, "cmpb (%[p]), %b[v];")
FORM(cmp_imm, "cmpw $0x1234, 2(%[p]);")
FORM(inc8, "incb 1(%[p]);")
FORM(dec32, "lock decl 4(%[p]);")
FORM(not16, "notw 2(%[p]);")
FORM(neg32, "negl 8(%[p]);")
FORM(shl8, "shlb $3, 1(%[p]);")
FORM(sar32, "sarl $5, 4(%[p]);")
FORM(bt, "btl $5, 4(%[p]); setc %b[v];")
FORM(bts, "lock btsl $9, 4(%[p]); setc %b[v];")
FORM(btr_r, "mov $70, %k[t]; btrl %k[t], (%[p]); setc %b[v];")
FORM(xadd, "lock xaddl %k[v], 4(%[p]);")
FORM(push_m, "push (%[p]); pop %[v];")
FORM(pop_m, "push %[v]; pop 8(%[p]);")
FORM(setcc, "stc; setc 2(%[p]);")
FORM(cmov, "stc; cmovcl 4(%[p]), %k[v];")
FORM(imul, "imull 4(%[p]), %k[v];")
FORM(index, "mov $3, %k[t]; movl 4(%[p],%[t],4), %k[v];")

#define STRING_FORM(id, insn)                                                   \
	static ulong form_##id(volatile void *p, ulong *flags)                  \
	{                                                                       \
		static u8 ram[BYTES];                                           \
		ulong f, a = 0x61626364, c = 5, d = (ulong)p, s = (ulong)ram;   \
		unsigned int i;                                                 \
		for (i = 0; i < BYTES; i++)                                     \
			ram[i] = i * 7;                                         \
		asm volatile("cld;" insn "cld;" FLAGS_OUT                       \
			     : [f] "=&r"(f), "+a"(a), "+c"(c), "+D"(d), "+S"(s) \
			     :                                                  \
			     : "memory", "cc");                                 \
		*flags = f & 0xcd5;                                             \
		for (i = 0; i < BYTES; i++)                                     \
			a = a * 31 + ram[i];                                    \
		return a + c + (d - (ulong)p) * 3 + (s == d);                   \
	}

#ifdef __x86_64__
#define XCHG_SI_DI "xchg %%rsi, %%rdi;"
#define ADD_DI	   "lea 40(%%rdi), %%rdi;"
#else
#define XCHG_SI_DI "xchg %%esi, %%edi;"
#define ADD_DI	   "lea 40(%%edi), %%edi;"
#endif
STRING_FORM(stosb, "rep stosb;")
STRING_FORM(stosl, "rep stosl;")
STRING_FORM(stosw1, "stosw;")
STRING_FORM(movs_to, "rep movsb;")
STRING_FORM(movsl_to, "rep movsl;")
STRING_FORM(movsw_down, ADD_DI "std; rep movsw;")
STRING_FORM(movs_from, XCHG_SI_DI "rep movsl;" XCHG_SI_DI)
STRING_FORM(lodsb, XCHG_SI_DI "lodsb;" XCHG_SI_DI)
STRING_FORM(scasb, "mov $0x33, %%al; repne scasb;")
STRING_FORM(cmpsb, "repe cmpsb;")

static const struct {
	const char *name;
	form_fn fn;
} forms[] = {
#define F(id)                  \
	{                      \
#id, form_##id \
	}
	F(mov_r8),     F(mov_r16),    F(mov_r32),   F(mov_w8),	F(mov_w16), F(mov_w32),
	F(mov_imm8),   F(mov_imm16),  F(mov_imm32), F(mov_odd), F(movzx8),  F(movzx8w),
	F(movzx16),    F(movsx8),     F(movsx16),   F(xchg8),	F(xchg16),  F(xchg32),
	F(or_r),       F(or_m8),      F(or_m32),    F(and_m16), F(and_m32), F(add_m32),
	F(adc_m8),     F(sub_r),      F(sbb_m16),   F(xor_m32), F(test_r),  F(test_imm8),
	F(test_imm32), F(cmp_r),      F(cmp_m8),    F(cmp_imm), F(inc8),    F(dec32),
	F(not16),      F(neg32),      F(shl8),	    F(sar32),	F(bt),	    F(bts),
	F(btr_r),      F(xadd),	      F(push_m),    F(pop_m),	F(setcc),   F(cmov),
	F(imul),       F(index),      F(stosb),	    F(stosl),	F(stosw1),  F(movs_to),
	F(movsl_to),   F(movsw_down), F(movs_from), F(lodsb),	F(scasb),   F(cmpsb),
};

static void run_form(form_fn fn, volatile u8 *p, struct outcome *o)
{
	unsigned int i;

	for (i = 0; i < BYTES; i++)
		p[i] = i * 29 + 0x80;
	o->vector = TRAP(o->value = fn(p, &o->flags));
	for (i = 0; i < BYTES; i++)
		o->memory[i] = p[i];
}

TEST(mmio_vga, "mmio: every instruction form on VGA memory does what it does on RAM")
{
	static u8 ram[BYTES] __attribute__((aligned(64)));
	struct outcome a, b;
	unsigned int i, bad = 0;

	NEED(plat.has_vga, "no VGA memory");
	for (i = 0; i < ARRAY_SIZE(forms); i++) {
		memset(&a, 0, sizeof(a));
		memset(&b, 0, sizeof(b));
		run_form(forms[i].fn, ram, &a);
		run_form(forms[i].fn, (volatile u8 *)VGA_TEST, &b);
		if (a.vector == b.vector && a.value == b.value && a.flags == b.flags &&
		    !memcmp(a.memory, b.memory, BYTES))
			continue;
		print("# %s: RAM %d %lx %lx, VGA %d %lx %lx%s\n", forms[i].name, a.vector, a.value,
		      a.flags, b.vector, b.value, b.flags,
		      memcmp(a.memory, b.memory, BYTES) ? ", memory differs" : "");
		bad++;
	}
	CHECK(!bad, "%u of %u forms differ", bad, (unsigned int)ARRAY_SIZE(forms));
	return NULL;
}

TEST(mmio_lapic, "mmio: instruction forms on the local APIC")
{
	volatile u32 *tpr = (volatile u32 *)(ulong)(APIC_DEFAULT_BASE + APIC_TPR), v = 0x20, t = 0;
	u8 zf;

	NEED(!lapic_x2(), "x2APIC mode");
	asm volatile("movl $0x10, %0" : "=m"(*tpr));
	CHECK(*tpr == 0x10, "MOV immediate: %x", *tpr);
	asm volatile("orl $0x25, %0" : "+m"(*tpr));
	CHECK(*tpr == 0x35, "OR: %x", *tpr);
	asm volatile("andl %1, %0" : "+m"(*tpr) : "r"(0x30));
	CHECK(*tpr == 0x30, "AND: %x", *tpr);
	asm volatile("xchgl %0, %1" : "+r"(v), "+m"(*tpr));
	CHECK(v == 0x30 && *tpr == 0x20, "XCHG: %x, %x", v, *tpr);
	asm volatile("testl $0x20, %1; setz %0" : "=q"(zf) : "m"(*tpr));
	CHECK(!zf, "TEST");
	asm volatile("cmpl $0x20, %1; setz %0" : "=q"(zf) : "m"(*tpr));
	CHECK(zf, "CMP");
	asm volatile("movzbl (%1), %0" : "=r"(t) : "r"(tpr));
	CHECK(t == 0x20 || plat.is_tcg, "MOVZX byte: %x", t);
	*tpr = 0;
	return NULL;
}

TEST(mmio_ioapic, "mmio: instruction forms on the IO-APIC")
{
	volatile u32 *sel, *win;
	u32 a, b;

	NEED(plat.has_ioapic, "no IO-APIC");
	sel = (volatile u32 *)(ulong)plat.ioapic_paddr;
	win = sel + 4;
	asm volatile("movl $0x2f, %0" : "=m"(*sel)); /* upper half of pin 15 */
	asm volatile("movl $0x03000000, %0" : "=m"(*win));
	asm volatile("orl $0x04000000, %0" : "+m"(*win));
	CHECK(*win == 0x07000000, "OR: %x", *win);
	a = 0x01000000;
	asm volatile("xchgl %0, %1" : "+r"(a), "+m"(*win));
	CHECK(a == 0x07000000 && *win == 0x01000000, "XCHG: %x, %x", a, *win);
	asm volatile("movl %1, %0; andl %1, %0" : "=&r"(b) : "m"(*win));
	CHECK(b == 0x01000000, "AND: %x", b);
	asm volatile("movb $0x01, %0"
		     : "=m"(*(volatile u8 *)sel)); /* byte select, as some systems do */
	CHECK((*win & 0xff) >= 0x10, "version by a byte-wide select: %x", *win);
	return NULL;
}

TEST(mmio_hpet, "mmio: 32-bit and 64-bit accesses of the HPET")
{
	volatile u32 *h;
	u64 v;

	NEED(plat.has_hpet, "no HPET");
	h = (volatile u32 *)(ulong)plat.hpet_paddr;
	h[4] = 0;
	h[0xf0 / 4] = 0x11111111;
	h[0xf4 / 4] = 0;
	asm volatile("addl $1, %0" : "+m"(h[0xf0 / 4]));
	CHECK(h[0xf0 / 4] == 0x11111112, "ADD: %x", h[0xf0 / 4]);
	v = *(volatile u64 *)&h[0];
	CHECK((v >> 32) == h[1] && (u32)v == h[0], "64-bit capabilities %llx", v);
#ifdef __x86_64__
	*(volatile u64 *)&h[0xf0 / 4] = 0x2222222233333333;
	CHECK(h[0xf0 / 4] == 0x33333333 && h[0xf4 / 4] == 0x22222222, "64-bit write: %x %x",
	      h[0xf4 / 4], h[0xf0 / 4]);
#endif
	h[0xf0 / 4] = 0;
	h[0xf4 / 4] = 0;
	h[4] = 1;
	return NULL;
}

TEST(mmio_hole, "mmio: nothing answers with all ones, writes are lost")
{
	volatile u32 *p = (volatile u32 *)0xfea01000ul;

	NEED(plat.has_vga && !plat.is_tcg, "no PC with a known hole");
	*p = 0;
	CHECK(*p == ~0u, "reads %x", *p);
	return NULL;
}
