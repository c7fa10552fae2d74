/* SPDX-License-Identifier: MIT */
/* An address space of host tests: a radix table that hal/host/paging.c walks as a CPU would. */
#ifndef ARCH_PAGING_H
#define ARCH_PAGING_H

#include <hal/pt_radix.h>

struct hal_pt {
	struct pt_radix radix;
};

#endif
