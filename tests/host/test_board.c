/* SPDX-License-Identifier: MIT */
/*
 * What boards need besides their devices, against models of the registers: clocks and resets of the JH7110 and the CV1800B, watchdogs,
 * and the order in which ways to reset and to switch off are tried.
 */
#include "board_model.h"

#include <drivers/clk/clk.h>
#include <hal/cpu.h>
#include <hal/power.h>

static bool stuck; /* nothing leaves reset */

/* Of a reset generator the status follows. */
static void model_written(u64 addr, u32 value)
{
	struct region *r = region_of(addr);
	u64 off = addr - r->base;

	if (r->base == 0x13020000 && off >= 0x2f8 && off < 0x308 && !stuck)
		r->words[(off + 0x10) / 4] = ~value;
}

static u32 model_read(u64 addr)
{
	return *word_at(addr);
}

/* ---- JH7110 ---- */

#define CRG    0x13020000ULL
#define SYSCON 0x13030000ULL
#define WDT    0x13070000ULL
#define UART   0x10000000ULL

enum { P_OSC = 1, P_CRG, P_PLL };

static void jh7110_tree(void)
{
	fresh();
	stuck = false;
	region_add(CRG, 0x318);
	region_add(SYSCON, 0x38);
	region_add(WDT, 0xc04);
	tree_begin(2, 2);
	fdt_begin_node(tree, "osc");
	fdt_property_string(tree, "compatible", "fixed-clock");
	fdt_property_u32(tree, "#clock-cells", 0);
	fdt_property_u32(tree, "clock-frequency", 24000000);
	fdt_property_u32(tree, "phandle", P_OSC);
	fdt_end_node(tree);
	tree_device("crg", "starfive,jh7110-syscrg", CRG, 0x10000);
	TREE_WORDS("clocks", P_OSC, P_OSC, P_OSC, P_OSC, P_OSC, P_OSC, P_OSC, P_OSC, P_OSC, P_PLL,
		   0, P_PLL, 1, P_PLL, 2);
	fdt_property_u32(tree, "#clock-cells", 1);
	fdt_property_u32(tree, "#reset-cells", 1);
	fdt_property_u32(tree, "phandle", P_CRG);
	fdt_end_node(tree);
	tree_device("syscon", "starfive,jh7110-sys-syscon", SYSCON, 0x1000);
	fdt_begin_node(tree, "pll");
	fdt_property_string(tree, "compatible", "starfive,jh7110-pll");
	fdt_property_u32(tree, "clocks", P_OSC);
	fdt_property_u32(tree, "#clock-cells", 1);
	fdt_property_u32(tree, "phandle", P_PLL);
	fdt_end_node(tree);
	fdt_end_node(tree);
	tree_device("mmc", "starfive,jh7110-mmc", 0x16010000, 0x10000);
	TREE_WORDS("clocks", P_CRG, 91, P_CRG, 93);
	TREE_WORDS("resets", P_CRG, 64);
	fdt_end_node(tree);
	tree_device("wdt", "starfive,jh7110-wdt", WDT, 0x10000);
	TREE_WORDS("clocks", P_CRG, 122, P_CRG, 123);
	TREE_WORDS("resets", P_CRG, 109, P_CRG, 110);
	fdt_end_node(tree);
	tree_device("uart3", "snps,dw-apb-uart", UART, 0x10000);
	TREE_WORDS("clocks", P_CRG, 152, P_CRG, 151, P_PLL, 0, P_CRG, 60);
	fdt_end_node(tree);
	tree_end();
	/* PLL0 1500 MHz, PLL2 1188 MHz, both without fraction; what is read of it only if the mode says so. */
	*word_at(SYSCON + 0x18) = 3u << 24;
	*word_at(SYSCON + 0x1c) = 125;
	*word_at(SYSCON + 0x20) = 1u << 28 | 0xabcdef;
	*word_at(SYSCON + 0x24) = 1;
	*word_at(SYSCON + 0x2c) = 3u << 15 | 99u << 17;
	*word_at(SYSCON + 0x30) = 0x123456;
	*word_at(SYSCON + 0x34) = 2;
	/* As firmware leaves it: buses from PLL2 by 3 and 2, the slower bus by 8 more. */
	*word_at(CRG + 4 * 5) = 1u << 24;
	*word_at(CRG + 4 * 7) = 3;
	*word_at(CRG + 4 * 8) = 2;
	*word_at(CRG + 4 * 9) = 1u << 31;
	*word_at(CRG + 4 * 11) = 4;
	*word_at(CRG + 4 * 93) = 1u << 31 | 8;
	for (unsigned int i = 0; i < 4; i++)
		*word_at(CRG + 0x2f8 + 4 * i) = ~0u;
}

static void test_jh7110_rates(void **state)
{
	int mmc, uart;

	jh7110_tree();
	mmc = tree_node("/mmc");
	uart = tree_node("/uart3");
	assert_int_equal(clk_rate_fdt(tree, mmc, 0), 198000000); /* 1188 / 3 / 2 */
	assert_int_equal(clk_rate_fdt(tree, mmc, 1), 49500000);	 /* 1188 / 3 / 8 */
	assert_int_equal(clk_rate_fdt(tree, mmc, 2), 0);
	assert_int_equal(clk_rate_fdt(tree, uart, 2), 1500000000);
	assert_int_equal(clk_rate_fdt(tree, uart, 3), 0); /* none that is known */
	assert_int_equal(clk_rate_fdt(tree, tree_node("/wdt"), 1), 24000000);
	/* A divider of 0 is off, the other parents, and a reserved choice. */
	assert_int_equal(clk_rate_fdt(tree, uart, 0), 0);
	*word_at(CRG + 4 * 4) = 2;
	*word_at(CRG + 4 * 152) = 10;
	assert_int_equal(clk_rate_fdt(tree, uart, 0), 75000000);
	*word_at(CRG + 4 * 4) = 1u << 24 | 2;
	assert_int_equal(clk_rate_fdt(tree, uart, 0), 59400000);
	*word_at(CRG + 4 * 4) = 2u << 24 | 2;
	assert_int_equal(clk_rate_fdt(tree, uart, 0), 0);
	*word_at(CRG + 4 * 5) = 0;
	assert_int_equal(clk_rate_fdt(tree, mmc, 0), 4000000); /* 24 / 3 / 2 */
	/* Half a step of feedback by the fraction; a PLL that is not set up. */
	*word_at(SYSCON + 0x18) = 0;
	*word_at(SYSCON + 0x20) = 1u << 28 | 0x800000;
	assert_int_equal(clk_rate_fdt(tree, uart, 2), 1506000000);
	*word_at(SYSCON + 0x24) = 0;
	assert_int_equal(clk_rate_fdt(tree, uart, 2), 0);
	assert_int_equal(nstores, 0);
}

static void test_jh7110_start(void **state)
{
	jh7110_tree();
	assert_int_equal(clk_start_fdt(tree, tree_node("/mmc")), 0);
	assert_int_equal(*word_at(CRG + 4 * 91), 1u << 31);
	assert_int_equal(*word_at(CRG + 4 * 93), 1u << 31 | 8); /* was on: nothing is stored */
	assert_int_equal(*word_at(CRG + 0x300), ~1u);		/* reset 64 */
	assert_int_equal(*word_at(CRG + 0x2fc), ~0u);
	assert_int_equal(nstores, 2);
	/* What runs is left alone. */
	nstores = 0;
	assert_int_equal(clk_start_fdt(tree, tree_node("/mmc")), 0);
	assert_int_equal(nstores, 0);
	/* The watchdog's bus has a gate above it. */
	assert_int_equal(clk_start_fdt(tree, tree_node("/wdt")), 0);
	assert_int_equal(*word_at(CRG + 4 * 122), 1u << 31);
	assert_int_equal(*word_at(CRG + 4 * 12), 1u << 31);
	assert_int_equal(*word_at(CRG + 4 * 123), 1u << 31);
	assert_int_equal(*word_at(CRG + 0x304), ~(1u << 13 | 1u << 14));
}

static void test_jh7110_stuck(void **state)
{
	jh7110_tree();
	stuck = true;
	assert_int_equal(clk_start_fdt(tree, tree_node("/wdt")), -ETIMEDOUT);
	/* Such a device's registers are not touched, and it does not count as a way to reset. */
	assert_int_equal(probe("sp805", "/wdt"), -ETIMEDOUT);
}

/* A clock generator whose own clocks are its own, another's, and again its own. */
static void test_clock_loop(void **state)
{
	fresh();
	region_add(CRG, 0x318);
	region_add(0x14000000, 0x318);
	tree_begin(2, 2);
	tree_device("a", "starfive,jh7110-syscrg", CRG, 0x10000);
	TREE_WORDS("clocks", P_PLL, 123);
	fdt_property_u32(tree, "#clock-cells", 1);
	fdt_property_u32(tree, "phandle", P_CRG);
	fdt_end_node(tree);
	tree_device("b", "starfive,jh7110-syscrg", 0x14000000, 0x10000);
	TREE_WORDS("clocks", P_CRG, 123);
	fdt_property_u32(tree, "#clock-cells", 1);
	fdt_property_u32(tree, "phandle", P_PLL);
	fdt_end_node(tree);
	tree_device("self", "sifive,fu540-c000-prci", CRG, 0x1000);
	TREE_WORDS("clocks", P_OSC, 0);
	fdt_property_u32(tree, "#clock-cells", 1);
	fdt_property_u32(tree, "phandle", P_OSC);
	fdt_end_node(tree);
	tree_end();
	assert_int_equal(clk_rate_fdt(tree, tree_node("/a"), 0), 0);
	assert_int_equal(clk_rate_fdt(tree, tree_node("/self"), 0), 0);
}

/* ---- CV1800B ---- */

static void test_cv1800(void **state)
{
	fresh();
	region_add(0x3002000, 0x14);
	region_add(0x3003000, 0x28);
	tree_begin(2, 2);
	tree_device("clk", "sophgo,cv1800-clk", 0x3002000, 0x1000);
	fdt_property_u32(tree, "#clock-cells", 1);
	fdt_property_u32(tree, "phandle", P_CRG);
	fdt_end_node(tree);
	tree_device("rst", "sophgo,cv1800b-reset", 0x3003000, 0x1000);
	fdt_property_u32(tree, "#reset-cells", 1);
	fdt_property_u32(tree, "phandle", P_PLL);
	fdt_end_node(tree);
	tree_device("mmc", "sophgo,cv1800b-dwcmshc", 0x4310000, 0x1000);
	TREE_WORDS("clocks", P_CRG, 27, P_CRG, 28);
	TREE_WORDS("resets", P_PLL, 16);
	fdt_end_node(tree);
	tree_device("uart4", "snps,dw-apb-uart", 0x41c0000, 0x100);
	TREE_WORDS("clocks", P_CRG, 85, P_CRG, 86);
	TREE_WORDS("resets", P_PLL, 74, P_PLL, 100000);
	fdt_end_node(tree);
	tree_device("timer", "snps,dw-apb-timer", 0x30a0000, 0x14);
	TREE_WORDS("clocks", P_CRG, 69, P_CRG, 76, P_CRG, 58, P_CRG, 0xffffffff);
	fdt_end_node(tree);
	tree_end();
	*word_at(0x3002000) = 1u << 18 | 1;
	assert_int_equal(clk_start_fdt(tree, tree_node("/mmc")), 0);
	assert_int_equal(*word_at(0x3002000), 1u << 18 | 1u << 19 | 1);
	assert_int_equal(*word_at(0x3003000), 1u << 16);
	assert_int_equal(nstores, 2);
	assert_int_equal(clk_start_fdt(tree, tree_node("/uart4")), 0);
	assert_int_equal(*word_at(0x3002004), 3u << 22);
	assert_int_equal(*word_at(0x3003008), 1u << 10);
	assert_int_equal(clk_start_fdt(tree, tree_node("/timer")), 0);
	assert_int_equal(*word_at(0x300200c), 1u << 9 | 1u << 16);
	assert_int_equal(*word_at(0x3002004), 3u << 22 | 1u << 7);
	assert_int_equal(clk_rate_fdt(tree, tree_node("/mmc"), 0), 0);
}

/* ---- watchdogs, and who is asked first ---- */

static char asked[16];
static unsigned int nasked;
static jmp_buf halted;

void hal_cpu_halt(void)
{
	longjmp(halted, 1);
}

#define OFF(letter)                                                                                \
	static void off_##letter(int code)                                                         \
	{                                                                                          \
		assert_int_equal(code, 7);                                                         \
		asked[nasked++] = #letter[0];                                                      \
	}
#define RESET(letter)                                                                              \
	static void reset_##letter(void)                                                           \
	{                                                                                          \
		asked[nasked++] = #letter[0];                                                      \
	}
OFF(e)
OFF(f)
OFF(b)
OFF(l)
RESET(f)
RESET(b)
RESET(c)

static void ask(bool reset)
{
	nasked = 0;
	memset(asked, 0, sizeof(asked));
	if (setjmp(halted))
		return;
	if (reset)
		hal_reset();
	hal_power_off(7);
}

/* Both watchdogs, on a machine that has other ways, which are registered in the wrong order and do not work. */
static void test_power(void **state)
{
	jh7110_tree();
	region_add(0x18000000, 0x10);
	tree_begin(2, 2);
	tree_device("dw", "snps,dw-wdt", 0x18000000, 0x100);
	fdt_end_node(tree);
	tree_device("sp", "arm,sp805", WDT, 0x1000);
	fdt_end_node(tree);
	tree_device("small", "arm,sp805", WDT, 0xc00);
	fdt_end_node(tree);
	tree_end();
	assert_int_equal(probe("sp805", "/small"), -EINVAL);
	hal_power_register(POWER_LAST, off_l, NULL);
	assert_int_equal(probe("dw-wdt", "/dw"), 0);
	hal_power_register(POWER_BOARD, off_b, reset_b);
	assert_int_equal(probe("sp805", "/sp"), 0);
	assert_int_equal(probe("sp805", "/sp"), -EBUSY);
	hal_power_register(POWER_BOARD, NULL, reset_c);
	hal_power_register(POWER_EMULATOR, off_e, NULL);
	hal_power_register(POWER_FIRMWARE, off_f, reset_f);
	assert_int_equal(nstores, 0); /* firmware's watchdog goes on as it is */

	ask(false);
	assert_string_equal(asked, "efbl");
	assert_int_equal(nstores, 0);
	*word_at(0x18000000) = 0x1e; /* an interrupt first, a long pulse */
	ask(true);
	assert_string_equal(asked, "fbc");
	assert_int_equal(stores[0].addr, 0x18000004);
	assert_int_equal(stores[0].value, 0);
	assert_int_equal(*word_at(0x18000000), 0x1d);
	assert_int_equal(stores[2].addr, 0x1800000c);
	assert_int_equal(stores[2].value, 0x76);
	assert_int_equal(stores[3].addr, WDT + 0xc00);
	assert_int_equal(stores[3].value, 0x1acce551);
	assert_int_equal(stores[5].addr, WDT);
	assert_true(stores[5].value > 0);
	assert_int_equal(stores[nstores - 1].addr, WDT + 8);
	assert_int_equal(stores[nstores - 1].value, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jh7110_rates), cmocka_unit_test(test_jh7110_start),
		cmocka_unit_test(test_jh7110_stuck), cmocka_unit_test(test_clock_loop),
		cmocka_unit_test(test_cv1800),	     cmocka_unit_test(test_power),
	};

	return cmocka_run_group_tests_name("board", tests, NULL, NULL);
}
