/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages on the VMM's debug port (0xe9). The VMM prints whole lines with the domain's number, so
 * every message ends with a line feed.
 */
#include "console.h"
#include "hypercall.h"
#include "io.h"
#include "util.h"

#define DEBUG_PORT  0xe9
#define MESSAGE_MAX 256

static void put_message(const char *prefix, const char *fmt, va_list ap)
{
	char buf[MESSAGE_MAX];

	util_vsnprintf(buf, sizeof(buf), fmt, ap);
	for (const char *p = prefix; *p; p++)
		outb(DEBUG_PORT, (uint8_t)*p);
	for (const char *p = buf; *p; p++)
		outb(DEBUG_PORT, (uint8_t)*p);
}

void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_message("", fmt, ap);
	va_end(ap);
}

void fatal(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_message("hvmloader: FATAL: ", fmt, ap);
	va_end(ap);
	outb(DEBUG_PORT, '\n');
	hypercall_crash();
}
