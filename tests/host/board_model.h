/* SPDX-License-Identifier: MIT */
/* A machine whose registers are memory; every store is written down. */
#ifndef BOARD_MODEL_H
#define BOARD_MODEL_H

#include "fdt_build.h"

#include <hal/boot.h>
#include <hal/driver.h>
#include <hal/io.h>
#include <hal/paging.h>

extern const struct fdt_driver __start_fdt_drivers[], __stop_fdt_drivers[];

#define SPACE	   0x100000000000ULL
#define MAX_STORES 64

static struct region {
	u64 base, size;
	u32 words[0x1000 / 4];
} regions[8];
static unsigned int nregions;
static struct {
	u64 addr;
	u32 value;
} stores[MAX_STORES];
static unsigned int nstores;
static u64 now;

static struct region *region_of(u64 addr)
{
	for (unsigned int i = 0; i < nregions; i++)
		if (addr >= regions[i].base && addr + 4 <= regions[i].base + regions[i].size)
			return &regions[i];
	fail_msg("no register at %llx", (unsigned long long)addr);
	return NULL;
}

static u32 *word_at(u64 addr)
{
	struct region *r = region_of(addr);

	return &r->words[(addr - r->base) / 4];
}

static void region_add(u64 base, u64 size)
{
	assert_true(nregions < ARRAY_SIZE(regions) && size <= sizeof(regions[0].words));
	regions[nregions++] = (struct region){ .base = base, .size = size };
}

/* The test's: what else a store does, and a load. */
static void model_written(u64 addr, u32 value);
static u32 model_read(u64 addr);

void *hal_ioremap(paddr_t pa, size_t size)
{
	return (void *)(SPACE + pa);
}

u64 host_io_read(const volatile void *addr, unsigned int size)
{
	assert_int_equal(size, 4);
	return model_read((u64)addr - SPACE);
}

void host_io_write(u64 value, volatile void *addr, unsigned int size)
{
	u64 at = (u64)addr - SPACE;

	assert_int_equal(size, 4);
	assert_true(nstores < MAX_STORES);
	*word_at(at) = (u32)value;
	stores[nstores].addr = at;
	stores[nstores++].value = (u32)value;
	model_written(at, (u32)value);
}

u64 hal_clock_ns(void)
{
	return now += 100000;
}

static void fresh(void)
{
	memset(&boot_info, 0, sizeof(boot_info));
	nregions = nstores = 0;
}

static int probe(const char *driver, const char *path)
{
	for (const struct fdt_driver *d = __start_fdt_drivers; d < __stop_fdt_drivers; d++)
		if (strcmp(d->name, driver) == 0)
			return d->probe(tree, tree_node(path));
	fail_msg("no driver %s", driver);
	return 0;
}

#endif
