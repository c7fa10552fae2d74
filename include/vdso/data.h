/* SPDX-License-Identifier: MIT */
/*
 * The page that the kernel shares, read-only, with every program: what the vDSO needs to tell the time.
 *
 * A time is (counter - origin) * mult >> 32 nanoseconds since boot, the kernel's own formula, so that both agree. All
 * fields but one are constant once programs run; real_offset_ns is one word and is read and written whole.
 */
#ifndef VDSO_DATA_H
#define VDSO_DATA_H

/* The page is mapped behind the vDSO's image, this far from its start. Linker scripts use it, too. */
#define VDSO_DATA_OFFSET 0x2000

#ifndef __ASSEMBLER__
#include <types.h>

struct vdso_data {
	u64 origin;	    /* the counter at boot */
	u64 mult;	    /* nanoseconds a tick, 32.32 fixed point */
	u64 real_offset_ns; /* CLOCK_REALTIME minus time since boot */
};

static inline u64 vdso_boot_ns(const struct vdso_data *d, u64 counter)
{
	return (u64)((unsigned __int128)(counter - d->origin) * d->mult >> 32);
}
#endif

#endif
