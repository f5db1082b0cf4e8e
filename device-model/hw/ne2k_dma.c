/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory of an NE2000 and the two ways to it: the receive ring (local DMA, datasheet section 7) and
 * the data port (remote DMA, section 8). In word mode (DCR.WTS) the address' lowest bit is not wired.
 */
#include "core/util.h"
#include "hw/ne2k.h"

#define DCR_WTS 0x01

uint8_t ne2k_mem_read(const struct ne2k *s, uint16_t addr)
{
	if (addr < NE2K_PROM)
		return s->prom[addr];
	if (addr >= NE2K_RAM_START && addr < NE2K_RAM_END)
		return s->ram[addr - NE2K_RAM_START];
	return 0xff;
}

void ne2k_mem_write(struct ne2k *s, uint16_t addr, uint8_t v)
{
	if (addr >= NE2K_RAM_START && addr < NE2K_RAM_END)
		s->ram[addr - NE2K_RAM_START] = v;
}

void ne2k_mem_copy(const struct ne2k *s, uint16_t addr, uint8_t *out, size_t len)
{
	size_t i;

	if (addr >= NE2K_RAM_START && (size_t)addr + len <= NE2K_RAM_END) {
		memcpy(out, &s->ram[addr - NE2K_RAM_START], len);
		return;
	}
	for (i = 0; i < len; i++)
		out[i] = ne2k_mem_read(s, (uint16_t)(addr + i));
}

uint16_t ne2k_ring_write(struct ne2k *s, uint16_t addr, const uint8_t *p, size_t len)
{
	uint32_t start = (uint32_t)s->pstart << 8, stop = (uint32_t)s->pstop << 8;

	while (len) {
		size_t n = MIN(len, stop - addr), i;

		if (addr >= NE2K_RAM_START && addr + n <= NE2K_RAM_END)
			memcpy(&s->ram[addr - NE2K_RAM_START], p, n);
		else
			for (i = 0; i < n; i++)
				ne2k_mem_write(s, (uint16_t)(addr + i), p[i]);
		p += n;
		len -= n;
		addr = (uint16_t)(addr + n == stop ? start : addr + n);
	}
	return addr;
}

/* Where a remote DMA is. */
struct cursor {
	uint16_t addr, left;
};

/* Behind each item: the address wraps at the ring's end, the count ends the transfer. */
static void advance(const struct ne2k *s, struct cursor *c, unsigned int bytes)
{
	c->addr = (uint16_t)(c->addr + bytes);
	if (c->addr == (uint16_t)(s->pstop << 8))
		c->addr = (uint16_t)(s->pstart << 8);
	c->left = (uint16_t)(c->left > bytes ? c->left - bytes : 0);
}

static struct cursor remote_at(const struct ne2k *s, enum ne2k_cr direction)
{
	bool running = (s->cr & NE_RD_MASK) == (unsigned int)direction;

	return (struct cursor){ s->crda, running ? s->rdma_left : 0 };
}

static void remote_moved(struct ne2k *s, const struct cursor *c)
{
	s->crda = c->addr;
	s->rdma_left = c->left;
	if (!c->left)
		ne2k_interrupt(s, NE_RDC);
}

/* One item of the data port; nothing in it changes but the cursor. */
static uint32_t read_item(const struct ne2k *s, struct cursor *c, unsigned int size)
{
	unsigned int width = s->dcr & DCR_WTS ? 2 : 1, at;
	uint32_t v = 0;

	size = MIN(size, 4u);
	/* A byte-wide chip drives the low lane only; a byte read in word mode takes its word away. */
	for (at = 0; at < size && c->left; at += width) {
		uint16_t addr = width == 2 ? c->addr & 0xfffe : c->addr;

		v |= (uint32_t)ne2k_mem_read(s, addr) << at * 8;
		if (width == 2 && at + 1 < size)
			v |= (uint32_t)ne2k_mem_read(s, (uint16_t)(addr + 1)) << (at + 1) * 8;
		advance(s, c, width);
		if (width == 1 && size == 2)
			break;
	}
	return v;
}

uint32_t ne2k_data_read(struct ne2k *s, unsigned int size)
{
	struct cursor c = remote_at(s, NE_RD_READ);
	uint32_t v;

	if (!c.left)
		return 0;
	v = read_item(s, &c, size);
	remote_moved(s, &c);
	return v;
}

unsigned int ne2k_data_ahead(const struct ne2k *s, unsigned int size, uint8_t *items,
			     unsigned int max)
{
	struct cursor c = remote_at(s, NE_RD_READ);
	unsigned int n;

	for (n = 0; n < max; n++) {
		uint32_t v = read_item(s, &c, size);

		if (!c.left)
			break;
		store_le(items + n * size, v, size);
	}
	return n;
}

void ne2k_data_write(struct ne2k *s, uint32_t v, unsigned int size)
{
	unsigned int width = s->dcr & DCR_WTS ? 2 : 1, at;
	struct cursor c = remote_at(s, NE_RD_WRITE);

	if (!c.left)
		return;
	for (at = 0; at < size && c.left; at += width) {
		uint16_t addr = width == 2 ? c.addr & 0xfffe : c.addr;

		ne2k_mem_write(s, addr, (uint8_t)(v >> at * 8));
		if (width == 2 && at + 1 < size)
			ne2k_mem_write(s, (uint16_t)(addr + 1), (uint8_t)(v >> (at + 1) * 8));
		advance(s, &c, width);
		if (width == 1 && size == 2)
			break;
	}
	remote_moved(s, &c);
}
