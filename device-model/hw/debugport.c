/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Debug output ports: 0xe9 (Bochs; on Xen the VMM's own console comes first) and 0x402 (SeaBIOS).
 * Only with -debugcon; a port that nobody reads must not cost a guest its time.
 */
#include "core/bus.h"
#include "core/chardev.h"
#include "core/device.h"
#include "core/machine.h"
#include "core/options.h"

#define PORT_BOCHS   0xe9
#define PORT_SEABIOS 0x402
#define PRESENT	     0xe9 /* what a read answers when the port exists */

static uint64_t debugport_read(void *opaque, uint64_t offset, unsigned int size)
{
	return PRESENT;
}

static void debugport_write(void *opaque, uint64_t offset, uint64_t value, unsigned int size)
{
	uint8_t c = (uint8_t)value;

	chardev_write(opaque, &c, 1);
}

static size_t debugport_write_block(void *opaque, uint64_t offset, const void *buf,
				    unsigned int size, size_t count)
{
	if (size != 1)
		return 0;
	chardev_write(opaque, buf, count);
	return count;
}

static const struct io_ops debugport_ops = {
	.read = debugport_read,
	.write = debugport_write,
	.write_block = debugport_write_block,
	.max_size = 1,
};

static int debugport_init(struct machine *m)
{
	struct chardev *c;

	if (!m->opt->debugcon)
		return 0;
	c = chardev_open(m, "debugcon", m->opt->debugcon);
	if (!c)
		return -1;
	return pio_register(m, PORT_BOCHS, 1, &debugport_ops, c, "debugport") &&
			       pio_register(m, PORT_SEABIOS, 1, &debugport_ops, c, "debugport")
		       ? 0
		       : -1;
}
DEVICE(DEVICE_ISA, debugport, debugport_init);
