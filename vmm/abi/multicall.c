/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HYPERVISOR_multicall: a list of hypercalls, each with its own result. The tools send every memory
 * operation this way, because the result is then 64 bits wide. A call that is to be continued has its
 * entry's arguments written back, and the whole list goes on from there.
 */
#include "command.h"

/* struct multicall_entry. */
struct entry {
	uint64_t op, result, a[CALL_ARGS];
};
#define LAYOUT "llllllll"
_Static_assert(sizeof(struct entry) == sizeof(multicall_entry_t), "layout");

/* One entry; -ERESTART = go on with it later. */
static long run_entry(struct call *c, uint64_t la)
{
	struct entry e;
	long rc = -ENOSYS;

	if (call_read(c, la, &e, sizeof(e), LAYOUT))
		return -EFAULT;
	memcpy(c->a, e.a, sizeof(c->a));
	if (e.op != __HYPERVISOR_multicall) {
		c->in_multicall = true;
		rc = call_number(c, e.op);
		c->in_multicall = false;
	}
	if (rc != -ERESTART)
		return call_write_long(c, la, 1, (uint64_t)rc);
	memcpy(e.a, c->a, sizeof(e.a));
	return call_write(c, la, &e, sizeof(e), LAYOUT) ? -EFAULT : -ERESTART;
}

long abi_multicall(struct call *c)
{
	uint64_t la = c->a[0], nr = (uint32_t)c->a[1], i;
	unsigned int size = c->compat ? sizeof(struct entry) / 2 : sizeof(struct entry);
	long rc = 0;

	for (i = 0; i < nr; i++, la += size) {
		rc = i && hypercall_preempt() ? -ERESTART : run_entry(c, la);
		if (rc)
			break;
	}
	if (rc == -ERESTART) {
		call_set_arg(c, 0, la);
		call_set_arg(c, 1, nr - i);
	}
	return rc;
}
