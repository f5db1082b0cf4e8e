// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Why was an entry refused with "invalid control fields"? The rules of SDM volume 3, 26.2.1 for the controls, in the
 * order of that section: the first one that does not hold is named. Fields that never change after vmcs.c has
 * written them are left out; check.c has the rules for the guest's state.
 */
#include "lib.h"
#include "controls.h"
#include "vmm/emulate/x86_regs.h"

struct control_view {
	vmcs_reader read;
	const struct vmx_cap_msrs *caps;
	unsigned int phys_bits;
	uint32_t pin, proc, proc2, exit, entry, event;
};

struct control_rule {
	bool (*broken)(const struct control_view *c);
	const char *text;
};

/* Must-be-one bits are in the low half of a capability register, may-be-one bits in the high half. */
static bool illegal(uint64_t cap, uint32_t value)
{
	return (value & (uint32_t)cap) != (uint32_t)cap || (value & ~(uint32_t)(cap >> 32));
}

/* A physical address that hardware uses: aligned, and no wider than the CPU's addresses. */
static bool address_wrong(const struct control_view *c, enum vmcs_field field, uint64_t alignment)
{
	uint64_t a = c->read(field);

	return (a & (alignment - 1)) || a >> c->phys_bits;
}

/* --- execution controls: 26.2.1.1 --- */

static bool pin_illegal(const struct control_view *c)
{
	return illegal(c->caps->pin, c->pin);
}

static bool proc_illegal(const struct control_view *c)
{
	return illegal(c->caps->proc, c->proc);
}

static bool proc2_illegal(const struct control_view *c)
{
	return (c->proc & PROC_SECONDARY) && illegal(c->caps->proc2, c->proc2);
}

static bool bitmaps_wrong(const struct control_view *c)
{
	if ((c->proc & PROC_MSR_BITMAPS) && address_wrong(c, MSR_BITMAP, 4096))
		return true;
	return (c->proc & PROC_IO_BITMAPS) &&
	       (address_wrong(c, IO_BITMAP_A, 4096) || address_wrong(c, IO_BITMAP_B, 4096));
}

static bool virtual_apic_wrong(const struct control_view *c)
{
	return (c->proc & PROC_TPR_SHADOW) && address_wrong(c, VIRTUAL_APIC_PAGE, 4096);
}

static bool threshold_wrong(const struct control_view *c)
{
	return (c->proc & PROC_TPR_SHADOW) && !(c->proc2 & PROC2_VINTR_DELIVERY) &&
	       (c->read(TPR_THRESHOLD) & ~0xfULL);
}

static bool nmis_disagree(const struct control_view *c)
{
	if (!(c->pin & PIN_NMI) && (c->pin & PIN_VIRTUAL_NMI))
		return true;
	return !(c->pin & PIN_VIRTUAL_NMI) && (c->proc & PROC_NMI_WINDOW);
}

static bool apic_access_wrong(const struct control_view *c)
{
	return (c->proc2 & PROC2_APIC_ACCESS) && address_wrong(c, APIC_ACCESS_PAGE, 4096);
}

static bool apic_without_shadow(const struct control_view *c)
{
	return !(c->proc & PROC_TPR_SHADOW) &&
	       (c->proc2 & (PROC2_X2APIC | PROC2_APIC_REGISTERS | PROC2_VINTR_DELIVERY));
}

static bool apic_modes_disagree(const struct control_view *c)
{
	return (c->proc2 & PROC2_X2APIC) && (c->proc2 & PROC2_APIC_ACCESS);
}

static bool delivery_without_exits(const struct control_view *c)
{
	return (c->proc2 & PROC2_VINTR_DELIVERY) && !(c->pin & PIN_EXT_INTR);
}

static bool posting_wrong(const struct control_view *c)
{
	if (!(c->pin & PIN_POSTED))
		return false;
	return !(c->proc2 & PROC2_VINTR_DELIVERY) || !(c->exit & EXIT_ACK_INTERRUPT) ||
	       c->read(POSTED_VECTOR) > 0xff || address_wrong(c, POSTED_DESCRIPTOR, 64);
}

static bool vpid_zero(const struct control_view *c)
{
	return (c->proc2 & PROC2_VPID) && !c->read(VPID);
}

/* Memory type 0-2, levels less one 3-5, accessed and dirty bits 6, then the table (24.6.11). */
static bool eptp_wrong(const struct control_view *c)
{
	uint64_t eptp = c->read(EPT_POINTER), type = eptp & 7;

	if (!(c->proc2 & PROC2_EPT))
		return false;
	if ((type != 6 || !(c->caps->ept_vpid & EPT_CAP_WB)) && type != 0)
		return true;
	return (eptp >> 3 & 7) != 3 || (eptp & 0xf80) || eptp >> c->phys_bits ||
	       ((eptp & BIT(6)) && !(c->caps->ept_vpid & EPT_CAP_AD));
}

static bool unrestricted_without_ept(const struct control_view *c)
{
	return (c->proc2 & PROC2_UNRESTRICTED) && !(c->proc2 & PROC2_EPT);
}

/* --- exit and entry controls: 26.2.1.2 and 26.2.1.3 --- */

static bool exit_illegal(const struct control_view *c)
{
	return illegal(c->caps->exit, c->exit);
}

static bool entry_illegal(const struct control_view *c)
{
	return illegal(c->caps->entry, c->entry);
}

static bool event_type(const struct control_view *c)
{
	uint32_t type = INTR_TYPE(c->event), vector = INTR_VECTOR(c->event);

	if (!(c->event & INTR_VALID))
		return false;
	return (c->event & 0x7ffff000U) || type == 1 || type == 7 ||
	       (type == INTR_T_NMI && vector != 2) || (type == INTR_T_EXC && vector > 31);
}

/* Exceptions that push an error code in protected mode: #DF, #TS, #NP, #SS, #GP, #PF, #AC. */
#define WITH_ERROR_CODE                                                                            \
	(BIT(X86_EXC_DF) | BIT(X86_EXC_TS) | BIT(X86_EXC_NP) | BIT(X86_EXC_SS) | BIT(X86_EXC_GP) | \
	 BIT(X86_EXC_PF) | BIT(X86_EXC_AC))

/* CPUs of the days of CET deliver every exception with or without a code (A.1, bit 56). */
static bool event_error_code(const struct control_view *c)
{
	bool real = (c->proc2 & PROC2_UNRESTRICTED) && !(c->read(GUEST_CR0) & X86_CR0_PE);
	bool exception = !real && INTR_TYPE(c->event) == INTR_T_EXC && INTR_VECTOR(c->event) < 32;
	bool pushes = exception && (WITH_ERROR_CODE & BIT(INTR_VECTOR(c->event)));
	bool any = c->caps->basic & VMX_BASIC_ANY_ERROR, has = c->event & INTR_HAS_ERROR;

	if (!(c->event & INTR_VALID))
		return false;
	if (has ? !(pushes || (exception && any)) : pushes && !any)
		return true;
	return has && c->read(ENTRY_ERROR_CODE) >> 16;
}

static bool event_length(const struct control_view *c)
{
	uint64_t len = c->read(ENTRY_INSN_LEN);

	return (c->event & INTR_VALID) && INTR_TYPE(c->event) >= INTR_T_SWINT &&
	       (len < 1 || len > 15);
}

static const struct control_rule rules[] = {
	{ pin_illegal, "a pin-based control that this CPU does not allow" },
	{ proc_illegal, "a primary control that this CPU does not allow" },
	{ proc2_illegal, "a secondary control that this CPU does not allow" },
	{ bitmaps_wrong, "the address of an I/O or MSR bitmap" },
	{ virtual_apic_wrong, "the address of the virtual-APIC page" },
	{ threshold_wrong, "the TPR threshold" },
	{ nmis_disagree, "virtual NMIs without exits for NMIs, or their window without them" },
	{ apic_access_wrong, "the address of the APIC-access page" },
	{ apic_without_shadow, "APIC virtualization without the TPR shadow" },
	{ apic_modes_disagree, "APIC accesses by page and by MSR together" },
	{ delivery_without_exits, "virtual-interrupt delivery without exits for interrupts" },
	{ posting_wrong, "posted interrupts lack what they need" },
	{ vpid_zero, "a VPID of 0" },
	{ eptp_wrong, "the EPT pointer" },
	{ unrestricted_without_ept, "unrestricted guest without EPT" },
	{ exit_illegal, "an exit control that this CPU does not allow" },
	{ entry_illegal, "an entry control that this CPU does not allow" },
	{ event_type, "an event that does not exist is injected" },
	{ event_error_code, "an injected event's error code" },
	{ event_length, "an injected software event's instruction length" },
};

const char *vmx_broken_control_in(vmcs_reader read, const struct vmx_cap_msrs *caps,
				  unsigned int phys_bits)
{
	struct control_view c = {
		.read = read,
		.caps = caps,
		.phys_bits = phys_bits,
		.pin = (uint32_t)read(CTL_PIN),
		.proc = (uint32_t)read(CTL_PROC),
		.exit = (uint32_t)read(CTL_EXIT),
		.entry = (uint32_t)read(CTL_ENTRY),
		.event = (uint32_t)read(ENTRY_INTR_INFO),
	};

	if (c.proc & PROC_SECONDARY)
		c.proc2 = (uint32_t)read(CTL_PROC2);
	for (unsigned int i = 0; i < ARRAY_SIZE(rules); i++)
		if (rules[i].broken(&c))
			return rules[i].text;
	return "no rule that is checked here is broken; see the fields";
}
