/* SPDX-License-Identifier: MIT */
/*
 * Looking at an address space without changing it: for core files and /proc.
 *
 * vm_areas() lists the mappings, vm_dump_page() walks over the pages of one that hold something. Pages that were never
 * touched stay untouched: a core file shows them as a hole, whatever the size of the mapping.
 * Locking: vm->lock for reading; nothing is held between calls.
 */
#include <err.h>
#include <lib/string.h>
#include <mm/internal.h>

/* Has this private mapping pages of its own? */
static bool has_own_pages(struct vm *vm, const struct vma *vma)
{
	struct hal_pte_info pte;
	uaddr_t at = vma->start;
	bool found = false;

	spin_lock(&vm->pt_lock);
	while (!found && (at = hal_pt_next(&vm->pt, at, vma->end)) < vma->end) {
		found = hal_pt_query(&vm->pt, at, &pte) && phys_to_page(pte.pa)->type == PAGE_ANON;
		at += PAGE_SIZE;
	}
	spin_unlock(&vm->pt_lock);
	return found;
}

/* Append the name of @vma's file to @names. False: it does not fit. */
static bool add_name(struct vma *vma, struct vm_area *a, char *names, size_t size, size_t *used)
{
	static const char gone[] = " (deleted)";
	size_t len;
	u64 dev, ino;

	a->name = *used;
	if (size - *used < 2)
		return false;
	vma->object->ops->describe(vma->owner, names + *used, size - *used, &dev, &ino);
	len = strlen(names + *used);
	if (*used + len + 1 >= size)
		return false;
	a->unlinked =
		len >= sizeof(gone) - 1 && !strcmp(names + *used + len - (sizeof(gone) - 1), gone);
	*used += len + 1;
	return true;
}

long vm_areas(struct vm *vm, struct vm_area *areas, size_t n, char *names, size_t size)
{
	size_t used = 0;
	long count = 0;

	rwsem_down_read(&vm->lock);
	for (struct vma *vma = vm_next(vm, NULL); vma && count >= 0; vma = vm_next(vm, vma)) {
		struct vm_area *a = &areas[count];

		if ((size_t)count++ >= n)
			continue;
		*a = (struct vm_area){ .start = vma->start,
				       .end = vma->end,
				       .flags = vma->flags,
				       .pgoff = vma->pgoff,
				       .mapped_file = vma->object && vma->object->ops->describe };
		if (!(vma->flags & VM_SHARED))
			a->written = has_own_pages(vm, vma);
		if (a->mapped_file && !add_name(vma, a, names, size, &used))
			count = -ENOSPC;
	}
	rwsem_up_read(&vm->lock);
	return count;
}

/* The page entered at @addr, with a reference; the shared page of zeros counts as none. */
static struct page *entered_page(struct vm *vm, uaddr_t addr)
{
	struct hal_pte_info pte;
	struct page *page = NULL;

	spin_lock(&vm->pt_lock);
	if (hal_pt_query(&vm->pt, addr, &pte)) {
		page = phys_to_page(pte.pa);
		if (page == zero_page)
			page = NULL;
		else
			page_get(page);
	}
	spin_unlock(&vm->pt_lock);
	return page;
}

/* The object's page for @addr. */
static struct page *object_page(struct vma *vma, uaddr_t addr)
{
	u64 index = vma->pgoff + ((addr - vma->start) >> PAGE_SHIFT);
	struct page *page = vm_object_find(vma->object, index);

	if (page || vma->object->ops->sparse)
		return page;
	return vma->object->ops->get_page(vma->object, index, false, &page) ? NULL : page;
}

struct page *vm_dump_page(struct vm *vm, uaddr_t *addr, uaddr_t end)
{
	struct page *page = NULL;
	struct vma *vma;

	rwsem_down_read(&vm->lock);
	vma = vm_find(vm, *addr);
	if (!vma)
		goto out;
	end = min(end, vma->end);
	for (; !page && *addr < end; *addr += page ? 0 : PAGE_SIZE) {
		if (!vma->object) {
			spin_lock(&vm->pt_lock);
			*addr = hal_pt_next(&vm->pt, *addr, end);
			spin_unlock(&vm->pt_lock);
			if (*addr >= end)
				break;
		}
		page = entered_page(vm, *addr);
		if (!page && vma->object)
			page = object_page(vma, *addr);
	}
out:
	rwsem_up_read(&vm->lock);
	return page;
}

/* ---- what is entered ---- */

/* How many mappings show the page; what keeps it for itself (a file's cache) is not one. */
static u32 mapcount(const struct page *page)
{
	u32 n = page_count(page);

	return max(page->type == PAGE_CACHE ? n - 1 : n, 1u);
}

static void add_page(const struct vma *vma, const struct page *page, struct vm_usage *u)
{
	bool dirty = page->type == PAGE_ANON || (page->flags & PAGE_DIRTY);
	u32 n = mapcount(page);

	if (page == zero_page)
		return;
	u->rss++;
	u->pss += 4096 / n;
	u->pss_dirty += dirty ? 4096 / n : 0;
	u->anon += page->type == PAGE_ANON;
	u->locked += vma->flags & VM_LOCKED ? 4096 / n : 0;
	if (n > 1)
		*(dirty ? &u->shared_dirty : &u->shared_clean) += 1;
	else
		*(dirty ? &u->private_dirty : &u->private_clean) += 1;
}

void vm_add_usage(struct vm *vm, struct vma *vma, struct vm_usage *u)
{
	uaddr_t at = vma->start;
	struct hal_pte_info pte;

	while (at < vma->end) {
		/* Not too much at once: the lock keeps others from faulting. */
		uaddr_t stop = min(vma->end, at + 256 * PAGE_SIZE);

		spin_lock(&vm->pt_lock);
		at = hal_pt_next(&vm->pt, at, vma->end);
		for (; at < min(stop, vma->end); at += PAGE_SIZE)
			if (hal_pt_query(&vm->pt, at, &pte))
				add_page(vma, phys_to_page(pte.pa), u);
		spin_unlock(&vm->pt_lock);
	}
}

#define PM_PRESENT   (1ULL << 63)
#define PM_FILE	     (1ULL << 61)
#define PM_EXCLUSIVE (1ULL << 56)
#define PM_PFN	     ((1ULL << 55) - 1)

static u64 pagemap_entry(paddr_t pa, bool pfns)
{
	const struct page *page = phys_to_page(pa);
	u64 e = PM_PRESENT;

	if (page->type == PAGE_CACHE)
		e |= PM_FILE;
	if (mapcount(page) == 1)
		e |= PM_EXCLUSIVE;
	return pfns ? e | ((pa >> PAGE_SHIFT) & PM_PFN) : e;
}

void vm_pagemap(struct vm *vm, uaddr_t addr, u64 *entries, size_t n, bool pfns)
{
	struct hal_pte_info pte;

	rwsem_down_read(&vm->lock);
	spin_lock(&vm->pt_lock);
	for (size_t i = 0; i < n; i++, addr += PAGE_SIZE)
		entries[i] = addr < USER_END && hal_pt_query(&vm->pt, addr, &pte)
				     ? pagemap_entry(pte.pa, pfns)
				     : 0;
	spin_unlock(&vm->pt_lock);
	rwsem_up_read(&vm->lock);
}
