/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files that connect the emulator to a vCPU. */
#ifndef PLINTH_EMULATE_PRIVATE_H
#define PLINTH_EMULATE_PRIVATE_H

#include "guest_access.h"
#include "hvm_io.h"
#include "hvm_ops.h"
#include "vmm/emulate/x86_emulate.h"

extern const struct x86_emulate_ops hvm_emulate_ops;

/* emulate_run.c: a context for the instruction at rip in v's present mode. */
void emul_context(struct vcpu *v, struct x86_emulate_ctxt *c);

#endif
