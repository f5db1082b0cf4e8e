// SPDX-License-Identifier: GPL-2.0-or-later
/* PCI configuration space by mechanism 1 (PCI 2.1 section 3.7.4.1), bus 0 only. */
#include "bench.h"

u32 pci_read(u32 bdf, u8 reg)
{
	outl(0xcf8, 0x80000000 | bdf << 8 | (reg & 0xfc));
	return inl(0xcfc);
}

void pci_write(u32 bdf, u8 reg, u32 value)
{
	outl(0xcf8, 0x80000000 | bdf << 8 | (reg & 0xfc));
	outl(0xcfc, value);
}

u32 pci_find(u8 reg, u32 mask, u32 value)
{
	u32 bdf;

	for (bdf = 0; bdf < 256; bdf++)
		if (pci_read(bdf, 0) != ~0u && (pci_read(bdf, reg) & mask) == value)
			return bdf;
	return ~0u;
}
