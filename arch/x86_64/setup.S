/* SPDX-License-Identifier: MIT */
/*
 * The head of bzImage, in front of the kernel's own bytes: the header of Linux's boot protocol, the headers of a UEFI
 * application, and the 16-bit code for loaders that start a kernel in real mode. It is 4 KiB long and not part of
 * the loaded kernel.
 *
 * The real-mode code has the loader's segment (ds) with the header in it, asks the BIOS for the memory map, and goes to
 * the kernel's 32-bit entry with esi = the linear address of the parameters, which are built over this page.
 * Source: Linux Documentation/arch/x86/{boot,zero-page}.rst; INT 15h AX=E820h.
 */
#include <arch/layout.h>
#include <arch/x86.h>
#include <hal/pe_header.h>

#define SETUP_SECTS   7
#define E820_COUNT    0x1e8
#define E820_TABLE    0x2d0
#define E820_MAX      128
#define E820_SIZE     20
#define SMAP	      0x534d4150
#define LOADED_HIGH   1
#define CAN_USE_HEAP  0x80
#define XLF_KERNEL_64 1
#define BOOT_CS	      0x10 /* what the protocol asks for */
#define BOOT_DS	      0x18

	.section .setup, ""
	.code16
setup_start:
	.ascii	"MZ"
	.org	0x3c
	.long	pe_header
	.org	0x40
	pe_headers PE_MACHINE_X64
	.org	0x1f1
	.byte	SETUP_SECTS
	.short	0			/* root flags */
	.long	_bz_paragraphs		/* size of the kernel in 16-byte units */
	.short	0, 0, 0
	.short	0xaa55
	/* 0x200 */
	.byte	0xeb, setup_real - 1f	/* jmp */
1:	.ascii	"HdrS"
	.short	0x020d			/* protocol 2.13 */
	.long	0
	.short	0
	.short	kernel_version - setup_start - 0x200
	.byte	0			/* type of loader: it writes it */
	.byte	LOADED_HIGH
	.short	0
	.long	KERNEL_PHYS		/* where 32-bit code begins */
	.long	0, 0			/* initrd: the loader writes it */
	.long	0
	.short	0, 0			/* heap end */
	.long	0			/* command line: the loader writes it */
	.long	0x7fffffff		/* highest address of the initrd */
	.long	0x1000000		/* alignment */
	.byte	0			/* not relocatable: KERNEL_PHYS it must be */
	.byte	12			/* least alignment */
	.short	XLF_KERNEL_64
	.long	2047			/* longest command line */
	.long	0
	.quad	0
	.long	0, 0
	.quad	0
	.quad	KERNEL_PHYS		/* preferred address */
	.long	_bz_init_size
	.long	0

/* ds = es = where this page is; the loader has set up a stack, but not all do it well: ours ends below the parameters. */
setup_real:
	cli
	cld
	movw	%cs, %ax
	subw	$0x20, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	$0x9000, %sp
	/* The code below the table of the memory map goes on from where the table cannot reach. */
	jmp	setup_map

	.org	0xd00			/* behind the table */
setup_map:
	/* What lies before the header are our PE headers; as parameters it has to be 0. */
	xorl	%eax, %eax
	xorw	%di, %di
	movw	$0x1f0 / 4, %cx
	rep stosl
	movl	$SMAP, %edx
	xorl	%ebx, %ebx
	movw	$E820_TABLE, %di
	xorl	%ebp, %ebp
1:	movl	$0xe820, %eax
	movl	$E820_SIZE, %ecx
	movl	$SMAP, %edx
	int	$0x15
	jc	2f
	cmpl	$SMAP, %eax
	jne	2f
	incw	%bp
	addw	$E820_SIZE, %di
	cmpw	$E820_MAX, %bp
	jae	2f
	testl	%ebx, %ebx
	jnz	1b
2:	movw	%bp, %ax
	movb	%al, E820_COUNT
	/* The A20 gate: the fast way, which every machine has that has not opened it already. */
	inb	$0x92, %al
	orb	$2, %al
	andb	$0xfe, %al
	outb	%al, $0x92
	/* esi: this page, linear. */
	xorl	%esi, %esi
	movw	%ds, %si
	shll	$4, %esi
	leal	setup_gdt(%esi), %eax
	movl	%eax, setup_gdtr + 2
	cli
	lgdtl	setup_gdtr
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	leal	setup_protected(%esi), %eax
	movl	%eax, setup_jump
	ljmpl	*setup_jump

	.code32
setup_protected:
	movl	$BOOT_DS, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	$KERNEL_PHYS, %eax
	jmp	*%eax

	.balign 8
setup_gdt:
	.quad	0, 0
	.quad	0x00cf9b000000ffff	/* BOOT_CS */
	.quad	0x00cf93000000ffff	/* BOOT_DS */
setup_gdtr:
	.short	8 * 4 - 1
	.long	0
	.balign 4
setup_jump:
	.long	0
	.short	BOOT_CS
kernel_version:
	.asciz	"caelum"
	.org	0x1000
