/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saved state of the floppy controller. The monitor drains the block layer first, so no request is
 * in flight; a transfer in the middle keeps its buffers.
 */
#include <errno.h>
#include <string.h>

#include "core/util.h"
#include "hw/fdc.h"
#include "hw/i8257.h"

static void drive_save(const struct fdc_drive *d, struct save_buf *b)
{
	save_bool(b, d->present);
	save_u64(b, d->blk ? block_size(d->blk) : 0);
	save_u8(b, d->track);
	save_bool(b, d->changed);
	save_u8(b, d->rotation);
}

static int drive_load(struct fdc_drive *d, struct save_buf *b)
{
	bool present = load_bool(b);
	uint64_t size = load_u64(b);

	if (present != d->present || size != (d->blk ? block_size(d->blk) : 0))
		return -EINVAL;
	d->track = load_u8(b);
	d->changed = load_bool(b);
	d->rotation = load_u8(b);
	if (d->track > FDC_LAST_TRACK || d->rotation > FDC_MAX_SECTORS)
		return -EINVAL;
	return 0;
}

static void xfer_save(const struct fdc_xfer *x, struct save_buf *b)
{
	save_u8(b, x->kind);
	save_u8(b, x->drive);
	save_bool(b, x->mt);
	save_bool(b, x->skip);
	save_bool(b, x->dma);
	save_u8(b, x->c);
	save_u8(b, x->h);
	save_u8(b, x->r);
	save_u8(b, x->n);
	save_u8(b, x->eot);
	save_u8(b, x->last_h);
	save_u8(b, x->last_r);
	save_u8(b, x->limit);
	save_u8(b, x->filler);
	save_u8(b, x->st2);
	save_bool(b, x->tc);
	save_bool(b, x->cached);
	save_u32(b, x->base);
	save_u32(b, x->sectors);
	save_u32(b, x->pos);
	save_u32(b, x->len);
}

static void xfer_load(struct fdc_xfer *x, struct save_buf *b)
{
	x->kind = load_u8(b);
	x->drive = load_u8(b);
	x->mt = load_bool(b);
	x->skip = load_bool(b);
	x->dma = load_bool(b);
	x->c = load_u8(b);
	x->h = load_u8(b);
	x->r = load_u8(b);
	x->n = load_u8(b);
	x->eot = load_u8(b);
	x->last_h = load_u8(b);
	x->last_r = load_u8(b);
	x->limit = load_u8(b);
	x->filler = load_u8(b);
	x->st2 = load_u8(b);
	x->tc = load_bool(b);
	x->cached = load_bool(b);
	x->base = load_u32(b);
	x->sectors = load_u32(b);
	x->pos = load_u32(b);
	x->len = load_u32(b);
}

/* What the commands rely on. The buffers' use depends on the command's kind. */
static bool xfer_sane(const struct fdc *s)
{
	const struct fdc_xfer *x = &s->x;
	bool scan = x->kind >= FDC_SCAN_EQUAL && x->kind <= FDC_SCAN_HIGH;
	uint32_t unit = x->kind == FDC_FORMAT ? 4 : FDC_SECTOR;

	if (x->kind > FDC_FORMAT || x->drive >= FDC_DRIVES || x->h > 1 || x->last_h > 1)
		return false;
	if (s->phase != FDC_EXEC_HOST)
		return true;
	return x->sectors && x->sectors <= (scan ? 1 : FDC_MAX_SECTORS) &&
	       x->len == x->sectors * unit && x->base <= FDC_BUF_SIZE / 2 && x->pos < x->len &&
	       x->r && x->r <= FDC_MAX_SECTORS;
}

static bool sane(const struct fdc *s)
{
	if (s->fifo_pos >= FDC_FIFO || s->fifo_len > FDC_FIFO)
		return false;
	switch (s->phase) {
	case FDC_COMMAND:
		return s->fifo_pos ? s->fifo_len == 1 + fdc_parameters(s->fifo[0]) &&
					     s->fifo_pos < s->fifo_len
				   : true;
	case FDC_RESULT:
		return s->fifo_pos < s->fifo_len;
	case FDC_EXEC_HOST:
	case FDC_EXEC_ID:
		return true;
	default:
		return false;
	}
}

static void fdc_save(void *opaque, struct save_buf *b)
{
	struct fdc *s = opaque;
	unsigned int i;

	for (i = 0; i < FDC_DRIVES; i++)
		drive_save(&s->drive[i], b);
	save_bool(b, s->irq_level);
	save_u8(b, s->dor);
	save_u8(b, s->dsr);
	save_u8(b, s->tdr);
	save_u8(b, s->phase);
	save_bytes(b, s->fifo, sizeof(s->fifo));
	save_u8(b, s->fifo_pos);
	save_u8(b, s->fifo_len);
	save_u8(b, s->sense_pending);
	save_bytes(b, s->sense_st0, sizeof(s->sense_st0));
	save_bytes(b, s->pcn, sizeof(s->pcn));
	save_bytes(b, s->specify, sizeof(s->specify));
	save_u8(b, s->config);
	save_u8(b, s->precomp);
	save_u8(b, s->perpendicular);
	save_u8(b, s->lock);
	save_u8(b, s->eot);
	save_u8(b, s->option);
	save_u8(b, s->power);
	xfer_save(&s->x, b);
	if (s->phase == FDC_EXEC_HOST) {
		save_bytes(b, s->buf, FDC_BUF_SIZE);
		save_bytes(b, s->host_buf, FDC_SECTOR);
	}
}

static void registers_load(struct fdc *s, struct save_buf *b)
{
	s->dor = load_u8(b);
	s->dsr = load_u8(b) & (uint8_t)~DSR_RESET;
	s->tdr = load_u8(b) & 3;
	s->phase = load_u8(b);
	load_bytes(b, s->fifo, sizeof(s->fifo));
	s->fifo_pos = load_u8(b);
	s->fifo_len = load_u8(b);
	s->sense_pending = load_u8(b) & 0x0f;
	load_bytes(b, s->sense_st0, sizeof(s->sense_st0));
	load_bytes(b, s->pcn, sizeof(s->pcn));
	load_bytes(b, s->specify, sizeof(s->specify));
	s->config = load_u8(b) & 0x7f;
	s->precomp = load_u8(b);
	s->perpendicular = load_u8(b) & 0x3f;
	s->lock = load_u8(b) & 1;
	s->eot = load_u8(b);
	s->option = load_u8(b);
	s->power = load_u8(b);
}

static int fdc_load(void *opaque, struct save_buf *b, uint32_t version)
{
	struct fdc *s = opaque;
	unsigned int i;
	bool irq;

	for (i = 0; i < FDC_DRIVES; i++)
		if (drive_load(&s->drive[i], b))
			return -EINVAL;
	irq = load_bool(b);
	registers_load(s, b);
	xfer_load(&s->x, b);
	if (b->error || !sane(s) || !xfer_sane(s))
		return -EINVAL;
	if (s->phase == FDC_EXEC_HOST) {
		load_bytes(b, s->buf, FDC_BUF_SIZE);
		load_bytes(b, s->host_buf, FDC_SECTOR);
		i8257_set_dreq(FDC_DMA, s->x.dma);
	}
	if (s->phase == FDC_EXEC_ID)
		dm_timer_set_ns(&s->id_timer, clock_ns());
	fdc_irq(s, irq);
	return 0;
}

const struct save_ops fdc_save_ops = { "fdc", 1, fdc_save, fdc_load };
