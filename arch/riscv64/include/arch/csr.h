/* SPDX-License-Identifier: MIT */
/*
 * Control and status registers of supervisor mode: bits, causes, access.
 * Source: RISC-V Privileged Architecture 20240411.
 */
#ifndef ARCH_CSR_H
#define ARCH_CSR_H

/* sstatus */
#define SR_SIE	      0x00000002
#define SR_SPIE	      0x00000020
#define SR_SPP	      0x00000100
#define SR_FS	      0x00006000 /* floating-point state: off, initial, clean, dirty */
#define SR_FS_OFF     0x00000000
#define SR_FS_INITIAL 0x00002000
#define SR_FS_CLEAN   0x00004000
#define SR_FS_DIRTY   0x00006000
#define SR_VS	      0x00000600 /* vector state: the same */
#define SR_VS_OFF     0x00000000
#define SR_VS_CLEAN   0x00000400
#define SR_VS_DIRTY   0x00000600
#define SR_SD	      (1UL << 63) /* one of them is dirty */
#define SR_SUM	      0x00040000

/* sie, sip */
#define IE_SSIE 0x002
#define IE_STIE 0x020
#define IE_SEIE 0x200

/* scause; interrupts have the top bit set */
#define CAUSE_INTERRUPT	   (1UL << 63)
#define CAUSE_INSN_MISALGN 0
#define CAUSE_INSN_ACCESS  1
#define CAUSE_ILLEGAL	   2
#define CAUSE_BREAKPOINT   3
#define CAUSE_LOAD_MISALGN 4
#define CAUSE_LOAD_ACCESS  5
#define CAUSE_STORE_MISALGN 6
#define CAUSE_STORE_ACCESS 7
#define CAUSE_ECALL_U	   8
#define CAUSE_INSN_PAGE	   12
#define CAUSE_LOAD_PAGE	   13
#define CAUSE_STORE_PAGE   15
#define IRQ_SOFT	   1
#define IRQ_TIMER	   5
#define IRQ_EXT		   9

/* scounteren: user mode may read the time CSR, as under Linux; not the cycle counters */
#define SCOUNTEREN_TM 2

/* senvcfg: user mode may zero cache blocks */
#define SENVCFG_CBZE 0x80

/* satp */
#define SATP_SV39	(8UL << 60)
#define SATP_ASID_SHIFT 44
#define SATP_ASID_MASK	0xffffUL

#define CSR_STIMECMP 0x14d

#ifndef __ASSEMBLER__

#define csr_read(csr)                                                                              \
	({                                                                                         \
		unsigned long __v;                                                                 \
		__asm__ __volatile__("csrr %0, " #csr : "=r"(__v)::"memory");                      \
		__v;                                                                               \
	})
#define csr_write(csr, v)                                                                          \
	({ __asm__ __volatile__("csrw " #csr ", %0" ::"rK"((unsigned long)(v)) : "memory"); })
#define csr_set(csr, v)                                                                            \
	({ __asm__ __volatile__("csrs " #csr ", %0" ::"rK"((unsigned long)(v)) : "memory"); })
#define csr_clear(csr, v)                                                                          \
	({ __asm__ __volatile__("csrc " #csr ", %0" ::"rK"((unsigned long)(v)) : "memory"); })
#define csr_read_clear(csr, v)                                                                     \
	({                                                                                         \
		unsigned long __v;                                                                 \
		__asm__ __volatile__("csrrc %0, " #csr ", %1"                                      \
				     : "=r"(__v)                                                   \
				     : "rK"((unsigned long)(v))                                    \
				     : "memory");                                                  \
		__v;                                                                               \
	})

#endif
#endif
