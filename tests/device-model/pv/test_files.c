// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files of a guest's processes in the course of time: a file system that does not answer, and an image that its
 * user changes while no process of the guest's has it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/loop.h"
#include "core/timer.h"
#include "core/util.h"
#include "device-model/pv/fake_xen.h"
#include "device-model/pv/taken_over.h"

#define BETWEEN_MS 1000
#define TRIES	   20

/* In the process of back ends: true is an answer, well before the file has one. */
static bool copies(void)
{
	struct keeper_piece p = { FAKE_REF + 3, 0, 64 };
	uint64_t begin = clock_host_ns();
	int i;

	for (i = 0; i < 3; i++) {
		if (!keeper_window() || keeper_copy(&p, 1, false))
			return false;
		poll(NULL, 0, BETWEEN_MS);
	}
	return clock_host_ns() - begin < 4 * BETWEEN_MS * NS_PER_MS;
}

/* In the device model: the file is asked for meanwhile. */
static bool is_told(void)
{
	uint64_t begin = clock_host_ns();
	int rc = keeper_open(named, KEEPER_READ);

	return rc == -ETIMEDOUT && clock_host_ns() - begin < SLOW_MS / 2 * NS_PER_MS &&
	       keeper_open(state, KEEPER_CREATE) >= 0;
}

bool copies_while_a_file_waits(void)
{
	pid_t pid, back_ends;
	int told[2], status = -1;
	char c = 0;

	if (pipe(told))
		die("pipe");
	slow_path = named;
	pid = fork();
	if (!pid) {
		keeper_prepare(&options);
		back_ends = fork();
		if (!back_ends) {
			keeper_become_back_ends(200);
			poll(NULL, 0, BETWEEN_MS);
			c = copies() ? 'y' : 'n';
			_exit(write(told[1], &c, 1) == 1 ? 0 : 1);
		}
		keeper_start(&options, back_ends);
		keeper_drop_back_ends();
		loop_init();
		name_files();
		_exit(is_told() ? 1 : 0);
	}
	slow_path = NULL;
	close(told[1]);
	if (read(told[0], &c, 1) != 1)
		c = 0;
	close(told[0]);
	waitpid(pid, &status, 0);
	return c == 'y' && WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

/* ---- a rebase while the disk is detached ---- */

static bool locked(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 101, .l_len = 1 };
	int fd = open(overlay, O_RDWR | O_CLOEXEC);
	bool is = !fcntl(fd, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK;

	close(fd);
	return is;
}

/* The administrator: as soon as the image is not used any more. */
static void rebase(void)
{
	while (!locked())
		poll(NULL, 0, 10);
	while (locked())
		poll(NULL, 0, 10);
	poll(NULL, 0, BETWEEN_MS);
	make_overlay(named);
	_exit(0);
}

static bool is_rebased(void)
{
	char name[64] = "";
	int fd = keeper_open(overlay, KEEPER_READ);

	if (fd < 0 || pread(fd, name, sizeof(name) - 1, 512) < 0)
		return false;
	close(fd);
	return !strcmp(name, named);
}

static bool detach_and_attach(void)
{
	int fd = keeper_open(overlay, KEEPER_READ_WRITE), i;

	poll(NULL, 0, BETWEEN_MS / 2);
	if (fd < 0 || close(fd) || keeper_store_write(OVERLAY "/state", "6"))
		return false;
	for (i = 0; i < TRIES && !is_rebased(); i++)
		poll(NULL, 0, BETWEEN_MS / 2);
	return keeper_open(overlay, KEEPER_READ_WRITE) >= 0 && keeper_open(named, KEEPER_READ) >= 0;
}

bool believes_its_user(void)
{
	pid_t user;
	bool well;

	taken_over_reset();
	user = fork();
	if (!user)
		rebase();
	well = outcome(KEEPER_BACK_ENDS, detach_and_attach) == 1;
	kill(user, SIGKILL);
	waitpid(user, NULL, 0);
	taken_over_reset();
	return well;
}

/* ---- a snapshot of an image whose header a process of the guest's has written ---- */

static bool names_secret(void)
{
	char name[64] = "";
	int fd = open(overlay, O_RDONLY | O_CLOEXEC);
	bool does = pread(fd, name, sizeof(name) - 1, 512) > 0 && !strcmp(name, secret);

	close(fd);
	return does;
}

/* The administrator: the image becomes the backing file, declared as qcow2, of a new one in its place. */
static void snapshot(void)
{
	static const uint8_t declared[] = { 0xe2, 0x79, 0x2a, 0xca, 0,	 0,   0,
					    5,	  'q',	'c',  'o',  'w', '2', 0 };
	int fd;

	while (!names_secret() || locked())
		poll(NULL, 0, 10);
	if (rename(overlay, named))
		_exit(1);
	make_overlay(named);
	fd = open(overlay, O_WRONLY | O_CLOEXEC);
	_exit(pwrite(fd, declared, sizeof(declared), 72) == sizeof(declared) ? 0 : 1);
}

static bool follows_its_own_header(void)
{
	int fd = keeper_open(overlay, KEEPER_READ_WRITE), i;

	if (fd < 0 || !name_secret(fd) || close(fd) || keeper_store_write(OVERLAY "/state", "6"))
		return false;
	for (i = 0; i < TRIES && !is_rebased(); i++)
		poll(NULL, 0, BETWEEN_MS / 2);
	close(keeper_open(overlay, KEEPER_READ_WRITE));
	return keeper_open(named, KEEPER_READ) >= 0 && keeper_open(secret, KEEPER_READ) < 0;
}

bool believes_no_header_below(void)
{
	pid_t user;
	bool well;

	taken_over_reset();
	user = fork();
	if (!user)
		snapshot();
	well = outcome(KEEPER_BACK_ENDS, follows_its_own_header) == 1;
	kill(user, SIGKILL);
	waitpid(user, NULL, 0);
	file(named, "named", 5, 0600);
	taken_over_reset();
	return well;
}

/* ---- what stands in the log ---- */

static bool asks_twice(void)
{
	return keeper_open(named, KEEPER_READ) == -EACCES &&
	       keeper_open(secret, KEEPER_READ) == -EACCES;
}

/* A file system's refusal is none of the privileged part's. */
bool says_only_what_it_refuses(void)
{
	char text[4096];
	bool well;

	denied_path = named;
	well = outcome_logged(KEEPER_DEVICE_MODEL, asks_twice, text, sizeof(text)) == 1;
	denied_path = NULL;
	return well && strstr(text, "refuses to open") && strstr(text, secret) &&
	       !strstr(text, named);
}
