/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HYPERVISOR_vcpu_op (xen/vcpu.h). HVM guests bring up vCPUs by VCPUOP_initialise or by INIT and SIPI. */
#include "command.h"
#include "hvm_context.h"
#include "hvm_ops.h"
#include <xen/vcpu.h>

#define PERIOD_MIN_NS NS_PER_MS
#define PERIOD_MAX_NS (86400 * NS_PER_SEC)

static bool is_blank(const struct vcpu *v)
{
	return !published(v->initialised) && (v->pause_flags & VPF_DOWN);
}

static long op_initialise(struct call *c)
{
	struct vcpu *v = c->target;
	long rc;

	if (!is_blank(v))
		return -EEXIST;
	spin_lock(&v->domain->lock);
	/* Whoever starts it meanwhile, by INIT and start-up IPI for one, starts it when this is over. */
	vcpu_pause_nosync(v);
	rc = is_blank(v) && !published(v->running) ? hvm_context_start(v, c->arg) : -EEXIST;
	vcpu_unpause(v);
	spin_unlock(&v->domain->lock);
	return rc;
}

static long op_up(struct call *c)
{
	struct vcpu *v = c->target;

	if (!published(v->initialised))
		return -EINVAL;
	__atomic_fetch_and(&v->pause_flags, ~(uint32_t)(VPF_DOWN | VPF_DEAF), __ATOMIC_SEQ_CST);
	sched_vcpu_update(v);
	return 0;
}

DOES(op_down, vcpu, vcpu_down(c->target))
ARM(op_is_up, vcpu, !(c->target->pause_flags & VPF_DOWN))
DOES(op_get_runstate_info, vcpu_runstate_info, vcpu_runstate_get(c->target, a))

static long op_register_runstate_memory_area(struct call *c)
{
	size_t size = c->compat ? 44 : sizeof(struct vcpu_runstate_info);
	uint64_t where = *(uint64_t *)c->arg;
	struct vcpu *v = c->target;
	gpa_t first, end;
	uint32_t pfec;

	if (!where) {
		publish(v->runstate_gpa.v, ~0ULL);
		return 0;
	}
	if (guest_walk(c->v, where, PFEC_W, &first, &pfec) ||
	    guest_walk(c->v, where + size - 1, PFEC_W, &end, &pfec))
		return -EFAULT;
	if (end.v - first.v != size - 1) {
		printk_once(LOG_WARN "d%uv%u: runstate area lies in scattered pages: not updated\n",
			    v->domain->domid, v->id);
		return 0;
	}
	WRITE_ONCE(v->runstate_compat, c->compat);
	publish(v->runstate_gpa.v, first.v);
	if (v == c->v)
		vcpu_update_time(v);
	return 0;
}

static long op_register_vcpu_time_memory_area(struct call *c)
{
	return c->target == c->v ? time_register_vcpu_time(c->v, *(uint64_t *)c->arg) : -EINVAL;
}

/* Another vCPU, which is down, and stays so meanwhile. No waiting for it: two could wait for each other. */
static long register_info_of(struct vcpu *v, gfn_t gfn, unsigned int offset)
{
	long rc = -EINVAL;

	vcpu_pause_nosync(v);
	if (v->pause_flags & VPF_DOWN)
		rc = published(v->running) ? -ERESTART : vcpu_info_register(v, gfn, offset);
	vcpu_unpause(v);
	return rc;
}

/* A running vCPU's record is written by itself: only its own call may move it. */
static long op_register_vcpu_info(struct call *c)
{
	struct vcpu_register_vcpu_info r;
	struct vcpu *v = c->target;
	long rc;

	if (v != c->v && !(v->pause_flags & VPF_DOWN))
		return -EINVAL;
	if (copy_from_guest_la(&r, c->a[2], sizeof(r)))
		return -EFAULT;
	if (v != c->v)
		return register_info_of(v, _gfn(r.mfn), r.offset);
	rc = vcpu_info_register(v, _gfn(r.mfn), r.offset);
	if (!rc)
		vcpu_update_time(v);
	return rc;
}

static long op_set_singleshot_timer(struct call *c)
{
	struct vcpu_set_singleshot_timer t;
	struct vcpu *v = c->target;

	if (v != c->v)
		return -EINVAL;
	if (copy_from_guest_la(&t, c->a[2], sizeof(t)))
		return -EFAULT;
	if ((t.flags & VCPU_SSHOTTMR_future) && t.timeout_abs_ns < now_ns())
		return -62; /* XEN_ETIME */
	if (v->singleshot.cpu != cpu_id())
		timer_migrate(&v->singleshot, cpu_id());
	timer_set(&v->singleshot, t.timeout_abs_ns);
	return 0;
}

static long op_stop_singleshot_timer(struct call *c)
{
	if (c->target != c->v)
		return -EINVAL;
	timer_stop(&c->v->singleshot);
	return 0;
}

static long op_set_periodic_timer(struct call *c)
{
	const struct vcpu_set_periodic_timer *t = c->arg;

	if (t->period_ns < PERIOD_MIN_NS || t->period_ns > PERIOD_MAX_NS)
		return -EINVAL;
	time_set_periodic(c->target, t->period_ns);
	return 0;
}

DOES(op_stop_periodic_timer, vcpu, time_set_periodic(c->target, 0))

static long op_send_nmi(struct call *c)
{
	hvm_send_nmi(c->target);
	return 0;
}

#define CMD(n, type)  [VCPUOP_##n] = COMMAND(#n, op_##n, type, 0, NULL)
#define CMD_NO_ARG(n) [VCPUOP_##n] = PLAIN(#n, op_##n, 0, NULL)
/* The argument is the address of an area. */
#define CMD_AREA(n) [VCPUOP_##n] = { #n, NULL, op_##n, "l", sizeof(uint64_t), 0, 0, 0 }

static const struct abi_command commands[] = {
	CMD(initialise, vcpu_hvm_context),
	CMD_NO_ARG(up),
	CMD_NO_ARG(down),
	CMD_NO_ARG(is_up),
	[VCPUOP_get_runstate_info] = { "get_runstate_info", NULL, op_get_runstate_info, "iqqqqq",
				       sizeof(struct vcpu_runstate_info), 0, OUTPUT, 0 },
	CMD_AREA(register_runstate_memory_area),
	CMD(set_periodic_timer, vcpu_set_periodic_timer),
	CMD_NO_ARG(stop_periodic_timer),
	CMD_NO_ARG(set_singleshot_timer),
	CMD_NO_ARG(stop_singleshot_timer),
	CMD_NO_ARG(register_vcpu_info),
	CMD_AREA(register_vcpu_time_memory_area),
	CMD_NO_ARG(send_nmi),
};

static const struct abi_family vcpu_family = {
	.name = "vcpu_op",
	.commands = commands,
	.nr = ARRAY_SIZE(commands),
	.other = ANSWER(NULL, -ENOSYS, 0, NULL),
};

long abi_vcpu_op(struct call *c)
{
	c->target = c->a[1] > UINT32_MAX ? NULL : domain_vcpu(c->v->domain, (unsigned int)c->a[1]);
	if (!c->target)
		return -ENOENT;
	return call_command(c, &vcpu_family, (uint32_t)c->a[0], c->a[2]);
}
