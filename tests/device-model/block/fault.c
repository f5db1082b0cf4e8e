/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A failing disk under block/file.c (ld --wrap of what it calls in the C library): after so many calls of a
 * kind, so many fail with EIO. blockio's command "fail" arms it.
 */
#include "device-model/block/fault.h"

#include <errno.h>
#include <pthread.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <linux/magic.h>

ssize_t __real_pwrite64(int fd, const void *buf, size_t len, off_t offset);
ssize_t __wrap_pwrite64(int fd, const void *buf, size_t len, off_t offset);
ssize_t __real_pread64(int fd, void *buf, size_t len, off_t offset);
ssize_t __wrap_pread64(int fd, void *buf, size_t len, off_t offset);
ssize_t __real_preadv64v2(int fd, const struct iovec *v, int n, off_t offset, int flags);
ssize_t __wrap_preadv64v2(int fd, const struct iovec *v, int n, off_t offset, int flags);
int __real_fstatfs64(int fd, struct statfs *fs);
int __wrap_fstatfs64(int fd, struct statfs *fs);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char armed;
static unsigned long skip, times;

void fault_arm(char kind, unsigned long after, unsigned long count)
{
	pthread_mutex_lock(&lock);
	armed = kind;
	skip = after;
	times = count;
	pthread_mutex_unlock(&lock);
}

static bool fails(char kind)
{
	bool now = false;

	pthread_mutex_lock(&lock);
	if (kind == armed && skip)
		skip--;
	else if (kind == armed && times)
		now = times--;
	pthread_mutex_unlock(&lock);
	if (now)
		errno = EIO;
	return now;
}

ssize_t __wrap_pwrite64(int fd, const void *buf, size_t len, off_t offset)
{
	return fails('w') ? -1 : __real_pwrite64(fd, buf, len, offset);
}

ssize_t __wrap_pread64(int fd, void *buf, size_t len, off_t offset)
{
	return fails('r') ? -1 : __real_pread64(fd, buf, len, offset);
}

/* What is in the page cache does not come from the disk: as if it were not there. */
ssize_t __wrap_preadv64v2(int fd, const struct iovec *v, int n, off_t offset, int flags)
{
	if (armed != 'r')
		return __real_preadv64v2(fd, v, n, offset, flags);
	errno = EAGAIN;
	return -1;
}

/* Tests keep their images on tmpfs, which has short ways of its own: a disk is what fails here. */
int __wrap_fstatfs64(int fd, struct statfs *fs)
{
	int rc = __real_fstatfs64(fd, fs);

	if (fs->f_type == TMPFS_MAGIC)
		fs->f_type = EXT4_SUPER_MAGIC;
	return rc;
}

int __wrap_fdatasync(int fd)
{
	return fails('s') ? -1 : __real_fdatasync(fd);
}
