// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A vCPU's processor state at its beginnings: power-on, INIT, start-up IPI, and the flat 32-bit start of
 * PVH kernels and hvmloader. SDM volume 3, table 9-1; xen/arch-x86/hvm/start_info.h.
 */
#include "hvm_io.h"
#include "internal.h"
#include "mtrr.h"
#include "viridian.h"

static void set_seg(struct vcpu *v, enum x86_seg s, uint16_t sel, uint64_t base, uint32_t limit,
		    uint16_t attr)
{
	struct x86_segment seg = { .sel = sel, .attr = attr, .limit = limit, .base = base };

	hvm_set_seg(v, s, &seg);
}

static void reset_control_state(struct vcpu *v, uint64_t cr0)
{
	memset(&v->regs, 0, sizeof(v->regs));
	v->regs.rflags = X86_EFLAGS_MBS;
	v->cr0 = cr0;
	v->cr2 = 0;
	v->cr3 = 0;
	v->cr4 = 0;
	v->efer = 0;
	memset(v->dr, 0, sizeof(v->dr));
	v->dr6 = X86_DR6_RESET;
	v->dr7 = X86_DR7_RESET;
	v->hvm.event.type = HVM_EVENT_NONE;
	WRITE_ONCE(v->hvm.nmi_pending, false);
	v->hvm.nmi_masked = false;
	*v->hvm.shadow = 0;
	memset(&v->hvm.msr, 0, sizeof(v->hvm.msr));
	hvm_set_state(v, HVM_MSRS | HVM_DRS | HVM_CR2 | HVM_CRS);
}

static void set_system_segments(struct vcpu *v)
{
	set_seg(v, X86_SEG_TR, 0, 0, 0xffff, 0x8b);
	set_seg(v, X86_SEG_LDTR, 0, 0, 0xffff, 0x82);
	set_seg(v, X86_SEG_GDTR, 0, 0, 0xffff, 0);
	set_seg(v, X86_SEG_IDTR, 0, 0, 0xffff, 0);
}

static void set_data_segments(struct vcpu *v, uint16_t sel, uint32_t limit, uint16_t attr)
{
	for (enum x86_seg s = X86_SEG_ES; s <= X86_SEG_GS; s++)
		if (s != X86_SEG_CS)
			set_seg(v, s, sel, 0, limit, attr);
}

/* Real mode at cs:ip as after power-on (f000:fff0) or a start-up IPI. */
static void set_real_mode(struct vcpu *v, uint16_t cs, uint64_t cs_base, uint16_t ip)
{
	uint32_t out[4];

	reset_control_state(v, X86_CR0_ET | X86_CR0_CD | X86_CR0_NW);
	set_data_segments(v, 0, 0xffff, 0x93);
	set_seg(v, X86_SEG_CS, cs, cs_base, 0xffff, 0x9b);
	set_system_segments(v);
	v->regs.rip = ip;
	hvm_cpuid(v, 1, 0, out);
	v->regs.gpr[X86_RDX] = out[0];
}

void hvm_vcpu_reset_flat32(struct vcpu *v)
{
	reset_control_state(v, X86_CR0_PE | X86_CR0_ET);
	set_data_segments(v, 0, 0xffffffff, 0xc93);
	set_seg(v, X86_SEG_CS, 0, 0, 0xffffffff, 0xc9b);
	set_system_segments(v);
	set_seg(v, X86_SEG_TR, 0, 0, 0x67, 0x8b);
}

void hvm_vcpu_set_flat32(struct vcpu *v, uint32_t eip, uint32_t ebx)
{
	hvm_vcpu_reset_flat32(v);
	v->regs.rip = eip;
	v->regs.gpr[X86_RBX] = ebx;
	publish(v->initialised, true);
}

int hvm_vcpu_init(struct vcpu *v)
{
	int rc = fpu_init(&v->fpu);

	if (!rc)
		rc = paging_vcpu_init(v);
	if (!rc)
		rc = hvm_ops->vcpu_init(v);
	if (!rc)
		rc = vlapic_init(v);
	if (!rc)
		rc = mtrr_init(v);
	if (!rc)
		rc = hvm_io_vcpu_init(v);
	if (rc)
		return rc;
	v->hvm.pat = PAT_RESET;
	set_real_mode(v, 0xf000, 0xffff0000, 0xfff0);
	return 0;
}

void hvm_vcpu_fini(struct vcpu *v)
{
	hvm_io_vcpu_fini(v);
	mtrr_fini(v);
	vlapic_fini(v);
	if (v->vendor)
		hvm_ops->vcpu_fini(v);
	paging_vcpu_fini(v);
	fpu_free(&v->fpu);
}

/*
 * INIT and start-up IPIs only leave a note; the vCPU itself acts on it before its next entry. So no CPU
 * ever waits for another vCPU to stop, whatever guests send to each other. The model is tests/model/sipi.pml.
 */
void hvm_vcpu_reset_init(struct vcpu *v)
{
	uint32_t inits;

	/* It waits for a start-up IPI already. With a note left, and that is to be looked at first, it may be down for a moment. */
	if (!__atomic_load_n(&v->hvm.init_sipi, __ATOMIC_SEQ_CST) &&
	    (__atomic_load_n(&v->pause_flags, __ATOMIC_SEQ_CST) & VPF_DOWN))
		return;
	/* No two of them leave the same note: a start-up IPI in between would not be seen. */
	inits = __atomic_fetch_add(&v->hvm.inits, HVM_INIT_ONE, __ATOMIC_SEQ_CST);
	__atomic_store_n(&v->hvm.init_sipi, inits | HVM_INIT_PENDING, __ATOMIC_SEQ_CST);
	vcpu_wake(v, VCPU_ATT_INIT);
}

/*
 * A limit: a sender that is held up behind its note, while the vCPU starts and another sender's INIT takes it down again,
 * then takes that away, and the vCPU goes on at the reset vector. That is the guest's own trouble only.
 */
void hvm_vcpu_startup_ipi(struct vcpu *v, uint8_t vector)
{
	uint32_t note = __atomic_load_n(&v->hvm.init_sipi, __ATOMIC_SEQ_CST), start;

	do {
		/* A second start-up IPI, or one to a CPU that runs: ignored. */
		if ((note & HVM_SIPI_PENDING) ||
		    (!note && !(__atomic_load_n(&v->pause_flags, __ATOMIC_SEQ_CST) & VPF_DOWN)))
			return;
		start = note | HVM_INIT_PENDING | HVM_SIPI_PENDING | vector;
	} while (!__atomic_compare_exchange_n(&v->hvm.init_sipi, &note, start, false,
					      __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
	publish(v->initialised, true);
	__atomic_fetch_or(&v->attention, VCPU_ATT_INIT, __ATOMIC_SEQ_CST);
	__atomic_fetch_and(&v->pause_flags, ~(uint32_t)VPF_DOWN, __ATOMIC_SEQ_CST);
	sched_vcpu_update(v);
	vcpu_wake(v, VCPU_ATT_INIT);
}

static void start_at(struct vcpu *v, uint8_t vector)
{
	uint16_t cs = (uint16_t)(vector << 8);

	set_real_mode(v, cs, (uint64_t)cs << 4, 0);
	/* The sender has said so, but perhaps before the INIT that came first was served to its end. */
	publish(v->initialised, true);
}

/*
 * After INIT alone only a start-up IPI, or a new state, brings it up: at the reset vector it has nothing to execute. It is
 * down before the note is gone, so that who sends one sees the one or the other.
 */
bool hvm_vcpu_serve_init(struct vcpu *v)
{
	uint32_t what = __atomic_load_n(&v->hvm.init_sipi, __ATOMIC_SEQ_CST);
	bool starts = what & HVM_SIPI_PENDING;

	if (!(what & HVM_INIT_PENDING))
		return true;
	vlapic_reset(v->hvm.vlapic);
	viridian_forget(v);
	set_real_mode(v, 0xf000, 0xffff0000, 0xfff0);
	if (!starts) {
		publish(v->initialised, false);
		__atomic_fetch_or(&v->pause_flags, VPF_DOWN, __ATOMIC_SEQ_CST);
	}
	if (!__atomic_compare_exchange_n(&v->hvm.init_sipi, &what, 0, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST)) {
		/* Another one has come meanwhile, whose sender may not have told so yet: from the beginning. */
		__atomic_fetch_and(&v->pause_flags, ~(uint32_t)VPF_DOWN, __ATOMIC_SEQ_CST);
		vcpu_attention(v, VCPU_ATT_INIT);
		return false;
	}
	if (starts) {
		start_at(v, (uint8_t)what);
		return true;
	}
	sched_vcpu_update(v);
	this_cpu_raise(SOFTIRQ_SCHED);
	return false;
}
