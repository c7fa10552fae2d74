/* SPDX-License-Identifier: MIT */
/* Seed material: RNDR where the CPU has it, the loader's rng-seed, and the jitter of the counter. */
#include <arch/sysreg.h>
#include <compiler.h>
#include <hal/driver.h>
#include <hal/rand.h>

/* One word of the CPU's generator. Return: false if it has none now. */
static bool read_rndr(u64 *value)
{
	u64 failed;

	__asm__ __volatile__("mrs %0, s3_3_c2_c4_0\n\tcset %1, eq"
			     : "=r"(*value), "=r"(failed)
			     :
			     : "cc");
	return !failed;
}

static bool has_rndr(void)
{
	return id_field(read_sysreg(id_aa64isar0_el1), 60) != 0;
}

unsigned int hal_rand_seed(u8 *buf, size_t n)
{
	size_t got = fdt_rng_seed(buf, n);
	unsigned int bits = (unsigned int)got * 8;
	bool rndr = has_rndr();
	u64 word = 0;

	for (size_t i = got; i < n; i++)
		buf[i] = 0;
	for (size_t i = 0; i < n; i++) {
		if (i % 8 == 0) {
			if (rndr && read_rndr(&word))
				bits += 64;
			else
				word = read_sysreg(cntvct_el0) * 0x9e3779b97f4a7c15;
		}
		buf[i] ^= (u8)(word >> (i % 8 * 8));
	}
	return bits < n * 8 ? bits : (unsigned int)n * 8;
}
