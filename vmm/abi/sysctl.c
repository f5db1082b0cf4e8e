/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HYPERVISOR_sysctl (xen/sysctl.h): the console log, lists of domains, CPU pools (there is one), memory,
 * debug keys; processors: physical information, topology, CPU policies and featuresets. dom0 only.
 */
#include "domctl.h"
#include "console.h"
#include "log.h"
#include "sched.h"
#include "hvm_ops.h"
#include "policy.h"

/* --- processors -------------------------------------------------------------------------------- */

#define CPUS_SHOWN_MAX 1024U
#define NODES_BATCH    64U

/* Threads per core and cores per package, by CPUID leaf 0xb; 1 and the number of CPUs without it. */
static void topology(uint32_t *threads, uint32_t *cores)
{
	const struct cpu_policy *p = policy_system(POLICY_HOST);
	uint32_t t = p->topo[0].b & 0xffff, all = p->topo[1].b & 0xffff;

	*threads = p->basic[0].a >= 0xb && t ? t : 1;
	*cores = p->basic[0].a >= 0xb && all >= *threads ? all / *threads : nr_cpus / *threads;
	*cores = max(*cores, 1U);
}

static long op_physinfo(struct call *c)
{
	struct xen_sysctl_physinfo *p = c->arg;
	const struct cpu_policy *h = policy_system(POLICY_HOST);

	memset(p, 0, sizeof(*p));
	topology(&p->threads_per_core, &p->cores_per_socket);
	p->nr_cpus = nr_cpus;
	p->max_cpu_id = MAX_CPUS - 1;
	p->nr_nodes = 1;
	p->max_node_id = 0;
	p->cpu_khz = (uint32_t)tsc_khz;
	p->capabilities = XEN_SYSCTL_PHYSCAP_hvm | XEN_SYSCTL_PHYSCAP_gnttab_v1;
	if (paging_has_shadow())
		p->capabilities |= XEN_SYSCTL_PHYSCAP_shadow;
	if (paging_has_nested)
		p->capabilities |= XEN_SYSCTL_PHYSCAP_hap;
	p->total_pages = total_page_count();
	p->free_pages = free_page_count();
	p->scrub_pages = 0;
	p->outstanding_pages = outstanding_claims();
	p->max_mfn = max_mfn - 1;
	p->hw_cap[0] = h->basic[1].d;
	p->hw_cap[1] = h->basic[1].c;
	p->hw_cap[2] = h->extd[1].d;
	p->hw_cap[3] = h->extd[1].c;
	p->hw_cap[4] = h->xstate[1].a;
	p->hw_cap[5] = h->feat[0].b;
	p->hw_cap[6] = h->feat[0].c;
	p->hw_cap[7] = h->extd[7].d;
	return 0;
}

static long op_cputopoinfo(struct call *c)
{
	struct xen_sysctl_cputopoinfo *t = c->arg;
	uint32_t threads, cores, n = nr_cpus;
	struct xen_sysctl_cputopo e;

	topology(&threads, &cores);
	if (!guest_handle_is_null(t->cputopo)) {
		n = min(t->num_cpus, nr_cpus);
		for (uint32_t i = 0; i < n; i++) {
			uint32_t id = cpus[i]->apic_id;

			e.socket = id / (threads * cores);
			e.core = id / threads % cores;
			e.node = 0;
			if (copy_to_guest_offset(t->cputopo, i, &e, 1))
				return -EFAULT;
		}
	}
	t->num_cpus = n;
	return 0;
}

static long op_pcitopoinfo(struct call *c)
{
	struct xen_sysctl_pcitopoinfo *t = c->arg;
	static const uint32_t nodes[NODES_BATCH];
	struct frames all, part;

	if (guest_handle_is_null(t->devs) || guest_handle_is_null(t->nodes))
		return -EINVAL;
	frames_make(0, min(t->num_devs, CPUS_SHOWN_MAX), CPUS_SHOWN_MAX, &all);
	for (uint64_t i = 0; i < all.nr; i += part.nr) {
		part = frames_part(&all, i, NODES_BATCH);
		if (copy_to_guest_offset(t->nodes, i, nodes, part.nr))
			return -EFAULT;
	}
	return 0;
}

static long op_getcpuinfo(struct call *c)
{
	struct xen_sysctl_getcpuinfo *g = c->arg;
	struct xen_sysctl_cpuinfo i;
	uint32_t n = min(g->max_cpus, nr_cpus);

	for (uint32_t cpu = 0; cpu < n; cpu++) {
		i.idletime = sched_idle_ns(cpu);
		if (copy_to_guest_offset(g->info, cpu, &i, 1))
			return -EFAULT;
	}
	g->nr_cpus = n;
	return 0;
}

static const struct cpu_policy *policy_by_index(uint32_t index)
{
	switch (index) {
	case XEN_SYSCTL_cpu_policy_raw:
		return policy_system(POLICY_RAW);
	case XEN_SYSCTL_cpu_policy_host:
		return policy_system(POLICY_HOST);
	case XEN_SYSCTL_cpu_policy_hvm_max:
		return policy_system(POLICY_HVM_MAX);
	case XEN_SYSCTL_cpu_policy_hvm_default:
		return policy_system(POLICY_HVM_DEFAULT);
	default:
		return NULL; /* no PV guests */
	}
}

static long op_get_cpu_policy_of_host(struct call *c)
{
	struct xen_sysctl_cpu_policy *op = c->arg;
	const struct cpu_policy *p = policy_by_index(op->index);

	if (op->_rsvd)
		return -EINVAL;
	if (!p && op->index <= XEN_SYSCTL_cpu_policy_hvm_default)
		return refusal_expected(-EOPNOTSUPP); /* xl asks for PV's, too */
	if (!p)
		return -EINVAL;
	return policy_to_guest(p, guest_handle_la(op->leaves), &op->nr_leaves,
			       guest_handle_la(op->msrs), &op->nr_msrs);
}

static long op_get_cpu_featureset(struct call *c)
{
	struct xen_sysctl_cpu_featureset *f = c->arg;
	static const uint8_t index_of[] = {
		[XEN_SYSCTL_cpu_featureset_raw] = XEN_SYSCTL_cpu_policy_raw,
		[XEN_SYSCTL_cpu_featureset_host] = XEN_SYSCTL_cpu_policy_host,
		[XEN_SYSCTL_cpu_featureset_pv] = XEN_SYSCTL_cpu_policy_pv_default,
		[XEN_SYSCTL_cpu_featureset_hvm] = XEN_SYSCTL_cpu_policy_hvm_default,
		[XEN_SYSCTL_cpu_featureset_pv_max] = XEN_SYSCTL_cpu_policy_pv_max,
		[XEN_SYSCTL_cpu_featureset_hvm_max] = XEN_SYSCTL_cpu_policy_hvm_max,
	};
	uint32_t words[POLICY_FEAT_WORDS], n;
	const struct cpu_policy *p;

	if (f->index >= ARRAY_SIZE(index_of))
		return -EINVAL;
	p = policy_by_index(index_of[f->index]);
	if (!p)
		return refusal_expected(-EOPNOTSUPP);
	if (guest_handle_is_null(f->features)) {
		f->nr_features = POLICY_FEAT_WORDS;
		return 0;
	}
	n = min(f->nr_features, POLICY_FEAT_WORDS);
	policy_featureset(p, words);
	if (copy_to_guest(f->features, words, n))
		return -EFAULT;
	f->nr_features = n;
	return n < POLICY_FEAT_WORDS ? -ENOBUFS : 0;
}

/* --- console, keys, memory --------------------------------------------------------------------- */

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
 * A list that goes in pieces: what was asked, and by whom, the next id, how many are done. One for each vCPU of dom0, so
 * that callers do not start each other's lists again; sysctl_lock.
 */
static struct listing {
	struct asker of;
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
	struct asker who = call_asker(c, guest_handle_la(l->buffer));
	struct listing *at = &listings[c->v->id];
	long rc;

	if (!asker_is(&at->of, &who) || !asker_may_come(&at->of, who.seen_ns) ||
	    at->asked.first_domain != l->first_domain || at->asked.max_domains != l->max_domains)
		*at = (struct listing){ .asked = *l, .id = l->first_domain };
	at->of = who;
	rc = list_domains(l, at);
	if (rc == -ERESTART)
		return rc;
	l->num_domains = at->count;
	at->of.space = 0;
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
		p->sched_id = sched_tool_id();
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

/* Global parameters of "credit": the length of a turn. */
static long credit_parameters(struct xen_sysctl_scheduler_op *s)
{
	struct xen_sysctl_credit_schedule *p = &s->u.sched_credit;

	if (s->cmd == XEN_SYSCTL_SCHEDOP_putinfo)
		return p->ratelimit_us || p->vcpu_migr_delay_us
			       ? -EOPNOTSUPP
			       : sched_set_turn_ns(p->tslice_ms * NS_PER_MS);
	*p = (struct xen_sysctl_credit_schedule){ .tslice_ms =
							  (uint32_t)(sched_turn_ns() / NS_PER_MS) };
	return 0;
}

/* Global parameters of "credit2": its rate limit is our slices' least length. */
static long op_scheduler_op(struct call *c)
{
	struct xen_sysctl_scheduler_op *s = c->arg;

	if (s->sched_id != sched_tool_id() || s->cpupool_id != POOL_ID ||
	    (s->cmd != XEN_SYSCTL_SCHEDOP_getinfo && s->cmd != XEN_SYSCTL_SCHEDOP_putinfo))
		return -EINVAL;
	if (s->sched_id == XEN_SCHEDULER_CREDIT)
		return credit_parameters(s);
	if (s->cmd == XEN_SYSCTL_SCHEDOP_putinfo || s->sched_id != XEN_SCHEDULER_CREDIT2)
		return -EOPNOTSUPP;
	s->u.sched_credit2.ratelimit_us = 500;
	return 0;
}

/* --- memory and keys --------------------------------------------------------------------------- */

DOES(op_levelling_caps, xen_sysctl_cpu_levelling_caps, a->caps = 0)
DOES(op_sched_id, xen_sysctl_sched_id, a->sched_id = sched_tool_id())
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
	CMD(scheduler_op,
	    "the id of the policy (bvt: credit2) in pool 0, with getinfo; credit: putinfo of 1-1000 ms, no other value"),
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
