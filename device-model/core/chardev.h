/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Character back ends: pty, file:PATH, unix:/tcp: sockets, stdio, null, vc (shown nowhere). One
 * front end (UART, monitor, debug port) each. Output never blocks the guest.
 */
#ifndef DM_CORE_CHARDEV_H
#define DM_CORE_CHARDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chardev;
struct machine;

enum chardev_event { CHARDEV_OPENED, CHARDEV_CLOSED };

struct chardev_frontend {
	void *opaque;
	/* How many bytes receive() would take now; 0 stops reading until chardev_accept_input(). */
	size_t (*can_receive)(void *opaque);
	void (*receive)(void *opaque, const uint8_t *buf, size_t len);
	void (*event)(void *opaque, enum chardev_event event); /* optional */
};

/* spec as after -serial ("pty", "file:/x", "null", "stdio", "unix:/p,server,nowait", "tcp:h:p,..") */
struct chardev *chardev_open(struct machine *m, const char *label, const char *spec);
void chardev_set_frontend(struct chardev *c, const struct chardev_frontend *fe);
/*
 * Returns the number of bytes taken. Less than len: the peer is slow; the front end keeps the rest
 * and tries again from its own timer (a UART: THR stays full). With no peer (pty not open, socket
 * without client) everything is taken and dropped.
 */
size_t chardev_write(struct chardev *c, const void *buf, size_t len);
void chardev_accept_input(struct chardev *c);
/* A break condition; dropped by back ends which have none. */
void chardev_send_break(struct chardev *c);

/* query-chardev: label, "pty:/dev/pts/X" and the like, whether a peer is there. */
struct chardev *chardev_next(struct machine *m, struct chardev *prev);
const char *chardev_label(const struct chardev *c);
const char *chardev_filename(const struct chardev *c);
bool chardev_is_open(const struct chardev *c);

#endif
