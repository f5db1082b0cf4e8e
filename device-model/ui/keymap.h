/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keymaps: which key of the guest's keyboard gives a keysym. The guest's own layout must be the
 * same. The table for en-us is built in; others are files in QEMU's keymap format.
 */
#ifndef DM_UI_KEYMAP_H
#define DM_UI_KEYMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What must be held (or lit) for the key to give this keysym. */
#define KEYMAP_SHIFT   0x01u
#define KEYMAP_ALTGR   0x02u
#define KEYMAP_NUMLOCK 0x04u

struct keymap_entry {
	uint32_t keysym;
	uint16_t code; /* as core/input.h: set 1 make code, INPUT_EXT, INPUT_KEY_PAUSE */
	uint16_t flags;
};

struct keymap {
	struct keymap_entry *entries;
	size_t nr, capacity;
};

/*
 * Load keymap `name` (NULL: en-us) from dir (may be NULL) and the usual folders. 0; -ENOENT when
 * there is none of that name, -EINVAL for a malformed one (both logged).
 */
int keymap_load(struct keymap *k, const char *name, const char *dir);
void keymap_free(struct keymap *k);

/*
 * The entry for a keysym, or for another one of the same character (Unicode's and the one from before), best for the
 * modifiers now held (KEYMAP_* flags), or NULL.
 */
const struct keymap_entry *keymap_find(const struct keymap *k, uint32_t keysym, unsigned int held);

/* keymap_builtin.c: adds the en-us table. */
void keymap_add_builtin(struct keymap *k);
void keymap_add(struct keymap *k, uint32_t keysym, unsigned int code, unsigned int flags);

/* A key number as in keymap files and RFB's extended key event, or 0 if it is none. */
unsigned int keymap_code(unsigned int number);

#endif
