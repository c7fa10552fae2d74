/* SPDX-License-Identifier: MIT */
/*
 * User memory: the only code that touches it. Contracts: <hal/paging.h>.
 *
 * Each instruction that may fault has an entry in the exception table. Copies go by words and, where a
 * word faults, byte by byte, so that the count of bytes not copied is exact.
 */
#include <arch/layout.h>
#include <arch/smap.h>
#include <hal/extable.h>

#define EFAULT 14

	.text

/* Jump to @fail unless [addr, addr + n) is below USER_END; uses rax, r8. */
.macro CHECK_RANGE addr, n, fail
	movabsq	$USER_END, %rax
	subq	\addr, %rax
	jb	\fail
	cmpq	\n, %rax
	jb	\fail
.endm

.macro FUNC name
	.globl	\name
	.type	\name, @function
	.balign 16
\name:
.endm

/* The common body: rdi, rsi, rdx = n, for copies and (with stos) clearing. */
.macro COPY_BODY op
	STAC
	movq	%rdx, %rcx
	shrq	$3, %rcx
	jz	2f
1:	rep \op\()q
2:	movl	%edx, %ecx
	andl	$7, %ecx
	jz	4f
3:	rep \op\()b
4:	CLAC
	xorl	%eax, %eax
	ret
5:	andl	$7, %edx		/* a word faulted: rcx words and the tail are left */
	leaq	(%rdx, %rcx, 8), %rcx
6:	rep \op\()b
7:	CLAC
	movq	%rcx, %rax
	ret
	EXTABLE 1b, 5b
	EXTABLE 3b, 7b
	EXTABLE 6b, 7b
.endm

/* size_t hal_copy_from_user(void *dst, uaddr_t src, size_t n) */
FUNC hal_copy_from_user
	CHECK_RANGE %rsi, %rdx, .Lall_left
	COPY_BODY movs

/* size_t hal_copy_to_user(uaddr_t dst, const void *src, size_t n) */
FUNC hal_copy_to_user
	CHECK_RANGE %rdi, %rdx, .Lall_left
	COPY_BODY movs

.Lall_left:
	movq	%rdx, %rax
	ret

/* size_t hal_clear_user(uaddr_t dst, size_t n) */
FUNC hal_clear_user
	movq	%rsi, %rdx
	CHECK_RANGE %rdi, %rdx, .Lall_left
	xorl	%eax, %eax
	COPY_BODY stos

/*
 * long hal_strncpy_from_user(char *dst, uaddr_t src, size_t n)
 * rdx: bytes to look at (n, less at the end of user space), rax: done, rcx: the word, r8/r9: constants.
 */
FUNC hal_strncpy_from_user
	movq	%rdx, %r11		/* n */
	movabsq	$USER_END, %rax
	subq	%rsi, %rax
	jbe	.Lstr_fault
	cmpq	%rax, %rdx
	cmovaq	%rax, %rdx
	movabsq	$-0x0101010101010101, %r8
	movabsq	$0x8080808080808080, %r9
	xorl	%eax, %eax
	STAC
1:	leaq	8(%rax), %r10
	cmpq	%rdx, %r10
	ja	3f
2:	movq	(%rsi, %rax), %rcx
	movq	%rcx, (%rdi, %rax)
	leaq	(%rcx, %r8), %r10	/* a byte that is 0 gets bit 7 set, ... */
	notq	%rcx
	andq	%rcx, %r10		/* ... had it clear, ... */
	andq	%r9, %r10		/* ... and is the lowest such */
	jnz	6f
	addq	$8, %rax
	jmp	1b
3:	cmpq	%rdx, %rax
	jae	5f
4:	movb	(%rsi, %rax), %cl
	movb	%cl, (%rdi, %rax)
	testb	%cl, %cl
	jz	7f
	incq	%rax
	jmp	3b
5:	CLAC
	cmpq	%r11, %rax		/* no NUL in n bytes, or user space ended */
	jb	.Lstr_fault
	ret
6:	bsfq	%r10, %r10
	shrq	$3, %r10
	addq	%r10, %rax
7:	CLAC
	ret
8:	CLAC
.Lstr_fault:
	movq	$-EFAULT, %rax
	ret
	EXTABLE 2b, 3b
	EXTABLE 4b, 8b

.macro GET_USER name, size, insn, reg
FUNC \name
	CHECK_RANGE %rsi, $\size, .Lword_fault
	STAC
1:	\insn	(%rsi), \reg
	CLAC
	\insn	\reg, (%rdi)
	xorl	%eax, %eax
	ret
	EXTABLE 1b, .Lword_fault_clac
.endm

.macro PUT_USER name, size, insn, reg
FUNC \name
	CHECK_RANGE %rdi, $\size, .Lword_fault
	STAC
1:	\insn	\reg, (%rdi)
	CLAC
	xorl	%eax, %eax
	ret
	EXTABLE 1b, .Lword_fault_clac
.endm

GET_USER hal_get_user32, 4, movl, %ecx
GET_USER hal_get_user64, 8, movq, %rcx
PUT_USER hal_put_user32, 4, movl, %esi
PUT_USER hal_put_user64, 8, movq, %rsi

/* int x86_xsave_user(uaddr_t area, size_t size); interrupts off, so a page that is missing is -EFAULT (trap.c) */
FUNC x86_xsave_user
	CHECK_RANGE %rdi, %rsi, .Lword_fault
	movl	$-1, %eax
	movl	%eax, %edx
	STAC
1:	xsave64	(%rdi)
	CLAC
	xorl	%eax, %eax
	ret
	EXTABLE 1b, .Lword_fault_clac

/* int x86_xrstor_user(uaddr_t area, size_t size, u64 components); interrupts off; -EFAULT also where it is malformed */
FUNC x86_xrstor_user
	CHECK_RANGE %rdi, %rsi, .Lword_fault
	movl	%edx, %eax
	shrq	$32, %rdx
	STAC
1:	xrstor64 (%rdi)
	CLAC
	xorl	%eax, %eax
	ret
	EXTABLE 1b, .Lword_fault_clac

/* int hal_cmpxchg_user32(uaddr_t addr, u32 expected, u32 desired, u32 *old) */
FUNC hal_cmpxchg_user32
	movq	%rcx, %r9
	CHECK_RANGE %rdi, $4, .Lword_fault
	movl	%esi, %eax
	STAC
1:	lock cmpxchgl %edx, (%rdi)
	CLAC
	movl	%eax, (%r9)
	xorl	%eax, %eax
	ret
	EXTABLE 1b, .Lword_fault_clac

.Lword_fault_clac:
	CLAC
.Lword_fault:
	movl	$-EFAULT, %eax
	ret

	.section .note.GNU-stack, "", @progbits
