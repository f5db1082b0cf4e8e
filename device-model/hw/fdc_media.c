/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Floppy drives and diskettes seen from the host: geometries by image size, what the options put
 * into the drives, change and eject by the monitor. See fdc.h.
 *
 * A drive's kind is that of the medium it starts with (1.44M when it starts empty), and stays.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/machine.h"
#include "core/options.h"
#include "core/util.h"
#include "hw/fdc.h"
#include "hw/fdc_media.h"

#define KIB	   1024u
#define CMOS_1440K 4

enum fdc_rate { RATE_500K, RATE_300K, RATE_250K, RATE_1M };

static const struct fdc_format formats[] = {
	{ 40, 1, 8, RATE_250K, 1 },  { 40, 1, 9, RATE_250K, 1 },  { 40, 2, 8, RATE_250K, 1 },
	{ 40, 2, 9, RATE_250K, 1 },  { 40, 2, 10, RATE_250K, 1 }, { 41, 2, 10, RATE_250K, 1 },
	{ 42, 2, 10, RATE_250K, 1 }, { 80, 2, 9, RATE_250K, 4 },  { 80, 2, 10, RATE_250K, 4 },
	{ 82, 2, 10, RATE_250K, 4 }, { 83, 2, 10, RATE_250K, 4 }, { 80, 2, 13, RATE_250K, 4 },
	{ 80, 2, 14, RATE_250K, 4 }, { 80, 2, 15, RATE_500K, 2 }, { 80, 2, 18, RATE_500K, 4 },
	{ 82, 2, 18, RATE_500K, 4 }, { 83, 2, 18, RATE_500K, 4 }, { 80, 2, 20, RATE_500K, 4 },
	{ 80, 2, 21, RATE_500K, 4 }, { 82, 2, 21, RATE_500K, 4 }, { 83, 2, 21, RATE_500K, 4 },
	{ 80, 2, 22, RATE_500K, 4 }, { 80, 2, 23, RATE_500K, 4 }, { 80, 2, 24, RATE_500K, 4 },
	{ 80, 2, 36, RATE_1M, 5 },   { 80, 2, 39, RATE_1M, 5 },	  { 80, 2, 40, RATE_1M, 5 },
	{ 80, 2, 44, RATE_1M, 5 },   { 80, 2, 48, RATE_1M, 5 },
};

/* Those that an image of another size is taken for: the smallest that holds it. */
static const uint16_t usual_kib[] = { 160, 360, 720, 1200, 1440, 2880 };

static bool format_of_size(uint64_t bytes, struct fdc_format *f)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		*f = formats[i];
		if ((uint64_t)f->tracks * f->heads * f->sectors * FDC_SECTOR == bytes)
			return true;
	}
	return false;
}

bool fdc_medium_format(uint64_t bytes, struct fdc_format *f)
{
	size_t i;

	if (format_of_size(bytes, f))
		return true;
	for (i = 0; i < ARRAY_SIZE(usual_kib) && bytes; i++)
		if (bytes <= usual_kib[i] * KIB)
			return format_of_size(usual_kib[i] * KIB, f);
	return false;
}

static bool medium_set(struct fdc_drive *d, struct block *blk)
{
	if (!fdc_medium_format(block_size(blk), &d->format)) {
		log_error("%s is no floppy image: %llu bytes are more than a diskette has, or none",
			  block_file(blk), (unsigned long long)block_size(blk));
		return false;
	}
	d->blk = blk;
	d->changed = true;
	d->rotation = 0;
	return true;
}

static struct block *image_open(struct machine *m, const char *file, const char *format,
				bool read_only, int fd)
{
	/* A diskette that is taken out has everything on it. */
	struct block_params p = {
		.file = file,
		.format = format,
		.read_only = read_only,
		.write_through = true,
		.fd = fd,
	};

	return block_open(m->disks, &p);
}

static int drive_init(struct fdc *s, unsigned int n)
{
	const struct opt_drive *o = &s->m->opt->floppies[n];
	struct fdc_drive *d = &s->drive[n];
	struct block *blk;
	int fd = -1;

	if (!o->present)
		return 0;
	d->present = true;
	d->cmos = CMOS_1440K;
	d->id = o->id ? xstrdup(o->id) : xasprintf("floppy%u", n);
	if (!o->file || !*o->file)
		return 0;
	if (!strncmp(o->file, "/dev/fdset/", 11))
		fd = qmp_open_path(s->m, o->file, o->read_only ? O_RDONLY : O_RDWR);
	blk = image_open(s->m, o->file, o->format, o->read_only, fd);
	if (!blk)
		return -errno;
	if (!medium_set(d, blk))
		return -EINVAL;
	d->cmos = d->format.cmos;
	return 0;
}

int fdc_media_init(struct fdc *s)
{
	unsigned int n;
	int rc = 0;

	s->m->fdc = s;
	for (n = 0; n < ARRAY_SIZE(s->m->opt->floppies) && !rc; n++)
		rc = drive_init(s, n);
	return rc;
}

uint8_t fdc_cmos_type(struct machine *m, unsigned int drive)
{
	return m->fdc ? m->fdc->drive[drive].cmos : 0;
}

/* --- monitor --- */

static struct fdc_drive *drive_named(struct machine *m, const struct json *args)
{
	struct fdc *s = m->fdc;
	const char *id = json_str(args, "id", json_str(args, "device", NULL));
	unsigned int n;

	for (n = 0; s && id && n < FDC_DRIVES; n++)
		if (s->drive[n].present && !strcmp(s->drive[n].id, id))
			return &s->drive[n];
	return NULL;
}

/* What is in flight ends first, and may begin the next piece of its command: that one fails. */
static void medium_remove(struct fdc_drive *d)
{
	struct block *old = d->blk;

	d->changed = true;
	d->blk = NULL;
	block_close(old);
}

bool fdc_monitor_eject(struct machine *m, const struct json *args, struct qmp_reply *r)
{
	struct fdc_drive *d = drive_named(m, args);

	if (d)
		medium_remove(d);
	return d;
}

static bool wants_read_only(struct machine *m, const struct json *args, const struct fdc_drive *d)
{
	const char *mode = json_str(args, "read-only-mode", "retain");

	if (strcmp(mode, "retain"))
		return !strcmp(mode, "read-only");
	return m->opt->floppies[d - m->fdc->drive].read_only;
}

bool fdc_monitor_change(struct machine *m, const struct json *args, const char *file,
			const char *format, struct qmp_reply *r)
{
	struct fdc_drive *d = drive_named(m, args);
	bool read_only;
	struct block *blk;
	int fd;

	if (!d || !file)
		return d;
	read_only = wants_read_only(m, args, d);
	fd = qmp_open_path(m, file, read_only ? O_RDONLY : O_RDWR);
	if (fd < 0) {
		qmp_error(r, "Could not open '%s': %s", file, qmp_open_reason(fd));
		return true;
	}
	medium_remove(d);
	blk = image_open(m, file, format, read_only, fd);
	if (blk && medium_set(d, blk))
		return true;
	block_close(blk);
	qmp_error(r, "Could not use '%s' as a diskette; the device model's log says why", file);
	return true;
}
