/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The server's side of telnet (RFC 854): a terminal that sends each key and leaves echoing to the guest. */
#ifndef CORE_TELNET_H
#define CORE_TELNET_H

#include <stddef.h>
#include <stdint.h>

#define TELNET_IAC 255

enum telnet_state {
	TELNET_DATA,
	TELNET_CR,
	TELNET_COMMAND,
	TELNET_OPTION,
	TELNET_SUB,
	TELNET_SUB_IAC
};

/* What a server says first: WILL ECHO, WILL SUPPRESS-GO-AHEAD. */
extern const uint8_t telnet_greeting[6];

/*
 * Take telnet's own bytes out of `len` received ones, in place; the number of bytes that stay, which may be none. `state`
 * is the connection's, TELNET_DATA at its start.
 */
size_t telnet_input(enum telnet_state *state, uint8_t *buf, size_t len);

#endif
