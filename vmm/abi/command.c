/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is done for every command before and after its function: command.h. */
#include "command.h"
#include "stretch.h"

#define ARG_WORDS  18U /* of the largest structure */
#define NARROW_MAX 64U
#define CR3_TABLE  0x000ffffffffff000ULL

void call_begin(struct call *c, const struct abi_family *f, uint32_t cmd)
{
	c->family = f;
	c->command = cmd < f->nr && f->commands[cmd].name ? &f->commands[cmd] : NULL;
	c->cmd = cmd;
	c->about = DOMID_INVALID;
	c->said = false;
	c->payer = c->v->domain->is_dom0 ? NULL : c->v->domain;
	c->d = NULL;
	stretch_doing(f->name, cmd);
}

static const struct abi_command *command_of(const struct call *c)
{
	return c->command ? c->command : &c->family->other;
}

long call_about(struct call *c, struct domain *d, domid_t id)
{
	unsigned int flags = command_of(c)->flags;

	c->about = id == DOMID_SELF ? c->v->domain->domid : id;
	c->d = d;
	if (!d)
		return -ESRCH;
	if ((flags & CONTROLS) && !abi_may_control(d))
		return -EPERM;
	return (flags & NOT_SELF) && d == c->v->domain ? -EINVAL : 0;
}

long call_do(struct call *c)
{
	const struct abi_command *m = command_of(c);
	long rc;

	if (!m->fn)
		return m->answer;
	if (m->flags & PAUSE)
		domain_pause(c->d);
	rc = m->fn(c);
	if (m->flags & PAUSE)
		domain_unpause(c->d);
	return rc;
}

long call_end(struct call *c, long rc, const void *argument, size_t size)
{
	if (rc < 0)
		refusal_end(c, rc, argument, size);
	if (c->d)
		domain_put(c->d);
	c->d = c->payer = NULL;
	c->family = NULL;
	return rc;
}

struct asker call_asker(const struct call *c, uint64_t what)
{
	/* Processes have tables of their own; what is beside their address in CR3 changes. */
	return (struct asker){ .space = (c->v->cr3 & CR3_TABLE) | 1,
			       .what = what << 8 | c->cmd,
			       .seen_ns = now_ns() };
}

bool call_goes_back(const struct call *c, long rc)
{
	const struct abi_command *m = command_of(c);

	return (m->flags & COPYBACK_ALWAYS) ||
	       ((m->flags & COPYBACK) && (rc >= 0 || rc == -ERESTART));
}

static long with_argument(struct call *c, const struct abi_command *m, uint64_t la)
{
	uint64_t arg[ARG_WORDS];
	long rc = 0;

	c->arg = arg;
	if ((m->flags & OUTPUT) == OUTPUT)
		memset(arg, 0, m->size);
	else if (m->size && call_read(c, la, arg, m->size, m->layout))
		return -EFAULT;
	if (m->flags & TARGET) {
		domid_t id = *(const domid_t *)((const uint8_t *)arg + m->domid_at);

		rc = call_about(c, domain_get_for_op(id), id);
	}
	if (!rc)
		rc = call_do(c);
	if (call_goes_back(c, rc) && call_write(c, la, arg, m->size, m->layout))
		rc = -EFAULT;
	return rc;
}

long call_command(struct call *c, const struct abi_family *f, uint32_t cmd, uint64_t la)
{
	const struct abi_command *m;
	long rc;

	call_begin(c, f, cmd);
	m = command_of(c);
	if ((m->flags & PRIVILEGED) && !abi_privileged())
		rc = -EPERM;
	else if ((m->flags & WIDE_ONLY) && c->compat)
		rc = -ENOSYS;
	else
		rc = with_argument(c, m, la);
	return call_end(c, rc, NULL, 0);
}

/* What the structures of the tools' families begin with. */
struct tool_op {
	uint32_t cmd, version;
	domid_t domain; /* domctl only */
};

static long tool_op(struct call *c, const struct abi_family *f, const struct tool_op *op)
{
	const struct abi_command *m = command_of(c);
	long rc = 0;

	if (op->version != f->version)
		return refuse(-EACCES, "interface version %#x: %#x is that of Xen 4.17's tools",
			      op->version, f->version);
	if (f->lock && !spin_trylock(f->lock))
		return -ERESTART;
	if (m->flags & TARGET)
		rc = call_about(c, domain_get_for_op(op->domain), op->domain);
	if (!rc)
		rc = call_do(c);
	if (f->lock)
		spin_unlock(f->lock);
	return call_goes_back(c, rc) && copy_to_guest_la(c->a[0], op, f->size) ? -EFAULT : rc;
}

long call_tool_op(struct call *c, const struct abi_family *f)
{
	uint64_t words[ARG_WORDS];
	struct tool_op *op = (void *)words;

	if (copy_from_guest_la(op, c->a[0], f->size))
		return -EFAULT;
	call_begin(c, f, op->cmd);
	c->arg = (uint8_t *)op + f->arg_at;
	return call_end(c, tool_op(c, f, op), c->arg, f->size - f->arg_at);
}

/* --- copies in both widths --------------------------------------------------------------------- */

static size_t field_size(char field, bool narrow)
{
	return field == 'h' ? 2 : field == 'i' || (field == 'l' && narrow) ? 4 : 8;
}

/* The size of a structure in 32-bit code; its fields go from one form to the other, where there is a wide one. */
static size_t recode(const char *layout, uint8_t *wide, uint8_t *narrow, bool widen)
{
	size_t w = 0, n = 0;

	for (; *layout; layout++) {
		size_t ws = field_size(*layout, false), ns = field_size(*layout, true);

		w = ROUND_UP(w, ws);
		n = ROUND_UP(n, min(ns, (size_t)4));
		if (wide && widen) {
			memset(wide + w, 0, ws);
			memcpy(wide + w, narrow + n, ns);
		} else if (wide) {
			memcpy(narrow + n, wide + w, ns);
		}
		w += ws;
		n += ns;
	}
	return ROUND_UP(n, (size_t)4);
}

int call_read(struct call *c, uint64_t la, void *to, size_t size, const char *layout)
{
	uint8_t narrow[NARROW_MAX];

	if (!c->compat || !layout)
		return copy_from_guest_la(to, la, size);
	if (copy_from_guest_la(narrow, la, recode(layout, NULL, NULL, true)))
		return -EFAULT;
	recode(layout, to, narrow, true);
	return 0;
}

int call_write(struct call *c, uint64_t la, const void *from, size_t size, const char *layout)
{
	uint8_t narrow[NARROW_MAX];

	if (!c->compat || !layout)
		return copy_to_guest_la(la, from, size);
	size = recode(layout, NULL, NULL, false);
	/* What is between the fields stays. */
	if (copy_from_guest_la(narrow, la, size))
		return -EFAULT;
	recode(layout, (uint8_t *)from, narrow, false);
	return copy_to_guest_la(la, narrow, size);
}

int call_read_long(struct call *c, uint64_t list, uint64_t i, uint64_t *to)
{
	return call_read(c, list + i * field_size('l', c->compat), to, sizeof(*to), "l");
}

int call_write_long(struct call *c, uint64_t list, uint64_t i, uint64_t value)
{
	return call_write(c, list + i * field_size('l', c->compat), &value, sizeof(value), "l");
}

void call_set_arg(struct call *c, unsigned int i, uint64_t value)
{
	static const uint8_t regs[2][CALL_ARGS] = {
		{ X86_RDI, X86_RSI, X86_RDX, X86_R10, X86_R8, X86_R9 },
		{ X86_RBX, X86_RCX, X86_RDX, X86_RSI, X86_RDI, X86_RBP }
	};

	if (c->in_multicall)
		c->a[i] = value;
	else
		c->v->regs.gpr[regs[c->compat][i]] = value;
}
