/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What other rooms use of vmm/cpu beside what is everybody's: steps of the start, and the run loop's part. */
#ifndef PLINTH_CPU_CPU_H
#define PLINTH_CPU_CPU_H

#include "vmm/include/cpu.h"
#include "boot.h"
#include "timer.h"

/* cpuid.c: fill host_cpu (BSP); set CR0, CR4, EFER, PAT, XCR0 of this CPU. */
void cpuid_init(void);
void cpu_control_init(void);

/* handover.c: mask the 8259s and every IO-APIC entry. */
void handover_mask_interrupts(void);

/* lapic.c: find the mode and map the registers (BSP). */
void lapic_init(void);
uint32_t lapic_id(void);

/* time.c: choose and measure the TSC; read the machine's clock. BSP. */
void time_init(void);
void wallclock_init(void);

/* timer.c */
void timers_init_cpu(struct cpu *c);
/* Run what is due on this CPU and arm the hardware: SOFTIRQ_TIMER. */
void timers_run(void);
/* At most `max` of a CPU's timers on the console, from the one number `first` on. True: there are more. */
bool timers_dump_cpu(unsigned int cpu, unsigned int first, unsigned int max);

/* smpboot.c: start the other CPUs; each of them ends up in loop. */
void smpboot_start_all(void (*loop)(void));

/* acpi.c: find the RSDP (boot page tables), then the tables (after mm_init_allocator). */
void acpi_find_rsdp(void);
void acpi_init(void);

#endif
