/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slot and option ROM of network cards. iPXE's ROM for several cards has no device number in its PCI
 * data structure (PCI Firmware Specification 3.0, 5.1.2); SeaBIOS compares it. See nic_rom.h.
 */
#include "hw/nic_rom.h"

#include <errno.h>
#include <stdlib.h>

#include "core/log.h"
#include "core/machine.h"
#include "core/options.h"
#include "core/pci.h"
#include "core/util.h"
#include "core/vram.h"

#define NIC_FIRST_SLOT 4
#define ROM_BLOCK      512
#define PCIR_POINTER   0x18
#define PCIR_BYTES     24
#define ROM_CHECKSUM   6 /* a byte that the PC's header leaves to the image */

/* Counted in the order of the options, in which the guest's configuration lists them. */
int nic_slot(struct machine *m, const struct opt_nic *o)
{
	const struct opt_nic *n;
	int slot = NIC_FIRST_SLOT;

	if (o->slot >= 0)
		return o->slot;
	for (n = m->opt->nics; n < o; n++)
		slot += n->slot < 0 && strcmp(n->model, "ne2k_isa") != 0;
	return slot;
}

static void rom_set_ids(struct pci_device *dev)
{
	uint8_t *rom = dev->rom->ptr, *pcir, sum = 0;
	size_t at = get_le16(rom + PCIR_POINTER), bytes = (size_t)rom[2] * ROM_BLOCK, i;

	if (get_le16(rom) != 0xaa55 || bytes > dev->rom->size || at + PCIR_BYTES > bytes ||
	    memcmp(rom + at, "PCIR", 4) != 0)
		return;
	pcir = rom + at;
	if (get_le32(pcir + 4) == get_le32(dev->config + PCI_VENDOR_ID))
		return;
	memcpy(pcir + 4, dev->config + PCI_VENDOR_ID, 4);
	for (i = 0; i < bytes; i++)
		sum += rom[i];
	rom[ROM_CHECKSUM] -= sum;
}

int nic_add_rom(struct pci_device *dev, const struct opt_nic *o, const char *by_default)
{
	const char *name = o->romfile ? o->romfile : by_default;
	char *path;
	int rc;

	if (!*name)
		return 0;
	path = options_find_firmware(dev->m->opt, name);
	if (!path && !o->romfile) {
		log_warn("%s: no option ROM %s (package ipxe-qemu): the guest cannot boot from the "
			 "network",
			 dev->name, name);
		return 0;
	}
	free(path);
	rc = pci_add_rom(dev, name);
	if (!rc && dev->m->opt->incoming_fd < 0)
		rom_set_ids(dev);
	return rc;
}
