// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer on the privileged part: the input's bytes are requests of both processes of a guest, and
 * commands of a monitor, which are what may be believed. Files are made of the input's bytes, too, so that
 * headers name anything. Whatever comes, a file is opened only by a name that a command or the store said,
 * or that stands in such a file; and the store's other nodes stay as they are. Linked with --wrap for
 * open(2) and for the mapping of grants.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/json.h"
#include "core/keeper_priv.h"
#include "core/loop.h"
#include "core/options.h"
#include "core/util.h"
#include "device-model/fuzz/bytes.h"
#include "device-model/pv/fake_xen.h"

#include "core/keeper_images.c" /* NOLINT(bugprone-suspicious-include): what it knows ends with an input */

#define MAX_STEPS 200
#define OPS	  (KEEPER_NR_OPS + 1u) /* one that there is not */
#define NAMED	  32		       /* names that the privileged part keeps */
#define MAX_SAID  512		       /* more than an input has */
#define DISK	  "backend/qdisk/7/51712"
#define OVERLAY	  "backend/qdisk/7/51728"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_keeper_xen_map(unsigned int domid, const uint32_t *refs, unsigned int n,
			  uint64_t *offset);

static const char *const paths[] = { "/d/disk",
				     "/d/over",
				     "/etc/shadow",
				     "/d/x",
				     DISK "/state",
				     DISK "/params",
				     OVERLAY "/mode",
				     "backend/qdisk/8/1/params",
				     "backend/qdisk/7",
				     "/local/domain/7/device/vbd/51712/x",
				     "/local/domain/8/x",
				     "device-model/7/state",
				     "device-model/7/backends/vkbd" };
static const char *const fixed_nodes[][2] = { { DISK "/params", "aio:/d/disk" },
					      { DISK "/mode", "w" },
					      { DISK "/frontend",
						"/local/domain/7/device/vbd/51712" },
					      { OVERLAY "/params", "qcow2:/d/over" },
					      { OVERLAY "/mode", "r" },
					      { "backend/qdisk/8/1/params", "aio:/d/other" },
					      { "/local/domain/8/x", "theirs" } };

static struct options options;
static struct bytes in;
static char *said[MAX_SAID]; /* names that somebody trusted gave */
static unsigned int nr_said;
static bool opening;

static bool was_said(const char *path)
{
	unsigned int i;

	for (i = 0; i < nr_said && i < MAX_SAID; i++)
		if (!strcmp(said[i], path))
			return true;
	return !strcmp(path, "/d/disk") || !strcmp(path, "/d/over");
}

static void say(const char *path)
{
	unsigned int at = nr_said++ % MAX_SAID;

	free(said[at]);
	said[at] = xstrdup(path);
}

/* A qcow2 header of our making names one of the paths, now and then. */
static void contents(int fd)
{
	uint8_t h[1024] = { 'Q', 'F', 'I', 0xfb, 0, 0, 0, 3, [14] = 2 };
	const char *name = paths[take(&in) % 4];
	size_t i;

	h[19] = (uint8_t)strlen(name);
	h[103] = 104;
	strcpy((char *)h + 512, name);
	for (i = take(&in) % 16; i; i--)
		h[take(&in) | (take(&in) & 1) << 8] = take(&in);
	if (write(fd, h, sizeof(h)) != sizeof(h))
		abort();
	say(name); /* a file that may be opened has it in it */
}

int __wrap_open64(const char *path, int flags, ...)
{
	int fd;

	if (!opening)
		return __real_open64(path, flags, 0600);
	/* A header's own name may be any bytes of the input; those are no names of a path table. */
	if (!was_said(path) && (!strncmp(path, "/etc", 4) || !strcmp(path, "/d/x")))
		abort();
	if ((flags & O_ACCMODE) != O_RDONLY && !strcmp(path, "/d/over"))
		abort();
	fd = memfd_create("file", MFD_CLOEXEC);
	if (fd < 0)
		abort();
	if (!(flags & O_CREAT) && strncmp(path, "/d/over", 7))
		contents(fd);
	return fd;
}

int __wrap_keeper_xen_map(unsigned int domid, const uint32_t *refs, unsigned int n,
			  uint64_t *offset)
{
	if (domid != FAKE_DOMID || !n || n > KEEPER_MAX_REFS)
		abort();
	*offset = refs[0];
	return memfd_create("grants", MFD_CLOEXEC);
}

/* Either one of a form that libxl uses, or the input's bytes. */
static void command(void)
{
	static const char *const forms[] = {
		"{\"execute\":\"blockdev-change-medium\",\"arguments\":{\"id\":\"ide-5632\",\"filename\":\"%s\",\"format\":\"qcow2\"}}",
		"{\"execute\":\"blockdev-change-medium\",\"arguments\":{\"id\":\"floppy0\",\"filename\":\"%s\"}}",
		"{\"execute\":\"xen-save-devices-state\",\"arguments\":{\"filename\":\"%s\"}}",
		"{\"execute\":\"change\",\"arguments\":{\"device\":\"ide-5632\",\"target\":\"%s\"}}",
		"{\"execute\":\"xen-save-devices-state\",\"arguments\":{\"filename\":\"%s\",\"live\":true}}"
	};
	uint8_t what = take(&in);
	const char *path = paths[take(&in) % 4];
	size_t n = MIN(in.left, what), used;
	char text[512];
	struct json *j;
	const struct json *args;

	if (what & 1) {
		memcpy(text, in.p, n);
		in.p += n;
		in.left -= n;
	} else {
		n = (size_t)snprintf(text, sizeof(text), forms[what / 2 % ARRAY_SIZE(forms)], path);
	}
	j = json_parse(text, n, &used);
	args = json_get(j, "arguments");
	say(json_str(args, "filename", ""));
	say(json_str(args, "target", ""));
	json_free(j);
	keeper_note_command(&options, text, n);
}

static void fill(struct keeper_message *m)
{
	size_t i, n = take(&in);

	m->op = take(&in) % OPS;
	m->arg = take(&in) & 0x80 ? take32(&in) : take(&in) % 70;
	m->to_guest = take(&in) & 1;
	if (n & 1) {
		strcpy(m->path, paths[n / 2 % ARRAY_SIZE(paths)]);
		strcpy(m->data, n & 0x80 ? "6" : "aio:/etc/shadow");
		return;
	}
	for (i = 0; i < n; i++)
		((uint8_t *)m->path)[i] = take(&in);
	if (n & 2)
		memset(m->path + n, 'x', sizeof(*m) - offsetof(struct keeper_message, path) - n);
}

static void request(struct keeper_link *l)
{
	static struct keeper_message m;
	int fd;

	memset(&m, 0, sizeof(m));
	fill(&m);
	opening = true;
	fd = keeper_answer(l, &m, m.arg & 2 ? memfd_create("given", MFD_CLOEXEC) : -1);
	opening = false;
	if ((fd >= 0) != (!m.result && (m.op == KEEPER_OP_OPEN || m.op == KEEPER_OP_MAP ||
					m.op == KEEPER_OP_WINDOW)))
		abort();
	if (fd >= 0)
		close(fd);
}

static void nodes_check(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fixed_nodes); i++)
		if (strcmp(fake_read(fixed_nodes[i][0]), fixed_nodes[i][1]))
			abort();
}

static unsigned int descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned int n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

/* What earlier inputs named: new names push out the old ones. */
static void forget(void)
{
	static const char text[] =
		"{\"execute\":\"change\",\"arguments\":{\"target\":\"/d/disk\"}}";
	unsigned int i;

	for (i = 0; i < 2 * NAMED; i++)
		keeper_note_command(&options, text, sizeof(text) - 1);
	while (images)
		image_forget(images);
	nr_said = 0;
}

static void nothing(void *opaque)
{
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	size_t i;

	options = (struct options){ .domid = FAKE_DOMID,
				    .incoming_fd = -1,
				    .floppies = { { .present = true } } };
	fake_init();
	loop_init();
	for (i = 0; i < ARRAY_SIZE(fixed_nodes); i++)
		fake_write(fixed_nodes[i][0], "%s", fixed_nodes[i][1]);
	keeper_serve_init(&options);
	return keeper_xen_start(nothing);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct keeper_link links[2] = { { .roles = 1u << KEEPER_DEVICE_MODEL, .sealed = true },
					{ .roles = 1u << KEEPER_BACK_ENDS, .sealed = true } };
	unsigned int before = descriptors(), step;

	in = (struct bytes){ data, size };
	forget();
	for (step = 0; step < MAX_STEPS && in.left; step++) {
		uint8_t what = take(&in);

		if (what % 8 == 0)
			command();
		else
			request(&links[what & 1]);
	}
	nodes_check();
	if (descriptors() != before)
		abort();
	return 0;
}
