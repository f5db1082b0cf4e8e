/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HYPERVISOR_sysctl (xen/sysctl.h): the console log, lists of domains, CPU pools (there is one), memory,
 * debug keys. What is about processors is in sysctl_cpu.c. dom0 only.
 */
#include "domctl.h"
#include "console.h"
#include "log.h"
#include "sched.h"
#include <xen/sysctl.h>

#define LOG_CHUNK 512U
#define KEYS_MAX  64U
#define POOL_ID	  0U

static long op_readconsole(struct call *c)
{
	struct xen_sysctl_readconsole *r = c->arg;
	uint32_t count = min(r->count, LOG_RING_SIZE), index = r->index, done = 0, n = 0;
	bool incremental = r->incremental;
	char buf[LOG_CHUNK];

	/* From the second piece on every read is incremental. */
	while (done < count) {
		n = log_read(&index, incremental, false, buf, min(count - done, LOG_CHUNK));
		if (!n)
			break;
		if (copy_to_guest_la(guest_handle_la(r->buffer) + done, buf, n))
			return -EFAULT;
		done += n;
		incremental = true;
	}
	if (r->clear)
		log_read(&index, incremental, true, buf, 0);
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
		domain_describe(d, &info);
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

static long op_getdomaininfolist(struct call *c)
{
	struct xen_sysctl_getdomaininfolist *l = c->arg;
	struct listing *at = &listings[c->v->id];
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

static long op_cpupool_op(struct call *c)
{
	struct xen_sysctl_cpupool_op *p = c->arg;
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
static long op_scheduler_op(struct call *c)
{
	struct xen_sysctl_scheduler_op *s = c->arg;

	if (s->sched_id != XEN_SCHEDULER_CREDIT2 || s->cpupool_id != POOL_ID)
		return -EINVAL;
	if (s->cmd != XEN_SYSCTL_SCHEDOP_getinfo)
		return s->cmd == XEN_SYSCTL_SCHEDOP_putinfo ? -EOPNOTSUPP : -EINVAL;
	s->u.sched_credit2.ratelimit_us = 500;
	return 0;
}

/* --- memory and keys --------------------------------------------------------------------------- */

DOES(op_levelling_caps, xen_sysctl_cpu_levelling_caps, a->caps = 0)
DOES(op_sched_id, xen_sysctl_sched_id, a->sched_id = XEN_SCHEDULER_CREDIT2)
DOES(op_availheap, xen_sysctl_availheap, a->avail_bytes = free_page_count() << PAGE_SHIFT)

static long op_numainfo(struct call *c)
{
	struct xen_sysctl_numainfo *n = c->arg;
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
	return 0;
}

static long op_debug_keys(struct call *c)
{
	const struct xen_sysctl_debug_keys *k = c->arg;
	char key;

	for (uint32_t i = 0; i < min(k->nr_keys, KEYS_MAX); i++) {
		if (copy_from_guest_la(&key, guest_handle_la(k->keys) + i, 1))
			return -EFAULT;
		console_debug_key(key);
	}
	return 0;
}

/* --- the table --------------------------------------------------------------------------------- */

#define CMD(n, takes)	  [XEN_SYSCTL_##n] = PLAIN(#n, op_##n, COPYBACK_ALWAYS, takes)
#define NO(n, err, takes) [XEN_SYSCTL_##n] = ANSWER(#n, err, 0, takes)

static const struct abi_command commands[] = {
	CMD(readconsole, "a buffer"),
	NO(tbuf_op, -ENOSYS, "Xen's trace buffers are not there: debug key 't' prints Plinth's"),
	CMD(physinfo, "nothing"),
	CMD(sched_id, "nothing"),
	NO(perfc_op, -ENOSYS, "performance counters are on debug keys 'x' and 'y'"),
	CMD(getdomaininfolist, "a buffer"),
	[XEN_SYSCTL_debug_keys] = PLAIN("debug_keys", op_debug_keys, 0, "keys"),
	CMD(getcpuinfo, "a buffer"),
	CMD(availheap, "nothing"),
	NO(get_pmstat, -EOPNOTSUPP, "frequencies are the firmware's"),
	NO(cpu_hotplug, -ENOSYS, "all CPUs stay on line; there is no switching of SMT"),
	NO(pm_op, -EOPNOTSUPP, "frequencies are the firmware's"),
	NO(page_offline_op, -ENOSYS, "memory stays on line"),
	NO(lockprof_op, -ENOSYS, "it is for debug builds of Xen"),
	CMD(cputopoinfo, "a buffer"),
	CMD(numainfo, "a buffer"),
	CMD(cpupool_op, "info, freeinfo, and movedomain to pool 0: there is one pool"),
	CMD(scheduler_op, "credit2 (6) in pool 0, with getinfo"),
	NO(coverage_op, -ENOSYS, "it is for debug builds of Xen"),
	NO(psr_cmt_op, -ENOSYS, NO_PSR),
	CMD(pcitopoinfo, "two buffers"),
	NO(psr_alloc, -ENOSYS, NO_PSR),
	[XEN_SYSCTL_get_cpu_levelling_caps] =
		PLAIN("get_cpu_levelling_caps", op_levelling_caps, COPYBACK, "nothing"),
	CMD(get_cpu_featureset, "raw, host, hvm or hvm_max: there are no PV guests"),
	NO(livepatch_op, -ENOSYS, "live patches are not there"),
	[XEN_SYSCTL_get_cpu_policy] =
		PLAIN("get_cpu_policy", op_get_cpu_policy_of_host, COPYBACK_ALWAYS,
		      "raw, host, hvm_max or hvm_default: there are no PV guests"),
};

static spinlock_t sysctl_lock = SPINLOCK_INIT(LOCK_DOMCTL, "sysctl");

const struct abi_family sysctl_family = {
	.name = "sysctl",
	.commands = commands,
	.nr = ARRAY_SIZE(commands),
	.other = ANSWER(NULL, -ENOSYS, 0, NO_SUCH_TOOL_OP),
	.version = XEN_SYSCTL_INTERFACE_VERSION,
	.size = sizeof(struct xen_sysctl),
	.arg_at = offsetof(struct xen_sysctl, u),
	.lock = &sysctl_lock,
};

long abi_sysctl(struct call *c)
{
	return call_tool_op(c, &sysctl_family);
}
