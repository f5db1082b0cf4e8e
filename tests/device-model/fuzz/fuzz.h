/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the fuzz driver (fuzz_ports.c) and its targets. The program's name chooses the target. */
#ifndef TESTS_DM_FUZZ_H
#define TESTS_DM_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "core/machine.h"
#include "device-model/fuzz/bytes.h"

#define FUZZ_MAX_ARGS 24

struct fuzz_target {
	const char *name;
	/* The command line; "DIR" at an argument's end or inside it is the folder of the images. */
	const char *args[FUZZ_MAX_ARGS];
	void (*start)(void); /* optional: once, with the machine there */
	void (*begin)(void); /* optional: before each input */
	/* Either what a byte of the input chooses from ... */
	void (*const *steps)(struct bytes *in);
	unsigned int nr_steps;
	/* ... or the whole input at once. */
	void (*run)(const uint8_t *data, size_t size);
};

extern const struct fuzz_target fuzz_ide, fuzz_pc, fuzz_ps2, fuzz_uart, fuzz_vga;
extern const struct fuzz_target fuzz_qmp, fuzz_vnc, fuzz_vnctls, fuzz_ws, fuzz_options, fuzz_state;
extern struct machine fuzz_machine;

/* A file's name in the folder of the images. */
const char *fuzz_path(const char *name);

#endif
