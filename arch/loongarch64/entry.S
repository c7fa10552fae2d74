/* SPDX-License-Identifier: MIT */
/*
 * Entry of loongarch64: the boot CPU from the loader, secondary CPUs from the firmware's mailbox loop.
 *
 * Linux's convention: the image begins with a header that has the shape of a PE file's DOS header;
 * the loader copies it to its load offset and jumps to the physical entry with
 *	a0 = 1 if booted through EFI structures, a1 = command line, a2 = EFI system table;
 *	from our own EFI stub a0 = 2, a1 = device tree
 * (physical addresses), address translation off or direct windows set up, interrupts off. The image
 * runs wherever it was put, at a multiple of 2 MiB.
 *
 * The early page table maps the image at KERNEL_BASE with 2 MiB pages; hal_paging_init() replaces it
 * by one with rights. Source: Linux Documentation/arch/loongarch/booting.rst.
 */
#include <arch/cpu.h>
#include <arch/csr.h>
#include <arch/layout.h>
#include <arch/trap.h>
#include <hal/pe_header.h>

#define BOOT_STACK_SIZE 16384

	.section .head.text, "ax"
	.globl	_start
_start:
	.short	0x5a4d			/* "MZ" */
	.org	0x8
	.dword	_entry_phys		/* physical entry */
	.dword	_image_size		/* with BSS */
	.dword	_load_phys		/* load offset */
	.org	0x38
	.long	0x818223cd		/* Linux's magic number for this header */
	.long	pe_header - _start
	pe_headers PE_MACHINE_LOONGARCH64
	.balign	4096

/*
 * arch_efi_enter(kernel, size, tree, hart): to the kernel's entry through the cached window, whatever the firmware has
 * mapped how. a0 = 2 says that a1 is a device tree.
 */
	.globl	arch_efi_enter
arch_efi_enter:
	li.w	$t0, CRMD_IE
	csrxchg	$zero, $t0, CSR_CRMD
	li.d	$t0, DMW_CACHED
	csrwr	$t0, CSR_DMW1
	la.pcrel $t0, _entry
	la.pcrel $t1, _start
	sub.d	$t0, $t0, $t1
	add.d	$t0, $t0, $a0
	bstrpick.d $t0, $t0, 47, 0
	li.d	$t1, LINEAR_BASE
	or	$t0, $t0, $t1
	li.w	$a0, 2
	move	$a1, $a2
	move	$a2, $zero
	dbar	0
	ibar	0
	jr	$t0

	.globl	_entry
_entry:
	bl	enter_paging
	move	$s0, $a0
	move	$s1, $a1
	move	$s2, $a2

	/* Clear BSS (the early page table and stack are in it). */
	la.pcrel $t0, __bss_start
	la.pcrel $t1, __bss_end
1:	st.d	$zero, $t0, 0
	addi.d	$t0, $t0, 8
	bltu	$t0, $t1, 1b

	la.pcrel $s3, _start
	bstrpick.d $s3, $s3, 47, 0
	la.pcrel $t0, arch_image_phys
	st.d	$s3, $t0, 0

	/* Root and level 2, for the slots of KERNEL_BASE. */
	la.pcrel $t0, early_root
	la.pcrel $t1, early_level2
	bstrpick.d $t2, $t1, 47, 0
	li.w	$t4, 511 * 8
	stx.d	$t2, $t0, $t4
	la.pcrel $t2, early_level1
	bstrpick.d $t3, $t2, 47, 0
	li.w	$t4, 510 * 8
	stx.d	$t3, $t1, $t4
	/* Level 1: 2 MiB pages up to the end of the image. V D, cached, huge, W, global. */
	la.pcrel $t3, __image_end
	bstrpick.d $t3, $t3, 47, 0
	li.w	$t4, 0x1 | 0x2 | 0x10 | 0x40 | 0x100 | 0x1000
	li.w	$t5, 0x200000
	or	$t6, $s3, $t4
2:	st.d	$t6, $t2, 0
	addi.d	$t2, $t2, 8
	add.d	$t6, $t6, $t5
	bltu	$t6, $t3, 2b

	la.pcrel $a0, early_root
	bstrpick.d $a0, $a0, 47, 0
	bl	load_page_table
	la.abs	$t0, 3f
	jr	$t0
3:	la.abs	$sp, boot_stack + BOOT_STACK_SIZE
	la.abs	$tp, arch_boot_task
	li.w	$t0, IRQ_OFF_MASKED
	st.h	$t0, $tp, TASK_IRQ_OFF
	move	$r21, $zero
	csrwr	$zero, CSR_KS_PERCPU
	move	$fp, $zero
	move	$a0, $s0
	move	$a1, $s1
	move	$a2, $s2
	bl	machine_boot

/*
 * A secondary CPU: stack, task and per-CPU offset are in the entry of arch_secondary_args that has its number. The other
 * mailboxes cannot carry them: EDK2's waiting loop clears all four, and takes a call of its own for what has mailbox 3 set.
 */
	.balign 8
	.globl	arch_secondary_entry
arch_secondary_entry:
	bl	enter_paging
	la.pcrel $t0, arch_secondary_root
	ld.d	$a0, $t0, 0
	bl	load_page_table
	la.abs	$t0, 1f
	jr	$t0
1:	csrrd	$t0, CSR_CPUID
	andi	$t0, $t0, 0x1ff
	la.abs	$t1, arch_secondary_args
	li.w	$t2, CONFIG_NR_CPUS
2:	ld.d	$t3, $t1, 0
	bne	$t3, $t0, 3f
	ld.d	$sp, $t1, 8
	bnez	$sp, 5f			/* else an entry that was never filled */
3:	addi.d	$t1, $t1, 32
	addi.w	$t2, $t2, -1
	bnez	$t2, 2b
4:	idle	0			/* nobody started this CPU */
	b	4b
5:	ld.d	$tp, $t1, 16
	li.w	$t0, IRQ_OFF_MASKED
	st.h	$t0, $tp, TASK_IRQ_OFF
	ld.d	$r21, $t1, 24
	move	$t0, $r21
	csrwr	$t0, CSR_KS_PERCPU
	move	$fp, $zero
	bl	machine_secondary

/* Go on in the cached direct window, translation on, interrupts off. Changes t0 to t2; a0-a2 stay. */
enter_paging:
	li.w	$t0, CRMD_IE
	csrxchg	$zero, $t0, CSR_CRMD
	li.d	$t0, DMW_UNCACHED
	csrwr	$t0, CSR_DMW0
	li.d	$t0, DMW_CACHED
	csrwr	$t0, CSR_DMW1
	bstrpick.d $ra, $ra, 47, 0
	li.d	$t1, LINEAR_BASE
	or	$ra, $ra, $t1
	pcaddi	$t0, 4
	bstrpick.d $t0, $t0, 47, 0
	or	$t0, $t0, $t1
	jr	$t0
	li.w	$t0, CRMD_KERNEL
	csrwr	$t0, CSR_CRMD
	csrwr	$zero, CSR_DMW2
	csrwr	$zero, CSR_DMW3
	csrwr	$zero, CSR_EUEN
	ret

/* Use the table at physical address a0 for kernel and (empty) user addresses. */
load_page_table:
	li.d	$t0, PWCL_VALUE
	csrwr	$t0, CSR_PWCL
	li.w	$t0, PWCH_VALUE
	csrwr	$t0, CSR_PWCH
	li.w	$t0, 12
	csrwr	$t0, CSR_STLBPS
	move	$t0, $a0
	csrwr	$t0, CSR_PGDL
	move	$t0, $a0
	csrwr	$t0, CSR_PGDH
	csrwr	$zero, CSR_ASID
	la.pcrel $t0, arch_tlb_refill
	bstrpick.d $t0, $t0, 47, 0
	csrwr	$t0, CSR_TLBRENTRY
	la.pcrel $t0, arch_machine_error
	bstrpick.d $t0, $t0, 47, 0
	csrwr	$t0, CSR_MERRENTRY
	la.abs	$t0, arch_vectors
	csrwr	$t0, CSR_EENTRY
	li.w	$t0, EXC_VS << 16
	csrwr	$t0, CSR_ECFG
	invtlb	0x0, $zero, $zero
	ret

	.section .bss.early, "aw", @nobits
	.balign	4096
early_root:
	.skip	4096
early_level2:
	.skip	4096
early_level1:
	.skip	4096
boot_stack:
	.skip	BOOT_STACK_SIZE
