/* SPDX-License-Identifier: MIT */
/*
 * The MultiProcessor table of older firmware, for the one thing the static ACPI tables do not say: to which pin of which I/O APIC
 * a PCI device's interrupt goes.
 *
 * Only bus 0 is of interest. Runs once on the boot CPU, after acpi_scan(), while the early table maps what is read; keeps facts. What the
 * table says is believed after its length and checksum, and each entry for itself.
 * Source: Intel MultiProcessor Specification 1.4, chapter 4 and appendix D.
 */
#include "acpi.h"

#include <err.h>
#include <lib/string.h>

#define HEADER_SIZE  44
#define MP_PROCESSOR 0
#define MP_BUS	     1
#define MP_IOAPIC    2
#define MP_IOINT     3
#define MP_LOCALINT  4

struct pointer {
	char sig[4];
	u32 table;
	u8 length, revision, checksum, features[5];
} __packed;

struct pc_mp pc_mp;

/* What the table calls things, while it is read. */
struct names {
	u8 apic_id[PC_MAX_IOAPICS];
	u32 gsi_base[PC_MAX_IOAPICS];
	unsigned int napics;
	int pci_bus; /* its number of PCI bus 0, -1: not seen */
};

static u8 sum(const u8 *p, size_t n)
{
	u8 s = 0;

	while (n--)
		s += *p++;
	return s;
}

static const struct pointer *pointer_in(const struct acpi_access *access, paddr_t from, paddr_t to)
{
	for (paddr_t pa = from; pa < to; pa += 16) {
		const struct pointer *p = access->map(pa, sizeof(*p));

		if (p && !memcmp(p->sig, "_MP_", 4) && p->length == 1 && !sum((const u8 *)p, 16))
			return p;
	}
	return NULL;
}

/* The extended BIOS data area's first KiB, the last of conventional memory, the BIOS. */
static const struct pointer *pointer_find(const struct acpi_access *access)
{
	const u8 *bda = access->map(0x40e, 2);
	paddr_t ebda = bda ? (paddr_t)(bda[0] | bda[1] << 8) << 4 : 0;
	const struct pointer *p = NULL;

	if (ebda >= 0x80000 && ebda < 0xa0000)
		p = pointer_in(access, ebda, min(ebda + 1024, (paddr_t)0xa0000));
	if (!p)
		p = pointer_in(access, 0x9fc00, 0xa0000);
	return p ? p : pointer_in(access, 0xf0000, 0x100000);
}

/* The table's first entry, and their number. NULL: no table that is whole. */
static const u8 *table_find(const struct acpi_access *access, unsigned int *n, const u8 **end)
{
	const struct pointer *p = pointer_find(access);
	const u8 *t = p && p->table ? access->map(p->table, HEADER_SIZE) : NULL;
	size_t length = t ? (size_t)(t[4] | t[5] << 8) : 0;

	if (length < HEADER_SIZE || memcmp(t, "PCMP", 4) || !access->map(p->table, length) ||
	    sum(t, length))
		return NULL;
	*n = t[34] | (unsigned int)t[35] << 8;
	*end = t + length;
	return t + HEADER_SIZE;
}

static void take_ioapic(struct names *names, const u8 *e)
{
	u32 base;

	memcpy(&base, e + 4, 4);
	for (unsigned int i = 0; i < pc_acpi.nioapics; i++) {
		if (pc_acpi.ioapic[i].base != base || names->napics == PC_MAX_IOAPICS)
			continue;
		names->apic_id[names->napics] = e[1];
		names->gsi_base[names->napics++] = pc_acpi.ioapic[i].gsi_base;
	}
}

/* Bytes: 1 kind of interrupt, 2-3 flags, 4 bus, 5 device << 2 | pin, 6 I/O APIC, 7 its pin. */
static void take_interrupt(const struct names *names, const u8 *e)
{
	struct pc_intx *x = &pc_mp.intx[pc_mp.nintx];

	if (e[1] || e[4] != names->pci_bus || pc_mp.nintx == PC_MAX_INTX)
		return;
	for (unsigned int i = 0; i < names->napics; i++) {
		if (names->apic_id[i] != e[6])
			continue;
		/* What a bus is used to is for PCI a level, and low. */
		*x = (struct pc_intx){ .slot = e[5] >> 2 & 31,
				       .pin = (u8)((e[5] & 3) + 1),
				       .gsi = names->gsi_base[i] + e[7],
				       .level = (e[2] >> 2 & 3) != 1,
				       .low = (e[2] & 3) != 1 };
		pc_mp.nintx++;
		return;
	}
}

void mp_scan(const struct acpi_access *access)
{
	struct names names = { .pci_bus = -1 };
	const u8 *e, *end;
	unsigned int n;

	pc_mp.nintx = 0;
	e = table_find(access, &n, &end);
	/* Entries are ordered by kind: buses and I/O APICs come before the interrupts. */
	for (; e && n; n--) {
		size_t size = end > e && e[0] == MP_PROCESSOR ? 20 : 8;

		if ((size_t)(end - e) < size || e[0] > MP_LOCALINT)
			return;
		if (e[0] == MP_BUS && names.pci_bus < 0 && !memcmp(e + 2, "PCI   ", 6))
			names.pci_bus = e[1];
		else if (e[0] == MP_IOAPIC)
			take_ioapic(&names, e);
		else if (e[0] == MP_IOINT)
			take_interrupt(&names, e);
		e += size;
	}
}

int mp_find_intx(unsigned int slot, unsigned int pin, struct pc_intx *out)
{
	for (unsigned int i = 0; i < pc_mp.nintx; i++) {
		if (pc_mp.intx[i].slot != slot || pc_mp.intx[i].pin != pin)
			continue;
		*out = pc_mp.intx[i];
		return 0;
	}
	return -ENOENT;
}
