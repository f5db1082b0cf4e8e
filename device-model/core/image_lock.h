/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's locks on disk images, by which guests, qemu-img, qemu-nbd and QEMU keep off each other. What somebody
 * does with an image is a shared lock on byte 100 + n, what he cannot bear from others one on byte 200 + n, where n is
 * the number of the permission. Locks never stand against each other; everybody first takes his own and then asks
 * whether another has the opposite one. They belong to the open file, whoever holds descriptors of it, and end with the
 * last of them.
 */
#ifndef DM_CORE_IMAGE_LOCK_H
#define DM_CORE_IMAGE_LOCK_H

#include <stdbool.h>

/*
 * For writing if the descriptor can; `grows`: that may make it longer, which keeps off whoever needs its size.
 * 0 (also on a file system without locks), -EBUSY: somebody writes to it, -ETXTBSY: somebody needs it unchanged.
 */
int image_lock(int fd, bool grows);
/* Give the lock up. 0. */
int image_unlock(int fd);
/* For a message: why image_lock() failed so. */
const char *image_lock_reason(int rc);
/* Whether somebody has it open for writing, or that cannot be told. */
bool image_is_written(int fd);

#endif
