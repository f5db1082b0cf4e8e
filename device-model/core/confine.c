/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Confinement of the process: namespaces, an empty root directory, another user, no capabilities, Xen
 * handles good for one domain only, limits. The filter of system calls is confine_calls.c's; what a
 * confined process needs of the host later it asks of the privileged part (keeper.h).
 */
#include "core/confine.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <xentoolcore.h>

#include "core/keeper.h"
#include "core/log.h"
#include "core/options.h"

/* Address space beyond what start-up took and the guest's memory: buffers, stacks, heaps of threads. */
#define SPARE_BYTES (4ull << 30)
#define MAX_FILES   4096
#define MAX_THREADS 512
/* Mounts of the new root directory hide this folder, in the process's own namespace only. */
#define ROOT_PLACE "/dev"
#define TFTP_NAME  "tftp" /* in that directory */
#define TFTP_PLACE "/" TFTP_NAME
/* The user whose number is the first of a range, one for each domain, as libxl has it for dm_restrict. */
#define RANGE_USER  "xen-qemuuser-range-base"
#define TEST_DOMAIN 0x7ff0 /* no domain has it */

static bool begun, network_left;

bool confine_wanted(const struct options *o)
{
	return o->sandbox != SANDBOX_OFF;
}

/* Whether confine() makes the Xen handles good for the options' domain only. */
static bool restricts(const struct options *o)
{
	return !o->qtest && (confine_wanted(o) || o->restrict_domid);
}

/* The test protocol's machine has no guest, and tests run as anybody. */
static bool may_fall_short(const struct options *o)
{
	return o->qtest && geteuid();
}

const char *confine_tftp(const struct options *o, const char *folder)
{
	return folder && confine_wanted(o) && !may_fall_short(o) ? TFTP_PLACE : folder;
}

static void user_find(const struct options *o, uid_t *uid, gid_t *gid)
{
	unsigned int u, g, n = o->domid < 0 ? TEST_DOMAIN : (unsigned int)o->domid;
	const struct passwd *pw;

	if (o->runas && sscanf(o->runas, "%u:%u", &u, &g) == 2) {
		*uid = u;
		*gid = g;
		return;
	}
	/* cppcheck-suppress getpwnamCalled */ /* before the first thread */
	pw = getpwnam(o->runas ? o->runas : RANGE_USER);
	if (!pw && o->runas)
		log_fatal("-runas %s: no such user (create it, or give UID:GID)", o->runas);
	*uid = pw ? pw->pw_uid : o->uid_base;
	*gid = pw ? pw->pw_gid : o->uid_base + n;
	if (!o->runas)
		*uid += n;
}

/* Of the calling thread: these stay, the others go, and no program could bring any back. */
static int capabilities_keep(uint64_t keep)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = { { .effective = (uint32_t)keep,
						 .permitted = (uint32_t)keep } };
	unsigned long cap;

	for (cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		prctl(PR_CAPBSET_DROP, cap, 0, 0, 0); /* needs a capability itself */
	return (int)syscall(SYS_capset, &h, d);
}

/* Of all threads: the C library tells each of them to change, and with user 0 go its capabilities. */
static void change_user(uid_t uid, gid_t gid)
{
	if (setgroups(0, NULL) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid))
		log_fatal("cannot become user %u, group %u: %s", uid, gid, strerror(errno));
	if (uid && (!setuid(0) || !seteuid(0)))
		log_fatal("user %u: the privileges came back", uid);
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

/* The user-mode network's options, or NULL. */
static const struct opt_netdev *user_network(const struct options *o)
{
	unsigned int i;

	for (i = 0; i < o->nr_netdevs; i++)
		if (!strcmp(o->netdevs[i].kind, "user"))
			return &o->netdevs[i];
	return NULL;
}

__attribute__((noreturn)) static void refuse(const struct options *o, const char *what)
{
	log_fatal("confinement: %s: %s; the guest does not start (-sandbox off serves it with all "
		  "of this process's power, which the guest may then get)",
		  what, strerror(errno));
}

void confine_begin(const struct options *o)
{
	/* An X server and its client share memory by System V's calls. */
	int flags = CLONE_NEWNS | CLONE_NEWUTS | (o->sdl ? 0 : CLONE_NEWIPC);

	begun = !may_fall_short(o) && (confine_wanted(o) || o->chroot);
	if (!begun)
		return;
	if (unshare(flags))
		refuse(o, "no private namespaces");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		refuse(o, "the mounts do not become private");
}

void confine_network(const struct options *o)
{
	if (!begun || network_left)
		return;
	network_left = true;
	if (user_network(o) || o->sdl) {
		if (user_network(o))
			log_info("confinement: the process keeps the host's network, for the "
				 "guest's user-mode network");
		return;
	}
	if (unshare(CLONE_NEWNET))
		refuse(o, "no private network");
}

/* What libslirp looks at later: the host's name servers, as they are now, and the TFTP folder. */
static void root_for_network(const struct options *o, const struct opt_netdev *n)
{
	const char *tftp = opt_list_get(&n->args, "tftp");
	char text[4096];
	FILE *in, *out;
	size_t len;

	in = fopen("/etc/resolv.conf", "re");
	len = in ? fread(text, 1, sizeof(text), in) : 0;
	if (in)
		fclose(in);
	if (mkdir("etc", 0755) || !(out = fopen("etc/resolv.conf", "we")))
		refuse(o, "resolv.conf in the root directory");
	fwrite(text, 1, len, out);
	if (fchmod(fileno(out), 0644) || fclose(out))
		refuse(o, "resolv.conf in the root directory");
	if (!tftp)
		return;
	if (mkdir(TFTP_NAME, 0755) || mount(tftp, TFTP_NAME, NULL, MS_BIND, NULL) ||
	    mount(NULL, TFTP_NAME, NULL,
		  MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL))
		refuse(o, tftp);
}

/*
 * A root directory of its own, without anything in it, that cannot be written. Where the present one is
 * the kernel's first (an initramfs), which no other can take the place of, the new one is moved onto it.
 */
static void change_root(const struct options *o)
{
	const char *place = o->chroot ? o->chroot : ROOT_PLACE;
	const struct opt_netdev *n = user_network(o);

	if (mount("plinth-dm", place, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  "mode=0755,size=64k") ||
	    chdir(place))
		refuse(o, place);
	if (n)
		root_for_network(o, n);
	if (mount(NULL, ".", NULL, MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  "mode=0755"))
		refuse(o, place);
	if (!syscall(SYS_pivot_root, ".", ".")) {
		if (umount2(".", MNT_DETACH) || chdir("/"))
			refuse(o, "the host's root directory does not leave");
		return;
	}
	if (mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/"))
		refuse(o, "the root directory does not change");
}

/* glibc loads it when a thread is cancelled, as xenstore's reader is at the end: that is forbidden then. */
static void load_unwinder(void)
{
	static void *library; /* until the process ends */

	library = dlopen("libgcc_s.so.1", RTLD_NOW);
	if (!library)
		log_warn("-sandbox: libgcc_s.so.1: %s", dlerror());
}

/* As the options ask, one by one, without confinement. */
static void confine_as_asked(const struct options *o)
{
	uid_t uid = 0;
	gid_t gid = 0;

	log_warn("-sandbox off: this process has all its power, which its guest may get");
	if (o->runas)
		user_find(o, &uid, &gid);
	if (o->chroot)
		confine_network(o);
	if (o->chroot && (chroot(o->chroot) || chdir("/")))
		log_fatal("-chroot %s: %s", o->chroot, strerror(errno));
	if (o->runas)
		change_user(uid, gid);
}

static void confine_all(const struct options *o)
{
	unsigned long long used_bytes = address_space_bytes();
	uid_t uid;
	gid_t gid;

	user_find(o, &uid, &gid); /* before the root changes; so are the next two */
	load_unwinder();
	tzset();
	if (may_fall_short(o)) {
		log_info(
			"confinement: not root, so only the limits and the filter of system calls");
	} else {
		confine_network(o);
		change_root(o);
		capabilities_keep(1ull << CAP_SETUID | 1ull << CAP_SETGID);
		change_user(uid, gid);
		if (!o->runas) /* else others may be the same user */
			limit(RLIMIT_NPROC, MAX_THREADS, "threads");
		if (capabilities_keep(0))
			log_fatal("confinement: capabilities: %s", strerror(errno));
	}
	keeper_die_with_it();
	limit_resources(o, used_bytes);
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		log_fatal("confinement: %s", strerror(errno));
}

void confine(const struct options *o)
{
	/* The libraries put /dev/null in the place of handles that cannot be restricted. */
	if (restricts(o) && xentoolcore_restrict_all((domid_t)o->domid))
		log_fatal("confinement: Xen handles for one domain only: %s (Linux 4.11 and Xen "
			  "4.11 or later are needed)",
			  strerror(errno));
	if (confine_wanted(o))
		confine_all(o);
	else
		confine_as_asked(o);
}

void confine_finish(const struct options *o)
{
	unsigned int flags = user_network(o) ? CONFINE_SOCKETS : 0;

	if (!confine_wanted(o))
		return;
	if (o->sandbox == SANDBOX_LOG)
		flags |= CONFINE_LOG;
	else if (o->sdl && o->sandbox == SANDBOX_DEFAULT)
		flags |= CONFINE_QUIET; /* libraries of a window try many things */
	if (o->sdl)
		log_info("confinement: the window's connection to its display stays open");
	confine_calls(flags);
}

void confine_keeper_power(void)
{
	load_unwinder();
	if (!geteuid() && capabilities_keep(1ull << CAP_DAC_OVERRIDE | 1ull << CAP_DAC_READ_SEARCH |
					    1ull << CAP_KILL))
		log_fatal("privileged part: capabilities: %s", strerror(errno));
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		log_fatal("privileged part: %s", strerror(errno));
}

void confine_keeper(void)
{
	confine_calls(CONFINE_KEEPER);
}
