/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands of QEMU's qtest protocol, as its documentation (docs/devel/testing/qtest) lists them. See
 * qtest.c for what is behind them. Each line is one command; each gets one line back, beginning with OK,
 * ERR or FAIL, and lines about interrupts may come at any time.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/ahead.h"
#include "core/bus.h"
#include "core/dma.h"
#include "core/machine.h"
#include "core/qtest_priv.h"
#include "core/timer.h"
#include "core/util.h"
#include "core/vmm.h"

static struct qtest *qtest(struct machine *m)
{
	return m->vmm_priv;
}

/* RAM that the CPU does not see, or cannot write, by the host bridge's PAM registers. */
static bool pam_forbids(struct machine *m, uint64_t addr, bool write)
{
	const struct qtest *q = qtest(m);
	uint64_t page = addr / DM_PAGE_SIZE - QTEST_PAM_GFN;

	return page < QTEST_PAM_PAGES && (write ? q->read_only : q->hidden) >> page & 1;
}

static void mem_piece(struct machine *m, uint64_t addr, uint8_t *buf, size_t len, bool write)
{
	if (mmio_claimed(m, addr)) {
		if (write)
			mmio_write_block(m, addr, buf, 1, len);
		else
			mmio_read_block(m, addr, buf, 1, len);
	} else if (pam_forbids(m, addr, write)) {
		if (!write)
			memset(buf, 0xff, len);
	} else if (write) {
		dma_write(m, addr, buf, len);
	} else {
		dma_read(m, addr, buf, len);
	}
}

static void mem_access(struct machine *m, uint64_t addr, void *buf, size_t len, bool write)
{
	const uint64_t first = QTEST_PAM_GFN * DM_PAGE_SIZE;
	const uint64_t last = first + QTEST_PAM_PAGES * DM_PAGE_SIZE;
	uint8_t *p = buf;

	/* Page by page where pages differ. */
	while (len) {
		size_t n = len;

		if (addr < first && addr + len > first)
			n = (size_t)(first - addr);
		else if (addr >= first && addr < last)
			n = MIN(len, DM_PAGE_SIZE - addr % DM_PAGE_SIZE);
		mem_piece(m, addr, p, n, write);
		addr += n;
		p += n;
		len -= n;
	}
}

static uint64_t mem_read(struct machine *m, uint64_t addr, unsigned int size)
{
	uint64_t v = 0;

	ahead_settle(m);
	if (mmio_claimed(m, addr))
		return mmio_read(m, addr, size);
	mem_access(m, addr, &v, size, false);
	return v;
}

static void mem_write(struct machine *m, uint64_t addr, uint64_t v, unsigned int size)
{
	ahead_settle(m);
	if (mmio_claimed(m, addr))
		mmio_write(m, addr, v, size);
	else
		mem_access(m, addr, &v, size, true);
}

/* The VMM's own devices come first. */
static uint64_t port_read(struct machine *m, uint16_t port, unsigned int size)
{
	uint64_t ahead;
	uint32_t v = 0;

	if (qtest_vmm_port && qtest_vmm_port(port, size, false, &v))
		return v;
	if (ahead_take(m, port, size, &ahead))
		return ahead;
	ahead_settle(m);
	return pio_read(m, port, size);
}

static void port_write(struct machine *m, uint16_t port, uint64_t value, unsigned int size)
{
	uint32_t v = (uint32_t)value;

	ahead_settle(m);
	if (!qtest_vmm_port || !qtest_vmm_port(port, size, true, &v))
		pio_write(m, port, value, size);
}

static unsigned int size_of_suffix(char c)
{
	return c == 'b' ? 1 : c == 'w' ? 2 : c == 'l' ? 4 : c == 'q' ? 8 : 0;
}

static uint64_t number(char *word)
{
	return word ? strtoull(word, NULL, 0) : 0;
}

static void cmd_read(struct machine *m, uint64_t addr, size_t len)
{
	struct qtest *q = qtest(m);
	uint8_t *buf = xzalloc(len);
	char *hex = xzalloc(len * 2 + 1);
	size_t i;

	mem_access(m, addr, buf, len, false);
	for (i = 0; i < len; i++)
		snprintf(hex + i * 2, 3, "%02x", buf[i]);
	qtest_reply(q, "OK 0x%s\n", hex);
	free(hex);
	free(buf);
}

static void cmd_write(struct machine *m, uint64_t addr, size_t len, const char *hex)
{
	uint8_t *buf = xzalloc(len);
	size_t i;

	if (hex && !strncmp(hex, "0x", 2))
		hex += 2;
	for (i = 0; hex && i < len && hex[i * 2] && hex[i * 2 + 1]; i++) {
		char byte[3] = { hex[i * 2], hex[i * 2 + 1], 0 };

		buf[i] = (uint8_t)strtoul(byte, NULL, 16);
	}
	mem_access(m, addr, buf, len, true);
	qtest_reply(qtest(m), "OK\n");
	free(buf);
}

static void cmd_memset(struct machine *m, uint64_t addr, size_t len, uint8_t value)
{
	uint8_t *buf = xzalloc(len);

	memset(buf, value, len);
	mem_access(m, addr, buf, len, true);
	qtest_reply(qtest(m), "OK\n");
	free(buf);
}

/* in[bwl], out[bwl], read[bwlq], write[bwlq]. False: another command. */
static bool cmd_access(struct machine *m, char **w)
{
	struct qtest *q = qtest(m);
	size_t n = strlen(w[0]);
	unsigned int size = size_of_suffix(w[0][n - 1]);
	uint64_t addr = number(w[1]), v = number(w[2]);

	if (!size)
		return false;
	if (n == 3 && !strncmp(w[0], "in", 2)) {
		qtest_reply(q, "OK 0x%04" PRIx64 "\n", port_read(m, addr & 0xffff, size));
	} else if (n == 4 && !strncmp(w[0], "out", 3)) {
		port_write(m, addr & 0xffff, v, size);
		qtest_reply(q, "OK\n");
	} else if (n == 5 && !strncmp(w[0], "read", 4)) {
		qtest_reply(q, "OK 0x%016" PRIx64 "\n", mem_read(m, addr, size));
	} else if (n == 6 && !strncmp(w[0], "write", 5)) {
		mem_write(m, addr, v, size);
		qtest_reply(q, "OK\n");
	} else {
		return false;
	}
	return true;
}

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void cmd_b64read(struct machine *m, uint64_t addr, size_t len)
{
	uint8_t *buf = xzalloc(len + 2);
	char *text = xzalloc(len / 3 * 4 + 5), *out = text;
	size_t i;

	mem_access(m, addr, buf, len, false);
	for (i = 0; i < len; i += 3) {
		uint32_t v = (uint32_t)buf[i] << 16 | (uint32_t)buf[i + 1] << 8 | buf[i + 2];

		*out++ = base64[v >> 18];
		*out++ = base64[v >> 12 & 63];
		*out++ = i + 1 < len ? base64[v >> 6 & 63] : '=';
		*out++ = i + 2 < len ? base64[v & 63] : '=';
	}
	qtest_reply(qtest(m), "OK %s\n", text);
	free(text);
	free(buf);
}

/* Bytes that the text has; what is not base64 is skipped, as is the padding. */
static size_t base64_decode(const char *text, uint8_t *out, size_t space)
{
	uint32_t bits = 0;
	unsigned int have = 0;
	size_t n = 0;

	for (; *text && n < space; text++) {
		const char *at = strchr(base64, *text);

		if (!at)
			continue;
		bits = bits << 6 | (uint32_t)(at - base64);
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		out[n++] = (uint8_t)(bits >> have);
	}
	return n;
}

static void cmd_b64write(struct machine *m, uint64_t addr, size_t len, const char *text)
{
	uint8_t *buf = xzalloc(len + 1);
	size_t n = base64_decode(text ? text : "", buf, len);

	if (n == len) {
		mem_access(m, addr, buf, len, true);
		qtest_reply(qtest(m), "OK\n");
	} else {
		qtest_reply(qtest(m), "ERR the text has %zu bytes, not %zu\n", n, len);
	}
	free(buf);
}

/* Only interrupt controllers' inputs are wires here; a device's own outputs are the same ones. */
static void cmd_irq_intercept(struct qtest *q)
{
	q->irq_intercept = true;
	qtest_reply(q, "OK\n");
}

/* set_irq_in PATH NAME LINE LEVEL: a line of the ISA bus, whichever object is named. */
static void cmd_set_irq_in(struct machine *m, char **w)
{
	uint64_t line = number(w[3]);

	if (!w[4] || line > 15) {
		qtest_reply(qtest(m), "FAIL set_irq_in: lines are 0 to 15\n");
		return;
	}
	m->vmm->set_isa_irq(m, (unsigned int)line, number(w[4]) != 0);
	qtest_reply(qtest(m), "OK\n");
}

static void cmd_clock(struct machine *m, char **w)
{
	int64_t step = w[1] ? (int64_t)number(w[1]) : -1;

	/* Time that is set does not go back. */
	if (!strcmp(w[0], "clock_set"))
		step = MAX((int64_t)(number(w[1]) - clock_ns()), 0);
	qtest_reply(qtest(m), "OK %" PRIu64 "\n", clock_virtual_step(step));
}

static bool cmd_memory(struct machine *m, char **w)
{
	size_t len = MIN(number(w[2]), QTEST_MAX_LINE);

	if (!strcmp(w[0], "read"))
		cmd_read(m, number(w[1]), len);
	else if (!strcmp(w[0], "write"))
		cmd_write(m, number(w[1]), len, w[3]);
	else if (!strcmp(w[0], "b64read"))
		cmd_b64read(m, number(w[1]), len);
	else if (!strcmp(w[0], "b64write"))
		cmd_b64write(m, number(w[1]), len, w[3]);
	else if (!strcmp(w[0], "memset"))
		cmd_memset(m, number(w[1]), MIN(number(w[2]), 1u << 30), (uint8_t)number(w[3]));
	else
		return false;
	return true;
}

void qtest_command(struct machine *m, char *line)
{
	struct qtest *q = qtest(m);
	char *w[5] = { NULL }, *save = NULL;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(w); i++) {
		w[i] = strtok_r(i ? NULL : line, " \r", &save);
		if (!w[i])
			break;
	}
	if (!w[0] || cmd_access(m, w) || cmd_memory(m, w))
		return;
	if (!strcmp(w[0], "clock_step") || !strcmp(w[0], "clock_set"))
		cmd_clock(m, w);
	else if (!strcmp(w[0], "endianness"))
		qtest_reply(q, "OK little\n");
	else if (!strcmp(w[0], "irq_intercept_in") || !strcmp(w[0], "irq_intercept_out"))
		cmd_irq_intercept(q);
	else if (!strcmp(w[0], "set_irq_in"))
		cmd_set_irq_in(m, w);
	else
		qtest_reply(q, "FAIL Unknown command '%s'\n", w[0]);
}
