/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NE2000: a DP8390 ("DP8390D/NS32490D NIC Network Interface Controller", National Semiconductor, July
 * 1995), its 32 KiB of buffer memory and the station address PROM. ne2k.c has the chip, ne2k_dma.c the
 * memory behind it, ne2k_bus.c the ISA and PCI ("RTL8029AS", Realtek, 1997) cards.
 */
#ifndef DM_HW_NE2K_H
#define DM_HW_NE2K_H

#include <stdbool.h>
#include <stdint.h>

#include "core/save.h"
#include "net/net.h"

#define NE2K_PORTS     0x20
#define NE2K_DATA_PORT 0x10 /* to 0x17; 0x18-0x1f reset the card */
#define NE2K_PROM      32
#define NE2K_RAM_START 0x4000
#define NE2K_RAM_END   0xc000
#define NE2K_FIFO      8

enum ne2k_cr {
	NE_STP = 0x01,
	NE_STA = 0x02,
	NE_TXP = 0x04,
	NE_RD_MASK = 0x38,
	NE_RD_READ = 0x08,
	NE_RD_WRITE = 0x10,
	NE_RD_ABORT = 0x20,
};

enum ne2k_isr {
	NE_PRX = 0x01,
	NE_PTX = 0x02,
	NE_RXE = 0x04,
	NE_TXE = 0x08,
	NE_OVW = 0x10,
	NE_CNT = 0x20,
	NE_RDC = 0x40,
	NE_RST = 0x80,
};

struct ne2k {
	struct net *net;
	void (*set_irq)(struct ne2k *s, bool level);
	bool pci; /* the RTL8029's extra registers */

	uint8_t cr, isr, imr, dcr, rcr, tcr, tsr, rsr, ncr;
	uint8_t pstart, pstop, bnry, curr, tpsr;
	uint16_t tbcr, rsar, rbcr;
	uint16_t crda, rdma_left; /* of the running remote DMA */
	uint8_t par[6], mar[8];
	uint8_t tally[3]; /* CNTR0-2: alignment, FCS, missed */
	uint8_t fifo[NE2K_FIFO], fifo_at;
	uint8_t prom[NE2K_PROM];
	uint8_t ram[NE2K_RAM_END - NE2K_RAM_START];
	bool stalled; /* a frame waits for room */
};

uint8_t ne2k_read(struct ne2k *s, unsigned int reg);
void ne2k_write(struct ne2k *s, unsigned int reg, uint8_t v);
void ne2k_interrupt(struct ne2k *s, uint8_t bits);
/* The card's reset line; the PROM keeps the address. */
void ne2k_reset(struct ne2k *s);
void ne2k_set_prom(struct ne2k *s, const uint8_t *mac);
bool ne2k_receive(struct ne2k *s, const uint8_t *frame, size_t len);

/* Card memory as the chip sees it. Addresses that nothing answers read as 0xff. */
uint8_t ne2k_mem_read(const struct ne2k *s, uint16_t addr);
void ne2k_mem_copy(const struct ne2k *s, uint16_t addr, uint8_t *out, size_t len);
void ne2k_mem_write(struct ne2k *s, uint16_t addr, uint8_t v);
/* Into the receive ring, from page bytes on, round its end. Returns the address after it. */
uint16_t ne2k_ring_write(struct ne2k *s, uint16_t addr, const uint8_t *p, size_t len);
/* Through the data port: one item of 1, 2 or 4 bytes. */
uint32_t ne2k_data_read(struct ne2k *s, unsigned int size);
/*
 * What the next reads of size bytes (1, 2 or 4) will get, at most max items, but not the one that ends the
 * transfer. Returns how many there are.
 */
unsigned int ne2k_data_ahead(const struct ne2k *s, unsigned int size, uint8_t *items,
			     unsigned int max);
void ne2k_data_write(struct ne2k *s, uint32_t v, unsigned int size);

extern const struct save_ops ne2k_save_ops;

#endif
