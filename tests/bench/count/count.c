// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A plugin of QEMU's (docs/devel/tcg-plugins in its source; interface version 1): counts the instructions that are executed in
 * a range of virtual addresses, where a hypervisor's code is, and all. Each time the instruction at MARK_ADDRESS
 * is executed, by bench/mark.S in dom0, a line with both counts goes to a file. For machines with one CPU.
 *
 * -plugin count.so,from=ADDRESS,to=ADDRESS,out=FILE
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "mark.h"

#define EXPORT __attribute__((visibility("default")))

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info;
enum { OP_ADD_U64 };
enum { CB_NO_REGS };

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id,
					   void (*cb)(uint64_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int op, void *to,
					      uint64_t n);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    void (*cb)(unsigned int, void *), int flags,
					    void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t n);
int qemu_plugin_install(uint64_t id, const struct qemu_info *info, int argc, char **argv);

EXPORT int qemu_plugin_version = 1;

static uint64_t from, to, inside, all;
static FILE *out;

static void marked(unsigned int cpu, void *data)
{
	(void)cpu;
	(void)data;
	fprintf(out, "%" PRIu64 " %" PRIu64 "\n", inside, all);
	fflush(out);
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	uint64_t at = qemu_plugin_tb_vaddr(tb);
	size_t n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	qemu_plugin_register_vcpu_tb_exec_inline(tb, OP_ADD_U64, &all, n);
	if (at >= from && at < to)
		qemu_plugin_register_vcpu_tb_exec_inline(tb, OP_ADD_U64, &inside, n);
	if (at == MARK_ADDRESS)
		qemu_plugin_register_vcpu_insn_exec_cb(qemu_plugin_tb_get_insn(tb, 0), marked,
						       CB_NO_REGS, NULL);
}

/* The value of an argument NAME=VALUE, or NULL. */
static const char *value(const char *name, int argc, char **argv)
{
	size_t n = strlen(name);

	for (int i = 0; i < argc; i++)
		if (!strncmp(argv[i], name, n) && argv[i][n] == '=')
			return argv[i] + n + 1;
	return NULL;
}

EXPORT int qemu_plugin_install(uint64_t id, const struct qemu_info *info, int argc, char **argv)
{
	const char *first = value("from", argc, argv), *last = value("to", argc, argv),
		   *path = value("out", argc, argv);

	(void)info;
	if (!first || !last || !path)
		return -1;
	from = strtoull(first, NULL, 0);
	to = strtoull(last, NULL, 0);
	out = fopen(path, "w");
	if (!out)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
