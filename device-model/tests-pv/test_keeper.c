// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A guest's process that was taken over: what code of an attacker's gets in a process that has the device
 * model's own confinement and its privileged part, with small libraries in the place of Xen's
 * (fake_xen.c). Each attempt has a process of its own, which the attempt may end; it fails when it gets what
 * it asks for. Both processes of a guest, without and with dm_restrict. Then what they may ask for.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/confine.h"
#include "core/keeper.h"
#include "core/keeper_priv.h"
#include "core/loop.h"
#include "core/options.h"
#include "core/util.h"
#include "tests-pv/check.h"
#include "tests-pv/fake_xen.h"

#define DISK	     "backend/qdisk/7/51712"
#define OVERLAY	     "backend/qdisk/7/51728"
#define OTHER	     "backend/qdisk/8/51712"

#define GNTDEV_MAP   _IOC(_IOC_NONE, 'G', 0, 24)
#define GNTDEV_COPY  _IOC(_IOC_NONE, 'G', 8, 16)
#define PRIVCMD_CALL _IOC(_IOC_NONE, 'P', 0, 48)

int xentoolcore_restrict_all(uint32_t domid);
int __wrap_keeper_xen_map(unsigned int domid, const uint32_t *refs, unsigned int n,
			  uint64_t *offset);

static struct options options;
static char folder[] = "/tmp/test-keeper-XXXXXX";
static char disk[64], base[64], overlay[64], named[64], state[64], secret[64], monitor[64];
static char granted[64];
static uint32_t restricted_to = ~0u;
static int link_before = -1; /* of this process, as an attacker finds it */

int xentoolcore_restrict_all(uint32_t domid)
{
	restricted_to = domid;
	return 0;
}

/* A descriptor of the granted pages' contents; libxengnttab's part is fake_xen.c's. */
int __wrap_keeper_xen_map(unsigned int domid, const uint32_t *refs, unsigned int n,
			  uint64_t *offset)
{
	int fd = open(granted, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	unsigned int i;

	for (i = 0; i < n; i++)
		if (domid != FAKE_DOMID || refs[i] < FAKE_REF || refs[i] >= FAKE_REF + FAKE_PAGES ||
		    pwrite(fd, fake_page(refs[i] - FAKE_REF), FAKE_PAGE, i * FAKE_PAGE) !=
			    FAKE_PAGE)
			return -EINVAL;
	*offset = 0;
	return fd;
}

/* ---- the process before it is taken over ---- */

static void die(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	fflush(stdout);
	_exit(3);
}

static int inner = -1;

static void on_monitor(int fd)
{
	inner = fd;
}

/* As libxl: a client of the monitor that says this. Returns when the device model has heard it. */
static void command(const char *text)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	char buf[1024];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(sa.sun_path, monitor);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) ||
	    send(fd, text, strlen(text), 0) < 0)
		die("monitor's client");
	for (inner = -1; inner < 0;)
		loop_turn(true);
	fcntl(inner, F_SETFL, 0);
	if (recv(inner, buf, sizeof(buf), 0) != (ssize_t)strlen(text) ||
	    memcmp(buf, text, strlen(text)))
		die("monitor");
}

static void name_files(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char text[512];

	strcpy(sa.sun_path, monitor);
	unlink(monitor);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) || listen(fd, 4) ||
	    keeper_watch(on_monitor, NULL, NULL) || keeper_add_monitor(fd))
		die("monitor");
	snprintf(text, sizeof(text),
		 "{\"execute\": \"blockdev-change-medium\", \"arguments\": {\"id\": \"ide-5632\", "
		 "\"filename\": \"%s\", \"format\": \"raw\"}}",
		 named);
	command(text);
	snprintf(text, sizeof(text),
		 "{\"execute\": \"xen-save-devices-state\", \"arguments\": {\"filename\": \"%s\"}}",
		 state);
	command(text);
}

/* What later calls could not tell any more: who this is, what it sees, what it might become. */
static void look_at_self(void)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = { { 0 } };
	uid_t uid = options.runas ? 65530 : 1900000000 + FAKE_DOMID, r, e, s;
	DIR *root = opendir("/");
	unsigned int n = 0, cap;

	if (getresuid(&r, &e, &s) || r != uid || e != uid || s != uid || getegid() != uid ||
	    getgroups(0, NULL))
		die("user");
	if (syscall(SYS_capget, &h, d) || d[0].permitted || d[0].effective || d[0].inheritable ||
	    d[1].permitted || d[1].effective || d[1].inheritable)
		die("capabilities");
	for (cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0))
			die("bounding set");
	if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) || !prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0))
		die("dumpable, or new privileges");
	while (root && readdir(root))
		n++;
	if (!root || closedir(root) || n != 2 || !mkdir("/x", 0700) || !access("/dev", F_OK))
		die("root directory");
}

/* In the order of main.c and pv_process.c. */
static void become(enum keeper_role role)
{
	keeper_start(&options);
	if (role == KEEPER_BACK_ENDS)
		link_before = keeper_become_back_ends(200) - 2;
	else
		keeper_drop_back_ends();
	confine_begin(&options);
	loop_init();
	if (role == KEEPER_DEVICE_MODEL)
		name_files();
	else
		keeper_watch(NULL, NULL, NULL);
	if (role == KEEPER_BACK_ENDS)
		close(keeper_open_image(disk, O_RDWR)), close(keeper_open_image(overlay, O_RDWR));
	confine_network(&options);
	if (keeper_seal())
		die("seal");
	confine(&options);
	look_at_self();
	confine_finish(&options);
	if (restricted_to != FAKE_DOMID)
		die("Xen handles are not restricted");
}

/* ---- attempts: true is power over something ---- */

static bool opens(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static bool try_read_file(void)
{
	return opens("/etc/passwd", O_RDONLY) || opens("/", O_RDONLY) || opens(".", O_RDONLY) ||
	       opens("..", O_PATH) || opens("../../etc/passwd", O_RDONLY);
}

static bool try_write_file(void)
{
	return opens(secret, O_RDWR) || opens("/new", O_RDWR | O_CREAT) ||
	       opens("/dev/mem", O_RDWR);
}

static bool try_proc(void)
{
	return opens("/proc/1/status", O_RDONLY) || opens("/proc/self/mem", O_RDWR) ||
	       opens("/proc/1/root/etc/passwd", O_RDONLY);
}

static bool try_xen_device(void)
{
	return opens("/dev/xen/privcmd", O_RDWR) || opens("/dev/xen/gntdev", O_RDWR) ||
	       opens("/dev/xen/xenbus", O_RDWR);
}

static bool opens_at(int folder_fd, const char *path)
{
	int fd = openat(folder_fd, path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static bool try_open_by_descriptors(void)
{
	int fd;

	for (fd = 0; fd < 256; fd++)
		if (opens_at(fd, "etc/passwd") || opens_at(fd, ".."))
			return true;
	return false;
}

static bool try_openat2(void)
{
	uint64_t how[3] = { O_RDONLY };

	return syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", how, sizeof(how)) >= 0;
}

static bool try_look(void)
{
	struct stat st;
	char buf[64];

	return !stat("/etc/passwd", &st) || !access("/bin/sh", F_OK) ||
	       readlink("/proc/self/exe", buf, sizeof(buf)) > 0;
}

static bool socket_of(int family, int type)
{
	int fd = socket(family, type, 0);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static bool try_socket_unix(void)
{
	return socket_of(AF_UNIX, SOCK_STREAM);
}

static bool try_socket_inet(void)
{
	return socket_of(AF_INET, SOCK_STREAM);
}

static bool try_socket_inet6(void)
{
	return socket_of(AF_INET6, SOCK_DGRAM);
}

static bool try_socket_raw(void)
{
	return socket_of(AF_PACKET, SOCK_RAW);
}

static bool try_socket_netlink(void)
{
	return socket_of(AF_NETLINK, SOCK_RAW);
}

static bool try_connect(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int pair[2];

	strcpy(sa.sun_path, monitor);
	return !socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) &&
	       !connect(pair[0], (struct sockaddr *)&sa, sizeof(sa));
}

/* Forbidden calls; the number is all that counts. */
#define CALL(name, ...)                                         \
	static bool try_##name(void)                            \
	{                                                       \
		return syscall(SYS_##name, ##__VA_ARGS__) >= 0; \
	}
CALL(kill, getppid(), 0)
CALL(tgkill, getppid(), getppid(), 0)
CALL(pidfd_open, getppid(), 0)
CALL(rt_sigqueueinfo, getppid(), 0, NULL)
CALL(ptrace, PTRACE_ATTACH, getppid(), NULL, NULL)
CALL(process_vm_readv, getppid(), NULL, 0, NULL, 0, 0)
CALL(kcmp, getppid(), getppid(), 0, 0, 0)
CALL(mount, "none", "/", "tmpfs", 0, NULL)
CALL(umount2, "/", MNT_DETACH)
CALL(chroot, "/")
CALL(pivot_root, ".", ".")
CALL(open_tree, AT_FDCWD, "/", 1)
CALL(unshare, CLONE_NEWUSER)
CALL(setns, 0, 0)
CALL(setuid, 0)
CALL(setresuid, 0, 0, 0)
CALL(setgroups, 0, NULL)
CALL(capset, NULL, NULL)
CALL(mknod, "/x", S_IFCHR | 0600, 0x101)
CALL(mkdir, "/x", 0700)
CALL(unlink, secret)
CALL(rename, secret, named)
CALL(chmod, secret, 0777)
CALL(chdir, "/")
CALL(execve, "/bin/true", NULL, NULL)
CALL(fork)
CALL(vfork)
CALL(bpf, 0, NULL, 0)
CALL(io_uring_setup, 1, NULL)
CALL(perf_event_open, NULL, 0, -1, -1, 0)
CALL(userfaultfd, 0)
CALL(keyctl, 0, 0)
CALL(add_key, "user", "x", "y", 1, -1)
CALL(name_to_handle_at, AT_FDCWD, "/", NULL, NULL, 0)
CALL(open_by_handle_at, 0, NULL, 0)
CALL(memfd_create, "x", 0)
CALL(shmget, 0, 4096, 01600)
CALL(iopl, 3)
CALL(modify_ldt, 0, NULL, 0)
CALL(reboot, 0, 0, 0, NULL)
CALL(init_module, NULL, 0, "")
CALL(seccomp, 0, 0, NULL)
CALL(prlimit64, 0, 0, NULL, NULL)
CALL(ioprio_set, 1, 0, 0)
CALL(sched_setaffinity, 0, 0, NULL)

static bool try_dumpable(void)
{
	return !prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static bool ioctl_passes(unsigned long request)
{
	/* The filter's answer is the process's end; the descriptor's own would be ENOTTY. */
	return ioctl(0, request, NULL) >= 0 || errno != EPERM;
}

static bool try_hypercall(void)
{
	return ioctl_passes(PRIVCMD_CALL);
}

static bool try_map_grant(void)
{
	return ioctl_passes(GNTDEV_MAP);
}

static bool try_copy_grant(void)
{
	return ioctl_passes(GNTDEV_COPY);
}

static bool try_terminal(void)
{
	return ioctl_passes(TIOCSTI);
}

static bool try_exec_memory(void)
{
	int no_file = -1;
	/* cppcheck-suppress invalidFunctionArg ; an anonymous mapping has no file */
	void *p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, no_file, 0);

	return p != MAP_FAILED && !munmap(p, 4096);
}

/* ---- attempts at the privileged part ---- */

static bool try_not_named(void)
{
	return keeper_open(secret, KEEPER_READ) >= 0 ||
	       keeper_open("/etc/shadow", KEEPER_READ) >= 0 ||
	       keeper_open("/proc/1/environ", KEEPER_READ) >= 0 ||
	       keeper_open("", KEEPER_READ) >= 0;
}

static bool try_named_otherwise(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/../%s", folder, named + 1);
	return keeper_open(named, KEEPER_READ_WRITE) >= 0 ||
	       keeper_open(named, KEEPER_CREATE) >= 0 || keeper_open(state, KEEPER_READ) >= 0 ||
	       keeper_open(path, KEEPER_READ) >= 0 || keeper_open(secret, KEEPER_CREATE) >= 0 ||
	       keeper_open(base, KEEPER_READ_WRITE) >= 0 ||
	       keeper_open(named, (enum keeper_mode)7) >= 0;
}

/* Once for each command: the second time somebody else's file may have the name. */
static bool try_named_again(void)
{
	keeper_open(named, KEEPER_READ);
	keeper_open(state, KEEPER_CREATE);
	return keeper_open(named, KEEPER_READ) >= 0 || keeper_open(state, KEEPER_CREATE) >= 0;
}

/* A socket that an attacker's friend outside writes commands to. */
static bool try_monitor(void)
{
	int pair[2];

	return !socketpair(AF_UNIX, SOCK_STREAM, 0, pair) && !keeper_add_monitor(pair[0]);
}

static bool try_store_read(void)
{
	return keeper_store_read(OTHER "/params") || keeper_store_read("/local/domain/8/name") ||
	       keeper_store_read("/local/domain/0/device-model/7/state") ||
	       keeper_store_read("/local/domain/70/device/vbd/0") ||
	       keeper_store_read("backend/qdisk/70/1/params") ||
	       keeper_store_read("/tool/xenstored");
}

static bool try_store_list(void)
{
	unsigned int n;

	return keeper_store_list("backend/qdisk/8", &n) || keeper_store_list("/", &n) ||
	       keeper_store_list("backend/qdisk", &n) || keeper_store_list("/local/domain", &n);
}

/* Above all what the privileged part itself goes by. */
static bool try_store_write(void)
{
	return !keeper_store_write(DISK "/params", "aio:/etc/shadow") ||
	       !keeper_store_write(DISK "/mode", "w") ||
	       !keeper_store_write(DISK "/frontend", "/local/domain/8/device/vbd/51712") ||
	       !keeper_store_write(DISK "/x/state", "1") ||
	       !keeper_store_write(DISK "/state/params", "1") ||
	       !keeper_store_write("backend/qdisk/7/9/params", "aio:/etc/shadow") ||
	       !keeper_store_write("backend/qdisk/7/state", "4") ||
	       !keeper_store_write(OTHER "/state", "6") ||
	       !keeper_store_write("backend/qdisk/7/9/state", "4") ||
	       !keeper_store_write(DISK "/feature-mine", "1") ||
	       !keeper_store_write("/local/domain/7/device/vbd/51712/state", "6") ||
	       !keeper_store_write("device-model/8/backends/qdisk", "") ||
	       !keeper_store_write("device-model/7/backends/other", "") ||
	       !keeper_store_write("device-model/7/state", "running");
}

static bool try_store_watch(void)
{
	return !keeper_store_watch("/local/domain/8", true) ||
	       !keeper_store_watch("@introduceDomain", true) ||
	       !keeper_store_watch("backend", true);
}

/* A domain is not even in the message; these are references that the guest did not give. */
static bool try_other_grants(void)
{
	uint32_t refs[KEEPER_MAX_REFS] = { FAKE_REF, FAKE_REF + FAKE_PAGES };
	struct keeper_piece p = { 5, 0, 64 };

	return keeper_map_grants(refs, 2) || keeper_map_grants(refs, 0) ||
	       !keeper_copy(&p, 1, false);
}

static bool raw(uint32_t op, uint32_t arg, const struct keeper_piece *pieces)
{
	struct keeper_message m = { .op = op, .arg = arg };
	int fd;

	if (pieces)
		m.pieces[0] = *pieces;
	if (keeper_send(link_before, &m, sizeof(m), -1) ||
	    keeper_receive(link_before, &m, sizeof(m), &fd))
		return false;
	return m.result >= 0;
}

/* Numbers that the library would not send. */
static bool try_numbers(void)
{
	const struct keeper_piece over = { FAKE_REF, 4000, 97 }, wide = { FAKE_REF, 65535, 65535 };

	return raw(KEEPER_OP_COPY, 1, &over) || raw(KEEPER_OP_COPY, 1, &wide) ||
	       raw(KEEPER_OP_COPY, 65, NULL) || raw(KEEPER_OP_COPY, ~0u, NULL) ||
	       raw(KEEPER_OP_MAP, 17, NULL) || raw(KEEPER_OP_MAP, ~0u, NULL) || raw(0, 0, NULL) ||
	       raw(99, 0, NULL) || raw(~0u, 0, NULL) || raw(KEEPER_OP_RUNNING, 0, NULL) ||
	       raw(KEEPER_OP_MONITOR, 0, NULL) || !raw(KEEPER_OP_WINDOW, 0, NULL);
}

/* Shorter and longer messages end the link, and nothing more is answered. */
static bool try_short_message(void)
{
	send(link_before, "x", 1, MSG_NOSIGNAL);
	return raw(KEEPER_OP_WINDOW, 0, NULL);
}

static bool try_shrink_window(void)
{
	uint8_t *w = keeper_window();

	return !w; /* ftruncate() would need its descriptor, which is closed */
}

/* A header that is rewritten to name another file: the chain is the one that was there at first. */
static bool try_other_backing(void)
{
	uint8_t h[4096];
	int fd = keeper_open(overlay, KEEPER_READ_WRITE);

	if (fd < 0 || pread(fd, h, sizeof(h), 0) < 1000)
		return true;
	memset(h + 512, 0, 64);
	strcpy((char *)h + 512, secret);
	h[19] = (uint8_t)strlen(secret);
	if (pwrite(fd, h, 1000, 0) != 1000)
		return true;
	close(fd);
	close(keeper_open(overlay, KEEPER_READ_WRITE));
	return keeper_open(secret, KEEPER_READ) >= 0;
}

/* A descriptor's owner gets its signals, whatever they are set to be. */
static bool try_signal_by_descriptor(void)
{
	int pair[2];

	return !socketpair(AF_UNIX, SOCK_STREAM, 0, pair) && !fcntl(pair[0], F_SETOWN, getppid());
}

/* Whoever closes such a socket last would wait. */
static bool try_linger(void)
{
	struct linger l = { 1, 60000 };
	int pair[2];

	return !socketpair(AF_UNIX, SOCK_STREAM, 0, pair) &&
	       !setsockopt(pair[0], SOL_SOCKET, SO_LINGER, &l, sizeof(l));
}

static bool try_write_read_only(void)
{
	return keeper_open(base, KEEPER_READ_WRITE) >= 0 || keeper_open(base, KEEPER_CREATE) >= 0 ||
	       keeper_open(disk, KEEPER_CREATE) >= 0;
}

#define BOTH 3u
#define DM   (1u << KEEPER_DEVICE_MODEL)
#define PV   (1u << KEEPER_BACK_ENDS)
#define TRY(n, who)              \
	{                        \
#n, who, try_##n \
	}

static const struct attempt {
	const char *name;
	unsigned int roles;
	bool (*run)(void);
} attempts[] = {
	TRY(read_file, BOTH),
	TRY(signal_by_descriptor, BOTH),
	TRY(linger, BOTH),
	TRY(write_file, BOTH),
	TRY(proc, BOTH),
	TRY(xen_device, BOTH),
	TRY(open_by_descriptors, BOTH),
	TRY(openat2, BOTH),
	TRY(look, BOTH),
	TRY(socket_unix, BOTH),
	TRY(socket_inet, BOTH),
	TRY(socket_inet6, BOTH),
	TRY(socket_raw, BOTH),
	TRY(socket_netlink, BOTH),
	TRY(connect, BOTH),
	TRY(kill, BOTH),
	TRY(tgkill, BOTH),
	TRY(pidfd_open, BOTH),
	TRY(rt_sigqueueinfo, BOTH),
	TRY(ptrace, BOTH),
	TRY(process_vm_readv, BOTH),
	TRY(kcmp, BOTH),
	TRY(mount, BOTH),
	TRY(umount2, BOTH),
	TRY(chroot, BOTH),
	TRY(pivot_root, BOTH),
	TRY(open_tree, BOTH),
	TRY(unshare, BOTH),
	TRY(setns, BOTH),
	TRY(setuid, BOTH),
	TRY(setresuid, BOTH),
	TRY(setgroups, BOTH),
	TRY(capset, BOTH),
	TRY(mknod, BOTH),
	TRY(mkdir, BOTH),
	TRY(unlink, BOTH),
	TRY(rename, BOTH),
	TRY(chmod, BOTH),
	TRY(chdir, BOTH),
	TRY(execve, BOTH),
	TRY(fork, BOTH),
	TRY(vfork, BOTH),
	TRY(bpf, BOTH),
	TRY(io_uring_setup, BOTH),
	TRY(perf_event_open, BOTH),
	TRY(userfaultfd, BOTH),
	TRY(keyctl, BOTH),
	TRY(add_key, BOTH),
	TRY(name_to_handle_at, BOTH),
	TRY(open_by_handle_at, BOTH),
	TRY(memfd_create, BOTH),
	TRY(shmget, BOTH),
	TRY(iopl, BOTH),
	TRY(modify_ldt, BOTH),
	TRY(reboot, BOTH),
	TRY(init_module, BOTH),
	TRY(seccomp, BOTH),
	TRY(prlimit64, BOTH),
	TRY(ioprio_set, BOTH),
	TRY(sched_setaffinity, BOTH),
	TRY(dumpable, BOTH),
	TRY(hypercall, BOTH),
	TRY(map_grant, BOTH),
	TRY(copy_grant, BOTH),
	TRY(terminal, BOTH),
	TRY(exec_memory, BOTH),

	TRY(not_named, BOTH),
	TRY(named_otherwise, BOTH),
	TRY(named_again, DM),
	TRY(monitor, BOTH),
	TRY(store_read, BOTH),
	TRY(store_list, BOTH),
	TRY(store_write, BOTH),
	TRY(store_watch, BOTH),
	TRY(other_grants, BOTH),
	TRY(numbers, PV),
	TRY(short_message, PV),
	TRY(shrink_window, PV),
	TRY(other_backing, PV),
	TRY(write_read_only, PV),
};

/* ---- what they may ask for: false is a fault ---- */

static bool may_dm(void)
{
	int fd = keeper_open(named, KEEPER_READ), out = keeper_open(state, KEEPER_CREATE);
	char buf[8] = "";

	/* What they are is no folder, and no more can be done with it than it was opened for. */
	return fd >= 0 && read(fd, buf, 5) == 5 && !strcmp(buf, "named") && write(fd, "x", 1) < 0 &&
	       out >= 0 && write(out, "state", 5) == 5 && read(out, buf, 1) < 0 &&
	       !keeper_say_running();
}

static bool changed;

static void on_change(void)
{
	changed = true;
}

static bool may_store(void)
{
	unsigned int n = 0;
	char **list = keeper_store_list("backend/qdisk/7", &n), *mode;

	if (!list || n != 2 || keeper_store_write(DISK "/state", "2") ||
	    keeper_store_write("device-model/7/backends/qdisk", "") ||
	    keeper_store_write(DISK "/feature-flush-cache", "1") ||
	    keeper_watch(NULL, on_change, NULL) || keeper_store_watch("backend/qdisk/7", true))
		return false;
	while (!changed) /* a new watch reports once */
		loop_turn(true);
	if (keeper_store_watch("backend/qdisk/7", false))
		return false;
	mode = keeper_store_read(DISK "/state");
	return mode && !strcmp(mode, "2") &&
	       keeper_store_read("/local/domain/7/device/vbd/51712/x");
}

static bool may_pv(void)
{
	uint32_t refs[2] = { FAKE_REF + 3, FAKE_REF + 4 };
	struct keeper_piece p[2] = { { FAKE_REF + 3, 8, 16 }, { FAKE_REF + 4, 4000, 96 } };
	uint8_t *w = keeper_window(), *page = keeper_map_grants(refs, 2);
	int again;

	if (!w || !page || page[0] != 3 || page[FAKE_PAGE] != 4)
		return false;
	if (keeper_copy(p, 2, false) || w[0] != 3 || w[KEEPER_PIECE_SIZE] != 4)
		return false;
	w[KEEPER_PIECE_SIZE] = 77;
	if (keeper_copy(p, 2, true) || fake_page(4)[4000] != 77)
		return false;
	munmap(page, 2 * FAKE_PAGE);
	for (again = 0; again < 3; again++)
		if (keeper_open_image(disk, O_RDWR) < 0 || keeper_open_image(overlay, O_RDWR) < 0 ||
		    keeper_open_image(base, O_RDONLY) < 0)
			return false;
	return true;
}

/* ---- running them ---- */

static void in_child(enum keeper_role role, bool (*run)(void))
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (!getenv("KEEPER_LOG"))
		dup2(null, STDERR_FILENO); /* what the log says of it */
	become(role);
	_exit(run() ? 1 : 0);
}

/* The status of exit, or 128 and the signal. */
static int outcome(enum keeper_role role, bool (*run)(void))
{
	pid_t pid;
	int status;

	fflush(stdout);
	pid = fork();

	if (!pid)
		in_child(role, run);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void attempt(const struct attempt *a, const char *mode)
{
	unsigned int role;
	int got;

	for (role = 0; role < KEEPER_NR_ROLES; role++) {
		if (!(a->roles & 1u << role))
			continue;
		got = outcome(role, a->run);
		if (got != 0 && got != 128 + SIGSYS)
			printf("%s, %s, process %u: outcome %d\n", a->name, mode, role, got);
		CHECK(got == 0 || got == 128 + SIGSYS);
	}
}

static void file(const char *path, const void *data, size_t len, mode_t mode)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	if (fd < 0 || write(fd, data, len) != (ssize_t)len)
		die(path);
	close(fd);
}

/* A header is all that the privileged part reads (qcow2.txt). */
static void make_overlay(void)
{
	uint8_t h[4096] = {
		'Q', 'F', 'I', 0xfb, 0, 0, 0, 2, [14] = 2, [19] = (uint8_t)strlen(base)
	};

	strcpy((char *)h + 512, base);
	file(overlay, h, sizeof(h), 0600);
}

static void set_up(void)
{
	if (!mkdtemp(folder))
		die(folder);
	snprintf(disk, sizeof(disk), "%s/disk", folder);
	snprintf(base, sizeof(base), "%s/base", folder);
	snprintf(overlay, sizeof(overlay), "%s/over", folder);
	snprintf(named, sizeof(named), "%s/named", folder);
	snprintf(state, sizeof(state), "%s/state", folder);
	snprintf(secret, sizeof(secret), "%s/secret", folder);
	snprintf(monitor, sizeof(monitor), "%s/qmp", folder);
	snprintf(granted, sizeof(granted), "%s/granted", folder);
	file(disk, "disk", 4, 0600);
	file(base, "base", 4, 0600);
	file(named, "named", 5, 0600);
	file(secret, "secret", 6, 0600);
	fake_init();
	fake_write(DISK "/params", "aio:%s", disk);
	fake_write(DISK "/mode", "w");
	fake_write(DISK "/frontend", "/local/domain/7/device/vbd/51712");
	fake_write(OVERLAY "/params", "qcow2:%s", overlay);
	fake_write(OVERLAY "/mode", "w");
	fake_write(OTHER "/params", "aio:%s", secret);
	fake_write(OTHER "/mode", "w");
	fake_write("/local/domain/8/name", "other");
	fake_write("/local/domain/70/device/vbd/0", "other");
	fake_write("/local/domain/0/device-model/7/state", "x");
	fake_write("/local/domain/7/device/vbd/51712/x", "y");
	memset(fake_page(3), 3, FAKE_PAGE);
}

static void run_all(const char *mode)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(attempts); i++) {
		make_overlay();
		attempt(&attempts[i], mode);
	}
	make_overlay();
	memset(fake_page(4), 4, FAKE_PAGE);
	CHECK(outcome(KEEPER_DEVICE_MODEL, may_dm) == 1);
	CHECK(outcome(KEEPER_BACK_ENDS, may_store) == 1);
	CHECK(outcome(KEEPER_BACK_ENDS, may_pv) == 1);
}

int main(int argc, char **argv)
{
	char root[80];
	const char *const clean[] = { disk, base, overlay, named, state, secret, monitor, granted };
	size_t i;

	if (geteuid()) {
		printf("check-dm-keeper: 0 passed, 0 failed, 1 skipped (root is needed)\n");
		return 0;
	}
	options = (struct options){ .domid = FAKE_DOMID,
				    .incoming_fd = -1,
				    .uid_base = 1900000000,
				    .ram_bytes = 64 << 20 };
	set_up();
	snprintf(root, sizeof(root), "%s/root", folder);
	if (mkdir(root, 0700))
		die(root);
	run_all("default");
	options.chroot = root;
	options.runas = (char *)"65530:65530";
	options.restrict_domid = options.start_stopped = true;
	options.sandbox = SANDBOX_ON;
	run_all("restricted");
	for (i = 0; i < ARRAY_SIZE(clean); i++)
		unlink(clean[i]);
	rmdir(root);
	rmdir(folder);
	printf("check-dm-keeper: %u passed, %u failed\n", checks - failures, failures);
	return failures != 0;
}
