/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A CPU's 32 KiB block (cpu/desc.c has the picture) and its creation. */
#ifndef PLINTH_STACK_H
#define PLINTH_STACK_H

#include "cpu.h"

#define STACK_NMI_TOP	0x2000UL
#define STACK_FATAL_TOP 0x3000UL
#define STACK_GUARD	0x3000UL /* one page, not mapped */
#define STACK_BOTTOM	0x4000UL

#endif
