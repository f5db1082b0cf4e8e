/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IDENTIFY DEVICE and IDENTIFY PACKET DEVICE data (ATA-6 8.15, 8.16). */
#include <stdio.h>

#include "core/util.h"
#include "hw/ide.h"

#define LBA28_MAX 0x0fffffffull

static void word(uint8_t *out, unsigned int i, uint32_t v)
{
	put_le16(out + i * 2, (uint16_t)v);
}

/* ATA strings: padded with spaces, the two characters of a word swapped. */
static void text(uint8_t *out, unsigned int first, unsigned int bytes, const char *s)
{
	unsigned int i;

	for (i = 0; i < bytes; i++)
		out[first * 2 + (i ^ 1)] = (uint8_t)(*s ? *s++ : ' ');
}

static void transfer_modes(const struct ide_drive *d, uint8_t *out)
{
	word(out, 53, 0x0007); /* words 54-58, 64-70 and 88 are valid */
	word(out, 63, 0x0007 | (d->mwdma ? 0x100u << (d->mwdma - 1) : 0));
	word(out, 64, 0x0003); /* PIO 3 and 4 */
	word(out, 65, 120);    /* cycle times in ns */
	word(out, 66, 120);
	word(out, 67, 120);
	word(out, 68, 120);
	word(out, 88, 0x003f | (d->udma ? 0x100u << (d->udma - 1) : 0));
}

static void names(const struct ide_drive *d, uint8_t *out, const char *model)
{
	text(out, 10, 20, d->serial);
	text(out, 23, 8, d->version);
	text(out, 27, 40, model);
}

static void checksum(uint8_t *out)
{
	uint8_t sum = 0xa5;
	unsigned int i;

	out[510] = 0xa5;
	for (i = 0; i < 510; i++)
		sum += out[i];
	out[511] = (uint8_t)-sum;
}

/* ATA8-ACS 7.16.7.50: how many logical sectors a physical one has, as a power of two. */
static uint32_t sector_sizes(const struct ide_drive *d)
{
	uint32_t exponent = 0;

	while (d->physical_sector >> exponent > IDE_SECTOR)
		exponent++;
	return 0x6000 | exponent;
}

static void sizes(const struct ide_drive *d, uint8_t *out)
{
	uint64_t size = d->sectors;

	put_le32(out + 60 * 2, (uint32_t)MIN(size, LBA28_MAX));
	put_le32(out + 100 * 2, (uint32_t)size);
	put_le32(out + 102 * 2, (uint32_t)(size >> 32));
}

/*
 * ATA8-ACS 7.16. ATA-6 has no such command, so the disk has to be of the standard that has it: Linux'
 * libata looks at word 169 only then.
 */
static void trim_support(uint8_t *out)
{
	word(out, 80, 0x01f0); /* ATA-4 to ATA8-ACS */
	word(out, 81, 0);      /* no particular revision */
	word(out, 105, IDE_TRIM_BLOCKS);
	word(out, 169, 1);
}

void ide_identify_disk(struct ide_drive *d, uint8_t *out)
{
	memset(out, 0, IDE_SECTOR);
	word(out, 0, 0x0040); /* fixed device */
	names(d, out, "PLINTH HARDDISK");
	word(out, 47, 0x8000 | IDE_MAX_MULTIPLE);
	word(out, 48, 1);      /* PIO by 32 bits, obsolete but looked at */
	word(out, 49, 0x0f00); /* LBA, DMA, IORDY */
	word(out, 50, 0x4000);
	word(out, 51, 0x0200);
	ide_identify_geometry(d, out);
	sizes(d, out);
	if (d->physical_sector)
		word(out, 106, sector_sizes(d));
	word(out, 59, d->multiple ? 0x0100u | d->multiple : 0);
	transfer_modes(d, out);
	word(out, 80, 0x0070); /* ATA-4 to ATA-6 */
	word(out, 81, 0x0019); /* ATA-6 T13 1410D revision 3a */
	word(out, 82, 0x0060); /* write cache, look-ahead; no SMART */
	word(out, 83, 0x7400); /* FLUSH CACHE (EXT), 48-bit addresses */
	word(out, 84, 0x4000);
	word(out, 85, 0x0040 | (d->write_cache ? 0x0020u : 0));
	word(out, 86, 0x3400);
	word(out, 87, 0x4000);
	word(out, 93, d->unit ? 0x6b01 : 0x600b); /* 80-wire cable, hardware reset result */
	if (d->blk && block_discards(d->blk))
		trim_support(out);
	checksum(out);
}

void ide_identify_cdrom(struct ide_drive *d, uint8_t *out)
{
	memset(out, 0, IDE_SECTOR);
	word(out, 0, 0x85c0); /* packet device, CD-ROM, removable, 50 us DRQ, 12 bytes */
	names(d, out, "PLINTH DVD-ROM");
	word(out, 48, 1);
	word(out, 49, 0x0f00);
	word(out, 51, 0x0200);
	transfer_modes(d, out);
	word(out, 71, 30);
	word(out, 72, 30);
	word(out, 80, 0x0070);
	word(out, 81, 0x0019);
	word(out, 82, 0x0210); /* PACKET, DEVICE RESET */
	word(out, 83, 0x4000);
	word(out, 84, 0x4000);
	word(out, 85, 0x0210);
	word(out, 87, 0x4000);
	word(out, 93, d->unit ? 0x6b01 : 0x600b);
	checksum(out);
}
