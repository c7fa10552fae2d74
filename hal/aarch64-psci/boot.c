/* SPDX-License-Identifier: MIT */
/*
 * The first C code: fill boot_info from the device tree and go to the kernel; find devices when the kernel
 * asks for them; the console until then.
 *
 * Context: boot CPU, interrupts off, on the boot stack, the early tables of entry.S.
 */
#include "psci.h"

#include <arch/cpufeature.h>
#include <arch/layout.h>
#include <arch/mmu.h>
#include <arch/sysreg.h>
#include <compiler.h>
#include <err.h>
#include <hal/boot.h>
#include <hal/console.h>
#include <hal/cpu.h>
#include <hal/driver.h>
#include <hal/io.h>
#include <hal/paging.h>
#include <hal/upcall.h>
#include <lib/string.h>
#include <libfdt.h>

#define FDT_WINDOW  (2UL << 20) /* Linux's limit for the tree's size */
#define MPIDR_AFF   0xff00ffffffULL

extern char __text_start[], __image_end[];

void hal_boot(paddr_t fdt_pa);

/* ---- Early console: a PL011 that the firmware has set up ---- */

#define PL011_DR      0x00
#define PL011_FR      0x18
#define PL011_FR_TXFF (1 << 5)
#define TX_SPINS      100000

static char *early_uart;

void hal_early_putc(char c)
{
	if (!early_uart)
		return;
	for (unsigned int i = 0; i < TX_SPINS && (readl(early_uart + PL011_FR) & PL011_FR_TXFF);
	     i++)
		hal_cpu_relax();
	writel((u8)c, early_uart + PL011_DR);
}

static void __init find_early_uart(const void *fdt)
{
	int node = -1;
	paddr_t pa;
	u64 size;

	do {
		node = fdt_node_offset_by_compatible(fdt, node, "arm,pl011");
	} while (node >= 0 && !fdt_node_is_stdout(fdt, node));
	if (node >= 0 && !fdt_node_reg(fdt, node, 0, &pa, &size))
		early_uart = aarch64_early_map_device(pa);
}

/* ---- Boot ---- */

/* The MPIDR of a CPU node, if PSCI can start it or it runs already. */
static int cpu_hwid(const void *fdt, int node, u64 *hwid)
{
	int len;
	const fdt32_t *reg = fdt_getprop(fdt, node, "reg", &len);
	const char *method = fdt_getprop(fdt, node, "enable-method", NULL);

	if (!reg || len < 4)
		return -ENODEV;
	*hwid = fdt32_to_cpu(reg[0]);
	if (len >= 8)
		*hwid = *hwid << 32 | fdt32_to_cpu(reg[1]);
	if (*hwid == boot_info.cpu_hwid[0] || (method && !strcmp(method, "psci")))
		return 0;
	return -ENODEV;
}

static void __init boot_fail(const char *why)
{
	hal_console_write(why, strlen(why));
	hal_cpu_halt();
}

/* The tree's address if it can be one: header in reach of the window that is mapped for it. */
static const void *__init map_fdt(paddr_t pa)
{
	const void *fdt = phys_to_virt(pa);

	if (!pa || (pa & 7) || aarch64_early_map(pa, FDT_WINDOW))
		return NULL;
	if (fdt_magic(fdt) != FDT_MAGIC || fdt_totalsize(fdt) > FDT_WINDOW)
		return NULL;
	return fdt;
}

static void __init map_memory(void)
{
	for (unsigned int i = 0; i < boot_info.nram; i++) {
		if (aarch64_early_map(boot_info.ram[i].base, boot_info.ram[i].size))
			boot_fail("caelum: memory is too scattered for the early page table\r\n");
	}
}

/* Called by entry.S. Without a device tree there is no memory and no console: it can only stop. */
void __init hal_boot(paddr_t fdt_pa)
{
	const void *fdt = map_fdt(fdt_pa);
	paddr_t image = arch_image_to_phys(__text_start);

	if (!fdt)
		boot_fail("caelum: x0 does not hold a device tree\r\n");
	find_early_uart(fdt);
	timer_init(fdt);
	boot_info.cpu_hwid[0] = read_sysreg(mpidr_el1) & MPIDR_AFF;
	boot_info.ncpus = 1;
	if (fdt_scan_boot(fdt, cpu_hwid))
		boot_fail("caelum: cannot boot without a device tree\r\n");
	boot_info.kernel = (struct boot_range){ image, (u64)(__image_end - __text_start) };
	boot_add_reserved(image, boot_info.kernel.size);
	boot_add_hole(LINEAR_SIZE, -LINEAR_SIZE); /* RAM that the linear map has no room for */
	boot_finish_memory();
	map_memory();
	aarch64_features_init();
	aarch64_asid_init();
	psci_init(fdt);
	upcall_kernel_main();
}

void __init hal_probe_devices(void)
{
	hal_probe_fdt(boot_info.fdt);
	psci_power_register();
}
