/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RTL8139C+ ("RTL8139C(L)+ Datasheet", Realtek, rev. 1.6; C mode: "RTL8139C(L)" rev. 1.4): registers
 * and state that its files share. rtl8139.c has the registers, _rx.c and _tx.c the two directions in
 * C and C+ mode, _offload.c checksums and segmentation, _eeprom.c the 93C46, _save.c the record.
 */
#ifndef DM_HW_RTL8139_H
#define DM_HW_RTL8139_H

#include <stdbool.h>
#include <stdint.h>

#include "core/pci.h"
#include "core/save.h"
#include "core/timer.h"
#include "net/net.h"

struct io_region;

enum rtl_cr { CR_BUFE = 0x01, CR_TE = 0x04, CR_RE = 0x08, CR_RST = 0x10 };

enum rtl_interrupt {
	INT_ROK = 0x0001,
	INT_RER = 0x0002,
	INT_TOK = 0x0004,
	INT_TER = 0x0008,
	INT_RXOVW = 0x0010, /* C+: no receive descriptor */
	INT_LINK = 0x0020,
	INT_TDU = 0x0080, /* C+: no transmit descriptor left */
	INT_SW = 0x0100,
	INT_TIMEOUT = 0x4000,
	INT_SERR = 0x8000,
};
#define INT_ALL 0xe1ff

enum rtl_tsd {
	TSD_SIZE = 0x1fff,
	TSD_OWN = 1 << 13,
	TSD_TUN = 1 << 14,
	TSD_TOK = 1 << 15,
	TSD_ERTXTH = 0x3f << 16,
	TSD_TABT = 1 << 30,
};
#define TSD_CRS	      (1u << 31)
#define TSD_MAX_BYTES 1792 /* 5.3: more invalidates the queue */

enum rtl_tcr {
	TCR_CLRABT = 1 << 0,
	TCR_CRC = 1 << 16, /* the frame brings its own FCS */
	TCR_LOOPBACK = 3 << 17,
	TCR_VERSION = 0x7cc00000,
	TCR_VERSION_8139CP = 0x74800000,
	TCR_WRITABLE = 0x030f07f0,
};

enum rtl_rcr {
	RCR_AAP = 1 << 0,
	RCR_APM = 1 << 1,
	RCR_AM = 1 << 2,
	RCR_AB = 1 << 3,
	RCR_AR = 1 << 4,
	RCR_WRAP = 1 << 7,
	RCR_RBLEN_SHIFT = 11,
	RCR_WRITABLE = 0x0f03ffff & ~0x40, /* 9356SEL is of the EEPROM */
};

/* Status word before each frame in the C ring (5.1). */
enum rtl_rx_status {
	RX_ROK = 0x0001,
	RX_RUNT = 0x0010,
	RX_BAR = 0x2000,
	RX_PAM = 0x4000,
	RX_MAR = 0x8000,
};

enum rtl_9346cr {
	CR93_EEDO = 0x01,
	CR93_EEDI = 0x02,
	CR93_EESK = 0x04,
	CR93_EECS = 0x08,
	CR93_MODE = 0xc0,
	CR93_AUTOLOAD = 0x40,
	CR93_PROGRAM = 0x80,
	CR93_CONFIG = 0xc0, /* configuration registers are writable */
};

enum rtl_cpcr {
	CPCR_TX = 0x0001,
	CPCR_RX = 0x0002,
	CPCR_RXCHKSUM = 0x0020,
	CPCR_RXVLAN = 0x0040,
	CPCR_WRITABLE = 0x03ff,
};

enum rtl_tppoll { TPPOLL_FSW = 0x01, TPPOLL_NPQ = 0x40, TPPOLL_HPQ = 0x80 };

/* C+ descriptors (6.1, 6.3): 16 bytes, first dword. */
#define DESC_OWN	 (1u << 31)
#define DESC_EOR	 (1u << 30)
#define DESC_FS		 (1u << 29)
#define DESC_LS		 (1u << 28)
#define DESC_SIZE	 16
#define RING_ENTRIES	 64 /* at most, with or without EOR */

#define RTL_RX_MAX	 4092 /* longer frames are not buffered by the chip */
#define RTL_TX_MAX	 (65536 + 64)
#define RTL_TIMER_NS	 30 /* TCTR counts PCI clocks */
#define RTL_EEPROM_WORDS 64

struct rtl_eeprom {
	uint16_t word[RTL_EEPROM_WORDS];
	bool clock, select, out;
	bool write_enabled;
	uint8_t phase; /* enum in rtl8139_eeprom.c */
	uint8_t bits;  /* shifted so far in this phase */
	uint8_t address;
	uint16_t shift;
};

/* Counters of the tally dump, in the order of 5.5 (DTCCR). */
struct rtl_tally {
	uint64_t tx_ok, rx_ok, tx_err;
	uint32_t rx_err;
	uint16_t miss, fae;
	uint32_t tx_1col, tx_mcol;
	uint64_t rx_ok_phy, rx_ok_brd;
	uint32_t rx_ok_mul;
	uint16_t tx_abt, tx_undrn;
};

struct rtl8139 {
	struct pci_device pci;
	struct machine *m;
	struct net *net;
	struct dm_timer timer; /* of TIMERINT */
	struct dm_timer retry; /* C+ has no doorbell for new receive descriptors */
	uint64_t timer_base_ns;

	uint32_t idr[2], mar[2];
	uint32_t tsd[4], dtccr[2];
	uint32_t tsad[4]; /* C: buffer addresses; C+: normal and high priority ring */
	uint32_t rbstart;
	uint32_t rx_read, rx_write; /* offsets in the C ring: CAPR + 16, CBR */
	uint32_t rdsar[2];
	uint32_t tcr, rcr, timer_int, missed;
	uint16_t imr, isr, cpcr, mulint;
	uint16_t bmcr, anar, cscr;
	uint8_t cr, cr93, config[6], tx_threshold;
	uint8_t tx_entry;    /* C: next TSD */
	uint8_t tx_index[2]; /* C+: next entry of the normal and high priority ring */
	uint8_t rx_index;
	bool rx_stalled; /* a frame waits for room; the guest has been told */
	struct rtl_eeprom eeprom;
	struct rtl_tally tally;
	uint8_t rx_buf[4 + RTL_RX_MAX + 4]; /* header, frame, FCS */
	uint8_t tx_buf[RTL_TX_MAX];
};

static inline uint32_t rtl_ring_size(const struct rtl8139 *s)
{
	return 8192u << (s->rcr >> RCR_RBLEN_SHIFT & 3);
}

static inline bool rtl_loopback(const struct rtl8139 *s)
{
	return (s->tcr & TCR_LOOPBACK) == TCR_LOOPBACK;
}

static inline uint64_t rtl_addr64(const uint32_t reg[2])
{
	return reg[0] | (uint64_t)reg[1] << 32;
}

/* Set bits of ISR and let the line follow. */
void rtl_interrupt(struct rtl8139 *s, uint16_t bits);
void rtl_set_mac(struct rtl8139 *s, const uint8_t *mac);

/* From the wire or from loopback. False: no room, come again after net_ready(). */
bool rtl_rx_frame(struct rtl8139 *s, const uint8_t *frame, size_t len);
bool rtl_rx_ring_empty(const struct rtl8139 *s);

void rtl_tx_c_mode(struct rtl8139 *s);
void rtl_tx_cplus(struct rtl8139 *s, unsigned int queue);
/* One whole frame to the wire, or back in loopback mode. */
void rtl_tx_out(struct rtl8139 *s, const uint8_t *frame, size_t len);

/* Transmit descriptor bits that ask for work of rtl_offload. */
#define TXD_LGSEN     (1u << 27)
#define TXD_MSS_SHIFT 16
#define TXD_MSS_MASK  0x7ffu
#define TXD_IPCS      (1u << 18)
#define TXD_UDPCS     (1u << 17)
#define TXD_TCPCS     (1u << 16)
#define TXD_TAGC      (1u << 17) /* second dword */
/* Checksums, segments, tag as the descriptor says; out gets each frame. */
void rtl_offload(uint8_t *frame, size_t len, uint32_t dword0, uint32_t dword1,
		 void (*out)(void *opaque, const uint8_t *frame, size_t len), void *opaque);

/* What a received frame's checksums look like. */
enum rtl_rx_check {
	RXCHK_TCP = 1 << 16,
	RXCHK_UDP = 2 << 16,
	RXCHK_IP = 3 << 16,
	RXCHK_IPF = 1 << 15,
	RXCHK_UDPF = 1 << 14,
	RXCHK_TCPF = 1 << 13,
};
uint32_t rtl_check_frame(const uint8_t *frame, size_t len);

void rtl_eeprom_init(struct rtl_eeprom *e, const uint8_t *mac);
/* The four pins; returns EEDO. */
bool rtl_eeprom_pins(struct rtl_eeprom *e, bool select, bool clock, bool in);
void rtl_eeprom_mac(const struct rtl_eeprom *e, uint8_t mac[ETH_ALEN]);

extern const struct save_ops rtl_save_ops;
/* After a restore: line, timer and window follow the registers. */
void rtl_loaded(struct rtl8139 *s);

#endif
