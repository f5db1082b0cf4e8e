/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The floppy controller's commands that move sectors (82077AA, 5.1 and 6.2). They work in chunks:
 * the rest of a track, or one sector where the host's bytes have to be seen first. A chunk comes from
 * the image and goes to the host, or the other way round. A read without DMA fetches the cylinder
 * first, because drivers that poll expect no pause between the heads. See fdc.h.
 *
 * Every sector has 512 bytes and a normal data mark, as images have. Without DMA nobody can signal
 * terminal count, so the last byte of the last sector counts as one (the chip would report EN).
 */
#include <string.h>

#include "core/log.h"
#include "core/machine.h"
#include "core/util.h"
#include "hw/fdc.h"
#include "hw/i8257.h"

static void next_chunk(struct fdc *s);

/* What a command does with a chunk, by its kind. */
struct transfer {
	void (*begin)(struct fdc *s);
	void (*image_done)(struct fdc *s); /* the image has worked */
	void (*moved)(struct fdc *s); /* the host's bytes are through, or terminal count came */
	bool from_host;
	bool apart; /* the host's bytes are not what the image has */
};
static const struct transfer *transfer_of(const struct fdc *s);

/* A 40-track diskette in an 80-track drive: the drivers step twice. */
static bool double_step(const struct fdc_drive *d)
{
	return d->format.tracks < 80 && d->cmos > 1;
}

uint8_t fdc_cylinder(const struct fdc_drive *d)
{
	return double_step(d) ? d->track / 2 : d->track;
}

/* A 360K diskette is read at 250 kbit/s, or at 300 in a drive that turns faster. */
static bool rate_fits(const struct fdc *s, const struct fdc_drive *d)
{
	uint8_t rate = s->dsr & DSR_RATE;

	return rate == d->format.rate || (d->format.tracks < 80 && (rate == 1 || rate == 2));
}

bool fdc_readable(const struct fdc *s, unsigned int drive, unsigned int head)
{
	const struct fdc_drive *d = &s->drive[drive];

	return d->present && d->blk && rate_fits(s, d) && head < d->format.heads &&
	       fdc_cylinder(d) < d->format.tracks && s->fifo[0] & 0x40;
}

/* Drivers that do not know of the double step are served as well. */
static bool cylinder_fits(const struct fdc_drive *d, uint8_t c)
{
	return c == fdc_cylinder(d) || (double_step(d) && c == d->track);
}

/* 6.2: the sector after the last one that was moved, as multi-track commands count. */
static void next_address(struct fdc_xfer *x)
{
	if (!x->last_r)
		return;
	x->h = x->last_h;
	x->r = x->last_r;
	if (x->r != x->eot) {
		x->r++;
		return;
	}
	x->r = 1;
	if (!x->mt) {
		x->c++;
		return;
	}
	x->c += x->h;
	x->h ^= 1;
}

void fdc_data_result(struct fdc *s, uint8_t st0, uint8_t st1, uint8_t st2)
{
	struct fdc_xfer *x = &s->x;

	i8257_set_dreq(s->m->isa_dma, FDC_DMA, false);
	log_trace(TRACE_FDC, "fdc: result %02x %02x %02x", st0, st1, st2);
	s->fifo[0] = (uint8_t)(st0 | x->last_h << 2 | x->drive);
	s->fifo[1] = st1;
	s->fifo[2] = st2;
	s->fifo[3] = x->c;
	s->fifo[4] = x->h;
	s->fifo[5] = x->r;
	s->fifo[6] = x->n;
	fdc_result(s, 7, true);
}

static void finish(struct fdc *s)
{
	next_address(&s->x);
	fdc_data_result(s, 0, 0, s->x.st2);
}

/* The address in the result is the sector that failed. */
static void fail(struct fdc *s, uint8_t st1, uint8_t st2)
{
	s->x.last_h = s->x.h & 1;
	fdc_data_result(s, ST0_ABNORMAL, st1, st2 | s->x.st2);
}

void fdc_data_abort(struct fdc *s)
{
	i8257_set_dreq(s->m->isa_dma, FDC_DMA, false);
	if (s->req.busy)
		s->req_orphan = true;
	s->x_waits = false;
}

/* The sectors that are in the buffer have been moved. */
static void chunk_done(struct fdc *s, uint32_t sectors)
{
	struct fdc_xfer *x = &s->x;

	x->last_h = x->h;
	x->last_r = (uint8_t)(x->r + sectors - 1);
	if (x->kind == FDC_READ_DELETED)
		x->st2 |= ST2_CM;
	if (x->limit)
		x->limit = (uint8_t)(x->limit - sectors);
	if (x->tc || x->kind == FDC_READ_DELETED || x->limit == 1) {
		finish(s);
		return;
	}
	x->r = (uint8_t)(x->last_r + 1);
	if (x->last_r == x->eot && x->mt && !x->h && s->drive[x->drive].format.heads == 2) {
		x->h = 1;
		x->r = 1;
	} else if (x->last_r == x->eot) {
		next_address(x);
		fdc_data_result(s, x->dma && x->kind != FDC_VERIFY ? ST0_ABNORMAL : 0,
				x->dma && x->kind != FDC_VERIFY ? ST1_EN : 0, x->st2);
		return;
	}
	next_chunk(s);
}

/* --- between buffer and image --- */

static uint64_t image_offset(const struct fdc *s)
{
	const struct fdc_xfer *x = &s->x;
	const struct fdc_format *f = &s->drive[x->drive].format;

	return (((uint64_t)x->c * f->heads + x->h) * f->sectors + x->r - 1) * FDC_SECTOR;
}

static void host_start(struct fdc *s, uint32_t len);

static void move_chunk(struct fdc *s)
{
	host_start(s, s->x.sectors * FDC_SECTOR);
}

static void chunk_settled(struct fdc *s)
{
	chunk_done(s, s->x.sectors);
}

static void request_done(struct block_req *req, int err)
{
	struct fdc *s = req->opaque;

	if (s->req_orphan) {
		s->req_orphan = false;
		if (s->x_waits) {
			s->x_waits = false;
			next_chunk(s);
		}
		return;
	}
	if (err && req->op == BLOCK_READ)
		fail(s, ST1_DE, ST2_DD);
	else if (err)
		fdc_data_result(s, ST0_ABNORMAL | ST0_EC, 0, 0);
	else
		transfer_of(s)->image_done(s);
}

static void submit(struct fdc *s, enum block_op op, uint64_t offset, uint32_t len)
{
	s->phase = FDC_EXEC_BLOCK;
	s->req.b = s->drive[s->x.drive].blk;
	s->req.op = op;
	s->req.offset = offset;
	s->req.buf = s->buf;
	s->req.len = len;
	s->req.done = request_done;
	s->req.opaque = s;
	block_submit(&s->req);
}

/* An image that ends early has zeros behind its end. */
static void fetch(struct fdc *s, uint64_t offset, uint32_t len)
{
	uint64_t size = block_size(s->drive[s->x.drive].blk);
	uint32_t have = offset >= size ? 0 : (uint32_t)MIN(len, size - offset);

	memset(s->buf + have, 0, len - have);
	if (have)
		submit(s, BLOCK_READ, offset, have);
	else
		transfer_of(s)->image_done(s);
}

static void image_read(struct fdc *s)
{
	struct fdc_xfer *x = &s->x;
	const struct fdc_format *f = &s->drive[x->drive].format;

	if (x->dma || x->kind > FDC_READ_TRACK) {
		fetch(s, image_offset(s), x->sectors * FDC_SECTOR);
		return;
	}
	x->base = ((uint32_t)x->h * f->sectors + x->r - 1) * FDC_SECTOR;
	if (x->cached) {
		transfer_of(s)->image_done(s);
		return;
	}
	x->cached = true;
	fetch(s, image_offset(s) - x->base, (uint32_t)f->heads * f->sectors * FDC_SECTOR);
}

/* The medium may have been taken out while the host sent. */
static void image_write(struct fdc *s)
{
	if (!s->drive[s->x.drive].blk) {
		fail(s, ST1_MA, 0);
		return;
	}
	submit(s, BLOCK_WRITE, image_offset(s), s->x.sectors * FDC_SECTOR);
}

/* --- between buffer and host --- */

/* FORMAT: the host has sent an address for each sector, in the order on the track. */
static void format_moved(struct fdc *s)
{
	struct fdc_xfer *x = &s->x;
	const struct fdc_drive *d = &s->drive[x->drive];
	const uint8_t *id = s->host_buf;
	uint64_t seen = 0;
	uint32_t i;

	memset(s->host_buf + x->pos, 0, x->len - x->pos);
	for (i = 0; i < x->sectors; i++, id += 4) {
		if (cylinder_fits(d, id[0]) && id[1] == x->h && id[2] && id[2] <= x->sectors &&
		    id[3] == FDC_N)
			seen |= 1ull << id[2];
		x->c = id[0];
	}
	x->r = 1;
	/* An image has no place for other addresses. */
	if (seen != ((1ull << x->sectors) - 1) << 1) {
		fail(s, ST1_ND, 0);
		return;
	}
	memset(s->buf, x->filler, x->sectors * FDC_SECTOR);
	x->last_h = x->h;
	image_write(s);
}

static bool scan_satisfied(const struct fdc *s, bool *equal)
{
	uint32_t i;

	*equal = true;
	for (i = 0; i < FDC_SECTOR; i++) {
		uint8_t disk = s->buf[i], host = s->host_buf[i];

		/* ff on either side matches anything. */
		if (disk == host || disk == 0xff || host == 0xff)
			continue;
		*equal = false;
		return s->x.kind == FDC_SCAN_LOW    ? disk < host
		       : s->x.kind == FDC_SCAN_HIGH ? disk > host
						    : false;
	}
	return true;
}

static void scan_moved(struct fdc *s)
{
	bool equal, hit;

	/* What the host did not send matches. */
	memset(s->host_buf + s->x.pos, 0xff, FDC_SECTOR - s->x.pos);
	hit = scan_satisfied(s, &equal);
	s->x.st2 = hit ? (equal ? ST2_SH : 0) : ST2_SN;
	if (hit)
		s->x.tc = true;
	chunk_done(s, 1);
}

static uint32_t sectors_moved(const struct fdc_xfer *x)
{
	return (x->pos + FDC_SECTOR - 1) / FDC_SECTOR;
}

static void write_moved(struct fdc *s)
{
	struct fdc_xfer *x = &s->x;

	x->sectors = sectors_moved(x);
	/* 5.1.3: the rest of a sector is filled with zeros. */
	memset(s->buf + x->pos, 0, x->sectors * FDC_SECTOR - x->pos);
	image_write(s);
}

static void read_moved(struct fdc *s)
{
	chunk_done(s, sectors_moved(&s->x));
}

/* All of the chunk has been moved, or terminal count came. */
static void host_done(struct fdc *s)
{
	i8257_set_dreq(s->m->isa_dma, FDC_DMA, false);
	transfer_of(s)->moved(s);
}

static uint8_t *host_bytes(struct fdc *s)
{
	return transfer_of(s)->apart ? s->host_buf : s->buf + s->x.base;
}

void fdc_dma_ready(void *opaque)
{
	struct fdc *s = opaque;
	struct fdc_xfer *x = &s->x;

	if (s->phase != FDC_EXEC_HOST || !x->dma)
		return;
	x->pos += (uint32_t)i8257_move(s->m->isa_dma, FDC_DMA, host_bytes(s) + x->pos,
				       x->len - x->pos, !transfer_of(s)->from_host, &x->tc);
	if (x->tc || x->pos == x->len)
		host_done(s);
}

static void host_start(struct fdc *s, uint32_t len)
{
	s->phase = FDC_EXEC_HOST;
	s->x.pos = 0;
	s->x.len = len;
	if (!s->x.dma) {
		fdc_irq(s, true);
		return;
	}
	i8257_set_dreq(s->m->isa_dma, FDC_DMA, true);
	fdc_dma_ready(s);
}

uint8_t fdc_host_read(struct fdc *s)
{
	struct fdc_xfer *x = &s->x;
	uint8_t v;

	if (x->dma || transfer_of(s)->from_host)
		return 0;
	fdc_irq(s, false);
	v = host_bytes(s)[x->pos++];
	if (x->pos == x->len)
		host_done(s);
	return v;
}

void fdc_host_write(struct fdc *s, uint8_t byte)
{
	struct fdc_xfer *x = &s->x;

	if (x->dma || !transfer_of(s)->from_host)
		return;
	fdc_irq(s, false);
	host_bytes(s)[x->pos++] = byte;
	if (x->pos == x->len)
		host_done(s);
}

/* --- commands --- */

static uint32_t chunk_sectors(const struct fdc *s)
{
	const struct fdc_xfer *x = &s->x;
	uint32_t last = s->drive[x->drive].format.sectors, n, bytes;

	if (x->eot >= x->r && x->eot < last)
		last = x->eot;
	n = last - x->r + 1;
	if (x->kind == FDC_FORMAT)
		return n;
	if (transfer_of(s)->apart || x->kind == FDC_READ_DELETED ||
	    (x->kind == FDC_WRITE && !x->dma))
		return 1;
	if (x->limit)
		n = MIN(n, x->limit - 1u);
	if (!x->dma || x->kind == FDC_VERIFY || !i8257_ready(s->m->isa_dma, FDC_DMA))
		return n;
	bytes = i8257_left(s->m->isa_dma, FDC_DMA);
	return MIN(n, (bytes + FDC_SECTOR - 1) / FDC_SECTOR);
}

static void next_chunk(struct fdc *s)
{
	struct fdc_xfer *x = &s->x;
	const struct fdc_drive *d = &s->drive[x->drive];

	if (s->req_orphan) {
		s->phase = FDC_EXEC_BLOCK;
		s->x_waits = true;
		return;
	}
	/* Again for each chunk: the medium may have been taken out meanwhile. */
	if (!d->blk || !x->r || x->r > d->format.sectors) {
		fail(s, d->blk ? ST1_ND : ST1_MA, 0);
		return;
	}
	x->sectors = chunk_sectors(s);
	transfer_of(s)->begin(s);
}

static void format_begin(struct fdc *s)
{
	host_start(s, s->x.sectors * 4);
}

static const struct transfer transfers[] = {
	[FDC_READ] = { image_read, move_chunk, read_moved, false, false },
	[FDC_READ_DELETED] = { image_read, move_chunk, read_moved, false, false },
	[FDC_READ_TRACK] = { image_read, move_chunk, read_moved, false, false },
	[FDC_WRITE] = { move_chunk, chunk_settled, write_moved, true, false },
	[FDC_VERIFY] = { image_read, chunk_settled, read_moved, false, false },
	[FDC_SCAN_EQUAL] = { image_read, move_chunk, scan_moved, true, true },
	[FDC_SCAN_LOW] = { image_read, move_chunk, scan_moved, true, true },
	[FDC_SCAN_HIGH] = { image_read, move_chunk, scan_moved, true, true },
	[FDC_FORMAT] = { format_begin, finish, format_moved, true, true },
};

static const struct transfer *transfer_of(const struct fdc *s)
{
	return &transfers[s->x.kind];
}

static void implied_seek(struct fdc *s)
{
	struct fdc_drive *d = &s->drive[s->x.drive];

	if (!(s->config & CONFIG_SEEK) || s->pcn[s->x.drive] == s->x.c)
		return;
	d->track = MIN(s->x.c, FDC_LAST_TRACK);
	s->pcn[s->x.drive] = s->x.c;
	if (d->blk)
		d->changed = false;
}

/* Whether the addressed sector can be found; fails the command if not. */
static bool address_check(struct fdc *s)
{
	struct fdc_xfer *x = &s->x;
	const struct fdc_drive *d = &s->drive[x->drive];

	if (!fdc_readable(s, x->drive, s->fifo[1] >> 2 & 1)) {
		fail(s, ST1_MA, 0);
		return false;
	}
	if ((x->kind == FDC_WRITE || x->kind == FDC_FORMAT) && block_read_only(d->blk)) {
		fail(s, ST1_NW, 0);
		return false;
	}
	if (x->kind == FDC_FORMAT)
		return true;
	if (!cylinder_fits(d, x->c) || x->c >= d->format.tracks) {
		fail(s, ST1_ND, ST2_WC);
		return false;
	}
	if (x->h != (s->fifo[1] >> 2 & 1) || x->n != FDC_N) {
		fail(s, ST1_ND, 0);
		return false;
	}
	return true;
}

void fdc_data_command(struct fdc *s, enum fdc_kind kind)
{
	struct fdc_xfer *x = &s->x;
	const uint8_t *p = s->fifo;

	*x = (struct fdc_xfer){
		.kind = (uint8_t)kind,
		.drive = p[1] & 3,
		.mt = p[0] & 0x80 && kind != FDC_READ_TRACK,
		.skip = p[0] & 0x20,
		.dma = !fdc_non_dma(s),
		.c = p[2],
		.h = p[3],
		.r = p[4],
		.n = p[5],
		.eot = p[6],
		.last_h = p[1] >> 2 & 1,
	};
	s->eot = p[6];
	if (kind == FDC_VERIFY) {
		x->dma = true;
		/* EC and its sector count. */
		if (p[1] & 0x80)
			x->limit = (uint8_t)MIN(p[8] + 1u, 255u);
	}
	implied_seek(s);
	if (!address_check(s))
		return;
	if (kind == FDC_READ_TRACK)
		x->r = 1;
	if (kind == FDC_READ_DELETED && x->skip) {
		/* There is no deleted mark on the whole track. */
		fail(s, ST1_ND, ST2_CM);
		return;
	}
	next_chunk(s);
}

void fdc_format_command(struct fdc *s)
{
	struct fdc_xfer *x = &s->x;
	const uint8_t *p = s->fifo;

	*x = (struct fdc_xfer){
		.kind = FDC_FORMAT,
		.drive = p[1] & 3,
		.dma = !fdc_non_dma(s),
		.h = p[1] >> 2 & 1,
		.r = 1,
		.n = p[2],
		.eot = p[3],
		.filler = p[5],
		.last_h = p[1] >> 2 & 1,
	};
	s->eot = p[3];
	x->c = fdc_cylinder(&s->drive[x->drive]);
	if (!address_check(s))
		return;
	/* Another layout than the image's cannot be kept. */
	if (x->n != FDC_N || x->eot != s->drive[x->drive].format.sectors) {
		fail(s, ST1_ND, 0);
		return;
	}
	next_chunk(s);
}
