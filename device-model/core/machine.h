/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine. It ties the buses, the connection to the VMM and the devices
 * together and knows whether the guest runs.
 */
#ifndef DM_CORE_MACHINE_H
#define DM_CORE_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/display.h"
#include "core/input.h"

struct block_host;
struct bus;
struct chardev;
struct dma;
struct fdc;
struct fdset_entry;
struct i8257;
struct ide_controller;
struct irq_state;
struct net;
struct options;
struct pci_bus;
struct qmp;
struct read_ahead;
struct save_state;
struct vmm_backend;
struct vmm_ops;
struct vnc_server;

struct machine {
	const struct options *opt;
	const struct vmm_ops *vmm; /* Xen, or qtest's memory array */
	void *vmm_priv;
	struct bus *bus;
	struct read_ahead *ahead; /* NULL: the VMM answers no reads itself */
	struct dma *dma;
	struct irq_state *irq;
	struct pci_bus *pci;
	struct save_state *save;
	struct machine_hook *reset_hooks;
	struct machine_hook *run_hooks;
	struct display display;
	struct input input;
	struct block_host *disks; /* their images */
	struct net *nets;	  /* cards, in net/net.c */
	struct chardev *chardevs; /* in core/chardev.c */
	struct i8257 *isa_dma;
	struct fdc *fdc;	    /* NULL: none */
	struct ide_controller *ide; /* NULL: none */
	uint64_t vram_next;	    /* where core/vram.c parks the next one */
	unsigned int nr_vrams;
	struct qmp *qmp;	    /* its monitors; NULL: not yet */
	struct fdset_entry *fdsets; /* what they passed (core/qmp_fdset.c); NULL: nothing */
	struct vnc_server *vnc;	    /* NULL: none */
	bool pv_backends; /* a process beside this one serves paravirtual disks and keyboards */
	bool started;	  /* ran at least once */
	bool running;	  /* false: stopped over QMP, or before -incoming is complete */
};

/* Reset hooks run at power-on (before the first guest instruction) and at each reset. */
void machine_on_reset(struct machine *m, void (*cb)(void *opaque), void *opaque);
void machine_off_reset(struct machine *m, void *opaque);
void machine_reset(struct machine *m);
/* Called with the new state when QMP stops or continues the guest. */
void machine_on_run(struct machine *m, void (*cb)(void *opaque, bool running), void *opaque);
void machine_off_run(struct machine *m, void *opaque);
void machine_set_running(struct machine *m, bool running);

int machine_init(struct machine *m, const struct options *opt, const struct vmm_backend *backend);
/* Without devices and without a VMM: what the monitor needs of a process of back ends. */
void machine_init_empty(struct machine *m, const struct options *opt);

/* The guest asked for these (port 0x64 reset, PIIX3 RST_CNT, ACPI sleep). */
void machine_guest_reset(struct machine *m);
void machine_guest_poweroff(struct machine *m);

#endif
