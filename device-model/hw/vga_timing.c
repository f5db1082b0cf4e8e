// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Input status register 1 (3da): display enable and vertical retrace, computed from the CRTC's
 * timing registers and the guest's clock.
 *
 * A guest that polls sees each access only every few ten microseconds, so it could sleep through a
 * retrace of two lines for many frames. A phase which began and ended between two reads is
 * therefore
 * reported late, once: a loop that waits for retrace ends within one frame, as on the real thing.
 */
#include "hw/vga.h"

#define ST1_DISPLAY_DISABLED 0x01u
#define ST1_RETRACE	     0x08u

struct timing {
	uint64_t line_ns, frame_ns;
	uint32_t lines, shown, sync_start, sync_lines, active_permille;
};

static uint32_t overflow_bits(const struct vga *v, unsigned int bit8, unsigned int bit9)
{
	uint8_t o = v->crtc[CR_OVERFLOW];

	return (o >> bit8 & 1u) << 8 | (o >> bit9 & 1u) << 9;
}

static void timing_get(const struct vga *v, struct timing *t)
{
	uint32_t chars = v->crtc[CR_H_TOTAL] + 5u, dots = v->seq[SEQ_CLOCK] & 1 ? 8 : 9;
	uint64_t clock_khz = (v->misc >> 2 & 3) == 1 ? 28322 : 25175;

	if (v->seq[SEQ_CLOCK] & 8)
		clock_khz /= 2;
	t->lines = (v->crtc[CR_V_TOTAL] | overflow_bits(v, 0, 5)) + 2;
	t->shown = (v->crtc[CR_V_END] | overflow_bits(v, 1, 6)) + 1;
	t->sync_start = v->crtc[CR_V_SYNC_START] | overflow_bits(v, 2, 7);
	t->sync_lines = (v->crtc[CR_V_SYNC_END] - t->sync_start) & 15;
	t->line_ns = chars * dots * 1000000ull / clock_khz;
	t->frame_ns = t->line_ns * t->lines;
	t->active_permille = (v->crtc[CR_H_END] + 1u) * 1000 / chars;
	/* Registers that describe no monitor's timing (or DISPI modes): plain 60 Hz. */
	if (vga_vbe_on(v) || t->frame_ns < 5000000 || t->frame_ns > 50000000 ||
	    t->shown >= t->lines || t->sync_start >= t->lines || t->active_permille >= 1000) {
		t->lines = 525;
		t->shown = 480;
		t->sync_start = 490;
		t->sync_lines = 2;
		t->line_ns = 31746;
		t->frame_ns = t->line_ns * t->lines;
		t->active_permille = 800;
	}
	if (!t->sync_lines)
		t->sync_lines = 2;
}

static uint8_t status_at(const struct timing *t, uint64_t now_ns)
{
	uint64_t in_frame = now_ns % t->frame_ns;
	uint32_t line = (uint32_t)(in_frame / t->line_ns);
	uint8_t status = 0;

	if (line >= t->sync_start && line < t->sync_start + t->sync_lines)
		status |= ST1_RETRACE | ST1_DISPLAY_DISABLED;
	if (line >= t->shown || in_frame % t->line_ns * 1000 > t->line_ns * t->active_permille)
		status |= ST1_DISPLAY_DISABLED;
	return status;
}

/* How many retraces have begun by now_ns. */
static uint64_t retraces_begun(const struct timing *t, uint64_t now_ns)
{
	return (now_ns + t->frame_ns - t->sync_start * t->line_ns) / t->frame_ns;
}

uint8_t vga_status1(struct vga *v)
{
	uint64_t now = v->now_ns(v->opaque), last = v->retrace.last_ns;
	struct timing t;
	uint8_t status;

	timing_get(v, &t);
	status = status_at(&t, now);
	if (now > last) {
		if (!(v->retrace.last & ST1_RETRACE) &&
		    retraces_begun(&t, now) != retraces_begun(&t, last))
			status |= ST1_RETRACE | ST1_DISPLAY_DISABLED;
		else if ((v->retrace.last & ST1_RETRACE) && (status & ST1_RETRACE) &&
			 now - last > t.frame_ns / 2)
			status = 0;
		else if (status == v->retrace.last && !(status & ST1_RETRACE) &&
			 now - last > t.line_ns)
			status ^= ST1_DISPLAY_DISABLED;
	}
	v->retrace.last_ns = now;
	v->retrace.last = status;
	return status;
}
