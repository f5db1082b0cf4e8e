// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * String instructions between memory and devices, handed to the device model as one request per page: the
 * memory side travels as a guest-physical address (data_is_ptr). What is not that simple goes item by item
 * through emulate.c. xen/hvm/ioreq.h.
 */
#include "emulate_private.h"

/* Elements of a run that lie in the first one's page; 0 when that element itself crosses its end. */
static uint64_t within_page(uint64_t addr, unsigned int bytes, bool down)
{
	uint64_t offset = addr & ~PAGE_MASK;

	if (offset + bytes > PAGE_SIZE)
		return 0;
	return down ? offset / bytes + 1 : (PAGE_SIZE - offset) / bytes;
}

static bool is_plain_ram(struct vcpu *v, gpa_t gpa, bool writable)
{
	enum p2m_type t = p2m_get(v->domain, gpa_to_gfn(gpa)).type;

	return writable ? t == P2M_RAM_RW : p2m_is_ram(t);
}

/*
 * The answer to a run that was sent before the emulation was restarted: *reps is in: what may be done, out: what
 * was. Its data is in memory or with the device whatever the page tables say by now, so this comes before
 * any other look at the instruction. False: nothing was sent, or an item, whose answer emul_device() takes.
 */
static bool run_answered(struct vcpu *v, uint64_t *reps)
{
	struct vcpu_io *io = v->hvm.io;

	if (!io->nr_records || !io->record[0].run || !io->answer_valid)
		return false;
	*reps = min(io->answer_count, *reps);
	io->nr_records = 0;
	io->answer_valid = false;
	return true;
}

/* *reps is zero. RETRY: sent. */
static int send_run(struct vcpu *v, const ioreq_t *p)
{
	struct vcpu_io *io = v->hvm.io;
	uint64_t val;

	/* An item of this instruction is under way: it went alone and is finished alone. */
	if (io->nr_records || ioreq_send(v, p, &val) != IO_PENDING)
		return X86EMUL_UNHANDLEABLE;
	io->record[0] = (struct io_record){
		.addr = p->addr, .type = p->type, .size = (uint8_t)p->size, .run = true
	};
	io->nr_records = 1;
	return X86EMUL_RETRY;
}

/* Both ends of an element: it may cross into the next page. */
static int translate_element(struct x86_emulate_ctxt *c, uint64_t lin, unsigned int bytes,
			     unsigned int acc, gpa_t *gpa)
{
	gpa_t end;
	int rc = emul_translate(c, lin, acc, gpa);

	if (rc == X86EMUL_OKAY && (lin & ~PAGE_MASK) + bytes > PAGE_SIZE)
		rc = emul_translate(c, (lin | ~PAGE_MASK) + 1, acc, &end);
	return rc;
}

static int rep_port(uint16_t port, uint64_t lin, unsigned int bytes, bool in, uint64_t *reps,
		    struct x86_emulate_ctxt *c)
{
	struct vcpu *v = c->opaque;
	bool down = c->regs->rflags & BIT(10);
	uint64_t n = min(*reps, within_page(lin, bytes, down));
	ioreq_t p = {
		.addr = port,
		.count = (uint32_t)n,
		.size = bytes,
		.dir = in ? IOREQ_READ : IOREQ_WRITE,
		.df = down,
		.data_is_ptr = 1,
		.type = IOREQ_TYPE_PIO,
	};
	gpa_t gpa;
	int rc;

	if (run_answered(v, reps))
		return X86EMUL_OKAY;
	/* A fault on the memory side comes before the port is touched: a device's data is read only once. */
	*reps = 0;
	rc = translate_element(c, lin, bytes, in ? X86_ACC_WRITE : 0, &gpa);
	if (rc != X86EMUL_OKAY)
		return rc;
	if (n < 2 || !v->domain->hvm.ioreq || io_port_is_internal(v->domain, port) ||
	    !ioreq_claimed(v->domain, IOREQ_TYPE_PIO, port, bytes) || !is_plain_ram(v, gpa, in))
		return X86EMUL_UNHANDLEABLE;
	p.data = gpa.v;
	return send_run(v, &p);
}

int emul_rep_ins(uint16_t port, uint64_t lin, unsigned int bytes, uint64_t *reps,
		 struct x86_emulate_ctxt *c)
{
	return rep_port(port, lin, bytes, true, reps, c);
}

int emul_rep_outs(uint64_t lin, uint16_t port, unsigned int bytes, uint64_t *reps,
		  struct x86_emulate_ctxt *c)
{
	return rep_port(port, lin, bytes, false, reps, c);
}

/* One side memory, the other a device that an ioreq server claims. */
int emul_rep_movs(uint64_t src, uint64_t dst, unsigned int bytes, uint64_t *reps,
		  struct x86_emulate_ctxt *c)
{
	struct vcpu *v = c->opaque;
	bool down = c->regs->rflags & BIT(10), from_ram, to_ram;
	uint64_t n = min(*reps, min(within_page(src, bytes, down), within_page(dst, bytes, down)));
	ioreq_t p = { .count = (uint32_t)n,
		      .size = bytes,
		      .df = down,
		      .data_is_ptr = 1,
		      .type = IOREQ_TYPE_COPY };
	gpa_t s, t;
	int rc;

	if (run_answered(v, reps))
		return X86EMUL_OKAY;
	*reps = 0;
	if (n < 2 || !v->domain->hvm.ioreq)
		return X86EMUL_UNHANDLEABLE;
	rc = emul_translate(c, src, 0, &s);
	if (rc == X86EMUL_OKAY)
		rc = emul_translate(c, dst, X86_ACC_WRITE, &t);
	if (rc != X86EMUL_OKAY)
		return rc;
	from_ram = is_plain_ram(v, s, false);
	to_ram = is_plain_ram(v, t, true);
	if (from_ram == to_ram)
		return X86EMUL_UNHANDLEABLE;
	p.dir = from_ram ? IOREQ_WRITE : IOREQ_READ;
	p.addr = from_ram ? t.v : s.v;
	p.data = from_ram ? s.v : t.v;
	if (!ioreq_claimed(v->domain, IOREQ_TYPE_COPY, down ? p.addr - (n - 1) * bytes : p.addr,
			   n * bytes))
		return X86EMUL_UNHANDLEABLE;
	return send_run(v, &p);
}

/* Filling plain memory; filling a device goes item by item. */
int emul_rep_stos(uint64_t val, uint64_t dst, unsigned int bytes, uint64_t *reps,
		  struct x86_emulate_ctxt *c)
{
	struct vcpu *v = c->opaque;
	bool down = c->regs->rflags & BIT(10);
	uint64_t n = min(*reps, within_page(dst, bytes, down));
	struct page *pg;
	gpa_t gpa;
	int rc;

	*reps = 0;
	if (!n)
		return X86EMUL_UNHANDLEABLE;
	rc = emul_translate(c, dst, X86_ACC_WRITE, &gpa);
	if (rc != X86EMUL_OKAY)
		return rc;
	pg = p2m_get_page(v->domain, gpa_to_gfn(gpa), true, NULL);
	if (!pg)
		return X86EMUL_UNHANDLEABLE;
	for (uint64_t i = 0; i < n; i++) {
		uint64_t offset = (gpa.v & ~PAGE_MASK) + (down ? -i : i) * bytes;

		memcpy((uint8_t *)page_to_virt(pg) + offset, &val, bytes);
	}
	logdirty_wrote(v->domain, gpa_to_gfn(gpa));
	page_put(pg);
	*reps = n;
	return X86EMUL_OKAY;
}
