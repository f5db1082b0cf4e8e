// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * AMD-V: is it there, what can it do, switch it on for a CPU; and the table of operations. APM volume 2,
 * 15.4 (enabling) and CPUID 8000000a.
 */
#include "svm.h"
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
	if (!(d & SVM_FEAT_NPT)) {
		printk(LOG_ERR "AMD-V: no nested paging on this CPU, which this version needs\n");
		return false;
	}
	printk(LOG_INFO "AMD-V: nested paging, %u ASIDs%s%s%s%s\n", b,
	       svm_caps.nrips ? ", next RIP" : "", svm_caps.decode ? ", decode assists" : "",
	       svm_caps.flush_asid ? ", flush by ASID" : "",
	       svm_caps.lost_shadow ? ", interrupt shadow lost by VMRUN (emulator)" : "");
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
	sc->asid_generation = 1;
	sc->next_asid = 1;
	__asm__ volatile("vmsave %%rax" ::"a"(sc->host_vmcb.v) : "memory");
	cpu->vendor = sc;
	return 0;
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
