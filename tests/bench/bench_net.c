// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * 1514-byte frames through an RTL8139 (data sheet rev. 1.4, sections 5.3-5.7). Sending takes five port
 * accesses. The echo is a ping that the host's kernel answers with a frame of the same size; the payload
 * waits for it in memory, without an exit, and then takes it from the ring with two port accesses. What
 * the host's kernel does for a ping is in it, too.
 */
#include "bench.h"

#define FRAME	  1514
#define RING	  8192 /* RBLEN 0; with WRAP a frame may go on behind it */
#define RX_HEADER 4    /* status and length before each frame */
#define SPINS	  20000000

/* As tests/bench/run sets them up: of the bridge, and the guest's. */
static const u8 host_mac[6] = { 2, 0, 0, 0, 5, 1 };
static const u8 host_ip[4] = { 10, 0, 5, 1 }, our_ip[4] = { 10, 0, 5, 2 };

static u8 frame[2048] __attribute__((aligned(16)));
static u8 ring[RING + 16 + 2048] __attribute__((aligned(16)));
static unsigned int slot, ring_at;
static bool lost;

static void send(u16 io)
{
	outl(io + 0x20 + slot * 4, (ulong)frame);
	outl(io + 0x10 + slot * 4, FRAME);
	while (!(inl(io + 0x10 + slot * 4) & 0xa000)) /* sent, or on its way out of the FIFO */
		cpu_pause();
	inw(io + 0x3e);
	outw(io + 0x3e, 0xffff);
	slot = (slot + 1) & 3;
}

/* RFC 1071 over n bytes. */
static u16 checksum(const u8 *p, unsigned int n)
{
	u32 sum = 0;
	unsigned int i;

	for (i = 0; i < n; i += 2)
		sum += p[i] | p[i + 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (u16)~sum;
}

/* An ICMP echo request of 1500 bytes (RFC 791, 792). */
static void make_ping(const u8 *mac)
{
	u8 *ip = frame + 14, *icmp = ip + 20;
	u16 sum;

	memset(frame, 0, sizeof(frame));
	memcpy(frame, host_mac, 6);
	memcpy(frame + 6, mac, 6);
	frame[12] = 8;
	ip[0] = 0x45;
	ip[2] = 1500 >> 8;
	ip[3] = 1500 & 0xff;
	ip[8] = 64;
	ip[9] = 1;
	memcpy(ip + 12, our_ip, 4);
	memcpy(ip + 16, host_ip, 4);
	sum = checksum(ip, 20);
	memcpy(ip + 10, &sum, 2);
	icmp[0] = 8;
	icmp[4] = 0x42;
	sum = checksum(icmp, 1480);
	memcpy(icmp + 2, &sum, 2);
}

/* Waits for the next frame in the ring and takes it. */
static void receive(u16 io)
{
	volatile u16 *head = (volatile u16 *)(ring + ring_at);
	unsigned int i;

	for (i = 0; i < SPINS && !head[1]; i++)
		cpu_pause();
	if (i == SPINS || head[1] != FRAME + 4 || !(head[0] & 1)) {
		lost = true;
		return;
	}
	ring_at = (ring_at + head[1] + RX_HEADER + 3) & ~3u;
	if (ring_at >= RING)
		ring_at -= RING;
	head[1] = 0;
	((volatile u16 *)(ring + ring_at))[1] = 0;
	outw(io + 0x38, (u16)(ring_at - 16));
	outw(io + 0x3e, 0xffff);
}

static void echo(u16 io)
{
	if (lost)
		return;
	send(io);
	receive(io);
}

static void reset(u16 io)
{
	outb(io + 0x52, 0);
	outb(io + 0x37, 0x10);
	while (inb(io + 0x37) & 0x10)
		cpu_pause();
	outw(io + 0x3c, 0);
	outl(io + 0x30, (ulong)ring);
	outb(io + 0x37, 0xc);
	outl(io + 0x44, 0x82); /* frames for us, WRAP */
}

void bench_net(void)
{
	u32 nic = pci_find(0, ~0u, 0x813910ec);
	u8 mac[6];
	unsigned int i;
	u16 io;

	if (nic == ~0u) {
		print("# no RTL8139\n");
		return;
	}
	io = pci_read(nic, 0x10) & 0xfffc;
	pci_write(nic, 4, (pci_read(nic, 4) & 0xffff) | 5);
	reset(io);
	for (i = 0; i < 6; i++)
		mac[i] = inb(io + i);
	memset(frame, 0xff, 6);
	memcpy(frame + 6, mac, 6); /* a bridge drops what comes from no station */
	frame[12] = 0x88;	   /* local experimental type */
	frame[13] = 0xb5;
	BENCH("rtl8139_send", 16, send(io));
	make_ping(mac);
	BENCH("rtl8139_echo", 16, echo(io));
	if (lost)
		print("BENCH-VOID rtl8139_echo\n");
}
