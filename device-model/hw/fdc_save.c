/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saved state of the floppy controller. The monitor drains the block layer first, so no request is
 * in flight; a transfer in the middle keeps its buffers.
 */
#include <errno.h>
#include <string.h>

#include "core/machine.h"
#include "core/util.h"
#include "hw/fdc.h"
#include "hw/i8257.h"

/* What the commands rely on. The buffers' use depends on the command's kind. */
static bool xfer_sane(const struct fdc *s)
{
	const struct fdc_xfer *x = &s->x;
	bool scan = x->kind >= FDC_SCAN_EQUAL && x->kind <= FDC_SCAN_HIGH;
	uint32_t unit = x->kind == FDC_FORMAT ? 4 : FDC_SECTOR;

	if (s->phase != FDC_EXEC_HOST)
		return true;
	return x->sectors && x->sectors <= (scan ? 1 : FDC_MAX_SECTORS) &&
	       x->len == x->sectors * unit && x->base <= FDC_BUF_SIZE / 2 && x->pos < x->len &&
	       x->r && x->r <= FDC_MAX_SECTORS;
}

static bool sane(const struct fdc *s)
{
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

static void fdc_refresh(void *obj)
{
	struct fdc *s = obj;
	unsigned int i;

	for (i = 0; i < FDC_DRIVES; i++)
		s->drive[i].bytes = s->drive[i].blk ? block_size(s->drive[i].blk) : 0;
}

static int fdc_loaded(void *obj, uint32_t version)
{
	struct fdc *s = obj;

	if (!sane(s) || !xfer_sane(s))
		return -EINVAL;
	if (s->phase == FDC_EXEC_HOST)
		i8257_set_dreq(s->m->isa_dma, FDC_DMA, s->x.dma);
	if (s->phase == FDC_EXEC_ID)
		dm_timer_set_ns(&s->id_timer, clock_ns());
	fdc_irq(s, s->irq_level);
	return 0;
}

static size_t buffered(const void *obj)
{
	return ((const struct fdc *)obj)->phase == FDC_EXEC_HOST ? FDC_BUF_SIZE : 0;
}

static size_t host_buffered(const void *obj)
{
	return ((const struct fdc *)obj)->phase == FDC_EXEC_HOST ? FDC_SECTOR : 0;
}

static const struct save_field drive_fields[] = {
	SAVE(struct fdc_drive, present, .same = true),
	SAVE(struct fdc_drive, bytes, .same = true),
	SAVE(struct fdc_drive, track, .max = FDC_LAST_TRACK),
	SAVE(struct fdc_drive, changed),
	SAVE(struct fdc_drive, rotation, .max = FDC_MAX_SECTORS),
	SAVE_END,
};

static const struct save_field xfer_fields[] = {
	SAVE(struct fdc_xfer, kind, .max = FDC_FORMAT),
	SAVE(struct fdc_xfer, drive, .max = FDC_DRIVES - 1),
	SAVE(struct fdc_xfer, mt),
	SAVE(struct fdc_xfer, skip),
	SAVE(struct fdc_xfer, dma),
	SAVE(struct fdc_xfer, c),
	SAVE(struct fdc_xfer, h, .max = 1),
	SAVE(struct fdc_xfer, r),
	SAVE(struct fdc_xfer, n),
	SAVE(struct fdc_xfer, eot),
	SAVE(struct fdc_xfer, last_h, .max = 1),
	SAVE(struct fdc_xfer, last_r),
	SAVE(struct fdc_xfer, limit),
	SAVE(struct fdc_xfer, filler),
	SAVE(struct fdc_xfer, st2),
	SAVE(struct fdc_xfer, tc),
	SAVE(struct fdc_xfer, cached),
	SAVE(struct fdc_xfer, base),
	SAVE(struct fdc_xfer, sectors),
	SAVE(struct fdc_xfer, pos),
	SAVE(struct fdc_xfer, len),
	SAVE_END,
};

static const struct save_field fdc_fields[] = {
	SAVE_PARTS(struct fdc, drive, drive_fields),
	SAVE(struct fdc, irq_level),
	SAVE(struct fdc, dor),
	SAVE(struct fdc, dsr, .mask = (uint8_t)~DSR_RESET),
	SAVE(struct fdc, tdr, .mask = 3),
	SAVE(struct fdc, phase, .max = FDC_RESULT),
	SAVE_ARRAY(struct fdc, fifo),
	SAVE(struct fdc, fifo_pos, .max = FDC_FIFO - 1),
	SAVE(struct fdc, fifo_len, .max = FDC_FIFO),
	SAVE(struct fdc, sense_pending, .mask = 0x0f),
	SAVE_ARRAY(struct fdc, sense_st0),
	SAVE_ARRAY(struct fdc, pcn),
	SAVE_ARRAY(struct fdc, specify),
	SAVE(struct fdc, config, .mask = 0x7f),
	SAVE(struct fdc, precomp),
	SAVE(struct fdc, perpendicular, .mask = 0x3f),
	SAVE(struct fdc, lock, .mask = 1),
	SAVE(struct fdc, eot),
	SAVE(struct fdc, option),
	SAVE(struct fdc, power),
	SAVE_PART(struct fdc, x, xfer_fields),
	SAVE_BYTES(struct fdc, buf, buffered, .pointer = true),
	SAVE_BYTES(struct fdc, host_buf, host_buffered),
	SAVE_END,
};

const struct save_ops fdc_save_ops = { "fdc", 1, fdc_fields, fdc_refresh, fdc_loaded };
