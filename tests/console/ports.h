/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ports lead to the UART of world.c. */
#include "cpu.h"

uint8_t uart_in(uint16_t port);
void uart_out(uint16_t port, uint8_t value);

#define inb  uart_in
#define outb uart_out
