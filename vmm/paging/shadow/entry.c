// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Entries of shadow pages: rights, and what leads where. Each level has the rights of the guest's entry that it
 * mirrors, and the processor takes what they have in common, as it does with the guest's own. Accessed and dirty bits
 * are always set, so that no processor writes here.
 */
#include "shadow.h"

/* The index of uncached memory in VMM_PAT. */
#define SH_UC (SH_PWT | SH_PCD)

uint64_t sh_rights(const struct p2m_entry *e)
{
	uint64_t r = SH_P;

	if (e->access == P2M_ACCESS_N || !mfn_valid_value(e->mfn))
		return 0;
	if (e->type == P2M_MMIO_DIRECT)
		r |= SH_UC | SH_NX | SH_W;
	else if (!p2m_has_page(e->type))
		return 0;
	else if (!p2m_is_ram(e->type))
		r |= SH_NX;
	/* The first write to a frame that is logged is a fault. */
	if (p2m_is_writable(e->type) && e->type != P2M_RAM_LOGDIRTY)
		r |= SH_W;
	if (!p2m_access_writes(e->access))
		r &= ~SH_W;
	if (e->access == P2M_ACCESS_RW || e->access == P2M_ACCESS_R)
		r |= SH_NX;
	return r;
}

uint64_t sh_guest_rights(uint64_t pte, bool wide, bool leaf)
{
	uint64_t r = pte & (SH_U | SH_W);

	if (leaf && !(pte & SH_D))
		r &= ~SH_W;
	return wide ? r | (pte & SH_NX) : r;
}

bool sh_guest_leaf(const struct sh_domain *s, union sh_role role, uint64_t pte, gfn_t *gfn,
		   uint64_t *rights)
{
	const struct guest_paging g = { .wide = role.wide, .pae = role.pae, .nxe = role.nxe };

	if ((pte & (SH_P | SH_A)) != (SH_P | SH_A) || guest_entry_reserved(&g, 1, pte))
		return false;
	*gfn = _gfn((role.wide ? pte & SH_ADDR : pte & 0xfffff000) >> PAGE_SHIFT);
	*rights = sh_guest_rights(pte, role.wide, true) |
		  sh_cache_bits(sh_cache_number(s, role.cache, pte, 1));
	return true;
}

/* Whose reference an entry is. */
static struct sh_set *set_of(struct sh_domain *s, struct sh_page *p, unsigned int i)
{
	if (p->role.level > 1)
		return &sh_child(p->table[i])->parents;
	return sh_frame(s, p->names ? _gfn(p->names->table[i]) : gfn_add(p->gfn, i), false);
}

void sh_entry_clear(struct sh_domain *s, struct sh_page *p, unsigned int i)
{
	struct sh_set *set;

	if (!p->table[i])
		return;
	set = set_of(s, p, i);
	WRITE_ONCE(p->table[i], 0);
	p->present--;
	sh_set_del(s, set, &p->table[i]);
}

/* Where nothing was, or the same with other rights. */
static void put(struct sh_page *p, unsigned int i, uint64_t entry)
{
	p->present += !p->table[i];
	WRITE_ONCE(p->table[i], entry);
}

static bool add_reference(struct sh_domain *s, struct sh_set *set, uint64_t *entry)
{
	uint64_t *old;

	if (unlikely(sh_set_is_full(set))) {
		old = sh_set_victim(s, set);
		sh_entry_clear(s, sh_page_of(old), sh_index_of(old));
	}
	return sh_set_add(s, set, entry);
}

bool sh_entry_set_leaf(struct sh_domain *s, struct sh_page *p, unsigned int i, gfn_t gfn,
		       const struct p2m_entry *e, uint64_t rights)
{
	uint64_t allowed = sh_rights(e), entry = SH_P | SH_A | SH_D | mfn_to_maddr(e->mfn).v;
	struct sh_set *f = sh_frame(s, gfn, true);

	if (!f)
		return false;
	if (f->tables)
		allowed &= ~SH_W;
	entry |= (rights & SH_U) | (rights & allowed & SH_W) | ((rights | allowed) & SH_NX) |
		 ((s->d->is_dom0 ? rights : allowed) & SH_CACHE);
	if (p->table[i] == entry && (!p->names || p->names->table[i] == gfn.v))
		return true;
	sh_entry_clear(s, p, i);
	if (!add_reference(s, f, &p->table[i]))
		return false;
	if (p->names)
		p->names->table[i] = gfn.v;
	put(p, i, entry);
	return true;
}

bool sh_entry_set_table(struct sh_domain *s, struct sh_page *p, unsigned int i,
			struct sh_page *child, uint64_t rights)
{
	uint64_t entry = sh_maddr(child).v | SH_P | SH_A | rights;

	if (p->table[i] == entry)
		return true;
	sh_entry_clear(s, p, i);
	if (!add_reference(s, &child->parents, &p->table[i]))
		return false;
	put(p, i, entry);
	return true;
}
