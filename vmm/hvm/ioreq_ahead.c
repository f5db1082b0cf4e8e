// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reads of a port whose next items the device model has left in its page (plinth_dm_op.h, "Reads ahead"): a guest
 * that takes a frame or a sector word by word has one exit for each, and no request. The device model may
 * change the page at any time; what it says there only decides which data its own guest reads.
 */
#include "ioreq_private.h"
#include "public/plinth_dm_op.h"

_Static_assert(sizeof(ioreq_t) * PLINTH_AHEAD_MAX_VCPUS <= PLINTH_AHEAD_OFFSET &&
		       PLINTH_AHEAD_OFFSET + sizeof(struct plinth_read_ahead) <= PAGE_SIZE,
	       "slots and reads ahead share a page");

/* A write that the guest posted comes before its reads. */
static bool ring_empty(const struct ioreq_server *srv)
{
	const buffered_iopage_t *ring = srv->buf_page ? page_to_virt(srv->buf_page) : NULL;

	return !ring || READ_ONCE(ring->read_pointer) == READ_ONCE(ring->write_pointer);
}

bool ioreq_take_ahead(const struct vcpu *v, const struct ioreq_server *srv, const ioreq_t *p,
		      uint64_t *val)
{
	struct plinth_read_ahead *a =
		(void *)((uint8_t *)page_to_virt(srv->page) + PLINTH_AHEAD_OFFSET);
	uint64_t state, item = 0;
	unsigned int left;

	if (p->type != IOREQ_TYPE_PIO || p->dir != IOREQ_READ || p->data_is_ptr || p->count != 1 ||
	    v->domain->max_vcpus > PLINTH_AHEAD_MAX_VCPUS)
		return false;
	state = __atomic_load_n(&a->state, __ATOMIC_ACQUIRE);
	left = PLINTH_AHEAD_LEFT(state);
	if (!left || left > PLINTH_AHEAD_BYTES / p->size || !ring_empty(srv) ||
	    PLINTH_AHEAD_WHAT(state) != PLINTH_AHEAD_STATE(0, p->size, p->addr, 0))
		return false;
	memcpy(&item, &a->data[(left - 1) * p->size], p->size);
	if (!__atomic_compare_exchange_n(&a->state, &state, state - 1, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_RELAXED))
		return false;
	*val = item;
	return true;
}
