/* SPDX-License-Identifier: MIT */
/*
 * SD and MMC cards: what a host controller's driver offers.
 *
 * A driver fills a struct mmc_host and calls mmc_host_register() while devices are probed, without touching the card. Later, in
 * task context, the core resets the host, identifies the card, and becomes a disk (disk.c): /dev/mmcblkN.
 *
 * The contract:
 *	- All operations are called in task context, one at a time for each host; they may sleep.
 *	- request() returns when command, data and, for MMC_RSP_BUSY, the card's busy signal have ended, within about the
 *	  command's timeout. It waits by sleeping; polling without sleep is for waits of microseconds.
 *	- After an error the host is ready for the next command.
 *	- Errors tell whose they are: -ETIMEDOUT, the card did not answer in time; -EILSEQ, a checksum was wrong;
 *	  -EIO, what came back makes no sense; -ENXIO, the controller itself does not do what it should. After -ENXIO
 *	  the host is given up: waiting again for what never comes would stop whoever uses the disk, each time.
 *	- A host prints nothing: the core does, once.
 *	- Many blocks end by CMD12, which the core sends. On an SPI bus the host does, within the same request.
 *	- On an SPI bus (@spi) the host knows tokens and checksums. R1 is in response[0], what follows it in response[1]. R1's
 *	  "illegal command" is -ETIMEDOUT, because a card on the other bus stays silent then; "CRC error" is -EILSEQ.
 *
 * Source: SD Specifications Part 1, Physical Layer Simplified Specification 6.00; JEDEC JESD84-B51.
 */
#ifndef DRIVERS_MMC_H
#define DRIVERS_MMC_H

#include <drivers/block/disk.h>
#include <sleep.h>
#include <types.h>

#define MMC_BLOCK 512u

/* What a command's response is. */
#define MMC_RSP_NONE	0
#define MMC_RSP_PRESENT 1
#define MMC_RSP_LONG	2 /* 128 bits */
#define MMC_RSP_CRC	4 /* has a checksum */
#define MMC_RSP_OPCODE	8 /* echoes the command's number */
#define MMC_RSP_BUSY	16
#define MMC_RSP_SPI2	32 /* on an SPI bus one byte more than R1, in bits 15:8 of response[0] */
#define MMC_RSP_SPI5	64 /* likewise four bytes more */

#define MMC_R1	(MMC_RSP_PRESENT | MMC_RSP_CRC | MMC_RSP_OPCODE)
#define MMC_R1B (MMC_R1 | MMC_RSP_BUSY)
#define MMC_R2	(MMC_RSP_PRESENT | MMC_RSP_CRC | MMC_RSP_LONG)
#define MMC_R3	MMC_RSP_PRESENT
#define MMC_R6	MMC_R1
#define MMC_R7	(MMC_R1 | MMC_RSP_SPI5)

#define MMC_SPI_R1_ILLEGAL 4 /* what R1 has on an SPI bus: such a command is not known */

/* Blocks that move with a command. A block never crosses two segments. */
struct mmc_data {
	bool write;
	u32 block_size, nblocks; /* block_size: a multiple of 4 up to MMC_BLOCK */
	const struct disk_segment *segment;
	u32 offset; /* of the next block, in *segment */
};

struct mmc_command {
	u32 opcode, arg;
	unsigned int flags; /* MMC_RSP_* */
	u32 timeout_ms;	    /* of data and busy; the response itself has the standard's 64 clocks */
	u32 response[4];    /* a long one begins with bits 127:96; bits 7:0 are undefined */
	struct mmc_data *data;
};

struct mmc_host;
struct mmc_host_ops {
	/* Power and reset: one data line, no clock. 0 or -ENXIO. */
	int (*reset)(struct mmc_host *host);
	/* Run the card's clock at @hz at most, which is at least 100 kHz. 0 or -ENXIO. */
	int (*set_clock)(struct mmc_host *host, u32 hz);
	/* Use 1, 4 or 8 data lines. NULL: only one. */
	void (*set_width)(struct mmc_host *host, unsigned int width);
	int (*request)(struct mmc_host *host, struct mmc_command *cmd);
	/* Is a card in the slot? NULL: that cannot be told. */
	bool (*card_present)(struct mmc_host *host);
	/* Is its switch at "lock"? NULL: there is none. */
	bool (*write_protected)(struct mmc_host *host);
};

struct mmc_card {
	u32 rca;	    /* << 16 */
	bool sd;	    /* else MMC */
	bool block_address; /* commands take sectors, not bytes */
	bool read_only;
	u64 nsectors;
	u32 max_hz;
	unsigned int width; /* data lines the card can use */
	u32 cid[4], csd[4];
	char product[7];
};

struct mmc_host {
	const struct mmc_host_ops *ops;
	void *priv;
	bool spi;
	u32 max_blocks;		/* of one transfer */
	u32 max_hz;		/* 0: no limit */
	unsigned int max_width; /* data lines that are wired: 1, 4, 8 */
	int index;		/* of mmcN; -1: the next */

	/* The core's. */
	struct mutex lock; /* of all below, and of the host's operations */
	char name[8];	   /* mmcN */
	bool dead;	   /* given up: nothing is asked of it any more */
	unsigned int errors;
	struct mmc_card card;
	struct disk disk;
	struct disk_segment bounce_segment;
	u8 *bounce; /* MMC_BLOCK bytes, for registers that are read as data */
};

/** mmc_host_register() - make a host known; the driver owns the memory, for good. 0 or -ENOMEM. Device probing. */
int mmc_host_register(struct mmc_host *host);
/** mmc_host_from_fdt() - what a node says of every host: bus-width, max-frequency, the number by /aliases. Before mmc_host_register(). */
void mmc_host_from_fdt(struct mmc_host *host, const void *fdt, int node);
/** mmc_data_block() - the address of the next block; the position moves behind it. */
u8 *mmc_data_block(struct mmc_data *data);

/* Within drivers/mmc. */
/** mmc_run() - a command. 0, or an error as request() has it. Host's lock held. */
int mmc_run(struct mmc_host *host, struct mmc_command *cmd);
/** mmc_identify() - find out what card there is. 0, -ENOMEDIUM: none; -EIO. Host's lock held. */
int mmc_identify(struct mmc_host *host);
/** mmc_read_registers() - what CSD and CID say of the card, into it. 0, or -EIO: nothing that is known. */
int mmc_read_registers(struct mmc_card *card);
/** mmc_measure() - find the number of sectors by reading. 0 or an error. Host's lock held. */
int mmc_measure(struct mmc_host *host);
/** mmc_wait_ready() - until the card has done what it was given. 0 or an error. Host's lock held. */
int mmc_wait_ready(struct mmc_host *host);
/** mmc_bits() - @n bits from bit @at of a register of 128. */
u32 mmc_bits(const u32 reg[4], unsigned int at, unsigned int n);
/** mmc_sleep_ms() - in task context. */
void mmc_sleep_ms(unsigned int ms);

#define MMC_MS 1000000ULL
/* Where a controller shows what has happened, and which of it may interrupt: wait.c. */
struct mmc_status {
	char *status, *enable; /* registers */
	bool has_irq;	       /* mmc_status_interrupt() is called */
	struct completion irq;
};
/** mmc_status_wait() - until the status has one of @bits: the whole status; 0: @deadline came first. Task context. */
u32 mmc_status_wait(struct mmc_status *s, u32 bits, u64 deadline);
/** mmc_status_interrupt() - the controller's line is active. Interrupts off. */
void mmc_status_interrupt(struct mmc_status *s);
/** mmc_settle() - until the bits of @mask in register @reg are @want: 0, or after @ms @late. Task context. */
int mmc_settle(const char *reg, u32 mask, u32 want, u32 ms, int late);
/** mmc_wait_turn() - a stretch of waiting that began at @since: at first without sleep. False: @ns are over. Task context. */
bool mmc_wait_turn(u64 since, u64 ns);

/** mmc_crc7() - checksum of a command, in bits 7:1, and the end bit. mmc_crc16(): of a block. */
u8 mmc_crc7(const u8 *p, size_t n);
u16 mmc_crc16(const u8 *p, size_t n);

#endif
