/* SPDX-License-Identifier: MIT */
/*
 * The EFI stub's last steps on x86_64: the kernel goes to the one address it can run at, and gets what a PVH loader
 * would give it.
 * Source: Xen public/arch-x86/hvm/start_info.h.
 */

#include "stub.h"

#include <arch/layout.h>
#include <compiler.h>
#include <hal/pvh.h>
#include <lib/string.h>

#define EFI_PAGE_SHIFT 12
#define HEAD_SIZE      0x1000 /* of the file's headers, in front of the kernel */

#pragma GCC visibility push(hidden)
extern char __text_start[], __file_end[], __image_end[], x86_efi_entry[];
extern const char x86_efi_copy[], x86_efi_copy_end[];
#pragma GCC visibility pop

/* The hand-off block: the structures, then the ranges; at its end the code that copies the kernel. */
struct handoff {
	struct pvh_start_info info;
	struct pvh_module initrd;
	struct pvh_range map[];
};

#define COPY_OFFSET (EFI_MAP_OFFSET - 0x1000)

static bool will_be_free(u32 type)
{
	return type >= EFI_LOADER_CODE && type <= EFI_BOOT_DATA;
}

static const struct efi_memory_desc *desc_at(const struct efi_boot *boot, u64 offset)
{
	return (const struct efi_memory_desc *)(boot->map + offset);
}

/* The last address from @base on, up to @end, that nobody keeps when boot services are over. */
static u64 free_up_to(const struct efi_boot *boot, u64 base, u64 end)
{
	for (bool moved = true; moved && base < end;) {
		moved = false;
		for (u64 at = 0; at + boot->desc_size <= boot->map_size; at += boot->desc_size) {
			const struct efi_memory_desc *d = desc_at(boot, at);
			u64 d_end = d->phys + (d->npages << EFI_PAGE_SHIFT);

			if (!will_be_free(d->type) && d->type != EFI_CONVENTIONAL)
				continue;
			if (d->phys <= base && base < d_end) {
				base = d_end;
				moved = true;
			}
		}
	}
	return base;
}

const char *efi_stub_prepare(struct efi_boot *boot)
{
	u64 size = (u64)(__image_end - __text_start);
	u64 key;

	boot->map_size = EFI_HANDOFF_SIZE - EFI_MAP_OFFSET;
	if (boot->systab->boot->get_memory_map(&boot->map_size, (void *)boot->map, &key,
					       &boot->desc_size, &boot->desc_version))
		return "the firmware has no memory map";
	if (free_up_to(boot, KERNEL_PHYS, KERNEL_PHYS + size) < KERNEL_PHYS + size)
		return "the firmware keeps the memory at 1 MiB for itself";
	memcpy((void *)(boot->handoff + COPY_OFFSET), x86_efi_copy,
	       (u64)(x86_efi_copy_end - x86_efi_copy));
	return NULL;
}

/* Ranges of RAM, joined where they touch. */
static void describe_memory(const struct efi_boot *boot, struct handoff *h)
{
	struct pvh_range *last = NULL;

	for (u64 at = 0; at + boot->desc_size <= boot->map_size; at += boot->desc_size) {
		const struct efi_memory_desc *d = desc_at(boot, at);
		u64 size = d->npages << EFI_PAGE_SHIFT;

		if (!will_be_free(d->type) && d->type != EFI_CONVENTIONAL)
			continue;
		if (last && last->base + last->size == d->phys) {
			last->size += size;
			continue;
		}
		last = &h->map[h->info.nmemmap++];
		*last = (struct pvh_range){ .base = d->phys, .size = size, .type = PVH_RAM };
	}
}

__noreturn void efi_stub_enter(struct efi_boot *boot)
{
	struct handoff *h = (struct handoff *)boot->handoff;
	void (*copy)(const void *from, u64 size, u64 to, u64 entry, u64 info);

	h->info = (struct pvh_start_info){ .magic = PVH_MAGIC,
					   .version = 1,
					   .cmdline = boot->cmdline,
					   .rsdp = boot->rsdp,
					   .memmap = (u64)h->map };
	if (boot->initrd_size) {
		h->initrd = (struct pvh_module){ .base = boot->initrd, .size = boot->initrd_size };
		h->info.modules = (u64)&h->initrd;
		h->info.nmodules = 1;
	}
	describe_memory(boot, h);
	copy = (void *)(boot->handoff + COPY_OFFSET);
	copy(boot->image + HEAD_SIZE, (u64)(__file_end - __text_start), KERNEL_PHYS,
	     KERNEL_PHYS + (u64)(x86_efi_entry - __text_start), boot->handoff);
	__builtin_unreachable();
}
