// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * 16550A logic, see uart.h. What is sent leaves in runs: a character is taken at once and the
 * transmitter counts as busy for as long as the line would be, at most at 115200 baud's pace, so
 * that a guest which set 9600 does not have to wait for a pty.
 */
#include "hw/uart.h"

#include <string.h>

#define IER_RX	     0x01u
#define IER_THRE     0x02u
#define IER_LINE     0x04u
#define IER_MODEM    0x08u

#define IIR_NONE     0x01u
#define IIR_MODEM    0x00u
#define IIR_THRE     0x02u
#define IIR_RX	     0x04u
#define IIR_LINE     0x06u
#define IIR_TIMEOUT  0x0cu
#define IIR_FIFO     0xc0u

#define FCR_ENABLE   0x01u
#define FCR_CLEAR_RX 0x02u
#define FCR_CLEAR_TX 0x04u

#define LCR_BREAK    0x40u
#define LCR_DLAB     0x80u

#define MCR_DTR	     0x01u
#define MCR_RTS	     0x02u
#define MCR_OUT1     0x04u
#define MCR_OUT2     0x08u /* gates the interrupt line on a PC */
#define MCR_LOOP     0x10u

#define LSR_DATA     0x01u
#define LSR_OVERRUN  0x02u
#define LSR_PARITY   0x04u
#define LSR_FRAMING  0x08u
#define LSR_BREAK    0x10u
#define LSR_THRE     0x20u
#define LSR_TEMT     0x40u
#define LSR_ERRORS   (LSR_OVERRUN | LSR_PARITY | LSR_FRAMING | LSR_BREAK)

#define MSR_CTS	     0x10u
#define MSR_DSR	     0x20u
#define MSR_RI	     0x40u
#define MSR_DCD	     0x80u
#define MSR_DELTA    0x0fu
#define MSR_LINE     (MSR_CTS | MSR_DSR | MSR_DCD) /* a peer that is always ready */

#define CLOCK_HZ     115200u /* baud rate at divisor 1 */
#define MAX_CHAR_NS  100000u
#define RETRY_NS     10000000u /* the peer takes nothing */

static bool fifo_on(const struct uart *u)
{
	return u->fcr & FCR_ENABLE;
}

static unsigned int trigger_level(const struct uart *u)
{
	static const uint8_t levels[4] = { 1, 4, 8, 14 };

	return fifo_on(u) ? levels[u->fcr >> 6] : 1;
}

/* A character on the line: start, data, parity and stop bits. */
static uint64_t char_ns(const struct uart *u)
{
	unsigned int bits = 1 + 5 + (u->lcr & 3) + (u->lcr & 8 ? 1 : 0) + (u->lcr & 4 ? 2 : 1);
	uint64_t ns = (uint64_t)bits * (u->divisor ? u->divisor : 1) * 1000000000u / CLOCK_HZ;

	return ns < MAX_CHAR_NS ? ns : MAX_CHAR_NS;
}

static uint8_t interrupt_id(const struct uart *u)
{
	if ((u->ier & IER_LINE) && (u->lsr & LSR_ERRORS))
		return IIR_LINE;
	if ((u->ier & IER_RX) && u->rx_count >= trigger_level(u))
		return IIR_RX;
	if ((u->ier & IER_RX) && u->timeout_pending && u->rx_count)
		return IIR_TIMEOUT;
	if ((u->ier & IER_THRE) && u->thre_pending)
		return IIR_THRE;
	if ((u->ier & IER_MODEM) && (u->msr & MSR_DELTA))
		return IIR_MODEM;
	return IIR_NONE;
}

void uart_update(struct uart *u)
{
	u->ops->set_irq(u->opaque, interrupt_id(u) != IIR_NONE && (u->mcr & MCR_OUT2));
}

void uart_reset(struct uart *u)
{
	u->ier = u->fcr = u->lcr = u->scr = 0;
	u->mcr = MCR_OUT2;
	u->lsr = LSR_THRE | LSR_TEMT;
	u->msr = MSR_LINE;
	u->divisor = 12;
	u->rx_head = u->rx_count = u->tx_count = 0;
	u->thre_pending = u->timeout_pending = false;
	u->ops->transmit_timer(u->opaque, 0);
	u->ops->receive_timer(u->opaque, 0);
	uart_update(u);
}

/* ---- receiver ---- */

size_t uart_can_receive(const struct uart *u)
{
	if (u->mcr & MCR_LOOP)
		return 0;
	return (fifo_on(u) ? UART_FIFO : 1) - u->rx_count;
}

static void receive_one(struct uart *u, uint8_t byte)
{
	if (u->rx_count == (fifo_on(u) ? UART_FIFO : 1)) {
		u->lsr |= LSR_OVERRUN;
		/* Without FIFO the new character replaces the old; with it, it is lost. */
		if (!fifo_on(u))
			u->rx[u->rx_head] = byte;
		return;
	}
	u->rx[(u->rx_head + u->rx_count++) % UART_FIFO] = byte;
	u->lsr |= LSR_DATA;
}

static void start_timeout(struct uart *u)
{
	bool wait = fifo_on(u) && u->rx_count && u->rx_count < trigger_level(u);

	u->timeout_pending = false;
	u->ops->receive_timer(u->opaque, wait ? 4 * char_ns(u) : 0);
}

void uart_receive(struct uart *u, const uint8_t *buf, size_t len)
{
	while (len--)
		receive_one(u, *buf++);
	start_timeout(u);
	uart_update(u);
}

void uart_receive_break(struct uart *u)
{
	receive_one(u, 0);
	u->lsr |= LSR_BREAK;
	uart_update(u);
}

void uart_receive_timeout(struct uart *u)
{
	u->timeout_pending = true;
	uart_update(u);
}

static uint8_t read_rbr(struct uart *u)
{
	uint8_t byte = u->rx[u->rx_head];

	if (!u->rx_count)
		return fifo_on(u) ? 0 : byte;
	u->rx_head = (uint8_t)((u->rx_head + 1u) % UART_FIFO);
	if (!--u->rx_count)
		u->lsr &= ~LSR_DATA;
	start_timeout(u);
	if (!(u->mcr & MCR_LOOP))
		u->ops->accept(u->opaque);
	return byte;
}

/* ---- transmitter ---- */

void uart_transmit_done(struct uart *u)
{
	size_t done = u->ops->transmit(u->opaque, u->tx, u->tx_count);

	if (done < u->tx_count) {
		memmove(u->tx, u->tx + done, u->tx_count - done);
		u->tx_count -= (uint8_t)done;
		u->ops->transmit_timer(u->opaque, RETRY_NS);
		return;
	}
	u->tx_count = 0;
	u->lsr |= LSR_THRE | LSR_TEMT;
	u->thre_pending = true;
	uart_update(u);
}

static void write_thr(struct uart *u, uint8_t byte)
{
	size_t capacity = fifo_on(u) ? UART_FIFO : 1;

	u->thre_pending = false;
	if (u->mcr & MCR_LOOP) {
		receive_one(u, byte);
		start_timeout(u);
		u->lsr |= LSR_THRE | LSR_TEMT;
		u->thre_pending = true;
		return;
	}
	if (u->tx_count >= capacity) /* the last one is overwritten, as by the real thing */
		u->tx_count = (uint8_t)(capacity - 1);
	u->tx[u->tx_count++] = byte;
	u->lsr &= ~(LSR_THRE | LSR_TEMT);
	if (u->tx_count == 1)
		u->ops->transmit_timer(u->opaque, char_ns(u));
}

/* ---- modem lines ---- */

static uint8_t modem_lines(const struct uart *u)
{
	if (!(u->mcr & MCR_LOOP))
		return MSR_LINE;
	return (u->mcr & MCR_RTS ? MSR_CTS : 0) | (u->mcr & MCR_DTR ? MSR_DSR : 0) |
	       (u->mcr & MCR_OUT1 ? MSR_RI : 0) | (u->mcr & MCR_OUT2 ? MSR_DCD : 0);
}

static void write_mcr(struct uart *u, uint8_t value)
{
	uint8_t before = u->msr, after, changed;
	bool was_loop = u->mcr & MCR_LOOP;

	u->mcr = value & 0x1f;
	after = modem_lines(u);
	changed = (before ^ after) & 0xf0;
	/* Ring indicator: only its trailing edge counts. */
	if (after & MSR_RI)
		changed &= ~MSR_RI;
	u->msr = (uint8_t)(after | (before & MSR_DELTA) | changed >> 4);
	if (was_loop && !(value & MCR_LOOP))
		u->ops->accept(u->opaque);
}

/* ---- registers ---- */

static void write_fcr(struct uart *u, uint8_t value)
{
	if ((value ^ u->fcr) & FCR_ENABLE)
		value |= FCR_CLEAR_RX | FCR_CLEAR_TX;
	if (!(value & FCR_ENABLE) && !fifo_on(u))
		value &= FCR_ENABLE; /* the other bits only count with bit 0 */
	if (value & FCR_CLEAR_RX) {
		u->rx_head = u->rx_count = 0;
		u->timeout_pending = false;
		u->lsr &= ~(LSR_DATA | LSR_BREAK);
		u->ops->receive_timer(u->opaque, 0);
	}
	if (value & FCR_CLEAR_TX) {
		u->tx_count = 0;
		u->lsr |= LSR_THRE | LSR_TEMT;
		u->thre_pending = true;
		u->ops->transmit_timer(u->opaque, 0);
	}
	u->fcr = value & (FCR_ENABLE | 0xc8);
	if (!(u->mcr & MCR_LOOP))
		u->ops->accept(u->opaque);
}

static void write_ier(struct uart *u, uint8_t value)
{
	bool enables = (value & IER_THRE) && !(u->ier & IER_THRE);

	u->ier = value & 0x0f;
	/* Enabling it while the holding register is empty interrupts at once. */
	if (enables && (u->lsr & LSR_THRE))
		u->thre_pending = true;
}

static void write_lcr(struct uart *u, uint8_t value)
{
	bool breaks = (value & LCR_BREAK) && !(u->lcr & LCR_BREAK);

	u->lcr = value;
	if (!breaks)
		return;
	if (u->mcr & MCR_LOOP)
		uart_receive_break(u);
	else
		u->ops->send_break(u->opaque);
}

void uart_write(struct uart *u, unsigned int reg, uint8_t value)
{
	bool dlab = u->lcr & LCR_DLAB;

	switch (reg & 7) {
	case 0:
		if (dlab)
			u->divisor = (u->divisor & 0xff00) | value;
		else
			write_thr(u, value);
		break;
	case 1:
		if (dlab)
			u->divisor = (uint16_t)((u->divisor & 0x00ff) | value << 8);
		else
			write_ier(u, value);
		break;
	case 2:
		write_fcr(u, value);
		break;
	case 3:
		write_lcr(u, value);
		break;
	case 4:
		write_mcr(u, value);
		break;
	case 7:
		u->scr = value;
		break;
	default: /* line and modem status: for factory tests only */
		return;
	}
	uart_update(u);
}

static uint8_t read_iir(struct uart *u)
{
	uint8_t id = interrupt_id(u);

	if (id == IIR_THRE)
		u->thre_pending = false;
	return id | (fifo_on(u) ? IIR_FIFO : 0);
}

uint8_t uart_read(struct uart *u, unsigned int reg)
{
	bool dlab = u->lcr & LCR_DLAB;
	uint8_t value;

	switch (reg & 7) {
	case 0:
		value = dlab ? (uint8_t)u->divisor : read_rbr(u);
		break;
	case 1:
		value = dlab ? (uint8_t)(u->divisor >> 8) : u->ier;
		break;
	case 2:
		value = read_iir(u);
		break;
	case 3:
		return u->lcr;
	case 4:
		return u->mcr;
	case 5:
		value = u->lsr;
		u->lsr &= ~LSR_ERRORS;
		break;
	case 6:
		value = u->msr;
		u->msr &= ~MSR_DELTA;
		break;
	default:
		return u->scr;
	}
	uart_update(u);
	return value;
}
