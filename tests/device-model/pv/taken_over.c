/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See taken_over.h. */
#include "device-model/pv/taken_over.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/confine.h"
#include "core/loop.h"
#include "core/util.h"
#include "device-model/pv/fake_xen.h"

int xentoolcore_restrict_all(uint32_t domid);
int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_keeper_xen_map(unsigned int domid, const uint32_t *refs, unsigned int n,
			  uint64_t *offset);

struct options options;
char folder[] = "/tmp/test-keeper-XXXXXX";
char disk[64], base[64], overlay[64], named[64], state[64], secret[64], monitor[64];
char granted[64];
static uint32_t restricted_to = ~0u;
const char *slow_path, *denied_path;
int link_before = -1; /* of this process, as an attacker finds it */

int xentoolcore_restrict_all(uint32_t domid)
{
	restricted_to = domid;
	return 0;
}
int __wrap_open64(const char *path, int flags, ...)
{
	if (slow_path && !strcmp(path, slow_path))
		poll(NULL, 0, SLOW_MS);
	if (denied_path && !strcmp(path, denied_path)) {
		errno = EACCES;
		return -1;
	}
	return __real_open64(path, flags, 0600);
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

void die(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	fflush(stdout);
	_exit(3);
}

static int inner = -1;

static void on_monitor(void *opaque, int fd)
{
	inner = fd;
}

void command(const char *text)
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

void name_files(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char text[512];

	strcpy(sa.sun_path, monitor);
	unlink(monitor);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) || listen(fd, 4) ||
	    keeper_on_monitor(on_monitor, NULL) || keeper_add_monitor(fd))
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
void become(enum keeper_role role)
{
	keeper_prepare(&options);
	keeper_start(&options, 0);
	if (role == KEEPER_BACK_ENDS)
		link_before = keeper_become_back_ends(200) - 2;
	else
		keeper_drop_back_ends();
	confine_begin(&options);
	loop_init();
	if (role == KEEPER_DEVICE_MODEL)
		name_files();
	else
		keeper_on_end(NULL, NULL);
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

void be_quiet(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (!getenv("KEEPER_LOG"))
		dup2(null, STDERR_FILENO);
}

void run_as(enum keeper_role role, bool (*run)(void))
{
	be_quiet();
	become(role);
	_exit(run() ? 1 : 0);
}

/* The status of exit, or 128 and the signal. */
int outcome(enum keeper_role role, bool (*run)(void))
{
	pid_t pid;
	int status;

	fflush(stdout);
	pid = fork();

	if (!pid)
		run_as(role, run);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int outcome_logged(enum keeper_role role, bool (*run)(void), char *text, size_t size)
{
	int log = open(granted, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), got;
	int before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 64);
	ssize_t n;

	if (log < 0 || before < 0 || dup2(log, STDERR_FILENO) < 0)
		die("log");
	setenv("KEEPER_LOG", "1", 1);
	got = outcome(role, run);
	n = pread(log, text, size - 1, 0);
	if (dup2(before, STDERR_FILENO) < 0 || n < 0)
		die("log");
	text[n] = 0;
	close(before);
	close(log);
	return got;
}

void file(const char *path, const void *data, size_t len, mode_t mode)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	if (fd < 0 || write(fd, data, len) != (ssize_t)len)
		die(path);
	close(fd);
}

/* A header is all that the privileged part reads (qcow2.txt). */
void make_image(const char *path, const char *backing)
{
	uint8_t h[4096] = { 'Q',      'F', 'I', 0xfb,	  0,
			    0,	      0,   2,	[14] = 2, [19] = (uint8_t)strlen(backing),
			    [23] = 12 };

	strcpy((char *)h + 512, backing);
	file(path, h, sizeof(h), 0600);
}

void make_overlay(const char *backing)
{
	make_image(overlay, backing);
}

bool name_secret(int fd)
{
	uint8_t h[4096];

	if (pread(fd, h, sizeof(h), 0) < 1000)
		return false;
	memset(h + 512, 0, 64);
	strcpy((char *)h + 512, secret);
	h[19] = (uint8_t)strlen(secret);
	return pwrite(fd, h, 1000, 0) == 1000;
}

void taken_over_set_up(void)
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
	fake_write(OVERLAY "/frontend", "/local/domain/7/device/vbd/51728");
	fake_write(OTHER "/params", "aio:%s", secret);
	fake_write(OTHER "/mode", "w");
	fake_write("/local/domain/8/name", "other");
	fake_write("/local/domain/70/device/vbd/0", "other");
	fake_write("/local/domain/0/device-model/7/state", "x");
	fake_write("/local/domain/7/device/vbd/51712/x", "y");
	memset(fake_page(3), 3, FAKE_PAGE);
}

void taken_over_reset(void)
{
	make_overlay(base);
	memset(fake_page(4), 4, FAKE_PAGE);
}

void taken_over_clean_up(void)
{
	const char *const clean[] = { disk, base, overlay, named, state, secret, monitor, granted };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(clean); i++)
		unlink(clean[i]);
	rmdir(folder);
}
