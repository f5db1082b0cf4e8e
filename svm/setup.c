// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * AMD-V: is it there, what can it do, switch it on for a CPU; what a domain and a vCPU get: control block,
 * permission maps; guest state that lives in the VMCB, and what is switched with a vCPU; and the table of
 * operations. APM volume 2, 15.4 (enabling), 15.5 (VMCB), 15.10 (I/O), 15.11 (MSR), and CPUID 8000000a.
 */
#include "svm.h"
#include "vlapic.h"
#include "boot.h"

struct svm_caps svm_caps;

static const char *forced_shadow;

static int parse_shadow_switch(const char *value)
{
	bool on;

	if (parse_bool(value, &on))
		return -EINVAL;
	forced_shadow = on ? "on" : "off";
	return 0;
}
BOOT_OPTION(svm_shadow, "svm-shadow-workaround", parse_shadow_switch,
	    "emulate over interrupt shadows that VMRUN loses (default: on in QEMU's TCG only)");

static bool running_on_tcg(void)
{
	uint32_t a, b, c, d;

	cpuid_count(1, 0, &a, &b, &c, &d);
	if (!(c & BIT(31)))
		return false;
	cpuid_count(0x40000000, 0, &a, &b, &c, &d);
	return b == 0x54474354 && c == 0x43544743 && d == 0x47435447; /* "TCGTCGTCGTCG" */
}

bool svm_probe(void)
{
	uint32_t a, b, c, d;

	if (!(host_cpu.e1_ecx & BIT(2))) {
		printk(LOG_INFO "AMD-V: this CPU does not have it\n");
		return false;
	}
	if (rdmsr(MSR_VM_CR) & VM_CR_SVMDIS) {
		printk(LOG_ERR "AMD-V: switched off by the firmware (SVM in the BIOS setup)\n");
		return false;
	}
	cpuid_count(0x8000000a, 0, &a, &b, &c, &d);
	svm_caps.nr_asids = b;
	svm_caps.features = d;
	svm_caps.nrips = d & SVM_FEAT_NRIPS;
	svm_caps.decode = d & SVM_FEAT_DECODE;
	svm_caps.flush_asid = d & SVM_FEAT_FLUSH_ASID;
	svm_caps.intr_twice = running_on_tcg();
	svm_caps.lost_irq = running_on_tcg();
	svm_caps.lost_shadow = forced_shadow ? !strcmp(forced_shadow, "on") : running_on_tcg();
	if (!(d & SVM_FEAT_NPT))
		paging_has_nested = false;
	if (!paging_possible("AMD-V"))
		return false;
	printk(LOG_INFO "AMD-V: %s, %u ASIDs%s%s%s%s\n",
	       paging_has_nested ? "nested paging" : "shadow paging", b,
	       svm_caps.nrips ? ", next RIP" : "", svm_caps.decode ? ", decode assists" : "",
	       svm_caps.flush_asid ? ", flush by ASID" : "",
	       svm_caps.lost_shadow ? ", interrupt shadow lost by VMRUN (emulator)" : "");
	if (!(d & SVM_FEAT_NPT))
		printk(LOG_WARN
		       "AMD-V: this CPU has no nested paging: domain 0 and all guests run on "
		       "shadow page tables, which costs speed and memory\n");
	return true;
}

static int svm_cpu_up(void)
{
	struct cpu *cpu = this_cpu();
	struct svm_cpu *sc = xzalloc(struct svm_cpu);
	void *host_vmcb = alloc_page_virt();

	if (!sc)
		return -ENOMEM;
	sc->hsave = alloc_page_virt();
	if (!sc->hsave || !host_vmcb)
		return -ENOMEM;
	if (rdmsr(MSR_VM_CR) & VM_CR_SVMDIS) {
		printk(LOG_ERR "AMD-V: switched off on CPU %u only; firmware error\n", cpu->id);
		return -ENODEV;
	}
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | X86_EFER_SVME);
	wrmsr(MSR_VM_HSAVE, virt_to_maddr(sc->hsave).v);
	sc->host_vmcb = virt_to_maddr(host_vmcb);
	sc->asid_generation = MAX_CPUS + cpu->id;
	sc->next_asid = 1;
	__asm__ volatile("vmsave %%rax" ::"a"(sc->host_vmcb.v) : "memory");
	cpu->vendor = sc;
	return 0;
}

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

static int svm_domain_init(struct domain *d)
{
	if (!iopm_all && maps_init())
		return -ENOMEM;
	d->vendor = xzalloc(struct svm_domain);
	return d->vendor ? 0 : -ENOMEM;
}

static void svm_domain_fini(struct domain *d)
{
	struct svm_domain *sd = d->vendor;

	if (sd && sd->iopm)
		free_pages(mfn_to_page(virt_to_mfn(sd->iopm)), IOPM_ORDER);
	xfree(sd);
	d->vendor = NULL;
}

/* Copies d->hvm.io_bitmap into the domain's own map, made at the first call. */
static void svm_io_bitmap_changed(struct domain *d)
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

/*
 * Without nested paging the processor has other control registers than the guest. INVLPG needs no intercept: shadow
 * tables agree with the guest's at all times.
 */
static void use_shadow(struct vmcb *vmcb)
{
	vmcb->cr_read |= BIT(0) | BIT(3) | BIT(4);
	vmcb->cr_write |= BIT(0) | BIT(3) | BIT(4);
	vmcb->exceptions |= BIT(X86_EXC_PF);
}

static void use_nested(struct vmcb *vmcb, const struct domain *d)
{
	vmcb->np_enable = 1;
	vmcb->n_cr3 = mfn_to_maddr(page_to_mfn(d->p2m.root)).v;
}

static int svm_vcpu_init(struct vcpu *v)
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
	v->vendor = sv;
	v->hvm.seg = vmcb->seg;
	v->hvm.shadow = &vmcb->int_shadow;
	v->hvm.valid = HVM_SEGS | HVM_CPL;

	set_intercepts(vmcb);
	vmcb->iopm_base = virt_to_maddr(sd->iopm ? sd->iopm : iopm_all).v;
	vmcb->msrpm_base = virt_to_maddr(msrpm).v;
	vmcb->vintr = SVM_VINTR_MASKING;
	vmcb->g_pat = PAT_RESET;
	if (v->domain->sh)
		use_shadow(vmcb);
	else
		use_nested(vmcb, v->domain);
	return 0;
}

static void svm_vcpu_fini(struct vcpu *v)
{
	struct svm_vcpu *sv = svm_vcpu(v);

	if (!sv)
		return;
	free_page_virt(sv->vmcb);
	xfree(sv);
	v->vendor = NULL;
}

static void get_msrs(const struct vmcb *b, struct hvm_msr_state *m)
{
	m->star = b->star;
	m->lstar = b->lstar;
	m->cstar = b->cstar;
	m->sfmask = b->sfmask;
	m->kernel_gs_base = b->kernel_gs_base;
	m->sysenter_cs = b->sysenter_cs;
	m->sysenter_esp = b->sysenter_esp;
	m->sysenter_eip = b->sysenter_eip;
	m->debugctl = b->debugctl;
}

static void set_msrs(const struct vcpu *v, struct vmcb *b)
{
	const struct hvm_msr_state *m = &v->hvm.msr;

	b->star = m->star;
	b->lstar = m->lstar;
	b->cstar = m->cstar;
	b->sfmask = m->sfmask;
	b->kernel_gs_base = m->kernel_gs_base;
	b->sysenter_cs = m->sysenter_cs;
	b->sysenter_esp = m->sysenter_esp;
	b->sysenter_eip = m->sysenter_eip;
	b->debugctl = m->debugctl;
	b->g_pat = v->hvm.pat;
}

/* DR0-3 back into struct vcpu, accesses intercepted again. */
static void sync_debug(struct vcpu *v, struct svm_vcpu *sv)
{
	if (!sv->dr_loaded)
		return;
	read_breakpoints(v->dr);
	sv->dr_loaded = false;
	sv->vmcb->dr_read = 0xffff;
	sv->vmcb->dr_write = 0xffff;
}

/* Segments and the privilege level need no fetching: v->hvm.seg is the VMCB's, and an exit brings the other. */
static void svm_get_state(struct vcpu *v, uint32_t mask)
{
	const struct vmcb *b = svm_vmcb(v);

	if (mask & HVM_MSRS)
		get_msrs(b, &v->hvm.msr);
	if (mask & HVM_DRS)
		sync_debug(v, svm_vcpu(v));
}

static void load_debug_registers(struct vcpu *v)
{
	struct svm_vcpu *sv = svm_vcpu(v);

	write_breakpoints(v->dr);
	sv->dr_loaded = true;
	sv->vmcb->dr_read = 0;
	sv->vmcb->dr_write = 0;
}

static void set_control_registers(struct vcpu *v, struct vmcb *b)
{
	const struct control_regs *hw = v->hw;

	b->cr0 = hw->cr0;
	b->cr3 = hw->cr3;
	b->cr4 = hw->cr4;
	b->efer = hw->efer | X86_EFER_SVME;
	svm_vcpu(v)->asid_generation = 0; /* as svm_flush_vcpu() */
}

static void set_others(struct vcpu *v, struct vmcb *b, uint32_t mask)
{
	/* The privilege level is a field of its own; SS.DPL and it move together (15.5.1). */
	if (mask & HVM_SEG(X86_SEG_SS))
		b->cpl = v->hvm.cpl = X86_ATTR_DPL(b->seg[X86_SEG_SS].attr);
	if (mask & HVM_MSRS)
		set_msrs(v, b);
	if (mask & HVM_DRS) {
		b->dr6 = v->dr6;
		b->dr7 = v->dr7;
		/* The CPU still has those from before, and looks at them from the next entry on. */
		if (v == current_vcpu() && (v->dr7 & DR7_ENABLES))
			load_debug_registers(v);
	}
	if (mask & HVM_CR2)
		b->cr2 = v->cr2;
	if (mask & HVM_TPR)
		b->vintr = (b->vintr & ~0xffULL) | SVM_VINTR_TPR(vlapic_tpr(v->hvm.vlapic) >> 4);
	if (mask & HVM_TSC)
		b->tsc_offset = v->tsc_offset;
}

static void svm_set_state(struct vcpu *v, uint32_t mask)
{
	struct vmcb *b = svm_vmcb(v);

	if (mask & HVM_CRS)
		set_control_registers(v, b);
	if (mask & ~HVM_CRS)
		set_others(v, b, mask);
}

static void svm_switch_from(struct vcpu *v)
{
	sync_debug(v, svm_vcpu(v));
}

/* RDTSCP reads the real TSC_AUX, which the VMCB does not hold. */
static void svm_switch_to(struct vcpu *v)
{
	if (host_cpu.e1_edx & BIT(27))
		wrmsr(MSR_TSC_AUX, v->tsc_aux);
	if (v->dr7 & DR7_ENABLES)
		load_debug_registers(v);
}

/* First access to a debug register since the vCPU was loaded: give it the real ones. */
void svm_exit_dr(struct vcpu *v, unsigned int insn_len)
{
	(void)insn_len;
	load_debug_registers(v);
}

/* The control block in readable form, for crashes and debug keys. */
static const char *const seg_names[X86_SEG_COUNT] = { "es", "cs",   "ss",   "ds",   "fs",
						      "gs", "gdtr", "ldtr", "idtr", "tr" };

static void dump_seg(const char *name, const struct x86_segment *s)
{
	printk("  %-4s sel %04x attr %03x limit %08x base %016lx\n", name, s->sel, s->attr,
	       s->limit, s->base);
}

static void svm_dump(struct vcpu *v)
{
	const struct vmcb *b = svm_vmcb(v);

	printk("VMCB of d%uv%u: last exit %lx (%s) info %016lx %016lx int-info %lx\n",
	       v->domain->domid, v->id, b->exit_code, svm_exit_name(b->exit_code), b->exit_info1,
	       b->exit_info2, b->exit_int_info);
	printk("  cr0 %lx cr2 %lx cr3 %lx cr4 %lx efer %lx dr6 %lx dr7 %lx cpl %u\n", b->cr0,
	       b->cr2, b->cr3, b->cr4, b->efer, b->dr6, b->dr7, b->cpl);
	printk("  intercepts cr %04x/%04x dr %04x/%04x exc %08x %08x %08x\n", b->cr_read,
	       b->cr_write, b->dr_read, b->dr_write, b->exceptions, b->intercept1, b->intercept2);
	printk("  asid %u tlb %u vintr %lx shadow %lx inject %lx ncr3 %lx np %lx\n", b->asid,
	       b->tlb_control, b->vintr, b->int_shadow, b->event_inj, b->n_cr3, b->np_enable);
	for (unsigned int i = 0; i < X86_SEG_COUNT; i++)
		dump_seg(seg_names[i], &b->seg[i]);
}

const struct hvm_ops svm_ops = {
	.name = "AMD-V",
	.emulated_vendor = X86_VENDOR_AMD,
	.p2m_format = &svm_npt_format,
	.cpu_up = svm_cpu_up,
	.domain_init = svm_domain_init,
	.domain_fini = svm_domain_fini,
	.vcpu_init = svm_vcpu_init,
	.vcpu_fini = svm_vcpu_fini,
	.switch_from = svm_switch_from,
	.switch_to = svm_switch_to,
	.run = svm_run,
	.get_state = svm_get_state,
	.set_state = svm_set_state,
	.want_interrupt_window = svm_want_interrupt_window,
	.want_nmi_window = svm_want_nmi_window,
	.flush_vcpu = svm_flush_vcpu,
	.io_bitmap_changed = svm_io_bitmap_changed,
	.dump = svm_dump,
	.exit_count = svm_exit_count,
};
