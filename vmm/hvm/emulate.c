// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The emulator's surroundings: memory through guest page tables or to devices, ports, segments, control
 * registers. A device access that has to wait for the device model makes the emulator return RETRY; the
 * instruction is then run again from its start, and accesses already answered come from v->hvm.io's
 * record. String runs are in emulate_string.c.
 */
#include "emulate_private.h"
#include "policy.h"

static inline struct vcpu *vcpu_of(struct x86_emulate_ctxt *c)
{
	return c->opaque;
}

int emul_device(struct vcpu *v, uint8_t type, uint64_t addr, unsigned int size, bool write,
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

int emul_translate(struct x86_emulate_ctxt *c, uint64_t lin, unsigned int acc, gpa_t *gpa)
{
	uint32_t pfec;
	int rc = guest_walk(vcpu_of(c), lin, walk_access(c, acc), gpa, &pfec);

	if (!rc)
		return X86EMUL_OKAY;
	return rc == -EACCES ? X86EMUL_UNHANDLEABLE : x86_emulate_page_fault(c, pfec, lin);
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
		memcpy(at, buf, bytes);
		logdirty_wrote(v->domain, gpa_to_gfn(gpa));
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
	logdirty_wrote(v->domain, gpa_to_gfn(gpa));
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
};
