/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The IDE bus master ("Programming Interface for Bus Master IDE Controller", revision 1.0; 82371SB
 * 2.7). Descriptors are read one at a time while data moves; a list that wraps for ever is bounded by
 * the length of the transfer.
 */
#include "core/bus.h"
#include "core/dma.h"
#include "core/log.h"
#include "core/util.h"
#include "hw/ide.h"

enum bm_register { BM_REG_COMMAND = 0, BM_REG_STATUS = 2, BM_REG_TABLE = 4 };

#define PRD_SIZE 8
#define PRD_EOT	 0x80000000u

void ide_dma_reset(struct ide_channel *ch)
{
	ch->bm_command = 0;
	ch->bm_status &= BM_CAPABLE;
	ch->prd_left = 0;
	ch->prd_last = false;
	ch->prd_next = ch->bm_table;
}

/* Load the next descriptor; false at the end of the list. */
static bool prd_fetch(struct ide_channel *ch)
{
	uint8_t prd[PRD_SIZE];
	uint32_t size;

	if (ch->prd_last || !pci_bus_master(&ch->ctrl->pci))
		return false;
	if (dma_read(ch->m, ch->prd_next, prd, sizeof(prd))) {
		ch->bm_status |= BM_ERROR;
		return false;
	}
	ch->prd_next += PRD_SIZE;
	ch->prd_addr = get_le32(prd) & ~1u;
	size = get_le32(prd + 4);
	ch->prd_last = size & PRD_EOT;
	size &= 0xfffe;
	ch->prd_left = size ? size : 0x10000;
	return true;
}

uint32_t ide_dma_move(struct ide_channel *ch, uint8_t *buf, uint32_t len, bool to_memory)
{
	uint32_t done = 0;

	while (done < len) {
		uint32_t n;
		int rc;

		if (!ch->prd_left && !prd_fetch(ch))
			break;
		n = MIN(len - done, ch->prd_left);
		rc = to_memory ? dma_write(ch->m, ch->prd_addr, buf + done, n)
			       : dma_read(ch->m, ch->prd_addr, buf + done, n);
		if (rc) {
			log_guest("ide%u: DMA at 0x%x, %u bytes, is not all RAM", ch->number,
				  ch->prd_addr, n);
			ch->bm_status |= BM_ERROR;
		}
		ch->prd_addr += n;
		ch->prd_left -= n;
		done += n;
	}
	return done;
}

/* Table of 82371SB 2.7.2: active clear means the list was used up exactly. */
void ide_dma_end(struct ide_channel *ch)
{
	if (!ch->prd_left && ch->prd_last)
		ch->bm_status &= (uint8_t)~BM_ACTIVE;
}

void ide_dma_short(struct ide_drive *d)
{
	log_trace(TRACE_IDE, "ide%u.%u: descriptor list too short", d->ch->number, d->unit);
	d->phase = IDE_IDLE;
	d->status = IDE_DRDY | IDE_DSC;
	d->ch->bm_status &= (uint8_t)~BM_ACTIVE;
}

static uint64_t bm_read(void *opaque, uint64_t offset, unsigned int size)
{
	struct ide_controller *c = opaque;
	struct ide_channel *ch = &c->channel[offset >> 3];
	unsigned int reg = offset & 7;

	switch (reg) {
	case BM_REG_COMMAND:
		return ch->bm_command;
	case BM_REG_STATUS:
		return ch->bm_status;
	default:
		return reg < BM_REG_TABLE ? 0xff : ch->bm_table >> (reg - BM_REG_TABLE) * 8;
	}
}

static void command_write(struct ide_channel *ch, uint8_t v)
{
	uint8_t old = ch->bm_command;

	ch->bm_command = v & (BM_START | BM_TO_MEMORY);
	if (!(v & BM_START)) {
		ch->bm_status &= (uint8_t)~BM_ACTIVE;
		return;
	}
	if (old & BM_START)
		return;
	ch->bm_status |= BM_ACTIVE;
	ch->prd_next = ch->bm_table;
	ch->prd_left = 0;
	ch->prd_last = false;
	ide_dma_ready(&ch->drive[ch->selected]);
}

static void bm_write(void *opaque, uint64_t offset, uint64_t value, unsigned int size)
{
	struct ide_controller *c = opaque;
	struct ide_channel *ch = &c->channel[offset >> 3];
	unsigned int reg = offset & 7;
	uint8_t v = (uint8_t)value, bytes[4];

	if (reg == BM_REG_COMMAND) {
		command_write(ch, v);
	} else if (reg == BM_REG_STATUS) {
		ch->bm_status &= (uint8_t) ~(v & (BM_ERROR | BM_INTR));
		ch->bm_status = (ch->bm_status & (uint8_t)~BM_CAPABLE) | (v & BM_CAPABLE);
	} else if (reg >= BM_REG_TABLE) {
		put_le32(bytes, ch->bm_table);
		bytes[reg - BM_REG_TABLE] = v;
		ch->bm_table = get_le32(bytes) & ~3u;
	}
}

const struct io_ops ide_bm_ops = { .read = bm_read, .write = bm_write, .max_size = 1 };
