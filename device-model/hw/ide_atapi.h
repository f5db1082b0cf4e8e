/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of packet commands: what stands in their tables, and what all of them answer. */
#ifndef DM_HW_IDE_ATAPI_H
#define DM_HW_IDE_ATAPI_H

#include "hw/ide.h"

enum sense { NOT_READY = 2, ILLEGAL_REQUEST = 5, UNIT_ATTENTION = 6 };
enum asc {
	ASC_PARAMETER_LIST_LENGTH = 0x1a,
	ASC_INVALID_OPCODE = 0x20,
	ASC_OUT_OF_RANGE = 0x21,
	ASC_INVALID_FIELD = 0x24,
	ASC_INVALID_PARAMETER = 0x26,
	ASC_MEDIUM_CHANGED = 0x28,
	ASC_INCOMPATIBLE_FORMAT = 0x30,
	ASC_SAVING_UNSUPPORTED = 0x39,
	ASC_NO_MEDIUM = 0x3a,
	ASC_REMOVAL_PREVENTED = 0x53,
};

/* A disc that can be read; one in an open tray cannot. */
static inline bool atapi_medium(const struct ide_drive *d)
{
	return d->blk && !d->tray_open;
}

static inline void atapi_invalid_field(struct ide_drive *d)
{
	atapi_check(d, ILLEGAL_REQUEST, ASC_INVALID_FIELD);
}

/* What has no room on a CD is a DVD. */
bool atapi_is_dvd(const struct ide_drive *d);

/* ide_atapi_mode.c */
void atapi_mode_reset(struct ide_drive *d);
void atapi_mode_sense(struct ide_drive *d, const uint8_t *p);
void atapi_mode_select(struct ide_drive *d, const uint8_t *p);
/* The parameter list of MODE SELECT is in d->buf. */
void atapi_mode_selected(struct ide_drive *d);

/* ide_atapi_dvd.c */
void atapi_get_configuration(struct ide_drive *d, const uint8_t *p);
void atapi_read_dvd_structure(struct ide_drive *d, const uint8_t *p);
void atapi_get_performance(struct ide_drive *d, const uint8_t *p);

#endif
