/* SPDX-License-Identifier: MIT */
/* A card on an SDHCI, through its registers: drivers/mmc/sdhci.c. What is waited for comes at once, or late and with an interrupt. */
#include "mmc_model.h"

#include <drivers/mmc/sdhci.h>

#define BLOCK	 0x04
#define ARGUMENT 0x08
#define COMMAND	 0x0c
#define RESPONSE 0x10
#define BUFFER	 0x20
#define PRESENT	 0x24
#define CONTROL	 0x28
#define CLOCK	 0x2c
#define STATUS	 0x30
#define SIGNAL	 0x38
#define CAPS	 0x40
#define VERSION	 0xfc

static u8 regs[0x100];
static bool switch_locked;
static bool mute; /* where data stall, the controller says nothing about it */

static u32 left; /* blocks */
static bool writing;
static u8 block[MMC_BLOCK];
static u32 block_at, block_size;

static u32 *reg(unsigned int n)
{
	return (u32 *)(void *)(regs + n);
}

static void fail_data(int r)
{
	if (r > 0 || !mute)
		model_come(r < 0 ? 1u << 20 | 1u << 15 : 1u << 21 | 1u << 15);
}

static void fetch(void)
{
	int r = card_block(false, block, block_size);

	block_at = 0;
	if (r)
		fail_data(r);
	else
		model_come(1u << 5);
}

static void begin_data(u32 word)
{
	block_size = *reg(BLOCK) & 0xfff;
	left = word & 1u << 5 ? *reg(BLOCK) >> 16 : 1;
	writing = !(word & 1u << 4);
	block_at = 0;
	if (!writing)
		fetch();
	else if (card.no_response_data)
		fail_data(-1);
	else
		model_come(1u << 4);
}

static void command(u32 word)
{
	u32 kind = word >> 16 & 3, r[4];
	enum card_answer a = card_command(word >> 24 & 63, *reg(ARGUMENT), r);

	if (kind && a == ANSWER_NONE) {
		model_come(1u << 16 | 1u << 15);
		return;
	}
	if (a == ANSWER_BAD_CRC && (word & 1u << 19)) {
		model_come(1u << 17 | 1u << 15);
		return;
	}
	assert_true(!kind || (kind == 1) == (a == ANSWER_LONG) || a == ANSWER_BAD_CRC);
	if (a == ANSWER_LONG)
		for (int i = 0; i < 4; i++)
			*reg(RESPONSE + 4 * (3 - i)) = r[i] >> 8 | (i ? r[i - 1] << 24 : 0);
	else
		*reg(RESPONSE) = r[0];
	model_come(1);
	if (word & 1u << 21)
		begin_data(word);
	else if (kind == 3)
		model_come(2);
}

static u32 buffer_read(void)
{
	u32 v;

	assert_true(!writing && block_at < block_size);
	memcpy(&v, block + block_at, 4);
	block_at += 4;
	if (block_at == block_size) {
		if (--left)
			fetch();
		else
			model_come(2);
	}
	return v;
}

static void buffer_write(u32 v)
{
	int r;

	assert_true(writing && block_at < block_size);
	memcpy(block + block_at, &v, 4);
	block_at += 4;
	if (block_at < block_size)
		return;
	r = card_block(true, block, block_size);
	block_at = 0;
	if (r)
		fail_data(r);
	else
		model_come(--left ? 1u << 4 : 2);
}

static u32 present(void)
{
	return (card.kind != CARD_NONE ? 1u << 16 : 0) | 1u << 17 | (switch_locked ? 0 : 1u << 19);
}

u64 host_io_read(const volatile void *addr, unsigned int size)
{
	unsigned int n = (unsigned int)((const volatile u8 *)addr - regs);

	assert_int_equal(size, 4);
	if (!controller_dead && n == BUFFER)
		return buffer_read();
	if (!controller_dead)
		model_arrive();
	return n == PRESENT ? present() : *reg(n);
}

static void clock_write(u32 v)
{
	if (v & 7u << 24) {
		model_status.pending = 0;
		*reg(STATUS) = 0;
		if (v & 1u << 24)
			memset(regs, 0, CAPS);
		v &= ~(7u << 24);
	}
	*reg(CLOCK) = v & 1 ? v | 2 : v & ~2u;
}

void host_io_write(u64 value, volatile void *addr, unsigned int size)
{
	unsigned int n = (unsigned int)((volatile u8 *)addr - regs);
	u32 v = (u32)value;

	assert_int_equal(size, 4);
	if (n == STATUS)
		*reg(n) &= ~v;
	else if (controller_dead)
		*reg(n) = v;
	else if (n == COMMAND)
		command(v);
	else if (n == BUFFER)
		buffer_write(v);
	else if (n == CLOCK)
		clock_write(v);
	else
		*reg(n) = v;
}

static struct sdhci s;
static bool detect, with_irq;

static struct mmc_host *fresh(void)
{
	memset(regs, 0, sizeof(regs));
	memset(&s, 0, sizeof(s));
	*reg(CAPS) = 100 << 8;
	*reg(VERSION) = 2u << 16;
	s.regs = (char *)regs;
	s.no_detect = !detect;
	s.no_protect = !detect;
	s.host.max_width = 8;
	s.host.index = -1;
	model_status_reset(reg(STATUS), reg(SIGNAL), &s.status, with_irq);
	assert_int_equal(sdhci_setup(&s), 0);
	return &s.host;
}

static const struct model_driver driver = { fresh, NULL };

static void test_late(void **state)
{
	for (unsigned int i = 0; i < 2; i++) {
		with_irq = i;
		card_insert(CARD_SDHC);
		model_late_transfer(&driver, with_irq, 0x77);
	}
	with_irq = false;
}

/* The card's time runs out before the controller's: the transfer fails, but the controller is not given up. */
static void test_mute(void **state)
{
	struct mmc_host *host;
	u8 buf[MMC_BLOCK] = { 0 };

	mute = true;
	card_insert(CARD_SDHC);
	assert_int_equal(model_start(&driver, &host), 0);
	card.no_response_data = true;
	assert_int_equal(model_transfer(host, false, 1, buf, 1, 1), -EIO);
	assert_int_equal(model_transfer(host, true, 1, buf, 1, 1), -EIO);
	assert_false(host->dead);
	card.no_response_data = false;
	assert_int_equal(model_transfer(host, false, 1, buf, 1, 1), 0);
	mute = false;
}

static void test_clock(void **state)
{
	struct mmc_host *host = fresh();

	host->ops->reset(host);
	host->ops->set_clock(host, 400000); /* 100 MHz / 250 */
	assert_int_equal(*reg(CLOCK) & 0xffff, 125 << 8 | 7);
	host->ops->set_clock(host, 25000000);
	assert_int_equal(*reg(CLOCK) & 0xffff, 2 << 8 | 7);
	host->ops->set_clock(host, 100000000);
	assert_int_equal(*reg(CLOCK) & 0xffff, 7);
	host->ops->set_clock(host, 100000); /* 1000: two bits more */
	assert_int_equal(*reg(CLOCK) & 0xffff, (500 & 0xff) << 8 | (500 >> 8) << 6 | 7);
	s.version = 0;
	host->ops->set_clock(host, 400000); /* powers of two: 256 */
	assert_int_equal(*reg(CLOCK) & 0xffff, 128 << 8 | 7);
	host->ops->set_clock(host, 30000000); /* 4 */
	assert_int_equal(*reg(CLOCK) & 0xffff, 2 << 8 | 7);
}

static void test_slot(void **state)
{
	struct mmc_host *host;
	u8 buf[MMC_BLOCK] = { 0 };

	detect = true;
	card_insert(CARD_NONE);
	assert_int_equal(model_start(&driver, &host), -ENOMEDIUM);
	assert_int_equal(card.count[0], 0);
	card_insert(CARD_SDHC);
	switch_locked = true;
	assert_int_equal(model_start(&driver, &host), 0);
	assert_true(host->disk.read_only);
	assert_int_equal(model_transfer(host, true, 1, buf, 1, 1), -EIO);
	assert_int_equal(card.count[24], 0);
	assert_int_equal(model_transfer(host, false, 1, buf, 1, 1), 0);
	switch_locked = false;
	card.kind = CARD_NONE;
	assert_int_equal(model_transfer(host, false, 1, buf, 1, 1), -EIO);
	assert_int_equal(model_lines, 1);
	assert_non_null(strstr(model_line, "gone"));
	assert_int_equal(model_transfer(host, false, 1, buf, 1, 1), -EIO);
	assert_int_equal(model_lines, 1);
	detect = false;
}

/* No rate in the registers, and nobody who knows one. */
static void test_no_rate(void **state)
{
	memset(regs, 0, sizeof(regs));
	memset(&s, 0, sizeof(s));
	s.regs = (char *)regs;
	assert_int_equal(sdhci_setup(&s), -EINVAL);
}

static void test_core(void **state)
{
	struct mmc_host *host;
	u8 buf[MMC_BLOCK] = { 0 };

	/* A card that is busy for a while, and one that then tells of an error. */
	card_insert(CARD_SDHC);
	assert_int_equal(model_start(&driver, &host), 0);
	card.busy = 5;
	assert_int_equal(model_transfer(host, true, 1, buf, 1, 1), 0);
	assert_int_equal(card.busy, 0);
	card.error_status = 1u << 26;
	assert_int_equal(model_transfer(host, true, 1, buf, 1, 1), -EIO);
	assert_int_equal(model_lines, 1);
	/* Lines have an end. */
	for (int i = 0; i < 30; i++)
		assert_int_equal(model_transfer(host, true, 1, buf, 1, 1), -EIO);
	assert_int_equal(model_lines, 10);
	/* Never ready again. */
	card.error_status = 0;
	card.busy = 1000000;
	assert_int_equal(model_transfer(host, true, 1, buf, 1, 1), -EIO);
	/* The voltage is not what it can live with. */
	card_insert(CARD_SDHC);
	card.odd_voltage = 0xff;
	assert_int_equal(model_start(&driver, &host), -EIO);
	assert_int_equal(model_lines, 1);
}

/* Any registers at all: a size, or a refusal. */
static void test_registers(void **state)
{
	u64 rng = 99;

	for (int i = 0; i < 100000; i++) {
		struct mmc_card c = { .sd = i & 1 };

		for (int j = 0; j < 4; j++) {
			c.csd[j] = (u32)test_random(&rng);
			c.cid[j] = (u32)test_random(&rng);
		}
		if (mmc_read_registers(&c) == 0)
			assert_true(c.nsectors > 0 && c.nsectors <= 1ULL << 33 &&
				    c.max_hz >= 400000);
		assert_true(strlen(c.product) < sizeof(c.product));
	}
}

int main(void)
{
	const struct CMUnitTest more[] = {
		cmocka_unit_test(test_late),	  cmocka_unit_test(test_mute),
		cmocka_unit_test(test_clock),	  cmocka_unit_test(test_slot),
		cmocka_unit_test(test_no_rate),	  cmocka_unit_test(test_core),
		cmocka_unit_test(test_registers),
	};

	return model_main(&driver, more, ARRAY_SIZE(more));
}
