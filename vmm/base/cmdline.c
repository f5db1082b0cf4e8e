/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line: words `name`, `name=value`, `no-name`, matched against the options that files
 * declare with BOOT_OPTION (section .options). What nobody knows is reported, not ignored. Quotes
 * keep spaces.
 */
#include "boot.h"

extern const struct boot_option _options_start[], _options_end[];

int parse_size(const char *s, uint64_t *bytes)
{
	unsigned int shift = 10;
	const char *end;
	uint64_t v = strtoull(s, &end, 0);

	if (end == s)
		return -EINVAL;
	switch (*end) {
	case 'T':
	case 't':
		shift = 40;
		break;
	case 'G':
	case 'g':
		shift = 30;
		break;
	case 'M':
	case 'm':
		shift = 20;
		break;
	case 'K':
	case 'k':
		shift = 10;
		break;
	case 'B':
	case 'b':
		shift = 0;
		break;
	case '\0':
		break;
	default:
		return -EINVAL;
	}
	if ((*end && end[1]) || v > UINT64_MAX >> shift)
		return -EINVAL;
	*bytes = v << shift;
	return 0;
}

static bool one_of(const char *s, const char *const *words)
{
	for (; *words; words++)
		if (!strcmp(s, *words))
			return true;
	return false;
}

int parse_bool(const char *s, bool *v)
{
	static const char *const yes[] = { "", "1", "yes", "on", "true", "enable", NULL };
	static const char *const no[] = { "0", "no", "off", "false", "disable", NULL };

	if (!one_of(s, yes) && !one_of(s, no))
		return -EINVAL;
	*v = one_of(s, yes);
	return 0;
}

/* Copies the next word without its quotes; returns where the search goes on, NULL at the end. */
static const char *next_word(const char *s, char *word, size_t size)
{
	bool quoted = false;
	size_t n = 0;

	while (*s == ' ' || *s == '\t')
		s++;
	if (!*s)
		return NULL;
	for (; *s && (quoted || (*s != ' ' && *s != '\t')); s++) {
		if (*s == '"')
			quoted = !quoted;
		else if (n + 1 < size)
			word[n++] = *s;
	}
	word[n] = '\0';
	return s;
}

static const struct boot_option *find_option(const char *name)
{
	for (const struct boot_option *o = _options_start; o < _options_end; o++)
		if (!strcmp(o->name, name))
			return o;
	return NULL;
}

static void apply_word(char *word)
{
	char *value = strchr(word, '=');
	const struct boot_option *o;

	if (value)
		*value++ = '\0';
	o = find_option(word);
	if (!o && !value && !strncmp(word, "no-", 3)) {
		o = find_option(word + 3);
		value = "0";
	}
	if (!o)
		printk(LOG_WARN "Unknown option: %s%s%s\n", word, value ? "=" : "",
		       value ? value : "");
	else if (o->parse(value ? value : "") < 0)
		printk(LOG_WARN "Option %s: \"%s\" is not understood\n", word, value ? value : "");
}

void cmdline_parse(void)
{
	const char *s = boot_info.cmdline;
	static char word[BOOT_CMDLINE_MAX];

	while ((s = next_word(s, word, sizeof(word))))
		apply_word(word);
}
