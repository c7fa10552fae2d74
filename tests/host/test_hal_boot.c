/* SPDX-License-Identifier: MIT */
/* What boot_info becomes: memory ranges, and a device tree made here with every property it reads. */
#include "test_lib.h"

#include "fdt_drivers.h"
#include "fdt_same.h"

#include <hal/boot.h>
#include <hal/driver.h>
#include <hal/irq.h>
#include <hal/paging.h>
#include <lib/string.h>
#include <libfdt.h>

static int probed_node;
static unsigned int probes;

static int probe(const void *fdt, int node)
{
	probed_node = node;
	probes++;
	return 0;
}

FDT_TEST_DRIVER(DRIVER_SERIAL, probe, "test,uart");

static void reset(void)
{
	memset(&boot_info, 0, sizeof(boot_info));
	boot_finish_memory();
}

static void assert_range(const struct boot_range *r, paddr_t base, u64 size)
{
	assert_int_equal(r->base, base);
	assert_int_equal(r->size, size);
}

static void test_ranges_merge(void **state)
{
	reset();
	boot_add_ram(0x80200000, 0x100000);
	boot_add_ram(0x80000000, 0x200000);
	boot_add_ram(0x90000800, 0x2000);
	boot_add_ram(0xa0000000, 0x800);
	boot_add_reserved(0x80001234, 0x10);
	boot_add_reserved(0x80001ff0, 0x20);
	boot_finish_memory();
	assert_int_equal(boot_info.nram, 2);
	assert_range(&boot_info.ram[0], 0x80000000, 0x300000);
	assert_range(&boot_info.ram[1], 0x90001000, 0x1000);
	assert_int_equal(boot_info.nreserved, 1);
	assert_range(&boot_info.reserved[0], 0x80001000, 0x2000);
}

static void test_too_many_ranges(void **state)
{
	reset();
	for (unsigned int i = 0; i < BOOT_MAX_RANGES + 5; i++)
		boot_add_ram(0x1000000ULL * (i + 1), 0x1000);
	boot_finish_memory();
	assert_int_equal(boot_info.nram, BOOT_MAX_RANGES);
	reset();
	boot_add_ram(U64_MAX - 0xfff, 0x100000);
	boot_finish_memory();
	assert_int_equal(boot_info.nram, 0); /* its end is not an address */
}

/* More reserved ranges than there is room for: each of them is kept all the same, and what is lost between them is little. */
static void test_many_reserved(void **state)
{
	enum { N = 5 * BOOT_MAX_RANGES };
	u64 kept = 0;

	reset();
	boot_add_ram(0x80000000, 0x40000000);
	for (unsigned int i = 0; i < N; i++) /* in no order, with two distances */
		boot_add_reserved(0x80000000 + (i * 7 % N) * 0x10000 + (i & 1) * 0x1000, 0x800);
	boot_add_reserved(0xa0000000, 0x1000);
	boot_finish_memory();
	assert_in_range(boot_info.nreserved, 2, BOOT_MAX_RANGES);
	for (unsigned int i = 0; i < N; i++) {
		paddr_t base = 0x80000000 + (i * 7 % N) * 0x10000 + (i & 1) * 0x1000;
		bool found = false;

		for (unsigned int j = 0; j < boot_info.nreserved; j++)
			found |= base >= boot_info.reserved[j].base &&
				 base + 0x800 <=
					 boot_info.reserved[j].base + boot_info.reserved[j].size;
		assert_true(found);
	}
	for (unsigned int j = 0; j < boot_info.nreserved; j++)
		kept += boot_info.reserved[j].size;
	assert_in_range(kept, N * 0x1000, N * 0x10000 + 0x2000);
	assert_range(&boot_info.reserved[boot_info.nreserved - 1], 0xa0000000, 0x1000);
}

/* Ranges that touch take one place, however many they are. */
static void test_crumbs(void **state)
{
	reset();
	for (unsigned int i = 0; i < 10 * BOOT_MAX_RANGES; i++) {
		boot_add_ram(0x80000000 + i * 0x1000, 0x1000);
		boot_add_reserved(0x90000000 - (i + 1) * 0x1000, 0x1000);
		boot_add_hole(0xa0000000 + i * 0x800, 0x900);
	}
	boot_add_ram(0xa0000000, 0x10000000);
	boot_finish_memory();
	assert_int_equal(boot_info.nram, 2);
	assert_range(&boot_info.ram[0], 0x80000000, 10 * BOOT_MAX_RANGES * 0x1000);
	assert_int_equal(boot_info.ram[1].base, 0xa0000000 + 5 * BOOT_MAX_RANGES * 0x1000 + 0x1000);
	assert_int_equal(boot_info.nreserved, 1);
}

/* ---- A tree ---- */

static u8 tree[8192] __aligned(8);

static void put_reg(const char *name, u64 base, u64 size)
{
	fdt64_t cells[2] = { cpu_to_fdt64(base), cpu_to_fdt64(size) };

	assert_int_equal(fdt_property(tree, name, cells, sizeof(cells)), 0);
}

static void put_cells(u32 addr, u32 size)
{
	fdt_property_u32(tree, "#address-cells", addr);
	fdt_property_u32(tree, "#size-cells", size);
}

static void put_cpu(const char *name, u32 id, const char *status)
{
	fdt_begin_node(tree, name);
	fdt_property_string(tree, "device_type", "cpu");
	fdt_property_u32(tree, "reg", id);
	fdt_property_string(tree, "status", status);
	fdt_end_node(tree);
}

static void put_memory(void)
{
	fdt_begin_node(tree, "memory@80000000");
	fdt_property_string(tree, "device_type", "memory");
	put_reg("reg", 0x80000000, 0x8000000);
	fdt_end_node(tree);
	fdt_begin_node(tree, "reserved-memory");
	put_cells(2, 2);
	fdt_property(tree, "ranges", "", 0);
	fdt_begin_node(tree, "firmware@80000000");
	put_reg("reg", 0x80000000, 0x40000);
	fdt_property(tree, "no-map", "", 0);
	fdt_end_node(tree);
	fdt_begin_node(tree, "log@80100000");
	put_reg("reg", 0x80100000, 0x1000);
	fdt_end_node(tree);
	fdt_end_node(tree);
}

static void put_soc(void)
{
	static const u32 ranges[] = { 0x1000, 0, 0x10000000, 0x100000 };
	fdt32_t cells[4], reg[2] = { cpu_to_fdt32(0x1200), cpu_to_fdt32(0x100) };

	for (unsigned int i = 0; i < 4; i++)
		cells[i] = cpu_to_fdt32(ranges[i]);
	fdt_begin_node(tree, "soc");
	put_cells(1, 1);
	fdt_property(tree, "ranges", cells, sizeof(cells));
	fdt_begin_node(tree, "serial@1200");
	fdt_property(tree, "compatible", "other,uart\0test,uart", 21);
	fdt_property(tree, "reg", reg, sizeof(reg));
	fdt_end_node(tree);
	fdt_begin_node(tree, "serial@1300");
	fdt_property_string(tree, "compatible", "test,uart");
	fdt_property_string(tree, "status", "disabled");
	fdt_end_node(tree);
	fdt_end_node(tree);
}

static void build_tree(void)
{
	assert_int_equal(fdt_create(tree, sizeof(tree)), 0);
	fdt_add_reservemap_entry(tree, 0x80300000, 0x1000);
	fdt_finish_reservemap(tree);
	fdt_begin_node(tree, "");
	put_cells(2, 2);
	fdt_begin_node(tree, "chosen");
	fdt_property_string(tree, "bootargs", "console=ttyS0 quiet");
	fdt_property_string(tree, "stdout-path", "/soc/serial@1200:115200n8");
	fdt_property_u64(tree, "linux,initrd-start", 0x84000000);
	fdt_property_u64(tree, "linux,initrd-end", 0x84001800);
	fdt_property(tree, "rng-seed", "\1\2\3\4", 4);
	fdt_end_node(tree);
	put_memory();
	fdt_begin_node(tree, "cpus");
	put_cells(1, 0);
	put_cpu("cpu@4", 4, "okay");
	put_cpu("cpu@1", 1, "okay");
	put_cpu("cpu@7", 7, "disabled");
	fdt_end_node(tree);
	put_soc();
	fdt_end_node(tree);
	assert_int_equal(fdt_finish(tree), 0);
}

static int cpu_hwid(const void *fdt, int node, u64 *hwid)
{
	if (!fdt_node_enabled(fdt, node))
		return -ENODEV;
	*hwid = fdt_node_u32(fdt, node, "reg", 0);
	return 0;
}

static void test_scan(void **state)
{
	reset();
	build_tree();
	boot_info.cpu_hwid[0] = 1;
	assert_int_equal(fdt_scan_boot(tree, cpu_hwid), 0);
	boot_finish_memory();
	assert_string_equal(boot_info.cmdline, "console=ttyS0 quiet");
	assert_range(&boot_info.initrd, 0x84000000, 0x1800);
	assert_int_equal(boot_info.ncpus, 2);
	assert_int_equal(boot_info.cpu_hwid[0], 1);
	assert_int_equal(boot_info.cpu_hwid[1], 4);
	assert_int_equal(boot_info.nram, 2);
	assert_range(&boot_info.ram[0], 0x80040000, 0x8000000 - 0x40000);
	/* The tree itself, wherever it is, must be readable. */
	assert_true(boot_info.ram[1].base <= virt_to_phys(tree));
	assert_range(&boot_info.reserved[0], 0x80100000, 0x1000);
	assert_range(&boot_info.reserved[1], 0x80300000, 0x1000);
	assert_range(&boot_info.reserved[2], 0x84000000, 0x2000);
}

static void test_probe(void **state)
{
	paddr_t base;
	u64 size;

	reset();
	build_tree();
	assert_int_equal(fdt_scan_boot(tree, cpu_hwid), 0);
	probes = 0;
	hal_probe_fdt(tree);
	assert_int_equal(probes, 1); /* the disabled one is left alone */
	assert_true(fdt_node_is_stdout(tree, probed_node));
	assert_int_equal(fdt_node_reg(tree, probed_node, 0, &base, &size), 0);
	assert_int_equal(base, 0x10000200);
	assert_int_equal(size, 0x100);
	assert_int_equal(fdt_node_reg(tree, probed_node, 1, &base, &size), -ENOENT);
}

static void test_seed_once(void **state)
{
	u8 seed[8] = { 0 };

	reset();
	build_tree();
	assert_int_equal(fdt_scan_boot(tree, cpu_hwid), 0);
	assert_int_equal(fdt_rng_seed(seed, sizeof(seed)), 4);
	assert_memory_equal(seed, "\1\2\3\4", 4);
	fdt_rng_seed(seed, sizeof(seed));
	assert_memory_equal(seed, "\0\0\0\0", 4); /* wiped */
}

/* Cut or damaged at any byte, the tree is refused or read, and nothing outside of it is touched. */
static void test_damage(void **state)
{
	size_t size;

	build_tree();
	size = fdt_totalsize(tree);
	for (size_t i = 0; i < size; i++) {
		u8 *copy = malloc(size);

		memcpy(copy, tree, size);
		copy[i] ^= 0xff;
		reset();
		if (fdt_totalsize(copy) <= size && fdt_scan_boot(copy, cpu_hwid) == 0) {
			boot_finish_memory();
			hal_probe_fdt(copy);
		}
		free(copy);
	}
}

/* ---- The index of the nodes ---- */

static void expect_same(const void *dtb, size_t size)
{
	void *plain = malloc(size);

	memcpy(plain, dtb, size);
	assert_int_equal(fdt_index(dtb), 0);
	assert_true(fdt_same(plain, dtb, ~0u));
	free(plain);
}

static void test_index_file(void **state)
{
	static const char *const files[] = { "tests/fuzz/corpus/fdt/devices.dtb",
					     "tests/fuzz/corpus/fdt/qemu-virt-riscv64.dtb" };

	for (unsigned int i = 0; i < ARRAY_SIZE(files); i++) {
		static char dtb[65536] __aligned(8);
		FILE *f = fopen(files[i], "rb");
		size_t size;

		assert_non_null(f);
		size = fread(dtb, 1, sizeof(dtb), f);
		fclose(f);
		expect_same(dtb, size);
	}
}

static char odd[1 << 20] __aligned(8);

static void odd_begin(void)
{
	assert_int_equal(fdt_create(odd, sizeof(odd)), 0);
	fdt_finish_reservemap(odd);
	fdt_begin_node(odd, "");
}

static void odd_end(void)
{
	fdt_end_node(odd);
	assert_int_equal(fdt_finish(odd), 0);
	expect_same(odd, fdt_totalsize(odd));
}

/* Cells that cannot be, the old name of phandles, properties of wrong lengths, in all orders. */
static void test_index_odd(void **state)
{
	static const u32 values[] = { 0, 1, 2, 4, 5, 0xffffffff };

	odd_begin();
	for (unsigned int i = 0; i < ARRAY_SIZE(values) * ARRAY_SIZE(values); i++) {
		char name[16];

		snprintf(name, sizeof(name), "bus@%u", i);
		fdt_begin_node(odd, name);
		fdt_property_u32(odd, "#address-cells", values[i % ARRAY_SIZE(values)]);
		fdt_property_u32(odd, "#size-cells", values[i / ARRAY_SIZE(values)]);
		fdt_property_u32(odd, i % 2 ? "linux,phandle" : "phandle", i + 1);
		fdt_property_u32(odd, i % 2 ? "phandle" : "linux,phandle", i / 2 + 1);
		fdt_property(odd, "ranges", "", 0);
		fdt_begin_node(odd, "a");
		fdt_property(odd, "reg", "0123456789abcdef0123456789abcdef", 4 * (i % 9));
		fdt_property(odd, "phandle", "12345678", i % 9);
		fdt_property_string(odd, "status", i % 3 ? "okay" : "fail");
		fdt_property_string(odd, "compatible", i % 3 ? "x" : "y");
		fdt_end_node(odd);
		fdt_end_node(odd);
	}
	fdt_begin_node(odd, "bad-cells");
	fdt_property_u64(odd, "#address-cells", 1);
	fdt_property(odd, "#size-cells", "", 0);
	fdt_begin_node(odd, "a");
	fdt_property_u64(odd, "reg", 1);
	fdt_end_node(odd);
	fdt_end_node(odd);
	odd_end();
}

/* More nodes than there is room for, and deeper ones. */
static void test_index_full(void **state)
{
	odd_begin();
	for (unsigned int i = 0; i < 40; i++) {
		fdt_begin_node(odd, "deep");
		fdt_property_string(odd, "compatible", "x");
	}
	for (unsigned int i = 0; i < 40; i++)
		fdt_end_node(odd);
	fdt_begin_node(odd, "chosen");
	fdt_property_string(odd, "stdout-path", "/deep");
	fdt_end_node(odd);
	odd_end();
	odd_begin();
	for (unsigned int i = 0; i < 1100; i++) {
		char name[16];

		snprintf(name, sizeof(name), "n%u", i);
		fdt_begin_node(odd, name);
		fdt_property_string(odd, "compatible", "test,uart");
		fdt_property_u32(odd, "phandle", i + 1);
		fdt_end_node(odd);
	}
	odd_end();
	probes = 0;
	hal_probe_fdt(odd);
	assert_int_equal(probes, 128); /* as many as are bound */
}

/* ---- Interrupt lines ---- */

static unsigned int unmasked, masked, handled;

static void chip_mask(struct irq_chip *chip, unsigned int hwirq)
{
	masked++;
}

static void chip_unmask(struct irq_chip *chip, unsigned int hwirq)
{
	unmasked++;
}

static void handler(void *arg)
{
	handled += *(unsigned int *)arg;
}

static void test_irq(void **state)
{
	static struct irq_chip chip = { .name = "chip", .mask = chip_mask, .unmask = chip_unmask };
	unsigned int add = 3;
	char text[512];

	hal_irq_chip_register(&chip);
	assert_int_equal(hal_irq_request(&chip, 5, handler, &add, "line"), 0);
	assert_int_equal(hal_irq_request(&chip, 5, handler, &add, "line"), -EBUSY);
	assert_int_equal(unmasked, 1);
	hal_irq_dispatch(&chip, 5);
	assert_int_equal(handled, 3);
	hal_irq_dispatch(&chip, 6); /* nobody's: masked, and may be asked for later */
	assert_int_equal(masked, 1);
	assert_int_equal(hal_irq_request(&chip, 6, handler, &add, "late"), 0);
	hal_irq_dispatch(&chip, 6);
	assert_int_equal(handled, 6);
	boot_info.ncpus = 1;
	assert_true(hal_irq_format_stats(text, sizeof(text)) > 0);
	assert_non_null(strstr(text, "chip 5  line"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges_merge),  cmocka_unit_test(test_too_many_ranges),
		cmocka_unit_test(test_many_reserved), cmocka_unit_test(test_crumbs),
		cmocka_unit_test(test_scan),	      cmocka_unit_test(test_probe),
		cmocka_unit_test(test_seed_once),     cmocka_unit_test(test_damage),
		cmocka_unit_test(test_index_file),    cmocka_unit_test(test_index_odd),
		cmocka_unit_test(test_index_full),    cmocka_unit_test(test_irq),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
