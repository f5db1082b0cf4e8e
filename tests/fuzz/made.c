/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls and what guests write, made up from bytes by the tables of calls.c: see calls.h. */
#include "machine.h"
#include "calls.h"
#include "vmm/domain/internal.h"
#include <xen/domctl.h>
#include <xen/platform.h>
#include <xen/sysctl.h>

#define LIST_MAX    12U
#define ENTRIES_MAX 4U
#define RAW_FROM    0xe0U

static __thread uint8_t (*source)(void);
static enum family chosen;
static bool at_edges;
static uint64_t edge_frame[EDGES_NR], edge_count[EDGES_NR];

void made_from(uint8_t (*next)(void))
{
	source = next;
}

void made_of(enum family f)
{
	chosen = f;
}

static uint8_t byte(void)
{
	return source();
}

static uint64_t raw(unsigned int width)
{
	uint64_t v = 0;

	for (unsigned int i = 0; i < width; i++)
		v |= (uint64_t)byte() << (8 * i);
	return v;
}

/* --- values ------------------------------------------------------------------------------------ */

#define PICK(...)                                               \
	({                                                      \
		static const uint64_t from[] = { __VA_ARGS__ }; \
		from[sel % ARRAY_SIZE(from)];                   \
	})

static uint64_t frame(uint8_t sel)
{
	if (sel < 0x40)
		return sel; /* RAM */
	if (sel < 0x60)
		return FIRST_HOLE + (sel & 31U);
	if (sel < 0x80)
		return HOLE_FIRST + (sel & 31U);
	return PICK(0, 511, 512, 1023, 1024, 0x3ffff, 0x40000, 0xfee00, 0xfffffULL, 1ULL << 28,
		    (1ULL << 28) - 1, 1ULL << 36, 1ULL << 40, ~0ULL);
}

static uint64_t pointer(uint8_t sel)
{
	uint64_t base = (uint64_t)(SCRATCH_GFN + sel % SCRATCH_NR) << PAGE_SHIFT;

	if (sel < 0x60)
		return base;
	if (sel < 0x80)
		return base + sel * 8U;
	if (sel < 0x90)
		return base + PAGE_SIZE - (sel & 15U);
	return PICK(0, 1, (uint64_t)FIRST_HOLE << PAGE_SHIFT,
		    ((uint64_t)FIRST_HOLE << PAGE_SHIFT) - 4, 0xfee00000, ~0ULL, ~0ULL << 12,
		    1ULL << 47, 1ULL << 32);
}

uint64_t made_small(char kind, uint8_t sel)
{
	switch (kind) {
	case 'd':
		return PICK(DOMID_SELF, DOMID_A, DOMID_B, 0, DOMID_SELF, DOMID_A, DOMID_B, 0, 4, 5,
			    DOMID_IO, DOMID_XEN, DOMID_INVALID, DOMID_IDLE, 999);
	case 'D':
		return PICK(DOMID_A, DOMID_B, DOMID_A, DOMID_B, 4, 5, DOMID_INVALID);
	case 'n':
		return PICK(1, 2, 3, 4, 8, 20, 64, 0, 512, 1023, 4096, 65535, 1U << 20, 1U << 31,
			    ~0U, 1ULL << 40, ~0ULL);
	case 'o':
		return PICK(0, 0, 0, 1, 2, 9, 8, 10, 18, 19, 63, 64, ~0U);
	case 'p':
		return sel < 0x60 ? sel & 15 : PICK(127, 128, 1023, 1024, 4095, 131071, ~0U);
	case 'r':
		return sel < 0x80 ? sel & 31 : PICK(511, 512, 1023, 2047, 2048, ~0U);
	case 'k':
		return sel < 0xa0 ? sel & 15 : PICK(255, 256, 1023, ~0U);
	case 'v':
		return PICK(0, 0, 0, 1, 1, 2, 31, 127, 128, ~0U);
	case 'f':
		return PICK(0, 1, 2, 3, 4, 5, 6, 7, 8, 16, 0x10000, 0x80000000U, ~0U);
	case 't':
		return PICK(0, 1, NS_PER_MS, 10 * NS_PER_MS, 2 * NS_PER_SEC, 1ULL << 62, ~0ULL);
	case 'F':
		return XEN_DOMCTL_CDF_hvm | (sel & XEN_DOMCTL_CDF_hap);
	case 'E':
		return sel & 1 ? XEN_X86_EMU_LAPIC : MACHINE_PC;
	default: /* i */
		return sel < 0xa0 ? sel & 63 : PICK(255, 4095, 4096, 65535, ~0U, ~0ULL);
	}
}

void made_at_edges(const uint8_t *choice)
{
	at_edges = choice;
	for (unsigned int i = 0; at_edges && i < EDGES_NR; i++) {
		uint8_t sel = choice[2 * i];

		edge_frame[i] =
			PICK(~0ULL, ~0ULL - 511, ~0ULL - 16383, ~0ULL - 19999, 1ULL << 63,
			     (1ULL << 63) - 1, 1ULL << 52, (1ULL << 52) - 1, 1ULL << 40, 1ULL << 36,
			     (1ULL << 36) - 1, (1ULL << 36) - 16384, (1ULL << 32) - 1, 1ULL << 28,
			     (1ULL << 28) - 1, (1ULL << 28) - 16384, FIRST_HOLE, 0);
		sel = choice[2 * i + 1];
		edge_count[i] = PICK(16384, 16383, 1, 512, 4096, 65535, 1U << 31, ~0U, 1ULL << 36,
				     1ULL << 40, 1ULL << 52, ~0ULL, ~0ULL - 16383, 1ULL << 63);
	}
}

/* False: this kind has no edges. */
static bool edge_value(char kind, uint64_t *v)
{
	uint8_t sel;

	if (!at_edges || !strchr("gand", kind))
		return false;
	sel = byte();
	if (kind == 'd')
		*v = PICK(DOMID_B, DOMID_A, DOMID_SELF, DOMID_B);
	else if (kind == 'n')
		*v = edge_count[sel % EDGES_NR];
	else
		*v = edge_frame[sel % EDGES_NR] + (sel >> 6);
	if (kind == 'a')
		*v <<= PAGE_SHIFT;
	return true;
}

static uint64_t value(char kind, unsigned int width)
{
	uint64_t v;
	uint8_t sel;

	if (kind == 'z')
		return 0;
	if (kind == 'x')
		return raw(width);
	if (edge_value(kind, &v))
		return v;
	sel = byte();
	if (sel >= RAW_FROM && kind != 'D' && kind != 'F' && kind != 'E')
		return raw(width);
	if (kind == 'g')
		return frame(sel);
	if (kind == 'a')
		return frame(sel) << PAGE_SHIFT;
	if (kind == 'h')
		return pointer(sel);
	return made_small(kind, sel);
}

/* --- a guest's memory, as the guest itself would reach it --------------------------------------- */

void guest_store(struct domain *d, uint64_t at, const void *from, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		struct page *p = p2m_get_page(d, _gfn((at + i) >> PAGE_SHIFT), true, NULL);

		if (!p)
			return;
		((uint8_t *)page_to_virt(p))[(at + i) & ~PAGE_MASK] = ((const uint8_t *)from)[i];
		page_put(p);
	}
}

static uint32_t version_of(enum family f)
{
	return f == F_DOMCTL   ? XEN_DOMCTL_INTERFACE_VERSION
	       : f == F_SYSCTL ? XEN_SYSCTL_INTERFACE_VERSION
			       : XENPF_INTERFACE_VERSION;
}

/* Writes one structure; returns its size. */
static size_t fill(struct domain *d, uint64_t at, const struct call_shape *c)
{
	size_t offset = 0;
	uint64_t v;

	for (const char *l = c->layout; *l; l += 2) {
		unsigned int width = (unsigned int)(l[1] - '0');

		if (*l == 'C')
			v = c->cmd;
		else if (*l == 'V')
			v = version_of(c->family);
		else
			v = value(*l, width);
		offset = ROUND_UP(offset, (size_t)width);
		guest_store(d, at + offset, &v, width);
		offset += width;
	}
	return ROUND_UP(offset, (size_t)8);
}

/* --- calls ------------------------------------------------------------------------------------- */

static const struct call_shape *choose_call(void)
{
	uint8_t sel = byte();
	unsigned int n = 0, want;

	if (sel >= 0xc0 || chosen == F_MULTICALL)
		return &calls[byte() % nr_calls];
	for (unsigned int i = 0; i < nr_calls; i++)
		n += calls[i].family == chosen;
	want = sel % max(n, 1U);
	for (unsigned int i = 0;; i++)
		if (calls[i].family == chosen && !want--)
			return &calls[i];
}

static void dm_call(struct domain *d, uint64_t at, const struct call_shape *c, struct made_call *r)
{
	struct xen_dm_op_buf {
		uint64_t la, size;
	} buf[2] = { { at + 64, 0 }, { 0, 0 } };

	buf[0].size = max(fill(d, at + 64, c), (size_t)32);
	buf[1].la = value('h', 8);
	buf[1].size = value('n', 8);
	guest_store(d, at, buf, sizeof(buf));
	r->a[0] = value('d', 2);
	r->a[1] = 1 + byte() % 2;
	r->a[2] = at;
}

static bool one_call(struct vcpu *v, uint64_t at, struct made_call *r)
{
	const struct call_shape *c = choose_call();
	uint64_t n = 1;

	if (v->domain->is_dom0 &&
	    (c->flags & (nr_cpus > 1 ? GUESTS_ONLY | ALONE_ONLY : GUESTS_ONLY)))
		return false;
	if (host_verbose)
		host_printf("d%uv%u: %s operation %u\n", v->domain->domid, v->id,
			    family_names[c->family], c->cmd);
	r->nr = c->hypercall;
	r->a[0] = c->cmd;
	switch (c->shape) {
	case S_DM:
		dm_call(v->domain, at, c, r);
		return true;
	case S_PTR:
		fill(v->domain, at, c);
		r->a[0] = at;
		return true;
	case S_VALUES:
		for (unsigned int i = 0; i < 3; i++)
			r->a[i] = value('t', 8);
		return true;
	case S_CMD_PTR_COUNT:
		n = 1 + byte() % ENTRIES_MAX;
		for (uint64_t i = 0, p = at; i < n; i++)
			p += fill(v->domain, p, c);
		r->a[1] = at;
		r->a[2] = n;
		return true;
	case S_CMD_VCPU_PTR:
		fill(v->domain, at, c);
		r->a[1] = value('v', 4);
		r->a[2] = at;
		return true;
	case S_CMD_COUNT_PTR:
		r->a[1] = value('n', 4);
		r->a[2] = value('h', 8);
		return true;
	default:
		if (!*c->layout)
			at = value('h', 8);
		fill(v->domain, at, c);
		r->a[1] = at;
		return true;
	}
}

static bool multicall(struct vcpu *v, struct made_call *r)
{
	uint64_t at = (uint64_t)ARG_GFN << PAGE_SHIFT, n = 1 + byte() % ENTRIES_MAX;

	for (uint64_t i = 0; i < n; i++) {
		struct {
			uint64_t op, result, a[6];
		} e = { 0 };
		struct made_call one = { 0 };

		if (!one_call(v, at + 1024 + i * 512, &one))
			return false;
		e.op = one.nr;
		memcpy(e.a, one.a, sizeof(e.a));
		guest_store(v->domain, at + i * sizeof(e), &e, sizeof(e));
	}
	*r = (struct made_call){ .nr = __HYPERVISOR_multicall, .a = { at, n } };
	return true;
}

bool made_call(struct vcpu *v, bool multi, struct made_call *r)
{
	memset(r, 0, sizeof(*r));
	return multi ? multicall(v, r) : one_call(v, (uint64_t)ARG_GFN << PAGE_SHIFT, r);
}

void made_set_regs(struct vcpu *v, const struct made_call *r, bool wide)
{
	static const uint8_t order[2][6] = {
		{ X86_RBX, X86_RCX, X86_RDX, X86_RSI, X86_RDI, X86_RBP },
		{ X86_RDI, X86_RSI, X86_RDX, X86_R10, X86_R8, X86_R9 }
	};

	v->regs.gpr[X86_RAX] = r->nr;
	for (unsigned int i = 0; i < 6; i++)
		v->regs.gpr[order[wide][i]] = r->a[i];
}

void made_list(struct vcpu *v)
{
	static const char kinds[] = "gprdxin";
	uint8_t what = byte();
	uint64_t at = (uint64_t)(SCRATCH_GFN + what % SCRATCH_NR) << PAGE_SHIFT, one;
	unsigned int n = byte() % LIST_MAX, width = what & 0x80 ? 4 : 8;
	char kind = kinds[(what >> 3) % (sizeof(kinds) - 1)];

	for (unsigned int i = 0; v && i < n; i++) {
		one = value(kind, width);
		guest_store(v->domain, at + i * width, &one, width);
	}
}

void made_grant(struct vcpu *v)
{
	uint32_t ref = byte() % 32;
	uint8_t sel = byte();
	grant_entry_v1_t e = { .flags = sel < 0xc0 ? GTF_permit_access | (sel & GTF_readonly)
						   : (uint16_t)raw(2),
			       .domid = (domid_t)value('d', 2),
			       .frame = (uint32_t)value('g', 4) };

	if (e.domid == DOMID_SELF)
		e.domid = 0;
	if (v)
		((grant_entry_v1_t *)page_to_virt(v->domain->grant->frame[0]))[ref] = e;
}

void made_scribble(struct vcpu *v)
{
	uint64_t at = frame(byte() & 0x3f) << PAGE_SHIFT, word;
	unsigned int n = byte() % LIST_MAX;

	at += (uint64_t)byte() << 4;
	for (unsigned int i = 0; v && i < n; i++) {
		word = raw(4);
		guest_store(v->domain, at + 4 * i, &word, 4);
	}
}
