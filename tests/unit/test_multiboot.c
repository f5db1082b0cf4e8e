/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Multiboot information, well-formed and damaged. The "physical memory" hands out exact-size
 * copies, so that ASan sees every read beyond what was asked for.
 */
#include "boot/multiboot.h"
#include "unit.h"

#define BASE 0x10000U
#define SIZE 0x2000U

static uint8_t mem[SIZE];
static void *copies[8192];
static unsigned int nr_copies;
static struct boot_info bi;
static struct e820_map map;

static const void *view(uint64_t addr, uint64_t len)
{
	void *p;

	if (addr < BASE || len > SIZE || addr - BASE > SIZE - len ||
	    nr_copies == ARRAY_SIZE(copies))
		return NULL;
	p = unit_alloc(len);
	memcpy(p, mem + (addr - BASE), len);
	copies[nr_copies++] = p;
	return p;
}

static int parse(uint32_t magic)
{
	int err = multiboot_parse(magic, BASE, view, &bi, &map);

	while (nr_copies)
		unit_free(copies[--nr_copies]);
	/* whatever came in: strings end, counts fit */
	EXPECT(bi.nr_modules <= BOOT_MAX_MODULES && map.nr <= E820_MAX);
	EXPECT(strnlen(bi.cmdline, sizeof(bi.cmdline)) < sizeof(bi.cmdline));
	for (unsigned int i = 0; i < bi.nr_modules; i++)
		EXPECT(strnlen(bi.module[i].cmdline, BOOT_CMDLINE_MAX) < BOOT_CMDLINE_MAX);
	return err;
}

static void put32(uint32_t off, uint32_t v)
{
	memcpy(mem + off, &v, 4);
}

static void put64(uint32_t off, uint64_t v)
{
	memcpy(mem + off, &v, 8);
}

static void put_text(uint32_t off, const char *s)
{
	memcpy(mem + off, s, strlen(s) + 1);
}

static void make_mb1(void)
{
	memset(mem, 0, sizeof(mem));
	put32(0, 1 << 2 | 1 << 3 | 1 << 6 | 1 << 9);
	put32(16, BASE + 0x400);
	put_text(0x400, "plinth com1=auto  x");
	put32(20, 2);
	put32(24, BASE + 0x500);
	put32(0x500, 0x800000);
	put32(0x504, 0x900000);
	put32(0x508, BASE + 0x600);
	put_text(0x600, "vmlinux console=hvc0");
	put32(0x510, 0x900000);
	put32(0x514, 0x900100);
	put32(44, 48);
	put32(48, BASE + 0x700);
	put32(0x700, 20);
	put64(0x704, 0);
	put64(0x70c, 0x9fc00);
	put32(0x714, 1);
	put32(0x718, 20);
	put64(0x71c, 0x100000);
	put64(0x724, 0x3ff00000);
	put32(0x72c, 1);
	put32(64, BASE + 0x800);
	put_text(0x800, "loader 1");
}

TEST(multiboot1_good)
{
	make_mb1();
	EXPECT(!parse(MULTIBOOT1_LOADER_MAGIC));
	EXPECT(!strcmp(bi.cmdline, "com1=auto  x") && !strcmp(bi.loader, "loader 1"));
	EXPECT(bi.nr_modules == 2 && bi.module[0].start.v == 0x800000 &&
	       bi.module[0].size == 0x100000);
	EXPECT(!strcmp(bi.module[0].cmdline, "console=hvc0") && !bi.module[1].cmdline[0]);
	EXPECT(map.nr == 2 && map.e[1].addr == 0x100000 && map.e[1].len == 0x3ff00000 &&
	       bi.fb.kind == FB_NONE);
}

/* GRUB 2 passes the options alone, GRUB Legacy the file's name before them. */
TEST(multiboot1_image_names)
{
	make_mb1();
	put_text(0x600, "root=/dev/sda1 ro");
	put_text(0x800, "GRUB 2.06");
	EXPECT(!parse(MULTIBOOT1_LOADER_MAGIC));
	EXPECT(!strcmp(bi.module[0].cmdline, "root=/dev/sda1 ro"));
	make_mb1();
	put_text(0x800, "GNU GRUB 0.97");
	EXPECT(!parse(MULTIBOOT1_LOADER_MAGIC));
	EXPECT(!strcmp(bi.cmdline, "com1=auto  x"));
	EXPECT(!strcmp(bi.module[0].cmdline, "console=hvc0"));
}

TEST(multiboot1_without_map)
{
	make_mb1();
	put32(0, 1);
	put32(4, 640);
	put32(8, 1024);
	EXPECT(!parse(MULTIBOOT1_LOADER_MAGIC) && map.nr == 2 && map.e[1].len == MIB(1));
	put32(0, 0);
	EXPECT(parse(MULTIBOOT1_LOADER_MAGIC) < 0);
}

TEST(multiboot1_damaged)
{
	make_mb1();
	put32(0x700, 0xfffffff0); /* entry size */
	EXPECT(parse(MULTIBOOT1_LOADER_MAGIC) < 0);
	make_mb1();
	put32(0x504, 0x700000); /* a module that ends before it starts */
	EXPECT(!parse(MULTIBOOT1_LOADER_MAGIC) && bi.nr_modules == 1);
	make_mb1();
	put32(20, 0xffffffff);
	EXPECT(!parse(MULTIBOOT1_LOADER_MAGIC) && bi.nr_modules <= BOOT_MAX_MODULES);
	make_mb1();
	put32(16, 0xfffffff0); /* command line out of reach */
	EXPECT(!parse(MULTIBOOT1_LOADER_MAGIC) && !bi.cmdline[0]);
	EXPECT(parse(0x12345678) < 0);
}

static uint32_t tag(uint32_t pos, uint32_t type, uint32_t size)
{
	put32(pos, type);
	put32(pos + 4, size);
	return pos + ((size + 7) & ~7U);
}

static uint32_t make_mb2(void)
{
	uint32_t pos = 8;

	memset(mem, 0, sizeof(mem));
	put_text(pos + 8, "opt=1");
	pos = tag(pos, 1, 8 + 6);
	put32(pos + 8, 0x1000000);
	put32(pos + 12, 0x1000010);
	put_text(pos + 16, "kernel");
	pos = tag(pos, 3, 16 + 7);
	put32(pos + 8, 24);
	put64(pos + 16, 0x100000);
	put64(pos + 24, 0x40000000);
	put32(pos + 32, 1);
	pos = tag(pos, 6, 40);
	put64(pos + 8, 0xe0000000);
	put32(pos + 16, 3200);
	put32(pos + 20, 800);
	put32(pos + 24, 600);
	mem[pos + 28] = 32;
	mem[pos + 29] = 1;
	memcpy(mem + pos + 32, "\x10\x08\x08\x08\x00\x08", 6);
	pos = tag(pos, 8, 38);
	put64(pos + 8, 0x7f000000);
	pos = tag(pos, 12, 16);
	pos = tag(pos, 15, 8 + 36);
	pos = tag(pos, 0, 8);
	put32(0, pos);
	return pos;
}

TEST(multiboot2_good)
{
	make_mb2();
	EXPECT(!parse(MULTIBOOT2_LOADER_MAGIC));
	EXPECT(!strcmp(bi.cmdline, "opt=1") && bi.efi && bi.efi_systab == 0x7f000000 && bi.rsdp.v);
	EXPECT(bi.nr_modules == 1 && bi.module[0].size == 16 &&
	       !strcmp(bi.module[0].cmdline, "kernel"));
	EXPECT(map.nr == 1 && map.e[0].len == 0x40000000);
	EXPECT(bi.fb.kind == FB_LINEAR && bi.fb.red_pos == 16 && bi.fb.width == 800);
}

TEST(multiboot2_damaged)
{
	uint32_t end = make_mb2();

	put32(12, 4); /* a tag smaller than its head */
	EXPECT(parse(MULTIBOOT2_LOADER_MAGIC) < 0);
	make_mb2();
	put32(12, 0xfffffff8);
	EXPECT(parse(MULTIBOOT2_LOADER_MAGIC) < 0);
	make_mb2();
	put32(0, 4);
	EXPECT(parse(MULTIBOOT2_LOADER_MAGIC) < 0);
	make_mb2();
	put32(0, 0xffffffff); /* total size beyond memory: the end tag stops it */
	EXPECT(!parse(MULTIBOOT2_LOADER_MAGIC));
	make_mb2();
	put32(0, end - 20); /* the last tags reach beyond the total size */
	EXPECT(parse(MULTIBOOT2_LOADER_MAGIC) < 0);
	make_mb2();
	memset(mem + 8, 'x', 8);
	EXPECT(parse(MULTIBOOT2_LOADER_MAGIC) < 0);
	EXPECT(end < SIZE);
}

static void mutate(void (*make)(void), uint32_t used, uint32_t magic)
{
	for (unsigned int round = 0; round < 20000; round++) {
		make();
		for (unsigned int n = 1 + unit_random() % 4; n; n--) {
			uint32_t off = (uint32_t)(unit_random() % used);

			if (unit_random() & 1)
				mem[off] = (uint8_t)unit_random();
			else
				put32(off & ~3U, (uint32_t)unit_random() >> (unit_random() % 32));
		}
		parse(magic);
	}
}

static void make_mb2_void(void)
{
	make_mb2();
}

TEST(multiboot_random_damage)
{
	mutate(make_mb1, 0x820, MULTIBOOT1_LOADER_MAGIC);
	mutate(make_mb2_void, 0x100, MULTIBOOT2_LOADER_MAGIC);
}
