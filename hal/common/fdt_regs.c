/* SPDX-License-Identifier: MIT */
/*
 * Registers of the device tree's nodes, looked at before they are mapped.
 *
 *	fdt_regs_window()	where they are, if that can be true
 *	fdt_map_regs()		the same, mapped
 *
 * A tree that is wrong must not make the kernel store to its own memory, or to addresses that no page-table entry can hold. What
 * answers at an address that can be one nobody knows before it is asked.
 *
 * Small devices share pages: a window that lies in one that was mapped lately is not mapped again.
 * No locking: boot CPU only.
 * Source: Devicetree Specification 0.4, 2.3.6.
 */
#include <arch/layout.h>
#include <compiler.h>
#include <err.h>
#include <hal/boot.h>
#include <hal/driver.h>
#include <hal/paging.h>
#include <types.h>

#define REGS_MAX (64ULL << 20) /* of one window, which is more than any driver here has registers */
#define RECENT	 8
#define PHYS_MAX ((1ULL << ARCH_PHYS_BITS) - 1)

static struct mapped {
	struct boot_range pages;
	char *va;
} recent[RECENT];
static unsigned int next_recent;

static bool is_ram(paddr_t base, u64 size)
{
	for (unsigned int i = 0; i < boot_info.nram; i++) {
		const struct boot_range *r = &boot_info.ram[i];

		if (base < r->base + r->size && r->base < base + size)
			return true;
	}
	return false;
}

int fdt_regs_window(const void *fdt, int node, unsigned int index, u64 need,
		    struct boot_range *where)
{
	paddr_t base;
	u64 size;
	int err = fdt_node_reg(fdt, node, index, &base, &size);

	if (err)
		return err;
	if (!size || min(size, REGS_MAX) < need)
		return -EINVAL;
	if (base > PHYS_MAX || size - 1 > PHYS_MAX - base || is_ram(base, size))
		return -EFAULT;
	*where = (struct boot_range){ base, min(size, REGS_MAX) };
	return 0;
}

/* The mapping of [base, base + size), pages both. NULL: no room. */
static char *map_pages(paddr_t base, u64 size)
{
	struct mapped *m;

	for (m = recent; m < recent + RECENT; m++)
		if (m->va && base >= m->pages.base && base - m->pages.base < m->pages.size &&
		    size <= m->pages.size - (base - m->pages.base))
			return m->va + (base - m->pages.base);
	m = &recent[next_recent];
	m->va = hal_ioremap(base, size);
	m->pages = (struct boot_range){ base, size };
	if (m->va)
		next_recent = (next_recent + 1) % RECENT;
	return m->va;
}

int fdt_map_regs(const void *fdt, int node, unsigned int index, u64 need, char **regs,
		 struct boot_range *where)
{
	struct boot_range w;
	int err = fdt_regs_window(fdt, node, index, need, &w);
	paddr_t first;
	char *va;

	if (err)
		return err;
	first = ALIGN_DOWN(w.base, PAGE_SIZE);
	va = map_pages(first, ALIGN_UP(w.base + w.size, PAGE_SIZE) - first);
	if (!va)
		return -ENOMEM;
	*regs = va + (w.base - first);
	if (where)
		*where = w;
	return 0;
}
