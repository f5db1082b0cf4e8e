// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer's entry to fuzz_one.c.
 */
#include "harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	emulate_one_input(data, size);
	return 0;
}
