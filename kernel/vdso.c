/* SPDX-License-Identifier: MIT */
/*
 * The vDSO (hal/vdso.h), mapped into every program: [vvar], a page of data that the kernel writes, and behind it [vdso], the code.
 *
 * Both are memory objects with their pages in place from boot on. The data is constant but for two words, which
 * vdso_set_real_offset() and vdso_set_tai_offset() store whole. Source: vdso(7).
 */
#include <err.h>
#include <hal/timer.h>
#include <hal/upcall.h>
#include <hal/vdso.h>
#include <kernel/process.h>
#include <kernel/time.h>
#include <lib/string.h>
#include <mm/vm.h>
#include <uapi/mman.h>

static struct vm_object data_object, code_object;
static struct vdso_data *data;
static size_t code_size;

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

/* The owner is the name. */
static void vdso_describe(void *owner, char *buf, size_t size, u64 *dev, u64 *ino)
{
	strscpy(buf, owner, size);
	*dev = *ino = 0;
}

static const struct vm_object_ops vdso_ops = {
	.get_page = vdso_get_page,
	.owner_get = vdso_owner,
	.owner_put = vdso_owner,
	.describe = vdso_describe,
};

/* A page of @obj with the first @len bytes of @src in it. */
static void *__init add_page(struct vm_object *obj, u64 index, const void *src, size_t len)
{
	struct page *page = page_alloc(GFP_ZERO, 0), *there;
	void *va;

	if (!page)
		panic("no memory for the vDSO");
	page_set_type(page, PAGE_CACHE);
	va = page_to_virt(page);
	memcpy(va, src, len);
	hal_icache_sync(va, PAGE_SIZE);
	if (vm_object_insert(obj, index, page, &there))
		panic("no memory for the vDSO");
	page_put(there);
	page_put(page);
	return va;
}

void __init vdso_init(void)
{
	struct vdso_data first = {
		.origin = hal_clock.origin,
		.sec_per_tick = hal_clock.sec_per_tick,
		.real_offset_ns = ktime_real_offset(),
	};
	const char *image = hal_vdso(&code_size);

	static_assert(VDSO_DATA_SIZE == PAGE_SIZE);
	hal_vdso_fill(&first);
	vm_object_init(&data_object, &vdso_ops);
	data = add_page(&data_object, 0, &first, sizeof(first));
	vm_object_init(&code_object, &vdso_ops);
	for (size_t off = 0; off < code_size; off += PAGE_SIZE)
		add_page(&code_object, off >> PAGE_SHIFT, image + off,
			 min(code_size - off, PAGE_SIZE));
}

void vdso_set_real_offset(u64 ns)
{
	if (data)
		WRITE_ONCE(data->real_offset_ns, ns);
}

void vdso_set_tai_offset(u64 ns)
{
	if (data)
		WRITE_ONCE(data->tai_offset_ns, ns);
}

int vdso_map(struct vm *vm)
{
	long start, code;

	/* Room for both is found by mapping the data over all of it. */
	start = vm_map(vm, 0, PAGE_SIZE + code_size, PROT_READ, MAP_PRIVATE, &data_object, "[vvar]",
		       0, VM_MAYREAD, VM_VDSO | VM_DONTDUMP);
	if (start < 0)
		return (int)start;
	code = vm_map(vm, (uaddr_t)start + PAGE_SIZE, code_size, PROT_READ | PROT_EXEC,
		      MAP_PRIVATE | MAP_FIXED, &code_object, "[vdso]", 0,
		      VM_MAYREAD | VM_MAYEXEC | VM_MAYWRITE, VM_VDSO);
	if (code < 0)
		return (int)code;
	vm->vdso = (uaddr_t)code;
	return 0;
}
