// SPDX-License-Identifier: GPL-2.0-or-later
/* The monitor's commands about VNC, as libxl uses them: query-vnc and change-vnc-password. */
#include <errno.h>

#include "core/qmp.h"
#include "ui/vnc.h"

static void put_clients(struct machine *m, struct json_out *out, size_t nr)
{
	size_t i;

	jout_open(out, "clients", '[');
	for (i = 0; i < nr; i++) {
		struct vnc_client_info c;

		if (!vnc_query_client(m, i, &c) || !c.shown)
			continue;
		jout_open(out, NULL, '{');
		jout_str(out, "host", c.host);
		jout_str(out, "service", c.service);
		jout_str(out, "family", c.family);
		jout_bool(out, "websocket", c.websocket);
		jout_close(out, '}');
	}
	jout_close(out, ']');
}

static void cmd_query_vnc(struct machine *m, const struct json *args, struct qmp_reply *r)
{
	struct vnc_info info;

	vnc_query(m, &info);
	qmp_return_open(r, '{');
	jout_bool(r->out, "enabled", info.enabled);
	if (info.enabled) {
		jout_str(r->out, "host", info.host);
		jout_str(r->out, "service", info.service);
		jout_str(r->out, "family", info.family);
		jout_str(r->out, "auth", info.auth);
		put_clients(m, r->out, info.nr_clients);
	}
	qmp_return_close(r, '}');
}
QMP_COMMAND(query_vnc, "query-vnc", cmd_query_vnc);

static void cmd_change_password(struct machine *m, const struct json *args, struct qmp_reply *r)
{
	const char *password = json_str(args, "password", NULL);

	if (!password) {
		qmp_error(r, "Parameter 'password' is missing");
		return;
	}
	switch (vnc_set_password(m, password)) {
	case 0:
		return;
	case -ENODEV:
		qmp_error(r, "Could not set password: there is no VNC server (-vnc)");
		return;
	default:
		qmp_error(r, "Could not set password: start with -vnc ...,password=on");
	}
}
QMP_COMMAND(change_vnc_password, "change-vnc-password", cmd_change_password);
