// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * User calls (public/plinth_dm_op.h): a device model in domain 0 calls from user mode, and the kernel there has no
 * part in it. So a request costs two exits and two entries, and nothing of that kernel is held up: to it the
 * process computes, with interrupts on and no locks, and any event for the domain ends the call.
 *
 * A call may only do what the process could do by computing: spend its time. The right to spend it on a guest comes
 * from the page of request slots, which a handle that is restricted to that guest gave it; who has the page decides
 * what the guest's accesses get anyhow. It is looked for once, by the rights of user mode in the caller's own page
 * tables, and then the address space is known by CR3. One that ends may leave its CR3 to a process that comes later, which could
 * then run a guest whose device model is gone.
 */
#include "command.h"
#include "guest_access.h"
#include "pagetable.h"
#include "public/plinth_dm_op.h"
#include "vmm/hvm/hvm.h"

/* The page that v can write at la in user mode, held; or NULL. */
static struct page *users_page(struct vcpu *v, uint64_t la)
{
	uint32_t pfec;
	gpa_t at;

	if (la & ~PAGE_MASK || guest_walk(v, la, PFEC_U | PFEC_W, &at, &pfec))
		return NULL;
	return p2m_get_page(v->domain, gpa_to_gfn(at), true, NULL);
}

static int attach(struct vcpu *v, uint64_t arg, uint64_t la)
{
	struct page *slots = users_page(v, la);
	struct domain *d;
	int rc = -ESRCH;

	if (!slots)
		return -EFAULT;
	d = domain_get_by_id((domid_t)(arg >> 48));
	if (d) {
		rc = ioreq_server_attach(d, (uint16_t)(arg >> 32), slots, v->cr3 & PTE_ADDR);
		domain_put(d);
	}
	page_put(slots);
	return rc;
}

static int donate(struct vcpu *v, uint64_t arg)
{
	struct domain *d = domain_get_by_id((domid_t)(arg >> 48));
	int rc;

	if (!d)
		return -ESRCH;
	rc = ioreq_donate(d, (uint16_t)(arg >> 32), v->cr3 & PTE_ADDR, (uint16_t)(arg >> 16),
			  (uint16_t)arg);
	domain_put(d);
	return rc;
}

bool abi_user_call(struct vcpu *v)
{
	uint64_t *r = v->regs.gpr;

	if (!v->domain->is_dom0)
		return false;
	if (r[X86_RAX] == PLINTH_USER_DONATE)
		r[X86_RAX] = (uint64_t)donate(v, r[X86_RDI]);
	else if (r[X86_RAX] == PLINTH_USER_ATTACH)
		r[X86_RAX] = (uint64_t)attach(v, r[X86_RDI], r[X86_RSI]);
	else
		return false;
	return true;
}
