/* SPDX-License-Identifier: MIT */
/*
 * Feed any bytes to the reader of the MultiProcessor table, as the entries of a table whose header, length and checksum are right.
 * Whatever they say, nothing behind them is read, and what is kept stays in its bounds.
 */
#include "../../hal/x86_64-pc/acpi.h"

#include <lib/string.h>

#define BASE   0xf0000UL
#define HEADER 44
#define TABLE  16 /* behind the pointer */

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

struct pc_acpi pc_acpi;

#include "fuzz_firmware.h"

static void make_table(const u8 *entries, size_t size, u8 count)
{
	u32 table = BASE + TABLE;
	u8 *t = memory + TABLE;

	memcpy(memory, "_MP_", 4);
	memcpy(memory + 4, &table, 4);
	memory[8] = 1;
	fix_sum(memory, 16, 10);
	memcpy(t, "PCMP", 4);
	t[4] = (u8)(HEADER + size);
	t[5] = (u8)((HEADER + size) >> 8);
	t[34] = count;
	memcpy(t + HEADER, entries, size);
	fix_sum(t, HEADER + size, 7);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct acpi_access access = { .map = map };
	struct pc_intx x;

	if (size < 2 || size > 0x8000)
		return 0;
	pc_acpi.nioapics = data[1] % (PC_MAX_IOAPICS + 1);
	for (unsigned int i = 0; i < pc_acpi.nioapics; i++)
		pc_acpi.ioapic[i].base = 0xfec00000 + 0x1000 * (i & 1);
	memory_size = TABLE + HEADER + size - 2;
	memory = calloc(1, memory_size);
	make_table(data + 2, size - 2, data[0]);
	mp_scan(&access);
	CHECK(pc_mp.nintx <= PC_MAX_INTX);
	for (unsigned int slot = 0; slot < 32; slot++)
		for (unsigned int pin = 1; pin <= 4; pin++)
			if (!mp_find_intx(slot, pin, &x))
				CHECK(x.slot == slot && x.pin == pin);
	free(memory);
	return 0;
}
