/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of back ends are not confined; test_keeper.c is. */
#include "core/confine.h"

bool confine_wanted(const struct options *o)
{
	(void)o;
	return false;
}

void confine_begin(const struct options *o)
{
	(void)o;
}

void confine_network(const struct options *o)
{
	(void)o;
}

void confine(const struct options *o)
{
	(void)o;
}

void confine_finish(const struct options *o)
{
	(void)o;
}

void confine_keeper_power(void)
{
}

void confine_keeper(void)
{
}
