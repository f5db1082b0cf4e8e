/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AMD-V: breakpoints that the emulator sets are in the CPU before the guest goes on, and nobody else's are. */
#include "lib.h"
#include "cpu.h"
#include "vlapic.h"
#include "unit.h"

extern struct cpu unit_cpu;
static uint64_t hardware[4];

static void take_breakpoints(uint64_t dr[4])
{
	memcpy(dr, hardware, sizeof(hardware));
}

static void give_breakpoints(const uint64_t dr[4])
{
	memcpy(hardware, dr, sizeof(hardware));
}

#define read_breakpoints  take_breakpoints
#define write_breakpoints give_breakpoints
#include "svm/setup.c" /* NOLINT(bugprone-suspicious-include): with the instructions above */

const struct p2m_format svm_npt_format;
bool paging_has_nested;

bool paging_possible(const char *name)
{
	(void)name;
	return true;
}

struct page *alloc_pages(unsigned int order)
{
	(void)order;
	return NULL;
}

void free_pages(struct page *p, unsigned int order)
{
	(void)p;
	(void)order;
}

void *alloc_page_virt(void)
{
	return NULL;
}

void free_page_virt(void *p)
{
	(void)p;
}

void svm_run(struct vcpu *v)
{
	(void)v;
}

void svm_flush_vcpu(struct vcpu *v)
{
	(void)v;
}

const char *svm_exit_name(uint64_t code)
{
	(void)code;
	return "";
}

bool svm_exit_count(unsigned int code, const char **name, uint64_t *count)
{
	(void)code;
	(void)name;
	(void)count;
	return false;
}

uint8_t vlapic_tpr(const struct vlapic *l)
{
	(void)l;
	return 0;
}

/* MOV to a debug register, as the emulator does it. */
static void write_dr(struct vcpu *v, unsigned int n, uint64_t value)
{
	svm_ops.get_state(v, HVM_DRS);
	if (n == 7)
		v->dr7 = value;
	else
		v->dr[n] = value;
	svm_ops.set_state(v, HVM_DRS);
}

TEST(svm_emulated_breakpoints)
{
	static struct vmcb vmcb = { .dr_write = 0xffff }, other_vmcb;
	static struct svm_vcpu sv = { .vmcb = &vmcb }, other_sv = { .vmcb = &other_vmcb };
	static struct vcpu v = { .vendor = &sv }, other = { .vendor = &other_sv };

	unit_cpu.current = &v;
	hardware[1] = 0xbad; /* the previous guest's */
	write_dr(&v, 1, 0x1000);
	EXPECT(hardware[1] == 0xbad &&
	       vmcb.dr_write); /* nothing is armed, the guest's access would exit */
	write_dr(&v, 7, 0x404);
	EXPECT(hardware[1] == 0x1000 && !vmcb.dr_write && vmcb.dr7 == 0x404);
	hardware[2] = 0x2222; /* the guest writes itself, then the emulator for it */
	write_dr(&v, 1, 0x3000);
	EXPECT(hardware[1] == 0x3000 && hardware[2] == 0x2222);
	svm_ops.switch_from(&v);
	EXPECT(v.dr[2] == 0x2222 && vmcb.dr_write);
	/* State that is set from outside waits for the vCPU's turn. */
	other.dr[1] = 0x4000;
	other.dr7 = 0x404;
	svm_ops.set_state(&other, HVM_DRS);
	EXPECT(hardware[1] == 0x3000 && !other_sv.dr_loaded);
	unit_cpu.current = NULL;
}
