/* SPDX-License-Identifier: MIT */
/*
 * Page-table entries of Sv39; what <hal/pt_radix.h> asks for.
 *
 * Accessed and dirty are always set: hardware may either set them or fault, and nothing reads them.
 * A page without rights (PROT_NONE) cannot have V set with R, W and X clear, as that is a table: it is an
 * entry with V clear and the software bit PTE_NONE. Memory types need no bits: devices are uncached by
 * their physical address (PMA); Svpbmt overrides are not used.
 * Source: RISC-V Privileged Architecture, Sv39.
 */
#ifndef ARCH_PTE_H
#define ARCH_PTE_H

#include <compiler.h>
#include <hal/paging.h>
#include <types.h>

#define PT_LEVELS	  3
#define PT_MAX_LEAF_LEVEL 2
#define PT_SHARED_ROOT	  1
#define PT_MAP_LINEAR	  1
#define PT_MAP_IMAGE	  1
#define PT_EMPTY_ZERO	  1

#define PTE_V	 0x001ULL
#define PTE_R	 0x002ULL
#define PTE_W	 0x004ULL
#define PTE_X	 0x008ULL
#define PTE_U	 0x010ULL
#define PTE_G	 0x020ULL
#define PTE_A	 0x040ULL
#define PTE_D	 0x080ULL
#define PTE_NONE 0x100ULL /* software: a page without rights */
#define PTE_SEMI 0x200ULL /* software: write-only asked for, R added because W alone is reserved */

#define PTE_PPN_SHIFT 10
#define PTE_PPN_MASK  0x003ffffffffffc00ULL

static inline bool pte_present(pte_t e, unsigned int level)
{
	return e & (PTE_V | PTE_NONE);
}

static inline bool pte_is_leaf(pte_t e, unsigned int level)
{
	return level == 0 || (e & (PTE_R | PTE_W | PTE_X | PTE_NONE));
}

static inline paddr_t pte_pa(pte_t e, unsigned int level)
{
	return (e & PTE_PPN_MASK) >> PTE_PPN_SHIFT << 12;
}

static inline unsigned int pte_prot(pte_t e)
{
	unsigned int prot = 0;

	if (e & PTE_V) {
		prot |= (e & PTE_R) && !(e & PTE_SEMI) ? HAL_READ : 0;
		prot |= e & PTE_W ? HAL_WRITE : 0;
		prot |= e & PTE_X ? HAL_EXEC : 0;
	}
	prot |= e & PTE_U ? HAL_USER : 0;
	prot |= e & PTE_G ? HAL_GLOBAL : 0;
	return prot;
}

static inline pte_t pte_leaf(paddr_t pa, unsigned int prot, unsigned int level)
{
	pte_t e = pa >> 12 << PTE_PPN_SHIFT | PTE_A | PTE_D;

	e |= prot & HAL_READ ? PTE_R : 0;
	e |= prot & HAL_WRITE ? PTE_W : 0;
	e |= prot & HAL_EXEC ? PTE_X : 0;
	e |= prot & HAL_USER ? PTE_U : 0;
	e |= prot & HAL_GLOBAL ? PTE_G : 0;
	if ((prot & (HAL_READ | HAL_WRITE)) == HAL_WRITE)
		e |= PTE_R | PTE_SEMI;
	return e | (prot & (HAL_READ | HAL_WRITE | HAL_EXEC) ? PTE_V : PTE_NONE);
}

static inline pte_t pte_table(paddr_t pa, bool user)
{
	return pa >> 12 << PTE_PPN_SHIFT | PTE_V;
}

static inline pte_t pte_wrprotect(pte_t leaf)
{
	return leaf & ~PTE_W;
}

/*
 * An invalid entry may be cached, so a new one can be missed once: the page fault that this causes
 * resolves to "already there", and trap code flushes an address that faults twice in a row (fault_note()
 * in trap.c). Here only the stores must be visible before what follows.
 */
static inline void pte_publish(void)
{
	__asm__ __volatile__("fence w, rw" ::: "memory");
}

#endif
