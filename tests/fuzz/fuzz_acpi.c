/* SPDX-License-Identifier: MIT */
/*
 * Feed any bytes to the reader of ACPI tables. The first byte chooses: as they are, as the machine's low memory; or as
 * the bodies of tables, whose headers, lengths and checksums are made right, so that the readers behind them are reached.
 * Whatever the tables say, nothing beside them is read, no CPU is listed twice, and every list stays in its bounds.
 */
#include "../../hal/x86_64-pc/acpi.h"

#include <hal/boot.h>
#include <lib/string.h>

#define BASE	   0xe0000UL /* where a BIOS keeps the root pointer */
#define RSDP_SIZE  36
#define HEAD	   36
#define MAX_TABLES 8
#define MEMORY	   0x10000

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

struct boot_info boot_info;

#include "fuzz_firmware.h"

static void make_table(size_t at, const char *sig, const u8 *body, size_t size)
{
	u32 length = (u32)(HEAD + size);

	memcpy(memory + at, sig, 4);
	memcpy(memory + at + 4, &length, 4);
	memcpy(memory + at + HEAD, body, size);
	fix_sum(memory + at, length, 9);
}

static void make_rsdp(u64 root)
{
	memcpy(memory, "RSD PTR ", 8);
	memory[15] = 2;
	memcpy(memory + 24, &root, 8);
	fix_sum(memory, 20, 8);
}

/* Each table: a byte for its kind, two for the size of its body, the body. A FADT's DSDT is the next table. */
static void make_tables(const u8 *data, size_t size)
{
	static const char *const sigs[] = { "APIC", "FACP", "HPET", "MCFG", "SPCR", "DSDT" };
	u64 pointers[MAX_TABLES];
	size_t n = 0, end = RSDP_SIZE + HEAD + sizeof(pointers);

	while (size >= 3 && n < MAX_TABLES) {
		const char *sig = sigs[data[0] % ARRAY_SIZE(sigs)];
		size_t body = min((size_t)(data[1] | data[2] << 8), size - 3);

		if (end + HEAD + body > MEMORY)
			break;
		make_table(end, sig, data + 3, body);
		if (memcmp(sig, "FACP", 4) == 0 && body >= 8) {
			u32 dsdt = (u32)(BASE + end + HEAD + body);

			memcpy(memory + end + HEAD + 4, &dsdt, 4);
			fix_sum(memory + end, HEAD + body, 9);
		}
		pointers[n++] = BASE + end;
		end += HEAD + body;
		data += 3 + body;
		size -= 3 + body;
	}
	make_table(RSDP_SIZE, "XSDT", (const u8 *)pointers, n * 8);
	make_rsdp(BASE + RSDP_SIZE);
	memory_size = end;
}

static void check(void)
{
	CHECK(boot_info.ncpus >= 1 && boot_info.ncpus <= CONFIG_NR_CPUS);
	for (unsigned int i = 0; i < boot_info.ncpus; i++)
		for (unsigned int j = 0; j < i; j++)
			CHECK(boot_info.cpu_hwid[i] != boot_info.cpu_hwid[j]);
	CHECK(pc_acpi.nioapics <= PC_MAX_IOAPICS && pc_acpi.nmcfg <= PC_MAX_MCFG);
	for (unsigned int i = 0; i < pc_acpi.nmcfg; i++)
		CHECK(pc_acpi.mcfg[i].first_bus <= pc_acpi.mcfg[i].last_bus);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct acpi_access access = { .map = map, .boot_apic = 0 };

	if (size < 2 || size > MEMORY)
		return 0;
	access.x2apic = data[0] & 2;
	memory_size = size - 1;
	memory = calloc(1, data[0] & 1 ? MEMORY : memory_size);
	memset(&boot_info, 0, sizeof(boot_info));
	memset(&pc_acpi, 0, sizeof(pc_acpi));
	if (data[0] & 1)
		make_tables(data + 1, size - 1);
	else
		memcpy(memory, data + 1, memory_size);
	/* What lies behind the tables is not theirs to be read. */
	memory = realloc(memory, memory_size);
	acpi_scan(data[0] & 4 ? BASE : 0, &access);
	check();
	free(memory);
	return 0;
}
