/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event channels against a model of the guest: the consumer's side of both forms, written from
 * xen/event_channel.h. Whatever the order of raising, masking, unmasking and consuming, every raised
 * port reaches the guest, once, and by priority.
 */
#include "abi_test.h"
#include "vmm/domain/internal.h"

#define NR_PORTS    200U
#define CONTROL_GFN 0
#define ARRAY_GFN   1

static event_word_t *word(unsigned int port)
{
	return (event_word_t *)mock_page(ARRAY_GFN) + port;
}

/* Takes the head of a queue as the specification says; 0 = empty. */
static unsigned int consume_one(uint32_t *head, uint32_t *ready, unsigned int prio)
{
	struct evtchn_fifo_control_block *cb = mock_page(CONTROL_GFN);
	unsigned int port = *head;
	event_word_t w;

	if (!port)
		port = cb->head[prio];
	if (!port)
		return 0;
	w = *word(port);
	*word(port) = w & ~(event_word_t)(BIT(EVTCHN_FIFO_LINKED) | EVTCHN_FIFO_LINK_MASK);
	*head = w & EVTCHN_FIFO_LINK_MASK;
	if (!*head)
		*ready &= ~(1U << prio);
	return port;
}

/* Runs the guest's upcall handler; counts what it saw. Returns the events handled. */
static unsigned int upcall(unsigned int *seen, int *order)
{
	static uint32_t heads[EVTCHN_FIFO_MAX_QUEUES];
	struct evtchn_fifo_control_block *cb = mock_page(CONTROL_GFN);
	unsigned int n = 0, port;
	uint32_t ready = __atomic_exchange_n(&cb->ready, 0, __ATOMIC_SEQ_CST);

	while (ready) {
		unsigned int prio = ffs64(ready) - 1;

		port = consume_one(&heads[prio], &ready, prio);
		if (!port) {
			ready &= ~(1U << prio);
			continue;
		}
		if ((*word(port) & BIT(EVTCHN_FIFO_PENDING)) &&
		    !(*word(port) & BIT(EVTCHN_FIFO_MASKED))) {
			*word(port) &= ~(event_word_t)BIT(EVTCHN_FIFO_PENDING);
			seen[port]++;
			if (order)
				order[n] = (int)prio;
			n++;
		}
		ready |= __atomic_exchange_n(&cb->ready, 0, __ATOMIC_SEQ_CST);
	}
	return n;
}

static struct domain *fifo_domain(unsigned int *ports)
{
	struct domain *d = mock_domain(5, 1, 1023);
	struct evtchn_init_control ic = { .control_gfn = CONTROL_GFN };
	struct evtchn_expand_array ea = { .array_gfn = ARRAY_GFN };

	memset(mock_page(CONTROL_GFN), 0, PAGE_SIZE);
	memset(mock_page(ARRAY_GFN), 0, PAGE_SIZE);
	for (unsigned int i = 0; i < NR_PORTS; i++) {
		struct evtchn_bind_ipi op = { .vcpu = 0 };

		BUG_ON(evtchn_bind_ipi(d, &op));
		ports[i] = op.port;
	}
	EXPECT(!evtchn_fifo_init_control(d, &ic) && ic.link_bits == EVTCHN_FIFO_LINK_BITS);
	EXPECT(!evtchn_fifo_expand_array(d, &ea));
	return d;
}

TEST(fifo_delivers_everything_once)
{
	unsigned int ports[NR_PORTS], seen[1024], raised[1024], i, r;
	struct domain *d = fifo_domain(ports);

	memset(seen, 0, sizeof(seen));
	memset(raised, 0, sizeof(raised));
	for (r = 0; r < 20000; r++) {
		unsigned int port = ports[unit_random() % NR_PORTS];

		switch (unit_random() % 8) {
		case 0:
			upcall(seen, NULL);
			break;
		case 1:
			set_bit(EVTCHN_FIFO_MASKED, word(port));
			break;
		case 2:
			EXPECT(!evtchn_unmask(d, port));
			break;
		case 3: {
			struct evtchn_set_priority sp = { port, unit_random() % 16 };

			EXPECT(!evtchn_fifo_set_priority(d, &sp));
			break;
		}
		default:
			/* A port that is pending already does not count twice. */
			raised[port] += !(*word(port) & BIT(EVTCHN_FIFO_PENDING));
			EXPECT(!evtchn_send(d, port));
			break;
		}
	}
	for (i = 0; i < NR_PORTS; i++)
		EXPECT(!evtchn_unmask(d, ports[i]));
	upcall(seen, NULL);
	for (i = 0; i < NR_PORTS; i++)
		EXPECT(seen[ports[i]] == raised[ports[i]]);
	mock_domain_free(d);
}

TEST(fifo_priority_order)
{
	unsigned int ports[NR_PORTS], seen[1024] = { 0 }, n;
	struct domain *d = fifo_domain(ports);
	int order[NR_PORTS];

	upcall(seen, NULL);
	for (unsigned int i = 0; i < 16; i++) {
		struct evtchn_set_priority sp = { ports[i], 15 - i };

		EXPECT(!evtchn_fifo_set_priority(d, &sp));
		EXPECT(!evtchn_send(d, ports[i]));
	}
	n = upcall(seen, order);
	EXPECT(n == 16);
	for (unsigned int i = 1; i < n; i++)
		EXPECT(order[i - 1] < order[i]);
	mock_domain_free(d);
}

/* A guest that scribbles over its words and heads gets nonsense, and the VMM survives. */
TEST(fifo_hostile_words)
{
	unsigned int ports[NR_PORTS];
	struct domain *d = fifo_domain(ports);

	for (unsigned int r = 0; r < 20000; r++) {
		uint32_t *junk = mock_page(unit_random() % 2);

		junk[unit_random() % 1024] = (uint32_t)unit_random();
		evtchn_send(d, (unsigned int)(unit_random() % 300));
		evtchn_unmask(d, (unsigned int)(unit_random() % 300));
	}
	mock_domain_free(d);
}

TEST(fifo_holds_back_until_there_is_room)
{
	struct domain *d = mock_domain(5, 1, 1023);
	struct evtchn_init_control ic = { .control_gfn = CONTROL_GFN };
	struct evtchn_expand_array ea = { .array_gfn = ARRAY_GFN };
	struct evtchn_bind_ipi op = { .vcpu = 0 };
	unsigned int seen[1024] = { 0 };

	memset(mock_page(CONTROL_GFN), 0, PAGE_SIZE);
	memset(mock_page(ARRAY_GFN), 0, PAGE_SIZE);
	EXPECT(!evtchn_bind_ipi(d, &op));
	EXPECT(!evtchn_send(d, op.port)); /* in the 2-level form */
	EXPECT(!evtchn_fifo_init_control(d, &ic));
	EXPECT(!evtchn_fifo_expand_array(d, &ea));
	EXPECT(upcall(seen, NULL) == 1 && seen[op.port] == 1);
	mock_domain_free(d);
}

static void check_2l(bool wide)
{
	struct domain *d = mock_domain(5, 2, 1023);
	struct evtchn_bind_ipi op = { .vcpu = 1 };
	unsigned int bits = wide ? 64 : 32;
	const uint8_t *si, *sel;

	d->shared_info_64 = wide;
	si = (const uint8_t *)d->shared_info;
	sel = (const uint8_t *)d->vcpu[1]->info + (wide ? 8 : 4);
	for (unsigned int i = 0; i < 100; i++)
		EXPECT(!evtchn_bind_ipi(d, &op));
	EXPECT(!evtchn_send(d, op.port));
	EXPECT(test_bit(op.port, si + 0x800));
	EXPECT(test_bit(op.port / bits, sel));
	EXPECT(d->vcpu[1]->info->evtchn_upcall_pending && !d->vcpu[0]->info->evtchn_upcall_pending);
	/* Masked: pending, but the selector stays. */
	d->vcpu[1]->info->evtchn_upcall_pending = 0;
	set_bit(50, (uint8_t *)d->shared_info + 0x800 + bits * bits / 8);
	EXPECT(!evtchn_send(d, 50));
	EXPECT(test_bit(50, si + 0x800) && !d->vcpu[1]->info->evtchn_upcall_pending);
	EXPECT(!evtchn_unmask(d, 50));
	EXPECT(d->vcpu[1]->info->evtchn_upcall_pending);
	mock_domain_free(d);
}

TEST(two_level_64)
{
	check_2l(true);
}
TEST(two_level_32)
{
	check_2l(false);
}

TEST(ports_are_refused)
{
	struct domain *d = mock_domain(5, 1, 1023);
	struct evtchn_bind_virq virq = { .virq = VIRQ_TIMER };

	EXPECT(evtchn_send(d, 0) == -EINVAL && evtchn_send(d, 99999) == -EINVAL);
	EXPECT(evtchn_close_guest(d, 7) == -EINVAL);
	EXPECT(!evtchn_bind_virq(d, &virq));
	EXPECT(evtchn_bind_virq(d, &virq) == -EEXIST);
	EXPECT(evtchn_send(d, virq.port) == -EINVAL); /* a guest cannot raise its own timer */
	EXPECT(evtchn_bind_vcpu(d, virq.port, 0) == -EINVAL);
	EXPECT(!evtchn_close_guest(d, virq.port) && !d->vcpu[0]->virq_port[VIRQ_TIMER]);
	mock_domain_free(d);
}

/* What may go wrong around the FIFO form: bad places, rooms that are not there, a reset in the middle. */
TEST(fifo_corner_cases)
{
	unsigned int ports[NR_PORTS], seen[1024] = { 0 };
	struct domain *d = fifo_domain(ports);
	struct evtchn_init_control ic = { .control_gfn = CONTROL_GFN };
	struct evtchn_expand_array ea = { .array_gfn = ARRAY_GFN };
	struct evtchn_set_priority sp = { ports[0], EVTCHN_FIFO_PRIORITY_MIN + 1 };

	upcall(seen, NULL);
	EXPECT(evtchn_fifo_init_control(d, &ic) == -EINVAL); /* this vCPU has one */
	ic.vcpu = 1;
	EXPECT(evtchn_fifo_init_control(d, &ic) == -ENOENT);
	EXPECT(evtchn_fifo_set_priority(d, &sp) == -EINVAL);
	sp.priority = 0;
	sp.port = 0;
	EXPECT(evtchn_fifo_set_priority(d, &sp) == -EINVAL);
	sp.port = 999;
	EXPECT(evtchn_fifo_set_priority(d, &sp) == -EINVAL);
	/* Raised, and then its priority changes before the guest looks: it comes once. */
	EXPECT(!evtchn_send(d, ports[3]));
	sp.port = ports[3];
	EXPECT(!evtchn_fifo_set_priority(d, &sp));
	EXPECT(!evtchn_send(d, ports[3]));
	EXPECT(upcall(seen, NULL) == 1 && seen[ports[3]] == 1);
	/* A closed port that was pending is not delivered to whom gets its number next. */
	EXPECT(!evtchn_send(d, ports[5]));
	EXPECT(!evtchn_close_guest(d, ports[5]));
	EXPECT(upcall(seen, NULL) == 0 && !seen[ports[5]]);
	/* A reset leads back to the 2-level form, with nothing held, and forth again. */
	EXPECT(!evtchn_send(d, ports[7]));
	EXPECT(!evtchn_reset(d));
	EXPECT(evtchn_send(d, ports[7]) == -EINVAL);
	EXPECT(evtchn_fifo_expand_array(d, &ea) == -EOPNOTSUPP);
	memset(mock_page(CONTROL_GFN), 0, PAGE_SIZE);
	ic = (struct evtchn_init_control){ .control_gfn = CONTROL_GFN, .offset = PAGE_SIZE - 8 };
	EXPECT(evtchn_fifo_init_control(d, &ic) == -EINVAL);
	ic.offset = 4;
	EXPECT(evtchn_fifo_init_control(d, &ic) == -EINVAL);
	ic.offset = 0;
	EXPECT(!evtchn_fifo_init_control(d, &ic));
	mock_domain_free(d);
}

/* The array has room for what the domain may have and no more. */
TEST(fifo_array_has_an_end)
{
	struct domain *d = mock_domain(5, 1, 131071);
	struct evtchn_init_control ic = { .control_gfn = CONTROL_GFN };
	struct evtchn_expand_array ea = { .array_gfn = ARRAY_GFN };
	unsigned int pages = 0;

	mock_own_all(d);
	memset(mock_page(CONTROL_GFN), 0, PAGE_SIZE);
	EXPECT(!evtchn_fifo_init_control(d, &ic));
	while (!evtchn_fifo_expand_array(d, &ea))
		pages++;
	EXPECT(pages == EVTCHN_FIFO_NR_CHANNELS / (PAGE_SIZE / sizeof(event_word_t)));
	EXPECT(evtchn_fifo_expand_array(d, &ea) == -ENOSPC);
	EXPECT(mock_refs(ARRAY_GFN) == pages + 1);
	mock_domain_free(d);
	EXPECT(mock_refs(ARRAY_GFN) == 1);
}

static void no_consumer(struct vcpu *v, unsigned int port)
{
	(void)v;
	(void)port;
}

/* A port of the VMM that only the FIFO form can carry is still there after the guest's reset. */
TEST(port_beyond_the_bitmaps)
{
	struct domain *d = mock_domain(5, 1, 131071);
	struct evtchn_init_control ic = { .control_gfn = CONTROL_GFN };
	struct evtchn_bind_ipi ipi = { .vcpu = 0 };
	int port;

	mock_own_all(d);
	memset(mock_page(CONTROL_GFN), 0, PAGE_SIZE);
	EXPECT(!evtchn_fifo_init_control(d, &ic));
	while (ipi.port < 17000 && !evtchn_bind_ipi(d, &ipi))
		;
	port = evtchn_alloc_vmm(d, d->vcpu[0], 0, no_consumer);
	EXPECT(port > 17000);
	EXPECT(!evtchn_reset(d));
	EXPECT(evtchn_poll_pending(d, (unsigned int)port) == 0);
	EXPECT(!evtchn_unmask(d, (unsigned int)port));
	evtchn_free_vmm(d, (unsigned int)port);
	mock_domain_free(d);
}
