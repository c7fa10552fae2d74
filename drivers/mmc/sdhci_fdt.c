/* SPDX-License-Identifier: MIT */
/*
 * Which machines have an SDHCI, and what is special about theirs.
 *
 *	cdns,sd4hc		PolarFire SoC: registers 0x200 behind the wrapper's own
 *	brcm,bcm2835-sdhci	Raspberry Pi: no signals for card and switch; the wireless chip's on the 3B and 4B
 *	brcm,bcm2711-emmc2	the 4B's card slot
 *	sophgo,cv1800b-dwcmshc	Milk-V Duo; nobody has tried it
 *	generic-sdhci		whatever follows the specification
 *
 * Nodes may share an interrupt line, as the 4B's two do: each line is asked for once, and the handler asks all of its controllers.
 * Source: Linux Documentation/devicetree/bindings/mmc/.
 */
#include <compiler.h>
#include <drivers/clk/clk.h>
#include <drivers/mmc/sdhci.h>
#include <drivers/pinctrl/bcm2835.h>
#include <err.h>
#include <hal/driver.h>
#include <hal/irq.h>
#include <lib/string.h>
#include <libfdt.h>
#include <mm/slab.h>

#define SDHCI_SIZE 0x100

struct variant {
	const char *compatible;
	u32 offset; /* of the registers */
	u32 base_hz; /* where neither capabilities nor tree tell: the most it may be, too slow is right */
	bool no_detect, no_protect;
};

static const struct variant variants[] = {
	{ "cdns,sd4hc", 0x200, 200000000, false, false },
	{ "brcm,bcm2835-sdhci", 0, 250000000, true, true },
	{ "brcm,bcm2711-emmc2", 0, 250000000, true, true },
	{ "sophgo,cv1800b-dwcmshc", 0, 375000000, false, true },
	{ "generic-sdhci", 0, 0, false, false },
};

struct line {
	const void *spec; /* the "interrupts" property */
	int len;
	struct sdhci *on_it[4];
	struct line *next;
};
static struct line *lines; /* grows while devices are probed */

static void line_interrupt(void *arg)
{
	struct line *line = arg;

	for (unsigned int i = 0; i < ARRAY_SIZE(line->on_it); i++) {
		struct sdhci *s = READ_ONCE(line->on_it[i]);

		if (s)
			mmc_status_interrupt(&s->status);
	}
}

static struct line *__init line_find(const void *spec, int len)
{
	for (struct line *l = lines; l; l = l->next)
		if (l->len == len && memcmp(l->spec, spec, (size_t)len) == 0)
			return l;
	return NULL;
}

static struct line *__init line_make(const void *fdt, int node, const void *spec, int len)
{
	struct line *l = kzalloc(sizeof(*l), GFP_KERNEL);

	if (!l)
		return NULL;
	l->spec = spec;
	l->len = len;
	if (hal_irq_request_fdt(fdt, node, 0, line_interrupt, l, "sdhci")) {
		kfree(l);
		return NULL;
	}
	l->next = lines;
	lines = l;
	return l;
}

static bool __init line_join(const void *fdt, int node, struct sdhci *s)
{
	int len;
	const void *spec = fdt_getprop(fdt, node, "interrupts", &len);
	struct line *l = spec ? line_find(spec, len) : NULL;

	if (spec && !l)
		l = line_make(fdt, node, spec, len);
	for (unsigned int i = 0; l && i < ARRAY_SIZE(l->on_it); i++) {
		if (!l->on_it[i]) {
			WRITE_ONCE(l->on_it[i], s);
			return true;
		}
	}
	return false;
}

static const struct variant *__init variant_of(const void *fdt, int node)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(variants); i++)
		if (fdt_node_is_compatible(fdt, node, variants[i].compatible))
			return &variants[i];
	return NULL;
}

static bool __init has(const void *fdt, int node, const char *name)
{
	return fdt_getprop(fdt, node, name, NULL) != NULL;
}

static int __init sdhci_add(const void *fdt, int node, const struct variant *v, char *regs)
{
	struct sdhci *s = kzalloc(sizeof(*s), GFP_KERNEL);
	u64 hz = clk_rate_fdt(fdt, node, 0);
	int r;

	if (!s)
		return -ENOMEM;
	s->regs = regs + v->offset;
	s->base_hz = hz && hz <= U32_MAX ? (u32)hz : v->base_hz;
	s->no_detect = v->no_detect || has(fdt, node, "broken-cd") ||
		       has(fdt, node, "non-removable") || has(fdt, node, "cd-gpios");
	s->no_protect = v->no_protect || has(fdt, node, "disable-wp") || has(fdt, node, "wp-gpios");
	mmc_host_from_fdt(&s->host, fdt, node);
	r = sdhci_setup(s);
	if (!r) {
		bcm2835_pins_apply(fdt, node);
		s->status.has_irq = line_join(fdt, node, s);
		r = mmc_host_register(&s->host);
	} else {
		kfree(s);
	}
	return r;
}

static int __init sdhci_probe(const void *fdt, int node)
{
	const struct variant *v = variant_of(fdt, node);
	char *regs;
	int r = v ? fdt_map_regs(fdt, node, 0, v->offset + SDHCI_SIZE, &regs, NULL) : -ENODEV;

	if (!r)
		r = clk_start_fdt(fdt, node);
	return r ? r : sdhci_add(fdt, node, v, regs);
}

FDT_DRIVER(sdhci_driver) = {
	.name = "sdhci",
	.compatible = (const char *const[]){ "cdns,sd4hc", "brcm,bcm2835-sdhci",
					     "brcm,bcm2711-emmc2", "sophgo,cv1800b-dwcmshc",
					     "generic-sdhci", NULL },
	.level = DRIVER_OTHER,
	.probe = sdhci_probe,
};
