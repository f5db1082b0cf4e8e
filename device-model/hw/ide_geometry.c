/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A disk's cylinders, heads and sectors, and how a BIOS is to translate them (index 39h of CMOS memory): as the options
 * say, as the partition table was made for, or the standard geometry of the size (ATA-5, annex B).
 */

#include "core/log.h"
#include "core/options.h"
#include "core/util.h"
#include "hw/ide.h"

#define MAX_CYLINDERS	  16383u
#define BIOS_CYLINDERS	  1024u
#define LARGE_MAX_TRACKS  131072u /* 8192 cylinders of 16 heads: what doubling heads reaches */
#define MBR_TABLE	  0x1be
#define MBR_ENTRY_SIZE	  16
#define MBR_ENTRIES	  4
#define ENTRY_LAST_HEAD	  5
#define ENTRY_LAST_SECTOR 6
#define ENTRY_COUNT	  12

static struct ide_geometry standard(uint64_t sectors)
{
	uint64_t cylinders = MIN(sectors / (IDE_HEADS * IDE_SECTORS), MAX_CYLINDERS);
	uint64_t tracks = sectors / IDE_SECTORS;

	if (cylinders)
		return (struct ide_geometry){ (uint16_t)cylinders, IDE_HEADS, IDE_SECTORS,
					      IDE_TRANSLATE_NONE };
	return (struct ide_geometry){ 1, (uint16_t)(tracks ? tracks : 1),
				      (uint16_t)(tracks	   ? IDE_SECTORS
						 : sectors ? sectors
							   : 1),
				      IDE_TRANSLATE_NONE };
}

static enum ide_translation usual_translation(const struct ide_geometry *g)
{
	return g->cylinders <= BIOS_CYLINDERS && g->sectors <= IDE_SECTORS ? IDE_TRANSLATE_NONE
									   : IDE_TRANSLATE_LBA;
}

/* What a partition was made for, as they end at the end of a cylinder. False: it does not tell. */
static bool entry_geometry(const uint8_t *entry, uint64_t sectors, struct ide_geometry *g)
{
	unsigned int heads = entry[ENTRY_LAST_HEAD] + 1u, spt = entry[ENTRY_LAST_SECTOR] & 63;
	uint64_t cylinders;

	if (!get_le32(entry + ENTRY_COUNT) || heads == 1 || !spt)
		return false;
	cylinders = sectors / (heads * spt);
	if (!cylinders || cylinders > MAX_CYLINDERS)
		return false;
	*g = (struct ide_geometry){ (uint16_t)cylinders, (uint16_t)heads, (uint16_t)spt,
				    IDE_TRANSLATE_NONE };
	return true;
}

static bool table_geometry(const struct ide_drive *d, struct ide_geometry *g)
{
	uint8_t mbr[IDE_SECTOR];
	unsigned int i;

	if (!d->blk || block_read_sync(d->blk, 0, mbr, sizeof(mbr)) ||
	    get_le16(mbr + IDE_SECTOR - 2) != 0xaa55)
		return false;
	for (i = 0; i < MBR_ENTRIES; i++)
		if (entry_geometry(mbr + MBR_TABLE + i * MBR_ENTRY_SIZE, d->sectors, g))
			return true;
	return false;
}

/* More than 16 heads were made by a BIOS's translation, and the disk below it was a standard one. */
static struct ide_geometry guess(const struct ide_drive *d)
{
	struct ide_geometry table, g = standard(d->sectors);

	if (!table_geometry(d, &table)) {
		g.translation = usual_translation(&g);
		return g;
	}
	if (table.heads <= IDE_HEADS)
		return table;
	g.translation = (uint32_t)g.cylinders * g.heads <= LARGE_MAX_TRACKS ? IDE_TRANSLATE_LARGE
									    : IDE_TRANSLATE_LBA;
	return g;
}

void ide_geometry_standard(struct ide_drive *d)
{
	d->base = standard(d->sectors);
	d->base.translation = usual_translation(&d->base);
}

void ide_geometry_init(struct ide_drive *d, const struct opt_drive *o)
{
	struct ide_geometry *g = &d->base;

	if (o->cylinders) {
		*g = (struct ide_geometry){ (uint16_t)o->cylinders, (uint16_t)o->heads,
					    (uint16_t)o->sectors, IDE_TRANSLATE_NONE };
		g->translation = usual_translation(g);
	} else {
		*g = guess(d);
	}
	if (o->translation != OPT_TRANSLATION_AUTO)
		g->translation = (uint8_t)(o->translation - 1);
	log_trace(TRACE_IDE, "ide%u.%u: geometry %u/%u/%u, translation %u", d->ch->number, d->unit,
		  g->cylinders, g->heads, g->sectors, g->translation);
}

void ide_geometry_reset(struct ide_drive *d)
{
	d->heads = d->base.heads;
	d->sectors_per_track = d->base.sectors;
	d->cylinders = d->base.cylinders;
}

void ide_geometry_set(struct ide_drive *d, unsigned int heads, unsigned int sectors)
{
	d->heads = (uint16_t)heads;
	d->sectors_per_track = (uint16_t)sectors;
	d->cylinders = (uint16_t)MIN(d->sectors / (heads * sectors), 65535);
}

void ide_identify_geometry(const struct ide_drive *d, uint8_t *out)
{
	put_le16(out + 1 * 2, d->base.cylinders);
	put_le16(out + 3 * 2, d->base.heads);
	put_le16(out + 6 * 2, d->base.sectors);
	put_le16(out + 54 * 2, d->cylinders);
	put_le16(out + 55 * 2, d->heads);
	put_le16(out + 56 * 2, d->sectors_per_track);
	put_le32(out + 57 * 2, (uint32_t)d->cylinders * d->heads * d->sectors_per_track);
}
