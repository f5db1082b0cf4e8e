// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Real-mode and system forms against the fake machine, as tables: instruction, state before, and
 * what the SDM says of the state after. Short setup strings keep a case on one line.
 */
#include "harness.h"

#define CODE 0x100
#define GDT  0x2000
#define OK   X86EMUL_OKAY
#define EXC  0x100 /* + vector: X86EMUL_EXCEPTION */
#define UNH  X86EMUL_UNHANDLEABLE

enum {
	NO = 255,
	RIP = 16,
	FLAGS,
	MEM,
	CS,
	SS,
	DS,
	ES,
	GS_BASE,
	CR0,
	CR3,
	CR8,
	DR7,
	MSR,
	GDTR,
	IDTR,
	TRSEL,
	LDTSEL,
	XCR0,
	HLT,
	STI,
	MOVSS,
	NMI,
	EVTYPE,
	ERRCODE,
	MSRIDX,
	INVLPG,
	CSATTR,
	STACK, /* two bytes at the top, which are the address of return */
	PARAM  /* two words above an address of return of 32 bits */
};

struct check {
	uint8_t what; /* a register number or one of the above; NO ends */
	uint64_t want;
};

struct set {
	uint8_t what;
	uint64_t val;
};

struct system_case {
	const char *name;
	uint8_t mode, bits, cpl;
	const char *bytes;
	uint8_t len;
	struct set set[6];
	int rc;
	struct check check[6];
};

static uint8_t memory[0x10000];
static struct machine m;

#define I(s) s, sizeof(s) - 1
#define END           \
	{             \
		NO, 0 \
	}
#define R16  X86_MODE_REAL, 16, 0
#define P32  X86_MODE_PROT, 32, 0
#define P32U X86_MODE_PROT, 32, 3
#define L64  X86_MODE_LONG, 64, 0
#define L64U X86_MODE_LONG, 64, 3
#define V16  X86_MODE_VM86, 16, 3

/*
 * GDT: 08 code32 DPL0, 10 data DPL0, 18 code64 DPL0, 20 TSS (busy), 28 TSS (available), 30 LDT,
 * 38 code32 not present, 40 data not present, 48 conforming code, 50 call gate, 58 data DPL3,
 * 60 code16 with limit 0xffff, 68 read-only data, 70 code32 DPL3, 78 code64 DPL3,
 * 80 call gate DPL3 to 8:12345678 with two parameters, 88 the same with 16 bits to 8:2468, 90 to 18:123400004444,
 * a0 one that is not present.
 */
static const uint64_t gdt[] = {
	0,
	0x00cf9b000000ffff,
	0x00cf93000000ffff,
	0x00af9b000000ffff,
	0x00008b0010000067,
	0x0000890010000067,
	0x0000820018000027,
	0x00cf1b000000ffff,
	0x00cf13000000ffff,
	0x00cf9f000000ffff,
	0x00008c0000080000,
	0x00cff3000000ffff,
	0x00009b000000ffff,
	0x00cf91000000ffff,
	0x00cffb000000ffff,
	0x00affb000000ffff,
	0x1234ec0200085678,
	0x9999e40000082468,
	0x0000ec0000180000 | 0x4444, /* its second half, for long mode */
	0x0000000000001234,
	0x00006c0000080000,
};

/* clang-format off */
static const struct system_case cases[] = {
	/* Real mode. */
	{ "int 21", R16, I("\xcd\x21"), { { X86_RSP, 0x1000 }, { FLAGS, 0x302 }, { MEM + 64, 0 }, END },
	  OK, { { RIP, 0x5678 }, { CS, 0x1234 }, { X86_RSP, 0xffa }, { FLAGS, 0x2 }, END } },
	{ "jmp far", R16, I("\xea\x00\x20\x00\x10"), { END }, OK, { { CS, 0x1000 }, { RIP, 0x2000 }, END } },
	{ "call far", R16, I("\x9a\x00\x20\x00\x10"), { { X86_RSP, 0x1000 }, END }, OK,
	  { { CS, 0x1000 }, { RIP, 0x2000 }, { X86_RSP, 0xffc }, END } },
	{ "retf", R16, I("\xcb"), { { X86_RSP, 0x800 }, END }, OK,
	  { { RIP, 0x1111 }, { CS, 0x2222 }, { X86_RSP, 0x804 }, END } },
	{ "iret", R16, I("\xcf"), { { X86_RSP, 0x800 }, END }, OK,
	  { { RIP, 0x1111 }, { CS, 0x2222 }, { FLAGS, 0x3203 & 0x7fd7 }, { NMI, 1 }, { X86_RSP, 0x806 }, END } },
	{ "mov ds", R16, I("\x8e\xd8"), { { X86_RAX, 0x1234 }, END }, OK, { { DS, 0x1234 }, END } },
	{ "mov ss", R16, I("\x8e\xd0"), { { X86_RAX, 0x1234 }, END }, OK,
	  { { SS, 0x1234 }, { MOVSS, 1 }, END } },
	{ "pop es", R16, I("\x07"), { { X86_RSP, 0x800 }, END }, OK, { { ES, 0x1111 }, END } },
	{ "push 16", R16, I("\x68\x34\x12"), { { X86_RSP, 0x1000 }, END }, OK, { { X86_RSP, 0xffe }, END } },
	{ "push wraps", R16, I("\x50"), { { X86_RSP, 0xabcd0000 }, END }, OK, { { X86_RSP, 0xabcdfffe }, END } },
	{ "push at 1", R16, I("\x50"), { { X86_RSP, 1 }, END }, EXC + 12, { { X86_RSP, 1 }, END } },
	{ "les", R16, I("\xc4\x1e\x00\x08"), { END }, OK, { { X86_RBX, 0x1111 }, { ES, 0x2222 }, END } },
	{ "limit", R16, I("\x66\xa1\xfe\xff"), { END }, EXC + 13, { { ERRCODE, 0 }, END } },
	{ "lmsw pe", R16, I("\x0f\x01\xf0"), { { X86_RAX, 1 }, END }, OK, { { CR0, 0x11 }, END } },
	{ "mov cr0", R16, I("\x0f\x22\xc0"), { { X86_RAX, 0x11 }, END }, OK, { { CR0, 0x11 }, END } },
	{ "lgdt", R16, I("\x0f\x01\x16\x00\x08"), { END }, OK, { { GDTR, 0x032222 }, END } },
	{ "lgdt 32", R16, I("\x66\x0f\x01\x16\x00\x08"), { END }, OK, { { GDTR, 0x32032222 }, END } },
	{ "sldt real", R16, I("\x0f\x00\xc0"), { END }, EXC + 6, { END } },
	{ "arpl real", R16, I("\x63\xc0"), { END }, EXC + 6, { END } },
	{ "into not taken", R16, I("\xce"), { END }, OK, { { RIP, CODE + 1 }, END } },
	{ "div by 0", R16, I("\xf7\xf1"), { END }, EXC + 0, { { RIP, CODE }, END } },
	{ "cli", R16, I("\xfa"), { { FLAGS, 0x202 }, END }, OK, { { FLAGS, 2 }, END } },
	{ "sti", R16, I("\xfb"), { END }, OK, { { FLAGS, 0x202 }, { STI, 1 }, END } },
	{ "sti again", R16, I("\xfb"), { { FLAGS, 0x202 }, END }, OK, { { STI, 0 }, END } },
	{ "popf", R16, I("\x9d"), { { X86_RSP, 0x804 }, END }, OK, { { FLAGS, 0x3203 }, END } },
	{ "hlt", R16, I("\xf4"), { END }, OK, { { HLT, 1 }, { RIP, CODE + 1 }, END } },
	{ "in", R16, I("\xe4\x60"), { { X86_RAX, 0x1234 }, END }, OK, { { X86_RAX, 0x12aa }, END } },
	{ "in eax", R16, I("\x66\xed"), { { X86_RDX, 0xcf8 }, END }, OK, { { X86_RAX, 0xaaaaaaaa }, END } },
	{ "xlat", R16, I("\xd7"), { { X86_RBX, 0x7ff }, { X86_RAX, 1 }, END }, OK, { { X86_RAX, 0x11 }, END } },
	{ "enter", R16, I("\xc8\x10\x00\x00"), { { X86_RSP, 0x1000 }, { X86_RBP, 0x55 }, END }, OK,
	  { { X86_RBP, 0xffe }, { X86_RSP, 0xfee }, END } },
	{ "loop", R16, I("\xe2\xfe"), { { X86_RCX, 0x10000 }, END }, OK,
	  { { X86_RCX, 0x1ffff }, { RIP, CODE }, END } },
	{ "jcxz 32", R16, I("\x67\xe3\x10"), { { X86_RCX, 0x10000 }, END }, OK, { { RIP, CODE + 3 }, END } },
	{ "jmp wraps", R16, I("\xe9\xfd\xfd"), { END }, OK, { { RIP, 0xff00 }, END } },
	{ "jmp 32 past limit", R16, I("\x66\xe9\x00\x00\x01\x00"), { END }, EXC + 13, { END } },
	{ "smsw", R16, I("\x0f\x01\xe0"), { { X86_RAX, 0xffff0000 }, END }, OK, { { X86_RAX, 0xffff0010 }, END } },
	/* VM86. */
	{ "v86 cli", V16, I("\xfa"), { { FLAGS, 0x20202 }, END }, EXC + 13, { END } },
	{ "v86 cli iopl 3", V16, I("\xfa"), { { FLAGS, 0x23202 }, END }, OK, { { FLAGS, 0x23002 }, END } },
	{ "v86 int", V16, I("\xcd\x10"), { { FLAGS, 0x20202 }, END }, EXC + 13, { END } },
	{ "v86 int iopl 3", V16, I("\xcd\x10"), { { FLAGS, 0x23202 }, END }, EXC + 0x10, { { EVTYPE, 4 }, END } },
	{ "v86 mov ds", V16, I("\x8e\xd8"), { { X86_RAX, 0x1234 }, { FLAGS, 0x20202 }, END }, OK, { { DS, 0x1234 }, END } },
	{ "v86 hlt", V16, I("\xf4"), { { FLAGS, 0x20202 }, END }, EXC + 13, { END } },
	{ "v86 in", V16, I("\xe4\x60"), { { FLAGS, 0x23202 }, END }, EXC + 13, { END } },
	/* Protected mode segments. */
	{ "load data", P32, I("\x8e\xd8"), { { X86_RAX, 0x10 }, END }, OK, { { DS, 0x10 }, END } },
	{ "load data rpl 3", P32, I("\x8e\xd8"), { { X86_RAX, 0x13 }, END }, EXC + 13, { { ERRCODE, 0x10 }, END } },
	{ "load data dpl 3", P32U, I("\x8e\xd8"), { { X86_RAX, 0x5b }, END }, OK, { { DS, 0x5b }, END } },
	{ "load null", P32, I("\x8e\xd8"), { { X86_RAX, 3 }, END }, OK, { { DS, 3 }, END } },
	{ "load null ss", P32, I("\x8e\xd0"), { { X86_RAX, 0 }, END }, EXC + 13, { { ERRCODE, 0 }, END } },
	{ "load absent", P32, I("\x8e\xd8"), { { X86_RAX, 0x40 }, END }, EXC + 11, { { ERRCODE, 0x40 }, END } },
	{ "load absent ss", P32, I("\x8e\xd0"), { { X86_RAX, 0x40 }, END }, EXC + 12, { { ERRCODE, 0x40 }, END } },
	{ "load ro ss", P32, I("\x8e\xd0"), { { X86_RAX, 0x68 }, END }, EXC + 13, { { ERRCODE, 0x68 }, END } },
	{ "load beyond", P32, I("\x8e\xd8"), { { X86_RAX, 0x100 }, END }, EXC + 13, { { ERRCODE, 0x100 }, END } },
	{ "load tss", P32, I("\x8e\xd8"), { { X86_RAX, 0x20 }, END }, EXC + 13, { { ERRCODE, 0x20 }, END } },
	{ "load from no ldt", P32, I("\x8e\xd8"), { { X86_RAX, 0x14 }, END }, EXC + 13, { { ERRCODE, 0x14 }, END } },
	{ "jmp code", P32, I("\xea\x00\x20\x00\x00\x08\x00"), { END }, OK, { { CS, 8 }, { RIP, 0x2000 }, END } },
	{ "jmp code16", P32, I("\xea\x00\x20\x00\x00\x60\x00"), { END }, OK, { { CS, 0x60 }, { CSATTR, 0x9b }, END } },
	{ "jmp past limit", P32, I("\xea\x00\x20\x01\x00\x60\x00"), { END }, EXC + 13, { { ERRCODE, 0 }, END } },
	{ "jmp data", P32, I("\xea\x00\x20\x00\x00\x10\x00"), { END }, EXC + 13, { { ERRCODE, 0x10 }, END } },
	{ "jmp absent", P32, I("\xea\x00\x20\x00\x00\x38\x00"), { END }, EXC + 11, { { ERRCODE, 0x38 }, END } },
	{ "jmp gate", P32, I("\xea\x00\x20\x00\x00\x80\x00"), { END }, OK, { { CS, 8 }, { RIP, 0x12345678 }, { X86_RSP, 0x3000 }, END } },
	{ "jmp gate inner", P32U, I("\xea\x00\x20\x00\x00\x80\x00"), { END }, EXC + 13, { { ERRCODE, 8 }, { RIP, CODE }, END } },
	{ "call gate", P32, I("\x9a\x00\x20\x00\x00\x80\x00"), { END }, OK,
	  { { CS, 8 }, { RIP, 0x12345678 }, { X86_RSP, 0x2ff8 }, { SS, 0x10 }, { STACK, CODE + 7 }, END } },
	{ "call gate 16", P32, I("\x9a\x00\x20\x00\x00\x88\x00"), { END }, OK,
	  { { CS, 8 }, { RIP, 0x2468 }, { X86_RSP, 0x2ffc }, { STACK, CODE + 7 }, END } },
	{ "call gate inner", P32U, I("\x9a\x00\x20\x00\x00\x80\x00"), { { X86_RSP, 0x930 }, { TRSEL, 1 }, END }, OK,
	  { { CS, 8 }, { RIP, 0x12345678 }, { X86_RSP, 0x5000 - 24 }, { SS, 0x10 }, { STACK, CODE + 7 }, { PARAM, 0x7300004444 } } },
	{ "call gate inner, no stack", P32U, I("\x9a\x00\x20\x00\x00\x80\x00"), { { TRSEL, 2 }, END }, EXC + 10, { { RIP, CODE }, { X86_RSP, 0x3000 }, END } },
	{ "call gate dpl", P32U, I("\x9a\x00\x20\x00\x00\x50\x00"), { END }, EXC + 13, { { ERRCODE, 0x50 }, END } },
	{ "call gate absent", P32U, I("\x9a\x00\x20\x00\x00\xa0\x00"), { END }, EXC + 11, { { ERRCODE, 0xa0 }, END } },
	{ "jmp tss", P32, I("\xea\x00\x20\x00\x00\x28\x00"), { END }, UNH, { { RIP, CODE }, END } },
	{ "jmp busy tss", P32, I("\xea\x00\x20\x00\x00\x20\x00"), { END }, EXC + 13, { { ERRCODE, 0x20 }, END } },
	{ "jmp conforming", P32U, I("\xea\x00\x20\x00\x00\x48\x00"), { END }, OK, { { CS, 0x4b }, END } },
	{ "jmp inner", P32U, I("\xea\x00\x20\x00\x00\x08\x00"), { END }, EXC + 13, { { ERRCODE, 8 }, END } },
	{ "retf same", P32, I("\xcb"), { { X86_RSP, 0x900 }, END }, OK, { { CS, 8 }, { RIP, 0x4444 }, { X86_RSP, 0x908 }, END } },
	{ "retf outer", P32, I("\xcb"), { { X86_RSP, 0x910 }, END }, EXC + 13, { { ERRCODE, 8 }, END } },
	{ "retf user", P32, I("\xcb"), { { X86_RSP, 0x930 }, { DS, 0x10 }, END }, OK,
	  { { CS, 0x73 }, { RIP, 0x4444 }, { SS, 0x5b }, { X86_RSP, 0x7000 }, { DS, 0 }, END } },
	{ "retf user n", P32, I("\xca\x08\x00"), { { X86_RSP, 0x940 }, END }, OK,
	  { { CS, 0x73 }, { SS, 0x5b }, { X86_RSP, 0x7008 }, END } },
	{ "retf user, kernel's stack", P32, I("\xcb"), { { X86_RSP, 0x9a0 }, { DS, 0x10 }, END }, EXC + 13,
	  { { ERRCODE, 0x10 }, { RIP, CODE }, { X86_RSP, 0x9a0 }, { DS, 0x10 }, END } },
	{ "retf user, no stack", P32, I("\xcb"), { { X86_RSP, 0x9b0 }, END }, EXC + 13, { { ERRCODE, 0 }, { RIP, CODE }, END } },
	{ "iret user", P32, I("\xcf"), { { X86_RSP, 0x960 }, { DS, 0x10 }, END }, OK,
	  { { CS, 0x73 }, { RIP, 0x4444 }, { SS, 0x5b }, { X86_RSP, 0x7000 }, { DS, 0 }, { FLAGS, 0x3246 } } },
	{ "iret user keeps data", P32, I("\xcf"), { { X86_RSP, 0x960 }, { DS, 0x58 }, END }, OK, { { CS, 0x73 }, { DS, 0x58 }, END } },
	{ "iret same", P32, I("\xcf"), { { X86_RSP, 0x900 }, END }, OK, { { CS, 8 }, { RIP, 0x4444 }, { FLAGS, 0x246 }, { X86_RSP, 0x90c }, END } },
	{ "iret task", P32, I("\xcf"), { { FLAGS, 0x4002 }, END }, UNH, { END } },
	{ "int n", P32, I("\xcd\x80"), { END }, EXC + 0x80, { { EVTYPE, 4 }, { RIP, CODE }, END } },
	{ "int3", P32, I("\xcc"), { END }, EXC + 3, { { EVTYPE, 6 }, END } },
	{ "icebp", P32, I("\xf1"), { END }, EXC + 1, { { EVTYPE, 5 }, END } },
	{ "ltr", P32, I("\x0f\x00\xd8"), { { X86_RAX, 0x28 }, END }, OK, { { TRSEL, 0x28 }, END } },
	{ "ltr busy", P32, I("\x0f\x00\xd8"), { { X86_RAX, 0x20 }, END }, EXC + 13, { { ERRCODE, 0x20 }, END } },
	{ "ltr cpl 3", P32U, I("\x0f\x00\xd8"), { { X86_RAX, 0x28 }, END }, EXC + 13, { { ERRCODE, 0 }, END } },
	{ "lldt", P32, I("\x0f\x00\xd0"), { { X86_RAX, 0x30 }, END }, OK, { { LDTSEL, 0x30 }, END } },
	{ "lldt null", P32, I("\x0f\x00\xd0"), { END }, OK, { { LDTSEL, 0 }, END } },
	{ "lar", P32, I("\x0f\x02\xc3"), { { X86_RBX, 0x10 }, END }, OK, { { X86_RAX, 0xcf9300 & 0xf0ff00 }, { FLAGS, 0x42 }, END } },
	{ "lar gate", P32, I("\x0f\x02\xc3"), { { X86_RBX, 0x50 }, END }, OK, { { X86_RAX, 0x8c00 }, END } },
	{ "lsl", P32, I("\x0f\x03\xc3"), { { X86_RBX, 0x10 }, END }, OK, { { X86_RAX, 0xffffffff }, { FLAGS, 0x42 }, END } },
	{ "lsl gate", P32, I("\x0f\x03\xc3"), { { X86_RBX, 0x50 }, { FLAGS, 0x42 }, END }, OK, { { X86_RAX, 0 }, { FLAGS, 2 }, END } },
	{ "lsl dpl", P32U, I("\x0f\x03\xc3"), { { X86_RBX, 0x10 }, END }, OK, { { X86_RAX, 0 }, { FLAGS, 2 }, END } },
	{ "verr", P32, I("\x0f\x00\xe3"), { { X86_RBX, 0x68 }, END }, OK, { { FLAGS, 0x42 }, END } },
	{ "verw ro", P32, I("\x0f\x00\xeb"), { { X86_RBX, 0x68 }, { FLAGS, 0x42 }, END }, OK, { { FLAGS, 2 }, END } },
	{ "arpl", P32, I("\x63\xd8"), { { X86_RAX, 0x10 }, { X86_RBX, 3 }, END }, OK, { { X86_RAX, 0x13 }, { FLAGS, 0x42 }, END } },
	{ "in cpl 3", P32U, I("\xe4\x60"), { END }, EXC + 13, { END } },
	{ "in bitmap", P32U, I("\xe4\x10"), { { TRSEL, 1 }, END }, OK, { { X86_RAX, 0xaa }, END } },
	{ "in bitmap denied", P32U, I("\xe4\x11"), { { TRSEL, 1 }, END }, EXC + 13, { END } },
	{ "in bitmap word", P32U, I("\x66\xe5\x10"), { { TRSEL, 1 }, END }, EXC + 13, { END } },
	{ "in iopl 3", P32U, I("\xe4\x60"), { { FLAGS, 0x3002 }, END }, OK, { { X86_RAX, 0xaa }, END } },
	{ "cli cpl 3", P32U, I("\xfa"), { END }, EXC + 13, { END } },
	{ "popf cpl 3", P32U, I("\x9d"), { { X86_RSP, 0x920 }, { FLAGS, 0x202 }, END }, OK, { { FLAGS, 0x4202 | 0x8d5 }, END } },
	{ "bound", P32, I("\x62\x05\x00\x09\x00\x00"), { { X86_RAX, 0x7fffffff }, END }, EXC + 5, { END } },
	/* Control registers and the like. */
	{ "mov cr3", L64, I("\x0f\x22\xd8"), { { X86_RAX, 0x1000 }, END }, OK, { { CR3, 0x1000 }, END } },
	{ "mov from cr3", L64, I("\x0f\x20\xda"), { { CR3, 0x123456789000 }, END }, OK, { { X86_RDX, 0x123456789000 }, END } },
	{ "mov cr8", L64, I("\x44\x0f\x22\xc0"), { { X86_RAX, 5 }, END }, OK, { { CR8, 5 }, END } },
	{ "lock mov cr0", P32, I("\xf0\x0f\x22\xc0"), { { X86_RAX, 6 }, END }, OK, { { CR8, 6 }, END } },
	{ "mov cr1", L64, I("\x0f\x22\xc8"), { END }, EXC + 6, { END } },
	{ "mov cr3 cpl 3", L64U, I("\x0f\x22\xd8"), { END }, EXC + 13, { END } },
	{ "mov cr mod 0", P32, I("\x0f\x22\x18"), { { X86_RAX, 0x2000 }, END }, OK, { { CR3, 0x2000 }, { RIP, CODE + 3 }, END } },
	{ "mov dr7", L64, I("\x0f\x23\xf8"), { { X86_RAX, 0x400 }, END }, OK, { { DR7, 0x400 }, END } },
	{ "mov dr5", L64, I("\x0f\x23\xe8"), { { X86_RAX, 0x401 }, END }, OK, { { DR7, 0x401 }, END } },
	{ "clts", L64, I("\x0f\x06"), { { CR0, 0x19 }, END }, OK, { { CR0, 0x11 }, END } },
	{ "lmsw keeps pe", P32, I("\x0f\x01\xf0"), { { X86_RAX, 0xe }, END }, OK, { { CR0, 0x1f }, END } },
	{ "lgdt 64", L64, I("\x0f\x01\x14\x25\x00\x08\x00\x00"), { END }, OK, { { GDTR, 0x443232032222 }, END } },
	{ "lidt", P32, I("\x0f\x01\x1d\x00\x08\x00\x00"), { END }, OK, { { IDTR, 0x32032222 }, END } },
	{ "invlpg", P32, I("\x0f\x01\x38"), { { X86_RAX, 0x12345 }, END }, OK, { { INVLPG, 0x12345 }, END } },
	{ "rdmsr", L64, I("\x0f\x32"), { { X86_RCX, 0x1b }, { MSR, 0x1122334455667788 }, END }, OK,
	  { { X86_RAX, 0x55667788 }, { X86_RDX, 0x11223344 }, { MSRIDX, 0x1b }, END } },
	{ "wrmsr", L64, I("\x0f\x30"), { { X86_RCX, 0x1b }, { X86_RAX, 0xffffffff00000001 }, { X86_RDX, 2 }, END }, OK,
	  { { MSR, 0x200000001 }, END } },
	{ "wrmsr cpl 3", L64U, I("\x0f\x30"), { END }, EXC + 13, { END } },
	{ "rdtsc", L64U, I("\x0f\x31"), { { MSR, 0x100000002 }, END }, OK, { { X86_RAX, 2 }, { X86_RDX, 1 }, { MSRIDX, 0x10 }, END } },
	{ "cpuid", L64U, I("\x0f\xa2"), { { X86_RAX, 7 }, { X86_RCX, 9 }, END }, OK, { { X86_RAX, 8 }, { X86_RCX, 9 }, { X86_RBX, 0x11111111 }, END } },
	{ "xsetbv", L64, I("\x0f\x01\xd1"), { { X86_RAX, 3 }, END }, OK, { { XCR0, 3 }, END } },
	{ "xgetbv", L64U, I("\x0f\x01\xd0"), { END }, OK, { { X86_RAX, 7 }, END } },
	{ "swapgs", L64, I("\x0f\x01\xf8"), { { MSR, 0xffff880000000000 }, { GS_BASE, 0x1234 }, END }, OK,
	  { { GS_BASE, 0xffff880000000000 }, { MSR, 0x1234 }, { MSRIDX, 0xc0000102 }, END } },
	{ "wrgsbase", L64U, I("\xf3\x48\x0f\xae\xd8"), { { X86_RAX, 0x7f0000000000 }, END }, OK, { { GS_BASE, 0x7f0000000000 }, END } },
	{ "clac", L64, I("\x0f\x01\xca"), { { FLAGS, 0x40002 }, END }, OK, { { FLAGS, 2 }, END } },
	{ "stac cpl 3", L64U, I("\x0f\x01\xcb"), { END }, EXC + 6, { END } },
	{ "ud2", L64, I("\x0f\x0b"), { END }, EXC + 6, { END } },
	{ "vmmcall", L64, I("\x0f\x01\xd9"), { END }, OK, { { RIP, CODE + 3 }, END } },
	{ "vmcall on amd", L64, I("\x0f\x01\xc1"), { END }, EXC + 6, { END } },
	{ "x87", L64, I("\xd9\xc0"), { END }, UNH, { END } },
	/* Long mode. */
	{ "iretq", L64, I("\x48\xcf"), { { X86_RSP, 0xa00 }, END }, OK,
	  { { RIP, 0x4444 }, { CS, 0x18 }, { X86_RSP, 0x7000 }, { SS, 0x10 }, { FLAGS, 0x202 }, END } },
	{ "call gate 64", L64, I("\xff\x1c\x25\x38\x0a\x00\x00"), { END }, OK,
	  { { CS, 0x18 }, { RIP, 0x123400004444 }, { X86_RSP, 0x2ff0 }, { STACK, CODE + 7 }, END } },
	{ "call gate 64 inner", L64U, I("\xff\x1c\x25\x38\x0a\x00\x00"), { { TRSEL, 3 }, END }, OK,
	  { { CS, 0x18 }, { RIP, 0x123400004444 }, { X86_RSP, 0x5000 - 32 }, { SS, 0 }, { STACK, CODE + 7 }, END } },
	{ "iretq user", L64, I("\x48\xcf"), { { X86_RSP, 0xa40 }, { DS, 0x10 }, END }, OK,
	  { { RIP, 0x444400004444 }, { CS, 0x7b }, { X86_RSP, 0x700000007000 }, { SS, 0x5b }, { FLAGS, 0x202 }, { DS, 0 } } },
	{ "iretq to 32 bits", L64, I("\x48\xcf"), { { X86_RSP, 0xa70 }, END }, OK,
	  { { RIP, 0x4444 }, { CS, 0x73 }, { X86_RSP, 0x7000 }, { SS, 0x5b }, END } },
	{ "iretq to no address", L64, I("\x48\xcf"), { { X86_RSP, 0xaa0 }, END }, EXC + 13, { { ERRCODE, 0 }, { RIP, CODE }, { SS, 0x10 }, END } },
	{ "iretq nt", L64, I("\x48\xcf"), { { FLAGS, 0x4002 }, END }, EXC + 13, { END } },
	{ "jmp far mem", L64, I("\xff\x2c\x25\x30\x0a\x00\x00"), { END }, OK, { { CS, 8 }, { RIP, 0x4444 }, END } },
	{ "push imm", L64, I("\x68\x00\x00\x00\x80"), { { X86_RSP, 0x1000 }, END }, OK, { { X86_RSP, 0xff8 }, END } },
	{ "push fs", L64, I("\x0f\xa0"), { { X86_RSP, 0x1000 }, END }, OK, { { X86_RSP, 0xff8 }, END } },
	{ "in bitmap 64", L64U, I("\xe4\x10"), { { TRSEL, 1 }, END }, OK, { { X86_RAX, 0xaa }, END } },
	{ "null ss cpl 0", L64, I("\x8e\xd0"), { END }, OK, { { SS, 0 }, END } },
	{ "pusha 64", L64, I("\x60"), { END }, EXC + 6, { END } },
	{ "mov cr2 high", L64, I("\x0f\x20\xd0"), { END }, OK, { { X86_RAX, 0 }, END } },
};

/* clang-format on */

static void apply(const struct set *s)
{
	switch (s->what) {
	case FLAGS:
		m.regs.rflags = s->val;
		break;
	case CR0:
		m.cr[0] = s->val;
		break;
	case CR3:
		m.cr[3] = s->val;
		break;
	case MSR:
		m.msr_value = s->val;
		break;
	case GS_BASE:
		m.seg[X86_SEG_GS].base = s->val;
		break;
	case DS: /* the attributes are those of its level */
		m.seg[X86_SEG_DS].sel = (uint16_t)s->val;
		m.seg[X86_SEG_DS].attr = s->val == 0x58 ? 0xcf3 : 0xc93;
		break;
	case TRSEL: /* a TSS with an I/O bitmap that allows port 10h only; 2: too short for a stack; 3: of 64 bits */
		m.seg[X86_SEG_TR].limit = s->val == 2 ? 8 : 0x70;
		if (s->val == 3)
			memset(memory + 0x1008, 0, 4);
		break;
	default:
		if (s->what < 16)
			m.regs.gpr[s->what] = s->val;
		break;
	}
}

/* clang-format off */
static uint64_t state(unsigned int what)
{
	uint64_t param;

	switch (what) {
	case RIP: return m.regs.rip;
	case FLAGS: return m.regs.rflags;
	case CS: return m.seg[X86_SEG_CS].sel;
	case SS: return m.seg[X86_SEG_SS].sel;
	case DS: return m.seg[X86_SEG_DS].sel;
	case ES: return m.seg[X86_SEG_ES].sel;
	case GS_BASE: return m.seg[X86_SEG_GS].base;
	case CR0: return m.cr[0];
	case CR3: return m.cr[3];
	case CR8: return m.cr[8];
	case DR7: return m.dr[7];
	case MSR: return m.msr_value;
	case GDTR: return m.seg[X86_SEG_GDTR].base;
	case IDTR: return m.seg[X86_SEG_IDTR].base;
	case TRSEL: return m.seg[X86_SEG_TR].sel;
	case LDTSEL: return m.seg[X86_SEG_LDTR].sel;
	case XCR0: return m.xcr[0];
	case HLT: return m.ctxt.retire.hlt;
	case STI: return m.ctxt.retire.sti;
	case MOVSS: return m.ctxt.retire.mov_ss;
	case NMI: return m.ctxt.retire.unblock_nmi;
	case EVTYPE: return m.ctxt.event.type;
	case ERRCODE: return m.ctxt.event.error_code;
	case MSRIDX: return m.msr_index;
	case INVLPG: return m.invlpg_lin;
	case CSATTR: return m.seg[X86_SEG_CS].attr;
	case STACK: return memory[m.regs.gpr[X86_RSP] & 0xffff] | memory[(m.regs.gpr[X86_RSP] + 1) & 0xffff] << 8;
	case PARAM: memcpy(&param, memory + (m.regs.gpr[X86_RSP] & 0xff00) + (m.regs.gpr[X86_RSP] & 0xff) + 8, 8); return param;
	default: return m.regs.gpr[what & 15];
	}
}

/* clang-format on */

/* What the instructions of the table find in memory. */
static void fill_memory(void)
{
	static const uint16_t words[] = { 0x1111, 0x2222, 0x3203, 0x4432 };
	static const uint32_t frame32[] = { 0x4444, 8, 0x246 };
	static const uint32_t frame_outer[] = { 0x4444, 0xb, 0x246 };
	static const uint32_t frame_user[] = { 0x4444, 0x73, 0x7000, 0x5b };
	static const uint32_t frame_user_n[] = { 0x4444, 0x73, 0, 0, 0x7000, 0x5b };
	static const uint32_t frame_iret[] = { 0x4444, 0x73, 0x3246, 0x7000, 0x5b };
	static const uint32_t frame_bad_ss[] = { 0x4444, 0x73, 0x7000, 0x10 };
	static const uint32_t frame_no_ss[] = { 0x4444, 0x73, 0x7000, 3 };
	static const uint64_t frame_user64[] = { 0x444400004444, 0x7b, 0x202, 0x700000007000,
						 0x5b };
	static const uint64_t frame_user32[] = { 0x4444, 0x73, 0x202, 0x7000, 0x5b };
	static const uint64_t frame_nowhere[] = { 0x8000000000000000, 0x7b, 0x202, 0x7000, 0x5b };
	static const uint64_t frame64[] = { 0x4444, 0x18, 0x202, 0x7000, 0x10 };

	memset(memory, 0, sizeof(memory));
	memcpy(memory + 0x21 * 4, "\x78\x56\x34\x12", 4);
	memcpy(memory + 0x800, words, sizeof(words));
	memcpy(memory + 0x804, "\x03\x32\x32\x44\x00", 5);
	memcpy(memory + 0x900, frame32, sizeof(frame32));
	memcpy(memory + 0x910, frame_outer, sizeof(frame_outer));
	memset(memory + 0x920, 0xff, 4);
	memcpy(memory + 0x920, "\xff\x4a\x00\x00", 4);
	memcpy(memory + 0x930, frame_user, sizeof(frame_user));
	memcpy(memory + 0x940, frame_user_n, sizeof(frame_user_n));
	memcpy(memory + 0x960, frame_iret, sizeof(frame_iret));
	memcpy(memory + 0x9a0, frame_bad_ss, sizeof(frame_bad_ss));
	memcpy(memory + 0x9b0, frame_no_ss, sizeof(frame_no_ss));
	memcpy(memory + 0xa00, frame64, sizeof(frame64));
	memcpy(memory + 0xa40, frame_user64, sizeof(frame_user64));
	memcpy(memory + 0xa70, frame_user32, sizeof(frame_user32));
	memcpy(memory + 0xaa0, frame_nowhere, sizeof(frame_nowhere));
	memcpy(memory + 0xa30, "\x44\x44\x00\x00\x08\x00", 6);
	memcpy(memory + 0xa38, "\x44\x44\x00\x00\x90\x00", 6);
	memcpy(memory + GDT, gdt, sizeof(gdt));
	memcpy(memory + 0x1004, "\x00\x50\x00\x00\x10\x00\x00\x00", 8); /* SS0:ESP0 */
	memcpy(memory + 0x1066, "\x68\x00", 2);
	memset(memory + 0x1068, 0xff, 9);
	memory[0x106a] = 0xfe;
}

static void run(const struct system_case *c)
{
	unsigned int i;
	int rc;

	machine_init(&m, c->mode, c->bits);
	fill_memory();
	memcpy(memory + CODE, c->bytes, c->len);
	m.mem = memory;
	m.mem_size = sizeof(memory);
	m.io_value = 0xaaaaaaaa;
	m.regs.rip = CODE;
	m.regs.gpr[X86_RSP] = 0x3000;
	if (c->cpl && c->mode != X86_MODE_VM86) {
		m.ctxt.cpl = c->cpl;
		for (i = X86_SEG_ES; i <= X86_SEG_GS; i++) {
			m.seg[i].attr |= 3 << 5;
			m.seg[i].sel |= 3;
		}
	}
	m.seg[X86_SEG_TR].base = 0x1000;
	m.seg[X86_SEG_GDTR] = (struct x86_segment){ .base = GDT, .limit = sizeof(gdt) - 1 };
	for (i = 0; i < 6 && c->set[i].what != NO; i++)
		apply(&c->set[i]);
	rc = x86_emulate(&m.ctxt, &machine_ops);
	if (rc == X86EMUL_EXCEPTION)
		rc = EXC + m.ctxt.event.vector;
	test_result(rc == c->rc, "system: %s: result %x, want %x", c->name, rc, c->rc);
	for (i = 0; i < 6 && c->check[i].what != NO; i++) {
		uint64_t got = state(c->check[i].what);

		test_result(got == c->check[i].want, "system: %s: item %u is %llx, want %llx",
			    c->name, c->check[i].what, (unsigned long long)got,
			    (unsigned long long)c->check[i].want);
	}
}

/* Delivery of an event into real mode for the VMM. */
static void real_int(void)
{
	machine_init(&m, X86_MODE_REAL, 16);
	fill_memory();
	m.mem = memory;
	m.mem_size = sizeof(memory);
	m.regs.rip = 0x9999;
	m.regs.gpr[X86_RSP] = 0x3000;
	m.regs.rflags = 0x302;
	test_result(x86_emulate_real_int(&m.ctxt, &machine_ops, 0x21, 0x4321) == X86EMUL_OKAY,
		    "system: real_int refused");
	test_result(m.regs.rip == 0x5678 && m.seg[X86_SEG_CS].base == 0x12340 &&
			    m.regs.gpr[X86_RSP] == 0x2ffa && m.regs.rflags == 2,
		    "system: real_int state");
	test_result(!memcmp(memory + 0x2ffa, "\x21\x43\x00\x00\x02\x03", 6),
		    "system: real_int frame");
}

void test_system(void)
{
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		run(&cases[i]);
	real_int();
}
