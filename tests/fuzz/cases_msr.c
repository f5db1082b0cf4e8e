/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MSRs: what processors of a family have without a CPUID bit, and what goes with a bit that is not there. */
#include "cases.h"
#include "xen_abi.h"
#include "hvm_ops.h"
#include "vmm/hvm/internal.h"
#include "policy.h"
#include <xen/domctl.h>
#include <xen/hvm/save.h>
#include <xen/memory.h>

#define GP (-1) /* the access raises #GP */

static struct vcpu *guest(void)
{
	return domain_vcpu(dom(DOMID_B), 0);
}

static struct cpu_policy *policy(void)
{
	return dom(DOMID_B)->cpu_policy;
}

static long long rd(uint32_t msr)
{
	uint64_t value;

	return hvm_rdmsr(guest(), msr, &value) ? GP : (long long)value;
}

static int wr(uint32_t msr, uint64_t value)
{
	return hvm_wrmsr(guest(), msr, value) ? GP : 0;
}

/* The guest's processor is of this vendor and family (all families that there are fit both fields). */
static void be(const char *vendor, unsigned int family)
{
	struct cpu_policy *p = policy();

	memcpy(&p->basic[0].b, vendor, 4);
	memcpy(&p->basic[0].d, vendor + 4, 4);
	memcpy(&p->basic[0].c, vendor + 8, 4);
	p->basic[1].a = family < 15 ? family << 8 : 15U << 8 | (family - 15) << 20;
	p->basic[1].d |= BIT(7) | BIT(14) | BIT(22); /* MCE, MCA, ACPI */
}

#define AMD(f)	 be("AuthenticAMD", f)
#define INTEL(f) be("GenuineIntel", f)

static void reads_zero_drops(uint32_t first, uint32_t last)
{
	for (uint32_t msr = first; msr <= last; msr++) {
		EXPECT(wr(msr, 0x1234567), == 0);
		EXPECT(rd(msr), == 0);
	}
}

static void absent(uint32_t msr)
{
	EXPECT(rd(msr), == GP);
	EXPECT(wr(msr, 0), == GP);
}

CASE(msr_k7_counters)
{
	static const unsigned int families[] = { 6, 15, 16, 17, 18, 20, 21, 22, 23, 25, 26 };

	for (unsigned int i = 0; i < ARRAY_SIZE(families); i++) {
		AMD(families[i]);
		reads_zero_drops(0xc0010000, 0xc0010007);
	}
	be("HygonGenuine", 24);
	reads_zero_drops(0xc0010000, 0xc0010007);
	AMD(5);
	absent(0xc0010000);
	INTEL(6);
	absent(0xc0010000);
	absent(0xc0010007);
	absent(0xc0010008);
}

CASE(msr_p5_machine_check)
{
	static const unsigned int families[] = { 5, 6, 15, 23 };

	for (unsigned int i = 0; i < ARRAY_SIZE(families); i++) {
		AMD(families[i]);
		reads_zero_drops(0, 1);
		INTEL(families[i]);
		reads_zero_drops(0, 1);
	}
	policy()->basic[1].d &= ~(uint32_t)BIT(7);
	absent(0);
	absent(1);
}

/* What Linux, the BSDs, Solaris and Windows touch while they start on AMD's families. */
CASE(msr_amd_kernels)
{
	AMD(6);
	EXPECT(rd(0xc001001b),
	       == 0x20000000); /* another value is reported as the firmware's fault */
	EXPECT(rd(0xc0010015), == 0);
	absent(0xc001001f);
	AMD(15);
	reads_zero_drops(0xc0010010, 0xc0010010);
	reads_zero_drops(0xc0010016, 0xc001001a);
	reads_zero_drops(0xc001001d, 0xc001001d);
	reads_zero_drops(0xc001001f, 0xc001001f);
	reads_zero_drops(0xc0010055, 0xc0010055);
	reads_zero_drops(0xc0011020, 0xc0011023);
	EXPECT(wr(0xc0010020, 0x1000), == 0); /* microcode */
	EXPECT(rd(0xc0010020), == GP);
	EXPECT(rd(0x8b), == 0);
	AMD(16);
	EXPECT(rd(0xc0010015), == 1 << 24);
	reads_zero_drops(0xc0010058, 0xc0010058);
	reads_zero_drops(0xc0011029, 0xc001102c);
	AMD(23);
	EXPECT(rd(0xc0010015), == 1 << 24);
	EXPECT(wr(0xc0010015, 0), == 0);
	reads_zero_drops(0xc0010064, 0xc001006b);
	EXPECT(rd(0xc0010063), == 0);
	EXPECT(wr(0xc0010063, 0), == GP);
	EXPECT(rd(0xc0010299), == 0);
	reads_zero_drops(0xc0011029, 0xc0011029);
	/* With this one Linux would believe in a mitigation. */
	absent(0xc0011020);
	absent(0x1a0);
	absent(0x3a);
	absent(0xc1);
	absent(0xc0010114); /* VM_CR: goes with SVM */
}

CASE(msr_intel_kernels)
{
	INTEL(6);
	EXPECT(rd(0x17), == 0);
	EXPECT(wr(0x17, 0), == GP);
	reads_zero_drops(0x2a, 0x2b);
	EXPECT(rd(0x3a), == 1); /* locked: nothing enabled, nothing to enable */
	EXPECT(wr(0x3a, 5), == GP);
	EXPECT(wr(0x79, 0x1000), == 0);
	EXPECT(rd(0x79), == GP);
	reads_zero_drops(0x8b, 0x8b);
	reads_zero_drops(0xc1, 0xc2);
	reads_zero_drops(0x186, 0x187);
	EXPECT(rd(0xcd), == 3);
	EXPECT(rd(0x11e), == 0xbe702111LL);
	EXPECT(rd(0x179), == 0);
	reads_zero_drops(0x17a, 0x17a);
	EXPECT(rd(0x198), == 0);
	reads_zero_drops(0x19a, 0x19c);
	EXPECT(rd(0x1a0), == 0x1801);
	EXPECT(wr(0x1a0, 0x1801), == 0);
	reads_zero_drops(0x1db, 0x1de);
	EXPECT(rd(0x606), == 0);
	absent(0x2c);
	absent(0xc0010015);
	absent(0xc3);
	absent(0x38f);
	absent(0x345);
	policy()->basic[1].d &= ~(uint32_t)(BIT(14) | BIT(22));
	absent(0x179);
	absent(0x19a);
	INTEL(15);
	EXPECT(rd(0x2c), == 1 << 24); /* a divisor in what kernels compute */
	reads_zero_drops(0x300, 0x311);
	reads_zero_drops(0x360, 0x371);
	reads_zero_drops(0x3a0, 0x3f2);
	absent(0xcd);
	absent(0xc1);
	be("CentaurHauls", 6);
	absent(0x17);
	absent(0x8b);
}

/* Registers that go with a feature are not there without it. */
CASE(msr_without_the_feature)
{
	struct cpu_policy *p = policy();

	p->extd[1].d |= BIT(27);
	EXPECT(wr(0xc0000103, 5), == 0);
	EXPECT(rd(0xc0000103), == 5);
	p->extd[1].d &= ~(uint32_t)BIT(27);
	p->feat[0].c |= BIT(22);
	EXPECT(rd(0xc0000103), == 5);
	p->feat[0].c &= ~(uint32_t)BIT(22);
	absent(0xc0000103);

	p->basic[1].c |= BIT(24) | BIT(21);
	EXPECT(wr(0x6e0, 0), == 0);
	p->basic[1].c &= ~(uint32_t)(BIT(24) | BIT(21));
	absent(0x6e0);
	EXPECT(wr(0x1b, 0xfee00d00), == GP); /* x2APIC mode */
	p->basic[1].c |= BIT(21);
	EXPECT(wr(0x1b, 0xfee00d00), == 0);

	p->basic[1].d |= BIT(12);
	EXPECT(wr(0x2ff, 0x800), == 0);
	p->basic[1].d &= ~(uint32_t)BIT(12);
	absent(0x2ff);
	absent(0xfe);

	p->extd[1].d |= BIT(20) | BIT(11);
	EXPECT(wr(0xc0000080, 0x801), == 0);
	p->extd[1].d &= ~(uint32_t)BIT(20);
	EXPECT(wr(0xc0000080, 0x801), == GP);
	EXPECT(wr(0xc0000080, 1), == 0);
	p->extd[1].d &= ~(uint32_t)(BIT(11) | BIT(25) | BIT(29));
	EXPECT(wr(0xc0000080, 1), == GP);
	EXPECT(wr(0xc0000080, 1 << 14), == GP);
	EXPECT(wr(0xc0000080, 1 << 8), == GP);
	EXPECT(wr(0xc0000080, 0), == 0);
}

/* --- CPUID faulting ---------------------------------------------------------------------------- */

/* Whether CPUID at this privilege faults. */
static bool cpuid_faults(unsigned int cpl)
{
	struct vcpu *v = guest();
	struct x86_segment ss = { .attr = (uint16_t)(0xc93 | cpl << 5), .limit = ~0U };
	uint64_t rip = v->regs.rip;
	bool gp;

	hvm_set_seg(v, X86_SEG_SS, &ss);
	v->hvm.event.type = HVM_EVENT_NONE;
	v->regs.gpr[X86_RAX] = v->regs.gpr[X86_RCX] = 0;
	hvm_exit_cpuid(v, 2);
	gp = v->hvm.event.type == HVM_EVENT_EXC && v->hvm.event.vector == X86_EXC_GP;
	EXPECT(v->regs.rip, == (long)(gp ? rip : rip + 2));
	v->hvm.event.type = HVM_EVENT_NONE;
	return gp;
}

CASE(msr_cpuid_faulting)
{
	/* Offered to guests of both vendors, as by Xen. */
	EXPECT(rd(0xce), == 1LL << 31);
	EXPECT(wr(0xce, 1ULL << 31), == GP);
	EXPECT(rd(0x140), == 0);
	EXPECT(cpuid_faults(3), == 0);
	EXPECT(wr(0x140, 1), == 0);
	EXPECT(rd(0x140), == 1);
	EXPECT(cpuid_faults(3), == 1);
	EXPECT(cpuid_faults(1), == 1);
	EXPECT(cpuid_faults(0), == 0);
	EXPECT(wr(0x140, 2), == GP);
	EXPECT(wr(0x140, 1ULL << 32 | 1), == GP);
	EXPECT(rd(0x140), == 1);
	EXPECT(wr(0x140, 0), == 0);
	EXPECT(cpuid_faults(3), == 0);
	policy()->platform_info = 0;
	EXPECT(rd(0xce), == 0);
	EXPECT(wr(0x140, 1), == GP);
	EXPECT(wr(0x140, 0), == 0);
}

/* One record of type 20 for vCPU 0 of B, as sethvmcontext takes it. */
static long load_msrs(uint32_t count, uint32_t index, uint64_t value, uint32_t cut)
{
	struct xen_domctl op = { .cmd = XEN_DOMCTL_sethvmcontext,
				 .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
				 .domain = DOMID_B };
	struct hvm_save_header header = { .magic = HVM_FILE_MAGIC, .version = HVM_FILE_VERSION };
	struct hvm_save_descriptor d = { .typecode = HVM_SAVE_CODE(HEADER),
					 .length = sizeof(header) };
	struct {
		uint32_t count, index, reserved, value[2];
	} __packed r = { count, index, 0, { (uint32_t)value, (uint32_t)(value >> 32) } };
	uint8_t *at = guest_page(0, SCRATCH_GFN), *start = at;

#define PUT(x, n) (memcpy(at, &(x), n), at += (n))
	PUT(d, sizeof(d));
	PUT(header, sizeof(header));
	d = (struct hvm_save_descriptor){ .typecode = CPU_MSR_CODE, .length = 24 - cut };
	PUT(d, sizeof(d));
	PUT(r.count, 4);
	PUT((uint32_t){ 0 }, 4);
	PUT(r.index, 16 - cut);
	d = (struct hvm_save_descriptor){ .typecode = HVM_SAVE_CODE(END) };
	PUT(d, sizeof(d));
#undef PUT
	op.u.hvmcontext.size = (uint32_t)(at - start);
	op.u.hvmcontext.buffer.p = (void *)LIST;
	memcpy(guest_page(0, ARG_GFN), &op, sizeof(op));
	return call_as(0, 0, __HYPERVISOR_domctl, ARG, 0, 0, 0);
}

CASE(msr_record)
{
	EXPECT(load_msrs(1, 0x140, 1, 0), == 0);
	EXPECT(rd(0x140), == 1);
	EXPECT(load_msrs(1, 0x140, 2, 0), == -ENXIO);
	EXPECT(load_msrs(1, 0x48, 0, 0), == 0); /* of another saver, and nothing in it */
	host_log_clear();
	EXPECT(load_msrs(1, 0x48, 1, 0), == -ENXIO);
	EXPECT(host_log_has("0x48"), != 0);
	EXPECT(load_msrs(1, 0xc0000080, 1, 0), == -ENXIO);
	EXPECT(load_msrs(2, 0x140, 1, 0), == -EINVAL);
	EXPECT(load_msrs(1, 0x140, 1, 1), == -EINVAL);
	EXPECT(load_msrs(0x10000001, 0x140, 1, 0), == -EINVAL);
	EXPECT(rd(0x140), == 1);
}

/* --- policies from and to the tools ------------------------------------------------------------ */

/* `nl` and `nm`: room for leaves and MSRs, -1 = no place at all. The numbers come back. */
static long get_policy(int *nl, int *nm)
{
	struct xen_domctl op = { .cmd = XEN_DOMCTL_get_cpu_policy,
				 .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
				 .domain = DOMID_B };
	struct xen_domctl *at = guest_page(0, ARG_GFN);
	long rc;

	if (*nl >= 0)
		op.u.cpu_policy.leaves.p = (void *)LIST;
	if (*nm >= 0)
		op.u.cpu_policy.msrs.p = (void *)(LIST + PAGE_SIZE);
	op.u.cpu_policy.nr_leaves = *nl < 0 ? 0 : (uint32_t)*nl;
	op.u.cpu_policy.nr_msrs = *nm < 0 ? 0 : (uint32_t)*nm;
	memcpy(at, &op, sizeof(op));
	rc = call_as(0, 0, __HYPERVISOR_domctl, ARG, 0, 0, 0);
	*nl = (int)at->u.cpu_policy.nr_leaves;
	*nm = (int)at->u.cpu_policy.nr_msrs;
	return rc;
}

/* Half a policy may be asked for: libxenguest does, for a configuration with cpuid=. */
CASE(policy_in_halves)
{
	int nl = POLICY_MAX_LEAVES, nm = -1;

	memset(guest_page(0, SCRATCH_GFN), 0, PAGE_SIZE);
	memset(guest_page(0, SCRATCH_GFN + 1), 0, PAGE_SIZE);
	EXPECT(get_policy(&nl, &nm), == 0);
	EXPECT(nl, > 20);
	EXPECT(nm, == POLICY_MAX_MSRS);
	EXPECT(*(uint32_t *)guest_page(0, SCRATCH_GFN) == 0 &&
		       ((uint32_t *)guest_page(0, SCRATCH_GFN))[2] == policy()->basic[0].a,
	       != 0);
	nl = -1;
	nm = 2;
	EXPECT(get_policy(&nl, &nm), == 0);
	EXPECT(nl, == POLICY_MAX_LEAVES);
	EXPECT(*(uint32_t *)guest_page(0, SCRATCH_GFN + 1), == 0xce);
	nl = nm = -1;
	EXPECT(get_policy(&nl, &nm), == 0);
	EXPECT(nl == POLICY_MAX_LEAVES && nm == POLICY_MAX_MSRS, != 0);
	nl = 3;
	nm = 2;
	EXPECT(get_policy(&nl, &nm), == -ENOBUFS);
	nl = POLICY_MAX_LEAVES;
	nm = 0;
	EXPECT(get_policy(&nl, &nm), == -ENOBUFS);
}

/* 32-bit guests have no rights that 64-bit ones have not, and hear the same. */
CASE(privileged_calls_by_width)
{
	static const unsigned int calls[] = { __HYPERVISOR_sysctl, __HYPERVISOR_domctl,
					      __HYPERVISOR_platform_op, __HYPERVISOR_dm_op };

	for (unsigned int wide = 0; wide < 2; wide++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(calls); i++) {
			struct vcpu *v = domain_vcpu(dom(DOMID_A), 0);

			EXPECT(machine_become(v, wide), != 0);
			memset(v->regs.gpr, 0, sizeof(v->regs.gpr));
			v->regs.gpr[X86_RAX] = calls[i];
			machine_hypercall(v, 0);
			EXPECT((int)v->regs.gpr[X86_RAX], == -EPERM);
			machine_pass(1);
		}
	}
}

/* The batch of add_to_physmap has lists as wide as its caller. */
CASE(physmap_batch_by_width)
{
	struct {
		uint16_t domid, space, size, extra;
		uint32_t idxs, gpfns, errs;
	} narrow = { DOMID_SELF, XENMAPSPACE_gmfn, 2, 0, LIST, LIST + 64, LIST + 128 };
	uint32_t *list = guest_page(DOMID_A, SCRATCH_GFN);
	struct vcpu *v = domain_vcpu(dom(DOMID_A), 0);
	struct domain *d = dom(DOMID_A);
	mfn_t was = p2m_get(d, _gfn(20)).mfn;

	list[0] = 20; /* to a hole, and what is not there */
	list[1] = FIRST_HOLE + 9;
	list[16] = FIRST_HOLE + 1;
	list[17] = FIRST_HOLE + 2;
	list[32] = list[33] = 77;
	memcpy(guest_page(DOMID_A, ARG_GFN), &narrow, sizeof(narrow));
	EXPECT(machine_become(v, false), != 0);
	memset(v->regs.gpr, 0, sizeof(v->regs.gpr));
	v->regs.gpr[X86_RAX] = __HYPERVISOR_memory_op;
	v->regs.gpr[X86_RBX] = XENMEM_add_to_physmap_batch;
	v->regs.gpr[X86_RCX] = ARG;
	machine_hypercall(v, 0);
	EXPECT((int)v->regs.gpr[X86_RAX], == 0);
	machine_pass(1);
	check_machine();
	EXPECT(list[32], == 0);
	EXPECT((int)list[33], == -EINVAL);
	EXPECT(mfn_eq(p2m_get(d, _gfn(FIRST_HOLE + 1)).mfn, was), == true);
	EXPECT(p2m_get(d, _gfn(20)).type, == P2M_INVALID);
}
