/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The x86 decoder and instruction emulator: one instruction at a time, every effect through
 * callbacks. The same sources run in the hypervisor, in host tests and in a fuzzer. Nothing here
 * knows about domains, paging or devices. Follows Intel SDM vol. 2 and 3A, and AMD APM vol. 2 and
 * 3.
 *
 * HOW TO USE IT
 *
 * 1. Fill a struct x86_emulate_ctxt (a memset to 0 first is right): `regs` (a copy, or the vCPU's
 *    own registers: they change only as instructions retire), `mode`, `code_bits`, `sp_bits`,
 *    `cpl`, `vendor`, `features`, and `opaque` for your own use. When hardware gave the
 *    instruction's bytes (SVM decode assists), put them into insn_bytes[] and set insn_avail; more
 *    are fetched on demand. insn_bytes[] and insn_avail stay valid across a RETRY of the same
 *    instruction: keep them then (the instruction cannot change under the re-entry), set insn_avail
 *    = 0 for each new instruction.
 * 2. Call x86_emulate(ctxt, ops) and act on the result:
 *      X86EMUL_OKAY         the instruction retired: regs (rip too) are its results. Look at
 *                           ctxt->retire: HLT, interrupt shadow, single step, NMI unblocking.
 *                           A shadow that the guest had before ends here.
 *      X86EMUL_DONE         a REP string instruction made progress and is not finished: regs are
 *                           advanced, rip is still at the instruction. Check for interrupts, then
 *                           enter the guest or call again. retire.singlestep may be set.
 *      X86EMUL_EXCEPTION    ctxt->event is to be injected. regs are unchanged (string instructions:
 *                           advanced by what was completed), rip is at the instruction. For a
 *                           software interrupt (type SW_INT, SW_EXC, PRIV_SW_EXC) event.insn_len
 *                           is the length to give to the hardware. In real mode INT n is executed
 *                           here; for other events in real mode there is x86_emulate_real_int().
 *      X86EMUL_RETRY        a callback said so: not ready now. regs are unchanged (string
 *                           instructions: as above). Call again when the callback's reason is gone.
 *      X86EMUL_UNHANDLEABLE not an instruction we do, or a callback is missing or refused.
 *                           regs are unchanged. The caller decides: #UD, or crash the domain.
 *
 * RESTARTING (MMIO and port I/O served by a device model)
 *
 * Registers are written only after the last callback of an instruction (of an iteration) has
 * succeeded, so returning X86EMUL_RETRY from any callback and calling again later is always right
 * for the registers. The instruction is then executed from its start: callbacks that succeeded
 * before are called again, in the same order with the same arguments. **The owner of the
 * callbacks** makes them idempotent: it keeps a small per-vCPU record of device accesses of the
 * current instruction (address, size, direction, and data for reads), and answers repeated accesses
 * from the record without asking the device again. The record is cleared when x86_emulate() returns
 * anything but RETRY, and in ops->commit, which the emulator calls between two iterations of a
 * string instruction within one call. Without a commit callback it does one iteration per call
 * (bulk callbacks excepted). Plain RAM needs no record: repeating a RAM access is harmless.
 *
 * An emulator call is bounded: X86_EMULATE_MAX_ITERATIONS string iterations outside bulk callbacks.
 *
 * WHAT IS CHECKED WHERE
 *
 * Permission: an access is a user access when ctxt->cpl is 3 and X86_ACC_SYSTEM is not given.
 * INS writes memory after the port was read: rep_ins (called for a single element too) should
 * translate its destination first, or a page fault loses data.
 *
 * Here: prefixes, LOCK, 15 bytes, #UD, CPL and IOPL, the TSS I/O bitmap, segment limits and rights,
 * canonical addresses, descriptor checks, SSE alignment, CR0.TS/EM and CR4.OSFXSR/OSXSAVE for
 * vector moves. In callbacks: paging (they get linear addresses; an access may cross a page; raise
 * #PF with x86_emulate_page_fault()), values written to CRs, DRs and MSRs (raise #GP with
 * x86_emulate_exception()), intercepts of a nested hypervisor. Not done: #AC, data breakpoints,
 * CPL-changing far transfers, call gates (UNHANDLEABLE), arithmetic of x87 and of floating-point vectors (UNHANDLEABLE).
 */
#ifndef PLINTH_X86_EMULATE_H
#define PLINTH_X86_EMULATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "x86_regs.h"

enum x86_emulate_result {
	X86EMUL_OKAY,
	X86EMUL_EXCEPTION,
	X86EMUL_RETRY,
	X86EMUL_UNHANDLEABLE,
	X86EMUL_DONE,
	X86EMUL_CMPXCHG_FAILED, /* ops->cmpxchg only: *old now holds what memory holds */
};

#define X86_EMULATE_MAX_ITERATIONS 128
#define X86_INSN_MAX_BYTES	   15

enum x86_mode {
	X86_MODE_REAL,
	X86_MODE_VM86,
	X86_MODE_PROT, /* legacy protected mode, EFER.LMA = 0 */
	X86_MODE_LONG, /* EFER.LMA = 1: 64-bit code when code_bits = 64, else compatibility mode */
};

enum x86_vendor { X86_VENDOR_INTEL, X86_VENDOR_AMD };

/* What the guest's CPUID shows; without its bit an instruction is #UD or its older self. */
#define X86_FEAT_CX16	    (1U << 0)
#define X86_FEAT_MOVBE	    (1U << 1)
#define X86_FEAT_POPCNT	    (1U << 2)
#define X86_FEAT_SSE42	    (1U << 3) /* CRC32 */
#define X86_FEAT_LZCNT	    (1U << 4) /* without it BSR */
#define X86_FEAT_BMI1	    (1U << 5) /* TZCNT; without it BSF */
#define X86_FEAT_FSGSBASE   (1U << 6)
#define X86_FEAT_RDTSCP	    (1U << 7)
#define X86_FEAT_RDPID	    (1U << 8)
#define X86_FEAT_SMAP	    (1U << 9)  /* CLAC, STAC */
#define X86_FEAT_CR8_LEGACY (1U << 10) /* AMD: LOCK MOV CR0 is MOV CR8 */
#define X86_FEAT_XSAVE	    (1U << 11) /* XGETBV, XSETBV */
#define X86_FEAT_AVX	    (1U << 12) /* VEX vector moves */
#define X86_FEAT_UMIP	    (1U << 13) /* honour CR4.UMIP */
#define X86_FEAT_SSE	    (1U << 14)
#define X86_FEAT_MMX	    (1U << 15)
#define X86_FEAT_MOVDIRI    (1U << 16)
#define X86_FEAT_AVX2	    (1U << 17) /* 256-bit forms of packed integers */
#define X86_FEAT_ALL	    0x3ffffU

/* Event types as in VMCB.EVENTINJ and VMCS interruption information. */
enum x86_event_type {
	X86_EVENT_HW_EXC = 3,
	X86_EVENT_SW_INT = 4,	   /* INT n */
	X86_EVENT_PRIV_SW_EXC = 5, /* ICEBP */
	X86_EVENT_SW_EXC = 6,	   /* INT3, INTO */
};

struct x86_event {
	uint8_t vector;
	uint8_t type; /* enum x86_event_type */
	uint8_t insn_len;
	bool has_error_code;
	uint32_t error_code;
	uint64_t cr2; /* vector 14 only */
};

/* All false unless the instruction retired (singlestep: or an iteration of it). */
struct x86_retire {
	bool hlt;	  /* HLT: stop until an interrupt */
	bool mov_ss;	  /* interrupt shadow of MOV SS / POP SS */
	bool sti;	  /* interrupt shadow of STI */
	bool singlestep;  /* RFLAGS.TF was set: inject #DB with DR6.BS */
	bool unblock_nmi; /* IRET */
};

struct x86_emulate_ctxt {
	struct x86_regs *regs;
	void *opaque; /* the caller's */

	uint8_t mode;	   /* enum x86_mode */
	uint8_t code_bits; /* 16, 32, 64: from CS.L and CS.D */
	uint8_t sp_bits;   /* 16, 32, 64: 64 in 64-bit code, else from SS.B */
	uint8_t cpl;	   /* 0 in real mode, 3 in VM86 */
	uint8_t vendor;	   /* enum x86_vendor of the guest's CPUID */
	uint8_t va_bits;   /* 48 or 57; 0 means 48 */
	uint32_t features; /* X86_FEAT_* */

	uint8_t insn_avail; /* valid bytes in insn_bytes, 0..15 */
	uint8_t insn_bytes[16];

	/* Results. */
	uint8_t insn_len; /* 0 when decoding did not reach the end */
	struct x86_retire retire;
	struct x86_event event;
};

/* How a memory access came about; for permission checks and MMIO decisions. */
#define X86_ACC_WRITE  (1U << 0) /* write, or read of a read-modify-write operand */
#define X86_ACC_RMW    (1U << 1) /* part of a read-modify-write pair */
#define X86_ACC_SYSTEM (1U << 2) /* implicit supervisor access (descriptor tables, TSS) */
#define X86_ACC_STACK  (1U << 3)

/*
 * All return enum x86_emulate_result. `lin` is a linear address after all segment checks,
 * zero-extended from 32 bits outside 64-bit mode; the last byte may be on the next page. A NULL
 * callback makes the instructions that need it UNHANDLEABLE unless said otherwise.
 */
/* The x87 unit: ST0 first, 10 bytes of each; one tag bit for each physical register that is not empty. */
struct x86_x87 {
	uint16_t cw, sw;
	uint8_t tags;
	uint8_t st[8][16];
};

struct x86_emulate_ops {
	/* Instruction bytes, 1 to 15, never across a page end. */
	int (*insn_fetch)(uint64_t lin, void *buf, unsigned int bytes,
			  struct x86_emulate_ctxt *ctxt);
	/* 1 to 32 bytes. */
	int (*read)(uint64_t lin, void *buf, unsigned int bytes, unsigned int acc,
		    struct x86_emulate_ctxt *ctxt);
	int (*write)(uint64_t lin, const void *buf, unsigned int bytes, unsigned int acc,
		     struct x86_emulate_ctxt *ctxt);
	/*
	 * Locked read-modify-write, after a read() of the same bytes (1, 2, 4, 8, 16): if memory
	 * still equals *old, write *new, atomically; else set *old and return
	 * X86EMUL_CMPXCHG_FAILED. On a device register: write *new. NULL: plain write().
	 */
	int (*cmpxchg)(uint64_t lin, void *old, const void *new_val, unsigned int bytes,
		       struct x86_emulate_ctxt *ctxt);

	/* bytes is 1, 2 or 4; *val is zero-extended. Permission is already checked. */
	int (*read_io)(uint16_t port, unsigned int bytes, uint32_t *val,
		       struct x86_emulate_ctxt *ctxt);
	int (*write_io)(uint16_t port, unsigned int bytes, uint32_t val,
			struct x86_emulate_ctxt *ctxt);

	/*
	 * Bulk string operations, all optional. *reps elements of `bytes` bytes, the first one at
	 * lin, the next ones upwards, or downwards when rflags.DF is set. The whole run is inside
	 * its segment and its address register does not wrap. The callee does as many as it likes
	 * and stores the number done in *reps, whatever it returns; X86EMUL_UNHANDLEABLE with 0
	 * done makes the emulator go item by item.
	 */
	int (*rep_ins)(uint16_t port, uint64_t lin, unsigned int bytes, uint64_t *reps,
		       struct x86_emulate_ctxt *ctxt);
	int (*rep_outs)(uint64_t lin, uint16_t port, unsigned int bytes, uint64_t *reps,
			struct x86_emulate_ctxt *ctxt);
	int (*rep_movs)(uint64_t src, uint64_t dst, unsigned int bytes, uint64_t *reps,
			struct x86_emulate_ctxt *ctxt);
	int (*rep_stos)(uint64_t val, uint64_t dst, unsigned int bytes, uint64_t *reps,
			struct x86_emulate_ctxt *ctxt);
	/* An iteration became architectural and another one follows in this call: see the head. */
	void (*commit)(struct x86_emulate_ctxt *ctxt);

	/*
	 * Cached segment registers, GDTR and IDTR (base and limit). write_segment loads without
	 * checks.
	 */
	int (*read_segment)(enum x86_seg seg, struct x86_segment *out,
			    struct x86_emulate_ctxt *ctxt);
	int (*write_segment)(enum x86_seg seg, const struct x86_segment *in,
			     struct x86_emulate_ctxt *ctxt);

	/* cr: 0, 2, 3, 4, 8. dr: 0-3, 6, 7 (4 and 5 are resolved). xcr: 0, 1. */
	int (*read_cr)(unsigned int cr, uint64_t *val, struct x86_emulate_ctxt *ctxt);
	int (*write_cr)(unsigned int cr, uint64_t val, struct x86_emulate_ctxt *ctxt);
	int (*read_dr)(unsigned int dr, uint64_t *val, struct x86_emulate_ctxt *ctxt);
	int (*write_dr)(unsigned int dr, uint64_t val, struct x86_emulate_ctxt *ctxt);
	int (*read_xcr)(unsigned int xcr, uint64_t *val, struct x86_emulate_ctxt *ctxt);
	int (*write_xcr)(unsigned int xcr, uint64_t val, struct x86_emulate_ctxt *ctxt);
	/* RDTSC reads MSR_TSC, RDTSCP and RDPID MSR_TSC_AUX, SWAPGS MSR_KERNEL_GS_BASE (lib/x86_msr.h). */
	int (*read_msr)(uint32_t msr, uint64_t *val, struct x86_emulate_ctxt *ctxt);
	int (*write_msr)(uint32_t msr, uint64_t val, struct x86_emulate_ctxt *ctxt);
	/* out: eax, ebx, ecx, edx. */
	int (*cpuid)(uint32_t leaf, uint32_t subleaf, uint32_t out[4],
		     struct x86_emulate_ctxt *ctxt);
	int (*wbinvd)(bool writeback, struct x86_emulate_ctxt *ctxt);
	int (*invlpg)(uint64_t lin, struct x86_emulate_ctxt *ctxt);
	/* VMCALL (vendor Intel) or VMMCALL (AMD) at any CPL; may change regs, not rip. */
	int (*hypercall)(struct x86_emulate_ctxt *ctxt);

	/*
	 * Vector registers of the guest: bytes is 8 (MMX register, reg 0-7), 16 (XMM) or 32 (YMM).
	 * write_vec with `zero_upper` clears the rest of the full register (VEX forms).
	 * YMM: return EXCEPTION #UD when XCR0 lacks AVX.
	 */
	int (*read_vec)(unsigned int reg, void *buf, unsigned int bytes,
			struct x86_emulate_ctxt *ctxt);
	int (*write_vec)(unsigned int reg, const void *buf, unsigned int bytes, bool zero_upper,
			 struct x86_emulate_ctxt *ctxt);
	int (*read_x87)(struct x86_x87 *out, struct x86_emulate_ctxt *ctxt);
	int (*write_x87)(const struct x86_x87 *in, struct x86_emulate_ctxt *ctxt);
};

#define X86_PFX_LOCK  (1U << 0)
#define X86_PFX_REPNE (1U << 1) /* the last of F2 and F3 counts */
#define X86_PFX_REP   (1U << 2)
#define X86_PFX_OPSZ  (1U << 3)
#define X86_PFX_ADSZ  (1U << 4)
#define X86_PFX_VEX   (1U << 5)

#define X86_REX_B     1U
#define X86_REX_X     2U
#define X86_REX_R     4U
#define X86_REX_W     8U

struct x86_opcode;

/* A decoded instruction. */
struct x86_insn {
	const struct x86_opcode *op; /* private */
	uint16_t opcode;	     /* 0x00xx, 0x0fxx, 0x38xx, 0x3axx: map and last opcode byte */
	uint8_t len;
	uint8_t prefixes; /* X86_PFX_* */
	uint8_t rex;	  /* 0 or 0x40-0x4f (VEX: its R, X, B and W) */
	uint8_t seg;	  /* enum x86_seg of the memory operand, overrides applied */
	bool seg_override;
	uint8_t op_bytes; /* 2, 4, 8 */
	uint8_t ad_bytes; /* 2, 4, 8 */
	bool has_modrm;
	bool is_mem; /* ModRM names memory, or a moffs operand */
	bool base_is_rsp;
	uint8_t mod;
	uint8_t reg; /* ModRM.reg with REX.R */
	uint8_t rm;  /* ModRM.rm with REX.B when mod = 3 */
	uint8_t vex_vvvv, vex_l;
	uint16_t sel;			     /* ptr16:n operand */
	uint8_t ea_base, ea_index, ea_scale; /* general registers in ea, X86_NO_GPR = none */
	uint64_t ea;  /* offset in the segment, wrapped to the address size */
	uint64_t imm; /* sign-extended where the instruction does so */
};

/*
 * Emulates the instruction at regs->rip. Any context in which the callbacks may run. No state is
 * kept between calls but what is in *ctxt.
 */
int x86_emulate(struct x86_emulate_ctxt *ctxt, const struct x86_emulate_ops *ops);

/*
 * Decodes only: length and operands, no effect (regs are read for the effective address). Needs
 * ops->insn_fetch and ops->read_segment unless insn_bytes suffice. X86EMUL_EXCEPTION (#UD, #GP,
 * #PF) in ctxt->event, X86EMUL_UNHANDLEABLE for an instruction that exists and is not in the
 * tables.
 */
int x86_decode(struct x86_emulate_ctxt *ctxt, const struct x86_emulate_ops *ops,
	       struct x86_insn *insn);

/*
 * The short path for plain loads and stores to device memory (MOV, MOVZX, MOVSX, MOVNTI with one
 * memory operand), for a nested-paging fault at guest-physical `gpa` that the hardware reported
 * after its own segment checks and guest page walk. A small part of x86_emulate()'s cost.
 *
 *	rc = x86_mmio_decode(ctxt, ops, &m);
 *	if (rc == X86EMUL_OKAY && x86_mmio_begin(regs, &m, gpa, &val)) {
 *		do the device access at gpa: m.bytes bytes, m.write, val (or park the vCPU and
 *		keep m);
 *		x86_mmio_end(regs, &m, data read, or 0);
 *	} else if (rc != X86EMUL_EXCEPTION) {
 *		rc = x86_emulate(ctxt, ops);
 *	}
 *
 * What decode finds depends on the instruction's bytes, ctxt->code_bits and rip alone, so that it may be
 * kept and used again while those are the same; it changes nothing but fetched bytes and answers
 * UNHANDLEABLE for every other instruction. begin is false, and the access not for the
 * short path, when it is not naturally aligned, when gpa cannot be that of the operand's first byte (it
 * crosses into another page), and when RFLAGS.TF or RF is set. end writes the register and advances rip.
 */
struct x86_mmio {
	bool write;
	uint8_t bytes; /* of the access: 1, 2, 4, 8 */
	uint8_t len;   /* of the instruction */
	/* Private to the three. */
	bool sign_extend, reg_high, mode64, from_imm;
	uint8_t reg, reg_bytes;
	uint8_t base, index, scale; /* of the effective address; X86_NO_GPR = none */
	uint16_t offset;	    /* constant part of the address, its low 12 bits */
	uint64_t imm;
};

int x86_mmio_decode(struct x86_emulate_ctxt *ctxt, const struct x86_emulate_ops *ops,
		    struct x86_mmio *m);
/* *val: to be written, zero-extended; 0 for a load. */
bool x86_mmio_begin(const struct x86_regs *regs, const struct x86_mmio *m, uint64_t gpa,
		    uint64_t *val);
void x86_mmio_end(struct x86_regs *regs, const struct x86_mmio *m, uint64_t val);

/* For callbacks: record an exception in ctxt->event; both return X86EMUL_EXCEPTION. */
int x86_emulate_exception(struct x86_emulate_ctxt *ctxt, unsigned int vector, bool has_error_code,
			  uint32_t error_code);
int x86_emulate_page_fault(struct x86_emulate_ctxt *ctxt, uint32_t error_code, uint64_t cr2);

/*
 * Real mode only: enters the handler of `vector` through the IVT (IDTR base and limit) with
 * return_ip pushed, SDM vol. 3 20.1.4. For events that arrive while a guest's real mode is
 * emulated.
 */
int x86_emulate_real_int(struct x86_emulate_ctxt *ctxt, const struct x86_emulate_ops *ops,
			 unsigned int vector, uint16_t return_ip);

/*
 * Instructions whose length hardware may not report at their intercept (SVM without nRIP-save).
 * X86_LEN_TASK_SWITCH: far CALL and JMP, IRET, INT n, INT3, INTO, ICEBP.
 */
enum x86_len_class {
	X86_LEN_CPUID,
	X86_LEN_RDMSR,
	X86_LEN_WRMSR,
	X86_LEN_HLT,
	X86_LEN_VMCALL,
	X86_LEN_VMMCALL,
	X86_LEN_RDTSC,
	X86_LEN_RDTSCP,
	X86_LEN_RDPMC,
	X86_LEN_INVD,
	X86_LEN_WBINVD,
	X86_LEN_XSETBV,
	X86_LEN_MOV_CR,
	X86_LEN_MOV_DR,
	X86_LEN_LMSW,
	X86_LEN_SMSW,
	X86_LEN_CLTS,
	X86_LEN_INVLPG,
	X86_LEN_INVLPGA,
	X86_LEN_PAUSE,
	X86_LEN_MONITOR,
	X86_LEN_MWAIT,
	X86_LEN_INT,
	X86_LEN_INT3,
	X86_LEN_INTO,
	X86_LEN_ICEBP,
	X86_LEN_IRET,
	X86_LEN_PUSHF,
	X86_LEN_POPF,
	X86_LEN_RSM,
	X86_LEN_VMRUN,
	X86_LEN_VMLOAD,
	X86_LEN_VMSAVE,
	X86_LEN_STGI,
	X86_LEN_CLGI,
	X86_LEN_SKINIT,
	X86_LEN_DESC_TABLE, /* SGDT SIDT LGDT LIDT SLDT STR LLDT LTR */
	X86_LEN_TASK_SWITCH,
	X86_LEN_CLASSES
};

/*
 * Length of the instruction in bytes[0..avail), 1 to 15, if it belongs to `class`; 0 if it does
 * not, or avail does not reach its end (fetch more and ask again). Pure; code_bits is 16, 32 or 64.
 * Any prefixes are allowed as on hardware; legality was checked by the CPU that intercepted it.
 */
unsigned int x86_insn_length_only(const uint8_t *bytes, unsigned int avail, unsigned int code_bits,
				  enum x86_len_class class);

#endif
