/* SPDX-License-Identifier: MIT */
/*
 * Synopsys DesignWare Mobile Storage host (DW-MMC, MSHC), without its DMA: the CPU moves words through the FIFO.
 *
 * Waiting is wait.c's: the raw interrupt status shows what happened, whatever is masked. A change of the clock is a command of its own, which
 * the controller takes without sending anything.
 * Locking: the host's, and wait.c's.
 * Source: the register descriptions in the manuals of SoCs that have it (JH7110 TRM, Rockchip RK3399 TRM, Altera Cyclone V HPS TRM).
 */
#include <compiler.h>
#include <drivers/mmc/dw.h>
#include <err.h>
#include <hal/cpu.h>
#include <hal/io.h>
#include <hal/timer.h>
#include <lib/string.h>

#define DW_CTRL	   0x00
#define DW_PWREN   0x04
#define DW_CLKDIV  0x08
#define DW_CLKSRC  0x0c
#define DW_CLKENA  0x10
#define DW_TMOUT   0x14
#define DW_CTYPE   0x18
#define DW_BLKSIZ  0x1c
#define DW_BYTCNT  0x20
#define DW_INTMASK 0x24
#define DW_CMDARG  0x28
#define DW_CMD	   0x2c
#define DW_RESP0   0x30 /* bits 31:0 of a long response; 0x3c: 127:96 */
#define DW_RINTSTS 0x44
#define DW_STATUS  0x48
#define DW_FIFOTH  0x4c
#define DW_CDETECT 0x50
#define DW_WRTPRT  0x54
#define DW_VERID   0x6c
#define DW_HCON	   0x70

#define DATA_OLD    0x100
#define DATA_NEW    0x200
#define VERSION_NEW 0x240a

#define CTRL_RESET	(1u << 0)
#define CTRL_FIFO_RESET (1u << 1)
#define CTRL_DMA_RESET	(1u << 2)
#define CTRL_INTERRUPTS (1u << 4)

#define CMD_RESPONSE   (1u << 6)
#define CMD_LONG       (1u << 7)
#define CMD_CRC	       (1u << 8)
#define CMD_DATA       (1u << 9)
#define CMD_WRITE      (1u << 10)
#define CMD_WAIT_DATA  (1u << 13) /* until the data before are through */
#define CMD_STOP_ABORT (1u << 14)
#define CMD_INIT       (1u << 15) /* 80 clocks first */
#define CMD_CLOCK_ONLY (1u << 21)
#define CMD_HOLD       (1u << 29)
#define CMD_START      (1u << 31)

#define INT_RESPONSE	 (1u << 1)
#define INT_CMD_DONE	 (1u << 2)
#define INT_DATA_OVER	 (1u << 3)
#define INT_WRITE_SPACE	 (1u << 4)
#define INT_READ_DATA	 (1u << 5)
#define INT_RESPONSE_CRC (1u << 6)
#define INT_DATA_CRC	 (1u << 7)
#define INT_RESPONSE_TMO (1u << 8)
#define INT_DATA_TMO	 (1u << 9)
#define INT_FIFO	 (1u << 11)
#define INT_LOCKED	 (1u << 12)
#define INT_START_BIT	 (1u << 13)
#define INT_END_BIT	 (1u << 15)
#define CMD_ERRORS	 (INT_RESPONSE | INT_RESPONSE_CRC | INT_RESPONSE_TMO | INT_LOCKED)
#define DATA_ERRORS	 (INT_DATA_CRC | INT_DATA_TMO | INT_FIFO | INT_START_BIT | INT_END_BIT)

#define STATUS_BUSY	 (1u << 9)
#define STATUS_WORDS(st) ((st) >> 17 & 0x1fff)

#define CTYPE_4	    1u
#define CTYPE_8	    (1u << 16)
#define MAX_DIVIDER 255u /* of twice the value */
#define MAX_FIFO    4096u

#define CMD_GO_IDLE 0
#define CMD_STOP    12
#define CMD_ASK	    13

#define RESET_MS 100
#define CMD_MS	 100
#define SLACK_MS 500

static u32 get(const struct dw_mmc *d, unsigned int reg)
{
	return readl(d->regs + reg);
}

static void put(const struct dw_mmc *d, unsigned int reg, u32 value)
{
	writel(value, d->regs + reg);
}

static int reset_parts(const struct dw_mmc *d, u32 what)
{
	put(d, DW_CTRL, get(d, DW_CTRL) | what);
	return mmc_settle(d->regs + DW_CTRL, what, 0, RESET_MS, -ENXIO);
}

static int error_of(u32 status)
{
	if (status & (INT_RESPONSE_TMO | INT_DATA_TMO))
		return -ETIMEDOUT;
	return status & (INT_LOCKED | INT_FIFO) ? -EIO : -EILSEQ;
}

/* Until the status has a bit of @wanted, or an error of @errors. 0, an error, @late: neither. Nothing is taken away. */
static int wait_status(struct dw_mmc *d, u32 wanted, u32 errors, u64 deadline, int late)
{
	u32 status = mmc_status_wait(&d->status, wanted | errors, deadline);

	if (!status)
		return late;
	return status & errors ? error_of(status & errors) : 0;
}

/* ---- a command ---- */

static u32 command_word(const struct mmc_command *cmd)
{
	u32 word = CMD_START | CMD_HOLD | cmd->opcode;

	if (cmd->flags & MMC_RSP_PRESENT)
		word |= CMD_RESPONSE;
	if (cmd->flags & MMC_RSP_LONG)
		word |= CMD_LONG;
	if (cmd->flags & MMC_RSP_CRC)
		word |= CMD_CRC;
	if (cmd->data)
		word |= CMD_DATA | (cmd->data->write ? CMD_WRITE : 0);
	if (cmd->opcode == CMD_STOP)
		word |= CMD_STOP_ABORT;
	else if (cmd->opcode != CMD_ASK)
		word |= CMD_WAIT_DATA;
	if (cmd->opcode == CMD_GO_IDLE)
		word |= CMD_INIT;
	return word;
}

static int issue(struct dw_mmc *d, struct mmc_command *cmd)
{
	int r;

	put(d, DW_RINTSTS, ~0u);
	if (cmd->data) {
		r = reset_parts(d, CTRL_FIFO_RESET);
		if (r)
			return r;
		put(d, DW_BLKSIZ, cmd->data->block_size);
		put(d, DW_BYTCNT, cmd->data->block_size * cmd->data->nblocks);
	}
	put(d, DW_CMDARG, cmd->arg);
	put(d, DW_CMD, command_word(cmd));
	r = wait_status(d, INT_CMD_DONE, CMD_ERRORS,
			hal_clock_ns() + (cmd->timeout_ms + CMD_MS) * MMC_MS, -ENXIO);
	for (unsigned int i = 0; i < 4; i++)
		cmd->response[i] = get(d, DW_RESP0 + 4 * (cmd->flags & MMC_RSP_LONG ? 3 - i : i));
	return r;
}

/* ---- data ---- */

static void move_word(const struct dw_mmc *d, bool write, u8 *p)
{
	size_t n = d->wide ? 8 : 4;
	u64 word = 0;

	if (write) {
		memcpy(&word, p, n);
		if (d->wide)
			writeq(word, d->regs + d->data_reg);
		else
			writel((u32)word, d->regs + d->data_reg);
	} else {
		word = d->wide ? readq(d->regs + d->data_reg) : readl(d->regs + d->data_reg);
		memcpy(p, &word, n);
	}
}

/* Words that can be moved now. 0 with *r: none, because of an error. */
static u32 wait_fifo(struct dw_mmc *d, bool write, u64 deadline, int *r)
{
	u32 wanted = write ? INT_WRITE_SPACE : INT_READ_DATA | INT_DATA_OVER;

	for (;;) {
		u32 words = STATUS_WORDS(get(d, DW_STATUS)), n;
		u32 errors = get(d, DW_RINTSTS) & DATA_ERRORS;

		n = write ? d->fifo_depth - min(words, d->fifo_depth) : words;
		*r = errors ? error_of(errors) : 0;
		if (*r || n)
			return *r ? 0 : n;
		/* The status says when there was something, not that there is: it is looked for anew. */
		put(d, DW_RINTSTS, wanted & ~INT_DATA_OVER);
		if (STATUS_WORDS(get(d, DW_STATUS)) != words)
			continue;
		*r = wait_status(d, wanted, DATA_ERRORS, deadline, -ETIMEDOUT);
		if (!*r && (get(d, DW_RINTSTS) & INT_DATA_OVER) && !STATUS_WORDS(get(d, DW_STATUS)))
			*r = -EIO; /* over, and too little came */
		if (*r)
			return 0;
	}
}

static int move_block(struct dw_mmc *d, struct mmc_data *data, u32 timeout_ms)
{
	u64 deadline = hal_clock_ns() + (timeout_ms + SLACK_MS) * MMC_MS;
	u32 size = d->wide ? 8 : 4, left = data->block_size / size;
	u8 *p = mmc_data_block(data);
	int r = 0;

	while (left) {
		u32 n = min(left, wait_fifo(d, data->write, deadline, &r));

		if (!n)
			return r;
		left -= n;
		for (; n; n--, p += size)
			move_word(d, data->write, p);
	}
	return 0;
}

static int move_data(struct dw_mmc *d, struct mmc_data *data, u32 timeout_ms)
{
	int r = 0;

	for (u32 i = 0; !r && i < data->nblocks; i++) {
		r = move_block(d, data, timeout_ms);
		cond_resched();
	}
	return r ? r
		 : wait_status(d, INT_DATA_OVER, DATA_ERRORS,
			       hal_clock_ns() + (timeout_ms + SLACK_MS) * MMC_MS, -ETIMEDOUT);
}

static int dw_request(struct mmc_host *host, struct mmc_command *cmd)
{
	struct dw_mmc *d = host->priv;
	int r = issue(d, cmd), err;

	if (!r && cmd->data)
		r = move_data(d, cmd->data, cmd->timeout_ms);
	if (!r && ((cmd->flags & MMC_RSP_BUSY) || (cmd->data && cmd->data->write)))
		r = mmc_settle(d->regs + DW_STATUS, STATUS_BUSY, 0, cmd->timeout_ms, -ETIMEDOUT);
	if (!r || r == -ENXIO)
		return r;
	err = reset_parts(d, CTRL_RESET | CTRL_FIFO_RESET);
	put(d, DW_RINTSTS, ~0u);
	return err ? err : r;
}

/* ---- the slot ---- */

static int dw_reset(struct mmc_host *host)
{
	struct dw_mmc *d = host->priv;

	put(d, DW_PWREN, 1);
	if (reset_parts(d, CTRL_RESET | CTRL_FIFO_RESET | CTRL_DMA_RESET))
		return -ENXIO;
	put(d, DW_INTMASK, 0);
	put(d, DW_RINTSTS, ~0u);
	put(d, DW_CTRL, CTRL_INTERRUPTS);
	put(d, DW_TMOUT, ~0u);
	put(d, DW_CTYPE, 0);
	put(d, DW_CLKENA, 0);
	put(d, DW_CLKSRC, 0);
	put(d, DW_FIFOTH, (d->fifo_depth / 2 - 1) << 16 | d->fifo_depth / 2);
	return 0;
}

static int update_clock(struct dw_mmc *d)
{
	put(d, DW_CMD, CMD_START | CMD_CLOCK_ONLY | CMD_WAIT_DATA);
	return mmc_settle(d->regs + DW_CMD, CMD_START, 0, CMD_MS, -ENXIO);
}

static int dw_set_clock(struct mmc_host *host, u32 hz)
{
	struct dw_mmc *d = host->priv;
	u32 divider = hz >= d->base_hz ? 0 : DIV_ROUND_UP(d->base_hz, 2 * hz);
	int r;

	put(d, DW_CLKENA, 0);
	r = update_clock(d);
	put(d, DW_CLKDIV, min(divider, MAX_DIVIDER));
	if (!r)
		r = update_clock(d);
	put(d, DW_CLKENA, 1);
	return r ? r : update_clock(d);
}

static void dw_set_width(struct mmc_host *host, unsigned int width)
{
	put(host->priv, DW_CTYPE, width == 8 ? CTYPE_8 : width == 4 ? CTYPE_4 : 0);
}

static bool dw_card_present(struct mmc_host *host)
{
	return !(get(host->priv, DW_CDETECT) & 1);
}

static bool dw_write_protected(struct mmc_host *host)
{
	return get(host->priv, DW_WRTPRT) & 1;
}

static const struct mmc_host_ops *ops_of(bool detect, bool protect)
{
	static struct mmc_host_ops table[2][2];
	struct mmc_host_ops *ops = &table[detect][protect];

	*ops = (struct mmc_host_ops){
		.reset = dw_reset,
		.set_clock = dw_set_clock,
		.set_width = dw_set_width,
		.request = dw_request,
		.card_present = detect ? dw_card_present : NULL,
		.write_protected = protect ? dw_write_protected : NULL,
	};
	return ops;
}

int dw_mmc_setup(struct dw_mmc *d)
{
	u32 width = get(d, DW_HCON) >> 7 & 7;

	if ((width != 1 && width != 2) || !d->base_hz)
		return -EINVAL;
	d->wide = width == 2;
	d->data_reg = (get(d, DW_VERID) & 0xffff) < VERSION_NEW ? DATA_OLD : DATA_NEW;
	if (!d->fifo_depth)
		d->fifo_depth = (get(d, DW_FIFOTH) >> 16 & 0xfff) + 1;
	if (d->fifo_depth < 2 || d->fifo_depth > MAX_FIFO)
		return -EINVAL;
	put(d, DW_INTMASK, 0);
	d->status.status = d->regs + DW_RINTSTS;
	d->status.enable = d->regs + DW_INTMASK;
	d->host.ops = ops_of(!d->no_detect, !d->no_protect);
	d->host.priv = d;
	d->host.max_blocks = 0xffff;
	return 0;
}
