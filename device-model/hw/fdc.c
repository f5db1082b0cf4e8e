/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Registers, reset and phases of the floppy controller (82077AA, chapters 2 and 4). See fdc.h.
 *
 * AT mode: the status registers A and B are not decoded. The interrupt is not gated by the DMA bit
 * of the DOR, so that drivers which clear it and move bytes through the FIFO hear of the end.
 */
#include "hw/fdc.h"

#include <errno.h>

#include "core/bus.h"
#include "core/device.h"
#include "core/log.h"
#include "core/machine.h"
#include "core/options.h"
#include "core/util.h"
#include "hw/i8257.h"

#define FDC_BASE 0x3f2
#define FDC_IRQ	 6

enum fdc_reg { REG_DOR = 0, REG_TDR = 1, REG_MSR = 2, REG_DATA = 3 };

void fdc_irq(struct fdc *s, bool level)
{
	s->irq_level = level;
	irq_set(&s->irq, level);
}

void fdc_idle(struct fdc *s)
{
	s->phase = FDC_COMMAND;
	s->fifo_pos = s->fifo_len = 0;
}

void fdc_result(struct fdc *s, uint8_t len, bool irq)
{
	s->phase = FDC_RESULT;
	s->fifo_pos = 0;
	s->fifo_len = len;
	if (irq)
		fdc_irq(s, true);
}

bool fdc_non_dma(const struct fdc *s)
{
	return s->specify[1] & 1 || !(s->dor & DOR_DMA);
}

/* By the DOR or the DSR. What LOCK protects stays. */
static void soft_reset(struct fdc *s)
{
	unsigned int i;

	fdc_data_abort(s);
	dm_timer_cancel(&s->id_timer);
	fdc_idle(s);
	fdc_irq(s, false);
	s->sense_pending = 0;
	s->perpendicular &= 0x3c; /* GAP and WGATE go */
	if (!s->lock) {
		s->config = CONFIG_NO_FIFO;
		s->precomp = 0;
	}
	for (i = 0; i < FDC_DRIVES; i++)
		s->pcn[i] = 0;
}

/* The polling that follows finds each drive's ready line changed (6.6, polling). */
static void reset_end(struct fdc *s)
{
	unsigned int i;

	if (s->config & CONFIG_NO_POLL)
		return;
	for (i = 0; i < FDC_DRIVES; i++)
		fdc_sense_set(s, i, (uint8_t)(ST0_POLLING | i));
}

static void dor_write(struct fdc *s, uint8_t v)
{
	uint8_t old = s->dor;

	s->dor = v;
	if (old & ~v & DOR_NOT_RESET)
		soft_reset(s);
	else if (~old & v & DOR_NOT_RESET)
		reset_end(s);
}

static void dsr_write(struct fdc *s, uint8_t v)
{
	s->dsr = v & (uint8_t)~DSR_RESET;
	if (!(v & DSR_RESET))
		return;
	soft_reset(s);
	if (s->dor & DOR_NOT_RESET)
		reset_end(s);
}

static uint8_t msr_read(const struct fdc *s)
{
	uint8_t io = s->x.dma ? 0 : MSR_NON_DMA | MSR_RQM;

	if (!(s->dor & DOR_NOT_RESET))
		return 0;
	switch (s->phase) {
	case FDC_COMMAND:
		return MSR_RQM | (s->fifo_pos ? MSR_BUSY : 0);
	case FDC_RESULT:
		return MSR_RQM | MSR_DIO | MSR_BUSY;
	case FDC_EXEC_HOST:
		if (io && s->x.kind <= FDC_READ_TRACK)
			io |= MSR_DIO;
		return MSR_BUSY | io;
	default:
		return MSR_BUSY | (s->phase == FDC_EXEC_BLOCK && !s->x.dma ? MSR_NON_DMA : 0);
	}
}

static uint8_t data_read(struct fdc *s)
{
	uint8_t v;

	if (!(s->dor & DOR_NOT_RESET))
		return 0;
	if (s->phase == FDC_EXEC_HOST)
		return fdc_host_read(s);
	if (s->phase != FDC_RESULT)
		return 0;
	v = s->fifo[s->fifo_pos++];
	if (s->fifo_pos == s->fifo_len) {
		if (!s->sense_pending)
			fdc_irq(s, false);
		fdc_idle(s);
	}
	return v;
}

static void data_write(struct fdc *s, uint8_t v)
{
	if (!(s->dor & DOR_NOT_RESET))
		return;
	if (s->phase == FDC_EXEC_HOST)
		fdc_host_write(s, v);
	if (s->phase != FDC_COMMAND)
		return;
	if (!s->fifo_pos)
		s->fifo_len = (uint8_t)(1 + fdc_parameters(v));
	s->fifo[s->fifo_pos++] = v;
	if (s->fifo_pos == s->fifo_len)
		fdc_command(s);
}

static uint64_t port_read(void *opaque, uint64_t offset, unsigned int size)
{
	struct fdc *s = opaque;

	switch (offset) {
	case REG_DOR:
		return s->dor;
	case REG_TDR:
		return s->tdr;
	case REG_MSR:
		return msr_read(s);
	default:
		return data_read(s);
	}
}

static void port_write(void *opaque, uint64_t offset, uint64_t value, unsigned int size)
{
	struct fdc *s = opaque;
	uint8_t v = (uint8_t)value;

	switch (offset) {
	case REG_DOR:
		dor_write(s, v);
		break;
	case REG_TDR:
		s->tdr = v & 3;
		break;
	case REG_MSR:
		dsr_write(s, v);
		break;
	default:
		data_write(s, v);
	}
}

/* REP INS and OUTS in the data phase of a transfer without DMA. */
static size_t port_read_block(void *opaque, uint64_t offset, void *buf, unsigned int size,
			      size_t count)
{
	struct fdc *s = opaque;
	uint8_t *p = buf;
	size_t i;

	if (offset != REG_DATA || size != 1)
		return 0;
	for (i = 0; i < count && s->phase == FDC_EXEC_HOST; i++)
		p[i] = fdc_host_read(s);
	return i;
}

static const struct io_ops port_ops = {
	.read = port_read,
	.write = port_write,
	.read_block = port_read_block,
	.max_size = 1,
};

/* 0x3f7: DIR and CCR. The low bits of the DIR are the fixed disk's on an AT and float here. */
static uint64_t dir_read(void *opaque, uint64_t offset, unsigned int size)
{
	struct fdc *s = opaque;

	return s->drive[s->dor & DOR_DRIVE].changed ? 0x80 : 0;
}

static void ccr_write(void *opaque, uint64_t offset, uint64_t value, unsigned int size)
{
	struct fdc *s = opaque;

	s->dsr = (uint8_t)((s->dsr & ~DSR_RATE) | (value & DSR_RATE));
}

static const struct io_ops dir_ops = { .read = dir_read, .write = ccr_write, .max_size = 1 };

static void fdc_reset(void *opaque)
{
	struct fdc *s = opaque;
	unsigned int i;

	s->lock = 0;
	soft_reset(s);
	s->dor = DOR_NOT_RESET | DOR_DMA;
	s->dsr = 2;
	s->tdr = 0;
	s->perpendicular = s->eot = s->option = s->power = 0;
	s->specify[0] = s->specify[1] = 0;
	for (i = 0; i < FDC_DRIVES; i++) {
		s->drive[i].track = 0;
		s->drive[i].changed = s->drive[i].present;
		s->drive[i].rotation = 0;
	}
}

static int fdc_init(struct machine *m)
{
	struct fdc *s;
	int rc;

	if (!m->opt->floppies[0].present && !m->opt->floppies[1].present)
		return 0;
	s = xzalloc(sizeof(*s));
	s->m = m;
	s->buf = xzalloc(FDC_BUF_SIZE);
	rc = fdc_media_init(s);
	if (rc)
		return rc;
	irq_init_isa(&s->irq, m, FDC_IRQ);
	dm_timer_init(&s->id_timer, DM_CLOCK_GUEST, fdc_read_id_done, s);
	i8257_attach(s->m->isa_dma, FDC_DMA, fdc_dma_ready, s);
	machine_on_reset(m, fdc_reset, s);
	save_register(m, &fdc_save_ops, 0, s);
	if (!pio_register(m, FDC_BASE, 4, &port_ops, s, "fdc") ||
	    !pio_register(m, FDC_BASE + 5, 1, &dir_ops, s, "fdc-dir"))
		return -EBUSY;
	return 0;
}
DEVICE(DEVICE_ISA, fdc, fdc_init);
