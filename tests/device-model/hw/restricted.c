/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In domain 0, for tests/guests: what Xen handles can do that were restricted as the device model restricts
 * its own. Prints a line for each attempt, "ok WHAT" or "not ok WHAT: RESULT"; with `forbidden` it then
 * installs the device model's filter and starts a program, which has to be its end.
 *
 * usage: restricted OWN-DOMAIN OTHER-DOMAIN [forbidden]
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xencall.h>
#include <xendevicemodel.h>
#include <xenevtchn.h>
#include <xenforeignmemory.h>
#include <xentoolcore.h>
#include <xen/xen.h>
#include <xen/version.h>

#include "core/confine.h"

static xendevicemodel_handle *dmod;
static xenforeignmemory_handle *fmem;
static xenevtchn_handle *evtchn;
static xencall_handle *xcall;

static void say(bool ok, const char *what, long result)
{
	if (ok)
		printf("ok %s\n", what);
	else
		printf("not ok %s: %ld (%s)\n", what, result, strerror(errno));
	fflush(stdout);
}

/* A page below 640 KiB, which every guest of this PC has. */
static bool can_map(unsigned int domain)
{
	xen_pfn_t gfn = 0x10;
	int err = 0;
	void *p = xenforeignmemory_map(fmem, domain, PROT_READ | PROT_WRITE, 1, &gfn, &err);

	if (!p)
		return false;
	xenforeignmemory_unmap(fmem, p, 1);
	return !err;
}

static void attempts(unsigned int own, unsigned int other)
{
	long rc = xendevicemodel_set_isa_irq_level(dmod, (domid_t)own, 5, 0);

	say(!rc, "device-model operation on its own guest", rc);
	rc = xendevicemodel_set_isa_irq_level(dmod, (domid_t)other, 5, 0);
	say(rc < 0, "no device-model operation on another guest", rc);
	rc = xendevicemodel_shutdown(dmod, (domid_t)other, 0);
	say(rc < 0, "no shutdown of another guest", rc);
	say(can_map(own), "memory of its own guest", 0);
	say(!can_map(other), "no memory of another guest", 0);
	say(!can_map(0), "no memory of domain 0", 0);
	rc = xencall2(xcall, __HYPERVISOR_xen_version, XENVER_version, 0);
	say(rc < 0, "no hypercall of its own making", rc);
	rc = xenevtchn_bind_unbound_port(evtchn, other);
	say(rc < 0, "no event channel for another guest", rc);
	rc = xenevtchn_bind_virq(evtchn, VIRQ_DOM_EXC);
	say(rc < 0, "no virtual interrupt of the host", rc);
}

int main(int argc, char **argv)
{
	unsigned int own, other;
	char *const none[] = { (char *)"true", NULL };

	if (argc < 3)
		return 2;
	own = (unsigned int)atoi(argv[1]);
	other = (unsigned int)atoi(argv[2]);
	dmod = xendevicemodel_open(NULL, 0);
	fmem = xenforeignmemory_open(NULL, 0);
	evtchn = xenevtchn_open(NULL, 0);
	xcall = xencall_open(NULL, 0);
	if (!dmod || !fmem || !evtchn || !xcall)
		return 2;
	say(!xentoolcore_restrict_all((domid_t)own), "restriction", 0);
	attempts(own, other);
	if (argc < 4)
		return 0;
	confine_calls(0);
	execv("/bin/true", none);
	say(false, "the program outlived a forbidden call", 0);
	return 0;
}
