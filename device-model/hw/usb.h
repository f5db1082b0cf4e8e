/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * USB devices as a host controller sees them (Universal Serial Bus Specification 1.1, chapters 8 and
 * 9): packets in, answers out, at once. usb.c has the control endpoint and the standard requests,
 * usb_hid.c the tablet, the mouse and the keyboard. There are no hubs.
 */
#ifndef DM_HW_USB_H
#define DM_HW_USB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/save.h"

struct machine;
struct usb_device;

enum usb_pid { USB_OUT = 0xe1, USB_IN = 0x69, USB_SETUP = 0x2d };

/* An answer is a number of bytes or one of these. */
enum usb_answer { USB_NAK = -1, USB_STALL = -2, USB_BABBLE = -3 };

enum usb_request_type {
	USB_TYPE_IN = 0x80,
	USB_TYPE_KIND = 0x60,
	USB_TYPE_CLASS = 0x20,
	USB_TYPE_RECIPIENT = 0x1f,
	USB_TO_DEVICE = 0x00,
	USB_TO_INTERFACE = 0x01,
	USB_TO_ENDPOINT = 0x02,
};

enum usb_request {
	USB_GET_STATUS = 0,
	USB_CLEAR_FEATURE = 1,
	USB_SET_FEATURE = 3,
	USB_SET_ADDRESS = 5,
	USB_GET_DESCRIPTOR = 6,
	USB_GET_CONFIGURATION = 8,
	USB_SET_CONFIGURATION = 9,
	USB_GET_INTERFACE = 10,
	USB_SET_INTERFACE = 11,
};

enum usb_descriptor {
	USB_DESC_DEVICE = 1,
	USB_DESC_CONFIG = 2,
	USB_DESC_STRING = 3,
	USB_DESC_HID = 0x21,
	USB_DESC_REPORT = 0x22,
};

#define USB_CONTROL_PACKET 8u	/* bMaxPacketSize0 */
#define USB_CONTROL_MAX	   256u /* the longest data stage */

struct usb_setup {
	uint8_t type, request;
	uint16_t value, index, length;
};

struct usb_class {
	const uint8_t *device; /* 18 bytes */
	const uint8_t *config; /* config_len bytes, one configuration, one endpoint (IN 1) */
	size_t config_len;
	const char *const *strings; /* 1, 2, ... up to NULL */
	/*
	 * Requests of the class, and those for the interface that the core does not know. data has
	 * what came (length bytes) or takes up to USB_CONTROL_MAX. Bytes, or USB_STALL.
	 */
	int (*control)(struct usb_device *d, const struct usb_setup *s, uint8_t *data);
	/* The interrupt endpoint: a report of up to USB_CONTROL_PACKET bytes, or USB_NAK. */
	int (*report)(struct usb_device *d, uint8_t *data);
	/* Has it a report that the host has not fetched? */
	bool (*waits)(struct usb_device *d);
	/* The configuration came (true) or went, by reset too. */
	void (*configured)(struct usb_device *d, bool yes);
};

enum usb_stage { USB_STAGE_IDLE, USB_STAGE_IN, USB_STAGE_OUT, USB_STAGE_STATUS, USB_STAGE_STALL };

struct usb_device {
	const struct usb_class *class;
	void *opaque;
	/* The port's: a sleeping device has something to say, or an idle one has. */
	void (*wakeup)(void *opaque);
	void *wakeup_opaque;

	uint8_t address, new_address, configuration;
	bool remote_wakeup, halted;

	uint8_t stage; /* enum usb_stage */
	struct usb_setup setup;
	uint8_t data[USB_CONTROL_MAX];
	uint16_t data_len, data_pos;
};

/* usb.c */
void usb_reset(struct usb_device *d);
/* One packet; buf has len bytes (SETUP, OUT) or takes up to len (IN). */
int usb_packet(struct usb_device *d, enum usb_pid pid, unsigned int endpoint, uint8_t *buf,
	       size_t len);
void usb_wakeup(struct usb_device *d);
/* What is saved of each device; data_pos <= data_len is the owner's to check. */
extern const struct save_field usb_fields[];

/* usb_hid.c: a device that exists once in a machine. */
enum usb_hid_kind { USB_HID_TABLET, USB_HID_MOUSE, USB_HID_KEYBOARD };
struct usb_device *usb_hid_create(struct machine *m, enum usb_hid_kind kind);

#endif
