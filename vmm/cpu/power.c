/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reset and power of the machine. Reset tries the ACPI reset register (ACPI 4.8.3.6), the chip
 * set's port 0xcf9, the keyboard controller, and at last a triple fault.
 */
#include "log.h"
#include "debug.h"
#include "vmm/cpu/cpu.h"

#define PM1_SLP_EN BIT(13)

static void wait_ms(unsigned int ms)
{
	uint64_t start = rdtsc();

	while (rdtsc() - start < tsc_khz * ms)
		cpu_relax();
}

static void acpi_reset(void)
{
	volatile uint8_t *reg;

	if (acpi_facts.reset_type == 1) {
		outb((uint16_t)acpi_facts.reset_addr, acpi_facts.reset_value);
	} else if (acpi_facts.reset_type == 0) {
		reg = ioremap(_maddr(acpi_facts.reset_addr), 1);
		if (reg)
			*reg = acpi_facts.reset_value;
	}
	wait_ms(50);
}

static void keyboard_reset(void)
{
	for (unsigned int i = 0; i < 1000 && (inb(0x64) & 2); i++)
		cpu_relax();
	outb(0x64, 0xfe);
	wait_ms(50);
}

static void triple_fault(void)
{
	static const struct {
		uint16_t limit;
		uint64_t base;
	} __packed nothing = { 0, 0 };

	__asm__ volatile("lidt %0; int3" ::"m"(nothing));
}

void machine_restart(void)
{
	log_flush();
	if (acpi_facts.have_fadt)
		acpi_reset();
	outb(0xcf9, 0x02);
	outb(0xcf9, 0x06);
	wait_ms(50);
	keyboard_reset();
	triple_fault();
	machine_halt();
}

int machine_acpi_sleep(uint16_t pm1a_cnt, uint16_t pm1b_cnt)
{
	if (!acpi_facts.pm1a_cnt)
		return -ENODEV;
	log_flush();
	outw(acpi_facts.pm1a_cnt, pm1a_cnt | PM1_SLP_EN);
	if (acpi_facts.pm1b_cnt)
		outw(acpi_facts.pm1b_cnt, pm1b_cnt | PM1_SLP_EN);
	wait_ms(1000);
	return -EIO;
}

/* Without the _S5 values of the DSDT, which only dom0 can evaluate: stop and say so. */
void machine_poweroff(void)
{
	printk("The machine may be switched off now.\n");
	log_flush();
	machine_halt();
}
