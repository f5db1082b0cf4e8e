/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libSDL2, loaded when a window is wanted. Linked in, it would bring 40 more libraries into every
 * device model, and into every dom0 that has no display.
 */
#ifndef DM_UI_SDL_LIB_H
#define DM_UI_SDL_LIB_H

#include <SDL2/SDL.h>

#define SDL_LIB_FUNCTIONS(F)              \
	F(UpperBlitScaled)                \
	F(UpperBlit)                      \
	F(CreateRGBSurfaceWithFormatFrom) \
	F(CreateWindow)                   \
	F(EventState)                     \
	F(FillRect)                       \
	F(FreeSurface)                    \
	F(GetCurrentVideoDriver)          \
	F(GetError)                       \
	F(GetWindowSurface)               \
	F(Init)                           \
	F(PollEvent)                      \
	F(SetHint)                        \
	F(SetRelativeMouseMode)           \
	F(SetSurfaceBlendMode)            \
	F(SetWindowFullscreen)            \
	F(SetWindowKeyboardGrab)          \
	F(SetWindowSize)                  \
	F(SetWindowTitle)                 \
	F(ShowCursor)                     \
	F(StopTextInput)                  \
	F(UpdateWindowSurface)            \
	F(UpdateWindowSurfaceRects)

#define SDL_LIB_MEMBER(name) __typeof__(SDL_##name) *name;
struct sdl_lib {
	SDL_LIB_FUNCTIONS(SDL_LIB_MEMBER)
};

/* The library's functions; valid after sdl_lib_load() returned 0. */
extern struct sdl_lib sdl;

/* 0, or -ENOENT (logged). */
int sdl_lib_load(void);
/* Should the X server go away, Xlib is to call this instead of ending the process. */
void sdl_lib_on_display_lost(int (*handler)(void *display));

#endif
