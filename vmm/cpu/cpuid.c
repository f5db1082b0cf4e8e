/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What kind of CPU this is, and the control registers every CPU gets. Leaves as SDM 2A "CPUID" and
 * APM 3 appendix E have them.
 */
#include "boot.h"
#include "cpu.h"
#include "vmm/emulate/x86_regs.h"
#include "vmm/cpu/cpu.h"

struct host_cpu host_cpu;

#define E8_EBX_XSAVEERPTR BIT(2)

static void read_strings(struct host_cpu *h)
{
	uint32_t r[12], a;

	cpuid_count(0, 0, &h->max_leaf, &r[0], &r[2], &r[1]);
	memcpy(h->vendor, r, 12);
	cpuid_count(0x80000000, 0, &h->max_ext_leaf, &r[0], &r[1], &r[2]);
	if (h->max_ext_leaf < 0x80000004)
		return;
	for (a = 0; a < 3; a++)
		cpuid_count(0x80000002 + a, 0, &r[a * 4], &r[a * 4 + 1], &r[a * 4 + 2],
			    &r[a * 4 + 3]);
	memcpy(h->brand, r, 48);
}

static void read_signature(struct host_cpu *h)
{
	uint32_t a, b;

	cpuid_count(1, 0, &a, &b, &h->f1_ecx, &h->f1_edx);
	h->family = (a >> 8) & 15;
	h->model = (a >> 4) & 15;
	h->stepping = a & 15;
	if (h->family == 15 || h->family == 6)
		h->model |= (a >> 12) & 0xf0;
	if (h->family == 15)
		h->family += (a >> 20) & 0xff;
}

static void read_xsave(struct host_cpu *h)
{
	uint32_t a, b, c, d;

	h->xsave_size = 512;
	if (!(h->f1_ecx & CPUID_1_ECX_XSAVE) || h->max_leaf < 0xd)
		return;
	h->xsave = true;
	cpuid_count(0xd, 0, &a, &b, &c, &d);
	h->xcr0_mask = ((uint64_t)d << 32) | a;
	h->xsave_size = c;
	cpuid_count(0xd, 1, &h->d1_eax, &b, &c, &d);
	cpuid_count(0xd, 9, &a, &h->pkru_offset, &c, &d);
}

/* AMD's way of FXSAVE and FXRSTOR, until XSAVEERPTR says otherwise (APM volume 2, 11.4.4). */
static bool amd_design(const struct host_cpu *h)
{
	return !strcmp(h->vendor, "AuthenticAMD") || !strcmp(h->vendor, "HygonGenuine");
}

void cpuid_init(void)
{
	struct host_cpu *h = &host_cpu;
	uint32_t a, b, c, d;

	read_strings(h);
	read_signature(h);
	if (h->max_leaf >= 7)
		cpuid_count(7, 0, &a, &h->f7_ebx, &h->f7_ecx, &h->f7_edx);
	if (h->f7_edx & F7_EDX_ARCH_CAPS)
		h->arch_caps = rdmsr(MSR_ARCH_CAPABILITIES);
	cpuid_count(0x80000001, 0, &a, &b, &h->e1_ecx, &h->e1_edx);
	if (h->max_ext_leaf >= 0x80000007)
		cpuid_count(0x80000007, 0, &a, &b, &c, &h->e7_edx);
	h->phys_bits = 36;
	if (h->max_ext_leaf >= 0x80000008) {
		cpuid_count(0x80000008, 0, &a, &b, &c, &d);
		h->phys_bits = min(a & 0xff, GPA_BITS);
		h->x87_pointers_stay = amd_design(h) && !(b & E8_EBX_XSAVEERPTR);
	}
	h->pages_1g = h->e1_edx & BIT(26);
	h->nx = h->e1_edx & BIT(20);
	h->x2apic = h->f1_ecx & BIT(21);
	h->tsc_deadline = h->f1_ecx & BIT(24);
	h->invariant_tsc = h->e7_edx & BIT(8);
	read_xsave(h);
}

void cpu_control_init(void)
{
	uint64_t cr4 = X86_CR4_PAE | X86_CR4_PGE | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT;

	if (host_cpu.f1_edx & BIT(7))
		cr4 |= X86_CR4_MCE;
	if (host_cpu.xsave)
		cr4 |= X86_CR4_OSXSAVE;
	if (host_cpu.nx)
		wrmsr(MSR_EFER, rdmsr(MSR_EFER) | X86_EFER_NX);
	wrmsr(MSR_PAT, VMM_PAT);
	write_cr4(cr4);
	write_cr0(X86_CR0_PG | X86_CR0_WP | X86_CR0_NE | X86_CR0_ET | X86_CR0_MP | X86_CR0_PE);
	if (host_cpu.xsave)
		xsetbv0(host_cpu.xcr0_mask);
}
