/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which fault a model is to have, chosen when the verifier starts, so that each model is compiled once. */
#ifndef PLINTH_MODEL_MUTATION_H
#define PLINTH_MODEL_MUTATION_H

#include <stdlib.h>

static int mutation, shared;

static int model_option(const char *name)
{
	const char *s = getenv(name);

	return s ? atoi(s) : 0;
}

static void __attribute__((constructor)) model_options(void)
{
	mutation = model_option("MUTATION");
	shared = model_option("SHARED");
}

#endif
