/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages on the VMM's debug port (0xe9), and the end when something is wrong.
 */
#ifndef HVMLOADER_CONSOLE_H
#define HVMLOADER_CONSOLE_H

void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Say what is wrong and crash the domain (SCHEDOP_shutdown, reason crash). */
void fatal(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
