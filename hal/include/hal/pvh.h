/* SPDX-License-Identifier: MIT */
/* What a PVH loader leaves. Source: Xen public/arch-x86/hvm/start_info.h (version 1, with the memory map). */
#ifndef HAL_PVH_H
#define HAL_PVH_H

#include <types.h>

#define PVH_MAGIC 0x336ec578
#define PVH_RAM	  1

struct pvh_start_info {
	u32 magic, version, flags, nmodules;
	u64 modules, cmdline, rsdp, memmap;
	u32 nmemmap, reserved;
};

struct pvh_module {
	u64 base, size, cmdline, reserved;
};

struct pvh_range {
	u64 base, size;
	u32 type, reserved;
};

#endif
