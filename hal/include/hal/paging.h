/* SPDX-License-Identifier: MIT */
/*
 * Page tables, TLB, and user access.
 *
 * struct hal_pt (<arch/paging.h>) is one user address space's table, opaque above. hal/common/pagetable.c
 * implements it for every arch with a multi-level radix table; <arch/pte.h> tells it the entry
 * format: PT_LEVELS (may be a variable), pte_t, pte_make_table/leaf, pte_present/leaf/pa/prot, pte_set, ...
 *
 * Locking: the caller (mm) serialises all changes of one table but hal_pt_fill() with its page-table lock; hardware
 * walks run at any time, so entries are written with single stores. None of the functions sleeps.
 * Table pages come from upcall_pt_alloc(), which returns a zeroed page or 0.
 * Changes that take rights away or replace a page need a hal_tlb_flush_*() before the page is reused.
 *
 * Kernel address space, defined by <arch/layout.h>:
 *	USER_END           first address that is not a user address
 *	LINEAR_BASE        linear map: virt = phys - LINEAR_PHYS_BASE + LINEAR_BASE; arch_phys_to_virt/arch_virt_to_phys
 *	                   (kernel-image addresses: arch_image_to_phys)
 *	VMALLOC_BASE/END   4 KiB mappings: kernel stacks, ioremap
 *	KERNEL_BASE        the image
 */
#ifndef HAL_PAGING_H
#define HAL_PAGING_H

#include <arch/layout.h>
#include <arch/paging.h>
#include <compiler.h>
#include <types.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE  (1UL << PAGE_SHIFT)
#define PAGE_MASK  (~(PAGE_SIZE - 1))

enum hal_prot {
	HAL_READ = 1,
	HAL_WRITE = 2,
	HAL_EXEC = 4,
	HAL_USER = 8,
	HAL_GLOBAL = 16,   /* kernel mappings, kept over address-space switches */
	HAL_DEVICE = 32,   /* strongly ordered, uncached */
	HAL_WCOMBINE = 64, /* uncached, write combining */
};

static inline void *phys_to_virt(paddr_t pa)
{
	return arch_phys_to_virt(pa);
}
/* Of a linear-map address only. */
static inline paddr_t virt_to_phys(const void *va)
{
	return arch_virt_to_phys(va);
}

/* What a table says of a page. */
struct hal_pte_info {
	paddr_t pa;
	unsigned int prot;
};

/**
 * hal_paging_init() - build the final kernel page table: image W^X (text RX, rodata R, data RW), all RAM of boot_info
 * in the linear map with the largest pages (never executable), room for VMALLOC shared by all address spaces.
 * Context: boot CPU, once, early page allocator up.
 */
void hal_paging_init(void);

/** hal_kernel_map() - map [va, va+size) in VMALLOC space to contiguous @pa. Return: 0 or -ENOMEM. */
int hal_kernel_map(vaddr_t va, paddr_t pa, size_t size, unsigned int prot);
/** hal_kernel_unmap() - remove and flush on all CPUs (interrupts must be on). */
void hal_kernel_unmap(vaddr_t va, size_t size);
/** hal_kernel_query() - how the kernel's own table maps the page of @va; false where it does not (or a window without pages does). */
bool hal_kernel_query(vaddr_t va, struct hal_pte_info *out);
/** hal_ioremap() - kernel mapping of device registers, for good. Returns NULL if out of space or memory. Works from early boot
 *  on once hal_paging_init() ran (an arch may answer from a direct uncached window). */
void *hal_ioremap(paddr_t pa, size_t size);

/** hal_pt_init() - make an empty user table. Return: 0 or -ENOMEM. */
int hal_pt_init(struct hal_pt *pt);
/** hal_pt_fini() - free all table pages. Everything must have been unmapped; not active on any CPU. */
void hal_pt_fini(struct hal_pt *pt);

/**
 * hal_pt_map() - enter one page, replacing what was there.
 * @va: user address, page-aligned; @prot: HAL_* (HAL_USER implied)
 * Return: 0 or -ENOMEM (nothing changed). New entries need no flush (the arch does what it needs for negative caching);
 * if a present entry is replaced the caller flushes.
 */
int hal_pt_map(struct hal_pt *pt, uaddr_t va, paddr_t pa, unsigned int prot);

/**
 * hal_pt_fill() - enter one page if there is none, without the lock that serialises changes.
 * Who holds that lock meanwhile may remove and replace what is present, but must not write to an entry of this range that is empty.
 * Return: 1 when entered, 0 when there is a page (or one is being replaced), -ENOENT where the table for it is missing.
 */
int hal_pt_fill(struct hal_pt *pt, uaddr_t va, paddr_t pa, unsigned int prot);
/** hal_pt_make_table() - have the last-level table that holds @va. Return: 0 or -ENOMEM. */
int hal_pt_make_table(struct hal_pt *pt, uaddr_t va);

/**
 * hal_pt_map_pages() - fault-around: enter pages at consecutive addresses, not crossing a last-level table (2 MiB).
 * Entries with pas[i] == 0 and slots already present are skipped. *mapped gets a bit per page entered (n <= 64).
 * Return: 0 or -ENOMEM.
 */
int hal_pt_map_pages(struct hal_pt *pt, uaddr_t va, const paddr_t *pas, unsigned int n,
		     unsigned int prot, u64 *mapped);

/** hal_pt_query() - look one page up. Return: true if present. Needs no lock: tables go away with hal_pt_fini() only. */
bool hal_pt_query(struct hal_pt *pt, uaddr_t va, struct hal_pte_info *out);

/** hal_pt_next() - the first present page of [start, end); @end if there is none. Absent tables are skipped quickly. */
uaddr_t hal_pt_next(struct hal_pt *pt, uaddr_t start, uaddr_t end);
/** hal_pt_unmap() - remove all pages of [start, end), calling @fn (may be NULL) for each; frees tables that become empty only in fini. */
void hal_pt_unmap(struct hal_pt *pt, uaddr_t start, uaddr_t end,
		  void (*fn)(void *ctx, uaddr_t va, paddr_t pa, unsigned int prot), void *ctx);

/** hal_pt_protect() - give all present pages of [start, end) the rights @prot; absent tables are skipped quickly. */
void hal_pt_protect(struct hal_pt *pt, uaddr_t start, uaddr_t end, unsigned int prot);

/** hal_pt_move() - move present entries of [from, from+size) to [to, ...) (mremap). Return: 0 or -ENOMEM (what moved stays moved; call again or undo). */
int hal_pt_move(struct hal_pt *pt, uaddr_t from, uaddr_t to, size_t size);

/**
 * hal_pt_clone() - fork: copy the present entries of [start, end) from @src to @dst.
 * @cow: take write permission away in both (the caller flushes src afterwards)
 * @fn:  called for each page copied, to take a reference
 * Return: 0 or -ENOMEM (dst holds what was copied so far, each with its reference taken).
 */
int hal_pt_clone(struct hal_pt *dst, struct hal_pt *src, uaddr_t start, uaddr_t end, bool cow,
		 void (*fn)(void *ctx, paddr_t pa), void *ctx);

/** hal_pt_activate() - make @pt (NULL: kernel only) this CPU's table; allocates an ASID as needed. Interrupts off. */
void hal_pt_activate(struct hal_pt *pt);

/*
 * TLB: forget translations of @pt on every CPU that may hold them; done when the call returns.
 * Context: interrupts on, because CPUs answer each other's requests while they wait; spinlocks that are
 * never taken with interrupts off may be held.
 */
void hal_tlb_flush_page(struct hal_pt *pt, uaddr_t va);
void hal_tlb_flush_range(struct hal_pt *pt, uaddr_t start, uaddr_t end);
void hal_tlb_flush_all(struct hal_pt *pt);

/** hal_icache_sync() - make instructions written to [va, va+len) of the linear map visible to execution on all CPUs. */
void hal_icache_sync(const void *va, size_t len);
/* Data caches: devices see them; the one that does not is served by io_cache_flush() (hal/io.h). */

/*
 * User access with fault recovery. A fault on a user address goes to upcall_kernel_fault(), which may
 * sleep and resolve it; if it cannot, the copy ends early. Addresses >= USER_END fail at once.
 * Context: current task with an address space, may sleep, no spinlocks, no vm lock.
 * Return: number of bytes NOT copied (0 = all); strncpy: length without NUL, or -EFAULT (n if no NUL was found).
 */
size_t hal_copy_from_user(void *dst, uaddr_t src, size_t n);
size_t hal_copy_to_user(uaddr_t dst, const void *src, size_t n);
size_t hal_clear_user(uaddr_t dst, size_t n);
long hal_strncpy_from_user(char *dst, uaddr_t src, size_t n);
/* Single aligned words, inline-cheap: 0 or -EFAULT. */
int hal_get_user32(u32 *val, uaddr_t src);
int hal_get_user64(u64 *val, uaddr_t src);
int hal_put_user32(uaddr_t dst, u32 val);
int hal_put_user64(uaddr_t dst, u64 val);
/* Atomic compare-and-exchange on a user word (futex): 0 and *old, or -EFAULT. */
int hal_cmpxchg_user32(uaddr_t addr, u32 expected, u32 desired, u32 *old);

#endif
