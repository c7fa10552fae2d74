/* SPDX-License-Identifier: MIT */
/* Registers of device-tree nodes: what fdt_map_regs() maps and what it refuses. */
#include "fdt_build.h"
#include "fdt_drivers.h"

#include <hal/boot.h>
#include <hal/driver.h>
#include <hal/io.h>
#include <hal/paging.h>

#define RAM	 0x80000000ULL
#define RAM_SIZE 0x10000000ULL
#define SPACE	 0x100000000000ULL /* where devices seem to be mapped */

static unsigned int maps;
static paddr_t mapped_pa;
static u64 mapped_size;
static bool no_room;

static int probe(const void *fdt, int node)
{
	return 0;
}

FDT_TEST_DRIVER(DRIVER_OTHER, probe, "test,none");

void *hal_ioremap(paddr_t pa, size_t size)
{
	maps++;
	mapped_pa = pa;
	mapped_size = size;
	return no_room ? NULL : (void *)(SPACE + pa);
}

u64 host_io_read(const volatile void *addr, unsigned int size)
{
	abort();
}

void host_io_write(u64 value, volatile void *addr, unsigned int size)
{
	abort();
}

static void fresh(void)
{
	memset(&boot_info, 0, sizeof(boot_info));
	boot_add_ram(RAM, RAM_SIZE);
	boot_add_hole(RAM + 0x100000, 0x1000);
	boot_finish_memory();
	maps = 0;
	no_room = false;
}

/* Map a device whose "reg" is @base, @size, of which a driver uses @need bytes. */
static int map(u64 base, u64 size, u64 need, char **regs, struct boot_range *where)
{
	fresh();
	tree_begin(2, 2);
	tree_device("dev", "test,dev", base, size);
	fdt_end_node(tree);
	tree_end();
	return fdt_map_regs(tree, tree_node("/dev"), 0, need, regs, where);
}

static void test_maps(void **state)
{
	struct boot_range where;
	char *regs = NULL;

	assert_int_equal(map(0x10000200, 0x100, 0x100, &regs, &where), 0);
	assert_ptr_equal(regs, SPACE + 0x10000200);
	assert_int_equal(where.base, 0x10000200);
	assert_int_equal(where.size, 0x100);
	assert_int_equal(mapped_pa, 0x10000000); /* whole pages */
	assert_int_equal(mapped_size, 0x1000);
	/* Over a page's end. */
	assert_int_equal(map(0x20000f80, 0x100, 4, &regs, NULL), 0);
	assert_int_equal(mapped_pa, 0x20000000);
	assert_int_equal(mapped_size, 0x2000);
	/* The last bytes that there can be. */
	assert_int_equal(map((1ULL << 48) - 0x1000, 0x1000, 4, &regs, NULL), 0);
	/* Right below RAM, right behind it, and in a hole of it. */
	assert_int_equal(map(RAM - 0x1000, 0x1000, 4, &regs, NULL), 0);
	assert_int_equal(map(RAM + RAM_SIZE, 0x1000, 4, &regs, NULL), 0);
	assert_int_equal(map(RAM + 0x100000, 0x1000, 4, &regs, NULL), 0);
}

static void refused(u64 base, u64 size, u64 need, int err)
{
	char *untouched = (char *)1, *regs = untouched;

	assert_int_equal(map(base, size, need, &regs, NULL), err);
	assert_ptr_equal(regs, untouched);
	assert_int_equal(maps, 0);
}

static void test_refuses(void **state)
{
	refused(0x10000000, 0, 0, -EINVAL); /* none, even for a driver that uses none */
	refused(0x10000000, 0, 4, -EINVAL);
	refused(0x10000000, 0xff, 0x100, -EINVAL);
	refused(0x10000000, 0x100, U64_MAX, -EINVAL);
	refused(U64_MAX - 0xff, 0x1000, 4, -EFAULT); /* wraps */
	refused(U64_MAX, U64_MAX, 4, -EFAULT);
	refused(0, U64_MAX, 4, -EFAULT);
	refused(0x1000, 1ULL << 48, 4, -EFAULT);
	refused(0x1000, RAM, 4,
		-EFAULT); /* far enough to reach RAM, though that part is not used */
	refused(1ULL << 48, 0x1000, 4, -EFAULT); /* no page-table entry can say it */
	refused((1ULL << 48) - 0x1000, 0x1001, 4, -EFAULT);
	refused(RAM, 0x1000, 4, -EFAULT);
	refused(RAM + RAM_SIZE - 1, 0x1000, 4, -EFAULT);
	refused(RAM - 0x1000, 0x1001, 4, -EFAULT);
	refused(RAM + 0x100000, 0x1001, 4, -EFAULT); /* larger than the hole */
	refused(RAM - 0x1000, RAM_SIZE + 0x2000, 4, -EFAULT);
}

/* The kernel's room for devices is not given to a single one. */
static void test_huge(void **state)
{
	struct boot_range where;
	char *regs;

	assert_int_equal(map(0x1000000000, 1ULL << 40, 4, &regs, &where), 0);
	assert_int_equal(where.size, 64 << 20);
	assert_int_equal(mapped_size, 64 << 20);
	refused(0x1000000000, 1ULL << 40, (64 << 20) + 1, -EINVAL);
}

static void test_no_room(void **state)
{
	char *regs = NULL;

	fresh();
	tree_begin(2, 2);
	tree_device("dev", "test,dev", 0x77000000, 0x1000);
	fdt_end_node(tree);
	tree_end();
	no_room = true;
	assert_int_equal(fdt_map_regs(tree, tree_node("/dev"), 0, 4, &regs, NULL), -ENOMEM);
	no_room = false;
	assert_int_equal(fdt_map_regs(tree, tree_node("/dev"), 0, 4, &regs, NULL), 0);
}

/* Devices of one page share its mapping; so does one that is mapped again. */
static void test_shared(void **state)
{
	char *a, *b;

	fresh();
	tree_begin(2, 2);
	tree_device("a", "test,dev", 0x60000000, 0x200);
	fdt_end_node(tree);
	tree_device("b", "test,dev", 0x60000200, 0x200);
	fdt_end_node(tree);
	tree_end();
	assert_int_equal(fdt_map_regs(tree, tree_node("/a"), 0, 4, &a, NULL), 0);
	assert_int_equal(fdt_map_regs(tree, tree_node("/b"), 0, 4, &b, NULL), 0);
	assert_int_equal(fdt_map_regs(tree, tree_node("/a"), 0, 4, &a, NULL), 0);
	assert_int_equal(maps, 1);
	assert_int_equal(b - a, 0x200);
}

/* A parent without #address-cells has 2 and 1, says the specification; with impossible ones, or without ranges, there is no address. */
static void test_cells(void **state)
{
	struct boot_range where;
	char *regs;

	fresh();
	tree_begin(0, 1);
	fdt_begin_node(tree, "dev");
	TREE_WORDS("reg", 0, 0x30000000, 0x1000);
	fdt_end_node(tree);
	fdt_begin_node(tree, "short");
	TREE_WORDS("reg", 0x30000000, 0x1000);
	fdt_end_node(tree);
	fdt_begin_node(tree, "none");
	fdt_end_node(tree);
	fdt_begin_node(tree, "bus");
	fdt_property_u32(tree, "#address-cells", 9);
	fdt_property_u32(tree, "#size-cells", 1);
	fdt_property(tree, "ranges", "", 0);
	fdt_begin_node(tree, "dev");
	TREE_WORDS("reg", 0, 0, 0, 0, 0, 0, 0, 0, 0x30000000, 0x1000);
	fdt_end_node(tree);
	fdt_end_node(tree);
	fdt_begin_node(tree, "island");
	fdt_property_u32(tree, "#address-cells", 1);
	fdt_property_u32(tree, "#size-cells", 1);
	fdt_begin_node(tree, "dev");
	TREE_WORDS("reg", 0x30000000, 0x1000);
	fdt_end_node(tree);
	fdt_end_node(tree);
	tree_end();
	assert_int_equal(fdt_map_regs(tree, tree_node("/dev"), 0, 4, &regs, &where), 0);
	assert_int_equal(where.base, 0x30000000);
	assert_int_equal(fdt_map_regs(tree, tree_node("/dev"), 1, 4, &regs, &where), -ENOENT);
	assert_int_equal(fdt_map_regs(tree, tree_node("/short"), 0, 4, &regs, &where), -ENOENT);
	assert_int_equal(fdt_map_regs(tree, tree_node("/none"), 0, 4, &regs, &where), -ENOENT);
	assert_int_equal(fdt_map_regs(tree, tree_node("/bus/dev"), 0, 4, &regs, &where), -EINVAL);
	assert_int_equal(fdt_map_regs(tree, tree_node("/island/dev"), 0, 4, &regs, &where),
			 -EINVAL);
	assert_int_equal(fdt_map_regs(tree, 0, 0, 4, &regs, &where), -EINVAL); /* the root */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_maps),   cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_huge),   cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_shared), cmocka_unit_test(test_cells),
	};

	return cmocka_run_group_tests_name("fdt_regs", tests, NULL, NULL);
}
