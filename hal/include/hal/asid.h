/* SPDX-License-Identifier: MIT */
/*
 * Address space identifiers: one allocator for all CPUs.
 *
 * Every address space holds a struct hal_asid. Its identifier is valid for one generation; when the
 * numbers of a generation are used up, a new one begins: address spaces that run at that moment keep
 * their numbers, all others get new ones when they run next, and every CPU flushes its whole TLB
 * (of non-global entries) before it uses a number of the new generation.
 *
 *	asid_init(bits, flush_local)     boot CPU, once
 *	hw = asid_activate(&pt->asid)    hal_pt_activate(), interrupts off: the number to load
 *	hw = asid_hw(&pt->asid)          for a TLB flush by number; 0: never ran, nothing to flush
 *
 * Number 0 is never given out: it belongs to the kernel's own table (no user mappings).
 *
 * Locking: a spin lock of its own, taken with interrupts off; asid_activate() takes it only when the
 * generation changed since the address space last ran.
 */
#ifndef HAL_ASID_H
#define HAL_ASID_H

#include <types.h>

#define ASID_BITS_MAX 16

/* Zero-initialised: none yet. Generation in the upper bits, number in the lower ASID_BITS_MAX. */
struct hal_asid {
	u64 ctx;
};

/**
 * asid_init() - set the number of identifiers.
 * @bits:        width of the hardware's identifier, 4 to ASID_BITS_MAX
 * @flush_local: forgets all non-global translations of the calling CPU; interrupts off
 * Context: boot CPU, before the first asid_activate().
 */
void asid_init(unsigned int bits, void (*flush_local)(void));

/**
 * asid_activate() - the identifier under which the address space runs on this CPU from now on.
 * Context: interrupts off; the caller loads the result into the hardware before it enables them.
 * Return: 1 .. 2^bits - 1.
 */
unsigned int asid_activate(struct hal_asid *asid);

/** asid_hw() - the identifier last given to the address space, 0 if it never ran. Any context. */
static inline unsigned int asid_hw(const struct hal_asid *asid)
{
	return __atomic_load_n(&asid->ctx, __ATOMIC_RELAXED) & ((1U << ASID_BITS_MAX) - 1);
}

#endif
