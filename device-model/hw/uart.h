/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A 16550A UART (National Semiconductor PC16550D data sheet) as pure logic: registers in, bytes
 * out. uart_isa.c puts it on ports, an interrupt line, timers and a chardev.
 */
#ifndef DM_HW_UART_H
#define DM_HW_UART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UART_FIFO 16u

struct uart_ops {
	void (*set_irq)(void *opaque, bool level);
	/* Give bytes to the line; the number taken. */
	size_t (*transmit)(void *opaque, const uint8_t *buf, size_t len);
	void (*send_break)(void *opaque);
	/* There is room to receive again. */
	void (*accept)(void *opaque);
	/* Call uart_transmit_done / uart_receive_timeout in this many ns; 0 cancels. */
	void (*transmit_timer)(void *opaque, uint64_t ns);
	void (*receive_timer)(void *opaque, uint64_t ns);
};

struct uart {
	const struct uart_ops *ops;
	void *opaque;
	uint8_t ier, fcr, lcr, mcr, lsr, msr, scr;
	uint16_t divisor;
	uint8_t rx[UART_FIFO], tx[UART_FIFO];
	uint8_t rx_head, rx_count, tx_count;
	bool thre_pending;    /* the transmitter-empty interrupt has not been seen */
	bool timeout_pending; /* characters below the trigger level have waited long enough */
};

void uart_reset(struct uart *u);
uint8_t uart_read(struct uart *u, unsigned int reg);
void uart_write(struct uart *u, unsigned int reg, uint8_t value);

/* From the line. receive: at most uart_can_receive() bytes. */
size_t uart_can_receive(const struct uart *u);
void uart_receive(struct uart *u, const uint8_t *buf, size_t len);
void uart_receive_break(struct uart *u);
void uart_transmit_done(struct uart *u);
void uart_receive_timeout(struct uart *u);
/* Raise or lower the line for the state as it is (after a restore). */
void uart_update(struct uart *u);

#endif
