/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A fuzzer's input, from its front: zeros when it has come to its end. */
#ifndef TESTS_DM_FUZZ_BYTES_H
#define TESTS_DM_FUZZ_BYTES_H

#include <stddef.h>
#include <stdint.h>

struct bytes {
	const uint8_t *p;
	size_t left;
};

static inline uint8_t take(struct bytes *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->p++;
}

static inline uint16_t take16(struct bytes *in)
{
	uint8_t low = take(in);

	return (uint16_t)(low | take(in) << 8);
}

static inline uint32_t take32(struct bytes *in)
{
	uint16_t low = take16(in);

	return low | (uint32_t)take16(in) << 16;
}

#endif
