// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Xen detection (CPUID leaf signature), the hypercall page, the PV console ring of a PVH guest
 * and shutdown. The page is filled through the MSR that the leaf names; both native instructions
 * are kept for the tests.
 */
#include "payload.h"
#include <xen/xen.h>
#include <xen/version.h>
#include <xen/features.h>
#include <xen/sched.h>
#include <xen/event_channel.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/io/console.h>

u8 xen_hypercall_page[4096] __attribute__((aligned(4096)));
static struct xencons_interface *ring;
static u32 ring_port;
static bool is_dom0;

bool xen_init(void)
{
	u32 leaf;

	for (leaf = 0x40000000; leaf < 0x40010000; leaf += 0x100) {
		struct cpuid c = cpuid(leaf);

		if (c.b != 0x566e6558 || c.c != 0x65584d4d || c.d != 0x4d4d566e)
			continue;
		plat.xen_leaf = leaf;
		plat.xen_version = cpuid(leaf + 1).a;
		wrmsr(cpuid(leaf + 2).b, (ulong)xen_hypercall_page);
		plat.is_xen = true;
		xen_console_init();
		return true;
	}
	return false;
}

#ifdef __x86_64__
#define HYPERCALL(insn, nr, a1, a2, a3, a4, a5, constraint)                                      \
	({                                                                                       \
		register ulong r10_ asm("r10") = a4;                                             \
		register ulong r8_ asm("r8") = a5;                                               \
		ulong ax_ = nr, di_ = a1, si_ = a2, dx_ = a3;                                    \
		asm volatile(insn                                                                \
			     : "+a"(ax_), "+D"(di_), "+S"(si_), "+d"(dx_), "+r"(r10_), "+r"(r8_) \
			     : constraint                                                        \
			     : "memory", "rcx", "r11");                                          \
		(long)ax_;                                                                       \
	})
#else
#define HYPERCALL(insn, nr, a1, a2, a3, a4, a5, constraint)                                     \
	({                                                                                      \
		ulong ax_ = nr, bx_ = a1, cx_ = a2, dx_ = a3, si_ = a4, di_ = a5;               \
		asm volatile(insn                                                               \
			     : "+a"(ax_), "+b"(bx_), "+c"(cx_), "+d"(dx_), "+S"(si_), "+D"(di_) \
			     : constraint                                                       \
			     : "memory");                                                       \
		(long)ax_;                                                                      \
	})
#endif

/* Through the page, as every kernel before 6.1.192 does it. */
long hypercall(unsigned int nr, ulong a1, ulong a2, ulong a3, ulong a4, ulong a5)
{
	static ulong target;

	target = (ulong)xen_hypercall_page + nr * 32;
	return HYPERCALL("call *%[t]", nr, a1, a2, a3, a4, a5, [t] "m"(target));
}

long hypercall_vmcall(unsigned int nr, ulong a1, ulong a2)
{
	return HYPERCALL("vmcall", nr, a1, a2, 0, 0, 0, );
}

long hypercall_vmmcall(unsigned int nr, ulong a1, ulong a2)
{
	return HYPERCALL("vmmcall", nr, a1, a2, 0, 0, 0, );
}

u64 xen_hvm_param(u32 index)
{
	struct xen_hvm_param p = { .domid = DOMID_SELF, .index = index };

	if (hypercall(__HYPERVISOR_hvm_op, HVMOP_get_param, (ulong)&p, 0, 0, 0))
		return 0;
	return p.value;
}

void xen_console_init(void)
{
	u64 pfn = xen_hvm_param(HVM_PARAM_CONSOLE_PFN);
	struct xen_feature_info features = { 0 };

	ring_port = xen_hvm_param(HVM_PARAM_CONSOLE_EVTCHN);
	if (pfn && ring_port && pfn < 0x100000)
		ring = (struct xencons_interface *)(ulong)(pfn << 12);
	if (!hypercall(__HYPERVISOR_xen_version, XENVER_get_features, (ulong)&features, 0, 0, 0))
		is_dom0 = features.submap & 1u << XENFEAT_dom0;
}

/*
 * Writes to the console ring, waiting (bounded) for xenconsoled, or as dom0 to the hypervisor's console; false
 * when there is neither.
 */
bool xen_console_write(const char *s, size_t len)
{
	struct evtchn_send send = { .port = ring_port };
	unsigned int spin;

	if (plat.is_xen && is_dom0)
		return !hypercall(__HYPERVISOR_console_io, CONSOLEIO_write, len, (ulong)s, 0, 0);
	if (!plat.is_xen || !ring)
		return false;
	while (len) {
		for (spin = 0; spin < 2000; spin++) {
			volatile XENCONS_RING_IDX *cons = &ring->out_cons;

			if (ring->out_prod - *cons < sizeof(ring->out))
				break;
			hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_send, (ulong)&send, 0, 0,
				  0);
			hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0, 0, 0);
		}
		ring->out[MASK_XENCONS_IDX(ring->out_prod, ring->out)] = *s++;
		barrier();
		ring->out_prod++;
		len--;
	}
	hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_send, (ulong)&send, 0, 0, 0);
	return true;
}

static void drain_console(void)
{
	u64 end = rdtsc() + (plat.tsc_hz ? plat.tsc_hz : 1000000000);

	while (ring && *(volatile XENCONS_RING_IDX *)&ring->out_cons != ring->out_prod &&
	       rdtsc() < end)
		hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0, 0, 0);
}

long xen_shutdown(u32 reason)
{
	struct sched_shutdown s = { .reason = reason };

	drain_console();
	return hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown, (ulong)&s, 0, 0, 0);
}
