/* SPDX-License-Identifier: MIT */
/*
 * System registers and the fields of them that the kernel uses.
 * Source: Arm Architecture Reference Manual for A-profile (DDI 0487), chapter D23.
 */
#ifndef ARCH_SYSREG_H
#define ARCH_SYSREG_H

/* PSTATE and SPSR */
#define PSR_MODE_EL0t	0x00
#define PSR_MODE_EL1h	0x05
#define PSR_MODE_EL2h	0x09
#define PSR_MODE_MASK	0x1f /* with bit 4: AArch32 */
#define PSR_F		(1 << 6)
#define PSR_I		(1 << 7)
#define PSR_A		(1 << 8)
#define PSR_D		(1 << 9)
#define PSR_SSBS	(1 << 12)
#define PSR_IL		(1 << 20)
#define PSR_SS		(1 << 21)
#define PSR_PAN		(1 << 22)
#define PSR_DIT		(1 << 24)
#define PSR_N		(1U << 31)
#define PSR_NZCV	0xf0000000

/* SCTLR_EL1 */
#define SCTLR_M		(1 << 0)
#define SCTLR_C		(1 << 2)
#define SCTLR_SA	(1 << 3)  /* stack alignment check at EL1 */
#define SCTLR_SA0	(1 << 4)
#define SCTLR_I		(1 << 12)
#define SCTLR_DZE	(1 << 14) /* DC ZVA at EL0 */
#define SCTLR_UCT	(1 << 15) /* CTR_EL0 at EL0 */
#define SCTLR_NTWI	(1 << 16)
#define SCTLR_NTWE	(1 << 18)
#define SCTLR_UCI	(1 << 26) /* DC CVAU, IC IVAU ... at EL0 */
#define SCTLR_MSCEN_SHIFT 33 /* memory copy and set instructions at EL0 */
/* Bits that are 1 in every ARMv8.0 CPU (LSMAOE, nTLSMD, SPAN, EIS, TSCXT, EOS); SPAN is cleared below. */
#define SCTLR_RES1	((1 << 29) | (1 << 28) | (1 << 22) | (1 << 20) | (1 << 11))
#define SCTLR_SPAN	(1 << 23) /* 0: PAN is set on entry to EL1 */
/* Nothing on: what EL2 leaves behind and what comes before the page table. */
#define SCTLR_OFF	(SCTLR_RES1 | SCTLR_SPAN)
#define SCTLR_ON	(SCTLR_RES1 | SCTLR_M | SCTLR_C | SCTLR_SA | SCTLR_SA0 | SCTLR_I | SCTLR_DZE |     \
			 SCTLR_UCT | SCTLR_NTWI | SCTLR_NTWE | SCTLR_UCI)

/* TCR_EL1: 48 bits of address on both sides, 4 KiB granule, write-back inner-shareable walks, ASID in TTBR0, top byte of user addresses ignored */
#define TCR_T0SZ48	(16 << 0)
#define TCR_WALK0	((1 << 8) | (1 << 10) | (3 << 12))
#define TCR_T1SZ48	(16 << 16)
#define TCR_WALK1	((1 << 24) | (1 << 26) | (3 << 28))
#define TCR_TG1_4K	(2 << 30)
#define TCR_IPS_SHIFT	32
#define TCR_AS_SHIFT	36
#define TCR_TBI0_SHIFT	37
#define TCR_LOW		(TCR_T0SZ48 | TCR_WALK0 | TCR_T1SZ48 | TCR_WALK1)

/* MAIR_EL1: the memory types by index */
#define MAIR_DEVICE	0 /* nGnRE */
#define MAIR_NC		1
#define MAIR_NORMAL	2
#define MAIR_VALUE	0xff4404

/* CPACR_EL1.FPEN, ZEN; SME always traps */
#define CPACR_FP_EL1	(1 << 20)
#define CPACR_FP_ALL	(3 << 20)
#define CPACR_SVE_EL1	(1 << 16)
#define CPACR_SVE_ALL	(3 << 16)

/* CNTKCTL_EL1 */
#define CNTKCTL_EL0VCTEN    (1 << 1) /* the virtual counter at EL0 */
#define CNTKCTL_EVNTEN	    (1 << 2)
#define CNTKCTL_EVNTI_SHIFT 4 /* bit of the counter whose change sends an event */
#define CNTKCTL_EVNTI_MAX   15U

/* MDSCR_EL1 */
#define MDSCR_SS	(1 << 0)
#define MDSCR_MDE	(1 << 15) /* breakpoints and watchpoints */

/* ESR_EL1 */
#define ESR_EC_SHIFT	26
#define ESR_EC(esr)	(((esr) >> ESR_EC_SHIFT) & 0x3f)
#define EC_UNKNOWN	0x00
#define EC_FP_ACCESS	0x07
#define EC_ILL_STATE	0x0e
#define EC_SVC64	0x15
#define EC_SYSREG	0x18
#define EC_SVE		0x19
#define EC_SME		0x1d
#define EC_IABT_EL0	0x20
#define EC_IABT_EL1	0x21
#define EC_PC_ALIGN	0x22
#define EC_DABT_EL0	0x24
#define EC_DABT_EL1	0x25
#define EC_SP_ALIGN	0x26
#define EC_FP_TRAP	0x2c
#define EC_SERROR	0x2f
#define EC_BREAK_EL0	0x30
#define EC_STEP_EL0	0x32
#define EC_WATCH_EL0	0x34
#define EC_MOPS		0x27
#define EC_BRK64	0x3c
/* ESR_EL1 of EC_MOPS; bits 0 to 14 number three registers */
#define ESR_MOPS_SET	      (1 << 24) /* a SET, not a CPY */
#define ESR_MOPS_EPILOGUE     (1 << 18)
#define ESR_MOPS_WRONG_OPTION (1 << 17)
#define ESR_MOPS_OPTION_A     (1 << 16)
#define ESR_WNR		(1 << 6)
#define ESR_CM		(1 << 8)
#define ESR_FSC(esr)	((esr) & 0x3f)

#ifndef __ASSEMBLER__

#include <types.h>

#define read_sysreg(reg)                                                                           \
	({                                                                                         \
		u64 __v;                                                                           \
		__asm__ __volatile__("mrs %0, " #reg : "=r"(__v));                                 \
		__v;                                                                               \
	})
#define write_sysreg(reg, v)                                                                       \
	do {                                                                                       \
		u64 __v = (v);                                                                     \
		__asm__ __volatile__("msr " #reg ", %x0" : : "rZ"(__v) : "memory");                \
	} while (0)

/* The 4-bit field of an ID register that begins at bit @shift. */
static inline unsigned int id_field(u64 reg, unsigned int shift)
{
	return (reg >> shift) & 15;
}

#endif
#endif
