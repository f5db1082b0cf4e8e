/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Xen's libraries in small, for tests of whole back ends: a store of keys with watches, a guest of
 * FAKE_PAGES pages, grants of them (FAKE_REF + page), event channels. What a back end maps is shared with
 * the test, as with a real guest.
 */
#ifndef TESTS_DM_PV_FAKE_XEN_H
#define TESTS_DM_PV_FAKE_XEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAKE_DOMID 7u
#define FAKE_PAGES 2048u
#define FAKE_PAGE  4096u
#define FAKE_REF   100u
#define FAKE_HANG  "hang" /* who writes this value waits for ever */

void fake_init(void);
/* The guest's memory. */
uint8_t *fake_page(size_t gfn);
/* As toolstack or guest: write a key, remove a folder with all below it, read (NULL: not there). */
void fake_write(const char *path, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void fake_remove(const char *path);
const char *fake_read(const char *path);
int fake_number(const char *path);
/* The guest's event channel rings; the times a back end rang it. */
void fake_event(uint32_t remote_port);
unsigned int fake_notified(uint32_t remote_port);
/* In a process that is forked from now on: the domain goes away so long after it connects; 0: it stays. */
void fake_release_after_ms(unsigned int ms);
/* Mappings and bound ports that are left. */
unsigned int fake_mapped(void), fake_bound(void);
/* Let the main loop work until nothing is left to do. */
void fake_settle(void);

#endif
