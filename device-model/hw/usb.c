/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A USB device's control endpoint and standard requests (USB 1.1, 8.5.2 and 9.4). See usb.h.
 *
 * Data toggles are not checked: no packet is ever lost here, so none is ever repeated.
 */
#include "hw/usb.h"

#include <errno.h>
#include <string.h>

#include "core/util.h"

#define LANGUAGE_ENGLISH 0x0409
#define STRING_MAX	 62u
#define FEATURE_HALT	 0
#define FEATURE_WAKEUP	 1
#define ENDPOINT_IN_1	 0x81

static void configure(struct usb_device *d, uint8_t configuration)
{
	d->configuration = configuration;
	d->halted = false;
	d->class->configured(d, configuration);
}

void usb_reset(struct usb_device *d)
{
	d->address = d->new_address = 0;
	d->remote_wakeup = false;
	d->stage = USB_STAGE_IDLE;
	configure(d, 0);
}

void usb_wakeup(struct usb_device *d)
{
	if (d->wakeup)
		d->wakeup(d->wakeup_opaque);
}

static int copy(uint8_t *out, const uint8_t *data, size_t len)
{
	memcpy(out, data, len);
	return (int)len;
}

static int string_descriptor(const struct usb_device *d, unsigned int index, uint8_t *out)
{
	const char *text = NULL;
	unsigned int i;

	out[1] = USB_DESC_STRING;
	if (!index) {
		out[0] = 4;
		put_le16(out + 2, LANGUAGE_ENGLISH);
		return 4;
	}
	for (i = 0; i < index && (text = d->class->strings[i]); i++)
		;
	if (!text)
		return USB_STALL;
	for (i = 0; i < STRING_MAX && text[i]; i++)
		put_le16(out + 2 + 2 * (size_t)i, (uint8_t)text[i]);
	out[0] = (uint8_t)(2 + 2 * i);
	return out[0];
}

static int get_descriptor(struct usb_device *d, const struct usb_setup *s, uint8_t *out)
{
	switch (s->value >> 8) {
	case USB_DESC_DEVICE:
		return copy(out, d->class->device, 18);
	case USB_DESC_CONFIG:
		if (s->value & 0xff)
			return USB_STALL;
		return copy(out, d->class->config, d->class->config_len);
	case USB_DESC_STRING:
		return string_descriptor(d, s->value & 0xff, out);
	default:
		return USB_STALL;
	}
}

static int set_configuration(struct usb_device *d, const struct usb_setup *s)
{
	if (s->value > 1)
		return USB_STALL;
	configure(d, (uint8_t)s->value);
	return 0;
}

static int device_request(struct usb_device *d, const struct usb_setup *s, uint8_t *out)
{
	switch (s->request) {
	case USB_GET_STATUS:
		put_le16(out, d->remote_wakeup ? 2 : 0);
		return 2;
	case USB_CLEAR_FEATURE:
	case USB_SET_FEATURE:
		if (s->value != FEATURE_WAKEUP)
			return USB_STALL;
		d->remote_wakeup = s->request == USB_SET_FEATURE;
		return 0;
	case USB_SET_ADDRESS:
		d->new_address = s->value & 0x7f;
		return 0;
	case USB_GET_DESCRIPTOR:
		return get_descriptor(d, s, out);
	case USB_GET_CONFIGURATION:
		out[0] = d->configuration;
		return 1;
	case USB_SET_CONFIGURATION:
		return set_configuration(d, s);
	default:
		return USB_STALL;
	}
}

static int interface_request(struct usb_device *d, const struct usb_setup *s, uint8_t *out)
{
	switch (s->request) {
	case USB_GET_STATUS:
		put_le16(out, 0);
		return 2;
	case USB_GET_INTERFACE:
		out[0] = 0;
		return 1;
	case USB_SET_INTERFACE:
		return s->value ? USB_STALL : 0;
	default:
		return d->class->control(d, s, out);
	}
}

static int endpoint_request(struct usb_device *d, const struct usb_setup *s, uint8_t *out)
{
	bool one = s->index == ENDPOINT_IN_1;

	if (!one && s->index & 0x0f)
		return USB_STALL;
	switch (s->request) {
	case USB_GET_STATUS:
		put_le16(out, one && d->halted);
		return 2;
	case USB_CLEAR_FEATURE:
	case USB_SET_FEATURE:
		if (s->value != FEATURE_HALT)
			return USB_STALL;
		if (one)
			d->halted = s->request == USB_SET_FEATURE;
		return 0;
	default:
		return USB_STALL;
	}
}

static int request(struct usb_device *d)
{
	const struct usb_setup *s = &d->setup;

	if ((s->type & USB_TYPE_KIND) == USB_TYPE_CLASS)
		return d->class->control(d, s, d->data);
	if (s->type & USB_TYPE_KIND)
		return USB_STALL;
	switch (s->type & USB_TYPE_RECIPIENT) {
	case USB_TO_DEVICE:
		return device_request(d, s, d->data);
	case USB_TO_INTERFACE:
		return interface_request(d, s, d->data);
	case USB_TO_ENDPOINT:
		return endpoint_request(d, s, d->data);
	default:
		return USB_STALL;
	}
}

/* The request is complete: its data stage to the host, or the status stage. */
static void run_request(struct usb_device *d)
{
	int n = request(d);

	d->data_pos = 0;
	if (n < 0) {
		d->stage = USB_STAGE_STALL;
	} else if (d->setup.type & USB_TYPE_IN && d->setup.length) {
		d->data_len = (uint16_t)MIN((unsigned int)n, d->setup.length);
		d->stage = USB_STAGE_IN;
	} else {
		d->stage = USB_STAGE_STATUS;
	}
}

static int setup_packet(struct usb_device *d, const uint8_t *buf, size_t len)
{
	if (len != 8)
		return USB_STALL;
	d->setup = (struct usb_setup){
		.type = buf[0],
		.request = buf[1],
		.value = get_le16(buf + 2),
		.index = get_le16(buf + 4),
		.length = get_le16(buf + 6),
	};
	d->new_address = d->address;
	d->data_pos = 0;
	memset(d->data, 0, sizeof(d->data));
	if (d->setup.type & USB_TYPE_IN || !d->setup.length) {
		run_request(d);
	} else if (d->setup.length > USB_CONTROL_MAX) {
		d->stage = USB_STAGE_STALL;
	} else {
		d->data_len = d->setup.length;
		d->stage = USB_STAGE_OUT;
	}
	return 8;
}

static int control_in(struct usb_device *d, uint8_t *buf, size_t len)
{
	size_t n = MIN(MIN(len, USB_CONTROL_PACKET), (size_t)(d->data_len - d->data_pos));

	switch (d->stage) {
	case USB_STAGE_IN:
		memcpy(buf, d->data + d->data_pos, n);
		d->data_pos = (uint16_t)(d->data_pos + n);
		return (int)n;
	case USB_STAGE_STATUS:
		d->stage = USB_STAGE_IDLE;
		d->address = d->new_address;
		return 0;
	default:
		return USB_STALL;
	}
}

static int control_out(struct usb_device *d, const uint8_t *buf, size_t len)
{
	size_t n;

	switch (d->stage) {
	case USB_STAGE_IN: /* the status stage; the host may have had enough early */
		d->stage = USB_STAGE_IDLE;
		return (int)len;
	case USB_STAGE_STATUS: /* of a request without data */
		return d->setup.type & USB_TYPE_IN ? (int)len : USB_STALL;
	case USB_STAGE_OUT:
		n = MIN(len, (size_t)(d->data_len - d->data_pos));
		memcpy(d->data + d->data_pos, buf, n);
		d->data_pos = (uint16_t)(d->data_pos + n);
		if (d->data_pos == d->data_len)
			run_request(d);
		return (int)len;
	default:
		return USB_STALL;
	}
}

static int report_in(struct usb_device *d, uint8_t *buf, size_t len)
{
	uint8_t report[USB_CONTROL_PACKET];
	int n;

	if (!d->configuration || d->halted)
		return USB_STALL;
	n = d->class->report(d, report);
	if (n > (int)len)
		return USB_BABBLE;
	if (n > 0)
		memcpy(buf, report, (size_t)n);
	return n;
}

int usb_packet(struct usb_device *d, enum usb_pid pid, unsigned int endpoint, uint8_t *buf,
	       size_t len)
{
	if (endpoint == 1 && pid == USB_IN)
		return report_in(d, buf, len);
	if (endpoint)
		return USB_STALL;
	if (pid == USB_SETUP)
		return setup_packet(d, buf, len);
	return pid == USB_IN ? control_in(d, buf, len) : control_out(d, buf, len);
}

static const struct save_field setup_fields[] = {
	SAVE(struct usb_setup, type),	SAVE(struct usb_setup, request),
	SAVE(struct usb_setup, value),	SAVE(struct usb_setup, index),
	SAVE(struct usb_setup, length), SAVE_END,
};

const struct save_field usb_fields[] = {
	SAVE(struct usb_device, address, .mask = 0x7f),
	SAVE(struct usb_device, new_address, .mask = 0x7f),
	SAVE(struct usb_device, configuration, .mask = 1),
	SAVE(struct usb_device, remote_wakeup),
	SAVE(struct usb_device, halted),
	SAVE(struct usb_device, stage, .max = USB_STAGE_STALL),
	SAVE_PART(struct usb_device, setup, setup_fields),
	SAVE_ARRAY(struct usb_device, data),
	SAVE(struct usb_device, data_len, .max = USB_CONTROL_MAX),
	SAVE(struct usb_device, data_pos, .max = USB_CONTROL_MAX),
	SAVE_END,
};
