/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages of the device model. They go to stderr, which libxl connects to /var/log/xen/qemu-dm-NAME.log, in
 * a confined process by way of the privileged part (core/keeper_log.c). A message says what happened and, where there is one, the next step.
 * Guest-triggered messages must use the _once or _limited forms: a guest must not fill dom0's disk.
 */
#ifndef DM_CORE_LOG_H
#define DM_CORE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#define DM_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* Whose messages they are, "plinth-dm" if nobody says. The string stays. */
void log_set_name(const char *name);
void log_error(const char *fmt, ...) DM_PRINTF(1, 2);
void log_warn(const char *fmt, ...) DM_PRINTF(1, 2);
void log_info(const char *fmt, ...) DM_PRINTF(1, 2);
/* log_fatal() prints and exits with status 1. Only while starting; never from guest input. */
void log_fatal(const char *fmt, ...) DM_PRINTF(1, 2) __attribute__((noreturn));
/* Messages caused by the guest: at most 200 in the life of the process, then one line of silence. */
void log_guest(const char *fmt, ...) DM_PRINTF(1, 2);

/* Trace by subsystem, switched by DM_TRACE=name,name in the environment or -trace name,name. */
enum trace_bit {
	TRACE_IOREQ = 1u << 0,
	TRACE_PCI = 1u << 1,
	TRACE_IDE = 1u << 2,
	TRACE_VGA = 1u << 3,
	TRACE_PS2 = 1u << 4,
	TRACE_SERIAL = 1u << 5,
	TRACE_QMP = 1u << 6,
	TRACE_VNC = 1u << 7,
	TRACE_IRQ = 1u << 8,
	TRACE_ACPI = 1u << 9,
	TRACE_BLOCK = 1u << 10,
	TRACE_NET = 1u << 11,
	TRACE_FDC = 1u << 12,
	TRACE_USB = 1u << 13,
};

extern uint32_t log_trace_mask;

void log_trace_line(const char *fmt, ...) DM_PRINTF(1, 2);
/* Sets the mask from a comma-separated list; returns 0 or -EINVAL for an unknown name. */
int log_trace_parse(const char *list);

#define log_trace(bit, ...)                                      \
	do {                                                     \
		if (__builtin_expect(log_trace_mask & (bit), 0)) \
			log_trace_line(__VA_ARGS__);             \
	} while (0)

#endif
