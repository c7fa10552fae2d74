/* SPDX-License-Identifier: MIT */
/* Rates of clocks, as far as drivers here need them: read, never changed. */
#ifndef DRIVERS_CLK_H
#define DRIVERS_CLK_H

#include <types.h>

/** clk_rate_fdt() - Hz of entry @index of a node's "clocks"; 0: not known, the driver takes what its file says. Device probing. */
u64 clk_rate_fdt(const void *fdt, int node, unsigned int index);

#endif
