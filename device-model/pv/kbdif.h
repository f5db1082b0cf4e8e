/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The back end's half of a paravirtual keyboard's ring (xen/io/kbdif.h): keys, buttons and pointer of the
 * user interfaces as events. The page is shared with the guest: of it only the guest's consumer index is
 * read. When the ring is full, keys, buttons and motion are kept as state, and what differs from what the
 * guest knows follows as soon as there is room, so no key stays down for want of it.
 */
#ifndef DM_PV_KBDIF_H
#define DM_PV_KBDIF_H

#include <stdbool.h>
#include <stdint.h>

#define KBDIF_MAX_KEY 0x120u /* Linux' numbers of keys and buttons, below this */

struct kbdif {
	uint8_t *page;
	void (*notify)(void *opaque);
	void *opaque;
	uint32_t prod;	       /* ours; the page's copy is not trusted */
	bool absolute, raw;    /* as the front end asked */
	int32_t width, height; /* of the picture, for positions that are not raw; above 0 */
	uint8_t want[KBDIF_MAX_KEY], told[KBDIF_MAX_KEY];
	bool moved; /* a motion or position below waits for room */
	int32_t x, y, wheel;
	unsigned int buttons;
};

void kbdif_init(struct kbdif *k, void *page, bool absolute, bool raw, void (*notify)(void *opaque),
		void *opaque);
/* Is there room for an event? */
bool kbdif_ready(const struct kbdif *k);
/* code as in core/input.h; unknown ones are nothing. */
void kbdif_key(struct kbdif *k, unsigned int code, bool down);
void kbdif_relative(struct kbdif *k, int dx, int dy, unsigned int buttons);
/* x and y from 0 to INPUT_ABS_MAX. */
void kbdif_absolute(struct kbdif *k, int x, int y, unsigned int buttons);
/* The guest sent an event: there may be room. */
void kbdif_poll(struct kbdif *k);

#endif
