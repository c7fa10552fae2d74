/* SPDX-License-Identifier: MIT */
/*
 * Clocks and resets of the device tree's nodes, as far as drivers here need them: rates are read and never changed; gates are
 * opened and resets released, never the other way. Which controllers are known: clk.c and reset.c.
 *
 * Context: device probing, boot CPU.
 */
#ifndef DRIVERS_CLK_H
#define DRIVERS_CLK_H

#include <compiler.h>
#include <types.h>

/** clk_rate_fdt() - Hz of entry @index of a node's "clocks"; 0: not known, the driver takes what its file says. */
u64 clk_rate_fdt(const void *fdt, int node, unsigned int index);
/**
 * clk_start_fdt() - let a device run: open the gates of its "clocks", release its "resets". What no driver knows stays as firmware left it.
 * Return: 0, or -ETIMEDOUT: a reset was released and the device did not come out of it; its registers must not be touched.
 */
int clk_start_fdt(const void *fdt, int node);

/* An entry of "clocks" or "resets": who has it, and what that one calls it. */
struct clk_spec {
	int node;
	u32 id;
};

/* clk.c: entry @index of property @list, whose providers have @cells ("#clock-cells"). 0, -ENOENT: no more, or -EINVAL. */
int clk_spec_read(const void *fdt, int node, const char *list, const char *cells,
		  unsigned int index, struct clk_spec *spec);
/* reset.c: as clk_start_fdt(). */
int reset_release_fdt(const void *fdt, int node);

/* A kind of clock controller. Registers are the node's, or its parent's for those that are a part of a system controller. */
struct clk_type {
	const char *compatible;
	u64 (*rate)(const void *fdt, int node, u32 id);	   /* 0: not known. May be NULL */
	void (*enable)(const void *fdt, int node, u32 id); /* may be NULL */
};
/* Those of files that are not built are NULL. */
extern const struct clk_type jh7110_crg __weak, jh7110_pll __weak, cv1800_clk __weak,
	bcm2835_clk __weak, bcm2711_clk __weak;

#endif
