/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AMD-V: events whose delivery an exit interrupts (APM volume 2, 15.7.2 and 15.20). What svm/intr.c needs of
 * the rest is not in question here.
 */
#include "lib.h"
#include "guest_access.h"
#include "unit.h"
#include "svm/svm.h"

#define RIP 0x1000

void vcpu_attention(struct vcpu *v, uint32_t bits)
{
	v->attention |= bits;
}

void hvm_emulate(struct vcpu *v, const uint8_t *bytes, unsigned int len)
{
	(void)v;
	(void)bytes;
	(void)len;
}

unsigned int svm_insn_fetch(struct vcpu *v, enum x86_len_class class, uint8_t buf[15])
{
	(void)v;
	(void)class;
	(void)buf;
	return 0;
}

int guest_linear_copy(struct vcpu *v, uint64_t la, void *buf, size_t len, uint32_t access,
		      struct guest_fault *fault)
{
	(void)v;
	(void)la;
	(void)buf;
	(void)len;
	(void)access;
	(void)fault;
	return -EFAULT;
}

static struct vmcb vmcb;
static struct svm_vcpu svm;
static struct vcpu vcpu;

/* An entry with this event, as svm_run makes it; NONE for an event of the guest's own. */
static void enter(struct hvm_event e)
{
	vcpu.exits++;
	if (e.type != HVM_EVENT_NONE)
		svm_inject(&vcpu, &e);
	vcpu.hvm.event.type = HVM_EVENT_NONE;
	vmcb.event_inj = 0;
}

static void reset(void)
{
	memset(&vmcb, 0, sizeof(vmcb));
	memset(&svm, 0, sizeof(svm));
	memset(&vcpu, 0, sizeof(vcpu));
	svm.vmcb = &vmcb;
	vcpu.vendor = &svm;
	vcpu.regs.rip = RIP;
	vmcb.rip = RIP;
}

/* The exit says that it came in the middle of this event. */
static const struct hvm_event *interrupted(uint64_t type, uint8_t vector, uint64_t error)
{
	vmcb.exit_int_info = SVM_EVENT_VALID | type << 8 | vector | error;
	svm_requeue_interrupted_event(&vcpu, &vmcb);
	return &vcpu.hvm.event;
}

TEST(svm_soft_event_of_the_vmm_comes_again)
{
	const struct hvm_event *e;

	reset();
	enter((struct hvm_event){ .type = HVM_EVENT_SWINT, .vector = 0x80, .insn_len = 2 });
	EXPECT(vmcb.rip == RIP + 2 && vmcb.next_rip == RIP + 2);
	e = interrupted(SVM_EVENT_SWINT, 0x80, 0);
	EXPECT(e->type == HVM_EVENT_SWINT && e->vector == 0x80);
	enter(*e);
	EXPECT(vmcb.rip == RIP + 2 && vmcb.next_rip == RIP + 2); /* not once more */
	reset();
	enter((struct hvm_event){ .type = HVM_EVENT_SWEXC, .vector = X86_EXC_BP, .insn_len = 1 });
	e = interrupted(SVM_EVENT_EXC, X86_EXC_BP, 0);
	EXPECT(e->type == HVM_EVENT_SWEXC && e->vector == X86_EXC_BP);
	enter(*e);
	EXPECT(vmcb.rip == RIP + 1);
}

/* RIP is still at the instruction, so the guest executes it again. */
TEST(svm_soft_event_of_the_guest_is_dropped)
{
	reset();
	enter((struct hvm_event){ .type = HVM_EVENT_SWINT, .vector = 0x80, .insn_len = 2 });
	enter((struct hvm_event){ .type = HVM_EVENT_NONE });
	EXPECT(interrupted(SVM_EVENT_SWINT, 0x80, 0)->type == HVM_EVENT_NONE);
	EXPECT(interrupted(SVM_EVENT_EXC, X86_EXC_OF, 0)->type == HVM_EVENT_NONE);
}

TEST(svm_hardware_events_come_again)
{
	const struct hvm_event *e;

	reset();
	enter((struct hvm_event){ .type = HVM_EVENT_NONE });
	EXPECT(interrupted(SVM_EVENT_NMI, X86_EXC_NMI, 0)->type == HVM_EVENT_NMI);
	EXPECT(interrupted(SVM_EVENT_INTR, 0x31, 0)->type == HVM_EVENT_EXTINT);
	vmcb.cr2 = 0x5000;
	e = interrupted(SVM_EVENT_EXC, X86_EXC_PF, SVM_EVENT_HAS_ERR | (uint64_t)PFEC_W << 32);
	EXPECT(e->type == HVM_EVENT_EXC && e->vector == X86_EXC_PF && e->has_error &&
	       e->error_code == PFEC_W && e->cr2 == 0x5000);
}

/* An exit looks at V_IRQ only when one was set: for an interrupt until the guest has it, for a window until that opens. */
TEST(svm_virtual_interrupt_is_looked_after)
{
	reset();
	svm_caps.intr_twice = true;
	enter((struct hvm_event){ .type = HVM_EVENT_EXTINT, .vector = 0x31 });
	EXPECT(svm.virq && vcpu.hvm.extint_waits && (vmcb.vintr & SVM_VINTR_IRQ));
	svm_check_virq(&vcpu);
	EXPECT(svm.virq && vcpu.hvm.extint_waits && !vcpu.attention);
	vmcb.vintr &= ~(uint64_t)SVM_VINTR_IRQ; /* the guest has taken it */
	svm_check_virq(&vcpu);
	EXPECT(!svm.virq && !vcpu.hvm.extint_waits && vcpu.attention == VCPU_ATT_IRQ);
	svm_caps.intr_twice = false;

	reset();
	svm_want_interrupt_window(&vcpu);
	EXPECT(svm.virq && (vmcb.vintr & SVM_VINTR_IRQ));
	svm_check_virq(&vcpu);
	EXPECT(svm.virq && !vcpu.attention);
	svm_exit_vintr(&vcpu, 0);
	EXPECT(!svm.virq && !(vmcb.vintr & SVM_VINTR_IRQ) && vcpu.attention == VCPU_ATT_IRQ);
}
