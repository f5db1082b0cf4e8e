/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HYPERVISOR_xen_version and vm_assist. Debian's tools choose their own version by what is said here, so
 * it is 4.17 exactly; who we are stands in the extra version and the compile information.
 */
#include "command.h"
#include "dom0.h"
#include <xen/features.h>
#include <xen/version.h>

#define EXTRAVERSION ".0-plinth"
#define CAPABILITIES "hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 "

/* A string in a field of fixed size, zero padded. */
static long put_string(uint64_t la, const char *s, size_t size)
{
	char buf[1024] = { 0 };

	strlcpy(buf, s, size);
	return copy_to_guest_la(la, buf, size);
}

static long compile_info(uint64_t la)
{
	struct xen_compile_info info = { 0 };

	strlcpy(info.compiler, "gcc " __VERSION__, sizeof(info.compiler));
	strlcpy(info.compile_by, "plinth", sizeof(info.compile_by));
	strlcpy(info.compile_domain, "plinth", sizeof(info.compile_domain));
	return copy_to_guest_la(la, &info, sizeof(info));
}

static uint32_t features(const struct domain *d)
{
	uint32_t f = BIT(XENFEAT_writable_page_tables) | BIT(XENFEAT_auto_translated_physmap) |
		     BIT(XENFEAT_hvm_safe_pvclock) | BIT(XENFEAT_hvm_callback_vector) |
		     BIT(XENFEAT_memory_op_vnode_supported);

	return f | (d->is_dom0 ? BIT(XENFEAT_dom0) : BIT(XENFEAT_not_direct_mapped));
}

static long get_features(struct domain *d, uint64_t la)
{
	struct xen_feature_info info;

	if (copy_from_guest_la(&info, la, sizeof(info)))
		return -EFAULT;
	info.submap = info.submap_idx ? 0 : features(d);
	return copy_to_guest_la(la, &info, sizeof(info));
}

static long platform_parameters(uint64_t la)
{
	uint64_t virt_start =
		0; /* of a hypervisor hole in PV guests' address space: there is none */

	return copy_to_guest_la(la, &virt_start, this_call()->compat ? 4 : 8);
}

long abi_xen_version(struct call *c)
{
	struct domain *d = c->v->domain;
	uint64_t la = c->a[1];

	switch ((uint32_t)c->a[0]) {
	case XENVER_version:
		return PLINTH_XEN_MAJOR << 16 | PLINTH_XEN_MINOR;
	case XENVER_extraversion:
		return put_string(la, EXTRAVERSION, sizeof(xen_extraversion_t));
	case XENVER_compile_info:
		return compile_info(la);
	case XENVER_capabilities:
		return put_string(la, CAPABILITIES, sizeof(xen_capabilities_info_t));
	case XENVER_changeset:
		return put_string(la, "plinth", sizeof(xen_changeset_info_t));
	case XENVER_platform_parameters:
		return platform_parameters(la);
	case XENVER_get_features:
		return get_features(d, la);
	case XENVER_pagesize:
		return PAGE_SIZE;
	case XENVER_guest_handle:
		return copy_to_guest_la(la, d->handle, sizeof(d->handle));
	case XENVER_commandline:
		return put_string(la, d->is_dom0 ? dom0_reported_cmdline : "<denied>",
				  sizeof(xen_commandline_t));
	case XENVER_build_id:
		return d->is_dom0 ? -ENODATA : -EPERM;
	default:
		return -ENOSYS;
	}
}

long abi_vm_assist(struct call *c)
{
	struct domain *d = c->v->domain;

	/* The other kinds are about PV memory management. */
	if (c->a[1] != VMASST_TYPE_runstate_update_flag)
		return -EINVAL;
	switch ((uint32_t)c->a[0]) {
	case VMASST_CMD_enable:
		set_bit(VMASST_TYPE_runstate_update_flag, &d->vm_assist);
		return 0;
	case VMASST_CMD_disable:
		clear_bit(VMASST_TYPE_runstate_update_flag, &d->vm_assist);
		return 0;
	default:
		return -ENOSYS;
	}
}
