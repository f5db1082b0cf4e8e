/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Microsoft's interface of hypervisors, against the values of its specification (TLFS). Guest B is offered it. */
#include "cases.h"
#include "xen_abi.h"
#include "guest_access.h"
#include "hvm_ops.h"
#include "save.h"
#include "vlapic.h"
#include "vmm/hvm/internal.h"
#include <xen/arch-x86/cpuid.h>

#define GP	 (-1)		   /* the access raises #GP */
#define DEFAULTS 0x1865U	   /* what viridian=1 is with xl 4.17 */
#define OWN_GFN	 (SCRATCH_GFN + 3) /* for what the guest shares with us */
#define ASSIST	 ((uint64_t)OWN_GFN << PAGE_SHIFT | 1)
#define PAGE_GPA ((uint64_t)(SCRATCH_GFN + 2) << PAGE_SHIFT)
#define RAX	 v->regs.gpr[X86_RAX]

static struct vcpu *offered(uint64_t mask)
{
	struct vcpu *v = domain_vcpu(dom(DOMID_B), 0);

	dom(DOMID_B)->hvm.params[HVM_PARAM_VIRIDIAN] = mask;
	return v;
}

static long long rd(struct vcpu *v, uint32_t msr)
{
	uint64_t value;

	return hvm_rdmsr(v, msr, &value) ? GP : (long long)value;
}

static int wr(struct vcpu *v, uint32_t msr, uint64_t value)
{
	return hvm_wrmsr(v, msr, value) ? GP : 0;
}

static void leaf(struct vcpu *v, uint32_t nr, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
	uint32_t out[4];

	hvm_cpuid(v, nr, 0, out);
	EXPECT(out[0], == a);
	EXPECT(out[1], == b);
	EXPECT(out[2], == c);
	EXPECT(out[3], == d);
}

CASE(viridian_leaves)
{
	struct vcpu *v = offered(DEFAULTS);
	uint32_t out[4];

	leaf(v, 0x40000000, 0x40000006, 0x7263694d, 0x666f736f, 0x76482074); /* Microsoft Hv */
	leaf(v, 0x40000001, 0x31237648, 0, 0, 0);			     /* Hv#1 */
	leaf(v, 0x40000002, 0, 0, 0, 0);
	EXPECT(wr(v, 0x40000000, 1), == 0);
	leaf(v, 0x40000002, 0x1772, 0x60000, 0, 0);
	leaf(v, 0x40000003, 0x872, 0, 0, 0x508);
	leaf(v, 0x40000004, 0x28, 2047, 0, 0);
	leaf(v, 0x40000005, 0xffffffff, 0, 0, 0);
	leaf(v, 0x40000007, 0, 0, 0, 0);
	hvm_cpuid(v, 0x40000100, 0, out);
	EXPECT(out[0], == 0x40000100 + XEN_CPUID_MAX_NUM_LEAVES);
	EXPECT(out[1], == XEN_CPUID_SIGNATURE_EBX);
	hvm_cpuid(v, 0x40000102, 0, out);
	EXPECT(out[1], == 0x40000200);
	leaf(v, 0x40000200, 0, 0, 0, 0);
	/* Each group has its bit, and is gone without it. */
	offered(0x1 | 0x2);
	leaf(v, 0x40000003, 0x70, 0, 0, 0);
	leaf(v, 0x40000004, 0x20, 2047, 0, 0);
	leaf(v, 0x40000005, 64, 0, 0, 0);
	offered(0x1 | 0x8 | 0x10 | 0x200);
	leaf(v, 0x40000003, 0xa70, 0, 0, 0x100);
	leaf(v, 0x40000004, 0x424, 2047, 0, 0);
	/* Without all of them Xen's leaves are where they were. */
	offered(0);
	hvm_cpuid(v, 0x40000000, 0, out);
	EXPECT(out[0], == 0x40000000 + XEN_CPUID_MAX_NUM_LEAVES);
	hvm_cpuid(v, 0x40000002, 0, out);
	EXPECT(out[1], == 0x40000000);
	leaf(v, 0x40000100, 0, 0, 0, 0);
}

CASE(viridian_registers)
{
	struct vcpu *v = offered(DEFAULTS);
	long long t;

	EXPECT(rd(v, 0x40000002), == 0);
	EXPECT(wr(v, 0x40000002, 0), == GP);
	EXPECT(rd(v, 0x40000022), == (long long)tsc_khz * 1000);
	EXPECT(rd(v, 0x40000023), == 1000000000);
	t = rd(v, 0x40000020);
	fake_now_ns += 5000;
	EXPECT(rd(v, 0x40000020), == t + 50);
	EXPECT(wr(v, 0x40000020, 0), == GP);
	EXPECT(rd(v, 0x40000021), == GP); /* not among the defaults */
	EXPECT(wr(v, 0x40000021, 1), == GP);
	EXPECT(rd(v, 0x40000070), == GP);
	EXPECT(wr(v, 0x40000072, 0x30), == 0);
	EXPECT(rd(v, 0x40000072), == 0x30);
	EXPECT(vlapic_tpr(v->hvm.vlapic), == 0x30);
	EXPECT(wr(v, 0x40000072, 0x100), == GP);
	EXPECT(wr(v, 0x40000071, 0xff00000000000000ULL | 0x40800), == 0); /* no vector: an error */
	EXPECT(rd(v, 0x40000071), == (long long)(0xff00000000000000ULL | 0x40800));
	EXPECT(rd(v, 0x40000080), == GP); /* synic */
	EXPECT(rd(v, 0x40000106), == GP);
	/* Xen's page is asked for elsewhere now. */
	EXPECT(wr(v, 0x40000200, PAGE_GPA), == 0);
	EXPECT(*(uint8_t *)guest_page(DOMID_B, SCRATCH_GFN + 2), == 0xb8);
	offered(1 | 2);
	EXPECT(rd(v, 0x40000020), == GP);
	EXPECT(rd(v, 0x40000022), == GP);
	EXPECT(rd(v, 0x40000100), == GP);
	EXPECT(wr(v, 0x40000105, 1ULL << 63), == GP);
	offered(0);
	EXPECT(rd(v, 0x40000002), == GP);
	EXPECT(wr(v, 0x40000200, PAGE_GPA), == GP);
	EXPECT(wr(v, 0x40000000, PAGE_GPA), == 0);
}

CASE(viridian_crash)
{
	struct vcpu *v = offered(DEFAULTS);

	EXPECT(rd(v, 0x40000105), == (long long)(1ULL << 63));
	for (uint32_t i = 0; i < 5; i++)
		EXPECT(wr(v, 0x40000100 + i, 0xab0 + i), == 0);
	EXPECT(rd(v, 0x40000104), == 0xab4);
	host_log_clear();
	EXPECT(wr(v, 0x40000105, 0), == 0);
	EXPECT(host_log_has("crashes"), == 0);
	EXPECT(wr(v, 0x40000105, 1ULL << 63), == 0);
	EXPECT(host_log_has("d2v0: its system says that it crashes: ab0 ab1 ab2 ab3 ab4"), != 0);
	EXPECT(dom(DOMID_B)->shutting_down, == 0);
}

CASE(viridian_hypercall_page)
{
	struct vcpu *v = offered(DEFAULTS);
	static const uint8_t code[] = { 0x0d, 0, 0, 0, 0x80, 0x0f, 0x01 };
	const uint8_t *page = guest_page(DOMID_B, SCRATCH_GFN + 2);

	/* Only for those who have said who they are. */
	EXPECT(wr(v, 0x40000001, PAGE_GPA | 1), == 0);
	EXPECT(rd(v, 0x40000001), == (long long)PAGE_GPA);
	EXPECT(wr(v, 0x40000000, 0x8100060000000000ULL), == 0);
	EXPECT(wr(v, 0x40000001, (uint64_t)FIRST_HOLE << PAGE_SHIFT | 1), == GP);
	EXPECT(wr(v, 0x40000001, PAGE_GPA | 1), == 0);
	EXPECT(memcmp(page, code, sizeof(code)), == 0);
	EXPECT(page[8], == 0xc3);
	EXPECT(wr(v, 0x40000000, 0), == 0);
	EXPECT(rd(v, 0x40000001), == (long long)PAGE_GPA);
	EXPECT(wr(v, 0x40000000, 5), == 0);
	EXPECT(wr(v, 0x40000001, PAGE_GPA | 3), == 0);
	EXPECT(wr(v, 0x40000001, 0), == 0);
	EXPECT(rd(v, 0x40000001), == (long long)(PAGE_GPA | 3));
}

/* A call; its result. */
static long long call(struct vcpu *v, bool wide, uint64_t input, uint64_t p0, uint64_t p1)
{
	uint64_t *r = v->regs.gpr, rip;

	EXPECT(machine_become(v, wide), != 0);
	memset(r, 0, sizeof(v->regs.gpr));
	if (wide) {
		r[X86_RAX] = 1U << 31;
		r[X86_RCX] = input;
		r[X86_RDX] = p0;
		r[X86_R8] = p1;
	} else {
		r[X86_RAX] = (uint32_t)input | 1U << 31;
		r[X86_RDX] = input >> 32;
		r[X86_RBX] = p0 >> 32;
		r[X86_RCX] = (uint32_t)p0;
		r[X86_RDI] = p1 >> 32;
		r[X86_RSI] = (uint32_t)p1;
	}
	rip = v->regs.rip;
	hvm_exit_hypercall(v, 3);
	EXPECT(v->regs.rip, == (long)(rip + 3));
	machine_pass(1);
	check_machine();
	return wide ? (long long)r[X86_RAX] : (long long)(r[X86_RDX] << 32 | r[X86_RAX]);
}

static unsigned int flushed;

static void count_flush(struct domain *d)
{
	flushed += d->domid == DOMID_B;
}

CASE(viridian_calls)
{
	struct vcpu *v = offered(DEFAULTS | 0x10 | 0x200);
	uint64_t *in = guest_page(DOMID_B, ARG_GFN);

	machine_on_flush = count_flush;
	for (unsigned int wide = 0; wide < 2; wide++) {
		EXPECT(call(v, wide, 8 | 1 << 16, 4096, 0), == 0);
		EXPECT(call(v, wide, 0x77, 0, 0), == 2);
		in[0] = in[1] = 0;
		in[2] = 1;
		flushed = 0;
		EXPECT(call(v, wide, 2, ARG, 0), == 0);
		EXPECT(flushed, == 1);
		EXPECT(call(v, wide, 2, ARG + 4, 0), == 4);
		EXPECT(call(v, wide, 2 | 1 << 16, 0, 0), == 3);
		EXPECT(call(v, wide, 2 | 1ULL << 32, ARG, 0), == 3);
		EXPECT(call(v, wide, 2, (uint64_t)FIRST_HOLE << PAGE_SHIFT, 0), == 5);
		EXPECT(call(v, wide, 3, ARG, 0), == 3);
		EXPECT(flushed, == 1);
		EXPECT(call(v, wide, 3 | 5ULL << 32, ARG, 0), == 5LL << 32);
		EXPECT(flushed, == 2);
	}
	machine_on_flush = NULL;
	offered(DEFAULTS);
	EXPECT(call(v, true, 2, ARG, 0), == 2);
	EXPECT(call(v, true, 0xb | 1 << 16, 0x41, 1), == 2);
}

CASE(viridian_ipi)
{
	struct vcpu *v = offered(DEFAULTS | 0x200);
	struct vlapic *a = v->hvm.vlapic;

	vlapic_write(a, APIC_SPIV, 0x1ff);
	EXPECT(call(v, true, 0xb | 1 << 16, 0x41, ~0ULL), == 0);
	EXPECT(vlapic_highest(a, APIC_IRR), == 0x41);
	EXPECT(call(v, false, 0xb | 1 << 16, 0x42, 1), == 0);
	EXPECT(vlapic_highest(a, APIC_IRR), == 0x42);
	EXPECT(call(v, true, 0xb | 1 << 16, 0xf, 1), == 5);
	EXPECT(call(v, true, 0xb | 1 << 16, 0x143, 1), == 5);
	EXPECT(call(v, true, 0xb | 1 << 16, 0x43, 2), == 0);
	EXPECT(vlapic_highest(a, APIC_IRR), == 0x42);
}

/* Only the kernel may call; what has bit 31 clear is Xen's. */
CASE(viridian_callers)
{
	struct vcpu *v = offered(DEFAULTS);
	struct x86_segment ss = { .attr = 0xcf3, .limit = ~0U };

	EXPECT(machine_become(v, true), != 0);
	RAX = __HYPERVISOR_xen_version;
	v->regs.gpr[X86_RDI] = 0;
	hvm_exit_hypercall(v, 3);
	EXPECT(RAX, == (4 << 16 | 17));
	hvm_set_seg(v, X86_SEG_SS, &ss);
	RAX = 1U << 31;
	hvm_exit_hypercall(v, 3);
	EXPECT(v->hvm.event.type == HVM_EVENT_EXC && v->hvm.event.vector == X86_EXC_UD, == true);
	v->hvm.event.type = HVM_EVENT_NONE;
	machine_pass(1);
}

/* --- the assist page --------------------------------------------------------------------------- */

static uint32_t *flags(void)
{
	return guest_page(DOMID_B, OWN_GFN);
}

static int in_service(const struct vcpu *v)
{
	return vlapic_highest(v->hvm.vlapic, APIC_ISR);
}

/* Its vector comes and is delivered. */
static void takes(struct vcpu *v, uint8_t vector, bool level)
{
	vlapic_set_irq(v->hvm.vlapic, vector, level);
	EXPECT(vlapic_pending(v->hvm.vlapic), == vector);
	vlapic_ack(v->hvm.vlapic, vector);
	EXPECT(in_service(v), == vector);
}

static struct vcpu *assisted(void)
{
	struct vcpu *v = offered(DEFAULTS);

	vlapic_write(v->hvm.vlapic, APIC_SPIV, 0x1ff);
	*flags() = 0x7;
	EXPECT(wr(v, 0x40000073, ASSIST), == 0);
	EXPECT(rd(v, 0x40000073), == (long long)ASSIST);
	EXPECT(*flags(), == 0);
	return v;
}

CASE(viridian_no_eoi)
{
	struct vcpu *v = assisted();

	takes(v, 0x50, false);
	EXPECT(*flags(), == 1);
	*flags() = 0; /* the guest's way to end it */
	takes(v, 0x50, false);
	EXPECT(*flags(), == 1);
	/* It looks at the register: it sees it ended as soon as it has ended it. */
	EXPECT(vlapic_read(v->hvm.vlapic, APIC_ISR + 0x20), == 1 << 16);
	*flags() = 0;
	EXPECT(vlapic_read(v->hvm.vlapic, APIC_ISR + 0x20), == 0);
}

/* Where another one waits, or there is something to tell of, the EOI is wanted. */
CASE(viridian_eoi_wanted)
{
	struct vcpu *v = assisted();
	struct vlapic *a = v->hvm.vlapic;

	takes(v, 0x50, false);
	vlapic_set_irq(a, 0x40, false);
	EXPECT(vlapic_pending(a), == -1);
	EXPECT(*flags(), == 0);
	EXPECT(in_service(v), == 0x50);
	EXPECT(wr(v, 0x40000070, 0), == 0);
	EXPECT(vlapic_pending(a), == 0x40);
	vlapic_ack(a, 0x40);
	EXPECT(*flags(), == 1);
	takes(v, 0x60, false); /* in between: the first one's EOI is wanted again */
	EXPECT(*flags(), == 0);
	EXPECT(wr(v, 0x40000070, 0), == 0);
	EXPECT(in_service(v), == 0x40);
	EXPECT(wr(v, 0x40000070, 0), == 0);
	EXPECT(in_service(v), == -1);
	takes(v, 0x70, true);
	EXPECT(*flags(), == 0);
	EXPECT(wr(v, 0x40000070, 0), == 0);
	/* The guest gives the page away: its EOIs are as ever. */
	EXPECT(reserve(DOMID_B, DOMID_SELF, XENMEM_decrease_reservation, OWN_GFN, 1), == 1);
	EXPECT(wr(v, 0x40000073, ASSIST), == GP);
	takes(v, 0x50, false);
	EXPECT(wr(v, 0x40000070, 0), == 0);
	EXPECT(in_service(v), == -1);
}

/* An interrupt that ended by the page has ended, too, when there is no page any more. */
CASE(viridian_page_goes)
{
	struct vcpu *v = assisted();

	takes(v, 0x50, false);
	*flags() = 0;
	EXPECT(wr(v, 0x40000073, 0), == 0);
	EXPECT(in_service(v), == -1);
}

/* INIT: what was the page is ordinary memory. */
CASE(viridian_init)
{
	struct vcpu *v = assisted();

	takes(v, 0x50, false);
	hvm_vcpu_reset_init(v);
	EXPECT(hvm_vcpu_serve_init(v), == false);
	EXPECT(v->hvm.no_eoi, == false);
	EXPECT(rd(v, 0x40000073), == 0);
}

/* Who looks for the least busy processor changes nothing there, whatever the guest has in the page. */
CASE(viridian_lowest_priority)
{
	struct vcpu *v = assisted();
	struct vlapic *a = v->hvm.vlapic;

	takes(v, 0x50, false);
	*flags() = 0;
	vlapic_deliver(v->domain, NULL, 0xff, false, false, 1, 0x40, false, 0);
	EXPECT(in_service(v), == 0x50);
	EXPECT(v->hvm.no_eoi, == true);
	EXPECT(vlapic_pending(a), == 0x40);
	EXPECT(in_service(v), == -1);
	vlapic_ack(a, 0x40);
	EXPECT(wr(v, 0x40000070, 0), == 0);
}

/* --- time by the TSC, saved state --------------------------------------------------------------- */

struct tsc_page {
	uint32_t sequence, reserved;
	uint64_t scale, offset;
};

static uint64_t time_by_tsc(const struct tsc_page *p, uint64_t tsc)
{
	return (uint64_t)((unsigned __int128)tsc * p->scale >> 64) + p->offset;
}

CASE(viridian_tsc_page)
{
	struct vcpu *v = offered(DEFAULTS | 8);
	struct tsc_page *p = guest_page(DOMID_B, OWN_GFN);
	bool was = host_cpu.invariant_tsc;
	uint64_t tsc;

	memset(p, 0xff, sizeof(*p));
	host_cpu.invariant_tsc = false;
	EXPECT(wr(v, 0x40000021, ASSIST), == 0);
	EXPECT(p->sequence, == 0); /* ask the MSR */
	host_cpu.invariant_tsc = true;
	EXPECT(wr(v, 0x40000021, ASSIST), == 0);
	EXPECT(rd(v, 0x40000021), == (long long)ASSIST);
	EXPECT(p->sequence, == 1);
	tsc = rdtsc() + v->tsc_offset;
	EXPECT(time_by_tsc(p, tsc) - (uint64_t)rd(v, 0x40000020), < 10000000); /* a second */
	/* A second more of cycles is a second more of time, but for what is cut off. */
	EXPECT(time_by_tsc(p, tsc + tsc_khz * 1000) - time_by_tsc(p, tsc) - 9999999, <= 1);
	EXPECT(wr(v, 0x40000021, (uint64_t)FIRST_HOLE << PAGE_SHIFT | 1), == GP);
	host_cpu.invariant_tsc = was;
}

CASE(viridian_records)
{
	struct vcpu *v = assisted();
	struct domain *d = dom(DOMID_B);
	struct hvm_viridian_domain_context of_d = { 0 };
	struct hvm_viridian_vcpu_context of_v = { 0 };
	size_t len = sizeof(of_d);
	struct hvm_record const *dr = hvm_record_from(HVM_SAVE_CODE(VIRIDIAN_DOMAIN)),
				*vr = hvm_record_from(HVM_SAVE_CODE(VIRIDIAN_VCPU));

	EXPECT(wr(v, 0x40000000, 0x1234), == 0);
	EXPECT(wr(v, 0x40000001, PAGE_GPA | 1), == 0);
	takes(v, 0x50, false);
	EXPECT(hvm_save_one(d, HVM_SAVE_CODE(VIRIDIAN_DOMAIN), 0, &of_d, &len), == 0);
	EXPECT(len, == sizeof(of_d));
	len = sizeof(of_v);
	EXPECT(hvm_save_one(d, HVM_SAVE_CODE(VIRIDIAN_VCPU), 0, &of_v, &len), == 0);
	EXPECT(of_d.hypercall_gpa, == (long)(PAGE_GPA | 1));
	EXPECT(of_d.guest_os_id, == 0x1234);
	EXPECT(of_d.time_ref_count, == (long)rd(v, 0x40000020));
	EXPECT(of_v.vp_assist_msr, == (long)ASSIST);
	EXPECT(of_v.apic_assist_pending, == 1);
	of_d.time_ref_count += 1000;
	of_d.guest_os_id = 0x99;
	of_v.apic_assist_pending = 0;
	fake_now_ns += 700;
	EXPECT(hvm_record_load(d, dr, 0, &of_d, sizeof(of_d)), == 0);
	EXPECT(hvm_record_load(d, vr, 0, &of_v, sizeof(of_v)), == 0);
	EXPECT(rd(v, 0x40000000), == 0x99);
	EXPECT(rd(v, 0x40000020), == (long)of_d.time_ref_count);
	EXPECT(v->hvm.no_eoi, == false);
	/* The guest has no such group here: it is to write EOI. */
	offered(DEFAULTS & ~(uint64_t)HVMPV_apic_assist);
	of_v.apic_assist_pending = 1;
	*flags() = 1;
	EXPECT(hvm_record_load(d, vr, 0, &of_v, sizeof(of_v)), == 0);
	EXPECT(v->hvm.no_eoi, == false);
	EXPECT(*flags(), == 0);
	/* What another hypervisor has and we have not. */
	host_log_clear();
	of_v.stimer_config_msr[2] = 1;
	EXPECT(hvm_record_load(d, vr, 0, &of_v, sizeof(of_v)), == -EOPNOTSUPP);
	EXPECT(host_log_has("stimer"), != 0);
	offered(0);
	EXPECT(hvm_record_load(d, dr, 0, &of_d, sizeof(of_d)), == -EOPNOTSUPP);
	EXPECT(hvm_record_save(d, dr, 0, &of_d), == -ENOENT);
	EXPECT(hvm_record_save(d, vr, 0, &of_v), == -ENOENT);
}
