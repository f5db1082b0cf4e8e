// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How many instructions common MMIO moves cost, decode alone and a whole emulation with trivial
 * callbacks: counted by callgrind (one function toggled), which this program starts on itself.
 */
#include <stdlib.h>
#include <unistd.h>

#include "harness.h"

#define ROUNDS 1000

struct bench_form {
	const char *name, *bytes;
	uint8_t len, code_bits;
};

static const struct bench_form forms[] = {
	{ "mov eax,[rdx] (64)", "\x8b\x02", 2, 64 },
	{ "mov eax,[rdx+0] (64)", "\x8b\x42\x00", 3, 64 },
	{ "mov [disp32],eax (64)", "\x89\x04\x25\x00\x00\x00\x00", 7, 64 },
	{ "mov eax,[disp32] (32)", "\xa1\x20\x00\x00\x00", 5, 32 },
	{ "mov eax,[disp32] modrm (32)", "\x8b\x0d\x20\x00\x00\x00", 6, 32 },
	{ "or dword [rdx],1 (64)", "\x83\x0a\x01", 3, 64 },
	{ "movzx eax,byte [rsi] (64)", "\x0f\xb6\x06", 3, 64 },
};

static struct machine m;
static uint8_t memory[0x1000];

static __attribute__((noinline)) void bench_decode(void)
{
	struct x86_insn insn;

	if (x86_decode(&m.ctxt, &machine_ops, &insn) != X86EMUL_OKAY)
		abort();
}

static __attribute__((noinline)) void bench_emulate(void)
{
	if (x86_emulate(&m.ctxt, &machine_ops) != X86EMUL_OKAY)
		abort();
}

static __attribute__((noinline)) void bench_mmio(void)
{
	struct x86_mmio a;
	uint64_t val;

	if (x86_mmio_decode(&m.ctxt, &machine_ops, &a) == X86EMUL_OKAY &&
	    x86_mmio_begin(&m.regs, &a, m.ctxt.code_bits == 64 ? 0 : 0x20, &val))
		x86_mmio_end(&m.regs, &a, 1);
}

static void prepare(const struct bench_form *f)
{
	machine_init(&m, f->code_bits == 64 ? X86_MODE_LONG : X86_MODE_PROT, f->code_bits);
	m.mem = memory;
	m.mem_size = sizeof(memory);
	memcpy(m.ctxt.insn_bytes, f->bytes, f->len);
	m.ctxt.insn_avail = 15;
}

/* Under callgrind: `what` is d (decode), e (emulate) or m (short path). */
static void run(const struct bench_form *f, char what)
{
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		prepare(f);
		if (what == 'd')
			bench_decode();
		else if (what == 'e')
			bench_emulate();
		else
			bench_mmio();
	}
}

/* Runs this program under callgrind, collecting inside one function only; instructions per call. */
static double measure(unsigned int form, char what, const char *function)
{
	char cmd[768], self[256], line[256];
	double count = -1;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	FILE *p;

	if (n <= 0)
		return -1;
	self[n] = 0;
	snprintf(cmd, sizeof(cmd),
		 "EMULATE_BENCH=%u%c valgrind --tool=callgrind --callgrind-out-file=/dev/null "
		 "--collect-atstart=no --toggle-collect=%s %s bench 2>&1",
		 form, what, function, self);
	p = popen(cmd, "r");
	if (!p)
		return -1;
	while (fgets(line, sizeof(line), p)) {
		const char *at = strstr(line, "Collected : ");

		if (at)
			count = atof(at + 12) / ROUNDS;
	}
	pclose(p);
	return count;
}

int emulate_bench(void)
{
	const char *child = getenv("EMULATE_BENCH");
	unsigned int i;

	if (child) {
		run(&forms[child[0] - '0'], child[1]);
		return 0;
	}
	printf("  instructions (callgrind)     decode  emulate  short path\n");
	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		printf("  %-28s %6.0f %8.0f %11.0f\n", forms[i].name,
		       measure(i, 'd', "bench_decode"), measure(i, 'e', "bench_emulate"),
		       measure(i, 'm', "bench_mmio"));
	return 0;
}
