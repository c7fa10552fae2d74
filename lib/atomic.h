/* SPDX-License-Identifier: MIT */
/*
 * Atomic counters and reference counts, from the compiler's __atomic builtins.
 *
 * atomic_t holds an int, atomic64_t a s64, atomic_long_t a long; the operations have the same names
 * with the prefixes atomic_, atomic64_, atomic_long_. Wrapping is defined (two's complement).
 *
 * Ordering, a short form of what Linux promises:
 *	- _read, _set and operations that return nothing order nothing;
 *	- operations that return a value are sequentially consistent among each other;
 *	- _acquire, _release and _relaxed forms say what they order;
 *	- for an order between plain accesses on both sides use the smp_ barriers below.
 *
 * refcount_t is a counter that saturates instead of wrapping: a leak stays a leak and never becomes
 * a use after free. It reports misuse through refcount_report().
 */
#ifndef LIB_ATOMIC_H
#define LIB_ATOMIC_H

#include <compiler.h>
#include <types.h>

typedef struct {
	int v;
} atomic_t;
typedef struct {
	s64 v;
} atomic64_t;
typedef struct {
	long v;
} atomic_long_t;

#define ATOMIC_INIT(i)		{ (i) }

/* ---- Barriers between CPUs, for ordinary memory; <hal/io.h> has the CPU's own ---- */

#ifndef smp_mb
#define smp_mb()	__atomic_thread_fence(__ATOMIC_SEQ_CST)	/* all before all */
#define smp_rmb()	__atomic_thread_fence(__ATOMIC_ACQUIRE)	/* loads before loads */
#define smp_wmb()	__atomic_thread_fence(__ATOMIC_RELEASE)	/* stores before stores */
#endif

/* Nothing after the load moves before it; nothing before the store moves after it. */
#define smp_load_acquire(p)	__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)

/* ---- Bits of one byte, set and cleared atomically, as release stores ---- */

/* By way of the aligned word the byte lies in: not every compiler has byte forms. Its other bytes keep what they hold. */
static inline u8 atomic_set_bits8(u8 *p, u8 bits)
{
	u32 *word = (u32 *)((unsigned long)p & ~3UL);
	unsigned int shift = 8 * ((unsigned long)p & 3);

	return (u8)(__atomic_fetch_or(word, (u32)bits << shift, __ATOMIC_ACQ_REL) >> shift);
}

static inline u8 atomic_clear_bits8(u8 *p, u8 bits)
{
	u32 *word = (u32 *)((unsigned long)p & ~3UL);
	unsigned int shift = 8 * ((unsigned long)p & 3);

	return (u8)(__atomic_fetch_and(word, ~((u32)bits << shift), __ATOMIC_ACQ_REL) >> shift);
}

/* ---- The same on plain variables of 1, 2, 4 or 8 bytes, pointers included ---- */

/* Store @v in *@p and return what was there. */
#define xchg(p, v)		__atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
#define xchg_relaxed(p, v)	__atomic_exchange_n(p, v, __ATOMIC_RELAXED)
/* Store @new if *@p is @old; return what was there: it is @old exactly when the store was made. */
#define __cmpxchg(p, old, new, good, bad) ({						\
	__typeof__(*(p)) __expected = (old);						\
	__atomic_compare_exchange_n(p, &__expected, new, false, good, bad);		\
	__expected; })
#define cmpxchg(p, old, new)		\
	__cmpxchg(p, old, new, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
#define cmpxchg_acquire(p, old, new)	\
	__cmpxchg(p, old, new, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)
#define cmpxchg_release(p, old, new)	\
	__cmpxchg(p, old, new, __ATOMIC_RELEASE, __ATOMIC_RELAXED)
#define cmpxchg_relaxed(p, old, new)	\
	__cmpxchg(p, old, new, __ATOMIC_RELAXED, __ATOMIC_RELAXED)
/* Store @new if *@p is *@old and return true; else put what is there in *@old, return false. */
#define try_cmpxchg(p, old, new)	\
	__atomic_compare_exchange_n(p, old, new, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
#define try_cmpxchg_acquire(p, old, new) \
	__atomic_compare_exchange_n(p, old, new, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)
#define try_cmpxchg_release(p, old, new) \
	__atomic_compare_exchange_n(p, old, new, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED)

/* ---- Counters ---- */

#define __ATOMIC_OP(prefix, name, op, T)						\
static __always_inline void prefix##_##name(T i, prefix##_t *a)				\
{											\
	__atomic_fetch_##op(&a->v, i, __ATOMIC_RELAXED);				\
}											\
static __always_inline T prefix##_fetch_##name(T i, prefix##_t *a)			\
{											\
	return __atomic_fetch_##op(&a->v, i, __ATOMIC_SEQ_CST);				\
}											\
static __always_inline T prefix##_##name##_return(T i, prefix##_t *a)			\
{											\
	return __atomic_##op##_fetch(&a->v, i, __ATOMIC_SEQ_CST);			\
}											\
static __always_inline T prefix##_fetch_##name##_relaxed(T i, prefix##_t *a)		\
{											\
	return __atomic_fetch_##op(&a->v, i, __ATOMIC_RELAXED);				\
}											\
static __always_inline T prefix##_fetch_##name##_acquire(T i, prefix##_t *a)		\
{											\
	return __atomic_fetch_##op(&a->v, i, __ATOMIC_ACQUIRE);				\
}											\
static __always_inline T prefix##_fetch_##name##_release(T i, prefix##_t *a)		\
{											\
	return __atomic_fetch_##op(&a->v, i, __ATOMIC_RELEASE);				\
}

#define __ATOMIC_TYPE(prefix, type_t, T)						\
static __always_inline T prefix##_read(const type_t *a)					\
{											\
	return __atomic_load_n(&a->v, __ATOMIC_RELAXED);				\
}											\
static __always_inline T prefix##_read_acquire(const type_t *a)				\
{											\
	return __atomic_load_n(&a->v, __ATOMIC_ACQUIRE);				\
}											\
static __always_inline void prefix##_set(type_t *a, T i)				\
{											\
	__atomic_store_n(&a->v, i, __ATOMIC_RELAXED);					\
}											\
static __always_inline void prefix##_set_release(type_t *a, T i)			\
{											\
	__atomic_store_n(&a->v, i, __ATOMIC_RELEASE);					\
}											\
__ATOMIC_OP(prefix, add, add, T)							\
__ATOMIC_OP(prefix, sub, sub, T)							\
__ATOMIC_OP(prefix, or, or, T)								\
__ATOMIC_OP(prefix, and, and, T)							\
__ATOMIC_OP(prefix, xor, xor, T)							\
static __always_inline void prefix##_inc(type_t *a)					\
{											\
	prefix##_add(1, a);								\
}											\
static __always_inline void prefix##_dec(type_t *a)					\
{											\
	prefix##_sub(1, a);								\
}											\
static __always_inline T prefix##_inc_return(type_t *a)					\
{											\
	return prefix##_add_return(1, a);						\
}											\
static __always_inline T prefix##_dec_return(type_t *a)					\
{											\
	return prefix##_sub_return(1, a);						\
}											\
static __always_inline bool prefix##_inc_and_test(type_t *a)				\
{											\
	return prefix##_inc_return(a) == 0;						\
}											\
static __always_inline bool prefix##_dec_and_test(type_t *a)				\
{											\
	return prefix##_dec_return(a) == 0;						\
}											\
static __always_inline bool prefix##_sub_and_test(T i, type_t *a)			\
{											\
	return prefix##_sub_return(i, a) == 0;						\
}											\
static __always_inline T prefix##_xchg(type_t *a, T i)					\
{											\
	return xchg(&a->v, i);								\
}											\
static __always_inline T prefix##_cmpxchg(type_t *a, T old, T new)			\
{											\
	return cmpxchg(&a->v, old, new);						\
}											\
static __always_inline bool prefix##_try_cmpxchg(type_t *a, T *old, T new)		\
{											\
	return try_cmpxchg(&a->v, old, new);						\
}											\
/* Add @i unless the value is @u; return whether it was added. */			\
static __always_inline bool prefix##_add_unless(type_t *a, T i, T u)			\
{											\
	T old = prefix##_read(a);							\
											\
	do {										\
		if (old == u)								\
			return false;							\
	} while (!prefix##_try_cmpxchg(a, &old, (T)((unsigned long)old + (unsigned long)i))); \
	return true;									\
}											\
static __always_inline bool prefix##_inc_not_zero(type_t *a)				\
{											\
	return prefix##_add_unless(a, 1, 0);						\
}

__ATOMIC_TYPE(atomic, atomic_t, int)
__ATOMIC_TYPE(atomic64, atomic64_t, s64)
__ATOMIC_TYPE(atomic_long, atomic_long_t, long)

/* ---- Reference counts ---- */

typedef struct {
	atomic_t refs;
} refcount_t;

#define REFCOUNT_INIT(n)	{ ATOMIC_INIT(n) }
#define REFCOUNT_SATURATED	(-0x40000000)	/* far from 0 and from INT_MIN on both sides */

/*
 * Called with what went wrong when a reference count is misused, after it was saturated. lib/ has a
 * weak one that does nothing; the kernel's warns with a backtrace. Context: any.
 */
void refcount_report(refcount_t *r, const char *what);

/* Saturate @r and report; the slow end of the functions below. */
__cold void refcount_saturate(refcount_t *r, const char *what);

static __always_inline void refcount_set(refcount_t *r, int n)
{
	atomic_set(&r->refs, n);
}

static __always_inline int refcount_read(const refcount_t *r)
{
	return atomic_read(&r->refs);
}

/* Take @n more references; the caller holds one. */
static __always_inline void refcount_add(int n, refcount_t *r)
{
	int old = atomic_fetch_add_relaxed(n, &r->refs);

	if (unlikely(old <= 0))
		refcount_saturate(r, old ? "overflow" : "increment of zero: use after free");
	else if (unlikely(old > INT_MAX - n))
		refcount_saturate(r, "overflow");
}

static __always_inline void refcount_inc(refcount_t *r)
{
	refcount_add(1, r);
}

/* Take a reference unless the last one is gone; return whether it was taken. For lookups. */
static __always_inline bool __must_check refcount_inc_not_zero(refcount_t *r)
{
	int old = refcount_read(r);

	do {
		if (old == 0)
			return false;
		if (unlikely(old < 0 || old == INT_MAX)) {
			refcount_saturate(r, "overflow");
			return true;
		}
	} while (!try_cmpxchg_acquire(&r->refs.v, &old, old + 1));
	return true;
}

/* Drop a reference; true for the one caller that dropped the last, who then owns the object. */
static __always_inline bool __must_check refcount_dec_and_test(refcount_t *r)
{
	int old = atomic_fetch_sub_release(1, &r->refs);

	if (old == 1) {
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		return true;
	}
	if (unlikely(old <= 0))
		refcount_saturate(r, "decrement of zero: too many puts");
	return false;
}

#endif /* LIB_ATOMIC_H */
