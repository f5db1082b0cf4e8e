/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The physical local APIC, in xAPIC mode unless firmware already switched to x2APIC or the option
 * `x2apic` asks for it (without interrupt remapping there is nothing to gain). SDM 3, chapter 11.
 */
#include "lib/x86_apic.h"
#include "vmm/cpu/cpu.h"

#define LVT_MASKED	  BIT(16)
#define LVT_TSC_DEADLINE  (2U << 17)
#define LVT_DELIVERY_SMI  (2U << 8)
#define LVT_DELIVERY_MASK (7U << 8)
#define SPIV_ENABLE	  BIT(8)
#define ICR_BUSY	  BIT(12)
#define ICR_ASSERT	  BIT(14)

static volatile uint32_t *regs; /* NULL in x2APIC mode */
static bool want_x2apic;
static bool use_deadline;
static uint32_t timer_mult; /* LAPIC timer ticks per ns, 32-bit fraction */
static uint64_t armed[MAX_CPUS];

static int parse_x2apic(const char *value)
{
	return parse_bool(value, &want_x2apic);
}
BOOT_OPTION(x2apic, "x2apic", parse_x2apic, "use x2APIC mode where the CPU has it");

uint32_t lapic_read(unsigned int reg)
{
	return regs ? regs[reg / 4] : (uint32_t)rdmsr(MSR_X2APIC(reg));
}

void lapic_write(unsigned int reg, uint32_t v)
{
	if (regs)
		regs[reg / 4] = v;
	else
		wrmsr(MSR_X2APIC(reg), v);
}

uint32_t lapic_id(void)
{
	uint32_t id = lapic_read(APIC_ID);

	return regs ? id >> 24 : id;
}

void lapic_eoi(void)
{
	lapic_write(APIC_EOI, 0);
}

static uint32_t bitmap_word(unsigned int base, unsigned int word)
{
	return lapic_read(base + word * 16);
}

bool lapic_is_level(uint8_t vector)
{
	uint32_t bit = 1U << (vector % 32);

	return (bitmap_word(APIC_TMR, vector / 32) & bit) &&
	       (bitmap_word(APIC_ISR, vector / 32) & bit);
}

void lapic_read_irr(uint32_t irr[8])
{
	for (unsigned int i = 0; i < 8; i++)
		irr[i] = bitmap_word(APIC_IRR, i);
}

void lapic_send_icr(uint32_t apic_id, uint32_t icr_low)
{
	if (!regs) {
		/* the MSR write is not serialising: earlier stores must be visible to the target */
		__asm__ volatile("mfence; lfence" ::: "memory");
		wrmsr(MSR_X2APIC(APIC_ICR), ((uint64_t)apic_id << 32) | icr_low | ICR_ASSERT);
		return;
	}
	while (regs[APIC_ICR / 4] & ICR_BUSY)
		cpu_relax();
	regs[APIC_ICR2 / 4] = apic_id << 24;
	regs[APIC_ICR / 4] = icr_low | ICR_ASSERT;
}

void lapic_send_ipi(uint32_t apic_id, uint8_t vector)
{
	lapic_send_icr(apic_id, vector);
}

/* Firmware's SMI entries (thermal) stay; all else is ours to mask. */
static void mask_lvt(unsigned int reg)
{
	uint32_t v = lapic_read(reg);

	if ((v & LVT_DELIVERY_MASK) != LVT_DELIVERY_SMI)
		lapic_write(reg, LVT_MASKED);
}

static void drop_stale_interrupts(void)
{
	/* In service from before the hand-over: each EOI ends one. */
	for (unsigned int i = 0; i < 256; i++) {
		uint32_t any = 0;

		for (unsigned int w = 0; w < 8; w++)
			any |= bitmap_word(APIC_ISR, w);
		if (!any)
			return;
		lapic_eoi();
	}
}

void lapic_init_cpu(void)
{
	uint64_t base = rdmsr(MSR_APIC_BASE) | APIC_BASE_EN;
	unsigned int max_lvt;

	wrmsr(MSR_APIC_BASE, base);
	if (!regs && !(base & APIC_BASE_EXTD))
		wrmsr(MSR_APIC_BASE, base | APIC_BASE_EXTD);
	max_lvt = (lapic_read(APIC_LVR) >> 16) & 0xff;
	if (regs) {
		lapic_write(APIC_DFR, ~0U);
		lapic_write(APIC_LDR, 0);
	}
	lapic_write(APIC_LVTT, LVT_MASKED);
	lapic_write(APIC_LVT0, LVT_MASKED);
	lapic_write(APIC_LVT1, LVT_MASKED);
	if (max_lvt >= 4)
		mask_lvt(APIC_LVTPC);
	if (max_lvt >= 5)
		mask_lvt(APIC_LVTTHMR);
	lapic_write(APIC_TPR, 0);
	lapic_write(APIC_SPIV, SPIV_ENABLE | VMM_VECTOR_SPURIOUS);
	drop_stale_interrupts();
	lapic_write(APIC_LVTERR, VMM_VECTOR_ERROR);
	lapic_write(APIC_ESR, 0);
	if (use_deadline) {
		lapic_write(APIC_LVTT, VMM_VECTOR_TIMER | LVT_TSC_DEADLINE);
		/* LVT write (MMIO) before the MSR: SDM 3, 11.5.4.1 */
		__asm__ volatile("mfence" ::: "memory");
		wrmsr(MSR_TSC_DEADLINE, 0);
	} else {
		lapic_write(APIC_TDCR, 0xb); /* divide by 1 */
		lapic_write(APIC_LVTT, VMM_VECTOR_TIMER);
	}
	armed[cpu_id()] = ~0ULL;
}

static bool bsp_in_x2apic(void)
{
	return host_cpu.x2apic && (rdmsr(MSR_APIC_BASE) & APIC_BASE_EXTD);
}

/* Count the timer against the TSC. */
static void calibrate_timer(void)
{
	uint64_t start, end, ticks;

	lapic_write(APIC_TDCR, 0xb);
	lapic_write(APIC_LVTT, LVT_MASKED);
	start = rdtsc();
	lapic_write(APIC_TMICT, ~0U);
	while (rdtsc() - start < ns_to_tsc(20 * NS_PER_MS))
		cpu_relax();
	ticks = ~0U - lapic_read(APIC_TMCCT);
	end = rdtsc();
	lapic_write(APIC_TMICT, 0);
	timer_mult = (uint32_t)min((ticks << 32) / tsc_to_ns(end - start), (uint64_t)~0U);
	if (!timer_mult)
		panic("The local APIC timer does not count");
}

void lapic_init(void)
{
	bool x2 = bsp_in_x2apic() || (want_x2apic && host_cpu.x2apic);

	if (want_x2apic && !host_cpu.x2apic)
		printk(LOG_WARN "x2apic: this CPU has no x2APIC mode\n");
	if (!x2)
		regs = ioremap(_maddr(rdmsr(MSR_APIC_BASE) & 0xffffffffff000ULL), PAGE_SIZE);
	if (x2)
		wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_EN | APIC_BASE_EXTD);
	use_deadline = host_cpu.tsc_deadline;
	if (!use_deadline)
		calibrate_timer();
	printk(LOG_INFO "Local APIC: %s mode, timer by %s\n", x2 ? "x2APIC" : "xAPIC",
	       use_deadline ? "TSC deadline" : "countdown");
}

static void set_countdown(uint64_t expires_ns)
{
	uint64_t now = now_ns(), ticks;
	uint64_t delta = expires_ns > now ? min(expires_ns - now, 10 * NS_PER_SEC) : 0;

	/* Longer than the counter reaches: it fires early and is armed again. */
	ticks = min(mul_shift32(delta, timer_mult), (uint64_t)~0U);
	lapic_write(APIC_TMICT, (uint32_t)max(ticks, (uint64_t)1));
}

void lapic_timer_set(uint64_t expires_ns)
{
	uint64_t *a = &armed[cpu_id()];

	if (*a == expires_ns)
		return;
	*a = expires_ns;
	if (use_deadline)
		wrmsr(MSR_TSC_DEADLINE, expires_ns == ~0ULL ? 0 : tsc_at_ns(expires_ns));
	else if (expires_ns == ~0ULL)
		lapic_write(APIC_TMICT, 0);
	else
		set_countdown(expires_ns);
}

void lapic_timer_fired(void)
{
	armed[cpu_id()] = ~0ULL;
}
