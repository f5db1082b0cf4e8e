/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What console_io takes: all of dom0's text, in pieces where the line is slow, and none of a wrong address. */
#include "cases.h"

extern size_t console_room, console_taken;

static long write_text(domid_t id, uint64_t count)
{
	return call_as(id, 0, __HYPERVISOR_console_io, CONSOLEIO_write, count, ARG, 0);
}

CASE(console_takes_all_of_a_slow_line)
{
	memset(guest_page(0, ARG_GFN), 'a', PAGE_SIZE);
	console_taken = 0;
	console_room = 100;
	EXPECT(write_text(0, PAGE_SIZE), == 0);
	EXPECT(console_taken, == PAGE_SIZE);
	console_room = ~0UL;
	console_taken = 0;
	EXPECT(write_text(0, SCRATCH_NR << PAGE_SHIFT), == 0);
	EXPECT(console_taken, == SCRATCH_NR << PAGE_SHIFT);
	EXPECT(write_text(0, 0), == 0);
}

/* Until the line takes some, the call is not over, and it is no busy loop in the hypervisor. */
CASE(console_that_takes_nothing)
{
	struct vcpu *v = domain_vcpu(dom(0), 0);

	console_taken = 0;
	console_room = 0;
	EXPECT(write_text(0, 300), == __HYPERVISOR_console_io); /* RAX as at the call */
	EXPECT(console_taken, == 0);
	EXPECT(v->regs.gpr[X86_RSI], == 300);
	console_room = ~0UL;
}

CASE(console_of_a_guest)
{
	memset(guest_page(DOMID_A, ARG_GFN), 'a', PAGE_SIZE);
	EXPECT(write_text(DOMID_A, PAGE_SIZE), == 0);
	EXPECT(call_as(DOMID_A, 0, __HYPERVISOR_console_io, CONSOLEIO_read, 100, ARG, 0),
	       == -EPERM);
}
