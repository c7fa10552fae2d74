/* SPDX-License-Identifier: MIT */
/*
 * Two loops that say, when they are timed, whether words at odd addresses are worth using: what
 * riscv_hwprobe(2) tells C libraries, which choose their memcpy by it.
 */
#include <hal/extable.h>

	.option	norvc
	.text

/* bool riscv64_try_words(void *dst, const void *src, size_t n): by eight bytes; false when a trap is the way here. */
	.globl	riscv64_try_words
	.type	riscv64_try_words, @function
riscv64_try_words:
	add	a2, a1, a2
1:	ld	t0, (a1)
2:	sd	t0, (a0)
	addi	a1, a1, 8
	addi	a0, a0, 8
	bltu	a1, a2, 1b
	li	a0, 1
	ret
3:	li	a0, 0
	ret
	EXTABLE	1b, 3b
	EXTABLE	2b, 3b
	.size	riscv64_try_words, . - riscv64_try_words

/* void riscv64_try_bytes(void *dst, const void *src, size_t n): one by one. */
	.globl	riscv64_try_bytes
	.type	riscv64_try_bytes, @function
riscv64_try_bytes:
	add	a2, a1, a2
1:	lb	t0, (a1)
	sb	t0, (a0)
	addi	a1, a1, 1
	addi	a0, a0, 1
	bltu	a1, a2, 1b
	ret
	.size	riscv64_try_bytes, . - riscv64_try_bytes
