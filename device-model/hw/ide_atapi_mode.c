/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MODE SENSE (10) and MODE SELECT (10) of a CD drive: pages by a table of their power-on values and of the bits that
 * the host may change (SPC-2 7.8, 7.6; MMC-5 7.2; page 0eh and the medium types by SFF-8020i).
 */
#include "core/util.h"
#include "hw/ide_atapi.h"

#define HEADER	      8
#define PAGE_HEAD     2
#define PAGE_MAX      20
#define PAGE_ALL      0x3f
#define PAGE_ABILITY  0x2a
#define NOT_KEPT      0xff
#define SELECT_FORMAT 0x10 /* of bits in MODE SELECT: pages as in the standard */
#define SELECT_SAVE   0x01

enum page_control { CURRENT, CHANGEABLE, POWER_ON, SAVED };

struct mode_page {
	uint8_t code, len; /* of what follows these two bytes */
	uint8_t kept;	   /* where in d->mode its values are, or NOT_KEPT */
	uint8_t initial[PAGE_MAX], mask[PAGE_MAX];
};

static const struct mode_page pages[] = {
	/* error recovery: retries */
	{ 0x01, 6, 0, { [1] = 5 }, { 0xff, 0xff } },
	/* audio control: drivers ask before they look for audio */
	{ 0x0e, 14, 6, { 4 }, { [6] = 0x0f, 0xff, 0x0f, 0xff, 0x0f, 0xff, 0x0f, 0xff } },
	/* power condition, timeouts: neither is there */
	{ 0x1a, 10, NOT_KEPT, { 0 }, { 0 } },
	{ 0x1d, 8, NOT_KEPT, { 0 }, { 0 } },
	/* capabilities: speeds of 706 kB/s (4x), a buffer of 512 KiB, two volume levels; tray, lock, eject */
	{ PAGE_ABILITY,
	  18,
	  NOT_KEPT,
	  { 0x3b, 0, 0x70, 0x03, 0x29, 0, 706 >> 8, 706 & 0xff, 0, 2, 512 >> 8, 0, 706 >> 8,
	    706 & 0xff },
	  { 0 } },
};

void atapi_mode_reset(struct ide_drive *d)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(pages); i++)
		if (pages[i].kept != NOT_KEPT)
			memcpy(d->mode + pages[i].kept, pages[i].initial, pages[i].len);
}

/* The page's bytes after its head. */
static void page_values(const struct ide_drive *d, const struct mode_page *page,
			enum page_control control, uint8_t *out)
{
	memcpy(out, control == CHANGEABLE ? page->mask : page->initial, page->len);
	if (control == CURRENT && page->kept != NOT_KEPT)
		memcpy(out, d->mode + page->kept, page->len);
	if (control == CURRENT && page->code == PAGE_ABILITY && d->locked)
		out[4] |= 2;
}

void atapi_mode_sense(struct ide_drive *d, const uint8_t *p)
{
	enum page_control control = p[2] >> 6;
	uint8_t wanted = p[2] & 0x3f, *r = d->buf + HEADER;
	size_t i;

	if (control == SAVED) {
		atapi_check(d, ILLEGAL_REQUEST, ASC_SAVING_UNSUPPORTED);
		return;
	}
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		if (wanted != PAGE_ALL && wanted != pages[i].code)
			continue;
		r[0] = pages[i].code;
		r[1] = pages[i].len;
		page_values(d, &pages[i], control, r + PAGE_HEAD);
		r += PAGE_HEAD + pages[i].len;
	}
	if (r == d->buf + HEADER) {
		atapi_invalid_field(d);
		return;
	}
	memset(d->buf, 0, HEADER);
	put_be16(d->buf, (uint16_t)(r - d->buf - 2));
	d->buf[2] = d->tray_open ? 0x71 : d->blk ? 0x01 : 0x70; /* 120 mm data disc, or none */
	atapi_reply(d, (uint32_t)(r - d->buf), get_be16(p + 7));
}

void atapi_mode_select(struct ide_drive *d, const uint8_t *p)
{
	if (!(p[1] & SELECT_FORMAT) || p[1] & SELECT_SAVE)
		atapi_invalid_field(d);
	else
		atapi_receive(d, get_be16(p + 7));
}

/* A page of a parameter list; what it wants changed must be changeable. 0, or what is wrong. */
static uint8_t page_check(const struct ide_drive *d, const uint8_t *r, uint32_t left,
			  const struct mode_page **found)
{
	uint8_t now[PAGE_MAX];
	unsigned int i;
	size_t n;

	for (n = 0; n < ARRAY_SIZE(pages) && pages[n].code != (r[0] & 0x3f); n++)
		;
	if (n == ARRAY_SIZE(pages) || r[1] != pages[n].len)
		return ASC_INVALID_PARAMETER;
	if (left - PAGE_HEAD < r[1])
		return ASC_PARAMETER_LIST_LENGTH;
	*found = &pages[n];
	page_values(d, &pages[n], CURRENT, now);
	for (i = 0; i < pages[n].len; i++)
		if ((now[i] ^ r[PAGE_HEAD + i]) & ~pages[n].mask[i])
			return ASC_INVALID_PARAMETER;
	return 0;
}

/* Looks at all pages, or puts them to use. */
static uint8_t pages_select(struct ide_drive *d, bool use)
{
	uint32_t at = HEADER;

	while (at < d->buf_len) {
		const struct mode_page *page = NULL;
		const uint8_t *r = d->buf + at;
		uint8_t bad = d->buf_len - at < PAGE_HEAD
				      ? ASC_PARAMETER_LIST_LENGTH
				      : page_check(d, r, d->buf_len - at, &page);

		if (bad)
			return bad;
		if (use && page->kept != NOT_KEPT)
			memcpy(d->mode + page->kept, r + PAGE_HEAD, page->len);
		at += PAGE_HEAD + page->len;
	}
	return 0;
}

void atapi_mode_selected(struct ide_drive *d)
{
	uint8_t bad = 0;

	if (d->buf_len && d->buf_len < HEADER)
		bad = ASC_PARAMETER_LIST_LENGTH;
	else if (d->buf_len && get_be16(d->buf + 6))
		bad = ASC_INVALID_PARAMETER; /* block descriptors */
	else
		bad = pages_select(d, false);
	if (bad) {
		atapi_check(d, ILLEGAL_REQUEST, bad);
		return;
	}
	pages_select(d, true);
	atapi_ok(d);
}
