/* SPDX-License-Identifier: MIT */
/*
 * The table of drivers that the kernel's linker script makes of the section fdt_drivers, for host programs
 * with the one driver @probe: FDT_TEST_DRIVER(level, probe, "compatible").
 */
#ifndef FDT_DRIVERS_H
#define FDT_DRIVERS_H

#include <compiler.h>
#include <hal/driver.h>

#define FDT_TEST_DRIVER(level_, probe_, ...)                                                       \
	const struct fdt_driver fdt_test_driver __used = {                                         \
		.name = "test",                                                                    \
		.compatible = (const char *const[]){ __VA_ARGS__, NULL },                          \
		.level = level_,                                                                   \
		.probe = probe_,                                                                   \
	};                                                                                         \
	static_assert(sizeof(struct fdt_driver) == 32);                                            \
	__asm__(".globl __drivers_start, __drivers_end\n"                                          \
		".set __drivers_start, fdt_test_driver\n"                                          \
		".set __drivers_end, fdt_test_driver + 32\n")

#endif
