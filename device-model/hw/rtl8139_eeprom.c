/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Serial EEPROM 93C46 in 64 x 16 organization (Microchip/Atmel AT93C46 datasheet): start bit, two
 * bits of operation, six of address, all on the rising clock edge. Contents as section 4 of the
 * RTL8139C+ datasheet.
 */
#include "core/util.h"
#include "hw/rtl8139.h"

enum eeprom_phase { EEPROM_IDLE, EEPROM_COMMAND, EEPROM_READ, EEPROM_WRITE, EEPROM_WRITE_ALL };

#define COMMAND_BITS 8
#define EEPROM_ID    0x8129

void rtl_eeprom_init(struct rtl_eeprom *e, const uint8_t *mac)
{
	unsigned int i;

	*e = (struct rtl_eeprom){ .out = true };
	e->word[0] = EEPROM_ID;
	e->word[1] = 0x10ec;
	e->word[2] = 0x8139;
	for (i = 0; i < 3; i++)
		e->word[7 + i] = get_le16(mac + i * 2);
}

void rtl_eeprom_mac(const struct rtl_eeprom *e, uint8_t mac[ETH_ALEN])
{
	unsigned int i;

	for (i = 0; i < 3; i++)
		put_le16(mac + i * 2, e->word[7 + i]);
}

static void fill(struct rtl_eeprom *e, uint16_t value)
{
	unsigned int i;

	for (i = 0; i < RTL_EEPROM_WORDS && e->write_enabled; i++)
		e->word[i] = value;
}

static void phase_set(struct rtl_eeprom *e, enum eeprom_phase phase)
{
	e->phase = (uint8_t)phase;
	e->bits = 0;
}

/* Operation 00: the address' upper two bits tell which. */
static void command_extended(struct rtl_eeprom *e)
{
	phase_set(e, EEPROM_IDLE);
	switch (e->address >> 4) {
	case 0: /* EWDS */
		e->write_enabled = false;
		break;
	case 1: /* WRAL */
		phase_set(e, EEPROM_WRITE_ALL);
		break;
	case 2: /* ERAL */
		fill(e, 0xffff);
		break;
	default: /* EWEN */
		e->write_enabled = true;
		break;
	}
}

static void command_run(struct rtl_eeprom *e)
{
	e->address = e->shift & (RTL_EEPROM_WORDS - 1);
	switch (e->shift >> 6 & 3) {
	case 0:
		command_extended(e);
		break;
	case 1:
		phase_set(e, EEPROM_WRITE);
		break;
	case 2:
		phase_set(e, EEPROM_READ);
		e->out = false; /* the dummy bit */
		break;
	default: /* ERASE */
		if (e->write_enabled)
			e->word[e->address] = 0xffff;
		phase_set(e, EEPROM_IDLE);
		break;
	}
}

/* Reading goes on with the next word for as long as the chip is selected. */
static void read_bit(struct rtl_eeprom *e)
{
	e->out = e->word[e->address] >> (15 - e->bits) & 1;
	if (++e->bits < 16)
		return;
	e->bits = 0;
	e->address = (e->address + 1) & (RTL_EEPROM_WORDS - 1);
}

static void write_bit(struct rtl_eeprom *e)
{
	if (++e->bits < 16)
		return;
	if (e->phase == EEPROM_WRITE_ALL)
		fill(e, e->shift);
	else if (e->write_enabled)
		e->word[e->address] = e->shift;
	phase_set(e, EEPROM_IDLE);
	e->out = true; /* ready at once */
}

static void clock_rises(struct rtl_eeprom *e, bool in)
{
	e->shift = (uint16_t)(e->shift << 1 | in);
	switch (e->phase) {
	case EEPROM_IDLE:
		if (in)
			phase_set(e, EEPROM_COMMAND);
		break;
	case EEPROM_COMMAND:
		if (++e->bits == COMMAND_BITS)
			command_run(e);
		break;
	case EEPROM_READ:
		read_bit(e);
		break;
	default:
		write_bit(e);
		break;
	}
}

bool rtl_eeprom_pins(struct rtl_eeprom *e, bool select, bool clock, bool in)
{
	if (!select || !e->select) {
		phase_set(e, EEPROM_IDLE);
		e->out = true;
	}
	if (select && clock && !e->clock)
		clock_rises(e, in);
	e->select = select;
	e->clock = clock;
	return e->out;
}
