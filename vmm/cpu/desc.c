/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptor tables. GDT and TSS are per CPU, the IDT is shared. NMI, #DF and #MC run on stacks
 * of their own (IST), which lie in the CPU's 32 KiB block like everything else, so that
 * this_cpu() works there:
 *
 *   page 0  struct cpu     page 1  NMI stack     page 2  #DF/#MC stack     page 3  not mapped
 *   pages 4-7  the stack
 */
#include "cpu.h"
#include "mm.h"
#include "stack.h"
#include "trap.h"

struct idt_gate {
	uint16_t offset_low, selector;
	uint8_t ist, type;
	uint16_t offset_mid;
	uint32_t offset_high, reserved;
};

struct table_ptr {
	uint16_t limit;
	uint64_t base;
} __packed;

extern const char trap_stubs[];

#define STUB_SIZE      16
#define GATE_INTERRUPT 0x8e

static struct idt_gate idt[256] __aligned(4096);
static struct tss tss_of[MAX_CPUS] __aligned(64);

BUILD_BUG_ON(offsetof(struct cpu, current) != 0);
BUILD_BUG_ON(offsetof(struct cpu, softirq) != 8);
BUILD_BUG_ON(sizeof(struct cpu) > PAGE_SIZE);
BUILD_BUG_ON(sizeof(struct tss) != 104);

void idt_init(void)
{
	for (unsigned int v = 0; v < 256; v++) {
		uint64_t stub = (uint64_t)(trap_stubs + v * STUB_SIZE);

		idt[v] = (struct idt_gate){
			.offset_low = (uint16_t)stub,
			.selector = VMM_CS,
			.type = GATE_INTERRUPT,
			.offset_mid = (uint16_t)(stub >> 16),
			.offset_high = (uint32_t)(stub >> 32),
		};
	}
	idt[2].ist = IST_NMI;
	idt[8].ist = IST_FATAL;
	idt[18].ist = IST_FATAL;
}

static void set_tss_descriptor(uint64_t *gdt, const struct tss *tss)
{
	uint64_t base = (uint64_t)tss;

	gdt[VMM_TSS / 8] = (sizeof(*tss) - 1) | ((base & 0xffffff) << 16) | (0x89ULL << 40) |
			   (((base >> 24) & 0xff) << 56);
	gdt[VMM_TSS / 8 + 1] = base >> 32;
}

void desc_init_cpu(struct cpu *c)
{
	struct table_ptr gdt_ptr = { sizeof(c->gdt) - 1, (uint64_t)c->gdt };
	struct table_ptr idt_ptr = { sizeof(idt) - 1, (uint64_t)idt };
	char *base = (char *)c;

	c->tss = &tss_of[c->id];
	c->tss->rsp[0] = (uint64_t)base + CPU_STACK_SIZE;
	c->tss->ist[IST_NMI - 1] = (uint64_t)base + STACK_NMI_TOP;
	c->tss->ist[IST_FATAL - 1] = (uint64_t)base + STACK_FATAL_TOP;
	c->tss->iomap = sizeof(*c->tss);

	c->gdt[0] = 0;
	c->gdt[VMM_CS / 8] = 0x00af9b000000ffffULL;
	c->gdt[VMM_DS / 8] = 0x00cf93000000ffffULL;
	set_tss_descriptor(c->gdt, c->tss);

	__asm__ volatile("lgdt %0" ::"m"(gdt_ptr));
	__asm__ volatile("pushq %0; leaq 1f(%%rip), %%rax; pushq %%rax; lretq; 1:" ::"i"(VMM_CS)
			 : "rax", "memory");
	__asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%ss" ::"r"(0));
	__asm__ volatile("mov %0, %%fs; mov %0, %%gs" ::"r"(0));
	__asm__ volatile("lldt %w0" ::"r"(0));
	__asm__ volatile("ltr %w0" ::"r"(VMM_TSS));
	__asm__ volatile("lidt %0" ::"m"(idt_ptr));
}
