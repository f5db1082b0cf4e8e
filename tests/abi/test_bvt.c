/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Borrowed virtual time, simulated on one CPU: shares by weight, latency of a vCPU that waits, caps. */
#include "abi_test.h"
#include "sched.h"

#define NV 4U

static struct domain dom[NV];
static struct vcpu v[NV];
static struct sched_cpu c;
static uint64_t now, ran[NV];

/* What the core does: the queue's count is its own. */
static void put(struct vcpu *n, bool woken)
{
	c.nr_queued++;
	sched_bvt.insert(&c, n, woken, now);
}

static void take(struct vcpu *n)
{
	c.nr_queued--;
	sched_bvt.remove(&c, n);
}

static void set_params(struct domain *d, unsigned int weight, unsigned int cap)
{
	union sched_params p = { .share = { weight, cap } };

	EXPECT(!sched_bvt.set(d, &p));
}

static void setup(const unsigned int *weight)
{
	static uint64_t records[NV + 1][SCHED_POLICY_BYTES / 8];

	memset(dom, 0, sizeof(dom));
	memset(&c, 0, sizeof(c));
	memset(v, 0, sizeof(v));
	memset(records, 0, sizeof(records));
	memset(ran, 0, sizeof(ran));
	list_init(&c.queue);
	c.policy = records[NV];
	now = NS_PER_SEC;
	for (unsigned int i = 0; i < NV; i++) {
		v[i].id = i;
		v[i].domain = &dom[i];
		v[i].sched.policy = records[i];
		list_init(&v[i].sched.queue);
		if (weight[i]) {
			set_params(&dom[i], weight[i], 0);
			put(&v[i], true);
		}
	}
}

/* Runs the one whose turn it is for its slice, at most `limit`; puts it back. */
static struct vcpu *step(uint64_t limit)
{
	uint64_t slice;
	struct vcpu *n = sched_bvt.pick(&c, now);

	if (n)
		take(n);
	slice = sched_bvt.slice(&c, n, now);
	if (!n) {
		now += min(slice, limit);
		return NULL;
	}
	c.curr = n;
	slice = min(slice, limit);
	now += slice;
	ran[n->id] += slice;
	sched_bvt.account(&c, n, slice, now);
	put(n, false);
	return n;
}

TEST(bvt_shares_follow_weights)
{
	static const unsigned int weight[NV] = { 256, 512, 1024, 256 };
	uint64_t total = 0, sum = 0;

	setup(weight);
	for (unsigned int i = 0; i < 20000; i++)
		step(10 * NS_PER_MS);
	for (unsigned int i = 0; i < NV; i++) {
		total += ran[i];
		sum += weight[i];
	}
	for (unsigned int i = 0; i < NV; i++) {
		uint64_t want = total / sum * weight[i];

		EXPECT(ran[i] > want * 98 / 100 && ran[i] < want * 102 / 100);
	}
}

TEST(bvt_waker_preempts_at_once)
{
	static const unsigned int weight[NV] = { 256, 256, 256, 0 };

	setup(weight);
	for (unsigned int i = 0; i < 100; i++)
		step(10 * NS_PER_MS);
	c.curr = &v[0];
	take(&v[0]);
	put(&v[3], true);
	EXPECT(!sched_bvt.until(&c, &v[3], now));
}

/* Long sleep earns no more than the others' share afterwards. */
TEST(bvt_sleep_is_not_saved_up)
{
	static const unsigned int weight[NV] = { 256, 0, 0, 0 };
	uint64_t first;

	setup(weight);
	for (unsigned int i = 0; i < 1000; i++)
		step(10 * NS_PER_MS);
	put(&v[1], true);
	first = ran[0];
	for (unsigned int i = 0; i < 200; i++)
		step(10 * NS_PER_MS);
	EXPECT(ran[1] < (ran[0] - first) + 30 * NS_PER_MS);
	EXPECT(ran[1] + 30 * NS_PER_MS > ran[0] - first);
}

TEST(bvt_cap_holds)
{
	static const unsigned int weight[NV] = { 256, 0, 0, 0 };
	uint64_t start;

	setup(weight);
	dom[0].max_vcpus = 1;
	set_params(&dom[0], 256, 20);
	start = now;
	while (now - start < 10 * NS_PER_SEC)
		step(10 * NS_PER_MS);
	EXPECT(ran[0] < (now - start) * 21 / 100 && ran[0] > (now - start) * 19 / 100);
}
