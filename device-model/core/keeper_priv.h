/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside the privileged part (keeper_*.c), and the messages of both sides. See keeper.h. */
#ifndef DM_CORE_KEEPER_PRIV_H
#define DM_CORE_KEEPER_PRIV_H

#include "core/keeper.h"

#define KEEPER_PATH_MAX 1024u
#define KEEPER_DATA_MAX 1024u

enum keeper_op {
	KEEPER_OP_MONITOR = 1, /* with a descriptor */
	KEEPER_OP_SEAL,
	KEEPER_OP_RUNNING,
	KEEPER_OP_OPEN, /* arg: mode; path. The answer has a descriptor */
	KEEPER_OP_STORE_READ,
	KEEPER_OP_STORE_LIST,
	KEEPER_OP_STORE_WRITE,
	KEEPER_OP_STORE_WATCH,
	KEEPER_OP_STORE_UNWATCH,
	KEEPER_OP_MAP, /* arg: pages; refs. The answer has a descriptor and, in offset, where to map it */
	KEEPER_OP_WINDOW, /* the answer has a descriptor */
	KEEPER_OP_COPY,	  /* arg: pieces */
	KEEPER_OP_LOCK,	  /* with a descriptor; arg: whether the file grows */
	KEEPER_OP_UNLOCK, /* with a descriptor */
	KEEPER_OP_TAKEN,  /* the guest has all its images */
	KEEPER_NR_OPS
};

/* Requests and answers alike; what an operation does not use is zero. */
struct keeper_message {
	uint32_t op;
	int32_t result; /* of an answer: 0, a length, or -errno */
	uint32_t arg;
	uint32_t to_guest;
	uint64_t offset;
	union {
		struct {
			char path[KEEPER_PATH_MAX]; /* both end with a zero byte */
			char data[KEEPER_DATA_MAX];
		};
		struct keeper_piece pieces[KEEPER_PIECES];
		uint32_t refs[KEEPER_MAX_REFS];
	};
};

/* What comes unasked: one byte, with a descriptor for a new client of a monitor. */
enum keeper_news { KEEPER_NEWS_MONITOR = 1, KEEPER_NEWS_STORE };

struct keeper_link {
	unsigned int roles; /* bits: a process with back ends only is both */
	int call_fd, news_fd;
	bool sealed;
	bool waits; /* for a file, and is not listened to */
};

/* ---- messages with at most one descriptor (keeper.c) ---- */

/* 0 or -errno; fd -1: none goes along. */
int keeper_send(int sock, const void *message, size_t size, int fd);
/* A whole message of this size: 0, -ENODATA at the end of the other side, or -errno. *fd is -1 or new. */
int keeper_receive(int sock, void *message, size_t size, int *fd);

/* ---- the process (keeper_serve.c) ---- */

/* Serves the links until all are closed. */
void keeper_serve(const struct options *o, struct keeper_link *links, unsigned int n)
	__attribute__((noreturn));
/* Whom it serves, and where its window's memory is: for tests, which have no process of it. */
void keeper_serve_init(const struct options *o);
/* One request, answered in place, at once. in: its descriptor or -1, taken over. The answer's descriptor, or -1. */
int keeper_answer(struct keeper_link *l, struct keeper_message *m, int in);
bool keeper_is_back_ends(const struct keeper_link *l);

/* ---- the confined processes (keeper_processes.c) ---- */

/* Children of this process, before its filter; 0: there are no back ends. Signals to it are for them, too. */
void keeper_processes_watch(pid_t device_model, pid_t back_ends);
/* In a thread, behind loop_init() and before the filter. When they have ended, the loop does. */
void keeper_processes_begin(const struct options *o);
/* After that: of the device model's end, what this process ends with. */
int keeper_processes_status(void);

/* ---- the log (keeper_log.c) ---- */

/* What comes from this pipe is the confined processes' log. */
void keeper_log_serve(int fd);
void keeper_log_begin(void);
/* Write what is left. */
void keeper_log_end(void);
/*
 * One piece of text at this time, made harmless and as much of it as may be written. `out` has room for n bytes
 * and a note of what was lost. Returns how many came there.
 */
#define KEEPER_LOG_NOTE 80u
size_t keeper_log_filter(const char *in, size_t n, char *out, uint64_t now_ns);

/* ---- names (keeper_names.c): pure logic ---- */

/* A monitor command, complete: note what it names. */
void keeper_note_command(const struct options *o, const char *text, size_t len);
/* Whether a command named it so; it does so no more afterwards. *is_qcow2: its format, by that command. */
bool keeper_take_named(const char *path, enum keeper_mode mode, bool *is_qcow2);
/*
 * Whether the guest is on its way: it goes to another process, or came from one and has not got its images. Then they
 * may change hands. The first by a command; an end of it is what the device model says before the guest runs.
 */
bool keeper_may_unlock(const struct options *o);
void keeper_names_taken(void);
/* A file that one of those is built upon: named for reading, once. */
void keeper_name_backing(const char *path);
/* Whether back ends of the domain may read, or write, this node of xenstore. */
bool keeper_may_read(unsigned int domid, const char *path);
bool keeper_may_write(unsigned int domid, const char *path);

/* ---- images (keeper_images.c): what may be opened, as work with files (keeper_files.h) ---- */

struct keeper_file;
/* Who named a file: a monitor command, xenstore as a disk of the domain, an image as its backing file. */
enum keeper_named { KEEPER_BY_COMMAND, KEEPER_BY_STORE, KEEPER_BY_CHAIN };

/* Before the first request: emulated disks, whose images the device model opens itself. */
void keeper_images_begin(const struct options *o);
/* Open what a back end asks for, or NULL: nobody named it so. */
struct keeper_file *keeper_image_asked(unsigned int domid, const char *path, enum keeper_mode mode,
				       enum keeper_named *by);
/* Open, by a command. */
struct keeper_file *keeper_image_work(const char *path, enum keeper_mode mode, bool is_qcow2);
/* It is open, locked, or not any more: what that says of its backing files, and of what is believed later. */
void keeper_image_opened(struct keeper_file *f, enum keeper_named by);
void keeper_image_locked(struct keeper_file *f);
/* NULL: it is not known which. What happens to it is not seen by its lock from now on. */
void keeper_image_unlocked(const struct keeper_file *f);
/* The back end says that it has closed this disk ("backend/qdisk/N/M"): what has to be looked at, or NULL; and after that. */
struct keeper_file *keeper_disk_closing(const char *disk);
void keeper_disk_closed(struct keeper_file *f);
/* When no confined process is left: the log says which headers came to name other files. */
void keeper_images_end(void);

/* ---- monitors (keeper_monitor.c) ---- */

/* Clients that it accepts are passed to the link. Takes listener over. */
int keeper_monitor_add(const struct options *o, struct keeper_link *l, int listener);
/* The link is gone. */
void keeper_monitor_end(struct keeper_link *l);

/* ---- grants (keeper_xen.c) ---- */

/* Connects to xenstore, too: see xen_store_open(). */
int keeper_xen_start(void (*changed)(void *opaque));
/* A descriptor of its own for the mapping, which ends with its last use. */
int keeper_xen_map(unsigned int domid, const uint32_t *refs, unsigned int n, uint64_t *offset);
int keeper_xen_copy(unsigned int domid, const struct keeper_piece *pieces, unsigned int n,
		    uint8_t *window, bool to_guest);

#endif
