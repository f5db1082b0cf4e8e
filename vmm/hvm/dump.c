// SPDX-License-Identifier: GPL-2.0-or-later
/* A vCPU's registers in readable form, and debug key 'x'. */
#include "debug.h"
#include "internal.h"

static const char *const gpr_names[16] = {
	"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
	"r8 ", "r9 ", "r10", "r11", "r12", "r13", "r14", "r15",
};

void vcpu_dump(struct vcpu *v)
{
	const struct x86_regs *r = &v->regs;

	printk("d%uv%u on CPU %u: pause flags %x count %d/%d attention %x%s\n", v->domain->domid,
	       v->id, v->cpu, v->pause_flags, v->pause_count, v->domain->pause_count, v->attention,
	       v->running ? ", running" : "");
	printk("  rip %016lx rflags %08lx exits %lu\n", r->rip, r->rflags, v->exits);
	for (unsigned int i = 0; i < 16; i += 4)
		printk("  %s %016lx %s %016lx %s %016lx %s %016lx\n", gpr_names[i], r->gpr[i],
		       gpr_names[i + 1], r->gpr[i + 1], gpr_names[i + 2], r->gpr[i + 2],
		       gpr_names[i + 3], r->gpr[i + 3]);
	if (v->vendor)
		hvm_ops->dump(v);
}

static bool dump_exits(struct key_walk *w)
{
	unsigned int lines = 0;
	const char *name;
	uint64_t count;

	for (; hvm_ops->exit_count(w->at, &name, &count); w->at++) {
		if (!count)
			continue;
		if (lines++ == KEY_LINES)
			return true;
		printk("  %-24s %lu\n", name ? name : "unknown", count);
	}
	return false;
}
DEBUG_KEY_PIECES('x', dump_exits, "VM exits by reason");
