/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lib/ against the C library. */
#include "lib.h"
#include "timer.h"
#include "unit.h"

#define SAME(fmt, ...)                                                           \
	do {                                                                     \
		char _a[128], _b[128];                                           \
		int _n = snprintf(_a, sizeof(_a), fmt, ##__VA_ARGS__);           \
		int _m = unit_libc_snprintf(_b, sizeof(_b), fmt, ##__VA_ARGS__); \
		EXPECT(_n == _m);                                                \
		EXPECT(!strcmp(_a, _b));                                         \
	} while (0)

TEST(printf_numbers)
{
	static const long values[] = { 0,	  1,	     -1,	42,	   -42,
				       123456789, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN };

	for (unsigned int i = 0; i < ARRAY_SIZE(values); i++) {
		long v = values[i];

		SAME("%d|%5d|%-5d|%05d|%+d|% d", (int)v, (int)v, (int)v, (int)v, (int)v, (int)v);
		SAME("%ld|%20ld|%-20ld|%020ld", v, v, v, v);
		SAME("%u|%lu|%zu", (unsigned int)v, (unsigned long)v, (size_t)v);
		SAME("%x|%#x|%#lx|%016lx|%#010x|%X", (unsigned int)v, (unsigned int)v,
		     (unsigned long)v, (unsigned long)v, (unsigned int)v, (unsigned int)v);
		SAME("%.3d|%8.3d|%-8.5d|%.0d", (int)v, (int)v, (int)v, (int)v);
		SAME("%*d|%-*d|%.*d", 7, (int)v, 7, (int)v, 4, (int)v);
		SAME("%llu|%llx", (unsigned long long)v, (unsigned long long)v);
		SAME("%o", (unsigned int)v);
	}
}

TEST(printf_strings)
{
	SAME("%s|%10s|%-10s|%.2s|%.10s|%5.1s|", "abc", "abc", "abc", "abc", "abc", "abc");
	SAME("%c%c|%3c|%-3c|", 'x', 'y', 'z', 'w');
	SAME("100%%|%s", "");
	SAME("plain");
}

TEST(printf_bounds)
{
	const char *volatile nothing = NULL;
	char buf[8];

	memset(buf, 'x', sizeof(buf));
	EXPECT(snprintf(buf, 4, "%s", "abcdefgh") == 8);
	EXPECT(!strcmp(buf, "abc") && buf[4] == 'x');
	EXPECT(snprintf(buf, 1, "%d", 12345) == 5 && buf[0] == '\0');
	EXPECT(snprintf(NULL, 0, "%d", 12345) == 5);
	EXPECT(snprintf(buf, sizeof(buf), "%p", (void *)0x1234) == 16);
	EXPECT(snprintf(buf, sizeof(buf), "%s", nothing) == 6);
	EXPECT(!strcmp(buf, "(null)"));
}

TEST(strtoull_like_libc)
{
	static const char *const text[] = {
		"0",
		"1",
		"0x10",
		"0X1f",
		"010",
		"08",
		"0x",
		"0xg",
		"",
		"abc",
		"18446744073709551615",
		"18446744073709551616",
		"99999999999999999999999",
		"12abc",
		"0x123456789abcdef01",
	};
	static const unsigned int bases[] = { 0, 10, 16, 8, 36 };
	const char *end;
	size_t used;

	for (unsigned int i = 0; i < ARRAY_SIZE(text); i++)
		for (unsigned int b = 0; b < ARRAY_SIZE(bases); b++) {
			uint64_t want = unit_libc_strtoull(text[i], &used, (int)bases[b]);

			EXPECT(strtoull(text[i], &end, bases[b]) == want);
			EXPECT((size_t)(end - text[i]) == used);
		}
}

/* Against byte loops, every alignment and direction. */
TEST(memory_functions)
{
	uint8_t a[64], b[64];

	for (unsigned int round = 0; round < 2000; round++) {
		unsigned int from = unit_random() % 32, to = unit_random() % 32,
			     n = unit_random() % 32;

		for (unsigned int i = 0; i < 64; i++)
			a[i] = b[i] = (uint8_t)unit_random();
		memmove(a + to, a + from, n);
		if (to <= from)
			for (unsigned int i = 0; i < n; i++)
				b[to + i] = b[from + i];
		else
			for (unsigned int i = n; i-- > 0;)
				b[to + i] = b[from + i];
		EXPECT(!memcmp(a, b, 64));
		memset(a + from, (int)round, n);
		for (unsigned int i = 0; i < n; i++)
			b[from + i] = (uint8_t)round;
		EXPECT(!memcmp(a, b, 64));
	}
	EXPECT(memcmp("abc", "abd", 3) < 0 && memcmp("\xff", "\x01", 1) > 0 &&
	       !memcmp("x", "y", 0));
	EXPECT(memchr("hello", 'l', 5) && !memchr("hello", 'l', 2) && !memchr("hello", 'z', 5));
}

TEST(string_functions)
{
	char buf[6];

	EXPECT(strlcpy(buf, "hello world", sizeof(buf)) == 11 && !strcmp(buf, "hello"));
	EXPECT(strlcpy(buf, "hi", sizeof(buf)) == 2 && !strcmp(buf, "hi"));
	EXPECT(strlcat(buf, "there", sizeof(buf)) == 7 && !strcmp(buf, "hithe"));
	EXPECT(strnlen("abc", 2) == 2 && strnlen("abc", 9) == 3);
	EXPECT(strcmp("a", "b") < 0 && strcmp("b", "a") > 0 && strcmp("ab", "a") > 0);
	EXPECT(!strncmp("abc", "abd", 2) && strncmp("abc", "abd", 3) < 0 && !strncmp("a", "a", 9));
	EXPECT(*strchr("abc", 'b') == 'b' && !strchr("abc", 'x') && *strchr("abc", 0) == 0);
	EXPECT(!strcmp(strstr("hello", "ll"), "llo") && !strstr("hello", "lo!") && strstr("x", ""));
}

TEST(bit_functions)
{
	uint32_t map[4] = { 0 };

	EXPECT(fls64(0) == 0 && fls64(1) == 1 && fls64(1ULL << 63) == 64);
	EXPECT(ffs64(0) == 0 && ffs64(8) == 4);
	EXPECT(!test_and_set_bit(70, map) && test_and_set_bit(70, map) && test_bit(70, map));
	EXPECT(map[2] == 1U << 6 && test_and_clear_bit(70, map) && !map[2]);
	EXPECT(mul_shift32(1ULL << 40, 1U << 31) == 1ULL << 39);
	EXPECT(muldiv64(1ULL << 62, 12, 16) == 3ULL << 60);
}

TEST(calendar)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	for (unsigned int year = 1970; year < 2110; year++)
		for (unsigned int month = 1; month <= 12; month++)
			for (unsigned int day = 1; day <= days[month - 1]; day += 9)
				EXPECT((int64_t)days_from_civil(year, month, day) ==
				       unit_libc_days((int)year, (int)month, (int)day));
	EXPECT(days_from_civil(2024, 3, 1) - days_from_civil(2024, 2, 28) == 2);
}
