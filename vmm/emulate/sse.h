/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Vector registers and operands, for the files of vector instructions. */
#ifndef PLINTH_EMULATE_SSE_H
#define PLINTH_EMULATE_SSE_H

#include "internal.h"

/* MMX registers (of 8 bytes) or XMM and YMM registers (16 and 32). */
int sse_read_vec(struct x86_emul *s, unsigned int reg, void *buf, unsigned int bytes);
int sse_write_vec(struct x86_emul *s, unsigned int reg, const void *buf, unsigned int bytes);
/* #UD and #NM conditions common to a kind of vector instruction. */
int sse_enabled(struct x86_emul *s, bool mmx);
/* ModRM's operand; a misaligned one is #GP if that is asked for. */
int sse_read_rm(struct x86_emul *s, void *buf, unsigned int bytes, bool mmx, bool aligned);

#endif
