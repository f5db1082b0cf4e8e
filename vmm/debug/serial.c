/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A 16550 UART, polled both ways. Option com1=BAUD,8n1,PORT; `auto` keeps the speed that firmware
 * set. National PC16550D data sheet.
 */
#include "boot.h"
#include "console.h"
#include "cpu.h"

#define UART_DATA 0
#define UART_IER  1
#define UART_FCR  2
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

static uint16_t port = 0x3f8;
static uint64_t baud = 115200;
static bool present;

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
	uint16_t divisor = baud ? (uint16_t)(UART_HZ / baud) : 0;

	outb(port + UART_SCR, 0x5a);
	if (inb(port + UART_SCR) != 0x5a || inb(port + UART_LSR) == 0xff)
		return false;
	outb(port + UART_IER, 0);
	if (divisor) {
		outb(port + UART_LCR, LCR_DLAB | LCR_8N1);
		outb(port + UART_DATA, (uint8_t)divisor);
		outb(port + UART_IER, (uint8_t)(divisor >> 8));
	}
	outb(port + UART_LCR, LCR_8N1);
	outb(port + UART_FCR, 0x07);
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

static void send(char c)
{
	/* bounded: a line that is stuck must not stop the host */
	for (unsigned int i = 0; i < TX_SPINS && !(inb(port + UART_LSR) & LSR_THRE); i++)
		cpu_relax();
	outb(port + UART_DATA, (uint8_t)c);
}

void serial_write(const char *buf, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (buf[i] == '\n')
			send('\r');
		send(buf[i]);
	}
}

int serial_read(void)
{
	if (!present || !(inb(port + UART_LSR) & LSR_DATA))
		return -1;
	return inb(port + UART_DATA);
}
