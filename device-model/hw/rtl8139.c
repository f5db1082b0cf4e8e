/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RTL8139C+: registers, interrupt, timer, reset, PCI function. Registers have no side effects when
 * read, so a read of any size is cut from whole dwords; a write is merged into the dword by byte
 * lanes. Not there: wake-up, CardBus function events, flash, early receive interrupts. See rtl8139.h.
 */
#include "hw/rtl8139.h"

#include <errno.h>
#include <stdlib.h>

#include "core/bus.h"
#include "core/device.h"
#include "core/dma.h"
#include "core/log.h"
#include "core/machine.h"
#include "core/options.h"
#include "core/util.h"
#include "hw/nic_rom.h"

#define RTL_IO_SIZE   256
#define RTL_REVISION  0x20 /* 0x20 and later are C+ for drivers */
#define BMCR_RESET    0x8000
#define BMCR_DEFAULT  0x1000 /* autonegotiation */
#define BMCR_WRITABLE 0x3100
#define BMSR_BASE     0x7849 /* all of 10/100, autonegotiation, extended registers */
#define BMSR_LINK     0x0024 /* negotiation complete, link */
#define ANAR_DEFAULT  0x05e1 /* all of 10/100, pause, 802.3 */
#define ANLPAR_100FD  0x45e1 /* the partner can as much, and acknowledged */
#define DTCCR_DUMP    0x08
#define TALLY_BYTES   64

/* Registers by dword (chapter 5). */
enum rtl_register {
	REG_IDR = 0x00,
	REG_MAR = 0x08,
	REG_TSD = 0x10, /* C+: DTCCR */
	REG_TSAD = 0x20,
	REG_RBSTART = 0x30,
	REG_ERBCR = 0x34, /* ERSR, CR */
	REG_CAPR = 0x38,  /* CBR */
	REG_IMR = 0x3c,	  /* ISR */
	REG_TCR = 0x40,
	REG_RCR = 0x44,
	REG_TCTR = 0x48,
	REG_MPC = 0x4c,
	REG_9346CR = 0x50, /* CONFIG0, CONFIG1 */
	REG_TIMERINT = 0x54,
	REG_MSR = 0x58,	   /* CONFIG3, CONFIG4 */
	REG_MULINT = 0x5c, /* RERID */
	REG_TSADS = 0x60,  /* BMCR */
	REG_BMSR = 0x64,   /* ANAR */
	REG_ANLPAR = 0x68, /* ANER */
	REG_CSCR = 0x74,
	REG_CONFIG5 = 0xd8, /* TPPoll */
	REG_CPCR = 0xe0,
	REG_RDSAR = 0xe4,
	REG_ETTHR = 0xec,
};

static const uint8_t config_defaults[6] = { 0x00, 0x0c, 0x00, 0x00, 0x00, 0x00 };
static const uint8_t config_writable[6] = { 0x00, 0xf3, 0x00, 0x61, 0xff, 0xff };

static void update_irq(struct rtl8139 *s)
{
	pci_set_intx(&s->pci, s->isr & s->imr);
}

void rtl_interrupt(struct rtl8139 *s, uint16_t bits)
{
	s->isr |= bits;
	update_irq(s);
}

void rtl_set_mac(struct rtl8139 *s, const uint8_t *mac)
{
	s->idr[0] = get_le32(mac);
	s->idr[1] = get_le16(mac + 4);
}

static uint32_t tctr(const struct rtl8139 *s)
{
	return (uint32_t)((clock_ns() - s->timer_base_ns) / RTL_TIMER_NS);
}

/* The next time that TCTR has the value of TIMERINT; it wraps after 129 seconds. */
static void timer_arm(struct rtl8139 *s)
{
	uint64_t count = (clock_ns() - s->timer_base_ns) / RTL_TIMER_NS;
	uint64_t target = (count & ~0xffffffffull) | s->timer_int;

	if (!s->timer_int) {
		dm_timer_cancel(&s->timer);
		return;
	}
	if (target <= count)
		target += 1ull << 32;
	dm_timer_set_ns(&s->timer, s->timer_base_ns + target * RTL_TIMER_NS);
}

static void timer_expired(void *opaque)
{
	struct rtl8139 *s = opaque;

	rtl_interrupt(s, INT_TIMEOUT);
	timer_arm(s);
}

static void retry_expired(void *opaque)
{
	net_ready(((struct rtl8139 *)opaque)->net);
}

/* CR.RST (5.4): addresses, filter and configuration stay. */
static void soft_reset(struct rtl8139 *s)
{
	unsigned int i;

	for (i = 0; i < 4; i++) {
		s->tsd[i] = TSD_OWN;
		s->tsad[i] = 0;
	}
	memset(s->dtccr, 0, sizeof(s->dtccr));
	memset(s->rdsar, 0, sizeof(s->rdsar));
	memset(s->tx_index, 0, sizeof(s->tx_index));
	memset(&s->tally, 0, sizeof(s->tally));
	s->rbstart = s->rx_read = s->rx_write = 0;
	s->rcr = 0;
	s->tcr = TCR_VERSION_8139CP;
	s->imr = s->isr = s->cpcr = s->mulint = 0;
	s->cr = 0;
	s->tx_entry = s->rx_index = 0;
	s->tx_threshold = 0;
	s->timer_int = 0;
	s->timer_base_ns = clock_ns();
	s->missed = 0;
	s->rx_stalled = false;
	dm_timer_cancel(&s->timer);
	dm_timer_cancel(&s->retry);
	update_irq(s);
	net_ready(s->net);
}

static void phy_reset(struct rtl8139 *s)
{
	s->bmcr = BMCR_DEFAULT;
	s->anar = ANAR_DEFAULT;
}

static void autoload(struct rtl8139 *s)
{
	uint8_t mac[ETH_ALEN];

	rtl_eeprom_mac(&s->eeprom, mac);
	rtl_set_mac(s, mac);
	memcpy(s->config, config_defaults, sizeof(s->config));
}

static void rtl_reset(void *opaque)
{
	struct rtl8139 *s = opaque;

	soft_reset(s);
	phy_reset(s);
	autoload(s);
	memset(s->mar, 0, sizeof(s->mar));
	s->cr93 = 0;
	rtl_eeprom_pins(&s->eeprom, false, false, false);
}

static bool config_unlocked(const struct rtl8139 *s)
{
	return (s->cr93 & CR93_MODE) == CR93_CONFIG;
}

static uint32_t cr9346_read(const struct rtl8139 *s)
{
	uint8_t v = s->cr93;

	if ((v & CR93_MODE) == CR93_PROGRAM)
		v |= s->eeprom.out ? CR93_EEDO : 0;
	return v | (uint32_t)s->config[0] << 8 | (uint32_t)s->config[1] << 16;
}

static void cr9346_write(struct rtl8139 *s, uint8_t v)
{
	s->cr93 = v & (CR93_MODE | CR93_EECS | CR93_EESK | CR93_EEDI);
	if ((v & CR93_MODE) == CR93_PROGRAM) {
		rtl_eeprom_pins(&s->eeprom, v & CR93_EECS, v & CR93_EESK, v & CR93_EEDI);
		return;
	}
	rtl_eeprom_pins(&s->eeprom, false, false,
			false); /* the pins are not the host's in other modes */
	if ((v & CR93_MODE) == CR93_AUTOLOAD) {
		autoload(s);
		s->cr93 = 0; /* back to normal mode when done */
	}
}

static void config_write(struct rtl8139 *s, unsigned int i, uint8_t v)
{
	if (!config_unlocked(s))
		return;
	s->config[i] = (uint8_t)((s->config[i] & ~config_writable[i]) | (v & config_writable[i]));
}

/* Summary of all four TSDs (5.16). */
static uint16_t tsads(const struct rtl8139 *s)
{
	unsigned int i;
	uint16_t v = 0;

	for (i = 0; i < 4; i++) {
		v |= s->tsd[i] & TSD_OWN ? 0x0001 << i : 0;
		v |= s->tsd[i] & TSD_TABT ? 0x0010 << i : 0;
		v |= s->tsd[i] & TSD_TUN ? 0x0100 << i : 0;
		v |= s->tsd[i] & TSD_TOK ? 0x1000 << i : 0;
	}
	return v;
}

static uint8_t media_status(const struct rtl8139 *s)
{
	return net_link_up(s->net) ? 0xd0 : 0xd4; /* flow control both ways, 100 Mbit/s, LINKB */
}

static bool cplus(const struct rtl8139 *s)
{
	return s->cpcr & (CPCR_TX | CPCR_RX);
}

static uint32_t low_read(const struct rtl8139 *s, unsigned int reg)
{
	switch (reg) {
	case REG_IDR:
	case REG_IDR + 4:
		return s->idr[reg >> 2];
	case REG_MAR:
	case REG_MAR + 4:
		return s->mar[reg >> 2 & 1];
	case REG_TSD:
	case REG_TSD + 4:
		return cplus(s) ? s->dtccr[reg >> 2 & 1] : s->tsd[reg >> 2 & 3];
	case REG_TSD + 8:
	case REG_TSD + 12:
		return s->tsd[reg >> 2 & 3];
	case REG_RBSTART:
		return s->rbstart;
	case REG_ERBCR:
		return (uint32_t)(s->cr | (rtl_rx_ring_empty(s) ? CR_BUFE : 0)) << 24;
	case REG_CAPR:
		return ((s->rx_read - 16) & 0xffff) | s->rx_write << 16;
	case REG_IMR:
		return s->imr | (uint32_t)s->isr << 16;
	default:
		return s->tsad[reg >> 2 & 3];
	}
}

static uint32_t high_read(const struct rtl8139 *s, unsigned int reg)
{
	switch (reg) {
	case REG_TCR:
		return s->tcr;
	case REG_RCR:
		return s->rcr;
	case REG_TCTR:
		return tctr(s);
	case REG_MPC:
		return s->missed;
	case REG_9346CR:
		return cr9346_read(s);
	case REG_TIMERINT:
		return s->timer_int;
	case REG_MSR:
		return media_status(s) | (uint32_t)s->config[3] << 8 | (uint32_t)s->config[4] << 16;
	case REG_MULINT:
		return s->mulint | 0x10u << 16;
	case REG_TSADS:
		return tsads(s) | (uint32_t)s->bmcr << 16;
	case REG_BMSR:
		return BMSR_BASE | (net_link_up(s->net) ? BMSR_LINK : 0) | (uint32_t)s->anar << 16;
	case REG_ANLPAR:
		return net_link_up(s->net) ? ANLPAR_100FD | 1u << 16 : 0;
	case REG_CSCR:
		return s->cscr | (net_link_up(s->net) ? 0x0400 : 0);
	case REG_CONFIG5:
		return s->config[5];
	case REG_CPCR:
		return s->cpcr;
	case REG_RDSAR:
	case REG_RDSAR + 4:
		return s->rdsar[(reg - REG_RDSAR) >> 2];
	case REG_ETTHR:
		return s->tx_threshold;
	default:
		return 0;
	}
}

static uint32_t reg_read(const struct rtl8139 *s, unsigned int reg)
{
	return reg < REG_TCR ? low_read(s, reg) : high_read(s, reg);
}

static uint64_t rtl_read(void *opaque, uint64_t offset, unsigned int size)
{
	const struct rtl8139 *s = opaque;
	unsigned int reg = offset & 0xfc, shift = (offset & 3) * 8;
	uint64_t v = reg_read(s, reg);

	if (shift + size * 8 > 32)
		v |= (uint64_t)reg_read(s, (reg + 4) & 0xfc) << 32;
	return v >> shift;
}

/* The counters as of now, at the guest's address (5.5). */
static void tally_dump(struct rtl8139 *s)
{
	uint8_t b[TALLY_BYTES];
	const struct rtl_tally *t = &s->tally;

	store_le(b, t->tx_ok, 8);
	store_le(b + 8, t->rx_ok, 8);
	store_le(b + 16, t->tx_err, 8);
	store_le(b + 24, t->rx_err, 4);
	store_le(b + 28, t->miss, 2);
	store_le(b + 30, t->fae, 2);
	store_le(b + 32, t->tx_1col, 4);
	store_le(b + 36, t->tx_mcol, 4);
	store_le(b + 40, t->rx_ok_phy, 8);
	store_le(b + 48, t->rx_ok_brd, 8);
	store_le(b + 56, t->rx_ok_mul, 4);
	store_le(b + 60, t->tx_abt, 2);
	store_le(b + 62, t->tx_undrn, 2);
	if (!pci_bus_master(&s->pci) ||
	    dma_write(s->m, rtl_addr64(s->dtccr) & ~63ull, b, sizeof(b)))
		rtl_interrupt(s, INT_SERR);
	s->dtccr[0] &= ~(uint32_t)DTCCR_DUMP;
}

static void tsd_write(struct rtl8139 *s, unsigned int i, uint32_t v, uint32_t mask)
{
	if (cplus(s) && i < 2) {
		s->dtccr[i] = (s->dtccr[i] & ~mask) | (v & mask);
		if (!i && v & mask & DTCCR_DUMP)
			tally_dump(s);
		return;
	}
	v = (s->tsd[i] & ~mask) | (v & mask);
	s->tsd[i] = v & (TSD_SIZE | TSD_OWN | TSD_ERTXTH); /* the rest is reset by any write */
	if (!(v & TSD_OWN) && !cplus(s))
		rtl_tx_c_mode(s);
}

static void rx_ring_reset(struct rtl8139 *s)
{
	s->rx_read = s->rx_write = 0;
}

static void cr_write(struct rtl8139 *s, uint8_t v)
{
	uint8_t rises = (uint8_t)(v & ~s->cr);

	if (v & CR_RST) {
		soft_reset(s);
		return;
	}
	s->cr = v & (CR_RE | CR_TE);
	if (rises & CR_RE) {
		rx_ring_reset(s);
		s->rx_index = 0;
		s->rx_stalled = false;
		net_ready(s->net);
	}
	if (rises & CR_TE) {
		s->tx_entry = 0;
		memset(s->tx_index, 0, sizeof(s->tx_index));
	}
}

static void capr_write(struct rtl8139 *s, uint16_t v)
{
	s->rx_read = (v + 16u) & (rtl_ring_size(s) - 1);
	net_ready(s->net);
}

static void low_write(struct rtl8139 *s, unsigned int reg, uint32_t v, uint32_t mask)
{
	uint32_t *p;

	switch (reg) {
	case REG_IDR:
	case REG_IDR + 4:
		p = &s->idr[reg >> 2];
		*p = (*p & ~mask) | (v & mask);
		s->idr[1] &= 0xffff;
		break;
	case REG_MAR:
	case REG_MAR + 4:
		p = &s->mar[reg >> 2 & 1];
		*p = (*p & ~mask) | (v & mask);
		break;
	case REG_TSD:
	case REG_TSD + 4:
	case REG_TSD + 8:
	case REG_TSD + 12:
		tsd_write(s, reg >> 2 & 3, v, mask);
		break;
	case REG_RBSTART:
		s->rbstart = (s->rbstart & ~mask) | (v & mask);
		rx_ring_reset(s);
		break;
	case REG_ERBCR:
		if (mask >> 24)
			cr_write(s, (uint8_t)(v >> 24));
		break;
	case REG_CAPR:
		if (mask & 0xffff)
			capr_write(s,
				   (uint16_t)((((s->rx_read - 16) & ~mask) | (v & mask)) & 0xffff));
		break;
	case REG_IMR:
		s->imr = (uint16_t)(((s->imr & ~mask) | (v & mask)) & INT_ALL);
		s->isr &= (uint16_t) ~((v & mask) >> 16);
		update_irq(s);
		net_ready(s->net);
		break;
	default:
		p = &s->tsad[reg >> 2 & 3];
		*p = (*p & ~mask) | (v & mask);
		if (cplus(s))
			s->tx_index[reg >> 3 & 1] = 0;
		break;
	}
}

static void rcr_write(struct rtl8139 *s, uint32_t v)
{
	uint32_t old = rtl_ring_size(s);

	s->rcr = v & RCR_WRITABLE;
	if (rtl_ring_size(s) != old)
		rx_ring_reset(s);
}

static void tcr_write(struct rtl8139 *s, uint32_t v)
{
	s->tcr = (v & TCR_WRITABLE) | TCR_VERSION_8139CP;
}

static void bmcr_write(struct rtl8139 *s, uint16_t v)
{
	if (v & BMCR_RESET)
		phy_reset(s);
	else
		s->bmcr = v & BMCR_WRITABLE;
}

static void cpcr_write(struct rtl8139 *s, uint16_t v)
{
	s->cpcr = v & CPCR_WRITABLE;
	net_ready(s->net);
}

static void tppoll_write(struct rtl8139 *s, uint8_t v)
{
	if (v & TPPOLL_HPQ)
		rtl_tx_cplus(s, 1);
	if (v & TPPOLL_NPQ)
		rtl_tx_cplus(s, 0);
	if (v & TPPOLL_FSW)
		rtl_interrupt(s, INT_SW);
}

static void high_write(struct rtl8139 *s, unsigned int reg, uint32_t v, uint32_t mask)
{
	uint32_t merged = (reg_read(s, reg) & ~mask) | (v & mask);

	switch (reg) {
	case REG_TCR:
		tcr_write(s, merged);
		break;
	case REG_RCR:
		rcr_write(s, merged);
		break;
	case REG_TCTR:
		s->timer_base_ns = clock_ns();
		timer_arm(s);
		break;
	case REG_MPC:
		s->missed = 0;
		break;
	case REG_9346CR:
		if (mask & 0xff)
			cr9346_write(s, (uint8_t)v);
		if (mask >> 16 & 0xff)
			config_write(s, 1, (uint8_t)(v >> 16));
		break;
	case REG_TIMERINT:
		s->timer_int = merged;
		timer_arm(s);
		break;
	case REG_MSR:
		if (mask >> 8 & 0xff)
			config_write(s, 3, (uint8_t)(v >> 8));
		if (mask >> 16 & 0xff)
			config_write(s, 4, (uint8_t)(v >> 16));
		break;
	case REG_MULINT:
		s->mulint = merged & 0x0fff;
		break;
	case REG_TSADS:
		if (mask >> 16)
			bmcr_write(s, (uint16_t)(merged >> 16));
		break;
	case REG_BMSR:
		s->anar = (uint16_t)(merged >> 16);
		break;
	case REG_CSCR:
		s->cscr = (uint16_t)(merged & 0x83f0);
		break;
	case REG_CONFIG5:
		if (mask & 0xff)
			config_write(s, 5, (uint8_t)v);
		if (mask >> 8 & 0xff)
			tppoll_write(s, (uint8_t)(v >> 8));
		break;
	case REG_CPCR:
		if (mask & 0xffff)
			cpcr_write(s, (uint16_t)merged);
		break;
	case REG_RDSAR:
	case REG_RDSAR + 4:
		s->rdsar[(reg - REG_RDSAR) >> 2] = merged;
		s->rx_index = 0;
		break;
	case REG_ETTHR:
		s->tx_threshold = merged & 0x3f;
		break;
	default:
		break;
	}
}

static void reg_write(struct rtl8139 *s, unsigned int reg, uint32_t v, uint32_t mask)
{
	if (!mask)
		return;
	if (reg < REG_TCR)
		low_write(s, reg, v, mask);
	else
		high_write(s, reg, v, mask);
}

static void rtl_write(void *opaque, uint64_t offset, uint64_t value, unsigned int size)
{
	struct rtl8139 *s = opaque;
	unsigned int reg = offset & 0xfc, shift = (offset & 3) * 8;
	uint64_t mask = (size == 8 ? ~0ull : (1ull << size * 8) - 1) << shift;

	reg_write(s, reg, (uint32_t)(value << shift), (uint32_t)mask);
	if (shift + size * 8 > 32)
		reg_write(s, (reg + 4) & 0xfc, (uint32_t)(value << shift >> 32),
			  (uint32_t)(mask >> 32));
}

static const struct io_ops rtl_ops = { .read = rtl_read, .write = rtl_write };

/* Where the four descriptors' packets are: nothing happens before the status is written. */
static void placed(struct pci_device *dev, uint64_t addr)
{
	pio_post_writes(dev->m, (uint32_t)addr + REG_TSAD, 16);
}

/* In loopback mode the wire is not heard. */
static bool rtl_receive(void *opaque, const uint8_t *frame, size_t len)
{
	struct rtl8139 *s = opaque;

	return rtl_loopback(s) || rtl_rx_frame(s, frame, len);
}

static void rtl_link_changed(void *opaque, bool up)
{
	rtl_interrupt(opaque, INT_LINK);
}

static void rtl_unplug(void *opaque)
{
	struct rtl8139 *s = opaque;

	dm_timer_cancel(&s->timer);
	dm_timer_cancel(&s->retry);
	pci_unregister(&s->pci);
	machine_off_reset(s->m, s);
	save_unregister(s->m, s);
	free(s);
}

static const struct net_nic_ops rtl_nic_ops = { rtl_receive, rtl_link_changed, rtl_unplug };

static const struct pci_ids rtl_ids = {
	.vendor = 0x10ec,
	.device = 0x8139,
	.revision = RTL_REVISION,
	.class_device = 0x0200,
	.int_pin = 1,
};

void rtl_loaded(struct rtl8139 *s)
{
	update_irq(s);
	timer_arm(s);
	net_ready(s->net);
}

static int rtl_create(struct machine *m, const struct opt_nic *o, unsigned int instance)
{
	struct rtl8139 *s = xzalloc(sizeof(*s));
	int slot = nic_slot(m, o), rc;

	s->m = m;
	s->net = net_open(m, o, &rtl_nic_ops, s);
	if (!s->net)
		return -EINVAL;
	pci_device_init(&s->pci, m, "rtl8139", PCI_DEVFN(slot, 0), &rtl_ids, s);
	pci_add_bar(&s->pci, 0, PCI_BAR_IO, RTL_IO_SIZE, &rtl_ops, placed);
	pci_add_bar(&s->pci, 1, PCI_BAR_MEM32, RTL_IO_SIZE, &rtl_ops, NULL);
	rc = nic_add_rom(&s->pci, o, "pxe-rtl8139.rom");
	if (!rc)
		rc = pci_register(&s->pci);
	if (rc)
		return rc;
	dm_timer_init(&s->timer, DM_CLOCK_GUEST, timer_expired, s);
	dm_timer_init(&s->retry, DM_CLOCK_GUEST, retry_expired, s);
	rtl_eeprom_init(&s->eeprom, net_mac(s->net));
	machine_on_reset(m, rtl_reset, s);
	save_register(m, &rtl_save_ops, instance, s);
	return 0;
}

static int rtl_init(struct machine *m)
{
	unsigned int i;
	int rc = 0;

	for (i = 0; i < m->opt->nr_nics && !rc; i++)
		if (!strcmp(m->opt->nics[i].model, "rtl8139"))
			rc = rtl_create(m, &m->opt->nics[i], i);
	return rc;
}
DEVICE(DEVICE_PCI, rtl8139, rtl_init);
