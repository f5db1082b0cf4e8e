/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DATA SET MANAGEMENT with TRIM (ATA8-ACS 7.10): by DMA, blocks of 64 ranges, each a 48-bit address and
 * a 16-bit count; a count of zero is no range. Present when the image gives space back (discard=unmap).
 */
#include "core/util.h"
#include "hw/ide.h"

#define RANGE_SIZE   8u
#define FEATURE_TRIM 0x01

static void trim_next(struct ide_drive *d);

static void range_done(struct ide_drive *d, int err)
{
	if (err) {
		ide_fail(d, IDE_ABRT);
		return;
	}
	trim_next(d);
}

/* Ranges from buf_pos on; all of them are inside the disk. */
static void trim_next(struct ide_drive *d)
{
	while (d->buf_pos < d->buf_len) {
		uint64_t range = get_le32(d->buf + d->buf_pos) |
				 (uint64_t)get_le32(d->buf + d->buf_pos + 4) << 32;
		uint64_t lba = range & 0xffffffffffffull, count = range >> 48;

		d->buf_pos += RANGE_SIZE;
		if (!count)
			continue;
		d->status = IDE_BSY;
		ide_submit(d, BLOCK_DISCARD, lba * IDE_SECTOR, count * IDE_SECTOR, range_done);
		return;
	}
	ide_dma_end(d->ch);
	ide_complete(d);
}

static bool ranges_inside(const struct ide_drive *d)
{
	uint32_t at;

	for (at = 0; at < d->buf_len; at += RANGE_SIZE) {
		uint64_t range = get_le32(d->buf + at) | (uint64_t)get_le32(d->buf + at + 4) << 32;
		uint64_t lba = range & 0xffffffffffffull, count = range >> 48;

		if (count && (lba >= d->sectors || count > d->sectors - lba))
			return false;
	}
	return true;
}

void ide_trim_dma_ready(struct ide_drive *d)
{
	if (ide_dma_move(d->ch, d->buf, d->buf_len, false) < d->buf_len) {
		ide_dma_short(d);
		return;
	}
	if (ranges_inside(d)) {
		trim_next(d);
		return;
	}
	ide_dma_end(d->ch);
	ide_fail(d, IDE_ABRT | IDE_IDNF);
}

void ide_trim_start(struct ide_drive *d)
{
	uint32_t blocks = d->count[0] | (uint32_t)d->count[1] << 8;

	if (!block_discards(d->blk) || !(d->feature[0] & FEATURE_TRIM) || !blocks ||
	    blocks > IDE_TRIM_BLOCKS) {
		ide_fail(d, IDE_ABRT);
		return;
	}
	d->phase = IDE_TRIM_DMA;
	d->buf_pos = d->drq_end = 0;
	d->buf_len = blocks * IDE_SECTOR;
	d->block_sectors = 1;
	d->status = IDE_DRDY | IDE_DSC | IDE_DRQ;
	if (ide_dma_started(d->ch))
		ide_dma_ready(d);
}
