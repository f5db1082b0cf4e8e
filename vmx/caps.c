// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VT-x: is it there, what can it do, switch it on for a CPU; and the table of operations. SDM
 * volume 3, 23.6 to 23.8 (enabling) and appendix A.
 */
#include "vmx.h"

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

bool vmx_probe(void)
{
	const struct vmx_controls *c = &vmx_controls;
	static const char *const pages[] = { "", "4 KiB", "2 MiB", "1 GiB" };
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
	vmx_ept_init(c);
	printk(LOG_INFO "VT-x: EPT with pages up to %s%s%s%s%s%s%s%s%s\n", pages[c->max_leaf_level],
	       c->vpid ? ", VPID" : "",
	       c->unrestricted ? ", unrestricted guest" : ", real mode in software",
	       c->tpr_shadow ? ", TPR shadow" : "", c->apic_access ? ", APIC-access page" : "",
	       c->apic_registers ? ", APIC registers" : "",
	       c->vintr_delivery ? ", virtual interrupts" : "",
	       c->posted ? ", posted interrupts" : "", c->ept_dirty ? ", dirty bits of pages" : "");
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
	this_cpu()->vendor = vc;
	vmx_invept_all(); /* nothing is known of what ran before us */
	return 0;
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
