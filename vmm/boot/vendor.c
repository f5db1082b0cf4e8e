// SPDX-License-Identifier: GPL-2.0-or-later
/* Choosing the processor vendor's half and switching it on everywhere, before the first domain exists. */
#include "hvm_ops.h"

static int failed_cpu = -1;

static void cpu_up(void *arg)
{
	(void)arg;
	if (hvm_ops->cpu_up())
		failed_cpu = (int)cpu_id();
}

void hvm_setup(void)
{
	if (svm_probe())
		hvm_ops = &svm_ops;
	else if (vmx_probe())
		hvm_ops = &vmx_ops;
	guest_ops = &hvm_guest_ops;
	if (!hvm_ops)
		panic("This machine has no hardware virtualization that Plinth can use");
	cpu_call_all(cpu_up, NULL);
	if (failed_cpu >= 0)
		panic("%s cannot be switched on for CPU %d", hvm_ops->name, failed_cpu);
}
