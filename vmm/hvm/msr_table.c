// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Registers that operating systems read or write because of the processor's vendor and family, without a bit of CPUID
 * that offers them, and that have no effect in a guest. A #GP there ends the older systems and the smaller ones. SDM
 * volume 4; the BIOS and kernel developer's guides of AMD's families. docs/msrs.md says who touches which.
 */
#include "msr_private.h"

#define INTEL BIT(0)
#define AMD   BIT(1) /* and Hygon */
#define BOTH  (INTEL | AMD)
#define R     BIT(0) /* reads give the value; without it they raise #GP */
#define W     BIT(1) /* writes are dropped; without it they raise #GP */
#define RW    (R | W)
#define ALL   0xffU /* no last family */

/* What CPUID leaf 1 must offer besides, in EDX. */
#define D_MCE	       BIT(7)
#define D_MCA	       BIT(14)
#define D_ACPI	       BIT(22)

#define MISC_ENABLE    0x1801U	   /* fast strings; neither branch trace store nor PEBS */
#define FEATURE_LOCKED 1U	   /* by the firmware, with nothing enabled */
#define FSB_166_MHZ    3U	   /* the code for it */
#define L2_CONFIGURED  0xbe702111U /* 256 KiB, enabled */
#define TSC_AT_P0      BIT(24)	   /* HWCR: the TSC counts at the frequency of P-state 0 */
#define CLK_RAMP       0x20000000U

static const struct msr_row {
	uint32_t first, last;
	uint8_t vendors, family_first, family_last, access;
	uint32_t needs, value;
} rows[] = {
	{ 0x0, 0x1, BOTH, 5, ALL, RW, D_MCE, 0 },	     /* P5_MC_ADDR, P5_MC_TYPE */
	{ 0xe, 0xe, INTEL, 5, 5, RW, 0, 0 },		     /* TR12 */
	{ 0x11, 0x13, INTEL, 5, 5, RW, 0, 0 },		     /* CESR, CTR0, CTR1 */
	{ 0x17, 0x17, INTEL, 6, ALL, R, 0, 0 },		     /* PLATFORM_ID */
	{ 0x2a, 0x2b, INTEL, 6, 15, RW, 0, 0 },		     /* EBL_CR_POWERON, EBC_* */
	{ 0x2c, 0x2c, INTEL, 15, 15, R, 0, BIT(24) },	     /* EBC_FREQUENCY_ID */
	{ 0x3a, 0x3a, INTEL, 6, ALL, R, 0, FEATURE_LOCKED }, /* FEATURE_CONTROL */
	{ 0x79, 0x79, INTEL, 6, ALL, W, 0, 0 },		     /* BIOS_UPDT_TRIG */
	{ 0x8b, 0x8b, BOTH, 6, ALL, RW, 0, 0 },		     /* BIOS_SIGN_ID, PATCH_LEVEL */
	{ 0xc1, 0xc2, INTEL, 6, 6, RW, 0, 0 },		     /* PERFCTR0, 1 */
	{ 0xcd, 0xcd, INTEL, 6, 6, R, 0, FSB_166_MHZ },	     /* FSB_FREQ */
	{ 0xe2, 0xe2, INTEL, 6, 6, RW, 0, 0 },		     /* PKG_CST_CONFIG_CONTROL */
	{ 0x11e, 0x11e, INTEL, 6, 6, RW, 0, L2_CONFIGURED }, /* BBL_CR_CTL3 */
	{ 0x179, 0x179, BOTH, 6, ALL, R, D_MCA, 0 },	     /* MCG_CAP: no banks */
	{ 0x17a, 0x17a, BOTH, 6, ALL, RW, D_MCA, 0 },	     /* MCG_STATUS */
	{ 0x186, 0x187, INTEL, 6, 6, RW, 0, 0 },	     /* EVNTSEL0, 1 */
	{ 0x198, 0x198, INTEL, 6, 15, R, 0, 0 },	     /* PERF_STATUS */
	{ 0x199, 0x199, INTEL, 6, 15, RW, 0, 0 },	     /* PERF_CTL */
	{ 0x19a, 0x19c, INTEL, 6, ALL, RW, D_ACPI, 0 },	     /* CLOCK_MODULATION, THERM_* */
	{ 0x19d, 0x19d, INTEL, 6, 15, RW, D_ACPI, 0 },	     /* THERM2_CTL */
	{ 0x1a0, 0x1a0, INTEL, 6, ALL, RW, 0, MISC_ENABLE }, /* MISC_ENABLE */
	{ 0x1d7, 0x1d8, INTEL, 15, 15, R, 0, 0 },	     /* LER_FROM_LIP, LER_TO_LIP */
	{ 0x1da, 0x1da, INTEL, 15, 15, R, 0, 0 },	     /* LASTBRANCH_TOS */
	{ 0x1db, 0x1de, BOTH, 6, ALL, RW, 0, 0 },	     /* last branch, last exception */
	{ 0x1fc, 0x1fc, INTEL, 6, 6, RW, 0, 0 },	     /* POWER_CTL */
	{ 0x300, 0x311, INTEL, 15, 15, RW, 0, 0 },	     /* counters */
	{ 0x360, 0x371, INTEL, 15, 15, RW, 0, 0 },	     /* their CCCRs */
	{ 0x3a0, 0x3f2, INTEL, 15, 15, RW, 0, 0 },	     /* ESCRs, PEBS */
	{ 0x606, 0x606, INTEL, 6, 6, R, 0, 0 },		     /* RAPL_POWER_UNIT */
	{ 0x610, 0x614, INTEL, 6, 6, RW, 0, 0 },	     /* PKG_POWER_*, _ENERGY_STATUS */
	{ 0x618, 0x61c, INTEL, 6, 6, RW, 0, 0 },	     /* DRAM_* */
	{ 0x638, 0x642, INTEL, 6, 6, RW, 0, 0 },	     /* PP0_*, PP1_* */
	{ 0xc0000085, 0xc0000088, AMD, 5, 5, RW, 0, 0 },     /* UWCCR, EPMR, PSOR, PFIR */
	{ 0xc0010000, 0xc0010007, AMD, 6, ALL, RW, 0, 0 },   /* PERF_CTL0-3, PERF_CTR0-3 */
	{ 0xc0010010, 0xc0010010, AMD, 6, ALL, RW, 0, 0 },   /* SYSCFG */
	{ 0xc0010015, 0xc0010015, AMD, 6, 15, RW, 0, 0 },    /* HWCR */
	{ 0xc0010015, 0xc0010015, AMD, 16, ALL, RW, 0, TSC_AT_P0 },
	{ 0xc0010016, 0xc001001a, AMD, 6, ALL, RW, 0, 0 },	/* IORR*, TOP_MEM */
	{ 0xc001001b, 0xc001001b, AMD, 6, 6, RW, 0, CLK_RAMP }, /* CLK_CTL */
	{ 0xc001001d, 0xc001001d, AMD, 15, ALL, RW, 0, 0 },	/* TOP_MEM2 */
	{ 0xc001001e, 0xc001001e, AMD, 6, 15, R, 0, 0 },	/* MANID */
	{ 0xc001001f, 0xc001001f, AMD, 15, ALL, RW, 0, 0 },	/* NB_CFG */
	{ 0xc0010020, 0xc0010020, AMD, 6, ALL, W, 0, 0 },	/* PATCH_LOADER */
	{ 0xc0010022, 0xc0010022, AMD, 15, ALL, RW, 0, 0 },	/* MC_EXP_REDIR */
	{ 0xc0010041, 0xc0010041, AMD, 6, 15, RW, 0, 0 },	/* FIDVID_CTL */
	{ 0xc0010042, 0xc0010042, AMD, 6, 15, R, 0, 0 },	/* FIDVID_STATUS */
	{ 0xc0010044, 0xc001004a, AMD, 15, 22, RW, 0, 0 },	/* MCi_CTL_MASK */
	{ 0xc0010055, 0xc0010055, AMD, 15, ALL, RW, 0, 0 },	/* INT_PENDING */
	{ 0xc0010058, 0xc0010058, AMD, 16, ALL, RW, 0, 0 },	/* MMIO_CFG_BASE */
	{ 0xc0010061, 0xc0010061, AMD, 16, ALL, R, 0, 0 },	/* PSTATE_LIMIT */
	{ 0xc0010062, 0xc0010062, AMD, 16, ALL, RW, 0, 0 },	/* PSTATE_CTL */
	{ 0xc0010063, 0xc0010063, AMD, 16, ALL, R, 0, 0 },	/* PSTATE_STATUS */
	{ 0xc0010064, 0xc001006b, AMD, 16, ALL, RW, 0, 0 },	/* PSTATE_DEF0-7 */
	{ 0xc0010070, 0xc0010071, AMD, 16, ALL, RW, 0, 0 },	/* COFVID_CTL, COFVID_STATUS */
	{ 0xc0010111, 0xc0010113, AMD, 15, ALL, RW, 0, 0 },	/* SMM_BASE, TSEG_ADDR, _MASK */
	{ 0xc0010299, 0xc001029b, AMD, 23, ALL, R, 0, 0 },	/* RAPL */
	{ 0xc0011020, 0xc0011020, AMD, 15, 20, RW, 0, 0 },	/* LS_CFG */
	{ 0xc0011021, 0xc0011023, AMD, 15, 22, RW, 0, 0 },	/* IC_CFG, DC_CFG, BU_CFG */
	{ 0xc0011029, 0xc0011029, AMD, 15, ALL, RW, 0, 0 },	/* DE_CFG */
	{ 0xc001102a, 0xc001102c, AMD, 16, 22, RW, 0, 0 },	/* BU_CFG2, EX_CFG */
};

static uint8_t vendor_of(const struct cpu_policy *p)
{
	switch (p->basic[0].b) {
	case 0x756e6547: /* Genu(ineIntel) */
		return INTEL;
	case 0x68747541: /* Auth(enticAMD) */
	case 0x6f677948: /* Hygo(nGenuine) */
		return AMD;
	default:
		return 0;
	}
}

static unsigned int family_of(const struct cpu_policy *p)
{
	unsigned int family = p->basic[1].a >> 8 & 0xf;

	return family == 0xf ? family + (p->basic[1].a >> 20 & 0xff) : family;
}

/* The row that holds for a processor of this policy and grants the access, or NULL. */
static const struct msr_row *find(const struct cpu_policy *p, uint32_t msr, uint8_t access)
{
	unsigned int family = family_of(p);
	uint8_t vendor = vendor_of(p);

	for (unsigned int i = 0; i < ARRAY_SIZE(rows) && rows[i].first <= msr; i++) {
		const struct msr_row *r = &rows[i];

		if (msr <= r->last && (r->vendors & vendor) && family >= r->family_first &&
		    family <= r->family_last && (r->access & access) &&
		    (p->basic[1].d & r->needs) == r->needs)
			return r;
	}
	return NULL;
}

bool msr_table_read(const struct cpu_policy *p, uint32_t msr, uint64_t *value)
{
	const struct msr_row *r = find(p, msr, R);

	if (r)
		*value = r->value;
	return r;
}

bool msr_table_drops(const struct cpu_policy *p, uint32_t msr)
{
	return find(p, msr, W);
}
