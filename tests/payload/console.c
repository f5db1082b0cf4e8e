// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Console: COM1 where a 16550 answers, else the Xen console ring of a PVH guest or the hypervisor's console for
 * dom0, else debug port 0xe9.
 */
#include "payload.h"

#define COM1 0x3f8

void console_init(void)
{
	outb(COM1 + 7, 0x5a);
	plat.has_com1 = inb(COM1 + 7) == 0x5a;
	if (!plat.has_com1)
		return;
	outb(COM1 + 1, 0);
	outb(COM1 + 3, 0x80);
	outb(COM1 + 0, 1);
	outb(COM1 + 1, 0);
	outb(COM1 + 3, 3);
	outb(COM1 + 2, 7);
	outb(COM1 + 4, 3);
}

static void com1_put(char c)
{
	unsigned int spin;

	for (spin = 0; spin < 100000 && !(inb(COM1 + 5) & 0x20); spin++)
		cpu_pause();
	outb(COM1, c);
}

void console_write(const char *s, size_t len)
{
	if (plat.has_com1) {
		for (; len; len--, s++) {
			if (*s == '\n')
				com1_put('\r');
			com1_put(*s);
		}
		return;
	}
	if (xen_console_write(s, len))
		return;
	for (; len; len--)
		outb(0xe9, *s++);
}
