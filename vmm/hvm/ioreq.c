// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ioreq servers: creation, shared pages, event ports, claimed ranges, end. How requests travel is in
 * ioreq_send.c. Overlap is refused only inside one server: device models claim ranges that the VMM
 * emulates, and internal devices win. xen/hvm/dm_op.h, xen/hvm/ioreq.h.
 */
#include "event.h"
#include "vmm/hvm/hvm.h"
#include "ioreq_private.h"
#include "units.h"
#include "vmm/domain/domain.h"

static int ioreq_domain_init(struct domain *d)
{
	d->hvm.ioreq = xzalloc(struct ioreq_state);
	if (!d->hvm.ioreq)
		return -ENOMEM;
	spin_lock_init(&d->hvm.ioreq->lock, LOCK_IOREQ, "ioreq");
	return 0;
}

static struct ioreq_server *get_server(struct domain *d, ioservid_t id)
{
	struct ioreq_state *s = d->hvm.ioreq;

	return s && id < IOREQ_MAX_SERVERS && s->server[id].used ? &s->server[id] : NULL;
}

static void free_resources(struct domain *d, struct ioreq_server *s)
{
	for (unsigned int i = 0; s->port && i < d->max_vcpus; i++)
		if (s->port[i])
			evtchn_free_vmm(d, s->port[i]);
	if (s->buf_port)
		evtchn_free_vmm(d, s->buf_port);
	if (s->page)
		domain_lent_page_put(s->page);
	if (s->buf_page)
		domain_lent_page_put(s->buf_page);
	for (unsigned int i = 0; i < IOREQ_TYPES; i++)
		xfree(s->range[i]);
	xfree(s->port);
	memset(s, 0, sizeof(*s));
}

static void buffered_notified(struct vcpu *v, unsigned int port)
{
	(void)v;
	(void)port; /* the emulator's end of the ring needs no answer */
}

static int alloc_port(struct domain *d, struct vcpu *v, domid_t remote, evtchn_consumer_fn fn,
		      unsigned int *port)
{
	int rc = evtchn_alloc_vmm(d, v, remote, fn);

	if (rc < 0)
		return rc;
	*port = (unsigned int)rc;
	return 0;
}

static int alloc_resources(struct domain *d, struct ioreq_server *s, domid_t emulator,
			   bool buffered)
{
	struct vcpu *v;
	int rc = 0;

	s->page = domain_lent_page_alloc(d);
	s->buf_page = buffered ? domain_lent_page_alloc(d) : NULL;
	s->port = xzalloc_array(unsigned int, d->max_vcpus);
	if (!s->page || (buffered && !s->buf_page) || !s->port)
		return -ENOMEM;
	for (unsigned int i = 0; i < IOREQ_TYPES; i++) {
		s->range[i] = xzalloc_array(struct ioreq_range, IOREQ_MAX_RANGES);
		if (!s->range[i])
			return -ENOMEM;
	}
	for_each_vcpu(d, v) {
		ioreq_t *slot = (ioreq_t *)page_to_virt(s->page) + v->id;

		rc = alloc_port(d, v, emulator, ioreq_notified, &s->port[v->id]);
		if (rc)
			return rc;
		slot->vp_eport = s->port[v->id];
	}
	if (buffered)
		rc = alloc_port(d, domain_vcpu(d, 0), emulator, buffered_notified, &s->buf_port);
	return rc;
}

int ioreq_server_create(struct domain *d, domid_t emulator, bool buffered, ioservid_t *id)
{
	struct ioreq_state *st = d->hvm.ioreq;
	int rc = -ENOSPC;

	/* With a port for each vCPU: they must all be there. */
	if (!st || !domain_has_vcpus(d) || d->max_vcpus > PAGE_SIZE / sizeof(ioreq_t))
		return -EINVAL;
	spin_lock(&st->lock);
	if (READ_ONCE(d->dying))
		rc = -EINVAL; /* the others have been destroyed, or will be when the lock is free */
	for (unsigned int i = 0; i < IOREQ_MAX_SERVERS && rc == -ENOSPC; i++) {
		struct ioreq_server *s = &st->server[i];

		if (s->used)
			continue;
		rc = alloc_resources(d, s, emulator, buffered);
		if (rc) {
			free_resources(d, s);
			break;
		}
		s->used = true;
		s->emulator = emulator;
		s->buffered = buffered;
		*id = (ioservid_t)i;
	}
	spin_unlock(&st->lock);
	return rc;
}

/* vCPUs that wait for this server go on as if nobody had claimed the access. */
static void release_waiters(struct domain *d, const struct ioreq_server *s)
{
	struct vcpu *v;

	for_each_vcpu(d, v) {
		struct vcpu_io *io = v->hvm.io;

		if (!io->in_flight || io->server != s)
			continue;
		io->server = NULL;
		ioreq_notified(v, 0);
	}
}

static void release_ranges(struct ioreq_state *st, ioservid_t id)
{
	static const struct ioreq_range all = { 0, ~0ULL };

	for (unsigned int i = 0; i < IOREQ_TYPES; i++)
		ioreq_map_release(&st->map[i], &all, id);
	st->enabled &= (uint8_t)~BIT(id);
}

int ioreq_server_destroy(struct domain *d, ioservid_t id)
{
	struct ioreq_server *s;
	int rc = -ENOENT;

	if (!d->hvm.ioreq)
		return rc;
	domain_pause(d);
	spin_lock(&d->hvm.ioreq->lock);
	s = get_server(d, id);
	if (s) {
		release_waiters(d, s);
		release_ranges(d->hvm.ioreq, id);
		free_resources(d, s);
		rc = 0;
	}
	spin_unlock(&d->hvm.ioreq->lock);
	domain_unpause(d);
	return rc;
}

static void ioreq_domain_fini(struct domain *d)
{
	if (!d->hvm.ioreq)
		return;
	for (unsigned int i = 0; i < IOREQ_MAX_SERVERS; i++)
		if (d->hvm.ioreq->server[i].used)
			free_resources(d, &d->hvm.ioreq->server[i]);
	for (unsigned int i = 0; i < IOREQ_TYPES; i++)
		ioreq_map_free(&d->hvm.ioreq->map[i]);
	xfree(d->hvm.ioreq);
	d->hvm.ioreq = NULL;
}

/* The list of servers itself stays for calls that are under way in other CPUs. */
static void disconnect(struct domain *d)
{
	for (unsigned int id = 0; id < IOREQ_MAX_SERVERS; id++)
		ioreq_server_destroy(d, (ioservid_t)id);
}

const struct hvm_unit ioreq_unit = {
	.name = "ioreq servers",
	.needs = UNIT_PC,
	.init = ioreq_domain_init,
	.stop = disconnect,
	.fini = ioreq_domain_fini,
	.reset = disconnect,
};

static bool overlaps(const struct ioreq_server *s, uint32_t type, uint64_t start, uint64_t end)
{
	for (unsigned int i = 0; i < s->nr_ranges[type]; i++)
		if (start <= s->range[type][i].end && s->range[type][i].start <= end)
			return true;
	return false;
}

/* Of all servers. */
static unsigned int all_ranges(const struct ioreq_state *st, uint32_t type)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < IOREQ_MAX_SERVERS; i++)
		n += st->server[i].nr_ranges[type];
	return n;
}

static int add_range(struct ioreq_state *st, ioservid_t id, uint32_t type,
		     const struct ioreq_range *r)
{
	struct ioreq_server *s = &st->server[id];
	int rc;

	if (overlaps(s, type, r->start, r->end))
		return -EEXIST;
	if (s->nr_ranges[type] == IOREQ_MAX_RANGES)
		return -ENOSPC;
	rc = ioreq_map_claim(&st->map[type], all_ranges(st, type), r, id);
	if (!rc)
		s->range[type][s->nr_ranges[type]++] = *r;
	return rc;
}

int ioreq_server_map_range(struct domain *d, ioservid_t id, uint32_t type, uint64_t start,
			   uint64_t end)
{
	struct ioreq_range r = { start, end };
	int rc = -ENOENT;

	if (type >= IOREQ_TYPES || start > end || !d->hvm.ioreq)
		return -EINVAL;
	spin_lock(&d->hvm.ioreq->lock);
	if (get_server(d, id))
		rc = add_range(d->hvm.ioreq, id, type, &r);
	spin_unlock(&d->hvm.ioreq->lock);
	return rc;
}

int ioreq_server_post_writes(struct domain *d, ioservid_t id, uint64_t first, uint64_t last)
{
	struct ioreq_server *s;
	int rc = -ENOENT;

	if (first > last || !d->hvm.ioreq)
		return -EINVAL;
	spin_lock(&d->hvm.ioreq->lock);
	s = get_server(d, id);
	if (s && s->emulator == current_domain()->domid) {
		rc = s->nr_posted < IOREQ_MAX_POSTED ? 0 : -ENOSPC;
		if (!rc)
			s->posted[s->nr_posted++] = (struct ioreq_range){ first, last };
	}
	spin_unlock(&d->hvm.ioreq->lock);
	return rc;
}

int ioreq_server_user_calls(struct domain *d, ioservid_t id)
{
	struct ioreq_server *s;
	int rc = -ENOENT;

	if (!d->hvm.ioreq)
		return -EINVAL;
	spin_lock(&d->hvm.ioreq->lock);
	s = get_server(d, id);
	if (s && s->emulator == current_domain()->domid) {
		s->user_calls = true;
		rc = 0;
	}
	spin_unlock(&d->hvm.ioreq->lock);
	return rc;
}

int ioreq_server_attach(struct domain *d, unsigned int id, const struct page *slots, uint64_t space)
{
	struct ioreq_server *s;
	int rc = -EPERM;

	if (!d->hvm.ioreq || id >= IOREQ_MAX_SERVERS)
		return rc;
	spin_lock(&d->hvm.ioreq->lock);
	s = get_server(d, (ioservid_t)id);
	if (s && s->user_calls && s->emulator == current_domain()->domid && s->page == slots) {
		s->user_space = space;
		rc = 0;
	}
	spin_unlock(&d->hvm.ioreq->lock);
	return rc;
}

static void forget_posted(struct ioreq_server *s, uint64_t start, uint64_t end)
{
	for (unsigned int i = s->nr_posted; i-- > 0;)
		if (start <= s->posted[i].start && s->posted[i].end <= end)
			s->posted[i] = s->posted[--s->nr_posted];
}

int ioreq_server_unmap_range(struct domain *d, ioservid_t id, uint32_t type, uint64_t start,
			     uint64_t end)
{
	struct ioreq_server *s;
	int rc = -ENOENT;

	if (type >= IOREQ_TYPES || !d->hvm.ioreq)
		return -EINVAL;
	spin_lock(&d->hvm.ioreq->lock);
	s = get_server(d, id);
	for (unsigned int i = 0; s && i < s->nr_ranges[type]; i++) {
		struct ioreq_range *r = &s->range[type][i];

		if (r->start != start || r->end != end)
			continue;
		ioreq_map_release(&d->hvm.ioreq->map[type], r, id);
		*r = s->range[type][--s->nr_ranges[type]];
		if (type == XEN_DMOP_IO_RANGE_PORT)
			forget_posted(s, start, end);
		rc = 0;
		break;
	}
	spin_unlock(&d->hvm.ioreq->lock);
	return rc;
}

int ioreq_server_set_state(struct domain *d, ioservid_t id, bool enabled)
{
	struct ioreq_server *s;

	if (!d->hvm.ioreq)
		return -ENOENT;
	spin_lock(&d->hvm.ioreq->lock);
	s = get_server(d, id);
	if (s && enabled)
		d->hvm.ioreq->enabled |= (uint8_t)BIT(id);
	else if (s)
		d->hvm.ioreq->enabled &= (uint8_t)~BIT(id);
	spin_unlock(&d->hvm.ioreq->lock);
	return s ? 0 : -ENOENT;
}

int ioreq_server_buf_port(struct domain *d, ioservid_t id, evtchn_port_t *port)
{
	struct ioreq_server *s;

	if (!d->hvm.ioreq)
		return -ENOENT;
	spin_lock(&d->hvm.ioreq->lock);
	s = get_server(d, id);
	if (s)
		*port = s->buf_port;
	spin_unlock(&d->hvm.ioreq->lock);
	return s ? 0 : -ENOENT;
}

int ioreq_server_frame(struct domain *d, unsigned int id, unsigned int idx, mfn_t *mfn)
{
	struct ioreq_server *s;
	struct page *pg;

	if (!d->hvm.ioreq)
		return -EINVAL;
	spin_lock(&d->hvm.ioreq->lock);
	s = id < IOREQ_MAX_SERVERS ? get_server(d, (ioservid_t)id) : NULL;
	pg = !s ? NULL : idx == 0 ? s->buf_page : idx == 1 ? s->page : NULL;
	if (pg)
		*mfn = page_to_mfn(pg);
	spin_unlock(&d->hvm.ioreq->lock);
	return pg ? 0 : -EINVAL;
}
