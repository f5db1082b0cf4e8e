/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SMBIOS: structure of the table, hostile pass-through data, and dumps in the form that
 * dmidecode --from-dump reads (entry point, table at offset 32).
 */
#include "smbios.h"
#include "smbios_format.h"
#include "util.h"
#include "tests.h"

#include <stdlib.h>

#define TABLE_GPA 0xfc100000u
#define AREA	  0x20000u

static uint8_t *mem, *low;
static const char *settings[40][2];

static int lookup(void *ctx, const char *path, char *buf, size_t size)
{
	(void)ctx;
	for (int i = 0; settings[i][0]; i++)
		if (!strcmp(settings[i][0], path))
			return (int)util_strlcpy(buf, settings[i][1], size);
	return -2;
}

static const struct config_source source = { .read = lookup };

static struct smbios_input input(uint32_t nr_vcpus, uint64_t low_end, uint64_t high_end)
{
	struct smbios_input in = {
		.settings = &source,
		.version = "4.17.7",
		.nr_vcpus = nr_vcpus,
		.low_ram_end = low_end,
		.high_ram_end = high_end,
		.bios_bytes = 0x40000,
		.cpu_vendor = "GenuineIntel",
		.cpu_signature = 0x306c3,
		.cpu_mhz = 2600,
	};

	for (uint8_t i = 0; i < 16; i++)
		in.uuid[i] = (uint8_t)(0x10 * i + i);
	return in;
}

static const char *build(const struct smbios_input *in, struct smbios_result *out, uint32_t size)
{
	struct arena tables = { .base = mem, .gpa = TABLE_GPA, .size = size };
	struct arena scratch = { .base = low, .gpa = 0x10000, .size = 0x1000 };

	memset(mem, 0xaa, AREA);
	memset(low, 0xaa, 0x1000);
	return smbios_build(&tables, &scratch, in, out);
}

static void dump(const char *name, const struct smbios_result *out)
{
	uint8_t *file = calloc(1, 32 + out->table_bytes);
	struct smbios_entry e;

	memcpy(&e, low + (out->entry_gpa - 0x10000), sizeof(e));
	CHECK(!util_checksum(&e, sizeof(e)) && !util_checksum(e.dmi_anchor, 15));
	CHECK(e.table_addr == out->table_gpa && e.table_bytes == out->table_bytes);
	e.table_addr = 32;
	e.dmi_checksum = 0;
	e.dmi_checksum = util_checksum(e.dmi_anchor, 15);
	e.checksum = 0;
	e.checksum = util_checksum(&e, sizeof(e));
	memcpy(file, &e, sizeof(e));
	memcpy(file + 32, mem + (out->table_gpa - TABLE_GPA), out->table_bytes);
	check_dump(name, file, 32 + out->table_bytes);
	free(file);
}

/* Count structures of a type; checks that the table ends where it should. */
static unsigned int count(const struct smbios_result *out, uint8_t type, const uint8_t **first)
{
	const uint8_t *p = mem + (out->table_gpa - TABLE_GPA), *end = p + out->table_bytes;
	unsigned int n = 0, all = 0;

	while (p < end) {
		const uint8_t *start = p;

		if (p[0] == type && !n++ && first)
			*first = start;
		p += p[1];
		while (p[0] || p[1])
			p++;
		p += 2;
		all++;
	}
	CHECK(p == end && all == out->nr_structures);
	return n;
}

static void domains(void)
{
	struct smbios_input in = input(2, 0x0f000000, 0);
	struct smbios_result out;
	const uint8_t *p = NULL;

	CHECK(!build(&in, &out, AREA));
	dump("smbios-small.bin", &out);
	CHECK(count(&out, 4, NULL) == 2 && count(&out, 17, NULL) == 1 &&
	      count(&out, 20, NULL) == 1);
	CHECK(count(&out, 127, NULL) == 1 && count(&out, 22, NULL) == 0);
	CHECK(count(&out, 1, &p) == 1 && p && !memcmp(p + 8, in.uuid, 16));

	settings[0][0] = "bios-strings/system-manufacturer";
	settings[0][1] = "Example Computers";
	settings[1][0] = "bios-strings/oem-1";
	settings[1][1] = "first";
	settings[2][0] = "bios-strings/oem-2";
	settings[2][1] = "second";
	settings[3][0] = "bios-strings/oem-4";
	settings[3][1] = "not reached";
	in = input(128, 0xf0000000, UINT64_C(0xa00000000));
	in.default_battery = true;
	CHECK(!build(&in, &out, AREA));
	dump("smbios-large.bin", &out);
	CHECK(count(&out, 4, NULL) == 128 && count(&out, 17, NULL) == 3);
	CHECK(count(&out, 19, NULL) == 2 && count(&out, 20, NULL) == 4);
	CHECK(count(&out, 22, NULL) == 1);
	CHECK(count(&out, 11, &p) == 1 && p[4] == 3);
	settings[0][0] = NULL;
}

static uint32_t put(uint8_t *buf, uint8_t type, const char *text)
{
	uint32_t len = 8 + (uint32_t)strlen(text) + 2;

	memset(buf, 0, 4 + len);
	memcpy(buf, &len, 4);
	buf[4] = type;
	buf[5] = 8;
	memcpy(buf + 4 + 8, text, strlen(text));
	return 4 + len;
}

static void pass_through(void)
{
	struct smbios_input in = input(1, 0x0f000000, 0);
	struct smbios_result out;
	uint8_t buf[256];
	uint32_t len = 0;
	const uint8_t *p = NULL;

	len += put(buf + len, 1, "replaced");
	len += put(buf + len, 200, "vendor");
	len += put(buf + len, 17, "contradiction");
	in.extra = buf;
	in.extra_len = len;
	CHECK(!build(&in, &out, AREA));
	CHECK(count(&out, 1, &p) == 1 && !memcmp(p + 8, "replaced", 8));
	CHECK(count(&out, 200, NULL) == 1 && count(&out, 17, &p) == 1 && p[1] == 27);
	for (uint32_t cut = 1; cut < 20; cut++) {
		in.extra_len = len - cut;
		CHECK(build(&in, &out, AREA));
	}
	for (int i = 0; i < 2000; i++) {
		uint8_t noise[64];

		for (size_t k = 0; k < sizeof(noise); k++)
			noise[k] = (uint8_t)(check_random() % 12);
		in.extra = noise;
		in.extra_len = sizeof(noise);
		if (!build(&in, &out, AREA))
			count(&out, 127, NULL);
	}
}

static void full_arena(void)
{
	struct smbios_input in = input(128, 0x0f000000, 0);
	struct smbios_result out;

	for (uint32_t size = 0; size < 1000; size++)
		CHECK(build(&in, &out, size));
}

void test_smbios(void)
{
	mem = malloc(AREA);
	low = malloc(0x1000);
	domains();
	pass_through();
	full_arena();
	free(mem);
	free(low);
}
