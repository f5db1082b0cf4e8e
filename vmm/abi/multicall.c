/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HYPERVISOR_multicall: a list of hypercalls, each with its own result. The tools send every memory
 * operation this way, because the result is then 64 bits wide. A call that is to be continued has its
 * entry's arguments written back, and the whole list goes on from there.
 */
#include "handlers.h"

struct multicall_wide {
	uint64_t op, result;
	struct hypercall_args args;
};
struct multicall_narrow {
	uint32_t op, result, args[6];
};
_Static_assert(sizeof(struct multicall_wide) == sizeof(multicall_entry_t), "layout");

static int entry_read(uint64_t la, bool compat, struct multicall_wide *e)
{
	struct multicall_narrow n;

	if (!compat)
		return copy_from_guest_la(e, la, sizeof(*e));
	if (copy_from_guest_la(&n, la, sizeof(n)))
		return -EFAULT;
	e->op = n.op;
	for (unsigned int i = 0; i < 6; i++)
		e->args.a[i] = n.args[i];
	return 0;
}

static int result_write(uint64_t la, bool compat, long rc)
{
	uint32_t narrow = (uint32_t)rc;

	if (compat)
		return copy_to_guest_la(la + offsetof(struct multicall_narrow, result), &narrow,
					sizeof(narrow));
	return copy_to_guest_la(la + offsetof(struct multicall_wide, result), &rc, sizeof(rc));
}

static int args_write(uint64_t la, bool compat, const struct hypercall_args *a)
{
	uint32_t n[6];

	if (!compat)
		return copy_to_guest_la(la + offsetof(struct multicall_wide, args), a->a,
					sizeof(a->a));
	for (unsigned int i = 0; i < 6; i++)
		n[i] = (uint32_t)a->a[i];
	return copy_to_guest_la(la + offsetof(struct multicall_narrow, args), n, sizeof(n));
}

/* One entry; -ERESTART = go on with it later. */
static long run_entry(struct vcpu *v, uint64_t la, bool compat)
{
	struct multicall_wide e;
	struct hypercall_args next;
	long rc;

	if (entry_read(la, compat, &e))
		return -EFAULT;
	next = e.args;
	if (e.op == __HYPERVISOR_multicall || e.op > UINT32_MAX) {
		rc = -ENOSYS;
	} else {
		hypercall_enter_sub(&next);
		rc = hypercall_one(v, (unsigned int)e.op, &e.args, compat);
		hypercall_enter_sub(NULL);
	}
	if (rc == -ERESTART)
		return args_write(la, compat, &next) ? -EFAULT : -ERESTART;
	return result_write(la, compat, rc);
}

long abi_multicall(struct vcpu *v, const struct hypercall_args *args)
{
	bool compat = hypercall_is_compat();
	uint64_t size = compat ? sizeof(struct multicall_narrow) : sizeof(struct multicall_wide);
	uint64_t la = args->a[0], nr = (uint32_t)args->a[1], i;
	long rc = 0;

	for (i = 0; i < nr; i++, la += size) {
		if (i && hypercall_preempt())
			rc = -ERESTART;
		else
			rc = run_entry(v, la, compat);
		if (rc)
			break;
	}
	if (rc == -ERESTART) {
		hypercall_set_arg(v, 0, la);
		hypercall_set_arg(v, 1, nr - i);
	}
	return rc;
}
