// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * AMD-V: what a domain and a vCPU get: control block, permission maps, reset state. APM volume 2, 15.5,
 * 15.10 (I/O), 15.11 (MSR), and 14.1.3 for the state after reset.
 */
#include "svm.h"
#include "vlapic.h"

#define IOPM_ORDER  2 /* 12 KiB are used */
#define MSRPM_ORDER 1

/* Maps shared by all domains that have none of their own: everything is intercepted. */
static uint8_t *iopm_all;
static uint8_t *msrpm;

struct svm_domain {
	uint8_t *iopm; /* NULL = iopm_all */
};

/* MSRs that live in the VMCB: the guest reads and writes them itself. */
static const uint32_t direct_msrs[] = {
	MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE, MSR_STAR,		MSR_LSTAR,
	MSR_CSTAR,   MSR_SFMASK,  MSR_SYSENTER_CS,    MSR_SYSENTER_ESP, MSR_SYSENTER_EIP,
};

static void msrpm_allow(uint32_t msr)
{
	uint32_t base = msr < 0x2000 ? 0 : (msr & 0xffff0000) == 0xc0000000 ? 0x800 : 0x1000;
	uint32_t bit = (msr & 0x1fff) * 2;

	msrpm[base + bit / 8] &= (uint8_t) ~(3U << (bit % 8));
}

static int maps_init(void)
{
	struct page *io = alloc_pages(IOPM_ORDER), *ms = alloc_pages(MSRPM_ORDER);

	if (!io || !ms)
		return -ENOMEM;
	iopm_all = page_to_virt(io);
	memset(iopm_all, 0xff, PAGE_SIZE << IOPM_ORDER);
	msrpm = page_to_virt(ms);
	memset(msrpm, 0xff, PAGE_SIZE << MSRPM_ORDER);
	for (unsigned int i = 0; i < ARRAY_SIZE(direct_msrs); i++)
		msrpm_allow(direct_msrs[i]);
	return 0;
}

int svm_domain_init(struct domain *d)
{
	if (!iopm_all && maps_init())
		return -ENOMEM;
	d->vendor = xzalloc(struct svm_domain);
	return d->vendor ? 0 : -ENOMEM;
}

void svm_domain_fini(struct domain *d)
{
	struct svm_domain *sd = d->vendor;

	if (sd && sd->iopm)
		free_pages(mfn_to_page(virt_to_mfn(sd->iopm)), IOPM_ORDER);
	xfree(sd);
	d->vendor = NULL;
}

/* Copies d->hvm.io_bitmap into the domain's own map, made at the first call. */
void svm_io_bitmap_changed(struct domain *d)
{
	struct svm_domain *sd = d->vendor;
	struct vcpu *v;

	if (!sd->iopm) {
		struct page *p = alloc_pages(IOPM_ORDER);

		if (!p)
			panic("no memory for an I/O permission map");
		sd->iopm = page_to_virt(p);
		memset(sd->iopm, 0xff, PAGE_SIZE << IOPM_ORDER);
	}
	memcpy(sd->iopm, d->hvm.io_bitmap, 65536 / 8);
	for_each_vcpu(d, v)
		svm_vmcb(v)->iopm_base = virt_to_maddr(sd->iopm).v;
}

static void set_intercepts(struct vmcb *vmcb)
{
	vmcb->cr_write = BIT(4);
	/* QEMU's TCG takes any value for CR0; real CPUs check it (#GP), and so do we in their place. */
	if (svm_caps.lost_shadow)
		vmcb->cr_write |= BIT(0);
	vmcb->dr_read = 0xffff;
	vmcb->dr_write = 0xffff;
	/* #DB and #AC are intercepted so that their delivery cannot loop for ever. */
	vmcb->exceptions = BIT(X86_EXC_MC) | BIT(X86_EXC_UD) | BIT(X86_EXC_DB) | BIT(X86_EXC_AC);
	vmcb->intercept1 |= BIT(SVM_I_INTR) | BIT(SVM_I_NMI) | BIT(SVM_I_SMI) | BIT(SVM_I_INIT) |
			    BIT(SVM_I_RDPMC) | BIT(SVM_I_CPUID) | BIT(SVM_I_INVD) | BIT(SVM_I_HLT) |
			    BIT(SVM_I_INVLPGA) | BIT(SVM_I_IOIO) | BIT(SVM_I_MSR) |
			    BIT(SVM_I_TASK_SWITCH) | BIT(SVM_I_FERR) | BIT(SVM_I_SHUTDOWN);
	vmcb->intercept2 = BIT(SVM_I2_VMRUN) | BIT(SVM_I2_VMMCALL) | BIT(SVM_I2_VMLOAD) |
			   BIT(SVM_I2_VMSAVE) | BIT(SVM_I2_STGI) | BIT(SVM_I2_CLGI) |
			   BIT(SVM_I2_SKINIT) | BIT(SVM_I2_WBINVD) | BIT(SVM_I2_MONITOR) |
			   BIT(SVM_I2_MWAIT) | BIT(SVM_I2_MWAIT_ARMED) | BIT(SVM_I2_XSETBV) |
			   BIT(SVM_I2_RDPRU);
}

int svm_vcpu_init(struct vcpu *v)
{
	struct svm_domain *sd = v->domain->vendor;
	struct svm_vcpu *sv = xzalloc(struct svm_vcpu);
	struct vmcb *vmcb = alloc_page_virt();

	if (!sv || !vmcb) {
		xfree(sv);
		if (vmcb)
			free_page_virt(vmcb);
		return -ENOMEM;
	}
	sv->vcpu = v;
	sv->vmcb = vmcb;
	sv->vmcb_pa = virt_to_maddr(vmcb);
	sv->asid_cpu = ~0U;
	v->vendor = sv;
	v->hvm.seg = vmcb->seg;
	v->hvm.shadow = &vmcb->int_shadow;
	v->hvm.valid = HVM_SEGS | HVM_CPL;

	set_intercepts(vmcb);
	vmcb->iopm_base = virt_to_maddr(sd->iopm ? sd->iopm : iopm_all).v;
	vmcb->msrpm_base = virt_to_maddr(msrpm).v;
	vmcb->vintr = SVM_VINTR_MASKING;
	vmcb->g_pat = PAT_RESET;
	vmcb->np_enable = 1;
	vmcb->n_cr3 = mfn_to_maddr(page_to_mfn(v->domain->p2m.root)).v;
	return 0;
}

void svm_vcpu_fini(struct vcpu *v)
{
	struct svm_vcpu *sv = svm_vcpu(v);

	if (!sv)
		return;
	free_page_virt(sv->vmcb);
	xfree(sv);
	v->vendor = NULL;
}
