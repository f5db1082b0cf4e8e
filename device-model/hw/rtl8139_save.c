/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saved state. No frame is ever half sent or received between two events, so registers, ring
 * positions, EEPROM and counters are all.
 */
#include <errno.h>

#include "core/util.h"
#include "hw/rtl8139.h"

static void save_words(struct save_buf *b, const uint32_t *v, unsigned int n)
{
	while (n--)
		save_u32(b, *v++);
}

static void load_words(struct save_buf *b, uint32_t *v, unsigned int n)
{
	while (n--)
		*v++ = load_u32(b);
}

static void eeprom_save(const struct rtl_eeprom *e, struct save_buf *b)
{
	unsigned int i;

	for (i = 0; i < RTL_EEPROM_WORDS; i++)
		save_u16(b, e->word[i]);
	save_bool(b, e->clock);
	save_bool(b, e->select);
	save_bool(b, e->out);
	save_bool(b, e->write_enabled);
	save_u8(b, e->phase);
	save_u8(b, e->bits);
	save_u8(b, e->address);
	save_u16(b, e->shift);
}

static bool eeprom_load(struct rtl_eeprom *e, struct save_buf *b)
{
	unsigned int i;

	for (i = 0; i < RTL_EEPROM_WORDS; i++)
		e->word[i] = load_u16(b);
	e->clock = load_bool(b);
	e->select = load_bool(b);
	e->out = load_bool(b);
	e->write_enabled = load_bool(b);
	e->phase = load_u8(b);
	e->bits = load_u8(b);
	e->address = load_u8(b);
	e->shift = load_u16(b);
	return e->phase <= 4 && e->bits < 16 && e->address < RTL_EEPROM_WORDS;
}

static void tally_save(const struct rtl_tally *t, struct save_buf *b)
{
	save_u64(b, t->tx_ok);
	save_u64(b, t->rx_ok);
	save_u64(b, t->tx_err);
	save_u32(b, t->rx_err);
	save_u16(b, t->tx_abt);
	save_u64(b, t->rx_ok_phy);
	save_u64(b, t->rx_ok_brd);
	save_u32(b, t->rx_ok_mul);
}

static void tally_load(struct rtl_tally *t, struct save_buf *b)
{
	t->tx_ok = load_u64(b);
	t->rx_ok = load_u64(b);
	t->tx_err = load_u64(b);
	t->rx_err = load_u32(b);
	t->tx_abt = load_u16(b);
	t->rx_ok_phy = load_u64(b);
	t->rx_ok_brd = load_u64(b);
	t->rx_ok_mul = load_u32(b);
}

static void rtl_save(void *opaque, struct save_buf *b)
{
	const struct rtl8139 *s = opaque;

	save_words(b, s->idr, 2);
	save_words(b, s->mar, 2);
	save_words(b, s->tsd, 4);
	save_words(b, s->tsad, 4);
	save_words(b, s->dtccr, 2);
	save_words(b, s->rdsar, 2);
	save_u32(b, s->rbstart);
	save_u32(b, s->rx_read);
	save_u32(b, s->rx_write);
	save_u32(b, s->tcr);
	save_u32(b, s->rcr);
	save_u32(b, s->timer_int);
	save_u64(b, clock_ns() - s->timer_base_ns);
	save_u32(b, s->missed);
	save_u16(b, s->imr);
	save_u16(b, s->isr);
	save_u16(b, s->cpcr);
	save_u16(b, s->mulint);
	save_u16(b, s->bmcr);
	save_u16(b, s->anar);
	save_u16(b, s->cscr);
	save_u8(b, s->cr);
	save_u8(b, s->cr93);
	save_bytes(b, s->config, sizeof(s->config));
	save_u8(b, s->tx_threshold);
	save_u8(b, s->tx_entry);
	save_bytes(b, s->tx_index, sizeof(s->tx_index));
	save_u8(b, s->rx_index);
	eeprom_save(&s->eeprom, b);
	tally_save(&s->tally, b);
}

static bool sane(const struct rtl8139 *s)
{
	return s->rx_read < rtl_ring_size(s) && s->rx_write < rtl_ring_size(s) &&
	       !(s->rx_write & 3) && s->tx_entry < 4 && s->tx_index[0] < RING_ENTRIES &&
	       s->tx_index[1] < RING_ENTRIES && s->rx_index < RING_ENTRIES &&
	       (s->tcr & TCR_VERSION) == TCR_VERSION_8139CP && !(s->cr & ~(CR_RE | CR_TE));
}

static int rtl_load(void *opaque, struct save_buf *b, uint32_t version)
{
	struct rtl8139 *s = opaque;

	load_words(b, s->idr, 2);
	load_words(b, s->mar, 2);
	load_words(b, s->tsd, 4);
	load_words(b, s->tsad, 4);
	load_words(b, s->dtccr, 2);
	load_words(b, s->rdsar, 2);
	s->rbstart = load_u32(b);
	s->rx_read = load_u32(b);
	s->rx_write = load_u32(b);
	s->tcr = load_u32(b);
	s->rcr = load_u32(b);
	s->timer_int = load_u32(b);
	s->timer_base_ns = clock_ns() - load_u64(b);
	s->missed = load_u32(b);
	s->imr = load_u16(b);
	s->isr = load_u16(b);
	s->cpcr = load_u16(b);
	s->mulint = load_u16(b);
	s->bmcr = load_u16(b);
	s->anar = load_u16(b);
	s->cscr = load_u16(b);
	s->cr = load_u8(b);
	s->cr93 = load_u8(b);
	load_bytes(b, s->config, sizeof(s->config));
	s->tx_threshold = load_u8(b);
	s->tx_entry = load_u8(b);
	load_bytes(b, s->tx_index, sizeof(s->tx_index));
	s->rx_index = load_u8(b);
	if (!eeprom_load(&s->eeprom, b) || b->error || !sane(s))
		return -EINVAL;
	tally_load(&s->tally, b);
	rtl_loaded(s);
	return 0;
}

const struct save_ops rtl_save_ops = { "rtl8139", 1, rtl_save, rtl_load };
