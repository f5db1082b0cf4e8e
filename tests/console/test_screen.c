// SPDX-License-Identifier: GPL-2.0-or-later
/* A framebuffer that is kept beside domain 0 (vga=keep) is drawn in pieces. */
#include "world.h"
#include "mm.h"

#define WIDTH  1920U
#define HEIGHT 1080U
#define COLS   (WIDTH / 8)
#define ROWS   (HEIGHT / 16)

struct boot_info boot_info;
static uint32_t dots[HEIGHT * WIDTH];

void *ioremap_wc(maddr_t addr, uint64_t size)
{
	EXPECT(addr.v == GIB(5) && size == sizeof(dots));
	return dots;
}

void *ioremap(maddr_t addr, uint64_t size)
{
	(void)addr;
	(void)size;
	return NULL;
}

static unsigned int lit(unsigned int row)
{
	unsigned int n = 0;

	for (unsigned int i = row * 16 * WIDTH; i < (row + 1) * 16 * WIDTH; i++)
		n += dots[i] != 0;
	return n;
}

/* Dots of a row that change while one message is printed, or one piece is drawn. */
static unsigned int changed_by(void (*fn)(void))
{
	static uint32_t before[HEIGHT * WIDTH];
	unsigned int n = 0;

	memcpy(before, dots, sizeof(dots));
	fn();
	for (unsigned int i = 0; i < WIDTH * HEIGHT; i++)
		n += dots[i] != before[i];
	return n;
}

static void long_line(void)
{
	static char line[COLS + 1];

	for (unsigned int i = 0; i < COLS / 10; i++)
		memcpy(line + i * 10, "##########", 10);
	printk("%s\n", line);
}

static void one_ms(void)
{
	world_pass(NS_PER_MS);
}

static void start(const char *options)
{
	boot_info.fb = (struct boot_fb){ .kind = FB_LINEAR,
					 .addr = GIB(5),
					 .pitch = WIDTH * 4,
					 .width = WIDTH,
					 .height = HEIGHT,
					 .bpp = 32,
					 .red_size = 8,
					 .red_pos = 16,
					 .green_size = 8,
					 .green_pos = 8,
					 .blue_size = 8 };
	world_early(options);
	console_mm_ready();
}

static void keeps(void)
{
	unsigned int piece, most = 0;

	start("console=vga vga=keep");
	console_start_timers();
	for (unsigned int i = 0; i < ROWS / 2; i++)
		long_line();
	/* Half of the screen has changed, and is not drawn at once. */
	for (unsigned int i = 0; i < 300; i++) {
		piece = changed_by(one_ms);
		most = max(most, piece);
	}
	EXPECT(most > 100 && most <= 64 * 128);
	for (unsigned int r = 0; r < ROWS / 2; r++)
		EXPECT(lit(r) > COLS * 10);
	EXPECT(!lit(ROWS / 2 + 1));
	/* And scrolled: the last lines are at the bottom, the cursor's row is empty. */
	for (unsigned int i = 0; i < ROWS; i++)
		long_line();
	printk("\n\n\n");
	world_pass(NS_PER_SEC);
	EXPECT(lit(ROWS - 5) == lit(0) && lit(0) > COLS * 10);
	EXPECT(!lit(ROWS - 1) && !lit(ROWS - 3));
	console_screen_release(); /* not with vga=keep */
	long_line();
	world_pass(NS_PER_SEC);
	EXPECT(lit(ROWS - 2) > COLS * 10);
}

TEST(screen_in_pieces)
{
	unit_isolated(keeps);
}

static void panics(void)
{
	start("console=vga vga=keep");
	console_start_timers();
	for (unsigned int i = 0; i < ROWS; i++)
		long_line();
	log_bust_locks();
	long_line();
	EXPECT(lit(ROWS - 2) > COLS * 10 && lit(0) == lit(ROWS - 2));
}

TEST(screen_at_a_panic)
{
	unit_isolated(panics);
}
