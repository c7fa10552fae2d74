/* SPDX-License-Identifier: MIT */
/*
 * What the machine tells the kernel at boot.
 *
 * The HAL crate fills `boot_info` once, on the boot CPU, before upcall_kernel_main(): from the
 * flattened device tree, from ACPI, or from the loader's structures. After that it is read-only and
 * needs no lock. Everything portable code knows about the machine's memory and CPUs is here.
 */
#ifndef HAL_BOOT_H
#define HAL_BOOT_H

#include <types.h>

#define BOOT_MAX_RANGES  64
#define BOOT_CMDLINE_MAX 4096

/* A range of physical memory, [base, base + size), in bytes. */
struct boot_range {
	paddr_t base;
	u64 size;
};

struct boot_info {
	/* Usable RAM as reported, sorted, merged, page-aligned inwards; holes already taken out. */
	struct boot_range ram[BOOT_MAX_RANGES];
	unsigned int nram;
	/* Parts of `ram` that must not be allocated: kernel image, initrd, FDT, firmware, early tables. */
	struct boot_range reserved[BOOT_MAX_RANGES];
	unsigned int nreserved;

	struct boot_range kernel; /* the loaded image, bss included */
	struct boot_range initrd; /* size 0: none */
	struct boot_range tree;	  /* the device tree, when it lies in the linear map */

	char cmdline[BOOT_CMDLINE_MAX]; /* always NUL-terminated */

	const void *fdt; /* flattened device tree (kernel address), or NULL */
	paddr_t rsdp;	 /* ACPI root pointer, or 0 */

	/* CPUs that can be started, in logical order; entry 0 is the boot CPU. */
	unsigned int ncpus;
	u64 cpu_hwid[CONFIG_NR_CPUS]; /* hart id, MPIDR, APIC id, core id */
};

extern struct boot_info boot_info;

/**
 * boot_add_ram() / boot_add_reserved() - record a range while booting.
 * Overlapping and unsorted input is allowed; boot_finish_memory() normalises it. What BOOT_MAX_RANGES has no room for, after
 * merging, is dropped if it is RAM; reserved ranges and holes are all kept: the nearest two become one, with the RAM between them. The
 * first time there is a line on the early console.
 * Context: boot CPU, before upcall_kernel_main().
 */
void boot_add_ram(paddr_t base, u64 size);
void boot_add_reserved(paddr_t base, u64 size);
/* A part of the RAM that must not even be mapped (firmware's, "no-map"). One in which kernel, initrd or tree lie is only reserved. */
void boot_add_hole(paddr_t base, u64 size);
/** boot_add_loaded() - what a loader put at [base, base + size): RAM, whatever the tables say, and reserved. Before the tables are read. */
void boot_add_loaded(paddr_t base, u64 size);
/** boot_clip_ram() - leave out RAM from @limit on, which the kernel has no addresses for, with a line on the early console. */
void boot_clip_ram(paddr_t limit);
/** boot_finish_memory() - after all ranges: sort and merge them; an initrd that cannot be there is dropped with a line. */
void boot_finish_memory(void);

/**
 * boot_add_efi_map() - record RAM from an EFI memory map of @size bytes with descriptors @desc_size apart.
 * What only the firmware's boot needed counts as RAM; what the running firmware or ACPI keep does not.
 * Return: 0, or -EINVAL for a map that cannot be one; nothing was recorded then. Context: boot CPU, before
 * boot_finish_memory().
 */
int boot_add_efi_map(const void *map, u64 size, u64 desc_size);

#endif
