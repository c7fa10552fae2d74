/* SPDX-License-Identifier: MIT */
/*
 * A pretended SD or MMC card, pretended time, and the cases that every host controller's test has.
 *
 * A test models the controller's registers over card_command() and card_block(), fills a struct model_driver, and calls
 * model_main(). Time passes by a little with each look at the clock, and by all of it in a sleep.
 */
#ifndef MMC_MODEL_H
#define MMC_MODEL_H

#include "test_lib.h"

#include <drivers/mmc/mmc.h>
#include <hal/paging.h>
#include <lib/string.h>

#define CARD_SECTORS 4096u

enum card_kind { CARD_NONE, CARD_SDSC, CARD_SDHC, CARD_EMMC };

struct card {
	enum card_kind kind;
	u8 data[CARD_SECTORS * MMC_BLOCK];
	/* What goes wrong. */
	bool never_ready;      /* ACMD41, CMD1: not yet */
	bool silent;	       /* no response to anything from now on */
	bool no_response_data; /* commands are answered, data never come or are never taken */
	bool refuses_csd;
	unsigned int bad_blocks;    /* so many blocks have a wrong checksum */
	unsigned int bad_responses; /* likewise responses */
	unsigned int busy;	    /* so often CMD13 says: not yet */
	u32 error_status;	    /* CMD13 has these bits */
	u32 odd_voltage;	    /* CMD8 echoes something else */
	/* State. */
	bool app, selected;
	unsigned int asked; /* ACMD41 or CMD1 */
	unsigned int width;
	u64 position; /* of the next block; sectors */
	u32 block_size;
	const u8 *reg; /* data that are a register */
	bool writing, reading;
	unsigned int count[64]; /* of commands */
	u8 register_data[MMC_BLOCK];
};

enum card_answer { ANSWER_NONE, ANSWER_SHORT, ANSWER_LONG, ANSWER_BAD_CRC };

extern struct card card;
extern bool controller_dead; /* its registers are memory, and nothing happens */
extern u64 model_now;	     /* ns */
extern unsigned int model_lines, model_sleeps;
extern char model_line[256]; /* the last */
extern void (*model_irq)(
	void); /* called where a task sleeps: raises the interrupt, if its line is active */

void card_insert(enum card_kind kind);
/* A command: its answer; a long one begins with bits 127:96. */
enum card_answer card_command(u32 opcode, u32 arg, u32 response[4]);
/* The next block of what the last command began, @n bytes: 0, 1: its checksum is wrong, -1: the card stalls. */
int card_block(bool write, u8 *p, u32 n);
/* CSD and CID, as bits. */
void card_csd(u32 csd[4]);
void card_cid(u32 cid[4]);

/* A status register whose bits come after @latency, and the one that says which of them interrupt. */
extern struct model_status {
	u32 *status, *enable;
	struct mmc_status *driver; /* NULL: it has no interrupt */
	u64 latency, due;
	u32 pending; /* comes at @due */
	unsigned int interrupts;
} model_status;
/* A fresh controller: its registers, what its driver has of them. */
void model_status_reset(u32 *status, u32 *enable, struct mmc_status *driver, bool with_irq);
void model_come(u32 bits);
void model_arrive(void); /* where a register is read */

struct model_driver {
	struct mmc_host *(*fresh)(void); /* a controller after power up, its driver set up */
	bool (*idle)(void);		 /* nothing is left over from a request; may be NULL */
};

/* Start a fresh host's disk. What its start() returns. */
int model_start(const struct model_driver *d, struct mmc_host **host);
/* A request of @n sectors at @sector from @buf, which is cut into segments of @cut sectors. */
int model_transfer(struct mmc_host *host, bool write, u64 sector, u8 *buf, u32 n, u32 cut);
/* Eight sectors read and written at 3, with what is waited for coming late: by interrupts, or by looking again and again. */
void model_late_transfer(const struct model_driver *d, bool with_irq, u8 fill);
/* Run the cases that all have, and @more. */
int model_main(const struct model_driver *d, const struct CMUnitTest *more, size_t n);

#endif
