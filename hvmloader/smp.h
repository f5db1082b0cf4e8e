/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What must be done on every processor of the domain.
 */
#ifndef HVMLOADER_SMP_H
#define HVMLOADER_SMP_H

#include "mtrr.h"

/*
 * Load MTRRs and set the local APIC up on all processors, one after the other, with their numbers as APIC IDs if the
 * hypervisor lets them, and read the IDs into apic_ids[0..nr_vcpus). Processors other than the first are down afterwards.
 */
void smp_setup(uint32_t nr_vcpus, const struct mtrr_plan *plan, uint32_t *apic_ids);

/* IO-APIC identifier, and the PIC's output by its pin 0 to the first processor (virtual wire). */
void smp_setup_ioapic(uint32_t ioapic_id, uint32_t bsp_apic_id);

#endif
