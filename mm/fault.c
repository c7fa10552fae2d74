/* SPDX-License-Identifier: MIT */
/*
 * Page faults, and access to pages of address spaces from inside the kernel.
 *
 * vm_handle_fault() finds the mapping, checks the right, gets the page the mapping shows there, and enters it
 * into the table. The page is found without pt_lock, since that may sleep; what was in the
 * table is looked at again under pt_lock before it is replaced: if another thread was faster, its page stays. A new page of anonymous
 * memory is entered by one compare-and-exchange, without that lock.
 *
 * Private mappings: a page of the object is entered read-only; the first write gets a copy of its own (PAGE_ANON). After fork both sides
 * show the same anonymous page read-only; whoever writes copies it, the last one keeps it: a page with one reference has
 * one user. Anonymous memory that is only read shows the zero page.
 */
#include <err.h>
#include <hal/uctx.h>
#include <lib/string.h>
#include <mm/internal.h>

#define FAULT_AROUND 16 /* pages, aligned: entered together when they are in the cache already */
#define STACK_GUARD_GAP (256 * PAGE_SIZE)

static u64 object_index(const struct vma *vma, uaddr_t addr)
{
	return vma->pgoff + ((addr - vma->start) >> PAGE_SHIFT);
}

/* The error of get_page() as a fault result. */
static enum vm_fault fault_error(int err)
{
	return err == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_BUS;
}

/* The peak is rough when several threads fault at once. */
static void count_rss(struct vm *vm, const struct page *page, s64 n)
{
	u64 rss;

	if (page->type == PAGE_ANON)
		__atomic_fetch_add(&vm->rss_anon, (u64)n, __ATOMIC_RELAXED);
	else if (page->type == PAGE_CACHE)
		__atomic_fetch_add(&vm->rss_file, (u64)n, __ATOMIC_RELAXED);
	rss = READ_ONCE(vm->rss_anon) + READ_ONCE(vm->rss_file);
	if (rss > READ_ONCE(vm->rss_peak))
		WRITE_ONCE(vm->rss_peak, rss);
}

/*
 * Enter @page at @addr unless the table changed since @old was read (pa 0: was empty). Takes over the caller's reference, and
 * drops the one of the page it replaces. Another thread's result counts as ours.
 */
static enum vm_fault install_page(struct vma *vma, uaddr_t addr, const struct hal_pte_info *old,
				  struct page *page, unsigned int prot, bool from_object)
{
	struct vm *vm = vma->vm;
	struct hal_pte_info now = { 0 };
	struct page *replaced = NULL;
	enum vm_fault r = VM_FAULT_OK;

	spin_lock(&vm->pt_lock);
	if (!hal_pt_query(&vm->pt, addr, &now))
		now.pa = 0;
	if (now.pa != old->pa || (from_object && READ_ONCE(page->object) != vma->object))
		goto drop;
	if (hal_pt_map(&vm->pt, addr, page_to_phys(page), prot)) {
		r = VM_FAULT_OOM;
		goto drop;
	}
	count_rss(vm, page, 1);
	if (now.pa) {
		replaced = phys_to_page(now.pa);
		count_rss(vm, replaced, -1);
		hal_tlb_flush_page(&vm->pt, addr);
	}
	spin_unlock(&vm->pt_lock);
	if (replaced)
		page_put(replaced);
	return VM_FAULT_OK;
drop:
	spin_unlock(&vm->pt_lock);
	page_put(page);
	return r;
}

static int make_table(struct vm *vm, uaddr_t addr)
{
	int r;

	spin_lock(&vm->pt_lock);
	r = hal_pt_make_table(&vm->pt, addr);
	spin_unlock(&vm->pt_lock);
	return r;
}

/*
 * Enter @page at @addr, where an anonymous mapping has none, without pt_lock: threads that fault at once would meet there. All others of
 * vm->lock's readers leave the empty entries of such a mapping alone. Takes over the caller's reference.
 */
static enum vm_fault fill_page(struct vm *vm, uaddr_t addr, struct page *page, unsigned int prot)
{
	int filled;

	while ((filled = hal_pt_fill(&vm->pt, addr, page_to_phys(page), prot)) == -ENOENT) {
		if (make_table(vm, addr)) {
			page_put(page);
			return VM_FAULT_OOM;
		}
	}
	if (likely(filled))
		count_rss(vm, page, 1);
	else
		page_put(page);
	return VM_FAULT_OK;
}

static struct page *alloc_anon(unsigned int gfp)
{
	struct page *page = page_alloc(GFP_USER | gfp, 0);

	if (page)
		page_set_type(page, PAGE_ANON);
	return page;
}

/* A private copy of @from in its place. */
static enum vm_fault install_copy(struct vma *vma, uaddr_t addr, const struct hal_pte_info *old,
				  struct page *from)
{
	struct page *page = alloc_anon(from == zero_page ? GFP_ZERO : 0);

	if (!page)
		return VM_FAULT_OOM;
	if (from != zero_page)
		memcpy(page_to_virt(page), page_to_virt(from), PAGE_SIZE);
	if (vma->flags & VM_EXEC)
		page_fetchable(page);
	return install_page(vma, addr, old, page, vma_hal_prot(vma), false);
}

/* A write to a page that is present but read-only, in a private mapping. */
static enum vm_fault break_cow(struct vma *vma, uaddr_t addr, const struct hal_pte_info *old)
{
	struct vm *vm = vma->vm;
	struct hal_pte_info now;
	struct page *page;
	enum vm_fault r;

	spin_lock(&vm->pt_lock);
	if (!hal_pt_query(&vm->pt, addr, &now) || now.pa != old->pa) {
		spin_unlock(&vm->pt_lock);
		return VM_FAULT_OK;
	}
	page = phys_to_page(now.pa);
	if (page->type == PAGE_ANON && page_count(page) == 1) {
		hal_pt_map(&vm->pt, addr, now.pa, vma_hal_prot(vma));
		hal_tlb_flush_page(&vm->pt, addr);
		spin_unlock(&vm->pt_lock);
		return VM_FAULT_OK;
	}
	page_get(page);
	spin_unlock(&vm->pt_lock);
	r = install_copy(vma, addr, old, page);
	page_put(page);
	return r;
}

static enum vm_fault fault_anonymous(struct vma *vma, uaddr_t addr, unsigned int access)
{
	struct page *page;

	if (!(access & UCTX_WRITE)) {
		page_get(zero_page);
		return fill_page(vma->vm, addr, zero_page, vma_hal_prot(vma) & ~HAL_WRITE);
	}
	page = alloc_anon(GFP_ZERO);
	return page ? fill_page(vma->vm, addr, page, vma_hal_prot(vma)) : VM_FAULT_OOM;
}

/* Collect cached pages of the aligned window around @addr, each with a reference. */
static void collect_around(struct vma *vma, uaddr_t first, unsigned int n, struct page **pages,
			   paddr_t *pas)
{
	struct vm_object *obj = vma->object;
	u64 index = object_index(vma, first);

	spin_lock(&obj->lock);
	for (unsigned int i = 0; i < n; i++) {
		pages[i] = xa_load(&obj->pages, index + i);
		pas[i] = 0;
		if (pages[i] && (pages[i]->flags & PAGE_UNTOUCHED))
			pages[i] = NULL;
		if (pages[i]) {
			page_get(pages[i]);
			pas[i] = page_to_phys(pages[i]);
			if (vma->flags & VM_EXEC)
				page_fetchable(pages[i]);
		}
	}
	spin_unlock(&obj->lock);
}

/* After a read fault on a file page: its neighbours that are in memory, too, read-only. */
static void fault_around(struct vma *vma, uaddr_t addr)
{
	uaddr_t first = max(ALIGN_DOWN(addr, FAULT_AROUND * PAGE_SIZE), vma->start);
	uaddr_t end = min(ALIGN_DOWN(addr, FAULT_AROUND * PAGE_SIZE) + FAULT_AROUND * PAGE_SIZE,
			  vma->end);
	unsigned int n = (unsigned int)((end - first) >> PAGE_SHIFT);
	struct page *pages[FAULT_AROUND];
	paddr_t pas[FAULT_AROUND];
	u64 mapped = 0;

	collect_around(vma, first, n, pages, pas);
	spin_lock(&vma->vm->pt_lock);
	for (unsigned int i = 0; i < n; i++)
		if (pages[i] && READ_ONCE(pages[i]->object) != vma->object)
			pas[i] = 0;
	if (hal_pt_map_pages(&vma->vm->pt, first, pas, n, vma_hal_prot(vma) & ~HAL_WRITE, &mapped))
		mapped = 0;
	for (unsigned int i = 0; i < n; i++)
		if (mapped & (1ULL << i))
			count_rss(vma->vm, pages[i], 1);
	spin_unlock(&vma->vm->pt_lock);
	for (unsigned int i = 0; i < n; i++)
		if (pages[i] && !(mapped & (1ULL << i)))
			page_put(pages[i]);
}

/* A page of a shared mapping, writable. Marked dirty afterwards, so that a write-back that comes between does not miss a store. */
static enum vm_fault install_shared(struct vma *vma, uaddr_t addr, const struct hal_pte_info *old,
				    struct page *page)
{
	void (*dirty)(struct vm_object *obj, struct page *page) = vma->object->ops->page_dirty;
	enum vm_fault r;

	if (!dirty)
		return install_page(vma, addr, old, page, vma_hal_prot(vma), true);
	page_get(page);
	r = install_page(vma, addr, old, page, vma_hal_prot(vma), true);
	dirty(vma->object, page);
	page_put(page);
	return r;
}

static enum vm_fault fault_object(struct vma *vma, uaddr_t addr, unsigned int access,
				  const struct hal_pte_info *old)
{
	bool shared = vma->flags & VM_SHARED, write = access & UCTX_WRITE;
	struct page *page;
	enum vm_fault r;
	int err;

	err = vma->object->ops->get_page(vma->object, object_index(vma, addr), shared && write,
					 &page);
	if (err)
		return fault_error(err);
	if (write && !shared) {
		r = install_copy(vma, addr, old, page);
		page_put(page);
		return r;
	}
	if (vma->flags & VM_EXEC)
		page_fetchable(page);
	if (write)
		return install_shared(vma, addr, old, page);
	r = install_page(vma, addr, old, page, vma_hal_prot(vma) & ~HAL_WRITE, true);
	if (r == VM_FAULT_OK)
		fault_around(vma, addr);
	return r;
}

static bool access_allowed(const struct vma *vma, unsigned int access)
{
	static_assert(UCTX_READ == VM_READ && UCTX_WRITE == VM_WRITE && UCTX_EXEC == VM_EXEC,
		      "same bits");
	if (access & UCTX_READ)
		return vma->flags & (VM_READ | VM_WRITE | VM_EXEC);
	return (vma->flags & access) == access;
}

/* What the table's rights for a page allow suffices: the fault came from an old TLB entry. */
static bool pte_suffices(const struct hal_pte_info *pte, unsigned int access)
{
	return !(access & ~pte->prot & (UCTX_WRITE | UCTX_EXEC));
}

static bool may_force(const struct vma *vma, unsigned int access)
{
	unsigned int may = access & UCTX_WRITE ? VM_MAYWRITE : VM_MAYREAD;

	return (vma->flags & (may | VM_PROBE_SLOTS)) && !(vma->flags & VM_SHARED);
}

enum vm_fault vm_fault_locked(struct vm *vm, struct vma *vma, uaddr_t addr, unsigned int access,
			      bool force)
{
	struct hal_pte_info old = { 0 };
	bool present;

	addr = ALIGN_DOWN(addr, PAGE_SIZE);
	if (!access_allowed(vma, access) && !(force && may_force(vma, access)))
		return VM_FAULT_ACCERR;
	present = hal_pt_query(&vm->pt, addr, &old);
	if (!present) {
		old.pa = 0;
		return vma->object ? fault_object(vma, addr, access, &old)
				   : fault_anonymous(vma, addr, access);
	}
	if (pte_suffices(&old, access)) {
		hal_tlb_flush_page(&vm->pt, addr);
		return VM_FAULT_OK;
	}
	if (!(access & UCTX_WRITE))
		return VM_FAULT_ACCERR;
	if (!(vma->flags & VM_SHARED))
		return break_cow(vma, addr, &old);
	return fault_object(vma, addr, access, &old);
}

int vm_install_page(struct vm *vm, uaddr_t addr, struct page *page)
{
	enum vm_fault r = VM_FAULT_MAPERR;
	struct vma *vma;

	rwsem_down_read(&vm->lock);
	vma = vm_find(vm, addr);
	if (vma) {
		page_get(page);
		r = fill_page(vm, addr, page, vma_hal_prot(vma));
	}
	rwsem_up_read(&vm->lock);
	return r == VM_FAULT_OK ? 0 : -ENOMEM;
}

/* ---- the stack ---- */

/* Extend a downward-growing mapping to @addr if limits and neighbours permit; vm->lock for writing. */
static bool grow_stack(struct vm *vm, uaddr_t addr)
{
	struct vma *vma = vm_find_from(vm, addr), *below;
	uaddr_t start = ALIGN_DOWN(addr, PAGE_SIZE);

	if (!vma || !(vma->flags & VM_GROWSDOWN))
		return false;
	if (vma->start <= start)
		return true;
	if (vma->end - start > vm->rlimit_stack || start < PAGE_SIZE ||
	    vm->total_pages + ((vma->start - start) >> PAGE_SHIFT) > vm->rlimit_as >> PAGE_SHIFT)
		return false;
	below = rb_entry_safe(rb_prev(&vma->node), struct vma, node);
	if (below && (below->flags & (VM_READ | VM_WRITE | VM_EXEC)) &&
	    below->end + STACK_GUARD_GAP > start)
		return false;
	vm_wait_unmapped(vm, start, vma->start);
	vm->total_pages += (vma->start - start) >> PAGE_SHIFT;
	vm->total_peak = max(vm->total_peak, vm->total_pages);
	vm->stack_pages += (vma->start - start) >> PAGE_SHIFT;
	if (!vma->object)
		vma->pgoff = start >> PAGE_SHIFT;
	vma->start = start;
	return true;
}

enum vm_fault vm_handle_fault(struct vm *vm, uaddr_t addr, unsigned int access)
{
	enum vm_fault r = VM_FAULT_MAPERR;
	struct vma *vma;
	bool grown;

	if (addr >= USER_END)
		return VM_FAULT_MAPERR;
	rwsem_down_read_past(&vm->lock);
	vma = vm_find(vm, addr);
	if (unlikely(!vma)) {
		rwsem_up_read(&vm->lock);
		rwsem_down_write(&vm->lock);
		grown = grow_stack(vm, addr);
		rwsem_downgrade(&vm->lock);
		vma = grown ? vm_find(vm, addr) : NULL;
	}
	if (vma)
		r = vm_fault_locked(vm, vma, addr, access, false);
	rwsem_up_read(&vm->lock);
	return r;
}

/* ---- the kernel's own access ---- */

/* Is the page at @addr entered with enough rights for @write? With a reference if so. */
static struct page *present_page(struct vm *vm, struct vma *vma, uaddr_t addr, bool write)
{
	struct hal_pte_info pte;
	struct page *page = NULL;

	spin_lock(&vm->pt_lock);
	if (hal_pt_query(&vm->pt, addr, &pte)) {
		page = phys_to_page(pte.pa);
		/* Without the right to write (forced), the page must at least be ours alone. */
		if (write && !(pte.prot & HAL_WRITE) &&
		    ((vma->flags & VM_WRITE) || page->type != PAGE_ANON || page_count(page) != 1))
			page = NULL;
		if (page)
			page_get(page);
	}
	spin_unlock(&vm->pt_lock);
	return page;
}

struct page *vm_pin_page_locked(struct vm *vm, struct vma *vma, uaddr_t addr, bool write,
				bool force)
{
	for (int tries = 0; tries < 16; tries++) {
		struct page *page;

		if (access_allowed(vma, write ? UCTX_WRITE : UCTX_READ) || force) {
			page = present_page(vm, vma, addr, write);
			if (page)
				return page;
		}
		if (vm_fault_locked(vm, vma, addr, write ? UCTX_WRITE : UCTX_READ, force) !=
		    VM_FAULT_OK)
			return NULL;
	}
	return NULL;
}

struct page *vm_pin_page(struct vm *vm, uaddr_t addr, bool write)
{
	struct page *page = NULL;
	struct vma *vma;

	rwsem_down_read(&vm->lock);
	vma = vm_find(vm, addr);
	if (vma)
		page = vm_pin_page_locked(vm, vma, ALIGN_DOWN(addr, PAGE_SIZE), write, false);
	rwsem_up_read(&vm->lock);
	return page ? page : ERR_PTR(-EFAULT);
}

/* May other CPUs be executing what is changed in @vma? Then they see all of a change or nothing: vm_write_text(). */
static bool wants_new_page(const struct vma *vma)
{
	return (vma->flags & (VM_EXEC | VM_WRITE | VM_SHARED)) == VM_EXEC;
}

/* A copy of @from with @n bytes at @off replaced. Return: it with two references, or NULL. */
static struct page *changed_copy(struct page *from, size_t off, const void *code, size_t n)
{
	struct page *page = alloc_anon(0);
	char *va;

	if (!page)
		return NULL;
	va = page_to_virt(page);
	memcpy(va, page_to_virt(from), PAGE_SIZE);
	memcpy(va + off, code, n);
	page_fetchable(page);
	page_get(page);
	return page;
}

int vm_write_text(struct vm *vm, struct vma *vma, uaddr_t addr, const void *code, size_t n)
{
	size_t off = addr & ~PAGE_MASK;

	for (int tries = 0; tries < 16; tries++) {
		struct page *from = vm_pin_page_locked(vm, vma, addr - off, false, true), *page;
		struct hal_pte_info old = { 0 }, now = { 0 };

		page = from ? changed_copy(from, off, code, n) : NULL;
		if (page) {
			old.pa = page_to_phys(from);
			(void)install_page(vma, addr - off, &old, page, vma_hal_prot(vma), false);
			spin_lock(&vm->pt_lock);
			if (!hal_pt_query(&vm->pt, addr - off, &now))
				now.pa = 0;
			spin_unlock(&vm->pt_lock);
			page_put(page);
		}
		if (from)
			page_put(from);
		if (!page)
			return -ENOMEM;
		if (now.pa == page_to_phys(page))
			return 0;
	}
	return -ENOMEM;
}

/* Part of an access, on one page. Return: whether it was done. */
static bool access_page(struct vm *vm, struct vma *vma, uaddr_t addr, void *buf, size_t n,
			bool write, bool force)
{
	size_t off = addr & ~PAGE_MASK;
	struct page *page;
	char *va;

	if (write && force && wants_new_page(vma))
		return may_force(vma, UCTX_WRITE) && !vm_write_text(vm, vma, addr, buf, n);
	page = vm_pin_page_locked(vm, vma, addr - off, write, force);
	if (!page)
		return false;
	va = (char *)page_to_virt(page) + off;
	if (write)
		memcpy(va, buf, n);
	else
		memcpy(buf, va, n);
	if (write && (vma->flags & VM_EXEC))
		hal_icache_sync(va, n);
	page_put(page);
	return true;
}

ssize_t vm_access(struct vm *vm, uaddr_t addr, void *buf, size_t len, bool write, bool force)
{
	size_t done = 0;

	rwsem_down_read(&vm->lock);
	while (done < len) {
		size_t off = addr & ~PAGE_MASK, n = min(len - done, PAGE_SIZE - off);
		struct vma *vma = vm_find(vm, addr);

		if (!vma || !access_page(vm, vma, addr, (char *)buf + done, n, write, force))
			break;
		done += n;
		addr += n;
	}
	rwsem_up_read(&vm->lock);
	return done || !len ? (ssize_t)done : -EFAULT;
}

int vm_futex_key(struct vm *vm, uaddr_t addr, bool shared, struct futex_key *key)
{
	struct vma *vma;
	int r = 0;

	key->base = vm;
	key->offset = addr;
	if (!shared)
		return 0;
	rwsem_down_read(&vm->lock);
	vma = vm_find(vm, addr);
	if (!vma) {
		r = -EFAULT;
	} else if (vma->flags & VM_SHARED) {
		key->base = vma->object;
		key->offset = (object_index(vma, addr) << PAGE_SHIFT) | (addr & ~PAGE_MASK);
	}
	rwsem_up_read(&vm->lock);
	return r;
}
