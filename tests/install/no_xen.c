// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * LD_PRELOAD for `xl -N create`, which parses a configuration and prints it but wants a hypervisor to
 * talk to: libxenctrl's answers of a machine with four CPUs and hardware virtual machines.
 */
#include <stdint.h>
#include <string.h>
#include <xenctrl.h>
#include <xenstore.h>

static int handle;

xc_interface *xc_interface_open(xentoollog_logger *logger, xentoollog_logger *dombuild_logger,
				unsigned int open_flags)
{
	(void)logger, (void)dombuild_logger, (void)open_flags;
	return (xc_interface *)&handle;
}

int xc_interface_close(xc_interface *xch)
{
	(void)xch;
	return 0;
}

struct xs_handle *xs_open(unsigned long flags)
{
	(void)flags;
	return (struct xs_handle *)&handle;
}

void xs_close(struct xs_handle *xsh)
{
	(void)xsh;
}

int xc_version(xc_interface *xch, int cmd, void *arg)
{
	(void)xch, (void)cmd, (void)arg;
	return -1;
}

int xc_get_max_cpus(xc_interface *xch)
{
	(void)xch;
	return 4;
}

int xc_get_max_nodes(xc_interface *xch)
{
	(void)xch;
	return 1;
}

int xc_physinfo(xc_interface *xch, xc_physinfo_t *info)
{
	(void)xch;
	memset(info, 0, sizeof(*info));
	info->capabilities = XEN_SYSCTL_PHYSCAP_hvm | XEN_SYSCTL_PHYSCAP_hap;
	return 0;
}

long xc_sharing_freed_pages(xc_interface *xch)
{
	(void)xch;
	return 0;
}

long xc_sharing_used_frames(xc_interface *xch)
{
	(void)xch;
	return 0;
}
