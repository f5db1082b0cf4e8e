/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The qtest protocol: between the memory array (qtest.c) and the commands (qtest_command.c). */
#ifndef DM_CORE_QTEST_PRIV_H
#define DM_CORE_QTEST_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/log.h"

#define QTEST_MAX_REGIONS 8
#define QTEST_MAX_LINE	  (8u << 20)
#define QTEST_PAM_GFN	  0xc0u /* 64 pages whose access the host bridge decides */
#define QTEST_PAM_PAGES	  64u

struct machine;

struct qtest_region {
	uint64_t gfn, nr_pages, file_page;
};

struct qtest {
	int mem_fd;
	uint64_t mem_pages;
	struct qtest_region regions[QTEST_MAX_REGIONS];
	unsigned int nr_regions;
	uint64_t hidden, read_only; /* PAM: a bit for each page */
	int in_fd, out_fd;
	bool irq_intercept;
	uint32_t irq_levels;
	char *line;
	size_t len;
};

void qtest_reply(struct qtest *q, const char *fmt, ...) DM_PRINTF(2, 3);
void qtest_command(struct machine *m, char *line);

/*
 * What the VMM emulates itself, which sees a port access first. Only test programs link it (the VMM's RTC,
 * tests/qtest_rtc.c). False: pass the access on.
 */
void qtest_vmm_start(struct machine *m) __attribute__((weak));
bool qtest_vmm_port(uint16_t port, unsigned int size, bool write, uint32_t *value)
	__attribute__((weak));

#endif
