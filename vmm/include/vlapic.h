/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual local APIC (hvm/vlapic.c): a 4 KiB register page in Intel's layout, xAPIC and x2APIC, timer
 * with one-shot, periodic and TSC-deadline. SDM volume 3, chapter "APIC".
 */
#ifndef PLINTH_VLAPIC_H
#define PLINTH_VLAPIC_H

#include "domain.h"
#include "lib/x86_apic.h"

struct vlapic {
	struct vcpu *vcpu;
	uint8_t *regs; /* the register page */
	struct page *regs_page;
	uint64_t base_msr; /* IA32_APIC_BASE; others look at it */
	struct timer timer;
	uint64_t timer_last_ns; /* when the count began, system time */
	uint64_t period_ns;	/* 0 = one-shot */
	uint64_t tsc_deadline;	/* guest TSC, 0 = off */
	uint64_t untaken_ns;	/* since when a periodic tick waits to be taken, 0 = none does */
	uint32_t esr_pending;	/* errors since the last write of ESR (atomic) */
	bool irr_maybe;		/* IRR may be non-empty: cheap test before a scan (atomic) */
	spinlock_t lock;	/* timer and mode */
};

static inline uint32_t vlapic_get(const struct vlapic *a, unsigned int reg)
{
	return *(const volatile uint32_t *)(a->regs + reg);
}
static inline void vlapic_set(struct vlapic *a, unsigned int reg, uint32_t v)
{
	*(volatile uint32_t *)(a->regs + reg) = v;
}
static inline bool vlapic_x2apic(const struct vlapic *a)
{
	return READ_ONCE(a->base_msr) & BIT(10);
}
static inline bool vlapic_hw_enabled(const struct vlapic *a)
{
	return READ_ONCE(a->base_msr) & BIT(11);
}
static inline bool vlapic_sw_enabled(const struct vlapic *a)
{
	return vlapic_get(a, APIC_SPIV) & BIT(8);
}
static inline bool vlapic_enabled(const struct vlapic *a)
{
	return vlapic_hw_enabled(a) && vlapic_sw_enabled(a);
}

/* Highest set bit of a 256-bit bank (APIC_ISR, APIC_TMR, APIC_IRR), -1 = none. */
int vlapic_highest(const struct vlapic *a, unsigned int bank);
/* Own vCPU: 32-bit register access at byte offset reg (16-byte aligned). */
void vlapic_write(struct vlapic *a, unsigned int reg, uint32_t v);

/*
 * Any CPU: a vector becomes pending; level sets TMR; below 16 it is an error. Wakes the vCPU. It is kept while the vLAPIC is disabled by
 * software (event channel upcalls rely on that); messages from the bus go through vlapic_deliver, which drops
 * them then. False: it was pending already.
 */
bool vlapic_set_irq(struct vlapic *a, uint8_t vector, bool level);
/* Is this vector, edge-triggered, in service alone, and nothing else requested? */
bool vlapic_alone(const struct vlapic *a, uint8_t vector);
/* The rest of an EOI whose vector has left the ISR already. */
void vlapic_eoi_done(struct vlapic *a, uint8_t vector);
uint8_t vlapic_tpr(const struct vlapic *a);
void vlapic_set_tpr(struct vlapic *a, uint8_t tpr);

#endif
