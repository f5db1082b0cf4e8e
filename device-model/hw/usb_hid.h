/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * USB human interface devices (Device Class Definition for HID 1.11). usb_hid.c has queues and
 * requests, usb_hid_data.c the descriptors and the keyboard's codes.
 */
#ifndef DM_HW_USB_HID_H
#define DM_HW_USB_HID_H

#include "hw/usb.h"

struct usb_hid_data {
	const char *name;
	struct usb_class class; /* without the functions */
	const uint8_t *report;
	size_t report_len;
};

extern const struct usb_hid_data usb_hid_data[3];

/* The usage of a key (code as in core/input.h) on page 7, 0: none. Modifiers are e0-e7. */
uint8_t usb_hid_usage(unsigned int code);

#endif
