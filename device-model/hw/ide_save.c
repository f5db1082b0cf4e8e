/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saved state of both IDE channels. The monitor drains the block layer first, so no request is in
 * flight; a transfer in the middle keeps its buffer.
 */
#include <errno.h>

#include "hw/ide.h"

static void drive_save(struct ide_drive *d, struct save_buf *b)
{
	save_bool(b, d->present);
	save_bool(b, d->cdrom);
	save_u64(b, d->sectors);
	save_bytes(b, d->feature, 2);
	save_bytes(b, d->count, 2);
	save_bytes(b, d->lba_low, 2);
	save_bytes(b, d->lba_mid, 2);
	save_bytes(b, d->lba_high, 2);
	save_u8(b, d->device);
	save_u8(b, d->status);
	save_u8(b, d->error);
	save_u16(b, d->cylinders);
	save_u16(b, d->heads);
	save_u16(b, d->sectors_per_track);
	save_u8(b, d->multiple);
	save_u8(b, d->mwdma);
	save_u8(b, d->udma);
	save_bool(b, d->write_cache);
	save_u8(b, d->phase);
	save_bool(b, d->lba48);
	save_u64(b, d->lba);
	save_u32(b, d->left);
	save_u32(b, d->buf_pos);
	save_u32(b, d->buf_len);
	save_u32(b, d->drq_end);
	save_u32(b, d->block_sectors);
	save_u8(b, d->sense_key);
	save_u8(b, d->asc);
	save_u8(b, d->ascq);
	save_bool(b, d->packet_dma);
	save_u32(b, d->packet_left);
	save_u32(b, d->cd_sector_size);
	save_bool(b, d->tray_open);
	save_bool(b, d->locked);
	save_bool(b, d->unit_attention);
	save_u8(b, d->media_event);
	if (d->present && d->phase != IDE_IDLE)
		save_bytes(b, d->buf, d->buf_len);
}

/* Nothing that the commands rely on may come from a file unchecked. */
static bool drive_sane(const struct ide_drive *d)
{
	return d->phase <= IDE_TRIM_DMA && d->buf_len <= IDE_BUF_SIZE && d->drq_end <= d->buf_len &&
	       d->buf_pos <= d->drq_end && d->heads && d->heads <= 16 && d->sectors_per_track &&
	       d->sectors_per_track <= 255 && d->multiple <= IDE_MAX_MULTIPLE && d->mwdma <= 3 &&
	       d->udma <= 6 && d->block_sectors <= IDE_MAX_MULTIPLE && d->left <= 65536 &&
	       d->lba <= d->sectors && d->left <= d->sectors - d->lba &&
	       (!d->packet_left || d->cd_sector_size == CD_SECTOR ||
		d->cd_sector_size == CD_RAW_SECTOR) &&
	       (d->phase == IDE_IDLE || d->block_sectors || d->phase == IDE_PIO_IN || d->cdrom);
}

static int drive_load(struct ide_drive *d, struct save_buf *b)
{
	bool present = load_bool(b), cdrom = load_bool(b);
	uint64_t sectors = load_u64(b);

	/* Unplugged by the guest is fine; another disk is not. */
	if ((present && !d->present) || cdrom != d->cdrom || (d->present && sectors != d->sectors))
		return -EINVAL;
	d->present = present;
	load_bytes(b, d->feature, 2);
	load_bytes(b, d->count, 2);
	load_bytes(b, d->lba_low, 2);
	load_bytes(b, d->lba_mid, 2);
	load_bytes(b, d->lba_high, 2);
	d->device = load_u8(b);
	d->status = load_u8(b);
	d->error = load_u8(b);
	d->cylinders = load_u16(b);
	d->heads = load_u16(b);
	d->sectors_per_track = load_u16(b);
	d->multiple = load_u8(b);
	d->mwdma = load_u8(b);
	d->udma = load_u8(b);
	d->write_cache = load_bool(b);
	d->phase = load_u8(b);
	d->lba48 = load_bool(b);
	d->lba = load_u64(b);
	d->left = load_u32(b);
	d->buf_pos = load_u32(b);
	d->buf_len = load_u32(b);
	d->drq_end = load_u32(b);
	d->block_sectors = load_u32(b);
	d->sense_key = load_u8(b);
	d->asc = load_u8(b);
	d->ascq = load_u8(b);
	d->packet_dma = load_bool(b);
	d->packet_left = load_u32(b);
	d->cd_sector_size = load_u32(b);
	d->tray_open = load_bool(b);
	d->locked = load_bool(b);
	d->unit_attention = load_bool(b);
	d->media_event = load_u8(b);
	if (b->error || !drive_sane(d))
		return -EINVAL;
	if (d->present && d->phase != IDE_IDLE)
		load_bytes(b, d->buf, d->buf_len);
	return 0;
}

static void ide_save(void *opaque, struct save_buf *b)
{
	struct ide_controller *c = opaque;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		struct ide_channel *ch = &c->channel[i];

		save_u8(b, ch->control);
		save_u8(b, (uint8_t)ch->selected);
		save_bool(b, ch->irq_pending);
		save_u8(b, ch->bm_command);
		save_u8(b, ch->bm_status);
		save_u32(b, ch->bm_table);
		save_u32(b, ch->prd_next);
		save_u32(b, ch->prd_addr);
		save_u32(b, ch->prd_left);
		save_bool(b, ch->prd_last);
		drive_save(&ch->drive[0], b);
		drive_save(&ch->drive[1], b);
	}
}

static int ide_load(void *opaque, struct save_buf *b, uint32_t version)
{
	struct ide_controller *c = opaque;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		struct ide_channel *ch = &c->channel[i];

		ch->control = load_u8(b);
		ch->selected = load_u8(b) & 1;
		ch->irq_pending = load_bool(b);
		ch->bm_command = load_u8(b);
		ch->bm_status = load_u8(b);
		ch->bm_table = load_u32(b);
		ch->prd_next = load_u32(b);
		ch->prd_addr = load_u32(b);
		ch->prd_left = load_u32(b);
		ch->prd_last = load_bool(b);
		if (ch->prd_left > 0x10000 || drive_load(&ch->drive[0], b) ||
		    drive_load(&ch->drive[1], b))
			return -EINVAL;
		irq_set(&ch->irq, ch->irq_pending && !(ch->control & IDE_NIEN));
	}
	return 0;
}

const struct save_ops ide_save_ops = { "ide", 1, ide_save, ide_load };
