/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sending: the C mode's four descriptors (datasheet 5.2, 5.3) and the C+ mode's two rings (6.1, 6.2).
 * A frame is sent inside the register access that starts it, so the guest finds it done at once.
 */
#include "core/dma.h"
#include "core/log.h"
#include "core/util.h"
#include "hw/rtl8139.h"

#define FCS_BYTES	4
#define TXD_SIZE	0xffffu
#define TXD_STATUS_MASK 0x0fff0000u

struct tx_desc {
	uint64_t gpa;
	uint32_t dword0, dword1;
	uint64_t buffer;
};

static void send_one(void *opaque, const uint8_t *frame, size_t len)
{
	rtl_tx_out(opaque, frame, len);
}

void rtl_tx_out(struct rtl8139 *s, const uint8_t *frame, size_t len)
{
	/* With TCR.CRC the driver's FCS is in the frame; the wire here has none. */
	if (s->tcr & TCR_CRC && len > FCS_BYTES)
		len -= FCS_BYTES;
	s->tally.tx_ok++;
	if (!rtl_loopback(s))
		net_send(s->net, frame, len);
	else if (!rtl_rx_frame(s, frame, len))
		s->missed = (s->missed + 1) & 0xffffff;
}

static bool c_mode_send(struct rtl8139 *s, uint32_t *tsd, uint32_t tsad)
{
	uint32_t size = *tsd & TSD_SIZE;

	if (size > TSD_MAX_BYTES) {
		*tsd |= TSD_TABT | TSD_OWN;
		s->tally.tx_abt++;
		s->tally.tx_err++;
		rtl_interrupt(s, INT_TER);
		return false;
	}
	if (dma_read(s->m, tsad, s->tx_buf, size)) {
		log_guest("rtl8139: a frame of %u bytes at 0x%x is not in RAM", size, tsad);
		*tsd |= TSD_OWN;
		rtl_interrupt(s, INT_SERR);
		return false;
	}
	*tsd |= TSD_OWN | TSD_TOK | (net_link_up(s->net) ? 0 : TSD_CRS);
	if (size)
		rtl_tx_out(s, s->tx_buf, size);
	return true;
}

void rtl_tx_c_mode(struct rtl8139 *s)
{
	bool sent = false;
	unsigned int i;

	for (i = 0; i < 4 && s->cr & CR_TE && pci_bus_master(&s->pci); i++) {
		unsigned int entry = s->tx_entry;

		if (s->tsd[entry] & TSD_OWN)
			break;
		s->tx_entry = (entry + 1) & 3;
		sent |= c_mode_send(s, &s->tsd[entry], s->tsad[entry]);
	}
	if (sent)
		rtl_interrupt(s, INT_TOK);
}

static bool desc_read(struct rtl8139 *s, uint64_t ring, unsigned int index, struct tx_desc *d)
{
	uint8_t raw[DESC_SIZE];

	d->gpa = ring + index * DESC_SIZE;
	if (dma_read(s->m, d->gpa, raw, sizeof(raw))) {
		rtl_interrupt(s, INT_SERR);
		return false;
	}
	d->dword0 = get_le32(raw);
	d->dword1 = get_le32(raw + 4);
	d->buffer = get_le32(raw + 8) | (uint64_t)get_le32(raw + 12) << 32;
	return d->dword0 & DESC_OWN;
}

/*
 * The descriptors of one whole frame, each read once. 0: the ring has none, or only the beginning of
 * one, which stays where it is until the guest has added the rest.
 */
static unsigned int frame_gather(struct rtl8139 *s, uint64_t ring, unsigned int index,
				 struct tx_desc *d)
{
	unsigned int n;

	for (n = 0; n < RING_ENTRIES; n++) {
		if (!desc_read(s, ring, index, &d[n]))
			return 0;
		if (d[n].dword0 & DESC_LS)
			return n + 1;
		index = d[n].dword0 & DESC_EOR ? 0 : (index + 1) % RING_ENTRIES;
	}
	log_guest("rtl8139: a transmit ring without a last segment");
	return 0;
}

/* Returns the frame's bytes, 0 when it is longer than the chip's limits or not in RAM. */
static size_t frame_read(struct rtl8139 *s, const struct tx_desc *d, unsigned int n)
{
	size_t len = 0;
	unsigned int i;

	for (i = 0; i < n; i++) {
		size_t part = d[i].dword0 & TXD_SIZE;

		if (len + part > sizeof(s->tx_buf))
			return 0;
		if (dma_read(s->m, d[i].buffer, s->tx_buf + len, part))
			return 0;
		len += part;
	}
	return len;
}

static void frame_send(struct rtl8139 *s, const struct tx_desc *d, unsigned int n)
{
	size_t len = frame_read(s, d, n);

	if (len < ETH_HEADER) {
		s->tally.tx_err++;
		rtl_interrupt(s, INT_TER);
		return;
	}
	rtl_offload(s->tx_buf, len, d[0].dword0, d[0].dword1, send_one, s);
}

static void frame_finish(struct rtl8139 *s, const struct tx_desc *d, unsigned int n,
			 unsigned int queue)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		uint8_t raw[4];

		put_le32(raw, d[i].dword0 & ~(DESC_OWN | TXD_STATUS_MASK));
		dma_write(s->m, d[i].gpa, raw, sizeof(raw));
		s->tx_index[queue] =
			d[i].dword0 & DESC_EOR ? 0 : (s->tx_index[queue] + 1) % RING_ENTRIES;
	}
}

/*
 * What the ring holds now, at most each entry once: in loopback the frame itself may be written over
 * the ring, and another CPU of the guest may refill it for ever.
 */
void rtl_tx_cplus(struct rtl8139 *s, unsigned int queue)
{
	uint64_t ring = rtl_addr64(&s->tsad[queue * 2]) & ~255ull;
	struct tx_desc d[RING_ENTRIES];
	unsigned int done = 0, n;

	if (!(s->cpcr & CPCR_TX) || !(s->cr & CR_TE) || !pci_bus_master(&s->pci))
		return;
	while (done < RING_ENTRIES && (n = frame_gather(s, ring, s->tx_index[queue], d))) {
		frame_send(s, d, n);
		frame_finish(s, d, n, queue);
		done += n;
	}
	rtl_interrupt(s, (done ? INT_TOK : 0) | INT_TDU);
}
