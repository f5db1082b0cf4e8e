/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Multiboot 1 (0.6.96 section 3.3) and Multiboot 2 (2.0 section 3.6) information. Every offset
 * and size is checked: the host tests feed it damaged structures.
 */
#include "vmm/base/e820.h"
#include "multiboot.h"

#define MB1_MEM	      BIT(0)
#define MB1_CMDLINE   BIT(2)
#define MB1_MODS      BIT(3)
#define MB1_MMAP      BIT(6)
#define MB1_LOADER    BIT(9)
#define MB1_FB	      BIT(12)

#define MAP_BYTES_MAX KIB(64)

struct mb1_info {
	uint32_t flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr;
	uint32_t syms[4];
	uint32_t mmap_length, mmap_addr, drives_length, drives_addr, config_table, loader_name,
		apm_table;
	uint32_t vbe_control_info, vbe_mode_info;
	uint16_t vbe_mode, vbe_interface_seg, vbe_interface_off, vbe_interface_len;
	uint64_t fb_addr;
	uint32_t fb_pitch, fb_width, fb_height;
	uint8_t fb_bpp, fb_type, color[6];
} __packed;

struct mb1_module {
	uint32_t start, end, string, reserved;
} __packed;

struct mb1_mmap {
	uint32_t size;
	uint64_t addr, len;
	uint32_t type;
} __packed;

enum mb2_tag_type {
	MB2_END,
	MB2_CMDLINE,
	MB2_LOADER,
	MB2_MODULE,
	MB2_BASIC_MEM,
	MB2_BOOTDEV,
	MB2_MMAP,
	MB2_VBE,
	MB2_FB,
	MB2_ELF,
	MB2_APM,
	MB2_EFI32,
	MB2_EFI64,
	MB2_SMBIOS,
	MB2_ACPI_OLD,
	MB2_ACPI_NEW,
	MB2_NETWORK,
	MB2_EFI_MMAP,
	MB2_EFI_BS,
	MB2_EFI32_IH,
	MB2_EFI64_IH,
	MB2_LOAD_BASE
};

struct mb2_head {
	uint32_t total_size, reserved;
} __packed;

struct mb2_tag {
	uint32_t type, size;
} __packed;

struct mb2_mmap_entry {
	uint64_t addr, len;
	uint32_t type, reserved;
};

struct mb2_fb {
	uint64_t addr;
	uint32_t pitch, width, height;
	uint8_t bpp, type;
	uint16_t reserved;
	uint8_t color[6];
} __packed;

/* A terminated copy of at most size - 1 bytes, of which max may be looked at. */
static void copy_text(char *dst, size_t size, const char *src, uint64_t max)
{
	size_t n = strnlen(src, min(max, (uint64_t)size - 1));

	memcpy(dst, src, n);
	dst[n] = '\0';
}

/* As long as the view allows, one byte at a time: nobody says how long a Multiboot 1 string is. */
static void copy_phys_text(char *dst, size_t size, uint32_t addr, phys_view_fn view)
{
	const char *c;
	size_t n = 0;

	while (n + 1 < size && (c = view((uint64_t)addr + n, 1)) && *c)
		dst[n++] = *c;
	dst[n] = '\0';
}

/*
 * A Multiboot 1 loader puts the file's name before the options (QEMU, GRUB Legacy), GRUB 2 does not,
 * whose name is "GRUB" and its version; GRUB Legacy calls itself "GNU GRUB".
 */
static bool has_image_names(const char *loader)
{
	return strncmp(loader, "GRUB ", 5) != 0;
}

static void drop_image_name(char *cmdline)
{
	char *rest = cmdline;

	while (*rest && *rest != ' ')
		rest++;
	while (*rest == ' ')
		rest++;
	memmove(cmdline, rest, strlen(rest) + 1);
}

static void set_fb(struct boot_fb *fb, uint64_t addr, uint32_t pitch, uint32_t width,
		   uint32_t height, uint8_t bpp, uint8_t type, const uint8_t *color)
{
	struct boot_fb f = {
		.addr = addr, .pitch = pitch, .width = width, .height = height, .bpp = bpp
	};

	if (!addr || !width || !height || width > 16384 || height > 16384)
		return;
	if (type == 2) {
		f.kind = FB_TEXT;
		if (pitch < width * 2)
			return;
	} else if (type == 1) {
		f.kind = FB_LINEAR;
		if ((bpp != 16 && bpp != 24 && bpp != 32) || pitch / ((bpp + 7) / 8) < width ||
		    pitch > 1U << 20)
			return;
		f.red_pos = color[0];
		f.red_size = color[1];
		f.green_pos = color[2];
		f.green_size = color[3];
		f.blue_pos = color[4];
		f.blue_size = color[5];
		if (f.red_pos > 31 || f.green_pos > 31 || f.blue_pos > 31 || f.red_size > 8 ||
		    f.green_size > 8 || f.blue_size > 8)
			return;
	} else {
		return;
	}
	*fb = f;
}

static struct boot_module *next_module(struct boot_info *bi, uint64_t start, uint64_t end)
{
	struct boot_module *m;

	if (bi->nr_modules == BOOT_MAX_MODULES || end < start)
		return NULL;
	m = &bi->module[bi->nr_modules++];
	m->start = _maddr(start);
	m->size = end - start;
	m->cmdline[0] = '\0';
	return m;
}

static void mb1_modules(const struct mb1_info *mb, phys_view_fn view, struct boot_info *bi)
{
	const struct mb1_module *mod;
	struct boot_module *m;

	for (uint32_t i = 0; i < mb->mods_count && i < BOOT_MAX_MODULES; i++) {
		mod = view((uint64_t)mb->mods_addr + i * sizeof(*mod), sizeof(*mod));
		if (!mod)
			return;
		m = next_module(bi, mod->start, mod->end);
		if (m && mod->string)
			copy_phys_text(m->cmdline, sizeof(m->cmdline), mod->string, view);
	}
}

static void drop_image_names(struct boot_info *bi)
{
	drop_image_name(bi->cmdline);
	for (unsigned int i = 0; i < bi->nr_modules; i++)
		drop_image_name(bi->module[i].cmdline);
}

static int mb1_memory_map(const struct mb1_info *mb, phys_view_fn view, struct e820_map *map)
{
	uint64_t pos = mb->mmap_addr, end = pos + min((uint64_t)mb->mmap_length, MAP_BYTES_MAX);
	const struct mb1_mmap *e;

	while (pos + sizeof(*e) <= end) {
		e = view(pos, sizeof(*e));
		if (!e || e->size < sizeof(*e) - sizeof(e->size) || e->size > end - pos)
			break;
		e820_add(map, e->addr, e->len, e->type);
		pos += (uint64_t)e->size + sizeof(e->size);
	}
	return map->nr ? 0 : -EINVAL;
}

static int mb1_parse(uint32_t info, phys_view_fn view, struct boot_info *bi, struct e820_map *map)
{
	const struct mb1_info *p = view(info, offsetof(struct mb1_info, vbe_control_info));
	struct mb1_info mb = { 0 };

	if (!p)
		return -EINVAL;
	memcpy(&mb, p, offsetof(struct mb1_info, vbe_control_info));
	if ((mb.flags & MB1_FB) && (p = view(info, sizeof(mb))))
		memcpy(&mb, p, sizeof(mb));
	else
		mb.flags &= (uint32_t)~MB1_FB;
	if (mb.flags & MB1_CMDLINE)
		copy_phys_text(bi->cmdline, sizeof(bi->cmdline), mb.cmdline, view);
	if (mb.flags & MB1_LOADER)
		copy_phys_text(bi->loader, sizeof(bi->loader), mb.loader_name, view);
	if (mb.flags & MB1_MODS)
		mb1_modules(&mb, view, bi);
	if (has_image_names(bi->loader))
		drop_image_names(bi);
	if (mb.flags & MB1_FB)
		set_fb(&bi->fb, mb.fb_addr, mb.fb_pitch, mb.fb_width, mb.fb_height, mb.fb_bpp,
		       mb.fb_type, mb.color);
	if (mb.flags & MB1_MMAP)
		return mb1_memory_map(&mb, view, map);
	if (!(mb.flags & MB1_MEM))
		return -EINVAL;
	e820_add(map, 0, KIB(min(mb.mem_lower, 640U)), E820_RAM);
	e820_add(map, MIB(1), KIB(mb.mem_upper), E820_RAM);
	return 0;
}

static void mb2_memory_map(const uint8_t *body, uint32_t len, struct e820_map *map)
{
	uint32_t entry_size, pos;
	struct mb2_mmap_entry e;

	if (len < 8)
		return;
	memcpy(&entry_size, body, 4);
	if (entry_size < sizeof(e) || entry_size > len)
		return;
	for (pos = 8; len - pos >= entry_size; pos += entry_size) {
		memcpy(&e, body + pos, sizeof(e));
		e820_add(map, e.addr, e.len, e.type);
	}
}

static void mb2_module(const uint8_t *body, uint32_t len, struct boot_info *bi)
{
	struct boot_module *m;
	uint32_t range[2];

	if (len < 8)
		return;
	memcpy(range, body, 8);
	m = next_module(bi, range[0], range[1]);
	if (m)
		copy_text(m->cmdline, sizeof(m->cmdline), (const char *)body + 8, len - 8);
}

static void mb2_framebuffer(const uint8_t *body, uint32_t len, struct boot_info *bi)
{
	struct mb2_fb fb = { 0 };

	if (len < offsetof(struct mb2_fb, color))
		return;
	memcpy(&fb, body, min(len, (uint32_t)sizeof(fb)));
	set_fb(&bi->fb, fb.addr, fb.pitch, fb.width, fb.height, fb.bpp, fb.type, fb.color);
}

/* The tag holds a copy of the RSDP, not its place. Its XSDT pointer is what matters: see acpi.c. */
static void mb2_rsdp(uint32_t tag_addr, uint32_t len, bool new, struct boot_info *bi)
{
	if (len >= (new ? 36U : 20U) && (new || !bi->rsdp.v))
		bi->rsdp = _maddr(tag_addr + 8);
}

static void mb2_tag(uint32_t addr, const struct mb2_tag *tag, const uint8_t *body,
		    struct boot_info *bi, struct e820_map *map)
{
	uint32_t len = tag->size - (uint32_t)sizeof(*tag);

	switch (tag->type) {
	case MB2_CMDLINE:
		copy_text(bi->cmdline, sizeof(bi->cmdline), (const char *)body, len);
		break;
	case MB2_LOADER:
		copy_text(bi->loader, sizeof(bi->loader), (const char *)body, len);
		break;
	case MB2_MODULE:
		mb2_module(body, len, bi);
		break;
	case MB2_MMAP:
		mb2_memory_map(body, len, map);
		break;
	case MB2_FB:
		mb2_framebuffer(body, len, bi);
		break;
	case MB2_EFI64:
		bi->efi = true;
		if (len >= 8)
			memcpy(&bi->efi_systab, body, 8);
		break;
	case MB2_ACPI_OLD:
	case MB2_ACPI_NEW:
		mb2_rsdp(addr, len, tag->type == MB2_ACPI_NEW, bi);
		break;
	}
}

static int mb2_parse(uint32_t info, phys_view_fn view, struct boot_info *bi, struct e820_map *map)
{
	const struct mb2_head *head = view(info, sizeof(*head));
	const struct mb2_tag *tag;
	uint64_t pos, end;
	const uint8_t *body;

	if (!head || head->total_size < sizeof(*head))
		return -EINVAL;
	end = (uint64_t)info + head->total_size;
	for (pos = (uint64_t)info + 8; pos + sizeof(*tag) <= end;
	     pos += ROUND_UP((uint64_t)tag->size, 8)) {
		tag = view(pos, sizeof(*tag));
		if (!tag || tag->size < sizeof(*tag) || tag->size > end - pos)
			return -EINVAL;
		if (tag->type == MB2_END)
			break;
		body = view(pos + sizeof(*tag), tag->size - sizeof(*tag));
		if (!body)
			return -EINVAL;
		mb2_tag((uint32_t)pos, tag, body, bi, map);
	}
	return map->nr ? 0 : -EINVAL;
}

int multiboot_parse(uint32_t magic, uint32_t info, phys_view_fn view, struct boot_info *bi,
		    struct e820_map *map)
{
	memset(bi, 0, sizeof(*bi));
	map->nr = 0;
	if (magic == MULTIBOOT1_LOADER_MAGIC)
		return mb1_parse(info, view, bi, map);
	if (magic == MULTIBOOT2_LOADER_MAGIC)
		return mb2_parse(info, view, bi, map);
	return -EINVAL;
}
