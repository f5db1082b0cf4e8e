/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hypercalls that hvmloader makes. All run on the boot processor, before any other one is used
 * for more than smp.c's errand. Results are the ABI's: 0 or more = success, negative errno
 * otherwise.
 */
#ifndef HVMLOADER_HYPERCALL_H
#define HVMLOADER_HYPERCALL_H

#include <stdint.h>

#include <xen/xen.h>
#include <xen/hvm/hvm_vcpu.h>
#include <xen/memory.h>

/*
 * Find the Xen CPUID leaves and install the hypercall page. Does not return on a machine that is no
 * Xen: without hypercalls not even the domain can be crashed, so the processor halts.
 */
void hypercall_init(void);

/* Hypervisor version as major << 16 | minor, and its extra version text (at most 15 characters). */
uint32_t hypercall_xen_version(char extra[16]);

/* The domain's UUID, 16 bytes in the order they are printed. */
int hypercall_domain_uuid(uint8_t uuid[16]);

int hypercall_memory_op(unsigned int cmd, void *arg);
int hypercall_get_param(uint32_t index, uint64_t *value);
int hypercall_set_param(uint32_t index, uint64_t value);
int hypercall_vcpu_op(unsigned int cmd, unsigned int vcpu, void *arg);

/* Tell the other end of an event channel. */
int hypercall_evtchn_send(uint32_t port);

/* Wait until an event channel is pending. */
int hypercall_poll(uint32_t port);

/* Let another virtual processor run. */
void hypercall_yield(void);

/* Crash the domain. */
void hypercall_crash(void) __attribute__((noreturn));

#endif
