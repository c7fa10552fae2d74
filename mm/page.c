/* SPDX-License-Identifier: MIT */
/*
 * The page allocator: a buddy system per zone, with a small stack of single pages per CPU in front.
 *
 * page_alloc()/page_free() (mm/page.h) are the interface. A free block of 2^n pages is linked into its zone's list n through
 * its first page; freeing merges it with its buddy (the block whose index differs in bit n only)
 * while that is free and of the same order. Single pages go through the CPU's stack, refilled and
 * drained PCP_BATCH at a time.
 *
 * Locking: zone->lock (RANK_BUDDY) with interrupts off, because interrupt handlers allocate; the per-CPU stack
 * with interrupts off.
 *
 * struct page array: one flat array if RAM is reasonably dense; otherwise the array is a virtual one in VMALLOC space with
 * only the parts mapped that describe RAM. Of a block of the largest order that is free at boot only the first struct page is
 * written; it is marked PAGE_RAW, and the others are when the block is first taken. So the time to boot hardly
 * grows with RAM.
 */
#include <hal/boot.h>
#include <hal/cpu.h>
#include <hal/upcall.h>
#include <lib/bitops.h>
#include <lib/string.h>
#include <lock.h>
#include <mm/internal.h>

#define MAX_ORDER 11 /* orders 0..10: up to 4 MiB */
#define RAW_PAGES (1ULL << (MAX_ORDER - 1))
#define PAGE_RAW  0x80 /* of page->flags; zone->lock */
#define PCP_LEAST 64
#define PCP_MOST  512
#define PCP_BATCH 32

enum zone_id { ZONE_DMA32, ZONE_NORMAL, NZONES };

struct zone {
	struct spinlock lock;
	struct list free[MAX_ORDER]; /* lock */
	u64 nfree;		     /* lock: pages */
};

struct pcp {
	unsigned int count;
	struct page *page[PCP_MOST];
};

struct page *page_array;
paddr_t page_array_base;
u64 page_array_count;
struct page *zero_page;

static struct zone zones[NZONES];
static u64 total_pages, reserve_pages;
static bool buddy_up;
/* Pages on a CPU's stack: of all stacks less than 1 % of memory, if that is not small. */
static unsigned int pcp_max = PCP_LEAST;
static DEFINE_PERCPU(struct pcp, page_stack);

struct mm_counters {
	s64 pages[PAGE_TYPES];
};
static DEFINE_PERCPU(struct mm_counters, counters);

#define MAX_SHRINKERS 8
static u64 (*shrinkers[MAX_SHRINKERS])(void);
static unsigned int nshrinkers;

/* Per-CPU sums; only their total means something. Interrupts may interleave: the update is atomic. */
void account_pages(enum page_type type, s64 npages)
{
	__atomic_fetch_add(&percpu(counters).pages[type], npages, __ATOMIC_RELAXED);
}

static s64 counted(enum page_type type)
{
	s64 n = 0;

	for (unsigned int cpu = 0; cpu < boot_info.ncpus; cpu++)
		n += READ_ONCE(percpu_of(counters, cpu).pages[type]);
	return n < 0 ? 0 : n;
}

void mm_get_stats(struct mm_stats *out)
{
	*out = (struct mm_stats){
		.total = total_pages,
		.kernel = (u64)counted(PAGE_KERNEL),
		.slab = (u64)counted(PAGE_SLAB),
		.anon = (u64)counted(PAGE_ANON),
		.cache = (u64)counted(PAGE_CACHE),
		.tables = (u64)counted(PAGE_TABLE),
	};
	for (int i = 0; i < NZONES; i++)
		out->free += READ_ONCE(zones[i].nfree);
	for (unsigned int cpu = 0; cpu < boot_info.ncpus; cpu++)
		out->free += READ_ONCE(percpu_of(page_stack, cpu).count);
}

void mm_register_shrinker(u64 (*fn)(void))
{
	if (nshrinkers == MAX_SHRINKERS)
		panic("too many memory shrinkers");
	shrinkers[nshrinkers++] = fn;
}

/* ---- the buddy system; zone->lock held ---- */

static u64 page_index(const struct page *page)
{
	return (u64)(page - page_array) + (page_array_base >> PAGE_SHIFT);
}

static struct page *buddy_of(struct page *page, unsigned int order)
{
	u64 pfn = page_index(page) ^ (1ULL << order);
	u64 first = page_array_base >> PAGE_SHIFT;

	if (pfn < first || pfn - first >= page_array_count)
		return NULL;
	return &page_array[pfn - first];
}

static void zone_add_free(struct zone *z, struct page *page, unsigned int order)
{
	page->type = PAGE_FREE;
	page->order = (u8)order;
	list_add(&page->link, &z->free[order]);
}

/*
 * A buddy is free and whole exactly if it is marked PAGE_FREE with this order: pages inside a block
 * or allocated have another type, pages that are no RAM are PAGE_RESERVED.
 */
static void zone_free_block(struct zone *z, struct page *page, unsigned int order)
{
	z->nfree += 1ULL << order;
	for (; order < MAX_ORDER - 1; order++) {
		struct page *buddy = buddy_of(page, order);

		if (!buddy || buddy->type != PAGE_FREE || buddy->order != order ||
		    buddy->zone != page->zone)
			break;
		list_del(&buddy->link);
		buddy->type = PAGE_KERNEL;
		if (buddy < page)
			page = buddy;
	}
	zone_add_free(z, page, order);
}

static unsigned int zone_of(paddr_t pa)
{
	return pa >= 1ULL << 32 ? ZONE_NORMAL : ZONE_DMA32;
}

/*
 * Set the first word of @n struct pages: there are many, so each costs one store.
 * Little-endian, as all our machines are.
 */
static void set_heads(struct page *page, u64 n, u32 refcount, enum page_type type,
		      unsigned int zone)
{
	u64 head = refcount | (u64)type << 32 | (u64)zone << 48;

	static_assert(offsetof(struct page, refcount) == 0 && offsetof(struct page, type) == 4 &&
			      offsetof(struct page, order) == 5 &&
			      offsetof(struct page, zone) == 6 && offsetof(struct page, flags) == 7,
		      "the first word of struct page");
	for (u64 i = 0; i < n; i++)
		memcpy(&page[i], &head, sizeof(head));
}

/* The struct pages of a block of the largest order, which boot has left as they were. */
static __noinline void open_raw_block(struct page *page)
{
	unsigned int zone = page->zone;

	memset(page, 0, RAW_PAGES * sizeof(*page));
	set_heads(page, RAW_PAGES, 0, PAGE_KERNEL, zone);
}

static struct page *zone_take_block(struct zone *z, unsigned int order)
{
	for (unsigned int o = order; o < MAX_ORDER; o++) {
		struct page *page;

		if (list_empty(&z->free[o]))
			continue;
		page = list_first_entry(&z->free[o], struct page, link);
		list_del(&page->link);
		if (unlikely(page->flags & PAGE_RAW))
			open_raw_block(page);
		while (o > order) {
			o--;
			zone_add_free(z, page + (1ULL << o), o);
		}
		page->type = PAGE_KERNEL;
		page->order = (u8)order;
		z->nfree -= 1ULL << order;
		return page;
	}
	return NULL;
}

static u64 nfree_pages(void)
{
	u64 n = 0;

	for (int i = 0; i < NZONES; i++)
		n += READ_ONCE(zones[i].nfree);
	return n;
}

/* From the high zone first, so that memory below 4 GiB lasts for those who need it. */
static struct page *buddy_alloc(unsigned int order)
{
	for (int i = NZONES; i-- > 0;) {
		struct zone *z = &zones[i];
		struct page *page;

		if (READ_ONCE(z->nfree) < 1ULL << order)
			continue;
		spin_lock(&z->lock);
		page = zone_take_block(z, order);
		spin_unlock(&z->lock);
		if (page)
			return page;
	}
	return NULL;
}

static void buddy_free(struct page *page, unsigned int order)
{
	struct zone *z = &zones[page->zone];

	spin_lock(&z->lock);
	zone_free_block(z, page, order);
	spin_unlock(&z->lock);
}

/* ---- the per-CPU stacks; interrupts off ---- */

static __noinline void pcp_refill(struct pcp *pcp)
{
	for (int i = NZONES; i-- > 0 && pcp->count < PCP_BATCH;) {
		struct zone *z = &zones[i];
		struct page *page;

		if (!READ_ONCE(z->nfree))
			continue;
		spin_lock(&z->lock);
		while (pcp->count < PCP_BATCH && (page = zone_take_block(z, 0)))
			pcp->page[pcp->count++] = page;
		spin_unlock(&z->lock);
	}
}

/* Give the single pages to their zones, each of which is locked once for its part of them. */
static __noinline void pcp_drain(struct pcp *pcp, unsigned int keep)
{
	struct zone *locked = NULL;

	while (pcp->count > keep) {
		struct page *page = pcp->page[--pcp->count];
		struct zone *z = &zones[page->zone];

		if (z != locked) {
			if (locked)
				spin_unlock(&locked->lock);
			spin_lock(&z->lock);
			locked = z;
		}
		zone_free_block(z, page, 0);
	}
	if (locked)
		spin_unlock(&locked->lock);
}

static struct page *try_alloc(unsigned int gfp, unsigned int order)
{
	unsigned long flags = hal_irq_save();
	struct page *page = NULL;

	if ((gfp & GFP_USER) && unlikely(nfree_pages() < reserve_pages))
		goto out;
	if (order == 0) {
		struct pcp *pcp = &percpu(page_stack);

		if (unlikely(!pcp->count))
			pcp_refill(pcp);
		if (likely(pcp->count))
			page = pcp->page[--pcp->count];
	} else {
		page = buddy_alloc(order);
		if (!page) {
			pcp_drain(&percpu(page_stack), 0);
			page = buddy_alloc(order);
		}
	}
out:
	hal_irq_restore(flags);
	return page;
}

bool mm_shrink(void)
{
	u64 freed = 0;

	for (unsigned int i = 0; i < nshrinkers; i++)
		freed += shrinkers[i]();
	return freed != 0;
}

struct page *page_alloc(unsigned int gfp, unsigned int order)
{
	struct page *page = try_alloc(gfp, order);

	if (unlikely(!page)) {
		if ((gfp & GFP_ATOMIC) || !mm_shrink())
			return NULL;
		page = try_alloc(gfp, order);
		if (!page)
			return NULL;
	}
	page->refcount = 1;
	page->type = PAGE_KERNEL;
	page->flags = 0;
	page->private_data = 0;
	account_pages(PAGE_KERNEL, 1LL << order);
	if (gfp & GFP_ZERO)
		memset(page_to_virt(page), 0, PAGE_SIZE << order);
	return page;
}

static void free_block(struct page *page, unsigned int order)
{
	unsigned long flags;

	account_pages(page->type, -(1LL << order));
	page->type = PAGE_KERNEL;
	page->refcount = 0;
	flags = hal_irq_save();
	if (order == 0) {
		struct pcp *pcp = &percpu(page_stack);

		if (unlikely(pcp->count >= pcp_max))
			pcp_drain(pcp, pcp_max - PCP_BATCH);
		pcp->page[pcp->count++] = page;
	} else {
		buddy_free(page, order);
	}
	hal_irq_restore(flags);
}

void page_free(struct page *page, unsigned int order)
{
	if (unlikely(page_count(page) != 1))
		panic("page %llx freed with %u references", page_to_phys(page), page_count(page));
	free_block(page, order);
}

void page_put(struct page *page)
{
	u32 old = __atomic_fetch_sub(&page->refcount, 1, __ATOMIC_ACQ_REL);

	if (unlikely(old == 0))
		panic("page %llx put once too often", page_to_phys(page));
	if (old == 1)
		free_block(page, 0);
}

void page_set_type(struct page *page, enum page_type type)
{
	account_pages(page->type, -1);
	page->type = (u8)type;
	account_pages(type, 1);
}

void *kpages_alloc(unsigned int gfp, unsigned int order)
{
	struct page *page = page_alloc(gfp, order);

	return page ? page_to_virt(page) : NULL;
}

void kpages_free(void *va, unsigned int order)
{
	page_free(virt_to_page(va), order);
}

/* ---- page tables (hal/upcall.h) ---- */

paddr_t upcall_pt_alloc(void)
{
	struct page *page;

	if (unlikely(!buddy_up))
		return virt_to_phys(early_alloc(PAGE_SIZE, PAGE_SIZE));
	page = page_alloc(GFP_ATOMIC | GFP_ZERO, 0);
	if (!page)
		return 0;
	page_set_type(page, PAGE_TABLE);
	return page_to_phys(page);
}

void upcall_pt_free(paddr_t pa)
{
	page_put(phys_to_page(pa));
}

/* ---- register state (hal/upcall.h) ---- */

static unsigned int state_order(size_t size)
{
	return ilog2_up((size + PAGE_SIZE - 1) / PAGE_SIZE);
}

void *upcall_state_alloc(size_t size)
{
	return kpages_alloc(GFP_ATOMIC | GFP_ZERO, state_order(size));
}

void upcall_state_free(void *state, size_t size)
{
	kpages_free(state, state_order(size));
}

/* ---- boot ---- */

static void __init free_range(paddr_t base, u64 size)
{
	u64 pfn = base >> PAGE_SHIFT, end = (base + size) >> PAGE_SHIFT;

	while (pfn < end) {
		unsigned int order = MAX_ORDER - 1;
		struct page *page = phys_to_page(pfn << PAGE_SHIFT);

		while ((pfn & ((1ULL << order) - 1)) || pfn + (1ULL << order) > end)
			order--;
		if (order < MAX_ORDER - 1)
			set_heads(page, 1ULL << order, 0, PAGE_KERNEL, zone_of(pfn << PAGE_SHIFT));
		buddy_free(page, order);
		pfn += 1ULL << order;
	}
}

void mm_free_boot_range(paddr_t base, u64 size)
{
	paddr_t start = ALIGN_UP(base, PAGE_SIZE), end = ALIGN_DOWN(base + size, PAGE_SIZE);

	for (; start < end; start += PAGE_SIZE) {
		struct page *page = phys_to_page(start);

		if (page && page->type == PAGE_RESERVED && page->refcount == 1) {
			total_pages++;
			page->type = PAGE_KERNEL;
			account_pages(PAGE_KERNEL, 1);
			page_free(page, 0);
		}
	}
}

/*
 * Map the part of the virtual struct page array that describes @ram, rounded to the largest blocks
 * so that every buddy can be looked at. Ranges are sorted: what is below @mapped_to is there already.
 */
static vaddr_t __init map_page_array_part(const struct boot_range *ram, vaddr_t mapped_to)
{
	const u64 block = PAGE_SIZE << (MAX_ORDER - 1);
	u64 first = (max(ALIGN_DOWN(ram->base, block), page_array_base) - page_array_base) >>
		    PAGE_SHIFT;
	u64 last = (ALIGN_UP(ram->base + ram->size, block) - page_array_base) >> PAGE_SHIFT;
	vaddr_t from = ALIGN_DOWN((vaddr_t)(page_array + first), PAGE_SIZE);
	vaddr_t to = ALIGN_UP((vaddr_t)(page_array + last), PAGE_SIZE);
	void *mem;

	from = max(from, mapped_to);
	if (from >= to)
		return mapped_to;
	mem = early_alloc_raw(to - from, PAGE_SIZE);
	if (hal_kernel_map(from, virt_to_phys(mem), to - from, HAL_READ | HAL_WRITE | HAL_GLOBAL))
		panic("cannot map the page array");
	return to;
}

static bool __init is_raw(u64 pfn, u64 end)
{
	return end - pfn == RAW_PAGES && early_is_free(pfn << PAGE_SHIFT, RAW_PAGES << PAGE_SHIFT);
}

static u64 __init block_end(u64 pfn, u64 end)
{
	return min(ALIGN_DOWN(pfn, RAW_PAGES) + RAW_PAGES, end);
}

static struct page *__init struct_page(u64 pfn)
{
	return &page_array[pfn - (page_array_base >> PAGE_SHIFT)];
}

/* Zero the struct pages of [pfn, end). Of a block that is free as a whole only the first is written, and marked. */
static void __init zero_page_structs(u64 pfn, u64 end)
{
	for (u64 next; pfn < end; pfn = next) {
		struct page *page = struct_page(pfn);

		next = block_end(pfn, end);
		if (is_raw(pfn, next)) {
			memset(page, 0, sizeof(*page));
			set_heads(page, 1, 0, PAGE_KERNEL, zone_of(pfn << PAGE_SHIFT));
			page->flags = PAGE_RAW;
		} else {
			memset(page, 0, (next - pfn) * sizeof(*page));
		}
	}
}

/* What is not raw of RAM's pages starts out PAGE_RESERVED with one reference; free_range() makes it free. */
static void __init reserve_page_structs(const struct boot_range *ram)
{
	u64 end = (ram->base + ram->size) >> PAGE_SHIFT;

	for (u64 pfn = ram->base >> PAGE_SHIFT, next; pfn < end; pfn = next) {
		next = block_end(pfn, end);
		if (!is_raw(pfn, next))
			set_heads(struct_page(pfn), next - pfn, 1, PAGE_RESERVED,
				  zone_of(pfn << PAGE_SHIFT));
	}
}

/* After the array is there; @sparse: only the parts that describe RAM, rounded to blocks. */
static void __init init_page_structs(bool sparse)
{
	u64 done = page_array_base >> PAGE_SHIFT;

	if (!sparse)
		zero_page_structs(done, done + page_array_count);
	for (unsigned int i = 0; sparse && i < boot_info.nram; i++) {
		const struct boot_range *ram = &boot_info.ram[i];
		u64 first = ALIGN_DOWN(ram->base >> PAGE_SHIFT, RAW_PAGES);
		u64 end = ALIGN_UP((ram->base + ram->size) >> PAGE_SHIFT, RAW_PAGES);

		zero_page_structs(max(first, done), end);
		done = max(done, end);
	}
	for (unsigned int i = 0; i < boot_info.nram; i++)
		reserve_page_structs(&boot_info.ram[i]);
}

static void __init count_free(paddr_t base, u64 size)
{
	total_pages += size >> PAGE_SHIFT;
	free_range(base, size);
}

void __init page_init(void)
{
	const struct boot_range *last = &boot_info.ram[boot_info.nram - 1];
	u64 span, ram = 0;
	bool sparse;

	for (unsigned int i = 0; i < boot_info.nram; i++)
		ram += boot_info.ram[i].size >> PAGE_SHIFT;
	page_array_base = boot_info.ram[0].base;
	span = (last->base + last->size - page_array_base) >> PAGE_SHIFT;
	sparse = span > ram + ram / 4;
	if (!sparse) {
		page_array = early_alloc_raw(span * sizeof(struct page), PAGE_SIZE);
	} else {
		vaddr_t mapped_to = 0;

		page_array = (struct page *)kernel_va_reserve((span + (1u << MAX_ORDER)) *
							      sizeof(struct page));
		for (unsigned int i = 0; i < boot_info.nram; i++)
			mapped_to = map_page_array_part(&boot_info.ram[i], mapped_to);
	}
	page_array_count = span;
	for (int i = 0; i < NZONES; i++) {
		spin_init(&zones[i].lock, RANK_BUDDY);
		for (unsigned int o = 0; o < MAX_ORDER; o++)
			list_init(&zones[i].free[o]);
	}
	init_page_structs(sparse);
	buddy_up = true;
	early_for_each_free(count_free);
	reserve_pages = clamp(total_pages / 64, 64ULL, 4096ULL);
	pcp_max = (unsigned int)clamp(total_pages / (128ULL * boot_info.ncpus), (u64)PCP_LEAST,
				      (u64)PCP_MOST);
}

static void *__init percpu_alloc(size_t size)
{
	return early_alloc(size, PAGE_SIZE);
}

void __init mm_init(void)
{
	hal_paging_init();
	/* Before the allocators: what the boot CPU has in its caches by then would be in every CPU's. */
	hal_percpu_init(percpu_alloc);
	page_init();
	slab_init();
	vm_init();
	zero_page = page_alloc(GFP_ZERO, 0);
	if (!zero_page)
		panic("no memory for the zero page");
}
