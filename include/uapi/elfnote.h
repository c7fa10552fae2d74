/* SPDX-License-Identifier: MIT */
/* Types of the notes in core files, which also name ptrace's register sets. Source: Linux uapi linux/elf.h. */
#ifndef UAPI_ELFNOTE_H
#define UAPI_ELFNOTE_H

#define NT_PRSTATUS 1
#define NT_PRFPREG  2
#define NT_PRPSINFO 3
#define NT_AUXV	    6
#define NT_SIGINFO  0x53494749
#define NT_FILE	    0x46494c45

#define NT_X86_XSTATE 0x202

#define NT_ARM_TLS	   0x401
#define NT_ARM_HW_BREAK	   0x402
#define NT_ARM_HW_WATCH	   0x403
#define NT_ARM_SYSTEM_CALL 0x404
#define NT_ARM_SVE	   0x405

#define NT_RISCV_VECTOR 0x901

#define NT_LOONGARCH_CPUCFG 0xa00
#define NT_LOONGARCH_LSX    0xa02
#define NT_LOONGARCH_LASX   0xa03

#endif
