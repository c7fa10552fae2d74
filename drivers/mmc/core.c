/* SPDX-License-Identifier: MIT */
/*
 * The part of mmc.h between cards and hosts: commands, waiting, and giving a host up.
 */
#include <drivers/mmc/mmc.h>
#include <err.h>
#include <hal/paging.h>
#include <hal/timer.h>
#include <hal/upcall.h>
#include <sleep.h>

#define MS 1000000ULL

#define CMD_STATUS   13
#define READY_MS     2000 /* the longest that a card may be busy with a write is 500 */
#define STATUS_ERROR 0xfdf80008u /* R1: all bits that tell of an error */
#define STATUS_READY (1u << 8)
#define STATE(r1)    ((r1) >> 9 & 15)
#define STATE_TRAN   4

void mmc_sleep_ms(unsigned int ms)
{
	sleep_until_ns(hal_clock_ns() + ms * MS);
}

u8 *mmc_data_block(struct mmc_data *data)
{
	u8 *p;

	while (data->offset >= data->segment->len) {
		data->offset -= data->segment->len;
		data->segment++;
	}
	p = (u8 *)phys_to_virt(data->segment->pa) + data->offset;
	data->offset += data->block_size;
	return p;
}

int mmc_run(struct mmc_host *host, struct mmc_command *cmd)
{
	int r = host->dead ? -ENXIO : host->ops->request(host, cmd);

	if (r == -ENXIO && !host->dead) {
		host->dead = true;
		klog(3, "%s: the controller does not answer, it is given up\n", host->name);
	}
	return r;
}

static int status(struct mmc_host *host, u32 *r1)
{
	struct mmc_command cmd = { .opcode = CMD_STATUS,
				   .arg = host->card.rca,
				   .flags = MMC_R1 | MMC_RSP_SPI2 };
	int r = mmc_run(host, &cmd);

	*r1 = cmd.response[0];
	return r;
}

/*
 * A card on an SPI bus that answers, but refuses to tell: what it said of the data must do. Cards of QEMU's SPI bus
 * refuse CMD13 from version 9.1 to 10.1 at least.
 */
static bool refuses(const struct mmc_host *host, u32 r1)
{
	return host->spi && !(r1 & 0x80) && (r1 & MMC_SPI_R1_ILLEGAL);
}

/* On an SPI bus the host has waited already, and the second byte of the response tells of errors only. */
static bool is_ready(const struct mmc_host *host, u32 r1)
{
	return host->spi || ((r1 & STATUS_READY) && STATE(r1) == STATE_TRAN);
}

int mmc_wait_ready(struct mmc_host *host)
{
	u64 now = hal_clock_ns(), deadline = now + READY_MS * MS, nap = 20000;
	u32 r1, seen = 0;

	for (;;) {
		int r = status(host, &r1);

		if (r == -ETIMEDOUT && refuses(host, r1))
			return 0;
		if (r)
			return r;
		seen |= host->spi ? r1 & 0xff00 : r1 & STATUS_ERROR;
		if (is_ready(host, r1))
			return seen ? -EIO : 0;
		now = hal_clock_ns();
		if (now >= deadline)
			return -ETIMEDOUT;
		sleep_until_ns(now + nap);
		nap = min_t(u64, nap * 2, MS);
	}
}
