/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading the settings; absent ones get the defaults of the Xen ABI. Text settings of SMBIOS are
 * read by smbios.c, one when it is needed.
 */
#include "config.h"
#include "util.h"

#include <xen/hvm/hvm_xs_strings.h>

#define VALUE_MAX 128

/* A number, or the default when it is not there. Returns false when it is there but no number. */
static bool number(const struct config_source *src, const char *path, uint64_t def, uint64_t *out)
{
	char buf[VALUE_MAX];

	*out = def;
	if (src->read(src->ctx, path, buf, sizeof(buf)) <= 0)
		return true;
	return util_parse_number(buf, out);
}

static bool flag(const struct config_source *src, const char *path, bool def, bool *out)
{
	uint64_t v;
	bool good = number(src, path, def, &v);

	*out = v != 0;
	return good;
}

static const char *read_block(const struct config_source *src, const char *addr_path,
			      const char *len_path, struct config_block *b)
{
	uint64_t addr, len;

	if (!number(src, addr_path, 0, &addr) || addr > UINT32_MAX)
		return addr_path;
	if (!number(src, len_path, 0, &len) || len > UINT32_MAX - addr)
		return len_path;
	b->addr = len ? (uint32_t)addr : 0;
	b->len = addr ? (uint32_t)len : 0;
	return NULL;
}

/* Two 64-bit numbers with a colon between them, low half first. */
static const char *read_gid(const struct config_source *src, struct config *c)
{
	static const char path[] = "platform/generation-id";
	char buf[VALUE_MAX];
	const char *p;

	if (src->read(src->ctx, path, buf, sizeof(buf)) <= 0)
		return NULL;
	p = util_parse_u64(buf, &c->vm_gid[0]);
	if (p == buf || *p != ':' || !util_parse_number(p + 1, &c->vm_gid[1]))
		return path;
	c->has_gid = true;
	return NULL;
}

const char *config_read(struct config *c, const struct config_source *src)
{
	const struct {
		const char *path;
		bool def;
		bool *out;
	} flags[] = {
		{ "platform/acpi", true, &c->acpi },
		{ "platform/acpi_s3", true, &c->acpi_s3 },
		{ "platform/acpi_s4", true, &c->acpi_s4 },
		{ "platform/acpi_laptop_slate", false, &c->acpi_slate },
		{ HVM_XS_ALLOW_MEMORY_RELOCATE, false, &c->allow_relocate },
		{ "hvmloader/pci/xen-platform-pci-bar-uc", true, &c->platform_bar_uc },
	};
	const char *bad;

	memset(c, 0, sizeof(*c));
	if (src->read(src->ctx, HVM_XS_BIOS, c->bios, sizeof(c->bios)) <= 0)
		util_strlcpy(c->bios, "rombios", sizeof(c->bios));
	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (!flag(src, flags[i].path, flags[i].def, flags[i].out))
			return flags[i].path;
	if (!number(src, "platform/mmio_hole_size", 0, &c->mmio_hole))
		return "platform/mmio_hole_size";
	bad = read_block(src, HVM_XS_ACPI_PT_ADDRESS, HVM_XS_ACPI_PT_LENGTH, &c->extra_acpi);
	if (!bad)
		bad = read_block(src, HVM_XS_SMBIOS_PT_ADDRESS, HVM_XS_SMBIOS_PT_LENGTH,
				 &c->extra_smbios);
	return bad ? bad : read_gid(src, c);
}
