/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What other rooms, and the room's own files, use of the emulated PC and its I/O: interrupt lines, PIC, IO-APIC, timers,
 * ioreq servers, the debug port. PVH domains and dom0 have few of them. Exits, MSRs and processor state are in hvm_ops.h.
 */
#ifndef PLINTH_HVM_HVM_H
#define PLINTH_HVM_HVM_H

#include "xen_abi.h"
#include "domain.h"
#include <xen/hvm/dm_op.h>

/* units.c: timers stop, ioreq servers and references go; the domain is paused and dies. */
void hvm_devices_relinquish(struct domain *d);
/* Soft reset: the device models' servers are gone, and what they watch of memory. */
void hvm_devices_disconnect(struct domain *d);

/* Interrupt lines (irq.c): d->hvm.irq_lock is taken inside. isa_irq 0-15, device 0-31, intx 0-3, link 0-3. */
void hvm_isa_irq_set(struct domain *d, unsigned int isa_irq, bool level);
void hvm_pci_intx_set(struct domain *d, unsigned int device, unsigned int intx, bool level);
/* Route of PCI link to an ISA line; 0 = none. -EINVAL for a bad link or line. */
int hvm_pci_link_set(struct domain *d, unsigned int link, unsigned int isa_irq);
/* GSI 0-47 driven by an in-VMM timer. */
void hvm_gsi_set(struct domain *d, unsigned int gsi, bool level);
/* A message-signalled interrupt: address and data as a PCI device writes them. 0 or -EINVAL. */
int hvm_inject_msi(struct domain *d, uint64_t addr, uint32_t data);
/* HVM_PARAM_CALLBACK_IRQ was set, value as in xen/hvm/params.h. 0 or -EINVAL. */
int hvm_set_callback_irq(struct domain *d, uint64_t via);
/* The wire of HVM_PARAM_CALLBACK_IRQ (a GSI or PCI pin) follows vCPU 0's pending flag; cheap when nothing changed. */
void hvm_callback_update(struct domain *d);

/* PIC (vpic.c): is INTR of the master up; the acknowledge gives the vector, -1 = none. */
bool vpic_output(const struct domain *d);
int vpic_ack(struct domain *d);
/* Wake the vCPUs that INTR, which is high, is for. irq_lock held. */
void vpic_wake(struct domain *d);

/* IO-APIC (vioapic.c): a level vector was EOI'd by some vLAPIC. */
void vioapic_eoi(struct domain *d, uint8_t vector);
/* Virtual wire A: does pin 0 hand the PIC's INTR to this vLAPIC? */
struct vlapic;
bool vioapic_extint(struct domain *d, struct vlapic *a);

/*
 * ioreq servers (ioreq.c), as the hypercalls of device models ask for them. All take the lock; 0 or -errno, as dm_op returns
 * it: -ENOENT: no such server, or it does not claim that; -EEXIST: it claims some already; -ENOSPC: too many; -EINVAL: no
 * such kind or range, or the domain has no servers.
 */
int ioreq_server_create(struct domain *d, domid_t emulator, bool buffered, ioservid_t *id);
int ioreq_server_destroy(struct domain *d, ioservid_t id);
int ioreq_server_map_range(struct domain *d, ioservid_t id, uint32_t type, uint64_t start,
			   uint64_t end);
int ioreq_server_unmap_range(struct domain *d, ioservid_t id, uint32_t type, uint64_t start,
			     uint64_t end);
int ioreq_server_post_writes(struct domain *d, ioservid_t id, uint64_t first, uint64_t last);
int ioreq_server_set_state(struct domain *d, ioservid_t id, bool enabled);
int ioreq_server_buf_port(struct domain *d, ioservid_t id, evtchn_port_t *port);

int ioreq_server_user_calls(struct domain *d, ioservid_t id);
/* The address space `space` of the current domain has the page of request slots, `slots`. 0 or -EPERM. */
int ioreq_server_attach(struct domain *d, unsigned int id, const struct page *slots,
			uint64_t space);

/*
 * The current vCPU, in address space `space`, gives its CPU to vCPU `to` (PLINTH_USER_DONATE); before that the answer for
 * vCPU `answered` is delivered, if that is one of the domain's. 0, -EBUSY or -ENOENT.
 */
int ioreq_donate(struct domain *d, unsigned int id, uint64_t space, uint32_t to, uint32_t answered);

/* ioreq.c: machine frame of an ioreq server: idx 0 buffered, 1.. synchronous. 0 or -errno. */
int ioreq_server_frame(struct domain *d, unsigned int id, unsigned int idx, mfn_t *mfn);
/* Tell the device models to drop their cached mappings (IOREQ_TYPE_INVALIDATE). */
void ioreq_request_mapcache_invalidate(struct domain *d);

/* pmtimer.c: HVM_PARAM_ACPI_IOPORTS_LOCATION: 0 = 0x1f40, 1 = 0xb000. 0 or -EINVAL. */
int pmtimer_change_ioport(struct domain *d, unsigned int version);
/* The power and sleep buttons (XEN_DOMCTL_sendtrigger). */
void pmtimer_power_button(struct domain *d);
void pmtimer_sleep_button(struct domain *d);

/* debug_port.c: may a guest put n bytes into the log now? They are taken out of its budget. Not for dom0. */
bool debug_port_may_print(struct domain *d, unsigned int n);
/* Text that a guest gives to CONSOLEIO_write: to the log as the port's, by lines. Not for dom0. */
void debug_port_write(struct domain *d, const char *text, size_t len);

#endif
