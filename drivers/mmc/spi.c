/* SPDX-License-Identifier: MIT */
/*
 * A card on an SPI bus, which is a master's bus: each byte is exchanged for one, and where the card has nothing to say it
 * sends ones.
 *
 *	command   ff 40|n a a a a crc    then ones until R1, whose highest bit is 0
 *	read      ones until fe          then the block and its checksum, for each block; CMD12 ends many
 *	write     fe or fc, block, crc   then one byte that tells how it was taken, and zeroes while the card is busy; fd ends many
 *
 * Checksums are sent and checked throughout. Source: SD Physical Layer 6.00, chapter 7.
 */
#include <compiler.h>
#include <drivers/mmc/spi.h>
#include <err.h>
#include <hal/timer.h>
#include <sleep.h>

#define CMD_STOP	   12
#define TOKEN_BLOCK	   0xfe
#define TOKEN_WRITE_MANY   0xfc
#define TOKEN_STOP	   0xfd
#define DATA_RESPONSE	   0x1f
#define DATA_ACCEPTED	   0x05
#define DATA_CRC_ERROR	   0x0b
#define R1_CRC		   0x08
#define R1_ERROR	   0x70
#define RESPONSE_BYTES	   9  /* before R1, at most */
#define QUICK_TRIES	   32 /* before it is worth while to sleep */
#define NAP_NS		   50000
#define BUSY_MS		   500
#define POWER_UP_BYTES	   10 /* 80 clocks; 74 are asked for */

static int exchange(struct mmc_spi *m, const u8 *tx, u8 *rx, size_t n)
{
	return m->bus->ops->transfer(m->bus, tx, rx, n);
}

/* Wait for ones (the card is ready) or for anything but ones (it has something to say), which goes to *byte. */
static int await(struct mmc_spi *m, bool ones, u32 ms, u8 *byte)
{
	u64 deadline = hal_clock_ns() + ms * 1000000ULL;

	for (unsigned int i = 0;; i++) {
		u64 now;
		int r = exchange(m, NULL, byte, 1);

		if (r || (*byte == 0xff) == ones)
			return r;
		if (i < QUICK_TRIES)
			continue;
		now = hal_clock_ns();
		if (now >= deadline)
			return -ETIMEDOUT;
		sleep_until_ns(now + NAP_NS);
	}
}

static int r1_error(u8 r1)
{
	return r1 & R1_CRC		 ? -EILSEQ
	       : r1 & MMC_SPI_R1_ILLEGAL ? -ETIMEDOUT
	       : r1 & R1_ERROR		 ? -EIO
					 : 0;
}

static int send(struct mmc_spi *m, u32 opcode, u32 arg)
{
	u8 tx[7] = { 0xff,   (u8)(0x40 | opcode), (u8)(arg >> 24), (u8)(arg >> 16), (u8)(arg >> 8),
		     (u8)arg };

	tx[6] = mmc_crc7(tx + 1, 5);
	return exchange(m, tx, NULL, sizeof(tx));
}

/* The byte after CMD12 is the rest of the block that it interrupts. */
static int command(struct mmc_spi *m, u32 opcode, u32 arg, u8 *r1)
{
	int r = send(m, opcode, arg);

	if (!r && opcode == CMD_STOP)
		r = exchange(m, NULL, r1, 1);
	for (int i = 0; !r && i < RESPONSE_BYTES; i++) {
		r = exchange(m, NULL, r1, 1);
		if (!r && !(*r1 & 0x80))
			return r1_error(*r1);
	}
	return r ? r : -ETIMEDOUT;
}

static int more_response(struct mmc_spi *m, struct mmc_command *cmd)
{
	u8 b[4];
	int r;

	if (cmd->flags & MMC_RSP_SPI2) {
		r = exchange(m, NULL, b, 1);
		cmd->response[0] |= (u32)b[0] << 8;
		return r;
	}
	r = exchange(m, NULL, b, 4);
	cmd->response[1] = (u32)b[0] << 24 | (u32)b[1] << 16 | (u32)b[2] << 8 | b[3];
	return r;
}

static int read_block(struct mmc_spi *m, struct mmc_data *data, u32 ms)
{
	u8 *block = mmc_data_block(data), crc[2], token;
	int r = await(m, false, ms, &token);

	if (r)
		return r;
	if (token != TOKEN_BLOCK)
		return -EIO;
	r = exchange(m, NULL, block, data->block_size);
	if (!r)
		r = exchange(m, NULL, crc, 2);
	if (r)
		return r;
	return mmc_crc16(block, data->block_size) == (crc[0] << 8 | crc[1]) ? 0 : -EILSEQ;
}

static int write_block(struct mmc_spi *m, struct mmc_data *data, u32 ms)
{
	const u8 *block = mmc_data_block(data);
	u16 sum = mmc_crc16(block, data->block_size);
	u8 crc[2] = { (u8)(sum >> 8), (u8)sum }, answer;
	u8 start[2] = { 0xff, data->nblocks > 1 ? TOKEN_WRITE_MANY : TOKEN_BLOCK };
	int r = exchange(m, start, NULL, sizeof(start)), err;

	if (!r)
		r = exchange(m, block, NULL, data->block_size);
	if (!r)
		r = exchange(m, crc, NULL, 2);
	if (!r)
		r = await(m, false, ms, &answer);
	if (r)
		return r;
	answer &= DATA_RESPONSE;
	r = answer == DATA_ACCEPTED ? 0 : answer == DATA_CRC_ERROR ? -EILSEQ : -EIO;
	err = await(m, true, ms, &answer);
	return r ? r : err;
}

static int stop(struct mmc_spi *m, const struct mmc_data *data, int error, u32 ms)
{
	static const u8 token[2] = { TOKEN_STOP, 0xff };
	u8 byte;
	int r;

	if (data->write && !error)
		r = exchange(m, token, NULL, sizeof(token));
	else
		r = command(m, CMD_STOP, 0, &byte);
	return r ? r : await(m, true, ms, &byte);
}

static int move_data(struct mmc_spi *m, struct mmc_data *data, u32 ms)
{
	int r = 0, err;

	for (u32 i = 0; !r && i < data->nblocks; i++) {
		r = data->write ? write_block(m, data, ms) : read_block(m, data, ms);
		cond_resched();
	}
	if (data->nblocks > 1 && r != -ENXIO) {
		err = stop(m, data, r, ms);
		r = r ? r : err;
	}
	return r;
}

static int request(struct mmc_spi *m, struct mmc_command *cmd)
{
	u32 ms = max_t(u32, cmd->timeout_ms, BUSY_MS);
	u8 r1 = 0xff, byte;
	int r = command(m, cmd->opcode, cmd->arg, &r1);

	cmd->response[0] = r1;
	if (!r && (cmd->flags & (MMC_RSP_SPI2 | MMC_RSP_SPI5)))
		r = more_response(m, cmd);
	if (!r && cmd->data)
		r = move_data(m, cmd->data, ms);
	if (!r && (cmd->flags & MMC_RSP_BUSY))
		r = await(m, true, ms, &byte);
	return r;
}

static int mmc_spi_request(struct mmc_host *host, struct mmc_command *cmd)
{
	struct mmc_spi *m = host->priv;
	int r, err;

	m->bus->ops->select(m->bus, true);
	r = request(m, cmd);
	m->bus->ops->select(m->bus, false);
	err = m->bus->ops->idle(m->bus, 1); /* the card lets go of its line */
	return err ? err : r;
}

static int mmc_spi_reset(struct mmc_host *host)
{
	struct mmc_spi *m = host->priv;

	m->bus->ops->select(m->bus, false);
	return 0;
}

/* Then the clocks that a card wants to see after power up. */
static int mmc_spi_set_clock(struct mmc_host *host, u32 hz)
{
	struct mmc_spi *m = host->priv;

	m->bus->ops->set_clock(m->bus, hz);
	return m->bus->ops->idle(m->bus, POWER_UP_BYTES);
}

void mmc_spi_setup(struct mmc_spi *m)
{
	static const struct mmc_host_ops ops = { .reset = mmc_spi_reset,
						 .set_clock = mmc_spi_set_clock,
						 .request = mmc_spi_request };

	m->host.ops = &ops;
	m->host.priv = m;
	m->host.spi = true;
	m->host.max_width = 1;
	m->host.max_blocks = 0xffff;
}
