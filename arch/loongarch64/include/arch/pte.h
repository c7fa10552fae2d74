/* SPDX-License-Identifier: MIT */
/*
 * Page-table entries of loongarch64, as the software refill handler (trap.S) feeds them to the TLB.
 *
 * An upper entry is the physical address of the next table and nothing else; 0 is none. A page entry
 * has bit 7 (free for software) set when it is present: without rights V is 0 and the CPU faults.
 * D is set together with write permission, so that a store to a read-only page is the page-modified
 * exception; hardware never writes to entries. Source: LoongArch Reference Manual, volume 1, 5.4.
 */
#ifndef ARCH_PTE_H
#define ARCH_PTE_H

#include <hal/paging.h>
#include <hal/pt_radix.h>

#define PT_LEVELS	  4
#define PT_MAX_LEAF_LEVEL 0
#define PT_SHARED_ROOT	  0
#define PT_MAP_LINEAR	  0
#define PT_MAP_IMAGE	  1
#define PT_EMPTY_ZERO	  1

#define PTE_V	      (1ULL << 0)
#define PTE_D	      (1ULL << 1)
#define PTE_PLV_USER  (3ULL << 2)
#define PTE_MAT_CC    (1ULL << 4) /* coherent cached; 0: strongly ordered uncached */
#define PTE_MAT_WUC   (2ULL << 4) /* weakly ordered uncached */
#define PTE_MAT_MASK  (3ULL << 4)
#define PTE_G	      (1ULL << 6)
#define PTE_PRESENT   (1ULL << 7)
#define PTE_W	      (1ULL << 8)
#define PTE_NR	      (1ULL << 61)
#define PTE_NX	      (1ULL << 62)
#define PTE_ADDR_MASK 0x0000fffffffff000ULL
#define PTE_CPU_FLAGS 0x7fULL /* V D PLV MAT G: the low bits that a TLB entry has */

static inline bool pte_present(pte_t e, unsigned int level)
{
	return level ? e != 0 : (e & PTE_PRESENT) != 0;
}

static inline bool pte_is_leaf(pte_t e, unsigned int level)
{
	(void)e;
	return level == 0;
}

static inline paddr_t pte_pa(pte_t e, unsigned int level)
{
	(void)level;
	return e & PTE_ADDR_MASK;
}

static inline unsigned int pte_prot(pte_t e)
{
	unsigned int prot = 0;

	if ((e & PTE_V) && !(e & PTE_NR))
		prot |= HAL_READ;
	if (e & PTE_W)
		prot |= HAL_WRITE;
	if ((e & PTE_V) && !(e & PTE_NX))
		prot |= HAL_EXEC;
	if (e & PTE_PLV_USER)
		prot |= HAL_USER;
	if (e & PTE_G)
		prot |= HAL_GLOBAL;
	if ((e & PTE_MAT_MASK) == 0)
		prot |= HAL_DEVICE;
	if ((e & PTE_MAT_MASK) == PTE_MAT_WUC)
		prot |= HAL_WCOMBINE;
	return prot;
}

static inline pte_t pte_leaf(paddr_t pa, unsigned int prot, unsigned int level)
{
	pte_t e = (pa & PTE_ADDR_MASK) | PTE_PRESENT;

	(void)level;
	if (prot & (HAL_READ | HAL_WRITE | HAL_EXEC))
		e |= PTE_V;
	if (prot & HAL_WRITE)
		e |= PTE_W | PTE_D;
	if (!(prot & (HAL_READ | HAL_WRITE)))
		e |= PTE_NR;
	if (!(prot & HAL_EXEC))
		e |= PTE_NX;
	if (prot & HAL_USER)
		e |= PTE_PLV_USER;
	if (prot & HAL_GLOBAL)
		e |= PTE_G;
	if (prot & HAL_WCOMBINE)
		e |= PTE_MAT_WUC;
	else if (!(prot & HAL_DEVICE))
		e |= PTE_MAT_CC;
	return e;
}

static inline pte_t pte_table(paddr_t pa, bool user)
{
	(void)user;
	return pa;
}

static inline pte_t pte_wrprotect(pte_t leaf)
{
	return leaf & ~(PTE_W | PTE_D);
}

/* The walker is software and reads memory like any load: only the order of stores matters. */
static inline void pte_publish(void)
{
	__asm__ __volatile__("dbar 0x1a" ::: "memory");
}

#endif
