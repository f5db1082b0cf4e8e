/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VT-x: controls from capability registers as real CPUs have them, and EPT entries judged by a
 * model of the hardware's checks (SDM volume 3, 28.2.3).
 */
#include "lib.h"
#include "domain.h"
#include "mtrr.h"
#include "p2m.h"
#include "unit.h"
#include "vmx/controls.h"
#include "vmx/hazards.h"
#include "vmx_cpus.h"

extern struct p2m_format vmx_ept_format;

uint8_t mtrr_host_type(maddr_t a, uint64_t len)
{
	(void)len;
	return a.v >= 0xe0000000 ? 1 : 0; /* write-combining above, else uncached */
}

static bool allowed(uint64_t cap, uint32_t value)
{
	return (value & (uint32_t)cap) == (uint32_t)cap && !(value & ~(uint32_t)(cap >> 32));
}

static void expect_legal(const struct vmx_cap_msrs *m, const struct vmx_controls *c)
{
	EXPECT(allowed(m->pin, c->pin));
	EXPECT(allowed(m->proc, c->proc));
	EXPECT(allowed(m->proc2, c->proc2));
	EXPECT(allowed(m->exit, c->exit));
	EXPECT(allowed(m->entry, c->entry));
}

TEST(vmx_controls_posted)
{
	struct vmx_cap_msrs m = haswell;
	struct vmx_controls c;

	EXPECT(!vmx_controls_compute(&m, &c) && !c.posted);
	m.pin |= (uint64_t)PIN_POSTED << 32;
	EXPECT(!vmx_controls_compute(&m, &c) &&
	       !c.posted); /* not without virtual-interrupt delivery */
	m.proc2 |= (uint64_t)(PROC2_APIC_REGISTERS | PROC2_VINTR_DELIVERY) << 32;
	EXPECT(!vmx_controls_compute(&m, &c) && c.posted);
	expect_legal(&m, &c);
	EXPECT(c.exit & EXIT_ACK_INTERRUPT);
	EXPECT(!(c.pin & PIN_POSTED)); /* the vCPU's mode decides */
}

/* Used only on request: preempt.c asks for it. */
TEST(vmx_controls_preemption_timer)
{
	struct vmx_cap_msrs m = haswell;
	struct vmx_controls c;

	EXPECT(!vmx_controls_compute(&m, &c) && c.preemption_timer);
	EXPECT(!(c.pin & PIN_PREEMPTION_TIMER));
	m.pin &= ~((uint64_t)PIN_PREEMPTION_TIMER << 32);
	EXPECT(!vmx_controls_compute(&m, &c) && !c.preemption_timer);
	expect_legal(&m, &c);
}

TEST(vmx_controls_haswell)
{
	struct vmx_controls c;

	EXPECT(!vmx_controls_compute(&haswell, &c));
	expect_legal(&haswell, &c);
	EXPECT(c.unrestricted && c.vpid && c.tpr_shadow && c.apic_access && c.ept_dirty);
	EXPECT(c.ept && !c.no_ept && c.load_efer && c.load_pat && c.max_leaf_level == 3);
	EXPECT(!(c.proc & (PROC_CR3_LOAD | PROC_CR3_STORE | PROC_CR8_LOAD | PROC_RDTSC)));
	EXPECT(!(c.proc & (PROC_INTR_WINDOW | PROC_NMI_WINDOW)));
	EXPECT(vmx_cr0_must(&c, true) == 0x20);
	EXPECT(vmx_cr0_must(&c, false) == 0x80000021); /* on shadow tables */
	EXPECT(!(c.exit & EXIT_ACK_INTERRUPT));	       /* the run loop's window takes interrupts */
	EXPECT(!(c.entry & ENTRY_IA32E));
}

/* Lynnfield: EPT and VPID, but no unrestricted guest; 2 MiB pages at most. */
TEST(vmx_controls_no_unrestricted_guest)
{
	struct vmx_cap_msrs m = haswell;
	struct vmx_controls c;

	m.proc2 = 0x0000007b00000000 & ~((uint64_t)PROC2_UNRESTRICTED << 32);
	m.ept_vpid &= ~(uint64_t)(EPT_CAP_1G | EPT_CAP_AD);
	EXPECT(!vmx_controls_compute(&m, &c));
	expect_legal(&m, &c);
	EXPECT(!c.unrestricted && c.max_leaf_level == 2);
	EXPECT(vmx_cr0_must(&c, c.unrestricted) == 0x80000021);
	/* No such CPU exists, but a hypervisor below us can look like one. */
	m.ept_vpid |= EPT_CAP_AD;
	EXPECT(!vmx_controls_compute(&m, &c) && !c.ept_dirty);
}

/* Without the TRUE registers CR3 exits cannot be switched off; that is no reason to refuse. */
TEST(vmx_controls_default1)
{
	struct vmx_cap_msrs m = haswell;
	struct vmx_controls c;

	m.basic &= ~VMX_BASIC_TRUE;
	m.proc |= 0x0401e172;
	m.exit |= 0x36dff;
	m.entry |= 0x11ff;
	EXPECT(!vmx_controls_compute(&m, &c));
	expect_legal(&m, &c);
	EXPECT(c.proc & PROC_CR3_LOAD);
}

TEST(vmx_controls_fallbacks)
{
	struct vmx_cap_msrs m = haswell;
	struct vmx_controls c;

	m.proc &= ~((uint64_t)PROC_TPR_SHADOW << 32);
	EXPECT(!vmx_controls_compute(&m, &c));
	expect_legal(&m, &c);
	EXPECT(!c.tpr_shadow && !c.apic_access && !c.apic_registers);
	EXPECT((c.proc & (PROC_CR8_LOAD | PROC_CR8_STORE)) == (PROC_CR8_LOAD | PROC_CR8_STORE));

	m = haswell;
	m.proc &= ~((uint64_t)PROC_CR3_LOAD << 32);
	EXPECT(strstr(vmx_controls_compute(&m, &c), "CR3") != NULL);

	m = haswell;
	m.ept_vpid &= ~VPID_CAP_INVVPID; /* a VPID that cannot be flushed is of no use */
	EXPECT(!vmx_controls_compute(&m, &c));
	EXPECT(!c.vpid && !(c.proc2 & PROC2_VPID));
}

TEST(vmx_controls_refusals)
{
	static const struct {
		uint64_t pin, exit, entry, basic;
		const char *says;
	} lacks[] = {
		{ (uint64_t)PIN_VIRTUAL_NMI << 32, 0, 0, 0, "virtual NMIs" },
		{ 0, (uint64_t)EXIT_HOST_64 << 32, 0, 0, "64-bit host" },
		{ 0, 0, (uint64_t)ENTRY_IA32E << 32, 0, "64-bit guest" },
		{ 0, 0, 0, 6ULL << 50, "write-back" },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(lacks); i++) {
		struct vmx_cap_msrs m = haswell;
		struct vmx_controls c;
		const char *why;

		m.pin &= ~lacks[i].pin;
		m.exit &= ~lacks[i].exit;
		m.entry &= ~lacks[i].entry;
		m.basic &= ~lacks[i].basic;
		why = vmx_controls_compute(&m, &c);
		EXPECT(why && strstr(why, lacks[i].says));
	}
}

/* What only nested paging needs: without it guests are on shadow tables, and the log says what is missing. */
TEST(vmx_controls_without_ept)
{
	static const struct {
		uint64_t proc2, ept, exit, entry;
		const char *says;
	} lacks[] = {
		{ (uint64_t)PROC2_EPT << 32, 0, 0, 0, "EPT (nested paging)" },
		{ 0, EPT_CAP_4_LEVELS, 0, 0, "four levels" },
		{ 0, EPT_CAP_INVEPT, 0, 0, "INVEPT" },
		{ 0, 0, (uint64_t)EXIT_LOAD_EFER << 32, 0, "EFER" },
		{ 0, 0, 0, (uint64_t)ENTRY_LOAD_PAT << 32, "PAT" },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(lacks); i++) {
		struct vmx_cap_msrs m = haswell;
		struct vmx_controls c;

		m.proc2 &= ~lacks[i].proc2;
		m.ept_vpid &= ~lacks[i].ept;
		m.exit &= ~lacks[i].exit;
		m.entry &= ~lacks[i].entry;
		EXPECT(!vmx_controls_compute(&m, &c));
		expect_legal(&m, &c);
		EXPECT(!c.ept && c.no_ept && strstr(c.no_ept, lacks[i].says));
		EXPECT(!(c.proc2 & (PROC2_EPT | PROC2_UNRESTRICTED | PROC2_INVPCID)));
		EXPECT(!c.unrestricted && !c.ept_dirty && c.vpid);
		/* Switched by both or by neither. */
		EXPECT(!(c.exit & EXIT_LOAD_EFER) == !(c.entry & ENTRY_LOAD_EFER));
		EXPECT(!(c.exit & EXIT_LOAD_PAT) == !(c.entry & ENTRY_LOAD_PAT));
	}
}

TEST(vmx_controls_penryn)
{
	struct vmx_cap_msrs m = penryn;
	struct vmx_controls c;

	EXPECT(!vmx_controls_compute(&m, &c));
	expect_legal(&m, &c);
	EXPECT(c.no_ept && !c.ept && !c.vpid && !c.unrestricted && !c.load_efer && !c.load_pat);
	EXPECT(c.tpr_shadow && c.apic_access && !c.apic_registers && !c.posted);
	EXPECT(c.proc2 == PROC2_WBINVD);
	EXPECT(vmx_cr0_must(&c, c.unrestricted) == 0x80000021);
	/* Merom, before it: no secondary controls at all. */
	m.proc &= ~((uint64_t)PROC_SECONDARY << 32);
	m.proc2 = 0;
	EXPECT(!vmx_controls_compute(&m, &c));
	expect_legal(&m, &c);
	EXPECT(!(c.proc & PROC_SECONDARY) && !c.proc2 && !c.apic_access && c.no_ept);
}

/* Exits for ENCLS where a CPU has SGX. */
TEST(vmx_controls_sgx)
{
	struct vmx_cap_msrs m = haswell;
	struct vmx_controls c;

	EXPECT(!vmx_controls_compute(&m, &c) && !(c.proc2 & PROC2_ENCLS));
	m.proc2 |= (uint64_t)PROC2_ENCLS << 32;
	EXPECT(!vmx_controls_compute(&m, &c) && (c.proc2 & PROC2_ENCLS));
	expect_legal(&m, &c);
}

/* A control that is forced on and that we do not know would bring exits that nobody serves. */
TEST(vmx_controls_forced)
{
	struct vmx_cap_msrs m = haswell;
	struct vmx_controls c;

	m.proc |= PROC_RDTSC;
	EXPECT(vmx_controls_compute(&m, &c) != NULL);
}

/* --- EPT
 * ------------------------------------------------------------------------------------------ */

/* What makes hardware report a misconfiguration at this level, with 39 address bits. */
static bool misconfigured(uint64_t e, unsigned int level)
{
	uint64_t mt = e >> 3 & 7;
	bool leaf = level == 1 || (e & BIT(7));

	if (!(e & 7))
		return false;
	if ((e & 3) == 2) /* writable, not readable */
		return true;
	if (e & 0x000fff8000000000ULL)
		return true;
	if (!leaf)
		return e & 0xf8;
	if (level > 1 && (e & (BIT(9 * (level - 1) + 12) - 1) & ~0xfffULL))
		return true;
	return mt == 2 || mt == 3 || mt == 7;
}

static bool wants_write(enum p2m_type t)
{
	return t == P2M_RAM_RW || t == P2M_MMIO_DIRECT || t == P2M_FOREIGN || t == P2M_GRANT_RW;
}

static bool wants_read(enum p2m_type t)
{
	return p2m_has_page(t) || t == P2M_MMIO_DIRECT;
}

static void check_leaf(const struct domain *d, enum p2m_type t, enum p2m_access a,
		       unsigned int level)
{
	bool page = wants_read(t);
	struct p2m_entry in = { .mfn = page ? _mfn(0x40000) : INVALID_MFN, .type = t, .access = a };
	struct p2m_entry out = { .order = 9 * (level - 1) };
	uint64_t e = vmx_ept_format.make_leaf(d, &in, _gfn(0x40000), level);

	EXPECT(!misconfigured(e, level));
	EXPECT(!p2m_pte_is_table(e, level));
	EXPECT(!!(e & BIT(0)) == (page && a != P2M_ACCESS_N));
	EXPECT(!!(e & BIT(1)) == (wants_write(t) && (a == P2M_ACCESS_RWX || a == P2M_ACCESS_RW)));
	if (e & BIT(2))
		EXPECT(p2m_is_ram(t) && (a == P2M_ACCESS_RWX || a == P2M_ACCESS_RX));
	p2m_pte_parse(e, &out);
	EXPECT(out.type == t && out.access == a);
	if (e & 7)
		EXPECT(out.mfn.v == in.mfn.v);
	else
		EXPECT(!mfn_valid_value(out.mfn));
}

TEST(vmx_ept_leaves)
{
	static struct domain guest, host = { .is_dom0 = true };

	for (unsigned int t = 0; t < P2M_TYPE_COUNT; t++)
		for (unsigned int a = P2M_ACCESS_RWX; a <= P2M_ACCESS_N; a++)
			for (unsigned int level = 1; level <= 3; level++) {
				check_leaf(&guest, (enum p2m_type)t, (enum p2m_access)a, level);
				check_leaf(&host, (enum p2m_type)t, (enum p2m_access)a, level);
			}
}

TEST(vmx_ept_tables)
{
	uint64_t e = vmx_ept_format.make_table(_maddr(0x12345000));

	for (unsigned int level = 2; level <= 4; level++) {
		EXPECT(!misconfigured(e, level));
		EXPECT(p2m_pte_is_table(e, level));
	}
	EXPECT((e & 0x000ffffffffff000ULL) == 0x12345000);
	EXPECT(!p2m_pte_is_table(0, 4));
}

static unsigned int type_of(const struct domain *d, uint64_t mfn, enum p2m_type t, bool *ignore_pat)
{
	struct p2m_entry in = { .mfn = _mfn(mfn), .type = t };
	uint64_t e = vmx_ept_format.make_leaf(d, &in, _gfn(mfn), 1);

	*ignore_pat = e & BIT(6);
	return e >> 3 & 7;
}

TEST(vmx_ept_memory_types)
{
	static struct domain guest, host = { .is_dom0 = true };
	bool ignore_pat;

	EXPECT(type_of(&guest, 0x100, P2M_RAM_RW, &ignore_pat) == 6 && ignore_pat);
	EXPECT(type_of(&host, 0x100, P2M_RAM_RW, &ignore_pat) == 6 && !ignore_pat);
	EXPECT(type_of(&host, 0xd0000, P2M_MMIO_DIRECT, &ignore_pat) == 0 && !ignore_pat);
	EXPECT(type_of(&host, 0xe0000, P2M_MMIO_DIRECT, &ignore_pat) == 1);
}

/* CPUs as Intel's list of affected products has them. */
TEST(vmx_hazards_by_cpu)
{
	static const struct {
		struct vmx_hazard_facts f;
		struct vmx_hazards h;
	} cpus[] = {
		/* Nehalem without and with the microcode of 2019 */
		{ { 6, 0x1e, 0, 0, 0 }, { L1D_BY_READING, false, true, true } },
		{ { 6, 0x1e, 0, F7_EDX_L1D_FLUSH | F7_EDX_MD_CLEAR, 0 },
		  { L1D_BY_COMMAND, true, false, true } },
		/* Skylake server with TSX */
		{ { 6, 0x55, F7_EBX_RTM, F7_EDX_L1D_FLUSH | F7_EDX_MD_CLEAR, 0 },
		  { L1D_BY_COMMAND, true, false, true } },
		/* Cascade Lake: immune to L1TF and MDS, not to TAA */
		{ { 6, 0x55, F7_EBX_RTM, F7_EDX_MD_CLEAR | F7_EDX_ARCH_CAPS,
		    ARCH_CAP_RDCL_NO | ARCH_CAP_SKIP_L1D_FLUSH | ARCH_CAP_MDS_NO },
		  { L1D_KEEP, true, false, true } },
		/* the same with TSX switched off */
		{ { 6, 0x55, 0, F7_EDX_MD_CLEAR | F7_EDX_ARCH_CAPS,
		    ARCH_CAP_RDCL_NO | ARCH_CAP_SKIP_L1D_FLUSH | ARCH_CAP_MDS_NO },
		  { L1D_KEEP, false, false, true } },
		/* Ice Lake: MMIO stale data, cleared by VERW */
		{ { 6, 0x6a, 0, F7_EDX_MD_CLEAR | F7_EDX_ARCH_CAPS,
		    ARCH_CAP_RDCL_NO | ARCH_CAP_MDS_NO | ARCH_CAP_TAA_NO | ARCH_CAP_FB_CLEAR |
			    ARCH_CAP_PSCHANGE_NO },
		  { L1D_KEEP, true, false, false } },
		/* Sapphire Rapids: nothing left */
		{ { 6, 0x8f, F7_EBX_RTM, F7_EDX_MD_CLEAR | F7_EDX_ARCH_CAPS,
		    ARCH_CAP_RDCL_NO | ARCH_CAP_MDS_NO | ARCH_CAP_TAA_NO | ARCH_CAP_FB_CLEAR |
			    ARCH_CAP_SBDR_NO | ARCH_CAP_FBSDP_NO | ARCH_CAP_PSDP_NO |
			    ARCH_CAP_PSCHANGE_NO },
		  { L1D_KEEP, false, false, false } },
		/* Gracemont: register file data sampling */
		{ { 6, 0xbe, 0, F7_EDX_ARCH_CAPS,
		    ARCH_CAP_RDCL_NO | ARCH_CAP_MDS_NO | ARCH_CAP_RFDS_CLEAR |
			    ARCH_CAP_PSCHANGE_NO },
		  { L1D_KEEP, true, false, false } },
		/* Silvermont: no L1TF; Bonnell: nothing at all */
		{ { 6, 0x37, 0, F7_EDX_MD_CLEAR, 0 }, { L1D_KEEP, true, false, false } },
		{ { 6, 0x1c, 0, 0, 0 }, { L1D_KEEP, false, false, false } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cpus); i++) {
		struct vmx_hazards h;

		vmx_hazards_compute(&cpus[i].f, &h);
		EXPECT(h.l1d == cpus[i].h.l1d);
		EXPECT(h.verw == cpus[i].h.verw);
		EXPECT(h.unprotected == cpus[i].h.unprotected);
		EXPECT(h.large_code == cpus[i].h.large_code);
	}
}
