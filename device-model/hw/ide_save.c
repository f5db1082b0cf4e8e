/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saved state of both IDE channels. The monitor drains the block layer first, so no request is in
 * flight; a transfer in the middle keeps its buffer.
 */
#include <errno.h>

#include "hw/ide.h"

/* By the commands of disks, which CD drives refuse. */
static bool moves_sectors(enum ide_phase phase)
{
	return phase == IDE_READ_PIO || phase == IDE_WRITE_PIO || phase == IDE_READ_DMA ||
	       phase == IDE_WRITE_DMA || phase == IDE_TRIM_DMA;
}

/* A CD's command may have begun on a longer medium; the block layer looks at its sectors. */
static bool range_sane(const struct ide_drive *d)
{
	return d->cdrom || (d->lba <= d->sectors && d->left <= d->sectors - d->lba);
}

/* Nothing that the commands rely on may come from a file unchecked. */
static bool drive_sane(const struct ide_drive *d)
{
	return d->drq_end <= d->buf_len && d->buf_pos <= d->drq_end && d->heads &&
	       d->sectors_per_track && d->base.heads && d->base.sectors && range_sane(d) &&
	       (!d->packet_left || d->cd_sector_size == CD_SECTOR ||
		d->cd_sector_size == CD_RAW_SECTOR) &&
	       (d->phase == IDE_IDLE || d->block_sectors || d->phase == IDE_PIO_IN || d->cdrom) &&
	       !(d->cdrom && moves_sectors(d->phase));
}

static void ide_refresh(void *obj)
{
	struct ide_controller *c = obj;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		struct ide_drive *d = &c->channel[i / 2].drive[i & 1];

		d->saved.present = d->present;
		d->saved.sectors = d->sectors;
	}
}

/* Unplugged by the guest is fine; another disk is not. */
static int drive_loaded(struct ide_drive *d, uint32_t version)
{
	if (version < 2)
		ide_geometry_standard(d); /* it was that of every disk */
	if (version < 3)
		atapi_reset(d);
	if ((d->saved.present && !d->present) || (d->present && d->saved.sectors != d->sectors) ||
	    !drive_sane(d))
		return -EINVAL;
	d->present = d->saved.present;
	if (!d->present)
		d->phase = IDE_IDLE;
	return 0;
}

static int ide_loaded(void *obj, uint32_t version)
{
	struct ide_controller *c = obj;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		struct ide_channel *ch = &c->channel[i];

		if (drive_loaded(&ch->drive[0], version) || drive_loaded(&ch->drive[1], version))
			return -EINVAL;
		irq_set(&ch->irq, ch->irq_pending && !(ch->control & IDE_NIEN));
	}
	return 0;
}

static size_t buffered(const void *obj)
{
	const struct ide_drive *d = obj;

	return d->present && d->saved.present && d->phase != IDE_IDLE ? d->buf_len : 0;
}

static const struct save_field drive_fields[] = {
	SAVE(struct ide_drive, saved.present),
	SAVE(struct ide_drive, cdrom, .same = true),
	SAVE(struct ide_drive, saved.sectors),
	SAVE_ARRAY(struct ide_drive, feature),
	SAVE_ARRAY(struct ide_drive, count),
	SAVE_ARRAY(struct ide_drive, lba_low),
	SAVE_ARRAY(struct ide_drive, lba_mid),
	SAVE_ARRAY(struct ide_drive, lba_high),
	SAVE(struct ide_drive, device),
	SAVE(struct ide_drive, status),
	SAVE(struct ide_drive, error),
	SAVE(struct ide_drive, base.cylinders, .first = 2),
	SAVE(struct ide_drive, base.heads, .max = 16, .first = 2),
	SAVE(struct ide_drive, base.sectors, .max = 255, .first = 2),
	SAVE(struct ide_drive, cylinders),
	SAVE(struct ide_drive, heads, .max = 16),
	SAVE(struct ide_drive, sectors_per_track, .max = 255),
	SAVE(struct ide_drive, multiple, .max = IDE_MAX_MULTIPLE),
	SAVE(struct ide_drive, mwdma, .max = 3),
	SAVE(struct ide_drive, udma, .max = 6),
	SAVE(struct ide_drive, write_cache),
	SAVE_AS(struct ide_drive, phase, 1, .max = IDE_PHASE_LAST),
	SAVE(struct ide_drive, lba48),
	SAVE(struct ide_drive, lba),
	SAVE(struct ide_drive, left, .max = 65536),
	SAVE(struct ide_drive, buf_pos),
	SAVE(struct ide_drive, buf_len, .max = IDE_BUF_SIZE),
	SAVE(struct ide_drive, drq_end),
	SAVE(struct ide_drive, block_sectors, .max = IDE_MAX_MULTIPLE),
	SAVE(struct ide_drive, sense_key),
	SAVE(struct ide_drive, asc),
	SAVE(struct ide_drive, ascq),
	SAVE(struct ide_drive, packet_op, .first = 3),
	SAVE_ARRAY(struct ide_drive, mode, .first = 3),
	SAVE(struct ide_drive, packet_dma),
	SAVE(struct ide_drive, packet_left),
	SAVE(struct ide_drive, cd_sector_size),
	SAVE(struct ide_drive, tray_open),
	SAVE(struct ide_drive, locked),
	SAVE(struct ide_drive, unit_attention),
	SAVE(struct ide_drive, media_event),
	SAVE_BYTES(struct ide_drive, buf, buffered, .pointer = true),
	SAVE_END,
};

static const struct save_field channel_fields[] = {
	SAVE(struct ide_channel, control),
	SAVE_AS(struct ide_channel, selected, 1, .mask = 1),
	SAVE(struct ide_channel, irq_pending),
	SAVE(struct ide_channel, bm_command),
	SAVE(struct ide_channel, bm_status),
	SAVE(struct ide_channel, bm_table),
	SAVE(struct ide_channel, prd_next),
	SAVE(struct ide_channel, prd_addr),
	SAVE(struct ide_channel, prd_left, .max = 0x10000),
	SAVE(struct ide_channel, prd_last),
	SAVE_PARTS(struct ide_channel, drive, drive_fields),
	SAVE_END,
};

static const struct save_field ide_fields[] = {
	SAVE_PARTS(struct ide_controller, channel, channel_fields),
	SAVE_END,
};

const struct save_ops ide_save_ops = { "ide", 3, ide_fields, ide_refresh, ide_loaded };
