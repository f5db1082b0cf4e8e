/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the loader told (vmm/boot/multiboot.c reads it), for everybody. */
#include "boot.h"

struct boot_info boot_info;
struct e820_map host_e820;
