/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Monitor commands about the machine as a whole: status, stop and continue, save, queries, quit. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "block/block.h"
#include "core/chardev.h"
#include "core/dma.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/machine.h"
#include "core/options.h"
#include "core/pci.h"
#include "core/qmp.h"
#include "core/save.h"
#include "core/util.h"

static void cmd_query_status(struct machine *m, const struct json *args, struct qmp_reply *r)
{
	qmp_return_open(r, '{');
	jout_str(r->out, "status",
		 m->running		   ? "running"
		 : block_stopped(m->disks) ? "io-error"
		 : m->started		   ? "paused"
					   : "prelaunch");
	jout_bool(r->out, "singlestep", false);
	jout_bool(r->out, "running", m->running);
	qmp_return_close(r, '}');
}
QMP_COMMAND(query_status, "query-status", cmd_query_status);

static void cmd_stop(struct machine *m, const struct json *args, struct qmp_reply *r)
{
	if (!m->running)
		return;
	machine_set_running(m, false);
	qmp_event(m, "STOP", NULL);
}
QMP_COMMAND(stop, "stop", cmd_stop);

/* A guest that has come, or that has not gone, has its images from here on. */
static bool go_on(struct machine *m, struct qmp_reply *r)
{
	if (block_take_images(m->disks)) {
		qmp_error(r, "Failed to lock the guest's images: see the device model's log");
		return false;
	}
	machine_set_running(m, true);
	return true;
}

static void cmd_cont(struct machine *m, const struct json *args, struct qmp_reply *r)
{
	if (!m->running && go_on(m, r))
		qmp_event(m, "RESUME", NULL);
}
QMP_COMMAND(cont, "cont", cmd_cont);

static void cmd_quit(struct machine *m, const struct json *args, struct qmp_reply *r)
{
	log_info("ends: a monitor client said quit");
	loop_quit(0);
}
QMP_COMMAND(quit, "quit", cmd_quit);

static void cmd_system_wakeup(struct machine *m, const struct json *args, struct qmp_reply *r)
{
	qmp_error(r, "wake-up of a suspended guest is not supported; use xl trigger");
}
QMP_COMMAND(system_wakeup, "system_wakeup", cmd_system_wakeup);

static void cmd_save(struct machine *m, const struct json *args, struct qmp_reply *r)
{
	const char *path = json_str(args, "filename", NULL);
	int fd = path ? qmp_open_path(m, path, O_WRONLY | O_CREAT | O_TRUNC) : -1;

	if (fd < 0) {
		qmp_error(r, "Could not open '%s': %s", path ? path : "", qmp_open_reason(fd));
		return;
	}
	machine_set_running(m, false);
	block_drain_all(m->disks);
	if (block_stopped(m->disks)) {
		qmp_error(r,
			  "A disk write waits for room on the host: make room and unpause first");
		close(fd);
		return;
	}
	/* Whoever restores the state of a migration opens the images while this process is still there. */
	if (save_machine(m, fd) || (json_bool(args, "live", false) && block_give_images(m->disks)))
		qmp_error(r, "An IO error has occurred");
	close(fd);
}
QMP_COMMAND(save, "xen-save-devices-state", cmd_save);

static void cmd_dirty_log(struct machine *m, const struct json *args, struct qmp_reply *r)
{
	dma_set_global_dirty_log(m, json_bool(args, "enable", false));
}
QMP_COMMAND(dirty_log, "xen-set-global-dirty-log", cmd_dirty_log);

static void cmd_query_chardev(struct machine *m, const struct json *args, struct qmp_reply *r)
{
	struct chardev *c;
	unsigned int i;

	qmp_return_open(r, '[');
	for (c = chardev_next(m, NULL); c; c = chardev_next(m, c)) {
		jout_open(r->out, NULL, '{');
		jout_bool(r->out, "frontend-open", true);
		jout_str(r->out, "filename", chardev_filename(c));
		jout_str(r->out, "label", chardev_label(c));
		jout_close(r->out, '}');
	}
	for (i = 0; i < m->opt->nr_chardevs; i++) {
		const struct opt_chardev *o = &m->opt->chardevs[i];
		char *name = xasprintf("unix:%s,server=on", o->path ? o->path : "");

		jout_open(r->out, NULL, '{');
		jout_bool(r->out, "frontend-open", true);
		jout_str(r->out, "filename", name);
		jout_str(r->out, "label", o->id);
		jout_close(r->out, '}');
		free(name);
	}
	qmp_return_close(r, ']');
}
QMP_COMMAND(query_chardev, "query-chardev", cmd_query_chardev);

static void cmd_query_cpus(struct machine *m, const struct json *args, struct qmp_reply *r)
{
	unsigned int i;

	qmp_return_open(r, '[');
	for (i = 0; i < m->opt->vcpus; i++) {
		jout_open(r->out, NULL, '{');
		jout_int(r->out, "cpu-index", i);
		jout_int(r->out, "thread-id", getpid());
		jout_str(r->out, "target", "x86_64");
		jout_close(r->out, '}');
	}
	qmp_return_close(r, ']');
}
QMP_COMMAND(query_cpus, "query-cpus-fast", cmd_query_cpus);

static void cmd_query_name(struct machine *m, const struct json *args, struct qmp_reply *r)
{
	qmp_return_open(r, '{');
	jout_str(r->out, "name", m->opt->name ? m->opt->name : "");
	qmp_return_close(r, '}');
}
QMP_COMMAND(query_name, "query-name", cmd_query_name);

static void put_pci_device(struct json_out *out, const struct pci_device *d)
{
	jout_open(out, NULL, '{');
	jout_int(out, "bus", 0);
	jout_int(out, "slot", d->devfn >> 3);
	jout_int(out, "function", d->devfn & 7);
	jout_open(out, "class_info", '{');
	jout_int(out, "class", get_le16(d->config + PCI_CLASS_DEVICE));
	jout_str(out, "desc", d->name);
	jout_close(out, '}');
	jout_open(out, "id", '{');
	jout_int(out, "device", get_le16(d->config + PCI_DEVICE_ID));
	jout_int(out, "vendor", get_le16(d->config + PCI_VENDOR_ID));
	jout_close(out, '}');
	jout_str(out, "qdev_id", "");
	jout_open(out, "regions", '[');
	jout_close(out, ']');
	jout_close(out, '}');
}

static void cmd_query_pci(struct machine *m, const struct json *args, struct qmp_reply *r)
{
	unsigned int devfn;

	qmp_return_open(r, '[');
	jout_open(r->out, NULL, '{');
	jout_int(r->out, "bus", 0);
	jout_open(r->out, "devices", '[');
	for (devfn = 0; devfn < 256; devfn++) {
		const struct pci_device *d = pci_find(m, (uint8_t)devfn);

		if (d)
			put_pci_device(r->out, d);
	}
	jout_close(r->out, ']');
	jout_close(r->out, '}');
	qmp_return_close(r, ']');
}
QMP_COMMAND(query_pci, "query-pci", cmd_query_pci);

/* libxl wants to know whether -chardev takes fd=. */
static void cmd_query_options(struct machine *m, const struct json *args, struct qmp_reply *r)
{
	static const char *const chardev[] = { "id", "path", "fd", "server", "wait" };
	size_t i;

	qmp_return_open(r, '[');
	jout_open(r->out, NULL, '{');
	jout_str(r->out, "option", "chardev");
	jout_open(r->out, "parameters", '[');
	for (i = 0; i < ARRAY_SIZE(chardev); i++) {
		jout_open(r->out, NULL, '{');
		jout_str(r->out, "name", chardev[i]);
		jout_str(r->out, "type", "string");
		jout_close(r->out, '}');
	}
	jout_close(r->out, ']');
	jout_close(r->out, '}');
	qmp_return_close(r, ']');
}
QMP_COMMAND(query_options, "query-command-line-options", cmd_query_options);

static char *info_text(struct machine *m, const char *what)
{
	if (!strcmp(what, "status"))
		return xasprintf("VM status: %s\r\n", m->running ? "running" : "paused");
	if (!strcmp(what, "version"))
		return xstrdup("plinth-dm\r\n");
	if (!strcmp(what, "name"))
		return xasprintf("%s\r\n", m->opt->name ? m->opt->name : "");
	if (!strncmp(what, "state", 5) && (!what[5] || what[5] == ' '))
		return save_show(m, what[5] ? what + 6 : "");
	return xstrdup("known: info status, info version, info name, info state [DEVICE], stop, "
		       "cont, quit; use QMP for the rest\r\n");
}

static void cmd_human(struct machine *m, const struct json *args, struct qmp_reply *r)
{
	const char *line = json_str(args, "command-line", "");
	char *text;

	if (!strcmp(line, "stop") || !strcmp(line, "cont") || !strcmp(line, "quit")) {
		if (line[0] == 'q')
			loop_quit(0);
		else if (line[0] == 's')
			machine_set_running(m, false);
		else if (!m->running && !go_on(m, r))
			return;
		line = "info status";
	}
	text = info_text(m, strncmp(line, "info ", 5) ? "" : line + 5);
	r->wrote = true;
	jout_str(r->out, "return", text);
	free(text);
}
QMP_COMMAND(human, "human-monitor-command", cmd_human);
