/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Failures of the host's disks on the monitor, and the guest that stops until there is room again. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "block/block.h"
#include "block/failure.h"
#include "core/machine.h"
#include "core/qmp.h"
#include "core/util.h"

static void failure_tell(struct machine *m, const struct block_failure *f)
{
	char *data = xasprintf(
		"{\"device\": \"%s\", \"operation\": \"%s\", \"action\": \"%s\", \"nospace\": %s, "
		"\"reason\": \"%s\"}",
		f->id, f->operation,
		f->stop	     ? "stop"
		: f->ignored ? "ignore"
			     : "report",
		f->err == -ENOSPC ? "true" : "false", strerror(-f->err));

	qmp_event(m, "BLOCK_IO_ERROR", data);
	free(data);
}

static void failed(void *opaque, const struct block_failure *f)
{
	struct machine *m = opaque;

	failure_tell(m, f);
	if (!f->stop || !m->running)
		return;
	machine_set_running(m, false);
	qmp_event(m, "STOP", NULL);
}

static void run_changed(void *opaque, bool running)
{
	if (running)
		block_retry(((struct machine *)opaque)->disks);
}

void block_failure_init(struct machine *m)
{
	block_on_failure(m->disks, failed, m);
	machine_on_run(m, run_changed, m);
}
