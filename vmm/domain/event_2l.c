/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The 2-level form of event channels: bitmaps in the shared info page and a selector word in
 * vcpu_info. Their word size follows the guest (hvmloader and SeaBIOS are 32-bit), see
 * xen/arch-x86/xen-x86_32.h for the narrow layout. Called with d->event_lock.
 */
#include "internal.h"

#define BITMAP_OFFSET	0x800U /* after 32 vcpu_info of 64 bytes, in both layouts */
#define WORDS_64	64U
#define WORDS_32	32U
#define SELECTOR_OFF_64 8U
#define SELECTOR_OFF_32 4U

static unsigned int word_bits(const struct domain *d)
{
	return d->shared_info_64 ? 64 : 32;
}

/* The bitmaps of the 2-level form in d's shared info, in the layout that d uses. */
static void *evtchn_2l_pending(const struct domain *d)
{
	return (uint8_t *)d->shared_info + BITMAP_OFFSET;
}

static void *evtchn_2l_mask(const struct domain *d)
{
	return (uint8_t *)d->shared_info + BITMAP_OFFSET +
	       (d->shared_info_64 ? WORDS_64 * 8 : WORDS_32 * 4);
}

static void select_port(struct domain *d, const struct evtchn *e)
{
	struct vcpu *v = domain_vcpu(d, e->vcpu);
	uint8_t *sel =
		(uint8_t *)vcpu_info(v) + (d->shared_info_64 ? SELECTOR_OFF_64 : SELECTOR_OFF_32);

	if (!test_and_set_bit(e->port / word_bits(d), sel))
		evtchn_mark_vcpu(v);
}

/*
 * Ports that the FIFO form has given out stay open when a reset leads back here while others are still bound, and
 * the layout may change: what lies beyond the bitmaps is never shown, and never touched.
 */
static bool fits(const struct domain *d, const struct evtchn *e)
{
	return e->port < word_bits(d) * word_bits(d);
}

static void ev2l_set_pending(struct domain *d, struct evtchn *e)
{
	if (!fits(d, e))
		e->pending = true;
	else if (!test_and_set_bit(e->port, evtchn_2l_pending(d)) &&
		 !test_bit(e->port, evtchn_2l_mask(d)))
		select_port(d, e);
}

static void ev2l_clear_pending(struct domain *d, struct evtchn *e)
{
	e->pending = false;
	if (fits(d, e))
		clear_bit(e->port, evtchn_2l_pending(d));
}

static void ev2l_unmask(struct domain *d, struct evtchn *e)
{
	if (fits(d, e) && test_and_clear_bit(e->port, evtchn_2l_mask(d)) &&
	    test_bit(e->port, evtchn_2l_pending(d)))
		select_port(d, e);
}

static bool ev2l_is_pending(struct domain *d, const struct evtchn *e)
{
	return fits(d, e) ? test_bit(e->port, evtchn_2l_pending(d)) : e->pending;
}

static bool ev2l_is_masked(struct domain *d, const struct evtchn *e)
{
	return !fits(d, e) || test_bit(e->port, evtchn_2l_mask(d));
}

static unsigned int ev2l_max_port(const struct domain *d)
{
	return word_bits(d) * word_bits(d);
}

const struct evtchn_ops evtchn_ops_2l = {
	.set_pending = ev2l_set_pending,
	.clear_pending = ev2l_clear_pending,
	.unmask = ev2l_unmask,
	.is_pending = ev2l_is_pending,
	.is_masked = ev2l_is_masked,
	.max_port = ev2l_max_port,
};
