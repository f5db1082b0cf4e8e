/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two IDE channels of the PIIX3 (82371SB) with ATA-6 disks (T13 1410D) and ATAPI CD-ROMs
 * (SFF-8020i, MMC-3). ide.c has registers and PCI, ide_dma.c the bus master, ide_ata.c disk commands,
 * ide_trim.c DATA SET MANAGEMENT, ide_identify.c their IDENTIFY data, ide_geometry.c cylinders and
 * heads, ide_atapi.c and ide_atapi_cmd.c packet commands, ide_media.c drives and media seen from the
 * host.
 */
#ifndef DM_HW_IDE_H
#define DM_HW_IDE_H

#include <stdbool.h>
#include <stdint.h>

#include "block/block.h"
#include "core/irq.h"
#include "core/pci.h"
#include "core/save.h"

#define IDE_HEADS	  16u /* the standard geometry */
#define IDE_SECTORS	  63u
#define IDE_SECTOR	  512u
#define CD_SECTOR	  2048u
#define CD_RAW_SECTOR	  2352u
#define IDE_BUF_SECTORS	  256u
#define IDE_BUF_SIZE	  (IDE_BUF_SECTORS * IDE_SECTOR)
#define IDE_MAX_MULTIPLE  16
#define IDE_TRIM_BLOCKS	  8u /* of 512 bytes, 64 ranges each, in one command */
#define ATAPI_PACKET_SIZE 12
#define ATAPI_MODE_SIZE	  20 /* values of mode pages 01h and 0eh */

enum ide_status_bit {
	IDE_BSY = 0x80,
	IDE_DRDY = 0x40,
	IDE_DF = 0x20,
	IDE_DSC = 0x10,
	IDE_DRQ = 0x08,
	IDE_ERR = 0x01,
};

enum ide_error_bit { IDE_ABRT = 0x04, IDE_IDNF = 0x10, IDE_UNC = 0x40 };

enum ide_control_bit { IDE_NIEN = 0x02, IDE_SRST = 0x04, IDE_HOB = 0x80 };

enum bm_command_bit { BM_START = 0x01, BM_TO_MEMORY = 0x08 };
enum bm_status_bit { BM_ACTIVE = 0x01, BM_ERROR = 0x02, BM_INTR = 0x04, BM_CAPABLE = 0x60 };

/* What happens to the bytes in the buffer; saved by number, so only append. */
enum ide_phase {
	IDE_IDLE,
	IDE_PIO_IN,    /* one reply of buf_len bytes (IDENTIFY) */
	IDE_READ_PIO,  /* sectors to the host, block by block */
	IDE_WRITE_PIO, /* sectors from the host */
	IDE_READ_DMA,
	IDE_WRITE_DMA,
	IDE_PACKET,    /* the 12 bytes of a packet command */
	IDE_ATAPI_PIO, /* reply of a packet command */
	IDE_ATAPI_DMA,
	IDE_FLUSH,
	IDE_TRIM_DMA,	   /* blocks of ranges from the host */
	IDE_ATAPI_OUT_PIO, /* parameters of a packet command, from the host */
	IDE_ATAPI_OUT_DMA,
	IDE_PHASE_LAST = IDE_ATAPI_OUT_DMA,
};

/* What a BIOS makes of a disk's geometry: two bits for each disk in index 39h of CMOS memory. */
enum ide_translation {
	IDE_TRANSLATE_NONE,
	IDE_TRANSLATE_LBA,
	IDE_TRANSLATE_LARGE,
	IDE_TRANSLATE_RECHS
};

struct ide_geometry {
	uint16_t cylinders, heads, sectors;
	uint8_t translation;
};

struct ide_channel;
struct opt_drive;

struct ide_drive {
	struct ide_channel *ch;
	unsigned int unit; /* 0 master, 1 slave */
	bool present;	   /* cleared by unplug */
	bool cdrom;
	char *id; /* of the monitor: "ide-5632" */
	char *serial, *version;
	struct block *blk; /* NULL: no medium */
	uint64_t sectors;  /* of 512 bytes, or 2048 on a CD */

	/* Task file; [0] is the newest write, [1] the one before (HOB). */
	uint8_t feature[2], count[2], lba_low[2], lba_mid[2], lba_high[2];
	uint8_t device, status, error;

	/* The disk's settings. */
	struct ide_geometry base; /* at power-on */
	uint16_t cylinders, heads, sectors_per_track;
	uint32_t physical_sector; /* bytes, 0: it is not said */
	uint8_t multiple;
	uint8_t mwdma, udma; /* selected mode + 1, 0: none */
	bool write_cache;

	/* The command in progress. */
	enum ide_phase phase;
	bool lba48;
	uint64_t lba;		   /* next sector to read or write */
	uint32_t left;		   /* sectors to move after those in the buffer */
	uint32_t buf_pos, buf_len; /* the part of buf that is being moved */
	uint32_t drq_end;	   /* end of the present DRQ block in buf */
	uint32_t block_sectors;	   /* sectors per DRQ block */
	uint8_t *buf;		   /* IDE_BUF_SIZE */
	struct block_req req;
	void (*req_done)(struct ide_drive *d, int err);

	/* ATAPI */
	uint8_t sense_key, asc, ascq;
	uint8_t packet_op; /* whose parameters come */
	uint8_t mode[ATAPI_MODE_SIZE];
	bool packet_dma;
	uint32_t packet_left; /* bytes of the reply that are not in buf yet */
	uint32_t cd_sector_size;
	bool tray_open, locked;
	bool unit_attention;
	uint8_t media_event;

	/* As they stand in the state file, until they are checked. */
	struct {
		bool present;
		uint64_t sectors;
	} saved;
};

struct ide_channel {
	struct ide_controller *ctrl;
	struct machine *m;
	unsigned int number;
	struct ide_drive drive[2];
	uint8_t control;
	unsigned int selected;
	bool reset_wait; /* a reset waits for the disk request in flight */
	struct irq_line irq;
	bool irq_pending;

	/* Bus master */
	uint8_t bm_command, bm_status;
	uint32_t bm_table;
	uint32_t prd_next; /* address of the next descriptor */
	uint32_t prd_addr, prd_left;
	bool prd_last;
};

struct ide_controller {
	struct pci_device pci;
	struct ide_channel channel[2];
};

/* ide.c */
void ide_set_irq(struct ide_channel *ch);
/* Command over: status is DRDY|DSC and whatever bits; raises the interrupt. */
void ide_complete(struct ide_drive *d);
void ide_fail(struct ide_drive *d, uint8_t error);
/* Offer buf[buf_pos..end) to the host as one DRQ block. */
void ide_drq_block(struct ide_drive *d, uint32_t end);
/* Start a disk request on d->buf; done runs when it is over, unless a reset came in between. */
void ide_submit(struct ide_drive *d, enum block_op op, uint64_t offset, size_t len,
		void (*done)(struct ide_drive *d, int err));
void ide_set_signature(struct ide_drive *d);

/* ide_dma.c */
void ide_dma_reset(struct ide_channel *ch);
extern const struct io_ops ide_bm_ops;
/* Move up to len bytes between buf and the PRD list. Returns what the list had room for. */
uint32_t ide_dma_move(struct ide_channel *ch, uint8_t *buf, uint32_t len, bool to_memory);
/* The drive is done: says whether the list is used up, for BM_ACTIVE. */
void ide_dma_end(struct ide_channel *ch);
/* The list was too short: the drive goes idle without an interrupt. */
void ide_dma_short(struct ide_drive *d);
static inline bool ide_dma_started(const struct ide_channel *ch)
{
	return ch->bm_command & BM_START;
}

/* ide_ata.c */
void ide_ata_command(struct ide_drive *d, uint8_t command);
/* By phase: what happens when the host has moved a whole DRQ block, or when the bus master is ready. */
struct ide_transfer {
	void (*to_host)(struct ide_drive *d);
	void (*from_host)(struct ide_drive *d);
	void (*dma)(struct ide_drive *d);
};
extern const struct ide_transfer ide_transfers[];
/* The bus master was started while the drive waits for it. */
void ide_dma_ready(struct ide_drive *d);

/* ide_trim.c */
void ide_trim_start(struct ide_drive *d);
void ide_trim_dma_ready(struct ide_drive *d);

/* ide_identify.c */
void ide_identify_disk(struct ide_drive *d, uint8_t *out);
void ide_identify_cdrom(struct ide_drive *d, uint8_t *out);

/* ide_geometry.c */
/* Of a disk whose size and image are known. */
void ide_geometry_init(struct ide_drive *d, const struct opt_drive *o);
/* By the size alone, whatever the disk says. */
void ide_geometry_standard(struct ide_drive *d);
void ide_geometry_reset(struct ide_drive *d);
/* Both above 0. */
void ide_geometry_set(struct ide_drive *d, unsigned int heads, unsigned int sectors);
/* Words 1, 3, 6 and 54 to 58 of IDENTIFY DEVICE. */
void ide_identify_geometry(const struct ide_drive *d, uint8_t *out);

/* ide_atapi.c */
void atapi_packet_start(struct ide_drive *d);
void atapi_packet_received(struct ide_drive *d);
void atapi_block_moved(struct ide_drive *d);
void atapi_dma_ready(struct ide_drive *d);
void atapi_out_moved(struct ide_drive *d);
void atapi_out_dma_ready(struct ide_drive *d);
void atapi_ok(struct ide_drive *d);
void atapi_check(struct ide_drive *d, uint8_t key, uint8_t asc);
/* len bytes of parameters into d->buf; atapi_received() then goes on with the command. */
void atapi_receive(struct ide_drive *d, uint32_t len);
/* A reply of len bytes in d->buf, cut to what the host allocated. */
void atapi_reply(struct ide_drive *d, uint32_t len, uint32_t allocated);
/* count sectors from lba, in sectors of size bytes (2048 or 2352). */
void atapi_read(struct ide_drive *d, uint32_t lba, uint32_t count, uint32_t size);

/* ide_atapi_cmd.c */
void atapi_command(struct ide_drive *d, const uint8_t *packet);
/* The parameters of command d->packet_op are in d->buf. */
void atapi_received(struct ide_drive *d);
/* A reset: the mode pages are as at power-on. */
void atapi_reset(struct ide_drive *d);

/* ide_media.c */
int ide_media_init(struct machine *m, struct ide_controller *c);
void ide_tray_move(struct ide_drive *d, bool open);
/* Of the disk at place 0 to 3, at power-on; NULL: there is none. */
const struct ide_geometry *ide_disk_geometry(struct machine *m, unsigned int place);
/* Paravirtual drivers take over: pull the disks (only the secondary slots' ones, "aux", if asked). */
void ide_unplug_disks(struct machine *m, bool aux_only);

/* ide_save.c */
extern const struct save_ops ide_save_ops;

#endif
