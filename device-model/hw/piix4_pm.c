/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PIIX4 power management function, 00:01.3 (Intel 82371AB datasheet, order number 290562; ACPI 4.8).
 * Shared with the VMM: PM1a status and enable and the timer are its, PM1a control, the SMI command
 * port, GPE0 and the hot-plug registers of the Xen DSDT are ours. No SMBus.
 */
#include "core/bus.h"
#include "core/device.h"
#include "core/irq.h"
#include "core/log.h"
#include "core/machine.h"
#include "core/options.h"
#include "core/pci.h"
#include "core/util.h"

#define PM_BASE_REG	 0x40
#define PM_MISC_REG	 0x80 /* bit 0: PMIOSE */
#define PM_IO_SIZE	 64
#define PM1_CONTROL	 4
#define PM1_SCI_EN	 0x0001
#define PM1_SLP_EN	 0x2000
#define PM1_KEPT	 0x1c07 /* SCI_EN, BM_RLD, GBL_RLS, SLP_TYP */

#define SMI_COMMAND	 0xb2
#define SMI_ACPI_ENABLE	 0xf1
#define SMI_ACPI_DISABLE 0xf0

#define GPE_BASE	 0xafe0 /* ACPI_GPE0_BLK_ADDRESS_V1: two bytes status, two enable */
#define GPE_LEN		 4
#define PCI_HOTPLUG_BASE 0xae00
#define PCI_HOTPLUG_LEN	 0x18
#define CPU_HOTPLUG_BASE 0xaf00
#define CPU_HOTPLUG_LEN	 0x20

enum sleep_type { SLEEP_S5 = 0, SLEEP_S3 = 1, SLEEP_S4 = 6 }; /* of the Xen DSDT */

struct piix4_pm {
	struct pci_device pci;
	struct irq_line sci;
	struct io_region *io;
	uint16_t io_base;
	uint16_t control;
	uint8_t smi[2];
	uint8_t gpe[GPE_LEN];
};

static const struct pci_ids piix4_pm_ids = {
	.vendor = 0x8086,
	.device = 0x7113,
	.revision = 3,
	.class_device = 0x0680,
	.int_pin = 1,
};

static void sci_update(struct piix4_pm *s)
{
	bool event = (s->gpe[0] & s->gpe[2]) || (s->gpe[1] & s->gpe[3]);

	irq_set(&s->sci, event && (s->control & PM1_SCI_EN));
}

static void sleep_enter(struct piix4_pm *s)
{
	unsigned int type = s->control >> 10 & 7;

	log_trace(TRACE_ACPI, "acpi: sleep type %u", type);
	if (type == SLEEP_S5 || type == SLEEP_S4)
		machine_guest_poweroff(s->pci.m);
	else
		log_guest("the guest wants sleep state %u, which is not supported (set acpi_s3=0)",
			  type);
}

static uint64_t pm_read(void *opaque, uint64_t offset, unsigned int size)
{
	struct piix4_pm *s = opaque;
	uint8_t regs[PM_IO_SIZE + 8] = { 0 };

	put_le16(regs + PM1_CONTROL, s->control);
	return load_le(regs + offset, size);
}

static void pm_write(void *opaque, uint64_t offset, uint64_t value, unsigned int size)
{
	struct piix4_pm *s = opaque;
	uint16_t v = s->control;

	if (offset == PM1_CONTROL && size == 1)
		v = (v & 0xff00) | (uint8_t)value;
	else if (offset == PM1_CONTROL)
		v = (uint16_t)value;
	else if (offset == PM1_CONTROL + 1)
		v = (uint16_t)((v & 0xff) | value << 8);
	else
		return;
	/* SCI_EN belongs to the firmware (SMI command), ACPI 4.8.3.2.1. */
	s->control = (v & PM1_KEPT & ~PM1_SCI_EN) | (s->control & PM1_SCI_EN);
	if (v & PM1_SLP_EN)
		sleep_enter(s);
}

static const struct io_ops pm_ops = { .read = pm_read, .write = pm_write };

static void pm_map(struct piix4_pm *s)
{
	uint16_t base = get_le16(s->pci.config + PM_BASE_REG) & 0xffc0;
	bool on = s->pci.config[PM_MISC_REG] & 1;

	if (s->io && (!on || base != s->io_base)) {
		io_unregister(s->pci.m, s->io);
		s->io = NULL;
	}
	if (!on || !base || s->io)
		return;
	s->io_base = base;
	s->io = pio_register(s->pci.m, base, PM_IO_SIZE, &pm_ops, s, "piix4-pm");
}

static void piix4_config_written(struct pci_device *dev, unsigned int offset, unsigned int size)
{
	struct piix4_pm *s = container_of(dev, struct piix4_pm, pci);

	dev->config[PM_BASE_REG] |= 1; /* an I/O address */
	pm_map(s);
}

static uint64_t smi_read(void *opaque, uint64_t offset, unsigned int size)
{
	return ((struct piix4_pm *)opaque)->smi[offset];
}

/* There is no SMM; the two ACPI commands are all the firmware would do. */
static void smi_write(void *opaque, uint64_t offset, uint64_t value, unsigned int size)
{
	struct piix4_pm *s = opaque;

	s->smi[offset] = (uint8_t)value;
	if (offset)
		return;
	log_trace(TRACE_ACPI, "acpi: SMI command 0x%02x", (unsigned int)value);
	if (value == SMI_ACPI_ENABLE)
		s->control |= PM1_SCI_EN;
	else if (value == SMI_ACPI_DISABLE)
		s->control &= ~PM1_SCI_EN;
	sci_update(s);
}

static const struct io_ops smi_ops = { .read = smi_read, .write = smi_write, .max_size = 1 };

static uint64_t gpe_read(void *opaque, uint64_t offset, unsigned int size)
{
	return ((struct piix4_pm *)opaque)->gpe[offset];
}

static void gpe_write(void *opaque, uint64_t offset, uint64_t value, unsigned int size)
{
	struct piix4_pm *s = opaque;
	uint8_t *reg = &s->gpe[offset];

	*reg = offset < GPE_LEN / 2 ? *reg & ~value : value; /* status (a one clears), enable */
	sci_update(s);
}

static const struct io_ops gpe_ops = { .read = gpe_read, .write = gpe_write, .max_size = 1 };

/* Nothing is plugged or pulled at run time: no slot has an event, none can be ejected. */
static uint64_t pci_hotplug_read(void *opaque, uint64_t offset, unsigned int size)
{
	return 0;
}

static const struct io_ops pci_hotplug_ops = { .read = pci_hotplug_read };

/* One bit per vCPU that is on. */
static uint64_t cpu_hotplug_read(void *opaque, uint64_t offset, unsigned int size)
{
	struct piix4_pm *s = opaque;
	unsigned int on = s->pci.m->opt->vcpus, i;
	uint8_t v = 0;

	for (i = 0; i < 8; i++)
		v |= offset * 8 + i < on ? 1u << i : 0;
	return v;
}

static const struct io_ops cpu_hotplug_ops = { .read = cpu_hotplug_read, .max_size = 1 };

static void piix4_reset(void *opaque)
{
	struct piix4_pm *s = opaque;

	memset(s->pci.config + 0x40, 0, PCI_CONFIG_SIZE - 0x40);
	s->pci.config[PM_BASE_REG] = 1;
	s->pci.config[0x5b] = 0;
	s->pci.config[0x90] = 1; /* SMBus base, not decoded */
	s->control = 0;
	memset(s->smi, 0, sizeof(s->smi));
	memset(s->gpe, 0, sizeof(s->gpe));
	pm_map(s);
	sci_update(s);
}

static int piix4_loaded(void *obj, uint32_t version)
{
	sci_update(obj);
	return 0;
}

static const struct save_field piix4_fields[] = {
	SAVE(struct piix4_pm, control, .mask = PM1_KEPT),
	SAVE_ARRAY(struct piix4_pm, smi),
	SAVE_ARRAY(struct piix4_pm, gpe),
	SAVE_END,
};

static const struct save_ops piix4_save_ops = { "piix4_pm", 1, piix4_fields,
						.loaded = piix4_loaded };

static int piix4_init(struct machine *m)
{
	struct piix4_pm *s;
	int rc;

	if (!m->opt->acpi)
		return 0;
	s = xzalloc(sizeof(*s));
	pci_device_init(&s->pci, m, "piix4-pm", PCI_DEVFN(1, 3), &piix4_pm_ids, s);
	put_le16(s->pci.config + PCI_STATUS, 0x0280);
	memset(s->pci.wmask + 0x40, 0xff, PCI_CONFIG_SIZE - 0x40);
	s->pci.config_written = piix4_config_written;
	irq_init_isa(&s->sci, m, 9);
	rc = pci_register(&s->pci);
	if (rc)
		return rc;
	machine_on_reset(m, piix4_reset, s);
	save_register(m, &piix4_save_ops, 0, s);
	if (!pio_register(m, SMI_COMMAND, 2, &smi_ops, s, "smi-command") ||
	    !pio_register(m, GPE_BASE, GPE_LEN, &gpe_ops, s, "acpi-gpe0") ||
	    !pio_register(m, PCI_HOTPLUG_BASE, PCI_HOTPLUG_LEN, &pci_hotplug_ops, s,
			  "acpi-pci-hotplug") ||
	    !pio_register(m, CPU_HOTPLUG_BASE, CPU_HOTPLUG_LEN, &cpu_hotplug_ops, s,
			  "acpi-cpu-hotplug"))
		return -1;
	return 0;
}
DEVICE(DEVICE_ISA, piix4_pm, piix4_init);
