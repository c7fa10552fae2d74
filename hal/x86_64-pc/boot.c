/* SPDX-License-Identifier: MIT */
/*
 * The first C code on a PC: from the PVH loader's structures to boot_info.
 *
 * Source: Xen public/arch-x86/hvm/start_info.h (version 1, with the memory map).
 */
#include "pc.h"

#include <hal/boot.h>
#include <hal/console.h>
#include <hal/cpu.h>
#include <hal/paging.h>
#include <hal/upcall.h>
#include <lib/string.h>

#define PVH_MAGIC   0x336ec578
#define PVH_RAM	    1
#define EARLY_LIMIT 0x100000000ULL /* what the early table maps without 1 GiB pages */
#define COM1	    0x3f8
#define UART_LSR    5
#define LSR_THRE    0x20

struct pvh_start_info {
	u32 magic, version, flags, nmodules;
	u64 modules, cmdline, rsdp, memmap;
	u32 nmemmap, reserved;
};

struct pvh_module {
	u64 base, size, cmdline, reserved;
};

struct pvh_range {
	u64 base, size;
	u32 type, reserved;
};

extern char __text_start[], __image_end[];
extern u64 early_pdpt[];

__noreturn void x86_start(u32 start_info);

/* COM1, polled; a port where nothing answers reads as all ones. */
void hal_early_putc(char c)
{
	for (unsigned int i = 0; i < 100000; i++) {
		u8 status = inb(COM1 + UART_LSR);

		if (status == 0xff)
			return;
		if (status & LSR_THRE)
			break;
	}
	outb(COM1, (u8)c);
}

static void early_puts(const char *s)
{
	for (; *s; s++)
		hal_early_putc(*s);
}

__noreturn static void give_up(const char *why)
{
	early_puts(why);
	hal_cpu_halt();
}

static void take_cmdline(const struct pvh_start_info *si)
{
	const char *text = phys_to_virt(si->cmdline);

	if (!si->cmdline)
		return;
	if (strlcpy(boot_info.cmdline, text, sizeof(boot_info.cmdline)) >=
	    sizeof(boot_info.cmdline))
		early_puts("boot: the command line is too long and was cut\r\n");
}

/*
 * The initrd may end in a page that the memory map gives only partly to RAM (microvm puts its ACPI tables
 * behind it). The page is mapped like RAM, so that all of the initrd can be read, and stays reserved.
 */
static void take_initrd(const struct pvh_start_info *si)
{
	const struct pvh_module *mod = phys_to_virt(si->modules);
	paddr_t base = ALIGN_DOWN(mod->base, PAGE_SIZE);

	boot_info.initrd = (struct boot_range){ mod->base, mod->size };
	boot_add_ram(base, ALIGN_UP(mod->base + mod->size, PAGE_SIZE) - base);
	boot_add_reserved(mod->base, mod->size);
}

static void take_memory(const struct pvh_start_info *si)
{
	const struct pvh_range *map = phys_to_virt(si->memmap);

	for (u32 i = 0; i < si->nmemmap; i++)
		if (map[i].type == PVH_RAM)
			boot_add_ram(map[i].base, map[i].size);
	boot_info.kernel.base = arch_image_to_phys(__text_start);
	boot_info.kernel.size = (u64)(__image_end - __text_start);
	boot_add_reserved(boot_info.kernel.base, boot_info.kernel.size);
	/* Page 0 stays unused, the trampoline is for the other CPUs. */
	boot_add_reserved(0, PAGE_SIZE);
	boot_add_reserved(X86_TRAMPOLINE, PAGE_SIZE);
	if (si->nmodules)
		take_initrd(si);
	boot_finish_memory();
}

static bool is_reserved(paddr_t pa)
{
	for (unsigned int i = 0; i < boot_info.nreserved; i++)
		if (pa - boot_info.reserved[i].base < boot_info.reserved[i].size)
			return true;
	return false;
}

/* A page below 4 GiB, from the top of RAM down. */
static paddr_t early_page(void)
{
	for (unsigned int i = boot_info.nram; i-- > 0;) {
		const struct boot_range *r = &boot_info.ram[i];
		paddr_t end = min(r->base + r->size, EARLY_LIMIT);

		for (paddr_t pa = end; pa > r->base; pa -= PAGE_SIZE) {
			if (is_reserved(pa - PAGE_SIZE))
				continue;
			boot_add_reserved(pa - PAGE_SIZE, PAGE_SIZE);
			return pa - PAGE_SIZE;
		}
	}
	give_up("boot: no memory for page tables\r\n");
}

/* Without 1 GiB pages the early linear map ends at 4 GiB: add 2 MiB pages for the RAM above. */
static void map_high_ram(void)
{
	const struct boot_range *last = &boot_info.ram[boot_info.nram - 1];

	if (x86_features.gb_pages)
		return;
	for (paddr_t base = EARLY_LIMIT; base < last->base + last->size; base += 1UL << 30) {
		paddr_t pa = early_page();
		u64 *pd = phys_to_virt(pa);

		for (u64 i = 0; i < 512; i++)
			pd[i] = (base + (i << 21)) | 0x83;
		early_pdpt[base >> 30] = pa | 3;
	}
	boot_finish_memory();
}

__noreturn void x86_start(u32 start_info)
{
	const struct pvh_start_info *si = phys_to_virt(start_info);

	x86_cpu_detect();
	x86_cpu_enable();
	x86_desc_init(0);
	x86_fpu_init();
	if (si->magic != PVH_MAGIC || si->version < 1 || !si->nmemmap)
		give_up("boot: the loader passed no PVH memory map\r\n");
	take_cmdline(si);
	take_memory(si);
	if (!boot_info.nram)
		give_up("boot: the loader's memory map has no RAM\r\n");
	map_high_ram();
	boot_info.rsdp = si->rsdp;
	acpi_scan(si->rsdp);
	pc_clock_init();
	upcall_kernel_main();
}
