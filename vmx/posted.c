// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Posted interrupts: a vector for a vCPU that runs on another CPU goes into its posted-interrupt descriptor, and
 * one IPI makes that CPU take it into the guest's IRR without an exit. In the VMM the same IPI does
 * nothing: what is in the descriptor is taken over before the next entry, and by whoever looks for
 * pending vectors. SDM volume 3, 29.6.
 *
 * Only edge-triggered vectors are posted: a level-triggered one changes the EOI-exit bitmap, which the vCPU itself
 * has to write. Posted interrupts need "acknowledge interrupt on exit", so with them exit.c gives the
 * vector to the trap code itself.
 */
#include "vmx.h"
#include "vlapic.h"

#define NR_VECTORS 256U

/* 64 bytes, aligned likewise; hardware and all CPUs write it (atomic accesses only). */
struct posted_descriptor {
	uint32_t requests[NR_VECTORS / 32];
	uint32_t outstanding; /* bit 0: a notification is on its way */
	uint32_t unused[7];
} __packed;

BUILD_BUG_ON(sizeof(struct posted_descriptor) != 64);

/* 0 or -ENOMEM; nothing where the CPU has no posted interrupts. The VMCS is loaded. */
int vmx_posted_init(struct vmx_vcpu *vv)
{
	if (!vmx_controls.posted)
		return 0;
	vv->posted = alloc_page_virt();
	if (!vv->posted)
		return -ENOMEM;
	vmwrite(POSTED_VECTOR, VMM_VECTOR_POSTED);
	vmwrite(POSTED_DESCRIPTOR, virt_to_maddr(vv->posted).v);
	return 0;
}

void vmx_posted_fini(struct vmx_vcpu *vv)
{
	if (vv->posted)
		free_page_virt(vv->posted);
}

/* Any CPU; see hvm_ops.h. */
int vmx_post_vector(struct vcpu *v, uint8_t vector)
{
	struct vmx_vcpu *vv = vmx_vcpu(v);
	struct posted_descriptor *p = vv->posted;

	if (!p || !READ_ONCE(vv->posting) || !READ_ONCE(v->running) || v == current_vcpu())
		return -EOPNOTSUPP;
	if (test_and_set_bit(vector, p->requests))
		return 0;
	/* After the request: whoever sees the note finds the vector. */
	set_bit(0, &p->outstanding);
	return 1;
}

void vmx_posted_notify(unsigned int cpu)
{
	lapic_send_ipi(cpus[cpu]->apic_id, VMM_VECTOR_POSTED);
}

/* Own vCPU, or one that does not run. */
void vmx_take_posted(struct vcpu *v)
{
	struct posted_descriptor *p = vmx_vcpu(v)->posted;
	struct vlapic *a = v->hvm.vlapic;

	if (!p || !READ_ONCE(p->outstanding))
		return;
	/* First the note, then the requests: one that comes in between makes a new note. */
	__atomic_store_n(&p->outstanding, 0, __ATOMIC_SEQ_CST);
	for (unsigned int i = 0; i < NR_VECTORS / 32; i++) {
		uint32_t r = READ_ONCE(p->requests[i])
				     ? __atomic_exchange_n(&p->requests[i], 0, __ATOMIC_SEQ_CST)
				     : 0;

		if (r)
			__atomic_fetch_or((uint32_t *)(a->regs + APIC_IRR + i * 0x10), r,
					  __ATOMIC_SEQ_CST);
	}
	WRITE_ONCE(a->irr_maybe, true);
}
