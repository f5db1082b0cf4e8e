/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registers, root hub and frame timer of the UHCI controller (UHCI 1.1, chapter 2). See uhci.h. */
#include "hw/uhci.h"

#include <errno.h>

#include "core/bus.h"
#include "core/device.h"
#include "core/log.h"
#include "core/machine.h"
#include "core/options.h"
#include "core/util.h"

#define UHCI_IO_SIZE 32
#define LEGSUP	     0xc0
#define LEGSUP_PIRQ  0x2000
#define SOF_DEFAULT  64

enum reg {
	REG_CMD = 0,
	REG_STS = 2,
	REG_INTR = 4,
	REG_FRAME = 6,
	REG_BASE_LOW = 8,
	REG_BASE_HIGH = 10,
	REG_SOF = 12,
	REG_PORT = 16,
};

static const struct pci_ids uhci_ids = {
	.vendor = 0x8086,
	.device = 0x7020,
	.revision = 1,
	.class_device = 0x0c03,
	.int_pin = 4,
};

static void update_irq(struct uhci *c)
{
	bool level = (c->cause_ioc && c->intr & INTR_IOC) ||
		     (c->cause_short && c->intr & INTR_SHORT) ||
		     (c->sts & STS_ERROR && c->intr & INTR_CRC) ||
		     (c->sts & STS_RESUME && c->intr & INTR_RESUME) ||
		     c->sts & (STS_HOST_ERROR | STS_PROCESS_ERROR);

	pci_set_intx(&c->pci, level);
}

/* --- frames --- */

static bool running(const struct uhci *c)
{
	return c->cmd & CMD_RUN && !(c->sts & STS_HALTED);
}

static void arm(struct uhci *c)
{
	uint64_t frames = c->idle_count >= UHCI_IDLE_AFTER ? UHCI_IDLE_BATCH : 1;

	dm_timer_set_ns(&c->timer, c->last_ns + frames * UHCI_FRAME_NS);
}

static void one_frame(struct uhci *c)
{
	bool busy = pci_bus_master(&c->pci) && !(c->cmd & CMD_SUSPEND) && uhci_run_frame(c);

	c->idle_count = busy ? 0 : MIN(c->idle_count + 1, UHCI_IDLE_AFTER);
	c->frame = (c->frame + 1) & 0x7ff;
	c->last_ns += UHCI_FRAME_NS;
}

/* All frames that should have been by now. A guest that was held up for long loses some. */
static void catch_up(struct uhci *c)
{
	uint64_t due = running(c) ? (clock_ns() - c->last_ns) / UHCI_FRAME_NS : 0;

	if (due > UHCI_IDLE_BATCH) {
		c->frame = (uint16_t)((c->frame + due - UHCI_IDLE_BATCH) & 0x7ff);
		c->last_ns += (due - UHCI_IDLE_BATCH) * UHCI_FRAME_NS;
		due = UHCI_IDLE_BATCH;
	}
	if (!due)
		return;
	while (due-- && running(c))
		one_frame(c);
	update_irq(c);
}

static void timer_expired(void *opaque)
{
	struct uhci *c = opaque;

	catch_up(c);
	if (running(c))
		arm(c);
}

/* Something happens: look at every frame from the next on. */
static void leave_idle(struct uhci *c)
{
	if (c->idle_count < UHCI_IDLE_AFTER)
		return;
	catch_up(c);
	c->idle_count = 0;
	if (running(c))
		arm(c);
}

static void run_start(struct uhci *c)
{
	c->sts &= (uint16_t)~STS_HALTED;
	c->last_ns = clock_ns();
	c->idle_count = 0;
	arm(c);
}

static void run_stop(struct uhci *c)
{
	c->sts |= STS_HALTED;
	dm_timer_cancel(&c->timer);
}

/* --- root hub --- */

static void port_wakeup(void *opaque)
{
	struct uhci_port *p = opaque;
	struct uhci *c = p->c;

	leave_idle(c);
	if (!p->dev->remote_wakeup || !(p->ctrl & PORT_SUSPENDED || c->cmd & CMD_SUSPEND) ||
	    p->ctrl & PORT_RESUME)
		return;
	if (p->ctrl & PORT_SUSPENDED)
		p->ctrl |= PORT_RESUME;
	if (c->cmd & CMD_SUSPEND)
		c->cmd |= CMD_RESUME;
	c->sts |= STS_RESUME;
	update_irq(c);
}

/* What came while the host had stopped to ask, and did not sleep yet (USB 1.1, 11.9). */
static void wake_again(struct uhci_port *p)
{
	if (p->dev && p->dev->class->waits(p->dev))
		port_wakeup(p);
}

static void port_reset(struct uhci_port *p)
{
	p->ctrl = p->dev ? PORT_CONNECTED | PORT_CONNECT_CHANGE : 0;
	if (p->dev)
		usb_reset(p->dev);
}

static uint16_t port_read(const struct uhci_port *p)
{
	uint16_t v = p->ctrl | PORT_ONE;

	if (p->dev && !(p->ctrl & PORT_RESET))
		v |= PORT_DPLUS;
	return v;
}

static void port_write(struct uhci_port *p, uint16_t v)
{
	const uint16_t writable = PORT_ENABLED | PORT_RESUME | PORT_RESET | PORT_SUSPENDED;
	uint16_t old = p->ctrl;

	p->ctrl &= (uint16_t) ~(v & (PORT_CONNECT_CHANGE | PORT_ENABLE_CHANGE));
	p->ctrl = (uint16_t)((p->ctrl & ~writable) | (v & writable));
	if (v & PORT_RESET || !p->dev)
		p->ctrl &= (uint16_t)~PORT_ENABLED;
	if (v & PORT_RESET && !(old & PORT_RESET) && p->dev)
		usb_reset(p->dev);
	leave_idle(p->c);
	if (p->ctrl & ~old & PORT_SUSPENDED)
		wake_again(p);
}

/* --- registers --- */

static void registers_reset(struct uhci *c)
{
	unsigned int i;

	run_stop(c);
	c->cmd = c->intr = c->frame = 0;
	c->sts = STS_HALTED;
	c->frame_base = 0;
	c->sof = SOF_DEFAULT;
	c->cause_ioc = c->cause_short = false;
	for (i = 0; i < UHCI_PORTS; i++)
		port_reset(&c->port[i]);
	update_irq(c);
}

static void cmd_write(struct uhci *c, uint16_t v)
{
	uint16_t old = c->cmd;
	unsigned int i;

	if (v & CMD_HCRESET) {
		registers_reset(c);
		return;
	}
	if (v & CMD_GRESET && !(old & CMD_GRESET))
		for (i = 0; i < UHCI_PORTS; i++)
			port_reset(&c->port[i]);
	c->cmd = v & 0xff;
	if (v & CMD_RUN && c->sts & STS_HALTED)
		run_start(c);
	else if (!(v & CMD_RUN) && !(c->sts & STS_HALTED))
		run_stop(c);
	leave_idle(c);
	for (i = 0; v & ~old & CMD_SUSPEND && i < UHCI_PORTS; i++)
		wake_again(&c->port[i]);
}

static void sts_write(struct uhci *c, uint16_t v)
{
	c->sts &= (uint16_t) ~(v & 0x1f);
	if (v & STS_INT)
		c->cause_ioc = c->cause_short = false;
	update_irq(c);
}

static uint64_t io_read(void *opaque, uint64_t offset, unsigned int size)
{
	struct uhci *c = opaque;
	uint16_t v = 0xffff;

	catch_up(c);
	switch (offset & ~1ull) {
	case REG_CMD:
		v = c->cmd;
		break;
	case REG_STS:
		v = c->sts;
		break;
	case REG_INTR:
		v = c->intr;
		break;
	case REG_FRAME:
		v = c->frame;
		break;
	case REG_BASE_LOW:
		v = (uint16_t)c->frame_base;
		break;
	case REG_BASE_HIGH:
		v = (uint16_t)(c->frame_base >> 16);
		break;
	case REG_SOF:
		v = c->sof;
		break;
	case REG_PORT:
	case REG_PORT + 2:
		v = port_read(&c->port[(offset - REG_PORT) / 2]);
		break;
	}
	return offset & 1 ? v >> 8 : v;
}

static void io_write16(struct uhci *c, unsigned int reg, uint16_t v)
{
	switch (reg) {
	case REG_CMD:
		cmd_write(c, v);
		break;
	case REG_STS:
		sts_write(c, v);
		break;
	case REG_INTR:
		c->intr = v & 0x0f;
		update_irq(c);
		break;
	case REG_FRAME: /* only while halted (2.1.4) */
		if (c->sts & STS_HALTED)
			c->frame = v & 0x7ff;
		break;
	case REG_BASE_LOW:
		c->frame_base = (c->frame_base & 0xffff0000) | (v & 0xf000);
		break;
	case REG_BASE_HIGH:
		c->frame_base = (c->frame_base & 0xffff) | (uint32_t)v << 16;
		break;
	case REG_SOF:
		c->sof = v & 0x7f;
		break;
	case REG_PORT:
	case REG_PORT + 2:
		port_write(&c->port[(reg - REG_PORT) / 2], v);
		break;
	}
}

/* Of the registers only SOF is a byte; a byte written to another one leaves its neighbour. */
static void io_write(void *opaque, uint64_t offset, uint64_t value, unsigned int size)
{
	struct uhci *c = opaque;
	unsigned int reg = (unsigned int)offset & ~1u;
	uint16_t v = (uint16_t)value;

	catch_up(c);
	if (size == 1 && reg != REG_SOF) {
		uint16_t keep = reg == REG_STS ? 0 : (uint16_t)io_read(c, reg, 2);

		if (reg >= REG_PORT)
			keep &= (uint16_t) ~(PORT_CONNECT_CHANGE | PORT_ENABLE_CHANGE);
		v = offset & 1 ? (uint16_t)((keep & 0xff) | value << 8)
			       : (uint16_t)((keep & 0xff00) | (value & 0xff));
	}
	if (size == 2 || reg != REG_SOF || !(offset & 1))
		io_write16(c, reg, v);
	log_trace(TRACE_USB, "uhci: write %02x = %04x", reg, v);
}

static const struct io_ops io_ops = { .read = io_read, .write = io_write, .max_size = 2 };

/* --- machine --- */

static void uhci_reset(void *opaque)
{
	struct uhci *c = opaque;

	put_le16(c->pci.config + LEGSUP, LEGSUP_PIRQ);
	registers_reset(c);
}

static int uhci_loaded(void *obj, uint32_t version)
{
	struct uhci *c = obj;

	dm_timer_cancel(&c->timer);
	if (running(c))
		run_start(c);
	update_irq(c);
	return 0;
}

static const struct save_field port_fields[] = {
	SAVE_PRESENT(struct uhci_port, dev),
	SAVE(struct uhci_port, ctrl, .mask = 0x124f),
	SAVE_END,
};

static const struct save_field uhci_fields[] = {
	SAVE(struct uhci, cmd, .mask = 0xff),
	SAVE(struct uhci, sts, .mask = 0x3f),
	SAVE(struct uhci, intr, .mask = 0x0f),
	SAVE(struct uhci, frame, .mask = 0x7ff),
	SAVE(struct uhci, frame_base, .mask = ~0xfffu),
	SAVE(struct uhci, sof, .mask = 0x7f),
	SAVE(struct uhci, cause_ioc),
	SAVE(struct uhci, cause_short),
	SAVE_PARTS(struct uhci, port, port_fields),
	SAVE_END,
};

static const struct save_ops uhci_save_ops = { "uhci", 1, uhci_fields, .loaded = uhci_loaded };

static int plug(struct uhci *c, enum usb_hid_kind kind)
{
	unsigned int i;

	for (i = 0; i < UHCI_PORTS && c->port[i].dev; i++)
		;
	if (i == UHCI_PORTS) {
		log_error("the USB controller has two ports: remove one of tablet, mouse and "
			  "keyboard");
		return -ENOSPC;
	}
	c->port[i].dev = usb_hid_create(c->pci.m, kind);
	c->port[i].dev->wakeup = port_wakeup;
	c->port[i].dev->wakeup_opaque = &c->port[i];
	return 0;
}

static int plug_all(struct uhci *c, const struct options *o)
{
	int rc = 0;

	if (o->usb_tablet)
		rc = plug(c, USB_HID_TABLET);
	if (o->usb_mouse && !rc)
		rc = plug(c, USB_HID_MOUSE);
	if (o->usb_keyboard && !rc)
		rc = plug(c, USB_HID_KEYBOARD);
	return rc;
}

static int uhci_init(struct machine *m)
{
	struct uhci *c;
	unsigned int i;
	int rc;

	if (!m->opt->usb)
		return 0;
	c = xzalloc(sizeof(*c));
	pci_device_init(&c->pci, m, "uhci", PCI_DEVFN(1, 2), &uhci_ids, c);
	c->pci.config[0x60] = 0x10; /* USB 1.0, as the PIIX3 says */
	put_le16(c->pci.wmask + LEGSUP, 0x20bf);
	pci_add_bar(&c->pci, 4, PCI_BAR_IO, UHCI_IO_SIZE, &io_ops, NULL);
	dm_timer_init(&c->timer, DM_CLOCK_GUEST, timer_expired, c);
	for (i = 0; i < UHCI_PORTS; i++)
		c->port[i].c = c;
	rc = plug_all(c, m->opt);
	if (!rc)
		rc = pci_register(&c->pci);
	if (rc)
		return rc;
	machine_on_reset(m, uhci_reset, c);
	save_register(m, &uhci_save_ops, 0, c);
	return 0;
}
DEVICE(DEVICE_ISA, uhci, uhci_init);
