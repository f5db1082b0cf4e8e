/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The privileged part beside the confined processes of one guest: their parent, which has the host's files,
 * xenstore and grants, writes their log, and ends them. It takes part in nothing that the guest does.
 * The confined side asks it by messages of one size, and gets only
 *  - files that a monitor command named, once for each command, and images that xenstore names as a disk
 *    of this domain, with the backing files that they had when they were first seen;
 *  - its own domain's part of xenstore, to write only what a back end has to say there;
 *  - grants of its own domain: single mappings as descriptors, and copies through a shared window.
 * Monitors (QMP) go through it for that reason: it reads each command before the confined side does.
 *
 * This is the confined side. All calls are the main loop's thread's; they answer 0 or -errno unless they
 * say otherwise, and -EPIPE once the privileged part is gone.
 */
#ifndef DM_CORE_KEEPER_H
#define DM_CORE_KEEPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct block_file_keeper;
struct options;

/* Which process asks, which is to say what it may ask for. */
enum keeper_role { KEEPER_DEVICE_MODEL, KEEPER_BACK_ENDS, KEEPER_NR_ROLES };

enum keeper_mode { KEEPER_READ, KEEPER_READ_WRITE, KEEPER_CREATE };

/* One piece of a granted page, and where its data is in the shared window. */
struct keeper_piece {
	uint32_t ref;
	uint16_t offset, len;
};
#define KEEPER_PIECES	  64u	/* in one copy */
#define KEEPER_PIECE_SIZE 4096u /* of the window, for each of them */
#define KEEPER_MAX_REFS	  16u	/* in one mapping */

/*
 * The calling process becomes the privileged part, for it is the one that the toolstack knows and ends; the
 * others are its children, which end with it. Both before anything is open and any thread runs; a failure ends the
 * process. keeper_prepare() makes the links; then the process of back ends is forked (its number, or 0);
 * keeper_start() returns in a child, which is KEEPER_DEVICE_MODEL.
 */
void keeper_prepare(const struct options *o);
void keeper_start(const struct options *o, pid_t back_ends);
/* In both: the privileged part's end is this process's. Again after a change of user, which ends that. */
void keeper_die_with_it(void);
/* There is one (there is none with -sandbox off, nor in tests of parts), and set-up is over. */
bool keeper_active(void);
bool keeper_sealed(void);
/*
 * After a fork: this process is KEEPER_BACK_ENDS, and keeps the descriptors of its links, which are from
 * `first` on now; the first that is free then. In the other process: they are not ours.
 */
int keeper_become_back_ends(int first);
void keeper_drop_back_ends(void);
/*
 * In the main loop, from any of these on: what the privileged part sends is noticed. Clients of monitors come; a watched
 * node of xenstore changed; it has ended. One listener of each.
 */
int keeper_on_monitor(void (*client)(void *opaque, int fd), void *opaque);
int keeper_on_store(void (*changed)(void *opaque), void *opaque);
int keeper_on_end(void (*ended)(void *opaque), void *opaque);

/* Before keeper_seal() only: clients of this listening socket are monitors. Takes fd over. */
int keeper_add_monitor(int fd);
/* Set-up is over: from now on nothing that this process says is believed. */
int keeper_seal(void);
/* Tell libxl, by xenstore, that the device model runs. */
int keeper_say_running(void);
/* A descriptor of what has this name, or -errno. */
int keeper_open(const char *path, enum keeper_mode mode);
/* For block_file_set_keeper(): the same with flags of open(2), and image_lock() and its end by the privileged part. */
int keeper_open_image(const char *path, int flags);
int keeper_lock_image(int fd, bool grows);
int keeper_unlock_image(int fd);
/* Before the guest runs here, or again: no lock is given up from now on, until it goes. */
void keeper_images_taken(void);
extern const struct block_file_keeper keeper_of_images;

/* xenstore; the caller frees. NULL: not there, or not to be had. */
char *keeper_store_read(const char *path);
/* As xs_directory() has it, in one allocation. */
char **keeper_store_list(const char *path, unsigned int *n);
int keeper_store_write(const char *path, const char *value);
int keeper_store_watch(const char *path, bool on);

/* A mapping of n pages, which munmap() gives back; NULL with errno. */
void *keeper_map_grants(const uint32_t *refs, unsigned int n);
/* The shared window, KEEPER_PIECES * KEEPER_PIECE_SIZE bytes, or NULL. */
uint8_t *keeper_window(void);
/* Copy between the pieces and the window, each at its index times KEEPER_PIECE_SIZE. */
int keeper_copy(const struct keeper_piece *pieces, unsigned int n, bool to_guest);

#endif
