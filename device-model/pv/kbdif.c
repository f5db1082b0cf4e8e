/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events for a paravirtual keyboard and pointer. See kbdif.h. */
#include "pv/kbdif.h"

#include <string.h>

#include "core/input.h"
#include "core/util.h"

/* Offsets in the page, and events of 40 bytes (xen/io/kbdif.h). */
#define PAGE_IN_CONS 0
#define PAGE_IN_PROD 4
#define RING_OFFSET  1024u
#define RING_EVENTS  51u
#define EVENT_SIZE   40u

enum event_type { EVENT_MOTION = 1, EVENT_KEY = 3, EVENT_POSITION = 4 };

#define BTN_LEFT 0x110u /* then right, middle (linux/input-event-codes.h) */

/* Keys with the prefix E0, by set 1's code, as Linux calls them. Without it the numbers are the same. */
static const uint8_t extended[128] = {
	[0x10] = 165,				  /* previous track */
	[0x19] = 163,				  /* next track */
	[0x1c] = 96,				  /* Enter of the keypad */
	[0x1d] = 97,				  /* right Ctrl */
	[0x20] = 113,				  /* mute */
	[0x21] = 140,				  /* calculator */
	[0x22] = 164,				  /* play */
	[0x24] = 166,				  /* stop */
	[0x2e] = 114,				  /* volume down */
	[0x30] = 115,				  /* volume up */
	[0x32] = 172,				  /* home page */
	[0x35] = 98,				  /* / of the keypad */
	[0x37] = 99,				  /* Print Screen */
	[0x38] = 100,				  /* right Alt */
	[0x46] = 119,				  /* Ctrl-Break */
	[0x47] = 102,				  /* Home */
	[0x48] = 103,				  /* up */
	[0x49] = 104,				  /* Page Up */
	[0x4b] = 105,				  /* left */
	[0x4d] = 106,				  /* right */
	[0x4f] = 107,				  /* End */
	[0x50] = 108,				  /* down */
	[0x51] = 109,				  /* Page Down */
	[0x52] = 110,				  /* Insert */
	[0x53] = 111,				  /* Delete */
	[0x5b] = 125,				  /* left and right logo, menu */
	[0x5c] = 126, [0x5d] = 127, [0x5e] = 116, /* power, sleep, wake */
	[0x5f] = 142, [0x63] = 143,
};
#define KEY_PAUSE 119

/* Set 1's other codes that Linux numbers in another way. */
static unsigned int plain(unsigned int code)
{
	switch (code) {
	case 0x70:
		return 93; /* katakana/hiragana */
	case 0x73:
		return 89; /* Ro */
	case 0x79:
		return 92; /* henkan */
	case 0x7b:
		return 94; /* muhenkan */
	case 0x7d:
		return 124; /* yen */
	case 0x7e:
		return 121; /* comma of the keypad */
	default:
		return code <= 0x58 ? code : 0;
	}
}

static unsigned int linux_key(unsigned int code)
{
	if (code == INPUT_KEY_PAUSE)
		return KEY_PAUSE;
	if (code & ~0xffu)
		return 0;
	return code & INPUT_EXT ? extended[code & 0x7f] : plain(code);
}

void kbdif_init(struct kbdif *k, void *page, bool absolute, bool raw, void (*notify)(void *opaque),
		void *opaque)
{
	*k = (struct kbdif){
		.page = page,
		.notify = notify,
		.opaque = opaque,
		.absolute = absolute,
		.raw = absolute && raw,
		.width = INPUT_ABS_MAX + 1,
		.height = INPUT_ABS_MAX + 1,
	};
	/* A front end that connects again goes on where the page says; once read, it is ours. */
	k->prod = __atomic_load_n((uint32_t *)(k->page + PAGE_IN_PROD), __ATOMIC_ACQUIRE);
}

bool kbdif_ready(const struct kbdif *k)
{
	uint32_t cons = __atomic_load_n((uint32_t *)(k->page + PAGE_IN_CONS), __ATOMIC_ACQUIRE);

	return k->prod - cons < RING_EVENTS;
}

static bool put(struct kbdif *k, const uint8_t event[EVENT_SIZE])
{
	if (!kbdif_ready(k))
		return false;
	memcpy(k->page + RING_OFFSET + k->prod % RING_EVENTS * EVENT_SIZE, event, EVENT_SIZE);
	k->prod++;
	__atomic_store_n((uint32_t *)(k->page + PAGE_IN_PROD), k->prod, __ATOMIC_RELEASE);
	return true;
}

static bool put_key(struct kbdif *k, unsigned int key)
{
	uint8_t event[EVENT_SIZE] = { EVENT_KEY, k->want[key] };

	put_le32(event + 4, key);
	if (!put(k, event))
		return false;
	k->told[key] = k->want[key];
	return true;
}

static bool put_motion(struct kbdif *k)
{
	uint8_t event[EVENT_SIZE] = { k->absolute ? EVENT_POSITION : EVENT_MOTION };

	put_le32(event + 4, (uint32_t)k->x);
	put_le32(event + 8, (uint32_t)k->y);
	put_le32(event + 12, (uint32_t)k->wheel);
	if (!put(k, event))
		return false;
	k->moved = false;
	k->wheel = 0;
	if (!k->absolute)
		k->x = k->y = 0;
	return true;
}

/* Motion first: a button is pressed where the pointer is now. */
void kbdif_poll(struct kbdif *k)
{
	uint32_t before = k->prod;
	unsigned int key;
	bool room = true;

	if (k->moved)
		room = put_motion(k);
	for (key = 0; room && key < KBDIF_MAX_KEY; key++)
		if (k->want[key] != k->told[key])
			room = put_key(k, key);
	if (k->prod != before)
		k->notify(k->opaque);
}

void kbdif_key(struct kbdif *k, unsigned int code, bool down)
{
	unsigned int key = linux_key(code);

	if (!key)
		return;
	/* A repetition changes nothing: the guest's kernel repeats keys itself. */
	k->want[key] = down;
	kbdif_poll(k);
}

/* Buttons are keys; wheel notches are motion. A notch is a press, a positive one is towards the user. */
static void buttons_set(struct kbdif *k, unsigned int buttons)
{
	unsigned int pressed = buttons & ~k->buttons;

	k->want[BTN_LEFT] = !!(buttons & INPUT_BUTTON_LEFT);
	k->want[BTN_LEFT + 1] = !!(buttons & INPUT_BUTTON_RIGHT);
	k->want[BTN_LEFT + 2] = !!(buttons & INPUT_BUTTON_MIDDLE);
	k->wheel += !!(pressed & INPUT_BUTTON_WHEEL_DOWN) - !!(pressed & INPUT_BUTTON_WHEEL_UP);
	k->moved |= k->wheel != 0;
	k->buttons = buttons;
}

/* Sums of what a guest that does not read has missed stay numbers. */
static int32_t add(int32_t a, int b)
{
	int64_t sum = (int64_t)a + b;

	return (int32_t)MIN(MAX(sum, -INT16_MAX), INT16_MAX);
}

void kbdif_relative(struct kbdif *k, int dx, int dy, unsigned int buttons)
{
	buttons_set(k, buttons);
	if (!k->absolute) {
		k->x = add(k->x, dx);
		k->y = add(k->y, dy);
		k->moved |= k->x || k->y;
	}
	kbdif_poll(k);
}

static int32_t scale(int v, int32_t size)
{
	v = MIN(MAX(v, 0), INPUT_ABS_MAX);
	/* To the nearest: the viewer's pixel was rounded down on its way to 0..INPUT_ABS_MAX. */
	return (int32_t)(((int64_t)v * (size - 1) + INPUT_ABS_MAX / 2) / INPUT_ABS_MAX);
}

void kbdif_absolute(struct kbdif *k, int x, int y, unsigned int buttons)
{
	int32_t nx = k->raw ? MIN(MAX(x, 0), INPUT_ABS_MAX) : scale(x, k->width);
	int32_t ny = k->raw ? MIN(MAX(y, 0), INPUT_ABS_MAX) : scale(y, k->height);

	buttons_set(k, buttons);
	if (k->absolute) {
		k->moved |= nx != k->x || ny != k->y;
		k->x = nx;
		k->y = ny;
	}
	kbdif_poll(k);
}
