/* SPDX-License-Identifier: MIT */
/* Which function the pins of a BCM2835 have, and of its successors. */
#ifndef DRIVERS_PINCTRL_BCM2835_H
#define DRIVERS_PINCTRL_BCM2835_H

/** bcm2835_pins_apply() - give the pins of a node's "pinctrl-0" their functions; elsewhere nothing. Device probing. */
void bcm2835_pins_apply(const void *fdt, int node);

#endif
