/* SPDX-License-Identifier: MIT */
/*
 * The slab allocator (mm/slab.h): caches of equal objects cut from page blocks ("slabs").
 *
 * Each CPU has a magazine per cache: a small stack of free objects. Allocation pops, freeing
 * pushes; only an empty or full magazine goes to the slabs, half a magazine at a time, under the cache's lock. In a slab the
 * free objects are linked through their first word; an empty slab goes back to the page allocator,
 * but the last one is kept.
 *
 * Every page of a slab says which cache it belongs to, so kfree() needs only the address. Magazines
 * are used with interrupts off, since interrupt handlers allocate; cache->lock is RANK_SLAB.
 */
#include <hal/boot.h>
#include <hal/cpu.h>
#include <hal/upcall.h>
#include <lib/string.h>
#include <lock.h>
#include <mm/internal.h>
#include <mm/slab.h>

#define MAGAZINE_SIZE 30
#define SLAB_MAX_ORDER 3

struct magazine {
	u32 count;
	void *object[MAGAZINE_SIZE];
};

struct kmem_cache {
	struct spinlock lock;
	const char *name;
	u32 size; /* of an object, alignment included */
	u16 per_slab;
	u8 order;
	struct list partial; /* lock: slabs with free objects */
	u64 nslabs, nfree;   /* lock: slabs; free objects in slabs */
	struct list link;    /* caches_lock */
	struct magazine *magazine[CONFIG_NR_CPUS];
};

static struct spinlock caches_lock = SPINLOCK_INIT(RANK_SLAB);
static DEFINE_LIST(caches);

/* kmalloc's sizes: powers of two and the half steps between. */
static const u16 kmalloc_sizes[] = { 16,  32,  48,  64,	  96,	128,  192, 256,
				     384, 512, 768, 1024, 1536, 2048, 4096 };
#define KMALLOC_MAX 4096
static struct kmem_cache *kmalloc_cache[ARRAY_SIZE(kmalloc_sizes)];
static u8 size_class[KMALLOC_MAX / 16 + 1]; /* by size / 16, rounded up */

/* ---- slabs; cache->lock held ---- */

static struct page *slab_head(struct kmem_cache *cache, const void *obj)
{
	return virt_to_page(
		(const void *)ALIGN_DOWN((unsigned long)obj, PAGE_SIZE << cache->order));
}

static bool slab_grow(struct kmem_cache *cache, unsigned int gfp)
{
	struct page *page = page_alloc(gfp & GFP_ATOMIC, cache->order);
	char *base;

	if (!page)
		return false;
	base = page_to_virt(page);
	for (unsigned int i = 0; i < 1u << cache->order; i++) {
		page_set_type(&page[i], PAGE_SLAB);
		page[i].cache = cache;
	}
	page->freelist = NULL;
	for (unsigned int i = cache->per_slab; i-- > 0;) {
		void **obj = (void **)(base + (size_t)i * cache->size);

		*obj = page->freelist;
		page->freelist = obj;
	}
	page->inuse = 0;
	page->total = cache->per_slab;
	cache->nslabs++;
	cache->nfree += cache->per_slab;
	list_add(&page->slab_link, &cache->partial);
	return true;
}

static void slab_release(struct kmem_cache *cache, struct page *page)
{
	list_del(&page->slab_link);
	cache->nslabs--;
	cache->nfree -= cache->per_slab;
	for (unsigned int i = 0; i < 1u << cache->order; i++)
		page_set_type(&page[i], PAGE_KERNEL);
	page_free(page, cache->order);
}

static void *slab_take(struct kmem_cache *cache)
{
	struct page *page = list_first_entry(&cache->partial, struct page, slab_link);
	void **obj = page->freelist;

	page->freelist = *obj;
	cache->nfree--;
	if (++page->inuse == page->total)
		list_del(&page->slab_link);
	return obj;
}

static void slab_give(struct kmem_cache *cache, void *p)
{
	struct page *page = slab_head(cache, p);
	void **obj = p;

	*obj = page->freelist;
	page->freelist = obj;
	cache->nfree++;
	if (page->inuse-- == page->total)
		list_add(&page->slab_link, &cache->partial);
	if (page->inuse == 0 && cache->nfree > 2u * cache->per_slab)
		slab_release(cache, page);
}

/* ---- magazines; interrupts off ---- */

static __noinline bool magazine_refill(struct kmem_cache *cache, struct magazine *mag,
				       unsigned int gfp)
{
	spin_lock(&cache->lock);
	while (mag->count < MAGAZINE_SIZE / 2) {
		if (list_empty(&cache->partial) && (mag->count || !slab_grow(cache, gfp)))
			break;
		mag->object[mag->count++] = slab_take(cache);
	}
	spin_unlock(&cache->lock);
	return mag->count != 0;
}

static __noinline void magazine_drain(struct kmem_cache *cache, struct magazine *mag)
{
	spin_lock(&cache->lock);
	while (mag->count > MAGAZINE_SIZE / 2)
		slab_give(cache, mag->object[--mag->count]);
	spin_unlock(&cache->lock);
}

/* The rare cases are functions of their own that are called last, so that the plain ones need no stack frame. */
static __noinline void *alloc_refilled(struct kmem_cache *cache, unsigned int gfp,
				       unsigned long flags)
{
	struct magazine *mag = cache->magazine[hal_cpu_id()];
	void *obj = NULL;

	if (magazine_refill(cache, mag, gfp | GFP_ATOMIC))
		obj = mag->object[--mag->count];
	hal_irq_restore(flags);
	return obj && (gfp & GFP_ZERO) ? memset(obj, 0, cache->size) : obj;
}

static __noinline void free_drained(struct kmem_cache *cache, void *obj, unsigned long flags)
{
	struct magazine *mag = cache->magazine[hal_cpu_id()];

	magazine_drain(cache, mag);
	mag->object[mag->count++] = obj;
	hal_irq_restore(flags);
}

void *kmem_cache_alloc(struct kmem_cache *cache, unsigned int gfp)
{
	unsigned long flags = hal_irq_save();
	struct magazine *mag = cache->magazine[hal_cpu_id()];
	void *obj;

	if (unlikely(!mag->count))
		return alloc_refilled(cache, gfp, flags);
	obj = mag->object[--mag->count];
	hal_irq_restore(flags);
	return gfp & GFP_ZERO ? memset(obj, 0, cache->size) : obj;
}

void kmem_cache_free(struct kmem_cache *cache, void *obj)
{
	unsigned long flags = hal_irq_save();
	struct magazine *mag = cache->magazine[hal_cpu_id()];

	if (unlikely(mag->count == MAGAZINE_SIZE)) {
		free_drained(cache, obj, flags);
		return;
	}
	mag->object[mag->count++] = obj;
	hal_irq_restore(flags);
}

/* ---- creating caches ---- */

/* Caches live for ever, so their own memory is cut from pages and never returned. */
static void *forever_alloc(size_t size)
{
	static char *next;
	static size_t left;
	void *p;

	size = ALIGN_UP(size, 64); /* no two magazines in a cache line */
	if (size > left) {
		next = kpages_alloc(GFP_ZERO, 1);
		left = 2 * PAGE_SIZE;
		if (!next)
			panic("no memory for slab caches");
	}
	p = next;
	next += size;
	left -= size;
	return p;
}

/* The smallest block that wastes at most an eighth, or the largest allowed. */
static u8 choose_order(size_t size)
{
	u8 order = 0;

	while (order < SLAB_MAX_ORDER && ((PAGE_SIZE << order) < 4 * size ||
					  (PAGE_SIZE << order) % size > (PAGE_SIZE << order) / 8))
		order++;
	return order;
}

struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align)
{
	unsigned long flags = spin_lock_irqsave(&caches_lock);
	struct kmem_cache *cache = forever_alloc(sizeof(*cache));

	size = ALIGN_UP(max(size, sizeof(void *)), max(align, sizeof(void *)));
	spin_init(&cache->lock, RANK_SLAB);
	cache->name = name;
	cache->size = (u32)size;
	cache->order = choose_order(size);
	cache->per_slab = (u16)((PAGE_SIZE << cache->order) / size);
	list_init(&cache->partial);
	for (unsigned int cpu = 0; cpu < boot_info.ncpus; cpu++)
		cache->magazine[cpu] = forever_alloc(sizeof(struct magazine));
	list_add_tail(&cache->link, &caches);
	spin_unlock_irqrestore(&caches_lock, flags);
	return cache;
}

void kmem_cache_stats(void (*fn)(void *ctx, const char *name, size_t size, u64 inuse, u64 total),
		      void *ctx)
{
	struct kmem_cache *cache;

	list_for_each_entry(cache, &caches, link) {
		u64 total = cache->nslabs * cache->per_slab, nfree = READ_ONCE(cache->nfree);

		for (unsigned int cpu = 0; cpu < boot_info.ncpus; cpu++)
			nfree += READ_ONCE(cache->magazine[cpu]->count);
		fn(ctx, cache->name, cache->size, total - nfree, total);
	}
}

void __init slab_init(void)
{
	static const char *const names[] = {
		"kmalloc-16",  "kmalloc-32",  "kmalloc-48",   "kmalloc-64",  "kmalloc-96",
		"kmalloc-128", "kmalloc-192", "kmalloc-256",  "kmalloc-384", "kmalloc-512",
		"kmalloc-768", "kmalloc-1k",  "kmalloc-1536", "kmalloc-2k",  "kmalloc-4k",
	};
	unsigned int c = 0;

	static_assert(ARRAY_SIZE(names) == ARRAY_SIZE(kmalloc_sizes), "a name for every size");
	for (unsigned int i = 0; i < ARRAY_SIZE(kmalloc_sizes); i++)
		kmalloc_cache[i] = kmem_cache_create(names[i], kmalloc_sizes[i], 16);
	for (unsigned int i = 0; i < ARRAY_SIZE(size_class); i++) {
		if (i * 16 > kmalloc_sizes[c])
			c++;
		size_class[i] = (u8)c;
	}
}

/* ---- kmalloc ---- */

static unsigned int size_order(size_t size)
{
	unsigned int order = 0;

	while ((PAGE_SIZE << order) < size)
		order++;
	return order;
}

void *kmalloc(size_t size, unsigned int gfp)
{
	if (likely(size <= KMALLOC_MAX))
		return kmem_cache_alloc(kmalloc_cache[size_class[DIV_ROUND_UP(size, 16)]], gfp);
	if (size > PAGE_SIZE << 10)
		return NULL;
	return kpages_alloc(gfp, size_order(size));
}

void *kzalloc(size_t size, unsigned int gfp)
{
	return kmalloc(size, gfp | GFP_ZERO);
}

void *kcalloc(size_t n, size_t size, unsigned int gfp)
{
	size_t bytes;

	return mul_overflow(n, size, &bytes) ? NULL : kzalloc(bytes, gfp);
}

static size_t usable_size(const void *p)
{
	struct page *page = virt_to_page(p);

	return page->type == PAGE_SLAB ? page->cache->size : PAGE_SIZE << page->order;
}

void *krealloc(void *p, size_t size, unsigned int gfp)
{
	void *q;

	if (p && size <= usable_size(p))
		return p;
	q = kmalloc(size, gfp);
	if (q && p) {
		memcpy(q, p, usable_size(p));
		kfree(p);
	}
	return q;
}

void kfree(const void *p)
{
	struct page *page;

	if (!p)
		return;
	page = virt_to_page(p);
	if (likely(page->type == PAGE_SLAB))
		kmem_cache_free(page->cache, (void *)p);
	else
		page_free(page, page->order);
}

char *kstrdup(const char *s, unsigned int gfp)
{
	size_t n = strlen(s) + 1;
	char *copy = kmalloc(n, gfp);

	return copy ? memcpy(copy, s, n) : NULL;
}
