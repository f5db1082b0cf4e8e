// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The emulator's surroundings: memory through guest page tables or to devices, ports, segments, control
 * registers. A device access that has to wait for the device model makes the emulator return RETRY; the
 * instruction is then run again from its start, and accesses already answered come from v->hvm.io's
 * record.
 */
#include "emulate_private.h"
#include "internal.h"
#include "paging.h"
#include "policy.h"

static inline struct vcpu *vcpu_of(struct x86_emulate_ctxt *c)
{
	return c->opaque;
}

/* emulate.c: one device access of the instruction under way, answered from the record when repeated. */
static int emul_device(struct vcpu *v, uint8_t type, uint64_t addr, unsigned int size, bool write,
		       uint64_t *val)
{
	struct vcpu_io *io = v->hvm.io;
	struct io_record *r = NULL;

	for (unsigned int i = 0; i < io->nr_records; i++) {
		struct io_record *c = &io->record[i];

		if (c->addr == addr && c->size == size && c->type == type && c->write == write &&
		    !c->run)
			r = c;
	}
	if (r && !r->done && io->answer_valid) {
		r->data = write ? *val : io->answer;
		r->done = true;
		io->answer_valid = false;
	}
	if (r && r->done) {
		if (!write)
			*val = r->data;
		return X86EMUL_OKAY;
	}
	if (!r && io->nr_records == IO_RECORDS)
		return X86EMUL_UNHANDLEABLE;
	io_access_one(v, type, addr, size, write, val);
	if (!r)
		r = &io->record[io->nr_records++];
	*r = (struct io_record){ .addr = addr,
				 .size = (uint8_t)size,
				 .type = type,
				 .write = write,
				 .data = *val,
				 .done = !io->in_flight };
	return r->done ? X86EMUL_OKAY : X86EMUL_RETRY;
}

/* A run of device memory, in naturally aligned pieces of at most eight bytes. */
static int device_memory(struct vcpu *v, gpa_t gpa, uint8_t *buf, unsigned int bytes, bool write)
{
	while (bytes) {
		unsigned int n = 8;
		uint64_t val = 0;
		int rc;

		while (n > bytes || (gpa.v & (n - 1)))
			n /= 2;
		if (write)
			memcpy(&val, buf, n);
		rc = emul_device(v, IOREQ_TYPE_COPY, gpa.v, n, write, &val);
		if (rc != X86EMUL_OKAY)
			return rc;
		if (!write)
			memcpy(buf, &val, n);
		gpa.v += n;
		buf += n;
		bytes -= n;
	}
	return X86EMUL_OKAY;
}

static uint32_t walk_access(const struct x86_emulate_ctxt *c, unsigned int acc)
{
	uint32_t a = acc & X86_ACC_WRITE ? PFEC_W : 0;

	if (acc & X86_ACC_SYSTEM)
		return a | PFEC_IMPLICIT;
	return c->cpl == 3 ? a | PFEC_U : a;
}

/* Linear to guest-physical with the rights of the access (X86_ACC_*). */
static int emul_translate(struct x86_emulate_ctxt *c, uint64_t lin, unsigned int acc, gpa_t *gpa)
{
	uint32_t pfec;
	int rc = guest_walk(vcpu_of(c), lin, walk_access(c, acc), gpa, &pfec);

	if (!rc)
		return X86EMUL_OKAY;
	return rc == -EACCES ? X86EMUL_UNHANDLEABLE : x86_emulate_page_fault(c, pfec, lin);
}

/* A store that other vCPUs see whole, as they do the processor's own: page tables are written so. */
static void store(uint8_t *at, const uint8_t *buf, unsigned int bytes)
{
	uint64_t val = 0;

	if (bytes > sizeof(val) || (bytes & (bytes - 1)) || (uintptr_t)at & (bytes - 1)) {
		memcpy(at, buf, bytes);
		return;
	}
	memcpy(&val, buf, bytes);
	switch (bytes) {
	case 8:
		WRITE_ONCE(*(uint64_t *)(void *)at, val);
		break;
	case 4:
		WRITE_ONCE(*(uint32_t *)(void *)at, (uint32_t)val);
		break;
	case 2:
		WRITE_ONCE(*(uint16_t *)(void *)at, (uint16_t)val);
		break;
	default:
		WRITE_ONCE(*at, (uint8_t)val);
		break;
	}
}

/* What the VMM keeps of the domain's memory learns of a write of ours. */
static void wrote(struct domain *d, gpa_t gpa, unsigned int bytes)
{
	logdirty_wrote(d, gpa_to_gfn(gpa));
	paging_guest_wrote(d, gpa_to_gfn(gpa), gpa.v & ~PAGE_MASK, bytes);
}

/* Within one page. Read-only memory swallows writes, as ROM does. */
static int access_page(struct x86_emulate_ctxt *c, uint64_t lin, uint8_t *buf, unsigned int bytes,
		       unsigned int acc, bool write)
{
	struct vcpu *v = vcpu_of(c);
	enum p2m_type t;
	struct page *pg;
	gpa_t gpa;
	uint8_t *at;
	int rc = emul_translate(c, lin, acc | (write ? X86_ACC_WRITE : 0), &gpa);

	if (rc != X86EMUL_OKAY)
		return rc;
	pg = p2m_get_page(v->domain, gpa_to_gfn(gpa), write, &t);
	if (!pg) {
		if (write && (t == P2M_RAM_RO || t == P2M_GRANT_RO))
			return X86EMUL_OKAY;
		if (t == P2M_POD && write)
			return X86EMUL_UNHANDLEABLE; /* there is no memory for it */
		if (t == P2M_POD) {
			memset(buf, 0, bytes);
			return X86EMUL_OKAY;
		}
		return device_memory(v, gpa, buf, bytes, write);
	}
	at = (uint8_t *)page_to_virt(pg) + (gpa.v & ~PAGE_MASK);
	if (write) {
		store(at, buf, bytes);
		wrote(v->domain, gpa, bytes);
	} else {
		memcpy(buf, at, bytes);
	}
	page_put(pg);
	return X86EMUL_OKAY;
}

static int access_linear(struct x86_emulate_ctxt *c, uint64_t lin, uint8_t *buf, unsigned int bytes,
			 unsigned int acc, bool write)
{
	unsigned int first = (unsigned int)min((uint64_t)bytes, PAGE_SIZE - (lin & ~PAGE_MASK));
	gpa_t second;
	int rc;

	/* The second page must be there before the first one is written. */
	if (first < bytes && write) {
		rc = emul_translate(c, lin + first, acc | X86_ACC_WRITE, &second);
		if (rc != X86EMUL_OKAY)
			return rc;
	}
	rc = access_page(c, lin, buf, first, acc, write);
	if (rc == X86EMUL_OKAY && first < bytes)
		rc = access_page(c, lin + first, buf + first, bytes - first, acc, write);
	return rc;
}

static int op_fetch(uint64_t lin, void *buf, unsigned int bytes, struct x86_emulate_ctxt *c)
{
	struct vcpu *v = vcpu_of(c);
	uint32_t pfec;
	gpa_t gpa;
	int rc = guest_walk(v, lin, PFEC_I | (c->cpl == 3 ? PFEC_U : 0), &gpa, &pfec);

	if (rc)
		return rc == -EACCES ? X86EMUL_UNHANDLEABLE : x86_emulate_page_fault(c, pfec, lin);
	return guest_phys_read(v->domain, gpa, buf, bytes) ? X86EMUL_UNHANDLEABLE : X86EMUL_OKAY;
}

static int op_read(uint64_t lin, void *buf, unsigned int bytes, unsigned int acc,
		   struct x86_emulate_ctxt *c)
{
	return access_linear(c, lin, buf, bytes, acc, false);
}

static int op_write(uint64_t lin, const void *buf, unsigned int bytes, unsigned int acc,
		    struct x86_emulate_ctxt *c)
{
	return access_linear(c, lin, (void *)buf, bytes, acc, true);
}

static int cmpxchg_ram(void *at, void *old, const void *new_val, unsigned int bytes)
{
	bool same;

	switch (bytes) {
	case 1:
		same = __atomic_compare_exchange_n((uint8_t *)at, (uint8_t *)old,
						   *(const uint8_t *)new_val, false,
						   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
		break;
	case 2:
		same = __atomic_compare_exchange_n((uint16_t *)at, (uint16_t *)old,
						   *(const uint16_t *)new_val, false,
						   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
		break;
	case 4:
		same = __atomic_compare_exchange_n((uint32_t *)at, (uint32_t *)old,
						   *(const uint32_t *)new_val, false,
						   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
		break;
	case 8:
		same = __atomic_compare_exchange_n((uint64_t *)at, (uint64_t *)old,
						   *(const uint64_t *)new_val, false,
						   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
		break;
	default:
		return X86EMUL_UNHANDLEABLE;
	}
	return same ? X86EMUL_OKAY : X86EMUL_CMPXCHG_FAILED;
}

static int op_cmpxchg(uint64_t lin, void *old, const void *new_val, unsigned int bytes,
		      struct x86_emulate_ctxt *c)
{
	struct vcpu *v = vcpu_of(c);
	struct page *pg;
	gpa_t gpa;
	int rc = emul_translate(c, lin, X86_ACC_WRITE, &gpa);

	if (rc != X86EMUL_OKAY)
		return rc;
	pg = (lin & ~PAGE_MASK) + bytes <= PAGE_SIZE
		     ? p2m_get_page(v->domain, gpa_to_gfn(gpa), true, NULL)
		     : NULL;
	if (!pg)
		return access_linear(c, lin, (void *)new_val, bytes, X86_ACC_WRITE, true);
	rc = cmpxchg_ram((uint8_t *)page_to_virt(pg) + (gpa.v & ~PAGE_MASK), old, new_val, bytes);
	wrote(v->domain, gpa, bytes);
	page_put(pg);
	return rc;
}

static int op_read_io(uint16_t port, unsigned int bytes, uint32_t *val, struct x86_emulate_ctxt *c)
{
	uint64_t data = 0;
	int rc = emul_device(vcpu_of(c), IOREQ_TYPE_PIO, port, bytes, false, &data);

	*val = (uint32_t)data;
	return rc;
}

static int op_write_io(uint16_t port, unsigned int bytes, uint32_t val, struct x86_emulate_ctxt *c)
{
	uint64_t data = val;

	return emul_device(vcpu_of(c), IOREQ_TYPE_PIO, port, bytes, true, &data);
}

static void op_commit(struct x86_emulate_ctxt *c)
{
	vcpu_of(c)->hvm.io->nr_records = 0;
}

static int op_read_segment(enum x86_seg s, struct x86_segment *out, struct x86_emulate_ctxt *c)
{
	*out = *hvm_seg(vcpu_of(c), s);
	return X86EMUL_OKAY;
}

static int op_write_segment(enum x86_seg s, const struct x86_segment *in,
			    struct x86_emulate_ctxt *c)
{
	hvm_set_seg(vcpu_of(c), s, in);
	return X86EMUL_OKAY;
}

static int op_read_cr(unsigned int cr, uint64_t *val, struct x86_emulate_ctxt *c)
{
	*val = hvm_cr_read(vcpu_of(c), cr);
	return X86EMUL_OKAY;
}

static int gp_if(int rc, struct x86_emulate_ctxt *c)
{
	return rc ? x86_emulate_exception(c, X86_EXC_GP, true, 0) : X86EMUL_OKAY;
}

static int op_write_cr(unsigned int cr, uint64_t val, struct x86_emulate_ctxt *c)
{
	return gp_if(hvm_cr_write(vcpu_of(c), cr, val), c);
}

static int op_read_msr(uint32_t msr, uint64_t *val, struct x86_emulate_ctxt *c)
{
	return gp_if(hvm_rdmsr(vcpu_of(c), msr, val), c);
}

static int op_write_msr(uint32_t msr, uint64_t val, struct x86_emulate_ctxt *c)
{
	return gp_if(hvm_wrmsr(vcpu_of(c), msr, val), c);
}

static int op_read_xcr(unsigned int xcr, uint64_t *val, struct x86_emulate_ctxt *c)
{
	*val = fpu_live_xcr0(&vcpu_of(c)->fpu);
	return gp_if(xcr ? -EINVAL : 0, c);
}

static int op_write_xcr(unsigned int xcr, uint64_t val, struct x86_emulate_ctxt *c)
{
	return gp_if(xcr ? -EINVAL : hvm_set_xcr0(vcpu_of(c), val), c);
}

static int op_cpuid(uint32_t leaf, uint32_t sub, uint32_t out[4], struct x86_emulate_ctxt *c)
{
	if (hvm_cpuid_faults(vcpu_of(c)))
		return gp_if(-EINVAL, c);
	hvm_cpuid(vcpu_of(c), leaf, sub, out);
	return X86EMUL_OKAY;
}

static int op_wbinvd(bool writeback, struct x86_emulate_ctxt *c)
{
	(void)writeback;
	(void)c;
	return X86EMUL_OKAY;
}

static int op_invlpg(uint64_t lin, struct x86_emulate_ctxt *c)
{
	(void)lin;
	hvm_ops->flush_vcpu(vcpu_of(c));
	return X86EMUL_OKAY;
}

/* Debug and vector registers, of the current vCPU. */

static int emul_read_dr(unsigned int dr, uint64_t *val, struct x86_emulate_ctxt *c)
{
	struct vcpu *v = c->opaque;

	hvm_get_state(v, HVM_DRS);
	*val = dr < 4 ? v->dr[dr] : dr == 6 ? v->dr6 : v->dr7;
	return X86EMUL_OKAY;
}

/* DR6: bits 4-11 and 16-31 read as one; DR7: bit 10 is one, the upper half zero. */
static int emul_write_dr(unsigned int dr, uint64_t val, struct x86_emulate_ctxt *c)
{
	struct vcpu *v = c->opaque;

	if (dr >= 6 && val >> 32)
		return x86_emulate_exception(c, X86_EXC_GP, true, 0);
	hvm_get_state(v, HVM_DRS);
	if (dr < 4)
		v->dr[dr] = val;
	else if (dr == 6)
		v->dr6 = (val & ~BIT(12)) | X86_DR6_RESET;
	else
		v->dr7 = (val & ~0xd800ULL) | X86_DR7_RESET;
	hvm_set_state(v, HVM_DRS);
	return X86EMUL_OKAY;
}

/* The registers are live in the CPU: vmm/cpu/fpu.c knows how to reach them. */
static int vec_result(struct x86_emulate_ctxt *c, int rc)
{
	struct vcpu *v = c->opaque;

	switch (rc) {
	case 0:
		return X86EMUL_OKAY;
	case -ENODEV:
		return x86_emulate_exception(c, X86_EXC_UD, false, 0);
	case -EBUSY:
		return x86_emulate_exception(c, X86_EXC_MF, false, 0);
	default:
		domain_crash(v->domain, "vCPU %u: the processor refuses its x87 and vector state",
			     v->id);
		return X86EMUL_UNHANDLEABLE;
	}
}

static int emul_read_vec(unsigned int reg, void *buf, unsigned int bytes,
			 struct x86_emulate_ctxt *c)
{
	struct vcpu *v = c->opaque;

	return vec_result(c, fpu_read_vec(&v->fpu, reg, buf, bytes));
}

static int emul_read_x87(struct x86_x87 *out, struct x86_emulate_ctxt *c)
{
	struct vcpu *v = c->opaque;

	return vec_result(c, fpu_read_x87(&v->fpu, out));
}

static int emul_write_x87(const struct x86_x87 *in, struct x86_emulate_ctxt *c)
{
	struct vcpu *v = c->opaque;

	return vec_result(c, fpu_write_x87(&v->fpu, in));
}

static int emul_write_vec(unsigned int reg, const void *buf, unsigned int bytes, bool zero_upper,
			  struct x86_emulate_ctxt *c)
{
	struct vcpu *v = c->opaque;

	return vec_result(c, fpu_write_vec(&v->fpu, reg, buf, bytes, zero_upper));
}

/*
 * String instructions between memory and devices, handed to the device model as one request per page: the
 * memory side travels as a guest-physical address (data_is_ptr). What is not that simple goes item by item
 * through the functions above. xen/hvm/ioreq.h.
 */

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
	/* The device model has written to memory, to one frame (within_page()). */
	if (!io->record[0].write)
		paging_give_up(v->domain, gpa_to_gfn(_gpa(io->record[0].data)));
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
	io->record[0] = (struct io_record){ .addr = p->addr,
					    .data = p->data,
					    .size = (uint8_t)p->size,
					    .type = p->type,
					    .write = p->dir == IOREQ_WRITE,
					    .run = true };
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

static int emul_rep_ins(uint16_t port, uint64_t lin, unsigned int bytes, uint64_t *reps,
			struct x86_emulate_ctxt *c)
{
	return rep_port(port, lin, bytes, true, reps, c);
}

static int emul_rep_outs(uint64_t lin, uint16_t port, unsigned int bytes, uint64_t *reps,
			 struct x86_emulate_ctxt *c)
{
	return rep_port(port, lin, bytes, false, reps, c);
}

/* One side memory, the other a device that an ioreq server claims. */
static int emul_rep_movs(uint64_t src, uint64_t dst, unsigned int bytes, uint64_t *reps,
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
static int emul_rep_stos(uint64_t val, uint64_t dst, unsigned int bytes, uint64_t *reps,
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
	paging_give_up(v->domain, gpa_to_gfn(gpa));
	page_put(pg);
	*reps = n;
	return X86EMUL_OKAY;
}

const struct x86_emulate_ops hvm_emulate_ops = {
	.insn_fetch = op_fetch,
	.read = op_read,
	.write = op_write,
	.cmpxchg = op_cmpxchg,
	.read_io = op_read_io,
	.write_io = op_write_io,
	.rep_ins = emul_rep_ins,
	.rep_outs = emul_rep_outs,
	.rep_movs = emul_rep_movs,
	.rep_stos = emul_rep_stos,
	.commit = op_commit,
	.read_segment = op_read_segment,
	.write_segment = op_write_segment,
	.read_cr = op_read_cr,
	.write_cr = op_write_cr,
	.read_dr = emul_read_dr,
	.write_dr = emul_write_dr,
	.read_xcr = op_read_xcr,
	.write_xcr = op_write_xcr,
	.read_msr = op_read_msr,
	.write_msr = op_write_msr,
	.cpuid = op_cpuid,
	.wbinvd = op_wbinvd,
	.invlpg = op_invlpg,
	.read_vec = emul_read_vec,
	.write_vec = emul_write_vec,
	.read_x87 = emul_read_x87,
	.write_x87 = emul_write_x87,
};
