/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Doubly linked circular lists, intrusive. No locking of their own. */
#ifndef PLINTH_LIST_H
#define PLINTH_LIST_H

#include "types.h"

struct list_head {
	struct list_head *next, *prev;
};

#define LIST_HEAD_INIT(name)     \
	{                        \
		&(name), &(name) \
	}

static inline void list_init(struct list_head *h)
{
	h->next = h->prev = h;
}
static inline bool list_empty(const struct list_head *h)
{
	return h->next == h;
}

static inline void list_add_between(struct list_head *n, struct list_head *prev,
				    struct list_head *next)
{
	n->prev = prev;
	n->next = next;
	prev->next = n;
	next->prev = n;
}

static inline void list_add(struct list_head *n, struct list_head *h)
{
	list_add_between(n, h, h->next);
}
static inline void list_add_tail(struct list_head *n, struct list_head *h)
{
	list_add_between(n, h->prev, h);
}

/* Leaves n an empty list of its own, so deleting twice is harmless. */
static inline void list_del(struct list_head *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	list_init(n);
}

/* From the list that it is in to another one. */
static inline void list_move(struct list_head *n, struct list_head *h)
{
	list_del(n);
	list_add(n, h);
}

static inline void list_move_tail(struct list_head *n, struct list_head *h)
{
	list_del(n);
	list_add_tail(n, h);
}

#define list_entry(p, type, member) container_of(p, type, member)
#define list_first(h, type, member) list_entry((h)->next, type, member)
#define list_for_each(pos, h, member)                                                \
	for (pos = list_entry((h)->next, typeof(*pos), member); &pos->member != (h); \
	     pos = list_entry(pos->member.next, typeof(*pos), member))
#define list_for_each_safe(pos, tmp, h, member)                       \
	for (pos = list_entry((h)->next, typeof(*pos), member),       \
	    tmp = list_entry(pos->member.next, typeof(*pos), member); \
	     &pos->member != (h);                                     \
	     pos = tmp, tmp = list_entry(pos->member.next, typeof(*pos), member))

#endif
