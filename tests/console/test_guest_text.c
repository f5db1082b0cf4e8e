// SPDX-License-Identifier: GPL-2.0-or-later
/* Port 0xe9 and CONSOLEIO_write of guests: whole lines, their level, their budget, no forged lines, no lock while printing. */
#include "world.h"
#include "vmm/hvm/hvm.h"
#include "pc_private.h"
#include "units.h"

static struct domain guest = { .domid = 7 };
static struct vcpu vcpu = { .domain = &guest };
static struct io_range range;
static void *port_opaque;

int io_register(struct domain *d, const struct io_range *r, void *opaque)
{
	EXPECT(d == &guest && r->kind == IO_PORTS && r->first == 0xe9 && r->len == 1);
	range = *r;
	port_opaque = opaque;
	return 0;
}

void *xzalloc_bytes(size_t size)
{
	return unit_alloc(size);
}

void xfree(void *p)
{
	unit_free(p);
}

static void start(const char *options)
{
	world_start(options);
	guest.hvm.time_lock = (spinlock_t)SPINLOCK_INIT(LOCK_HVM_TIME, "time");
	EXPECT(!debug_port_unit.init(&guest));
}

static void out(const char *text)
{
	for (; *text; text++) {
		uint32_t value = (uint8_t)*text;

		EXPECT(range.write(&vcpu, port_opaque, 0, 1, value) == IO_DONE);
	}
}

static void call(const char *text)
{
	debug_port_write(&guest, text, strlen(text));
}

static const char *sent(void)
{
	world_pass(NS_PER_SEC * 10);
	return world_sent();
}

static void lines(void)
{
	start("console=com1 guest_loglvl=info");
	out("first li");
	call("by call");
	EXPECT(!*sent());
	out("ne\nsec");
	call(" too\n");
	out("ond\tline\n");
	EXPECT(!strcmp(sent(), "d7: first line\nd7: by call too\nd7: second line\n"));
}

TEST(guest_lines_are_whole)
{
	unit_isolated(lines);
}

static void forged(void)
{
	start("console=com1 guest_loglvl=info");
	call("hello\nd0: I am domain 0\r\nPANIC on CPU 0\x1b[2J\n");
	out("x\rd0: forged\n");
	EXPECT(!strcmp(
		sent(),
		"d7: hello\nd7: d0: I am domain 0\nd7: PANIC on CPU 0[2J\nd7: xd0: forged\n"));
}

TEST(guest_lines_are_not_forged)
{
	unit_isolated(forged);
}

static void level(void)
{
	start("console=com1 guest_loglvl=warning");
	out("text\n");
	call("text\n");
	EXPECT(!*sent());
}

TEST(guest_text_obeys_its_level)
{
	unit_isolated(level);
}

static void budget(void)
{
	char log[4096];
	uint32_t at = 0, n;
	size_t bytes = 0;

	start("console=com1 guest_loglvl=info");
	for (unsigned int i = 0; i < 20000; i++)
		out("0123456789012345678901234567890123456789\n");
	while ((n = log_read(&at, true, false, log, sizeof(log))))
		bytes += n;
	EXPECT(bytes > 32000 &&
	       bytes < 40000); /* half of the ring: others' lines are still there */
	world_pass(NS_PER_SEC * 30);
	out("later\n");
	EXPECT(strstr(sent(), "lines dropped)\nd7: later\n"));
}

TEST(guest_has_a_budget)
{
	unit_isolated(budget);
}

static void last_words(void)
{
	start("console=com1 guest_loglvl=info");
	out("no end of line");
	call("nor here");
	debug_port_unit.fini(&guest);
	EXPECT(!strcmp(sent(), "d7: no end of line\nd7: nor here\n"));
	debug_port_unit.fini(&guest);
}

TEST(guest_ends_within_a_line)
{
	unit_isolated(last_words);
}
