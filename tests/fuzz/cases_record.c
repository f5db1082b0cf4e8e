/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processor state that a tool loads: what would fault in the hypervisor itself is refused, and nothing has changed then. */
#include "cases.h"
#include "xen_abi.h"
#include "hvm_ops.h"
#include <xen/domctl.h>
#include <xen/hvm/save.h>

#define NOT_CANONICAL 0x0000800000000000ULL
#define PLACE	      0xffffffff81000000ULL

/* A context of a header, one CPU record and the end, as xl restores it; what the call says. */
static long load_cpu(const struct hvm_hw_cpu *cpu)
{
	struct xen_domctl op = { .cmd = XEN_DOMCTL_sethvmcontext,
				 .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
				 .domain = DOMID_B };
	struct hvm_save_header header = { .magic = HVM_FILE_MAGIC, .version = HVM_FILE_VERSION };
	struct hvm_save_descriptor d = { .typecode = HVM_SAVE_CODE(HEADER),
					 .length = sizeof(header) };
	uint8_t *at = guest_page(0, SCRATCH_GFN), *start = at;

#define PUT(x) (memcpy(at, &(x), sizeof(x)), at += sizeof(x))
	PUT(d);
	PUT(header);
	d = (struct hvm_save_descriptor){ .typecode = HVM_SAVE_CODE(CPU), .length = sizeof(*cpu) };
	PUT(d);
	PUT(*cpu);
	d = (struct hvm_save_descriptor){ .typecode = HVM_SAVE_CODE(END) };
	PUT(d);
#undef PUT
	op.u.hvmcontext.size = (uint32_t)(at - start);
	op.u.hvmcontext.buffer.p = (void *)LIST;
	memcpy(guest_page(0, ARG_GFN), &op, sizeof(op));
	return call_as(0, 0, __HYPERVISOR_domctl, ARG, 0, 0, 0);
}

CASE(record_of_msrs_is_checked)
{
	const struct hvm_hw_cpu good = { .cr0 = X86_CR0_ET | X86_CR0_PE,
					 .rflags = 2,
					 .msr_lstar = PLACE,
					 .msr_cstar = PLACE,
					 .shadow_gs = PLACE,
					 .msr_syscall_mask = 0x47700 };
	struct hvm_msr_state m;
	struct hvm_hw_cpu c;

	EXPECT(load_cpu(&good), == 0);
	c = good;
	c.msr_lstar = NOT_CANONICAL;
	EXPECT(load_cpu(&c), == -EINVAL);
	c = good;
	c.msr_cstar = NOT_CANONICAL;
	EXPECT(load_cpu(&c), == -EINVAL);
	c = good;
	c.shadow_gs = NOT_CANONICAL;
	EXPECT(load_cpu(&c), == -EINVAL);
	c = good;
	c.msr_syscall_mask = BIT(32);
	EXPECT(load_cpu(&c), == -EINVAL);
	hvm_ops->get_msrs(domain_vcpu(dom(DOMID_B), 0), &m);
	EXPECT(m.lstar == PLACE && m.kernel_gs_base == PLACE && m.sfmask == 0x47700, != 0);
}

/* What is to be executed again needs no event: INT n, whose length the record does not have. */
CASE(record_of_event)
{
	struct hvm_hw_cpu c = { .cr0 = X86_CR0_ET | X86_CR0_PE, .rflags = 2, .pending_valid = 1 };
	const struct hvm_event *e = &domain_vcpu(dom(DOMID_B), 0)->hvm.event;

	c.pending_type = 4;
	c.pending_vector = 0x80;
	EXPECT(load_cpu(&c), == 0);
	EXPECT(e->type, == HVM_EVENT_NONE);
	c.pending_type = 5;
	c.pending_vector = 1;
	EXPECT(load_cpu(&c), == 0);
	EXPECT(e->type, == HVM_EVENT_ICEBP);
	EXPECT(e->insn_len, == 1);
	c.pending_type = 0;
	c.pending_vector = 0x31;
	EXPECT(load_cpu(&c), == 0);
	EXPECT(e->type, == HVM_EVENT_EXTINT);
	EXPECT(e->vector, == 0x31);
}
