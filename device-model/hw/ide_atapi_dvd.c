/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the drive says of itself and of a DVD: GET CONFIGURATION (MMC-5 6.5, features in 5.3), READ DVD STRUCTURE (6.27)
 * and GET PERFORMANCE (6.8).
 */
#include "core/util.h"
#include "hw/ide_atapi.h"

#define PROFILE_CD_ROM	0x08
#define PROFILE_DVD_ROM 0x10
#define CD_MAX_SECTORS	(1024 * 1024 * 700 / CD_SECTOR)
#define DVD_DATA_START	0x30000 /* the first sector of a DVD's data area */
#define DVD_STRUCTURE	2048
#define DVD_SPEED_KB	5540 /* 4x */
#define CD_SPEED_KB	706

enum feature_bit { FEATURE_CURRENT = 1, FEATURE_PERSISTENT = 2 };
enum feature_choice { ALL_FEATURES, CURRENT_FEATURES, ONE_FEATURE };

/* When a feature is current. */
enum feature_when { ALWAYS, WITH_MEDIUM, WITH_CD, WITH_DVD };

static const struct feature {
	uint16_t code;
	enum feature_when when;
	uint8_t version, len;
	uint8_t data[8];
} features[] = {
	{ 0x0000, ALWAYS, 0, 8, { 0, PROFILE_DVD_ROM, 0, 0, 0, PROFILE_CD_ROM, 0, 0 } },
	{ 0x0001, ALWAYS, 2, 8, { 0, 0, 0, 2, 1 } }, /* core: ATAPI */
	{ 0x0002, ALWAYS, 1, 4, { 0 } },	     /* morphing: no events of it */
	{ 0x0003, ALWAYS, 0, 4, { 0x29 } },	     /* removable medium: tray, eject, lock */
	{ 0x0010, WITH_MEDIUM, 0, 8, { 0, 0, 8, 0, 0, 16, 1 } }, /* random readable: 2048 bytes */
	{ 0x001e, WITH_CD, 2, 4, { 0 } },			 /* CD read */
	{ 0x001f, WITH_DVD, 0, 0, { 0 } },			 /* DVD read */
	{ 0x0100, ALWAYS, 0, 0, { 0 } },			 /* power management */
	{ 0x0105, ALWAYS, 1, 4, { 0 } },			 /* timeout */
	{ 0x0107, WITH_DVD, 3, 4, { 0x08 } }, /* real-time streaming: SET CD SPEED */
};

bool atapi_is_dvd(const struct ide_drive *d)
{
	return d->sectors > CD_MAX_SECTORS;
}

static uint16_t current_profile(const struct ide_drive *d)
{
	return !atapi_medium(d) ? 0 : atapi_is_dvd(d) ? PROFILE_DVD_ROM : PROFILE_CD_ROM;
}

static bool feature_current(const struct ide_drive *d, const struct feature *f)
{
	uint16_t profile = current_profile(d);

	return f->when == ALWAYS || (f->when == WITH_MEDIUM && profile) ||
	       (f->when == WITH_CD && profile == PROFILE_CD_ROM) ||
	       (f->when == WITH_DVD && profile == PROFILE_DVD_ROM);
}

static uint8_t *feature_put(const struct ide_drive *d, const struct feature *f, uint8_t *r)
{
	put_be16(r, f->code);
	r[2] = (uint8_t)(f->version << 2 | (f->when == ALWAYS ? FEATURE_PERSISTENT : 0) |
			 (feature_current(d, f) ? FEATURE_CURRENT : 0));
	r[3] = f->len;
	memcpy(r + 4, f->data, f->len);
	if (!f->code) {
		r[6] = current_profile(d) == PROFILE_DVD_ROM;
		r[10] = current_profile(d) == PROFILE_CD_ROM;
	}
	return r + 4 + f->len;
}

void atapi_get_configuration(struct ide_drive *d, const uint8_t *p)
{
	enum feature_choice choice = p[1] & 3;
	uint16_t first = get_be16(p + 2);
	uint8_t *r = d->buf + 8;
	size_t i;

	if (choice > ONE_FEATURE) {
		atapi_invalid_field(d);
		return;
	}
	for (i = 0; i < ARRAY_SIZE(features); i++) {
		const struct feature *f = &features[i];

		if (choice == ONE_FEATURE
			    ? f->code == first
			    : f->code >= first && (choice == ALL_FEATURES || feature_current(d, f)))
			r = feature_put(d, f, r);
	}
	memset(d->buf, 0, 8);
	put_be32(d->buf, (uint32_t)(r - d->buf - 4));
	put_be16(d->buf + 6, current_profile(d));
	atapi_reply(d, (uint32_t)(r - d->buf), get_be16(p + 7));
}

/* One layer of 120 mm, read-only, from physical sector 30000h on. */
static uint32_t physical_format(const struct ide_drive *d, uint8_t *r)
{
	uint32_t last = DVD_DATA_START + (uint32_t)d->sectors - 1;

	memset(r, 0, DVD_STRUCTURE);
	r[0] = 0x01; /* DVD-ROM, part version 1 */
	r[1] = 0x0f; /* 120 mm, no least rate */
	r[2] = 0x01; /* one layer, embossed */
	put_be32(r + 4, DVD_DATA_START);
	put_be32(r + 8, last);
	return DVD_STRUCTURE;
}

/* The structures that can be read, with the lengths of their replies. */
static uint32_t structure_list(uint8_t *r)
{
	static const struct {
		uint8_t format;
		uint16_t len;
	} known[] = {
		{ 0x00, DVD_STRUCTURE + 4 }, { 0x01, 8 }, { 0x04, DVD_STRUCTURE + 4 }, { 0xff, 20 }
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known); i++, r += 4) {
		r[0] = known[i].format;
		r[1] = 0x40; /* READ DVD STRUCTURE reads it */
		put_be16(r + 2, known[i].len);
	}
	return sizeof(known[0]) * ARRAY_SIZE(known);
}

/* 0: there is no such structure. */
static uint32_t structure_put(const struct ide_drive *d, uint8_t format, uint8_t *r)
{
	switch (format) {
	case 0x00:
		return physical_format(d, r);
	case 0x01: /* no copyright protection, all regions */
		memset(r, 0, 4);
		return 4;
	case 0x04: /* what the manufacturer has to say */
		memset(r, 0, DVD_STRUCTURE);
		return DVD_STRUCTURE;
	case 0xff:
		return structure_list(r);
	default:
		return 0;
	}
}

void atapi_read_dvd_structure(struct ide_drive *d, const uint8_t *p)
{
	uint8_t format = p[7];
	uint32_t len;

	if (format != 0xff && !atapi_is_dvd(d)) {
		atapi_check(d, ILLEGAL_REQUEST, ASC_INCOMPATIBLE_FORMAT);
		return;
	}
	len = p[1] & 0xf || p[6] ? 0 : structure_put(d, format, d->buf + 4); /* DVDs of one layer */
	if (!len) {
		atapi_invalid_field(d);
		return;
	}
	put_be16(d->buf, (uint16_t)(len + 2));
	put_be16(d->buf + 2, 0);
	atapi_reply(d, len + 4, get_be16(p + 8));
}

/* One nominal speed from the first sector to the last. */
void atapi_get_performance(struct ide_drive *d, const uint8_t *p)
{
	uint32_t speed = atapi_is_dvd(d) ? DVD_SPEED_KB : CD_SPEED_KB;
	uint8_t *r = d->buf;

	if (p[10] || p[1] & 7) { /* only performance, of reading, nominal */
		atapi_invalid_field(d);
		return;
	}
	memset(r, 0, 24);
	put_be32(r, 20);
	put_be32(r + 12, speed);
	put_be32(r + 16, (uint32_t)d->sectors - 1);
	put_be32(r + 20, speed);
	atapi_reply(d, get_be16(p + 8) ? 24 : 8, 24);
}
