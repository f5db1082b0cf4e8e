// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Virtual local APIC: the register page, priorities, EOI, access by MMIO and MSR, saved state. Message
 * delivery is in vlapic_ipi.c, the timer in vlapic_timer.c. SDM volume 3, chapter 11.
 */
#include "ext_irq.h"
#include "vmm/hvm/hvm.h"
#include "internal.h"
#include "policy.h"
#include "vlapic_private.h"
#include "pc_private.h"
#include "units.h"
#include "viridian.h"

#define LVR_VERSION   0x00050014U /* version 14h, six LVT entries */
#define SPIV_RESET    0xffU
#define LVT_MASKED    BIT(16)
#define BASE_RESERVED 0x2ffULL
#define ICR_KNOWN     0x000cdfffU /* bit 12, delivery status, reads as zero */
#define ICR_STATUS    BIT(12)
#define LVTT_DEADLINE BIT(18)

/* CPUID leaf 1, ECX. */
#define C1_X2APIC   BIT(21)
#define C1_DEADLINE BIT(24)

static uint32_t x2apic_ldr(uint32_t id)
{
	return (id >> 4) << 16 | 1U << (id & 15);
}

int vlapic_highest(const struct vlapic *a, unsigned int bank)
{
#pragma GCC unroll 8
	for (int word = 7; word >= 0; word--) {
		uint32_t w = vlapic_get(a, bank + (unsigned int)word * 0x10);

		if (w)
			return word * 32 + 31 - __builtin_clz(w);
	}
	return -1;
}

static void *bank_word(struct vlapic *a, unsigned int bank, uint8_t vector)
{
	return a->regs + bank + (vector / 32U) * 0x10;
}

static bool bank_test(struct vlapic *a, unsigned int bank, uint8_t vector)
{
	return test_bit(vector % 32, bank_word(a, bank, vector));
}

uint8_t vlapic_ppr(const struct vlapic *a)
{
	int isr = vlapic_highest(a, APIC_ISR);
	uint8_t tpr = (uint8_t)vlapic_get(a, APIC_TPR);

	if (isr >= 0 && (isr & 0xf0) >= (tpr & 0xf0))
		return (uint8_t)(isr & 0xf0);
	return tpr;
}

int vlapic_pending(struct vlapic *a)
{
	int irr;

	if (hvm_ops->take_posted)
		hvm_ops->take_posted(a->vcpu);
	if (!READ_ONCE(a->irr_maybe) || !vlapic_enabled(a))
		return -1;
	if (unlikely(a->vcpu->hvm.no_eoi))
		viridian_settle(a->vcpu);
	irr = vlapic_highest(a, APIC_IRR);
	if (irr < 0) {
		WRITE_ONCE(a->irr_maybe, false);
		/*
		 * A vector may have come in between the scan and the store. The store must not wait in this
		 * CPU's buffer meanwhile: it would wipe the sender's note out (tests/model/irr.pml).
		 */
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		irr = vlapic_highest(a, APIC_IRR);
		if (irr < 0)
			return -1;
		WRITE_ONCE(a->irr_maybe, true);
	}
	return (irr & 0xf0) > (vlapic_ppr(a) & 0xf0) ? irr : -1;
}

/* Hardware may do it when nothing about the vector's trigger mode changes. 0 and more: it does. */
static int post(struct vlapic *a, uint8_t vector)
{
	int rc;

	if (!hvm_ops->post_vector || bank_test(a, APIC_TMR, vector))
		return -EOPNOTSUPP;
	rc = hvm_ops->post_vector(a->vcpu, vector);
	if (rc > 0)
		vcpu_wake_posted(a->vcpu);
	return rc;
}

void vlapic_error(struct vlapic *a, uint32_t bits)
{
	uint32_t lvt = vlapic_get(a, APIC_LVTERR);
	bool raise = !(lvt & LVT_MASKED);

	if (raise && (uint8_t)lvt < VECTOR_LEGAL) {
		bits |= ESR_RECEIVED_ILLEGAL;
		raise = false;
	}
	if ((__atomic_fetch_or(&a->esr_pending, bits, __ATOMIC_SEQ_CST) & bits) == bits)
		return;
	if (raise)
		vlapic_set_irq(a, (uint8_t)lvt, false);
}

bool vlapic_set_irq(struct vlapic *a, uint8_t vector, bool level)
{
	int posted;

	if (unlikely(vector < VECTOR_LEGAL)) {
		vlapic_error(a, ESR_RECEIVED_ILLEGAL);
		return false;
	}
	posted = level ? -EOPNOTSUPP : post(a, vector);
	if (posted >= 0)
		return posted;
	if (level)
		set_bit(vector % 32, bank_word(a, APIC_TMR, vector));
	else
		clear_bit(vector % 32, bank_word(a, APIC_TMR, vector));
	if (test_and_set_bit(vector % 32, bank_word(a, APIC_IRR, vector)))
		return false;
	WRITE_ONCE(a->irr_maybe, true);
	vcpu_wake(a->vcpu, VCPU_ATT_IRQ);
	return true;
}

void vlapic_ack(struct vlapic *a, uint8_t vector)
{
	clear_bit(vector % 32, bank_word(a, APIC_IRR, vector));
	set_bit(vector % 32, bank_word(a, APIC_ISR, vector));
	if (unlikely(a->vcpu->hvm.vp_assist & 1))
		viridian_assist(a->vcpu, vector);
}

bool vlapic_alone(const struct vlapic *a, uint8_t vector)
{
	for (unsigned int i = 0; i < 8; i++) {
		uint32_t mine = i == vector / 32U ? 1U << vector % 32 : 0;

		if (vlapic_get(a, APIC_ISR + i * 0x10) != mine ||
		    (vlapic_get(a, APIC_TMR + i * 0x10) & mine))
			return false;
	}
	return vlapic_highest(a, APIC_IRR) < 0;
}

void vlapic_eoi_done(struct vlapic *a, uint8_t vector)
{
	if (a->vcpu->domain->is_dom0)
		ext_irq_ops->eoi(a->vcpu, vector);
	else if (bank_test(a, APIC_TMR, vector))
		vioapic_eoi(a->vcpu->domain, vector);
	if (READ_ONCE(a->irr_maybe))
		vcpu_attention(a->vcpu, VCPU_ATT_IRQ);
}

static void vlapic_eoi(struct vlapic *a)
{
	int vector = vlapic_highest(a, APIC_ISR);

	if (vector < 0)
		return;
	clear_bit((unsigned int)vector % 32, bank_word(a, APIC_ISR, (uint8_t)vector));
	vlapic_eoi_done(a, (uint8_t)vector);
}

uint8_t vlapic_tpr(const struct vlapic *a)
{
	return (uint8_t)vlapic_get(a, APIC_TPR);
}

void vlapic_set_tpr(struct vlapic *a, uint8_t tpr)
{
	vlapic_set(a, APIC_TPR, tpr);
	hvm_set_state(a->vcpu, HVM_TPR);
	if (READ_ONCE(a->irr_maybe))
		vcpu_attention(a->vcpu, VCPU_ATT_IRQ);
}

bool vlapic_accepts_pic(const struct vlapic *a)
{
	uint32_t lvt0 = vlapic_get(a, APIC_LVT0);

	if (!vlapic_hw_enabled(a))
		return a->vcpu->id == 0;
	return !(lvt0 & LVT_MASKED) && (lvt0 >> 8 & 7) == 7;
}

static void clear_all(struct vlapic *a, unsigned int bank)
{
	for (unsigned int i = 0; i < 8; i++)
		vlapic_set(a, bank + i * 0x10, 0);
}

/* Registers after power-on, INIT, or being switched off: SDM 11.4.7. The APIC ID stays. */
static void reset_registers(struct vlapic *a)
{
	vlapic_timer_stop(a);
	if (hvm_ops->take_posted)
		hvm_ops->take_posted(a->vcpu);
	clear_all(a, APIC_ISR);
	clear_all(a, APIC_IRR);
	clear_all(a, APIC_TMR);
	vlapic_set(a, APIC_LVR, LVR_VERSION);
	vlapic_set(a, APIC_TPR, 0);
	vlapic_set(a, APIC_LDR, 0);
	vlapic_set(a, APIC_DFR, 0xffffffff);
	vlapic_set(a, APIC_SPIV, SPIV_RESET);
	vlapic_set(a, APIC_ESR, 0);
	vlapic_set(a, APIC_ICR, 0);
	vlapic_set(a, APIC_ICR2, 0);
	vlapic_set(a, APIC_TMICT, 0);
	vlapic_set(a, APIC_TDCR, 0);
	for (unsigned int reg = APIC_LVTT; reg <= APIC_LVTERR; reg += 0x10)
		vlapic_set(a, reg, LVT_MASKED);
	hvm_set_state(a->vcpu, HVM_TPR);
	a->esr_pending = 0;
	if (a->vcpu->domain->is_dom0)
		ext_irq_ops->drain(a->vcpu);
}

static void set_id(struct vlapic *a)
{
	uint32_t id = vlapic_id(a);

	if (vlapic_x2apic(a)) {
		vlapic_set(a, APIC_ID, id);
		vlapic_set(a, APIC_LDR, x2apic_ldr(id));
	} else {
		vlapic_set(a, APIC_ID, id << 24);
	}
}

/*
 * As on processors whose ID register can be written (SDM volume 3, 11.4.6), but only to the two IDs that a vCPU may
 * have: twice its number, as every loader of Xen's takes it to be, or its number, as on other PCs. CPUID follows.
 */
static void write_id(struct vlapic *a, uint32_t id)
{
	struct vcpu *v = a->vcpu;

	if (v->domain->is_dom0 || v->domain->is_pvh || vlapic_x2apic(a) ||
	    (id != v->id && id != v->id * 2))
		return;
	WRITE_ONCE(v->hvm.numbered, v->id && id == v->id);
	set_id(a);
}

void vlapic_reset(struct vlapic *a)
{
	reset_registers(a);
	a->base_msr = APIC_DEFAULT_BASE | APIC_BASE_EN | (a->vcpu->id ? 0 : APIC_BASE_BSP);
	/* Without firmware in between, dom0 starts as a PC would hand over in x2APIC mode. */
	if (a->vcpu->domain->is_dom0)
		a->base_msr |= APIC_BASE_EXTD;
	set_id(a);
}

int vlapic_init(struct vcpu *v)
{
	struct vlapic *a = xzalloc(struct vlapic);

	if (!a)
		return -ENOMEM;
	a->regs_page = alloc_pages(0);
	if (!a->regs_page) {
		xfree(a);
		return -ENOMEM;
	}
	a->regs = page_to_virt(a->regs_page);
	a->vcpu = v;
	spin_lock_init(&a->lock, LOCK_VLAPIC, "vlapic");
	vlapic_timer_init(a);
	v->hvm.vlapic = a;
	vlapic_reset(a);
	/* The BSP of a PC without firmware takes the PIC's interrupts (virtual wire). */
	if (v->id == 0 && !v->domain->is_dom0 && !v->domain->is_pvh)
		vlapic_set(a, APIC_LVT0, 0x700);
	return 0;
}

void vlapic_fini(struct vcpu *v)
{
	struct vlapic *a = v->hvm.vlapic;

	if (!a)
		return;
	vlapic_timer_stop(a);
	free_pages(a->regs_page, 0);
	xfree(a);
	v->hvm.vlapic = NULL;
}

static bool in_policy(const struct vlapic *a, uint32_t leaf1_ecx)
{
	return a->vcpu->domain->cpu_policy->basic[1].c & leaf1_ecx;
}

/* One bit for each 16 bytes: what the register page has. CMCI's entry (2f0) is not among the six of LVR. */
#define REGS(first, last) (((2ULL << ((last) >> 4)) - 1) & ~((1ULL << ((first) >> 4)) - 1))
static const uint64_t xapic_regs = REGS(APIC_ID, APIC_LVR) | REGS(APIC_TPR, APIC_ESR) |
				   REGS(APIC_ICR, APIC_TMCCT) | REGS(APIC_TDCR, APIC_TDCR);

/* Is there a register at this offset (a multiple of 16) of the xAPIC's page? */
static bool vlapic_has_register(unsigned int reg)
{
	return reg < 0x400 && xapic_regs >> (reg >> 4) & 1;
}

uint32_t vlapic_read(struct vlapic *a, unsigned int reg)
{
	if (unlikely(a->vcpu->hvm.no_eoi))
		viridian_settle(a->vcpu);
	switch (reg) {
	case APIC_PPR:
		return vlapic_ppr(a);
	case APIC_TMCCT:
		return vlapic_timer_count(a);
	case APIC_ID:
	case APIC_LVR:
	case APIC_TPR:
	case APIC_LDR:
	case APIC_DFR:
	case APIC_SPIV:
	case APIC_ESR:
	case APIC_ICR:
	case APIC_ICR2:
	case APIC_TMICT:
	case APIC_TDCR:
	case APIC_LVTT ... APIC_LVTERR:
		return vlapic_get(a, reg);
	case APIC_IRR ... APIC_IRR + 0x70:
		if (a->vcpu->domain->is_dom0)
			return vlapic_get(a, reg) |
			       ext_irq_ops->irr(a->vcpu, (reg - APIC_IRR) / 0x10);
		return vlapic_get(a, reg);
	case APIC_ISR ... APIC_ISR + 0x70:
	case APIC_TMR ... APIC_TMR + 0x70:
		return vlapic_get(a, reg);
	default:
		return 0;
	}
}

static void write_spiv(struct vlapic *a, uint32_t v)
{
	bool was = vlapic_sw_enabled(a);

	vlapic_set(a, APIC_SPIV, v & 0x3ff);
	if (was && !(v & BIT(8))) {
		/* Disabled by software: all LVT entries are masked and stay so. */
		vlapic_timer_lvt(a, vlapic_get(a, APIC_LVTT) | LVT_MASKED);
		for (unsigned int reg = APIC_LVTTHMR; reg <= APIC_LVTERR; reg += 0x10)
			vlapic_set(a, reg, vlapic_get(a, reg) | LVT_MASKED);
		if (a->vcpu->domain->is_dom0)
			ext_irq_ops->drain(a->vcpu);
	}
	vcpu_attention(a->vcpu, VCPU_ATT_IRQ);
}

/* The bits that an entry of the local vector table has; bit 12, the delivery status, reads as zero. */
static uint32_t lvt_bits(const struct vlapic *a, unsigned int reg)
{
	static const uint32_t known[] = {
		0x000710ff /* timer: vector, status, mask, mode */,
		0x000117ff,
		0x000117ff,
		0x0001f7ff /* LINT0 */,
		0x0001f7ff,
		0x000110ff,
	};

	if (reg == APIC_LVTT && !in_policy(a, C1_DEADLINE))
		return known[0] & ~(uint32_t)LVTT_DEADLINE;
	return known[(reg - APIC_LVTT) / 0x10];
}

static void write_lvt(struct vlapic *a, unsigned int reg, uint32_t v)
{
	v &= lvt_bits(a, reg) & ~(uint32_t)BIT(12);
	if (!vlapic_sw_enabled(a))
		v |= LVT_MASKED;
	if (reg == APIC_LVTT)
		vlapic_timer_lvt(a, v);
	else
		vlapic_set(a, reg, v);
	if (reg == APIC_LVT0)
		vcpu_attention(a->vcpu, VCPU_ATT_IRQ);
}

void vlapic_write(struct vlapic *a, unsigned int reg, uint32_t v)
{
	switch (reg) {
	case APIC_ID:
		write_id(a, v >> 24);
		break;
	case APIC_TPR:
		vlapic_set_tpr(a, (uint8_t)v);
		break;
	case APIC_EOI:
		vlapic_eoi(a);
		break;
	case APIC_LDR:
		if (!vlapic_x2apic(a))
			vlapic_set(a, reg, v & 0xff000000);
		break;
	case APIC_DFR:
		if (!vlapic_x2apic(a))
			vlapic_set(a, reg, v | 0x0fffffff);
		break;
	case APIC_SPIV:
		write_spiv(a, v);
		break;
	case APIC_ESR:
		vlapic_set(a, reg, __atomic_exchange_n(&a->esr_pending, 0, __ATOMIC_SEQ_CST));
		break;
	case APIC_ICR:
		vlapic_set(a, reg, v & ICR_KNOWN & ~(uint32_t)ICR_STATUS);
		vlapic_send_ipi(a, v, vlapic_get(a, APIC_ICR2));
		break;
	case APIC_ICR2:
		vlapic_set(a, reg, v & (vlapic_x2apic(a) ? 0xffffffff : 0xff000000));
		break;
	case APIC_LVTT ... APIC_LVTERR:
		write_lvt(a, reg, v);
		break;
	case APIC_TMICT:
		vlapic_timer_start(a, v);
		break;
	case APIC_TDCR:
		vlapic_timer_divide(a, v & 0xb);
		break;
	case APIC_SELF_IPI:
		if (vlapic_x2apic(a))
			vlapic_send_ipi(a, 0x40000 | (v & 0xff), 0);
		break;
	default:
		break;
	}
}

/* Which transitions of IA32_APIC_BASE are legal: SDM figure 11-29. */
static int set_base(struct vlapic *a, uint64_t v)
{
	uint64_t old = a->base_msr;

	if (v & BASE_RESERVED || ((v & APIC_BASE_EXTD) && !in_policy(a, C1_X2APIC)))
		return -EINVAL;
	if ((v & APIC_BASE_EXTD) && !(v & APIC_BASE_EN))
		return -EINVAL;
	if ((old & APIC_BASE_EXTD) && !(v & APIC_BASE_EXTD) && (v & APIC_BASE_EN))
		return -EINVAL;
	if (!(old & APIC_BASE_EN) && (v & APIC_BASE_EXTD))
		return -EINVAL;
	if ((v & ~0xfffULL) != APIC_DEFAULT_BASE)
		return -EINVAL; /* moving the registers is not supported */
	WRITE_ONCE(a->base_msr, (v & ~APIC_BASE_BSP) | (old & APIC_BASE_BSP));
	if (!(v & APIC_BASE_EN))
		reset_registers(a);
	set_id(a);
	vcpu_attention(a->vcpu, VCPU_ATT_IRQ);
	return 0;
}

/* In x2APIC mode some registers are gone, and EOI and the self-IPI register cannot be read (SDM table 11-6). */
static const uint64_t x2apic_readable = REGS(APIC_ID, APIC_LVR) | REGS(APIC_TPR, APIC_TPR) |
					REGS(APIC_PPR, APIC_PPR) | REGS(APIC_LDR, APIC_LDR) |
					REGS(APIC_SPIV, APIC_ESR) | REGS(APIC_ICR, APIC_ICR) |
					REGS(APIC_LVTT, APIC_TMCCT) | REGS(APIC_TDCR, APIC_TDCR);

int vlapic_rdmsr(struct vlapic *a, uint32_t msr, uint64_t *v)
{
	uint32_t index = msr - 0x800;

	if (msr == MSR_APIC_BASE) {
		*v = a->base_msr;
		return 0;
	}
	if (msr == MSR_TSC_DEADLINE) {
		*v = vlapic_tsc_deadline(a);
		return in_policy(a, C1_DEADLINE) ? 0 : -EINVAL;
	}
	if (!vlapic_x2apic(a) || index > 0x3f || !(x2apic_readable >> index & 1))
		return -EINVAL;
	*v = vlapic_read(a, index << 4);
	if (index << 4 == APIC_ICR)
		*v |= (uint64_t)vlapic_get(a, APIC_ICR2) << 32;
	return 0;
}

/* What may be written to a register by WRMSR; false: nothing. Other bits raise #GP. */
static bool x2apic_writable(const struct vlapic *a, unsigned int reg, uint64_t *bits)
{
	switch (reg) {
	case APIC_ICR:
		*bits = 0xffffffff00000000ULL | ICR_KNOWN;
		return true;
	case APIC_EOI:
	case APIC_ESR:
		*bits = 0;
		return true;
	case APIC_TPR:
	case APIC_SELF_IPI:
		*bits = 0xff;
		return true;
	case APIC_SPIV:
		*bits = 0x3ff;
		return true;
	case APIC_LVTT ... APIC_LVTERR:
		*bits = lvt_bits(a, reg);
		return true;
	case APIC_TMICT:
		*bits = 0xffffffff;
		return true;
	case APIC_TDCR:
		*bits = 0xb;
		return true;
	default:
		return false; /* LDR, DFR, ISR, IRR, ... are read-only or absent */
	}
}

int vlapic_wrmsr(struct vlapic *a, uint32_t msr, uint64_t v)
{
	unsigned int reg = (msr - 0x800) << 4;
	uint64_t bits;

	if (msr == MSR_APIC_BASE)
		return set_base(a, v);
	if (msr == MSR_TSC_DEADLINE) {
		if (!in_policy(a, C1_DEADLINE))
			return -EINVAL;
		vlapic_set_tsc_deadline(a, v);
		return 0;
	}
	if (!vlapic_x2apic(a) || !x2apic_writable(a, reg, &bits) || (v & ~bits))
		return -EINVAL;
	if (reg == APIC_ICR)
		vlapic_set(a, APIC_ICR2, (uint32_t)(v >> 32));
	vlapic_write(a, reg, (uint32_t)v);
	return 0;
}

/*
 * The page at 0xfee00000, for the accessing vCPU in xAPIC mode. SDM volume 3, 11.4.1: aligned 32-bit accesses; for
 * others this follows what processors do: reads give the part, writes of a part keep the rest.
 */
static bool absent(const struct vlapic *a)
{
	return !vlapic_hw_enabled(a) || vlapic_x2apic(a);
}

static enum io_result mmio_read(struct vcpu *v, void *opaque, uint64_t offset, unsigned int size,
				uint64_t *val)
{
	struct vlapic *a = v->hvm.vlapic;
	unsigned int sub = (unsigned int)offset & 15;

	(void)opaque;
	if (absent(a))
		return IO_PASS;
	if (!vlapic_has_register((unsigned int)offset & ~15U))
		vlapic_error(a, ESR_ILLEGAL_REGISTER);
	/* Bytes 4-15 of each register are reserved. */
	*val = sub < 4 ? (uint64_t)vlapic_read(a, (unsigned int)offset & ~15U) >> (sub * 8) : 0;
	if (size < 4)
		*val &= BIT(size * 8) - 1;
	return IO_DONE;
}

static enum io_result mmio_write(struct vcpu *v, void *opaque, uint64_t offset, unsigned int size,
				 uint64_t val)
{
	struct vlapic *a = v->hvm.vlapic;
	unsigned int reg = (unsigned int)offset & ~15U, sub = (unsigned int)offset & 15;
	uint32_t mask;

	(void)opaque;
	if (absent(a))
		return IO_PASS;
	if (!vlapic_has_register(reg))
		vlapic_error(a, ESR_ILLEGAL_REGISTER);
	if (sub >= 4)
		return IO_DONE;
	if (size < 4 || sub) {
		mask = (uint32_t)(size < 4 ? BIT(size * 8) - 1 : 0xffffffff) << (sub * 8);
		val = (vlapic_read(a, reg) & ~mask) | ((uint32_t)val << (sub * 8) & mask);
	}
	vlapic_write(a, reg, (uint32_t)val);
	return IO_DONE;
}

static const struct io_range vlapic_page = { IO_MEMORY, APIC_DEFAULT_BASE, PAGE_SIZE, mmio_read,
					     mmio_write };

/* dom0's APIC is in x2APIC mode for ever. */
static int mmio_init(struct domain *d)
{
	return d->is_dom0 ? 0 : io_register(d, &vlapic_page, NULL);
}

/*
 * Saved state: LAPIC (what is not a register) and LAPIC_REGS (the page's first KiB, in Intel's layout, with the
 * current count as it stands). xen/hvm/save.h.
 */
#define HW_DISABLED 1U
#define SW_DISABLED 2U
#define BASE_BITS   (APIC_DEFAULT_BASE | APIC_BASE_BSP | APIC_BASE_EXTD | APIC_BASE_EN)

static int lapic_save(const struct hvm_instance *at, void *buf)
{
	const struct vcpu *v = at->v;
	struct hvm_hw_lapic *r = buf;
	unsigned int code;

	code = vlapic_get(v->hvm.vlapic, APIC_TDCR);
	code = (code & 3) | (code >> 1 & 4);
	r->apic_base_msr = v->hvm.vlapic->base_msr;
	r->disabled = (vlapic_hw_enabled(v->hvm.vlapic) ? 0 : HW_DISABLED) |
		      (vlapic_sw_enabled(v->hvm.vlapic) ? 0 : SW_DISABLED);
	r->timer_divisor = code == 7 ? 1 : 2U << code;
	r->tdt_msr = vlapic_tsc_deadline(v->hvm.vlapic);
	return sizeof(struct hvm_hw_lapic);
}

static int lapic_load(const struct hvm_instance *at, const void *buf)
{
	struct vcpu *v = at->v;
	const struct hvm_hw_lapic *r = buf;
	struct vlapic *a;

	if ((r->apic_base_msr & ~BASE_BITS) || (r->apic_base_msr & PAGE_MASK) != APIC_DEFAULT_BASE)
		return -EINVAL;
	if ((r->apic_base_msr & APIC_BASE_EXTD) && !(r->apic_base_msr & APIC_BASE_EN))
		return -EINVAL;
	a = v->hvm.vlapic;
	WRITE_ONCE(a->base_msr, r->apic_base_msr);
	a->tsc_deadline = r->tdt_msr;
	vlapic_timer_restore(a);
	vcpu_wake(v, VCPU_ATT_IRQ); /* it may have slept in its state before */
	return 0;
}

static int regs_save(const struct hvm_instance *at, void *buf)
{
	const struct vcpu *v = at->v;
	struct hvm_hw_lapic_regs *r = buf;
	uint32_t count;

	memcpy(r->data, v->hvm.vlapic->regs, sizeof(r->data));
	count = vlapic_timer_count(v->hvm.vlapic);
	memcpy(r->data + APIC_TMCCT, &count, sizeof(count));
	return sizeof(struct hvm_hw_lapic_regs);
}

/* Vectors 0-15 cannot be requested or in service. */
static bool regs_ok(const struct hvm_hw_lapic_regs *r)
{
	uint32_t irr, isr;

	memcpy(&irr, r->data + APIC_IRR, sizeof(irr));
	memcpy(&isr, r->data + APIC_ISR, sizeof(isr));
	return !((irr | isr) & 0xffff);
}

static int regs_load(const struct hvm_instance *at, const void *buf)
{
	struct vcpu *v = at->v;
	const struct hvm_hw_lapic_regs *r = buf;
	struct vlapic *a;
	uint32_t version, word;

	if (!regs_ok(r))
		return -EINVAL;
	a = v->hvm.vlapic;
	version = vlapic_get(a, APIC_LVR);
	/* By words: a timer of the paused domain may look at one. */
	for (unsigned int i = 0; i < sizeof(r->data); i += sizeof(word)) {
		memcpy(&word, r->data + i, sizeof(word));
		vlapic_set(a, i, word);
	}
	word = vlapic_get(a, APIC_ID);
	word = vlapic_x2apic(a) ? word : word >> 24;
	WRITE_ONCE(v->hvm.numbered, v->id && word == v->id); /* 0 says nothing: it goes by vCPU 1 */
	vlapic_set(a, APIC_LVR, version); /* ours, with the number of entries that we have */
	vlapic_set(a, APIC_SPIV, vlapic_get(a, APIC_SPIV) & 0x3ff);
	vlapic_set(a, APIC_TDCR, vlapic_get(a, APIC_TDCR) & 0xb);
	WRITE_ONCE(a->irr_maybe, true);
	vlapic_timer_restore(a);
	hvm_set_state(v, HVM_TPR);
	vcpu_wake(v, VCPU_ATT_IRQ); /* it may have slept in its state before */
	return 0;
}

static void stop_timers(struct domain *d)
{
	struct vcpu *v;

	for_each_vcpu(d, v)
		vlapic_timer_stop(v->hvm.vlapic);
}

static const struct hvm_record records[] = {
	HVM_RECORD(LAPIC, SAVE_PER_VCPU, sizeof(struct hvm_hw_lapic), lapic_save, lapic_load),
	HVM_RECORD(LAPIC_REGS, SAVE_PER_VCPU, sizeof(struct hvm_hw_lapic_regs), regs_save,
		   regs_load),
};

const struct hvm_unit vlapic_unit = {
	.name = "local APICs",
	.needs = UNIT_ANY,
	.init = mmio_init,
	.stop = stop_timers,
	UNIT_SAVES(records),
};
