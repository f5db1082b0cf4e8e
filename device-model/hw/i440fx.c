/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Intel 440FX host bridge, 00:00.0 (82441FX PMC datasheet, order number 290549): identity, the
 * configuration address and data ports, the PAM registers. On Xen the VMM decodes 0xcf8/0xcfc by
 * itself and sends config cycles; the ports then only serve reads of the latch. What PAM means for the
 * guest's memory at 0xc0000-0xfffff is up to the VMM below.
 */
#include "core/bus.h"
#include "core/device.h"
#include "core/log.h"
#include "core/machine.h"
#include "core/pci.h"
#include "core/util.h"
#include "core/vmm.h"

#define PAM0		  0x59
#define PAM_LAST	  0x5f
#define PAM_READ	  1
#define PAM_WRITE	  2
#define CONFIG_ENABLE	  0x80000000u
#define CONFIG_LATCH_BITS 0x80fffffcu

struct i440fx {
	struct pci_device pci;
	uint32_t latch;	       /* CONFADD */
	uint8_t reset_control; /* RC of the PIIX3, at port 0xcf9 */
	uint8_t pam[13];       /* as the VMM knows it */
};

static const struct pci_ids i440fx_ids = {
	.vendor = 0x8086,
	.device = 0x1237,
	.revision = 2,
	.class_device = 0x0600,
};

/* Segment 0 is f0000-fffff; the others are 16 KiB (1-8) and then 16 KiB (9-12) from c0000. */
static void pam_segment(unsigned int i, uint64_t *gfn, size_t *pages)
{
	*gfn = i ? 0xc0 + (i - 1) * 4 : 0xf0;
	*pages = i ? 4 : 16;
}

static unsigned int pam_attribute(const struct i440fx *s, unsigned int i)
{
	uint8_t v = s->pci.config[PAM0 + (i + 1) / 2];

	return i % 2 ? v & 3 : v >> 4 & 3;
}

static void pam_update(struct i440fx *s)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(s->pam); i++) {
		unsigned int now = pam_attribute(s, i);
		uint64_t gfn;
		size_t pages;

		if (now == s->pam[i])
			continue;
		s->pam[i] = (uint8_t)now;
		pam_segment(i, &gfn, &pages);
		s->pci.m->vmm->set_ram_access(s->pci.m, gfn, pages, now & PAM_READ,
					      now & PAM_WRITE);
	}
}

static void i440fx_config_written(struct pci_device *dev, unsigned int offset, unsigned int size)
{
	if (!size || (offset <= PAM_LAST && offset + size > PAM0))
		pam_update(container_of(dev, struct i440fx, pci));
}

/* 82371SB 2.5.4.1: setting bit 2 resets; bit 1 says how hard. */
static void reset_control_write(struct i440fx *s, uint8_t v)
{
	if (v & 4 && !(s->reset_control & 4)) {
		machine_guest_reset(s->pci.m);
		return;
	}
	s->reset_control = v & 2;
}

static uint64_t address_read(void *opaque, uint64_t offset, unsigned int size)
{
	struct i440fx *s = opaque;

	if (size == 1 && offset == 1)
		return s->reset_control;
	return s->latch >> offset * 8;
}

static void address_write(void *opaque, uint64_t offset, uint64_t value, unsigned int size)
{
	struct i440fx *s = opaque;

	if (size == 1 && offset == 1)
		reset_control_write(s, (uint8_t)value);
	else if (size == 4)
		s->latch = (uint32_t)value & CONFIG_LATCH_BITS;
}

static bool config_target(struct i440fx *s, uint64_t offset, uint8_t *devfn, unsigned int *reg)
{
	*devfn = (uint8_t)(s->latch >> 8);
	*reg = (s->latch & 0xfc) + (unsigned int)offset;
	return (s->latch & CONFIG_ENABLE) && !(s->latch >> 16 & 0xff);
}

static uint64_t data_read(void *opaque, uint64_t offset, unsigned int size)
{
	struct i440fx *s = opaque;
	unsigned int reg;
	uint8_t devfn;

	if (!config_target(s, offset, &devfn, &reg))
		return ~0ull;
	return pci_config_read(s->pci.m, devfn, reg, size);
}

static void data_write(void *opaque, uint64_t offset, uint64_t value, unsigned int size)
{
	struct i440fx *s = opaque;
	unsigned int reg;
	uint8_t devfn;

	if (config_target(s, offset, &devfn, &reg))
		pci_config_write(s->pci.m, devfn, reg, (uint32_t)value, size);
}

static const struct io_ops address_ops = { .read = address_read, .write = address_write };
static const struct io_ops data_ops = { .read = data_read, .write = data_write };

static void i440fx_reset(void *opaque)
{
	struct i440fx *s = opaque;
	unsigned int i;

	s->latch = 0;
	s->reset_control = 0;
	for (i = PAM0; i <= PAM_LAST; i++)
		s->pci.config[i] = 0;
	s->pci.config[0x72] = 0x02; /* SMRAM */
	pam_update(s);
}

static const struct save_field i440fx_fields[] = {
	SAVE(struct i440fx, latch, .mask = CONFIG_LATCH_BITS),
	SAVE(struct i440fx, reset_control, .mask = 2),
	SAVE_END,
};

static const struct save_ops i440fx_save_ops = { "i440fx", 1, .fields = i440fx_fields };

static int i440fx_init(struct machine *m)
{
	struct i440fx *s = xzalloc(sizeof(*s));
	int rc;

	pci_device_init(&s->pci, m, "i440fx", PCI_DEVFN(0, 0), &i440fx_ids, s);
	memset(s->pci.wmask + 0x40, 0xff, PCI_CONFIG_SIZE - 0x40);
	s->pci.config_written = i440fx_config_written;
	rc = pci_register(&s->pci);
	if (rc)
		return rc;
	machine_on_reset(m, i440fx_reset, s);
	save_register(m, &i440fx_save_ops, 0, s);
	if (!pio_register(m, 0xcf8, 4, &address_ops, s, "pci-address") ||
	    !pio_register(m, 0xcfc, 4, &data_ops, s, "pci-data"))
		return -1;
	return 0;
}
DEVICE(DEVICE_CHIPSET, i440fx, i440fx_init);
