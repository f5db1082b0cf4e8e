// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Port 0xe9: text from firmware and guests to the log, by lines, with the domain's number. A budget
 * of bytes that fills up with time keeps a hostile guest from drowning the log; what it writes by
 * CONSOLEIO_write comes out of the same one.
 */
#include "pc_private.h"

#define DEBUG_PORT   0xe9
#define LINE_MAX     120U
#define BURST_BYTES  65536U
#define BYTES_PER_MS 4U

struct debug_port {
	char line[LINE_MAX + 1];
	unsigned int len;
	unsigned int budget;
	uint64_t refilled_ms;
	unsigned int dropped; /* lines */
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

static void flush(struct domain *d, struct debug_port *p)
{
	p->line[p->len] = '\0';
	if (may_print(p, p->len + 1)) {
		if (p->dropped)
			printk(LOG_INFO "d%u: (%u lines dropped)\n", d->domid, p->dropped);
		p->dropped = 0;
		printk(LOG_INFO "d%u: %s\n", d->domid, p->line);
	}
	p->len = 0;
}

static void put(struct domain *d, struct debug_port *p, char c)
{
	if (c == '\n' || p->len == LINE_MAX)
		flush(d, p);
	if (c == '\t')
		c = ' ';
	if (c >= ' ' && c < 0x7f)
		p->line[p->len++] = c;
}

/* Reads give the port's number, by which guests find it (Bochs). */
static enum io_result port_e9(struct vcpu *v, void *opaque, uint16_t port, unsigned int size,
			      bool write, uint32_t *val)
{
	struct debug_port *p = opaque;

	(void)port;
	if (!write) {
		*val = size == 1 ? DEBUG_PORT : 0xffffff00 | DEBUG_PORT;
		return IO_DONE;
	}
	spin_lock(&v->domain->hvm.time_lock);
	for (unsigned int i = 0; i < size; i++)
		put(v->domain, p, (char)(*val >> (i * 8)));
	spin_unlock(&v->domain->hvm.time_lock);
	return IO_DONE;
}

int debug_port_init(struct domain *d)
{
	struct debug_port *p = xzalloc(struct debug_port);

	if (!p)
		return -ENOMEM;
	p->budget = BURST_BYTES;
	d->hvm.debug_port = p;
	return io_register_port(d, DEBUG_PORT, 1, port_e9, p);
}

void debug_port_fini(struct domain *d)
{
	xfree(d->hvm.debug_port);
	d->hvm.debug_port = NULL;
}
