/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the C+ mode does for IPv4 (datasheet 6.2, 6.4; RFC 791, 793, 768, 1071): header and payload
 * checksums, large send, VLAN tag (IEEE 802.1Q). Frames of anything else pass unchanged. Pure logic.
 */
#include "core/util.h"
#include "hw/rtl8139.h"

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_VLAN 0x8100
#define VLAN_BYTES     4
#define IP_MIN_HEADER  20
#define TCP_MIN_HEADER 20
#define TCP_MAX_HEADER 60
#define UDP_HEADER     8
#define IP_MAX_HEADER  60
#define PROTO_TCP      6
#define PROTO_UDP      17
#define MSS_MIN	       64 /* below, one descriptor would cost thousands of frames */

enum tcp_flag { TCP_FIN = 0x01, TCP_PSH = 0x08, TCP_CWR = 0x80 };

struct ip_frame {
	uint8_t *ip;
	size_t ip_header; /* bytes */
	size_t l4_bytes;  /* header and data behind it */
	uint8_t protocol;
	bool fragment;
};

static uint64_t sum_add(uint64_t sum, const uint8_t *p, size_t len)
{
	size_t i;

	for (i = 0; i + 1 < len; i += 2)
		sum += get_be16(p + i);
	return len & 1 ? sum + ((uint64_t)p[len - 1] << 8) : sum;
}

static uint16_t sum_fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* The lengths of the headers are the guest's or the network's: nothing outside len is believed. */
static bool ip_parse(struct ip_frame *f, const uint8_t *frame, size_t len, size_t at)
{
	size_t total;

	if (len < at + IP_MIN_HEADER || get_be16(frame + at - 2) != ETHERTYPE_IPV4 ||
	    frame[at] >> 4 != 4)
		return false;
	f->ip = (uint8_t *)(uintptr_t)frame + at;
	f->ip_header = (size_t)(frame[at] & 0xf) * 4;
	total = get_be16(f->ip + 2);
	if (f->ip_header < IP_MIN_HEADER || at + f->ip_header > len || total < f->ip_header ||
	    at + total > len)
		return false;
	f->l4_bytes = total - f->ip_header;
	f->protocol = f->ip[9];
	f->fragment = get_be16(f->ip + 6) & 0x3fff; /* more fragments, or not the first */
	return true;
}

static uint16_t l4_sum(const uint8_t *ip, const uint8_t *l4, size_t bytes)
{
	uint64_t sum = sum_add(0, ip + 12, 8) + ip[9] + bytes;

	return sum_fold(sum_add(sum, l4, bytes));
}

static void set_ip_sum(uint8_t *ip, size_t header)
{
	put_be16(ip + 10, 0);
	put_be16(ip + 10, sum_fold(sum_add(0, ip, header)));
}

static void set_l4_sum(const struct ip_frame *f, uint32_t dword0)
{
	uint8_t *l4 = f->ip + f->ip_header;
	uint16_t sum;

	if (f->fragment)
		return;
	if (dword0 & TXD_TCPCS && f->protocol == PROTO_TCP && f->l4_bytes >= TCP_MIN_HEADER) {
		put_be16(l4 + 16, 0);
		put_be16(l4 + 16, l4_sum(f->ip, l4, f->l4_bytes));
	} else if (dword0 & TXD_UDPCS && f->protocol == PROTO_UDP && f->l4_bytes >= UDP_HEADER) {
		put_be16(l4 + 6, 0);
		sum = l4_sum(f->ip, l4, f->l4_bytes);
		put_be16(l4 + 6, sum ? sum : 0xffff); /* 0 means none (RFC 768) */
	}
}

struct out {
	void (*cb)(void *opaque, const uint8_t *frame, size_t len);
	void *opaque;
	uint32_t dword1;
};

/* The descriptor holds the tag as it goes over the wire. */
static void out_frame(const struct out *o, const uint8_t *frame, size_t len)
{
	uint8_t tagged[2048];

	if (!(o->dword1 & TXD_TAGC) || len < ETH_HEADER || len + VLAN_BYTES > sizeof(tagged)) {
		o->cb(o->opaque, frame, len);
		return;
	}
	memcpy(tagged, frame, 2 * ETH_ALEN);
	put_be16(tagged + 12, ETHERTYPE_VLAN);
	put_le16(tagged + 14, (uint16_t)o->dword1);
	memcpy(tagged + 16, frame + 12, len - 12);
	o->cb(o->opaque, tagged, len + VLAN_BYTES);
}

/* One segment: headers of the original with its own lengths, numbers, flags and checksums. */
static void segment_out(const struct out *o, const struct ip_frame *f, const uint8_t *frame,
			size_t headers, size_t at, size_t bytes, size_t index)
{
	uint8_t seg[ETH_HEADER + IP_MAX_HEADER + TCP_MAX_HEADER + TXD_MSS_MASK];
	uint8_t *ip = seg + (f->ip - frame), *tcp = ip + f->ip_header;
	size_t tcp_bytes = headers - (size_t)(tcp - seg) + bytes;
	bool last = (size_t)(f->ip - frame) + f->ip_header + f->l4_bytes == headers + at + bytes;

	memcpy(seg, frame, headers);
	memcpy(seg + headers, frame + headers + at, bytes);
	put_be16(ip + 2, (uint16_t)(f->ip_header + tcp_bytes));
	put_be16(ip + 4, (uint16_t)(get_be16(ip + 4) + index));
	set_ip_sum(ip, f->ip_header);
	put_be32(tcp + 4, get_be32(tcp + 4) + (uint32_t)at);
	if (!last)
		tcp[13] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
	if (index)
		tcp[13] &= (uint8_t)~TCP_CWR;
	put_be16(tcp + 16, 0);
	put_be16(tcp + 16, l4_sum(ip, tcp, tcp_bytes));
	out_frame(o, seg, headers + bytes);
}

/* Large send (6.2.1). False: not a TCP segment that can be cut. */
static bool segments_out(const struct out *o, const struct ip_frame *f, const uint8_t *frame,
			 size_t mss)
{
	const uint8_t *tcp = f->ip + f->ip_header;
	size_t tcp_header, headers, data, at, index = 0;

	if (f->fragment || f->protocol != PROTO_TCP || f->l4_bytes < TCP_MIN_HEADER)
		return false;
	tcp_header = (size_t)(tcp[12] >> 4) * 4;
	if (tcp_header < TCP_MIN_HEADER || tcp_header > f->l4_bytes)
		return false;
	headers = (size_t)(tcp - frame) + tcp_header;
	data = f->l4_bytes - tcp_header;
	mss = MAX(mss, MSS_MIN);
	for (at = 0; at < data || !at; at += mss)
		segment_out(o, f, frame, headers, at, MIN(mss, data - at), index++);
	return true;
}

/*
 * A large send may be longer than an IPv4 total length can say; drivers then leave 0 or what fits.
 * The frame's own length counts.
 */
static bool ip_parse_large(struct ip_frame *f, const uint8_t *frame, size_t len)
{
	uint8_t *ip = (uint8_t *)(uintptr_t)frame + ETH_HEADER;

	if (len < ETH_HEADER + IP_MIN_HEADER || get_be16(frame + 12) != ETHERTYPE_IPV4 ||
	    ip[0] >> 4 != 4)
		return false;
	*f = (struct ip_frame){ .ip = ip,
				.ip_header = (size_t)(ip[0] & 0xf) * 4,
				.protocol = ip[9],
				.fragment = get_be16(ip + 6) & 0x3fff };
	if (f->ip_header < IP_MIN_HEADER || ETH_HEADER + f->ip_header > len)
		return false;
	f->l4_bytes = len - ETH_HEADER - f->ip_header;
	return true;
}

void rtl_offload(uint8_t *frame, size_t len, uint32_t dword0, uint32_t dword1,
		 void (*out)(void *opaque, const uint8_t *frame, size_t len), void *opaque)
{
	const struct out o = { out, opaque, dword1 };
	struct ip_frame f;

	if (dword0 & TXD_LGSEN) {
		size_t mss = dword0 >> TXD_MSS_SHIFT & TXD_MSS_MASK;

		if (mss && ip_parse_large(&f, frame, len) && segments_out(&o, &f, frame, mss))
			return;
	} else if (dword0 & (TXD_IPCS | TXD_TCPCS | TXD_UDPCS) &&
		   ip_parse(&f, frame, len, ETH_HEADER)) {
		if (dword0 & TXD_IPCS)
			set_ip_sum(f.ip, f.ip_header);
		set_l4_sum(&f, dword0);
	}
	out_frame(&o, frame, len);
}

uint32_t rtl_check_frame(const uint8_t *frame, size_t len)
{
	size_t at = get_be16(frame + 12) == ETHERTYPE_VLAN ? ETH_HEADER + VLAN_BYTES : ETH_HEADER;
	struct ip_frame f;
	const uint8_t *l4;
	uint32_t ip_fail;

	if (!ip_parse(&f, frame, len, at))
		return 0;
	ip_fail = sum_fold(sum_add(0, f.ip, f.ip_header)) ? RXCHK_IPF : 0;
	l4 = f.ip + f.ip_header;
	if (f.fragment)
		return RXCHK_IP | ip_fail;
	if (f.protocol == PROTO_TCP && f.l4_bytes >= TCP_MIN_HEADER)
		return RXCHK_TCP | ip_fail | (l4_sum(f.ip, l4, f.l4_bytes) ? RXCHK_TCPF : 0);
	if (f.protocol == PROTO_UDP && f.l4_bytes >= UDP_HEADER)
		return RXCHK_UDP | ip_fail |
		       (get_be16(l4 + 6) && l4_sum(f.ip, l4, f.l4_bytes) ? RXCHK_UDPF : 0);
	return RXCHK_IP | ip_fail;
}
