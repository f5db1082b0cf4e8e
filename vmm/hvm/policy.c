/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CPU policies as tables: which features a guest may see, the dependent leaves, and the serial form in
 * which the toolstack reads and writes them (xen_cpuid_leaf_t, order as Xen 4.17). Pure: takes the
 * host's leaves as data. SDM volume 2 "CPUID"; APM volume 3, appendix E.
 */
#include "policy_private.h"
#include "cpu.h"
#include "lib.h"
#include <xen/arch-x86/cpufeatureset.h>

#define F(name) (1U << (XEN_X86_FEATURE_##name % 32))

/* Bits that vulnerability fixes brought: the headers of Debian 12's earlier updates have no names for them. */
#define FEAT_8_IBPB_RET	    (1U << 30)
#define FEAT_11_VERW_CLEAR  (1U << 5)
#define FEAT_11_SBPB	    (1U << 27)
#define FEAT_11_IBPB_BRTYPE (1U << 28)
#define FEAT_11_SRSO_NO	    (1U << 29)
#define FEAT_11_SRSO_US_NO  (1U << 30)
#define FEAT_13_MCDT_NO	    (1U << 5)

/* Leaf 0xb: ECX has the level's type, EAX how far to shift an APIC id for the next level's. */
#define TOPO_TYPE_MASK	   0xff00U
#define TOPO_TYPE_THREAD   0x100U
#define TOPO_TYPE_CORE	   0x200U
#define TOPO_PACKAGE_SHIFT 8U /* holds every APIC id that a guest can have */

/* Where each word of a featureset lives: the names are in cpufeatureset.h. */
static uint32_t *feature_word(struct cpu_policy *p, unsigned int w)
{
	switch (w) {
	case 0:
		return &p->basic[1].d;
	case 1:
		return &p->basic[1].c;
	case 2:
		return &p->extd[1].d;
	case 3:
		return &p->extd[1].c;
	case 4:
		return &p->xstate[1].a;
	case 5:
		return &p->feat[0].b;
	case 6:
		return &p->feat[0].c;
	case 7:
		return &p->extd[7].d;
	case 8:
		return &p->extd[8].b;
	case 9:
		return &p->feat[0].d;
	case 10:
		return &p->feat[1].a;
	case 11:
		return &p->extd[0x21].a;
	case 12:
		return &p->feat[1].b;
	case 13:
		return &p->feat[2].d;
	case 14:
		return &p->feat[1].c;
	case 15:
		return &p->feat[1].d;
	default:
		return NULL; /* 16-18: MSR_ARCH_CAPS, not offered */
	}
}

/*
 * What HVM guests may see. Left out are what is the VMM's own (VMX, SVM, MONITOR, performance and power
 * management), what needs MSRs that no one emulates, and TSX.
 */
static const uint32_t hvm_mask[POLICY_FEAT_WORDS] = {
	[0] = F(FPU) | F(VME) | F(DE) | F(PSE) | F(TSC) | F(MSR) | F(PAE) | F(MCE) | F(CX8) |
	      F(APIC) | F(SEP) | F(MTRR) | F(PGE) | F(MCA) | F(CMOV) | F(PAT) | F(PSE36) |
	      F(CLFLUSH) | F(ACPI) | F(MMX) | F(FXSR) | F(SSE) | F(SSE2) | F(SS) | F(HTT),
	[1] = F(SSE3) | F(PCLMULQDQ) | F(SSSE3) | F(FMA) | F(CX16) | F(PCID) | F(SSE4_1) |
	      F(SSE4_2) | F(X2APIC) | F(MOVBE) | F(POPCNT) | F(TSC_DEADLINE) | F(AESNI) | F(XSAVE) |
	      F(AVX) | F(F16C) | F(RDRAND) | F(HYPERVISOR),
	[2] = F(SYSCALL) | F(NX) | F(MMXEXT) | F(FFXSR) | F(PAGE1GB) | F(RDTSCP) | F(LM) |
	      F(3DNOWEXT) | F(3DNOW),
	[3] = F(LAHF_LM) | F(CMP_LEGACY) | F(CR8_LEGACY) | F(ABM) | F(SSE4A) | F(MISALIGNSSE) |
	      F(3DNOWPREFETCH) | F(XOP) | F(FMA4) | F(TBM),
	[4] = F(XSAVEOPT) | F(XSAVEC) | F(XGETBV1),
	[5] = F(FSGSBASE) | F(BMI1) | F(AVX2) | F(FDP_EXCP_ONLY) | F(SMEP) | F(BMI2) | F(ERMS) |
	      F(INVPCID) | F(NO_FPU_SEL) | F(AVX512F) | F(AVX512DQ) | F(RDSEED) | F(ADX) | F(SMAP) |
	      F(AVX512_IFMA) | F(CLFLUSHOPT) | F(CLWB) | F(AVX512PF) | F(AVX512ER) | F(AVX512CD) |
	      F(SHA) | F(AVX512BW) | F(AVX512VL),
	[6] = F(PREFETCHWT1) | F(AVX512_VBMI) | F(UMIP) | F(PKU) | F(AVX512_VBMI2) | F(GFNI) |
	      F(VAES) | F(VPCLMULQDQ) | F(AVX512_VNNI) | F(AVX512_BITALG) | F(AVX512_VPOPCNTDQ) |
	      F(RDPID) | F(CLDEMOTE) | F(MOVDIRI) | F(MOVDIR64B),
	[7] = F(ITSC),
	[8] = F(CLZERO) | F(RSTR_FP_ERR_PTRS) | F(IBPB) | F(SSB_NO) | F(BTC_NO) | FEAT_8_IBPB_RET,
	[9] = F(AVX512_4VNNIW) | F(AVX512_4FMAPS) | F(FSRM) | F(AVX512_VP2INTERSECT) | F(MD_CLEAR) |
	      F(SERIALIZE) | F(AVX512_FP16),
	[10] = F(AVX_VNNI) | F(AVX512_BF16) | F(FZRM) | F(FSRS) | F(FSRCS),
	[11] = F(LFENCE_DISPATCH) | FEAT_11_VERW_CLEAR | F(NSCB) | FEAT_11_SBPB |
	       FEAT_11_IBPB_BRTYPE | FEAT_11_SRSO_NO | FEAT_11_SRSO_US_NO,
	[13] = FEAT_13_MCDT_NO,
};

/* Offered on request only: a guest that knows of them may not be moved freely. */
static const uint32_t hvm_opt_in[POLICY_FEAT_WORDS] = { [7] = F(ITSC) };

/* State components of XCR0 and the feature that brings them. */
static const struct {
	uint64_t xcr0;
	uint8_t word;
	uint32_t bit;
} xstate_of[] = {
	{ 1ULL << 2, 1, F(AVX) },
	{ 7ULL << 5, 5, F(AVX512F) },
	{ 1ULL << 9, 6, F(PKU) },
};

static uint32_t word_get(const struct cpu_policy *p, unsigned int w)
{
	const uint32_t *f = feature_word((struct cpu_policy *)p, w);

	return f ? *f : 0;
}

void policy_featureset(const struct cpu_policy *p, uint32_t words[POLICY_FEAT_WORDS])
{
	for (unsigned int w = 0; w < POLICY_FEAT_WORDS; w++)
		words[w] = word_get(p, w);
}

static uint64_t xstates(const struct cpu_policy *p)
{
	uint64_t x = 3;

	if (!(p->basic[1].c & F(XSAVE)))
		return 0;
	for (unsigned int i = 0; i < ARRAY_SIZE(xstate_of); i++)
		if (word_get(p, xstate_of[i].word) & xstate_of[i].bit)
			x |= xstate_of[i].xcr0;
	return x;
}

/* MPX and AMX have rules, too: no policy has their components, whatever the processor has. */
bool policy_xcr0_ok(const struct cpu_policy *p, uint64_t value)
{
	const uint64_t sse = 2, avx = 4, avx512 = 7ULL << 5;

	if (!(value & 1) || (value & ~(p->xstate[0].a | (uint64_t)p->xstate[0].d << 32)))
		return false;
	if ((value & avx) && !(value & sse))
		return false;
	return !(value & avx512) || (value & (avx512 | avx | sse)) == (avx512 | avx | sse);
}

uint32_t policy_xsave_size(const struct cpu_policy *p, uint64_t bits, bool compacted)
{
	uint32_t size = 512 + 64;

	for (unsigned int i = 2; i < POLICY_NR_XSTATE; i++) {
		const struct cpuid_regs *x = &p->xstate[i];

		if (!(bits & BIT(i)))
			continue;
		if (!compacted)
			size = max(size, x->b + x->a);
		else
			size = ((x->c & 2) ? ROUND_UP(size, 64U) : size) + x->a;
	}
	return size;
}

/* Leaf 0xd from the host's, for the components that p's features need. */
static void recalc_xstate(const struct cpu_policy *max, struct cpu_policy *p)
{
	uint64_t x = xstates(p);
	uint32_t inst = p->xstate[1].a;

	memset(p->xstate, 0, sizeof(p->xstate));
	if (!x)
		return;
	p->xstate[0].a = (uint32_t)x;
	p->xstate[0].d = (uint32_t)(x >> 32);
	p->xstate[1].a = inst & word_get(max, 4);
	for (unsigned int i = 2; i < POLICY_NR_XSTATE; i++)
		if (x & BIT(i))
			p->xstate[i] = max->xstate[i];
	p->xstate[0].b = p->xstate[0].c = policy_xsave_size(p, x, false);
}

/* Features that mean nothing without another. */
static void drop_orphans(const struct cpu_policy *max, struct cpu_policy *p)
{
	uint64_t have = max->xstate[0].a | (uint64_t)max->xstate[0].d << 32;

	for (unsigned int i = 0; i < ARRAY_SIZE(xstate_of); i++)
		if (!(p->basic[1].c & F(XSAVE)) || (have & xstate_of[i].xcr0) != xstate_of[i].xcr0)
			*feature_word(p, xstate_of[i].word) &= ~xstate_of[i].bit;
	if (!(p->basic[1].c & F(AVX))) {
		p->basic[1].c &= ~(F(FMA) | F(F16C));
		p->feat[0].b &= ~(F(AVX2) | F(AVX512F));
		p->feat[0].c &= ~(F(VAES) | F(VPCLMULQDQ));
		p->feat[1].a &= ~F(AVX_VNNI);
		p->extd[1].c &= ~(F(XOP) | F(FMA4));
	}
	if (!(p->feat[0].b & F(AVX512F))) {
		p->feat[0].b &= ~(F(AVX512DQ) | F(AVX512_IFMA) | F(AVX512PF) | F(AVX512ER) |
				  F(AVX512CD) | F(AVX512BW) | F(AVX512VL));
		p->feat[0].c &= ~(F(AVX512_VBMI) | F(AVX512_VBMI2) | F(AVX512_VNNI) |
				  F(AVX512_BITALG) | F(AVX512_VPOPCNTDQ));
		p->feat[0].d &= ~(F(AVX512_4VNNIW) | F(AVX512_4FMAPS) | F(AVX512_VP2INTERSECT) |
				  F(AVX512_FP16));
		p->feat[1].a &= ~F(AVX512_BF16);
	}
}

/* AMD's processors tell in leaf 0x80000001, too, what they tell in EDX of leaf 1: APM volume 3, appendix E. */
#define TOLD_TWICE 0x0183f3ffU
#define EBX_AMD	   0x68747541U /* AuthenticAMD */
#define EBX_HYGON  0x6f677948U /* HygonGenuine */

static void tell_twice(struct cpu_policy *p)
{
	if (p->basic[0].b == EBX_AMD || p->basic[0].b == EBX_HYGON)
		p->extd[1].d = (p->extd[1].d & ~TOLD_TWICE) | (p->basic[1].d & TOLD_TWICE);
}

/*
 * Leaf 0xb: levels that agree with APIC ids of vCPU id * 2, that is one thread a core and one package. A
 * machine's own levels would cut vCPUs into packages at random. Some emulators count processors in a level
 * without a type, which is no level at all.
 */
static void recalc_topology(const struct cpu_policy *max, struct cpu_policy *p)
{
	bool exists = max->topo[0].b && (max->topo[0].c & TOPO_TYPE_MASK);

	if (!exists)
		memset(p->topo, 0, sizeof(p->topo));
	if (exists && p->topo_by_vcpu) {
		p->topo[0] = (struct cpuid_regs){ .a = 1, .b = 1, .c = TOPO_TYPE_THREAD };
		p->topo[1] = (struct cpuid_regs){ .a = TOPO_PACKAGE_SHIFT,
						  .b = 1U << (TOPO_PACKAGE_SHIFT - 1),
						  .c = TOPO_TYPE_CORE };
	}
}

/* EAX of leaf 0x80000008 with physical addresses of at most `bits`; linear ones stay, a guest's own size goes. */
static uint32_t address_sizes(uint32_t eax, uint32_t bits)
{
	return (eax & 0xff00) | min(eax & 0xff, bits);
}

void policy_sanitise(const struct cpu_policy *max, struct cpu_policy *p)
{
	uint32_t *f;

	p->basic[0].a = min(p->basic[0].a, max->basic[0].a);
	p->extd[0].a = min(p->extd[0].a, max->extd[0].a);
	p->feat[0].a = min(p->feat[0].a, max->feat[0].a);
	for (unsigned int w = 0; w < POLICY_FEAT_WORDS; w++) {
		f = feature_word(p, w);
		if (f)
			*f &= word_get(max, w);
	}
	p->basic[1].c |= F(HYPERVISOR);
	p->basic[1].d |= F(APIC);
	tell_twice(p);
	drop_orphans(max, p);
	recalc_xstate(max, p);
	recalc_topology(max, p);
	/* Power, performance and monitor leaves, and the VMM's own. */
	memset(&p->basic[5], 0, sizeof(p->basic[5]));
	memset(&p->basic[6], 0, sizeof(p->basic[6]));
	p->basic[6].a = max->basic[6].a & 4; /* ARAT: the vLAPIC's timer never stops */
	memset(&p->basic[9], 0, sizeof(p->basic[9]));
	memset(&p->basic[0xa], 0, sizeof(p->basic[0xa]));
	memset(&p->basic[0xc], 0, sizeof(p->basic[0xc]));
	memset(&p->extd[0xa], 0, sizeof(p->extd[0xa]));
	for (unsigned int i = 0xb; i < POLICY_NR_EXTD; i++)
		if (i != 0x19 && i != 0x1a && i != 0x1d && i != 0x21)
			memset(&p->extd[i], 0, sizeof(p->extd[i]));
	p->extd[7].a = p->extd[7].b = p->extd[7].c = 0;
	p->extd[8].a = address_sizes(p->extd[8].a, max->extd[8].a & 0xff);
	p->arch_caps = 0;
	p->platform_info &= max->platform_info;
}

/* The same for dom0 and guests: mask, software APIC features, limits. */
static void derive(const struct cpu_policy *host, struct cpu_policy *out)
{
	uint32_t *f;

	*out = *host;
	out->basic[0].a = min(max(host->basic[0].a, 0xbU), POLICY_NR_BASIC - 1);
	out->extd[0].a = min(host->extd[0].a, 0x80000000U + POLICY_NR_EXTD - 1);
	out->feat[0].a = min(host->feat[0].a, POLICY_NR_FEAT - 1);
	for (unsigned int w = 0; w < POLICY_FEAT_WORDS; w++) {
		f = feature_word(out, w);
		if (f)
			*f &= hvm_mask[w];
	}
	/* The vLAPIC is software: it can what the host's may not. */
	out->basic[1].c |= F(X2APIC) | F(TSC_DEADLINE) | F(HYPERVISOR);
	out->basic[1].c &= ~F(OSXSAVE);
	out->basic[1].d |= F(APIC);
	out->basic[6].a |= 4;
	out->feat[0].c &= ~F(OSPKE);
	out->extd[8].a = address_sizes(host->extd[8].a, GPA_BITS);
	out->extd[8].d = 0;
	/* CPUID always exits: it can fault whatever the processor can. */
	out->platform_info = PLATFORM_CPUID_FAULTING;
}

void policy_derive_hvm(const struct cpu_policy *host, struct cpu_policy *out)
{
	struct cpu_policy max;

	derive(host, out);
	max = *out;
	out->extd[8].c = 0;
	out->topo_by_vcpu = true;
	policy_sanitise(&max, out);
}

void policy_derive_default(const struct cpu_policy *hvm_max, struct cpu_policy *out)
{
	*out = *hvm_max;
	for (unsigned int w = 0; w < POLICY_FEAT_WORDS; w++)
		if (hvm_opt_in[w])
			*feature_word(out, w) &= ~hvm_opt_in[w];
}

void policy_derive_shadow(const struct cpu_policy *nested, struct cpu_policy *out)
{
	struct cpu_policy max = *nested;

	max.basic[1].c &= ~F(PCID);
	max.feat[0].b &= ~F(INVPCID);
	max.feat[0].c &= ~F(PKU);
	*out = max;
	policy_sanitise(&max, out);
}

void policy_derive_dom0(const struct cpu_policy *host, struct cpu_policy *out)
{
	struct cpu_policy max;

	derive(host, out);
	max = *out;
	out->topo_by_vcpu = false;
	policy_sanitise(&max, out);
}

/* --- serial form ------------------------------------------------------------------------------- */

struct leaf_sink {
	xen_cpuid_leaf_t *out;
	unsigned int n;
};

static void put_leaf(struct leaf_sink *s, uint32_t leaf, uint32_t sub, const struct cpuid_regs *r)
{
	if (s->out)
		s->out[s->n] = (xen_cpuid_leaf_t){ leaf, sub, r->a, r->b, r->c, r->d };
	s->n++;
}

static void put_leaves(struct leaf_sink *s, uint32_t leaf, const struct cpuid_regs *r,
		       unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		put_leaf(s, leaf, i, &r[i]);
}

static void put_xstate(struct leaf_sink *s, const struct cpu_policy *p)
{
	uint64_t x = xstates(p) >> 2;

	put_leaves(s, 0xd, p->xstate, 2);
	for (unsigned int i = 2; x && i < POLICY_NR_XSTATE; x >>= 1, i++)
		put_leaf(s, 0xd, i, &p->xstate[i]);
}

unsigned int policy_serialise(const struct cpu_policy *p, xen_cpuid_leaf_t *out)
{
	static const struct cpuid_regs none;
	struct leaf_sink s = { out, 0 };
	uint32_t i;

	for (i = 0; i <= min(p->basic[0].a, POLICY_NR_BASIC - 1); i++) {
		switch (i) {
		case 4:
			put_leaves(&s, i, p->cache, POLICY_NR_CACHE);
			break;
		case 7:
			put_leaves(&s, i, p->feat, min(p->feat[0].a, POLICY_NR_FEAT - 1) + 1);
			break;
		case 0xb:
			put_leaves(&s, i, p->topo, POLICY_NR_TOPO);
			break;
		case 0xd:
			put_xstate(&s, p);
			break;
		default:
			put_leaf(&s, i, XEN_CPUID_NO_SUBLEAF, &p->basic[i]);
			break;
		}
	}
	put_leaf(&s, 0x40000000, XEN_CPUID_NO_SUBLEAF, &none);
	put_leaf(&s, 0x40000100, XEN_CPUID_NO_SUBLEAF, &none);
	for (i = 0; i <= min(p->extd[0].a & 0xffff, POLICY_NR_EXTD - 1); i++)
		put_leaf(&s, 0x80000000U | i, XEN_CPUID_NO_SUBLEAF, &p->extd[i]);
	return s.n;
}

/* The place of a leaf in p, NULL when it has none. */
static struct cpuid_regs *leaf_place(struct cpu_policy *p, uint32_t leaf, uint32_t sub)
{
	static struct cpuid_regs ignored;

	switch (leaf) {
	case 4:
		return sub < POLICY_NR_CACHE ? &p->cache[sub] : NULL;
	case 7:
		return sub < POLICY_NR_FEAT ? &p->feat[sub] : NULL;
	case 0xb:
		return sub < POLICY_NR_TOPO ? &p->topo[sub] : NULL;
	case 0xd:
		return sub < POLICY_NR_XSTATE ? &p->xstate[sub] : NULL;
	case 0x40000000:
	case 0x40000100:
		return sub == XEN_CPUID_NO_SUBLEAF ? &ignored : NULL;
	default:
		break;
	}
	if (sub != XEN_CPUID_NO_SUBLEAF)
		return NULL;
	if (leaf < POLICY_NR_BASIC)
		return &p->basic[leaf];
	if (leaf - 0x80000000U < POLICY_NR_EXTD)
		return &p->extd[leaf - 0x80000000U];
	return NULL;
}

int policy_deserialise(struct cpu_policy *p, const xen_cpuid_leaf_t *in, unsigned int nr,
		       uint32_t *bad_leaf, uint32_t *bad_sub)
{
	struct cpuid_regs *r;

	for (unsigned int i = 0; i < nr; i++) {
		r = leaf_place(p, in[i].leaf, in[i].subleaf);
		if (!r) {
			*bad_leaf = in[i].leaf;
			*bad_sub = in[i].subleaf;
			return -ERANGE;
		}
		*r = (struct cpuid_regs){ in[i].a, in[i].b, in[i].c, in[i].d };
	}
	return 0;
}

int policy_check(const struct cpu_policy *max, const struct cpu_policy *p, uint32_t *bad_leaf,
		 uint32_t *bad_sub)
{
	*bad_sub = XEN_CPUID_NO_SUBLEAF;
	if (p->basic[0].a > max(max->basic[0].a, POLICY_NR_BASIC - 1)) {
		*bad_leaf = 0;
		return -EINVAL;
	}
	if (p->feat[0].a > max(max->feat[0].a, POLICY_NR_FEAT - 1)) {
		*bad_leaf = 7;
		*bad_sub = 0;
		return -EINVAL;
	}
	if (p->extd[0].a > max(max->extd[0].a, 0x80000000U + POLICY_NR_EXTD - 1)) {
		*bad_leaf = 0x80000000;
		return -EINVAL;
	}
	return 0;
}

/* What a guest that has seen it uses without asking again. The names are those of xl's cpuid=. */
static const struct {
	uint8_t word;
	uint32_t bit;
	const char *name;
} needed[] = {
	{ 0, F(SSE), "sse" },
	{ 0, F(SSE2), "sse2" },
	{ 1, F(SSE3), "sse3" },
	{ 1, F(SSSE3), "ssse3" },
	{ 1, F(CX16), "cmpxchg16" },
	{ 1, F(PCID), "pcid" },
	{ 1, F(SSE4_1), "sse4.1" },
	{ 1, F(SSE4_2), "sse4.2" },
	{ 1, F(X2APIC), "x2apic" },
	{ 1, F(TSC_DEADLINE), "tsc-deadline" },
	{ 1, F(XSAVE), "xsave" },
	{ 1, F(AVX), "avx" },
	{ 2, F(NX), "nx" },
	{ 2, F(RDTSCP), "rdtscp" },
	{ 2, F(LM), "lm" },
	{ 5, F(FSGSBASE), "fsgsbase" },
	{ 5, F(AVX2), "avx2" },
	{ 5, F(SMEP), "smep" },
	{ 5, F(AVX512F), "avx512f" },
	{ 5, F(SMAP), "smap" },
	{ 6, F(PKU), "pku" },
	{ 1, F(PCLMULQDQ), "pclmulqdq" },
	{ 1, F(FMA), "fma" },
	{ 1, F(MOVBE), "movbe" },
	{ 1, F(POPCNT), "popcnt" },
	{ 1, F(AESNI), "aes" },
	{ 1, F(F16C), "f16c" },
	{ 2, F(PAGE1GB), "page1gb" },
	{ 4, F(XSAVEOPT), "xsaveopt" },
	{ 4, F(XSAVEC), "xsavec" },
	{ 4, F(XSAVES), "xsaves" },
	{ 5, F(BMI1), "bmi1" },
	{ 5, F(BMI2), "bmi2" },
	{ 5, F(INVPCID), "invpcid" },
	{ 5, F(ADX), "adx" },
	{ 5, F(SHA), "sha" },
	{ 5, F(CLFLUSHOPT), "clflushopt" },
	{ 6, F(UMIP), "umip" },
	/* SPEC_CTRL and its like, which a kernel writes at each entry. */
	{ 8, F(IBPB), "ibpb" },
	{ 8, F(IBRS), "ibrs" },
	{ 8, F(AMD_STIBP), "amd-stibp" },
	{ 8, F(AMD_SSBD), "amd-ssbd" },
	{ 8, F(VIRT_SSBD), "virt-ssbd" },
	{ 9, F(IBRSB), "ibrsb" },
	{ 9, F(STIBP), "stibp" },
	{ 9, F(SSBD), "ssbd" },
};

/* Where the word of a featureset is, for who reads the log. */
static const struct {
	uint32_t leaf, sub;
	const char *reg;
} word_at[] = {
	{ 1, XEN_CPUID_NO_SUBLEAF, "EDX" },
	{ 1, XEN_CPUID_NO_SUBLEAF, "ECX" },
	{ 0x80000001, XEN_CPUID_NO_SUBLEAF, "EDX" },
	{ 0x80000001, XEN_CPUID_NO_SUBLEAF, "ECX" },
	{ 0xd, 1, "EAX" },
	{ 7, 0, "EBX" },
	{ 7, 0, "ECX" },
	{ 0x80000007, XEN_CPUID_NO_SUBLEAF, "EDX" },
	{ 0x80000008, XEN_CPUID_NO_SUBLEAF, "EBX" },
	{ 7, 0, "EDX" },
	{ 7, 1, "EAX" },
	{ 0x80000021, XEN_CPUID_NO_SUBLEAF, "EAX" },
	{ 7, 1, "EBX" },
	{ 7, 2, "EDX" },
	{ 7, 1, "ECX" },
	{ 7, 1, "EDX" },
};

const char *policy_needs(const struct cpu_policy *max, const struct cpu_policy *p,
			 uint32_t *bad_leaf, uint32_t *bad_sub)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(needed); i++) {
		unsigned int w = needed[i].word;

		if (!(word_get(p, w) & ~word_get(max, w) & needed[i].bit))
			continue;
		*bad_leaf = word_at[w].leaf;
		*bad_sub = word_at[w].sub;
		return needed[i].name;
	}
	return NULL;
}

uint32_t policy_loses(const struct cpu_policy *max, const struct cpu_policy *p, unsigned int word,
		      uint32_t *leaf, const char **reg)
{
	if (word >= ARRAY_SIZE(word_at))
		return 0;
	*leaf = word_at[word].leaf;
	*reg = word_at[word].reg;
	/* HTT says how many CPUs a package has: tools set it for each guest. */
	return word_get(p, word) & ~word_get(max, word) & ~(word ? 0 : F(HTT));
}

unsigned int policy_msrs(const struct cpu_policy *p, xen_msr_entry_t *out)
{
	if (out) {
		out[0] = (xen_msr_entry_t){ .idx = 0xce, .val = p->platform_info };
		out[1] = (xen_msr_entry_t){ .idx = 0x10a, .val = p->arch_caps };
	}
	return POLICY_MAX_MSRS;
}
