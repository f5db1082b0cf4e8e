// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Why was an entry refused? Hardware says only "invalid guest state": here the rules of SDM volume
 * 3, 26.3.1 are gone through in order, on the VMCS as it was, and the first one that does not hold
 * is named. Rules that our own code cannot break (host state, SMM) are left out.
 */
#include "vmx.h"

struct guest_view {
	vmcs_reader read;
	const struct vmx_controls *controls;
	unsigned int phys_bits;
	uint32_t entry;
	uint64_t cr0, cr3, cr4, efer, rflags;
	bool long_mode, vm86, unrestricted, ept;
};

struct rule {
	bool (*broken)(const struct guest_view *g);
	const char *text;
};

static bool canonical(uint64_t a)
{
	return (uint64_t)((int64_t)(a << 16) >> 16) == a;
}

static uint32_t ar(const struct guest_view *g, enum vmcs_field field)
{
	return (uint32_t)g->read(field);
}

static bool usable(const struct guest_view *g, enum vmcs_field field)
{
	return !(ar(g, field) & AR_UNUSABLE);
}

/* --- control registers and MSRs: 26.3.1.1 --- */

static bool cr0_fixed(const struct guest_view *g)
{
	uint64_t must = vmx_cr0_must(g->controls, g->unrestricted);

	return (g->cr0 & must) != must || (g->cr0 & ~g->controls->cr0_may);
}

static bool cr4_fixed(const struct guest_view *g)
{
	const struct vmx_controls *c = g->controls;

	return (g->cr4 & c->cr4_must) != c->cr4_must || (g->cr4 & ~c->cr4_may);
}

static bool pg_without_pe(const struct guest_view *g)
{
	return (g->cr0 & X86_CR0_PG) && !(g->cr0 & X86_CR0_PE);
}

static bool long_mode_paging(const struct guest_view *g)
{
	return g->long_mode && (!(g->cr0 & X86_CR0_PG) || !(g->cr4 & X86_CR4_PAE));
}

static bool pcid_outside(const struct guest_view *g)
{
	return !g->long_mode && (g->cr4 & X86_CR4_PCIDE);
}

static bool cr3_wide(const struct guest_view *g)
{
	return g->cr3 >> g->phys_bits;
}

static bool efer_lma(const struct guest_view *g)
{
	bool lma = g->efer & X86_EFER_LMA, lme = g->efer & X86_EFER_LME;

	if (!(g->entry & ENTRY_LOAD_EFER))
		return false;
	return lma != g->long_mode || ((g->cr0 & X86_CR0_PG) && lma != lme);
}

static bool efer_reserved(const struct guest_view *g)
{
	return g->entry & ENTRY_LOAD_EFER &&
	       g->efer & ~(X86_EFER_SCE | X86_EFER_LME | X86_EFER_LMA | X86_EFER_NX);
}

static bool dr7_high(const struct guest_view *g)
{
	return g->read(GUEST_DR7) >> 32;
}

static bool sysenter_canonical(const struct guest_view *g)
{
	return !canonical(g->read(GUEST_SYSENTER_ESP)) || !canonical(g->read(GUEST_SYSENTER_EIP));
}

static bool pat_types(const struct guest_view *g)
{
	bool loaded = g->entry & ENTRY_LOAD_PAT;
	uint64_t pat = loaded ? g->read(GUEST_PAT) : 0;

	for (unsigned int i = 0; i < 64; i += 8) {
		uint8_t type = (uint8_t)(pat >> i);

		if (type > 7 || type == 2 || type == 3)
			return true;
	}
	return false;
}

/* --- segments: 26.3.1.2 --- */

static bool tr_type(const struct guest_view *g)
{
	uint32_t type = ar(g, GUEST_TR_AR) & 0x1f;

	return !usable(g, GUEST_TR_AR) || !(ar(g, GUEST_TR_AR) & X86_ATTR_P) ||
	       !(type == 11 || (type == 3 && !g->long_mode));
}

static bool tr_base(const struct guest_view *g)
{
	return !canonical(g->read(GUEST_TR_BASE)) || (g->read(GUEST_TR_SELECTOR) & 4);
}

static bool ldtr_wrong(const struct guest_view *g)
{
	return usable(g, GUEST_LDTR_AR) &&
	       ((ar(g, GUEST_LDTR_AR) & 0x9f) != 0x82 || !canonical(g->read(GUEST_LDTR_BASE)) ||
		(g->read(GUEST_LDTR_SELECTOR) & 4));
}

static bool cs_type(const struct guest_view *g)
{
	uint32_t type = ar(g, GUEST_CS_AR) & 0x1f;

	if (g->vm86)
		return false;
	return !usable(g, GUEST_CS_AR) || !(ar(g, GUEST_CS_AR) & X86_ATTR_P) ||
	       !((type & 0x19) == 0x19 || (type == 0x13 && g->unrestricted));
}

static bool cs_l_and_db(const struct guest_view *g)
{
	return g->long_mode && (ar(g, GUEST_CS_AR) & BIT(13)) && (ar(g, GUEST_CS_AR) & BIT(14));
}

static bool ss_type(const struct guest_view *g)
{
	uint32_t type = ar(g, GUEST_SS_AR) & 0x1f;

	return !g->vm86 && usable(g, GUEST_SS_AR) && type != 0x13 && type != 0x17;
}

static bool ss_dpl(const struct guest_view *g)
{
	uint32_t dpl = ar(g, GUEST_SS_AR) >> 5 & 3;

	if (g->vm86)
		return false;
	if (!(g->cr0 & X86_CR0_PE) || (ar(g, GUEST_CS_AR) & 0xf) == 3)
		return dpl != 0;
	return !g->unrestricted && dpl != (g->read(GUEST_SS_SELECTOR) & 3);
}

static bool data_types(const struct guest_view *g)
{
	static const enum vmcs_field fields[] = { GUEST_ES_AR, GUEST_DS_AR, GUEST_FS_AR,
						  GUEST_GS_AR };

	for (unsigned int i = 0; !g->vm86 && i < ARRAY_SIZE(fields); i++) {
		uint32_t a = ar(g, fields[i]);

		if ((a & AR_UNUSABLE))
			continue;
		if ((a & 0x91) != 0x91 || ((a & 8) && !(a & 2)) || (a & 0xfffe0f00))
			return true;
	}
	return false;
}

static bool granularity(const struct guest_view *g)
{
	static const enum vmcs_field fields[][2] = {
		{ GUEST_ES_AR, GUEST_ES_LIMIT }, { GUEST_CS_AR, GUEST_CS_LIMIT },
		{ GUEST_SS_AR, GUEST_SS_LIMIT }, { GUEST_DS_AR, GUEST_DS_LIMIT },
		{ GUEST_FS_AR, GUEST_FS_LIMIT }, { GUEST_GS_AR, GUEST_GS_LIMIT },
		{ GUEST_TR_AR, GUEST_TR_LIMIT }, { GUEST_LDTR_AR, GUEST_LDTR_LIMIT },
	};

	for (unsigned int i = 0; !g->vm86 && i < ARRAY_SIZE(fields); i++) {
		uint64_t limit = g->read(fields[i][1]);
		bool fine = !(ar(g, fields[i][0]) & BIT(15));

		if (usable(g, fields[i][0]) &&
		    (((limit & 0xfff) != 0xfff && !fine) || (limit >> 20 && fine)))
			return true;
	}
	return false;
}

static bool base_wrong(const struct guest_view *g)
{
	static const enum vmcs_field narrow[][2] = {
		{ GUEST_SS_AR, GUEST_SS_BASE },
		{ GUEST_DS_AR, GUEST_DS_BASE },
		{ GUEST_ES_AR, GUEST_ES_BASE },
	};

	if (g->read(GUEST_CS_BASE) >> 32 || !canonical(g->read(GUEST_FS_BASE)) ||
	    !canonical(g->read(GUEST_GS_BASE)))
		return true;
	for (unsigned int i = 0; i < ARRAY_SIZE(narrow); i++)
		if (usable(g, narrow[i][0]) && g->read(narrow[i][1]) >> 32)
			return true;
	return false;
}

static bool vm86_segments(const struct guest_view *g)
{
	static const enum vmcs_field f[][4] = {
		{ GUEST_ES_SELECTOR, GUEST_ES_BASE, GUEST_ES_LIMIT, GUEST_ES_AR },
		{ GUEST_CS_SELECTOR, GUEST_CS_BASE, GUEST_CS_LIMIT, GUEST_CS_AR },
		{ GUEST_SS_SELECTOR, GUEST_SS_BASE, GUEST_SS_LIMIT, GUEST_SS_AR },
		{ GUEST_DS_SELECTOR, GUEST_DS_BASE, GUEST_DS_LIMIT, GUEST_DS_AR },
		{ GUEST_FS_SELECTOR, GUEST_FS_BASE, GUEST_FS_LIMIT, GUEST_FS_AR },
		{ GUEST_GS_SELECTOR, GUEST_GS_BASE, GUEST_GS_LIMIT, GUEST_GS_AR },
	};

	for (unsigned int i = 0; g->vm86 && i < ARRAY_SIZE(f); i++)
		if (g->read(f[i][1]) != g->read(f[i][0]) << 4 || g->read(f[i][2]) != 0xffff ||
		    g->read(f[i][3]) != 0xf3)
			return true;
	return false;
}

static bool tables_wrong(const struct guest_view *g)
{
	return !canonical(g->read(GUEST_GDTR_BASE)) || !canonical(g->read(GUEST_IDTR_BASE)) ||
	       g->read(GUEST_GDTR_LIMIT) >> 16 || g->read(GUEST_IDTR_LIMIT) >> 16;
}

/* --- RIP, RFLAGS, the rest: 26.3.1.4 to 26.3.1.6 --- */

static bool rip_wide(const struct guest_view *g)
{
	uint64_t rip = g->read(GUEST_RIP);

	if (g->long_mode && (ar(g, GUEST_CS_AR) & BIT(13)))
		return !canonical(rip);
	return rip >> 32;
}

static bool rflags_reserved(const struct guest_view *g)
{
	return (g->rflags & ~0x3f7fd7ULL) || !(g->rflags & 2);
}

static bool rflags_vm(const struct guest_view *g)
{
	return g->vm86 && (g->long_mode || !(g->cr0 & X86_CR0_PE));
}

static bool injection_if(const struct guest_view *g)
{
	uint64_t info = g->read(ENTRY_INTR_INFO);

	return (info & INTR_VALID) && INTR_TYPE(info) == INTR_T_EXTINT &&
	       (!(g->rflags & X86_EFLAGS_IF) || (g->read(GUEST_INTERRUPTIBILITY) & 3));
}

static bool interruptibility(const struct guest_view *g)
{
	uint64_t i = g->read(GUEST_INTERRUPTIBILITY);

	return (i & ~0x1fULL) || (i & 3) == 3 || ((i & 1) && !(g->rflags & X86_EFLAGS_IF));
}

static bool pending_debug(const struct guest_view *g)
{
	bool bs = g->read(GUEST_PENDING_DEBUG) & BIT(14);
	bool step = (g->rflags & X86_EFLAGS_TF) && !(g->read(GUEST_DEBUGCTL) & 2);

	return (g->read(GUEST_INTERRUPTIBILITY) & 3) && bs != step;
}

static bool pdptes(const struct guest_view *g)
{
	static const enum vmcs_field fields[] = { GUEST_PDPTE0, GUEST_PDPTE1, GUEST_PDPTE2,
						  GUEST_PDPTE3 };

	if (!(g->cr0 & X86_CR0_PG) || !(g->cr4 & X86_CR4_PAE) || g->long_mode || !g->ept)
		return false; /* without EPT those that CR3 points to are looked at */
	for (unsigned int i = 0; i < ARRAY_SIZE(fields); i++) {
		uint64_t e = g->read(fields[i]);

		if ((e & 1) && (e & (0x1e6 | ~(BIT(g->phys_bits) - 1))))
			return true;
	}
	return false;
}

static const struct rule rules[] = {
	{ cr0_fixed, "CR0 has a bit that must or must not be set in VMX operation" },
	{ pg_without_pe, "CR0.PG without CR0.PE" },
	{ cr4_fixed, "CR4 has a bit that must or must not be set in VMX operation" },
	{ long_mode_paging, "IA-32e mode without CR0.PG or CR4.PAE" },
	{ pcid_outside, "CR4.PCIDE outside IA-32e mode" },
	{ cr3_wide, "CR3 is wider than physical addresses" },
	{ dr7_high, "DR7 has a high bit set" },
	{ sysenter_canonical, "a SYSENTER address is not canonical" },
	{ pat_types, "PAT has a type that does not exist" },
	{ efer_reserved, "EFER has a reserved bit set" },
	{ efer_lma, "EFER.LMA, EFER.LME, CR0.PG and the IA-32e control disagree" },
	{ vm86_segments, "a segment does not look like virtual-8086 mode's" },
	{ tr_type, "TR is not a busy task" },
	{ tr_base, "TR's base or selector" },
	{ ldtr_wrong, "LDTR is not a local descriptor table" },
	{ cs_type, "CS is not an accessed code segment" },
	{ cs_l_and_db, "CS.L together with CS.D" },
	{ ss_type, "SS is not an accessed, writable data segment" },
	{ ss_dpl, "SS's privilege level" },
	{ data_types, "a data segment's type" },
	{ granularity, "a segment's granularity disagrees with its limit" },
	{ base_wrong, "a segment's base" },
	{ tables_wrong, "GDTR or IDTR" },
	{ rip_wide, "RIP is out of range" },
	{ rflags_reserved, "RFLAGS has a reserved bit wrong" },
	{ rflags_vm, "RFLAGS.VM in IA-32e or real mode" },
	{ injection_if, "an interrupt is injected that the guest cannot take" },
	{ interruptibility, "the interruptibility state" },
	{ pending_debug, "a pending single step disagrees with RFLAGS.TF" },
	{ pdptes, "a PDPTE has a reserved bit set" },
};

const char *vmx_broken_rule_in(vmcs_reader read, const struct vmx_controls *c,
			       unsigned int phys_bits)
{
	struct guest_view g = {
		.read = read,
		.controls = c,
		.phys_bits = phys_bits,
		.cr0 = read(GUEST_CR0),
		.cr3 = read(GUEST_CR3),
		.cr4 = read(GUEST_CR4),
		.rflags = read(GUEST_RFLAGS),
		.entry = (uint32_t)read(CTL_ENTRY),
	};

	g.vm86 = g.rflags & X86_EFLAGS_VM;
	g.long_mode = g.entry & ENTRY_IA32E;
	if (g.entry & ENTRY_LOAD_EFER)
		g.efer = read(GUEST_EFER);
	if (read(CTL_PROC) & PROC_SECONDARY) {
		g.unrestricted = read(CTL_PROC2) & PROC2_UNRESTRICTED;
		g.ept = read(CTL_PROC2) & PROC2_EPT;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(rules); i++)
		if (rules[i].broken(&g))
			return rules[i].text;
	return "no rule that is checked here is broken; see the fields";
}
