/* SPDX-License-Identifier: MIT */
/*
 * memcpy, memmove, memset.
 *
 * Up to 32 bytes by words that may overlap in the middle, all of them loaded before the first is stored (so
 * the same code moves overlapping bytes); more by string instructions, the last eight bytes apart.
 */
	.text

.macro FUNC name
	.globl	\name
	.type	\name, @function
	.balign 16
\name:
.endm

/* void *memmove(void *dst, const void *src, size_t n) */
FUNC memmove
	movq	%rdi, %rax
	cmpq	$32, %rdx
	jbe	.Lsmall
	movq	%rdi, %rcx
	subq	%rsi, %rcx
	cmpq	%rdx, %rcx
	jae	.Lforward		/* dst is not within src: upwards is safe */
	movq	(%rsi), %r9		/* the first bytes, before they are overwritten */
1:	movq	-8(%rsi, %rdx), %r8
	movq	%r8, -8(%rdi, %rdx)
	subq	$8, %rdx
	cmpq	$8, %rdx
	ja	1b
	movq	%r9, (%rdi)
	ret

/* void *memcpy(void *dst, const void *src, size_t n) */
FUNC memcpy
	movq	%rdi, %rax
	cmpq	$32, %rdx
	jbe	.Lsmall
.Lforward:
	movq	-8(%rsi, %rdx), %r8
	leaq	-8(%rdi, %rdx), %r9
	movq	%rdx, %rcx
	shrq	$3, %rcx
	rep movsq
	movq	%r8, (%r9)
	ret

.Lsmall:
	cmpl	$16, %edx
	ja	2f
	cmpl	$8, %edx
	jae	3f
	cmpl	$4, %edx
	jae	4f
	testl	%edx, %edx
	jz	5f
	movq	%rdx, %r8		/* 1 to 3: first, middle, last */
	shrq	%r8
	movzbl	(%rsi), %ecx
	movzbl	(%rsi, %r8), %r9d
	movzbl	-1(%rsi, %rdx), %r10d
	movb	%cl, (%rdi)
	movb	%r9b, (%rdi, %r8)
	movb	%r10b, -1(%rdi, %rdx)
	ret
2:	movq	(%rsi), %rcx
	movq	8(%rsi), %r8
	movq	-16(%rsi, %rdx), %r9
	movq	-8(%rsi, %rdx), %r10
	movq	%rcx, (%rdi)
	movq	%r8, 8(%rdi)
	movq	%r9, -16(%rdi, %rdx)
	movq	%r10, -8(%rdi, %rdx)
	ret
3:	movq	(%rsi), %rcx
	movq	-8(%rsi, %rdx), %r8
	movq	%rcx, (%rdi)
	movq	%r8, -8(%rdi, %rdx)
	ret
4:	movl	(%rsi), %ecx
	movl	-4(%rsi, %rdx), %r8d
	movl	%ecx, (%rdi)
	movl	%r8d, -4(%rdi, %rdx)
5:	ret

/* void *memset(void *dst, int c, size_t n) */
FUNC memset
	movq	%rdi, %r9
	movzbl	%sil, %ecx
	movabsq	$0x0101010101010101, %rax
	imulq	%rcx, %rax
	cmpq	$8, %rdx
	jb	1f
	movq	%rax, -8(%rdi, %rdx)
	movq	%rdx, %rcx
	shrq	$3, %rcx
	rep stosq
	movq	%r9, %rax
	ret
1:	cmpl	$4, %edx
	jb	2f
	movl	%eax, (%rdi)
	movl	%eax, -4(%rdi, %rdx)
	movq	%r9, %rax
	ret
2:	movl	%edx, %ecx
	rep stosb
	movq	%r9, %rax
	ret

	.section .note.GNU-stack, "", @progbits
