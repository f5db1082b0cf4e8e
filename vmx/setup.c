// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VT-x: what a domain and a vCPU get: VMCS, I/O bitmaps, intercepts. SDM volume 3, 24.6.
 */
#include "vmx.h"
#include "vlapic.h"

#define IO_BITMAP_ORDER 1 /* A for ports below 8000h, B for the rest */

/* For domains that have none of their own: everything is intercepted. */
static uint8_t *io_bitmap_all;

static int shared_pages_init(void)
{
	struct page *io = alloc_pages(IO_BITMAP_ORDER);

	if (!io)
		return -ENOMEM;
	memset(page_to_virt(io), 0xff, PAGE_SIZE << IO_BITMAP_ORDER);
	io_bitmap_all = page_to_virt(io);
	if (vmx_msr_bitmap_init() || vmx_flush_init())
		return -ENOMEM;
	vmx_preempt_init();
	return vmx_apicv_init();
}

int vmx_domain_init(struct domain *d)
{
	struct vmx_domain *vd;
	int rc = io_bitmap_all ? 0 : shared_pages_init();

	if (rc)
		return rc;
	vd = xzalloc(struct vmx_domain);
	if (!vd)
		return -ENOMEM;
	d->vendor = vd;
	rc = vmx_apic_page_init(d);
	return rc || vmx_controls.unrestricted ? rc : vmx_restricted_init(d);
}

void vmx_domain_fini(struct domain *d)
{
	struct vmx_domain *vd = d->vendor;

	if (!vd)
		return;
	vmx_restricted_fini(d);
	vmx_apic_page_fini(d);
	if (vd->io_bitmap)
		free_pages(mfn_to_page(virt_to_mfn(vd->io_bitmap)), IO_BITMAP_ORDER);
	xfree(vd);
	d->vendor = NULL;
}

static void write_io_bitmap(uint8_t *map)
{
	vmwrite(IO_BITMAP_A, virt_to_maddr(map).v);
	vmwrite(IO_BITMAP_B, virt_to_maddr(map).v + PAGE_SIZE);
}

/* Copies d->hvm.io_bitmap into the domain's own map, made at the first call. */
void vmx_io_bitmap_changed(struct domain *d)
{
	struct vmx_domain *vd = d->vendor;
	struct vcpu *v;

	if (!vd->io_bitmap) {
		struct page *p = alloc_pages(IO_BITMAP_ORDER);

		if (!p)
			panic("no memory for an I/O bitmap");
		vd->io_bitmap = page_to_virt(p);
	}
	memcpy(vd->io_bitmap, d->hvm.io_bitmap, 65536 / 8);
	for_each_vcpu(d, v) {
		vmx_load(v);
		write_io_bitmap(vd->io_bitmap);
	}
}

static void write_controls(struct vmx_vcpu *vv)
{
	vv->proc = vmx_controls.proc;
	vv->proc2 = vmx_controls.proc2;
	if (!vv->vpid)
		vv->proc2 &= ~(uint32_t)PROC2_VPID;
	vv->entry = vmx_controls.entry;
	/* #DB and #AC are intercepted so that their delivery cannot loop for ever. */
	vv->exceptions = BIT(X86_EXC_MC) | BIT(X86_EXC_UD) | BIT(X86_EXC_DB) | BIT(X86_EXC_AC);
	vmwrite(CTL_PROC, vv->proc);
	vmwrite(CTL_PROC2, vv->proc2);
	vmwrite(CTL_ENTRY, vv->entry);
	vmwrite(EXCEPTION_BITMAP, vv->exceptions);
	vv->apic_mode = ~0ULL; /* none yet */
	for (unsigned int i = 0; i < ARRAY_SIZE(vv->eoi_exits); i++)
		vv->eoi_exits[i] = ~0ULL;
	vmwrite(CR0_MASK, ~VMX_CR0_GUEST_OWNED);
	vmwrite(CR4_MASK, ~0ULL);
	vmwrite(MSR_BITMAP, virt_to_maddr(vmx_msr_bitmap).v);
	if (vv->vpid)
		vmwrite(VPID, vv->vpid);
	/* SGX is hidden, which does not keep a CPU from executing it: every leaf exits, to #UD. */
	if (vv->proc2 & PROC2_ENCLS)
		vmwrite(ENCLS_EXITS, ~0ULL);
}

int vmx_vcpu_init(struct vcpu *v)
{
	struct vmx_domain *vd = v->domain->vendor;
	struct vmx_vcpu *vv = xzalloc(struct vmx_vcpu);
	int rc;

	if (!vv)
		return -ENOMEM;
	vv->vcpu = v;
	vv->tlb_cpu = VMX_NO_CPU;
	rc = vmcs_init(vv);
	if (rc) {
		xfree(vv);
		return rc;
	}
	v->vendor = vv;
	v->hvm.seg = vv->seg;
	v->hvm.shadow = &vv->shadow;
	vpid_alloc(vv);
	vmx_preempt_vcpu_init();
	write_controls(vv);
	write_io_bitmap(vd->io_bitmap ? vd->io_bitmap : io_bitmap_all);
	vmwrite(EPT_POINTER, vmx_eptp(v->domain));
	return vmx_posted_init(vv);
}

void vmx_vcpu_fini(struct vcpu *v)
{
	struct vmx_vcpu *vv = vmx_vcpu(v);

	if (!vv)
		return;
	vmcs_fini(vv);
	vmx_posted_fini(vv);
	vpid_free(vv);
	xfree(vv);
	v->vendor = NULL;
}
