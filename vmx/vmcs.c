// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The VMCS as an object: allocation, which CPU it is active on, and the parts of it that belong to
 * the CPU (host state) or never change. A VMCS is active on at most one CPU; whoever needs it
 * elsewhere has it cleared there first. SDM volume 3, 24.1, 24.5, 24.11.
 */
#include "vmx.h"
#include "trap.h"

const struct vmcs_field_name vmcs_field_names[] = {
#define FIELD_NAME(name, encoding) { encoding, #name },
	VMX_FIELDS(FIELD_NAME)
};
const unsigned int vmcs_nr_fields = ARRAY_SIZE(vmcs_field_names);

/* A field that this CPU must have is not there, or no VMCS is current: our own fault. */
void vmwrite_failed(enum vmcs_field field, uint64_t value)
{
	panic("VMWRITE of field %x, value %lx, is refused with error %lu", field, value,
	      vmread(INSTRUCTION_ERROR));
}

static void vmclear(const struct vmx_vcpu *vv)
{
	bool failed;

	__asm__ volatile("vmclear %1; setbe %0"
			 : "=q"(failed)
			 : "m"(vv->vmcs_pa.v)
			 : "cc", "memory");
	BUG_ON(failed);
}

static void vmptrld(const struct vmx_vcpu *vv)
{
	bool failed;

	__asm__ volatile("vmptrld %1; setbe %0"
			 : "=q"(failed)
			 : "m"(vv->vmcs_pa.v)
			 : "cc", "memory");
	BUG_ON(failed);
}

/* On the CPU where it is active. */
static void clear_here(void *arg)
{
	struct vmx_vcpu *vv = arg;
	struct vmx_cpu *c = this_cpu()->vendor;

	if (vv->cpu != cpu_id())
		return;
	vmclear(vv);
	vv->cpu = VMX_NO_CPU;
	vv->launched = false;
	if (c->loaded == vv)
		c->loaded = NULL;
}

struct table_register {
	uint16_t limit;
	uint64_t base;
} __packed;

/* Host state differs from CPU to CPU in these fields only. */
static void write_host_state(void)
{
	struct table_register gdtr, idtr;

	__asm__ volatile("sgdt %0; sidt %1" : "=m"(gdtr), "=m"(idtr));
	vmwrite(HOST_GDTR_BASE, gdtr.base);
	vmwrite(HOST_IDTR_BASE, idtr.base);
	vmwrite(HOST_TR_BASE, (uint64_t)this_cpu()->tss);
	vmwrite(HOST_CR0, read_cr0());
	vmwrite(HOST_CR3, read_cr3());
	vmwrite(HOST_CR4, read_cr4());
}

void vmx_load_slow(struct vmx_vcpu *vv)
{
	struct vmx_cpu *c = this_cpu()->vendor;
	bool moved = vv->cpu != cpu_id();

	if (moved && vv->cpu != VMX_NO_CPU)
		cpu_call(vv->cpu, clear_here, vv);
	vmptrld(vv);
	c->loaded = vv;
	vv->cpu = cpu_id();
	if (moved)
		write_host_state();
}

static void write_constant_host_state(void)
{
	vmwrite(HOST_CS_SELECTOR, VMM_CS);
	vmwrite(HOST_SS_SELECTOR, 0);
	vmwrite(HOST_DS_SELECTOR, 0);
	vmwrite(HOST_ES_SELECTOR, 0);
	vmwrite(HOST_FS_SELECTOR, 0);
	vmwrite(HOST_GS_SELECTOR, 0);
	vmwrite(HOST_TR_SELECTOR, VMM_TSS);
	vmwrite(HOST_FS_BASE, 0);
	vmwrite(HOST_GS_BASE, 0);
	vmwrite(HOST_SYSENTER_CS, 0);
	vmwrite(HOST_SYSENTER_ESP, 0);
	vmwrite(HOST_SYSENTER_EIP, 0);
	vmwrite(HOST_RIP, (uint64_t)vmx_exit_point);
	if (vmx_controls.load_efer)
		vmwrite(HOST_EFER, rdmsr(MSR_EFER));
	if (vmx_controls.load_pat)
		vmwrite(HOST_PAT, rdmsr(MSR_PAT));
}

/* What the neutral code does not set, at its value after reset or at one that has no effect. */
static void write_constants(void)
{
	static const enum vmcs_field zero[] = {
		CR3_TARGET_COUNT,	ENTRY_MSR_LOAD_COUNT, EXIT_MSR_STORE_COUNT,
		EXIT_MSR_LOAD_COUNT,	PF_ERROR_MASK,	      PF_ERROR_MATCH,
		ENTRY_INTR_INFO,	GUEST_ACTIVITY,	      GUEST_PENDING_DEBUG,
		GUEST_INTERRUPTIBILITY, GUEST_DEBUGCTL,	      TSC_OFFSET,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(zero); i++)
		vmwrite(zero[i], 0);
	vmwrite(VMCS_LINK, ~0ULL);
	vmwrite(CTL_PIN, vmx_controls.pin);
	vmwrite(CTL_EXIT, vmx_controls.exit);
	write_constant_host_state();
}

int vmcs_init(struct vmx_vcpu *vv)
{
	vv->vmcs = alloc_page_virt();
	if (!vv->vmcs)
		return -ENOMEM;
	*(uint32_t *)vv->vmcs = VMX_BASIC_REVISION(vmx_caps.basic);
	vv->vmcs_pa = virt_to_maddr(vv->vmcs);
	vv->cpu = VMX_NO_CPU;
	vmclear(vv);
	vmx_load_slow(vv);
	write_constants();
	return 0;
}

void vmcs_fini(struct vmx_vcpu *vv)
{
	if (!vv->vmcs)
		return;
	if (vv->cpu != VMX_NO_CPU)
		cpu_call(vv->cpu, clear_here, vv);
	free_page_virt(vv->vmcs);
}
