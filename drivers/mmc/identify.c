/* SPDX-License-Identifier: MIT */
/*
 * Which card is it: SDSC, SDHC, SDXC, or MMC; on an SD bus or on an SPI bus.
 *
 * A slot without a card, or with one that has no memory (SDIO), stays silent, and the host's commands time out. A card that answers
 * but never gets ready, or whose registers make no sense, is told of in one line.
 * Source: SD Physical Layer 6.00, 4.2 and 7.2; JESD84-B51, 6.4.
 */
#include <compiler.h>
#include <drivers/mmc/mmc.h>
#include <err.h>
#include <hal/paging.h>
#include <hal/timer.h>
#include <hal/upcall.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <sleep.h>

#define IDENTIFY_HZ 400000
#define DEFAULT_HZ  25000000
#define READY_MS    1000 /* the standard's limit for ACMD41 and CMD1 */
#define TRIES	    3
#define DATA_MS	    500

#define CMD_GO_IDLE	   0
#define CMD_MMC_OP_COND	   1
#define CMD_ALL_CID	   2
#define CMD_RELATIVE_ADDR  3
#define CMD_MMC_SWITCH	   6
#define CMD_SELECT	   7
#define CMD_IF_COND	   8
#define CMD_MMC_EXT_CSD	   8
#define CMD_CSD		   9
#define CMD_CID		   10
#define CMD_BLOCK_LENGTH   16
#define CMD_APP		   55
#define CMD_SPI_OCR	   58
#define CMD_SPI_CRC	   59
#define ACMD_BUS_WIDTH	   6
#define ACMD_OP_COND	   41
#define ACMD_SCR	   51

#define IF_COND_3V3	 0x1aa
#define OCR_VOLTAGES	 0x00ff8000u
#define OCR_HIGH_CAPACITY (1u << 30)
#define OCR_READY	 (1u << 31)
#define MMC_OCR_ASK	 0x40ff8080u
#define R1_IDLE		 1u

#define EXT_CSD_BUS_WIDTH 183
#define EXT_CSD_SECTORS	  212
#define SWITCH_WRITE_BYTE 3u

static void explain(const struct mmc_host *host, int error, const char *what)
{
	if (error != -ENXIO) /* of which the line has been printed */
		klog(3, "%s: the card cannot be used: %s: %pe\n", host->name, what, ERR_PTR(error));
}

/* A command without data; the first word of its response. Checksum errors are tried again. */
static int simple(struct mmc_host *host, u32 opcode, u32 arg, unsigned int flags, u32 *response)
{
	struct mmc_command cmd;
	int r = 0;

	for (int i = 0; i < TRIES; i++) {
		cmd = (struct mmc_command){
			.opcode = opcode, .arg = arg, .flags = flags, .timeout_ms = DATA_MS
		};
		r = mmc_run(host, &cmd);
		if (r != -EILSEQ)
			break;
	}
	if (response)
		memcpy(response, cmd.response, flags & MMC_RSP_LONG ? 16 : 8);
	return r;
}

static int app(struct mmc_host *host, u32 opcode, u32 arg, unsigned int flags, u32 *response)
{
	int r = simple(host, CMD_APP, host->card.rca, MMC_R1, NULL);

	return r ? r : simple(host, opcode, arg, flags, response);
}

/* A register of @n bytes that comes as data, into host->bounce. */
static int read_data(struct mmc_host *host, u32 opcode, u32 n)
{
	int r = 0;

	for (int i = 0; i < TRIES; i++) {
		struct mmc_data data = { .block_size = n,
					 .nblocks = 1,
					 .segment = &host->bounce_segment };
		struct mmc_command cmd = {
			.opcode = opcode, .flags = MMC_R1, .timeout_ms = DATA_MS, .data = &data
		};

		r = mmc_run(host, &cmd);
		if (r != -EILSEQ)
			break;
	}
	return r;
}

static u32 be32(const u8 *p)
{
	return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

/* ---- waking the card up ---- */

static int go_idle(struct mmc_host *host)
{
	u32 r1[2] = { 0 };
	int r;

	/* A card that is in the middle of something else takes a few attempts on an SPI bus. */
	for (int i = 0; i < 8; i++) {
		r = simple(host, CMD_GO_IDLE, 0, host->spi ? MMC_R1 : MMC_RSP_NONE, r1);
		mmc_sleep_ms(1);
		if (r == -ENXIO || !host->spi)
			return r;
		if (!r && r1[0] == R1_IDLE)
			return 0;
	}
	return -ETIMEDOUT;
}

/* Tell a card of version 2 that this host is of version 2. @v2: it is one. 0, or -Exxx: it cannot live with the voltage. */
static int if_cond(struct mmc_host *host, bool *v2)
{
	u32 resp[2];
	int r = simple(host, CMD_IF_COND, IF_COND_3V3, MMC_R7, resp);

	*v2 = !r;
	if (r == -ETIMEDOUT)
		return 0;
	if (!r && (resp[host->spi ? 1 : 0] & 0xfff) != IF_COND_3V3)
		r = -EIO;
	return r;
}

/* One question whether it is ready: 1, 0 not yet, -Exxx. */
static int ask_ready(struct mmc_host *host, bool sd, u32 arg, u32 *ocr)
{
	u32 resp[2];
	unsigned int flags = host->spi ? MMC_R1 : MMC_R3;
	int r = sd ? app(host, ACMD_OP_COND, arg, flags, resp)
		   : simple(host, CMD_MMC_OP_COND, arg, flags, resp);

	if (r)
		return r;
	if (host->spi)
		return !(resp[0] & R1_IDLE);
	*ocr = resp[0];
	return (resp[0] & OCR_READY) != 0;
}

static int wait_awake(struct mmc_host *host, bool sd, u32 arg, u32 *ocr)
{
	u64 deadline = hal_clock_ns() + READY_MS * 1000000ULL;

	for (;;) {
		int r = ask_ready(host, sd, arg, ocr);

		if (r)
			return min(r, 0);
		if (hal_clock_ns() >= deadline)
			return -EBUSY;
		mmc_sleep_ms(5);
	}
}

/* The card leaves the idle state, and says what it is. -ETIMEDOUT: nobody is there. */
static int wake_up(struct mmc_host *host)
{
	struct mmc_card *card = &host->card;
	u32 ocr = 0, high = host->spi ? 0 : OCR_VOLTAGES;
	bool v2;
	int r = go_idle(host);

	if (!r)
		r = if_cond(host, &v2);
	if (!r && host->spi)
		r = simple(host, CMD_SPI_CRC, 1, MMC_R1, NULL);
	if (r)
		return r;
	card->sd = true;
	r = wait_awake(host, true, high | (v2 ? OCR_HIGH_CAPACITY : 0), &ocr);
	if (r == -ETIMEDOUT && !v2) {
		card->sd = false;
		r = go_idle(host);
		if (!r)
			r = wait_awake(host, false, host->spi ? 0 : MMC_OCR_ASK, &ocr);
	}
	if (!r && host->spi) {
		u32 resp[2];

		r = simple(host, CMD_SPI_OCR, 0, MMC_R1 | MMC_RSP_SPI5, resp);
		ocr = resp[1];
	}
	card->block_address = ocr & OCR_HIGH_CAPACITY;
	return r;
}

/* ---- addresses and registers ---- */

static int spi_register(struct mmc_host *host, u32 opcode, u32 reg[4])
{
	int r = read_data(host, opcode, 16);

	for (int i = 0; i < 4; i++)
		reg[i] = be32(host->bounce + 4 * i);
	return r;
}

/* A card that refuses is told of, measured, and taken to run at the speed that all can. */
static int spi_registers(struct mmc_host *host)
{
	struct mmc_card *card = &host->card;
	int r = spi_register(host, CMD_CSD, card->csd);

	if (r == -ETIMEDOUT) {
		klog(4, "%s: the card does not tell its size, it is found by reading\n",
		     host->name);
		card->max_hz = DEFAULT_HZ;
		(void)mmc_wait_ready(
			host); /* the status that follows may tell of the refusal again */
		return mmc_measure(host);
	}
	if (!r)
		r = spi_register(host, CMD_CID, card->cid);
	return r ? r : mmc_read_registers(card);
}

/* The bus's way: the card gets an address, by which it is selected. */
static int native_registers(struct mmc_host *host)
{
	struct mmc_card *card = &host->card;
	u32 resp[2], mmc_rca = 1u << 16;
	int r = simple(host, CMD_ALL_CID, 0, MMC_R2, card->cid);

	if (!r)
		r = simple(host, CMD_RELATIVE_ADDR, card->sd ? 0 : mmc_rca, MMC_R6, resp);
	if (r)
		return r;
	card->rca = card->sd ? resp[0] & 0xffff0000 : mmc_rca;
	r = simple(host, CMD_CSD, card->rca, MMC_R2, card->csd);
	if (!r)
		r = simple(host, CMD_SELECT, card->rca, MMC_R1B, NULL);
	return r ? r : mmc_read_registers(card);
}

/* ---- what else it can do ---- */

static int sd_features(struct mmc_host *host)
{
	int r = simple(host, CMD_APP, host->card.rca, MMC_R1, NULL);

	if (!r)
		r = read_data(host, ACMD_SCR, 8);
	if (!r && (host->bounce[1] & 4))
		host->card.width = 4;
	return r;
}

static int mmc_features(struct mmc_host *host)
{
	struct mmc_card *card = &host->card;
	const u8 *p = host->bounce + EXT_CSD_SECTORS;
	int r;

	if (mmc_bits(card->csd, 122, 4) <
	    4) /* before version 4 there is one data line, and no more to read */
		return 0;
	card->width = 8;
	r = read_data(host, CMD_MMC_EXT_CSD, MMC_BLOCK);
	if (!r && card->block_address)
		card->nsectors = p[0] | p[1] << 8 | p[2] << 16 | (u64)p[3] << 24;
	return r;
}

static int use_width(struct mmc_host *host)
{
	unsigned int width = min(host->card.width, host->max_width);
	int r;

	if (width == 1 || !host->ops->set_width)
		return 0;
	if (host->card.sd)
		r = app(host, ACMD_BUS_WIDTH, 2, MMC_R1, NULL);
	else
		r = simple(host, CMD_MMC_SWITCH,
			   SWITCH_WRITE_BYTE << 24 | EXT_CSD_BUS_WIDTH << 16 |
				   (width == 8 ? 2u : 1u) << 8,
			   MMC_R1B, NULL);
	if (!r)
		host->ops->set_width(host, width);
	return r;
}

static int set_up(struct mmc_host *host)
{
	struct mmc_card *card = &host->card;
	u32 hz;
	int r = 0;

	if (!host->spi)
		r = card->sd ? sd_features(host) : mmc_features(host);
	if (!r && !host->spi)
		r = use_width(host);
	if (!r && !card->block_address)
		r = simple(host, CMD_BLOCK_LENGTH, MMC_BLOCK, MMC_R1, NULL);
	hz = host->max_hz ? min(host->max_hz, card->max_hz) : card->max_hz;
	return r ? r : host->ops->set_clock(host, hz);
}

/* Names by capacity, as the cards bear them. */
static void announce(const struct mmc_host *host)
{
	const struct mmc_card *card = &host->card;
	const char *kind = !card->sd			? "MMC"
			   : !card->block_address	? "SD"
			   : card->nsectors <= 1u << 26 ? "SDHC"
							: "SDXC";

	if (host->spi)
		klog(6, "%s: new %s card on SPI%s%s\n", host->name, kind,
		     card->product[0] ? ": " : "", card->product);
	else
		klog(6, "%s: new %s card at address %04x: %s\n", host->name, kind, card->rca >> 16,
		     card->product);
}

static int identify_awake(struct mmc_host *host)
{
	int r = host->spi ? spi_registers(host) : native_registers(host);

	if (r) {
		explain(host, r, "it does not say what it is");
		return r;
	}
	r = set_up(host);
	if (!r && !host->card.nsectors)
		r = -EIO;
	if (r) {
		explain(host, r, "it cannot be set up");
		return r;
	}
	if (host->ops->write_protected && host->ops->write_protected(host))
		host->card.read_only = true;
	announce(host);
	return 0;
}

int mmc_identify(struct mmc_host *host)
{
	int r;

	if (host->ops->card_present && !host->ops->card_present(host))
		return -ENOMEDIUM;
	memset(&host->card, 0, sizeof(host->card));
	r = host->ops->reset(host);
	if (!r)
		r = host->ops->set_clock(host, IDENTIFY_HZ);
	if (r) {
		host->dead = true;
		klog(3, "%s: the controller does not answer, it is given up\n", host->name);
		return -EIO;
	}
	mmc_sleep_ms(2); /* 74 clocks at least, and what the supply takes to rise */
	r = wake_up(host);
	if (r == -ETIMEDOUT)
		return -ENOMEDIUM;
	if (r) {
		explain(host, r, "it does not get ready");
		return -EIO;
	}
	return identify_awake(host) ? -EIO : 0;
}
