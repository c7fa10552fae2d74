/* SPDX-License-Identifier: MIT */
/*
 * The first instructions: the boot CPU enters by PVH, the others through the trampoline.
 *
 * PVH (QEMU -kernel, Firecracker, Cloud Hypervisor, Xen): 32-bit protected mode, flat segments,
 * paging off, ebx = physical address of struct hvm_start_info. The ELF note below says where.
 * The early table maps the image at KERNEL_BASE and low memory both at its own address (until
 * the jump) and at LINEAR_BASE: 512 GiB with 1 GiB pages, or 4 GiB with 2 MiB pages; all of it
 * writable and executable. hal_paging_init() replaces it.
 * Source: Xen docs/misc/pvh.pandoc, xen/include/public/arch-x86/hvm/start_info.h.
 */
#include <arch/layout.h>
#include <arch/x86.h>

#define PHYS(sym) ((sym) - KERNEL_BASE)

#define EARLY_P	    0x1
#define EARLY_TABLE 0x3  /* present, writable */
#define EARLY_LEAF  0x83 /* and large */

	.section .note.Xen, "a", @note
	.balign 4
	.long 4f - 3f, 6f - 5f
	.long 18 /* XEN_ELFNOTE_PHYS32_ENTRY */
3:	.asciz "Xen"
4:	.balign 4
5:	.quad PHYS(x86_pvh_entry)
6:	.balign 4

	.section .head.text, "ax"
	.code32
	.globl x86_pvh_entry
x86_pvh_entry:
	cld
	cli
	movl	%ebx, %ebp		/* start_info */

	movl	$PHYS(__bss_start), %edi
	movl	$PHYS(__bss_end), %ecx
	subl	%edi, %ecx
	shrl	$2, %ecx
	xorl	%eax, %eax
	rep stosl

	movl	$PHYS(early_pdpt) + EARLY_TABLE, %eax
	movl	%eax, PHYS(early_pml4)
	movl	%eax, PHYS(early_pml4) + 8 * ((LINEAR_BASE >> 39) & 511)
	movl	$PHYS(early_pdpt_image) + EARLY_TABLE, PHYS(early_pml4) + 8 * ((KERNEL_BASE >> 39) & 511)
	movl	$PHYS(early_pds) + EARLY_TABLE, PHYS(early_pdpt_image) + 8 * ((KERNEL_BASE >> 30) & 511)

	/* 4 GiB of 2 MiB pages; the image needs the first of them in any case. */
	movl	$PHYS(early_pds), %edi
	movl	$EARLY_LEAF, %eax
	movl	$2048, %ecx
1:	movl	%eax, (%edi)
	addl	$0x200000, %eax
	addl	$8, %edi
	decl	%ecx
	jnz	1b
	movl	$PHYS(early_pds) + EARLY_TABLE, %eax
	movl	$PHYS(early_pdpt), %edi
	movl	$4, %ecx
2:	movl	%eax, (%edi)
	addl	$0x1000, %eax
	addl	$8, %edi
	decl	%ecx
	jnz	2b

	movl	$0x80000001, %eax
	cpuid
	btl	$26, %edx		/* 1 GiB pages */
	jnc	4f
	movl	$PHYS(early_pdpt), %edi
	movl	$EARLY_LEAF, %eax
	xorl	%edx, %edx
	movl	$512, %ecx
3:	movl	%eax, (%edi)
	movl	%edx, 4(%edi)
	addl	$0x40000000, %eax
	adcl	$0, %edx
	addl	$8, %edi
	decl	%ecx
	jnz	3b
4:
	movl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	$PHYS(early_pml4), %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	movl	$EFER_LME | EFER_NX | EFER_SCE, %eax
	xorl	%edx, %edx
	wrmsr
	movl	$CR0_PE | CR0_MP | CR0_NE | CR0_WP | CR0_PG, %eax
	movl	%eax, %cr0
	lgdt	PHYS(early_gdtr)
	ljmpl	$X86_KERNEL_CS, $PHYS(early_long)

	.code64
early_long:
	movq	$early_high, %rax
	jmpq	*%rax
early_high:
	xorl	%eax, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%eax, %fs
	movl	%eax, %gs
	movl	$MSR_GS_BASE, %ecx	/* CPU 0's per-CPU offset is 0 */
	xorl	%edx, %edx
	wrmsr
	leaq	boot_stack_top(%rip), %rsp
	movl	%ebp, %edi
	xorl	%ebp, %ebp
	pushq	%rbp
	jmp	x86_start

/*
 * Where SIPI starts the other CPUs: copied to X86_TRAMPOLINE, real mode, cs = X86_TRAMPOLINE >> 4.
 * smp.c fills the four quadwords: cr3 (a table below 4 GiB that maps the trampoline at its own
 * address and the kernel), stack, per-CPU offset, and the C function.
 */
#define TRAMP(sym) (X86_TRAMPOLINE + (sym) - x86_trampoline)
	.balign 16
	.globl x86_trampoline, x86_trampoline_end, x86_trampoline_args
	.code16
x86_trampoline:
	cli
	cld
	xorw	%ax, %ax
	movw	%ax, %ds
	lgdtl	TRAMP(tramp_gdtr)
	movl	$CR0_PE, %eax
	movl	%eax, %cr0
	ljmpl	$X86_USER_CS32 - 3, $TRAMP(tramp32)
	.code32
tramp32:
	movl	$X86_KERNEL_DS, %eax
	movl	%eax, %ds
	movl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	TRAMP(x86_trampoline_args), %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	movl	$EFER_LME | EFER_NX | EFER_SCE, %eax
	xorl	%edx, %edx
	wrmsr
	movl	$CR0_PE | CR0_MP | CR0_NE | CR0_WP | CR0_PG, %eax
	movl	%eax, %cr0
	ljmpl	$X86_KERNEL_CS, $TRAMP(tramp64)
	.code64
tramp64:
	xorl	%eax, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%eax, %fs
	movl	%eax, %gs
	movl	$TRAMP(x86_trampoline_args), %ebx
	movq	8(%rbx), %rsp
	movq	16(%rbx), %rax
	movq	%rax, %rdx
	shrq	$32, %rdx
	movl	$MSR_GS_BASE, %ecx
	wrmsr
	xorl	%ebp, %ebp
	pushq	%rbp
	movq	24(%rbx), %rax
	jmpq	*%rax
	.balign 8
tramp_gdtr:
	.word	8 * 7 - 1
	.long	TRAMP(tramp_gdt)
	.balign 8
tramp_gdt:
	.quad	0, 0
	.quad	0x00af9b000000ffff	/* X86_KERNEL_CS: 64-bit code */
	.quad	0x00cf93000000ffff	/* X86_KERNEL_DS */
	.quad	0x00cf9b000000ffff	/* 32-bit code, ring 0, in the place of the user's */
	.quad	0, 0
	.balign 8
x86_trampoline_args:
	.quad	0, 0, 0, 0
x86_trampoline_end:

	.section .rodata
	.balign 8
early_gdt:
	.quad	0, 0
	.quad	0x00af9b000000ffff
	.quad	0x00cf93000000ffff
early_gdtr:
	.word	8 * 4 - 1
	.quad	PHYS(early_gdt)

	.section .bss..page, "aw", @nobits
	.balign 4096
	.globl early_pml4, early_pdpt
early_pml4:	.skip 4096
early_pdpt:	.skip 4096
early_pdpt_image: .skip 4096
early_pds:	.skip 4 * 4096
	.globl boot_stack, boot_stack_top
boot_stack:	.skip 16384
boot_stack_top:

	.section .note.GNU-stack, "", @progbits
