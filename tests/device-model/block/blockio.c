/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The block layer as a program, for the tests: blockio FORMAT FILE [option...], then commands on
 * stdin, replies on stdout.
 *   r OFFSET LEN          "ok LEN" and the bytes
 *   w OFFSET LEN + bytes  "ok"
 *   d OFFSET LEN          discard
 *   f                     flush
 *   s                     "ok SIZE"
 *   fail KIND SKIP TIMES  the host's disk fails: w, r or s(ync); answers "ok"
 *   retry                 the stopped requests again; "ok" when none is left
 * A failure answers "error ERRNO", a stopped request "stopped". End of input closes the image.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <signal.h>
#include <string.h>

#include "block/block.h"
#include "core/loop.h"
#include "core/util.h"
#include "device-model/block/fault.h"

#define MAX_LEN (16u << 20)

static struct block_host *host;
static bool finished, stopped;
static int result;

static void request_done(struct block_req *req, int err)
{
	finished = true;
	result = err;
}

static void request_stopped(void *opaque, const struct block_failure *f)
{
	stopped |= f->stop;
}

static void wait_and_answer(size_t len)
{
	while (!finished && !stopped)
		loop_wait_calls();
	if (stopped)
		printf("stopped\n");
	else if (result)
		printf("error %d\n", -result);
	else if (len)
		printf("ok %zu\n", len);
	else
		printf("ok\n");
}

static void run(struct block *b, enum block_op op, uint64_t offset, size_t len, uint8_t *buf)
{
	static struct block_req req;

	finished = stopped = false;
	req = (struct block_req){
		.b = b,
		.op = op,
		.offset = offset,
		.len = len,
		.buf = buf,
		.done = request_done,
	};
	block_submit(&req);
	wait_and_answer(op == BLOCK_READ ? len : 0);
	if (op == BLOCK_READ && !result && !stopped)
		fwrite(buf, 1, len, stdout);
}

static void retry(void)
{
	stopped = false;
	block_retry(host);
	wait_and_answer(0);
}

static void fail(const char *line)
{
	unsigned long skip = 0, times = 0;
	char kind = 0;

	if (sscanf(line, "fail %c %lu %lu", &kind, &skip, &times) != 3)
		exit(1);
	fault_arm(kind, skip, times);
	printf("ok\n");
}

static bool command(struct block *b, uint8_t *buf)
{
	unsigned long long offset = 0, len = 0;
	char line[100], word[16] = "";

	if (!fgets(line, sizeof(line), stdin))
		return false;
	if (sscanf(line, "%15s %llu %llu", word, &offset, &len) < 1 ||
	    (len > MAX_LEN && *word != 'd')) {
		fprintf(stderr, "bad command %s", line);
		exit(1);
	}
	if (!strcmp(word, "r"))
		run(b, BLOCK_READ, offset, len, buf);
	else if (!strcmp(word, "w") && fread(buf, 1, len, stdin) == len)
		run(b, BLOCK_WRITE, offset, len, buf);
	else if (!strcmp(word, "d"))
		run(b, BLOCK_DISCARD, offset, len, NULL);
	else if (!strcmp(word, "f"))
		run(b, BLOCK_FLUSH, 0, 0, NULL);
	else if (!strcmp(word, "s"))
		printf("ok %llu\n", (unsigned long long)block_size(b));
	else if (!strcmp(word, "retry"))
		retry();
	else if (!strcmp(word, "fail"))
		fail(line);
	fflush(stdout);
	return true;
}

int main(int argc, char **argv)
{
	struct block_params p = { .fd = -1 };
	static uint8_t buf[MAX_LEN];
	struct block *b;
	int i;

	if (argc < 3)
		return 2;
	p.format = strcmp(argv[1], "unsaid") ? argv[1] : NULL;
	p.file = argv[2];
	for (i = 3; i < argc; i++) {
		p.read_only |= !strcmp(argv[i], "ro");
		p.discard |= !strcmp(argv[i], "discard");
		p.write_through |= !strcmp(argv[i], "writethrough");
		if (!strcmp(argv[i], "stop"))
			p.on_write_error = BLOCK_ERROR_STOP;
	}
	signal(SIGXFSZ, SIG_IGN);
	loop_init();
	host = block_host_new();
	block_on_failure(host, request_stopped, NULL);
	b = block_open(host, &p);
	if (!b)
		return 1;
	printf("ready\n");
	fflush(stdout);
	while (command(b, buf))
		;
	block_close(b);
	return 0;
}
