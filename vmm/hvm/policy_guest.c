/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CPU policies at work: the host's leaves, each domain's policy, and what CPUID and the MSRs that go
 * with it answer to a vCPU, including what depends on its state (APIC id, OSXSAVE, XSAVE sizes) and the
 * hypervisor leaves 0x40000000.. (xen/arch-x86/cpuid.h). CPUID is on the budgeted path: one table
 * lookup, then what is particular to the leaf.
 */
#include "xen_abi.h"
#include "abi.h"
#include "hvm_context.h"
#include "internal.h"
#include "policy_private.h"
#include "predictions.h"
#include "viridian.h"
#include <xen/arch-x86/cpuid.h>
#include <xen/arch-x86/cpufeatureset.h>
#include <xen/domctl.h>

#define F(name)		  (1U << (XEN_X86_FEATURE_##name % 32))
#define MSR_XEN_HYPERCALL 0x40000000U
#define MSR_XEN_BEHIND_HV 0x40000200U /* where Microsoft's interface has the other one */

static struct cpu_policy *policies[POLICY_INDEX_COUNT];
/* The last two for guests on shadow tables. */
static struct cpu_policy *shadow_max, *shadow_default;

static void read_leaf(uint32_t leaf, uint32_t sub, struct cpuid_regs *r)
{
	cpuid_count(leaf, sub, &r->a, &r->b, &r->c, &r->d);
}

static void read_host(struct cpu_policy *p)
{
	struct cpuid_regs r;
	uint32_t i;

	read_leaf(0, 0, &r);
	for (i = 0; i <= min(r.a, POLICY_NR_BASIC - 1); i++)
		read_leaf(i, 0, &p->basic[i]);
	for (i = 0; r.a >= 4 && i < POLICY_NR_CACHE; i++)
		read_leaf(4, i, &p->cache[i]);
	for (i = 0; r.a >= 7 && i < POLICY_NR_FEAT; i++)
		read_leaf(7, i, &p->feat[i]);
	for (i = 0; r.a >= 0xb && i < POLICY_NR_TOPO; i++)
		read_leaf(0xb, i, &p->topo[i]);
	for (i = 0; r.a >= 0xd && i < POLICY_NR_XSTATE; i++)
		read_leaf(0xd, i, &p->xstate[i]);
	read_leaf(0x80000000, 0, &r);
	for (i = 0; r.a >= 0x80000000 && i <= min(r.a & 0xffff, POLICY_NR_EXTD - 1); i++)
		read_leaf(0x80000000 + i, 0, &p->extd[i]);
	p->platform_info = 0;
}

/* Gather the host's policy and derive the others. */
static void policy_init(void)
{
	unsigned int i;

	if (policies[0])
		return;
	for (i = 0; i < POLICY_INDEX_COUNT; i++) {
		policies[i] = xzalloc(struct cpu_policy);
		if (!policies[i])
			panic("no memory for the CPU policies");
	}
	shadow_max = xzalloc(struct cpu_policy);
	shadow_default = xzalloc(struct cpu_policy);
	if (!shadow_max || !shadow_default)
		panic("no memory for the CPU policies");
	read_host(policies[POLICY_RAW]);
	*policies[POLICY_HOST] = *policies[POLICY_RAW];
	/* Components that the VMM does not switch are not there. */
	policies[POLICY_HOST]->xstate[0].a &= (uint32_t)host_cpu.xcr0_mask;
	policies[POLICY_HOST]->xstate[0].d &= (uint32_t)(host_cpu.xcr0_mask >> 32);
	if (!host_cpu.xsave)
		policies[POLICY_HOST]->basic[1].c &= ~F(XSAVE);
	policy_derive_hvm(policies[POLICY_HOST], policies[POLICY_HVM_MAX]);
	policy_derive_default(policies[POLICY_HVM_MAX], policies[POLICY_HVM_DEFAULT]);
	policy_derive_shadow(policies[POLICY_HVM_MAX], shadow_max);
	policy_derive_default(shadow_max, shadow_default);
}

const struct cpu_policy *policy_system(enum policy_index i)
{
	policy_init();
	return policies[i];
}

/* Its paging mode is not chosen yet. */
static bool is_shadow(const struct domain *d)
{
	return !(d->create_flags & XEN_DOMCTL_CDF_hap);
}

int policy_domain_init(struct domain *d)
{
	d->cpu_policy = xzalloc(struct cpu_policy);
	if (!d->cpu_policy)
		return -ENOMEM;
	if (d->is_dom0)
		policy_derive_dom0(policy_system(POLICY_HOST), d->cpu_policy);
	else
		*d->cpu_policy = *policy_system(POLICY_HVM_DEFAULT);
	if (!d->is_dom0 && is_shadow(d))
		*d->cpu_policy = *shadow_default;
	else if (is_shadow(d))
		policy_derive_shadow(d->cpu_policy, d->cpu_policy);
	return 0;
}

void policy_domain_fini(struct domain *d)
{
	xfree(d->cpu_policy);
	d->cpu_policy = NULL;
}

static int leaves_to_guest(const struct cpu_policy *p, uint64_t la, uint32_t *nr)
{
	xen_cpuid_leaf_t *leaves;
	unsigned int n;
	int rc;

	if (!la) {
		*nr = POLICY_MAX_LEAVES;
		return 0;
	}
	leaves = xzalloc_array(xen_cpuid_leaf_t, POLICY_MAX_LEAVES);
	if (!leaves)
		return -ENOMEM;
	n = policy_serialise(p, leaves);
	rc = *nr < n ? -ENOBUFS : copy_to_guest_la(la, leaves, n * sizeof(*leaves));
	xfree(leaves);
	*nr = n;
	return rc;
}

static int msrs_to_guest(const struct cpu_policy *p, uint64_t la, uint32_t *nr)
{
	xen_msr_entry_t msrs[POLICY_MAX_MSRS];
	unsigned int n = POLICY_MAX_MSRS;
	int rc = 0;

	if (la) {
		n = policy_msrs(p, msrs);
		rc = *nr < n ? -ENOBUFS : copy_to_guest_la(la, msrs, n * sizeof(msrs[0]));
	}
	*nr = n;
	return rc;
}

int policy_to_guest(const struct cpu_policy *p, uint64_t leaves_la, uint32_t *nr_leaves,
		    uint64_t msrs_la, uint32_t *nr_msrs)
{
	int rc = leaves_to_guest(p, leaves_la, nr_leaves);

	return rc ? rc : msrs_to_guest(p, msrs_la, nr_msrs);
}

static int copy_leaves(struct cpu_policy *p, struct xen_domctl_cpu_policy *op)
{
	unsigned int done = 0, n;
	xen_cpuid_leaf_t buf[16];
	int rc = 0;

	while (done < op->nr_leaves && !rc) {
		n = min(op->nr_leaves - done, (unsigned int)ARRAY_SIZE(buf));
		if (copy_from_guest_offset(buf, op->leaves, done, n))
			return -EFAULT;
		rc = policy_deserialise(p, buf, n, &op->err_leaf, &op->err_subleaf);
		done += n;
	}
	return rc;
}

static int copy_msrs(const struct cpu_policy *max, struct cpu_policy *p,
		     struct xen_domctl_cpu_policy *op)
{
	xen_msr_entry_t e;

	for (unsigned int i = 0; i < op->nr_msrs; i++) {
		if (copy_from_guest_offset(&e, op->msrs, i, 1))
			return -EFAULT;
		if (e.flags || (e.idx != MSR_PLATFORM_INFO && e.idx != 0x10a)) {
			op->err_msr = e.idx;
			return e.flags ? -EINVAL : -ERANGE;
		}
		if (e.idx == MSR_PLATFORM_INFO)
			p->platform_info = e.val;
		if (e.idx == MSR_PLATFORM_INFO && (e.val & ~max->platform_info)) {
			op->err_msr = e.idx;
			return -EINVAL;
		}
	}
	return 0;
}

/*
 * A guest of another machine's, or another hypervisor's, image: it has seen its CPUID already. What it would miss
 * ends the restore; other features are hidden from now on, and the log says which.
 */
static int compare(const struct domain *d, const struct cpu_policy *max, const struct cpu_policy *p,
		   struct xen_domctl_cpu_policy *op)
{
	const char *name = policy_needs(max, p, &op->err_leaf, &op->err_subleaf), *reg;
	uint32_t leaf, bits;

	if (name) {
		printk(LOG_WARN "d%u: its CPUID has the feature %s, and this machine does not\n",
		       d->domid, name);
		return -EINVAL;
	}
	for (unsigned int w = 0; w < POLICY_FEAT_WORDS; w++) {
		bits = policy_loses(max, p, w, &leaf, &reg);
		if (bits)
			printk(LOG_INFO "d%u: hidden from its CPUID leaf %#x, %s: bits %#x\n",
			       d->domid, leaf, reg, bits);
	}
	return 0;
}

int policy_set_domain(struct domain *d, struct xen_domctl_cpu_policy *op)
{
	const struct cpu_policy *max = policy_system(POLICY_HVM_MAX);
	struct cpu_policy *p;
	int rc;

	op->err_leaf = op->err_subleaf = op->err_msr = ~0U;
	if (op->nr_leaves > POLICY_MAX_LEAVES || op->nr_msrs > POLICY_MAX_MSRS)
		return -E2BIG;
	if (d->creation_finished)
		return -EEXIST;
	p = xzalloc(struct cpu_policy);
	if (!p)
		return -ENOMEM;
	*p = *d->cpu_policy;
	rc = copy_leaves(p, op);
	if (!rc)
		rc = copy_msrs(max, p, op);
	if (!rc)
		rc = policy_check(max, p, &op->err_leaf, &op->err_subleaf);
	if (!rc)
		rc = compare(d, max, p, op);
	if (!rc) {
		p->topo_by_vcpu = true;
		/* The tools make a new guest's of what the host has, so what shadow tables lack is no error. */
		policy_sanitise(is_shadow(d) ? shadow_max : max, p);
		*d->cpu_policy = *p;
	}
	xfree(p);
	return rc;
}

uint32_t policy_apic_id(const struct vcpu *v)
{
	if (v->domain->cpu_policy->topo_by_vcpu)
		return READ_ONCE(v->hvm.numbered) ? v->id : v->id * 2;
	return v->id < nr_cpus ? cpus[v->id]->apic_id : v->id;
}

uint64_t policy_efer_mask(const struct domain *d)
{
	uint32_t edx = d->cpu_policy->extd[1].d;
	uint64_t m = 0;

	m |= (edx & F(SYSCALL)) ? X86_EFER_SCE : 0;
	m |= (edx & F(NX)) ? X86_EFER_NX : 0;
	m |= (edx & F(LM)) ? X86_EFER_LME | X86_EFER_LMA : 0;
	m |= (edx & F(FFXSR)) ? X86_EFER_FFXSR : 0;
	return m;
}

uint64_t policy_cr4_mask(const struct domain *d)
{
	const struct cpu_policy *p = d->cpu_policy;
	uint64_t m = 0x1ff; /* VME PVI TSD DE PSE PAE MCE PGE PCE */

	m |= (p->basic[1].d & F(FXSR)) ? X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT : 0;
	m |= (p->basic[1].c & F(PCID)) ? X86_CR4_PCIDE : 0;
	m |= (p->basic[1].c & F(XSAVE)) ? X86_CR4_OSXSAVE : 0;
	m |= (p->feat[0].b & F(FSGSBASE)) ? X86_CR4_FSGSBASE : 0;
	m |= (p->feat[0].b & F(SMEP)) ? X86_CR4_SMEP : 0;
	m |= (p->feat[0].b & F(SMAP)) ? X86_CR4_SMAP : 0;
	m |= (p->feat[0].c & F(UMIP)) ? X86_CR4_UMIP : 0;
	m |= (p->feat[0].c & F(PKU)) ? X86_CR4_PKE : 0;
	return m;
}

/* --- CPUID ------------------------------------------------------------------------------------- */

static uint32_t hypercall_msr(const struct domain *d)
{
	return viridian_mask(d) ? MSR_XEN_BEHIND_HV : MSR_XEN_HYPERCALL;
}

static void cpuid_xen(struct vcpu *v, uint32_t first, uint32_t leaf, uint32_t sub, uint32_t out[4])
{
	switch (leaf - first + XEN_CPUID_LEAF(0)) {
	case XEN_CPUID_LEAF(0):
		out[0] = first + XEN_CPUID_MAX_NUM_LEAVES;
		out[1] = XEN_CPUID_SIGNATURE_EBX;
		out[2] = XEN_CPUID_SIGNATURE_ECX;
		out[3] = XEN_CPUID_SIGNATURE_EDX;
		break;
	case XEN_CPUID_LEAF(1):
		out[0] = PLINTH_XEN_MAJOR << 16 | PLINTH_XEN_MINOR;
		break;
	case XEN_CPUID_LEAF(2):
		out[0] = 1; /* hypercall pages */
		out[1] = hypercall_msr(v->domain);
		break;
	case XEN_CPUID_LEAF(3): {
		uint8_t shift = vcpu_info(v)->time.tsc_shift;

		if (sub == 0) {
			out[0] = host_cpu.invariant_tsc ? 4 : 0; /* TSC is reliable */
			out[1] = v->domain->tsc_mode;
			out[2] = (uint32_t)tsc_khz;
			out[3] = v->domain->tsc_incarnation;
		} else if (sub == 1) {
			out[0] = (uint32_t)v->tsc_offset;
			out[1] = (uint32_t)(v->tsc_offset >> 32);
			out[2] = vcpu_info(v)->time.tsc_to_system_mul;
			out[3] = shift;
		} else if (sub == 2) {
			out[0] = (uint32_t)tsc_khz;
		}
		break;
	}
	case XEN_CPUID_LEAF(4):
		if (sub)
			break;
		/*
		 * UPCALL_VECTOR stays clear: Linux then takes event channel upcalls by the callback
		 * vector, which needs no EOI, so each event costs an exit less.
		 */
		out[0] = XEN_HVM_CPUID_X2APIC_VIRT | XEN_HVM_CPUID_VCPU_ID_PRESENT |
			 XEN_HVM_CPUID_DOMID_PRESENT;
		out[1] = v->id;
		out[2] = v->domain->domid;
		break;
	case XEN_CPUID_LEAF(5):
		if (!sub)
			out[1] = host_cpu.phys_bits;
		break;
	default:
		break;
	}
}

static bool has_xen(const struct domain *d)
{
	(void)d;
	return true;
}

static bool has_viridian(const struct domain *d)
{
	return viridian_mask(d);
}

static void cpuid_viridian(struct vcpu *v, uint32_t first, uint32_t leaf, uint32_t sub,
			   uint32_t out[4])
{
	(void)first;
	(void)sub;
	viridian_cpuid(v, leaf, out);
}

/*
 * Interfaces that a guest may find, each with the next block of 256 leaves: what another one offers is a line here.
 * Microsoft's has to be the first, because its guests look there only.
 */
static const struct leaf_block {
	bool (*has)(const struct domain *d);
	/* The block's first leaf; into zeros. */
	void (*fill)(struct vcpu *v, uint32_t first, uint32_t leaf, uint32_t sub, uint32_t out[4]);
} leaf_blocks[] = {
	{ has_viridian, cpuid_viridian },
	{ has_xen, cpuid_xen },
};

static void cpuid_hypervisor(struct vcpu *v, uint32_t leaf, uint32_t sub, uint32_t out[4])
{
	uint32_t first = XEN_CPUID_LEAF(0);

	for (unsigned int i = 0; i < ARRAY_SIZE(leaf_blocks); i++) {
		if (!leaf_blocks[i].has(v->domain))
			continue;
		if (leaf - first < 0x100)
			leaf_blocks[i].fill(v, first, leaf, sub, out);
		first += 0x100;
	}
}

static void cpuid_dynamic_xstate(struct vcpu *v, uint32_t sub, uint32_t out[4])
{
	const struct cpu_policy *p = v->domain->cpu_policy;

	if (v == current_vcpu())
		fpu_live_xcr0(&v->fpu);
	if (sub == 0 && out[0])
		out[1] = policy_xsave_size(p, v->fpu.xcr0, false);
	else if (sub == 1 && (out[0] & (F(XSAVEC) | F(XSAVES))))
		out[1] = policy_xsave_size(p, v->fpu.xcr0 | v->xss, true);
}

/* Are the IDs the vCPUs' numbers? vCPU 0's is 0 in any case. One leaf 0xb for all: vCPU 1 tells. */
static bool numbered(const struct domain *d)
{
	const struct vcpu *v = domain_vcpu(d, 1);

	return v && READ_ONCE(v->hvm.numbered);
}

/* What a basic leaf shows beyond the table. */
static void cpuid_dynamic(struct vcpu *v, uint32_t leaf, uint32_t sub, uint32_t out[4])
{
	switch (leaf) {
	case 1:
		out[1] = (out[1] & 0x00ffffff) | policy_apic_id(v) << 24;
		if (v->cr4 & X86_CR4_OSXSAVE)
			out[2] |= F(OSXSAVE);
		if (!vlapic_hw_enabled(v->hvm.vlapic))
			out[3] &= ~F(APIC);
		break;
	case 7:
		if (!sub && (v->cr4 & X86_CR4_PKE))
			out[2] |= F(OSPKE);
		break;
	case 0xb:
		out[2] = (out[2] & ~0xffU) | (sub & 0xff);
		if (!sub && numbered(v->domain))
			out[0] = 0; /* no bit of the ID is for threads */
		out[3] = policy_apic_id(v);
		break;
	case 0xd:
		cpuid_dynamic_xstate(v, sub, out);
		break;
	default:
		break;
	}
}

static const struct cpuid_regs *basic_leaf(const struct cpu_policy *p, uint32_t leaf, uint32_t sub)
{
	static const struct cpuid_regs none;

	switch (leaf) {
	case 4:
		return sub < POLICY_NR_CACHE ? &p->cache[sub] : &none;
	case 7:
		return sub <= p->feat[0].a && sub < POLICY_NR_FEAT ? &p->feat[sub] : &none;
	case 0xb:
		return sub < POLICY_NR_TOPO ? &p->topo[sub] : &none;
	case 0xd:
		return sub < POLICY_NR_XSTATE ? &p->xstate[sub] : &none;
	default:
		return &p->basic[leaf];
	}
}

void hvm_cpuid(struct vcpu *v, uint32_t leaf, uint32_t sub, uint32_t out[4])
{
	const struct cpu_policy *p = v->domain->cpu_policy;
	const struct cpuid_regs *r;

	out[0] = out[1] = out[2] = out[3] = 0;
	if (leaf <= p->basic[0].a && leaf < POLICY_NR_BASIC) {
		r = basic_leaf(p, leaf, sub);
	} else if (leaf >= 0x80000000 && leaf <= p->extd[0].a &&
		   leaf - 0x80000000 < POLICY_NR_EXTD) {
		r = &p->extd[leaf - 0x80000000];
	} else {
		cpuid_hypervisor(v, leaf, sub, out);
		return;
	}
	out[0] = r->a;
	out[1] = r->b;
	out[2] = r->c;
	out[3] = r->d;
	if (leaf < POLICY_NR_BASIC)
		cpuid_dynamic(v, leaf, sub, out);
}

/* --- MSRs -------------------------------------------------------------------------------------- */

int policy_rdmsr(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	if (msr != hypercall_msr(v->domain))
		return -EINVAL;
	*value = 0;
	return 0;
}

/* The guest asks for a hypercall page: address in the value, page index in its low bits. */
static int write_hypercall_page(struct vcpu *v, uint64_t value)
{
	if (value & ~PAGE_MASK)
		return -EINVAL;
	return hypercall_page_place(v->domain, _gfn(value >> PAGE_SHIFT), hypercall_page_fill);
}

int policy_wrmsr(struct vcpu *v, uint32_t msr, uint64_t value)
{
	const struct cpu_policy *p = v->domain->cpu_policy;

	if (msr == hypercall_msr(v->domain))
		return write_hypercall_page(v, value);
	switch (msr) {
	case MSR_PRED_CMD:
		if (!(p->extd[8].b & F(IBPB)) || (value & ~PRED_CMD_IBPB))
			return -EINVAL;
		if (value)
			wrmsr(MSR_PRED_CMD, PRED_CMD_IBPB);
		return 0;
	default:
		return -EINVAL;
	}
}
