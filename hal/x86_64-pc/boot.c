/* SPDX-License-Identifier: MIT */
/*
 * The first C code on a PC: from what the loader left (loaders.c) to boot_info.
 */
#include "pc.h"

#include <hal/boot.h>
#include <hal/console.h>
#include <hal/cpu.h>
#include <hal/paging.h>
#include <hal/upcall.h>
#include <lib/string.h>

#define EARLY_LIMIT 0x100000000ULL /* what the early table maps without 1 GiB pages, ... */
#define EARLY_GB_LIMIT (1ULL << 39) /* ... and with them; map_high_ram() adds the rest */
#define RAM_LIMIT   (1ULL << 44) /* the pages of so much can be described where that is mapped */
#define GIB	    (1ULL << 30)
#define EARLY_TABLE 0x3
#define EARLY_LEAF  0x83
#define PML4_LINEAR 256
#define COM1	    0x3f8
#define UART_LSR    5
#define LSR_THRE    0x20

extern char __text_start[], __image_end[];
extern u64 early_pml4[];

__noreturn void x86_start(u32 info, u32 loader);

/* COM1, polled; a port where nothing answers reads as all ones. One that never drains is not waited for again. */
void hal_early_putc(char c)
{
	static unsigned int patience = 100000;
	u8 status = 0;

	for (unsigned int i = 0; i < patience && !(status & LSR_THRE); i++)
		status = inb(COM1 + UART_LSR);
	if (status == 0xff)
		return;
	if (status & LSR_THRE)
		outb(COM1, (u8)c);
	else
		patience = 1;
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

/*
 * The initrd may end in a page that the memory map gives only partly to RAM (microvm puts its ACPI tables
 * behind it). The page is mapped like RAM, so that all of the initrd can be read, and stays reserved.
 */
static void take_initrd(const struct boot_range *initrd)
{
	paddr_t base = ALIGN_DOWN(initrd->base, PAGE_SIZE);

	boot_info.initrd = *initrd;
	boot_add_ram(base, ALIGN_UP(initrd->base + initrd->size, PAGE_SIZE) - base);
	boot_add_reserved(initrd->base, initrd->size);
}

static void take_memory(const struct pc_loaded *loaded)
{
	boot_info.kernel.base = arch_image_to_phys(__text_start);
	boot_info.kernel.size = (u64)(__image_end - __text_start);
	boot_add_reserved(boot_info.kernel.base, boot_info.kernel.size);
	/* Page 0 stays unused, the trampoline is for the other CPUs. */
	boot_add_reserved(0, PAGE_SIZE);
	boot_add_reserved(X86_TRAMPOLINE, PAGE_SIZE);
	if (loaded->initrd.size)
		take_initrd(&loaded->initrd);
	boot_clip_ram(RAM_LIMIT);
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

static u64 *early_table(u64 *entry)
{
	if (!*entry) {
		paddr_t pa = early_page();

		memset(phys_to_virt(pa), 0, PAGE_SIZE);
		*entry = pa | EARLY_TABLE;
	}
	return phys_to_virt(ALIGN_DOWN(*entry, PAGE_SIZE));
}

static void map_gib(paddr_t base)
{
	u64 *pdpt = early_table(&early_pml4[PML4_LINEAR + (base >> 39)]);
	u64 *entry = &pdpt[base / GIB % 512], *pd;

	if (*entry)
		return;
	if (x86_features.gb_pages) {
		*entry = base | EARLY_LEAF;
		return;
	}
	pd = early_table(entry);
	for (u64 i = 0; i < 512; i++)
		pd[i] = (base + (i << 21)) | EARLY_LEAF;
}

/* The early linear map ends at 512 GiB, without 1 GiB pages at 4: add the RAM above. */
static void map_high_ram(void)
{
	for (unsigned int i = 0; i < boot_info.nram; i++) {
		const struct boot_range *r = &boot_info.ram[i];
		paddr_t base = ALIGN_DOWN(max(r->base, EARLY_LIMIT), GIB);

		for (; base < r->base + r->size; base += GIB)
			map_gib(base);
	}
	boot_finish_memory();
}

/* Up to 4 GiB, and with 1 GiB pages as far as one upper table reaches. */
const void *pc_early_map(paddr_t pa, u64 size)
{
	u64 limit = x86_features.gb_pages ? EARLY_GB_LIMIT : EARLY_LIMIT;

	return pa < limit && size <= limit - pa ? phys_to_virt(pa) : NULL;
}

static void scan_acpi(paddr_t rsdp)
{
	struct acpi_access access = {
		.map = pc_early_map,
		.boot_apic = cpuid(1, 0).b >> 24,
		.x2apic = x86_features.x2apic,
	};

	if (access.x2apic && cpuid(0, 0).a >= 0xb && cpuid(0xb, 0).b)
		access.boot_apic = cpuid(0xb, 0).d;
	acpi_scan(rsdp, &access);
	mp_scan(&access);
}

__noreturn void x86_start(u32 info, u32 loader)
{
	struct pc_loaded loaded = { .rsdp = 0 };

	x86_cpu_detect();
	x86_cpu_enable();
	x86_desc_init(0);
	x86_fpu_init();
	if (loader_read(loader, info, &loaded) || !boot_info.nram)
		give_up("boot: the loader passed no memory map\r\n");
	take_memory(&loaded);
	map_high_ram();
	boot_info.rsdp = loaded.rsdp;
	scan_acpi(loaded.rsdp);
	pc_clock_init();
	upcall_kernel_main();
}
