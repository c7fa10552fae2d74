/* SPDX-License-Identifier: MIT */
/*
 * Feed any bytes to the device-tree code as a tree: scanning it for memory and CPUs, finding drivers,
 * addresses and interrupts. Whatever it says, the memory ranges come out sorted and apart.
 */
#include <stdlib.h>

#include "../host/fdt_drivers.h"

#include <hal/boot.h>
#include <hal/driver.h>
#include <hal/irq.h>
#include <lib/string.h>
#include <libfdt.h>

#define CHECK(condition) do { if (!(condition)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void ignore_irq(void *arg)
{
	(void)arg;
}

static int probe(const void *fdt, int node)
{
	paddr_t base;
	u64 len;

	for (unsigned int i = 0; i < 3; i++) {
		if (fdt_node_reg(fdt, node, i, &base, &len))
			break;
		hal_irq_request_fdt(fdt, node, i, ignore_irq, NULL, "fuzz");
	}
	fdt_node_is_stdout(fdt, node);
	fdt_find_phandle(fdt, node, "regmap", 0);
	return 0;
}

FDT_TEST_DRIVER(DRIVER_SERIAL, probe, "ns16550a", "syscon-poweroff", "sifive,plic-1.0.0",
		"virtio,mmio");

static int cpu_hwid(const void *fdt, int node, u64 *hwid)
{
	paddr_t id;
	u64 none;
	int err = fdt_node_enabled(fdt, node) ? fdt_node_reg(fdt, node, 0, &id, &none) : -1;

	*hwid = err ? 0 : id;
	return err;
}

static void check_sorted(const struct boot_range *list, unsigned int n)
{
	CHECK(n <= BOOT_MAX_RANGES);
	for (unsigned int i = 0; i + 1 < n; i++)
		CHECK(list[i].base + list[i].size <= list[i + 1].base);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	size_t length;
	u8 *fdt;

	/* The loader promises that there is a header, and as much as it says. */
	if (size < sizeof(struct fdt_header) || fdt_totalsize(data) > size)
		return 0;
	length = max((size_t)fdt_totalsize(data), sizeof(struct fdt_header));
	fdt = malloc(length);
	memcpy(fdt, data, length);
	memset(&boot_info, 0, sizeof(boot_info));
	if (fdt_scan_boot(fdt, cpu_hwid) == 0) {
		boot_finish_memory();
		check_sorted(boot_info.ram, boot_info.nram);
		check_sorted(boot_info.reserved, boot_info.nreserved);
		CHECK(boot_info.ncpus >= 1 && boot_info.ncpus <= CONFIG_NR_CPUS);
		CHECK(strnlen(boot_info.cmdline, BOOT_CMDLINE_MAX) < BOOT_CMDLINE_MAX);
		hal_probe_fdt(fdt);
	}
	free(fdt);
	return 0;
}
