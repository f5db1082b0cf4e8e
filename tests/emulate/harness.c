// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The fake machine behind the emulator's callbacks, and the counting of test cases. See harness.h.
 */
#include <stdarg.h>

#include "harness.h"

struct test_count tests;

void test_result(bool ok, const char *fmt, ...)
{
	static unsigned int printed;
	va_list ap;

	if (ok) {
		tests.passed++;
		return;
	}
	tests.failed++;
	if (printed++ >= 40)
		return;
	printf("FAIL: ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

void test_batch(const struct test_count *before)
{
	bool bad = tests.failed != before->failed;

	tests.compared += tests.passed - before->passed + tests.failed - before->failed;
	tests.passed = before->passed + !bad;
	tests.failed = before->failed + bad;
}

/* splitmix64, always from the same seed: failures repeat. */
uint64_t test_random(void)
{
	static uint64_t state = 0x706c696e7468ULL;
	uint64_t z = state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

void test_hex(char *out, const uint8_t *bytes, unsigned int n)
{
	unsigned int i;

	*out = 0;
	for (i = 0; i < n; i++)
		out += sprintf(out, "%02x ", bytes[i]);
}

static struct machine *machine_of(struct x86_emulate_ctxt *ctxt)
{
	return ctxt->opaque;
}

static bool in_window(uint64_t lin, unsigned int bytes, uint64_t base, uint64_t size)
{
	return lin >= base && bytes <= size && lin - base <= size - bytes;
}

static int m_fetch(uint64_t lin, void *buf, unsigned int bytes, struct x86_emulate_ctxt *ctxt)
{
	struct machine *m = machine_of(ctxt);

	if (in_window(lin, bytes, m->code_base, m->code_size)) {
		memcpy(buf, m->code + (lin - m->code_base), bytes);
		return X86EMUL_OKAY;
	}
	if (m->mem && in_window(lin, bytes, m->mem_base, m->mem_size)) {
		memcpy(buf, m->mem + (lin - m->mem_base), bytes);
		return X86EMUL_OKAY;
	}
	if (!m->any_memory)
		return x86_emulate_page_fault(ctxt, 0x10, lin);
	memset(buf, 0, bytes);
	return X86EMUL_OKAY;
}

static int m_read(uint64_t lin, void *buf, unsigned int bytes, unsigned int acc,
		  struct x86_emulate_ctxt *ctxt)
{
	struct machine *m = machine_of(ctxt);

	if (m->mem && in_window(lin, bytes, m->mem_base, m->mem_size)) {
		memcpy(buf, m->mem + (lin - m->mem_base), bytes);
		return X86EMUL_OKAY;
	}
	if (m->device_size && in_window(lin, bytes, m->device_base, m->device_size)) {
		if (!m->device_ready) {
			m->device_reads++;
			return X86EMUL_RETRY;
		}
		memset(buf, 0, bytes);
		memcpy(buf, &m->device_value, bytes < 8 ? bytes : 8);
		return X86EMUL_OKAY;
	}
	if (!m->any_memory)
		return x86_emulate_page_fault(ctxt, acc & X86_ACC_WRITE ? 2 : 0, lin);
	memset(buf, 0, bytes);
	return X86EMUL_OKAY;
}

static int m_write(uint64_t lin, const void *buf, unsigned int bytes, unsigned int acc,
		   struct x86_emulate_ctxt *ctxt)
{
	struct machine *m = machine_of(ctxt);

	(void)acc;
	if (m->mem && in_window(lin, bytes, m->mem_base, m->mem_size)) {
		memcpy(m->mem + (lin - m->mem_base), buf, bytes);
		return X86EMUL_OKAY;
	}
	if (m->device_size && in_window(lin, bytes, m->device_base, m->device_size)) {
		m->device_writes++;
		if (!m->device_ready)
			return X86EMUL_RETRY;
		m->device_value = 0;
		memcpy(&m->device_value, buf, bytes < 8 ? bytes : 8);
		return X86EMUL_OKAY;
	}
	return m->any_memory ? X86EMUL_OKAY : x86_emulate_page_fault(ctxt, 2, lin);
}

static int m_cmpxchg(uint64_t lin, void *old, const void *val, unsigned int bytes,
		     struct x86_emulate_ctxt *ctxt)
{
	struct machine *m = machine_of(ctxt);
	uint8_t now[16];
	int rc = m_read(lin, now, bytes, X86_ACC_WRITE | X86_ACC_RMW, ctxt);

	if (rc != X86EMUL_OKAY)
		return rc;
	m->locked++;
	if (m->cmpxchg_race) {
		m->cmpxchg_race = false;
		now[0] ^= 0x5a;
		m_write(lin, now, bytes, X86_ACC_WRITE, ctxt);
	}
	if (memcmp(now, old, bytes)) {
		memcpy(old, now, bytes);
		return X86EMUL_CMPXCHG_FAILED;
	}
	return m_write(lin, val, bytes, X86_ACC_WRITE | X86_ACC_RMW, ctxt);
}

static int m_read_io(uint16_t port, unsigned int bytes, uint32_t *val,
		     struct x86_emulate_ctxt *ctxt)
{
	struct machine *m = machine_of(ctxt);

	m->io_port = port;
	m->io_count++;
	*val = m->io_value++ & (~0U >> (32 - 8 * bytes));
	return X86EMUL_OKAY;
}

static int m_write_io(uint16_t port, unsigned int bytes, uint32_t val,
		      struct x86_emulate_ctxt *ctxt)
{
	struct machine *m = machine_of(ctxt);

	(void)bytes;
	m->io_port = port;
	m->io_count++;
	m->io_last = val;
	return X86EMUL_OKAY;
}

static void m_commit(struct x86_emulate_ctxt *ctxt)
{
	machine_of(ctxt)->commits++;
}

static int m_read_segment(enum x86_seg seg, struct x86_segment *out, struct x86_emulate_ctxt *ctxt)
{
	*out = machine_of(ctxt)->seg[seg];
	return X86EMUL_OKAY;
}

static int m_write_segment(enum x86_seg seg, const struct x86_segment *in,
			   struct x86_emulate_ctxt *ctxt)
{
	machine_of(ctxt)->seg[seg] = *in;
	return X86EMUL_OKAY;
}

static int m_read_cr(unsigned int cr, uint64_t *val, struct x86_emulate_ctxt *ctxt)
{
	*val = machine_of(ctxt)->cr[cr];
	return X86EMUL_OKAY;
}

static int m_write_cr(unsigned int cr, uint64_t val, struct x86_emulate_ctxt *ctxt)
{
	machine_of(ctxt)->cr[cr] = val;
	return X86EMUL_OKAY;
}

static int m_read_dr(unsigned int dr, uint64_t *val, struct x86_emulate_ctxt *ctxt)
{
	*val = machine_of(ctxt)->dr[dr];
	return X86EMUL_OKAY;
}

static int m_write_dr(unsigned int dr, uint64_t val, struct x86_emulate_ctxt *ctxt)
{
	machine_of(ctxt)->dr[dr] = val;
	return X86EMUL_OKAY;
}

static int m_read_xcr(unsigned int xcr, uint64_t *val, struct x86_emulate_ctxt *ctxt)
{
	if (xcr > 1)
		return x86_emulate_exception(ctxt, 13, true, 0);
	*val = machine_of(ctxt)->xcr[xcr];
	return X86EMUL_OKAY;
}

static int m_write_xcr(unsigned int xcr, uint64_t val, struct x86_emulate_ctxt *ctxt)
{
	if (xcr)
		return x86_emulate_exception(ctxt, 13, true, 0);
	machine_of(ctxt)->xcr[0] = val;
	return X86EMUL_OKAY;
}

static int m_read_msr(uint32_t msr, uint64_t *val, struct x86_emulate_ctxt *ctxt)
{
	struct machine *m = machine_of(ctxt);

	for (const struct machine_msr *r = m->msrs; r && r->index; r++) {
		if (r->index == msr) {
			*val = r->value;
			return X86EMUL_OKAY;
		}
	}
	m->msr_index = msr;
	*val = m->msr_value;
	return X86EMUL_OKAY;
}

static int m_write_msr(uint32_t msr, uint64_t val, struct x86_emulate_ctxt *ctxt)
{
	machine_of(ctxt)->msr_index = msr;
	machine_of(ctxt)->msr_value = val;
	return X86EMUL_OKAY;
}

static int m_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4], struct x86_emulate_ctxt *ctxt)
{
	(void)ctxt;
	out[0] = leaf + 1;
	out[1] = 0x11111111;
	out[2] = subleaf;
	out[3] = 0x33333333;
	return X86EMUL_OKAY;
}

static int m_wbinvd(bool writeback, struct x86_emulate_ctxt *ctxt)
{
	machine_of(ctxt)->wbinvds += writeback ? 1 : 100;
	return X86EMUL_OKAY;
}

static int m_invlpg(uint64_t lin, struct x86_emulate_ctxt *ctxt)
{
	machine_of(ctxt)->invlpgs++;
	machine_of(ctxt)->invlpg_lin = lin;
	return X86EMUL_OKAY;
}

static int m_hypercall(struct x86_emulate_ctxt *ctxt)
{
	machine_of(ctxt)->hypercalls++;
	return X86EMUL_OKAY;
}

static int m_read_vec(unsigned int reg, void *buf, unsigned int bytes,
		      struct x86_emulate_ctxt *ctxt)
{
	struct machine *m = machine_of(ctxt);

	memcpy(buf, bytes == 8 ? (void *)&m->mmx[reg] : m->vec[reg], bytes);
	return X86EMUL_OKAY;
}

static int m_write_vec(unsigned int reg, const void *buf, unsigned int bytes, bool zero_upper,
		       struct x86_emulate_ctxt *ctxt)
{
	struct machine *m = machine_of(ctxt);

	if (zero_upper)
		memset(m->vec[reg], 0, 32);
	memcpy(bytes == 8 ? (void *)&m->mmx[reg] : m->vec[reg], buf, bytes);
	return X86EMUL_OKAY;
}

static int m_read_x87(struct x86_x87 *out, struct x86_emulate_ctxt *ctxt)
{
	*out = machine_of(ctxt)->x87;
	return X86EMUL_OKAY;
}

static int m_write_x87(const struct x86_x87 *in, struct x86_emulate_ctxt *ctxt)
{
	machine_of(ctxt)->x87 = *in;
	return X86EMUL_OKAY;
}

/* The bulk callbacks: element by element through the callbacks above, bulk_limit per call. */
static uint64_t bulk_step(const struct machine *m, unsigned int bytes)
{
	return m->regs.rflags & 0x400 ? -(uint64_t)bytes : bytes;
}

static int bulk_begin(struct machine *m, uint64_t *reps)
{
	m->bulk_calls++;
	if (*reps > m->bulk_limit)
		*reps = m->bulk_limit;
	return *reps ? X86EMUL_OKAY : X86EMUL_UNHANDLEABLE;
}

static int m_rep_movs(uint64_t src, uint64_t dst, unsigned int bytes, uint64_t *reps,
		      struct x86_emulate_ctxt *ctxt)
{
	struct machine *m = machine_of(ctxt);
	uint64_t i, val, step = bulk_step(m, bytes);
	int rc = bulk_begin(m, reps);

	for (i = 0; rc == X86EMUL_OKAY && i < *reps; i++) {
		rc = m_read(src + i * step, &val, bytes, 0, ctxt);
		if (rc == X86EMUL_OKAY)
			rc = m_write(dst + i * step, &val, bytes, X86_ACC_WRITE, ctxt);
		if (rc != X86EMUL_OKAY)
			*reps = i;
	}
	return rc;
}

static int m_rep_stos(uint64_t val, uint64_t dst, unsigned int bytes, uint64_t *reps,
		      struct x86_emulate_ctxt *ctxt)
{
	struct machine *m = machine_of(ctxt);
	uint64_t i, step = bulk_step(m, bytes);
	int rc = bulk_begin(m, reps);

	for (i = 0; rc == X86EMUL_OKAY && i < *reps; i++) {
		rc = m_write(dst + i * step, &val, bytes, X86_ACC_WRITE, ctxt);
		if (rc != X86EMUL_OKAY)
			*reps = i;
	}
	return rc;
}

static int m_rep_ins(uint16_t port, uint64_t lin, unsigned int bytes, uint64_t *reps,
		     struct x86_emulate_ctxt *ctxt)
{
	struct machine *m = machine_of(ctxt);
	uint64_t i, step = bulk_step(m, bytes);
	uint32_t val;
	int rc = bulk_begin(m, reps);

	for (i = 0; rc == X86EMUL_OKAY && i < *reps; i++) {
		m_read_io(port, bytes, &val, ctxt);
		rc = m_write(lin + i * step, &val, bytes, X86_ACC_WRITE, ctxt);
		if (rc != X86EMUL_OKAY)
			*reps = i;
	}
	return rc;
}

static int m_rep_outs(uint64_t lin, uint16_t port, unsigned int bytes, uint64_t *reps,
		      struct x86_emulate_ctxt *ctxt)
{
	struct machine *m = machine_of(ctxt);
	uint64_t i, step = bulk_step(m, bytes);
	uint32_t val = 0;
	int rc = bulk_begin(m, reps);

	for (i = 0; rc == X86EMUL_OKAY && i < *reps; i++) {
		rc = m_read(lin + i * step, &val, bytes, 0, ctxt);
		if (rc == X86EMUL_OKAY)
			rc = m_write_io(port, bytes, val, ctxt);
		if (rc != X86EMUL_OKAY)
			*reps = i;
	}
	return rc;
}

#define COMMON_OPS                                                                        \
	.insn_fetch = m_fetch, .read = m_read, .write = m_write, .cmpxchg = m_cmpxchg,    \
	.read_io = m_read_io, .write_io = m_write_io, .read_segment = m_read_segment,     \
	.write_segment = m_write_segment, .read_cr = m_read_cr, .write_cr = m_write_cr,   \
	.read_dr = m_read_dr, .write_dr = m_write_dr, .read_xcr = m_read_xcr,             \
	.write_xcr = m_write_xcr, .read_msr = m_read_msr, .write_msr = m_write_msr,       \
	.cpuid = m_cpuid, .wbinvd = m_wbinvd, .invlpg = m_invlpg, .read_vec = m_read_vec, \
	.write_vec = m_write_vec, .read_x87 = m_read_x87, .write_x87 = m_write_x87,       \
	.hypercall = m_hypercall, .commit = m_commit

const struct x86_emulate_ops machine_ops = { COMMON_OPS };

const struct x86_emulate_ops machine_ops_bulk = {
	COMMON_OPS,	      .rep_movs = m_rep_movs, .rep_stos = m_rep_stos,
	.rep_ins = m_rep_ins, .rep_outs = m_rep_outs,
};

static void set_flat(struct machine *m, unsigned int code_bits)
{
	unsigned int i, cpl = m->ctxt.cpl;

	for (i = X86_SEG_ES; i <= X86_SEG_GS; i++) {
		m->seg[i].limit = ~0U;
		m->seg[i].sel = 0x10 | cpl;
		m->seg[i].attr = 0xc93 | cpl << 5;
	}
	m->seg[X86_SEG_CS].sel = 0x8 | cpl;
	m->seg[X86_SEG_CS].attr = 0x89b | cpl << 5;
	if (code_bits != 16)
		m->seg[X86_SEG_CS].attr |= code_bits == 64 ? X86_ATTR_L : X86_ATTR_DB;
	m->seg[X86_SEG_TR] = (struct x86_segment){ .sel = 0x20, .attr = 0x8b, .limit = 0x67 };
}

/* Flat segments in protected and long mode, 64 KiB segments at 0 in real mode; CPL 0. */
void machine_init(struct machine *m, enum x86_mode mode, unsigned int code_bits)
{
	unsigned int i;

	memset(m, 0, sizeof(*m));
	m->ctxt.regs = &m->regs;
	m->ctxt.opaque = m;
	m->ctxt.mode = mode;
	m->ctxt.code_bits = code_bits;
	m->ctxt.sp_bits = code_bits;
	m->ctxt.features = X86_FEAT_ALL;
	m->ctxt.vendor = X86_VENDOR_AMD;
	m->ctxt.cpl = mode == X86_MODE_VM86 ? 3 : 0;
	m->regs.rflags = 2;
	m->cr[0] = mode == X86_MODE_REAL ? 0x10 : 0x11;
	m->cr[4] = 0x50600; /* OSFXSR, OSXMMEXCPT, FSGSBASE, OSXSAVE */
	m->xcr[0] = 7;
	if (mode >= X86_MODE_PROT) {
		set_flat(m, code_bits);
		return;
	}
	for (i = X86_SEG_ES; i <= X86_SEG_GS; i++)
		m->seg[i] = (struct x86_segment){ .limit = 0xffff,
						  .attr = mode == X86_MODE_REAL ? 0x93 : 0xf3 };
	m->seg[X86_SEG_CS].attr = mode == X86_MODE_REAL ? 0x9b : 0xf3;
	m->seg[X86_SEG_IDTR].limit = 0x3ff;
}
