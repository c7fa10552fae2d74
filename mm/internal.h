/* SPDX-License-Identifier: MIT */
/* What the files of mm/ share and nobody else needs. */
#ifndef MM_INTERNAL_H
#define MM_INTERNAL_H

#include <mm/page.h>
#include <mm/vm.h>

/** early_alloc() - zeroed memory before the buddy allocator is up; never fails (panics). Boot CPU. */
void *early_alloc(size_t size, size_t align);
/** early_alloc_raw() - the same, not zeroed. */
void *early_alloc_raw(size_t size, size_t align);
/** early_is_free() - whether [base, base + size) lies in one range that early_for_each_free() will report. Boot CPU. */
bool early_is_free(paddr_t base, u64 size);
/** early_for_each_free() - every free range that the early allocator leaves, in bytes. */
void early_for_each_free(void (*fn)(paddr_t base, u64 size));

void page_init(void); /* struct pages and free lists, from boot_info */
void slab_init(void);

void vm_init(void);
void vm_object_subsystem_init(void);

/* The one accounting hook: every page changes kind here. */
void account_pages(enum page_type type, s64 npages);

/* mm/vm.c for mm/fault.c and the others */
unsigned int vma_hal_prot(const struct vma *vma);
/** vm_zap() - unmap pages of [start, end) and flush; the mappings stay. vm->lock held. */
void vm_zap(struct vm *vm, uaddr_t start, uaddr_t end);
void vm_zap_object(struct vm *vm, struct vm_object *obj, u64 first, u64 last, bool shared_only);
/** vm_object_create_shared() - @npages for MAP_SHARED | MAP_ANONYMOUS; *owner carries the caller's reference. ERR_PTR(-ENOMEM). */
struct vm_object *vm_object_create_shared(u64 npages, void **owner);
/** vm_wait_unmapped() - before [start, end), which is free, is mapped: until no munmap is clearing it. vm->lock held for writing. */
void vm_wait_unmapped(struct vm *vm, uaddr_t start, uaddr_t end);
/** vm_fault_locked() - as vm_handle_fault() with vm->lock held for reading. */
enum vm_fault vm_fault_locked(struct vm *vm, struct vma *vma, uaddr_t addr, unsigned int access,
			      bool force);

/** kernel_va_reserve() - a piece of VMALLOC space, page-aligned, for good. 0 when it is used up. */
vaddr_t kernel_va_reserve(u64 size);

#endif
