/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every number of every family of commands answers to whom: a guest in 64- and in 32-bit code, a guest that is the
 * device model of another one (XEN_DOMCTL_set_target), dom0. For each caller, domain asked about and byte that fills the
 * argument there is a row of answers, a letter for each command; answers.h has them in this order, rows that are the same
 * one after the other only once. Where one differs, the test prints what it would be now.
 */
#include "cases.h"
#include "public/plinth_dm_op.h"
#include <xen/domctl.h>
#include <xen/hvm/dm_op.h>
#include <xen/memory.h>
#include <xen/platform.h>
#include <xen/sched.h>
#include <xen/sysctl.h>
#include <xen/vcpu.h>

#define COMMANDS_MAX 128U
#define NOBODY	     999U
#define BUF_ARG	     (ARG + 64)

static const struct caller {
	const char *name;
	domid_t id;
	bool wide;
} callers[] = { { "guest", DOMID_A, true },
		{ "guest32", DOMID_A, false },
		{ "model", DOMID_B, true },
		{ "dom0", 0, true } };

static const domid_t abouts[] = { DOMID_SELF, DOMID_A, DOMID_B, NOBODY };
static const uint8_t fills[] = { 0x00, 0x01, 0xff };

/* Where a call's argument goes, and where in it the domain is. */
enum shape { COMMAND_POINTER, COMMAND_VCPU_POINTER, COMMAND_POINTER_COUNT, POINTER, BUFFERS };

static const struct family {
	const char *name;
	unsigned int nr, commands;
	enum shape shape;
	unsigned int domid_at;
	uint32_t version;
} families[] = {
	{ "domctl", __HYPERVISOR_domctl, 90, POINTER, 8, XEN_DOMCTL_INTERFACE_VERSION },
	{ "sysctl", __HYPERVISOR_sysctl, 32, POINTER, 8, XEN_SYSCTL_INTERFACE_VERSION },
	{ "platform_op", __HYPERVISOR_platform_op, 72, POINTER, 8, XENPF_INTERFACE_VERSION },
	{ "memory_op", __HYPERVISOR_memory_op, 32, COMMAND_POINTER, 0, 0 },
	{ "hvm_op", __HYPERVISOR_hvm_op, 28, COMMAND_POINTER, 0, 0 },
	{ "dm_op", __HYPERVISOR_dm_op, 26, BUFFERS, 0, 0 },
	{ "event_channel_op", __HYPERVISOR_event_channel_op, 18, COMMAND_POINTER, 0, 0 },
	{ "grant_table_op", __HYPERVISOR_grant_table_op, 16, COMMAND_POINTER_COUNT, 0, 0 },
	{ "sched_op", __HYPERVISOR_sched_op, 10, COMMAND_POINTER, 0, 0 },
	{ "vcpu_op", __HYPERVISOR_vcpu_op, 18, COMMAND_VCPU_POINTER, 0, 0 },
	{ "physdev_op", __HYPERVISOR_physdev_op, 34, COMMAND_POINTER, 0, 0 },
	{ "xen_version", __HYPERVISOR_xen_version, 14, COMMAND_POINTER, 0, 0 },
	{ "console_io", __HYPERVISOR_console_io, 4, COMMAND_POINTER, 0, 0 },
};

static const struct {
	unsigned int rows;
	const char *answers;
} expected[] = {
#include "answers.h"
};

/* A letter for a result; a capital where the argument came back changed. */
static char letter(long rc, bool changed)
{
	static const struct {
		int16_t err;
		char letter;
	} letters[] = { { EPERM, 'p' },	 { ENOENT, 'e' },    { ESRCH, 's' },	  { E2BIG, 'l' },
			{ EAGAIN, 'g' }, { ENOMEM, 'm' },    { EACCES, 'a' },	  { EFAULT, 'f' },
			{ EBUSY, 'b' },	 { EEXIST, 'd' },    { ENODEV, 'h' },	  { EINVAL, 'i' },
			{ ENOSPC, 'c' }, { ERANGE, 'r' },    { ENOSYS, 'x' },	  { ENODATA, 'y' },
			{ EILSEQ, 'q' }, { EOVERFLOW, 'v' }, { EOPNOTSUPP, 'u' }, { ENOBUFS, 'w' },
			{ 62, 't' } };
	char c = rc < 0 ? '?' : rc ? 'n' : 'o';

	for (unsigned int i = 0; i < ARRAY_SIZE(letters); i++)
		if (rc == -letters[i].err)
			c = letters[i].letter;
	return changed ? (char)(c - 'a' + 'A') : c;
}

/* What stops the caller for good, or the machine. */
static bool left_out(const struct family *f, unsigned int cmd, domid_t about)
{
	switch (f->nr) {
	case __HYPERVISOR_sched_op:
		return cmd == SCHEDOP_shutdown || cmd == SCHEDOP_shutdown_code ||
		       cmd == SCHEDOP_watchdog ||
		       (cmd == SCHEDOP_remote_shutdown && about == DOMID_SELF);
	case __HYPERVISOR_vcpu_op:
		return cmd == VCPUOP_down;
	case __HYPERVISOR_domctl:
		return cmd == XEN_DOMCTL_createdomain ||
		       (cmd == XEN_DOMCTL_destroydomain && about != DOMID_SELF);
	case __HYPERVISOR_sysctl:
		return cmd == XEN_SYSCTL_debug_keys;
	default:
		return false;
	}
}

static unsigned int domid_at(const struct family *f, unsigned int cmd)
{
	if (f->nr != __HYPERVISOR_memory_op)
		return f->domid_at;
	switch (cmd) {
	case XENMEM_increase_reservation:
	case XENMEM_decrease_reservation:
	case XENMEM_populate_physmap:
	case XENMEM_claim_pages:
		return offsetof(struct xen_memory_reservation, domid);
	case XENMEM_set_pod_target:
	case XENMEM_get_pod_target:
		return offsetof(struct xen_pod_target, domid);
	default:
		return 0;
	}
}

/* Plinth's own follow Xen's in the row. */
static uint32_t dm_command(unsigned int cmd)
{
	return cmd >= 24 ? PLINTH_DMOP_user_calls + cmd - 24 : cmd;
}

static void make_argument(const struct family *f, unsigned int cmd, domid_t about, uint8_t fill,
			  uint8_t *page)
{
	struct xen_dm_op_buf buf[2] = { { .h.p = (void *)BUF_ARG, .size = 64 },
					{ .h.p = (void *)LIST, .size = PAGE_SIZE } };
	uint32_t head[2] = { cmd, f->version };

	memset(page, fill, PAGE_SIZE);
	if (f->shape == BUFFERS) {
		head[0] = dm_command(cmd);
		memcpy(page, buf, sizeof(buf));
		memcpy(page + 64, head, sizeof(head));
		return;
	}
	if (f->shape == POINTER)
		memcpy(page, head, sizeof(head));
	memcpy(page + domid_at(f, cmd), &about, sizeof(about));
}

static void set_args(struct vcpu *v, bool wide, const uint64_t *a)
{
	static const uint8_t order[2][3] = { { X86_RBX, X86_RCX, X86_RDX },
					     { X86_RDI, X86_RSI, X86_RDX } };

	for (unsigned int i = 0; i < 3; i++)
		v->regs.gpr[order[wide][i]] = a[i];
}

static void make_args(const struct family *f, unsigned int cmd, domid_t about, uint64_t *a)
{
	a[0] = f->shape == POINTER ? ARG : f->shape == BUFFERS ? about : cmd;
	a[1] = f->shape == COMMAND_VCPU_POINTER ? 1 : f->shape == BUFFERS ? 2 : ARG;
	a[2] = f->shape == COMMAND_POINTER_COUNT ? 1 : ARG;
}

/* '-': it is not asked, or the caller cannot run any more. */
static char ask(const struct caller *c, const struct family *f, unsigned int cmd, domid_t about,
		uint8_t fill)
{
	static uint8_t before[PAGE_SIZE];
	struct vcpu *v = domain_vcpu(dom(c->id), 0);
	uint8_t *page = guest_page(c->id, ARG_GFN);
	uint64_t a[3];
	long rc;

	if (left_out(f, cmd, about) || !machine_become(v, c->wide))
		return '-';
	make_argument(f, cmd, about, fill, page);
	memcpy(before, page, PAGE_SIZE);
	make_args(f, cmd, about, a);
	v->regs.gpr[X86_RAX] = f->nr;
	set_args(v, c->wide, a);
	machine_hypercall(v, 0);
	rc = c->wide ? (long)v->regs.gpr[X86_RAX] : (int32_t)v->regs.gpr[X86_RAX];
	machine_pass(NS_PER_US);
	check_machine();
	return letter(rc, memcmp(before, page, PAGE_SIZE) != 0);
}

/* A machine for each row: what one command leaves the next one finds, the same each time. */
static void row(const struct caller *c, const struct family *f, domid_t about, uint8_t fill,
		char *answers)
{
	struct xen_domctl op = { .cmd = XEN_DOMCTL_set_target,
				 .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
				 .domain = DOMID_B,
				 .u.set_target.target = DOMID_A };

	machine_stop();
	machine_start();
	memcpy(guest_page(0, ARG_GFN), &op, sizeof(op));
	call_as(0, 0, __HYPERVISOR_domctl, ARG, 0, 0, 0);
	for (unsigned int cmd = 0; cmd < f->commands; cmd++)
		answers[cmd] = ask(c, f, cmd, about, fill);
	answers[f->commands] = '\0';
}

/* Which row is to come. */
struct at {
	unsigned int entry, row;
};

static const char *next_row(struct at *at)
{
	while (at->entry < ARRAY_SIZE(expected) && at->row >= expected[at->entry].rows)
		*at = (struct at){ at->entry + 1, 0 };
	at->row++;
	return at->entry < ARRAY_SIZE(expected) ? expected[at->entry].answers : "";
}

static void compare(const struct caller *c, const struct family *f, domid_t about, struct at *at)
{
	char answers[COMMANDS_MAX + 1];
	const char *was;

	for (unsigned int i = 0; i < ARRAY_SIZE(fills); i++) {
		row(c, f, about, fills[i], answers);
		was = next_row(at);
		if (!strcmp(was, answers))
			continue;
		host_printf("%s, by %s about %u, %02x:\n  %s, was\n  %s\n", f->name, c->name, about,
			    fills[i], answers, was);
		unexpected(__FILE__, __LINE__, "as it was", 0);
	}
}

CASE(answers_of_every_command)
{
	struct at at = { 0, 0 };

	for (unsigned int f = 0; f < ARRAY_SIZE(families); f++)
		for (unsigned int c = 0; c < ARRAY_SIZE(callers); c++)
			for (unsigned int a = 0; a < ARRAY_SIZE(abouts); a++)
				compare(&callers[c], &families[f], abouts[a], &at);
}
