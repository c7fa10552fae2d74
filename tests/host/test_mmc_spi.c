/* SPDX-License-Identifier: MIT */
/* A card on an SPI bus, through the registers of SiFive's controller: drivers/spi/sifive.c, drivers/mmc/spi.c, and the core. */
#include "mmc_model.h"

#include <drivers/mmc/spi.h>
#include <hal/io.h>

static u8 regs[0x80];
static u8 rx[8];
static unsigned int rx_n;

/* ---- the card's side of the bus ---- */

static u8 frame[6];
static unsigned int frame_n;
static u8 out[600]; /* what the card has yet to say */
static unsigned int out_at, out_n;
static bool more_blocks, crc_on, idle;
static enum { NOT_WRITING, WRITE_TOKEN, WRITE_DATA } write_state;
static bool write_many;
static u8 write_buf[MMC_BLOCK + 2];
static unsigned int write_n;

static void say(const u8 *p, unsigned int n)
{
	assert_true(out_n + n <= sizeof(out));
	memcpy(out + out_n, p, n);
	out_n += n;
}

static void say_byte(u8 b)
{
	say(&b, 1);
}

static void say_block(u32 n)
{
	u8 block[MMC_BLOCK];
	int r = card_block(false, block, n);
	u16 crc;

	if (r < 0) {
		more_blocks = false;
		return;
	}
	crc = mmc_crc16(block, n) ^ (r ? 1 : 0);
	say_byte(0xff);
	say_byte(0xfe);
	say(block, n);
	say_byte((u8)(crc >> 8));
	say_byte((u8)crc);
}

static void say_register(const u32 reg[4])
{
	u8 b[18];
	u16 crc;

	for (int i = 0; i < 16; i++)
		b[i] = (u8)(reg[i / 4] >> (24 - i % 4 * 8));
	crc = mmc_crc16(b, 16);
	b[16] = (u8)(crc >> 8);
	b[17] = (u8)crc;
	say_byte(0xfe);
	say(b, 18);
}

static void answer_32(u8 r1, u32 v)
{
	say_byte(r1);
	for (int shift = 24; shift >= 0; shift -= 8)
		say_byte((u8)(v >> shift));
}

/* What SPI mode has of its own. True: done. */
static bool spi_command(u32 opcode, u32 arg)
{
	u32 reg[4];

	switch (opcode) {
	case 0:
		idle = true;
		say_byte(1);
		return true;
	case 9:
		if (card.refuses_csd) {
			say_byte(4);
			return true;
		}
		card_csd(reg);
		say_byte(0);
		say_register(reg);
		return true;
	case 10:
		card_cid(reg);
		say_byte(0);
		say_register(reg);
		return true;
	case 13:
		say_byte(0);
		say_byte(card.error_status ? 4 : 0);
		return true;
	case 58:
		answer_32(0, 0x80ff8000 | (card.kind == CARD_SDHC ? 1u << 30 : 0));
		return true;
	case 59:
		crc_on = arg & 1;
		say_byte(idle);
		return true;
	default:
		return false;
	}
}

static void answer_card(u32 opcode, u32 arg)
{
	bool app = card.app;
	u32 response[4];
	enum card_answer a = card_command(opcode, arg, response);

	out_at = out_n = 0;
	if (card.kind == CARD_NONE || card.silent)
		return;
	if (opcode == 12)
		say_byte(0x3f); /* the rest of a block */
	say_byte(0xff);
	if (a == ANSWER_BAD_CRC) {
		say_byte(8 | idle);
		return;
	}
	if (!app && spi_command(opcode, arg))
		return;
	if (a == ANSWER_NONE) {
		say_byte(4 | idle);
		return;
	}
	if (app && opcode == 41) {
		idle = !(response[0] >> 31);
		say_byte(idle);
		return;
	}
	if (opcode == 8) {
		answer_32(1, response[0]);
		return;
	}
	if ((opcode == 17 || opcode == 18 || opcode == 24 || opcode == 25) && response[0] >> 31) {
		say_byte(0x40);
		return;
	}
	say_byte(0);
	more_blocks = opcode == 18;
	if (opcode == 17 || opcode == 18)
		say_block(MMC_BLOCK);
	if (opcode == 24 || opcode == 25) {
		write_state = WRITE_TOKEN;
		write_many = opcode == 25;
	}
	if (opcode == 12) {
		write_state = NOT_WRITING;
		say_byte(0); /* busy for a moment */
		say_byte(0);
	}
}

static void take_command(void)
{
	u32 opcode = frame[0] & 0x3f,
	    arg = (u32)frame[1] << 24 | frame[2] << 16 | frame[3] << 8 | frame[4];

	if ((crc_on || opcode == 0 || opcode == 8) && mmc_crc7(frame, 5) != frame[5])
		say_byte(8);
	else
		answer_card(opcode, arg);
}

static void take_block(void)
{
	u16 crc = mmc_crc16(write_buf, MMC_BLOCK);
	int r;

	out_at = out_n = 0;
	assert_int_equal(crc, write_buf[MMC_BLOCK] << 8 | write_buf[MMC_BLOCK + 1]);
	r = card_block(true, write_buf, MMC_BLOCK);
	write_state = write_many ? WRITE_TOKEN : NOT_WRITING;
	if (r < 0)
		return;
	say_byte(r ? 0xeb : 0xe5);
	for (int i = 0; i < 40; i++)
		say_byte(0);
}

/* While it waits for a block, the card still listens to commands. */
static bool take_write(u8 in)
{
	if (write_state == WRITE_DATA) {
		write_buf[write_n++] = in;
		if (write_n == sizeof(write_buf))
			take_block();
		return true;
	}
	if (in == (write_many ? 0xfc : 0xfe)) {
		write_state = WRITE_DATA;
		write_n = 0;
		return true;
	}
	if (write_many && in == 0xfd) {
		write_state = NOT_WRITING;
		out_at = out_n = 0;
		for (int i = 0; i < 5; i++)
			say_byte(0);
		return true;
	}
	return false;
}

static u8 card_exchange(u8 in)
{
	u8 byte = 0xff;

	if (out_at < out_n)
		byte = out[out_at++];
	else if (more_blocks) {
		out_at = out_n = 0;
		say_block(MMC_BLOCK);
	}
	if (frame_n == 0 && write_state != NOT_WRITING && take_write(in))
		return byte;
	if (frame_n == 0 && (in & 0xc0) != 0x40)
		return byte;
	frame[frame_n++] = in;
	if (frame_n == sizeof(frame)) {
		frame_n = 0;
		take_command();
	}
	return byte;
}

/* ---- the controller ---- */

u64 host_io_read(const volatile void *addr, unsigned int size)
{
	unsigned int reg = (unsigned int)((const volatile u8 *)addr - regs);
	u8 byte;
	u32 v;

	assert_int_equal(size, 4);
	if (reg == 0x4c) {
		if (controller_dead || !rx_n)
			return 1u << 31;
		byte = rx[0];
		memmove(rx, rx + 1, --rx_n);
		return byte;
	}
	memcpy(&v, regs + reg, 4);
	return v;
}

void host_io_write(u64 value, volatile void *addr, unsigned int size)
{
	unsigned int reg = (unsigned int)((volatile u8 *)addr - regs);
	u32 v = (u32)value;
	bool selected = regs[0x18] == 2;

	assert_int_equal(size, 4);
	if (reg == 0x48 && !controller_dead) {
		assert_true(rx_n < sizeof(rx));
		rx[rx_n++] = selected ? card_exchange((u8)value) : 0xff;
	}
	memcpy(regs + reg, &v, 4);
}

static struct sifive_spi spi;
static struct mmc_spi mmc;

static struct mmc_host *fresh(void)
{
	memset(&mmc, 0, sizeof(mmc));
	memset(regs, 0, sizeof(regs));
	rx_n = frame_n = out_at = out_n = 0;
	write_state = NOT_WRITING;
	more_blocks = crc_on = idle = false;
	spi = (struct sifive_spi){ .regs = (char *)regs, .in_hz = 500000000, .device = 0 };
	sifive_spi_setup(&spi);
	mmc.bus = &spi.bus;
	mmc.host.max_hz = 20000000;
	mmc.host.index = -1;
	mmc_spi_setup(&mmc);
	return &mmc.host;
}

static bool is_idle(void)
{
	return write_state == NOT_WRITING && !more_blocks && frame_n == 0 && regs[0x18] == 0;
}

static const struct model_driver driver = { fresh, is_idle };

static void test_checksums(void **state)
{
	static const u8 cmd0[5] = { 0x40 }, cmd8[5] = { 0x48, 0, 0, 1, 0xaa };
	u8 ones[512];

	memset(ones, 0xff, sizeof(ones));
	assert_int_equal(mmc_crc7(cmd0, 5), 0x95);
	assert_int_equal(mmc_crc7(cmd8, 5), 0x87);
	assert_int_equal(mmc_crc16(ones, 512), 0x7fa1);
}

static void test_clock(void **state)
{
	struct mmc_host *host;

	card_insert(CARD_SDHC);
	assert_int_equal(model_start(&driver, &host), 0);
	assert_int_equal(readl(regs), 12); /* 500 MHz / 26 = 19.2 MHz */
	assert_int_equal(host->ops->set_clock(host, 400000), 0);
	assert_int_equal(readl(regs), 624);
	assert_true(crc_on);
}

static void test_size_by_reading(void **state)
{
	struct mmc_host *host;
	u8 buf[MMC_BLOCK];

	for (enum card_kind kind = CARD_SDSC; kind <= CARD_SDHC; kind++) {
		card_insert(kind);
		card.refuses_csd = true;
		assert_int_equal(model_start(&driver, &host), 0);
		assert_int_equal(host->disk.nsectors, CARD_SECTORS);
		assert_int_equal(model_lines, 1);
		assert_int_equal(model_transfer(host, false, CARD_SECTORS - 1, buf, 1, 1), 0);
	}
}

static void test_write_error(void **state)
{
	struct mmc_host *host;
	u8 buf[MMC_BLOCK] = { 0 };

	card_insert(CARD_SDHC);
	assert_int_equal(model_start(&driver, &host), 0);
	card.error_status = 1;
	assert_int_equal(model_transfer(host, true, 1, buf, 1, 1), -EIO);
	assert_int_equal(model_lines, 1);
}

int main(void)
{
	const struct CMUnitTest more[] = {
		cmocka_unit_test(test_checksums),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_size_by_reading),
		cmocka_unit_test(test_write_error),
	};

	return model_main(&driver, more, ARRAY_SIZE(more));
}
