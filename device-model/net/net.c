/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The wire: queue for frames that the card has no room for, link state, capture. Back ends are in
 * tap.c and slirp.c. See net.h.
 */
#include "net/net.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "core/log.h"
#include "core/loop.h"
#include "core/machine.h"
#include "core/options.h"
#include "core/qmp.h"
#include "core/util.h"

#define NET_QUEUE_MAX 256
#define NET_FLUSH_MAX 64 /* frames in one turn of the loop */

struct net_frame {
	struct net_frame *next;
	size_t len;
	uint8_t data[];
};

struct net {
	struct machine *m;
	const struct net_nic_ops *ops;
	void *opaque;
	struct net_backend *backend; /* NULL: no cable */
	const char *id, *nic_id;
	uint8_t mac[ETH_ALEN];
	bool link_up;
	struct net_frame *head, **tail; /* waits for the card */
	unsigned int queued;
	unsigned long dropped;
	struct loop_call flush;
	struct net_dump *dump;
	struct net *next;
};

static bool mac_parse(const char *s, uint8_t mac[ETH_ALEN])
{
	unsigned int b[ETH_ALEN], i;
	char end;

	if (sscanf(s, "%2x:%2x:%2x:%2x:%2x:%2x%c", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5],
		   &end) != ETH_ALEN)
		return false;
	for (i = 0; i < ETH_ALEN; i++)
		mac[i] = (uint8_t)b[i];
	return !(mac[0] & 1);
}

static bool mac_choose(const struct opt_nic *o, uint8_t mac[ETH_ALEN])
{
	static const uint8_t xen_oui[3] = { 0x00, 0x16, 0x3e };

	if (o->mac && mac_parse(o->mac, mac))
		return true;
	if (o->mac) {
		log_error("network card %s: mac=%s is not a unicast address like "
			  "00:16:3e:01:02:03",
			  o->model, o->mac);
		return false;
	}
	memcpy(mac, xen_oui, sizeof(xen_oui));
	if (getrandom(mac + 3, 3, 0) != 3)
		return false;
	mac[3] &= 0x7f; /* the half of the range that is for addresses made up locally */
	return true;
}

const uint8_t *net_mac(const struct net *n)
{
	return n->mac;
}

bool net_link_up(const struct net *n)
{
	return n->link_up;
}

void net_send(struct net *n, const uint8_t *frame, size_t len)
{
	if (!n->link_up || !n->backend || !len)
		return;
	log_trace(TRACE_NET, "net %s: sent %zu bytes", n->id, len);
	if (n->dump)
		net_dump_frame(n->dump, frame, len);
	n->backend->send(n->backend, frame, len);
}

bool net_can_deliver(const struct net *n)
{
	return n->m->running && !n->head;
}

static void queue_add(struct net *n, const uint8_t *frame, size_t len)
{
	struct net_frame *f;

	if (n->queued == NET_QUEUE_MAX) {
		n->dropped++;
		return;
	}
	f = xzalloc(sizeof(*f) + len);
	f->len = len;
	memcpy(f->data, frame, len);
	*n->tail = f;
	n->tail = &f->next;
	n->queued++;
}

static void queue_remove_first(struct net *n)
{
	struct net_frame *f = n->head;

	n->head = f->next;
	if (!n->head)
		n->tail = &n->head;
	n->queued--;
	free(f);
}

static void deliver(struct net *n, const uint8_t *frame, size_t len, bool now)
{
	uint8_t padded[ETH_MIN_FRAME];

	if (!n->link_up || len < ETH_HEADER || len > NET_MAX_FRAME)
		return;
	log_trace(TRACE_NET, "net %s: received %zu bytes", n->id, len);
	if (n->dump)
		net_dump_frame(n->dump, frame, len);
	if (len < ETH_MIN_FRAME) {
		memcpy(padded, frame, len);
		memset(padded + len, 0, sizeof(padded) - len);
		frame = padded;
		len = sizeof(padded);
	}
	if (!now || !net_can_deliver(n) || !n->ops->receive(n->opaque, frame, len))
		queue_add(n, frame, len);
}

void net_deliver(struct net *n, const uint8_t *frame, size_t len)
{
	deliver(n, frame, len, true);
}

void net_deliver_later(struct net *n, const uint8_t *frame, size_t len)
{
	deliver(n, frame, len, false);
	loop_defer(&n->flush);
}

static void flush(void *opaque)
{
	struct net *n = opaque;
	unsigned int i;

	for (i = 0; n->head && n->m->running && i < NET_FLUSH_MAX; i++) {
		if (!n->ops->receive(n->opaque, n->head->data, n->head->len))
			return;
		queue_remove_first(n);
	}
	if (n->head && n->m->running)
		loop_defer(&n->flush);
	else if (n->m->running && n->backend && n->backend->resume)
		n->backend->resume(n->backend);
}

void net_ready(struct net *n)
{
	if (n->head)
		loop_defer(&n->flush);
}

static void run_changed(void *opaque, bool running)
{
	struct net *n = opaque;

	if (running)
		loop_defer(&n->flush);
}

struct net *net_find(struct machine *m, const char *id)
{
	struct net *n = m->nets;

	while (n && strcmp(n->id, id) && strcmp(n->nic_id, id))
		n = n->next;
	return n;
}

const struct options *net_options(const struct net *n)
{
	return n->m->opt;
}

void net_set_link(struct net *n, bool up)
{
	if (n->link_up == up)
		return;
	n->link_up = up;
	while (!up && n->head)
		queue_remove_first(n);
	if (!up)
		loop_defer(&n->flush); /* the back end may have stopped for them */
	n->ops->link_changed(n->opaque, up);
}

static void cmd_set_link(struct machine *m, const struct json *args, struct qmp_reply *r)
{
	const char *name = json_str(args, "name", "");
	struct net *n = net_find(m, name);

	if (!n)
		qmp_error(r, "there is no network card or netdev \"%s\"", name);
	else
		net_set_link(n, json_bool(args, "up", true));
}
QMP_COMMAND(set_link, "set_link", cmd_set_link);

static void net_close(struct net *n)
{
	struct net **p = &n->m->nets;

	while (*p != n)
		p = &(*p)->next;
	*p = n->next;
	while (n->head)
		queue_remove_first(n);
	machine_off_run(n->m, n);
	loop_cancel(&n->flush);
	if (n->backend)
		n->backend->close(n->backend);
	if (n->dump)
		net_dump_close(n->dump);
	free(n);
}

static bool can_leave(const struct net *n)
{
	return !n->backend || n->backend->close;
}

/* A card that is not there: what comes for it is swallowed. */
static bool hidden_receive(void *opaque, const uint8_t *frame, size_t len)
{
	return true;
}

static void hidden_link_changed(void *opaque, bool up)
{
}

static void hidden_unplug(void *opaque)
{
}

static const struct net_nic_ops hidden_ops = { hidden_receive, hidden_link_changed, hidden_unplug };

void net_hide_all(struct machine *m)
{
	struct net *n;

	for (n = m->nets; n; n = n->next) {
		if (!can_leave(n))
			continue;
		n->ops->unplug(n->opaque);
		n->ops = &hidden_ops;
	}
}

unsigned int net_unplug_all(struct machine *m)
{
	struct net *n, *next;
	unsigned int count = 0;

	for (n = m->nets; n; n = next) {
		next = n->next;
		if (!can_leave(n))
			continue;
		n->ops->unplug(n->opaque);
		net_close(n);
		count++;
	}
	return count;
}

static bool backend_open(struct net *n, const struct opt_netdev *o)
{
	static const struct {
		const char *kind;
		struct net_backend *(*open)(struct net *n, const struct opt_netdev *o);
	} kinds[] = { { "tap", net_tap_open },
		      { "user", net_user_open },
		      { "dgram", net_dgram_open } };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i].kind, o->kind))
			break;
	if (i == ARRAY_SIZE(kinds)) {
		log_error("-netdev %s is not supported (known: tap, user, dgram)", o->kind);
		return false;
	}
	n->backend = kinds[i].open(n, o);
	if (n->backend)
		n->backend->net = n;
	return n->backend;
}

static bool dump_open(struct net *n, const struct options *o)
{
	unsigned int i;

	for (i = 0; i < o->nr_netdumps && !n->dump; i++) {
		if (strcmp(o->netdumps[i].netdev, n->id))
			continue;
		n->dump = net_dump_open(o->netdumps[i].file, o->netdumps[i].max_bytes);
		if (!n->dump)
			return false;
	}
	return true;
}

struct net *net_open(struct machine *m, const struct opt_nic *nic, const struct net_nic_ops *ops,
		     void *opaque)
{
	struct net *n = xzalloc(sizeof(*n));

	n->m = m;
	n->ops = ops;
	n->opaque = opaque;
	n->tail = &n->head;
	n->link_up = true;
	n->id = nic->netdev ? nic->netdev->id : "(none)";
	n->nic_id = nic->id ? nic->id : "(none)";
	loop_call_init(&n->flush, flush, n);
	if (!mac_choose(nic, n->mac) || (nic->netdev && !backend_open(n, nic->netdev)) ||
	    !dump_open(n, m->opt)) {
		free(n);
		return NULL;
	}
	machine_on_run(m, run_changed, n);
	n->next = m->nets;
	m->nets = n;
	return n;
}
