/* SPDX-License-Identifier: MIT */
/*
 * Physical pages: the buddy allocator and what is known of each page.
 *
 * page_alloc()/page_free() deal in blocks of 2^order pages. Order 0 goes through per-CPU caches, so that the
 * common case takes no lock. Pages are reference counted by their users: page_get()/page_put();
 * the last put frees. Every page of RAM has a struct page; page_to_phys() and friends convert.
 * Locking: the allocator's own; struct page fields belong to whoever owns the page (letters below).
 */
#ifndef MM_PAGE_H
#define MM_PAGE_H

#include <compiler.h>
#include <hal/paging.h>
#include <lib/atomic.h>
#include <lib/list.h>
#include <types.h>

/* 0 is what zeroed memory says: not RAM, or never given to the allocator. */
enum page_type {
	PAGE_RESERVED,
	PAGE_FREE,
	PAGE_KERNEL,
	PAGE_SLAB,
	PAGE_ANON,
	PAGE_CACHE,
	PAGE_TABLE,
	PAGE_TYPES
};

#define PAGE_DIRTY    1 /* page cache: differs from the backing store */
#define PAGE_UPTODATE 2
#define PAGE_ICLEAN   8 /* instruction fetch sees what is in it: page_fetchable(), page_written() */
#define PAGE_UNTOUCHED 16 /* room in a file that nobody has written to or mapped yet: zeros, and shown as a hole */
#define PAGE_INITRD   4 /* lies in the initrd image: freed to the buddy like any other when dropped */

struct kmem_cache;
struct vm_object;

struct page {
	u32 refcount; /* atomic; 0: free */
	u8 type;      /* enum page_type; owner */
	u8 order;     /* of the block it heads; buddy lock */
	u8 zone;      /* constant */
	u8 flags;     /* atomic_set_bits8(), atomic_clear_bits8() */
	union {
		struct list link; /* PAGE_FREE: buddy list; owner's list otherwise */
		struct {	  /* PAGE_CACHE */
			struct vm_object *object;
			u64 index;
		};
		struct {		       /* PAGE_SLAB: slab's lock */
			struct list slab_link; /* first page: the cache's partial slabs */
			struct kmem_cache *cache;
		};
	};
	union {
		void *freelist; /* PAGE_SLAB, first page */
		u64 private_data;
	};
	u16 inuse, total; /* PAGE_SLAB, first page: objects */
};

/* Allocation flags. */
#define GFP_KERNEL 0u /* may sleep and reclaim */
#define GFP_ATOMIC 1u /* must not sleep */
#define GFP_ZERO   2u
#define GFP_USER   4u /* for user memory: leaves the kernel's reserve alone, charged to the task's account */

/** page_alloc() - allocate 2^@order contiguous pages with one reference. Returns NULL if there are none. Any context with GFP_ATOMIC. */
struct page *page_alloc(unsigned int gfp, unsigned int order);
/** page_free() - return a block allocated by page_alloc() whose only reference is the caller's. */
void page_free(struct page *page, unsigned int order);
static inline void page_get(struct page *page)
{
	__atomic_fetch_add(&page->refcount, 1, __ATOMIC_RELAXED);
}
/** page_put() - drop a reference of an order-0 page; the last one frees it. */
void page_put(struct page *page);
/** page_set_type() - say what an order-0 page is used for; keeps the statistics exact. */
void page_set_type(struct page *page, enum page_type type);
static inline u32 page_count(const struct page *page)
{
	return __atomic_load_n(&page->refcount, __ATOMIC_ACQUIRE);
}

/** page_written() - after a store through the linear map to a page that may be mapped. Any context. */
static inline void page_written(struct page *page)
{
	if (__atomic_load_n(&page->flags, __ATOMIC_RELAXED) & PAGE_ICLEAN)
		atomic_clear_bits8(&page->flags, PAGE_ICLEAN);
}

/** page_touched() - someone writes to the page, or sees it in a mapping. Any context. */
static inline void page_touched(struct page *page)
{
	if (unlikely(__atomic_load_n(&page->flags, __ATOMIC_RELAXED) & PAGE_UNTOUCHED))
		atomic_clear_bits8(&page->flags, PAGE_UNTOUCHED);
}

/* Conversions. page_of_phys() of an address that is not RAM is NULL. */
extern struct page *page_array;
extern paddr_t page_array_base;
extern u64 page_array_count;
static inline paddr_t page_to_phys(const struct page *page)
{
	return page_array_base + ((paddr_t)(page - page_array) << PAGE_SHIFT);
}
static inline struct page *phys_to_page(paddr_t pa)
{
	u64 i = (pa - page_array_base) >> PAGE_SHIFT;

	return i < page_array_count ? &page_array[i] : NULL;
}
static inline void *page_to_virt(const struct page *page)
{
	return phys_to_virt(page_to_phys(page));
}
/* A page of zeros, which programs share until they write, and the kernel reads where it needs some. Never written. */
extern struct page *zero_page;

static inline struct page *virt_to_page(const void *va)
{
	return phys_to_page(virt_to_phys(va));
}

/** page_fetchable() - before a page is mapped executable: make instruction fetch see its content. Any context. */
static inline void page_fetchable(struct page *page)
{
	if (__atomic_load_n(&page->flags, __ATOMIC_ACQUIRE) & PAGE_ICLEAN)
		return;
	/* In this order: who sees the mark may map the page. A store meanwhile races with the program's own fetch. */
	hal_icache_sync(page_to_virt(page), PAGE_SIZE);
	atomic_set_bits8(&page->flags, PAGE_ICLEAN);
}

/* Kernel memory by address: whole pages; NULL if none. */
void *kpages_alloc(unsigned int gfp, unsigned int order);
void kpages_free(void *va, unsigned int order);

/** mm_init() - take over boot_info's memory: early allocator, kernel page table, buddy, slab. Boot CPU, once. */
void mm_init(void);
/** mm_free_boot_range() - give [base, base+size) that was reserved at boot (initrd, init sections) to the allocator. */
void mm_free_boot_range(paddr_t base, u64 size);

struct mm_stats {
	u64 total, free, kernel, slab, anon, cache, tables; /* pages */
};
void mm_get_stats(struct mm_stats *out);

/** kstack_alloc() - a guarded kernel stack of KSTACK_SIZE bytes (lowest address), cached per CPU; NULL if out of memory. */
#define KSTACK_SIZE (CONFIG_KSTACK_KIB * 1024UL)
void *kstack_alloc(void);
void kstack_free(void *stack);

#endif
