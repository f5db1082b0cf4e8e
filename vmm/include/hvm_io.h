/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a guest's port and memory accesses go (hvm/io.c): internal devices first, then the ioreq server
 * that claimed the range (hvm/ioreq.c), else all-ones. And the state of an access under way.
 */
#ifndef PLINTH_HVM_IO_H
#define PLINTH_HVM_IO_H

#include <xen/hvm/ioreq.h>
#include "domain.h"
#include "vmm/emulate/x86_emulate.h"

/* IO_PASS: not mine after all, ask the device model (CMOS indices, for one). */
enum io_result { IO_DONE, IO_PASS, IO_PENDING };

enum io_kind { IO_PORTS, IO_MEMORY };

/*
 * Ports or guest-physical addresses that a unit serves. offset: from the first one. size: 1, 2, 4; in memory also 8. An access to
 * memory lies inside the range, one to ports begins there. Reads fill *val, zero-extended. Called on the accessing vCPU,
 * no locks held.
 */
struct io_range {
	enum io_kind kind;
	uint64_t first, len;
	enum io_result (*read)(struct vcpu *v, void *opaque, uint64_t offset, unsigned int size,
			       uint64_t *val);
	enum io_result (*write)(struct vcpu *v, void *opaque, uint64_t offset, unsigned int size,
				uint64_t val);
};

#define IO_MAX_RANGES 24U /* of a kind */

/*
 * While the domain is made, before a vCPU can run: the tables do not change under those who look something up. A device
 * whose place can change later registers all its places, and answers IO_PASS where it is not at that moment. 0, -ENOSPC.
 */
int io_register(struct domain *d, const struct io_range *r, void *opaque);

/* Device accesses of the instruction being emulated, so that it can be restarted. */
#define IO_RECORDS 8U
struct io_record {
	uint64_t addr;
	uint64_t data;
	uint8_t size;
	uint8_t type; /* IOREQ_TYPE_PIO or COPY */
	bool write;
	bool done; /* data is the answer */
	bool run; /* of a whole run, whose data went to or from memory at guest-physical `data` (emulate.c) */
};

/* A load or store that was decoded before: what it is, for these bytes at this rip (hvm/mmio.c). */
#define IO_MMIO_INSNS 16U
struct mmio_insn {
	uint64_t rip;
	uint64_t word[2], mask[2]; /* its bytes */
	uint8_t code_bits;
	struct x86_mmio m; /* m.len 0: not in use */
};

enum io_completion { IO_COMPLETE_NONE, IO_COMPLETE_PIO, IO_COMPLETE_MMIO, IO_COMPLETE_EMULATE };

struct vcpu_io {
	bool in_flight; /* an ioreq was sent and its answer not yet taken */
	enum io_completion completion;
	struct io_access pio; /* IO_COMPLETE_PIO: the instruction */
	struct x86_mmio mmio; /* IO_COMPLETE_MMIO: the decoded load or store */
	struct ioreq_server *server;
	ioreq_t sent; /* our copy of what was sent; only `data` and `count` are read back */
	uint64_t answer;
	uint64_t answer_count; /* repetitions that the device model did */
	bool answer_valid;     /* the answer to `sent` waits to be consumed */
	uint8_t insn[16];      /* instruction bytes of the emulation under way */
	uint8_t insn_avail;
	unsigned int nr_records;
	struct io_record record[IO_RECORDS];
	struct mmio_insn mmio_insn[IO_MMIO_INSNS]; /* by rip */
};

/* v->hvm.io, with no access under way. 0 or -ENOMEM. */
int hvm_io_vcpu_init(struct vcpu *v);
/* v does not run again. Also after the former failed. */
void hvm_io_vcpu_fini(struct vcpu *v);

/*
 * One access by the current vCPU: done (reads have *val), or IO_PENDING: an ioreq is under way. The caller
 * sets v->hvm.io->completion then and does not go on. type IOREQ_TYPE_PIO or IOREQ_TYPE_COPY.
 */
enum io_result io_access_one(struct vcpu *v, uint8_t type, uint64_t addr, unsigned int size,
			     bool write, uint64_t *val);
/* Is there an internal device at the port (string I/O goes to it item by item)? */
bool io_port_is_internal(struct domain *d, uint16_t port);

/* hvm/ioreq.c: hand p to the server that claims it. IO_DONE with all-ones when nobody does. */
enum io_result ioreq_send(struct vcpu *v, const ioreq_t *p, uint64_t *val);
/* A run of string I/O at once: memory side by guest-physical address. IO_DONE: nobody claims it. */
bool ioreq_claimed(struct domain *d, uint8_t type, uint64_t addr, uint64_t len);
/* Buffered, write-only; -ENOBUFS when the ring is full, -ENXIO without a server. */
int ioreq_send_buffered(struct domain *d, const ioreq_t *p);
/* Takes the answer of v's request if it is there. False: still waiting. */
bool ioreq_answer(struct vcpu *v);

#endif
