/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The floppy controller (Intel 82077AA datasheet, order number 290166) in AT mode at 0x3f0, IRQ 6,
 * DMA channel 2, with two drives. fdc.c has registers, reset and phases, fdc_command.c the commands
 * without data, fdc_data.c those with data, fdc_media.c drives and media seen from the host.
 *
 * What differs from the chip: seeks take no time, a diskette turns as fast as its data is wanted,
 * and after a hardware reset the controller is out of reset, as a BIOS would leave it.
 */
#ifndef DM_HW_FDC_H
#define DM_HW_FDC_H

#include <stdbool.h>
#include <stdint.h>

#include "block/block.h"
#include "core/irq.h"
#include "core/save.h"
#include "core/timer.h"

struct machine;

#define FDC_DRIVES	4u /* that the controller can address; the last two are never there */
#define FDC_SECTOR	512u
#define FDC_N		2u /* the size code of 512 bytes */
#define FDC_MAX_SECTORS 48u
#define FDC_BUF_SIZE	(2 * FDC_MAX_SECTORS * FDC_SECTOR)
#define FDC_FIFO	20u
#define FDC_LAST_TRACK	83u /* where a drive's head hits the stop */
#define FDC_DMA		2u

enum fdc_dor_bit { DOR_DRIVE = 0x03, DOR_NOT_RESET = 0x04, DOR_DMA = 0x08 };
enum fdc_dsr_bit { DSR_RATE = 0x03, DSR_RESET = 0x80 };
enum fdc_msr_bit { MSR_BUSY = 0x10, MSR_NON_DMA = 0x20, MSR_DIO = 0x40, MSR_RQM = 0x80 };
enum fdc_config_bit { CONFIG_NO_POLL = 0x10, CONFIG_NO_FIFO = 0x20, CONFIG_SEEK = 0x40 };

enum fdc_st0_bit {
	ST0_HEAD = 0x04,
	ST0_EC = 0x10,
	ST0_SE = 0x20,
	ST0_ABNORMAL = 0x40,
	ST0_INVALID = 0x80,
	ST0_POLLING = 0xc0,
};
enum fdc_st1_bit { ST1_MA = 0x01, ST1_NW = 0x02, ST1_ND = 0x04, ST1_DE = 0x20, ST1_EN = 0x80 };
enum fdc_st2_bit { ST2_SN = 0x04, ST2_SH = 0x08, ST2_WC = 0x10, ST2_DD = 0x20, ST2_CM = 0x40 };

/* Saved by number, so only append. */
enum fdc_phase {
	FDC_COMMAND,
	FDC_EXEC_BLOCK, /* the image works */
	FDC_EXEC_HOST,	/* bytes between host and buffer, by DMA or through the FIFO */
	FDC_EXEC_ID,	/* READ ID waits for the diskette to turn */
	FDC_RESULT,
};

enum fdc_kind {
	FDC_READ,
	FDC_READ_DELETED,
	FDC_READ_TRACK,
	FDC_WRITE,
	FDC_VERIFY,
	FDC_SCAN_EQUAL,
	FDC_SCAN_LOW,
	FDC_SCAN_HIGH,
	FDC_FORMAT,
};

struct fdc_format {
	uint8_t tracks, heads, sectors;
	uint8_t rate; /* of the CCR */
	uint8_t cmos; /* type of the drive that this medium is made for */
};

struct fdc_drive {
	bool present;
	char *id;
	struct block *blk; /* NULL: no medium */
	struct fdc_format format;
	uint8_t cmos;	  /* 1: 360K, 2: 1.2M, 3: 720K, 4: 1.44M, 5: 2.88M */
	uint8_t track;	  /* where the head is */
	bool changed;	  /* DSKCHG: until a step with a medium */
	uint8_t rotation; /* the sector that passed last */
	uint64_t bytes;	  /* of the medium, for the saved state */
};

/* The data command in progress. */
struct fdc_xfer {
	uint8_t kind, drive;
	bool mt, skip, dma;
	uint8_t c, h, r, n, eot;
	uint8_t last_h, last_r; /* the sector moved last; last_r 0: none yet */
	uint8_t limit;		/* VERIFY with EC: sectors to go + 1; 0: until EOT */
	uint8_t filler;		/* FORMAT */
	uint8_t st2;
	bool tc;
	bool cached;	  /* the buffer has the whole cylinder */
	uint32_t sectors; /* of this chunk */
	uint32_t base;	  /* where it is in the buffer */
	uint32_t pos, len;
};

struct fdc {
	struct machine *m;
	struct fdc_drive drive[FDC_DRIVES];
	struct irq_line irq;
	bool irq_level;
	uint8_t dor, dsr, tdr;
	uint8_t phase;
	uint8_t fifo[FDC_FIFO], fifo_pos, fifo_len;

	/* SENSE INTERRUPT STATUS: what each drive has to say. */
	uint8_t sense_pending, sense_st0[FDC_DRIVES];
	uint8_t pcn[FDC_DRIVES];

	uint8_t specify[2], config, precomp, perpendicular, lock, eot, option, power;

	struct fdc_xfer x;
	uint8_t *buf; /* FDC_BUF_SIZE */
	uint8_t host_buf[FDC_SECTOR];
	struct block_req req;
	bool req_orphan; /* a reset came while the image worked */
	bool x_waits;	 /* a command that waits for an orphan */
	struct dm_timer id_timer;
};

/* fdc.c */
void fdc_irq(struct fdc *s, bool level);
/* Offer fifo[0..len) to the host. */
void fdc_result(struct fdc *s, uint8_t len, bool irq);
void fdc_idle(struct fdc *s);
bool fdc_non_dma(const struct fdc *s);

/* fdc_command.c */
/* How many parameters follow this command byte. */
unsigned int fdc_parameters(uint8_t command);
/* fifo[] has the command and its parameters. */
void fdc_command(struct fdc *s);
void fdc_sense_set(struct fdc *s, unsigned int drive, uint8_t st0);
void fdc_read_id_done(void *opaque);

/* fdc_data.c */
void fdc_data_command(struct fdc *s, enum fdc_kind kind);
void fdc_format_command(struct fdc *s);
void fdc_data_abort(struct fdc *s);
/* The DMA channel is ready. */
void fdc_dma_ready(void *opaque);
uint8_t fdc_host_read(struct fdc *s);
void fdc_host_write(struct fdc *s, uint8_t byte);
/* The seven result bytes. */
void fdc_data_result(struct fdc *s, uint8_t st0, uint8_t st1, uint8_t st2);
/* Whether the head sees address marks, and which cylinder they name. */
bool fdc_readable(const struct fdc *s, unsigned int drive, unsigned int head);
uint8_t fdc_cylinder(const struct fdc_drive *d);

/* fdc_media.c */
int fdc_media_init(struct fdc *s);
bool fdc_medium_format(uint64_t bytes, struct fdc_format *f);

extern const struct save_ops fdc_save_ops;

#endif
