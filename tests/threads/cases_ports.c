// SPDX-License-Identifier: GPL-2.0-or-later
/* Two vCPUs close the same ports at once while the VMM takes and gives back some of its own: those the guest cannot close. */
#include "threads.h"
#include "vmm/domain/internal.h"
#include <xen/event_channel.h>

#define B     DOMID_B
#define PORTS 6U

static void consumer(struct vcpu *v, unsigned int port)
{
	(void)v;
	(void)port;
}

static bool opens_and_closes(struct vcpu *v, unsigned int n)
{
	struct evtchn_alloc_unbound a = { .dom = DOMID_SELF, .remote_dom = 0 };
	struct evtchn_close c = { .port = 1 + any(PORTS) };

	if (n % 3 == 0)
		call_op(v, __HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, &a, sizeof(a));
	else
		call_op(v, __HYPERVISOR_event_channel_op, EVTCHNOP_close, &c, sizeof(c));
	return true;
}

static bool is_vmm_port(struct domain *d, unsigned int port)
{
	bool is;

	spin_lock(&d->event_lock);
	is = evtchn_port(d, port)->consumer == consumer;
	spin_unlock(&d->event_lock);
	return is;
}

static bool takes_ports(struct vcpu *v, unsigned int n)
{
	struct domain *d = dom(B);
	int port = evtchn_alloc_vmm(d, domain_vcpu(d, 0), 0, consumer);

	(void)v;
	for (unsigned int i = 0; i < 4; i++)
		EXPECT(is_vmm_port(d, (unsigned int)port), == true);
	evtchn_free_vmm(d, (unsigned int)port);
	return n < 60;
}

RACE(close_close_vmm, 60)
{
	RACE_ACTS({ 0, 0, 0, takes_ports, false }, { B, 0, 1, opens_and_closes, true },
		  { B, 1, 2, opens_and_closes, true });
}
