/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands of the families whose refusals are logged, and what each takes. The numbers of the public headers; what is
 * not there is named all the same, with what to do about it.
 */
#include "refuse.h"
#include "xen_abi.h"
#include "public/plinth_dm_op.h"
#include <xen/domctl.h>
#include <xen/hvm/dm_op.h>
#include <xen/hvm/hvm_op.h>
#include <xen/memory.h>
#include <xen/sysctl.h>

#define NOT_ITSELF "a domain other than the caller's"
#define NO_PASSTHROUGH \
	"there is no pass-through: take pci=, ioports=, iomem= and irqs= out of the configuration"
#define NO_PSR "the processor's cache and bandwidth control is not there"
#define NO_VMTRACE \
	"tracing by the processor is not there: take vmtrace_buf_kb= out of the configuration"
#define NO_MONITOR "events of guests for introspection are not there"
#define NO_SHARING "sharing and paging of guests' memory are not there"
#define PV_ONLY	   "it is about PV guests, which are not there"

#define CMD(n, t)  [XEN_DOMCTL_##n] = { #n, t }
static const struct abi_command domctl_commands[] = {
	CMD(createdomain, "an HVM or PVH domain"),
	CMD(destroydomain, "a domain other than dom0"),
	CMD(pausedomain, NOT_ITSELF),
	CMD(unpausedomain, "a domain other than the caller's that a tool has paused"),
	CMD(getdomaininfo, "any domain"),
	CMD(setvcpuaffinity,
	    "a vCPU that is there, hard or soft, with a CPU that is there; dom0's vCPU n stays on CPU n"),
	CMD(shadow_op,
	    "off, enable (with log-dirty or nothing), enable_logdirty where it is off, clean and peek where it is on, get "
	    "and set allocation; " NOT_ITSELF),
	CMD(max_mem, "any amount"),
	CMD(setvcpucontext, "a vCPU that has been started, of " NOT_ITSELF ", and a context"),
	CMD(getvcpucontext, "a vCPU of " NOT_ITSELF),
	CMD(getvcpuinfo, "a vCPU below the domain's number of them"),
	CMD(max_vcpus, "the number that the domain was created with; not for dom0"),
	CMD(scheduler_op,
	    "credit2 (6), with getinfo or putinfo, weight 1-65535, cap up to 100 for each vCPU"),
	CMD(setdomainhandle, "any handle"),
	CMD(setdebugging, "gdbsx is not there: make gdb stops the whole machine instead"),
	CMD(irq_permission, NO_PASSTHROUGH),
	CMD(iomem_permission, NO_PASSTHROUGH),
	CMD(ioport_permission, NO_PASSTHROUGH),
	CMD(hypercall_init, "a frame of the domain's memory"),
	CMD(settimeoffset, "seconds within 32 bits"),
	CMD(getvcpuaffinity, "a vCPU that is there"),
	CMD(resumedomain, NOT_ITSELF),
	CMD(sendtrigger,
	    "NMI to a vCPU; power and sleep to HVM domains (xl shutdown and xl trigger of PVH guests go by xenstore)"),
	CMD(subscribe, "any port"),
	CMD(gethvmcontext, NOT_ITSELF ", whose state can be restored"),
	CMD(sethvmcontext, "records of " NOT_ITSELF ", up to 1 MiB, each as it was saved"),
	CMD(set_address_size, PV_ONLY),
	CMD(get_address_size, PV_ONLY),
	CMD(assign_device, NO_PASSTHROUGH),
	CMD(bind_pt_irq, NO_PASSTHROUGH),
	CMD(memory_mapping, NO_PASSTHROUGH),
	CMD(ioport_mapping, NO_PASSTHROUGH),
	CMD(set_ext_vcpucontext, PV_ONLY),
	CMD(get_ext_vcpucontext, PV_ONLY),
	CMD(test_assign_device, NO_PASSTHROUGH),
	CMD(set_target, "a domain"),
	CMD(deassign_device, NO_PASSTHROUGH),
	CMD(unbind_pt_irq, NO_PASSTHROUGH),
	CMD(get_device_group, NO_PASSTHROUGH),
	CMD(debug_op, "single steps by xl are not there: make gdb stops the whole machine instead"),
	CMD(gethvmcontext_partial, "a record type and instance that the domain has; " NOT_ITSELF),
	CMD(vm_event_op, NO_MONITOR),
	CMD(mem_sharing_op, NO_SHARING),
	CMD(gettscinfo, "any domain"),
	CMD(settscinfo, "tsc_mode 0 (default), 1 (always emulated) or 2 (native)"),
	CMD(getpageframeinfo3, "up to 1024 frames"),
	CMD(setvcpuextstate, PV_ONLY ": CPU_XSAVE of sethvmcontext has it"),
	CMD(getvcpuextstate, PV_ONLY ": CPU_XSAVE of gethvmcontext has it"),
	CMD(set_access_required, NO_MONITOR),
	CMD(audit_p2m, "it is for debug builds of Xen"),
	CMD(set_virq_handler, "dom0 handles all of them"),
	CMD(set_broken_page_p2m, "machine check errors of memory are not handed on"),
	CMD(setnodeaffinity, "nodes with node 0, the only one"),
	CMD(getnodeaffinity, "any domain"),
	CMD(cacheflush, "any range"),
	CMD(get_vcpu_msrs, PV_ONLY ": CPU_MSR of gethvmcontext has them"),
	CMD(set_vcpu_msrs, PV_ONLY ": CPU_MSR of sethvmcontext has them"),
	CMD(setvnumainfo, "virtual NUMA is not there: take vnuma= out of the configuration"),
	CMD(psr_cmt_op, NO_PSR),
	CMD(monitor_op, NO_MONITOR),
	CMD(psr_alloc, NO_PSR),
	CMD(soft_reset, "a domain other than the caller's that has shut down"),
	CMD(vuart_op, "it is about ARM guests: serial=\"pty\" is what x86 guests have"),
	CMD(get_cpu_policy,
	    "a domain whose state can be restored, if it has run: the answer is for its image"),
	CMD(set_cpu_policy,
	    "a guest that has not run, leaves and MSRs within hvm_max of the same machine"),
	CMD(vmtrace_op, NO_VMTRACE),
	CMD(get_paging_mempool_size, "any domain"),
	CMD(set_paging_mempool_size, "a number of whole pages"),
};
#undef CMD

#define CMD(n, t) [XEN_SYSCTL_##n] = { #n, t }
static const struct abi_command sysctl_commands[] = {
	CMD(readconsole, "a buffer"),
	CMD(tbuf_op, "Xen's trace buffers are not there: debug key 't' prints Plinth's"),
	CMD(physinfo, "nothing"),
	CMD(sched_id, "nothing"),
	CMD(perfc_op, "performance counters are on debug keys 'x' and 'y'"),
	CMD(getdomaininfolist, "a buffer"),
	CMD(debug_keys, "keys"),
	CMD(getcpuinfo, "a buffer"),
	CMD(availheap, "nothing"),
	CMD(get_pmstat, "frequencies are the firmware's"),
	CMD(cpu_hotplug, "all CPUs stay on line; there is no switching of SMT"),
	CMD(pm_op, "frequencies are the firmware's"),
	CMD(page_offline_op, "memory stays on line"),
	CMD(lockprof_op, "it is for debug builds of Xen"),
	CMD(cputopoinfo, "a buffer"),
	CMD(numainfo, "a buffer"),
	CMD(cpupool_op, "info, freeinfo, and movedomain to pool 0: there is one pool"),
	CMD(scheduler_op, "credit2 (6) in pool 0, with getinfo"),
	CMD(coverage_op, "it is for debug builds of Xen"),
	CMD(psr_cmt_op, NO_PSR),
	CMD(pcitopoinfo, "two buffers"),
	CMD(psr_alloc, NO_PSR),
	CMD(get_cpu_levelling_caps, "nothing"),
	CMD(get_cpu_featureset, "raw, host, hvm or hvm_max: there are no PV guests"),
	CMD(livepatch_op, "live patches are not there"),
	CMD(get_cpu_policy, "raw, host, hvm_max or hvm_default: there are no PV guests"),
};
#undef CMD

#define CMD(n, t) [XENMEM_##n] = { #n, t }
static const struct abi_command memory_commands[] = {
	CMD(increase_reservation,
	    "pages without a frame mean nothing to guests that are auto-translated: populate_physmap"),
	CMD(decrease_reservation, "frames of the caller, or for dom0 of any domain"),
	CMD(populate_physmap, "frames of the caller, or for dom0 of any domain"),
	CMD(exchange, "contiguous memory is for PV guests' DMA"),
	CMD(maximum_ram_page, "nothing"),
	CMD(current_reservation, "the caller, or for dom0 any domain"),
	CMD(maximum_reservation, "the caller, or for dom0 any domain"),
	CMD(maximum_gpfn, "the caller, or for dom0 any domain"),
	CMD(machphys_mfn_list, PV_ONLY),
	CMD(machphys_compat_mfn_list, PV_ONLY),
	CMD(machphys_mapping, PV_ONLY),
	CMD(add_to_physmap,
	    "shared_info, grant_table (frames of version 1) or gmfn of the caller's, or for dom0 of any domain, "
	    "to a frame within the processor's addresses; dom0's own frames stay where they are"),
	CMD(add_to_physmap_batch, "as add_to_physmap, and for dom0 gmfn_foreign"),
	CMD(remove_from_physmap,
	    "a frame of the caller's, or for dom0 of any domain; dom0's MMIO stays"),
	CMD(memory_map, "nothing"),
	CMD(machine_memory_map, "for dom0"),
	CMD(set_memory_map, "for dom0; up to 128 entries"),
	CMD(set_pod_target, "for dom0"),
	CMD(get_pod_target, "for dom0"),
	CMD(get_sharing_freed_pages, "nothing"),
	CMD(get_sharing_shared_pages, "nothing"),
	CMD(paging_op, NO_SHARING),
	CMD(access_op, NO_MONITOR),
	CMD(sharing_op, NO_SHARING),
	CMD(claim_pages, "for dom0; order 0, no flags, no list, not more than is free"),
	CMD(reserved_device_memory_map, NO_PASSTHROUGH),
	CMD(acquire_resource,
	    "for dom0; grant table (id 0) or ioreq server frames of another domain that is not dying"),
	CMD(get_vnumainfo, "virtual NUMA is not there"),
};
#undef CMD

#define CMD(n, t) [HVMOP_##n] = { #n, t }
static const struct abi_command hvm_commands[] = {
	CMD(set_param, "a parameter that the caller may set, with a value that it takes"),
	CMD(get_param, "a parameter that the caller may read"),
	CMD(flush_tlbs, "no argument"),
	CMD(pagetable_dying, "nothing"),
	CMD(get_time, "nothing"),
	CMD(xentrace, "Xen's trace buffers are not there"),
	CMD(set_mem_access, NO_MONITOR),
	CMD(get_mem_access, NO_MONITOR),
	CMD(get_mem_type, "the caller, or for dom0 any domain"),
	CMD(set_evtchn_upcall_vector, "a vector from 16 on"),
	CMD(guest_request_vm_event, "nothing"),
};
#undef CMD

#define CMD(n, t) [XEN_DMOP_##n] = { #n, t }
static const struct abi_command dm_commands[] = {
	CMD(create_ioreq_server, "handle_bufioreq 0 (no ring), 1 or 2"),
	CMD(get_ioreq_server_info,
	    "a server of the caller's, with XEN_DMOP_no_gfns: its pages come by XENMEM_acquire_resource"),
	CMD(map_io_range_to_ioreq_server,
	    "a server of the caller's, type port (0), memory (1) or PCI (2), first <= last, no overlap"),
	CMD(unmap_io_range_from_ioreq_server, "a range as it was mapped"),
	CMD(set_ioreq_server_state, "a server of the caller's"),
	CMD(destroy_ioreq_server, "a server of the caller's"),
	CMD(track_dirty_vram, "up to 16384 frames, and a second buffer with a bit for each"),
	CMD(set_pci_intx_level, "domain and bus 0, device 0-31, pin 0-3"),
	CMD(set_isa_irq_level, "interrupt 0-15"),
	CMD(set_pci_link_route, "link 0-3, interrupt 0-15"),
	CMD(modified_memory, "a second buffer with that many extents, each up to 16384 frames"),
	CMD(set_mem_type,
	    "RAM, read-only RAM or memory of the device model, for frames that are RAM or nothing"),
	CMD(inject_event, "an exception or NMI for a vCPU that is there"),
	CMD(inject_msi, "an address at 0xfeexxxxx, delivery fixed, lowest priority or NMI"),
	CMD(map_mem_type_to_ioreq_server, "write-protected memory of a device model is not there"),
	CMD(remote_shutdown, "reason 0-5"),
	CMD(relocate_memory, "frames of RAM, to where there is nothing"),
	CMD(pin_memory_cacheattr, "anything"),
	CMD(set_irq_level, "it is about ARM guests"),
	CMD(nr_vcpus, "nothing"),
};
#undef CMD

#define FAMILY(n, what, rest) \
	const struct abi_family n##_family = { what, n##_commands, ARRAY_SIZE(n##_commands), rest }

FAMILY(domctl, "domctl",
       "no such command: the tools are of another version than 4.17, or ask for what Xen has and Plinth has not");
FAMILY(sysctl, "sysctl",
       "no such command: the tools are of another version than 4.17, or ask for what Xen has and Plinth has not");
FAMILY(memory, "memory_op", "no such command in the interface of 4.17");
FAMILY(hvm, "hvm_op", "no such command in the interface of 4.17");
FAMILY(dm, "dm_op",
       "no such command in the interface of 4.17; server and vCPU of Plinth's own ones must be there");
