/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which family a fuzzer is for stands in the name it is called by: fuzz-FAMILY or replay-FAMILY. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NR_FAMILIES 15

extern const char *const family_names[NR_FAMILIES];
void fuzz_choose(int family);
int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *name = strrchr((*argv)[0], '-');

	(void)argc;
	for (int i = 0; i < NR_FAMILIES; i++)
		if (name && !strcmp(name + 1, family_names[i])) {
			fuzz_choose(i);
			return 0;
		}
	fprintf(stderr, "%s: no such family\n", (*argv)[0]);
	exit(1);
}
