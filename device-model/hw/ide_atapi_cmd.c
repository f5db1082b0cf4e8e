/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packet commands of a DVD-ROM drive by a table that says what each needs: a medium, no pending unit attention, a byte
 * count. They are what MMC-5 wants of the profiles CD-ROM and DVD-ROM, and some that older drivers send.
 */
#include "core/log.h"
#include "core/util.h"
#include "hw/ide_atapi.h"

#define MODE_SELECT 0x55

enum packet_flag {
	NEEDS_MEDIUM = 1,
	DESPITE_ATTENTION = 2, /* runs although a unit attention is pending */
	HAS_DATA = 4,
};

/* GET EVENT STATUS NOTIFICATION, class media (MMC-3 6.8). */
enum media_event { EVENT_NONE, EVENT_EJECT_REQUEST, EVENT_NEW_MEDIA, EVENT_REMOVED };

struct packet_command {
	void (*handler)(struct ide_drive *d, const uint8_t *p);
	uint8_t flags;
};

static void cmd_test_ready(struct ide_drive *d, const uint8_t *p)
{
	atapi_ok(d);
}

static void cmd_request_sense(struct ide_drive *d, const uint8_t *p)
{
	uint8_t *r = d->buf;

	memset(r, 0, 18);
	r[0] = 0xf0; /* valid, current */
	r[2] = d->sense_key;
	r[7] = 10;
	r[12] = d->asc;
	r[13] = d->ascq;
	d->sense_key = d->asc = d->ascq = 0;
	atapi_reply(d, 18, p[4]);
}

static void pad(uint8_t *out, unsigned int len, const char *s)
{
	unsigned int i;

	for (i = 0; i < len; i++)
		out[i] = (uint8_t)(*s ? *s++ : ' ');
}

static void cmd_inquiry(struct ide_drive *d, const uint8_t *p)
{
	uint8_t *r = d->buf;

	if (p[1] & 1) {
		atapi_invalid_field(d); /* no vital product data */
		return;
	}
	memset(r, 0, 36);
	r[0] = 0x05; /* CD/DVD */
	r[1] = 0x80; /* removable */
	r[3] = 0x21; /* ATAPI-2, response format 1 */
	r[4] = 31;
	pad(r + 8, 8, "PLINTH");
	pad(r + 16, 16, "PLINTH DVD-ROM");
	pad(r + 32, 4, "0.1");
	atapi_reply(d, 36, p[4]);
}

static void cmd_start_stop(struct ide_drive *d, const uint8_t *p)
{
	bool start = p[4] & 1, load_eject = p[4] & 2;

	if (load_eject && !start) {
		if (d->locked) {
			atapi_check(d, d->blk ? ILLEGAL_REQUEST : NOT_READY, ASC_REMOVAL_PREVENTED);
			return;
		}
		ide_tray_move(d, true);
	} else if (load_eject) {
		ide_tray_move(d, false);
	}
	atapi_ok(d);
}

static void cmd_prevent(struct ide_drive *d, const uint8_t *p)
{
	d->locked = p[4] & 1;
	atapi_ok(d);
}

static void cmd_read_capacity(struct ide_drive *d, const uint8_t *p)
{
	put_be32(d->buf, (uint32_t)MIN(d->sectors - 1, 0xffffffff));
	put_be32(d->buf + 4, CD_SECTOR);
	atapi_reply(d, 8, 8);
}

static void cmd_read10(struct ide_drive *d, const uint8_t *p)
{
	atapi_read(d, get_be32(p + 2), get_be16(p + 7), CD_SECTOR);
}

static void cmd_read12(struct ide_drive *d, const uint8_t *p)
{
	atapi_read(d, get_be32(p + 2), get_be32(p + 6), CD_SECTOR);
}

/* READ CD and READ CD MSF; what of each sector says byte 9. */
static void read_parts(struct ide_drive *d, uint8_t parts, uint32_t lba, uint32_t count)
{
	switch (parts & 0xf8) {
	case 0x00:
		atapi_ok(d);
		break;
	case 0x10:
		atapi_read(d, lba, count, CD_SECTOR);
		break;
	case 0xf8:
		atapi_read(d, lba, count, CD_RAW_SECTOR);
		break;
	default:
		atapi_invalid_field(d);
	}
}

static void cmd_read_cd(struct ide_drive *d, const uint8_t *p)
{
	read_parts(d, p[9], get_be32(p + 2), (uint32_t)p[6] << 16 | get_be16(p + 7));
}

/* Minutes, seconds, frames; the first two seconds come before sector 0. */
static int32_t msf_lba(const uint8_t *msf)
{
	return (msf[0] * 60 + msf[1]) * 75 + msf[2] - 150;
}

static void cmd_read_cd_msf(struct ide_drive *d, const uint8_t *p)
{
	int32_t first = msf_lba(p + 3), end = msf_lba(p + 6);

	if (first < 0 || end < first)
		atapi_invalid_field(d);
	else
		read_parts(d, p[9], (uint32_t)first, (uint32_t)(end - first));
}

static void cmd_seek(struct ide_drive *d, const uint8_t *p)
{
	if (get_be32(p + 2) >= d->sectors)
		atapi_check(d, ILLEGAL_REQUEST, ASC_OUT_OF_RANGE);
	else
		atapi_ok(d);
}

static void put_address(uint8_t *out, uint32_t lba, bool msf)
{
	if (!msf) {
		put_be32(out, lba);
		return;
	}
	lba += 150;
	out[0] = 0;
	out[1] = (uint8_t)(lba / (60 * 75));
	out[2] = (uint8_t)(lba / 75 % 60);
	out[3] = (uint8_t)(lba % 75);
}

static uint8_t *toc_entry(uint8_t *q, uint8_t track, uint32_t lba, bool msf)
{
	q[0] = 0;
	q[1] = 0x14; /* data track, copy prohibited */
	q[2] = track;
	q[3] = 0;
	put_address(q + 4, lba, msf);
	return q + 8;
}

/* Format 0: track 1 and the lead-out. */
static uint32_t toc_tracks(struct ide_drive *d, uint8_t first, bool msf)
{
	uint8_t *q = d->buf + 4;

	d->buf[2] = d->buf[3] = 1;
	if (first <= 1)
		q = toc_entry(q, 1, 0, msf);
	q = toc_entry(q, 0xaa, (uint32_t)d->sectors, msf);
	return (uint32_t)(q - d->buf);
}

/* Format 2: points A0, A1, A2 and the track. */
static uint32_t toc_raw(struct ide_drive *d, bool msf)
{
	static const uint8_t points[] = { 0xa0, 0xa1, 0xa2, 0x01 };
	uint8_t *q = d->buf + 4;
	unsigned int i;

	d->buf[2] = d->buf[3] = 1;
	for (i = 0; i < ARRAY_SIZE(points); i++, q += 11) {
		memset(q, 0, 11);
		q[0] = 1;
		q[1] = 0x14;
		q[3] = points[i];
		if (points[i] == 0xa0 || points[i] == 0xa1)
			q[8] = 1; /* first and last track */
		else
			put_address(q + 7, points[i] == 0xa2 ? (uint32_t)d->sectors : 0, msf);
	}
	return (uint32_t)(q - d->buf);
}

static void cmd_read_toc(struct ide_drive *d, const uint8_t *p)
{
	unsigned int format = p[2] & 0xf ? p[2] & 0xf : p[9] >> 6;
	bool msf = p[1] & 2;
	uint32_t len;

	if (format == 0 && p[6] > 1 && p[6] != 0xaa) {
		atapi_invalid_field(d);
		return;
	}
	switch (format) {
	case 0:
		len = toc_tracks(d, p[6], msf);
		break;
	case 1: /* sessions: one, from track 1 */
		memset(d->buf, 0, 12);
		d->buf[2] = d->buf[3] = 1;
		len = 12;
		break;
	case 2:
		len = toc_raw(d, msf);
		break;
	default:
		atapi_invalid_field(d);
		return;
	}
	put_be16(d->buf, (uint16_t)(len - 2));
	atapi_reply(d, len, get_be16(p + 7));
}

static void cmd_event_status(struct ide_drive *d, const uint8_t *p)
{
	uint8_t *r = d->buf;
	bool media = p[4] & 0x10;

	if (!(p[1] & 1)) {
		atapi_invalid_field(d); /* asynchronous operation */
		return;
	}
	memset(r, 0, 8);
	r[2] = media ? 0x04 : 0x80; /* class, or none */
	r[3] = 0x10;
	put_be16(r, media ? 6 : 2);
	if (media) {
		r[4] = d->media_event;
		r[5] = (uint8_t)((atapi_medium(d) ? 2 : 0) | (d->tray_open ? 1 : 0));
		d->media_event = EVENT_NONE;
	}
	atapi_reply(d, media ? 8 : 4, get_be16(p + 7));
}

static void cmd_disc_information(struct ide_drive *d, const uint8_t *p)
{
	uint8_t *r = d->buf;

	if (p[1] & 7) {
		atapi_invalid_field(d);
		return;
	}
	memset(r, 0, 34);
	put_be16(r, 32);
	r[2] = 0x0e; /* complete, not erasable */
	r[3] = r[4] = r[5] = r[6] = 1;
	r[7] = 0x20; /* unrestricted use */
	atapi_reply(d, 34, get_be16(p + 7));
}

static void cmd_mechanism(struct ide_drive *d, const uint8_t *p)
{
	memset(d->buf, 0, 8);
	d->buf[1] = d->tray_open ? 0x10 : 0;
	d->buf[5] = 1;
	atapi_reply(d, 8, get_be16(p + 8));
}

/* Nothing turns, and what is read ahead is the host's affair. */
static void cmd_set_streaming(struct ide_drive *d, const uint8_t *p)
{
	atapi_receive(d, get_be16(p + 9));
}

void atapi_received(struct ide_drive *d)
{
	if (d->packet_op == MODE_SELECT)
		atapi_mode_selected(d);
	else
		atapi_ok(d);
}

void atapi_reset(struct ide_drive *d)
{
	atapi_mode_reset(d);
}

static const struct packet_command packets[256] = {
	[0x00] = { cmd_test_ready, NEEDS_MEDIUM },
	[0x03] = { cmd_request_sense, DESPITE_ATTENTION | HAS_DATA },
	[0x12] = { cmd_inquiry, DESPITE_ATTENTION | HAS_DATA },
	[0x1b] = { cmd_start_stop, 0 },
	[0x1e] = { cmd_prevent, 0 },
	[0x25] = { cmd_read_capacity, NEEDS_MEDIUM | HAS_DATA },
	[0x28] = { cmd_read10, NEEDS_MEDIUM | HAS_DATA },
	[0x2b] = { cmd_seek, NEEDS_MEDIUM },
	[0x43] = { cmd_read_toc, NEEDS_MEDIUM | HAS_DATA },
	[0x46] = { atapi_get_configuration, DESPITE_ATTENTION | HAS_DATA },
	[0x4a] = { cmd_event_status, DESPITE_ATTENTION | HAS_DATA },
	[0x51] = { cmd_disc_information, NEEDS_MEDIUM | HAS_DATA },
	[MODE_SELECT] = { atapi_mode_select, HAS_DATA },
	[0x5a] = { atapi_mode_sense, HAS_DATA },
	[0xa7] = { cmd_seek, NEEDS_MEDIUM }, /* SET READ AHEAD */
	[0xa8] = { cmd_read12, NEEDS_MEDIUM | HAS_DATA },
	[0xac] = { atapi_get_performance, NEEDS_MEDIUM | HAS_DATA },
	[0xad] = { atapi_read_dvd_structure, NEEDS_MEDIUM | HAS_DATA },
	[0xb6] = { cmd_set_streaming, HAS_DATA },
	[0xb9] = { cmd_read_cd_msf, NEEDS_MEDIUM | HAS_DATA },
	[0xbb] = { cmd_test_ready, 0 }, /* SET CD SPEED: nothing turns */
	[0xbd] = { cmd_mechanism, HAS_DATA },
	[0xbe] = { cmd_read_cd, NEEDS_MEDIUM | HAS_DATA },
};

void atapi_command(struct ide_drive *d, const uint8_t *packet)
{
	const struct packet_command *c = &packets[packet[0]];

	if (!c->handler) {
		atapi_check(d, ILLEGAL_REQUEST, ASC_INVALID_OPCODE);
		return;
	}
	if (d->unit_attention && !(c->flags & DESPITE_ATTENTION)) {
		d->unit_attention = false;
		atapi_check(d, UNIT_ATTENTION, ASC_MEDIUM_CHANGED);
		return;
	}
	if (c->flags & NEEDS_MEDIUM && !atapi_medium(d)) {
		atapi_check(d, NOT_READY, ASC_NO_MEDIUM);
		return;
	}
	/* A PIO reply needs a byte count (ATA-6 8.23.3): zero is an error of the host. */
	if (c->flags & HAS_DATA && !d->packet_dma && !d->lba_mid[0] && !d->lba_high[0]) {
		ide_fail(d, IDE_ABRT);
		return;
	}
	d->packet_op = packet[0];
	c->handler(d, packet);
}
