/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See telnet.h. Whatever a client asks for is left unanswered, which is a refusal (RFC 854, "option negotiation"). */
#include "core/telnet.h"

#define SE   240
#define SB   250
#define WILL 251
#define ECHO 1
#define SGA  3

const uint8_t telnet_greeting[6] = { TELNET_IAC, WILL, ECHO, TELNET_IAC, WILL, SGA };

static enum telnet_state command(uint8_t byte)
{
	if (byte == SB)
		return TELNET_SUB;
	return byte >= WILL ? TELNET_OPTION : TELNET_DATA;
}

/* The state behind a byte; it is the guest's when *data is set. */
static enum telnet_state step(enum telnet_state state, uint8_t byte, int *data)
{
	switch (state) {
	case TELNET_COMMAND:
		*data = byte == TELNET_IAC;
		return *data ? TELNET_DATA : command(byte);
	case TELNET_OPTION:
		return TELNET_DATA;
	case TELNET_SUB:
		return byte == TELNET_IAC ? TELNET_SUB_IAC : TELNET_SUB;
	case TELNET_SUB_IAC:
		return byte == SE ? TELNET_DATA : TELNET_SUB;
	case TELNET_CR: /* a line's end is CR NUL or CR LF; a serial terminal sends CR */
		if (byte == '\0' || byte == '\n')
			return TELNET_DATA;
		break;
	case TELNET_DATA:
		break;
	}
	if (byte == TELNET_IAC)
		return TELNET_COMMAND;
	*data = 1;
	return byte == '\r' ? TELNET_CR : TELNET_DATA;
}

size_t telnet_input(enum telnet_state *state, uint8_t *buf, size_t len)
{
	size_t i, kept = 0;

	for (i = 0; i < len; i++) {
		int data = 0;

		*state = step(*state, buf[i], &data);
		if (data)
			buf[kept++] = buf[i];
	}
	return kept;
}
