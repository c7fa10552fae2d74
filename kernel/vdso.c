/* SPDX-License-Identifier: MIT */
/*
 * The vDSO: a small ELF image of the arch's, mapped into every program, and behind it the page of <vdso/data.h>. It holds
 * the clock functions, and the signal return trampoline where the ABI has no other place for it. Source: vdso(7).
 */
#include <err.h>
#include <hal/uctx.h>
#include <hal/upcall.h>
#include <kernel/process.h>
#include <kernel/time.h>
#include <lib/string.h>
#include <mm/vm.h>
#include <uapi/mman.h>
#include <vdso/data.h>

static struct vm_object vdso_object;
static size_t vdso_size;

static int vdso_get_page(struct vm_object *obj, u64 index, bool write, struct page **out)
{
	(void)write;
	*out = vm_object_find(obj, index);
	return *out ? 0 : -EFAULT;
}

static void vdso_owner(void *owner)
{
	(void)owner;
}

static void vdso_describe(void *owner, char *buf, size_t size, u64 *dev, u64 *ino)
{
	(void)owner;
	strscpy(buf, "[vdso]", size);
	*dev = *ino = 0;
}

static const struct vm_object_ops vdso_ops = {
	.get_page = vdso_get_page,
	.owner_get = vdso_owner,
	.owner_put = vdso_owner,
	.describe = vdso_describe,
};

static struct page *add_page(size_t offset)
{
	struct page *page = page_alloc(GFP_ZERO, 0), *there;

	if (!page)
		panic("no memory for the vDSO");
	page_set_type(page, PAGE_CACHE);
	if (vm_object_insert(&vdso_object, offset >> PAGE_SHIFT, page, &there))
		panic("no memory for the vDSO");
	page_put(there);
	page_put(page);
	return page;
}

void __init vdso_init(void)
{
	size_t size;
	const char *image = hal_vdso(&size);

	vm_object_init(&vdso_object, &vdso_ops);
	if (!size)
		return;
	if (size > VDSO_DATA_OFFSET)
		panic("the vDSO is too large");
	for (size_t off = 0; off < VDSO_DATA_OFFSET; off += PAGE_SIZE) {
		char *to = page_to_virt(add_page(off));

		if (off < size)
			memcpy(to, image + off, min(size - off, PAGE_SIZE));
		hal_icache_sync(to, PAGE_SIZE);
	}
	ktime_share(page_to_virt(add_page(VDSO_DATA_OFFSET)));
	vdso_size = VDSO_DATA_OFFSET + PAGE_SIZE;
}

int vdso_map(struct vm *vm)
{
	long addr;

	if (!vdso_size)
		return 0;
	addr = vm_map(vm, 0, vdso_size, PROT_READ | PROT_EXEC, MAP_PRIVATE, &vdso_object, NULL, 0,
		      VM_MAYREAD | VM_MAYEXEC | VM_MAYWRITE, VM_VDSO);
	if (addr < 0)
		return (int)addr;
	vm->vdso = (uaddr_t)addr;
	return 0;
}
