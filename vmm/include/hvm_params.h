/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parameters of HVM domains: vmm/hvm/params.c. */
#ifndef PLINTH_HVM_PARAMS_H
#define PLINTH_HVM_PARAMS_H

#include "xen_abi.h"
#include "domain.h"
#include <xen/hvm/params.h>

/*
 * Sleep state: S3 stops the guest, S0 starts it again at its reset vector's resume path. No lock: it waits for the
 * vCPUs. Of two callers at once one has the pause that S0 ends. -EINVAL: another state, or the caller's own.
 */
int hvm_param_s_state(struct domain *d, uint64_t value);
/* Writes a parameter, and does what it stands for. d->lock held. 0 or -errno: nothing has changed. */
int hvm_param_write(struct domain *d, uint32_t index, uint64_t value);

/* What is wrong with a value of HVM_PARAM_VIRIDIAN, and what it asks for that is not there; or NULL (viridian.c). */
const char *viridian_unknown(uint64_t mask);
const char *viridian_missing(uint64_t mask);

#endif
