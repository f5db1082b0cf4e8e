// SPDX-License-Identifier: GPL-2.0-or-later
/* Copies between the VMM and guest memory: by guest-physical address and through guest page tables. */
#include "domain.h"
#include "guest_access.h"
#include "hvm_ops.h"
#include "paging.h"

enum direction { FROM_GUEST, TO_GUEST };

/* Within one page. */
static int copy_page(struct domain *d, gpa_t gpa, void *buf, size_t len, enum direction dir)
{
	enum p2m_type t;
	struct page *pg = p2m_get_page(d, gpa_to_gfn(gpa), dir == TO_GUEST, &t);
	uint8_t *at;

	if (!pg && dir == FROM_GUEST && t == P2M_POD) {
		memset(buf, 0, len);
		return 0;
	}
	if (!pg)
		return -ENXIO;
	at = (uint8_t *)page_to_virt(pg) + (gpa.v & ~PAGE_MASK);
	if (dir == TO_GUEST) {
		memcpy(at, buf, len);
		logdirty_wrote(d, gpa_to_gfn(gpa));
		paging_guest_wrote(d, gpa_to_gfn(gpa), gpa.v & ~PAGE_MASK, (unsigned int)len);
	} else {
		memcpy(buf, at, len);
	}
	page_put(pg);
	return 0;
}

static int copy_phys(struct domain *d, gpa_t gpa, void *buf, size_t len, enum direction dir)
{
	while (len) {
		size_t n = min(len, (size_t)(PAGE_SIZE - (gpa.v & ~PAGE_MASK)));

		if (copy_page(d, gpa, buf, n, dir))
			return -EFAULT;
		gpa.v += n;
		buf = (uint8_t *)buf + n;
		len -= n;
	}
	return 0;
}

int guest_phys_read(struct domain *d, gpa_t gpa, void *buf, size_t len)
{
	return copy_phys(d, gpa, buf, len, FROM_GUEST);
}

int guest_phys_write(struct domain *d, gpa_t gpa, const void *buf, size_t len)
{
	return copy_phys(d, gpa, (void *)buf, len, TO_GUEST);
}

typedef int (*walk_fn)(struct vcpu *v, uint64_t la, uint32_t access, gpa_t *gpa, uint32_t *pfec);

static int copy_linear(struct vcpu *v, uint64_t la, void *buf, size_t len, uint32_t access,
		       walk_fn walk, struct guest_fault *fault)
{
	enum direction dir = access & PFEC_W ? TO_GUEST : FROM_GUEST;
	uint32_t pfec = 0;
	gpa_t gpa = _gpa(0);

	if (hvm_cpl(v) == 3)
		access |= PFEC_U;
	while (len) {
		size_t n = min(len, (size_t)(PAGE_SIZE - (la & ~PAGE_MASK)));
		int rc = walk(v, la, access, &gpa, &pfec);

		if (!rc)
			rc = copy_page(v->domain, gpa, buf, n, dir);
		if (rc) {
			if (fault)
				*fault = (struct guest_fault){ .la = la, .pfec = pfec, .gpa = gpa };
			return rc;
		}
		la += n;
		buf = (uint8_t *)buf + n;
		len -= n;
	}
	return 0;
}

int guest_linear_copy(struct vcpu *v, uint64_t la, void *buf, size_t len, uint32_t access,
		      struct guest_fault *fault)
{
	return copy_linear(v, la, buf, len, access, guest_walk, fault);
}

bool guest_code_window(struct vcpu *v, uint64_t la, uint64_t word[2])
{
	uint32_t pfec, access = PFEC_I | (hvm_cpl(v) == 3 ? PFEC_U : 0);
	const uint64_t *at;
	struct page *pg;
	gpa_t gpa;

	if ((la & ~PAGE_MASK) > PAGE_SIZE - 2 * sizeof(word[0]) ||
	    guest_walk(v, la, access, &gpa, &pfec))
		return false;
	pg = p2m_get_page(v->domain, gpa_to_gfn(gpa), false, NULL);
	if (!pg)
		return false;
	at = (const void *)((uint8_t *)page_to_virt(pg) + (gpa.v & ~PAGE_MASK));
	word[0] = READ_ONCE(at[0]);
	word[1] = READ_ONCE(at[1]);
	page_put(pg);
	return true;
}

/*
 * Pages that the hypercall being executed has reached before. A processor may use a translation until the
 * guest invalidates it, and the calling vCPU cannot do that before it gets its result.
 */
static int walk_reached(struct vcpu *v, uint64_t la, uint32_t access, gpa_t *gpa, uint32_t *pfec)
{
	struct call *c = this_call();
	unsigned int i = (la >> PAGE_SHIFT) % CALL_REACHED;
	uint64_t page = la & PAGE_MASK;
	uint32_t allows;
	int rc;

	if (unlikely(c->v != v))
		return guest_walk(v, la, access, gpa, pfec);

	/* A page that may be written may be read. */
	if (c->reached[i].number != c->number || c->reached[i].page != page ||
	    (access & ~c->reached[i].access)) {
		rc = guest_walk_allows(v, la, access, gpa, pfec, &allows);
		if (rc)
			return rc;
		c->reached[i].number = c->number;
		c->reached[i].page = page;
		c->reached[i].access = allows;
		c->reached[i].gpa = _gpa(gpa->v & PAGE_MASK);
	}
	*gpa = _gpa(c->reached[i].gpa.v | (la & ~PAGE_MASK));
	return 0;
}

/* 32-bit callers pass 32-bit addresses; anything above is not theirs. */
static uint64_t handle_la(struct vcpu *v, uint64_t la)
{
	return hvm_code64(v) ? la : (uint32_t)la;
}

int copy_from_guest_la(void *dst, uint64_t la, size_t len)
{
	struct vcpu *v = current_vcpu();

	return copy_linear(v, handle_la(v, la), dst, len, 0, walk_reached, NULL) ? -EFAULT : 0;
}

int copy_to_guest_la(uint64_t la, const void *src, size_t len)
{
	struct vcpu *v = current_vcpu();

	return copy_linear(v, handle_la(v, la), (void *)src, len, PFEC_W, walk_reached, NULL)
		       ? -EFAULT
		       : 0;
}
