/* SPDX-License-Identifier: MIT */
/* A card on a DesignWare host, through its registers: drivers/mmc/dw.c. FIFOs of either width; what is waited for comes at once or late. */
#include "mmc_model.h"

#include <drivers/mmc/dw.h>

#define CTRL	0x00
#define CLKDIV	0x08
#define CLKENA	0x10
#define CTYPE	0x18
#define BLKSIZ	0x1c
#define BYTCNT	0x20
#define INTMASK 0x24
#define CMDARG	0x28
#define CMD	0x2c
#define RESP0	0x30
#define RINTSTS 0x44
#define STATUS	0x48
#define FIFOTH	0x4c
#define CDETECT 0x50
#define VERID	0x6c
#define HCON	0x70
#define DEPTH	32u

static u32 regs[0x300 / 4];
static bool wide, old, with_irq, open_switch, slot_empty;
static unsigned int clock_updates, clocks_at_update;

static u32 left; /* blocks */
static bool reading, writing;
static u8 block[MMC_BLOCK];
static u32 at, stuck, busy;

static u32 *reg(unsigned int n)
{
	return &regs[n / 4];
}

static void fail_data(int r)
{
	reading = writing = false;
	model_come(r < 0 ? 1u << 9 | 1u << 3 : 1u << 7 | 1u << 3);
}

static void fetch(void)
{
	int r = card_block(false, block, *reg(BLKSIZ));

	at = 0;
	if (r)
		fail_data(r);
	else
		model_come(1u << 5);
}

static void begin_data(u32 word)
{
	left = *reg(BYTCNT) / *reg(BLKSIZ);
	writing = word & 1u << 10;
	reading = !writing;
	at = stuck = 0;
	if (reading)
		fetch();
	else
		model_come(1u << 4);
}

static void command(u32 word)
{
	u32 r[4];
	enum card_answer a;

	if (word & 1u << 21) {
		clock_updates++;
		clocks_at_update = *reg(CLKDIV);
		return;
	}
	assert_true(word & 1u << 29);
	assert_int_equal(*reg(CLKENA), 1);
	a = card_command(word & 63, *reg(CMDARG), r);
	if ((word & 1u << 6) && a == ANSWER_NONE) {
		model_come(1u << 8 | 1u << 2);
		return;
	}
	if (a == ANSWER_BAD_CRC && (word & 1u << 8)) {
		model_come(1u << 6 | 1u << 2);
		return;
	}
	assert_true(!(word & 1u << 6) || a == ANSWER_BAD_CRC ||
		    (a == ANSWER_LONG) == !!(word & 1u << 7));
	for (int i = 0; i < 4; i++)
		*reg(RESP0 + 4 * i) = r[a == ANSWER_LONG ? 3 - i : i];
	model_come(1u << 2);
	if ((word & 63) == 12)
		busy = 3;
	if (word & 1u << 9)
		begin_data(word);
}

static u32 words(void)
{
	u32 size = wide ? 8 : 4;

	return reading && !model_status.pending ? min((*reg(BLKSIZ) - at) / size, DEPTH)
	       : writing			? stuck
						: 0;
}

static u64 data_read(unsigned int size)
{
	u64 v = 0;

	assert_true(reading && at + size <= *reg(BLKSIZ));
	memcpy(&v, block + at, size);
	at += size;
	if (at == *reg(BLKSIZ)) {
		if (--left) {
			fetch();
		} else {
			reading = false;
			model_come(1u << 3);
		}
	}
	return v;
}

static void data_write(u64 v, unsigned int size)
{
	int r;

	assert_true(writing && stuck < DEPTH);
	if (card.no_response_data) {
		if (++stuck == DEPTH)
			fail_data(-1);
		return;
	}
	memcpy(block + at, &v, size);
	at += size;
	if (at < MMC_BLOCK)
		return;
	at = 0;
	r = card_block(true, block, MMC_BLOCK);
	if (r) {
		fail_data(r);
	} else if (--left == 0) {
		writing = false;
		busy = 3;
		model_come(1u << 3);
	}
}

u64 host_io_read(const volatile void *addr, unsigned int size)
{
	unsigned int n = (unsigned int)((const volatile u8 *)addr - (u8 *)regs);

	if (!controller_dead && n == (old ? 0x100 : 0x200)) {
		assert_int_equal(size, wide ? 8 : 4);
		return data_read(size);
	}
	assert_int_equal(size, 4);
	if (controller_dead)
		return *reg(n);
	model_arrive();
	if (n == STATUS)
		return words() << 17 | (busy && busy-- ? 1u << 9 : 0);
	if (n == CDETECT)
		return slot_empty;
	return n == CDETECT + 4 ? open_switch : *reg(n);
}

void host_io_write(u64 value, volatile void *addr, unsigned int size)
{
	unsigned int n = (unsigned int)((volatile u8 *)addr - (u8 *)regs);
	u32 v = (u32)value;

	if (!controller_dead && n == (old ? 0x100 : 0x200)) {
		assert_int_equal(size, wide ? 8 : 4);
		data_write(value, size);
		return;
	}
	assert_int_equal(size, 4);
	if (n == RINTSTS) {
		*reg(n) &= ~v;
	} else if (controller_dead) {
		*reg(n) = v;
	} else if (n == CMD) {
		*reg(n) = v & ~(1u << 31);
		if (v & 1u << 31)
			command(v);
	} else if (n == CTRL) {
		if (v & 2)
			reading = writing = false;
		*reg(n) = v & ~7u;
	} else {
		*reg(n) = v;
	}
}

static struct dw_mmc d;
static bool detect;

static struct mmc_host *fresh(void)
{
	memset(regs, 0, sizeof(regs));
	memset(&d, 0, sizeof(d));
	reading = writing = false;
	busy = 0;
	*reg(HCON) = (wide ? 2u : 1u) << 7;
	*reg(VERID) = 0x5342u << 16 | (old ? 0x2102 : 0x290a);
	*reg(FIFOTH) = (DEPTH - 1) << 16;
	d.regs = (char *)regs;
	d.base_hz = 50000000;
	d.no_detect = d.no_protect = !detect;
	d.host.max_width = 8;
	d.host.index = -1;
	model_status_reset(reg(RINTSTS), reg(INTMASK), &d.status, with_irq);
	assert_int_equal(dw_mmc_setup(&d), 0);
	assert_int_equal(d.fifo_depth, DEPTH);
	return &d.host;
}

static bool is_idle(void)
{
	return !reading && !writing && !busy;
}

static const struct model_driver driver = { fresh, is_idle };

/* Both widths of the FIFO, at both places, with and without an interrupt. */
static void test_shapes(void **state)
{
	for (unsigned int i = 0; i < 8; i++) {
		wide = i & 1;
		old = i & 2;
		with_irq = i & 4;
		card_insert(i & 1 ? CARD_EMMC : CARD_SDHC);
		model_late_transfer(&driver, with_irq, (u8)(0x40 + i));
	}
	wide = old = with_irq = false;
}

static void test_clock(void **state)
{
	struct mmc_host *host = fresh();

	host->ops->reset(host);
	clock_updates = 0;
	assert_int_equal(host->ops->set_clock(host, 400000), 0);
	assert_int_equal(*reg(CLKDIV), 63); /* 50 MHz / 126 */
	assert_int_equal(clocks_at_update, 63);
	assert_int_equal(clock_updates, 3);
	assert_int_equal(host->ops->set_clock(host, 25000000), 0);
	assert_int_equal(*reg(CLKDIV), 1);
	assert_int_equal(host->ops->set_clock(host, 50000000), 0);
	assert_int_equal(*reg(CLKDIV), 0);
	host->ops->set_width(host, 8);
	assert_int_equal(*reg(CTYPE), 1u << 16);
}

static void test_slot(void **state)
{
	struct mmc_host *host;

	detect = true;
	slot_empty = true;
	card_insert(CARD_SDHC);
	assert_int_equal(model_start(&driver, &host), -ENOMEDIUM);
	slot_empty = false;
	open_switch = true;
	assert_int_equal(model_start(&driver, &host), 0);
	assert_true(host->disk.read_only);
	open_switch = false;
	assert_int_equal(model_start(&driver, &host), 0);
	assert_false(host->disk.read_only);
	detect = false;
}

static void test_unknown(void **state)
{
	fresh();
	*reg(HCON) = 0; /* a FIFO of 16 bits */
	assert_int_equal(dw_mmc_setup(&d), -EINVAL);
	*reg(HCON) = 1 << 7;
	*reg(FIFOTH) = 0;
	d.fifo_depth = 0;
	assert_int_equal(dw_mmc_setup(&d), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest more[] = {
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_slot),
		cmocka_unit_test(test_unknown),
	};

	return model_main(&driver, more, ARRAY_SIZE(more));
}
