/* SPDX-License-Identifier: MIT */
/* Buses behind bridges, on a model of configuration space: drivers/pci/pci.c. Numbers, windows, places, how interrupts arrive at the first bus. */
#include "test_lib.h"

#include <drivers/pci/pci.h>
#include <hal/io.h>
#include <hal/paging.h>
#include <lib/string.h>
#include <mm/slab.h>

#include "fdt_drivers.h"

#define WINDOW	    0x40000000ULL
#define WINDOW_SIZE 0x1000000ULL
#define MAX_FUNCS   24

enum kind { DEVICE, BRIDGE, PORT_ROOT, PORT_UP, PORT_DOWN, PORT_TO_PCI };

struct func {
	int parent; /* the bridge it is behind, -1: first bus */
	unsigned int devfn;
	enum kind kind;
	u32 bar_size[6]; /* 0: none; of 64 bits if `wide` */
	bool wide;
	u32 config[64];
};

static struct func funcs[MAX_FUNCS];
static int nfuncs;

static struct pci_device found[MAX_FUNCS];
static u64 found_bar[MAX_FUNCS];
static unsigned int nfound;

static int no_probe(const void *fdt, int node)
{
	return 0;
}

FDT_TEST_DRIVER(DRIVER_OTHER, no_probe, "test,none");

/* ---- the model ---- */

static int add(int parent, unsigned int devfn, enum kind kind)
{
	struct func *f = &funcs[nfuncs];

	assert_true(nfuncs < MAX_FUNCS);
	*f = (struct func){ .parent = parent, .devfn = devfn, .kind = kind };
	f->config[0] = 0x10001af4;
	f->config[PCI_INTERRUPT / 4] = 1 << 8; /* INTA */
	if (kind != DEVICE) {
		f->config[0] = 0x00011b36;
		f->config[PCI_HEADER / 4] = 1 << 16;
	}
	if (kind >= PORT_ROOT) {
		f->config[PCI_COMMAND / 4] = PCI_STATUS_CAPABILITIES;
		f->config[PCI_CAPABILITIES / 4] = 0x40;
		f->config[0x10] = PCI_CAP_EXPRESS | (4u + (u32)(kind - PORT_ROOT)) << 20;
	}
	return nfuncs++;
}

/* The bus that a function is on, as the bridges' numbers have it; -1: they do not lead there. */
static int bus_of(const struct func *f)
{
	u32 buses;
	int above;

	if (f->parent < 0)
		return 0;
	buses = funcs[f->parent].config[PCI_BUSES / 4];
	above = bus_of(&funcs[f->parent]);
	if (above < 0 || (int)(buses & 0xff) != above || !(buses >> 8 & 0xff))
		return -1;
	return buses >> 8 & 0xff;
}

/* All bridges above let accesses to its bus through. */
static bool reached(const struct func *f, int bus)
{
	for (int p = f->parent; p >= 0; p = funcs[p].parent) {
		u32 buses = funcs[p].config[PCI_BUSES / 4];

		if (bus < (int)(buses >> 8 & 0xff) || bus > (int)(buses >> 16 & 0xff))
			return false;
	}
	return true;
}

static struct func *func_at(unsigned int bdf)
{
	for (int i = 0; i < nfuncs; i++)
		if (bus_of(&funcs[i]) == (int)(bdf >> 8) && funcs[i].devfn == (bdf & 0xff) &&
		    reached(&funcs[i], (int)(bdf >> 8)))
			return &funcs[i];
	return NULL;
}

static u32 model_read(struct pci_host *host, unsigned int bdf, unsigned int off)
{
	struct func *f = func_at(bdf);

	assert_true(bdf >> 8 <= host->last_bus && off < 256 && !(off & 3));
	return f ? f->config[off / 4] : ~0u;
}

static void model_write(struct pci_host *host, unsigned int bdf, unsigned int off, u32 value)
{
	struct func *f = func_at(bdf);
	unsigned int bar = (off - 0x10) / 4, bars = !f || f->kind == DEVICE ? 6 : 2;

	if (!f)
		return;
	if (off == PCI_COMMAND) /* the status is not written by zeros */
		value |= f->config[off / 4] & 0xffff0000;
	if (off < 0x10 || bar >= bars) {
		f->config[off / 4] = value;
		return;
	}
	if (f->wide && (bar & 1)) {
		f->config[off / 4] = f->bar_size[bar - 1] ? value : 0;
		return;
	}
	f->config[off / 4] =
		f->bar_size[bar] ? (value & -f->bar_size[bar]) | (f->wide ? 4u : 0) : 0;
}

void *hal_ioremap(paddr_t pa, size_t size)
{
	return (void *)pa;
}

int virtio_pci_probe(struct pci_device *dev)
{
	u64 size;

	found[nfound] = *dev;
	found_bar[nfound++] = (u64)pci_map_bar(dev, 0, &size);
	return -ENODEV;
}

void *kzalloc(size_t size, unsigned int gfp)
{
	return calloc(1, size);
}

void kfree(const void *p)
{
	free((void *)p);
}

u64 host_io_read(const volatile void *addr, unsigned int size)
{
	abort();
}

void host_io_write(u64 value, volatile void *addr, unsigned int size)
{
	abort();
}

static struct pci_host host;

static void scan(unsigned int last_bus)
{
	nfound = 0;
	host = (struct pci_host){ .read = model_read,
				  .write = model_write,
				  .last_bus = last_bus,
				  .window = WINDOW,
				  .window_size = WINDOW_SIZE };
	pci_host_scan(&host);
}

/* ---- checks ---- */

static u32 config(int f, unsigned int off)
{
	return funcs[f].config[off / 4];
}

static void window_of(int f, u64 *base, u64 *end)
{
	u32 w = config(f, PCI_MEMORY_WINDOW);

	*base = (u64)(w >> 4 & 0xfff) << 20;
	*end = ((u64)(w >> 20 & 0xfff) << 20) + (1 << 20);
}

/* Whatever has a place lies in the windows of all bridges above, and no two overlap; what is not behind a bridge is in none's window. */
static void assert_places(void)
{
	for (int i = 0; i < nfuncs; i++) {
		u64 at = config(i, PCI_BAR(0)) & ~0xfu, size = funcs[i].bar_size[0];

		if (!size || !at)
			continue;
		assert_true(at >= WINDOW && at + size <= WINDOW + WINDOW_SIZE && at % size == 0);
		for (int b = 0; b < nfuncs; b++) {
			u64 base, end;
			bool above = false;

			for (int p = funcs[i].parent; p >= 0; p = funcs[p].parent)
				above |= p == b;
			if (funcs[b].kind == DEVICE)
				continue;
			window_of(b, &base, &end);
			assert_true(above ? at >= base && at + size <= end
					  : at + size <= base || at >= end || end <= base);
		}
		for (int j = 0; j < i; j++) {
			u64 other = config(j, PCI_BAR(0)) & ~0xfu;

			assert_true(!other || !funcs[j].bar_size[0] || at + size <= other ||
				    other + funcs[j].bar_size[0] <= at);
		}
	}
}

static const struct pci_device *found_at(unsigned int bdf)
{
	for (unsigned int i = 0; i < nfound; i++)
		if (found[i].bdf == bdf)
			return &found[i];
	return NULL;
}

/* Two ports, a switch behind the second, a conventional bridge with one more behind it; devices everywhere. */
static void test_numbers(void **state)
{
	int port, empty, up, down, bridge, inner, outer;

	nfuncs = 0;
	funcs[add(-1, 1 << 3, DEVICE)].bar_size[0] = 0x4000;
	empty = add(-1, 2 << 3, PORT_ROOT);
	port = add(-1, 3 << 3, PORT_ROOT);
	funcs[port].bar_size[0] = 0x1000;
	up = add(port, 0, PORT_UP);
	down = add(up, 5 << 3, PORT_DOWN);
	funcs[add(down, 0, DEVICE)].bar_size[0] = 0x200000;
	bridge = add(-1, 4 << 3, BRIDGE);
	outer = add(bridge, 6 << 3, DEVICE);
	funcs[outer].bar_size[0] = 0x4000;
	funcs[outer].wide = true;
	inner = add(bridge, 7 << 3, BRIDGE);
	funcs[add(inner, 2 << 3, DEVICE)].bar_size[0] = 0x1000;
	scan(255);
	assert_int_equal(config(empty, PCI_BUSES), 0x010100);
	assert_int_equal(config(port, PCI_BUSES), 0x040200);
	assert_int_equal(config(up, PCI_BUSES), 0x040302);
	assert_int_equal(config(down, PCI_BUSES), 0x040403);
	assert_int_equal(config(bridge, PCI_BUSES), 0x060500);
	assert_int_equal(config(inner, PCI_BUSES), 0x060605);
	assert_int_equal(nfound, 4);
	assert_places();
	for (unsigned int i = 0; i < nfound; i++)
		assert_true(found_bar[i] != 0);
	/* Nothing behind it: shut. */
	assert_true((config(empty, PCI_MEMORY_WINDOW) & 0xffff) >
		    config(empty, PCI_MEMORY_WINDOW) >> 16);
	assert_int_equal(config(port, PCI_COMMAND) & 6, 6);
	/* Pins: straight through ports, by the device's number behind a bridge. */
	assert_int_equal(found_at(4 << 8)->root_devfn, 3 << 3);
	assert_int_equal(found_at(4 << 8)->swizzle % 4, 5 % 4);
	assert_int_equal(found_at(4 << 8)->requester, 4 << 8);
	assert_int_equal(found_at(5 << 8 | 6 << 3)->root_devfn, 4 << 3);
	assert_int_equal(found_at(5 << 8 | 6 << 3)->swizzle, 6);
	assert_int_equal(found_at(5 << 8 | 6 << 3)->requester, 4 << 3);
	assert_int_equal(found_at(6 << 8 | 2 << 3)->swizzle, 7 + 2);
	assert_int_equal(found_at(6 << 8 | 2 << 3)->requester, 4 << 3);
	assert_int_equal(found_at(1 << 3)->swizzle, 0);
	assert_int_equal(found_at(1 << 3)->requester, 1 << 3);
}

/* A port to conventional PCI speaks for all behind with its bus's number. */
static void test_to_pci(void **state)
{
	int port, outer;

	nfuncs = 0;
	port = add(-1, 3 << 3, PORT_ROOT);
	outer = add(port, 0, PORT_TO_PCI);
	add(add(outer, 1 << 3, BRIDGE), 4 << 3, DEVICE);
	scan(255);
	assert_int_equal(nfound, 1);
	assert_int_equal(found[0].requester, 2 << 8);
	assert_int_equal(found[0].swizzle, 4 + 1 + 0);
}

/* What firmware has numbered and placed stays as it is. */
static void test_firmware(void **state)
{
	int port, dev;

	nfuncs = 0;
	port = add(-1, 3 << 3, PORT_ROOT);
	dev = add(port, 0, DEVICE);
	funcs[dev].bar_size[0] = 0x1000;
	funcs[port].config[PCI_BUSES / 4] = 0x080700;
	funcs[port].config[PCI_MEMORY_WINDOW / 4] = 0x50105010;
	funcs[dev].config[PCI_BAR(0) / 4] = 0x50100000;
	add(-1, 4 << 3, PORT_ROOT); /* one that it has not seen */
	scan(255);
	assert_int_equal(config(port, PCI_BUSES), 0x080700);
	assert_int_equal(config(port, PCI_MEMORY_WINDOW), 0x50105010);
	assert_int_equal(nfound, 1);
	assert_int_equal(found_bar[0], 0x50100000);
	assert_int_equal(funcs[2].config[PCI_BUSES / 4], 0x090900);
}

/* More bridges than bus numbers, deeper than is looked, more memory than the window has. */
static void test_too_much(void **state)
{
	int last = -1;

	nfuncs = 0;
	for (unsigned int i = 0; i < 6; i++)
		add(add(-1, (i + 1) << 3, PORT_ROOT), 0, DEVICE);
	scan(3);
	assert_int_equal(nfound, 3);
	nfuncs = 0;
	for (unsigned int i = 0; i < 20; i++)
		last = add(last, i ? 0 : 8, BRIDGE);
	add(last, 1 << 3, DEVICE);
	funcs[add(0, 1 << 3, DEVICE)].bar_size[0] = 0x1000;
	scan(255);
	assert_int_equal(nfound, 1);
	assert_true(found_bar[0] != 0);
	nfuncs = 0;
	last = add(-1, 1 << 3, PORT_ROOT);
	funcs[add(last, 0, DEVICE)].bar_size[0] = 0x2000000;
	last = add(-1, 2 << 3, PORT_ROOT);
	funcs[add(last, 0, DEVICE)].bar_size[0] = 0x100000;
	scan(255);
	assert_int_equal(nfound, 2);
	assert_int_equal(found_bar[0], 0); /* none, and none outside of its bridge's window */
	assert_true(found_bar[1] != 0);
	assert_places();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_to_pci),
		cmocka_unit_test(test_firmware),
		cmocka_unit_test(test_too_much),
	};

	return cmocka_run_group_tests_name("pci", tests, NULL, NULL);
}
