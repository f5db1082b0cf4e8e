// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Requests to device models: which server, the slot in the shared page, the event, the answer. The device
 * model may write anything into the page at any time: of a slot only the state, data and count are read
 * back, once, after the state says that the answer is there. xen/hvm/ioreq.h.
 */
#include "event.h"
#include "vmm/hvm/hvm.h"
#include "hvm_ops.h"
#include "ioreq_private.h"
#include "sched.h"

#define CF8_ENABLE BIT(31)

/* With the lock: the enabled server whose ranges hold [start, end], newest first. */
static struct ioreq_server *ioreq_select(struct ioreq_state *s, uint32_t type, uint64_t start,
					 uint64_t end)
{
	unsigned int servers = ioreq_map_servers(&s->map[type], start, end) & s->enabled;

	return servers ? &s->server[fls64(servers) - 1] : NULL;
}

/* Accesses to 0xcfc..0xcff become PCI configuration requests for the function that 0xcf8 names. */
static bool to_pci_config(const struct ioreq_state *s, ioreq_t *p)
{
	uint32_t bdf = s->cf8 >> 8 & 0xffff;
	uint64_t reg = (s->cf8 & 0xfc) | (p->addr & 3);

	if (p->type != IOREQ_TYPE_PIO || (p->addr & ~3ULL) != 0xcfc || !(s->cf8 & CF8_ENABLE))
		return false;
	/* AMD's extended register number sits in bits 24-27. */
	reg |= (s->cf8 >> 16 & 0xf00);
	p->type = IOREQ_TYPE_PCI_CONFIG;
	p->addr = (uint64_t)bdf << 32 | reg;
	return true;
}

static struct ioreq_server *route(struct ioreq_state *s, ioreq_t *p)
{
	ioreq_t config = *p;
	struct ioreq_server *srv = NULL;
	uint64_t first = p->addr, last = p->addr + p->size - 1,
		 run = (uint64_t)(p->count - 1) * p->size;

	if (p->type == IOREQ_TYPE_PIO && p->addr == 0xcf8 && p->size == 4 && p->dir == IOREQ_WRITE)
		s->cf8 = (uint32_t)p->data;
	if (to_pci_config(s, &config)) {
		srv = ioreq_select(s, XEN_DMOP_IO_RANGE_PCI, config.addr >> 32, config.addr >> 32);
		if (srv) {
			*p = config;
			return srv;
		}
	}
	if (p->type == IOREQ_TYPE_PIO)
		return ioreq_select(s, XEN_DMOP_IO_RANGE_PORT, first, last);
	if (p->df)
		first -= run;
	else
		last += run;
	return ioreq_select(s, XEN_DMOP_IO_RANGE_MEMORY, first, last);
}

/*
 * Waiting: not runnable until the answer's event. The answer may have come in between. leaves: v is the current vCPU, and
 * another one gets this CPU anyhow.
 */
static void wait_for_answer(struct vcpu *v, const ioreq_t *slot, bool leaves)
{
	__atomic_fetch_or(&v->pause_flags, VPF_IO, __ATOMIC_SEQ_CST);
	if (((volatile const ioreq_t *)slot)->state == STATE_IORESP_READY) {
		__atomic_fetch_and(&v->pause_flags, ~(uint32_t)VPF_IO, __ATOMIC_SEQ_CST);
		vcpu_attention(v, VCPU_ATT_IO);
	} else if (!leaves) {
		sched_vcpu_update(v);
	}
}

void ioreq_notified(struct vcpu *v, unsigned int port)
{
	(void)port;
	vcpu_attention(v, VCPU_ATT_IO);
	if (__atomic_fetch_and(&v->pause_flags, ~(uint32_t)VPF_IO, __ATOMIC_SEQ_CST) & VPF_IO)
		sched_vcpu_update(v);
}

int ioreq_donate(struct domain *d, unsigned int id, uint64_t space, uint32_t to, uint32_t answered)
{
	struct ioreq_state *s = d->hvm.ioreq;
	struct vcpu *done = domain_vcpu(d, answered), *v = domain_vcpu(d, to);
	bool known, given;

	if (!s || !v || id >= IOREQ_MAX_SERVERS)
		return -ENOENT;
	spin_lock(&s->lock);
	known = space && (s->enabled & BIT(id)) && s->server[id].user_space == space &&
		s->server[id].emulator == current_domain()->domid;
	spin_unlock(&s->lock);
	if (!known)
		return -ENOENT;
	if (done) {
		vcpu_attention(done, VCPU_ATT_IO);
		__atomic_fetch_and(&done->pause_flags, ~(uint32_t)VPF_IO, __ATOMIC_SEQ_CST);
	}
	given = sched_donate(v, &s->server[id]);
	if (done && !(given && done == v))
		sched_vcpu_update(done);
	return given || hvm_intr_pending(current_vcpu()) ? 0 : -EBUSY;
}

static ioreq_t *slot_of(const struct ioreq_server *srv, const struct vcpu *v)
{
	return (ioreq_t *)page_to_virt(srv->page) + v->id;
}

/* A slot that is not free means that the device model broke the protocol: this guest ends. */
static enum io_result put_request(struct vcpu *v, struct ioreq_server *srv, const ioreq_t *p)
{
	struct vcpu_io *io = v->hvm.io;
	ioreq_t *slot = slot_of(srv, v);
	bool resumed;

	if (((volatile ioreq_t *)slot)->state != STATE_IOREQ_NONE) {
		domain_crash(v->domain,
			     "vCPU %u: the device model left its request slot in state %u", v->id,
			     slot->state);
		return IO_DONE;
	}
	io->sent = *p;
	io->sent.vp_eport = srv->port[v->id];
	io->sent.state = STATE_IOREQ_NONE;
	*slot = io->sent;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	slot->state = STATE_IOREQ_READY;
	io->server = srv;
	io->in_flight = true;
	resumed = sched_resume_donor(srv);
	if (!resumed)
		evtchn_notify_vmm(v->domain, srv->port[v->id]);
	wait_for_answer(v, slot, resumed);
	return IO_PENDING;
}

/*
 * A device model that donates looks at the ring each time it gets the CPU back, which the first kernel tick
 * does at the latest; only a ring that fills up hurries it.
 */
static void announce_buffered(struct domain *d, const struct ioreq_server *srv, uint32_t used)
{
	if (sched_has_donor(srv) && (used < IOREQ_BUFFER_SLOT_NUM / 2 || sched_resume_donor(srv)))
		return;
	evtchn_notify_vmm(d, srv->buf_port);
}

/* xen/hvm/ioreq.h: 511 slots; an 8-byte access takes two. Only this side moves write_pointer. */
static int ring_put(struct domain *d, struct ioreq_server *srv, const ioreq_t *p)
{
	struct buffered {
		uint32_t read_pointer, write_pointer;
		buf_ioreq_t slot[IOREQ_BUFFER_SLOT_NUM];
	} *ring = page_to_virt(srv->buf_page);
	unsigned int need = p->size == 8 ? 2 : 1;
	uint32_t w = READ_ONCE(ring->write_pointer);

	if (w - READ_ONCE(ring->read_pointer) > IOREQ_BUFFER_SLOT_NUM - need)
		return -ENOBUFS;
	for (unsigned int k = 0; k < need; k++)
		ring->slot[(w + k) % IOREQ_BUFFER_SLOT_NUM] = (buf_ioreq_t){
			.type = p->type,
			.dir = p->dir,
			.size = fls64(p->size) - 1,
			.addr = p->addr & 0xfffff,
			.data = (uint32_t)(p->data >> (32 * k)),
		};
	__atomic_store_n(&ring->write_pointer, w + need, __ATOMIC_RELEASE);
	announce_buffered(d, srv, w + need - READ_ONCE(ring->read_pointer));
	return 0;
}

int ioreq_send_buffered(struct domain *d, const ioreq_t *p)
{
	struct ioreq_state *s = d->hvm.ioreq;
	int rc = -ENXIO;

	if (!s)
		return rc;
	spin_lock(&s->lock);
	for (unsigned int i = 0; i < IOREQ_MAX_SERVERS && rc == -ENXIO; i++) {
		struct ioreq_server *srv = &s->server[i];

		if ((s->enabled & BIT(i)) && srv->buf_page)
			rc = ring_put(d, srv, p);
	}
	spin_unlock(&s->lock);
	return rc;
}

/* A write to a port whose device model lets the guest go on (PLINTH_DMOP_post_writes), and is in its ring now. */
static bool posted(struct domain *d, struct ioreq_server *srv, const ioreq_t *p)
{
	uint64_t last = p->addr + p->size - 1;

	if (p->type != IOREQ_TYPE_PIO || p->dir != IOREQ_WRITE || p->data_is_ptr || !srv->buf_page)
		return false;
	for (unsigned int i = 0; i < srv->nr_posted; i++)
		if (srv->posted[i].start <= p->addr && last <= srv->posted[i].end)
			return !ring_put(d, srv, p);
	return false;
}

enum io_result ioreq_send(struct vcpu *v, const ioreq_t *req, uint64_t *val)
{
	struct ioreq_state *s = v->domain->hvm.ioreq;
	ioreq_t p = *req;
	struct ioreq_server *srv;
	enum io_result r = IO_DONE;

	spin_lock(&s->lock);
	srv = route(s, &p);
	if (srv && !ioreq_take_ahead(v, srv, &p, val) && !posted(v->domain, srv, &p))
		r = put_request(v, srv, &p);
	spin_unlock(&s->lock);
	return r;
}

bool ioreq_claimed(struct domain *d, uint8_t type, uint64_t addr, uint64_t len)
{
	struct ioreq_state *s = d->hvm.ioreq;
	bool found;

	spin_lock(&s->lock);
	found = ioreq_select(s,
			     type == IOREQ_TYPE_PIO ? XEN_DMOP_IO_RANGE_PORT
						    : XEN_DMOP_IO_RANGE_MEMORY,
			     addr, addr + len - 1) != NULL;
	spin_unlock(&s->lock);
	return found;
}

bool ioreq_answer(struct vcpu *v)
{
	struct ioreq_state *s = v->domain->hvm.ioreq;
	struct vcpu_io *io = v->hvm.io;
	bool ready = true;

	spin_lock(&s->lock);
	if (!io->server) {
		/* The server went away: as if nobody had claimed it. */
		io->answer = ~0ULL;
		io->answer_count = io->sent.count;
	} else {
		ioreq_t *slot = slot_of(io->server, v);

		ready = ((volatile ioreq_t *)slot)->state == STATE_IORESP_READY;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (ready) {
			io->answer = slot->data;
			io->answer_count = io->sent.count;
			slot->state = STATE_IOREQ_NONE;
		} else {
			wait_for_answer(v, slot, false);
		}
	}
	if (ready)
		io->in_flight = false;
	spin_unlock(&s->lock);
	return ready;
}

/* Sent by the vCPU that just gave memory back; it goes on when the device models have let go of it. */
void ioreq_request_mapcache_invalidate(struct domain *d)
{
	struct ioreq_state *s = d->hvm.ioreq;
	struct vcpu *v = current_vcpu();
	ioreq_t p = { .type = IOREQ_TYPE_INVALIDATE,
		      .size = 4,
		      .dir = IOREQ_WRITE,
		      .count = 1,
		      .data = ~0ULL };

	if (!s || v->domain != d || v->hvm.io->in_flight)
		return;
	spin_lock(&s->lock);
	for (unsigned int i = 0; i < IOREQ_MAX_SERVERS; i++)
		if (s->enabled & BIT(i)) {
			v->hvm.io->completion = IO_COMPLETE_NONE;
			put_request(v, &s->server[i], &p);
			break;
		}
	spin_unlock(&s->lock);
}
