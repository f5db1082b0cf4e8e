/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The floppy controller's command table, and the commands that move no sectors (82077AA, chapter
 * 5; PART ID, SAVE, RESTORE, OPTION and POWERDOWN MODE are the 82078's, whose drivers ask for them).
 * See fdc.h.
 */
#include <string.h>

#include "core/log.h"
#include "core/util.h"
#include "hw/fdc.h"

#define RECALIBRATE_STEPS 79u
#define ROTATION_NS	  (NS_PER_SEC / 50) /* until an address mark passes, or none has */
#define PART_ID		  0x41
#define VERSION_82077	  0x90

static struct fdc_drive *drive_of(struct fdc *s)
{
	return &s->drive[s->fifo[1] & 3];
}

static uint8_t unit_bits(const struct fdc *s)
{
	return s->fifo[1] & 7;
}

void fdc_sense_set(struct fdc *s, unsigned int drive, uint8_t st0)
{
	s->sense_pending |= (uint8_t)(1u << drive);
	s->sense_st0[drive] = st0;
	fdc_irq(s, true);
}

/* Step pulses; a medium under the head then ends the disk change. */
static void step(struct fdc_drive *d, int tracks)
{
	int to = MIN(MAX(d->track + tracks, 0), (int)FDC_LAST_TRACK);

	if (tracks && d->blk)
		d->changed = false;
	d->track = (uint8_t)to;
}

static void cmd_recalibrate(struct fdc *s)
{
	struct fdc_drive *d = drive_of(s);
	uint8_t st0 = ST0_SE | (s->fifo[1] & 3);
	unsigned int n = s->fifo[1] & 3;

	if (d->present)
		step(d, -(int)MIN(d->track, RECALIBRATE_STEPS));
	if (!d->present || d->track)
		st0 |= ST0_ABNORMAL | ST0_EC;
	s->pcn[n] = 0;
	fdc_idle(s);
	fdc_sense_set(s, n, st0);
}

static void seek_to(struct fdc *s, uint8_t cylinder)
{
	unsigned int n = s->fifo[1] & 3;

	step(drive_of(s), cylinder - s->pcn[n]);
	s->pcn[n] = cylinder;
	fdc_idle(s);
	fdc_sense_set(s, n, ST0_SE | unit_bits(s));
}

static void cmd_seek(struct fdc *s)
{
	seek_to(s, s->fifo[2]);
}

/* Relative to where the head is: 8f outwards, cf inwards. */
static void cmd_relative_seek(struct fdc *s)
{
	unsigned int n = s->fifo[1] & 3;
	int by = s->fifo[0] & 0x40 ? s->fifo[2] : -s->fifo[2];

	step(drive_of(s), by);
	s->pcn[n] = (uint8_t)(s->pcn[n] + by);
	fdc_idle(s);
	fdc_sense_set(s, n, ST0_SE | unit_bits(s));
}

static void invalid(struct fdc *s)
{
	s->fifo[0] = ST0_INVALID;
	fdc_result(s, 1, false);
}

static void cmd_sense_interrupt(struct fdc *s)
{
	unsigned int n;

	if (!s->sense_pending) {
		invalid(s);
		return;
	}
	n = (unsigned int)__builtin_ctz(s->sense_pending);
	s->sense_pending &= (uint8_t) ~(1u << n);
	s->fifo[0] = s->sense_st0[n];
	s->fifo[1] = s->pcn[n];
	fdc_irq(s, false);
	fdc_result(s, 2, false);
	/* Of the four that follow a reset the first answers for all; each seek asks for its own. */
	if (s->sense_pending && (s->sense_st0[n] & ST0_POLLING) != ST0_POLLING)
		fdc_irq(s, true);
}

static void cmd_sense_drive(struct fdc *s)
{
	struct fdc_drive *d = drive_of(s);
	uint8_t st3 = unit_bits(s) | 0x28; /* ready and two-sided: the chip has no such inputs */

	if (d->present && !d->track)
		st3 |= 0x10;
	if (d->present && (!d->blk || block_read_only(d->blk)))
		st3 |= 0x40;
	s->fifo[0] = st3;
	fdc_result(s, 1, false);
}

static void cmd_specify(struct fdc *s)
{
	s->specify[0] = s->fifo[1];
	s->specify[1] = s->fifo[2];
	fdc_idle(s);
}

static void cmd_configure(struct fdc *s)
{
	s->config = s->fifo[2] & 0x7f;
	s->precomp = s->fifo[3];
	fdc_idle(s);
}

/* OW: only then the drives' own bits change. */
static void cmd_perpendicular(struct fdc *s)
{
	uint8_t v = s->fifo[1];

	s->perpendicular = v & 0x80 ? v & 0x3f : (uint8_t)((s->perpendicular & 0x3c) | (v & 3));
	fdc_idle(s);
}

static void cmd_dumpreg(struct fdc *s)
{
	memcpy(s->fifo, s->pcn, FDC_DRIVES);
	s->fifo[4] = s->specify[0];
	s->fifo[5] = s->specify[1];
	s->fifo[6] = s->eot;
	s->fifo[7] = (uint8_t)(s->lock << 7 | s->perpendicular);
	s->fifo[8] = s->config;
	s->fifo[9] = s->precomp;
	fdc_result(s, 10, false);
}

static void cmd_lock(struct fdc *s)
{
	s->lock = s->fifo[0] >> 7;
	s->fifo[0] = (uint8_t)(s->lock << 4);
	fdc_result(s, 1, false);
}

static void cmd_version(struct fdc *s)
{
	s->fifo[0] = VERSION_82077;
	fdc_result(s, 1, false);
}

static void cmd_part_id(struct fdc *s)
{
	s->fifo[0] = PART_ID;
	fdc_result(s, 1, false);
}

static void cmd_save(struct fdc *s)
{
	memset(s->fifo, 0, 15);
	memcpy(s->fifo + 2, s->pcn, FDC_DRIVES);
	s->fifo[6] = s->specify[0];
	s->fifo[7] = s->specify[1];
	s->fifo[8] = s->eot;
	s->fifo[9] = (uint8_t)(s->lock << 7 | s->perpendicular);
	s->fifo[10] = s->config;
	s->fifo[11] = s->precomp;
	s->fifo[12] = s->power;
	fdc_result(s, 15, false);
}

/* The cylinder numbers are read back but not taken: the heads did not move. */
static void cmd_restore(struct fdc *s)
{
	s->specify[0] = s->fifo[7];
	s->specify[1] = s->fifo[8];
	s->eot = s->fifo[9];
	s->lock = s->fifo[10] >> 7;
	s->perpendicular = s->fifo[10] & 0x3f;
	s->config = s->fifo[11] & 0x7f;
	s->precomp = s->fifo[12];
	s->power = s->fifo[13];
	fdc_idle(s);
}

static void cmd_option(struct fdc *s)
{
	s->option = s->fifo[1];
	fdc_idle(s);
}

static void cmd_power(struct fdc *s)
{
	s->power = s->fifo[1];
	s->fifo[0] = s->power;
	fdc_result(s, 1, false);
}

static void cmd_read_id(struct fdc *s)
{
	s->x = (struct fdc_xfer){
		.drive = s->fifo[1] & 3,
		.h = s->fifo[1] >> 2 & 1,
		.n = FDC_N,
		.dma = true,
	};
	s->x.last_h = s->x.h;
	s->phase = FDC_EXEC_ID;
	dm_timer_set_ns(&s->id_timer, clock_ns() + ROTATION_NS);
}

void fdc_read_id_done(void *opaque)
{
	struct fdc *s = opaque;
	struct fdc_drive *d = &s->drive[s->x.drive];

	if (!fdc_readable(s, s->x.drive, s->x.h)) {
		fdc_data_result(s, ST0_ABNORMAL, ST1_MA, 0);
		return;
	}
	d->rotation = (uint8_t)(d->rotation % d->format.sectors + 1);
	s->x.c = fdc_cylinder(d);
	s->x.r = d->rotation;
	fdc_data_result(s, 0, 0, 0);
}

static void cmd_data(struct fdc *s)
{
	static const uint8_t kinds[32] = {
		[0x02] = FDC_READ_TRACK, [0x05] = FDC_WRITE,	    [0x06] = FDC_READ,
		[0x09] = FDC_WRITE,	 [0x0c] = FDC_READ_DELETED, [0x11] = FDC_SCAN_EQUAL,
		[0x16] = FDC_VERIFY,	 [0x19] = FDC_SCAN_LOW,	    [0x1d] = FDC_SCAN_HIGH,
	};

	fdc_data_command(s, kinds[s->fifo[0] & 0x1f]);
}

static const struct {
	uint8_t mask, value;
	uint8_t parameters;
	void (*handler)(struct fdc *s);
	const char *name;
} commands[] = {
	{ 0x1f, 0x06, 8, cmd_data, "READ DATA" },
	{ 0x3f, 0x05, 8, cmd_data, "WRITE DATA" },
	{ 0xff, 0x08, 0, cmd_sense_interrupt, "SENSE INTERRUPT STATUS" },
	{ 0xff, 0x0f, 2, cmd_seek, "SEEK" },
	{ 0xff, 0x07, 1, cmd_recalibrate, "RECALIBRATE" },
	{ 0xff, 0x04, 1, cmd_sense_drive, "SENSE DRIVE STATUS" },
	{ 0xff, 0x03, 2, cmd_specify, "SPECIFY" },
	{ 0xbf, 0x0a, 1, cmd_read_id, "READ ID" },
	{ 0xbf, 0x0d, 5, fdc_format_command, "FORMAT TRACK" },
	{ 0x1f, 0x0c, 8, cmd_data, "READ DELETED DATA" },
	{ 0x3f, 0x09, 8, cmd_data, "WRITE DELETED DATA" },
	{ 0x9f, 0x02, 8, cmd_data, "READ TRACK" },
	{ 0x1f, 0x16, 8, cmd_data, "VERIFY" },
	{ 0x1f, 0x11, 8, cmd_data, "SCAN EQUAL" },
	{ 0x1f, 0x19, 8, cmd_data, "SCAN LOW OR EQUAL" },
	{ 0x1f, 0x1d, 8, cmd_data, "SCAN HIGH OR EQUAL" },
	{ 0xbf, 0x8f, 2, cmd_relative_seek, "RELATIVE SEEK" },
	{ 0xff, 0x13, 3, cmd_configure, "CONFIGURE" },
	{ 0xff, 0x12, 1, cmd_perpendicular, "PERPENDICULAR MODE" },
	{ 0xff, 0x0e, 0, cmd_dumpreg, "DUMPREG" },
	{ 0x7f, 0x14, 0, cmd_lock, "LOCK" },
	{ 0xff, 0x10, 0, cmd_version, "VERSION" },
	{ 0xff, 0x18, 0, cmd_part_id, "PART ID" },
	{ 0xff, 0x2e, 0, cmd_save, "SAVE" },
	{ 0xff, 0x4e, 17, cmd_restore, "RESTORE" },
	{ 0xff, 0x33, 1, cmd_option, "OPTION" },
	{ 0xff, 0x17, 1, cmd_power, "POWERDOWN MODE" },
};

static int find(uint8_t command)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if ((command & commands[i].mask) == commands[i].value)
			return (int)i;
	return -1;
}

unsigned int fdc_parameters(uint8_t command)
{
	int i = find(command);

	return i < 0 ? 0 : commands[i].parameters;
}

void fdc_command(struct fdc *s)
{
	int i = find(s->fifo[0]);

	if (i < 0) {
		log_trace(TRACE_FDC, "fdc: unknown command %02x", s->fifo[0]);
		invalid(s);
		return;
	}
	log_trace(TRACE_FDC, "fdc: %s %02x %02x %02x %02x %02x %02x %02x", commands[i].name,
		  s->fifo[0], s->fifo[1], s->fifo[2], s->fifo[3], s->fifo[4], s->fifo[5],
		  s->fifo[6]);
	commands[i].handler(s);
}
