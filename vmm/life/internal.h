/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of vmm/life. */
#ifndef PLINTH_LIFE_INTERNAL_H
#define PLINTH_LIFE_INTERNAL_H

#include "vmm/domain/domain.h"

/* Undo what domain_create built, in reverse order, and give the id back; nobody looks at d any more, or did yet. */
void domain_free(struct domain *d);
void vcpu_free(struct vcpu *v);
/* The last reference is gone: a timer does the rest, because it may go with locks held (any below LOCK_TIMER). */
void domain_unused(struct domain *d);

#endif
