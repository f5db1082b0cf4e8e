/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages to stderr and the trace switches. See log.h. */
#include "core/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/util.h"

#define LOG_GUEST_MAX 200
#define LOG_LINE_MAX  1024

uint32_t log_trace_mask;
static const char *log_name = "plinth-dm";

static const struct {
	const char *name;
	uint32_t bit;
} log_trace_names[] = {
	{ "ioreq", TRACE_IOREQ }, { "pci", TRACE_PCI },	    { "ide", TRACE_IDE },
	{ "vga", TRACE_VGA },	  { "ps2", TRACE_PS2 },	    { "serial", TRACE_SERIAL },
	{ "qmp", TRACE_QMP },	  { "vnc", TRACE_VNC },	    { "irq", TRACE_IRQ },
	{ "acpi", TRACE_ACPI },	  { "block", TRACE_BLOCK }, { "net", TRACE_NET },
	{ "fdc", TRACE_FDC },	  { "usb", TRACE_USB },	    { "all", ~0u },
};

/* One write per line, so that lines of several threads do not mix. */
static void log_line(const char *prefix, const char *fmt, va_list ap)
{
	char line[LOG_LINE_MAX];
	size_t len;

	len = (size_t)snprintf(line, sizeof(line), "%s: %s", log_name, prefix);
	vsnprintf(line + len, sizeof(line) - len - 1, fmt, ap);
	len = strlen(line);
	line[len++] = '\n';
	fwrite(line, 1, len, stderr);
}

void log_set_name(const char *name)
{
	log_name = name;
}

#define LOG_BODY(prefix)                   \
	do {                               \
		va_list ap;                \
		va_start(ap, fmt);         \
		log_line(prefix, fmt, ap); \
		va_end(ap);                \
	} while (0)

void log_error(const char *fmt, ...)
{
	LOG_BODY("error: ");
}

void log_warn(const char *fmt, ...)
{
	LOG_BODY("warning: ");
}

void log_info(const char *fmt, ...)
{
	LOG_BODY("");
}

void log_fatal(const char *fmt, ...)
{
	LOG_BODY("error: ");
	exit(1);
}

void log_guest(const char *fmt, ...)
{
	static atomic_uint count;
	unsigned int n = atomic_fetch_add(&count, 1);

	if (n < LOG_GUEST_MAX)
		LOG_BODY("guest: ");
	else if (n == LOG_GUEST_MAX)
		log_info("guest: more messages caused by this guest are left out");
	else
		atomic_store(&count, LOG_GUEST_MAX + 1);
}

void log_trace_line(const char *fmt, ...)
{
	struct timespec now;
	char prefix[40];

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(prefix, sizeof(prefix), "[%ld.%06ld] ", (long)now.tv_sec, now.tv_nsec / 1000);
	LOG_BODY(prefix);
}

int log_trace_parse(const char *list)
{
	while (*list) {
		size_t len = strcspn(list, ","), i;

		for (i = 0; i < ARRAY_SIZE(log_trace_names); i++) {
			const char *name = log_trace_names[i].name;

			if (strlen(name) == len && !strncmp(name, list, len))
				break;
		}
		if (i == ARRAY_SIZE(log_trace_names))
			return -EINVAL;
		log_trace_mask |= log_trace_names[i].bit;
		list += len + (list[len] == ',');
	}
	return 0;
}
