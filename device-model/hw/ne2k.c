/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The DP8390: registers in pages (datasheet section 10), transmission, reception into the ring of
 * 256-byte pages, address filter, loopback (section 12). The send-packet command is not there; alignment
 * and FCS errors never happen. See ne2k.h.
 */
#include "hw/ne2k.h"

#include <errno.h>
#include <zlib.h>

#include "core/util.h"

#define PAGE_BYTES	256
#define HEADER_BYTES	4
#define FCS_BYTES	4
#define NE2K_MAX_FRAME	1792 /* longer ones would not fit what drivers set up */
#define RTL8029_ID0	0x50
#define RTL8029_ID1	0x43
#define RTL8029_CONFIG2 0x40 /* 10BASE-T with link test */
#define RTL8029_CONFIG3 0x40 /* full duplex */

enum ne2k_rcr { RCR_AR = 0x02, RCR_AB = 0x04, RCR_AM = 0x08, RCR_PRO = 0x10, RCR_MON = 0x20 };
enum ne2k_tcr { TCR_CRC = 0x01, TCR_LB_SHIFT = 1 };
enum ne2k_tsr { TSR_PTX = 0x01 };
enum ne2k_rsr { RSR_PRX = 0x01, RSR_CRC = 0x02, RSR_PHY = 0x20, RSR_DIS = 0x40 };

/* Registers of page 0; the same offset is another register when written. */
enum ne2k_register {
	REG_CR = 0x0,
	REG_PSTART = 0x1, /* read: CLDA0 */
	REG_PSTOP = 0x2,  /* CLDA1 */
	REG_BNRY = 0x3,
	REG_TPSR = 0x4,	 /* TSR */
	REG_TBCR0 = 0x5, /* NCR */
	REG_TBCR1 = 0x6, /* FIFO */
	REG_ISR = 0x7,
	REG_RSAR0 = 0x8, /* CRDA0 */
	REG_RSAR1 = 0x9, /* CRDA1 */
	REG_RBCR0 = 0xa, /* RTL8029: identity */
	REG_RBCR1 = 0xb,
	REG_RCR = 0xc, /* RSR */
	REG_TCR = 0xd, /* CNTR0 */
	REG_DCR = 0xe, /* CNTR1 */
	REG_IMR = 0xf, /* CNTR2 */
};

static void update_irq(struct ne2k *s)
{
	s->set_irq(s, s->isr & s->imr & 0x7f);
}

void ne2k_interrupt(struct ne2k *s, uint8_t bits)
{
	s->isr |= bits;
	update_irq(s);
}

/* Each byte is there twice, so that the low lane of a word bus has them all. */
void ne2k_set_prom(struct ne2k *s, const uint8_t *mac)
{
	unsigned int i;

	for (i = 0; i < NE2K_PROM; i++)
		s->prom[i] = i < 2 * ETH_ALEN ? mac[i / 2] : i >= 28 ? 0x57 : 0;
}

void ne2k_reset(struct ne2k *s)
{
	s->cr = NE_STP | NE_RD_ABORT;
	s->isr = NE_RST;
	s->imr = 0;
	s->rdma_left = 0;
	s->stalled = false;
	update_irq(s);
	net_ready(s->net);
}

static unsigned int loopback(const struct ne2k *s)
{
	return s->tcr >> TCR_LB_SHIFT & 3;
}

/* As in hw/rtl8139_rx.c: bit by the upper six bits of the FCS over the address (10.0). */
static bool hash_match(const struct ne2k *s, const uint8_t *frame)
{
	uint32_t crc = ~(uint32_t)crc32(0, frame, ETH_ALEN), hash = 0, i;

	for (i = 0; i < 6; i++)
		hash |= (crc >> i & 1) << (5 - i);
	return s->mar[hash >> 3] >> (hash & 7) & 1;
}

/* RSR bits of a frame that is for this card, or 0. */
static uint8_t address_match(const struct ne2k *s, const uint8_t *frame)
{
	static const uint8_t broadcast[ETH_ALEN] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	if (!memcmp(frame, broadcast, ETH_ALEN))
		return s->rcr & RCR_AB ? RSR_PRX | RSR_PHY : 0;
	if (frame[0] & 1)
		return s->rcr & RCR_AM && hash_match(s, frame) ? RSR_PRX | RSR_PHY : 0;
	return s->rcr & RCR_PRO || !memcmp(frame, s->par, ETH_ALEN) ? RSR_PRX : 0;
}

static bool ring_sane(const struct ne2k *s)
{
	return s->pstart < s->pstop && s->curr >= s->pstart && s->curr < s->pstop;
}

/* Pages between CURR and BNRY; CURR == BNRY is an empty ring. */
static unsigned int pages_free(const struct ne2k *s)
{
	unsigned int size = s->pstop - s->pstart;

	return s->curr < s->bnry ? (unsigned int)(s->bnry - s->curr)
				 : size - (unsigned int)(s->curr - s->bnry);
}

static void store(struct ne2k *s, const uint8_t *frame, size_t len, unsigned int pages)
{
	unsigned int next = s->curr + pages, total = (unsigned int)len + FCS_BYTES;
	uint8_t header[HEADER_BYTES], fcs[FCS_BYTES];
	uint16_t addr = (uint16_t)(s->curr << 8);

	if (next >= s->pstop)
		next -= s->pstop - s->pstart;
	header[0] = s->rsr;
	header[1] = (uint8_t)next;
	put_le16(header + 2, (uint16_t)total);
	put_le32(fcs, (uint32_t)crc32(0, frame, (unsigned int)len));
	addr = ne2k_ring_write(s, addr, header, sizeof(header));
	addr = ne2k_ring_write(s, addr, frame, len);
	ne2k_ring_write(s, addr, fcs, sizeof(fcs));
	s->curr = (uint8_t)next;
}

bool ne2k_receive(struct ne2k *s, const uint8_t *frame, size_t len)
{
	unsigned int pages =
		(unsigned int)(len + HEADER_BYTES + FCS_BYTES + PAGE_BYTES - 1) / PAGE_BYTES;
	uint8_t rsr;

	if (!ring_sane(s) || len > NE2K_MAX_FRAME)
		return true;
	/*
	 * After an overflow the driver stops the chip and starts it in loopback (section 7.0), for 10 ms and more.
	 * A real wire loses a frame or two meanwhile; ours would lose all that wait.
	 */
	if (s->cr & NE_STP || loopback(s))
		return !s->stalled;
	rsr = address_match(s, frame);
	if (!rsr)
		return true;
	if (s->rcr & RCR_MON) {
		s->rsr = rsr | RSR_DIS;
		s->tally[2] += s->tally[2] < 0xff;
		return true;
	}
	if (pages >= pages_free(s)) {
		ne2k_interrupt(s, NE_OVW);
		s->stalled = true;
		return false;
	}
	s->stalled = false;
	s->rsr = rsr;
	store(s, frame, len, pages);
	ne2k_interrupt(s, NE_PRX);
	return true;
}

/*
 * Loopback (section 12): the frame and its FCS come back into the FIFO, whose last eight bytes the
 * host reads; nothing reaches the ring. TSR tells how far the frame went.
 */
static void transmit_loopback(struct ne2k *s, const uint8_t *frame, size_t len)
{
	static const uint8_t tsr[4] = { 0, 0x53, 0x43, 0x03 }; /* the table of 12.0 */
	uint8_t fcs[FCS_BYTES];
	unsigned int i;
	bool bad;

	put_le32(fcs, (uint32_t)crc32(0, frame, (unsigned int)len));
	/* With TCR.CRC the frame brings its FCS and the receiver checks it; else it cannot. */
	bad = !(s->tcr & TCR_CRC) || len < FCS_BYTES ||
	      get_le32(frame + len - FCS_BYTES) !=
		      (uint32_t)crc32(0, frame, (unsigned int)len - FCS_BYTES);
	for (i = 0; i < NE2K_FIFO; i++) {
		size_t all = len + (s->tcr & TCR_CRC ? 0 : FCS_BYTES);
		size_t at = all - NE2K_FIFO + i;

		s->fifo[i] = all < NE2K_FIFO ? 0 : at < len ? frame[at] : fcs[at - len];
	}
	s->fifo_at = 0;
	s->tsr = tsr[loopback(s)];
	s->rsr = bad ? RSR_CRC : RSR_PRX;
	ne2k_interrupt(s, bad ? NE_PTX : NE_PTX | NE_PRX);
}

static void transmit(struct ne2k *s)
{
	uint8_t frame[NE2K_MAX_FRAME];
	size_t len = s->tbcr;

	if (len > sizeof(frame)) { /* the medium's limit, and no driver's wish */
		s->tsr = 0;
		ne2k_interrupt(s, NE_TXE);
		return;
	}
	ne2k_mem_copy(s, (uint16_t)(s->tpsr << 8), frame, len);
	if (loopback(s)) {
		transmit_loopback(s, frame, len);
		return;
	}
	if (s->tcr & TCR_CRC && len > FCS_BYTES)
		len -= FCS_BYTES;
	net_send(s->net, frame, len);
	s->tsr = TSR_PTX;
	ne2k_interrupt(s, NE_PTX);
}

static void remote_start(struct ne2k *s)
{
	s->crda = s->rsar;
	s->rdma_left = s->rbcr;
	if (!s->rdma_left)
		ne2k_interrupt(s, NE_RDC);
}

static void command(struct ne2k *s, uint8_t v)
{
	uint8_t dma = v & NE_RD_MASK;

	s->cr = v & (uint8_t)~NE_TXP;
	if (v & NE_STP) {
		s->isr |= NE_RST;
		update_irq(s);
		return;
	}
	if (!(v & NE_STA))
		return;
	s->isr &= (uint8_t)~NE_RST;
	if (dma == NE_RD_READ || dma == NE_RD_WRITE)
		remote_start(s);
	else
		s->rdma_left = 0;
	if (v & NE_TXP)
		transmit(s);
	net_ready(s->net);
}

static uint8_t read_page0(struct ne2k *s, unsigned int reg)
{
	uint8_t v;

	switch (reg) {
	case REG_PSTART:
		return 0;
	case REG_PSTOP:
		return s->curr;
	case REG_BNRY:
		return s->bnry;
	case REG_TPSR:
		return s->tsr;
	case REG_TBCR0:
		return s->ncr;
	case REG_TBCR1:
		v = s->fifo[s->fifo_at];
		s->fifo_at = (s->fifo_at + 1) % NE2K_FIFO;
		return v;
	case REG_ISR:
		return s->isr;
	case REG_RSAR0:
		return (uint8_t)s->crda;
	case REG_RSAR1:
		return s->crda >> 8;
	case REG_RBCR0:
		return s->pci ? RTL8029_ID0 : 0;
	case REG_RBCR1:
		return s->pci ? RTL8029_ID1 : 0;
	case REG_RCR:
		return s->rsr;
	default: /* the tally counters: cleared when read (10.0) */
		v = s->tally[reg - REG_TCR];
		s->tally[reg - REG_TCR] = 0;
		return v;
	}
}

static uint8_t read_page2(const struct ne2k *s, unsigned int reg)
{
	switch (reg) {
	case REG_PSTART:
		return s->pstart;
	case REG_PSTOP:
		return s->pstop;
	case REG_TPSR:
		return s->tpsr;
	case REG_RCR:
		return s->rcr | 0xc0;
	case REG_TCR:
		return s->tcr | 0xe0;
	case REG_DCR:
		return s->dcr | 0x80;
	case REG_IMR:
		return s->imr | 0x80;
	default:
		return 0;
	}
}

static uint8_t read_page3(const struct ne2k *s, unsigned int reg)
{
	if (!s->pci)
		return 0;
	return reg == 5 ? RTL8029_CONFIG2 : reg == 6 ? RTL8029_CONFIG3 : 0;
}

uint8_t ne2k_read(struct ne2k *s, unsigned int reg)
{
	if (reg == REG_CR)
		return s->cr;
	switch (s->cr >> 6) {
	case 0:
		return read_page0(s, reg);
	case 1:
		return reg < 7 ? s->par[reg - 1] : reg == 7 ? s->curr : s->mar[reg - 8];
	case 2:
		return read_page2(s, reg);
	default:
		return read_page3(s, reg);
	}
}

static uint16_t set_low(uint16_t r, uint8_t v)
{
	return (uint16_t)((r & 0xff00) | v);
}

static uint16_t set_high(uint16_t r, uint8_t v)
{
	return (uint16_t)((r & 0xff) | v << 8);
}

static void write_page0(struct ne2k *s, unsigned int reg, uint8_t v)
{
	switch (reg) {
	case REG_PSTART:
		s->pstart = v;
		break;
	case REG_PSTOP:
		s->pstop = v;
		break;
	case REG_BNRY:
		s->bnry = v;
		net_ready(s->net);
		break;
	case REG_TPSR:
		s->tpsr = v;
		break;
	case REG_TBCR0:
		s->tbcr = set_low(s->tbcr, v);
		break;
	case REG_TBCR1:
		s->tbcr = set_high(s->tbcr, v);
		break;
	case REG_ISR:
		s->isr &= (uint8_t) ~(v & 0x7f); /* RST follows the state */
		update_irq(s);
		net_ready(s->net); /* no room yet: OVW again, as the next frame on a wire does */
		break;
	case REG_RSAR0:
		s->rsar = s->crda = set_low(s->rsar, v);
		break;
	case REG_RSAR1:
		s->rsar = s->crda = set_high(s->rsar, v);
		break;
	case REG_RBCR0:
		s->rbcr = set_low(s->rbcr, v);
		break;
	case REG_RBCR1:
		s->rbcr = set_high(s->rbcr, v);
		break;
	case REG_RCR:
		s->rcr = v & 0x3f;
		break;
	case REG_TCR:
		s->tcr = v & 0x1f;
		net_ready(s->net);
		break;
	case REG_DCR:
		s->dcr = v & 0x7f;
		break;
	default:
		s->imr = v & 0x7f;
		update_irq(s);
		break;
	}
}

void ne2k_write(struct ne2k *s, unsigned int reg, uint8_t v)
{
	if (reg == REG_CR) {
		command(s, v);
	} else if (s->cr >> 6 == 0) {
		write_page0(s, reg, v);
	} else if (s->cr >> 6 == 1) {
		if (reg < 7)
			s->par[reg - 1] = v;
		else if (reg == 7)
			s->curr = v;
		else
			s->mar[reg - 8] = v;
	}
}

static int ne2k_loaded(void *obj, uint32_t version)
{
	struct ne2k *s = obj;

	update_irq(s);
	net_ready(s->net);
	return 0;
}

static const struct save_field ne2k_fields[] = {
	SAVE(struct ne2k, cr),	       SAVE(struct ne2k, isr),
	SAVE(struct ne2k, imr),	       SAVE(struct ne2k, dcr),
	SAVE(struct ne2k, rcr),	       SAVE(struct ne2k, tcr),
	SAVE(struct ne2k, tsr),	       SAVE(struct ne2k, rsr),
	SAVE(struct ne2k, pstart),     SAVE(struct ne2k, pstop),
	SAVE(struct ne2k, bnry),       SAVE(struct ne2k, curr),
	SAVE(struct ne2k, tpsr),       SAVE(struct ne2k, fifo_at, .max = NE2K_FIFO - 1),
	SAVE(struct ne2k, tbcr),       SAVE(struct ne2k, rsar),
	SAVE(struct ne2k, rbcr),       SAVE(struct ne2k, crda),
	SAVE(struct ne2k, rdma_left),  SAVE_ARRAY(struct ne2k, par),
	SAVE_ARRAY(struct ne2k, mar),  SAVE_ARRAY(struct ne2k, tally),
	SAVE_ARRAY(struct ne2k, fifo), SAVE_ARRAY(struct ne2k, prom),
	SAVE_ARRAY(struct ne2k, ram),  SAVE_END,
};

const struct save_ops ne2k_save_ops = { "ne2k", 1, ne2k_fields, .loaded = ne2k_loaded };
