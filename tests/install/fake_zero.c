// SPDX-License-Identifier: GPL-2.0-or-later
/* The rest of what xl and libxl 4.17 call in libxenctrl, libxenguest and libxenstore: each has done it. */

static long zero(void)
{
	return 0;
}

static long one(void)
{
	return 1;
}

#define ZERO(name) long name(void) __attribute__((alias("zero")))
#define ONE(name)  long name(void) __attribute__((alias("one")))

ZERO(xc_assign_device);
ZERO(xc_assign_dt_device);
ZERO(xc_cpuid_apply_policy);
ZERO(xc_cpupool_addcpu);
ZERO(xc_cpupool_create);
ZERO(xc_cpupool_destroy);
ZERO(xc_cpupool_infofree);
ZERO(xc_cpupool_movedomain);
ZERO(xc_cpupool_removecpu);
ZERO(xc_deassign_device);
ZERO(xc_dom_boot_image);
ZERO(xc_dom_boot_mem_init);
ZERO(xc_dom_boot_xen_init);
ZERO(xc_dom_build_image);
ZERO(xc_dom_feature_get);
ZERO(xc_dom_gnttab_init);
ZERO(xc_dom_guest_os);
ZERO(xc_dom_kernel_file);
ZERO(xc_dom_kernel_mem);
ZERO(xc_dom_loginit);
ZERO(xc_dom_malloc);
ZERO(xc_dom_mem_init);
ZERO(xc_dom_module_file);
ZERO(xc_dom_module_mem);
ZERO(xc_dom_parse_image);
ZERO(xc_dom_release);
ZERO(xc_dom_translated);
ZERO(xc_domain_destroy);
ZERO(xc_domain_dumpcore);
ZERO(xc_domain_get_native_protocol);
ZERO(xc_domain_getvnuma);
ZERO(xc_domain_max_vcpus);
ZERO(xc_domain_memory_mapping);
ZERO(xc_domain_node_getaffinity);
ZERO(xc_domain_node_setaffinity);
ZERO(xc_domain_pause);
ZERO(xc_domain_resume);
ZERO(xc_domain_send_trigger);
ZERO(xc_domain_set_memmap_limit);
ZERO(xc_domain_set_memory_map);
ZERO(xc_domain_set_pod_target);
ZERO(xc_domain_set_target);
ZERO(xc_domain_set_time_offset);
ZERO(xc_domain_set_tsc_info);
ZERO(xc_domain_setmaxmem);
ZERO(xc_domain_shutdown);
ZERO(xc_domain_soft_reset);
ZERO(xc_domain_unpause);
ZERO(xc_flask_context_to_sid);
ZERO(xc_flask_getenforce);
ZERO(xc_flask_load);
ZERO(xc_flask_relabel_domain);
ZERO(xc_flask_setenforce);
ZERO(xc_flask_sid_to_context);
ZERO(xc_get_machine_memory_map);
ZERO(xc_interface_close);
ZERO(xc_pcitopoinfo);
ZERO(xc_physdev_map_pirq);
ZERO(xc_physdev_unmap_pirq);
ZERO(xc_psr_cmt_attach);
ZERO(xc_psr_cmt_detach);
ZERO(xc_psr_cmt_enabled);
ZERO(xc_psr_cmt_get_data);
ZERO(xc_psr_cmt_get_domain_rmid);
ZERO(xc_psr_cmt_get_l3_cache_size);
ZERO(xc_psr_cmt_get_l3_event_mask);
ZERO(xc_psr_cmt_get_l3_upscaling_factor);
ZERO(xc_psr_cmt_get_total_rmid);
ZERO(xc_psr_get_domain_data);
ZERO(xc_psr_get_hw_info);
ZERO(xc_psr_set_domain_data);
ZERO(xc_readconsolering);
ZERO(xc_reserved_device_memory_map);
ZERO(xc_sched_credit2_domain_get);
ZERO(xc_sched_credit2_domain_set);
ZERO(xc_sched_credit2_params_get);
ZERO(xc_sched_credit2_params_set);
ZERO(xc_sched_credit_domain_get);
ZERO(xc_sched_credit_domain_set);
ZERO(xc_sched_credit_params_get);
ZERO(xc_sched_credit_params_set);
ZERO(xc_sched_rtds_domain_get);
ZERO(xc_sched_rtds_domain_set);
ZERO(xc_sched_rtds_vcpu_get);
ZERO(xc_sched_rtds_vcpu_set);
ZERO(xc_send_debug_keys);
ZERO(xc_set_paging_mempool_size);
ZERO(xc_sharing_freed_pages);
ZERO(xc_sharing_used_frames);
ZERO(xc_suspend_evtchn_init_exclusive);
ZERO(xc_suspend_evtchn_release);
ZERO(xc_test_assign_device);
ZERO(xc_vcpu_getaffinity);
ZERO(xc_vcpu_getinfo);
ZERO(xc_vcpu_setaffinity);
ZERO(xenevtchn_close);
ZERO(xenevtchn_notify);
ZERO(xenevtchn_pending);
ZERO(xenevtchn_unmask);
ZERO(xenhypfs_close);
ZERO(xenhypfs_open);
ZERO(xenhypfs_write);
ZERO(xs_close);
ZERO(xs_daemon_destroy_postfork);
ZERO(xs_read_watch);
ZERO(xs_resume_domain);
ZERO(xs_suspend_evtchn_port);

/* Of type bool. */
ONE(xs_introduce_domain);
ONE(xs_release_domain);
ONE(xs_set_target);
ONE(xs_transaction_end);
ONE(xs_unwatch);
ONE(xs_set_permissions);
