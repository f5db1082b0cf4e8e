/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hypercalls: which number is whose, how arguments come in and the result goes out, continuation.
 * Numbers: xen/xen.h. 64-bit callers pass RDI RSI RDX R10 R8 R9, 32-bit ones
 * EBX ECX EDX ESI EDI EBP; the number is in RAX, the result too.
 */
#include "command.h"
#include "debug.h"
#include "hvm_ops.h"
#include "stretch.h"

#define NR_HYPERCALLS 64U
#define COMMAND_BITS  0x3fU /* of the first argument, above which memory_op has its continuation */

#define BOTH(nr, fn)  [__HYPERVISOR_##nr] = { abi_##fn, #nr, false }
/* Nobody but dom0 has these, and dom0 is 64-bit: the others, of either width, are told so in the same words. */
#define DOM0(nr, fn) [__HYPERVISOR_##nr] = { abi_##fn, #nr, true }

static const struct hypercall {
	long (*fn)(struct call *c);
	const char *name;
	bool for_dom0;
} hypercalls[] = {
	DOM0(platform_op, platform_op),
	BOTH(memory_op, memory_op),
	BOTH(multicall, multicall),
	BOTH(set_timer_op, set_timer_op),
	BOTH(xen_version, xen_version),
	BOTH(console_io, console_io),
	BOTH(grant_table_op, grant_table_op),
	BOTH(vm_assist, vm_assist),
	BOTH(vcpu_op, vcpu_op),
	BOTH(sched_op, sched_op),
	BOTH(event_channel_op, event_channel_op),
	BOTH(physdev_op, physdev_op),
	BOTH(hvm_op, hvm_op),
	DOM0(sysctl, sysctl),
	DOM0(domctl, domctl),
	DOM0(dm_op, dm_op),
};
_Static_assert(ARRAY_SIZE(hypercalls) <= NR_HYPERCALLS, "counters");

static uint64_t calls[NR_HYPERCALLS]; /* since boot; a count may be lost */

/* One line per domain and number. xsm_op is asked by every run of the tools and means nothing here. */
static long not_there(struct domain *d, uint64_t nr)
{
	if (nr != __HYPERVISOR_xsm_op && nr < NR_HYPERCALLS &&
	    !test_and_set_bit((unsigned int)nr, domain_priv(d)->enosys_logged))
		printk(LOG_WARN "d%u: hypercall %lu is not there\n", d->domid, nr);
	return -ENOSYS;
}

long call_number(struct call *c, uint64_t nr)
{
	const struct hypercall *h;

	if (nr >= ARRAY_SIZE(hypercalls) || !hypercalls[nr].fn)
		return not_there(c->v->domain, nr);
	h = &hypercalls[nr];
	WRITE_ONCE(calls[nr], READ_ONCE(calls[nr]) + 1);
	stretch_doing(h->name, c->a[0] & COMMAND_BITS);
	if (h->for_dom0 && !c->v->domain->is_dom0)
		return -EPERM;
	return h->for_dom0 && c->compat ? -ENOSYS : h->fn(c);
}

static void get_args(struct call *c, const uint64_t *r)
{
	if (c->compat) {
		c->a[0] = (uint32_t)r[X86_RBX];
		c->a[1] = (uint32_t)r[X86_RCX];
		c->a[2] = (uint32_t)r[X86_RDX];
		c->a[3] = (uint32_t)r[X86_RSI];
		c->a[4] = (uint32_t)r[X86_RDI];
		c->a[5] = (uint32_t)r[X86_RBP];
	} else {
		c->a[0] = r[X86_RDI];
		c->a[1] = r[X86_RSI];
		c->a[2] = r[X86_RDX];
		c->a[3] = r[X86_R10];
		c->a[4] = r[X86_R8];
		c->a[5] = r[X86_R9];
	}
}

bool hypercall_dispatch(struct vcpu *v)
{
	struct call *c = this_call();
	uint64_t nr = v->regs.gpr[X86_RAX];
	long rc;

	if (hvm_cpl(v) == 3) {
		if (abi_user_call(v))
			return false;
		hvm_inject_gp(v);
		return true;
	}
	if (unlikely(READ_ONCE(v->domain->p2m.pod.used)) && pod_reserve(v->domain))
		return true;
	c->compat = !hvm_code64(v);
	c->in_multicall = false;
	c->until = 0;
	c->number++;
	c->v = v;
	get_args(c, v->regs.gpr);
	nr = c->compat ? (uint32_t)nr : nr;
	trace(TRACE_HYPERCALL, nr, c->a[0]);
	rc = call_number(c, nr);
	c->v = NULL;
	if (rc != -ERESTART)
		v->regs.gpr[X86_RAX] = c->compat ? (uint32_t)rc : (uint64_t)rc;
	return rc == -ERESTART;
}

static bool key_hypercalls(struct key_walk *w)
{
	for (unsigned int end = w->at + KEY_LINES; w->at < end && w->at < ARRAY_SIZE(hypercalls);
	     w->at++)
		if (READ_ONCE(calls[w->at]))
			printk("%-20s %lu\n", hypercalls[w->at].name, READ_ONCE(calls[w->at]));
	return w->at < ARRAY_SIZE(hypercalls);
}
DEBUG_KEY_PIECES('y', key_hypercalls, "hypercalls by number");
