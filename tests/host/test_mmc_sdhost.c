/* SPDX-License-Identifier: MIT */
/* A card on the BCM2835's own controller, through its registers: drivers/mmc/sdhost.c. */
#include "mmc_model.h"

#include <drivers/mmc/sdhost.h>

#define SDCMD  0x00
#define SDARG  0x04
#define SDCDIV 0x0c
#define SDRSP0 0x10
#define SDHSTS 0x20
#define SDEDM  0x34
#define SDHCFG 0x38
#define SDHBCT 0x3c
#define SDDATA 0x40
#define SDHBLC 0x50
#define FIFO   16u

static u32 regs[0x60 / 4];
static u32 left; /* blocks */
static bool reading, writing, many;
static u8 block[MMC_BLOCK];
static u32 at, stuck;
static u32 state_machine;

static u32 *reg(unsigned int n)
{
	return &regs[n / 4];
}

static void end_data(void)
{
	state_machine = many ? (writing ? 10 : 4) : 1;
	reading = writing = false;
}

static void fetch(void)
{
	int r = card_block(false, block, *reg(SDHBCT));

	at = 0;
	if (!r)
		return;
	if (r > 0)
		*reg(SDHSTS) |= 0x20;
	reading = false; /* a card that stalls: nothing more happens */
}

static void begin_data(u32 word)
{
	left = *reg(SDHBLC);
	many = left > 1;
	reading = word & 0x40;
	writing = word & 0x80;
	at = stuck = 0;
	state_machine = reading ? 2 : 3;
	if (reading)
		fetch();
}

static void command(u32 word)
{
	u32 r[4];
	enum card_answer a = card_command(word & 63, *reg(SDARG), r);

	*reg(SDCMD) = word & ~0x8000u;
	if (word & 0x400)
		return;
	if (a == ANSWER_NONE) {
		*reg(SDHSTS) |= 0x40;
		*reg(SDCMD) |= 0x4000;
		return;
	}
	/* The controller takes the checksum of an answer that has none for wrong. */
	if (a == ANSWER_BAD_CRC || (word & 63) == 41 || (word & 63) == 1) {
		*reg(SDHSTS) |= 0x10;
		*reg(SDCMD) |= 0x4000;
	}
	assert_true(a == ANSWER_BAD_CRC || (a == ANSWER_LONG) == !!(word & 0x200));
	for (int i = 0; i < 4; i++)
		*reg(SDRSP0 + 4 * i) = r[a == ANSWER_LONG ? 3 - i : i];
	if (word & 0xc0)
		begin_data(word);
	if (word & 0x800)
		*reg(SDHSTS) |= 0x400;
}

static u32 fill(void)
{
	if (writing)
		return stuck;
	return reading ? min((*reg(SDHBCT) - at) / 4, FIFO) : 0;
}

static u32 data_read(void)
{
	u32 v;

	if (!reading)
		return 0;
	memcpy(&v, block + at, 4);
	at += 4;
	if (at == *reg(SDHBCT)) {
		if (--left)
			fetch();
		else
			end_data();
	}
	return v;
}

static void data_write(u32 v)
{
	int r;

	assert_true(stuck < FIFO);
	if (!writing)
		return;
	if (card.no_response_data) {
		stuck++;
		return;
	}
	memcpy(block + at, &v, 4);
	at += 4;
	if (at < MMC_BLOCK)
		return;
	at = 0;
	r = card_block(true, block, MMC_BLOCK);
	if (r > 0)
		*reg(SDHSTS) |= 0x20;
	if (!r && --left == 0)
		end_data();
}

u64 host_io_read(const volatile void *addr, unsigned int size)
{
	unsigned int n = (unsigned int)((const volatile u8 *)addr - (u8 *)regs);

	assert_int_equal(size, 4);
	if (controller_dead)
		return *reg(n);
	if (n == SDDATA)
		return data_read();
	if (n == SDEDM)
		return (*reg(n) & ~0x1ffu) | fill() << 4 | state_machine;
	return *reg(n);
}

void host_io_write(u64 value, volatile void *addr, unsigned int size)
{
	unsigned int n = (unsigned int)((volatile u8 *)addr - (u8 *)regs);
	u32 v = (u32)value;

	assert_int_equal(size, 4);
	if (controller_dead) {
		*reg(n) = v;
	} else if (n == SDCMD && (v & 0x8000)) {
		command(v);
	} else if (n == SDHSTS) {
		*reg(n) &= ~v;
	} else if (n == SDDATA) {
		data_write(v);
	} else if (n == SDEDM) {
		*reg(n) = v & ~(1u << 19);
		if (v & 1u << 19) {
			state_machine = 1;
			reading = writing = false;
			stuck = 0;
		}
	} else {
		*reg(n) = v;
	}
}

static struct sdhost s;

static struct mmc_host *fresh(void)
{
	memset(regs, 0, sizeof(regs));
	memset(&s, 0, sizeof(s));
	reading = writing = false;
	state_machine = 0;
	s.regs = (char *)regs;
	s.base_hz = 250000000;
	s.host.max_width = 4;
	s.host.index = -1;
	sdhost_setup(&s);
	return &s.host;
}

static bool is_idle(void)
{
	return state_machine == 1 && !reading && !writing;
}

static const struct model_driver driver = { fresh, is_idle };

static void test_clock(void **state)
{
	struct mmc_host *host;

	card_insert(CARD_SDHC);
	assert_int_equal(model_start(&driver, &host), 0);
	assert_int_equal(*reg(SDCDIV), 8);
	host->ops->set_clock(host, 400000);
	assert_int_equal(*reg(SDCDIV), 623);
	host->ops->set_clock(host, 100000);
	assert_int_equal(*reg(SDCDIV), 0x7ff);
	assert_int_equal(*reg(SDHCFG) & 4, 4); /* four lines */
}

/* More blocks than the controller counts. */
static void test_long(void **state)
{
	struct mmc_host *host;
	static u8 buf[1100 * MMC_BLOCK];

	card_insert(CARD_SDHC);
	assert_int_equal(model_start(&driver, &host), 0);
	assert_int_equal(model_transfer(host, false, 9, buf, 1100, 300), 0);
	assert_memory_equal(buf, card.data + 9 * MMC_BLOCK, sizeof(buf));
	assert_int_equal(card.count[18], 3);
	assert_int_equal(card.count[12], 3);
}

int main(void)
{
	const struct CMUnitTest more[] = { cmocka_unit_test(test_clock),
					   cmocka_unit_test(test_long) };

	return model_main(&driver, more, ARRAY_SIZE(more));
}
