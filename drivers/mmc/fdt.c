/* SPDX-License-Identifier: MIT */
/* What device trees say of every host. Source: Linux Documentation/devicetree/bindings/mmc/mmc-controller.yaml. */
#include <compiler.h>
#include <drivers/mmc/mmc.h>
#include <hal/driver.h>
#include <lib/string.h>
#include <libfdt.h>

/* The number N of an alias "mmcN", or -1. */
static int alias_number(const char *name)
{
	int n = 0;

	if (strncmp(name, "mmc", 3) != 0 || !name[3])
		return -1;
	for (name += 3; *name; name++) {
		if (*name < '0' || *name > '9' || n > 99)
			return -1;
		n = n * 10 + *name - '0';
	}
	return n;
}

/* A host that has an alias has its number; the others follow the largest number that any has. */
static int host_number(const void *fdt, int node)
{
	static int next = -1;
	int aliases = fdt_find_top(fdt, "aliases"), prop, largest = -1;

	if (aliases >= 0) {
		fdt_for_each_property_offset(prop, fdt, aliases)
		{
			const char *name, *path;
			int len, n;

			path = fdt_getprop_by_offset(fdt, prop, &name, &len);
			n = path ? alias_number(name) : -1;
			if (n < 0 || len < 1 || path[len - 1] != '\0')
				continue;
			if (fdt_path_offset(fdt, path) == node)
				return n;
			largest = max(largest, n);
		}
	}
	next = max(next, largest) + 1;
	return next;
}

void mmc_host_from_fdt(struct mmc_host *host, const void *fdt, int node)
{
	u32 width = fdt_node_u32(fdt, node, "bus-width", 1);

	host->max_width = width == 8 || width == 4 ? width : 1;
	host->max_hz = fdt_node_u32(fdt, node, "max-frequency", 0);
	host->index = host_number(fdt, node);
}
