/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What domain/ and abi/ call in the files of the emulated PC (hvm/ioreq.c, hvm/irq.c, hvm/pmtimer.c,
 * abi/dm.c): the list on which their authors agree.
 */
#ifndef PLINTH_HVM_DEVICES_H
#define PLINTH_HVM_DEVICES_H

#include "xen_abi.h"
#include "domain.h"
#include "abi.h"

/* hvm/irq.c: HVM_PARAM_CALLBACK_IRQ was set, value as in xen/hvm/params.h. 0 or -EINVAL. */
int hvm_set_callback_irq(struct domain *d, uint64_t via);
/* hvm/ioreq.c: machine frame of an ioreq server: idx 0 buffered, 1.. synchronous. 0 or -errno. */
int ioreq_server_frame(struct domain *d, unsigned int id, unsigned int idx, mfn_t *mfn);
/* hvm/units.c: timers stop, ioreq servers and references go; the domain is paused and dies. */
void hvm_devices_relinquish(struct domain *d);
/* Soft reset: the device models' servers are gone, and what they watch of memory. */
void hvm_devices_disconnect(struct domain *d);
/* hvm/ioreq.c: tell the device models to drop their cached mappings (IOREQ_TYPE_INVALIDATE). */
void ioreq_request_mapcache_invalidate(struct domain *d);
/* hvm/pmtimer.c: HVM_PARAM_ACPI_IOPORTS_LOCATION: 0 = 0x1f40, 1 = 0xb000. 0 or -EINVAL. */
int pmtimer_change_ioport(struct domain *d, unsigned int version);
/* hvm/pmtimer.c: the power and sleep buttons (XEN_DOMCTL_sendtrigger). */
void pmtimer_power_button(struct domain *d);
void pmtimer_sleep_button(struct domain *d);
/* hvm/io.c, hvm/ioreq.c: a vCPU's record of I/O and emulation in progress. */
int hvm_io_vcpu_init(struct vcpu *v);
void hvm_io_vcpu_fini(struct vcpu *v);
/* hvm/vpic.c: is the PICs' INTR line up; the vector of the interrupt acknowledge, -1 = none. */
bool vpic_output(const struct domain *d);
int vpic_ack(struct domain *d);
/* abi/dm.c: HYPERVISOR_dm_op. */

/* May a guest put n bytes into the log now? They are taken out of its budget (hvm/debug_port.c). Not for dom0. */
bool debug_port_may_print(struct domain *d, unsigned int n);
/* Text that a guest gives to CONSOLEIO_write: to the log as the port's, by lines (hvm/debug_port.c). Not for dom0. */
void debug_port_write(struct domain *d, const char *text, size_t len);

#endif
