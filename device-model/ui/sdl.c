// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The SDL window as the main loop sees it (-display sdl, -sdl): display listener, input for the
 * guest, and what closing the window means. The window itself is in sdl_window.c.
 */
#include <pthread.h>
#include <stdlib.h>

#include "core/device.h"
#include "core/display.h"
#include "core/input.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/machine.h"
#include "core/options.h"
#include "core/util.h"
#include "core/vmm.h"
#include "ui/sdl_priv.h"

#define QUEUE_RECORDS  512
#define ACTIVE_NS      (25 * NS_PER_MS)
#define IDLE_NS	       (100 * NS_PER_MS)
#define IDLE_REFRESHES 80 /* unchanged ones in a row before the rate goes down */

static struct queue {
	pthread_mutex_t lock; /* guards the rest */
	struct sdl_record records[QUEUE_RECORDS];
	unsigned int nr;
	bool overflow;
} queue = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct {
	struct machine *machine;
	struct display_listener listener;
	struct loop_call input_call;
	unsigned int idle_refreshes;
	bool visible, damaged, lost;
} view;

/* ---- display ---- */

static void set_rate(void)
{
	uint64_t want = !view.visible || view.lost	       ? 0
			: view.idle_refreshes < IDLE_REFRESHES ? ACTIVE_NS
							       : IDLE_NS;

	if (want != view.listener.interval_ns)
		display_set_interval(&view.machine->display, &view.listener, want);
}

static void on_resize(void *opaque, pixman_image_t *surface, int width, int height)
{
	sdl_window_resize(width, height);
	view.damaged = true;
}

static void on_update(void *opaque, int x, int y, int width, int height)
{
	if (!view.visible)
		return;
	sdl_window_damage(view.machine->display.surface, x, y, width, height);
	view.damaged = true;
}

static void tell_state(void)
{
	sdl_window_set_state(input_is_absolute(&view.machine->input),
			     view.machine->started && !view.machine->running);
}

static void on_refresh_done(void *opaque)
{
	if (view.damaged) {
		sdl_window_flush();
		view.idle_refreshes = 0;
	} else if (view.idle_refreshes < IDLE_REFRESHES) {
		view.idle_refreshes++;
	}
	view.damaged = false;
	tell_state();
	set_rate();
}

static void on_run(void *opaque, bool running)
{
	tell_state();
}

/* ---- input ---- */

static bool merges(const struct sdl_record *last, const struct sdl_record *r)
{
	return last->kind == r->kind && last->buttons == r->buttons &&
	       (r->kind == SDL_RECORD_REL || r->kind == SDL_RECORD_ABS);
}

void sdl_post(struct sdl_record r)
{
	struct sdl_record *last;

	pthread_mutex_lock(&queue.lock);
	last = queue.nr ? &queue.records[queue.nr - 1] : NULL;
	if (last && merges(last, &r)) {
		last->a = r.kind == SDL_RECORD_REL ? last->a + r.a : r.a;
		last->b = r.kind == SDL_RECORD_REL ? last->b + r.b : r.b;
	} else if (queue.nr < QUEUE_RECORDS) {
		queue.records[queue.nr++] = r;
	} else {
		queue.overflow = true;
	}
	pthread_mutex_unlock(&queue.lock);
	loop_defer_from_thread(&view.input_call);
}

static void closed(void)
{
	if (!view.machine->opt->sdl_close) {
		log_info("sdl: the window stays open (window-close=off)");
		return;
	}
	log_info("sdl: the window was closed: switching the guest off");
	view.machine->vmm->shutdown(view.machine, VMM_SHUTDOWN_POWEROFF);
}

static void deliver(const struct sdl_record *r)
{
	switch (r->kind) {
	case SDL_RECORD_KEY:
		input_key(&view.machine->input, (unsigned int)r->a, r->b);
		break;
	case SDL_RECORD_REL:
		input_pointer_rel(&view.machine->input, r->a, r->b, r->buttons);
		break;
	case SDL_RECORD_ABS:
		input_pointer_abs(&view.machine->input, r->a, r->b, r->buttons);
		break;
	case SDL_RECORD_RELEASE:
		input_release_all(&view.machine->input);
		break;
	case SDL_RECORD_VISIBLE:
		view.visible = r->a;
		set_rate();
		if (view.visible)
			display_invalidate(&view.machine->display);
		break;
	case SDL_RECORD_CLOSE:
		closed();
		break;
	case SDL_RECORD_LOST:
		log_warn("sdl: the display server is gone; the guest goes on without a window");
		view.lost = true;
		input_release_all(&view.machine->input);
		break;
	}
}

static void input_ready(void *opaque)
{
	static struct sdl_record records[QUEUE_RECORDS];
	unsigned int nr, i;
	bool overflow;

	pthread_mutex_lock(&queue.lock);
	nr = queue.nr;
	for (i = 0; i < nr; i++)
		records[i] = queue.records[i];
	queue.nr = 0;
	overflow = queue.overflow;
	queue.overflow = false;
	pthread_mutex_unlock(&queue.lock);
	for (i = 0; i < nr; i++)
		deliver(&records[i]);
	if (overflow) /* a key's end may be among what was dropped */
		input_release_all(&view.machine->input);
	view.idle_refreshes = 0;
	set_rate();
}

/* ---- start ---- */

static int sdl_init(struct machine *m)
{
	char *title;
	int rc;

	if (!m->opt->sdl)
		return 0;
	if (m->opt->sdl_opengl)
		log_info("sdl: opengl=1 changes nothing: the picture is drawn without OpenGL");
	view.machine = m;
	view.visible = true;
	view.idle_refreshes = 0;
	loop_call_init(&view.input_call, input_ready, NULL);
	view.listener = (struct display_listener){ .resize = on_resize,
						   .update = on_update,
						   .refresh_done = on_refresh_done,
						   .interval_ns = ACTIVE_NS };
	display_add_listener(&m->display, &view.listener);
	machine_on_run(m, on_run, NULL);
	title = xasprintf("Plinth (%s)", m->opt->name ? m->opt->name : "guest");
	rc = sdl_window_start(title);
	free(title);
	return rc;
}

DEVICE(DEVICE_UI, sdl, sdl_init);
