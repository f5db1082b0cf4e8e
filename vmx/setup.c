// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VT-x: is it there, what can it do, switch it on for a CPU; what a domain and a vCPU get: VMCS, I/O bitmaps,
 * intercepts; guest state in the VMCS, and what is switched with a vCPU because hardware does not (SYSCALL MSRs,
 * KernelGSbase, TSC_AUX, debug registers); and the table of operations. SDM volume 3, 23.6 to 23.8 (enabling),
 * 24.4, 24.6, 26.3.1.2, 27.3.2 and appendix A.
 */
#include "vmx.h"
#include "vlapic.h"
#include "guest_access.h"

#define MODEL_AVOTON 0x4dU

struct vmx_cap_msrs vmx_caps;
struct vmx_controls vmx_controls;

static void read_caps(struct vmx_cap_msrs *m)
{
	uint32_t base;

	m->basic = rdmsr(MSR_VMX_BASIC);
	/* Pin, primary, exit, entry. */
	base = m->basic & VMX_BASIC_TRUE ? MSR_VMX_TRUE_PIN : MSR_VMX_PIN;
	m->pin = rdmsr(base);
	m->proc = rdmsr(base + 1);
	m->exit = rdmsr(base + 2);
	m->entry = rdmsr(base + 3);
	if (m->proc >> 32 & PROC_SECONDARY)
		m->proc2 = rdmsr(MSR_VMX_PROC2);
	if (m->proc2 >> 32 & (PROC2_EPT | PROC2_VPID))
		m->ept_vpid = rdmsr(MSR_VMX_EPT_VPID);
	/* Avoton's accessed and dirty bits cannot be relied on: erratum AVR41. */
	if (host_cpu.family == 6 && host_cpu.model == MODEL_AVOTON)
		m->ept_vpid &= ~EPT_CAP_AD;
	for (unsigned int i = 0; i < 2; i++) {
		m->cr0_fixed[i] = rdmsr(MSR_VMX_CR0_FIXED0 + i);
		m->cr4_fixed[i] = rdmsr(MSR_VMX_CR4_FIXED0 + i);
	}
}

/* Firmware locks the register: VT-x is then on or off until the next reset. */
static bool locked_off(void)
{
	uint64_t fc = rdmsr(MSR_FEATURE_CONTROL);

	return (fc & FEATURE_CONTROL_LOCKED) && !(fc & FEATURE_CONTROL_VMXON);
}

static void print_what_is_used(const struct vmx_controls *c)
{
	static const char *const ept[] = { "shadow paging", "EPT with pages up to 4 KiB",
					   "EPT with pages up to 2 MiB",
					   "EPT with pages up to 1 GiB" };

	printk(LOG_INFO "VT-x: %s%s%s%s%s%s%s%s%s\n",
	       ept[paging_has_nested ? c->max_leaf_level : 0], c->vpid ? ", VPID" : "",
	       paging_has_nested && c->unrestricted ? ", unrestricted guest"
						    : ", real mode in software",
	       c->tpr_shadow ? ", TPR shadow" : "", c->apic_access ? ", APIC-access page" : "",
	       c->apic_registers ? ", APIC registers" : "",
	       c->vintr_delivery ? ", virtual interrupts" : "",
	       c->posted ? ", posted interrupts" : "",
	       paging_has_nested && c->ept_dirty ? ", dirty bits of pages" : "");
	if (!c->ept)
		printk(LOG_WARN
		       "VT-x: this CPU lacks %s: domain 0 and all guests run on shadow page "
		       "tables, which costs speed and memory\n",
		       c->no_ept);
}

bool vmx_probe(void)
{
	const struct vmx_controls *c = &vmx_controls;
	const char *missing;

	if (!(host_cpu.f1_ecx & BIT(5))) {
		printk(LOG_INFO "VT-x: this CPU does not have it\n");
		return false;
	}
	if (locked_off()) {
		printk(LOG_ERR "VT-x: locked off by the firmware in IA32_FEATURE_CONTROL "
			       "(virtualization in the BIOS setup)\n");
		return false;
	}
	read_caps(&vmx_caps);
	missing = vmx_controls_compute(&vmx_caps, &vmx_controls);
	if (missing) {
		printk(LOG_ERR "VT-x: this CPU lacks %s, which this version needs\n", missing);
		return false;
	}
	if (!c->ept)
		paging_has_nested = false;
	if (!paging_possible("VT-x"))
		return false;
	vmx_ept_init(c);
	print_what_is_used(c);
	return true;
}

static int check_same(void)
{
	struct vmx_cap_msrs here = { 0 };

	read_caps(&here);
	if (!memcmp(&here, &vmx_caps, sizeof(here)))
		return 0;
	printk(LOG_ERR "VT-x: CPU %u has other capabilities than the first CPU\n", cpu_id());
	return -ENODEV;
}

static bool vmxon(maddr_t region)
{
	bool failed;

	__asm__ volatile("vmxon %1; setbe %0" : "=q"(failed) : "m"(region.v) : "cc", "memory");
	return !failed;
}

static int enable_in_firmware_register(void)
{
	uint64_t fc = rdmsr(MSR_FEATURE_CONTROL);

	if (locked_off()) {
		printk(LOG_ERR "VT-x: locked off on CPU %u only; firmware error\n", cpu_id());
		return -ENODEV;
	}
	if (!(fc & FEATURE_CONTROL_LOCKED))
		wrmsr(MSR_FEATURE_CONTROL, fc | FEATURE_CONTROL_VMXON | FEATURE_CONTROL_LOCKED);
	return 0;
}

static int vmx_cpu_up(void)
{
	struct vmx_cpu *vc = xzalloc(struct vmx_cpu);
	int rc = enable_in_firmware_register();

	if (!vc)
		return -ENOMEM;
	if (!rc)
		rc = check_same();
	if (rc)
		return rc;
	vc->vmxon_region = alloc_page_virt();
	if (!vc->vmxon_region)
		return -ENOMEM;
	*(uint32_t *)vc->vmxon_region = VMX_BASIC_REVISION(vmx_caps.basic);
	write_cr0((read_cr0() | vmx_caps.cr0_fixed[0]) & vmx_caps.cr0_fixed[1]);
	write_cr4((read_cr4() | X86_CR4_VMXE | vmx_caps.cr4_fixed[0]) & vmx_caps.cr4_fixed[1]);
	if (!vmxon(virt_to_maddr(vc->vmxon_region))) {
		printk(LOG_ERR "VT-x: VMXON fails on CPU %u\n", cpu_id());
		return -ENODEV;
	}
	vc->sce = rdmsr(MSR_EFER) & X86_EFER_SCE;
	this_cpu()->vendor = vc;
	vmx_invept_all(); /* nothing is known of what ran before us */
	return 0;
}

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

static int vmx_domain_init(struct domain *d)
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
	return rc || (vmx_controls.unrestricted && !d->sh) ? rc : vmx_restricted_init(d);
}

static void vmx_domain_fini(struct domain *d)
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
static void vmx_io_bitmap_changed(struct domain *d)
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

/*
 * CR3 and CR0.WP are not the guest's own, and each page fault is looked at (the masks of its error code are 0). INVLPG
 * needs no exit: shadow tables agree with the guest's at all times.
 */
static void use_shadow(struct vmx_vcpu *vv)
{
	vv->proc |= PROC_CR3_LOAD | PROC_CR3_STORE;
	vv->proc2 &= ~(uint32_t)(PROC2_EPT | PROC2_UNRESTRICTED | PROC2_INVPCID);
	vv->exceptions |= BIT(X86_EXC_PF);
	vv->cr0_owned &= ~X86_CR0_WP;
}

static void choose_controls(struct vmx_vcpu *vv)
{
	vv->proc = vmx_controls.proc;
	vv->proc2 = vmx_controls.proc2;
	if (!vv->vpid)
		vv->proc2 &= ~(uint32_t)PROC2_VPID;
	vv->entry = vmx_controls.entry;
	/* #DB and #AC are intercepted so that their delivery cannot loop for ever. */
	vv->exceptions = BIT(X86_EXC_MC) | BIT(X86_EXC_UD) | BIT(X86_EXC_DB) | BIT(X86_EXC_AC);
	vv->cr0_owned = X86_CR0_MP | X86_CR0_EM | X86_CR0_TS | X86_CR0_WP | X86_CR0_AM;
	if (vv->vcpu->domain->sh)
		use_shadow(vv);
}

static void write_controls(struct vmx_vcpu *vv)
{
	vmwrite(CTL_PROC, vv->proc);
	if (vv->proc & PROC_SECONDARY)
		vmwrite(CTL_PROC2, vv->proc2);
	vmwrite(CTL_ENTRY, vv->entry);
	vmwrite(EXCEPTION_BITMAP, vv->exceptions);
	vv->apic_mode = ~0ULL; /* none yet */
	for (unsigned int i = 0; i < ARRAY_SIZE(vv->eoi_exits); i++)
		vv->eoi_exits[i] = ~0ULL;
	vmwrite(CR0_MASK, ~vv->cr0_owned);
	vmwrite(CR4_MASK, ~0ULL);
	vmwrite(MSR_BITMAP, virt_to_maddr(vmx_msr_bitmap).v);
	if (vv->vpid)
		vmwrite(VPID, vv->vpid);
	/* SGX is hidden, which does not keep a CPU from executing it: every leaf exits, to #UD. */
	if (vv->proc2 & PROC2_ENCLS)
		vmwrite(ENCLS_EXITS, ~0ULL);
}

static int vmx_vcpu_init(struct vcpu *v)
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
	choose_controls(vv);
	write_controls(vv);
	write_io_bitmap(vd->io_bitmap ? vd->io_bitmap : io_bitmap_all);
	if (vmx_on_ept(vv))
		vmwrite(EPT_POINTER, vmx_eptp(v->domain));
	return vmx_posted_init(vv);
}

static void vmx_vcpu_fini(struct vcpu *v)
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

/*
 * Control registers: carrying struct vcpu's into the VMCS. The guest changes MP, EM, TS, WP and AM of CR0 by itself; a
 * change of any other bit of CR0 or CR4 exits, reads come from the read shadows. On shadow tables WP is not its own.
 * SDM volume 3, 23.8 (fixed bits), 26.3.1.1, 26.3.1.6 (PDPTEs).
 */
#define PDPTE_P	  BIT(0)
#define CR4_PAGED (X86_CR4_SMEP | X86_CR4_SMAP | X86_CR4_PKE | X86_CR4_PCIDE)

static const enum vmcs_field pdpte_field[4] = { GUEST_PDPTE0, GUEST_PDPTE1, GUEST_PDPTE2,
						GUEST_PDPTE3 };

/*
 * With EPT a MOV to CR0, CR3 or CR4 in the guest loads these; when we do it, we have to. Without it an entry takes them
 * from where CR3 says (26.3.2.4).
 */
static void load_pdptes(struct vcpu *v, const struct vmx_vcpu *vv)
{
	uint64_t pdpte[4];

	if (!vmx_on_ept(vv) || !hvm_pae_paging(v->cr0, v->cr4, v->efer))
		return;
	/* The move was refused if they are wrong; a record's are made right. */
	hvm_read_pdptes(v, v->cr3, pdpte);
	for (unsigned int i = 0; i < 4; i++)
		vmwrite(pdpte_field[i],
			pdpte[i] & PDPTE_P ? pdpte[i] & ~hvm_pdpte_reserved() : pdpte[i]);
}

/*
 * Without unrestricted guest a guest that has paging off runs on an identity map (realmode.c), and
 * its own CR3 is kept out of the register. Shadow tables are such a map then.
 */
static void write_paging(struct vcpu *v, struct vmx_vcpu *vv, uint64_t *cr4, uint64_t *efer)
{
	const struct vmx_domain *vd = v->domain->vendor;
	bool identity = vmx_on_ept(vv) && !vmx_unrestricted(vv) && !(v->cr0 & X86_CR0_PG);
	uint32_t cr3_exits = PROC_CR3_LOAD | PROC_CR3_STORE;

	vmwrite(GUEST_CR3, identity ? vd->ident_root.v : v->hw->cr3);
	if (identity) {
		*cr4 = (*cr4 & ~(X86_CR4_PAE | CR4_PAGED)) | X86_CR4_PSE;
		*efer &= ~(X86_EFER_LME | X86_EFER_LMA);
	}
	if (!vmx_on_ept(vv) || vmx_unrestricted(vv))
		return;
	vv->proc = identity ? vv->proc | cr3_exits : vv->proc & ~(cr3_exits & ~vmx_controls.proc);
	vmwrite(CTL_PROC, vv->proc);
}

/*
 * Where entries do not load EFER, they and exits set LME and LMA alone (26.3.2.1, 27.5.1), and on shadow tables NXE is set
 * on both sides. SCE stays in the register while the vCPU is loaded: the VMM does not use it.
 */
static void load_sce(const struct vcpu *v)
{
	struct vmx_cpu *vc = this_cpu()->vendor;
	bool sce = v->hw->efer & X86_EFER_SCE;

	if (vmx_controls.load_efer || vc->sce == sce)
		return;
	wrmsr(MSR_EFER, (rdmsr(MSR_EFER) & ~X86_EFER_SCE) | (sce ? X86_EFER_SCE : 0));
	vc->sce = sce;
}

static void write_efer(const struct vcpu *v, const struct vmx_vcpu *vv, uint64_t efer)
{
	if (vmx_controls.load_efer)
		vmwrite(GUEST_EFER, efer);
	else if (vv->lazy_loaded)
		load_sce(v);
}

/* CR0, CR3, CR4 and EFER of struct vcpu go into the VMCS, which is loaded. */
static void vmx_set_control_registers(struct vcpu *v, struct vmx_vcpu *vv)
{
	const struct vmx_controls *c = &vmx_controls;
	uint64_t cr4 = v->hw->cr4, efer = v->hw->efer;
	/* Its own bits of CR0 may have changed since v->hw was made. */
	uint64_t cr0 = (v->hw->cr0 & ~vv->cr0_owned) | (v->cr0 & vv->cr0_owned);

	write_paging(v, vv, &cr4, &efer);
	vmwrite(GUEST_CR0, (cr0 | vmx_cr0_must(c, vmx_unrestricted(vv))) & c->cr0_may);
	vmwrite(CR0_SHADOW, v->cr0);
	vmwrite(GUEST_CR4, (cr4 | c->cr4_must) & c->cr4_may);
	vmwrite(CR4_SHADOW, v->cr4);
	write_efer(v, vv, efer);
	load_pdptes(v, vv);
	vv->entry = efer & X86_EFER_LMA ? c->entry | ENTRY_IA32E : c->entry;
	vmwrite(CTL_ENTRY, vv->entry);
	vv->flush_linear = true;
	vv->state_written = true;
}

static const struct {
	enum vmcs_field sel, ar, limit, base;
} seg_fields[X86_SEG_COUNT] = {
#define SEG_FIELDS(n) \
	[X86_SEG_##   \
		n] = { GUEST_##n##_SELECTOR, GUEST_##n##_AR, GUEST_##n##_LIMIT, GUEST_##n##_BASE }
	SEG_FIELDS(ES),
	SEG_FIELDS(CS),
	SEG_FIELDS(SS),
	SEG_FIELDS(DS),
	SEG_FIELDS(FS),
	SEG_FIELDS(GS),
	SEG_FIELDS(TR),
	SEG_FIELDS(LDTR),
	[X86_SEG_GDTR] = { .limit = GUEST_GDTR_LIMIT, .base = GUEST_GDTR_BASE },
	[X86_SEG_IDTR] = { .limit = GUEST_IDTR_LIMIT, .base = GUEST_IDTR_BASE },
};

static const uint32_t lazy_msrs[LAZY_COUNT] = {
	[LAZY_STAR] = MSR_STAR,
	[LAZY_LSTAR] = MSR_LSTAR,
	[LAZY_CSTAR] = MSR_CSTAR,
	[LAZY_SFMASK] = MSR_SFMASK,
	[LAZY_KERNEL_GS_BASE] = MSR_KERNEL_GS_BASE,
};

/* SVM's packed attributes have bits 12-15 of the descriptor at 8-11; "unusable" is there not
 * present. */
static uint16_t attr_of_ar(uint32_t ar)
{
	uint16_t attr = (uint16_t)((ar & 0xff) | (ar >> 4 & 0xf00));

	return ar & AR_UNUSABLE ? attr & (uint16_t)~X86_ATTR_P : attr;
}

static uint32_t ar_of_attr(uint16_t attr)
{
	return (attr & 0xffU) | (attr & 0xf00U) << 4 | (attr & X86_ATTR_P ? 0 : AR_UNUSABLE);
}

enum vmcs_field vmx_seg_ar_field(enum x86_seg s)
{
	return seg_fields[s].ar;
}

static bool has_selector(unsigned int s)
{
	return s != X86_SEG_GDTR && s != X86_SEG_IDTR;
}

static void get_segments(struct vcpu *v, uint32_t mask)
{
	for (; mask; mask &= mask - 1) {
		unsigned int s = (unsigned int)__builtin_ctz(mask);
		struct x86_segment *out = &v->hvm.seg[s];

		*out = (struct x86_segment){ .limit = (uint32_t)vmread(seg_fields[s].limit),
					     .base = vmread(seg_fields[s].base) };
		if (has_selector(s)) {
			out->sel = (uint16_t)vmread(seg_fields[s].sel);
			out->attr = attr_of_ar((uint32_t)vmread(seg_fields[s].ar));
		}
	}
}

/*
 * VM entry wants what loading a segment register leaves (26.3.1.2): an accessed segment, a
 * granularity bit that agrees with the limit, a busy task in TR.
 */
static uint32_t entry_ar(enum x86_seg s, const struct x86_segment *in)
{
	uint32_t ar = ar_of_attr(in->attr);

	if (s == X86_SEG_TR)
		ar = (ar & ~(uint32_t)(AR_UNUSABLE | 0x17)) | 0x83;
	else if (s == X86_SEG_CS)
		ar = (ar & ~(uint32_t)AR_UNUSABLE) | 0x91;
	else if (s <= X86_SEG_GS && !(ar & AR_UNUSABLE))
		ar |= 0x11;
	if (in->limit >> 20)
		ar |= BIT(15);
	else if ((in->limit & 0xfff) != 0xfff)
		ar &= ~(uint32_t)BIT(15);
	return ar;
}

/* What the VMCS holds then may differ: it is to be fetched again. */
static void set_segments(struct vcpu *v, struct vmx_vcpu *vv, uint32_t mask)
{
	v->hvm.valid &= ~(mask | HVM_CPL);
	vv->state_written |= mask != 0;
	for (; mask; mask &= mask - 1) {
		enum x86_seg s = (enum x86_seg)__builtin_ctz(mask);
		const struct x86_segment *in = &v->hvm.seg[s];

		vmwrite(seg_fields[s].limit, has_selector(s) ? in->limit : in->limit & 0xffff);
		vmwrite(seg_fields[s].base, in->base);
		if (has_selector(s)) {
			vmwrite(seg_fields[s].sel, in->sel);
			vmwrite(seg_fields[s].ar, entry_ar(s, in));
		}
	}
}

static void read_lazy(struct vmx_vcpu *vv)
{
	for (unsigned int i = 0; vv->lazy_loaded && i < LAZY_COUNT; i++)
		vv->lazy[i] = rdmsr(lazy_msrs[i]);
}

static void get_msrs(struct vmx_vcpu *vv, struct hvm_msr_state *m)
{
	read_lazy(vv);
	m->star = vv->lazy[LAZY_STAR];
	m->lstar = vv->lazy[LAZY_LSTAR];
	m->cstar = vv->lazy[LAZY_CSTAR];
	m->sfmask = vv->lazy[LAZY_SFMASK];
	m->kernel_gs_base = vv->lazy[LAZY_KERNEL_GS_BASE];
	m->sysenter_cs = vmread(GUEST_SYSENTER_CS);
	m->sysenter_esp = vmread(GUEST_SYSENTER_ESP);
	m->sysenter_eip = vmread(GUEST_SYSENTER_EIP);
	m->debugctl = vmread(GUEST_DEBUGCTL);
}

static void set_msrs(const struct vcpu *v, struct vmx_vcpu *vv)
{
	const struct hvm_msr_state *m = &v->hvm.msr;

	vv->lazy[LAZY_STAR] = m->star;
	vv->lazy[LAZY_LSTAR] = m->lstar;
	vv->lazy[LAZY_CSTAR] = m->cstar;
	vv->lazy[LAZY_SFMASK] = m->sfmask;
	vv->lazy[LAZY_KERNEL_GS_BASE] = m->kernel_gs_base;
	for (unsigned int i = 0; vv->lazy_loaded && i < LAZY_COUNT; i++)
		wrmsr(lazy_msrs[i], vv->lazy[i]);
	vmwrite(GUEST_SYSENTER_CS, (uint32_t)m->sysenter_cs);
	vmwrite(GUEST_SYSENTER_ESP, m->sysenter_esp);
	vmwrite(GUEST_SYSENTER_EIP, m->sysenter_eip);
	vmwrite(GUEST_DEBUGCTL, m->debugctl);
	/* Shadow tables name the VMM's memory types. */
	if (vmx_controls.load_pat)
		vmwrite(GUEST_PAT, vmx_on_ept(vv) ? v->hvm.pat : VMM_PAT);
}

static void set_mov_dr_exits(struct vmx_vcpu *vv, bool on)
{
	vv->proc = on ? vv->proc | PROC_MOV_DR : vv->proc & ~(uint32_t)PROC_MOV_DR;
	vmwrite(CTL_PROC, vv->proc);
}

static void sync_debug(struct vcpu *v, struct vmx_vcpu *vv)
{
	if (!vv->dr_loaded)
		return;
	vmx_load(v);
	read_breakpoints(v->dr);
	__asm__ volatile("mov %%db6, %0" : "=r"(v->dr6));
	v->dr7 = vmread(GUEST_DR7);
	vv->dr_loaded = false;
	set_mov_dr_exits(vv, true);
}

/* The privilege level is SS.DPL, also while SS is unusable: 24.4.1. */
static void vmx_get_state(struct vcpu *v, uint32_t mask)
{
	struct vmx_vcpu *vv = vmx_load(v);

	get_segments(v, mask & HVM_SEGS);
	if (mask & HVM_CPL)
		v->hvm.cpl = X86_ATTR_DPL(hvm_seg(v, X86_SEG_SS)->attr);
	if (mask & HVM_MSRS)
		get_msrs(vv, &v->hvm.msr);
	if (mask & HVM_DRS)
		sync_debug(v, vv);
}

/* CR2 is loaded at each entry, and the vLAPIC's page is the virtual-APIC page: nothing to carry for these. */
static void vmx_set_state(struct vcpu *v, uint32_t mask)
{
	struct vmx_vcpu *vv;

	if (!(mask & ~(HVM_CR2 | HVM_TPR)))
		return;
	vv = vmx_load(v);
	set_segments(v, vv, mask & HVM_SEGS);
	if (mask & HVM_MSRS)
		set_msrs(v, vv);
	if (mask & HVM_DRS) {
		vmwrite(GUEST_DR7, v->dr7);
		if (vv->dr_loaded)
			__asm__ volatile("mov %0, %%db6" ::"r"(v->dr6));
	}
	if (mask & HVM_CRS)
		vmx_set_control_registers(v, vv);
	if (mask & HVM_TSC)
		vmwrite(TSC_OFFSET, v->tsc_offset);
}

void vmx_load_debug(struct vcpu *v)
{
	struct vmx_vcpu *vv = vmx_load(v);

	write_breakpoints(v->dr);
	__asm__ volatile("mov %0, %%db6" ::"r"(v->dr6));
	vv->dr_loaded = true;
	set_mov_dr_exits(vv, false);
}

static void vmx_switch_from(struct vcpu *v)
{
	struct vmx_vcpu *vv = vmx_vcpu(v);

	sync_debug(v, vv);
	read_lazy(vv);
	vv->lazy_loaded = false;
}

/* RDTSCP reads the real TSC_AUX, which the VMCS does not hold. */
static void vmx_switch_to(struct vcpu *v)
{
	struct vmx_vcpu *vv = vmx_load(v);

	vv->flush_l1d = true;
	if (vmx_controls.tpr_shadow)
		vmwrite(VIRTUAL_APIC_PAGE, virt_to_maddr(v->hvm.vlapic->regs).v);
	for (unsigned int i = 0; i < LAZY_COUNT; i++)
		wrmsr(lazy_msrs[i], vv->lazy[i]);
	vv->lazy_loaded = true;
	load_sce(v);
	if (host_cpu.e1_edx & BIT(27))
		wrmsr(MSR_TSC_AUX, v->tsc_aux);
	if (v->dr7 & DR7_ENABLES)
		vmx_load_debug(v);
}

/* First access to a debug register since the vCPU was loaded: give it the real ones. */
void vmx_exit_dr(struct vcpu *v, unsigned int insn_len)
{
	(void)insn_len;
	vmx_load_debug(v);
}

/* The VMCS in readable form, every field that is not zero by name, for crashes and debug keys. */
static void dump_fields(void)
{
	char line[160];
	unsigned int used = 0;
	uint64_t value;

	for (unsigned int i = 0; i < vmcs_nr_fields; i++) {
		const struct vmcs_field_name *f = &vmcs_field_names[i];

		/* Zeroes, and what this CPU does not have, are left out: all is printed with interrupts off. */
		if (!vmread_safe((enum vmcs_field)f->encoding, &value) || !value)
			continue;
		used += (unsigned int)snprintf(line + used, sizeof(line) - used, "  %s %lx",
					       f->name, value);
		if (used > 80) {
			printk("%s\n", line);
			used = 0;
		}
	}
	if (used)
		printk("%s\n", line);
}

static void vmx_dump(struct vcpu *v)
{
	const struct vmx_vcpu *vv = vmx_vcpu(v);

	if (v->running && v->cpu != cpu_id()) {
		printk("VMCS of d%uv%u: active on CPU %u, not shown\n", v->domain->domid, v->id,
		       v->cpu);
		return;
	}
	vmx_load(v);
	printk("VMCS of d%uv%u: last exit %x (%s), on CPU %u, VPID %u%s\n", v->domain->domid, v->id,
	       vv->exit_reason, vmx_exit_name(vv->exit_reason), vv->cpu, vv->vpid,
	       vv->launched ? "" : ", not launched");
	dump_fields();
}

const struct hvm_ops vmx_ops = {
	.name = "VT-x",
	.emulated_vendor = X86_VENDOR_INTEL,
	.p2m_format = &vmx_ept_format,
	.cpu_up = vmx_cpu_up,
	.domain_init = vmx_domain_init,
	.domain_fini = vmx_domain_fini,
	.vcpu_init = vmx_vcpu_init,
	.vcpu_fini = vmx_vcpu_fini,
	.switch_from = vmx_switch_from,
	.switch_to = vmx_switch_to,
	.run = vmx_run,
	.get_state = vmx_get_state,
	.set_state = vmx_set_state,
	.want_interrupt_window = vmx_want_interrupt_window,
	.want_nmi_window = vmx_want_nmi_window,
	.delivers_vlapic = vmx_delivers_vlapic,
	.post_vector = vmx_post_vector,
	.post_notify = vmx_posted_notify,
	.take_posted = vmx_take_posted,
	.flush_vcpu = vmx_flush_vcpu,
	.io_bitmap_changed = vmx_io_bitmap_changed,
	.dump = vmx_dump,
	.exit_count = vmx_exit_count,
};
