/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The UHCI schedule: frame list, queue heads and transfer descriptors (UHCI 1.1, chapter 3). Each
 * structure is read once and judged by the copy. A frame ends after 256 structures or when its bus
 * time is used up, whatever the guest's pointers say. See uhci.h.
 */
#include "core/dma.h"
#include "core/log.h"
#include "core/machine.h"
#include "core/util.h"
#include "hw/uhci.h"

#define FRAME_STRUCTURES 256u
#define FRAME_BYTES	 1280u
#define PACKET_OVERHEAD	 13u /* bytes of bus time around the data */
#define PACKET_MAX	 1280u

enum link_bit { LINK_END = 1, LINK_QUEUE = 2, LINK_DEPTH = 4 };
#define LINK_ADDR 0xfffffff0u

enum td_bit {
	TD_LENGTH = 0x7ff,
	TD_TIMEOUT = 1 << 18,
	TD_NAK = 1 << 19,
	TD_BABBLE = 1 << 20,
	TD_STALLED = 1 << 22,
	TD_ACTIVE = 1 << 23,
	TD_IOC = 1 << 24,
	TD_ISOCHRONOUS = 1 << 25,
	TD_ERRORS = 3 << 27,
	TD_SHORT = 1 << 29,
	TD_STATUS = 0xff << 16,
};

struct td {
	uint32_t addr, link, ctrl, token, buffer;
};

/* What the queue does after a transfer. */
enum next {
	NEXT_DONE,  /* the transfer is over: go on after it */
	NEXT_QUEUE, /* this queue waits: go on with the next one */
	NEXT_STOP,  /* the controller has stopped */
};

static uint32_t read_link(struct uhci *c, uint32_t addr)
{
	uint8_t b[4];

	return dma_read(c->pci.m, addr, b, sizeof(b)) ? LINK_END : get_le32(b);
}

static void write32(struct uhci *c, uint32_t addr, uint32_t v)
{
	uint8_t b[4];

	put_le32(b, v);
	dma_write(c->pci.m, addr, b, sizeof(b));
}

static bool read_td(struct uhci *c, uint32_t addr, struct td *td)
{
	uint8_t b[16];

	if (dma_read(c->pci.m, addr, b, sizeof(b)))
		return false;
	*td = (struct td){
		.addr = addr,
		.link = get_le32(b),
		.ctrl = get_le32(b + 4),
		.token = get_le32(b + 8),
		.buffer = get_le32(b + 12),
	};
	return true;
}

static enum next process_error(struct uhci *c)
{
	log_trace(TRACE_USB, "uhci: a bad structure: halted");
	c->cmd &= (uint16_t)~CMD_RUN;
	c->sts |= STS_PROCESS_ERROR | STS_HALTED;
	return NEXT_STOP;
}

static struct usb_device *find_device(struct uhci *c, uint8_t address)
{
	unsigned int i;

	for (i = 0; i < UHCI_PORTS; i++) {
		const struct uhci_port *p = &c->port[i];
		uint16_t state = p->ctrl & (PORT_ENABLED | PORT_SUSPENDED | PORT_RESET);

		if (p->dev && state == PORT_ENABLED && p->dev->address == address)
			return p->dev;
	}
	return NULL;
}

static uint32_t max_length(const struct td *td)
{
	return ((td->token >> 21) + 1) & TD_LENGTH;
}

/* The packet on the bus, and its data from or to memory. A number of bytes or an enum usb_answer. */
static int transfer(struct uhci *c, struct usb_device *d, const struct td *td)
{
	uint8_t buf[PACKET_MAX];
	enum usb_pid pid = td->token & 0xff;
	uint32_t len = max_length(td);
	int n;

	if (pid != USB_IN)
		dma_read(c->pci.m, td->buffer, buf, len);
	n = usb_packet(d, pid, td->token >> 15 & 0x0f, buf, len);
	if (pid == USB_IN && n > 0)
		dma_write(c->pci.m, td->buffer, buf, (size_t)n);
	return n;
}

static void td_end(struct uhci *c, struct td *td, uint32_t status)
{
	td->ctrl = (td->ctrl & ~(uint32_t)(TD_STATUS | TD_LENGTH)) | status;
	if (td->ctrl & TD_IOC && !(status & TD_ACTIVE)) {
		c->cause_ioc = true;
		c->sts |= STS_INT;
	}
	write32(c, td->addr + 4, td->ctrl);
}

static enum next td_failed(struct uhci *c, struct td *td, uint32_t status)
{
	td_end(c, td, status | TD_LENGTH);
	c->sts |= STS_ERROR;
	return td->ctrl & TD_ISOCHRONOUS ? NEXT_DONE : NEXT_QUEUE;
}

/* Nobody answers: three times at once, or for ever when the guest wants no limit. */
static enum next td_timeout(struct uhci *c, struct td *td)
{
	bool limited = td->ctrl & (TD_ERRORS | TD_ISOCHRONOUS);

	if (!limited) {
		td_end(c, td, TD_ACTIVE | TD_TIMEOUT);
		return NEXT_QUEUE;
	}
	td->ctrl &= ~(uint32_t)TD_ERRORS;
	return td_failed(c, td, TD_TIMEOUT | TD_STALLED);
}

static enum next td_done(struct uhci *c, struct td *td, uint32_t n)
{
	bool is_short = (td->token & 0xff) == USB_IN && n < max_length(td);

	td_end(c, td, (n - 1) & TD_LENGTH);
	if (!is_short || !(td->ctrl & TD_SHORT))
		return NEXT_DONE;
	c->cause_short = true;
	c->sts |= STS_INT;
	return NEXT_QUEUE;
}

static enum next td_run(struct uhci *c, struct td *td, uint32_t *bytes, bool *moved)
{
	uint8_t pid = td->token & 0xff;
	struct usb_device *d;
	int n;

	if (!(td->ctrl & TD_ACTIVE))
		return NEXT_QUEUE;
	if (max_length(td) > PACKET_MAX || (pid != USB_IN && pid != USB_OUT && pid != USB_SETUP))
		return process_error(c);
	d = find_device(c, td->token >> 8 & 0x7f);
	n = d ? transfer(c, d, td) : 0;
	*bytes += PACKET_OVERHEAD + (n > 0 ? (uint32_t)n : 0);
	if (n == USB_NAK && !(td->ctrl & TD_ISOCHRONOUS)) {
		if (!(td->ctrl & TD_NAK))
			write32(c, td->addr + 4, td->ctrl | TD_NAK);
		return NEXT_QUEUE;
	}
	*moved = true;
	log_trace(TRACE_USB, "uhci: pid %02x token %08x: %d", pid, td->token, d ? n : -9);
	if (!d)
		return td_timeout(c, td);
	if (n == USB_BABBLE)
		return td_failed(c, td, TD_BABBLE | TD_STALLED);
	if (n < 0)
		return td_failed(c, td, n == USB_NAK ? TD_TIMEOUT : TD_STALLED);
	return td_done(c, td, (uint32_t)n);
}

/* A walk through one frame. */
struct walk {
	uint32_t link;
	uint32_t queue, queue_next; /* the queue head that link's transfer belongs to; 0: none */
	uint32_t anchor;	    /* first queue seen since the last transfer */
	uint32_t bytes;
	bool moved; /* since the anchor */
	bool busy;  /* in this frame */
};

/* False: the frame is over, because a circle of queues has nothing more to move. */
static bool enter_queue(struct uhci *c, struct walk *w)
{
	uint32_t addr = w->link & LINK_ADDR, element;
	uint8_t b[8];

	if (w->moved || !w->anchor) {
		w->anchor = addr;
		w->moved = false;
	} else if (addr == w->anchor) {
		return false;
	}
	if (dma_read(c->pci.m, addr, b, sizeof(b)))
		return false;
	w->queue = addr;
	w->queue_next = get_le32(b);
	element = get_le32(b + 4);
	w->link = element & LINK_END ? w->queue_next : element;
	if (element & LINK_END)
		w->queue = 0;
	return true;
}

static bool run_td(struct uhci *c, struct walk *w)
{
	bool moved = false;
	enum next next;
	struct td td;

	if (!read_td(c, w->link & LINK_ADDR, &td))
		return false;
	next = td_run(c, &td, &w->bytes, &moved);
	w->moved |= moved;
	w->busy |= moved;
	if (next == NEXT_STOP)
		return false;
	if (!w->queue) {
		w->link = td.link;
		return true;
	}
	if (next == NEXT_DONE)
		write32(c, w->queue + 4, td.link);
	if (next == NEXT_DONE && td.link & LINK_DEPTH && !(td.link & LINK_END)) {
		w->link = td.link;
		return true;
	}
	w->link = w->queue_next;
	w->queue = 0;
	return true;
}

bool uhci_run_frame(struct uhci *c)
{
	struct walk w = { 0 };
	unsigned int i;
	bool more = true;

	w.link = read_link(c, c->frame_base + (c->frame & (UHCI_FRAMES - 1)) * 4);
	for (i = 0; more && i < FRAME_STRUCTURES && w.bytes < FRAME_BYTES; i++) {
		if (w.link & LINK_END)
			break;
		more = w.link & LINK_QUEUE ? enter_queue(c, &w) : run_td(c, &w);
	}
	return w.busy;
}
