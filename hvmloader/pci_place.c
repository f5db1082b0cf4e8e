/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Choosing addresses for BARs. Big ones first, each at a multiple of its size, so that nothing is
 * lost between them. The window below 4 GiB starts where the configuration says (0xf0000000 unless
 * told otherwise) and grows down, in the steps of power-of-two sizes that MTRRs like, as far as RAM
 * allows; what still does not fit moves above RAM if its BAR is a 64-bit one, the biggest first.
 */
#include "pci.h"
#include "layout.h"
#include "util.h"

#define FOUR_GIB UINT64_C(0x100000000)

struct window {
	uint64_t next, end;
	const struct pci_limits *lim;
};

static bool overlaps(const struct e820_range *r, uint64_t start, uint64_t size)
{
	return r->type != E820_TYPE_RAM && r->start < start + size && start < r->start + r->size;
}

/* Take size bytes from the window. Returns false when it is full. */
static bool take(struct window *w, uint64_t size, uint64_t *addr)
{
	uint64_t at = ALIGN_UP(w->next, size);

	for (uint32_t i = 0; i < w->lim->nr_avoid;) {
		const struct e820_range *r = &w->lim->avoid[i];

		if (at < w->next || at > w->end || size > w->end - at)
			return false;
		if (overlaps(r, at, size)) {
			at = ALIGN_UP(r->start + r->size, size);
			i = 0;
		} else {
			i++;
		}
	}
	if (at < w->next || at > w->end || size > w->end - at)
		return false;
	*addr = at;
	w->next = at + size;
	return true;
}

static void sort_by_size(struct pci_state *s)
{
	for (uint32_t i = 1; i < s->nr_bars; i++) {
		struct pci_bar b = s->bar[i];
		uint32_t j = i;

		for (; j && s->bar[j - 1].size < b.size; j--)
			s->bar[j] = s->bar[j - 1];
		s->bar[j] = b;
	}
}

/* Place every memory BAR that is not high[] into [start, end). Returns how many did not fit. */
static uint32_t place_low(struct pci_state *s, const struct pci_limits *lim, uint64_t start,
			  const bool *high)
{
	struct window w = { start, PCI_MEM_END, lim };
	uint32_t left = 0;

	for (uint32_t i = 0; i < s->nr_bars; i++) {
		struct pci_bar *b = &s->bar[i];

		if (b->kind == PCI_BAR_IO || high[i])
			continue;
		b->placed = take(&w, b->size, &b->addr);
		left += !b->placed;
	}
	return left;
}

static uint64_t choose_low_window(struct pci_state *s, const struct pci_limits *lim,
				  const bool *high)
{
	uint64_t start = lim->mem_start;

	while (place_low(s, lim, start, high)) {
		uint64_t lower = FOUR_GIB - 2 * (FOUR_GIB - start);

		if (start <= PCI_MEM_START_LOWEST || lower < PCI_MEM_START_LOWEST ||
		    lower < lim->low_ram_end)
			break;
		start = lower;
	}
	return start;
}

static void place_memory(struct pci_state *s, const struct pci_limits *lim)
{
	bool high[PCI_BARS_MAX] = { false };
	struct window w = { lim->high_start, lim->high_end, lim };
	uint32_t i = 0;

	s->mem_start = choose_low_window(s, lim, high);
	s->mem_end = PCI_MEM_END;
	while (i < s->nr_bars && place_low(s, lim, s->mem_start, high)) {
		while (i < s->nr_bars && !(s->bar[i].kind == PCI_BAR_MEM && s->bar[i].is_64bit))
			i++;
		if (i < s->nr_bars)
			high[i++] = true;
	}
	place_low(s, lim, s->mem_start, high);
	s->high_start = s->high_end = 0;
	for (i = 0; i < s->nr_bars; i++) {
		if (!high[i])
			continue;
		s->bar[i].placed = take(&w, s->bar[i].size, &s->bar[i].addr);
		if (!s->bar[i].placed)
			continue;
		if (s->high_start == s->high_end)
			s->high_start = s->bar[i].addr;
		s->high_end = w.next;
	}
}

static void place_io(struct pci_state *s)
{
	uint64_t next = PCI_IO_START;

	for (uint32_t i = 0; i < s->nr_bars; i++) {
		struct pci_bar *b = &s->bar[i];
		uint64_t at = ALIGN_UP(next, b->size);

		if (b->kind != PCI_BAR_IO)
			continue;
		b->placed = at + b->size <= PCI_IO_END;
		if (!b->placed)
			continue;
		b->addr = at;
		next = at + b->size;
	}
	s->io_next = next;
}

void pci_place(struct pci_state *s, const struct pci_limits *lim)
{
	sort_by_size(s);
	place_memory(s, lim);
	place_io(s);
	s->nr_unplaced = 0;
	for (uint32_t i = 0; i < s->nr_bars; i++)
		s->nr_unplaced += !s->bar[i].placed;
}
