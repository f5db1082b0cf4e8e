// SPDX-License-Identifier: GPL-2.0-or-later
#include "hvm_pc.h"
#include "hvm_ops.h"
#include "hvm_devices.h"
#include "hvm_io.h"
#define W __attribute__((weak))

void W hvm_devices_fini(struct domain *d) { (void)d; }

void W hvm_devices_relinquish(struct domain *d) { (void)d; }

int W pmtimer_change_ioport(struct domain *d, unsigned int v) { (void)d; (void)v; return 0; }
void W pmtimer_power_button(struct domain *d) { (void)d; }
void W pmtimer_sleep_button(struct domain *d) { (void)d; }

void W hvm_exit_task_switch(struct vcpu *v, uint16_t s, unsigned int r, bool h, uint32_t e, unsigned int l) { (void)s; (void)r; (void)h; (void)e; (void)l; domain_crash(v->domain, "task switch"); }



int W hvm_devices_init(struct domain *d) { (void)d; return 0; }
long W abi_sysctl(struct vcpu *v, const struct hypercall_args *a); long W abi_sysctl(struct vcpu *v, const struct hypercall_args *a) { (void)v; (void)a; return -ENOSYS; }
