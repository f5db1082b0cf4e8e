/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Debug keys about domains: what they are, their event channels and grants, the run queues. */
#include "xen_abi.h"
#include "debug.h"
#include "internal.h"
#include "sched.h"

static const char *const state_names[] = { "free",	  "reserved", "unbound",
					   "interdomain", "virq",     "ipi" };

static void dump_port(struct domain *d, const struct evtchn *e)
{
	printk("  %4u %-11s v%u prio %u %s%s", e->port, state_names[e->state], e->vcpu, e->priority,
	       d->evtchn->ops->is_pending(d, e) ? "pending " : "",
	       d->evtchn->ops->is_masked(d, e) ? "masked " : "");
	if (e->state == ECS_INTERDOMAIN)
		printk("d%u:%u", e->remote->domid, e->remote_port);
	else if (e->state == ECS_UNBOUND)
		printk("for d%u", e->remote_domid);
	else if (e->state == ECS_VIRQ)
		printk("virq %u", e->virq);
	printk("%s\n", e->consumer ? " (VMM)" : "");
}

static int dump_events(struct domain *d, void *arg)
{
	struct evtchn *e;
	struct vcpu *v;

	(void)arg;
	spin_lock(&d->event_lock);
	printk("d%u: event channels, %s form\n", d->domid, d->evtchn->fifo ? "FIFO" : "2-level");
	for (unsigned int i = 1; i < evtchn_nr_ports(d); i++) {
		e = evtchn_port(d, i);
		if (e && e->state != ECS_FREE)
			dump_port(d, e);
	}
	for_each_vcpu(d, v)
		printk("  v%u: upcall %s vector %#x\n", v->id,
		       vcpu_info(v)->evtchn_upcall_pending ? "pending" : "idle", v->upcall_vector);
	spin_unlock(&d->event_lock);
	return 0;
}

static void evtchn_dump(void)
{
	domain_for_each(dump_events, NULL);
}

static int dump_domain(struct domain *d, void *arg)
{
	const char *why = domain_crash_reason(d);
	struct vcpu *v;

	(void)arg;
	printk("d%u: %s%s refs %d pause %d%s%s%s pages %lu of %lu, teardown step %d\n", d->domid,
	       d->is_dom0  ? "dom0"
	       : d->is_pvh ? "PVH"
			   : "HVM",
	       d->dying ? " dying" : "", d->refs, d->pause_count, d->tool_pauses ? " (tools)" : "",
	       d->shut_down ? " shut down" : "", *why ? " crashed:" : "", d->tot_pages,
	       d->max_pages, d->teardown_step);
	if (*why)
		printk("  %s\n", why);
	printk("  %lu page tables, and %lu of large pages that were small\n",
	       d->p2m.nr_tables - d->p2m.nr_parked, d->p2m.nr_parked);
	for_each_vcpu(d, v)
		printk("  v%u: CPU %u%s flags %#x pause %d attention %#x affinity %#lx exits %lu\n",
		       v->id, v->cpu,
		       v->running	 ? " running"
		       : v->sched.queued ? " waiting"
					 : "",
		       v->pause_flags, v->pause_count, v->attention, v->affinity_hard, v->exits);
	return 0;
}

static void key_domains(char key)
{
	(void)key;
	domain_for_each(dump_domain, NULL);
}
DEBUG_KEY('q', key_domains, "domains and their virtual CPUs");

static void key_events(char key)
{
	(void)key;
	evtchn_dump();
}
DEBUG_KEY('e', key_events, "event channels");

static void key_grants(char key)
{
	(void)key;
	grant_dump();
}
DEBUG_KEY('g', key_grants, "grant tables");

static void key_sched(char key)
{
	(void)key;
	sched_dump();
}
DEBUG_KEY('r', key_sched, "run queues");
