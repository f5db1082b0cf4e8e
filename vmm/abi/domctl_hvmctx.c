/* SPDX-License-Identifier: GPL-2.0-or-later */
/* domctl, the part about saved state: the records of hvm/save.c in and out. Partial contexts are normal. */
#include "handlers.h"
#include "save.h"
#include <xen/domctl.h>

#define CONTEXT_MAX (1U << 20)

static long op_get(struct domain *d, struct xen_domctl_hvmcontext *c)
{
	size_t len = (size_t)hvm_save_size(d);
	void *buf;
	long rc;

	if (guest_handle_is_null(c->buffer)) {
		c->size = (uint32_t)len;
		return 0;
	}
	if (c->size < len)
		return -ENOSPC;
	buf = xzalloc_bytes(len);
	if (!buf)
		return -ENOMEM;
	domain_pause(d);
	rc = hvm_save(d, buf, &len);
	/* An image is being written: the tools let the domain go on where that fails, and destroy it where not. */
	if (!rc && d->shut_down && d->shutdown_code == SHUTDOWN_suspend)
		rc = hvm_save_check(d, buf, len);
	domain_unpause(d);
	if (!rc && copy_to_guest_la(guest_handle_la(c->buffer), buf, len))
		rc = -EFAULT;
	c->size = (uint32_t)len;
	xfree(buf);
	return rc;
}

static long op_set(struct domain *d, const struct xen_domctl_hvmcontext *c)
{
	void *buf;
	long rc;

	/* Of a dying domain all timers have been stopped, and none may be set anew. */
	if (!c->size || c->size > CONTEXT_MAX || READ_ONCE(d->dying))
		return -EINVAL;
	buf = xzalloc_bytes(c->size);
	if (!buf)
		return -ENOMEM;
	if (copy_from_guest_la(buf, guest_handle_la(c->buffer), c->size)) {
		rc = -EFAULT;
	} else {
		domain_pause(d);
		rc = hvm_load(d, buf, c->size);
		domain_unpause(d);
	}
	xfree(buf);
	return rc;
}

static long op_get_one(struct domain *d, struct xen_domctl_hvmcontext_partial *c)
{
	size_t len = min(c->bufsz, (uint64_t)CONTEXT_MAX);
	void *buf = xzalloc_bytes(hvm_save_record_max());
	long rc;

	if (!buf)
		return -ENOMEM;
	domain_pause(d);
	rc = hvm_save_one(d, c->type, c->instance, buf, &len);
	domain_unpause(d);
	if (!rc && guest_handle_is_null(c->buffer))
		c->bufsz = len;
	else if (!rc && c->bufsz < len)
		rc = -ENOSPC;
	else if (!rc && copy_to_guest_la(guest_handle_la(c->buffer), buf, len))
		rc = -EFAULT;
	else if (!rc)
		c->bufsz = len;
	xfree(buf);
	return rc;
}

long domctl_hvmctx(struct domain *d, struct xen_domctl *op, bool *copyback)
{
	if (d == current_domain())
		return op->cmd == XEN_DOMCTL_gethvmcontext || op->cmd == XEN_DOMCTL_sethvmcontext
			       ? -EINVAL
			       : -ENOSYS;
	switch (op->cmd) {
	case XEN_DOMCTL_gethvmcontext:
		*copyback = true;
		return op_get(d, &op->u.hvmcontext);
	case XEN_DOMCTL_sethvmcontext:
		return op_set(d, &op->u.hvmcontext);
	case XEN_DOMCTL_gethvmcontext_partial:
		*copyback = true;
		return op_get_one(d, &op->u.hvmcontext_partial);
	default:
		return -ENOSYS;
	}
}
