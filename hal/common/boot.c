/* SPDX-License-Identifier: MIT */
/*
 * boot_info, and the bookkeeping of memory ranges while it is filled.
 *
 *	boot_add_ram(), boot_add_hole(), boot_add_reserved()	in any order, overlaps allowed
 *	boot_add_loaded()					kernel and tree, first: there is always room for them
 *	boot_clip_ram()						when the RAM is known
 *	boot_finish_memory()					once: sorts, merges, takes the holes out
 *
 * No locking: boot CPU only, read-only afterwards.
 */
#include <compiler.h>
#include <hal/boot.h>
#include <hal/console.h>
#include <hal/paging.h>
#include <lib/string.h>
#include <types.h>

/* The last page there can be an address of is never used. */
#define LAST_PAGE (~(u64)(PAGE_SIZE - 1))

struct boot_info boot_info;

static struct boot_range holes[BOOT_MAX_RANGES] __initdata;
static unsigned int nholes __initdata;

static void __init early_puts(const char *s)
{
	hal_console_write(s, strlen(s));
}

static void __init range_sort(struct boot_range *list, unsigned int n)
{
	for (unsigned int i = 1; i < n; i++) {
		struct boot_range r = list[i];
		unsigned int j = i;

		for (; j > 0 && list[j - 1].base > r.base; j--)
			list[j] = list[j - 1];
		list[j] = r;
	}
}

/* Join sorted ranges that overlap or touch. */
static unsigned int __init range_merge(struct boot_range *list, unsigned int n)
{
	unsigned int out = 0;

	for (unsigned int i = 0; i < n; i++) {
		struct boot_range *last = &list[out - 1];

		if (out && list[i].base <= last->base + last->size) {
			paddr_t end = list[i].base + list[i].size;

			if (end > last->base + last->size)
				last->size = end - last->base;
		} else {
			list[out++] = list[i];
		}
	}
	return out;
}

/* Join the two of the sorted ranges that have the least between them. */
static void __init range_join(struct boot_range *list, unsigned int *n)
{
	unsigned int best = 0;
	u64 least = U64_MAX;

	for (unsigned int i = 0; i + 1 < *n; i++) {
		u64 gap = list[i + 1].base - (list[i].base + list[i].size);

		if (gap < least) {
			least = gap;
			best = i;
		}
	}
	list[best].size = list[best + 1].base + list[best + 1].size - list[best].base;
	--*n;
	memmove(&list[best + 1], &list[best + 2], (*n - best - 1) * sizeof(*list));
}

/* What to do when a list is full. */
enum full {
	FULL_DROP,
	FULL_MERGE, /* ranges that overlap or touch become one; drop if none do */
	FULL_JOIN   /* and if none do, the two that are nearest, with what lies between */
};

static bool __init range_make_room(struct boot_range *list, unsigned int *n, enum full how)
{
	if (how == FULL_DROP)
		return false;
	range_sort(list, *n);
	*n = range_merge(list, *n);
	return *n < BOOT_MAX_RANGES;
}

/* @what: the line when the list is really full; the first of them is written. */
static void __init range_add(struct boot_range *list, unsigned int *n, paddr_t base, u64 size,
			     enum full how, const char *what)
{
	static bool told __initdata;

	if (base > LAST_PAGE)
		return;
	size = min(size, LAST_PAGE - base); /* so that no end wraps to 0 */
	if (size == 0)
		return;
	if (*n == BOOT_MAX_RANGES && !range_make_room(list, n, how)) {
		if (!told)
			early_puts(what);
		told = true;
		if (how != FULL_JOIN)
			return;
		range_join(list, n);
	}
	list[(*n)++] = (struct boot_range){ base, size };
}

static const char too_much_ram[] = "boot: too many memory ranges: some RAM is not used\r\n";

void __init boot_add_ram(paddr_t base, u64 size)
{
	range_add(boot_info.ram, &boot_info.nram, base, size, FULL_MERGE, too_much_ram);
}

void __init boot_add_reserved(paddr_t base, u64 size)
{
	range_add(boot_info.reserved, &boot_info.nreserved, base, size, FULL_JOIN,
		  "boot: too many reserved ranges: RAM between some is not used\r\n");
}

void __init boot_add_hole(paddr_t base, u64 size)
{
	range_add(holes, &nholes, base, size, FULL_JOIN,
		  "boot: too many holes in memory: RAM between some is not used\r\n");
}

/* Take [base, end) out of RAM range @i; what is above the hole becomes a range at the list's end. */
static void __init ram_cut(unsigned int i, paddr_t base, paddr_t end)
{
	struct boot_range *r = &boot_info.ram[i];
	paddr_t r_end = r->base + r->size;

	if (end <= r->base || base >= r_end)
		return;
	if (end < r_end && base > r->base)
		range_add(boot_info.ram, &boot_info.nram, end, r_end - end, FULL_DROP,
			  too_much_ram);
	if (base > r->base) {
		r->size = base - r->base;
	} else {
		paddr_t from = min(end, r_end);

		r->size = r_end - from;
		r->base = from;
	}
}

static bool __init range_overlaps(const struct boot_range *a, const struct boot_range *b)
{
	return a->size && b->size && a->base < b->base + b->size && b->base < a->base + a->size;
}

/* Loaders put things where the tree forbids it; what the kernel has to read must stay mapped. */
static bool __init hole_in_use(const struct boot_range *hole)
{
	return range_overlaps(hole, &boot_info.kernel) || range_overlaps(hole, &boot_info.initrd) ||
	       range_overlaps(hole, &boot_info.tree);
}

static void __init ram_cut_holes(void)
{
	for (unsigned int h = 0; h < nholes; h++) {
		unsigned int n = boot_info.nram;
		paddr_t base = ALIGN_DOWN(holes[h].base, PAGE_SIZE);
		paddr_t end = ALIGN_UP(holes[h].base + holes[h].size, PAGE_SIZE);

		if (hole_in_use(&holes[h])) {
			boot_add_reserved(holes[h].base, holes[h].size);
			continue;
		}
		for (unsigned int i = 0; i < n; i++)
			ram_cut(i, base, end);
	}
	nholes = 0;
}

void __init boot_add_loaded(paddr_t base, u64 size)
{
	paddr_t start = ALIGN_DOWN(base, PAGE_SIZE);

	boot_add_ram(start, ALIGN_UP(base + size, PAGE_SIZE) - start);
	boot_add_reserved(base, size);
}

void __init boot_clip_ram(paddr_t limit)
{
	bool more = false;

	for (unsigned int i = 0; i < boot_info.nram; i++)
		more |= boot_info.ram[i].base + boot_info.ram[i].size > limit;
	if (more)
		early_puts("boot: RAM beyond the kernel's address space is not used\r\n");
	boot_add_hole(limit, -limit);
}

/* Wholly in one of the sorted, merged ranges of RAM. */
static bool __init is_in_ram(const struct boot_range *r)
{
	for (unsigned int i = 0; i < boot_info.nram; i++) {
		u64 offset = r->base - boot_info.ram[i].base;

		if (r->base >= boot_info.ram[i].base && offset < boot_info.ram[i].size &&
		    r->size <= boot_info.ram[i].size - offset)
			return true;
	}
	return false;
}

/* An initrd that is nowhere, or was overwritten by the kernel, would be read all the same. */
static void __init check_initrd(void)
{
	const char *why = NULL;

	if (!boot_info.initrd.size)
		return;
	if (!is_in_ram(&boot_info.initrd))
		why = "boot: the initrd does not lie in RAM and is ignored\r\n";
	else if (range_overlaps(&boot_info.initrd, &boot_info.kernel))
		why = "boot: the initrd overlaps the kernel and is ignored\r\n";
	if (!why)
		return;
	early_puts(why);
	boot_info.initrd = (struct boot_range){ 0, 0 };
}

/* Whole pages only: RAM shrinks to them; empty ranges go. */
static void __init ram_align(void)
{
	unsigned int out = 0;

	for (unsigned int i = 0; i < boot_info.nram; i++) {
		paddr_t base = ALIGN_UP(boot_info.ram[i].base, PAGE_SIZE);
		paddr_t end = ALIGN_DOWN(boot_info.ram[i].base + boot_info.ram[i].size, PAGE_SIZE);

		if (base < end)
			boot_info.ram[out++] = (struct boot_range){ base, end - base };
	}
	boot_info.nram = out;
}

void __init boot_finish_memory(void)
{
	range_sort(boot_info.ram, boot_info.nram);
	boot_info.nram = range_merge(boot_info.ram, boot_info.nram);
	check_initrd();
	ram_cut_holes();
	range_sort(boot_info.ram, boot_info.nram);
	ram_align();

	for (unsigned int i = 0; i < boot_info.nreserved; i++) {
		struct boot_range *r = &boot_info.reserved[i];
		paddr_t end = ALIGN_UP(r->base + r->size, PAGE_SIZE);

		r->base = ALIGN_DOWN(r->base, PAGE_SIZE);
		r->size = end - r->base;
	}
	range_sort(boot_info.reserved, boot_info.nreserved);
	boot_info.nreserved = range_merge(boot_info.reserved, boot_info.nreserved);
}
