// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Dispatch of port and memory accesses. Ports: a flat array of 64 Ki handler numbers; memory: a few ranges.
 * What no internal device takes goes to the ioreq servers; what nobody takes reads as all-ones.
 * String and memory instructions come through the emulator (emulate.c), plain IN and OUT straight here.
 */
#include "hvm_io.h"
#include "internal.h"
#include "units.h"

#define VGA_START 0xa0000UL
#define VGA_END	  0xc0000UL

struct io_place {
	struct io_range r;
	void *opaque;
};

/* Constant from the first vCPU on, so its readers take no lock. */
struct io_dispatch {
	uint8_t port[65536];			 /* 0 = none, else index into place[IO_PORTS] + 1 */
	struct io_place place[2][IO_MAX_RANGES]; /* by kind */
	unsigned int nr[2];
};

static int io_domain_init(struct domain *d)
{
	d->hvm.io = xzalloc(struct io_dispatch);
	return d->hvm.io ? 0 : -ENOMEM;
}

static void io_domain_fini(struct domain *d)
{
	xfree(d->hvm.io);
	d->hvm.io = NULL;
}

const struct hvm_unit io_unit = {
	.name = "I/O dispatch",
	.needs = UNIT_ANY,
	.init = io_domain_init,
	.fini = io_domain_fini,
};

static bool may_run(const struct domain *d)
{
	struct vcpu *v;

	for_each_vcpu(d, v)
		if (!(v->pause_flags & VPF_DOWN))
			return true;
	return false;
}

int io_register(struct domain *d, const struct io_range *r, void *opaque)
{
	struct io_dispatch *io = d->hvm.io;

	BUG_ON(may_run(d));
	if (io->nr[r->kind] == IO_MAX_RANGES)
		return -ENOSPC;
	io->place[r->kind][io->nr[r->kind]++] = (struct io_place){ .r = *r, .opaque = opaque };
	if (r->kind == IO_PORTS)
		memset(&io->port[r->first], (int)io->nr[IO_PORTS], r->len);
	return 0;
}

bool io_port_is_internal(struct domain *d, uint16_t port)
{
	return d->hvm.io->port[port] != 0;
}

/* The place that serves the access, NULL = none. */
static const struct io_place *find_port(const struct io_dispatch *io, uint16_t port)
{
	return io->port[port] ? &io->place[IO_PORTS][io->port[port] - 1] : NULL;
}

static const struct io_place *find_memory(const struct io_dispatch *io, uint64_t addr,
					  unsigned int size)
{
	for (unsigned int i = 0; i < io->nr[IO_MEMORY]; i++) {
		const struct io_range *r = &io->place[IO_MEMORY][i].r;

		if (addr - r->first < r->len && addr - r->first + size <= r->len)
			return &io->place[IO_MEMORY][i];
	}
	return NULL;
}

static enum io_result internal_access(struct vcpu *v, uint8_t type, uint64_t addr,
				      unsigned int size, bool write, uint64_t *val)
{
	const struct io_dispatch *io = v->domain->hvm.io;
	const struct io_place *at = type == IOREQ_TYPE_PIO ? find_port(io, (uint16_t)addr)
							   : find_memory(io, addr, size);

	if (!at)
		return IO_PASS;
	return write ? at->r.write(v, at->opaque, addr - at->r.first, size, *val)
		     : at->r.read(v, at->opaque, addr - at->r.first, size, val);
}

/*
 * Stores to the VGA window go through the buffered ring: the guest does not wait, and device models empty the
 * ring before they serve the next synchronous request. False: send it the ordinary way.
 */
static bool post_vga_write(struct vcpu *v, const ioreq_t *p)
{
	if (p->type != IOREQ_TYPE_COPY || p->dir != IOREQ_WRITE || p->addr < VGA_START ||
	    p->addr + p->size > VGA_END)
		return false;
	return ioreq_claimed(v->domain, IOREQ_TYPE_COPY, p->addr, p->size) &&
	       !ioreq_send_buffered(v->domain, p);
}

static uint64_t ones(unsigned int size)
{
	return size == 8 ? ~0ULL : BIT(size * 8) - 1;
}

/* No internal device took it. */
static enum io_result external_access(struct vcpu *v, uint8_t type, uint64_t addr,
				      unsigned int size, bool write, uint64_t *val)
{
	ioreq_t p = {
		.addr = addr,
		.data = write ? *val : 0,
		.count = 1,
		.size = size,
		.dir = write ? IOREQ_WRITE : IOREQ_READ,
		.type = type,
	};

	if (!write)
		*val = ones(size);
	if (!v->domain->hvm.ioreq || post_vga_write(v, &p))
		return IO_DONE;
	return ioreq_send(v, &p, val);
}

enum io_result io_access_one(struct vcpu *v, uint8_t type, uint64_t addr, unsigned int size,
			     bool write, uint64_t *val)
{
	enum io_result r = internal_access(v, type, addr, size, write, val);

	return r == IO_PASS ? external_access(v, type, addr, size, write, val) : r;
}

/* AL, AX or EAX; a 32-bit result clears the upper half of RAX. */
static void write_rax(struct vcpu *v, unsigned int size, uint64_t val)
{
	uint64_t mask = size == 4 ? ~0ULL : ones(size);

	v->regs.gpr[X86_RAX] = (v->regs.gpr[X86_RAX] & ~mask) | (val & ones(size));
}

void hvm_exit_io(struct vcpu *v, const struct io_access *a)
{
	uint64_t val = v->regs.gpr[X86_RAX] & ones(a->size);

	if (a->string) {
		hvm_emulate(v, NULL, 0);
		return;
	}
	if (io_access_one(v, IOREQ_TYPE_PIO, a->port, a->size, !a->in, &val) == IO_PENDING) {
		v->hvm.io->completion = IO_COMPLETE_PIO;
		v->hvm.io->pio = *a;
		return;
	}
	if (a->in)
		write_rax(v, a->size, val);
	hvm_advance_rip(v, a->insn_len);
}

/* The answer to IN or OUT is there: finish the instruction. */
static void complete_pio(struct vcpu *v)
{
	struct vcpu_io *io = v->hvm.io;

	if (io->pio.in)
		write_rax(v, io->pio.size, io->answer);
	hvm_advance_rip(v, io->pio.insn_len);
}

bool hvm_io_resume(struct vcpu *v)
{
	struct vcpu_io *io = v->hvm.io;
	enum io_completion what = io->completion;

	if (!io->in_flight)
		return true;
	if (!ioreq_answer(v))
		return false;
	io->completion = IO_COMPLETE_NONE;
	if (what == IO_COMPLETE_PIO) {
		complete_pio(v);
	} else if (what == IO_COMPLETE_MMIO) {
		hvm_mmio_complete(v);
	} else if (what == IO_COMPLETE_EMULATE) {
		io->answer_valid = true;
		hvm_emulate_again(v);
		return !io->in_flight;
	}
	return true;
}

int hvm_io_vcpu_init(struct vcpu *v)
{
	v->hvm.io = xzalloc(struct vcpu_io);
	return v->hvm.io ? 0 : -ENOMEM;
}

void hvm_io_vcpu_fini(struct vcpu *v)
{
	xfree(v->hvm.io);
	v->hvm.io = NULL;
}
