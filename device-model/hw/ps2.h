/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PS/2 keyboard and mouse as the devices at the end of the cable (IBM PS/2 Hardware Interface
 * Technical Reference, "Keyboards" and "Mouse"; Microsoft's IntelliMouse extension): bytes in,
 * bytes
 * out, pure logic. The controller is i8042.c. The typematic repeat is left to the user interfaces.
 */
#ifndef DM_HW_PS2_H
#define DM_HW_PS2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PS2_QUEUE 256u

struct ps2_queue {
	uint8_t data[PS2_QUEUE];
	uint16_t head, count;
};

static inline size_t ps2_queue_room(const struct ps2_queue *q)
{
	return PS2_QUEUE - q->count;
}

static inline void ps2_queue_put(struct ps2_queue *q, uint8_t byte)
{
	if (q->count < PS2_QUEUE)
		q->data[(q->head + q->count++) % PS2_QUEUE] = byte;
}

static inline uint8_t ps2_queue_get(struct ps2_queue *q)
{
	uint8_t byte = q->data[q->head];

	q->head = (uint16_t)((q->head + 1u) % PS2_QUEUE);
	q->count--;
	return byte;
}

struct ps2_keyboard {
	struct ps2_queue out;
	uint8_t pending; /* command that waits for its argument, 0: none */
	uint8_t set;	 /* scan code set, 1-3 */
	uint8_t leds;	 /* bits 0-2 scroll, num, caps */
	uint8_t rate;	 /* as set, without effect */
	uint8_t last;	 /* last byte sent, for resend */
	bool scanning;
	uint8_t modifiers; /* what the fake shifts of Print and Pause depend on */
	void (*leds_changed)(void *opaque, uint8_t leds);
	void *opaque;
};

enum ps2_mouse_mode { PS2_MOUSE_STREAM, PS2_MOUSE_REMOTE };

struct ps2_mouse {
	struct ps2_queue out;
	uint8_t pending;
	uint8_t mode; /* enum ps2_mouse_mode */
	bool wrap, reporting, scaling2;
	uint8_t resolution, rate;
	uint8_t rates[2];	       /* the last two set, for the IntelliMouse knock */
	uint8_t id;		       /* 0, 3 (wheel) or 4 (five buttons) */
	uint8_t buttons, sent_buttons; /* left, right, middle, 4, 5 as bits 0-4 */
	unsigned int input_buttons;    /* as last told, INPUT_BUTTON_* */
	int32_t dx, dy, dz;	       /* not reported yet; y upwards */
	uint8_t last;
};

void ps2_keyboard_reset(struct ps2_keyboard *k);
void ps2_keyboard_write(struct ps2_keyboard *k, uint8_t byte);
/* Is there room for a key, or is it switched off? */
bool ps2_keyboard_ready(const struct ps2_keyboard *k);
/* code as in core/input.h; only while it is ready. */
void ps2_keyboard_key(struct ps2_keyboard *k, unsigned int code, bool down);

void ps2_mouse_reset(struct ps2_mouse *m);
void ps2_mouse_write(struct ps2_mouse *m, uint8_t byte);
/* Screen coordinates: y downwards. buttons: INPUT_BUTTON_*. */
void ps2_mouse_move(struct ps2_mouse *m, int dx, int dy, unsigned int buttons);
/* Room again: report motion that had to wait. */
void ps2_mouse_poll(struct ps2_mouse *m);

/*
 * ps2_codes.c: scan codes of sets 2 and 3 for a set-1 code (bit 7: E0 key), 0 when there is
 * none.
 */
uint8_t ps2_code_set2(uint8_t set1);
uint8_t ps2_code_set3(uint8_t set1);
/* The controller's translation of one byte from set 2 to set 1. */
uint8_t ps2_translate(uint8_t set2);

#endif
