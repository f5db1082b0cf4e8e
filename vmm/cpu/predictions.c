/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Branch predictors: what a guest taught them must not steer the VMM, nor another domain (Spectre variant 2). CPUs
 * of the days since keep the VMM apart by themselves once they are told to: enhanced IBRS (Intel, "Indirect
 * Branch Restricted Speculation", IBRS_ALL) and automatic IBRS (APM volume 2, 3.1.7). Between domains the
 * predictors are made to forget (IBPB) where the CPU or its microcode can.
 */
#include "predictions.h"
#include "boot.h"
#include "cpu.h"
#include "debug.h"

#define SPEC_CTRL_IBRS	  BIT(0)

#define F7_EDX_IBRS_IBPB  BIT(26) /* Intel's bit for both */
#define ARCH_CAP_IBRS_ALL BIT(1)
#define E8_EBX_IBPB	  BIT(12) /* AMD's */
#define E21_EAX_AUTO_IBRS BIT(8)

static struct prediction_ways ways;
static bool barriers = true;

COUNTER(prediction_barriers);

static int parse_ibpb(const char *value)
{
	return parse_bool(value, &barriers);
}
BOOT_OPTION(ibpb, "ibpb", parse_ibpb,
	    "forget branch predictions between domains (default: on where the CPU can)");

struct prediction_ways prediction_ways_of(const struct prediction_facts *f)
{
	struct prediction_ways w = { .ibpb = (f->f7_edx & F7_EDX_IBRS_IBPB) ||
					     (f->e8_ebx & E8_EBX_IBPB) };

	if (f->e21_eax & E21_EAX_AUTO_IBRS)
		w.ibrs = IBRS_AUTOMATIC;
	else if ((f->f7_edx & F7_EDX_IBRS_IBPB) && (f->arch_caps & ARCH_CAP_IBRS_ALL))
		w.ibrs = IBRS_ENHANCED;
	return w;
}

static void read_facts(struct prediction_facts *f)
{
	uint32_t a, b, c, d;

	f->f7_edx = host_cpu.f7_edx;
	f->arch_caps = host_cpu.arch_caps;
	if (host_cpu.max_ext_leaf >= 0x80000008)
		cpuid_count(0x80000008, 0, &a, &f->e8_ebx, &c, &d);
	if (host_cpu.max_ext_leaf >= 0x80000021)
		cpuid_count(0x80000021, 0, &f->e21_eax, &b, &c, &d);
}

void predictions_init(void)
{
	static const char *const names[] = { "no", "enhanced", "automatic" };
	struct prediction_facts f = { 0 };

	read_facts(&f);
	ways = prediction_ways_of(&f);
	ways.ibpb = ways.ibpb && barriers;
	printk(LOG_INFO "Branch predictions: %s IBRS against guests, %s between domains\n",
	       names[ways.ibrs], ways.ibpb ? "IBPB" : "nothing");
	predictions_init_cpu();
}

/* Guests have neither register, and run with what is set here: VM entries and exits do not change SPEC_CTRL. */
void predictions_init_cpu(void)
{
	if (ways.ibrs == IBRS_ENHANCED)
		wrmsr(MSR_SPEC_CTRL, SPEC_CTRL_IBRS);
	if (ways.ibrs == IBRS_AUTOMATIC)
		wrmsr(MSR_EFER, rdmsr(MSR_EFER) | X86_EFER_AIBRSE);
}

void predictions_turn_to(uint64_t serial)
{
	struct cpu *c = this_cpu();

	if (!ways.ibpb || c->branches_of == serial)
		return;
	c->branches_of = serial;
	wrmsr(MSR_PRED_CMD, PRED_CMD_IBPB);
	counter_inc(prediction_barriers);
}
