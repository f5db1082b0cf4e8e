// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Port 0xe9 and CONSOLEIO_write: text from firmware and guests to the log, by lines, with the domain's
 * number, as messages of the level "info" about guests. A budget of bytes that fills up with time keeps a
 * hostile guest from drowning the log; lines are printed with no lock held.
 */
#include "log.h"
#include "pc_private.h"
#include "units.h"

#define DEBUG_PORT   0xe9
#define LINE_MAX     200U
#define BURST_BYTES  32768U
#define BYTES_PER_MS 2U

struct line {
	char text[LINE_MAX + 1];
	unsigned int len;
};

/* Guarded by the domain's time_lock. */
struct debug_port {
	struct line port, console; /* not yet whole lines of the two ways */
	unsigned int budget;
	uint64_t refilled_ms;
	unsigned int dropped; /* lines */
};

/* A line to be printed once the lock is dropped. */
struct ready {
	char text[LINE_MAX + 1];
	bool whole;
	unsigned int dropped;
};

/* Takes n bytes out of the budget; false, and counted, when there are not so many. */
static bool may_print(struct debug_port *p, unsigned int n)
{
	uint64_t ms = now_ns() / NS_PER_MS, more = (ms - p->refilled_ms) * BYTES_PER_MS;

	p->refilled_ms = ms;
	p->budget = (unsigned int)min((uint64_t)BURST_BYTES,
				      p->budget + min(more, (uint64_t)BURST_BYTES));
	if (p->budget < n) {
		p->dropped++;
		return false;
	}
	p->budget -= n;
	return true;
}

bool debug_port_may_print(struct domain *d, unsigned int n)
{
	bool ok;

	spin_lock(&d->hvm.time_lock);
	ok = may_print(d->hvm.debug_port, n);
	spin_unlock(&d->hvm.time_lock);
	return ok;
}

/* The line is over: out of the buffer it goes, and into r if it may be printed. */
static void end_line(struct debug_port *p, struct line *l, struct ready *r)
{
	if (may_print(p, l->len + 1)) {
		memcpy(r->text, l->text, l->len);
		r->text[l->len] = '\0';
		r->whole = true;
		r->dropped = p->dropped;
		p->dropped = 0;
	}
	l->len = 0;
}

/* Control characters would let a guest forge lines of others. */
static void put(struct debug_port *p, struct line *l, char c, struct ready *r)
{
	if (c == '\n' || l->len == LINE_MAX)
		end_line(p, l, r);
	if (c == '\t')
		c = ' ';
	if (c >= ' ' && c < 0x7f)
		l->text[l->len++] = c;
}

/* Puts characters into the line until one is ready; returns how many. */
static size_t gather(struct domain *d, struct line *l, const char *text, size_t len,
		     struct ready *r)
{
	size_t n = 0;

	r->whole = false;
	spin_lock(&d->hvm.time_lock);
	while (n < len && !r->whole)
		put(d->hvm.debug_port, l, text[n++], r);
	spin_unlock(&d->hvm.time_lock);
	return n;
}

static void print(const struct domain *d, const struct ready *r)
{
	if (r->dropped)
		guest_printk(LOG_INFO "d%u: (%u lines dropped)\n", d->domid, r->dropped);
	guest_printk(LOG_INFO "d%u: %s\n", d->domid, r->text);
}

static void add_text(struct domain *d, struct line *l, const char *text, size_t len)
{
	struct ready r;
	size_t n;

	for (; len; text += n, len -= n) {
		n = gather(d, l, text, len, &r);
		if (r.whole)
			print(d, &r);
	}
}

void debug_port_write(struct domain *d, const char *text, size_t len)
{
	add_text(d, &d->hvm.debug_port->console, text, len);
}

/* Reads give the port's number, by which guests find it (Bochs). */
static enum io_result e9_read(struct vcpu *v, void *opaque, uint64_t offset, unsigned int size,
			      uint64_t *val)
{
	(void)v, (void)opaque, (void)offset;
	*val = size == 1 ? DEBUG_PORT : (uint32_t)(BIT(size * 8) - 0x100) | DEBUG_PORT;
	return IO_DONE;
}

static enum io_result e9_write(struct vcpu *v, void *opaque, uint64_t offset, unsigned int size,
			       uint64_t val)
{
	struct debug_port *p = opaque;
	char text[4];

	(void)offset;
	for (unsigned int i = 0; i < size; i++)
		text[i] = (char)(val >> (i * 8));
	add_text(v->domain, &p->port, text, size);
	return IO_DONE;
}

static const struct io_range e9 = { IO_PORTS, DEBUG_PORT, 1, e9_read, e9_write };

static int debug_port_init(struct domain *d)
{
	struct debug_port *p = xzalloc(struct debug_port);

	if (!p)
		return -ENOMEM;
	p->budget = BURST_BYTES;
	d->hvm.debug_port = p;
	return io_register(d, &e9, p);
}

/* What a guest printed last may have no end of line. */
static void debug_port_fini(struct domain *d)
{
	struct debug_port *p = d->hvm.debug_port;

	if (!p)
		return;
	if (p->port.len)
		add_text(d, &p->port, "\n", 1);
	if (p->console.len)
		add_text(d, &p->console, "\n", 1);
	xfree(p);
	d->hvm.debug_port = NULL;
}

const struct hvm_unit debug_port_unit = {
	.name = "debug port",
	.needs = UNIT_GUEST,
	.init = debug_port_init,
	.fini = debug_port_fini,
};
