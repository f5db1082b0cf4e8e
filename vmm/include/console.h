/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VMM's console (vmm/console/console.c): the log on the serial line and on the screen until dom0 takes it, and
 * the switch of typed input between dom0 and the debug keys.
 */
#ifndef PLINTH_CONSOLE_H
#define PLINTH_CONSOLE_H

#include "log.h"

/* Parse options, find the devices, print what the ring already holds. BSP, once. */
void console_init(void);
/*
 * Timers run from now on: look for typed characters, and let text go out in pieces instead of waiting for the line (unless
 * the option sync_console says so).
 */
void console_start_timers(void);
/* Typed input is dom0's from now on (until switched by Ctrl-A three times). */
void console_input_to_dom0(void);
/* Remap devices whose first mapping was in the boot page tables. */
void console_mm_ready(void);
/* The screen belongs to dom0 from now on, unless vga=keep. */
void console_screen_release(void);
/*
 * Text of dom0's hvc0: to the serial line and screen, not into the log ring. Returns how many characters found room; the
 * rest is to be offered again when the line has taken some.
 */
size_t console_dom0_write(const char *buf, size_t len);
/* Typed characters meant for dom0; returns how many were copied. */
size_t console_dom0_read(char *buf, size_t max);

/*
 * Called from the run loop, no locks held, after output was added to the log (VIRQ_CON_RING), or
 * when input for dom0 waits (VIRQ_CONSOLE). Set once, before dom0 runs.
 */
extern void (*console_output_hook)(void);
extern void (*console_input_hook)(void);

/* Queue a debug key; it runs on the BSP from the run loop. */
void console_debug_key(char key);
/* Run the queued keys, and see to the rest of what was printed: SOFTIRQ_KEY. */
void console_run_keys(void);

/* Ports of the console's UART, which dom0 must not see; false = no serial console. */
bool serial_ports(uint16_t *first, uint16_t *count);

#endif
