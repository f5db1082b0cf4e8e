/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Capability registers of real CPUs. */
#ifndef UNIT_VMX_CPUS_H
#define UNIT_VMX_CPUS_H

#include "vmx/controls.h"

/* A Core i7-4770 (Haswell): everything but posted interrupts. */
static const struct vmx_cap_msrs haswell = {
	.basic = 0x00da040000000012,
	.pin = 0x0000007f00000016,
	.proc = 0xfff9fffe04006172,
	.exit = 0x007fffff00036dfb,
	.entry = 0x0000ffff000011fb,
	.proc2 = 0x00007cff00000000,
	.ept_vpid = 0x00000f0106334141,
	.cr0_fixed = { 0x80000021, 0xffffffff },
	.cr4_fixed = { 0x2000, 0x1727ff },
};

/* A Core 2 T9600 (Penryn): no EPT, VPID, switching of EFER and PAT, or TRUE registers. */
static const struct vmx_cap_msrs penryn = {
	.basic = 0x001a08000000000d,
	.pin = 0x0000003f00000016,
	.proc = 0xf7f9fffe0401e172,
	.exit = 0x0003ffff00036dff,
	.entry = 0x00003fff000011ff,
	.proc2 = 0x0000004100000000,
	.cr0_fixed = { 0x80000021, 0xffffffff },
	.cr4_fixed = { 0x2000, 0x67ff },
};

#endif
