/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A domain as the tools see it in their lists (xen/domctl.h, struct xen_domctl_getdomaininfo). */
#include "internal.h"
#include "sched.h"
#include <xen/domctl.h>

static uint32_t vcpus_info(struct domain *d, struct xen_domctl_getdomaininfo *info)
{
	uint32_t flags = XEN_DOMINF_blocked;
	struct vcpu *v;

	info->max_vcpu_id = XEN_INVALID_MAX_VCPU_ID;
	for_each_vcpu(d, v) {
		struct vcpu_runstate_info r;

		vcpu_runstate_get(v, &r);
		info->cpu_time += r.time[RUNSTATE_running];
		info->max_vcpu_id = v->id;
		if (v->pause_flags & VPF_DOWN)
			continue;
		info->nr_online_vcpus++;
		if (!(v->pause_flags & (VPF_BLOCKED | VPF_DEAF)))
			flags &= ~XEN_DOMINF_blocked;
		if (v->running)
			flags |= XEN_DOMINF_running;
	}
	return flags;
}

void domain_describe(struct domain *d, struct xen_domctl_getdomaininfo *info)
{
	memset(info, 0, sizeof(*info));
	info->domain = d->domid;
	info->flags = vcpus_info(d, info) | XEN_DOMINF_hvm_guest;
	if (!d->sh)
		info->flags |= XEN_DOMINF_hap;
	if (READ_ONCE(d->dying) != DOMDYING_ALIVE)
		info->flags |= XEN_DOMINF_dying;
	if (READ_ONCE(d->shut_down))
		info->flags |= XEN_DOMINF_shutdown;
	if (READ_ONCE(d->tool_pauses))
		info->flags |= XEN_DOMINF_paused;
	if (d->create_flags & XEN_DOMCTL_CDF_xs_domain)
		info->flags |= XEN_DOMINF_xs_domain;
	if (published(d->shutting_down))
		info->flags |= (READ_ONCE(d->shutdown_code) & XEN_DOMINF_shutdownmask)
			       << XEN_DOMINF_shutdownshift;
	else
		info->flags |= XEN_DOMINF_shutdownmask << XEN_DOMINF_shutdownshift;
	spin_lock(&d->page_lock);
	info->tot_pages = d->tot_pages;
	info->max_pages = d->max_pages;
	info->outstanding_pages = d->outstanding_pages;
	spin_unlock(&d->page_lock);
	info->shared_info_frame = domain_priv(d)->shared_info_gfn;
	spin_lock(&d->lock);
	memcpy(info->handle, d->handle, sizeof(info->handle));
	spin_unlock(&d->lock);
	info->gpaddr_bits = (uint8_t)host_cpu.phys_bits;
	info->arch_config.emulation_flags = d->emulation_flags;
	info->arch_config.misc_flags = domain_priv(d)->msr_relaxed ? XEN_X86_MSR_RELAXED : 0;
}
