/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of the ABI's pure parts stand on. */
#ifndef PLINTH_ABI_TEST_H
#define PLINTH_ABI_TEST_H

#include "xen_abi.h"
#include "domain.h"
#include "unit.h"

/* mock.c: a domain with vCPUs, event channels and guest pages at gfns 0.. that the host sees. */
struct domain *mock_domain(domid_t id, unsigned int vcpus, unsigned int max_port);
void mock_domain_free(struct domain *d);
#define MOCK_PAGES 64U
void *mock_page(uint64_t gfn);
/* The page behind a gfn, its references and its owner; mock_own_all: d owns all, with one reference. */
struct page *mock_page_struct(uint64_t gfn);
unsigned int mock_refs(uint64_t gfn);
void mock_set_owner(uint64_t gfn, struct domain *d);
void mock_own_all(struct domain *d);
extern unsigned int mock_wakes;

#endif
