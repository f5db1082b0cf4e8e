/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drives and media seen from the host: what the options put into the four places, CD changes by the
 * monitor (as libxl does them), eject by the guest, unplugging for paravirtual drivers, statistics.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "block/failure.h"
#include "core/log.h"
#include "core/machine.h"
#include "core/options.h"
#include "core/qmp.h"
#include "core/util.h"
#include "hw/fdc_media.h"
#include "hw/ide.h"

#define MEDIA_EJECT_REQUEST 1
#define MEDIA_NEW	    2
#define MEDIA_REMOVED	    3

static struct ide_drive *drive_at(struct machine *m, unsigned int place)
{
	return &m->ide->channel[place / 2].drive[place % 2];
}

static void medium_set(struct ide_drive *d, struct block *blk)
{
	d->blk = blk;
	d->sectors = blk ? block_size(blk) / (d->cdrom ? CD_SECTOR : IDE_SECTOR) : 0;
}

static enum block_on_error error_policy(const char *name)
{
	static const struct {
		const char *name;
		enum block_on_error policy;
	} policies[] = {
		{ "report", BLOCK_ERROR_REPORT },
		{ "ignore", BLOCK_ERROR_IGNORE },
		{ "enospc", BLOCK_ERROR_ENOSPC },
		{ "stop", BLOCK_ERROR_STOP },
	};
	size_t i;

	for (i = 0; name && i < ARRAY_SIZE(policies); i++)
		if (!strcmp(name, policies[i].name))
			return policies[i].policy;
	return BLOCK_ERROR_DEFAULT;
}

static int drive_init(struct machine *m, unsigned int place)
{
	const struct opt_drive *o = &m->opt->drives[place];
	struct ide_drive *d = drive_at(m, place);
	struct block *blk = NULL;

	ide_geometry_standard(d);
	if (!o->present)
		return 0;
	d->id = o->id ? xstrdup(o->id)
		      : xasprintf("ide%u-%s%u", place / 2, o->cdrom ? "cd" : "hd", place % 2);
	if (o->file && *o->file) {
		struct block_params p = {
			.id = d->id,
			.file = o->file,
			.format = o->format,
			.read_only = o->read_only,
			.write_through = o->write_through,
			.discard = o->discard,
			.on_read_error = error_policy(o->rerror),
			.on_write_error = error_policy(o->werror),
			.fd = -1,
		};

		/* libxl passes descriptors to a confined device model. */
		if (!strncmp(o->file, "/dev/fdset/", 11))
			p.fd = qmp_open_path(m, o->file, o->read_only ? O_RDONLY : O_RDWR);
		blk = block_open(m->disks, &p);
		if (!blk)
			return -errno;
		if (!block_size(blk) && !o->cdrom) {
			log_error("the disk %s is empty: give it a size (truncate -s 10G FILE)",
				  o->file);
			return -EINVAL;
		}
	}
	d->present = true;
	d->cdrom = o->cdrom;
	d->serial = o->serial ? xstrdup(o->serial) : xasprintf("PL%05u", place + 1);
	d->version = xstrdup(o->version ? o->version : "0.1");
	d->buf = xzalloc(IDE_BUF_SIZE + CD_RAW_SECTOR);
	d->physical_sector = o->physical_sector;
	medium_set(d, blk);
	if (!d->cdrom)
		ide_geometry_init(d, o);
	return 0;
}

int ide_media_init(struct machine *m, struct ide_controller *c)
{
	unsigned int place;
	int rc = 0;

	m->ide = c;
	block_failure_init(m);
	for (place = 0; place < OPT_MAX_DRIVES && !rc; place++)
		rc = drive_init(m, place);
	return rc;
}

static void tray_event(struct ide_drive *d, bool open)
{
	char *data = xasprintf("{\"device\": \"%s\", \"tray-open\": %s, \"id\": \"%s\"}", d->id,
			       open ? "true" : "false", d->id);

	qmp_event(d->ch->m, "DEVICE_TRAY_MOVED", data);
	free(data);
}

/* What is in flight ends first, and may begin the next piece of its command: that one fails. */
static void medium_remove(struct ide_drive *d)
{
	struct block *old = d->blk;

	if (!old)
		return;
	medium_set(d, NULL);
	block_close(old);
	d->media_event = MEDIA_REMOVED;
	d->locked = false;
}

/* The medium stays in the tray; a closed tray with one in it is news to the guest. */
void ide_tray_move(struct ide_drive *d, bool open)
{
	if (d->tray_open == open)
		return;
	d->tray_open = open;
	if (d->blk)
		d->media_event = open ? MEDIA_REMOVED : MEDIA_NEW;
	if (!open && d->blk)
		d->unit_attention = true;
	tray_event(d, open);
}

static void medium_insert(struct ide_drive *d, struct block *blk)
{
	medium_remove(d);
	medium_set(d, blk);
	d->tray_open = false;
	d->unit_attention = true;
	d->media_event = MEDIA_NEW;
	tray_event(d, false);
}

const struct ide_geometry *ide_disk_geometry(struct machine *m, unsigned int place)
{
	struct ide_drive *d = m->ide ? drive_at(m, place) : NULL;

	return d && d->present && !d->cdrom ? &d->base : NULL;
}

void ide_unplug_disks(struct machine *m, bool aux_only)
{
	unsigned int place;

	for (place = aux_only ? 1 : 0; place < OPT_MAX_DRIVES; place++) {
		struct ide_drive *d = drive_at(m, place);

		if (!d->present || d->cdrom)
			continue;
		if (d->blk)
			block_close(d->blk);
		d->blk = NULL;
		d->present = false;
		d->phase = IDE_IDLE;
		d->status = 0;
	}
}

/* --- monitor --- */

static struct ide_drive *drive_named(struct machine *m, const struct json *args,
				     struct qmp_reply *r)
{
	const char *id = json_str(args, "id", json_str(args, "device", NULL));
	unsigned int place;

	for (place = 0; m->ide && id && place < OPT_MAX_DRIVES; place++) {
		struct ide_drive *d = drive_at(m, place);

		if (d->present && !strcmp(d->id, id))
			return d;
	}
	r->error_class = "DeviceNotFound";
	qmp_error(r, "Device '%s' not found", id ? id : "");
	return NULL;
}

static struct ide_drive *cdrom_named(struct machine *m, const struct json *args,
				     struct qmp_reply *r)
{
	struct ide_drive *d = drive_named(m, args, r);

	if (!d || d->cdrom)
		return d;
	qmp_error(r, "Device '%s' is not removable", d->id);
	return NULL;
}

/* True: the guest holds it, and may let go of it and eject it itself (MMC-3 6.8, event 1). */
static bool locked_against(struct ide_drive *d, const struct json *args, struct qmp_reply *r)
{
	if (!d->locked || json_bool(args, "force", false))
		return false;
	d->media_event = MEDIA_EJECT_REQUEST;
	qmp_error(
		r,
		"Device '%s' is locked and force was not specified, wait for tray to open and try again",
		d->id);
	return true;
}

static void cmd_eject(struct machine *m, const struct json *args, struct qmp_reply *r)
{
	struct ide_drive *d;

	if (fdc_monitor_eject(m, args, r))
		return;
	d = cdrom_named(m, args, r);
	if (!d)
		return;
	if (locked_against(d, args, r))
		return;
	d->locked = false;
	ide_tray_move(d, true);
	medium_remove(d);
	d->unit_attention = false;
}
QMP_COMMAND(eject, "eject", cmd_eject);

static void change_medium(struct machine *m, struct ide_drive *d, const char *file,
			  const char *format, struct qmp_reply *r)
{
	struct block_params p = { .id = d->id, .file = file, .format = format, .read_only = true };
	struct block *blk;

	p.fd = qmp_open_path(m, file, O_RDONLY);
	if (p.fd < 0) {
		qmp_error(r, "Could not open '%s': %s", file, qmp_open_reason(p.fd));
		return;
	}
	blk = block_open(m->disks, &p);
	if (!blk) {
		qmp_error(r, "Could not use '%s' as a medium; the device model's log says why",
			  file);
		return;
	}
	medium_insert(d, blk);
}

static void cmd_change_medium(struct machine *m, const struct json *args, struct qmp_reply *r)
{
	const char *file = json_str(args, "filename", NULL);
	struct ide_drive *d;

	if (fdc_monitor_change(m, args, file, json_str(args, "format", "raw"), r))
		return;
	d = cdrom_named(m, args, r);
	if (d && file && !locked_against(d, args, r))
		change_medium(m, d, file, json_str(args, "format", "raw"), r);
	else if (d && !file)
		qmp_error(r, "Parameter 'filename' is missing");
}
QMP_COMMAND(change_medium, "blockdev-change-medium", cmd_change_medium);

/* The older form: device, target, arg. */
static void cmd_change(struct machine *m, const struct json *args, struct qmp_reply *r)
{
	struct ide_drive *d = cdrom_named(m, args, r);
	const char *target = json_str(args, "target", NULL);

	if (d && target && !locked_against(d, args, r))
		change_medium(m, d, target, json_str(args, "arg", "raw"), r);
	else if (d && !target)
		qmp_error(r, "Parameter 'target' is missing");
}
QMP_COMMAND(change, "change", cmd_change);

static void put_stats(struct json_out *out, const struct block_stats *s)
{
	jout_open(out, "stats", '{');
	jout_int(out, "rd_bytes", (int64_t)s->rd_bytes);
	jout_int(out, "wr_bytes", (int64_t)s->wr_bytes);
	jout_int(out, "rd_operations", (int64_t)s->rd_ops);
	jout_int(out, "wr_operations", (int64_t)s->wr_ops);
	jout_int(out, "flush_operations", (int64_t)s->flush_ops);
	jout_close(out, '}');
}

static void put_inserted(struct json_out *out, const struct block *blk)
{
	jout_open(out, "inserted", '{');
	jout_str(out, "file", block_file(blk));
	jout_bool(out, "ro", block_read_only(blk));
	jout_str(out, "drv", block_format(blk));
	jout_close(out, '}');
}

static void query_drives(struct machine *m, struct qmp_reply *r, bool stats)
{
	static const struct block_stats none;
	unsigned int place;

	qmp_return_open(r, '[');
	for (place = 0; m->ide && place < OPT_MAX_DRIVES; place++) {
		struct ide_drive *d = drive_at(m, place);

		if (!d->present)
			continue;
		jout_open(r->out, NULL, '{');
		jout_str(r->out, "device", d->id);
		jout_str(r->out, "qdev", d->id);
		if (stats) {
			put_stats(r->out, d->blk ? block_get_stats(d->blk) : &none);
		} else {
			jout_bool(r->out, "removable", d->cdrom);
			jout_bool(r->out, "locked", d->locked);
			jout_bool(r->out, "tray_open", d->tray_open);
			jout_str(r->out, "type", "unknown");
			if (d->blk)
				put_inserted(r->out, d->blk);
		}
		jout_close(r->out, '}');
	}
	qmp_return_close(r, ']');
}

static void cmd_query_block(struct machine *m, const struct json *args, struct qmp_reply *r)
{
	query_drives(m, r, false);
}
QMP_COMMAND(query_block, "query-block", cmd_query_block);

static void cmd_query_blockstats(struct machine *m, const struct json *args, struct qmp_reply *r)
{
	query_drives(m, r, true);
}
QMP_COMMAND(query_blockstats, "query-blockstats", cmd_query_blockstats);
