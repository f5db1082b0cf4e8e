/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stands below the code under test: a CPU vendor that never enters a guest, CPUs, no devices. */
#include "machine.h"
#include "boot.h"
#include "vmm/console/internal.h"
#include "debug.h"
#include "dom0.h"
#include "ext_irq.h"
#include "hvm_ops.h"
#include "timer.h"
#include "work.h"

extern const struct p2m_format svm_npt_format;

struct boot_info boot_info;
struct host_cpu host_cpu = {
	.vendor = "AuthenticAMD", .phys_bits = 40, .xsave_size = 576, .nx = true, .e1_edx = BIT(26)
};
struct e820_map host_e820 = { .nr = 1,
			      .e = { { 0, (uint64_t)RAM_PAGES << PAGE_SHIFT, E820_RAM, 0 } } };
struct cpu fake_cpus[FAKE_CPUS];
__thread struct cpu *fake_this_cpu = &fake_cpus[0];
void (*fake_guest)(struct vcpu *v);
uint64_t tsc_khz = 1000000;
uint64_t wallclock_sec_at_boot = 1700000000;
uint64_t fake_now_ns = 1;
bool trace_on;
char dom0_reported_cmdline[] = "dom0_mem=4M";
char _image_start[1], _image_end[1];
const struct hvm_ops *hvm_ops = &fake_hvm_ops;

/* --- the vendor's half --- */

struct fake_vcpu {
	struct x86_segment seg[X86_SEG_COUNT];
	struct hvm_msr_state msr;
	uint64_t shadow;
};

static int fake_domain_init(struct domain *d)
{
	(void)d;
	return 0;
}
static void fake_domain(struct domain *d)
{
	(void)d;
}
static int fake_vcpu_init(struct vcpu *v)
{
	struct fake_vcpu *f = xzalloc(struct fake_vcpu);

	v->vendor = f;
	if (f) {
		v->hvm.seg = f->seg;
		v->hvm.shadow = &f->shadow;
	}
	return f ? 0 : -ENOMEM;
}
static void fake_vcpu_fini(struct vcpu *v)
{
	xfree(v->vendor);
	v->vendor = NULL;
}
static void fake_vcpu(struct vcpu *v)
{
	(void)v;
}
/* One entry: there is other work at once, or the vCPU would go on. */
static void fake_run(struct vcpu *v)
{
	if (fake_guest)
		fake_guest(v);
	this_cpu_raise(SOFTIRQ_CALL);
}
static void fake_get_state(struct vcpu *v, uint32_t mask)
{
	const struct fake_vcpu *f = v->vendor;

	if (mask & HVM_CPL)
		v->hvm.cpl = X86_ATTR_DPL(f->seg[X86_SEG_SS].attr);
	if (mask & HVM_MSRS)
		v->hvm.msr = f->msr;
}
static void fake_set_state(struct vcpu *v, uint32_t mask)
{
	struct fake_vcpu *f = v->vendor;

	if (mask & HVM_SEG(X86_SEG_SS))
		v->hvm.valid &= ~HVM_CPL;
	if (mask & HVM_MSRS)
		f->msr = v->hvm.msr;
}
static bool fake_exit_count(unsigned int index, const char **name, uint64_t *count)
{
	(void)index;
	(void)name;
	(void)count;
	return false;
}

const struct hvm_ops fake_hvm_ops = {
	.name = "none",
	.p2m_format = &svm_npt_format,
	.domain_init = fake_domain_init,
	.domain_fini = fake_domain,
	.vcpu_init = fake_vcpu_init,
	.vcpu_fini = fake_vcpu_fini,
	.switch_from = fake_vcpu,
	.switch_to = fake_vcpu,
	.run = fake_run,
	.get_state = fake_get_state,
	.set_state = fake_set_state,
	.want_interrupt_window = fake_vcpu,
	.want_nmi_window = fake_vcpu,
	.flush_vcpu = fake_vcpu,
	.io_bitmap_changed = fake_domain,
	.dump = fake_vcpu,
	.exit_count = fake_exit_count,
};

/* --- the CPU --- */

uint64_t now_ns(void)
{
	return __atomic_load_n(&fake_now_ns, __ATOMIC_RELAXED);
}
uint64_t rdtsc(void)
{
	return now_ns();
}
uint64_t tsc_to_ns(uint64_t ticks)
{
	return ticks;
}
uint64_t ns_to_tsc(uint64_t ns)
{
	return ns;
}
void lapic_timer_set(uint64_t expires_ns)
{
	(void)expires_ns;
}
void lapic_timer_fired(void)
{
}
/* CPUs look at their work without being told to. */
void lapic_send_ipi(uint32_t apic_id, uint8_t vector)
{
	(void)apic_id;
	(void)vector;
}
void cpu_relax(void)
{
	if (!host_relax)
		panic("waits for another CPU");
	host_relax();
}
int rdmsr_safe(uint32_t msr, uint64_t *v)
{
	(void)msr;
	*v = 0;
	return -EFAULT;
}

/* --- dom0's parts, power, console, trace --- */

static void irq_eoi(struct vcpu *v, uint8_t vector)
{
	(void)v;
	(void)vector;
}
static void irq_drain(struct vcpu *v)
{
	(void)v;
}
static uint32_t irq_irr(struct vcpu *v, unsigned int word)
{
	(void)v;
	(void)word;
	return 0;
}
static const struct ext_irq_ops irqs = { .eoi = irq_eoi, .drain = irq_drain, .irr = irq_irr };
const struct ext_irq_ops *ext_irq_ops = &irqs;
bool mm_range_in_use(maddr_t start, uint64_t len)
{
	(void)start;
	(void)len;
	return false;
}
bool mm_reserve_range(maddr_t start, uint64_t len)
{
	(void)start;
	(void)len;
	return true;
}
uint64_t total_page_count(void)
{
	return RAM_PAGES;
}
int parse_size(const char *s, uint64_t *bytes)
{
	(void)s;
	(void)bytes;
	return -EINVAL;
}
int parse_bool(const char *s, bool *v)
{
	(void)s;
	(void)v;
	return -EINVAL;
}
void machine_restart(void)
{
	panic("the machine restarts");
}
void machine_poweroff(void)
{
	panic("the machine powers off");
}
int machine_acpi_sleep(uint16_t pm1a_cnt, uint16_t pm1b_cnt)
{
	(void)pm1a_cnt;
	(void)pm1b_cnt;
	return -EIO;
}
uint32_t log_read(uint32_t *index, bool incremental, bool clear, char *buf, uint32_t max)
{
	(void)incremental;
	(void)clear;
	max = *index < 1000 ? min(max, 1000 - *index) : 0;
	memset(buf, 'x', max);
	*index += max;
	return max;
}
size_t console_room = ~0UL, console_taken; /* of dom0's text, at once and so far */
size_t console_dom0_write(const char *buf, size_t len)
{
	for (size_t i = 0; i < len; i++)
		(void)READ_ONCE(buf[i]);
	len = min(len, console_room);
	__atomic_fetch_add(&console_taken, len, __ATOMIC_RELAXED);
	return len;
}
size_t console_dom0_read(char *buf, size_t max)
{
	memset(buf, 'x', min(max, (size_t)20));
	return min(max, (size_t)20);
}
/* A piece at a time, as the run loop does it later; what ends the machine does so by intent. */
void console_debug_key(char key)
{
	struct key_walk w = { 0 };
	bool more = key != 'R' && key != 'C';

	work_end();
	while (more) {
		work_begin();
		more = debug_key_run(key, &w);
		work_end();
	}
}
void trace_record(enum trace_event e, uint64_t a, uint64_t b)
{
	(void)e;
	(void)a;
	(void)b;
}
const char *symbol_format(char *buf, size_t size, uint64_t addr)
{
	snprintf(buf, size, "%lx", addr);
	return buf;
}
