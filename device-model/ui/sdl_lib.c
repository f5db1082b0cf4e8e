// SPDX-License-Identifier: GPL-2.0-or-later
/* Loads libSDL2. See sdl_lib.h. */
#include "ui/sdl_lib.h"

#include <dlfcn.h>
#include <errno.h>

#include "core/log.h"
#include "core/util.h"

#define LIBRARY "libSDL2-2.0.so.0"

struct sdl_lib sdl;

#define FUNCTION_ENTRY(name) { "SDL_" #name, (void **)(void *)&sdl.name },
static const struct {
	const char *name;
	void **at;
} functions[] = { SDL_LIB_FUNCTIONS(FUNCTION_ENTRY) };

int sdl_lib_load(void)
{
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	size_t i;

	if (!library) {
		log_error("display: SDL is not there (%s): install the package libsdl2-2.0-0, or "
			  "use VNC (sdl=0 and vnc=1)",
			  dlerror());
		return -ENOENT;
	}
	for (i = 0; i < ARRAY_SIZE(functions); i++) {
		*functions[i].at = dlsym(library, functions[i].name);
		if (*functions[i].at)
			continue;
		log_error("display: %s has no %s: SDL 2.0.16 or later is needed", LIBRARY,
			  functions[i].name);
		return -ENOENT;
	}
	return 0;
}

void sdl_lib_on_display_lost(int (*handler)(void *display))
{
	void *x = dlopen("libX11.so.6", RTLD_NOW | RTLD_NOLOAD);
	void (*set_handler)(int (*)(void *)) = NULL;

	if (x)
		*(void **)(void *)&set_handler = dlsym(x, "XSetIOErrorHandler");
	if (set_handler)
		set_handler(handler);
}
