/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saved state. No frame is ever half sent or received between two events, so registers, ring
 * positions, EEPROM and counters are all.
 */
#include <errno.h>

#include "core/util.h"
#include "hw/rtl8139.h"

static const struct save_field eeprom_fields[] = {
	SAVE_ARRAY(struct rtl_eeprom, word),
	SAVE(struct rtl_eeprom, clock),
	SAVE(struct rtl_eeprom, select),
	SAVE(struct rtl_eeprom, out),
	SAVE(struct rtl_eeprom, write_enabled),
	SAVE(struct rtl_eeprom, phase, .max = 4),
	SAVE(struct rtl_eeprom, bits, .max = 15),
	SAVE(struct rtl_eeprom, address, .max = RTL_EEPROM_WORDS - 1),
	SAVE(struct rtl_eeprom, shift),
	SAVE_END,
};

static const struct save_field tally_fields[] = {
	SAVE(struct rtl_tally, tx_ok),
	SAVE(struct rtl_tally, rx_ok),
	SAVE(struct rtl_tally, tx_err),
	SAVE(struct rtl_tally, rx_err),
	SAVE(struct rtl_tally, tx_abt),
	SAVE(struct rtl_tally, rx_ok_phy),
	SAVE(struct rtl_tally, rx_ok_brd),
	SAVE(struct rtl_tally, rx_ok_mul),
	SAVE_END,
};

static const struct save_field rtl_fields[] = {
	SAVE_ARRAY(struct rtl8139, idr),
	SAVE_ARRAY(struct rtl8139, mar),
	SAVE_ARRAY(struct rtl8139, tsd),
	SAVE_ARRAY(struct rtl8139, tsad),
	SAVE_ARRAY(struct rtl8139, dtccr),
	SAVE_ARRAY(struct rtl8139, rdsar),
	SAVE(struct rtl8139, rbstart),
	SAVE(struct rtl8139, rx_read),
	SAVE(struct rtl8139, rx_write),
	SAVE(struct rtl8139, tcr),
	SAVE(struct rtl8139, rcr),
	SAVE(struct rtl8139, timer_int),
	SAVE_AGE(struct rtl8139, timer_base_ns),
	SAVE(struct rtl8139, missed),
	SAVE(struct rtl8139, imr),
	SAVE(struct rtl8139, isr),
	SAVE(struct rtl8139, cpcr),
	SAVE(struct rtl8139, mulint),
	SAVE(struct rtl8139, bmcr),
	SAVE(struct rtl8139, anar),
	SAVE(struct rtl8139, cscr),
	SAVE(struct rtl8139, cr),
	SAVE(struct rtl8139, cr93),
	SAVE_ARRAY(struct rtl8139, config),
	SAVE(struct rtl8139, tx_threshold),
	SAVE(struct rtl8139, tx_entry, .max = 3),
	SAVE_ARRAY(struct rtl8139, tx_index, .max = RING_ENTRIES - 1),
	SAVE(struct rtl8139, rx_index, .max = RING_ENTRIES - 1),
	SAVE_PART(struct rtl8139, eeprom, eeprom_fields),
	SAVE_PART(struct rtl8139, tally, tally_fields),
	SAVE_END,
};

static int rtl_restored(void *obj, uint32_t version)
{
	struct rtl8139 *s = obj;

	if (s->rx_read >= rtl_ring_size(s) || s->rx_write >= rtl_ring_size(s) ||
	    (s->rx_write & 3) || (s->tcr & TCR_VERSION) != TCR_VERSION_8139CP ||
	    (s->cr & ~(CR_RE | CR_TE)))
		return -EINVAL;
	rtl_loaded(s);
	return 0;
}

const struct save_ops rtl_save_ops = { "rtl8139", 1, rtl_fields, .loaded = rtl_restored };
