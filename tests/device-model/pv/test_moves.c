// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A guest's images when it comes and goes: their locks change hands while it is on its way, and not before or after;
 * and at its end each of them is looked at, however many there are.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/loop.h"
#include "core/util.h"
#include "device-model/pv/fake_xen.h"
#include "device-model/pv/taken_over.h"

#define GOES \
	"{\"execute\": \"xen-save-devices-state\", \"arguments\": {\"filename\": \"/x\", \"live\": true}}"
#define SAVED "{\"execute\": \"xen-save-devices-state\", \"arguments\": {\"filename\": \"/x\"}}"
#define CONT  "{\"execute\": \"cont\"}"

/* A device model that is not confined yet, so that this process can be its monitor's client, too. */
static bool in_device_model(bool (*run)(void))
{
	pid_t pid = fork();
	int status = -1;

	if (!pid) {
		be_quiet();
		keeper_prepare(&options);
		keeper_start(&options, 0);
		keeper_drop_back_ends();
		loop_init();
		name_files();
		_exit(run() ? 1 : 0);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

static bool goes_and_returns(void)
{
	int fd = keeper_open(named, KEEPER_READ);

	if (fd < 0 || keeper_lock_image(fd, false) || keeper_unlock_image(fd) != -EACCES)
		return false;
	command(SAVED);
	if (keeper_unlock_image(fd) != -EACCES)
		return false;
	command(GOES);
	if (keeper_unlock_image(fd))
		return false;
	/* Another image is somebody else's: this one is given up again. */
	command(CONT);
	if (keeper_lock_image(fd, false) || keeper_unlock_image(fd))
		return false;
	command(CONT);
	if (keeper_lock_image(fd, false))
		return false;
	keeper_images_taken();
	return keeper_unlock_image(fd) == -EACCES;
}

bool unlocks_on_the_way_out(void)
{
	return in_device_model(goes_and_returns);
}

static bool came(void)
{
	int fd = keeper_open(named, KEEPER_READ);

	if (fd < 0 || keeper_lock_image(fd, false) || keeper_unlock_image(fd) ||
	    keeper_lock_image(fd, false))
		return false;
	keeper_images_taken();
	if (keeper_unlock_image(fd) != -EACCES)
		return false;
	command(GOES);
	return !keeper_unlock_image(fd);
}

bool unlocks_on_the_way_in(void)
{
	bool well;

	options.incoming_fd = STDIN_FILENO; /* only whether there is one is asked */
	well = in_device_model(came);
	options.incoming_fd = -1;
	return well;
}

/* ---- more images than are looked at in one moment ---- */

#define IMAGES 20u

static const char *image_name(unsigned int i)
{
	static char path[96];

	snprintf(path, sizeof(path), "%s-%u", overlay, i);
	return path;
}

static bool rewrites_all(void)
{
	unsigned int i;

	for (i = 0; i < IMAGES; i++) {
		int fd = keeper_open(image_name(i), KEEPER_READ_WRITE);

		if (fd < 0 || !name_secret(fd) || close(fd))
			return false;
	}
	return true;
}

static bool all_are_said(const char *log)
{
	char line[128];
	unsigned int i;

	for (i = 0; i < IMAGES; i++) {
		snprintf(line, sizeof(line), "the header of %s came to name", image_name(i));
		if (!strstr(log, line))
			return false;
	}
	return true;
}

bool looks_at_all_headers(void)
{
	static char log[16384];
	char node[64];
	unsigned int i;
	bool well;

	for (i = 0; i < IMAGES; i++) {
		make_image(image_name(i), base);
		snprintf(node, sizeof(node), "backend/qdisk/7/%u/params", 60000 + i);
		fake_write(node, "qcow2:%s", image_name(i));
		snprintf(node, sizeof(node), "backend/qdisk/7/%u/mode", 60000 + i);
		fake_write(node, "w");
	}
	well = outcome_logged(KEEPER_BACK_ENDS, rewrites_all, log, sizeof(log)) == 1 &&
	       all_are_said(log);
	for (i = 0; i < IMAGES; i++) {
		unlink(image_name(i));
		snprintf(node, sizeof(node), "backend/qdisk/7/%u", 60000 + i);
		fake_remove(node);
	}
	return well;
}
