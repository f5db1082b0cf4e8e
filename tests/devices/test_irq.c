// SPDX-License-Identifier: GPL-2.0-or-later
/* PIC, IO-APIC, wires; and their saved state. */
#include "devices.h"
#include "vlapic.h"
#include "vmm/hvm/internal.h"

static void pic_init(void)
{
	static const uint8_t base[2] = { 0x20, 0xa0 };

	for (unsigned int i = 0; i < 2; i++) {
		board_out(base[i], 1, 0x11);
		board_out(base[i] + 1, 1, i ? 0x28 : 0x20);
		board_out(base[i] + 1, 1, i ? 2 : 4);
		board_out(base[i] + 1, 1, 1);
		board_out(base[i] + 1, 1, 0);
	}
}

void test_pic(void)
{
	board_reset();
	pic_init();
	CHECK(!vpic_output(&board));
	hvm_isa_irq_set(&board, 4, true);
	hvm_isa_irq_set(&board, 12, true);
	hvm_isa_irq_set(&board, 8, true);
	CHECK(vpic_output(&board));
	CHECK_EQ((unsigned int)vpic_ack(&board), 0x28); /* slave's lines are above 3-7 */
	CHECK(!vpic_output(&board));
	board_out(0xa0, 1, 0x20);
	CHECK(!vpic_output(&board)); /* master still serves the cascade */
	board_out(0x20, 1, 0x20);
	CHECK_EQ((unsigned int)vpic_ack(&board), 0x2c);
	board_out(0xa0, 1, 0x20), board_out(0x20, 1, 0x20);
	CHECK_EQ((unsigned int)vpic_ack(&board), 0x24);
	/* Edge: the line is still high, but nothing is asked. */
	board_out(0x20, 1, 0x20);
	CHECK(!vpic_output(&board));
	/* A request that vanishes on the slave is its spurious vector. */
	hvm_isa_irq_set(&board, 8, false);
	hvm_isa_irq_set(&board, 8, true);
	CHECK(vpic_output(&board));
	hvm_isa_irq_set(&board, 8, false);
	CHECK(!vpic_output(&board));
	/* Level: asks again after the EOI. */
	board_out(0x4d0, 1, 0xff);
	CHECK_EQ(board_in(0x4d0, 1), 0xf8);
	hvm_isa_irq_set(&board, 5, true);
	CHECK_EQ((unsigned int)vpic_ack(&board), 0x25);
	board_out(0x20, 1, 0x65);
	CHECK_EQ((unsigned int)vpic_ack(&board), 0x25);
	hvm_isa_irq_set(&board, 5, false);
	board_out(0x20, 1, 0x20);
	CHECK(!vpic_output(&board));
	/* The master begins anew while the slave asks: the cascade is still seen afterwards. */
	hvm_isa_irq_set(&board, 9, true);
	board_out(0x20, 1, 0x11);
	CHECK(!vpic_output(&board));
	board_out(0x21, 1, 0x20), board_out(0x21, 1, 4), board_out(0x21, 1, 1),
		board_out(0x21, 1, 0);
	CHECK_EQ((unsigned int)vpic_ack(&board), 0x29);
	CHECK_EQ((unsigned int)vpic_ack(&board), (unsigned int)-1);
}

static void redir(unsigned int pin, uint32_t low, uint32_t high)
{
	board_write(0xfec00000, 4, 0x11 + 2 * pin);
	board_write(0xfec00010, 4, high);
	board_write(0xfec00000, 4, 0x10 + 2 * pin);
	board_write(0xfec00010, 4, low);
}

void test_ioapic(void)
{
	board_reset();
	board_write(0xfec00000, 4, 1);
	CHECK_EQ(board_read(0xfec00010, 4), 0x2f0011);
	redir(4, 0x30, 0);
	hvm_isa_irq_set(&board, 4, true);
	CHECK_EQ(board_vectors[0x30], 1);
	redir(5, 0x1a031 & ~0x10000U, 0); /* level */
	hvm_isa_irq_set(&board, 5, true);
	CHECK_EQ(board_vectors[0x31], 1);
	CHECK_EQ(board_read(0xfec00010, 4) & 0x4000, 0x4000);
	vioapic_eoi(&board, 0x31);
	CHECK_EQ(board_vectors[0x31], 2);
	hvm_isa_irq_set(&board, 5, false);
	vioapic_eoi(&board, 0x31);
	CHECK_EQ(board_vectors[0x31], 2);
	CHECK_EQ(board_read(0xfec00010, 4) & 0x4000, 0);
	/* Two PCI pins share link 1 and an ISA line; level holds until both are gone. */
	CHECK(!hvm_pci_link_set(&board, 1, 10));
	redir(10, 0x8040, 0);
	hvm_pci_intx_set(&board, 1, 0, true);
	hvm_pci_intx_set(&board, 5, 0, true);
	hvm_pci_intx_set(&board, 1, 0, false);
	vioapic_eoi(&board, 0x40);
	CHECK_EQ(board_vectors[0x40], 2);
	hvm_pci_intx_set(&board, 5, 0, false);
	vioapic_eoi(&board, 0x40);
	CHECK_EQ(board_vectors[0x40], 2);
	/* The event callback by pin follows the pending flag. */
	redir(16 + 12, 0x8041, 0); /* device 3, pin A */
	CHECK(!hvm_set_callback_irq(&board, 1ULL << 56 | 3 << 11));
	board_cpu.info->evtchn_upcall_pending = 1;
	hvm_callback_update(&board);
	CHECK_EQ(board_vectors[0x41], 1);
	board_cpu.info->evtchn_upcall_pending = 0;
	vioapic_eoi(&board, 0x41);
	CHECK_EQ(board_vectors[0x41], 1);
	CHECK_EQ(board.hvm.irq->gsi_count[28], 0);
	CHECK(hvm_inject_msi(&board, 0xfee00000, 0x50) == 0 && board_vectors[0x50] == 1);
	/* An illegal vector is for the APICs to complain of; SMIs are not sent by devices. */
	CHECK(hvm_inject_msi(&board, 0xfee00000, 0x05) == 0 && board_vectors[5] == 1);
	CHECK(hvm_inject_msi(&board, 0xfee00000, 0x250) == -EINVAL);
}

/*
 * Whatever was saved comes back the same, and every single-byte corruption is refused or harmless.
 */
static void round_trip(unsigned int type, unsigned int instance)
{
	static uint8_t before[4096], after[4096], bent[4096];
	uint32_t len, len2;

	CHECK(!board_save(type, instance, before, &len));
	CHECK(!board_load(type, instance, before, len));
	CHECK(!board_save(type, instance, after, &len2));
	CHECK_EQ(len, len2);
	CHECK(!memcmp(before, after, len));
	for (uint32_t i = 0; i < len; i++) {
		memcpy(bent, before, len);
		bent[i] ^= 0xff;
		(void)board_load(type, instance, bent, len);
		for (unsigned int ch = 0; ch < 3; ch++)
			(void)board_in((uint16_t)(0x40 + ch), 1);
		board_out(0x20, 1, 0x20);
		board_step(1000000);
	}
	CHECK(!board_load(type, instance, before, len));
}

void test_save(void)
{
	board_reset();
	pic_init();
	redir(5, 0x8031, 0);
	hvm_isa_irq_set(&board, 5, true);
	hvm_pci_intx_set(&board, 3, 2, true);
	board_out(0x43, 1, 0x34);
	board_out(0x40, 1, 0x34);
	board_out(0x40, 1, 0x12);
	board_write(0xfed00010, 4, 1);
	for (unsigned int i = 0; i < 2; i++)
		round_trip(HVM_SAVE_CODE(PIC), i);
	round_trip(HVM_SAVE_CODE(IOAPIC), 0);
	round_trip(HVM_SAVE_CODE(PCI_IRQ), 0);
	round_trip(HVM_SAVE_CODE(ISA_IRQ), 0);
	round_trip(HVM_SAVE_CODE(PCI_LINK), 0);
	round_trip(HVM_SAVE_CODE(PIT), 0);
	round_trip(HVM_SAVE_CODE(RTC), 0);
	round_trip(HVM_SAVE_CODE(HPET), 0);
	round_trip(HVM_SAVE_CODE(PMTIMER), 0);
	CHECK_EQ(board.hvm.irq->gsi_count[5], 1);
	hvm_isa_irq_set(&board, 5, false);
	CHECK_EQ(board.hvm.irq->gsi_count[5], 0);
}

/* The ID register takes the vCPU's number and twice that, and nothing else; INIT leaves it. */
void test_lapic_id(void)
{
	struct vlapic *a;

	board_reset();
	a = board_cpu.hvm.vlapic;
	board_cpu.id = 3;
	vlapic_reset(a);
	CHECK_EQ(vlapic_read(a, APIC_ID), 6U << 24);
	for (unsigned int id = 0; id < 256; id++) {
		vlapic_write(a, APIC_ID, id << 24);
		CHECK_EQ(vlapic_read(a, APIC_ID), (id < 3 || id == 6 ? 6U : 3U) << 24);
		vlapic_write(a, APIC_ID, (id < 3 ? 6U : 3U) << 24);
	}
	vlapic_reset(a);
	CHECK_EQ(vlapic_read(a, APIC_ID), 3U << 24);
	/* In x2APIC mode it is read-only, and the logical ID follows it. */
	CHECK(!vlapic_wrmsr(a, MSR_APIC_BASE, a->base_msr | APIC_BASE_EXTD));
	CHECK_EQ(vlapic_read(a, APIC_ID), 3);
	CHECK_EQ(vlapic_read(a, APIC_LDR), 1U << 3);
	vlapic_write(a, APIC_ID, 6U << 24);
	CHECK_EQ(vlapic_read(a, APIC_ID), 3);
	/* Not those of guests that no loader prepares. */
	board_reset();
	board_cpu.id = 3;
	board.is_pvh = true;
	vlapic_reset(board_cpu.hvm.vlapic);
	vlapic_write(board_cpu.hvm.vlapic, APIC_ID, 3U << 24);
	CHECK_EQ(vlapic_read(board_cpu.hvm.vlapic, APIC_ID), 6U << 24);
}
