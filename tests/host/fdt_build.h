/* SPDX-License-Identifier: MIT */
/* Device trees made by a test: one at a time, in `tree`. */
#ifndef FDT_BUILD_H
#define FDT_BUILD_H

#include "test_lib.h"

#include <libfdt.h>
#include <lib/string.h>

static char tree[16384] __aligned(8);

static inline void tree_begin(u32 address_cells, u32 size_cells)
{
	assert_int_equal(fdt_create(tree, sizeof(tree)), 0);
	fdt_finish_reservemap(tree);
	fdt_begin_node(tree, "");
	if (address_cells)
		fdt_property_u32(tree, "#address-cells", address_cells);
	fdt_property_u32(tree, "#size-cells", size_cells);
}

static inline void tree_end(void)
{
	fdt_end_node(tree);
	assert_int_equal(fdt_finish(tree), 0);
}

/* A property of @n words. */
static inline void tree_words(const char *name, const u32 *words, unsigned int n)
{
	fdt32_t cells[32];

	assert_true(n <= ARRAY_SIZE(cells));
	for (unsigned int i = 0; i < n; i++)
		cells[i] = cpu_to_fdt32(words[i]);
	assert_int_equal(fdt_property(tree, name, cells, (int)(4 * n)), 0);
}

#define TREE_WORDS(name, ...)                                                                      \
	tree_words(name, (const u32[]){ __VA_ARGS__ }, sizeof((u32[]){ __VA_ARGS__ }) / 4)

/* Begin a node with registers at @base; fdt_end_node() is the caller's. */
static inline void tree_device(const char *name, const char *compatible, u64 base, u64 size)
{
	fdt_begin_node(tree, name);
	fdt_property_string(tree, "compatible", compatible);
	TREE_WORDS("reg", (u32)(base >> 32), (u32)base, (u32)(size >> 32), (u32)size);
}

static inline int tree_node(const char *path)
{
	int node = fdt_path_offset(tree, path);

	assert_true(node >= 0);
	return node;
}

#endif
