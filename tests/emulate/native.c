// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Single-steps one instruction: a signal handler replaces the whole user context by the wanted
 * registers with RFLAGS.TF set, so sigreturn enters the instruction and SIGTRAP (or a fault) comes
 * back with its results. Everything is restored from the context that raised the first signal.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <asm/ldt.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "native.h"

#define CS_32		 0x23
#define DS_32		 0x2b
#define CS_16		 0x07 /* LDT entry 0: base NATIVE_CODE */
#define DS_16		 0x0f /* LDT entry 1: base NATIVE_DATA, limit its length; also the stack */
#define TF		 0x100
#define FP_XSTATE_MAGIC1 0x46505853U

enum native_state { IDLE, ENTER, RUNNING };

static volatile enum native_state state;
static unsigned int bits;
static const struct x86_regs *in_regs;
static const uint8_t (*in_xmm)[16];
static const struct x86_x87 *in_x87;
static struct native_result *result;
static gregset_t saved;
static struct _libc_fpstate saved_fp;
static uint8_t signal_stack[65536] __attribute__((aligned(16)));

static const uint8_t greg_of[16] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
				     REG_RSI, REG_RDI, REG_R8,	REG_R9,	 REG_R10, REG_R11,
				     REG_R12, REG_R13, REG_R14, REG_R15 };

/*
 * The upper halves of YMM registers start as zeros, as in the fake machine: their state component is not in the
 * image (arch/x86/include/uapi/asm/sigcontext.h: software's bytes at 464, the XSAVE header at 512).
 */
static void clear_upper_halves(struct _libc_fpstate *fp)
{
	uint8_t *image = (uint8_t *)fp;
	uint32_t magic;
	uint64_t bv;

	memcpy(&magic, image + 464, sizeof(magic));
	if (magic != FP_XSTATE_MAGIC1)
		return;
	memcpy(&bv, image + 512, sizeof(bv));
	bv &= ~4ULL;
	memcpy(image + 512, &bv, sizeof(bv));
}

static void set_x87(struct _libc_fpstate *fp)
{
	unsigned int i;

	fp->cwd = in_x87->cw;
	fp->swd = in_x87->sw;
	fp->ftw = in_x87->tags;
	for (i = 0; i < 8; i++)
		memcpy(&fp->_st[i], in_x87->st[i], 10);
}

static void get_x87(const struct _libc_fpstate *fp)
{
	unsigned int i;

	result->x87.cw = fp->cwd;
	result->x87.sw = fp->swd;
	result->x87.tags = (uint8_t)fp->ftw;
	for (i = 0; i < 8; i++)
		memcpy(result->x87.st[i], &fp->_st[i], 10);
}

static void enter(ucontext_t *uc)
{
	greg_t *g = uc->uc_mcontext.gregs;
	unsigned int i;

	memcpy(saved, g, sizeof(saved));
	memcpy(&saved_fp, uc->uc_mcontext.fpregs, sizeof(saved_fp));
	for (i = 0; i < 16; i++)
		g[greg_of[i]] = (greg_t)in_regs->gpr[i];
	g[REG_RIP] = (greg_t)in_regs->rip;
	g[REG_EFL] = (greg_t)(in_regs->rflags | TF);
	if (bits == 32)
		g[REG_CSGSFS] = (g[REG_CSGSFS] & ~0xffffLL) | CS_32;
	if (bits == 16) /* SS is in the upper 16 bits */
		g[REG_CSGSFS] =
			(g[REG_CSGSFS] & 0x0000ffffffff0000LL) | CS_16 | (greg_t)DS_16 << 48;
	if (in_xmm)
		memcpy(uc->uc_mcontext.fpregs->_xmm, in_xmm, sizeof(result->xmm));
	if (in_x87)
		set_x87(uc->uc_mcontext.fpregs);
	clear_upper_halves(uc->uc_mcontext.fpregs);
	state = RUNNING;
}

static void leave(ucontext_t *uc, int sig, const siginfo_t *info)
{
	greg_t *g = uc->uc_mcontext.gregs;
	unsigned int i;

	result->signal = sig == SIGTRAP ? 0 : sig;
	result->address = (uint64_t)info->si_addr;
	for (i = 0; i < 16; i++)
		result->regs.gpr[i] = (uint64_t)g[greg_of[i]];
	result->regs.rip = (uint64_t)g[REG_RIP];
	result->regs.rflags = (uint64_t)g[REG_EFL];
	memcpy(result->xmm, uc->uc_mcontext.fpregs->_xmm, sizeof(result->xmm));
	get_x87(uc->uc_mcontext.fpregs);
	memcpy(g, saved, sizeof(saved));
	memcpy(uc->uc_mcontext.fpregs->_xmm, saved_fp._xmm, sizeof(saved_fp._xmm));
	uc->uc_mcontext.fpregs->cwd = saved_fp.cwd;
	uc->uc_mcontext.fpregs->swd = saved_fp.swd;
	uc->uc_mcontext.fpregs->ftw = saved_fp.ftw;
	state = IDLE;
}

static void handler(int sig, siginfo_t *info, void *context)
{
	if (state == ENTER && sig == SIGUSR1) {
		enter(context);
	} else if (state == RUNNING && sig != SIGUSR1) {
		leave(context, sig, info);
	} else {
		signal(sig, SIG_DFL); /* a bug of ours: die of it */
		raise(sig);
	}
}

bool native_setup(void)
{
	static const int signals[] = { SIGUSR1, SIGTRAP, SIGSEGV, SIGILL, SIGFPE, SIGBUS };
	stack_t stack = { .ss_sp = signal_stack, .ss_size = sizeof(signal_stack) };
	struct sigaction sa = { .sa_sigaction = handler,
				.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
	uint8_t *guard = (uint8_t *)NATIVE_DATA - 0x1000;
	unsigned int i;

	/* Kernels before 4.17 do not know MAP_FIXED_NOREPLACE and answer with another address. */
	if (mmap((void *)NATIVE_CODE, 0x1000, PROT_READ | PROT_WRITE | PROT_EXEC, flags, -1, 0) !=
		    (void *)NATIVE_CODE ||
	    mmap(guard, NATIVE_DATA_LEN + 0x2000, PROT_NONE, flags, -1, 0) != guard ||
	    mprotect((void *)NATIVE_DATA, NATIVE_DATA_LEN, PROT_READ | PROT_WRITE))
		return false;
	if (sigaltstack(&stack, NULL))
		return false;
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		if (sigaction(signals[i], &sa, NULL))
			return false;
	}
	return true;
}

bool native_setup16(void)
{
	struct user_desc code = { .entry_number = 0,
				  .base_addr = NATIVE_CODE,
				  .limit = 0xffff,
				  .contents = MODIFY_LDT_CONTENTS_CODE };
	struct user_desc data = { .entry_number = 1,
				  .base_addr = NATIVE_DATA,
				  .limit = NATIVE_DATA_LEN - 1,
				  .contents = MODIFY_LDT_CONTENTS_DATA };

	return !syscall(SYS_modify_ldt, 1, &code, sizeof(code)) &&
	       !syscall(SYS_modify_ldt, 1, &data, sizeof(data));
}

void native_run(unsigned int code_bits, const struct x86_regs *regs, const uint8_t xmm[16][16],
		const struct x86_x87 *x87, struct native_result *out)
{
	bits = code_bits;
	in_regs = regs;
	in_xmm = xmm;
	in_x87 = x87;
	result = out;
	state = ENTER;
	/* 64-bit code does not care; the kernel leaves them alone around signals. */
	__asm__ volatile("mov %0, %%ds; mov %0, %%es" : : "r"(code_bits == 16 ? DS_16 : DS_32));
	raise(SIGUSR1);
}
