/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line's parser. */
#include "boot.h"
#include "unit.h"

struct boot_info boot_info;

static char seen[64];
static bool flag;

static int parse_text(const char *value)
{
	strlcpy(seen, value, sizeof(seen));
	return !strcmp(value, "bad") ? -EINVAL : 0;
}

static int parse_flag(const char *value)
{
	return parse_bool(value, &flag);
}

static const struct boot_option options[] __used __aligned(8) __section("unit_options") = {
	{ "text", parse_text, "" },
	{ "flag", parse_flag, "" },
};

static void run(const char *line)
{
	seen[0] = '\0';
	unit_log_clear();
	strlcpy(boot_info.cmdline, line, sizeof(boot_info.cmdline));
	cmdline_parse();
}

TEST(cmdline_values)
{
	run("  text=abc\tflag ");
	EXPECT(!strcmp(seen, "abc") && flag && !*unit_log());
	run("no-flag");
	EXPECT(!flag && !*unit_log());
	run("flag=on");
	EXPECT(flag);
	run("text=\"a b\"");
	EXPECT(!strcmp(seen, "a b"));
	run("text=a=b,c");
	EXPECT(!strcmp(seen, "a=b,c"));
	run("");
	EXPECT(!*unit_log());
}

TEST(cmdline_reports)
{
	run("bogus=1 text=x");
	EXPECT(strstr(unit_log(), "Unknown option: bogus=1") && !strcmp(seen, "x"));
	run("no-bogus");
	EXPECT(strstr(unit_log(), "Unknown option: no-bogus"));
	run("text=bad");
	EXPECT(strstr(unit_log(), "not understood"));
	run("flag=perhaps");
	EXPECT(strstr(unit_log(), "not understood"));
	run("Text=x");
	EXPECT(strstr(unit_log(), "Unknown option: Text=x"));
}

TEST(cmdline_sizes)
{
	static const struct {
		const char *s;
		uint64_t v;
	} good[] = {
		{ "512M", MIB(512) }, { "2G", GIB(2) },	    { "64K", KIB(64) },
		{ "64k", KIB(64) },   { "100", KIB(100) },  { "4096B", 4096 },
		{ "0x10M", MIB(16) }, { "1T", 1ULL << 40 }, { "0", 0 },
	};
	static const char *const bad[] = { "",		"M",   "12X",
					   "12MB",	"1 2", "99999999999999999999",
					   "16777216T", "-1" };
	uint64_t v;

	for (unsigned int i = 0; i < ARRAY_SIZE(good); i++)
		EXPECT(!parse_size(good[i].s, &v) && v == good[i].v);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT(parse_size(bad[i], &v) < 0);
}

TEST(cmdline_random_bytes)
{
	char line[BOOT_CMDLINE_MAX];

	for (unsigned int round = 0; round < 500; round++) {
		for (unsigned int i = 0; i < sizeof(line) - 1; i++)
			line[i] = "atextfl=\" \t-no1"[unit_random() % 15];
		line[unit_random() % sizeof(line)] = '\0';
		line[sizeof(line) - 1] = '\0';
		run(line);
	}
	EXPECT(true);
}
