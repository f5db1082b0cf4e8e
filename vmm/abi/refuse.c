/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reasons of refused calls: command.h. */
#include "command.h"
#include "log.h"

#define REASON_MAX 320U
#define WORDS_MAX  6U

static void say(const struct call *c, long err, const char *reason)
{
	char number[16], about[16] = "", line[REASON_MAX + 100];
	int n;

	snprintf(number, sizeof(number), "%u", c->cmd);
	if (c->about != DOMID_INVALID)
		snprintf(about, sizeof(about), " of d%u", c->about);
	n = snprintf(line, sizeof(line), "d%u: %s %s%s is refused (%ld): %s\n", c->v->domain->domid,
		     c->family->name, c->command ? c->command->name : number, about, err, reason);
	if (!c->payer)
		printk(LOG_WARN "%s", line);
	else if (debug_port_may_print(c->payer, (unsigned int)n))
		guest_printk(LOG_WARN "%s", line);
}

long refuse(long err, const char *fmt, ...)
{
	struct call *c = this_call();
	char reason[REASON_MAX];
	va_list ap;

	if (c->said || !c->family || !c->family->other.takes)
		return err;
	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	say(c, err, reason);
	c->said = true;
	return err;
}

/*
 * `xl mem-set 0` and autoballoon="on" ask here first and then let dom0's balloon shrink. Its pages stay its own, as they
 * are mapped one to one, so nobody would gain by that.
 */
long refuse_less_for_dom0(const struct domain *d, uint64_t pages)
{
	uint64_t has = READ_ONCE(d->tot_pages);

	if (!d->is_dom0 || pages >= has)
		return 0;
	return refuse(
		-EOPNOTSUPP,
		"dom0 keeps its %lu MiB, which no guest could use: give it less by dom0_mem= at boot, and have "
		"autoballoon=\"off\" in xl.conf",
		(unsigned long)(has >> (20 - PAGE_SHIFT)));
}

long refusal_expected(long err)
{
	this_call()->said = true;
	return err;
}

/* Which numbers leave the caller guessing: a guest knows that it is not dom0. */
static bool unclear(long rc)
{
	switch (rc) {
	case -EPERM:
		return abi_privileged();
	case -EINVAL:
	case -EOPNOTSUPP:
	case -ENOSYS:
	case -E2BIG:
	case -ERANGE:
	case -EACCES:
		return true;
	default:
		return false;
	}
}

/* What was asked, as far as numbers tell. */
static void words(char *buf, size_t size, const void *argument, size_t bytes)
{
	size_t at = 0;
	uint32_t w;

	buf[0] = '\0';
	for (size_t i = 0; i < WORDS_MAX && (i + 1) * sizeof(w) <= bytes; i++) {
		memcpy(&w, (const uint8_t *)argument + i * sizeof(w), sizeof(w));
		at += (size_t)snprintf(buf + at, size - at, i ? " %x" : "%x", w);
	}
}

void refusal_end(struct call *c, long rc, const void *argument, size_t size)
{
	const char *takes = c->command ? c->command->takes : c->family->other.takes;
	char asked[WORDS_MAX * 9 + 1];

	if (!unclear(rc) || c->said)
		return;
	words(asked, sizeof(asked), argument, size);
	refuse(rc, "%s%s%s", takes, size ? "; asked: " : "", asked);
}
