/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine's parts in order, its hooks, and what a guest can ask of it as a whole. See machine.h. */
#include "core/machine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "block/block.h"
#include "core/ahead.h"
#include "core/bus_priv.h"
#include "core/device.h"
#include "core/log.h"
#include "core/options.h"
#include "core/save.h"
#include "core/util.h"
#include "core/vmm.h"

struct machine_hook {
	void (*reset)(void *opaque);
	void (*run)(void *opaque, bool running);
	void *opaque;
	struct machine_hook *next;
};

extern const struct device_type __start_dm_devices[], __stop_dm_devices[];

static struct machine_hook *hook_append(struct machine_hook **list, void *opaque)
{
	struct machine_hook *h = xzalloc(sizeof(*h));

	h->opaque = opaque;
	while (*list)
		list = &(*list)->next;
	*list = h;
	return h;
}

void machine_on_reset(struct machine *m, void (*cb)(void *opaque), void *opaque)
{
	hook_append(&m->reset_hooks, opaque)->reset = cb;
}

static void hooks_remove(struct machine_hook **p, const void *opaque)
{
	struct machine_hook *h;

	while ((h = *p)) {
		if (h->opaque != opaque) {
			p = &h->next;
			continue;
		}
		*p = h->next;
		free(h);
	}
}

void machine_off_reset(struct machine *m, void *opaque)
{
	hooks_remove(&m->reset_hooks, opaque);
}

void machine_reset(struct machine *m)
{
	struct machine_hook *h;

	ahead_settle(m);
	input_reset(&m->input);
	for (h = m->reset_hooks; h; h = h->next)
		h->reset(h->opaque);
}

void machine_on_run(struct machine *m, void (*cb)(void *opaque, bool running), void *opaque)
{
	hook_append(&m->run_hooks, opaque)->run = cb;
}

void machine_off_run(struct machine *m, void *opaque)
{
	hooks_remove(&m->run_hooks, opaque);
}

void machine_set_running(struct machine *m, bool running)
{
	struct machine_hook *h;

	if (m->running == running)
		return;
	m->running = running;
	m->started |= running;
	if (running)
		clock_guest_start();
	else
		clock_guest_stop();
	for (h = m->run_hooks; h; h = h->next)
		h->run(h->opaque, running);
}

static int type_compare(const void *a, const void *b)
{
	const struct device_type *const *x = a, *const *y = b;

	if ((*x)->phase != (*y)->phase)
		return (*x)->phase < (*y)->phase ? -1 : 1;
	return strcmp((*x)->name, (*y)->name);
}

static int device_init_from(struct machine *m, enum device_phase first)
{
	size_t n = (size_t)(__stop_dm_devices - __start_dm_devices), i;
	const struct device_type **types = xzalloc(n * sizeof(*types));
	int rc = 0;

	for (i = 0; i < n; i++)
		types[i] = &__start_dm_devices[i];
	qsort(types, n, sizeof(*types), type_compare);
	for (i = 0; i < n && !rc; i++) {
		if (types[i]->phase < first)
			continue;
		rc = types[i]->init(m);
		if (rc)
			log_error("device %s did not start: %s", types[i]->name, strerror(-rc));
	}
	free(types);
	return rc;
}

int device_init_all(struct machine *m)
{
	return device_init_from(m, DEVICE_CHIPSET);
}

int device_init_ui(struct machine *m)
{
	return device_init_from(m, DEVICE_UI);
}

void machine_init_empty(struct machine *m, const struct options *opt)
{
	*m = (struct machine){ .opt = opt, .pv_backends = m->pv_backends };
	bus_init(m);
	irq_state_init(m);
	dma_init(m);
	pci_bus_init(m);
	save_init(m);
	m->disks = block_host_new();
	display_init(&m->display, m);
}

int machine_init(struct machine *m, const struct options *opt, const struct vmm_backend *backend)
{
	int rc;

	machine_init_empty(m, opt);
	rc = backend->init(m);
	if (!rc && opt->incoming_fd >= 0) {
		block_await_images(m->disks);
		rc = save_read_file(m, opt->incoming_fd);
	}
	if (!rc)
		rc = device_init_all(m);
	if (!rc && opt->incoming_fd < 0)
		machine_reset(m);
	if (!rc && opt->incoming_fd >= 0)
		rc = save_load_machine(m);
	return rc;
}

void machine_guest_reset(struct machine *m)
{
	log_info("the guest asked for a reset");
	m->vmm->shutdown(m, VMM_SHUTDOWN_REBOOT);
}

void machine_guest_poweroff(struct machine *m)
{
	log_info("the guest switched itself off");
	m->vmm->shutdown(m, VMM_SHUTDOWN_POWEROFF);
}
