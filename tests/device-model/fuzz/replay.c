// SPDX-License-Identifier: GPL-2.0-or-later
/* In libFuzzer's place: run each file that the arguments name once. For `make check`. */
#include <stdint.h>
#include <stdio.h>

#define MAX_INPUT 65536

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run(const char *path)
{
	static uint8_t data[MAX_INPUT];
	FILE *f = fopen(path, "rb");
	size_t size;

	if (!f) {
		perror(path);
		return 1;
	}
	size = fread(data, 1, sizeof(data), f);
	fclose(f);
	return LLVMFuzzerTestOneInput(data, size);
}

int main(int argc, char **argv)
{
	int i, failed = LLVMFuzzerInitialize(&argc, &argv);

	for (i = 1; i < argc && !failed; i++)
		failed = run(argv[i]);
	fprintf(stderr, "%d inputs%s\n", i - 1, failed ? ", the last one failed" : "");
	return failed;
}
