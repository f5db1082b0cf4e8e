/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inputs of the family "context": edits of the state that a guest was just saved with, which dom0 then loads into it, record
 * by record. It is taken or refused; what was taken can be saved, and the machine loads what it has saved.
 *
 * The first byte chooses the guest. An edit is one byte for what is done, one for the record and two for the place in it.
 */
#include "machine.h"
#include "calls.h"
#include "policy.h"
#include "save.h"
#include <xen/domctl.h>

#define CONTEXT_GFN SCRATCH_GFN
#define CONTEXT_MAX (64U << 10) /* saving asks for room for all that there could be */
#define RECORDS_MAX 64U
#define EDITS_MAX   64U
#define LOADS_MAX   64U

static const uint8_t *in, *in_end;
static uint8_t stream[CONTEXT_MAX];
static size_t length;

static uint8_t byte(void)
{
	return in < in_end ? *in++ : 0;
}

static void save(struct domain *d)
{
	length = sizeof(stream);
	if (hvm_save(d, stream, &length))
		panic("d%u: cannot be saved", d->domid);
}

/* Where the records of the stream are; the last one is END. */
static unsigned int records(size_t *at)
{
	struct hvm_save_descriptor r;
	unsigned int n = 0;
	size_t next = 0;

	while (n < RECORDS_MAX && length - next >= sizeof(r)) {
		memcpy(&r, stream + next, sizeof(r));
		at[n++] = next;
		if (r.length > length - next - sizeof(r))
			break;
		next += sizeof(r) + r.length;
	}
	return n;
}

/* A number that a field may be at its limits with. */
static uint64_t limit(uint8_t sel)
{
	uint64_t bit = 1ULL << (sel & 63);

	switch (sel >> 6) {
	case 0:
		return bit;
	case 1:
		return bit - 1;
	case 2:
		return ~bit;
	default:
		return ~(bit - 1);
	}
}

static void copy_record(size_t at, size_t size)
{
	size_t end = length - sizeof(struct hvm_save_descriptor);

	if (at + size > end || size > sizeof(stream) - length)
		return;
	memmove(stream + end + size, stream + end, length - end);
	memcpy(stream + end, stream + at, size);
	length += size;
}

/* The descriptor, and with it what the rest is taken for. */
static void edit_structure(uint8_t how, size_t at, size_t place, uint64_t value)
{
	struct hvm_save_descriptor r;

	memcpy(&r, stream + at, sizeof(r));
	switch (how & 7) {
	case 0:
		r.length = (uint32_t)value;
		break;
	case 1:
		r.length += how >> 3 & 1 ? 1U : ~0U;
		break;
	case 2:
		r.instance = (uint16_t)(how >> 3 & 3);
		break;
	case 3:
		r.typecode = (uint16_t)(value % 32);
		break;
	case 4:
		length = place;
		return;
	default:
		copy_record(at, sizeof(r) + r.length);
		return;
	}
	memcpy(stream + at, &r, sizeof(r));
}

static void edit(uint8_t how)
{
	size_t at[RECORDS_MAX], place, left;
	unsigned int n = records(at);
	struct hvm_save_descriptor r;
	uint64_t value;

	if (!n)
		return;
	at[0] = at[byte() % n];
	memcpy(&r, stream + at[0], min(sizeof(r), length - at[0]));
	place = byte();
	place |= (size_t)byte() << 8;
	place = min(length - 1, at[0] + sizeof(r) + (r.length ? place % r.length : 0));
	left = length - place;
	value = limit(byte());
	if ((how & 0x30) == 0x30)
		edit_structure(how, at[0], place, value);
	else if (how & 1)
		stream[place] ^= (uint8_t)(1U << (how >> 1 & 7));
	else
		memcpy(stream + place, &value, min(left, (size_t)1 << (how >> 1 & 3)));
}

/* As libxl-save-helper does: all of it in one call, which now and then gives way. */
static long load(domid_t id, uint32_t preempt)
{
	struct xen_domctl op = { .cmd = XEN_DOMCTL_sethvmcontext,
				 .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
				 .domain = id };
	uint64_t arg = (uint64_t)ARG_GFN << PAGE_SHIFT, list = (uint64_t)CONTEXT_GFN << PAGE_SHIFT;
	struct vcpu *v = domain_vcpu(dom0, 0);

	length = min(length, (size_t)SCRATCH_NR << PAGE_SHIFT);
	op.u.hvmcontext.size = (uint32_t)length;
	guest_handle_set(op.u.hvmcontext.buffer, list);
	if (!machine_become(v, true))
		panic("dom0 cannot run");
	guest_store(dom0, arg, &op, sizeof(op));
	guest_store(dom0, list, stream, length);
	v->regs.gpr[X86_RAX] = __HYPERVISOR_domctl;
	v->regs.gpr[X86_RDI] = arg;
	machine_hypercall(v, preempt);
	return (long)v->regs.gpr[X86_RAX];
}

static void edited(struct domain *d)
{
	unsigned int pauses = (unsigned int)d->pause_count;
	long rc;

	rc = load(d->domid, byte() * 0x01010101U);
	if (host_verbose)
		host_printf("  d%u, %zu bytes: %ld\n", d->domid, length, rc);
	machine_pass(made_small('t', byte() % 5));
	check_machine();
	save(d);
	if (!rc && hvm_load(d, stream, length))
		panic("d%u: what it was saved with is refused", d->domid);
	if ((unsigned int)d->pause_count != pauses)
		panic("d%u: paused %d times", d->domid, d->pause_count);
	machine_pass(NS_PER_MS);
	check_machine();
}

/* A processor with extended state of which the guest has used some, and a register for the record CPU_MSR. */
static void with_extended_state(bool on)
{
	host_cpu.xsave = on;
	host_cpu.xcr0_mask = on ? 7 : 0;
	host_cpu.xsave_size = on ? 832 : 576;
}

static void use_extended_state(struct vcpu *v)
{
	struct cpu_policy *p = v->domain->cpu_policy;

	p->platform_info = BIT(31);
	p->xstate[0].a = 7;
	p->xstate[2] = (struct cpuid_regs){ .a = 256, .b = 576 };
	v->fpu.xcr0 = v->fpu.xcr0_accum = 7;
	v->hvm.misc_features = 1;
}

void context_input(const uint8_t *data, size_t size)
{
	uint8_t kind;
	struct domain *d;
	struct vcpu *v;

	in = data;
	in_end = data + size;
	kind = byte();
	with_extended_state(kind & 2);
	machine_start();
	check_remember_victim();
	d = domain_get_by_id(kind & 1 ? DOMID_A : DOMID_B);
	for_each_vcpu(d, v)
		if (kind & 2)
			use_extended_state(v);
	for (unsigned int n = 0; n < LOADS_MAX && in < in_end; n++) {
		uint8_t how = 0;

		save(d);
		for (unsigned int k = 0; !(how >> 6) && k < EDITS_MAX && in < in_end; k++) {
			how = byte();
			edit(how);
		}
		edited(d);
	}
	domain_put(d);
	check_victim();
	machine_stop();
	with_extended_state(false);
}
