/* SPDX-License-Identifier: MIT */
/* Two copies of a tree, of which one has an index, give the same answers. */
#ifndef FDT_SAME_H
#define FDT_SAME_H

#include <hal/driver.h>
#include <libfdt.h>

static inline bool same_reg(const void *a, const void *b, int node, unsigned int index)
{
	paddr_t base[2] = { 0, 0 };
	u64 size[2] = { 0, 0 };

	return fdt_node_reg(a, node, index, &base[0], &size[0]) ==
		       fdt_node_reg(b, node, index, &base[1], &size[1]) &&
	       base[0] == base[1] && size[0] == size[1];
}

static inline bool same_children(const void *a, const void *b, int node)
{
	int child = -1;

	do {
		int next = fdt_next_child(a, node, child);

		if (next != fdt_next_child(b, node, child))
			return false;
		child = next;
	} while (child >= 0);
	return true;
}

static inline bool same_node(const void *a, const void *b, int node)
{
	u32 phandle = fdt_get_phandle(a, node);
	int len;
	const char *compatible = fdt_getprop(a, node, "compatible", &len);

	if (compatible && (len < 1 || compatible[len - 1] != '\0'))
		compatible = NULL;
	return fdt_node_parent(a, node) == fdt_node_parent(b, node) &&
	       fdt_node_enabled(a, node) == fdt_node_enabled(b, node) &&
	       fdt_node_is_stdout(a, node) == fdt_node_is_stdout(b, node) &&
	       same_reg(a, b, node, 0) && same_reg(a, b, node, 1) && same_children(a, b, node) &&
	       (!phandle || fdt_node_by_phandle(a, phandle) == fdt_node_by_phandle(b, phandle)) &&
	       (!compatible ||
		(fdt_node_is_compatible(a, node, compatible) ==
			 fdt_node_is_compatible(b, node, compatible) &&
		 fdt_find_compatible(a, -1, compatible) == fdt_find_compatible(b, -1, compatible) &&
		 fdt_find_compatible(a, node, compatible) ==
			 fdt_find_compatible(b, node, compatible)));
}

/* The first @most nodes. */
static inline bool fdt_same(const void *a, const void *b, unsigned int most)
{
	for (int node = 0; node >= 0 && most > 0; node = fdt_next_node(a, node, NULL), most--)
		if (!same_node(a, b, node))
			return false;
	return fdt_find_top(a, "chosen") == fdt_find_top(b, "chosen");
}

#endif
