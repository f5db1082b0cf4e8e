/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Confinement of the process: limits for all; chroot, private namespaces, another user and Xen handles
 * good for one domain only as libxl's dm_restrict asks. The filter of system calls is confine_calls.c's.
 */
#include "core/confine.h"

#include <dlfcn.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <xentoolcore.h>

#include "core/log.h"
#include "core/options.h"

/* Address space beyond what start-up took and the guest's memory: buffers, stacks, heaps of threads. */
#define SPARE_BYTES (4ull << 30)
#define MAX_FILES   4096

static void user_find(const char *runas, uid_t *uid, gid_t *gid)
{
	const struct passwd *pw;
	unsigned int u, g;

	if (sscanf(runas, "%u:%u", &u, &g) == 2) {
		*uid = u;
		*gid = g;
		return;
	}
	/* cppcheck-suppress getpwnamCalled */ /* before the first thread */
	pw = getpwnam(runas);
	if (!pw)
		log_fatal("-runas %s: no such user (create it, or give UID:GID)", runas);
	*uid = pw->pw_uid;
	*gid = pw->pw_gid;
}

static void change_user(uid_t uid, gid_t gid)
{
	if (setgroups(0, NULL) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid))
		log_fatal("-runas: %s", strerror(errno));
	if (uid && (!setuid(0) || !seteuid(0)))
		log_fatal("-runas: the privileges came back");
}

/* Before the root changes: /proc may be gone then. */
static unsigned long long address_space_bytes(void)
{
	unsigned long long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f && fscanf(f, "%llu", &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return pages * (unsigned long long)sysconf(_SC_PAGESIZE);
}

static void limit(int what, rlim_t value, const char *name)
{
	struct rlimit l;

	if (getrlimit(what, &l))
		log_fatal("-sandbox: limit of %s: %s", name, strerror(errno));
	if (value > l.rlim_max)
		value = l.rlim_max;
	if (value > l.rlim_cur)
		value = l.rlim_cur;
	l.rlim_cur = l.rlim_max = value;
	if (setrlimit(what, &l))
		log_fatal("-sandbox: limit of %s: %s", name, strerror(errno));
}

/* The size of files is not limited: it is the disks'. */
static void limit_resources(const struct options *o, unsigned long long used_bytes)
{
	limit(RLIMIT_CORE, 0, "core dumps");
	limit(RLIMIT_NOFILE, MAX_FILES, "open files");
	if (used_bytes)
		limit(RLIMIT_AS, used_bytes + o->ram_bytes + SPARE_BYTES, "address space");
}

static bool user_network(const struct options *o)
{
	unsigned int i;

	for (i = 0; i < o->nr_netdevs; i++)
		if (!strcmp(o->netdevs[i].kind, "user"))
			return true;
	return false;
}

/* What is open stays usable; nothing new of the host's network can be reached. */
static void leave_namespaces(const struct options *o)
{
	int flags = CLONE_NEWIPC | CLONE_NEWUTS | (user_network(o) ? 0 : CLONE_NEWNET);

	if (unshare(flags))
		log_warn("-chroot: no private namespaces: %s", strerror(errno));
}

/* glibc loads it when a thread is cancelled, as xenstore's reader is at the end: that is forbidden then. */
static void load_unwinder(void)
{
	static void *library; /* until the process ends */

	library = dlopen("libgcc_s.so.1", RTLD_NOW);
	if (!library)
		log_warn("-sandbox: libgcc_s.so.1: %s", dlerror());
}

/* An SDL window loads drivers at any time, which need more than the filter allows. */
static enum sandbox_mode mode_of(const struct options *o)
{
	if (o->sandbox != SANDBOX_DEFAULT)
		return o->sandbox;
	return o->sdl ? SANDBOX_OFF : SANDBOX_ON;
}

void confine(const struct options *o)
{
	unsigned long long used_bytes = address_space_bytes();
	uid_t uid = 0;
	gid_t gid = 0;

	if (o->runas)
		user_find(o->runas, &uid, &gid); /* before the root changes */
	if (mode_of(o) != SANDBOX_OFF)
		load_unwinder(); /* so is this */
	/* So is this: the libraries put /dev/null in the place of handles that cannot be restricted. */
	if (o->restrict_domid && xentoolcore_restrict_all((domid_t)o->domid))
		log_fatal("-xen-domid-restrict: %s (Linux 4.11 and Xen 4.11 or later are needed)",
			  strerror(errno));
	if (o->chroot)
		leave_namespaces(o);
	if (o->chroot && (chroot(o->chroot) || chdir("/")))
		log_fatal("-chroot %s: %s", o->chroot, strerror(errno));
	if (o->runas)
		change_user(uid, gid);
	if (mode_of(o) != SANDBOX_OFF)
		limit_resources(o, used_bytes);
	else if (o->sandbox == SANDBOX_DEFAULT)
		log_info("-sandbox is off because of the SDL window");
}

void confine_finish(const struct options *o)
{
	enum sandbox_mode mode = mode_of(o);

	if (mode == SANDBOX_OFF)
		return;
	confine_calls(mode == SANDBOX_LOG, user_network(o) ? CONFINE_SOCKETS : 0);
}

void confine_back_ends(const struct options *o)
{
	enum sandbox_mode mode = mode_of(o);

	if (mode == SANDBOX_OFF)
		return;
	load_unwinder();
	limit_resources(o, address_space_bytes());
	confine_calls(mode == SANDBOX_LOG, CONFINE_GRANTS);
}
