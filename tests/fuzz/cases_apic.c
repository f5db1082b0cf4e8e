/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Errors of the local APIC: the status register, and the interrupt that tells of it (SDM volume 3, 11.5.3). */
#include "cases.h"
#include "hvm_ops.h"
#include "vmm/hvm/internal.h"
#include "vmm/hvm/hvm.h"
#include "policy.h"
#include "save.h"
#include "vlapic.h"
#include "vmm/hvm/pc_private.h"

#define V_ERROR	 0xfeU
#define MASKED	 0x10000U
#define TO_SELF	 0x40000U
#define TO_ALL	 0x80000U
#define TO_OTHER 0xc0000U
#define LOWEST	 0x100U
#define FIXED	 0U

static struct vlapic *apic(unsigned int vcpu)
{
	return domain_vcpu(dom(DOMID_A), vcpu)->hvm.vlapic;
}

static void start(uint32_t lvterr)
{
	for (unsigned int i = 0; i < 2; i++) {
		vlapic_write(apic(i), APIC_SPIV, 0x1ff);
		vlapic_write(apic(i), APIC_LVTERR, lvterr);
	}
}

/* Errors since the last time. Until it is written the register has the value of the write before. */
static uint32_t errors(unsigned int vcpu)
{
	uint32_t before = vlapic_read(apic(vcpu), APIC_ESR);

	EXPECT(vlapic_read(apic(vcpu), APIC_ESR), == before);
	vlapic_write(apic(vcpu), APIC_ESR, 0);
	return vlapic_read(apic(vcpu), APIC_ESR);
}

/* Has the error interrupt been requested? It is not any more then. */
static bool told(unsigned int vcpu)
{
	bool yes = vlapic_highest(apic(vcpu), APIC_IRR) == (int)V_ERROR;

	if (yes) {
		vlapic_ack(apic(vcpu), V_ERROR);
		vlapic_write(apic(vcpu), APIC_EOI, 0);
	}
	EXPECT(vlapic_highest(apic(vcpu), APIC_IRR), == -1);
	return yes;
}

CASE(apic_illegal_vector_to_itself)
{
	start(V_ERROR);
	for (uint32_t vector = 0; vector < 16; vector++) {
		vlapic_write(apic(0), APIC_ICR, TO_SELF | vector);
		EXPECT(vlapic_read(apic(0), APIC_ESR), == (vector ? 0x60 : 0));
		EXPECT(told(0), == true);
		EXPECT(errors(0), == 0x60);
		EXPECT(told(1), == false);
		EXPECT(errors(1), == 0);
	}
	EXPECT(errors(0), == 0);
	vlapic_write(apic(0), APIC_ICR, TO_SELF | 16);
	EXPECT(vlapic_highest(apic(0), APIC_IRR), == 16);
	EXPECT(errors(0), == 0);
}

CASE(apic_illegal_vector_to_others)
{
	start(V_ERROR);
	vlapic_write(apic(0), APIC_ICR, TO_OTHER | FIXED | 3);
	EXPECT(errors(0), == 0x20);
	EXPECT(errors(1), == 0x40);
	EXPECT(told(0), == true);
	EXPECT(told(1), == true);
	vlapic_write(apic(0), APIC_ICR, TO_ALL | 15);
	EXPECT(errors(0), == 0x60);
	EXPECT(errors(1), == 0x40);
	told(0);
	told(1);
	vlapic_write(apic(0), APIC_ICR2, 2U << 24);
	vlapic_write(apic(0), APIC_ICR, LOWEST | 1);
	EXPECT(errors(0), == 0x20);
	EXPECT(errors(1), == 0x40);
	told(0);
	told(1);
	/* NMI, INIT and start-up messages have no vector in this sense. */
	vlapic_write(apic(0), APIC_ICR, 0x400);
	EXPECT(errors(0) | errors(1), == 0);
}

CASE(apic_error_interrupt)
{
	start(V_ERROR | MASKED);
	vlapic_write(apic(0), APIC_ICR, TO_SELF | 1);
	EXPECT(told(0), == false);
	vlapic_write(apic(0), APIC_LVTERR, V_ERROR);
	EXPECT(told(0), == false);
	/* What waits in the status already raises nothing. */
	vlapic_write(apic(0), APIC_ICR, TO_SELF | 1);
	EXPECT(told(0), == false);
	EXPECT(errors(0), == 0x60);
	vlapic_write(apic(0), APIC_ICR, TO_SELF | 1);
	EXPECT(told(0), == true);
	EXPECT(errors(0), == 0x60);
	/* An entry whose own vector is illegal. */
	vlapic_write(apic(0), APIC_LVTERR, 2);
	vlapic_write(apic(0), APIC_ICR, TO_OTHER | 1);
	EXPECT(told(0), == false);
	EXPECT(errors(0), == 0x60);
	/* Disabled by software it masks its entries, and takes no message. */
	vlapic_write(apic(1), APIC_SPIV, 0xff);
	EXPECT(errors(1), == 0x40);
	vlapic_write(apic(0), APIC_ICR, TO_OTHER | 1);
	EXPECT(errors(1), == 0);
}

CASE(apic_timer_with_illegal_vector)
{
	start(V_ERROR);
	vlapic_write(apic(0), APIC_TDCR, 0xb);
	vlapic_write(apic(0), APIC_LVTT, 7);
	vlapic_write(apic(0), APIC_TMICT, 1000);
	machine_pass(NS_PER_MS);
	EXPECT(errors(0), == 0x40);
	EXPECT(told(0), == true);
}

/* Messages of the IO-APIC and MSIs. */
CASE(apic_messages_with_illegal_vector)
{
	struct vcpu *v = domain_vcpu(dom(DOMID_B), 0);
	struct vlapic *a = v->hvm.vlapic;

	vlapic_write(a, APIC_SPIV, 0x1ff);
	vlapic_write(a, APIC_LVTERR, V_ERROR);
	EXPECT(hvm_inject_msi(v->domain, 0xfee00000, 0x0005), == 0);
	vlapic_write(a, APIC_ESR, 0);
	EXPECT(vlapic_read(a, APIC_ESR), == 0x40);
	EXPECT(vlapic_highest(a, APIC_IRR), == (long)V_ERROR);
	/* By the bus: fixed delivery of vector 8, as an entry of the IO-APIC sends it. */
	vlapic_deliver(v->domain, NULL, 0, false, false, 0, 8, false, 0);
	vlapic_write(a, APIC_ESR, 0);
	EXPECT(vlapic_read(a, APIC_ESR), == 0x40);
}

static void mmio(struct vcpu *v, uint64_t offset, bool write)
{
	uint64_t value = 0;

	EXPECT(io_access_one(v, IOREQ_TYPE_COPY, APIC_DEFAULT_BASE + offset, 4, write, &value),
	       == IO_DONE);
}

CASE(apic_illegal_register)
{
	static const unsigned int there[] = { 0x20,  0x30,  0x80,  0x90,  0xa0,	 0xb0,
					      0xc0,  0xd0,  0xe0,  0xf0,  0x100, 0x170,
					      0x180, 0x1f0, 0x200, 0x270, 0x280, 0x310,
					      0x320, 0x340, 0x370, 0x380, 0x390, 0x3e0 };
	static const unsigned int reserved[] = { 0,	0x10,  0x40,  0x70,  0x290, 0x2f0,
						 0x3a0, 0x3d0, 0x3f0, 0x400, 0xff0 };
	struct vcpu *v = domain_vcpu(dom(DOMID_A), 0);

	start(V_ERROR);
	for (unsigned int i = 0; i < ARRAY_SIZE(there); i++)
		mmio(v, there[i], false);
	EXPECT(errors(0), == 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(reserved); i++) {
		mmio(v, reserved[i], false);
		EXPECT(errors(0), == 0x80);
		EXPECT(told(0), == true);
		mmio(v, reserved[i], true);
		EXPECT(errors(0), == 0x80);
		EXPECT(told(0), == true);
	}
}

static int wr(uint32_t msr, uint64_t value)
{
	return vlapic_wrmsr(apic(0), msr, value);
}

static int rd(uint32_t msr)
{
	uint64_t value;

	return vlapic_rdmsr(apic(0), msr, &value);
}

CASE(apic_errors_in_x2apic_mode)
{
	static const uint32_t gone[] = { 0x800, 0x801, 0x804, 0x807, 0x809, 0x80b, 0x80c, 0x80e,
					 0x829, 0x82f, 0x831, 0x83a, 0x83d, 0x83f, 0x840, 0x8ff };

	start(V_ERROR);
	EXPECT(wr(0x1b, 0xfee00000 | 0xc00 | 0x100), == 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(gone); i++)
		EXPECT(rd(gone[i]), == -EINVAL);
	EXPECT(rd(0x803) | rd(0x808) | rd(0x80a) | rd(0x827) | rd(0x828) | rd(0x837) | rd(0x83e),
	       == 0);
	/* No error is noted for those: the access has raised #GP. */
	EXPECT(wr(0x828, 1), == -EINVAL);
	EXPECT(wr(0x828, 0), == 0);
	EXPECT(vlapic_read(apic(0), APIC_ESR), == 0);
	EXPECT(wr(0x83f, 5), == 0);
	EXPECT(wr(0x828, 0), == 0);
	EXPECT(vlapic_read(apic(0), APIC_ESR), == 0x60);
	EXPECT(told(0), == true);
	EXPECT(wr(0x830, TO_SELF | 9), == 0);
	EXPECT(wr(0x828, 0), == 0);
	EXPECT(vlapic_read(apic(0), APIC_ESR), == 0x60);
	told(0);
	/* Reserved bits. */
	EXPECT(wr(0x808, 0x100), == -EINVAL);
	EXPECT(wr(0x80f, 0x1000), == -EINVAL);
	EXPECT(wr(0x830, 1 << 20), == -EINVAL);
	EXPECT(wr(0x830, 1 << 13), == -EINVAL);
	EXPECT(wr(0x832, 1 << 8), == -EINVAL);
	EXPECT(wr(0x837, 1 << 8), == -EINVAL);
	EXPECT(wr(0x838, 1ULL << 32), == -EINVAL);
	EXPECT(wr(0x83e, 4), == -EINVAL);
	EXPECT(wr(0x83f, 0x100), == -EINVAL);
	EXPECT(wr(0x808, 0xff) | wr(0x80f, 0x1ff) | wr(0x832, 0x31 | 1 << 17) | wr(0x837, 0x10031) |
		       wr(0x838, 0) | wr(0x83e, 0xb),
	       == 0);
}

/* Are the vCPUs' IDs their numbers? vCPU 1 has another one if not. */
static bool are_numbered(const struct domain *d)
{
	uint32_t one[4];

	hvm_cpuid(domain_vcpu(d, 1), 1, 0, one);
	return one[1] >> 24 == 1;
}

static uint32_t cpuid_id(struct vcpu *v)
{
	uint32_t one[4], topology[4];

	hvm_cpuid(v, 1, 0, one);
	hvm_cpuid(v, 0xb, 0, topology);
	if (topology[1]) { /* this processor has the leaf */
		EXPECT(topology[3], == one[1] >> 24);
		/* The leaf's levels are the machine's: the same on all vCPUs. */
		EXPECT(topology[0], == (are_numbered(v->domain) ? 0 : 1));
	}
	return one[1] >> 24;
}

/* The loader writes a vCPU's number into the ID register: CPUID says the same, after INIT and after a restore too. */
CASE(apic_id_goes_with_cpuid_and_the_record)
{
	struct domain *d = dom(DOMID_A);
	struct vcpu *v = domain_vcpu(d, 1);
	size_t len = (size_t)hvm_save_size(d);
	uint8_t *record = xzalloc_bytes(len);
	bool pvh = d->is_pvh;

	EXPECT(cpuid_id(v), == 2);
	d->is_pvh = false;
	vlapic_write(apic(1), APIC_ID, 1U << 24);
	d->is_pvh = pvh;
	EXPECT(cpuid_id(v), == 1);
	EXPECT(vlapic_match_dest(apic(1), 1, false, false), == true);
	EXPECT(vlapic_match_dest(apic(1), 2, false, false), == false);
	vlapic_reset(apic(1));
	EXPECT(cpuid_id(v), == 1);
	domain_pause(d);
	EXPECT(hvm_save(d, record, &len), == 0);
	WRITE_ONCE(v->hvm.numbered, false);
	vlapic_reset(apic(1));
	EXPECT(cpuid_id(v), == 2);
	EXPECT(hvm_load(d, record, len), == 0);
	EXPECT(cpuid_id(v), == 1);
	domain_unpause(d);
	xfree(record);
}

/* An image of a guest whose IDs are twice the numbers: vCPU 0's is 0 there, too, and that makes it no other. */
CASE(apic_id_of_the_first_says_nothing)
{
	struct domain *d = dom(DOMID_A);
	size_t len = (size_t)hvm_save_size(d);
	uint8_t *record = xzalloc_bytes(len);
	bool pvh = d->is_pvh;

	domain_pause(d);
	EXPECT(hvm_save(d, record, &len), == 0);
	EXPECT(hvm_load(d, record, len), == 0);
	EXPECT(cpuid_id(domain_vcpu(d, 0)), == 0);
	EXPECT(cpuid_id(domain_vcpu(d, 1)), == 2);
	/* Nor does a loader that writes 0 there. */
	d->is_pvh = false;
	vlapic_write(apic(0), APIC_ID, 0);
	EXPECT(cpuid_id(domain_vcpu(d, 0)), == 0);
	vlapic_write(apic(1), APIC_ID, 1U << 24);
	d->is_pvh = pvh;
	EXPECT(cpuid_id(domain_vcpu(d, 0)), == 0);
	EXPECT(cpuid_id(domain_vcpu(d, 1)), == 1);
	domain_unpause(d);
	xfree(record);
}
