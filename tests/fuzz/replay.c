/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usage: replay-FAMILY [-v] [-n COUNT [-from FIRST]] FILE...
 * Runs each file once, then COUNT pseudo-random inputs that are the same each time, and as many of numbers at the edge
 * (fuzz.c); for `make check`, which has no libFuzzer. The sanitizers and panics end it.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX    4096
#define RANDOM_BYTES 1024
#define EDGES	     0xed /* as in fuzz.c */

extern const char *const family_names[];
extern bool host_verbose;
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static uint64_t state;
static uint8_t input[INPUT_MAX];

static uint8_t random_byte(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint8_t)(state >> 24);
}

static void run_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	size_t n;

	if (!f) {
		perror(path);
		exit(1);
	}
	n = fread(input, 1, sizeof(input), f);
	fclose(f);
	fprintf(stderr, "%s\n", path);
	LLVMFuzzerTestOneInput(input, n);
}

static void run_random(unsigned long k, bool edges)
{
	size_t n;

	state = 88172645463325252ULL + k * 0x9e3779b97f4a7c15ULL;
	for (n = 0; n < 64; n++)
		random_byte();
	for (n = 0; n < RANDOM_BYTES; n++)
		input[n] = random_byte();
	input[n - 1] = edges ? EDGES : 0;
	fprintf(stderr, "random input %lu%s\n", k, edges ? " of edges" : "");
	LLVMFuzzerTestOneInput(input, n);
}

int main(int argc, char **argv)
{
	unsigned long count = 0, first = 0;
	int i = 1;

	LLVMFuzzerInitialize(&argc, &argv);
	for (; i < argc; i++) {
		if (!strcmp(argv[i], "-v"))
			host_verbose = true;
		else if (!strcmp(argv[i], "-n") && i + 1 < argc)
			count = strtoul(argv[++i], NULL, 0);
		else if (!strcmp(argv[i], "-from") && i + 1 < argc)
			first = strtoul(argv[++i], NULL, 0);
		else
			run_file(argv[i]);
	}
	for (unsigned long k = first; k < first + count; k++) {
		run_random(k, false);
		run_random(k, true);
	}
	return 0;
}
