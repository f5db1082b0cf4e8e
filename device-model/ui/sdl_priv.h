/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside the SDL window. Two threads:
 *
 *   main loop (sdl.c)                           window thread (sdl_window.c, sdl_input.c)
 *   display listener; gives input to the guest  the only one that calls SDL; may wait for the
 *                                               display server as long as it likes
 *         -- picture: a staging copy under stage.lock, held for copying only -->
 *         <-- input: a bounded queue under queue.lock, then a deferred call --
 *
 * So a slow or dead display server holds up the picture and nothing else.
 */
#ifndef DM_UI_SDL_PRIV_H
#define DM_UI_SDL_PRIV_H

#include <pixman.h>
#include <stdbool.h>
#include <stdint.h>

#include "ui/sdl_lib.h"

/* ---- from the window to the main loop ---- */

enum sdl_record_kind {
	SDL_RECORD_KEY,	    /* a: code as in core/input.h, b: down */
	SDL_RECORD_REL,	    /* a, b: motion */
	SDL_RECORD_ABS,	    /* a, b: position, 0..INPUT_ABS_MAX */
	SDL_RECORD_RELEASE, /* let go of everything */
	SDL_RECORD_VISIBLE, /* a: somebody can see the window */
	SDL_RECORD_CLOSE,
	SDL_RECORD_LOST, /* the display server is gone; nothing follows */
};

struct sdl_record {
	enum sdl_record_kind kind;
	int a, b;
	unsigned int buttons;
};

/* sdl.c; any thread. */
void sdl_post(struct sdl_record r);

/* ---- sdl_window.c: called by the main loop ---- */

/* Returns when the window is there: 0 or -errno (logged). */
int sdl_window_start(const char *title);
void sdl_window_resize(int width, int height);
void sdl_window_damage(pixman_image_t *surface, int x, int y, int width, int height);
/* What was copied since the last call is to be shown. */
void sdl_window_flush(void);
/* The guest's pointer is absolute; the guest is paused. Cheap when nothing changed. */
void sdl_window_set_state(bool absolute, bool paused);

/* ---- the window thread's own ---- */

struct sdl_window {
	SDL_Window *window;
	SDL_Surface *picture; /* what the guest shows */
	SDL_Rect shown;	      /* where in the window, after scaling */
	bool fullscreen;
	bool user_sized;       /* the user chose the window's size: keep it */
	bool absolute, paused; /* of the guest, as last heard */
	bool grabbed;
	bool swallow_release; /* the click that grabbed is not the guest's */
	unsigned int buttons;
	int last_x, last_y; /* of the pointer, in the window */
	bool down[0x101];   /* keys, by input code */
};

/* sdl_window.c */
void sdl_window_title(struct sdl_window *w);
void sdl_window_toggle_fullscreen(struct sdl_window *w);
void sdl_window_natural_size(struct sdl_window *w);

/* sdl_input.c */
void sdl_input_init(void);
/* True when the event was about input. */
bool sdl_input_event(struct sdl_window *w, const SDL_Event *e);
void sdl_input_grab(struct sdl_window *w, bool grab);
/* The guest's pointer became absolute or relative. */
void sdl_input_mode(struct sdl_window *w);
void sdl_input_focus_lost(struct sdl_window *w);

#endif
