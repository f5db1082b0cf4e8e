/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HYPERVISOR_vcpu_op (xen/vcpu.h). HVM guests bring up vCPUs by VCPUOP_initialise or by INIT and SIPI. */
#include "handlers.h"
#include "guest_access.h"
#include "hvm_ops.h"
#include "policy.h"
#include <xen/hvm/hvm_vcpu.h>
#include <xen/vcpu.h>

#define PERIOD_MIN_NS NS_PER_MS

/* --- VCPUOP_initialise ------------------------------------------------------------------------- */

/* The attributes are packed as in struct x86_segment; 0 = the default of a flat segment. */
static void seg_from_ar(struct vcpu *v, enum x86_seg s, uint64_t base, uint32_t limit, uint16_t ar)
{
	struct x86_segment seg = { .attr = ar & 0xfff, .limit = limit, .base = base };

	if (ar == 0)
		seg.attr = s == X86_SEG_CS   ? 0xc9b
			   : s == X86_SEG_TR ? 0x8b
			   : s <= X86_SEG_GS ? 0xc93
					     : 0;
	hvm_set_seg(v, s, &seg);
}

static void flat_segments(struct vcpu *v, bool wide)
{
	struct x86_segment code = { .sel = 0, .attr = wide ? 0xa9b : 0xc9b, .limit = ~0U };
	struct x86_segment data = { .sel = 0, .attr = 0xc93, .limit = ~0U };
	struct x86_segment tr = { .sel = 0, .attr = 0x8b, .limit = 0x67 };

	hvm_set_seg(v, X86_SEG_CS, &code);
	for (enum x86_seg s = X86_SEG_ES; s <= X86_SEG_GS; s++)
		if (s != X86_SEG_CS)
			hvm_set_seg(v, s, &data);
	hvm_set_seg(v, X86_SEG_TR, &tr);
}

/* What the processor would refuse to enter with. */
static bool control_ok(const struct vcpu *v, uint64_t cr0, uint64_t cr4, uint64_t efer)
{
	if ((cr0 >> 32) || ((cr0 & X86_CR0_PG) && !(cr0 & X86_CR0_PE)) ||
	    ((cr0 & X86_CR0_NW) && !(cr0 & X86_CR0_CD)))
		return false;
	if (efer & ~(X86_EFER_SCE | X86_EFER_LME | X86_EFER_LMA | X86_EFER_NX))
		return false;
	if ((efer & X86_EFER_LMA) &&
	    (!(efer & X86_EFER_LME) || !(cr0 & X86_CR0_PG) || !(cr4 & X86_CR4_PAE)))
		return false;
	return !(cr4 & ~policy_cr4_mask(v->domain));
}

static int init_32(struct vcpu *v, const struct vcpu_hvm_x86_32 *r)
{
	struct x86_regs *g = &v->regs;

	if (!control_ok(v, r->cr0, r->cr4, r->efer))
		return -EINVAL;
	g->gpr[X86_RAX] = r->eax;
	g->gpr[X86_RCX] = r->ecx;
	g->gpr[X86_RDX] = r->edx;
	g->gpr[X86_RBX] = r->ebx;
	g->gpr[X86_RSP] = r->esp;
	g->gpr[X86_RBP] = r->ebp;
	g->gpr[X86_RSI] = r->esi;
	g->gpr[X86_RDI] = r->edi;
	g->rip = r->eip;
	g->rflags = (r->eflags & X86_EFLAGS_KNOWN) | X86_EFLAGS_MBS;
	v->cr0 = r->cr0 | X86_CR0_ET;
	v->cr3 = r->cr3;
	v->cr4 = r->cr4;
	v->efer = r->efer;
	seg_from_ar(v, X86_SEG_CS, r->cs_base, r->cs_limit, r->cs_ar);
	seg_from_ar(v, X86_SEG_DS, r->ds_base, r->ds_limit, r->ds_ar);
	seg_from_ar(v, X86_SEG_SS, r->ss_base, r->ss_limit, r->ss_ar);
	seg_from_ar(v, X86_SEG_ES, r->es_base, r->es_limit, r->es_ar);
	seg_from_ar(v, X86_SEG_TR, r->tr_base, r->tr_limit, r->tr_ar);
	return 0;
}

static int init_64(struct vcpu *v, const struct vcpu_hvm_x86_64 *r)
{
	struct x86_regs *g = &v->regs;

	if (!(r->efer & X86_EFER_LMA) || !control_ok(v, r->cr0, r->cr4, r->efer))
		return -EINVAL;
	g->gpr[X86_RAX] = r->rax;
	g->gpr[X86_RCX] = r->rcx;
	g->gpr[X86_RDX] = r->rdx;
	g->gpr[X86_RBX] = r->rbx;
	g->gpr[X86_RSP] = r->rsp;
	g->gpr[X86_RBP] = r->rbp;
	g->gpr[X86_RSI] = r->rsi;
	g->gpr[X86_RDI] = r->rdi;
	g->rip = r->rip;
	g->rflags = (r->rflags & X86_EFLAGS_KNOWN & ~X86_EFLAGS_VM) | X86_EFLAGS_MBS;
	v->cr0 = r->cr0 | X86_CR0_ET;
	v->cr3 = r->cr3;
	v->cr4 = r->cr4;
	v->efer = r->efer;
	flat_segments(v, true);
	return 0;
}

/* v cannot run. It has a state, for VCPUOP_up, when all of it is there. */
static long set_context(struct vcpu *v, const struct vcpu_hvm_context *ctx)
{
	long rc = -EINVAL;

	hvm_vcpu_reset_flat32(v); /* known state for what the structure does not name */
	if (ctx->mode == VCPU_HVM_MODE_32B)
		rc = init_32(v, &ctx->cpu_regs.x86_32);
	else if (ctx->mode == VCPU_HVM_MODE_64B)
		rc = init_64(v, &ctx->cpu_regs.x86_64);
	if (rc)
		return rc;
	hvm_set_state(v, HVM_CRS);
	publish(v->initialised, true);
	return 0;
}

static bool is_blank(const struct vcpu *v)
{
	return !published(v->initialised) && (v->pause_flags & VPF_DOWN);
}

static long op_initialise(struct vcpu *v, uint64_t la)
{
	struct vcpu_hvm_context ctx;
	long rc;

	if (copy_from_guest_la(&ctx, la, sizeof(ctx)))
		return -EFAULT;
	if (!is_blank(v))
		return -EEXIST;
	spin_lock(&v->domain->lock);
	/* Whoever starts it meanwhile, by INIT and start-up IPI for one, starts it when this is over. */
	vcpu_pause_nosync(v);
	rc = is_blank(v) && !published(v->running) ? set_context(v, &ctx) : -EEXIST;
	vcpu_unpause(v);
	spin_unlock(&v->domain->lock);
	return rc;
}

/* --- the rest ---------------------------------------------------------------------------------- */

static long op_up(struct vcpu *v)
{
	if (!published(v->initialised))
		return -EINVAL;
	__atomic_fetch_and(&v->pause_flags, ~(uint32_t)VPF_DOWN, __ATOMIC_SEQ_CST);
	sched_vcpu_update(v);
	return 0;
}

static long op_get_runstate(struct vcpu *v, uint64_t la)
{
	struct vcpu_runstate_info r;

	vcpu_runstate_get(v, &r);
	if (hypercall_is_compat()) {
		struct {
			int32_t state;
			uint64_t entry;
			uint64_t time[4];
		} __packed c = { .state = r.state, .entry = r.state_entry_time };

		memcpy(c.time, r.time, sizeof(c.time));
		return copy_to_guest_la(la, &c, sizeof(c));
	}
	return copy_to_guest_la(la, &r, sizeof(r));
}

/* The argument holds an address, as a pointer or as 64 bits. */
static int area_address(uint64_t la, uint64_t *out)
{
	uint32_t narrow;

	if (!hypercall_is_compat())
		return copy_from_guest_la(out, la, sizeof(*out));
	if (copy_from_guest_la(&narrow, la, sizeof(narrow)))
		return -EFAULT;
	*out = narrow;
	return 0;
}

static long op_register_runstate(struct vcpu *cur, struct vcpu *v, uint64_t la)
{
	bool compat = hypercall_is_compat();
	size_t size = compat ? 44 : sizeof(struct vcpu_runstate_info);
	uint64_t where, last = 0;
	gpa_t first, end;
	uint32_t pfec;

	if (area_address(la, &where))
		return -EFAULT;
	if (!where) {
		publish(v->runstate_gpa.v, ~0ULL);
		return 0;
	}
	last = where + size - 1;
	if (guest_walk(cur, where, PFEC_W, &first, &pfec) ||
	    guest_walk(cur, last, PFEC_W, &end, &pfec))
		return -EFAULT;
	if (end.v - first.v != size - 1) {
		printk_once(LOG_WARN "d%uv%u: runstate area lies in scattered pages: not updated\n",
			    v->domain->domid, v->id);
		return 0;
	}
	WRITE_ONCE(v->runstate_compat, compat);
	publish(v->runstate_gpa.v, first.v);
	if (v == cur)
		vcpu_update_time(v);
	return 0;
}

static long op_register_time(struct vcpu *v, uint64_t la)
{
	uint64_t where;

	if (area_address(la, &where))
		return -EFAULT;
	return v == current_vcpu() ? time_register_vcpu_time(v, where) : -EINVAL;
}

/* A running vCPU's record is written by itself: only its own call may move it. */
static long op_register_info(struct vcpu *v, uint64_t la)
{
	struct vcpu_register_vcpu_info r;
	int rc;

	if (v != current_vcpu() && !(v->pause_flags & VPF_DOWN))
		return -EINVAL;
	if (copy_from_guest_la(&r, la, sizeof(r)))
		return -EFAULT;
	rc = vcpu_info_register(v, _gfn(r.mfn), r.offset);
	if (!rc && v == current_vcpu())
		vcpu_update_time(v);
	return rc;
}

static long op_set_singleshot(struct vcpu *v, uint64_t la)
{
	struct vcpu_set_singleshot_timer t;

	if (v != current_vcpu())
		return -EINVAL;
	if (copy_from_guest_la(&t, la, sizeof(t)))
		return -EFAULT;
	if ((t.flags & VCPU_SSHOTTMR_future) && t.timeout_abs_ns < now_ns())
		return -62; /* XEN_ETIME */
	if (v->singleshot.cpu != cpu_id())
		timer_migrate(&v->singleshot, cpu_id());
	timer_set(&v->singleshot, t.timeout_abs_ns);
	return 0;
}

static long op_set_periodic(struct vcpu *v, uint64_t la)
{
	struct vcpu_set_periodic_timer t;

	if (copy_from_guest_la(&t, la, sizeof(t)))
		return -EFAULT;
	if (t.period_ns < PERIOD_MIN_NS || t.period_ns > 86400 * NS_PER_SEC)
		return -EINVAL;
	time_set_periodic(v, t.period_ns);
	return 0;
}

long abi_vcpu_op(struct vcpu *cur, const struct hypercall_args *args)
{
	uint64_t la = args->a[2];
	struct vcpu *v =
		args->a[1] > UINT32_MAX ? NULL : domain_vcpu(cur->domain, (unsigned int)args->a[1]);

	if (!v)
		return -ENOENT;
	switch ((uint32_t)args->a[0]) {
	case VCPUOP_initialise:
		return op_initialise(v, la);
	case VCPUOP_up:
		return op_up(v);
	case VCPUOP_down:
		vcpu_down(v);
		return 0;
	case VCPUOP_is_up:
		return !(v->pause_flags & VPF_DOWN);
	case VCPUOP_get_runstate_info:
		return op_get_runstate(v, la);
	case VCPUOP_register_runstate_memory_area:
		return op_register_runstate(cur, v, la);
	case VCPUOP_set_periodic_timer:
		return op_set_periodic(v, la);
	case VCPUOP_stop_periodic_timer:
		time_set_periodic(v, 0);
		return 0;
	case VCPUOP_set_singleshot_timer:
		return op_set_singleshot(v, la);
	case VCPUOP_stop_singleshot_timer:
		if (v != cur)
			return -EINVAL;
		timer_stop(&v->singleshot);
		return 0;
	case VCPUOP_register_vcpu_info:
		return op_register_info(v, la);
	case VCPUOP_register_vcpu_time_memory_area:
		return op_register_time(v, la);
	case VCPUOP_send_nmi:
		v->hvm.nmi_pending = true;
		vcpu_wake(v, VCPU_ATT_NMI);
		return 0;
	default:
		return -ENOSYS;
	}
}
