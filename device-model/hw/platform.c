/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Xen platform device, 00:02.0 (Xen's docs/misc/hvm-emulated-unplug): drivers of paravirtual
 * devices look for it and unplug their emulated twins through port 0x10.
 *
 * Unplugging is only offered when a back end in domain 0 serves what would be unplugged: disks that are
 * block devices have blkback, those in files the process of back ends (pv/pv_process.c). Unplugging closes
 * an image before the guest runs on, so the back end can open it. Network cards have netback, and leave the
 * machine with their back ends (net_unplug_all). What is unplugged stays so until the domain is made anew.
 * A machine that is restored without its cards keeps their taps until the guest unplugs again: libxl's scripts look for
 * them when the device model has started.
 */
#include "core/bus.h"
#include "core/device.h"
#include "core/log.h"
#include "core/machine.h"
#include "core/options.h"
#include "core/pci.h"
#include "core/util.h"
#include "hw/ide.h"
#include "net/net.h"

#include <sys/stat.h>

#define PLATFORM_IO_SIZE   0x100
#define PLATFORM_MMIO_SIZE (16u << 20)
#define FIXED_BASE	   0x10
#define FIXED_LEN	   0x10
#define FIXED_MAGIC	   0x49d2
#define FIXED_PROTOCOL	   1
#define LOG_LINE_MAX	   120

enum unplug_bit { UNPLUG_DISKS = 1, UNPLUG_NICS = 2, UNPLUG_AUX_DISKS = 4, UNPLUG_ALL = 7 };

struct platform {
	struct pci_device pci;
	bool all_phy; /* every disk is a block device */
	uint8_t flags;
	uint8_t unplugged;
	bool nics_hidden;     /* unplugged before the state was saved; the taps are still there */
	uint8_t saved_unplug; /* both, as they stand in the saved state */
	char log[LOG_LINE_MAX + 1];
	unsigned int log_len;
};

static const struct pci_ids platform_ids = {
	.vendor = 0x5853,
	.device = 0x0001,
	.revision = 1,
	.class_device = 0xff80,
	.sub_vendor = 0x5853,
	.sub_device = 0x0001,
	.int_pin = 1,
};

static void log_char(struct platform *s, uint8_t c)
{
	if (c >= 0x20 && c < 0x7f && s->log_len < LOG_LINE_MAX)
		s->log[s->log_len++] = (char)c;
	if (c != '\n' && s->log_len < LOG_LINE_MAX)
		return;
	s->log[s->log_len] = 0;
	if (s->log_len)
		log_guest("%s", s->log);
	s->log_len = 0;
}

static bool offers_unplug(const struct platform *s)
{
	return s->all_phy || s->pci.m->pv_backends;
}

static void unplug(struct platform *s, uint8_t what)
{
	struct machine *m = s->pci.m;

	what &= (uint8_t)(UNPLUG_ALL & ~s->unplugged);
	if (!what || !offers_unplug(s))
		return;
	s->unplugged |= what;
	if (what & (UNPLUG_DISKS | UNPLUG_AUX_DISKS)) {
		log_info("the guest has unplugged its emulated disks");
		ide_unplug_disks(m, !(what & UNPLUG_DISKS));
	}
	if (what & UNPLUG_NICS)
		log_info("the guest has unplugged its emulated network cards: %u",
			 net_unplug_all(m));
}

static uint64_t fixed_read(void *opaque, uint64_t offset, unsigned int size)
{
	struct platform *s = opaque;

	if (offset == 0 && size == 2)
		return offers_unplug(s) ? FIXED_MAGIC : 0xffff;
	if (offset == 0 && size == 1)
		return s->flags;
	if (offset == 2 && size == 1)
		return FIXED_PROTOCOL;
	return ~0ull;
}

static void fixed_write(void *opaque, uint64_t offset, uint64_t value, unsigned int size)
{
	struct platform *s = opaque;

	if (offset == 0 && size == 2)
		unplug(s, (uint8_t)value);
	else if (offset == 0 && size == 1)
		s->flags = (uint8_t)value & 1;
	else if (offset == 0 && size == 4)
		log_trace(TRACE_ACPI, "platform: driver build %u", (unsigned int)value);
	else if (offset == 2 && size == 1)
		log_char(s, (uint8_t)value);
}

static const struct io_ops fixed_ops = { .read = fixed_read, .write = fixed_write };

static uint64_t bar_read(void *opaque, uint64_t offset, unsigned int size)
{
	struct platform *s = opaque;

	return offset ? 0 : s->flags;
}

static void bar_write(void *opaque, uint64_t offset, uint64_t value, unsigned int size)
{
	struct platform *s = opaque;

	if (offset == 0 && size == 1)
		s->flags = (uint8_t)value & 1;
	else if (offset == 8 && size == 1)
		log_char(s, (uint8_t)value);
}

static const struct io_ops bar_ops = { .read = bar_read, .write = bar_write };

/* The memory window has no registers: drivers take its addresses for grant and shared-info pages. */
static uint64_t window_read(void *opaque, uint64_t offset, unsigned int size)
{
	return 0;
}

static const struct io_ops window_ops = { .read = window_read };

static void platform_reset(void *opaque)
{
	struct platform *s = opaque;

	s->flags = 0;
	s->log_len = 0;
}

static void platform_refresh(void *obj)
{
	struct platform *s = obj;

	s->saved_unplug = (uint8_t)(s->unplugged | (s->nics_hidden ? UNPLUG_NICS : 0));
}

static int platform_loaded(void *obj, uint32_t version)
{
	struct platform *s = obj;
	uint8_t what = s->saved_unplug;

	if (version < 2)
		what &= ~UNPLUG_NICS; /* was noted, but the cards stayed */
	s->nics_hidden = (what & UNPLUG_NICS) && offers_unplug(s);
	if (s->nics_hidden)
		net_hide_all(s->pci.m);
	unplug(s, what & ~UNPLUG_NICS);
	return 0;
}

static const struct save_field platform_fields[] = {
	SAVE(struct platform, flags, .mask = 1),
	SAVE(struct platform, saved_unplug),
	SAVE_END,
};

static const struct save_ops platform_save_ops = { "platform", 2, platform_fields, platform_refresh,
						   platform_loaded };

static bool disks_are_phy(const struct options *o)
{
	struct stat st;
	unsigned int i;

	for (i = 0; i < OPT_MAX_DRIVES; i++) {
		const char *file = o->drives[i].file;

		if (file && (stat(file, &st) || !S_ISBLK(st.st_mode)))
			return false;
	}
	return true;
}

static int platform_init(struct machine *m)
{
	struct platform *s;
	int rc;

	if (!m->opt->xen_platform)
		return 0;
	s = xzalloc(sizeof(*s));
	s->all_phy = disks_are_phy(m->opt);
	if (!s->all_phy && !m->pv_backends)
		log_info("disks in files have no paravirtual back end: the guest keeps its "
			 "emulated ones (use phy: disks for blkback)");
	pci_device_init(&s->pci, m, "xen-platform", PCI_DEVFN(2, 0), &platform_ids, s);
	pci_add_bar(&s->pci, 0, PCI_BAR_IO, PLATFORM_IO_SIZE, &bar_ops, NULL);
	pci_add_bar(&s->pci, 1, PCI_BAR_MEM32_PREFETCH, PLATFORM_MMIO_SIZE, &window_ops, NULL);
	rc = pci_register(&s->pci);
	if (rc)
		return rc;
	machine_on_reset(m, platform_reset, s);
	save_register(m, &platform_save_ops, 0, s);
	return pio_register(m, FIXED_BASE, FIXED_LEN, &fixed_ops, s, "platform-fixed") ? 0 : -1;
}
DEVICE(DEVICE_PCI, platform, platform_init);
