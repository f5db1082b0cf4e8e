// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One system call behind the device model's filter: confine_call on|log|net|keeper WHERE CALL. WHERE is the
 * thread that makes it: "main", "old" (it exists before the filter) or "new". Says "alive RESULT" on
 * standard output if the process survives. For test_confine.py.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/confine.h"

#define PAGE	     4096
#define X32_READ     (0x40000000L)
#define PRIVCMD_MMAP _IOC(_IOC_NONE, 'P', 2, 16)
#define GNTDEV_MAP   _IOC(_IOC_NONE, 'G', 0, 24)
#define PRIVCMD_CALL _IOC(_IOC_NONE, 'P', 0, 48)
#define PRIVCMD_DM   _IOC(_IOC_NONE, 'P', 5, 16)

static void *page;
static sem_t confined;

static void *memory(int prot)
{
	int no_file = -1;

	/* cppcheck-suppress invalidFunctionArg ; an anonymous mapping has no file */
	return mmap(NULL, PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, no_file, 0);
}

static long call_execve(void)
{
	return execl("/bin/true", "true", NULL);
}

static long call_fork(void)
{
	return syscall(SYS_fork);
}

static long call_clone_process(void)
{
	return syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0);
}

/* A thread in all but the flag that would let it have namespaces of its own. */
static long call_clone_newuser(void)
{
	return syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, 0);
}

static long call_mmap_exec(void)
{
	void *p = memory(PROT_READ | PROT_EXEC);

	return p == MAP_FAILED ? -1 : munmap(p, PAGE);
}

static long call_mprotect_exec(void)
{
	return mprotect(page, PAGE, PROT_READ | PROT_EXEC);
}

static long call_socket_unix(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static long call_socket_inet(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static long call_socket_netlink(void)
{
	return socket(AF_NETLINK, SOCK_RAW, 0);
}

static long call_ptrace(void)
{
	return syscall(SYS_ptrace, 0, 0, NULL, NULL);
}

static long call_setuid(void)
{
	return syscall(SYS_setuid, 0);
}

static long call_unshare(void)
{
	return syscall(SYS_unshare, CLONE_NEWUSER);
}

static long call_kill(void)
{
	return syscall(SYS_kill, 1, 0);
}

static long call_tgkill(void)
{
	return syscall(SYS_tgkill, 1, 1, 0);
}

static long call_unlink(void)
{
	return unlink("/nonexistent/file");
}

static long call_io_uring(void)
{
	return syscall(SYS_io_uring_setup, 1, NULL);
}

static long call_ioctl_tiocsti(void)
{
	return ioctl(0, TIOCSTI, "x");
}

static long call_ioctl_privcmd_mmap(void)
{
	return ioctl(0, PRIVCMD_MMAP, NULL);
}

static long call_ioctl_hypercall(void)
{
	return ioctl(0, PRIVCMD_CALL, NULL);
}

/* Fails for its descriptor, which is not Xen's. */
static long call_ioctl_dm_op(void)
{
	return ioctl(0, PRIVCMD_DM, NULL) == -1 && errno != EPERM ? 0 : -1;
}

static long call_ioctl_map_grant(void)
{
	return ioctl(0, GNTDEV_MAP, NULL) == -1 && errno != EPERM ? 0 : -1;
}

static long call_sigsys(void)
{
	return signal(SIGSYS, SIG_IGN) == SIG_ERR ? -1 : 0;
}

static long call_x32(void)
{
	return syscall(X32_READ, 0, NULL, 0);
}

/* getpid of the 32-bit interface, where the numbers mean other calls. */
static long call_int80(void)
{
	long ret;

	__asm__ volatile("int $0x80" : "=a"(ret) : "a"(20L) : "memory");
	return ret;
}

/* Fails for its descriptor, which is no terminal. */
static long call_ioctl_break(void)
{
	return ioctl(0, TCSBRKP, 0) == -1 && errno != EPERM ? 0 : -1;
}

static long call_open(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static long call_open_write(void)
{
	return open("/dev/null", O_RDWR | O_CLOEXEC);
}

static long call_open_create(void)
{
	return open("/tmp/x", O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
}

static long call_stat(void)
{
	return syscall(SYS_stat, "/", page);
}

static long call_chdir(void)
{
	return fchdir(0);
}

static long call_mount(void)
{
	return syscall(SYS_mount, "none", "/", "tmpfs", 0, NULL);
}

static long call_nothing(void)
{
	/* cppcheck-suppress invalidFunctionArg ; an anonymous mapping has no file */
	void *p = memory(PROT_READ | PROT_WRITE);
	struct stat st;

	return p != MAP_FAILED && !munmap(p, PAGE) && !fstat(0, &st) ? 0 : -1;
}

static const struct {
	const char *name;
	long (*make)(void);
} calls[] = {
	{ "execve", call_execve },
	{ "fork", call_fork },
	{ "clone-process", call_clone_process },
	{ "clone-newuser", call_clone_newuser },
	{ "mmap-exec", call_mmap_exec },
	{ "mprotect-exec", call_mprotect_exec },
	{ "socket-unix", call_socket_unix },
	{ "socket-inet", call_socket_inet },
	{ "socket-netlink", call_socket_netlink },
	{ "ptrace", call_ptrace },
	{ "setuid", call_setuid },
	{ "unshare", call_unshare },
	{ "kill", call_kill },
	{ "tgkill", call_tgkill },
	{ "unlink", call_unlink },
	{ "io_uring", call_io_uring },
	{ "ioctl-tiocsti", call_ioctl_tiocsti },
	{ "ioctl-privcmd-mmap", call_ioctl_privcmd_mmap },
	{ "ioctl-dm-op", call_ioctl_dm_op },
	{ "ioctl-map-grant", call_ioctl_map_grant },
	{ "sigsys", call_sigsys },
	{ "x32", call_x32 },
	{ "int80", call_int80 },
	{ "ioctl-hypercall", call_ioctl_hypercall },
	{ "ioctl-break", call_ioctl_break },
	{ "open", call_open },
	{ "open-write", call_open_write },
	{ "open-create", call_open_create },
	{ "stat", call_stat },
	{ "fchdir", call_chdir },
	{ "mount", call_mount },
	{ "nothing", call_nothing },
};

static void make(const char *name)
{
	size_t i;
	long ret;

	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (strcmp(calls[i].name, name))
			continue;
		ret = calls[i].make();
		printf("alive %s\n", ret < 0 ? strerrorname_np(errno) : "done");
		fflush(stdout);
		return;
	}
	printf("no call %s\n", name);
}

static void *thread(void *name)
{
	sem_wait(&confined);
	make(name);
	return NULL;
}

static void start(pthread_t *t, char *name)
{
	if (pthread_create(t, NULL, thread, name)) {
		printf("no thread\n");
		exit(2);
	}
}

static unsigned int flags(const char *mode)
{
	if (!strcmp(mode, "net"))
		return CONFINE_SOCKETS;
	if (!strcmp(mode, "log"))
		return CONFINE_LOG;
	return !strcmp(mode, "keeper") ? CONFINE_KEEPER : 0;
}

int main(int argc, char **argv)
{
	pthread_t t = 0;

	if (argc != 4)
		return 2;
	page = memory(PROT_READ | PROT_WRITE);
	sem_init(&confined, 0, 0);
	if (!strcmp(argv[2], "old"))
		start(&t, argv[3]);
	confine_calls(flags(argv[1]));
	sem_post(&confined);
	if (!strcmp(argv[2], "new"))
		start(&t, argv[3]);
	if (!strcmp(argv[2], "main"))
		make(argv[3]);
	else
		pthread_join(t, NULL);
	return 0;
}
