/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI bus 0: config space with write masks, BAR sizing and decode (PCI Local Bus Specification 3.0,
 * 6.2.5), INTx. Where config cycles come from is the host bridge's business. See pci.h.
 */
#include "core/pci.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/bus_priv.h"
#include "core/log.h"
#include "core/machine.h"
#include "core/options.h"
#include "core/util.h"
#include "core/vmm.h"
#include "core/vram.h"

#define PCI_DEFAULT_SUB_VENDOR 0x1af4
#define PCI_DEFAULT_SUB_DEVICE 0x1100
#define PCI_ROM_MAX_SIZE       (16u << 20)

struct pci_bus {
	struct pci_device *dev[256];
};

void pci_bus_init(struct machine *m)
{
	m->pci = xzalloc(sizeof(*m->pci));
}

struct pci_device *pci_find(struct machine *m, uint8_t devfn)
{
	return m->pci->dev[devfn];
}

void pci_device_init(struct pci_device *dev, struct machine *m, const char *name, uint8_t devfn,
		     const struct pci_ids *ids, void *opaque)
{
	memset(dev, 0, sizeof(*dev));
	dev->m = m;
	dev->name = name;
	dev->devfn = devfn;
	dev->opaque = opaque;
	put_le16(dev->config + PCI_VENDOR_ID, ids->vendor);
	put_le16(dev->config + PCI_DEVICE_ID, ids->device);
	dev->config[PCI_REVISION] = ids->revision;
	dev->config[PCI_PROG_IF] = ids->prog_if;
	put_le16(dev->config + PCI_CLASS_DEVICE, ids->class_device);
	put_le16(dev->config + PCI_SUBSYSTEM_VENDOR_ID,
		 ids->sub_vendor ? ids->sub_vendor : PCI_DEFAULT_SUB_VENDOR);
	put_le16(dev->config + PCI_SUBSYSTEM_ID,
		 ids->sub_vendor ? ids->sub_device : PCI_DEFAULT_SUB_DEVICE);
	dev->config[PCI_INTERRUPT_PIN] = ids->int_pin;
	put_le16(dev->wmask + PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY |
						   PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE);
	dev->wmask[0x0c] = 0xff; /* cache line size */
	dev->wmask[PCI_INTERRUPT_LINE] = 0xff;
	if (ids->int_pin)
		irq_init_pci(&dev->intx, m, devfn >> 3, ids->int_pin - 1);
}

static unsigned int bar_offset(unsigned int bar)
{
	return bar == PCI_ROM_BAR ? PCI_ROM_ADDRESS : PCI_BASE_ADDRESS_0 + bar * 4;
}

static uint64_t bar_min_size(enum pci_bar_type type)
{
	switch (type) {
	case PCI_BAR_IO:
		return 4;
	case PCI_BAR_ROM:
		return 2048;
	default:
		return 16;
	}
}

static struct pci_bar *bar_init(struct pci_device *dev, unsigned int bar, enum pci_bar_type type,
				uint64_t size)
{
	static const uint8_t flags[] = {
		[PCI_BAR_IO] = 0x1,    [PCI_BAR_MEM32_PREFETCH] = 0x8,
		[PCI_BAR_MEM64] = 0x4, [PCI_BAR_MEM64_PREFETCH] = 0xc,
		[PCI_BAR_ROM] = 0,
	};
	uint8_t *config = dev->config + bar_offset(bar), *wmask = dev->wmask + bar_offset(bar);
	uint64_t real = bar_min_size(type);

	while (real < size)
		real <<= 1;
	dev->bars[bar] = (struct pci_bar){ .type = type, .size = real };
	put_le32(config, flags[type]);
	put_le32(wmask, (uint32_t) ~(real - 1) | (type == PCI_BAR_ROM));
	if (type == PCI_BAR_MEM64 || type == PCI_BAR_MEM64_PREFETCH)
		put_le32(wmask + 4, (uint32_t)(~(real - 1) >> 32));
	return &dev->bars[bar];
}

void pci_add_bar(struct pci_device *dev, unsigned int bar, enum pci_bar_type type, uint32_t size,
		 const struct io_ops *ops, void (*placed)(struct pci_device *dev, uint64_t addr))
{
	struct pci_bar *b = bar_init(dev, bar, type, size);

	b->ops = ops;
	b->placed = placed;
}

void pci_add_memory_bar(struct pci_device *dev, unsigned int bar, enum pci_bar_type type,
			struct vram *memory)
{
	bar_init(dev, bar, type, memory->size)->memory = memory;
}

/* Where the window should be now; false: nowhere. */
static bool bar_decode(const struct pci_device *dev, unsigned int i, uint64_t *addr)
{
	const struct pci_bar *bar = &dev->bars[i];
	uint32_t low = get_le32(dev->config + bar_offset(i));
	uint64_t limit = 0xfffffffful;

	if (bar->type == PCI_BAR_IO) {
		*addr = low & ~(bar->size - 1) & 0xffffffff;
		return pci_enabled(dev, PCI_COMMAND_IO) && *addr && *addr + bar->size <= 0x10000;
	}
	if (bar->type == PCI_BAR_ROM && !(low & 1))
		return false;
	*addr = low;
	if (bar->type == PCI_BAR_MEM64 || bar->type == PCI_BAR_MEM64_PREFETCH) {
		*addr |= (uint64_t)get_le32(dev->config + bar_offset(i) + 4) << 32;
		limit = (1ull << 52) - 1;
	}
	*addr &= ~(bar->size - 1);
	/* All ones is a size probe, not an address. */
	return pci_enabled(dev, PCI_COMMAND_MEMORY) && *addr && *addr < limit &&
	       *addr + bar->size - 1 < limit;
}

static void bar_unmap(struct pci_device *dev, unsigned int i)
{
	struct pci_bar *bar = &dev->bars[i];

	if (!bar->mapped)
		return;
	log_trace(TRACE_PCI, "pci %s: BAR %u leaves 0x%" PRIx64, dev->name, i, bar->addr);
	bar->mapped = false;
	io_unregister(dev->m, bar->region);
	bar->region = NULL;
	if (bar->memory)
		vram_unmap(bar->memory);
}

static bool bar_map(struct pci_device *dev, struct pci_bar *bar)
{
	if (bar->memory)
		return !vram_map(bar->memory, bar->addr);
	if (bar->type == PCI_BAR_IO)
		bar->region = pio_register(dev->m, (uint32_t)bar->addr, (uint32_t)bar->size,
					   bar->ops, dev->opaque, dev->name);
	else
		bar->region = mmio_register(dev->m, bar->addr, bar->size, bar->ops, dev->opaque,
					    dev->name);
	if (bar->region && bar->placed)
		bar->placed(dev, bar->addr);
	return bar->region;
}

void pci_update_mappings(struct pci_device *dev)
{
	unsigned int i;

	for (i = 0; i < PCI_NUM_BARS; i++) {
		struct pci_bar *bar = &dev->bars[i];
		uint64_t addr = 0;
		bool want;

		if (bar->type == PCI_BAR_NONE)
			continue;
		want = bar_decode(dev, i, &addr);
		if (bar->mapped && want && bar->addr == addr)
			continue;
		bar_unmap(dev, i);
		if (!want)
			continue;
		bar->addr = addr;
		bar->mapped = bar_map(dev, bar);
		log_trace(TRACE_PCI, "pci %s: BAR %u at 0x%" PRIx64 "%s", dev->name, i, addr,
			  bar->mapped ? "" : " refused");
	}
}

static void pci_reset(void *opaque)
{
	struct pci_device *dev = opaque;
	unsigned int i;

	if (dev->config[PCI_INTERRUPT_PIN])
		irq_set(&dev->intx, false);
	put_le16(dev->config + PCI_COMMAND,
		 get_le16(dev->config + PCI_COMMAND) & ~get_le16(dev->wmask + PCI_COMMAND));
	dev->config[PCI_INTERRUPT_LINE] = 0;
	for (i = 0; i < PCI_NUM_BARS; i++) {
		uint8_t *config = dev->config + bar_offset(i);

		if (dev->bars[i].type != PCI_BAR_NONE)
			put_le32(config, get_le32(config) & ~get_le32(dev->wmask + bar_offset(i)));
	}
	pci_update_mappings(dev);
	if (dev->config_written)
		dev->config_written(dev, 0, 0);
}

static void pci_refresh(void *obj)
{
	struct pci_device *dev = obj;

	memcpy(dev->saved.config, dev->config, PCI_CONFIG_SIZE);
	dev->saved.intx = dev->intx.level;
}

static int pci_loaded(void *obj, uint32_t version)
{
	struct pci_device *dev = obj;
	const uint8_t *config = dev->saved.config;
	unsigned int i;

	if (memcmp(config, dev->config, 4))
		return -EINVAL;
	for (i = 0; i < PCI_CONFIG_SIZE; i++) {
		uint8_t rw = dev->wmask[i] | dev->w1cmask[i];

		dev->config[i] = (dev->config[i] & ~rw) | (config[i] & rw);
	}
	/* The status register's own bits come back as they were. */
	put_le16(dev->config + PCI_STATUS, get_le16(config + PCI_STATUS));
	pci_update_mappings(dev);
	if (dev->config_written)
		dev->config_written(dev, 0, 0);
	if (dev->config[PCI_INTERRUPT_PIN])
		irq_set(&dev->intx, dev->saved.intx);
	return 0;
}

static const struct save_field pci_fields[] = {
	SAVE_ARRAY(struct pci_device, saved.config),
	SAVE(struct pci_device, saved.intx),
	SAVE_END,
};

static const struct save_ops pci_save_ops = { "pci", 1, pci_fields, pci_refresh, pci_loaded };

int pci_register(struct pci_device *dev)
{
	struct machine *m = dev->m;
	int rc;

	if (m->pci->dev[dev->devfn]) {
		log_error("%s: PCI 00:%02x.%u is taken by %s", dev->name, dev->devfn >> 3,
			  dev->devfn & 7, m->pci->dev[dev->devfn]->name);
		return -EBUSY;
	}
	rc = m->vmm->claim_pci(m, dev->devfn);
	if (rc) {
		log_error("%s: the VMM refused PCI 00:%02x.%u: %s", dev->name, dev->devfn >> 3,
			  dev->devfn & 7, strerror(-rc));
		return rc;
	}
	m->pci->dev[dev->devfn] = dev;
	machine_on_reset(m, pci_reset, dev);
	save_register(m, &pci_save_ops, dev->devfn, dev);
	return 0;
}

void pci_unregister(struct pci_device *dev)
{
	struct machine *m = dev->m;
	unsigned int i;

	if (m->pci->dev[dev->devfn] != dev)
		return;
	for (i = 0; i < PCI_NUM_BARS; i++)
		bar_unmap(dev, i);
	if (dev->config[PCI_INTERRUPT_PIN])
		irq_set(&dev->intx, false);
	m->vmm->release_pci(m, dev->devfn);
	m->pci->dev[dev->devfn] = NULL;
	machine_off_reset(m, dev);
	save_unregister(m, dev);
}

void pci_set_intx(struct pci_device *dev, bool level)
{
	uint8_t *status = dev->config + PCI_STATUS;

	*status = level ? *status | 0x08 : *status & ~0x08;
	irq_set(&dev->intx, level && !pci_intx_disabled(dev));
}

uint32_t pci_config_read(struct machine *m, uint8_t devfn, unsigned int offset, unsigned int size)
{
	struct pci_device *dev = m->pci->dev[devfn];
	uint32_t v = 0xffffffffu >> (4 - size) * 8;

	if (dev && offset + size <= PCI_CONFIG_SIZE)
		v = (uint32_t)load_le(dev->config + offset, size);
	log_trace(TRACE_PCI, "pci %02x.%u read 0x%02x/%u = 0x%x", devfn >> 3, devfn & 7, offset,
		  size, v);
	return v;
}

void pci_config_write(struct machine *m, uint8_t devfn, unsigned int offset, uint32_t value,
		      unsigned int size)
{
	struct pci_device *dev = m->pci->dev[devfn];
	unsigned int i;

	log_trace(TRACE_PCI, "pci %02x.%u write 0x%02x/%u = 0x%x", devfn >> 3, devfn & 7, offset,
		  size, value);
	if (!dev || offset + size > PCI_CONFIG_SIZE)
		return;
	for (i = 0; i < size; i++) {
		uint8_t v = (uint8_t)(value >> i * 8), *c = &dev->config[offset + i];
		uint8_t wmask = dev->wmask[offset + i], w1c = dev->w1cmask[offset + i];

		*c = (*c & ~wmask) | (v & wmask);
		*c &= ~(v & w1c);
	}
	if (offset < PCI_INTERRUPT_LINE)
		pci_update_mappings(dev);
	if (offset <= PCI_COMMAND + 1 && dev->config[PCI_INTERRUPT_PIN])
		irq_set(&dev->intx, (dev->config[PCI_STATUS] & 0x08) && !pci_intx_disabled(dev));
	if (dev->config_written)
		dev->config_written(dev, offset, size);
}

static int rom_read_file(const char *path, uint8_t **data, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t n = -1;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size <= 0 ||
	    st.st_size > PCI_ROM_MAX_SIZE) {
		close(fd);
		return -EINVAL;
	}
	*size = (size_t)st.st_size;
	*data = xzalloc(*size);
	n = read(fd, *data, *size);
	close(fd);
	if (n == (ssize_t)*size)
		return 0;
	free(*data);
	return -EIO;
}

int pci_add_rom(struct pci_device *dev, const char *name)
{
	char *path = options_find_firmware(dev->m->opt, name);
	size_t size = 0, bar_size = DM_PAGE_SIZE;
	uint8_t *data = NULL;
	int rc = path ? rom_read_file(path, &data, &size) : -ENOENT;

	free(path);
	if (rc) {
		log_error("%s: cannot load the option ROM %s: %s (is its package installed?)",
			  dev->name, name, strerror(-rc));
		return rc;
	}
	while (bar_size < size)
		bar_size <<= 1;
	dev->rom = xzalloc(sizeof(*dev->rom));
	rc = vram_create(dev->rom, dev->m, name, bar_size, false);
	if (!rc) {
		if (dev->m->opt->incoming_fd < 0)
			/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): open sets errno */
			memcpy(dev->rom->ptr, data, size);
		pci_add_memory_bar(dev, PCI_ROM_BAR, PCI_BAR_ROM, dev->rom);
	}
	free(data);
	return rc;
}
