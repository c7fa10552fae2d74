/* SPDX-License-Identifier: MIT */
/*
 * The static ACPI tables: CPUs and interrupt controllers (MADT), power and timers (FADT, HPET), where PCI's
 * configuration space is (MCFG), the console (SPCR). There is no AML interpreter; soft off is the one fact of the DSDT that is needed,
 * and its package \_S5 is found by its encoding.
 *
 * Runs once on the boot CPU while the early table maps all the tables; keeps facts, not pointers. Every
 * table's address, length and checksum are checked before it is believed.
 * Source: ACPI specification 6.5, chapters 5.2 and 20.2.
 */
#include "acpi.h"

#include <hal/boot.h>
#include <lib/string.h>

#define MAX_TABLE 0x100000

struct sdt {
	char sig[4];
	u32 length;
	u8 revision, checksum;
	char oem[6], oem_table[8];
	u32 oem_revision, creator, creator_revision;
} __packed;

struct rsdp {
	char sig[8];
	u8 checksum;
	char oem[6];
	u8 revision;
	u32 rsdt, length;
	u64 xsdt;
	u8 extended_checksum, reserved[3];
} __packed;

struct fadt {
	struct sdt h;
	u32 facs, dsdt;
	u8 reserved, profile;
	u16 sci;
	u32 smi_cmd;
	u8 acpi_enable, acpi_disable, s4bios, pstate;
	u32 pm1a_evt, pm1b_evt, pm1a_cnt, pm1b_cnt, pm2_cnt, pm_tmr, gpe0, gpe1;
	u8 pm1_evt_len, pm1_cnt_len, pm2_cnt_len, pm_tmr_len;
	u8 misc[17];
	u16 boot_arch;
	u8 reserved2;
	u32 flags;
	struct acpi_gas reset;
	u8 reset_value, arm[2], minor;
	u64 x_facs, x_dsdt;
	struct acpi_gas x_pm1a_evt, x_pm1b_evt, x_pm1a_cnt, x_pm1b_cnt, x_pm2_cnt, x_pm_tmr, x_gpe0,
		x_gpe1;
	struct acpi_gas sleep_control, sleep_status;
} __packed;

static_assert(offsetof(struct fadt, boot_arch) == 109);
static_assert(offsetof(struct fadt, flags) == 112);
static_assert(offsetof(struct fadt, sleep_control) == 244);

#define BOOT_ARCH_NO_MSI (1u << 3)
#define FADT_RESET_SUP	(1u << 10)
#define FADT_TMR_32	(1u << 8)
#define FADT_HW_REDUCED (1u << 20)

struct pc_acpi pc_acpi;
static const struct acpi_access *access;

static u8 sum(const void *p, size_t n)
{
	const u8 *b = p;
	u8 s = 0;

	while (n--)
		s += *b++;
	return s;
}

static const struct rsdp *rsdp_at(paddr_t pa)
{
	const struct rsdp *r = access->map(pa, sizeof(*r));

	return r && memcmp(r->sig, "RSD PTR ", 8) == 0 && sum(r, 20) == 0 ? r : NULL;
}

/* The BIOS area, every 16 bytes; then the first KiB of the extended BIOS data area. */
static const struct rsdp *rsdp_search(void)
{
	const u8 *bda = access->map(0x40e, 2);
	paddr_t ebda = bda ? (paddr_t)(bda[0] | bda[1] << 8) << 4 : 0;
	const struct rsdp *r = NULL;

	for (paddr_t pa = 0xe0000; !r && pa < 0x100000; pa += 16)
		r = rsdp_at(pa);
	for (paddr_t pa = ebda; !r && ebda >= 0x80000 && pa < ebda + 1024 && pa < 0xa0000; pa += 16)
		r = rsdp_at(pa);
	return r;
}

static const struct sdt *table_at(paddr_t pa)
{
	const struct sdt *t = pa ? access->map(pa, sizeof(*t)) : NULL;

	if (!t || t->length < sizeof(*t) || t->length > MAX_TABLE || !access->map(pa, t->length))
		return NULL;
	return sum(t, t->length) ? NULL : t;
}

/* ---- MADT ---- */

/* The boot CPU is entry 0 already. A CPU that is listed twice must not be started twice. */
static void add_cpu(u32 apic_id, u32 flags)
{
	if (!(flags & 1))
		return;
	for (unsigned int i = 0; i < boot_info.ncpus; i++)
		if (boot_info.cpu_hwid[i] == apic_id)
			return;
	if (boot_info.ncpus < CONFIG_NR_CPUS)
		boot_info.cpu_hwid[boot_info.ncpus++] = apic_id;
}

static void add_override(const u8 *e)
{
	u16 flags;
	u32 gsi;

	memcpy(&gsi, e + 4, 4);
	memcpy(&flags, e + 8, 2);
	if (e[3] < ARRAY_SIZE(pc_acpi.isa))
		pc_acpi.isa[e[3]] = (struct pc_isa_override){
			.present = true,
			.gsi = gsi,
			.low = (flags & 3) == 3,
			.level = (flags >> 2 & 3) == 3,
		};
}

static void add_ioapic(const u8 *e)
{
	u32 base, gsi;

	memcpy(&base, e + 4, 4);
	memcpy(&gsi, e + 8, 4);
	if (pc_acpi.nioapics == PC_MAX_IOAPICS)
		return;
	pc_acpi.ioapic[pc_acpi.nioapics].base = base;
	pc_acpi.ioapic[pc_acpi.nioapics++].gsi_base = gsi;
}

static void madt_entry(const u8 *e)
{
	/* Bytes an entry of each kind that is read has at least. */
	static const u8 least[] = { [0] = 8, [1] = 12, [2] = 10, [5] = 12, [9] = 16 };
	u32 id, flags;

	if (e[0] >= ARRAY_SIZE(least) || !least[e[0]] || e[1] < least[e[0]])
		return;
	switch (e[0]) {
	case 0: /* local APIC */
		memcpy(&flags, e + 4, 4);
		add_cpu(e[3], flags);
		break;
	case 1:
		add_ioapic(e);
		break;
	case 2:
		add_override(e);
		break;
	case 5: /* 64-bit address of the local APICs */
		memcpy(&pc_acpi.lapic, e + 4, 8);
		break;
	case 9: /* local x2APIC */
		memcpy(&id, e + 4, 4);
		memcpy(&flags, e + 8, 4);
		if (access->x2apic)
			add_cpu(id, flags);
		break;
	}
}

static void read_madt(const struct sdt *t)
{
	const u8 *p = (const u8 *)t + 44, *end = (const u8 *)t + t->length;
	u32 lapic;

	if (t->length < 44)
		return;
	memcpy(&lapic, (const u8 *)t + 36, 4);
	pc_acpi.lapic = lapic;
	for (; end - p >= 2 && p[1] >= 2 && p[1] <= end - p; p += p[1])
		madt_entry(p);
}

/* ---- MCFG ---- */

#define MCFG_HEAD  44
#define MCFG_ENTRY 16

static void read_mcfg(const struct sdt *t)
{
	for (u32 at = MCFG_HEAD; at + MCFG_ENTRY <= t->length && pc_acpi.nmcfg < PC_MAX_MCFG;
	     at += MCFG_ENTRY) {
		struct pc_mcfg *m = &pc_acpi.mcfg[pc_acpi.nmcfg];
		const u8 *e = (const u8 *)t + at;

		memcpy(&m->base, e, 8);
		memcpy(&m->segment, e + 8, 2);
		m->first_bus = e[10];
		m->last_bus = e[11];
		if (m->base && m->first_bus <= m->last_bus)
			pc_acpi.nmcfg++;
	}
}

/* ---- FADT and the DSDT's \_S5 ---- */

/* One small integer of AML: ZeroOp, OneOp, BytePrefix. */
static const u8 *aml_byte(const u8 *p, const u8 *end, u8 *v)
{
	if (p < end && *p <= 1) {
		*v = *p;
		return p + 1;
	}
	if (end - p >= 2 && *p == 0x0a) {
		*v = p[1];
		return p + 2;
	}
	return NULL;
}

/* Name (_S5, Package (n) { a, b, ... }): NameOp, [\], "_S5_", PackageOp, PkgLength, count, elements. */
static bool read_s5(const u8 *p, const u8 *end)
{
	if (end - p < 8 || memcmp(p, "_S5_", 4) || p[4] != 0x12)
		return false;
	if (p[-1] != 0x08 && !(p[-1] == '\\' && p[-2] == 0x08))
		return false;
	p += 5;
	p += 1 + (*p >> 6);
	if (p >= end || *p++ < 1)
		return false;
	p = aml_byte(p, end, &pc_acpi.s5_a);
	if (!p)
		return false;
	if (!aml_byte(p, end, &pc_acpi.s5_b))
		pc_acpi.s5_b = pc_acpi.s5_a;
	return true;
}

static void find_s5(const struct sdt *dsdt)
{
	const u8 *p = (const u8 *)dsdt + sizeof(*dsdt) + 2, *end = (const u8 *)dsdt + dsdt->length;

	for (; end - p >= 8 && !pc_acpi.has_s5; p++)
		pc_acpi.has_s5 = *p == '_' && read_s5(p, end);
}

/* A 32-bit port field, or the newer structure in its place. */
static u16 io_port(u32 old, const struct acpi_gas *gas)
{
	if (gas->address && gas->space == ACPI_SPACE_IO)
		return (u16)gas->address;
	return (u16)old;
}

static void read_fadt(const struct sdt *t)
{
	const struct sdt *dsdt;
	struct fadt f = { 0 };

	memcpy(&f, t, min((size_t)t->length, sizeof(f)));
	pc_acpi.no_msi = f.boot_arch & BOOT_ARCH_NO_MSI;
	pc_acpi.hw_reduced = f.flags & FADT_HW_REDUCED;
	pc_acpi.has_reset = f.flags & FADT_RESET_SUP && f.reset.address;
	pc_acpi.reset = f.reset;
	pc_acpi.reset_value = f.reset_value;
	pc_acpi.sleep_control = f.sleep_control;
	if (!pc_acpi.hw_reduced) {
		pc_acpi.pm1a = io_port(f.pm1a_cnt, &f.x_pm1a_cnt);
		pc_acpi.pm1b = io_port(f.pm1b_cnt, &f.x_pm1b_cnt);
		pc_acpi.pm_timer = f.pm_tmr_len == 4 ? io_port(f.pm_tmr, &f.x_pm_tmr) : 0;
		pc_acpi.pm_timer_32 = f.flags & FADT_TMR_32;
		pc_acpi.smi_port = (u16)f.smi_cmd;
		pc_acpi.acpi_enable = f.acpi_enable;
	}
	dsdt = table_at(f.x_dsdt ? f.x_dsdt : f.dsdt);
	if (dsdt)
		find_s5(dsdt);
}

static void read_hpet(const struct sdt *t)
{
	const struct acpi_gas *gas = (const void *)((const u8 *)t + 40);

	if (t->length >= 56 && gas->space == ACPI_SPACE_MEMORY)
		pc_acpi.hpet = gas->address;
}

static void read_spcr(const struct sdt *t)
{
	const u8 *p = (const u8 *)t;

	/* Interface types 0, 1, 0x12: 16550 and its relatives. */
	if (t->length < 80 || (p[36] > 1 && p[36] != 0x12))
		return;
	memcpy(&pc_acpi.spcr, p + 40, sizeof(pc_acpi.spcr));
	memcpy(&pc_acpi.spcr_gsi, p + 54, 4);
}

static void read_table(paddr_t pa)
{
	static const struct {
		char sig[5];
		void (*read)(const struct sdt *t);
	} readers[] = { { "APIC", read_madt },
			{ "FACP", read_fadt },
			{ "HPET", read_hpet },
			{ "MCFG", read_mcfg },
			{ "SPCR", read_spcr } };
	const struct sdt *t = table_at(pa);

	for (size_t i = 0; t && i < ARRAY_SIZE(readers); i++)
		if (memcmp(t->sig, readers[i].sig, 4) == 0)
			readers[i].read(t);
}

static void read_root(const struct rsdp *r)
{
	bool wide = r->revision >= 2 && r->xsdt;
	const struct sdt *root = table_at(wide ? r->xsdt : r->rsdt);
	size_t size = wide ? 8 : 4;

	if (!root)
		return;
	for (size_t at = sizeof(*root); at + size <= root->length; at += size) {
		u64 pa = 0;

		memcpy(&pa, (const u8 *)root + at, size);
		read_table(pa);
	}
}

void acpi_scan(paddr_t pa, const struct acpi_access *how)
{
	const struct rsdp *r;

	access = how;
	r = pa ? rsdp_at(pa) : rsdp_search();
	boot_info.cpu_hwid[0] = access->boot_apic;
	boot_info.ncpus = 1;
	pc_acpi.lapic = 0xfee00000;
	if (r)
		read_root(r);
}
