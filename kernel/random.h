/* SPDX-License-Identifier: MIT */
/*
 * The kernel's random numbers: ChaCha20 with fast key erasure, seeded from the machine at boot.
 * Source: random(4), random(7); D. J. Bernstein, "Fast-key-erasure random-number generators".
 */
#ifndef KERNEL_RANDOM_H
#define KERNEL_RANDOM_H

#include <types.h>

/** random_seed() - take the machine's seed. Boot CPU, once, before the first program. */
void random_seed(void);
/** random_bytes() - fill @buf. Any context; before random_seed() the numbers are predictable. */
void random_bytes(void *buf, size_t n);
/** random_u64() - one word, cheaper than random_bytes(). Any context. */
u64 random_u64(void);
/** random_mix() - stir @data in; it cannot make the state worse. */
void random_mix(const void *data, size_t n);

#endif
