/* SPDX-License-Identifier: MIT */
/*
 * The ASID allocator of <hal/asid.h>.
 *
 * Each CPU has two words: `active`, the identifier it runs under, and `reserved`, the one it ran under
 * when the current generation began. A CPU activates an address space without the lock by replacing
 * its own `active`; a roll-over sets every `active` to 0, so the two cannot miss each other:
 *
 *	CPU that activates			CPU that rolls over (lock held)
 *	old = active; if old == 0: slow path	generation += 1
 *	asid->ctx is of this generation?	active of every CPU := 0, remembering what was there
 *	active: old -> ctx (compare, exchange)
 *
 * If the exchange succeeds before the 0 is stored, the roll-over sees the new number and keeps it; if
 * after, the exchange fails and the slow path takes a number of the new generation.
 *
 * Locking: asid_lock (interrupts off) guards generation changes, the bitmap and `reserved`.
 */
#include <compiler.h>
#include <hal/asid.h>
#include <hal/boot.h>
#include <hal/cpu.h>
#include <lib/atomic.h>
#include <lib/bitmap.h>

#define GENERATION_ONE (1ULL << ASID_BITS_MAX)
#define NUMBER_MASK    (GENERATION_ONE - 1)

struct asid_cpu {
	u64 active;
	u64 reserved;
	bool flush; /* the TLB may hold numbers of an older generation */
} __aligned(64);

static struct asid_cpu asid_cpu[CONFIG_NR_CPUS];
static u64 generation = GENERATION_ONE;
static unsigned long used[(1UL << ASID_BITS_MAX) / 64];
static unsigned int nasids, cursor = 1;
static void (*flush_local_tlb)(void);
static int asid_lock;

void asid_init(unsigned int bits, void (*flush_local)(void))
{
	nasids = 1U << bits;
	flush_local_tlb = flush_local;
	bitmap_set_bit(used, 0);
}

/* All numbers are taken: begin a generation in which only those in use on a CPU are. Locked. */
static void new_generation(void)
{
	__atomic_store_n(&generation, generation + GENERATION_ONE, __ATOMIC_SEQ_CST);
	bitmap_zero(used, nasids);
	bitmap_set_bit(used, 0);
	for (unsigned int i = 0; i < CONFIG_NR_CPUS; i++) {
		u64 ctx = xchg(&asid_cpu[i].active, 0);

		if (ctx)
			asid_cpu[i].reserved = ctx;
		bitmap_set_bit(used, asid_cpu[i].reserved & NUMBER_MASK);
		asid_cpu[i].flush = true;
	}
	cursor = 1;
}

/* Whether a CPU ran under @ctx when this generation began; then it runs under @renewed from now on. */
static bool renew_reserved(u64 ctx, u64 renewed)
{
	bool hit = false;

	for (unsigned int i = 0; i < CONFIG_NR_CPUS; i++) {
		if (asid_cpu[i].reserved == ctx) {
			asid_cpu[i].reserved = renewed;
			hit = true;
		}
	}
	return hit;
}

/* A number of this generation for an address space that had @old. Locked. */
static u64 new_context(u64 old)
{
	u64 kept = generation | (old & NUMBER_MASK);
	size_t n;

	if (old) {
		if (renew_reserved(old, kept))
			return kept;
		if (!bitmap_test_bit(used, old & NUMBER_MASK)) {
			bitmap_set_bit(used, old & NUMBER_MASK);
			return kept;
		}
	}
	n = bitmap_find_next_zero(used, nasids, cursor);
	if (n >= nasids) {
		new_generation();
		n = bitmap_find_next_zero(used, nasids, cursor);
	}
	bitmap_set_bit(used, n);
	cursor = (unsigned int)n + 1;
	return generation | n;
}

static __noinline unsigned int activate_slow(struct hal_asid *asid, struct asid_cpu *cpu)
{
	u64 ctx;

	while (__atomic_exchange_n(&asid_lock, 1, __ATOMIC_ACQUIRE))
		hal_cpu_relax();
	ctx = asid->ctx;
	if ((ctx ^ generation) & ~NUMBER_MASK) {
		ctx = new_context(ctx);
		__atomic_store_n(&asid->ctx, ctx, __ATOMIC_RELAXED);
	}
	if (cpu->flush) {
		cpu->flush = false;
		flush_local_tlb();
	}
	__atomic_store_n(&cpu->active, ctx, __ATOMIC_RELAXED);
	__atomic_store_n(&asid_lock, 0, __ATOMIC_RELEASE);
	return ctx & NUMBER_MASK;
}

unsigned int asid_activate(struct hal_asid *asid)
{
	struct asid_cpu *cpu = &asid_cpu[hal_cpu_id()];
	u64 old = __atomic_load_n(&cpu->active, __ATOMIC_RELAXED);
	u64 ctx = __atomic_load_n(&asid->ctx, __ATOMIC_RELAXED);

	if (likely(old &&
		   !((ctx ^ __atomic_load_n(&generation, __ATOMIC_RELAXED)) & ~NUMBER_MASK) &&
		   cmpxchg_relaxed(&cpu->active, old, ctx) == old))
		return ctx & NUMBER_MASK;
	return activate_slow(asid, cpu);
}
