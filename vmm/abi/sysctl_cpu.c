/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sysctl, the part about processors: physical information, topology, CPU policies and featuresets. */
#include "domctl.h"
#include "hvm_ops.h"
#include "policy.h"
#include "sched.h"

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

long op_physinfo(struct call *c)
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
	p->capabilities =
		XEN_SYSCTL_PHYSCAP_hvm | XEN_SYSCTL_PHYSCAP_hap | XEN_SYSCTL_PHYSCAP_gnttab_v1;
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

long op_cputopoinfo(struct call *c)
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

long op_pcitopoinfo(struct call *c)
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

long op_getcpuinfo(struct call *c)
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

long op_get_cpu_policy_of_host(struct call *c)
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

long op_get_cpu_featureset(struct call *c)
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
