// SPDX-License-Identifier: GPL-2.0-or-later
/* The state of a guest with as many vCPUs as there can be, out and in: in pieces, and of one moment. */
#include "cases.h"
#include "hvm_ops.h"
#include <xen/domctl.h>

#define MANY	   128U
#define BUFFER_GFN 128U /* of dom0 */
#define BUFFER	   ((uint64_t)BUFFER_GFN << PAGE_SHIFT)

static domid_t create_many(void)
{
	struct xen_domctl op = { .domain = 50, .u.createdomain = machine_config(MANY, MACHINE_PC) };

	EXPECT(domctl(XEN_DOMCTL_createdomain, op.domain, &op), == 0);
	op.u.max_vcpus.max = MANY;
	EXPECT(domctl(XEN_DOMCTL_max_vcpus, op.domain, &op), == 0);
	for (unsigned int i = 0; i < MANY; i++)
		hvm_vcpu_set_flat32(dom(op.domain)->vcpu[i], 0x1000 * i, 0);
	return op.domain;
}

static long context(domid_t id, uint32_t cmd, uint64_t buffer, uint32_t *size)
{
	struct xen_domctl op = { .domain = id, .u.hvmcontext.size = *size };
	long rc;

	guest_handle_set(op.u.hvmcontext.buffer, buffer);
	rc = domctl(cmd, op.domain, &op);
	*size = op.u.hvmcontext.size;
	return rc;
}

CASE(state_of_many_vcpus_goes_in_pieces)
{
	domid_t id = create_many();
	struct domain *d = dom(id);
	uint32_t size = 0, len;
	int pauses = d->pause_count;

	for (unsigned int i = 0; i < MANY; i++)
		d->vcpu[i]->pause_flags = 0;
	EXPECT(context(id, XEN_DOMCTL_gethvmcontext, 0, &size), == 0);
	len = size;
	EXPECT(context(id, XEN_DOMCTL_gethvmcontext, BUFFER, &len), == 0);
	EXPECT(len, > MANY * 2048);
	EXPECT(d->pause_count, == pauses);
	d->vcpu[MANY - 1]->regs.rip = 0;
	EXPECT(context(id, XEN_DOMCTL_sethvmcontext, BUFFER, &len), == 0);
	EXPECT(d->vcpu[MANY - 1]->regs.rip, == 0x1000 * (MANY - 1));
	EXPECT(d->pause_count, == pauses);
	/* It ends before its END. */
	len--;
	EXPECT(context(id, XEN_DOMCTL_sethvmcontext, BUFFER, &len), < 0);
	EXPECT(d->pause_count, == pauses);
	EXPECT(context(id, XEN_DOMCTL_gethvmcontext, ~0ULL << 12, &size), == -EFAULT);
	EXPECT(d->pause_count, == pauses);
}
