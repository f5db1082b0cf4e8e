/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The standard VGA: IBM VGA registers and memory (IBM Personal System/2 Hardware Interface
 * Technical
 * Reference, "Video Subsystem") with the DISPI ("Bochs VBE") extension. Everything here is pure
 * logic over a struct vga and an array of video memory; vga_pci.c binds it to the machine.
 *
 * Video memory layout: the four planes are interleaved, byte `4 * offset + plane`, so that chain-4
 * memory and the linear framebuffer are the same bytes in the same order.
 *
 * The guest owns every register and every byte of video memory: no combination may make the
 * renderer look outside [vram, vram + vram_bytes), which is a power of two.
 */
#ifndef DM_HW_VGA_H
#define DM_HW_VGA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VGA_PAGE_SHIFT	 12
#define VGA_MAX_XRES	 4096u /* also the widest picture that the CRTC can describe */
#define VGA_MAX_YRES	 4096u
#define VGA_LINE_BYTES	 ((VGA_MAX_XRES + 16) * 4)
#define VGA_WINDOW_BASE	 0xa0000u
#define VGA_WINDOW_BYTES 0x20000u

enum vga_seq_reg { SEQ_RESET, SEQ_CLOCK, SEQ_MAP_MASK, SEQ_FONT, SEQ_MEMORY };
enum vga_gr_reg {
	GR_SET_RESET,
	GR_SET_RESET_ENABLE,
	GR_COMPARE,
	GR_FUNCTION,
	GR_READ_MAP,
	GR_MODE,
	GR_MISC,
	GR_DONT_CARE,
	GR_BIT_MASK,
};
enum vga_ar_reg { AR_MODE = 0x10, AR_OVERSCAN, AR_PLANE_ENABLE, AR_PAN, AR_COLOUR_SELECT };
enum vga_cr_reg {
	CR_H_TOTAL = 0x00,
	CR_H_END = 0x01,
	CR_H_BLANK_START = 0x02,
	CR_V_TOTAL = 0x06,
	CR_OVERFLOW = 0x07,
	CR_PRESET_ROW = 0x08,
	CR_MAX_SCAN = 0x09,
	CR_CURSOR_START = 0x0a,
	CR_CURSOR_END = 0x0b,
	CR_START_HIGH = 0x0c,
	CR_START_LOW = 0x0d,
	CR_CURSOR_HIGH = 0x0e,
	CR_CURSOR_LOW = 0x0f,
	CR_V_SYNC_START = 0x10,
	CR_V_SYNC_END = 0x11,
	CR_V_END = 0x12,
	CR_OFFSET = 0x13,
	CR_UNDERLINE = 0x14,
	CR_MODE = 0x17,
	CR_LINE_COMPARE = 0x18,
};

/* DISPI registers, by index. */
enum vga_vbe_reg {
	VBE_ID,
	VBE_XRES,
	VBE_YRES,
	VBE_BPP,
	VBE_ENABLE,
	VBE_BANK,
	VBE_VIRT_WIDTH,
	VBE_VIRT_HEIGHT,
	VBE_X_OFFSET,
	VBE_Y_OFFSET,
	VBE_MEMORY_64K,
	VBE_NR,
};
#define VBE_ENABLED  0x01u
#define VBE_GETCAPS  0x02u
#define VBE_8BIT_DAC 0x20u
#define VBE_LFB	     0x40u
#define VBE_NOCLEAR  0x80u
#define VBE_ID_FIRST 0xb0c0u
#define VBE_ID_LAST  0xb0c5u

enum vga_kind {
	VGA_KIND_BLANK,
	VGA_KIND_TEXT,
	VGA_KIND_PLANAR, /* 1 bit of each plane per pixel */
	VGA_KIND_CGA,	 /* 2 bits of each byte, planes in turn */
	VGA_KIND_256,	 /* one byte per pixel, each shown twice */
	VGA_KIND_LIN8,
	VGA_KIND_LIN15,
	VGA_KIND_LIN16,
	VGA_KIND_LIN24,
	VGA_KIND_LIN32,
};

/*
 * All that the picture depends on besides video memory, the cursor's place and the time. Two frames
 * are the same exactly when their bytes are (filled over a zeroed struct).
 */
struct vga_frame {
	enum vga_kind kind;
	uint32_t width, height;	 /* output pixels */
	uint32_t source_px;	 /* memory pixels per line */
	bool doubled;		 /* each memory pixel is shown twice */
	uint32_t start, pitch;	 /* bytes of interleaved video memory */
	uint32_t split;		 /* last output line above the split, or UINT32_MAX */
	uint32_t rows;		 /* row scan counter counts 0 .. rows - 1 */
	uint32_t lines_per_row;	 /* 2 with scan doubling */
	uint32_t bank_mask;	 /* row counter bits (1, 2) that replace address bits */
	uint32_t bank_shift;	 /* the address bit that row counter bit 0 replaces */
	uint32_t first_row;	 /* preset row scan */
	uint32_t pan, pan_below; /* memory pixels, above and below the split */
	uint32_t below;		 /* start address below the split */
	uint32_t plane_mask;	 /* 32-bit mask over one interleaved dword */
	/* text only */
	uint32_t columns, text_rows;
	uint32_t cell_width, font[2];
	uint32_t cursor_first, cursor_last; /* rows; first > last: none */
	uint32_t underline;		    /* row, or 32 and more for none */
	bool blink, dup9;
	uint32_t palette[256];
};

struct vga_timing_state {
	uint64_t last_ns;
	uint8_t last;
};

struct vga {
	uint8_t *vram;
	uint32_t vram_bytes; /* power of two, at least 256 KiB */

	uint8_t seq_index, seq[8];
	uint8_t gr_index, gr[16];
	uint8_t crtc_index, crtc[256];
	uint8_t ar_index, ar[21];
	bool ar_data; /* the next write to 3c0 is data */
	uint8_t misc, feature;
	uint8_t pel_mask, dac_read, dac_write, dac_sub, dac_state;
	uint8_t dac_latch[3];
	uint8_t dac[768];
	uint32_t latch; /* byte n = plane n */

	uint16_t vbe_index, vbe[VBE_NR];
	uint32_t vbe_start, vbe_pitch; /* bytes */
	uint32_t bank_offset;	       /* bytes */

	uint64_t (*now_ns)(void *opaque);
	void (*written)(void *opaque, uint32_t offset, uint32_t len); /* may be NULL */
	void *opaque;

	/* Pages that changed since they were last drawn. One bit each. */
	unsigned long *dirty;
	bool font_dirty;
	struct vga_timing_state retrace;

	/* Renderer. resize returns the new pixels; stride in pixels. */
	uint32_t *(*resize)(void *opaque, uint32_t width, uint32_t height, uint32_t *stride);
	void (*damage)(void *opaque, uint32_t x, uint32_t y, uint32_t width, uint32_t height);
	uint32_t *pixels;
	uint32_t stride, width, height;
	bool redraw;
	struct vga_frame frame; /* as last drawn */
	uint32_t *cells;	/* text cells as last drawn */
	size_t cells_capacity;
	uint32_t line_px[VGA_MAX_XRES + 16]; /* one decoded line */
	uint8_t line_raw[VGA_LINE_BYTES];    /* one line that wraps around the end of memory */
};

/* vga_regs.c. vga_init allocates the bitmap; vram_bytes and the callbacks are set before. */
void vga_init(struct vga *v);
void vga_free(struct vga *v);
void vga_reset(struct vga *v);
uint8_t vga_port_read(struct vga *v, uint32_t port);
void vga_port_write(struct vga *v, uint32_t port, uint8_t value);
/* Video memory changed at offset (also used for writes that came through other paths). */
void vga_mark_dirty(struct vga *v, uint32_t offset, uint32_t len);

/* vga_timing.c: input status 1 without the flip-flop's side effect. */
uint8_t vga_status1(struct vga *v);

/* vga_vbe.c */
uint16_t vga_vbe_read(struct vga *v, unsigned int index);
void vga_vbe_write(struct vga *v, unsigned int index, uint16_t value);
void vga_vbe_recompute(struct vga *v); /* after the registers were restored */
static inline bool vga_vbe_on(const struct vga *v)
{
	return v->vbe[VBE_ENABLE] & VBE_ENABLED;
}

/* vga_mem.c: the window at a0000; offset 0 .. VGA_WINDOW_BYTES - 1. */
uint8_t vga_mem_read(struct vga *v, uint32_t offset);
void vga_mem_write(struct vga *v, uint32_t offset, uint8_t value);

/* vga_frame.c: what the registers describe now. */
void vga_frame_get(const struct vga *v, struct vga_frame *f);
/* The pages that a graphics frame shows; false for text and blank screens. */
bool vga_frame_pages(const struct vga *v, const struct vga_frame *f, uint32_t *first,
		     uint32_t *count);
static inline bool vga_frame_is_linear(const struct vga_frame *f)
{
	return f->kind >= VGA_KIND_LIN8;
}

/* vga_draw.c: bring the picture up to date. now_ns drives the blinking. */
void vga_render(struct vga *v, uint64_t now_ns);
/* vga_graphics.c and vga_text.c, for vga_draw.c. full: draw everything. */
void vga_draw_graphics(struct vga *v, const struct vga_frame *f, bool full);
void vga_draw_text(struct vga *v, const struct vga_frame *f, bool full, uint64_t now_ns);

static inline bool vga_page_dirty(const struct vga *v, uint32_t page)
{
	const uint32_t bits = 8 * sizeof(unsigned long);

	return v->dirty[page / bits] >> (page % bits) & 1;
}

#endif
