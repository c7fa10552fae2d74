/* SPDX-License-Identifier: MIT */
/*
 * Translation table entries of aarch64, for hal/common/pagetable.c (see <hal/pt_radix.h>).
 *
 * The access flag is always set and the hardware never writes to entries. A page without rights
 * (PROT_NONE) has VALID clear and PTE_NONE set. Programs can read what they can execute, as on Linux.
 * Source: Arm ARM D8.3.
 */
#ifndef ARCH_PTE_H
#define ARCH_PTE_H

#include <arch/barrier.h>
#include <arch/sysreg.h>
#include <hal/paging.h>
#include <hal/pt_radix.h>

#define PTE_VALID    (1ULL << 0)
#define PTE_TABLE    (1ULL << 1) /* upper levels: a table; level 0: always set */
#define PTE_ATTR(n)  ((u64)(n) << 2)
#define PTE_USER     (1ULL << 6)
#define PTE_RO	     (1ULL << 7)
#define PTE_SHARED   (3ULL << 8) /* inner shareable */
#define PTE_AF	     (1ULL << 10)
#define PTE_NG	     (1ULL << 11)
#define PTE_PXN	     (1ULL << 53)
#define PTE_UXN	     (1ULL << 54)
#define PTE_READ     (1ULL << 55) /* software: HAL_READ was asked for */
#define PTE_NONE     (1ULL << 58) /* software: a page that nobody may touch */
#define PTE_ADDR     0x0000fffffffff000ULL

#define PT_LEVELS	  4
#define PT_MAX_LEAF_LEVEL 2
#define PT_SHARED_ROOT	  0
#define PT_MAP_LINEAR	  1
#define PT_MAP_IMAGE	  1
#define PT_EMPTY_ZERO	  1
#define PT_BREAK_BEFORE_MAKE 1

static __always_inline bool pte_present(pte_t e, unsigned int level)
{
	return e & (PTE_VALID | PTE_NONE);
}

static __always_inline pte_t pte_broken(pte_t e)
{
	return (e & ~(PTE_VALID | PTE_NONE)) | PTE_AF;
}

static __always_inline bool pte_is_leaf(pte_t e, unsigned int level)
{
	return level == 0 || !(e & PTE_TABLE);
}

static __always_inline paddr_t pte_pa(pte_t e, unsigned int level)
{
	return e & PTE_ADDR;
}

static __always_inline unsigned int pte_prot(pte_t e)
{
	unsigned int prot = 0;

	if (e & PTE_VALID) {
		prot |= e & PTE_READ ? HAL_READ : 0;
		prot |= e & PTE_RO ? 0 : HAL_WRITE;
		prot |= e & (e & PTE_USER ? PTE_UXN : PTE_PXN) ? 0 : HAL_EXEC;
	}
	prot |= e & PTE_USER ? HAL_USER : 0;
	prot |= e & PTE_NG ? 0 : HAL_GLOBAL;
	if ((e & PTE_ATTR(7)) == PTE_ATTR(MAIR_DEVICE))
		prot |= HAL_DEVICE;
	else if ((e & PTE_ATTR(7)) == PTE_ATTR(MAIR_NC))
		prot |= HAL_WCOMBINE;
	return prot;
}

static __always_inline pte_t pte_leaf(paddr_t pa, unsigned int prot, unsigned int level)
{
	pte_t e = pa | PTE_AF | PTE_SHARED;

	e |= prot & (HAL_READ | HAL_WRITE | HAL_EXEC) ? PTE_VALID : PTE_NONE;
	e |= prot & HAL_READ ? PTE_READ : 0;
	e |= prot & HAL_WRITE ? 0 : PTE_RO;
	e |= prot & HAL_GLOBAL ? 0 : PTE_NG;
	if (prot & HAL_USER)
		e |= PTE_USER | PTE_PXN | (prot & HAL_EXEC ? 0 : PTE_UXN);
	else
		e |= PTE_UXN | (prot & HAL_EXEC ? 0 : PTE_PXN);
	if (prot & HAL_DEVICE)
		e |= PTE_ATTR(MAIR_DEVICE);
	else
		e |= PTE_ATTR(prot & HAL_WCOMBINE ? MAIR_NC : MAIR_NORMAL);
	return level ? e : e | PTE_TABLE;
}

static __always_inline pte_t pte_table(paddr_t pa, bool user)
{
	return pa | PTE_TABLE | PTE_VALID | (user ? 0 : PTE_AF);
}

static __always_inline pte_t pte_wrprotect(pte_t e)
{
	return e | PTE_RO;
}

/* The table walker is an observer of its own: stores must have completed before it is relied on. */
static __always_inline void pte_publish(void)
{
	dsb(ishst);
	isb();
}

#endif
