/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of vmm/console. */
#ifndef PLINTH_CONSOLE_INTERNAL_H
#define PLINTH_CONSOLE_INTERNAL_H

#include "console.h"
#include "debug.h"

/* --- what waits for the devices (output.c); the log's lock is held --- */

/* Which devices there are. Text for others is dropped. */
void output_devices(bool serial, bool screen);
/* Queue all of a text, or, when it finds no room, nothing but a note about it. */
void output_text(enum log_from from, const char *buf, size_t len);
/* Queue as much as finds room; returns how much. */
size_t output_some(enum log_from from, const char *buf, size_t len);
/* Send what the devices take without waiting, at most 512 characters and 64 cells. True: more waits. */
bool output_piece(void);
/* Send everything, waiting for the devices. */
void output_all(void);

/* --- devices (serial.c, screen.c); the log's lock is held --- */

/* Finds the UART. False: there is none. */
bool serial_init(void);
/* Waits for the line, but not for ever. */
void serial_write(const char *buf, size_t len);
/* Gives the UART what it takes at once; returns how many characters of buf these are. */
size_t serial_send(const char *buf, size_t len);
/* After how long the UART takes the next ones. */
uint64_t serial_piece_ns(void);
/* Next typed character, or -1. */
int serial_read(void);
/* The text screen or framebuffer that the boot loader left; the latter's memory can be mapped once mm is ready. */
void screen_init(void);
void screen_mm_ready(void);
/* Text for the screen; shown by screen_draw(), which draws at most that many cells. True: more have changed. */
void screen_write(const char *buf, size_t len);
bool screen_draw(unsigned int cells);
/* It is dom0's now: nothing more is drawn. */
void screen_release(void);

/* ASCII from the space on: five columns of a character, bit 0 at the top. */
extern const uint8_t font_5x7[95][5];

/* A piece of what the key prints; true: again, with the same w, which is zeroed at first. */
bool debug_key_run(char key, struct key_walk *w);

#endif
