/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hypercalls through the page that the VMM fills (Xen ABI, xen/arch-x86/cpuid.h and the hypercall
 * table of xen/xen.h). Arguments go in EBX, ECX, EDX, ESI, EDI; the result comes back in EAX.
 */
#include "hypercall.h"
#include "console.h"
#include "io.h"
#include "layout.h"
#include "util.h"

#include <xen/arch-x86/cpuid.h>
#include <xen/event_channel.h>
#include <xen/hvm/hvm_op.h>
#include <xen/sched.h>
#include <xen/version.h>

#define HYPERCALL_ENTRY_BYTES 32

static int call2(unsigned int op, uintptr_t a1, uintptr_t a2)
{
	uintptr_t entry = HYPERCALL_PAGE_ADDR + op * HYPERCALL_ENTRY_BYTES;
	int ret;

	asm volatile("call *%[entry]"
		     : "=a"(ret), "+b"(a1), "+c"(a2)
		     : [entry] "r"(entry)
		     : "memory");
	return ret;
}

static int call3(unsigned int op, uintptr_t a1, uintptr_t a2, uintptr_t a3)
{
	uintptr_t entry = HYPERCALL_PAGE_ADDR + op * HYPERCALL_ENTRY_BYTES;
	int ret;

	asm volatile("call *%[entry]"
		     : "=a"(ret), "+b"(a1), "+c"(a2), "+d"(a3)
		     : [entry] "r"(entry)
		     : "memory");
	return ret;
}

static void halt(void)
{
	for (;;)
		asm volatile("cli; hlt");
}

static uint32_t find_leaves(void)
{
	for (uint32_t base = 0x40000000; base < 0x40010000; base += 0x100) {
		struct cpuid_regs r = cpuid_count(base, 0);

		if (r.ebx == XEN_CPUID_SIGNATURE_EBX && r.ecx == XEN_CPUID_SIGNATURE_ECX &&
		    r.edx == XEN_CPUID_SIGNATURE_EDX && r.eax >= base + 2)
			return base;
	}
	return 0;
}

void hypercall_init(void)
{
	uint32_t base = find_leaves();
	struct cpuid_regs r;

	if (!base) {
		say("hvmloader: FATAL: no Xen CPUID leaves; this is not a Xen HVM domain\n");
		halt();
	}
	r = cpuid_count(base + 2, 0);
	for (uint32_t i = 0; i < r.eax; i++)
		wrmsr(r.ebx, HYPERCALL_PAGE_ADDR + i * PAGE_BYTES + i);
}

uint32_t hypercall_xen_version(char extra[16])
{
	xen_extraversion_t text;
	uint32_t version;

	version = (uint32_t)call2(__HYPERVISOR_xen_version, XENVER_version, 0);
	memset(text, 0, sizeof(text));
	call2(__HYPERVISOR_xen_version, XENVER_extraversion, (uintptr_t)text);
	text[sizeof(text) - 1] = '\0';
	util_strlcpy(extra, text, 16);
	return version;
}

int hypercall_domain_uuid(uint8_t uuid[16])
{
	return call2(__HYPERVISOR_xen_version, XENVER_guest_handle, (uintptr_t)uuid);
}

int hypercall_memory_op(unsigned int cmd, void *arg)
{
	return call2(__HYPERVISOR_memory_op, cmd, (uintptr_t)arg);
}

int hypercall_get_param(uint32_t index, uint64_t *value)
{
	struct xen_hvm_param p = { .domid = DOMID_SELF, .index = index };
	int ret = call2(__HYPERVISOR_hvm_op, HVMOP_get_param, (uintptr_t)&p);

	*value = p.value;
	return ret;
}

int hypercall_set_param(uint32_t index, uint64_t value)
{
	struct xen_hvm_param p = { .domid = DOMID_SELF, .index = index, .value = value };

	return call2(__HYPERVISOR_hvm_op, HVMOP_set_param, (uintptr_t)&p);
}

int hypercall_vcpu_op(unsigned int cmd, unsigned int vcpu, void *arg)
{
	return call3(__HYPERVISOR_vcpu_op, cmd, vcpu, (uintptr_t)arg);
}

int hypercall_evtchn_send(uint32_t port)
{
	struct evtchn_send send = { .port = port };

	return call2(__HYPERVISOR_event_channel_op, EVTCHNOP_send, (uintptr_t)&send);
}

int hypercall_poll(uint32_t port)
{
	evtchn_port_t ports[1] = { port };
	struct sched_poll poll = { .nr_ports = 1 };

	set_xen_guest_handle(poll.ports, ports);
	return call2(__HYPERVISOR_sched_op, SCHEDOP_poll, (uintptr_t)&poll);
}

void hypercall_yield(void)
{
	call2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
}

void hypercall_crash(void)
{
	struct sched_shutdown shutdown = { .reason = SHUTDOWN_crash };

	call2(__HYPERVISOR_sched_op, SCHEDOP_shutdown, (uintptr_t)&shutdown);
	for (;;)
		halt();
}
