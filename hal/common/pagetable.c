/* SPDX-License-Identifier: MIT */
/*
 * Page tables: the part of <hal/paging.h> that is the same for every multi-level radix table.
 *
 * What an architecture provides is listed in <hal/pt_radix.h>. A range is walked table by table: an
 * empty entry of an upper table skips all it covers, and one loop over at most 512 entries does the
 * work in the last level. Entries are written with single stores, because hardware reads them at
 * any time; accessed and dirty bits are set from the start, so hardware never writes them.
 *
 * Locking: the caller serialises the changes of one user table, hal_pt_fill() apart. The kernel table has its own lock.
 */
#include <arch/pte.h>
#include <hal/boot.h>
#include <hal/cpu.h>
#include <hal/paging.h>
#include <hal/pt_radix.h>
#include <hal/upcall.h>

#include <err.h>

static struct pt_radix kernel_pt;

/* Used entries of the kernel's root in the kernel half: what every user root gets (PT_SHARED_ROOT). */
static unsigned short kernel_slots[PT_ENTRIES / 2];
static unsigned int nkernel_slots;

static __always_inline unsigned int level_shift(unsigned int level)
{
	return PAGE_SHIFT + 9 * level;
}

static __always_inline unsigned int level_index(unsigned long va, unsigned int level)
{
	return (va >> level_shift(level)) & (PT_ENTRIES - 1);
}

static __always_inline unsigned long level_size(unsigned int level)
{
	return 1UL << level_shift(level);
}

static __always_inline pte_t pte_get(const pte_t *slot)
{
	return READ_ONCE(*slot);
}

static __always_inline void pte_put(pte_t *slot, pte_t e)
{
	WRITE_ONCE(*slot, e);
}

static __always_inline pte_t empty_entry(unsigned int level)
{
#if PT_EMPTY_ZERO
	(void)level;
	return 0;
#else
	return pte_empty(level);
#endif
}

static __always_inline pte_t *table_of(pte_t e, unsigned int level)
{
	return phys_to_virt(pte_pa(e, level));
}

/* A new table whose entries are at @level; 0 when there is no memory. */
static paddr_t table_alloc(unsigned int level)
{
	paddr_t pa = upcall_pt_alloc();

#if !PT_EMPTY_ZERO
	if (pa) {
		pte_t *table = phys_to_virt(pa);

		for (unsigned int i = 0; i < PT_ENTRIES; i++)
			table[i] = pte_empty(level);
	}
#else
	(void)level;
#endif
	return pa;
}

/* ---- Walking ---- */

/* The last-level slot of @va, or NULL where no table covers it. */
static __always_inline pte_t *walk(const struct pt_radix *r, unsigned long va)
{
	pte_t *table = r->root;

	for (unsigned int level = PT_LEVELS - 1; level > 0; level--) {
		pte_t e = pte_get(&table[level_index(va, level)]);

		if (!pte_present(e, level) || pte_is_leaf(e, level))
			return NULL;
		table = table_of(e, level);
	}
	return &table[level_index(va, 0)];
}

/* Put a new table below @slot (an entry at @level). */
static int grow(struct pt_radix *r, pte_t *slot, unsigned int level, bool user)
{
	paddr_t pa = table_alloc(level - 1);

	if (!pa)
		return -ENOMEM;
	if (r->ntables < PT_LOG_SLOTS)
		r->slots[r->ntables] = slot;
	r->ntables++;
	/* hal_pt_query() and the hardware follow the entry without a lock. */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	pte_put(slot, pte_table(pa, user));
	return 0;
}

/* The slot of @va at level @to, tables made on the way; NULL without memory or below a large page. */
static pte_t *walk_alloc(struct pt_radix *r, unsigned long va, unsigned int to, bool user)
{
	pte_t *table = r->root;

	for (unsigned int level = PT_LEVELS - 1; level > to; level--) {
		pte_t *slot = &table[level_index(va, level)];

		if (!pte_present(pte_get(slot), level) && grow(r, slot, level, user))
			return NULL;
		if (pte_is_leaf(pte_get(slot), level))
			return NULL;
		table = table_of(pte_get(slot), level);
	}
	return &table[level_index(va, to)];
}

/*
 * A walk over the last-level tables of [va, end): each next_chunk() gives the part of the range in one
 * table. Absent tables are skipped at the highest level that is empty.
 */
struct chunk {
	unsigned long va; /* address of slot[0] */
	pte_t *slot;
	unsigned int n; /* slots of the range in this table */
};

static bool next_chunk(const struct pt_radix *r, struct chunk *c, unsigned long *va,
		       unsigned long end)
{
	while (*va < end) {
		pte_t *table = r->root;
		unsigned int level = PT_LEVELS - 1;

		for (; level > 0; level--) {
			pte_t e = pte_get(&table[level_index(*va, level)]);

			if (!pte_present(e, level) || pte_is_leaf(e, level))
				break;
			table = table_of(e, level);
		}
		unsigned long stop = ALIGN_DOWN(*va, level_size(level ? level : 1)) +
				     level_size(level ? level : 1);

		/* The last table below the top of the address space wraps to 0. */
		if (stop > end || stop <= *va)
			stop = end;
		if (level == 0) {
			c->va = *va;
			c->slot = &table[level_index(*va, 0)];
			c->n = (stop - *va) >> PAGE_SHIFT;
			*va = stop;
			return true;
		}
		*va = stop;
	}
	return false;
}

/* ---- User tables ---- */

int hal_pt_init(struct hal_pt *pt)
{
	struct pt_radix *r = &pt->radix;
	paddr_t pa = table_alloc(PT_LEVELS - 1);

	if (!pa)
		return -ENOMEM;
	r->root = phys_to_virt(pa);
	r->ntables = 0;
	for (unsigned int i = 0; i < nkernel_slots; i++)
		r->root[kernel_slots[i]] = kernel_pt.root[kernel_slots[i]];
	pte_publish();
	int err = arch_pt_init(pt);

	if (err)
		hal_pt_fini(pt);
	return err;
}

/* Free the tables below @table by looking at every entry: for address spaces larger than the log. */
static void free_scan(pte_t *table, unsigned int level, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		pte_t e = table[i];

		if (!pte_present(e, level) || pte_is_leaf(e, level))
			continue;
		if (level > 1)
			free_scan(table_of(e, level), level - 1, PT_ENTRIES);
		table[i] = empty_entry(level);
		upcall_pt_free(pte_pa(e, level));
	}
}

/* Youngest first, so that a table goes before the one its slot is in. All upper entries look alike. */
static void free_log(struct pt_radix *r)
{
	for (unsigned int i = r->ntables; i-- > 0;) {
		pte_t *slot = r->slots[i];
		paddr_t pa = pte_pa(*slot, 1);

		*slot = empty_entry(1);
		upcall_pt_free(pa);
	}
}

void hal_pt_fini(struct hal_pt *pt)
{
	struct pt_radix *r = &pt->radix;

	arch_pt_fini(pt);
	for (unsigned int i = 0; i < nkernel_slots; i++)
		r->root[kernel_slots[i]] = empty_entry(PT_LEVELS - 1);
	if (PT_EMPTY_ZERO && r->ntables <= PT_LOG_SLOTS)
		free_log(r);
	else
		free_scan(r->root, PT_LEVELS - 1, PT_SHARED_ROOT ? PT_ENTRIES / 2 : PT_ENTRIES);
	upcall_pt_free(virt_to_phys(r->root));
	r->root = NULL;
}

int hal_pt_map(struct hal_pt *pt, uaddr_t va, paddr_t pa, unsigned int prot)
{
	pte_t *slot = walk(&pt->radix, va);

	if (unlikely(!slot))
		slot = walk_alloc(&pt->radix, va, 0, true);
	if (unlikely(!slot))
		return -ENOMEM;
#if PT_BREAK_BEFORE_MAKE
	pte_t old = pte_get(slot);

	/* Another page: no CPU may have the old one cached when it sees the new one. */
	if (pte_present(old, 0) && pte_pa(old, 0) != pa) {
		pte_put(slot, pte_broken(old));
		hal_tlb_flush_page(pt, va);
	}
#endif
	pte_put(slot, pte_leaf(pa, prot | HAL_USER, 0));
	pte_publish();
	return 0;
}

int hal_pt_make_table(struct hal_pt *pt, uaddr_t va)
{
	return walk_alloc(&pt->radix, va, 0, true) ? 0 : -ENOMEM;
}

int hal_pt_fill(struct hal_pt *pt, uaddr_t va, paddr_t pa, unsigned int prot)
{
	pte_t *slot = walk(&pt->radix, va), empty = empty_entry(0);

	if (unlikely(!slot))
		return -ENOENT;
	if (!__atomic_compare_exchange_n(slot, &empty, pte_leaf(pa, prot | HAL_USER, 0), false,
					 __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		return 0;
	pte_publish();
	return 1;
}

int hal_pt_map_pages(struct hal_pt *pt, uaddr_t va, const paddr_t *pas, unsigned int n,
		     unsigned int prot, u64 *mapped)
{
	pte_t *slot = walk_alloc(&pt->radix, va, 0, true);

	*mapped = 0;
	if (!slot)
		return -ENOMEM;
	for (unsigned int i = 0; i < n; i++) {
		if (!pas[i] || pte_present(pte_get(&slot[i]), 0))
			continue;
		pte_put(&slot[i], pte_leaf(pas[i], prot | HAL_USER, 0));
		*mapped |= 1ULL << i;
	}
	pte_publish();
	return 0;
}

bool hal_pt_query(struct hal_pt *pt, uaddr_t va, struct hal_pte_info *out)
{
	pte_t *slot = walk(&pt->radix, va);
	pte_t e = slot ? pte_get(slot) : empty_entry(0);

	if (!pte_present(e, 0))
		return false;
	out->pa = pte_pa(e, 0);
	out->prot = pte_prot(e);
	return true;
}

uaddr_t hal_pt_next(struct hal_pt *pt, uaddr_t start, uaddr_t end)
{
	struct chunk c;

	while (next_chunk(&pt->radix, &c, &start, end))
		for (unsigned int i = 0; i < c.n; i++)
			if (pte_present(pte_get(&c.slot[i]), 0))
				return c.va + i * PAGE_SIZE;
	return end;
}

void hal_pt_unmap(struct hal_pt *pt, uaddr_t start, uaddr_t end,
		  void (*fn)(void *ctx, uaddr_t va, paddr_t pa, unsigned int prot), void *ctx)
{
	struct chunk c;

	while (next_chunk(&pt->radix, &c, &start, end)) {
		for (unsigned int i = 0; i < c.n; i++) {
			pte_t e = pte_get(&c.slot[i]);

			if (!pte_present(e, 0))
				continue;
			pte_put(&c.slot[i], empty_entry(0));
			if (fn)
				fn(ctx, c.va + i * PAGE_SIZE, pte_pa(e, 0), pte_prot(e));
		}
	}
	pte_publish();
}

void hal_pt_protect(struct hal_pt *pt, uaddr_t start, uaddr_t end, unsigned int prot)
{
	struct chunk c;

	while (next_chunk(&pt->radix, &c, &start, end)) {
		for (unsigned int i = 0; i < c.n; i++) {
			pte_t e = pte_get(&c.slot[i]);

			if (pte_present(e, 0))
				pte_put(&c.slot[i], pte_leaf(pte_pa(e, 0), prot | HAL_USER, 0));
		}
	}
	pte_publish();
}

int hal_pt_move(struct hal_pt *pt, uaddr_t from, uaddr_t to, size_t size)
{
	uaddr_t start = from, end = from + size;
	struct chunk c;

	while (next_chunk(&pt->radix, &c, &start, end)) {
		for (unsigned int i = 0; i < c.n; i++) {
			pte_t e = pte_get(&c.slot[i]);

			if (!pte_present(e, 0))
				continue;
			pte_t *slot =
				walk_alloc(&pt->radix, to + (c.va - from) + i * PAGE_SIZE, 0, true);

			if (!slot)
				return -ENOMEM;
			pte_put(&c.slot[i], empty_entry(0));
			pte_put(slot, e);
		}
	}
	pte_publish();
	return 0;
}

/* Copy @n entries, which have the same place in both tables. */
static __always_inline void clone_chunk(pte_t *dst, pte_t *src, unsigned int n, bool cow,
					void (*fn)(void *ctx, paddr_t pa), void *ctx)
{
	for (unsigned int i = 0; i < n; i++) {
		pte_t e = pte_get(&src[i]);

		if (!pte_present(e, 0))
			continue;
		if (cow) {
			pte_t ro = pte_wrprotect(e);

			if (ro != e)
				pte_put(&src[i], ro);
			e = ro;
		}
		pte_put(&dst[i], e);
		fn(ctx, pte_pa(e, 0));
	}
}

int hal_pt_clone(struct hal_pt *dst, struct hal_pt *src, uaddr_t start, uaddr_t end, bool cow,
		 void (*fn)(void *ctx, paddr_t pa), void *ctx)
{
	struct chunk c;
	int err = 0;

	while (!err && next_chunk(&src->radix, &c, &start, end)) {
		unsigned int first = 0;

		/* A table with nothing of the range in it needs no copy. */
		while (first < c.n && !pte_present(pte_get(&c.slot[first]), 0))
			first++;
		if (first == c.n)
			continue;
		pte_t *to = walk_alloc(&dst->radix, c.va, 0, true);

		if (to)
			clone_chunk(to + first, c.slot + first, c.n - first, cow, fn, ctx);
		else
			err = -ENOMEM;
	}
	pte_publish();
	return err;
}

/* ---- The kernel table ---- */

extern char __text_start[], __text_end[], __rodata_start[], __rodata_end[], __data_start[],
	__image_end[];

static unsigned int kernel_map_lock;

static unsigned long kernel_lock(void)
{
	unsigned long flags = hal_irq_save();

	while (__atomic_exchange_n(&kernel_map_lock, 1, __ATOMIC_ACQUIRE))
		hal_cpu_relax();
	return flags;
}

static void kernel_unlock(unsigned long flags)
{
	__atomic_store_n(&kernel_map_lock, 0, __ATOMIC_RELEASE);
	hal_irq_restore(flags);
}

paddr_t pt_kernel_root(void)
{
	return virt_to_phys(kernel_pt.root);
}

/* The highest level whose page fits at @va -> @pa with @size bytes left. */
static unsigned int best_level(vaddr_t va, paddr_t pa, size_t size)
{
	unsigned int level = PT_MAX_LEAF_LEVEL;

	while (level && (((va | pa) & (level_size(level) - 1)) || size < level_size(level)))
		level--;
	return level;
}

static int map_range(vaddr_t va, paddr_t pa, size_t size, unsigned int prot, bool large)
{
	int err = 0;

	while (size) {
		unsigned int level = large ? best_level(va, pa, size) : 0;
		pte_t *slot = walk_alloc(&kernel_pt, va, level, false);
		size_t step = level_size(level);

		if (!slot) {
			err = -ENOMEM;
			break;
		}
		pte_put(slot, pte_leaf(pa, prot | HAL_GLOBAL, level));
		va += step;
		pa += step;
		size -= min(size, step);
	}
	pte_publish();
	return err;
}

int pt_kernel_map(vaddr_t va, paddr_t pa, size_t size, unsigned int prot)
{
	unsigned long flags = kernel_lock();
	int err = map_range(va, pa, size, prot, true);

	kernel_unlock(flags);
	return err;
}

int hal_kernel_map(vaddr_t va, paddr_t pa, size_t size, unsigned int prot)
{
	unsigned long flags = kernel_lock();
	int err = map_range(va, pa, size, prot, false);

	kernel_unlock(flags);
	return err;
}

void hal_kernel_unmap(vaddr_t va, size_t size)
{
	unsigned long flags = kernel_lock(), next = va;
	struct chunk c;

	while (next_chunk(&kernel_pt, &c, &next, va + size)) {
		for (unsigned int i = 0; i < c.n; i++)
			pte_put(&c.slot[i], empty_entry(0));
	}
	pte_publish();
	kernel_unlock(flags);
	arch_tlb_flush_kernel(va, va + size);
}

bool hal_kernel_query(vaddr_t va, struct hal_pte_info *out)
{
	pte_t *table = kernel_pt.root;
	unsigned int level = PT_LEVELS - 1;
	pte_t e = pte_get(&table[level_index(va, level)]);

	for (; level > 0 && pte_present(e, level) && !pte_is_leaf(e, level); level--)
		e = pte_get(&table_of(e, level)[level_index(va, level - 1)]);
	if (!pte_present(e, level))
		return false;
	out->pa = pte_pa(e, level) + (va & (level_size(level) - 1) & PAGE_MASK);
	out->prot = pte_prot(e);
	return true;
}

#ifndef ARCH_HAS_IOREMAP
void *hal_ioremap(paddr_t pa, size_t size)
{
	static vaddr_t next;
	paddr_t first = pa & PAGE_MASK;
	size_t bytes = ALIGN_UP(pa + size, PAGE_SIZE) - first;
	unsigned long flags = kernel_lock();
	vaddr_t va = next ? next : IOREMAP_BASE;
	int err = -ENOMEM;

	/* A large window gets the alignment of its large pages. */
	if (bytes >= level_size(1))
		va = ALIGN_UP(va, level_size(1)) + (first & (level_size(1) - 1));
	if (size && va + bytes <= IOREMAP_END && va + bytes > va) {
		next = va + bytes + PAGE_SIZE;
		err = map_range(va, first, bytes, HAL_READ | HAL_WRITE | HAL_DEVICE, true);
	}
	kernel_unlock(flags);
	return err ? NULL : (void *)(va + (pa - first));
}
#endif

static void must_map(vaddr_t va, paddr_t pa, size_t size, unsigned int prot)
{
	if (size && map_range(va, pa, size, prot, true))
		panic("no memory for the kernel's page table");
}

static void map_section(const char *start, const char *end, unsigned int prot)
{
	must_map((vaddr_t)start, arch_image_to_phys(start), end - start, prot);
}

/* The part of [base, end) within [lo, hi) of the linear map. */
static void map_linear_part(paddr_t base, paddr_t end, paddr_t lo, paddr_t hi, unsigned int prot)
{
	if (base < lo)
		base = lo;
	if (end > hi)
		end = hi;
	if (base < end)
		must_map((vaddr_t)phys_to_virt(base), base, end - base, prot);
}

/* All RAM, never executable; the image's text and constants are read-only there too. */
static void map_linear(void)
{
	paddr_t ro = arch_image_to_phys(__text_start), rw = arch_image_to_phys(__data_start);

	for (unsigned int i = 0; i < boot_info.nram; i++) {
		paddr_t base = boot_info.ram[i].base, end = base + boot_info.ram[i].size;

		map_linear_part(base, end, 0, ro, HAL_READ | HAL_WRITE);
		map_linear_part(base, end, ro, rw, HAL_READ);
		map_linear_part(base, end, rw, ~0ULL, HAL_READ | HAL_WRITE);
	}
}

/* Make sure that all of [start, end) has its root entries, which user tables then share. */
static void fill_root(vaddr_t start, vaddr_t end)
{
	unsigned int level = PT_LEVELS - 1;

	for (unsigned int i = level_index(start, level); i <= level_index(end - 1, level); i++) {
		if (!pte_present(kernel_pt.root[i], level) &&
		    grow(&kernel_pt, &kernel_pt.root[i], level, false))
			panic("no memory for the kernel's page table");
	}
}

static void note_kernel_slots(void)
{
	for (unsigned int i = PT_ENTRIES / 2; i < PT_ENTRIES; i++) {
		if (pte_present(kernel_pt.root[i], PT_LEVELS - 1))
			kernel_slots[nkernel_slots++] = i;
	}
}

void hal_paging_init(void)
{
	paddr_t root = table_alloc(PT_LEVELS - 1);

	if (!root)
		panic("no memory for the kernel's page table");
	kernel_pt.root = phys_to_virt(root);
	if (PT_MAP_LINEAR)
		map_linear();
	if (PT_MAP_IMAGE) {
		map_section(__text_start, __text_end, HAL_READ | HAL_EXEC);
		map_section(__rodata_start, __rodata_end, HAL_READ);
		map_section(__data_start, __image_end, HAL_READ | HAL_WRITE);
	}
	fill_root(VMALLOC_BASE, VMALLOC_END);
#ifndef ARCH_HAS_IOREMAP
	fill_root(IOREMAP_BASE, IOREMAP_END);
#endif
	if (PT_SHARED_ROOT)
		note_kernel_slots();
	arch_kernel_activate(root);
}
