/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the program that marks a moment (mark.S) has its first instruction: nothing else is there in dom0. */
#define MARK_ADDRESS 0x7e0000001000
