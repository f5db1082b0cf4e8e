/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A disk that fails when it is told to. See fault.c. */
#ifndef TESTS_DM_BLOCK_FAULT_H
#define TESTS_DM_BLOCK_FAULT_H

#include <stdbool.h>

/* kind: 'w'rite, 'r'ead or 's'ync; after so many good ones so many fail. */
void fault_arm(char kind, unsigned long after, unsigned long count);

#endif
