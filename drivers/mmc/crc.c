/* SPDX-License-Identifier: MIT */
/* The checksums of commands (x^7 + x^3 + 1) and blocks (x^16 + x^12 + x^5 + 1). Source: SD Physical Layer 6.00, 4.5. */
#include <drivers/mmc/mmc.h>

u8 mmc_crc7(const u8 *p, size_t n)
{
	u8 crc = 0;

	while (n--) {
		crc ^= *p++;
		for (int i = 0; i < 8; i++)
			crc = (u8)(crc & 0x80 ? (crc << 1) ^ (0x09 << 1) : crc << 1);
	}
	return crc | 1;
}

/* A byte at a time: the polynomial has few terms, so that the eight steps fold into shifts. */
u16 mmc_crc16(const u8 *p, size_t n)
{
	u16 crc = 0;

	while (n--) {
		crc = (u16)(crc >> 8 | crc << 8) ^ *p++;
		crc ^= (crc & 0xff) >> 4;
		crc ^= (u16)(crc << 12);
		crc ^= (u16)((crc & 0xff) << 5);
	}
	return crc;
}
