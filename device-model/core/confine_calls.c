/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The system calls a running device model may use: everything else ends the process (seccomp(2), filter
 * mode). The filter holds for all threads, and it is installed when everything that needs more, as the
 * hypervisor's devices, sockets and terminals, is open. Who the process is and what it can see is
 * confine.c's part.
 *
 * A forbidden call raises SIGSYS, whose handler says which it was and then makes a call that the kernel
 * answers by killing the process. The handler cannot be replaced: that, too, is a forbidden call.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "core/confine.h"
#include "core/log.h"
#include "core/util.h"

#define MAX_INSNS 1024
#define MAX_LINES 200

/* What glibc's pthread_create() asks for: a thread, never a process. */
#define THREAD_FLAGS                                                                        \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SYSVSEM | CLONE_SIGHAND | CLONE_THREAD | \
	 CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)
/* Type and number of a request; the kernel compares its size as well. */
#define IOCTL_MASK	0xffffu
#define IOCTL_OF(t, nr) ((unsigned int)(t) << 8 | (nr))
#define ALL		0xffffffffu

/* Calls allowed whatever their arguments, those that a busy guest causes first. */
static const unsigned short plain_calls[] = {
	SYS_epoll_wait,
	SYS_read,
	SYS_write,
	SYS_futex,
	SYS_pread64,
	SYS_pwrite64,
	SYS_readv,
	SYS_writev,
	SYS_preadv,
	SYS_preadv2,
	SYS_pwritev,
	SYS_clock_gettime,
	SYS_poll,
	SYS_ppoll,
	SYS_recvfrom,
	SYS_sendto,
	SYS_recvmsg,
	SYS_sendmsg,
	SYS_fdatasync,
	SYS_epoll_pwait,
	SYS_epoll_ctl,
	/* files that are open */
	SYS_close,
	SYS_dup,
	SYS_lseek,
	SYS_fstat,
	SYS_fsync,
	SYS_fallocate,
	SYS_ftruncate,
	SYS_fstatfs,
	/* viewers, monitors, serial ports, the user-mode network */
	SYS_accept,
	SYS_accept4,
	SYS_shutdown,
	SYS_getsockname,
	SYS_getpeername,
	SYS_getsockopt,
	SYS_select,
	SYS_pselect6,
	SYS_pipe,
	SYS_pipe2,
	SYS_eventfd2,
	/* memory, threads, time and the C library */
	SYS_munmap,
	SYS_mremap,
	SYS_madvise,
	SYS_brk,
	SYS_set_robust_list,
	SYS_rseq,
	SYS_sched_yield,
	SYS_sched_getaffinity,
	SYS_rt_sigprocmask,
	SYS_rt_sigreturn,
	SYS_sigaltstack,
	SYS_mlock,
	SYS_restart_syscall,
	SYS_getpid,
	SYS_gettid,
	SYS_getuid,
	SYS_geteuid,
	SYS_getgid,
	SYS_getegid,
	SYS_getrandom,
	SYS_gettimeofday,
	SYS_time,
	SYS_clock_getres,
	SYS_nanosleep,
	SYS_clock_nanosleep,
	SYS_sysinfo,
	SYS_uname,
	SYS_getrusage,
	SYS_exit,
	SYS_exit_group,
};

/* Calls allowed when (argument & mask) equals value (or differs from it); several lines: any of them. */
struct call_rule {
	unsigned short nr;
	unsigned char arg;
	bool differs;
	unsigned int mask, value;
};

#define IOCTL(t, n)                                             \
	{                                                       \
		SYS_ioctl, 1, false, IOCTL_MASK, IOCTL_OF(t, n) \
	}

static const struct call_rule ioctl_rules[] = {
	IOCTL('P', 5), /* /dev/xen/privcmd: device-model operation */
	IOCTL('E', 4), /* /dev/xen/evtchn: notify */
	IOCTL('P', 3),
	IOCTL('P', 4),
	IOCTL('P', 7), /* foreign mappings, resources */
	IOCTL('E', 1),
	IOCTL('E', 3), /* bind, unbind */
	{ SYS_ioctl, 1, false, ALL, BLKGETSIZE64 },
	{ SYS_ioctl, 1, false, ALL, TCGETS }, /* isatty() of the C library */
	{ SYS_ioctl, 1, false, ALL, TCSBRK }, /* a serial line's break on a pty */
	{ SYS_ioctl, 1, false, ALL, TCSBRKP },
	{ SYS_ioctl, 1, false, ALL, FIONREAD },
	{ SYS_ioctl, 1, false, ALL, FIONBIO },
};

#define FCNTL(command)                            \
	{                                         \
		SYS_fcntl, 1, false, ALL, command \
	}

static const struct call_rule call_rules[] = {
	/* no signals to others by F_SETOWN and F_SETSIG, no leases */
	FCNTL(F_GETFL),
	FCNTL(F_SETFL),
	FCNTL(F_GETFD),
	FCNTL(F_SETFD),
	FCNTL(F_DUPFD),
	FCNTL(F_DUPFD_CLOEXEC),
	/* The last close() of a socket that lingers waits, and the privileged part may be the last. */
	{ SYS_setsockopt, 2, true, ALL, SO_LINGER },
	{ SYS_mmap, 2, false, PROT_EXEC, 0 },
	{ SYS_mprotect, 2, false, PROT_EXEC, 0 },
	{ SYS_clone, 0, false, ALL, THREAD_FLAGS },
	{ SYS_rt_sigaction, 0, true, ALL, SIGSYS },
	{ SYS_prctl, 0, false, ALL, PR_SET_NAME },
	{ SYS_prctl, 0, false, ALL, PR_GET_DUMPABLE }, /* libgcrypt, for VNC passwords */
	{ SYS_socketpair, 0, false, ALL, AF_UNIX },    /* between the VNC library and us */
	/* fstat() of the C library: of a descriptor, or of a name that the empty root does not have */
	{ SYS_newfstatat, 3, false, AT_EMPTY_PATH, AT_EMPTY_PATH },
};

/*
 * The user-mode network (net/slirp.c) opens a socket for each of the guest's connections, and reads the
 * files of its TFTP folder.
 */
#define READ_ONLY (O_ACCMODE | O_CREAT | O_TRUNC)
static const struct call_rule socket_rules[] = {
	{ SYS_socket, 0, false, ALL, AF_INET },
	{ SYS_socket, 0, false, ALL, AF_INET6 },
	{ SYS_open, 1, false, READ_ONLY, O_RDONLY },
	{ SYS_openat, 2, false, READ_ONLY, O_RDONLY },
};
static const unsigned short socket_calls[] = {
	SYS_connect, SYS_bind, SYS_listen, SYS_stat, SYS_lstat, SYS_newfstatat, SYS_statx,
};

/* The privileged part's use of /dev/xen/gntdev, its files, and the end of its children. */
static const struct call_rule keeper_rules[] = {
	IOCTL('G', 0),	    /* map */
	IOCTL('G', 8),	    /* copy */
	FCNTL(F_OFD_SETLK), /* images: nobody else locks or unlocks any */
	FCNTL(F_OFD_GETLK),
	/* to the confined processes, whose descriptors it has */
	{ SYS_pidfd_send_signal, 1, false, ALL, SIGTERM },
	{ SYS_pidfd_send_signal, 1, false, ALL, SIGKILL },
};
static const unsigned short keeper_calls[] = {
	SYS_open, SYS_openat, SYS_newfstatat, SYS_statx,
	SYS_stat, SYS_lstat,  SYS_access,     SYS_waitid,
};

/*
 * What looks for a name fails, in the place of the process's end: libraries do that at any time, and can
 * do without.
 */
static const unsigned short name_calls[] = {
	SYS_open,	SYS_openat,	SYS_openat2,	SYS_creat,  SYS_stat,
	SYS_lstat,	SYS_newfstatat, SYS_statx,	SYS_access, SYS_faccessat,
	SYS_faccessat2, SYS_readlink,	SYS_readlinkat, SYS_getcwd,
};

struct program {
	struct sock_filter insn[MAX_INSNS];
	unsigned short n;
};

static bool only_log;

static void emit(struct program *p, unsigned short code, unsigned int k, unsigned char jt,
		 unsigned char jf)
{
	if (p->n == MAX_INSNS)
		log_fatal("-sandbox: the filter is too long");
	p->insn[p->n++] = (struct sock_filter){ code, jt, jf, k };
}

static void emit_load(struct program *p, size_t offset)
{
	emit(p, BPF_LD | BPF_W | BPF_ABS, (unsigned int)offset, 0, 0);
}

/* The accumulator holds the call's number before and after. */
static void emit_call(struct program *p, unsigned int nr, unsigned int verdict)
{
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1);
	emit(p, BPF_RET | BPF_K, verdict, 0, 0);
}

static void emit_calls(struct program *p, const unsigned short *nrs, size_t n, unsigned int verdict)
{
	while (n--)
		emit_call(p, *nrs++, verdict);
}

static void emit_rule(struct program *p, const struct call_rule *r)
{
	/* x86 is little-endian: an argument's low half comes first. */
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, r->nr, 0, 5);
	emit_load(p, offsetof(struct seccomp_data, args) + r->arg * sizeof(uint64_t));
	emit(p, BPF_ALU | BPF_AND | BPF_K, r->mask, 0, 0);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, r->value, r->differs, !r->differs);
	emit(p, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
	emit_load(p, offsetof(struct seccomp_data, nr));
}

static void emit_rules(struct program *p, const struct call_rule *r, size_t n)
{
	while (n--)
		emit_rule(p, r++);
}

static unsigned int last_verdict(unsigned int flags)
{
	return flags & CONFINE_QUIET ? SECCOMP_RET_ERRNO | EPERM : SECCOMP_RET_TRAP;
}

static void emit_all(struct program *p, unsigned int flags)
{
	const struct call_rule own_thread = { SYS_tgkill, 0, false, ALL, (unsigned int)getpid() };

	emit_load(p, offsetof(struct seccomp_data, arch));
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
	emit(p, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
	emit_load(p, offsetof(struct seccomp_data, nr));
	emit_rules(p, ioctl_rules, ARRAY_SIZE(ioctl_rules));
	emit_calls(p, plain_calls, ARRAY_SIZE(plain_calls), SECCOMP_RET_ALLOW);
	emit_rules(p, call_rules, ARRAY_SIZE(call_rules));
	emit_rule(p, &own_thread); /* abort() */
	if (flags & CONFINE_KEEPER) {
		emit_rules(p, keeper_rules, ARRAY_SIZE(keeper_rules));
		emit_calls(p, keeper_calls, ARRAY_SIZE(keeper_calls), SECCOMP_RET_ALLOW);
	}
	if (flags & CONFINE_SOCKETS) {
		emit_rules(p, socket_rules, ARRAY_SIZE(socket_rules));
		emit_calls(p, socket_calls, ARRAY_SIZE(socket_calls), SECCOMP_RET_ALLOW);
	}
	emit_calls(p, name_calls, ARRAY_SIZE(name_calls), SECCOMP_RET_ERRNO | EACCES);
	/* Its flags are in memory, where a filter cannot look; glibc then uses clone(). */
	emit_call(p, SYS_clone3, SECCOMP_RET_ERRNO | ENOSYS);
	emit_call(p, SYS_seccomp, SECCOMP_RET_KILL_PROCESS);
	emit(p, BPF_RET | BPF_K, last_verdict(flags), 0, 0);
}

/* A signal handler: no stdio here. */
static void say(unsigned int nr)
{
	static const char text[] = "plinth-dm: error: forbidden system call ";
	static const char ended[] = ": the process ends (see -sandbox)\n";
	static const char failed[] = ": it fails\n";
	char line[sizeof(text) + sizeof(ended) + 10], digits[10];
	size_t len = sizeof(text) - 1, n = 0;

	memcpy(line, text, len);
	do
		digits[n++] = (char)('0' + nr % 10);
	while (nr /= 10);
	while (n)
		line[len++] = digits[--n];
	memcpy(line + len, only_log ? failed : ended, strlen(only_log ? failed : ended));
	len += strlen(only_log ? failed : ended);
	if (write(STDERR_FILENO, line, len) < 0)
		return;
}

static void forbidden(int sig, siginfo_t *info, void *context)
{
	static unsigned int lines;
	ucontext_t *uc = context;

	if (!only_log || lines++ < MAX_LINES)
		say((unsigned int)info->si_syscall);
	if (!only_log)
		syscall(SYS_seccomp, 0, 0, NULL);
	uc->uc_mcontext.gregs[REG_RAX] = -EPERM;
}

void confine_calls(unsigned int flags)
{
	static struct program p;
	struct sigaction sa = { .sa_sigaction = forbidden, .sa_flags = SA_SIGINFO };
	struct sock_fprog prog = { .filter = p.insn };
	long rc;

	only_log = flags & CONFINE_LOG;
	emit_all(&p, flags);
	prog.len = p.n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || sigaction(SIGSYS, &sa, NULL))
		log_fatal("-sandbox: %s", strerror(errno));
	rc = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &prog);
	if (rc)
		log_fatal("-sandbox: %s (a kernel with CONFIG_SECCOMP_FILTER is needed; -sandbox "
			  "off does without)",
			  rc < 0 ? strerror(errno) : "a thread cannot be confined");
}
