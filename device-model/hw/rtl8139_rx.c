/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Receiving: address filter (datasheet 5.7), the C mode's ring of bytes (5.1) and the C+ mode's
 * descriptors (6.3, 6.4). A frame for which there is no room stays with the wire; the guest gets the
 * overflow interrupt once.
 */
#include <zlib.h>

#include "core/dma.h"
#include "core/log.h"
#include "core/util.h"
#include "hw/rtl8139.h"

#define FCS_BYTES     4
#define RETRY_NS      NS_PER_MS
#define RXD_MAR	      (1u << 26)
#define RXD_PAM	      (1u << 25)
#define RXD_BAR	      (1u << 24)
#define RXD_RES	      (1u << 20)
#define RXD_RUNT      (1u << 19)
#define RXD_SIZE      0x1fffu
#define RXD_TAVA      (1u << 16) /* second dword: a tag was taken out */
#define ETHERTYPE_TAG 0x8100

struct rx_desc {
	uint64_t gpa;
	uint32_t dword0;
	uint64_t buffer;
	uint8_t index;
};

/* The upper six bits of the FCS over the address choose a bit of MAR. */
static bool hash_match(const struct rtl8139 *s, const uint8_t *frame)
{
	/* crc32() gives the bits of the FCS in the reverse order. */
	uint32_t crc = (uint32_t)crc32(0, frame, ETH_ALEN), hash = 0, i;

	for (i = 0; i < 6; i++)
		hash |= (crc >> i & 1) << (5 - i);
	/* As zlib leaves the FCS inverted; the hash is of the plain remainder. */
	hash ^= 0x3f;
	return s->mar[hash >> 5] >> (hash & 31) & 1;
}

/* The header's address bits, or 0 when the frame is not for this card. */
static uint16_t classify(const struct rtl8139 *s, const uint8_t *frame, bool *accept)
{
	static const uint8_t broadcast[ETH_ALEN] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	uint8_t mac[8];

	*accept = s->rcr & RCR_AAP;
	if (!memcmp(frame, broadcast, ETH_ALEN)) {
		*accept |= s->rcr & RCR_AB || (s->rcr & RCR_AM && hash_match(s, frame));
		return RX_BAR;
	}
	if (frame[0] & 1) {
		*accept |= s->rcr & RCR_AM && hash_match(s, frame);
		return RX_MAR;
	}
	put_le32(mac, s->idr[0]);
	put_le32(mac + 4, s->idr[1]);
	if (memcmp(frame, mac, ETH_ALEN))
		return 0;
	*accept |= (s->rcr & RCR_APM) != 0;
	return RX_PAM;
}

static void count_accepted(struct rtl8139 *s, uint16_t status)
{
	s->tally.rx_ok++;
	if (status & RX_BAR)
		s->tally.rx_ok_brd++;
	else if (status & RX_MAR)
		s->tally.rx_ok_mul++;
	else
		s->tally.rx_ok_phy++;
}

bool rtl_rx_ring_empty(const struct rtl8139 *s)
{
	return s->rx_read == s->rx_write;
}

/* Copy into the ring at rx_write; past the end, or round it, as RCR.WRAP says. */
static void ring_write(struct rtl8139 *s, const uint8_t *p, uint32_t len)
{
	uint32_t size = rtl_ring_size(s), first = MIN(len, size - s->rx_write);

	if (s->rcr & RCR_WRAP && size < 65536)
		first = len;
	if (dma_write(s->m, (uint64_t)s->rbstart + s->rx_write, p, first) ||
	    (first < len && dma_write(s->m, s->rbstart, p + first, len - first)))
		log_guest("rtl8139: the receive ring at 0x%x is not all RAM", s->rbstart);
}

/* rx_buf holds header, frame and FCS. */
static bool store_c_mode(struct rtl8139 *s, size_t len, uint16_t status)
{
	uint32_t size = rtl_ring_size(s), free = (s->rx_read - s->rx_write) & (size - 1);
	uint32_t bytes = (uint32_t)(4 + len + FCS_BYTES), step = (bytes + 3) & ~3u;

	if (free && step >= free)
		return false;
	put_le16(s->rx_buf, status);
	put_le16(s->rx_buf + 2, (uint16_t)(len + FCS_BYTES));
	ring_write(s, s->rx_buf, bytes);
	s->rx_write = (s->rx_write + step) & (size - 1);
	return true;
}

static bool desc_read(struct rtl8139 *s, unsigned int index, struct rx_desc *d)
{
	uint8_t raw[DESC_SIZE];

	d->index = (uint8_t)index;
	d->gpa = (rtl_addr64(s->rdsar) & ~255ull) + index * DESC_SIZE;
	if (dma_read(s->m, d->gpa, raw, sizeof(raw))) {
		rtl_interrupt(s, INT_SERR);
		return false;
	}
	d->dword0 = get_le32(raw);
	d->buffer = get_le32(raw + 8) | (uint64_t)get_le32(raw + 12) << 32;
	return d->dword0 & DESC_OWN;
}

/* Enough descriptors for bytes, read once; 0 when there are not. */
static unsigned int desc_gather(struct rtl8139 *s, struct rx_desc *d, size_t bytes)
{
	unsigned int n = 0, index = s->rx_index;
	size_t room = 0;

	while (n < RING_ENTRIES && room < bytes) {
		if (!desc_read(s, index, &d[n]))
			return 0;
		room += d[n].dword0 & RXD_SIZE;
		index = d[n].dword0 & DESC_EOR ? 0 : (index + 1) % RING_ENTRIES;
		n++;
	}
	return room < bytes ? 0 : n;
}

static void desc_finish(struct rtl8139 *s, const struct rx_desc *d, uint32_t dword0,
			uint32_t dword1)
{
	uint8_t raw[8];

	put_le32(raw, dword0 | (d->dword0 & DESC_EOR));
	put_le32(raw + 4, dword1);
	dma_write(s->m, d->gpa, raw, sizeof(raw));
	s->rx_index = d->dword0 & DESC_EOR ? 0 : (d->index + 1) % RING_ENTRIES;
}

static uint32_t cplus_flags(uint16_t status)
{
	uint32_t flags = status & RX_BAR ? RXD_BAR : status & RX_MAR ? RXD_MAR : 0;

	flags |= status & RX_PAM ? RXD_PAM : 0;
	return flags | (status & RX_RUNT ? RXD_RUNT | RXD_RES : 0);
}

/* rx_buf + 4 holds frame and FCS. */
static bool store_cplus(struct rtl8139 *s, size_t len, uint16_t status)
{
	uint8_t *p = s->rx_buf + 4;
	uint32_t flags = cplus_flags(status), dword1 = 0;
	struct rx_desc d[RING_ENTRIES];
	size_t bytes, at = 0;
	unsigned int n, i;

	if (s->cpcr & CPCR_RXCHKSUM)
		flags |= rtl_check_frame(p, len);
	if (s->cpcr & CPCR_RXVLAN && get_be16(p + 12) == ETHERTYPE_TAG) {
		dword1 = RXD_TAVA | get_le16(p + 14);
		memmove(p + 4, p, 2 * ETH_ALEN);
		p += 4;
		len -= 4;
	}
	bytes = len + FCS_BYTES;
	n = desc_gather(s, d, bytes);
	for (i = 0; i < n; i++) {
		size_t part = MIN(bytes - at, d[i].dword0 & RXD_SIZE);
		bool last = i + 1 == n;

		dma_write(s->m, d[i].buffer, p + at, part);
		at += part;
		desc_finish(s, &d[i],
			    (i ? 0 : DESC_FS) |
				    (last ? DESC_LS | flags | (uint32_t)bytes : (uint32_t)part),
			    last ? dword1 : 0);
	}
	return n;
}

static bool no_room(struct rtl8139 *s, bool cplus)
{
	if (!s->rx_stalled)
		rtl_interrupt(s, INT_RXOVW);
	s->rx_stalled = true;
	if (cplus)
		dm_timer_set_ns(&s->retry, clock_ns() + RETRY_NS);
	return false;
}

bool rtl_rx_frame(struct rtl8139 *s, const uint8_t *frame, size_t len)
{
	bool cplus = s->cpcr & CPCR_RX, accept, runt = len < ETH_MIN_FRAME;
	uint16_t status;

	if (!(s->cr & CR_RE) || !pci_bus_master(&s->pci) || len < ETH_HEADER)
		return true;
	status = classify(s, frame, &accept);
	if (!accept)
		return true;
	if (len > RTL_RX_MAX || (runt && !(s->rcr & RCR_AR))) {
		s->tally.rx_err++;
		return true;
	}
	memcpy(s->rx_buf + 4, frame, len);
	put_le32(s->rx_buf + 4 + len, (uint32_t)crc32(0, frame, (unsigned int)len));
	status |= runt ? RX_RUNT : RX_ROK;
	if (cplus ? !store_cplus(s, len, status) : !store_c_mode(s, len, status))
		return no_room(s, cplus);
	s->rx_stalled = false;
	count_accepted(s, status);
	rtl_interrupt(s, INT_ROK);
	return true;
}
