// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Instructions that the VMM executes for a guest: what they do to the vCPU's state, and that nothing is flushed which
 * hardware would keep. The vendor's half counts what it is told.
 */
#include "cases.h"
#include "guest_access.h"
#include "hvm_ops.h"
#include "vmm/hvm/internal.h"
#include "vlapic.h"
#include "vmm/emulate/x86_emulate.h"

#define CODE_GFN   ARG_GFN
#define GOOD_GFN   (SCRATCH_GFN + 0)
#define BAD_GFN	   (SCRATCH_GFN + 1)
#define DIR_GFN	   (SCRATCH_GFN + 2)
#define AT(gfn)	   ((uint64_t)(gfn) << PAGE_SHIFT)
#define PAGE_LARGE 0x83ULL /* present, writable, 2 MiB */

static unsigned int crs_changed, flushes, debug_changes;

static void count_state(struct vcpu *v, uint32_t mask)
{
	crs_changed += !!(mask & HVM_CRS);
	debug_changes += !!(mask & HVM_DRS);
	fake_hvm_ops.set_state(v, mask);
}
static void count_flush(struct vcpu *v)
{
	(void)v;
	flushes++;
}
static struct hvm_ops counting_ops;

static struct vcpu *start(uint8_t vendor, bool wide)
{
	struct vcpu *v;

	counting_ops = fake_hvm_ops;
	counting_ops.set_state = count_state;
	counting_ops.flush_vcpu = count_flush;
	counting_ops.emulated_vendor = vendor;
	change_machine(&counting_ops);
	v = domain_vcpu(dom(DOMID_B), 0);
	EXPECT(machine_become(v, wide), == true);
	v->hvm.event.type = HVM_EVENT_NONE;
	return v;
}

static void end(void)
{
	machine_pass(NS_PER_US);
	change_machine(&fake_hvm_ops);
}

static void run(struct vcpu *v, const char *code, unsigned int len)
{
	memcpy(guest_page(DOMID_B, CODE_GFN), code, len);
	v->regs.rip = AT(CODE_GFN);
	v->hvm.event.type = HVM_EVENT_NONE;
	crs_changed = flushes = debug_changes = 0;
	hvm_emulate(v, NULL, 0);
}

#define RUN(v, code) run(v, code, sizeof(code) - 1)

static bool faulted(const struct vcpu *v, unsigned int vector)
{
	return v->hvm.event.type == HVM_EVENT_EXC && v->hvm.event.vector == vector;
}

/* A trap after an emulated instruction, and after one that has an exit of its own. */
CASE(a_single_step_flushes_nothing)
{
	struct vcpu *v = start(X86_VENDOR_AMD, true);

	v->regs.rflags = 2 | X86_EFLAGS_TF;
	v->dr6 = 0xffff0ff0;
	RUN(v, "\x90");
	EXPECT(faulted(v, X86_EXC_DB), == true);
	EXPECT(v->regs.rip, == AT(CODE_GFN) + 1);
	EXPECT(v->dr6, == 0xffff4ff0);
	EXPECT(crs_changed + flushes, == 0);
	EXPECT(debug_changes, == 1);
	v->hvm.event.type = HVM_EVENT_NONE;
	v->dr6 = 0xffff0ff0;
	hvm_exit_cpuid(v, 2);
	EXPECT(faulted(v, X86_EXC_DB), == true);
	EXPECT(v->dr6, == 0xffff4ff0);
	EXPECT(crs_changed + flushes, == 0);
	v->regs.rflags = 2;
	v->regs.gpr[X86_RAX] = 0xffff0ff1;
	RUN(v, "\x0f\x23\xf0"); /* mov dr6, rax */
	RUN(v, "\x0f\x23\xf8"); /* mov dr7, rax */
	RUN(v, "\x0f\x22\xd0"); /* mov cr2, rax */
	EXPECT(v->cr2, == 0xffff0ff1);
	EXPECT(crs_changed + flushes, == 0);
	end();
}

CASE(cr8_faults_before_it_changes)
{
	struct vcpu *v = start(X86_VENDOR_AMD, true);

	v->regs.rflags = 2;
	EXPECT(hvm_cr_write(v, 8, 5), == 0);
	EXPECT(vlapic_tpr(v->hvm.vlapic), == 0x50);
	EXPECT(hvm_cr_write(v, 8, 0x1f), == -EINVAL);
	EXPECT(vlapic_tpr(v->hvm.vlapic), == 0x50);
	v->regs.gpr[X86_RAX] = BIT(63) | 1;
	RUN(v, "\x44\x0f\x22\xc0"); /* mov cr8, rax */
	EXPECT(faulted(v, X86_EXC_GP), == true);
	EXPECT(vlapic_tpr(v->hvm.vlapic), == 0x50);
	v->regs.gpr[X86_RAX] = 2;
	RUN(v, "\x44\x0f\x22\xc0");
	EXPECT(faulted(v, X86_EXC_GP), == false);
	EXPECT(vlapic_tpr(v->hvm.vlapic), == 0x20);
	hvm_cr_write(v, 8, 0);
	end();
}

/* Two sets of PDPTEs for the first 2 MiB; the second has a reserved bit. */
static void make_tables(void)
{
	uint64_t *good = guest_page(DOMID_B, GOOD_GFN), *bad = guest_page(DOMID_B, BAD_GFN);
	uint64_t *dir = guest_page(DOMID_B, DIR_GFN);

	memset(good, 0, PAGE_SIZE);
	memset(bad, 0, PAGE_SIZE);
	memset(dir, 0, PAGE_SIZE);
	good[0] = bad[0] = AT(DIR_GFN) | 1;
	bad[3] = AT(DIR_GFN) | 1 | BIT(1);
	dir[0] = PAGE_LARGE;
}

CASE(moves_to_control_registers_look_at_pdptes)
{
	struct vcpu *v = start(X86_VENDOR_AMD, false);

	make_tables();
	v->regs.rflags = 2;
	v->cr4 = X86_CR4_PAE;
	v->cr3 = AT(BAD_GFN);
	v->regs.gpr[X86_RAX] = v->cr0 | X86_CR0_PG;
	RUN(v, "\x0f\x22\xc0"); /* mov cr0, eax */
	EXPECT(faulted(v, X86_EXC_GP), == true);
	EXPECT(v->cr0 & X86_CR0_PG, == 0);
	v->cr3 = AT(GOOD_GFN);
	RUN(v, "\x0f\x22\xc0");
	EXPECT(faulted(v, X86_EXC_GP), == false);
	EXPECT(v->cr0 & X86_CR0_PG, != 0);
	EXPECT(crs_changed, == 1);

	v->regs.gpr[X86_RAX] = AT(BAD_GFN);
	RUN(v, "\x0f\x22\xd8"); /* mov cr3, eax */
	EXPECT(faulted(v, X86_EXC_GP), == true);
	EXPECT(v->cr3, == AT(GOOD_GFN));
	v->regs.gpr[X86_RAX] = AT(GOOD_GFN);
	RUN(v, "\x0f\x22\xd8");
	EXPECT(faulted(v, X86_EXC_GP), == false);

	/* The tables become bad under the register: a move that loads them faults, another one does not. */
	((uint64_t *)guest_page(DOMID_B, GOOD_GFN))[3] = AT(DIR_GFN) | 1 | BIT(1);
	v->regs.gpr[X86_RAX] = v->cr4 | X86_CR4_PGE;
	RUN(v, "\x0f\x22\xe0"); /* mov cr4, eax */
	EXPECT(faulted(v, X86_EXC_GP), == true);
	EXPECT(v->cr4, == X86_CR4_PAE);
	v->regs.gpr[X86_RAX] = v->cr4 | BIT(3); /* DE */
	RUN(v, "\x0f\x22\xe0");
	EXPECT(faulted(v, X86_EXC_GP), == false);
	v->cr0 |= X86_CR0_TS;
	RUN(v, "\x0f\x06"); /* clts */
	EXPECT(faulted(v, X86_EXC_GP), == false);
	EXPECT(v->cr0 & X86_CR0_TS, == 0);
	v->cr0 &= ~X86_CR0_PG;
	end();
}

/* Frame DIR_GFN is a table of all four levels; its entries lead to itself, with key 3. */
CASE(protection_keys_hold_for_what_we_do_for_a_guest)
{
	static uint8_t image[4096] __aligned(64);
	struct vcpu *v = start(X86_VENDOR_AMD, true);
	uint64_t *table = guest_page(DOMID_B, DIR_GFN), bv = BIT(9);
	uint32_t pkru = 2U << 6, pfec = 0;
	void *area = v->fpu.area;
	gpa_t gpa;

	for (unsigned int i = 0; i < 512; i++)
		table[i] = AT(DIR_GFN) | 7 | 3ULL << 59;
	fake_cpu.current = fake_cpu.idle; /* its keys are in the image */
	v->fpu.area = image;
	v->cr0 |= X86_CR0_PG | X86_CR0_WP;
	v->cr4 = X86_CR4_PAE | X86_CR4_PKE;
	v->cr3 = AT(DIR_GFN);
	host_cpu.xcr0_mask = BIT(9);
	host_cpu.pkru_offset = 2688;
	memcpy(image + 512, &bv, sizeof(bv));
	memcpy(image + 2688, &pkru, sizeof(pkru));
	EXPECT(guest_walk(v, 0, PFEC_U, &gpa, &pfec), == 0);
	EXPECT(guest_walk(v, 0, PFEC_U | PFEC_W, &gpa, &pfec), == -EFAULT);
	EXPECT(pfec, == (PFEC_P | PFEC_U | PFEC_W | PFEC_PK));
	EXPECT(guest_walk(v, 0, PFEC_W, &gpa, &pfec), == -EFAULT);
	v->cr0 &= ~X86_CR0_WP;
	EXPECT(guest_walk(v, 0, PFEC_W, &gpa, &pfec), == 0);
	pkru = 1U << 6;
	memcpy(image + 2688, &pkru, sizeof(pkru));
	EXPECT(guest_walk(v, 0, PFEC_U, &gpa, &pfec), == -EFAULT);
	EXPECT(guest_walk(v, 0, PFEC_U | PFEC_I, &gpa, &pfec), == 0);
	pkru = 3U << 8; /* another key */
	memcpy(image + 2688, &pkru, sizeof(pkru));
	EXPECT(guest_walk(v, 0, PFEC_U | PFEC_W, &gpa, &pfec), == 0);
	v->cr4 &= ~X86_CR4_PKE;
	pkru = ~0U;
	memcpy(image + 2688, &pkru, sizeof(pkru));
	EXPECT(guest_walk(v, 0, PFEC_U | PFEC_W, &gpa, &pfec), == 0);
	host_cpu.xcr0_mask = 0;
	v->fpu.area = area;
	v->cr0 &= ~X86_CR0_PG;
	fake_cpu.current = v;
	end();
}

/* Long mode has no PDPTEs to look at: CR3 names another kind of table. */
CASE(long_mode_has_no_pdptes)
{
	struct vcpu *v = start(X86_VENDOR_AMD, true);

	make_tables();
	v->regs.rflags = 2;
	v->regs.gpr[X86_RAX] = AT(BAD_GFN);
	RUN(v, "\x0f\x22\xd8");
	EXPECT(faulted(v, X86_EXC_GP), == false);
	EXPECT(v->cr3, == AT(BAD_GFN));
	end();
}

/* As a 32-bit Linux leaves its kernel: STI, then SYSEXIT, which is emulated where a shadow would be lost. */
CASE(sysexit_of_a_32_bit_kernel)
{
	struct vcpu *v = start(X86_VENDOR_AMD, false);
	struct x86_segment cs, ss;

	v->hvm.msr = (struct hvm_msr_state){ .sysenter_cs = 0x60 };
	hvm_set_state(v, HVM_MSRS);
	v->regs.rflags = 0x202;
	v->regs.gpr[X86_RCX] = 0xbfff1000;
	v->regs.gpr[X86_RDX] = 0xb7f01234;
	RUN(v, "\x0f\x35");
	cs = *hvm_seg(v, X86_SEG_CS);
	ss = *hvm_seg(v, X86_SEG_SS);
	EXPECT(dom(DOMID_B)->shutting_down, == false);
	EXPECT(v->regs.rip, == 0xb7f01234);
	EXPECT(v->regs.gpr[X86_RSP], == 0xbfff1000);
	EXPECT(cs.sel, == 0x73);
	EXPECT(ss.sel, == 0x7b);
	EXPECT(ss.attr, == 0xcf3);
	end();
}

/* x87 code is not emulated: it is told, so that the guest can execute it by itself. */
CASE(an_unknown_instruction_can_be_tried)
{
	struct vcpu *v = start(X86_VENDOR_AMD, true);

	v->regs.rflags = 2;
	memcpy(guest_page(DOMID_B, CODE_GFN), "\xd9\xe8", 2); /* fld1 */
	v->regs.rip = AT(CODE_GFN);
	EXPECT(hvm_emulate_try(v), == false);
	EXPECT(dom(DOMID_B)->shutting_down, == false);
	EXPECT(v->regs.rip, == AT(CODE_GFN));
	memcpy(guest_page(DOMID_B, CODE_GFN), "\xf8", 1);
	EXPECT(hvm_emulate_try(v), == true);
	EXPECT(v->regs.rip, == AT(CODE_GFN) + 1);
	end();
}
