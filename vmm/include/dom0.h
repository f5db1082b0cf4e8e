/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Domain 0: its memory, its kernel, its tables, and the physical interrupts that are its own. */
#ifndef PLINTH_DOM0_H
#define PLINTH_DOM0_H

#include "domain.h"

/* Choose dom0's machine memory from host_e820; called by mm_init (dom0/memory.c). */
void dom0_reserve_memory(void);
/* Build and start dom0; panics with a reason when it cannot (dom0/build.c). Called at the end of boot. */
void domain0_start(void);

/* A physical interrupt with a dom0 vector came in on this CPU (dom0/irq.c). */
void dom0_irq_arrived(uint8_t vector);
/* dom0's vCPU wrote EOI for a vector in its vLAPIC. */
void dom0_irq_eoi(struct vcpu *v, uint8_t vector);
/* The vLAPIC was disabled or reset, the vCPU went down, or dom0 died: EOI all that is pending. */
void dom0_irq_drain(struct vcpu *v);
/* OR physical IRR bits of dom0 vectors into a vIRR read; reg index 0..7. */
uint32_t dom0_irq_irr(struct vcpu *v, unsigned int word);

/* Machine frames of dom0's own memory (dom0 never loses them). */
bool dom0_owns_mfn(mfn_t mfn);
/* First touch of a hole by dom0: map its device memory 1:1. False when RAM stands there, or a hole. */
bool dom0_map_mmio(struct domain *d, gfn_t gfn);
/* Is gfn one that dom0 may map foreign or grant frames at (not MMIO, not RAM in use)? 0 or -EBUSY/-EINVAL. */
int dom0_check_map_target(gfn_t gfn);
/* The dom0_mem= that XENVER_commandline reports. */
extern char dom0_reported_cmdline[];

#endif
