/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hypercalls: which number is whose, how arguments come in and the result goes out, continuation, and
 * the hypercall page. Numbers: xen/xen.h. 64-bit callers pass RDI RSI RDX R10 R8 R9, 32-bit ones
 * EBX ECX EDX ESI EDI EBP; the number is in RAX, the result too.
 */
#include "handlers.h"
#include "debug.h"
#include "hvm_ops.h"
#include "stretch.h"
#include "timer.h"

#define NR_HYPERCALLS  64U
#define STUB_SIZE      32U
#define COMMAND_BITS   0x3fU /* of the first argument, above which memory_op has its continuation */
#define STUBS_PER_PAGE (PAGE_SIZE / STUB_SIZE)

/* What is going on per CPU; a hypercall does not move between CPUs. */
static struct {
	bool compat;
	struct hypercall_args *sub; /* arguments of the multicall entry being executed */
	uint64_t preempt_tsc;	    /* from when on it is to stop; 0 = nobody has asked yet */
} active[MAX_CPUS];

/* So long may a call go on in one piece, in TSC ticks: a tenth of a millisecond. */
#define PIECE_TICKS  (tsc_khz / 10)

#define BOTH(nr, fn) [__HYPERVISOR_##nr] = { abi_##fn, abi_##fn, #nr }

/* Nobody but dom0 has these, and dom0 is 64-bit: the others, of either width, are told so in the same words. */
static long for_dom0(struct vcpu *v, const struct hypercall_args *args)
{
	(void)args;
	return v->domain->is_dom0 ? -ENOSYS : -EPERM;
}
#define DOM0(nr, fn) [__HYPERVISOR_##nr] = { abi_##fn, for_dom0, #nr }

/* A family that takes the same handler for both reads its structures by hypercall_is_compat(). */
const struct hypercall hypercall_table[] = {
	DOM0(platform_op, platform_op),
	BOTH(memory_op, memory_op),
	BOTH(multicall, multicall),
	BOTH(set_timer_op, set_timer_op),
	BOTH(xen_version, xen_version),
	BOTH(console_io, console_io),
	BOTH(grant_table_op, grant_table_op),
	BOTH(vm_assist, vm_assist),
	BOTH(vcpu_op, vcpu_op),
	BOTH(sched_op, sched_op),
	BOTH(event_channel_op, event_channel_op),
	BOTH(physdev_op, physdev_op),
	BOTH(hvm_op, hvm_op),
	DOM0(sysctl, sysctl),
	DOM0(domctl, domctl),
	DOM0(dm_op, dm_op),
};
const unsigned int hypercall_count = ARRAY_SIZE(hypercall_table);
uint64_t hypercall_calls[NR_HYPERCALLS];
_Static_assert(ARRAY_SIZE(hypercall_table) <= NR_HYPERCALLS, "counters");

/*
 * Interrupts are off, so no interrupt tells that others wait: the time does. The first question of a call
 * starts its piece, which costs short calls nothing.
 */
bool hypercall_preempt(void)
{
	uint64_t *until = &active[cpu_id()].preempt_tsc;

	if (this_cpu()->softirq)
		return true;
	if (!*until)
		*until = rdtsc() + PIECE_TICKS;
	return rdtsc() > *until;
}

bool hypercall_is_compat(void)
{
	return active[cpu_id()].compat;
}

static const uint8_t arg_regs[2][6] = {
	{ X86_RDI, X86_RSI, X86_RDX, X86_R10, X86_R8, X86_R9 },
	{ X86_RBX, X86_RCX, X86_RDX, X86_RSI, X86_RDI, X86_RBP },
};

void hypercall_set_arg(struct vcpu *v, unsigned int i, uint64_t value)
{
	unsigned int cpu = cpu_id();

	if (active[cpu].sub)
		active[cpu].sub->a[i] = value;
	else
		v->regs.gpr[arg_regs[active[cpu].compat][i]] = value;
}

void hypercall_enter_sub(struct hypercall_args *args)
{
	active[cpu_id()].sub = args;
}

/* One line per domain and number. xsm_op is asked by every run of the tools and means nothing here. */
static long not_there(struct domain *d, uint64_t nr)
{
	if (nr != __HYPERVISOR_xsm_op && nr < NR_HYPERCALLS &&
	    !test_and_set_bit((unsigned int)nr, domain_priv(d)->enosys_logged))
		printk(LOG_WARN "d%u: hypercall %lu is not there\n", d->domid, nr);
	return -ENOSYS;
}

long hypercall_one(struct vcpu *v, unsigned int nr, const struct hypercall_args *args, bool compat)
{
	hypercall_fn fn;

	if (nr >= hypercall_count)
		return not_there(v->domain, nr);
	fn = compat ? hypercall_table[nr].compat : hypercall_table[nr].native;
	if (!fn)
		return not_there(v->domain, nr);
	WRITE_ONCE(hypercall_calls[nr],
		   READ_ONCE(hypercall_calls[nr]) + 1); /* a count may be lost */
	stretch_doing(hypercall_table[nr].name, args->a[0] & COMMAND_BITS);
	return fn(v, args);
}

static struct hypercall_args get_args(const uint64_t *r, bool compat)
{
	if (compat)
		return (struct hypercall_args){ { (uint32_t)r[X86_RBX], (uint32_t)r[X86_RCX],
						  (uint32_t)r[X86_RDX], (uint32_t)r[X86_RSI],
						  (uint32_t)r[X86_RDI], (uint32_t)r[X86_RBP] } };
	return (struct hypercall_args){ { r[X86_RDI], r[X86_RSI], r[X86_RDX], r[X86_R10], r[X86_R8],
					  r[X86_R9] } };
}

void hypercall_dispatch(struct vcpu *v)
{
	bool compat = !hvm_code64(v);
	uint64_t rax = v->regs.gpr[X86_RAX], nr = compat ? (uint32_t)rax : rax;
	struct hypercall_args args = get_args(v->regs.gpr, compat);
	long rc;

	active[cpu_id()].compat = compat;
	active[cpu_id()].sub = NULL;
	active[cpu_id()].preempt_tsc = 0;
	if (unlikely(READ_ONCE(v->domain->p2m.pod.used)) && pod_reserve(v->domain)) {
		v->hypercall_again = true;
		return;
	}
	guest_copy_begin(v);
	trace(TRACE_HYPERCALL, nr, args.a[0]);
	rc = hypercall_one(v, nr > UINT32_MAX ? UINT32_MAX : (unsigned int)nr, &args, compat);
	guest_copy_end();
	if (rc == -ERESTART)
		v->hypercall_again = true;
	else
		v->regs.gpr[X86_RAX] = compat ? (uint32_t)rc : (uint64_t)rc;
}

/* mov $nr, %eax; vmcall or vmmcall; ret. */
void hypercall_page_fill(struct domain *d, void *page)
{
	uint8_t *p = page;

	memset(p, 0x90, PAGE_SIZE);
	for (uint32_t i = 0; i < STUBS_PER_PAGE; i++, p += STUB_SIZE) {
		if (i == __HYPERVISOR_iret) {
			p[0] = 0x0f; /* ud2: for PV guests only */
			p[1] = 0x0b;
			continue;
		}
		p[0] = 0xb8;
		memcpy(p + 1, &i, sizeof(i));
		p[5] = 0x0f;
		p[6] = 0x01;
		p[7] = hvm_hypercall_byte(true);
		p[8] = 0xc3;
	}
	hvm_latch_shinfo_size(d);
}

void hvm_latch_shinfo_size(struct domain *d)
{
	bool wide;

	if (d != current_domain())
		return;
	wide = hvm_code64(current_vcpu());
	spin_lock(&d->lock);
	if (d->shared_info_64 != wide) {
		spin_lock(&d->event_lock);
		d->shared_info_64 = wide;
		spin_unlock(&d->event_lock);
		time_update_wallclock(d);
	}
	spin_unlock(&d->lock);
}

static void key_hypercalls(char key)
{
	(void)key;
	for (unsigned int i = 0; i < hypercall_count; i++)
		if (hypercall_calls[i])
			printk("%-20s %lu\n", hypercall_table[i].name, hypercall_calls[i]);
}
DEBUG_KEY('y', key_hypercalls, "hypercalls by number");
