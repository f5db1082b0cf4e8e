/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ports lead to the UART of world.c; a CPU that stops, and control registers, to test_panic.c. */
#include "cpu.h"

uint8_t uart_in(uint16_t port);
void uart_out(uint16_t port, uint8_t value);

#define inb  uart_in
#define outb uart_out

void stopped_cpu(void);

#define cpu_halt   stopped_cpu
#define read_cr0() 0UL
#define read_cr2() 0UL
#define read_cr3() 0UL
#define read_cr4() 0UL
