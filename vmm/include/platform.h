/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Boot steps and machine parts that only the platform code itself calls (boot/, cpu/, mm/,
 * console/).
 */
#ifndef PLINTH_PLATFORM_H
#define PLINTH_PLATFORM_H

#include "boot.h"
#include "cpu.h"
#include "timer.h"

/* cpu/cpuid.c: fill host_cpu (BSP); set CR0, CR4, EFER, PAT, XCR0 of this CPU. */
void cpuid_init(void);
void cpu_control_init(void);

/* cpu/handover.c: mask the 8259s and every IO-APIC entry. */
void handover_mask_interrupts(void);

/* cpu/lapic.c: find the mode and map the registers (BSP). */
void lapic_init(void);
uint32_t lapic_id(void);

/* cpu/calibrate.c, cpu/time.c */
uint64_t tsc_measure_hz(const char **source);
void time_init(void);
void wallclock_init(void);
/*
 * Pairs of TSC readings: is this CPU's TSC the BSP's? Both sides run it; the BSP gets the
 * verdict.
 */
bool tsc_sync_check_bsp(void);
void tsc_sync_check_ap(void);

/* cpu/timer.c */
void timers_init_cpu(struct cpu *c);
/* Run what is due on this CPU and arm the hardware: SOFTIRQ_TIMER. */
void timers_run(void);
void timers_dump_cpu(unsigned int cpu);

/* cpu/smpboot.c: start the other CPUs; each of them ends up in loop. */
void smpboot_start_all(void (*loop)(void));

/* boot/ */
void boot_main(uint32_t magic, uint32_t info) __noreturn;
/* cpu/acpi.c: find the RSDP (boot page tables), then the tables (after mm_init_allocator). */
void acpi_find_rsdp(void);
void acpi_init(void);

#endif
