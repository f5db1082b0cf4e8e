// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Controls from capability registers: for each, what has to be on, what is used where it exists,
 * and what must not be forced on. Every CPU with EPT that was ever sold has all that is required
 * here; an emulator or another hypervisor may not. Without EPT all domains run on shadow tables. SDM volume 3, appendix A.2
 * to A.10.
 */
#include "controls.h"

struct wish {
	uint32_t required, wanted;
};

/* False: a required control cannot be on, or one that we did not ask for cannot be off. */
static bool settle(uint64_t cap, const struct wish *w, uint32_t harmless, uint32_t *out)
{
	uint32_t must = (uint32_t)cap, may = (uint32_t)(cap >> 32);

	if ((w->required & may) != w->required)
		return false;
	*out = must | w->required | (w->wanted & may);
	return !(must & ~(w->required | w->wanted | harmless));
}

/* Controls of the "default 1" class (A.2), which CPUs without the TRUE registers have always on. */
#define PIN_DEFAULT1   0x16U
#define PROC_DEFAULT1  0x0401e172U
#define EXIT_DEFAULT1  0x36dffU
#define ENTRY_DEFAULT1 0x11ffU

static const char *compute_primary(const struct vmx_cap_msrs *m, struct vmx_controls *c)
{
	static const struct wish pin = { PIN_EXT_INTR | PIN_NMI | PIN_VIRTUAL_NMI, 0 };
	static const struct wish proc = { PROC_INTR_WINDOW | PROC_TSC_OFFSET | PROC_HLT |
						  PROC_MWAIT | PROC_RDPMC | PROC_NMI_WINDOW |
						  PROC_MOV_DR | PROC_IO_BITMAPS | PROC_MSR_BITMAPS |
						  PROC_MONITOR,
					  PROC_TPR_SHADOW | PROC_SECONDARY };

	if (!settle(m->pin, &pin, PIN_DEFAULT1, &c->pin))
		return "virtual NMIs";
	if (!settle(m->proc, &proc, PROC_DEFAULT1, &c->proc))
		return "the primary execution controls";
	c->preemption_timer = m->pin >> 32 & PIN_PREEMPTION_TIMER;
	/* On only while they are asked for. */
	c->proc &= ~(uint32_t)(PROC_INTR_WINDOW | PROC_NMI_WINDOW) | (uint32_t)m->proc;
	c->tpr_shadow = c->proc & PROC_TPR_SHADOW;
	if (!c->tpr_shadow)
		c->proc |= PROC_CR8_LOAD | PROC_CR8_STORE;
	if ((c->proc & ~(uint32_t)(m->proc >> 32)))
		return "exits for CR8";
	/* On while the guest's CR3 is not its own. */
	if (~(uint32_t)(m->proc >> 32) & (PROC_CR3_LOAD | PROC_CR3_STORE))
		return "exits for CR3";
	return NULL;
}

static const char *compute_secondary(const struct vmx_cap_msrs *m, struct vmx_controls *c)
{
	struct wish w = { 0, PROC2_RDTSCP | PROC2_VPID | PROC2_WBINVD | PROC2_ENCLS };
	uint32_t may = (uint32_t)(m->proc2 >> 32);

	if (c->ept)
		w.wanted |= PROC2_EPT | PROC2_UNRESTRICTED | PROC2_INVPCID;
	if (!(m->ept_vpid & VPID_CAP_INVVPID) ||
	    !(m->ept_vpid & (VPID_CAP_INVVPID_SINGLE | VPID_CAP_INVVPID_ALL)))
		w.wanted &= ~(uint32_t)PROC2_VPID;
	if (!settle(m->proc2, &w, 0, &c->proc2))
		return "the secondary execution controls";
	c->vpid = c->proc2 & PROC2_VPID;
	c->invvpid_single = m->ept_vpid & VPID_CAP_INVVPID_SINGLE;
	c->unrestricted = c->proc2 & PROC2_UNRESTRICTED;
	/* With it walks count as writes (28.2.4), which the read-only tables of realmode.c do not allow. */
	c->ept_dirty = (m->ept_vpid & EPT_CAP_AD) && c->unrestricted;
	/* These are on or off by the mode of the guest's local APIC. */
	c->apic_access = c->tpr_shadow && (may & PROC2_APIC_ACCESS);
	c->apic_registers = c->apic_access && (may & PROC2_APIC_REGISTERS);
	c->vintr_delivery = c->apic_registers && (may & PROC2_VINTR_DELIVERY);
	c->x2apic = c->tpr_shadow && (may & PROC2_X2APIC);
	return NULL;
}

/* Registers that entries and exits switch; each of these only where both can. */
static const char *compute_switches(const struct vmx_cap_msrs *m, struct vmx_controls *c)
{
	uint32_t at_exit = (uint32_t)(m->exit >> 32), at_entry = (uint32_t)(m->entry >> 32);
	struct wish exit = { EXIT_HOST_64 | EXIT_SAVE_DEBUG, 0 };
	struct wish entry = { ENTRY_LOAD_DEBUG | ENTRY_IA32E, 0 };

	c->load_efer = (at_exit & EXIT_LOAD_EFER) && (at_entry & ENTRY_LOAD_EFER);
	if (c->load_efer) {
		exit.wanted |= EXIT_LOAD_EFER;
		entry.wanted |= ENTRY_LOAD_EFER;
	}
	c->load_pat = (at_exit & EXIT_LOAD_PAT) && (at_entry & ENTRY_LOAD_PAT);
	if (c->load_pat) {
		exit.wanted |= EXIT_LOAD_PAT;
		entry.wanted |= ENTRY_LOAD_PAT;
	}
	if (!settle(m->exit, &exit, EXIT_DEFAULT1, &c->exit))
		return "exits to a 64-bit host";
	if (!settle(m->entry, &entry, ENTRY_DEFAULT1, &c->entry))
		return "entries of a 64-bit guest";
	c->entry &= ~(uint32_t)ENTRY_IA32E;
	return NULL;
}

/*
 * Four levels in write-back memory, which can be flushed; and the guest has a PAT and an NXE of its own. NULL, or what
 * keeps the CPU from it.
 */
static const char *compute_ept(const struct vmx_cap_msrs *m, struct vmx_controls *c)
{
	if (!(m->proc2 >> 32 & PROC2_EPT))
		return "EPT (nested paging)";
	if (!(m->ept_vpid & EPT_CAP_4_LEVELS) || !(m->ept_vpid & EPT_CAP_WB))
		return "EPT with four levels in write-back memory";
	if (!(m->ept_vpid & EPT_CAP_INVEPT) ||
	    !(m->ept_vpid & (EPT_CAP_INVEPT_SINGLE | EPT_CAP_INVEPT_ALL)))
		return "INVEPT";
	if (!c->load_efer || !c->load_pat)
		return "loading EFER and PAT at entries and exits";
	c->ept = true;
	c->max_leaf_level = m->ept_vpid & EPT_CAP_2M ? m->ept_vpid & EPT_CAP_1G ? 3 : 2 : 1;
	c->invept_single = m->ept_vpid & EPT_CAP_INVEPT_SINGLE;
	return NULL;
}

/* The vCPU's own pin-based controls have them while its vLAPIC's mode allows it (26.2.1.1). */
static void compute_posted(const struct vmx_cap_msrs *m, struct vmx_controls *c)
{
	c->posted = c->vintr_delivery && (m->pin >> 32 & PIN_POSTED) &&
		    (m->exit >> 32 & EXIT_ACK_INTERRUPT);
	if (c->posted)
		c->exit |= EXIT_ACK_INTERRUPT;
}

const char *vmx_controls_compute(const struct vmx_cap_msrs *m, struct vmx_controls *out)
{
	const char *missing;

	*out = (struct vmx_controls){ 0 };
	if (VMX_BASIC_MEMTYPE(m->basic) != 6)
		return "a VMCS in write-back memory";
	missing = compute_primary(m, out);
	if (!missing)
		missing = compute_switches(m, out);
	if (missing)
		return missing;
	out->no_ept = compute_ept(m, out);
	missing = compute_secondary(m, out);
	if (missing)
		return missing;
	compute_posted(m, out);
	out->cr0_must = m->cr0_fixed[0];
	out->cr0_may = m->cr0_fixed[1];
	out->cr4_must = m->cr4_fixed[0];
	out->cr4_may = m->cr4_fixed[1];
	return NULL;
}
