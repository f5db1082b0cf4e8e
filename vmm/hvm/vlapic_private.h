/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the three files of the virtual local APIC. */
#ifndef PLINTH_VLAPIC_PRIVATE_H
#define PLINTH_VLAPIC_PRIVATE_H

#include "vlapic.h"

/* Error status: SDM volume 3, 11.5.3; APM volume 2, 16.4.6. */
#define ESR_SENT_ILLEGAL     BIT(5)
#define ESR_RECEIVED_ILLEGAL BIT(6)
#define ESR_ILLEGAL_REGISTER BIT(7)
#define VECTOR_LEGAL	     16U /* and above */

/*
 * Any CPU: these bits are in ESR after its next write, and LVTERR raises its interrupt for one that did not wait there
 * already. A vector of LVTERR that is illegal itself is received as such and raises nothing.
 */
void vlapic_error(struct vlapic *a, uint32_t bits);

#define BUS_NS_PER_TICK 1 /* of the timer: 1 GHz */

/* vlapic_timer.c */
void vlapic_timer_init(struct vlapic *a);
void vlapic_timer_stop(struct vlapic *a);
void vlapic_timer_start(struct vlapic *a, uint32_t initial_count);
void vlapic_timer_divide(struct vlapic *a, uint32_t tdcr);
/* Writes LVTT. */
void vlapic_timer_lvt(struct vlapic *a, uint32_t lvtt);
uint32_t vlapic_timer_count(struct vlapic *a);
/* The registers were loaded: go on from the current-count register, or from tsc_deadline. Paused. */
void vlapic_timer_restore(struct vlapic *a);
uint64_t vlapic_tsc_deadline(const struct vlapic *a);
void vlapic_set_tsc_deadline(struct vlapic *a, uint64_t deadline);

/* vlapic_ipi.c */
uint32_t vlapic_id(const struct vlapic *a);
void vlapic_send_ipi(struct vlapic *a, uint32_t icr_low, uint32_t icr_high);

#endif
