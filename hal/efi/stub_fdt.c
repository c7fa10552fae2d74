/* SPDX-License-Identifier: MIT */
/*
 * The EFI stub's last steps where the kernel takes a device tree: a copy of the kernel at a multiple of 2 MiB, a copy
 * of the tree with what was gathered in /chosen, as Linux's own stub leaves it.
 * Source: Linux Documentation/arch/arm/uefi.rst (the linux,uefi-* properties).
 */
#include "stub.h"

#include <arch/efi.h>
#include <compiler.h>
#include <lib/string.h>
#include <libfdt.h>

#define KERNEL_ALIGN  0x200000ULL
#define TREE_MAX_SIZE (16U << 20)

#pragma GCC visibility push(hidden)
extern char __text_start[], __file_end[], __image_end[];
#pragma GCC visibility pop

GUID(riscv_boot_guid, 0xec, 0x5f, 0xd1, 0xcc, 0x73, 0x6f, 0xec, 0x4e, 0x83, 0x95, 0x3e, 0x69, 0xe4,
     0xb9, 0x40, 0xbf);

/* The hart that this is: from the firmware's protocol, else from the tree's /chosen. */
static const char *find_hart(struct efi_boot *boot)
{
	const void *fdt = (const void *)boot->tree;
	struct efi_riscv_boot *protocol;
	const fdt32_t *p;
	void *found;
	int len;

	if (!ARCH_EFI_NEEDS_HART)
		return NULL;
	if (!boot->systab->boot->locate_protocol(&riscv_boot_guid, NULL, &found)) {
		protocol = found;
		if (!protocol->get_boot_hartid(protocol, &boot->hart))
			return NULL;
	}
	p = fdt ? fdt_getprop(fdt, fdt_path_offset(fdt, "/chosen"), "boot-hartid", &len) : NULL;
	if (!p || (len != 4 && len != 8))
		return "the firmware does not say which hart this is";
	boot->hart = len == 4 ? fdt32_ld(p) : fdt64_ld((const fdt64_t *)p);
	return NULL;
}

static const char *copy_kernel(struct efi_boot *boot)
{
	u64 size = (u64)(__image_end - __text_start);

	boot->kernel = efi_stub_alloc(boot, size + KERNEL_ALIGN);
	if (!boot->kernel)
		return "no memory for the kernel";
	boot->kernel = ALIGN_UP(boot->kernel, KERNEL_ALIGN);
	memcpy((void *)boot->kernel, boot->image, (u64)(__file_end - __text_start));
	return NULL;
}

static int set_u64(void *fdt, int node, const char *name, u64 value)
{
	return fdt_setprop_u64(fdt, node, name, value);
}

static int set_u32(void *fdt, int node, const char *name, u32 value)
{
	return fdt_setprop_u32(fdt, node, name, value);
}

/* The map is not there yet: its properties are filled when it is, without a change of size. */
static int describe_map(void *fdt, int node, const struct efi_boot *boot)
{
	int err = set_u64(fdt, node, "linux,uefi-system-table", (u64)boot->systab);

	if (!err)
		err = set_u64(fdt, node, "linux,uefi-mmap-start", boot->map);
	if (!err)
		err = set_u32(fdt, node, "linux,uefi-mmap-size", (u32)boot->map_size);
	if (!err)
		err = set_u32(fdt, node, "linux,uefi-mmap-desc-size", (u32)boot->desc_size);
	return err;
}

static int describe_boot(void *fdt, int node, const struct efi_boot *boot)
{
	const char *cmdline = (const char *)boot->cmdline;
	int err = 0;

	if (*cmdline)
		err = fdt_setprop(fdt, node, "bootargs", cmdline, (int)strlen(cmdline) + 1);
	if (!err && boot->initrd_size) {
		err = set_u64(fdt, node, "linux,initrd-start", boot->initrd);
		if (!err)
			err = set_u64(fdt, node, "linux,initrd-end",
				      boot->initrd + boot->initrd_size);
	}
	return err ? err : describe_map(fdt, node, boot);
}

/* Trees have room for changes, up to a MiB of nothing: pack a copy, then open it into the block with what is left there. */
static const char *pack_tree(struct efi_boot *boot, const void *from)
{
	void *copy;

	if (fdt_check_header(from) || fdt_totalsize(from) > TREE_MAX_SIZE)
		return "the firmware's device tree is damaged or too large";
	copy = (void *)efi_stub_alloc(boot, fdt_totalsize(from));
	if (!copy)
		return "no memory for the device tree";
	memcpy(copy, from, fdt_totalsize(from));
	if (fdt_pack(copy) || fdt_open_into(copy, (void *)boot->handoff, EFI_MAP_OFFSET))
		return "the firmware's device tree is damaged or too large";
	return NULL;
}

/* The firmware's, or one that a virtual machine left for the firmware alone. */
static const void *find_tree(const struct efi_boot *boot)
{
	const void *hint = (const void *)ARCH_EFI_TREE_HINT;

	if (boot->tree)
		return (const void *)boot->tree;
	return ARCH_EFI_TREE_HINT != 0 && fdt_check_header(hint) == 0 ? hint : NULL;
}

static const char *copy_tree(struct efi_boot *boot)
{
	const void *from = find_tree(boot);
	void *fdt = (void *)boot->handoff;
	const char *why;
	int node;

	if (!from)
		return "the firmware has no device tree (it may have ACPI tables instead: -machine "
		       "acpi=off under QEMU)";
	why = pack_tree(boot, from);
	if (why)
		return why;
	node = fdt_path_offset(fdt, "/chosen");
	if (node < 0)
		node = fdt_add_subnode(fdt, 0, "chosen");
	if (node < 0 || describe_boot(fdt, node, boot))
		return "the device tree has no room for the command line";
	return NULL;
}

const char *efi_stub_prepare(struct efi_boot *boot)
{
	const char *why = copy_tree(boot);

	if (!why)
		why = find_hart(boot);
	return why ? why : copy_kernel(boot);
}

__noreturn void efi_stub_enter(struct efi_boot *boot)
{
	void *fdt = (void *)boot->handoff;

	describe_map(fdt, fdt_path_offset(fdt, "/chosen"), boot);
	arch_efi_enter(boot->kernel, (u64)(__file_end - __text_start), boot->handoff, boot->hart);
}
