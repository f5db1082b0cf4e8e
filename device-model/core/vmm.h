/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the device model needs of the VMM below it. Two implementations: Xen's stable libraries
 * (xen_*.c) and a plain memory array for qtest (qtest.c). Devices do not use this: they use the bus,
 * irq, dma and vram interfaces. All functions return 0 or -errno.
 */
#ifndef DM_CORE_VMM_H
#define DM_CORE_VMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct machine;

enum vmm_shutdown { VMM_SHUTDOWN_POWEROFF = 0, VMM_SHUTDOWN_REBOOT = 1, VMM_SHUTDOWN_CRASH = 3 };

struct vmm_ops {
	/* Ranges are inclusive. */
	int (*claim_io)(struct machine *m, bool is_mmio, uint64_t first, uint64_t last);
	void (*release_io)(struct machine *m, bool is_mmio, uint64_t first, uint64_t last);
	/* NULL: cannot. See pio_post_writes(). */
	void (*post_writes)(struct machine *m, uint32_t first, uint32_t last);
	int (*claim_pci)(struct machine *m, uint8_t devfn);
	void (*release_pci)(struct machine *m, uint8_t devfn);

	int (*set_isa_irq)(struct machine *m, unsigned int irq, bool level);
	int (*set_pci_intx)(struct machine *m, unsigned int device, unsigned int pin, bool level);
	int (*set_pci_link)(struct machine *m, unsigned int link, unsigned int irq);
	int (*inject_msi)(struct machine *m, uint64_t addr, uint32_t data);

	/*
	 * Map nr_pages pages from gfn read-write. Pages that cannot be mapped have their bit in
	 * bad[] set (nr_pages bits, cleared by the caller). NULL when nothing could be mapped.
	 */
	void *(*map)(struct machine *m, uint64_t gfn, size_t nr_pages, unsigned long *bad);
	void (*unmap)(struct machine *m, void *p, size_t nr_pages);

	/* Device memory: new pages at gfn, mapped; NULL on failure (errno set). */
	void *(*populate)(struct machine *m, uint64_t gfn, size_t nr_pages);
	int (*relocate)(struct machine *m, uint64_t from_gfn, uint64_t to_gfn, size_t nr_pages);
	int (*pin_write_combining)(struct machine *m, uint64_t gfn, size_t nr_pages, bool on);
	/* bitmap NULL and nr_pages 0: stop tracking. */
	int (*track_dirty)(struct machine *m, uint64_t gfn, size_t nr_pages, unsigned long *bitmap);
	int (*modified)(struct machine *m, uint64_t gfn, size_t nr_pages);
	/* What the guest's CPUs may do with RAM below 1 MiB, by the PAM registers. */
	int (*set_ram_access)(struct machine *m, uint64_t gfn, size_t nr_pages, bool readable,
			      bool writable);

	int (*shutdown)(struct machine *m, enum vmm_shutdown reason);
};

/* Which VMM: chosen in main, which hands it to the machine. Nothing else names one. */
struct vmm_backend {
	/* Connect: fills m->vmm and m->vmm_priv. */
	int (*init)(struct machine *m);
	/* Begin to serve requests: all devices are there. */
	int (*start)(struct machine *m);
	/* Take part of the guest's requests no more, and give the ioreq server back. NULL: nothing to do. */
	void (*stop)(struct machine *m);
	/* Stop and continue serving requests (QMP stop, cont). NULL: nothing to do. */
	void (*set_serving)(struct machine *m, bool on);
	/* xenstore: the device model's state key, which libxl waits for. NULL: there is nobody to tell. */
	int (*write_state)(struct machine *m, const char *state);
};

extern const struct vmm_backend vmm_xen, vmm_qtest;

#endif
