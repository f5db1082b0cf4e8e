// SPDX-License-Identifier: GPL-2.0-or-later
/* What a process that was taken over gets of the privileged part: what it is refused, and what it may ask for. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/keeper_priv.h"
#include "core/loop.h"
#include "core/util.h"
#include "device-model/pv/fake_xen.h"
#include "device-model/pv/taken_over.h"

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

static bool secret_opens(void)
{
	close(keeper_open(overlay, KEEPER_READ));
	close(keeper_open(overlay, KEEPER_READ_WRITE));
	return keeper_open(secret, KEEPER_READ) >= 0;
}

/* A header that is rewritten to name another file: the chain is the one that was there at first. */
static bool try_other_backing(void)
{
	int fd = keeper_open(overlay, KEEPER_READ_WRITE);

	return !name_secret(fd) || close(fd) || secret_opens();
}

/* Closed after that, and said to be. */
static bool try_rewrite_and_close(void)
{
	int fd = keeper_open(overlay, KEEPER_READ_WRITE);

	if (!name_secret(fd) || close(fd) || keeper_store_write(OVERLAY "/state", "6"))
		return true;
	return secret_opens();
}

/* Said to be closed before that, and still open. */
static bool try_rewrite_when_closed(void)
{
	int fd = keeper_open(overlay, KEEPER_READ_WRITE);

	return keeper_store_write(OVERLAY "/state", "6") || !name_secret(fd) || secret_opens();
}

/* The lock of an image stays when nobody told the guest to leave. */
static bool try_unlock(void)
{
	int fd = keeper_open(named, KEEPER_READ);

	if (fd < 0)
		fd = keeper_open(disk, KEEPER_READ_WRITE);
	return fd < 0 || keeper_lock_image(fd, false) || !keeper_unlock_image(fd);
}

/* Something that is no image, of which there are as many as one likes. */
static bool try_lock_socket(void)
{
	int ends[2];

	return socketpair(AF_UNIX, SOCK_STREAM, 0, ends) || !keeper_lock_image(ends[0], false);
}

/* A second writer of an image, and the lock of nothing. */
static bool try_two_writers(void)
{
	int one = keeper_open(disk, KEEPER_READ_WRITE), two = keeper_open(disk, KEEPER_READ_WRITE);

	return one < 0 || two >= 0 || !keeper_lock_image(-1, false);
}

static bool try_write_read_only(void)
{
	return keeper_open(base, KEEPER_READ_WRITE) >= 0 || keeper_open(base, KEEPER_CREATE) >= 0 ||
	       keeper_open(disk, KEEPER_CREATE) >= 0;
}

const struct attempt refused_requests[] = {
	TRY(not_named, BOTH),	    TRY(named_otherwise, BOTH),
	TRY(named_again, DM),	    TRY(monitor, BOTH),
	TRY(store_read, BOTH),	    TRY(store_list, BOTH),
	TRY(store_write, BOTH),	    TRY(store_watch, BOTH),
	TRY(other_grants, BOTH),    TRY(numbers, PV),
	TRY(short_message, PV),	    TRY(shrink_window, PV),
	TRY(other_backing, PV),	    TRY(write_read_only, PV),
	TRY(rewrite_and_close, PV), TRY(rewrite_when_closed, PV),
	TRY(unlock, BOTH),	    TRY(two_writers, PV),
	TRY(lock_socket, BOTH),
};
const size_t nr_refused_requests = ARRAY_SIZE(refused_requests);

/* ---- what they may ask for: false is a fault ---- */

static bool try_dm(void)
{
	int fd = keeper_open(named, KEEPER_READ), out = keeper_open(state, KEEPER_CREATE);
	char buf[8] = "";

	/* What they are is no folder, and no more can be done with it than it was opened for. */
	return fd >= 0 && read(fd, buf, 5) == 5 && !strcmp(buf, "named") && write(fd, "x", 1) < 0 &&
	       out >= 0 && write(out, "state", 5) == 5 && read(out, buf, 1) < 0 &&
	       !keeper_say_running();
}

static bool changed;

static void on_change(void *opaque)
{
	changed = true;
}

static bool try_store(void)
{
	unsigned int n = 0;
	char **list = keeper_store_list("backend/qdisk/7", &n), *mode;

	if (!list || n != 2 || keeper_store_write(DISK "/state", "2") ||
	    keeper_store_write("device-model/7/backends/qdisk", "") ||
	    keeper_store_write(DISK "/feature-flush-cache", "1") ||
	    keeper_on_store(on_change, NULL) || keeper_store_watch("backend/qdisk/7", true))
		return false;
	while (!changed) /* a new watch reports once */
		loop_turn(true);
	if (keeper_store_watch("backend/qdisk/7", false))
		return false;
	mode = keeper_store_read(DISK "/state");
	return mode && !strcmp(mode, "2") &&
	       keeper_store_read("/local/domain/7/device/vbd/51712/x");
}

static bool try_pv(void)
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
	for (again = 0; again < 3; again++) {
		int a = keeper_open_image(disk, O_RDWR), b = keeper_open_image(overlay, O_RDWR),
		    c = keeper_open_image(base, O_RDONLY);

		if (a < 0 || b < 0 || c < 0 || keeper_lock_image(b, true) ||
		    keeper_lock_image(c, false) || close(a) || close(b) || close(c))
			return false;
	}
	return true;
}

const struct attempt granted_requests[] = {
	TRY(dm, DM),
	TRY(store, PV),
	TRY(pv, PV),
};
const size_t nr_granted_requests = ARRAY_SIZE(granted_requests);
