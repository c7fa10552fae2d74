/* SPDX-License-Identifier: MIT */
/*
 * Controllers of the SD Host Controller Interface, without DMA: a block is moved when its buffer is ready.
 *
 * Registers are accessed by 32-bit words only: all controllers allow that, and the BCM2835's allows nothing else. So are
 * transfer mode and command, which are one word, whose upper half starts the command.
 *
 * Waiting is wait.c's: the interrupt status is enabled throughout, what may signal is not.
 * Locking: the host's, and wait.c's.
 * Source: SD Specifications Part A2, SD Host Controller Simplified Specification 3.00.
 */
#include <compiler.h>
#include <drivers/mmc/sdhci.h>
#include <err.h>
#include <hal/cpu.h>
#include <hal/io.h>
#include <hal/timer.h>

#define SDHCI_BLOCK	    0x04 /* size, count << 16 */
#define SDHCI_ARGUMENT	    0x08
#define SDHCI_COMMAND	    0x0c /* transfer mode, command << 16 */
#define SDHCI_RESPONSE	    0x10
#define SDHCI_BUFFER	    0x20
#define SDHCI_PRESENT	    0x24
#define SDHCI_CONTROL	    0x28 /* host control, power << 8 */
#define SDHCI_CLOCK	    0x2c /* clock, timeout << 16, reset << 24 */
#define SDHCI_STATUS	    0x30
#define SDHCI_STATUS_ENABLE 0x34
#define SDHCI_SIGNAL_ENABLE 0x38
#define SDHCI_CAPABILITIES  0x40
#define SDHCI_VERSION	    0xfc

#define MODE_COUNT (1u << 1)
#define MODE_READ  (1u << 4)
#define MODE_MANY  (1u << 5)

#define CMD_OPCODE(n)  ((n) << 24)
#define CMD_LONG       (1u << 16)
#define CMD_SHORT      (2u << 16)
#define CMD_SHORT_BUSY (3u << 16)
#define CMD_CRC	       (1u << 19)
#define CMD_INDEX      (1u << 20)
#define CMD_DATA       (1u << 21)

#define PRESENT_CMD_INHIBIT  (1u << 0)
#define PRESENT_DATA_INHIBIT (1u << 1)
#define PRESENT_CARD	     (1u << 16)
#define PRESENT_STABLE	     (1u << 17)
#define PRESENT_WRITABLE     (1u << 19)

#define CONTROL_4_BITS	(1u << 1)
#define CONTROL_8_BITS	(1u << 5)
#define CONTROL_POWER	(0xfu << 8) /* 3.3 V, on */

#define CLOCK_INTERNAL	    (1u << 0)
#define CLOCK_STABLE	    (1u << 1)
#define CLOCK_CARD	    (1u << 2)
#define TIMEOUT_LONGEST	    (0xeu << 16)
#define RESET_ALL	    (1u << 24)
#define RESET_CMD	    (1u << 25)
#define RESET_DATA	    (1u << 26)
#define DIVIDER_MAX_2	    256	 /* version 2: powers of two */
#define DIVIDER_MAX_3	    2046 /* version 3: even numbers */
#define VERSION_3	    2

#define STATUS_CMD	    (1u << 0)
#define STATUS_TRANSFER	    (1u << 1)
#define STATUS_WRITE_READY  (1u << 4)
#define STATUS_READ_READY   (1u << 5)
#define STATUS_ANY_ERROR    (1u << 15)
#define STATUS_CMD_TIMEOUT  (1u << 16)
#define STATUS_CMD_CRC	    (1u << 17)
#define STATUS_CMD_END	    (1u << 18)
#define STATUS_CMD_INDEX    (1u << 19)
#define STATUS_DATA_TIMEOUT (1u << 20)
#define STATUS_DATA_CRC	    (1u << 21)
#define STATUS_DATA_END	    (1u << 22)
#define STATUS_ERRORS	    0x00ff0000u
#define STATUS_WANTED                                                                              \
	(STATUS_CMD | STATUS_TRANSFER | STATUS_WRITE_READY | STATUS_READ_READY | STATUS_ERRORS)

#define RESET_MS  100 /* each of these the controller does by itself, in far less time */
#define CLOCK_MS  150
#define CMD_MS	  100
#define SLACK_MS  500 /* what the controller has beyond the card's time to report that it ran out */

static u32 get(const struct sdhci *s, unsigned int reg)
{
	return readl(s->regs + reg);
}

static void put(const struct sdhci *s, unsigned int reg, u32 value)
{
	writel(value, s->regs + reg);
}

static int reset_lines(const struct sdhci *s, u32 what)
{
	put(s, SDHCI_CLOCK, get(s, SDHCI_CLOCK) | what);
	return mmc_settle(s->regs + SDHCI_CLOCK, what, 0, RESET_MS, -ENXIO);
}

static int error_of(u32 status)
{
	if (status & (STATUS_CMD_TIMEOUT | STATUS_DATA_TIMEOUT))
		/* Both together: the other side drove the line against the controller. */
		return status & STATUS_CMD_CRC ? -EILSEQ : -ETIMEDOUT;
	if (status & (STATUS_CMD_CRC | STATUS_CMD_END | STATUS_CMD_INDEX | STATUS_DATA_CRC |
		      STATUS_DATA_END))
		return -EILSEQ;
	return -EIO;
}

/* Until the status shows one bit of @wanted, which is taken away, or an error. 0, an error, @late: neither. */
static int wait_status(struct sdhci *s, u32 wanted, u64 deadline, int late)
{
	u32 status = mmc_status_wait(&s->status, wanted | STATUS_ERRORS, deadline);

	if (!status)
		return late;
	if (status & STATUS_ERRORS)
		return error_of(status);
	put(s, SDHCI_STATUS, status & wanted);
	return 0;
}

/* ---- a command ---- */

static u32 command_word(const struct mmc_command *cmd)
{
	u32 word = CMD_OPCODE(cmd->opcode);

	if (cmd->flags & MMC_RSP_LONG)
		word |= CMD_LONG;
	else if (cmd->flags & MMC_RSP_BUSY)
		word |= CMD_SHORT_BUSY;
	else if (cmd->flags & MMC_RSP_PRESENT)
		word |= CMD_SHORT;
	if (cmd->flags & MMC_RSP_CRC)
		word |= CMD_CRC;
	if (cmd->flags & MMC_RSP_OPCODE)
		word |= CMD_INDEX;
	if (cmd->data) {
		word |= CMD_DATA;
		if (!cmd->data->write)
			word |= MODE_READ;
		if (cmd->data->nblocks > 1)
			word |= MODE_MANY | MODE_COUNT;
	}
	return word;
}

/* Of a long response the controller keeps bits 127:8, moved down by a byte. */
static void read_response(const struct sdhci *s, struct mmc_command *cmd)
{
	u32 r[4];

	for (unsigned int i = 0; i < 4; i++)
		r[i] = get(s, SDHCI_RESPONSE + 4 * i);
	if (!(cmd->flags & MMC_RSP_LONG)) {
		cmd->response[0] = r[0];
		return;
	}
	for (unsigned int i = 0; i < 4; i++)
		cmd->response[i] = r[3 - i] << 8 | (i < 3 ? r[2 - i] >> 24 : 0);
}

static void move_block(const struct sdhci *s, struct mmc_data *data)
{
	u8 *p = mmc_data_block(data);

	for (u32 i = 0; i < data->block_size; i += 4, p += 4) {
		u32 word;

		if (data->write) {
			word = p[0] | p[1] << 8 | p[2] << 16 | (u32)p[3] << 24;
			put(s, SDHCI_BUFFER, word);
		} else {
			word = get(s, SDHCI_BUFFER);
			p[0] = (u8)word;
			p[1] = (u8)(word >> 8);
			p[2] = (u8)(word >> 16);
			p[3] = (u8)(word >> 24);
		}
	}
}

/* The controller's own limit is longer than a card may take: the time that runs out here is the card's. */
static int move_data(struct sdhci *s, struct mmc_data *data, u32 timeout_ms)
{
	u32 ready = data->write ? STATUS_WRITE_READY : STATUS_READ_READY;
	u64 time = (timeout_ms + SLACK_MS) * MMC_MS;
	int r;

	for (u32 i = 0; i < data->nblocks; i++) {
		r = wait_status(s, ready, hal_clock_ns() + time, -ETIMEDOUT);
		if (r)
			return r;
		move_block(s, data);
		cond_resched();
	}
	return wait_status(s, STATUS_TRANSFER, hal_clock_ns() + time, -ETIMEDOUT);
}

static int run(struct sdhci *s, struct mmc_command *cmd)
{
	bool lines = cmd->data || (cmd->flags & MMC_RSP_BUSY);
	int r = mmc_settle(s->regs + SDHCI_PRESENT,
			   PRESENT_CMD_INHIBIT | (lines ? PRESENT_DATA_INHIBIT : 0), 0, CMD_MS,
			   -ENXIO);

	if (r)
		return r;
	put(s, SDHCI_STATUS, ~0u);
	if (cmd->data)
		put(s, SDHCI_BLOCK, cmd->data->block_size | cmd->data->nblocks << 16);
	put(s, SDHCI_ARGUMENT, cmd->arg);
	put(s, SDHCI_COMMAND, command_word(cmd));
	r = wait_status(s, STATUS_CMD, hal_clock_ns() + CMD_MS * MMC_MS, -ENXIO);
	if (r)
		return r;
	read_response(s, cmd);
	if (cmd->data)
		return move_data(s, cmd->data, cmd->timeout_ms);
	if (cmd->flags & MMC_RSP_BUSY)
		return wait_status(s, STATUS_TRANSFER,
				   hal_clock_ns() + (cmd->timeout_ms + SLACK_MS) * MMC_MS,
				   -ETIMEDOUT);
	return 0;
}

static int sdhci_request(struct mmc_host *host, struct mmc_command *cmd)
{
	struct sdhci *s = host->priv;
	int r = run(s, cmd), err;

	if (!r || r == -ENXIO)
		return r;
	err = reset_lines(s, RESET_CMD | RESET_DATA);
	return err ? err : r;
}

/* ---- the slot ---- */

static int sdhci_reset(struct mmc_host *host)
{
	struct sdhci *s = host->priv;

	put(s, SDHCI_CLOCK, RESET_ALL);
	if (mmc_settle(s->regs + SDHCI_CLOCK, RESET_ALL, 0, RESET_MS, -ENXIO))
		return -ENXIO;
	s->control = 0;
	put(s, SDHCI_CONTROL, CONTROL_POWER);
	put(s, SDHCI_SIGNAL_ENABLE, 0);
	put(s, SDHCI_STATUS_ENABLE, STATUS_WANTED);
	return 0;
}

/* The register's bits for a divider: the smallest that is enough. */
static u32 divider_bits(const struct sdhci *s, u32 hz)
{
	u32 divider = DIV_ROUND_UP(s->base_hz, hz), n;

	if (divider <= 1)
		return 0;
	if (s->version >= VERSION_3) {
		n = (min(divider, DIVIDER_MAX_3) + 1) / 2;
		return (n & 0xff) << 8 | (n >> 8 & 3) << 6;
	}
	for (n = 2; n < divider && n < DIVIDER_MAX_2; n *= 2)
		;
	return n / 2 << 8;
}

static int sdhci_set_clock(struct mmc_host *host, u32 hz)
{
	struct sdhci *s = host->priv;
	u32 clock = TIMEOUT_LONGEST | divider_bits(s, hz) | CLOCK_INTERNAL;

	put(s, SDHCI_CLOCK, TIMEOUT_LONGEST);
	put(s, SDHCI_CLOCK, clock);
	if (mmc_settle(s->regs + SDHCI_CLOCK, CLOCK_STABLE, CLOCK_STABLE, CLOCK_MS, -ENXIO))
		return -ENXIO;
	put(s, SDHCI_CLOCK, clock | CLOCK_CARD);
	return 0;
}

static void sdhci_set_width(struct mmc_host *host, unsigned int width)
{
	struct sdhci *s = host->priv;

	s->control = width == 8 ? CONTROL_8_BITS : width == 4 ? CONTROL_4_BITS : 0;
	put(s, SDHCI_CONTROL, CONTROL_POWER | s->control);
}

/* The signal is debounced; it may take a second after power up, but not when firmware has run. */
static bool sdhci_card_present(struct mmc_host *host)
{
	struct sdhci *s = host->priv;

	(void)mmc_settle(s->regs + SDHCI_PRESENT, PRESENT_STABLE, PRESENT_STABLE, RESET_MS, -ENXIO);
	return get(s, SDHCI_PRESENT) & PRESENT_CARD;
}

static bool sdhci_write_protected(struct mmc_host *host)
{
	return !(get(host->priv, SDHCI_PRESENT) & PRESENT_WRITABLE);
}

static struct mmc_host_ops *ops_of(bool detect, bool protect)
{
	static struct mmc_host_ops table[2][2];
	struct mmc_host_ops *ops = &table[detect][protect];

	*ops = (struct mmc_host_ops){
		.reset = sdhci_reset,
		.set_clock = sdhci_set_clock,
		.set_width = sdhci_set_width,
		.request = sdhci_request,
		.card_present = detect ? sdhci_card_present : NULL,
		.write_protected = protect ? sdhci_write_protected : NULL,
	};
	return ops;
}

int sdhci_setup(struct sdhci *s)
{
	u32 caps = get(s, SDHCI_CAPABILITIES), mhz;

	if (caps == ~0u && get(s, SDHCI_PRESENT) == ~0u)
		return -ENXIO;
	s->version = get(s, SDHCI_VERSION) >> 16 & 0xff;
	mhz = caps >> 8 & (s->version >= VERSION_3 ? 0xff : 0x3f);
	if (mhz)
		s->base_hz = mhz * 1000000;
	if (!s->base_hz)
		return -EINVAL;
	put(s, SDHCI_SIGNAL_ENABLE, 0);
	s->status.status = s->regs + SDHCI_STATUS;
	s->status.enable = s->regs + SDHCI_SIGNAL_ENABLE;
	s->host.ops = ops_of(!s->no_detect, !s->no_protect);
	s->host.priv = s;
	s->host.max_blocks = 0xffff;
	return 0;
}
