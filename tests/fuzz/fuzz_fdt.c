/* SPDX-License-Identifier: MIT */
/*
 * Feed any bytes to the device-tree code as a tree: scanning it for memory and CPUs, finding drivers, addresses and interrupts. Whatever it
 * says, the memory ranges come out sorted and apart, and real drivers are probed by it: none of them may touch a register outside of the
 * window that it mapped, nor map one that lies in RAM. What the registers hold is taken from the input's end, over and over.
 */
#include "../host/fdt_same.h"

#include <stdlib.h>

#include <err.h>
#include <hal/boot.h>
#include <hal/console.h>
#include <hal/driver.h>
#include <hal/irq.h>
#include <hal/power.h>
#include <hal/timer.h>
#include <hal/upcall.h>
#include <lib/string.h>
#include <libfdt.h>
#include <mm/slab.h>

#define CHECK(condition) do { if (!(condition)) abort(); } while (0)

#define SPACE	    0x1000000000000000ULL
#define MAX_WINDOWS 1024

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* ---- registers ---- */

static struct boot_range windows[MAX_WINDOWS];
static unsigned int nwindows;
static const u8 *values;
static size_t nvalues, next_value;
static u64 now;

int __real_fdt_map_regs(const void *fdt, int node, unsigned int index, u64 need, char **regs,
			struct boot_range *where);
int __wrap_fdt_map_regs(const void *fdt, int node, unsigned int index, u64 need, char **regs,
			struct boot_range *where);

int __wrap_fdt_map_regs(const void *fdt, int node, unsigned int index, u64 need, char **regs,
			struct boot_range *where)
{
	struct boot_range w;
	int err = __real_fdt_map_regs(fdt, node, index, need, regs, &w);

	if (err)
		return err;
	CHECK(w.size >= need && w.size && w.base + w.size > w.base);
	CHECK(*regs == (char *)(SPACE + w.base));
	for (unsigned int i = 0; i < boot_info.nram; i++)
		CHECK(w.base >= boot_info.ram[i].base + boot_info.ram[i].size ||
		      w.base + w.size <= boot_info.ram[i].base);
	if (nwindows == MAX_WINDOWS)
		return -ENOMEM;
	windows[nwindows++] = w;
	if (where)
		*where = w;
	return 0;
}

void *hal_ioremap(paddr_t pa, size_t size)
{
	return (void *)(SPACE + pa);
}

static void check_access(const volatile void *addr, unsigned int size)
{
	u64 at = (u64)addr - SPACE;

	for (unsigned int i = 0; i < nwindows; i++)
		if (at >= windows[i].base && at - windows[i].base <= windows[i].size - size &&
		    size <= windows[i].size)
			return;
	abort();
}

u64 host_io_read(const volatile void *addr, unsigned int size)
{
	u64 v = 0;

	check_access(addr, size);
	for (unsigned int i = 0; i < size && nvalues; i++)
		v = v << 8 | values[next_value++ % nvalues];
	return v;
}

void host_io_write(u64 value, volatile void *addr, unsigned int size)
{
	check_access(addr, size);
}

/* ---- what the drivers find around them ---- */

u64 hal_clock_ns(void)
{
	return now += 1000000; /* waits are short */
}

static u8 heap[1 << 20] __aligned(64);
static size_t heap_used;

void *kzalloc(size_t size, unsigned int gfp)
{
	void *p = heap + heap_used;

	size = ALIGN_UP(size, 64UL);
	if (size > sizeof(heap) - heap_used)
		return NULL;
	heap_used += size;
	return memset(p, 0, size);
}

void kfree(const void *p)
{
}

bool upcall_console_rx(u8 byte)
{
	return true;
}

void hal_rtc_register(u64 (*read)(void))
{
	(void)read();
}

void hal_power_register(enum hal_power_rank rank, void (*off)(int code), void (*reset)(void))
{
	if (off)
		off(1);
	if (reset)
		reset();
}

void hal_power_wait_ms(u32 ms)
{
}

bool hal_timer_wanted(void)
{
	return true;
}

void hal_timer_register(void (*set)(u64 deadline_ns))
{
	set(now + 100000);
	set(U64_MAX);
}

void upcall_timer(void)
{
}

extern u8 __start_driver_bss[], __stop_driver_bss[], __start_driver_data[], __stop_driver_data[];

/* Over the gaps that the sanitizer leaves between variables. @from NULL: zeros. */
__attribute__((no_sanitize("address"))) static void raw_copy(volatile u8 *to,
							     const volatile u8 *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = from ? from[i] : 0;
}

/* The drivers' variables as they are before the first probe. */
static void reset_drivers(void)
{
	static u8 *data;
	size_t size = __stop_driver_data - __start_driver_data;

	if (!data) {
		data = malloc(size);
		raw_copy(data, __start_driver_data, size);
	}
	raw_copy(__start_driver_data, data, size);
	raw_copy(__start_driver_bss, NULL, __stop_driver_bss - __start_driver_bss);
	nwindows = 0;
	heap_used = next_value = 0;
}

/* ---- the tree ---- */

static int cpu_hwid(const void *fdt, int node, u64 *hwid)
{
	paddr_t id;
	u64 none;
	int err = fdt_node_enabled(fdt, node) ? fdt_node_reg(fdt, node, 0, &id, &none) : -1;

	*hwid = err ? 0 : id;
	return err;
}

static void check_sorted(const struct boot_range *list, unsigned int n)
{
	CHECK(n <= BOOT_MAX_RANGES);
	for (unsigned int i = 0; i + 1 < n; i++)
		CHECK(list[i].base + list[i].size <= list[i + 1].base);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	size_t length;
	u8 *fdt;

	/* The loader promises that there is a header, and as much as it says. */
	if (size < sizeof(struct fdt_header) || fdt_totalsize(data) > size)
		return 0;
	length = max((size_t)fdt_totalsize(data), sizeof(struct fdt_header));
	fdt = malloc(length);
	memcpy(fdt, data, length);
	values = data + size / 2;
	nvalues = size - size / 2;
	memset(&boot_info, 0, sizeof(boot_info));
	host_image_offset =
		((unsigned long)windows & ~0xfffffUL) - 0x10000000; /* in the first GiB */
	reset_drivers();
	if (fdt_scan_boot(fdt, cpu_hwid) == 0) {
		boot_finish_memory();
		check_sorted(boot_info.ram, boot_info.nram);
		check_sorted(boot_info.reserved, boot_info.nreserved);
		CHECK(boot_info.ncpus >= 1 && boot_info.ncpus <= CONFIG_NR_CPUS);
		CHECK(strnlen(boot_info.cmdline, BOOT_CMDLINE_MAX) < BOOT_CMDLINE_MAX);
		CHECK(fdt_same(data, fdt, 24));
		hal_probe_fdt(fdt);
	}
	free(fdt);
	return 0;
}
