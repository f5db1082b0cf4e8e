/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Floppy drives as the rest of the device model sees them: CMOS types, and the monitor's names. */
#ifndef DM_HW_FDC_MEDIA_H
#define DM_HW_FDC_MEDIA_H

#include <stdbool.h>
#include <stdint.h>

#include "core/qmp.h"

/* The drive's type for CMOS byte 0x10; 0: there is none. Valid after the ISA devices exist. */
uint8_t fdc_cmos_type(struct machine *m, unsigned int drive);

/* For eject and blockdev-change-medium: false when args name no floppy drive. */
bool fdc_monitor_eject(struct machine *m, const struct json *args, struct qmp_reply *r);
bool fdc_monitor_change(struct machine *m, const struct json *args, const char *file,
			const char *format, struct qmp_reply *r);

#endif
