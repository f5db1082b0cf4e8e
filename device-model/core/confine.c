/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Confinement of the process (libxl's dm_restrict): chroot, another user, Xen handles good for one
 * domain only, no new privileges, no core dumps, no new programs. See confine.h.
 */
#include "core/confine.h"

#include <errno.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <xentoolcore.h>

#include "core/log.h"
#include "core/options.h"
#include "core/util.h"

/* What no device needs and an attacker wants. */
static const int denied_calls[] = {
	SYS_execve,
	SYS_execveat,
	SYS_fork,
	SYS_vfork,
	SYS_ptrace,
	SYS_mount,
	SYS_umount2,
	SYS_pivot_root,
	SYS_chroot,
	SYS_reboot,
	SYS_kexec_load,
	SYS_kexec_file_load,
	SYS_init_module,
	SYS_finit_module,
	SYS_delete_module,
	SYS_bpf,
	SYS_setns,
	SYS_unshare,
	SYS_setuid,
	SYS_setgid,
	SYS_setresuid,
	SYS_setresgid,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_keyctl,
	SYS_add_key,
	SYS_request_key,
	SYS_perf_event_open,
	SYS_userfaultfd,
	SYS_swapon,
	SYS_swapoff,
	SYS_acct,
	SYS_settimeofday,
	SYS_clock_settime,
	SYS_iopl,
	SYS_ioperm,
	SYS_open_by_handle_at,
};

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

static void limit_calls(void)
{
	struct sock_filter f[ARRAY_SIZE(denied_calls) * 2 + 8];
	struct sock_fprog prog = { .filter = f };
	unsigned short n = 0;
	size_t i;

	f[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					      offsetof(struct seccomp_data, arch));
	f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	f[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					      offsetof(struct seccomp_data, nr));
	for (i = 0; i < ARRAY_SIZE(denied_calls); i++) {
		f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
						      (unsigned int)denied_calls[i], 0, 1);
		f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	}
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	prog.len = n;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &prog))
		log_fatal("-sandbox: %s (a kernel with CONFIG_SECCOMP_FILTER is needed)",
			  strerror(errno));
}

static void sandbox(void)
{
	struct rlimit none = { 0, 0 };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || setrlimit(RLIMIT_CORE, &none))
		log_fatal("-sandbox: %s", strerror(errno));
	limit_calls();
}

void confine(const struct options *o)
{
	uid_t uid = 0;
	gid_t gid = 0;

	if (o->runas)
		user_find(o->runas, &uid, &gid); /* before the root changes */
	if (o->chroot && (chroot(o->chroot) || chdir("/")))
		log_fatal("-chroot %s: %s", o->chroot, strerror(errno));
	if (o->runas)
		change_user(uid, gid);
	if (o->restrict_domid && xentoolcore_restrict_all((domid_t)o->domid))
		log_fatal("-xen-domid-restrict: %s (Linux 4.11 and Xen 4.11 or later are needed)",
			  strerror(errno));
	if (o->sandbox)
		sandbox();
}
