/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine on the host for hypercalls: the real page allocator, physical maps, domains, event channels, grants,
 * devices and scheduler over RAM that is an anonymous mapping. It has one CPU, or a thread for each of several
 * (tests/threads), and a clock that the test sets. What is below (the CPU vendor's part, local APIC, console, power) is in stubs.c and host.c.
 */
#ifndef PLINTH_FUZZ_MACHINE_H
#define PLINTH_FUZZ_MACHINE_H

#include "xen_abi.h"
#include "domain.h"
#include <xen/domctl.h>

#define RAM_PAGES  4096U /* of the machine */
#define DOM0_PAGES 512U	 /* the first ones */
#define HOLE_FIRST 2048U /* dom0 may map foreign frames from here on */
#define GUEST_RAM  64U	 /* frames 0.. of each guest */
#define GUEST_MAX  256U	 /* pages that a guest may have */
#define FAKE_CPUS  4U	 /* at most; nr_cpus says how many there are */

/* Frames of every domain that the fuzzer uses for arguments and lists. */
#define ARG_GFN	    8U
#define SCRATCH_GFN 9U
#define SCRATCH_NR  7U
#define FIRST_HOLE  GUEST_RAM /* of a guest */

/*
 * Guest A is PVH with two vCPUs, B is HVM with one; each has one more where there are several CPUs. The victim is
 * PVH and makes no calls.
 */
enum { DOMID_A = 1, DOMID_B = 2, DOMID_VICTIM = 3 };

#define MACHINE_PC (XEN_X86_EMU_ALL & ~XEN_X86_EMU_VPCI)

/* How the machine's domains are made: XEN_X86_EMU_LAPIC for a PVH guest, MACHINE_PC for an HVM one. */
struct xen_domctl_createdomain machine_config(unsigned int vcpus, uint32_t emulation);

/* Build and take down; the second one panics when something is left. */
void machine_start(void);
void machine_stop(void);
/* Run what is due after a call, `ns` later. */
void machine_pass(uint64_t ns);
/* Call as v, with what its registers hold; `preempt`: bit n = the nth look finds work waiting. */
void machine_hypercall(struct vcpu *v, uint32_t preempt);
/* All of domain_kill(), with the passes of the run loop that it waits for. */
void machine_kill(struct domain *d);
/* Put v into 64- or 32-bit code without paging. */
void machine_mode(struct vcpu *v, bool wide);
/* Make v the current vCPU in 64- or 32-bit code. False: it cannot run. */
bool machine_become(struct vcpu *v, bool wide);

/* check.c: panics when a page, reference, count or map is not as it must be. */
void check_machine(void);
/* Neither the victim's memory nor its references have changed. Only while dom0 has done nothing. */
void check_victim(void);
void check_remember_victim(void);

/*
 * The value is shown when it is not as expected. What follows, the program decides: one with a thread for each CPU
 * cannot go on.
 */
#define EXPECT(value, cond)                                                    \
	do {                                                                   \
		long got = (long)(value);                                      \
		if (!(got cond))                                               \
			unexpected(__FILE__, __LINE__, #value " " #cond, got); \
	} while (0)
void unexpected(const char *file, int line, const char *what, long value);

/* context.c: an input of that family. */
void context_input(const uint8_t *data, size_t size);

/* stubs.c */
extern const struct hvm_ops fake_hvm_ops;
/* Told of each p2m_flush before it is done; NULL: nobody is. */
extern void (*machine_on_flush)(struct domain *d);
extern uint64_t fake_now_ns;
extern struct cpu fake_cpus[FAKE_CPUS];
/* The CPU that the calling thread is. */
extern __thread struct cpu *fake_this_cpu;
#define fake_cpu (*fake_this_cpu)
/* What a guest does between two exits, where somebody has an idea (tests/threads). */
extern void (*fake_guest)(struct vcpu *v);

/* host.c: memory of the small heap comes from the host's, so that its sanitizer sees what it is used for. */
void host_map_ram(void);
uint64_t host_heap_blocks(void);
/* The nth allocation from now fails; 0 = none. */
void host_fail_alloc(unsigned int nth);
/* Called at each allocation; NULL = nothing is. */
void host_on_alloc(void (*fn)(void));
void host_poison(void *p, uint64_t len, bool on);
void host_printf(const char *fmt, ...) __printf(1, 2);
/* Called from wherever somebody waits for another CPU; NULL: there is none to wait for. */
extern void (*host_relax)(void);
/* What is in a file, seen from the top of the source; the bytes, at most max. */
size_t host_file(const char *path, void *to, size_t max);
/* A check's line of result on the standard output. */
void host_result(const char *check, unsigned int good, unsigned int bad);
/* What is said before whatever goes wrong from now on. */
void host_note(const char *fmt, ...) __printf(1, 2);
extern bool host_verbose;
/* What printk and guest_printk have said since the log was cleared, without levels. */
void host_log_clear(void);
bool host_log_has(const char *text);
unsigned int host_log_lines(void);

#endif
