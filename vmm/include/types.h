/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Basic types of the hypervisor: wrapped address types that do not mix by accident, and the small
 * macros that every file uses. Depends on nothing but the compiler, so host tests include it too.
 */
#ifndef PLINTH_TYPES_H
#define PLINTH_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int64_t ssize64_t;

/* A guest frame number, machine frame number, guest-physical byte address, machine byte address. */
typedef struct {
	uint64_t v;
} gfn_t;
typedef struct {
	uint64_t v;
} mfn_t;
typedef struct {
	uint64_t v;
} gpa_t;
typedef struct {
	uint64_t v;
} maddr_t;

#define PAGE_SHIFT 12
#define PAGE_SIZE  (1UL << PAGE_SHIFT)
#define PAGE_MASK  (~(PAGE_SIZE - 1))
#define ORDER_4K   0U
#define ORDER_2M   9U
#define ORDER_1G   18U

static inline gfn_t _gfn(uint64_t v)
{
	return (gfn_t){ v };
}
static inline mfn_t _mfn(uint64_t v)
{
	return (mfn_t){ v };
}
static inline gpa_t _gpa(uint64_t v)
{
	return (gpa_t){ v };
}
static inline maddr_t _maddr(uint64_t v)
{
	return (maddr_t){ v };
}
static inline gfn_t gfn_add(gfn_t g, uint64_t n)
{
	return _gfn(g.v + n);
}
static inline mfn_t mfn_add(mfn_t m, uint64_t n)
{
	return _mfn(m.v + n);
}
static inline bool gfn_eq(gfn_t a, gfn_t b)
{
	return a.v == b.v;
}
static inline bool mfn_eq(mfn_t a, mfn_t b)
{
	return a.v == b.v;
}
static inline gfn_t gpa_to_gfn(gpa_t a)
{
	return _gfn(a.v >> PAGE_SHIFT);
}
static inline gpa_t gfn_to_gpa(gfn_t g)
{
	return _gpa(g.v << PAGE_SHIFT);
}
static inline mfn_t maddr_to_mfn(maddr_t a)
{
	return _mfn(a.v >> PAGE_SHIFT);
}
static inline maddr_t mfn_to_maddr(mfn_t m)
{
	return _maddr(m.v << PAGE_SHIFT);
}

#define INVALID_GFN _gfn(~0ULL)
#define INVALID_MFN _mfn(~0ULL)
static inline bool mfn_valid_value(mfn_t m)
{
	return m.v != ~0ULL;
}

#define ARRAY_SIZE(a)		      (sizeof(a) / sizeof((a)[0]))
#define BUILD_BUG_ON(cond)	      _Static_assert(!(cond), #cond)
#define DIV_ROUND_UP(n, d)	      (((n) + (d)-1) / (d))
#define ROUND_UP(x, a)		      (((x) + (a)-1) & ~((typeof(x))(a)-1))
#define ROUND_DOWN(x, a)	      ((x) & ~((typeof(x))(a)-1))
#define IS_ALIGNED(x, a)	      (((x) & ((typeof(x))(a)-1)) == 0)
#define BIT(n)			      (1ULL << (n))
#define likely(x)		      __builtin_expect(!!(x), 1)
#define unlikely(x)		      __builtin_expect(!!(x), 0)
#define container_of(p, type, member) ((type *)((char *)(p)-offsetof(type, member)))
/* A word that others may write, or read, at the same time: one access, of no order (publish.h has order). */
#define READ_ONCE(x)	   __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, val) __atomic_store_n(&(x), (val), __ATOMIC_RELAXED)
#define min(a, b)                   \
	({                          \
		typeof(a) _a = (a); \
		typeof(b) _b = (b); \
		_a < _b ? _a : _b;  \
	})
#define max(a, b)                   \
	({                          \
		typeof(a) _a = (a); \
		typeof(b) _b = (b); \
		_a > _b ? _a : _b;  \
	})
#define __packed       __attribute__((packed))
#define __noreturn     __attribute__((noreturn))
#define __printf(f, a) __attribute__((format(printf, f, a)))
#define __aligned(n)   __attribute__((aligned(n)))
#define __section(s)   __attribute__((section(s)))
#define __used	       __attribute__((used))
#define __noinline     __attribute__((noinline))
#define __maybe_unused __attribute__((unused))
#define barrier()      __asm__ volatile("" ::: "memory")

#define KIB(n)	       ((uint64_t)(n) << 10)
#define MIB(n)	       ((uint64_t)(n) << 20)
#define GIB(n)	       ((uint64_t)(n) << 30)
#define NS_PER_SEC     1000000000ULL
#define NS_PER_MS      1000000ULL
#define NS_PER_US      1000ULL

#endif
