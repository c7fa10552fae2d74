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

/* ---- Early console: a UART that the firmware has set up ---- */

#define TX_SPINS 100000

/* When the status register has these bits in this state, there is room for a byte. */
struct early_kind {
	const char *compatible;
	u32 data, status, bit, room;
};

static const struct early_kind early_kinds[] = {
	{ "arm,pl011", 0x00, 0x18, 1 << 5, 0 },
	{ "brcm,bcm2835-aux-uart", 0x00, 0x14, 1 << 5, 1 << 5 },
	{ "snps,dw-apb-uart", 0x00, 0x14, 1 << 5, 1 << 5 },
};

static char *early_uart;
static const struct early_kind *early_kind;

void hal_early_putc(char c)
{
	if (!early_uart)
		return;
	for (unsigned int i = 0;
	     (readl(early_uart + early_kind->status) & early_kind->bit) != early_kind->room; i++) {
		if (i == TX_SPINS) {
			early_uart = NULL; /* it never drains: do not wait again */
			return;
		}
		hal_cpu_relax();
	}
	writel((u8)c, early_uart + early_kind->data);
}

static void __init find_early_uart(const void *fdt)
{
	paddr_t pa;
	u64 size;

	for (unsigned int i = 0; i < ARRAY_SIZE(early_kinds) && !early_uart; i++) {
		int node = -1;

		do {
			node = fdt_find_compatible(fdt, node, early_kinds[i].compatible);
		} while (node >= 0 && !fdt_node_is_stdout(fdt, node));
		if (node < 0 || fdt_node_reg(fdt, node, 0, &pa, &size))
			continue;
		early_kind = &early_kinds[i];
		early_uart = aarch64_early_map_device(pa);
	}
}

/* ---- Boot ---- */

int cpu_mpidr(const void *fdt, int node, u64 *mpidr)
{
	int len;
	const fdt32_t *reg = fdt_getprop(fdt, node, "reg", &len);

	if (!reg || len < 4)
		return -ENODEV;
	*mpidr = fdt32_to_cpu(reg[0]);
	if (len >= 8)
		*mpidr = *mpidr << 32 | fdt32_to_cpu(reg[1]);
	return 0;
}

/* The MPIDR of a CPU node, if there is a way to start it or it runs already. */
static int __init cpu_hwid(const void *fdt, int node, u64 *hwid)
{
	const char *method = fdt_getprop(fdt, node, "enable-method", NULL);
	const char *status = fdt_getprop(fdt, node, "status", NULL);
	int err = cpu_mpidr(fdt, node, hwid);

	if (err)
		return err;
	/* "disabled" is one that waits to be started. */
	if (status && !strncmp(status, "fail", 4))
		return -ENODEV;
	if (*hwid == boot_info.cpu_hwid[0] || (method && !strcmp(method, "psci")))
		return 0;
	return spintable_can_start(fdt, node) ? 0 : -ENODEV;
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
	(void)fdt_index(fdt); /* what is wrong can be said when there is a console */
	find_early_uart(fdt);
	timer_init(fdt);
	boot_info.cpu_hwid[0] = read_sysreg(mpidr_el1) & MPIDR_AFF;
	boot_info.ncpus = 1;
	boot_info.kernel = (struct boot_range){ image, (u64)(__image_end - __text_start) };
	boot_add_loaded(image, boot_info.kernel.size);
	if (fdt_scan_boot(fdt, cpu_hwid))
		boot_fail("caelum: cannot boot without a device tree\r\n");
	boot_add_reserved(0, PAGE_SIZE); /* 0 means "no page" to callers of upcall_pt_alloc() */
	boot_clip_ram(LINEAR_SIZE);
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
	if (!timer_works())
		panic("the device tree has no interrupt controller and timer that this kernel "
		      "knows");
}
