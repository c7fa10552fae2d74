/* SPDX-License-Identifier: MIT */
/*
 * Memory before the page allocator: ranges taken from the top of boot_info's RAM.
 *
 * early_alloc() cuts from the highest free range that is large enough; what is left goes to the
 * buddy allocator by early_for_each_free(). Boot CPU only, no locks. Page tables come from here
 * too (upcall_pt_alloc) until the buddy allocator is up.
 */
#include <hal/boot.h>
#include <hal/upcall.h>
#include <lib/string.h>
#include <mm/internal.h>

static struct boot_range free_range[BOOT_MAX_RANGES * 2] __initdata;
static unsigned int nfree __initdata;
static bool collected __initdata;

static void __init add_free(paddr_t base, paddr_t end)
{
	base = ALIGN_UP(base, PAGE_SIZE);
	end = ALIGN_DOWN(end, PAGE_SIZE);
	if (base >= end)
		return;
	if (nfree == ARRAY_SIZE(free_range))
		panic("boot memory map has too many ranges");
	free_range[nfree++] = (struct boot_range){ .base = base, .size = end - base };
}

/* Add [base, end) without the reserved ranges, which are sorted and disjoint. */
static void __init add_unreserved(paddr_t base, paddr_t end)
{
	for (unsigned int i = 0; i < boot_info.nreserved && base < end; i++) {
		paddr_t rbase = boot_info.reserved[i].base;
		paddr_t rend = rbase + boot_info.reserved[i].size;

		if (rend <= base || rbase >= end)
			continue;
		if (rbase > base)
			add_free(base, rbase);
		base = rend;
	}
	if (base < end)
		add_free(base, end);
}

static void __init collect(void)
{
	for (unsigned int i = 0; i < boot_info.nram; i++)
		add_unreserved(boot_info.ram[i].base,
			       boot_info.ram[i].base + boot_info.ram[i].size);
	collected = true;
}

static paddr_t __init early_alloc_phys(u64 size, u64 align)
{
	if (!collected)
		collect();
	for (unsigned int i = nfree; i-- > 0;) {
		struct boot_range *r = &free_range[i];
		paddr_t base;

		if (r->size < size)
			continue;
		base = ALIGN_DOWN(r->base + r->size - size, align);
		if (base < r->base)
			continue;
		/* Alignment slack above the block is given up: it is less than @align. */
		r->size = base - r->base;
		return base;
	}
	if (!nfree)
		panic("the firmware's tables list no RAM that can be used");
	panic("out of memory while booting: %llu bytes wanted", size);
}

void *__init early_alloc_raw(size_t size, size_t align)
{
	return phys_to_virt(early_alloc_phys(ALIGN_UP(size, PAGE_SIZE), max(align, PAGE_SIZE)));
}

void *__init early_alloc(size_t size, size_t align)
{
	void *va = early_alloc_raw(size, align);

	memset(va, 0, ALIGN_UP(size, PAGE_SIZE));
	return va;
}

bool __init early_is_free(paddr_t base, u64 size)
{
	for (unsigned int i = 0; i < nfree; i++)
		if (base >= free_range[i].base &&
		    base + size <= free_range[i].base + free_range[i].size)
			return true;
	return false;
}

void __init early_for_each_free(void (*fn)(paddr_t base, u64 size))
{
	for (unsigned int i = 0; i < nfree; i++)
		if (free_range[i].size)
			fn(free_range[i].base, free_range[i].size);
	nfree = 0;
}
