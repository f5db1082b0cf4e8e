// SPDX-License-Identifier: GPL-2.0-or-later
/* The paging mode of a domain: chosen when it is created, and what both have in common. paging.h. */
#include "boot.h"
#include "shadow/shadow.h"
#include <xen/domctl.h>

/* Progress is a rare instruction away: more than this is none. */
#define STUCK_MAX 16U
/* Frames that are looked at under one hold of the lock. */
#define GIVE_UP_PIECE 64U
/* It is the same attempt when no more exits have come between. */
#define STUCK_EXITS 64U

bool paging_has_nested = true;

static int parse_hap(const char *value)
{
	return parse_bool(value, &paging_has_nested);
}
BOOT_OPTION(hap, "hap", parse_hap,
	    "nested paging; off: domains run on shadow tables, as without it (default on)");

bool paging_has_shadow(void)
{
	return host_cpu.nx;
}

bool paging_possible(const char *name)
{
	if (paging_has_nested || paging_has_shadow())
		return true;
	printk(LOG_ERR
	       "%s: without nested paging execute-disable (XD, NX) is needed, which this CPU lacks or "
	       "its firmware has switched off\n",
	       name);
	return false;
}

/* The processor has the guest's own registers. */
static void same_state(struct vcpu *v)
{
	(void)v;
}

const struct paging_mode paging_nested = { .hw_state = same_state };

int paging_domain_init(struct domain *d)
{
	if (d->create_flags & XEN_DOMCTL_CDF_hap) {
		d->paging = &paging_nested;
		return 0;
	}
	d->paging = &paging_shadow;
	return sh_domain_init(d);
}

int paging_teardown(struct domain *d)
{
	int rc;

	if (!d->sh)
		return 0;
	rc = sh_pool_drop(d->sh);
	return rc ? rc : sh_frames_drop(d->sh);
}

void paging_domain_fini(struct domain *d)
{
	sh_domain_fini(d);
}

int paging_vcpu_init(struct vcpu *v)
{
	v->hw = &v->guest_crs;
	return v->domain->sh ? sh_vcpu_init(v) : 0;
}

void paging_vcpu_fini(struct vcpu *v)
{
	sh_vcpu_fini(v);
}

int paging_pool_set(struct domain *d, uint64_t pages)
{
	int rc = 0;

	if (READ_ONCE(d->dying))
		return -ESRCH;
	if (!d->sh) {
		d->pool_pages = pages;
		return 0;
	}
	if (d->sh->nr_pages > ROUND_UP(pages, SH_CHUNK))
		return -EBUSY;
	if (d->sh->nr_pages < pages)
		rc = sh_pool_grow(d->sh);
	return !rc && d->sh->nr_pages < pages ? -ERESTART : rc;
}

uint64_t paging_pool(const struct domain *d)
{
	return d->sh ? d->sh->nr_pages : d->pool_pages;
}

unsigned int paging_change_piece(const struct domain *d)
{
	return d->sh ? 32 : P2M_PIECE;
}

unsigned int paging_take_piece(const struct domain *d)
{
	return d->sh ? 2 : P2M_PIECE;
}

/* What the faults of all vCPUs at once need, and a little to keep. */
bool paging_pool_suffices(const struct domain *d)
{
	return !d->sh || d->sh->nr_pages >= 64 + 32 * d->max_vcpus;
}

bool paging_prepare(struct domain *d, const struct frames *f)
{
	bool done = true;

	if (!d->sh)
		return true;
	spin_lock(&d->sh->lock);
	for (uint64_t g = ROUND_DOWN(f->first, SH_ENTRIES); done && g < frames_end(f);
	     g += SH_ENTRIES)
		done = sh_frame(d->sh, _gfn(g), true);
	spin_unlock(&d->sh->lock);
	return done;
}

void paging_give_up(struct domain *d, gfn_t gfn)
{
	paging_guest_wrote(d, gfn, 0, 0);
}

/* One table given up is enough for a piece. */
static uint64_t give_up_piece(struct sh_domain *s, const struct frames *f)
{
	uint64_t g;

	for (g = f->first; g < frames_end(f); g++) {
		const struct sh_set *set = sh_frame(s, _gfn(g), false);

		if (!set || !set->tables)
			continue;
		sh_give_up(s, _gfn(g++));
		break;
	}
	return g - f->first;
}

uint64_t paging_give_up_some(struct domain *d, const struct frames *f)
{
	struct frames piece = frames_part(f, 0, GIVE_UP_PIECE);
	struct sh_domain *s = d->sh;
	uint64_t n;

	if (!s)
		return f->nr;
	spin_lock(&s->lock);
	n = give_up_piece(s, &piece);
	sh_settle(s);
	spin_unlock(&s->lock);
	return n;
}

bool paging_give_up_for(struct vcpu *v, gfn_t gfn)
{
	struct sh_vcpu *sv = v->sh;
	bool again = sv->stuck_rip == v->regs.rip && sv->stuck_gfn.v == gfn.v &&
		     v->exits - sv->stuck_exit <= STUCK_EXITS;

	sv->stuck = again ? sv->stuck + 1 : 0;
	sv->stuck_rip = v->regs.rip;
	sv->stuck_gfn = gfn;
	sv->stuck_exit = v->exits;
	paging_give_up(v->domain, gfn);
	return sv->stuck < STUCK_MAX;
}
