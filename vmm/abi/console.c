/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HYPERVISOR_console_io: dom0's hvc0 on the VMM's console; what another guest writes goes to the log,
 * line by line, with its name.
 */
#include "handlers.h"
#include "console.h"

#define CHUNK	  256U
#define WRITE_MAX (64U << 10)

/* Control characters but tab would let a guest forge lines of others. */
static void write_guest(struct domain *d, char *buf, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((uint8_t)buf[i] < ' ' && buf[i] != '\t' && buf[i] != '\n')
			buf[i] = '.';
	while (len && buf[len - 1] == '\n')
		len--;
	if (len && debug_port_may_print(d, (unsigned int)len + 1))
		guest_printk("(d%u) %.*s\n", d->domid, (int)len, buf);
}

static long op_write(struct vcpu *v, uint64_t la, uint32_t count)
{
	char buf[CHUNK];
	uint32_t n, done;

	count = min(count, WRITE_MAX);
	for (done = 0; done < count; done += n) {
		if (done && hypercall_preempt()) {
			hypercall_set_arg(v, 1, count - done);
			hypercall_set_arg(v, 2, la + done);
			return -ERESTART;
		}
		n = min(count - done, CHUNK);
		if (copy_from_guest_la(buf, la + done, n))
			return -EFAULT;
		if (v->domain->is_dom0)
			console_dom0_write(buf, n);
		else
			write_guest(v->domain, buf, n);
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
