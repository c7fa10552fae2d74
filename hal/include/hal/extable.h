/* SPDX-License-Identifier: MIT */
/*
 * The exception table: where to go on when an instruction of the kernel faults on a user address.
 *
 * Every load or store of the user-copy functions has an entry in the section __ex_table, made with
 * EXTABLE() in assembly files or __EXTABLE() in inline assembly. Trap code, when
 * upcall_kernel_fault() could not resolve the fault, asks extable_fixup() for the place to continue.
 * Both fields are relative to themselves, so the table needs no relocation.
 *
 * The linker script keeps the section between __ex_table_start and __ex_table_end.
 */
#ifndef HAL_EXTABLE_H
#define HAL_EXTABLE_H

#ifdef __ASSEMBLER__

/* clang-format off */
.macro EXTABLE insn, fixup
	.pushsection __ex_table, "a"
	.balign 4
	.long \insn - .
	.long \fixup - .
	.popsection
.endm
/* clang-format on */

#else

#include <types.h>

#define __EXTABLE(insn, fixup)                                                                     \
	".pushsection __ex_table, \"a\"\n"                                                         \
	".balign 4\n"                                                                              \
	".long " insn " - .\n"                                                                     \
	".long " fixup " - .\n"                                                                    \
	".popsection\n"

struct extable_entry {
	s32 insn;  /* address of the instruction, minus the address of this field */
	s32 fixup; /* address to continue at, minus the address of this field */
};

/**
 * extable_fixup() - where to continue after a fault of the kernel instruction at @ip.
 * Context: any.
 * Return: the address, or 0 if the instruction may not fault.
 */
unsigned long extable_fixup(unsigned long ip);

#endif
#endif
