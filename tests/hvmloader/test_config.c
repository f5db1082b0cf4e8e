/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Settings: defaults, values, nonsense. */
#include "config.h"
#include "util.h"
#include "tests.h"

struct pair {
	const char *path, *value;
};

static int lookup(void *ctx, const char *path, char *buf, size_t size)
{
	for (const struct pair *p = ctx; p->path; p++)
		if (!strcmp(p->path, path))
			return (int)util_strlcpy(buf, p->value, size);
	return -2;
}

static const char *read_pairs(struct config *c, const struct pair *pairs)
{
	struct config_source src = { .read = lookup, .ctx = (void *)pairs };

	return config_read(c, &src);
}

static void refuses(const char *path, const char *value)
{
	struct pair pairs[] = { { path, value }, { 0 } };
	struct config c;
	const char *bad = read_pairs(&c, pairs);

	CHECK(bad && !strcmp(bad, path));
}

void test_config(void)
{
	static const struct pair none[] = { { 0 } };
	static const struct pair full[] = {
		{ "hvmloader/bios", "seabios" },
		{ "platform/acpi", "0" },
		{ "platform/acpi_s3", "0" },
		{ "platform/acpi_laptop_slate", "1" },
		{ "platform/mmio_hole_size", "1073741824" },
		{ "platform/generation-id", "18446744073709551615:2" },
		{ "hvmloader/acpi/address", "0x200000" },
		{ "hvmloader/acpi/length", "100" },
		{ "hvmloader/smbios/address", "0x300000" },
		{ 0 },
	};
	struct config c;

	CHECK(!read_pairs(&c, none));
	CHECK(!strcmp(c.bios, "rombios"));
	CHECK(c.acpi && c.acpi_s3 && c.acpi_s4 && !c.acpi_slate && !c.has_gid && !c.mmio_hole);
	CHECK(!read_pairs(&c, full));
	CHECK(!strcmp(c.bios, "seabios"));
	CHECK(!c.acpi && !c.acpi_s3 && c.acpi_s4 && c.acpi_slate);
	CHECK(c.mmio_hole == 1073741824);
	CHECK(c.has_gid && c.vm_gid[0] == UINT64_MAX && c.vm_gid[1] == 2);
	CHECK(c.extra_acpi.addr == 0x200000 && c.extra_acpi.len == 100);
	CHECK(!c.extra_smbios.addr && !c.extra_smbios.len);
	refuses("platform/acpi", "yes");
	refuses("platform/mmio_hole_size", "1G");
	refuses("platform/generation-id", "12");
	refuses("platform/generation-id", "12:34:56");
	refuses("hvmloader/acpi/address", "0x100000000");
}
