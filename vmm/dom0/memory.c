// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dom0's machine memory: which RAM is its own, mapped one to one, and where the deliberate hole lies in
 * which Linux puts grant and foreign mappings.
 *
 * Linux 6.1 takes address space for such mappings from the lowest gap of its resource tree, in 128 MiB
 * blocks, before it knows the PCI windows; RESERVED ranges do not keep it away. So RAM that is not dom0's
 * is left out of its map altogether, below the PCI window, and the gap is closed by a fence of UNUSABLE,
 * which is busy in the tree. Linux 6.12 turns UNUSABLE into such address space, so the fence is small.
 */
#include "internal.h"
#include "lib/x86_apic.h"

#define HOLE_ALIGN   MIB(128)
#define HOLE_WANTED  MIB(512)
#define HOLE_MIN     MIB(128)
#define FENCE_BYTES  MIB(2)
#define GIB4	     GIB(4)
#define DOM0_DEFAULT MIB(1024)
#define DOM0_MIN     MIB(192)

struct dom0_layout dom0_layout;
static uint64_t wanted_bytes;

/* dom0_mem=SIZE[,min:..][,max:..]: dom0 neither grows nor shrinks, so only the first counts. */
static int parse_dom0_mem(const char *value)
{
	char buf[32];
	size_t n = 0;

	while (value[n] && value[n] != ',' && n < sizeof(buf) - 1) {
		buf[n] = value[n];
		n++;
	}
	buf[n] = 0;
	return parse_size(!strncmp(buf, "max:", 4) ? buf + 4 : buf, &wanted_bytes);
}
BOOT_OPTION(dom0_mem, "dom0_mem", parse_dom0_mem, "memory of dom0, e.g. 1024M (default 1 GiB)");

static uint64_t low_ram_top(void)
{
	uint64_t top = 0;

	for (unsigned int i = 0; i < host_e820.nr; i++) {
		const struct e820_entry *e = &host_e820.e[i];

		if (e->type == E820_RAM && e->addr < GIB4)
			top = max(top, min(e->addr + e->len, (uint64_t)GIB4));
	}
	return ROUND_DOWN(top, MIB(2));
}

static uint64_t ram_between(uint64_t from, uint64_t to)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < host_e820.nr; i++) {
		const struct e820_entry *e = &host_e820.e[i];
		uint64_t s = max(e->addr, from), t = min(e->addr + e->len, to);

		if (e->type == E820_RAM && s < t)
			sum += t - s;
	}
	return sum;
}

static void add_entry(uint64_t addr, uint64_t len, uint32_t type)
{
	struct e820_map *m = &dom0_layout.e820;

	if (m->nr == E820_MAX)
		panic("dom0: memory map has more than %u entries", E820_MAX);
	m->e[m->nr++] = (struct e820_entry){ .addr = addr, .len = len, .type = type };
}

/* Entries stay sorted by address. */
static void sort_map(void)
{
	struct e820_map *m = &dom0_layout.e820;

	for (unsigned int i = 1; i < m->nr; i++) {
		struct e820_entry e = m->e[i];
		unsigned int j = i;

		for (; j && m->e[j - 1].addr > e.addr; j--)
			m->e[j] = m->e[j - 1];
		m->e[j] = e;
	}
}

void dom0_layout_carve(uint64_t start, uint64_t len, uint32_t type)
{
	struct e820_map *m = &dom0_layout.e820;

	for (unsigned int i = 0; i < m->nr; i++) {
		struct e820_entry e = m->e[i];

		if (e.type != E820_RAM || start < e.addr || start + len > e.addr + e.len)
			continue;
		m->e[i].addr = start;
		m->e[i].len = len;
		m->e[i].type = type;
		if (start > e.addr)
			add_entry(e.addr, start - e.addr, E820_RAM);
		if (start + len < e.addr + e.len)
			add_entry(start + len, e.addr + e.len - start - len, E820_RAM);
		sort_map();
		return;
	}
	panic("dom0: %lx+%lx is not RAM of dom0", start, len);
}

/* Gives dom0 the RAM of [from, to), at most `budget` bytes; returns what it took. */
static uint64_t take_ram(uint64_t from, uint64_t to, uint64_t budget)
{
	uint64_t taken = 0;

	for (unsigned int i = 0; i < host_e820.nr && taken < budget; i++) {
		const struct e820_entry *e = &host_e820.e[i];
		uint64_t s = ROUND_UP(max(e->addr, from), PAGE_SIZE);
		uint64_t t = ROUND_DOWN(min(e->addr + e->len, to), PAGE_SIZE);

		if (e->type != E820_RAM || s >= t)
			continue;
		t = min(t, s + budget - taken);
		add_entry(s, t - s, E820_RAM);
		taken += t - s;
	}
	return taken;
}

static void choose_hole(uint64_t top)
{
	uint64_t hole = HOLE_WANTED;

	for (;; hole /= 2) {
		dom0_layout.hole_start = top > hole + FENCE_BYTES
						 ? ROUND_DOWN(top - FENCE_BYTES - hole, HOLE_ALIGN)
						 : 0;
		if (ram_between(0, dom0_layout.hole_start) >= wanted_bytes ||
		    ram_between(GIB4, ~0ULL) + ram_between(0, dom0_layout.hole_start) >=
			    wanted_bytes ||
		    hole == HOLE_MIN)
			break;
	}
	dom0_layout.hole_end = top - FENCE_BYTES;
	dom0_layout.fence_end = top;
}

static void copy_reserved(void)
{
	for (unsigned int i = 0; i < host_e820.nr; i++) {
		const struct e820_entry *e = &host_e820.e[i];

		if (e->type != E820_RAM)
			add_entry(e->addr, e->len, e->type);
	}
}

static void find_kernel_range(void)
{
	for (unsigned int i = 0; i < dom0_layout.e820.nr; i++) {
		const struct e820_entry *e = &dom0_layout.e820.e[i];

		if (e->type == E820_RAM && e->addr <= MIB(16) && e->addr + e->len > MIB(16)) {
			dom0_layout.low_start = e->addr;
			dom0_layout.low_end = e->addr + e->len;
		}
	}
	if (dom0_layout.low_end < DOM0_MIN)
		panic("dom0: needs at least %lu MiB below 4 GiB", DOM0_MIN >> 20);
}

static uint64_t low_end_so_far(void)
{
	uint64_t end = 0;

	for (unsigned int i = 0; i < dom0_layout.e820.nr; i++)
		if (dom0_layout.e820.e[i].addr < GIB4)
			end = max(end, dom0_layout.e820.e[i].addr + dom0_layout.e820.e[i].len);
	return end;
}

/* The VMM's image and what else is in use already: RESERVED for dom0, because 6.12 would use UNUSABLE. */
static void leave_out_used_pages(void)
{
	for (unsigned int i = 0; i < dom0_layout.e820.nr; i++) {
		struct e820_entry e = dom0_layout.e820.e[i];
		uint64_t a, end = e.addr + e.len;

		if (e.type != E820_RAM)
			continue;
		for (a = e.addr; a < end && !mm_range_in_use(_maddr(a), PAGE_SIZE); a += PAGE_SIZE)
			;
		if (a == end)
			continue;
		for (end = a; end < e.addr + e.len && mm_range_in_use(_maddr(end), PAGE_SIZE);
		     end += PAGE_SIZE)
			;
		dom0_layout_carve(a, end - a, E820_RESERVED);
		dom0_layout.ram_bytes -= end - a;
		i = ~0U; /* entries have moved: begin again */
	}
}

static void reserve_ram(void)
{
	for (unsigned int i = 0; i < dom0_layout.e820.nr; i++) {
		const struct e820_entry *e = &dom0_layout.e820.e[i];

		if (e->type == E820_RAM && !mm_reserve_range(_maddr(e->addr), e->len))
			panic("dom0: RAM at %lx+%lx is taken", e->addr, e->len);
	}
}

extern char _image_start[], _image_end[];

void dom0_reserve_memory(void)
{
	uint64_t top = low_ram_top();
	uint64_t low;

	if (!wanted_bytes)
		wanted_bytes = DOM0_DEFAULT;
	wanted_bytes = ROUND_UP(max(wanted_bytes, (uint64_t)DOM0_MIN), MIB(2));
	choose_hole(top);
	low = take_ram(0, dom0_layout.hole_start, wanted_bytes);
	dom0_layout.ram_bytes = low + take_ram(GIB4, ~0ULL, wanted_bytes - low);
	dom0_layout.hole_start = ROUND_UP(low_end_so_far(), HOLE_ALIGN);
	copy_reserved();
	add_entry(dom0_layout.hole_end, FENCE_BYTES, E820_UNUSABLE);
	sort_map();
	leave_out_used_pages();
	reserve_ram();
	find_kernel_range();
	if (dom0_layout.ram_bytes + MIB(16) < wanted_bytes)
		printk(LOG_WARN "dom0: dom0_mem=%luM cannot be had, %luM given\n",
		       wanted_bytes >> 20, dom0_layout.ram_bytes >> 20);
	printk(LOG_INFO "dom0: %lu MiB, hole for foreign mappings %lx-%lx\n",
	       dom0_layout.ram_bytes >> 20, dom0_layout.hole_start, dom0_layout.hole_end - 1);
}

static bool in_map(uint64_t addr, uint32_t type)
{
	for (unsigned int i = 0; i < dom0_layout.e820.nr; i++) {
		const struct e820_entry *e = &dom0_layout.e820.e[i];

		if (e->type == type && addr >= e->addr && addr - e->addr < e->len)
			return true;
	}
	return false;
}

/* Machine frames of dom0's own memory (dom0 never loses them). */
static bool dom0_owns_mfn(mfn_t mfn)
{
	uint64_t a = mfn_to_maddr(mfn).v;

	return in_map(a, E820_RAM) ||
	       (in_map(a, E820_ACPI) && a >= dom0_layout.low_start && a < dom0_layout.low_end);
}

static bool host_ram(uint64_t addr)
{
	return ram_between(addr, addr + PAGE_SIZE) != 0;
}

/* Foreign and grant frames go into holes and to RAM that dom0 has unmapped, never over devices. */
static int may_map(gfn_t gfn)
{
	uint64_t a = gfn_to_gpa(gfn).v;
	enum p2m_type t = p2m_get(dom0, gfn).type;

	if (!(a >= dom0_layout.hole_start && a < dom0_layout.fence_end) && !host_ram(a)) {
		printk(LOG_ERR "dom0: refused to map a frame at %lx, which is device space\n", a);
		return -EBUSY;
	}
	if (virt_to_maddr(_image_start).v <= a && a < virt_to_maddr(_image_end).v)
		return -EBUSY;
	return t == P2M_INVALID || t == P2M_FOREIGN || p2m_is_grant(t) || t == P2M_RAM_RW ? 0
											  : -EBUSY;
}

/* Largest piece around gfn that holds no RAM: 2 MiB, or the page alone. */
static bool map_mmio(struct domain *d, gfn_t gfn)
{
	uint64_t a = gfn_to_gpa(gfn).v, big = ROUND_DOWN(a, MIB(2));
	unsigned int order = ORDER_4K;

	if (host_ram(a) || (a >> PAGE_SHIFT) == (APIC_DEFAULT_BASE >> PAGE_SHIFT) ||
	    a >> host_cpu.phys_bits)
		return false;
	if (!ram_between(big, big + MIB(2)) &&
	    !(big <= APIC_DEFAULT_BASE && APIC_DEFAULT_BASE < big + MIB(2)) &&
	    p2m_get(d, gfn).order >= ORDER_2M)
		order = ORDER_2M;
	gfn = _gfn(gfn.v & ~(BIT(order) - 1));
	return p2m_set(d, gfn, _mfn(gfn.v), order, P2M_MMIO_DIRECT, P2M_ACCESS_RWX) == 0;
}

const struct p2m_hooks dom0_p2m_hooks = { map_mmio, may_map, dom0_owns_mfn };
