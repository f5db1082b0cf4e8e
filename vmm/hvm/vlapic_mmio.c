// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The local APIC's register page at 0xfee00000, for the accessing vCPU in xAPIC mode. SDM volume 3,
 * 11.4.1: aligned 32-bit accesses; for others this follows what processors do: reads give the part,
 * writes of a part keep the rest.
 */
#include "pc_private.h"
#include "vlapic.h"
#include "vlapic_private.h"

static bool absent(const struct vlapic *a)
{
	return !vlapic_hw_enabled(a) || vlapic_x2apic(a);
}

static enum io_result mmio_read(struct vcpu *v, void *opaque, uint64_t offset, unsigned int size,
				uint64_t *val)
{
	struct vlapic *a = v->hvm.vlapic;
	unsigned int sub = (unsigned int)offset & 15;

	(void)opaque;
	if (absent(a))
		return IO_PASS;
	if (!vlapic_has_register((unsigned int)offset & ~15U))
		vlapic_error(a, ESR_ILLEGAL_REGISTER);
	/* Bytes 4-15 of each register are reserved. */
	*val = sub < 4 ? (uint64_t)vlapic_read(a, (unsigned int)offset & ~15U) >> (sub * 8) : 0;
	if (size < 4)
		*val &= BIT(size * 8) - 1;
	return IO_DONE;
}

static enum io_result mmio_write(struct vcpu *v, void *opaque, uint64_t offset, unsigned int size,
				 uint64_t val)
{
	struct vlapic *a = v->hvm.vlapic;
	unsigned int reg = (unsigned int)offset & ~15U, sub = (unsigned int)offset & 15;
	uint32_t mask;

	(void)opaque;
	if (absent(a))
		return IO_PASS;
	if (!vlapic_has_register(reg))
		vlapic_error(a, ESR_ILLEGAL_REGISTER);
	if (sub >= 4)
		return IO_DONE;
	if (size < 4 || sub) {
		mask = (uint32_t)(size < 4 ? BIT(size * 8) - 1 : 0xffffffff) << (sub * 8);
		val = (vlapic_read(a, reg) & ~mask) | ((uint32_t)val << (sub * 8) & mask);
	}
	vlapic_write(a, reg, (uint32_t)val);
	return IO_DONE;
}

static const struct io_mmio_ops vlapic_mmio_ops = { mmio_read, mmio_write };

/* dom0's APIC is in x2APIC mode for ever. */
int vlapic_mmio_init(struct domain *d)
{
	return d->is_dom0
		       ? 0
		       : io_register_mmio(d, APIC_DEFAULT_BASE, PAGE_SIZE, &vlapic_mmio_ops, NULL);
}
