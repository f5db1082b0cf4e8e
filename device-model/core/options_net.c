/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options of the network: -netdev (the host's side), -device of a card, -object filter-dump. What a
 * back end's own properties mean is judged in net/. See options.h.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/log.h"
#include "core/options_priv.h"
#include "core/util.h"

static char *dup_or_null(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

static unsigned int number_any_base(const char *key, const char *s, unsigned long max)
{
	char *end;
	unsigned long v = strtoul(s, &end, 0);

	if (!*s || *end || v > max)
		log_fatal("-device: %s=%s is not a number up to 0x%lx", key, s, max);
	return (unsigned int)v;
}

/* "4", "04.0", "0x4": the device number is hexadecimal, the function can only be 0. */
static int slot_number(const char *s)
{
	char *end;
	unsigned long v = strtoul(s, &end, 16);

	if (end == s || v > 31 || (*end && strcmp(end, ".0") != 0))
		log_fatal("-device: addr=%s is not a PCI device number from 0 to 1f", s);
	return (int)v;
}

void opt_device_nic(struct options *o, const struct opt_list *l)
{
	static const char *const known[] = { "id",   "netdev", "mac", "romfile", "bootindex",
					     "addr", "iobase", "irq", NULL };
	const char *addr = opt_list_get(l, "addr"), *iobase = opt_list_get(l, "iobase");
	const char *irq = opt_list_get(l, "irq");
	struct opt_nic *n = &o->nics[o->nr_nics];

	opt_list_only(l, "device", known);
	if (o->nr_nics == OPT_MAX_NICS)
		log_fatal("at most %d network cards", OPT_MAX_NICS);
	o->nr_nics++;
	*n = (struct opt_nic){
		.model = xstrdup(l->head),
		.id = dup_or_null(opt_list_get(l, "id")),
		.netdev_id = dup_or_null(opt_list_get(l, "netdev")),
		.mac = dup_or_null(opt_list_get(l, "mac")),
		.romfile = dup_or_null(opt_list_get(l, "romfile")),
		.slot = addr ? slot_number(addr) : -1,
		.iobase = iobase ? number_any_base("iobase", iobase, 0xffe0) : 0x300,
		.irq = irq ? number_any_base("irq", irq, 15) : 9,
	};
}

void opt_netdev(struct options *o, const char *arg)
{
	struct opt_netdev *n = &o->netdevs[o->nr_netdevs];
	const char *kind, *id;

	if (o->nr_netdevs == OPT_MAX_NICS)
		log_fatal("-netdev: at most %d", OPT_MAX_NICS);
	opt_list_parse(&n->args, arg);
	kind = opt_list_get(&n->args, "type"); /* libxl's spelling */
	id = opt_list_get(&n->args, "id");
	n->kind = xstrdup(kind ? kind : n->args.head);
	if (!id)
		log_fatal("-netdev %s needs an id", n->kind);
	n->id = xstrdup(id);
	o->nr_netdevs++;
}

void opt_net(struct options *o, const char *arg)
{
	if (strcmp(arg, "none"))
		log_fatal("-net %s is not supported; use -netdev and -device", arg);
}

void opt_netdump(struct options *o, const struct opt_list *l)
{
	static const char *const known[] = { "id", "netdev", "file", "maxlen", NULL };
	struct opt_netdump *d = &o->netdumps[o->nr_netdumps];
	const char *max;

	opt_list_only(l, "object", known);
	if (o->nr_netdumps == OPT_MAX_NICS)
		log_fatal("-object filter-dump: at most %d", OPT_MAX_NICS);
	max = opt_list_get(l, "maxlen");
	d->netdev = dup_or_null(opt_list_get(l, "netdev"));
	d->file = dup_or_null(opt_list_get(l, "file"));
	d->max_bytes = max ? (uint32_t)opt_number("object", max, 65536) : 65536;
	if (!d->netdev || !d->file)
		log_fatal("-object filter-dump needs netdev= and file=");
	o->nr_netdumps++;
}

static struct opt_netdev *netdev_find(struct options *o, const char *id)
{
	unsigned int i;

	for (i = 0; i < o->nr_netdevs; i++)
		if (!strcmp(o->netdevs[i].id, id))
			return &o->netdevs[i];
	return NULL;
}

void options_net_finish(struct options *o)
{
	unsigned int i;

	for (i = 0; i < o->nr_nics; i++) {
		struct opt_nic *n = &o->nics[i];
		struct opt_netdev *d = n->netdev_id ? netdev_find(o, n->netdev_id) : NULL;

		if (n->netdev_id && !d)
			log_fatal("-device %s: there is no -netdev with id=%s", n->model,
				  n->netdev_id);
		if (d && d->taken)
			log_fatal("-device %s: netdev %s has a network card already", n->model,
				  d->id);
		if (d)
			d->taken = true;
		n->netdev = d;
	}
	for (i = 0; i < o->nr_netdumps; i++)
		if (!netdev_find(o, o->netdumps[i].netdev))
			log_fatal("-object filter-dump: there is no -netdev with id=%s",
				  o->netdumps[i].netdev);
}
