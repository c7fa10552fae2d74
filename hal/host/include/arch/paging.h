/* SPDX-License-Identifier: MIT */
/* An address space of host tests has no table. */
#ifndef ARCH_PAGING_H
#define ARCH_PAGING_H

struct hal_pt {
	int unused;
};

#endif
