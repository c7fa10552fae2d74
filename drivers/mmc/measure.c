/* SPDX-License-Identifier: MIT */
/*
 * The size of a card that refuses to tell it, by reading: which sector is the last that can be read?
 *
 * Cards of QEMU's SPI bus refuse CMD9 from version 9.1 to 10.1 at least. Thirty-odd reads of one sector find the end of any card.
 */
#include <compiler.h>
#include <drivers/mmc/mmc.h>
#include <err.h>

#define CMD_READ    17
#define READ_MS	    500
#define TRIES	    3
#define BYTE_SECTORS (1ULL << 23) /* what an address in bytes reaches */
#define SECTORS	     (1ULL << 32)

/* 0, or why not. */
static int try_read(struct mmc_host *host, u64 sector)
{
	int r = -EIO;

	for (int i = 0; i < TRIES; i++) {
		struct mmc_data data = { .block_size = MMC_BLOCK,
					 .nblocks = 1,
					 .segment = &host->bounce_segment };
		struct mmc_command cmd = {
			.opcode = CMD_READ,
			.arg = (u32)(host->card.block_address ? sector : sector * MMC_BLOCK),
			.flags = MMC_R1,
			.timeout_ms = READ_MS,
			.data = &data
		};

		r = mmc_run(host, &cmd);
		if (r != -EILSEQ)
			break;
	}
	return r;
}

int mmc_measure(struct mmc_host *host)
{
	/* Sectors below `good` can be read, `bad` cannot. */
	u64 good, bad = host->card.block_address ? SECTORS : BYTE_SECTORS;
	int r = try_read(host, 0);

	if (r)
		return r;
	for (good = 1; good < bad && !try_read(host, good); good *= 2)
		;
	bad = min(bad, good);
	good = bad / 2 + 1;
	while (good < bad && !host->dead) {
		u64 middle = good + (bad - good) / 2;

		if (try_read(host, middle))
			bad = middle;
		else
			good = middle + 1;
	}
	host->card.nsectors = good;
	return host->dead ? -ENXIO : 0;
}
