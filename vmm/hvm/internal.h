/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of vmm/hvm: exits, processor state, MSRs and the local APIC, as other rooms need not know them. */
#ifndef PLINTH_HVM_INTERNAL_H
#define PLINTH_HVM_INTERNAL_H

#include "hvm_ops.h"
#include "vlapic.h"

/* HLT was done and RIP is behind it: sleep, or stop if interrupts are off. Own vCPU. */
void hvm_halt(struct vcpu *v);
/* Restart the emulation that waited for a device model. */
void hvm_emulate_again(struct vcpu *v);
/* The device model answered a plain load or store (v->hvm.io->mmio): finish the instruction. */
void hvm_mmio_complete(struct vcpu *v);
/* As hvm_inject_exception(), with CR2. */
void hvm_inject_page_fault(struct vcpu *v, uint32_t error_code, uint64_t la);
/* #DB as a trap: these bits of DR6 are set as well. */
void hvm_inject_debug(struct vcpu *v, uint64_t dr6);
/* The instruction is done: RIP goes behind it, the interrupt shadow ends, and a single step traps. */
void hvm_advance_rip(struct vcpu *v, unsigned int insn_len);
/*
 * Control registers, for hvm_exit_cr() and the emulator: cr 0, 2, 3, 4, 8. Writing makes the processor's checks, also
 * of PDPTEs, then the state. 0, -EINVAL: #GP.
 */
uint64_t hvm_cr_read(struct vcpu *v, unsigned int cr);
int hvm_cr_write(struct vcpu *v, unsigned int cr, uint64_t value);
/* The same without a look at PDPTEs; the register EFER. */
int hvm_set_cr3(struct vcpu *v, uint64_t value);
int hvm_set_efer(struct vcpu *v, uint64_t value);
/* False: WRMSR would refuse one of the SYSCALL and KernelGSbase registers. */
bool hvm_msr_state_ok(const struct hvm_msr_state *s);
/* As XSETBV does. 0, -EINVAL: #GP. */
int hvm_set_xcr0(struct vcpu *v, uint64_t value);
/* MSRs (hvm/msr.c). 0, -EINVAL = #GP. */
int hvm_rdmsr(struct vcpu *v, uint32_t msr, uint64_t *value);
int hvm_wrmsr(struct vcpu *v, uint32_t msr, uint64_t value);
/* CPUID as the guest sees it (hvm/policy.c), including what depends on v's state. */
void hvm_cpuid(struct vcpu *v, uint32_t leaf, uint32_t sub, uint32_t out[4]);
/* Has the guest asked for #GP where code of v's present privilege executes CPUID? */
bool hvm_cpuid_faults(struct vcpu *v);
/* Decide on injection before an entry (hvm/intr.c): NMI, PIC, LAPIC, event upcall. */
void hvm_intr_assist(struct vcpu *v);
/* Does an ioreq or an emulation still wait? Completes what is done. False = v must not enter. */
bool hvm_io_resume(struct vcpu *v);
/* Registers and segments in readable form on the console. */
void vcpu_dump(struct vcpu *v);
/* INIT and start-up IPI from any CPU: noted, served by the vCPU itself. */
void hvm_vcpu_reset_init(struct vcpu *v);
void hvm_vcpu_startup_ipi(struct vcpu *v, uint8_t vector);
/* Own vCPU, on VCPU_ATT_INIT: act on a pending INIT or start-up IPI. False: it is down now. */
bool hvm_vcpu_serve_init(struct vcpu *v);
/* The state alone, with eip and ebx 0: v does not count as having one, and cannot run. */
void hvm_vcpu_reset_flat32(struct vcpu *v);

/* --- local APIC ---------------------------------------------------------------------------------- */

/* v->hvm.vlapic in the state after power-on. 0 or -ENOMEM. */
int vlapic_init(struct vcpu *v);
/* v does not run again. Also after vlapic_init() failed. */
void vlapic_fini(struct vcpu *v);
void vlapic_reset(struct vlapic *a); /* power-on and INIT */
/* Own vCPU: 32-bit register access at byte offset reg (16-byte aligned). Locks: as vlapic_pending(). */
uint32_t vlapic_read(struct vlapic *a, unsigned int reg);
/* x2APIC MSRs 0x800-0x8ff and IA32_APIC_BASE, IA32_TSC_DEADLINE: 0 or -EINVAL. */
int vlapic_rdmsr(struct vlapic *a, uint32_t msr, uint64_t *v);
int vlapic_wrmsr(struct vlapic *a, uint32_t msr, uint64_t v);
/* The processor priority, as the registers say just now: without effect on them, of any vCPU, with any lock held. */
uint8_t vlapic_ppr(const struct vlapic *a);
/* Highest vector deliverable now (above PPR), -1 = none. Own vCPU or paused; no lock of the order of P2M or above is held. */
int vlapic_pending(struct vlapic *a);
/* It is being delivered: IRR -> ISR. */
void vlapic_ack(struct vlapic *a, uint8_t vector);
/* Does a message with this destination address the vLAPIC? */
bool vlapic_match_dest(const struct vlapic *a, uint32_t dest, bool logical, bool dest_is_32bit);
/* An IPI, MSI or IO-APIC message to all matching vCPUs of d. delivery mode as in the ICR. */
void vlapic_deliver(struct domain *d, struct vlapic *source, uint32_t dest, bool logical,
		    bool dest32, uint8_t delivery_mode, uint8_t vector, bool level,
		    uint8_t shorthand);
/* Accepts the PIC's INTR (LVT0 ExtINT unmasked, or APIC disabled). */
bool vlapic_accepts_pic(const struct vlapic *a);
/* Guest TSC or its offset changed: re-arm a TSC deadline. */
void vlapic_tsc_changed(struct vlapic *a);

#endif
