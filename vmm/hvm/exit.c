// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What exits mean, for both vendors: instructions that are emulated by one short path each. Port and
 * memory accesses are in io.c and emulate.c.
 */
#include "abi.h"
#include "log.h"
#include "guest_access.h"
#include "vmm/hvm/hvm.h"
#include "internal.h"
#include "policy_private.h"
#include "viridian.h"

#define STOP_LINE_BYTES 160

/* The guest's own DR6 may be in the CPU. Nothing here concerns translations: they stay. */
void hvm_inject_debug(struct vcpu *v, uint64_t dr6)
{
	hvm_get_state(v, HVM_DRS);
	v->dr6 |= dr6;
	hvm_set_state(v, HVM_DRS);
	hvm_inject_exception(v, X86_EXC_DB, false, 0);
}

/* Only code of 16 and 32 bits is to be kept from passing 4 GiB. Rare, and kept out of the way of all exits. */
static __noinline uint64_t rip_past_4g(struct vcpu *v, uint64_t rip)
{
	return hvm_code64(v) ? rip : (uint32_t)rip;
}

/* Past a completed instruction: RF and the interrupt shadow end with it. */
void hvm_advance_rip(struct vcpu *v, unsigned int insn_len)
{
	uint64_t rip = v->regs.rip + insn_len;

	if (unlikely((rip ^ v->regs.rip) >> 32))
		rip = rip_past_4g(v, rip);
	v->regs.rip = rip;
	v->regs.rflags &= ~X86_EFLAGS_RF;
	*v->hvm.shadow = 0;
	if (unlikely(v->regs.rflags & X86_EFLAGS_TF))
		hvm_inject_debug(v, X86_DR6_BS);
}

bool hvm_cpuid_faults(struct vcpu *v)
{
	return unlikely(v->hvm.misc_features & MISC_CPUID_FAULTING) && hvm_cpl(v);
}

void hvm_exit_cpuid(struct vcpu *v, unsigned int insn_len)
{
	uint32_t out[4];

	if (hvm_cpuid_faults(v)) {
		hvm_inject_gp(v);
		return;
	}
	hvm_cpuid(v, (uint32_t)v->regs.gpr[X86_RAX], (uint32_t)v->regs.gpr[X86_RCX], out);
	v->regs.gpr[X86_RAX] = out[0];
	v->regs.gpr[X86_RBX] = out[1];
	v->regs.gpr[X86_RCX] = out[2];
	v->regs.gpr[X86_RDX] = out[3];
	hvm_advance_rip(v, insn_len);
}

void hvm_exit_rdmsr(struct vcpu *v, unsigned int insn_len)
{
	uint64_t value;

	if (hvm_rdmsr(v, (uint32_t)v->regs.gpr[X86_RCX], &value)) {
		hvm_inject_gp(v);
		return;
	}
	v->regs.gpr[X86_RAX] = (uint32_t)value;
	v->regs.gpr[X86_RDX] = value >> 32;
	hvm_advance_rip(v, insn_len);
}

void hvm_exit_wrmsr(struct vcpu *v, unsigned int insn_len)
{
	uint64_t value = (uint32_t)v->regs.gpr[X86_RAX] | v->regs.gpr[X86_RDX] << 32;

	if (hvm_wrmsr(v, (uint32_t)v->regs.gpr[X86_RCX], value))
		hvm_inject_gp(v);
	else
		hvm_advance_rip(v, insn_len);
}

/* Guests could fill the log with this. */
static void report_stop(const struct vcpu *v, const char *what)
{
	struct domain *d = v->domain;

	if (d->is_dom0 || debug_port_may_print(d, STOP_LINE_BYTES))
		guest_printk(LOG_INFO "d%uv%u: stops by HLT with interrupts off at %lx%s\n",
			     d->domid, v->id, v->regs.rip, what);
}

static bool all_stopped(const struct domain *d)
{
	struct vcpu *v;

	for_each_vcpu(d, v)
		if (!(__atomic_load_n(&v->pause_flags, __ATOMIC_SEQ_CST) & (VPF_DOWN | VPF_DEAF)))
			return false;
	return true;
}

/* As on a PC: halted until an NMI or INIT. Many systems end like this, and some only wait so for a while. */
static void halt_deaf(struct vcpu *v)
{
	struct domain *d = v->domain;

	vcpu_block(v, VPF_DEAF);
	/* What came before the flag was set has woken nobody. */
	if (READ_ONCE(v->hvm.nmi_pending))
		vcpu_wake(v, VCPU_ATT_NMI);
	else if (READ_ONCE(v->hvm.init_sipi))
		vcpu_wake(v, VCPU_ATT_INIT);
	else if (all_stopped(d) && !__atomic_exchange_n(&d->hvm.halt_said, true, __ATOMIC_SEQ_CST))
		report_stop(
			v,
			": all its CPUs stand so, until \"xl trigger\", \"xl reboot -F\" or \"xl destroy\"");
}

/*
 * Halted with interrupts off only an NMI or INIT can wake it. In a PVH guest, as Xen's ABI has it, the vCPU is down then:
 * Linux's power-off ends like this.
 */
void hvm_halt(struct vcpu *v)
{
	if (READ_ONCE(v->hvm.nmi_pending))
		return;
	if (v->regs.rflags & X86_EFLAGS_IF) {
		vcpu_block(v, VPF_BLOCKED);
	} else if (v->domain->is_pvh || v->domain->is_dom0) {
		report_stop(v, "");
		vcpu_down(v);
	} else {
		halt_deaf(v);
	}
}

void hvm_exit_hlt(struct vcpu *v, unsigned int insn_len)
{
	hvm_advance_rip(v, insn_len);
	hvm_halt(v);
}

bool (*hypercall_entry)(struct vcpu *v);

void hvm_exit_hypercall(struct vcpu *v, unsigned int insn_len)
{
	uint64_t rip = v->regs.rip;

	if (unlikely(viridian_is_call(v))) {
		viridian_call(v, insn_len);
		return;
	}
	/* A handler that is to be continued, refuses by a fault, or replaced the vCPU's state, leaves no instruction to skip. */
	if (!hypercall_entry(v) && v->regs.rip == rip)
		hvm_advance_rip(v, insn_len);
}

void hvm_exit_ud(struct vcpu *v, unsigned int insn_len)
{
	uint64_t at;
	uint8_t b[3];

	(void)insn_len;
	/* 64-bit code has no base, whatever its descriptor says. */
	at = hvm_code64(v) ? v->regs.rip : (uint32_t)(hvm_seg(v, X86_SEG_CS)->base + v->regs.rip);
	if (!guest_linear_copy(v, at, b, sizeof(b), PFEC_I, NULL) && b[0] == 0x0f && b[1] == 0x01 &&
	    b[2] == hvm_hypercall_byte(false))
		hvm_exit_hypercall(v, sizeof(b));
	else
		hvm_inject_ud(v);
}

/* Caches are coherent with all that a guest can reach: nothing to write back for it. */
void hvm_exit_wbinvd(struct vcpu *v, unsigned int insn_len)
{
	if (v->domain->is_dom0)
		__asm__ volatile("wbinvd" ::: "memory");
	hvm_advance_rip(v, insn_len);
}

void hvm_exit_inject_ud(struct vcpu *v, unsigned int insn_len)
{
	(void)insn_len;
	hvm_inject_ud(v);
}

void hvm_exit_inject_gp(struct vcpu *v, unsigned int insn_len)
{
	(void)insn_len;
	hvm_inject_gp(v);
}

void hvm_exit_inject_ac(struct vcpu *v, unsigned int insn_len)
{
	(void)insn_len;
	hvm_inject_exception(v, X86_EXC_AC, true, 0);
}

void hvm_exit_inject_db(struct vcpu *v, unsigned int insn_len)
{
	(void)insn_len;
	hvm_inject_exception(v, X86_EXC_DB, false, 0);
}

void hvm_exit_machine_check(struct vcpu *v, unsigned int insn_len)
{
	(void)v;
	(void)insn_len;
	__asm__ volatile("int $18");
}

void hvm_exit_interrupt(struct vcpu *v, unsigned int insn_len)
{
	(void)v;
	(void)insn_len;
	this_cpu_raise(SOFTIRQ_IRQ_WINDOW);
}

void hvm_exit_nothing(struct vcpu *v, unsigned int insn_len)
{
	(void)v;
	(void)insn_len;
}

void hvm_exit_xsetbv(struct vcpu *v, unsigned int insn_len)
{
	uint64_t value = (uint32_t)v->regs.gpr[X86_RAX] | v->regs.gpr[X86_RDX] << 32;

	if (!host_cpu.xsave || !(v->cr4 & X86_CR4_OSXSAVE)) {
		hvm_inject_ud(v);
		return;
	}
	if (hvm_cpl(v) || (uint32_t)v->regs.gpr[X86_RCX] || hvm_set_xcr0(v, value)) {
		hvm_inject_gp(v);
		return;
	}
	hvm_advance_rip(v, insn_len);
}

int hvm_set_xcr0(struct vcpu *v, uint64_t value)
{
	if (!policy_xcr0_ok(v->domain->cpu_policy, value))
		return -EINVAL;
	/* A record is loaded by somebody else, whose register this is. */
	fpu_set_xcr0(&v->fpu, value, v == current_vcpu());
	return 0;
}

/* Contributory exceptions, and what two in a row become: SDM volume 3, table 6-5. */
static bool contributory(uint8_t vector)
{
	return vector == X86_EXC_DE || (vector >= X86_EXC_TS && vector <= X86_EXC_GP);
}

void hvm_inject_exception(struct vcpu *v, uint8_t vector, bool has_error, uint32_t error_code)
{
	struct hvm_event *e = &v->hvm.event;

	if (unlikely(e->type == HVM_EVENT_EXC)) {
		if (e->vector == X86_EXC_DF) {
			hvm_exit_triple_fault(v, 0);
			return;
		}
		if ((contributory(e->vector) && contributory(vector)) ||
		    (e->vector == X86_EXC_PF && (contributory(vector) || vector == X86_EXC_PF))) {
			vector = X86_EXC_DF;
			has_error = true;
			error_code = 0;
		}
	}
	/* Real mode pushes no error codes. */
	*e = (struct hvm_event){
		.type = HVM_EVENT_EXC,
		.vector = vector,
		.error_code = error_code,
		.has_error = has_error && (v->cr0 & X86_CR0_PE),
		.cr2 = v->cr2,
	};
}

void hvm_inject_page_fault(struct vcpu *v, uint32_t error_code, uint64_t la)
{
	hvm_inject_exception(v, X86_EXC_PF, true, error_code & 0x3f);
	if (v->hvm.event.vector == X86_EXC_PF)
		v->hvm.event.cr2 = la;
}

void hvm_exit_triple_fault(struct vcpu *v, unsigned int insn_len)
{
	struct domain *d = v->domain;

	(void)insn_len;
	guest_printk(LOG_WARN "d%uv%u: triple fault at rip %lx\n", d->domid, v->id, v->regs.rip);
	if (d->is_dom0)
		vcpu_dump(v);
	domain_shutdown(d, (unsigned int)READ_ONCE(d->hvm.params[HVM_PARAM_TRIPLE_FAULT_REASON]));
}
