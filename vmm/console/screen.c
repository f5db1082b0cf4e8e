/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages on the screen until dom0 takes it: VGA text memory, or the loader's linear framebuffer
 * with the font of font.c (each dot row doubled: 8x16 cells). The text is kept apart from what is
 * drawn: scrolling is a count, what changed is drawn in pieces, and the screen is never read.
 */
#include "boot.h"
#include "internal.h"
#include "mm.h"
#include "pagetable.h"

#define COLS_MAX 240U
#define ROWS_MAX 135U
#define CELL_W	 8U
#define CELL_H	 16U
#define VGA_TEXT 0xb8000UL
#define ATTR	 0x0700

static char text[ROWS_MAX][COLS_MAX];  /* of row r in line (top + r) % rows */
static char drawn[ROWS_MAX][COLS_MAX]; /* 0 = nothing that is known */
static bool changed[ROWS_MAX];	       /* rows on the screen to be compared */
static unsigned int cols, rows, col, row, top;
static volatile uint16_t *vga; /* text mode */
static volatile uint8_t *fb;   /* linear mode */
static uint32_t fore;

static uint32_t color_of(const struct boot_fb *f, unsigned int level)
{
	uint32_t r = level >> (8 - f->red_size), g = level >> (8 - f->green_size);
	uint32_t b = level >> (8 - f->blue_size);

	return r << f->red_pos | g << f->green_pos | b << f->blue_pos;
}

static void put_pixel(const struct boot_fb *f, unsigned int x, unsigned int y, bool on)
{
	volatile uint8_t *p = fb + (uint64_t)y * f->pitch + x * ((f->bpp + 7) / 8);
	uint32_t c = on ? fore : 0;

	switch (f->bpp) {
	case 32:
		*(volatile uint32_t *)p = c;
		break;
	case 24:
		p[0] = (uint8_t)c;
		p[1] = (uint8_t)(c >> 8);
		p[2] = (uint8_t)(c >> 16);
		break;
	default:
		*(volatile uint16_t *)p = (uint16_t)c;
		break;
	}
}

static void draw_cell(unsigned int r, unsigned int c)
{
	unsigned char ch = (unsigned char)drawn[r][c];
	const uint8_t *glyph;

	if (vga) {
		vga[r * cols + c] = ATTR | ch;
		return;
	}
	glyph = font_5x7[ch >= ' ' && ch <= '~' ? ch - ' ' : 0];
	for (unsigned int y = 0; y < CELL_H; y++)
		for (unsigned int x = 0; x < CELL_W; x++) {
			bool on = x >= 1 && x <= 5 && y >= 1 && y <= 14 &&
				  (glyph[x - 1] >> ((y - 1) / 2) & 1);

			put_pixel(&boot_info.fb, c * CELL_W + x, r * CELL_H + y, on);
		}
}

static char *line(unsigned int r)
{
	return text[(top + r) % rows];
}

static void set_cell(unsigned int r, unsigned int c, char ch)
{
	line(r)[c] = ch;
	changed[r] = true;
}

static void scroll(void)
{
	top = (top + 1) % rows;
	memset(line(rows - 1), ' ', cols);
	memset(changed, true, rows);
}

static void newline(void)
{
	col = 0;
	if (row + 1 < rows)
		row++;
	else
		scroll();
}

static void put_char(char ch)
{
	switch (ch) {
	case '\n':
		newline();
		break;
	case '\r':
		col = 0;
		break;
	case '\b':
		col -= col > 0;
		break;
	case '\t':
		col = min(ROUND_UP(col + 1, 8U), cols - 1);
		break;
	default:
		if ((unsigned char)ch < ' ')
			break;
		if (col == cols)
			newline();
		set_cell(row, col++, ch);
		break;
	}
}

void screen_write(const char *buf, size_t len)
{
	if (!vga && !fb)
		return;
	for (size_t i = 0; i < len; i++)
		put_char(buf[i]);
}

/* False when the row is as its text says; cells are counted down as they are drawn. */
static bool draw_row(unsigned int r, unsigned int *cells)
{
	const char *want = line(r);

	for (unsigned int c = 0; c < cols; c++) {
		if (drawn[r][c] == want[c])
			continue;
		if (!*cells)
			return true;
		--*cells;
		drawn[r][c] = want[c];
		draw_cell(r, c);
	}
	changed[r] = false;
	return false;
}

bool screen_draw(unsigned int cells)
{
	if (!vga && !fb)
		return false;
	for (unsigned int r = 0; r < rows; r++)
		if (changed[r] && draw_row(r, &cells))
			return true;
	return false;
}

static void set_size(unsigned int c, unsigned int r)
{
	cols = min(c, COLS_MAX);
	rows = min(r, ROWS_MAX);
	memset(drawn, 0, sizeof(drawn));
	memset(text, ' ', sizeof(text));
	memset(changed, true, rows);
	col = row = top = 0;
	screen_draw(~0U);
}

/* Early: only what the boot page tables reach, that is memory below 4 GiB. */
void screen_init(void)
{
	struct boot_fb *f = &boot_info.fb;

	if (f->kind == FB_LINEAR) {
		if (f->addr + (uint64_t)f->pitch * f->height > GIB(4))
			return;
		fore = color_of(f, 0xc0);
		fb = maddr_to_virt(_maddr(f->addr));
		set_size(f->width / CELL_W, f->height / CELL_H);
	} else if (!boot_info.efi) {
		vga = maddr_to_virt(_maddr(VGA_TEXT));
		set_size(80, 25);
	}
}

void screen_mm_ready(void)
{
	const struct boot_fb *f = &boot_info.fb;
	bool late = !fb && f->kind == FB_LINEAR;

	if (f->kind == FB_LINEAR)
		fb = ioremap_wc(_maddr(f->addr), (uint64_t)f->pitch * f->height);
	else if (vga)
		vga = ioremap(_maddr(VGA_TEXT), 80 * 25 * 2);
	if (late && fb) {
		fore = color_of(f, 0xc0);
		set_size(f->width / CELL_W, f->height / CELL_H);
	}
}

void screen_release(void)
{
	vga = NULL;
	fb = NULL;
}
