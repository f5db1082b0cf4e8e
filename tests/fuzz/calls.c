/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of calls.h. Structures: the public headers named in each part. */
#include "calls.h"
#include "xen_abi.h"
#include <xen/domctl.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/hvm/dm_op.h>
#include <xen/hvm/hvm_op.h>
#include <xen/memory.h>
#include <xen/physdev.h>
#include <xen/platform.h>
#include <xen/sched.h>
#include <xen/sysctl.h>
#include <xen/vcpu.h>
#include <xen/version.h>
#include "public/plinth_dm_op.h"

const char *const family_names[F_COUNT] = {
	"memory",   "event",  "grant",	"sched",   "vcpu",    "hvm",	   "dm",     "physdev",
	"platform", "domctl", "sysctl", "console", "version", "multicall", "context"
};

#define MEM(c, l)                                                             \
	{                                                                     \
		F_MEMORY, __HYPERVISOR_memory_op, S_CMD_PTR, 0, XENMEM_##c, l \
	}
#define EVT(c, l)                                                                     \
	{                                                                             \
		F_EVENT, __HYPERVISOR_event_channel_op, S_CMD_PTR, 0, EVTCHNOP_##c, l \
	}
#define GNT(c, l)                                                                         \
	{                                                                                 \
		F_GRANT, __HYPERVISOR_grant_table_op, S_CMD_PTR_COUNT, 0, GNTTABOP_##c, l \
	}
#define SCH(c, f, l)                                                         \
	{                                                                    \
		F_SCHED, __HYPERVISOR_sched_op, S_CMD_PTR, f, SCHEDOP_##c, l \
	}
#define VCP(c, f, l)                                                           \
	{                                                                      \
		F_VCPU, __HYPERVISOR_vcpu_op, S_CMD_VCPU_PTR, f, VCPUOP_##c, l \
	}
#define HVM(c, l)                                                      \
	{                                                              \
		F_HVM, __HYPERVISOR_hvm_op, S_CMD_PTR, 0, HVMOP_##c, l \
	}
#define DMO(c, l)                                                         \
	{                                                                 \
		F_DM, __HYPERVISOR_dm_op, S_DM, 0, XEN_DMOP_##c, "C4z4" l \
	}
#define PHY(c)                                                                          \
	{                                                                               \
		F_PHYSDEV, __HYPERVISOR_physdev_op, S_CMD_PTR, 0, PHYSDEVOP_##c, "x8x8" \
	}
#define PLA(c, l)                                                                   \
	{                                                                           \
		F_PLATFORM, __HYPERVISOR_platform_op, S_PTR, 0, XENPF_##c, "C4V4" l \
	}
#define DOM(c, l)                                                                       \
	{                                                                               \
		F_DOMCTL, __HYPERVISOR_domctl, S_PTR, 0, XEN_DOMCTL_##c, "C4V4d2z2z4" l \
	}
#define SYS(c, l)                                                                 \
	{                                                                         \
		F_SYSCTL, __HYPERVISOR_sysctl, S_PTR, 0, XEN_SYSCTL_##c, "C4V4" l \
	}
#define CON(c)                                                                \
	{                                                                     \
		F_CONSOLE, __HYPERVISOR_console_io, S_CMD_COUNT_PTR, 0, c, "" \
	}
#define VER(c, l)                                                                \
	{                                                                        \
		F_VERSION, __HYPERVISOR_xen_version, S_CMD_PTR, 0, XENVER_##c, l \
	}

#define SHADOW(op)                                                                             \
	{                                                                                      \
		F_DOMCTL, __HYPERVISOR_domctl, S_PTR, 0, XEN_DOMCTL_shadow_op, "C4V4d2z2z4" op \
	}

const struct call_shape calls[] = {
	/* xen/memory.h */
	MEM(populate_physmap, "h8n8o4f4d2"),
	MEM(decrease_reservation, "h8n8o4f4d2"),
	MEM(increase_reservation, "h8n8o4f4d2"),
	MEM(exchange, "h8n8o4f4d2h8n8o4f4d2n8"),
	MEM(maximum_ram_page, ""),
	MEM(current_reservation, "d2"),
	MEM(maximum_reservation, "d2"),
	MEM(maximum_gpfn, "d2"),
	MEM(add_to_physmap, "d2n2i4g8g8"),
	MEM(add_to_physmap_batch, "d2i2n2d2h8h8h8"),
	MEM(remove_from_physmap, "d2g8"),
	MEM(acquire_resource, "d2i2i4n4z4i8h8"),
	MEM(memory_map, "n4h8"),
	MEM(machine_memory_map, "n4h8"),
	MEM(set_memory_map, "d2n4h8"),
	MEM(claim_pages, "z8n8z4z4d2"),
	MEM(set_pod_target, "n8x8x8x8d2"),
	MEM(get_pod_target, "n8x8x8x8d2"),
	MEM(get_vnumainfo, "d2z2n4n4h8h8h8"),
	{ F_MEMORY, __HYPERVISOR_memory_op, S_CMD_PTR, 0, 40, "x8x8x8" },
	/* xen/event_channel.h */
	EVT(bind_interdomain, "d2p4p4"),
	EVT(bind_virq, "i4v4p4"),
	EVT(bind_pirq, "i4f4p4"),
	EVT(close, "p4"),
	EVT(send, "p4"),
	EVT(status, "d2p4x4x4"),
	EVT(alloc_unbound, "d2d2p4"),
	EVT(bind_ipi, "v4p4"),
	EVT(bind_vcpu, "p4v4"),
	EVT(unmask, "p4"),
	EVT(reset, "d2"),
	EVT(init_control, "g8i4v4x1"),
	EVT(expand_array, "g8"),
	EVT(set_priority, "p4i4"),
	/* xen/grant_table.h */
	GNT(map_grant_ref, "a8f4r4d2x2k4x8"),
	GNT(unmap_grant_ref, "a8x8k4x2"),
	GNT(copy, "r8d2i2g8d2i2i2f2x2"),
	GNT(setup_table, "d2n4x2h8"),
	GNT(transfer, "g8d2r4x2"),
	GNT(query_size, "d2x4x4x2"),
	GNT(unmap_and_replace, "a8a8k4x2"),
	GNT(set_version, "i4"),
	GNT(get_version, "d2x2i4"),
	GNT(cache_flush, "a8i2i2f4"),
	/* xen/sched.h */
	SCH(yield, 0, ""),
	SCH(block, 0, ""),
	SCH(shutdown, GUESTS_ONLY, "i4"),
	SCH(poll, 0, "h8n4t8"),
	SCH(remote_shutdown, ALONE_ONLY, "D2i4"),
	SCH(shutdown_code, GUESTS_ONLY, "i4"),
	SCH(watchdog, GUESTS_ONLY, "i4i4"),
	{ F_SCHED, __HYPERVISOR_set_timer_op, S_VALUES, 0, 0, "" },
	{ F_SCHED, __HYPERVISOR_vm_assist, S_VALUES, 0, 0, "" },
	/* xen/vcpu.h; xen/hvm/hvm_vcpu.h */
	VCP(initialise, 0, "i4z4x4x4x4x4x4x4x4x4x4x4x4x4x4x4x4x4x4x4x4x4x4x4x2x2x2x2"),
	VCP(up, 0, ""),
	VCP(down, GUESTS_ONLY, ""),
	VCP(is_up, 0, ""),
	VCP(get_runstate_info, 0, "x8x8"),
	VCP(register_runstate_memory_area, 0, "h8"),
	VCP(set_periodic_timer, 0, "t8"),
	VCP(stop_periodic_timer, 0, ""),
	VCP(set_singleshot_timer, 0, "t8f4"),
	VCP(stop_singleshot_timer, 0, ""),
	VCP(register_vcpu_info, 0, "g8i4z4"),
	VCP(register_vcpu_time_memory_area, 0, "h8"),
	VCP(send_nmi, 0, ""),
	/* xen/hvm/hvm_op.h */
	HVM(set_param, "d2z2i4x8"),
	HVM(set_param, "d2z2i4i8"),
	HVM(get_param, "d2z2i4x8"),
	HVM(flush_tlbs, ""),
	HVM(pagetable_dying, "d2x8"),
	HVM(get_time, "x8"),
	HVM(get_mem_type, "d2x2g8"),
	HVM(set_evtchn_upcall_vector, "v4x1"),
	HVM(guest_request_vm_event, ""),
	/* xen/hvm/dm_op.h */
	DMO(create_ioreq_server, "i1z1z2x2"),
	DMO(get_ioreq_server_info, "i2i2x4x8x8"),
	DMO(map_io_range_to_ioreq_server, "i2z2i4x8x8"),
	DMO(map_io_range_to_ioreq_server, "i2z2i4i8i8"),
	DMO(unmap_io_range_from_ioreq_server, "i2z2i4i8i8"),
	DMO(set_ioreq_server_state, "i2i1z1"),
	DMO(destroy_ioreq_server, "i2z2"),
	DMO(track_dirty_vram, "n4z4g8"),
	DMO(set_pci_intx_level, "z2z1i1i1i1"),
	DMO(set_isa_irq_level, "i1i1"),
	DMO(set_pci_link_route, "i1i1"),
	DMO(modified_memory, "n4z4"),
	DMO(set_mem_type, "n4i2z2g8"),
	DMO(inject_event, "v4i1i1i1z1i4z4x8"),
	DMO(inject_msi, "x4z4x8"),
	DMO(map_mem_type_to_ioreq_server, "i2i2f4z8x1"),
	DMO(remote_shutdown, "i4"),
	DMO(relocate_memory, "n4z4g8g8"),
	DMO(pin_memory_cacheattr, "g8g8i4z4"),
	DMO(set_irq_level, "i4i1"),
	DMO(nr_vcpus, "x4"),
	{ F_DM, __HYPERVISOR_dm_op, S_DM, 0, PLINTH_DMOP_user_calls, "C4i2i2i4" },
	/* xen/physdev.h */
	PHY(manage_pci_add),
	PHY(pci_device_add),
	PHY(map_pirq),
	PHY(setup_gsi),
	PHY(eoi),
	/* xen/platform.h */
	PLA(settime64, "x8i4z4x8"),
	PLA(firmware_info, "i4i4x8x8"),
	PLA(enter_acpi_sleep, "i2i2i4f4"),
	PLA(get_cpuinfo, "v4x4x4"),
	PLA(get_cpu_version, "v4x4x8"),
	PLA(getidletime, "h8n4h8x8"),
	{ F_PLATFORM, __HYPERVISOR_platform_op, S_PTR, 0, 64, "C4V4x8" },
	{ F_PLATFORM, __HYPERVISOR_platform_op, S_PTR, 0, 70, "C4V4x8" },
	/* xen/domctl.h */
	DOM(createdomain, "z4x8x8f4z4i4n4i4i4i4z4z4i4z4"),
	{ F_DOMCTL, __HYPERVISOR_domctl, S_PTR, 0, XEN_DOMCTL_createdomain,
	  "C4V4i2z2z4z4x8x8F4z4i4n4i4i4i4z4z4E4z4" },
	DOM(destroydomain, ""),
	DOM(pausedomain, ""),
	DOM(unpausedomain, ""),
	DOM(resumedomain, ""),
	DOM(soft_reset, ""),
	DOM(getdomaininfo, "x8"),
	DOM(max_vcpus, "i4"),
	DOM(sendtrigger, "i4v4"),
	DOM(scheduler_op, "i4i4i4i4"),
	DOM(setdomainhandle, "x8x8"),
	DOM(settimeoffset, "t8"),
	DOM(settscinfo, "i4i4i4z4t8"),
	DOM(gettscinfo, "i4"),
	DOM(get_cpu_policy, "n4n4h8h8"),
	DOM(set_cpu_policy, "n4n4h8h8"),
	DOM(subscribe, "p4"),
	DOM(set_target, "d4"),
	DOM(getvcpuinfo, "v4"),
	DOM(getvcpucontext, "v4h8"),
	DOM(setvcpuaffinity, "v4f4h8n4z4h8n4"),
	DOM(getvcpuaffinity, "v4f4h8n4z4h8n4"),
	DOM(setnodeaffinity, "h8n4"),
	DOM(getnodeaffinity, "h8n4"),
	DOM(max_mem, "n8"),
	DOM(max_mem, "x8"),
	DOM(getpageframeinfo3, "n8h8"),
	SHADOW("i4f4i4z4h8n8"),
	SHADOW("i4f4i4z4h8x8"),
	DOM(get_paging_mempool_size, "x8"),
	DOM(set_paging_mempool_size, "a8"),
	DOM(hypercall_init, "g8"),
	DOM(iomem_permission, "g8n8i1"),
	DOM(cacheflush, "g8n8"),
	DOM(gethvmcontext, "n4h8"),
	DOM(sethvmcontext, "n4h8"),
	DOM(gethvmcontext_partial, "i4v4n8h8"),
	DOM(assign_device, "x8x8"),
	{ F_DOMCTL, __HYPERVISOR_domctl, S_PTR, 0, 200, "C4V4d2z2z4x8x8" },
	/* xen/sysctl.h */
	SYS(readconsole, "f1i1z2n4h8n4"),
	SYS(sched_id, "x4"),
	SYS(physinfo, "x8"),
	SYS(getdomaininfolist, "d2z2n4h8n4"),
	SYS(debug_keys, "h8n4"),
	SYS(getcpuinfo, "n4z4h8n4"),
	SYS(availheap, "i4i4i4z4x8"),
	SYS(cpupool_op, "i4i4i4d4i4i4h8n4"),
	SYS(scheduler_op, "i4i4i4z4i4i4"),
	SYS(numainfo, "n4z4h8h8"),
	SYS(cputopoinfo, "n4z4h8"),
	SYS(pcitopoinfo, "n4z4h8h8"),
	SYS(get_cpu_levelling_caps, "x4"),
	SYS(get_cpu_featureset, "i4n4h8"),
	SYS(get_cpu_policy, "i4n4n4z4h8h8"),
	SYS(get_pmstat, "i4i4"),
	{ F_SYSCTL, __HYPERVISOR_sysctl, S_PTR, 0, 99, "C4V4x8" },
	CON(0),
	CON(1),
	CON(2),
	/* xen/version.h */
	VER(version, ""),
	VER(extraversion, ""),
	VER(compile_info, ""),
	VER(capabilities, ""),
	VER(changeset, ""),
	VER(platform_parameters, ""),
	VER(get_features, "i4x4"),
	VER(pagesize, ""),
	VER(guest_handle, ""),
	VER(commandline, ""),
	VER(build_id, "n4"),
};
const unsigned int nr_calls = ARRAY_SIZE(calls);
