/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Host files under the image formats. See file.h. */
#include "block/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "core/image_lock.h"
#include "core/log.h"
#include "core/util.h"

static int open_here(const char *name, int flags)
{
	return open(name, flags);
}

const struct block_file_keeper block_file_no_keeper = { open_here, image_lock, image_unlock, NULL };

static int file_probe(struct block_file *f)
{
	struct statfs fs;
	struct stat st;

	if (fstat(f->fd, &st))
		return -errno;
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	f->regular = S_ISREG(st.st_mode);
	f->in_memory =
		!fstatfs(f->fd, &fs) && (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC);
	f->size = (uint64_t)st.st_size;
	if (S_ISBLK(st.st_mode))
		return ioctl(f->fd, BLKGETSIZE64, &f->size) ? -errno : 0;
	return f->regular ? 0 : -EINVAL;
}

struct block_file *block_file_open(const struct block_file_keeper *k, const char *name, int fd,
				   bool read_only)
{
	struct block_file *f;
	int rc;

	/* Without O_NONBLOCK a pipe in the place of an image would stop us here. */
	if (fd < 0)
		fd = k->open(name, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		rc = errno;
		log_error("cannot open the image %s%s: %s", name, read_only ? "" : " for writing",
			  image_lock_reason(-rc));
		errno = rc;
		return NULL;
	}
	f = xzalloc(sizeof(*f));
	*f = (struct block_file){
		.keeper = k, .fd = fd, .name = xstrdup(name), .read_only = read_only
	};
	rc = file_probe(f);
	if (!rc)
		return f;
	log_error("%s is no disk image: %s (a file or a block device is needed)", name,
		  strerror(-rc));
	block_file_close(f);
	errno = -rc;
	return NULL;
}

int block_file_lock(struct block_file *f, bool grows)
{
	int rc = f->keeper->lock(f->fd, grows);

	if (rc)
		log_error("%s: %s", f->name, image_lock_reason(rc));
	return rc;
}

int block_file_unlock(struct block_file *f)
{
	int rc = f->keeper->unlock(f->fd);

	if (rc)
		log_error("%s stays locked: %s", f->name, strerror(-rc));
	return rc;
}

int block_file_refresh(struct block_file *f)
{
	return file_probe(f);
}

void block_file_close(struct block_file *f)
{
	if (!f)
		return;
	close(f->fd);
	free(f->name);
	free(f);
}

int block_file_read(struct block_file *f, uint64_t offset, void *buf, size_t len)
{
	uint8_t *p = buf;

	while (len) {
		ssize_t n = pread(f->fd, p, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n) {
			memset(p, 0, len);
			return 0;
		}
		p += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

int block_file_read_cached(struct block_file *f, uint64_t offset, void *buf, size_t len)
{
	struct iovec v = { buf, len };

	return preadv2(f->fd, &v, 1, (off_t)offset, f->in_memory ? 0 : RWF_NOWAIT) == (ssize_t)len
		       ? 0
		       : -EAGAIN;
}

int block_file_write(struct block_file *f, uint64_t offset, const void *buf, size_t len)
{
	const uint8_t *p = buf;
	uint64_t size;

	while (len) {
		ssize_t n = pwrite(f->fd, p, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -ENOSPC;
		p += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
		/* Raw images are written by several threads at a time. */
		size = __atomic_load_n(&f->size, __ATOMIC_RELAXED);
		while (offset > size &&
		       !__atomic_compare_exchange_n(&f->size, &size, offset, true, __ATOMIC_RELAXED,
						    __ATOMIC_RELAXED))
			;
	}
	return 0;
}

int block_file_sync(struct block_file *f)
{
	if (f->read_only)
		return 0;
	if (!f->sync_error && fdatasync(f->fd))
		f->sync_error = -errno;
	return f->sync_error;
}

int block_file_punch(struct block_file *f, uint64_t offset, uint64_t len)
{
	if (fallocate(f->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)len))
		return errno == ENOSYS || errno == ENODEV ? -EOPNOTSUPP : -errno;
	return 0;
}
