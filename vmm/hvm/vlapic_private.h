/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the three files of the virtual local APIC. */
#ifndef PLINTH_VLAPIC_PRIVATE_H
#define PLINTH_VLAPIC_PRIVATE_H

#include "vlapic.h"

/* vlapic_timer.c */
void vlapic_timer_init(struct vlapic *a);
void vlapic_timer_stop(struct vlapic *a);
void vlapic_timer_start(struct vlapic *a, uint32_t initial_count);
void vlapic_timer_divide(struct vlapic *a, uint32_t tdcr);
/* LVTT is about to become lvtt. */
void vlapic_timer_mode(struct vlapic *a, uint32_t lvtt);
uint32_t vlapic_timer_count(struct vlapic *a);
/* The registers were loaded: go on from the current-count register, or from tsc_deadline. Paused. */
void vlapic_timer_restore(struct vlapic *a);
uint64_t vlapic_tsc_deadline(const struct vlapic *a);
void vlapic_set_tsc_deadline(struct vlapic *a, uint64_t deadline);

/* vlapic_ipi.c */
uint32_t vlapic_id(const struct vlapic *a);
void vlapic_send_ipi(struct vlapic *a, uint32_t icr_low, uint32_t icr_high);

#endif
