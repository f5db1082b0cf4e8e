/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Grant tables against a hostile granter: a guest that changes its entries and its map at any time never gets
 * a page mapped that is not its own, never unpins what others use, and every pin is taken back. The guest's
 * side is written from xen/grant_table.h.
 */
#include "abi_test.h"
#include "vmm/domain/internal.h"

#define NR_REFS	 32U
#define NR_STEPS 200000U
#define NR_MAPS	 64U

#define GRANTER	 3
#define MAPPER	 5
#define STRANGER 7

static struct domain *granter(void)
{
	struct domain *d = mock_domain(GRANTER, 1, 1023);

	BUG_ON(grant_init(d, 2, 1));
	mock_own_all(d);
	return d;
}

static grant_entry_v1_t *entry(struct domain *d, grant_ref_t ref)
{
	return (grant_entry_v1_t *)page_to_virt(d->grant->frame[ref / GRANTS_PER_FRAME]) +
	       ref % GRANTS_PER_FRAME;
}

static void grant_it(struct domain *d, grant_ref_t ref, uint32_t gfn, uint16_t flags)
{
	*entry(d, ref) = (grant_entry_v1_t){ .flags = flags, .domid = MAPPER, .frame = gfn };
}

static void drop(struct domain *d)
{
	grant_fini(d);
	mock_domain_free(d);
}

TEST(grant_bits_follow_use)
{
	struct domain *d = granter();
	struct page *p;

	grant_it(d, 9, 4, GTF_permit_access);
	EXPECT(!grant_acquire(d, 9, MAPPER, true, &p));
	EXPECT(entry(d, 9)->flags == (GTF_permit_access | GTF_reading));
	EXPECT(!grant_acquire(d, 9, MAPPER, false, &p));
	EXPECT(entry(d, 9)->flags == (GTF_permit_access | GTF_reading | GTF_writing));
	EXPECT(p == mock_page_struct(4) && mock_refs(4) == 2);
	grant_release(d, 9, false);
	EXPECT(entry(d, 9)->flags == (GTF_permit_access | GTF_reading));
	grant_release(d, 9, true);
	EXPECT(entry(d, 9)->flags == GTF_permit_access && mock_refs(4) == 1);
	drop(d);
}

TEST(grant_refuses)
{
	struct domain *d = granter();
	struct page *p;

	grant_it(d, 8, 4, GTF_permit_access | GTF_readonly);
	EXPECT(grant_acquire(d, 8, MAPPER, false, &p) == GNTST_general_error);
	EXPECT(grant_acquire(d, 8, STRANGER, true, &p) == GNTST_general_error);
	EXPECT(grant_acquire(d, 2 * GRANTS_PER_FRAME, MAPPER, true, &p) == GNTST_bad_gntref);
	EXPECT(grant_acquire(d, ~0U, MAPPER, true, &p) == GNTST_bad_gntref);
	grant_it(d, 10, 4, GTF_invalid);
	EXPECT(grant_acquire(d, 10, MAPPER, true, &p) == GNTST_general_error);
	grant_it(d, 11, 4, GTF_permit_access | GTF_sub_page);
	EXPECT(grant_acquire(d, 11, MAPPER, true, &p) == GNTST_general_error);
	grant_it(d, 12, MOCK_PAGES + 5, GTF_permit_access);
	EXPECT(grant_acquire(d, 12, MAPPER, true, &p) == GNTST_bad_page);
	EXPECT(entry(d, 12)->flags == GTF_permit_access);
	mock_set_owner(6, NULL);
	grant_it(d, 13, 6, GTF_permit_access);
	EXPECT(grant_acquire(d, 13, MAPPER, true, &p) == GNTST_bad_page);
	EXPECT(mock_refs(6) == 1);
	/* In use by one domain: another one does not get it, even when the entry names it now. */
	grant_it(d, 14, 5, GTF_permit_access);
	EXPECT(!grant_acquire(d, 14, MAPPER, true, &p));
	entry(d, 14)->domid = STRANGER;
	EXPECT(grant_acquire(d, 14, STRANGER, true, &p) == GNTST_general_error);
	grant_release(d, 14, true);
	EXPECT(mock_refs(5) == 1);
	drop(d);
}

/* The entry is changed at random between the steps; pins and page references must agree with a model. */
TEST(grant_entries_change_under_use)
{
	struct {
		grant_ref_t ref;
		bool ro;
		struct page *p;
	} map[NR_MAPS];
	struct domain *d = granter();
	unsigned int used = 0, held[NR_REFS] = { 0 };
	struct page *first[NR_REFS] = { 0 };

	for (unsigned int step = 0; step < NR_STEPS; step++) {
		uint64_t r = unit_random();
		grant_ref_t ref = r % NR_REFS;
		struct page *p = NULL;
		bool ro = r >> 8 & 1;

		if (r >> 9 & 1) {
			grant_it(d, ref, r >> 16 & 127, (uint16_t)(r >> 32));
			entry(d, ref)->domid = r >> 10 & 1 ? MAPPER : STRANGER;
		} else if (used < NR_MAPS && (r >> 10 & 1)) {
			uint16_t flags = entry(d, ref)->flags;
			bool allowed = (flags & GTF_type_mask) == GTF_permit_access &&
				       !(flags & GTF_sub_page) && (ro || !(flags & GTF_readonly)) &&
				       entry(d, ref)->domid == MAPPER;

			if (grant_acquire(d, ref, MAPPER, ro, &p))
				continue;
			EXPECT(allowed || held[ref]);
			EXPECT(!held[ref] || p == first[ref]);
			first[ref] = p;
			held[ref]++;
			map[used].ref = ref;
			map[used].ro = ro;
			map[used++].p = p;
		} else if (used) {
			unsigned int at = r % used;

			EXPECT(map[at].p->refs >= 2);
			grant_release(d, map[at].ref, map[at].ro);
			held[map[at].ref]--;
			map[at] = map[--used];
		}
	}
	while (used--)
		grant_release(d, map[used].ref, map[used].ro);
	for (unsigned int i = 0; i < MOCK_PAGES; i++)
		EXPECT(mock_refs(i) == 1);
	drop(d);
}
