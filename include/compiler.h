/* SPDX-License-Identifier: MIT */
/*
 * Compiler attributes and the small macros that every file needs.
 *
 * Nothing here generates code of its own or needs a header other than <stddef.h>. All of it works
 * with clang 19 and GCC 12 or later, for the kernel and for host tests (-DCAELUM_HOST), where a
 * libc header may have been included first.
 */
#ifndef COMPILER_H
#define COMPILER_H

#ifndef __ASSEMBLER__

#include <stddef.h>

/* ---- Attributes ---- */

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)

#define __must_check	__attribute__((__warn_unused_result__))
#define __packed	__attribute__((__packed__))
#define __aligned(n)	__attribute__((__aligned__(n)))
#define __section(s)	__attribute__((__section__(s)))
#define __noreturn	__attribute__((__noreturn__))
#define __cold		__attribute__((__cold__))
#define __weak		__attribute__((__weak__))
#define __used		__attribute__((__used__))
#define __unused	__attribute__((__unused__))
#define __noinline	__attribute__((__noinline__))
#define __pure		__attribute__((__pure__))
#define __printf(a, b)	__attribute__((__format__(__printf__, a, b)))
/* For functions that are memcpy and the like, whose loops must not become calls of themselves. */
#ifdef __clang__
#define __no_idiom	__attribute__((__no_builtin__))
#else
#define __no_idiom	__attribute__((__optimize__("no-tree-loop-distribute-patterns")))
#endif
#undef __always_inline
#define __always_inline	inline __attribute__((__always_inline__))
#define fallthrough	__attribute__((__fallthrough__))

/*
 * A pointer that holds an address of the running program, not of the kernel. Only the user-copy
 * functions may follow it. A syntax-only pass (sparse, or clang with -D__USER_CHECK__) makes mixing
 * the two kinds an error; __force marks the few casts that are meant.
 */
#if defined(__CHECKER__)
#define __user		__attribute__((noderef, address_space(1)))
#define __force		__attribute__((force))
#elif defined(__USER_CHECK__) && defined(__clang__)
#define __user		__attribute__((noderef, address_space(1)))
#define __force
#else
#define __user
#define __force
#endif

/* Code and data that are freed once the kernel has started. */
#ifdef CAELUM_HOST
#define __init
#define __initdata
#else
#define __init		__section(".init.text") __cold
#define __initdata	__section(".init.data")
#endif

/* ---- Memory as the compiler sees it ---- */

/* The compiler moves no memory access across this; the CPU may. */
#define barrier()	__asm__ __volatile__("" ::: "memory")

/* Exactly one access, neither repeated nor merged nor invented; no ordering between CPUs. */
#define READ_ONCE(x)	(*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) do { *(volatile __typeof__(x) *)&(x) = (v); } while (0)

/* ---- Compile-time checks and types ---- */

#undef static_assert
#define static_assert(expr, ...)	__static_assert(expr, ##__VA_ARGS__, #expr)
#define __static_assert(expr, msg, ...)	_Static_assert(expr, msg)

#define __same_type(a, b)	__builtin_types_compatible_p(__typeof__(a), __typeof__(b))

/* 0, or a compile error when @e is true: for checks inside an expression. */
#define BUILD_BUG_ON_ZERO(e)	((int)sizeof(struct { int : (-!!(e)); }))

/* Whether @x is an integer constant expression, as an integer constant expression. */
#define __is_constexpr(x)	\
	(sizeof(int) == sizeof(*(8 ? ((void *)((long)(x) * 0l)) : (int *)8)))

#define __concat2(a, b)		a##b
#define __concat(a, b)		__concat2(a, b)
#define __unique(prefix)	__concat(prefix, __COUNTER__)
#define __stringify2(x)		#x
#define __stringify(x)		__stringify2(x)

/* Number of elements of an array; a pointer is refused. */
#define ARRAY_SIZE(a)	\
	(sizeof(a) / sizeof((a)[0]) + (size_t)BUILD_BUG_ON_ZERO(__same_type((a), &(a)[0])))

/* The structure of type @type whose field @member is at @ptr. */
#define container_of(ptr, type, member) ({						\
	void *__mptr = (void *)(ptr);							\
	static_assert(__same_type(*(ptr), ((type *)0)->member) ||			\
		      __same_type(*(ptr), void), "pointer does not match the member");	\
	(type *)((char *)__mptr - offsetof(type, member)); })

#define sizeof_field(type, member)	sizeof(((type *)0)->member)
#define offsetofend(type, member)	(offsetof(type, member) + sizeof_field(type, member))

/* ---- Arithmetic ---- */

/*
 * min, max, clamp: each argument evaluated once; a signed value is not silently compared with an
 * unsigned one, unless it is a constant that is not negative. Inside functions only; for array
 * sizes and other constants use const_min and const_max.
 */
#define __is_signed_type(t)	(((t)-1) < (t)1)
#define __const_nonneg(x)	\
	__builtin_choose_expr(__is_constexpr(x), !((unsigned long long)(x) >> 63), 0)
#define __comparable(x, y)								\
	(__is_signed_type(__typeof__(x)) == __is_signed_type(__typeof__(y)) ||		\
	 __is_signed_type(__typeof__((x) + 0)) == __is_signed_type(__typeof__((y) + 0)) || \
	 __const_nonneg(x) || __const_nonneg(y))
#define __choose(x, y, op, ux, uy) ({							\
	static_assert(__comparable(x, y), "comparison of signed with unsigned");	\
	__typeof__((x) + (y)) ux = (x);							\
	__typeof__((x) + (y)) uy = (y);							\
	ux op uy ? ux : uy; })

#define min(x, y)	__choose(x, y, <, __unique(__x), __unique(__y))
#define max(x, y)	__choose(x, y, >, __unique(__x), __unique(__y))
#define min_t(t, x, y)	min((t)(x), (t)(y))
#define max_t(t, x, y)	max((t)(x), (t)(y))
#define clamp(v, lo, hi) min(max(v, lo), hi)
#define const_min(x, y)	((x) < (y) ? (x) : (y))
#define const_max(x, y)	((x) > (y) ? (x) : (y))

#define swap(a, b) do {									\
	__typeof__(a) __swap_tmp = (a);							\
	(a) = (b);									\
	(b) = __swap_tmp;								\
} while (0)

/* @a is a power of two; ALIGN_UP wraps to 0 past the top, which the caller excludes. */
#define ALIGN_DOWN(x, a)	((x) & ~((__typeof__(x))(a) - 1))
#define ALIGN_UP(x, a)		ALIGN_DOWN((x) + ((__typeof__(x))(a) - 1), a)
#define IS_ALIGNED(x, a)	(((x) & ((__typeof__(x))(a) - 1)) == 0)
#define PTR_ALIGN_UP(p, a)	((__typeof__(p))ALIGN_UP((unsigned long)(p), (a)))
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define is_power_of_2(n)	((n) != 0 && ((n) & ((n) - 1)) == 0)

/* Whether an integer operation overflowed; the wrapped result is in *@out. */
#define add_overflow(a, b, out)	__builtin_add_overflow(a, b, out)
#define sub_overflow(a, b, out)	__builtin_sub_overflow(a, b, out)
#define mul_overflow(a, b, out)	__builtin_mul_overflow(a, b, out)

#define BIT(n)			(1UL << (n))
#define BIT_ULL(n)		(1ULL << (n))
/* Bits @h down to @l, both included. */
#define GENMASK(h, l)		((~0UL << (l)) & (~0UL >> (63 - (h))))

#endif /* !__ASSEMBLER__ */
#endif /* COMPILER_H */
