/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reasons of refused calls: refuse.h. */
#include "refuse.h"
#include "console.h"
#include "hvm_devices.h"

#define REASON_MAX 320U
#define WORDS_MAX  6U

/* The call that a CPU executes. Calls do not move between CPUs, and within a multicall they follow each other. */
static struct call {
	const struct abi_family *family;
	unsigned int cmd;
	domid_t about;
	struct domain *payer; /* referenced by the caller */
	bool said;
} calls[MAX_CPUS];

static struct call *this_call(void)
{
	return &calls[cpu_id()];
}

void refusal_about(domid_t about)
{
	this_call()->about = about == DOMID_SELF ? current_domain()->domid : about;
}

void refusal_begin(const struct abi_family *f, unsigned int cmd, domid_t about)
{
	struct domain *caller = current_domain();

	*this_call() =
		(struct call){ .family = f, .cmd = cmd, .payer = caller->is_dom0 ? NULL : caller };
	refusal_about(about);
}

void refusal_charge(struct domain *d)
{
	this_call()->payer = d->is_dom0 ? NULL : d;
}

static const struct abi_command *command(const struct call *c)
{
	return c->cmd < c->family->nr && c->family->commands[c->cmd].name
		       ? &c->family->commands[c->cmd]
		       : NULL;
}

static void say(const struct call *c, long err, const char *reason)
{
	const struct abi_command *cmd = command(c);
	char number[16], about[16] = "", line[REASON_MAX + 100];
	int n;

	snprintf(number, sizeof(number), "%u", c->cmd);
	if (c->about != DOMID_INVALID)
		snprintf(about, sizeof(about), " of d%u", c->about);
	n = snprintf(line, sizeof(line), "d%u: %s %s%s is refused (%ld): %s\n",
		     current_domain()->domid, c->family->name, cmd ? cmd->name : number, about, err,
		     reason);
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

	if (c->said || !c->family)
		return err;
	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	say(c, err, reason);
	c->said = true;
	return err;
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
		return current_domain()->is_dom0;
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

long refusal_end(long rc, const void *argument, size_t size)
{
	struct call *c = this_call();
	const struct abi_command *cmd = c->family ? command(c) : NULL;
	char asked[WORDS_MAX * 9 + 1];

	if (unclear(rc) && !c->said && c->family) {
		words(asked, sizeof(asked), argument, size);
		refuse(rc, "%s%s%s", cmd ? cmd->takes : c->family->others, size ? "; asked: " : "",
		       asked);
	}
	c->family = NULL;
	c->payer = NULL;
	return rc;
}
