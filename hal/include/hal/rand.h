/* SPDX-License-Identifier: MIT */
/* Seed material for the kernel's random generator. */
#ifndef HAL_RAND_H
#define HAL_RAND_H

#include <types.h>

/** hal_rand_seed() - fill @buf with what the machine offers: RNDR/RDRAND/Zkr, /chosen rng-seed, counter jitter. Returns
 *  an honest estimate of the entropy in bits (0: only jitter). Boot, boot CPU. */
unsigned int hal_rand_seed(u8 *buf, size_t n);

#endif
