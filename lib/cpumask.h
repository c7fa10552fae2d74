/* SPDX-License-Identifier: MIT */
/*
 * Sets of CPUs: a bitmap of CONFIG_NR_CPUS bits as a structure that can be assigned.
 *
 * CPU numbers are the kernel's own, 0 to CONFIG_NR_CPUS - 1.
 */
#ifndef LIB_CPUMASK_H
#define LIB_CPUMASK_H

#include <lib/bitmap.h>

#ifndef CONFIG_NR_CPUS
#define CONFIG_NR_CPUS		64
#endif

struct cpumask {
	DECLARE_BITMAP(bits, CONFIG_NR_CPUS);
};

#define CPUMASK_NONE	((struct cpumask){ { 0 } })

static __always_inline bool cpumask_test(const struct cpumask *mask, unsigned int cpu)
{
	return bitmap_test_bit(mask->bits, cpu);
}

static __always_inline void cpumask_set(struct cpumask *mask, unsigned int cpu)
{
	bitmap_set_bit(mask->bits, cpu);
}

static __always_inline void cpumask_clear(struct cpumask *mask, unsigned int cpu)
{
	bitmap_clear_bit(mask->bits, cpu);
}

/* Against other CPUs; the test forms return whether the bit was set before. */
static __always_inline void cpumask_set_atomic(struct cpumask *mask, unsigned int cpu)
{
	bitmap_set_atomic(mask->bits, cpu);
}

static __always_inline void cpumask_clear_atomic(struct cpumask *mask, unsigned int cpu)
{
	bitmap_clear_atomic(mask->bits, cpu);
}

static __always_inline bool cpumask_test_and_set_atomic(struct cpumask *mask, unsigned int cpu)
{
	return bitmap_test_and_set_atomic(mask->bits, cpu);
}

static __always_inline bool cpumask_test_and_clear_atomic(struct cpumask *mask, unsigned int cpu)
{
	return bitmap_test_and_clear_atomic(mask->bits, cpu);
}

static inline void cpumask_zero(struct cpumask *mask)
{
	bitmap_zero(mask->bits, CONFIG_NR_CPUS);
}

/* All CPU numbers there can be, present or not. */
static inline void cpumask_fill(struct cpumask *mask)
{
	bitmap_zero(mask->bits, CONFIG_NR_CPUS);
	bitmap_set_range(mask->bits, 0, CONFIG_NR_CPUS);
}

/* The set of @cpu alone. */
static inline struct cpumask cpumask_of(unsigned int cpu)
{
	struct cpumask mask = CPUMASK_NONE;

	cpumask_set(&mask, cpu);
	return mask;
}

static inline void cpumask_and(struct cpumask *dst, const struct cpumask *a,
			       const struct cpumask *b)
{
	bitmap_and(dst->bits, a->bits, b->bits, CONFIG_NR_CPUS);
}

static inline void cpumask_or(struct cpumask *dst, const struct cpumask *a, const struct cpumask *b)
{
	bitmap_or(dst->bits, a->bits, b->bits, CONFIG_NR_CPUS);
}

static inline void cpumask_andnot(struct cpumask *dst, const struct cpumask *a,
				  const struct cpumask *b)
{
	bitmap_andnot(dst->bits, a->bits, b->bits, CONFIG_NR_CPUS);
}

static inline bool cpumask_equal(const struct cpumask *a, const struct cpumask *b)
{
	return bitmap_equal(a->bits, b->bits, CONFIG_NR_CPUS);
}

static inline bool cpumask_intersects(const struct cpumask *a, const struct cpumask *b)
{
	return bitmap_intersects(a->bits, b->bits, CONFIG_NR_CPUS);
}

static inline bool cpumask_empty(const struct cpumask *mask)
{
	return bitmap_empty(mask->bits, CONFIG_NR_CPUS);
}

static inline unsigned int cpumask_weight(const struct cpumask *mask)
{
	return (unsigned int)bitmap_weight(mask->bits, CONFIG_NR_CPUS);
}

/* The first CPU of the set, and the first at or after @from; CONFIG_NR_CPUS when there is none. */
static inline unsigned int cpumask_first(const struct cpumask *mask)
{
	return (unsigned int)bitmap_find_first(mask->bits, CONFIG_NR_CPUS);
}

static inline unsigned int cpumask_next(const struct cpumask *mask, unsigned int from)
{
	return (unsigned int)bitmap_find_next(mask->bits, CONFIG_NR_CPUS, from);
}

#define for_each_cpu(cpu, mask)								\
	for ((cpu) = cpumask_first(mask); (cpu) < CONFIG_NR_CPUS;			\
	     (cpu) = cpumask_next(mask, (cpu) + 1))

#endif /* LIB_CPUMASK_H */
