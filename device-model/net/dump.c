/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Capture to a file in the format of libpcap 2.4 (draft-ietf-opsawg-pcap), host byte order, times in
 * microseconds. Opened before the process gives up its rights.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "core/log.h"
#include "core/util.h"
#include "net/net.h"

#define PCAP_MAGIC	   0xa1b2c3d4u
#define PCAP_LINK_ETHERNET 1

struct pcap_header {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t zone, accuracy, max_bytes, link_type;
};

struct pcap_record {
	uint32_t seconds, microseconds, captured, length;
};

struct net_dump {
	int fd;
	uint32_t max_bytes;
};

struct net_dump *net_dump_open(const char *path, uint32_t max_bytes)
{
	const struct pcap_header h = { .magic = PCAP_MAGIC,
				       .major = 2,
				       .minor = 4,
				       .max_bytes = max_bytes,
				       .link_type = PCAP_LINK_ETHERNET };
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct net_dump *d;

	if (fd < 0 || write(fd, &h, sizeof(h)) != sizeof(h)) {
		log_error("capture to %s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	d = xzalloc(sizeof(*d));
	d->fd = fd;
	d->max_bytes = max_bytes;
	return d;
}

void net_dump_frame(struct net_dump *d, const uint8_t *frame, size_t len)
{
	struct pcap_record r = { .length = (uint32_t)len,
				 .captured = (uint32_t)MIN(len, d->max_bytes) };
	struct iovec iov[2] = { { &r, sizeof(r) }, { (void *)(uintptr_t)frame, r.captured } };
	struct timespec now;

	if (d->fd < 0)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	r.seconds = (uint32_t)now.tv_sec;
	r.microseconds = (uint32_t)(now.tv_nsec / 1000);
	if (writev(d->fd, iov, 2) == (ssize_t)(sizeof(r) + r.captured))
		return;
	log_error("the capture file takes no more (%s); the capture ends", strerror(errno));
	close(d->fd);
	d->fd = -1;
}

void net_dump_close(struct net_dump *d)
{
	close(d->fd);
	free(d);
}
