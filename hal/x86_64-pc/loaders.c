/* SPDX-License-Identifier: MIT */
/*
 * What each kind of loader leaves, read into boot_info and struct pc_loaded.
 *
 *	loader_read()	PVH, Linux's boot protocol, Multiboot2
 *
 * All of it lies in low memory that the early table maps, and is read once, before memory is handed out.
 * Source: Xen public/arch-x86/hvm/start_info.h; Linux Documentation/arch/x86/zero-page.rst; Multiboot2
 * Specification 2.0, section 3.6.
 */
#include <hal/pvh.h>
#include "pc.h"

#include <arch/x86.h>
#include <compiler.h>
#include <err.h>
#include <hal/boot.h>
#include <hal/console.h>
#include <hal/paging.h>
#include <lib/string.h>

#define E820_RAM 1

static void take_cmdline(u64 pa)
{
	if (pa && strlcpy(boot_info.cmdline, phys_to_virt(pa), sizeof(boot_info.cmdline)) >=
			  sizeof(boot_info.cmdline))
		hal_console_write("boot: the command line is too long and was cut\r\n", 48);
}

/* ---- PVH ---- */

static int read_pvh(const struct pvh_start_info *si, struct pc_loaded *loaded)
{
	const struct pvh_range *map = phys_to_virt(si->memmap);

	if (si->magic != PVH_MAGIC || si->version < 1)
		return -EINVAL;
	take_cmdline(si->cmdline);
	for (u32 i = 0; i < si->nmemmap; i++)
		if (map[i].type == PVH_RAM)
			boot_add_ram(map[i].base, map[i].size);
	if (si->nmodules) {
		const struct pvh_module *mod = phys_to_virt(si->modules);

		loaded->initrd = (struct boot_range){ mod->base, mod->size };
	}
	loaded->rsdp = si->rsdp;
	return 0;
}

/* ---- Linux ---- */

struct e820_entry {
	u64 base, size;
	u32 type;
} __packed;

struct boot_params {
	u8 pad0[0x070];
	u64 rsdp;
	u8 pad1[0x0c0 - 0x078];
	u32 ext_initrd, ext_initrd_size, ext_cmdline;
	u8 pad2[0x1e8 - 0x0cc];
	u8 nentries;
	u8 pad3[0x202 - 0x1e9];
	u32 magic;
	u8 pad4[0x218 - 0x206];
	u32 initrd, initrd_size;
	u8 pad5[0x228 - 0x220];
	u32 cmdline;
	u8 pad6[0x2d0 - 0x22c];
	struct e820_entry map[128];
} __packed;

_Static_assert(__builtin_offsetof(struct boot_params, map) == 0x2d0, "layout of the zero page");

static int read_linux(const struct boot_params *bp, struct pc_loaded *loaded)
{
	unsigned int n = min((unsigned int)bp->nentries, (unsigned int)ARRAY_SIZE(bp->map));

	take_cmdline((u64)bp->ext_cmdline << 32 | bp->cmdline);
	for (unsigned int i = 0; i < n; i++)
		if (bp->map[i].type == E820_RAM)
			boot_add_ram(bp->map[i].base, bp->map[i].size);
	loaded->initrd = (struct boot_range){ (u64)bp->ext_initrd << 32 | bp->initrd,
					      (u64)bp->ext_initrd_size << 32 | bp->initrd_size };
	loaded->rsdp = bp->rsdp;
	return 0;
}

/* ---- Multiboot2 ---- */

enum { MB_END = 0, MB_CMDLINE = 1, MB_MODULE = 3, MB_MAP = 6, MB_ACPI_OLD = 14, MB_ACPI_NEW = 15 };

#define MB_MAX_SIZE (1U << 20)

struct mb_tag {
	u32 type, size;
};

struct mb_module {
	struct mb_tag tag;
	u32 start, end;
};

struct mb_map {
	struct mb_tag tag;
	u32 entry_size, version;
};

struct mb_entry {
	u64 base, size;
	u32 type, reserved;
};

static void read_map(const struct mb_map *map)
{
	const char *end = (const char *)map + map->tag.size;

	if (map->tag.size < sizeof(*map) || map->entry_size < sizeof(struct mb_entry))
		return;
	for (const char *p = (const char *)(map + 1); p + map->entry_size <= end;
	     p += map->entry_size) {
		const struct mb_entry *e = (const void *)p;

		if (e->type == E820_RAM)
			boot_add_ram(e->base, e->size);
	}
}

/* Text and table are in the tag itself. A newer ACPI pointer wins over an older one. */
static void read_tag(const struct mb_tag *tag, struct pc_loaded *loaded)
{
	const struct mb_module *mod = (const void *)tag;
	paddr_t data = (vaddr_t)(tag + 1) - LINEAR_BASE;

	switch (tag->type) {
	case MB_CMDLINE:
		take_cmdline(data);
		break;
	case MB_MODULE:
		if (tag->size >= sizeof(*mod) && mod->end > mod->start)
			loaded->initrd = (struct boot_range){ mod->start, mod->end - mod->start };
		break;
	case MB_MAP:
		read_map((const void *)tag);
		break;
	case MB_ACPI_OLD:
		loaded->rsdp = loaded->rsdp ? loaded->rsdp : data;
		break;
	case MB_ACPI_NEW:
		loaded->rsdp = data;
		break;
	}
}

static int read_multiboot(const u32 *info, struct pc_loaded *loaded)
{
	u32 size = info[0];

	if (size > MB_MAX_SIZE)
		return -EINVAL;
	for (u32 at = 8; at + sizeof(struct mb_tag) <= size;) {
		const struct mb_tag *tag = (const void *)((const char *)info + at);

		if (tag->type == MB_END || tag->size < sizeof(*tag) || tag->size > size - at)
			break;
		read_tag(tag, loaded);
		at += ALIGN_UP(tag->size, 8);
	}
	return 0;
}

int loader_read(u32 loader, u32 info, struct pc_loaded *loaded)
{
	const void *p = phys_to_virt(info);

	switch (loader) {
	case X86_LOADER_LINUX:
		return read_linux(p, loaded);
	case X86_LOADER_MULTIBOOT:
		return read_multiboot(p, loaded);
	default:
		return read_pvh(p, loaded);
	}
}
