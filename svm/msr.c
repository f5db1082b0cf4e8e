// SPDX-License-Identifier: GPL-2.0-or-later
/* RDMSR and WRMSR that are intercepted: exit_info1 says which (APM volume 2, 15.11). */
#include "svm.h"

void svm_exit_msr(struct vcpu *v, struct vmcb *vmcb)
{
	bool write = vmcb->exit_info1 & 1;
	unsigned int len = svm_insn_len(v, write ? X86_LEN_WRMSR : X86_LEN_RDMSR);

	if (unlikely(!len))
		return;
	if (write)
		hvm_exit_wrmsr(v, len);
	else
		hvm_exit_rdmsr(v, len);
}
