/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The extended state under a model of a processor: XSAVE and XRSTOR reach what XCR0 has and nothing else, as SDM
 * volume 1, 13.6 to 13.8 says. Guests with every XCR0, on processors with and without XSAVE, AVX, AVX-512, PKU.
 */
#include "lib.h"
#include "cpu.h"
#include "mm.h"
#include "unit.h"

/* --- the model: what vmm/cpu/fpu_hw.h is to a real one --- */
#define PLINTH_FPU_HW_H

#define SIZE	   2696U
#define AVX_AT	   576U
#define ZMM_HI_AT  1152U
#define PKRU_AT	   2688U
#define EVERYTHING (BIT(0) | BIT(1) | BIT(2) | BIT(5) | BIT(6) | BIT(7) | BIT(9))

static struct {
	uint64_t xcr0;
	uint8_t x87[160]; /* as the image has it, MXCSR not looked at */
	uint32_t mxcsr;
	uint8_t xmm[256], ymm_hi[256], zmm_hi[512], pkru[8];
	unsigned int faults, pointers_cleared;
} __attribute__((packed)) cpu; /* compared as bytes */

static uint64_t hw_get_xcr0(void)
{
	EXPECT(host_cpu.xsave);
	return cpu.xcr0;
}

static void hw_set_xcr0(uint64_t xcr0)
{
	EXPECT(host_cpu.xsave && !(xcr0 & ~host_cpu.xcr0_mask));
	cpu.xcr0 = xcr0;
}

struct part {
	unsigned int bit, at, size;
	void *regs;
};

static const struct part parts[] = {
	{ 1, 160, 256, cpu.xmm },
	{ 2, AVX_AT, 256, cpu.ymm_hi },
	{ 6, ZMM_HI_AT, 512, cpu.zmm_hi },
	{ 9, PKRU_AT, 8, cpu.pkru },
};

static void save_legacy(uint8_t *a)
{
	memcpy(a, cpu.x87, 24);
	memcpy(a + 32, cpu.x87 + 32, 128);
	memcpy(a + 24, &cpu.mxcsr, 4);
}

static void hw_fpu_save(void *area)
{
	uint64_t has = host_cpu.xsave ? cpu.xcr0 : 3, bv;
	uint8_t *a = area;

	if (has & 1)
		save_legacy(a);
	if (has & 6)
		memcpy(a + 24, &cpu.mxcsr, 4);
	for (unsigned int i = 0; i < ARRAY_SIZE(parts); i++)
		if (has & BIT(parts[i].bit))
			memcpy(a + parts[i].at, parts[i].regs, parts[i].size);
	if (!host_cpu.xsave)
		return;
	memcpy(&bv, a + 512, 8);
	bv = (bv & ~has) | has;
	memcpy(a + 512, &bv, 8);
}

static void hw_fpu_save_pkru(void *area)
{
	uint8_t *a = area;

	EXPECT(cpu.xcr0 & BIT(9));
	memcpy(a + PKRU_AT, cpu.pkru, 8);
	a[513] |= 2;
}

static bool hw_fpu_restore(const void *area)
{
	uint64_t has = host_cpu.xsave ? cpu.xcr0 : 3, bv = 3;
	const uint8_t *a = area;
	uint32_t mxcsr;

	if (host_cpu.xsave)
		memcpy(&bv, a + 512, 8);
	memcpy(&mxcsr, a + 24, 4);
	if (bv & ~has || mxcsr & ~0xffffU) {
		cpu.faults++;
		return false;
	}
	memcpy(cpu.x87, a, 24);
	memcpy(cpu.x87 + 32, a + 32, 128);
	if (!(bv & 1))
		memset(cpu.x87, 0, 160);
	cpu.mxcsr = mxcsr;
	for (unsigned int i = 0; i < ARRAY_SIZE(parts); i++) {
		if (!(has & BIT(parts[i].bit)))
			continue;
		memset(parts[i].regs, 0, parts[i].size);
		if (bv & BIT(parts[i].bit))
			memcpy(parts[i].regs, a + parts[i].at, parts[i].size);
	}
	return true;
}

static void hw_clear_x87_pointers(void)
{
	cpu.pointers_cleared++;
}

static unsigned int hw_xstate_offset(unsigned int n)
{
	EXPECT(n == 2 || n == 6);
	return n == 2 ? AVX_AT : ZMM_HI_AT;
}

static uint8_t the_area[SIZE + 64] __aligned(64);

void *xzalloc_bytes(size_t n)
{
	EXPECT(n <= SIZE);
	memset(the_area, 0, n);
	return the_area;
}

void xfree(void *p)
{
	EXPECT(p == the_area);
}

#include "vmm/cpu/fpu.c" /* NOLINT(bugprone-suspicious-include): with the instructions above */

/* --- the tests --- */

static struct vcpu_fpu guest;

/* A guest that runs with this XCR0: its registers hold patterns, its image is of another time. */
static void start(uint64_t host_mask, uint64_t xcr0)
{
	memset(&cpu, 0, sizeof(cpu));
	memset(&host_cpu, 0, sizeof(host_cpu));
	host_cpu.xsave = host_mask;
	host_cpu.xcr0_mask = host_mask;
	host_cpu.xsave_size = host_mask ? SIZE : 512;
	host_cpu.pkru_offset = PKRU_AT;
	cpu.xcr0 = host_mask;
	EXPECT(!fpu_init(&guest));
	EXPECT(!fpu_restore(&guest)); /* loaded, then the guest goes on by itself */
	cpu.xcr0 = xcr0;
	cpu.mxcsr = 0x1fa0;
	for (unsigned int i = 0; i < 128; i++)
		cpu.x87[32 + i] = (uint8_t)(i + 1);
	for (unsigned int i = 0; i < 256; i++) {
		cpu.xmm[i] = (uint8_t)(i * 3 + 1);
		cpu.ymm_hi[i] = (uint8_t)(i * 5 + 1);
	}
	for (unsigned int i = 0; i < 512; i++)
		cpu.zmm_hi[i] = (uint8_t)(i * 7 + 1);
	for (unsigned int i = 0; i < 8; i++)
		cpu.pkru[i] = (uint8_t)(0x54 + i);
}

static const uint64_t hosts[] = { 0, 3, 7, 7 | BIT(9), EVERYTHING };
static const uint64_t guests[] = { 1, 3, 7, EVERYTHING };

/* fn for each XCR0 that a guest can have on each of these processors. */
static void on_all(void (*fn)(uint64_t xcr0))
{
	for (unsigned int h = 0; h < ARRAY_SIZE(hosts); h++) {
		for (unsigned int g = 0; g < ARRAY_SIZE(guests); g++) {
			uint64_t xcr0 = hosts[h] ? guests[g] & hosts[h] : 0;

			start(hosts[h], xcr0);
			fn(xcr0);
			EXPECT(!cpu.faults);
			EXPECT(cpu.xcr0 == xcr0);
			EXPECT(cpu.mxcsr == 0x1fa0);
		}
	}
}

static void reads_xmm(uint64_t xcr0)
{
	uint8_t buf[32], before[sizeof(cpu)];

	memcpy(before, &cpu, sizeof(cpu));
	EXPECT(!fpu_read_vec(&guest, 5, buf, 16));
	EXPECT(!memcmp(buf, cpu.xmm + 80, 16));
	EXPECT(fpu_read_vec(&guest, 5, buf, 32) == ((xcr0 & 6) == 6 ? 0 : -ENODEV));
	if ((xcr0 & 6) == 6)
		EXPECT(!memcmp(buf + 16, cpu.ymm_hi + 80, 16));
	cpu.pointers_cleared = 0;
	EXPECT(!memcmp(before, &cpu, sizeof(cpu)));
}
TEST(fpu_vector_reads)
{
	on_all(reads_xmm);
}

static void writes_xmm(uint64_t xcr0)
{
	uint8_t buf[32], x87[128], pkru[8], next[16], high[16];

	memset(buf, 0x77, sizeof(buf));
	memcpy(x87, cpu.x87 + 32, 128);
	memcpy(pkru, cpu.pkru, 8);
	memcpy(next, cpu.xmm + 96, 16);
	memcpy(high, cpu.ymm_hi + 80, 16);
	EXPECT(!fpu_write_vec(&guest, 5, buf, 16, false));
	EXPECT(!memcmp(buf, cpu.xmm + 80, 16) && !memcmp(next, cpu.xmm + 96, 16));
	EXPECT(!memcmp(high, cpu.ymm_hi + 80, 16));
	EXPECT(!memcmp(x87, cpu.x87 + 32, 128) && !memcmp(pkru, cpu.pkru, 8));
	EXPECT(fpu_write_vec(&guest, 6, buf, 32, true) == ((xcr0 & 6) == 6 ? 0 : -ENODEV));
	EXPECT(cpu.xmm[96] == ((xcr0 & 6) == 6 ? 0x77 : next[0]));
	EXPECT(cpu.ymm_hi[96] == ((xcr0 & 6) == 6 ? 0x77 : (uint8_t)(96 * 5 + 1)));
}
TEST(fpu_vector_writes)
{
	on_all(writes_xmm);
}

/* VEX forms of 16 bytes clear what is above, as far as the guest has it. */
static void clears_upper(uint64_t xcr0)
{
	uint8_t buf[16] = { 1 };
	bool avx = (xcr0 & 6) == 6, avx512 = avx && xcr0 & BIT(6);

	EXPECT(!fpu_write_vec(&guest, 2, buf, 16, true));
	EXPECT(cpu.ymm_hi[32] == (avx ? 0 : (uint8_t)(32 * 5 + 1)));
	EXPECT(cpu.zmm_hi[64] == (avx512 ? 0 : (uint8_t)(64 * 7 + 1)));
	EXPECT(cpu.ymm_hi[48] == (uint8_t)(48 * 5 + 1));
	EXPECT(cpu.zmm_hi[96] == (uint8_t)(96 * 7 + 1));
}
TEST(fpu_vex_clears_upper)
{
	on_all(clears_upper);
}

/* MMX registers are physical, the image has the stack's order: with top 5, ST3 is MM0. */
static void mmx(uint64_t xcr0)
{
	uint8_t buf[8], want[8];

	(void)xcr0;
	cpu.x87[3] = 5 << 3; /* FSW bits 11-13 */
	memcpy(want, cpu.x87 + 32 + 3 * 16, 8);
	EXPECT(!fpu_read_vec(&guest, 0, buf, 8));
	EXPECT(!memcmp(buf, want, 8));
	EXPECT(cpu.x87[3] == 0 && cpu.x87[4] == 0xff);
	EXPECT(!memcmp(cpu.x87 + 32, want, 8));
	memset(buf, 0x99, 8);
	EXPECT(!fpu_write_vec(&guest, 7, buf, 8, false));
	EXPECT(!memcmp(cpu.x87 + 32 + 7 * 16, buf, 8));
	EXPECT(cpu.x87[32 + 7 * 16 + 8] == 0xff && cpu.x87[32 + 7 * 16 + 9] == 0xff);
	EXPECT(cpu.xmm[0] == 1 && cpu.pkru[0] == 0x54);
}
TEST(fpu_mmx_registers)
{
	on_all(mmx);
}

static void pending(uint64_t xcr0)
{
	uint8_t buf[16] = { 0 };

	(void)xcr0;
	cpu.x87[2] = 0x80; /* FSW.ES */
	EXPECT(fpu_read_vec(&guest, 0, buf, 8) == -EBUSY);
	EXPECT(fpu_write_vec(&guest, 0, buf, 8, false) == -EBUSY);
	EXPECT(cpu.x87[32] == 1);
	EXPECT(!fpu_read_vec(&guest, 0, buf, 16));
}
TEST(fpu_pending_x87_exception)
{
	on_all(pending);
}

/* A guest that leaves the CPU: everything is in the image, also what its XCR0 does not have. */
static void switched(uint64_t xcr0)
{
	uint8_t ymm = cpu.ymm_hi[9], pkru = cpu.pkru[0];
	uint64_t has = host_cpu.xcr0_mask;

	fpu_save(&guest);
	EXPECT(cpu.xcr0 == host_cpu.xcr0_mask);
	EXPECT(!host_cpu.xsave || guest.xcr0 == xcr0);
	EXPECT((guest.xcr0_accum & xcr0) == xcr0);
	memset(cpu.xmm, 0xee, sizeof(cpu.xmm));
	memset(cpu.ymm_hi, 0xee, sizeof(cpu.ymm_hi));
	memset(cpu.pkru, 0xee, sizeof(cpu.pkru));
	EXPECT(!fpu_restore(&guest));
	EXPECT(cpu.xmm[7] == 22);
	EXPECT(!(has & 4) || cpu.ymm_hi[9] == ymm);
	EXPECT(!(has & BIT(9)) || cpu.pkru[0] == pkru);
}
TEST(fpu_switch)
{
	on_all(switched);
}

/* Whether the guest's XCR0 has it or not; and of one that is not loaded, from its image. */
static void protection_keys(uint64_t xcr0)
{
	bool has = host_cpu.xcr0_mask & BIT(9);

	(void)xcr0;
	EXPECT(fpu_pkru(&guest, true) == (has ? 0x57565554 : 0));
	fpu_save(&guest);
	memset(cpu.pkru, 0, 8);
	EXPECT(fpu_pkru(&guest, false) == (has ? 0x57565554 : 0));
	EXPECT(!fpu_restore(&guest));
}
TEST(fpu_protection_keys)
{
	on_all(protection_keys);
}

/* XSETBV that did not exit: the register tells, and the saved state has all that ever was in it. */
TEST(fpu_xcr0_read_back)
{
	start(EVERYTHING, 7);
	EXPECT(guest.xcr0_accum == 1);
	EXPECT(fpu_live_xcr0(&guest) == 7 && guest.xcr0_accum == 7);
	cpu.xcr0 = 3;
	EXPECT(fpu_live_xcr0(&guest) == 3 && guest.xcr0_accum == 7);
	fpu_set_xcr0(&guest, 3 | BIT(9), true);
	EXPECT(cpu.xcr0 == (3 | BIT(9)) && guest.xcr0_accum == (7 | BIT(9)));
	fpu_set_xcr0(&guest, 1, false);
	EXPECT(cpu.xcr0 == (3 | BIT(9)) && guest.xcr0 == 1);
}

/* An image that the processor refuses: said, and the reset state is there. */
TEST(fpu_refused_image)
{
	start(7, 3);
	fpu_save(&guest);
	((uint8_t *)guest.area)[26] = 0x80; /* MXCSR bit 23 */
	EXPECT(fpu_restore(&guest) == -EINVAL);
	EXPECT(cpu.mxcsr == 0x1f80 && cpu.xmm[7] == 0 && cpu.xcr0 == 3);
	EXPECT(!fpu_restore(&guest) || cpu.faults == 1);
}
