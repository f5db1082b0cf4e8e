/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The processor's half, known to all rooms above by its table alone; vmm/boot/vendor.c chooses it. */
#include "hvm_ops.h"

const struct hvm_ops *hvm_ops;
