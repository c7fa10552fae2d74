/* SPDX-License-Identifier: MIT */
/*
 * The first C code: fill boot_info from the device tree and go to the kernel; find devices when the kernel
 * asks for them.
 *
 * Context: boot CPU, interrupts off, on the boot stack, the early page table of entry.S.
 */
#include "sbi.h"

#include <arch/layout.h>
#include <arch/trap.h>
#include <compiler.h>
#include <hal/boot.h>
#include <hal/console.h>
#include <hal/cpu.h>
#include <hal/driver.h>
#include <hal/paging.h>
#include <hal/rand.h>
#include <hal/timer.h>
#include <hal/upcall.h>
#include <lib/string.h>

extern char __image_start[], __image_end[];

/* Without a device tree there is no memory and no clock: say so and stop. */
__noreturn static void __init boot_fail(const char *why)
{
	hal_console_write(why, strlen(why));
	hal_cpu_halt();
}

static void __init find_kernel(void)
{
	paddr_t start = arch_image_to_phys(__image_start);

	boot_info.kernel = (struct boot_range){ start, (u64)(__image_end - __image_start) };
	boot_add_loaded(start, boot_info.kernel.size);
}

__noreturn void __init riscv64_start(unsigned long hart, paddr_t fdt_pa)
{
	const void *fdt = phys_to_virt(fdt_pa);

	sbi_console_init();
	sbi_power_register(); /* so that a panic ends the machine, however early */
	boot_info.cpu_hwid[0] = hart;
	boot_info.ncpus = 1;
	if (fdt_pa == 0 || (fdt_pa & 7))
		boot_fail("caelum: the loader passed no device tree in a1\r\n");
	if (fdt_pa >= LINEAR_SIZE)
		boot_fail("caelum: the device tree is large and lies beyond 192 GiB\r\n");
	find_kernel();
	if (fdt_scan_boot(fdt, cpuinfo_hwid))
		boot_fail("caelum: cannot boot without a device tree\r\n");
	boot_clip_ram(LINEAR_PHYS_BASE + LINEAR_SIZE);
	boot_finish_memory();
	cpuinfo_init(fdt, hart);
	timer_init(fdt);
	riscv64_cpu_init();
	upcall_kernel_main();
}

void __init hal_probe_devices(void)
{
	hal_probe_fdt(boot_info.fdt);
	timer_check();
}

/* The seed that the firmware left in the tree counts fully; the counter adds whatever jitter there is. */
unsigned int hal_rand_seed(u8 *buf, size_t n)
{
	size_t got = fdt_rng_seed(buf, n);

	for (size_t i = 0; i < n; i++)
		buf[i] = (u8)((i < got ? buf[i] : 0) ^ (u8)(hal_counter() >> (i % 4)));
	return (unsigned int)got * 8;
}
