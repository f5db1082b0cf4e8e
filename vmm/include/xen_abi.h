/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The public Xen headers as a hypervisor needs them: the tools' parts (domctl, sysctl) visible, the
 * newest interface version, our integer types first. Include it before any <xen/...> header.
 */
#ifndef PLINTH_XEN_ABI_H
#define PLINTH_XEN_ABI_H

#ifndef __XEN_TOOLS__
#define __XEN_TOOLS__ 1
#endif

#include "types.h"
#include <xen/xen.h>

/* A handle of the public headers from a linear address. */
#define guest_handle_set(h, la) ((h).p = (void *)(uint64_t)(la))

#endif
