/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The records of a vCPU's processor state: CPU (registers, segments, system MSRs, x87/SSE image), MTRR and
 * CPU_XSAVE. A CPU record that is loaded makes the vCPU runnable, as libxl expects of vCPU 0.
 */
#include "units.h"
#include "internal.h"
#include "mtrr.h"
#include "policy_private.h"

#define FXSAVE_BYTES 512U
#define XSAVE_HEADER 64U

/* --- CPU --------------------------------------------------------------------------------------- */

#define SEG_FIELDS(X) \
	X(cs, CS) X(ds, DS) X(es, ES) X(fs, FS) X(gs, GS) X(ss, SS) X(tr, TR) X(ldtr, LDTR)

static void save_segments(struct vcpu *v, struct hvm_hw_cpu *c)
{
	const struct x86_segment *s = v->hvm.seg;

	hvm_get_state(v, HVM_SEGS);
#define X(name, NAME)                              \
	c->name##_sel = s[X86_SEG_##NAME].sel;     \
	c->name##_limit = s[X86_SEG_##NAME].limit; \
	c->name##_base = s[X86_SEG_##NAME].base;   \
	c->name##_arbytes = s[X86_SEG_##NAME].attr;
	SEG_FIELDS(X)
#undef X
	c->gdtr_limit = s[X86_SEG_GDTR].limit;
	c->gdtr_base = s[X86_SEG_GDTR].base;
	c->idtr_limit = s[X86_SEG_IDTR].limit;
	c->idtr_base = s[X86_SEG_IDTR].base;
}

static void load_segments(struct vcpu *v, const struct hvm_hw_cpu *c)
{
	struct x86_segment *s = v->hvm.seg;

#define X(name, NAME)                                                             \
	s[X86_SEG_##NAME] = (struct x86_segment){ .sel = (uint16_t)c->name##_sel, \
						  .limit = c->name##_limit,       \
						  .base = c->name##_base,         \
						  .attr = (uint16_t)(c->name##_arbytes & 0xfff) };
	SEG_FIELDS(X)
#undef X
	s[X86_SEG_GDTR] = (struct x86_segment){ .limit = c->gdtr_limit, .base = c->gdtr_base };
	s[X86_SEG_IDTR] = (struct x86_segment){ .limit = c->idtr_limit, .base = c->idtr_base };
}

static void save_gprs(const struct vcpu *v, struct hvm_hw_cpu *c)
{
	const uint64_t *g = v->regs.gpr;

	c->rax = g[X86_RAX];
	c->rbx = g[X86_RBX];
	c->rcx = g[X86_RCX];
	c->rdx = g[X86_RDX];
	c->rbp = g[X86_RBP];
	c->rsi = g[X86_RSI];
	c->rdi = g[X86_RDI];
	c->rsp = g[X86_RSP];
	c->r8 = g[X86_R8];
	c->r9 = g[X86_R9];
	c->r10 = g[X86_R10];
	c->r11 = g[X86_R11];
	c->r12 = g[X86_R12];
	c->r13 = g[X86_R13];
	c->r14 = g[X86_R14];
	c->r15 = g[X86_R15];
	c->rip = v->regs.rip;
	c->rflags = v->regs.rflags;
}

static void load_gprs(struct vcpu *v, const struct hvm_hw_cpu *c)
{
	uint64_t *g = v->regs.gpr;

	g[X86_RAX] = c->rax;
	g[X86_RBX] = c->rbx;
	g[X86_RCX] = c->rcx;
	g[X86_RDX] = c->rdx;
	g[X86_RBP] = c->rbp;
	g[X86_RSI] = c->rsi;
	g[X86_RDI] = c->rdi;
	g[X86_RSP] = c->rsp;
	g[X86_R8] = c->r8;
	g[X86_R9] = c->r9;
	g[X86_R10] = c->r10;
	g[X86_R11] = c->r11;
	g[X86_R12] = c->r12;
	g[X86_R13] = c->r13;
	g[X86_R14] = c->r14;
	g[X86_R15] = c->r15;
	v->regs.rip = c->rip;
	v->regs.rflags = (c->rflags & X86_EFLAGS_KNOWN) | X86_EFLAGS_MBS;
}

static void save_msrs(struct vcpu *v, struct hvm_hw_cpu *c)
{
	const struct hvm_msr_state *m = &v->hvm.msr;

	hvm_get_state(v, HVM_MSRS);
	c->sysenter_cs = m->sysenter_cs;
	c->sysenter_esp = m->sysenter_esp;
	c->sysenter_eip = m->sysenter_eip;
	c->shadow_gs = m->kernel_gs_base;
	c->msr_lstar = m->lstar;
	c->msr_star = m->star;
	c->msr_cstar = m->cstar;
	c->msr_syscall_mask = m->sfmask;
	c->msr_efer = v->efer;
	c->msr_tsc_aux = v->tsc_aux;
	c->tsc = v->domain->hvm.sync_tsc + v->tsc_offset;
}

static void record_msrs(const struct hvm_hw_cpu *c, struct hvm_msr_state *m)
{
	m->sysenter_cs = c->sysenter_cs;
	m->sysenter_esp = c->sysenter_esp;
	m->sysenter_eip = c->sysenter_eip;
	m->kernel_gs_base = c->shadow_gs;
	m->lstar = c->msr_lstar;
	m->star = c->msr_star;
	m->cstar = c->msr_cstar;
	m->sfmask = c->msr_syscall_mask;
}

static void load_msrs(struct vcpu *v, const struct hvm_hw_cpu *c)
{
	hvm_get_state(v, HVM_MSRS);
	record_msrs(c, &v->hvm.msr);
	v->efer = c->msr_efer;
	v->tsc_aux = (uint32_t)c->msr_tsc_aux;
}

/*
 * Event types of the record are VMX's and SVM's: 0 external, 2 NMI, 3 exception, 5 ICEBP. INT n, INT3 and INTO (4, 6)
 * are not in it: the record has no place for their length, and RIP is still at them.
 */
#define EVENT_NOT_SAVED 0xff
static const uint8_t event_code[] = {
	[HVM_EVENT_NONE] = EVENT_NOT_SAVED,
	[HVM_EVENT_EXTINT] = 0,
	[HVM_EVENT_NMI] = 2,
	[HVM_EVENT_EXC] = 3,
	[HVM_EVENT_SWINT] = EVENT_NOT_SAVED,
	[HVM_EVENT_ICEBP] = 5,
	[HVM_EVENT_SWEXC] = EVENT_NOT_SAVED,
};

static void save_event(const struct vcpu *v, struct hvm_hw_cpu *c)
{
	const struct hvm_event *e = &v->hvm.event;

	if (event_code[e->type] == EVENT_NOT_SAVED)
		return;
	c->pending_vector = e->vector;
	c->pending_type = event_code[e->type];
	c->pending_error_valid = e->has_error;
	c->pending_valid = 1;
	c->error_code = e->error_code;
}

static void load_event(struct vcpu *v, const struct hvm_hw_cpu *c)
{
	struct hvm_event *e = &v->hvm.event;

	memset(e, 0, sizeof(*e));
	if (!c->pending_valid)
		return;
	for (unsigned int t = HVM_EVENT_EXTINT; t < ARRAY_SIZE(event_code); t++)
		if (event_code[t] == c->pending_type) {
			e->type = (enum hvm_event_type)t;
			e->vector = c->pending_vector;
			e->has_error = c->pending_error_valid;
			e->error_code = c->error_code;
			e->cr2 = c->cr2;
			e->insn_len = 1; /* ICEBP's */
			return;
		}
}

static int cpu_save(const struct hvm_instance *at, void *buf)
{
	struct vcpu *v = at->v;
	struct hvm_hw_cpu *c = buf;

	if (v->pause_flags & VPF_DOWN)
		return -ENOENT;
	save_gprs(v, c);
	/* No record says that it is halted for good: it goes on with its HLT. */
	if (v->pause_flags & VPF_DEAF)
		c->rip--;
	save_segments(v, c);
	save_msrs(v, c);
	save_event(v, c);
	c->cr0 = v->cr0;
	c->cr2 = v->cr2;
	c->cr3 = v->cr3;
	c->cr4 = v->cr4;
	c->dr0 = v->dr[0];
	c->dr1 = v->dr[1];
	c->dr2 = v->dr[2];
	c->dr3 = v->dr[3];
	c->dr6 = v->dr6;
	c->dr7 = v->dr7;
	memcpy(c->fpu_regs, v->fpu.area, FXSAVE_BYTES);
	c->flags = XEN_X86_FPU_INITIALISED;
	return sizeof(struct hvm_hw_cpu);
}

static int cpu_check(const struct vcpu *v, const struct hvm_hw_cpu *c)
{
	struct hvm_msr_state m = { 0 };

	if ((c->cr0 >> 32) || !(c->cr0 & X86_CR0_ET) ||
	    ((c->cr0 & X86_CR0_PG) && !(c->cr0 & X86_CR0_PE)) ||
	    ((c->cr0 & X86_CR0_NW) && !(c->cr0 & X86_CR0_CD)))
		return -EINVAL;
	if ((c->cr4 & ~policy_cr4_mask(v->domain)) || (c->msr_efer & ~policy_efer_mask(v->domain)))
		return -EINVAL;
	if (c->cr3 >> host_cpu.phys_bits)
		return -EINVAL;
	/* The vendor may load these by WRMSR, which faults in the VMM when it refuses. */
	record_msrs(c, &m);
	if (!hvm_msr_state_ok(&m))
		return -EINVAL;
	return c->flags & ~XEN_X86_FPU_INITIALISED ? -EINVAL : 0;
}

/* MXCSR bits that the processor does not know would fault when the image is restored. */
static void load_fpu(struct vcpu *v, const struct hvm_hw_cpu *c)
{
	uint32_t mxcsr;

	if (!(c->flags & XEN_X86_FPU_INITIALISED)) {
		fpu_reset(&v->fpu);
		return;
	}
	memcpy(v->fpu.area, c->fpu_regs, FXSAVE_BYTES);
	memcpy(&mxcsr, (uint8_t *)v->fpu.area + 24, sizeof(mxcsr));
	mxcsr &= fpu_mxcsr_mask();
	memcpy((uint8_t *)v->fpu.area + 24, &mxcsr, sizeof(mxcsr));
	if (host_cpu.xsave) {
		uint64_t bv = 3;

		memset((uint8_t *)v->fpu.area + FXSAVE_BYTES, 0, XSAVE_HEADER);
		memcpy((uint8_t *)v->fpu.area + FXSAVE_BYTES, &bv, sizeof(bv));
	}
}

static int cpu_load(const struct hvm_instance *at, const void *buf)
{
	struct vcpu *v = at->v;
	const struct hvm_hw_cpu *c = buf;
	int rc;

	rc = cpu_check(v, c);
	if (rc)
		return rc;
	load_gprs(v, c);
	v->cr0 = c->cr0;
	v->cr2 = c->cr2;
	v->cr3 = c->cr3;
	v->cr4 = c->cr4;
	v->dr[0] = c->dr0;
	v->dr[1] = c->dr1;
	v->dr[2] = c->dr2;
	v->dr[3] = c->dr3;
	v->dr6 = (uint32_t)c->dr6;
	v->dr7 = (uint32_t)c->dr7;
	load_msrs(v, c);
	load_segments(v, c);
	load_event(v, c);
	load_fpu(v, c);
	hvm_set_tsc_offset(v, c->tsc ? c->tsc - v->domain->hvm.sync_tsc : v->tsc_offset);
	hvm_set_state(v, HVM_SEGS | HVM_MSRS | HVM_DRS | HVM_CR2 | HVM_CRS);
	publish(v->initialised, true);
	vcpu_wake(v, VCPU_ATT_STATE); /* it may have slept in its state before */
	__atomic_fetch_and(&v->pause_flags, ~(uint32_t)(VPF_DOWN | VPF_DEAF), __ATOMIC_SEQ_CST);
	sched_vcpu_update(v);
	return 0;
}

static int cpu_record_check(const struct hvm_instance *at, const void *buf)
{
	return cpu_check(at->v, buf);
}

/* --- MTRR -------------------------------------------------------------------------------------- */

static int mtrr_save(const struct hvm_instance *at, void *buf)
{
	struct vcpu *v = at->v;
	struct hvm_hw_mtrr *r = buf;
	const struct mtrr_state *m = v->hvm.mtrr;

	r->msr_pat_cr = v->hvm.pat;
	memcpy(r->msr_mtrr_var, m->var, sizeof(r->msr_mtrr_var));
	memcpy(r->msr_mtrr_fixed, m->fixed, sizeof(r->msr_mtrr_fixed));
	r->msr_mtrr_cap = m->cap;
	r->msr_mtrr_def_type = m->def_type;
	return sizeof(struct hvm_hw_mtrr);
}

static int mtrr_load(const struct hvm_instance *at, const void *buf)
{
	struct vcpu *v = at->v;
	const struct hvm_hw_mtrr *r = buf;
	struct mtrr_state old;
	int rc;

	if ((r->msr_mtrr_cap & 0xff) > MTRR_NR_VAR)
		return -EINVAL;
	old = *v->hvm.mtrr;
	rc = hvm_wrmsr(v, MSR_PAT, r->msr_pat_cr);
	if (!rc)
		rc = mtrr_wrmsr(v, MSR_MTRR_DEF_TYPE, r->msr_mtrr_def_type & 0xcff);
	for (unsigned int i = 0; !rc && i < 2 * (r->msr_mtrr_cap & 0xff); i++)
		rc = mtrr_wrmsr(v, MSR_MTRR_PHYSBASE0 + i, r->msr_mtrr_var[i]);
	for (unsigned int i = 0; !rc && i < MTRR_NR_FIXED; i++)
		rc = mtrr_wrmsr(v,
				i == 0	? MSR_MTRR_FIX64K
				: i < 3 ? MSR_MTRR_FIX16K + i - 1
					: MSR_MTRR_FIX4K + i - 3,
				r->msr_mtrr_fixed[i]);
	if (rc)
		*v->hvm.mtrr = old;
	return rc;
}

/* --- CPU_XSAVE --------------------------------------------------------------------------------- */

#define XSAVE_RECORD_MAX 16384U

/*
 * What the guest can have put a value into. x87 and SSE need no XCR0. Components that it never enabled are in their
 * first state, though emulators mark them as in use: loading refuses them.
 */
static uint64_t xsave_components(const struct vcpu *v)
{
	return v->fpu.xcr0_accum | v->fpu.xcr0 | 3;
}

static int xsave_save(const struct hvm_instance *at, void *buf)
{
	struct vcpu *v = at->v;
	struct hvm_hw_cpu_xsave *r = buf;
	uint64_t accum;
	uint32_t image;

	if (!host_cpu.xsave || !v->fpu.xcr0_accum)
		return -ENOENT;
	accum = xsave_components(v);
	image = policy_xsave_size(v->domain->cpu_policy, accum, false);
	if (offsetof(struct hvm_hw_cpu_xsave, save_area) + image > XSAVE_RECORD_MAX ||
	    image > host_cpu.xsave_size)
		return -E2BIG;
	r->xfeature_mask = host_cpu.xcr0_mask;
	r->xcr0 = v->fpu.xcr0;
	r->xcr0_accum = accum;
	memcpy(&r->save_area, v->fpu.area, image);
	r->save_area.xsave_hdr.xstate_bv &= accum;
	return (int)(offsetof(struct hvm_hw_cpu_xsave, save_area) + image);
}

static int xsave_check(const struct hvm_instance *at, const void *buf)
{
	struct domain *d = at->d;
	const struct hvm_hw_cpu_xsave *r = buf;
	uint32_t image = at->len - (uint32_t)offsetof(struct hvm_hw_cpu_xsave, save_area);
	uint32_t mxcsr;
	uint64_t bv;

	if (!host_cpu.xsave ||
	    at->len < offsetof(struct hvm_hw_cpu_xsave, save_area) + FXSAVE_BYTES + XSAVE_HEADER)
		return -EINVAL;
	memcpy(&bv, &r->save_area.xsave_hdr.xstate_bv, sizeof(bv));
	if (r->save_area.xsave_hdr.xcomp_bv || (bv & ~r->xcr0_accum) ||
	    (r->xcr0_accum & ~host_cpu.xcr0_mask) || image > host_cpu.xsave_size)
		return -EINVAL;
	/* What XRSTOR would refuse: SDM volume 1, 13.8.1. */
	memcpy(&mxcsr, (const uint8_t *)&r->save_area + 24, sizeof(mxcsr));
	if (mxcsr & ~fpu_mxcsr_mask())
		return -EINVAL;
	for (unsigned int i = 0; i < ARRAY_SIZE(r->save_area.xsave_hdr.reserved); i++)
		if (r->save_area.xsave_hdr.reserved[i])
			return -EINVAL;
	return policy_xcr0_ok(d->cpu_policy, r->xcr0) ? 0 : -EINVAL;
}

static int xsave_load(const struct hvm_instance *at, const void *buf)
{
	uint32_t image = at->len - (uint32_t)offsetof(struct hvm_hw_cpu_xsave, save_area);
	const struct hvm_hw_cpu_xsave *r = buf;
	struct vcpu *v = at->v;

	if (xsave_check(at, buf))
		return -EINVAL;
	if (hvm_set_xcr0(v, r->xcr0))
		return -EINVAL;
	v->fpu.xcr0_accum = r->xcr0_accum;
	memcpy(v->fpu.area, &r->save_area, image);
	memset((uint8_t *)v->fpu.area + image, 0, host_cpu.xsave_size - image);
	return 0;
}

/* --- CPU_MSR ----------------------------------------------------------------------------------- */

#define MSR_RECORD_ENTRIES 32U
#define MSR_RECORD_BYTES \
	(offsetof(struct hvm_msr, msr) + MSR_RECORD_ENTRIES * sizeof(struct hvm_one_msr))

static uint32_t msr_record_bytes(uint32_t count)
{
	return (uint32_t)(offsetof(struct hvm_msr, msr) + count * sizeof(struct hvm_one_msr));
}

/* Registers that are not in the record CPU and hold something. */
static int msrs_save(const struct hvm_instance *at, void *buf)
{
	const struct vcpu *v = at->v;
	struct hvm_msr *r = buf;

	if (!v->hvm.misc_features)
		return -ENOENT;
	r->count = 1;
	r->msr[0].index = MSR_MISC_FEATURES;
	r->msr[0].val = v->hvm.misc_features;
	return (int)msr_record_bytes(1);
}

/* Other savers write registers that are not here: a value of zero loses nothing. */
static int msrs_load(const struct hvm_instance *at, const void *buf)
{
	struct domain *d = at->d;
	struct vcpu *v = at->v;
	const struct hvm_msr *r = buf;

	if (at->len < msr_record_bytes(0) || r->count > MSR_RECORD_ENTRIES ||
	    at->len != msr_record_bytes(r->count))
		return -EINVAL;
	for (uint32_t i = 0; i < r->count; i++) {
		if (r->msr[i]._rsvd)
			return -EINVAL;
		if (r->msr[i].val && (r->msr[i].index != MSR_MISC_FEATURES ||
				      hvm_wrmsr(v, r->msr[i].index, r->msr[i].val))) {
			printk(LOG_ERR "d%uv%u: MSR %#x of the saved state cannot be %#lx\n",
			       d->domid, v->id, r->msr[i].index, r->msr[i].val);
			return -ENXIO;
		}
	}
	return 0;
}

/* The header gives the last two types a code but no DECLARE_HVM_SAVE_TYPE, because their length varies. */
#define ROW(rec, code, max, save_fn, load_fn, check_fn)                                \
	{                                                                              \
		.name = rec, .type = code, .instances = SAVE_PER_VCPU, .max_len = max, \
		.save = save_fn, .load = load_fn, .check = check_fn                    \
	}

static const struct hvm_record records[] = {
	ROW("CPU", HVM_SAVE_CODE(CPU), sizeof(struct hvm_hw_cpu), cpu_save, cpu_load,
	    cpu_record_check),
	HVM_RECORD(MTRR, SAVE_PER_VCPU, sizeof(struct hvm_hw_mtrr), mtrr_save, mtrr_load),
	ROW("CPU_XSAVE", CPU_XSAVE_CODE, XSAVE_RECORD_MAX, xsave_save, xsave_load, xsave_check),
	ROW("CPU_MSR", CPU_MSR_CODE, MSR_RECORD_BYTES, msrs_save, msrs_load, NULL),
};

const struct hvm_unit cpu_unit = {
	.name = "processors",
	.needs = UNIT_ANY,
	UNIT_SAVES(records),
};
