/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The wire between one network card and one back end. Frames are Ethernet II without preamble and
 * FCS. Sending is synchronous and never waits: what the host cannot take now is lost, as on a wire.
 * Received frames come from the main loop, never from inside a register access, and only while the
 * guest runs. A card that has no room says so and gets the frame again; meanwhile the back end is not
 * read, or a bounded queue fills.
 */
#ifndef DM_NET_NET_H
#define DM_NET_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct machine;
struct options;
struct net;
struct opt_netdev;
struct opt_nic;

#define ETH_ALEN      6
#define ETH_HEADER    14
#define ETH_MIN_FRAME 60    /* without FCS; shorter ones are padded before a card sees them */
#define NET_MAX_FRAME 65550 /* a back end delivers nothing longer */

struct net_nic_ops {
	/*
	 * A frame from the wire, valid during the call. False: no room now, offer it again after
	 * net_ready(). A frame that the card does not want is taken and forgotten.
	 */
	bool (*receive)(void *opaque, const uint8_t *frame, size_t len);
	void (*link_changed)(void *opaque, bool up);
	/* Leave the machine for good: when it returns there are no registers, DMA, interrupts, calls. */
	void (*unplug)(void *opaque);
};

/* Open what the options name; the cable is unplugged without a netdev. NULL after log_error. */
struct net *net_open(struct machine *m, const struct opt_nic *nic, const struct net_nic_ops *ops,
		     void *opaque);
/* The card's address: the configured one, or a random one in 00:16:3e. */
const uint8_t *net_mac(const struct net *n);
bool net_link_up(const struct net *n);
void net_send(struct net *n, const uint8_t *frame, size_t len);
/* The card may have room again. Cheap when nothing waits. */
void net_ready(struct net *n);
/*
 * The guest's paravirtual driver takes over: unplug all cards and close their back ends. Those of the user-mode
 * network stay, because nothing in domain 0 stands in for it. Not from within a card or a back end. Returns how
 * many left.
 */
unsigned int net_unplug_all(struct machine *m);
/*
 * The cards that net_unplug_all() would unplug leave the machine, as they had when its state was saved, but their back
 * ends stay open until that is called: the toolstack's scripts still want to find the tap devices.
 */
void net_hide_all(struct machine *m);

/* For the monitor. */
struct net *net_find(struct machine *m, const char *id);
void net_set_link(struct net *n, bool up);

/* For back ends. */
struct net_backend {
	struct net *net;
	void (*send)(struct net_backend *b, const uint8_t *frame, size_t len);
	void (*resume)(struct net_backend *b); /* optional: net_deliver works again */
	void (*close)(struct net_backend *b);  /* frees it; NULL: stays as long as the process */
};

/* False: leave frames with the host, resume() follows. */
bool net_can_deliver(const struct net *n);
const struct options *net_options(const struct net *n);
/* Copies what the card cannot take now, and drops it when the queue is full. */
void net_deliver(struct net *n, const uint8_t *frame, size_t len);
/* The same from the loop's next turn, for back ends that answer while the card sends. */
void net_deliver_later(struct net *n, const uint8_t *frame, size_t len);

struct net_backend *net_tap_open(struct net *n, const struct opt_netdev *o);
struct net_backend *net_dgram_open(struct net *n, const struct opt_netdev *o);
struct net_backend *net_user_open(struct net *n, const struct opt_netdev *o);

/* pcap capture (dump.c). */
struct net_dump;

struct net_dump *net_dump_open(const char *path, uint32_t max_bytes);
void net_dump_frame(struct net_dump *d, const uint8_t *frame, size_t len);
void net_dump_close(struct net_dump *d);

#endif
