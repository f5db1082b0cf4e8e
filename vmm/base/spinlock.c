/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ticket locks with levels. In debug builds each CPU remembers what it holds, and taking a lock
 * below one already held panics with both names. Two locks of one level are allowed only where
 * spinlock.h gives them an order of their own.
 */
#include "cpu.h"
#include "spinlock.h"

#define HELD_MAX 12

struct held {
	const spinlock_t *lock[HELD_MAX];
	unsigned int n;
};
static struct held held[MAX_CPUS];

static bool same_level_ok(uint8_t level)
{
	return level == LOCK_GRANT || level == LOCK_EVENT || level == LOCK_SCHED ||
	       level == LOCK_P2M || level == LOCK_DOMAIN;
}

static void check_order(const spinlock_t *l)
{
	struct held *h = &held[cpu_id()];

	for (unsigned int i = 0; i < h->n; i++) {
		const spinlock_t *o = h->lock[i];

		if (o == l)
			panic("lock %s taken twice", l->name);
		if (o->level > l->level || (o->level == l->level && !same_level_ok(l->level)))
			panic("lock order: %s (level %u) wanted while holding %s (level %u)",
			      l->name, l->level, o->name, o->level);
	}
}

static inline void note_taken(spinlock_t *l)
{
	unsigned int cpu = cpu_id();
	struct held *h = &held[cpu];

	WRITE_ONCE(l->holder, (int16_t)cpu);
	if (PLINTH_DEBUG) {
		BUG_ON(h->n == HELD_MAX);
		h->lock[h->n++] = l;
	}
}

static void note_released(const spinlock_t *l)
{
	struct held *h = &held[cpu_id()];
	unsigned int i = h->n;

	while (i-- > 0) {
		if (h->lock[i] == l) {
			h->lock[i] = h->lock[--h->n];
			return;
		}
	}
	panic("lock %s released by CPU %u, which does not hold it", l->name, cpu_id());
}

void spin_lock_init(spinlock_t *l, enum lock_level level, const char *name)
{
	*l = (spinlock_t)SPINLOCK_INIT((uint8_t)level, name);
}

static __noinline void wait_for_turn(const spinlock_t *l, uint16_t ticket)
{
	while (__atomic_load_n(&l->owner, __ATOMIC_ACQUIRE) != ticket) {
		smp_poll_calls();
		cpu_relax();
	}
}

void spin_lock(spinlock_t *l)
{
	uint16_t ticket;

	if (PLINTH_DEBUG)
		check_order(l);
	ticket = __atomic_fetch_add(&l->next, 1, __ATOMIC_ACQUIRE);
	if (unlikely(__atomic_load_n(&l->owner, __ATOMIC_ACQUIRE) != ticket))
		wait_for_turn(l, ticket);
	note_taken(l);
}

bool spin_trylock(spinlock_t *l)
{
	/* It is the owner's step that says the last holder is through, not the ticket's. */
	uint16_t owner = __atomic_load_n(&l->owner, __ATOMIC_ACQUIRE);
	uint16_t ticket = owner;

	if (!__atomic_compare_exchange_n(&l->next, &ticket, (uint16_t)(owner + 1), false,
					 __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		return false;
	note_taken(l);
	return true;
}

void spin_unlock(spinlock_t *l)
{
	if (PLINTH_DEBUG)
		note_released(l);
	WRITE_ONCE(l->holder, -1);
	__atomic_store_n(&l->owner, (uint16_t)(l->owner + 1), __ATOMIC_RELEASE);
}

bool spin_is_mine(const spinlock_t *l)
{
	return __atomic_load_n(&l->holder, __ATOMIC_RELAXED) == (int16_t)cpu_id();
}
