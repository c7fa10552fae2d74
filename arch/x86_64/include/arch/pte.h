/* SPDX-License-Identifier: MIT */
/*
 * Page-table entries of x86_64, for hal/common/pagetable.c (see <hal/pt_radix.h>).
 *
 * A page without rights (PROT_NONE) keeps its address but not the P bit; PTE_SOFT marks it. Memory
 * types come from the PAT as reset leaves it (PWT selects write-through, PCD uncached-minus, both
 * uncached) except entry 5 (PAT+PWT), which x86_cpu_init() makes write combining.
 */
#ifndef ARCH_PTE_H
#define ARCH_PTE_H

#include <hal/paging.h>
#include <hal/pt_radix.h>

#define PTE_P	  (1ULL << 0)
#define PTE_W	  (1ULL << 1)
#define PTE_U	  (1ULL << 2)
#define PTE_PWT	  (1ULL << 3)
#define PTE_PCD	  (1ULL << 4)
#define PTE_A	  (1ULL << 5)
#define PTE_D	  (1ULL << 6)
#define PTE_PS	  (1ULL << 7)  /* level 1, 2: a large page; level 0: PAT */
#define PTE_G	  (1ULL << 8)
#define PTE_SOFT  (1ULL << 9)  /* holds a page, whatever P says */
#define PTE_READ  (1ULL << 10) /* HAL_READ was asked for (P alone cannot tell read from exec) */
#define PTE_NX	  (1ULL << 63)
#define PTE_ADDR  0x000ffffffffff000ULL
#define PTE_PAT_4K (1ULL << 7)
#define PTE_PAT_2M (1ULL << 12)

#define PT_LEVELS      4
#define PT_SHARED_ROOT 1
#define PT_MAP_LINEAR  1
#define PT_MAP_IMAGE   1
#define PT_EMPTY_ZERO  1

/* 2 where the CPU has 1 GiB pages, else 1. */
extern unsigned int x86_max_leaf_level;
#define PT_MAX_LEAF_LEVEL x86_max_leaf_level

static __always_inline bool pte_present(pte_t e, unsigned int level)
{
	return level ? e & PTE_P : e & PTE_SOFT;
}

static __always_inline bool pte_is_leaf(pte_t e, unsigned int level)
{
	return level == 0 || (e & PTE_PS);
}

static __always_inline paddr_t pte_pa(pte_t e, unsigned int level)
{
	paddr_t pa = e & PTE_ADDR;

	return level && (e & PTE_PS) ? pa & ~PTE_PAT_2M : pa;
}

static __always_inline unsigned int pte_prot(pte_t e)
{
	unsigned int prot = 0;

	prot |= e & PTE_READ ? HAL_READ : 0;
	prot |= e & PTE_W ? HAL_WRITE : 0;
	prot |= (e & PTE_P) && !(e & PTE_NX) ? HAL_EXEC : 0;
	prot |= e & PTE_U ? HAL_USER : 0;
	prot |= e & PTE_G ? HAL_GLOBAL : 0;
	if (e & PTE_PCD)
		prot |= HAL_DEVICE;
	else if (e & PTE_PWT)
		prot |= HAL_WCOMBINE;
	return prot;
}

static __always_inline pte_t pte_leaf(paddr_t pa, unsigned int prot, unsigned int level)
{
	pte_t e = pa | PTE_SOFT | PTE_A | PTE_D;

	if (prot & (HAL_READ | HAL_WRITE | HAL_EXEC))
		e |= PTE_P;
	e |= prot & HAL_READ ? PTE_READ : 0;
	e |= prot & HAL_WRITE ? PTE_W : 0;
	e |= prot & HAL_EXEC ? 0 : PTE_NX;
	e |= prot & HAL_USER ? PTE_U : 0;
	e |= prot & HAL_GLOBAL ? PTE_G : 0;
	e |= level ? PTE_PS : 0;
	if (prot & HAL_DEVICE)
		e |= PTE_PCD | PTE_PWT;
	else if (prot & HAL_WCOMBINE)
		e |= PTE_PWT | (level ? PTE_PAT_2M : PTE_PAT_4K);
	return e;
}

static __always_inline pte_t pte_table(paddr_t pa, bool user)
{
	return pa | PTE_P | PTE_W | PTE_A | (user ? PTE_U : 0);
}

static __always_inline pte_t pte_wrprotect(pte_t e)
{
	return e & ~PTE_W;
}

/* x86 does not cache absent entries and sees stores in order. */
static __always_inline void pte_publish(void)
{
	barrier();
}

#endif
