/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest's process that was taken over, for tests: code of an attacker's in a process that has the device
 * model's own confinement and its privileged part, with small libraries in the place of Xen's (fake_xen.c).
 */
#ifndef TESTS_DM_PV_TAKEN_OVER_H
#define TESTS_DM_PV_TAKEN_OVER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/keeper.h"
#include "core/options.h"

#define DISK	"backend/qdisk/7/51712"
#define OVERLAY "backend/qdisk/7/51728"
#define OTHER	"backend/qdisk/8/51712"

#define BOTH	3u
#define DM	(1u << KEEPER_DEVICE_MODEL)
#define PV	(1u << KEEPER_BACK_ENDS)

/* Something to try in a process of its own; what it answers is its outcome. */
struct attempt {
	const char *name;
	unsigned int roles; /* which processes try it: DM, PV */
	bool (*run)(void);
};
#define TRY(n, who)              \
	{                        \
#n, who, try_##n \
	}

/* At the privileged part: true is power over something; and what may be asked: false is a fault. (test_requests.c) */
extern const struct attempt refused_requests[], granted_requests[];
extern const size_t nr_refused_requests, nr_granted_requests;

/* How those end that do nothing that they are asked (test_ends.c): true is as it should be. */
bool ends_with_domain(enum keeper_role role); /* back ends keep the privileged part waiting, too */
bool ends_with_keeper(enum keeper_role role);
bool ends_with_device_model(void);
/* What becomes of files (test_files.c), likewise. */
bool copies_while_a_file_waits(void);
bool believes_its_user(void);
/* An image that it wrote to is not believed as the backing file of a new one, either. */
bool believes_no_header_below(void);
bool says_only_what_it_refuses(void);
/* When its images change hands (test_moves.c), and what is said of them at the end. */
bool unlocks_on_the_way_out(void);
bool unlocks_on_the_way_in(void);
bool looks_at_all_headers(void);

extern struct options options;
extern char folder[];
extern char disk[64], base[64], overlay[64], named[64], state[64], secret[64], monitor[64],
	granted[64];
/* The link to the privileged part, as an attacker finds it in the process of back ends. */
extern int link_before;
/* This name is opened only after such a time; that one is not, by its file system's rights. */
extern const char *slow_path, *denied_path;
#define SLOW_MS 30000

/* The files and nodes above; once. */
void taken_over_set_up(void);
/* A qcow2 header that names this file, and no more. */
void make_overlay(const char *backing);
void make_image(const char *path, const char *backing);
/* The process's next steps as main.c and pv_process.c have them, until it is confined. */
void become(enum keeper_role role);
/* What the log says is not shown. */
void be_quiet(void);
/* As libxl: a monitor names two files. */
void name_files(void);
/* After that: a client of the monitor that says this. Returns when the device model has heard it. */
void command(const char *text);
/* A header of qcow2 that is made to name the secret. */
bool name_secret(int fd);
void taken_over_clean_up(void);
/* Make them as they were. */
void taken_over_reset(void);
void file(const char *path, const void *data, size_t len, mode_t mode);
/* Run it in a new process of the guest's: the status of its exit, which is 1 for true, or 128 and the signal. */
int outcome(enum keeper_role role, bool (*run)(void));
/* And what stands in the log then. */
int outcome_logged(enum keeper_role role, bool (*run)(void), char *text, size_t size);
/* The same in this process. */
void run_as(enum keeper_role role, bool (*run)(void)) __attribute__((noreturn));
/* The end of the test. */
void die(const char *what) __attribute__((noreturn));

#endif
