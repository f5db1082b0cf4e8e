// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A guest's process that was taken over: what code of an attacker's gets in a process that has the device
 * model's own confinement and its privileged part, with small libraries in the place of Xen's
 * (fake_xen.c). Each attempt has a process of its own, which the attempt may end; it fails when it gets what
 * it asks for. Both processes of a guest, without and with dm_restrict. Then what they may ask for.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/util.h"
#include "check.h"
#include "device-model/pv/fake_xen.h"
#include "device-model/pv/taken_over.h"

#define GNTDEV_MAP   _IOC(_IOC_NONE, 'G', 0, 24)
#define GNTDEV_COPY  _IOC(_IOC_NONE, 'G', 8, 16)
#define PRIVCMD_CALL _IOC(_IOC_NONE, 'P', 0, 48)

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

/* What was logged stays. */
static bool try_erase_log(void)
{
	return !ftruncate(STDERR_FILENO, 0) || pwrite(STDERR_FILENO, "x", 1, 0) == 1 ||
	       !fallocate(STDERR_FILENO, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096) ||
	       lseek(STDERR_FILENO, 0, SEEK_SET) == 0;
}

/* Of what is open here: locks are the privileged part's to take. */
static bool try_lock(void)
{
	struct flock lock = { .l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = 100, .l_len = 1 };

	return !fcntl(STDIN_FILENO, F_OFD_SETLK, &lock);
}

static bool try_flock(void)
{
	return !flock(STDIN_FILENO, LOCK_SH);
}

static const struct attempt attempts[] = {
	TRY(lock, BOTH),
	TRY(flock, BOTH),
	TRY(erase_log, BOTH),
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

};

/* ---- running them ---- */

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

static void run_all(const char *mode)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(attempts); i++)
		attempt(&attempts[i], mode);
	for (i = 0; i < nr_refused_requests; i++) {
		taken_over_reset();
		attempt(&refused_requests[i], mode);
	}
	for (i = 0; i < nr_granted_requests; i++) {
		taken_over_reset();
		CHECK(outcome(granted_requests[i].roles == DM ? KEEPER_DEVICE_MODEL
							      : KEEPER_BACK_ENDS,
			      granted_requests[i].run) == 1);
	}
	CHECK(ends_with_domain(KEEPER_DEVICE_MODEL));
	CHECK(ends_with_keeper(KEEPER_DEVICE_MODEL));
	CHECK(ends_with_keeper(KEEPER_BACK_ENDS));
}

int main(int argc, char **argv)
{
	char root[80];

	if (geteuid()) {
		printf("check-dm-keeper: 0 passed, 0 failed, 1 skipped (root is needed)\n");
		return 0;
	}
	options = (struct options){ .domid = FAKE_DOMID,
				    .incoming_fd = -1,
				    .uid_base = 1900000000,
				    .ram_bytes = 64 << 20 };
	taken_over_set_up();
	snprintf(root, sizeof(root), "%s/root", folder);
	if (mkdir(root, 0700))
		die(root);
	run_all("default");
	CHECK(ends_with_domain(KEEPER_BACK_ENDS));
	CHECK(ends_with_device_model());
	CHECK(copies_while_a_file_waits());
	CHECK(believes_its_user());
	CHECK(believes_no_header_below());
	CHECK(says_only_what_it_refuses());
	CHECK(unlocks_on_the_way_out());
	CHECK(unlocks_on_the_way_in());
	CHECK(looks_at_all_headers());
	options.chroot = root;
	options.runas = (char *)"65530:65530";
	options.restrict_domid = options.start_stopped = true;
	options.sandbox = SANDBOX_ON;
	run_all("restricted");
	rmdir(root);
	taken_over_clean_up();
	return check_report("check-dm-keeper");
}
