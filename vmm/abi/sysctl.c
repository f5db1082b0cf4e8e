/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HYPERVISOR_sysctl (xen/sysctl.h): the console log, lists of domains, CPU pools (there is one), memory,
 * debug keys. What is about processors is in sysctl_cpu.c. dom0 only.
 */
#include "handlers.h"
#include "console.h"
#include "refuse.h"
#include "sched.h"
#include "stretch.h"
#include <xen/sysctl.h>

#define LOG_CHUNK 512U
#define KEYS_MAX  64U
#define POOL_ID	  0U

static spinlock_t sysctl_lock = SPINLOCK_INIT(LOCK_DOMCTL, "sysctl");

static long op_readconsole(struct xen_sysctl_readconsole *r)
{
	uint32_t index = r->index, done = 0, n = 0;
	bool incremental = r->incremental;
	char buf[LOG_CHUNK];

	/* From the second piece on every read is incremental. */
	while (done < r->count) {
		n = console_ring_read(&index, incremental, false, buf,
				      min(r->count - done, LOG_CHUNK));
		if (!n)
			break;
		if (copy_to_guest_la(guest_handle_la(r->buffer) + done, buf, n))
			return -EFAULT;
		done += n;
		incremental = true;
	}
	if (r->clear)
		console_ring_read(&n, false, true, buf, 0);
	r->count = done;
	r->index = index;
	return 0;
}

/* --- lists of domains -------------------------------------------------------------------------- */

/*
 * A list that goes in pieces: what was asked, the next id, how many are done. One for each vCPU of dom0, so that callers
 * do not start each other's lists again; sysctl_lock.
 */
static struct listing {
	struct xen_sysctl_getdomaininfolist asked;
	uint32_t id, count;
} listings[MAX_VCPUS];

/* 0 = all; -ERESTART */
static long list_domains(const struct xen_sysctl_getdomaininfolist *l, struct listing *at)
{
	struct xen_domctl_getdomaininfo info;
	struct domain *d;

	while (at->count < l->max_domains && (d = domain_get_next(at->id)) != NULL) {
		domctl_fill_info(d, &info);
		at->id = d->domid + 1U;
		domain_put(d);
		if (copy_to_guest_offset(l->buffer, at->count, &info, 1))
			return -EFAULT;
		at->count++;
		if (hypercall_preempt())
			return -ERESTART;
	}
	return 0;
}

static long op_getdomaininfolist(struct xen_sysctl_getdomaininfolist *l)
{
	struct listing *at = &listings[current_vcpu()->id];
	long rc;

	if (at->asked.first_domain != l->first_domain || at->asked.max_domains != l->max_domains ||
	    guest_handle_la(at->asked.buffer) != guest_handle_la(l->buffer))
		*at = (struct listing){ .asked = *l, .id = l->first_domain };
	rc = list_domains(l, at);
	if (rc == -ERESTART)
		return rc;
	l->num_domains = at->count;
	memset(at, 0xff, sizeof(*at));
	return rc;
}

static int count_one(struct domain *d, void *arg)
{
	(void)d;
	++*(uint32_t *)arg;
	return 0;
}

/* --- CPU pools --------------------------------------------------------------------------------- */

static long op_cpupool(struct xen_sysctl_cpupool_op *p, bool *copyback)
{
	uint64_t all = nr_cpus >= 64 ? ~0ULL : BIT(nr_cpus) - 1;
	uint32_t domains = 0;

	switch (p->op) {
	case XEN_SYSCTL_CPUPOOL_OP_INFO:
		/* The pool with this id or the next higher one. */
		if (p->cpupool_id != XEN_SYSCTL_CPUPOOL_PAR_ANY && p->cpupool_id > POOL_ID)
			return -ENOENT;
		domain_for_each(count_one, &domains);
		p->cpupool_id = POOL_ID;
		p->sched_id = XEN_SCHEDULER_CREDIT2;
		p->n_dom = domains;
		*copyback = true;
		return copy_cpumask_to_guest(&p->cpumap, all, nr_cpus);
	case XEN_SYSCTL_CPUPOOL_OP_FREEINFO:
		return copy_cpumask_to_guest(&p->cpumap, 0, nr_cpus);
	case XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN:
		return p->cpupool_id == POOL_ID ? 0 : -ENOENT;
	default:
		return -EOPNOTSUPP;
	}
}

/* Global parameters of "credit2": its rate limit is our slices' least length. */
static long op_scheduler(struct xen_sysctl_scheduler_op *s, bool *copyback)
{
	if (s->sched_id != XEN_SCHEDULER_CREDIT2 || s->cpupool_id != POOL_ID)
		return -EINVAL;
	if (s->cmd != XEN_SYSCTL_SCHEDOP_getinfo)
		return s->cmd == XEN_SYSCTL_SCHEDOP_putinfo ? -EOPNOTSUPP : -EINVAL;
	s->u.sched_credit2.ratelimit_us = 500;
	*copyback = true;
	return 0;
}

/* --- memory and keys --------------------------------------------------------------------------- */

static long op_numainfo(struct xen_sysctl_numainfo *n, bool *copyback)
{
	struct xen_sysctl_meminfo m = { total_page_count() << PAGE_SHIFT, free_page_count()
										  << PAGE_SHIFT };
	uint32_t distance = 10;

	if (n->num_nodes) {
		if (!guest_handle_is_null(n->meminfo) && copy_to_guest(n->meminfo, &m, 1))
			return -EFAULT;
		if (!guest_handle_is_null(n->distance) && copy_to_guest(n->distance, &distance, 1))
			return -EFAULT;
	}
	n->num_nodes = 1;
	*copyback = true;
	return 0;
}

static long op_debug_keys(const struct xen_sysctl_debug_keys *k)
{
	char key;

	for (uint32_t i = 0; i < min(k->nr_keys, KEYS_MAX); i++) {
		if (copy_from_guest_la(&key, guest_handle_la(k->keys) + i, 1))
			return -EFAULT;
		console_debug_key(key);
	}
	return 0;
}

static long sysctl_one(struct xen_sysctl *op, bool *copyback)
{
	switch (op->cmd) {
	case XEN_SYSCTL_readconsole:
		*copyback = true;
		return op_readconsole(&op->u.readconsole);
	case XEN_SYSCTL_sched_id:
		op->u.sched_id.sched_id = XEN_SCHEDULER_CREDIT2;
		*copyback = true;
		return 0;
	case XEN_SYSCTL_getdomaininfolist:
		*copyback = true;
		return op_getdomaininfolist(&op->u.getdomaininfolist);
	case XEN_SYSCTL_debug_keys:
		return op_debug_keys(&op->u.debug_keys);
	case XEN_SYSCTL_availheap:
		op->u.availheap.avail_bytes = free_page_count() << PAGE_SHIFT;
		*copyback = true;
		return 0;
	case XEN_SYSCTL_cpupool_op:
		return op_cpupool(&op->u.cpupool_op, copyback);
	case XEN_SYSCTL_scheduler_op:
		return op_scheduler(&op->u.scheduler_op, copyback);
	case XEN_SYSCTL_numainfo:
		return op_numainfo(&op->u.numainfo, copyback);
	default:
		return sysctl_cpu(op, copyback);
	}
}

long abi_sysctl(struct vcpu *v, const struct hypercall_args *args)
{
	bool copyback = false;
	struct xen_sysctl op;
	long rc;

	if (!v->domain->is_dom0)
		return -EPERM;
	if (copy_from_guest_la(&op, args->a[0], sizeof(op)))
		return -EFAULT;
	refusal_begin(&sysctl_family, op.cmd, DOMID_INVALID);
	if (op.interface_version != XEN_SYSCTL_INTERFACE_VERSION)
		return refuse(-EACCES, "interface version %#x: %#x is that of Xen 4.17's tools",
			      op.interface_version, XEN_SYSCTL_INTERFACE_VERSION);
	if (!spin_trylock(&sysctl_lock))
		return -ERESTART;
	stretch_doing("sysctl", op.cmd);
	rc = sysctl_one(&op, &copyback);
	spin_unlock(&sysctl_lock);
	refusal_end(rc, &op.u, sizeof(op.u));
	if (copyback && copy_to_guest_la(args->a[0], &op, sizeof(op)))
		rc = -EFAULT;
	return rc;
}
