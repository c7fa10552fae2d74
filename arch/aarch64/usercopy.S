/* SPDX-License-Identifier: MIT */
/*
 * User access: see <hal/paging.h>.
 *
 * Loads and stores are the unprivileged ones (LDTR, STTR): the MMU checks them as if the program had made
 * them, whatever PAN says, on every ARMv8 CPU. Only the compare-and-exchange, which has no unprivileged
 * form, opens PAN for its two instructions.
 *
 * When a block of 64 or 8 bytes faults for good, the copy goes on byte by byte, so that the count that comes
 * back is exact.
 *
 * CPUs with FEAT_MOPS copy and clear longer pieces in three instructions. What these leave in their registers when
 * one faults for good is the CPU's affair: the loop then does the whole piece again and finds the byte.
 */
#include <arch/asm.h>
#include <arch/layout.h>
#include <hal/extable.h>
#include <uapi/errno.h>

	.arch_extension mops

/* A load or store that may fault. */
.macro USER fixup, insn:vararg
9991:	\insn
	EXTABLE 9991b, \fixup
.endm

/* Branch to \fail unless [\addr, \addr + \n) lies below USER_END. Clobbers x4. */
.macro CHECK_RANGE addr, n, fail
	mov x4, #USER_END
	cmp \addr, x4
	b.hs \fail
	sub x4, x4, \addr
	cmp \n, x4
	b.hi \fail
.endm

/* Branch to \loop unless the CPU has FEAT_MOPS and \n is worth it. Clobbers x4. */
.macro IF_MOPS n, loop
	cmp \n, #MOPS_LEAST
	b.lo \loop
	ADR_L x4, aarch64_has_mops
	ldrb w4, [x4]
	cbz w4, \loop
.endm

/* The registers of a copy as they were, for the loop. */
.macro MOPS_SAVE
	mov x5, x0
	mov x6, x1
	mov x7, x2
.endm
.macro MOPS_RESTORE
	mov x0, x5
	mov x1, x6
	mov x2, x7
.endm

/* size_t hal_copy_from_user(void *dst, uaddr_t src, size_t n) */
FUNC hal_copy_from_user
	CHECK_RANGE x1, x2, 9f
	IF_MOPS x2, 0f
	MOPS_SAVE
	USER 12f, cpyfprt [x0]!, [x1]!, x2!
	USER 12f, cpyfmrt [x0]!, [x1]!, x2!
	USER 12f, cpyfert [x0]!, [x1]!, x2!
	mov x0, #0
	ret
12:	MOPS_RESTORE
0:
	subs x2, x2, #64
	b.lo 2f
1:	USER 7f, ldtr x5, [x1]
	USER 7f, ldtr x6, [x1, #8]
	USER 7f, ldtr x7, [x1, #16]
	USER 7f, ldtr x8, [x1, #24]
	USER 7f, ldtr x9, [x1, #32]
	USER 7f, ldtr x10, [x1, #40]
	USER 7f, ldtr x11, [x1, #48]
	USER 7f, ldtr x12, [x1, #56]
	stp x5, x6, [x0]
	stp x7, x8, [x0, #16]
	stp x9, x10, [x0, #32]
	stp x11, x12, [x0, #48]
	add x0, x0, #64
	add x1, x1, #64
	subs x2, x2, #64
	b.hs 1b
2:	tbz x2, #5, 3f			/* the bits of what is left, which is 64 less than this */
	USER 8f, ldtr x5, [x1]
	USER 8f, ldtr x6, [x1, #8]
	USER 8f, ldtr x7, [x1, #16]
	USER 8f, ldtr x8, [x1, #24]
	stp x5, x6, [x0], #16
	stp x7, x8, [x0], #16
	add x1, x1, #32
3:	tbz x2, #4, 4f
	USER 10f, ldtr x5, [x1]
	USER 10f, ldtr x6, [x1, #8]
	stp x5, x6, [x0], #16
	add x1, x1, #16
4:	tbz x2, #3, 5f
	USER 11f, ldtr x5, [x1]
	str x5, [x0], #8
	add x1, x1, #8
5:	ands x2, x2, #7
	b.eq 9f
6:	USER 9f, ldtrb w5, [x1]
	strb w5, [x0], #1
	add x1, x1, #1
	subs x2, x2, #1
	b.ne 6b
9:	mov x0, x2
	ret
	/* A word did not come: the rest by bytes. */
7:	add x2, x2, #64
	b 6b
8:	and x2, x2, #63
	b 6b
10:	and x2, x2, #31
	b 6b
11:	and x2, x2, #15
	b 6b
ENDFUNC hal_copy_from_user

/* size_t hal_copy_to_user(uaddr_t dst, const void *src, size_t n) */
FUNC hal_copy_to_user
	CHECK_RANGE x0, x2, 9f
	IF_MOPS x2, 0f
	MOPS_SAVE
	USER 12f, cpyfpwt [x0]!, [x1]!, x2!
	USER 12f, cpyfmwt [x0]!, [x1]!, x2!
	USER 12f, cpyfewt [x0]!, [x1]!, x2!
	mov x0, #0
	ret
12:	MOPS_RESTORE
0:
	subs x2, x2, #64
	b.lo 2f
1:	ldp x5, x6, [x1]
	ldp x7, x8, [x1, #16]
	ldp x9, x10, [x1, #32]
	ldp x11, x12, [x1, #48]
	USER 7f, sttr x5, [x0]
	USER 7f, sttr x6, [x0, #8]
	USER 7f, sttr x7, [x0, #16]
	USER 7f, sttr x8, [x0, #24]
	USER 7f, sttr x9, [x0, #32]
	USER 7f, sttr x10, [x0, #40]
	USER 7f, sttr x11, [x0, #48]
	USER 7f, sttr x12, [x0, #56]
	add x0, x0, #64
	add x1, x1, #64
	subs x2, x2, #64
	b.hs 1b
2:	tbz x2, #5, 3f
	ldp x5, x6, [x1], #16
	ldp x7, x8, [x1], #16
	USER 8f, sttr x5, [x0]
	USER 8f, sttr x6, [x0, #8]
	USER 8f, sttr x7, [x0, #16]
	USER 8f, sttr x8, [x0, #24]
	add x0, x0, #32
3:	tbz x2, #4, 4f
	ldp x5, x6, [x1], #16
	USER 10f, sttr x5, [x0]
	USER 10f, sttr x6, [x0, #8]
	add x0, x0, #16
4:	tbz x2, #3, 5f
	ldr x5, [x1], #8
	USER 11f, sttr x5, [x0]
	add x0, x0, #8
5:	ands x2, x2, #7
	b.eq 9f
6:	ldrb w5, [x1]
	USER 9f, sttrb w5, [x0]
	add x0, x0, #1
	add x1, x1, #1
	subs x2, x2, #1
	b.ne 6b
9:	mov x0, x2
	ret
	/* A word could not be stored: the rest by bytes. */
7:	add x2, x2, #64
	b 6b
8:	and x2, x2, #63
	sub x1, x1, #32
	b 6b
10:	and x2, x2, #31
	sub x1, x1, #16
	b 6b
11:	and x2, x2, #15
	sub x1, x1, #8
	b 6b
ENDFUNC hal_copy_to_user

/* size_t hal_clear_user(uaddr_t dst, size_t n) */
FUNC hal_clear_user
	CHECK_RANGE x0, x1, 9f
	IF_MOPS x1, 0f
	mov x5, x0
	mov x6, x1
	USER 6f, setpt [x0]!, x1!, xzr
	USER 6f, setmt [x0]!, x1!, xzr
	USER 6f, setet [x0]!, x1!, xzr
	mov x0, #0
	ret
6:	mov x0, x5
	mov x1, x6
0:
	subs x1, x1, #32
	b.lo 2f
1:	USER 7f, sttr xzr, [x0]
	USER 7f, sttr xzr, [x0, #8]
	USER 7f, sttr xzr, [x0, #16]
	USER 7f, sttr xzr, [x0, #24]
	add x0, x0, #32
	subs x1, x1, #32
	b.hs 1b
2:	add x1, x1, #32
5:	cbz x1, 9f
	USER 9f, sttrb wzr, [x0]
	add x0, x0, #1
	sub x1, x1, #1
	b 5b
7:	add x1, x1, #32
	b 5b
9:	mov x0, x1
	ret
ENDFUNC hal_clear_user

/*
 * long hal_strncpy_from_user(char *dst, uaddr_t src, size_t n)
 * Bytes until src is aligned, then words: an aligned word lies in one page, so reading past the end of
 * the string cannot fault. A zero byte in x is found as (x - 0x01..) & ~x & 0x80...
 */
FUNC hal_strncpy_from_user
	mov x4, #USER_END
	mov x3, x1			/* start */
	cmp x1, x4
	b.hs 9f
	sub x4, x4, x1			/* what can be read at most */
	cmp x2, x4
	csel x5, x2, x4, lo
	add x5, x5, x1			/* end */
	mov x8, #0x0101010101010101
1:	cmp x1, x5
	b.hs 6f
	tst x1, #7
	b.eq 3f
2:	USER 9f, ldtrb w6, [x1]
	strb w6, [x0], #1
	cbz w6, 5f
	add x1, x1, #1
	b 1b
3:	sub x7, x5, x1
	cmp x7, #8
	b.lo 4f
	USER 9f, ldtr x6, [x1]
	sub x7, x6, x8
	bic x7, x7, x6
	tst x7, #0x8080808080808080
	b.ne 4f
	str x6, [x0], #8
	add x1, x1, #8
	b 1b
4:	/* The last bytes: the NUL or the limit is among the next eight. */
	cmp x1, x5
	b.hs 6f
	USER 9f, ldtrb w6, [x1]
	strb w6, [x0], #1
	cbz w6, 5f
	add x1, x1, #1
	b 4b
5:	sub x0, x1, x3
	ret
6:	sub x0, x1, x3			/* no NUL: an error if the limit was the address space's */
	cmp x0, x2
	b.lo 9f
	ret
9:	mov x0, #-EFAULT
	ret
ENDFUNC hal_strncpy_from_user

.macro CHECK_WORD addr
	lsr x4, \addr, #48
	cbnz x4, 9f
.endm

/* int hal_get_user32(u32 *val, uaddr_t src) and so on */
FUNC hal_get_user32
	CHECK_WORD x1
	USER 9f, ldtr w2, [x1]
	str w2, [x0]
	mov w0, #0
	ret
9:	mov w0, #-EFAULT
	ret
ENDFUNC hal_get_user32

FUNC hal_get_user64
	CHECK_WORD x1
	USER 9f, ldtr x2, [x1]
	str x2, [x0]
	mov w0, #0
	ret
9:	mov w0, #-EFAULT
	ret
ENDFUNC hal_get_user64

FUNC hal_put_user32
	CHECK_WORD x0
	USER 9f, sttr w1, [x0]
	mov w0, #0
	ret
9:	mov w0, #-EFAULT
	ret
ENDFUNC hal_put_user32

FUNC hal_put_user64
	CHECK_WORD x0
	USER 9f, sttr x1, [x0]
	mov w0, #0
	ret
9:	mov w0, #-EFAULT
	ret
ENDFUNC hal_put_user64

/* int hal_cmpxchg_user32(uaddr_t addr, u32 expected, u32 desired, u32 *old) */
FUNC hal_cmpxchg_user32
	CHECK_WORD x0
	ADR_L x7, aarch64_has_pan
	ldrb w7, [x7]
	cbz w7, 1f
	PAN_OFF
1:	USER 8f, ldaxr w5, [x0]
	cmp w5, w1
	b.ne 2f
	USER 8f, stlxr w6, w2, [x0]
	cbnz w6, 1b
	dmb ish
	mov w0, #0
	b 3f
2:	clrex
	mov w0, #0
3:	cbz w7, 4f
	PAN_ON
4:	str w5, [x3]
	ret
8:	clrex
	cbz w7, 9f
	PAN_ON
9:	mov w0, #-EFAULT
	ret
ENDFUNC hal_cmpxchg_user32

/*
 * void aarch64_icache_sync(start, end): instruction fetch sees what was stored. x2, x3: line sizes, 0 where the
 * CPU needs no maintenance.
 */
FUNC aarch64_cache_sync_range
	cbz x2, 2f
	sub x4, x2, #1
	bic x4, x0, x4
1:	dc cvau, x4
	add x4, x4, x2
	cmp x4, x1
	b.lo 1b
2:	dsb ish
	cbz x3, 4f
	sub x4, x3, #1
	bic x4, x0, x4
3:	ic ivau, x4
	add x4, x4, x3
	cmp x4, x1
	b.lo 3b
	dsb ish
4:	isb
	ret
ENDFUNC aarch64_cache_sync_range
