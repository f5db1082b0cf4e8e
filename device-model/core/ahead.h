/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads ahead: a device tells what the next reads of its port will get, and a VMM that knows how answers them
 * without a request (plinth_dm_op.h). For ports that give out a buffer item by item. A device need not know
 * how many were read until something else reaches it; then it is told first.
 */
#ifndef DM_CORE_AHEAD_H
#define DM_CORE_AHEAD_H

#include <stdbool.h>
#include <stdint.h>

struct machine;
struct plinth_read_ahead;

/* The VMM looks into this window (both live as long as the process). Without it offers are not made. */
void ahead_init(struct machine *m, struct plinth_read_ahead *window);
/*
 * From a port's read handler: the next count reads of size bytes (1, 2, 4) will get these items, and nothing
 * else happens by them. taken() is called with how many were read, at most count, before the next access of
 * any kind, a reset, or a save. Replaces nothing: one offer is out at a time.
 */
void ahead_offer(struct machine *m, uint32_t port, unsigned int size, const void *items,
		 unsigned int count, void (*taken)(void *opaque, unsigned int count), void *opaque);
/* Whether an offer for this port would be looked at. */
bool ahead_wanted(const struct machine *m);
/* Take back what is left of the offer, and tell the device. */
void ahead_settle(struct machine *m);
/* The VMM's part, for qtest: the next item, if it is of this port and size. */
bool ahead_take(struct machine *m, uint32_t port, unsigned int size, uint64_t *value);

#endif
