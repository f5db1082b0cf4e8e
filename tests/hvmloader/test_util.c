/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Formatting (the C library is the oracle), numbers, checksums. */
#include "util.h"
#include "tests.h"

#include <stdio.h>

#define SAME(fmt, ...)                                                       \
	do {                                                                 \
		char mine[64], libc[64];                                     \
		int n = util_snprintf(mine, sizeof(mine), fmt, __VA_ARGS__); \
		CHECK(n == snprintf(libc, sizeof(libc), fmt, __VA_ARGS__));  \
		CHECK(!strcmp(mine, libc));                                  \
	} while (0)

static void formats(void)
{
	SAME("%s|%c|%d|%u|%x", "text", 'z', -5, 7u, 0xabcu);
	SAME("[%8s][%-8s][%08x][%3d]", "ab", "ab", 0x12u, -7);
	SAME("%llx %llu %lld", 0xfedcba9876543210ull, 18446744073709551615ull,
	     -9223372036854775807ll);
	SAME("%09llx%%", 0x100000000ull);
	for (int i = 0; i < 1000; i++) {
		unsigned long long v = (unsigned long long)check_random() << 32 | check_random();

		SAME("%llu %llx", v >> (i % 64), v >> (i % 60));
	}
}

static void truncation(void)
{
	char buf[4] = "xxx";

	CHECK(util_snprintf(buf, sizeof(buf), "%s", "abcdef") == 6);
	CHECK(!strcmp(buf, "abc"));
	CHECK(util_snprintf(NULL, 0, "%d", 12345) == 5);
	CHECK(util_strlcpy(buf, "wxyz", sizeof(buf)) == 4 && !strcmp(buf, "wxy"));
}

static void numbers(void)
{
	uint64_t v = 1;

	CHECK(util_parse_number("0", &v) && v == 0);
	CHECK(util_parse_number("0xfE", &v) && v == 0xfe);
	CHECK(util_parse_number("18446744073709551615", &v) && v == UINT64_MAX);
	CHECK(util_parse_number("0xffffffffffffffff", &v) && v == UINT64_MAX);
	CHECK(!util_parse_number("18446744073709551616", &v));
	CHECK(!util_parse_number("0x10000000000000000", &v));
	CHECK(!util_parse_number("", &v));
	CHECK(!util_parse_number("0x", &v));
	CHECK(!util_parse_number("12a", &v));
	CHECK(!util_parse_number("-1", &v));
	for (int i = 0; i < 1000; i++) {
		uint64_t n = (uint64_t)check_random() << 32 | check_random();
		uint32_t d = check_random() >> (i % 32) | 1;

		CHECK(util_div_u64_u32(n, d) == n / d);
	}
}

static void checksums(void)
{
	uint8_t data[9] = { 1, 2, 250, 7, 9, 200, 13, 77, 0 };

	data[8] = util_checksum(data, 9);
	CHECK(util_checksum(data, 9) == 0);
}

void test_util(void)
{
	formats();
	truncation();
	numbers();
	checksums();
}
