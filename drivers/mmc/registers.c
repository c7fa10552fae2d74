/* SPDX-License-Identifier: MIT */
/* What a card says of itself in CSD and CID. Source: SD Physical Layer 6.00, 5.2 and 5.3; JESD84-B51, 7.2 and 7.3. */
#include <compiler.h>
#include <drivers/mmc/mmc.h>
#include <err.h>
#include <lib/string.h>

u32 mmc_bits(const u32 reg[4], unsigned int at, unsigned int n)
{
	unsigned int word = 3 - at / 32, shift = at % 32;
	u64 v = reg[word];

	if (word)
		v |= (u64)reg[word - 1] << 32;
	return (u32)(v >> shift & ((1ULL << n) - 1));
}

/* TRAN_SPEED: a factor and a power of ten. Reserved values give the slowest that is sensible. */
static u32 speed(u32 code)
{
	static const u8 tenths[16] = {
		0, 10, 12, 13, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 70, 80
	};
	static const u32 unit[4] = { 10000, 100000, 1000000, 10000000 };
	u32 hz = (code & 7) < 4 ? tenths[code >> 3 & 15] * unit[code & 7] : 0;

	return max_t(u32, hz, 400000);
}

/* Capacity by the older layout, which MMC has too. Sectors. */
static u64 capacity_1(const u32 csd[4])
{
	u32 block_shift = mmc_bits(csd, 80, 4);

	if (block_shift < 9 || block_shift > 11)
		return 0;
	return ((u64)mmc_bits(csd, 62, 12) + 1) << (mmc_bits(csd, 47, 3) + 2) << (block_shift - 9);
}

static void product_name(struct mmc_card *card)
{
	unsigned int n = card->sd ? 5 : 6;

	for (unsigned int i = 0; i < n; i++) {
		char c = (char)mmc_bits(card->cid, 96 - 8 * i, 8);

		card->product[i] = c > ' ' && c < 0x7f ? c : ' ';
	}
	while (n && card->product[n - 1] == ' ')
		n--;
	card->product[n] = '\0';
}

int mmc_read_registers(struct mmc_card *card)
{
	u32 layout = mmc_bits(card->csd, 126, 2);

	if (!card->sd || layout == 0)
		card->nsectors = capacity_1(card->csd);
	else if (layout == 1)
		card->nsectors = ((u64)mmc_bits(card->csd, 48, 22) + 1) << 10;
	else
		return -EIO;
	card->max_hz = speed(mmc_bits(card->csd, 96, 8));
	card->read_only = mmc_bits(card->csd, 12, 2) != 0;
	card->width = 1;
	product_name(card);
	return card->nsectors ? 0 : -EIO;
}
