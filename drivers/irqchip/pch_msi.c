/* SPDX-License-Identifier: MIT */
/*
 * Messages as interrupts on Loongson's bridge chip (PCH-MSI): what a device writes to the controller's address is the
 * number of the EIOINTC vector to raise.
 *
 * A range of vectors is the controller's. Each message that is asked for takes the next one; there is no giving back.
 * Source: Loongson 7A1000 user manual, chapter 5; Linux Documentation/devicetree/bindings/
 * interrupt-controller/loongson,pch-msi.yaml.
 *
 * Locking: none; the count of vectors handed out is atomic.
 */
#include <compiler.h>
#include <err.h>
#include <hal/driver.h>
#include <hal/irq.h>
#include <hal/msi.h>
#include <libfdt.h>

static struct hal_msi_chip chip;
static paddr_t doorbell;
static u32 parent_phandle, first_vector, nvectors;
static u32 used; /* atomic */

/* A line is masked at its vector. */
static void msi_mask(struct irq_chip *c, unsigned int line)
{
	struct irq_chip *parent = hal_irq_chip_find(parent_phandle);

	(void)c;
	if (parent)
		parent->mask(parent, first_vector + line);
}

static void msi_unmask(struct irq_chip *c, unsigned int line)
{
	struct irq_chip *parent = hal_irq_chip_find(parent_phandle);

	(void)c;
	if (parent)
		parent->unmask(parent, first_vector + line);
}

static int msi_set_affinity(struct irq_chip *c, unsigned int line, unsigned int cpu)
{
	struct irq_chip *parent = hal_irq_chip_find(parent_phandle);

	(void)c;
	return parent && parent->set_affinity
		       ? parent->set_affinity(parent, first_vector + line, cpu)
		       : -EINVAL;
}

/* The parent's vector arrived; @arg is the line. */
static void msi_handle(void *arg)
{
	hal_irq_dispatch(&chip.irq, (unsigned int)(unsigned long)arg);
}

static int msi_alloc(struct hal_msi_chip *c, unsigned int cpu, struct hal_msi *msi)
{
	struct irq_chip *parent = hal_irq_chip_find(parent_phandle);
	u32 line;
	int err;

	(void)c;
	if (!parent)
		return -ENODEV;
	line = __atomic_fetch_add(&used, 1, __ATOMIC_RELAXED);
	if (line >= nvectors) {
		__atomic_store_n(&used, nvectors, __ATOMIC_RELAXED);
		return -ENOSPC;
	}
	err = hal_irq_request(parent, first_vector + line, msi_handle, (void *)(unsigned long)line,
			      "PCH-MSI");
	if (!err)
		err = msi_set_affinity(&chip.irq, line, cpu);
	if (err)
		return err;
	*msi = (struct hal_msi){ .addr = doorbell, .data = first_vector + line };
	return (int)line;
}

static int __init msi_probe(const void *fdt, int node)
{
	u64 size;
	int err = fdt_node_reg(fdt, node, 0, &doorbell, &size);

	if (err)
		return err;
	if (nvectors)
		return -EBUSY;
	parent_phandle = fdt_node_u32(fdt, node, "interrupt-parent", 0);
	first_vector = fdt_node_u32(fdt, node, "loongson,msi-base-vec", 0);
	nvectors = fdt_node_u32(fdt, node, "loongson,msi-num-vecs", 0);
	if (!nvectors || first_vector > 256 || nvectors > 256 - first_vector) {
		nvectors = 0;
		return -EINVAL;
	}
	chip = (struct hal_msi_chip){
		.irq = { .name = "PCH-MSI",
			 .mask = msi_mask,
			 .unmask = msi_unmask,
			 .set_affinity = msi_set_affinity,
			 .phandle = fdt_get_phandle(fdt, node) },
		.alloc = msi_alloc,
	};
	hal_msi_chip_register(&chip);
	return 0;
}

FDT_DRIVER(pch_msi_driver) = {
	.name = "pch-msi",
	.compatible = (const char *const[]){ "loongson,pch-msi-1.0", NULL },
	.level = DRIVER_MSI,
	.probe = msi_probe,
};
