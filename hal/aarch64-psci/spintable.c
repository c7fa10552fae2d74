/* SPDX-License-Identifier: MIT */
/*
 * CPUs that wait in a loop of the firmware's (enable-method "spin-table") until an address is written for them.
 *
 * The firmware's loop runs with the MMU off and passes nothing on, so what is written, and the table in which the CPU finds
 * itself by its MPIDR (smp.c), are cleaned to memory first.
 * Source: Linux Documentation/arch/arm64/booting.rst; Devicetree Specification 0.4, section 3.8.
 *
 * No locking: the boot CPU starts the others one after another.
 */
#include "psci.h"

#include <arch/barrier.h>
#include <compiler.h>
#include <err.h>
#include <hal/boot.h>
#include <hal/driver.h>
#include <hal/io.h>
#include <hal/paging.h>
#include <libfdt.h>
#include <lib/string.h>

#define CACHE_LINE 64 /* no line is longer where it matters: cleaning more often than needed is harmless */

static bool in_ram(paddr_t pa)
{
	for (unsigned int i = 0; i < boot_info.nram; i++)
		if (pa - boot_info.ram[i].base < boot_info.ram[i].size)
			return true;
	return false;
}

/* The release address of a CPU node that waits in such a loop; false for another. */
static bool release_address(const void *fdt, int node, paddr_t *pa)
{
	int len;
	const char *method = fdt_getprop(fdt, node, "enable-method", NULL);
	const fdt32_t *p = fdt_getprop(fdt, node, "cpu-release-addr", &len);

	if (!method || strcmp(method, "spin-table") || !p || (len != 4 && len != 8))
		return false;
	*pa = fdt32_to_cpu(p[0]);
	if (len == 8)
		*pa = *pa << 32 | fdt32_to_cpu(p[1]);
	return *pa % 8 == 0 && *pa < LINEAR_SIZE;
}

bool spintable_can_start(const void *fdt, int node)
{
	paddr_t pa;

	if (!release_address(fdt, node, &pa))
		return false;
	/* The word, and the loop itself, which is most often beside it. */
	boot_add_reserved(pa & PAGE_MASK, PAGE_SIZE);
	return true;
}

static int write_release(paddr_t pa, paddr_t entry)
{
	u64 *word = in_ram(pa) ? phys_to_virt(pa) : hal_ioremap(pa, sizeof(*word));

	if (!word)
		return -ENOMEM;
	WRITE_ONCE(*word, entry);
	if (in_ram(pa))
		io_cache_flush(word, sizeof(*word));
	dsb(sy);
	__asm__ __volatile__("sev" ::: "memory");
	return 0;
}

int spintable_cpu_on(u64 mpidr, paddr_t entry)
{
	const void *fdt = boot_info.fdt;
	int parent = fdt_find_top(fdt, "cpus");
	int node;

	fdt_for_each_child(node, fdt, parent)
	{
		paddr_t pa;
		u64 hwid;

		if (cpu_mpidr(fdt, node, &hwid) == 0 && hwid == mpidr &&
		    release_address(fdt, node, &pa))
			return write_release(pa, entry);
	}
	return -ENODEV;
}
