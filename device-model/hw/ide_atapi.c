/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The packet protocol (ATA-6 9.7, 9.8): the 12 bytes, replies by PIO in pieces of the host's byte
 * count limit or by DMA, status and sense. What the packets mean is in ide_atapi_cmd.c.
 */
#include "core/log.h"
#include "core/util.h"
#include "hw/ide_atapi.h"

enum interrupt_reason { REASON_CD = 1, REASON_IO = 2 }; /* in the count register */

#define FEATURE_DMA 0x01

static void set_reason(struct ide_drive *d, uint8_t reason)
{
	d->count[0] = (d->count[0] & 0xf8) | reason;
}

static uint32_t byte_count_limit(const struct ide_drive *d)
{
	return d->lba_mid[0] | (uint32_t)d->lba_high[0] << 8;
}

void atapi_packet_start(struct ide_drive *d)
{
	d->packet_dma = d->feature[0] & FEATURE_DMA;
	d->phase = IDE_PACKET;
	d->buf_pos = 0;
	d->buf_len = ATAPI_PACKET_SIZE;
	set_reason(d, REASON_CD);
	ide_drq_block(d, ATAPI_PACKET_SIZE);
}

void atapi_packet_received(struct ide_drive *d)
{
	uint8_t packet[ATAPI_PACKET_SIZE];

	memcpy(packet, d->buf, sizeof(packet));
	log_trace(TRACE_IDE, "ide%u.%u: packet 0x%02x", d->ch->number, d->unit, packet[0]);
	d->status = IDE_BSY;
	d->phase = IDE_IDLE;
	atapi_command(d, packet);
}

void atapi_ok(struct ide_drive *d)
{
	d->error = 0;
	d->status = IDE_DRDY;
	set_reason(d, REASON_IO | REASON_CD);
	ide_complete(d);
}

void atapi_check(struct ide_drive *d, uint8_t key, uint8_t asc)
{
	d->sense_key = key;
	d->asc = asc;
	d->ascq = 0;
	set_reason(d, REASON_IO | REASON_CD);
	ide_fail(d, (uint8_t)(key << 4));
}

/* The next piece of the reply or of the parameters for the host's data port. */
static void next_piece(struct ide_drive *d)
{
	uint32_t limit = byte_count_limit(d), n = d->buf_len - d->buf_pos;

	if (limit == 0xffff)
		limit--;
	/* An odd limit is allowed for the last piece only. */
	if (n > limit)
		n = limit & ~1u ? limit & ~1u : 1;
	d->lba_mid[0] = (uint8_t)n;
	d->lba_high[0] = (uint8_t)(n >> 8);
	set_reason(d, d->phase == IDE_ATAPI_OUT_PIO ? 0 : REASON_IO);
	ide_drq_block(d, d->buf_pos + n);
	ide_set_irq(d->ch);
}

static void reply_begin(struct ide_drive *d)
{
	d->phase = d->packet_dma ? IDE_ATAPI_DMA : IDE_ATAPI_PIO;
	d->buf_pos = 0;
	if (!d->packet_dma) {
		next_piece(d);
		return;
	}
	d->status = IDE_DRDY | IDE_DSC | IDE_DRQ;
	atapi_dma_ready(d);
}

void atapi_reply(struct ide_drive *d, uint32_t len, uint32_t allocated)
{
	d->buf_len = MIN(len, allocated);
	d->packet_left = 0;
	if (!d->buf_len)
		atapi_ok(d);
	else
		reply_begin(d);
}

/* --- parameters from the host --- */

void atapi_receive(struct ide_drive *d, uint32_t len)
{
	d->buf_pos = 0;
	d->buf_len = len;
	d->phase = d->packet_dma ? IDE_ATAPI_OUT_DMA : IDE_ATAPI_OUT_PIO;
	if (!len) {
		atapi_received(d);
	} else if (d->packet_dma) {
		d->status = IDE_DRDY | IDE_DSC | IDE_DRQ;
		atapi_out_dma_ready(d);
	} else {
		next_piece(d);
	}
}

void atapi_out_moved(struct ide_drive *d)
{
	if (d->buf_pos < d->buf_len)
		next_piece(d);
	else
		atapi_received(d);
}

void atapi_out_dma_ready(struct ide_drive *d)
{
	if (!ide_dma_started(d->ch))
		return;
	if (ide_dma_move(d->ch, d->buf, d->buf_len, false) < d->buf_len) {
		ide_dma_short(d);
		return;
	}
	ide_dma_end(d->ch);
	atapi_received(d);
}

/* --- sectors --- */

/* Widen the 2048-byte sectors in buf to 2352 bytes: sync, header, data, no error correction. */
static void make_raw(struct ide_drive *d, uint32_t first, uint32_t n)
{
	while (n--) {
		uint8_t *raw = d->buf + n * CD_RAW_SECTOR;
		uint32_t msf = first + n + 150;

		memmove(raw + 16, d->buf + n * CD_SECTOR, CD_SECTOR);
		memset(raw, 0xff, 12);
		raw[0] = raw[11] = 0;
		raw[12] = (uint8_t)(msf / (60 * 75));
		raw[13] = (uint8_t)(msf / 75 % 60);
		raw[14] = (uint8_t)(msf % 75);
		raw[15] = 1; /* mode 1 */
		memset(raw + 16 + CD_SECTOR, 0, CD_RAW_SECTOR - 16 - CD_SECTOR);
	}
}

static void sectors_done(struct ide_drive *d, int err)
{
	uint32_t n = (uint32_t)(d->req.len / CD_SECTOR);

	if (err) {
		atapi_check(d, 3, 0x11); /* medium error, unrecovered read error */
		return;
	}
	if (d->cd_sector_size == CD_RAW_SECTOR)
		make_raw(d, (uint32_t)d->lba, n);
	d->lba += n;
	d->packet_left -= d->buf_len;
	reply_begin(d);
}

/* The medium may have been taken out or changed since the piece before. */
static void sectors_fetch(struct ide_drive *d)
{
	uint32_t n = MIN(d->packet_left / d->cd_sector_size, IDE_BUF_SIZE / CD_RAW_SECTOR);

	if (!d->blk) {
		atapi_check(d, NOT_READY, ASC_NO_MEDIUM);
		return;
	}
	if (d->unit_attention) {
		d->unit_attention = false;
		atapi_check(d, UNIT_ATTENTION, ASC_MEDIUM_CHANGED);
		return;
	}
	d->buf_len = n * d->cd_sector_size;
	d->status = IDE_BSY;
	ide_submit(d, BLOCK_READ, d->lba * CD_SECTOR, n * CD_SECTOR, sectors_done);
}

void atapi_read(struct ide_drive *d, uint32_t lba, uint32_t count, uint32_t size)
{
	if (!count) {
		atapi_ok(d);
		return;
	}
	if (lba >= d->sectors || count > d->sectors - lba) {
		atapi_check(d, 5, 0x21); /* logical block address out of range */
		return;
	}
	if (count > UINT32_MAX / CD_RAW_SECTOR) {
		atapi_check(d, 5, 0x24);
		return;
	}
	d->lba = lba;
	d->cd_sector_size = size;
	d->packet_left = count * size;
	sectors_fetch(d);
}

/* The buffer is through: more sectors, or the end. */
static void buffer_moved(struct ide_drive *d)
{
	if (d->packet_left)
		sectors_fetch(d);
	else
		atapi_ok(d);
}

void atapi_block_moved(struct ide_drive *d)
{
	if (d->buf_pos < d->buf_len)
		next_piece(d);
	else
		buffer_moved(d);
}

void atapi_dma_ready(struct ide_drive *d)
{
	if (d->req.busy || !ide_dma_started(d->ch))
		return;
	if (ide_dma_move(d->ch, d->buf, d->buf_len, true) < d->buf_len) {
		ide_dma_short(d);
		return;
	}
	if (!d->packet_left)
		ide_dma_end(d->ch);
	buffer_moved(d);
}
