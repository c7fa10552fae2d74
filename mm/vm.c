/* SPDX-License-Identifier: MIT */
/*
 * Address spaces: the tree of mappings and what system calls do to it. Faults are in mm/fault.c.
 *
 * Every change follows one pattern: vm->lock for writing; cut mappings at the range's ends (vma_split), so that it covers
 * whole mappings; change or remove those; merge equal neighbours again. What may fail for want of memory
 * comes first.
 *
 * Sources: mmap(2), munmap(2), mprotect(2), mremap(2), madvise(2), brk(2), mlock(2), mincore(2).
 */
#include <err.h>
#include <hal/uctx.h>
#include <lib/string.h>
#include <mm/internal.h>
#include <mm/slab.h>
#include <uapi/prctl.h>
#include <uapi/mman.h>

#define MMAP_MIN PAGE_SIZE
#define SMALL_MAPPING (64 * 1024UL) /* goes above the stack while there is room */

u32 vm_max_maps = 65530, vm_overcommit;
static struct kmem_cache *vm_cache, *vma_cache;
const struct vm_probe_ops *vm_probe_ops;
u32 vm_probes_wanted;
void (*vm_aio_gone)(struct vm *vm);

void __init vm_init(void)
{
	vm_cache = kmem_cache_create("vm", sizeof(struct vm), 0);
	vma_cache = kmem_cache_create("vma", sizeof(struct vma), 0);
	vm_object_subsystem_init();
}

/* ---- the tree ---- */

static struct vma *node_vma(struct rb_node *node)
{
	return rb_entry_safe(node, struct vma, node);
}

static int addr_cmp(const void *key, const struct rb_node *node)
{
	const struct vma *vma = rb_entry((struct rb_node *)node, struct vma, node);
	uaddr_t addr = *(const uaddr_t *)key;

	return addr < vma->start ? -1 : addr >= vma->end;
}

static bool vma_less(const struct rb_node *a, const struct rb_node *b)
{
	return rb_entry((struct rb_node *)a, struct vma, node)->start <
	       rb_entry((struct rb_node *)b, struct vma, node)->start;
}

struct vma *vm_find(struct vm *vm, uaddr_t addr)
{
	struct vma *vma = READ_ONCE(vm->cached);

	if (vma && addr >= vma->start && addr < vma->end)
		return vma;
	vma = node_vma(rb_find(&vm->vmas, &addr, addr_cmp));
	if (vma)
		WRITE_ONCE(vm->cached, vma);
	return vma;
}

/* The first mapping that ends above @addr. */
struct vma *vm_find_from(struct vm *vm, uaddr_t addr)
{
	return node_vma(rb_find_ge(&vm->vmas, &addr, addr_cmp));
}

struct vma *vm_next(struct vm *vm, struct vma *prev)
{
	return node_vma(prev ? rb_next(&prev->node) : rb_first(&vm->vmas));
}

static struct vma *vma_prev(struct vma *vma)
{
	return node_vma(rb_prev(&vma->node));
}

static u64 vma_pages(const struct vma *vma)
{
	return (vma->end - vma->start) >> PAGE_SHIFT;
}

/* Statistics for /proc and limits; @sign +1 or -1. */
static void vma_account(struct vma *vma, int sign)
{
	struct vm *vm = vma->vm;
	u64 n = sign > 0 ? vma_pages(vma) : -vma_pages(vma);

	vm->total_pages += n;
	vm->total_peak = max(vm->total_peak, vm->total_pages);
	if (vma->flags & VM_LOCKED)
		vm->locked_pages += n;
	if (vma->flags & VM_GROWSDOWN)
		vm->stack_pages += n;
	else if ((vma->flags & (VM_WRITE | VM_SHARED)) == VM_WRITE)
		vm->data_pages += n;
	else if ((vma->flags & (VM_WRITE | VM_EXEC)) == VM_EXEC)
		vm->exec_pages += n;
}

static bool vma_counts_writable(const struct vma *vma)
{
	return (vma->flags & (VM_SHARED | VM_MAYWRITE)) == (VM_SHARED | VM_MAYWRITE) &&
	       vma->object && vma->object->ops->writable_get;
}

/* Make a mapping known to its object; the caller has counted it as writable if it is. */
static void vma_attach(struct vma *vma)
{
	struct vm_object *obj = vma->object;

	if (!obj)
		return;
	obj->ops->owner_get(vma->owner);
	spin_lock(&obj->lock);
	list_add(&vma->object_link, &obj->maps);
	spin_unlock(&obj->lock);
}

static void vma_detach(struct vma *vma)
{
	struct vm_object *obj = vma->object;

	if (!obj)
		return;
	spin_lock(&obj->lock);
	list_del(&vma->object_link);
	spin_unlock(&obj->lock);
	if (vma_counts_writable(vma))
		obj->ops->writable_put(obj);
	obj->ops->owner_put(vma->owner);
}

static void vma_insert(struct vm *vm, struct vma *vma)
{
	rb_add(&vm->vmas, &vma->node, vma_less);
	vm->nvmas++;
	vma_account(vma, 1);
}

static void vma_remove(struct vma *vma)
{
	struct vm *vm = vma->vm;

	/* Where it was may be a gap, or the lower part of a larger one. */
	if (vma->end > vm->gap_from)
		vm->gap_from = vma->end;
	if (vma->end > vm->small_from)
		vm->small_max = SMALL_MAPPING;

	vma_account(vma, -1);
	vm->nvmas--;
	if (vm->cached == vma)
		vm->cached = NULL;
	rb_erase(&vm->vmas, &vma->node);
}

static void vma_free(struct vma *vma)
{
	vma_detach(vma);
	kmem_cache_free(vma_cache, vma);
}

/* A copy of @vma that shows [start, end), attached but not in a tree. NULL without memory. */
static struct vma *vma_copy(const struct vma *vma, struct vm *vm, uaddr_t start, uaddr_t end)
{
	struct vma *new = kmem_cache_alloc(vma_cache, 0);

	if (!new)
		return NULL;
	*new = *vma;
	new->vm = vm;
	new->start = start;
	new->end = end;
	new->pgoff = vma->pgoff + ((start - vma->start) >> PAGE_SHIFT);
	if (vma_counts_writable(new))
		new->object->ops->writable_dup(new->object);
	vma_attach(new);
	return new;
}

/* Cut @vma at @addr, which lies inside it: @vma keeps the lower part. 0 or -ENOMEM. */
static int vma_split(struct vma *vma, uaddr_t addr)
{
	struct vma *upper;

	if (vma->vm->nvmas >= READ_ONCE(vm_max_maps))
		return -ENOMEM;
	upper = vma_copy(vma, vma->vm, addr, vma->end);
	if (!upper)
		return -ENOMEM;
	vma_account(vma, -1);
	vma->end = addr;
	vma_account(vma, 1);
	vma_insert(vma->vm, upper);
	return 0;
}

/* Make mapping borders at @start and @end. 0 or -ENOMEM. */
static int vm_cut(struct vm *vm, uaddr_t start, uaddr_t end)
{
	struct vma *vma = vm_find(vm, start);
	int r;

	if (vma && vma->start < start) {
		r = vma_split(vma, start);
		if (r)
			return r;
	}
	vma = vm_find(vm, end - 1);
	if (vma && vma->end > end)
		return vma_split(vma, end);
	return 0;
}

static bool can_merge(const struct vma *a, const struct vma *b)
{
	if (!a || !b || a->end != b->start || a->flags != b->flags || a->object != b->object ||
	    a->owner != b->owner)
		return false;
	return a->pgoff + vma_pages(a) == b->pgoff;
}

/* Join @vma with its neighbours where they continue each other. Returns the mapping that now covers it. */
static struct vma *vma_merge(struct vma *vma)
{
	struct vma *prev = vma_prev(vma), *next = vm_next(vma->vm, vma);

	if (can_merge(vma, next)) {
		uaddr_t end = next->end;

		vma_remove(next);
		vma_account(vma, -1);
		vma->end = end;
		vma_account(vma, 1);
		vma_free(next);
	}
	if (can_merge(prev, vma)) {
		uaddr_t end = vma->end;

		vma_remove(vma);
		vma_account(prev, -1);
		prev->end = end;
		vma_account(prev, 1);
		vma_free(vma);
		vma = prev;
	}
	return vma;
}

/* ---- removing pages ---- */

/* Pages taken out of a table wait here until no CPU can reach them any more. */
#define PIECE_PAGES 2048 /* of a large range that are taken out before other CPUs are waited for */
struct gather {
	struct vm *vm;
	uaddr_t start, end; /* what to flush */
	bool flush;	    /* false: the table is not in use anywhere */
	u64 anon, file;	    /* taken out so far, to be subtracted from the counts */
	unsigned int n;
	struct page *page[128];
	struct list
		more; /* by page->link: those for which there is no room, and that nobody else has */
};

static void gather_drain(struct gather *g)
{
	if (!g->n)
		return;
	if (g->flush)
		hal_tlb_flush_range(&g->vm->pt, g->start, g->end);
	for (unsigned int i = 0; i < g->n; i++)
		page_put(g->page[i]);
	g->n = 0;
	while (!list_empty(&g->more)) {
		struct page *page = list_first_entry(&g->more, struct page, link);

		list_del(&page->link);
		page_put(page);
	}
}

static void gather_page(void *ctx, uaddr_t va, paddr_t pa, unsigned int prot)
{
	struct gather *g = ctx;
	struct page *page = phys_to_page(pa);

	(void)va, (void)prot;
	if (page->type == PAGE_ANON)
		g->anon++;
	else if (page->type == PAGE_CACHE)
		g->file++;
	if (likely(g->n < ARRAY_SIZE(g->page))) {
		g->page[g->n++] = page;
	} else if (page->type == PAGE_ANON && page_count(page) == 1) {
		list_add_tail(&page->link, &g->more);
	} else {
		gather_drain(g);
		g->page[g->n++] = page;
	}
}

static void gather_init(struct gather *g, struct vm *vm, uaddr_t start, uaddr_t end, bool flush)
{
	g->vm = vm;
	g->start = start;
	g->end = end;
	g->flush = flush;
	g->anon = g->file = 0;
	g->n = 0;
	list_init(&g->more);
}

static void gather_count(const struct gather *g)
{
	__atomic_fetch_sub(&g->vm->rss_anon, g->anon, __ATOMIC_RELAXED);
	if (g->file)
		__atomic_fetch_sub(&g->vm->rss_file, g->file, __ATOMIC_RELAXED);
}

/* Not inline, as the next: what their callers call may go deep, and has the room of struct gather. */
static __noinline void zap(struct vm *vm, uaddr_t start, uaddr_t end, bool flush)
{
	struct gather g;

	gather_init(&g, vm, start, end, flush);
	spin_lock(&vm->pt_lock);
	hal_pt_unmap(&vm->pt, start, end, gather_page, &g);
	gather_count(&g);
	gather_drain(&g);
	spin_unlock(&vm->pt_lock);
}

/*
 * The same where nothing is mapped any more, so that nobody else reads or writes these entries: other CPUs may go on with faults elsewhere, also
 * while this one waits for their TLBs.
 */
static __noinline void zap_detached(struct vm *vm, uaddr_t start, uaddr_t end)
{
	struct gather g;

	for (; (start = hal_pt_next(&vm->pt, start, end)) < end; start = g.end) {
		gather_init(&g, vm, start, min(start + PIECE_PAGES * PAGE_SIZE, end), true);
		hal_pt_unmap(&vm->pt, start, g.end, gather_page, &g);
		gather_count(&g);
		gather_drain(&g);
	}
}

void vm_zap(struct vm *vm, uaddr_t start, uaddr_t end)
{
	zap(vm, start, end, true);
}

/* ---- creating and destroying ---- */

struct vm *vm_create(void)
{
	static u64 last_id;
	struct vm *vm = kmem_cache_alloc(vm_cache, GFP_ZERO);

	if (!vm)
		return ERR_PTR(-ENOMEM);
	if (hal_pt_init(&vm->pt)) {
		kmem_cache_free(vm_cache, vm);
		return ERR_PTR(-ENOMEM);
	}
	refcount_set(&vm->users, 1);
	vm->id = __atomic_add_fetch(&last_id, 1, __ATOMIC_RELAXED);
	rwsem_init(&vm->lock);
	rwsem_init(&vm->unmap_lock);
	spin_init(&vm->pt_lock, RANK_PT);
	list_init(&vm->unmapping);
	rb_root_init(&vm->vmas);
	vm->mmap_top = USER_END - PAGE_SIZE;
	vm->dumpable = 1;
	vm->dump_filter = COREDUMP_DEFAULT;
	return vm;
}

void vm_get(struct vm *vm)
{
	refcount_inc(&vm->users);
}

void vm_put(struct vm *vm)
{
	struct vma *vma;

	if (!refcount_dec_and_test(&vm->users))
		return;
	if (vm->probes)
		vm_probe_ops->gone(vm);
	if (unlikely(vm->aio))
		vm_aio_gone(vm);
	while ((vma = vm_next(vm, NULL))) {
		zap(vm, vma->start, vma->end, false);
		vma_remove(vma);
		vma_free(vma);
	}
	hal_pt_fini(&vm->pt);
	if (vm->exe)
		vm->exe_put(vm->exe);
	if (vm->auxv && refcount_dec_and_test(&vm->auxv->refs))
		kfree(vm->auxv);
	kmem_cache_free(vm_cache, vm);
}

void vm_activate(struct vm *vm)
{
	hal_pt_activate(vm ? &vm->pt : NULL);
}

static void fork_page(void *ctx, paddr_t pa)
{
	struct vm *vm = ctx;
	struct page *page = phys_to_page(pa);

	page_get(page);
	if (page->type == PAGE_ANON)
		vm->rss_anon++;
	else if (page->type == PAGE_CACHE)
		vm->rss_file++;
}

/* Give the child its copy of one mapping. 0 or -ENOMEM. */
static int fork_vma(struct vm *child, struct vma *vma)
{
	struct vm *parent = vma->vm;
	bool slots = vma->flags & VM_PROBE_SLOTS;
	struct vma *copy;
	int r;

	/* A child always gets the displaced instructions: its text has the same breakpoints. */
	if (!slots && (vma->flags & VM_DONTFORK))
		return 0;
	copy = vma_copy(vma, child, vma->start, vma->end);
	if (!copy)
		return -ENOMEM;
	copy->flags &= ~VM_LOCK_MASK;
	vma_insert(child, copy);
	if (!slots && (vma->flags & VM_WIPEONFORK))
		return 0;
	spin_lock(&parent->pt_lock);
	r = hal_pt_clone(&child->pt, &parent->pt, vma->start, vma->end, !(vma->flags & VM_SHARED),
			 fork_page, child);
	spin_unlock(&parent->pt_lock);
	return r;
}

static void copy_layout(struct vm *to, const struct vm *from)
{
	to->mmap_top = from->mmap_top;
	vm_small_room(to, from->small_from, from->small_end);
	to->brk_start = from->brk_start;
	to->brk = from->brk;
	to->code_start = from->code_start;
	to->code_end = from->code_end;
	to->data_start = from->data_start;
	to->data_end = from->data_end;
	to->stack_start = from->stack_start;
	to->arg_start = from->arg_start;
	to->arg_end = from->arg_end;
	to->env_start = from->env_start;
	to->env_end = from->env_end;
	to->vdso = from->vdso;
	to->auxv = from->auxv;
	if (to->auxv)
		refcount_inc(&to->auxv->refs);
	to->dumpable = from->dumpable;
	to->dump_filter = READ_ONCE(from->dump_filter);
	vm_inherit_policy(to, from);
	to->rlimit_as = from->rlimit_as;
	to->rlimit_data = from->rlimit_data;
	to->rlimit_stack = from->rlimit_stack;
	to->rlimit_memlock = from->rlimit_memlock;
	to->has_seals = from->has_seals;
	to->exe = from->exe;
	to->exe_get = from->exe_get;
	to->exe_put = from->exe_put;
	if (to->exe)
		to->exe_get(to->exe);
}

struct vm *vm_fork(struct vm *vm)
{
	struct vm *child = vm_create();
	int r = 0;

	if (IS_ERR(child))
		return child;
	rwsem_down_write(&vm->lock);
	/* As soon as it has a mapping, who goes through the mappings of a file (truncation, probes) finds the child. */
	rwsem_down_write(&child->lock);
	copy_layout(child, vm);
	for (struct vma *vma = vm_next(vm, NULL); vma && !r; vma = vm_next(vm, vma))
		r = fork_vma(child, vma);
	if (unlikely(vm->probes) && !r)
		r = vm_probe_ops->forked(child, vm);
	/* Writable entries of the parent lost their right: no CPU may go on using the old ones. */
	hal_tlb_flush_all(&vm->pt);
	rwsem_up_write(&child->lock);
	rwsem_up_write(&vm->lock);
	if (r) {
		vm_put(child);
		return ERR_PTR(r);
	}
	return child;
}

/* ---- ranges that are being unmapped ---- */

/*
 * An munmap takes its mappings away with vm->lock held, and clears the table without: other CPUs have to be waited for, and whoever wants
 * the lock would wait, too. Until that is done the range is in vm->unmapping and is not mapped again:
 *
 *	munmap					mmap
 *	lock; mappings gone			lock; the range is free
 *	range into vm->unmapping; unlock	in vm->unmapping? look elsewhere, or wait
 *	clear entries, flush, free pages	  for vm->unmap_lock
 *	range out of vm->unmapping		map; unlock
 */
struct unmapping {
	struct list link;
	uaddr_t start, end;
};

/* The start of a range in vm->unmapping that overlaps [start, end); 0: none. vm->lock held for writing, so there will be no more. */
static uaddr_t find_unmapping(struct vm *vm, uaddr_t start, uaddr_t end)
{
	struct unmapping *u;
	uaddr_t found = 0;

	if (likely(list_empty(&vm->unmapping)))
		return 0;
	spin_lock(&vm->pt_lock);
	list_for_each_entry(u, &vm->unmapping, link)
		if (u->start < end && start < u->end)
			found = u->start;
	spin_unlock(&vm->pt_lock);
	return found;
}

void vm_wait_unmapped(struct vm *vm, uaddr_t start, uaddr_t end)
{
	if (likely(!find_unmapping(vm, start, end)))
		return;
	/* Those who clear hold it for reading, and take no other lock that sleeps. */
	rwsem_down_write(&vm->unmap_lock);
	rwsem_up_write(&vm->unmap_lock);
}

/* ---- finding room ---- */

struct map_req {
	uaddr_t addr;
	size_t len;
	unsigned int flags; /* VM_* */
	struct vm_object *object;
	void *owner;
	u64 pgoff;
};

/* The highest gap of @len bytes in [bottom, top); 0: none. */
static uaddr_t find_gap_between(struct vm *vm, size_t len, uaddr_t bottom, uaddr_t top)
{
	struct vma *vma = vm_find_from(vm, top - 1);
	uaddr_t end = top;

	/* vma: the first that ends above top; start below whatever reaches over it. */
	if (vma && vma->start < top)
		end = vma->start;
	vma = vma ? vma_prev(vma) : node_vma(rb_last(&vm->vmas));
	for (; vma && end >= len + bottom; vma = vma_prev(vma)) {
		if (end > vma->end && end - vma->end >= len)
			break;
		end = vma->start;
	}
	return end < len + bottom ? 0 : end - len;
}

static uaddr_t find_gap_below(struct vm *vm, size_t len, uaddr_t top)
{
	return find_gap_between(vm, len, MMAP_MIN, top);
}

void vm_small_room(struct vm *vm, uaddr_t from, uaddr_t end)
{
	vm->small_from = from;
	vm->small_end = end;
	vm->small_max = SMALL_MAPPING;
}

/*
 * Room for a small mapping beside the stack, so that many a program needs no further page of page-table entries. What is being unmapped there
 * is not waited for. 0: there is none.
 */
static uaddr_t find_small_gap(struct vm *vm, size_t len)
{
	uaddr_t found;

	if (len > vm->small_max || vm->small_from == vm->small_end)
		return 0;
	found = find_gap_between(vm, len, vm->small_from, vm->small_end);
	if (!found)
		vm->small_max = len - PAGE_SIZE;
	return found && find_unmapping(vm, found, found + len) ? 0 : found;
}

/*
 * The highest gap below mmap_top. Where the last one was found is remembered: above it only smaller ones were
 * seen, so a program with many mappings does not have all of them looked at each time.
 */
static uaddr_t find_gap(struct vm *vm, size_t len)
{
	bool hint = vm->gap_from && len > vm->gap_above && vm->gap_from < vm->mmap_top;
	uaddr_t from = hint ? vm->gap_from : vm->mmap_top, end;
	struct vma *vma = vm_find_from(vm, from), *below;

	if (!hint)
		vm->gap_above = 0;
	end = vma ? min(vma->start, vm->mmap_top) : vm->mmap_top;
	for (below = vma ? vma_prev(vma) : node_vma(rb_last(&vm->vmas)); below;
	     below = vma_prev(below)) {
		if (end > below->end && end - below->end >= len)
			break;
		if (end > below->end)
			vm->gap_above = max(vm->gap_above, (size_t)(end - below->end));
		end = min(end, below->start);
	}
	if (end < len + MMAP_MIN)
		return 0;
	vm->gap_from = end;
	return end - len;
}

static bool range_is_free(struct vm *vm, uaddr_t addr, size_t len)
{
	struct vma *vma = vm_find_from(vm, addr);

	return !vma || vma->start >= addr + len;
}

static bool range_valid(uaddr_t addr, size_t len)
{
	return len <= USER_END && addr <= USER_END - len;
}

/* Of gaps the next one below @found that needs no waiting; when there is none, @found. */
static uaddr_t avoid_unmapping(struct vm *vm, uaddr_t found, size_t len)
{
	uaddr_t better = found, busy;

	while (better && (busy = find_unmapping(vm, better, better + len)))
		better = find_gap_below(vm, len, busy);
	return better ? better : found;
}

/* Private memory of the program's own, or the vDSO. */
static bool goes_beside_stack(const struct map_req *req, unsigned int flags)
{
	return !(req->flags & (VM_SHARED | VM_GROWSDOWN)) && !(flags & MAP_32BIT) &&
	       (!req->object || (req->flags & VM_VDSO));
}

/* The address of a new mapping, -ENOMEM or -EEXIST; a fixed one is not yet cleared. */
static long choose_address(struct vm *vm, const struct map_req *req, unsigned int flags)
{
	uaddr_t addr = req->addr, found;
	size_t len = req->len;

	if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
		if (addr & ~PAGE_MASK)
			return -EINVAL;
		if (!range_valid(addr, len))
			return -ENOMEM;
		if (addr < MMAP_MIN)
			return -EPERM;
		if ((flags & MAP_FIXED_NOREPLACE) && !range_is_free(vm, addr, len))
			return -EEXIST;
		return (long)addr;
	}
	addr = ALIGN_DOWN(addr, PAGE_SIZE);
	if (addr >= MMAP_MIN && range_valid(addr, len) && addr + len <= vm->mmap_top &&
	    range_is_free(vm, addr, len))
		return (long)addr;
	found = goes_beside_stack(req, flags) ? find_small_gap(vm, len) : 0;
	if (found)
		return (long)found;
	found = (flags & MAP_32BIT) ? find_gap_below(vm, len, 0x80000000UL) : find_gap(vm, len);
	if (!found)
		found = find_gap_below(vm, len, USER_END - PAGE_SIZE);
	found = avoid_unmapping(vm, found, len);
	return found ? (long)found : -ENOMEM;
}

/* ---- mmap, munmap ---- */

/* Remove the mappings of [addr, end), which are cut to it. */
static void remove_mappings(struct vm *vm, uaddr_t addr, uaddr_t end)
{
	struct vma *vma = vm_find_from(vm, addr), *next;

	for (; vma && vma->start < end; vma = next) {
		next = vm_next(vm, vma);
		vma_remove(vma);
		vma_free(vma);
	}
}

static int unmap_locked(struct vm *vm, uaddr_t addr, size_t len)
{
	struct vma *vma = vm_find_from(vm, addr);
	uaddr_t end = addr + len;
	int r;

	if (!vma || vma->start >= end)
		return 0;
	r = vm_cut(vm, addr, end);
	if (r)
		return r;
	if (unlikely(vm->probes))
		vm_probe_ops->unmapped(vm, addr, end);
	vm_zap(vm, addr, end);
	remove_mappings(vm, addr, end);
	return 0;
}

/*
 * May the mappings of a range go before their pages? What is shared is found through its object when its pages are to become read-only or to
 * go, so there the mapping goes last.
 */
static bool may_detach(struct vm *vm, uaddr_t addr, uaddr_t end)
{
	struct vma *vma;

	for (vma = vm_find_from(vm, addr); vma && vma->start < end; vma = vm_next(vm, vma))
		if (vma->flags & VM_SHARED)
			return false;
	return !vm->probes;
}

/*
 * Unmap private memory: with vm->lock held only as long as the tree of mappings changes. Who touches the range meanwhile finds no mapping.
 * Called with vm->lock held for writing; released on return.
 */
static int unmap_private(struct vm *vm, uaddr_t addr, uaddr_t end)
{
	struct unmapping u = { .start = addr, .end = end };
	int r = vm_cut(vm, addr, end);

	if (r) {
		rwsem_up_write(&vm->lock);
		return r;
	}
	remove_mappings(vm, addr, end);
	spin_lock(&vm->pt_lock);
	list_add(&u.link, &vm->unmapping);
	spin_unlock(&vm->pt_lock);
	rwsem_down_read(&vm->unmap_lock);
	rwsem_up_write(&vm->lock);
	zap_detached(vm, addr, end);
	spin_lock(&vm->pt_lock);
	list_del(&u.link);
	spin_unlock(&vm->pt_lock);
	rwsem_up_read(&vm->unmap_lock);
	return 0;
}

/* Is any mapping of a range sealed? vm->lock held. */
static bool is_sealed(struct vm *vm, uaddr_t addr, size_t len)
{
	struct vma *vma = NULL;

	if (unlikely(vm->has_seals))
		for (vma = vm_find_from(vm, addr); vma && vma->start < addr + len;
		     vma = vm_next(vm, vma))
			if (vma->flags & VM_SEALED)
				return true;
	return false;
}

int vm_unmap(struct vm *vm, uaddr_t addr, size_t len)
{
	int r;

	if ((addr & ~PAGE_MASK) || !len || len > USER_END)
		return -EINVAL;
	len = ALIGN_UP(len, PAGE_SIZE);
	if (!range_valid(addr, len))
		return -EINVAL;
	rwsem_down_write(&vm->lock);
	if (!is_sealed(vm, addr, len) && may_detach(vm, addr, addr + len))
		return unmap_private(vm, addr, addr + len);
	r = is_sealed(vm, addr, len) ? -EPERM : unmap_locked(vm, addr, len);
	rwsem_up_write(&vm->lock);
	return r;
}

static unsigned int prot_to_vm(unsigned int prot)
{
	unsigned int flags = prot & (PROT_READ | PROT_WRITE | PROT_EXEC);

	static_assert(PROT_READ == VM_READ && PROT_WRITE == VM_WRITE && PROT_EXEC == VM_EXEC,
		      "same bits");
	return flags;
}

/* Would @npages more exceed the limits? @flags: of the mapping. */
static bool over_limit(struct vm *vm, u64 npages, unsigned int flags)
{
	struct mm_stats st;

	if (vm->total_pages + npages > vm->rlimit_as >> PAGE_SHIFT)
		return true;
	if ((flags & (VM_WRITE | VM_SHARED | VM_GROWSDOWN)) == VM_WRITE &&
	    vm->data_pages + npages > vm->rlimit_data >> PAGE_SHIFT)
		return true;
	if ((flags & (VM_WRITE | VM_SHARED | VM_NORESERVE)) != VM_WRITE || npages < 1024 ||
	    READ_ONCE(vm_overcommit))
		return false;
	/* Linux's heuristic overcommit: refuse only what could never be backed. */
	mm_get_stats(&st);
	return npages > st.total;
}

/* Probes want to know of text that is mapped. */
static void note_file_pages(struct vm *vm, const struct vm_object *obj, uaddr_t start, uaddr_t end)
{
	if (obj && unlikely(READ_ONCE(vm_probes_wanted)))
		vm_probe_ops->mapped(vm, start, end);
}

/* Enter a mapping into room that is free. Takes a reference on the owner. 0, -ENOMEM or what writable_get said. */
static int map_locked(struct vm *vm, const struct map_req *req)
{
	struct vma *vma;

	if (vm->nvmas >= READ_ONCE(vm_max_maps))
		return -ENOMEM;
	vm_wait_unmapped(vm, req->addr, req->addr + req->len);
	vma = kmem_cache_alloc(vma_cache, GFP_ZERO);
	if (!vma)
		return -ENOMEM;
	vma->vm = vm;
	vma->start = req->addr;
	vma->end = req->addr + req->len;
	vma->flags = req->flags;
	vma->object = req->object;
	vma->owner = req->owner;
	vma->pgoff = req->object ? req->pgoff : req->addr >> PAGE_SHIFT;
	if (vma_counts_writable(vma)) {
		int r = vma->object->ops->writable_get(vma->object);

		if (r) {
			kmem_cache_free(vma_cache, vma);
			return r;
		}
	}
	vma_attach(vma);
	vma_insert(vm, vma);
	vma_merge(vma);
	note_file_pages(vm, req->object, req->addr, req->addr + req->len);
	return 0;
}

/* Bring in what can be accessed, until something cannot. 0; -EAGAIN: no memory; -ENOMEM: no page to bring in, which is what mlock says. */
static int populate(struct vm *vm, uaddr_t addr, size_t len)
{
	enum vm_fault fault = VM_FAULT_OK;

	rwsem_down_read(&vm->lock);
	for (uaddr_t a = addr; a < addr + len && fault == VM_FAULT_OK; a += PAGE_SIZE) {
		struct vma *vma = vm_find(vm, a);

		if (!vma)
			break;
		fault = vm_fault_locked(vm, vma, a, vma->flags & VM_WRITE ? UCTX_WRITE : UCTX_READ,
					vma->flags & (VM_READ | VM_WRITE | VM_EXEC));
	}
	rwsem_up_read(&vm->lock);
	return fault == VM_FAULT_OK ? 0 : fault == VM_FAULT_OOM ? -EAGAIN : -ENOMEM;
}

static long vm_map_locked(struct vm *vm, struct map_req *req, unsigned int flags)
{
	long addr = choose_address(vm, req, flags);
	int r;

	if (addr < 0)
		return addr;
	if (over_limit(vm, req->len >> PAGE_SHIFT, req->flags))
		return -ENOMEM;
	req->addr = (uaddr_t)addr;
	if (is_sealed(vm, req->addr, req->len))
		return -EPERM;
	r = unmap_locked(vm, req->addr, req->len);
	if (!r)
		r = map_locked(vm, req);
	return r ? r : addr;
}

long vm_map_probe_slots(struct vm *vm, size_t len)
{
	struct map_req req = {
		.len = len,
		.flags = VM_EXEC | VM_MAYEXEC | VM_PROBE_SLOTS | VM_DONTDUMP,
	};

	return vm_map_locked(vm, &req, 0);
}

long vm_map(struct vm *vm, uaddr_t addr, size_t len, unsigned int prot, unsigned int flags,
	    struct vm_object *object, void *owner, u64 pgoff, unsigned int maxflags,
	    unsigned int extra)
{
	struct map_req req = { .addr = addr, .object = object, .owner = owner, .pgoff = pgoff };
	void *shared_owner = NULL;
	long r;

	if (!len)
		return -EINVAL;
	if (len > USER_END)
		return -ENOMEM;
	req.len = ALIGN_UP(len, PAGE_SIZE);
	req.flags = prot_to_vm(prot) | maxflags | extra;
	if (vm->mdwe && (req.flags & VM_WRITE) && (req.flags & VM_EXEC))
		return -EACCES;
	if (flags & MAP_GROWSDOWN)
		req.flags |= VM_GROWSDOWN;
	if (flags & MAP_NORESERVE)
		req.flags |= VM_NORESERVE;
	if (flags & MAP_LOCKED)
		req.flags |= VM_LOCKED;
	if (!(extra & VM_DROPPABLE))
		req.flags |= vm->lock_future;
	if (flags & MAP_SHARED) {
		req.flags |= VM_SHARED;
		if (!object) {
			req.object = vm_object_create_shared(req.len >> PAGE_SHIFT, &shared_owner);
			if (IS_ERR(req.object))
				return PTR_ERR(req.object);
			req.owner = shared_owner;
			req.pgoff = 0;
		}
	}
	rwsem_down_write(&vm->lock);
	r = vm_map_locked(vm, &req, flags);
	rwsem_up_write(&vm->lock);
	if (shared_owner)
		req.object->ops->owner_put(shared_owner);
	if (r >= 0 &&
	    ((flags & (MAP_POPULATE | MAP_NONBLOCK)) == MAP_POPULATE || (req.flags & VM_LOCKED)) &&
	    !(req.flags & VM_LOCKONFAULT))
		populate(vm, (uaddr_t)r, req.len);
	return r;
}

/* The mapping at @start, if it and those that follow it without a gap, all like it, reach to @end and are shared. */
static struct vma *shared_run(struct vm *vm, uaddr_t start, uaddr_t end)
{
	struct vma *first = vm_find(vm, start);

	if (!first || !(first->flags & VM_SHARED))
		return NULL;
	for (struct vma *v = first; v->end < end;) {
		struct vma *next = vm_next(vm, v);

		if (!next || next->start != v->end || next->object != first->object ||
		    next->owner != first->owner || next->flags != first->flags)
			return NULL;
		v = next;
	}
	return first;
}

int vm_remap_file(struct vm *vm, uaddr_t addr, size_t len, u64 pgoff, bool populate_it)
{
	struct map_req req = { .addr = addr, .len = len, .pgoff = pgoff };
	struct vma *vma;
	long r = -EINVAL;

	rwsem_down_write(&vm->lock);
	vma = shared_run(vm, addr, addr + len);
	if (vma) {
		req.flags = vma->flags;
		req.object = vma->object;
		req.owner = vma->owner;
		/* It may be the owner's last mapping that goes before the new one comes. */
		req.object->ops->owner_get(req.owner);
		r = vm_map_locked(vm, &req, MAP_FIXED);
	}
	rwsem_up_write(&vm->lock);
	if (req.object)
		req.object->ops->owner_put(req.owner);
	if (r < 0)
		return (int)r;
	if (populate_it)
		populate(vm, addr, len);
	return 0;
}

/* ---- mprotect ---- */

/* What may be written or executed may be read, as the fault handler has it (access_allowed()): not all tables can say otherwise. */
unsigned int vma_hal_prot(const struct vma *vma)
{
	unsigned int prot = HAL_USER | (vma->flags & (VM_READ | VM_WRITE | VM_EXEC) ? HAL_READ : 0);

	static_assert(VM_READ == HAL_READ && VM_WRITE == HAL_WRITE && VM_EXEC == HAL_EXEC,
		      "same bits");
	return prot | (vma->flags & (VM_READ | VM_WRITE | VM_EXEC));
}

void vm_inherit_policy(struct vm *to, const struct vm *from)
{
	u8 mdwe = READ_ONCE(from->mdwe);

	to->mdwe = mdwe & PR_MDWE_NO_INHERIT ? 0 : mdwe;
	to->thp_disabled = READ_ONCE(from->thp_disabled);
}

/* What the mapping allows, and PR_SET_MDWE: memory that was not made executable, or can be written, does not become so. */
static bool may_become(const struct vma *vma, unsigned int vmprot)
{
	if (vmprot & ~(vma->flags >> 4) & (VM_READ | VM_WRITE | VM_EXEC))
		return false;
	if (likely(!vma->vm->mdwe) || !(vmprot & VM_EXEC))
		return true;
	return !(vmprot & VM_WRITE) && (vma->flags & VM_EXEC);
}

/* All of [start, end) is mapped and may get @vmprot: 0, -ENOMEM, -EACCES. */
static int protect_check(struct vm *vm, uaddr_t start, uaddr_t end, unsigned int vmprot)
{
	struct vma *vma = vm_find(vm, start);

	for (; start < end; vma = vm_next(vm, vma)) {
		if (!vma || vma->start > start)
			return -ENOMEM;
		if (!may_become(vma, vmprot))
			return -EACCES;
		start = vma->end;
	}
	return 0;
}

/* Pages of a file that become executable where they are. What a program stores itself it must make visible itself. */
static void make_fetchable(struct vma *vma)
{
	for (uaddr_t a = vma->start; a < vma->end; a += PAGE_SIZE) {
		struct hal_pte_info pte;

		if (hal_pt_query(&vma->vm->pt, a, &pte))
			page_fetchable(phys_to_page(pte.pa));
	}
}

static void protect_vma(struct vma *vma, unsigned int vmprot)
{
	unsigned int old = vma->flags & (VM_READ | VM_WRITE | VM_EXEC);
	struct vm *vm = vma->vm;

	if (old == vmprot)
		return;
	vma_account(vma, -1);
	vma->flags = (vma->flags & ~(VM_READ | VM_WRITE | VM_EXEC)) | vmprot;
	vma_account(vma, 1);
	/* Write permission comes back page by page, when the fault has made sure that the page is ours. */
	spin_lock(&vm->pt_lock);
	if ((vmprot & ~old & VM_EXEC) && vma->object)
		make_fetchable(vma);
	hal_pt_protect(&vm->pt, vma->start, vma->end, vma_hal_prot(vma) & ~HAL_WRITE);
	spin_unlock(&vm->pt_lock);
}

static int protect_locked(struct vm *vm, uaddr_t start, uaddr_t end, unsigned int vmprot)
{
	struct vma *vma;
	int r = protect_check(vm, start, end, vmprot);

	/* Linux changes what lies before the first hole or refusal. That is harder to rely on than all or nothing, but it is the ABI. */
	if (r == -ENOMEM || r == -EACCES) {
		uaddr_t stop = start;

		for (vma = vm_find(vm, start); vma && vma->start <= stop && may_become(vma, vmprot);
		     vma = vm_next(vm, vma))
			stop = vma->end;
		if (stop <= start)
			return r;
		end = min(end, stop);
	}
	if (vm_cut(vm, start, end))
		return -ENOMEM;
	for (vma = vm_find(vm, start); vma && vma->start < end; vma = vm_next(vm, vma)) {
		protect_vma(vma, vmprot);
		vma = vma_merge(vma);
	}
	vma = vm_find(vm, end);
	if (vma)
		vma_merge(vma);
	hal_tlb_flush_range(&vm->pt, start, end);
	return r;
}

int vm_protect(struct vm *vm, uaddr_t addr, size_t len, unsigned int prot)
{
	int r;

	if ((addr & ~PAGE_MASK) || (prot & ~(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM |
					     PROT_GROWSDOWN | PROT_GROWSUP)))
		return -EINVAL;
	if ((prot & PROT_GROWSUP))
		return -EINVAL;
	if (!len)
		return 0;
	if (len > USER_END)
		return -ENOMEM;
	len = ALIGN_UP(len, PAGE_SIZE);
	if (!range_valid(addr, len))
		return -ENOMEM;
	rwsem_down_write(&vm->lock);
	if (prot & PROT_GROWSDOWN) {
		struct vma *vma = vm_find(vm, addr);

		if (!vma || !(vma->flags & VM_GROWSDOWN)) {
			rwsem_up_write(&vm->lock);
			return -EINVAL;
		}
		len += addr - vma->start;
		addr = vma->start;
	}
	r = is_sealed(vm, addr, len) ? -EPERM
				     : protect_locked(vm, addr, addr + len, prot_to_vm(prot));
	rwsem_up_write(&vm->lock);
	return r;
}

/* ---- brk ---- */

long vm_brk(struct vm *vm, uaddr_t brk, u64 lock_limit)
{
	uaddr_t old_end, new_end;
	bool locked = false;

	rwsem_down_write(&vm->lock);
	old_end = ALIGN_UP(vm->brk, PAGE_SIZE);
	if (brk < vm->brk_start || brk > USER_END - PAGE_SIZE)
		goto out;
	new_end = ALIGN_UP(brk, PAGE_SIZE);
	if (new_end < old_end) {
		if (is_sealed(vm, new_end, old_end - new_end) ||
		    unmap_locked(vm, new_end, old_end - new_end))
			goto out;
	} else if (new_end > old_end) {
		struct map_req req = {
			.addr = old_end,
			.len = new_end - old_end,
			.flags = VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC |
				 VM_HEAP | vm->lock_future,
		};

		/* A page stays free between the heap and what lies above it. */
		if (!range_is_free(vm, old_end, req.len + PAGE_SIZE) ||
		    over_limit(vm, req.len >> PAGE_SHIFT, req.flags) ||
		    (vm->lock_future &&
		     vm->locked_pages + (req.len >> PAGE_SHIFT) > lock_limit >> PAGE_SHIFT) ||
		    map_locked(vm, &req))
			goto out;
		locked = vm->lock_future == VM_LOCKED;
	}
	vm->brk = brk;
out:
	brk = vm->brk;
	rwsem_up_write(&vm->lock);
	if (locked)
		populate(vm, old_end, new_end - old_end);
	return (long)brk;
}

/* ---- mremap ---- */

static int move_pages(struct vm *vm, uaddr_t from, uaddr_t to, size_t len)
{
	int r;

	spin_lock(&vm->pt_lock);
	r = hal_pt_move(&vm->pt, from, to, len);
	spin_unlock(&vm->pt_lock);
	hal_tlb_flush_range(&vm->pt, from, from + len);
	return r;
}

/* Move [old, old+old_len) of @vma to @to, where room was made, with @new_len. 0 or -ENOMEM. */
static int move_mapping(struct vm *vm, struct vma *vma, uaddr_t old, size_t old_len, uaddr_t to,
			size_t new_len, bool keep)
{
	struct vma *new;
	int r;

	/* Taking the old range away, at the end, must not fail for want of memory: make its borders now. */
	if (!keep && vm_cut(vm, old, old + old_len))
		return -ENOMEM;
	vma = vm_find(vm, old);
	new = vma_copy(vma, vm, old, old + old_len);
	if (!new)
		return -ENOMEM;
	new->start = to;
	new->end = to + new_len;
	vm_wait_unmapped(vm, to, to + new_len);
	if (!vma->object)
		new->pgoff = to >> PAGE_SHIFT;
	r = move_pages(vm, old, to, min(old_len, new_len));
	if (r) {
		/* Page tables ran out half way: bring back what moved; its tables are still there. */
		move_pages(vm, to, old, min(old_len, new_len));
		vma_free(new);
		return r;
	}
	vma_insert(vm, new);
	note_file_pages(vm, new->object, to, to + new_len);
	return keep ? 0 : unmap_locked(vm, old, old_len);
}

static bool can_grow_in_place(struct vm *vm, struct vma *vma, uaddr_t old, size_t old_len,
			      size_t new_len)
{
	return vma->end == old + old_len && range_valid(old, new_len) &&
	       range_is_free(vm, vma->end, new_len - old_len);
}

static long remap_locked(struct vm *vm, uaddr_t old, size_t old_len, size_t new_len,
			 unsigned int flags, uaddr_t to, u64 lock_limit)
{
	struct vma *vma = vm_find(vm, old);
	long r;

	if (!vma)
		return -EFAULT;
	if (!old_len && !(vma->flags & VM_SHARED))
		return -EINVAL;
	if (is_sealed(vm, old, max(old_len, (size_t)1)) ||
	    ((flags & MREMAP_FIXED) && is_sealed(vm, to, new_len)))
		return -EPERM;
	/* Making it shorter is an munmap, over any number of mappings. */
	if (!(flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && old_len && new_len <= old_len) {
		r = new_len < old_len ? unmap_locked(vm, old + new_len, old_len - new_len) : 0;
		return r ? r : (long)old;
	}
	if (old + old_len > vma->end)
		return -EFAULT;
	if ((flags & MREMAP_DONTUNMAP) && old_len != new_len)
		return -EINVAL;
	if ((vma->flags & VM_LOCKED) && new_len > old_len &&
	    vm->locked_pages + ((new_len - old_len) >> PAGE_SHIFT) > lock_limit >> PAGE_SHIFT)
		return -EAGAIN;
	if (new_len > old_len && over_limit(vm, (new_len - old_len) >> PAGE_SHIFT, vma->flags))
		return -ENOMEM;
	if (!(flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && old_len) {
		if (can_grow_in_place(vm, vma, old, old_len, new_len)) {
			vm_wait_unmapped(vm, old + old_len, old + new_len);
			vma_account(vma, -1);
			vma->end = old + new_len;
			vma_account(vma, 1);
			vma = vma_merge(vma);
			note_file_pages(vm, vma->object, old + old_len, old + new_len);
			return (long)old;
		}
	}
	if (!(flags & MREMAP_MAYMOVE))
		return -ENOMEM;
	if (flags & MREMAP_FIXED) {
		r = unmap_locked(vm, to, new_len);
		if (r)
			return r;
		vma = vm_find(vm, old);
	} else {
		to = find_gap_below(vm, new_len, vm->mmap_top);
		if (!to)
			return -ENOMEM;
	}
	r = move_mapping(vm, vma, old, old_len, to, new_len,
			 (flags & MREMAP_DONTUNMAP) || !old_len);
	return r ? r : (long)to;
}

long vm_remap(struct vm *vm, uaddr_t old, size_t old_len, size_t new_len, unsigned int flags,
	      uaddr_t to, u64 lock_limit)
{
	bool locked;
	long r;

	if (flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP))
		return -EINVAL;
	if ((flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && !(flags & MREMAP_MAYMOVE))
		return -EINVAL;
	if ((old & ~PAGE_MASK) || !new_len || new_len > USER_END || old_len > USER_END)
		return -EINVAL;
	old_len = ALIGN_UP(old_len, PAGE_SIZE);
	new_len = ALIGN_UP(new_len, PAGE_SIZE);
	if ((flags & MREMAP_FIXED) && ((to & ~PAGE_MASK) || !range_valid(to, new_len) ||
				       (to < old + old_len && old < to + new_len)))
		return -EINVAL;
	rwsem_down_write(&vm->lock);
	r = remap_locked(vm, old, old_len, new_len, flags, to, lock_limit);
	locked = r >= 0 && new_len > old_len &&
		 (vm_find(vm, (uaddr_t)r)->flags & VM_LOCK_MASK) == VM_LOCKED;
	rwsem_up_write(&vm->lock);
	if (locked)
		populate(vm, (uaddr_t)r + old_len, new_len - old_len);
	return r;
}

/* ---- advice, locking, residence ---- */

/* Set and clear flags on whole [start, end); holes are skipped and reported by -ENOMEM. vm->lock for writing. */
static int change_flags(struct vm *vm, uaddr_t start, uaddr_t end, unsigned int set,
			unsigned int clear)
{
	uaddr_t covered = start;
	struct vma *vma;

	if (vm_cut(vm, start, end))
		return -ENOMEM;
	for (vma = vm_find_from(vm, start); vma && vma->start < end; vma = vm_next(vm, vma)) {
		bool contiguous = vma->start == covered;

		vma_account(vma, -1);
		vma->flags = (vma->flags | set) & ~clear;
		if (unlikely(vma->flags & VM_DROPPABLE)) /* mlock passes it over */
			vma->flags &= ~VM_LOCK_MASK;
		vma_account(vma, 1);
		/* Merging may take in mappings further up that already had these flags. */
		vma = vma_merge(vma);
		if (contiguous)
			covered = vma->end;
	}
	/* The cut at the end may have split one that had them. */
	vma = vm_find(vm, end - 1);
	if (vma && vma->end == end)
		vma_merge(vma);
	return covered >= end ? 0 : -ENOMEM;
}

/* Of sealed memory that this program could not write itself, nothing may be thrown away. vm->lock held. */
static bool discard_denied(struct vm *vm, uaddr_t start, uaddr_t end)
{
	struct vma *vma;

	if (unlikely(vm->has_seals))
		for (vma = vm_find_from(vm, start); vma && vma->start < end; vma = vm_next(vm, vma))
			if ((vma->flags & VM_SEALED) && !vma->object && !(vma->flags & VM_WRITE))
				return true;
	return false;
}

/* Memory that may be dropped stays out of children and cores; only anonymous private memory can be wiped. */
static bool advice_fits(struct vm *vm, uaddr_t start, uaddr_t end, int advice)
{
	bool keeps = advice == MADV_DODUMP || advice == MADV_KEEPONFORK;
	struct vma *vma;

	for (vma = vm_find_from(vm, start); vma && vma->start < end; vma = vm_next(vm, vma))
		if ((keeps && (vma->flags & VM_DROPPABLE)) ||
		    (advice == MADV_WIPEONFORK && vma->object))
			return false;
	return true;
}

static int advise_flags(struct vm *vm, uaddr_t start, uaddr_t end, int advice)
{
	int r;

	rwsem_down_write(&vm->lock);
	if ((advice == MADV_DONTFORK || advice == MADV_WIPEONFORK) &&
	    discard_denied(vm, start, end)) {
		rwsem_up_write(&vm->lock);
		return -EPERM;
	}
	if (!advice_fits(vm, start, end, advice)) {
		rwsem_up_write(&vm->lock);
		return -EINVAL;
	}
	switch (advice) {
	case MADV_DONTFORK:
		r = change_flags(vm, start, end, VM_DONTFORK, 0);
		break;
	case MADV_DOFORK:
		r = change_flags(vm, start, end, 0, VM_DONTFORK);
		break;
	case MADV_DONTDUMP:
		r = change_flags(vm, start, end, VM_DONTDUMP, 0);
		break;
	case MADV_DODUMP:
		r = change_flags(vm, start, end, 0, VM_DONTDUMP);
		break;
	case MADV_WIPEONFORK:
		r = change_flags(vm, start, end, VM_WIPEONFORK, 0);
		break;
	default:
		r = change_flags(vm, start, end, 0, VM_WIPEONFORK);
		break;
	}
	rwsem_up_write(&vm->lock);
	return r;
}

/* Advice that only says that memory is not needed soon: nothing is paged out, but what may be dropped goes. */
static bool is_reclaim(int advice)
{
	return advice == MADV_COLD || advice == MADV_PAGEOUT;
}

/* Drop pages of private or shared mappings; MADV_FREE of anonymous ones only, MADV_PAGEOUT of droppable ones only. */
static int advise_drop(struct vm *vm, uaddr_t start, uaddr_t end, int advice)
{
	uaddr_t covered = start;
	int r = 0;

	rwsem_down_read(&vm->lock);
	if (!is_reclaim(advice) && discard_denied(vm, start, end))
		r = -EPERM;
	for (struct vma *vma = vm_find_from(vm, start); vma && vma->start < end && !r;
	     vma = vm_next(vm, vma)) {
		if (vma->start <= covered)
			covered = vma->end;
		if ((vma->flags & VM_LOCKED) && advice != MADV_DONTNEED_LOCKED)
			r = -EINVAL;
		else if (advice == MADV_FREE && vma->object)
			r = -EINVAL;
		else if (!is_reclaim(advice) ||
			 (advice == MADV_PAGEOUT && (vma->flags & VM_DROPPABLE)))
			vm_zap(vm, max(start, vma->start), min(end, vma->end));
	}
	rwsem_up_read(&vm->lock);
	return r ? r : covered >= end ? 0 : -ENOMEM;
}

/* May the pages of this shared mapping be taken out of what it maps? 0, -EINVAL, -EACCES. Source: madvise(2), MADV_REMOVE. */
static int remove_check(const struct vma *vma)
{
	if ((vma->flags & VM_LOCKED) || !vma->object ||
	    !(vma->object->ops->remove || vma->object->ops->sparse))
		return -EINVAL;
	return (vma->flags & (VM_SHARED | VM_MAYWRITE)) == (VM_SHARED | VM_MAYWRITE) ? 0 : -EACCES;
}

/* Punch a hole into what is mapped, one mapping after the other: the file's lock is outside vm->lock. */
static int advise_remove(struct vm *vm, uaddr_t start, uaddr_t end)
{
	int r = 0, missing = 0;

	while (start < end && !r) {
		struct vm_object *obj;
		struct vma *vma;
		uaddr_t to;
		u64 first;
		void *owner;

		rwsem_down_read(&vm->lock);
		vma = vm_find_from(vm, start);
		if (!vma || vma->start > start)
			missing = -ENOMEM;
		r = !vma || vma->start >= end	     ? -ENOMEM
		    : discard_denied(vm, start, end) ? -EPERM
						     : remove_check(vma);
		if (r) {
			rwsem_up_read(&vm->lock);
			break;
		}
		start = max(start, vma->start);
		to = min(end, vma->end);
		first = vma->pgoff + ((start - vma->start) >> PAGE_SHIFT);
		obj = vma->object;
		owner = vma->owner;
		obj->ops->owner_get(owner);
		rwsem_up_read(&vm->lock);
		if (obj->ops->remove)
			r = obj->ops->remove(owner, first << PAGE_SHIFT, to - start);
		else
			vm_object_truncate(obj, first, first + ((to - start) >> PAGE_SHIFT) - 1);
		obj->ops->owner_put(owner);
		start = to;
	}
	return r ? r : missing;
}

static int advise_populate(struct vm *vm, uaddr_t start, uaddr_t end, unsigned int access)
{
	int r = 0;

	rwsem_down_read(&vm->lock);
	for (uaddr_t a = start; a < end && !r; a += PAGE_SIZE) {
		struct vma *vma = vm_find(vm, a);

		if (!vma) {
			r = -ENOMEM;
		} else if (!(vma->flags & (access == UCTX_WRITE ? VM_WRITE : VM_READ))) {
			r = -EINVAL;
		} else {
			switch (vm_fault_locked(vm, vma, a, access, false)) {
			case VM_FAULT_OK:
				break;
			case VM_FAULT_OOM:
				r = -ENOMEM;
				break;
			default:
				r = -EFAULT;
			}
		}
	}
	rwsem_up_read(&vm->lock);
	return r;
}

static int check_mapped(struct vm *vm, uaddr_t start, uaddr_t end)
{
	int r;

	rwsem_down_read(&vm->lock);
	r = protect_check(vm, start, end, 0);
	rwsem_up_read(&vm->lock);
	return r;
}

int vm_advise(struct vm *vm, uaddr_t addr, size_t len, int advice)
{
	uaddr_t end;

	if ((addr & ~PAGE_MASK) || len > USER_END)
		return -EINVAL;
	len = ALIGN_UP(len, PAGE_SIZE);
	if (!range_valid(addr, len))
		return -EINVAL;
	end = addr + len;
	switch (advice) {
	case MADV_NORMAL:
	case MADV_RANDOM:
	case MADV_SEQUENTIAL:
	case MADV_WILLNEED:
		/* Hints about paging: nothing is ever paged out. */
		return len ? check_mapped(vm, addr, end) : 0;
	case MADV_COLD:
	case MADV_PAGEOUT:
	case MADV_DONTNEED:
	case MADV_DONTNEED_LOCKED:
	case MADV_FREE:
		return len ? advise_drop(vm, addr, end, advice) : 0;
	case MADV_REMOVE:
		return len ? advise_remove(vm, addr, end) : 0;
	case MADV_DONTFORK:
	case MADV_DOFORK:
	case MADV_DONTDUMP:
	case MADV_DODUMP:
	case MADV_WIPEONFORK:
	case MADV_KEEPONFORK:
		return len ? advise_flags(vm, addr, end, advice) : 0;
	case MADV_POPULATE_READ:
	case MADV_POPULATE_WRITE:
		return advise_populate(vm, addr, end,
				       advice == MADV_POPULATE_WRITE ? UCTX_WRITE : UCTX_READ);
	default:
		return -EINVAL;
	}
}

/* What of a range does not count as locked yet. */
static u64 unlocked_pages(struct vm *vm, uaddr_t start, uaddr_t end)
{
	u64 n = (end - start) >> PAGE_SHIFT;
	struct vma *vma;

	for (vma = vm_find_from(vm, start); vma && vma->start < end; vma = vm_next(vm, vma))
		if (vma->flags & VM_LOCKED)
			n -= (min(vma->end, end) - max(vma->start, start)) >> PAGE_SHIFT;
	return n;
}

int vm_lock_range(struct vm *vm, uaddr_t addr, size_t len, unsigned int lock, u64 limit)
{
	uaddr_t start = ALIGN_DOWN(addr, PAGE_SIZE), end = ALIGN_UP(addr + len, PAGE_SIZE);
	int r;

	if (end < start)
		return -EINVAL;
	if (end > USER_END)
		return -ENOMEM;
	if (start == end)
		return 0;
	rwsem_down_write(&vm->lock);
	if (lock && vm->locked_pages + ((end - start) >> PAGE_SHIFT) > limit >> PAGE_SHIFT &&
	    vm->locked_pages + unlocked_pages(vm, start, end) > limit >> PAGE_SHIFT)
		r = -ENOMEM;
	else
		r = change_flags(vm, start, end, lock, VM_LOCK_MASK & ~lock);
	rwsem_up_write(&vm->lock);
	if (!r && lock == VM_LOCKED)
		r = populate(vm, start, end - start);
	return r;
}

int vm_seal(struct vm *vm, uaddr_t addr, size_t len)
{
	uaddr_t end = addr + ALIGN_UP(len, PAGE_SIZE);
	int r;

	if ((addr & ~PAGE_MASK) || end < addr || (len && end == addr))
		return -EINVAL;
	if (end == addr)
		return 0;
	if (end > USER_END)
		return -ENOMEM;
	rwsem_down_write(&vm->lock);
	r = protect_check(vm, addr, end, 0);
	if (!r) {
		r = change_flags(vm, addr, end, VM_SEALED, 0);
		vm->has_seals = true;
	}
	rwsem_up_write(&vm->lock);
	return r;
}

/* Bring in what is mapped; a mapping without rights, or past the end of its file, is left as it is. */
static void populate_all(struct vm *vm)
{
	rwsem_down_read(&vm->lock);
	for (struct vma *vma = vm_next(vm, NULL); vma; vma = vm_next(vm, vma)) {
		unsigned int access = vma->flags & VM_WRITE ? UCTX_WRITE : UCTX_READ;

		for (uaddr_t a = vma->start; a < vma->end; a += PAGE_SIZE)
			if (vm_fault_locked(vm, vma, a, access, false))
				break;
	}
	rwsem_up_read(&vm->lock);
}

int vm_lock_all(struct vm *vm, unsigned int now, unsigned int future, u64 limit)
{
	rwsem_down_write(&vm->lock);
	if (now && vm->total_pages > limit >> PAGE_SHIFT) {
		rwsem_up_write(&vm->lock);
		return -ENOMEM;
	}
	vm->lock_future = future;
	for (struct vma *vma = vm_next(vm, NULL); vma && now; vma = vm_next(vm, vma)) {
		vma_account(vma, -1);
		vma->flags = (vma->flags & ~VM_LOCK_MASK) | (vma->flags & VM_DROPPABLE ? 0 : now);
		vma_account(vma, 1);
	}
	rwsem_up_write(&vm->lock);
	if (now == VM_LOCKED)
		populate_all(vm);
	return 0;
}

void vm_unlock_all(struct vm *vm)
{
	rwsem_down_write(&vm->lock);
	vm->lock_future = 0;
	for (struct vma *vma = vm_next(vm, NULL); vma; vma = vm_next(vm, vma)) {
		vma_account(vma, -1);
		vma->flags &= ~VM_LOCK_MASK;
		vma_account(vma, 1);
	}
	rwsem_up_write(&vm->lock);
}

/* Write back what the mapping at or behind *addr shows of a disk's file; *addr moves behind it. The lock is not held meanwhile. */
static int sync_one(struct vm *vm, uaddr_t *addr, uaddr_t end)
{
	struct vm_object *obj = NULL;
	u64 first = 0, last = 0;
	void (*put)(void *owner) = NULL;
	void *owner = NULL;
	struct vma *vma;
	int r = 0;

	rwsem_down_read(&vm->lock);
	vma = vm_find_from(vm, *addr);
	if (vma && vma->start < end && (vma->flags & VM_SHARED) && vma->object &&
	    vma->object->ops->sync) {
		uaddr_t from = max(*addr, vma->start), to = min(end, vma->end);

		obj = vma->object;
		owner = vma->owner;
		put = obj->ops->owner_put;
		obj->ops->owner_get(owner);
		first = vma->pgoff + ((from - vma->start) >> PAGE_SHIFT);
		last = vma->pgoff + ((to - 1 - vma->start) >> PAGE_SHIFT);
	}
	*addr = vma ? vma->end : end;
	rwsem_up_read(&vm->lock);
	if (obj) {
		r = obj->ops->sync(obj, first, last);
		put(owner);
	}
	return r;
}

/* Do mappings from @start on cover all, and is none of them locked that MS_INVALIDATE would change? The lock is not held. */
static int sync_check(struct vm *vm, uaddr_t start, uaddr_t end, unsigned int flags)
{
	int r;

	rwsem_down_read(&vm->lock);
	r = protect_check(vm, start, end, 0);
	for (struct vma *v = vm_find_from(vm, start); v && v->start < end; v = vm_next(vm, v))
		if ((flags & MS_INVALIDATE) && (v->flags & VM_LOCKED))
			r = -EBUSY;
	rwsem_up_read(&vm->lock);
	return r;
}

int vm_sync(struct vm *vm, uaddr_t addr, size_t len, unsigned int flags)
{
	uaddr_t end;
	int r, err = 0;

	if ((flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) || (addr & ~PAGE_MASK) ||
	    (flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC))
		return -EINVAL;
	/* A length whose last page is the last there could be is rounded up to nothing. */
	end = addr + ALIGN_UP(len, PAGE_SIZE);
	if (end < addr)
		return -ENOMEM;
	if (end == addr)
		return 0;
	r = sync_check(vm, addr, end, flags);
	/* What is mapped is written, holes or not. */
	while ((!r || r == -ENOMEM) && !err && (flags & MS_SYNC) && addr < end)
		err = sync_one(vm, &addr, end);
	return err ? err : r;
}

/* Is the page that @vma shows at @addr in memory? Of others' files that is not told: yes. */
static bool object_incore(const struct vma *vma, uaddr_t addr)
{
	struct vm_object *obj = vma->object;
	struct page *page;
	bool yes;

	if (obj->ops->may_probe && !obj->ops->may_probe(vma->owner))
		return true;
	spin_lock(&obj->lock);
	page = xa_load(&obj->pages, vma->pgoff + ((addr - vma->start) >> PAGE_SHIFT));
	yes = page && !(page->flags & PAGE_UNTOUCHED);
	spin_unlock(&obj->lock);
	return yes;
}

int vm_mincore(struct vm *vm, uaddr_t addr, size_t npages, u8 *vec)
{
	struct hal_pte_info pte;
	int r = 0;

	rwsem_down_read(&vm->lock);
	for (size_t i = 0; i < npages && !r; i++, addr += PAGE_SIZE) {
		struct vma *vma = vm_find(vm, addr);

		if (!vma) {
			r = -ENOMEM;
			break;
		}
		spin_lock(&vm->pt_lock);
		vec[i] = hal_pt_query(&vm->pt, addr, &pte);
		spin_unlock(&vm->pt_lock);
		if (!vec[i] && vma->object)
			vec[i] = object_incore(vma, addr);
	}
	rwsem_up_read(&vm->lock);
	return r;
}
