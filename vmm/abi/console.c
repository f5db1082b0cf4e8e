/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HYPERVISOR_console_io: dom0's hvc0 on the VMM's console; what another guest writes goes to the log as
 * the text of its debug port does.
 */
#include "command.h"
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
static long op_write(struct call *c)
{
	uint32_t count = (uint32_t)c->a[1];
	uint64_t la = c->a[2];
	char buf[CHUNK];
	uint32_t n, taken, done;

	for (done = 0; done < count; done += taken) {
		n = min(count - done, CHUNK);
		if (copy_from_guest_la(buf, la + done, n))
			return -EFAULT;
		taken = put(c->v->domain, buf, n);
		if (taken < n)
			sched_yield();
		if (done + taken < count && (taken < n || hypercall_preempt())) {
			call_set_arg(c, 1, count - done - taken);
			call_set_arg(c, 2, la + done + taken);
			return -ERESTART;
		}
	}
	return 0;
}

static long op_read(struct call *c)
{
	char buf[CHUNK];
	size_t n;

	if (!abi_privileged())
		return -EPERM;
	n = console_dom0_read(buf, min((uint32_t)c->a[1], CHUNK));
	if (n && copy_to_guest_la(c->a[2], buf, n))
		return -EFAULT;
	return (long)n;
}

long abi_console_io(struct call *c)
{
	switch ((uint32_t)c->a[0]) {
	case CONSOLEIO_write:
		return op_write(c);
	case CONSOLEIO_read:
		return op_read(c);
	default:
		return -ENOSYS;
	}
}
