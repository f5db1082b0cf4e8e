/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory by copy. Foreign mappings are cached in chunks of 1 MiB in a direct-mapped table; a
 * chunk in which some pages are no RAM keeps a bitmap of them. See dma.h.
 */
#include "core/dma.h"

#include <errno.h>
#include <stdbool.h>

#include "core/bus_priv.h"
#include "core/log.h"
#include "core/machine.h"
#include "core/util.h"
#include "core/vmm.h"

#define CHUNK_SHIFT   20
#define CHUNK_PAGES   (1u << (CHUNK_SHIFT - 12))
#define CHUNK_SLOTS   256u /* at most 256 MiB mapped at a time */
#define BITS_PER_LONG (8 * sizeof(unsigned long))

struct dma_chunk {
	uint8_t *ptr; /* NULL: the slot is empty */
	uint64_t number;
	bool has_bad;
	unsigned long bad[CHUNK_PAGES / BITS_PER_LONG];
};

struct dma {
	struct dma_chunk slots[CHUNK_SLOTS];
	bool dirty_log, tell_writes;
};

void dma_init(struct machine *m)
{
	m->dma = xzalloc(sizeof(*m->dma));
}

static void chunk_drop(struct machine *m, struct dma_chunk *c)
{
	if (c->ptr)
		m->vmm->unmap(m, c->ptr, CHUNK_PAGES);
	c->ptr = NULL;
}

static struct dma_chunk *chunk_get(struct machine *m, uint64_t number)
{
	struct dma_chunk *c = &m->dma->slots[number % CHUNK_SLOTS];
	size_t i;

	if (c->ptr && c->number == number)
		return c;
	chunk_drop(m, c);
	memset(c->bad, 0, sizeof(c->bad));
	c->ptr = m->vmm->map(m, number << (CHUNK_SHIFT - 12), CHUNK_PAGES, c->bad);
	if (!c->ptr)
		return NULL;
	c->number = number;
	c->has_bad = false;
	for (i = 0; i < ARRAY_SIZE(c->bad); i++)
		c->has_bad |= c->bad[i] != 0;
	return c;
}

static bool chunk_page_bad(const struct dma_chunk *c, uint64_t gpa)
{
	unsigned int page = gpa >> 12 & (CHUNK_PAGES - 1);

	return c->has_bad && (c->bad[page / BITS_PER_LONG] >> page % BITS_PER_LONG & 1);
}

/*
 * The memory at gpa and how many bytes (at most *len) follow it in one piece. A page that was no RAM
 * when its chunk was mapped may have become RAM since: one fresh mapping is tried.
 */
static uint8_t *dma_span(struct machine *m, uint64_t gpa, size_t *len)
{
	uint64_t left = (1ull << CHUNK_SHIFT) - (gpa & ((1ull << CHUNK_SHIFT) - 1));
	struct dma_chunk *c = chunk_get(m, gpa >> CHUNK_SHIFT);

	*len = MIN(*len, left);
	if (c && !c->has_bad)
		return c->ptr + (gpa & ((1ull << CHUNK_SHIFT) - 1));
	*len = MIN(*len, DM_PAGE_SIZE - (gpa & (DM_PAGE_SIZE - 1)));
	if (c && chunk_page_bad(c, gpa)) {
		chunk_drop(m, c);
		c = chunk_get(m, gpa >> CHUNK_SHIFT);
	}
	if (!c || chunk_page_bad(c, gpa))
		return NULL;
	return c->ptr + (gpa & ((1ull << CHUNK_SHIFT) - 1));
}

int dma_read(struct machine *m, uint64_t gpa, void *buf, size_t len)
{
	uint8_t *out = buf;
	int rc = 0;

	while (len) {
		size_t n = len;
		uint8_t *p = dma_span(m, gpa, &n);

		if (p) {
			memcpy(out, p, n);
		} else {
			memset(out, 0xff, n);
			rc = -EFAULT;
		}
		out += n;
		gpa += n;
		len -= n;
	}
	return rc;
}

static void tell(struct machine *m, uint64_t gpa, size_t len)
{
	m->vmm->modified(m, gpa >> 12, ((gpa + len - 1) >> 12) - (gpa >> 12) + 1);
}

void dma_mark_dirty(struct machine *m, uint64_t gpa, size_t len)
{
	if (m->dma->dirty_log && len)
		tell(m, gpa, len);
}

/* Copies from buf, or sets the byte when buf is NULL. */
static int dma_store(struct machine *m, uint64_t gpa, const uint8_t *buf, uint8_t byte, size_t len)
{
	int rc = 0;

	while (len) {
		size_t n = len;
		uint8_t *p = dma_span(m, gpa, &n);

		if (!p)
			rc = -EFAULT;
		else if (buf)
			memcpy(p, buf, n);
		else
			memset(p, byte, n);
		if (p && (m->dma->dirty_log || m->dma->tell_writes))
			tell(m, gpa, n);
		buf = buf ? buf + n : NULL;
		gpa += n;
		len -= n;
	}
	return rc;
}

int dma_write(struct machine *m, uint64_t gpa, const void *buf, size_t len)
{
	return dma_store(m, gpa, buf, 0, len);
}

int dma_set(struct machine *m, uint64_t gpa, uint8_t byte, size_t len)
{
	return dma_store(m, gpa, NULL, byte, len);
}

void dma_invalidate(struct machine *m)
{
	unsigned int i;

	for (i = 0; i < CHUNK_SLOTS; i++)
		chunk_drop(m, &m->dma->slots[i]);
}

void dma_set_global_dirty_log(struct machine *m, int on)
{
	m->dma->dirty_log = on;
}

void dma_tell_writes(struct machine *m)
{
	m->dma->tell_writes = true;
}
