/* SPDX-License-Identifier: MIT */
/*
 * A card as a disk: /dev/mmcblkN, with the host's number.
 *
 * A request is served in the task that makes it: the host sleeps while the card works. What fails is tried again, then
 * reported; a request is written when the card says that it is done with it, so that a flush has nothing to do.
 * Locking: host->lock (mutex).
 */
#include <compiler.h>
#include <drivers/mmc/mmc.h>
#include <err.h>
#include <hal/paging.h>
#include <hal/upcall.h>
#include <lib/printf.h>
#include <mm/slab.h>
#include <sleep.h>

#define CMD_STOP	  12
#define CMD_READ	  17
#define CMD_READ_MANY	  18
#define CMD_WRITE	  24
#define CMD_WRITE_MANY	  25
#define R1_OUT_OF_RANGE	  (1u << 31)
#define R1_TRANSFER_ERROR 0x7df80008u

#define TRIES	   3
#define DATA_MS	   500 /* SDXC may take as long for a write */
#define MAX_LINES  10
#define MAJOR	   179 /* Linux's, with 8 numbers for each card */
#define MINORS	   8

/* More than one block goes on until the card is told to stop. On an SPI bus the host does that. */
static int stop(struct mmc_host *host, bool write)
{
	struct mmc_command cmd = { .opcode = CMD_STOP,
				   .flags = write ? MMC_R1B : MMC_R1,
				   .timeout_ms = DATA_MS };

	return mmc_run(host, &cmd);
}

static int transfer_once(struct mmc_host *host, u64 sector, struct mmc_data *data)
{
	bool many = data->nblocks > 1;
	struct mmc_command cmd = {
		.opcode = data->write ? (many ? CMD_WRITE_MANY : CMD_WRITE)
				      : (many ? CMD_READ_MANY : CMD_READ),
		.arg = (u32)(host->card.block_address ? sector : sector * MMC_BLOCK),
		.flags = MMC_R1,
		.timeout_ms = DATA_MS,
		.data = data,
	};
	int r = mmc_run(host, &cmd), err;

	if (r == -ENXIO)
		return r;
	if (!r && !host->spi && (cmd.response[0] & (R1_TRANSFER_ERROR | R1_OUT_OF_RANGE)))
		r = -EIO;
	if (many && !host->spi) {
		err = stop(host, data->write);
		r = r ? r : err;
	}
	if (r || data->write) {
		err = mmc_wait_ready(host);
		r = r ? r : err;
	}
	return r;
}

static bool card_gone(struct mmc_host *host)
{
	return host->ops->card_present && !host->ops->card_present(host);
}

static void report(struct mmc_host *host, u64 sector, bool write, int error)
{
	if (host->dead || host->errors >= MAX_LINES)
		return;
	if (card_gone(host)) {
		host->dead = true;
		klog(3, "%s: the card is gone\n", host->name);
		return;
	}
	klog(3, "%s: %s at sector %llu fails: %pe%s\n", host->disk.name,
	     write ? "writing" : "reading", sector, ERR_PTR(error),
	     ++host->errors == MAX_LINES ? "; no more is reported" : "");
}

static int transfer(struct mmc_host *host, u64 sector, const struct mmc_data *data)
{
	int r = 0;

	for (int i = 0; i < TRIES && !host->dead; i++) {
		struct mmc_data copy = *data;

		r = transfer_once(host, sector, &copy);
		if (!r)
			return 0;
	}
	report(host, sector, data->write, r);
	return -EIO;
}

/* A position @nblocks further. */
static void data_skip(struct mmc_data *data, u32 nblocks)
{
	u64 offset = data->offset + (u64)nblocks * MMC_BLOCK;

	while (offset && offset >= data->segment->len) {
		offset -= data->segment->len;
		data->segment++;
	}
	data->offset = (u32)offset;
}

static int serve(struct mmc_host *host, struct disk_request *rq)
{
	struct mmc_data data = { .write = rq->op == DISK_WRITE,
				 .block_size = MMC_BLOCK,
				 .segment = rq->segment };
	u64 sector = rq->sector;
	u32 left = rq->nsectors;

	if (rq->op == DISK_FLUSH)
		return 0;
	if (host->dead || sector > host->disk.nsectors || left > host->disk.nsectors - sector ||
	    (data.write && host->card.read_only))
		return -EIO;
	while (left) {
		int r;

		data.nblocks = min(left, host->max_blocks);
		r = transfer(host, sector, &data);
		if (r)
			return r;
		left -= data.nblocks;
		sector += data.nblocks;
		if (left)
			data_skip(&data, data.nblocks);
		cond_resched();
	}
	return 0;
}

static void mmc_submit(struct disk *disk, struct disk_request *rq)
{
	struct mmc_host *host = disk->priv;
	int r;

	mutex_lock(&host->lock);
	r = serve(host, rq);
	mutex_unlock(&host->lock);
	disk_request_done(rq, r);
}

static int mmc_start(struct disk *disk)
{
	static u32
		count; /* Linux gives a card its numbers when it is found, whatever its name is */
	struct mmc_host *host = disk->priv;
	int r;

	mutex_lock(&host->lock);
	r = mmc_identify(host);
	mutex_unlock(&host->lock);
	if (r)
		return r;
	disk->nsectors = host->card.nsectors;
	disk->read_only = host->card.read_only;
	disk->index = count++;
	return 0;
}

static const struct disk_ops mmc_disk_ops = { .start = mmc_start, .submit = mmc_submit };

int mmc_host_register(struct mmc_host *host)
{
	static int next;

	host->bounce = kzalloc(MMC_BLOCK, GFP_KERNEL);
	if (!host->bounce)
		return -ENOMEM;
	host->bounce_segment = (struct disk_segment){ virt_to_phys(host->bounce), MMC_BLOCK };
	mutex_init(&host->lock);
	if (host->index < 0)
		host->index = next;
	next = max(next, host->index + 1);
	scnprintf(host->name, sizeof(host->name), "mmc%d", host->index);
	host->disk = (struct disk){
		.ops = &mmc_disk_ops,
		.priv = host,
		.driver = "mmc",
		.block_size = SECTOR_SIZE,
		.number_after_p = true,
		.major = MAJOR,
		.minors = MINORS,
	};
	scnprintf(host->disk.name, sizeof(host->disk.name), "mmcblk%d", host->index);
	disk_register(&host->disk);
	return 0;
}
