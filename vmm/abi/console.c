/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HYPERVISOR_console_io: dom0's hvc0 on the VMM's console; what another guest writes goes to the log as
 * the text of its debug port does.
 */
#include "handlers.h"
#include "console.h"
#include "sched.h"

#define CHUNK 256U

/* How much of the text was taken: all of a guest's, of dom0's what the line has room for. */
static uint32_t put(struct domain *d, const char *buf, uint32_t n)
{
	if (d->is_dom0)
		return (uint32_t)console_dom0_write(buf, n);
	debug_port_write(d, buf, n);
	return n;
}

/* While the line is slower than dom0, others run and dom0 comes back. */
static long op_write(struct vcpu *v, uint64_t la, uint32_t count)
{
	char buf[CHUNK];
	uint32_t n, taken, done;

	for (done = 0; done < count; done += taken) {
		n = min(count - done, CHUNK);
		if (copy_from_guest_la(buf, la + done, n))
			return -EFAULT;
		taken = put(v->domain, buf, n);
		if (taken < n)
			sched_yield();
		if (done + taken < count && (taken < n || hypercall_preempt())) {
			hypercall_set_arg(v, 1, count - done - taken);
			hypercall_set_arg(v, 2, la + done + taken);
			return -ERESTART;
		}
	}
	return 0;
}

static long op_read(struct vcpu *v, uint64_t la, uint32_t count)
{
	char buf[CHUNK];
	size_t n;

	if (!v->domain->is_dom0)
		return -EPERM;
	n = console_dom0_read(buf, min(count, CHUNK));
	if (n && copy_to_guest_la(la, buf, n))
		return -EFAULT;
	return (long)n;
}

long abi_console_io(struct vcpu *v, const struct hypercall_args *args)
{
	uint32_t count = (uint32_t)args->a[1];

	switch ((uint32_t)args->a[0]) {
	case CONSOLEIO_write:
		return op_write(v, args->a[2], count);
	case CONSOLEIO_read:
		return op_read(v, args->a[2], count);
	default:
		return -ENOSYS;
	}
}
