/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calendar arithmetic for the wall clock and the virtual RTC. Gregorian, no time zones. */
#include "timer.h"

uint64_t days_from_civil(unsigned int year, unsigned int month, unsigned int day)
{
	/* years begin in March, so that the leap day is the last */
	unsigned int y = month <= 2 ? year - 1 : year;
	unsigned int m = month <= 2 ? month + 9 : month - 3;

	return 365ULL * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}
