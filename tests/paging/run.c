// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The model by seeds, or by a fuzzer's input.
 *   usage: model [-n STEPS] [-s SEED] [-c SEEDS]
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint32_t model_random(uint32_t n);
void model_seed(uint64_t seed);
void model_input(const uint8_t *data, size_t size);
bool model_run(unsigned int pool_pages, uint64_t steps);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t state;
static const uint8_t *input, *input_end;

/* xorshift64*. */
static uint32_t next(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (uint32_t)(state * 0x2545f4914f6cdd1dULL >> 32);
}

uint32_t model_random(uint32_t n)
{
	/* A byte of the input, while there is one, else what follows from the last ones. */
	if (input < input_end)
		state += *input++ * 0x9e3779b97f4a7c15ULL + 1;
	return n ? next() % n : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	state = 1;
	input = data;
	input_end = data + size;
	model_run(size & 1 ? 64 : 256, 64 + size);
	return 0;
}

#ifndef PLINTH_FUZZER
int main(int argc, char **argv)
{
	uint64_t steps = 4000, first = 1, seeds = 30;

	for (int i = 1; i + 1 < argc; i += 2) {
		uint64_t n = strtoull(argv[i + 1], NULL, 0);

		if (!strcmp(argv[i], "-n"))
			steps = n;
		else if (!strcmp(argv[i], "-s"))
			first = n;
		else if (!strcmp(argv[i], "-c"))
			seeds = n;
	}
	for (uint64_t s = first; s < first + seeds; s++) {
		state = s * 0x9e3779b97f4a7c15ULL + 1;
		fprintf(stderr, "seed %llu\n", (unsigned long long)s);
		model_run(s % 3 ? 256 : 64, steps);
	}
	printf("check-paging: %llu passed, 0 failed\n", (unsigned long long)seeds);
	return 0;
}
#endif
