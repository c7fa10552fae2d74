/* SPDX-License-Identifier: MIT */
/*
 * The first instructions: the boot CPU enters from a loader, the others through the trampoline.
 *
 * Every loader's way ends at boot_common: 32-bit protected mode, flat segments, paging off, ebp = physical address of what
 * the loader left, esi = which loader (X86_LOADER_*).
 *	x86_linux_entry		Linux's 32-bit protocol: esi = struct boot_params; first in the image
 *	x86_linux64_entry	its 64-bit protocol: rsi; 0x200 behind it
 *	x86_multiboot_entry	Multiboot2: ebx
 *	x86_pvh_entry		PVH: ebx
 *	x86_efi_entry		the EFI stub, long mode: rsi = a PVH structure
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
#define EARLY_CS32  0x20
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
x86_linux_entry:
	movl	%esi, %ebp
	movl	$X86_LOADER_LINUX, %esi
	jmp	boot_common

	.globl x86_pvh_entry
x86_pvh_entry:
	movl	%ebx, %ebp		/* start_info */
	movl	$X86_LOADER_PVH, %esi
	jmp	boot_common

x86_multiboot_entry:
	movl	%ebx, %ebp
	movl	$X86_LOADER_MULTIBOOT, %esi
	cmpl	$0x36d76289, %eax
	je	boot_common
	hlt
	jmp	. - 1

	/* Multiboot2 looks for this in the first 32 KiB of the file. */
	.balign 8
multiboot_header:
	.long	0xe85250d6, 0, multiboot_end - multiboot_header
	.long	-(0xe85250d6 + 0 + (multiboot_end - multiboot_header))
	.short	1, 0			/* what we want to know: */
	.long	16
	.long	6, 1			/* memory map, command line */
	.balign 8
	.short	3, 0			/* entry */
	.long	12
	.long	PHYS(x86_multiboot_entry)
	.balign 8
	.short	6, 0			/* modules at pages */
	.long	8
	.short	0, 0
	.long	8
multiboot_end:

	.org	0x200
	.code64
x86_linux64_entry:
	movl	$X86_LOADER_LINUX, %edi
	jmp	1f
	.globl x86_efi_entry
x86_efi_entry:
	movl	$X86_LOADER_PVH, %edi
1:	cli
	movl	%esi, %ebp
	movl	%edi, %esi
	lgdt	early_gdtr_low(%rip)
	movl	$PHYS(boot_stack_top), %esp
	pushq	$EARLY_CS32
	pushq	$PHYS(x86_leave_long)
	lretq
	.code32
x86_leave_long:
	movl	$X86_KERNEL_DS, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%cr0, %eax
	andl	$0x7fffffff, %eax	/* paging */
	movl	%eax, %cr0
	movl	$MSR_EFER, %ecx
	rdmsr
	andl	$~EFER_LME, %eax
	wrmsr
	xorl	%eax, %eax		/* 5-level tables and all else */
	movl	%eax, %cr4

boot_common:
	cld
	cli

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
	movl	%ebp, %edi		/* esi is the loader */
	xorl	%ebp, %ebp
	pushq	%rbp
	jmp	x86_start

/*
 * The EFI stub's copy of this: void copy(const void *from, u64 size, u64 to, u64 entry, u64 info). It runs where the
 * kernel's bytes neither come from nor go to, and the destination lies below the source.
 */
	.globl x86_efi_copy, x86_efi_copy_end
x86_efi_copy:
	cli
	cld
	movq	%rcx, %rax
	movq	%rsi, %rcx
	movq	%rdi, %rsi
	movq	%rdx, %rdi
	rep movsb
	movq	%r8, %rsi
	jmpq	*%rax
x86_efi_copy_end:

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
	.quad	0x00cf9b000000ffff	/* EARLY_CS32 */
early_gdtr:
early_gdtr_low:
	.word	8 * 5 - 1
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
