/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VT-x: an entry that the processor refuses, and which rule we say is broken. A 64-bit guest in xAPIC mode on Haswell that
 * may enter, then one thing wrong at a time (SDM volume 3, 26.2 and 26.3).
 */
#include "lib.h"
#include "unit.h"
#include "vmx/controls.h"
#include "vmx_cpus.h"

static struct {
	uint32_t field;
	uint64_t value;
} vmcs[] = {
	{ CTL_PIN, 0x3f },
	{ CTL_PROC, 0xb6a06dfa },
	{ CTL_PROC2, 0x10eb },
	{ CTL_EXIT, 0x2befff },
	{ CTL_ENTRY, 0xd3ff },
	{ IO_BITMAP_A, 0x1000 },
	{ IO_BITMAP_B, 0x2000 },
	{ MSR_BITMAP, 0x3000 },
	{ VIRTUAL_APIC_PAGE, 0x4000 },
	{ APIC_ACCESS_PAGE, 0x5000 },
	{ POSTED_VECTOR, 0xf2 },
	{ POSTED_DESCRIPTOR, 0x6000 },
	{ EPT_POINTER, 0x705e },
	{ VPID, 1 },
	{ TPR_THRESHOLD, 0 },
	{ ENTRY_INTR_INFO, 0 },
	{ ENTRY_ERROR_CODE, 0 },
	{ ENTRY_INSN_LEN, 0 },
	{ GUEST_CR0, 0x80050033 },
	{ GUEST_CR3, 0x1000 },
	{ GUEST_CR4, 0x26b0 },
	{ GUEST_EFER, 0xd01 },
	{ GUEST_RFLAGS, 0x202 },
	{ GUEST_RIP, 0xffffffff81000000 },
	{ GUEST_DR7, 0x400 },
	{ GUEST_PAT, 0x7040600070406 },
	{ GUEST_CS_SELECTOR, 0x10 },
	{ GUEST_CS_AR, 0xa09b },
	{ GUEST_CS_LIMIT, 0xffffffff },
	{ GUEST_SS_SELECTOR, 0x18 },
	{ GUEST_SS_AR, 0xc093 },
	{ GUEST_SS_LIMIT, 0xffffffff },
	{ GUEST_DS_AR, 0x10000 },
	{ GUEST_ES_AR, 0x10000 },
	{ GUEST_FS_AR, 0x10000 },
	{ GUEST_GS_AR, 0x10000 },
	{ GUEST_LDTR_AR, 0x10000 },
	{ GUEST_TR_SELECTOR, 0x40 },
	{ GUEST_TR_AR, 0x8b },
	{ GUEST_TR_LIMIT, 0x206f },
	{ GUEST_GDTR_LIMIT, 0x7f },
	{ GUEST_IDTR_LIMIT, 0xfff },
	{ GUEST_TR_BASE, 0 },
	{ GUEST_LDTR_LIMIT, 0 },
	{ GUEST_SYSENTER_ESP, 0 },
	{ GUEST_INTERRUPTIBILITY, 0 },
	{ GUEST_PENDING_DEBUG, 0 },
	{ GUEST_CS_BASE, 0 },
	{ GUEST_PDPTE0, 0 },
};

static uint64_t *field_of(uint32_t field)
{
	for (size_t i = 0; i < ARRAY_SIZE(vmcs); i++)
		if (vmcs[i].field == field)
			return &vmcs[i].value;
	return NULL;
}

static uint64_t read_vmcs(enum vmcs_field field)
{
	const uint64_t *value = field_of(field);

	return value ? *value : 0;
}

/* A field, a value that is wrong in it, and a piece of what is said then. */
struct wrong {
	uint32_t field;
	uint64_t value;
	const char *text;
};

static void expect_each(const struct wrong *wrong, size_t nr, void (*expect)(const char *text))
{
	for (size_t i = 0; i < nr; i++) {
		uint64_t *place = field_of(wrong[i].field), right = *place;

		*place = wrong[i].value;
		expect(wrong[i].text);
		*place = right;
	}
}

static void expect_text(const char *says, const char *text)
{
	if (!strstr(says, text))
		unit_fail(__FILE__, __LINE__, "%s", says);
}

static void expect_rule(const char *text)
{
	struct vmx_controls c;

	EXPECT(!vmx_controls_compute(&haswell, &c));
	expect_text(vmx_broken_rule_in(read_vmcs, &c, 39), text);
}

TEST(vmx_broken_rules)
{
	static const struct wrong wrong[] = {
		{ GUEST_CR0, 0x80050013, "CR0 has a bit" },
		{ GUEST_CR0, 0x80050032, "CR0.PG without CR0.PE" },
		{ GUEST_CR4, 0x6b0, "CR4 has a bit" },
		{ GUEST_CR4, 0x2690, "IA-32e mode without" },
		{ GUEST_CR3, 1ULL << 40, "CR3 is wider" },
		{ GUEST_DR7, 1ULL << 32, "DR7" },
		{ GUEST_SYSENTER_ESP, 1ULL << 47, "SYSENTER" },
		{ GUEST_PAT, 0x7040600070402, "PAT" },
		{ GUEST_EFER, 0x1d01, "EFER has a reserved" },
		{ GUEST_EFER, 0xc01, "EFER.LMA" },
		{ GUEST_TR_AR, 0x89, "TR is not" },
		{ GUEST_TR_BASE, 1ULL << 47, "TR's base" },
		{ GUEST_LDTR_AR, 0x83, "LDTR" },
		{ GUEST_CS_AR, 0xa09a, "CS is not" },
		{ GUEST_CS_AR, 0xe09b, "CS.L together" },
		{ GUEST_SS_AR, 0xc091, "SS is not" },
		{ GUEST_DS_AR, 0xc092, "a data segment" },
		{ GUEST_SS_LIMIT, 0xfffffffe, "granularity" },
		{ GUEST_CS_BASE, 1ULL << 32, "a segment's base" },
		{ GUEST_IDTR_LIMIT, 0x10000, "GDTR or IDTR" },
		{ GUEST_RIP, 1ULL << 47, "RIP" },
		{ GUEST_RFLAGS, 0x200, "RFLAGS has a reserved" },
		{ GUEST_INTERRUPTIBILITY, 3, "interruptibility" },
	};

	expect_rule("no rule");
	expect_each(wrong, ARRAY_SIZE(wrong), expect_rule);
	/* An interrupt into a guest that has IF clear. */
	*field_of(ENTRY_INTR_INFO) = 0x80000020;
	expect_rule("no rule");
	*field_of(GUEST_RFLAGS) = 2;
	expect_rule("an interrupt is injected");
	*field_of(GUEST_RFLAGS) = 0x202;
	*field_of(ENTRY_INTR_INFO) = 0;
}

/* A 32-bit guest with PAE: with EPT the PDPTEs are in the VMCS, on shadow tables they are in memory, and real mode is not entered. */
TEST(vmx_broken_rules_on_shadow_tables)
{
	*field_of(CTL_ENTRY) &= ~(uint64_t)ENTRY_IA32E;
	*field_of(GUEST_EFER) = 0x800;
	*field_of(GUEST_RIP) = 0x100000;
	*field_of(GUEST_CS_AR) = 0xc09b;
	expect_rule("no rule");
	*field_of(GUEST_PDPTE0) = 0x1003;
	expect_rule("a PDPTE");
	*field_of(CTL_PROC2) &= ~(uint64_t)(PROC2_EPT | PROC2_UNRESTRICTED);
	expect_rule("no rule");
	*field_of(GUEST_CR0) = 0x60030;
	expect_rule("CR0 has a bit");
	*field_of(CTL_PROC2) |= PROC2_EPT | PROC2_UNRESTRICTED;
	expect_rule("no rule");
	/* EFER and PAT of the VMCS are not looked at where entries do not load them. */
	*field_of(GUEST_EFER) = 0x1d01;
	expect_rule("EFER has a reserved");
	*field_of(CTL_ENTRY) &= ~(uint64_t)(ENTRY_LOAD_EFER | ENTRY_LOAD_PAT);
	*field_of(GUEST_PAT) = 2;
	expect_rule("no rule");
	*field_of(GUEST_PAT) = 0x7040600070406;
	*field_of(CTL_ENTRY) |= ENTRY_LOAD_EFER | ENTRY_LOAD_PAT;

	*field_of(GUEST_CR0) = 0x80050033;
	*field_of(GUEST_PDPTE0) = 0;
	*field_of(GUEST_CS_AR) = 0xa09b;
	*field_of(GUEST_RIP) = 0xffffffff81000000;
	*field_of(GUEST_EFER) = 0xd01;
	*field_of(CTL_ENTRY) |= ENTRY_IA32E;
	expect_rule("no rule");
}

static void expect_control(const struct vmx_cap_msrs *m, const char *text)
{
	expect_text(vmx_broken_control_in(read_vmcs, m, 39), text);
}

static void expect_haswells(const char *text)
{
	expect_control(&haswell, text);
}

TEST(vmx_broken_controls)
{
	static const struct wrong wrong[] = {
		{ CTL_PIN, 0xbf, "a pin-based control" },
		{ CTL_PROC, 0xb6a06dfa & ~BIT(1), "a primary control" },
		{ CTL_PROC2, 0x10eb | PROC2_VINTR_DELIVERY, "a secondary control" },
		{ MSR_BITMAP, 0x3800, "bitmap" },
		{ IO_BITMAP_B, 1ULL << 39, "bitmap" },
		{ VIRTUAL_APIC_PAGE, 0x4010, "virtual-APIC page" },
		{ TPR_THRESHOLD, 0x20, "TPR threshold" },
		{ CTL_PIN, 0x37, "virtual NMIs" },
		{ APIC_ACCESS_PAGE, 0x5001, "APIC-access page" },
		{ CTL_PROC, 0xb6a06dfa & ~PROC_TPR_SHADOW, "no rule" }, /* for this test's PROC2 */
		{ CTL_PROC2, 0x10eb | PROC2_X2APIC, "by page and by MSR" },
		{ VPID, 0, "VPID" },
		{ EPT_POINTER, 0x705b, "EPT pointer" },
		{ EPT_POINTER, 0x7056, "EPT pointer" },
		{ CTL_PROC2, 0x10e9, "without EPT" },
		{ CTL_EXIT, 0x2beffb, "no rule" }, /* bit 2 may be off by the TRUE registers */
		{ CTL_EXIT, 0x2beffe, "an exit control" },
		{ CTL_ENTRY, 0x1d3ff, "an entry control" },
		{ ENTRY_INTR_INFO, 0x80000120, "an event that does not exist" },
		{ ENTRY_INTR_INFO, 0x80000203, "an event that does not exist" },
		{ ENTRY_INTR_INFO, 0x80000202, "no rule" },
		{ ENTRY_INTR_INFO, 0x80000320, "an event that does not exist" },
		{ ENTRY_INTR_INFO, 0x80001020, "an event that does not exist" },
		{ ENTRY_INTR_INFO, 0x80000b0d, "no rule" },
		{ ENTRY_INTR_INFO, 0x8000030d, "error code" }, /* #GP without one */
		{ ENTRY_INTR_INFO, 0x80000b06, "error code" }, /* #UD with one */
		{ ENTRY_INTR_INFO, 0x80000880, "error code" }, /* an interrupt with one */
		{ ENTRY_INTR_INFO, 0x80000480, "instruction length" },
		{ ENTRY_INTR_INFO, 0xd0d, "no rule" }, /* not valid, so nothing is injected */
	};

	expect_control(&haswell, "no rule");
	expect_each(wrong, ARRAY_SIZE(wrong), expect_haswells);
}

/* Rules about controls that Haswell does not have, and that depend on several fields. */
TEST(vmx_broken_controls_together)
{
	struct vmx_cap_msrs m = haswell;

	m.proc2 |= (uint64_t)(PROC2_APIC_REGISTERS | PROC2_VINTR_DELIVERY) << 32;
	m.pin |= (uint64_t)PIN_POSTED << 32;
	*field_of(CTL_PIN) |= PIN_POSTED;
	expect_control(&m, "posted interrupts");
	*field_of(CTL_PROC2) |= PROC2_APIC_REGISTERS | PROC2_VINTR_DELIVERY;
	*field_of(TPR_THRESHOLD) = 0x20; /* not looked at with virtual-interrupt delivery */
	expect_control(&m, "no rule");
	*field_of(CTL_EXIT) &= ~(uint64_t)EXIT_ACK_INTERRUPT;
	expect_control(&m, "posted interrupts");
	*field_of(CTL_EXIT) |= EXIT_ACK_INTERRUPT;
	*field_of(POSTED_DESCRIPTOR) = 0x6020;
	expect_control(&m, "posted interrupts");
	*field_of(POSTED_DESCRIPTOR) = 0x6000;
	*field_of(CTL_PROC) &= ~(uint64_t)PROC_TPR_SHADOW;
	expect_control(&m, "without the TPR shadow");
	*field_of(CTL_PROC) |= PROC_TPR_SHADOW;
	*field_of(CTL_PIN) = 0x3f;
	*field_of(CTL_PROC2) = 0x10eb;
	*field_of(TPR_THRESHOLD) = 0;

	/* Real mode pushes no error codes; CPUs with bit 56 of IA32_VMX_BASIC take both forms. */
	*field_of(GUEST_CR0) = 0x30;
	*field_of(ENTRY_INTR_INFO) = 0x80000b0d;
	expect_control(&haswell, "error code");
	*field_of(ENTRY_INTR_INFO) = 0x8000030d;
	expect_control(&haswell, "no rule");
	*field_of(GUEST_CR0) = 0x80050033;
	m.basic |= VMX_BASIC_ANY_ERROR;
	expect_control(&m, "no rule");
	*field_of(ENTRY_INTR_INFO) = 0x80000b06;
	expect_control(&m, "no rule");
	*field_of(ENTRY_ERROR_CODE) = 0x10000;
	expect_control(&m, "error code");
	*field_of(ENTRY_ERROR_CODE) = 0;
	*field_of(ENTRY_INTR_INFO) = 0;
	expect_control(&haswell, "no rule");
}
