/* SPDX-License-Identifier: GPL-2.0-or-later */
/* domctl, the part about vCPUs: information, affinity, registers. */
#include "domctl.h"
#include "hvm_context.h"

static int copy_cpumask_from_guest(uint64_t *mask, const struct xenctl_bitmap *b)
{
	uint8_t bytes[8] = { 0 };
	unsigned int n = DIV_ROUND_UP(min(b->nr_bits, 64U), 8);

	if (n && copy_from_guest(bytes, b->bitmap, n))
		return -EFAULT;
	memcpy(mask, bytes, sizeof(*mask));
	if (b->nr_bits < 64)
		*mask &= BIT(b->nr_bits) - 1;
	return 0;
}

int copy_cpumask_to_guest(const struct xenctl_bitmap *b, uint64_t mask, unsigned int bits)
{
	static const uint8_t zeros[512 - sizeof(mask)];
	unsigned int room = DIV_ROUND_UP((uint64_t)b->nr_bits, 8);
	uint8_t bytes[8];

	if (bits < 64)
		mask &= BIT(bits) - 1;
	memcpy(bytes, &mask, sizeof(bytes));
	if (b->nr_bits < 64 && b->nr_bits % 8)
		bytes[b->nr_bits / 8] &= (uint8_t)((1U << (b->nr_bits % 8)) - 1);
	if (room && copy_to_guest(b->bitmap, bytes, min(room, 8U)))
		return -EFAULT;
	if (room <= sizeof(bytes))
		return 0;
	room = min(room - (unsigned int)sizeof(bytes), (unsigned int)sizeof(zeros));
	return copy_to_guest_offset(b->bitmap, sizeof(bytes), zeros, room) ? -EFAULT : 0;
}

static uint64_t online_mask(void)
{
	return nr_cpus >= 64 ? ~0ULL : BIT(nr_cpus) - 1;
}

long op_getvcpuinfo(struct call *c)
{
	struct xen_domctl_getvcpuinfo *i = c->arg;
	struct vcpu *v = domain_vcpu(c->d, i->vcpu);
	struct vcpu_runstate_info r;

	if (!v)
		return i->vcpu >= c->d->max_vcpus ? -EINVAL : -ESRCH;
	vcpu_runstate_get(v, &r);
	i->online = !(v->pause_flags & VPF_DOWN);
	i->blocked = !!(v->pause_flags & VPF_BLOCKED);
	i->running = v->running;
	i->cpu_time = r.time[RUNSTATE_running];
	i->cpu = v->cpu;
	return 0;
}

long op_setvcpuaffinity(struct call *c)
{
	struct xen_domctl_vcpuaffinity *a = c->arg;
	struct vcpu *v = domain_vcpu(c->d, a->vcpu);
	uint64_t hard, soft;

	if (!v)
		return -EINVAL;
	if (!(a->flags & (XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT)))
		return -EINVAL;
	if (c->d->is_dom0)
		return -EPERM; /* vCPU n is on CPU n: the machine's interrupts go there */
	hard = v->affinity_hard;
	soft = v->affinity_soft;
	if ((a->flags & XEN_VCPUAFFINITY_HARD) && copy_cpumask_from_guest(&hard, &a->cpumap_hard))
		return -EFAULT;
	if ((a->flags & XEN_VCPUAFFINITY_SOFT) && copy_cpumask_from_guest(&soft, &a->cpumap_soft))
		return -EFAULT;
	if (!(hard & online_mask()))
		return -EINVAL;
	sched_set_affinity(v, hard & online_mask(), soft);
	/* What it comes to: the tools compare it with what they asked for. */
	if ((a->flags & XEN_VCPUAFFINITY_HARD) &&
	    copy_cpumask_to_guest(&a->cpumap_hard, hard & online_mask(), nr_cpus))
		return -EFAULT;
	if ((a->flags & XEN_VCPUAFFINITY_SOFT) &&
	    copy_cpumask_to_guest(&a->cpumap_soft, soft & hard & online_mask(), nr_cpus))
		return -EFAULT;
	return 0;
}

long op_getvcpuaffinity(struct call *c)
{
	struct xen_domctl_vcpuaffinity *a = c->arg;
	struct vcpu *v = domain_vcpu(c->d, a->vcpu);

	if (!v)
		return -EINVAL;
	if ((a->flags & XEN_VCPUAFFINITY_HARD) &&
	    copy_cpumask_to_guest(&a->cpumap_hard, v->affinity_hard, 64))
		return -EFAULT;
	if ((a->flags & XEN_VCPUAFFINITY_SOFT) &&
	    copy_cpumask_to_guest(&a->cpumap_soft, v->affinity_soft, 64))
		return -EFAULT;
	return 0;
}

long op_setnodeaffinity(struct call *c)
{
	const struct xen_domctl_nodeaffinity *n = c->arg;
	uint64_t nodes;

	if (copy_cpumask_from_guest(&nodes, &n->nodemap))
		return -EFAULT;
	if (!(nodes & 1))
		return -EINVAL; /* there is node 0 only */
	c->d->soft_affinity_nodes = nodes;
	return 0;
}

long op_getnodeaffinity(struct call *c)
{
	const struct xen_domctl_nodeaffinity *n = c->arg;

	return copy_cpumask_to_guest(&n->nodemap, c->d->soft_affinity_nodes & 1, 1);
}

/* In the form that core dumps have. */
long op_getvcpucontext(struct call *c)
{
	const struct xen_domctl_vcpucontext *op = c->arg;
	struct vcpu *v = domain_vcpu(c->d, op->vcpu);
	struct vcpu_guest_context *ctx;
	long rc;

	if (!v)
		return -ESRCH;
	if (!published(v->initialised))
		return -ENODATA;
	ctx = xzalloc(struct vcpu_guest_context);
	if (!ctx)
		return -ENOMEM;
	vcpu_pause(v);
	hvm_context_get(v, ctx);
	vcpu_unpause(v);
	rc = copy_to_guest_la(guest_handle_la(op->ctxt), ctx, sizeof(*ctx));
	xfree(ctx);
	return rc;
}

/* How a guest that was suspended learns that it goes on in place: libxc sets RAX, which SCHEDOP_shutdown returns then. */
long op_setvcpucontext(struct call *c)
{
	const struct xen_domctl_vcpucontext *op = c->arg;
	struct vcpu *v = domain_vcpu(c->d, op->vcpu);
	struct vcpu_guest_context *ctx;
	long rc;

	if (!v || !v->initialised)
		return -EINVAL;
	if (guest_handle_is_null(op->ctxt))
		return -EOPNOTSUPP; /* a reset of the vCPU: nobody asks for it */
	ctx = xzalloc(struct vcpu_guest_context);
	if (!ctx)
		return -ENOMEM;
	rc = copy_from_guest_la(ctx, guest_handle_la(op->ctxt), sizeof(*ctx));
	if (!rc) {
		vcpu_pause(v);
		hvm_context_set(v, ctx);
		vcpu_attention(v, VCPU_ATT_STATE);
		vcpu_unpause(v);
	}
	xfree(ctx);
	return rc;
}
