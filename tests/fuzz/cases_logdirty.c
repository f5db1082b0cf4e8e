// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which frames were written (paging/logdirty.c, vram.c), with nested page tables of both vendors and a model of
 * what hardware does on a write: set the dirty bit of the leaf, where there is one, or fault.
 */
#include "cases.h"
#include "hvm_ops.h"
#include "vmx/controls.h"

#define TRACKED_FIRST 16U
#define TRACKED_NR    32U
#define LARGE_GFN     1024U
#define BITMAP_GFNS   2048U

extern const struct p2m_format svm_npt_format;
extern struct p2m_format vmx_ept_format;
void vmx_ept_init(const struct vmx_controls *c);

static struct hvm_ops ops;
static unsigned int flushes;

static void count_flush(struct domain *d)
{
	(void)d;
	flushes++;
}

/* The entry that translates gfn, as hardware finds it: bit 0 present, bit 7 a large page, in both formats. */
static uint64_t *hw_leaf(struct domain *d, uint64_t gfn)
{
	uint64_t *table = page_to_virt(d->p2m.root), *e;

	for (unsigned int level = 4;; level--) {
		e = &table[gfn >> (9 * (level - 1)) & 511];
		if (!(*e & 1))
			return NULL;
		if (level == 1 || (*e & BIT(7)))
			return e;
		table = maddr_to_virt(_maddr(*e & 0x000ffffffffff000ULL));
	}
}

/* A write by the guest. Bit 1 allows it in both formats. False: nothing resolves the fault. */
static bool hw_write(struct domain *d, uint64_t gfn)
{
	struct npt_fault f = { .gpa = _gpa(gfn << PAGE_SHIFT), .write = true };
	uint64_t *e = hw_leaf(d, gfn);

	for (unsigned int tries = 0; !e || !(*e & BIT(1)); tries++) {
		if (tries == 2 || !p2m_fault(d->vcpu[0], &f))
			return false;
		e = hw_leaf(d, gfn);
	}
	*e |= d->p2m.fmt->dirty;
	return true;
}

static bool bit(const uint8_t *map, uint64_t n)
{
	return map[n / 8] >> (n % 8) & 1;
}

static unsigned int count(const uint8_t *map, unsigned int nr)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < nr; i++)
		n += bit(map, i);
	return n;
}

static unsigned int ask_vram(struct domain *d, uint8_t *map)
{
	const struct frames f = { TRACKED_FIRST, TRACKED_NR };

	EXPECT(vram_track(d, &f, map), == 0);
	return count(map, TRACKED_NR);
}

static uint64_t ask_log(struct domain *d, uint8_t *map, bool clean)
{
	uint64_t n = log_ask(d->domid, BITMAP_GFNS, map, clean);

	EXPECT(n, == count(map, BITMAP_GFNS));
	return n;
}

static void on_machine_with(const struct p2m_format *fmt, void (*test)(void))
{
	ops = fake_hvm_ops;
	ops.p2m_format = fmt;
	change_machine(&ops);
	machine_on_flush = count_flush;
	test();
}

static void for_each_format(void (*test)(void))
{
	struct vmx_controls with = { .max_leaf_level = 3, .ept_dirty = true };
	struct vmx_controls without = { .max_leaf_level = 2 };

	on_machine_with(&svm_npt_format, test);
	vmx_ept_init(&with);
	on_machine_with(&vmx_ept_format, test);
	vmx_ept_init(&without);
	on_machine_with(&vmx_ept_format, test);
	change_machine(&fake_hvm_ops);
}

static void video_memory(void)
{
	struct domain *d = dom(DOMID_B);
	uint8_t map[TRACKED_NR / 8];
	unsigned int before;

	EXPECT(ask_vram(d, map), == TRACKED_NR);
	EXPECT(ask_vram(d, map), == 0);
	EXPECT(hw_write(d, TRACKED_FIRST + 3), == true);
	EXPECT(hw_write(d, TRACKED_FIRST + 3), == true);
	EXPECT(hw_write(d, TRACKED_FIRST - 1), == true);
	before = flushes;
	EXPECT(ask_vram(d, map), == 1);
	EXPECT(bit(map, 3), == true);
	EXPECT(flushes, > before); /* or a stale translation would let the next write pass unseen */
	EXPECT(ask_vram(d, map), == 0);
	EXPECT(hw_write(d, TRACKED_FIRST + 3), == true);
	EXPECT(hw_write(d, TRACKED_FIRST + TRACKED_NR - 1), == true);
	EXPECT(ask_vram(d, map), == 2);
	EXPECT(bit(map, 3), == true);
	EXPECT(bit(map, TRACKED_NR - 1), == true);
	vram_track_stop(d);
	EXPECT(hw_write(d, TRACKED_FIRST), == true);
}

CASE(written_video_memory)
{
	for_each_format(video_memory);
}

static void both_at_once(void)
{
	struct domain *d = dom(DOMID_B);
	uint8_t vram[TRACKED_NR / 8], map[BITMAP_GFNS / 8];

	ask_vram(d, vram);
	EXPECT(log_begin(d->domid), == 0);
	EXPECT(ask_log(d, map, true), == 0);
	EXPECT(hw_write(d, TRACKED_FIRST + 5), == true);
	EXPECT(hw_write(d, 2), == true);
	EXPECT(ask_log(d, map, false), == 2);
	EXPECT(bit(map, 2), == true);
	EXPECT(bit(map, TRACKED_FIRST + 5), == true);
	EXPECT(ask_vram(d, vram), == 1);
	EXPECT(bit(vram, 5), == true);
	EXPECT(ask_log(d, map, true), == 2);
	EXPECT(ask_vram(d, vram), == 0);
	EXPECT(ask_log(d, map, true), == 0);
	EXPECT(hw_write(d, TRACKED_FIRST + 6), == true);
	vram_track_stop(d);
	EXPECT(hw_write(d, TRACKED_FIRST + 7), == true); /* still logged */
	EXPECT(ask_log(d, map, true), == 2);
	EXPECT(bit(map, TRACKED_FIRST + 6), == true);
	EXPECT(bit(map, TRACKED_FIRST + 7), == true);
	logdirty_disable(d);
	EXPECT(hw_write(d, 2), == true);
}

CASE(video_memory_while_all_is_logged)
{
	for_each_format(both_at_once);
}

/* A frame that is written and then of another type, or gone, was written all the same. */
static void replaced(void)
{
	struct domain *d = dom(DOMID_B);
	uint8_t map[BITMAP_GFNS / 8];

	EXPECT(log_begin(d->domid), == 0);
	EXPECT(hw_write(d, 4), == true);
	EXPECT(hw_write(d, 5), == true);
	EXPECT(p2m_change_type(d, _gfn(4), p2m_get(d, _gfn(4)).type, P2M_RAM_RO), == 0);
	EXPECT(hw_write(d, 4), == 0);
	EXPECT(ask_log(d, map, true), == 2);
	EXPECT(bit(map, 4), == true);
	EXPECT(bit(map, 5), == true);
	EXPECT(p2m_change_type(d, _gfn(4), P2M_RAM_RO, P2M_RAM_RW), == 0);
}

CASE(logged_frame_changes_its_type)
{
	for_each_format(replaced);
}

/* Memory that is given while all is logged may be one large page. */
static void large(void)
{
	struct domain *d = dom(0);
	uint8_t map[BITMAP_GFNS / 8];

	EXPECT(p2m_set(d, _gfn(BITMAP_GFNS - 1), _mfn(0), 0, P2M_RAM_RW, P2M_ACCESS_RWX), == 0);
	EXPECT(log_begin(d->domid), == 0);
	EXPECT(p2m_set(d, _gfn(LARGE_GFN), _mfn(0), 9, P2M_RAM_RW, P2M_ACCESS_RWX), == 0);
	EXPECT(p2m_get(d, _gfn(LARGE_GFN)).type, == P2M_RAM_LOGDIRTY);
	EXPECT(ask_log(d, map, true), == 512);
	EXPECT(bit(map, LARGE_GFN), == true);
	EXPECT(bit(map, LARGE_GFN + 511), == true);
	EXPECT(ask_log(d, map, true), == 0);
	EXPECT(hw_write(d, LARGE_GFN + 7), == true);
	EXPECT(ask_log(d, map, false), >= 1);
	EXPECT(bit(map, LARGE_GFN + 7), == true);
	EXPECT(ask_log(d, map, true), >= 1);
	EXPECT(bit(map, LARGE_GFN + 7), == true);
	EXPECT(hw_write(d, LARGE_GFN + 8), == true);
	/* Split by a change in its middle. */
	EXPECT(p2m_set(d, _gfn(LARGE_GFN + 9), INVALID_MFN, 0, P2M_INVALID, P2M_ACCESS_RWX), == 0);
	EXPECT(ask_log(d, map, true), >= 1);
	EXPECT(bit(map, LARGE_GFN + 8), == true);
	EXPECT(ask_log(d, map, true), == 0);
	EXPECT(hw_write(d, LARGE_GFN + 10), == true);
	EXPECT(ask_log(d, map, true), == 1);
	EXPECT(bit(map, LARGE_GFN + 10), == true);
	logdirty_disable(d);
	EXPECT(p2m_set(d, _gfn(LARGE_GFN), INVALID_MFN, 9, P2M_INVALID, P2M_ACCESS_RWX), == 0);
	EXPECT(p2m_set(d, _gfn(BITMAP_GFNS - 1), INVALID_MFN, 0, P2M_INVALID, P2M_ACCESS_RWX),
	       == 0);
}

CASE(logged_large_page)
{
	for_each_format(large);
}
