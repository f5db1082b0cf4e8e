/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What Debian's Xen 4.17 saved, as the case peer_images of tests/guests recorded it (tests/regress/context): the records
 * X86_CPUID_POLICY, X86_MSR_POLICY and HVM_CONTEXT of libxc's stream, one after the other, each padded to 8 bytes. A domain
 * is made as libxl makes it, takes them, and is saved with the same.
 */
#include "cases.h"
#include "hvm_ops.h"
#include "vmm/hvm/internal.h"
#include "vmm/hvm/policy_private.h"
#include "save.h"
#include <xen/domctl.h>
#include <xen/arch-x86/cpufeatureset.h>

#define RECORDED  "tests/regress/context/xen-4.17-"
#define TRAVELLER 60U
#define MSRS	  (LIST + PAGE_SIZE) /* behind the leaves */

enum { REC_HVM_CONTEXT = 9, REC_CPUID_POLICY = 17, REC_MSR_POLICY = 18 };

struct record {
	uint32_t type, len;
};

static uint8_t image[16384] __aligned(8);
static size_t image_len;
static struct cpu_policy real_max;

/* Guests that were recorded: a stock kernel, and one without drivers from a CD. */
static const struct guest {
	const char *file;
	uint32_t emulation;
	unsigned int vcpus;
} pvh = { RECORDED "pvh", XEN_X86_EMU_LAPIC, 2 }, hvm = { RECORDED "hvm", MACHINE_PC, 1 };

static const struct record *find(uint32_t type)
{
	size_t at = 0;

	while (at + sizeof(struct record) <= image_len) {
		const struct record *r = (const void *)(image + at);

		if (r->type == type)
			return r;
		at += sizeof(*r) + ROUND_UP(r->len, 8);
	}
	panic("no record %u in the file", type);
}

static const void *body(const struct record *r)
{
	return r + 1;
}

/* Of this test's machine; constant once it has been derived, but here. */
static struct cpu_policy *machine_max(void)
{
	return (struct cpu_policy *)(uintptr_t)policy_system(POLICY_HVM_MAX);
}

/* The machine on which the image was made, and a domain that waits for it. */
static void begin(const struct guest *g)
{
	struct xen_domctl op = { .u.createdomain = machine_config(g->vcpus, g->emulation) };
	const struct record *leaves;
	uint32_t leaf, sub;

	image_len = host_file(g->file, image, sizeof(image));
	leaves = find(REC_CPUID_POLICY);
	real_max = *machine_max();
	EXPECT(policy_deserialise(machine_max(), body(leaves),
				  leaves->len / sizeof(xen_cpuid_leaf_t), &leaf, &sub),
	       == 0);
	EXPECT(domctl(XEN_DOMCTL_createdomain, TRAVELLER, &op), == 0);
	op.u.max_vcpus.max = g->vcpus;
	EXPECT(domctl(XEN_DOMCTL_max_vcpus, TRAVELLER, &op), == 0);
}

static void end(void)
{
	*machine_max() = real_max;
}

static long give_policy(void)
{
	const struct record *leaves = find(REC_CPUID_POLICY), *msrs = find(REC_MSR_POLICY);
	struct xen_domctl op = { 0 };

	memcpy(guest_page(0, SCRATCH_GFN), body(leaves), leaves->len);
	memcpy(guest_page(0, SCRATCH_GFN + 1), body(msrs), msrs->len);
	op.u.cpu_policy.nr_leaves = leaves->len / sizeof(xen_cpuid_leaf_t);
	op.u.cpu_policy.nr_msrs = msrs->len / sizeof(xen_msr_entry_t);
	guest_handle_set(op.u.cpu_policy.leaves, LIST);
	guest_handle_set(op.u.cpu_policy.msrs, MSRS);
	host_log_clear();
	return domctl(XEN_DOMCTL_set_cpu_policy, TRAVELLER, &op);
}

static long give_context(const void *from, size_t len)
{
	struct xen_domctl op = { 0 };

	memcpy(guest_page(0, SCRATCH_GFN), from, len);
	op.u.hvmcontext.size = (uint32_t)len;
	guest_handle_set(op.u.hvmcontext.buffer, LIST);
	return domctl(XEN_DOMCTL_sethvmcontext, TRAVELLER, &op);
}

/* The record of a kind in a context, without its descriptor, or NULL. */
static const uint8_t *part(const uint8_t *at, unsigned int type, unsigned int nr, uint32_t *len)
{
	struct hvm_save_descriptor r;

	for (;; at += sizeof(r) + r.length) {
		memcpy(&r, at, sizeof(r));
		if (r.typecode == type && r.instance == nr) {
			*len = r.length;
			return at + sizeof(r);
		}
		if (r.typecode == HVM_SAVE_CODE(END))
			return NULL;
	}
}

/* The TSC goes on; what it was is behind us. */
static void forget_time(uint8_t *cpu, const uint8_t *was)
{
	size_t at = offsetof(struct hvm_hw_cpu, tsc);
	uint64_t now, then;

	memcpy(&now, cpu + at, sizeof(now));
	memcpy(&then, was + at, sizeof(then));
	EXPECT(now - then, < (long)(tsc_khz * 1000));
	memcpy(cpu + at, &then, sizeof(then));
}

static void same(const uint8_t *was, unsigned int type, unsigned int nr)
{
	static uint8_t now[65536], mine[2048];
	uint32_t len = 0, mine_len = 0;
	const uint8_t *a = part(was, type, nr, &len), *b;
	size_t all = sizeof(now);

	EXPECT(hvm_save(dom(TRAVELLER), now, &all), == 0);
	b = part(now, type, nr, &mine_len);
	EXPECT(a && b, == true);
	if (!a || !b || len > sizeof(mine))
		return;
	EXPECT(mine_len, == (long)len);
	memcpy(mine, b, len);
	if (type == HVM_SAVE_CODE(CPU))
		forget_time(mine, a);
	for (uint32_t i = 0; i < len; i++)
		if (a[i] != mine[i])
			host_printf("record %u.%u at %u: %x was %x\n", type, nr, i, mine[i], a[i]);
	EXPECT(memcmp(a, mine, len), == 0);
}

static int read_msr(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	int rc = hvm_rdmsr(v, msr, value);

	EXPECT(rc == 0 || rc == -EINVAL, == true);
	return rc;
}

/* A guest of Xen's has seen two banks of machine checks; Linux panics when it cannot look at them any more. */
static void has_banks(struct vcpu *v)
{
	uint64_t value;

	EXPECT(read_msr(v, 0x179, &value), == 0);
	EXPECT(value, == 2);
	for (uint32_t msr = 0x400; msr < 0x408; msr++) {
		EXPECT(read_msr(v, msr, &value), == 0);
		EXPECT(value, == (msr % 4 ? 0 : -1L));
		EXPECT(hvm_wrmsr(v, msr, 0), == 0);
		EXPECT(hvm_wrmsr(v, msr, 1), == (msr % 4 ? -EINVAL : 0));
	}
	EXPECT(read_msr(v, 0x408, &value), == -EINVAL);
	EXPECT(read_msr(v, 0x17b, &value), == -EINVAL);
	EXPECT(read_msr(v, 0x280, &value), == -EINVAL);
	EXPECT(read_msr(v, 0x4d0, &value), == -EINVAL);
}

/* What Xen offers on processors of Intel's besides. */
static void has_banks_of_intel(struct vcpu *v)
{
	uint64_t value;

	v->hvm.vmce[0] = 2 | BIT(8) | BIT(10) | BIT(27);
	EXPECT(read_msr(v, 0x17b, &value), == 0);
	EXPECT(hvm_wrmsr(v, 0x281, BIT(30) | 1), == 0);
	EXPECT(read_msr(v, 0x281, &value), == 0);
	EXPECT(value, == (long)(BIT(30) | 1));
	EXPECT(hvm_wrmsr(v, 0x281, BIT(31)), == -EINVAL);
	EXPECT(hvm_wrmsr(v, 0x282, 0), == -EINVAL);
	EXPECT(hvm_wrmsr(v, 0x4d0, 1), == 0);
	EXPECT(v->hvm.vmce[3], == 1);
	v->hvm.vmce[0] = 0;
	EXPECT(read_msr(v, 0x401, &value), == -EINVAL);
	EXPECT(read_msr(v, 0x281, &value), == -EINVAL);
}

/* Takes what was recorded, and would be saved with the same: these kinds of records, of the first `nr` vCPUs. */
static void takes(const struct guest *g, const unsigned int *kept, unsigned int kinds,
		  unsigned int nr)
{
	const struct record *context;

	begin(g);
	context = find(REC_HVM_CONTEXT);
	EXPECT(give_policy(), == 0);
	EXPECT(host_log_has("its CPUID has"), == false);
	EXPECT(give_context(body(context), context->len), == 0);
	for (unsigned int i = 0; i < kinds; i++)
		for (unsigned int k = 0; k < nr; k++)
			same(body(context), kept[i], k);
	EXPECT(give_context(body(context), context->len - 1), == -ENODATA);
}

CASE(peer_context)
{
	static const unsigned int kept[] = { HVM_SAVE_CODE(CPU),	HVM_SAVE_CODE(LAPIC),
					     HVM_SAVE_CODE(LAPIC_REGS), HVM_SAVE_CODE(MTRR),
					     HVM_SAVE_CODE(VMCE_VCPU),	HVM_SAVE_CODE(TSC_ADJUST) };

	takes(&pvh, kept, ARRAY_SIZE(kept), pvh.vcpus);
	has_banks(dom(TRAVELLER)->vcpu[1]);
	has_banks_of_intel(dom(TRAVELLER)->vcpu[1]);
	end();
}

/* Channel 1 of the PIT was never programmed, which Xen's record says in its way. */
CASE(peer_context_of_hvm)
{
	static const unsigned int kept[] = {
		HVM_SAVE_CODE(CPU),	  HVM_SAVE_CODE(LAPIC),	     HVM_SAVE_CODE(LAPIC_REGS),
		HVM_SAVE_CODE(PIC),	  HVM_SAVE_CODE(IOAPIC),     HVM_SAVE_CODE(PCI_IRQ),
		HVM_SAVE_CODE(ISA_IRQ),	  HVM_SAVE_CODE(PCI_LINK),   HVM_SAVE_CODE(MTRR),
		HVM_SAVE_CODE(VMCE_VCPU), HVM_SAVE_CODE(TSC_ADJUST),
	};
	struct hvm_hw_pit pit;
	size_t len = sizeof(pit);

	takes(&hvm, kept, ARRAY_SIZE(kept), 1);
	EXPECT(hvm_save_one(dom(TRAVELLER), HVM_SAVE_CODE(PIT), 0, &pit, &len), == 0);
	EXPECT(pit.channels[0].mode, == 2);
	EXPECT(pit.channels[1].mode, == 3);
	EXPECT(pit.channels[2].count, == 65535);
	end();
}

static xen_cpuid_leaf_t *leaf_of(uint32_t leaf)
{
	xen_cpuid_leaf_t *l = (xen_cpuid_leaf_t *)(uintptr_t)body(find(REC_CPUID_POLICY));

	while (l->leaf != leaf)
		l++;
	return l;
}

/* A machine that lacks what the guest has seen, and would use: the log names it. */
CASE(peer_policy_that_asks_too_much)
{
	static const struct {
		size_t reg;
		unsigned int feature;
		const char *name;
	} lacks[] = {
		{ offsetof(struct cpu_policy, basic[1].d), XEN_X86_FEATURE_SSE2, "feature sse2," },
		{ offsetof(struct cpu_policy, basic[1].c), XEN_X86_FEATURE_CX16,
		  "feature cmpxchg16," },
		{ offsetof(struct cpu_policy, basic[1].c), XEN_X86_FEATURE_X2APIC,
		  "feature x2apic," },
		{ offsetof(struct cpu_policy, extd[1].d), XEN_X86_FEATURE_NX, "feature nx," },
		{ offsetof(struct cpu_policy, extd[1].d), XEN_X86_FEATURE_LM, "feature lm," },
	};
	struct cpu_policy all;
	xen_cpuid_leaf_t *speculation;

	begin(&pvh);
	all = *machine_max();
	for (unsigned int i = 0; i < ARRAY_SIZE(lacks); i++) {
		uint32_t *reg = (uint32_t *)(void *)((uint8_t *)machine_max() + lacks[i].reg);

		*reg &= ~(1U << (lacks[i].feature % 32));
		EXPECT(give_policy(), == -EINVAL);
		EXPECT(host_log_has(lacks[i].name), == true);
		*machine_max() = all;
	}
	/* And what no machine has here yet. */
	speculation = leaf_of(0x80000008);
	speculation->b |= 1U << (XEN_X86_FEATURE_IBRS % 32);
	EXPECT(give_policy(), == -EINVAL);
	EXPECT(host_log_has("feature ibrs,"), == true);
	speculation->b &= ~(1U << (XEN_X86_FEATURE_IBRS % 32));
	/* What it would do without is hidden, and the log says what. */
	machine_max()->basic[1].d &= ~(1U << XEN_X86_FEATURE_CLFLUSH);
	EXPECT(give_policy(), == 0);
	EXPECT(host_log_has("hidden from its CPUID leaf 0x1, EDX: bits 0x80000"), == true);
	EXPECT(dom(TRAVELLER)->cpu_policy->basic[1].d >> XEN_X86_FEATURE_CLFLUSH & 1, == 0);
	end();
}
