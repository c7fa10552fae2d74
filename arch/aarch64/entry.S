/* SPDX-License-Identifier: MIT */
/*
 * The first instructions of each CPU.
 *
 * The boot CPU arrives as Linux's boot protocol for arm64 says: x0 = physical address of the device
 * tree, MMU off, at EL2 or EL1; the image lies at a multiple of 2 MiB. It builds the early tables (the
 * image at KERNEL_BASE, and the same memory at its own address for the moment the MMU goes on),
 * clears bss and calls hal_boot(fdt). Secondary CPUs come from PSCI with x0 = address of their
 * struct secondary_boot and use the same early tables until they can read the final one.
 *
 * Source: Linux Documentation/arch/arm64/booting.rst; PSCI (DEN0022) CPU_ON.
 */
#include <arch/asm.h>
#include <arch/cpu.h>
#include <arch/layout.h>
#include <arch/sysreg.h>
#include <hal/pe_header.h>

	.section .head.text, "ax"
	.globl _head
_head:
	ccmp x18, #0, #0xd, pl		/* "MZ", and nothing that matters */
	b primary_entry
	.quad 0			/* offset of the image from a 2 MiB boundary */
	.quad _image_size
	.quad 0xa		/* little endian, 4 KiB pages, anywhere in memory */
	.quad 0
	.quad 0
	.quad 0
	.ascii "ARM\x64"
	.long pe_header - _head
	pe_headers PE_MACHINE_ARM64
	.balign 4096

/*
 * arch_efi_enter(kernel, size, tree, hart): from the firmware's identity mapping to the kernel's entry with the MMU
 * off. What is fetched from then on goes past the caches: the copy of the kernel and this code are written back first.
 */
	.globl arch_efi_enter
arch_efi_enter:
	msr daifset, #15
	mov x20, x0
	mov x21, x2
	add x1, x0, x1
	bl clean_range
	adrp x0, arch_efi_enter
	add x1, x0, #8192
	bl clean_range
	ic iallu
	dsb sy
	isb
	mrs x0, CurrentEL
	cmp x0, #(2 << 2)
	b.eq 1f
	mrs x0, sctlr_el1
	bic x0, x0, #1			/* MMU */
	bic x0, x0, #4			/* data cache */
	msr sctlr_el1, x0
	b 2f
1:	mrs x0, sctlr_el2
	bic x0, x0, #1
	bic x0, x0, #4
	msr sctlr_el2, x0
2:	isb
	mov x0, x21
	mov x1, xzr
	mov x2, xzr
	mov x3, xzr
	br x20

/* Write back the cache lines from x0 to x1, to where everyone sees them. */
clean_range:
	mrs x2, ctr_el0
	ubfx x2, x2, #16, #4
	mov x3, #4
	lsl x3, x3, x2
	sub x4, x3, #1
	bic x0, x0, x4
1:	dc cvac, x0
	add x0, x0, x3
	cmp x0, x1
	b.lo 1b
	dsb sy
	ret

/* An early table entry for a 2 MiB block of normal memory, executable at EL1 only. */
#define BLOCK_ATTRS ((1 << 0) | (MAIR_NORMAL << 2) | (3 << 8) | (1 << 10) | (1 << 54))

	.section .early_tables, "aw", %nobits
	.balign 4096
idmap_l0: .skip 4096
idmap_l1: .skip 4096
idmap_l2: .skip 4096
	.globl early_l0
early_l0: .skip 4096	/* TTBR1 */
early_l1: .skip 4096
early_l2: .skip 4096

	.section .bss.boot_stack, "aw", %nobits
	.balign 16
	.globl boot_stack, boot_stack_end
boot_stack: .skip 16384
boot_stack_end:

	.section .head.text, "ax"
primary_entry:
	mov x21, x0
	bl enter_el1
	adrp x20, _head			/* where the image lies */
	bl early_tables_clear
	bl early_tables_fill
	bl early_tables_clean
	ldr x27, =primary_high
	b mmu_on

/* Zero, past the caches, which hold nothing of these pages that is still wanted. */
early_tables_clear:
	mov x26, x30
	bl early_tables_clean
	ADR_L x0, __early_tables_start
	ADR_L x1, __early_tables_end
1:	stp xzr, xzr, [x0], #16
	cmp x0, x1
	b.lo 1b
	ret x26

/* Forget cache lines of the early tables: they are read through the caches once the MMU is on. */
early_tables_clean:
	ADR_L x0, __early_tables_start
	ADR_L x1, __early_tables_end
	dmb sy
	mrs x2, ctr_el0
	ubfx x2, x2, #16, #4
	mov x3, #4
	lsl x3, x3, x2
1:	dc ivac, x0
	add x0, x0, x3
	cmp x0, x1
	b.lo 1b
	dsb sy
	ret

/* x20: physical address of the image. */
early_tables_fill:
	/* One block where the image begins, at its own address. */
	ADR_L x0, idmap_l0
	ADR_L x1, idmap_l1
	ADR_L x2, idmap_l2
	orr x3, x1, #3
	ubfx x4, x20, #39, #9
	str x3, [x0, x4, lsl #3]
	orr x3, x2, #3
	ubfx x4, x20, #30, #9
	str x3, [x1, x4, lsl #3]
	ldr x5, =BLOCK_ATTRS
	orr x3, x20, x5
	ubfx x4, x20, #21, #9
	str x3, [x2, x4, lsl #3]
	/* The image at KERNEL_BASE: last entry of the root, last but one below. */
	ADR_L x0, early_l0
	ADR_L x1, early_l1
	ADR_L x2, early_l2
	orr x3, x1, #3
	str x3, [x0, #511 * 8]
	orr x3, x2, #3
	str x3, [x1, #510 * 8]
	orr x3, x20, x5
	ldr x4, =_image_size
	mov x6, #0x200000
1:	str x3, [x2], #8
	add x3, x3, x6
	subs x4, x4, x6
	b.hi 1b
	ret

/*
 * From EL2 to EL1, nothing trapped, virtual counter equal to the physical one; EL1 system control in
 * a known state either way. Clobbers x0-x2.
 */
enter_el1:
	msr spsel, #1
	mrs x0, CurrentEL
	cmp x0, #(2 << 2)
	ldr x1, =SCTLR_OFF
	b.eq 1f
	msr sctlr_el1, x1
	isb
	ret
1:	mov x0, #(1 << 31)		/* HCR_EL2.RW: EL1 is AArch64 */
	msr hcr_el2, x0
	isb
	msr sctlr_el1, x1
	mov x0, #3
	msr cnthctl_el2, x0
	msr cntvoff_el2, xzr
	mov x0, #0x33ff			/* CPTR_EL2: FP is free, and SVE if there is any */
	mrs x2, id_aa64pfr0_el1
	ubfx x2, x2, #32, #4
	cbz x2, 5f
	bic x0, x0, #(1 << 8)
5:	msr cptr_el2, x0
	cbz x2, 6f
	isb
	mov x0, #15			/* ZCR_EL2: any length */
	msr S3_4_C1_C2_0, x0
6:
	msr hstr_el2, xzr
	msr vttbr_el2, xzr
	mrs x0, midr_el1
	msr vpidr_el2, x0
	mrs x0, mpidr_el1
	msr vmpidr_el2, x0
	/* Performance counters, if there are any, belong to EL1. */
	mrs x0, id_aa64dfr0_el1
	ubfx x1, x0, #8, #4
	sub x2, x1, #1
	cmp x2, #14
	mov x1, xzr
	b.hs 2f
	mrs x1, pmcr_el0
	ubfx x1, x1, #11, #5
2:	msr mdcr_el2, x1
	/* GICv3 system registers at EL1. */
	mrs x0, id_aa64pfr0_el1
	ubfx x0, x0, #24, #4
	cbz x0, 3f
	mrs x0, S3_4_C12_C9_5		/* ICC_SRE_EL2 */
	mov x1, #9
	orr x0, x0, x1
	msr S3_4_C12_C9_5, x0
	isb
	msr S3_4_C12_C11_0, xzr		/* ICH_HCR_EL2 */
3:	/* Fine-grained traps off. */
	mrs x0, id_aa64mmfr0_el1
	ubfx x0, x0, #56, #4
	cbz x0, 4f
	msr S3_4_C1_C1_4, xzr		/* HFGRTR_EL2 */
	msr S3_4_C1_C1_5, xzr		/* HFGWTR_EL2 */
	msr S3_4_C1_C1_6, xzr		/* HFGITR_EL2 */
	msr S3_4_C3_C1_4, xzr		/* HDFGRTR_EL2 */
	msr S3_4_C3_C1_5, xzr		/* HDFGWTR_EL2 */
4:	/* Memory copy instructions work at EL1 (HCRX_EL2.MSCEn), where that register exists. */
	mrs x0, id_aa64mmfr1_el1
	ubfx x0, x0, #40, #4
	cbz x0, 5f
	mov x0, #(1 << 11)
	msr S3_4_C1_C2_2, x0
5:	mov x0, #(PSR_D | PSR_A | PSR_I | PSR_F | PSR_MODE_EL1h)
	msr spsr_el2, x0
	msr elr_el2, x30
	eret

/* Turn the MMU on with the early tables and go to the virtual address in x27. */
mmu_on:
	ldr x0, =MAIR_VALUE
	msr mair_el1, x0
	ldr x0, =TCR_LOW
	orr x0, x0, #TCR_TG1_4K
	orr x0, x0, #(1 << TCR_TBI0_SHIFT)
	mrs x1, id_aa64mmfr0_el1
	and x2, x1, #15			/* physical address size, 48 bits at most */
	cmp x2, #5
	mov x3, #5
	csel x2, x2, x3, lo
	orr x0, x0, x2, lsl #TCR_IPS_SHIFT
	ubfx x1, x1, #4, #4
	cmp x1, #2			/* 16 bits of ASID */
	cset x1, eq
	orr x0, x0, x1, lsl #TCR_AS_SHIFT
	msr tcr_el1, x0
	ADR_L x0, idmap_l0
	msr ttbr0_el1, x0
	ADR_L x0, early_l0
	msr ttbr1_el1, x0
	mov x0, #CPACR_FP_EL1
	msr cpacr_el1, x0
	msr mdscr_el1, xzr
	isb
	tlbi vmalle1
	dsb nsh
	ic iallu
	dsb nsh
	isb
	ldr x0, =SCTLR_ON
	mrs x1, S3_0_C0_C6_2		/* ID_AA64ISAR2_EL1.MOPS: for programs, too */
	ubfx x1, x1, #16, #4
	cmp x1, #0
	cset x1, ne
	orr x0, x0, x1, lsl #SCTLR_MSCEN_SHIFT
	msr sctlr_el1, x0
	isb
	br x27

	.ltorg

/* From here on at the linked address. x20: image, x21: device tree. */
FUNC primary_high
	ADR_L x0, __bss_start
	ADR_L x1, __bss_end
1:	stp xzr, xzr, [x0], #16
	cmp x0, x1
	b.lo 1b
	ADR_L x0, boot_stack_end
	mov sp, x0
	ADR_L x0, image_phys_base
	str x20, [x0]
	msr tpidr_el1, xzr
	msr sp_el0, xzr
	bl cpu_setup
	mov x29, xzr
	mov x30, xzr
	mov x0, x21
	b hal_boot
ENDFUNC primary_high

/* What every CPU needs before it can take an exception: vectors, no user table, what EL0 may read, PAN. */
cpu_setup:
	ADR_L x0, vectors
	msr vbar_el1, x0
	ADR_L x0, image_phys_base
	ldr x0, [x0]
	ADR_L x1, empty_user_table
	add x0, x0, x1
	ldr x1, =KERNEL_BASE
	sub x0, x0, x1
	msr ttbr0_el1, x0
	isb
	tlbi vmalle1
	dsb nsh
	msr tpidrro_el0, xzr
	msr oslar_el1, xzr		/* debug exceptions are not held back */
	mrs x0, id_aa64dfr0_el1
	ubfx x0, x0, #8, #4
	sub x0, x0, #1
	cmp x0, #14
	b.hs 2f
	msr pmuserenr_el0, xzr		/* no performance counters at EL0 */
2:	mrs x0, id_aa64mmfr1_el1
	ubfx x0, x0, #20, #4
	cbz x0, 1f
	PAN_ON
1:	isb
	ret

	.section .head.text, "ax"
	/* From a spin table: the entry of secondary_boot with this CPU's number, as an address in the linked image. */
	.globl secondary_spin_entry
secondary_spin_entry:
	mrs x1, mpidr_el1
	and x2, x1, #0xffffff
	and x1, x1, #0xff00000000
	orr x1, x1, x2
	ADR_L x0, secondary_boot
	mov x3, #CONFIG_NR_CPUS
1:	ldr x2, [x0, #24]
	cmp x1, x2
	b.ne 2f
	ldr x2, [x0, #8]
	cbnz x2, 4f			/* else an entry that was never filled */
2:	add x0, x0, #32
	subs x3, x3, #1
	b.ne 1b
3:	wfe
	b 3b
4:	adrp x1, _head
	sub x0, x0, x1
	ldr x1, =KERNEL_BASE
	add x0, x0, x1

	.globl secondary_entry
secondary_entry:
	mov x21, x0
	bl enter_el1
	ldr x27, =secondary_high
	b mmu_on
	.ltorg

/* x21: struct secondary_boot { u64 percpu, stack; struct hal_task *task; u64 ttbr1; } */
FUNC secondary_high
	ADR_L x0, secondary_ttbr1
	ldr x0, [x0]
	msr ttbr1_el1, x0
	isb
	tlbi vmalle1
	dsb nsh
	isb
	ldp x0, x1, [x21]
	msr tpidr_el1, x0
	mov sp, x1
	ldr x0, [x21, #16]
	msr sp_el0, x0
	bl cpu_setup
	mov x29, xzr
	mov x30, xzr
	b hal_secondary_boot
ENDFUNC secondary_high
