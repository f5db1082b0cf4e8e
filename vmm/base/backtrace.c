/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Backtraces by frame pointers, bounded by the CPU's own stack block, and register dumps. */
#include "debug.h"
#include "stack.h"

/* Within the 32 KiB block that rsp is in, and not in its struct cpu. */
static bool on_stack(uint64_t p, uint64_t rsp)
{
	uint64_t base = rsp & ~(CPU_STACK_SIZE - 1);

	if ((p & 7) || p < base + PAGE_SIZE || p + 16 > base + CPU_STACK_SIZE)
		return false;
	return p + 16 <= base + STACK_GUARD || p >= base + STACK_BOTTOM;
}

unsigned int backtrace_collect(uint64_t rbp, uint64_t rsp, uint64_t *out, unsigned int max)
{
	uint64_t last = 0;
	unsigned int n = 0;

	while (n < max && on_stack(rbp, rsp)) {
		const uint64_t *frame = (const uint64_t *)rbp;

		/* upwards within one stack; from the NMI or #DF stack to the main one is upwards too */
		if (!frame[1] || rbp <= last)
			break;
		out[n++] = frame[1];
		last = rbp;
		rbp = frame[0];
	}
	return n;
}

void backtrace_print(const uint64_t *addr, unsigned int n)
{
	char name[96];

	for (unsigned int i = 0; i < n; i++)
		printk("    %016lx %s\n", addr[i], symbol_format(name, sizeof(name), addr[i]));
}

void backtrace_here(void)
{
	uint64_t rbp = (uint64_t)__builtin_frame_address(0), addr[24];

	backtrace_print(addr, backtrace_collect(rbp, rbp, addr, ARRAY_SIZE(addr)));
}

void trap_frame_registers(const struct trap_frame *f)
{
	char name[96];

	printk("  rip %016lx %s\n", f->rip, symbol_format(name, sizeof(name), f->rip));
	printk("  rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", f->rax, f->rbx, f->rcx, f->rdx);
	printk("  rsi %016lx rdi %016lx rbp %016lx rsp %016lx\n", f->rsi, f->rdi, f->rbp, f->rsp);
	printk("  r8  %016lx r9  %016lx r10 %016lx r11 %016lx\n", f->r8, f->r9, f->r10, f->r11);
	printk("  r12 %016lx r13 %016lx r14 %016lx r15 %016lx\n", f->r12, f->r13, f->r14, f->r15);
	printk("  cs %04lx ss %04lx rflags %08lx vector %lu error %lx\n", f->cs, f->ss, f->rflags,
	       f->vector, f->error);
}

void trap_frame_dump(const struct trap_frame *f)
{
	uint64_t addr[24];

	trap_frame_registers(f);
	backtrace_print(addr, backtrace_collect(f->rbp, f->rsp, addr, ARRAY_SIZE(addr)));
}
