// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Physical interrupts of dom0: the vector split. dom0 programs IO-APIC and MSI itself; vectors below 0xf0
 * arrive here and go into the vLAPIC of dom0's vCPU on this CPU. Edge interrupts are ended at once. Level
 * interrupts stay in service until dom0 ends them: a physical EOI always ends the highest vector in
 * service, so pending ones are kept on a stack and popped only from its top.
 *
 * No other file assumes that a vector below 0xf0 is dom0's.
 */
#include "dom0.h"
#include "ext_irq.h"
#include "vlapic.h"

#define VECTOR_FIRST 0x20U
#define STACK_MAX    16U /* one level per priority class can nest */

struct eoi_stack {
	unsigned int depth;
	struct {
		uint8_t vector;
		bool done;
	} e[STACK_MAX];
};

static struct eoi_stack stacks[MAX_CPUS];

/* dom0's vCPU n is pinned to CPU n. */
static struct vlapic *target(void)
{
	struct vcpu *v = dom0 ? domain_vcpu(dom0, cpu_id()) : NULL;

	return v && vlapic_enabled(v->hvm.vlapic) ? v->hvm.vlapic : NULL;
}

static void pop_done(struct eoi_stack *s)
{
	while (s->depth && s->e[s->depth - 1].done) {
		s->depth--;
		lapic_eoi();
	}
}

static void arrived(uint8_t vector)
{
	struct eoi_stack *s = &stacks[cpu_id()];
	struct vlapic *a = target();

	if (!a || !lapic_is_level(vector)) {
		lapic_eoi();
		if (a)
			vlapic_set_irq(a, vector, false);
		return;
	}
	BUG_ON(s->depth == STACK_MAX);
	s->e[s->depth].vector = vector;
	s->e[s->depth].done = false;
	s->depth++;
	vlapic_set_irq(a, vector, true);
}

static void eoi(struct vcpu *v, uint8_t vector)
{
	struct eoi_stack *s = &stacks[v->cpu];

	for (unsigned int i = s->depth; i-- > 0;) {
		if (s->e[i].vector == vector && !s->e[i].done) {
			s->e[i].done = true;
			break;
		}
	}
	pop_done(s);
}

static void drain_this_cpu(void *arg)
{
	struct eoi_stack *s = &stacks[cpu_id()];

	(void)arg;
	for (; s->depth; s->depth--)
		lapic_eoi();
}

static void drain(struct vcpu *v)
{
	if (v->cpu == cpu_id())
		drain_this_cpu(NULL);
	else
		cpu_call(v->cpu, drain_this_cpu, NULL);
}

/*
 * Linux looks into the IRR when it moves an MSI. While a level vector of the same or a higher class is
 * in service, the other one waits in the physical IRR.
 */
static uint32_t irr(struct vcpu *v, unsigned int word)
{
	uint32_t bits[8];

	if (v->cpu != cpu_id() || word * 32 < VECTOR_FIRST || word > VMM_VECTOR_FIRST / 32)
		return 0;
	lapic_read_irr(bits);
	return word == VMM_VECTOR_FIRST / 32 ? bits[word] & (BIT(VMM_VECTOR_FIRST % 32) - 1)
					     : bits[word];
}

const struct ext_irq_ops dom0_irq_ops = { arrived, eoi, drain, irr };
