/* SPDX-License-Identifier: MIT */
/*
 * Feed any bytes to the reader of EFI memory maps, as a map with any distance of its descriptors. What it takes as RAM must be
 * what descriptors of RAM cover, sorted and in whole pages, and reserved ranges sorted; a refused map leaves nothing behind.
 */
#include <stdlib.h>

#include "../../hal/efi/efi.h"

#include <hal/boot.h>
#include <hal/console.h>
#include <hal/paging.h>
#include <lib/string.h>

#define CHECK(condition) do { if (!(condition)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

void hal_console_write(const char *buf, size_t n)
{
	(void)buf;
	(void)n;
}

/* Whether a descriptor that may be RAM covers @pa. */
static bool covered(const u8 *map, u64 size, u64 step, paddr_t pa)
{
	for (u64 at = 0; at + step <= size; at += step) {
		struct efi_memory_desc d;

		memcpy(&d, map + at, sizeof(d));
		if (((d.type >= EFI_LOADER_CODE && d.type <= EFI_BOOT_DATA) ||
		     d.type == EFI_CONVENTIONAL || d.type == EFI_ACPI_RECLAIM) &&
		    pa >= d.phys && (pa - d.phys) >> 12 < d.npages)
			return true;
	}
	return false;
}

static void check_list(const struct boot_range *list, unsigned int n)
{
	CHECK(n <= BOOT_MAX_RANGES);
	for (unsigned int i = 0; i < n; i++) {
		CHECK(list[i].size && list[i].base + list[i].size > list[i].base);
		CHECK(list[i].base % PAGE_SIZE == 0 && list[i].size % PAGE_SIZE == 0);
		CHECK(i == 0 || list[i - 1].base + list[i - 1].size < list[i].base);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u64 step;
	u8 *map;

	if (size < 1)
		return 0;
	step = (u64)data[0] * 4;
	size -= 1;
	map = malloc(size);
	memcpy(map, data + 1, size);
	memset(&boot_info, 0, sizeof(boot_info));
	if (boot_add_efi_map(map, size, step)) {
		CHECK(boot_info.nram == 0 && boot_info.nreserved == 0);
	} else {
		boot_finish_memory();
		check_list(boot_info.ram, boot_info.nram);
		check_list(boot_info.reserved, boot_info.nreserved);
		for (unsigned int i = 0; i < boot_info.nram; i++) {
			const struct boot_range *r = &boot_info.ram[i];

			CHECK(covered(map, size, step, r->base));
			CHECK(covered(map, size, step, r->base + r->size - PAGE_SIZE));
		}
	}
	free(map);
	return 0;
}
