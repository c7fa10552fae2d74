/* SPDX-License-Identifier: MIT */
/*
 * Control and status registers, exception codes and I/O registers (IOCSR) of LoongArch.
 * Source: LoongArch Reference Manual, volume 1, chapters 5 to 7; Loongson 3A5000 manual for IOCSR.
 * Included by assembly files too.
 */
#ifndef ARCH_CSR_H
#define ARCH_CSR_H

#define CSR_CRMD	0x0
#define CSR_PRMD	0x1
#define CSR_EUEN	0x2
#define CSR_ECFG	0x4
#define CSR_ESTAT	0x5
#define CSR_ERA		0x6
#define CSR_BADV	0x7
#define CSR_BADI	0x8
#define CSR_EENTRY	0xc
#define CSR_ASID	0x18
#define CSR_PGDL	0x19
#define CSR_PGDH	0x1a
#define CSR_PGD		0x1b
#define CSR_PWCL	0x1c
#define CSR_PWCH	0x1d
#define CSR_STLBPS	0x1e
#define CSR_CPUID	0x20
#define CSR_KS0		0x30 /* scratch in trap entry */
#define CSR_KS1		0x31
#define CSR_KS_TASK	0x32 /* in user mode: the current struct hal_task; in the kernel: the user's tp */
#define CSR_KS_PERCPU	0x33 /* offset of this CPU's per-CPU data */
#define CSR_KS_RETRY	0x34 /* kernel address that was retried last after a page-invalid exception */
#define CSR_TID		0x40
#define CSR_TCFG	0x41
#define CSR_TICLR	0x44
#define CSR_TLBIDX	0x10
#define TLBIDX_INDEX	0xffffUL
#define TLBIDX_PS_4K	(12UL << 24)
#define TLBIDX_NE	(1UL << 31)
#define CSR_TLBEHI	0x11
#define CSR_TLBELO0	0x12
#define CSR_TLBELO1	0x13
#define CSR_TLBRENTRY	0x88
#define CSR_TLBRBADV	0x89
#define CSR_TLBRERA	0x8a
#define CSR_TLBRSAVE	0x8b
#define CSR_TLBRELO0	0x8c
#define CSR_TLBRELO1	0x8d
#define CSR_TLBREHI	0x8e
#define CSR_TLBRPRMD	0x8f
#define CSR_MERRENTRY	0x93
#define CSR_DMW0	0x180
#define CSR_DMW1	0x181
#define CSR_DMW2	0x182
#define CSR_DMW3	0x183

#define CRMD_PLV_MASK	0x3
#define CRMD_IE		0x4
#define CRMD_DA		0x8
#define CRMD_PG		0x10
#define CRMD_DATF_CC	0x20
#define CRMD_DATM_CC	0x80
/* Kernel, interrupts off, paging on, and coherent caching while address translation is off. */
#define CRMD_KERNEL	(CRMD_PG | CRMD_DATF_CC | CRMD_DATM_CC)
#define PRMD_USER	0x7 /* PLV 3, interrupts on */
#define PRMD_PIE	0x4

#define EUEN_FPE	0x1
#define EUEN_SXE	0x2
#define EUEN_ASXE	0x4

/* ESTAT.IS and ECFG.LIE bits. */
#define INT_HWI0	2
#define INT_TIMER	11
#define INT_IPI		12
#define INT_MASK	0x1fff

#define ESTAT_ECODE_SHIFT    16
#define ESTAT_ECODE_MASK     0x3f
#define ESTAT_ESUBCODE_SHIFT 22
#define ESTAT_ESUBCODE_MASK  0x1ff

#define EXC_INT		0x0
#define EXC_PIL		0x1 /* page invalid: load */
#define EXC_PIS		0x2 /* store */
#define EXC_PIF		0x3 /* fetch */
#define EXC_PME		0x4 /* store to a page that is not dirty: read-only */
#define EXC_PNR		0x5 /* not readable */
#define EXC_PNX		0x6 /* not executable */
#define EXC_PPI		0x7 /* privilege */
#define EXC_ADE		0x8 /* address error; subcode 0 fetch, 1 memory */
#define EXC_ALE		0x9 /* alignment */
#define EXC_BCE		0xa /* bound check */
#define EXC_SYS		0xb
#define EXC_BRK		0xc
#define EXC_INE		0xd /* instruction does not exist */
#define EXC_IPE		0xe /* privileged instruction */
#define EXC_FPD		0xf /* FPU disabled */
#define EXC_SXD		0x10 /* LSX disabled */
#define EXC_ASXD	0x11 /* LASX disabled */
#define EXC_FPE		0x12
#define EXC_WPE		0x13 /* watchpoint */

/* Vectors are 2^EXC_VS instructions apart; interrupts use the codes from 64 on. */
#define EXC_VS		3
#define EXC_VECTORS	77

/* Direct mapping windows: the top four bits of the address, memory type, and PLV0 only. */
#define DMW_UNCACHED	0x8000000000000001
#define DMW_CACHED	0x9000000000000011

/* Page walk: 9 bits a level, 4 KiB pages. */
#define PWCL_VALUE	(12 | 9 << 5 | 21 << 10 | 9 << 15 | 30 << 20 | 9 << 25)
#define PWCH_VALUE	(39 | 9 << 6)

#define TCFG_EN		0x1
#define TICLR_CLEAR	0x1

/* IOCSR addresses. */
#define IOCSR_FEATURES	  0x8
#define IOCSR_VENDOR	  0x10
#define IOCSR_CPUNAME	  0x20
#define IOCSR_MISC	  0x420
#define IOCSR_MISC_EXTIOI (1UL << 48)
#define IOCSR_IPI_STATUS  0x1000
#define IOCSR_IPI_EN	  0x1004
#define IOCSR_IPI_CLEAR	  0x100c
#define IOCSR_MBUF0	  0x1020
#define IOCSR_MBUF1	  0x1028
#define IOCSR_MBUF2	  0x1030
#define IOCSR_MBUF3	  0x1038
#define IOCSR_IPI_SEND	  0x1040
#define IOCSR_MAIL_SEND	  0x1048

#ifndef __ASSEMBLER__

#include <types.h>

#define csr_read(csr)                                                                              \
	({                                                                                         \
		unsigned long __v;                                                                 \
		__asm__ __volatile__("csrrd %0, %1" : "=r"(__v) : "i"(csr) : "memory");            \
		__v;                                                                               \
	})
#define csr_write(val, csr)                                                                        \
	({                                                                                         \
		unsigned long __v = (unsigned long)(val);                                          \
		__asm__ __volatile__("csrwr %0, %1" : "+r"(__v) : "i"(csr) : "memory");            \
		__v;                                                                               \
	})
/* Set the bits of @mask to those of @val; the value is the old register. */
#define csr_xchg(val, mask, csr)                                                                   \
	({                                                                                         \
		unsigned long __v = (unsigned long)(val);                                          \
		__asm__ __volatile__("csrxchg %0, %1, %2"                                          \
				     : "+r"(__v)                                                   \
				     : "r"((unsigned long)(mask)), "i"(csr)                        \
				     : "memory");                                                  \
		__v;                                                                               \
	})

static inline u32 cpucfg(u32 word)
{
	u32 v;

	__asm__("cpucfg %0, %1" : "=r"(v) : "r"(word));
	return v;
}

static inline u32 iocsr_read32(u32 reg)
{
	u32 v;

	__asm__ __volatile__("iocsrrd.w %0, %1" : "=r"(v) : "r"(reg) : "memory");
	return v;
}

static inline u64 iocsr_read64(u32 reg)
{
	u64 v;

	__asm__ __volatile__("iocsrrd.d %0, %1" : "=r"(v) : "r"(reg) : "memory");
	return v;
}

static inline void iocsr_write32(u32 val, u32 reg)
{
	__asm__ __volatile__("iocsrwr.w %0, %1" ::"r"(val), "r"(reg) : "memory");
}

static inline void iocsr_write64(u64 val, u32 reg)
{
	__asm__ __volatile__("iocsrwr.d %0, %1" ::"r"(val), "r"(reg) : "memory");
}

#endif
#endif
