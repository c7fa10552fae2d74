/* SPDX-License-Identifier: MIT */
/*
 * Device interrupts: controllers, lines, handlers.
 *
 * A line is (chip, hwirq). Lines in use sit in a small open hash table; a line is never removed, so
 * hal_irq_dispatch() looks one up without a lock. The device-tree half finds the controller of a node's
 * interrupt and lets it translate the specifier.
 *
 * Locking: irq_lock guards insertion and a line's target (interrupts off). A slot's chip is stored last, with release
 * order: a reader that sees it sees the rest. Counters are per CPU and only written by their CPU.
 */
#include <compiler.h>
#include <err.h>
#include <hal/boot.h>
#include <hal/cpu.h>
#include <hal/driver.h>
#include <hal/irq.h>
#include <hal/msi.h>
#include <hal/upcall.h>
#include <lib/atomic.h>
#include <lib/printf.h>
#include <libfdt.h>

#define IRQ_SLOTS     256 /* a power of two */
#define IRQ_MAX_CELLS 8

struct irq_line {
	struct irq_chip *chip; /* NULL: slot is free */
	unsigned int hwirq;
	hal_irq_handler fn; /* NULL: nobody asked for it; masked and reported */
	void *arg;
	const char *name;
	unsigned int cpu; /* where its interrupts go */
	void (*tell)(void *dev, const struct hal_msi *msi);
	void *dev;
};

static struct irq_line lines[IRQ_SLOTS];
static DEFINE_PERCPU(u32, irq_count[IRQ_SLOTS]); /* how often each line came */
static struct irq_chip *chips;
static int irq_lock;
static void (*root_handler)(void);

static unsigned long irq_table_lock(void)
{
	unsigned long flags = hal_irq_save();

	while (__atomic_exchange_n(&irq_lock, 1, __ATOMIC_ACQUIRE))
		hal_cpu_relax();
	return flags;
}

static void irq_table_unlock(unsigned long flags)
{
	__atomic_store_n(&irq_lock, 0, __ATOMIC_RELEASE);
	hal_irq_restore(flags);
}

void hal_irq_chip_register(struct irq_chip *chip)
{
	chip->next = chips;
	chips = chip;
}

struct irq_chip *hal_irq_chip_find(u32 phandle)
{
	for (struct irq_chip *chip = chips; chip; chip = chip->next)
		if (phandle && chip->phandle == phandle)
			return chip;
	return NULL;
}

void hal_irq_set_root(void (*handle)(void))
{
	root_handler = handle;
}

void hal_irq_root(void)
{
	if (likely(root_handler))
		root_handler();
}

/* The line's slot, or with @free the slot where it belongs; NULL: not there, or no room. */
static struct irq_line *line_find(struct irq_chip *chip, unsigned int hwirq, bool free)
{
	unsigned int start = (unsigned int)((unsigned long)chip >> 4) + hwirq;

	for (unsigned int i = 0; i < IRQ_SLOTS; i++) {
		struct irq_line *line = &lines[(start + i) & (IRQ_SLOTS - 1)];
		struct irq_chip *owner = smp_load_acquire(&line->chip);

		if (owner == chip && line->hwirq == hwirq)
			return line;
		if (!owner)
			return free ? line : NULL;
	}
	return NULL;
}

static int line_insert(struct irq_chip *chip, unsigned int hwirq, hal_irq_handler fn, void *arg,
		       const char *name)
{
	struct irq_line *line = line_find(chip, hwirq, true);

	if (!line)
		return -ENOMEM;
	if (line->chip && line->fn)
		return -EBUSY;
	line->hwirq = hwirq;
	line->arg = arg;
	line->name = name;
	smp_store_release(&line->fn, fn);
	smp_store_release(&line->chip, chip);
	return 0;
}

int hal_irq_request(struct irq_chip *chip, unsigned int hwirq, hal_irq_handler fn, void *arg,
		    const char *name)
{
	unsigned long flags = irq_table_lock();
	int err = line_insert(chip, hwirq, fn, arg, name);

	irq_table_unlock(flags);
	if (!err && chip->unmask)
		chip->unmask(chip, hwirq);
	return err;
}

/* Nobody handles this line: silence it. The slot is kept so that the report comes once. */
static void irq_unexpected(struct irq_chip *chip, unsigned int hwirq)
{
	unsigned long flags;

	if (chip->mask)
		chip->mask(chip, hwirq);
	klog(4, "irq: %s line %u has no handler, masked\n", chip->name, hwirq);
	flags = irq_table_lock();
	if (line_insert(chip, hwirq, NULL, NULL, "unexpected"))
		klog(4, "irq: table full\n");
	irq_table_unlock(flags);
}

void hal_irq_dispatch(struct irq_chip *chip, unsigned int hwirq)
{
	struct irq_line *line = line_find(chip, hwirq, false);
	hal_irq_handler fn = line ? smp_load_acquire(&line->fn) : NULL;

	if (likely(fn)) {
		percpu(irq_count)[line - lines]++;
		fn(line->arg);
	} else if (line) {
		if (chip->mask)
			chip->mask(chip, hwirq);
	} else {
		irq_unexpected(chip, hwirq);
	}
	if (chip->eoi)
		chip->eoi(chip, hwirq);
}

/* ---- Which CPU ---- */

static struct irq_line *line_in_use(unsigned int irq)
{
	struct irq_line *line = irq < IRQ_SLOTS ? &lines[irq] : NULL;

	return line && smp_load_acquire(&line->chip) && smp_load_acquire(&line->fn) ? line : NULL;
}

int hal_irq_number(struct irq_chip *chip, unsigned int hwirq)
{
	struct irq_line *line = line_find(chip, hwirq, false);

	return line ? (int)(line - lines) : -ENOENT;
}

void hal_irq_set_sender(unsigned int irq, unsigned int cpu,
			void (*tell)(void *dev, const struct hal_msi *msi), void *dev)
{
	unsigned long flags = irq_table_lock();

	lines[irq].cpu = cpu;
	lines[irq].tell = tell;
	lines[irq].dev = dev;
	irq_table_unlock(flags);
}

/* irq_lock held. */
static int line_move(struct irq_line *line, unsigned int cpu)
{
	struct irq_chip *chip = line->chip;
	struct hal_msi msi;
	int err;

	if (!chip->message)
		return chip->set_affinity ? chip->set_affinity(chip, line->hwirq, cpu) : -EIO;
	if (!line->tell)
		return -EIO;
	err = chip->message(chip, line->hwirq, cpu, &msi);
	if (!err)
		line->tell(line->dev, &msi);
	return err;
}

int hal_irq_set_affinity(unsigned int irq, unsigned int cpu)
{
	struct irq_line *line = line_in_use(irq);
	unsigned long flags;
	int err;

	if (!line || cpu >= boot_info.ncpus)
		return -EINVAL;
	flags = irq_table_lock();
	err = line_move(line, cpu);
	if (!err)
		line->cpu = cpu;
	irq_table_unlock(flags);
	return err;
}

int hal_irq_cpu(unsigned int irq)
{
	struct irq_line *line = line_in_use(irq);

	return line ? (int)READ_ONCE(line->cpu) : -EINVAL;
}

unsigned int hal_irq_count(void)
{
	return IRQ_SLOTS;
}

int hal_irq_format_stats(char *buf, size_t size)
{
	struct printbuf pb;

	printbuf_init(&pb, buf, size);
	printbuf_puts(&pb, "     ");
	for (unsigned int cpu = 0; cpu < boot_info.ncpus; cpu++)
		printbuf_printf(&pb, "      CPU%-2u ", cpu);
	printbuf_putc(&pb, '\n');
	for (unsigned int i = 0; i < IRQ_SLOTS; i++) {
		struct irq_line *line = &lines[i];

		if (!smp_load_acquire(&line->chip))
			continue;
		printbuf_printf(&pb, "%3u: ", i);
		for (unsigned int cpu = 0; cpu < boot_info.ncpus; cpu++)
			printbuf_printf(&pb, "%11u ", READ_ONCE(percpu_of(irq_count, cpu)[i]));
		printbuf_printf(&pb, " %s %u  %s\n", line->chip->name, line->hwirq, line->name);
	}
	return (int)printbuf_used(&pb);
}

/* ---- Device tree ---- */

struct irq_spec {
	u32 phandle;
	u32 cells[IRQ_MAX_CELLS];
	unsigned int ncells;
};

/* #interrupt-cells of the controller, or -EINVAL. */
static int controller_cells(const void *fdt, u32 phandle)
{
	int ctrl = fdt_node_by_phandle(fdt, phandle);
	u32 n;

	if (ctrl < 0)
		return -EINVAL;
	n = fdt_node_u32(fdt, ctrl, "#interrupt-cells", 0);
	return n >= 1 && n <= IRQ_MAX_CELLS ? (int)n : -EINVAL;
}

static void spec_set(struct irq_spec *spec, u32 phandle, const fdt32_t *cells, unsigned int n)
{
	spec->phandle = phandle;
	spec->ncells = n;
	for (unsigned int i = 0; i < n; i++)
		spec->cells[i] = fdt32_to_cpu(cells[i]);
}

static int spec_extended(const void *fdt, const fdt32_t *prop, int len, unsigned int index,
			 struct irq_spec *spec)
{
	int ncells = len / 4;
	int pos = 0;

	while (pos < ncells) {
		u32 phandle = fdt32_to_cpu(prop[pos]);
		int n = controller_cells(fdt, phandle);

		if (n < 0 || n > ncells - pos - 1)
			return -EINVAL;
		if (index-- == 0) {
			spec_set(spec, phandle, prop + pos + 1, (unsigned int)n);
			return 0;
		}
		pos += n + 1;
	}
	return -ENOENT;
}

/* interrupt-parent of the node or of the nearest ancestor that has one; 0: none. */
static u32 interrupt_parent(const void *fdt, int node)
{
	while (node >= 0) {
		u32 phandle = fdt_node_u32(fdt, node, "interrupt-parent", 0);

		if (phandle)
			return phandle;
		node = fdt_node_parent(fdt, node);
	}
	return 0;
}

static int spec_read(const void *fdt, int node, unsigned int index, struct irq_spec *spec)
{
	const fdt32_t *prop;
	u32 parent;
	int len, n;

	prop = fdt_getprop(fdt, node, "interrupts-extended", &len);
	if (prop)
		return spec_extended(fdt, prop, len, index, spec);
	prop = fdt_getprop(fdt, node, "interrupts", &len);
	if (!prop)
		return -ENOENT;
	parent = interrupt_parent(fdt, node);
	n = controller_cells(fdt, parent);
	if (n < 0)
		return n;
	if (index >= (unsigned int)(len / 4 / n))
		return -ENOENT;
	spec_set(spec, parent, prop + index * (unsigned int)n, (unsigned int)n);
	return 0;
}

int hal_irq_request_fdt(const void *fdt, int node, unsigned int index, hal_irq_handler fn,
			void *arg, const char *name)
{
	struct irq_chip *chip;
	struct irq_spec spec;
	int err = spec_read(fdt, node, index, &spec);
	int hwirq;

	if (err)
		return err;
	chip = hal_irq_chip_find(spec.phandle);
	if (!chip)
		return -ENOENT;
	hwirq = chip->xlate(chip, spec.cells, spec.ncells);
	if (hwirq < 0)
		return hwirq;
	return hal_irq_request(chip, (unsigned int)hwirq, fn, arg, name);
}
