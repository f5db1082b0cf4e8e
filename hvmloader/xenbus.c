/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connects the xenstore client to this domain: ring page and event channel from the HVM parameters,
 * waiting by SCHEDOP_poll, pending bits in the shared-info page (which the loader maps into the
 * reserved area; the guest's kernel later moves it where it likes).
 */
#include "xenbus.h"
#include "console.h"
#include "hypercall.h"
#include "io.h"
#include "layout.h"
#include "util.h"

#include <xen/hvm/params.h>

static struct xs_client client;
static uint32_t event_port;

static struct shared_info *shared_info(void)
{
	return phys_ptr(SHARED_INFO_ADDR);
}

static void map_shared_info(void)
{
	struct xen_add_to_physmap map = {
		.domid = DOMID_SELF,
		.space = XENMAPSPACE_shared_info,
		.gpfn = SHARED_INFO_ADDR >> PAGE_BITS,
	};
	int ret = hypercall_memory_op(XENMEM_add_to_physmap, &map);

	if (ret)
		fatal("mapping the shared-info page: error %d", ret);
}

static uint32_t port_bit(void)
{
	return 1u << (event_port % 32);
}

static void clear_pending(void)
{
	volatile xen_ulong_t *word = &shared_info()->evtchn_pending[event_port / 32];

	__atomic_fetch_and(word, ~port_bit(), __ATOMIC_SEQ_CST);
}

static void notify_store(void *ctx)
{
	int ret = hypercall_evtchn_send(event_port);

	(void)ctx;
	if (ret)
		fatal("notifying xenstore on event channel %u: error %d", event_port, ret);
}

/*
 * The caller has just seen the ring unchanged. If the bit is already set the answer may have come
 * in between: clear it and let the caller look again.
 */
static bool wait_for_store(void *ctx)
{
	volatile xen_ulong_t *word = &shared_info()->evtchn_pending[event_port / 32];

	(void)ctx;
	if (!(*word & port_bit())) {
		int ret = hypercall_poll(event_port);

		if (ret)
			fatal("waiting for xenstore on event channel %u: error %d", event_port,
			      ret);
	}
	clear_pending();
	return true;
}

struct xs_client *xenbus_open(void)
{
	uint64_t pfn, port;

	if (hypercall_get_param(HVM_PARAM_STORE_PFN, &pfn) || !pfn || pfn >= (1u << 20))
		fatal("the domain has no xenstore ring");
	if (hypercall_get_param(HVM_PARAM_STORE_EVTCHN, &port) || !port || port >= 1024)
		fatal("the domain has no xenstore event channel");
	map_shared_info();
	event_port = (uint32_t)port;
	client = (struct xs_client){
		.ring = phys_ptr((uint32_t)pfn << PAGE_BITS),
		.notify = notify_store,
		.wait = wait_for_store,
	};
	say("hvmloader: xenstore ring at %x, event channel %u\n", (uint32_t)pfn << PAGE_BITS,
	    event_port);
	return &client;
}

void xenbus_close(struct xs_client *c)
{
	struct vcpu_info *info = &shared_info()->vcpu_info[0];

	xs_reset(c);
	clear_pending();
	info->evtchn_pending_sel = 0;
	info->evtchn_upcall_pending = 0;
}
