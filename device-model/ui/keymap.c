// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Keymap tables and the parser of QEMU-style keymap files: lines "KEYSYM NUMBER [MODIFIER...]",
 * "include NAME", "map NUMBER" (ignored) and comments. KEYSYM is an X name, Uxxxx or 0x....
 */
#include "ui/keymap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/input.h"
#include "core/log.h"
#include "core/util.h"
#include "ui/keysym.h"

#define MAX_ENTRIES    4096
#define MAX_NESTING    4
#define UNICODE_KEYSYM 0x01000000u
#define KEYSYM_PRINT   0xff61u

static int load_file(struct keymap *k, const char *name, const char *dir, unsigned int depth);

void keymap_add(struct keymap *k, uint32_t keysym, unsigned int code, unsigned int flags)
{
	if (!code || k->nr >= MAX_ENTRIES)
		return;
	if (k->nr == k->capacity) {
		k->capacity = k->capacity ? k->capacity * 2 : 256;
		k->entries = xrealloc(k->entries, k->capacity * sizeof(*k->entries));
	}
	k->entries[k->nr++] = (struct keymap_entry){ keysym, (uint16_t)code, (uint16_t)flags };
}

void keymap_free(struct keymap *k)
{
	free(k->entries);
	memset(k, 0, sizeof(*k));
}

unsigned int keymap_code(unsigned int number)
{
	if (number == 0xc6)
		return INPUT_KEY_PAUSE;
	return number && number <= 0xff && (number & 0x7f) ? number : 0;
}

static int by_name(const void *key, const void *element)
{
	return strcmp(key, ((const struct keysym_name *)element)->name);
}

/* Those of Latin-1 are their code points. */
static uint32_t unicode_keysym(uint32_t character)
{
	return character < 0x100 ? character : character | UNICODE_KEYSYM;
}

static uint32_t keysym_of(const char *name)
{
	const struct keysym_name *found;
	char *end;
	unsigned long value;

	if (name[0] == 'U' && strlen(name) >= 5) {
		value = strtoul(name + 1, &end, 16);
		if (!*end && value < UNICODE_KEYSYM)
			return unicode_keysym((uint32_t)value);
	}
	if (!strncmp(name, "0x", 2)) {
		value = strtoul(name, &end, 16);
		return *end ? 0 : (uint32_t)value;
	}
	found = bsearch(name, keysym_names, keysym_nr_names, sizeof(*found), by_name);
	return found ? found->keysym : 0;
}

static unsigned int modifier_flags(char **save, bool *upper)
{
	unsigned int flags = 0;
	char *word;

	*upper = false;
	while ((word = strtok_r(NULL, " \t", save)) && *word != '#') {
		if (!strcmp(word, "shift"))
			flags |= KEYMAP_SHIFT;
		else if (!strcmp(word, "altgr"))
			flags |= KEYMAP_ALTGR;
		else if (!strcmp(word, "numlock"))
			flags |= KEYMAP_NUMLOCK;
		else if (!strcmp(word, "addupper"))
			*upper = true;
	}
	return flags;
}

/* Shift to Hyper, and those of the third level: the key itself, whatever is held. Maps have Meta as Shift and Alt. */
static bool is_modifier(uint32_t keysym)
{
	return (keysym >= 0xffe1 && keysym <= 0xffee) || keysym == 0xfe03 || keysym == 0xff7e;
}

static int parse_line(struct keymap *k, char *line, const char *dir, unsigned int depth)
{
	char *save, *name, *number, *end;
	unsigned int flags, code;
	uint32_t keysym;
	bool upper;

	line[strcspn(line, "\r\n")] = 0;
	name = strtok_r(line, " \t", &save);
	if (!name || *name == '#')
		return 0;
	number = strtok_r(NULL, " \t", &save);
	if (!number)
		return -EINVAL;
	if (!strcmp(name, "include"))
		return load_file(k, number, dir, depth + 1);
	if (!strcmp(name, "map") || !strcmp(name, "enable_compose"))
		return 0;
	code = (unsigned int)strtoul(number, &end, 0);
	if (*end)
		return -EINVAL;
	flags = modifier_flags(&save, &upper);
	keysym = keysym_of(name);
	if (!keysym) /* names newer than our table: the rest of the map is still good */
		return 0;
	/* 54h is Alt+Print's code; the key without Alt is E0 37. */
	code = keysym == KEYSYM_PRINT ? 0x37 | INPUT_EXT : keymap_code(code);
	if (is_modifier(keysym))
		flags = 0;
	keymap_add(k, keysym, code, flags);
	if (upper && keysym >= 'a' && keysym <= 'z')
		keymap_add(k, keysym - 32, code, flags | KEYMAP_SHIFT);
	return 0;
}

static FILE *open_file(const char *name, const char *dir)
{
	const char *dirs[] = { dir, "/usr/share/plinth/keymaps", "/usr/share/qemu/keymaps",
			       "/usr/share/qemu-xen/qemu/keymaps" };
	unsigned int i;

	if (strchr(name, '/'))
		return fopen(name, "re");
	for (i = 0; i < ARRAY_SIZE(dirs); i++) {
		char *path;
		FILE *f;

		if (!dirs[i])
			continue;
		path = xasprintf("%s/%s", dirs[i], name);
		f = fopen(path, "re");
		free(path);
		if (f)
			return f;
	}
	return NULL;
}

static int load_file(struct keymap *k, const char *name, const char *dir, unsigned int depth)
{
	char line[512];
	unsigned int nr = 0;
	FILE *f;
	int rc = 0;

	f = depth < MAX_NESTING ? open_file(name, dir) : NULL;
	if (!f) {
		log_error("keymap: no map named %s (-k)", name);
		return -ENOENT;
	}
	while (!rc && fgets(line, sizeof(line), f)) {
		nr++;
		rc = parse_line(k, line, dir, depth);
	}
	if (rc == -EINVAL)
		log_error("keymap: %s line %u: expected KEYSYM NUMBER [MODIFIER...]", name, nr);
	fclose(f);
	return rc;
}

int keymap_load(struct keymap *k, const char *name, const char *dir)
{
	int rc = 0;

	memset(k, 0, sizeof(*k));
	if (!name || !strcmp(name, "en-us"))
		keymap_add_builtin(k);
	else
		rc = load_file(k, name, dir, 0);
	if (rc)
		keymap_free(k);
	return rc;
}

static const struct keymap_entry *find(const struct keymap *k, uint32_t keysym, unsigned int held)
{
	const struct keymap_entry *best = NULL;
	size_t i;

	for (i = 0; i < k->nr; i++) {
		const struct keymap_entry *e = &k->entries[i];

		if (e->keysym != keysym)
			continue;
		if (!best)
			best = e;
		if (!((e->flags ^ held) & (KEYMAP_SHIFT | KEYMAP_ALTGR)))
			return e;
	}
	return best;
}

/* The other keysym of the same character: Unicode's or the one from before; 0: there is none. */
static uint32_t other_name(uint32_t keysym)
{
	uint32_t character = keysym & ~UNICODE_KEYSYM;
	size_t i;

	if (keysym & UNICODE_KEYSYM && character < 0x100)
		return character;
	if (keysym < 0x100)
		return keysym | UNICODE_KEYSYM;
	for (i = 0; i < keysym_nr_characters; i++) {
		const struct keysym_character *c = &keysym_characters[i];

		if (keysym & UNICODE_KEYSYM ? c->character == character : c->keysym == keysym)
			return keysym & UNICODE_KEYSYM ? c->keysym : unicode_keysym(c->character);
	}
	return 0;
}

const struct keymap_entry *keymap_find(const struct keymap *k, uint32_t keysym, unsigned int held)
{
	const struct keymap_entry *e = find(k, keysym, held);
	uint32_t other = e ? 0 : other_name(keysym);

	return other ? find(k, other, held) : e;
}
