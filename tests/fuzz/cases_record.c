/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processor state that a tool loads: what would fault in the hypervisor itself is refused, and nothing has changed then. */
#include "cases.h"
#include "xen_abi.h"
#include "hvm_ops.h"
#include "policy.h"
#include "save.h"
#include "vmm/domain/internal.h"
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
	hvm_get_state(domain_vcpu(dom(DOMID_B), 0), HVM_MSRS);
	m = domain_vcpu(dom(DOMID_B), 0)->hvm.msr;
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

/* --- before a domain is saved ------------------------------------------------------------------ */

/* What libxl-save-helper asks while the domain still runs. */
static long ask_policy(void)
{
	struct xen_domctl op = { 0 };

	return domctl(XEN_DOMCTL_get_cpu_policy, DOMID_B, &op);
}

/* As much of all records as the pages for lists hold. */
static long get_context(struct xen_domctl *op)
{
	memset(op, 0, sizeof(*op));
	op->u.hvmcontext.size = SCRATCH_NR * PAGE_SIZE;
	op->u.hvmcontext.buffer.p = (void *)LIST;
	return domctl(XEN_DOMCTL_gethvmcontext, DOMID_B, op);
}

/*
 * A guest that could not be restored is not saved: it is said before it is suspended, and once more before the image is
 * complete, and it can go on then.
 */
CASE(record_that_could_not_be_loaded)
{
	struct vcpu *v = domain_vcpu(dom(DOMID_B), 0);
	struct hvm_msr_state good;
	struct xen_domctl op;

	v->cr0 = X86_CR0_ET | X86_CR0_PE;
	host_log_clear();
	EXPECT(ask_policy(), == 0);
	EXPECT(host_log_lines(), == 0);
	hvm_get_state(v, HVM_MSRS);
	good = v->hvm.msr;
	v->hvm.msr.lstar = NOT_CANONICAL; /* emulators take it from the guest */
	hvm_set_state(v, HVM_MSRS);
	EXPECT(ask_policy(), == -EOPNOTSUPP);
	EXPECT(host_log_has("d2: cannot be saved: its CPU of vCPU 0 could not be restored"), != 0);
	EXPECT(dom(DOMID_B)->pause_count, == 0);
	EXPECT(dom(DOMID_B)->shut_down, == 0);

	domain_shutdown(dom(DOMID_B), SHUTDOWN_suspend);
	machine_pass(NS_PER_MS);
	host_log_clear();
	EXPECT(get_context(&op), == -EOPNOTSUPP);
	EXPECT(host_log_has("cannot be saved"), != 0);
	v->hvm.msr = good;
	hvm_set_state(v, HVM_MSRS);
	EXPECT(get_context(&op), == 0);
	domain_resume(dom(DOMID_B));
	EXPECT(dom(DOMID_B)->shut_down, == 0);
}

/* libxc tells a guest that goes on in place by RAX of its vCPU 0; nothing else changes. */
CASE(record_of_resumed_vcpu)
{
	struct vcpu *v = domain_vcpu(dom(DOMID_B), 0);
	struct xen_domctl op = { .u.vcpucontext = { .vcpu = 0, .ctxt.p = (void *)LIST } };
	struct vcpu_guest_context *c = guest_page(0, SCRATCH_GFN);
	struct x86_regs before;

	for (unsigned int i = 0; i < ARRAY_SIZE(v->regs.gpr); i++)
		v->regs.gpr[i] = 0x1111111111111111ULL * i;
	v->regs.rip = 0x1234;
	v->regs.rflags = 0x202;
	before = v->regs;
	EXPECT(domctl(XEN_DOMCTL_getvcpucontext, DOMID_B, &op), == 0);
	c->user_regs.rax = 1;
	EXPECT(domctl(XEN_DOMCTL_setvcpucontext, DOMID_B, &op), == 0);
	before.gpr[X86_RAX] = 1;
	EXPECT(memcmp(&before, &v->regs, sizeof(before)), == 0);
	c->user_regs.rip = 0x4321;
	c->user_regs.r15 = 15;
	c->user_regs.rsp = 4;
	c->user_regs.rflags = ~0ULL;
	EXPECT(domctl(XEN_DOMCTL_setvcpucontext, DOMID_B, &op), == 0);
	EXPECT(v->regs.rflags, == 0x3f7fd7);
	EXPECT(v->regs.rip, == 0x4321);
	EXPECT(v->regs.gpr[X86_R15] == 15 && v->regs.gpr[X86_RSP] == 4, != 0);
	op.u.vcpucontext.vcpu = 1;
	EXPECT(domctl(XEN_DOMCTL_setvcpucontext, DOMID_B, &op), == -EINVAL);
	op.u.vcpucontext.vcpu = 0;
	op.u.vcpucontext.ctxt.p = NULL;
	EXPECT(domctl(XEN_DOMCTL_setvcpucontext, DOMID_B, &op), == -EOPNOTSUPP);
}

/* What is at `offset` of the record CPU_XSAVE in the pages for lists. */
static uint64_t *xsave_field(size_t offset)
{
	uint8_t *at = guest_page(0, SCRATCH_GFN);
	struct hvm_save_descriptor d;

	for (;;) {
		memcpy(&d, at, sizeof(d));
		BUG_ON(d.typecode == HVM_SAVE_CODE(END));
		if (d.typecode == CPU_XSAVE_CODE)
			return (uint64_t *)(void *)(at + sizeof(d) + offset);
		at += sizeof(d) + d.length;
	}
}

/*
 * On emulators every component is in use, whatever the guest has enabled, and XCR0 is written without an exit. The
 * record has what the guest can have used, and can be loaded.
 */
CASE(record_of_extended_state)
{
	static const uint64_t xcr0[] = { 1, 3, 7 };
	const struct host_cpu real = host_cpu;
	struct xen_domctl op;

	host_cpu.xsave = true;
	host_cpu.xcr0_mask = 7;
	host_cpu.xsave_size = 832;
	change_machine(&fake_hvm_ops);
	for (unsigned int i = 0; i < ARRAY_SIZE(xcr0); i++) {
		struct vcpu *v = domain_vcpu(dom(DOMID_B), 0);
		struct cpu_policy *p = v->domain->cpu_policy;
		uint64_t accum = xcr0[i] | 3;

		p->xstate[0].a = 7;
		p->xstate[2] = (struct cpuid_regs){ .a = 256, .b = 576 };
		v->cr0 = X86_CR0_ET | X86_CR0_PE;
		v->fpu.xcr0 = xcr0[i];
		v->fpu.xcr0_accum = 1;
		*(uint64_t *)((uint8_t *)v->fpu.area + 512) = 7;
		EXPECT(ask_policy(), == 0);
		EXPECT(get_context(&op), == 0);
		EXPECT(*xsave_field(offsetof(struct hvm_hw_cpu_xsave, xcr0_accum)), == (long)accum);
		EXPECT(*xsave_field(offsetof(struct hvm_hw_cpu_xsave, save_area) + 512),
		       == (long)accum);
		EXPECT(domctl(XEN_DOMCTL_sethvmcontext, DOMID_B, &op), == 0);
		EXPECT(v->fpu.xcr0, == (long)xcr0[i]);
		*xsave_field(offsetof(struct hvm_hw_cpu_xsave, save_area) + 512) = 15;
		EXPECT(domctl(XEN_DOMCTL_sethvmcontext, DOMID_B, &op), == -EINVAL);
	}
	host_cpu = real;
	change_machine(&fake_hvm_ops);
}

/* --- records of other savers ------------------------------------------------------------------- */

/* A context with one record of `len` bytes. */
static long load_record(domid_t id, unsigned int type, unsigned int instance, const void *body,
			uint32_t len)
{
	struct hvm_save_header header = { .magic = HVM_FILE_MAGIC, .version = HVM_FILE_VERSION };
	struct hvm_save_descriptor first = { .typecode = HVM_SAVE_CODE(HEADER),
					     .length = sizeof(header) };
	struct hvm_save_descriptor d = { .typecode = (uint16_t)type,
					 .instance = (uint16_t)instance,
					 .length = len };
	struct hvm_save_descriptor end = { .typecode = HVM_SAVE_CODE(END) };
	uint8_t stream[4096], *at = stream;

	memcpy(at, &first, sizeof(first));
	memcpy(at += sizeof(first), &header, sizeof(header));
	memcpy(at += sizeof(header), &d, sizeof(d));
	memcpy(at += sizeof(d), body, len);
	memcpy(at += len, &end, sizeof(end));
	return hvm_load(dom(id), stream, (size_t)(at - stream) + sizeof(end));
}

/* What Xen 4.17 writes of any guest, and Plinth has no state for. */
CASE(record_of_xen)
{
	static const uint8_t zero[64];
	uint64_t vmce[4] = { 2, 0, 0, 0 }, adjust = 1;
	uint8_t saved[32];
	size_t len = sizeof(saved);

	EXPECT(load_record(DOMID_B, HVM_SAVE_CODE(VMCE_VCPU), 0, vmce, 32), == 0);
	EXPECT(hvm_save_one(dom(DOMID_B), HVM_SAVE_CODE(VMCE_VCPU), 0, saved, &len), == 0);
	EXPECT(len, == 32);
	EXPECT(memcmp(saved, vmce, 32), == 0);
	EXPECT(load_record(DOMID_B, HVM_SAVE_CODE(VMCE_VCPU), 1, vmce, 32), == -EINVAL);
	vmce[0] = 33; /* banks: more than there are registers for */
	EXPECT(load_record(DOMID_B, HVM_SAVE_CODE(VMCE_VCPU), 0, vmce, 32), == -EINVAL);
	vmce[0] = 2;
	EXPECT(load_record(DOMID_B, HVM_SAVE_CODE(VMCE_VCPU), 0, zero, 40), == -EINVAL);
	EXPECT(load_record(DOMID_B, HVM_SAVE_CODE(TSC_ADJUST), 0, zero, 8), == 0);
	EXPECT(load_record(DOMID_B, HVM_SAVE_CODE(TSC_ADJUST), 0, &adjust, 8), == -EOPNOTSUPP);
	EXPECT(load_record(DOMID_B, CPU_MSR_CODE, 0, zero, 8), == 0);
	/* Its PVH domains have wires. */
	EXPECT(load_record(DOMID_A, HVM_SAVE_CODE(PCI_IRQ), 0, zero, 16), == 0);
	EXPECT(load_record(DOMID_A, HVM_SAVE_CODE(ISA_IRQ), 0, zero, 8), == 0);
	EXPECT(load_record(DOMID_A, HVM_SAVE_CODE(PCI_LINK), 0, zero, 8), == 0);
	EXPECT(load_record(DOMID_B, HVM_SAVE_CODE(PCI_IRQ), 0, zero, 16), == 0);
	/* But no clocks: that is an image of another kind. */
	EXPECT(load_record(DOMID_A, HVM_SAVE_CODE(PMTIMER), 0, zero, 8), < 0);
	EXPECT(load_record(DOMID_A, HVM_SAVE_CODE(IOAPIC), 0, zero, HVM_SAVE_LENGTH(IOAPIC)), < 0);
	host_log_clear();
	EXPECT(load_record(DOMID_B, HVM_SAVE_CODE(VIRIDIAN_DOMAIN), 0, zero, 32), == -EOPNOTSUPP);
	EXPECT(host_log_has("viridian"), != 0);
	EXPECT(load_record(DOMID_B, 31, 0, zero, 8), < 0);
}

/* vCPUs whose TSCs are equal have equal ones in an image, and again when it is loaded. */
CASE(record_of_one_moment)
{
	struct domain *d = dom(DOMID_A);
	size_t len = (size_t)hvm_save_size(d), at = 0;
	uint8_t *buf = xzalloc_bytes(len);
	struct hvm_save_descriptor r;
	uint64_t tsc[2] = { 0, 0 };

	for (unsigned int i = 0; i < 2; i++) {
		hvm_set_tsc_offset(d->vcpu[i], 1000);
		d->vcpu[i]->cr0 = X86_CR0_ET | X86_CR0_PE;
	}
	EXPECT(hvm_save(d, buf, &len), == 0);
	do {
		memcpy(&r, buf + at, sizeof(r));
		at += sizeof(r);
		if (r.typecode == HVM_SAVE_CODE(CPU))
			memcpy(&tsc[r.instance], buf + at + offsetof(struct hvm_hw_cpu, tsc), 8);
		at += r.length;
	} while (r.typecode != HVM_SAVE_CODE(END));
	EXPECT(tsc[0], != 0);
	EXPECT(tsc[0] == tsc[1], != 0);
	EXPECT(hvm_load(d, buf, len), == 0);
	EXPECT(d->vcpu[0]->tsc_offset == d->vcpu[1]->tsc_offset, != 0);
	/* Time stood still in the image; it does not go back. */
	EXPECT(rdtsc() + d->vcpu[0]->tsc_offset - tsc[0], >= 0);
	xfree(buf);
}

/* An image from a machine whose TSC counts at another rate, which would make the guest's clocks wrong. */
CASE(record_of_another_rate)
{
	struct xen_domctl op = { .u.tsc_info.gtsc_khz = (uint32_t)tsc_khz };

	EXPECT(domctl(XEN_DOMCTL_settscinfo, DOMID_B, &op), == 0);
	host_log_clear();
	op.u.tsc_info.gtsc_khz = (uint32_t)(tsc_khz + tsc_khz / 2500);
	EXPECT(domctl(XEN_DOMCTL_settscinfo, DOMID_B, &op), == 0);
	EXPECT(host_log_lines(), == 0);
	op.u.tsc_info.gtsc_khz = (uint32_t)(tsc_khz + tsc_khz / 1500);
	EXPECT(domctl(XEN_DOMCTL_settscinfo, DOMID_B, &op), == 0);
	EXPECT(host_log_has("it counted with a TSC"), != 0);
	host_log_clear();
	op.u.tsc_info.gtsc_khz = (uint32_t)(tsc_khz + tsc_khz / 50);
	EXPECT(domctl(XEN_DOMCTL_settscinfo, DOMID_B, &op), == -EOPNOTSUPP);
	EXPECT(host_log_has("tsc_mode"), != 0);
	op.u.tsc_info.gtsc_khz = (uint32_t)(tsc_khz - tsc_khz / 50);
	EXPECT(domctl(XEN_DOMCTL_settscinfo, DOMID_B, &op), == -EOPNOTSUPP);
	op.u.tsc_info.tsc_mode = 2;
	EXPECT(domctl(XEN_DOMCTL_settscinfo, DOMID_B, &op), == 0);
	op.u.tsc_info = (struct xen_domctl_tsc_info){ 0 };
	EXPECT(domctl(XEN_DOMCTL_settscinfo, DOMID_B, &op), == 0);
}

/* --- damaged images ---------------------------------------------------------------------------- */

#define FLIPS 3000U

static uint8_t *saved_context(struct domain *d, size_t *len)
{
	uint8_t *buf;

	for (unsigned int i = 0; domain_vcpu(d, i); i++)
		d->vcpu[i]->cr0 = X86_CR0_ET | X86_CR0_PE;
	*len = (size_t)hvm_save_size(d);
	buf = xzalloc_bytes(*len);
	EXPECT(hvm_save(d, buf, len), == 0);
	EXPECT(hvm_load(d, buf, *len), == 0);
	return buf;
}

/* Cut anywhere, it is refused; with bits that are wrong it is taken or refused; the machine is well, and so is a good one. */
static void load_damaged(domid_t id)
{
	struct domain *d = dom(id);
	size_t len, at;
	uint8_t *good = saved_context(d, &len), *bad = xzalloc_bytes(len);
	uint64_t seed = 1;
	bool cut_refused = true;

	for (at = 0; at < len; at += at < 64 ? 1 : 61)
		cut_refused &= hvm_load(d, good, at) < 0;
	EXPECT(cut_refused, == true);
	for (unsigned int i = 0; len && i < FLIPS; i++) {
		memcpy(bad, good, len);
		for (unsigned int k = 0; k <= i % 3; k++) {
			seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
			bad[(seed >> 33) % len] ^= (uint8_t)(1U << (seed >> 60 & 7));
		}
		hvm_load(d, bad, len);
		machine_pass(1000);
	}
	EXPECT(hvm_load(d, good, len), == 0);
	check_machine();
	xfree(bad);
	xfree(good);
}

CASE(record_damaged_of_pvh)
{
	load_damaged(DOMID_A);
}

CASE(record_damaged_of_hvm)
{
	load_damaged(DOMID_B);
}
