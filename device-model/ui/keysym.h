/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of X keysyms, for keymap files, and their characters. */
#ifndef DM_UI_KEYSYM_H
#define DM_UI_KEYSYM_H

#include <stddef.h>
#include <stdint.h>

struct keysym_name {
	char name[28];
	uint32_t keysym;
};

extern const struct keysym_name keysym_names[]; /* sorted */
extern const size_t keysym_nr_names;

struct keysym_character {
	uint16_t keysym, character;
};

extern const struct keysym_character keysym_characters[];
extern const size_t keysym_nr_characters;

#endif
