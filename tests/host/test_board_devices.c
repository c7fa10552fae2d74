/* SPDX-License-Identifier: MIT */
/*
 * Devices that boards have besides disks and serial ports, against models of their registers: DesignWare's timer, GPIO lines that reset and
 * switch off, the Raspberry Pi's mailbox, the FU540's clocks.
 */
#include "board_model.h"

#include <drivers/clk/clk.h>
#include <drivers/firmware/raspberrypi.h>
#include <err.h>
#include <hal/irq.h>
#include <hal/power.h>
#include <hal/timer.h>
#include <hal/upcall.h>

#define TIMER	    0x30a0000ULL
#define TIMER_LOAD  (TIMER + 0x00)
#define TIMER_CTRL  (TIMER + 0x08)
#define TIMER_EOI   (TIMER + 0x0c)
#define SIFIVE_GPIO 0x10060000ULL
#define JH7110_GPIO 0x13040000ULL
#define MBOX	    0x7e00b880ULL
#define MBOX_READ   (MBOX + 0x00)
#define MBOX_STATUS (MBOX + 0x18)
#define MBOX_WRITE  (MBOX + 0x20)
#define PRCI	    0x10000000ULL

enum { P_OSC = 1, P_CTRL, P_CLOCK, P_MBOX };

/* ---- what the models do besides keeping what is stored ---- */

static unsigned int acknowledged;
static enum { FIRMWARE_GOOD, FIRMWARE_OTHERS_FIRST, FIRMWARE_IGNORANT, FIRMWARE_DEAD } firmware;
static u32 asked_tag, asked_id, letters[2];
static unsigned int nletters;

#define EMPTY 0x40000000u

/* The firmware reads the message and answers into it. */
static void mailbox_written(u32 word)
{
	u32 *msg = (u32 *)(host_image_offset + (word & 0x3ffffff0));

	assert_int_equal(word & 15, 8);
	assert_int_equal(word >> 30, 3);
	assert_int_equal(msg[0], 32);
	assert_int_equal(msg[1], 0);
	assert_int_equal(msg[3], 8);
	assert_int_equal(msg[7], 0);
	asked_tag = msg[2];
	asked_id = msg[5];
	if (firmware == FIRMWARE_DEAD)
		return;
	msg[1] = firmware == FIRMWARE_IGNORANT ? 0x80000001 : 0x80000000;
	msg[4] = 0x80000008;
	msg[6] = asked_id * 1000000;
	if (firmware == FIRMWARE_OTHERS_FIRST)
		letters[nletters++] = 0x12345671;
	letters[nletters++] = word;
	*word_at(MBOX_STATUS) = 0;
}

static void model_written(u64 addr, u32 value)
{
	if (addr == MBOX_WRITE)
		mailbox_written(value);
}

static u32 model_read(u64 addr)
{
	u32 word;

	if (addr == TIMER_EOI)
		acknowledged++;
	if (addr != MBOX_READ)
		return *word_at(addr);
	assert_true(nletters > 0);
	word = letters[0];
	letters[0] = letters[1];
	if (--nletters == 0)
		*word_at(MBOX_STATUS) = EMPTY;
	return word;
}

/* ---- what the drivers find around them ---- */

static hal_irq_handler handler;
static void (*timer_set)(u64 deadline_ns);
static bool wanted;
static unsigned int fired;

int hal_irq_request_fdt(const void *fdt, int node, unsigned int index, hal_irq_handler fn,
			void *arg, const char *name)
{
	handler = fn;
	return fdt_getprop(fdt, node, "interrupts", NULL) ? 0 : -ENOENT;
}

bool hal_timer_wanted(void)
{
	return wanted;
}

void hal_timer_register(void (*set)(u64 deadline_ns))
{
	assert_null(timer_set);
	timer_set = set;
}

void upcall_timer(void)
{
	fired++;
}

static void (*off_way)(int code), (*reset_way)(void);

void hal_power_register(enum hal_power_rank rank, void (*off)(int code), void (*reset)(void))
{
	assert_int_equal(rank, POWER_BOARD);
	if (off)
		off_way = off;
	if (reset)
		reset_way = reset;
}

static u32 waited;

void hal_power_wait_ms(u32 ms)
{
	waited += ms;
}

static void osc(u32 hz)
{
	fdt_begin_node(tree, "osc");
	fdt_property_string(tree, "compatible", "fixed-clock");
	fdt_property_u32(tree, "#clock-cells", 0);
	fdt_property_u32(tree, "clock-frequency", hz);
	fdt_property_u32(tree, "phandle", P_OSC);
	fdt_end_node(tree);
}

/* ---- the timer ---- */

static void timer_node(const char *name, u64 base, bool irq)
{
	tree_device(name, "snps,dw-apb-timer", base, 0x14);
	if (irq)
		fdt_property_u32(tree, "interrupts", 16);
}

static void timer_tree(void)
{
	fresh();
	region_add(TIMER, 0x14);
	region_add(TIMER + 0x14, 0x14);
	tree_begin(2, 2);
	osc(24000000);
	timer_node("no-rate", TIMER, true);
	fdt_end_node(tree);
	timer_node("no-irq", TIMER, false);
	fdt_property_u32(tree, "clocks", P_OSC);
	fdt_end_node(tree);
	timer_node("timer", TIMER, true);
	fdt_property_u32(tree, "clocks", P_OSC);
	fdt_end_node(tree);
	timer_node("other", TIMER + 0x14, true);
	fdt_property_u32(tree, "clock-frequency", 1000000);
	fdt_end_node(tree);
	tree_end();
}

static void test_timer_probe(void **state)
{
	timer_tree();
	wanted = false;
	assert_int_equal(probe("dw-apb-timer", "/timer"), -ENODEV);
	assert_int_equal(nstores, 0);
	wanted = true;
	assert_int_equal(probe("dw-apb-timer", "/no-rate"), -EINVAL);
	assert_int_equal(probe("dw-apb-timer", "/no-irq"), -ENOENT);
	assert_null(timer_set);
	*word_at(TIMER_CTRL) = 7;
	assert_int_equal(probe("dw-apb-timer", "/timer"), 0);
	assert_int_equal(*word_at(TIMER_CTRL), 0);
	assert_non_null(timer_set);
	assert_int_equal(probe("dw-apb-timer", "/other"), -ENODEV);
}

/* The time passes that hal_clock_ns() takes each time that it is asked. */
#define ASKING 100000ULL
#define TICKS(ns) ((u32)((ns) * 24 / 1000 + 1))

static void test_timer_deadlines(void **state)
{
	u64 end;

	assert_non_null(timer_set);
	timer_tree();
	end = now + 1000000;
	timer_set(end);
	assert_int_equal(*word_at(TIMER_LOAD), TICKS(1000000 - ASKING));
	assert_int_equal(*word_at(TIMER_CTRL),
			 1); /* interrupts, and does not begin again with that value */
	assert_int_equal(stores[0].addr, TIMER_CTRL);
	assert_int_equal(stores[0].value, 0); /* a value is only taken by one that is stopped */
	/* Too early: the rest. */
	acknowledged = 0;
	now = end - 500000;
	handler(NULL);
	assert_int_equal(fired, 0);
	assert_true(acknowledged > 0);
	assert_int_equal(*word_at(TIMER_LOAD), TICKS(500000 - 2 * ASKING));
	assert_int_equal(*word_at(TIMER_CTRL), 1);
	now = end;
	handler(NULL);
	assert_int_equal(fired, 1);
	assert_int_equal(*word_at(TIMER_CTRL), 0);
	/* One that was on its way when the deadline was taken back. */
	timer_set(now + 1000000);
	timer_set(U64_MAX);
	assert_int_equal(*word_at(TIMER_CTRL), 0);
	now += 2000000;
	handler(NULL);
	assert_int_equal(fired, 1);
	assert_int_equal(*word_at(TIMER_CTRL), 0);
	/* The past, and what 32 bits of nanoseconds do not reach. */
	timer_set(1);
	assert_int_equal(*word_at(TIMER_LOAD), 2);
	assert_int_equal(*word_at(TIMER_CTRL), 1);
	timer_set(now + 100000000000ULL);
	assert_int_equal(*word_at(TIMER_LOAD), TICKS(0xffffffffULL));
	timer_set(U64_MAX - 1);
	assert_int_equal(*word_at(TIMER_LOAD), TICKS(0xffffffffULL));
	handler(NULL);
	assert_int_equal(fired, 1);
	assert_int_equal(*word_at(TIMER_CTRL), 1);
}

/* ---- lines that reset and switch off ---- */

static void gpio_node(const char *name, const char *compatible, u32 ctrl, u32 line, u32 flags)
{
	fdt_begin_node(tree, name);
	fdt_property_string(tree, "compatible", compatible);
	TREE_WORDS("gpios", ctrl, line, flags);
	fdt_property_u32(tree, "active-delay", 7);
	fdt_property_u32(tree, "inactive-delay", 20);
	fdt_end_node(tree);
}

static void gpio_tree(void)
{
	fresh();
	region_add(SIFIVE_GPIO, 0x48);
	region_add(JH7110_GPIO, 0x80);
	tree_begin(2, 2);
	tree_device("sifive", "sifive,gpio0", SIFIVE_GPIO, 0x1000);
	fdt_property_u32(tree, "phandle", P_CTRL);
	fdt_end_node(tree);
	tree_device("jh7110", "starfive,jh7110-sys-pinctrl", JH7110_GPIO, 0x10000);
	fdt_property_u32(tree, "phandle", P_CLOCK);
	fdt_end_node(tree);
	tree_device("unknown", "acme,gpio", 0x1000, 0x1000);
	fdt_property_u32(tree, "phandle", P_MBOX);
	fdt_end_node(tree);
	gpio_node("sifive-reset", "gpio-restart", P_CTRL, 10, 1);
	gpio_node("sifive-off", "gpio-poweroff", P_CTRL, 31, 0);
	gpio_node("sifive-none", "gpio-restart", P_CTRL, 32, 0);
	gpio_node("jh7110-reset", "gpio-restart", P_CLOCK, 35, 0);
	gpio_node("jh7110-none", "gpio-restart", P_CLOCK, 64, 0);
	gpio_node("unknown-reset", "gpio-restart", P_MBOX, 0, 0);
	gpio_node("nowhere", "gpio-restart", 99, 0, 0);
	tree_end();
}

/* One level, the other, and the first again, in the bits @mask of @reg. */
static void expect_pulse(u64 reg, u32 mask, u32 first, u32 other)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < nstores; i++)
		if (stores[i].addr == reg)
			assert_int_equal(stores[i].value & mask, n++ == 1 ? other : first);
	assert_int_equal(n, 3);
	assert_int_equal(waited, 7 + 20 + 3000);
}

static void test_gpio_sifive(void **state)
{
	gpio_tree();
	assert_int_equal(probe("gpio-restart", "/sifive-none"), -EINVAL);
	assert_int_equal(probe("gpio-restart", "/unknown-reset"), -ENODEV);
	assert_int_equal(probe("gpio-restart", "/nowhere"), -EINVAL);
	assert_null(reset_way);
	assert_int_equal(probe("gpio-restart", "/sifive-reset"), 0);
	assert_int_equal(probe("gpio-poweroff", "/sifive-off"), 0);
	assert_int_equal(nstores, 0);
	*word_at(SIFIVE_GPIO + 0x0c) = 0xff;
	waited = 0;
	reset_way(); /* active low */
	expect_pulse(SIFIVE_GPIO + 0x0c, 1u << 10, 0, 1u << 10);
	assert_int_equal(*word_at(SIFIVE_GPIO + 0x08), 1u << 10);
	assert_int_equal(*word_at(SIFIVE_GPIO + 0x0c), 0xff);
	nstores = waited = 0;
	off_way(0);
	expect_pulse(SIFIVE_GPIO + 0x0c, 1u << 31, 1u << 31, 0);
	assert_int_equal(*word_at(SIFIVE_GPIO + 0x08), 1u << 10 | 1u << 31);
}

static void test_gpio_jh7110(void **state)
{
	gpio_tree();
	assert_int_equal(probe("gpio-restart", "/jh7110-none"), -EINVAL);
	assert_int_equal(probe("gpio-restart", "/jh7110-reset"), 0);
	/* Line 35 is the last of its word; its neighbours stay. */
	*word_at(JH7110_GPIO + 0x20) = 0x3f123456;
	*word_at(JH7110_GPIO + 0x60) = 0x7f234567;
	waited = 0;
	reset_way();
	expect_pulse(JH7110_GPIO + 0x60, 0x7f000000, 0x01000000, 0);
	assert_int_equal(*word_at(JH7110_GPIO + 0x60), 0x01234567);
	assert_int_equal(*word_at(JH7110_GPIO + 0x20), 0x00123456);
	/* The level is there before the output is. */
	assert_int_equal(stores[0].addr, JH7110_GPIO + 0x60);
}

/* ---- the mailbox ---- */

static void pi_tree(bool mbox)
{
	fresh();
	nletters = 0;
	region_add(MBOX, 0x40);
	*word_at(MBOX_STATUS) = EMPTY;
	host_image_offset = ((unsigned long)regions & ~0xfffffUL) - 0x10000000;
	tree_begin(2, 2);
	tree_device("mailbox", mbox ? "brcm,bcm2835-mbox" : "acme,mbox", MBOX, 0x40);
	fdt_property_u32(tree, "phandle", P_MBOX);
	fdt_end_node(tree);
	fdt_begin_node(tree, "firmware");
	fdt_property(tree, "compatible", "raspberrypi,bcm2835-firmware\0simple-mfd", 40);
	fdt_property_u32(tree, "mboxes", P_MBOX);
	fdt_end_node(tree);
	tree_device("cprman", "brcm,bcm2711-cprman", 0x7e101000, 0x2000);
	fdt_property_u32(tree, "#clock-cells", 1);
	fdt_property_u32(tree, "phandle", P_CLOCK);
	fdt_end_node(tree);
	tree_device("mmc", "brcm,bcm2711-emmc2", 0x7e340000, 0x100);
	TREE_WORDS("clocks", P_CLOCK, 51, P_CLOCK, 20, P_CLOCK, 3);
	fdt_end_node(tree);
	tree_end();
}

static void test_mailbox(void **state)
{
	int mmc;

	pi_tree(false);
	assert_int_equal(clk_rate_fdt(tree, tree_node("/mmc"), 0), 0);
	pi_tree(true);
	mmc = tree_node("/mmc");
	firmware = FIRMWARE_GOOD;
	assert_int_equal(clk_rate_fdt(tree, mmc, 0), 12000000);
	assert_int_equal(asked_tag, 0x00030002);
	assert_int_equal(asked_id, 12);
	firmware = FIRMWARE_OTHERS_FIRST;
	assert_int_equal(clk_rate_fdt(tree, mmc, 1), 4000000);
	assert_int_equal(asked_id, 4);
	nstores = 0;
	assert_int_equal(clk_rate_fdt(tree, mmc, 2), 0); /* no card's or port's */
	assert_int_equal(nstores, 0);
	firmware = FIRMWARE_IGNORANT;
	assert_int_equal(clk_rate_fdt(tree, mmc, 0), 0);
	assert_int_equal(nstores, 1);
	/* Nobody is there: it is waited for once. */
	firmware = FIRMWARE_DEAD;
	assert_int_equal(clk_rate_fdt(tree, mmc, 0), 0);
	assert_int_equal(nstores, 2);
	assert_int_equal(clk_rate_fdt(tree, mmc, 0), 0);
	assert_int_equal(nstores, 2);
}

/* ---- the FU540's clocks ---- */

static void test_prci(void **state)
{
	int uart;

	fresh();
	region_add(PRCI, 0x28);
	tree_begin(2, 2);
	osc(33333333);
	tree_device("prci", "sifive,fu540-c000-prci", PRCI, 0x1000);
	fdt_property_u32(tree, "clocks", P_OSC);
	fdt_property_u32(tree, "#clock-cells", 1);
	fdt_property_u32(tree, "phandle", P_CLOCK);
	fdt_end_node(tree);
	tree_device("uart", "sifive,uart0", 0x10010000, 0x1000);
	TREE_WORDS("clocks", P_CLOCK, 3, P_CLOCK, 0, P_CLOCK, 1);
	fdt_end_node(tree);
	tree_end();
	uart = tree_node("/uart");
	*word_at(PRCI + 0x04) = 59u << 6 | 2u << 15; /* 33.3 * 2 * 60 / 4 */
	assert_int_equal(clk_rate_fdt(tree, uart, 1), 999999990);
	assert_int_equal(clk_rate_fdt(tree, uart, 0), 499999995);
	assert_int_equal(clk_rate_fdt(tree, uart, 2), 0); /* not one that is known */
	*word_at(PRCI + 0x04) |= 1;			  /* the input by 2 */
	assert_int_equal(clk_rate_fdt(tree, uart, 1), 499999995);
	*word_at(PRCI + 0x04) |= 1u << 24; /* around the PLL */
	assert_int_equal(clk_rate_fdt(tree, uart, 1), 33333333);
	*word_at(PRCI + 0x04) = 59u << 6 | 2u << 15;
	*word_at(PRCI + 0x24) = 1; /* the oscillator itself */
	assert_int_equal(clk_rate_fdt(tree, uart, 0), 16666666);
	assert_int_equal(nstores, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_timer_probe), cmocka_unit_test(test_timer_deadlines),
		cmocka_unit_test(test_gpio_sifive), cmocka_unit_test(test_gpio_jh7110),
		cmocka_unit_test(test_mailbox),	    cmocka_unit_test(test_prci),
	};

	return cmocka_run_group_tests_name("board_devices", tests, NULL, NULL);
}
