// SPDX-License-Identifier: GPL-2.0-or-later
#include "hvm_pc.h"
#include "hvm_ops.h"
#include "hvm_devices.h"
#include "hvm_io.h"
#define W __attribute__((weak))

void W hvm_devices_fini(struct domain *d) { (void)d; }
bool W vpic_output(const struct domain *d) { (void)d; return false; }
int W vpic_ack(struct domain *d) { (void)d; return -1; }
void W vioapic_eoi(struct domain *d, uint8_t v) { (void)d; (void)v; }
int W hvm_set_callback_irq(struct domain *d, uint64_t via) { (void)d; (void)via; return 0; }

void W hvm_devices_relinquish(struct domain *d) { (void)d; }

int W pmtimer_change_ioport(struct domain *d, unsigned int v) { (void)d; (void)v; return 0; }
void W pmtimer_power_button(struct domain *d) { (void)d; }
void W pmtimer_sleep_button(struct domain *d) { (void)d; }

void W hvm_exit_task_switch(struct vcpu *v, uint16_t s, unsigned int r, bool h, uint32_t e, unsigned int l) { (void)s; (void)r; (void)h; (void)e; (void)l; domain_crash(v->domain, "task switch"); }



int W hvm_devices_init(struct domain *d) { (void)d; return 0; }
void W hvm_isa_irq_set(struct domain *d, unsigned int isa_irq, bool level) { (void)d; (void)isa_irq; (void)level; }
void W hvm_pci_intx_set(struct domain *d, unsigned int device, unsigned int intx, bool level) { (void)d; (void)device; (void)intx; (void)level; }
int W hvm_pci_link_set(struct domain *d, unsigned int link, unsigned int isa_irq) { (void)d; (void)link; (void)isa_irq; return 0; }
int W hvm_inject_msi(struct domain *d, uint64_t addr, uint32_t data) { (void)d; (void)addr; (void)data; return 0; }
#include "mtrr.h"
int W mtrr_rdmsr(struct vcpu *v, uint32_t m, uint64_t *x) { (void)v; (void)m; *x = 0; return 0; }
int W mtrr_wrmsr(struct vcpu *v, uint32_t m, uint64_t x) { (void)v; (void)m; (void)x; return 0; }
long W abi_hvm_op(struct vcpu *v, const struct hypercall_args *a); long W abi_hvm_op(struct vcpu *v, const struct hypercall_args *a) { (void)v; (void)a; return -ENOSYS; }
long W abi_sysctl(struct vcpu *v, const struct hypercall_args *a); long W abi_sysctl(struct vcpu *v, const struct hypercall_args *a) { (void)v; (void)a; return -ENOSYS; }
long W abi_domctl(struct vcpu *v, const struct hypercall_args *a); long W abi_domctl(struct vcpu *v, const struct hypercall_args *a) { (void)v; (void)a; return -ENOSYS; }
