/* SPDX-License-Identifier: MIT */
/*
 * Memory objects: the page cache of a file, and shared anonymous memory.
 *
 * A struct vm_object holds pages by index, one reference each, and knows the mappings that show it, so that
 * truncation can take pages away from all of them. Files embed one (fs/vfs.h); for MAP_SHARED | MAP_ANONYMOUS
 * vm_object_create_shared() makes one of its own that lives as long as its mappings.
 *
 * Locking: object->lock (RANK_OBJECT) for pages and maps. Truncation takes each address space's pt_lock, which is outside
 * object->lock, so it visits one mapping at a time: see vm_object_truncate().
 */
#include <err.h>
#include <lib/string.h>
#include <mm/internal.h>
#include <mm/slab.h>

static struct kmem_cache *xa_node_cache;
static struct kmem_cache *shared_cache;

static void *xa_node_alloc(size_t size)
{
	(void)size;
	return kmem_cache_alloc(xa_node_cache, GFP_ATOMIC);
}

static void xa_node_free(void *node, size_t size)
{
	(void)size;
	kmem_cache_free(xa_node_cache, node);
}

const struct xa_ops kernel_xa_ops = { .alloc = xa_node_alloc, .free = xa_node_free };

void vm_object_init(struct vm_object *obj, const struct vm_object_ops *ops)
{
	obj->ops = ops;
	spin_init(&obj->lock, RANK_OBJECT);
	xa_init(&obj->pages, &kernel_xa_ops);
	obj->npages = 0;
	list_init(&obj->maps);
}

struct page *vm_object_find(struct vm_object *obj, u64 index)
{
	struct page *page;

	spin_lock(&obj->lock);
	page = xa_load(&obj->pages, index);
	if (page)
		page_get(page);
	spin_unlock(&obj->lock);
	return page;
}

int vm_object_insert(struct vm_object *obj, u64 index, struct page *page, struct page **out)
{
	struct page *there;
	int r = 0;

	spin_lock(&obj->lock);
	there = xa_load(&obj->pages, index);
	if (!there) {
		r = xa_store(&obj->pages, index, page);
		if (r)
			goto out;
		page->object = obj;
		page->index = index;
		obj->npages++;
		page_get(page);
		there = page;
	}
	page_get(there);
	*out = there;
out:
	spin_unlock(&obj->lock);
	return r;
}

bool vm_object_count(struct vm_object *obj, u64 *first, u64 last, u64 *npages, u64 *ndirty)
{
	struct page *page = NULL;

	spin_lock(&obj->lock);
	for (int n = 0; n < 256; n++, ++*first) {
		page = *first <= last ? xa_find(&obj->pages, first, last) : NULL;
		if (!page)
			break;
		++*npages;
		*ndirty += !!(page->flags & PAGE_DIRTY);
	}
	spin_unlock(&obj->lock);
	return page;
}

/* Remove up to 16 pages from [*first, last] into @out; *first moves behind them. */
static unsigned int take_pages(struct vm_object *obj, u64 *first, u64 last, struct page **out)
{
	struct page *page;
	unsigned int n = 0;
	u64 index;

	spin_lock(&obj->lock);
	for (index = *first; n < 16 && (page = xa_find(&obj->pages, &index, last));) {
		xa_erase(&obj->pages, index);
		page->object = NULL;
		obj->npages--;
		out[n++] = page;
	}
	*first = index;
	spin_unlock(&obj->lock);
	return n;
}

/* The part of @vma that shows object pages [first, last], in addresses. False: none. */
static bool vma_part(const struct vma *vma, u64 first, u64 last, uaddr_t *start, uaddr_t *end)
{
	u64 vfirst = vma->pgoff, vlast = vma->pgoff + ((vma->end - vma->start) >> PAGE_SHIFT) - 1;

	if (last < vfirst || first > vlast)
		return false;
	first = max(first, vfirst);
	last = min(last, vlast);
	*start = vma->start + ((first - vfirst) << PAGE_SHIFT);
	*end = vma->start + ((last + 1 - vfirst) << PAGE_SHIFT);
	return true;
}

/* The next address space that shows [first, last] and was not visited with @stamp; a user of it is taken. */
static struct vm *next_unvisited(struct vm_object *obj, u64 first, u64 last, u64 stamp)
{
	uaddr_t start, end;
	struct vma *vma;
	struct vm *vm = NULL;

	spin_lock(&obj->lock);
	list_for_each_entry(vma, &obj->maps, object_link) {
		if (vma->zap_stamp == stamp || !vma_part(vma, first, last, &start, &end))
			continue;
		vma->zap_stamp = stamp;
		if (refcount_inc_not_zero(&vma->vm->users)) {
			vm = vma->vm;
			break;
		}
	}
	spin_unlock(&obj->lock);
	return vm;
}

/*
 * Unmap [first, last] from every mapping. The list may change between two visits; a mapping that appears meanwhile
 * cannot show the pages that were taken out (see vm_fault_locked()).
 */
static void unmap_everywhere(struct vm_object *obj, u64 first, u64 last, bool shared_only)
{
	static u64 last_stamp;
	u64 stamp = __atomic_add_fetch(&last_stamp, 1, __ATOMIC_RELAXED);
	struct vm *vm;

	while ((vm = next_unvisited(obj, first, last, stamp))) {
		rwsem_down_read(&vm->lock);
		vm_zap_object(vm, obj, first, last, shared_only);
		rwsem_up_read(&vm->lock);
		vm_put(vm);
	}
}

/* Zap every part of @vm that shows these pages, or only of its shared mappings; vm->lock held for reading. */
void vm_zap_object(struct vm *vm, struct vm_object *obj, u64 first, u64 last, bool shared_only)
{
	uaddr_t start, end;

	for (struct vma *vma = vm_next(vm, NULL); vma; vma = vm_next(vm, vma))
		if (vma->object == obj && (!shared_only || (vma->flags & VM_SHARED)) &&
		    vma_part(vma, first, last, &start, &end))
			vm_zap(vm, start, end);
}

void vm_object_truncate(struct vm_object *obj, u64 first, u64 last)
{
	struct page *page[16];
	unsigned int n;

	u64 next = first;

	while ((n = take_pages(obj, &next, last, page)))
		while (n-- > 0)
			page_put(page[n]);
	if (!list_empty(&obj->maps))
		unmap_everywhere(obj, first, last, false);
}

void vm_object_unmap_shared(struct vm_object *obj, u64 first, u64 last)
{
	unmap_everywhere(obj, first, last, true);
}

/* ---- shared anonymous memory ---- */

struct shared_object {
	struct vm_object object;
	u64 size;	 /* pages: mremap shows no more than mmap made */
	refcount_t refs; /* one per mapping */
};

static int shared_get_page(struct vm_object *obj, u64 index, bool write, struct page **out)
{
	struct page *page;
	int r;

	(void)write;
	if (index >= container_of(obj, struct shared_object, object)->size)
		return -EFAULT;
	page = vm_object_find(obj, index);
	if (page) {
		*out = page;
		return 0;
	}
	page = page_alloc(GFP_USER | GFP_ZERO, 0);
	if (!page)
		return -ENOMEM;
	page_set_type(page, PAGE_CACHE);
	r = vm_object_insert(obj, index, page, out);
	page_put(page);
	return r;
}

static void shared_owner_get(void *owner)
{
	struct shared_object *so = owner;

	refcount_inc(&so->refs);
}

static void shared_owner_put(void *owner)
{
	struct shared_object *so = owner;

	if (!refcount_dec_and_test(&so->refs))
		return;
	vm_object_truncate(&so->object, 0, U64_MAX);
	kmem_cache_free(shared_cache, so);
}

static void shared_describe(void *owner, char *buf, size_t size, u64 *dev, u64 *ino)
{
	(void)owner;
	strscpy(buf, "/dev/zero (deleted)", size);
	*dev = 1;
	*ino = 1;
}

static const struct vm_object_ops shared_ops = {
	.get_page = shared_get_page,
	.owner_get = shared_owner_get,
	.owner_put = shared_owner_put,
	.describe = shared_describe,
	.sparse = true,
};

struct vm_object *vm_object_create_shared(u64 npages, void **owner)
{
	struct shared_object *so = kmem_cache_alloc(shared_cache, 0);

	if (!so)
		return ERR_PTR(-ENOMEM);
	vm_object_init(&so->object, &shared_ops);
	so->size = npages;
	refcount_set(&so->refs, 1);
	*owner = so;
	return &so->object;
}

void vm_object_subsystem_init(void)
{
	xa_node_cache = kmem_cache_create("xa_node", sizeof(struct xa_node), 0);
	shared_cache = kmem_cache_create("shared_memory", sizeof(struct shared_object), 0);
}
