/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's qtest protocol with a memory array in the VMM's place: register scripts then run on this
 * device model and on QEMU alike. Guest memory is one memfd; pages are mapped from it as Xen maps
 * foreign pages, holes included. The commands are in qtest_command.c.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/ahead.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/machine.h"
#include "core/options.h"
#include "core/qtest_priv.h"
#include "core/timer.h"
#include "core/unix_socket.h"
#include "core/util.h"
#include "core/vmm.h"
#include "plinth_dm_op.h"

#define QTEST_LOW_RAM (3ull << 30)
#define BITS_PER_LONG (8 * sizeof(unsigned long))

static struct qtest *qtest(struct machine *m)
{
	return m->vmm_priv;
}

void qtest_reply(struct qtest *q, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vdprintf(q->out_fd, fmt, ap);
	va_end(ap);
}

static int qtest_claim_io(struct machine *m, bool is_mmio, uint64_t first, uint64_t last)
{
	return 0;
}

static void qtest_release_io(struct machine *m, bool is_mmio, uint64_t first, uint64_t last)
{
}

static int qtest_claim_pci(struct machine *m, uint8_t devfn)
{
	return 0;
}

static void qtest_release_pci(struct machine *m, uint8_t devfn)
{
}

/* The lines of an I/O APIC: ISA's, then PCI's four. A client hears of changes. */
static void irq_report(struct machine *m, unsigned int irq, bool level)
{
	struct qtest *q = qtest(m);
	bool before = q->irq_levels >> irq & 1;

	if (before == level)
		return;
	q->irq_levels ^= 1u << irq;
	if (q->irq_intercept)
		qtest_reply(q, "IRQ %s %u\n", level ? "raise" : "lower", irq);
}

static int qtest_set_isa_irq(struct machine *m, unsigned int irq, bool level)
{
	irq_report(m, irq, level);
	return 0;
}

static int qtest_set_pci_intx(struct machine *m, unsigned int device, unsigned int pin, bool level)
{
	irq_report(m, 16 + ((device + pin) & 3), level);
	return 0;
}

static int qtest_set_pci_link(struct machine *m, unsigned int link, unsigned int irq)
{
	return 0;
}

static int qtest_inject_msi(struct machine *m, uint64_t addr, uint32_t data)
{
	return 0;
}

static int64_t file_page(struct qtest *q, uint64_t gfn)
{
	unsigned int i;

	for (i = 0; i < q->nr_regions; i++) {
		const struct qtest_region *r = &q->regions[i];

		if (gfn - r->gfn < r->nr_pages)
			return (int64_t)(r->file_page + gfn - r->gfn);
	}
	return -1;
}

static void *qtest_map(struct machine *m, uint64_t gfn, size_t nr_pages, unsigned long *bad)
{
	struct qtest *q = qtest(m);
	uint8_t *p = mmap(NULL, nr_pages * DM_PAGE_SIZE, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	size_t i, good = 0;

	if (p == MAP_FAILED)
		return NULL;
	for (i = 0; i < nr_pages;) {
		int64_t page = file_page(q, gfn + i);
		size_t run = 1;

		if (page < 0) {
			bad[i / BITS_PER_LONG] |= 1ul << i % BITS_PER_LONG;
			i++;
			continue;
		}
		while (i + run < nr_pages && file_page(q, gfn + i + run) == page + (int64_t)run)
			run++;
		if (mmap(p + i * DM_PAGE_SIZE, run * DM_PAGE_SIZE, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED, q->mem_fd, page * DM_PAGE_SIZE) == MAP_FAILED)
			log_fatal("qtest: mmap: %s", strerror(errno));
		good += run;
		i += run;
	}
	if (good)
		return p;
	munmap(p, nr_pages * DM_PAGE_SIZE);
	return NULL;
}

static void qtest_unmap(struct machine *m, void *p, size_t nr_pages)
{
	munmap(p, nr_pages * DM_PAGE_SIZE);
}

static int region_add(struct qtest *q, uint64_t gfn, uint64_t nr_pages)
{
	if (q->nr_regions == QTEST_MAX_REGIONS)
		return -ENOMEM;
	q->regions[q->nr_regions++] = (struct qtest_region){ gfn, nr_pages, q->mem_pages };
	q->mem_pages += nr_pages;
	return ftruncate(q->mem_fd, (off_t)(q->mem_pages * DM_PAGE_SIZE)) ? -errno : 0;
}

static void *qtest_populate(struct machine *m, uint64_t gfn, size_t nr_pages)
{
	unsigned long *bad;
	void *p;
	int rc = region_add(qtest(m), gfn, nr_pages);

	if (rc) {
		errno = -rc;
		return NULL;
	}
	bad = xzalloc((nr_pages / BITS_PER_LONG + 1) * sizeof(*bad));
	p = qtest_map(m, gfn, nr_pages, bad);
	free(bad);
	return p;
}

static int qtest_relocate(struct machine *m, uint64_t from_gfn, uint64_t to_gfn, size_t nr_pages)
{
	struct qtest *q = qtest(m);
	unsigned int i;

	for (i = 0; i < q->nr_regions; i++) {
		if (q->regions[i].gfn != from_gfn || q->regions[i].nr_pages != nr_pages)
			continue;
		q->regions[i].gfn = to_gfn;
		return 0;
	}
	return -ENOENT;
}

static int qtest_pin(struct machine *m, uint64_t gfn, size_t nr_pages, bool on)
{
	return 0;
}

static int qtest_track_dirty(struct machine *m, uint64_t gfn, size_t nr_pages,
			     unsigned long *bitmap)
{
	return -EOPNOTSUPP; /* everything counts as dirty then */
}

static int qtest_modified(struct machine *m, uint64_t gfn, size_t nr_pages)
{
	return 0;
}

static int qtest_set_ram_access(struct machine *m, uint64_t gfn, size_t nr_pages, bool readable,
				bool writable)
{
	struct qtest *q = qtest(m);

	for (; nr_pages--; gfn++) {
		uint64_t bit = 1ull << (gfn - QTEST_PAM_GFN);

		q->hidden = readable ? q->hidden & ~bit : q->hidden | bit;
		q->read_only = writable ? q->read_only & ~bit : q->read_only | bit;
	}
	return 0;
}

static int qtest_shutdown(struct machine *m, enum vmm_shutdown reason)
{
	qtest_reply(qtest(m), "SHUTDOWN %d\n", reason);
	return 0;
}

static const struct vmm_ops qtest_ops = {
	.claim_io = qtest_claim_io,
	.release_io = qtest_release_io,
	.claim_pci = qtest_claim_pci,
	.release_pci = qtest_release_pci,
	.set_isa_irq = qtest_set_isa_irq,
	.set_pci_intx = qtest_set_pci_intx,
	.set_pci_link = qtest_set_pci_link,
	.inject_msi = qtest_inject_msi,
	.map = qtest_map,
	.unmap = qtest_unmap,
	.populate = qtest_populate,
	.relocate = qtest_relocate,
	.pin_write_combining = qtest_pin,
	.track_dirty = qtest_track_dirty,
	.modified = qtest_modified,
	.set_ram_access = qtest_set_ram_access,
	.shutdown = qtest_shutdown,
};

static int qtest_init(struct machine *m)
{
	struct qtest *q = xzalloc(sizeof(*q));
	uint64_t ram = m->opt->ram_bytes, low = MIN(ram, QTEST_LOW_RAM);
	int rc;

	m->vmm = &qtest_ops;
	m->pv_backends = true; /* the test is the guest and its back ends */
	m->vmm_priv = q;
	ahead_init(m, xzalloc(sizeof(struct plinth_read_ahead)));
	q->mem_fd = memfd_create("guest", MFD_CLOEXEC);
	if (q->mem_fd < 0)
		return -errno;
	rc = region_add(q, 0, low / DM_PAGE_SIZE);
	if (!rc && ram > low)
		rc = region_add(q, (4ull << 30) / DM_PAGE_SIZE, (ram - low) / DM_PAGE_SIZE);
	clock_use_virtual();
	if (qtest_vmm_start)
		qtest_vmm_start(m);
	return rc;
}

static void input_readable(void *opaque, uint32_t events)
{
	struct machine *m = opaque;
	struct qtest *q = qtest(m);
	ssize_t n = q->len < QTEST_MAX_LINE ? read(q->in_fd, q->line + q->len, 65536) : 0;
	char *nl, *start = q->line;

	if (n <= 0) {
		loop_quit(0);
		return;
	}
	q->len += (size_t)n;
	q->line[q->len] = 0;
	while ((nl = strchr(start, '\n'))) {
		*nl = 0;
		qtest_command(m, start);
		start = nl + 1;
	}
	q->len -= (size_t)(start - q->line);
	memmove(q->line, start, q->len + 1);
}

static int qtest_start(struct machine *m)
{
	struct qtest *q = qtest(m);

	q->line = xzalloc(QTEST_MAX_LINE + 65536 + 1);
	q->in_fd = STDIN_FILENO;
	q->out_fd = STDOUT_FILENO;
	if (!strncmp(m->opt->qtest, "unix:", 5))
		q->in_fd = q->out_fd = unix_socket(m->opt->qtest + 5, false);
	else if (strcmp(m->opt->qtest, "stdio"))
		log_fatal("-qtest %s is not supported (known: stdio, unix:PATH)", m->opt->qtest);
	if (q->in_fd < 0)
		log_fatal("-qtest %s: %s", m->opt->qtest, strerror(-q->in_fd));
	return loop_add_fd(q->in_fd, EPOLLIN, input_readable, m);
}

const struct vmm_backend vmm_qtest = { .init = qtest_init, .start = qtest_start };
