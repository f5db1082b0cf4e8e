/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A 16550 UART, polled both ways. Option com1=BAUD,8n1,PORT; `auto` keeps the speed that firmware
 * set. National PC16550D data sheet.
 */
#include "boot.h"
#include "internal.h"
#include "cpu.h"

#define UART_DATA 0
#define UART_IER  1
#define UART_FCR  2
#define UART_IIR  2
#define UART_LCR  3
#define UART_MCR  4
#define UART_LSR  5
#define UART_SCR  7

#define LSR_DATA  BIT(0)
#define LSR_THRE  BIT(5)
#define LCR_8N1	  0x03
#define LCR_DLAB  BIT(7)
#define UART_HZ	  115200U
#define TX_SPINS  200000U
#define IIR_FIFO  0xc0 /* both bits: a FIFO that works (16550A) */
#define FIFO_SIZE 16U
#define CHAR_BITS 10U

static uint16_t port = 0x3f8;
static uint64_t baud = 115200;
static bool present;
static unsigned int fifo = 1; /* characters that an empty transmitter takes */
static uint64_t char_ns;      /* time of one on the line */
static bool cr_sent;	      /* of the line feed that is next */
static bool stuck;	      /* the line took nothing for a long time */

static int parse_com1(const char *value)
{
	const char *p = value;

	if (!strncmp(p, "auto", 4)) {
		baud = 0;
		p += 4;
	} else {
		baud = strtoull(p, &p, 10);
		if (!baud || baud > UART_HZ)
			return -EINVAL;
	}
	if (!*p)
		return 0;
	if (strncmp(p, ",8n1", 4) != 0)
		return -EINVAL;
	p += 4;
	if (*p == ',') {
		uint64_t v = strtoull(p + 1, &p, 0);

		if (!v || v > 0xfff8)
			return -EINVAL;
		port = (uint16_t)v;
	}
	return *p && *p != ',' ? -EINVAL : 0;
}
BOOT_OPTION(com1, "com1", parse_com1,
	    "BAUD|auto,8n1,PORT of the serial console (115200,8n1,0x3f8)");

bool serial_init(void)
{
	uint32_t divisor = baud ? (uint32_t)(UART_HZ / baud) : 0;

	outb(port + UART_SCR, 0x5a);
	if (inb(port + UART_SCR) != 0x5a || inb(port + UART_LSR) == 0xff)
		return false;
	outb(port + UART_IER, 0);
	outb(port + UART_LCR, LCR_DLAB | LCR_8N1);
	if (divisor) {
		outb(port + UART_DATA, (uint8_t)divisor);
		outb(port + UART_IER, (uint8_t)(divisor >> 8));
	} else {
		divisor = inb(port + UART_DATA) | (uint32_t)inb(port + UART_IER) << 8;
	}
	outb(port + UART_LCR, LCR_8N1);
	char_ns = NS_PER_SEC * CHAR_BITS * (divisor ? divisor : 1) / UART_HZ;
	outb(port + UART_FCR, 0x07);
	fifo = (inb(port + UART_IIR) & IIR_FIFO) == IIR_FIFO ? FIFO_SIZE : 1;
	outb(port + UART_MCR, 0x03); /* DTR, RTS; OUT2 off: no interrupt line */
	present = true;
	return true;
}

bool serial_ports(uint16_t *first, uint16_t *count)
{
	*first = port;
	*count = 8;
	return present;
}

static bool ready(void)
{
	return inb(port + UART_LSR) & LSR_THRE;
}

/* Bounded, and only once: a line that is stuck must not stop the host. */
static void wait_ready(void)
{
	for (unsigned int i = stuck ? TX_SPINS : 0; i < TX_SPINS && !ready(); i++)
		cpu_relax();
	stuck = !ready();
}

/* One character of the text or, before its line feed, a carriage return: true when c itself went out. */
static bool put(char c)
{
	if (c == '\n' && !cr_sent) {
		outb(port + UART_DATA, '\r');
		cr_sent = true;
		return false;
	}
	outb(port + UART_DATA, (uint8_t)c);
	cr_sent = false;
	return true;
}

void serial_write(const char *buf, size_t len)
{
	for (size_t i = 0; i < len;) {
		wait_ready();
		i += put(buf[i]);
	}
}

size_t serial_send(const char *buf, size_t len)
{
	size_t n = 0;

	if (!ready())
		return 0;
	for (unsigned int left = fifo; left && n < len; left--)
		n += put(buf[n]);
	return n;
}

uint64_t serial_piece_ns(void)
{
	return max(fifo * char_ns, NS_PER_MS);
}

int serial_read(void)
{
	if (!present || !(inb(port + UART_LSR) & LSR_DATA))
		return -1;
	return inb(port + UART_DATA);
}
