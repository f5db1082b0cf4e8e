/* SPDX-License-Identifier: GPL-2.0-or-later */
int cases_main(void);

int main(void)
{
	return cases_main();
}
