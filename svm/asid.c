// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Address space identifiers. Each CPU hands them out in order; when they run out a new generation
 * begins with a flush of everything. Flushing a vCPU is taking its ASID away. APM volume 2, 15.15.2.
 */
#include "svm.h"

/* v has no ASID that is valid on this CPU: give it the next one. */
void svm_asid_renew(struct vcpu *v)
{
	struct cpu *cpu = this_cpu();
	struct svm_cpu *sc = cpu->vendor;
	struct svm_vcpu *sv = svm_vcpu(v);

	if (sc->next_asid >= svm_caps.nr_asids) {
		sc->next_asid = 1;
		sc->asid_generation++;
		sv->vmcb->tlb_control = SVM_TLB_FLUSH_ALL;
	}
	sv->vmcb->asid = sc->next_asid++;
	sv->asid_cpu = cpu->id;
	sv->asid_generation = sc->asid_generation;
}

void svm_flush_vcpu(struct vcpu *v)
{
	svm_vcpu(v)->asid_generation = 0;
}
