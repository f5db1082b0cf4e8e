/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The connection to xenstore of the domain that the loader runs in.
 */
#ifndef HVMLOADER_XENBUS_H
#define HVMLOADER_XENBUS_H

#include "xenstore.h"

/* Map shared_info, find ring and event channel. Fatal when the domain has none. */
struct xs_client *xenbus_open(void);

/* Leave ring and event-channel state as if nobody had used them. */
void xenbus_close(struct xs_client *c);

#endif
