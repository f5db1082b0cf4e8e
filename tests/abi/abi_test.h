/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A small harness for tests that see the hypervisor's headers; main.c is its other half. */
#ifndef PLINTH_ABI_TEST_H
#define PLINTH_ABI_TEST_H

#include "xen_abi.h"
#include "domain.h"

struct abi_test {
	const char *name;
	void (*fn)(void);
	struct abi_test *next;
};
void abi_register(struct abi_test *t);
void abi_fail(const char *file, int line, const char *what);
uint64_t abi_random(void);

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

#define TEST(ident)                                                        \
	static void test_##ident(void);                                    \
	static void __attribute__((constructor)) register_##ident(void)    \
	{                                                                  \
		static struct abi_test t = { #ident, test_##ident, NULL }; \
		abi_register(&t);                                          \
	}                                                                  \
	static void test_##ident(void)

#define EXPECT(cond)                                         \
	do {                                                 \
		if (!(cond))                                 \
			abi_fail(__FILE__, __LINE__, #cond); \
	} while (0)

#endif
