/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any call beside any other: each vCPU makes calls of all families, made up as the fuzzers make theirs (tests/fuzz/
 * made.c), writes its lists, grants and memory meanwhile, and uses its devices. Half of the machines have numbers at
 * the edge of what there is, the same few on all CPUs.
 */
#include "threads.h"
#include "hvm_io.h"
#include "sched.h"
#include "tests/fuzz/calls.h"

#define A      DOMID_A
#define B      DOMID_B
#define PASSES 500U

static uint8_t byte(void)
{
	return (uint8_t)any(256);
}

static void makes_a_call(struct vcpu *v)
{
	/* In a list of calls another CPU could turn one of dom0's into the end of the machine. */
	bool wide = any(8), multi = !v->domain->is_dom0 && !any(8);
	struct made_call c;

	machine_mode(v, wide);
	if (!made_call(v, multi, &c))
		return;
	if (!any(16))
		host_fail_alloc(1 + any(8));
	made_set_regs(v, &c, wide);
	call_by_registers(v);
	host_fail_alloc(0);
}

static void uses_a_device(struct vcpu *v)
{
	static const uint16_t ports[] = { 0x20, 0x21, 0x40, 0x43, 0x61,	 0x70,	 0x71,	0x92,
					  0xa0, 0xa1, 0xe9, 0xb2, 0x4d0, 0x1f40, 0xb008 };
	uint64_t val = any(256);

	io_access_one(v, IOREQ_TYPE_PIO, ports[any(ARRAY_SIZE(ports))], 1, any(2), &val);
}

static bool anything(struct vcpu *v, unsigned int n)
{
	(void)n;
	made_from(byte);
	switch (any(8)) {
	case 0:
		made_list(v);
		break;
	case 1:
		made_grant(v);
		break;
	case 2:
		made_scribble(v);
		break;
	case 3:
		uses_a_device(v);
		break;
	default:
		makes_a_call(v);
		break;
	}
	sched_yield(); /* or the others on this CPU would wait for milliseconds */
	return true;
}

static void choose_numbers(void)
{
	uint8_t choice[2 * EDGES_NR];

	made_of(F_MULTICALL);
	for (unsigned int i = 0; i < sizeof(choice); i++)
		choice[i] = byte();
	made_at_edges(any(2) ? choice : NULL);
}

static const struct act all[] = { { A, 0, 1, anything, true }, { A, 1, 2, anything, true },
				  { A, 2, 0, anything, true }, { B, 0, 2, anything, true },
				  { B, 1, 1, anything, true }, { 0, 0, 0, anything, true },
				  { 0, 1, 1, anything, true } };
#define GUESTS_ONLY_NR 5U

/* Guests for themselves: what they do is nobody else's harm. */
RACE(random_guests, 8)
{
	choose_numbers();
	check_remember_victim();
	race_for(all, GUESTS_ONLY_NR, PASSES);
	check_victim();
}

RACE(random_all, 16)
{
	choose_numbers();
	race_for(all, ARRAY_SIZE(all), PASSES);
}
