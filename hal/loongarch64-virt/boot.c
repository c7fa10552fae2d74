/* SPDX-License-Identifier: MIT */
/*
 * The boot CPU's first C code: from the loader's structures to boot_info.
 *
 * The loader passes the command line and a pointer to an EFI system table. Its configuration table
 * leads to the device tree and the initrd. Memory is taken from the device tree. All of these are
 * physical addresses, read through the cached window. None of it is trusted further than an address
 * can be checked: a table that is not there, or a wrong signature, gives one line and a halt.
 *
 * Source: Linux Documentation/arch/loongarch/booting.rst; UEFI specification 2.10, chapter 4;
 * Linux EFI stub: LINUX_EFI_INITRD_MEDIA_GUID.
 */
#include "machine.h"

#include <arch/layout.h>
#include <arch/trap.h>
#include <err.h>
#include <hal/boot.h>
#include <hal/console.h>
#include <hal/cpu.h>
#include <hal/driver.h>
#include <hal/paging.h>
#include <hal/rand.h>
#include <hal/timer.h>
#include <hal/upcall.h>
#include <lib/string.h>
#include <libfdt.h>

#define EFI_SYSTAB_SIGNATURE 0x5453595320494249ULL
#define EFI_MAX_TABLES	     64
#define BOOT_BY_STUB	     2 /* the tree has all there is to know */

struct efi_systab {
	u64 signature;
	u32 revision, header_size, crc32, reserved;
	u64 fw_vendor;
	u32 fw_revision, pad;
	u64 con_in_handle, con_in, con_out_handle, con_out, stderr_handle, stderr;
	u64 runtime, boottime;
	u64 nr_tables;
	u64 tables;
};

struct efi_guid {
	u8 b[16];
};

struct efi_config_table {
	struct efi_guid guid;
	u64 table;
};

struct efi_initrd {
	u64 base, size;
};

static const struct efi_guid fdt_guid = { { 0xd5, 0x21, 0xb6, 0xb1, 0x9c, 0xf1, 0xa5, 0x41, 0x83,
					    0x0b, 0xd9, 0x15, 0x2c, 0x69, 0xaa, 0xe0 } };
static const struct efi_guid initrd_guid = { { 0x27, 0xe4, 0x68, 0x55, 0xfc, 0x68, 0x3d, 0x4f, 0xac,
					       0x74, 0xca, 0x55, 0x52, 0x31, 0xcc, 0x68 } };

extern char __text_start[], __image_end[];

/* ---- Early console: the 16550 that the device tree calls stdout ---- */

static volatile u8 *early_uart;

#define UART_THR	0
#define UART_LSR	5
#define UART_LSR_THRE	0x20
#define EARLY_SPINS	100000

void hal_early_putc(char c)
{
	unsigned int i;

	if (!early_uart)
		return;
	for (i = 0; i < EARLY_SPINS && !(early_uart[UART_LSR] & UART_LSR_THRE); i++)
		;
	if (i == EARLY_SPINS)
		early_uart = NULL; /* it never drains: nothing is gained by waiting for each byte */
	else
		early_uart[UART_THR] = (u8)c;
}

static void find_early_uart(const void *fdt)
{
	u64 base, size;
	int node = -1;

	do {
		node = fdt_find_compatible(fdt, node, "ns16550a");
	} while (node >= 0 && !fdt_node_is_stdout(fdt, node));
	if (node >= 0 && fdt_node_reg(fdt, node, 0, &base, &size) == 0)
		early_uart = (volatile u8 *)hal_ioremap(base, size);
}

/* ---- What the loader left ---- */

static __noreturn void boot_fail(const char *why)
{
	while (*why)
		hal_early_putc(*why++);
	hal_early_putc('\n');
	hal_cpu_halt();
}

static const void *physical(paddr_t pa)
{
	return phys_to_virt(pa & PHYS_ADDR_MASK);
}

static const struct efi_systab *find_systab(paddr_t pa)
{
	const struct efi_systab *st = physical(pa);

	if (!pa || pa % 8 || st->signature != EFI_SYSTAB_SIGNATURE ||
	    st->nr_tables > EFI_MAX_TABLES)
		return NULL;
	return st;
}

/* The table of @guid, as a physical address; 0: there is none. */
static paddr_t efi_table(const struct efi_systab *st, const struct efi_guid *guid)
{
	const struct efi_config_table *t = physical(st->tables);
	u64 i;

	for (i = 0; i < st->nr_tables; i++)
		if (memcmp(&t[i].guid, guid, sizeof(*guid)) == 0)
			return t[i].table & PHYS_ADDR_MASK;
	return 0;
}

static void take_initrd(const struct efi_systab *st)
{
	paddr_t pa = efi_table(st, &initrd_guid);
	const struct efi_initrd *initrd = physical(pa);

	if (!pa || !initrd->size)
		return;
	boot_info.initrd.base = initrd->base & PHYS_ADDR_MASK;
	boot_info.initrd.size = initrd->size;
	boot_add_reserved(boot_info.initrd.base, boot_info.initrd.size);
}

/* The loader's command line; the device tree's bootargs, if any, are there already. */
static void take_cmdline(paddr_t pa, bool present)
{
	const char *s = physical(pa);

	if (present && s[0])
		strscpy(boot_info.cmdline, s, sizeof(boot_info.cmdline));
}

static void reserve_image(void)
{
	boot_info.kernel.base = arch_image_to_phys(__text_start);
	boot_info.kernel.size = (u64)(__image_end - __text_start);
	boot_add_loaded(boot_info.kernel.base, boot_info.kernel.size);
	/* Page 0 stays unused: 0 means "no page" to callers of upcall_pt_alloc(). */
	boot_add_reserved(0, PAGE_SIZE);
}

static int cpu_hwid(const void *fdt, int node, u64 *hwid)
{
	u32 id = fdt_node_u32(fdt, node, "reg", U32_MAX);

	if (id == U32_MAX || !fdt_node_enabled(fdt, node))
		return -ENODEV;
	*hwid = id;
	return 0;
}

/* The device tree may list CPUs in any order; as on Linux, logical numbers follow the hardware's. */
static void sort_cpus(void)
{
	for (unsigned int i = 2; i < boot_info.ncpus; i++) {
		u64 id = boot_info.cpu_hwid[i];
		unsigned int j = i;

		for (; j > 1 && boot_info.cpu_hwid[j - 1] > id; j--)
			boot_info.cpu_hwid[j] = boot_info.cpu_hwid[j - 1];
		boot_info.cpu_hwid[j] = id;
	}
}

void machine_boot(unsigned long efi_boot, paddr_t cmdline, paddr_t systab)
{
	const struct efi_systab *st = NULL;
	const void *fdt;
	paddr_t fdt_pa = cmdline & PHYS_ADDR_MASK;

	arch_cpu_init();
	arch_timer_init_cpu();
	boot_info.cpu_hwid[0] = csr_read(CSR_CPUID) & 0x1ff;
	if (efi_boot != BOOT_BY_STUB) {
		st = find_systab(systab & PHYS_ADDR_MASK);
		fdt_pa = st ? efi_table(st, &fdt_guid) : 0;
	}
	fdt = physical(fdt_pa);
	if (!fdt_pa || fdt_check_header(fdt) != 0)
		boot_fail("boot: no EFI system table with a device tree");
	(void)fdt_index(fdt); /* what is wrong can be said when there is a console */
	find_early_uart(fdt);
	reserve_image();
	if (fdt_scan_boot(fdt, cpu_hwid) != 0)
		boot_fail("boot: cannot use this device tree");
	sort_cpus();
	if (st) {
		take_cmdline(cmdline & PHYS_ADDR_MASK, efi_boot != 0 || cmdline != 0);
		take_initrd(st);
	}
	boot_clip_ram(PHYS_ADDR_MASK + 1);
	boot_finish_memory();
	upcall_kernel_main();
}

void hal_probe_devices(void)
{
	cpu_init_ipi();
	hal_probe_fdt(boot_info.fdt);
}

/* ---- Randomness ---- */

unsigned int hal_rand_seed(u8 *buf, size_t n)
{
	size_t got = fdt_rng_seed(buf, n), i;

	for (i = 0; i < n; i++)
		buf[i] = (u8)((i < got ? buf[i] : 0) ^ (hal_counter() >> (i % 8)));
	return (unsigned int)got * 8;
}
