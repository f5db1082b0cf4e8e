// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * CPUID as a guest sees it: what must be hidden, and leaves that must agree with each other (SDM
 * vol. 2 CPUID, APM vol. 3 app. E).
 */
#include "payload.h"

TEST(cpuid_max, "cpuid: maximum leaves and vendor")
{
	struct cpuid b = cpuid(0), e = cpuid(0x80000000);

	CHECK(b.a >= 1 && b.a < 0x100, "basic maximum %x", b.a);
	CHECK(e.a >= 0x80000001 && e.a < 0x80000100, "extended maximum %x", e.a);
	CHECK(b.b && b.c && b.d, "empty vendor");
	return NULL;
}

TEST(cpuid_hidden, "cpuid: SVM and VMX are hidden")
{
	bool vmx = cpuid(1).c >> 5 & 1, svm = cpuid(0x80000001).c >> 2 & 1;

	NEED(!plat.is_tcg, "no hypervisor under this machine");
	CHECK(!vmx, "VMX shows");
	CHECK(!svm, "SVM shows");
	if (cpuid(0x80000000).a >= 0x8000000a) {
		struct cpuid s = cpuid(0x8000000a);

		CHECK(!s.a && !s.b && !s.d, "SVM leaf is %x %x %x", s.a, s.b, s.d);
	}
	return NULL;
}

TEST(cpuid_svm_ud, "cpuid: hidden instructions raise #UD")
{
	int v;

	NEED(!plat.is_tcg, "no hypervisor under this machine");
	v = TRAP(asm volatile("vmload" : : "a"(0) : "memory"));
	CHECK(v == X86_EXC_UD, "VMLOAD: vector %d", v);
	v = TRAP(asm volatile("vmrun" : : "a"(0) : "memory"));
	CHECK(v == X86_EXC_UD, "VMRUN: vector %d", v);
	v = TRAP(asm volatile("stgi"));
	CHECK(v == X86_EXC_UD, "STGI: vector %d", v);
	v = TRAP(asm volatile("invlpga" : : "a"(0), "c"(0)));
	CHECK(v == X86_EXC_UD, "INVLPGA: vector %d", v);
	v = TRAP(asm volatile("vmxoff"));
	CHECK(v == X86_EXC_UD, "VMXOFF: vector %d", v);
	return NULL;
}

TEST(cpuid_hypervisor, "cpuid: hypervisor bit and leaves")
{
	bool bit = cpuid(1).c >> 31;
	struct cpuid h = cpuid(0x40000000);

	CHECK(bit == (plat.is_xen || plat.is_tcg), "hypervisor bit is %d", bit);
	if (plat.is_xen)
		h = cpuid(plat.xen_leaf);
	NEED(bit, "bare machine");
	CHECK(h.a >= 0x40000000 && h.a < 0x40010000, "maximum hypervisor leaf %x", h.a);
	if (!plat.is_xen)
		return NULL;
	CHECK(h.a >= plat.xen_leaf + 4, "maximum Xen leaf %x", h.a);
	CHECK(plat.xen_version >> 16 == 4, "version %x", plat.xen_version);
	h = cpuid(plat.xen_leaf + 2);
	CHECK(h.a >= 1, "%u hypercall pages", h.a);
	CHECK((h.b & 0xffffff00) == 0x40000000 || h.b == 0x40000200, "hypercall MSR %x", h.b);
	h = cpuid(plat.xen_leaf + 3);
	CHECK(h.c, "no TSC frequency");
	return NULL;
}

TEST(cpuid_apic_id, "cpuid: APIC ID agrees with the local APIC and leaf 0xb")
{
	struct cpuid c = cpuid(1);

	CHECK(c.d >> 9 & 1, "no APIC bit");
	CHECK(c.b >> 24 == lapic_id(), "leaf 1 says %u, the APIC %u", c.b >> 24, lapic_id());
	if (cpuid(0).a >= 0xb && cpuid2(0xb, 0).b)
		CHECK(cpuid2(0xb, 0).d == lapic_id(), "leaf 0xb says %u", cpuid2(0xb, 0).d);
	return NULL;
}

TEST(cpuid_x2apic, "cpuid: the x2APIC bit tells the truth")
{
	bool bit = cpuid(1).c >> 21 & 1;
	u64 base = rdmsr(MSR_APIC_BASE);
	int v;

	NEED(!lapic_x2(), "the APIC is in x2APIC mode, as dom0's is for ever");
	v = TRAP(wrmsr(MSR_APIC_BASE, base | 0x400));
	if (bit && v < 0) {
		wrmsr(MSR_APIC_BASE, base & ~0xc00ull);
		wrmsr(MSR_APIC_BASE, base);
	}
	NEED(!plat.is_tcg, "QEMU 7.2's TCG has no x2APIC");
	CHECK(bit == (v < 0), "bit %d, enabling it: vector %d", bit, v);
	return NULL;
}

TEST(cpuid_apic_gate, "cpuid: APIC and OSXSAVE bits follow the registers")
{
	u64 base = rdmsr(MSR_APIC_BASE);
	bool off, on;

	NEED(!plat.is_tcg, "QEMU's TCG never enables a disabled APIC again");
	NEED(!lapic_x2(), "the APIC is in x2APIC mode, as dom0's is for ever");
	wrmsr(MSR_APIC_BASE, base & ~0x800ull);
	off = cpuid(1).d >> 9 & 1;
	wrmsr(MSR_APIC_BASE, base);
	on = cpuid(1).d >> 9 & 1;
	CHECK(on, "APIC bit clear with the APIC enabled");
	CHECK(!off, "APIC bit set with the APIC disabled");
	if (cpuid(1).c >> 26 & 1) {
		write_cr4(read_cr4() | X86_CR4_OSXSAVE);
		on = cpuid(1).c >> 27 & 1;
		write_cr4(read_cr4() & ~(ulong)X86_CR4_OSXSAVE);
		off = cpuid(1).c >> 27 & 1;
		CHECK(on && !off, "OSXSAVE bit %d with CR4 set, %d without", on, off);
	}
	return NULL;
}

TEST(cpuid_topology, "cpuid: topology leaf is well formed")
{
	unsigned int level, shift = 0;

	NEED(cpuid(0).a >= 0xb && cpuid2(0xb, 0).b, "no leaf 0xb");
	for (level = 0; level < 8; level++) {
		struct cpuid c = cpuid2(0xb, level);

		CHECK((c.c & 0xff) == level, "level %u answers as %u", level, c.c & 0xff);
		if (!(c.c >> 8 & 0xff))
			break;
		CHECK((c.a & 31) >= shift, "level %u shift %u below %u", level, c.a & 31, shift);
		shift = c.a & 31;
	}
	CHECK(level >= 1 && level < 8, "%u levels", level);
	return NULL;
}

TEST(cpuid_xstate, "cpuid: XSAVE area sizes follow XCR0")
{
	struct cpuid c, p;
	u32 size = 576;
	unsigned int i;

	NEED(cpuid(1).c >> 26 & 1, "no XSAVE");
	write_cr4(read_cr4() | X86_CR4_OSXSAVE);
	c = cpuid2(0xd, 0);
	CHECK((c.a & 3) == 3, "x87 and SSE bits missing: %x", c.a);
	for (i = 2; i < 32; i++) {
		if (!(c.a >> i & 1))
			continue;
		p = cpuid2(0xd, i);
		CHECK(p.a && p.b >= 576, "component %u: size %u at %u", i, p.a, p.b);
		if (p.a + p.b > size)
			size = p.a + p.b;
	}
	CHECK(c.c >= size, "maximum size %u, components need %u", c.c, size);
	asm volatile("xsetbv" : : "a"(3), "d"(0), "c"(0));
	CHECK(cpuid2(0xd, 0).b == 576, "XCR0=3 gives size %u", cpuid2(0xd, 0).b);
	if ((c.a & 7) == 7) {
		asm volatile("xsetbv" : : "a"(7), "d"(0), "c"(0));
		p = cpuid2(0xd, 2);
		NEED(cpuid2(0xd, 0).b != 576, "size stays, as in a guest of QEMU's SVM");
		CHECK(cpuid2(0xd, 0).b == p.a + p.b, "XCR0=7 gives size %u", cpuid2(0xd, 0).b);
	}
	write_cr4(read_cr4() & ~(ulong)X86_CR4_OSXSAVE);
	return NULL;
}

TEST(cpuid_address_sizes, "cpuid: address sizes are sane")
{
	u32 a;

	NEED(cpuid(0x80000000).a >= 0x80000008, "no leaf");
	a = cpuid(0x80000008).a;
	CHECK((a & 0xff) >= 32 && (a & 0xff) <= 52, "physical %u bits", a & 0xff);
	CHECK((a >> 8 & 0xff) == 48 || (a >> 8 & 0xff) == 57 || (a >> 8 & 0xff) == 32,
	      "linear %u bits", a >> 8 & 0xff);
	return NULL;
}

TEST(cpuid_beyond, "cpuid: leaves beyond the maximum do not fault")
{
	u32 leaf;

	for (leaf = 0; leaf < 0x40; leaf++) {
		cpuid2(leaf, 0xffffffff);
		cpuid(0x20000000 + leaf);
		cpuid(0x40010000 + leaf);
		cpuid(0x80000000 + leaf);
		cpuid(0xc0000000 + leaf);
	}
	return NULL;
}
