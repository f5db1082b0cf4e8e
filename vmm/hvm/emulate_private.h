/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files that connect the emulator to a vCPU. */
#ifndef PLINTH_EMULATE_PRIVATE_H
#define PLINTH_EMULATE_PRIVATE_H

#include "guest_access.h"
#include "hvm_io.h"
#include "hvm_ops.h"
#include "vmm/emulate/x86_emulate.h"

extern const struct x86_emulate_ops hvm_emulate_ops;

/* emulate.c: one device access of the instruction under way, answered from the record when repeated. */
int emul_device(struct vcpu *v, uint8_t type, uint64_t addr, unsigned int size, bool write,
		uint64_t *val);
/* Linear to guest-physical with the rights of the access (X86_ACC_*). */
int emul_translate(struct x86_emulate_ctxt *c, uint64_t lin, unsigned int acc, gpa_t *gpa);

/* emulate_run.c: a context for the instruction at rip in v's present mode. */
void emul_context(struct vcpu *v, struct x86_emulate_ctxt *c);

/* emulate_string.c */
int emul_rep_ins(uint16_t port, uint64_t lin, unsigned int bytes, uint64_t *reps,
		 struct x86_emulate_ctxt *c);
int emul_rep_outs(uint64_t lin, uint16_t port, unsigned int bytes, uint64_t *reps,
		  struct x86_emulate_ctxt *c);
int emul_rep_movs(uint64_t src, uint64_t dst, unsigned int bytes, uint64_t *reps,
		  struct x86_emulate_ctxt *c);
int emul_rep_stos(uint64_t val, uint64_t dst, unsigned int bytes, uint64_t *reps,
		  struct x86_emulate_ctxt *c);

/* emulate_state.c */
int emul_read_dr(unsigned int dr, uint64_t *val, struct x86_emulate_ctxt *c);
int emul_write_dr(unsigned int dr, uint64_t val, struct x86_emulate_ctxt *c);
int emul_read_vec(unsigned int reg, void *buf, unsigned int bytes, struct x86_emulate_ctxt *c);
int emul_write_vec(unsigned int reg, const void *buf, unsigned int bytes, bool zero_upper,
		   struct x86_emulate_ctxt *c);

#endif
