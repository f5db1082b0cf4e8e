/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two 8237A DMA controllers of the PIIX3 (Intel 8237A datasheet, order number 231466; 82371SB,
 * 2.5.1) and their page registers. Channels 0-3 move bytes inside 64 KiB, 5-7 words inside 128 KiB.
 *
 * The PIIX3 has no memory-to-memory transfers and no high page registers. Port 0x80, which guests
 * write as a delay or as a POST code, is left unclaimed: a write to it need not come here at all.
 * The transfer modes single, block and demand differ in bus timing only.
 */
#include "hw/i8257.h"

#include <errno.h>

#include "core/bus.h"
#include "core/device.h"
#include "core/dma.h"
#include "core/machine.h"
#include "core/save.h"
#include "core/util.h"

#define CHANNELS 4u
#define CASCADE	 4u /* the channel by which the first controller reaches the bus */

enum command_bit { COMMAND_DISABLE = 0x04 };

enum mode_bit {
	MODE_TYPE = 0x0c,
	MODE_TO_MEMORY = 0x04,
	MODE_FROM_MEMORY = 0x08,
	MODE_AUTO_INIT = 0x10,
	MODE_DOWN = 0x20,
	MODE_KIND = 0xc0,
	MODE_CASCADE = 0xc0,
};

enum reg {
	REG_COMMAND = 8, /* read: status */
	REG_REQUEST,
	REG_MASK_ONE,
	REG_MODE,
	REG_CLEAR_FLIPFLOP,
	REG_MASTER_CLEAR, /* read: temporary register */
	REG_CLEAR_MASK,
	REG_MASK_ALL,
};

struct channel {
	uint16_t base_addr, base_count;
	uint16_t addr, count;
	uint8_t mode, page;
	bool dreq;
	void (*ready)(void *opaque);
	void *opaque;
};

struct unit {
	struct i8257 *dma;
	unsigned int shift; /* 0: bytes, 1: words */
	struct channel ch[CHANNELS];
	uint8_t command, mask, tc, request; /* four bits each but command */
	bool flipflop;			    /* the next access is to the high byte */
};

struct i8257 {
	struct machine *m;
	struct unit unit[2];
};

static struct unit *unit_of(struct i8257 *d, unsigned int channel)
{
	return &d->unit[channel / CHANNELS];
}

static struct channel *channel_at(struct i8257 *d, unsigned int channel)
{
	return &unit_of(d, channel)->ch[channel % CHANNELS];
}

static bool unit_passes(const struct unit *u, unsigned int n)
{
	return !(u->command & COMMAND_DISABLE) && !(u->mask & 1u << n);
}

bool i8257_ready(struct i8257 *d, unsigned int channel)
{
	if ((channel_at(d, channel)->mode & MODE_KIND) == MODE_CASCADE ||
	    !unit_passes(unit_of(d, channel), channel % CHANNELS))
		return false;
	return channel >= CHANNELS || unit_passes(&d->unit[1], CASCADE % CHANNELS);
}

uint32_t i8257_left(struct i8257 *d, unsigned int channel)
{
	return ((uint32_t)channel_at(d, channel)->count + 1) << unit_of(d, channel)->shift;
}

void i8257_attach(struct i8257 *d, unsigned int channel, void (*ready)(void *opaque), void *opaque)
{
	channel_at(d, channel)->ready = ready;
	channel_at(d, channel)->opaque = opaque;
}

void i8257_set_dreq(struct i8257 *d, unsigned int channel, bool level)
{
	channel_at(d, channel)->dreq = level;
}

/* Something changed that may let a waiting device go on. */
static void wake_devices(struct i8257 *d)
{
	unsigned int channel;

	for (channel = 0; channel < 2 * CHANNELS; channel++) {
		struct channel *c = channel_at(d, channel);

		if (c->dreq && c->ready && i8257_ready(d, channel))
			c->ready(c->opaque);
	}
}

static uint64_t address(const struct unit *u, const struct channel *c)
{
	uint32_t page = u->shift ? c->page & 0xfeu : c->page;

	return (uint64_t)page << 16 | (uint32_t)c->addr << u->shift;
}

/* The items from the current address that lie one after the other, at most left. */
static uint32_t run_length(const struct channel *c, uint32_t left)
{
	return c->mode & MODE_DOWN ? 1 : MIN(left, 0x10000u - c->addr);
}

static void move_run(const struct unit *u, const struct channel *c, uint8_t *buf, size_t len,
		     bool to_memory)
{
	uint8_t type = c->mode & MODE_TYPE;

	if (to_memory && type == MODE_TO_MEMORY)
		dma_write(u->dma->m, address(u, c), buf, len);
	else if (!to_memory && type == MODE_FROM_MEMORY)
		dma_read(u->dma->m, address(u, c), buf, len);
	else if (!to_memory)
		memset(buf, 0xff, len);
}

static void terminal_count(struct unit *u, unsigned int n)
{
	struct channel *c = &u->ch[n];

	u->tc |= (uint8_t)(1u << n);
	u->request &= (uint8_t) ~(1u << n);
	if (c->mode & MODE_AUTO_INIT) {
		c->addr = c->base_addr;
		c->count = c->base_count;
	} else {
		u->mask |= (uint8_t)(1u << n);
	}
}

size_t i8257_move(struct i8257 *d, unsigned int channel, void *buf, size_t len, bool to_memory,
		  bool *tc)
{
	struct unit *u = unit_of(d, channel);
	struct channel *c = channel_at(d, channel);
	uint32_t left = (uint32_t)(MIN(len, i8257_left(d, channel)) >> u->shift), done = 0;

	*tc = false;
	if (!i8257_ready(d, channel))
		return 0;
	while (done < left) {
		uint32_t n = run_length(c, left - done);

		move_run(u, c, (uint8_t *)buf + ((size_t)done << u->shift), (size_t)n << u->shift,
			 to_memory);
		c->addr = (uint16_t)(c->mode & MODE_DOWN ? c->addr - n : c->addr + n);
		done += n;
	}
	if (!done)
		return 0;
	c->count = (uint16_t)(c->count - done);
	*tc = c->count == 0xffff;
	if (*tc)
		terminal_count(u, channel % CHANNELS);
	return (size_t)done << u->shift;
}

static void set_half(uint16_t *v, bool high, uint8_t byte)
{
	*v = (uint16_t)(high ? (*v & 0x00ff) | byte << 8 : (*v & 0xff00) | byte);
}

static void channel_write(struct unit *u, unsigned int reg, uint8_t v)
{
	struct channel *c = &u->ch[reg / 2];

	set_half(reg & 1 ? &c->base_count : &c->base_addr, u->flipflop, v);
	set_half(reg & 1 ? &c->count : &c->addr, u->flipflop, v);
	u->flipflop = !u->flipflop;
}

static uint8_t channel_read(struct unit *u, unsigned int reg)
{
	const struct channel *c = &u->ch[reg / 2];
	uint16_t v = reg & 1 ? c->count : c->addr;

	u->flipflop = !u->flipflop;
	return (uint8_t)(u->flipflop ? v : v >> 8);
}

static uint8_t status_read(struct unit *u)
{
	uint8_t v = u->tc | (uint8_t)(u->request << 4);
	unsigned int n;

	for (n = 0; n < CHANNELS; n++)
		if (u->ch[n].dreq)
			v |= (uint8_t)(0x10u << n);
	u->tc = 0;
	return v;
}

/* Also what a hardware reset leaves behind. Page registers and channel registers stay. */
static void master_clear(struct unit *u)
{
	u->command = u->tc = u->request = 0;
	u->mask = 0x0f;
	u->flipflop = false;
}

static void set_bit(uint8_t *bits, uint8_t v)
{
	uint8_t bit = (uint8_t)(1u << (v & 3));

	*bits = v & 4 ? *bits | bit : *bits & ~bit;
}

static void control_write(struct unit *u, enum reg reg, uint8_t v)
{
	switch (reg) {
	case REG_COMMAND:
		u->command = v;
		break;
	case REG_REQUEST:
		set_bit(&u->request, v);
		break;
	case REG_MASK_ONE:
		set_bit(&u->mask, v);
		break;
	case REG_MODE:
		u->ch[v & 3].mode = v & 0xfc;
		break;
	case REG_CLEAR_FLIPFLOP:
		u->flipflop = false;
		break;
	case REG_MASTER_CLEAR:
		master_clear(u);
		break;
	case REG_CLEAR_MASK:
		u->mask = 0;
		break;
	case REG_MASK_ALL:
		u->mask = v & 0x0f;
		break;
	}
}

static void unit_write(void *opaque, uint64_t offset, uint64_t value, unsigned int size)
{
	struct unit *u = opaque;
	unsigned int reg = (unsigned int)offset >> u->shift;

	if (reg < REG_COMMAND)
		channel_write(u, reg, (uint8_t)value);
	else
		control_write(u, reg, (uint8_t)value);
	wake_devices(u->dma);
}

static uint64_t unit_read(void *opaque, uint64_t offset, unsigned int size)
{
	struct unit *u = opaque;
	unsigned int reg = (unsigned int)offset >> u->shift;

	if (reg < REG_COMMAND)
		return channel_read(u, reg);
	if (reg == REG_COMMAND)
		return status_read(u);
	return reg == REG_MASK_ALL ? u->mask : 0;
}

static const struct io_ops unit_ops = { .read = unit_read, .write = unit_write, .max_size = 1 };

/* 0x8f is the refresh page: kept as channel 4's, which moves nothing. */
static const struct {
	uint16_t port;
	uint8_t channel;
} pages[] = {
	{ 0x81, 2 }, { 0x82, 3 }, { 0x83, 1 }, { 0x87, 0 },
	{ 0x89, 6 }, { 0x8a, 7 }, { 0x8b, 5 }, { 0x8f, 4 },
};

static uint64_t page_read(void *opaque, uint64_t offset, unsigned int size)
{
	return ((struct channel *)opaque)->page;
}

static void page_write(void *opaque, uint64_t offset, uint64_t value, unsigned int size)
{
	((struct channel *)opaque)->page = (uint8_t)value;
}

static const struct io_ops page_ops = { .read = page_read, .write = page_write, .max_size = 1 };

static void i8257_reset(void *opaque)
{
	struct i8257 *d = opaque;
	unsigned int channel;

	for (channel = 0; channel < 2 * CHANNELS; channel++) {
		struct channel *c = channel_at(d, channel);

		c->base_addr = c->base_count = c->addr = c->count = 0;
		c->mode = c->page = 0;
	}
	master_clear(&d->unit[0]);
	master_clear(&d->unit[1]);
}

/* The requests are the devices' own: each raises its line again when it is restored. */
static const struct save_field channel_fields[] = {
	SAVE(struct channel, base_addr),
	SAVE(struct channel, base_count),
	SAVE(struct channel, addr),
	SAVE(struct channel, count),
	SAVE(struct channel, mode, .mask = 0xfc),
	SAVE(struct channel, page),
	SAVE_END,
};

static const struct save_field unit_fields[] = {
	SAVE(struct unit, command),
	SAVE(struct unit, mask, .mask = 0x0f),
	SAVE(struct unit, tc, .mask = 0x0f),
	SAVE(struct unit, request, .mask = 0x0f),
	SAVE(struct unit, flipflop),
	SAVE_PARTS(struct unit, ch, channel_fields),
	SAVE_END,
};

static const struct save_field i8257_fields[] = {
	SAVE_PARTS(struct i8257, unit, unit_fields),
	SAVE_END,
};

static const struct save_ops i8257_save_ops = { "i8257", 1, .fields = i8257_fields };

static int i8257_init(struct machine *m)
{
	struct i8257 *d = xzalloc(sizeof(*d));
	unsigned int i;

	m->isa_dma = d;
	d->m = m;
	d->unit[0].dma = d->unit[1].dma = d;
	d->unit[1].shift = 1;
	if (!pio_register(m, 0x00, 16, &unit_ops, &d->unit[0], "dma1") ||
	    !pio_register(m, 0xc0, 32, &unit_ops, &d->unit[1], "dma2"))
		return -EBUSY;
	for (i = 0; i < ARRAY_SIZE(pages); i++)
		if (!pio_register(m, pages[i].port, 1, &page_ops, channel_at(d, pages[i].channel),
				  "dma-page"))
			return -EBUSY;
	machine_on_reset(m, i8257_reset, d);
	save_register(m, &i8257_save_ops, 0, d);
	return 0;
}
DEVICE(DEVICE_CHIPSET, i8257, i8257_init);
