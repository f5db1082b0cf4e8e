/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An input is a program of steps: hypercalls of the chosen family (now and then of another one) by guests and
 * dom0, and what guests do to their memory meanwhile. After each step the machine is looked over (check.c), at
 * the end everything is taken down and must have come back.
 *
 * An input that ends in EDGES is one of numbers at the edge of what there is: frames and counts come out of a few
 * that its first bytes choose, so that calls meet the same ones again, and each call is made twice.
 */
#include "machine.h"
#include "calls.h"
#include "guest_access.h"

#define STEPS_MAX   200U
#define EDGES	    0xedU
#define AGAIN_BYTES 1024U /* of an argument, for the same call again */

static const uint8_t *in, *in_end;
static enum family chosen;
static bool dom0_acted;
static bool at_edges;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void fuzz_choose(enum family f);

void fuzz_choose(enum family f)
{
	chosen = f;
	made_of(f);
}

static uint8_t byte(void)
{
	return in < in_end ? *in++ : 0;
}

/* Families that only dom0 may use are left to it, mostly. */
static domid_t caller_id(uint8_t who)
{
	bool tools = (chosen >= F_DM && chosen <= F_SYSCTL) && (who & 7) != 7;

	if (tools || !(who & 3))
		return 0;
	return who & 1 ? DOMID_A : DOMID_B;
}

static struct vcpu *caller(uint8_t who)
{
	struct domain *d = domain_get_by_id(caller_id(who));
	struct vcpu *v = NULL;

	if (!d)
		return NULL;
	v = domain_vcpu(d, who >> 2 & 1 ? d->max_vcpus - 1 : 0);
	domain_put(d);
	return v;
}

/* What a call has left in the pages of arguments and lists, so that two builds can be compared (replay -v). */
static uint64_t sum_of_arguments(struct domain *d)
{
	static uint8_t bytes[(1 + SCRATCH_NR) << PAGE_SHIFT];
	uint64_t sum = 0xcbf29ce484222325ULL; /* FNV-1a */

	if (guest_phys_read(d, _gpa((uint64_t)ARG_GFN << PAGE_SHIFT), bytes, sizeof(bytes)))
		return 0;
	for (size_t i = 0; i < sizeof(bytes); i++)
		sum = (sum ^ bytes[i]) * 0x100000001b3ULL;
	return sum;
}

static void call(struct vcpu *v, const struct made_call *r, bool wide, uint32_t preempt)
{
	made_set_regs(v, r, wide);
	if (host_verbose)
		host_printf("  %s-bit call %lu (%lx, %lx, %lx)\n", wide ? "64" : "32", r->nr,
			    r->a[0], r->a[1], r->a[2]);
	machine_hypercall(v, preempt * 0x01010101U);
	if (host_verbose)
		host_printf("  = %ld, %lx\n", (long)v->regs.gpr[X86_RAX],
			    sum_of_arguments(v->domain));
}

/* The same call with the same argument, if the caller still can. */
static void call_again(struct vcpu *v, const struct made_call *r, bool wide, const uint8_t *arg)
{
	domid_t id = v->domain->domid;
	unsigned int vcpu = v->id;
	struct domain *d;

	machine_pass(NS_PER_US);
	check_machine();
	d = domain_get_by_id(id);
	if (!d)
		return;
	v = domain_vcpu(d, vcpu);
	domain_put(d);
	if (!v || !machine_become(v, wide))
		return;
	guest_store(v->domain, (uint64_t)ARG_GFN << PAGE_SHIFT, arg, AGAIN_BYTES);
	call(v, r, wide, 0);
}

static void keep_argument(struct domain *d, uint8_t *arg)
{
	memset(arg, 0, AGAIN_BYTES);
	(void)guest_phys_read(d, _gpa((uint64_t)ARG_GFN << PAGE_SHIFT), arg, AGAIN_BYTES);
}

static void step_call(uint8_t how)
{
	static uint8_t arg[AGAIN_BYTES];
	bool wide = (how & 0x38) != 0x38, multi = chosen == F_MULTICALL || how >= 0xe0;
	struct vcpu *v = caller(how);
	uint32_t preempt = byte();
	struct made_call r;

	if (!v || !machine_become(v, wide))
		return;
	if (!made_call(v, multi, &r))
		return;
	dom0_acted |= v->domain->is_dom0;
	if (at_edges)
		keep_argument(v->domain, arg);
	call(v, &r, wide, preempt);
	if (at_edges)
		call_again(v, &r, wide, arg);
}

static void step(void)
{
	uint8_t op = byte();

	switch (op & 15) {
	case 11:
		made_list(caller(byte()));
		break;
	case 12:
		made_grant(caller(byte()));
		break;
	case 13:
		made_scribble(caller(byte()));
		break;
	case 14:
		machine_pass(made_small('t', byte() % 5));
		break;
	case 15:
		host_fail_alloc(1 + byte() % 8);
		break;
	default:
		step_call(byte());
		break;
	}
	machine_pass(NS_PER_US);
	check_machine();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (chosen == F_CONTEXT) {
		context_input(data, size);
		return 0;
	}
	in = data;
	in_end = data + size;
	dom0_acted = false;
	at_edges = size > 2 * EDGES_NR && data[size - 1] == EDGES;
	made_from(byte);
	made_at_edges(at_edges ? data : NULL);
	machine_start();
	check_remember_victim();
	for (unsigned int i = 0; i < STEPS_MAX && in < in_end; i++)
		step();
	if (!dom0_acted)
		check_victim();
	machine_stop();
	return 0;
}
