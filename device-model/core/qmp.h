/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The monitor: the part of QEMU's Machine Protocol that libxl 4.17 and xentop use, on unix sockets.
 * Parts of the program add their commands with QMP_COMMAND.
 */
#ifndef DM_CORE_QMP_H
#define DM_CORE_QMP_H

#include "core/json.h"

struct machine;

struct qmp_reply {
	struct json_out
		*out; /* after "return": write exactly one value with key "return", or none */
	bool wrote;
	const char *error_class; /* set by qmp_error */
	char *error;
};

struct qmp_command {
	const char *name;
	void (*handler)(struct machine *m, const struct json *args, struct qmp_reply *r);
};

#define QMP_COMMAND(sym, nm, fn)                          \
	static const struct qmp_command qmp_command_##sym \
		__attribute__((used, section("dm_qmp"), aligned(8))) = { nm, fn }

/* Open the monitors of the options. 0 or -errno (logged). */
int qmp_init(struct machine *m);
void qmp_error(struct qmp_reply *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The first call opens the value: the reply's "return" member. */
void qmp_return_open(struct qmp_reply *r, char bracket);
void qmp_return_close(struct qmp_reply *r, char bracket);

/* Send an event to all monitors; data (a JSON object's text) may be NULL. */
void qmp_event(struct machine *m, const char *name, const char *data);

/*
 * A descriptor for "/dev/fdset/N" (a fresh one, the caller closes it) or for a path, which a confined
 * process gets from its privileged part if the monitor named it. -errno. Flags as for open(2).
 */
int qmp_open_path(struct machine *m, const char *path, int flags);
/* For an answer: why that failed. */
const char *qmp_open_reason(int rc);

#endif
