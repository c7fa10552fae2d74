/* SPDX-License-Identifier: MIT */
/*
 * The second SD controller of the BCM2835 and its successors, where a Raspberry Pi 3's card is.
 *
 * Data go through a FIFO of 16 words, which fills in microseconds, so that it is polled for while it moves; a longer wait sleeps. A
 * state machine, visible in a debug register, tells when a transfer has ended; after many blocks it waits for
 * more, and is put back by hand.
 * Locking: the host's. Source: Broadcom publishes no manual; registers as Linux's and QEMU's drivers show them.
 */
#include <compiler.h>
#include <drivers/mmc/sdhost.h>
#include <err.h>
#include <hal/cpu.h>
#include <hal/io.h>
#include <hal/timer.h>
#include <sleep.h>

#define SDCMD  0x00
#define SDARG  0x04
#define SDTOUT 0x08
#define SDCDIV 0x0c
#define SDRSP0 0x10 /* bits 31:0 of a long response; SDRSP3: 127:96 */
#define SDHSTS 0x20
#define SDVDD  0x30
#define SDEDM  0x34
#define SDHCFG 0x38
#define SDHBCT 0x3c
#define SDDATA 0x40
#define SDHBLC 0x50

#define CMD_NEW		0x8000
#define CMD_FAIL	0x4000
#define CMD_BUSY	0x0800
#define CMD_NO_RESPONSE 0x0400
#define CMD_LONG	0x0200
#define CMD_WRITE	0x0080
#define CMD_READ	0x0040

#define STATUS_BUSY_END	   0x400
#define STATUS_REW_TIMEOUT 0x80 /* of data */
#define STATUS_CMD_TIMEOUT 0x40
#define STATUS_DATA_CRC	   0x20
#define STATUS_CMD_CRC	   0x10
#define STATUS_FIFO	   0x08
#define STATUS_ERRORS                                                                              \
	(STATUS_REW_TIMEOUT | STATUS_CMD_TIMEOUT | STATUS_DATA_CRC | STATUS_CMD_CRC | STATUS_FIFO)
#define STATUS_ALL 0x7f8

#define CONFIG_BUSY_IRQ	  (1u << 10)
#define CONFIG_SLOW_CARD  (1u << 3)
#define CONFIG_WIDE_EXT	  (1u << 2) /* four data lines */
#define CONFIG_WIDE_INT	  (1u << 1) /* the FIFO has 32 bits */
#define CONFIG_USUAL	  (CONFIG_SLOW_CARD | CONFIG_WIDE_INT | CONFIG_BUSY_IRQ)

#define EDM_STATE(edm)	   ((edm) & 15)
#define EDM_FILL(edm)	   ((edm) >> 4 & 31)
#define EDM_FORCE_DATA	   (1u << 19)
#define EDM_THRESHOLDS	   (4u << 9 | 4u << 14)
#define EDM_THRESHOLD_MASK (31u << 9 | 31u << 14)
#define STATE_IDENT	   0
#define STATE_DATA	   1
#define STATE_READ_WAIT	   4
#define STATE_WRITE_START  10

#define FIFO_WORDS   16u
#define MAX_DIVIDER  0x7ffu
#define TIMEOUT	     0xf00000 /* the controller's own, in card clocks */
#define CMD_MS	     100
#define DATA_MS	     500
#define POWER_MS     20

static u32 get(const struct sdhost *s, unsigned int reg)
{
	return readl(s->regs + reg);
}

static void put(const struct sdhost *s, unsigned int reg, u32 value)
{
	writel(value, s->regs + reg);
}

static int error_of(u32 status)
{
	if (status & (STATUS_CMD_TIMEOUT | STATUS_REW_TIMEOUT))
		return -ETIMEDOUT;
	return status & (STATUS_CMD_CRC | STATUS_DATA_CRC) ? -EILSEQ : -EIO;
}

/* ---- a command ---- */

static u32 command_word(const struct mmc_command *cmd)
{
	u32 word = CMD_NEW | cmd->opcode;

	if (!(cmd->flags & MMC_RSP_PRESENT))
		word |= CMD_NO_RESPONSE;
	if (cmd->flags & MMC_RSP_LONG)
		word |= CMD_LONG;
	if (cmd->flags & MMC_RSP_BUSY)
		word |= CMD_BUSY;
	if (cmd->data)
		word |= cmd->data->write ? CMD_WRITE : CMD_READ;
	return word;
}

/* The checksum of a response that has none is always wrong. */
static int command_error(const struct sdhost *s, const struct mmc_command *cmd)
{
	u32 status = get(s, SDHSTS) & STATUS_ERRORS;

	put(s, SDHSTS, status);
	if (!(cmd->flags & MMC_RSP_CRC) && !(status & ~STATUS_CMD_CRC))
		return 0;
	return error_of(status);
}

static int issue(struct sdhost *s, struct mmc_command *cmd)
{
	u64 since = hal_clock_ns();
	u32 word;

	put(s, SDHSTS, STATUS_ALL);
	if (cmd->data) {
		put(s, SDHBCT, cmd->data->block_size);
		put(s, SDHBLC, cmd->data->nblocks);
	}
	put(s, SDARG, cmd->arg);
	put(s, SDCMD, command_word(cmd));
	while ((word = get(s, SDCMD)) & CMD_NEW)
		if (!mmc_wait_turn(since, CMD_MS * MMC_MS))
			return -ENXIO;
	if (word & CMD_FAIL) {
		int r = command_error(s, cmd);

		if (r)
			return r;
	}
	for (unsigned int i = 0; i < 4; i++)
		cmd->response[i] = get(s, SDRSP0 + 4 * (cmd->flags & MMC_RSP_LONG ? 3 - i : i));
	return 0;
}

static int wait_busy(struct sdhost *s, u32 ms)
{
	u64 since = hal_clock_ns();

	for (;;) {
		u32 status = get(s, SDHSTS);

		if (status & STATUS_ERRORS)
			return error_of(status);
		if (status & STATUS_BUSY_END) {
			put(s, SDHSTS, STATUS_BUSY_END);
			return 0;
		}
		if (!mmc_wait_turn(since, (ms + CMD_MS) * MMC_MS))
			return -ETIMEDOUT;
	}
}

/* ---- data ---- */

/* Words that can be moved now. 0 with *r: none, because of an error. */
static u32 wait_fifo(struct sdhost *s, bool write, u32 ms, int *r)
{
	u64 since = hal_clock_ns();

	for (;;) {
		u32 status = get(s, SDHSTS) & STATUS_ERRORS, fill = EDM_FILL(get(s, SDEDM));
		u32 n = write ? FIFO_WORDS - min(fill, FIFO_WORDS) : fill;

		if (status) {
			*r = error_of(status);
			return 0;
		}
		if (n)
			return n;
		if (!mmc_wait_turn(since, ms * MMC_MS)) {
			*r = -ETIMEDOUT;
			return 0;
		}
	}
}

static void move_word(struct sdhost *s, bool write, u8 *p)
{
	u32 word;

	if (write) {
		word = p[0] | p[1] << 8 | p[2] << 16 | (u32)p[3] << 24;
		put(s, SDDATA, word);
	} else {
		word = get(s, SDDATA);
		p[0] = (u8)word;
		p[1] = (u8)(word >> 8);
		p[2] = (u8)(word >> 16);
		p[3] = (u8)(word >> 24);
	}
}

static int move_block(struct sdhost *s, struct mmc_data *data, u32 ms)
{
	u8 *p = mmc_data_block(data);
	u32 left = data->block_size / 4;
	int r = 0;

	while (left) {
		u32 n = min(left, wait_fifo(s, data->write, ms, &r));

		if (!n)
			return r;
		left -= n;
		for (; n; n--, p += 4)
			move_word(s, data->write, p);
	}
	return 0;
}

/* Until the state machine rests. */
static int end_transfer(struct sdhost *s, bool write, u32 ms)
{
	u64 since = hal_clock_ns();

	for (;;) {
		u32 edm = get(s, SDEDM), status;

		if (EDM_STATE(edm) == STATE_DATA || EDM_STATE(edm) == STATE_IDENT)
			break;
		if (EDM_STATE(edm) == (write ? STATE_WRITE_START : STATE_READ_WAIT)) {
			put(s, SDEDM, edm | EDM_FORCE_DATA);
			break;
		}
		status = get(s, SDHSTS) & STATUS_ERRORS;
		if (status)
			return error_of(status);
		if (!mmc_wait_turn(since, ms * MMC_MS))
			return -ENXIO;
	}
	return get(s, SDHSTS) & STATUS_ERRORS ? error_of(get(s, SDHSTS)) : 0;
}

static int move_data(struct sdhost *s, struct mmc_data *data, u32 ms)
{
	int r = 0;

	for (u32 i = 0; !r && i < data->nblocks; i++) {
		r = move_block(s, data, ms);
		cond_resched();
	}
	return r ? r : end_transfer(s, data->write, ms);
}

/* What a failed transfer leaves in the FIFO goes away, and the state machine begins anew. */
static void recover(struct sdhost *s)
{
	for (unsigned int i = 0; i < FIFO_WORDS && EDM_FILL(get(s, SDEDM)); i++)
		(void)get(s, SDDATA);
	put(s, SDHBLC, 0);
	put(s, SDEDM, get(s, SDEDM) | EDM_FORCE_DATA);
	put(s, SDHSTS, STATUS_ALL);
}

static int sdhost_request(struct mmc_host *host, struct mmc_command *cmd)
{
	struct sdhost *s = host->priv;
	u32 ms = max_t(u32, cmd->timeout_ms, DATA_MS);
	int r = issue(s, cmd);

	if (!r && cmd->data)
		r = move_data(s, cmd->data, ms);
	if (!r && (cmd->flags & MMC_RSP_BUSY))
		r = wait_busy(s, ms);
	if (r && r != -ENXIO)
		recover(s);
	return r;
}

/* ---- the slot ---- */

static int sdhost_reset(struct mmc_host *host)
{
	struct sdhost *s = host->priv;

	put(s, SDVDD, 0);
	put(s, SDCMD, 0);
	put(s, SDARG, 0);
	put(s, SDTOUT, TIMEOUT);
	put(s, SDCDIV, 0);
	put(s, SDHSTS, STATUS_ALL);
	put(s, SDHCFG, 0);
	put(s, SDHBCT, 0);
	put(s, SDHBLC, 0);
	put(s, SDEDM, (get(s, SDEDM) & ~EDM_THRESHOLD_MASK) | EDM_THRESHOLDS);
	mmc_sleep_ms(POWER_MS);
	put(s, SDVDD, 1);
	mmc_sleep_ms(POWER_MS);
	s->config = CONFIG_USUAL;
	put(s, SDHCFG, s->config);
	return get(s, SDVDD) & 1 ? 0 : -ENXIO;
}

/* The card's clock is the base divided by the register's value + 2. */
static int sdhost_set_clock(struct mmc_host *host, u32 hz)
{
	struct sdhost *s = host->priv;
	u32 divider = DIV_ROUND_UP(s->base_hz, hz);

	put(s, SDCDIV, min(divider > 2 ? divider - 2 : 0, MAX_DIVIDER));
	return 0;
}

static void sdhost_set_width(struct mmc_host *host, unsigned int width)
{
	struct sdhost *s = host->priv;

	s->config = CONFIG_USUAL | (width == 4 ? CONFIG_WIDE_EXT : 0);
	put(s, SDHCFG, s->config);
}

void sdhost_setup(struct sdhost *s)
{
	static const struct mmc_host_ops ops = {
		.reset = sdhost_reset,
		.set_clock = sdhost_set_clock,
		.set_width = sdhost_set_width,
		.request = sdhost_request,
	};

	s->host.ops = &ops;
	s->host.priv = s;
	s->host.max_blocks = 511;
	s->host.max_width = min(s->host.max_width, 4u);
}
