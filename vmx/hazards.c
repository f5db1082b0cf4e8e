// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which CPUs need what before an entry. A CPU says in IA32_ARCH_CAPABILITIES what it is immune to; one
 * without that register is taken for vulnerable, but for the Atoms that never speculated so (Intel,
 * "Affected processors: transient execution attacks by product"; "Machine check error avoidance on page size change").
 */
#include "lib.h"
#include "hazards.h"

/* Family 6 without L1TF and MDS, and without a register that would say so: Bonnell to Airmont. */
static const uint8_t in_order_models[] = { 0x1c, 0x26, 0x27, 0x35, 0x36 };
/* Without L1TF, and without faults by page sizes: Silvermont, Airmont, Goldmont, Knights Landing and Mill. */
static const uint8_t no_l1tf_models[] = { 0x37, 0x4a, 0x4c, 0x4d, 0x5a, 0x5c,
					  0x5d, 0x5f, 0x75, 0x7a, 0x57, 0x85 };
/* Without MDS of those: Goldmont and its successor. */
static const uint8_t no_mds_models[] = { 0x5c, 0x5f, 0x7a };

static bool is_one_of(const struct vmx_hazard_facts *f, const uint8_t *models, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (f->family == 6 && f->model == models[i])
			return true;
	return false;
}

#define ONE_OF(f, list) is_one_of(f, list, ARRAY_SIZE(list))

/* The models that neither L1TF nor the fault by page sizes concerns. */
static bool is_spared(const struct vmx_hazard_facts *f)
{
	return ONE_OF(f, in_order_models) || ONE_OF(f, no_l1tf_models);
}

static bool has_l1tf(const struct vmx_hazard_facts *f)
{
	if (f->arch_caps & (ARCH_CAP_RDCL_NO | ARCH_CAP_SKIP_L1D_FLUSH))
		return false;
	return !is_spared(f);
}

static bool has_mds(const struct vmx_hazard_facts *f)
{
	if (f->arch_caps & ARCH_CAP_MDS_NO)
		return false;
	return !ONE_OF(f, in_order_models) && !ONE_OF(f, no_mds_models);
}

/* What leaks by the same buffers on CPUs that are immune to MDS; VERW clears them there as well. */
static bool has_relative_of_mds(const struct vmx_hazard_facts *f)
{
	const uint64_t mmio_no = ARCH_CAP_SBDR_NO | ARCH_CAP_FBSDP_NO | ARCH_CAP_PSDP_NO;

	if ((f->f7_ebx & F7_EBX_RTM) && !(f->arch_caps & ARCH_CAP_TAA_NO))
		return true;
	if ((f->arch_caps & ARCH_CAP_FB_CLEAR) && (f->arch_caps & mmio_no) != mmio_no)
		return true;
	return (f->arch_caps & ARCH_CAP_RFDS_CLEAR) && !(f->arch_caps & ARCH_CAP_RFDS_NO);
}

/* Code of which the page size changes while it runs: a machine check that nothing survives (CVE-2018-12207). */
static bool has_page_size_fault(const struct vmx_hazard_facts *f)
{
	if (f->arch_caps & ARCH_CAP_PSCHANGE_NO)
		return false;
	return !is_spared(f);
}

enum vmx_l1d_flush vmx_l1d_way(const struct vmx_hazard_facts *f)
{
	return f->f7_edx & F7_EDX_L1D_FLUSH ? L1D_BY_COMMAND : L1D_BY_READING;
}

void vmx_hazards_compute(const struct vmx_hazard_facts *f, struct vmx_hazards *out)
{
	bool clears = (f->f7_edx & F7_EDX_MD_CLEAR) ||
		      (f->arch_caps & (ARCH_CAP_FB_CLEAR | ARCH_CAP_RFDS_CLEAR));
	bool leaks = has_mds(f) || has_relative_of_mds(f);

	*out = (struct vmx_hazards){ .verw = leaks && clears,
				     .unprotected = leaks && !clears,
				     .large_code = has_page_size_fault(f) };
	if (has_l1tf(f))
		out->l1d = vmx_l1d_way(f);
}
