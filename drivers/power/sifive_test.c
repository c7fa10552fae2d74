/* SPDX-License-Identifier: MIT */
/*
 * QEMU's test device ("sifive,test0", "sifive,test1"): ends the emulator with an exit code.
 *
 * One 32-bit register: the low half says what to do, the high half is the code of a failure.
 * Source: QEMU hw/misc/sifive_test.c (the interface).
 */
#include <compiler.h>
#include <err.h>
#include <hal/driver.h>
#include <hal/io.h>
#include <hal/power.h>

#define TEST_FAIL  0x3333
#define TEST_PASS  0x5555
#define TEST_RESET 0x7777

static char *test_reg;

static void sifive_test_off(int code)
{
	writel(code ? ((u32)code & 0xffff) << 16 | TEST_FAIL : TEST_PASS, test_reg);
}

static void sifive_test_reset(void)
{
	writel(TEST_RESET, test_reg);
}

static int __init sifive_test_probe(const void *fdt, int node)
{
	int err = fdt_map_regs(fdt, node, 0, 4, &test_reg, NULL);

	if (err)
		return err;
	hal_power_register(POWER_EMULATOR, sifive_test_off, NULL);
	/* test0 cannot reset. */
	if (fdt_node_is_compatible(fdt, node, "sifive,test1"))
		hal_power_register(POWER_BOARD, NULL, sifive_test_reset);
	return 0;
}

FDT_DRIVER(sifive_test_driver) = {
	.name = "sifive-test",
	.compatible = (const char *const[]){ "sifive,test1", "sifive,test0", NULL },
	.level = DRIVER_OTHER,
	.probe = sifive_test_probe,
};
