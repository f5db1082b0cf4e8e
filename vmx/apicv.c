// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The local APIC with the processor's help: accesses to its page told apart in hardware
 * (APIC-access page), registers read without exits (APIC-register virtualization), and vectors
 * taken from the IRR, and ended, without exits (virtual-interrupt delivery). The vLAPIC's register
 * page is the virtual-APIC page, so there is one copy of everything; what hardware has besides it,
 * RVI, SVI and the EOI-exit bitmap, is derived before each entry. SDM volume 3, chapter 29.
 */
#include "vmx.h"
#include "boot.h"
#include "vlapic.h"

#define APIC_MODES (PROC2_APIC_ACCESS | PROC2_X2APIC | PROC2_APIC_REGISTERS | PROC2_VINTR_DELIVERY)

static bool enabled = true;
static uint8_t *x2apic_bitmap;

static int parse_apicv(const char *value)
{
	return parse_bool(value, &enabled);
}
BOOT_OPTION(vmx_apicv, "vmx-apicv", parse_apicv,
	    "virtual-interrupt delivery of VT-x where the CPU has it (default: on)");

/* Once: the MSR bitmap of vCPUs in x2APIC mode, whose TPR, EOI and self-IPI are hardware's. */
int vmx_apicv_init(void)
{
	if (!enabled)
		vmx_controls.vintr_delivery = vmx_controls.apic_registers = vmx_controls.posted =
			false;
	if (!vmx_controls.vintr_delivery || !vmx_controls.x2apic)
		return 0;
	x2apic_bitmap = alloc_page_virt();
	if (!x2apic_bitmap)
		return -ENOMEM;
	memcpy(x2apic_bitmap, vmx_msr_bitmap, PAGE_SIZE);
	clear_bit(MSR_X2APIC(APIC_TPR), x2apic_bitmap);
	vmx_msr_allow_write(x2apic_bitmap, MSR_X2APIC(APIC_TPR));
	vmx_msr_allow_write(x2apic_bitmap, MSR_X2APIC(APIC_EOI));
	vmx_msr_allow_write(x2apic_bitmap, MSR_X2APIC(APIC_SELF_IPI));
	return 0;
}

/* dom0's APIC is in x2APIC mode for ever. */
int vmx_apic_page_init(struct domain *d)
{
	struct vmx_domain *vd = d->vendor;
	int rc;

	if (d->is_dom0 || !vmx_controls.apic_access)
		return 0;
	vd->apic_page = alloc_pages(0);
	if (!vd->apic_page)
		return -ENOMEM;
	rc = p2m_set(d, _gfn(APIC_DEFAULT_BASE >> PAGE_SHIFT), page_to_mfn(vd->apic_page), 0,
		     P2M_MMIO_DIRECT, P2M_ACCESS_RW);
	d->p2m.max_gfn = 0; /* not memory that the guest has */
	return rc;
}

void vmx_apic_page_fini(struct domain *d)
{
	struct vmx_domain *vd = d->vendor;

	if (vd->apic_page)
		free_pages(vd->apic_page, 0);
}

static uint32_t controls_of(const struct vcpu *v, uint64_t mode)
{
	const struct vmx_domain *vd = v->domain->vendor;
	const struct vmx_controls *c = &vmx_controls;

	if (mode == (APIC_BASE_EN | APIC_BASE_EXTD) && x2apic_bitmap)
		return PROC2_X2APIC | PROC2_APIC_REGISTERS | PROC2_VINTR_DELIVERY;
	if (mode == APIC_BASE_EN && vd->apic_page)
		return PROC2_APIC_ACCESS | (c->apic_registers ? PROC2_APIC_REGISTERS : 0) |
		       (c->vintr_delivery ? PROC2_VINTR_DELIVERY : 0);
	return 0;
}

/* Legal only together with virtual-interrupt delivery (26.2.1.1). */
static void set_posting(struct vmx_vcpu *vv, bool on)
{
	if (!vv->posted || vv->posting == on)
		return;
	vmwrite(CTL_PIN, vmx_controls.pin | (on ? PIN_POSTED : 0));
	WRITE_ONCE(vv->posting, on);
}

static void set_mode(struct vcpu *v, struct vmx_vcpu *vv, uint64_t mode)
{
	const struct vmx_domain *vd = v->domain->vendor;
	uint32_t proc2 = (vv->proc2 & ~(uint32_t)APIC_MODES) | controls_of(v, mode);

	vv->apic_mode = mode;
	if (vd->apic_page)
		vmwrite(APIC_ACCESS_PAGE, mfn_to_maddr(page_to_mfn(vd->apic_page)).v);
	set_posting(vv, proc2 & PROC2_VINTR_DELIVERY);
	if (proc2 == vv->proc2)
		return;
	vv->proc2 = proc2;
	vmwrite(CTL_PROC2, proc2);
	vmwrite(MSR_BITMAP, virt_to_maddr(proc2 & PROC2_X2APIC ? x2apic_bitmap : vmx_msr_bitmap).v);
	/* Translations made under the other rule must not be used (29.4.5). */
	vv->flush_linear = vv->flush_ept = true;
}

static uint8_t highest_or_0(const struct vlapic *a, unsigned int bank)
{
	int vector = vlapic_highest(a, bank);

	return vector < 0 ? 0 : (uint8_t)vector;
}

/* The highest requested and the highest serviced vector: hardware keeps them apart from the page.
 */
static void write_status(const struct vlapic *a)
{
	uint16_t rvi = vlapic_enabled(a) ? highest_or_0(a, APIC_IRR) : 0;

	vmwrite(GUEST_INTERRUPT_STATUS, (uint16_t)(highest_or_0(a, APIC_ISR) << 8) | rvi);
}

/* Level-triggered vectors: their EOI is somebody's business. */
static void write_eoi_exits(const struct vlapic *a, struct vmx_vcpu *vv)
{
	static const enum vmcs_field fields[] = { EOI_EXIT0, EOI_EXIT1, EOI_EXIT2, EOI_EXIT3 };

	for (unsigned int i = 0; i < ARRAY_SIZE(fields); i++) {
		uint64_t tmr = vlapic_get(a, APIC_TMR + i * 0x20) |
			       (uint64_t)vlapic_get(a, APIC_TMR + i * 0x20 + 0x10) << 32;

		if (tmr == vv->eoi_exits[i])
			continue;
		vv->eoi_exits[i] = tmr;
		vmwrite(fields[i], tmr);
	}
}

void vmx_apic_before_entry(struct vcpu *v, struct vmx_vcpu *vv)
{
	const struct vlapic *a = v->hvm.vlapic;
	uint64_t mode = a->base_msr & (APIC_BASE_EN | APIC_BASE_EXTD);

	if (unlikely(mode != vv->apic_mode))
		set_mode(v, vv, mode);
	vmx_take_posted(v);
	if (vv->proc2 & PROC2_APIC_REGISTERS) {
		vv->apic_id = vlapic_get(a, APIC_ID);
		vv->apic_spiv = vlapic_get(a, APIC_SPIV);
		vv->apic_lvtt = vlapic_get(a, APIC_LVTT);
	}
	if (vv->proc2 & PROC2_VINTR_DELIVERY) {
		write_status(a);
		write_eoi_exits(a, vv);
	}
}

/* After an exit: a self-IPI may have come into the IRR without our doing. */
void vmx_apic_after_exit(struct vcpu *v, const struct vmx_vcpu *vv)
{
	if (vv->proc2 & PROC2_VINTR_DELIVERY)
		WRITE_ONCE(v->hvm.vlapic->irr_maybe, true);
	vmx_take_posted(v);
}

bool vmx_delivers_vlapic(struct vcpu *v)
{
	return vmx_vcpu(v)->proc2 & PROC2_VINTR_DELIVERY;
}

/*
 * The guest wrote a register and hardware has stored the value already: registers whose old value
 * counts get it back before the write is done as it should be. A trap: RIP is behind the
 * instruction.
 */
void vmx_exit_apic_write(struct vcpu *v, unsigned int insn_len)
{
	const struct vmx_vcpu *vv = vmx_vcpu(v);
	unsigned int reg = (unsigned int)vmread(EXIT_QUALIFICATION) & 0xff0;
	struct vlapic *a = v->hvm.vlapic;
	uint32_t value = vlapic_get(a, reg);

	(void)insn_len;
	if (reg == APIC_ID)
		vlapic_set(a, reg, vv->apic_id);
	else if (reg == APIC_SPIV)
		vlapic_set(a, reg, vv->apic_spiv);
	else if (reg == APIC_LVTT)
		vlapic_set(a, reg, vv->apic_lvtt);
	vlapic_write(a, reg, value);
}

/* Hardware has cleared the vector's ISR bit. */
void vmx_exit_eoi(struct vcpu *v, unsigned int insn_len)
{
	(void)insn_len;
	vlapic_eoi_done(v->hvm.vlapic, (uint8_t)vmread(EXIT_QUALIFICATION));
}
