/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One registration line per device: DEVICE(phase, name, init) in its .c file. The machine calls all
 * init functions, phase by phase and then by name; a device that the options do not ask for returns
 * 0 at once. An error (-errno, after log_error) ends the start.
 */
#ifndef DM_CORE_DEVICE_H
#define DM_CORE_DEVICE_H

struct machine;

enum device_phase {
	DEVICE_CHIPSET, /* host bridge, ISA bridge */
	DEVICE_ISA,	/* on the ISA bus or PIIX functions */
	DEVICE_PCI,	/* slots 2 and up: VGA, NICs */
	DEVICE_UI,	/* VNC, SDL: after every device */
};

struct device_type {
	enum device_phase phase;
	const char *name;
	int (*init)(struct machine *m);
};

#define DEVICE(ph, nm, fn)                               \
	static const struct device_type device_type_##nm \
		__attribute__((used, section("dm_devices"), aligned(8))) = { ph, #nm, fn }

int device_init_all(struct machine *m);
/* Only the last phase, for a process without emulated devices. */
int device_init_ui(struct machine *m);

#endif
