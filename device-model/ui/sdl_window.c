// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The thread that owns the SDL window: picture, size, caption. Input is in sdl_input.c, the other
 * side in sdl.c, how they fit together in sdl_priv.h.
 *
 * The thread looks at SDL's queue every few milliseconds. SDL can wait for events itself, but then
 * the main loop would have to wake it through the display server's socket, and could be held up
 * there.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/log.h"
#include "core/timer.h"
#include "core/util.h"
#include "ui/sdl_priv.h"

#define LIVELY_MS      8 /* between looks at SDL's queue while the user does something ... */
#define QUIET_MS       30
#define LIVELY_TIME_NS (3 * NS_PER_SEC) /* ... which is that long ago at most */

struct box {
	int x1, y1, x2, y2; /* right and bottom exclusive; empty when x1 >= x2 */
};

static struct stage {
	pthread_mutex_t lock; /* guards all but wake_fd */
	uint32_t *pixels;
	int width, height;
	struct box damage;
	bool resized;
	bool absolute, paused;
	int wake_fd; /* constant once the window is there */
} stage = { .lock = PTHREAD_MUTEX_INITIALIZER, .wake_fd = -1 };

static struct start {
	sem_t done;
	int rc;
} start;

static const char *title; /* constant once the thread runs */

/* ---- called by the main loop ---- */

static void wake(void)
{
	uint64_t one = 1;

	if (stage.wake_fd >= 0 && write(stage.wake_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		log_error("sdl: event file: %s", strerror(errno));
}

static void box_add(struct box *b, struct box r)
{
	if (b->x1 >= b->x2) {
		*b = r;
		return;
	}
	b->x1 = MIN(b->x1, r.x1);
	b->y1 = MIN(b->y1, r.y1);
	b->x2 = MAX(b->x2, r.x2);
	b->y2 = MAX(b->y2, r.y2);
}

void sdl_window_resize(int width, int height)
{
	pthread_mutex_lock(&stage.lock);
	free(stage.pixels);
	stage.pixels = xzalloc((size_t)width * (size_t)height * sizeof(*stage.pixels));
	stage.width = width;
	stage.height = height;
	stage.damage = (struct box){ 0, 0, width, height };
	stage.resized = true;
	pthread_mutex_unlock(&stage.lock);
}

void sdl_window_damage(pixman_image_t *surface, int x, int y, int width, int height)
{
	const uint32_t *src = pixman_image_get_data(surface);
	size_t stride = (size_t)pixman_image_get_stride(surface) / sizeof(*src);
	int line;

	pthread_mutex_lock(&stage.lock);
	width = MIN(width, stage.width - x);
	height = MIN(height, stage.height - y);
	for (line = y; line < y + height; line++)
		memcpy(stage.pixels + (size_t)line * (size_t)stage.width + x,
		       src + (size_t)line * stride + x, (size_t)width * sizeof(*src));
	if (width > 0 && height > 0)
		box_add(&stage.damage, (struct box){ x, y, x + width, y + height });
	pthread_mutex_unlock(&stage.lock);
}

void sdl_window_flush(void)
{
	wake();
}

void sdl_window_set_state(bool absolute, bool paused)
{
	bool changed;

	pthread_mutex_lock(&stage.lock);
	changed = stage.absolute != absolute || stage.paused != paused;
	stage.absolute = absolute;
	stage.paused = paused;
	pthread_mutex_unlock(&stage.lock);
	if (changed)
		wake();
}

/* ---- picture ---- */

static SDL_Surface *picture_new(int width, int height)
{
	uint32_t *pixels = xzalloc((size_t)width * (size_t)height * sizeof(*pixels));
	SDL_Surface *s = sdl.CreateRGBSurfaceWithFormatFrom(pixels, width, height, 32, width * 4,
							    SDL_PIXELFORMAT_RGB888);

	if (!s) {
		free(pixels);
		return NULL;
	}
	sdl.SetSurfaceBlendMode(s, SDL_BLENDMODE_NONE);
	return s;
}

static void picture_free(SDL_Surface *s)
{
	if (!s)
		return;
	free(s->pixels);
	sdl.FreeSurface(s);
}

/* The largest rectangle of the picture's shape in the middle of the window. */
static SDL_Rect fit(const SDL_Surface *picture, const SDL_Surface *window)
{
	SDL_Rect r = { 0, 0, window->w, window->h };

	if ((int64_t)window->w * picture->h > (int64_t)window->h * picture->w)
		r.w = MAX(1, (int)((int64_t)window->h * picture->w / picture->h));
	else
		r.h = MAX(1, (int)((int64_t)window->w * picture->h / picture->w));
	r.x = (window->w - r.w) / 2;
	r.y = (window->h - r.h) / 2;
	return r;
}

/* Show this part of the picture; a scaled or moved one is drawn whole. */
static void draw(struct sdl_window *w, struct box b)
{
	SDL_Surface *target = sdl.GetWindowSurface(w->window);
	SDL_Rect part = { b.x1, b.y1, b.x2 - b.x1, b.y2 - b.y1 }, to = part;

	if (!target || !w->picture || b.x1 >= b.x2)
		return;
	w->shown = fit(w->picture, target);
	if (w->shown.w == w->picture->w && w->shown.h == w->picture->h && !w->shown.x &&
	    !w->shown.y) {
		sdl.UpperBlit(w->picture, &part, target, &to);
		sdl.UpdateWindowSurfaceRects(w->window, &part, 1);
		return;
	}
	to = w->shown;
	sdl.FillRect(target, NULL, 0);
	sdl.UpperBlitScaled(w->picture, NULL, target, &to);
	sdl.UpdateWindowSurface(w->window);
}

static void draw_all(struct sdl_window *w)
{
	if (w->picture)
		draw(w, (struct box){ 0, 0, w->picture->w, w->picture->h });
}

/* Copy what changed out of the staging copy. True: the picture has a new size. */
static bool picture_take(struct sdl_window *w, struct box *damage)
{
	bool resized;
	int y;

	pthread_mutex_lock(&stage.lock);
	resized = stage.resized;
	stage.resized = false;
	*damage = stage.damage;
	stage.damage = (struct box){ 0 };
	if (resized) {
		picture_free(w->picture);
		w->picture = picture_new(stage.width, stage.height);
	}
	for (y = damage->y1; w->picture && y < damage->y2; y++)
		memcpy((uint8_t *)w->picture->pixels + (size_t)y * (size_t)w->picture->pitch +
			       (size_t)damage->x1 * 4,
		       stage.pixels + (size_t)y * (size_t)stage.width + damage->x1,
		       (size_t)(damage->x2 - damage->x1) * 4);
	pthread_mutex_unlock(&stage.lock);
	return resized;
}

static void picture_update(struct sdl_window *w)
{
	struct box damage;

	if (picture_take(w, &damage) && w->picture && !w->user_sized && !w->fullscreen)
		sdl.SetWindowSize(w->window, w->picture->w, w->picture->h);
	draw(w, damage);
}

static void state_update(struct sdl_window *w)
{
	bool absolute, paused;

	pthread_mutex_lock(&stage.lock);
	absolute = stage.absolute;
	paused = stage.paused;
	pthread_mutex_unlock(&stage.lock);
	if (absolute == w->absolute && paused == w->paused)
		return;
	w->paused = paused;
	if (absolute != w->absolute) {
		w->absolute = absolute;
		sdl_input_mode(w);
	}
	sdl_window_title(w);
}

/* ---- window ---- */

void sdl_window_title(struct sdl_window *w)
{
	const char *hint = w->grabbed	 ? " - Ctrl+Alt+G to release"
			   : w->absolute ? ""
					 : " - click or Ctrl+Alt+G to capture the mouse";
	char *text = xasprintf("%s%s%s", title, w->paused ? " [paused]" : "", hint);

	sdl.SetWindowTitle(w->window, text);
	free(text);
}

void sdl_window_toggle_fullscreen(struct sdl_window *w)
{
	w->fullscreen = !w->fullscreen;
	sdl.SetWindowFullscreen(w->window, w->fullscreen ? SDL_WINDOW_FULLSCREEN_DESKTOP : 0);
	draw_all(w);
}

void sdl_window_natural_size(struct sdl_window *w)
{
	if (w->fullscreen)
		sdl_window_toggle_fullscreen(w);
	w->user_sized = false;
	if (w->picture)
		sdl.SetWindowSize(w->window, w->picture->w, w->picture->h);
	draw_all(w);
}

static void window_event(struct sdl_window *w, const SDL_WindowEvent *e)
{
	switch (e->event) {
	case SDL_WINDOWEVENT_RESIZED: /* not by us */
		w->user_sized = !w->fullscreen && w->picture &&
				(e->data1 != w->picture->w || e->data2 != w->picture->h);
		draw_all(w);
		break;
	case SDL_WINDOWEVENT_SIZE_CHANGED:
	case SDL_WINDOWEVENT_EXPOSED:
		draw_all(w);
		break;
	case SDL_WINDOWEVENT_SHOWN:
	case SDL_WINDOWEVENT_RESTORED:
		sdl_post((struct sdl_record){ .kind = SDL_RECORD_VISIBLE, .a = 1 });
		break;
	case SDL_WINDOWEVENT_HIDDEN:
	case SDL_WINDOWEVENT_MINIMIZED:
		sdl_post((struct sdl_record){ .kind = SDL_RECORD_VISIBLE, .a = 0 });
		break;
	case SDL_WINDOWEVENT_FOCUS_LOST:
		sdl_input_focus_lost(w);
		break;
	case SDL_WINDOWEVENT_CLOSE:
		sdl_post((struct sdl_record){ .kind = SDL_RECORD_CLOSE });
		break;
	default:
		break;
	}
}

/* Xlib would end the process after this; the guest need not notice. */
static int display_lost(void *display)
{
	sdl_post((struct sdl_record){ .kind = SDL_RECORD_LOST });
	pthread_exit(NULL);
}

static int window_create(struct sdl_window *w)
{
	sdl.SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
	sdl.SetHint(SDL_HINT_VIDEO_ALLOW_SCREENSAVER, "1");
	sdl.SetHint(SDL_HINT_QUIT_ON_LAST_WINDOW_CLOSE, "0");
	sdl.SetHint(SDL_HINT_VIDEO_X11_NET_WM_BYPASS_COMPOSITOR, "0");
	/* The window surface by the display's own means: no OpenGL and its threads in here. */
	sdl.SetHint(SDL_HINT_FRAMEBUFFER_ACCELERATION, "0");
	if (sdl.Init(SDL_INIT_VIDEO)) {
		log_error("display: SDL cannot reach a display: %s (are DISPLAY and XAUTHORITY "
			  "right, sdl_display= and sdl_xauthority= in xl.cfg?)",
			  sdl.GetError());
		return -ENXIO;
	}
	w->window = sdl.CreateWindow(title, SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED,
				     stage.width, stage.height, SDL_WINDOW_RESIZABLE);
	if (!w->window) {
		log_error("display: SDL cannot open a window: %s", sdl.GetError());
		return -ENXIO;
	}
	sdl_lib_on_display_lost(display_lost);
	sdl.StopTextInput();
	sdl_input_init();
	sdl_window_title(w);
	log_info("sdl: a window by %s", sdl.GetCurrentVideoDriver());
	return 0;
}

static void wait_for_work(bool lively)
{
	struct pollfd p = { .fd = stage.wake_fd, .events = POLLIN };
	uint64_t n;

	if (poll(&p, 1, lively ? LIVELY_MS : QUIET_MS) > 0 &&
	    read(stage.wake_fd, &n, sizeof(n)) < 0 && errno != EAGAIN)
		log_trace(TRACE_VNC, "sdl: event file: %s", strerror(errno));
}

static void *window_thread(void *unused)
{
	static struct sdl_window w;
	uint64_t last_input_ns = 0;
	SDL_Event e;

	start.rc = window_create(&w);
	sem_post(&start.done);
	while (w.window) {
		wait_for_work(clock_host_ns() - last_input_ns < LIVELY_TIME_NS);
		state_update(&w);
		picture_update(&w);
		while (sdl.PollEvent(&e)) {
			if (sdl_input_event(&w, &e))
				last_input_ns = clock_host_ns();
			else if (e.type == SDL_WINDOWEVENT)
				window_event(&w, &e.window);
		}
	}
	return NULL;
}

int sdl_window_start(const char *text)
{
	sigset_t all, old;
	pthread_t thread;
	int rc;

	title = xstrdup(text);
	rc = sdl_lib_load();
	if (rc)
		return rc;
	stage.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (stage.wake_fd < 0)
		return -errno;
	sem_init(&start.done, 0, 0);
	/* Signals are the main loop's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&thread, NULL, window_thread, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc)
		return -rc;
	pthread_setname_np(thread, "sdl");
	pthread_detach(thread);
	while (sem_wait(&start.done) && errno == EINTR)
		;
	return start.rc;
}
