/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI bus 0, type-0 functions (PCI Local Bus Specification 3.0, chapter 6). A device fills in
 * config/wmask, adds BARs and registers; the core does sizing, decode and INTx.
 */
#ifndef DM_CORE_PCI_H
#define DM_CORE_PCI_H

#include <stdbool.h>
#include <stdint.h>

#include "core/bus.h"
#include "core/irq.h"
#include "core/save.h"

struct machine;
struct pci_device;
struct vram;

#define PCI_CONFIG_SIZE	   256
#define PCI_NUM_BARS	   7 /* 0-5 and the expansion ROM */
#define PCI_ROM_BAR	   6
#define PCI_DEVFN(dev, fn) ((uint8_t)((dev) << 3 | (fn)))

enum pci_reg {
	PCI_VENDOR_ID = 0x00,
	PCI_DEVICE_ID = 0x02,
	PCI_COMMAND = 0x04,
	PCI_STATUS = 0x06,
	PCI_REVISION = 0x08,
	PCI_PROG_IF = 0x09,
	PCI_CLASS_DEVICE = 0x0a,
	PCI_HEADER_TYPE = 0x0e,
	PCI_BASE_ADDRESS_0 = 0x10,
	PCI_SUBSYSTEM_VENDOR_ID = 0x2c,
	PCI_SUBSYSTEM_ID = 0x2e,
	PCI_ROM_ADDRESS = 0x30,
	PCI_CAPABILITY_LIST = 0x34,
	PCI_INTERRUPT_LINE = 0x3c,
	PCI_INTERRUPT_PIN = 0x3d,
};

enum pci_command_bit {
	PCI_COMMAND_IO = 0x001,
	PCI_COMMAND_MEMORY = 0x002,
	PCI_COMMAND_MASTER = 0x004,
	PCI_COMMAND_INTX_DISABLE = 0x400,
};

enum pci_bar_type {
	PCI_BAR_NONE,
	PCI_BAR_IO,
	PCI_BAR_MEM32,
	PCI_BAR_MEM32_PREFETCH,
	PCI_BAR_MEM64, /* takes two registers */
	PCI_BAR_MEM64_PREFETCH,
	PCI_BAR_ROM, /* only index PCI_ROM_BAR */
};

struct pci_bar {
	enum pci_bar_type type;
	uint64_t size; /* bytes, a power of two */
	/* What the window shows: registers, whose opaque is the device's, or memory. */
	const struct io_ops *ops;
	struct vram *memory;
	/* Optional: the window of registers is at addr now. */
	void (*placed)(struct pci_device *dev, uint64_t addr);
	bool mapped;
	uint64_t addr; /* while mapped */
	struct io_region *region;
};

struct pci_device {
	struct machine *m;
	const char *name;
	uint8_t devfn;
	uint8_t config[PCI_CONFIG_SIZE];
	uint8_t wmask[PCI_CONFIG_SIZE];	  /* bits the guest may write */
	uint8_t w1cmask[PCI_CONFIG_SIZE]; /* bits a written one clears */
	struct pci_bar bars[PCI_NUM_BARS];
	struct irq_line intx;
	struct vram *rom; /* of pci_add_rom */
	struct {
		uint8_t config[PCI_CONFIG_SIZE];
		bool intx;
	} saved; /* of the state file, until it is merged */
	void *opaque;
	/* Optional: called after the bytes have changed (also after reset and restore: size 0). */
	void (*config_written)(struct pci_device *dev, unsigned int offset, unsigned int size);
};

struct pci_ids {
	uint16_t vendor, device;
	uint8_t revision;
	uint16_t class_device; /* base class << 8 | subclass */
	uint8_t prog_if;
	uint16_t sub_vendor, sub_device; /* 0: the default 1af4:1100 */
	uint8_t int_pin;		 /* 0 none, 1 = INTA .. */
};

/* Fill the header of a type-0 function. The command register gets IO|MEMORY|MASTER|INTX_DISABLE. */
void pci_device_init(struct pci_device *dev, struct machine *m, const char *name, uint8_t devfn,
		     const struct pci_ids *ids, void *opaque);
/*
 * Before pci_register. size is rounded up to a power of two (I/O >= 4, memory >= 16). The window follows the
 * guest's settings; one that overlaps another stays away. placed: see above, or NULL.
 */
void pci_add_bar(struct pci_device *dev, unsigned int bar, enum pci_bar_type type, uint32_t size,
		 const struct io_ops *ops, void (*placed)(struct pci_device *dev, uint64_t addr));
void pci_add_memory_bar(struct pci_device *dev, unsigned int bar, enum pci_bar_type type,
			struct vram *memory);
/* Put on the bus (tells the VMM) and add reset and save handling of the config space. 0 or -errno. */
int pci_register(struct pci_device *dev);
void pci_set_intx(struct pci_device *dev, bool level);
static inline bool pci_bus_master(const struct pci_device *dev)
{
	return dev->config[PCI_COMMAND] & PCI_COMMAND_MASTER;
}
static inline bool pci_enabled(const struct pci_device *dev, enum pci_command_bit bit)
{
	return dev->config[PCI_COMMAND] & bit;
}
static inline bool pci_intx_disabled(const struct pci_device *dev)
{
	return dev->config[PCI_COMMAND + 1] & PCI_COMMAND_INTX_DISABLE >> 8;
}
/* Decode again after the device changed its own config bytes. */
void pci_update_mappings(struct pci_device *dev);
/* Unplug: unmaps and takes it off the bus; the guest then reads all-ones. */
void pci_unregister(struct pci_device *dev);
struct pci_device *pci_find(struct machine *m, uint8_t devfn);

/* Config cycles on bus 0; offset + size may not cross a dword boundary of the register number. */
uint32_t pci_config_read(struct machine *m, uint8_t devfn, unsigned int offset, unsigned int size);
void pci_config_write(struct machine *m, uint8_t devfn, unsigned int offset, uint32_t value,
		      unsigned int size);

/*
 * A ROM BAR that shows a file: searched for name in the firmware folders unless it has a slash.
 * The file is loaded into guest RAM-backed ROM memory now. 0 or -errno (logged).
 */
int pci_add_rom(struct pci_device *dev, const char *name);

#endif
