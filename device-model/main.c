/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plinth-dm: the device model of one guest. Start-up order: options, process of paravirtual
 * back ends, privileged part, connection to the VMM, devices (all memory is populated now), monitor, restored
 * state, request service, confinement, the filter of system calls, "running".
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "block/block.h"
#include "block/file.h"
#include "core/confine.h"
#include "core/device.h"
#include "core/keeper.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/machine.h"
#include "core/options.h"
#include "core/qmp.h"
#include "core/vmm.h"
#include "pv/pv.h"

static struct options options;
static struct machine machine;
static const struct vmm_backend *backend;
static struct pv_link *back_ends; /* in a process of their own; NULL: none */

static void signal_readable(void *opaque, uint32_t events)
{
	int fd = (int)(intptr_t)opaque;
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) != sizeof(info))
		return;
	log_info("ends: signal %u from process %u", info.ssi_signo, info.ssi_pid);
	loop_quit(0);
}

/* Blocked here, before any thread exists, so that every thread inherits it. */
static void signals_init(void)
{
	sigset_t set;
	int fd;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a size limit is a write error, for the guest to see */
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (fd < 0 || loop_add_fd(fd, EPOLLIN, signal_readable, (void *)(intptr_t)fd))
		log_fatal("signals: %s", strerror(errno));
}

static void run_changed(void *opaque, bool running)
{
	if (backend->set_serving)
		backend->set_serving(&machine, running);
	/* Once "stop" is answered, no transfer changes guest memory or raises an interrupt. */
	if (!running)
		block_drain_all(machine.disks);
}

/* From here on the privileged part opens what the monitor names. */
static int seal(void)
{
	block_set_keeper(machine.disks, &keeper_of_images);
	return keeper_seal();
}

static void say_running(void)
{
	if (keeper_active() ? keeper_say_running() : backend->write_state(&machine, "running"))
		log_fatal("cannot tell libxl that we run");
}

static void start(void)
{
	const struct options *o = &options;
	int rc;

	rc = machine_init(&machine, o, backend);
	if (!rc)
		rc = qmp_init(&machine);
	if (!rc)
		rc = backend->start(&machine);
	if (!rc && !o->qtest && machine.pv_backends && pv_process_ready(back_ends, &machine.input))
		machine.pv_backends = false;
	/* Without a privileged part a process in another root or of another user cannot reach xenstore. */
	if (!rc && !o->qtest && !keeper_active() && !o->restrict_domid && (o->chroot || o->runas))
		rc = backend->write_state(&machine, "running");
	if (!rc && keeper_active())
		rc = seal();
	if (rc)
		log_fatal("cannot start: %s", strerror(-rc));
	confine(o);
	confine_finish(o);
	machine_on_run(&machine, run_changed, NULL);
	/* A guest that came goes on with the monitor's `cont`; until then it may still go on where it was. */
	if (!o->start_stopped && (o->qtest || o->incoming_fd < 0)) {
		if (block_take_images(machine.disks))
			log_fatal("cannot start: the guest's images are in use");
		machine_set_running(&machine, true);
	}
	/* A restricted device model is asked over the monitor instead. */
	if (!o->qtest && !o->restrict_domid && (keeper_active() || (!o->chroot && !o->runas)))
		say_running();
}

/* There is nothing that back ends could do any more. */
static void keeper_gone(void *opaque)
{
	loop_quit(1);
}

/* -xen-attach: the paravirtual back ends of a domain and what shows them, without devices. */
static int attach(void)
{
	struct pv pv = { .domid = (unsigned int)options.domid,
			 .display = &machine.display,
			 .input = &machine.input };
	int rc;

	machine_init_empty(&machine, &options);
	pv.disks = machine.disks;
	if (keeper_active()) {
		keeper_on_end(keeper_gone, NULL);
		block_set_keeper(machine.disks, &keeper_of_images);
	}
	rc = device_init_ui(&machine);
	if (!rc)
		rc = qmp_init(&machine);
	if (!rc)
		rc = pv_start(&pv);
	if (!rc && keeper_active())
		rc = keeper_seal();
	if (rc)
		log_fatal("cannot start: %s", strerror(-rc));
	if (confine_wanted(&options)) {
		confine_network(&options);
		confine(&options);
		confine_finish(&options);
	}
	machine_set_running(&machine, true);
	say_running();
	loop_run();
	pv_stop(&pv);
	return loop_exit_status();
}

int main(int argc, char **argv)
{
	pid_t pid = 0;

	options_parse(&options, argc, argv);
	backend = options.qtest ? &vmm_qtest : &vmm_xen;
	if (confine_wanted(&options))
		keeper_prepare(&options);
	if (!options.qtest && !options.xen_attach)
		pid = pv_process_start(&options, &back_ends);
	machine.pv_backends = pid > 0;
	if (confine_wanted(&options))
		keeper_start(&options, pid);
	keeper_drop_back_ends();
	confine_begin(&options);
	loop_init();
	signals_init();
	if (options.xen_attach)
		return attach();
	start();
	loop_run();
	machine_set_running(&machine, false);
	block_drain_all(machine.disks);
	block_close_all(machine.disks);
	pv_process_stop(back_ends);
	if (backend->stop)
		backend->stop(&machine);
	return loop_exit_status();
}
