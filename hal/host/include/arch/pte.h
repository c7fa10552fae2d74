/* SPDX-License-Identifier: MIT */
/* Page-table entries of the host's pretended CPU, for hal/common/pagetable.c (see <hal/pt_radix.h>). */
#ifndef ARCH_PTE_H
#define ARCH_PTE_H

#include <hal/paging.h>
#include <hal/pt_radix.h>

#define PTE_PRESENT	1ULL
#define PTE_PROT_SHIFT	1 /* seven bits of HAL_* */
#define PTE_PROT	0xfeULL
#define PTE_TABLE	(1ULL << 8)
#define PTE_ADDR	0x000ffffffffff000ULL

#define PT_LEVELS	  4
#define PT_MAX_LEAF_LEVEL 1
#define PT_SHARED_ROOT	  0
#define PT_MAP_LINEAR	  0
#define PT_MAP_IMAGE	  0
#define PT_EMPTY_ZERO	  1
#define ARCH_HAS_IOREMAP

static inline bool pte_present(pte_t e, unsigned int level)
{
	(void)level;
	return e & PTE_PRESENT;
}

static inline bool pte_is_leaf(pte_t e, unsigned int level)
{
	(void)level;
	return !(e & PTE_TABLE);
}

static inline paddr_t pte_pa(pte_t e, unsigned int level)
{
	(void)level;
	return e & PTE_ADDR;
}

static inline unsigned int pte_prot(pte_t e)
{
	return (e & PTE_PROT) >> PTE_PROT_SHIFT;
}

static inline pte_t pte_leaf(paddr_t pa, unsigned int prot, unsigned int level)
{
	(void)level;
	return pa | (pte_t)prot << PTE_PROT_SHIFT | PTE_PRESENT;
}

static inline pte_t pte_table(paddr_t pa, bool user)
{
	(void)user;
	return pa | PTE_TABLE | PTE_PRESENT;
}

static inline pte_t pte_wrprotect(pte_t leaf)
{
	return leaf & ~((pte_t)HAL_WRITE << PTE_PROT_SHIFT);
}

static inline void pte_publish(void)
{
}

#endif
