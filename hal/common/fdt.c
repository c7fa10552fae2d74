/* SPDX-License-Identifier: MIT */
/*
 * The flattened device tree: what boot_info needs from it, and binding drivers to its nodes.
 *
 *	fdt_index()		the crate, first of all
 *	fdt_scan_boot()		the crate, when it has an early console
 *	hal_probe_fdt()		from the crate's hal_probe_devices()
 *	fdt_node_*()		drivers, while probing
 *
 * The tree comes from firmware and may be corrupt: it is checked as a whole once (fdt_check_full), and
 * every value is checked for its length where it is used.
 * Source: Devicetree Specification 0.4; Linux Documentation/devicetree/bindings/{chosen,reserved-memory}.
 *
 * libfdt finds parents, phandles and names by walking the tree from its start, a call for each byte of a name. An index of
 * the nodes, made once, saves that; nodes beyond FDT_MAX_NODES are still found the slow way.
 *
 * No locking: boot CPU only.
 */
#include <compiler.h>
#include <err.h>
#include <hal/boot.h>
#include <hal/console.h>
#include <hal/driver.h>
#include <hal/paging.h>
#include <hal/upcall.h>
#include <lib/string.h>
#include <libfdt.h>

#define FDT_MAX_SIZE  (16UL << 20)
#define EFI_MAP_REACH (1UL << 20)
#define FDT_MAX_NODES 1024
#define FDT_MAX_DEPTH 16
#define FDT_MAX_BINDINGS 128

extern const struct fdt_driver __drivers_start[], __drivers_end[];

static void early_puts(const char *s)
{
	hal_console_write(s, strlen(s));
}

/* ---- Nodes ---- */

/* The properties that the index has; of those before NAME_PHANDLE where they are. */
enum known_name {
	NAME_COMPATIBLE,
	NAME_REG,
	NAME_STATUS,
	NAME_DEVICE_TYPE,
	NAME_PHANDLE,
	NAME_OLD_PHANDLE,
	NAME_ADDRESS_CELLS,
	NAME_SIZE_CELLS,
	NAME_OTHER
};

static const char *const known_names[NAME_OTHER] = {
	[NAME_COMPATIBLE] = "compatible",
	[NAME_REG] = "reg",
	[NAME_STATUS] = "status",
	[NAME_DEVICE_TYPE] = "device_type",
	[NAME_PHANDLE] = "phandle",
	[NAME_OLD_PHANDLE] = "linux,phandle",
	[NAME_ADDRESS_CELLS] = "#address-cells",
	[NAME_SIZE_CELLS] = "#size-cells",
};

struct fdt_node {
	int offset;		 /* in the tree; ascending */
	int parent;		 /* offset of the parent, -1 for the root */
	int place[NAME_PHANDLE]; /* offsets of properties, 0: it has not */
	u32 phandle;
	u8 address_cells, size_cells; /* what its children have in "reg"; BAD_CELLS */
	u8 seen;		      /* a bit for each name from NAME_PHANDLE on */
};

#define DEFAULT_ADDRESS_CELLS 2
#define DEFAULT_SIZE_CELLS    1
#define BAD_CELLS	      0xff

static struct fdt_node nodes[FDT_MAX_NODES];
static unsigned int nnodes;
static bool index_is_whole;
static const void *indexed;
static int stdout_node;
static const void *fresh; /* has an index that fdt_scan_boot() has not used yet */

/* A tree has few names and many properties: what was found of a name is kept by its place among the strings. */
#define NAME_SLOTS 64

static struct name_slot {
	int offset; /* and 1, 0: unused */
	enum known_name name;
} name_slots[NAME_SLOTS] __initdata;

static enum known_name __init name_of(const void *fdt, int offset)
{
	struct name_slot *slot = &name_slots[(unsigned int)offset / 2 % NAME_SLOTS];
	const char *text;

	if (slot->offset == offset + 1)
		return slot->name;
	*slot = (struct name_slot){ offset + 1, NAME_OTHER };
	text = fdt_string(fdt, offset);
	for (unsigned int i = 0; text && i < NAME_OTHER; i++)
		if (strcmp(text, known_names[i]) == 0)
			slot->name = (enum known_name)i;
	return slot->name;
}

/* A property whose value is one cell; @value is U32_MAX, which none may have, if its length is another. */
static void __init note_number(struct fdt_node *n, enum known_name name, u32 value)
{
	u8 bit = (u8)(1u << (name - NAME_PHANDLE));
	u8 cells = value <= FDT_MAX_NCELLS ? (u8)value : BAD_CELLS;

	if (n->seen & bit)
		return;
	n->seen |= bit;
	if (name == NAME_ADDRESS_CELLS)
		n->address_cells = cells ? cells : BAD_CELLS;
	else if (name == NAME_SIZE_CELLS)
		n->size_cells = cells;
	else if (value != U32_MAX && (name == NAME_PHANDLE || !n->phandle))
		n->phandle = value;
}

/* @tag: the property's words: tag, length, place of its name, value. */
static void __init note_property(struct fdt_node *n, const void *fdt, int offset,
				 const fdt32_t *tag)
{
	enum known_name name = name_of(fdt, (int)fdt32_to_cpu(tag[2]));

	if (name == NAME_OTHER)
		return;
	if (name >= NAME_PHANDLE)
		note_number(n, name, fdt32_to_cpu(tag[1]) == 4 ? fdt32_to_cpu(tag[3]) : U32_MAX);
	else if (!n->place[name]) /* one that is there twice means the first */
		n->place[name] = offset;
}

/* Begin a node at @offset, whose name is what follows. NULL: no more room. */
static struct fdt_node *__init index_add(int offset, int parent)
{
	if (nnodes == FDT_MAX_NODES)
		return NULL;
	nodes[nnodes] = (struct fdt_node){
		.offset = offset,
		.parent = parent,
		.address_cells = DEFAULT_ADDRESS_CELLS,
		.size_cells = DEFAULT_SIZE_CELLS,
	};
	return &nodes[nnodes++];
}

/*
 * One walk over a tree that was checked. Properties come before a node's children; later ones libfdt does not see either.
 * Trees before version 16, which pad values otherwise, have no index.
 */
static void __init index_nodes(const void *fdt)
{
	const char *tags = (const char *)fdt + fdt_off_dt_struct(fdt);
	int path[FDT_MAX_DEPTH + 1] = { -1 };
	int depth = 0, at = 0;
	struct fdt_node *n = NULL;

	if (fdt_version(fdt) < 16)
		return;
	for (;;) {
		const fdt32_t *tag = (const fdt32_t *)(tags + at);
		int begin = at;

		at += FDT_TAGSIZE;
		switch (fdt32_to_cpu(tag[0])) {
		case FDT_BEGIN_NODE:
			n = depth < FDT_MAX_DEPTH ? index_add(begin, path[depth]) : NULL;
			if (!n)
				return;
			path[++depth] = begin;
			at = (int)ALIGN_UP(at + strlen(tags + at) + 1, (size_t)FDT_TAGSIZE);
			break;
		case FDT_PROP:
			at = (int)ALIGN_UP((size_t)at + 8 + fdt32_to_cpu(tag[1]),
					   (size_t)FDT_TAGSIZE);
			if (n)
				note_property(n, fdt, begin, tag);
			break;
		case FDT_END_NODE:
			n = NULL;
			depth--;
			break;
		case FDT_NOP:
			break;
		default:
			index_is_whole = true;
			return;
		}
	}
}

static const struct fdt_node *find_indexed(const void *fdt, int node)
{
	unsigned int low = 0, high = fdt == indexed ? nnodes : 0;

	while (low < high) {
		unsigned int mid = (low + high) / 2;

		if (nodes[mid].offset == node)
			return &nodes[mid];
		if (nodes[mid].offset < node)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* A property whose place the index has. */
static const void *find_property(const void *fdt, int node, enum known_name name, int *len)
{
	const struct fdt_node *n = find_indexed(fdt, node);

	if (!n)
		return fdt_getprop(fdt, node, known_names[name], len);
	return n->place[name] ? fdt_getprop_by_offset(fdt, n->place[name], NULL, len) : NULL;
}

int fdt_node_parent(const void *fdt, int node)
{
	const struct fdt_node *n = find_indexed(fdt, node);

	if (n)
		return n->parent >= 0 ? n->parent : -ENOENT;
	node = fdt_parent_offset(fdt, node);
	return node >= 0 ? node : -ENOENT;
}

static bool is_whole(const void *fdt)
{
	return fdt == indexed && index_is_whole;
}

int fdt_node_by_phandle(const void *fdt, u32 phandle)
{
	int node;

	if (fdt == indexed)
		for (unsigned int i = 0; i < nnodes; i++)
			if (nodes[i].phandle == phandle && phandle)
				return nodes[i].offset;
	node = is_whole(fdt) ? -1 : fdt_node_offset_by_phandle(fdt, phandle);
	return node >= 0 ? node : -ENOENT;
}

int fdt_next_child(const void *fdt, int parent, int child)
{
	const struct fdt_node *n;

	if (!is_whole(fdt)) {
		child = child < 0 ? fdt_first_subnode(fdt, parent) : fdt_next_subnode(fdt, child);
		return child >= 0 ? child : -ENOENT;
	}
	n = find_indexed(fdt, child < 0 ? parent : child);
	while (n && ++n < nodes + nnodes)
		if (n->parent == parent)
			return n->offset;
	return -ENOENT;
}

/* Of a tree that was checked the name is what follows the tag. */
static const char *name_text(const void *fdt, int node)
{
	if (is_whole(fdt))
		return (const char *)fdt + fdt_off_dt_struct(fdt) + node + FDT_TAGSIZE;
	return fdt_get_name(fdt, node, NULL);
}

int fdt_find_top(const void *fdt, const char *name)
{
	int node;

	fdt_for_each_child(node, fdt, 0)
	{
		const char *its = name_text(fdt, node);

		if (its && strcmp(its, name) == 0)
			return node;
	}
	return -ENOENT;
}

/* ---- Properties ---- */

/* A number of @cells 32-bit cells (0, 1, 2; more: only the low 64 bits count). */
static u64 read_cells(const fdt32_t *p, unsigned int cells)
{
	u64 v = 0;

	for (unsigned int i = 0; i < cells; i++)
		v = v << 32 | fdt32_to_cpu(p[i]);
	return v;
}

u32 fdt_node_u32(const void *fdt, int node, const char *name, u32 def)
{
	int len;
	const fdt32_t *p = fdt_getprop(fdt, node, name, &len);

	return p && len >= 4 ? fdt32_to_cpu(*p) : def;
}

bool fdt_node_enabled(const void *fdt, int node)
{
	int len;
	const char *status = find_property(fdt, node, NAME_STATUS, &len);

	if (!status)
		return true;
	return fdt_stringlist_contains(status, len, "okay") ||
	       fdt_stringlist_contains(status, len, "ok");
}

bool fdt_node_is_compatible(const void *fdt, int node, const char *compatible)
{
	int len;
	const char *list = find_property(fdt, node, NAME_COMPATIBLE, &len);

	return list && fdt_stringlist_contains(list, len, compatible);
}

int fdt_find_compatible(const void *fdt, int node, const char *compatible)
{
	const struct fdt_node *n = is_whole(fdt) ? nodes : NULL;

	if (!n) {
		node = fdt_node_offset_by_compatible(fdt, node, compatible);
		return node >= 0 ? node : -ENOENT;
	}
	for (; n < nodes + nnodes; n++)
		if (n->offset > node && n->place[NAME_COMPATIBLE] &&
		    fdt_node_is_compatible(fdt, n->offset, compatible))
			return n->offset;
	return -ENOENT;
}

int fdt_find_phandle(const void *fdt, int node, const char *prop, unsigned int cell)
{
	int len;
	const fdt32_t *p = fdt_getprop(fdt, node, prop, &len);

	if (!p || cell >= (unsigned int)len / 4)
		return -ENOENT;
	return fdt_node_by_phandle(fdt, fdt32_to_cpu(p[cell]));
}

/* ---- Addresses ---- */

struct bus_cells {
	unsigned int addr, size;
};

/* What "reg" of @bus's children looks like. */
static int bus_cells_of(const void *fdt, int bus, struct bus_cells *c)
{
	const struct fdt_node *n = find_indexed(fdt, bus);
	int addr = n ? n->address_cells : fdt_address_cells(fdt, bus);
	int size = n ? n->size_cells : fdt_size_cells(fdt, bus);

	if (addr < 1 || addr == BAD_CELLS || size < 0 || size == BAD_CELLS)
		return -EINVAL;
	c->addr = (unsigned int)addr;
	c->size = (unsigned int)size;
	return 0;
}

/* Translate *addr from the address space below @bus into that above it, by its "ranges". */
static int translate_one(const void *fdt, int bus, int parent, u64 *addr)
{
	struct bus_cells in, out;
	int len;
	const fdt32_t *p = fdt_getprop(fdt, bus, "ranges", &len);
	unsigned int entry, n;

	if (!p)
		return -EINVAL; /* not visible from above */
	if (len == 0)
		return 0;
	if (bus_cells_of(fdt, bus, &in) || bus_cells_of(fdt, parent, &out))
		return -EINVAL;
	entry = in.addr + out.addr + in.size;
	n = (unsigned int)len / 4 / entry;
	for (; n > 0; n--, p += entry) {
		u64 from = read_cells(p, in.addr);
		u64 to = read_cells(p + in.addr, out.addr);
		u64 size = read_cells(p + in.addr + out.addr, in.size);

		if (*addr >= from && *addr - from < size) {
			*addr = *addr - from + to;
			return 0;
		}
	}
	return -EINVAL;
}

static int translate_up(const void *fdt, int bus, u64 *addr)
{
	while (bus > 0) {
		int parent = fdt_node_parent(fdt, bus);

		if (parent < 0 || translate_one(fdt, bus, parent, addr))
			return -EINVAL;
		bus = parent;
	}
	return 0;
}

/* Entry @index of "reg" as it stands, in the address space of @bus. */
static int reg_entry(const void *fdt, int node, int bus, unsigned int index, u64 *base, u64 *size)
{
	struct bus_cells c;
	int len;
	const fdt32_t *p = find_property(fdt, node, NAME_REG, &len);
	unsigned int entry;

	if (!p)
		return -ENOENT;
	if (bus_cells_of(fdt, bus, &c))
		return -EINVAL;
	entry = c.addr + c.size;
	if (index >= (unsigned int)len / 4 / entry)
		return -ENOENT;
	p += index * entry;
	*base = read_cells(p, c.addr);
	*size = read_cells(p + c.addr, c.size);
	return 0;
}

int fdt_node_reg(const void *fdt, int node, unsigned int index, paddr_t *base, u64 *size)
{
	int bus = fdt_node_parent(fdt, node);
	u64 addr, len;
	int err;

	if (bus < 0)
		return -EINVAL;
	err = reg_entry(fdt, node, bus, index, &addr, &len);
	if (!err)
		err = translate_up(fdt, bus, &addr);
	if (err)
		return err;
	*base = addr;
	if (size)
		*size = len;
	return 0;
}

/* ---- /chosen ---- */

static int chosen_node(const void *fdt)
{
	return fdt_find_top(fdt, "chosen");
}

static int find_stdout(const void *fdt)
{
	int chosen = chosen_node(fdt);
	const char *path;
	int len;

	if (chosen < 0)
		return -ENOENT;
	path = fdt_getprop(fdt, chosen, "stdout-path", &len);
	if (!path || len < 1 || path[len - 1] != '\0')
		return -ENOENT;
	return fdt_path_offset_namelen(fdt, path, (int)strcspn(path, ":"));
}

bool fdt_node_is_stdout(const void *fdt, int node)
{
	return node == (fdt == indexed ? stdout_node : find_stdout(fdt));
}

size_t fdt_rng_seed(u8 *buf, size_t n)
{
	void *fdt = (void *)boot_info.fdt;
	int chosen = fdt ? chosen_node(fdt) : -1;
	u8 *seed;
	int len;

	if (chosen < 0)
		return 0;
	seed = fdt_getprop_w(fdt, chosen, "rng-seed", &len);
	if (!seed || len <= 0)
		return 0;
	n = min(n, (size_t)len);
	memcpy(buf, seed, n);
	memzero_explicit(seed, (size_t)len);
	return n;
}

static int __init chosen_address(const void *fdt, int chosen, const char *name, u64 *out)
{
	int len;
	const fdt32_t *p = fdt_getprop(fdt, chosen, name, &len);

	if (!p || (len != 4 && len != 8))
		return -ENOENT;
	*out = read_cells(p, (unsigned int)len / 4);
	return 0;
}

static void __init scan_chosen(const void *fdt)
{
	int chosen = chosen_node(fdt);
	const char *args;
	u64 start, end;
	int len;

	if (chosen < 0)
		return;
	args = fdt_getprop(fdt, chosen, "bootargs", &len);
	if (args && len > 0 && args[len - 1] == '\0' &&
	    strscpy(boot_info.cmdline, args, sizeof(boot_info.cmdline)) < 0)
		early_puts("boot: command line too long, cut\r\n");
	if (chosen_address(fdt, chosen, "linux,initrd-start", &start) == 0 &&
	    chosen_address(fdt, chosen, "linux,initrd-end", &end) == 0 && end > start) {
		boot_info.initrd = (struct boot_range){ start, end - start };
		boot_add_reserved(start, end - start);
	}
}

/* ---- Memory and CPUs ---- */

static bool __init has_device_type(const void *fdt, int node, const char *type)
{
	int len;
	const char *p = find_property(fdt, node, NAME_DEVICE_TYPE, &len);

	return p && fdt_stringlist_contains(p, len, type);
}

/* Booted by EFI: its map says what is RAM, and nodes of memory are not looked at. 0, or -Exxx: there is no map. */
static int __init scan_efi_map(const void *fdt)
{
	int chosen = chosen_node(fdt);
	u64 size = chosen < 0 ? 0 : fdt_node_u32(fdt, chosen, "linux,uefi-mmap-size", 0);
	u64 start;

	if (chosen < 0 || chosen_address(fdt, chosen, "linux,uefi-mmap-start", &start))
		return -ENOENT;
	/* Our own stub puts it behind the tree. Another address may not even be mapped. */
	if (start % 8 || start < boot_info.tree.base ||
	    start - boot_info.tree.base > EFI_MAP_REACH || size > EFI_MAP_REACH)
		return -EINVAL;
	return boot_add_efi_map(phys_to_virt(start), size,
				fdt_node_u32(fdt, chosen, "linux,uefi-mmap-desc-size", 0));
}

static void __init scan_memory(const void *fdt)
{
	int node;

	if (scan_efi_map(fdt) == 0)
		return;
	fdt_for_each_child(node, fdt, 0)
	{
		u64 base, size;

		if (!has_device_type(fdt, node, "memory") || !fdt_node_enabled(fdt, node))
			continue;
		for (unsigned int i = 0; reg_entry(fdt, node, 0, i, &base, &size) == 0; i++)
			boot_add_ram(base, size);
	}
}

static void __init scan_reserved(const void *fdt)
{
	int parent = fdt_find_top(fdt, "reserved-memory");
	uint64_t rsv_base, rsv_size;
	u64 base, size;
	int node;

	for (int i = 0; i < fdt_num_mem_rsv(fdt); i++)
		if (fdt_get_mem_rsv(fdt, i, &rsv_base, &rsv_size) == 0)
			boot_add_reserved(rsv_base, rsv_size);
	if (parent < 0)
		return;
	fdt_for_each_child(node, fdt, parent)
	{
		if (!fdt_node_enabled(fdt, node))
			continue;
		for (unsigned int i = 0; reg_entry(fdt, node, parent, i, &base, &size) == 0; i++) {
			if (fdt_getprop(fdt, node, "no-map", NULL))
				boot_add_hole(base, size);
			else
				boot_add_reserved(base, size);
		}
	}
}

/* A CPU that the tree lists twice must not be started twice. */
static bool __init cpu_is_listed(u64 hwid)
{
	for (unsigned int i = 0; i < boot_info.ncpus; i++)
		if (boot_info.cpu_hwid[i] == hwid)
			return true;
	return false;
}

static void __init scan_cpus(const void *fdt, int (*cpu_hwid)(const void *fdt, int node, u64 *hwid))
{
	int parent = fdt_find_top(fdt, "cpus");
	unsigned int dropped = 0;
	int node;

	boot_info.ncpus = 1;
	if (parent < 0)
		return;
	fdt_for_each_child(node, fdt, parent)
	{
		u64 hwid;

		if (!has_device_type(fdt, node, "cpu") || cpu_hwid(fdt, node, &hwid) ||
		    cpu_is_listed(hwid))
			continue;
		if (boot_info.ncpus < CONFIG_NR_CPUS)
			boot_info.cpu_hwid[boot_info.ncpus++] = hwid;
		else
			dropped++;
	}
	if (dropped)
		early_puts(
			"boot: more CPUs than the kernel was built for, the rest is not used\r\n");
}

int fdt_cpu_of_intc(const void *fdt, u32 phandle)
{
	int intc = fdt_node_by_phandle(fdt, phandle);
	int cpu = intc >= 0 ? fdt_node_parent(fdt, intc) : -1;
	int len;
	const fdt32_t *reg = cpu >= 0 ? fdt_getprop(fdt, cpu, "reg", &len) : NULL;

	if (!reg || (len != 4 && len != 8))
		return -ENOENT;
	for (unsigned int i = 0; i < boot_info.ncpus; i++)
		if (boot_info.cpu_hwid[i] == read_cells(reg, (unsigned int)len / 4))
			return (int)i;
	return -ENOENT;
}

static int __init fdt_validate(const void *fdt)
{
	size_t size;

	if (fdt_check_header(fdt) != 0)
		return -EINVAL;
	/* The specification's alignments, which libfdt takes for granted. */
	if (fdt_off_mem_rsvmap(fdt) % 8 || fdt_off_dt_struct(fdt) % 4)
		return -EINVAL;
	size = fdt_totalsize(fdt);
	if (size > FDT_MAX_SIZE || fdt_check_full(fdt, size) != 0)
		return -EINVAL;
	return 0;
}

int __init fdt_index(const void *fdt)
{
	indexed = NULL;
	nnodes = 0;
	index_is_whole = false;
	memset(name_slots, 0, sizeof(name_slots));
	if (fdt_validate(fdt))
		return -EINVAL;
	indexed = fdt;
	index_nodes(fdt);
	stdout_node = find_stdout(fdt);
	fresh = fdt;
	return 0;
}

int __init fdt_scan_boot(const void *fdt, int (*cpu_hwid)(const void *fdt, int node, u64 *hwid))
{
	vaddr_t va = (vaddr_t)fdt;

	if (fresh != fdt && fdt_index(fdt)) {
		early_puts("boot: the device tree is damaged\r\n");
		return -EINVAL;
	}
	fresh = NULL; /* a test may make another tree in the same place */
	boot_info.fdt = fdt;
	if (va >= LINEAR_BASE && va < KERNEL_BASE) {
		boot_info.tree = (struct boot_range){ virt_to_phys(fdt), fdt_totalsize(fdt) };
		boot_add_loaded(boot_info.tree.base, boot_info.tree.size);
	}
	scan_memory(fdt);
	scan_reserved(fdt);
	scan_chosen(fdt);
	scan_cpus(fdt, cpu_hwid);
	return 0;
}

/* ---- Drivers ---- */

/* Neighbours are often alike: the string that was looked for last, and what was found. */
static const char *last_compatible __initdata;
static const struct fdt_driver *last_driver __initdata;

static const struct fdt_driver *__init driver_search(const char *compatible)
{
	for (const struct fdt_driver *drv = __drivers_start; drv < __drivers_end; drv++)
		for (const char *const *c = drv->compatible; *c; c++)
			if ((*c)[0] == compatible[0] && strcmp(*c, compatible) == 0)
				return drv;
	return NULL;
}

static const struct fdt_driver *__init driver_match_one(const char *compatible)
{
	if (!last_compatible || strcmp(compatible, last_compatible) != 0) {
		last_compatible = compatible;
		last_driver = driver_search(compatible);
	}
	return last_driver;
}

/* The driver for the most specific (first) string that any driver knows; NULL also for a disabled node. */
static const struct fdt_driver *__init driver_match(const void *fdt, int node)
{
	int len;
	const char *c = find_property(fdt, node, NAME_COMPATIBLE, &len);
	const char *end;

	if (!c || len < 1 || c[len - 1] != '\0')
		return NULL;
	for (end = c + len; c < end; c += strlen(c) + 1) {
		const struct fdt_driver *drv = driver_match_one(c);

		if (drv)
			return fdt_node_enabled(fdt, node) ? drv : NULL;
	}
	return NULL;
}

static void __init probe_node(const void *fdt, int node, const struct fdt_driver *drv)
{
	int err = drv->probe(fdt, node);

	if (err && err != -ENODEV)
		klog(3, "%s: %s: probe failed: %d\n", drv->name, fdt_get_name(fdt, node, NULL),
		     err);
}

struct binding {
	const struct fdt_driver *drv;
	int node;
};

static struct binding bindings[FDT_MAX_BINDINGS] __initdata;

static unsigned int nbindings __initdata;

static void __init bind_node(const void *fdt, int node)
{
	const struct fdt_driver *drv = driver_match(fdt, node);

	if (!drv)
		return;
	if (nbindings < FDT_MAX_BINDINGS)
		bindings[nbindings++] = (struct binding){ drv, node };
	else
		klog(3, "%s: too many devices, left alone\n", fdt_get_name(fdt, node, NULL));
}

void __init hal_probe_fdt(const void *fdt)
{
	unsigned int known = fdt == indexed ? nnodes : 0;
	int node = known ? nodes[known - 1].offset : -1;

	nbindings = 0;
	last_compatible = NULL;
	for (unsigned int i = 0; i < known; i++)
		bind_node(fdt, nodes[i].offset);
	/* What the index has no room for. */
	while ((!known || !index_is_whole) && (node = fdt_next_node(fdt, node, NULL)) >= 0)
		bind_node(fdt, node);
	for (unsigned int level = 0; level < DRIVER_LEVELS; level++)
		for (unsigned int i = 0; i < nbindings; i++)
			if (bindings[i].drv->level == level)
				probe_node(fdt, bindings[i].node, bindings[i].drv);
}
