/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPU policies made from the CPUID of the processor that runs the test. */
#include "abi_test.h"
#include "vmm/hvm/policy_private.h"
#include <xen/arch-x86/cpufeatureset.h>

#define HAS(p, word, name) ((p) & (1U << (XEN_X86_FEATURE_##name % 32)))

static struct cpu_policy host, hvm, back;
static xen_cpuid_leaf_t leaves[POLICY_MAX_LEAVES + 8];

static void leaf(uint32_t l, uint32_t s, struct cpuid_regs *r)
{
	cpuid_count(l, s, &r->a, &r->b, &r->c, &r->d);
}

static void make(void)
{
	uint32_t i;

	memset(&host, 0, sizeof(host));
	leaf(0, 0, &host.basic[0]);
	for (i = 1; i <= min(host.basic[0].a, POLICY_NR_BASIC - 1); i++)
		leaf(i, 0, &host.basic[i]);
	for (i = 0; i < POLICY_NR_FEAT; i++)
		leaf(7, i, &host.feat[i]);
	for (i = 0; i < POLICY_NR_XSTATE; i++)
		leaf(0xd, i, &host.xstate[i]);
	leaf(0x80000000, 0, &host.extd[0]);
	for (i = 1; i <= min(host.extd[0].a & 0xffff, POLICY_NR_EXTD - 1); i++)
		leaf(0x80000000 + i, 0, &host.extd[i]);
	policy_derive_hvm(&host, &hvm);
}

TEST(policy_hides_what_is_the_hypervisors)
{
	uint32_t w[POLICY_FEAT_WORDS];

	make();
	policy_featureset(&hvm, w);
	EXPECT(!HAS(w[1], 1, VMX) && !HAS(w[1], 1, MONITOR) && !HAS(w[1], 1, SMX) &&
	       !HAS(w[1], 1, DCA));
	EXPECT(!HAS(w[3], 3, SVM) && !HAS(w[3], 3, SKINIT) && !HAS(w[5], 5, RTM) &&
	       !HAS(w[5], 5, HLE));
	EXPECT(HAS(w[1], 1, HYPERVISOR) && HAS(w[1], 1, X2APIC) && HAS(w[0], 0, APIC));
	EXPECT(!hvm.basic[5].a && !hvm.basic[0xa].a && !hvm.extd[0xa].a);
}

TEST(policy_never_exceeds_host)
{
	uint32_t h[POLICY_FEAT_WORDS], w[POLICY_FEAT_WORDS], soft;

	make();
	policy_featureset(&host, h);
	policy_featureset(&hvm, w);
	for (unsigned int i = 0; i < POLICY_FEAT_WORDS; i++) {
		soft = i == 1 ? 1U << 21 | 1U << 24 | 1U << 31 : i == 0 || i == 2 ? 1U << 9 : 0;
		EXPECT(!(w[i] & ~h[i] & ~soft));
	}
}

TEST(policy_serial_form_round_trip)
{
	uint32_t bad = 0, sub = 0;
	unsigned int n;

	make();
	n = policy_serialise(&hvm, NULL);
	EXPECT(n <= POLICY_MAX_LEAVES);
	EXPECT(policy_serialise(&hvm, leaves) == n);
	for (unsigned int i = 1; i < n; i++)
		EXPECT(leaves[i].leaf > leaves[i - 1].leaf ||
		       (leaves[i].leaf == leaves[i - 1].leaf &&
			leaves[i].subleaf > leaves[i - 1].subleaf));
	memset(&back, 0, sizeof(back));
	EXPECT(!policy_deserialise(&back, leaves, n, &bad, &sub));
	EXPECT(!memcmp(back.basic, hvm.basic, 4 * sizeof(back.basic[0])));
	EXPECT(!memcmp(back.feat, hvm.feat, sizeof(back.feat[0])));
	EXPECT(!memcmp(back.xstate, hvm.xstate, 2 * sizeof(back.xstate[0])));
	EXPECT(!memcmp(&back.extd[1], &hvm.extd[1], sizeof(back.extd[0])));
}

TEST(policy_refuses_foreign_leaves)
{
	xen_cpuid_leaf_t odd[] = {
		{ .leaf = 0x0e, .subleaf = XEN_CPUID_NO_SUBLEAF },
		{ .leaf = 0x80000100, .subleaf = XEN_CPUID_NO_SUBLEAF },
		{ .leaf = 1, .subleaf = 0 },
		{ .leaf = 7, .subleaf = XEN_CPUID_NO_SUBLEAF },
		{ .leaf = 0xd, .subleaf = 63 },
		{ .leaf = 0x40000001, .subleaf = XEN_CPUID_NO_SUBLEAF },
	};
	uint32_t bad, sub;

	make();
	for (unsigned int i = 0; i < ARRAY_SIZE(odd); i++) {
		back = hvm;
		EXPECT(policy_deserialise(&back, &odd[i], 1, &bad, &sub) == -ERANGE);
		EXPECT(bad == odd[i].leaf && sub == odd[i].subleaf);
	}
}

TEST(policy_cannot_be_widened)
{
	uint32_t bad, sub;

	make();
	back = hvm;
	back.basic[1].c = back.basic[1].d = back.feat[0].b = back.feat[0].c = back.extd[1].c = ~0U;
	policy_sanitise(&hvm, &back);
	EXPECT(!(back.basic[1].c & ~hvm.basic[1].c) && !(back.feat[0].b & ~hvm.feat[0].b));
	EXPECT(!(back.extd[1].c & ~hvm.extd[1].c));
	back.basic[0].a = 0xff;
	EXPECT(policy_check(&hvm, &back, &bad, &sub) == -EINVAL && bad == 0);
}

/* Policies that were made elsewhere: longer ones are cut, and what a guest cannot do without has a name. */
TEST(policy_made_elsewhere)
{
	uint32_t bad, sub, leaf;
	const char *reg;

	make();
	back = hvm;
	back.extd[0].a = 0x80000000U + POLICY_NR_EXTD - 1;
	back.feat[0].a = POLICY_NR_FEAT - 1;
	EXPECT(!policy_check(&hvm, &back, &bad, &sub));
	back.extd[0].a++;
	EXPECT(policy_check(&hvm, &back, &bad, &sub) == -EINVAL && bad == 0x80000000U);
	back = hvm;
	EXPECT(!policy_needs(&hvm, &back, &bad, &sub));
	back.feat[0].b = ~0U;
	hvm.feat[0].b &= ~(1U << 7);
	EXPECT(!strcmp(policy_needs(&hvm, &back, &bad, &sub), "smep") && bad == 7 && !sub);
	back = hvm;
	hvm.extd[1].d &= ~(1U << 20);
	back.extd[1].d |= 1U << 20;
	EXPECT(!strcmp(policy_needs(&hvm, &back, &bad, &sub), "nx") && bad == 0x80000001U);
	back = hvm;
	hvm.feat[0].b &= ~(1U << 18); /* RDSEED: asked for each time, or done without */
	back.feat[0].b |= 1U << 18;
	EXPECT(!policy_needs(&hvm, &back, &bad, &sub));
	EXPECT(policy_loses(&hvm, &back, 5, &leaf, &reg) == 1U << 18 && leaf == 7);
	EXPECT(!policy_loses(&hvm, &back, 6, &leaf, &reg));
}

/* What AMD's processors tell in two leaves, policies do; images of Xen's have it so. */
TEST(policy_of_amd)
{
	const uint32_t twice = 0x0183f3ff;

	make();
	host.basic[0].b = 0x68747541;
	host.extd[1].d |= twice;
	policy_derive_hvm(&host, &hvm);
	EXPECT((hvm.extd[1].d & twice) == (hvm.basic[1].d & twice));
	back = hvm;
	back.basic[1].d &= ~(1U << 19 | 1U << 23); /* what xl's cpuid= takes away */
	policy_sanitise(&hvm, &back);
	EXPECT(!(back.extd[1].d & 1U << 23));
	host.basic[0].b = 0x756e6547;
	host.extd[1].d &= ~twice;
	policy_derive_hvm(&host, &hvm);
	EXPECT(!(hvm.extd[1].d & twice));
}

/* Addresses end where four levels of nested tables do, and where the host's do. */
TEST(policy_physical_addresses)
{
	struct cpu_policy wide;

	make();
	wide = host;
	wide.extd[8].a = 0x123934; /* 52 bits, 57 linear, of guests 18 */
	policy_derive_hvm(&wide, &hvm);
	EXPECT(hvm.extd[8].a == 0x3930);
	wide.extd[8].a = 0x3027;
	policy_derive_hvm(&wide, &hvm);
	EXPECT(hvm.extd[8].a == 0x3027);
	back = hvm;
	back.extd[8].a = 0x3034;
	policy_sanitise(&hvm, &back);
	EXPECT(back.extd[8].a == 0x3027);
	back.extd[8].a = 0x3024;
	policy_sanitise(&hvm, &back);
	EXPECT(back.extd[8].a == 0x3024);
}

/* Without AVX nothing of its state is offered, and the size falls to the legacy area and header. */
TEST(policy_xstate_follows_features)
{
	make();
	if (!HAS(hvm.basic[1].c, 1, XSAVE))
		return;
	back = hvm;
	back.basic[1].c &= ~(1U << 28);
	back.feat[0].c &= ~(1U << 3);
	policy_sanitise(&hvm, &back);
	EXPECT(back.xstate[0].a == 3 && back.xstate[0].c == 576);
	EXPECT(!HAS(back.feat[0].b, 5, AVX2));
}

/*
 * On a machine with all components: those of MPX (3, 4) and AMX (17, 18), which hosts have and no policy offers, would
 * fault in the hypervisor's own XSETBV when they come alone.
 */
TEST(policy_xcr0_rules)
{
	static const uint64_t good[] = { 1, 3, 7, 0xe7, 0x207, 0x2e7 };
	static const uint64_t bad[] = { 0,	 2,	  5,	 0x27,		 0xe3,
					0x67,	 0xb,	  0x13,	 0x1f,		 0x20007,
					0x40007, 0x60007, 0x107, 1ULL << 63 | 3, ~0ULL };

	memset(&host, 0, sizeof(host));
	host.basic[0].a = 0xd;
	host.extd[0].a = 0x80000008;
	host.basic[1].c = 1U << 26 | 1U << 28; /* XSAVE, AVX */
	host.feat[0].b = 1U << 16 | 1U << 14;  /* AVX-512F, MPX */
	host.feat[0].c = 1U << 3;	       /* PKU */
	host.xstate[0].a = 0x602ff;
	for (unsigned int i = 2; i < POLICY_NR_XSTATE; i++)
		host.xstate[i] = (struct cpuid_regs){ .a = 64, .b = 512 + 64 * i };
	policy_derive_hvm(&host, &hvm);
	for (unsigned int i = 0; i < ARRAY_SIZE(good); i++)
		EXPECT(policy_xcr0_ok(&hvm, good[i]));
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT(!policy_xcr0_ok(&hvm, bad[i]));
	back = hvm;
	back.basic[1].c &= ~(1U << 28);
	policy_sanitise(&hvm, &back);
	EXPECT(policy_xcr0_ok(&back, 3) && !policy_xcr0_ok(&back, 7));
	back.basic[1].c &= ~(1U << 26);
	policy_sanitise(&hvm, &back);
	EXPECT(!policy_xcr0_ok(&back, 1));
}

TEST(policy_topology)
{
	uint32_t shift = 0;

	make();
	host.topo[0] = (struct cpuid_regs){ 0, 1, 0, 0 }; /* counted, but without a type */
	policy_derive_hvm(&host, &hvm);
	EXPECT(!hvm.topo[0].b && !hvm.topo[1].b);
	policy_derive_dom0(&host, &hvm);
	EXPECT(!hvm.topo[0].b);

	host.topo[0] = (struct cpuid_regs){ 1, 2, 0x100, 0 };
	host.topo[1] = (struct cpuid_regs){ 3, 8, 0x201, 0 };
	policy_derive_dom0(&host, &hvm);
	EXPECT(!memcmp(hvm.topo, host.topo, sizeof(host.topo)));
	policy_derive_hvm(&host, &hvm);
	for (unsigned int i = 0; i < POLICY_NR_TOPO; i++) {
		EXPECT((hvm.topo[i].c >> 8 & 0xff) == i + 1 && hvm.topo[i].b);
		EXPECT(hvm.topo[i].a > shift);
		shift = hvm.topo[i].a;
	}
	/* One thread a core, all cores in one package. */
	EXPECT((2U >> hvm.topo[0].a) != (4U >> hvm.topo[0].a));
	EXPECT(127U * 2 >> hvm.topo[1].a == 0);
}
