/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IDE: task file registers (ATA-6 chapter 7), interrupts, resets, the data port, and the PIIX3's PCI
 * function 00:01.1 in compatibility mode. See ide.h.
 */
#include "hw/ide.h"

#include <stdlib.h>

#include "core/bus.h"
#include "core/device.h"
#include "core/log.h"
#include "core/machine.h"
#include "core/options.h"
#include "core/util.h"

enum ide_register {
	REG_DATA,
	REG_ERROR_FEATURE,
	REG_COUNT,
	REG_LBA_LOW,
	REG_LBA_MID,
	REG_LBA_HIGH,
	REG_DEVICE,
	REG_STATUS_COMMAND,
};

#define CMD_DEVICE_RESET 0x08

static struct ide_drive *selected(struct ide_channel *ch)
{
	return &ch->drive[ch->selected];
}

static bool channel_empty(const struct ide_channel *ch)
{
	return !ch->drive[0].present && !ch->drive[1].present;
}

static void irq_update(struct ide_channel *ch)
{
	irq_set(&ch->irq, ch->irq_pending && !(ch->control & IDE_NIEN));
}

void ide_set_irq(struct ide_channel *ch)
{
	ch->irq_pending = true;
	if (!(ch->control & IDE_NIEN))
		ch->bm_status |= BM_INTR;
	irq_update(ch);
}

static void irq_clear(struct ide_channel *ch)
{
	ch->irq_pending = false;
	irq_update(ch);
}

void ide_complete(struct ide_drive *d)
{
	d->phase = IDE_IDLE;
	d->status = IDE_DRDY | IDE_DSC | (d->status & IDE_ERR);
	ide_set_irq(d->ch);
}

void ide_fail(struct ide_drive *d, uint8_t error)
{
	log_trace(TRACE_IDE, "ide%u.%u: error 0x%02x", d->ch->number, d->unit, error);
	d->phase = IDE_IDLE;
	d->error = error;
	d->status = IDE_DRDY | IDE_DSC | IDE_ERR;
	ide_set_irq(d->ch);
}

void ide_drq_block(struct ide_drive *d, uint32_t end)
{
	d->drq_end = end;
	d->status = IDE_DRDY | IDE_DSC | IDE_DRQ | (d->status & IDE_ERR);
}

/* ATA-6 9.12: what tells a disk (0000h) from a packet device (EB14h). */
void ide_set_signature(struct ide_drive *d)
{
	d->count[0] = 1;
	d->lba_low[0] = 1;
	d->lba_mid[0] = d->cdrom ? 0x14 : 0;
	d->lba_high[0] = d->cdrom ? 0xeb : 0;
	d->device &= 0x10;
}

static void drive_reset(struct ide_drive *d)
{
	d->phase = IDE_IDLE;
	d->status = !d->present ? 0 : d->cdrom ? 0 : IDE_DRDY | IDE_DSC;
	d->error = 1; /* diagnostics passed */
	d->multiple = IDE_MAX_MULTIPLE;
	d->lba48 = false;
	d->buf_pos = d->buf_len = d->drq_end = 0;
	d->packet_left = 0;
	d->write_cache = true;
	d->sense_key = d->asc = d->ascq = 0;
	d->locked = false;
	atapi_reset(d);
	ide_geometry_reset(d);
	ide_set_signature(d);
}

static void channel_reset(struct ide_channel *ch)
{
	ch->reset_wait = false;
	ch->selected = 0;
	drive_reset(&ch->drive[0]);
	drive_reset(&ch->drive[1]);
	ide_dma_reset(ch);
}

static bool channel_busy(const struct ide_channel *ch)
{
	return ch->drive[0].req.busy || ch->drive[1].req.busy;
}

/* A request of the block layer cannot be called back: the drives stay busy until it is over. */
static void channel_reset_begin(struct ide_channel *ch)
{
	unsigned int i;

	irq_clear(ch);
	if (!channel_busy(ch)) {
		channel_reset(ch);
		return;
	}
	ch->reset_wait = true;
	for (i = 0; i < 2; i++)
		ch->drive[i].status = IDE_BSY;
}

static void request_done(struct block_req *req, int err)
{
	struct ide_drive *d = container_of(req, struct ide_drive, req);
	struct ide_channel *ch = d->ch;

	if (!ch->reset_wait)
		d->req_done(d, err);
	else if (!channel_busy(ch))
		channel_reset(ch);
}

void ide_submit(struct ide_drive *d, enum block_op op, uint64_t offset, size_t len,
		void (*done)(struct ide_drive *d, int err))
{
	d->req_done = done;
	d->req = (struct block_req){
		.b = d->blk,
		.op = op,
		.offset = offset,
		.buf = d->buf,
		.len = len,
		.done = request_done,
	};
	block_submit(&d->req);
}

static void device_reset(struct ide_drive *d)
{
	if (!d->cdrom || d->req.busy)
		return;
	d->phase = IDE_IDLE;
	d->status = 0;
	d->error = 1;
	ide_set_signature(d);
}

static void command_write(struct ide_channel *ch, uint8_t command)
{
	struct ide_drive *d = selected(ch);

	irq_clear(ch);
	if (!d->present)
		return;
	log_trace(TRACE_IDE, "ide%u.%u: command 0x%02x", ch->number, d->unit, command);
	if (command == CMD_DEVICE_RESET) {
		device_reset(d);
		return;
	}
	if (d->status & (IDE_BSY | IDE_DRQ))
		return;
	d->status &= (uint8_t)~IDE_ERR;
	d->error = 0;
	ide_ata_command(d, command);
}

static void push(uint8_t reg[2], uint8_t v)
{
	reg[1] = reg[0];
	reg[0] = v;
}

/* Both drives latch the registers; the selected one acts. */
static void task_file_write(struct ide_channel *ch, unsigned int reg, uint8_t v)
{
	unsigned int i;

	ch->control &= (uint8_t)~IDE_HOB;
	for (i = 0; i < 2; i++) {
		struct ide_drive *d = &ch->drive[i];

		switch (reg) {
		case REG_ERROR_FEATURE:
			push(d->feature, v);
			break;
		case REG_COUNT:
			push(d->count, v);
			break;
		case REG_LBA_LOW:
			push(d->lba_low, v);
			break;
		case REG_LBA_MID:
			push(d->lba_mid, v);
			break;
		case REG_LBA_HIGH:
			push(d->lba_high, v);
			break;
		case REG_DEVICE:
			d->device = v | 0xa0;
			break;
		}
	}
	if (reg == REG_DEVICE)
		ch->selected = v >> 4 & 1;
}

/* Moves bytes between the host and the present DRQ block. Returns how many. */
static uint32_t data_move(struct ide_drive *d, uint8_t *host, uint32_t len, bool to_host)
{
	const struct ide_transfer *t = &ide_transfers[d->phase];
	void (*moved)(struct ide_drive * d) = to_host ? t->to_host : t->from_host;
	uint32_t n = MIN(len, d->drq_end - d->buf_pos);

	if (!(d->status & IDE_DRQ) || !moved)
		return 0;
	if (to_host)
		memcpy(host, d->buf + d->buf_pos, n);
	else
		memcpy(d->buf + d->buf_pos, host, n);
	d->buf_pos += n;
	if (d->buf_pos == d->drq_end)
		moved(d);
	return n;
}

static size_t data_read_block(void *opaque, uint64_t offset, void *buf, unsigned int size,
			      size_t count)
{
	struct ide_channel *ch = opaque;
	uint8_t *p = buf;
	size_t left = count * size;

	if (offset != REG_DATA)
		return 0;
	while (left) {
		uint32_t n = data_move(selected(ch), p, (uint32_t)left, true);

		if (!n)
			break;
		p += n;
		left -= n;
	}
	memset(p, 0, left);
	return count;
}

static size_t data_write_block(void *opaque, uint64_t offset, const void *buf, unsigned int size,
			       size_t count)
{
	struct ide_channel *ch = opaque;
	const uint8_t *p = buf;
	size_t left = count * size;

	if (offset != REG_DATA)
		return 0;
	while (left) {
		uint32_t n = data_move(selected(ch), (uint8_t *)p, (uint32_t)left, false);

		if (!n)
			break;
		p += n;
		left -= n;
	}
	return count;
}

static uint8_t status_read(struct ide_channel *ch)
{
	struct ide_drive *d = selected(ch);

	return d->present ? d->status : 0;
}

static uint8_t register_read(struct ide_channel *ch, unsigned int reg)
{
	struct ide_drive *d = selected(ch);
	unsigned int hob = ch->control & IDE_HOB ? 1 : 0;

	if (channel_empty(ch) || (reg != REG_DEVICE && !d->present))
		return 0;
	switch (reg) {
	case REG_ERROR_FEATURE:
		return hob ? d->feature[1] : d->error;
	case REG_COUNT:
		return d->count[hob];
	case REG_LBA_LOW:
		return d->lba_low[hob];
	case REG_LBA_MID:
		return d->lba_mid[hob];
	case REG_LBA_HIGH:
		return d->lba_high[hob];
	case REG_DEVICE:
		return d->device;
	default:
		irq_clear(ch);
		return status_read(ch);
	}
}

static uint64_t command_block_read(void *opaque, uint64_t offset, unsigned int size)
{
	struct ide_channel *ch = opaque;
	uint8_t data[8] = { 0 };

	if (offset == REG_DATA) {
		data_read_block(ch, 0, data, size, 1);
		return load_le(data, 8);
	}
	return size == 1 ? register_read(ch, (unsigned int)offset) : ~0ull;
}

static void command_block_write(void *opaque, uint64_t offset, uint64_t value, unsigned int size)
{
	struct ide_channel *ch = opaque;
	uint8_t data[8];

	if (offset == REG_DATA) {
		store_le(data, value, 8);
		data_write_block(ch, 0, data, size, 1);
	} else if (offset == REG_STATUS_COMMAND) {
		command_write(ch, (uint8_t)value);
	} else {
		task_file_write(ch, (unsigned int)offset, (uint8_t)value);
	}
}

static uint64_t control_read(void *opaque, uint64_t offset, unsigned int size)
{
	return status_read(opaque);
}

static void control_write(void *opaque, uint64_t offset, uint64_t value, unsigned int size)
{
	struct ide_channel *ch = opaque;
	uint8_t old = ch->control;

	ch->control = (uint8_t)value;
	irq_update(ch);
	if (value & IDE_SRST && !(old & IDE_SRST)) {
		log_trace(TRACE_IDE, "ide%u: software reset", ch->number);
		channel_reset_begin(ch);
	}
}

static const struct io_ops command_block_ops = {
	.read = command_block_read,
	.write = command_block_write,
	.read_block = data_read_block,
	.write_block = data_write_block,
};

static const struct io_ops control_ops = {
	.read = control_read,
	.write = control_write,
	.max_size = 1,
};

/* Status and descriptor table of each channel are posted, not the command that starts it. */
static void bm_placed(struct pci_device *dev, uint64_t addr)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		pio_post_writes(dev->m, (uint32_t)addr + 8 * i + 2, 1);
		pio_post_writes(dev->m, (uint32_t)addr + 8 * i + 4, 4);
	}
}

static void ide_reset(void *opaque)
{
	struct ide_controller *c = opaque;
	unsigned int i;

	memset(c->pci.config + 0x40, 0, 0x10);
	for (i = 0; i < 2; i++) {
		c->channel[i].control = 0;
		c->channel[i].bm_status = 0;
		c->channel[i].bm_table = 0;
		channel_reset_begin(&c->channel[i]);
	}
}

static int channel_init(struct ide_controller *c, unsigned int n)
{
	static const uint16_t command_port[] = { 0x1f0, 0x170 }, control_port[] = { 0x3f6, 0x376 };
	struct ide_channel *ch = &c->channel[n];
	struct machine *m = c->pci.m;
	unsigned int i;

	ch->ctrl = c;
	ch->m = m;
	ch->number = n;
	irq_init_isa(&ch->irq, m, 14 + n);
	for (i = 0; i < 2; i++) {
		ch->drive[i].ch = ch;
		ch->drive[i].unit = i;
	}
	if (!pio_register(m, command_port[n], 8, &command_block_ops, ch, "ide") ||
	    !pio_register(m, control_port[n], 1, &control_ops, ch, "ide-control"))
		return -1;
	/* The registers that the command takes its parameters from. */
	pio_post_writes(m, command_port[n] + 1, 6);
	return 0;
}

static const struct pci_ids ide_ids = {
	.vendor = 0x8086,
	.device = 0x7010,
	.class_device = 0x0101,
	.prog_if = 0x80,
};

static int ide_init(struct machine *m)
{
	struct ide_controller *c = xzalloc(sizeof(*c));
	int rc;

	pci_device_init(&c->pci, m, "piix3-ide", PCI_DEVFN(1, 1), &ide_ids, c);
	put_le16(c->pci.config + PCI_STATUS, 0x0280);
	memset(c->pci.wmask + 0x40, 0xff, PCI_CONFIG_SIZE - 0x40);
	pci_add_bar(&c->pci, 4, PCI_BAR_IO, 16, &ide_bm_ops, bm_placed);
	rc = pci_register(&c->pci);
	if (!rc)
		rc = channel_init(c, 0);
	if (!rc)
		rc = channel_init(c, 1);
	if (!rc)
		rc = ide_media_init(m, c);
	if (rc)
		return rc;
	machine_on_reset(m, ide_reset, c);
	save_register(m, &ide_save_ops, 0, c);
	return 0;
}
DEVICE(DEVICE_ISA, ide, ide_init);
