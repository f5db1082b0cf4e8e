/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HYPERVISOR_grant_table_op: the loops over lists of operations. Each element gets its own status; the
 * call fails only when the list cannot be read or written. Lists are preemptible: count and address in
 * the registers move on. The work is in domain/grant*.c.
 */
#include "command.h"
#include "vmm/domain/domain.h"

#define PREEMPT_EVERY 4U

union grant_elem {
	struct gnttab_map_grant_ref map;
	struct gnttab_unmap_grant_ref unmap;
	struct gnttab_copy copy;
};

/* The rest of the list later. */
static long list_continue(struct call *c, uint64_t la, uint32_t count)
{
	call_set_arg(c, 1, la);
	call_set_arg(c, 2, count);
	return -ERESTART;
}

static long list_op(struct call *c, size_t size, int (*fn)(void *e))
{
	uint64_t la = c->a[1];
	union grant_elem e;

	for (uint32_t i = 0; i < c->count; i++, la += size) {
		if (i && !(i % PREEMPT_EVERY) && hypercall_preempt())
			return list_continue(c, la, c->count - i);
		if (copy_from_guest_la(&e, la, size))
			return -EFAULT;
		/* Memory on demand is still looked for. */
		if (fn(&e) == GNTST_eagain)
			return list_continue(c, la, c->count - i);
		if (copy_to_guest_la(la, &e, size))
			return -EFAULT;
	}
	return 0;
}

#define LIST_OP(n, type)                                        \
	static int do_##n(void *e)                              \
	{                                                       \
		return grant_##n##_one(e);                      \
	}                                                       \
	static long op_##n(struct call *c)                      \
	{                                                       \
		return list_op(c, sizeof(struct type), do_##n); \
	}

LIST_OP(map, gnttab_map_grant_ref)
LIST_OP(unmap, gnttab_unmap_grant_ref)
LIST_OP(copy, gnttab_copy)

/* The domain an administrative operation is about, in c->d, or a status. */
static int16_t admin_domain(struct call *c, domid_t id)
{
	long rc = call_about(c, domain_get_for_op(id), id);

	return rc == -ESRCH ? GNTST_bad_domain : rc ? GNTST_permission_denied : GNTST_okay;
}

/* Where setup_table goes on is in the upper bits of the command, like with memory_op. */
#define SETUP_CMD_BITS 12U
#define SETUP_BATCH    32U

static int grow_to(struct domain *d, uint32_t nr)
{
	int rc;

	do {
		rc = grant_grow(d, nr);
	} while (rc == -ERESTART && !hypercall_preempt());
	return rc;
}

static long list_piece(struct call *c, const struct frames *f, uint64_t list)
{
	const unsigned int size = c->compat ? 4 : 8;
	uint8_t out[SETUP_BATCH * 8];

	for (uint64_t i = 0; i < f->nr; i++) {
		uint64_t gfn = grant_frame_gfn(c->d, (unsigned int)(f->first + i));

		memcpy(out + i * size, &gfn, size);
	}
	return copy_to_guest_la(list + f->first * size, out, f->nr * size);
}

/* Where the frames lie in the guest's own map; ~0 for one that it has not mapped. c->start: how many are written. */
static long setup_frames(struct call *c, struct gnttab_setup_table *s)
{
	struct frames all;
	int rc = frames_make(0, s->nr_frames, grant_max_frames(c->d), &all)
			 ? grow_to(c->d, s->nr_frames)
			 : -EINVAL;

	if (rc == -ERESTART)
		return rc;
	if (rc) {
		s->status = GNTST_general_error;
		return 0;
	}
	for (c->start = min(c->start, all.nr); c->start < all.nr;) {
		struct frames f = frames_part(&all, c->start, SETUP_BATCH);

		if (list_piece(c, &f, guest_handle_la(s->frame_list)))
			return -EFAULT;
		c->start += f.nr;
		if (c->start < all.nr && hypercall_preempt())
			return -ERESTART;
	}
	return 0;
}

static long op_setup_table(struct call *c)
{
	struct gnttab_setup_table *s = c->arg;
	long rc = 0;

	s->status = admin_domain(c, s->dom);
	if (s->status == GNTST_okay)
		rc = setup_frames(c, s);
	if (rc == -ERESTART)
		call_set_arg(c, 0, GNTTABOP_setup_table | c->start << SETUP_CMD_BITS);
	return rc;
}

static long op_query_size(struct call *c)
{
	struct gnttab_query_size *q = c->arg;

	q->status = admin_domain(c, q->dom);
	if (q->status == GNTST_okay) {
		q->nr_frames = grant_nr_frames(c->d);
		q->max_nr_frames = grant_max_frames(c->d);
	}
	return 0;
}

static long op_set_version(struct call *c)
{
	struct gnttab_set_version *s = c->arg;
	uint32_t asked = s->version;

	s->version = 1;
	return asked == 1 ? 0 : asked == 2 ? -ENOSYS : -EINVAL;
}

DOES(op_get_version, gnttab_get_version, a->version = 1)

#define LIST(n, fn, flags) [GNTTABOP_##n] = PLAIN(#n, fn, flags, NULL)
#define CMD(n, flags)	   [GNTTABOP_##n] = COMMAND(#n, op_##n, gnttab_##n, flags, NULL)

/* The elements of lists are the same for 32-bit callers but for the copy's frame number. */
static const struct abi_command commands[] = {
	LIST(map_grant_ref, op_map, 0),
	LIST(unmap_grant_ref, op_unmap, 0),
	LIST(copy, op_copy, WIDE_ONLY),
	[GNTTABOP_setup_table] = { "setup_table", NULL, op_setup_table, "hihl",
				   sizeof(struct gnttab_setup_table), 0, CONTROLS | COPYBACK, 0 },
	CMD(query_size, CONTROLS | COPYBACK),
	CMD(set_version, COPYBACK_ALWAYS),
	CMD(get_version, TARGET | CONTROLS | COPYBACK),
};

static const struct abi_family grant_family = {
	.name = "grant_table_op",
	.commands = commands,
	.nr = ARRAY_SIZE(commands),
	.other = ANSWER(NULL, -ENOSYS, 0, NULL),
};

long abi_grant_table_op(struct call *c)
{
	uint32_t cmd = (uint32_t)c->a[0];

	c->count = (uint32_t)c->a[2];
	if ((int32_t)c->count < 0)
		return -EINVAL;
	c->start = 0;
	if ((cmd & (BIT(SETUP_CMD_BITS) - 1)) == GNTTABOP_setup_table) {
		c->start = cmd >> SETUP_CMD_BITS;
		cmd = GNTTABOP_setup_table;
	}
	/* All but the lists take one. */
	if (c->count != 1 && cmd < ARRAY_SIZE(commands) && commands[cmd].size)
		return -EINVAL;
	return call_command(c, &grant_family, cmd, c->a[1]);
}
