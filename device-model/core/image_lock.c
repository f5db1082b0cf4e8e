/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See image_lock.h. */
#include "core/image_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

#include "core/util.h"

/* What we never do (copy on read writes unchanged data, permission 2) needs no lock. */
enum { PERM_READ = 0, PERM_WRITE = 1, PERM_RESIZE = 3 };
enum { BASE_USED = 100, BASE_NOT_SHARED = 200 };

/* When a lock is taken: always, by writers, by writers of a format whose files grow. */
enum { BY_ALL, BY_WRITERS, BY_GROWING };

static const struct {
	int base, perm, by;
} lock_bytes[] = {
	{ BASE_USED, PERM_READ, BY_ALL },	  { BASE_USED, PERM_WRITE, BY_WRITERS },
	{ BASE_USED, PERM_RESIZE, BY_GROWING },	  { BASE_NOT_SHARED, PERM_WRITE, BY_ALL },
	{ BASE_NOT_SHARED, PERM_RESIZE, BY_ALL },
};

static int lock_call(int fd, int command, short type, int byte, short *found)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };

	if (fcntl(fd, command, &lock))
		return -errno;
	if (found)
		*found = lock.l_type;
	return 0;
}

/* Somebody else does what we cannot bear, or cannot bear what we do. */
static bool lock_opposed(int fd, size_t i)
{
	int opposite = lock_bytes[i].base == BASE_USED ? BASE_NOT_SHARED : BASE_USED;
	short found = F_UNLCK;

	return !lock_call(fd, F_OFD_GETLK, F_WRLCK, opposite + lock_bytes[i].perm, &found) &&
	       found != F_UNLCK;
}

int image_unlock(int fd)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lock_bytes); i++)
		lock_call(fd, F_OFD_SETLK, F_UNLCK, lock_bytes[i].base + lock_bytes[i].perm, NULL);
	return 0;
}

static int lock_refuse(int fd, size_t i)
{
	image_unlock(fd);
	return lock_bytes[i].base == BASE_USED ? -ETXTBSY : -EBUSY;
}

int image_lock(int fd, bool grows)
{
	int mode = fcntl(fd, F_GETFL), kind;
	size_t i;
	int rc;

	if (mode < 0)
		return -errno;
	kind = (mode & O_ACCMODE) == O_RDONLY ? BY_ALL : grows ? BY_GROWING : BY_WRITERS;
	for (i = 0; i < ARRAY_SIZE(lock_bytes); i++) {
		if (lock_bytes[i].by > kind)
			continue;
		rc = lock_call(fd, F_OFD_SETLK, F_RDLCK, lock_bytes[i].base + lock_bytes[i].perm,
			       NULL);
		if (rc == -EAGAIN || rc == -EACCES)
			return lock_refuse(fd, i);
		if (rc)
			return 0; /* a file system without locks */
	}
	for (i = 0; i < ARRAY_SIZE(lock_bytes); i++)
		if (lock_bytes[i].by <= kind && lock_opposed(fd, i))
			return lock_refuse(fd, i);
	return 0;
}

const char *image_lock_reason(int rc)
{
	return rc == -ETXTBSY
		       ? "it is in use by another program (a guest's device model, qemu-img, qemu-nbd) that "
			 "needs it unchanged; stop that first, or use the image read-only"
	       : rc == -EBUSY
		       ? "it is in use by another program (a guest's device model, qemu-img, qemu-nbd) that "
			 "writes to it; stop that first"
		       : strerror(-rc);
}

bool image_is_written(int fd)
{
	short found = F_UNLCK;

	return lock_call(fd, F_OFD_GETLK, F_WRLCK, BASE_USED + PERM_WRITE, &found) ||
	       found != F_UNLCK;
}
