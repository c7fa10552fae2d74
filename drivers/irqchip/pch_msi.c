/* SPDX-License-Identifier: MIT */
/*
 * Messages as interrupts on Loongson's bridge chip (PCH-MSI): what a device writes to the controller's address is the
 * number of the EIOINTC vector to raise.
 *
 * A range of vectors is the controller's. Each message that is asked for takes the next one, whose line is the EIOINTC's.
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

static int msi_request(struct hal_msi_chip *c, const struct hal_msi_request *rq,
		       struct hal_msi *msi)
{
	struct irq_chip *parent = hal_irq_chip_find(parent_phandle);
	u32 line, vector;
	int err;

	(void)c;
	if (!parent || !parent->set_affinity)
		return -ENODEV;
	line = __atomic_fetch_add(&used, 1, __ATOMIC_RELAXED);
	if (line >= nvectors) {
		__atomic_store_n(&used, nvectors, __ATOMIC_RELAXED);
		return -ENOSPC;
	}
	vector = first_vector + line;
	err = parent->set_affinity(parent, vector, rq->cpu);
	*msi = (struct hal_msi){ .addr = doorbell, .data = vector };
	return err ? err : hal_msi_attach(parent, vector, rq, msi);
}

static int __init msi_probe(const void *fdt, int node)
{
	struct boot_range where;
	int err = nvectors ? -EBUSY : fdt_regs_window(fdt, node, 0, 4, &where);

	if (err)
		return err;
	doorbell = where.base;
	parent_phandle = fdt_node_u32(fdt, node, "interrupt-parent", 0);
	first_vector = fdt_node_u32(fdt, node, "loongson,msi-base-vec", 0);
	nvectors = fdt_node_u32(fdt, node, "loongson,msi-num-vecs", 0);
	if (!nvectors || first_vector > 256 || nvectors > 256 - first_vector) {
		nvectors = 0;
		return -EINVAL;
	}
	chip.phandle = fdt_get_phandle(fdt, node);
	chip.request = msi_request;
	hal_msi_chip_register(&chip);
	return 0;
}

FDT_DRIVER(pch_msi_driver) = {
	.name = "pch-msi",
	.compatible = (const char *const[]){ "loongson,pch-msi-1.0", NULL },
	.level = DRIVER_MSI,
	.probe = msi_probe,
};
