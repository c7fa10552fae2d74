/* SPDX-License-Identifier: MIT */
/*
 * The memory map that an EFI firmware leaves.
 * Source: UEFI Specification 2.10, section 7.2, GetMemoryMap().
 */
#include "efi.h"

#include <compiler.h>
#include <err.h>
#include <hal/boot.h>
#include <lib/string.h>

#define EFI_PAGE_SHIFT	  12
#define ATTR_SPECIFIC	  (1ULL << 18) /* set aside for someone else */
#define DESC_MAX_SIZE	  256
#define MAP_MAX_SIZE	  (1ULL << 20)

static bool is_ram(const struct efi_memory_desc *d)
{
	switch (d->type) {
	case EFI_LOADER_CODE:
	case EFI_LOADER_DATA:
	case EFI_BOOT_CODE:
	case EFI_BOOT_DATA:
	case EFI_CONVENTIONAL:
		return !(d->attribute & ATTR_SPECIFIC);
	default:
		return false;
	}
}

/* Tables that the firmware hands over lie in RAM that has to be readable, and stays theirs. */
static bool is_kept_ram(const struct efi_memory_desc *d)
{
	return d->type == EFI_ACPI_RECLAIM;
}

static void add_one(const struct efi_memory_desc *d)
{
	u64 size = d->npages << EFI_PAGE_SHIFT;

	if (d->npages >> (64 - EFI_PAGE_SHIFT) || d->phys + size < d->phys)
		return;
	if (is_ram(d) || is_kept_ram(d))
		boot_add_ram(d->phys, size);
	if (is_kept_ram(d))
		boot_add_reserved(d->phys, size);
}

/* Most maps have many small pieces side by side: joined first, they fit into boot_info's list. */
int boot_add_efi_map(const void *map, u64 size, u64 desc_size)
{
	struct efi_memory_desc last = { .npages = 0 };

	if (desc_size < sizeof(last) || desc_size > DESC_MAX_SIZE || desc_size % 8 ||
	    size > MAP_MAX_SIZE || size < desc_size)
		return -EINVAL;
	for (u64 at = 0; at + desc_size <= size; at += desc_size) {
		struct efi_memory_desc d;

		memcpy(&d, (const char *)map + at, sizeof(d));
		if (is_ram(&d) && is_ram(&last) &&
		    d.phys == last.phys + (last.npages << EFI_PAGE_SHIFT)) {
			last.npages += d.npages;
			continue;
		}
		add_one(&last);
		last = d;
	}
	add_one(&last);
	return 0;
}
