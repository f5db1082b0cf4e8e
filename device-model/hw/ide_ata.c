/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ATA commands (ATA/ATAPI-6, T13 1410D, chapter 8) by a table that says which devices have them. Reads
 * fill the buffer with up to 128 KiB and hand it out block by block; writes collect as much before
 * they go to the image.
 */
#include <errno.h>

#include "core/log.h"
#include "core/util.h"
#include "hw/ide.h"

enum command_flag {
	DISK = 1,
	CDROM = 2,
	LBA48 = 4,     /* count and address have two bytes per register */
	TRANSFER = 8,  /* moves sectors: address and count are checked first */
	MULTIPLE = 16, /* blocks of d->multiple sectors */
	AT_ONCE = 32,  /* nothing to do: completes */
};

struct ata_command {
	void (*handler)(struct ide_drive *d);
	uint8_t flags;
};

#define DEVICE_LBA 0x40

/* --- addresses and counts --- */

static uint32_t request_count(const struct ide_drive *d)
{
	uint32_t n = d->count[0];

	if (!d->lba48)
		return n ? n : 256;
	n |= (uint32_t)d->count[1] << 8;
	return n ? n : 65536;
}

/* False: a CHS address that does not exist. */
static bool request_lba(const struct ide_drive *d, uint64_t *lba)
{
	uint32_t cylinder = d->lba_mid[0] | (uint32_t)d->lba_high[0] << 8;
	uint32_t head = d->device & 0xf;

	if (d->lba48) {
		*lba = d->lba_low[0] | (uint64_t)d->lba_mid[0] << 8 |
		       (uint64_t)d->lba_high[0] << 16 | (uint64_t)d->lba_low[1] << 24 |
		       (uint64_t)d->lba_mid[1] << 32 | (uint64_t)d->lba_high[1] << 40;
		return true;
	}
	if (d->device & DEVICE_LBA) {
		*lba = d->lba_low[0] | cylinder << 8 | head << 24;
		return true;
	}
	if (!d->lba_low[0] || d->lba_low[0] > d->sectors_per_track || head >= d->heads)
		return false;
	*lba = ((uint64_t)cylinder * d->heads + head) * d->sectors_per_track + d->lba_low[0] - 1;
	return true;
}

/* Put an address back into the registers (where an error happened, or the last sector). */
static void report_lba(struct ide_drive *d, uint64_t lba)
{
	if (d->lba48) {
		d->lba_low[1] = (uint8_t)(lba >> 24);
		d->lba_mid[1] = (uint8_t)(lba >> 32);
		d->lba_high[1] = (uint8_t)(lba >> 40);
	} else if (d->device & DEVICE_LBA) {
		d->device = (d->device & 0xf0) | (lba >> 24 & 0xf);
	} else {
		uint32_t track = (uint32_t)(lba / d->sectors_per_track);

		d->lba_low[0] = (uint8_t)(lba % d->sectors_per_track + 1);
		d->device = (uint8_t)((d->device & 0xf0) | track % d->heads);
		d->lba_mid[0] = (uint8_t)(track / d->heads);
		d->lba_high[0] = (uint8_t)(track / d->heads >> 8);
		return;
	}
	d->lba_low[0] = (uint8_t)lba;
	d->lba_mid[0] = (uint8_t)(lba >> 8);
	d->lba_high[0] = (uint8_t)(lba >> 16);
}

static void transfer_complete(struct ide_drive *d)
{
	report_lba(d, d->lba - 1);
	d->count[0] = d->count[1] = 0;
	ide_complete(d);
}

static void image_error(struct ide_drive *d, int err, uint8_t error)
{
	report_lba(d, d->lba);
	ide_fail(d, err == -EROFS ? IDE_ABRT : error);
}

/* --- PIO in: sectors to the host --- */

static void read_next_block(struct ide_drive *d)
{
	uint32_t block = d->block_sectors * IDE_SECTOR;

	ide_drq_block(d, MIN(d->buf_pos + block, d->buf_len));
	ide_set_irq(d->ch);
}

static void read_chunk_done(struct ide_drive *d, int err)
{
	if (err) {
		image_error(d, err, IDE_UNC);
		return;
	}
	d->lba += d->buf_len / IDE_SECTOR;
	d->left -= d->buf_len / IDE_SECTOR;
	read_next_block(d);
}

static void read_chunk(struct ide_drive *d)
{
	d->buf_pos = 0;
	d->buf_len = MIN(d->left, IDE_BUF_SECTORS) * IDE_SECTOR;
	d->status = IDE_BSY;
	ide_submit(d, BLOCK_READ, d->lba * IDE_SECTOR, d->buf_len, read_chunk_done);
}

static void read_block_moved(struct ide_drive *d)
{
	if (d->buf_pos < d->buf_len) {
		read_next_block(d);
		return;
	}
	if (d->left) {
		read_chunk(d);
		return;
	}
	/* The last block: the host has its data, no further interrupt (ATA-6 9.5). */
	report_lba(d, d->lba - 1);
	d->count[0] = d->count[1] = 0;
	d->phase = IDE_IDLE;
	d->status = IDE_DRDY | IDE_DSC;
}

static void cmd_read_pio(struct ide_drive *d)
{
	d->phase = IDE_READ_PIO;
	read_chunk(d);
}

/* --- PIO out --- */

/* What happens after a write of the buffer, and of the cache when it is off. */
static void write_settled(struct ide_drive *d)
{
	d->lba += d->buf_len / IDE_SECTOR;
	d->left -= d->buf_len / IDE_SECTOR;
	if (!d->left) {
		if (d->phase == IDE_WRITE_DMA)
			ide_dma_end(d->ch);
		transfer_complete(d);
		return;
	}
	d->buf_pos = 0;
	d->buf_len = MIN(d->left, IDE_BUF_SECTORS) * IDE_SECTOR;
	if (d->phase == IDE_WRITE_DMA) {
		ide_dma_ready(d);
		return;
	}
	ide_drq_block(d, MIN(d->block_sectors * IDE_SECTOR, d->buf_len));
	ide_set_irq(d->ch);
}

static void write_flushed(struct ide_drive *d, int err)
{
	if (err)
		image_error(d, err, IDE_ABRT);
	else
		write_settled(d);
}

static void write_chunk_done(struct ide_drive *d, int err)
{
	if (err)
		image_error(d, err, IDE_ABRT);
	else if (!d->write_cache)
		ide_submit(d, BLOCK_FLUSH, 0, 0, write_flushed);
	else
		write_settled(d);
}

static void write_chunk(struct ide_drive *d)
{
	d->status = IDE_BSY;
	ide_submit(d, BLOCK_WRITE, d->lba * IDE_SECTOR, d->buf_len, write_chunk_done);
}

static void write_block_moved(struct ide_drive *d)
{
	if (d->buf_pos == d->buf_len) {
		write_chunk(d);
		return;
	}
	ide_drq_block(d, MIN(d->buf_pos + d->block_sectors * IDE_SECTOR, d->buf_len));
	ide_set_irq(d->ch);
}

static void cmd_write_pio(struct ide_drive *d)
{
	d->phase = IDE_WRITE_PIO;
	d->buf_pos = 0;
	d->buf_len = MIN(d->left, IDE_BUF_SECTORS) * IDE_SECTOR;
	ide_drq_block(d, MIN(d->block_sectors * IDE_SECTOR, d->buf_len));
}

static void pio_in_moved(struct ide_drive *d)
{
	d->phase = IDE_IDLE;
	d->status = IDE_DRDY | IDE_DSC;
}

/* --- DMA --- */

static void dma_wait(struct ide_drive *d)
{
	d->status = IDE_DRDY | IDE_DSC | IDE_DRQ;
	if (ide_dma_started(d->ch))
		ide_dma_ready(d);
}

static void read_dma_done(struct ide_drive *d, int err)
{
	uint32_t moved;

	if (err) {
		ide_dma_end(d->ch);
		image_error(d, err, IDE_UNC);
		return;
	}
	if (!ide_dma_started(d->ch)) {
		/* Stopped meanwhile: the data waits here until the host starts again. */
		d->status = IDE_DRDY | IDE_DSC | IDE_DRQ;
		return;
	}
	moved = ide_dma_move(d->ch, d->buf, d->buf_len, true);
	if (moved < d->buf_len) {
		ide_dma_short(d);
		return;
	}
	d->lba += d->buf_len / IDE_SECTOR;
	d->left -= d->buf_len / IDE_SECTOR;
	if (d->left) {
		ide_dma_ready(d);
		return;
	}
	ide_dma_end(d->ch);
	transfer_complete(d);
}

static void write_dma_fill(struct ide_drive *d)
{
	d->buf_len = MIN(d->left, IDE_BUF_SECTORS) * IDE_SECTOR;
	if (ide_dma_move(d->ch, d->buf, d->buf_len, false) < d->buf_len) {
		ide_dma_short(d);
		return;
	}
	ide_submit(d, BLOCK_WRITE, d->lba * IDE_SECTOR, d->buf_len, write_chunk_done);
}

static void read_dma_fill(struct ide_drive *d)
{
	d->buf_len = MIN(d->left, IDE_BUF_SECTORS) * IDE_SECTOR;
	ide_submit(d, BLOCK_READ, d->lba * IDE_SECTOR, d->buf_len, read_dma_done);
}

const struct ide_transfer ide_transfers[] = {
	[IDE_IDLE] = { 0 },
	[IDE_PIO_IN] = { .to_host = pio_in_moved },
	[IDE_READ_PIO] = { .to_host = read_block_moved },
	[IDE_WRITE_PIO] = { .from_host = write_block_moved },
	[IDE_READ_DMA] = { .dma = read_dma_fill },
	[IDE_WRITE_DMA] = { .dma = write_dma_fill },
	[IDE_PACKET] = { .from_host = atapi_packet_received },
	[IDE_ATAPI_PIO] = { .to_host = atapi_block_moved },
	[IDE_ATAPI_DMA] = { .dma = atapi_dma_ready },
	[IDE_FLUSH] = { 0 },
	[IDE_TRIM_DMA] = { .dma = ide_trim_dma_ready },
	[IDE_ATAPI_OUT_PIO] = { .from_host = atapi_out_moved },
	[IDE_ATAPI_OUT_DMA] = { .dma = atapi_out_dma_ready },
};

void ide_dma_ready(struct ide_drive *d)
{
	void (*dma)(struct ide_drive * d) = ide_transfers[d->phase].dma;

	if (dma && !d->req.busy && d->present && ide_dma_started(d->ch))
		dma(d);
}

static void cmd_read_dma(struct ide_drive *d)
{
	d->phase = IDE_READ_DMA;
	dma_wait(d);
}

static void cmd_write_dma(struct ide_drive *d)
{
	d->phase = IDE_WRITE_DMA;
	dma_wait(d);
}

/* --- the rest --- */

static void identity_ready(struct ide_drive *d)
{
	d->phase = IDE_PIO_IN;
	d->buf_pos = 0;
	d->buf_len = IDE_SECTOR;
	ide_drq_block(d, IDE_SECTOR);
	ide_set_irq(d->ch);
}

static void cmd_identify(struct ide_drive *d)
{
	if (d->cdrom) {
		/* ATA-6 8.16.5: a packet device aborts and shows its signature. */
		ide_set_signature(d);
		ide_fail(d, IDE_ABRT);
		return;
	}
	ide_identify_disk(d, d->buf);
	identity_ready(d);
}

static void cmd_identify_packet(struct ide_drive *d)
{
	ide_identify_cdrom(d, d->buf);
	identity_ready(d);
}

static void cmd_read_on_packet_device(struct ide_drive *d)
{
	ide_set_signature(d);
	ide_fail(d, IDE_ABRT);
}

static void cmd_verify(struct ide_drive *d)
{
	d->lba += d->left;
	transfer_complete(d);
}

static void flush_done(struct ide_drive *d, int err)
{
	if (err)
		ide_fail(d, IDE_ABRT);
	else
		ide_complete(d);
}

static void cmd_flush(struct ide_drive *d)
{
	if (!d->blk) {
		ide_complete(d);
		return;
	}
	d->phase = IDE_FLUSH;
	d->status = IDE_BSY;
	ide_submit(d, BLOCK_FLUSH, 0, 0, flush_done);
}

static void cmd_diagnose(struct ide_drive *d)
{
	struct ide_channel *ch = d->ch;
	unsigned int i;

	/* Both devices execute it, whichever is selected (ATA-6 8.11). */
	for (i = 0; i < 2; i++) {
		ide_set_signature(&ch->drive[i]);
		ch->drive[i].error = 1;
		ch->drive[i].status = ch->drive[i].cdrom ? 0 : IDE_DRDY | IDE_DSC;
		ch->drive[i].device = 0; /* DEV too: device 0 is selected */
	}
	ch->selected = 0;
	ide_set_irq(ch);
}

static void cmd_init_params(struct ide_drive *d)
{
	uint32_t heads = (d->device & 0xf) + 1u, spt = d->count[0];

	if (!spt) {
		ide_fail(d, IDE_ABRT);
		return;
	}
	ide_geometry_set(d, heads, spt);
	ide_complete(d);
}

static void cmd_set_multiple(struct ide_drive *d)
{
	uint8_t n = d->count[0];

	if (n > IDE_MAX_MULTIPLE || (n & (n - 1))) {
		ide_fail(d, IDE_ABRT);
		return;
	}
	d->multiple = n;
	ide_complete(d);
}

static void cmd_check_power(struct ide_drive *d)
{
	d->count[0] = 0xff; /* active */
	ide_complete(d);
}

static void cmd_native_max(struct ide_drive *d)
{
	uint64_t last = d->sectors - 1;

	d->device |= DEVICE_LBA;
	report_lba(d, d->lba48 ? last : MIN(last, 0xfffffff));
	ide_complete(d);
}

static bool set_transfer_mode(struct ide_drive *d, uint8_t mode)
{
	uint8_t n = mode & 7;

	switch (mode >> 3) {
	case 0: /* PIO default */
		break;
	case 1: /* PIO flow control */
		if (n > 4)
			return false;
		d->mwdma = d->udma = 0;
		break;
	case 4:
		if (n > 2)
			return false;
		d->mwdma = n + 1;
		d->udma = 0;
		break;
	case 8:
		if (n > 5)
			return false;
		d->udma = n + 1;
		d->mwdma = 0;
		break;
	default:
		return false;
	}
	return true;
}

static void cmd_set_features(struct ide_drive *d)
{
	bool ok = true;

	switch (d->feature[0]) {
	case 0x02: /* write cache on */
		d->write_cache = true;
		break;
	case 0x82: /* off: what it holds goes out first */
		d->write_cache = false;
		cmd_flush(d);
		return;
	case 0x03:
		ok = set_transfer_mode(d, d->count[0]);
		break;
	case 0x55: /* look-ahead off and on */
	case 0xaa:
	case 0x66: /* keep or revert settings at reset */
	case 0xcc:
		break;
	default:
		ok = false;
	}
	if (ok)
		ide_complete(d);
	else
		ide_fail(d, IDE_ABRT);
}

static const struct ata_command commands[256] = {
	[0x06] = { ide_trim_start, DISK | LBA48 },
	[0x10] = { NULL, DISK | AT_ONCE }, /* RECALIBRATE */
	[0x20] = { cmd_read_pio, DISK | TRANSFER },
	[0x21] = { cmd_read_pio, DISK | TRANSFER },
	[0x24] = { cmd_read_pio, DISK | TRANSFER | LBA48 },
	[0x25] = { cmd_read_dma, DISK | TRANSFER | LBA48 },
	[0x27] = { cmd_native_max, DISK | LBA48 },
	[0x29] = { cmd_read_pio, DISK | TRANSFER | LBA48 | MULTIPLE },
	[0x30] = { cmd_write_pio, DISK | TRANSFER },
	[0x31] = { cmd_write_pio, DISK | TRANSFER },
	[0x34] = { cmd_write_pio, DISK | TRANSFER | LBA48 },
	[0x35] = { cmd_write_dma, DISK | TRANSFER | LBA48 },
	[0x39] = { cmd_write_pio, DISK | TRANSFER | LBA48 | MULTIPLE },
	[0x40] = { cmd_verify, DISK | TRANSFER },
	[0x41] = { cmd_verify, DISK | TRANSFER },
	[0x42] = { cmd_verify, DISK | TRANSFER | LBA48 },
	[0x70] = { NULL, DISK | AT_ONCE }, /* SEEK */
	[0x90] = { cmd_diagnose, DISK | CDROM },
	[0x91] = { cmd_init_params, DISK },
	[0x94] = { NULL, DISK | CDROM | AT_ONCE }, /* power management, old numbers */
	[0x95] = { NULL, DISK | CDROM | AT_ONCE },
	[0x96] = { NULL, DISK | CDROM | AT_ONCE },
	[0x97] = { NULL, DISK | CDROM | AT_ONCE },
	[0x98] = { cmd_check_power, DISK | CDROM },
	[0x99] = { NULL, DISK | CDROM | AT_ONCE },
	[0xa0] = { atapi_packet_start, CDROM },
	[0xa1] = { cmd_identify_packet, CDROM },
	[0xc4] = { cmd_read_pio, DISK | TRANSFER | MULTIPLE },
	[0xc5] = { cmd_write_pio, DISK | TRANSFER | MULTIPLE },
	[0xc6] = { cmd_set_multiple, DISK },
	[0xc8] = { cmd_read_dma, DISK | TRANSFER },
	[0xc9] = { cmd_read_dma, DISK | TRANSFER },
	[0xca] = { cmd_write_dma, DISK | TRANSFER },
	[0xcb] = { cmd_write_dma, DISK | TRANSFER },
	[0xe0] = { NULL, DISK | CDROM | AT_ONCE }, /* STANDBY IMMEDIATE */
	[0xe1] = { NULL, DISK | CDROM | AT_ONCE }, /* IDLE IMMEDIATE */
	[0xe2] = { NULL, DISK | CDROM | AT_ONCE },
	[0xe3] = { NULL, DISK | CDROM | AT_ONCE },
	[0xe5] = { cmd_check_power, DISK | CDROM },
	[0xe6] = { NULL, DISK | CDROM | AT_ONCE }, /* SLEEP */
	[0xe7] = { cmd_flush, DISK | CDROM },
	[0xea] = { cmd_flush, DISK | LBA48 },
	[0xec] = { cmd_identify, DISK | CDROM },
	[0xef] = { cmd_set_features, DISK | CDROM },
	[0xf8] = { cmd_native_max, DISK },
};

/* Address and count of a transfer; false: it has failed already. */
static bool transfer_prepare(struct ide_drive *d, const struct ata_command *c)
{
	d->left = request_count(d);
	d->block_sectors = c->flags & MULTIPLE ? d->multiple : 1;
	if (!d->block_sectors) {
		ide_fail(d, IDE_ABRT); /* READ MULTIPLE before SET MULTIPLE, or after 0 */
		return false;
	}
	if (!request_lba(d, &d->lba) || d->lba >= d->sectors || d->left > d->sectors - d->lba) {
		ide_fail(d, IDE_ABRT | IDE_IDNF);
		return false;
	}
	return true;
}

void ide_ata_command(struct ide_drive *d, uint8_t command)
{
	const struct ata_command *c = &commands[command];

	if (!(c->flags & (d->cdrom ? CDROM : DISK))) {
		if (d->cdrom && (command == 0x20 || command == 0x21))
			cmd_read_on_packet_device(d);
		else
			ide_fail(d, IDE_ABRT);
		return;
	}
	d->lba48 = c->flags & LBA48;
	if (c->flags & TRANSFER && !transfer_prepare(d, c))
		return;
	if (c->flags & AT_ONCE)
		ide_complete(d);
	else
		c->handler(d);
}
