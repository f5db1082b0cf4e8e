/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ISA DMA for devices. A device raises its request, then moves data when the channel lets it: at
 * once, or from its ready callback after the guest has unmasked the channel.
 */
#ifndef DM_HW_I8257_H
#define DM_HW_I8257_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct i8257; /* struct machine has it */

/* One device per channel, 0-3 (bytes) or 5-7 (words). ready may move data at once. */
void i8257_attach(struct i8257 *d, unsigned int channel, void (*ready)(void *opaque), void *opaque);
void i8257_set_dreq(struct i8257 *d, unsigned int channel, bool level);
/* Enabled, unmasked and not cascaded. */
bool i8257_ready(struct i8257 *d, unsigned int channel);
/* Bytes until terminal count, 1 to 131072. */
uint32_t i8257_left(struct i8257 *d, unsigned int channel);
/*
 * Move up to len bytes between buf and memory; returns how many, 0 when the channel is not ready.
 * *tc is set when the count ran out with the last of them. A channel in verify mode counts and
 * moves nothing: what a device would take from memory is then all-ones.
 */
size_t i8257_move(struct i8257 *d, unsigned int channel, void *buf, size_t len, bool to_memory,
		  bool *tc);

#endif
