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
	char to[24] = "";

	if (e->state == ECS_INTERDOMAIN)
		snprintf(to, sizeof(to), "d%u:%u", e->remote->domid, e->remote_port);
	else if (e->state == ECS_UNBOUND)
		snprintf(to, sizeof(to), "for d%u", e->remote_domid);
	else if (e->state == ECS_VIRQ)
		snprintf(to, sizeof(to), "virq %u", e->virq);
	printk("  %4u %-11s v%u prio %u %s%s%s%s\n", e->port, state_names[e->state], e->vcpu,
	       e->priority, d->evtchn->ops->is_pending(d, e) ? "pending " : "",
	       d->evtchn->ops->is_masked(d, e) ? "masked " : "", to, e->consumer ? " (VMM)" : "");
}

/* The domain that the walk has come to, with a reference; NULL: it is over. */
static struct domain *walk_to(struct key_walk *w)
{
	struct domain *d = domain_get_next(w->id);

	if (d && d->domid != w->id) {
		w->id = d->domid;
		w->at = 0;
	}
	return d;
}

/* A piece of each domain: print() shows some of d from *at on, and says whether there is more. */
static bool walk(struct key_walk *w, bool (*print)(struct domain *d, uint32_t *at))
{
	struct domain *d = walk_to(w);

	if (!d)
		return false;
	if (!print(d, &w->at)) {
		w->id = d->domid + 1U;
		w->at = 0;
	}
	domain_put(d);
	return true;
}

/* Ports that are looked at in a piece. */
#define PORT_LOOKS 2048U

static void dump_upcall(const struct vcpu *v)
{
	printk("  v%u: upcall %s vector %#x\n", v->id,
	       vcpu_info(v)->evtchn_upcall_pending ? "pending" : "idle", v->upcall_vector);
}

/* Ports in use, then vCPUs; event_lock held. */
static uint32_t dump_events_from(struct domain *d, uint32_t at)
{
	uint32_t ports = evtchn_nr_ports(d), end = at + PORT_LOOKS;

	for (unsigned int lines = 0; lines < KEY_LINES && at < end; at++) {
		const struct evtchn *e = at < ports ? evtchn_port(d, at) : NULL;
		const struct vcpu *v = at < ports ? NULL : domain_vcpu(d, at - ports);

		if (at >= ports + d->max_vcpus)
			break;
		if (e && e->state != ECS_FREE)
			dump_port(d, e);
		else if (v)
			dump_upcall(v);
		else
			continue;
		lines++;
	}
	return at;
}

static bool dump_events(struct domain *d, uint32_t *at)
{
	bool more;

	spin_lock(&d->event_lock);
	if (!*at)
		printk("d%u: event channels, %s form\n", d->domid,
		       d->evtchn->fifo ? "FIFO" : "2-level");
	*at = dump_events_from(d, max(*at, 1U));
	more = *at < evtchn_nr_ports(d) + d->max_vcpus;
	spin_unlock(&d->event_lock);
	return more;
}

static void dump_whole(const struct domain *d)
{
	const char *why = domain_crash_reason(d);

	printk("d%u: %s%s refs %d pause %d%s%s%s pages %lu of %lu, teardown step %d\n", d->domid,
	       d->is_dom0  ? "dom0"
	       : d->is_pvh ? "PVH"
			   : "HVM",
	       d->dying ? " dying" : "", d->refs, d->pause_count, d->tool_pauses ? " (tools)" : "",
	       d->shut_down ? " shut down" : "", *why ? " crashed:" : "", d->tot_pages,
	       d->max_pages, d->teardown_step);
	printk("  %lu page tables, and %lu of large pages that were small\n",
	       d->p2m.nr_tables - d->p2m.nr_parked, d->p2m.nr_parked);
	if (*why)
		printk("  %s\n", why);
}

static bool dump_domain(struct domain *d, uint32_t *at)
{
	const struct vcpu *v;

	if (!*at)
		dump_whole(d);
	for (unsigned int lines = 0; *at < d->max_vcpus && lines < KEY_LINES; ++*at, lines++) {
		v = domain_vcpu(d, *at);
		if (!v)
			continue;
		printk("  v%u: CPU %u%s flags %#x pause %d attention %#x affinity %#lx exits %lu\n",
		       v->id, v->cpu,
		       v->running	 ? " running"
		       : v->sched.queued ? " waiting"
					 : "",
		       v->pause_flags, v->pause_count, v->attention, v->affinity_hard, v->exits);
	}
	return *at < d->max_vcpus;
}

/* What does not run now must not start in the middle of it: its VMCS can be loaded on one CPU only. */
static bool dump_registers(struct domain *d, uint32_t *at)
{
	struct vcpu *v = domain_vcpu(d, (*at)++);

	if (v) {
		vcpu_pause_nosync(v);
		guest_ops->dump(v);
		vcpu_unpause(v);
	}
	return *at < d->max_vcpus;
}

static bool key_domains(struct key_walk *w)
{
	return walk(w, dump_domain);
}
DEBUG_KEY_PIECES('q', key_domains, "domains and their virtual CPUs");

static bool key_events(struct key_walk *w)
{
	return walk(w, dump_events);
}
DEBUG_KEY_PIECES('e', key_events, "event channels");

static bool key_grants(struct key_walk *w)
{
	return walk(w, grant_dump);
}
DEBUG_KEY_PIECES('g', key_grants, "grant tables");

static bool key_registers(struct key_walk *w)
{
	return walk(w, dump_registers);
}
DEBUG_KEY_PIECES('v', key_registers, "registers of all virtual CPUs");

static bool key_sched(struct key_walk *w)
{
	sched_dump(w->at);
	return ++w->at < nr_cpus;
}
DEBUG_KEY_PIECES('r', key_sched, "run queues");
