/* SPDX-License-Identifier: MIT */
/*
 * Binding drivers to devices of the device tree.
 *
 * FDT_DRIVER(name) = { .compatible = (const char *const[]){ "vendor,dev", NULL }, .level = ..., .probe = f };
 * places a record in the section fdt_drivers. hal/common/fdt.c finds the driver of each enabled node by the
 * first string of its compatible list that any driver knows, and calls probe level by level, in tree order. On x86_64 the crate probes from ACPI and calls the same drivers' init functions.
 */
#ifndef HAL_DRIVER_H
#define HAL_DRIVER_H

#include <compiler.h>
#include <hal/boot.h>
#include <types.h>

enum driver_level {
	DRIVER_MSI,
	DRIVER_IRQCHIP,
	DRIVER_TIMER,
	DRIVER_SERIAL,
	DRIVER_OTHER,
	DRIVER_LEVELS
};

struct fdt_driver {
	const char *name;
	const char *const *compatible; /* NULL-terminated */
	enum driver_level level;
	/* Return 0, or -Exxx (reported; boot goes on). */
	int (*probe)(const void *fdt, int node);
};

#define FDT_DRIVER(sym) static const struct fdt_driver sym __section("fdt_drivers") __aligned(8) __attribute__((used))

/** hal_probe_fdt() - bind all drivers. Boot CPU, interrupts off for the irqchip and timer levels. */
void hal_probe_fdt(const void *fdt);

/**
 * hal_probe_devices() - provided by the crate: bind drivers to what the machine's tables list. Device-tree machines
 * call hal_probe_fdt(boot_info.fdt) and register what is not in the tree (PSCI or SBI power off).
 * Context: boot CPU, once, after hal_paging_init() and hal_percpu_init(), interrupts off.
 */
void hal_probe_devices(void);

/* Helpers over libfdt (hal/common/fdt.c). */
/** fdt_node_reg() - entry @index of "reg", translated through parents' ranges to a CPU physical address. 0 or -ENOENT/-EINVAL. */
int fdt_node_reg(const void *fdt, int node, unsigned int index, paddr_t *base, u64 *size);
/**
 * fdt_regs_window() - where the registers of entry @index of "reg" are: at least @need bytes, at addresses that there can be, not in RAM.
 * What is beyond 64 MiB is left out. Context: device probing; before the RAM is known that is not looked at.
 * Return: 0; -ENOENT: no such entry; -EINVAL: not a "reg", or too small; -EFAULT: cannot be there.
 */
int fdt_regs_window(const void *fdt, int node, unsigned int index, u64 need,
		    struct boot_range *where);
/**
 * fdt_map_regs() - map that window, for good. @need: bytes of the registers that the driver uses. @regs: set on success only;
 * @where: the window, or NULL. Return: as fdt_regs_window(), or -ENOMEM. Context: device probing.
 */
int fdt_map_regs(const void *fdt, int node, unsigned int index, u64 need, char **regs,
		 struct boot_range *where);
/** fdt_node_u32() - a u32 property, or @def. */
u32 fdt_node_u32(const void *fdt, int node, const char *name, u32 def);
bool fdt_node_enabled(const void *fdt, int node);
/** fdt_node_is_stdout() - /chosen stdout-path names this node. */
bool fdt_node_is_stdout(const void *fdt, int node);
/** fdt_node_is_compatible() - "compatible" lists this string. */
bool fdt_node_is_compatible(const void *fdt, int node, const char *compatible);
/** fdt_node_parent(), fdt_node_by_phandle() - a node's parent, the node with a phandle, or -ENOENT; without libfdt's walk of the tree. */
int fdt_node_parent(const void *fdt, int node);
int fdt_node_by_phandle(const void *fdt, u32 phandle);
/**
 * fdt_index() - check the whole tree and make an index of its nodes, from which the functions here are answered. They work without one, slowly.
 * Context: boot CPU, first of all. Return: 0, -EINVAL: it is damaged.
 */
int fdt_index(const void *fdt);
/** fdt_find_compatible() - the first node behind @node (-1: of all) whose "compatible" lists the string, or -ENOENT. */
int fdt_find_compatible(const void *fdt, int node, const char *compatible);
/** fdt_find_top() - the root's child of this name, or -ENOENT. */
int fdt_find_top(const void *fdt, const char *name);
/** fdt_next_child() - the child of @parent behind @child (-1: the first), or -ENOENT. */
int fdt_next_child(const void *fdt, int parent, int child);
#define fdt_for_each_child(child, fdt, parent)                                                     \
	for ((child) = fdt_next_child(fdt, parent, -1); (child) >= 0;                              \
	     (child) = fdt_next_child(fdt, parent, child))
/** fdt_find_phandle() - the node that the u32 at index @cell of property @prop points to, or -ENOENT. */
int fdt_find_phandle(const void *fdt, int node, const char *prop, unsigned int cell);
/** fdt_cpu_of_intc() - the logical CPU whose node holds the local interrupt controller with this phandle, or -ENOENT. */
int fdt_cpu_of_intc(const void *fdt, u32 phandle);
/** fdt_rng_seed() - copy /chosen rng-seed, at most @n bytes, and wipe it from the tree. Returns bytes. */
size_t fdt_rng_seed(u8 *buf, size_t n);
/** fdt_scan_boot() - fill boot_info from the tree: memory, reserved-memory, memreserve, chosen (bootargs, initrd, rng-seed), cpus. @fdt is checked first (size, header). 0 or -EINVAL with a line on the early console.
 *  The crate sets boot_info.cpu_hwid[0] to the boot CPU's id first; the others follow in tree order. @cpu_hwid returns 0 and the id of a
 *  /cpus/cpu node, or -ENODEV for one that cannot be started. The tree itself is added to the reserved ranges if @fdt is a linear-map address. */
int fdt_scan_boot(const void *fdt, int (*cpu_hwid)(const void *fdt, int node, u64 *hwid));

#endif
