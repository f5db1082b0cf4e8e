/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Domain 0: its memory, its kernel, its tables, and the physical interrupts that are its own. */
#ifndef PLINTH_DOM0_H
#define PLINTH_DOM0_H

#include "domain.h"

/* Choose dom0's machine memory from host_e820; before mm_init_allocator() (dom0/memory.c). */
void dom0_reserve_memory(void);
/* Build and start dom0; panics with a reason when it cannot (dom0/build.c). Called at the end of boot. */
void domain0_start(void);

/* Physical interrupts that are dom0's (dom0/irq.c). */
extern const struct ext_irq_ops dom0_irq_ops;

/* What dom0's map asks: device memory is mapped 1:1 at the first touch, and not all of it may be mapped to. */
extern const struct p2m_hooks dom0_p2m_hooks;
/* The dom0_mem= that XENVER_commandline reports. */
extern char dom0_reported_cmdline[];

#endif
