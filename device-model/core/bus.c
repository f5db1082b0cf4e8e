/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dispatch of port and memory accesses to the device that claimed the range. Ports by a flat array,
 * memory by a sorted array and binary search. See bus.h.
 */
#include "core/bus.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "core/ahead.h"
#include "core/bus_priv.h"
#include "core/log.h"
#include "core/machine.h"
#include "core/util.h"
#include "core/vmm.h"

#define BUS_PORTS 0x10000u

struct io_region {
	uint64_t start, len;
	const struct io_ops *ops;
	void *opaque;
	const char *name;
	bool is_mmio;
};

struct bus {
	struct io_region *ports[BUS_PORTS];
	struct io_region **mmio; /* sorted by start, disjoint */
	size_t nr_mmio;
};

void bus_init(struct machine *m)
{
	m->bus = xzalloc(sizeof(*m->bus));
}

static struct io_region *region_new(uint64_t start, uint64_t len, const struct io_ops *ops,
				    void *opaque, const char *name, bool is_mmio)
{
	struct io_region *r = xzalloc(sizeof(*r));

	*r = (struct io_region){ start, len, ops, opaque, name, is_mmio };
	return r;
}

/* Ask the VMM for the range; frees r when it refuses. */
static struct io_region *region_claim(struct machine *m, struct io_region *r)
{
	int rc = m->vmm->claim_io(m, r->is_mmio, r->start, r->start + r->len - 1);

	if (!rc)
		return r;
	log_error("the VMM refused %s 0x%" PRIx64 "+0x%" PRIx64 " for %s: %s",
		  r->is_mmio ? "memory" : "ports", r->start, r->len, r->name, strerror(-rc));
	free(r);
	return NULL;
}

struct io_region *pio_register(struct machine *m, uint32_t port, uint32_t count,
			       const struct io_ops *ops, void *opaque, const char *name)
{
	struct bus *bus = m->bus;
	struct io_region *r;
	uint32_t i;

	if (!count || port >= BUS_PORTS || count > BUS_PORTS - port)
		return NULL;
	for (i = port; i < port + count; i++) {
		if (!bus->ports[i])
			continue;
		log_guest("%s: port 0x%x belongs to %s already", name, i, bus->ports[i]->name);
		return NULL;
	}
	r = region_claim(m, region_new(port, count, ops, opaque, name, false));
	if (!r)
		return NULL;
	for (i = port; i < port + count; i++)
		bus->ports[i] = r;
	return r;
}

void pio_post_writes(struct machine *m, uint32_t port, uint32_t count)
{
	if (m->vmm->post_writes)
		m->vmm->post_writes(m, port, port + count - 1);
}

/* Index of the first range that ends above gpa. */
static size_t mmio_index(const struct bus *bus, uint64_t gpa)
{
	size_t lo = 0, hi = bus->nr_mmio;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		const struct io_region *r = bus->mmio[mid];

		if (r->start + (r->len - 1) < gpa)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct io_region *mmio_find(const struct bus *bus, uint64_t gpa)
{
	size_t i = mmio_index(bus, gpa);

	if (i < bus->nr_mmio && bus->mmio[i]->start <= gpa)
		return bus->mmio[i];
	return NULL;
}

bool mmio_claimed(struct machine *m, uint64_t gpa)
{
	return mmio_find(m->bus, gpa) != NULL;
}

struct io_region *mmio_register(struct machine *m, uint64_t gpa, uint64_t len,
				const struct io_ops *ops, void *opaque, const char *name)
{
	struct bus *bus = m->bus;
	struct io_region *r;
	size_t i;

	if (!len || gpa + len - 1 < gpa)
		return NULL;
	i = mmio_index(bus, gpa);
	if (i < bus->nr_mmio && bus->mmio[i]->start <= gpa + len - 1) {
		log_guest("%s: memory 0x%" PRIx64 " belongs to %s already", name, gpa,
			  bus->mmio[i]->name);
		return NULL;
	}
	r = region_claim(m, region_new(gpa, len, ops, opaque, name, true));
	if (!r)
		return NULL;
	bus->mmio = xrealloc(bus->mmio, (bus->nr_mmio + 1) * sizeof(*bus->mmio));
	memmove(bus->mmio + i + 1, bus->mmio + i, (bus->nr_mmio - i) * sizeof(*bus->mmio));
	bus->mmio[i] = r;
	bus->nr_mmio++;
	return r;
}

void io_unregister(struct machine *m, struct io_region *r)
{
	struct bus *bus = m->bus;
	size_t i;

	if (!r)
		return;
	ahead_settle(m);
	m->vmm->release_io(m, r->is_mmio, r->start, r->start + r->len - 1);
	if (r->is_mmio) {
		i = mmio_index(bus, r->start);
		bus->nr_mmio--;
		memmove(bus->mmio + i, bus->mmio + i + 1, (bus->nr_mmio - i) * sizeof(*bus->mmio));
	} else {
		for (i = r->start; i < r->start + r->len; i++)
			bus->ports[i] = NULL;
	}
	free(r);
}

static uint64_t size_mask(unsigned int size)
{
	return size >= 8 ? ~0ull : (1ull << size * 8) - 1;
}

/* Accesses that lie inside one range and that it takes whole or as several smaller ones. */
static uint64_t region_read(const struct io_region *r, uint64_t offset, unsigned int size)
{
	unsigned int max = r->ops->max_size, i;
	uint64_t v = 0;

	if (!r->ops->read)
		return size_mask(size);
	if (!max || size <= max)
		return r->ops->read(r->opaque, offset, size) & size_mask(size);
	for (i = 0; i < size; i += max)
		v |= (r->ops->read(r->opaque, offset + i, max) & size_mask(max)) << i * 8;
	return v;
}

static void region_write(const struct io_region *r, uint64_t offset, uint64_t v, unsigned int size)
{
	unsigned int max = r->ops->max_size, i;

	if (!r->ops->write)
		return;
	if (!max || size <= max) {
		r->ops->write(r->opaque, offset, v & size_mask(size), size);
		return;
	}
	for (i = 0; i < size; i += max)
		r->ops->write(r->opaque, offset + i, v >> i * 8 & size_mask(max), max);
}

static bool region_holds(const struct io_region *r, uint64_t addr, uint64_t len)
{
	return r && addr - r->start < r->len && len <= r->len - (addr - r->start);
}

/* One of the two address spaces: who is there. */
typedef struct io_region *(*space_fn)(struct machine *m, uint64_t addr);

static struct io_region *port_at(struct machine *m, uint64_t port)
{
	return port < BUS_PORTS ? m->bus->ports[port] : NULL;
}

static struct io_region *mmio_at(struct machine *m, uint64_t gpa)
{
	return mmio_find(m->bus, gpa);
}

static inline uint64_t space_read(struct machine *m, space_fn at, uint64_t addr, unsigned int size)
{
	const struct io_region *r = at(m, addr);
	uint64_t v = 0;
	unsigned int i;

	if (region_holds(r, addr, size))
		return region_read(r, addr - r->start, size);
	/* Across a border: the chipset makes byte cycles of it. */
	for (i = 0; i < size && size > 1; i++)
		v |= space_read(m, at, addr + i, 1) << i * 8;
	return size == 1 ? 0xff : v;
}

static inline void space_write(struct machine *m, space_fn at, uint64_t addr, uint64_t value,
			       unsigned int size)
{
	const struct io_region *r = at(m, addr);
	unsigned int i;

	if (region_holds(r, addr, size)) {
		region_write(r, addr - r->start, value, size);
		return;
	}
	for (i = 0; i < size && size > 1; i++)
		space_write(m, at, addr + i, value >> i * 8 & 0xff, 1);
}

/* step: from one element to the next, 0 at a port. */
static inline void space_read_block(struct machine *m, space_fn at, uint64_t addr, uint8_t *p,
				    unsigned int size, size_t count, unsigned int step)
{
	const struct io_region *r = at(m, addr);
	size_t done = 0;

	if (region_holds(r, addr, step ? size * count : size) && r->ops->read_block)
		done = r->ops->read_block(r->opaque, addr - r->start, p, size, count);
	for (; done < count; done++)
		store_le(p + done * size, space_read(m, at, addr + done * step, size), size);
}

static inline void space_write_block(struct machine *m, space_fn at, uint64_t addr,
				     const uint8_t *p, unsigned int size, size_t count,
				     unsigned int step)
{
	const struct io_region *r = at(m, addr);
	size_t done = 0;

	if (region_holds(r, addr, step ? size * count : size) && r->ops->write_block)
		done = r->ops->write_block(r->opaque, addr - r->start, p, size, count);
	for (; done < count; done++)
		space_write(m, at, addr + done * step, load_le(p + done * size, size), size);
}

uint64_t pio_read(struct machine *m, uint32_t port, unsigned int size)
{
	return space_read(m, port_at, port, size);
}

void pio_write(struct machine *m, uint32_t port, uint64_t value, unsigned int size)
{
	space_write(m, port_at, port, value, size);
}

uint64_t mmio_read(struct machine *m, uint64_t gpa, unsigned int size)
{
	return space_read(m, mmio_at, gpa, size);
}

void mmio_write(struct machine *m, uint64_t gpa, uint64_t value, unsigned int size)
{
	space_write(m, mmio_at, gpa, value, size);
}

void pio_read_block(struct machine *m, uint32_t port, void *buf, unsigned int size, size_t count)
{
	space_read_block(m, port_at, port, buf, size, count, 0);
}

void pio_write_block(struct machine *m, uint32_t port, const void *buf, unsigned int size,
		     size_t count)
{
	space_write_block(m, port_at, port, buf, size, count, 0);
}

void mmio_read_block(struct machine *m, uint64_t gpa, void *buf, unsigned int size, size_t count)
{
	space_read_block(m, mmio_at, gpa, buf, size, count, size);
}

void mmio_write_block(struct machine *m, uint64_t gpa, const void *buf, unsigned int size,
		      size_t count)
{
	space_write_block(m, mmio_at, gpa, buf, size, count, size);
}
