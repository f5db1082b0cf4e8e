/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs the cases; calls as a guest makes them. */
#include "cases.h"
#include "hvm_ops.h"
#include <xen/domctl.h>
#include <xen/memory.h>

#define CALL_NS NS_PER_US

static struct hc_case *cases;
static bool failed;

int cases_main(void);

void hc_register(struct hc_case *c)
{
	c->next = cases;
	cases = c;
}

void unexpected(const char *file, int line, const char *what, long value)
{
	host_printf("%s:%d: not %s, but %ld\n", file, line, what, value);
	failed = true;
}

struct domain *dom(domid_t id)
{
	struct domain *d = domain_get_by_id(id);

	BUG_ON(!d);
	domain_put(d);
	return d;
}

void *guest_page(domid_t id, uint64_t gfn)
{
	struct p2m_entry e = p2m_get(dom(id), _gfn(gfn));

	BUG_ON(!p2m_has_page(e.type));
	return mfn_to_virt(e.mfn);
}

long call_as(domid_t id, unsigned int vcpu, unsigned int nr, uint64_t a0, uint64_t a1, uint64_t a2,
	     uint64_t a3)
{
	struct vcpu *v = domain_vcpu(dom(id), vcpu);
	long rc;

	BUG_ON(!v || !machine_become(v, true));
	v->regs.gpr[X86_RAX] = nr;
	v->regs.gpr[X86_RDI] = a0;
	v->regs.gpr[X86_RSI] = a1;
	v->regs.gpr[X86_RDX] = a2;
	v->regs.gpr[X86_R10] = a3;
	machine_hypercall(v, 0);
	rc = (long)v->regs.gpr[X86_RAX];
	machine_pass(CALL_NS);
	check_machine();
	return rc;
}

long call_op(domid_t id, unsigned int nr, uint64_t cmd, void *arg, size_t size)
{
	void *at = guest_page(id, ARG_GFN);
	long rc;

	memcpy(at, arg, size);
	rc = call_as(id, 0, nr, cmd, ARG, 1, 0);
	memcpy(arg, at, size);
	return rc;
}

long domctl(uint32_t cmd, domid_t about, struct xen_domctl *op)
{
	void *at = guest_page(0, ARG_GFN);
	long rc;

	op->cmd = cmd;
	op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	op->domain = about;
	memcpy(at, op, sizeof(*op));
	rc = call_as(0, 0, __HYPERVISOR_domctl, ARG, 0, 0, 0);
	memcpy(op, at, sizeof(*op));
	return rc;
}

static long reserve_with(domid_t caller, domid_t about, unsigned int cmd, unsigned int flags,
			 uint64_t gfn, unsigned int nr)
{
	struct xen_memory_reservation r = { .nr_extents = nr, .domid = about, .mem_flags = flags };
	uint64_t *list = guest_page(caller, SCRATCH_GFN);

	BUG_ON(nr > (caller ? 1 : SCRATCH_NR) * PAGE_SIZE /
			    sizeof(*list)); /* dom0's pages lie side by side */
	for (unsigned int i = 0; i < nr; i++)
		list[i] = gfn + i;
	guest_handle_set(r.extent_start, LIST);
	return call_op(caller, __HYPERVISOR_memory_op, cmd, &r, sizeof(r));
}

long reserve(domid_t caller, domid_t about, unsigned int cmd, uint64_t gfn, unsigned int nr)
{
	return reserve_with(caller, about, cmd, 0, gfn, nr);
}

long populate_on_demand(domid_t about, uint64_t gfn, unsigned int nr)
{
	return reserve_with(0, about, XENMEM_populate_physmap, XENMEMF_populate_on_demand, gfn, nr);
}

int log_begin(domid_t id)
{
	int rc;

	do
		rc = logdirty_enable(dom(id));
	while (rc == -ERESTART);
	return rc;
}

uint64_t log_ask(domid_t id, unsigned int nr, uint8_t *map, bool clean)
{
	struct frames all = { 0, nr };
	uint64_t n, sum = 0;

	for (uint64_t at = 0; at < nr; at += P2M_PIECE) {
		struct frames f = frames_part(&all, at, P2M_PIECE);

		EXPECT(logdirty_read(dom(id), &f, map + at / 8, clean, &n), == 0);
		sum += n;
	}
	return sum;
}

void change_machine(const struct hvm_ops *to)
{
	machine_stop();
	hvm_ops = to;
	machine_on_flush = NULL;
	machine_start();
}

int cases_main(void)
{
	unsigned int bad = 0, good = 0;

	for (struct hc_case *c = cases; c; c = c->next) {
		failed = false;
		machine_start();
		c->run();
		machine_stop();
		if (failed)
			host_printf("%s failed\n", c->name);
		bad += failed;
		good += !failed;
	}
	host_result("check-hypercalls", good, bad);
	return bad != 0;
}
